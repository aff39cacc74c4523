"""Checks of values, dtypes and devices: what comes back for inputs in any dtype, order and layout of memory."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from anomaly_kernels._core.backends.blocks import of_size
from anomaly_kernels._core.tape.gradient import value_and_grad
from anomaly_kernels.testing.agreement import ONE, Seen, agree, fail, nothing, total
from anomaly_kernels.testing.arguments import REGIONS
from anomaly_kernels.testing.case import Case, Values
from anomaly_kernels.testing.trees import Arrays, flatten


def values(case: Case) -> Seen:
    """Values agree with NumPy float64, in float64 and in float32, and some of each result are finite."""
    seen = Seen()
    for path, x in case.expected.items():
        if x.size and not np.isfinite(x.astype(float)).any():
            raise fail(case, f"values: {path} has no finite number")
    for dtype in ("float64", "float32"):
        exact = case.rounded(dtype)
        seen += agree(exact, exact.run(dtype), "values", dtype)
    return seen


def purity(case: Case) -> Seen:
    """Called as it is, the function gives the values, the same bits again, and leaves its inputs as they were."""
    arrays = case.arrays()
    before = {name: x.copy() for name, x in case.read_leaves(arrays).items()}  # what is read may be the same memory
    first, second = case.read(case.call(arrays)), case.read(case.call(arrays))
    if changed := [k for k, x in case.read_leaves(arrays).items() if not np.array_equal(x, before[k], equal_nan=True)]:
        raise fail(case, f"purity: the call changed {', '.join(changed)}")
    if other := [k for k, x in second.items() if not np.array_equal(x, first[k], equal_nan=True)]:
        raise fail(case, f"purity: {', '.join(other)} differs when called again")
    return agree(case, first, "purity")


def permutation(case: Case) -> Seen:
    """The order of the batch does not matter: results with a batch axis follow it, the others stay."""
    if not case.batched:
        return nothing("it takes no batch")
    n = case.leaves[case.batched[0]].shape[0]
    order = np.random.default_rng(0).permutation(n)
    shuffled = case.with_leaves({name: case.leaves[name][order] for name in case.batched})
    followed = {k: x[order] if x.ndim and x.shape[0] == n else x for k, x in case.expected.items()}
    return agree(case, shuffled.run(), "permutation", expected=followed)


def layout(case: Case) -> Seen:
    """Arrays with gaps, reversed axes or write protection are as good as any."""
    kinds = {"non-contiguous": case.driver.strided, "read-only": case.driver.read_only}
    return total(
        agree(case, case.read(case.call({k: array(x) for k, x in case.leaves.items()})), f"layout, {kind}")
        for kind, array in kinds.items()
    )


def blocks(case: Case) -> Seen:
    """Cut into blocks of a few numbers, as large arrays are, a formula gives the same values, sums and slopes."""
    reduces = "reduction" in inspect.signature(case.function).parameters
    cases = [case.with_settings(reduction=how) for how in ("mean", "sum", "none")] if reduces else [case]
    differentiates = case.floats and not case.does_not_apply("value_and_grad")
    seen = Seen()
    for each in cases:
        slopes = each.followed()[1] if differentiates else {}
        expected = each.expected  # of arrays as one
        with of_size(4):
            seen += agree(each, each.run(), "blocks", expected=expected)
            found = each.followed()[1] if differentiates else {}
        seen += agree(each, found, "blocks, slopes", expected=slopes)
    return seen


def reductions(case: Case) -> Seen:
    """The reductions "mean" and "sum" are those of "none", and `weight` multiplies each; its slope is the loss."""
    parameters = inspect.signature(case.function).parameters
    if "reduction" not in parameters and ("weight" not in parameters or "weight" in case.inputs):
        return nothing("it has neither `reduction` nor `weight`")
    arrays, seen = case.arrays(), Seen()

    def run(**settings: Any) -> Values:
        return case.read(case.function(**case.trees(arrays), **{**case.settings, **settings}))

    if "reduction" in parameters:
        each = run(reduction="none")
        if case.batched and all(x.ndim == 0 for x in each.values()):
            raise fail(case, 'reductions: "none" gave one number, expected one for each element or sample')
        seen += agree(case, run(reduction="mean"), "mean", expected={k: np.asarray(x.mean()) for k, x in each.items()})
        seen += agree(case, run(reduction="sum"), "sum", expected={k: np.asarray(x.sum()) for k, x in each.items()})
    if "weight" in parameters and "weight" not in case.inputs:
        for how in ("mean", "sum", "none") if "reduction" in parameters else (None,):
            setting = {} if how is None else {"reduction": how}
            twice = {k: 2 * x for k, x in run(weight=1.0, **setting).items()}
            for weight in (2, 2.0, case.driver.array(np.asarray(2.0))):
                seen += agree(case, run(weight=weight, **setting), f"weight={weight!r}", expected=twice)
        seen += _slope_by_weight(case)
    return seen


def _slope_by_weight(case: Case) -> Seen:
    """Raise unless the slope by the weight, which may be learnt, is the loss without it."""
    if case.does_not_apply("value_and_grad"):
        return Seen()
    arrays = case.arrays()

    def loss(weight: Any) -> Any:
        return case.total(case.function(**case.trees(arrays), **{**case.settings, "weight": weight}))

    value, slope = value_and_grad(loss)(case.driver.array(np.asarray(1.0), "float64"))
    expected = {"slope by `weight`": np.asarray(case.driver.numpy(value))}
    return agree(case, {"slope by `weight`": case.driver.numpy(slope)}, "reductions", expected=expected)


def result(case: Case) -> Seen:
    """The result lives in the library, on the device and in the dtype of the inputs."""
    seen = Seen()
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
            seen += ONE
        if case.floats:
            seen += _check_dtype(case, results, dtype, "result")
    return seen


def _check_dtype(case: Case, results: Arrays, dtype: str, what: str) -> Seen:
    """Raise unless all results that are floats have the dtype."""
    floats = {path: x for path, x in results.items() if case.expected[path].dtype.kind == "f"}
    for path, x in floats.items():
        if case.driver.dtype_name(x) != dtype:
            raise fail(case, f"{what}: {path} is {case.driver.dtype_name(x)}, expected {dtype}")
    return Seen(len(floats))


def device(case: Case) -> Seen:
    """On another device, the result is there too, and so was all that went into it."""
    arrays = {name: case.driver.elsewhere(x) for name, x in case.arrays().items()}
    expected = case.driver.device_name(next(iter(arrays.values())))
    results = flatten(case.call(arrays))
    for path, x in results.items():
        if case.driver.device_name(x) != expected:
            raise fail(case, f"device: {path} is on {case.driver.device_name(x)}, expected {expected}")
    return Seen(len(results))


def promotion(case: Case) -> Seen:
    """Float dtypes promote: one argument in float32, an array or a tree of them, among float64 ones gives float64."""
    seen, leaves = Seen(), {name: case.float_leaves(name) for name in case.positional}
    holding = [name for name, paths in leaves.items() if paths]
    if len(holding) < 2:
        return nothing("it takes one argument of floats")
    for name in holding:
        lower = {path: case.leaves[path].astype(np.float32).astype(np.float64) for path in leaves[name]}
        rounded = case.with_leaves(lower)
        arrays = rounded.arrays() | {path: case.driver.array(x, "float32") for path, x in lower.items()}
        results = flatten(rounded.evaluate(arrays))
        seen += _check_dtype(rounded, results, "float64", f"promotion of `{name}` in float32")
        seen += agree(rounded, rounded.read_leaves(results), f"promotion of `{name}` in float32")
    return seen


def masks(case: Case) -> Seen:
    """Masks may be booleans, integers or floats, and mean the same."""
    names = set(case.leaves) - set(case.floats) - set(REGIONS)
    if not names:
        return nothing("it takes no mask")
    return total(
        agree(case, case.with_leaves({name: case.leaves[name].astype(dtype)}).run(), f"masks: `{name}` as {dtype}")
        for name in names
        for dtype in ("bool", "int32", "int64", "float64")
    )


def half(case: Case) -> Seen:
    """Half precision is computed and returned in float32."""
    seen = Seen()
    for dtype in case.driver.halves:
        exact = case.rounded(dtype)
        results = flatten(exact.evaluate(exact.arrays(dtype)))
        if case.floats:
            seen += _check_dtype(exact, results, "float32", f"half ({dtype} inputs)")
        seen += agree(exact, exact.read_leaves(results), f"half ({dtype} inputs)", "float32")
    return seen
