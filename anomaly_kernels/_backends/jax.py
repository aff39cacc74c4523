"""JAX."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jax.scipy.special import erf

from anomaly_kernels._backends.generic import Generic
from anomaly_kernels._typing import DType, F


class JAX(Generic):
    """jax.numpy is an array API namespace; here is what lies beyond the standard."""

    erf = staticmethod(erf)
    sigmoid = staticmethod(jax.nn.sigmoid)
    stop_gradient = staticmethod(jax.lax.stop_gradient)

    def eye_like(self, x: jax.Array) -> jax.Array:
        return jnp.eye(x.shape[-1], dtype=x.dtype)

    def sort(self, x: jax.Array) -> jax.Array:
        return jnp.sort(x, stable=False)

    def searchsorted(self, x1: jax.Array, x2: jax.Array, *, side: str = "left") -> jax.Array:
        return jnp.searchsorted(x1, x2, side=side, method="sort")

    def lower_inverse(self, x: jax.Array) -> jax.Array:
        return solve_triangular(x, jnp.broadcast_to(self.eye_like(x), x.shape), lower=True)

    def magnitude(self, x: jax.Array) -> jax.Array:
        return jnp.where(x < 0, -x, x)

    def device(self, x: jax.Array) -> None:
        return None  # a tracer has none

    def as_one(self, function: F) -> F:
        return cast(F, _jitted(function))

    def constant(self, values: Any, *, like: jax.Array, dtype: DType) -> jax.Array:
        # no device: a tracer has none, and JAX moves uncommitted constants to where they are used
        return jnp.asarray(values, dtype=dtype)

    def scan(
        self, step: Callable[[Any, jax.Array], tuple[Any, jax.Array]], state: Any, xs: jax.Array
    ) -> tuple[Any, jax.Array]:
        return jax.lax.scan(step, state, xs)


@functools.cache
def _jitted(function: Callable[..., Any]) -> Callable[..., Any]:
    return jax.jit(function, static_argnums=0)


namespace = JAX("jax", jnp)
