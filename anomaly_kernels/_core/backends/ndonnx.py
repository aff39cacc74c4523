"""The namespace of ndonnx, which traces kernels into ONNX graphs; linear algebra is done while tracing, if at all."""

from __future__ import annotations

from typing import Any

import ndonnx as standard
import numpy as np

from anomaly_kernels._core.backends.generic import Generic

Shape = tuple[int | None, ...]


class Ndonnx(Generic):
    """ndonnx's functions. It forgets sizes that follow from those of the arguments, so that they are said again."""

    def reshape(self, x: standard.Array, shape: Shape) -> standard.Array:
        sizes = tuple(-1 if n is None else n for n in shape)
        if sizes.count(-1) > 1:
            raise _open(sizes)
        return standard.reshape(x, sizes)

    def matmul(self, x1: standard.Array, x2: standard.Array) -> standard.Array:
        product = standard.matmul(x1, x2)
        return self._of_shape(product, (*x1.shape[:-1], x2.shape[-1])) if x2.ndim == 2 else product

    def flip(self, x: standard.Array, *, axis: int) -> standard.Array:
        return self._of_shape(standard.flip(x, axis=axis), x.shape)

    def searchsorted(self, x1: standard.Array, x2: standard.Array, *, side: str = "left") -> standard.Array:
        if x1.ndim > 1 and None in x1.shape + x2.shape:  # row by row
            raise _open(x2.shape)
        return super().searchsorted(x1, x2, side=side)

    def nextafter(self, x1: standard.Array, x2: standard.Array) -> standard.Array:
        return self._at_once(lambda x: np.nextafter(x, np.asarray(self.peek(x2))), x1, "the next larger number")

    def top_k(self, x: standard.Array, k: int) -> tuple[standard.Array, standard.Array]:
        places = standard.take(standard.argsort(x, descending=True), standard.asarray(np.arange(k)), axis=-1)
        return standard.take_along_axis(x, places, axis=-1), places

    def cholesky(self, x: standard.Array) -> standard.Array:
        return self._at_once(np.linalg.cholesky, x, "a Cholesky factor")

    def lower_inverse(self, x: standard.Array) -> standard.Array:
        return self._at_once(np.linalg.inv, x, "the inverse of a matrix")

    def is_known(self, x: standard.Array) -> bool:
        return self.peek(x) is not None

    def peek(self, x: standard.Array) -> np.ndarray | None:
        try:
            return x.unwrap_numpy()
        except ValueError:  # an argument of the graph, or what follows from one
            return None

    def _of_shape(self, x: standard.Array, shape: Shape) -> standard.Array:
        """An array whose shape is known but for one size, of which ndonnx may know less."""
        return self.reshape(x, shape) if x.shape != shape and shape.count(None) < 2 else x

    def _at_once(self, function: Any, x: standard.Array, what: str) -> standard.Array:
        numbers = self.peek(x)
        if numbers is None:
            raise TypeError(
                f"ONNX has no operator for {what}: give what it is computed of as a constant (`ndonnx.asarray`), or "
                "compute what is fitted, and thresholds, with NumPy and trace the score alone"
            )
        return standard.asarray(function(numbers))


def _open(shape: Shape) -> ValueError:
    sizes = ", ".join("?" if n in (None, -1) else str(n) for n in shape)
    expected = "a graph of ONNX must know all sizes of this result but one"
    return ValueError(f"{expected}, got ({sizes}): give its arguments known sizes")


def is_array(kind: type) -> bool:
    """Whether objects of a type are arrays; dtypes are none."""
    return issubclass(kind, standard.Array)


namespace = Ndonnx("ndonnx", standard)
