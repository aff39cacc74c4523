"""States of the metrics that return several numbers at once, and of means over batches; metric classes keep them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple, TypeAlias

from anomaly_kernels._core.checks import ANY_OR_NAN, cast, matches, shape_of
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.typing import Array, Setting
from anomaly_kernels.metrics.counts import DetectionMetrics
from anomaly_kernels.metrics.ranking.areas import average_precision
from anomaly_kernels.metrics.ranking.unique_scores import UniqueScores, check_same_kind
from anomaly_kernels.metrics.statistics import ScoreStatistics
from anomaly_kernels.streaming._bounds import Bounded, bounded
from anomaly_kernels.streaming._runs import ScoreRuns
from anomaly_kernels.streaming._states import Reduce, merge
from anomaly_kernels.streaming.counts import DetectionCounts, add, zero
from anomaly_kernels.streaming.histogram import ScoreHistogram, exact_histogram
from anomaly_kernels.streaming.moments import Moments

Scores: TypeAlias = UniqueScores | ScoreRuns | ScoreHistogram  # the state that scores are kept in


class Detections(NamedTuple):
    """Counts of decisions, and the state of the scores that were decided on, or None without scores."""

    counts: DetectionCounts
    scores: Scores | None

    @classmethod
    def empty(cls, like: Array, scores: Scores | None = None) -> Detections:
        """The state of nothing; `scores` is an empty score state of the kind to keep."""
        return cls(DetectionCounts.empty(like), scores)

    def of(
        self, target: Array, decision: Array, score: Array | None = None, *, sample_weight: Array | None = None
    ) -> Detections:
        """The state of one batch; the arrays are those of `anomaly_detection_metrics`."""
        counts = DetectionCounts.of(target, decision, sample_weight)
        if self.scores is None and score is None:
            return Detections(counts, None)
        if self.scores is None or score is None:
            before = "one" if score is None else "none"
            raise ValueError(f"`score` must be given with every batch or with none, got {before} before")
        return Detections(counts, self.scores.of(target, score, sample_weight))

    def merge(self, other: Detections) -> Detections:
        """The state of both parts."""
        check_same_kind(self, other)
        counts = self.counts.merge(other.counts)
        if self.scores is None and other.scores is None:
            return Detections(counts, None)
        if self.scores is None or other.scores is None:
            raise ValueError("`score` must be given with every batch or with none, got parts with and without")
        return Detections(counts, merge(self.scores, other.scores))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> Detections:
        """Combine the states of all devices, each of which calls this: the arguments reduce an array over them."""
        scores = None if self.scores is None else self.scores.reduce(total, least, greatest)
        return Detections(self.counts.reduce(total, least, greatest), scores)

    def compute(self, *, zero_division: Annotated[Setting, ANY_OR_NAN] = 0.0) -> DetectionMetrics:
        """The results of `anomaly_detection_metrics`; of a histogram the value between the bounds."""
        return self.bounds(zero_division=zero_division)[0]

    def bounds(self, *, zero_division: Annotated[Setting, ANY_OR_NAN] = 0.0) -> Bounded[DetectionMetrics]:
        """The results, and those with the least and the greatest average precision that the scores can have."""
        result = self.counts.compute(zero_division=zero_division)
        if self.scores is None:
            return Bounded(result, result, result)
        ranked = bounded(self.scores.compute(average_precision))
        return Bounded(*(result._replace(average_precision=x) for x in ranked))


class Statistics(NamedTuple):
    """Mean, deviation and extremes of scores, and the state of the scores of which quantiles are taken."""

    moments: Moments
    scores: Scores

    @classmethod
    def empty(cls, like: Array, scores: Scores) -> Statistics:
        """The state of nothing; `scores` is an empty score state of the kind to keep."""
        return cls(Moments.empty(like), scores)

    def of(self, scores: Array) -> Statistics:
        """The state of one batch; `scores` are those of `score_statistics`."""
        xp = array_namespace(scores)
        return Statistics(Moments.of(scores), self.scores.of(xp.zeros_like(scores, dtype=xp.bool), scores))

    def merge(self, other: Statistics) -> Statistics:
        """The state of both parts."""
        check_same_kind(self, other)
        return Statistics(self.moments.merge(other.moments), merge(self.scores, other.scores))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> Statistics:
        """Combine the states of all devices, each of which calls this: the arguments reduce an array over them."""
        moments = self.moments.reduce(total, least, greatest)
        return Statistics(moments, self.scores.reduce(total, least, greatest))

    def compute(self) -> ScoreStatistics:
        """The results of `score_statistics`; of a histogram quantiles between their bounds."""
        return self.bounds()[0]

    def bounds(self) -> Bounded[ScoreStatistics]:
        """The results, and those with the least and the greatest quantiles that the scores can have."""
        scores = as_histogram(self.scores)
        dtype, mean = scores.least.dtype, self.moments.mean
        xp = array_namespace(mean)
        levels = xp.constant((0.5, 0.25, 0.75, 0.95, 0.99), like=mean, dtype=mean.dtype)
        moments, quantiles = self.moments.compute(), scores.quantiles(levels)
        numbers = [(*moments, *(each[k] for k in range(5))) for each in quantiles]
        return Bounded(*(ScoreStatistics(*(cast(xp, dtype, x) for x in each)) for each in numbers))


def as_histogram(scores: Any) -> Any:
    """Exact scores as a histogram with an edge for each distinct one; a histogram, of any kind, as it is."""
    scores = scores.merged() if isinstance(scores, ScoreRuns) else scores
    return exact_histogram(scores) if isinstance(scores, UniqueScores) else scores


class Means(NamedTuple):
    """Means over batches of the results of a metric that cannot be merged exactly: their number, and the sums."""

    number: Array
    totals: tuple[Array, ...]

    @classmethod
    def empty(cls, like: Array, ndims: Sequence[int]) -> Means:
        """The state of nothing, for results of so many axes each, of any length."""
        xp = array_namespace(like)
        wide = xp.wide(like)
        # where there are axes no entries yet: the first batch says how many
        flat = (xp.constant([] if ndim else [0.0], like=like, dtype=wide) for ndim in ndims)
        return cls(zero(like), tuple(xp.reshape(x, (0,) * ndim) for x, ndim in zip(flat, ndims, strict=True)))

    @classmethod
    def of(cls, *results: Array) -> Means:
        """The state of one batch, of which these are the results."""
        xp = array_namespace(*results)
        return cls(zero(results[0]) + 1, tuple(cast(xp, xp.wide(x), x) for x in results))

    def merge(self, other: Means) -> Means:
        """The state of both parts."""
        check_same_kind(self, other)
        if len(self.totals) != len(other.totals):
            raise ValueError(f"results of one metric can be merged, got {len(self.totals)} and {len(other.totals)}")
        totals = tuple(map(_add_results, self.totals, other.totals))
        return Means(add(self.number, other.number), totals)

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> Means:
        """Combine the states of all devices, each of which calls this: `total` sums an array over them."""
        return Means(total(self.number), tuple(map(total, self.totals)))

    def compute(self) -> tuple[Array, ...]:
        """The means; NaN without batches."""
        xp = array_namespace(self.number)
        return tuple(ratio(xp, x, xp.astype(self.number, x.dtype), math.nan) for x in self.totals)


def _add_results(a: Array, b: Array) -> Array:
    """The sum of the results of two parts, either of which may have no batch."""
    shapes = shape_of(a), shape_of(b)
    if 0 in shapes[0] or 0 in shapes[1]:
        return b if 0 in shapes[0] else a
    if not matches(*shapes):
        raise ValueError(f"results of all batches must have one shape, got {shapes[0]} and {shapes[1]}")
    return a + b
