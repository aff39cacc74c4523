"""The formulas that kernels share keep their digits, and their derivatives are finite."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from mpmath import mp
from reference import DIFFERENTIATING, draw, gradient

import anomaly_kernels as ak
from anomaly_kernels import _numeric

EPS = {"float64": 2.0**-52, "float32": 2.0**-23}
SUBJECTS = [-100.0, -30.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 30.0, 100.0]


def helper(name, xp):
    """A formula of `_numeric`, or one that libraries have in native form."""
    return functools.partial(getattr(_numeric, name), xp) if hasattr(_numeric, name) else getattr(xp, name)


def applied(driver, name, x, dtype="float64", **settings):
    """A helper's result for one array, read back; overflow on the way is its business."""
    x = driver.array(np.asarray(x, float), dtype)
    with np.errstate(all="ignore"):
        return driver.numpy(helper(name, ak.array_namespace(x))(x, **settings))


def derivative(driver, name, x, **settings):
    def function(x):
        return helper(name, ak.array_namespace(x))(x, **settings)

    return gradient(driver, function, x=np.asarray(x, float))["x"]


@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
@pytest.mark.parametrize("keepdims", [True, False])
def test_mean_is_the_mean_even_where_the_sum_overflows(axis, keepdims, driver):
    for size, dtype in ((1.0, "float64"), (3e38, "float32")):
        x = draw(0, 3, 4) / 2 * size
        found = applied(driver, "mean", x, dtype, axis=axis, keepdims=keepdims)
        expected = np.mean(x / size, axis=axis, keepdims=keepdims)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found / size, expected, atol=4 * EPS[dtype])
    assert applied(driver, "mean", np.full((3, 4), 3e38), "float32") == pytest.approx(3e38, rel=1e-6)


def test_mean_of_what_is_infinite_or_nan_stays_so(driver):
    assert applied(driver, "mean", [1.0, math.inf]) == math.inf
    assert math.isnan(applied(driver, "mean", [1.0, math.nan]))


@pytest.mark.parametrize("weight", [1.0, 1, 0.5, -2])
def test_square_and_product_take_any_weight(weight, driver):
    x = draw(0, 3)
    found = driver.numpy(_numeric.square(driver.array(x), weight))
    np.testing.assert_allclose(found, weight * x**2, rtol=1e-15)
    np.testing.assert_allclose(driver.numpy(_numeric.times(weight, driver.array(x))), weight * x, rtol=1e-15)


def test_product_with_one_costs_nothing():
    x = draw(0, 3)
    assert _numeric.times(1.0, x) is x
    assert _numeric.times(2.0, x) is not x


def test_square_overflows_only_where_weighted_it_does(driver):
    x = driver.array(np.full(2, 1e25), "float32")
    np.testing.assert_allclose(driver.numpy(_numeric.square(x, 1e-20)), 1e30, rtol=1e-6)


@pytest.mark.parametrize(("axis", "expected"), [(None, [[3.0]]), (0, [[3.0, 2.0, 1.0]]), (1, [[3.0], [1.0]])])
def test_magnitude_is_the_largest_size_and_one_where_all_are_zero(axis, expected, driver):
    found = applied(driver, "magnitude_of", [[-3.0, 2.0, 0.0], [0.5, 0.0, -1.0]], axis=axis)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(applied(driver, "magnitude_of", np.zeros((2, 3)), axis=axis), np.ones_like(expected))


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("axis", [None, 1])
def test_norm_neither_overflows_nor_vanishes(size, axis, driver):
    x = draw(1, 3, 4)
    found = applied(driver, "norm", x * size, "float32", axis=axis)
    expected = np.sqrt((x * x).sum(axis=axis, keepdims=True))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found / size, expected, rtol=1e-6)


@pytest.mark.parametrize("correction", [0, 1])
@pytest.mark.parametrize("x", [draw(2, 9), [5.0, 5.0 + 2**-40], [-1.0, 1.0]])
def test_standard_deviation_is_that_of_numpy(x, correction, driver):
    found = applied(driver, "standard_deviation", x, correction=correction)
    assert found == pytest.approx(np.std(x, ddof=correction), rel=1e-12)


def test_standard_deviation_of_one_number(driver):
    assert applied(driver, "standard_deviation", [3.0]) == 0
    assert math.isnan(applied(driver, "standard_deviation", [3.0], correction=1))


def test_standard_deviation_at_the_edge_of_float32(driver):
    x = [3.4e38] + [-3.4e38] * 9
    assert applied(driver, "standard_deviation", x, "float32") == pytest.approx(np.std(x), rel=1e-6)
    assert applied(driver, "standard_deviation", [1e-38, 3e-38], "float32") == pytest.approx(1e-38, rel=1e-5)


def test_ratio_is_otherwise_where_the_denominator_is_zero(driver):
    a, b = driver.array(np.asarray([1.0, 2.0, 0.0])), driver.array(np.asarray([4.0, 0.0, 0.0]))
    xp = ak.array_namespace(a)
    np.testing.assert_array_equal(driver.numpy(_numeric.ratio(xp, a, b)), [0.25, 0.0, 0.0])
    np.testing.assert_array_equal(driver.numpy(_numeric.ratio(xp, a, b, 0.5)), [0.25, 0.5, 0.5])


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
def test_slope_of_softplus_is_the_sigmoid(driver):
    expected = [float(1 / (1 + mp.exp(-mp.mpf(x)))) for x in SUBJECTS]
    np.testing.assert_allclose(derivative(driver, "softplus", SUBJECTS), expected, rtol=4 * EPS["float64"])


@pytest.mark.parametrize("dtype", EPS)
def test_excess_of_the_exponential_keeps_its_digits_near_zero(dtype, driver):
    x = np.asarray([-80, -3, -0.5, -0.4999, -1e-3, -1e-12, 1e-12, 1e-5, 0.3, 0.4999, 0.5, 0.51, 7, 80], dtype)
    expected = [float(mp.exp(mp.mpf(float(v))) - 1 - mp.mpf(float(v))) for v in x]
    np.testing.assert_allclose(applied(driver, "exp_excess", x, dtype), expected, rtol=6 * EPS[dtype])
    assert applied(driver, "exp_excess", 0.0, dtype) == 0


@pytest.mark.library(*DIFFERENTIATING)
def test_slope_of_the_excess_is_expm1(driver):
    x = np.asarray([-30.0, -0.5, -0.3, -1e-9, 0.0, 1e-9, 0.2, 0.5, 3.0])
    np.testing.assert_allclose(derivative(driver, "exp_excess", x), np.expm1(x), rtol=4e-15)


def test_positive_part_and_clip_keep_nan(driver):
    x = [-1.0, 0.0, 2.0, math.nan]
    np.testing.assert_array_equal(applied(driver, "positive_part", x), [0.0, 0.0, 2.0, math.nan])
    np.testing.assert_array_equal(applied(driver, "clip", x, low=-0.5, high=1.0), [-0.5, 0.0, 1.0, math.nan])


@pytest.mark.library(*DIFFERENTIATING)
@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("root", [0.0, 4.0], [0.0, 0.25]),
        ("norm", [0.0, 0.0], [0.0, 0.0]),
        ("norm", [3.0, -4.0], [0.6, -0.8]),
        ("standard_deviation", [2.0, 2.0], [0.0, 0.0]),
        ("standard_deviation", [7.0], [0.0]),
        ("standard_deviation", [1.0, 3.0], [-0.5, 0.5]),
        ("positive_part", [-1.0, 0.0, 1.0], [0.0, 1.0, 1.0]),
        ("magnitude_of", [3.0, -4.0], [0.0, 0.0]),
        ("mean", [1.0, 2.0], [0.5, 0.5]),
    ],
)
def test_derivatives_at_the_edges_are_these(name, x, expected, driver):
    np.testing.assert_allclose(derivative(driver, name, x), expected, rtol=1e-14, atol=1e-300)


@pytest.mark.library(*DIFFERENTIATING)
def test_derivative_of_the_mean_is_finite_where_the_sum_overflows(driver):
    x = driver.array(np.full(4, 3e38), "float32")
    xp = ak.array_namespace(x)
    found = driver.value_and_grad(lambda a: _numeric.mean(xp, a["x"]), {"x": x}, ["x"])[1]["x"]
    np.testing.assert_allclose(driver.numpy(found), 0.25, rtol=1e-6)


@pytest.mark.library(*DIFFERENTIATING)
def test_derivatives_of_a_ratio_are_zero_where_the_denominator_is(driver):
    found = gradient(
        driver, lambda a, b: _numeric.ratio(ak.array_namespace(a), a, b), a=np.ones(2), b=np.asarray([0.0, 2])
    )
    np.testing.assert_allclose(found["a"], [0.0, 0.5])
    np.testing.assert_allclose(found["b"], [0.0, -0.25])
