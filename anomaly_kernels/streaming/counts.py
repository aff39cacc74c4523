"""States of the metrics that count: decisions that are right, and pixels."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from anomaly_kernels._core.checks import ANY_OR_NAN, cast, inputs, number, same_shape
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.typing import Array, Setting
from anomaly_kernels.metrics._results import result_dtype
from anomaly_kernels.metrics.counts import DetectionMetrics, PixelStatistics, detection_metrics, pixel_statistics
from anomaly_kernels.streaming._sums import Reduce, add, count_nan, is_undefined, sum_weights, zero


class DetectionCounts(NamedTuple):
    """How many decisions were right: 0-d integers, or real numbers where samples have weights.

    Attributes
    ----------
    both, decided, true : array, 0-d
        Anomalies that were found; decided ones, right or wrong; true ones, found or not.
    unknown : array, 0-d
        How many targets or decisions were NaN: a single one makes all metrics NaN.
    """

    both: Array
    decided: Array
    true: Array
    unknown: Array

    @classmethod
    def empty(cls, like: Array) -> DetectionCounts:
        """The state of nothing, in the library and on the device of an array."""
        return cls(*[zero(like)] * 4)

    @classmethod
    def of(cls, target: Array, decision: Array, sample_weight: Array | None = None) -> DetectionCounts:
        """The state of one batch; the arrays are those of `anomaly_detection_metrics`."""
        by_name = {"target": target, "decision": decision}
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        xp, _ = inputs({**by_name, **weights})
        same_shape(**by_name, **weights)
        truth, decided = (cast(xp, xp.bool, x) for x in (target, decision))
        masks = (xp.logical_and(truth, decided), decided, truth)
        both, chosen, true = (sum_weights(xp, mask, sample_weight) for mask in masks)
        return cls(both, chosen, true, count_nan(xp, target, decision, *weights.values()))

    def merge(self, other: DetectionCounts) -> DetectionCounts:
        """The state of both parts."""
        return DetectionCounts(*map(add, self, other))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> DetectionCounts:
        """The state of all parts, of which each has its own in this place: `total` gives the sum of an array."""
        return DetectionCounts(*map(total, self))

    def compute(self, *, zero_division: Annotated[Setting, ANY_OR_NAN] = 0.0) -> DetectionMetrics:
        """The results of `anomaly_detection_metrics`, in the library's default dtype."""
        xp = array_namespace(self.both)
        dtype = result_dtype(xp, self.both)
        otherwise = number("zero_division", zero_division, xp, dtype, ANY_OR_NAN)
        both, decided, true = (xp.astype(n, dtype) for n in self[:3])
        return detection_metrics(xp, both, decided, true, otherwise, is_undefined(xp, self.unknown, *self[:3]))


class PixelCounts(NamedTuple):
    """How many pixels there are, and how many are anomalous: 0-d integers.

    Attributes
    ----------
    total, anomalous : array, 0-d
        All of them, and those decided anomalous.
    unknown : array, 0-d
        How many decisions were NaN.
    """

    total: Array
    anomalous: Array
    unknown: Array

    @classmethod
    def empty(cls, like: Array) -> PixelCounts:
        """The state of nothing, in the library and on the device of an array."""
        return cls(*[zero(like)] * 3)

    @classmethod
    def of(cls, decision: Array) -> PixelCounts:
        """The state of one batch; `decision` is that of `anomaly_pixel_statistics`."""
        xp, _ = inputs({"decision": decision})
        decided = cast(xp, xp.bool, decision)
        return cls(sum_weights(xp, xp.ones_like(decided)), sum_weights(xp, decided), count_nan(xp, decision))

    def merge(self, other: PixelCounts) -> PixelCounts:
        """The state of both parts."""
        return PixelCounts(*map(add, self, other))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> PixelCounts:
        """The state of all parts, of which each has its own in this place: `total` gives the sum of an array."""
        return PixelCounts(*map(total, self))

    def compute(self) -> PixelStatistics:
        """The results of `anomaly_pixel_statistics`, in the library's default dtype."""
        xp = array_namespace(self.total)
        dtype = result_dtype(xp, self.total)
        return pixel_statistics(xp, self.total, self.anomalous, dtype, is_undefined(xp, self.unknown, *self[:2]))
