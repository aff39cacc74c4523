"""Drivers of the libraries that differentiate and compile: torch, JAX and TensorFlow."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_kernels.testing._driver import Driver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anomaly_kernels.testing._driver import Arrays, Function


class Torch(Driver):
    """torch, eager and compiled, on any device; the compiler is a name that ``torch.compile(backend=...)`` knows."""

    name = package = "torch"
    can = frozenset({"gradient", "value_and_grad", "jit", "vmap", "layout", "device"})
    halves = ("float16", "bfloat16")

    def __init__(self, device: str | None = None, compiler: str = "aot_eager") -> None:
        super().__init__()
        self.device, self.compiler = device, compiler

    def _from_numpy(self, values: np.ndarray, dtype: str | None) -> Any:
        tensor = self.module.as_tensor(np.array(values), device=self.device)
        return tensor if dtype is None else tensor.to(getattr(self.module, dtype))

    def read_only(self, values: Any) -> Any:
        return self.array(values)  # torch has no such memory: purity is what shows a write

    def _transposed(self, x: Any) -> Any:
        return x.permute(tuple(reversed(range(x.ndim))))

    def numpy(self, x: Any) -> Any:
        x = x.detach().cpu()
        return (x.float() if x.dtype is self.module.bfloat16 else x).numpy()

    def is_array(self, x: Any) -> bool:
        return isinstance(x, self.module.Tensor)

    def elsewhere(self, x: Any) -> Any:
        return x.to("meta")  # shapes, dtypes and devices without values

    def value_and_grad(self, f: Function, arrays: Arrays, wrt: Sequence[str]) -> tuple[Any, dict[str, Any]]:
        leaves = {name: arrays[name].detach().clone().requires_grad_() for name in wrt}
        value = f({**arrays, **leaves})
        return value.detach(), dict(zip(wrt, self._grad(value, list(leaves.values())), strict=True))

    def _grad(self, value: Any, leaves: list[Any], **options: Any) -> Any:
        if not value.requires_grad:
            return [self.module.zeros_like(leaf) for leaf in leaves]
        return self.module.autograd.grad(value, leaves, materialize_grads=True, **options)

    def curvature(self, f: Function, arrays: Arrays, direction: Arrays) -> Any:
        leaves = {name: arrays[name].detach().clone().requires_grad_() for name in direction}
        first = self._grad(f({**arrays, **leaves}), list(leaves.values()), create_graph=True)
        slope = sum((g * v).sum() for g, v in zip(first, direction.values(), strict=True))
        second = self._grad(slope, list(leaves.values()))
        return sum((g * v).sum() for g, v in zip(second, direction.values(), strict=True))

    def jit(self, f: Function) -> Any:
        self.module.compiler.reset()  # one code object serves many functions: no recompilation limit between them
        return self.module.compile(f, fullgraph=True, backend=self.compiler)

    def vmap(self, f: Function) -> Any:
        return self.module.func.vmap(f)

    def vmap_grad(self, f: Function, arrays: Arrays, wrt: Sequence[str]) -> Any:
        return _vmap_grad(self.module.func.vmap, self.module.func.grad, f, arrays, wrt)


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

    def stack(self, arrays: Sequence[Any]) -> Any:
        return self.module.numpy.stack(list(arrays))

    # What follows is compiled, once for a function, as JAX's users do: one operation at a time takes ten times as long.
    @cache  # noqa: B019  # drivers live as long as the process
    def evaluator(self, f: Function) -> Any:
        return self.module.jit(f)

    def value_and_grad(self, f: Function, arrays: Arrays, wrt: Sequence[str]) -> Any:
        return self._value_and_grad(f)(*_split(arrays, wrt))

    @cache  # noqa: B019
    def _value_and_grad(self, f: Function) -> Any:
        return self.module.jit(self.module.value_and_grad(lambda leaves, rest: f({**rest, **leaves})))

    def curvature(self, f: Function, arrays: Arrays, direction: Arrays) -> Any:
        return self._curvature(f)(*_split(arrays, direction), direction)

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
        return self.module.jit(lambda arrays: _vmap_grad(self.module.vmap, self.module.grad, f, arrays, wrt))(arrays)


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
        leaves, rest = _split(arrays, wrt)
        with self.module.GradientTape() as tape:
            tape.watch(leaves)
            value = f({**rest, **leaves})
        return value, self._gradient(tape, value, leaves)

    def _gradient(self, tape: Any, value: Any, leaves: Arrays) -> dict[str, Any]:
        gradient = tape.gradient(value, leaves, unconnected_gradients="zero")
        return {name: self.module.convert_to_tensor(g) for name, g in gradient.items()}

    def curvature(self, f: Function, arrays: Arrays, direction: Arrays) -> Any:
        leaves, rest = _split(arrays, direction)
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


def _split(arrays: Arrays, names: Sequence[str] | Arrays) -> tuple[dict[str, Any], dict[str, Any]]:
    return {k: arrays[k] for k in names}, {k: v for k, v in arrays.items() if k not in names}


def _vmap_grad(vmap: Any, grad: Any, f: Function, arrays: Arrays, wrt: Sequence[str]) -> Any:
    leaves, rest = _split(arrays, wrt)
    one: Any = grad(lambda leaves, rest: f({**rest, **leaves}))
    return vmap(one)(leaves, rest)
