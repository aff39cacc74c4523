"""JAX's driver."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from anomaly_kernels.testing.drivers.driver import Driver, Function
from anomaly_kernels.testing.trees import Arrays, split


class Jax(Driver):
    """JAX, with 64-bit numbers switched on."""

    name = package = "jax"
    can = frozenset({"gradient", "value_and_grad", "jit", "vmap"})
    halves = ("float16", "bfloat16")

    def __init__(self) -> None:
        super().__init__()
        self.module.config.update("jax_enable_x64", True)  # noqa: FBT003

    def _from_numpy(self, values: np.ndarray, dtype: str | None) -> Any:
        return self.module.numpy.asarray(values, dtype=dtype)

    def numpy(self, x: Any) -> Any:
        return np.asarray(x.astype("float32") if x.dtype == "bfloat16" else x)

    def is_array(self, x: Any) -> bool:
        return isinstance(x, self.module.Array)

    def sum(self, x: Any) -> Any:
        return x.sum()

    # What follows is compiled, once for a function, as JAX's users do: one operation at a time takes ten times as long.
    @cache  # noqa: B019  # drivers live as long as the process
    def evaluator(self, f: Function) -> Any:
        return self.module.jit(f)

    def value_and_grad(self, f: Function, arrays: Arrays, wrt: Sequence[str]) -> Any:
        return self._value_and_grad(f)(*split(arrays, wrt))

    @cache  # noqa: B019
    def _value_and_grad(self, f: Function) -> Any:
        return self.module.jit(self.module.value_and_grad(lambda leaves, rest: f({**rest, **leaves})))

    def curvature(self, f: Function, arrays: Arrays, direction: Arrays) -> Any:
        return self._curvature(f)(*split(arrays, direction), direction)

    @cache  # noqa: B019
    def _curvature(self, f: Function) -> Any:
        def along(derivative: Arrays, direction: Arrays) -> Any:
            return sum((derivative[name] * v).sum() for name, v in direction.items())

        first: Any = self.module.grad(lambda leaves, rest: f({**rest, **leaves}))
        second: Any = self.module.grad(lambda leaves, rest, direction: along(first(leaves, rest), direction))
        return self.module.jit(lambda leaves, rest, direction: along(second(leaves, rest, direction), direction))

    def jit(self, f: Function) -> Any:
        return self.module.jit(f)

    def vmap(self, f: Function) -> Any:
        return self.module.jit(self.module.vmap(f))

    def vmap_grad(self, f: Function, arrays: Arrays, wrt: Sequence[str]) -> Any:
        gradient = self.module.grad(lambda leaves, rest: f({**rest, **leaves}))
        return self.module.jit(self.module.vmap(gradient))(*split(arrays, wrt))
