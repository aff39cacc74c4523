"""The drivers of NumPy and of libraries that do as NumPy does: CuPy, Dask and array-api-strict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from anomaly_kernels.testing.trees import Arrays

Function = Callable[[Arrays], Any]


class Driver:
    """NumPy; the other drivers override what differs.

    Attributes
    ----------
    name : str
        The library's name, as in ``AK_LIBRARY``.
    package : str
        The package to import.
    can : frozenset of str
        What the library offers beyond evaluation: gradient, value_and_grad, jit, vmap, lazy, layout, device,
        unknown_batch, blocks.
    halves : tuple of str
        Names of its half-precision dtypes.
    """

    name: ClassVar[str] = "numpy"
    package: ClassVar[str] = "numpy"
    can: ClassVar[frozenset[str]] = frozenset({"value_and_grad", "layout", "blocks"})
    halves: ClassVar[tuple[str, ...]] = ("float16",)

    def __init__(self) -> None:
        self.module: Any = import_module(self.package)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @classmethod
    def installed(cls) -> bool:
        """Whether the library can be imported; imports nothing."""
        return find_spec(cls.package.partition(".")[0]) is not None

    def version(self) -> str:
        """Read the library's own version string."""
        return str(import_module(self.package.partition(".")[0]).__version__)

    def array(self, values: Any, dtype: str | None = None) -> Any:
        """Turn NumPy values into the library's array; the dtype is for floats, masks and integers keep theirs."""
        values = np.asarray(values)
        return self._from_numpy(values, dtype if values.dtype.kind == "f" else None)

    def _from_numpy(self, values: np.ndarray, dtype: str | None) -> Any:
        return np.array(values, dtype=dtype)

    def strided(self, values: Any, dtype: str | None = None) -> Any:
        """Make the same array on memory with gaps and reversed axes, where the library shows its memory layout."""
        values = np.asarray(values)
        wide = np.zeros((*values.shape[::-1], 2), dtype=values.dtype)
        wide[..., 0] = values.T
        x = self.array(wide, dtype)[..., 0]
        return self.module.moveaxis(x, tuple(range(x.ndim)), tuple(reversed(range(x.ndim))))

    def read_only(self, values: Any) -> Any:
        """Make an array on memory that must not be written, where the library can have one."""
        x = self.array(values)
        if isinstance(x, np.ndarray):
            x.flags.writeable = False
        return x  # torch has no such memory: purity is what shows a write

    def numpy(self, x: Any) -> Any:
        """Read an array back as NumPy; bfloat16, which NumPy lacks, as float32."""
        return np.asarray(x)

    def is_array(self, x: Any) -> bool:
        """Whether x is an array of this library, for NumPy a scalar of its own included."""
        return isinstance(x, np.ndarray | np.generic)

    def dtype_name(self, x: Any) -> str:
        """Name the dtype, the same way for every library."""
        return str(x.dtype).rpartition(".")[2]

    def device_name(self, x: Any) -> str:
        """Where the array lives, in the library's words."""
        return str(getattr(x, "device", "cpu"))

    def elsewhere(self, x: Any) -> Any:
        """Move an array to a second device, one that every machine has."""
        raise NotImplementedError(f"{self.name} has no second device on every machine")

    def sum(self, x: Any) -> Any:
        """Sum all elements, to a 0-d array."""
        return self.module.sum(x)

    def evaluator(self, f: Function) -> Function:
        """Make the function as the library's users mostly evaluate it: as it is, where compiling is not the habit."""
        return f

    def building(self) -> AbstractContextManager[Any]:
        """Within it a lazy library must not compute; other libraries do as ever."""
        return nullcontext()

    def value_and_grad(self, f: Function, arrays: Arrays, wrt: Sequence[str]) -> tuple[Any, dict[str, Any]]:
        """Evaluate a 0-d function and its gradient with respect to the arrays named."""
        raise NotImplementedError(f"{self.name} has no automatic differentiation")

    def curvature(self, f: Function, arrays: Arrays, direction: Arrays) -> Any:
        """Differentiate a 0-d function twice along one direction: v·Hv."""
        raise NotImplementedError(f"{self.name} has no automatic differentiation")

    def jit(self, f: Function) -> Function:
        """Compile the function the way the library's users do."""
        raise NotImplementedError(f"{self.name} compiles nothing")

    def vmap(self, f: Function) -> Function:
        """Map the function over the first axis of every array."""
        raise NotImplementedError(f"{self.name} has no vmap")

    def vmap_grad(self, f: Function, arrays: Arrays, wrt: Sequence[str]) -> dict[str, Any]:
        """Differentiate each member of a batch: vmap over grad."""
        raise NotImplementedError(f"{self.name} has no vmap")

    def unknown_batch(self, f: Function, arrays: Arrays, batched: Sequence[str]) -> Function:
        """Trace the function once, with the first axis of the arrays named left unknown."""
        raise NotImplementedError(f"{self.name} has no unknown dimensions")


class ArrayAPIStrict(Driver):
    """The standard and nothing beyond it."""

    name = package = "array_api_strict"
    can = frozenset({"value_and_grad", "device"})
    halves = ()

    def _from_numpy(self, values: np.ndarray, dtype: str | None) -> Any:
        return self.module.asarray(np.array(values, dtype=dtype))

    def elsewhere(self, x: Any) -> Any:
        return x.to_device(self.module.Device("device1"))

    def is_array(self, x: Any) -> bool:
        return type(x).__module__.partition(".")[0] == self.package


class CuPy(Driver):
    """NumPy on CUDA devices."""

    name = package = "cupy"

    def _from_numpy(self, values: np.ndarray, dtype: str | None) -> Any:
        return self.module.asarray(values, dtype=dtype)

    def numpy(self, x: Any) -> Any:
        return self.module.asnumpy(x)

    def is_array(self, x: Any) -> bool:
        return isinstance(x, self.module.ndarray)


class Dask(Driver):
    """NumPy in chunks, computed when asked for."""

    name, package = "dask", "dask.array"
    can = frozenset({"lazy"})

    def _from_numpy(self, values: np.ndarray, dtype: str | None) -> Any:
        # Two chunks along the first axis, so that reductions have something to combine.
        chunks = tuple((n + 1) // 2 if axis == 0 and n > 1 else max(n, 1) for axis, n in enumerate(values.shape))
        return self.module.from_array(np.array(values, dtype=dtype), chunks=chunks if values.size else -1)

    def numpy(self, x: Any) -> Any:
        return np.asarray(x.compute(scheduler="synchronous"))

    def is_array(self, x: Any) -> bool:
        return isinstance(x, self.module.Array)

    def building(self) -> Any:
        def refuse(*_: Any, **__: Any) -> Any:
            raise RuntimeError("computed while the graph was being built")

        return import_module("dask").config.set(scheduler=refuse)
