"""Regularisers of learnt selections."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from reference import (
    DIFFERENTIATING,
    Case,
    differing,
    draw,
    exact,
    gradient,
    gradients_agree,
    log,
    reduced,
    sqrt,
    table,
    values_agree,
)

import anomaly_kernels as ak

WIDE, TALL, WEIGHTS = draw(0, 3, 5), draw(1, 5, 3), draw(2, 2, 4, low=0.1, high=2.0)
TARGETS = ({}, {"weight": 2, "eps": 0}, {"eps": 0.1}, {"target_entropy": 1.5}, {"target_entropy": 3, "weight": -0.5})


def orthogonality(components, weight=1):
    total = 0
    for i, a in enumerate(components):
        for j, b in enumerate(components):
            total += ((a * b).sum() - (i == j)) ** 2
    return weight * total


def cosines(selection_weights, weight=0.1, eps=1e-6):
    rows, total = selection_weights, 0
    for i, a in enumerate(rows):
        for b in rows[:i]:
            total += (a * b).sum() / (max(sqrt((a * a).sum()), eps) * max(sqrt((b * b).sum()), eps))
    return weight * total / (len(rows) * (len(rows) - 1) // 2)


def entropy(weights, weight=0.01, target_entropy=None, eps=1e-6):
    p = weights / (weights.sum() + eps)
    h = -(p * log(p + eps)).sum()
    return -weight * h if target_entropy is None else weight * (h - target_entropy) ** 2


def negative_variance(weights, weight=0.01):
    return -weight * reduced((weights - reduced(weights)) ** 2)


CASES = (
    table(ak.orthogonality_loss, orthogonality, {"components": WIDE}, {}, {"weight": 0.3})
    | {"orthogonality_loss-tall": Case(ak.orthogonality_loss, orthogonality, {"components": TALL}, {"weight": -2})}
    | table(ak.distinctness_loss, cosines, {"selection_weights": TALL}, {}, {"weight": 3}, {"eps": 2.5}, {"eps": 0})
    | table(ak.selector_entropy_regularizer, entropy, {"weights": WEIGHTS}, *TARGETS)
    | table(ak.selector_diversity_regularizer, negative_variance, {"weights": WEIGHTS}, {}, {"weight": 3})
)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_is_that_of_the_formula(case, driver):
    values_agree(driver, case)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("case", differing(CASES).values(), ids=differing(CASES))
def test_gradient_is_that_of_the_formula(case, driver):
    gradients_agree(driver, case)


def test_orthonormal_rows_have_no_orthogonality_loss(driver):
    rows = np.linalg.qr(WIDE.T)[0].T
    assert driver.numpy(ak.orthogonality_loss(driver.array(rows))) == pytest.approx(0.0, abs=1e-28)


def test_more_rows_than_columns_cost_at_least_their_difference(driver):
    rows = np.linalg.qr(TALL)[0]
    assert driver.numpy(ak.orthogonality_loss(driver.array(rows), weight=0.5)) == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (np.diag([1.0, 20.0, 1e-3]), 0.0),
        (np.outer([1.0, 5.0, 1e-3], [3.0, 4.0]), 1.0),
        (np.asarray([[1.0, 2.0], [-3.0, -6.0]]), -1.0),
        (np.asarray([[1.0, 0.0], [-1.0, math.sqrt(3)], [-1.0, -math.sqrt(3)]]), -0.5),
        (np.asarray([[3.0, 4.0]]), 0.0),
        (np.zeros((3, 2)), 0.0),
        (np.asarray([[1.0, 1.0], [0.0, 0.0]]), 0.0),
        (np.asarray([[2.0], [5.0]]), 1.0),
        (np.zeros((0, 2)), 0.0),
    ],
    ids=["orthogonal", "parallel", "opposite", "spread", "alone", "zero", "one of them zero", "one column", "none"],
)
def test_distinctness_of_selectors_that_are(rows, expected, driver):
    found = driver.numpy(ak.distinctness_loss(driver.array(rows), weight=2.0))
    assert found == pytest.approx(2 * expected, abs=1e-14)


def test_short_selectors_are_divided_by_eps(driver):
    rows = np.asarray([[0.3, 0.4], [0.6, 0.8]])
    found = driver.numpy(ak.distinctness_loss(driver.array(rows), weight=1.0, eps=2.0))
    assert found == pytest.approx(0.5 / 4, rel=1e-13)


@pytest.mark.parametrize("size", [1e-3, 1e4])
def test_length_of_selectors_does_not_matter(size, driver):
    rows = driver.array(TALL * size, "float32")
    expected = float(cosines(exact(TALL), 1.0, 0.0))
    assert driver.numpy(ak.distinctness_loss(rows, weight=1.0, eps=0)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.library("numpy", *DIFFERENTIATING)
def test_gradients_are_finite_for_selectors_without_length(driver):
    def loss(rows):
        return ak.distinctness_loss(rows)

    assert np.isfinite(gradient(driver, loss, rows=np.zeros((3, 2)))["rows"]).all()
    assert (gradient(driver, loss, rows=np.asarray([[3.0, 4.0]]))["rows"] == 0).all()
    assert gradient(driver, loss, rows=np.zeros((0, 2)))["rows"].shape == (0, 2)


def test_entropy_is_that_of_scipy(driver):
    found = driver.numpy(ak.selector_entropy_regularizer(driver.array(WEIGHTS), weight=-1.0, eps=0))
    assert found == pytest.approx(scipy.stats.entropy(WEIGHTS.ravel()), rel=1e-13)


@pytest.mark.parametrize(
    ("weights", "expected"), [([0.0, 0.0, 3.0], 0.0), ([1.0, 1.0, 0.0, 0.0], math.log(2)), ([0.0, 0.0], 0.0)]
)
def test_exact_entropy_counts_weights_of_zero_as_nothing(weights, expected, driver):
    found = ak.selector_entropy_regularizer(driver.array(np.asarray(weights)), weight=-1.0, eps=0)
    assert driver.numpy(found) == pytest.approx(expected, rel=1e-14, abs=1e-15)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("eps", [0.0, 1e-6])
@pytest.mark.parametrize("weights", [[0.0, 0.0, 3.0], [0.0, 0.0], [1e-4, 1e4]])
def test_gradients_of_the_entropy_are_finite(weights, eps, driver):
    found = gradient(driver, lambda w: ak.selector_entropy_regularizer(w, eps=eps), w=np.asarray(weights))
    assert np.isfinite(found["w"]).all()


@pytest.mark.parametrize("size", [1e-4, 1e4])
def test_entropy_does_not_depend_on_the_size_of_the_weights(size, driver):
    weights = driver.array(np.asarray([1.0, 2.0, 1.0, 3.0]) * size, "float32")
    found = driver.numpy(ak.selector_entropy_regularizer(weights, weight=-1.0, eps=0))
    assert found == pytest.approx(scipy.stats.entropy([1, 2, 1, 3]), rel=1e-6)


def test_even_weights_have_no_variance_and_the_largest_entropy(driver):
    even = driver.array(np.full((2, 3), 0.7))
    assert driver.numpy(ak.selector_diversity_regularizer(even)) == pytest.approx(0.0, abs=1e-30)
    assert driver.numpy(ak.selector_entropy_regularizer(even, eps=0)) == pytest.approx(-0.01 * math.log(6), rel=1e-14)
    at_target = ak.selector_entropy_regularizer(even, target_entropy=math.log(6), eps=0, weight=1.0)
    assert driver.numpy(at_target) == pytest.approx(0.0, abs=1e-28)


def test_settings_may_be_arrays(driver):
    def setting(x):
        return driver.array(np.asarray(x))

    weights, rows = driver.array(WEIGHTS), driver.array(TALL)
    for found, expected in [
        (
            ak.selector_entropy_regularizer(
                weights, target_entropy=setting(1.5), eps=setting(0.1), weight=setting(2.0)
            ),
            ak.selector_entropy_regularizer(weights, target_entropy=1.5, eps=0.1, weight=2.0),
        ),
        (ak.distinctness_loss(rows, eps=setting(2.5)), ak.distinctness_loss(rows, eps=2.5)),
        (ak.orthogonality_loss(rows, weight=setting(0.5)), ak.orthogonality_loss(rows, weight=0.5)),
    ]:
        assert driver.numpy(found) == pytest.approx(float(driver.numpy(expected)), rel=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ak.orthogonality_loss(WIDE[0]), r"`components` must have shape \(K, C\), got \(5,\)"),
        (lambda: ak.orthogonality_loss(WIDE[:, :0]), r"`components` has shape \(3, 0\): there is nothing to average"),
        (lambda: ak.distinctness_loss(WIDE[0]), r"`selection_weights` must have shape \(K, C\), got \(5,\)"),
        (lambda: ak.distinctness_loss(WIDE[:, :0]), r"`selection_weights` has shape \(3, 0\): there is nothing to"),
        (lambda: ak.distinctness_loss(WIDE, eps=-1e-9), "`eps` must be >= 0, got -1e-09"),
        (lambda: ak.selector_entropy_regularizer(WEIGHTS, eps=-1), "`eps` must be >= 0, got -1"),
        (lambda: ak.selector_entropy_regularizer(WEIGHTS[:0]), r"`weights` has shape \(0, 4\): there is nothing to"),
        (
            lambda: ak.selector_diversity_regularizer(WEIGHTS[:, :0]),
            r"`weights` has shape \(2, 0\): there is nothing to",
        ),
    ],
)
def test_the_message_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", ["weight", "eps", "target_entropy"])
def test_settings_must_be_numbers(name):
    with pytest.raises(TypeError, match=f"`{name}` must be a number or a 0-d array, got str"):
        ak.selector_entropy_regularizer(WEIGHTS, **{name: "one"})


@pytest.mark.parametrize("loss", [ak.orthogonality_loss, ak.distinctness_loss, ak.selector_diversity_regularizer])
def test_weights_must_be_numbers(loss):
    with pytest.raises(TypeError, match="`weight` must be a number or a 0-d array, got str"):
        loss(WIDE, weight="one")


def test_rows_of_very_different_length_count_alike(driver):
    rows = np.asarray([[3e4, 4e4], [3e-4, 4e-4]])
    found = driver.numpy(ak.distinctness_loss(driver.array(rows), weight=1.0, eps=0))
    assert found == pytest.approx(1.0, rel=1e-14)
