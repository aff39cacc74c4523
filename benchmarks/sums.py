"""Accuracy of long sums in float32, against NumPy in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import anomaly_kernels as ak
from anomaly_kernels.testing.drivers import driver_for

Values = np.ndarray
PART = 2**20

KERNELS: dict[str, tuple[Callable[..., Any], Callable[[Values, Values], Values]]] = {
    "mean_squared_anomaly": (lambda x, y, **how: ak.mean_squared_anomaly(x, **how), lambda x, y: x * x),
    "mse_reconstruction_loss": (ak.mse_reconstruction_loss, lambda x, y: (x - y) ** 2),
    "anomaly_bce_with_logits": (
        lambda x, y, **how: ak.anomaly_bce_with_logits(y, x, **how),
        lambda x, y: np.logaddexp(0.0, x) - x * y,
    ),
}


def inputs(elements: int) -> Iterator[tuple[str, Values, Values]]:
    """Uniform random numbers, and one number that binary cannot say: the worst for adding one by one."""
    yield "uniform", np.random.default_rng(0).random(elements, np.float32), np.full(elements, 0.25, np.float32)
    yield "constant", np.full(elements, 0.1, np.float32), np.zeros(elements, np.float32)


def errors(library: str, elements: int) -> Iterator[tuple[str, float]]:
    """Relative errors, each with what it was measured on."""
    driver = driver_for(library)
    ways = ("eager", "compiled") if "jit" in driver.can else ("eager",)
    for kind, x, y in inputs(elements):
        arrays = {"x": driver.array(x), "y": driver.array(y)}
        for name, (kernel, formula) in KERNELS.items():
            total = in_float64(formula, x, y)
            for reduction in ("mean", "sum"):
                exact = total / elements if reduction == "mean" else total
                for way in ways:
                    run = partial(_call, partial(kernel, reduction=reduction))
                    got = float(driver.numpy((run if way == "eager" else driver.jit(run))(arrays)))
                    yield f"{name}, {kind}, {reduction}, {way}", abs(got - exact) / exact


def in_float64(formula: Callable[[Values, Values], Values], x: Values, y: Values) -> float:
    """Sum of a formula in float64, part by part to save memory."""
    parts = [slice(start, start + PART) for start in range(0, len(x), PART)]
    return sum(float(np.sum(formula(x[part].astype(float), y[part].astype(float)))) for part in parts)


def _call(kernel: Callable[..., Any], arrays: dict[str, Any]) -> Any:
    return kernel(arrays["x"], arrays["y"])
