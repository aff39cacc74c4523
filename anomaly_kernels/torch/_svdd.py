"""The centre of Deep SVDD, from the embeddings of a first pass over normal data."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from anomaly_kernels._core.checks import Range, setting
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.spelling import with_hint

_EPS = Range(least=0, below=math.inf)


@torch.no_grad()
@with_hint
def init_center(
    model: nn.Module, loader: Iterable[Any], *, eps: float = 0.1, name: str = "center", progress: bool = True
) -> Tensor:
    """Put the centre of a hypersphere at the mean embedding of a first pass over normal data.

    Parameters
    ----------
    model : torch.nn.Module
        Maps a batch to embeddings (B, ..., D). It is run in evaluation mode, and put back into its own.
    loader : iterable
        Batches: tensors, or tuples and lists whose first entry is the tensor.
    eps : float, at least 0
        Entries of the centre nearer to 0 than this are pushed out to ±eps: a network could reach a centre at 0 with
        all its weights at 0.
    name : str
        The buffer of `model` in which the centre is kept, so that it is moved and saved with the model; an existing
        one is overwritten.
    progress : bool
        Whether to show a progress bar, for which `rich` is needed.

    Returns
    -------
    Tensor, (D,)
        The buffer.

    Raises
    ------
    TypeError
        If `model` is no module, or `loader` yields, or `model` returns, something else.
    ValueError
        If there is no batch, embeddings differ in width, `eps` is out of its range, or the model has something else
        under that name.

    References
    ----------
    .. [1] L. Ruff et al., "Deep One-Class Classification", ICML, 2018, section 3.3.
    """
    setting("eps", eps, _EPS)
    if not isinstance(model, nn.Module):
        raise TypeError(f"`model` must be a torch.nn.Module, got {describe(model)}")
    model = getattr(model, "_orig_mod", model)  # what `torch.compile` has wrapped, and looks for attributes in
    if not name or "." in name:
        raise ValueError(f"`name` must be that of a buffer, without dots, got {name!r}")
    kept = name in model._buffers  # noqa: SLF001  # no public list has those that are None
    if hasattr(model, name) and not kept:
        raise ValueError(f"`name` must be that of a buffer or a new one, got {name!r}, which the model has already")
    training = {module: module.training for module in model.modules()}
    total, count = None, 0
    try:
        model.eval()
        for batch in _with_progress(loader) if progress else loader:
            rows = _embeddings(model, batch)
            if total is not None and len(total) != rows.shape[1]:
                raise ValueError(f"embeddings must be of one width, got {rows.shape[1]} after {len(total)}")
            added = rows.sum(0, dtype=torch.float64 if rows.device.type != "mps" else None)
            total, count = (added if total is None else total + added), count + rows.shape[0]
    finally:
        for module, was_training in training.items():
            module.training = was_training
    if total is None or count == 0:
        raise ValueError("`loader` has no batch: there is nothing to average over")
    center = (total / count).to(rows.dtype)
    center = torch.where(center.abs() < eps, torch.where(center < 0, -eps, eps), center)
    if kept:
        setattr(model, name, center)
    else:
        model.register_buffer(name, center)
    return center


def _embeddings(model: nn.Module, batch: Any) -> Tensor:
    """Those of a batch, (N, D)."""
    x = batch[0] if isinstance(batch, list | tuple) and batch else batch
    if not isinstance(x, Tensor):
        raise TypeError(f"`loader` must yield tensors, or tuples and lists that begin with one, got {describe(batch)}")
    z = model(x)
    if not isinstance(z, Tensor) or z.ndim == 0:
        raise TypeError(f"`model` must return a tensor of embeddings (B, ..., D), got {describe(z)}")
    return z.reshape(-1, z.shape[-1])


def _with_progress(loader: Iterable[Any]) -> Iterable[Any]:
    if importlib.util.find_spec("rich") is None:
        return loader
    from rich.progress import track

    return track(loader, description="centre")
