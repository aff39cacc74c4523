"""CuPy's driver."""

from __future__ import annotations

from typing import Any

import numpy as np

from anomaly_kernels.testing.drivers.driver import Driver


class CuPy(Driver):
    """NumPy on CUDA devices."""

    name = package = "cupy"

    def _from_numpy(self, values: np.ndarray, dtype: str | None) -> Any:
        return self.module.asarray(values, dtype=dtype)

    def numpy(self, x: Any) -> Any:
        return self.module.asnumpy(x)

    def is_array(self, x: Any) -> bool:
        return isinstance(x, self.module.ndarray)
