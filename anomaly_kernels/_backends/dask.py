"""Dask. Everything stays lazy; linear algebra works on a single chunk, which small matrices are."""

from __future__ import annotations

from typing import Any

import array_api_compat.dask.array as standard
import dask.array as da
import numpy as np

from anomaly_kernels._backends.generic import Generic
from anomaly_kernels._backends.numpy import namespace as numpy
from anomaly_kernels._typing import DType


class Dask(Generic):
    """Dask's functions; what it lacks is NumPy's, applied to one chunk."""

    def eye_like(self, x: da.Array) -> da.Array:
        return da.asarray(np.eye(x.shape[-1], dtype=x.dtype))

    def cholesky(self, x: da.Array) -> da.Array:
        return _on_one_chunk(np.linalg.cholesky, x)

    def lower_inverse(self, x: da.Array) -> da.Array:
        return _on_one_chunk(np.linalg.inv, x)

    def erf(self, x: da.Array) -> da.Array:
        return x.map_blocks(numpy.erf, dtype=x.dtype)

    def sort(self, x: da.Array) -> da.Array:
        return _on_one_chunk(np.sort, x)

    def device(self, x: da.Array) -> None:
        return None

    def constant(self, values: Any, *, like: da.Array, dtype: DType) -> da.Array:
        return da.asarray(values, dtype=dtype)


def _on_one_chunk(function: Any, x: da.Array) -> da.Array:
    return x.rechunk(-1).map_blocks(function, dtype=x.dtype)


namespace = Dask("dask", standard)
