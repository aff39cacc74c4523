"""Precision and recall of ranges: how much of each is covered, where in it, and in how many pieces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, get_args

from anomaly_kernels._core.checks import UNIT, choice, number
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.metrics.ranking._evaluate import Results
from anomaly_kernels.metrics.series._inputs import (
    Axis,
    With,
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
    between,
    chosen,
    find_runs,
    positions,
    shifted,
    sums_before,
    total,
)

Bias: TypeAlias = Literal["flat", "front", "middle", "back"]
Cardinality: TypeAlias = Literal["reciprocal", "one"]


@with_hint
def range_based_f1(
    target: Array,
    decision: Array,
    *,
    alpha: Annotated[Setting, UNIT] = 0.0,
    bias: Bias = "flat",
    precision_bias: Bias = "flat",
    cardinality: Cardinality = "reciprocal",
    axis: Axis = -1,
    zero_division: ZeroDivision = 0.0,
) -> EventF1:
    r"""Range-based precision, recall and F1 score: what share of each event, and of each alarm run, is covered.

    .. math:: r = \frac 1E \sum_e \left(\alpha [k_e > 0] + (1 - \alpha)\, \gamma_e \omega_e\right), \quad
        p = \frac 1A \sum_a \gamma_a \omega_a, \quad \omega = \frac{\sum_{i\ \text{covered}} \delta_i}{\sum_i \delta_i}

    Events and alarm runs are ranges of points; k counts the ranges of the other kind that meet one. The i-th of its n
    points weighs δᵢ: 1 (``"flat"``), n − i + 1 (``"front"``), i (``"back"``) or the smaller of both (``"middle"``).
    γ is 1/k if k > 1, else 1.

    There are many settings, so report all of them. α is 0.2 in TSB-AD, 0.5 in TimeEval and dtaianomaly, 0 in prts and
    aeon. Random alarms score low: 0.001 to 0.12 on a pattern like SMD machine-1-1 with α of 0, and 0.17 with 1.

    Parameters
    ----------
    target, decision : array, equal shapes
        True and decided anomalies: 0 or False is normal, all else anomalous; events (E) and alarm runs (A) are runs of
        them.
    alpha : number or 0-d array, in [0, 1]
        α, the reward for meeting an event at all.
    bias, precision_bias : {"flat", "front", "middle", "back"}
        Where in an event, and where in an alarm run, points weigh more.
    cardinality : {"reciprocal", "one"}
        With ``"one"``, γ is always 1.
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
        point in time, a setting is out of its range or none of its options, or the axis does not exist.

    References
    ----------
    .. [1] N. Tatbul et al., "Precision and Recall for Time Series", NeurIPS, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, alarms = np.asarray([0, 1, 1, 1, 1, 0]), np.asarray([0, 1, 0, 1, 1, 1])
    >>> result = ak.range_based_f1(truth, alarms)
    >>> round(float(result.precision), 4), float(result.recall)  # (1 + 2/3)/2, and 3/4 in two pieces
    (0.8333, 0.375)
    """
    fixed = checked({"bias": bias, "precision_bias": precision_bias, "cardinality": cardinality})
    prepared = decided(target, decision, axis)
    xp = prepared.xp
    existence = number("alpha", alpha, xp, xp.wide(prepared.arrays[0]), UNIT)
    metric = With(_range_based, fixed)
    return EventF1(*evaluate(metric, prepared, existence, otherwise(prepared, zero_division)))


def checked(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings that are names of options, or an error."""
    options = {"bias": get_args(Bias), "precision_bias": get_args(Bias), "cardinality": get_args(Cardinality)}
    for name, names in options.items():
        choice(name, settings[name], names)
    return tuple(settings[name] for name in options)


def _range_based(
    bias: Bias,
    precision_bias: Bias,
    cardinality: Cardinality,
    xp: Namespace,
    truth: Array,
    decision: Array,
    alpha: Setting,
    zero: Setting,
) -> Results:
    counts = range_counts(bias, precision_bias, cardinality, xp, truth, decision)
    return range_based_f1_of(xp, counts, alpha, zero)


def range_counts(
    bias: Bias, precision_bias: Bias, cardinality: Cardinality, xp: Namespace, truth: Array, decision: Array
) -> Results:
    """The share of events that is covered, summed over them, their number and that of those met; and of alarm runs."""
    events, runs = find_runs(xp, truth), find_runs(xp, decision)
    both = xp.logical_and(truth, decision)
    # of an event and an alarm run that meet, the points in common are one piece, which lies in no other event or run
    pieces = sums_before(xp, xp.logical_and(both, xp.logical_not(shifted(xp, both))))
    met = between(xp, pieces, events)
    covered = _coverage(xp, events, both, met, bias, cardinality)
    covered_runs = _coverage(xp, runs, both, between(xp, pieces, runs), precision_bias, cardinality)
    return covered, total(xp, events.exists), total(xp, met > 0), covered_runs, total(xp, runs.exists)


def range_based_f1_of(xp: Namespace, counts: Results, alpha: Setting, zero: Setting) -> Results:
    """Precision, recall and F1 of shares and counts."""
    covered, events, met, covered_runs, runs = counts
    number_, found, alarms = real(xp, events, met, runs)
    precision = ratio(xp, covered_runs, alarms, zero)
    recall = ratio(xp, alpha * found + (1.0 - alpha) * covered, number_, zero)
    return precision, recall, harmonic_mean(xp, precision, recall, (alarms == 0, number_ == 0), zero)


def _coverage(xp: Namespace, runs: Runs, both: Array, met: Array, bias: Bias, cardinality: Cardinality) -> Array:
    """The sum over runs of γω, point by point: each point that is covered adds its share γδ/Σδ."""
    (pieces,) = real(xp, xp.maximum(met, 1) if cardinality == "reciprocal" else xp.ones_like(met))
    unit = ratio(xp, xp.ones_like(pieces), pieces * _total_weight(xp, runs.length, bias))  # γ/Σδ
    both, run, place = chosen(runs.lean, both, runs.changes // 2, positions(xp, both))
    from_start = place - xp.take_along_axis(runs.start, run) + 1
    to_end = xp.take_along_axis(runs.end, run) - place
    weights: dict[Bias, Array] = {
        "flat": xp.ones_like(place),
        "front": to_end,
        "back": from_start,
        "middle": xp.minimum(from_start, to_end),
    }
    (weight,) = real(xp, weights[bias])
    return xp.sum(xp.where(both, weight * xp.take_along_axis(unit, run), 0.0), axis=-1)


def _total_weight(xp: Namespace, length: Array, bias: Bias) -> Array:
    """What all points of a run weigh together."""
    n, half, rest = real(xp, length, (length + 1) // 2, (length + 2) // 2)
    return {"flat": n, "middle": half * rest}.get(bias, 0.5 * n * (n + 1.0))
