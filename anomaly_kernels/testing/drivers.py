"""One small class per array library: make an array, read it back, differentiate, compile and vectorise a function.

Functions handed to a driver take one dict of arrays by name and return an array or a tree of arrays, so that no driver
needs to know about argument positions. `Driver` itself speaks NumPy; the others override what differs. A library is
imported when its driver is made, never before.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from anomaly_kernels.testing._differentiable import Jax, TensorFlow, Torch
from anomaly_kernels.testing._driver import Arrays, Driver, Function, flatten, map_arrays

__all__ = ["DRIVERS", "Arrays", "Driver", "Function", "driver_for", "flatten", "installed_libraries", "map_arrays"]


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


class CuPy(Driver):
    """NumPy on CUDA devices."""

    name = package = "cupy"

    def _from_numpy(self, values: np.ndarray, dtype: str | None) -> Any:
        return self.module.asarray(values, dtype=dtype)

    def numpy(self, x: Any) -> Any:
        return self.module.asnumpy(x)

    def is_array(self, x: Any) -> bool:
        return isinstance(x, self.module.ndarray)


DRIVERS: dict[str, type[Driver]] = {
    kind.name: kind for kind in (Driver, ArrayAPIStrict, Dask, Torch, Jax, TensorFlow, CuPy)
}


@cache
def driver_for(name: str) -> Driver:
    """Make the driver of a library, by name; the same one each time.

    Parameters
    ----------
    name : str
        A key of `DRIVERS`.

    Returns
    -------
    Driver
        Its library is imported by now.

    Raises
    ------
    ValueError
        If there is no driver of that name.

    Examples
    --------
    >>> numpy = driver_for("numpy")
    >>> numpy.value_and_grad(lambda arrays: arrays["x"], {}, [])
    Traceback (most recent call last):
    NotImplementedError: numpy has no automatic differentiation
    """
    if name not in DRIVERS:
        raise ValueError(f"`name` must be one of {', '.join(DRIVERS)}, got {name!r}")
    return DRIVERS[name]()


def installed_libraries() -> list[str]:
    """Names of the libraries that can be imported here; nothing is imported to find out.

    Returns
    -------
    list of str
        Keys of `DRIVERS`.

    Examples
    --------
    >>> "numpy" in installed_libraries()
    True
    """
    return [name for name, kind in DRIVERS.items() if kind.installed()]
