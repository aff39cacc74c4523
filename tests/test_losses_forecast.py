"""Losses of quantile forecasters that also score anomalies."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
from reference import DIFFERENTIATING, Case, differing, draw, gradients_agree, reduced, table, values_agree

import anomaly_kernels as ak

LEVELS = (0.1, 0.5, 0.75)
Y, FORECAST, SCORES = draw(0, 3, 2, 4), draw(1, 3, 2, 3, 4), draw(2, 3, 2)
DATA = {"y_true": Y, "y_pred": FORECAST}
PINBALL = ({}, {"reduction": "sum", "weight": 0.3}, {"reduction": "none", "weight": -2.5}, {"weight": 2})


def pinball(y_true, y_pred, quantiles=LEVELS, weight=1, reduction="mean"):
    values = np.empty(y_pred.shape, object)
    for b, h, q, o in np.ndindex(y_pred.shape):
        error = y_true[b, h, o] - y_pred[b, h, q, o]
        values[b, h, q, o] = weight * (quantiles[q] * error if error > 0 else (quantiles[q] - 1) * error)
    return reduced(values, reduction)


def objective(y_true, y_pred, anomaly_scores=None, quantiles=LEVELS, anomaly_weight=1):
    anomaly = 0 if anomaly_scores is None else anomaly_weight * reduced(anomaly_scores**2)
    return pinball(y_true, y_pred, quantiles) + anomaly


CASES = table(ak.quantile_loss, pinball, DATA, *({"quantiles": LEVELS} | each for each in PINBALL)) | table(
    ak.multi_objective_loss,
    objective,
    DATA | {"anomaly_scores": SCORES},
    {"quantiles": LEVELS},
    {"quantiles": [0, 1, 0.25], "anomaly_weight": 0.4},
)
CASES["multi_objective_loss-no scores"] = Case(ak.multi_objective_loss, objective, DATA, {"quantiles": LEVELS})


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_is_that_of_the_formula(case, driver):
    values_agree(driver, case)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("case", differing(CASES).values(), ids=differing(CASES))
def test_gradient_is_that_of_the_formula(case, driver):
    gradients_agree(driver, case)


@pytest.mark.parametrize("level", [0.0, 0.1, 0.5, 1.0])
def test_pinball_loss_is_that_of_scikit_learn(level, driver):
    found = ak.quantile_loss(driver.array(Y), driver.array(FORECAST[:, :, :1]), quantiles=[level])
    expected = sklearn.metrics.mean_pinball_loss(Y.ravel(), FORECAST[:, :, 0].ravel(), alpha=level)
    assert driver.numpy(found) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("quantiles", [LEVELS, list(LEVELS), np.asarray(LEVELS)])
def test_quantiles_are_any_sequence(quantiles):
    assert ak.quantile_loss(Y, FORECAST, quantiles=quantiles) == ak.quantile_loss(Y, FORECAST, quantiles=LEVELS)


def test_objective_promotes_over_all_its_arrays(driver):
    y, forecast, scores = driver.array(Y), driver.array(FORECAST), driver.array(SCORES / 3, "float32")
    found = driver.numpy(ak.multi_objective_loss(y, forecast, scores, quantiles=LEVELS))
    squares = np.mean(driver.numpy(scores).astype(np.float64) ** 2)
    alone = driver.numpy(ak.multi_objective_loss(y, forecast, quantiles=LEVELS))
    assert found.dtype == "float64"
    assert found - alone == pytest.approx(squares, rel=1e-13)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (
            {"quantiles": [0.5, 1.1, 0.2]},
            ValueError,
            r"`quantiles` must be numbers in \[0, 1\], at least one, got \[0.5",
        ),
        (
            {"quantiles": [-0.1, 0.5, 0.9]},
            ValueError,
            r"`quantiles` must be numbers in \[0, 1\], at least one, got \[-0",
        ),
        ({"quantiles": [0.5, float("nan"), 0.9]}, ValueError, r"`quantiles` must be numbers in \[0, 1\]"),
        ({"quantiles": []}, ValueError, r"`quantiles` must be numbers in \[0, 1\], at least one, got \[\]"),
        ({"quantiles": 0.5}, TypeError, "`quantiles` must be a sequence of numbers, got 0.5"),
        ({"quantiles": "0.5"}, TypeError, "`quantiles` must be a sequence of numbers, got '0.5'"),
        ({"quantiles": "123"}, TypeError, "`quantiles` must be a sequence of numbers, got '123'"),
        (
            {"quantiles": [0.5, "a", None]},
            TypeError,
            r"`quantiles` must be a sequence of numbers, got \[0.5, 'a', None",
        ),
        ({"quantiles": [0.5, None]}, TypeError, r"`quantiles` must be a sequence of numbers, got \[0.5, None\]"),
        (
            {"quantiles": [0.5]},
            ValueError,
            r"`y_pred` must have shape \(B, H, Q, O\), expected \(3, 2, 1, 4\), got \(3, 2, 3, 4\)",
        ),
        ({"y_true": Y[0]}, ValueError, r"`y_true` must have shape \(B, H, O\), got \(2, 4\)"),
        (
            {"y_pred": FORECAST[:, :, 0]},
            ValueError,
            r"`y_pred` must have shape \(B, H, Q, O\), expected \(3, 2, 3, 4\)",
        ),
        ({"y_true": Y[:0], "y_pred": FORECAST[:0]}, ValueError, r"`y_pred` has shape \(0, 2, 3, 4\): there is nothing"),
        ({"weight": "2"}, TypeError, "`weight` must be a number or a 0-d array, got str"),
    ],
)
def test_quantile_loss_says_what_is_wrong(settings, error, message):
    with pytest.raises(error, match=message):
        ak.quantile_loss(**DATA | {"quantiles": LEVELS} | settings)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (
            {"anomaly_scores": SCORES[:0]},
            ValueError,
            r"`anomaly_scores` has shape \(0, 2\): there is nothing to average",
        ),
        ({"anomaly_scores": SCORES > 0}, TypeError, "`anomaly_scores` must be floating point, got dtype bool"),
        ({"anomaly_weight": "1"}, TypeError, "`anomaly_weight` must be a number or a 0-d array, got str"),
    ],
)
def test_multi_objective_loss_says_what_is_wrong(settings, error, message):
    with pytest.raises(error, match=message):
        ak.multi_objective_loss(**DATA | {"quantiles": LEVELS, "anomaly_scores": SCORES} | settings)
