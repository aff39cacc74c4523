"""AUPIMO: how much of the anomalies each image shows before normal images raise alarms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

from anomaly_kernels._core.checks import cast, has_known_sizes, has_ndim, is_number, items, not_empty
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.metrics._results import quotient_dtype
from anomaly_kernels.metrics.ranking._inputs import check_inputs, prepare
from anomaly_kernels.metrics.ranking._sorted import SortedClass, sums_from_each


def check_bounds(name: str, value: Any) -> tuple[float, float]:
    """Two false positive rates as floats, or an error unless they are 0 < L < U <= 1."""
    bounds = items(name, value, "two numbers")
    if not all(map(is_number, bounds)):
        raise TypeError(f"`{name}` must be two numbers, got {value!r}")
    if len(bounds) != 2 or not 0 < bounds[0] < bounds[1] <= 1:
        raise ValueError(f"`{name}` must be two numbers L and U, 0 < L < U <= 1, got {value}")
    return float(bounds[0]), float(bounds[1])


Bounds: TypeAlias = Annotated[Sequence[float], check_bounds]


@with_hint
def aupimo(target: Array, score: Array, *, fpr_bounds: Bounds = (1e-5, 1e-4)) -> Array:
    r"""Area under the per-image overlap curve: the share of each image's anomalous pixels found at low false alarms.

    .. math:: \frac{1}{\log(U/L)} \int_L^U \frac{T_b(z)}{z}\, dz, \quad
        T_b(t) = \frac{|\{i \in \text{anomalous pixels of } b: s_i \ge t\}|}{P_b}, \quad
        F(t) = \frac{|\{i \in \text{normal images}: s_i \ge t\}|}{N}

    It is the mean of T over log F, between the bounds L and U: how much of an image is found at thresholds with almost
    no false alarms on normal images. Each curve (F, T) joins the points of all distinct scores by straight lines in F,
    as a ROC curve does. Only images whose pixels are all normal set the rate F. The normal pixels of other images do
    not count. You cannot train with it: its gradient is 0.

    Parameters
    ----------
    target, score : array, shape (images B, ...)
        True anomalies: 0 or False is normal, all else anomalous. Raw scores s, higher for anomalies.
    fpr_bounds : two numbers
        L and U, 0 < L < U ≤ 1. They may be below 1/N, for N pixels of normal images: there the curve rises in a
        straight line from the share that scores above all of these.

    Returns
    -------
    array
        (B,), in [0, 1]; NaN for an image without anomalous pixels or with a NaN, and for all without a normal image or
        with a NaN in one. In the dtype of `score`, for integer scores that of real targets, else the widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers, or `fpr_bounds` are not
        numbers.
    ValueError
        If a number cannot be a target (checked where values are known), the shapes differ, there is nothing to rank, or
        `fpr_bounds` are out of range.

    References
    ----------
    .. [1] J. P. C. Bertoldo, D. Ameln, A. Vaidya, S. Akçay, "AUPIMO: Redefining Visual Anomaly Detection Benchmarks
       with High Speed and Low Tolerance", BMVC, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> target = np.asarray([[[0, 0], [0, 0]], [[1, 1], [0, 0]]])
    >>> score = np.asarray([[[3.0, 1.0], [0.0, 2.0]], [[4.0, 2.5], [9.0, 9.0]]])
    >>> [round(float(x), 4) for x in ak.aupimo(target, score, fpr_bounds=(0.1, 1.0))]
    [nan, 0.801]
    """
    xp, _, arrays = check_inputs(target, score, None)
    has_ndim("target", target, 2, "(images, ...)", -1)
    has_known_sizes("target", target, slice(1, None))
    not_empty(target=target)
    dtype = quotient_dtype(xp, score, target)
    bounds = check_bounds("fpr_bounds", fpr_bounds)
    prepared = prepare(xp, dtype, arrays, tuple(range(1, len(target.shape))))
    truth, score = (xp.reshape(x, (-1, math.prod(target.shape[1:]))) for x in prepared.arrays)
    return cast(xp, dtype, aupimo_of(xp, truth, score, prepared.nan, bounds))


def aupimo_of(xp: Namespace, truth: Array, score: Array, nan: Array | None, bounds: tuple[float, float]) -> Array:
    """The areas of images, of which truth and scores are prepared, (B, pixels); `nan` says which have a NaN."""
    anomalous = xp.any(truth, axis=-1)
    normal = _sort_normal(xp, truth, score, anomalous, bounds[1])
    if xp.is_lean(truth, score):  # image by image, of which each has another number of anomalous pixels
        pixels = [xp.sort(score[k, ...][truth[k, ...]]) for k in range(truth.shape[0])]  # ascending: found faster
        sums = xp.stack([xp.sum(areas_above(xp, normal, each, bounds)) for each in pixels])
        count = xp.constant([float(each.shape[0]) for each in pixels], like=sums, dtype=sums.dtype)
    else:
        areas = xp.reshape(areas_above(xp, normal, xp.reshape(score, (-1,)), bounds), (-1, truth.shape[-1]))
        sums = xp.sum(xp.where(truth, areas, 0.0), axis=-1)
        count = xp.astype(xp.sum(xp.astype(truth, xp.int32), axis=-1), sums.dtype)
    mean = ratio(xp, sums, count, math.nan)
    if nan is None:
        return mean
    everywhere = xp.any(xp.logical_and(nan, xp.logical_not(anomalous)))
    return xp.where(xp.logical_or(nan, everywhere), math.nan, mean)


def _sort_normal(xp: Namespace, truth: Array, score: Array, anomalous: Array, most: float) -> SortedClass:
    """The scores of normal images; beyond the rate `most` of them they may be lower than they are."""
    if xp.is_lean(truth, score):
        return SortedClass(xp.sort_highest(score, anomalous, most), None)
    counted = xp.logical_and(xp.ones_like(truth), xp.expand_dims(xp.logical_not(anomalous), axis=-1))
    score, counted = xp.reshape(score, (-1,)), xp.reshape(counted, (-1,))
    order = xp.argsort(score)
    weight = xp.astype(xp.take_along_axis(counted, order), xp.int32)
    return SortedClass(xp.take_along_axis(score, order), sums_from_each(xp, weight))


def areas_above(xp: Namespace, normal: SortedClass, score: Array, bounds: tuple[float, float]) -> Array:
    """For each of the scores the mean of its step over log F, from L to U: a ramp where normal pixels tie with it.

    It rises from a, the number of normal pixels above it, to c, of those that reach it: with x and y the same, limited
    to [l, u] = [L N, U N], the integral of (z - a)/(c - a) over dz/z is that from x to y, and that of 1 from y to u.
    """
    wide = xp.wide(score)
    a, c = (
        normal.weight_above(xp, wide, xp.searchsorted(normal.scores, score, side=side)) for side in ("right", "left")
    )
    total = normal.weight_above(xp, wide, xp.zeros_like(score[:1], dtype=xp.counting()))
    total = xp.where(total > 0.0, total, math.nan)
    low, high = bounds[0] * total, bounds[1] * total
    x, y = (xp.minimum(xp.maximum(count, low), high) for count in (a, c))
    rise = y - x
    ramp = ratio(xp, rise - a * xp.log1p(rise / x), c - a)
    return (ramp + xp.log(high / y)) / xp.log(high / low)
