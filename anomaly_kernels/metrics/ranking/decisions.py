"""Metrics of decisions at one threshold, or of a number of alarms: best F1, FPR at a given TPR, precision at k."""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated, Any, NamedTuple, SupportsIndex, TypeAlias

from anomaly_kernels._core.checks import positive
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.metrics.ranking._evaluate import Results, evaluate
from anomaly_kernels.metrics.ranking._inputs import Axes, Share
from anomaly_kernels.metrics.ranking._sorted import Ranking


class BestF1(NamedTuple):
    """The results of `best_f1`."""

    value: Array
    threshold: Array


@with_hint
def best_f1(target: Array, score: Array, *, sample_weight: Array | None = None, axis: Axes = None) -> BestF1:
    r"""The highest F1 score that a threshold can give, and that threshold.

    .. math:: \max_s \frac{2\, TP(s)}{P + TP(s) + FP(s)}

    A threshold that is chosen on the same data gives too good a value. Choose it on one part of the data, and apply it
    to another.

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is negative, all else positive (P of them). Raw scores s, higher for anomalies.
    sample_weight : array, shape of `target`, optional
        Weight of each sample, 0 or more; 1 by default.
    axis : int or tuple of ints, optional
        The axes of each ranking, all by default.

    Returns
    -------
    BestF1
        `value`, in (0, 1], 0 without positives; NaN if a score is NaN. `threshold`, the highest score s of which
        ``score >= s`` has that F1 score (without positives the highest of all); integer scores give an integer.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If a number cannot be a target, a decision or a weight (checked where values are known), the shapes differ,
        there is nothing to rank, or an axis does not exist.

    References
    ----------
    .. [1] C. J. van Rijsbergen, "Information Retrieval", 2nd ed., Butterworths, 1979, chapter 7.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> result = ak.best_f1(np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0]))
    >>> float(result.value), float(result.threshold)
    (0.8, 1.0)
    """
    return BestF1(*evaluate(best_f1_of, target, score, sample_weight, axis))


def best_f1_of(ranking: Ranking) -> Results:
    """The highest F1 score of a ranking, and its threshold."""
    xp = ranking.xp
    hits, alarms = ranking.at_or_above()
    f1 = xp.where(ranking.weight > 0, ratio(xp, 2.0 * hits, ranking.positives + hits + alarms), 0.0)
    # above all that weighs something there is no threshold
    return highest(xp, f1, ranking.thresholds, hits + alarms > 0)


def highest(xp: Namespace, values: Array, thresholds: Array, possible: Array | None = None) -> Results:
    """The highest value at any threshold, and the highest of those thresholds that have it, if one is possible."""
    best = xp.max(values, axis=-1, keepdims=True)
    is_best = values == best if possible is None else xp.logical_and(values == best, possible)
    lowest = xp.min(thresholds, axis=-1, keepdims=True)
    return best[..., 0], xp.max(xp.where(is_best, thresholds, lowest), axis=-1)


@with_hint
def fpr_at_tpr(
    target: Array, score: Array, *, sample_weight: Array | None = None, axis: Axes = None, tpr: Share = 0.95
) -> Array:
    r"""The false positive rate at the highest threshold that finds a given share of the positives (FPR@95).

    .. math:: \min_s \{FP(s)/N : TP(s)/P \ge r\}

    It is not interpolated: it is the rate of a threshold that exists.

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is negative (N of them), all else positive (P). Raw scores s, higher for anomalies.
    sample_weight : array, shape of `target`, optional
        Weight of each sample, 0 or more; 1 by default.
    axis : int or tuple of ints, optional
        The axes of each ranking, all by default.
    tpr : number or 0-d array, in (0, 1]
        The least share r of the positives to find.

    Returns
    -------
    array
        In [0, 1], low for good scores; NaN if there is only one class, or if any score is NaN. 0-d, or with `axis` the
        shape without these axes; in the dtype of `score`, for integer scores that of real targets, else the default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If a number cannot be a target, a decision or a weight (checked where values are known), the shapes differ,
        there is nothing to rank, an axis does not exist, or `tpr` is out of range.

    References
    ----------
    .. [1] S. Liang, Y. Li, R. Srikant, "Enhancing the Reliability of Out-of-distribution Image Detection in Neural
       Networks", ICLR, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> float(ak.fpr_at_tpr(np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0])))
    0.5
    """
    return evaluate(fpr_at_tpr_of, target, score, sample_weight, axis, tpr=tpr)[0]


def fpr_at_tpr_of(ranking: Ranking, tpr: Setting) -> Results:
    """The false positive rate of a ranking where it finds enough positives."""
    xp = ranking.xp
    hits, alarms = ranking.at_or_above()
    recall, fpr = ratio(xp, hits, ranking.positives, math.nan), ratio(xp, alarms, ranking.negatives, math.nan)
    # a quotient, not a product with the share, is what the nearest number to 0.95 equals for 19 of 20
    least = xp.min(xp.where(recall >= tpr, fpr, 1.0), axis=-1)
    return (xp.where(xp.isnan(recall[..., 0] + fpr[..., 0]), math.nan, least),)


def check_k(name: str, value: Any) -> float:
    """k as a float, or an error unless it is a positive integer."""
    # torch.compile would compile `positive` anew for each k; a float, since k may be beyond the library's integers
    return float(value if type(value) is int and 0 < value < 2**63 else positive(name, value, "an integer"))


K: TypeAlias = Annotated[SupportsIndex, check_k]


@with_hint
def precision_at_k(
    target: Array, score: Array, *, k: K, sample_weight: Array | None = None, axis: Axes = None
) -> Array:
    r"""The share of anomalies among the k highest scores.

    .. math:: \frac 1k \sum_{i: y_i = 1} \min\left(1, \max\left(0, \frac{k - |\{j: s_j > s_i\}|}{|\{j: s_j = s_i\}|}
        \right)\right)

    If the k-th score is tied, it is the mean over all orders of the tied scores. Samples that are missing count as
    normal.

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is negative, all else positive. Raw scores s, higher for anomalies.
    k : int, at least 1
        How many samples are looked at, such as the number that an analyst has time for.
    sample_weight : array, shape of `target`, optional
        Weight of each sample, 0 or more; 1 by default. k then counts weight, not samples: the highest scores until
        their weights add up to k, as if a sample of weight 3 stood there three times.
    axis : int or tuple of ints, optional
        The axes of each ranking, all by default.

    Returns
    -------
    array
        In [0, 1]; NaN if a score is NaN. 0-d, or with `axis` the shape without these axes; in the dtype of `score`, for
        integer scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers, or k is not an integer.
    ValueError
        If a number cannot be a target, a decision or a weight (checked where values are known), the shapes differ,
        there is nothing to rank, an axis does not exist, or k is below 1.

    References
    ----------
    .. [1] C. D. Manning, P. Raghavan, H. Schütze, "Introduction to Information Retrieval", Cambridge University Press,
       2008, section 8.4.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, score = np.asarray([True, True, False, False]), np.asarray([4.0, 2.0, 2.0, -3.0])
    >>> float(ak.precision_at_k(truth, score, k=1)), float(ak.precision_at_k(truth, score, k=2))
    (1.0, 0.75)
    """
    return evaluate(partial(precision_at_k_of, k=check_k("k", k)), target, score, sample_weight, axis)[0]


def precision_at_k_of(ranking: Ranking, k: float) -> Results:
    """The share of positives among the k first of a ranking."""
    (hits_above, alarms_above), (hits, alarms) = ranking.above(), ranking.at_or_above()
    above, tied = hits_above + alarms_above, hits - hits_above + alarms - alarms_above
    looked_at = ratio(ranking.xp, ranking.xp.clip(k - above, 0.0, tied), tied)
    return (ranking.xp.sum(ranking.weight * looked_at, axis=-1) / k,)
