"""Affiliation of alarms to events: distances in time, measured against what a random alarm of the same zone has.

Time is continuous, point i is the interval from i to i + 1. The integrands are linear between multiples of ½ (of
precision) and of ¼ (of recall), as borders of zones are multiples of ½: their integrals are sums over the middles of
these pieces, in whole numbers of quarters and of eighths of a time step.
"""

from __future__ import annotations

from typing import NamedTuple

from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.metrics.ranking._evaluate import Results
from anomaly_kernels.metrics.series._inputs import (
    Axis,
    ZeroDivision,
    decided,
    evaluate,
    harmonic_mean,
    otherwise,
    real,
)
from anomaly_kernels.metrics.series._results import EventF1
from anomaly_kernels.metrics.series._runs import (
    Runs,
    chosen,
    find_runs,
    length_of,
    neighbours,
    positions,
    shifted,
    total,
)


@with_hint
def affiliation_f1(target: Array, decision: Array, *, axis: Axis = -1, zero_division: ZeroDivision = 0.0) -> EventF1:
    r"""Affiliation precision, recall and F1 score: how near alarms are to events, and events to alarms.

    .. math:: p_J = \frac{1}{|I|} \int_I S(x)\,dx, \quad
        S(x) = 1 - \frac{|J| + \min(d_J(x), m) + d_J(x)}{|E|}\ \text{outside } J, \ 1 \text{ in it}

        r_J = \frac{1}{|J|} \int_J 1 - \frac{\min(d_I(y), y - e_0) + \min(d_I(y), e_1 - y)}{|E|}\,dy

    The zone E = [e₀, e₁] of an event J = [j₀, j₁] goes to the middle of the gap to the next event, or to the end of the
    series; I are the alarms in it, d_J and d_I distances to the nearest point of J and I, and m is the smaller of
    j₀ − e₀ and e₁ − j₁. S(x) is the probability that a random alarm of the zone is further from the event than x.
    Precision is the mean over the zones with alarms, recall over all events, 0 where its zone has no alarm [1]_.

    **Read it against 0.67, not against 0**: random decisions have a recall near 1 and a precision near 0.5; F1 of them
    is 0.68, 0.70 and 0.70 at 1 %, 10 % and 50 % alarms on a pattern like SMD machine-1-1.

    Parameters
    ----------
    target, decision : array, equal shapes
        True and decided anomalies: 0 or False is normal, all else anomalous; an event is a run of them.
    axis : int
        The axis of time; the others count series.
    zero_division : number or 0-d array
        Value of precision without alarms, of all three without events, and of F1 without both.

    Returns
    -------
    EventF1
        `precision`, `recall` and `f1_score`, in [0, 1]; NaN if a mask has a NaN. Each 0-d, or the shape without the
        axis; in the dtype of real masks, else the widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If a number cannot be a target or a decision (checked where values are known), the shapes differ, there is no
        point in time, or the axis does not exist.

    References
    ----------
    .. [1] A. Huet, J. M. Navarro, D. Rossi, "Local Evaluation of Time Series Anomaly Detection Algorithms", KDD, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, alarms = np.arange(10) == 4, np.arange(10) == 5  # one step late
    >>> result = ak.affiliation_f1(truth, alarms)
    >>> round(float(result.precision), 4), round(float(result.recall), 4)
    (0.8, 0.9)
    """
    prepared = decided(target, decision, axis)
    return EventF1(*evaluate(_affiliation, prepared, otherwise(prepared, zero_division)))


class Zones(NamedTuple):
    """The zone of each event, from `low` to `high`, in half time steps."""

    low: Array
    high: Array


def _affiliation(xp: Namespace, truth: Array, decision: Array, zero: Setting) -> Results:
    return affiliation_f1_of(xp, affiliation_counts(xp, truth, decision), zero)


def affiliation_counts(xp: Namespace, truth: Array, decision: Array) -> Results:
    """Precision summed over zones with alarms, and the number of these; recall summed over events, and their number."""
    events, runs = find_runs(xp, truth), find_runs(xp, decision)
    zones = _zones_of(xp, events, length_of(xp, truth))
    halves = _halves_before(xp, runs, zones.high) - _halves_before(xp, runs, zones.low)
    halves = xp.where(events.exists, halves, 0)  # how many halves of alarmed points are in each zone
    precision = _sum_of_precisions(xp, events, zones, halves, decision)
    recall = _sum_of_recalls(xp, events, zones, runs, truth)
    return precision, total(xp, halves > 0), recall, total(xp, events.exists)


def affiliation_f1_of(xp: Namespace, counts: Results, zero: Setting) -> Results:
    """Precision, recall and F1 of sums and counts."""
    precisions, zones, recalls, events = counts
    alarmed, number = real(xp, zones, events)
    precision, recall = ratio(xp, precisions, alarmed, zero), ratio(xp, recalls, number, zero)
    precision = xp.where(number == 0, zero, precision)
    return precision, recall, harmonic_mean(xp, precision, recall, (alarmed == 0, number == 0), zero)


def _zones_of(xp: Namespace, events: Runs, length: int | Array) -> Zones:
    following = xp.concat([events.start[..., 1:], events.end[..., -1:]], axis=-1)
    high = xp.where(following == length, 2 * length, events.end + following)
    return Zones(shifted(xp, high), high)


def _halves_before(xp: Namespace, runs: Runs, place: Array) -> Array:
    """How many halves of points of runs there are before a place in half time steps."""
    return xp.take_along_axis(runs.before, place // 2) + xp.take_along_axis(runs.before, (place + 1) // 2)


def _sum_of_precisions(xp: Namespace, events: Runs, zones: Zones, halves: Array, decision: Array) -> Array:
    width, size = 2 * (zones.high - zones.low), 4 * events.length
    least = xp.minimum(4 * events.start - 2 * zones.low, 2 * zones.high - 4 * events.end)
    unit = ratio(xp, *real(xp, xp.ones_like(halves), halves))
    decision, changes, place = chosen(events.lean, decision, events.changes, positions(xp, decision))
    inside, following = changes % 2 == 1, changes // 2  # the event itself, if the point is in one
    end, start = neighbours(xp, events, following)
    result = []
    for quarter in (1, 3):
        x = 4 * place + quarter
        after, before = x - 4 * end, 4 * start - x
        event = xp.where(xp.logical_or(inside, before < after), following, xp.maximum(following - 1, 0))
        distance = xp.minimum(after, before)
        nearer = xp.minimum(distance, xp.take_along_axis(least, event)) + distance
        nearer, whole = real(xp, xp.take_along_axis(size, event) + nearer, xp.take_along_axis(width, event))
        survival = xp.where(inside, 1.0, 1.0 - ratio(xp, nearer, whole))
        result.append(xp.sum(xp.where(decision, survival * xp.take_along_axis(unit, event), 0.0), axis=-1))
    return result[0] + result[1]


def _sum_of_recalls(xp: Namespace, events: Runs, zones: Zones, runs: Runs, truth: Array) -> Array:
    length = length_of(xp, truth)
    (points,) = real(xp, 4 * events.length)
    unit = ratio(xp, xp.ones_like(points), points)
    truth, event, changes, place = chosen(events.lean, truth, events.changes // 2, runs.changes, positions(xp, truth))
    low, high, unit = (xp.take_along_axis(x, event) for x in (4 * zones.low, 4 * zones.high, unit))
    end, start = neighbours(xp, runs, changes // 2)
    (whole,) = real(xp, high - low)
    # at an alarm that is farther than the zone is wide, as all that is outside counts, the integrand is 0
    end, start = xp.where(8 * end > low, end, -2 * length), xp.where(8 * start < high, start, 3 * length)
    result = []
    for eighth in (1, 3, 5, 7):
        y = 8 * place + eighth
        distance = xp.where(changes % 2 == 1, 0, xp.minimum(y - 8 * end, 8 * start - y))
        (nearer,) = real(xp, xp.minimum(distance, y - low) + xp.minimum(distance, high - y))
        result.append(xp.sum(xp.where(truth, unit * (1.0 - ratio(xp, nearer, whole)), 0.0), axis=-1))
    return sum(result[1:], start=result[0])
