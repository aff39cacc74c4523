"""The namespace of NumPy: accurate sums, fast sorts, evaluation in blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import array_api_compat.numpy as standard
import numpy as np

from anomaly_kernels._core.backends import blocks
from anomaly_kernels._core.backends.generic import Generic
from anomaly_kernels._core.backends.numpy_forms import order_statistics
from anomaly_kernels._core.typing import Array, Axis, Setting

BLOCKS = 4
"""Blocks pay for arrays of more than this many blocks: memory for fewer is recycled without page faults."""

ROW = 2**10
"""Numbers of float32 that one dot product may add up and keep their digits."""

SHORT = 2**7
"""Numbers of float32 that may be added one after another."""


class NumPy(Generic):
    """NumPy's functions, with its fastest sort."""

    has_devices = False

    def sigmoid(self, x: Array) -> Array:
        with np.errstate(over="ignore"):  # 1/∞ is right
            divisor = np.exp(-x)  # type: ignore[call-overload]
            divisor += 1.0
            return 1.0 / divisor

    def squared_difference(self, x1: Array, x2: Array, how: str) -> Array:
        difference = x1 - x2
        if how == "none":
            return difference * difference
        total = self.sum_of_products(difference, difference)
        return total / difference.dtype.type(difference.size) if how == "mean" else total  # type: ignore[attr-defined]

    def sum(self, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        if axis is None and not keepdims and x.size % ROW == 0 and x.dtype in _ONES:  # type: ignore[attr-defined]
            return np.vecdot(x.reshape(-1, ROW), _ONES[x.dtype]).sum()  # type: ignore[attr-defined]  # three times as fast
        if axis is None or x.dtype != np.float32:
            return np.sum(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]
        return _accurately(np.sum, x, axis, keepdims)

    def mean(self, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        if axis is None:
            return np.mean(x, keepdims=keepdims)  # type: ignore[call-overload]
        return _accurately(np.mean, x, axis, keepdims)

    def sum_of_products(self, x: Array, y: Array) -> Array:
        # dot products of rows short enough for float32 to keep its digits
        x, y = x.reshape(-1), y.reshape(-1)  # type: ignore[attr-defined]
        whole = x.shape[0] // ROW * ROW
        if whole == 0:
            return np.dot(x, y)  # type: ignore[call-overload]
        total = np.vecdot(x[:whole].reshape(-1, ROW), y[:whole].reshape(-1, ROW)).sum()  # type: ignore[attr-defined]
        return total if whole == x.shape[0] else total + np.dot(x[whole:], y[whole:])  # type: ignore[call-overload]

    def clip(self, x: Array, low: Setting, high: Setting) -> Array:
        return np.clip(x, low, high)  # type: ignore[call-overload]

    magnitude = staticmethod(np.abs)  # type: ignore[assignment]
    write_product = staticmethod(np.multiply)
    empty = staticmethod(np.empty)

    def takes_blocks(self, formula: Any, arrays: Sequence[Array], whole: Sequence[Any]) -> bool:
        return arrays[0].size * formula.growth > BLOCKS * blocks.BLOCK  # type: ignore[attr-defined]

    def where(self, condition: Array, x1: Setting, x2: Setting) -> Array:
        # indexed by nothing, 0-d arrays become the scalars that NumPy returns elsewhere
        return np.where(condition, x1, x2)[()]  # type: ignore[call-overload]

    def sort(self, x: Array) -> Array:
        # the standard's default is a stable sort, many times slower on floats
        return np.sort(x)  # type: ignore[call-overload]

    def sorted_classes(self, x: Any, mask: Any) -> tuple[Any, Any]:
        chosen = np.flatnonzero(mask)
        count, size = chosen.shape[0], x.shape[0]
        inside = x[chosen]
        inside.sort()
        if 10 * count < size:  # few of them, as anomalies are, are made the highest and cut off: faster than a mask
            outside = x.copy()
            outside[chosen] = math.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).max
        else:
            outside = x[~mask]
        outside.sort()
        return inside, outside[: size - count]

    def sort_highest(self, x: Any, mask: Any, share: Setting) -> Any:
        # a partition takes a tenth of the time of a sort, or less
        ordered = x[~mask].reshape(-1)
        size, highest = ordered.shape[0], float(share) if 0 <= share < 1 else 1.0
        first = size - 1 - int(highest * size)
        if first <= 0:
            ordered.sort()
            return ordered
        ordered.partition(first)
        lower, least = ordered[:first], ordered[first]
        ordered[first:].sort()
        others = first - np.count_nonzero(lower == least)
        lower[:others], lower[others:] = _lowest(x.dtype), least
        return ordered

    def order_statistics(self, x: Array, ranks: Sequence[int]) -> Sequence[Array]:
        return tuple(order_statistics(x, ranks))  # type: ignore[arg-type]

    def cumulative_min(self, x: Array) -> Array:
        return np.minimum.accumulate(x, axis=-1)  # type: ignore[arg-type]

    def top_k(self, x: Any, k: int) -> tuple[Any, Any]:
        places = np.argpartition(x, -k, axis=-1)[..., -k:]
        largest = np.take_along_axis(x, places, -1)
        order = np.argsort(largest)[..., ::-1]
        return np.take_along_axis(largest, order, -1), np.take_along_axis(places, order, -1)

    def argsort(self, x: Array, *, stable: bool = False) -> Array:
        return np.argsort(x, stable=stable)  # type: ignore[arg-type]

    def take_along_axis(self, x: Array, indices: Array) -> Array:
        # an array of one dimension is indexed in a tenth of the time
        return x[indices] if len(x.shape) == 1 else np.take_along_axis(x, indices, -1)  # type: ignore[arg-type]

    def is_lean(self, *arrays: Array) -> bool:
        return True

    def peek(self, x: Any) -> Any:
        return x


def _lowest(dtype: Any) -> float:
    return -math.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _accurately(add: Any, x: Any, axis: Axis, keepdims: bool) -> Any:  # noqa: FBT001
    """The sum or the mean along axes, of float32 in float64 where NumPy would add many one after another."""
    if axis is None or x.size <= SHORT or x.dtype != np.float32:
        return add(x, axis=axis, keepdims=keepdims)
    last = range(x.ndim)[-1 if isinstance(axis, int) else -len(axis) :]
    in_pairs = x.flags.c_contiguous and {k % x.ndim for k in (axis if isinstance(axis, tuple) else (axis,))} == {*last}
    if in_pairs:
        return add(x, axis=axis, keepdims=keepdims)
    return add(x, axis=axis, keepdims=keepdims, dtype=np.float64).astype(np.float32)


_ONES = {np.dtype(kind): np.ones(ROW, kind) for kind in (np.float32, np.float64)}


def is_array(kind: type) -> bool:
    """Whether objects of a type are arrays; masked arrays and matrices mean something else."""
    return issubclass(kind, (np.ndarray, np.generic)) and not issubclass(kind, (np.ma.MaskedArray, np.matrix))


namespace = NumPy("numpy", standard)
