"""Checks of numbers: values, dtypes, derivatives, reductions."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.tape import value_and_grad as differentiated
from anomaly_kernels.testing._driver import flatten
from anomaly_kernels.testing.agreement import agree, fail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anomaly_kernels.testing.case import Case, Values


def values(case: Case) -> None:
    """Values agree with NumPy float64, in float64 and in float32."""
    for dtype in ("float64", "float32"):
        exact = case.rounded(dtype)
        agree(exact, exact.run(dtype), "values", dtype)


def result(case: Case) -> None:
    """The result lives in the library, on the device and in the dtype of the inputs."""
    for dtype in ("float64", "float32"):
        arrays = case.arrays(dtype)
        device = case.driver.device_name(next(iter(arrays.values())))
        for path, x in flatten(case.evaluate(arrays)).items():
            if not case.driver.is_array(x):
                raise fail(case, f"result: {path} is a {type(x).__module__}.{type(x).__name__}, expected an array")
            if case.driver.name == "numpy" and not x.ndim and not isinstance(x, np.generic):
                raise fail(case, f"result: {path} is a 0-d array, expected a NumPy scalar")
            if case.driver.device_name(x) != device:
                raise fail(case, f"result: {path} is on {case.driver.device_name(x)}, expected {device}")
            if case.floats and case.expected[path].dtype.kind == "f" and case.driver.dtype_name(x) != dtype:
                raise fail(case, f"result: {path} is {case.driver.dtype_name(x)}, expected {dtype} as the inputs")


def device(case: Case) -> None:
    """On another device, the result is there too, and so was all that went into it."""
    arrays = {name: case.driver.elsewhere(x) for name, x in case.arrays().items()}
    expected = case.driver.device_name(next(iter(arrays.values())))
    for path, x in flatten(case.call(arrays)).items():
        if case.driver.device_name(x) != expected:
            raise fail(case, f"device: {path} is on {case.driver.device_name(x)}, expected {expected}")


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


def promotion(case: Case) -> None:
    """Float dtypes promote: one float32 argument among float64 ones gives float64."""
    names = [name for name in case.floats if name in case.positional]
    for name in names if len(names) > 1 else ():
        rounded = case.with_leaves({name: case.leaves[name].astype(np.float32).astype(np.float64)})
        arrays = {**rounded.arrays(), name: case.driver.array(rounded.leaves[name], "float32")}
        found = flatten(rounded.evaluate(arrays))
        for path, x in found.items():
            if rounded.expected[path].dtype.kind == "f" and case.driver.dtype_name(x) != "float64":
                raise fail(
                    case, f"promotion: {path} is {case.driver.dtype_name(x)} with `{name}` in float32, not float64"
                )
        agree(rounded, rounded.read_leaves(found), f"promotion of `{name}`")


def masks(case: Case) -> None:
    """Masks may be booleans, integers or floats, and mean the same."""
    for name in set(case.leaves) - set(case.floats):
        for dtype in ("bool", "int32", "int64", "float64"):
            agree(case, case.with_leaves({name: case.leaves[name].astype(dtype)}).run(), f"masks: `{name}` as {dtype}")


def integers(case: Case) -> None:
    """Integer and boolean values where floats are meant are a TypeError naming the argument; 0-d ones are numbers."""
    for name in [name for name in case.floats if name in case.positional and case.leaves[name].ndim]:
        for dtype in ("int32", "bool"):
            arrays = {**case.arrays(), name: case.driver.array(np.ones(case.leaves[name].shape, dtype))}
            refuses(case, arrays, [name], f"integers: `{name}` in {dtype}", TypeError)


def refuses(case: Case, arrays: Mapping[str, Any], names: Sequence[str], what: str, error: type[Exception]) -> None:
    """Raise unless the call raises the error, with one of the arguments' names in the message."""
    expected = f"{error.__name__} naming {' or '.join(f'`{name}`' for name in names)}"
    try:
        case.call(arrays)
    except error as caught:
        if not any(re.search(rf"\b{name}\b", str(caught)) for name in names):
            raise fail(case, f"{what}: expected a {expected}, got the message: {caught}") from caught
    except Exception as caught:
        raise fail(case, f"{what}: expected a {expected}, got {type(caught).__name__}: {caught}") from caught
    else:
        raise fail(case, f"{what}: accepted, expected a {expected}")


def half(case: Case) -> None:
    """Half precision is computed and returned in float32."""
    for dtype in case.driver.halves:
        exact = case.rounded(dtype)
        found = flatten(exact.evaluate(exact.arrays(dtype)))
        for path, x in found.items():
            if case.floats and exact.expected[path].dtype.kind == "f" and case.driver.dtype_name(x) != "float32":
                raise fail(case, f"half: {path} is {case.driver.dtype_name(x)} for {dtype} inputs, expected float32")
        agree(exact, exact.read_leaves(found), f"half ({dtype} inputs)", "float32")


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


def gradients(case: Case) -> None:
    """Automatic gradients are the slopes of the NumPy values, and in float32 they are those of float64."""
    _has_slopes(case, gradient_of(case), "gradients")
    exact = case.rounded("float32")
    agree(case, gradient_of(exact, "float32"), "gradients", "float32", expected=gradient_of(exact))


def value_and_grad(case: Case) -> None:
    """`value_and_grad` of this library gives the value, and the slopes of the NumPy values as its gradient."""

    def both(arrays: Mapping[str, Any]) -> Any:
        def total(leaves: Mapping[str, Any]) -> Any:
            return case.total(case.call({**arrays, **leaves}), add=lambda x: array_namespace(x).sum(x))

        return differentiated(total)({name: arrays[name] for name in case.floats})

    value, gradient = case.driver.evaluator(both)(case.arrays())
    expected = {"sum of results": np.asarray(case.reference_total({}))}
    agree(case, {"sum of results": case.driver.numpy(value)}, "value_and_grad", expected=expected)
    _has_slopes(case, case.read_leaves(gradient), "value_and_grad")


def _has_slopes(case: Case, gradient: Values, what: str) -> None:
    f0 = abs(case.reference_total({}))
    for name in case.floats:
        for seed in (1, 2):
            v = case.direction(name, seed)
            slope = _slope(lambda t, name=name, v=v: case.reference_total({name: case.leaves[name] + t * v}))
            found = float(np.sum(gradient[name] * v))
            if not abs(found - slope) <= 1e-7 * (abs(slope) + f0 + 1e-3):
                raise fail(case, f"{what}: {found:.9g} along a direction of `{name}`, central differences {slope:.9g}")


def gradient_of(case: Case, dtype: str = "float64") -> Values:
    """Return the library's gradient of the weighted sum of the results."""
    return case.read_leaves(case.driver.value_and_grad(case.summed, case.arrays(dtype), case.floats)[1])


def _slope(f: Any, h: float = 2.0**-14) -> float:
    return float((8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h))


def second_derivatives(case: Case) -> None:
    """Differentiating twice gives the curvature of the NumPy values along a direction."""
    h = 2.0**-12  # small, so that samples seldom lie as near to a kink
    for seed in (1, 2):
        direction = {name: case.direction(name, seed) for name in case.floats}
        f = [
            case.reference_total({name: case.leaves[name] + k * h * v for name, v in direction.items()})
            for k in (-2, -1, 0, 1, 2)
        ]
        expected = (16 * (f[1] + f[3]) - (f[0] + f[4]) - 30 * f[2]) / (12 * h * h)
        arrays = {name: case.driver.array(v) for name, v in direction.items()}
        curvature = case.driver.curvature(case.summed, case.arrays(), arrays)
        found = float(case.driver.numpy(curvature))
        if not abs(found - expected) <= 1e-6 * (abs(expected) + abs(f[2]) + 1e-3):
            raise fail(case, f"second_derivatives: {found:.9g}, central differences of the values {expected:.9g}")
