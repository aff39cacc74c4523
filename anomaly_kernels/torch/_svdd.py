"""The centre of Deep SVDD: from the embeddings of a first pass over normal data, and as a part of a loss."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from anomaly_kernels._core.checks import setting
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels.losses import one_class
from anomaly_kernels.torch._base import Loss


class CenteredLoss(Loss):
    """A loss around a centre, which is given with each call, or kept in the loss: a buffer that is saved with it."""

    center: Tensor | None

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.register_buffer("center", None)
        self.register_buffer("_place", torch.zeros(0), persistent=False)  # follows the module to a device

    def __setattr__(self, name: str, value: Any) -> None:
        is_fixed = name == "center" and isinstance(value, Tensor) and not isinstance(value, nn.Parameter)
        super().__setattr__(name, value.detach() if is_fixed else value)

    @torch.no_grad()
    def init_center(self, embeddings: Tensor, *, eps: float = 0.1) -> Tensor:
        """Keep the `anomaly_kernels.svdd_center` of these embeddings (..., D) of normal data, and return it."""
        self.center = one_class.svdd_center(embeddings, eps=eps)
        return self.center

    def _given_or_kept(self, center: Tensor | None) -> Tensor:
        if center is not None:
            return center
        if self.center is None:
            raise ValueError(f"`center` must be given, or kept in the {type(self).__name__}, by `init_center`")
        return self.center

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *arguments: Any) -> None:
        saved = state_dict.get(f"{prefix}center")
        if self.center is None and isinstance(saved, Tensor):  # otherwise a key that torch does not expect
            self.center = torch.empty_like(saved, device=self._place.device)
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    def _state(self) -> dict[str, Any]:
        return super()._state() | ({} if self.center is None else {"center": self.center})

    def _set_state(self, state: dict[str, Any]) -> None:
        if "center" in state:
            center = state["center"]
            if not isinstance(center, Tensor) or center.ndim != 1:
                raise ValueError(f"`center` must be an array of shape (D,), got {describe(center)}")
            self.center = center
        super()._set_state(state)


@torch.no_grad()
@with_hint
def init_center(
    model: nn.Module, loader: Iterable[Any], *, eps: float = 0.1, name: str = "center", progress: bool = True
) -> Tensor:
    """Set the centre of a hypersphere to the mean embedding of a first pass over normal data.

    Parameters
    ----------
    model : torch.nn.Module
        Maps a batch to embeddings (B, ..., D). It is run in evaluation mode, and put back into its own.
    loader : iterable
        Batches: tensors, or tuples and lists whose first entry is the tensor.
    eps : float, at least 0
        Entries of the centre nearer to 0 than this are moved to ±eps, because a network could reach a centre at 0 with
        all its weights at 0.
    name : str
        The buffer of `model` that keeps the centre, so the centre moves with the model. An existing buffer is
        overwritten. A new one is not in the model's `state_dict`, because that would not load into a model without the
        buffer. Save the centre with the loss (``loss.center = init_center(model, loader)``), or make the buffer in the
        model.
    progress : bool
        Whether to show a progress bar, which needs `rich`.

    Returns
    -------
    Tensor, (D,)
        The buffer.

    Raises
    ------
    TypeError
        If `model` is not a module, or if `loader` yields or `model` returns anything but tensors.
    ValueError
        If there is no batch, embeddings differ in width, `eps` is out of its range, or the model has something else
        under that name.

    References
    ----------
    .. [1] L. Ruff et al., "Deep One-Class Classification", ICML, 2018, section 3.3.
    """
    setting("eps", eps, one_class.EPS_OF_CENTER)
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
    center = one_class.away_from_zero((total / count).to(rows.dtype), eps)
    if kept:
        setattr(model, name, center)
    else:
        model.register_buffer(name, center, persistent=False)
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
