"""Scores of forecasts: of ensembles, of Gaussians, of intervals."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from mpmath import mp
from reference import (
    DIFFERENTIATING,
    Case,
    differing,
    draw,
    exp,
    gradient,
    gradients_agree,
    log,
    reduced,
    table,
    values_agree,
)

import anomaly_kernels as ak
from anomaly_kernels._core.backends.blocks import of_size

Y, MEAN, LOG_VAR = draw(0, 3, 4), draw(1, 3, 4), draw(2, 3, 4)
STD = draw(3, 3, 4, low=0.2, high=3.0)
ENSEMBLE = draw(4, 3, 4, 5)
BOUNDS = {"lower": draw(5, 3, 4, high=0.5), "upper": draw(6, 3, 4, low=-0.5)}
ALPHA = mp.mpf(0.1)
erf = np.frompyfunc(mp.erf, 1, 1)


def of_ensemble(y_true, ensemble, fair=False, weight=1, reduction="mean"):
    count = ensemble.shape[-1]

    def value(y, x):
        spread = sum(abs(a - b) for a, b in itertools.product(x, x))
        return sum(abs(a - y) for a in x) / count - spread / (2 * count * (count - fair))

    rows = ensemble.reshape(-1, count)
    values = np.asarray([value(y, x) for y, x in zip(y_true.flat, rows, strict=True)], object)
    return reduced(weight * values.reshape(y_true.shape), reduction)


def of_gaussian(y_true, mean, std, weight=1, reduction="mean"):
    z = (y_true - mean) / std
    density = exp(-z * z / 2) / mp.sqrt(2 * mp.pi)
    below = (1 + erf(z / mp.sqrt(2))) / 2
    return reduced(weight * std * (z * (2 * below - 1) + 2 * density - 1 / mp.sqrt(mp.pi)), reduction)


def nll(y_true, mean, log_var, weight=1, reduction="mean"):
    return reduced(weight * (log(2 * mp.pi * exp(log_var)) + (y_true - mean) ** 2 / exp(log_var)) / 2, reduction)


def interval(y_true, lower, upper, alpha=ALPHA, weight=1, reduction="mean"):
    outside = np.maximum(lower - y_true, 0) + np.maximum(y_true - upper, 0)
    return reduced(weight * (upper - lower + 2 / alpha * outside), reduction)


REDUCTIONS = ({}, {"reduction": "sum", "weight": 0.3}, {"reduction": "none", "weight": -2.5})
CASES = (
    table(ak.crps_ensemble, of_ensemble, {"y_true": Y, "ensemble": ENSEMBLE}, *REDUCTIONS, {"fair": True})
    | {
        "crps_ensemble-one member": Case(
            ak.crps_ensemble, of_ensemble, {"y_true": Y, "ensemble": ENSEMBLE[..., :1]}, {}
        )
    }
    | table(ak.crps_gaussian, of_gaussian, {"y_true": Y, "mean": MEAN, "std": STD}, *REDUCTIONS)
    | table(ak.gaussian_nll, nll, {"y_true": Y, "mean": MEAN, "log_var": LOG_VAR}, *REDUCTIONS)
    | table(
        ak.interval_score, interval, {"y_true": Y} | BOUNDS, *REDUCTIONS, {"alpha": 0.5}, {"alpha": np.asarray(0.25)}
    )
)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_is_that_of_the_formula(case, driver):
    values_agree(driver, case)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("case", differing(CASES).values(), ids=differing(CASES))
def test_gradient_is_that_of_the_formula(case, driver):
    gradients_agree(driver, case)


@pytest.mark.library("numpy")
def test_the_score_of_a_gaussian_is_the_integral_over_all_thresholds():
    def squared_error_of_probability(x, y, mean, std):
        return (scipy.stats.norm.cdf(x, mean, std) - (x >= y)) ** 2

    for y, mean, std in zip(Y[0], MEAN[0], STD[0], strict=True):
        parts = [
            scipy.integrate.quad(squared_error_of_probability, *limits, args=(y, mean, std))[0]
            for limits in ((min(y, mean) - 12 * std, y), (y, max(y, mean) + 12 * std))
        ]
        found = ak.crps_gaussian(np.asarray([y]), np.asarray([mean]), np.asarray([std]))
        assert float(found) == pytest.approx(sum(parts), rel=1e-7)


@pytest.mark.library("numpy")
def test_the_score_of_an_ensemble_is_the_integral_over_all_thresholds():
    for y, x in zip(Y[0], ENSEMBLE[0], strict=True):
        steps = np.sort([y, *x])
        error = ((x[:, None] <= steps[:-1]).mean(0) - (y <= steps[:-1])) ** 2
        found = ak.crps_ensemble(np.asarray([y]), x[None])
        assert float(found) == pytest.approx(float((error * np.diff(steps)).sum()), rel=1e-13)


@pytest.mark.library("numpy")
def test_a_fair_score_does_not_depend_on_the_size_of_the_ensemble_on_average():
    rng = np.random.default_rng(0)
    y, members = rng.normal(size=40_000), rng.normal(size=(40_000, 8))
    limit = float(ak.crps_gaussian(y, np.zeros(40_000), np.ones(40_000)))
    for count in (2, 8):
        assert float(ak.crps_ensemble(y, members[:, :count], fair=True)) == pytest.approx(limit, abs=0.012)
    assert float(ak.crps_ensemble(y, members[:, :2])) > 1.3 * limit


@pytest.mark.library("torch")
def test_the_likelihood_is_torchs_where_that_does_not_clamp(driver):
    import torch

    y, mean, log_var = (torch.tensor(x, requires_grad=True) for x in (Y, MEAN, LOG_VAR))
    expected = torch.nn.functional.gaussian_nll_loss(mean, y, log_var.exp(), full=True)
    found = ak.gaussian_nll(y, mean, log_var)
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=0)
    for have, want in zip(*(torch.autograd.grad(x, (y, mean, log_var)) for x in (found, expected)), strict=True):
        torch.testing.assert_close(have, want, rtol=1e-12, atol=1e-14)


@pytest.mark.library("numpy")
def test_the_likelihood_is_that_of_scipy():
    expected = -scipy.stats.norm.logpdf(Y, MEAN, np.exp(LOG_VAR / 2))
    np.testing.assert_allclose(ak.gaussian_nll(Y, MEAN, LOG_VAR, reduction="none"), expected, rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_without_a_spread_the_score_is_the_absolute_error(dtype, driver):
    y, zero = driver.array(np.asarray([-2.0, 0.0, 1e-12, 3.0]), dtype), driver.array(np.zeros(4), dtype)
    found = driver.numpy(ak.crps_gaussian(y, zero, zero, reduction="none"))
    np.testing.assert_allclose(found, [2.0, 0.0, 1e-12, 3.0], rtol=1e-6)


@pytest.mark.library("numpy", *DIFFERENTIATING)
def test_without_a_spread_slopes_are_those_of_the_limit(driver):
    zero = np.zeros(3)
    found = gradient(driver, ak.crps_gaussian, y_true=np.asarray([-2.0, 0.0, 3.0]), mean=zero, std=zero)
    centre = (math.sqrt(2) - 1) / math.sqrt(math.pi)
    np.testing.assert_allclose(found["y_true"], np.asarray([-1, 0, 1]) / 3, rtol=1e-14)
    away = -1 / math.sqrt(math.pi)
    np.testing.assert_allclose(found["std"], np.asarray([away, centre, away]) / 3, rtol=1e-12)


def test_members_far_from_zero_keep_their_digits(driver):
    y, members = np.asarray([1e6 + 3.0]), 1e6 + np.asarray([[1.0, 2.0, 4.0, 4.0]])
    for fair, expected in ((False, 0.5625), (True, 1 / 3)):
        found = ak.crps_ensemble(driver.array(y, "float32"), driver.array(members, "float32"), fair=fair)
        np.testing.assert_allclose(driver.numpy(found), expected, rtol=1e-6)


def test_a_member_that_is_nan_makes_its_score_nan(driver):
    members = np.where(np.arange(15).reshape(3, 5) == 7, np.nan, ENSEMBLE[:, 0])
    found = driver.numpy(ak.crps_ensemble(driver.array(Y[:, 0]), driver.array(members), reduction="none"))
    assert np.isnan(found).tolist() == [False, True, False]


@pytest.mark.library("numpy")
def test_an_ensemble_in_blocks_is_the_ensemble():
    expected = ak.crps_ensemble(Y, ENSEMBLE)
    with of_size(7):
        assert float(ak.crps_ensemble(Y, ENSEMBLE)) == pytest.approx(float(expected), rel=1e-14)


@pytest.mark.library("numpy")
def test_the_quantiles_of_a_forecast_have_the_best_interval_score():
    y = np.random.default_rng(0).normal(size=20_000)
    scores = {z: float(ak.interval_score(y, y * 0 - z, y * 0 + z, alpha=0.1)) for z in (1.2, 1.645, 2.1)}
    assert min(scores, key=scores.get) == 1.645


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ak.crps_ensemble(Y, ENSEMBLE[..., :1], fair=True),
            "`ensemble` must have at least 2 members where `fair`",
        ),
        (lambda: ak.crps_ensemble(Y, ENSEMBLE[..., :0]), "`ensemble` has shape .*: there is nothing to average over"),
        (
            lambda: ak.crps_ensemble(Y[0], ENSEMBLE),
            r"`y_true` must have shape of `ensemble` without the last axis, expect",
        ),
        (lambda: ak.crps_gaussian(Y, MEAN[:, 0], STD), r"`y_true` and `mean` and `std` must have equal shapes, got"),
        (lambda: ak.gaussian_nll(Y, MEAN, LOG_VAR[0]), r"`y_true` and `mean` and `log_var` must have equal shapes"),
        (lambda: ak.interval_score(Y, **BOUNDS, alpha=1), "`alpha` must be > 0 and < 1, got 1"),
    ],
)
def test_the_message_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
