"""Distances of a student's features from those of a teacher."""

from __future__ import annotations

import math
from typing import Annotated, Any

from anomaly_kernels._core.checks import (
    NOT_NEGATIVE,
    UNIT,
    axes_of,
    cast,
    inputs,
    is_number,
    not_empty,
    number,
    same_shape,
    setting,
    shape_of,
)
from anomaly_kernels._core.evaluate import Formula, Slopes, reduce, weigh
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.numeric import ratio, root, square
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace, Number, Reduction, Setting
from anomaly_kernels.losses._masks import Axes


def check_quantile(name: str, value: Any) -> float:
    """A quantile in [0, 1], which must be known: it says how many numbers are chosen."""
    if not is_number(value):
        raise TypeError(f"`{name}` must be a number, got {describe(value)}")
    setting(name, value, UNIT)
    return float(value)


@with_hint
def cosine_distance_loss(
    x_true: Array,
    x_pred: Array,
    *,
    axis: Axes = -1,
    eps: Annotated[Setting, NOT_NEGATIVE] = 1e-6,
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    r"""One minus the cosine of the angle between the features of a teacher and those of a student.

    .. math:: w \cdot \operatorname{mean}\left(1 - \frac{\sum a b}{\max(\|a\|, \epsilon) \max(\|b\|, \epsilon)}\right)

    Parameters
    ----------
    x_true, x_pred : array, any shape
        Features a of the teacher and b of the student, of equal shapes.
    axis : int or tuple of ints
        The axes of a vector; None for all. For maps with channels first, (B, C, H, W), 1 compares each position, as in
        the papers on student-teacher feature pyramid matching and on reverse distillation. (1, 2, 3) compares whole
        maps, as in the code of reverse distillation.
    eps : number or 0-d array, at least 0
        ε, the least length by which a vector is divided.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the vectors.

    Returns
    -------
    array
        Between 0 and 2w; 0-d, or with ``"none"`` the shape without `axis`. A vector of zeros is at a distance of w.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ, a setting is out of its range, or there is nothing to average over.

    Notes
    -----
    It is computed as half the squared distance of the unit vectors. So equal vectors have the distance 0, and no
    distance is below 0. For several layers, add up one call for each.

    References
    ----------
    .. [1] G. Wang, S. Han, E. Ding, D. Huang, "Student-Teacher Feature Pyramid Matching for Anomaly Detection", BMVC,
       2021.
    .. [2] H. Deng, X. Li, "Anomaly Detection via Reverse Distillation from One-Class Embedding", CVPR, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> a, b = np.asarray([[1.0, 0.0], [1.0, 1.0]]), np.asarray([[0.0, 2.0], [3.0, 3.0]])
    >>> ak.cosine_distance_loss(a, b, reduction="none").round(6)
    array([1., 0.])
    """
    xp, dtype = inputs(x_true=x_true, x_pred=x_pred)
    same_shape(x_true=x_true, x_pred=x_pred)
    ndim = len(x_true.shape)
    e = number("eps", eps, xp, dtype, NOT_NEGATIVE)
    chosen = axes_of(axis, ndim) or tuple(range(ndim))
    order = (*(k for k in range(ndim) if k not in chosen), *chosen)
    arrays = {name: xp.permute_dims(x, order) for name, x in (("x_true", x_true), ("x_pred", x_pred))}
    return reduce(xp, dtype, _cosine_distance(len(chosen)), arrays, e, weight=weight, reduction=reduction)


def _cosine_distance(inner: int) -> Formula:
    """Of vectors along the last axes."""
    axes = tuple(range(-inner, 0))

    def unit(xp: Namespace, x: Array, eps: Setting) -> tuple[Array, Array, Array]:
        """The vector over its length, or over eps where that is more; this divisor; and the length over it."""
        length = root(xp, xp.sum(x * x, axis=axes, keepdims=True))
        size = xp.maximum(length, eps)
        return ratio(xp, x, size), size, ratio(xp, length, size)

    def values(xp: Namespace, a: Array, b: Array, eps: Setting) -> Array:
        (a, _, share_a), (b, _, share_b) = unit(xp, a, eps), unit(xp, b, eps)
        missing = (1.0 - square(share_a)) + (1.0 - square(share_b))  # 0 of vectors that are not short
        return 0.5 * (xp.sum(square(a - b), axis=axes) + xp.sum(missing, axis=axes))

    def slopes(xp: Namespace, a: Array, b: Array, eps: Setting) -> Slopes:
        (a, size_a, share_a), (b, size_b, share_b) = unit(xp, a, eps), unit(xp, b, eps)
        cosine = xp.sum(a * b, axis=axes, keepdims=True)

        def of_long(share: Array) -> Array:
            return xp.where(share < 1.0, 0.0, cosine)

        return [
            lambda: ratio(xp, of_long(share_a) * a - b, size_a),
            lambda: ratio(xp, of_long(share_b) * b - a, size_b),
            lambda: xp.sum((cosine - of_long(share_a)) + (cosine - of_long(share_b))) / eps,
        ]

    return Formula(values, slopes, inner=inner)


@with_hint
def hard_feature_loss(
    x_true: Array, x_pred: Array, *, quantile: Annotated[Number, check_quantile] = 0.999, weight: Setting = 1.0
) -> Array:
    r"""Mean of the largest squared differences of a student's features from those of a teacher (EfficientAD).

    .. math:: \frac w k \sum_{i=1}^{k} d_{(i)}, \quad d = (a - b)^2, \quad d_{(1)} \ge d_{(2)} \ge \dots, \quad
       k = n - \lceil q (n - 1) \rceil

    Parameters
    ----------
    x_true, x_pred : array, any shape
        Features a of the teacher and b of the student, n numbers each, of equal shapes.
    quantile : number in [0, 1]
        q. With 0 it is the mean squared error, with 1 the largest squared difference.
    weight : number or 0-d array
        Factor w of the result.

    Returns
    -------
    array, 0-d
        In squared units of the features.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ, `quantile` is out of its range, or there is nothing to average over.

    Notes
    -----
    It is the mean of the squared differences that reach their quantile, which is interpolated linearly. If numbers tie
    at the limit, only as many count as make k.

    References
    ----------
    .. [1] K. Batzner, L. Heckler, R. König, "EfficientAD: Accurate Visual Anomaly Detection at Millisecond-Level
       Latencies", WACV, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> float(ak.hard_feature_loss(np.zeros(4), np.asarray([1.0, 2.0, 0.0, 3.0]), quantile=0.5))
    6.5
    """
    xp, dtype = inputs(x_true=x_true, x_pred=x_pred)
    q = check_quantile("quantile", quantile)
    same_shape(x_true=x_true, x_pred=x_pred)
    not_empty(x_true=x_true)
    a, b = xp.reshape(cast(xp, dtype, x_true), (-1,)), xp.reshape(cast(xp, dtype, x_pred), (-1,))
    if None in shape_of(x_true):
        return weigh(xp, dtype, weight, _mean_of_largest(xp, square(a - b), q))
    n = math.prod(x_true.shape)
    _, places = xp.top_k(xp.stop_gradient(square(a - b)), n - math.ceil(q * (n - 1)))
    loss = xp.squared_difference(xp.take_along_axis(a, places), xp.take_along_axis(b, places), "mean")
    return weigh(xp, dtype, weight, loss)


def _mean_of_largest(xp: Namespace, x: Array, quantile: float) -> Array:
    """The mean of all from the quantile on, of as many as there are when a graph runs; 0 of none."""
    one = xp.ones_like(x, dtype=xp.float64)
    chosen = xp.cumulative_sum(one, axis=0) <= xp.sum(one) - xp.ceil(quantile * (xp.sum(one) - 1.0))
    descending = xp.take_along_axis(x, xp.argsort(-xp.stop_gradient(x)))
    mean = ratio(xp, xp.sum(xp.where(chosen, descending, 0.0)), xp.sum(xp.astype(chosen, x.dtype)))
    return xp.where(xp.any(xp.isnan(x)), math.nan, mean)  # wherever it has been sorted to
