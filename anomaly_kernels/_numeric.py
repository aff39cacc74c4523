"""Formulas that several kernels share, written so that neither they nor their gradients overflow or divide by zero."""

from __future__ import annotations

import math

from anomaly_kernels._typing import Array, Axis, Namespace, Setting

TINY = 2.0**-64


def mean(xp: Namespace, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """The mean, which does not overflow where only the sum would."""
    plain = xp.mean(x, axis=axis, keepdims=keepdims)
    return rescued(xp, plain, xp.mean(x * TINY, axis=axis, keepdims=keepdims))


def rescued(xp: Namespace, plain: Array, scaled: Array) -> Array:
    """`plain`, or where it has overflowed the same from terms scaled by TINY, a power of two and hence exact."""
    return xp.where(xp.isfinite(plain), plain, scaled / TINY)


def square(x: Array, weight: Setting = 1.0) -> Array:
    """weight · x², overflowing only where that does."""
    return x * x if isinstance(weight, float) and weight == 1.0 else x * (weight * x)


def times(weight: Setting, x: Array) -> Array:
    """weight · x, for nothing where the weight is 1."""
    return x if isinstance(weight, float) and weight == 1.0 else weight * x


def magnitude_of(xp: Namespace, x: Array, *, axis: Axis = None) -> Array:
    """max |x| along axis, kept as an axis of size 1: a constant to autodiff, 1 where all are 0, to divide by."""
    top = xp.stop_gradient(xp.max(xp.abs(x), axis=axis, keepdims=True))
    # an eighth near the largest number: compilers multiply by the reciprocal, which must not be subnormal
    return xp.where(top == 0.0, 1.0, xp.where(top > 2.0**100, 0.125 * top, top))


def root(xp: Namespace, x: Array) -> Array:
    """√x of a sum of squares, with derivative 0 instead of infinity at 0."""
    zero = x <= 0.0
    return xp.where(zero, 0.0, xp.sqrt(xp.where(zero, 1.0, x)))


def norm(xp: Namespace, x: Array, *, axis: Axis = None) -> Array:
    """Euclidean norm along axis, kept as an axis of size 1; squares neither overflow nor vanish."""
    scale = magnitude_of(xp, x, axis=axis)
    return scale * root(xp, xp.sum(square(x / scale), axis=axis, keepdims=True))


def standard_deviation(xp: Namespace, x: Array, *, correction: int = 0) -> Array:
    """Standard deviation of all elements of a 1-D array, 0 with derivative 0 where they are equal."""
    deviation = 0.5 * x - 0.5 * mean(xp, x)  # halves, whose difference cannot overflow
    scale = xp.sum(magnitude_of(xp, deviation))
    variance = mean(xp, square(deviation / scale))
    if correction:
        n = xp.sum(xp.ones_like(x))
        factor = n / xp.maximum(n - correction, 1.0)
        variance = xp.where(n > correction, variance * factor, math.nan)
    return 2.0 * (scale * root(xp, variance))


def ratio(xp: Namespace, numerator: Array, denominator: Array, otherwise: Setting = 0.0) -> Array:
    """numerator / denominator, and `otherwise` where the denominator is 0."""
    zero = denominator == 0.0
    return xp.where(zero, otherwise, numerator / xp.where(zero, 1.0, denominator))


def logsumexp(xp: Namespace, x: Array, *, axis: int) -> Array:
    """log Σ exp(x) along axis; -inf among finite terms adds nothing, and its derivative is 0."""
    top = xp.stop_gradient(xp.max(x, axis=axis, keepdims=True))
    top = xp.where(xp.isfinite(top), top, 0.0)
    return xp.log(xp.sum(xp.exp(x - top), axis=axis)) + xp.sum(top, axis=axis)


def softplus(xp: Namespace, x: Array) -> Array:
    """log(1 + exp(x)), accurate in both tails, with all its derivatives at 0."""
    return positive_part(xp, x) + xp.log1p(xp.exp(-xp.magnitude(x)))


def positive_part(xp: Namespace, x: Array) -> Array:
    """max(x, 0) with derivative 1 at 0, as `magnitude` has: sums of the two are differentiated rightly there."""
    return xp.where(x < 0, 0.0, x)


def sides(xp: Namespace, x: Array) -> tuple[Array, Array]:
    """1 where x < 0 else 0, and the opposite: products with them are much faster than `where` on signs in disorder."""
    below = xp.astype(x < 0, x.dtype)
    return below, 1.0 - below


def clip(xp: Namespace, x: Array, low: Setting, high: Setting) -> Array:
    """x limited to [low, high]; NaN stays NaN."""
    return xp.minimum(xp.maximum(x, low), high)


def exp_excess(xp: Namespace, x: Array) -> Array:
    """exp(x) - 1 - x, to full precision near 0, where the naive difference keeps no digit."""
    near = xp.abs(x) < 0.5
    small = xp.where(near, x, 0.0)
    terms = 8 if x.dtype == xp.float32 else 14  # what is left out is below half a unit in the last place at 0.5
    series = xp.ones_like(small) * (2.0 / math.factorial(terms + 1))
    for n in range(terms, 1, -1):  # 2 Σ xⁿ⁻²/n! from n = 2, by Horner
        series = series * small + 2.0 / math.factorial(n)
    large = xp.where(near, 1.0, x)
    return xp.where(near, 0.5 * small * small * series, xp.expm1(large) - large)
