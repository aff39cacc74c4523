"""The area under the per-region overlap curve: AUPRO, and sPRO where regions are saturated."""

from __future__ import annotations

import math

from anomaly_kernels._core.checks import SHARE, cast, not_empty, number
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, DType, Namespace, Setting
from anomaly_kernels.metrics._results import has_nan, nan_where, quotient_dtype
from anomaly_kernels.metrics.ranking._evaluate import Results, evaluate
from anomaly_kernels.metrics.ranking._inputs import Share, check_inputs, from_signed, prepare, to_signed
from anomaly_kernels.metrics.ranking._sorted import Ranking, SortedClass, by_masks, by_sorting, sums_from_each
from anomaly_kernels.metrics.ranking.areas import mean_area
from anomaly_kernels.metrics.regions._grouped import Regions, sort_by_region
from anomaly_kernels.metrics.regions._inputs import check_arrays, check_saturation, find_regions


@with_hint
def aupro(
    target: Array,
    score: Array,
    *,
    region: Array | None = None,
    saturation: Array | None = None,
    max_fpr: Share = 0.3,
) -> Array:
    r"""Area under the per-region overlap curve (AUPRO) up to a false positive rate, divided by that rate.

    .. math:: \frac 1L \int_0^L PRO\, dFPR, \quad
        PRO(t) = \frac 1K \sum_{k=1}^K \min\left(\frac{|\{i \in R_k: s_i \ge t\}|}{S_k}, 1\right), \quad
        FPR(t) = \frac{|\{i \in \text{normal}: s_i \ge t\}|}{N}

    PRO is the mean share of each of the K regions that is found. A region of one pixel counts as much as one of 10⁴.
    The curve joins (0, 0) and the points of all distinct scores by straight lines, the last of which is cut at L. By
    chance it is about L/2. You cannot train with it: its gradient is 0.

    Parameters
    ----------
    target, score : array, shape (images, ...)
        True anomalies: 0 or False is normal (N pixels), all else anomalous. Raw scores s, higher for anomalies.
    region : array of integers, shape of `target`, optional
        The number of each anomalous pixel's region R, any integers; those of normal pixels are ignored. By default
        `label_regions` of `target`, whose values must be known. Under `jit` and `vmap` give the numbers.
    saturation : array, shape (K,), optional
        How many pixels of each region suffice for it to count as found: S is this, or all of its pixels if there are
        fewer. Fractions are allowed. Regions are numbered from 1 to K then. This is the sPRO of MVTec LOCO, whose L is
        0.05.
    max_fpr : number or 0-d array, in (0, 1]
        The limit L.

    Returns
    -------
    array
        0-d, in [0, 1]; NaN without regions or without normal pixels, if a score is NaN, or if saturations whose values
        are not known do not fit the regions. In the dtype of `score`, for integer scores that of real targets or
        saturations, else the widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, are neither boolean nor numbers, `region` is not of integers, or
        is not given though `target` is traced.
    ValueError
        If a number cannot be a target or a saturation (checked where values are known), the shapes differ, there is
        nothing to rank, or `max_fpr` is out of range.

    References
    ----------
    .. [1] P. Bergmann et al., "The MVTec Anomaly Detection Dataset", International Journal of Computer Vision, 2021,
       section 5.
    .. [2] P. Bergmann et al., "Beyond Dents and Scratches: Logical Constraints in Unsupervised Anomaly Detection and
       Localization", International Journal of Computer Vision, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> target = np.asarray([[[1, 1, 0, 0], [1, 1, 0, 1]]])
    >>> score = np.asarray([[[8.0, 7.0, 1.0, 6.0], [5.0, 2.0, 0.0, 4.0]]])
    >>> round(float(ak.aupro(target, score)), 4), round(float(ak.aupro(target, score, max_fpr=1.0)), 4)
    (0.25, 0.75)
    >>> round(float(ak.aupro(target, score, saturation=np.asarray([2.0, 1.0]))), 4)
    0.5
    """
    xp, arrays = _check(target, score, region, saturation)
    not_empty(target=target)
    dtype = quotient_dtype(xp, score, target, *([] if saturation is None else [saturation]))
    share = number("max_fpr", max_fpr, xp, xp.wide(score), SHARE)
    prepared = prepare(xp, dtype, arrays)
    truth, ranked = prepared.arrays
    result = aupro_of(rank_regions(xp, target, truth, ranked, region, saturation, share), share)
    return cast(xp, dtype, nan_where(xp, prepared.nan, result))


def aupro_of(ranking: Ranking, max_fpr: Setting) -> Array:
    """The area of a ranking in which each pixel of a region weighs a share of it."""
    return ranking.xp.minimum(mean_area(ranking, max_fpr) / max_fpr, 1.0)


def weighted_aupro(target: Array, score: Array, *, sample_weight: Array | None = None, max_fpr: Share = 0.3) -> Array:
    """The result of `aupro` where the weights of the pixels of regions are those of `region_samples`."""

    def metric(ranking: Ranking, max_fpr: Setting) -> Results:
        return (aupro_of(ranking, max_fpr),)

    return evaluate(metric, target, score, sample_weight, None, max_fpr=max_fpr)[0]


def region_samples(
    target: Array, score: Array, region: Array | None, saturation: Array | None
) -> tuple[Array, Array, Array]:
    """Targets, scores and weights in one dimension: of a region all weights are 1 together, a normal pixel's is 1."""
    xp, (target, score) = _check(target, score, region, saturation)
    wide, nan = xp.wide(score), has_nan(xp, target, score)
    truth = xp.reshape(cast(xp, xp.bool, target), (-1,))
    if 0 in truth.shape:
        return truth, xp.reshape(score, (-1,)), xp.zeros_like(truth, dtype=wide)
    dtype, score = score.dtype, to_signed(xp, score)
    inside, number, (ranked,) = find_regions(xp, "target", target, region, score)
    if saturation is not None:
        check_saturation(xp, saturation, inside, number, labelled=region is None)
    ranked, inside, weight = weigh_pixels(xp, wide, inside, number, ranked, saturation)
    if ranked.shape != truth.shape:  # of the pixels of regions alone
        normal = xp.reshape(score, (-1,))[xp.logical_not(truth)]
        ranked, inside = xp.concat([ranked, normal]), xp.concat([inside, xp.zeros_like(normal, dtype=xp.bool)])
        weight = xp.concat([weight, xp.ones_like(normal, dtype=wide)])
    return inside, from_signed(xp, ranked, dtype), nan_where(xp, nan, xp.where(inside, weight, 1.0))


def _check(
    target: Array, score: Array, region: Array | None, saturation: Array | None
) -> tuple[Namespace, list[Array]]:
    xp, _, arrays = check_inputs(target, score, None)
    check_arrays({"target": target, "score": score}, {"region": region}, saturation)
    return xp, arrays


def rank_regions(
    xp: Namespace,
    target: Array,
    truth: Array,
    score: Array,
    region: Array | None,
    saturation: Array | None,
    max_fpr: Setting,
) -> Ranking:
    """Rank pixels, of which `truth` and `score` are prepared; those of regions weigh as `weigh_pixels` says.

    Beyond `max_fpr` the false positive rates may be others than they are, but are beyond it.
    """
    inside, number, (ranked,) = find_regions(xp, "target", target, region, score)
    if saturation is not None:
        check_saturation(xp, saturation, inside, number, labelled=region is None)
    wide = xp.wide(score)
    ranked, inside, weight = weigh_pixels(xp, wide, inside, number, ranked, saturation)
    if 0 in ranked.shape:  # a pixel of weight 0 stands for regions that are not there
        ranked, weight = score[:1], xp.zeros_like(score[:1], dtype=wide)
    order = xp.argsort(ranked)
    scores, weight = (xp.take_along_axis(x, order) for x in (ranked, weight))
    positives = SortedClass(scores, sums_from_each(xp, weight))
    if xp.is_lean(truth, score):
        return by_masks(xp, positives, SortedClass(xp.sort_highest(score, truth, max_fpr), None))
    normal = xp.logical_not(xp.take_along_axis(inside, order))
    negatives = SortedClass(scores, sums_from_each(xp, xp.astype(normal, xp.int32)))
    return by_sorting(xp, positives, negatives, weight)


def weigh_pixels(
    xp: Namespace, wide: DType, inside: Array, region: Array, score: Array, saturation: Array | None
) -> tuple[Array, Array, Array]:
    """Scores, whether they are inside of a region, and their weights: of region k, 1/S for each of the S highest.

    The next one has what S has more than an integer, and the others 0: all together 1, so that the sum of the weights
    above a threshold is the share of the region that is found.
    """
    if saturation is None:
        regions, (_, score) = sort_by_region(xp, inside, region, score)
        one = xp.astype(regions.inside, wide)
        return score, regions.inside, ratio(xp, one, xp.astype(regions.size(), wide))
    order = xp.argsort(score)
    inside, region, score = (xp.take_along_axis(x, order) for x in (inside, region, score))
    regions, (region, score) = sort_by_region(xp, inside, region, score)
    enough = saturate(xp, regions, region, saturation, wide)
    higher = xp.astype(regions.rest(), wide) - 1.0
    share = ratio(xp, xp.clip(enough - higher, 0.0, 1.0), enough)
    return score, regions.inside, xp.where(regions.inside, share, 0.0)


def saturate(xp: Namespace, regions: Regions, region: Array, saturation: Array | None, wide: DType) -> Array:
    """S for each pixel: how many pixels of its region suffice; NaN where no number above 0 says so."""
    size = xp.astype(regions.size(), wide)
    if saturation is None:
        return size
    if 0 in saturation.shape:
        return xp.full_like(size, math.nan)
    # the numbers of pixels that are in no region may be any
    place = cast(xp, xp.counting(), region) - 1
    known = xp.clip(place, 0, saturation.shape[0] - 1)
    enough = xp.take_along_axis(cast(xp, wide, saturation), known)
    return xp.where(xp.logical_and(place == known, enough > 0.0), xp.minimum(enough, size), math.nan)
