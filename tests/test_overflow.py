"""Intermediate results overflow only where the result does, and where it does not, gradients are finite too."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from reference import DIFFERENTIATING

import anomaly_kernels as ak
from anomaly_kernels import _numeric, _reduce
from anomaly_kernels.testing._driver import flatten
from anomaly_kernels.testing.drivers import Driver

ONE_LARGE = np.zeros(10)
ONE_LARGE[0] = 2e19  # whose square, 4e38, is beyond float32; the mean of the squares is not
ROW, COLUMN = ONE_LARGE[None, :, None], ONE_LARGE[:, None]
LARGE_LOG = np.zeros((10, 1))
LARGE_LOG[0] = 89.5


class Case(NamedTuple):
    """A call, the float32 arrays to call it with, and its value."""

    call: Callable[..., Any]
    arrays: tuple[Any, ...]
    expected: float


def distance_to_zero(kernel: Any, **settings: Any) -> Callable[..., Any]:
    return lambda x: kernel(x, 0.0 * x, **settings)


CASES = {
    "mean_squared_anomaly": Case(ak.mean_squared_anomaly, (ONE_LARGE,), 4e37),
    "mse_reconstruction_loss": Case(distance_to_zero(ak.mse_reconstruction_loss), (ONE_LARGE,), 4e37),
    "mse_reconstruction_loss weighted": Case(
        distance_to_zero(ak.mse_reconstruction_loss, weight=1e-30), (1e15 * ONE_LARGE,), 4e37
    ),
    "reconstruction_error": Case(distance_to_zero(ak.reconstruction_error), (ROW,), 4e37),
    "prediction_error_score": Case(distance_to_zero(ak.prediction_error_score, error_metric="mse"), (ROW,), 4e37),
    "prediction_error_score max": Case(
        distance_to_zero(ak.prediction_error_score, error_metric="mse", aggregation="max"),
        (ROW.reshape(1, 1, 10),),
        4e37,
    ),
    "deep_svdd_loss": Case(lambda z: ak.deep_svdd_loss(z, 0.0 * z[0, :]), (COLUMN,), 4e37),
    "soft boundary": Case(lambda z: ak.deep_svdd_soft_boundary_loss(z, 0.0 * z[0, :], 1.0, nu=0.5), (COLUMN,), 8e37),
    "soft boundary of large radius": Case(
        lambda z: ak.deep_svdd_soft_boundary_loss(z, 0.0 * z[0, :], 1e19), (np.full((4, 1), 1.015625e19),), 1.62988e38
    ),
    "selector_diversity_regularizer": Case(
        lambda x: ak.selector_diversity_regularizer(x, weight=1.0), (1.5 * ONE_LARGE,), -8.1e37
    ),
    "selector_diversity": Case(lambda x: ak.selector_diversity(x).weight_variance, (ONE_LARGE,), 3.6e37),
    "elbo": Case(distance_to_zero(ak.elbo), (2.0 * COLUMN,), 8e37),
    "gaussian_kl": Case(ak.gaussian_kl, (2.0 * COLUMN, 0.0 * COLUMN), 8e37),
    "gaussian_kl of a large variance": Case(ak.gaussian_kl, (0.0 * LARGE_LOG, LARGE_LOG), 0.05 * math.exp(89.5)),
    "gaussian_kl weighted": Case(
        lambda mean, log_var: ak.gaussian_kl(mean, log_var, weight=1e-10),
        (np.zeros((1, 1)), np.full((1, 1), 95.0)),
        0.5e-10 * math.exp(95.0),
    ),
    "anomaly_bce_with_logits": Case(
        lambda x: ak.anomaly_bce_with_logits(x < 0, x, pos_weight=2.0), (-1e19 * ONE_LARGE,), 4e37
    ),
    "quantile_loss": Case(
        lambda y: ak.quantile_loss(0.0 * y[:, :, 0, :], y, quantiles=[0.5], weight=4.0),
        (1e19 * ONE_LARGE[:, None, None, None],),
        4e37,
    ),
    "gmm_energy": Case(lambda z: ak.gmm_energy(z, ak.gmm_params(z / 2e19, 1.0 + 0.0 * z, eps=0.91)), (COLUMN,), 2e37),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("block", [2**15, 4])
def test_a_term_may_overflow_where_the_mean_does_not(name: str, block: int, driver: Driver, monkeypatch: Any) -> None:
    monkeypatch.setattr(_reduce, "BLOCK", block)
    case = CASES[name]
    arrays = [driver.array(x, "float32") for x in case.arrays]
    found = _read(driver, case.call, *arrays)
    assert found == pytest.approx(case.expected, rel=1e-5)
    assert found.dtype == np.float32


def _read(driver: Driver, call: Callable[..., Any], *arrays: Any) -> Any:
    # NumPy warns of what overflows in a result alone; the libraries built upon it warn of terms too
    with np.errstate(all="warn" if driver.name == "numpy" else "ignore", under="ignore"):
        return driver.numpy(call(*arrays))[()]


@pytest.mark.library(*DIFFERENTIATING)
@pytest.mark.parametrize("name", CASES)
def test_gradients_are_finite_where_a_term_overflows(name: str, driver: Driver) -> None:
    case = CASES[name]
    arrays = {str(k): driver.array(x, "float32") for k, x in enumerate(case.arrays)}
    value, gradients = driver.value_and_grad(lambda a: driver.sum(case.call(*a.values())), arrays, list(arrays))
    assert driver.numpy(value) == pytest.approx(case.expected, rel=1e-5)
    for x in flatten(gradients).values():
        assert np.isfinite(driver.numpy(x)).all()
    assert any(driver.numpy(x).any() for x in gradients.values())


def test_what_overflows_is_infinite(driver: Driver) -> None:
    x = driver.array(np.full(3, 2e19), "float32")
    with np.errstate(over="ignore"):
        assert driver.numpy(ak.mean_squared_anomaly(x)) == math.inf


def test_numpy_warns_once_of_a_result_that_overflows() -> None:
    with pytest.warns(RuntimeWarning, match="overflow") as caught:
        ak.mean_squared_anomaly(np.full(3, 2e19, np.float32))
    assert len(caught) == 1


@pytest.mark.library("numpy", "torch")
def test_the_second_mean_is_taken_only_where_the_first_overflows(driver: Driver) -> None:
    units = []

    def values(unit: float) -> Any:
        units.append(unit)
        return unit * x

    for x, expected in ((driver.array(np.ones(3)), [1.0]), (driver.array(np.full(3, 1e308)), [1.0, _numeric.TINY])):
        units.clear()
        assert driver.numpy(_numeric.mean(ak.array_namespace(x), values)) == pytest.approx(driver.numpy(x)[0])
        assert units == expected


@pytest.mark.library("numpy", "torch", "array_api_strict", "dask", "jax")
@pytest.mark.parametrize(("q", "expected"), [(1e-37, 37 * math.log(10)), (2.0**-149, 149 * math.log(2))])
def test_divergence_is_finite_where_the_quotient_of_probabilities_overflows(
    q: float, expected: float, driver: Driver
) -> None:
    if driver.name == "jax" and q < 1e-38:
        pytest.skip("JAX takes subnormal numbers for 0")
    p, q = (driver.array(np.asarray([[1.0, 0.0], x]), "float32") for x in ([1.0, 0.0], [q, 1.0]))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = driver.numpy(ak.kl_divergence(p, q, epsilon=0, reduction="none"))
    np.testing.assert_allclose(found, [0.0, expected], rtol=1e-6)
