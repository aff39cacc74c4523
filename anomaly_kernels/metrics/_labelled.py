"""Targets and scores made fit for ranking: checked, with one axis of scores, in dtypes that every library can sort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, SupportsIndex, TypeAlias

from anomaly_kernels._core.checks import axes_of, cast, dtype_name, inputs, is_real, same_shape
from anomaly_kernels._core.typing import Array, DType, Namespace
from anomaly_kernels.metrics._masks import has_nan, result_dtype

Axes: TypeAlias = SupportsIndex | Sequence[SupportsIndex] | None


class Labelled(NamedTuple):
    """Targets and scores fit to be ranked, with whether NaN was among them."""

    xp: Namespace
    dtype: DType  # of results
    kind: DType  # of the scores as they were given
    truth: Array
    score: Array
    weight: Array | None
    nan: Array | None  # without the axis of the scores


def labelled(target: Array, score: Array, sample_weight: Array | None, axis: Axes = None) -> Labelled:
    """The arrays of a call, checked and with one axis of scores, the last."""
    xp, dtype, arrays = checked(target, score, sample_weight)
    shape = score.shape
    outer = axes_of(axis, len(shape))
    if outer is not None:
        rest = tuple(k for k in range(len(shape)) if k not in outer)
        arrays = [xp.permute_dims(x, (*rest, *outer)) for x in arrays]
        shape = (*(shape[k] for k in rest), -1)
    else:
        shape = (-1,)
    truth, score, *weights = arrays = [xp.reshape(x, shape) for x in arrays]
    nan, kind = has_nan(xp, *arrays, axis=-1), score.dtype
    score = xp.stop_gradient(score)
    score = cast(xp, dtype, score) if is_real(score) else signed(xp, score)
    return Labelled(xp, dtype, kind, cast(xp, xp.bool, truth), score, _weight(xp, weights), nan)


def checked(target: Array, score: Array, sample_weight: Array | None) -> tuple[Namespace, DType, list[Array]]:
    """The namespace, the dtype of results, and the arrays of a call, with weights if there are any."""
    named = {"target": target, "score": score}
    if sample_weight is not None:
        named["sample_weight"] = sample_weight
    xp, _ = inputs(named)
    same_shape(**named)
    return xp, result_dtype(xp, score, target), list(named.values())


def _weight(xp: Namespace, weights: Sequence[Array]) -> Array | None:
    if not weights:
        return None
    weight = xp.stop_gradient(weights[0])
    exact = dtype_name(weight.dtype) in ("int32", "int64")  # which are added as integers
    return weight if exact else cast(xp, xp.wide(weight), weight)


def signed(xp: Namespace, score: Array) -> Array:
    """Truth values and unsigned integers as signed ones in the same order: not every library can sort the others."""
    name = dtype_name(score.dtype)
    if name in ("bool", "uint8", "uint16"):
        return xp.astype(score, xp.int32)
    if name not in ("uint32", "uint64"):  # signed ones and real ones
        return score
    return _half_turn(xp, xp.astype(score, xp.int32 if name == "uint32" else xp.int64))


def restored(xp: Namespace, score: Array, dtype: DType) -> Array:
    """Undo `signed`: integer scores as they were given; real ones stay in the dtype they were ranked in."""
    if is_real(score):
        return score
    wraps = dtype_name(dtype) in ("uint32", "uint64")
    return cast(xp, dtype, _half_turn(xp, score) if wraps else score)


def _half_turn(xp: Namespace, x: Array) -> Array:
    # the upper half of unsigned integers has become negative; both are shifted by 2 half, no number of the dtype
    half = 2**30 if dtype_name(x.dtype) == "int32" else 2**62
    shift = xp.where(x < 0, xp.zeros_like(x) + half, -half)
    return x + shift + shift
