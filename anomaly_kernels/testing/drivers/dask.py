"""Dask's driver."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from anomaly_kernels.testing.drivers.driver import Driver


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
