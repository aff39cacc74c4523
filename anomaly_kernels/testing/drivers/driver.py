"""NumPy's driver, from which that of every other library is derived."""

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
        unknown_batch.
    halves : tuple of str
        Names of its half-precision dtypes.
    """

    name: ClassVar[str] = "numpy"
    package: ClassVar[str] = "numpy"
    can: ClassVar[frozenset[str]] = frozenset({"value_and_grad", "layout"})
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
        return self._transposed(self.array(wide, dtype)[..., 0])

    def read_only(self, values: Any) -> Any:
        """Make an array on memory that must not be written, where the library can have one."""
        x = self.array(values)
        x.flags.writeable = False
        return x

    def _transposed(self, x: Any) -> Any:
        return x.T

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

    def stack(self, arrays: Sequence[Any]) -> Any:
        """Join arrays along a new first axis."""
        return self.module.stack(list(arrays))

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
