"""The namespace of JAX: jax.numpy, and what it lacks or has without derivatives."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jax.scipy.special import erf

from anomaly_kernels._core.backends import blocks
from anomaly_kernels._core.backends.generic import Generic
from anomaly_kernels._core.typing import DType, F


class JAX(Generic):
    """jax.numpy is an array API namespace; here is what lies beyond the standard."""

    has_devices = False  # a tracer knows none

    erf = staticmethod(erf)
    sigmoid = staticmethod(jax.nn.sigmoid)
    stop_gradient = staticmethod(jax.lax.stop_gradient)

    def eye_like(self, x: jax.Array) -> jax.Array:
        return jnp.eye(x.shape[-1], dtype=x.dtype)

    def sort(self, x: jax.Array) -> jax.Array:
        return jnp.sort(x, stable=False)

    def searchsorted(self, x1: jax.Array, x2: jax.Array, *, side: str = "left") -> jax.Array:
        x2 = jax.lax.optimization_barrier(x2)  # of constants, XLA would sort what it compiles, for half a minute
        # a loop over the halves of x1, or one sort of both, which is faster where there are many to search for
        method = "scan" if x2.shape[-1] <= 64 else "sort"
        search = functools.partial(jnp.searchsorted, side=side, method=method)
        return jnp.vectorize(search, signature="(n),(m)->(m)")(x1, x2) if x1.ndim > 1 else search(x1, x2)

    def argsort(self, x: jax.Array, *, stable: bool = False) -> jax.Array:
        return jnp.argsort(x, stable=stable)

    def cumulative_min(self, x: jax.Array) -> jax.Array:
        return jax.lax.cummin(x, axis=x.ndim - 1)

    def top_k(self, x: jax.Array, k: int) -> tuple[jax.Array, jax.Array]:
        largest, places = jax.lax.top_k(x, k)
        return largest, places

    def take_along_axis(self, x: jax.Array, indices: jax.Array) -> jax.Array:
        return jnp.take_along_axis(x, indices, axis=-1)

    def wide(self, x: jax.Array) -> DType:
        return jax.dtypes.canonicalize_dtype(jnp.float64)  # float32 where the user has not enabled the wider one

    def counting(self) -> DType:
        return jax.dtypes.canonicalize_dtype(jnp.int64)

    def is_known(self, x: jax.Array) -> bool:
        return not isinstance(x, jax.core.Tracer)

    def divide(self, x1: jax.Array, x2: jax.Array) -> jax.Array:
        return _divide(x1, x2)

    def matmul(self, x1: jax.Array, x2: jax.Array) -> jax.Array:
        return _matmul(x1, x2)

    def peek(self, x: jax.Array) -> np.ndarray | None:
        if isinstance(x, jax.core.Tracer) or not x.is_fully_addressable:
            return None
        if any(device.platform != "cpu" for device in x.devices()):
            return None
        numbers = np.asarray(x)
        if numbers.dtype.kind != "V":
            return numbers
        # integers of 4 bits and less, and bfloat16, which NumPy does not know for integers and real numbers
        return numbers.astype(np.int8 if jnp.issubdtype(x.dtype, jnp.integer) else np.float32)

    def lower_inverse(self, x: jax.Array) -> jax.Array:
        return lower_inverse(x)

    def cholesky(self, x: jax.Array) -> jax.Array:
        return cholesky(x)

    def magnitude(self, x: jax.Array) -> jax.Array:
        return jnp.where(x < 0, -x, x)

    def value_and_grad(
        self, function: Callable[[list[jax.Array]], jax.Array], arrays: list[jax.Array]
    ) -> tuple[jax.Array, list[jax.Array]]:
        return cast(tuple[jax.Array, list[jax.Array]], jax.value_and_grad(function)(arrays))

    def as_one(self, function: F) -> F:
        return cast(F, _jitted(function))

    def constant(self, values: Any, *, like: jax.Array, dtype: DType) -> jax.Array:
        # no device: a tracer has none, and JAX moves uncommitted constants to where they are used
        # through NumPy: JAX asks of each number of a list what it is
        return jnp.asarray(np.asarray(values) if isinstance(values, list) else values, dtype=dtype)

    def by_rows(
        self, function: Callable[..., tuple[Any, ...]], arrays: Sequence[jax.Array], settings: Sequence[Any]
    ) -> tuple[jax.Array, ...]:
        return cast(tuple[jax.Array, ...], _jitted(function)(self, *arrays, *settings))  # not one operation at a time

    def evaluate_rows(self, formula: Any, arrays: Sequence[jax.Array], whole: Sequence[Any]) -> jax.Array:
        n, width = arrays[0].shape[0], math.prod(arrays[0].shape[1:])
        rows = max(1, blocks.size_of(formula) // width) if isinstance(n, int) else None
        if rows is None or n <= rows:
            return cast(jax.Array, formula.values(self, *arrays, *whole))

        def of_row(row: Sequence[jax.Array]) -> jax.Array:
            return cast(jax.Array, formula.values(self, *(x[None] for x in row), *whole)[0])

        return jax.lax.map(of_row, tuple(arrays), batch_size=rows)  # so many rows at a time, compiled too

    def scan(
        self,
        step: Callable[[Any, jax.Array], tuple[Any, jax.Array]],
        state: Any,
        xs: jax.Array,
        *,
        rolled: bool = False,
    ) -> tuple[Any, jax.Array]:
        return jax.lax.scan(step, state, xs)


@jax.custom_jvp
def _divide(x: jax.Array, y: jax.Array) -> jax.Array:
    """A quotient whose derivative does not divide by y², which would be 0 for y that are not."""
    return x / y


@_divide.defjvp
def _divide_jvp(primals: tuple[jax.Array, ...], tangents: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
    quotient = _divide(*primals)
    return quotient, (tangents[0] - quotient * tangents[1]) / primals[1]


# Two of jaxlib's triangular solves of a batch can wait for each other for ever on a machine of two cores (each holds a
# thread of XLA's pool while its parts wait for one; jaxlib 0.10.2), and the gradients that JAX gives Cholesky factors
# and solves are made of such solves. Hence forms of our own, with gradients made of products alone.
@jax.custom_jvp
def lower_inverse(x: jax.Array) -> jax.Array:
    """The inverse of lower triangular matrices (..., D, D)."""
    return solve_triangular(x, jnp.eye(x.shape[-1], dtype=x.dtype), lower=True) if x.ndim == 2 else _by_doubling(x)


@lower_inverse.defjvp
def _lower_inverse_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    inverse = lower_inverse(*primals)
    return inverse, -_matmul(inverse, _matmul(jnp.tril(tangents[0]), inverse))


@jax.custom_jvp
def cholesky(x: jax.Array) -> jax.Array:
    """The lower Cholesky factors of symmetric matrices (..., D, D)."""
    return jnp.linalg.cholesky(x)


@cholesky.defjvp
def _cholesky_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    factor = cholesky(*primals)
    inverse = lower_inverse(factor)
    tangent = (tangents[0] + tangents[0].mT) / 2
    white = _matmul(_matmul(inverse, tangent), inverse.mT)
    return factor, _matmul(factor, jnp.tril(white, -1) + jnp.tril(jnp.triu(white)) / 2)


def _by_doubling(x: jax.Array) -> jax.Array:
    """From the inverses of diagonal blocks A and C, B below A, that of [[A, 0], [B, C]], until one block is all."""
    row = jnp.arange(x.shape[-1])
    inverse = jnp.eye(x.shape[-1], dtype=x.dtype) / jnp.diagonal(x, axis1=-2, axis2=-1)[..., None, :]
    size = 1
    while size < x.shape[-1]:
        half, whole = row // size, row // (2 * size)
        below = (whole[:, None] == whole) & (half[:, None] > half)
        inverse = inverse - _matmul(inverse, _matmul(jnp.where(below, x, 0), inverse))
        size *= 2
    return inverse


def _matmul(a: jax.Array, b: jax.Array) -> jax.Array:
    # accelerators round float32 by default, whose Gram matrices and mixtures then lose half of their digits
    return jnp.matmul(a, b, precision="highest")


@functools.cache
def _jitted(function: Callable[..., Any]) -> Callable[..., Any]:
    return jax.jit(function, static_argnums=0)


def is_array(kind: type) -> bool:
    """Whether objects of a type are arrays, or stand for one in a trace."""
    return issubclass(kind, jax.Array) or issubclass(kind, jax.core.Tracer)


namespace = JAX("jax", jnp)
