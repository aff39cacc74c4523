"""NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import array_api_compat.numpy as standard
import numpy as np

from anomaly_kernels._backends.generic import Generic
from anomaly_kernels._backends.numpy_forms import order_statistics
from anomaly_kernels._typing import Array, Axis, Setting


class NumPy(Generic):
    """NumPy's functions, with its fastest sort."""

    def finite_or(self, first: Callable[[], Array], second: Callable[[], Array]) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):  # it is the second that warns of what overflows
            found = first()
            # one sum, which is not finite where any number is not; if it alone overflows, nothing but time is lost
            if math.isfinite(found if isinstance(found, np.generic) else np.sum(found)):  # type: ignore[call-overload]
                return found
        return self.where(np.isfinite(found), found, second())  # type: ignore[call-overload]

    def softplus(self, x: Array) -> Array:
        # where nothing is differentiated; `where` is slow on signs in disorder
        return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))  # type: ignore[call-overload]

    def sum(self, x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.sum(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]

    def where(self, condition: Array, x1: Setting, x2: Setting) -> Array:
        # indexed by nothing, 0-d arrays become the scalars that NumPy returns elsewhere
        return np.where(condition, x1, x2)[()]  # type: ignore[call-overload]

    def sort(self, x: Array) -> Array:
        # the standard's default is a stable sort, many times slower on floats
        return np.sort(x)  # type: ignore[call-overload]

    def sorted_classes(self, x: Array, mask: Array) -> tuple[Array, Array]:
        return sorted_classes(x, mask)  # type: ignore[arg-type]

    def order_statistics(self, x: Array, ranks: Sequence[int]) -> Sequence[Array]:
        return tuple(order_statistics(x, ranks))  # type: ignore[arg-type]

    def argsort(self, x: Array) -> Array:
        return np.argsort(x)  # type: ignore[arg-type]

    def take_along_axis(self, x: Array, indices: Array) -> Array:
        # an array of one dimension is indexed in a tenth of the time
        return x[indices] if len(x.shape) == 1 else np.take_along_axis(x, indices, -1)  # type: ignore[arg-type]

    def device(self, x: Array) -> None:
        return None

    def is_lean(self, *arrays: Array) -> bool:
        return True


def sorted_classes(x: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The entries where the mask is true, and the others, each ascending."""
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


namespace = NumPy("numpy", standard)
