"""Squared and absolute errors are what their formulas say."""

from __future__ import annotations

import numpy as np
import pytest
from reference import DIFFERENTIATING, differing, draw, exact, gradients_agree, reduced, rounded, table, values_agree

import anomaly_kernels as ak

SHAPE = (3, 2, 4)
X, Y = draw(0, *SHAPE), draw(1, *SHAPE)
REDUCTIONS = ({}, {"reduction": "sum", "weight": 0.3}, {"reduction": "none", "weight": -2.5}, {"weight": 2})


def squared_scores(scores, weight=1, reduction="mean"):
    return reduced(weight * scores**2, reduction)


def squared_error(x_true, x_pred, weight=1, reduction="mean"):
    return reduced(weight * (x_true - x_pred) ** 2, reduction)


def error_of_samples(x_true, x_pred):
    return np.asarray([reduced((x - y) ** 2) for x, y in zip(x_true, x_pred, strict=True)])


def error_of_forecasts(y_true, y_pred, error_metric="mae", aggregation="mean"):
    scores = []
    for sample, forecast in zip(y_true, y_pred, strict=True):
        errors = [abs(y - f) if error_metric == "mae" else (y - f) ** 2 for y, f in zip(sample, forecast, strict=True)]
        steps = [sum(error) / len(error) for error in errors]
        scores.append(max(steps) if aggregation == "max" else sum(steps) / len(steps))
    return np.asarray(scores)


CASES = (
    table(ak.mean_squared_anomaly, squared_scores, {"scores": X}, *REDUCTIONS)
    | table(ak.mse_reconstruction_loss, squared_error, {"x_true": X, "x_pred": Y}, *REDUCTIONS)
    | table(ak.reconstruction_error, error_of_samples, {"x_true": X, "x_pred": Y})
    | table(
        ak.prediction_error_score,
        error_of_forecasts,
        {"y_true": X, "y_pred": Y},
        {},
        {"error_metric": "mse"},
        {"aggregation": "max"},
        {"error_metric": "mse", "aggregation": "max"},
    )
)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_is_that_of_the_formula(case, driver):
    values_agree(driver, case)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("case", differing(CASES).values(), ids=differing(CASES))
def test_gradient_is_that_of_the_formula(case, driver):
    gradients_agree(driver, case)


@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 2, 4, 2)])
def test_reconstruction_error_takes_samples_of_any_shape(shape, driver):
    x, y = draw(2, *shape), draw(3, *shape)
    found = driver.numpy(ak.reconstruction_error(driver.array(x), driver.array(y)))
    np.testing.assert_allclose(found, rounded(error_of_samples(exact(x), exact(y))), rtol=1e-13)


@pytest.mark.parametrize(("true", "predicted"), [(5, 3), (3, 5), (3, 3)])
def test_reconstruction_error_compares_the_first_common_time_steps(true, predicted, driver):
    x, y = draw(2, 4, true, 2), draw(3, 4, predicted, 2)
    found = driver.numpy(ak.reconstruction_error(driver.array(x), driver.array(y)))
    expected = error_of_samples(exact(x[:, :3]), exact(y[:, :3]))
    np.testing.assert_allclose(found, rounded(expected), rtol=1e-13)


@pytest.mark.parametrize(("true", "predicted"), [((4, 3), (4, 2)), ((4, 3, 2), (5, 3, 2)), ((4, 3, 2), (4, 3, 3))])
def test_reconstruction_error_cuts_nothing_but_time_steps(true, predicted, driver):
    with pytest.raises(ValueError, match=r"`x_true` and `x_pred` must have equal shapes, got \(4, 3.* and"):
        ak.reconstruction_error(driver.array(np.zeros(true)), driver.array(np.zeros(predicted)))


def test_no_elements_sum_to_zero_and_have_no_mean(driver):
    nothing = driver.array(np.zeros((0, 3)))
    assert driver.numpy(ak.mean_squared_anomaly(nothing, reduction="sum")) == 0.0
    assert driver.numpy(ak.mean_squared_anomaly(nothing, reduction="none")).shape == (0, 3)
    with pytest.raises(ValueError, match=r"`scores` has shape \(0, 3\): there is nothing to average over"):
        ak.mean_squared_anomaly(nothing)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"error_metric": "rmse"}, "`error_metric` must be one of 'mae', 'mse', got 'rmse'"),
        ({"aggregation": "sum"}, "`aggregation` must be one of 'mean', 'max', got 'sum'"),
        ({"y_true": np.zeros((2, 3))}, r"`y_true` and `y_pred` must have equal shapes, got \(2, 3\) and \(3, 2, 4\)"),
        (
            {"y_true": np.zeros((2, 3)), "y_pred": np.zeros((2, 3))},
            r"`y_true` must have shape \(B, T, F\), got \(2, 3\)",
        ),
        ({"y_true": np.zeros((2, 0, 1)), "y_pred": np.zeros((2, 0, 1))}, r"`y_true` has shape \(2, 0, 1\): there is"),
    ],
)
def test_prediction_error_score_says_what_is_wrong(wrong, message):
    with pytest.raises(ValueError, match=message):
        ak.prediction_error_score(**{"y_true": X, "y_pred": Y} | wrong)
