"""The formulas that kernels share keep their digits, and their derivatives are finite at the edges that data have."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from mpmath import mp
from reference import DIFFERENTIATING, draw, gradient

import anomaly_kernels as ak
from anomaly_kernels._core import evaluate, numeric

EPS = {"float64": 2.0**-52, "float32": 2.0**-23}
SUBJECTS = [-100.0, -30.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 30.0, 100.0]


def helper(name, xp):
    """A formula of `numeric`, or one that libraries have in native form."""
    return functools.partial(getattr(numeric, name), xp) if hasattr(numeric, name) else getattr(xp, name)


def applied(driver, name, x, dtype="float64", **settings):
    """A helper's result for one array, read back; overflow on the way is its business."""
    x = driver.array(np.asarray(x, float), dtype)
    with np.errstate(all="ignore"):
        return driver.numpy(helper(name, ak.array_namespace(x))(x, **settings))


def derivative(driver, name, x, **settings):
    def function(x):
        return helper(name, ak.array_namespace(x))(x, **settings)

    return gradient(driver, function, x=np.asarray(x, float))["x"]


def test_square_is_what_it_says(driver):
    x = draw(0, 3)
    np.testing.assert_allclose(driver.numpy(numeric.square(driver.array(x))), x**2, rtol=1e-15)


@pytest.mark.parametrize("weight", [1.0, 1, 0.5, -2])
def test_a_weight_multiplies_and_1_costs_nothing(weight, driver):
    x = driver.array(draw(0, 3))
    xp = ak.array_namespace(x)
    product = evaluate.weigh(xp, xp.float64, weight, x)
    np.testing.assert_allclose(driver.numpy(product), weight * driver.numpy(x), rtol=1e-15)
    assert (product is x) == (weight == 1)


@pytest.mark.parametrize("correction", [0, 1])
@pytest.mark.parametrize("x", [draw(2, 9), [5.0, 5.0 + 2**-40], [-1.0, 1.0]])
def test_standard_deviation_is_that_of_numpy(x, correction, driver):
    found = applied(driver, "standard_deviation", x, correction=correction)
    assert found == pytest.approx(np.std(x, ddof=correction), rel=1e-12)


def test_standard_deviation_of_one_number(driver):
    assert applied(driver, "standard_deviation", [3.0]) == 0
    assert math.isnan(applied(driver, "standard_deviation", [3.0], correction=1))


def test_ratio_is_otherwise_where_the_denominator_is_zero(driver):
    a, b = driver.array(np.asarray([1.0, 2.0, 0.0])), driver.array(np.asarray([4.0, 0.0, 0.0]))
    xp = ak.array_namespace(a)
    np.testing.assert_array_equal(driver.numpy(numeric.ratio(xp, a, b)), [0.25, 0.0, 0.0])
    np.testing.assert_array_equal(driver.numpy(numeric.ratio(xp, a, b, 0.5)), [0.25, 0.5, 0.5])


@pytest.mark.parametrize("shift", [0.0, 1000.0, -1000.0])
def test_logsumexp_is_right_at_any_size(shift, driver):
    x = draw(3, 3, 4)
    expected = np.log(np.exp(x).sum(1)) + shift
    np.testing.assert_allclose(applied(driver, "logsumexp", x + shift, axis=1), expected, rtol=1e-13)


def test_logsumexp_adds_nothing_for_minus_infinity(driver):
    found = applied(driver, "logsumexp", [[-math.inf, 2.0], [-math.inf, -math.inf]], axis=1)
    np.testing.assert_allclose(found, [2.0, -math.inf])


@pytest.mark.library(*DIFFERENTIATING)
def test_slopes_of_logsumexp_are_shares_and_zero_at_minus_infinity(driver):
    found = derivative(driver, "logsumexp", [[-math.inf, 2.0, 2.0, -700.0]], axis=1)
    np.testing.assert_allclose(found, [[0.0, 0.5, 0.5, 0.0]], atol=1e-15)


@pytest.mark.parametrize("dtype", EPS)
def test_softplus_keeps_its_digits_in_both_tails(dtype, driver):
    x = np.asarray(SUBJECTS, dtype)
    expected = [float(mp.log1p(mp.exp(mp.mpf(float(v))))) for v in x]
    floor = float(np.finfo(dtype).tiny)
    np.testing.assert_allclose(applied(driver, "softplus", x, dtype), expected, rtol=4 * EPS[dtype], atol=floor)


@pytest.mark.library(*DIFFERENTIATING)
def test_slope_of_softplus_is_the_sigmoid_relative_to_the_terms_that_cancel_in_it(driver):
    expected = [float(1 / (1 + mp.exp(-mp.mpf(x)))) for x in SUBJECTS]
    eps = EPS["float64"]
    np.testing.assert_allclose(derivative(driver, "softplus", SUBJECTS), expected, rtol=4 * eps, atol=eps)


def test_clip_keeps_nan(driver):
    x = [-1.0, 0.0, 2.0, math.nan]
    np.testing.assert_array_equal(applied(driver, "clip", x, low=-0.5, high=1.0), [-0.5, 0.0, 1.0, math.nan])


@pytest.mark.library(*DIFFERENTIATING)
@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("root", [0.0, 4.0], [0.0, 0.25]),
        ("standard_deviation", [2.0, 2.0], [0.0, 0.0]),
        ("standard_deviation", [7.0], [0.0]),
        ("standard_deviation", [1.0, 3.0], [-0.5, 0.5]),
    ],
)
def test_derivatives_at_the_edges_are_these(name, x, expected, driver):
    np.testing.assert_allclose(derivative(driver, name, x), expected, rtol=1e-14, atol=1e-300)


@pytest.mark.library(*DIFFERENTIATING)
def test_derivatives_of_a_ratio_are_zero_where_the_denominator_is(driver):
    found = gradient(
        driver, lambda a, b: numeric.ratio(ak.array_namespace(a), a, b), a=np.ones(2), b=np.asarray([0.0, 2])
    )
    np.testing.assert_allclose(found["a"], [0.0, 0.5])
    np.testing.assert_allclose(found["b"], [0.0, -0.25])
