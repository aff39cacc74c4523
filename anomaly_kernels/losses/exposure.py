"""Classifiers that also see outliers: losses that keep these uncertain, and scores of logits."""

from __future__ import annotations

from typing import Annotated, Literal

from anomaly_kernels._core.checks import (
    NOT_NEGATIVE,
    POSITIVE,
    choice,
    has_ndim,
    has_shape,
    inputs,
    not_empty,
    number,
    same_axes,
    shape_of,
)
from anomaly_kernels._core.evaluate import Formula, Sums, reduce, weigh
from anomaly_kernels._core.numeric import logsumexp, ratio, square
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.targets import check_classes, check_mask, check_not_boolean
from anomaly_kernels._core.typing import Array, DType, Namespace, Setting


@with_hint
def outlier_exposure_loss(
    target: Array,
    logit: Array,
    *,
    outlier_weight: Annotated[Setting, NOT_NEGATIVE] = 0.5,
    weight: Setting = 1.0,
) -> Array:
    r"""Outlier exposure: cross entropy with the class of inliers, and with even probabilities for outliers.

    .. math:: w \left(\operatorname{mean}_{y \ge 0} \left(\operatorname{lse}(x) - x_y\right)
        + \lambda \operatorname{mean}_{y < 0} \left(\operatorname{lse}(x) - \bar x\right)\right), \quad
        \operatorname{lse}(x) = \log \sum_c e^{x_c}

    Parameters
    ----------
    target : array, (...)
        Classes y from 0 to C - 1, whole numbers; any negative number is an outlier.
    logit : array, (..., C)
        Logits x of the classes.
    outlier_weight : number or 0-d array, at least 0
        λ.
    weight : number or 0-d array
        Factor w of the result.

    Returns
    -------
    array, 0-d
        In nats. A group without members counts 0.

    Raises
    ------
    TypeError
        If `logit` is not a floating point array, `target` is boolean, or the arrays belong to different libraries.
    ValueError
        If the shapes do not fit, a class is not one of the C, a setting is out of its range, or there is nothing to
        average over.

    Notes
    -----
    As in the paper there are two means, each over its own group. So the number of outliers in a batch does not matter.
    The loss of a confident, right sample keeps its digits, such as 1e-13 in float32.

    References
    ----------
    .. [1] D. Hendrycks, M. Mazeika, T. Dietterich, "Deep Anomaly Detection with Outlier Exposure", ICLR, 2019,
       equation 1.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, x = np.asarray([0, 1, -1]), np.asarray([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]])
    >>> round(float(ak.outlier_exposure_loss(y, x)), 6)
    0.994389
    """
    xp, dtype = _of_logits(target, logit)
    check_not_boolean(xp, target)
    check_classes(xp, "target", target, shape_of(logit)[-1])
    share = number("outlier_weight", outlier_weight, xp, dtype, NOT_NEGATIVE)
    arrays = (logit, xp.expand_dims(target, axis=-1))
    entropy, members, uneven, outliers = xp.add_up(_CLASSES_AND_OUTLIERS, dtype, arrays, ())
    return weigh(xp, dtype, weight, ratio(xp, entropy, members) + share * ratio(xp, uneven, outliers))


def _classes_and_outliers(xp: Namespace, x: Array, y: Array) -> tuple[Array, ...]:
    # the largest logit cancels, so its slope is left out; what remains is softmax minus 0 or 1, with the digits of 1
    u = x - xp.stop_gradient(xp.max(x, axis=-1, keepdims=True))
    log_total = xp.log1p(_sum_above_one(xp, xp.exp(u), u))
    chosen = xp.take_along_axis(u, xp.astype(xp.where(y > 0.0, y, 0.0), xp.counting()))[..., 0]
    y = y[..., 0]
    outlier = xp.astype(y < 0.0, x.dtype)
    entropy = xp.where(y < 0.0, 0.0, log_total - chosen + 0.0 * y)  # which is NaN where y is
    uneven = xp.where(y < 0.0, log_total - xp.mean(u, axis=-1), 0.0)
    return xp.sum(entropy), xp.sum(1.0 - outlier), xp.sum(uneven), xp.sum(outlier)


_CLASSES_AND_OUTLIERS = Sums(_classes_and_outliers, inner=1)


@with_hint
def energy_bounded_loss(
    target: Array,
    logit: Array,
    *,
    margin_in: Setting = -25.0,
    margin_out: Setting = -7.0,
    temperature: Annotated[Setting, POSITIVE] = 1.0,
    weight: Setting = 1.0,
) -> Array:
    r"""Bounds for the energy of a classifier's logits: low for normal data, high for outliers.

    .. math:: w \left(\operatorname{mean}_{y = 0} \max(0, E - m_{in})^2
        + \operatorname{mean}_{y = 1} \max(0, m_{out} - E)^2\right), \quad E = -T \log \sum_c e^{x_c / T}

    Parameters
    ----------
    target : array, (...)
        Truth y: booleans, 0 and 1, or probabilities of an anomaly, by which the means are weighted.
    logit : array, (..., C)
        Logits x of the classes.
    margin_in : number or 0-d array
        Normal data should have an energy below it.
    margin_out : number or 0-d array
        Outliers should have an energy above it.
    temperature : number or 0-d array, above 0
        T.
    weight : number or 0-d array
        Factor w of the result; 0.1 in the paper, where the cross entropy of the normal data is added.

    Returns
    -------
    array, 0-d
        In squared units of the logits. A group without members counts 0.

    Raises
    ------
    TypeError
        If `logit` is not a floating point array, or the arrays belong to different libraries.
    ValueError
        If the shapes do not fit, a setting is out of its range, or there is nothing to average over.

    Notes
    -----
    The default margins are those of the paper for CIFAR-10. They are in units of the logits, so look at the energies of
    your classifier (`logit_score`) before you train with them. The loss does not include the cross entropy.

    References
    ----------
    .. [1] W. Liu, X. Wang, J. Owens, Y. Li, "Energy-based Out-of-distribution Detection", NeurIPS, 2020,
       equations 7 to 9.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, x = np.asarray([0, 1]), np.asarray([[5.0, 0.0], [3.0, 3.0]])
    >>> round(float(ak.energy_bounded_loss(y, x, margin_in=-6.0, margin_out=-2.0)), 4)
    3.8534
    """
    xp, dtype = _of_logits(target, logit)
    if target.dtype != dtype:
        check_mask(xp, target)
    low, high = number("margin_in", margin_in, xp, dtype), number("margin_out", margin_out, xp, dtype)
    t = number("temperature", temperature, xp, dtype, POSITIVE)
    arrays = (logit, xp.expand_dims(target, axis=-1))
    too_high, normal, too_low, anomalous = xp.add_up(_ENERGIES_OUT_OF_BOUNDS, dtype, arrays, (low, high, t))
    return weigh(xp, dtype, weight, ratio(xp, too_high, normal) + ratio(xp, too_low, anomalous))


def _energies_out_of_bounds(
    xp: Namespace, x: Array, y: Array, low: Setting, high: Setting, t: Setting
) -> tuple[Array, ...]:
    energy, y = -t * logsumexp(xp, x / t, axis=-1), y[..., 0]
    too_high, too_low = square(xp.maximum(energy - low, 0.0)), square(xp.maximum(high - energy, 0.0))
    return xp.sum((1.0 - y) * too_high), xp.sum(1.0 - y), xp.sum(y * too_low), xp.sum(y)


_ENERGIES_OUT_OF_BOUNDS = Sums(_energies_out_of_bounds, inner=1)


@with_hint
def logit_score(
    logit: Array,
    *,
    method: Literal["energy", "max_softmax", "max_logit", "entropy"] = "energy",
    temperature: Annotated[Setting, POSITIVE] = 1.0,
) -> Array:
    r"""Anomaly score of a classifier's logits: high where it is unsure.

    .. math:: -T \log \sum_c e^{x_c/T}, \quad 1 - \max_c p_c, \quad -\max_c x_c, \quad -\sum_c p_c \log p_c, \qquad
        p = \operatorname{softmax}(x / T)

    Parameters
    ----------
    logit : array, (..., C)
        Logits x of the classes.
    method : {"energy", "max_softmax", "max_logit", "entropy"}
        The four scores in this order.
    temperature : number or 0-d array, above 0
        T. The largest logit does not depend on it.

    Returns
    -------
    array
        The shape without the last axis; in units of the logits, a probability, or nats. Higher means more anomalous.

    Raises
    ------
    TypeError
        If `logit` is not a floating point array.
    ValueError
        If it has no axis of classes, or a setting is out of its range.

    Notes
    -----
    Probabilities and entropies of confident samples keep their digits and their order: 1e-13 does not become 0 in
    float32. A class with the logit -inf is ignored.

    References
    ----------
    .. [1] D. Hendrycks, K. Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples in Neural
       Networks", ICLR, 2017.
    .. [2] W. Liu, X. Wang, J. Owens, Y. Li, "Energy-based Out-of-distribution Detection", NeurIPS, 2020, equation 4.
    .. [3] D. Hendrycks et al., "Scaling Out-of-Distribution Detection for Real-World Settings", ICML, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> x = np.asarray([[30.0, 0.0, 0.0], [1.0, 1.0, 1.0]], np.float32)
    >>> [f"{score:.3g}" for score in ak.logit_score(x, method="max_softmax")]
    ['1.87e-13', '0.667']
    """
    choice("method", method, tuple(_SCORES))
    xp, dtype = inputs(logit=logit)
    has_ndim("logit", logit, 1, "(..., C)", most=-1)
    t = number("temperature", temperature, xp, dtype, POSITIVE)
    return reduce(xp, dtype, _SCORES[method], {"logit": logit}, t, reduction="none")


def _unsure(xp: Namespace, x: Array, t: Setting) -> Array:
    u = (x - xp.max(x, axis=-1, keepdims=True)) / t
    rest = _sum_above_one(xp, xp.exp(u), u)
    return rest / (1.0 + rest)


def _entropy(xp: Namespace, x: Array, t: Setting) -> Array:
    u = (x - xp.max(x, axis=-1, keepdims=True)) / t
    e = xp.exp(u)
    rest = _sum_above_one(xp, e, u)
    return xp.log1p(rest) - xp.sum(e * xp.where(e == 0.0, 0.0, u), axis=-1) / (1.0 + rest)


_SCORES = {
    "energy": Formula(lambda xp, x, t: -t * logsumexp(xp, x / t, axis=-1), inner=1),
    "max_softmax": Formula(_unsure, inner=1),
    "max_logit": Formula(lambda xp, x, t: -xp.max(x, axis=-1), inner=1),
    "entropy": Formula(_entropy, inner=1),
}


def _sum_above_one(xp: Namespace, e: Array, u: Array) -> Array:
    """Σ e - 1 of e = exp(u), u being at most 0 and 0 somewhere: without the 1 of that place, which would round."""
    largest = 1.0 + xp.floor(xp.maximum(xp.stop_gradient(u), -1.0))  # 1 where u is 0: masks slow compiled loops down
    return xp.sum(e - largest, axis=-1) + (xp.sum(largest, axis=-1) - 1.0)


def _of_logits(target: Array, logit: Array) -> tuple[Namespace, DType]:
    xp, dtype = inputs({"target": target}, logit=logit)
    has_ndim("logit", logit, 1, "(..., C)", most=-1)
    has_shape("target", target, shape_of(logit)[:-1], "of `logit` without the last axis")
    axes = tuple(range(len(logit.shape) - 1))
    if axes:
        same_axes("axes", target=(target, axes), logit=(logit, axes))
    not_empty(logit=logit)
    return xp, dtype
