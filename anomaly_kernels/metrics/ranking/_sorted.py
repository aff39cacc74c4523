"""Shared parts of ranking metrics: how many positives and negatives score at least as high as a threshold.

    score       -2  -1  -1   0   1   1   3      ascending
    class        -   -   +   -   +   -   +      + positive, - negative
    threshold       t1          t2      t3      the distinct scores of the positives

    at or above t2              [1   1   3]     2 positives, 1 negative: from searchsorted(scores, t2, side="left") on
    above t2                            [3]     1 positive, 0 negatives: from searchsorted(scores, t2, side="right") on

Equal scores are on the same side of every threshold, so ties are exact. Where the numbers of arrays can be looked at,
on the CPU, boolean masks pick out positives and negatives, which are sorted apart (`by_masks`): positives are few.
Compilers, graphs and accelerators want fixed shapes: there all scores are sorted together (`by_sorting`), each of them
is a threshold, and those of negatives have the weight 0. A state that has counted already is ranked `by_counts`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from anomaly_kernels._core.checks import cast, is_real
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.typing import Array, DType, Namespace


class SortedClass(NamedTuple):
    """The scores of the positives, or of the negatives, ascending along the last axis, and their weights."""

    scores: Array  # among them may be scores of the other class, which weigh nothing here
    sums: Array | None  # of the weights, as `sums_from_each` has them; None where each weighs 1

    def weight_above(self, xp: Namespace, wide: DType, place: Array) -> Array:
        """The weight of all scores from each place on."""
        if self.sums is None:
            return xp.astype(self.scores.shape[-1] - place, wide)
        return cast(xp, wide, xp.take_along_axis(self.sums, place))

    def weight_between(self, xp: Namespace, start: Array, end: Array) -> Array:
        """The weight of the scores from each start up to its end; integers unless weights are real."""
        if self.sums is None:
            return end - start
        return difference(xp, xp.take_along_axis(self.sums, start), xp.take_along_axis(self.sums, end))


class Ranking(NamedTuple):
    """Thresholds, and the weight of positives and negatives that score at least as high, or higher."""

    xp: Namespace
    thresholds: Array  # the scores of all positives, and perhaps others
    weight: Array  # of the positives at each threshold, 0 where there are none
    positives: Array  # the weight of all, with a last axis of one entry
    negatives: Array
    at_or_above: Callable[[], tuple[Array, Array]]  # the weight of positives and negatives that reach each threshold
    above: Callable[[], tuple[Array, Array]]  # and of those that exceed it

    def mean_over_positives(self, values: Array, otherwise: float) -> Array:
        """The weighted mean of values at each threshold, `otherwise` without positives."""
        return ratio(self.xp, self.xp.sum(self.weight * values, axis=-1), self.positives[..., 0], otherwise)


def rank(xp: Namespace, truth: Array, score: Array, weight: Array | None = None) -> Ranking:
    """Rank scores along the last axis, by masks where their numbers can be looked at."""
    if len(score.shape) == 1 and xp.is_lean(truth, score):
        positives, negatives = sort_apart(xp, truth, score, weight)
        if positives.scores.shape[0]:
            return by_masks(xp, positives, negatives)
    return by_sorting(xp, *sort_together(xp, truth, score, weight))


def by_masks(xp: Namespace, positives: SortedClass, negatives: SortedClass) -> Ranking:
    """Rank two sorted classes; the thresholds are the distinct scores of the positives, which must not be empty."""
    scores, wide = positives.scores, xp.wide(positives.scores)
    first = first_of_equals(xp, scores)
    count = xp.cumulative_sum(xp.ones_like(scores, dtype=xp.int64), axis=0)
    start = count[first] - 1
    end = xp.concat([start[1:], count[-1:]])
    thresholds = scores[first]

    def weights(side: str) -> tuple[Array, Array]:
        place = xp.searchsorted(negatives.scores, thresholds, side=side)
        hits = positives.weight_above(xp, wide, start if side == "left" else end)
        return hits, negatives.weight_above(xp, wide, place)

    weight = xp.astype(positives.weight_between(xp, start, end), wide)
    total = totals(xp, wide, positives, negatives)
    return Ranking(xp, thresholds, weight, *total, partial(weights, "left"), partial(weights, "right"))


def by_sorting(xp: Namespace, positives: SortedClass, negatives: SortedClass, weight: Array) -> Ranking:
    """Rank classes that were sorted together; all their scores are thresholds, with `weight` of the positives."""
    scores, wide = positives.scores, xp.wide(positives.scores)

    def weights(side: str) -> tuple[Array, Array]:
        place = xp.searchsorted(scores, scores, side=side)
        return positives.weight_above(xp, wide, place), negatives.weight_above(xp, wide, place)

    weight, total = cast(xp, wide, weight), totals(xp, wide, positives, negatives)
    return Ranking(xp, scores, weight, *total, partial(weights, "left"), partial(weights, "right"))


def by_counts(xp: Namespace, thresholds: Array, positive: Array, negative: Array) -> Ranking:
    """Rank ascending thresholds of which the weights of both classes are known, up to the next threshold."""
    wide = xp.wide(thresholds)
    weight = cast(xp, wide, positive)
    hits, alarms = sums_from_each(xp, weight), sums_from_each(xp, cast(xp, wide, negative))
    total = hits[:1], alarms[:1]
    return Ranking(xp, thresholds, weight, *total, lambda: (hits[:-1], alarms[:-1]), lambda: (hits[1:], alarms[1:]))


def sort_apart(xp: Namespace, truth: Array, score: Array, weight: Array | None) -> tuple[SortedClass, SortedClass]:
    """Positives and negatives, picked out by boolean masks and sorted."""
    if weight is None:
        positives, negatives = xp.sorted_classes(score, truth)
        return SortedClass(positives, None), SortedClass(negatives, None)
    order = xp.argsort(score)
    score, truth, weight = score[order], truth[order], weight[order]
    truth = xp.logical_and(truth, weight != 0)  # a positive that weighs nothing is no threshold
    normal = xp.logical_not(truth)
    return (
        SortedClass(score[truth], sums_from_each(xp, weight[truth])),
        SortedClass(score[normal], sums_from_each(xp, weight[normal])),
    )


def sort_together(
    xp: Namespace, truth: Array, score: Array, weight: Array | None
) -> tuple[SortedClass, SortedClass, Array]:
    """Positives and negatives, both with the scores of all; and the weight of each score as a positive."""
    order = xp.argsort(score)
    scores, truth = xp.take_along_axis(score, order), xp.take_along_axis(truth, order)
    weight = xp.ones_like(scores, dtype=xp.int32) if weight is None else xp.take_along_axis(weight, order)
    hits, alarms = xp.where(truth, weight, 0), xp.where(truth, 0, weight)
    return SortedClass(scores, sums_from_each(xp, hits)), SortedClass(scores, sums_from_each(xp, alarms)), hits


def totals(xp: Namespace, wide: DType, positives: SortedClass, negatives: SortedClass) -> tuple[Array, Array]:
    """The weight of each class, with a last axis of one entry; NaN where integers overflow."""
    one = xp.ones_like(positives.scores[..., :1], dtype=wide)
    if positives.sums is None and negatives.sums is None:  # not by `_total`, whose call a small call would notice
        return one * positives.scores.shape[-1], one * negatives.scores.shape[-1]
    return _total(xp, one, positives), _total(xp, one, negatives)


def _total(xp: Namespace, one: Array, each: SortedClass) -> Array:
    if each.sums is None:
        return one * each.scores.shape[-1]
    overflow = xp.any(each.sums < 0, axis=-1, keepdims=True)
    return xp.where(overflow, math.nan, cast(xp, one.dtype, each.sums[..., :1]))


def first_of_equals(xp: Namespace, scores: Array) -> Array:
    """Whether each of the ascending scores, in one dimension and at least one, is the first of those equal to it."""
    return xp.concat([xp.ones_like(scores[:1], dtype=xp.bool), scores[1:] != scores[:-1]])


def difference(xp: Namespace, sums: Array, fewer: Array) -> Array:
    """The weight between two places; not below 0, which rounded sums of compilers are that do not add one by one."""
    weight = sums - fewer
    return xp.maximum(weight, 0.0) if is_real(weight) else weight


def sums_from_each(xp: Namespace, weight: Array) -> Array:
    """Sums from each place to the end, and a last 0; added from the end, where the few highest scores are."""
    sums = xp.flip(xp.cumulative_sum(xp.flip(weight, axis=-1), axis=-1), axis=-1)
    return xp.concat([sums, xp.zeros_like(xp.sum(sums, axis=-1, keepdims=True))], axis=-1)
