"""Scores as the rules take them: flat, without gradient; how many there are; and the next number above a value."""

from __future__ import annotations

import math
from typing import Annotated, Any, TypeAlias

from anomaly_kernels._core.checks import INSIDE_UNIT, cast, inputs, is_number, not_empty, setting, shape_of, shown
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.typing import Array, DType, Namespace, Number


def check_share(name: str, value: Any) -> float:
    """A number in (0, 1) as a float, or an error; ranks are found from it, so it must be known before run time."""
    if not is_number(value):
        raise TypeError(f"`{name}` must be a number, got {describe(value)}")
    setting(name, value, INSIDE_UNIT)
    return float(value)


KnownShare: TypeAlias = Annotated[Number, check_share]


def flat_scores(name: str, x: Array) -> tuple[Namespace, Array]:
    """The namespace, and all scores along one axis in the dtype to compute in, as constants to autodiff."""
    xp, dtype = inputs(**{name: x})
    not_empty(**{name: x})
    return xp, flat(xp, dtype, x)


def flat(xp: Namespace, dtype: DType, x: Array) -> Array:
    """All numbers along one axis, in a dtype, as constants to autodiff."""
    return xp.reshape(cast(xp, dtype, xp.stop_gradient(x)), (-1,))


def shaped(xp: Namespace, x: Array, like: Array) -> Array:
    """What is flat in the shape of another array, the first size of which a graph may leave open."""
    return xp.reshape(x, tuple(-1 if n is None else n for n in like.shape))


def known_size(name: str, x: Array) -> int:
    """How many numbers there are: ranks are found from it, before anything is traced, so it must be known."""
    size = 1
    for n in x.shape:  # plain, for Dynamo
        if n is None or n != n:
            raise ValueError(f"`{name}` must have known sizes, of which ranks are made, got {shown(shape_of(x))}")
        size *= int(n)
    return size


def most(share: float, n: int) -> int:
    """The largest k of which k/n is at most the share."""
    k = int(share * n) + 1  # as rounding may have made the product too small
    while k / n > share:
        k -= 1
    return k


def above(xp: Namespace, x: Array) -> Array:
    """The next number above x, so that ``score >= above(x)`` is ``score > x``; above -∞ the lowest, above ∞ none."""
    # Compilers, and TensorFlow, take numbers below the least normal one for 0, which would not be above 0
    least = 2.0**-126 if x.dtype == xp.float32 else 2.0**-1022
    return xp.where(xp.abs(x) < least, least, xp.nextafter(x, xp.full_like(x, math.inf)))
