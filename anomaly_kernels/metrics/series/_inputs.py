"""Targets with decisions or scores along time: checked and prepared, evaluated for each series, results finished."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, SupportsIndex, TypeAlias

from anomaly_kernels._core.checks import ANY_OR_NAN, axes_of, cast, flag, inputs, integer, not_empty, number, same_shape
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.targets import check_decision, check_target
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.metrics._results import nan_mask, quotient_dtype
from anomaly_kernels.metrics.ranking._evaluate import Results, to_results
from anomaly_kernels.metrics.ranking._inputs import Prepared, check_inputs, prepare


@dataclass(frozen=True)
class With:
    """A metric with its static settings: two that are equal are compiled once, where partial functions are not."""

    metric: Callable[..., Results]
    settings: tuple[Any, ...]

    def __call__(self, xp: Namespace, /, *arguments: Any) -> Results:
        return self.metric(*self.settings, xp, *arguments)


def check_axis(name: str, value: Any) -> int:
    """The axis of time as an integer, or an error: all axes together would glue one series to the next."""
    return integer(name, value, "an integer")


Axis: TypeAlias = Annotated[SupportsIndex, check_axis]
Flag: TypeAlias = Annotated[bool, flag]
ZeroDivision: TypeAlias = Annotated[Setting, ANY_OR_NAN]


def decided(target: Array, decision: Array, axis: Axis) -> Prepared:
    """Boolean targets and decisions, with time along the last axis."""
    by_name = {"target": target, "decision": decision}
    xp, _ = inputs(by_name)
    same_shape(**by_name)
    check_target(xp, target)
    check_decision(xp, decision)
    k = time_axis(target, axis)
    arrays = [to_last(xp, k, x) for x in by_name.values()]
    nan = nan_mask(xp, *arrays)
    masks = [cast(xp, xp.bool, x) for x in arrays]
    dtype = quotient_dtype(xp, target, decision)
    return Prepared(xp, dtype, xp.bool, masks, None if nan is None else xp.any(nan, axis=-1))


def scored(target: Array, score: Array, axis: Axis) -> Prepared:
    """Boolean targets and scores that can be sorted, with time along the last axis."""
    xp, _, arrays = check_inputs(target, score, None)
    return prepare(xp, quotient_dtype(xp, score, target), arrays, time_axis(target, axis))


def adjustable(target: Array, score: Array, axis: Axis) -> Prepared:
    """As `scored`, and decisions as integers."""
    xp, _ = inputs({"target": target, "score": score})
    if score.dtype != xp.bool:
        return scored(target, score, axis)
    return scored(target, xp.astype(score, xp.int32), axis)._replace(score_dtype=xp.bool)


def time_axis(target: Array, axis: Axis) -> int:
    """The axis of time counted from the front; an error if there are no points in time."""
    (k,) = axes_of(check_axis("axis", axis), len(target.shape)) or ()
    if target.shape[k] == 0:
        not_empty(target=target)
    return k


def to_last(xp: Namespace, axis: int, x: Array) -> Array:
    """The array with an axis moved to the end."""
    last = len(x.shape) - 1
    return x if axis == last else xp.permute_dims(x, (*(k for k in range(last + 1) if k != axis), axis))


def from_last(xp: Namespace, axis: int, x: Array) -> Array:
    """The array with the last axis moved to where `to_last` has found it."""
    last = len(x.shape) - 1
    return x if axis == last else xp.permute_dims(x, (*range(axis), last, *range(axis, last)))


def evaluate(metric: Any, prepared: Prepared, /, *settings: Setting) -> Results:
    """Results of ``metric(xp, truth, decision or score, *settings)`` for each series, NaN where a number was."""
    return to_results(prepared, prepared.xp.by_rows(metric, prepared.arrays, settings))


def otherwise(prepared: Prepared, zero_division: Setting) -> Setting:
    """The setting that stands for a quotient whose denominator is 0."""
    xp = prepared.xp
    return number("zero_division", zero_division, xp, xp.wide(prepared.arrays[0]), ANY_OR_NAN)


def real(xp: Namespace, *counts: Array) -> tuple[Array, ...]:
    """Counts as real numbers, to be divided."""
    return tuple(xp.astype(n, xp.wide(n)) for n in counts)


def harmonic_mean(
    xp: Namespace, precision: Array, recall: Array, undefined: tuple[Array, Array], zero: Setting
) -> Array:
    """F1 of precision and recall: `zero` where both are undefined, 0 where one of them is."""
    f1 = ratio(xp, 2.0 * precision * recall, precision + recall)
    f1 = xp.where(xp.logical_or(*undefined), 0.0, f1)
    return xp.where(xp.logical_and(*undefined), zero, f1)
