"""Distances of features: cosines and hard features against plain loops, ties and zeros."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mpmath import mp
from reference import DIFFERENTIATING, Case, differing, draw, gradient, gradients_agree, reduced, table, values_agree

import anomaly_kernels as ak
from anomaly_kernels.losses.features import _mean_of_largest

A, B = draw(0, 3, 4, 2, 5), draw(1, 3, 4, 2, 5)
PAIR = {"x_true": A, "x_pred": B}


def cosine_distance(x_true, x_pred, axis=-1, eps=1e-6, weight=1, reduction="mean"):
    chosen = [k % x_true.ndim for k in (axis if isinstance(axis, tuple) else (axis,))]
    rest = [k for k in range(x_true.ndim) if k not in chosen]
    x_true, x_pred = (np.transpose(x, (*rest, *chosen)) for x in (x_true, x_pred))
    values = np.empty(x_true.shape[: len(rest)], dtype=object)
    for k in np.ndindex(*values.shape):
        a, b = list(x_true[k].flat), list(x_pred[k].flat)
        lengths = [max(mp.sqrt(sum(x * x for x in each)), eps) for each in (a, b)]
        values[k] = weight * (1 - sum(x * y for x, y in zip(a, b, strict=True)) / (lengths[0] * lengths[1]))
    return reduced(values, reduction)


def hard_features(x_true, x_pred, quantile=0.999, weight=1):
    distances = sorted(((a - b) ** 2 for a, b in zip(x_true.flat, x_pred.flat, strict=True)), reverse=True)
    count = len(distances) - math.ceil(quantile * (len(distances) - 1))
    return np.asarray(weight * sum(distances[:count]) / count, dtype=object)


CASES = table(
    ak.cosine_distance_loss,
    cosine_distance,
    PAIR,
    {},
    {"axis": 1, "reduction": "none"},
    {"axis": (1, 2, 3), "weight": 2},
    {"axis": (0, -1), "eps": 3.0, "reduction": "sum"},
    {"axis": 2, "eps": 1.5},
) | table(ak.hard_feature_loss, hard_features, PAIR, {}, {"quantile": 0.9}, {"quantile": 0.25, "weight": 3})
CASES |= {
    f"quantile {q}": Case(ak.hard_feature_loss, hard_features, PAIR, {"quantile": q}) for q in (0.0, 0.5, 0.7, 1.0)
}


@pytest.mark.library("numpy", "torch")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_is_that_of_the_formula(case, driver):
    values_agree(driver, case)


@pytest.mark.library("numpy", "torch")
@pytest.mark.parametrize("case", differing(CASES).values(), ids=differing(CASES))
def test_gradient_is_that_of_the_formula(case, driver):
    gradients_agree(driver, case)


@pytest.mark.library("numpy", "torch", "jax", "tensorflow")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equal_features_are_at_no_distance_and_none_is_below(dtype, driver):
    a = driver.array(A, dtype)
    assert (driver.numpy(ak.cosine_distance_loss(a, 1.0 * a, axis=1, reduction="none")) == 0).all()
    near = driver.array(A * (1 + 1e-7 * B), dtype)
    assert (driver.numpy(ak.cosine_distance_loss(a, near, axis=1, reduction="none")) >= 0).all()


@pytest.mark.parametrize("eps", [0.0, 1e-6])
def test_zeros_are_at_right_angles_to_everything(eps):
    zeros = np.zeros((2, 3))
    for pair in ((zeros, zeros), (zeros, np.ones((2, 3))), (np.ones((2, 3)), zeros)):
        found, slopes = ak.value_and_grad(lambda a, b: ak.cosine_distance_loss(a, b, eps=eps), argnums=(0, 1))(*pair)
        assert found == 1
        assert all(np.isfinite(slope).all() for slope in slopes)


def test_the_distance_is_half_the_squared_one_of_unit_vectors():
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (A, B))
    found = ak.cosine_distance_loss(7 * A, B / 3, axis=1)
    assert found == pytest.approx(0.5 * np.mean(np.sum((a - b) ** 2, axis=1)), rel=1e-13)
    assert ak.cosine_distance_loss(A, -A, axis=1) == pytest.approx(2.0)


def test_a_batch_twice_as_large_has_the_same_loss():
    twice = np.concatenate([A, A]), np.concatenate([B, B])
    assert ak.cosine_distance_loss(*twice, axis=1) == pytest.approx(ak.cosine_distance_loss(A, B, axis=1), rel=1e-14)


@pytest.mark.library("numpy", *DIFFERENTIATING)
def test_hard_features_alone_have_a_slope(driver):
    a, b = np.zeros(5), np.asarray([1.0, -3.0, 0.0, 2.0, -0.5])
    found = gradient(driver, lambda x: ak.hard_feature_loss(driver.array(a), x, quantile=0.7), x=b)["x"]
    np.testing.assert_allclose(found, [0.0, -3.0, 0.0, 2.0, 0.0])


def test_as_many_hard_features_are_taken_as_reach_the_interpolated_quantile():
    for seed in range(4):
        d = (draw(seed, 101) - draw(seed + 9, 101)) ** 2
        for q in (0.1, 0.5, 0.9, 0.995):
            expected = d[d >= np.quantile(d, q)].mean()
            assert ak.hard_feature_loss(np.zeros(101), np.sqrt(d), quantile=q) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("quantile", [0.0, 0.3, 0.5, 0.7, 0.999, 1.0])
def test_of_a_size_that_a_graph_leaves_open_as_many_are_taken_as_of_a_known_one(quantile):
    for size in (1, 2, 11, 40):
        d = draw(size, size)
        found = _mean_of_largest(ak.array_namespace(d), d * d, quantile)
        assert found == pytest.approx(ak.hard_feature_loss(d, 0 * d, quantile=quantile), rel=1e-14)
    assert _mean_of_largest(ak.array_namespace(d), d[:0], quantile) == 0


def test_of_ties_across_the_limit_as_many_count_as_there_is_room_for():
    assert ak.hard_feature_loss(np.zeros(4), np.asarray([2.0, 1.0, 1.0, 1.0]), quantile=0.6) == pytest.approx(2.5)


@pytest.mark.library("numpy", "torch", "jax", "tensorflow", "dask", "array_api_strict")
@pytest.mark.parametrize("quantile", [0.9, 0.999])
def test_a_nan_is_not_passed_over(quantile, driver):
    b = B.copy()
    b[1, 2, 0, 3] = math.nan
    assert np.isnan(driver.numpy(ak.hard_feature_loss(driver.array(A), driver.array(b), quantile=quantile)))


@pytest.mark.parametrize(
    ("loss", "settings", "message"),
    [
        (ak.cosine_distance_loss, {"eps": -1e-3}, "`eps` must be >= 0, got -0.001"),
        (ak.cosine_distance_loss, {"axis": 4}, "`axis` must be distinct axes of an array of 4 dimensions, got 4"),
        (ak.cosine_distance_loss, {"x_pred": B[:1]}, "`x_true` and `x_pred` must have equal shapes"),
        (ak.hard_feature_loss, {"quantile": 1.5}, "`quantile` must be >= 0 and <= 1, got 1.5"),
        (ak.hard_feature_loss, {"x_true": A[:0], "x_pred": B[:0]}, "`x_true` has shape .* nothing to average over"),
    ],
)
def test_what_does_not_fit_is_refused(loss, settings, message):
    with pytest.raises(ValueError, match=message):
        loss(**PAIR | settings)
