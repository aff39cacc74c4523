"""Small formulas that several kernels share, written for the edges that data have: zeros, constants, -inf."""

from __future__ import annotations

import math

from anomaly_kernels._core.typing import Array, Namespace, Setting


def square(x: Array) -> Array:
    """x²."""
    return x * x


def root(xp: Namespace, x: Array) -> Array:
    """Return √x of a sum of squares, with derivative 0 instead of infinity at 0."""
    zero = x <= 0.0
    return xp.where(zero, 0.0, xp.sqrt(xp.where(zero, 1.0, x)))


def standard_deviation(xp: Namespace, x: Array, *, correction: int = 0) -> Array:
    """Standard deviation of all elements of a 1-D array, 0 with derivative 0 where they are equal."""
    variance = xp.mean(square(x - xp.mean(x)))
    if correction:
        n = xp.sum(xp.ones_like(x))
        variance = xp.where(n > correction, variance * (n / xp.maximum(n - correction, 1.0)), math.nan)
    return root(xp, variance)


def ratio(xp: Namespace, numerator: Array, denominator: Array, otherwise: Setting = 0.0) -> Array:
    """Return numerator / denominator, and `otherwise` where the denominator is 0; no NaN, in derivatives neither."""
    zero = denominator == 0.0
    return xp.where(zero, otherwise, xp.divide(numerator, xp.where(zero, 1.0, denominator)))


def logsumexp(xp: Namespace, x: Array, *, axis: int) -> Array:
    """Return log Σ exp(x) along an axis; -inf among finite terms adds nothing, and its derivative is 0."""
    top = xp.stop_gradient(xp.max(x, axis=axis, keepdims=True))
    top = xp.where(xp.isfinite(top), top, 0.0)
    return xp.log(xp.sum(xp.exp(x - top), axis=axis)) + xp.sum(top, axis=axis)
