"""How formulas are evaluated: whole where autodiff or a compiler looks on, in cache-sized blocks where nobody does.

A formula maps arrays to the values of its samples (or elements); it never knows which part of the arrays it is given.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from itertools import product

from anomaly_kernels._checks import cast, choice, not_empty
from anomaly_kernels._numeric import in_unit, mean, rescued
from anomaly_kernels._typing import Array, DType, Namespace, Reduction, Values

BLOCK = 2**15
"""Elements of a block: a dozen temporaries of this size stay in the second-level cache."""

Formula = Callable[..., Values]
Sums = Callable[..., tuple[Array, ...]]


def reduce(
    xp: Namespace,
    dtype: DType,
    formula: Formula,
    arrays: Mapping[str, Array],
    *,
    reduction: Reduction,
    inner: int = 0,
    block: int | None = None,
    at_once: Callable[..., Array | None] | None = None,
) -> Array:
    """Mean, sum or all of the values of a formula.

    `formula` takes the arrays in their order, or a part of each, and returns values of their shape without the last
    `inner` axes, which it has summed over itself. The first array has the full shape; the others have it too, or
    broadcast to it. `block` is the number of elements to evaluate at a time.

    Values that may overflow where their mean does not, such as squares, are given as a function of a factor to multiply
    them by: that of `partial(square, x, weight)`. `at_once` gives their mean from whole arrays, or None if it cannot.
    """
    choice("reduction", reduction, ("mean", "sum", "none"))
    name, first = next(iter(arrays.items()))
    if inner and 0 in first.shape[-inner:]:
        not_empty(**{name: first})
    if reduction == "none":
        return evaluate(xp, dtype, formula, arrays, inner=inner, block=block)

    def total(unit: float) -> Array:
        def sums(*parts: Array) -> tuple[Array]:
            return (xp.sum(in_unit(formula(*parts), unit)),)

        return totals(xp, dtype, sums, arrays, inner=inner, block=block)[0]

    if reduction == "sum":
        return total(1.0)
    not_empty(**{name: first})  # the others have its shape, or broadcast to it
    whole = tuple(arrays.values())
    if not _in_blocks(xp, whole, block):
        parts = [cast(xp, dtype, x) for x in whole]
        found = None if at_once is None else at_once(*parts)
        return mean(xp, formula(*parts)) if found is None else found
    count = math.prod(whole[0].shape[: len(whole[0].shape) - inner])
    return rescued(xp, lambda unit: total(unit) / count)


def totals(
    xp: Namespace, dtype: DType, sums: Sums, arrays: Mapping[str, Array], *, inner: int = 0, block: int | None = None
) -> tuple[Array, ...]:
    """Sums over everything: `sums` returns them for a part of the arrays, cut anywhere but in the last `inner` axes."""
    whole = tuple(arrays.values())
    if not _in_blocks(xp, whole, block):
        return sums(*[cast(xp, dtype, x) for x in whole])
    return _pairwise(sums(*(cast(xp, dtype, x) for x in part)) for part in _parts(whole, inner, block))


def evaluate(
    xp: Namespace,
    dtype: DType,
    formula: Formula,
    arrays: Mapping[str, Array],
    *,
    inner: int = 0,
    block: int | None = None,
) -> Array:
    """All values of a formula; in blocks they need no memory but their own."""
    whole = tuple(arrays.values())
    if not _in_blocks(xp, whole, block):
        return in_unit(formula(*[cast(xp, dtype, x) for x in whole]), 1.0)
    outer = whole[0].shape[: len(whole[0].shape) - inner]
    parts = (in_unit(formula(*(cast(xp, dtype, x) for x in part)), 1.0) for part in _parts(whole, inner, block))
    return xp.reshape(xp.concat([xp.reshape(values, (-1,)) for values in parts]), outer)


def _in_blocks(xp: Namespace, arrays: tuple[Array, ...], block: int | None) -> bool:
    shape = arrays[0].shape
    for n in shape:
        if not isinstance(n, int):  # unknown sizes are traced, never evaluated in blocks
            return False
    return math.prod(shape) > (block or BLOCK) and xp.is_lean(*arrays)


def _parts(arrays: tuple[Array, ...], inner: int, block: int | None) -> Iterator[tuple[Array, ...]]:
    """The arrays block by block, in the order of their elements; views, nothing is moved."""
    shape = arrays[0].shape
    for cut in _cuts(shape, len(shape) - inner, block or BLOCK):
        yield tuple(_part(x, cut) if len(x.shape) == len(shape) else x for x in arrays)


def _cuts(shape: tuple[int, ...], outer: int, block: int) -> Iterator[tuple[slice, ...]]:
    """Slices of the first `outer` axes that cut an array into blocks of at most `block` elements, or single samples."""
    if outer == 0:
        yield ()
        return
    axis = 0  # the first axis that is cut in runs; those before it are walked one index at a time
    while axis < outer - 1 and math.prod(shape[axis + 1 :]) > block:
        axis += 1
    run = max(1, block // math.prod(shape[axis + 1 :]))
    for index in product(*map(range, shape[:axis])):
        for start in range(0, shape[axis], run):
            yield (*(slice(i, i + 1) for i in index), slice(start, start + run))


def _part(x: Array, cut: tuple[slice, ...]) -> Array:
    # an axis of size 1 broadcasts against every block
    return x[tuple(slice(None) if n == 1 else part for n, part in zip(x.shape, cut, strict=False))]


def _pairwise(parts: Iterator[tuple[Array, ...]]) -> tuple[Array, ...]:
    """Sum of the parts, added in pairs of equal weight, like the carries of a binary counter: errors stay small."""
    carries: list[tuple[int, tuple[Array, ...]]] = []
    for part in parts:
        weight, total = 1, part
        while carries and carries[-1][0] == weight:
            total = _added(carries.pop()[1], total)
            weight *= 2
        carries.append((weight, total))
    return functools.reduce(_added, (total for _, total in reversed(carries)))


def _added(first: tuple[Array, ...], second: tuple[Array, ...]) -> tuple[Array, ...]:
    return tuple(a + b for a, b in zip(first, second, strict=True))
