"""Metrics that count pixels, samples or time steps: how well decisions match the truth, how many are anomalous."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from anomaly_kernels._core.checks import ANY_OR_NAN, axes_of, cast, inputs, not_empty, number, same_shape
from anomaly_kernels._core.evaluate import Sums
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.targets import check_decision, check_target
from anomaly_kernels._core.typing import Array, Axis, DType, Namespace, Setting
from anomaly_kernels.metrics._results import has_nan, nan_mask, nan_where, result_dtype
from anomaly_kernels.metrics.ranking._inputs import Axes
from anomaly_kernels.metrics.ranking.areas import average_precision


class DetectionMetrics(NamedTuple):
    """The results of `anomaly_detection_metrics`: 0-d arrays."""

    precision: Array
    recall: Array
    f1_score: Array
    iou: Array
    average_precision: Array | None


class PixelStatistics(NamedTuple):
    """The results of `anomaly_pixel_statistics`: 0-d arrays, the first two of integers."""

    total_pixels: Array
    anomalous_pixels: Array
    anomaly_percentage: Array


@with_hint
def anomaly_detection_metrics(
    target: Array,
    decision: Array,
    score: Array | None = None,
    *,
    zero_division: Annotated[Setting, ANY_OR_NAN] = 0.0,
    axis: Axes = None,
) -> DetectionMetrics:
    r"""Precision, recall, F1 score and intersection over union of decisions, and average precision of their scores.

    .. math:: P = \frac{TP}{TP + FP}, \quad R = \frac{TP}{TP + FN}, \quad F_1 = \frac{2 TP}{2 TP + FP + FN}, \quad
        IoU = \frac{TP}{TP + FP + FN}

    All elements are pooled: an image with many anomalies weighs more than one with few. With the axes of an image as
    `axis` there is a result for each image.

    Parameters
    ----------
    target, decision : array, any shape
        True and decided anomalies, of equal shapes; boolean, or numbers of which 0 alone means normal.
    score : array, shape of `target`, optional
        The scores that were decided on, higher for anomalies.
    zero_division : number or 0-d array
        Value of a quotient whose denominator is 0: precision without alarms, recall without anomalies. ``nan`` marks it
        as undefined.
    axis : int or tuple of ints, optional
        The axes that are pooled, all by default.

    Returns
    -------
    DetectionMetrics
        `precision`, `recall`, `f1_score`, `iou` and `average_precision`, all in [0, 1]; the last is None without
        `score`. 0-d, or with `axis` the shape without these axes; in the dtype of `score`, without it that of real
        masks, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If a number cannot be a target, a decision or a weight (checked where values are known), the shapes differ,
        there is nothing to count, or an axis does not exist.

    References
    ----------
    .. [1] C. J. van Rijsbergen, "Information Retrieval", 2nd ed., Butterworths, 1979, chapter 7.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth = np.asarray([True, True, False, False])
    >>> score = np.asarray([4.0, 1.0, 2.0, -3.0])
    >>> result = ak.anomaly_detection_metrics(truth, score > 1.5, score)
    >>> float(result.precision), float(result.recall), round(float(result.average_precision), 4)
    (0.5, 0.5, 0.8333)
    """
    masks = {"target": target, "decision": decision}
    arrays = masks if score is None else {**masks, "score": score}
    xp, _ = inputs(arrays)
    same_shape(**arrays)
    not_empty(**arrays)
    check_target(xp, target)
    check_decision(xp, decision)
    dtype = result_dtype(xp, *([target, decision] if score is None else [score]))
    otherwise = number("zero_division", zero_division, xp, dtype, ANY_OR_NAN)

    along = axes_of(axis, len(target.shape))
    if along is None:
        counts, nan = xp.add_up(_HITS, xp.bool, (target, decision), ()), has_nan(xp, target, decision)
    else:
        counts = _hits(xp, cast(xp, xp.bool, target), cast(xp, xp.bool, decision), along)
        mask = nan_mask(xp, target, decision)
        nan = None if mask is None else xp.any(mask, axis=along)
    both, decided, true = (xp.astype(n, dtype) for n in counts)
    ranked = None if score is None else average_precision(target, score, axis=axis)
    return detection_metrics(xp, both, decided, true, otherwise, nan)._replace(average_precision=ranked)


def detection_metrics(
    xp: Namespace, both: Array, decided: Array, true: Array, otherwise: Setting, nan: Array | None
) -> DetectionMetrics:
    """All but the average precision, from the weight of true positives, of positive decisions and of true anomalies."""
    denominators = (decided, true, 0.5 * (decided + true), decided + true - both)
    precision, recall, f1_score, iou = (nan_where(xp, nan, ratio(xp, both, each, otherwise)) for each in denominators)
    return DetectionMetrics(precision, recall, f1_score, iou, None)


@with_hint
def anomaly_pixel_statistics(decision: Array) -> PixelStatistics:
    r"""How many pixels (samples, time steps) there are, and how many of them were decided anomalous.

    .. math:: N, \quad n = \sum_i [d_i \ne 0], \quad 100 \cdot n / N

    Parameters
    ----------
    decision : array, any shape
        Decided anomalies; boolean, or numbers of which 0 alone means normal.

    Returns
    -------
    PixelStatistics
        `total_pixels` and `anomalous_pixels`, integers, and `anomaly_percentage`, in [0, 100], 0 without pixels; in the
        dtype of real decisions, else the library's default.

    Raises
    ------
    TypeError
        If `decision` is neither boolean nor numbers.
    ValueError
        If a number cannot be a decision (checked where values are known).

    References
    ----------
    .. [1] V. Chandola, A. Banerjee, V. Kumar, "Anomaly Detection: A Survey", ACM Computing Surveys, 2009, section 2.4.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> result = ak.anomaly_pixel_statistics(np.asarray([[True, False], [False, False]]))
    >>> int(result.total_pixels), int(result.anomalous_pixels), float(result.anomaly_percentage)
    (4, 1, 25.0)
    """
    xp, _ = inputs({"decision": decision})
    check_decision(xp, decision)
    dtype = result_dtype(xp, decision)

    total, anomalous = xp.add_up(_PIXELS, xp.bool, (decision,), ())
    return pixel_statistics(xp, total, anomalous, dtype, has_nan(xp, decision))


def pixel_statistics(xp: Namespace, total: Array, anomalous: Array, dtype: DType, nan: Array | None) -> PixelStatistics:
    """Both counts, and the anomalous share in percent."""
    percentage = 100.0 * ratio(xp, xp.astype(anomalous, dtype), xp.astype(total, dtype))
    return PixelStatistics(total, anomalous, nan_where(xp, nan, percentage))


def count_true(xp: Namespace, mask: Array, axis: Axis = None) -> Array:
    """How many elements are true, exactly at any size: integers are added, not floats."""
    return xp.sum(xp.astype(mask, xp.int32), axis=axis)


def _hits(xp: Namespace, true: Array, decided: Array, axis: Axis = None) -> tuple[Array, ...]:
    return tuple(count_true(xp, x, axis) for x in (xp.logical_and(true, decided), decided, true))


_HITS = Sums(_hits)
_PIXELS = Sums(lambda xp, decided: (count_true(xp, xp.ones_like(decided)), count_true(xp, decided)))
