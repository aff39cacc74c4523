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


COLUMNS = {
    "along the last axis": lambda x: ak.reconstruction_error(x.T, 0.0 * x.T) / x[0, 0],
    "with a step": lambda x: ak.svdd_score(x.T[:, ::2], 0.0 * x[::2, 0]) / (0.5 * x.shape[0] * x[0, 0]),
    "along the first axis": lambda x: 0.1 * ak.distinctness_loss(x, weight=1.0),
    "overlap": lambda x: 1.0 - ak.iou_loss(0.0 * x + 1.0, x, normalize_method="clamp", axis=0),
    "gradient": lambda x: -0.5 * ak.value_and_grad(lambda c: ak.deep_svdd_loss(x, c))(0.0 * x[0, :])[1],
}


@pytest.mark.library("numpy", "torch", "jax")
@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("rows", [2**17, 2**21])
def test_columns_of_one_number_add_up(driver: Driver, rows: int, name: str) -> None:
    found = driver.numpy(COLUMNS[name](driver.array(np.full((rows, 2), 0.1, np.float32))))
    assert np.max(np.abs(found.astype(float) / float(np.float32(0.1)) - 1.0)) < TOLERANCE
