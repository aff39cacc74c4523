"""Losses of a score map against a mask: cross entropy of each pixel, and overlap of the whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, SupportsIndex

from anomaly_kernels._core.checks import (
    NOT_NEGATIVE,
    axes,
    axes_of,
    broadcastable,
    cast,
    choice,
    inputs,
    not_empty,
    not_negative,
    number,
    same_shape,
)
from anomaly_kernels._core.evaluate import Formula, Slopes, Sums, reduce, weigh
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.targets import check_mask
from anomaly_kernels._core.typing import Array, Axis, DType, Namespace, Reduction, Setting


@with_hint
def anomaly_bce_with_logits(
    target: Array,
    logit: Array,
    *,
    pos_weight: Annotated[Setting, not_negative] | None = None,
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
    sample_weight: Array | None = None,
) -> Array:
    r"""Binary cross entropy of logits.

    .. math:: w \cdot \operatorname{mean}\left(v \left(p\,y \log(1 + e^{-x}) + (1 - y) \log(1 + e^{x})\right)\right)

    Parameters
    ----------
    target : array, any shape
        Truth y: booleans, 0 and 1, or probabilities of an anomaly.
    logit : array, shape of `target`
        Logits x, unbounded; the probability of an anomaly is sigmoid(x).
    pos_weight : number or array, optional
        Factor p of the term of the anomalies, 1 by default: one, or one for each channel in the last axis, (C,), or
        any array that broadcasts to the shape of `logit`.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.
    sample_weight : array, (B,) or shape of `target`, optional
        Factors v of the samples, or of all elements. The mean is divided by the number of elements, not by their sum.

    Returns
    -------
    array
        In nats; 0-d, or with ``"none"`` one value per element.

    Raises
    ------
    TypeError
        If `logit` is not a floating point array, or the arrays belong to different libraries.
    ValueError
        If the shapes do not fit, a setting is out of its range, or there is nothing to average over.

    Notes
    -----
    Computed as :math:`\max(x, 0) - x y + \log(1 + e^{-|x|})`, finite at any logit; its slope is sigmoid(x) - y.
    torch's own operation stands in for it there, in which a confident, right negative adds nothing: 0 for the 4e-8 of a
    logit of -17 in float32.

    References
    ----------
    .. [1] I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", MIT Press, 2016, section 6.2.2.2.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, x = np.asarray([True, False]), np.asarray([0.0, -1000.0])
    >>> ak.anomaly_bce_with_logits(y, x, reduction="none").round(6)
    array([0.693147, 0.      ])
    """
    masks = {"target": target} if sample_weight is None else {"target": target, "sample_weight": sample_weight}
    xp, dtype = inputs(masks, logit=logit)
    same_shape(target=target, logit=logit)
    if target.dtype != dtype:
        check_mask(xp, target)
    arrays = {"logit": logit, "target": target}
    options: dict[str, Any] = {"weight": weight, "reduction": reduction, "sample_weight": sample_weight}
    if pos_weight is None:
        return reduce(xp, dtype, CROSS_ENTROPY, arrays, **options)
    if isinstance(pos_weight, int | float) or len(getattr(pos_weight, "shape", ())) == 0:
        p = number("pos_weight", pos_weight, xp, dtype, NOT_NEGATIVE)
        return reduce(xp, dtype, WEIGHTED_CROSS_ENTROPY, arrays, p, **options)
    arrays["pos_weight"] = broadcastable("pos_weight", pos_weight, xp, dtype, logit, "logit")
    return reduce(xp, dtype, WEIGHTED_CROSS_ENTROPY, arrays, **options)


CROSS_ENTROPY = Formula(
    values=lambda xp, x, y: xp.cross_entropy(x, y, "none"),
    slopes=lambda xp, x, y: [lambda: xp.sigmoid(x) - y, lambda: -x],
    reduced=lambda xp, how, x, y: xp.cross_entropy(x, y, how),
)


def _weighted_cross_entropy(xp: Namespace, x: Array, y: Array, p: Setting) -> Array:
    c = 1.0 + (p - 1.0) * y
    size = xp.magnitude(x)  # (|x| - x)/2 is max(-x, 0), and has all derivatives of the whole at 0
    # what cancels is subtracted before the small logarithm of a confident logit is added, which so keeps its digits
    return ((1.0 - y) * x + c * (0.5 * (size - x))) + c * xp.log1p(xp.exp(-size))


def _weighted_cross_entropy_slopes(xp: Namespace, x: Array, y: Array, p: Setting) -> Slopes:
    return [
        lambda: (1.0 - y) - (1.0 + (p - 1.0) * y) * xp.sigmoid(-x),
        lambda: (p - 1.0) * xp.softplus(-x) - x,
        lambda: y * xp.softplus(-x) if len(getattr(p, "shape", ())) else xp.sum(y * xp.softplus(-x)),
    ]


WEIGHTED_CROSS_ENTROPY = Formula(_weighted_cross_entropy, _weighted_cross_entropy_slopes)


@with_hint
def iou_loss(
    target: Array,
    score: Array,
    *,
    normalize_method: Literal["sigmoid", "clamp", "minmax"] = "sigmoid",
    smooth: Annotated[Setting, NOT_NEGATIVE] = 1e-6,
    axis: Annotated[SupportsIndex | Sequence[SupportsIndex] | None, axes] = None,
    weight: Setting = 1.0,
    sample_weight: Array | None = None,
) -> Array:
    r"""One minus the intersection over union of a soft mask and the true one (Jaccard loss).

    .. math:: w \left(1 - \frac{\sum q y + s}{\sum (q + y - q y) + s}\right)

    Parameters
    ----------
    target : array, any shape
        True mask y: booleans, 0 and 1, or values between.
    score : array, shape of `target`
        Scores of which the soft mask q is made.
    normalize_method : {"sigmoid", "clamp", "minmax"}
        q = sigmoid(score); or the score clipped to [0, 1]; or (score - min)/(max - min), 0.5 where all are equal.
    smooth : number or 0-d array, at least 0
        s. With 0 the loss of two empty masks is 0, its limit.
    axis : int or tuple of ints, optional
        The axes to pool sums (and minimum and maximum) over, all by default. With the axes of an image each image of a
        batch has its own loss.
    weight : number or 0-d array
        Factor w of the result.
    sample_weight : array, (B,) or shape of the result, optional
        Factors by which the losses are multiplied, such as those of the images, which `axis` keeps apart.

    Returns
    -------
    array
        Between 0 and w, without `sample_weight`; 0-d, or with `axis` the shape without these axes.

    Raises
    ------
    TypeError
        If `score` is not a floating point array, or the arrays belong to different libraries.
    ValueError
        If the shapes do not fit, a setting is out of its range, or there is nothing to pool over.

    References
    ----------
    .. [1] M. A. Rahman, Y. Wang, "Optimizing Intersection-over-Union in Deep Neural Networks for Image Segmentation",
       ISVC, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, q = np.asarray([1.0, 1.0, 0.0]), np.asarray([1.0, 0.0, 0.0])
    >>> float(ak.iou_loss(y, q, normalize_method="clamp", smooth=0))
    0.5
    """
    if normalize_method not in ("sigmoid", "clamp", "minmax"):
        choice("normalize_method", normalize_method, ("sigmoid", "clamp", "minmax"))
    masks = {"target": target} if sample_weight is None else {"target": target, "sample_weight": sample_weight}
    xp, dtype = inputs(masks, score=score)
    same_shape(target=target, score=score)
    if 0 in score.shape:
        not_empty(target=target, score=score)
    if target.dtype != dtype:
        check_mask(xp, target)
    s = number("smooth", smooth, xp, dtype, NOT_NEGATIVE)
    pooled = None if axis is None else axes_of(axis, len(score.shape))
    if pooled is None:
        if sample_weight is not None:
            raise ValueError("`sample_weight` is for losses of several samples: `axis` must be given, got None")
        return weigh(xp, dtype, weight, _jaccard(xp, dtype, normalize_method, score, target, s))
    rest = tuple(k for k in range(len(score.shape)) if k not in pooled)

    def of_images(xp: Namespace, x: Array, y: Array) -> Array:
        outer = tuple(x.shape[: len(rest)])
        if outer == (1,) * len(rest):  # one that is large, maybe: by its own blocks
            return xp.reshape(_jaccard(xp, dtype, normalize_method, x, y, s), outer)
        return _jaccard(xp, dtype, normalize_method, x, y, s, tuple(range(len(rest), len(x.shape))))

    arrays = {"score": score, "target": target}
    arrays = {name: xp.permute_dims(x, (*rest, *pooled)) for name, x in arrays.items()}
    formula = Formula(of_images, inner=len(pooled), casts=True)
    return reduce(xp, dtype, formula, arrays, weight=weight, reduction="none", sample_weight=sample_weight)


def _jaccard(
    xp: Namespace, dtype: DType, method: str, score: Array, target: Array, smooth: Setting, axis: Axis = None
) -> Array:
    """The loss of all elements, or along axes."""
    extremes: tuple[Array, ...] = ()
    if method == "minmax":
        extremes = tuple(cast(xp, dtype, f(score, axis=axis, keepdims=axis is not None)) for f in (xp.min, xp.max))
    soft = SOFT_MASKS[method]

    def sums(xp: Namespace, x: Array, y: Array, *extremes: Array) -> tuple[Array, Array]:
        q = soft(xp, x, *extremes)
        common = xp.sum_of_products(q, y) if axis is None else xp.sum(q * y, axis=axis)
        return common, xp.sum(q, axis=axis) + xp.sum(y, axis=axis)

    def slopes(xp: Namespace, upstream: tuple[Setting, Setting], x: Array, y: Array) -> Slopes:
        by_common, by_both = upstream
        slope = SOFT_MASK_SLOPES[method]
        return [lambda: (by_common * y + by_both) * slope(xp, x), lambda: by_common * soft(xp, x) + by_both]

    formula = Sums(sums, slopes, blocks=2) if method in SOFT_MASK_SLOPES else Sums(sums)
    if axis is None:
        common, both = xp.add_up(formula, dtype, (score, target), extremes)
    else:
        common, both = sums(xp, cast(xp, dtype, score), cast(xp, dtype, target), *extremes)
    common, union = common + smooth, both - common + smooth
    if isinstance(smooth, float) and smooth >= _EMPTY:
        return 1.0 - xp.divide(common, union)
    return 1.0 - ratio(xp, common, xp.where(union < _EMPTY, 0.0, union), 1.0)  # of empty masks, 0


_EMPTY = 2.0**-100
"""A union below it is that of empty masks: slopes are made of its reciprocal, which float32 must hold."""


def _slope_of_sigmoid(xp: Namespace, x: Array) -> Array:
    q = xp.sigmoid(x)
    return q * (1.0 - q)


def _slope_of_clamp(xp: Namespace, x: Array) -> Array:
    return xp.astype(xp.logical_and(x >= 0.0, x <= 1.0), x.dtype)


SOFT_MASKS: dict[str, Callable[..., Array]] = {
    "sigmoid": lambda xp, x: xp.sigmoid(x),
    "clamp": lambda xp, x: xp.clip(x, 0.0, 1.0),
    "minmax": lambda xp, x, low, high: ratio(xp, x - low, high - low, 0.5),
}
"""What makes a soft mask of scores."""

SOFT_MASK_SLOPES: dict[str, Callable[..., Array]] = {"sigmoid": _slope_of_sigmoid, "clamp": _slope_of_clamp}
"""Their slopes; that of "minmax", which goes through the extremes, is left to the library."""
