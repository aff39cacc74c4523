"""What TensorFlow lacks, or has in a form that fails eagerly, in a graph, under XLA or with unknown dimensions.

Each comment says which of these fails and how.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from anomaly_kernels._core.typing import Axis, DType

Tensor: TypeAlias = Any  # TensorFlow has no types to check
Step: TypeAlias = Callable[[Any, Tensor], tuple[Any, Tensor]]

_ROW = 128  # float32 numbers added one after another: costs a few 1e-7 where thousands cost 1e-5
_SMALL = 2**14  # entries of a tensor that is summed fastest by making all of it float64
UNROLLED = 64  # steps of a scan that a graph holds one by one; more take long to compile


def size(x: Tensor, axis: int) -> Any:
    """How many entries x has along the axis, as a tensor where that is unknown."""
    return tf.shape(x, tf.int64)[axis] if x.shape[axis] is None else x.shape[axis]


def sizes(x: Tensor, shape: Any, shift: int = 0) -> list[Any]:
    """The shape, in which None means: as many as x has along the axis `shift` further on."""
    return [size(x, axis + shift) if entries is None else entries for axis, entries in enumerate(shape)]


def sizes_of(x: Tensor, axes: Sequence[int] | None) -> Tensor:
    """The sizes of these axes, by default of all, when the graph runs."""
    sizes = tf.shape(x)
    return sizes if axes is None else tf.stack([sizes[axis] for axis in axes])


def assert_equal_sizes(x: Tensor, y: Tensor, message: str) -> None:
    """Fail, where the graph runs or where XLA compiles it, unless the sizes are equal."""
    # XLA, which knows all sizes, leaves assertions out, but not what they assert: this fails to compile, by its name
    name = re.sub(r"\W+", "_", message).strip("_")
    with tf.control_dependencies([tf.debugging.assert_equal(x, y, message=message)]):
        true = tf.reshape([True], 1 + tf.abs(x - y), name=name)
    tf.debugging.Assert(tf.reduce_all(true), [message])


def axes(x: Tensor, axis: Axis) -> list[int]:
    """The axes meant, all of them by default, counted from the front."""
    axes = range(x.shape.rank) if axis is None else [axis] if isinstance(axis, int) else axis
    return [a % x.shape.rank for a in axes]


def tensor(x: Any, dtype: DType) -> Tensor:
    """Numbers as a tensor, exactly."""
    # not with tf.cast, which makes a float64 of a float32; and eager TensorFlow, which keeps scalars, has 0.0 for -0.0
    return tf.convert_to_tensor(np.asarray(x) if isinstance(x, float) and repr(x) == "-0.0" else x, dtype)


def alike(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors, a Python number in the dtype of the other."""
    dtype = getattr(x1, "dtype", None) or getattr(x2, "dtype", None)
    return tensor(x1, dtype), tensor(x2, dtype)


def extreme(x1: Tensor, x2: Tensor, native: Any, precedes: Any) -> Tensor:
    """The one of x1 and x2 that does not precede the other, or NaN."""
    x1, x2 = alike(x1, x2)
    if tf.executing_eagerly() or not x1.dtype.is_floating:
        return native(x1, x2)
    return tf.where(precedes(x1, x2) | tf.math.is_nan(x2), x2, x1)  # XLA on the CPU loses a NaN in x1


def reduce_extreme(x: Tensor, axis: Axis, keepdims: bool, native: Any) -> Tensor:  # noqa: FBT001
    """The largest or smallest of x, or NaN."""
    result = native(x, axis, keepdims)
    if tf.executing_eagerly() or not x.dtype.is_floating:
        return result
    has_nan = tf.reduce_any(tf.math.is_nan(x), axis, keepdims)  # XLA on the CPU loses NaN
    return tf.where(has_nan, tf.constant(math.nan, x.dtype), result)


def addable(x: Tensor) -> Tensor:
    """The tensor x; integers, and booleans, as int64, as the standard adds them."""
    return tf.convert_to_tensor(x) if x.dtype.is_floating else tf.cast(x, tf.int64)


def accurate_sum(x: Tensor, axis: Axis, keepdims: bool) -> Tensor:  # noqa: FBT001
    """Sum to 1e-6 of Σ|x| at any length in float32: short rows first, then these in float64."""
    # XLA adds one by one (4 % off at 64M) and merges sums of sums again, unless the dtype changes between them.
    count = x.shape.num_elements() or math.inf
    if x.dtype != tf.float32 or count <= 2 * _ROW:
        return tf.reduce_sum(x, axis, keepdims)
    reduced = axes(x, axis)
    known = [x.shape[a] for a in reduced]
    if None not in known and math.prod(known) <= 2 * _ROW:
        return tf.reduce_sum(x, axis, keepdims)
    if count <= _SMALL:
        parts = tf.cast(x, tf.float64)
    elif len(reduced) == x.shape.rank:
        parts = _row_sums(tf.reshape(x, [-1]), 0)
        parts = tf.reshape(parts, [-1] + [1] * (len(reduced) - 1))
    else:
        parts = _row_sums(x, max(reduced, key=lambda a: math.inf if x.shape[a] is None else x.shape[a]))
    return tf.cast(tf.reduce_sum(parts, reduced, keepdims), x.dtype)


def accurate_mean(x: Tensor, axis: Axis, keepdims: bool) -> Tensor:  # noqa: FBT001
    """Mean by the accurate sum."""
    count = x.shape.num_elements() if axis is None else None
    if count is None:
        count = math.prod(size(x, a) for a in axes(x, axis))
    return accurate_sum(x, axis, keepdims) / (count if isinstance(count, int) else tf.cast(count, x.dtype))


def _row_sums(x: Tensor, axis: int) -> Tensor:
    count = size(x, axis)
    whole = count - count % _ROW
    if isinstance(count, int) and count == whole:
        return _whole_row_sums(x, axis)
    before = (slice(None),) * axis  # slices, not tf.split, which copies
    rows, rest = x[(*before, slice(whole))], x[(*before, slice(whole, None))]
    return tf.concat([_whole_row_sums(rows, axis), tf.cast(rest, tf.float64)], axis)


def _whole_row_sums(x: Tensor, axis: int) -> Tensor:
    shape = sizes(x, x.shape)
    rows = tf.reshape(x, [*shape[:axis], shape[axis] // _ROW, _ROW, *shape[axis + 1 :]])
    return tf.cast(tf.reduce_sum(rows, axis + 1), tf.float64)


def ascending(x: Tensor) -> Tensor:
    """Sort along the last axis, NaN last."""
    x = tf.convert_to_tensor(x)
    if not x.dtype.is_floating:
        return tf.sort(x)
    if tf.executing_eagerly() and "CPU" in x.device:
        return _ascending_by_numpy(x)
    missing = tf.math.is_nan(x)  # among NaN, tf.sort on the CPU leaves the numbers unsorted
    in_order = tf.sort(tf.where(missing, tf.constant(math.inf, x.dtype), x))
    rank = tf.cumsum(tf.ones_like(x, tf.int64), -1)
    numbers = tf.reduce_sum(tf.cast(~missing, tf.int64), -1, keepdims=True)
    return tf.where(rank <= numbers, in_order, tf.constant(math.nan, x.dtype))


def ascending_order(x: Tensor, stable: bool) -> Tensor:  # noqa: FBT001
    """The indices that sort along the last axis, NaN anywhere."""
    if tf.executing_eagerly() and "CPU" in x.device:
        return tf.constant(np.argsort(x, stable=stable))
    return tf.argsort(x, stable=stable)


@tf.custom_gradient
def _ascending_by_numpy(x: Tensor) -> Any:
    # 30 times faster than tf.sort, which sorts indices
    def gradient(upstream: Tensor) -> Tensor:
        ranks = np.argsort(np.argsort(x, axis=-1), axis=-1)
        return tf.gather(upstream, ranks, axis=-1, batch_dims=x.shape.rank - 1)

    return tf.constant(np.sort(x)), gradient


def search(x1: Tensor, x2: Tensor, side: str) -> Tensor:
    """Where x2 belongs in the sorted x1; a descent in powers of two, since XLA's own compares every pair."""
    if tf.executing_eagerly():
        return tf.searchsorted(x1, x2, side, out_type=tf.int64)
    count = size(x1, -1)
    position = tf.zeros_like(x2, tf.int64)
    for bit in reversed(range(count.bit_length() if isinstance(count, int) else 32)):
        beyond = position + (1 << bit)
        last = tf.gather(x1, tf.minimum(beyond, count) - 1, axis=-1, batch_dims=x1.shape.rank - 1)
        before = last < x2 if side == "left" else ~(x2 < last)
        position = tf.where((beyond <= count) & before, beyond, position)
    return position


def scan(step: Step, state: Any, xs: Tensor, unrolled: int) -> tuple[Any, Tensor]:
    """state, y = step(state, x) for each x along the first axis: one by one if few, else in a loop."""
    count = xs.shape[0]
    if tf.executing_eagerly() or (count is not None and count <= unrolled):
        ys = []
        for x in tf.unstack(xs):
            state, y = step(state, x)
            ys.append(y)
        return state, tf.stack(ys)
    return _scan_in_loop(step, state, xs)


def _scan_in_loop(step: Step, state: Any, xs: Tensor) -> tuple[Any, Tensor]:
    count = tf.shape(xs)[0] if xs.shape[0] is None else xs.shape[0]
    rows = tf.TensorArray(xs.dtype, count, element_shape=xs.shape[1:]).unstack(xs)
    state, first = step(state, rows.read(0))  # tells the loop the shapes and dtypes of what it carries
    ys = tf.TensorArray(first.dtype, count, element_shape=first.shape).write(0, first)

    def body(t: Any, state: Any, ys: Any) -> tuple[Any, Any, Any]:
        state, y = step(state, rows.read(t))
        return t + 1, state, ys.write(t, y)

    # XLA differentiates a loop only if it knows the most steps it can take
    _, state, ys = tf.while_loop(lambda t, *_: t < count, body, (1, state, ys), maximum_iterations=count - 1)
    return state, ys.stack()


def place(find: Any, x: Tensor, axis: int | None, keepdims: bool) -> Tensor:  # noqa: FBT001
    """Where the extreme is along an axis, or among all numbers."""
    if axis is None:
        flat = find(tf.reshape(x, [-1]), 0)
        return tf.reshape(flat, [1] * x.shape.rank) if keepdims else flat
    places = find(x, axis)
    return tf.expand_dims(places, axis) if keepdims else places
