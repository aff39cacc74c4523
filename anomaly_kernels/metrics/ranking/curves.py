"""The precision-recall curve and the ROC curve, a point for each distinct score."""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated, NamedTuple

from anomaly_kernels._core.checks import cast, flag, not_empty
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, DType
from anomaly_kernels.metrics._results import nan_where
from anomaly_kernels.metrics.ranking._evaluate import Metric, Results
from anomaly_kernels.metrics.ranking._inputs import check_inputs
from anomaly_kernels.metrics.ranking._sorted import Ranking, by_counts
from anomaly_kernels.metrics.ranking.unique_scores import UniqueScores


class PrecisionRecallCurve(NamedTuple):
    """The results of `precision_recall_curve`: M thresholds, and M + 1 points, the last of no alarm."""

    precision: Array
    recall: Array
    threshold: Array


class ROCCurve(NamedTuple):
    """The results of `roc_curve`: as many thresholds as points, the first of no alarm."""

    fpr: Array
    tpr: Array
    threshold: Array


@with_hint
def precision_recall_curve(target: Array, score: Array, *, sample_weight: Array | None = None) -> PrecisionRecallCurve:
    r"""Precision and recall at every threshold that makes a difference.

    .. math:: \frac{TP(s)}{TP(s) + FP(s)}, \quad \frac{TP(s)}{P}

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is negative, all else positive (P of them). Raw scores s, higher for anomalies.
    sample_weight : array, shape of `target`, optional
        Weight of each sample, 0 or more; 1 by default.

    Returns
    -------
    PrecisionRecallCurve
        `threshold` (M,), the distinct scores, ascending, and `precision` and `recall` (M + 1,), which end in 1 and 0,
        where nothing raises an alarm; as scikit-learn has them. Recall is 1 without positives; all are NaN if a score
        is NaN. In the dtype of `score`, for integer scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, are neither boolean nor numbers, or are traced.
    ValueError
        If a number cannot be a target, a decision or a weight (checked where values are known), the shapes differ, or
        there is nothing to rank.

    References
    ----------
    .. [1] J. Davis, M. Goadrich, "The Relationship Between Precision-Recall and ROC Curves", ICML, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, score = np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0])
    >>> curve = ak.precision_recall_curve(truth, score)
    >>> curve.threshold.tolist(), curve.recall.tolist()
    ([-3.0, 1.0, 2.0, 4.0], [1.0, 1.0, 0.5, 0.5, 0.0])
    """
    return PrecisionRecallCurve(*_evaluate_curve(_precision_recall, target, score, sample_weight))


def _precision_recall(ranking: Ranking) -> Results:
    xp, (hits, alarms) = ranking.xp, ranking.at_or_above()
    precision, recall = ratio(xp, hits, hits + alarms), ratio(xp, hits, ranking.positives, 1.0)
    end = xp.zeros_like(ranking.positives)
    return xp.concat([precision, end + 1.0]), xp.concat([recall, end]), ranking.thresholds


@with_hint
def roc_curve(
    target: Array, score: Array, *, sample_weight: Array | None = None, drop_intermediate: Annotated[bool, flag] = True
) -> ROCCurve:
    r"""False and true positive rate at every threshold that makes a difference.

    .. math:: \frac{FP(s)}{N}, \quad \frac{TP(s)}{P}

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is negative (N of them), all else positive (P). Raw scores s, higher for anomalies.
    sample_weight : array, shape of `target`, optional
        Weight of each sample, 0 or more; 1 by default.
    drop_intermediate : bool
        Whether to leave out points on the straight line between their neighbours.

    Returns
    -------
    ROCCurve
        `fpr`, `tpr` and `threshold`, (M,) each, from no alarm, at infinity, to all; as scikit-learn has them. The rate
        of a class without samples is NaN, and all are where a score is. The dtype is that of `precision_recall_curve`.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, are neither boolean nor numbers, or are traced.
    ValueError
        If a number cannot be a target, a decision or a weight (checked where values are known), the shapes differ, or
        there is nothing to rank.

    References
    ----------
    .. [1] T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> curve = ak.roc_curve(np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0]))
    >>> curve.fpr.tolist(), curve.tpr.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    flag("drop_intermediate", drop_intermediate)
    return ROCCurve(*_evaluate_curve(partial(_roc, drop_intermediate=drop_intermediate), target, score, sample_weight))


def _roc(ranking: Ranking, *, drop_intermediate: bool) -> Results:
    xp, thresholds, (hits, alarms) = ranking.xp, ranking.thresholds, ranking.at_or_above()
    if drop_intermediate and hits.shape[0] > 2:
        corner = xp.logical_or(_turns(hits), _turns(alarms))
        end = xp.ones_like(corner[:1])
        kept = xp.concat([end, corner, end])
        hits, alarms, thresholds = hits[kept], alarms[kept], thresholds[kept]
    start = xp.zeros_like(ranking.positives)
    fpr = ratio(xp, xp.concat([start, xp.flip(alarms, axis=0)]), ranking.negatives, math.nan)
    tpr = ratio(xp, xp.concat([start, xp.flip(hits, axis=0)]), ranking.positives, math.nan)
    return fpr, tpr, xp.concat([start + math.inf, xp.flip(thresholds, axis=0)])


def _turns(x: Array) -> Array:
    """Where, but for both ends, the step to the next number is another one than the step before."""
    step = x[1:] - x[:-1]
    return step[1:] != step[:-1]


def _evaluate_curve(curve: Metric, target: Array, score: Array, sample_weight: Array | None) -> Results:
    xp, dtype, arrays = check_inputs(target, score, sample_weight)
    not_empty(target=target)
    whole = partial(_curve_of_state, curve, dtype)
    results = xp.fold(UniqueScores.of, UniqueScores.merge, whole, arrays, ())
    if results is not None:
        return results
    if not all(xp.is_known(x) for x in arrays):
        raise TypeError("a curve has as many points as there are distinct scores: it cannot be traced or compiled")
    return whole(UniqueScores.of(*arrays))


def _curve_of_state(curve: Metric, dtype: DType, state: UniqueScores) -> Results:
    xp = array_namespace(state.score)
    ranking = by_counts(xp, cast(xp, xp.wide(state.score), state.score), state.positive, state.negative)
    nan = xp.isnan(ranking.positives + ranking.negatives)
    return tuple(cast(xp, dtype, nan_where(xp, nan, x)) for x in curve(ranking))
