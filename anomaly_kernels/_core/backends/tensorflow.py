"""TensorFlow, spelled as the array API for the closed list of names, over plain `tf.*`.

Everything works eagerly, in `tf.function`, under XLA, with unknown (None) dimensions and inside gradient tapes.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from anomaly_kernels._core.backends import tensorflow_forms as forms
from anomaly_kernels._core.backends.generic import Generic
from anomaly_kernels._core.backends.tensorflow_forms import Tensor
from anomaly_kernels._core.typing import Axis, DType, Number


class TensorFlow(Generic):
    """The closed list in TensorFlow; what has its name there, and means the same, is taken from there."""

    has_devices = False
    has_open_shapes = True

    # by another name, or with other defaults
    astype = staticmethod(tf.cast)
    ceil = staticmethod(tf.math.ceil)
    cholesky = staticmethod(tf.linalg.cholesky)
    expm1 = staticmethod(tf.math.expm1)
    isfinite = staticmethod(tf.math.is_finite)
    isinf = staticmethod(tf.math.is_inf)
    isnan = staticmethod(tf.math.is_nan)
    log = staticmethod(tf.math.log)
    log1p = staticmethod(tf.math.log1p)
    nextafter = staticmethod(tf.math.nextafter)
    permute_dims = staticmethod(tf.transpose)
    sigmoid = staticmethod(tf.sigmoid)
    stop_gradient = staticmethod(tf.stop_gradient)
    take = staticmethod(tf.gather)

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

    def log2(self, x: Tensor, /) -> Tensor:
        return tf.math.log(x) / math.log(2.0)

    def log10(self, x: Tensor, /) -> Tensor:
        return tf.math.log(x) / math.log(10.0)

    def logaddexp(self, x1: Tensor, x2: Tensor, /) -> Tensor:
        return tf.reduce_logsumexp(tf.stack(forms.alike(x1, x2)), 0)

    def all(self, x: Tensor, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Tensor:
        return tf.reduce_all(tf.cast(x, tf.bool), axis, keepdims)

    def argmax(self, x: Tensor, /, *, axis: int | None = None, keepdims: builtins.bool = False) -> Tensor:
        return forms.place(tf.argmax, x, axis, keepdims)

    def argmin(self, x: Tensor, /, *, axis: int | None = None, keepdims: builtins.bool = False) -> Tensor:
        return forms.place(tf.argmin, x, axis, keepdims)

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

    def order_statistics(self, x: Tensor, ranks: Sequence[Any], /) -> Sequence[Tensor]:
        ordered = self.sort(x)
        return [ordered[k] for k in ranks]

    def top_k(self, x: Tensor, k: int, /) -> tuple[Tensor, Tensor]:
        x = tf.convert_to_tensor(x)
        missing = (
            tf.math.is_nan(x) if x.dtype.is_floating else tf.zeros_like(x, tf.bool)
        )  # which tf.math.top_k ranks last
        places = tf.math.top_k(tf.where(missing, x.dtype.max, x), k).indices
        return self.take_along_axis(x, places), places

    def argsort(self, x: Tensor, /, *, stable: builtins.bool = False) -> Tensor:
        return forms.ascending_order(x, stable)

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

    def cross_entropy(self, x: Tensor, y: Tensor, how: str, /) -> Tensor:
        return self.reduce_by(how, tf.nn.sigmoid_cross_entropy_with_logits(y, x))

    def constant(self, values: Any, /, *, like: Tensor, dtype: DType) -> Tensor:
        return forms.tensor(values, dtype)

    def scan(
        self,
        step: Callable[[Any, Any], tuple[Any, Any]],
        state: Any,
        xs: Tensor,
        /,
        *,
        rolled: builtins.bool = False,
    ) -> tuple[Any, Tensor]:
        return forms.scan(step, state, tf.convert_to_tensor(xs), 2 if rolled else forms.UNROLLED)

    def value_and_grad(self, function: Callable[[list[Any]], Any], arrays: list[Any], /) -> tuple[Tensor, list[Tensor]]:
        with tf.GradientTape() as tape:
            arrays = [tf.identity(x) for x in arrays]  # the same tensor may be used by the function itself
            tape.watch(arrays)
            value = function(arrays)
        gradients = tape.gradient(value, arrays, unconnected_gradients="zero")
        return value, [tf.convert_to_tensor(g) for g in gradients]

    def is_known(self, x: Tensor, /) -> builtins.bool:
        return tf.executing_eagerly()

    def refuse_open_rank(self, name: str, /) -> None:
        raise ValueError(f"`{name}` must have a known number of axes: say its shape, as by `tf.ensure_shape`")

    def check_sizes_at_run_time(
        self, arrays: Mapping[str, Tensor], axes: Mapping[str, Sequence[int]], what: str, /
    ) -> None:
        first, *others = arrays
        sizes = {name: forms.sizes_of(x, axes.get(name)) for name, x in arrays.items()}
        for name in others:
            forms.assert_equal_sizes(sizes[first], sizes[name], f"`{first}` and `{name}` must have equal {what}")

    def peek(self, x: Tensor, /) -> Any:
        return self.to_numpy(x) if tf.executing_eagerly() and "CPU" in x.device else None


def is_array(kind: type) -> bool:
    """Whether objects of a type are arrays; ragged and sparse tensors are none."""
    return issubclass(kind, (tf.Tensor, tf.Variable))


namespace = TensorFlow("tensorflow", tf)
