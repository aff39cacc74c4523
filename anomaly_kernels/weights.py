"""Weights of the networks: the same dict of arrays from every framework, and files of it that hold nothing else.

The keys are those of `sequence_anomaly_score` and `lstm_autoencoder`, the arrays NumPy's. What one framework has
trained another one goes on with, or NumPy alone:

>>> import numpy as np
>>> import anomaly_kernels as ak
>>> from anomaly_kernels import weights
>>> params = {"score_output/kernel": np.ones((2, 1)), "score_output/bias": np.zeros(1)}
>>> ak.sequence_anomaly_score(weights.get_params_tree(params), np.asarray([[1.0, 2.0]]))
array([[3.]])
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any, TypeVar

import numpy as np

from anomaly_kernels._core.checks import REAL, dtype_name
from anomaly_kernels._core.files import MOST_BYTES, parse_json, read_bytes, reading
from anomaly_kernels._core.namespace import array_namespace, describe, namespace_or_none
from anomaly_kernels._core.spelling import with_hint

__all__ = ["get_params_tree", "load_params", "save_params", "set_params_tree"]

M = TypeVar("M")

_MOST_BYTES = 1_000_000_000


@with_hint
def get_params_tree(model: Any) -> dict[str, np.ndarray]:
    """Weights of a network as a dict of arrays.

    Parameters
    ----------
    model : network or dict of str to array
        A `SequenceAnomalyScoreLayer` or `LSTMAutoencoderAnomaly` of any framework, or its weights in any library.

    Returns
    -------
    dict of str to numpy.ndarray
        Copies, in the dtype that the model has; of bfloat16, which NumPy lacks, in float32, which holds it exactly.

    Raises
    ------
    TypeError, ValueError
        If the model is another one, or has no weights yet, or one is no array of floating point.
    """
    return {key: _numpy(key, x) for key, x in _tree(model).items()}


@with_hint
def set_params_tree(model: M, params: Mapping[str, Any]) -> M:
    """Give a network other weights.

    Parameters
    ----------
    model : network or dict of str to array
        Its weights are overwritten; those of a dict are not, there is a new one.
    params : dict of str to array
        Weights as `get_params_tree` returns them, of the same keys and shapes; arrays of any library.

    Returns
    -------
    network or dict
        The model, or a new dict of arrays of the library, dtypes and devices of the old one.

    Raises
    ------
    TypeError
        If the model is another one, or `params` is no dict of arrays of floating point.
    ValueError
        If a key is missing or unknown, or a shape is not the model's; then nothing is overwritten.
    """
    if not isinstance(params, Mapping):
        raise TypeError(f"`params` must be a dict of arrays, got {describe(params)}")
    old = _tree(model)
    new = fitted({key: tuple(x.shape) for key, x in old.items()}, params)
    if isinstance(model, Mapping):
        return {  # type: ignore[return-value]
            key: array_namespace(x).constant(new[key], like=x, dtype=x.dtype) for key, x in old.items()
        }
    model._set_params_tree(new)  # type: ignore[attr-defined]  # noqa: SLF001
    return model


def fitted(shapes: Mapping[str, tuple[int, ...]], params: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The weights of a model of these shapes, in their order, as NumPy's; an error where keys or shapes differ."""
    for name, which, others in (("lacks", shapes, params), ("has the unknown", params, shapes)):
        if odd := [key for key in which if key not in others]:
            raise ValueError(f"`params` {name} weight {odd[0]!r}; the model has {', '.join(map(repr, shapes))}")
    arrays = {key: _numpy(key, params[key]) for key in shapes}
    for key, x in arrays.items():
        if x.shape != shapes[key]:
            raise ValueError(f"{_of_layer(key)} must have shape {shapes[key]}, got {x.shape}")
    return arrays


@with_hint
def save_params(path: str | PathLike[str], params: Any) -> None:
    """Write the weights of a network to a file, for which ``safetensors`` is needed (extra ``weights``).

    Parameters
    ----------
    path : str or path
        The file; the custom is to end its name in ``.safetensors``.
    params : network or dict of str to array
        What `get_params_tree` takes.
    """
    write(path, get_params_tree(params), {})


@with_hint
def load_params(path: str | PathLike[str]) -> dict[str, np.ndarray]:
    """Read the weights that `save_params` has written; a file holds arrays and nothing that could be run.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    dict of str to numpy.ndarray
        For `set_params_tree`, or for the pure functions; what the file has in bfloat16 in float32.

    Raises
    ------
    FileError
        If it is no such file, or larger than 1 GB.
    OSError
        If it cannot be opened.
    """
    return read(path)[0]


def write(path: str | PathLike[str], params: Mapping[str, np.ndarray], header: Mapping[str, str]) -> None:
    """Write arrays, and texts by name for the header of the file."""
    arrays = {key: np.asarray(x, order="C") for key, x in params.items()}
    if (size := sum(x.nbytes for x in arrays.values())) > _MOST_BYTES:
        raise ValueError(f"a file of weights must be no larger than {_MOST_BYTES} bytes, got {size}")
    _safetensors().numpy.save_file(arrays, path, dict(header) or None)


def read(path: str | PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read the arrays and the header that `write` has written."""
    module = _safetensors()
    content = read_bytes(path, _MOST_BYTES + MOST_BYTES)
    with reading(path, "is no file of weights"):
        start = int.from_bytes(content[:8], "little")
        if start > MOST_BYTES:  # of what `deserialize` would keep all
            raise ValueError(f"its header must be no larger than {MOST_BYTES} bytes, got {start}")
        arrays = module.deserialize(content)
        header = parse_json(content[8 : 8 + start])
        return {key: _array(**array) for key, array in arrays}, header.get("__metadata__", {})


def _array(dtype: str, shape: list[int], data: bytearray) -> np.ndarray:
    if dtype == "BF16":  # the upper half of a float32, which NumPy has
        upper = np.frombuffer(data, "<u2").astype("<u4")
        return (upper << 16).view("<f4").reshape(shape)
    if dtype not in ("F16", "F32", "F64"):
        raise ValueError(f"it holds an array of {dtype}")
    return np.frombuffer(data, f"<f{int(dtype[1:]) // 8}").reshape(shape)


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ModuleNotFoundError as error:
        raise ImportError("files of weights need safetensors: pip install 'anomaly-kernels[weights]'") from error
    return safetensors


def _tree(model: Any) -> Mapping[str, Any]:
    if isinstance(model, Mapping):
        return model
    if not hasattr(model, "_params_tree"):
        raise TypeError(f"`model` must be a network of anomaly_kernels or a dict of its weights, got {describe(model)}")
    tree: Mapping[str, Any] = model._params_tree()  # noqa: SLF001
    return tree


def _of_layer(key: str) -> str:
    layer, _, array = key.rpartition("/")
    return f"the {array} of layer {layer!r}"


def _numpy(key: str, x: Any) -> np.ndarray:
    dtype = dtype_name(x.dtype) if hasattr(x, "dtype") else None
    if dtype not in REAL or not hasattr(x, "shape"):
        got = describe(x) if dtype is None else f"{describe(x)} of {x.dtype}"
        raise TypeError(f"{_of_layer(key)} must be an array of floating point, got {got}")
    xp = namespace_or_none(x)  # None of Keras' variables, which NumPy reads by itself
    return np.array(x if xp is None else xp.to_numpy(x), "float32" if dtype == "bfloat16" else dtype)


def __dir__() -> list[str]:
    return sorted(__all__)
