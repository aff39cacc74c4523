"""Outlier exposure: classes and outliers each in a mean of their own, bounded energies, scores of logits."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import scipy.stats
from mpmath import mp
from reference import DIFFERENTIATING, Case, differing, draw, exp, gradient, gradients_agree, log, table, values_agree

import anomaly_kernels as ak

LOGIT = draw(0, 6, 2, 4, low=-3.0, high=3.0)
CLASSES = np.random.default_rng(1).integers(-2, 4, (6, 2))
MASK, SOFT = CLASSES < 0, draw(2, 6, 2, low=0.0, high=1.0)
METHODS = ("energy", "max_softmax", "max_logit", "entropy")
CONFIDENT = np.asarray([[30.0, 0.0, 0.0], [20.0, 0.0, 0.0], [18.0, 0.0, 0.0]])


def lse(x):
    return log(exp(x).sum(-1))


def mean_of(values):
    return sum(values) / len(values) if len(values) else 0


def exposure(target, logit, outlier_weight=0.5, weight=1):
    inside, outside = [], []
    for y, x in zip(np.ravel(target), logit.reshape(-1, logit.shape[-1]), strict=True):
        (outside if y < 0 else inside).append(lse(x) - (x.sum() / len(x) if y < 0 else x[int(y)]))
    return weight * (mean_of(inside) + outlier_weight * mean_of(outside))


def bounds(target, logit, margin_in=-25, margin_out=-7, temperature=1, weight=1):
    energy = -temperature * lse(logit / temperature)
    normal = sum((1 - y) * max(0, e - margin_in) ** 2 for y, e in zip(target.flat, energy.flat, strict=True))
    outliers = sum(y * max(0, margin_out - e) ** 2 for y, e in zip(target.flat, energy.flat, strict=True))
    return weight * (normal / np.sum(1 - target) + outliers / np.sum(target))


def score(logit, method="energy", temperature=1):
    p = exp(logit / temperature)
    p = p / p.sum(-1, keepdims=True)
    return {
        "energy": lambda: -temperature * lse(logit / temperature),
        "max_softmax": lambda: 1 - p.max(-1),
        "max_logit": lambda: -logit.max(-1),
        "entropy": lambda: -(p * log(p)).sum(-1),
    }[method]()


LABELLED = {"target": CLASSES, "logit": LOGIT}
NARROW = {"margin_in": -2.5, "margin_out": -1}
CASES = (
    table(ak.outlier_exposure_loss, exposure, LABELLED, {}, {"outlier_weight": 2, "weight": 0.3}, {"outlier_weight": 0})
    | table(ak.energy_bounded_loss, bounds, LABELLED | {"target": SOFT}, {}, NARROW)
    | table(ak.energy_bounded_loss, bounds, LABELLED | {"target": MASK}, NARROW | {"temperature": 2, "weight": 0.1})
    | table(
        ak.logit_score, score, {"logit": LOGIT}, *({"method": m, "temperature": t} for m in METHODS for t in (1, 3))
    )
    | {"logit_score-of one class": Case(ak.logit_score, score, {"logit": LOGIT[..., :1]}, {"method": "entropy"})}
)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_is_that_of_the_formula(case, driver):
    values_agree(driver, case)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("case", differing(CASES).values(), ids=differing(CASES))
def test_gradient_is_that_of_the_formula(case, driver):
    gradients_agree(driver, case)


def test_an_unknown_class_makes_the_loss_unknown_among_outliers_too(driver):
    for target in ([np.nan, np.nan], [np.nan, -1.0], [np.nan, 0.0]):
        found = ak.outlier_exposure_loss(driver.array(np.asarray(target)), driver.array(LOGIT[:2, 0]))
        assert np.isnan(driver.numpy(found))


def test_a_mask_of_outliers_has_no_classes(driver):
    with pytest.raises(TypeError, match=r"^`target` must be classes, got booleans: use `where\(outlier, -1, label\)`$"):
        ak.outlier_exposure_loss(driver.array(MASK), driver.array(LOGIT))


@pytest.mark.library("torch")
def test_of_classes_alone_it_is_the_cross_entropy_of_torch(driver):
    import torch

    target, logit = torch.as_tensor(np.abs(CLASSES)), torch.as_tensor(LOGIT)
    expected = torch.nn.functional.cross_entropy(logit.movedim(-1, 1), target)
    torch.testing.assert_close(ak.outlier_exposure_loss(target, logit), expected, rtol=1e-14, atol=0)


@pytest.mark.library("numpy")
def test_scores_are_those_of_scipy():
    np.testing.assert_allclose(ak.logit_score(LOGIT), -scipy.special.logsumexp(LOGIT, axis=-1), rtol=1e-14)
    p = scipy.special.softmax(LOGIT, axis=-1)
    np.testing.assert_allclose(ak.logit_score(LOGIT, method="entropy"), scipy.stats.entropy(p, axis=-1), rtol=1e-13)
    np.testing.assert_allclose(ak.logit_score(LOGIT, method="max_softmax"), 1 - p.max(-1), rtol=1e-13)


def test_how_many_outliers_a_batch_has_does_not_matter(driver):
    found = [
        driver.numpy(ak.outlier_exposure_loss(driver.array(CLASSES[rows, 0]), driver.array(LOGIT[rows, 0])))
        for rows in (
            np.asarray([0, 1, 2, 3, 4, 5]),
            np.asarray([k for k in range(6) for _ in range(1 + 3 * MASK[k, 0])]),
        )
    ]
    assert 0 < MASK[:, 0].sum() < 6
    np.testing.assert_allclose(found[0], found[1], rtol=1e-14)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("outliers", [0, 1])
def test_a_group_without_members_counts_nothing_in_value_and_slope(outliers, driver):
    logit = LOGIT[:, 0]
    classes = driver.array(np.full(6, -1) if outliers else np.ones(6, int))
    truth = driver.array(np.full(6, outliers))
    spread = scipy.special.logsumexp(logit, -1)
    expected = 0.5 * (spread - logit.mean(-1)).mean() if outliers else (spread - logit[:, 1]).mean()
    np.testing.assert_allclose(driver.numpy(ak.outlier_exposure_loss(classes, driver.array(logit))), expected)
    energy = (np.maximum(0, 3 + spread) if outliers else np.maximum(0, 4 - spread)) ** 2
    found = ak.energy_bounded_loss(truth, driver.array(logit), margin_in=-4, margin_out=3)
    np.testing.assert_allclose(driver.numpy(found), energy.mean())
    slopes = gradient(driver, lambda x: ak.outlier_exposure_loss(classes, x), x=logit)["x"]
    p = scipy.special.softmax(logit, -1)
    wanted = 0.5 * (p - 0.25) / 6 if outliers else (p - np.eye(4)[1]) / 6
    np.testing.assert_allclose(slopes, wanted, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_confident_samples_keep_their_digits_and_their_order(dtype, driver):
    # 1 - max p and the logarithm of p are 0 or equal in float32, if so computed
    x, zeros = driver.array(CONFIDENT, dtype), driver.array(np.zeros(3, int))
    p = [mp.exp(-int(row[0])) for row in CONFIDENT]
    unsure = [float(2 * q / (1 + 2 * q)) for q in p]
    entropy = [float(mp.log1p(2 * q) - 2 * q * mp.log(q) / (1 + 2 * q)) for q in p]
    loss = [float(mp.log1p(2 * q)) for q in p]
    rtol = 1e-13 if dtype == "float64" else 1e-6
    np.testing.assert_allclose(driver.numpy(ak.logit_score(x, method="max_softmax")), unsure, rtol=rtol)
    np.testing.assert_allclose(driver.numpy(ak.logit_score(x, method="entropy")), entropy, rtol=rtol)
    np.testing.assert_allclose(driver.numpy(ak.outlier_exposure_loss(zeros, x)), np.mean(loss), rtol=rtol)


@pytest.mark.library("numpy", *DIFFERENTIATING)
def test_slopes_at_tied_logits_are_shared(driver):
    x = np.asarray([[2.0, 2.0, -1.0]])
    p = scipy.special.softmax(x)
    zero = driver.array(np.zeros(1, int))
    found = gradient(driver, lambda x: ak.outlier_exposure_loss(zero, x), x=x)["x"]
    np.testing.assert_allclose(found, p - [[1, 0, 0]], rtol=1e-14)
    entropy = gradient(driver, lambda x: ak.logit_score(x, method="entropy"), x=x)["x"]
    np.testing.assert_allclose(entropy, -p * (np.log(p) + scipy.stats.entropy(p[0])), rtol=1e-13)


def test_classes_that_are_ruled_out_take_no_part(driver):
    x = np.concatenate([LOGIT, np.full((6, 2, 2), -np.inf)], -1)
    for method in METHODS:
        found = driver.numpy(ak.logit_score(driver.array(x), method=method))
        np.testing.assert_allclose(found, ak.logit_score(LOGIT, method=method), rtol=1e-14, err_msg=method)


@pytest.mark.library("numpy", "torch")
def test_targets_may_be_whole_numbers_of_floats_and_nan_stays(driver):
    logit = driver.array(LOGIT)
    expected = driver.numpy(ak.outlier_exposure_loss(driver.array(CLASSES), logit))
    assert driver.numpy(ak.outlier_exposure_loss(driver.array(CLASSES.astype(float)), logit)) == expected
    unknown = np.where(np.arange(12).reshape(6, 2) == 5, np.nan, CLASSES)
    assert np.isnan(driver.numpy(ak.outlier_exposure_loss(driver.array(unknown), logit)))


@pytest.mark.library("numpy", "torch", "tensorflow")
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"target": np.asarray(1), "logit": np.asarray(0.5)},
            r"^`logit` must have shape \(\.\.\., C\), got \(\)$",
        ),
        ({"target": CLASSES + 2}, "`target` must be a class below 4, got [45]"),
        ({"target": CLASSES + 0.5}, r"`target` must be of whole numbers, got -?\d\.5"),
        ({"target": CLASSES[:, 0]}, "`target` must have shape of `logit` without the last axis"),
        ({"target": CLASSES[:0], "logit": LOGIT[:0]}, "`logit` has shape .*: there is nothing to average over"),
    ],
)
def test_the_message_says_what_is_wrong(changed, message, driver):
    with pytest.raises(ValueError, match=message):
        ak.outlier_exposure_loss(**{name: driver.array(x) for name, x in (LABELLED | changed).items()})
