"""How much of each region is found by decisions: the per-region overlap, and counts of regions and of false alarms."""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from anomaly_kernels._core.checks import UNIT, cast, not_empty, number
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.targets import check_decision, check_target
from anomaly_kernels._core.typing import Array, DType, Namespace, Setting
from anomaly_kernels.metrics._results import has_nan, nan_where, quotient_dtype
from anomaly_kernels.metrics.counts import count_true
from anomaly_kernels.metrics.regions._grouped import sort_by_region
from anomaly_kernels.metrics.regions._inputs import check_arrays, check_saturation, find_regions
from anomaly_kernels.metrics.regions.curve import saturate


class RegionDetection(NamedTuple):
    """The results of `region_detection`: 0-d arrays, the first four of integers."""

    regions: Array
    detected: Array
    alarms: Array
    false_alarms: Array
    f1_score: Array


@with_hint
def per_region_overlap(
    target: Array, decision: Array, *, region: Array | None = None, saturation: Array | None = None
) -> Array:
    r"""The mean share of each region that is decided anomalous (PRO, sPRO): large and small regions count alike.

    .. math:: \frac 1K \sum_{k=1}^K \min\left(\frac{|\{i \in R_k: d_i \ne 0\}|}{S_k}, 1\right)

    False alarms do not lower it, and it is 1 if everything is an alarm. So report the false positive rate with it, or
    use `aupro`. You cannot train with it: its gradient is 0.

    Parameters
    ----------
    target, decision : array, shape (images, ...)
        True and decided anomalies d; boolean, or numbers of which 0 alone means normal.
    region : array of integers, shape of `target`, optional
        The number of each anomalous pixel's region R, any integers; those of normal pixels are ignored. By default
        `label_regions` of `target`, whose values must be known. Under `jit` and `vmap` give the numbers.
    saturation : array, shape (K,), optional
        How many pixels of each region suffice for it to count as found: S is this, or all of its pixels if there are
        fewer. Regions are numbered from 1 to K then.

    Returns
    -------
    array
        0-d, in [0, 1]; NaN without regions, or if saturations whose values are not known do not fit them. In the dtype
        of real decisions, else of real targets or saturations, else the widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, are neither boolean nor numbers, `region` is not of integers, or
        is not given though `target` is traced.
    ValueError
        If a number cannot be a target, a decision or a saturation (checked where values are known), the shapes differ,
        or there are no pixels.

    References
    ----------
    .. [1] P. Bergmann et al., "The MVTec Anomaly Detection Dataset", International Journal of Computer Vision, 2021,
       section 5.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> target = np.asarray([[[1, 1, 0, 0], [1, 1, 0, 1]]])
    >>> decision = np.asarray([[[0, 1, 1, 0], [0, 0, 0, 1]]])
    >>> float(ak.per_region_overlap(target, decision))
    0.625
    """
    xp = check_decided(target, decision, {"region": region}, saturation)
    dtype = quotient_dtype(xp, decision, target, *([] if saturation is None else [saturation]))
    found, regions = sum_overlaps(xp, target, decision, region, saturation)
    mean = ratio(xp, found, xp.astype(regions, found.dtype), math.nan)
    return cast(xp, dtype, nan_where(xp, has_nan(xp, target, decision), mean))


def sum_overlaps(
    xp: Namespace, target: Array, decision: Array, region: Array | None, saturation: Array | None
) -> tuple[Array, Array]:
    """The sum over regions of the share found, and the number of regions, an integer."""
    wide = xp.wide(target)
    inside, number, (decided,) = find_regions(xp, "target", target, region, cast(xp, xp.bool, decision))
    if saturation is not None:
        check_saturation(xp, saturation, inside, number, labelled=region is None)
    regions, (number, decided) = sort_by_region(xp, inside, number, decided)
    hits, first = xp.astype(regions.count_where(decided), wide), regions.first()
    share = xp.minimum(ratio(xp, hits, saturate(xp, regions, number, saturation, wide)), 1.0)
    return xp.sum(xp.where(first, share, 0.0)), count_true(xp, first)


@with_hint
def region_detection(
    target: Array,
    decision: Array,
    *,
    region: Array | None = None,
    decision_region: Array | None = None,
    overlap: Annotated[Setting, UNIT] = 0.0,
) -> RegionDetection:
    r"""How many regions are detected, and how many alarms are false, where both are connected regions (lesion-wise F1).

    .. math:: D = |\{k: o_k > 0,\, o_k \ge r\}|, \quad o_k = \frac{|\{i \in R_k: d_i \ne 0\}|}{|R_k|}, \quad
        F_1 = \frac{2 D}{2 D + A + (K - D)}

    with A the alarm regions without an anomalous pixel. Several alarms on one region are one detection and no false
    alarm; one alarm over three regions is three detections.

    Parameters
    ----------
    target, decision : array, shape (images, ...)
        True and decided anomalies d; boolean, or numbers of which 0 alone means normal.
    region, decision_region : array of integers, shape of `target`, optional
        The number of each anomalous pixel's region R, and of each alarm's, any integers; those of other pixels are
        ignored. By default `label_regions` of `target` and of `decision`, whose values must be known. Under `jit` and
        `vmap` give the numbers.
    overlap : number or 0-d array, in [0, 1]
        The least share r of a region that must be decided anomalous. With 0 one pixel is enough.

    Returns
    -------
    RegionDetection
        `regions` (K), `detected` (D), `alarms` and `false_alarms` (A), integers, and `f1_score`, in [0, 1], 0 where
        there are neither regions nor alarms; in the dtype of real decisions, else of real targets, else the widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, are neither boolean nor numbers, regions are not of integers, or
        are not given though a mask is traced.
    ValueError
        If a number cannot be a target or a decision (checked where values are known), the shapes differ, there are no
        pixels, or `overlap` is out of range.

    References
    ----------
    .. [1] L. Maier-Hein, A. Reinke et al., "Metrics reloaded: recommendations for image analysis validation", Nature
       Methods, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> target = np.asarray([[[1, 1, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0]]])
    >>> decision = np.asarray([[[1, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 1]]])
    >>> result = ak.region_detection(target, decision, overlap=0.5)
    >>> int(result.regions), int(result.detected), int(result.alarms), int(result.false_alarms), float(result.f1_score)
    (2, 1, 2, 1, 0.5)
    """
    xp = check_decided(target, decision, {"region": region, "decision_region": decision_region})
    dtype = quotient_dtype(xp, decision, target)
    share = number("overlap", overlap, xp, xp.wide(target), UNIT)
    counts = count_detections(xp, target, decision, region, decision_region, share)
    return detection_of(xp, *counts, dtype, has_nan(xp, target, decision))


def count_detections(
    xp: Namespace,
    target: Array,
    decision: Array,
    region: Array | None,
    decision_region: Array | None,
    overlap: Setting,
) -> tuple[Array, Array, Array, Array]:
    """The number of regions, of those detected, of alarms, and of the false ones: integers."""
    wide, masks = xp.wide(target), [cast(xp, xp.bool, x) for x in (target, decision)]
    (hits, size, region_first), (anomalous, _, alarm_first) = (
        _count_in_regions(xp, *each)
        for each in (("target", masks[0], region, masks[1]), ("decision", masks[1], decision_region, masks[0]))
    )
    enough = xp.astype(hits, wide) >= overlap * xp.astype(size, wide)
    detected = xp.logical_and(region_first, xp.logical_and(hits > 0, enough))
    false_alarm = xp.logical_and(alarm_first, anomalous == 0)
    regions, found, alarms, false = (count_true(xp, x) for x in (region_first, detected, alarm_first, false_alarm))
    return regions, found, alarms, false


def _count_in_regions(
    xp: Namespace, name: str, mask: Array, region: Array | None, other: Array
) -> tuple[Array, Array, Array]:
    """For each pixel how many of its region the other mask holds, the size of the region, and whether it is first."""
    inside, number, (other,) = find_regions(xp, name, mask, region, other)
    regions, (_, other) = sort_by_region(xp, inside, number, other)
    return regions.count_where(other), regions.size(), regions.first()


def detection_of(
    xp: Namespace,
    regions: Array,
    detected: Array,
    alarms: Array,
    false_alarms: Array,
    dtype: DType,
    nan: Array | None,
) -> RegionDetection:
    """The four counts, and their F1 score."""
    hits, false, true = (xp.astype(x, dtype) for x in (detected, false_alarms, regions))
    f1_score = nan_where(xp, nan, ratio(xp, 2.0 * hits, hits + false + true))
    return RegionDetection(regions, detected, alarms, false_alarms, f1_score)


def check_decided(
    target: Array, decision: Array, regions: dict[str, Array | None], saturation: Array | None = None
) -> Namespace:
    """The namespace of masks and regions that go together, or the error."""
    xp = check_arrays({"target": target, "decision": decision}, regions, saturation)
    not_empty(target=target)
    check_target(xp, target)
    check_decision(xp, decision)
    return xp
