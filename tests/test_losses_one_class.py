"""Hyperspheres: distances from a centre, soft boundaries, positive radii."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.spatial.distance
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
from anomaly_kernels.losses import one_class

Z, CENTER, RADIUS = draw(0, 3, 2, 4), draw(1, 4), np.asarray(1.75)
SPHERE = {"embeddings": Z, "center": CENTER}
REDUCTIONS = ({}, {"reduction": "sum", "weight": 0.3}, {"reduction": "none", "weight": -2.5}, {"weight": 2})


def distances(embeddings, center):
    return ((embeddings - center) ** 2).sum(-1)


def svdd(embeddings, center, weight=1, reduction="mean"):
    return reduced(weight * distances(embeddings, center), reduction)


def soft_boundary(embeddings, center, radius, nu=0.05, weight=1):
    outside = [max(d - radius**2, 0) for d in distances(embeddings, center).flat]
    return weight * (radius**2 + reduced(np.asarray(outside)) / nu)


def score(embeddings, center, radius=None):
    return distances(embeddings, center) - (0 if radius is None else radius**2)


def centre(embeddings, eps=0.1):
    rows = embeddings.reshape(-1, embeddings.shape[-1])
    mean = sum(rows[1:], rows[0]) / len(rows)
    return np.asarray([x if abs(x) >= eps else -eps if x < 0 else eps for x in mean])


def softplus(raw, beta=10):
    return log(1 + exp(beta * raw)) / beta


CASES = (
    table(ak.deep_svdd_loss, svdd, SPHERE, *REDUCTIONS)
    | table(
        ak.deep_svdd_soft_boundary_loss,
        soft_boundary,
        SPHERE | {"radius": RADIUS},
        {},
        {"nu": 0.5, "weight": 3},
        {"nu": 0.9, "weight": -0.25},
    )
    | table(ak.svdd_score, score, SPHERE, {}, {"radius": 2}, {"radius": -0.5})
    | {"svdd_score-radius array": Case(ak.svdd_score, score, SPHERE | {"radius": RADIUS}, {})}
    | table(ak.svdd_radius, softplus, {"raw": draw(2, 3, 2)}, {}, {"beta": 0.5}, {"beta": 3})
    | table(ak.svdd_center, centre, {"embeddings": Z}, {}, {"eps": 0}, {"eps": 0.5}, {"eps": np.asarray(0.3)})
    | table(ak.svdd_center, centre, {"embeddings": Z - 7}, {"eps": 3})
    | {"svdd_center-one embedding": Case(ak.svdd_center, centre, {"embeddings": Z[0, 0]}, {"eps": 0.4})}
    | {"deep_svdd_loss-one embedding": Case(ak.deep_svdd_loss, svdd, {"embeddings": Z[0, 0], "center": CENTER}, {})}
)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_is_that_of_the_formula(case, driver):
    values_agree(driver, case)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("case", differing(CASES).values(), ids=differing(CASES))
def test_gradient_is_that_of_the_formula(case, driver):
    gradients_agree(driver, case)


def test_distances_are_those_of_scipy(driver):
    found = driver.numpy(ak.svdd_score(driver.array(Z), driver.array(CENTER)))
    expected = scipy.spatial.distance.cdist(Z.reshape(-1, 4), CENTER[None], "sqeuclidean").reshape(3, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_distances_keep_their_digits_far_from_the_origin(driver):
    z = driver.array(np.full((2, 3), 1000.125), "float32")
    assert driver.numpy(ak.deep_svdd_loss(z, driver.array(np.full(3, 1000.0), "float32"))) == 3 / 64


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("raw", [-1000.0, -5.0, -0.125, 0.0, 1e-4, 5.0, 1000.0])
def test_radius_is_softplus_at_ordinary_edges(raw, dtype, driver):
    found = driver.numpy(ak.svdd_radius(driver.array(np.asarray(raw), dtype)))
    expected = float(mp.log1p(mp.exp(10 * mp.mpf(float(np.dtype(dtype).type(raw))))) / 10)
    assert found == pytest.approx(expected, rel=8 * float(np.finfo(dtype).eps), abs=float(np.finfo(dtype).tiny))


@pytest.mark.library("numpy", *DIFFERENTIATING)
def test_slope_of_the_radius_is_a_sigmoid_relative_to_the_terms_that_cancel_in_it(driver):
    raw = np.asarray([-1000.0, -5.0, -0.125, 0.0, 0.125, 5.0, 1000.0])
    found = gradient(driver, ak.svdd_radius, raw=raw)["raw"]
    expected = [float(1 / (1 + mp.exp(-10 * mp.mpf(x)))) for x in raw]
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=2.0**-52)


def test_soft_boundary_of_embeddings_inside_is_the_volume(driver):
    z, center = driver.array(Z / 100), driver.array(np.zeros(4))
    assert driver.numpy(ak.deep_svdd_soft_boundary_loss(z, center, 2.0, nu=0.1, weight=3.0)) == 12.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ak.deep_svdd_loss(Z, CENTER[:3]), r"`center` must have shape \(D,\), expected \(4,\), got \(3,\)"),
        (lambda: ak.deep_svdd_loss(Z, Z), r"`center` must have shape \(D,\), expected \(4,\), got \(3, 2, 4\)"),
        (lambda: ak.deep_svdd_loss(RADIUS, CENTER), r"`embeddings` must have shape \(\.\.\., D\), got \(\)"),
        (lambda: ak.svdd_score(Z[..., :0], CENTER[:0]), r"`center` has shape \(0,\): there is nothing to average over"),
        (lambda: ak.deep_svdd_loss(Z[:0], CENTER), r"`embeddings` has shape \(0, 2, 4\): there is nothing to average"),
        (lambda: soft(nu=0), "`nu` must be > 0 and < 1, got 0"),
        (lambda: soft(nu=1), "`nu` must be > 0 and < 1, got 1"),
        (lambda: ak.svdd_radius(RADIUS, beta=0), "`beta` must be > 0, got 0"),
        (lambda: ak.svdd_center(Z[:0]), r"`embeddings` has shape \(0, 2, 4\): there is nothing to average over"),
        (lambda: ak.svdd_center(RADIUS), r"^`embeddings` must have shape \(\.\.\., D\), got \(\)"),
        (lambda: ak.svdd_center(Z, eps=-1), "`eps` must be >= 0 and < inf, got -1"),
        (lambda: ak.svdd_center(Z, eps=np.inf), "`eps` must be >= 0 and < inf, got inf"),
    ],
)
def test_the_message_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", ["radius", "nu", "weight"])
def test_settings_must_be_numbers(name):
    with pytest.raises(TypeError, match=f"`{name}` must be a number or a 0-d array, got str"):
        soft(**{name: "one"})


def soft(radius=1.0, **settings):
    return ak.deep_svdd_soft_boundary_loss(Z, CENTER, radius, **settings)


def test_the_centre_keeps_away_from_zero_on_both_sides(driver):
    rows = driver.array(np.asarray([[1.0, 0.02, -0.02, 0.0, np.nan], [3.0, 0.04, -0.04, 0.0, 1.0]]), "float32")
    found = driver.numpy(ak.svdd_center(rows))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.asarray([2.0, 0.1, -0.1, 0.1, np.nan], "float32"))


@pytest.mark.parametrize(("nu", "expected"), [(0.1, 9.0), (0.3, 7.0), (0.5, 5.0), (0.9, 2.0)])
def test_radius_leaves_the_fraction_outside(driver, nu, expected):
    lengths = np.asarray([[4.0, 9.0, 1.0, 10.0, 3.0], [6.0, 8.0, 2.0, 5.0, 7.0]])  # two batches, in disorder
    embeddings = lengths[..., None] * [0.6, -0.8] + CENTER[:2]
    found = one_class.quantile_radius(driver.array(embeddings), driver.array(CENTER[:2]), nu)
    np.testing.assert_allclose(driver.numpy(found), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_embedding_at_the_quantile_is_inside(driver, dtype):
    center = driver.array(np.zeros(3), dtype)
    for power in range(-5, 5):
        z = driver.array(10.0**power * np.random.default_rng(power + 5).normal(size=(20, 3)), dtype)
        radius = ak.svdd_radius(one_class.raw_radius(one_class.quantile_radius(z, center, 0.1)))
        outside = driver.numpy(ak.svdd_score(z, center)) > driver.numpy(radius) ** 2
        assert outside.sum() == 2  # of 20, the third is the quantile


def test_raw_radius_and_radius_have_one_default_sharpness(driver):
    raw = one_class.raw_radius(driver.array(np.asarray(0.3)))
    np.testing.assert_allclose(driver.numpy(ak.svdd_radius(raw)), 0.3, rtol=1e-12)


@pytest.mark.parametrize("beta", [1.0, 10.0])
def test_raw_radius_is_the_inverse_of_the_radius(driver, beta):
    radius = driver.array(np.asarray(0.3))
    raw = one_class.raw_radius(radius, beta)
    np.testing.assert_allclose(driver.numpy(raw), np.log(np.expm1(0.3 * beta)) / beta, rtol=1e-12)
    np.testing.assert_allclose(driver.numpy(ak.svdd_radius(raw, beta=beta)), 0.3, rtol=1e-12)
    least = one_class.raw_radius(driver.array(np.asarray(0.0)), beta)
    np.testing.assert_allclose(driver.numpy(ak.svdd_radius(least, beta=beta)), 1e-6 / beta, rtol=1e-6)
