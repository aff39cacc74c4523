"""Formulas evaluated block by block, for eager libraries on the CPU: temporaries stay in the second-level cache."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any

BLOCK = 2**16
"""Elements of a block, for formulas that do not say otherwise."""


def size_of(formula: Any) -> int:
    """Elements of the first array in a block of a formula."""
    return max(1, int(formula.blocks * BLOCK / formula.growth))


@contextmanager
def of_size(elements: int) -> Iterator[None]:
    """Make blocks of another size, so that small arrays are evaluated as large ones are; for checks."""
    global BLOCK  # noqa: PLW0603
    usual, BLOCK = BLOCK, elements
    try:
        yield
    finally:
        BLOCK = usual


def cuts(formula: Any, arrays: Sequence[Any]) -> list[Any]:
    """Slices of the first axes that cut the arrays into blocks, or single samples; the last `inner` stay whole.

    Arrays are cut along the axes that they have in common.
    """
    shape, block = arrays[0].shape, size_of(formula)
    outer = min(len(shape) - formula.inner, *(_count_shared(shape, x.shape) for x in arrays))
    if outer == 0 or 0 in shape:
        return [...]
    axis = 0  # the first axis that is cut in runs; those before it are walked one index at a time
    while axis < outer - 1 and math.prod(shape[axis + 1 :]) > block:
        axis += 1
    run = max(1, block // math.prod(shape[axis + 1 :]))
    runs = [slice(start, start + run) for start in range(0, shape[axis], run)]
    walked = product(*([slice(k, k + 1) for k in range(n)] for n in shape[:axis]))
    return [(*index, part) for index in walked for part in runs]


def _count_shared(shape: Sequence[int], other: Sequence[int]) -> int:
    shared = list(zip(shape, other, strict=False))
    return next((k for k, (n, m) in enumerate(shared) if n != m), len(shared))


def parts(xp: Any, dtype: Any, arrays: Sequence[Any], cut: Any) -> list[Any]:
    """A block of each array, or all of it where the cut is an ellipsis, in the dtype to compute in, if any."""
    blocks = []
    for x in arrays:  # no comprehension: before Python 3.12 its call frame is measurable in small calls
        block = x if cut is ... else x[cut]
        blocks.append(block if dtype is None or block.dtype == dtype else xp.astype(block, dtype))
    return blocks


def sums(xp: Any, formula: Any, dtype: Any, arrays: Sequence[Any], whole: Sequence[Any]) -> tuple[Any, ...]:
    """The sums of a formula over everything."""

    def of_block(cut: Any) -> list[Any]:
        totals = formula.sums(xp, *parts(xp, dtype, arrays, cut), *whole)
        return [x if x.shape else x.item() for x in totals]  # kept 0-d tensors would fragment the heap

    def of_blocks(group: Sequence[Any]) -> list[Any]:
        return [_total(column) for column in zip(*map(of_block, group), strict=True)]

    columns = zip(*xp.run(of_blocks, _groups(formula, cuts(formula, arrays))), strict=True)
    return tuple(add(xp, arrays[0], column, dtype) for column in columns)


def _groups(formula: Any, each: Sequence[Any]) -> list[Any]:
    """As many small blocks as make a usual one are added up at once: their sums may be large."""
    size = max(1, BLOCK // size_of(formula))
    return [each[k : k + size] for k in range(0, len(each), size)]


def add(xp: Any, like: Any, terms: Sequence[Any], dtype: Any) -> Any:
    """The sum of numbers, which keep all their digits in Python, or of arrays in pairs, so that errors stay small."""
    total = _total(terms)
    if hasattr(total, "shape"):
        return total
    return xp.constant(total, like=like, dtype=dtype if isinstance(total, float) else None)  # counts stay integers


def _total(terms: Sequence[Any]) -> Any:
    if not hasattr(terms[0], "shape"):
        return sum(terms)
    while len(terms) > 1:
        pairs = zip(terms[::2], terms[1::2], strict=False)
        terms = [a + b for a, b in pairs] + list(terms[len(terms) // 2 * 2 :])
    return terms[0]


def fill(xp: Any, out: Any, formula: Any, dtype: Any, arrays: Sequence[Any], whole: Sequence[Any]) -> Any:
    """All values of a formula, written into `out`."""

    def of_block(cut: Any) -> None:
        out[cut] = formula.values(xp, *parts(xp, None if formula.casts else dtype, arrays, cut), *whole)

    xp.run(of_block, cuts(formula, arrays))
    return out


def gradients(
    xp: Any,
    formula: Any,
    dtype: Any,
    arrays: Sequence[Any],
    whole: Sequence[Any],
    needed: Sequence[bool],
    upstream: Sequence[Any],
) -> list[Any]:
    """Gradients by the slopes of blocks, each written where it belongs; those of what is whole are added up."""
    known = [x if x.shape else x.item() for x in upstream]
    written = [xp.empty(x.shape, x.dtype) if needed[k] else None for k, x in enumerate(arrays)]

    def of_block(cut: Any) -> list[Any]:
        slopes, factor = formula.gradients(xp, known, *parts(xp, dtype, arrays, cut), *whole)
        for slope, gradient in zip(slopes, written, strict=False):
            if gradient is not None:
                xp.write_product(slope(), factor, out=gradient[cut])
        return [factor * slopes[k]() if needed[k] else None for k in range(len(arrays), len(needed))]

    columns = zip(*xp.run(of_block, cuts(formula, arrays)), strict=True)
    return written + [None if terms[0] is None else add(xp, arrays[0], terms, dtype) for terms in columns]
