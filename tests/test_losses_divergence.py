"""Divergences between probabilities, distillation, and the loss of adversarial detectors."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special
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
    shares,
    sqrt,
    table,
    values_agree,
)

import anomaly_kernels as ak
from anomaly_kernels.testing.samples import classifier, hidden_layer

P, Q = shares(0, 3, 2, 4), shares(1, 3, 2, 4)
X, Y = draw(2, 5, 4), draw(3, 5, 4)
SEVERAL = {"x_true": draw(6, 3, 2, 4), "x_pred": draw(7, 3, 2, 4)}  # whose samples have two rows each
REDUCTIONS = ({"reduction": "sum", "weight": 0.3}, {"reduction": "none", "weight": -2.5}, {"weight": 2, "epsilon": 0})


def clipped(p, low, high):
    return np.asarray([min(max(x, low), high) for x in p.flat]).reshape(p.shape)


def divergence(p, q, epsilon=1e-7):
    p, q = clipped(p, epsilon, 1), clipped(q, epsilon, 1)
    return (p * log(p / q)).sum(-1)


def tempered(p, temperature):
    if temperature == 1:
        return p
    power = exp(log(p) / temperature)
    return power / power.sum(-1, keepdims=True)


def softmax(x):
    return exp(x) / exp(x).sum(-1, keepdims=True)


def kl(p_true, p_pred, epsilon=1e-7, weight=1, reduction="mean"):
    return reduced(weight * divergence(p_true, p_pred, epsilon), reduction)


def distillation(x_true, y_pred, model, loss_type="kld", temperature=1, epsilon=1e-7):
    p = tempered(softmax(x_true), temperature)
    if loss_type == "kld":
        return reduced(divergence(p, y_pred, epsilon))
    q = clipped(y_pred / y_pred.sum(-1, keepdims=True), epsilon, 1 - epsilon)
    return reduced(-(p * log(q)).sum(-1))


def adversarial(
    x_true,
    x_pred,
    model,
    model_hl=(),
    w_model=1,
    w_recon=0,
    w_model_hl=None,
    temperature=1,
    epsilon=1e-7,
    reduction="mean",
):
    rows = divergence(tempered(softmax(x_true), temperature), softmax(x_pred), epsilon)
    total = averages(rows)
    for k, _ in enumerate(model_hl):
        weight = 1 if w_model_hl is None else w_model_hl[k]
        total = total + weight * averages(divergence(softmax(x_true / 2), softmax(x_pred / 2), epsilon))
    error = (x_true - x_pred) ** 2
    recon = deviation(rows.ravel()) / (deviation(error.ravel()) + 1e-10) * averages(error)
    return reduced(w_model * total + w_recon * recon, reduction)


def averages(values):
    return np.asarray([reduced(sample) for sample in values])


def deviation(x):
    return sqrt(reduced((x - reduced(x)) ** 2))


CASES = (
    table(ak.kl_divergence, kl, {"p_true": P, "p_pred": Q}, {}, *REDUCTIONS, {"epsilon": 0.2})
    | table(
        ak.distillation_loss,
        distillation,
        {"x_true": X, "y_pred": shares(4, 5, 4)},
        {"model": classifier},
        {"model": classifier, "temperature": 0.5},
        {"model": classifier, "temperature": 3, "epsilon": 0.1},
        {"model": classifier, "loss_type": "xent", "temperature": 2.0},
        {"model": classifier, "loss_type": "xent", "epsilon": 0.25},
        {"model": classifier, "loss_type": "xent", "epsilon": 0},
    )
    | table(
        ak.adversarial_ae_loss,
        adversarial,
        {"x_true": X, "x_pred": Y},
        {"model": classifier},
        {"model": classifier, "temperature": 0.5, "w_model": 0.3, "epsilon": 0.1},
        {"model": classifier, "w_recon": 0.7},
        {"model": classifier, "w_recon": 2, "w_model": 0, "temperature": 2.0},
        {"model": classifier, "model_hl": (hidden_layer,)},
        {"model": classifier, "model_hl": [hidden_layer, hidden_layer], "w_model_hl": (0.5, -3)},
        {"model": classifier, "w_model": 0.5, "model_hl": (hidden_layer,), "w_model_hl": [2.0], "temperature": 3.0},
    )
    | table(
        ak.adversarial_ae_loss,
        adversarial,
        SEVERAL,
        {"model": classifier, "w_recon": 0.5, "reduction": "none"},
        {"model": classifier, "w_recon": 0.5, "reduction": "sum"},
        {"model": classifier, "model_hl": [hidden_layer], "w_model_hl": [-2.0], "w_recon": 0.5, "reduction": "none"},
    )
)
CASES["distillation_loss-not normalised"] = Case(
    ak.distillation_loss,
    distillation,
    {"x_true": X, "y_pred": draw(5, 5, 4, low=0.1, high=3.0)},
    {"model": classifier, "loss_type": "xent"},
)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_is_that_of_the_formula(case, driver):
    values_agree(driver, case)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("case", differing(CASES).values(), ids=differing(CASES))
def test_gradient_is_that_of_the_formula(case, driver):
    gradients_agree(driver, case)


@pytest.mark.parametrize("q", [1e-3, 1e-7, 1e-10])
def test_kl_divergence_of_unlikely_events_keeps_its_digits(driver, q):
    p, q = np.asarray([0.3, 0.7]), np.asarray([q, 1.0])
    for dtype, rtol in (("float64", 1e-14), ("float32", 1e-6)):
        found = driver.numpy(ak.kl_divergence(driver.array(p, dtype), driver.array(q, dtype), epsilon=0))
        np.testing.assert_allclose(found, scipy.special.rel_entr(p, q).sum(), rtol=rtol)


def test_exact_divergence_from_itself_is_nothing(driver):
    p = driver.array(np.asarray([[1e-7, 1.0]]), "float32")
    assert driver.numpy(ak.kl_divergence(p, p, epsilon=0)) == 0.0


def test_kl_divergence_is_that_of_scipy(driver):
    found = driver.numpy(ak.kl_divergence(driver.array(P), driver.array(Q), reduction="none"))
    expected = scipy.special.rel_entr(P, Q).sum(-1)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_exact_divergence_counts_impossible_events_as_nothing(driver):
    p, q = np.asarray([[0.0, 0.25, 0.75], [0.0, 0.0, 1.0]]), np.asarray([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75]])
    with np.errstate(divide="ignore"):
        found = driver.numpy(ak.kl_divergence(driver.array(p[1:]), driver.array(q[1:]), epsilon=0))
    assert found == pytest.approx(math.log(4 / 3), rel=1e-14)


@pytest.mark.library("numpy", *DIFFERENTIATING)
def test_exact_divergence_has_finite_gradients_at_impossible_events(driver):
    p, q = np.asarray([[0.0, 0.0, 1.0]]), np.asarray([[0.0, 0.25, 0.75]])
    found = gradient(driver, lambda p_true, p_pred: ak.kl_divergence(p_true, p_pred, epsilon=0), p_true=p, p_pred=q)
    np.testing.assert_allclose(found["p_pred"], [[0.0, 0.0, -4 / 3]], rtol=1e-14)
    assert np.isfinite(found["p_true"]).all()


def test_divergence_of_disjoint_one_hot_rows_is_finite_unless_exact(driver):
    p, q = driver.array(np.eye(2)), driver.array(np.eye(2)[::-1].copy())
    assert driver.numpy(ak.kl_divergence(p, q)) == pytest.approx(-math.log(1e-7) * (1 - 1e-7), rel=1e-12)
    with np.errstate(divide="ignore"):
        exact = driver.numpy(ak.kl_divergence(p, q, epsilon=0))
    assert exact > 1e300 or exact == math.inf


def test_probabilities_above_one_are_clipped(driver):
    found = driver.numpy(ak.kl_divergence(driver.array(np.asarray([2.0])), driver.array(np.asarray([0.5]))))
    assert found == pytest.approx(math.log(2), rel=1e-14)


@pytest.mark.parametrize("temperature", [0.01, 100.0])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_extreme_temperatures_leave_a_distribution(temperature, dtype, driver):
    p = np.asarray([[0.5, 0.3, 0.2], [0.05, 0.9, 0.05], [0.001, 0.001, 0.998]]).astype(dtype).astype(float)
    q = np.asarray([[0.2, 0.2, 0.6], [0.5, 0.25, 0.25], [0.125, 0.25, 0.625]])
    powers = np.exp((np.log(p) - np.log(p).max(-1, keepdims=True)) / temperature)
    teacher = np.clip(powers / powers.sum(-1, keepdims=True), 1e-7, 1)
    found = driver.numpy(
        ak.distillation_loss(driver.array(p, dtype), driver.array(q, dtype), model=lambda x: x, temperature=temperature)
    )
    expected = scipy.special.rel_entr(teacher, q).sum(-1).mean()
    assert found == pytest.approx(expected, rel=1e-12 if dtype == "float64" else 1e-4)


@pytest.mark.parametrize("loss_type", ["kld", "xent"])
def test_cold_teachers_with_small_probabilities_give_no_nan(loss_type, driver):
    p = driver.array(np.asarray([[1e-4, 1e-7, 0.0]]), "float32")
    q = driver.array(np.asarray([[0.5, 0.25, 0.25]]), "float32")
    found = driver.numpy(ak.distillation_loss(p, q, model=lambda x: x, temperature=0.01, loss_type=loss_type))
    assert found == pytest.approx(math.log(2), rel=1e-5)


def test_at_temperature_one_probabilities_are_taken_as_they_are(driver):
    p, q = np.asarray([[0.5, 0.25]]), np.asarray([[0.25, 0.25]])
    found = driver.numpy(ak.distillation_loss(driver.array(p), driver.array(q), model=lambda x: x))
    assert found == pytest.approx(0.5 * math.log(2), rel=1e-14)


@pytest.mark.parametrize("loss_type", ["kld", "xent"])
@pytest.mark.parametrize("temperature", [1, 2.0])
def test_distillation_compares_along_the_last_axis_of_any_number(loss_type, temperature, driver):
    p, q = (np.exp(draw(seed, 3, 2, 4)) for seed in (1, 2))
    p, q = p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)
    p[:, 0, :] *= 1e-3  # rows of the same shares, if not of the same sum

    def loss(p, q):
        kept = {"model": lambda x: x, "loss_type": loss_type, "temperature": temperature}
        return driver.numpy(ak.distillation_loss(driver.array(p), driver.array(q), **kept))

    rows = [loss(p[i, j][None, :], q[i, j][None, :]) for i in range(3) for j in range(2)]
    assert loss(p, q) == pytest.approx(np.mean(rows), rel=1e-13)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_each_row_of_a_teacher_is_tempered_by_itself(dtype, driver):
    p = np.asarray([[3.0, 1.0], [3e-7, 1e-7]])
    q = driver.array(np.asarray([[0.5, 0.5], [0.5, 0.5]]), dtype)
    found = driver.numpy(ak.distillation_loss(driver.array(p, dtype), q, model=lambda x: x, temperature=0.5))
    teacher = np.asarray([0.9, 0.1])
    assert found == pytest.approx(scipy.special.rel_entr(teacher, 0.5).sum(), rel=1e-6)


def test_cross_entropy_of_a_certain_prediction_is_that_of_the_clipped_one(driver):
    p = driver.array(np.asarray([[1.0, 0.0]]))
    found = driver.numpy(ak.distillation_loss(p, p, model=lambda x: x, loss_type="xent", epsilon=1e-3))
    assert found == pytest.approx(-math.log1p(-1e-3), rel=1e-12)


def test_divergence_clips_what_exceeds_one(driver):
    p, q = driver.array(np.asarray([[0.5, 1.5]])), driver.array(np.asarray([[1.5, 0.5]]))
    found = driver.numpy(ak.kl_divergence(p, q))
    assert found == pytest.approx(0.5 * math.log(0.5) + math.log(2), rel=1e-14)


def test_exact_cross_entropy_counts_impossible_events_as_nothing(driver):
    p, q = driver.array(np.asarray([[0.0, 1.0]])), driver.array(np.asarray([[0.0, 0.5]]))
    assert driver.numpy(ak.distillation_loss(p, q, model=lambda x: x, loss_type="xent", epsilon=0)) == 0.0
    empty = driver.array(np.zeros((1, 2)))
    assert np.isfinite(driver.numpy(ak.distillation_loss(p, empty, model=lambda x: x, loss_type="xent")))


@pytest.mark.library("numpy", "array_api_strict", *DIFFERENTIATING)
@pytest.mark.parametrize("w_recon", [0.0, 0.5])
@pytest.mark.parametrize(("x", "y"), [(X, X), (X[:1], Y[:1]), (X[:1], X[:1]), (0 * X, 0 * X + 1)])
def test_adversarial_loss_is_finite_where_deviations_are_zero(x, y, w_recon, driver):
    def loss(x_true, x_pred):
        return ak.adversarial_ae_loss(x_true, x_pred, model=classifier, w_recon=w_recon)

    assert np.isfinite(driver.numpy(loss(driver.array(x), driver.array(y))))
    if driver.name in DIFFERENTIATING:
        assert all(np.isfinite(g).all() for g in gradient(driver, loss, x_true=x, x_pred=y).values())


def test_perfect_reconstruction_has_no_adversarial_loss(driver):
    x = driver.array(X)
    found = driver.numpy(ak.adversarial_ae_loss(x, x, model=classifier, w_recon=0.5, model_hl=[hidden_layer]))
    assert found == pytest.approx(0.0, abs=1e-15)


def test_weights_of_the_adversarial_loss_may_be_arrays(driver):
    x, y = driver.array(X), driver.array(Y)

    def loss(w_model, w_recon, w):
        settings = {"model": classifier, "model_hl": [hidden_layer], "w_model_hl": [w]}
        return float(driver.numpy(ak.adversarial_ae_loss(x, y, w_model=w_model, w_recon=w_recon, **settings)))

    numbers = (0.5, 0.25, 3.0)
    assert loss(*map(driver.array, map(np.asarray, numbers))) == pytest.approx(loss(*numbers), rel=1e-14)
    assert loss(0.5, driver.array(np.asarray(0.0)), 3.0) == pytest.approx(loss(0.5, 0, 3.0), rel=1e-14)


def test_a_model_may_return_one_distribution_for_all_samples(driver):
    def model(x):
        return ak.array_namespace(x).mean(classifier(x), axis=0)

    found = driver.numpy(ak.adversarial_ae_loss(driver.array(X), driver.array(Y), model=model))
    p, q = (scipy.special.softmax(x, axis=-1).mean(0) for x in (X, Y))
    assert found == pytest.approx(scipy.special.rel_entr(p, q).sum(), rel=1e-12)


@pytest.mark.parametrize(
    ("x_true", "x_pred", "output", "result"),
    [
        ("float32", "float64", None, "float64"),
        ("float64", "float32", None, "float64"),
        ("float32", "float32", "float64", "float32"),
        ("float64", "float64", "float32", "float64"),
    ],
)
def test_an_adversarial_loss_has_the_higher_precision_of_the_data(x_true, x_pred, output, result, driver):
    def model(x):
        xp = ak.array_namespace(x)
        return x if output is None else xp.astype(x, getattr(xp, output))

    def loss(x_true, x_pred, model=lambda x: x):
        return driver.numpy(ak.adversarial_ae_loss(x_true, x_pred, model=model, w_recon=0.5))

    found = loss(driver.array(P, x_true), driver.array(Q, x_pred), model)
    assert found.dtype == result
    assert found == pytest.approx(loss(driver.array(P), driver.array(Q)), rel=1e-14 if result == "float64" else 1e-6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ak.kl_divergence(P, Q, epsilon=1), ValueError, "`epsilon` must be >= 0 and < 1, got 1"),
        (lambda: ak.kl_divergence(P, Q, epsilon=-1e-9), ValueError, "`epsilon` must be >= 0 and < 1, got -1e-09"),
        (lambda: ak.kl_divergence(P, Q[:1]), ValueError, "`p_true` and `p_pred` must have equal shapes"),
        (lambda: ak.kl_divergence(P[0, 0, 0], Q[0, 0, 0]), ValueError, r"`p_true` must have shape \(\.\.\., C\), got"),
        (lambda: distilled(epsilon=0.5), ValueError, "`epsilon` must be >= 0 and < 0.5, got 0.5"),
        (lambda: distilled(temperature=0), ValueError, "`temperature` must be > 0, got 0"),
        (lambda: distilled(loss_type="kl"), ValueError, "`loss_type` must be one of 'kld', 'xent', got 'kl'"),
        (lambda: distilled(model=3), TypeError, "`model` must be callable, got int"),
        (lambda: distilled(model=lambda x: x[:1]), ValueError, r"`model\(x_true\)` and `y_pred` must have equal sha"),
        (lambda: distilled(model=list), TypeError, r"`model\(x_true\)`: list"),
        (lambda: distilled(model=lambda x: x[0, 0, 0], y_pred=P[0, 0, 0]), ValueError, r"`y_pred` must have shape"),
        (lambda: restored(model=None), TypeError, "`model` must be callable, got NoneType"),
        (lambda: restored(w_recon=-1), ValueError, "`w_recon` must be >= 0, got -1"),
        (lambda: restored(epsilon=1.0), ValueError, "`epsilon` must be >= 0 and < 1, got 1.0"),
        (lambda: restored(temperature=-1), ValueError, "`temperature` must be > 0, got -1"),
        (lambda: restored(w_model="1"), TypeError, "`w_model` must be a number or a 0-d array, got str"),
        (lambda: restored(x_true=X[:2]), ValueError, "`x_true` and `x_pred` must have equal shapes"),
        (lambda: restored(x_true=X[:0], x_pred=X[:0]), ValueError, r"`x_true` has shape \(0, 4\): there is nothing"),
        (lambda: restored(w_model_hl=[1.0]), ValueError, "`w_model_hl` must be as long as `model_hl`, expected 0, got"),
        (lambda: restored(model_hl=[7]), TypeError, r"`model_hl\[0\]` must be callable, got int"),
        (
            lambda: restored(model_hl=[hidden_layer] * 2, w_model_hl=[1, "2"]),
            TypeError,
            r"`w_model_hl\[1\]` must be a number or a 0-d array, got str",
        ),
        (lambda: restored(model_hl=3), TypeError, "`model_hl` must be a sequence of callables, got 3"),
        (lambda: restored(w_model_hl=3), TypeError, "`w_model_hl` must be a sequence of numbers, got 3"),
        (
            lambda: restored(model=lambda x: x[0, 0]),
            ValueError,
            r"`model\(x_true\)` must have shape \(\.\.\., C\), got",
        ),
        (
            lambda: restored(model=lambda x: x[:2], reduction="none"),
            ValueError,
            r"`model\(x_true\)` must have shape \(B, \.\.\.\) with the B of `x_true`, expected \(5,\), got \(2,\)",
        ),
        (
            lambda: restored(model_hl=[lambda x: x[0]], reduction="sum"),
            ValueError,
            r"`model_hl\[0\]\(x_true\)` must have shape \(B, \.\.\.\) with the B of `x_true`, expected \(5,\), got",
        ),
    ],
)
def test_the_message_says_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


def distilled(y_pred=P, **settings):
    return ak.distillation_loss(P, y_pred, **{"model": classifier} | settings)


def restored(x_true=X, x_pred=Y, **settings):
    return ak.adversarial_ae_loss(x_true, x_pred, **{"model": classifier} | settings)
