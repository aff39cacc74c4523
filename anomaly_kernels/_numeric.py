"""Formulas that several kernels share, written so that neither they nor their gradients overflow or divide by zero."""

from __future__ import annotations

import math
from collections.abc import Callable

from anomaly_kernels._typing import Array, Axis, Namespace, Setting, Values

TINY = 2.0**-40
"""Small enough for the mean of 2⁴⁰ numbers; gradients are divided by it on their way, so that less could overflow."""


def mean(xp: Namespace, values: Values, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """The mean, which does not overflow where only the sum, or some of the values, would."""
    return rescued(xp, lambda unit: xp.mean(in_unit(values, unit), axis=axis, keepdims=keepdims))


def rescued(xp: Namespace, result: Callable[[float], Array]) -> Array:
    """What is linear in a unit, at 1; where that overflows, from TINY, a power of two and hence exact."""
    return xp.finite_or(lambda: result(1.0), lambda: result(TINY) / TINY)


def in_unit(values: Values, unit: float) -> Array:
    """The values multiplied by a unit."""
    return values(unit) if callable(values) else times(unit, values)


def times(weight: Setting, x: Array) -> Array:
    """weight · x, for nothing where the weight is 1."""
    return x if isinstance(weight, float) and weight == 1.0 else weight * x


def weighted(x: Array, weight: Setting, unit: float) -> Array:
    """unit · weight · x, overflowing only where that does."""
    return times(weight, times(unit, x))


def square(x: Array, weight: Setting = 1.0, unit: float = 1.0) -> Array:
    """unit · weight · x², overflowing only where that does."""
    return times(unit, x) * times(weight, x)


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
    deviation = _half_deviation(xp, x)
    scale = xp.sum(magnitude_of(xp, deviation))
    variance = xp.mean(square(deviation / scale))
    if correction:
        n = xp.sum(xp.ones_like(x))
        factor = n / xp.maximum(n - correction, 1.0)
        variance = xp.where(n > correction, variance * factor, math.nan)
    return 2.0 * (scale * root(xp, variance))


def variance(xp: Namespace, x: Array, weight: Setting = 1.0) -> Array:
    """weight · population variance of all elements, overflowing only where that does."""
    half = _half_deviation(xp, x)
    return mean(xp, lambda unit: square(half, weight, 4.0 * unit))


def _half_deviation(xp: Namespace, x: Array) -> Array:
    # the difference of halves cannot overflow
    return 0.5 * x - 0.5 * mean(xp, x)


def ratio(xp: Namespace, numerator: Array, denominator: Array, otherwise: Setting = 0.0) -> Array:
    """numerator / denominator, and `otherwise` where the denominator is 0."""
    zero = denominator == 0.0
    return xp.where(zero, otherwise, numerator / xp.where(zero, 1.0, denominator))


def logsumexp(xp: Namespace, x: Array, *, axis: int) -> Array:
    """log Σ exp(x) along axis; -inf among finite terms adds nothing, and its derivative is 0."""
    top = xp.stop_gradient(xp.max(x, axis=axis, keepdims=True))
    top = xp.where(xp.isfinite(top), top, 0.0)
    return xp.log(xp.sum(xp.exp(x - top), axis=axis)) + xp.sum(top, axis=axis)


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
    first, second, rest = excess_terms(xp, x)
    return first * second - rest


def excess_terms(xp: Namespace, x: Array) -> tuple[Array, Array, Array]:
    """a, b and c with ab - c = exp(x) - 1 - x, none of which overflows where only exp(x) does."""
    near = xp.abs(x) < 1.0  # farther out little cancels
    small = xp.where(near, x, 0.0)
    terms = 10 if x.dtype == xp.float32 else 17  # what is left out is below half a unit in the last place at 1
    series = xp.ones_like(small) * (1.0 / math.factorial(terms + 1))
    for n in range(terms, 1, -1):  # Σ xⁿ⁻²/n! from n = 2, by Horner
        series = series * small + 1.0 / math.factorial(n)
    large = xp.where(near, 0.0, x)
    root = xp.expm1(0.5 * large)  # exp(x) - 1 = root · (root + 2)
    return xp.where(near, x, root), xp.where(near, small * series, root + 2.0), large
