"""Operating points: the threshold that finds enough of the anomalies, or whose alarms are right often enough."""

from __future__ import annotations

import math
from typing import NamedTuple

from anomaly_kernels._core.checks import cast, is_real
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Setting
from anomaly_kernels.metrics.ranking._evaluate import Results, evaluate
from anomaly_kernels.metrics.ranking._inputs import Axes, Share
from anomaly_kernels.metrics.ranking._sorted import Ranking


class OperatingPoint(NamedTuple):
    """The results of `threshold_at_recall` and `threshold_at_precision`."""

    threshold: Array
    precision: Array
    recall: Array


@with_hint
def threshold_at_recall(
    target: Array,
    score: Array,
    *,
    recall: Share = 0.95,
    sample_weight: Array | None = None,
    axis: Axes = None,
) -> OperatingPoint:
    r"""The highest threshold that finds a given share of the anomalies, and its precision and recall.

    .. math:: \max \{s : TP(s)/P \ge r\}

    `fpr_at_tpr` is the false positive rate at this threshold.

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is negative, all else positive (P of them). Raw scores s, higher for anomalies.
    recall : number or 0-d array, in (0, 1]
        The least share r of the positives to find.
    sample_weight : array, shape of `target`, optional
        Weight of each sample, 0 or more; 1 by default.
    axis : int or tuple of ints, optional
        The axes of each ranking, all by default.

    Returns
    -------
    OperatingPoint
        `threshold`, the score of a positive: ``score >= threshold`` alarms; `precision` and `recall` of these alarms.
        All three are NaN without positives, and if a score is NaN. 0-d, or with `axis` the shape without these axes; in
        the dtype of `score`, for integer scores real too.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If a number cannot be a target or a weight (checked where values are known), the shapes differ, there is nothing
        to rank, an axis does not exist, or `recall` is out of range.

    References
    ----------
    .. [1] C. D. Manning, P. Raghavan, H. Schütze, "Introduction to Information Retrieval", Cambridge University Press,
       2008, chapter 8.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, score = np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0])
    >>> [round(float(x), 4) for x in ak.threshold_at_recall(truth, score, recall=0.9)]
    [1.0, 0.6667, 1.0]
    """
    return _operating_point(score, *evaluate(at_recall, target, score, sample_weight, axis, recall=recall))


def at_recall(ranking: Ranking, recall: Setting) -> Results:
    """Threshold, precision and recall of a ranking where it finds enough positives; NaN without positives."""
    xp = ranking.xp
    hits, alarms = ranking.at_or_above()
    # a quotient, not a product with the share, is what the nearest number to 0.95 equals for 19 of 20
    enough = ratio(xp, hits, ranking.positives) >= recall
    return _highest_of(ranking, enough, hits, alarms, math.nan)


@with_hint
def threshold_at_precision(
    target: Array,
    score: Array,
    *,
    precision: Share = 0.9,
    sample_weight: Array | None = None,
    axis: Axes = None,
) -> OperatingPoint:
    r"""The threshold with the highest recall among those that reach a given precision.

    .. math:: \max \{s : TP(s) = \max_{s' : TP(s')/(TP(s') + FP(s')) \ge p} TP(s')\}

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is negative, all else positive (P of them). Raw scores s, higher for anomalies.
    precision : number or 0-d array, in (0, 1]
        The least share p of the alarms that must be right.
    sample_weight : array, shape of `target`, optional
        Weight of each sample, 0 or more; 1 by default.
    axis : int or tuple of ints, optional
        The axes of each ranking, all by default.

    Returns
    -------
    OperatingPoint
        `threshold`, the score of a positive: ``score >= threshold`` alarms. Of several thresholds with the highest
        recall it is the highest. `precision` and `recall` are those of its alarms. If no threshold reaches the
        precision, as without positives, the three are infinity, 0 and 0. All three are NaN if a score is NaN. 0-d, or
        with `axis` the shape without these axes; in the dtype of `score`, for integer scores real too.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If a number cannot be a target or a weight (checked where values are known), the shapes differ, there is nothing
        to rank, an axis does not exist, or `precision` is out of range.

    References
    ----------
    .. [1] C. D. Manning, P. Raghavan, H. Schütze, "Introduction to Information Retrieval", Cambridge University Press,
       2008, chapter 8.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, score = np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0])
    >>> [round(float(x), 4) for x in ak.threshold_at_precision(truth, score, precision=0.6)]
    [1.0, 0.6667, 1.0]
    >>> [float(x) for x in ak.threshold_at_precision(truth, score, precision=0.9)]
    [4.0, 1.0, 0.5]
    """
    return _operating_point(score, *evaluate(at_precision, target, score, sample_weight, axis, precision=precision))


def at_precision(ranking: Ranking, precision: Setting) -> Results:
    """Threshold, precision and recall where a ranking finds most positives, precisely enough; 0 where it never is."""
    xp = ranking.xp
    hits, alarms = ranking.at_or_above()
    precise = ratio(xp, hits, hits + alarms) >= precision
    found = xp.where(precise, hits, 0.0)
    best = xp.logical_and(precise, found == xp.max(found, axis=-1, keepdims=True))
    return _highest_of(ranking, best, hits, alarms, 0.0)


def _highest_of(ranking: Ranking, chosen: Array, hits: Array, alarms: Array, otherwise: float) -> Results:
    """The highest of the chosen thresholds, at which hits and alarms are fewest, with its precision and recall."""
    xp, lowest = ranking.xp, ranking.xp.min(ranking.thresholds, axis=-1, keepdims=True)
    threshold = xp.max(xp.where(chosen, ranking.thresholds, lowest), axis=-1)
    right = xp.min(xp.where(chosen, hits, ranking.positives), axis=-1)
    wrong = xp.min(xp.where(chosen, alarms, ranking.negatives), axis=-1)
    nothing = xp.logical_not(xp.any(chosen, axis=-1))
    precision, recall = ratio(xp, right, right + wrong), ratio(xp, right, ranking.positives[..., 0])
    return threshold, xp.where(nothing, otherwise, precision), xp.where(nothing, otherwise, recall)


def _operating_point(score: Array, threshold: Array, precision: Array, recall: Array) -> OperatingPoint:
    """The results, with a threshold that nothing reaches where none has been chosen; integers have no such number."""
    xp = array_namespace(recall)
    dtype = threshold.dtype if is_real(threshold) else xp.wide(score)
    threshold = xp.where(recall == 0.0, math.inf, cast(xp, dtype, threshold))
    return OperatingPoint(xp.where(xp.isnan(recall), math.nan, threshold), precision, recall)
