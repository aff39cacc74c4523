"""Rankings in memory of a fixed size: the weight of each class between edges, and how far off that can be."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple

from anomaly_kernels._core.checks import UNIT, cast, dtype_name, is_real, number, shape_of
from anomaly_kernels._core.namespace import array_namespace, common_namespace, describe
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.metrics.ranking._inputs import check_inputs
from anomaly_kernels.metrics.ranking._sorted import Ranking, SortedClass, by_counts, sort_apart, sort_together
from anomaly_kernels.metrics.ranking.decisions import best_f1_of
from anomaly_kernels.metrics.ranking.unique_scores import UniqueScores, check_same_kind
from anomaly_kernels.streaming._bounds import BOUNDS, Bounded
from anomaly_kernels.streaming._edges import check_edges, default_edges
from anomaly_kernels.streaming._rules import check_settings, of_histogram
from anomaly_kernels.streaming._states import Reduce
from anomaly_kernels.streaming.counts import add, count_nan, is_undefined, zero


class ScoreHistogram(NamedTuple):
    """How many positives and negatives score between one edge and the next: B buckets, arrays of shape (B,).

    A bucket holds the scores from its edge up to the next edge. Its `least` and `greatest` are its lowest and highest
    score. If these are equal, nothing is lost. An empty bucket has infinity and minus infinity, which any score
    replaces. `unknown` is the number of NaN. A single NaN makes all metrics NaN.

    By default the edges are the 65 281 numbers of bfloat16 (1.8 MB in single precision, 2.6 in double): in the range of
    float32's normal numbers, a bucket is at most 1/128 of its scores wide. All scores beyond this range share one
    bucket. For scores of 16 bits or less the edges are all the numbers of the dtype, and the state is exact.
    """

    edges: Array
    positive: Array
    negative: Array
    least: Array
    greatest: Array
    unknown: Array

    @classmethod
    def empty(cls, like: Array, *, edges: Array | None = None) -> ScoreHistogram:
        """The state of nothing, for scores of the dtype, in the library and on the device of an array.

        `edges` are ascending real numbers of your own, (B,); scores below the first are counted with those above it.
        """
        edges = default_edges(like) if edges is None else check_edges(like, edges)
        xp = array_namespace(edges)
        positive, negative = (xp.zeros_like(edges, dtype=xp.counting()) for _ in range(2))
        infinite = xp.zeros_like(edges) + math.inf
        return cls(edges, positive, negative, infinite, -infinite, zero(edges))

    def of(self, target: Array, score: Array, sample_weight: Array | None = None) -> ScoreHistogram:
        """The state of one batch, with the edges of this one; the arrays are those of `average_precision`."""
        xp, _, arrays = check_inputs(target, score, sample_weight)
        common_namespace({"the state": self.edges, "score": score})
        if 0 in score.shape:
            return self.empty(self.edges, edges=self.edges)
        if dtype_name(score.dtype) == "float64" != dtype_name(self.edges.dtype):
            raise TypeError(f"`score` must be no wider than the state, of dtype {self.edges.dtype}, got {score.dtype}")
        flat = [xp.reshape(x, (-1,)) for x in arrays]
        truth, ranked = cast(xp, xp.bool, flat[0]), cast(xp, self.edges.dtype, flat[1])
        weight = cast(xp, xp.wide(ranked), flat[2]) if len(flat) > 2 else None
        if xp.is_lean(*arrays):
            classes = sort_apart(xp, truth, ranked, weight)
        else:
            weight = xp.ones_like(ranked, dtype=xp.counting()) if weight is None else weight
            classes = sort_together(xp, truth, ranked, weight)[:2]
        (positive, least, greatest), (negative, low, high) = (_fill(xp, self.edges, scores) for scores in classes)
        least, greatest = xp.minimum(least, low), xp.maximum(greatest, high)
        if not is_real(score):
            least, greatest = widen_rounded(xp, least, greatest)
        return ScoreHistogram(self.edges, positive, negative, least, greatest, count_nan(xp, *arrays))

    def merge(self, other: ScoreHistogram) -> ScoreHistogram:
        """The state of both parts, which must have the same edges."""
        check_same_kind(self, other)
        xp = array_namespace(self.edges, other.edges)
        edges = " and ".join(f"{x.edges.shape[0]} of {dtype_name(x.edges.dtype)}" for x in (self, other))
        if self.edges.shape != other.edges.shape or self.edges.dtype != other.edges.dtype:
            raise TypeError(f"histograms with the same edges can be merged, got {edges}")
        unknown = add(self.unknown, other.unknown)
        if self.edges is not other.edges:
            differ = xp.any(self.edges != other.edges)
            if xp.is_known(differ) and bool(differ):
                raise TypeError(f"histograms with the same edges can be merged, got {edges} that differ")
            unknown = unknown + cast(xp, xp.counting(), differ)  # under a tracer: where edges differ, results are NaN
        counts = add(self.positive, other.positive), add(self.negative, other.negative)
        extremes = xp.minimum(self.least, other.least), xp.maximum(self.greatest, other.greatest)
        return ScoreHistogram(self.edges, *counts, *extremes, unknown)

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> ScoreHistogram:
        """Combine the states of all devices, each of which calls this: the arguments reduce an array over them."""
        counts = total(self.positive), total(self.negative)
        return ScoreHistogram(self.edges, *counts, least(self.least), greatest(self.greatest), total(self.unknown))

    def compute(self, metric: Callable[..., Any], **settings: Any) -> Bounded[Any]:
        """A metric of the scores, and the bounds of what it would be of them one by one.

        Values are those of scores that are tied where they share a bucket, or, of `best_f1` (whose value it is) and
        `fpr_at_tpr`, of the best threshold that is known exactly.

        Rules without targets are `threshold_at_rate`, `spread_threshold`, `score_scaling`, and `conformal_pvalue`, of
        whose calibration the scores are. Values of the first and the last are upper bounds: their promises hold.
        """
        found = of_histogram(self, metric, settings)
        return (
            found
            if found is not None
            else bounds(metric, settings, self._ranking(), self.least >= self.greatest, self.is_undefined())
        )

    def best_threshold(self) -> Array:
        """The threshold that has the value of `compute(best_f1)`: one of the scores, the least of a bucket."""
        return best_threshold(self._ranking(), self.is_undefined())

    def counts(self) -> Array:
        """The number of scores in each bucket."""
        return add(self.positive, self.negative)

    def upto(self) -> Array:
        """The number of scores up to each bucket, with those in it."""
        return array_namespace(self.edges).cumulative_sum(self.counts(), axis=0)

    def _ranking(self) -> Ranking:
        xp = array_namespace(self.edges)
        return by_counts(xp, least_scores(xp, self.least, self.greatest), self.positive, self.negative)

    def is_undefined(self) -> Array:
        """Whether a number was NaN, or there were too many to count."""
        return is_undefined(array_namespace(self.edges), self.unknown, self.positive, self.negative)

    def quantile(self, level: Annotated[Setting, UNIT]) -> Bounded[Array]:
        """The quantile of all scores, interpolated linearly as `score_statistics` does; without weights."""
        xp = array_namespace(self.edges)
        wide = xp.wide(self.edges)
        level = number("level", level, xp, wide, UNIT) + xp.zeros_like(self.edges[:1], dtype=wide)
        return Bounded(*(x[0] for x in self.quantiles(level)))

    def quantiles(self, levels: Array) -> Bounded[Array]:
        """The quantiles of all scores at levels (Q,), which are not checked."""
        xp = array_namespace(self.edges)
        return quantiles(xp, levels, self.upto(), self.least, self.greatest, self.is_undefined())


def bounds(
    metric: Callable[..., Any], settings: Mapping[str, Setting], ranking: Ranking, exact: Array, undefined: Array
) -> Bounded[Array]:
    """A metric of a ranking of buckets, and its bounds; NaN where `undefined`."""
    bounds_of = BOUNDS.get(inspect.unwrap(metric) if callable(metric) else metric)
    if bounds_of is None:
        known = ", ".join(f"`{each.__name__}`" for each in BOUNDS)
        name = getattr(metric, "__name__", describe(metric))
        raise ValueError(f"`metric` must be one of {known}, got {name}: use `UniqueScores` for others")
    check_settings(metric.__name__, "a histogram", bounds_of, settings)
    results = bounds_of(ranking, exact, **settings)
    return Bounded(*(ranking.xp.where(undefined, math.nan, x) for x in results))


def best_threshold(ranking: Ranking, undefined: Array) -> Array:
    """The threshold of the best F1 score of a ranking of buckets; NaN where `undefined`, and without scores."""
    xp, nothing = ranking.xp, (ranking.positives + ranking.negatives)[0] == 0
    return xp.where(xp.logical_or(undefined, nothing), math.nan, best_f1_of(ranking)[1])


def least_scores(xp: Namespace, least: Array, greatest: Array) -> Array:
    """The least score of each bucket; minus infinity, which is above none, where there is no score."""
    return xp.where(least <= greatest, least, -math.inf)


def quantiles(
    xp: Namespace, levels: Array, upto: Array, least: Array, greatest: Array, undefined: Array
) -> Bounded[Array]:
    """Quantiles at levels (Q,) of the scores in buckets, from how many there are up to each, and their extremes."""
    last, place = upto[-1:] - 1, least.shape[0] - 1
    rank = levels * xp.astype(last, levels.dtype)
    below = cast(xp, upto.dtype, rank)  # which cuts off the fraction
    fraction = rank - xp.astype(below, levels.dtype)
    places = [xp.searchsorted(upto, k, side="right") for k in (below, xp.minimum(below + 1, last))]
    places = [xp.minimum(xp.maximum(k, 0), place) for k in places]
    lower = _interpolate(xp, least, places, fraction)[0]
    upper = _interpolate(xp, greatest, places, fraction)[1]
    inside = xp.logical_and(xp.isfinite(lower), xp.isfinite(upper))
    value = xp.where(inside, 0.5 * xp.where(inside, lower, 0.0) + 0.5 * xp.where(inside, upper, 0.0), lower)
    undefined = xp.logical_or(undefined, last < 0)  # of nothing, or of too many to count
    return Bounded(*(xp.where(undefined, math.nan, x) for x in (value, lower, upper)))


def exact_histogram(scores: UniqueScores) -> ScoreHistogram:
    """A histogram with an edge for each distinct score."""
    score, positive, negative = scores.not_empty()
    unknown = count_nan(array_namespace(score), positive, negative)
    return ScoreHistogram(score, positive, negative, score, score, unknown)


def _fill(xp: Namespace, edges: Array, scores: SortedClass) -> tuple[Array, Array, Array]:
    """The weight of a class in each bucket, and its least and greatest score there."""
    ordered = scores.scores
    # TensorFlow's graphs may not know the size, and add what they count as int64
    size = xp.sum(xp.ones_like(ordered, dtype=xp.counting()), axis=0, keepdims=True)
    if shape_of(ordered)[0] in (None, 0):  # `searchsorted` fails on empty input, as a graph's may be
        ordered = xp.concat([ordered, xp.zeros_like(edges[:1]) + math.inf])
    inner = xp.searchsorted(ordered, edges[1:], side="left")
    size = cast(xp, inner.dtype, size)
    start, end = xp.concat([xp.zeros_like(size), inner]), xp.concat([inner, size])
    weight = scores.weight_between(xp, start, end)
    weight = weight if is_real(weight) else cast(xp, xp.counting(), weight)
    return weight, *_extremes(xp, ordered, start, end)


def _extremes(xp: Namespace, scores: Array, start: Array, end: Array) -> tuple[Array, Array]:
    """The least and the greatest score of each bucket; infinity and minus infinity where it is empty."""
    last, filled = xp.maximum(end[-1:] - 1, 0), start < end
    least = xp.take_along_axis(scores, xp.minimum(start, last))
    greatest = xp.take_along_axis(scores, xp.maximum(end - 1, 0))
    return xp.where(filled, least, math.inf), xp.where(filled, greatest, -math.inf)


def widen_rounded(xp: Namespace, least: Array, greatest: Array) -> tuple[Array, Array]:
    """Extremes of integers; minus infinity and infinity where they were rounded, since they may have been others."""
    exact = xp.abs(greatest) < (2**24 if dtype_name(greatest.dtype) == "float32" else 2**53)
    rounded = xp.logical_and(least <= greatest, xp.logical_not(exact))
    return xp.where(rounded, -math.inf, least), xp.where(rounded, math.inf, greatest)


def _interpolate(xp: Namespace, scores: Array, places: list[Array], fraction: Array) -> tuple[Array, Array]:
    """The score at a fraction of the way between two places, twice; the two themselves where one is infinite."""
    first, second = (xp.astype(xp.take_along_axis(scores, k), fraction.dtype) for k in places)
    second = xp.where(fraction == 0.0, first, second)
    finite = xp.logical_and(xp.isfinite(first), xp.isfinite(second))
    middle = (1.0 - fraction) * xp.where(finite, first, 0.0) + fraction * xp.where(finite, second, 0.0)
    return xp.where(finite, middle, first), xp.where(finite, middle, second)
