"""Area under the ROC curve, whole or up to a false positive rate."""

from __future__ import annotations

import math
from typing import Annotated

from anomaly_kernels._core.checks import SHARE, axes
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.typing import Array, Setting
from anomaly_kernels.metrics.ranking._evaluate import Results, evaluate
from anomaly_kernels.metrics.ranking._inputs import Axes
from anomaly_kernels.metrics.ranking._sorted import Ranking


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
        return evaluate(_roc_auc, target, score, sample_weight, axis)[0]
    return evaluate(_partial_roc_auc, target, score, sample_weight, axis, {"max_fpr": max_fpr})[0]


def _roc_auc(ranking: Ranking) -> Results:
    above, reached = ranking.above()[1], ranking.at_or_above()[1]
    below = ranking.negatives - 0.5 * (above + reached)  # halves of integers, whose sum is exact in any order
    mean = ranking.mean_over_positives(below, math.nan)
    return (ratio(ranking.xp, mean, ranking.negatives[..., 0], math.nan),)


def _partial_roc_auc(ranking: Ranking, max_fpr: Setting) -> Results:
    xp, above, reached = ranking.xp, ranking.above()[1], ranking.at_or_above()[1]
    # each positive raises the curve by a ramp between the two, which is 1 from there on: its area up to the limit
    limit = max_fpr * ranking.negatives
    on_ramp = xp.clip(limit - above, 0.0, reached - above)
    area = 0.5 * on_ramp * ratio(xp, on_ramp, reached - above) + xp.maximum(limit - reached, 0.0)
    least = 0.5 * max_fpr * max_fpr
    mean = ranking.mean_over_positives(ratio(xp, area, ranking.negatives, math.nan), math.nan)
    return (0.5 + 0.5 * (mean - least) / (max_fpr - least),)
