"""Runs of true points in each series: where they start and end, what lies within them, what is next to a point.

    mask      0  1  1  0  0  1        a run is maximal; at the borders runs are as anywhere else
    changes   0  1  1  2  2  3        how often the mask has changed: odd inside runs, halved the number of those before
    start        1           5  6     the first points, and the places behind the last; arrays of a fixed length have
    end          3           6  6     runs of no length at the end of the series, to the right of all others

Where the numbers of arrays can be looked at there is one run of no length, else there are as many as there might be
runs. It is what follows the last run, so that everything that is asked of the next run has an answer.
"""

from __future__ import annotations

from typing import NamedTuple

from anomaly_kernels._core.typing import Array, Namespace


class Runs(NamedTuple):
    """The runs of a mask along its last axis."""

    changes: Array
    """How often the mask has changed up to each point."""
    before: Array
    """How many points of the mask there are before each place, and in all: one entry more."""
    start: Array
    end: Array
    lean: bool
    """Whether arrays may be cut to what is needed, by masks."""

    @property
    def length(self) -> Array:
        """How many points each run has."""
        return self.end - self.start

    @property
    def exists(self) -> Array:
        """Whether each is a run at all."""
        exists: Array = self.length > 0
        return exists


def find_runs(xp: Namespace, mask: Array) -> Runs:
    """The runs of a mask."""
    before = sums_before(xp, mask)
    changes = xp.cumulative_sum(xp.astype(mask != shifted(xp, mask), xp.int32), axis=-1)
    lean = is_lean(xp, mask)
    slots = before[: (int(float(changes[-1])) + 1) // 2 + 1] if lean else before[..., ::2]
    number = xp.cumulative_sum(xp.ones_like(slots), axis=-1)
    start, end = (xp.searchsorted(changes, 2 * number - odd) for odd in (1, 0))
    return Runs(changes, before, start, end, lean)


def is_lean(xp: Namespace, x: Array) -> bool:
    """Whether this is one series, whose numbers may be looked at."""
    return len(x.shape) == 1 and xp.is_lean(x)


def shifted(xp: Namespace, x: Array) -> Array:
    """Each entry moved to the next place; the first is 0."""
    return xp.concat([xp.zeros_like(x[..., :1]), x[..., :-1]], axis=-1)


def sums_before(xp: Namespace, mask: Array) -> Array:
    """How many true points there are before each place, and in all."""
    count = xp.cumulative_sum(xp.astype(mask, xp.int32), axis=-1)
    return xp.concat([xp.zeros_like(count[..., :1]), count], axis=-1)


def positions(xp: Namespace, x: Array) -> Array:
    """The place of each point, from 0 on."""
    return xp.cumulative_sum(xp.ones_like(x, dtype=xp.int32), axis=-1) - 1


def between(xp: Namespace, sums: Array, runs: Runs) -> Array:
    """How many points there are in each run, of those that `sums_before` counts."""
    return xp.take_along_axis(sums, runs.end) - xp.take_along_axis(sums, runs.start)


def length_of(xp: Namespace, x: Array) -> int | Array:
    """How many entries there are along the last axis; counted where a graph does not know it."""
    n = x.shape[-1]
    return n if isinstance(n, int) else xp.sum(xp.ones_like(x, dtype=xp.int32), axis=-1, keepdims=True)


def total(xp: Namespace, counts: Array) -> Array:
    """The sum of integers, or how many are true, in each series."""
    return xp.sum(xp.astype(counts, xp.int32) if counts.dtype == xp.bool else counts, axis=-1)


def chosen(lean: bool, mask: Array, *arrays: Array) -> tuple[Array, ...]:  # noqa: FBT001
    """The mask and arrays beside it: where they may be cut, the points of the mask alone."""
    return tuple(x[mask] for x in (mask, *arrays)) if lean else (mask, *arrays)


def neighbours(xp: Namespace, runs: Runs, following: Array) -> tuple[Array, Array]:
    """Where the run before ends and the following one starts, by the number of the latter; far away without one."""
    length = length_of(xp, runs.changes)
    none = xp.zeros_like(runs.end[..., :1]) - 2 * length
    end = xp.take_along_axis(xp.concat([none, runs.end[..., :-1]], axis=-1), following)
    return end, xp.take_along_axis(xp.where(runs.exists, runs.start, 3 * length), following)


def highest_within(xp: Namespace, runs: Runs, mask: Array, score: Array, m: Array) -> Array:
    """The m-th largest score of each run, m from 1 on; where a run has fewer, any score."""
    lean = runs.lean and bool(runs.before[-1] > 0)
    mask, group, score = chosen(lean, mask, runs.changes // 2, score)
    ascending = sort_within(xp, xp.where(mask, group, 2**31 - 1), score)  # what belongs to no run comes last
    place = xp.take_along_axis(runs.before, runs.end) - m
    return xp.take_along_axis(ascending, xp.maximum(place, 0))


def sort_within(xp: Namespace, group: Array, score: Array) -> Array:
    """Scores ascending within each group, the groups one after another by their numbers."""
    order = xp.argsort(score)
    order = xp.take_along_axis(order, xp.argsort(xp.take_along_axis(group, order), stable=True))
    return xp.take_along_axis(score, order)


def count_from(xp: Namespace, score: Array, values: Array, mask: Array, thresholds: Array) -> Array:
    """How many of the values that the mask chooses among scores reach each threshold, one of the scores."""
    lean = is_lean(xp, values)
    mask, values = chosen(lean, mask, values)
    if not lean:  # the others are made the lowest score of all, which the lowest threshold alone counts
        values = xp.where(mask, values, xp.min(score, axis=-1, keepdims=True))
    count = length_of(xp, values) - xp.searchsorted(xp.sort(values), thresholds)
    return count if lean else xp.minimum(count, number_of(xp, mask))


def number_of(xp: Namespace, mask: Array) -> Array:
    """How many are true, with a last axis of one entry."""
    return xp.expand_dims(total(xp, mask), axis=-1)
