"""array-api-strict's driver."""

from __future__ import annotations

from typing import Any

import numpy as np

from anomaly_kernels.testing.drivers.driver import Driver


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
