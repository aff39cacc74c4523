"""Checks of values, dtypes and devices: what comes back for inputs in any dtype, order and layout of memory."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from anomaly_kernels.testing.agreement import agree, fail
from anomaly_kernels.testing.arguments import REGIONS
from anomaly_kernels.testing.case import Case, Values
from anomaly_kernels.testing.trees import Arrays, flatten


def values(case: Case) -> None:
    """Values agree with NumPy float64, in float64 and in float32."""
    for dtype in ("float64", "float32"):
        exact = case.rounded(dtype)
        agree(exact, exact.run(dtype), "values", dtype)


def purity(case: Case) -> None:
    """Called as it is, the function gives the values, the same bits again, and leaves its inputs as they were."""
    arrays = case.arrays()
    before = {name: x.copy() for name, x in case.read_leaves(arrays).items()}  # what is read may be the same memory
    first, second = case.read(case.call(arrays)), case.read(case.call(arrays))
    if changed := [k for k, x in case.read_leaves(arrays).items() if not np.array_equal(x, before[k], equal_nan=True)]:
        raise fail(case, f"purity: the call changed {', '.join(changed)}")
    if other := [k for k, x in second.items() if not np.array_equal(x, first[k], equal_nan=True)]:
        raise fail(case, f"purity: {', '.join(other)} differs when called again")
    agree(case, first, "purity")


def permutation(case: Case) -> None:
    """The order of the batch does not matter: results with a batch axis follow it, the others stay."""
    if not case.batched:
        return
    n = case.leaves[case.batched[0]].shape[0]
    order = np.random.default_rng(0).permutation(n)
    shuffled = case.with_leaves({name: case.leaves[name][order] for name in case.batched})
    followed = {k: x[order] if x.ndim and x.shape[0] == n else x for k, x in case.expected.items()}
    agree(case, shuffled.run(), "permutation", expected=followed)


def layout(case: Case) -> None:
    """Arrays with gaps, reversed axes or write protection are as good as any."""
    for kind, array in (("non-contiguous", case.driver.strided), ("read-only", case.driver.read_only)):
        agree(case, case.read(case.call({k: array(x) for k, x in case.leaves.items()})), f"layout, {kind}")


def reductions(case: Case) -> None:
    """The reductions "mean" and "sum" are those of "none", and `weight` multiplies each."""
    parameters = inspect.signature(case.function).parameters
    arrays = case.arrays()

    def run(**settings: Any) -> Values:
        return case.read(case.function(**case.trees(arrays), **{**case.settings, **settings}))

    if "reduction" in parameters:
        each = run(reduction="none")
        agree(case, run(reduction="mean"), "mean", expected={k: np.asarray(x.mean()) for k, x in each.items()})
        agree(case, run(reduction="sum"), "sum", expected={k: np.asarray(x.sum()) for k, x in each.items()})
    if "weight" in parameters and "weight" not in case.inputs:
        once = run(weight=1.0)
        for weight in (2, 2.0, case.driver.array(np.asarray(2.0))):
            agree(case, run(weight=weight), f"weight={weight!r}", expected={k: 2 * x for k, x in once.items()})


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
    for name in set(case.leaves) - set(case.floats) - set(REGIONS):
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
