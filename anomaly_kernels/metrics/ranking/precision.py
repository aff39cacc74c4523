"""Average precision, and the trapezoidal area under the precision-recall curve (AUPR) that it is taken for."""

from __future__ import annotations

from typing import Annotated

from anomaly_kernels._core.checks import axes
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.typing import Array
from anomaly_kernels.metrics.ranking._evaluate import Results, evaluate
from anomaly_kernels.metrics.ranking._inputs import Axes
from anomaly_kernels.metrics.ranking._sorted import Ranking


def average_precision(
    target: Array,
    score: Array,
    *,
    sample_weight: Array | None = None,
    axis: Annotated[Axes, axes] = None,
) -> Array:
    r"""Average precision: the mean, over the positives, of the precision among all that score at least as high.

    .. math:: AP = \frac 1P \sum_{i: y_i = 1} \frac{|\{j: y_j = 1, s_j \ge s_i\}|}{|\{j: s_j \ge s_i\}|}

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. One of weight 0 is as if it were not there.
    axis : int or tuple of ints, optional
        The axes that each ranking goes along, all by default. With the axes of an image each image of a batch has its
        own.

    Returns
    -------
    array
        In (0, 1], and 0 without positives; NaN where a score is. 0-d, or with `axis` the shape without these axes. It
        has the dtype of `score`; for integer scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If the shapes differ, there is nothing to rank, or an axis does not exist.

    Notes
    -----
    The area under the step-wise precision-recall curve, tied scores taken together, as scikit-learn has it. The
    trapezoidal area, which others call by the same name, is `aupr_trapezoid` here: 0.505 instead of 0.010 for a
    constant score at 1 % positives. Give raw scores: a sigmoid in float32 makes all logits above 17 equal.

    Its derivative is 0: it is no loss.

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
    return evaluate(_average_precision, target, score, sample_weight, axis)[0]


def _average_precision(ranking: Ranking) -> Results:
    hits, alarms = ranking.at_or_above()
    precision = ratio(ranking.xp, hits, hits + alarms)  # 0 where all that reaches a threshold weighs nothing
    return (ranking.mean_over_positives(precision, 0.0),)


def aupr_trapezoid(
    target: Array,
    score: Array,
    *,
    sample_weight: Array | None = None,
    axis: Annotated[Axes, axes] = None,
) -> Array:
    r"""The trapezoidal area under the precision-recall curve, which is no mean of precisions: too high, as a rule.

    .. math:: \frac 1P \sum_{i: y_i = 1} \frac{p(s_i) + p(s_i^+)}{2}, \quad
        p(s) = \frac{|\{j: y_j = 1, s_j \ge s\}|}{|\{j: s_j \ge s\}|}

    with s⁺ the next higher score, and 1 for p above the highest.

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. One of weight 0 is as if it were not there.
    axis : int or tuple of ints, optional
        The axes that each ranking goes along, all by default.

    Returns
    -------
    array
        In (0, 1], and 0 without positives; NaN where a score is. 0-d, or with `axis` the shape without these axes. It
        has the dtype of `score`; for integer scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If the shapes differ, there is nothing to rank, or an axis does not exist.

    Notes
    -----
    ``auc(recall, precision)`` of scikit-learn's curve, and what Keras' and torchmetrics' interpolated areas come near
    to. Between two points of the curve precision is no straight line, and the area between is not reached by any
    threshold [1]_: use `average_precision` unless published numbers are to be compared with.

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
    return evaluate(_aupr_trapezoid, target, score, sample_weight, axis)[0]


def _aupr_trapezoid(ranking: Ranking) -> Results:
    xp, (hits, alarms), (hits_above, alarms_above) = ranking.xp, ranking.at_or_above(), ranking.above()
    precision, higher = ratio(xp, hits, hits + alarms), ratio(xp, hits_above, hits_above + alarms_above, 1.0)
    return (ranking.mean_over_positives(0.5 * (precision + higher), 0.0),)
