"""How metrics read masks and scores of which only the order counts, and the dtype they answer in."""

from __future__ import annotations

import math

from anomaly_kernels._core.checks import dtype_name, is_real
from anomaly_kernels._core.typing import Array, Axis, DType, Namespace


def result_dtype(xp: Namespace, *arrays: Array) -> DType:
    """float32 or float64 by the first array that is real; where none is, what the library makes of a Python float."""
    for x in arrays:
        if is_real(x):
            return xp.float64 if dtype_name(x.dtype) == "float64" else xp.float32
    return xp.constant(0.0, like=arrays[0], dtype=None).dtype


def has_nan(xp: Namespace, *arrays: Array, axis: Axis = None) -> Array | None:
    """Whether any array holds NaN, along an axis or at all; None where no array is of a dtype that could."""
    found = None
    for x in arrays:
        if is_real(x):
            here = xp.any(xp.isnan(x), axis=axis)
            found = here if found is None else xp.logical_or(found, here)
    return found


def unless(xp: Namespace, nan: Array | None, result: Array) -> Array:
    """The result, or NaN where `has_nan` found one."""
    return result if nan is None else xp.where(nan, math.nan, result)


def count(xp: Namespace, mask: Array) -> Array:
    """How many elements are true, exactly at any size: integers are added, not floats."""
    return xp.sum(xp.astype(mask, xp.int32))
