"""The ROC and precision-recall curves of events with buffers, for one width of the buffers after another.

With A alarms, C of them in events, and S the weight of the alarms in buffers, at a threshold:

    TP = C + S,  P' = P + S/2,  TPR = min(TP/P', 1) · (share of the zones with an alarm),  FPR = (A - TP)/(T - P')

A zone is an event with its buffers; zones that have a point in common are one. Points outside all zones change FPR
alone, and that linearly, so that the curves are known from the thresholds where a point of a zone is reached: at each,
TPR jumps by Δ, from the last FPR before it to the one there. The area under the ROC curve is the sum of Δ times one
minus the mean of both, average precision that of Δ · TP/A.

Where numbers of arrays can be looked at, the points that are near an event at the largest width are cut out. Else all
points take part; the sums are the same.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.metrics.ranking._sorted import first_of_equals
from anomaly_kernels.metrics.series._inputs import real
from anomaly_kernels.metrics.series._runs import (
    Runs,
    chosen,
    count_from,
    find_runs,
    highest_within,
    length_of,
    neighbours,
    number_of,
    positions,
    shifted,
    sort_within,
    sums_before,
)


class Curves(NamedTuple):
    """What the curves of all widths have in common; thresholds descend along the last axis."""

    score: Array
    events: Runs
    nearest: Array
    """The distance of each point from the nearest event, in descending order of scores; points of events are far off.
    In front is a point that counts nothing."""
    second: Array
    """The distance from the second nearest event."""
    thresholds: Array
    reached: Array
    """How many of these points reach each threshold."""
    hits: Array
    """How many points of events do."""
    alarms: Array
    """How many points of the series do."""
    alarms_before: Array
    """And at the threshold before."""
    points: Array
    """T, the number of points, with a last axis of one entry."""
    positives: Array
    """P, the number of those in events."""

    def event_maxima(self, xp: Namespace, truth: Array) -> Array:
        """The highest score of each event."""
        return highest_within(xp, self.events, truth, self.score, xp.ones_like(self.events.start))

    def grown(self, xp: Namespace, highest: Array, reach: Array) -> Array:
        """The highest score of each zone, from that of the zone one step shorter at both ends."""
        last = length_of(xp, self.score) - 1
        first = xp.minimum(xp.maximum(self.events.start - reach, 0), last)  # beyond the series is its own last point
        ends = first, xp.minimum(self.events.end - 1 + reach, last)
        for place in ends:
            highest = xp.maximum(highest, xp.take_along_axis(self.score, place))
        return highest

    def found_zones(self, xp: Namespace, highest: Array, reach: Array) -> Array:
        """The share of the zones that have an alarm at each threshold, from the highest score around each event."""
        start, end, exists = self.events.start, self.events.end, self.events.exists
        joined = xp.logical_and(exists, start - shifted(xp, end) < 2 * reach)
        joined = xp.concat([xp.zeros_like(joined[..., :1]), joined[..., 1:]], axis=-1)  # with the zone before
        zone = xp.cumulative_sum(xp.astype(xp.logical_not(joined), xp.int32), axis=-1)
        continues = xp.concat([joined[..., 1:], xp.zeros_like(joined[..., :1])], axis=-1)
        last = xp.logical_and(exists, xp.logical_not(continues))
        count = count_from(xp, self.score, sort_within(xp, zone, highest), last, self.thresholds)
        return ratio(xp, *real(xp, count, number_of(xp, last)))

    def areas(self, xp: Namespace, window: Array, reach: Array, zones: Array, *, found: bool) -> Array:
        """The area under the ROC curve and average precision, along a last axis, at one window."""
        wide = self.points.dtype
        width, reach = xp.astype(xp.maximum(window, 1), wide), xp.minimum(xp.astype(reach, wide), self.points)
        slope = xp.sqrt(xp.maximum(1.0 - self.nearest / width, 0.0))
        weight = xp.where(self.second <= reach, 1.0, xp.where(self.nearest <= reach, slope, 0.0))
        sums = xp.cumulative_sum(weight, axis=-1)
        buffers = xp.take_along_axis(sums, self.reached)
        hits = self.hits + buffers
        positives = self.positives + 0.5 * (buffers if found else sums[..., -1:])
        before = self.positives + 0.5 * (shifted(xp, buffers) if found else sums[..., -1:])
        tpr = xp.minimum(ratio(xp, hits, positives), 1.0) * zones
        fpr = ratio(xp, self.alarms - hits, self.points - positives)
        fpr_before = ratio(xp, self.alarms_before - shifted(xp, hits), self.points - before)
        jump = tpr - shifted(xp, tpr)
        area = xp.sum(jump * (1.0 - 0.5 * (fpr + fpr_before)), axis=-1)
        area = area + 0.5 * (1.0 - tpr[..., -1]) * (1.0 - fpr[..., -1])  # the way from the last threshold to (1, 1)
        return xp.stack([area, xp.sum(jump * ratio(xp, hits, self.alarms), axis=-1)], axis=-1)

    def finished(self, xp: Namespace, areas: Array) -> tuple[Array, Array]:
        """Both areas; there is no ROC curve with one class alone."""
        one_class = xp.logical_or(self.positives == 0, self.positives == self.points)[..., 0]
        return xp.where(one_class, math.nan, areas[..., 0]), areas[..., 1]


def curves_of(xp: Namespace, truth: Array, score: Array, reach: int, number: int | None) -> Curves:
    """The curves of a series with buffers up to a length, at that many thresholds or at all."""
    events = find_runs(xp, truth)
    lean = events.lean and bool(events.before[-1] > 0)
    near, following, place = truth, events.changes // 2, positions(xp, truth)
    if lean:
        end, start = neighbours(xp, events, following)
        near = xp.logical_or(truth, xp.logical_or(place - end < reach, start - place <= reach))
    _, *arrays = chosen(lean, near, score, truth, following, place)
    order = xp.flip(xp.argsort(arrays[0]), axis=-1)
    near_score, truth, following, place = (xp.take_along_axis(x, order) for x in arrays)
    nearest, second = _distances(xp, events, truth, following, place)
    ascending, near_ascending = xp.sort(score), xp.flip(near_score, axis=-1)
    if number is None:
        distinct = near_ascending[first_of_equals(xp, near_ascending)] if lean else near_ascending
        thresholds = xp.flip(distinct, axis=-1)
    else:
        thresholds = _by_rank(xp, ascending, number)
    points = length_of(xp, score)
    reached = length_of(xp, near_score) - xp.searchsorted(near_ascending, thresholds)
    alarms = points - xp.searchsorted(ascending, thresholds)
    higher = points - xp.searchsorted(ascending, thresholds, side="right") if number is None else shifted(xp, alarms)
    hits = xp.take_along_axis(sums_before(xp, truth), reached)
    counts = real(xp, hits, alarms, higher, number_of(xp, xp.ones_like(score, dtype=xp.bool)), events.before[..., -1:])
    return Curves(score, events, nearest, second, thresholds, reached, *counts)


def _distances(xp: Namespace, events: Runs, truth: Array, following: Array, place: Array) -> tuple[Array, Array]:
    """How far points are from the nearest and the second nearest event, and in front a point that is far off."""
    length, none = length_of(xp, events.changes), xp.zeros_like(events.end[..., :1])
    ends = xp.concat([none - 2 * length, none - 2 * length, events.end], axis=-1)
    starts = xp.concat([xp.where(events.exists, events.start, 3 * length), none + 3 * length], axis=-1)
    after, further_after = (place - xp.take_along_axis(ends, following + k) + 1 for k in (1, 0))
    before, further_before = (xp.take_along_axis(starts, following + k) - place for k in (0, 1))
    nearest = xp.minimum(after, before)
    second = xp.minimum(xp.maximum(after, before), xp.minimum(further_after, further_before))
    far = (xp.concat([none + 3 * length, xp.where(truth, 3 * length, x)], axis=-1) for x in (nearest, second))
    nearest, second = real(xp, *far)
    return nearest, second


def _by_rank(xp: Namespace, ascending: Array, number: int) -> Array:
    """Scores of the ranks ⌊k(T - 1)/(n - 1)⌋ from the highest on, for k from 0 to n - 1."""
    last, steps = length_of(xp, ascending) - 1, max(number - 1, 1)
    k = xp.zeros_like(ascending[..., :1], dtype=xp.counting())
    k = k + xp.constant(list(range(number)), like=ascending, dtype=xp.counting())
    rank = k * (last // steps) + k * (last % steps) // steps  # products that 32 bits hold
    return xp.take_along_axis(ascending, last - rank)
