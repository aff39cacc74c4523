"""Losses of a score map against a mask: cross entropy of each pixel, and overlap of the whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, SupportsIndex

from anomaly_kernels._checks import NOT_NEGATIVE, axes, axes_of, cast, choice, inputs, not_empty, number, same_shape
from anomaly_kernels._numeric import clip, ratio, sides, times, weighted
from anomaly_kernels._reduce import reduce, totals
from anomaly_kernels._typing import Array, Axis, DType, Namespace, Reduction, Setting, Values

Pair = tuple[Array, Array]


def anomaly_bce_with_logits(
    target: Array,
    logit: Array,
    *,
    pos_weight: Annotated[Setting, NOT_NEGATIVE] | None = None,
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    r"""Binary cross entropy of logits.

    .. math:: w \cdot \operatorname{mean}\left(p\,y \log(1 + e^{-x}) + (1 - y) \log(1 + e^{x})\right)

    Parameters
    ----------
    target : array, any shape
        Truth y: booleans, 0 and 1, or probabilities of an anomaly.
    logit : array, shape of `target`
        Logits x, unbounded; the probability of an anomaly is sigmoid(x).
    pos_weight : number or 0-d array, optional
        Factor p of the term of the anomalies, 1 by default.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Returns
    -------
    array
        In nats; 0-d, or with ``"none"`` one value per element.

    Raises
    ------
    TypeError
        If `logit` is not a floating point array, or the arrays belong to different libraries.
    ValueError
        If the shapes differ, a setting is out of its range, or there is nothing to average over.

    Notes
    -----
    Each element is accurate to a few units in the last place, however large its logit.

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
    xp, dtype = inputs({"target": target}, logit=logit)
    same_shape(target=target, logit=logit)
    w = number("weight", weight, xp, dtype)
    p = None if pos_weight is None else number("pos_weight", pos_weight, xp, dtype, NOT_NEGATIVE)

    def formula(x: Array, y: Array) -> Values:
        # With softplus(x) = softplus(-x) + x all goes to the side of the larger coefficient: log(1 + e^±x) of the wrong
        # side, which nothing cancels, and a linear rest, which is 0 where the target is 0 or 1.
        positive, negative = (y, 0.5) if p is None else (p * y, 1.0 - y)
        leads = xp.astype(positive >= negative, dtype)
        wrong = xp.softplus((1.0 - 2.0 * leads) * x)
        if p is None:
            return lambda unit: weighted(leads - y, w, unit) * x + weighted(wrong, w, unit)
        slope, both = leads * negative - (1.0 - leads) * positive, positive + negative
        return lambda unit: weighted(slope, w, unit) * x + weighted(both, w, unit) * wrong

    return reduce(xp, dtype, formula, {"logit": logit, "target": target}, reduction=reduction)


def iou_loss(
    target: Array,
    score: Array,
    *,
    normalize_method: Literal["sigmoid", "clamp", "minmax"] = "sigmoid",
    smooth: Annotated[Setting, NOT_NEGATIVE] = 1e-6,
    axis: Annotated[SupportsIndex | Sequence[SupportsIndex] | None, axes] = None,
    weight: Setting = 1.0,
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

    Returns
    -------
    array
        Between 0 and w; 0-d, or with `axis` the shape without these axes.

    Raises
    ------
    TypeError
        If `score` is not a floating point array, or the arrays belong to different libraries.
    ValueError
        If the shapes differ, a setting is out of its range, or there is nothing to pool over.

    Notes
    -----
    The part that is not common, Σ(q(1 - y) + y(1 - q)), is summed by itself: the loss keeps its digits where the masks
    are almost equal.

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
    choice("normalize_method", normalize_method, ("sigmoid", "clamp", "minmax"))
    xp, dtype = inputs({"target": target}, score=score)
    same_shape(target=target, score=score)
    not_empty(target=target, score=score)
    s = number("smooth", smooth, xp, dtype, NOT_NEGATIVE)
    w = number("weight", weight, xp, dtype)
    pooled = axes_of(axis, len(score.shape))
    soft = _soft_mask(xp, dtype, normalize_method, score, pooled)

    def sums(x: Array, y: Array) -> Pair:
        q, rest = soft(x)
        return xp.sum(q * y, axis=pooled), xp.sum(q * (1.0 - y) + y * rest, axis=pooled)

    if pooled is None:
        common, difference = totals(xp, dtype, sums, {"score": score, "target": target})
    else:
        common, difference = sums(cast(xp, dtype, score), cast(xp, dtype, target))
    # Two ways to say the same, each where its value and its gradient do not cancel.
    common = common + s
    union = common + difference
    loss = xp.where(difference <= common, ratio(xp, difference, union), 1.0 - ratio(xp, common, union))
    return times(w, loss)


def _soft_mask(xp: Namespace, dtype: DType, method: str, score: Array, axes: Axis) -> Callable[[Array], Pair]:
    """The map from scores to q and 1 - q, each to full precision."""
    if method == "sigmoid":
        return lambda x: _sigmoids(xp, x)
    if method == "clamp":
        return lambda x: (q := clip(xp, x, 0.0, 1.0), 1.0 - q)
    # in a unit in which neither the span overflows nor its reciprocal, by which compilers multiply, is subnormal
    unit = 0.0625
    low = unit * cast(xp, dtype, xp.min(score, axis=axes, keepdims=True))
    high = unit * cast(xp, dtype, xp.max(score, axis=axes, keepdims=True))
    scale = xp.stop_gradient(high - low)
    scale = xp.where(scale == 0.0, 1.0, scale)
    width = (high - low) / scale  # 1, or 0 where all are equal; derivatives of quotients by it do not overflow
    return lambda x: (ratio(xp, (unit * x - low) / scale, width, 0.5), ratio(xp, (high - unit * x) / scale, width, 0.5))


def _sigmoids(xp: Namespace, x: Array) -> Pair:
    """sigmoid(x) and sigmoid(-x); gradients too are accurate in both tails, where q(1 - q) is not."""
    tail = xp.exp(-xp.magnitude(x))
    large = 1.0 / (1.0 + tail)
    small = tail * large
    below, above = sides(xp, x)
    return below * small + above * large, below * large + above * small
