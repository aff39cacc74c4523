"""Losses of each pixel of a score map against a mask: cross entropy, and the focal loss made of it."""

from __future__ import annotations

from typing import Annotated, Any

from anomaly_kernels._core.checks import (
    NOT_NEGATIVE,
    UNIT,
    broadcastable,
    inputs,
    is_real,
    not_negative,
    number,
    same_shape,
)
from anomaly_kernels._core.evaluate import Formula, Slopes, reduce
from anomaly_kernels._core.numeric import square
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.targets import check_mask
from anomaly_kernels._core.typing import Array, Namespace, Reduction, Setting


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
    Computed as :math:`\max(x, 0) - x y + \log(1 + e^{-|x|})`, finite at any logit; its slope is sigmoid(x) - y. On
    torch, torch's own operation is used. In it a confident, right negative adds nothing: 0 in the place of 4e-8 for a
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
def focal_loss_with_logits(
    target: Array,
    logit: Array,
    *,
    alpha: Annotated[Setting, UNIT] | None = 0.25,
    gamma: Annotated[Setting, NOT_NEGATIVE] = 2.0,
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    r"""Focal loss: cross entropy of logits in which pixels that are already right count little.

    .. math:: w \cdot \operatorname{mean}\left(-\alpha\,y\,(1 - p)^\gamma \log p
       - (1 - \alpha)(1 - y)\,p^\gamma \log(1 - p)\right), \quad p = \operatorname{sigmoid}(x)

    Parameters
    ----------
    target : array, any shape
        Truth y: booleans, 0 and 1, or probabilities of an anomaly.
    logit : array, shape of `target`
        Logits x, unbounded; the probability of an anomaly is p.
    alpha : number or 0-d array in [0, 1], optional
        Weight α of anomalies. Normal pixels have the weight 1 - α. None: both are 1.
    gamma : number or 0-d array, at least 0
        Exponent γ. With 0 it is the cross entropy, weighed by α.
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
    For a target between 0 and 1 it is the expected loss, as in cross entropy. The power is computed as :math:`(1 -
    p)^\gamma = \exp(-\gamma \log(1 + e^x))`, whose slope is finite for any γ and any logit. With α = 1 normal pixels
    have the weight 0, so false alarms cost nothing.

    References
    ----------
    .. [1] T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, x = np.asarray([True, True, False]), np.asarray([0.0, 1.0, -1000.0])
    >>> ak.focal_loss_with_logits(y, x, reduction="none").round(4)
    array([0.0433, 0.0057, 0.    ])
    """
    xp, dtype = inputs({"target": target}, logit=logit)
    same_shape(target=target, logit=logit)
    if target.dtype != dtype:
        check_mask(xp, target)
    formula = FOCAL if is_real(target) else FOCAL_OF_MASKS
    g = number("gamma", gamma, xp, dtype, NOT_NEGATIVE)
    of_anomalies: Setting = 1.0 if alpha is None else number("alpha", alpha, xp, dtype, UNIT)
    of_normals: Setting = 1.0 if alpha is None else 1.0 - of_anomalies
    arrays = {"logit": logit, "target": target}
    return reduce(xp, dtype, formula, arrays, of_anomalies, of_normals, g, weight=weight, reduction=reduction)


def _focus(xp: Namespace, x: Array, g: Setting) -> Array:
    """(1 - sigmoid(x))^γ, whose slope is finite; the square, which is the default, by fewer exponentials."""
    if isinstance(g, float) and g == 2.0:
        return square(xp.sigmoid(-x))
    return xp.exp(-g * xp.softplus(x))


def _focal(xp: Namespace, x: Array, y: Array, a: Setting, n: Setting, g: Setting) -> Array:
    if not xp.is_known(x):
        return _focal_of_traced(xp, x, y, a, n, g)
    p, q, of_alarm, of_miss = _probabilities(xp, x)
    anomaly = (a * y) * (_power(xp, q, of_alarm, g) * of_miss)
    return anomaly + (n * (1.0 - y)) * (_power(xp, p, of_miss, g) * of_alarm)


def _probabilities(xp: Namespace, x: Array) -> tuple[Array, ...]:
    """p and 1 - p, -log(1 - p) and -log p; where nothing is recorded, by the logarithm of the larger of p and 1 - p."""
    minus = -x
    p, q = xp.sigmoid(x), xp.sigmoid(minus)
    if not xp.is_lean(x):
        return p, q, xp.softplus(x), xp.softplus(minus)
    larger = xp.log1p(-xp.minimum(p, q))
    above = xp.maximum(x, 0.0)
    return p, q, above - larger, (above - x) - larger


def _power(xp: Namespace, p: Array, entropy: Array, g: Setting) -> Array:
    """p^γ of a probability and its -log, with a finite slope; the square, which is the default, without exponential."""
    return square(p) if isinstance(g, float) and g == 2.0 else xp.exp(-g * entropy)


def _focal_of_traced(xp: Namespace, x: Array, y: Array, a: Setting, n: Setting, g: Setting) -> Array:
    """The same for compilers, which fuse it: in one exponential and one logarithm, of |x|."""
    below = x < 0.0
    size = xp.where(below, -x, x)
    tail = xp.exp(-size)
    likely, entropy = 1.0 / (1.0 + tail), xp.log1p(tail)
    right = _power(xp, tail * likely, size + entropy, g) * entropy
    wrong = _power(xp, likely, entropy, g) * (size + entropy)
    anomaly, normal = a * y, n * (1.0 - y)
    return xp.where(below, normal, anomaly) * right + xp.where(below, anomaly, normal) * wrong


def _focal_slopes(xp: Namespace, x: Array, y: Array, a: Setting, n: Setting, g: Setting) -> Slopes:
    p, q, of_alarm, of_miss = _probabilities(xp, x)

    def by_logit() -> Array:
        anomaly = (a * y) * (_power(xp, q, of_alarm, g) * (g * p * of_miss + q))
        return (n * (1.0 - y)) * (_power(xp, p, of_miss, g) * (g * q * of_alarm + p)) - anomaly

    def anomaly() -> Array:
        return _power(xp, q, of_alarm, g) * of_miss

    def normal() -> Array:
        return _power(xp, p, of_miss, g) * of_alarm

    return [
        by_logit,
        lambda: a * anomaly() - n * normal(),
        lambda: xp.sum(y * anomaly()),
        lambda: xp.sum((1.0 - y) * normal()),
        lambda: -xp.sum((a * y) * (anomaly() * of_alarm) + (n * (1.0 - y)) * (normal() * of_miss)),
    ]


FOCAL = Formula(_focal, _focal_slopes, blocks=0.47)  # so that a million pixels are enough for torch's blocks


def _focal_of_masks(xp: Namespace, x: Array, y: Array, a: Setting, n: Setting, g: Setting) -> Array:
    z = (1.0 - 2.0 * y) * x  # how wrong it is: of an anomaly, the logit of a normal pixel
    wrong = xp.softplus(z)
    return (n + (a - n) * y) * (_focus(xp, -z, g) * wrong)


def _focal_slopes_of_masks(xp: Namespace, x: Array, y: Array, a: Setting, n: Setting, g: Setting) -> Slopes:
    sign = 1.0 - 2.0 * y
    z = sign * x
    wrong, right = xp.softplus(z), xp.softplus(-z)
    focus = _focus(xp, -z, g)

    def by_z() -> Array:
        return (n + (a - n) * y) * (focus * (g * xp.sigmoid(-z) * wrong + xp.sigmoid(z)))

    return [
        lambda: sign * by_z(),
        lambda: (a - n) * (focus * wrong) - (2.0 * x) * by_z(),
        lambda: xp.sum(y * (focus * wrong)),
        lambda: xp.sum((1.0 - y) * (focus * wrong)),
        lambda: -xp.sum((n + (a - n) * y) * (focus * wrong * right)),
    ]


FOCAL_OF_MASKS = Formula(_focal_of_masks, _focal_slopes_of_masks, blocks=0.5)
"""The same of targets that are 0 or 1, in half of the exponentials: each pixel has one of the two terms."""
