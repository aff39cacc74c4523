"""Areas under curves: average precision, the trapezoidal AUPR that it is taken for, and the ROC AUC."""

from __future__ import annotations

import math

from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Setting
from anomaly_kernels.metrics.ranking._evaluate import Results, evaluate
from anomaly_kernels.metrics.ranking._inputs import Axes, Share
from anomaly_kernels.metrics.ranking._sorted import Ranking


@with_hint
def average_precision(target: Array, score: Array, *, sample_weight: Array | None = None, axis: Axes = None) -> Array:
    r"""Average precision: the mean, over the positives, of the precision among all that score at least as high.

    .. math:: AP = \frac 1P \sum_{i: y_i = 1} \frac{|\{j: y_j = 1, s_j \ge s_i\}|}{|\{j: s_j \ge s_i\}|}

    It is the area under the step-wise precision-recall curve with tied scores taken together, as in scikit-learn.
    `aupr_trapezoid` is the area by trapezoids. You cannot train with it: its gradient is 0.

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is negative, all else positive (P of them). Raw scores s, higher for anomalies:
        a sigmoid in float32 would make all logits above 17 equal.
    sample_weight : array, shape of `target`, optional
        Weight of each sample, 0 or more; 1 by default. A sample of weight 0 is ignored.
    axis : int or tuple of ints, optional
        The axes of each ranking, all by default; those of an image rank each image of a batch by itself.

    Returns
    -------
    array
        In (0, 1], 0 without positives; NaN if a score is NaN. 0-d, or with `axis` the shape without these axes; in the
        dtype of `score`, for integer scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If a number cannot be a target, a decision or a weight (checked where values are known), the shapes differ,
        there is nothing to rank, or an axis does not exist.

    References
    ----------
    .. [1] J. Davis, M. Goadrich, "The Relationship Between Precision-Recall and ROC Curves", ICML, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth = np.asarray([True, True, False, False])
    >>> round(float(ak.average_precision(truth, np.asarray([4.0, 1.0, 2.0, -3.0]))), 4)
    0.8333
    """
    return evaluate(average_precision_of, target, score, sample_weight, axis)[0]


def average_precision_of(ranking: Ranking) -> Results:
    """Average precision of a ranking."""
    hits, alarms = ranking.at_or_above()
    precision = ratio(ranking.xp, hits, hits + alarms)  # 0 where all that reaches a threshold weighs nothing
    return (ranking.mean_over_positives(precision, 0.0),)


@with_hint
def aupr_trapezoid(target: Array, score: Array, *, sample_weight: Array | None = None, axis: Axes = None) -> Array:
    r"""Area under the precision-recall curve by trapezoids, which is usually too high.

    .. math:: \frac 1P \sum_{i: y_i = 1} \frac{p(s_i) + p(s_i^+)}{2}, \quad
        p(s) = \frac{|\{j: y_j = 1, s_j \ge s\}|}{|\{j: s_j \ge s\}|}

    s⁺ is the next higher score, and p above the highest score is 1. Between two points of the curve, precision is not a
    straight line [1]_, so no threshold reaches this area. Use it to compare with published numbers.

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
    array
        In (0, 1], 0 without positives; NaN if a score is NaN. 0-d, or with `axis` the shape without these axes; in the
        dtype of `score`, for integer scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If a number cannot be a target, a decision or a weight (checked where values are known), the shapes differ,
        there is nothing to rank, or an axis does not exist.

    References
    ----------
    .. [1] J. Davis, M. Goadrich, "The Relationship Between Precision-Recall and ROC Curves", ICML, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, constant = np.arange(100) == 0, np.zeros(100)
    >>> float(ak.aupr_trapezoid(truth, constant)), float(ak.average_precision(truth, constant))
    (0.505, 0.01)
    """
    return evaluate(aupr_trapezoid_of, target, score, sample_weight, axis)[0]


def aupr_trapezoid_of(ranking: Ranking) -> Results:
    """The trapezoidal area of a ranking."""
    xp, (hits, alarms), (hits_above, alarms_above) = ranking.xp, ranking.at_or_above(), ranking.above()
    precision, higher = ratio(xp, hits, hits + alarms), ratio(xp, hits_above, hits_above + alarms_above, 1.0)
    return (ranking.mean_over_positives(0.5 * (precision + higher), 0.0),)


@with_hint
def roc_auc(
    target: Array, score: Array, *, sample_weight: Array | None = None, axis: Axes = None, max_fpr: Share | None = None
) -> Array:
    r"""Area under the ROC curve: the probability that a positive scores higher than a negative, ties counting half.

    .. math:: AUC = \frac{1}{P N} \sum_{i: y_i = 1} \sum_{j: y_j = 0} \left([s_j < s_i] + \tfrac 12 [s_j = s_i]\right)

    Also called AUROC. Equals scikit-learn's, also with `max_fpr` [2]_. You cannot train with it: its gradient is 0.

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is negative (N of them), all else positive (P). Raw scores s, higher for anomalies.
    sample_weight : array, shape of `target`, optional
        Weight of each sample, 0 or more; 1 by default.
    axis : int or tuple of ints, optional
        The axes of each ranking, all by default.
    max_fpr : number or 0-d array, in (0, 1], optional
        F. Only the area A up to this false positive rate counts, on the scale of the whole area: (1 + (A − F²/2)/(F −
        F²/2))/2, which is 0.5 for a ranking by chance and 1 for a perfect one.

    Returns
    -------
    array
        In [0, 1], 0.5 by chance; NaN if there is only one class, or if any score is NaN. 0-d, or with `axis` the shape
        without these axes; in the dtype of `score`, for integer scores that of real targets, else the library's
        default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If a number cannot be a target, a decision or a weight (checked where values are known), the shapes differ,
        there is nothing to rank, an axis does not exist, or `max_fpr` is out of range.

    References
    ----------
    .. [1] J. A. Hanley, B. J. McNeil, "The Meaning and Use of the Area under a Receiver Operating Characteristic (ROC)
       Curve", Radiology, 1982.
    .. [2] D. K. McClish, "Analyzing a Portion of the ROC Curve", Medical Decision Making, 1989.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> float(ak.roc_auc(np.asarray([True, True, False, False]), np.asarray([4, 1, 2, -3])))
    0.75
    """
    if max_fpr is None:
        return evaluate(roc_auc_of, target, score, sample_weight, axis)[0]
    return evaluate(partial_roc_auc_of, target, score, sample_weight, axis, max_fpr=max_fpr)[0]


def roc_auc_of(ranking: Ranking) -> Results:
    """The area under the ROC curve of a ranking."""
    above, reached = ranking.above()[1], ranking.at_or_above()[1]
    below = ranking.negatives - 0.5 * (above + reached)  # halves of integers, whose sum is exact in any order
    mean = ranking.mean_over_positives(below, math.nan)
    return (ratio(ranking.xp, mean, ranking.negatives[..., 0], math.nan),)


def partial_roc_auc_of(ranking: Ranking, max_fpr: Setting) -> Results:
    """The area up to a false positive rate of a ranking, on the scale of the whole one."""
    least = 0.5 * max_fpr * max_fpr
    return (0.5 + 0.5 * (mean_area(ranking, max_fpr) - least) / (max_fpr - least),)


def mean_area(ranking: Ranking, max_fpr: Setting) -> Array:
    """The area under the ROC curve of a ranking up to a false positive rate."""
    xp, above, reached = ranking.xp, ranking.above()[1], ranking.at_or_above()[1]
    # each positive raises the curve by a ramp between the two, which is 1 from there on: its area up to the limit
    limit = max_fpr * ranking.negatives
    on_ramp = xp.clip(limit - above, 0.0, reached - above)
    area = 0.5 * on_ramp * ratio(xp, on_ramp, reached - above) + xp.maximum(limit - reached, 0.0)
    return ranking.mean_over_positives(ratio(xp, area, ranking.negatives, math.nan), math.nan)
