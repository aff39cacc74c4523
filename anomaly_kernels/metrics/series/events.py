"""Events found, and alarms that found none: composite and event-wise F1 scores, the best ones, and how late it was."""

from __future__ import annotations

import math

from anomaly_kernels._core.checks import flag
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.metrics.ranking._evaluate import Results
from anomaly_kernels.metrics.ranking._sorted import rank
from anomaly_kernels.metrics.ranking.decisions import BestF1, highest
from anomaly_kernels.metrics.series._inputs import (
    Axis,
    Flag,
    With,
    ZeroDivision,
    decided,
    evaluate,
    otherwise,
    real,
    scored,
)
from anomaly_kernels.metrics.series._results import DetectionDelay, EventF1
from anomaly_kernels.metrics.series._runs import (
    between,
    count_from,
    find_runs,
    highest_within,
    length_of,
    number_of,
    shifted,
    sums_before,
    total,
)


@with_hint
def composite_f1(target: Array, decision: Array, *, axis: Axis = -1, zero_division: ZeroDivision = 0.0) -> EventF1:
    r"""Composite F1 score: of precision by points and recall by events.

    .. math:: p = \frac{TP}{A}, \quad r = \frac{D}{E}, \quad F_1 = \frac{2\,TP\,D}{TP\,E + A\,D}

    with TP of A alarms in events, and D of E events that have an alarm [1]_.

    Parameters
    ----------
    target, decision : array, equal shapes
        True and decided anomalies: 0 or False is normal, all else anomalous; an event is a run of them.
    axis : int
        The axis of time; the others count series.
    zero_division : number or 0-d array
        Value of a quotient whose denominator is 0: precision without alarms, recall without events, F1 without both.

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
    .. [1] A. Garg et al., "An Evaluation of Anomaly Detection and Diagnosis in Multivariate Time Series", IEEE
       Transactions on Neural Networks and Learning Systems, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> result = ak.composite_f1(np.asarray([0, 1, 1, 0, 1, 0]), np.asarray([0, 0, 1, 1, 0, 0]))
    >>> float(result.precision), float(result.recall), float(result.f1_score)
    (0.5, 0.5, 0.5)
    """
    prepared = decided(target, decision, axis)
    return EventF1(*evaluate(_composite, prepared, otherwise(prepared, zero_division)))


def _composite(xp: Namespace, truth: Array, decision: Array, zero: Setting) -> Results:
    return composite_of(xp, composite_counts(xp, truth, decision), zero)


def composite_counts(xp: Namespace, truth: Array, decision: Array) -> Results:
    """How many points are found and alarmed, and how many events are found and there."""
    events, alarms = find_runs(xp, truth), sums_before(xp, decision)
    found = between(xp, alarms, events)
    return total(xp, found), alarms[..., -1], total(xp, found > 0), total(xp, events.exists)


def composite_of(xp: Namespace, counts: Results, zero: Setting) -> Results:
    """Precision, recall and F1 of counts."""
    hits, alarmed, detected, number = real(xp, *counts)
    f1 = composite_f1_of(xp, hits, alarmed, detected, number)
    nothing = alarmed + number == 0
    return ratio(xp, hits, alarmed, zero), ratio(xp, detected, number, zero), xp.where(nothing, zero, f1)


def composite_f1_of(xp: Namespace, hits: Array, alarmed: Array, detected: Array, number: Array) -> Array:
    """Composite F1 by one division of whole numbers, so that thresholds of equal value are equal."""
    return ratio(xp, 2.0 * hits * detected, hits * number + alarmed * detected)


@with_hint
def best_composite_f1(target: Array, score: Array, *, axis: Axis = -1) -> BestF1:
    r"""The highest composite F1 score that a threshold can give, and that threshold.

    .. math:: \max_t \frac{2\,TP(t)\,D(t)}{TP(t)\,E + A(t)\,D(t)}

    over all distinct scores t, with the counts of `composite_f1` of ``score >= t`` [1]_. A uniform random score reaches
    0.26 on a pattern like SMD machine-1-1, 0.18 on one event of 200 in 10 000 points, 0.07 on 20 events of 10.

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is normal, all else anomalous; an event is a run of them. Raw scores, higher for
        anomalies.
    axis : int
        The axis of time; the others count series.

    Returns
    -------
    BestF1
        `value`, in (0, 1], 0 without events, NaN if a score is NaN. `threshold`, the highest score t that has it
        (without events the highest of all); integer scores give an integer. Each 0-d, or the shape without the axis; in
        the dtype of `score`, the value of integer scores in that of real targets, else the widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If a number cannot be a target (checked where values are known), the shapes differ, there is no point in time,
        or the axis does not exist.

    References
    ----------
    .. [1] A. Garg et al., "An Evaluation of Anomaly Detection and Diagnosis in Multivariate Time Series", IEEE
       Transactions on Neural Networks and Learning Systems, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, score = np.asarray([0, 1, 1, 0, 1, 0]), np.asarray([0.1, 0.9, 0.3, 0.4, 0.7, 0.2])
    >>> result = ak.best_composite_f1(truth, score)
    >>> float(result.value), float(result.threshold)
    (1.0, 0.7)
    """
    return BestF1(*evaluate(_best_composite, scored(target, score, axis)))


def _best_composite(xp: Namespace, truth: Array, score: Array) -> Results:
    ranking, (maxima, exists) = rank(xp, truth, score), event_maxima(xp, truth, score)
    hits, others = ranking.at_or_above()
    detected = count_from(xp, score, maxima, exists, ranking.thresholds)
    f1 = composite_f1_of(xp, hits, hits + others, *real(xp, detected, number_of(xp, exists)))
    # a threshold that is no score of an event has the hits of the next one that is, and more alarms
    return highest(xp, xp.where(ranking.weight > 0, f1, 0.0), ranking.thresholds)


def event_maxima(xp: Namespace, truth: Array, score: Array) -> tuple[Array, Array]:
    """The highest score of each event, and whether there is one."""
    events = find_runs(xp, truth)
    return highest_within(xp, events, truth, score, xp.ones_like(events.start)), events.exists


@with_hint
def event_f1(
    target: Array,
    decision: Array,
    *,
    corrected: Flag = True,
    axis: Axis = -1,
    zero_division: ZeroDivision = 0.0,
) -> EventF1:
    r"""F1 score of events: one is found if a point of it is alarmed; an alarm run that touches none is false.

    .. math:: p = \frac{D}{D + F} \left(1 - \frac{FP}{N}\right), \quad r = \frac{D}{E}, \quad F_1 = \frac{2pr}{p + r}

    with D of E events found, F false runs, and FP of N normal points alarmed. Without the factor [1]_ an alarm at every
    point is one run that touches all events, so that F1 is 1; the factor [2]_ [3]_ makes it 0.

    Parameters
    ----------
    target, decision : array, equal shapes
        True and decided anomalies: 0 or False is normal, all else anomalous; an event is a run of them.
    corrected : bool
        Whether precision has the factor, the share of normal points that are not alarmed (1 without normal points).
    axis : int
        The axis of time; the others count series.
    zero_division : number or 0-d array
        Value of a quotient whose denominator is 0: precision without alarms, recall without events, F1 without both.

    Returns
    -------
    EventF1
        `precision`, `recall` and `f1_score`, in [0, 1]; NaN if a mask has a NaN. Each 0-d, or the shape without the
        axis; in the dtype of real masks, else the widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers, or `corrected` is not a bool.
    ValueError
        If a number cannot be a target or a decision (checked where values are known), the shapes differ, there is no
        point in time, or the axis does not exist.

    References
    ----------
    .. [1] K. Hundman et al., "Detecting Spacecraft Anomalies Using LSTMs and Nonparametric Dynamic Thresholding", KDD,
       2018.
    .. [2] M. El Amine Sehili, Z. Zhang, "Multivariate Time Series Anomaly Detection: Fancy Algorithms and Flawed
       Evaluation Methodology", TPCTC, 2023.
    .. [3] K. Kotowski et al., "European Space Agency Benchmark for Anomaly Detection in Satellite Telemetry",
       arXiv:2406.17826, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, always = np.asarray([0, 1, 1, 0, 1, 0]), np.ones(6)
    >>> float(ak.event_f1(truth, always).f1_score), float(ak.event_f1(truth, always, corrected=False).f1_score)
    (0.0, 1.0)
    """
    prepared = decided(target, decision, axis)
    metric = With(_events, (flag("corrected", corrected),))
    return EventF1(*evaluate(metric, prepared, otherwise(prepared, zero_division)))


def _events(corrected: bool, xp: Namespace, truth: Array, decision: Array, zero: Setting) -> Results:  # noqa: FBT001
    return event_of(corrected, xp, event_counts(xp, truth, decision), zero)


def event_counts(xp: Namespace, truth: Array, decision: Array) -> Results:
    """How many events are found, alarm runs false and events there, how many normal points are alarmed and there."""
    events, runs, alarms = find_runs(xp, truth), find_runs(xp, decision), sums_before(xp, decision)
    found = between(xp, alarms, events)
    false_runs = xp.logical_and(runs.exists, between(xp, events.before, runs) == 0)
    normal = total(xp, xp.logical_not(truth))
    false = alarms[..., -1] - total(xp, found)
    return total(xp, found > 0), total(xp, false_runs), total(xp, events.exists), false, normal


def event_of(corrected: bool, xp: Namespace, counts: Results, zero: Setting) -> Results:  # noqa: FBT001
    """Precision, recall and F1 of counts."""
    detected, wrong, number, false, normal = real(xp, *counts)
    false = false if corrected else xp.zeros_like(false)
    quiet = ratio(xp, normal - false, normal, 1.0)
    precision = quiet * ratio(xp, detected, detected + wrong, 0.0)
    f1 = event_f1_of(xp, detected, wrong, number, false, normal)
    precision = xp.where(detected + wrong == 0, zero, precision)
    nothing = detected + wrong + number == 0
    return precision, ratio(xp, detected, number, zero), xp.where(nothing, zero, f1)


def event_f1_of(xp: Namespace, detected: Array, wrong: Array, number: Array, false: Array, normal: Array) -> Array:
    """Event-wise F1 by one division of whole numbers, so that thresholds of equal value are equal."""
    quiet, normal = xp.maximum(normal - false, 1.0 - normal), xp.maximum(normal, 1.0)  # 1 of 1 where none is normal
    return ratio(xp, 2.0 * detected * quiet, quiet * number + normal * (detected + wrong))


@with_hint
def best_event_f1(target: Array, score: Array, *, axis: Axis = -1) -> BestF1:
    r"""The highest event-wise F1 score that a threshold can give, and that threshold.

    .. math:: \max_t F_1(t)

    over all distinct scores t, where F₁(t) is that of `event_f1` of ``score >= t``, corrected: the best uncorrected one
    is 1 for every score, as an alarm at every point is one run that touches all events. A uniform random score reaches
    0.22 on a pattern like SMD machine-1-1, 0.15 on one event of 200 in 10 000 points, 0.07 on 20 events of 10.

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is normal, all else anomalous; an event is a run of them. Raw scores, higher for
        anomalies.
    axis : int
        The axis of time; the others count series.

    Returns
    -------
    BestF1
        `value`, in [0, 1], 0 without events, NaN if a score is NaN. `threshold`, the highest score t that has it
        (without events the highest of all); integer scores give an integer. Each 0-d, or the shape without the axis; in
        the dtype of `score`, the value of integer scores in that of real targets, else the widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If a number cannot be a target (checked where values are known), the shapes differ, there is no point in time,
        or the axis does not exist.

    References
    ----------
    .. [1] M. El Amine Sehili, Z. Zhang, "Multivariate Time Series Anomaly Detection: Fancy Algorithms and Flawed
       Evaluation Methodology", TPCTC, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, score = np.asarray([0, 1, 1, 0, 1, 0]), np.asarray([0.1, 0.9, 0.3, 0.4, 0.7, 0.2])
    >>> result = ak.best_event_f1(truth, score)
    >>> float(result.value), float(result.threshold)
    (1.0, 0.7)
    """
    return BestF1(*evaluate(_best_event, scored(target, score, axis)))


def _best_event(xp: Namespace, truth: Array, score: Array) -> Results:
    thresholds, normal = xp.sort(score), xp.logical_not(truth)
    events, pairs = event_maxima(xp, truth, score), pair_minima(xp, normal, score)
    critical = events, (score, normal), pairs, gap_minima(xp, normal, score)
    detected, false, *joined = (count_from(xp, score, *each, thresholds) for each in critical)
    counts = detected, false_runs(false, *joined), number_of(xp, events[1]), false, number_of(xp, normal)
    return highest(xp, event_f1_of(xp, *real(xp, *counts)), thresholds)


def false_runs(false: Array, pairs: Array, gaps: Array) -> Array:
    """How many runs of alarms touch no event, of how many normal points, pairs and gaps are alarmed throughout.

    Runs are points less pairs of neighbours. A pair of a normal point and one of an event takes off a run of normal
    points that touches the event; a gap between two events that is alarmed throughout was taken off twice.
    """
    return false - pairs + gaps


def pair_minima(xp: Namespace, normal: Array, score: Array) -> tuple[Array, Array]:
    """The lower score of each point and the one before, and whether they are two of which one is normal."""
    first = xp.concat([xp.ones_like(normal[..., :1]), xp.zeros_like(normal[..., 1:])], axis=-1)
    apart = xp.logical_and(xp.logical_not(first), xp.logical_or(normal, shifted(xp, normal)))
    return xp.minimum(score, shifted(xp, score)), apart


def gap_minima(xp: Namespace, normal: Array, score: Array) -> tuple[Array, Array]:
    """The lowest score of each run of normal points and of the points on either side, and whether there are two."""
    gaps, length = find_runs(xp, normal), length_of(xp, score)
    lowest = highest_within(xp, gaps, normal, score, xp.maximum(gaps.length, 1))
    before = xp.take_along_axis(score, xp.maximum(gaps.start - 1, 0))
    after = xp.take_along_axis(score, xp.minimum(gaps.end, length - 1))
    between_events = xp.logical_and(gaps.exists, xp.logical_and(gaps.start > 0, gaps.end < length))
    return xp.minimum(lowest, xp.minimum(before, after)), between_events


@with_hint
def detection_delay(target: Array, decision: Array, *, axis: Axis = -1) -> DetectionDelay:
    r"""How many time steps after the start of an event its first alarm comes, and how many events have one.

    .. math:: \frac 1D \sum_{e: \text{found}} (f_e - a_e), \quad \max_e (f_e - a_e), \quad \frac DE

    with fₑ the first alarmed point of event e, aₑ its first point, and D of E events found. Alarms before the event do
    not count. Read the delays with the recall: a detector that finds one event at once has delay 0.

    Parameters
    ----------
    target, decision : array, equal shapes
        True and decided anomalies: 0 or False is normal, all else anomalous; an event is a run of them.
    axis : int
        The axis of time; the others count series.

    Returns
    -------
    DetectionDelay
        `mean` and `max` of the delays, in time steps, NaN where no event was found; `recall`, 0 without events. All NaN
        where a mask is. Each 0-d, or the shape without the axis; in the dtype of real masks, else the widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If a number cannot be a target or a decision (checked where values are known), the shapes differ, there is no
        point in time, or the axis does not exist.

    References
    ----------
    .. [1] A. Lavin, S. Ahmad, "Evaluating Real-Time Anomaly Detection Algorithms: The Numenta Anomaly Benchmark",
       ICMLA, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> result = ak.detection_delay(np.asarray([0, 1, 1, 1, 0, 1]), np.asarray([1, 0, 0, 1, 0, 0]))
    >>> float(result.mean), float(result.max), float(result.recall)
    (2.0, 2.0, 0.5)
    """
    return DetectionDelay(*evaluate(_delay, decided(target, decision, axis)))


def _delay(xp: Namespace, truth: Array, decision: Array) -> Results:
    return delay_of(xp, delay_counts(xp, truth, decision))


def delay_counts(xp: Namespace, truth: Array, decision: Array) -> Results:
    """The sum of the delays, how many events are found and there, and the longest delay."""
    events, alarms = find_runs(xp, truth), sums_before(xp, decision)
    so_far = xp.take_along_axis(alarms, events.start)
    first = xp.searchsorted(alarms, so_far + 1) - 1
    found = xp.logical_and(events.exists, first < events.end)
    delay = xp.where(found, first - events.start, 0)
    return total(xp, delay), total(xp, found), total(xp, events.exists), xp.max(delay, axis=-1)


def delay_of(xp: Namespace, counts: Results) -> Results:
    """The mean delay, the longest and the recall of counts."""
    sum_, detected, number, longest = real(xp, *counts)
    mean = ratio(xp, sum_, detected, math.nan)
    return mean, xp.where(detected == 0, math.nan, longest), ratio(xp, detected, number)
