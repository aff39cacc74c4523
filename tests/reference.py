"""Formulas in 50 digits: what the kernels are measured against.

A reference is the textbook's formula, as naive as it reads, on NumPy arrays of mpmath numbers. It takes the inputs and
settings of its kernel by name. Its derivatives are differences: in 50 digits they are exact to more than a float64 has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from mpmath import mp

import anomaly_kernels as ak
from anomaly_kernels.testing.drivers import Driver

mp.dps = 50

DIFFERENTIATING = ("torch", "jax", "tensorflow")
ACCURACY = {"float64": 1e-13, "float32": 3e-6}

exp, log, sqrt = (np.frompyfunc(function, 1, 1) for function in (mp.exp, mp.log, mp.sqrt))
_number = np.frompyfunc(lambda x: mp.mpf(float(x)), 1, 1)


class Case(NamedTuple):
    """A kernel, its reference, and what both are called with: NumPy arrays, and settings."""

    kernel: Callable[..., Any]
    reference: Callable[..., Any]
    inputs: Mapping[str, Any]
    settings: Mapping[str, Any]

    def exactly(self, **moved: Any) -> Any:
        """The reference's value, with some inputs replaced."""
        return self.reference(**{name: exact(x) for name, x in self.inputs.items()} | moved, **self.settings)

    def floats(self) -> list[str]:
        return [name for name, x in self.inputs.items() if np.asarray(x).dtype.kind == "f"]


def table(kernel: Any, reference: Any, inputs: Mapping[str, Any], *settings: Mapping[str, Any]) -> dict[str, Case]:
    """Cases of one kernel, called with each of the settings, by names for pytest."""
    label = "{}-{}".format
    return {label(kernel.__name__, _text(each)): Case(kernel, reference, inputs, each) for each in settings or ({},)}


def differing(cases: Mapping[str, Case]) -> dict[str, Case]:
    """Cases whose settings change the formula, not only its factor and its reduction: those to differentiate."""
    factors = {"weight", "reduction"}
    return {name: case for name, case in cases.items() if case.settings.keys() - factors or not case.settings}


def _text(settings: Mapping[str, Any]) -> str:
    return ",".join(f"{name}={_shown(x)}" for name, x in settings.items()) or "default"


def _shown(x: Any) -> str:
    """Functions by their names: an address is another one in each process of xdist."""
    return f"[{','.join(map(_shown, x))}]" if isinstance(x, list | tuple) else str(getattr(x, "__name__", x))


def draw(seed: int, *shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """Numbers that float32 holds exactly, so that it is not blamed for rounding them."""
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32).astype(np.float64)


def shares(seed: int, *shape: int) -> np.ndarray:
    """Probabilities along the last axis, up to rounding, of which the formulas do not ask more."""
    drawn = draw(seed, *shape, low=0.05, high=1.0)
    return (drawn / drawn.sum(-1, keepdims=True)).astype(np.float32).astype(np.float64)


def exact(x: Any) -> Any:
    """The same numbers in 50 digits."""
    return _number(np.asarray(x))


def rounded(x: Any) -> np.ndarray:
    """Numbers in 50 digits as float64."""
    return np.asarray(x).astype(np.float64)


def reduced(values: Any, reduction: str = "mean") -> Any:
    return {"none": values, "sum": np.sum(values), "mean": np.sum(values) / np.size(values)}[reduction]


def values_agree(driver: Driver, case: Case) -> None:
    """The kernel gives the reference's value, in shape and dtype too."""
    expected = rounded(case.exactly())
    for dtype, accuracy in ACCURACY.items():
        arrays = {name: driver.array(x, dtype) for name, x in case.inputs.items()}
        found = driver.numpy(_evaluated(driver, case, arrays))
        assert (found.dtype, found.shape) == (dtype, expected.shape)
        np.testing.assert_allclose(found, expected, rtol=accuracy, atol=accuracy * np.abs(expected).max())


def _evaluated(driver: Driver, case: Case, arrays: Mapping[str, Any]) -> Any:
    def function(arrays: Mapping[str, Any]) -> Any:
        return case.kernel(**arrays, **case.settings)

    # JAX compiles in any case: the whole takes a tenth of the time of one operation at a time
    return driver.jit(function)(arrays) if driver.name == "jax" else function(arrays)


def gradients_agree(driver: Driver, case: Case) -> None:
    """The kernel's gradient with respect to each array is the reference's slope along a direction drawn at random."""
    arrays = {name: driver.array(x) for name, x in case.inputs.items()}
    found = slopes(driver, lambda a: case.kernel(**a, **case.settings), arrays, case.floats())
    for seed, name in enumerate(case.floats()):
        direction = exact(draw(seed, *np.shape(case.inputs[name])))
        along = float(np.sum(exact(driver.numpy(found[name])) * direction))
        expected = float(slope(case, name, direction))
        np.testing.assert_allclose(along, expected, rtol=1e-11, atol=1e-13, err_msg=name)


def slope(case: Case, name: str, direction: Any) -> Any:
    """Derivative of the reference's sum along a direction of one input."""
    step = mp.mpf(10) ** -15
    x = exact(case.inputs[name])
    ahead, behind = (np.sum(case.exactly(**{name: x + sign * step * direction})) for sign in (1, -1))
    return (ahead - behind) / (2 * step)


def gradient(driver: Driver, function: Callable[..., Any], **inputs: Any) -> dict[str, np.ndarray]:
    """Gradients of the sum of a function's values with respect to all inputs, read back."""
    arrays = {name: driver.array(x) for name, x in inputs.items()}
    found = slopes(driver, lambda a: function(**a), arrays, list(inputs))
    return {name: driver.numpy(x) for name, x in found.items()}


def slopes(driver: Driver, function: Callable[..., Any], arrays: Mapping[str, Any], wrt: list[str]) -> dict[str, Any]:
    """Gradients of the sum of a function's values: by the library's own autodiff, or by the tape where it has none."""
    if "gradient" in driver.can:
        return driver.value_and_grad(lambda a: driver.sum(function(a)), arrays, wrt)[1]

    def total(leaves: Mapping[str, Any]) -> Any:
        values = function({**arrays, **leaves})
        return ak.array_namespace(values).sum(values)

    return ak.value_and_grad(total)({name: arrays[name] for name in wrt})[1]
