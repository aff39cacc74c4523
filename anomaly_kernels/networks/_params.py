"""Weights of networks: dicts from keys such as ``score_output/kernel`` to arrays, checked layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from anomaly_kernels._core.checks import Shape, cast, has_shape, inputs, shape_of
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.typing import Array, Namespace

Params = Mapping[str, Array]


def has_part(params: Params, prefix: str) -> bool:
    """Whether any key begins with the prefix."""
    return any(key.startswith(prefix) for key in params)


def depth(params: Params, name: str) -> int:
    """How many layers are called name_1, name_2, … without a gap."""
    n = 0
    while has_part(params, f"{name}_{n + 1}/"):
        n += 1
    return n


def keys(layers: Iterable[str], *arrays: str) -> list[str]:
    """The keys of the arrays of some layers."""
    return [f"{layer}/{array}" for layer in layers for array in arrays]


def check_dict(params: object) -> None:
    """Raise unless params is a dict with strings for keys."""
    if not isinstance(params, Mapping):
        raise TypeError(f"`params` must be a dict of arrays, got {describe(params)}")
    if strange := [key for key in params if not isinstance(key, str)]:
        raise TypeError(f"`params` must have strings for keys, got {strange[0]!r}")


def check_keys(params: Params, expected: Iterable[str]) -> None:
    """Raise unless the keys of params are those expected."""
    expected = list(expected)
    if missing := [key for key in expected if key not in params]:
        raise ValueError(f"`params` must have the key {missing[0]!r}, got {_quoted(params)}")
    if unexpected := [key for key in params if key not in expected]:
        raise ValueError(f"`params` has the unexpected key {unexpected[0]!r}, expected {_quoted(expected)}")


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names) or "none"


def prepared(params: Params, **arrays: Array) -> tuple[Namespace, dict[str, Array], list[Array]]:
    """The namespace, then the parameters and the other arrays in the dtype to compute in."""
    xp, dtype = inputs(**arrays, **{_argument(key): value for key, value in params.items()})
    return xp, {key: cast(xp, dtype, x) for key, x in params.items()}, [cast(xp, dtype, x) for x in arrays.values()]


def check_shape(params: Params, key: str, expected: Shape, meaning: str) -> None:
    """Raise unless the parameter has the shape expected."""
    has_shape(_argument(key), params[key], expected, meaning)


def _argument(key: str) -> str:
    return f"params[{key!r}]"


def check_dense(params: Params, layer: str, width: int | None, units: int | None = None) -> int | None:
    """Raise unless the dense layer maps that many features to so many (None: any); how many it maps to."""
    if units is None:
        units = _last(params, f"{layer}/bias")
    check_shape(params, f"{layer}/kernel", (width, units), "(in, out)")
    check_shape(params, f"{layer}/bias", (units,), "(out,)")
    return units


def check_lstm(params: Params, layer: str, width: int | None, units: int | None = None) -> int | None:
    """Raise unless the LSTM takes that many features and has so many units (None: any); how many it has."""
    if units is None and (gates := _last(params, f"{layer}/bias")) is not None:
        units = gates // 4
    gates = None if units is None else 4 * units
    check_shape(params, f"{layer}/kernel", (width, gates), "(in, 4 units)")
    check_shape(params, f"{layer}/recurrent_kernel", (units, gates), "(units, 4 units)")
    check_shape(params, f"{layer}/bias", (gates,), "(4 units,)")
    return units


def _last(params: Params, key: str) -> int | None:
    shape = shape_of(params[key])
    return shape[-1] if shape else None


def dense(xp: Namespace, params: Params, layer: str, x: Array) -> Array:
    """An affine map of the last axis."""
    return xp.matmul(x, params[f"{layer}/kernel"]) + params[f"{layer}/bias"]
