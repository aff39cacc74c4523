"""Sums that states are made of: integers, which are exact, unless samples have weights."""

from __future__ import annotations

from anomaly_kernels._core.checks import cast, is_real
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.metrics.counts import count_true
from anomaly_kernels.metrics.ranking.unique_scores import same_kind


def zero(like: Array) -> Array:
    """A count of nothing, beside an array."""
    xp = array_namespace(like)
    return xp.constant(0, like=like, dtype=xp.counting())


def weighed(xp: Namespace, mask: Array, weight: Array | None = None) -> Array:
    """How many elements are true, or what they weigh."""
    if weight is None:
        return cast(xp, xp.counting(), count_true(xp, mask))
    return xp.sum(xp.where(mask, cast(xp, xp.wide(weight), weight), 0.0))


def unknown(xp: Namespace, *arrays: Array) -> Array:
    """How many numbers are NaN."""
    found = zero(arrays[0])
    for x in arrays:
        if is_real(x):
            found = found + weighed(xp, xp.isnan(x))
    return found


def added(a: Array, b: Array) -> Array:
    """a + b; with weights in one of them alone, the other's integers are made real. What overflows stays negative."""
    xp = array_namespace(a, b)
    a, b = same_kind(xp, a, b)
    least = xp.minimum(a, b)
    return xp.where(least < 0, least, a + b)


def spoiled(xp: Namespace, unknown: Array, *counts: Array) -> Array:
    """Whether a number was NaN, or a count overflowed: integers, of 32 bits in JAX by default, are negative then."""
    found = unknown != 0
    for each in counts:
        found = xp.logical_or(found, xp.any(each < 0))
    return found
