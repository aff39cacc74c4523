"""Selection by rank (order statistics) in little memory, which NumPy lacks; torch uses it too on the CPU."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np

BLOCK = 2**16
"""How many numbers are looked at at once, and sorted outright where there are no more; a quarter MiB of float32."""
FEW = 2**19
"""How many are gathered to be sorted; two MiB of float32."""

_RISING = np.arange(2**16)  # the halves of a positive number, as it goes up
_FALLING = _RISING[::-1]  # of a negative one
_HIGHEST = np.concatenate([_FALLING[: 2**15], _RISING[: 2**15]])  # the half that has the sign

Blocks = Callable[[], Iterator[np.ndarray]]


def order_statistics(x: np.ndarray, ranks: Sequence[int]) -> np.ndarray:
    """Entries of sorted real numbers by their ranks, in memory of a fixed size; all NaN where one of many is.

    Selection by radix: halves of 16 bits are counted, the highest first, and looked at again are only numbers that
    share them with one that is wanted.
    """
    if x.shape[0] <= BLOCK:
        return np.sort(x)[list(ranks)]
    if np.isnan(np.min(x)):
        return np.full(len(ranks), math.nan, x.dtype)

    def blocks() -> Iterator[np.ndarray]:
        return (np.ascontiguousarray(x[k : k + BLOCK]) for k in range(0, x.shape[0], BLOCK))

    distinct, place = np.unique(ranks, return_inverse=True)
    return _selected(blocks, distinct, x.itemsize // 2, _HIGHEST)[place]


def _selected(blocks: Blocks, ranks: np.ndarray, halves: int, upwards: np.ndarray) -> np.ndarray:
    """The same, for ascending ranks, of numbers that differ in their lowest halves alone; `upwards` orders one."""
    first = next(block[:1] for block in blocks() if block.shape[0])
    if all(np.all(block == first) for block in blocks()):
        return np.repeat(first, ranks.shape[0])
    counts = np.zeros(2**16, np.intp)
    for block in blocks():
        counts += np.bincount(_half(block, halves), minlength=2**16)
    ends = np.cumsum(counts[upwards])
    wanted, which = np.unique(np.searchsorted(ends, ranks, side="right"), return_inverse=True)
    shared = upwards[wanted]
    sizes = counts[shared]
    if np.sum(sizes) <= FEW:
        ordered = _sorted(blocks, halves, shared, np.empty(np.sum(sizes), first.dtype))
        return ordered[ranks - (ends[wanted] - np.cumsum(sizes))[which]]
    starts = ends[wanted] - sizes
    parts = []
    for k, value in enumerate(shared):

        def sharing(value: np.integer = value) -> Iterator[np.ndarray]:
            return (block[np.flatnonzero(_half(block, halves) == value)] for block in blocks())

        later = upwards if upwards is not _HIGHEST else _FALLING if value >= 2**15 else _RISING
        parts.append(_selected(sharing, ranks[which == k] - starts[k], halves - 1, later))
    return np.concatenate(parts)


def _half(block: np.ndarray, halves: int) -> np.ndarray:
    """The first of the lowest halves of each number."""
    each = block.itemsize // 2
    return block.view(np.uint16)[(halves - 1 if sys.byteorder == "little" else each - halves) :: each]


def _sorted(blocks: Blocks, halves: int, shared: np.ndarray, room: np.ndarray) -> np.ndarray:
    """The numbers that share one of these halves, of which there is just room for all."""
    is_shared = np.zeros(2**16, np.bool)
    is_shared[shared] = True
    filled = 0
    for block in blocks():
        chosen = block[np.flatnonzero(is_shared[_half(block, halves)])]
        room[filled : filled + chosen.shape[0]] = chosen
        filled += chosen.shape[0]
    room.sort()
    return room
