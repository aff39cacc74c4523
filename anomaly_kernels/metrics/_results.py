"""Results of metrics: their dtype, and NaN where an input was NaN."""

from __future__ import annotations

import math

from anomaly_kernels._core.checks import dtype_name, is_real
from anomaly_kernels._core.typing import Array, DType, Namespace


def result_dtype(xp: Namespace, *arrays: Array) -> DType:
    """float32 or float64 by the first array that is real; where none is, the library's default."""
    for x in arrays:
        if x.dtype in (xp.float32, xp.float64):
            return x.dtype
        if is_real(x):
            return xp.float64 if dtype_name(x.dtype) == "float64" else xp.float32
    return xp.constant(0.0, like=arrays[0], dtype=None).dtype


def quotient_dtype(xp: Namespace, *arrays: Array) -> DType:
    """The same, but where none is real, and the quotients of counts have all their digits, the widest dtype."""
    return result_dtype(xp, *arrays) if any(is_real(x) for x in arrays) else xp.wide(arrays[0])


def nan_mask(xp: Namespace, *arrays: Array) -> Array | None:
    """Where any of the arrays, which have one shape, is NaN; None where their dtypes have no NaN."""
    mask = None
    for x in arrays:
        if x.dtype in (xp.bool, xp.int32, xp.int64):  # names of dtypes are slow
            continue
        if x.dtype in (xp.float32, xp.float64) or is_real(x):
            mask = xp.isnan(x) if mask is None else xp.logical_or(mask, xp.isnan(x))
    return mask


def has_nan(xp: Namespace, *arrays: Array) -> Array | None:
    """Whether any number is NaN; None where the dtypes have no NaN."""
    mask = nan_mask(xp, *arrays)
    return None if mask is None else xp.any(mask)


def nan_where(xp: Namespace, nan: Array | None, result: Array) -> Array:
    """The result, but NaN where `nan` is true; None is nowhere."""
    return result if nan is None else xp.where(nan, math.nan, result)
