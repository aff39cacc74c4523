"""Sums that states are made of: integers, which are exact, or real numbers where samples have weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from anomaly_kernels._core.checks import cast
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.metrics._results import nan_mask
from anomaly_kernels.metrics.counts import count_true
from anomaly_kernels.metrics.ranking.unique_scores import same_kind

Reduce: TypeAlias = Callable[[Array], Array]
"""Takes an array of this part to its sum, minimum or maximum over all parts, such as those on all devices."""


def zero(like: Array) -> Array:
    """A count of nothing, beside an array."""
    xp = array_namespace(like)
    return xp.constant(0, like=like, dtype=xp.counting())


def sum_weights(xp: Namespace, mask: Array, weight: Array | None = None) -> Array:
    """How many elements are true, or their weight."""
    if weight is None:
        return cast(xp, xp.counting(), count_true(xp, mask))
    return xp.sum(xp.where(mask, cast(xp, xp.wide(weight), weight), 0.0))


def count_nan(xp: Namespace, *arrays: Array) -> Array:
    """How many numbers are NaN."""
    total = zero(arrays[0])
    for x in arrays:
        mask = nan_mask(xp, x)
        total = total if mask is None else total + sum_weights(xp, mask)
    return total


def add(a: Array, b: Array) -> Array:
    """a + b; with weights in one of them alone, the other's integers are made real. What overflows stays negative."""
    xp = array_namespace(a, b)
    a, b = same_kind(xp, a, b)
    least = xp.minimum(a, b)
    return xp.where(least < 0, least, a + b)


def is_undefined(xp: Namespace, unknown: Array, *counts: Array) -> Array:
    """Whether a number was NaN, or a count overflowed: integers, of 32 bits in JAX by default, are negative then."""
    undefined = unknown != 0
    for each in counts:
        undefined = xp.logical_or(undefined, xp.any(each < 0))
    return undefined
