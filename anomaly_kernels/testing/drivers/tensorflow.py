"""TensorFlow's driver."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from anomaly_kernels.testing.drivers.driver import Driver, Function
from anomaly_kernels.testing.trees import Arrays, split


class TensorFlow(Driver):
    """TensorFlow, eager, in graphs and under XLA."""

    name = package = "tensorflow"
    can = frozenset({"gradient", "value_and_grad", "jit", "unknown_batch"})
    halves = ("float16", "bfloat16")

    def __init__(self) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        super().__init__()
        self.module.get_logger().setLevel("ERROR")

    def _from_numpy(self, values: np.ndarray, dtype: str | None) -> Any:
        return self.module.cast(self.module.constant(values), dtype or values.dtype)

    def numpy(self, x: Any) -> Any:
        return (self.module.cast(x, "float32") if x.dtype == "bfloat16" else x).numpy()

    def is_array(self, x: Any) -> bool:
        return isinstance(x, self.module.Tensor)

    def dtype_name(self, x: Any) -> str:
        return str(x.dtype.name)

    def sum(self, x: Any) -> Any:
        return self.module.reduce_sum(x)

    def value_and_grad(self, f: Function, arrays: Arrays, wrt: Sequence[str]) -> tuple[Any, dict[str, Any]]:
        leaves, rest = split(arrays, wrt)
        with self.module.GradientTape() as tape:
            tape.watch(leaves)
            value = f({**rest, **leaves})
        return value, self._gradient(tape, value, leaves)

    def _gradient(self, tape: Any, value: Any, leaves: Arrays) -> dict[str, Any]:
        gradient = tape.gradient(value, leaves, unconnected_gradients="zero")
        return {name: self.module.convert_to_tensor(g) for name, g in gradient.items()}

    def curvature(self, f: Function, arrays: Arrays, direction: Arrays) -> Any:
        leaves, rest = split(arrays, direction)
        leaves = {name: self.module.identity(x) for name, x in leaves.items()}  # a direction may be the array itself
        with self.module.GradientTape() as outer:
            outer.watch(leaves)
            with self.module.GradientTape() as inner:
                inner.watch(leaves)
                value = f({**rest, **leaves})
            first = self._gradient(inner, value, leaves)
            slope = sum(self.sum(first[name] * v) for name, v in direction.items())
        second = self._gradient(outer, slope, leaves)
        return sum(self.sum(second[name] * v) for name, v in direction.items())

    def jit(self, f: Function) -> Any:
        return self.module.function(f, jit_compile=True)

    def unknown_batch(self, f: Function, arrays: Arrays, batched: Sequence[str]) -> Any:
        def spec(name: str, x: Any) -> Any:
            shape = [None, *x.shape[1:]] if name in batched else x.shape
            return self.module.TensorSpec(shape, x.dtype)

        return self.module.function(f, input_signature=[{name: spec(name, x) for name, x in arrays.items()}])
