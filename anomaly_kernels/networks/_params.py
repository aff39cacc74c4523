"""Weights of networks by name, such as ``score_output/kernel``: their shapes, and the check of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from anomaly_kernels._core.checks import cast, has_shape, inputs, shape_of
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.typing import Array, Namespace

Params = Mapping[str, Array]
Size = int | None
"""A number of features or units, None where it is not known before run time."""
Shapes = dict[str, tuple[Any, ...]]


def has_part(params: Params, prefix: str) -> bool:
    """Whether any key begins with the prefix."""
    return any(key.startswith(prefix) for key in params)


def numbered(params: Params, name: str) -> list[str]:
    """The layers called name_1, name_2, … without a gap."""
    layers: list[str] = []
    while has_part(params, f"{name}_{len(layers) + 1}/"):
        layers.append(f"{name}_{len(layers) + 1}")
    return layers


def is_lstm(layer: str) -> bool:
    """Whether a layer of this name is an LSTM; the others are dense or normalise."""
    return layer.startswith(("encoder_", "decoder_")) and layer != "decoder_dense"


def units_of(params: Params, layer: str) -> Size:
    """How many units the bias of a layer is for, None without one."""
    shape = shape_of(params[f"{layer}/bias"]) if f"{layer}/bias" in params else ()
    size = shape[-1] if shape else None
    return size // 4 if is_lstm(layer) and size is not None else size


def dense_shapes(layer: str, n_in: Size, units: Size) -> Shapes:
    """The weights of a dense layer."""
    return {f"{layer}/kernel": (n_in, units), f"{layer}/bias": (units,)}


def lstm_shapes(layer: str, n_in: Size, units: Size) -> Shapes:
    """The weights of an LSTM."""
    gates = None if units is None else 4 * units
    return {
        f"{layer}/kernel": (n_in, gates),
        f"{layer}/recurrent_kernel": (units, gates),
        f"{layer}/bias": (gates,),
    }


def prepare(params: Params, **arrays: Array) -> tuple[Namespace, dict[str, Array], list[Array]]:
    """The namespace, then the parameters and the other arrays in the dtype to compute in."""
    if not isinstance(params, Mapping):
        raise TypeError(f"`params` must be a dict of arrays, got {describe(params)}")
    if wrong := [key for key in params if not isinstance(key, str)]:
        raise TypeError(f"`params` must have strings for keys, got {wrong[0]!r}")
    xp, dtype = inputs(**arrays, **{f"params[{key!r}]": x for key, x in params.items()})
    return xp, {key: cast(xp, dtype, x) for key, x in params.items()}, [cast(xp, dtype, x) for x in arrays.values()]


def check(params: Params, shapes: Shapes) -> None:
    """Raise unless params has these keys and shapes."""
    if missing := [key for key in shapes if key not in params]:
        raise ValueError(f"`params` must have the key {missing[0]!r}, got {_quoted(params)}")
    if unexpected := [key for key in params if key not in shapes]:
        raise ValueError(f"`params` has the unexpected key {unexpected[0]!r}, expected {_quoted(shapes)}")
    for key, shape in shapes.items():
        has_shape(f"params[{key!r}]", params[key], shape, _axes(key))


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names) or "none"


def _axes(key: str) -> str:
    layer, _, array = key.rpartition("/")
    if is_lstm(layer):
        return {"kernel": "(in, 4 units)", "recurrent_kernel": "(units, 4 units)", "bias": "(4 units,)"}[array]
    return "(in, out)" if array == "kernel" else "(out,)"


def dense(xp: Namespace, params: Params, layer: str, x: Array) -> Array:
    """An affine map of the last axis."""
    return xp.matmul(x, params[f"{layer}/kernel"]) + params[f"{layer}/bias"]
