"""How formulas are evaluated: whole where autodiff or a compiler looks on, in cache-sized blocks where nobody does.

A formula maps arrays to the values of its samples (or elements); it never knows which part of the arrays it is given.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from itertools import product

from anomaly_kernels._checks import cast, choice, not_empty
from anomaly_kernels._numeric import mean_of, rescued
from anomaly_kernels._typing import Array, DType, Namespace, Reduction, Setting

BLOCK = 2**15
"""Elements of a block: a dozen temporaries of this size stay in the second-level cache."""

Formula = Callable[..., Array]
Sums = Callable[..., tuple[Array, ...]]


def reduce(
    xp: Namespace,
    dtype: DType,
    formula: Formula,
    arrays: Mapping[str, Array],
    *,
    reduction: Reduction,
    weight: Setting = 1.0,
    inner: int = 0,
    block: int | None = None,
    at_once: Callable[..., Array | None] | None = None,
) -> Array:
    """Mean, sum or all of the values of a formula.

    `formula` takes the weight, in which it is linear, and the arrays in their order, or a part of each; it returns
    values of their shape without the last `inner` axes, which it has summed over itself. The first array has the full
    shape; the others have it too, or broadcast to it. `block` is the number of elements to evaluate at a time.
    `at_once` gives the mean with weight 1 of whole arrays, or None where it cannot.
    """
    choice("reduction", reduction, ("mean", "sum", "none"))
    if reduction != "mean":
        values = functools.partial(formula, weight)
        if reduction == "none":
            return evaluate(xp, dtype, values, arrays, inner=inner, block=block)
        return totals(xp, dtype, lambda *parts: (xp.sum(values(*parts)),), arrays, inner=inner, block=block)[0]
    whole = tuple(arrays.values())
    not_empty(**{next(iter(arrays)): whole[0]})
    if not _in_blocks(xp, whole, block):
        parts = [cast(xp, dtype, x) for x in whole]
        if at_once is not None and isinstance(weight, float) and weight == 1.0:
            found = at_once(*parts)
            if found is not None:
                return found
        return mean_of(xp, lambda w: formula(w, *parts), weight)
    count = math.prod(whole[0].shape[: len(whole[0].shape) - inner])

    def average(w: Setting) -> Array:
        return (
            totals(xp, dtype, lambda *parts: (xp.sum(formula(w, *parts)),), arrays, inner=inner, block=block)[0] / count
        )

    return rescued(xp, average, weight)


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
        return formula(*[cast(xp, dtype, x) for x in whole])
    outer = whole[0].shape[: len(whole[0].shape) - inner]
    parts = (formula(*(cast(xp, dtype, x) for x in part)) for part in _parts(whole, inner, block))
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
