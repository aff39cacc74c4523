"""Values and gradients of each function in one library, for the sample inputs of the tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from anomaly_kernels._catalogue import KERNELS
from anomaly_kernels._cli.children import in_one_line
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.drivers import driver_for
from anomaly_kernels.testing.samples import variants
from anomaly_kernels.testing.support import does_not_apply

Values = npt.NDArray[Any]
Leaves = dict[str, Values]
"""Arrays by the path that leads to them in a tree, as ``params.mu``."""

STEP = 6e-6
"""Of the central differences: the cube root of float64's eps, where cutting off and rounding cost the same."""


class Measured(NamedTuple):
    """Values and gradients of one sample; gradients are empty where there is nothing to differentiate, or by."""

    values: Leaves
    gradients: Leaves


class Measurements(NamedTuple):
    """All that one library measured, by function and by the settings it was called with; an error as its text."""

    version: str
    results: dict[str, dict[str, Measured | str]]


def measure(library: str, names: Sequence[str]) -> Measurements:
    """Measure the functions named with one library, which this process imports."""
    driver = driver_for(library)
    results = {}
    for name in names:
        samples = variants(KERNELS[name])
        results[name] = {label: _attempt(Case(KERNELS[name], s.inputs, driver, s.settings)) for label, s in samples}
    return Measurements(driver.version(), results)


def _attempt(case: Case) -> Measured | str:
    try:
        values = {path: np.asarray(x) for path, x in case.run().items()}
        return Measured(values, _gradients(case) if any(x.dtype.kind == "f" for x in values.values()) else {})
    except Exception as error:  # noqa: BLE001 - the failure of one function must not hide the others
        return in_one_line(error)


def _gradients(case: Case) -> Leaves:
    """Gradients of a weighted sum of all results, where they mean something."""
    if case.driver.name == "numpy":
        gradients = {path: central_differences(case, path) for path in case.floats}
    elif does_not_apply("gradients", case.name, case.driver.name):
        return {}
    else:
        gradients = case.gradient()
    return {path: within_structure(case.leaves[path], g) for path, g in gradients.items()}


def central_differences(case: Case, path: str) -> Values:
    """The gradient with respect to one input, element by element."""
    x = case.leaves[path]

    def slope(index: tuple[int, ...]) -> float:
        step = np.zeros_like(x)
        step[index] = STEP * max(1.0, abs(float(x[index])))
        rise = case.reference_total({path: x + step}) - case.reference_total({path: x - step})
        return rise / (2 * float(step[index]))

    return np.reshape([slope(index) for index in np.ndindex(x.shape)], x.shape)


def within_structure(x: Values, gradient: Values) -> Values:
    """The part of a gradient that keeps the zeros of a triangle and the symmetry of a matrix.

    Libraries differ in the rest: which half of a symmetric matrix they read is theirs to choose.
    """
    gradient = np.where(x == 0, 0.0, gradient)
    if x.ndim > 1 and np.array_equal(x, np.swapaxes(x, -1, -2)):
        return np.asarray((gradient + np.swapaxes(gradient, -1, -2)) / 2)
    return np.asarray(gradient)
