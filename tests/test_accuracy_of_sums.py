"""Sums of 64 million float32 values keep six digits, however the library adds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import anomaly_kernels as ak
from anomaly_kernels.testing.drivers import Driver

MANY = 2**26
TOLERANCE = 1e-6
PART = 2**20

WAYS = ("eager", "compiled")


def relative_errors(
    driver: Driver, way: str, kernel: Callable[..., Any], arrays: dict[str, np.ndarray], mean: float
) -> dict[str, float]:
    """Of the mean and of the sum, where they are not within the tolerance."""
    if way == "compiled" and "jit" not in driver.can:
        pytest.skip(f"{driver.name} compiles nothing")
    given = {name: driver.array(x) for name, x in arrays.items()}
    count = next(iter(arrays.values())).size
    errors = {}
    for reduction, exact in (("mean", mean), ("sum", mean * count)):
        run = partial(call, partial(kernel, reduction=reduction))
        got = float(driver.numpy((driver.jit(run) if way == "compiled" else run)(given)))
        errors[reduction] = abs(got - exact) / exact
    return {reduction: error for reduction, error in errors.items() if not error < TOLERANCE}


def call(kernel: Callable[..., Any], arrays: dict[str, Any]) -> Any:
    return kernel(**arrays)


@pytest.mark.parametrize("way", WAYS)
def test_squares_of_one_number_add_up(driver: Driver, way: str) -> None:
    scores = np.full(MANY, 0.1, np.float32)
    mean = float(scores[0]) ** 2
    assert relative_errors(driver, way, ak.mean_squared_anomaly, {"scores": scores}, mean) == {}


@pytest.mark.parametrize("way", WAYS)
def test_squared_errors_of_random_numbers_add_up(driver: Driver, way: str) -> None:
    x = np.random.default_rng(0).random(MANY, np.float32)
    parts = [x[start : start + PART].astype(float) for start in range(0, MANY, PART)]
    mean = sum(float(np.sum((part - 0.25) ** 2)) for part in parts) / MANY
    arrays = {"x_true": x, "x_pred": np.full(MANY, 0.25, np.float32)}
    assert relative_errors(driver, way, ak.mse_reconstruction_loss, arrays, mean) == {}


@pytest.mark.parametrize("way", WAYS)
def test_cross_entropies_of_one_number_add_up(driver: Driver, way: str) -> None:
    logit = np.full(MANY // 8, 0.1, np.float32)
    mean = float(np.log1p(np.exp(float(logit[0]))))
    arrays = {"target": np.zeros_like(logit), "logit": logit}
    assert relative_errors(driver, way, ak.anomaly_bce_with_logits, arrays, mean) == {}
