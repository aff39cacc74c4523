"""torch's driver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from anomaly_kernels.testing.drivers.driver import Driver, Function
from anomaly_kernels.testing.trees import Arrays, split


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
        leaves, rest = split(arrays, wrt)
        gradient = self.module.func.grad(lambda leaves, rest: f({**rest, **leaves}))
        return self.module.func.vmap(gradient)(leaves, rest)
