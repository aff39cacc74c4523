"""p-values of scores against those of normal data, and p-values adjusted for how many there are."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from anomaly_kernels._core.checks import INSIDE_UNIT, cast, choice, inputs, not_empty, number, same_shape, shape_of
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.targets import check_sample_weight
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.metrics._results import nan_where
from anomaly_kernels.metrics.decisions._scores import flat, flat_scores, shaped
from anomaly_kernels.metrics.ranking._sorted import SortedClass, sums_from_each


@with_hint
def conformal_pvalue(
    score: Array,
    calibration: Array,
    *,
    score_weight: Array | None = None,
    calibration_weight: Array | None = None,
    uniform: Array | None = None,
) -> Array:
    r"""How likely a normal sample scores at least as high: p-values from the scores of normal data.

    .. math:: p = \frac{\sum_{c_j > s} w_j + u \bigl(\sum_{c_j = s} w_j + w\bigr)}{\sum_j w_j + w}

    Without weights, and with u = 1, this is (1 + the number of :math:`c_j \ge s`) / (n + 1). If a new normal sample is
    exchangeable with those of the calibration, p is at most α with a probability of at most α, for every α.

    Parameters
    ----------
    score : array, any shape
        Scores s to judge.
    calibration : array, any shape
        Scores c of normal data that the detector was not trained on; all n elements are pooled.
    score_weight, calibration_weight : array, shapes of `score` and `calibration`, optional
        Likelihood ratios w of the judged data to the calibration data, if the two differ (covariate shift). Give both
        or neither, 0 or more; 1 by default.
    uniform : array, shape of `score`, optional
        Your own draws u from the uniform distribution on (0, 1). With them, p is distributed uniformly even with ties.
        Without them u is 1, and p is at least as large.

    Returns
    -------
    array, shape of `score`
        In [1/(n + 1), 1] without weights and draws; 1 where nothing has any weight. NaN where the score is NaN, and
        everywhere if a score of the calibration is NaN.

    Raises
    ------
    TypeError
        If scores are not floating point arrays, or arrays belong to different libraries.
    ValueError
        If there is no calibration, shapes differ that must be equal, one of the two weights is missing, or a weight is
        negative (checked where values are known).

    Notes
    -----
    ``1 - conformal_pvalue(score, calibration)`` is the empirical distribution function, with n + 1 for n.

    References
    ----------
    .. [1] V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", Springer, 2005.
    .. [2] R. J. Tibshirani, R. F. Barber, E. J. Candès, A. Ramdas, "Conformal Prediction under Covariate Shift",
       NeurIPS, 2019.
    .. [3] Y. Jin, E. J. Candès, "Selection by Prediction with Conformal p-values", Journal of Machine Learning
       Research, 2023.
    .. [4] S. Bates et al., "Testing for Outliers with Conformal p-values", The Annals of Statistics, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> ak.conformal_pvalue(np.asarray([0.5, 3.0, 9.0]), np.asarray([1.0, 2.0, 3.0, 4.0]))
    array([1. , 0.6, 0.2])
    """
    weights = {"score_weight": score_weight, "calibration_weight": calibration_weight}
    given = {name: x for name, x in weights.items() if x is not None}
    draws = {} if uniform is None else {"uniform": uniform}
    xp, dtype = inputs(given, score=score, calibration=calibration, **draws)
    not_empty(calibration=calibration)
    if len(given) == 1:
        missing = next(name for name in weights if name not in given)
        raise ValueError(f"`{missing}` must be given beside `{next(iter(given))}`, got None")
    for name, x in (given | draws).items():
        same_shape(**({"calibration": calibration} if name == "calibration_weight" else {"score": score}), **{name: x})
    for name, x in given.items():
        check_sample_weight(xp, x, name)
    known, judged, wide = flat(xp, dtype, calibration), flat(xp, dtype, score), xp.wide(calibration)
    masses = None if calibration_weight is None else flat(xp, wide, calibration_weight)
    own = 1.0 if score_weight is None else flat(xp, wide, score_weight)
    draw = None if uniform is None else flat(xp, wide, uniform)
    p = _pvalues(xp, judged, _in_order(xp, known, masses), own, draw)
    return xp.where(
        xp.logical_or(xp.isnan(score), xp.any(xp.isnan(known))), math.nan, shaped(xp, cast(xp, dtype, p), score)
    )


def _in_order(xp: Namespace, scores: Array, weight: Array | None) -> SortedClass:
    """Scores ascending, with sums of their weights from each on, added from the highest."""
    if weight is None and shape_of(scores)[0] is not None:
        return SortedClass(xp.sort(scores), None)
    order = xp.argsort(scores)
    weight = xp.ones_like(scores) if weight is None else xp.take_along_axis(weight, order)  # of a graph's open size
    return SortedClass(xp.take_along_axis(scores, order), sums_from_each(xp, weight))


def _pvalues(xp: Namespace, scores: Array, known: SortedClass, own: Setting, uniform: Array | None) -> Array:
    """The share of the weight, with a score's own, that is at or above it; of what is tied the share `uniform`."""
    wide, place = xp.wide(scores), _places(xp, known.scores, scores, "left")
    mass = known.weight_above(xp, wide, place) + own
    whole = known.weight_above(xp, wide, xp.zeros_like(known.scores[:1], dtype=place.dtype)) + own
    if uniform is not None:
        higher = known.weight_above(xp, wide, _places(xp, known.scores, scores, "right"))
        mass = (1.0 - uniform) * higher + uniform * mass
    return ratio(xp, mass, whole, 1.0)


def _places(xp: Namespace, known: Array, scores: Array, side: str) -> Array:
    """Where scores belong among known ones, which ascend; in order, so that a processor finds what it reads nearby."""
    if not xp.is_lean(known, scores):
        return xp.searchsorted(known, scores, side=side)
    order = xp.argsort(scores)
    places = xp.searchsorted(known, xp.take_along_axis(scores, order), side=side)
    return xp.take_along_axis(places, xp.argsort(order))


@with_hint
def adjusted_pvalue(
    pvalue: Array,
    *,
    method: Literal["bh", "by", "storey"] = "bh",
    cutoff: Annotated[Setting, INSIDE_UNIT] = 0.5,
) -> Array:
    r"""p-values adjusted for their number: those up to q are discoveries at a false discovery rate of q.

    .. math:: \min\Bigl(1,\, \pi \min_{j : p_{(j)} \ge p} \frac{n}{j} p_{(j)}\Bigr)

    The false discovery rate is the share of false alarms among all alarms, on average. Of 1000 normal samples, 50 have
    p-values up to 0.05. After the adjustment, hardly ever one has.

    Parameters
    ----------
    pvalue : array, any shape
        p-values p in [0, 1], which is not checked; all n elements are one family, :math:`p_{(j)}` the j-th smallest.
    method : {"bh", "by", "storey"}
        ``"bh"``: π = 1, for p-values that are independent or depend on each other positively, as conformal ones do that
        share a calibration. ``"by"``: :math:`\pi = \sum_{i=1}^n 1/i`, for any dependence. ``"storey"``: π is the share
        of normal ones, estimated as :math:`\min(1, (1 + |\{p > \lambda\}|)/(n (1 - \lambda)))`, for more discoveries
        where anomalies are many.
    cutoff : number or 0-d array, in (0, 1)
        λ for ``"storey"``: p-values above it count as those of normal samples.

    Returns
    -------
    array, shape of `pvalue`
        ``adjusted <= q`` are the discoveries. They have the order of `pvalue`, and are equal where these are equal. All
        are NaN if one is NaN.

    Raises
    ------
    TypeError
        If `pvalue` is not a floating point array.
    ValueError
        If there are no p-values, or a setting is out of its range.

    References
    ----------
    .. [1] Y. Benjamini, Y. Hochberg, "Controlling the False Discovery Rate", Journal of the Royal Statistical Society
       B, 1995.
    .. [2] Y. Benjamini, D. Yekutieli, "The Control of the False Discovery Rate in Multiple Testing under Dependency",
       The Annals of Statistics, 2001.
    .. [3] J. D. Storey, J. E. Taylor, D. Siegmund, "Strong Control, Conservative Point Estimation and Simultaneous
       Conservative Consistency of False Discovery Rates", Journal of the Royal Statistical Society B, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> np.round(ak.adjusted_pvalue(np.asarray([0.01, 0.04, 0.03, 0.5])), 4)
    array([0.04  , 0.0533, 0.0533, 0.5   ])
    """
    xp, p = flat_scores("pvalue", pvalue)
    choice("method", method, ("bh", "by", "storey"))
    level = number("cutoff", cutoff, xp, p.dtype, INSIDE_UNIT)
    order = xp.argsort(p)
    rank = cast(xp, p.dtype, xp.cumulative_sum(xp.ones_like(p, dtype=xp.counting()), axis=0))
    n = rank[-1:]
    each = xp.take_along_axis(p, order) * (n / rank)
    least = xp.flip(xp.cumulative_min(xp.flip(each, axis=0)), axis=0)
    if method == "by":
        least = least * xp.sum(1.0 / rank)
    if method == "storey":
        beyond = xp.sum(cast(xp, p.dtype, p > level))
        least = least * xp.minimum((1.0 + beyond) / (n * (1.0 - level)), 1.0)
    adjusted = xp.take_along_axis(xp.minimum(least, 1.0), xp.argsort(order))
    return nan_where(xp, xp.any(xp.isnan(p)), shaped(xp, adjusted, pvalue))
