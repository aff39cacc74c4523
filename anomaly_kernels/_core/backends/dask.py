"""The namespace of Dask: everything stays lazy; linear algebra works on a single chunk, which small matrices are."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

import array_api_compat.dask.array as standard
import dask.array as da
import numpy as np
from dask import delayed

from anomaly_kernels._core.backends import regions
from anomaly_kernels._core.backends.generic import Generic
from anomaly_kernels._core.backends.numpy import namespace as numpy
from anomaly_kernels._core.typing import DType


class Dask(Generic):
    """Dask's functions; what it lacks is NumPy's, applied to one chunk."""

    has_devices = False

    def eye_like(self, x: da.Array) -> da.Array:
        return da.asarray(np.eye(x.shape[-1], dtype=x.dtype))

    def cholesky(self, x: da.Array) -> da.Array:
        return _on_one_chunk(np.linalg.cholesky, x)

    def lower_inverse(self, x: da.Array) -> da.Array:
        return _on_one_chunk(np.linalg.inv, x)

    def erf(self, x: da.Array) -> da.Array:
        return x.map_blocks(numpy.erf, dtype=x.dtype)

    def sort(self, x: da.Array) -> da.Array:
        return _along_rows(np.sort, x, dtype=x.dtype)

    def argsort(self, x: da.Array, *, stable: bool = False) -> da.Array:
        return _along_rows(np.argsort, x, dtype=np.int64, stable=stable)

    def cumulative_min(self, x: da.Array) -> da.Array:
        return _along_rows(numpy.cumulative_min, x, dtype=x.dtype)

    def take_along_axis(self, x: da.Array, indices: da.Array) -> da.Array:
        return _along_rows(numpy.take_along_axis, x, indices, dtype=x.dtype)

    def searchsorted(self, x1: da.Array, x2: da.Array, *, side: str = "left") -> da.Array:
        return _along_rows(numpy.searchsorted, x1, x2, dtype=np.int64, side=side)

    def region_numbers(self, mask: da.Array, axes: tuple[int, ...], connectivity: int) -> da.Array:
        # no region reaches over the first axis, unless it is one of theirs
        blocks = mask.rechunk({k: -1 for k in range(mask.ndim) if k > 0 or 0 in axes})
        numbers = blocks.map_blocks(regions.dense_numbers, axes, connectivity, dtype=np.int64)
        most = [block.max() if block.size else 0 for block in numbers.blocks]
        offsets = itertools.accumulate(most, initial=0)
        parts = [da.where(block > 0, block + offset, 0) for block, offset in zip(numbers.blocks, offsets, strict=False)]
        return da.concatenate(parts)

    def fold(
        self,
        part: Callable[..., Any],
        merge: Callable[[Any, Any], Any],
        whole: Callable[..., tuple[Any, ...]],
        arrays: Sequence[da.Array],
        settings: Sequence[Any],
    ) -> tuple[da.Array, ...]:
        chunks = arrays[0].chunks
        blocks = (x.rechunk(chunks).to_delayed().ravel() for x in arrays)
        states = [delayed(part, pure=True)(*block) for block in zip(*blocks, strict=True)]
        while len(states) > 1:
            pairs = zip(states[::2], states[1::2], strict=False)
            states = [delayed(merge, pure=True)(*pair) for pair in pairs] + states[len(states) // 2 * 2 :]
        result = delayed(whole, pure=True)(states[0], *settings)
        example = whole(part(*(np.ones(1, x.dtype) for x in arrays)), *map(_example, settings))
        return tuple(da.from_delayed(result[k], (math.nan,) * np.ndim(x), dtype=x.dtype) for k, x in enumerate(example))

    def by_rows(
        self, function: Callable[..., tuple[Any, ...]], arrays: Sequence[da.Array], settings: Sequence[Any]
    ) -> tuple[da.Array, ...]:
        rows = arrays[0].rechunk({-1: -1})
        blocks = [x.rechunk(rows.chunks).to_delayed() for x in arrays]
        evaluate = delayed(partial(numpy.by_rows, function), pure=True)
        example: Any = numpy.by_rows(function, [np.ones(1, x.dtype) for x in arrays], [*map(_example, settings)])

        def results(k: int, place: tuple[int, ...]) -> Any:
            """Result k of the block at a place, or nested lists of it for all blocks that begin with the place."""
            if len(place) < rows.ndim - 1:
                return [results(k, (*place, j)) for j in range(rows.numblocks[len(place)])]
            ndim = np.ndim(example[k])
            sizes = [chunks[j] for chunks, j in zip(rows.chunks, place, strict=False)]
            result = evaluate([x[(*place, 0)] for x in blocks], list(settings))[k]
            part = da.from_delayed(result, (*sizes, *rows.shape[-1:] * ndim), dtype=example[k].dtype)
            return [part] if ndim else part

        return tuple(da.block(results(k, ())) for k in range(len(example)))

    def value_and_grad(self, function: Callable[..., Any], arrays: list[da.Array]) -> NoReturn:
        raise TypeError("`value_and_grad` cannot follow Dask's arrays: differentiate a function of the chunks")

    def is_known(self, x: da.Array) -> bool:
        return False

    def peek(self, x: da.Array) -> None:
        return None

    def constant(self, values: Any, *, like: da.Array, dtype: DType) -> da.Array:
        return da.asarray(values, dtype=dtype)


def _along_rows(function: Any, *arrays: da.Array, **settings: Any) -> da.Array:
    """A function of rows: each is one chunk, and there may be many; what is looked up in them stays in chunks."""
    rows, *others = arrays[0].rechunk({-1: -1}), *arrays[1:]
    aligned = [x.rechunk((*rows.chunks[:-1], x.chunks[-1])) for x in others]
    return da.map_blocks(function, rows, *aligned, chunks=(aligned or [rows])[-1].chunks, **settings)


def _example(setting: Any) -> Any:
    return np.ones((), setting.dtype) if isinstance(setting, da.Array) else setting


def _on_one_chunk(function: Any, x: da.Array) -> da.Array:
    return x.rechunk(-1).map_blocks(function, dtype=x.dtype)


def is_array(kind: type) -> bool:
    """Whether objects of a type are arrays; bags and data frames are none."""
    return issubclass(kind, da.Array)


namespace = Dask("dask", standard)
