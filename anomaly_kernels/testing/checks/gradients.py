"""Checks of derivatives: automatic ones beside central differences of the NumPy values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.tape.gradient import value_and_grad as with_gradient
from anomaly_kernels.testing.agreement import agree, fail
from anomaly_kernels.testing.case import Case, Values


def gradients(case: Case) -> None:
    """Automatic gradients are the slopes of the NumPy values, and in float32 they are those of float64."""
    _has_slopes(case, case.gradient(), "gradients")
    exact = case.rounded("float32")
    agree(case, exact.gradient("float32"), "gradients", "float32", expected=exact.gradient())


def value_and_grad(case: Case) -> None:
    """`value_and_grad` of this library gives the value, and the slopes of the NumPy values as its gradient."""

    def both(arrays: Mapping[str, Any]) -> Any:
        def total(leaves: Mapping[str, Any]) -> Any:
            return case.total(case.call({**arrays, **leaves}), add=lambda x: array_namespace(x).sum(x))

        return with_gradient(total)({name: arrays[name] for name in case.floats})

    value, gradient = case.driver.evaluator(both)(case.arrays())
    expected = {"sum of results": np.asarray(case.reference_total({}))}
    agree(case, {"sum of results": case.driver.numpy(value)}, "value_and_grad", expected=expected)
    _has_slopes(case, case.read_leaves(gradient), "value_and_grad")


def _has_slopes(case: Case, gradient: Values, what: str) -> None:
    """Raise unless the gradient is the slope of the NumPy values along two directions of each input."""
    f0 = abs(case.reference_total({}))
    for name in case.floats:
        for seed in (1, 2):
            v = case.direction(name, seed)
            slope = _slope(lambda t, name=name, v=v: case.reference_total({name: case.leaves[name] + t * v}))
            actual = float(np.sum(gradient[name] * v))
            if not abs(actual - slope) <= 1e-7 * (abs(slope) + f0 + 1e-3):
                raise fail(case, f"{what}: {actual:.9g} along a direction of `{name}`, central differences {slope:.9g}")


def _slope(f: Any, h: float = 2.0**-14) -> float:
    """Differentiate at 0, by central differences of fourth order."""
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
        actual = float(case.driver.numpy(case.driver.curvature(case.summed, case.arrays(), arrays)))
        if not abs(actual - expected) <= 1e-6 * (abs(expected) + abs(f[2]) + 1e-3):
            raise fail(case, f"second_derivatives: {actual:.9g}, central differences of the values {expected:.9g}")
