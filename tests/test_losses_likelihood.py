"""The Gaussian likelihood of a reconstruction, and the divergence from the prior."""

from __future__ import annotations

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
    exact,
    exp,
    gradient,
    gradients_agree,
    reduced,
    rounded,
    table,
    values_agree,
)

import anomaly_kernels as ak

X, Y = draw(0, 4, 3, 2), draw(1, 4, 3, 2)
DATA = {"y_true": X, "y_pred": Y}
POSITIVE = draw(2, 6, low=0.3, high=3.0)
FACTOR = draw(3, 6, 6)
FULL = np.float64(np.float32(FACTOR @ FACTOR.T / 4 + np.eye(6)))
MEAN, LOG_VAR = draw(4, 3, 2, 4), draw(5, 3, 2, 4)
REDUCTIONS = ({}, {"reduction": "sum", "weight": 0.3}, {"reduction": "none", "weight": -2.5}, {"weight": 2})


def negative_log_density(
    y_true, y_pred, cov_full=None, cov_diag=None, scale_diag=None, sim=None, weight=1, reduction="mean"
):
    residuals = (y_true - y_pred).reshape(y_true.shape[0], -1)
    cov = mp.eye(residuals.shape[1])
    for d in range(cov.rows):
        cov[d, d] = cov_diag[d] if cov_diag is not None else scale_diag[d] ** 2 if scale_diag is not None else 1
        cov[d, d] *= 1 if sim is None else sim * sim
    if cov_full is not None:
        cov = mp.matrix(cov_full.tolist())
    inverse, log_det = cov**-1, mp.log(mp.det(cov))
    values = []
    for row in residuals:
        r = mp.matrix(row.tolist())
        values.append(weight * ((r.T * inverse * r)[0] + log_det + len(row) * mp.log(2 * mp.pi)) / 2)
    return reduced(np.asarray(values), reduction)


def divergence_from_prior(mean, log_var, weight=1, reduction="mean"):
    values = [weight * (m**2 + exp(v) - 1 - v).sum() / 2 for m, v in zip(rows(mean), rows(log_var), strict=True)]
    return reduced(np.asarray(values).reshape(mean.shape[:-1]), reduction)


def rows(x):
    return x.reshape(-1, x.shape[-1])


CASES = (
    table(ak.elbo, negative_log_density, DATA, *REDUCTIONS, {"sim": 0.7}, {"sim": 3, "weight": 0.5})
    | {
        f"elbo-{name} array": Case(ak.elbo, negative_log_density, DATA | {name: x}, {})
        for name, x in {"cov_full": FULL, "cov_diag": POSITIVE, "scale_diag": POSITIVE, "sim": np.asarray(0.75)}.items()
    }
    | table(ak.gaussian_kl, divergence_from_prior, {"mean": MEAN, "log_var": LOG_VAR}, *REDUCTIONS)
)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_is_that_of_the_formula(case, driver):
    values_agree(driver, case)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("case", differing(CASES).values(), ids=differing(CASES))
def test_gradient_is_that_of_the_formula(case, driver):
    gradients_agree(driver, case)


@pytest.mark.parametrize(
    ("given", "cov"),
    [
        ({}, np.eye(6)),
        ({"cov_full": FULL}, FULL),
        ({"cov_diag": POSITIVE}, np.diag(POSITIVE)),
        ({"scale_diag": POSITIVE}, np.diag(POSITIVE**2)),
        ({"sim": np.asarray(0.25)}, np.eye(6) / 16),
    ],
    ids=lambda x: "-".join(x) if isinstance(x, dict) else "",
)
def test_elbo_is_the_negative_log_density_of_scipy(given, cov, driver):
    arrays = {name: driver.array(x) for name, x in (DATA | given).items()}
    found = driver.numpy(ak.elbo(**arrays, reduction="none"))
    expected = -scipy.stats.multivariate_normal(np.zeros(6), cov).logpdf((X - Y).reshape(4, 6))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_every_way_to_give_the_identity_gives_the_same_bits(dtype, reduction, driver):
    x, y = driver.array(draw(6, 5, 7) / 3, dtype), driver.array(draw(7, 5, 7) / 3, dtype)
    one = {name: driver.array(np.ones(7), dtype) for name in ("cov_diag", "scale_diag")}
    if driver.name == "dask":  # adds chunk by chunk, and divides samples where the deviations are
        one = {name: ones.rechunk(-1) for name, ones in one.items()}
    ways = [{}, {"cov_full": driver.array(np.eye(7), dtype)}, {"sim": 1.0}, *({k: v} for k, v in one.items())]
    found = [driver.numpy(ak.elbo(x, y, weight=0.3, reduction=reduction, **way)) for way in ways]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


@pytest.mark.parametrize("weight", [1.0, 3.0, 0.3, 1e-7])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_constant_of_every_identity_has_the_same_bits(size, weight, driver):
    y = driver.array(np.zeros((1, size)), "float32")
    ways = [{name: driver.array(np.ones(size), "float32")} for name in ("cov_diag", "scale_diag")]
    ways += [{"sim": 1.0}, {"sim": driver.array(np.asarray(1.0), "float32")}]
    ways += [{"cov_full": driver.array(np.eye(size), "float32")}]
    expected = driver.numpy(ak.elbo(y, y, weight=weight))
    assert [driver.numpy(ak.elbo(y, y, weight=weight, **way)) for way in ways] == [expected] * len(ways)


def test_elbo_takes_vectors_as_samples_of_one_number(driver):
    found = driver.numpy(ak.elbo(driver.array(np.asarray([1.0, 3.0])), driver.array(np.zeros(2)), reduction="none"))
    np.testing.assert_allclose(found, 0.5 * np.asarray([1.0, 9.0]) + 0.5 * math.log(2 * math.pi), rtol=1e-14)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sim": 0}, "`sim` must be > 0, got 0"),
        ({"sim": -0.1}, "`sim` must be > 0, got -0.1"),
        ({"cov_full": np.eye(3)}, r"`cov_full` must have shape \(D, D\), expected \(6, 6\), got \(3, 3\)"),
        ({"cov_diag": np.ones(3)}, r"`cov_diag` must have shape \(D,\), expected \(6,\), got \(3,\)"),
        ({"cov_diag": np.ones((4, 6))}, r"`cov_diag` must have shape \(D,\), expected \(6,\), got \(4, 6\)"),
        ({"scale_diag": np.ones((3, 2))}, r"`scale_diag` must have shape \(D,\), expected \(6,\), got \(3, 2\)"),
        (
            {"sim": 1.0, "cov_diag": POSITIVE},
            "at most one of `cov_full`, `cov_diag`, `scale_diag`, `sim` may be given, got cov_diag, sim",
        ),
        ({"y_pred": X[:2]}, r"`y_true` and `y_pred` must have equal shapes, got \(4, 3, 2\) and \(2, 3, 2\)"),
        ({"y_true": np.zeros((2, 0)), "y_pred": np.zeros((2, 0))}, r"`y_true` has shape \(2, 0\): there is nothing to"),
        ({"y_true": np.zeros(()), "y_pred": np.zeros(())}, r"`y_true` must have shape \(B, \.\.\.\), got \(\)"),
        ({"y_true": np.zeros((0, 2)), "y_pred": np.zeros((0, 2))}, r"`y_true` has shape \(0, 2\): there is nothing to"),
    ],
)
def test_elbo_says_what_is_wrong(settings, message):
    with pytest.raises(ValueError, match=message):
        ak.elbo(**DATA | settings)


@pytest.mark.parametrize("log_var", [1e-4, 0.01, 0.3, -0.499, 0.5, -0.5, 0.501, 3.0, -40.0, 80.0])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_gaussian_kl_is_accurate_relative_to_its_largest_term(log_var, dtype, driver):
    given = np.full((1, 1), log_var, dtype)
    found = driver.numpy(ak.gaussian_kl(driver.array(np.zeros((1, 1)), dtype), driver.array(given, dtype)))
    v = mp.mpf(float(given[0, 0]))
    largest = float(max(mp.exp(v), abs(v), 1)) / 2
    assert found == pytest.approx(float((mp.exp(v) - 1 - v) / 2), rel=0, abs=4 * float(np.finfo(dtype).eps) * largest)


@pytest.mark.library("numpy", *DIFFERENTIATING)
def test_gradient_of_gaussian_kl_is_accurate_relative_to_the_terms_that_cancel_in_it(driver):
    log_var = np.asarray([[-1e-9, 1e-5, 0.0, 0.5, -0.5, 2.0, -30.0]])
    found = gradient(driver, ak.gaussian_kl, mean=0 * log_var, log_var=log_var)
    np.testing.assert_allclose(found["log_var"], 0.5 * np.expm1(log_var), rtol=1e-15, atol=2e-16)
    assert found["log_var"][0, 2] == 0.0
    np.testing.assert_array_equal(found["mean"], 0.0)


def test_gaussian_kl_of_one_sample_has_no_axis_left(driver):
    mean, log_var = draw(8, 4), draw(9, 4)
    found = driver.numpy(ak.gaussian_kl(driver.array(mean), driver.array(log_var), reduction="none"))
    assert found.shape == ()
    np.testing.assert_allclose(
        found, rounded(divergence_from_prior(exact(mean), exact(log_var), 1, "none")), rtol=1e-13
    )


def test_gaussian_kl_is_the_integral_it_stands_for():
    p, q = scipy.stats.norm(0.7, math.exp(-0.2)), scipy.stats.norm()
    integral, _ = scipy.integrate.quad(lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), -9, 10)
    assert ak.gaussian_kl(np.asarray([0.7]), np.asarray([-0.4])) == pytest.approx(integral, rel=1e-10)


COVARIANCES = {"cov_full": FULL, "cov_diag": POSITIVE, "scale_diag": POSITIVE}


@pytest.mark.parametrize("name", COVARIANCES)
@pytest.mark.parametrize(("samples", "covariance"), [("float64", "float32"), ("float32", "float64")])
def test_a_covariance_may_have_another_precision_than_the_samples(samples, covariance, name, driver):
    def loss(samples, covariance):
        arrays = {each: driver.array(x, samples) for each, x in DATA.items()}
        return driver.numpy(ak.elbo(**arrays, **{name: driver.array(COVARIANCES[name], covariance)}))

    mixed = loss(samples, covariance)
    assert mixed.dtype == "float64"
    assert mixed == pytest.approx(loss("float64", "float64"), rel=1e-14)


@pytest.mark.parametrize("name", COVARIANCES)
def test_a_covariance_of_integers_is_refused(name, driver):
    arrays = {each: driver.array(x) for each, x in DATA.items()}
    with pytest.raises(TypeError, match=f"`{name}` must be floating point, got dtype .*int"):
        ak.elbo(**arrays, **{name: driver.array(np.ones(COVARIANCES[name].shape, int))})


@pytest.mark.parametrize("sim", [0.0, -1.0])
def test_an_array_of_no_deviation_gives_nan(sim, driver):
    arrays = {each: driver.array(x) for each, x in (DATA | {"sim": np.asarray(sim)}).items()}
    with np.errstate(all="ignore"):
        assert math.isnan(driver.numpy(ak.elbo(**arrays)))
