"""Metrics of a ranking: they see the order of the scores and nothing else, and no threshold but those the scores give.

A threshold s means that all scores of s and higher raise an alarm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, NamedTuple, SupportsIndex

from anomaly_kernels._core.checks import SHARE, axes, cast, flag, not_empty, positive
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.metrics._labelled import Axes, checked
from anomaly_kernels.metrics._masks import unless
from anomaly_kernels.metrics._ranked import Ranking, Results, answer
from anomaly_kernels.metrics._unique import UniqueScores


class BestF1(NamedTuple):
    """What `best_f1` returns."""

    value: Array
    threshold: Array


class PrecisionRecallCurve(NamedTuple):
    """What `precision_recall_curve` returns: M thresholds, and M + 1 points, the last of no alarm."""

    precision: Array
    recall: Array
    threshold: Array


class ROCCurve(NamedTuple):
    """What `roc_curve` returns: as many thresholds as points, the first of no alarm."""

    fpr: Array
    tpr: Array
    threshold: Array


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
    return answer(_average_precision, target, score, sample_weight, axis)[0]


def _average_precision(ranking: Ranking) -> Results:
    return (ranking.mean_of_positives(_precision(ranking), 0.0),)


def _precision(ranking: Ranking) -> Array:
    """Precision where each score asked about is the threshold, 0 where nothing there weighs anything."""
    hits, alarms = ranking.reaching()
    return ratio(ranking.xp, hits, hits + alarms)


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
    return answer(_aupr_trapezoid, target, score, sample_weight, axis)[0]


def _aupr_trapezoid(ranking: Ranking) -> Results:
    hits, alarms = ranking.above()
    higher = ratio(ranking.xp, hits, hits + alarms, 1.0)
    return (ranking.mean_of_positives(0.5 * (_precision(ranking) + higher), 0.0),)


def roc_auc(
    target: Array,
    score: Array,
    *,
    sample_weight: Array | None = None,
    axis: Annotated[Axes, axes] = None,
    max_fpr: Annotated[Setting, SHARE] | None = None,
) -> Array:
    r"""Area under the ROC curve: the probability that a positive scores higher than a negative, ties counting half.

    .. math:: AUC = \frac{1}{P N} \sum_{i: y_i = 1} \sum_{j: y_j = 0} \left([s_j < s_i] + \tfrac 12 [s_j = s_i]\right)

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive, N negative.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. One of weight 0 is as if it were not there.
    axis : int or tuple of ints, optional
        The axes that each ranking goes along, all by default.
    max_fpr : number or 0-d array, in (0, 1], optional
        F. The area A up to this false positive rate alone, on the scale of the whole one [2]_:
        (1 + (A − F²/2)/(F − F²/2))/2, which is 0.5 for a ranking by chance and 1 for a perfect one.

    Returns
    -------
    array
        In [0, 1], 0.5 for a ranking by chance; NaN where there is but one class, or a score is NaN. 0-d, or with `axis`
        the shape without these axes. It has the dtype of `score`; for integer scores that of real targets, else the
        library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If the shapes differ, there is nothing to rank, an axis does not exist, or `max_fpr` is out of range.

    Notes
    -----
    As scikit-learn has it, the partial area too. Its derivative is 0: it is no loss.

    References
    ----------
    .. [1] J. A. Hanley, B. J. McNeil, "The Meaning and Use of the Area under a Receiver Operating Characteristic (ROC)
       Curve", Radiology, 1982.
    .. [2] D. K. McClish, "Analyzing a Portion of the ROC Curve", Medical Decision Making, 1989.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth = np.asarray([True, True, False, False])
    >>> float(ak.roc_auc(truth, np.asarray([4, 1, 2, -3])))
    0.75
    """
    if max_fpr is None:
        return answer(_roc_auc, target, score, sample_weight, axis)[0]
    return answer(_partial_roc_auc, target, score, sample_weight, axis, {"max_fpr": max_fpr})[0]


def _roc_auc(ranking: Ranking) -> Results:
    above, reaching = ranking.above()[1], ranking.reaching()[1]
    below = ranking.negatives - 0.5 * (above + reaching)  # halves of integers, whose sum is exact in any order
    found = ranking.mean_of_positives(below, math.nan)
    return (ratio(ranking.xp, found, ranking.negatives[..., 0], math.nan),)


def _partial_roc_auc(ranking: Ranking, max_fpr: Setting) -> Results:
    xp, above, reaching = ranking.xp, ranking.above()[1], ranking.reaching()[1]
    # each positive raises the curve by a ramp between the two, which is 1 from there on: its area up to the limit
    limit = max_fpr * ranking.negatives
    on_ramp = xp.clip(limit - above, 0.0, reaching - above)
    area = 0.5 * on_ramp * ratio(xp, on_ramp, reaching - above) + xp.maximum(limit - reaching, 0.0)
    least = 0.5 * max_fpr * max_fpr
    found = ranking.mean_of_positives(ratio(xp, area, ranking.negatives, math.nan), math.nan)
    return (0.5 + 0.5 * (found - least) / (max_fpr - least),)


def best_f1(
    target: Array,
    score: Array,
    *,
    sample_weight: Array | None = None,
    axis: Annotated[Axes, axes] = None,
) -> BestF1:
    r"""The highest F1 score that a threshold can give, and that threshold.

    .. math:: \max_s \frac{2\, TP(s)}{P + TP(s) + FP(s)}

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
    BestF1
        `value`, in (0, 1], and 0 without positives; NaN where a score is. `threshold`, the highest score s of which
        ``score >= s`` has that F1 score (without positives the highest of all); integer scores give an integer.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If the shapes differ, there is nothing to rank, or an axis does not exist.

    Notes
    -----
    A threshold chosen on the data it is judged on flatters: choose it on one part, apply it to another.

    References
    ----------
    .. [1] C. J. van Rijsbergen, "Information Retrieval", 2nd ed., Butterworths, 1979, chapter 7.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> found = ak.best_f1(np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0]))
    >>> float(found.value), float(found.threshold)
    (0.8, 1.0)
    """
    return BestF1(*answer(_best_f1, target, score, sample_weight, axis))


def _best_f1(ranking: Ranking) -> Results:
    xp, asked = ranking.xp, ranking.asked
    hits, alarms = ranking.reaching()
    f1 = ratio(xp, 2.0 * hits, ranking.positives + hits + alarms)
    f1 = xp.where(ranking.weight > 0, f1, 0.0)
    best = xp.max(f1, axis=-1, keepdims=True)
    lowest = xp.min(asked, axis=-1, keepdims=True)
    there = xp.logical_and(f1 == best, hits + alarms > 0)  # above all that weighs something there is no threshold
    return best[..., 0], xp.max(xp.where(there, asked, lowest), axis=-1)


def fpr_at_tpr(
    target: Array,
    score: Array,
    *,
    sample_weight: Array | None = None,
    axis: Annotated[Axes, axes] = None,
    tpr: Annotated[Setting, SHARE] = 0.95,
) -> Array:
    r"""The false positive rate at the highest threshold that finds a given share of the positives (FPR@95).

    .. math:: \min_s \{FP(s)/N : TP(s)/P \ge r\}

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive, N negative.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. One of weight 0 is as if it were not there.
    axis : int or tuple of ints, optional
        The axes that each ranking goes along, all by default.
    tpr : number or 0-d array, in (0, 1]
        The share r of the positives to find, at least.

    Returns
    -------
    array
        In [0, 1], lower being better; NaN where there is but one class, or a score is NaN. 0-d, or with `axis` the
        shape without these axes. It has the dtype of `score`; for integer scores that of real targets, else the
        library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If the shapes differ, there is nothing to rank, an axis does not exist, or `tpr` is out of range.

    Notes
    -----
    No interpolation: the rates are those of a threshold that exists. Others interpolate between two of them, or take
    the anomalies for the negatives.

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
    return answer(_fpr_at_tpr, target, score, sample_weight, axis, {"tpr": tpr})[0]


def _fpr_at_tpr(ranking: Ranking, tpr: Setting) -> Results:
    xp = ranking.xp
    hits, alarms = ranking.reaching()
    found, wrong = ratio(xp, hits, ranking.positives, math.nan), ratio(xp, alarms, ranking.negatives, math.nan)
    # a quotient, not a product with the share, is what the nearest number to 0.95 equals for 19 of 20
    least = xp.min(xp.where(found >= tpr, wrong, 1.0), axis=-1)
    return (xp.where(xp.isnan(found[..., 0] + wrong[..., 0]), math.nan, least),)


def _k(name: str, value: Any) -> float:
    # torch.compile would compile `positive` anew for each k; a float, since k may be beyond the library's integers
    return float(value if type(value) is int and 0 < value < 2**63 else positive(name, value, "an integer"))


def precision_at_k(
    target: Array,
    score: Array,
    *,
    k: Annotated[SupportsIndex, _k],
    sample_weight: Array | None = None,
    axis: Annotated[Axes, axes] = None,
) -> Array:
    r"""The share of anomalies among the k highest scores.

    .. math:: \frac 1k \sum_{i: y_i = 1} \min\left(1, \max\left(0, \frac{k - |\{j: s_j > s_i\}|}{|\{j: s_j = s_i\}|}
        \right)\right)

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    k : int, at least 1
        How many are looked at: what an analyst has time for.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. With counts the k highest of repeated samples.
    axis : int or tuple of ints, optional
        The axes that each ranking goes along, all by default.

    Returns
    -------
    array
        In [0, 1]; NaN where a score is. 0-d, or with `axis` the shape without these axes. It has the dtype of `score`;
        for integer scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers, or k is no integer.
    ValueError
        If the shapes differ, there is nothing to rank, an axis does not exist, or k is below 1.

    Notes
    -----
    Where the k-th score is tied, the mean over all orders of the tied ones, so that the order of the samples changes
    nothing. Where there are fewer than k samples, those that are missing are no anomalies.

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
    return answer(partial(_precision_at_k, k=_k("k", k)), target, score, sample_weight, axis)[0]


def _precision_at_k(ranking: Ranking, k: float) -> Results:
    (hits_above, alarms_above), (hits, alarms) = ranking.above(), ranking.reaching()
    above, tied = hits_above + alarms_above, hits - hits_above + alarms - alarms_above
    looked_at = ratio(ranking.xp, ranking.xp.clip(k - above, 0.0, tied), tied)
    return (ranking.over_positives(looked_at) / k,)


def precision_recall_curve(target: Array, score: Array, *, sample_weight: Array | None = None) -> PrecisionRecallCurve:
    r"""Precision and recall at every threshold that makes a difference.

    .. math:: \frac{TP(s)}{TP(s) + FP(s)}, \quad \frac{TP(s)}{P}

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. One of weight 0 is as if it were not there.

    Returns
    -------
    PrecisionRecallCurve
        `threshold` (M,), the distinct scores, ascending, and `precision` and `recall` (M + 1,), which end in 1 and 0,
        where nothing raises an alarm; as scikit-learn has them. Recall is 1 without positives. All are NaN where a
        score is. They have the dtype of `score`; for integer scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers; or if they are traced, since
        the number of points depends on the scores.
    ValueError
        If the shapes differ, or there is nothing to rank.

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
    return PrecisionRecallCurve(*_curve("precision_recall_curve", _precision_recall, target, score, sample_weight))


def _precision_recall(xp: Namespace, counts: _Counts) -> Results:
    hits, alarms, positives, _, threshold = counts
    precision, recall = ratio(xp, hits, hits + alarms), ratio(xp, hits, positives, 1.0)
    end = xp.zeros_like(positives)
    return xp.concat([precision, end + 1.0]), xp.concat([recall, end]), threshold


def roc_curve(
    target: Array, score: Array, *, sample_weight: Array | None = None, drop_intermediate: Annotated[bool, flag] = True
) -> ROCCurve:
    r"""False and true positive rate at every threshold that makes a difference.

    .. math:: \frac{FP(s)}{N}, \quad \frac{TP(s)}{P}

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive, N negative.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. One of weight 0 is as if it were not there.
    drop_intermediate : bool
        Whether to leave out points on the straight line between their neighbours.

    Returns
    -------
    ROCCurve
        `fpr`, `tpr` and `threshold`, (M,) each, from no alarm, at infinity, to all; as scikit-learn has them. A rate of
        a class that is not there is NaN, and all are where a score is. They have the dtype of `score`; for integer
        scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers; or if they are traced, since
        the number of points depends on the scores.
    ValueError
        If the shapes differ, or there is nothing to rank.

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
    metric = partial(_roc, drop_intermediate=drop_intermediate)
    return ROCCurve(*_curve("roc_curve", metric, target, score, sample_weight))


def _roc(xp: Namespace, counts: _Counts, *, drop_intermediate: bool) -> Results:
    hits, alarms, positives, negatives, threshold = counts
    if drop_intermediate and hits.shape[0] > 2:
        corner = xp.logical_or(_turns(hits), _turns(alarms))
        end = xp.ones_like(corner[:1])
        kept = xp.concat([end, corner, end])
        hits, alarms, threshold = hits[kept], alarms[kept], threshold[kept]
    start = xp.zeros_like(positives)
    fpr = ratio(xp, xp.concat([start, xp.flip(alarms, axis=0)]), negatives, math.nan)
    tpr = ratio(xp, xp.concat([start, xp.flip(hits, axis=0)]), positives, math.nan)
    return fpr, tpr, xp.concat([start + math.inf, xp.flip(threshold, axis=0)])


def _turns(x: Array) -> Array:
    """Where, but for both ends, the step to the next number is another one than the step before."""
    step = x[1:] - x[:-1]
    return step[1:] != step[:-1]


class _Counts(NamedTuple):
    """What weighs as much as each threshold, ascending, or more; what weighs at all; all in the wide dtype."""

    hits: Array
    alarms: Array
    positives: Array  # (1,)
    negatives: Array
    threshold: Array


def _curve(
    name: str, metric: Callable[..., Results], target: Array, score: Array, sample_weight: Array | None
) -> Results:
    xp, dtype, arrays = checked(target, score, sample_weight)
    not_empty(target=target)

    def whole(state: UniqueScores) -> Results:
        xp = array_namespace(state.score)
        wide = xp.wide(state.score)
        weights = [xp.astype(x, wide) for x in (state.positive, state.negative)]
        totals = [xp.sum(x, axis=0, keepdims=True) for x in weights]
        sums = (xp.flip(xp.cumulative_sum(xp.flip(x, axis=0), axis=0), axis=0) for x in weights)
        found = metric(xp, _Counts(*(*sums, *totals, xp.astype(state.score, wide))))
        nan = xp.isnan(totals[0] + totals[1])
        return tuple(cast(xp, dtype, unless(xp, nan, x)) for x in found)

    folded = xp.fold(UniqueScores.of, UniqueScores.merge, whole, arrays, ())
    if folded is not None:
        return folded
    if not all(xp.is_known(x) for x in arrays):
        raise TypeError(f"`{name}` has as many points as there are distinct scores: it cannot be traced or compiled")
    return whole(UniqueScores.of(*arrays))
