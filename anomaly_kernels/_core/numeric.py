"""Small formulas that several kernels share, written for the edges that data have: zeros, constants, -inf."""

from __future__ import annotations

import math

from anomaly_kernels._core.typing import Array, Namespace, Setting


def square(x: Array) -> Array:
    """x²."""
    return x * x


def root(xp: Namespace, x: Array) -> Array:
    """Return the root of a sum of squares, with derivative 0 instead of infinity at 0.

    Parameters
    ----------
    xp : namespace
        Of the array.
    x : array
        Numbers from 0 on.

    Returns
    -------
    array
        √x.
    """
    zero = x <= 0.0
    return xp.where(zero, 0.0, xp.sqrt(xp.where(zero, 1.0, x)))


def length(xp: Namespace, x: Array) -> Array:
    """Euclidean length along the last axis, whose squares do not leave the dtype, with derivative 0 at 0."""
    top = xp.stop_gradient(xp.max(xp.abs(x), axis=-1, keepdims=True))
    top = xp.where(top > 0.0, top, 1.0)
    return xp.sum(top, axis=-1) * root(xp, xp.sum(square(x / top), axis=-1))


def standard_deviation(xp: Namespace, x: Array, *, correction: int = 0) -> Array:
    """Standard deviation of all elements of a 1-D array, 0 with derivative 0 where they are equal."""
    variance = xp.mean(square(x - xp.mean(x)))
    if correction:
        n = xp.sum(xp.ones_like(x))
        variance = xp.where(n > correction, variance * (n / xp.maximum(n - correction, 1.0)), math.nan)
    return root(xp, variance)


def ratio(xp: Namespace, numerator: Array, denominator: Array, otherwise: Setting = 0.0) -> Array:
    """Return a quotient, and another number where the denominator is 0; no derivative is NaN there.

    Parameters
    ----------
    xp : namespace
        Of the arrays.
    numerator, denominator : array
        Of shapes that broadcast.
    otherwise : number or 0-d array
        What stands for a quotient by 0.

    Returns
    -------
    array
        numerator / denominator.
    """
    zero = denominator == 0.0
    return xp.where(zero, otherwise, xp.divide(numerator, xp.where(zero, 1.0, denominator)))


def logsumexp(xp: Namespace, x: Array, *, axis: int) -> Array:
    """Return the logarithm of a sum of exponentials; -inf among finite terms adds nothing, and its derivative is 0.

    Parameters
    ----------
    xp : namespace
        Of the array.
    x : array
        The exponents.
    axis : int
        The axis to sum along.

    Returns
    -------
    array
        log Σ exp(x), without that axis.
    """
    top = xp.stop_gradient(xp.max(x, axis=axis, keepdims=True))
    top = xp.where(xp.isfinite(top), top, 0.0)
    return xp.log(xp.sum(xp.exp(x - top), axis=axis)) + xp.sum(top, axis=axis)
