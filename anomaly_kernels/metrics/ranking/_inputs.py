"""Targets and scores prepared for ranking: checked, scores along the last axis, in dtypes that every library sorts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, NamedTuple, SupportsIndex, TypeAlias

from anomaly_kernels._core.checks import SHARE, axes, axes_of, cast, dtype_name, inputs, is_real, same_shape
from anomaly_kernels._core.targets import check_sample_weight, check_target
from anomaly_kernels._core.typing import Array, DType, Namespace, Setting
from anomaly_kernels.metrics._results import nan_mask, result_dtype

Axes: TypeAlias = Annotated[SupportsIndex | Sequence[SupportsIndex] | None, axes]
Share: TypeAlias = Annotated[Setting, SHARE]


class Prepared(NamedTuple):
    """Arrays that are ready to be ranked along their last axis."""

    xp: Namespace
    dtype: DType  # of the results
    score_dtype: DType  # of the scores before they were prepared
    arrays: list[Array]  # boolean truth; scores in `dtype`, or signed integers; and the weights, if there are any
    nan: Array | None  # whether any number along the last axis was NaN


def check_inputs(target: Array, score: Array, sample_weight: Array | None) -> tuple[Namespace, DType, list[Array]]:
    """The namespace, the dtype of the results, and the two or three arrays; an error unless they go together."""
    by_name = {"target": target, "score": score}
    if sample_weight is not None:
        by_name["sample_weight"] = sample_weight
    xp, _ = inputs(by_name)
    same_shape(**by_name)
    if score.dtype == xp.bool:
        raise TypeError("`score` must be real or integer, got dtype bool: arguments swapped?")
    if target.dtype != xp.bool:
        check_target(xp, target)
    if sample_weight is not None:
        check_sample_weight(xp, sample_weight)
    return xp, result_dtype(xp, score, target), list(by_name.values())


def prepare(xp: Namespace, dtype: DType, arrays: Sequence[Array], axis: Axes = None) -> Prepared:
    """Prepare what `check_inputs` returns; the axes that are ranked along become the last one."""
    shape: tuple[int, ...] = (-1,)
    if axis is not None:
        sizes, ranked = arrays[0].shape, axes_of(axis, len(arrays[0].shape)) or ()
        others = tuple(k for k in range(len(sizes)) if k not in ranked)
        arrays = [xp.permute_dims(x, (*others, *ranked)) for x in arrays]
        shape = (*(sizes[k] for k in others), math.prod(sizes[k] for k in ranked) if 0 in sizes else -1)
    truth, score, *weights = arrays = [xp.reshape(x, shape) for x in arrays]
    mask, score_dtype = nan_mask(xp, *arrays), score.dtype
    nan = None if mask is None else xp.any(mask, axis=-1)
    if truth.dtype != xp.bool:
        truth = xp.astype(truth, xp.bool)
    score = xp.stop_gradient(score)
    if score_dtype != dtype:
        score = xp.astype(score, dtype) if is_real(score) else to_signed(xp, score)
    if weights:
        weight = xp.stop_gradient(weights[0])
        exact = dtype_name(weight.dtype) in ("int32", "int64")  # added as they are
        weights = [weight if exact else cast(xp, xp.wide(weight), weight)]
    return Prepared(xp, dtype, score_dtype, [truth, score, *weights], nan)


def to_signed(xp: Namespace, score: Array) -> Array:
    """Truth values, unsigned and tiny integers as signed ones in the same order: not all libraries sort the others."""
    name = dtype_name(score.dtype)
    if name in ("bool", "uint8", "uint16", "int4", "uint4", "int2", "uint2"):
        return xp.astype(score, xp.int32)
    if name not in ("uint32", "uint64"):  # signed ones and real ones
        return score
    return _swap_halves(xp, xp.astype(score, xp.int32 if name == "uint32" else xp.int64))


def from_signed(xp: Namespace, score: Array, dtype: DType) -> Array:
    """Undo `to_signed`: integer scores in their own dtype again; real ones stay in the dtype they were ranked in."""
    if is_real(score):
        return score
    wraps = dtype_name(dtype) in ("uint32", "uint64")
    return cast(xp, dtype, _swap_halves(xp, score) if wraps else score)


def _swap_halves(xp: Namespace, x: Array) -> Array:
    # the upper half of unsigned integers has become negative; both are shifted by 2 half, no number of the dtype
    half = 2**30 if dtype_name(x.dtype) == "int32" else 2**62
    shift = xp.where(x < 0, xp.zeros_like(x) + half, -half)
    return x + shift + shift
