"""TensorFlow, spelled as the array API for the closed list of names, over plain `tf.*`.

Everything works eagerly, in `tf.function`, under XLA, with unknown (None) dimensions and inside gradient tapes.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from anomaly_kernels._backends import tensorflow_forms as forms
from anomaly_kernels._backends.generic import softplus
from anomaly_kernels._backends.tensorflow_forms import Tensor
from anomaly_kernels._typing import Axis, DType, F, Namespace, Number


class TensorFlow:
    """The closed list in TensorFlow."""

    name = "tensorflow"
    bool = tf.bool
    int32 = tf.int32
    int64 = tf.int64
    float32 = tf.float32
    float64 = tf.float64

    # the same function, at most by another name
    abs = staticmethod(tf.abs)
    astype = staticmethod(tf.cast)
    cholesky = staticmethod(tf.linalg.cholesky)
    exp = staticmethod(tf.exp)
    expm1 = staticmethod(tf.math.expm1)
    isfinite = staticmethod(tf.math.is_finite)
    isnan = staticmethod(tf.math.is_nan)
    log = staticmethod(tf.math.log)
    log1p = staticmethod(tf.math.log1p)
    logical_and = staticmethod(tf.logical_and)
    logical_not = staticmethod(tf.logical_not)
    logical_or = staticmethod(tf.logical_or)
    ones_like = staticmethod(tf.ones_like)
    permute_dims = staticmethod(tf.transpose)
    sigmoid = staticmethod(tf.sigmoid)
    sqrt = staticmethod(tf.sqrt)
    stack = staticmethod(tf.stack)
    stop_gradient = staticmethod(tf.stop_gradient)
    take = staticmethod(tf.gather)
    tanh = staticmethod(tf.tanh)
    zeros_like = staticmethod(tf.zeros_like)

    def __repr__(self) -> str:
        return f"<namespace of {self.name}>"

    def broadcast_to(self, x: Tensor, /, shape: tuple[int, ...]) -> Tensor:
        return tf.broadcast_to(x, forms.sizes(x, shape, x.shape.rank - len(shape)))

    def reshape(self, x: Tensor, /, shape: tuple[int, ...]) -> Tensor:
        return tf.reshape(x, forms.sizes(x, shape))

    def concat(self, arrays: Any, /, *, axis: int = 0) -> Tensor:
        return tf.concat(arrays, axis)

    def expand_dims(self, x: Tensor, /, *, axis: int = 0) -> Tensor:
        return tf.expand_dims(x, axis)

    def flip(self, x: Tensor, /, *, axis: int) -> Tensor:
        return tf.reverse(x, [axis])

    def maximum(self, x1: Tensor, x2: Tensor | Number, /) -> Tensor:
        return forms.extreme(x1, x2, tf.maximum, tf.less)

    def minimum(self, x1: Tensor, x2: Tensor | Number, /) -> Tensor:
        return forms.extreme(x1, x2, tf.minimum, tf.greater)

    def where(self, condition: Tensor, x1: Tensor | Number, x2: Tensor | Number, /) -> Tensor:
        return tf.where(condition, *forms.alike(x1, x2))

    def magnitude(self, x: Tensor, /) -> Tensor:
        return tf.where(x < 0, -x, x)

    def any(self, x: Tensor, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Tensor:
        return tf.reduce_any(tf.cast(x, tf.bool), axis, keepdims)

    def max(self, x: Tensor, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Tensor:
        return forms.reduce_extreme(x, axis, keepdims, tf.reduce_max)

    def min(self, x: Tensor, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Tensor:
        return forms.reduce_extreme(x, axis, keepdims, tf.reduce_min)

    def cumulative_sum(self, x: Tensor, /, *, axis: int) -> Tensor:
        return tf.cumsum(forms.addable(x), axis)

    def sum(self, x: Tensor, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Tensor:
        return forms.accurate_sum(forms.addable(x), axis, keepdims)

    def mean(self, x: Tensor, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Tensor:
        return forms.accurate_mean(tf.convert_to_tensor(x), axis, keepdims)

    def sort(self, x: Tensor, /) -> Tensor:
        return forms.ascending(x)

    def argsort(self, x: Tensor, /) -> Tensor:
        return forms.ascending_order(x)

    def take_along_axis(self, x: Tensor, indices: Tensor, /) -> Tensor:
        return tf.gather(x, indices, axis=-1, batch_dims=x.shape.rank - 1)

    def searchsorted(self, x1: Tensor, x2: Tensor, /, *, side: str = "left") -> Tensor:
        return forms.search(x1, x2, side)

    def matmul(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        if x1.shape.rank == 1:  # tf.matmul takes matrices only
            return tf.reduce_sum(x1 * x2) if x2.shape.rank == 1 else tf.linalg.matvec(x2, x1, transpose_a=True)
        return tf.linalg.matvec(x1, x2) if x2.shape.rank == 1 else tf.matmul(x1, x2)

    def erf(self, x: Tensor, /) -> Tensor:
        return tf.math.erf(self.maximum(self.minimum(x, 30.0), -30.0))  # eagerly NaN where the square of x overflows

    def eye_like(self, x: Tensor, /) -> Tensor:
        return tf.eye(forms.size(x, -1), dtype=x.dtype)

    def lower_inverse(self, x: Tensor, /) -> Tensor:
        return tf.linalg.triangular_solve(x, self.eye_like(x))

    def softplus(self, x: Tensor, /) -> Tensor:
        return softplus(self, x)

    def mean_squared_difference(self, x1: Tensor, x2: Tensor, /) -> None:
        return None

    def finite_or(self, first: Callable[[], Tensor], second: Callable[[], Tensor], /) -> Tensor:
        found = first()
        if tf.executing_eagerly() and "CPU" in found.device and np.isfinite(found.numpy()).all():
            return found
        return tf.where(tf.math.is_finite(found), found, second())

    def constant(self, values: Any, /, *, like: Tensor, dtype: DType) -> Tensor:
        return forms.tensor(values, dtype)

    def scan(self, step: Callable[[Any, Any], tuple[Any, Any]], state: Any, xs: Tensor, /) -> tuple[Any, Tensor]:
        return forms.scan(step, state, tf.convert_to_tensor(xs))

    def as_one(self, function: F, /) -> F:
        return function

    def sorted_classes(self, x: Tensor, mask: Tensor, /) -> tuple[Tensor, Tensor]:
        return forms.ascending(x[mask]), forms.ascending(x[~mask])

    def fold(self, *_: Any) -> None:
        return None

    def value_and_grad(self, function: Callable[[list[Any]], Any], arrays: list[Any], /) -> tuple[Tensor, list[Tensor]]:
        with tf.GradientTape() as tape:
            arrays = [tf.identity(x) for x in arrays]  # the same tensor may be used by the function itself
            tape.watch(arrays)
            value = function(arrays)
        gradients = tape.gradient(value, arrays, unconnected_gradients="zero")
        return value, [tf.convert_to_tensor(g) for g in gradients]

    def wide(self, x: Tensor, /) -> DType:
        return tf.float64

    def counting(self) -> DType:
        return tf.int64

    def is_known(self, x: Tensor, /) -> builtins.bool:
        return tf.executing_eagerly()

    def device(self, x: Tensor, /) -> None:
        return None

    def is_lean(self, *arrays: Tensor) -> builtins.bool:
        return False


namespace: Namespace = TensorFlow()
