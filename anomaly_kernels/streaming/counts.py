"""States of the metrics that count decisions and pixels; counts are integers, which are exact, or sums of weights."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from anomaly_kernels._core.checks import ANY_OR_NAN, cast, inputs, is_real, number, same_shape
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.targets import check_decision, check_sample_weight, check_target
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.metrics._results import nan_mask, result_dtype
from anomaly_kernels.metrics.counts import (
    DetectionMetrics,
    PixelStatistics,
    detection_metrics,
    pixel_statistics,
)
from anomaly_kernels.metrics.ranking.unique_scores import check_same_kind, same_kind
from anomaly_kernels.streaming._states import Reduce


class DetectionCounts(NamedTuple):
    """How many anomalies are decided and true (`both`), `decided`, `true`, and how many numbers are NaN (`unknown`).

    0-d integers, or real numbers where samples have weights; a single NaN makes all metrics NaN.
    """

    both: Array
    decided: Array
    true: Array
    unknown: Array

    @classmethod
    def empty(cls, like: Array) -> DetectionCounts:
        """The state of nothing, in the library and on the device of an array."""
        return cls(*(zero(like) for _ in range(4)))

    @classmethod
    def of(cls, target: Array, decision: Array, sample_weight: Array | None = None) -> DetectionCounts:
        """The state of one batch; the arrays are those of `anomaly_detection_metrics`."""
        by_name = {"target": target, "decision": decision}
        if sample_weight is not None:
            by_name["sample_weight"] = sample_weight
        xp, _ = inputs(by_name)
        same_shape(**by_name)
        check_target(xp, target)
        check_decision(xp, decision)
        if sample_weight is not None:
            check_sample_weight(xp, sample_weight)
        truth, decided = (cast(xp, xp.bool, x) for x in (target, decision))
        masks = (xp.logical_and(truth, decided), decided, truth)
        both, chosen, true = _sums_of_each(xp, masks, sample_weight)
        return cls(both, chosen, true, count_nan(xp, *by_name.values()))

    def merge(self, other: DetectionCounts) -> DetectionCounts:
        """The state of both parts."""
        check_same_kind(self, other)
        return DetectionCounts(*map(add, self, other))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> DetectionCounts:
        """Combine the states of all devices, each of which calls this: `total` sums an array over them."""
        return DetectionCounts(*map(total, self))

    def compute(self, *, zero_division: Annotated[Setting, ANY_OR_NAN] = 0.0) -> DetectionMetrics:
        """The results of `anomaly_detection_metrics`, in the library's default dtype."""
        xp = array_namespace(self.both)
        dtype = result_dtype(xp, self.both)
        otherwise = number("zero_division", zero_division, xp, dtype, ANY_OR_NAN)
        both, decided, true = (xp.astype(n, dtype) for n in self[:3])
        return detection_metrics(xp, both, decided, true, otherwise, is_undefined(xp, self.unknown, *self[:3]))


class PixelCounts(NamedTuple):
    """The number of pixels (`total`), of those decided anomalous, and of decisions that are NaN: 0-d integers."""

    total: Array
    anomalous: Array
    unknown: Array

    @classmethod
    def empty(cls, like: Array) -> PixelCounts:
        """The state of nothing, in the library and on the device of an array."""
        return cls(*(zero(like) for _ in range(3)))

    @classmethod
    def of(cls, decision: Array) -> PixelCounts:
        """The state of one batch; `decision` is that of `anomaly_pixel_statistics`."""
        xp, _ = inputs({"decision": decision})
        check_decision(xp, decision)
        decided = cast(xp, xp.bool, decision)
        return cls(sum_weights(xp, xp.ones_like(decided)), sum_weights(xp, decided), count_nan(xp, decision))

    def merge(self, other: PixelCounts) -> PixelCounts:
        """The state of both parts."""
        check_same_kind(self, other)
        return PixelCounts(*map(add, self, other))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> PixelCounts:
        """Combine the states of all devices, each of which calls this: `total` sums an array over them."""
        return PixelCounts(*map(total, self))

    def compute(self) -> PixelStatistics:
        """The results of `anomaly_pixel_statistics`, in the library's default dtype."""
        xp = array_namespace(self.total)
        dtype = result_dtype(xp, self.total)
        return pixel_statistics(xp, self.total, self.anomalous, dtype, is_undefined(xp, self.unknown, *self[:2]))


def zero(like: Array) -> Array:
    """A count of nothing, beside an array: one of its own for each, since JAX may be given the memory of a state."""
    xp = array_namespace(like)
    return xp.constant(0, like=like, dtype=xp.counting())


def sum_weights(xp: Namespace, mask: Array, weight: Array | None = None, axis: tuple[int, ...] | None = None) -> Array:
    """How many elements are true, or their weight."""
    if weight is None:
        return cast(xp, xp.counting(), xp.sum(xp.astype(mask, xp.int32), axis=axis))
    return xp.sum(xp.where(mask, cast(xp, xp.wide(weight), weight), 0.0), axis=axis)


def _sums_of_each(xp: Namespace, masks: tuple[Array, ...], weight: Array | None) -> list[Array]:
    """`sum_weights` of each mask; in one operation where a compiler starts them, which costs more than short sums."""
    if xp.is_lean(*masks):
        return [sum_weights(xp, mask, weight) for mask in masks]
    together = xp.stack(masks, axis=0)
    shared = None if weight is None else xp.expand_dims(weight, axis=0)
    sums = sum_weights(xp, together, shared, axis=tuple(range(1, len(together.shape))))
    return [sums[k] for k in range(len(masks))]


def count_nan(xp: Namespace, *arrays: Array) -> Array:
    """How many numbers are NaN."""
    masks = (nan_mask(xp, x) for x in arrays)
    return sum((sum_weights(xp, mask) for mask in masks if mask is not None), start=zero(arrays[0]))


def add(a: Array, b: Array) -> Array:
    """a + b; with weights in one of them alone, the other's integers are made real. What overflows stays negative."""
    xp = array_namespace(a, b)
    a, b = same_kind(xp, a, b)
    if is_real(a):
        return a + b
    least = xp.minimum(a, b)
    return xp.where(least < 0, least, a + b)


def is_undefined(xp: Namespace, unknown: Array, *counts: Array) -> Array:
    """Whether a number was NaN, or a count overflowed: integers, of 32 bits in JAX by default, are negative then."""
    undefined = unknown != 0
    for each in counts:
        undefined = xp.logical_or(undefined, xp.any(each < 0))
    return undefined
