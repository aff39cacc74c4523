"""Connected regions of a mask, numbered by NumPy, which shares the memory of other libraries' arrays on the CPU.

A run is a row of true pixels without a gap, along the last axis. Whatever comes after the runs are found has the size
of their number, not of that of the pixels; no loop goes over pixels, runs, regions or images.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np


class Runs(NamedTuple):
    """The first and the last pixel of each run, counted through the whole mask, and the number of its region."""

    first: np.ndarray
    last: np.ndarray
    region: np.ndarray

    def of_pixels(self) -> np.ndarray:
        """The number of the region of each true pixel."""
        return np.repeat(self.region, self.last - self.first + 1)


def dense_numbers(mask: np.ndarray, axes: tuple[int, ...], connectivity: int) -> np.ndarray:
    """The number of the region of each pixel, from 1 on in the order of the first pixels; 0 where the mask is false."""
    order = (*(k for k in range(mask.ndim) if k not in axes), *axes)
    last = mask.transpose(order)
    numbers = np.zeros(last.shape, np.int64)
    numbers[last] = number_runs(last, len(axes), connectivity).of_pixels()
    if order == tuple(range(mask.ndim)):
        return numbers
    numbers = numbers.transpose(np.argsort(order))
    inside = numbers[mask]
    first = np.unique(inside, return_index=True)[1]
    numbers[mask] = np.argsort(np.argsort(first))[inside - 1] + 1
    return numbers


def number_runs(mask: np.ndarray, ndim: int, connectivity: int) -> Runs:
    """The runs of a boolean mask, with regions along its last `ndim` axes: no region reaches over one of the others.

    Pixels are neighbours if they differ by at most 1 along each axis, along at most `connectivity` of them at once.
    """
    first, last = _ends_of_runs(mask)
    pairs = [_neighbours(first, last, mask.shape, *step) for step in _steps(ndim, connectivity)]
    root = np.arange(first.shape[0])
    if pairs:
        _join(root, *(np.concatenate(side) for side in zip(*pairs, strict=True)))
    # the root of a region is its first run: the runs are in the order of their pixels
    return Runs(first, last, np.cumsum(root == np.arange(root.shape[0]))[root])


def _ends_of_runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    starts, ends = mask.copy(), mask.copy()
    np.greater(mask[..., 1:], mask[..., :-1], out=starts[..., 1:])
    np.greater(mask[..., :-1], mask[..., 1:], out=ends[..., :-1])
    return np.flatnonzero(starts), np.flatnonzero(ends)


def _steps(ndim: int, connectivity: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """Steps from a line of pixels to the neighbouring ones before it, and how far aside the neighbours are there."""
    for step in itertools.product((-1, 0, 1), repeat=ndim - 1):
        changes = sum(map(abs, step))
        if step < (0,) * (ndim - 1) and changes <= connectivity:
            yield step, int(changes < connectivity)


def _neighbours(
    first: np.ndarray, last: np.ndarray, shape: tuple[int, ...], step: tuple[int, ...], aside: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of runs with neighbouring pixels, of which the second is a step further on."""
    width, sizes = shape[-1], shape[len(shape) - 1 - len(step) : -1]
    line, column = first // width, first % width
    inside, shift = np.ones(first.shape, np.bool), 0
    for axis, (size, move) in enumerate(zip(sizes, step, strict=True)):
        stride = math.prod(sizes[axis + 1 :])
        place = line // stride % size + move
        inside &= (place >= 0) & (place < size)
        shift += move * stride
    runs = np.flatnonzero(inside)
    start = (line[runs] + shift) * width  # of the neighbouring line
    left = start + np.maximum(column[runs] - aside, 0)
    right = start + np.minimum(last[runs] - line[runs] * width + aside, width - 1)
    begin, end = np.searchsorted(last, left), np.searchsorted(first, right, side="right")
    count = end - begin
    offset = np.cumsum(count) - count
    return np.repeat(begin - offset, count) + np.arange(count.sum()), np.repeat(runs, count)


def _join(root: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Make the root of each run the first of all that pairs of them lead to."""
    while a.shape[0]:
        # each root takes the least of its neighbours' roots; those that stay are at most half as many
        a, b = np.minimum(a, b), np.maximum(a, b)
        np.minimum.at(root, b, a)
        while np.any(root != (further := root[root])):
            root[:] = further
        a, b = root[a], root[b]
        apart = a != b
        a, b = a[apart], b[apart]
