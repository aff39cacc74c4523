"""Weighed sums over windows of images: products of each axis with a band matrix."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from anomaly_kernels._core.checks import has_known_sizes, shown
from anomaly_kernels._core.typing import Array, DType, Namespace


def weights_of(window: str, size: int, sigma: float) -> list[float]:
    """The weights of a window along one axis."""
    distances = range(-(size // 2), size // 2 + 1)
    weights = [math.exp(-0.5 * (t / sigma) ** 2) if window == "gaussian" else 1.0 for t in distances]
    return [x / sum(weights) for x in weights]


def extents_of(x: Array, count: int, size: int, border: str) -> tuple[int, ...]:
    """The sizes of an image, into which windows must fit."""
    axes = slice(len(x.shape) - count, None)
    has_known_sizes("x_true", x, axes)
    extents = tuple(x.shape[axes])
    least = size if border == "valid" else size // 2
    if min(extents) < least:
        what = "`size`" if border == "valid" else "`size` // 2"
        raise ValueError(
            f"{what} must be no more than each extent of an image along `axis`, {shown(extents)}, got {least}"
        )
    return extents


Blocks: TypeAlias = "list[tuple[int, int, Array]]"
"""Columns of a band matrix, a few at a time, each time with the first and the end of the rows that are not 0."""


class Band(NamedTuple):
    """The matrix whose product with an axis of pixels, from the right, is that of its windows."""

    blocks: Blocks
    transposed: Callable[[], Blocks]
    windows: int


COLUMNS = 128
"""Of a block: wide enough for a product to be fast, narrow enough for few zeros to be in it."""


def band_of(xp: Namespace, like: Array, dtype: DType, extent: int, weights: Sequence[float], border: str) -> Band:
    """The band of an axis of so many pixels, for windows inside it, or of as many windows at mirrored edges."""
    reach = len(weights) // 2
    shift = reach if border == "valid" else 0
    windows = extent - 2 * shift
    w = xp.constant([*weights, 0.0], like=like, dtype=dtype)

    def part(pixels: range, centers: range) -> Array:
        i = xp.expand_dims(xp.constant(list(pixels), like=like, dtype=xp.counting()), axis=1)
        j = xp.expand_dims(xp.constant([k + shift for k in centers], like=like, dtype=xp.counting()), axis=0)
        if border == "valid":
            return weights_at(i - j)
        return weights_at(i - j) + weights_at(-1 - i - j) + weights_at(2 * extent - 1 - i - j)  # and of mirror images

    def weights_at(distance: Array) -> Array:
        far = xp.abs(distance) > reach
        index = xp.where(far, len(weights), xp.where(far, 0, distance) + reach)
        return xp.reshape(xp.take(w, xp.reshape(index, (-1,)), axis=0), tuple(distance.shape))

    def forward() -> Blocks:
        return [(*rows, part(range(*rows), columns)) for rows, columns in _cut(extent, windows, shift, reach)]

    def back() -> Blocks:
        cuts = _cut(windows, extent, -shift, reach)
        return [(*rows, xp.matrix_transpose(part(columns, range(*rows)))) for rows, columns in cuts]

    return Band(forward(), back, windows)


def _cut(rows: int, columns: int, shift: int, reach: int) -> list[tuple[tuple[int, int], range]]:
    """Ranges of columns of a band, each with the rows that it spans."""
    width = COLUMNS if columns > 2 * COLUMNS else columns
    each = [range(k, min(k + width, columns)) for k in range(0, columns, width)]
    return [((max(0, r.start + shift - reach), min(rows, r.stop + shift + reach)), r) for r in each]


def blur(xp: Namespace, x: Array, matrices: Sequence[Blocks]) -> Array:
    """The product of the last axes of an array with a band matrix each."""
    ndim = len(x.shape)
    turned = (*range(ndim - len(matrices)), ndim - 1, *range(ndim - len(matrices), ndim - 1))
    for blocks in reversed(matrices):  # each axis is the last in its turn
        parts = [xp.matmul(x[..., first:last], block) for first, last, block in blocks]
        x = xp.permute_dims(parts[0] if len(parts) == 1 else xp.concat(parts, axis=-1), turned)
    return x
