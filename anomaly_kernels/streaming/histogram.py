"""Rankings in memory of a fixed size: how many scores of each class fall between edges, and how far off that can be."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, NamedTuple

from anomaly_kernels._core.checks import (
    SHARE,
    UNIT,
    cast,
    dtype_name,
    has_ndim,
    inputs,
    is_real,
    not_empty,
    number,
    shape_of,
)
from anomaly_kernels._core.namespace import array_namespace, common_namespace, describe
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.typing import Array, DType, Namespace, Setting
from anomaly_kernels.metrics import average_precision, best_f1, fpr_at_tpr, roc_auc
from anomaly_kernels.metrics.ranking import UniqueScores
from anomaly_kernels.metrics.ranking._inputs import check_inputs
from anomaly_kernels.metrics.ranking._sorted import SortedClass, sort_apart, sort_together, sums_from_each
from anomaly_kernels.streaming._sums import added, spoiled, zero


class Bounded(NamedTuple):
    """A value, and the bounds that the exact one is between."""

    value: Array
    lower: Array
    upper: Array


class ScoreHistogram(NamedTuple):
    """How many positives and negatives score between one edge and the next.

    Attributes
    ----------
    edges : array, (B,)
        Ascending, the first one minus infinity or the least score that there is. A bucket holds the scores from its
        edge on, up to the next.
    positive, negative : array, (B,)
        Integers, or real numbers where samples have weights.
    least, greatest : array, (B,)
        The extreme scores in each bucket. Where they are equal nothing is lost.
    unknown : array, 0-d
        How many numbers were NaN: a single one makes all metrics NaN.

    Notes
    -----
    By default the edges are the 65 281 numbers of bfloat16 from minus to plus infinity: buckets are at most 1/128 of
    their scores wide where these are normal numbers of float32, and beyond them all share one. For scores of 16 bits or
    less they are all the numbers of the dtype, and the state is exact. It takes 1.8 MB for scores in single precision,
    2.6 MB in double, and no more for any number of them.
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
        xp = array_namespace(like)
        if edges is not None:
            return cls._nothing(_ascending(like, edges))
        return cls._nothing(xp.constant(_edges(dtype_name(like.dtype)), like=like, dtype=_score_dtype(xp, like)))

    @classmethod
    def _nothing(cls, edges: Array) -> ScoreHistogram:
        xp = array_namespace(edges)
        nothing = xp.zeros_like(edges, dtype=xp.counting())
        infinite = xp.zeros_like(edges) + math.inf
        return cls(edges, nothing, nothing, infinite, -infinite, zero(edges))

    def of(self, target: Array, score: Array, sample_weight: Array | None = None) -> ScoreHistogram:
        """The state of one batch, with the edges of this one; the arrays are those of `average_precision`."""
        xp, _, arrays = check_inputs(target, score, sample_weight)
        common_namespace({"the state": self.edges, "score": score})
        if 0 in score.shape:
            return self.none()
        if dtype_name(score.dtype) == "float64" != dtype_name(self.edges.dtype):
            raise TypeError(f"`score` must be no wider than the state, of dtype {self.edges.dtype}, got {score.dtype}")
        target, score, *weights = (xp.reshape(x, (-1,)) for x in arrays)
        missing = _missing(xp, target, score, *weights)
        truth, ranked = cast(xp, xp.bool, target), cast(xp, self.edges.dtype, score)
        weight = cast(xp, xp.wide(ranked), weights[0]) if weights else None
        unknown = xp.sum(xp.astype(missing, xp.counting()))
        if xp.is_lean(*arrays):
            if bool(unknown > 0):
                known = xp.logical_not(missing)
                truth, ranked, weight = truth[known], ranked[known], None if weight is None else weight[known]
            classes = sort_apart(xp, truth, ranked, weight)
        else:  # what is not known goes to the end, where it changes no extremes, and weighs nothing
            ranked = xp.where(missing, math.inf, ranked)
            weight = xp.ones_like(ranked, dtype=xp.counting()) if weight is None else weight
            classes = sort_together(xp, truth, ranked, xp.where(missing, 0, weight))[:2]
        (positive, least, greatest), (negative, low, high) = (self._inside(xp, each) for each in classes)
        least, greatest = xp.minimum(least, low), xp.maximum(greatest, high)
        if not is_real(score):  # integers that were rounded may have been others
            exact = xp.abs(greatest) < (2**24 if dtype_name(ranked.dtype) == "float32" else 2**53)
            rounded = xp.logical_and(least <= greatest, xp.logical_not(exact))
            least, greatest = xp.where(rounded, -math.inf, least), xp.where(rounded, math.inf, greatest)
        return ScoreHistogram(self.edges, positive, negative, least, greatest, unknown)

    def _inside(self, xp: Namespace, scores: SortedClass) -> tuple[Array, Array, Array]:
        """What the scores of a class weigh in each bucket, and the extreme ones there."""
        ordered = scores.scores
        if shape_of(ordered)[0] in (None, 0):  # nothing can be looked up in none, which graphs may turn out to have
            ordered = xp.concat([ordered, xp.zeros_like(self.edges[:1]) + math.inf])
        inner = xp.searchsorted(ordered, self.edges[1:], side="left")
        # TensorFlow's graphs may not know the size, and add what they count as int64
        each = xp.ones_like(scores.scores, dtype=xp.bool)
        last = cast(xp, inner.dtype, xp.sum(xp.astype(each, xp.counting()), axis=0, keepdims=True))
        start, end = xp.concat([xp.zeros_like(last), inner]), xp.concat([inner, last])
        weight = scores.weight_between(xp, start, end)
        top = xp.maximum(last - 1, 0)
        least = xp.take_along_axis(ordered, xp.minimum(start, top))
        greatest = xp.take_along_axis(ordered, xp.maximum(end - 1, 0))
        some = start < end
        kept = weight if is_real(weight) else cast(xp, xp.counting(), weight)
        return kept, xp.where(some, least, math.inf), xp.where(some, greatest, -math.inf)

    def none(self) -> ScoreHistogram:
        """The state of nothing, with the edges of this one."""
        return self._nothing(self.edges)

    def merge(self, other: ScoreHistogram) -> ScoreHistogram:
        """The state of both parts, which must have the same edges."""
        xp = array_namespace(self.edges, other.edges)
        given = " and ".join(f"{x.edges.shape[0]} of {dtype_name(x.edges.dtype)}" for x in (self, other))
        if self.edges.shape != other.edges.shape or self.edges.dtype != other.edges.dtype:
            raise TypeError(f"histograms with the same edges can be merged, got {given}")
        unknown = added(self.unknown, other.unknown)
        if self.edges is not other.edges:
            differ = xp.any(self.edges != other.edges)
            if xp.is_known(differ) and bool(differ):
                raise TypeError(f"histograms with the same edges can be merged, got {given} that differ")
            unknown = unknown + cast(xp, xp.counting(), differ)  # where nobody can look
        return ScoreHistogram(
            self.edges,
            added(self.positive, other.positive),
            added(self.negative, other.negative),
            xp.minimum(self.least, other.least),
            xp.maximum(self.greatest, other.greatest),
            unknown,
        )

    def compute(self, metric: Callable[..., Any], **settings: Setting) -> Bounded:
        """What a metric says of the scores, and the bounds of what it would say of them one by one.

        `average_precision`, `roc_auc` (without `max_fpr`), `best_f1` (its value) and `fpr_at_tpr` are known. Values are
        those of scores that are tied where they share a bucket, or of the best threshold that is known exactly.
        """
        if metric not in _METRICS:  # those of `anomaly_kernels.jax` are the same
            metric = getattr(metric, "__wrapped__", metric)
        if metric not in _METRICS:
            known = ", ".join(f"`{each.__name__}`" for each in _METRICS)
            given = getattr(metric, "__name__", describe(metric))
            raise ValueError(f"`metric` must be one of {known}, got {given}: use `UniqueScores` for others")
        xp = array_namespace(self.edges)
        unknown = spoiled(xp, self.unknown, self.positive, self.negative)
        found = _METRICS[metric](xp, _counts(xp, self), **settings)
        return Bounded(*(xp.where(unknown, math.nan, x) for x in found))

    def quantile(self, level: Annotated[Setting, UNIT]) -> Bounded:
        """The quantile of all scores, interpolated linearly as `score_statistics` does; without weights."""
        xp = array_namespace(self.edges)
        wide = xp.wide(self.edges)
        level = number("level", level, xp, wide, UNIT)
        upto = xp.cumulative_sum(self.positive + self.negative, axis=0)
        rank = level * xp.astype(upto[-1:] - 1, wide)
        below = cast(xp, upto.dtype, rank)  # which cuts off the fraction
        fraction = rank - xp.astype(below, wide)
        places = [xp.searchsorted(upto, k, side="right") for k in (below, xp.minimum(below + 1, upto[-1:] - 1))]
        places = [xp.minimum(xp.maximum(k, 0), self.edges.shape[0] - 1) for k in places]

        def between(values: Array) -> tuple[Array, Array]:
            first, second = (xp.astype(xp.take_along_axis(values, k), wide) for k in places)
            second = xp.where(fraction == 0.0, first, second)
            finite = xp.logical_and(xp.isfinite(first), xp.isfinite(second))  # nothing lies between others
            middle = (1.0 - fraction) * xp.where(finite, first, 0.0) + fraction * xp.where(finite, second, 0.0)
            return xp.where(finite, middle, first)[0], xp.where(finite, middle, second)[0]

        lower, upper = between(self.least)[0], between(self.greatest)[1]
        inside = xp.logical_and(xp.isfinite(lower), xp.isfinite(upper))
        value = xp.where(inside, 0.5 * xp.where(inside, lower, 0.0) + 0.5 * xp.where(inside, upper, 0.0), lower)
        unknown = xp.logical_or(spoiled(xp, self.unknown, self.positive, self.negative, upto), upto[-1] == 0)
        return Bounded(*(xp.where(unknown, math.nan, x) for x in (value, lower, upper)))


def exact_histogram(scores: UniqueScores) -> ScoreHistogram:
    """A histogram with an edge for each distinct score."""
    xp = array_namespace(scores.score)
    score, positive, negative = scores.not_empty()
    unknown = xp.sum(xp.astype(_missing(xp, positive, negative), xp.counting()))
    return ScoreHistogram(score, positive, negative, score, score, unknown)


class _Counts(NamedTuple):
    """By bucket, what weighs as much: its positives, both classes in it and above, both classes above it."""

    inside: Array
    hits: Array
    alarms: Array
    hits_above: Array
    alarms_above: Array
    exact: Array  # whether all scores in it are equal
    positives: Array  # (1,)
    negatives: Array


Three = tuple[Array, Array, Array]


def _counts(xp: Namespace, state: ScoreHistogram) -> _Counts:
    positive, negative = (xp.astype(x, xp.wide(state.edges)) for x in (state.positive, state.negative))
    hits, alarms = sums_from_each(xp, positive), sums_from_each(xp, negative)
    exact = state.least >= state.greatest
    return _Counts(positive, hits[:-1], alarms[:-1], hits[1:], alarms[1:], exact, hits[:1], alarms[:1])


def _average_precision(xp: Namespace, counts: _Counts) -> Three:
    inside, hits, alarms, hits_above, alarms_above, exact, positives, _ = counts
    tied = inside * ratio(xp, hits, hits + alarms)
    # best: all positives of the bucket equal and on top; worst: one by one below its negatives, and no sum of a
    # falling function is more than its integral
    best = inside * ratio(xp, hits, hits + alarms_above)
    worst = inside - alarms * xp.log1p(ratio(xp, inside, hits_above + alarms))
    return _means(xp, (tied, xp.where(exact, tied, worst), xp.where(exact, tied, best)), positives, 0.0)


def _roc_auc(xp: Namespace, counts: _Counts) -> Three:
    inside, _, alarms, _, alarms_above, exact, positives, negatives = counts
    best, worst = (inside * ratio(xp, negatives - x, negatives, math.nan) for x in (alarms_above, alarms))
    tied = 0.5 * (best + worst)
    return _means(xp, (tied, xp.where(exact, tied, worst), xp.where(exact, tied, best)), positives, math.nan)


def _means(xp: Namespace, sums: Three, positives: Array, otherwise: float) -> Three:
    value, lower, upper = (ratio(xp, xp.sum(x), positives[0], otherwise) for x in sums)
    return value, lower, upper


def _best_f1(xp: Namespace, counts: _Counts) -> Three:
    hits, alarms, positives = counts.hits, counts.alarms, counts.positives
    found = ratio(xp, 2.0 * hits, positives + hits + alarms)  # at the least score of the bucket
    best = ratio(xp, 2.0 * hits, positives + hits + counts.alarms_above)
    value = xp.max(found)
    return value, value, xp.max(xp.where(counts.exact, found, best))


def _fpr_at_tpr(xp: Namespace, counts: _Counts, *, tpr: Setting = 0.95) -> Three:
    share = number("tpr", tpr, xp, counts.hits.dtype, SHARE)
    enough = ratio(xp, counts.hits, counts.positives, math.nan) >= share
    lower = xp.where(counts.exact, counts.alarms, counts.alarms_above)
    upper, lower = (xp.min(xp.where(enough, x, math.inf)) for x in (counts.alarms, lower))
    undefined = xp.logical_or(counts.positives == 0.0, counts.negatives == 0.0)[0]
    negatives = xp.where(undefined, math.nan, counts.negatives[0])
    return upper / negatives, lower / negatives, upper / negatives


_METRICS: dict[Callable[..., Any], Callable[..., Three]] = {
    average_precision: _average_precision,
    roc_auc: _roc_auc,
    best_f1: _best_f1,
    fpr_at_tpr: _fpr_at_tpr,
}


def _missing(xp: Namespace, target: Array, *others: Array) -> Array:
    """Where any number is NaN."""
    missing = xp.zeros_like(target, dtype=xp.bool)
    for x in (target, *others):
        if is_real(x):
            missing = xp.logical_or(missing, xp.isnan(x))
    return missing


def _ascending(like: Array, edges: Array) -> Array:
    """The edges that a user gives, in a dtype that scores are ranked in."""
    xp, _ = inputs({"like": like, "edges": edges})
    has_ndim("edges", edges, 1, "(B,)")
    not_empty(edges=edges)
    if xp.is_known(edges):
        later = edges >= xp.concat([edges[:1], edges[:-1]])  # never true of NaN
        if bool(xp.any(xp.logical_not(later))):
            raise ValueError("`edges` must be ascending numbers, got some that are not")
    return cast(xp, _score_dtype(xp, edges), edges)


def _score_dtype(xp: Namespace, like: Array) -> DType:
    """The dtype of edges for scores of a dtype: float32 where it holds them all."""
    name = dtype_name(like.dtype)
    if name in _SMALL or name in ("float16", "bfloat16", "float32"):
        return xp.float32
    return xp.wide(like)


_SMALL = {"bool": (0, 1), "int8": (-(2**7), 2**7), "uint8": (0, 2**8), "int16": (-(2**15), 2**15), "uint16": (0, 2**16)}


@cache
def _edges(name: str) -> list[float]:
    """All numbers of a dtype of 16 bits or less, of bfloat16 for the others."""
    if name in _SMALL:
        low, high = _SMALL[name]
        return [float(x) for x in range(low, max(high, low + 2))]
    if name == "float16":
        positive = struct.unpack("<31745e", struct.pack("<31745H", *range(0x7C01)))  # up to infinity
    else:  # the upper halves of the float32 of the same value
        positive = struct.unpack("<32641f", struct.pack("<32641I", *(k << 16 for k in range(0x7F81))))
    return [-x for x in reversed(positive[1:])] + list(positive)
