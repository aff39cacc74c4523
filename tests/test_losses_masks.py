"""Losses of masks: focal, Dice, Tversky and the Lovász hinge against plain loops, and what they promise at edges."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from mpmath import mp
from reference import DIFFERENTIATING, Case, differing, draw, gradient, gradients_agree, reduced, table, values_agree

import anomaly_kernels as ak

SHAPE = (3, 2, 4)
MASK, SOFT, SCORE = draw(0, *SHAPE) > 0.3, draw(1, *SHAPE, low=0.0, high=1.0), draw(2, *SHAPE)
METHODS = ("sigmoid", "clamp", "minmax")


def each_image(loss, target, score, axis):
    """A function of flat lists for each image, whose axes are the last ones or all."""
    if axis is None:
        return np.asarray(loss(list(target.flat), list(score.flat)), dtype=object)
    chosen = [k % target.ndim for k in (axis if isinstance(axis, tuple) else (axis,))]
    rest = [k for k in range(target.ndim) if k not in chosen]
    target, score = (np.transpose(x, (*rest, *chosen)) for x in (target, score))
    shape = target.shape[: len(rest)]
    values = [loss(list(target[k].flat), list(score[k].flat)) for k in np.ndindex(*shape)]
    return np.asarray(values, dtype=object).reshape(shape)


def focal(target, logit, alpha=0.25, gamma=2, weight=1, reduction="mean"):
    values = []
    for y, x in zip(target.flat, logit.flat, strict=True):
        p = 1 / (1 + mp.exp(-x))
        of_anomaly, of_normal = (1, 1) if alpha is None else (alpha, 1 - alpha)
        loss = -of_anomaly * y * (1 - p) ** gamma * mp.log(p) - of_normal * (1 - y) * p**gamma * mp.log(1 - p)
        values.append(weight * loss)
    return reduced(np.asarray(values, dtype=object).reshape(target.shape), reduction)


def soft_mask(score, method):
    if method == "sigmoid":
        return [1 / (1 + mp.exp(-x)) for x in score]
    if method == "clamp":
        return [min(max(x, 0), 1) for x in score]
    return [(x - min(score)) / (max(score) - min(score)) for x in score]


def dice(target, score, normalize_method="sigmoid", squared=False, smooth=1e-6, axis=None, weight=1):
    power = 2 if squared else 1

    def loss(y, x):
        q = soft_mask(x, normalize_method)
        above = 2 * sum(a * b for a, b in zip(q, y, strict=True)) + smooth
        below = sum(a**power + b**power for a, b in zip(q, y, strict=True)) + smooth
        return weight * (1 - above / below)

    return each_image(loss, target, score, axis)


def tversky(target, score, normalize_method="sigmoid", alpha=0.5, beta=0.5, gamma=1, smooth=1e-6, axis=None, weight=1):
    def loss(y, x):
        hits = alarms = misses = 0
        for a, b in zip(soft_mask(x, normalize_method), y, strict=True):
            hits, alarms, misses = hits + a * b, alarms + a * (1 - b), misses + (1 - a) * b
        return weight * (1 - (hits + smooth) / (hits + alpha * alarms + beta * misses + smooth)) ** gamma

    return each_image(loss, target, score, axis)


def lovasz(target, logit, axis=None, weight=1):
    """By the definition: the Jaccard loss of the largest errors, one more at a time."""

    def loss(y, x):
        errors = sorted(
            ((1 - a * (1 if b else -1), k) for k, (a, b) in enumerate(zip(x, y, strict=True))), reverse=True
        )
        anomalous = {k for k, b in enumerate(y) if b}

        def jaccard(wrong):
            found = anomalous ^ set(wrong)  # the wrong pixels are decided the other way
            both = anomalous | found
            return 1 - mp.mpf(len(anomalous & found)) / len(both) if both else mp.mpf(0)

        order = [k for _, k in errors]
        levels = [jaccard(order[:n]) for n in range(len(order) + 1)]
        return weight * sum(max(e, 0) * (b - a) for (e, _), (a, b) in zip(errors, pairwise(levels), strict=True))

    return each_image(loss, target, logit, axis)


LOGITS, MASKS = {"target": MASK, "logit": SCORE}, {"target": MASK, "score": SCORE}
CASES = (
    table(
        ak.focal_loss_with_logits,
        focal,
        LOGITS,
        {},
        {"reduction": "sum", "alpha": None},
        {"reduction": "none", "gamma": 0.5, "weight": 3},
        {"alpha": 0.75, "gamma": 0},
    )
    | {"soft focal": Case(ak.focal_loss_with_logits, focal, {"target": SOFT, "logit": SCORE}, {"gamma": 3})}
    | table(
        ak.dice_loss,
        dice,
        MASKS,
        {},
        {"squared": True, "smooth": 1, "weight": -0.5},
        {"axis": (-1, 0)},
        *({"normalize_method": method, "axis": (1, 2), "squared": method == "minmax"} for method in METHODS),
    )
    | {
        f"soft dice, {power}": Case(ak.dice_loss, dice, {"target": SOFT, "score": SCORE}, {"squared": power == 2})
        for power in (1, 2)
    }
    | table(
        ak.tversky_loss,
        tversky,
        MASKS,
        {},
        {"alpha": 0.3, "beta": 0.7, "smooth": 0},
        {"alpha": 1.5, "beta": 0, "smooth": 0.5, "gamma": 0.75},
        {"alpha": 0.2, "beta": 2, "gamma": 2, "axis": 1, "weight": 2},
        *({"normalize_method": method, "alpha": 0.2, "gamma": 1.5, "axis": (1, 2)} for method in METHODS),
    )
    | {"soft tversky": Case(ak.tversky_loss, tversky, {"target": SOFT, "score": SCORE}, {"gamma": 1.5, "alpha": 0.3})}
    | table(ak.lovasz_hinge_loss, lovasz, LOGITS, {}, {"axis": (1, 2)}, {"axis": 0, "weight": 2}, {"axis": (-1, 0)})
)


@pytest.mark.library("numpy", "torch")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_is_that_of_the_formula(case, driver):
    values_agree(driver, case)


@pytest.mark.library("numpy", "torch")
@pytest.mark.parametrize("case", differing(CASES).values(), ids=differing(CASES))
def test_gradient_is_that_of_the_formula(case, driver):
    gradients_agree(driver, case)


def test_a_focal_loss_without_focus_is_the_cross_entropy():
    expected = ak.anomaly_bce_with_logits(SOFT, SCORE, reduction="none")
    found = ak.focal_loss_with_logits(SOFT, SCORE, alpha=None, gamma=0, reduction="none")
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    np.testing.assert_allclose(
        ak.focal_loss_with_logits(SOFT, SCORE, alpha=0.5, gamma=0, reduction="none"), expected / 2, rtol=1e-14
    )


@pytest.mark.library(*DIFFERENTIATING)
@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_the_focal_loss_of_pixels_that_are_right_has_a_gradient_that_is_no_nan(gamma, driver):
    logits = np.asarray([20.0, 90.0, 1000.0, -1000.0])
    target = driver.array(np.asarray([1.0, 1.0, 1.0, 0.0]), "float32")

    def loss(logit):
        return ak.focal_loss_with_logits(target, logit, gamma=gamma, alpha=None, reduction="sum")

    slope = driver.numpy(ak.value_and_grad(loss)(driver.array(logits, "float32"))[1])
    assert np.isfinite(slope).all()
    tail = mp.exp(-20)
    expected = -((tail / (1 + tail)) ** gamma) * (gamma * mp.log1p(tail) / (1 + tail) + tail / (1 + tail))
    assert slope[0] == pytest.approx(float(expected), rel=1e-5)


def test_false_alarms_cost_unless_alpha_is_1():
    normal, alarm = np.zeros(3), np.full(3, 4.0)
    assert ak.focal_loss_with_logits(normal, alarm, alpha=0.25) > 2.5
    assert ak.focal_loss_with_logits(normal, alarm, alpha=None) > 3.5
    assert ak.focal_loss_with_logits(normal, alarm, alpha=1.0) == 0


def test_dice_is_the_f1_score_and_tversky_has_it_and_the_iou_within():
    decision = SCORE > 0
    q = {"target": MASK, "score": decision.astype(float), "normalize_method": "clamp", "smooth": 0}
    counts = ak.anomaly_detection_metrics(MASK, decision)
    assert ak.dice_loss(**q) == pytest.approx(1 - counts.f1_score)
    assert ak.dice_loss(**q, squared=True) == pytest.approx(1 - counts.f1_score)
    assert ak.tversky_loss(MASK, SCORE, smooth=0.5) == pytest.approx(ak.dice_loss(MASK, SCORE, smooth=1.0))
    assert ak.tversky_loss(MASK, SCORE, alpha=1, beta=1) == pytest.approx(ak.iou_loss(MASK, SCORE))


def test_alpha_of_tversky_weighs_false_alarms_and_beta_misses():
    mask = np.asarray([1.0, 1.0, 0.0, 0.0])
    alarm, miss = np.asarray([1.0, 1.0, 1.0, 0.0]), np.asarray([1.0, 0.0, 0.0, 0.0])

    def loss(score, **weights):
        return ak.tversky_loss(mask, score, normalize_method="clamp", smooth=0, **weights)

    assert loss(alarm, alpha=0.3, beta=0.7) == pytest.approx(1 - 2 / 2.3)
    assert loss(miss, alpha=0.3, beta=0.7) == pytest.approx(1 - 1 / 1.7)
    assert loss(alarm, alpha=0, beta=1) == loss(miss, alpha=1, beta=0) == 0


LOSSES = {
    "dice": ak.dice_loss,
    "squared dice": lambda y, x, **rest: ak.dice_loss(y, x, squared=True, **rest),
    "tversky": ak.tversky_loss,
    "focal tversky": lambda y, x, **rest: ak.tversky_loss(y, x, gamma=0.75, **rest),
}
each_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


@pytest.mark.library("numpy", "torch")
@each_loss
@pytest.mark.parametrize("smooth", [0, 1e-6, 1.0])
def test_empty_masks_agree(loss, smooth, driver):
    nothing = driver.array(np.zeros(4))
    assert driver.numpy(loss(nothing, nothing, normalize_method="clamp", smooth=smooth)) == 0


@each_loss
@pytest.mark.parametrize("axis", [None, 1])
def test_an_empty_mask_with_alarms_has_a_loss_and_a_gradient(loss, axis):
    alarms = np.full((1, 8), 2.0)
    value, slope = ak.value_and_grad(
        lambda score: ak.array_namespace(score).sum(loss(np.zeros((1, 8)), score, axis=axis))
    )(alarms)
    assert value == pytest.approx(1.0, abs=1e-5)
    assert (slope > 0).all()


@pytest.mark.library("numpy", *DIFFERENTIATING)
@each_loss
@pytest.mark.parametrize("scale", [0.0, 60.0, 1000.0])
@pytest.mark.parametrize("smooth", [0, 1e-6])
def test_gradients_are_finite_where_all_is_right_or_empty(loss, smooth, scale, driver):
    for mask in (np.zeros(4), np.asarray([1.0, 0.0, 1.0, 0.0]), np.ones(4)):
        score = driver.array(scale * (2 * mask - 1), "float32")
        truth = driver.array(mask, "float32")
        value, slope = ak.value_and_grad(lambda x, y=truth: loss(y, x, smooth=smooth))(score)
        assert np.isfinite(driver.numpy(value))
        assert np.isfinite(driver.numpy(slope)).all()


@pytest.mark.library("numpy", "torch")
@pytest.mark.parametrize("gamma", [0.5, 0.75])
def test_a_power_of_few_errors_keeps_its_digits(gamma, driver):
    mask = np.asarray([1.0, 0.0, 1.0, 0.0])
    score, truth = driver.array(np.where(mask, 18.0, -18.0), "float32"), driver.array(mask, "float32")
    value, slope = ak.value_and_grad(lambda x: ak.tversky_loss(truth, x, gamma=gamma, smooth=0))(score)
    wrong = 1 / (1 + mp.exp(18))
    index = (2 * wrong) / (2 * (1 - wrong) + 2 * wrong)
    assert driver.numpy(value) == pytest.approx(float(index**gamma), rel=1e-5)
    expected = gamma * index ** (gamma - 1) * wrong * (1 - wrong) / 4
    np.testing.assert_allclose(driver.numpy(slope), np.where(mask, -1, 1) * float(expected), rtol=1e-5)


@each_loss
def test_soft_masks_of_half_precision_do_not_overflow(loss):
    mask = np.ones(2**17, bool)
    assert loss(mask, np.full(2**17, 30.0, np.float16)) == pytest.approx(0.0, abs=1e-6)


def test_the_lovasz_hinge_of_an_empty_mask_is_the_hinge_of_the_worst_pixel():
    assert ak.lovasz_hinge_loss(np.zeros(4), np.asarray([-3.0, 0.5, 2.0, -1.0])) == 3.0
    assert ak.lovasz_hinge_loss(np.zeros(4), np.full(4, -3.0)) == 0.0


def test_the_lovasz_hinge_of_decisions_is_twice_their_jaccard_loss():
    for seed in range(5):
        decision = draw(10 + seed, 24) > 0
        truth = draw(20 + seed, 24) > 0.5
        jaccard = 1 - (decision & truth).sum() / (decision | truth).sum()
        assert ak.lovasz_hinge_loss(truth, np.where(decision, 1.0, -1.0)) == pytest.approx(2 * jaccard)


def test_only_0_is_normal_to_the_lovasz_hinge():
    assert ak.lovasz_hinge_loss(255 * MASK.astype(np.uint8), SCORE) == ak.lovasz_hinge_loss(MASK, SCORE)
    target = np.where(MASK, 1.0, 0.0)
    target[0, 0, 0] = math.nan
    assert np.isnan(ak.lovasz_hinge_loss(target, SCORE))


@pytest.mark.library("numpy", *DIFFERENTIATING)
def test_the_slope_of_the_lovasz_hinge_is_that_of_the_jaccard_loss(driver):
    mask = driver.array(np.asarray([True, False, False]))
    found = gradient(driver, lambda logit: ak.lovasz_hinge_loss(mask, logit), logit=np.asarray([-1.0, 0.5, -3.0]))
    np.testing.assert_allclose(found["logit"], [-1.0, 0.0, 0.0], atol=1e-15)  # once all is lost, nothing more is


@pytest.mark.parametrize(
    ("loss", "arrays", "message"),
    [
        (ak.dice_loss, {"target": MASK[:1], "score": SCORE}, "`target` and `score` must have equal shapes"),
        (ak.tversky_loss, {"target": 2 * MASK.astype(int), "score": SCORE}, "`target` must be 0 or 1"),
        (ak.focal_loss_with_logits, {"target": 2 * MASK.astype(int), "logit": SCORE}, "`target` must be 0 or 1"),
        (ak.lovasz_hinge_loss, {"target": MASK[:0], "logit": SCORE[:0]}, "`target` has shape .* nothing to average"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(loss, arrays, message):
    with pytest.raises(ValueError, match=message):
        loss(**arrays)


@pytest.mark.parametrize(
    ("loss", "settings"),
    [
        (ak.focal_loss_with_logits, {"alpha": 1.5}),
        (ak.focal_loss_with_logits, {"gamma": -1}),
        (ak.tversky_loss, {"beta": -0.5}),
        (ak.tversky_loss, {"gamma": 0}),
        (ak.svdd_radius, {"beta": 0}),
    ],
)
def test_settings_out_of_range_are_refused(loss, settings):
    arrays = (np.asarray(0.5),) if loss is ak.svdd_radius else (MASK, SCORE)
    (name,) = settings
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        loss(*arrays, **settings)
