"""Checks of dtypes and devices: those of the result follow from those of the inputs."""

from __future__ import annotations

import numpy as np

from anomaly_kernels.testing.agreement import agree, fail
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.trees import Arrays, flatten


def result(case: Case) -> None:
    """The result lives in the library, on the device and in the dtype of the inputs."""
    for dtype in ("float64", "float32"):
        arrays = case.arrays(dtype)
        device = case.driver.device_name(next(iter(arrays.values())))
        results = flatten(case.evaluate(arrays))
        for path, x in results.items():
            if not case.driver.is_array(x):
                raise fail(case, f"result: {path} is a {type(x).__module__}.{type(x).__name__}, expected an array")
            if case.driver.name == "numpy" and not x.ndim and not isinstance(x, np.generic):
                raise fail(case, f"result: {path} is a 0-d array, expected a NumPy scalar")
            if case.driver.device_name(x) != device:
                raise fail(case, f"result: {path} is on {case.driver.device_name(x)}, expected {device}")
        if case.floats:
            _check_dtype(case, results, dtype, "result")


def _check_dtype(case: Case, results: Arrays, dtype: str, what: str) -> None:
    """Raise unless all results that are floats have the dtype."""
    for path, x in results.items():
        if case.expected[path].dtype.kind == "f" and case.driver.dtype_name(x) != dtype:
            raise fail(case, f"{what}: {path} is {case.driver.dtype_name(x)}, expected {dtype}")


def device(case: Case) -> None:
    """On another device, the result is there too, and so was all that went into it."""
    arrays = {name: case.driver.elsewhere(x) for name, x in case.arrays().items()}
    expected = case.driver.device_name(next(iter(arrays.values())))
    for path, x in flatten(case.call(arrays)).items():
        if case.driver.device_name(x) != expected:
            raise fail(case, f"device: {path} is on {case.driver.device_name(x)}, expected {expected}")


def promotion(case: Case) -> None:
    """Float dtypes promote: one float32 argument among float64 ones gives float64."""
    names = [name for name in case.floats if name in case.positional]
    for name in names if len(names) > 1 else ():
        rounded = case.with_leaves({name: case.leaves[name].astype(np.float32).astype(np.float64)})
        arrays = {**rounded.arrays(), name: case.driver.array(rounded.leaves[name], "float32")}
        results = flatten(rounded.evaluate(arrays))
        _check_dtype(rounded, results, "float64", f"promotion of `{name}` in float32")
        agree(rounded, rounded.read_leaves(results), f"promotion of `{name}` in float32")


def masks(case: Case) -> None:
    """Masks may be booleans, integers or floats, and mean the same."""
    for name in set(case.leaves) - set(case.floats):
        for dtype in ("bool", "int32", "int64", "float64"):
            agree(case, case.with_leaves({name: case.leaves[name].astype(dtype)}).run(), f"masks: `{name}` as {dtype}")


def half(case: Case) -> None:
    """Half precision is computed and returned in float32."""
    for dtype in case.driver.halves:
        exact = case.rounded(dtype)
        results = flatten(exact.evaluate(exact.arrays(dtype)))
        if case.floats:
            _check_dtype(exact, results, "float32", f"half ({dtype} inputs)")
        agree(exact, exact.read_leaves(results), f"half ({dtype} inputs)", "float32")
