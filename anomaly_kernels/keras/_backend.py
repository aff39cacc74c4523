"""What metrics need of the backends and Keras has no functions for, or functions that round to float32 on torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import keras

Tensor = Any
F = TypeVar("F", bound=Callable[..., Any])

if keras.backend.backend() == "torch":
    import torch

    def fused(function: F, static: tuple[str, ...] = (), *, open_sizes: bool = False) -> F:  # noqa: ARG001
        """The function as it is: torch's operations start in microseconds."""
        return function

    def bits_of(x: Tensor) -> Tensor:
        """The bits of float32 as int32."""
        return x.view(torch.int32)

    def sums_at(values: Tensor, places: Tensor, size: int) -> Tensor:
        """The sum of the values at each place, (size,)."""
        zeros = torch.zeros(size, dtype=values.dtype, device=values.device)
        return zeros.index_add_(0, places, values)

    def greatest_at(values: Tensor, places: Tensor, size: int) -> Tensor:
        """The greatest value at each place, (size,); no number above those of any value where there is none."""
        least = torch.full((size,), -torch.inf, dtype=values.dtype, device=values.device)
        return least.scatter_reduce_(0, places.to(torch.int64), values, "amax")

    def sums_from_each(x: Tensor) -> Tensor:
        """The sum from each place of the last axis to the end."""
        return torch.flip(torch.cumsum(torch.flip(x, (-1,)), -1), (-1,))

elif keras.backend.backend() == "jax":
    import jax
    import jax.numpy as jnp

    _BLOCK = 32

    def fused(function: F, static: tuple[str, ...] = (), *, open_sizes: bool = False) -> F:  # noqa: ARG001
        """The function compiled; the arguments that are `static` are no tensors."""
        return jax.jit(function, static_argnames=static)

    def bits_of(x: Tensor) -> Tensor:
        """The bits of float32 as int32."""
        return x.view(jnp.int32)

    def sums_at(values: Tensor, places: Tensor, size: int) -> Tensor:
        """The sum of the values at each place, (size,)."""
        return jnp.zeros(size, values.dtype).at[places].add(values)

    def greatest_at(values: Tensor, places: Tensor, size: int) -> Tensor:
        """The greatest value at each place, (size,); no number above those of any value where there is none."""
        return jnp.full(size, -jnp.inf, values.dtype).at[places].max(values)

    def sums_from_each(x: Tensor) -> Tensor:
        """The sum from each place of the last axis to the end."""
        if not jnp.issubdtype(x.dtype, jnp.floating):  # on the CPU twice as fast as `cumsum`
            return jax.lax.associative_scan(jnp.add, x, reverse=True, axis=x.ndim - 1)
        *others, size = x.shape
        blocks = -(-size // _BLOCK)
        x = jnp.pad(x, [(0, 0)] * len(others) + [(0, blocks * _BLOCK - size)]).reshape(*others, blocks, _BLOCK)
        # few operations, for each costs as it starts
        inside = jnp.matmul(x, jnp.tri(_BLOCK, dtype=x.dtype), precision="highest")
        beyond = jnp.matmul(inside[..., 0], jnp.tri(blocks, k=-1, dtype=x.dtype), precision="highest")
        return (inside + beyond[..., None]).reshape(*others, -1)[..., :size]

else:
    import tensorflow as tf

    def fused(function: F, static: tuple[str, ...] = (), *, open_sizes: bool = False) -> F:  # noqa: ARG001
        """The function as a graph, outside of others, one for all sizes where they are to be open."""
        graph = tf.function(function, autograph=False, reduce_retracing=open_sizes)

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            apart = tf.executing_eagerly() and not tf.distribute.has_strategy()
            return (graph if apart else function)(*args, **kwargs)

        return call  # type: ignore[return-value]

    def bits_of(x: Tensor) -> Tensor:
        """The bits of float32 as int32."""
        return tf.bitcast(x, tf.int32)

    def sums_at(values: Tensor, places: Tensor, size: int) -> Tensor:
        """The sum of the values at each place, (size,)."""
        return tf.math.unsorted_segment_sum(values, places, size)

    def greatest_at(values: Tensor, places: Tensor, size: int) -> Tensor:
        """The greatest value at each place, (size,); no number above those of any value where there is none."""
        return tf.math.unsorted_segment_max(values, places, size)

    def sums_from_each(x: Tensor) -> Tensor:
        """The sum from each place of the last axis to the end."""
        return tf.cumsum(x, axis=-1, reverse=True)


def replicas() -> int:
    """How many replicas of a variable TensorFlow's strategy makes here; 1 on other backends."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync) if keras.backend.backend() == "tensorflow" else 1


def this_replica() -> Any:
    """The place of the replica that runs this among all; None outside of them."""
    context = tf.distribute.get_replica_context()
    return None if context is None else context.replica_id_in_sync_group


def assign_row(variable: keras.Variable, row: Tensor) -> None:
    """Assign to the row of this replica, and 0 to the others, which are those replicas' own; outside to the first."""
    place = this_replica()
    shape = tf.concat([tf.shape(variable.value)[:1], tf.ones_like(tf.shape(row))], 0)
    own = tf.reshape(tf.range(variable.shape[0]) == (0 if place is None else place), shape)
    rows = tf.where(own, tf.cast(row, variable.dtype)[None], tf.zeros((), variable.dtype))
    if place is not None:
        variable.assign(rows)
        return
    first, *others = variable.value.values
    first.assign(rows)
    for other in others:
        other.assign(tf.zeros_like(rows))
