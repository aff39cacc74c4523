"""Proper scores of probabilistic forecasts: ensembles, Gaussians and intervals."""

from __future__ import annotations

import math
from typing import Annotated

from anomaly_kernels._core.checks import (
    INSIDE_UNIT,
    flag,
    has_known_sizes,
    has_ndim,
    has_shape,
    inputs,
    not_empty,
    number,
    same_axes,
    same_shape,
    shape_of,
)
from anomaly_kernels._core.evaluate import Formula, Slopes, reduce
from anomaly_kernels._core.numeric import square
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace, Reduction, Setting


@with_hint
def crps_ensemble(
    y_true: Array,
    ensemble: Array,
    *,
    fair: Annotated[bool, flag] = False,
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    r"""Continuous ranked probability score of an ensemble: its distance from the observation, minus half its spread.

    .. math:: w \cdot \operatorname{mean}\left(\frac 1M \sum_i |x_i - y| - \frac{1}{2 M^2} \sum_{i,j} |x_i - x_j|\right)

    Parameters
    ----------
    y_true : array, (...)
        Observations y.
    ensemble : array, (..., M)
        The M members x of each forecast, in any order.
    fair : bool
        Divide the spread by 2M(M - 1): unbiased, as if the ensemble were infinite.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the forecasts.

    Returns
    -------
    array
        In units of the data; 0-d, or with ``"none"`` the shape of `y_true`. It is not below 0.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes do not fit, there is no member, or only one with `fair`, or nothing to average over.

    Notes
    -----
    The members are sorted, so the M² differences are never made. A NaN among the members makes the score NaN.

    References
    ----------
    .. [1] T. Gneiting, A. Raftery, "Strictly Proper Scoring Rules, Prediction, and Estimation", JASA, 2007.
    .. [2] C. Ferro, "Fair scores for ensemble forecasts", Quarterly Journal of the Royal Meteorological Society, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, members = np.asarray([3.0]), np.asarray([[1.0, 4.0, 2.0, 4.0]])
    >>> float(ak.crps_ensemble(y, members)), round(float(ak.crps_ensemble(y, members, fair=True)), 6)
    (0.5625, 0.333333)
    """
    flag("fair", fair)
    xp, dtype = inputs(y_true=y_true, ensemble=ensemble)
    has_ndim("ensemble", ensemble, 1, "(..., M)", most=-1)
    has_shape("y_true", y_true, shape_of(ensemble)[:-1], "of `ensemble` without the last axis")
    axes = tuple(range(len(ensemble.shape) - 1))
    if axes:
        same_axes("axes", y_true=(y_true, axes), ensemble=(ensemble, axes))
    has_known_sizes("ensemble", ensemble, slice(-1, None))
    members = ensemble.shape[-1]
    if members == 0:
        not_empty(ensemble=ensemble)
    if fair and members < 2:
        raise ValueError(f"`ensemble` must have at least 2 members where `fair` is True, got {members}")
    divisor = members * max(members - 1 if fair else members, 1)
    # Σᵢⱼ |xᵢ - xⱼ|/2 = Σᵢ (2i - M - 1) xᵢ of sorted x
    ranks = xp.constant([(2 * i + 1 - members) / divisor for i in range(members)], like=ensemble, dtype=dtype)

    def values(xp: Namespace, x: Array, y: Array) -> Array:
        x = xp.sort(x - y)
        return xp.sum(xp.abs(x) * (1.0 / members) - ranks * x, axis=-1)

    def slopes(xp: Namespace, x: Array, y: Array) -> Slopes:
        error = x - y
        place = xp.astype(xp.argsort(xp.argsort(error)), dtype)
        side = 2.0 * xp.astype(error > 0.0, dtype) - 1.0
        slope = side * (1.0 / members) - (2.0 * place + (1.0 - members)) * (1.0 / divisor)
        return [lambda: slope, lambda: -xp.sum(slope, axis=-1, keepdims=True)]

    arrays = {"ensemble": ensemble, "y_true": xp.expand_dims(y_true, axis=-1)}
    formula = Formula(values, slopes, inner=1, blocks=0.25)  # small ones: sorted rows and their products beside them
    return reduce(xp, dtype, formula, arrays, weight=weight, reduction=reduction)


@with_hint
def crps_gaussian(
    y_true: Array, mean: Array, std: Array, *, weight: Setting = 1.0, reduction: Reduction = "mean"
) -> Array:
    r"""Continuous ranked probability score of a Gaussian forecast.

    .. math:: w \cdot \operatorname{mean}\left(e \operatorname{erf}\frac{e}{\sigma\sqrt 2} +
        \sigma \left(2\,\varphi\left(\frac e\sigma\right) - \frac{1}{\sqrt\pi}\right)\right), \quad e = y - \mu

    Parameters
    ----------
    y_true : array, any shape
        Observations y.
    mean, std : array, shape of `y_true`
        Means μ and standard deviations σ of the forecasts. If σ is 0, the score is the absolute error.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Returns
    -------
    array
        In units of the data; 0-d, or with ``"none"`` one value per element.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ, `reduction` is unknown, or there is nothing to average over.

    References
    ----------
    .. [1] T. Gneiting, A. Raftery, A. Westveld, T. Goldman, "Calibrated Probabilistic Forecasting Using Ensemble Model
       Output Statistics and Minimum CRPS Estimation", Monthly Weather Review, 2005, equation 5.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> ak.crps_gaussian(np.asarray([1.0, 1.0]), np.zeros(2), np.asarray([1.0, 0.0]), reduction="none").round(6)
    array([0.602441, 1.      ])
    """
    xp, dtype = inputs(y_true=y_true, mean=mean, std=std)
    same_shape(y_true=y_true, mean=mean, std=std)
    arrays = {"y_true": y_true, "mean": mean, "std": std}
    return reduce(xp, dtype, CRPS_OF_GAUSSIAN, arrays, weight=weight, reduction=reduction)


def _crps_of_gaussian(xp: Namespace, y: Array, mean: Array, std: Array) -> Array:
    error = y - mean
    z = _in_deviations(xp, error, std)
    return error * xp.erf(z * math.sqrt(0.5)) + std * _twice_density(xp, z)


def _crps_of_gaussian_slopes(xp: Namespace, y: Array, mean: Array, std: Array) -> Slopes:
    z = _in_deviations(xp, y - mean, std)
    by_observation = xp.erf(z * math.sqrt(0.5))
    return [lambda: by_observation, lambda: -by_observation, lambda: _twice_density(xp, z)]


def _in_deviations(xp: Namespace, error: Array, std: Array) -> Array:
    """Errors over σ; over so small a one instead of 0 that they are as far out as no density is."""
    return error / xp.maximum(std, 1e-15 if std.dtype == xp.float32 else 1e-100)


def _twice_density(xp: Namespace, z: Array) -> Array:
    return math.sqrt(2.0 / math.pi) * xp.exp(-0.5 * square(z)) - math.sqrt(1.0 / math.pi)


CRPS_OF_GAUSSIAN = Formula(_crps_of_gaussian, _crps_of_gaussian_slopes)


@with_hint
def gaussian_nll(
    y_true: Array, mean: Array, log_var: Array, *, weight: Setting = 1.0, reduction: Reduction = "mean"
) -> Array:
    r"""Negative log likelihood of observations under Gaussian forecasts, each with a variance of its own.

    .. math:: \frac w2 \operatorname{mean}\left(\log 2\pi + v + \left((y - \mu) / e^{v/2}\right)^2\right)

    Parameters
    ----------
    y_true : array, any shape
        Observations y.
    mean, log_var : array, shape of `y_true`
        Means μ and logarithms v of the variances of the forecasts.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Returns
    -------
    array
        In nats; 0-d, or with ``"none"`` one value per element. It may be below 0, because a density may be above 1.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ, `reduction` is unknown, or there is nothing to average over.

    Notes
    -----
    The logarithm of the variance needs no clamp. A clamp would change the value and the sign of the slope for small
    variances. The constant log 2π is included.

    References
    ----------
    .. [1] D. Nix, A. Weigend, "Estimating the mean and variance of the target probability distribution", ICNN, 1994.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> round(float(ak.gaussian_nll(np.asarray([1e-4]), np.zeros(1), np.log(np.asarray([1e-9])))), 4)
    -4.4427
    """
    xp, dtype = inputs(y_true=y_true, mean=mean, log_var=log_var)
    same_shape(y_true=y_true, mean=mean, log_var=log_var)
    arrays = {"y_true": y_true, "mean": mean, "log_var": log_var}
    return reduce(xp, dtype, GAUSSIAN_NLL, arrays, weight=weight, reduction=reduction)


def _gaussian_nll(xp: Namespace, y: Array, mean: Array, log_var: Array) -> Array:
    return 0.5 * (log_var + square((y - mean) / xp.exp(0.5 * log_var))) + 0.5 * math.log(2.0 * math.pi)


def _gaussian_nll_slopes(xp: Namespace, y: Array, mean: Array, log_var: Array) -> Slopes:
    std = xp.exp(0.5 * log_var)
    z = (y - mean) / std
    by_observation = z / std
    return [lambda: by_observation, lambda: -by_observation, lambda: 0.5 - 0.5 * square(z)]


GAUSSIAN_NLL = Formula(_gaussian_nll, _gaussian_nll_slopes)


@with_hint
def interval_score(
    y_true: Array,
    lower: Array,
    upper: Array,
    *,
    alpha: Annotated[Setting, INSIDE_UNIT] = 0.1,
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    r"""Interval score (Winkler score): width of prediction intervals, plus a penalty for observations outside.

    .. math:: w \cdot \operatorname{mean}\left(u - l + \frac 2\alpha \left(\max(0, l - y) + \max(0, y - u)\right)\right)

    Parameters
    ----------
    y_true : array, any shape
        Observations y.
    lower, upper : array, shape of `y_true`
        Bounds l and u of the intervals that should contain an observation with probability 1 - α.
    alpha : number or 0-d array, above 0 and below 1
        α.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Returns
    -------
    array
        In units of the data; 0-d, or with ``"none"`` one value per element.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ, a setting is out of its range, or there is nothing to average over.

    Notes
    -----
    Crossed bounds are not an error. The formula still applies, and its slope pulls them apart.

    References
    ----------
    .. [1] R. Winkler, "A Decision-Theoretic Approach to Interval Estimation", JASA, 1972.
    .. [2] T. Gneiting, A. Raftery, "Strictly Proper Scoring Rules, Prediction, and Estimation", JASA, 2007,
       section 6.2.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, lower, upper = np.asarray([0.5, 2.0]), np.zeros(2), np.ones(2)
    >>> ak.interval_score(y, lower, upper, alpha=0.5, reduction="none")
    array([1., 5.])
    """
    xp, dtype = inputs(y_true=y_true, lower=lower, upper=upper)
    same_shape(y_true=y_true, lower=lower, upper=upper)
    a = number("alpha", alpha, xp, dtype, INSIDE_UNIT)
    arrays = {"y_true": y_true, "lower": lower, "upper": upper}
    return reduce(xp, dtype, INTERVAL, arrays, a, weight=weight, reduction=reduction)


def _interval(xp: Namespace, y: Array, lower: Array, upper: Array, alpha: Setting) -> Array:
    return (upper - lower) + (2.0 / alpha) * (xp.maximum(lower - y, 0.0) + xp.maximum(y - upper, 0.0))


def _interval_slopes(xp: Namespace, y: Array, lower: Array, upper: Array, alpha: Setting) -> Slopes:
    per_unit = 2.0 / alpha
    below, above = per_unit * xp.astype(y < lower, y.dtype), per_unit * xp.astype(y > upper, y.dtype)
    return [
        lambda: above - below,
        lambda: below - 1.0,
        lambda: 1.0 - above,
        lambda: -xp.sum(below * (lower - y) + above * (y - upper)) / alpha,
    ]


INTERVAL = Formula(_interval, _interval_slopes)
