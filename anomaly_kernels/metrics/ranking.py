"""Metrics of a ranking: they see the order of the scores and nothing else.

Positives are looked up in sorted scores, so ties are exact. Eagerly on the CPU positives and negatives are picked out
by boolean masks; compilers, graphs and accelerators want fixed shapes, and sort all scores twice instead.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from anomaly_kernels._checks import cast, dtype_name, inputs, is_real, not_empty, same_shape
from anomaly_kernels._numeric import ratio
from anomaly_kernels._typing import Array, DType, Namespace
from anomaly_kernels.metrics._masks import count, has_nan, result_dtype, unless


def average_precision(target: Array, score: Array) -> Array:
    r"""Average precision: the mean, over the positives, of the precision among all that score at least as high.

    .. math:: AP = \frac 1P \sum_{i: y_i = 1} \frac{|\{j: y_j = 1, s_j \ge s_i\}|}{|\{j: s_j \ge s_i\}|}

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.

    Returns
    -------
    array, 0-d
        In (0, 1], and 0 without positives; NaN where a score is. It has the dtype of `score`; for integer scores that
        of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If the shapes differ, or there is nothing to rank.

    Notes
    -----
    The area under the step-wise precision-recall curve, tied scores taken together, as scikit-learn has it. The
    trapezoidal area, which others call by the same name, is larger: 0.505 instead of 0.010 for a constant score at 1 %
    positives. Give raw scores: a sigmoid in float32 makes all logits above 17 equal.

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
    xp, dtype, truth, ranked = _prepared(target, score)
    split = _split(xp, truth, ranked)
    hits = split.positives - xp.searchsorted(split.high, split.asked)
    alarms = split.negatives - xp.searchsorted(split.low, split.asked)
    precision = xp.astype(hits, dtype) / xp.astype(hits + alarms, dtype)
    return _mean_of_positives(xp, precision, split, 0.0, has_nan(xp, target, score))


def roc_auc(target: Array, score: Array) -> Array:
    r"""Area under the ROC curve: the probability that a positive scores higher than a negative, ties counting half.

    .. math:: AUC = \frac{1}{P N} \sum_{i: y_i = 1} \sum_{j: y_j = 0} \left([s_j < s_i] + \tfrac 12 [s_j = s_i]\right)

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive, N negative.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.

    Returns
    -------
    array, 0-d
        In [0, 1], 0.5 for a ranking by chance; NaN where there is but one class, or a score is NaN. It has the dtype of
        `score`; for integer scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If the shapes differ, or there is nothing to rank.

    Notes
    -----
    Its derivative is 0: it is no loss.

    References
    ----------
    .. [1] J. A. Hanley, B. J. McNeil, "The Meaning and Use of the Area under a Receiver Operating Characteristic (ROC)
       Curve", Radiology, 1982.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth = np.asarray([True, True, False, False])
    >>> float(ak.roc_auc(truth, np.asarray([4, 1, 2, -3])))
    0.75
    """
    xp, dtype, truth, ranked = _prepared(target, score)
    split = _split(xp, truth, ranked)
    below = xp.searchsorted(split.low, split.asked)
    not_above = xp.minimum(xp.searchsorted(split.low, split.asked, side="right"), split.negatives)
    halves = xp.astype(2 * split.negatives, dtype)
    share = ratio(xp, xp.astype(below + not_above, dtype), halves, math.nan)
    return _mean_of_positives(xp, share, split, math.nan, has_nan(xp, target, score))


class _Split(NamedTuple):
    """Scores of positives and of negatives, each sorted, and the scores to look up in them.

    `high` and `low` may end in copies of the highest score of all. These are below no score, so that looking one up
    from the left counts the true entries alone.
    """

    high: Array
    low: Array
    positives: Array
    negatives: Array
    asked: Array  # the scores to look up, among them those of all positives
    wanted: Array  # which of them are of positives


def _split(xp: Namespace, truth: Array, ranked: Array) -> _Split:
    if xp.is_lean(truth, ranked):
        high, low = xp.sort(ranked[truth]), xp.sort(ranked[xp.logical_not(truth)])
        positives, negatives = (xp.constant(x.shape[0], like=x, dtype=xp.int64) for x in (high, low))
        return _Split(high, low, positives, negatives, high, xp.ones_like(high, dtype=xp.bool))
    top = xp.max(ranked)
    high, low = xp.sort(xp.where(truth, ranked, top)), xp.sort(xp.where(truth, top, ranked))
    return _Split(high, low, count(xp, truth), count(xp, xp.logical_not(truth)), ranked, truth)


def _mean_of_positives(xp: Namespace, values: Array, split: _Split, otherwise: float, nan: Array | None) -> Array:
    total = xp.sum(xp.where(split.wanted, values, 0.0))
    return unless(xp, nan, ratio(xp, total, xp.astype(split.positives, values.dtype), otherwise))


def _prepared(target: Array, score: Array) -> tuple[Namespace, DType, Array, Array]:
    """The dtype of the result, and both arrays flat, fit for masking and for sorting."""
    xp, _ = inputs({"target": target, "score": score})
    same_shape(target=target, score=score)
    not_empty(target=target, score=score)
    dtype = result_dtype(xp, score, target)
    ranked = xp.stop_gradient(score)
    ranked = cast(xp, dtype, ranked) if is_real(score) else _signed(xp, ranked)
    return xp, dtype, xp.reshape(cast(xp, xp.bool, target), (-1,)), xp.reshape(ranked, (-1,))


def _signed(xp: Namespace, score: Array) -> Array:
    """Truth values and unsigned integers as signed ones in the same order: not every library can sort the others."""
    name = dtype_name(score.dtype)
    if name in ("bool", "uint8", "uint16"):
        return xp.astype(score, xp.int32)
    if name not in ("uint32", "uint64"):
        return score
    signed, half = xp.astype(score, xp.int32), 2**30
    if name == "uint64":
        signed, half = xp.astype(score, xp.int64), 2**62
    # the upper half has become negative; both are shifted by 2 half, which is no number of the dtype, in two steps
    return xp.where(signed < 0, signed + half + half, signed - half - half)
