"""Cross entropy of each pixel, and overlap of the whole mask."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import sklearn.metrics
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

SHAPE = (3, 2, 4)
MASK, SOFT, SCORE = draw(0, *SHAPE) > 0.3, draw(1, *SHAPE, low=0.0, high=1.0), draw(2, *SHAPE)
EPS = float(np.finfo(np.float64).eps)
BCE_SETTINGS = ({}, {"reduction": "sum", "weight": 0.3}, {"reduction": "none", "pos_weight": 3}, {"pos_weight": 0.25})
IOU_SETTINGS = ({}, {"smooth": 1}, {"smooth": 0, "weight": -0.5}, {"axis": 1}, {"axis": (-1, 0), "weight": 2})


def of_samples(sample_weight, values):
    """Weights (B,), or one for each value, as factors of values."""
    if sample_weight is None:
        return 1
    return sample_weight if sample_weight.ndim == values.ndim else sample_weight.reshape(-1, *[1] * (values.ndim - 1))


def cross_entropy(target, logit, pos_weight=1, weight=1, reduction="mean", sample_weight=None):
    p = 1 / (1 + exp(-logit))
    values = -weight * (pos_weight * target * log(p) + (1 - target) * log(1 - p))
    return reduced(of_samples(sample_weight, values) * values, reduction)


def overlap(target, score, normalize_method="sigmoid", smooth=1e-6, axis=None, weight=1, sample_weight=None):
    if normalize_method == "sigmoid":
        q = 1 / (1 + exp(-score))
    elif normalize_method == "clamp":
        q = np.asarray([min(max(x, 0), 1) for x in score.flat]).reshape(score.shape)
    else:
        low, high = score.min(axis=axis, keepdims=True), score.max(axis=axis, keepdims=True)
        q = (score - low) / (high - low)
    common, union = (q * target).sum(axis=axis), (q + target - q * target).sum(axis=axis)
    losses = weight * (1 - (common + smooth) / (union + smooth))
    return of_samples(sample_weight, losses) * losses


METHODS = ("sigmoid", "clamp", "minmax")
CASES = (
    table(ak.anomaly_bce_with_logits, cross_entropy, {"target": MASK, "logit": SCORE}, *BCE_SETTINGS)
    | {
        "anomaly_bce_with_logits-soft target": Case(
            ak.anomaly_bce_with_logits, cross_entropy, {"target": SOFT, "logit": SCORE}, {"weight": 2}
        ),
        "anomaly_bce_with_logits-pos_weight array": Case(
            ak.anomaly_bce_with_logits,
            cross_entropy,
            {"target": SOFT, "logit": SCORE, "pos_weight": np.asarray(1.5)},
            {"reduction": "none"},
        ),
    }
    | {
        f"anomaly_bce_with_logits-pos_weight {p.shape}": Case(
            ak.anomaly_bce_with_logits, cross_entropy, {"target": SOFT, "logit": SCORE, "pos_weight": p}, {}
        )
        for p in (draw(3, *shape, low=0.5, high=3.0) for shape in ((4,), (1,), (2, 1), (3, 1, 1), SHAPE))
    }
    | {
        f"anomaly_bce_with_logits-sample_weight {v.shape} {reduction}": Case(
            ak.anomaly_bce_with_logits,
            cross_entropy,
            {"target": SOFT, "logit": SCORE, "sample_weight": v},
            {"reduction": reduction, "weight": 2},
        )
        for v in (draw(4, *shape, low=0.0, high=3.0) for shape in ((3,), SHAPE))
        for reduction in ("mean", "sum", "none")
    }
    | {
        f"iou_loss-sample_weight {v.shape}": Case(
            ak.iou_loss, overlap, {"target": MASK, "score": SCORE, "sample_weight": v}, {"axis": axis}
        )
        for v, axis in ((draw(5, 3), (1, 2)), (draw(6, 3, 4), 1), (draw(7, 3), -1))
    }
    | {
        f"{name}-{method}": Case(case.kernel, case.reference, case.inputs, case.settings | {"normalize_method": method})
        for name, case in table(ak.iou_loss, overlap, {"target": MASK, "score": SCORE}, *IOU_SETTINGS).items()
        for method in METHODS
    }
    | {
        f"iou_loss-soft target-{method}": Case(
            ak.iou_loss, overlap, {"target": SOFT, "score": SCORE}, {"normalize_method": method, "axis": (1, 2)}
        )
        for method in METHODS
    }
)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_is_that_of_the_formula(case, driver):
    values_agree(driver, case)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("case", differing(CASES).values(), ids=differing(CASES))
def test_gradient_is_that_of_the_formula(case, driver):
    gradients_agree(driver, case)


def test_cross_entropy_is_that_of_scikit_learn(driver):
    found = driver.numpy(ak.anomaly_bce_with_logits(driver.array(MASK), driver.array(SCORE)))
    expected = sklearn.metrics.log_loss(MASK.ravel(), scipy.special.expit(SCORE.ravel()))
    assert found == pytest.approx(expected, rel=1e-12)


LOGITS = (-1000.0, -104.0, -40.0, -17.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 17.0, 40.0, 104.0, 1000.0)


def cross_entropies(driver, target, pos_weight, dtype):
    """Those of the logits, and what they are in 50 digits."""
    logits = np.asarray(LOGITS, dtype)
    arrays = driver.array(np.full_like(logits, target), dtype), driver.array(logits, dtype)
    found = driver.numpy(ak.anomaly_bce_with_logits(*arrays, pos_weight=pos_weight, reduction="none"))
    positive, exactly = mp.mpf(pos_weight or 1) * target, [mp.mpf(float(x)) for x in logits]
    terms = [(positive * mp.log1p(mp.exp(-x)), (1 - target) * mp.log1p(mp.exp(x))) for x in exactly]
    return found, [float(sum(each)) for each in terms]


@pytest.mark.library("numpy", "array_api_strict", "dask", "jax", "tensorflow")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("pos_weight", [None, 3.0])
def test_cross_entropy_keeps_its_digits_at_confident_logits(target, pos_weight, dtype, driver):
    found, expected = cross_entropies(driver, target, pos_weight, dtype)
    np.testing.assert_allclose(found, expected, rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("pos_weight", [None, 3.0])
def test_cross_entropy_is_accurate_relative_to_its_logit(target, pos_weight, dtype, driver):
    # torch has an operation of its own, in which x - x is what is left of a confident logit
    found, expected = cross_entropies(driver, target, pos_weight, dtype)
    bounds = 4 * np.finfo(dtype).eps * np.maximum(np.abs(LOGITS), 1.0)
    assert (np.abs(found - expected) <= bounds).all()


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("pos_weight", [None, 3.0])
@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
def test_slope_of_the_cross_entropy_is_accurate_relative_to_the_terms_that_cancel_in_it(target, pos_weight, driver):
    logits = np.asarray(LOGITS)
    truth = driver.array(np.full_like(logits, target))

    def loss(logit):
        return ak.anomaly_bce_with_logits(truth, logit, reduction="sum", pos_weight=pos_weight)

    sigmoid = [1 / (1 + mp.exp(-mp.mpf(x))) for x in LOGITS]
    p = pos_weight or 1
    expected = [float((1 - target) * q - p * target * (1 - q)) for q in sigmoid]
    np.testing.assert_allclose(gradient(driver, loss, logit=logits)["logit"], expected, rtol=8 * EPS, atol=4 * p * EPS)


@pytest.mark.library(*DIFFERENTIATING)
@pytest.mark.parametrize(("logit", "expected"), [(0.0, 0.25), (2.0, 0.10499358540350652), (-2.0, 0.10499358540350652)])
def test_curvature_of_the_cross_entropy_is_that_of_the_sigmoid(logit, expected, driver):
    truth, one = driver.array(np.ones(1)), {"logit": driver.array(np.ones(1))}
    found = driver.curvature(
        lambda a: ak.anomaly_bce_with_logits(truth, a["logit"]), {"logit": driver.array(np.full(1, logit))}, one
    )
    assert driver.numpy(found) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["bool", "int32", "int64", "float32"])
def test_masks_of_any_type_mean_the_same(kind, method, driver):
    mask, score = driver.array(MASK.astype(kind)), driver.array(SCORE)
    expected = driver.numpy(ak.iou_loss(driver.array(MASK.astype(float)), score, normalize_method=method))
    assert driver.numpy(ak.iou_loss(mask, score, normalize_method=method)) == expected
    found = driver.numpy(ak.anomaly_bce_with_logits(mask, score))
    assert found.dtype == "float64"
    assert found == driver.numpy(ak.anomaly_bce_with_logits(driver.array(MASK.astype(float)), score))


@pytest.mark.library("numpy", "torch", "jax", "tensorflow", "dask")  # array-api-strict has no half precision
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("axis", [None, (1, 2)])
def test_scores_of_half_precision_give_the_loss_of_the_same_float32(axis, method, driver):
    mask = driver.array(MASK)
    for half in driver.halves:
        score = driver.array(SCORE, half)
        single = driver.array(driver.numpy(score), "float32")
        found, expected = (
            driver.numpy(ak.iou_loss(mask, x, normalize_method=method, axis=axis)) for x in (score, single)
        )
        assert found.dtype == "float32"
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("method", METHODS)
def test_each_image_has_its_own_loss_over_its_axes(method, driver):
    mask, score = driver.array(MASK), driver.array(SCORE)
    found = driver.numpy(ak.iou_loss(mask, score, axis=(1, 2), normalize_method=method))
    each = [ak.iou_loss(mask[k, ...], score[k, ...], normalize_method=method) for k in range(SHAPE[0])]
    np.testing.assert_allclose(found, [float(driver.numpy(x)) for x in each], rtol=1e-14)


@pytest.mark.parametrize("smooth", [0, 1e-6])
@pytest.mark.parametrize(("mask", "expected"), [(np.zeros(4), 0.0), (np.ones(4), 1.0)])
def test_empty_masks_agree(mask, expected, smooth, driver):
    found = ak.iou_loss(driver.array(mask), driver.array(np.zeros(4)), normalize_method="clamp", smooth=smooth)
    assert driver.numpy(found) == pytest.approx(expected, abs=1e-6)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("method", METHODS)
def test_gradients_are_finite_for_empty_masks_and_equal_scores(method, driver):
    def loss(target, score):
        return ak.iou_loss(target, score, normalize_method=method, smooth=0)

    found = gradient(driver, loss, target=np.zeros(4), score=np.zeros(4))
    assert all(np.isfinite(g).all() for g in found.values())


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("smooth", [0, 1e-30])
@pytest.mark.parametrize("axis", [None, 1])
@pytest.mark.parametrize(
    ("method", "score"), [("sigmoid", -1000.0), ("sigmoid", -88.0), ("sigmoid", -60.0), ("clamp", 1e-39)]
)
def test_gradients_are_finite_for_empty_masks_and_confident_normals(method, score, axis, smooth, driver):
    mask = driver.array(np.asarray([[0, 0], [0, 1]]), "float32")

    def loss(score):
        each = ak.iou_loss(mask, score, normalize_method=method, smooth=smooth, axis=axis, weight=2.0)
        return each if axis is None else each[0]

    value, slope = ak.value_and_grad(loss)(driver.array(np.full((2, 2), score), "float32"))
    assert float(value) in (pytest.approx(0.0, abs=1e-6), pytest.approx(2.0, rel=1e-3))
    assert np.isfinite(driver.numpy(slope)).all()


def test_minmax_of_equal_scores_is_one_half(driver):
    mask, score = driver.array(np.asarray([1.0, 0.0, 0.0, 1.0])), driver.array(np.full(4, 7.0))
    found = driver.numpy(ak.iou_loss(mask, score, normalize_method="minmax", smooth=0))
    assert found == pytest.approx(1 - 1 / 3, rel=1e-14)


@pytest.mark.parametrize("weight", [1.0, -3.0])
@pytest.mark.parametrize("logit", [3.0, 10.0, 30.0, 1000.0])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_loss_of_almost_equal_masks_is_accurate_relative_to_its_weight(dtype, logit, weight, driver):
    mask = np.asarray([1.0, 0.0, 1.0, 0.0])
    score = driver.array(np.where(mask, logit, -logit), dtype)
    found = driver.numpy(ak.iou_loss(driver.array(mask, dtype), score, smooth=0, weight=weight))
    wrong = 1 / (1 + mp.exp(mp.mpf(logit)))
    bound = 4 * float(np.finfo(dtype).eps) * abs(weight)
    assert found == pytest.approx(float(weight * 4 * wrong / (2 + 2 * wrong)), rel=0, abs=bound)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("logit", [-100.0, 0.0, 100.0])
def test_slope_of_the_overlap_is_accurate_relative_to_its_weight(logit, driver):
    mask = driver.array(np.ones(2))
    found = gradient(driver, lambda score: ak.iou_loss(mask, score, smooth=0), score=np.full(2, logit))
    tail = mp.exp(-abs(mp.mpf(logit)))
    expected = -float(tail / (1 + tail) ** 2) / 2
    np.testing.assert_allclose(found["score"], [expected] * 2, rtol=1e-13, atol=EPS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"normalize_method": "softmax"}, "`normalize_method` must be one of 'sigmoid', 'clamp', 'minmax', got 'soft"),
        ({"smooth": -1}, "`smooth` must be >= 0, got -1"),
        ({"axis": 3}, "`axis` must be distinct axes of an array of 3 dimensions, got 3"),
        ({"axis": -4}, "`axis` must be distinct axes of an array of 3 dimensions, got -4"),
        ({"axis": (0, -3)}, r"`axis` must be distinct axes of an array of 3 dimensions, got \(0, -3\)"),
        ({"axis": ()}, r"`axis` must be distinct axes, at least one, got \(\)"),
        ({"target": MASK[:1]}, r"`target` and `score` must have equal shapes, got \(1, 2, 4\) and \(3, 2, 4\)"),
        ({"target": MASK[:0], "score": SCORE[:0]}, r"`target` has shape \(0, 2, 4\): there is nothing to average over"),
    ],
)
def test_iou_says_what_is_wrong(settings, message):
    with pytest.raises(ValueError, match=message):
        ak.iou_loss(**{"target": MASK, "score": SCORE} | settings)


@pytest.mark.parametrize("axis", [1.5, (0, 1.5)])
def test_axes_must_be_integers(axis):
    with pytest.raises(TypeError, match="`axis` must be an integer or a tuple of integers, got float"):
        ak.iou_loss(MASK, SCORE, axis=axis)


@pytest.mark.parametrize("axis", [-3, -1, 0, 2, (0, 1, 2), [0, 2]])
def test_axes_at_the_edges_are_axes(axis):
    axes = tuple(axis) if isinstance(axis, list) else axis
    assert ak.iou_loss(MASK, SCORE, axis=axis).shape == SCORE.sum(axis=axes).shape


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pos_weight": -1}, "`pos_weight` must be >= 0, got -1"),
        ({"pos_weight": np.ones(3)}, r"`pos_weight` must .* broadcasts to that of `logit`, \(3, 2, 4\), got \(3,\)"),
        ({"pos_weight": np.ones((1, *SHAPE))}, r"`pos_weight` must have a shape that broadcasts .* got \(1, 3, 2, 4\)"),
        ({"sample_weight": np.ones(2)}, r"`sample_weight` must have shape \(3,\) or \(3, 2, 4\), .* got \(2,\)"),
        ({"target": MASK[0]}, "`target` and `logit` must have equal shapes"),
        ({"target": MASK[:0], "logit": SCORE[:0]}, r"`logit` has shape \(0, 2, 4\): there is nothing to average over"),
    ],
)
def test_cross_entropy_says_what_is_wrong(settings, message):
    with pytest.raises(ValueError, match=message):
        ak.anomaly_bce_with_logits(**{"target": MASK, "logit": SCORE} | settings)


@pytest.mark.library("torch")
@pytest.mark.parametrize("shape", [(4,), (1,), (2, 1)])
def test_positive_weights_are_those_of_torch(shape, driver):
    import torch

    import anomaly_kernels.torch as akt

    weights, logit, mask = (driver.array(x) for x in (draw(3, *shape, low=0.5), SCORE, MASK.astype(float)))
    module = akt.AnomalyBCEWithLogits(pos_weight=weights)
    assert "pos_weight" in module.state_dict()
    torch.testing.assert_close(module(logit, mask), torch.nn.BCEWithLogitsLoss(pos_weight=weights)(logit, mask))


def test_settings_that_are_arrays_are_cast_to_the_scores(driver):
    mask, score, one = driver.array(MASK), driver.array(SCORE, "float32"), driver.array(np.asarray(1.0))
    found = driver.numpy(ak.iou_loss(mask, score, smooth=one, weight=one))
    assert found.dtype == "float32"
    assert found == driver.numpy(ak.iou_loss(mask, score, smooth=1.0))
