"""Average precision and the area under the ROC curve, against exact arithmetic on definitions and scikit-learn."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

import anomaly_kernels as ak

# few different scores, so that there are ties within and between the classes
SCORES = st.sampled_from([-np.inf, -2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0e38, np.inf])
LABELLED = st.lists(st.tuples(st.booleans(), SCORES), min_size=1, max_size=12)
RANKINGS = [ak.average_precision, ak.roc_auc]
TRUTH = np.asarray([True, False, True, True, False, False, True, False])
SCORE = np.asarray([0.3, 0.3, -1.0, 2.0, -1.0, -4.0, 0.3, 1.0])


def unzipped(labelled):
    truth, score = zip(*labelled, strict=True)
    return np.asarray(truth), np.asarray(score)


def exact_average_precision(truth, score):
    """Precision at each threshold, weighted by the recall gained there."""
    total = Fraction(0)
    for threshold in set(score[truth].tolist()):
        chosen = score >= threshold
        gained = int((truth & (score == threshold)).sum())
        total += Fraction(int((truth & chosen).sum()), int(chosen.sum())) * gained
    return float(total / int(truth.sum())) if truth.any() else 0.0


def exact_roc_auc(truth, score):
    """Pairs won, ties counting half."""
    pairs = [(p > n) + Fraction(int(p == n), 2) for p in score[truth].tolist() for n in score[~truth].tolist()]
    return float(sum(pairs) / len(pairs)) if pairs else np.nan


EXACT = {ak.average_precision: exact_average_precision, ak.roc_auc: exact_roc_auc}


def evaluate(driver, metric, truth, score, dtype=None):
    return driver.numpy(metric(driver.array(truth), driver.array(score, dtype)))


@given(labelled=LABELLED)
@pytest.mark.parametrize("metric", RANKINGS)
def test_it_is_what_its_definition_says(driver, metric, labelled):
    truth, score = unzipped(labelled)
    np.testing.assert_allclose(evaluate(driver, metric, truth, score), EXACT[metric](truth, score), rtol=1e-14)


@given(labelled=LABELLED)
@pytest.mark.parametrize("metric", RANKINGS)
def test_boolean_masks_and_fixed_shapes_give_the_same(metric, labelled):
    import array_api_strict  # never takes the way of boolean masks, NumPy always does

    by_masks = metric(*unzipped(labelled))
    fixed = metric(*map(array_api_strict.asarray, unzipped(labelled)))
    np.testing.assert_allclose(float(by_masks), float(fixed), rtol=4e-16)


@pytest.mark.parametrize("metric", RANKINGS)
def test_compiled_form_gives_the_same(driver, metric):
    if "jit" not in driver.can:
        pytest.skip("compiles nothing")
    compiled = driver.jit(lambda arrays: metric(arrays["target"], arrays["score"]))
    rng = np.random.default_rng(0)
    for seed in range(6):
        truth = rng.random(40) < seed / 5  # from no positive to positives alone
        score = np.append(rng.integers(0, 9, size=38).astype(float), [-np.inf, np.inf])
        got = compiled({"target": driver.array(truth), "score": driver.array(score)})
        np.testing.assert_allclose(driver.numpy(got), EXACT[metric](truth, score), rtol=1e-14)


@pytest.mark.parametrize(
    ("metric", "reference"),
    [(ak.average_precision, "average_precision_score"), (ak.roc_auc, "roc_auc_score")],
)
@pytest.mark.parametrize("rate", [0.02, 0.6])
def test_it_agrees_with_scikit_learn_on_many_scores(driver, metric, reference, rate):
    rng = np.random.default_rng(3)
    truth = rng.random((20, 500)) < rate
    score = np.round(rng.normal(size=truth.shape) + truth, 2).astype("float32")
    expected = getattr(sklearn_metrics, reference)(truth.ravel(), score.ravel())
    np.testing.assert_allclose(evaluate(driver, metric, truth, score, "float64"), expected, rtol=1e-12)
    np.testing.assert_allclose(evaluate(driver, metric, truth, score), expected, rtol=1e-6)


@pytest.mark.parametrize("metric", RANKINGS)
def test_only_the_order_counts(driver, metric):
    expected = EXACT[metric](TRUTH, SCORE)
    for score in (1e-30 * SCORE, SCORE**3 + 7, np.tanh(SCORE), np.unique(SCORE, return_inverse=True)[1]):
        np.testing.assert_allclose(evaluate(driver, metric, TRUTH, score), expected, rtol=1e-6)


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
@pytest.mark.parametrize("metric", RANKINGS)
def test_unsigned_integers_are_ranked_in_their_order(driver, metric, bits):
    top = 2**bits - 1
    score = np.asarray([0, 1, top // 2, top // 2 + 1, top - 1, top, top, 0], f"uint{bits}")
    expected = EXACT[metric](TRUTH, score)
    calls = [metric]
    if "jit" in driver.can:
        calls.append(lambda truth, score: driver.jit(lambda a: metric(a["y"], a["s"]))({"y": truth, "s": score}))
    for call in calls:
        assert driver.numpy(call(driver.array(TRUTH), driver.array(score))) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("metric", RANKINGS)
def test_integers_beyond_the_floats_keep_their_order(driver, metric):
    score = 2**60 + np.arange(8)  # all equal in float64
    np.testing.assert_allclose(evaluate(driver, metric, TRUTH, score), EXACT[metric](TRUTH, score), rtol=1e-6)


@pytest.mark.parametrize("metric", RANKINGS)
def test_logits_that_a_sigmoid_would_tie_stay_apart(driver, metric):
    score = np.asarray([40.0, 30.0, 20.0, 18.0])
    assert evaluate(driver, metric, np.asarray([True, True, False, False]), score, "float32") == 1.0


def test_constant_score_has_the_precision_of_chance(driver):
    truth = np.arange(100) == 17
    assert evaluate(driver, ak.average_precision, truth, np.zeros(100)) == 0.01
    assert evaluate(driver, ak.roc_auc, truth, np.zeros(100)) == 0.5


def test_one_class_alone(driver):
    for score in ([1.0], [1.0, 1.0, -2.0]):
        none, everything = np.zeros(len(score), dtype=bool), np.ones(len(score), dtype=bool)
        assert evaluate(driver, ak.average_precision, none, np.asarray(score)) == 0.0
        assert evaluate(driver, ak.average_precision, everything, np.asarray(score)) == 1.0
        assert np.isnan(evaluate(driver, ak.roc_auc, none, np.asarray(score)))
        assert np.isnan(evaluate(driver, ak.roc_auc, everything, np.asarray(score)))


@pytest.mark.parametrize("metric", RANKINGS)
@pytest.mark.parametrize("place", [0, 1, 7])
def test_nan_among_the_scores_makes_it_nan(driver, metric, place):
    score = np.where(np.arange(8) == place, np.nan, SCORE)
    assert np.isnan(evaluate(driver, metric, TRUTH, score))


@pytest.mark.parametrize("metric", RANKINGS)
def test_targets_may_be_numbers(driver, metric):
    expected = evaluate(driver, metric, TRUTH, SCORE)
    for truth in (TRUTH.astype(int), 255 * TRUTH.astype(int), TRUTH.astype(float), 0.2 * TRUTH):
        np.testing.assert_array_equal(evaluate(driver, metric, truth, SCORE), expected)
    unknown = np.where(np.arange(8) == 2, np.nan, TRUTH)
    assert np.isnan(evaluate(driver, metric, unknown, SCORE))


@pytest.mark.parametrize("metric", RANKINGS)
def test_dtype_is_that_of_real_scores_else_of_a_python_float(driver, metric):
    default = "float32" if driver.name in ("torch", "tensorflow") else "float64"
    truth = driver.array(TRUTH)
    for score, expected in (
        (driver.array(SCORE, "float32"), "float32"),
        (driver.array(SCORE, "float64"), "float64"),
        (driver.array(TRUTH), default),
        (driver.array(np.arange(8)), default),
        *((driver.array(SCORE, half), "float32") for half in driver.halves),
    ):
        found = metric(truth, score)
        assert driver.is_array(found)
        assert (driver.dtype_name(found), tuple(found.shape)) == (expected, ())


@pytest.mark.parametrize("metric", RANKINGS)
def test_it_maps_over_a_batch(driver, metric):
    if "vmap" not in driver.can:
        pytest.skip("has no vmap")
    rng = np.random.default_rng(1)
    truth, score = rng.random((3, 20)) < 0.4, rng.integers(0, 6, size=(3, 20)).astype(float)
    batch = {"target": driver.array(truth), "score": driver.array(score)}
    got = driver.vmap(lambda arrays: metric(arrays["target"], arrays["score"]))(batch)
    expected = [EXACT[metric](t, s) for t, s in zip(truth, score, strict=True)]
    np.testing.assert_allclose(driver.numpy(got), expected, rtol=1e-14)


@pytest.mark.parametrize("metric", RANKINGS)
def test_it_takes_an_unknown_number_of_scores(driver, metric):
    if "unknown_batch" not in driver.can:
        pytest.skip("knows all sizes")
    arrays = {"target": driver.array(TRUTH), "score": driver.array(SCORE)}
    traced = driver.unknown_batch(lambda a: metric(a["target"], a["score"]), arrays, ["target", "score"])
    np.testing.assert_allclose(driver.numpy(traced(arrays)), EXACT[metric](TRUTH, SCORE), rtol=1e-14)


@pytest.mark.parametrize("metric", RANKINGS)
def test_building_computes_nothing(driver, metric):
    arrays = driver.array(TRUTH), driver.array(SCORE)
    with driver.building():
        found = metric(*arrays)
    np.testing.assert_allclose(driver.numpy(found), EXACT[metric](TRUTH, SCORE), rtol=1e-14)


@pytest.mark.parametrize("metric", RANKINGS)
def test_gradient_is_zero(driver, metric):
    if "gradient" not in driver.can:
        pytest.skip("has no automatic differentiation")
    arrays = {"score": driver.array(SCORE), "target": driver.array(TRUTH)}
    value, gradient = driver.value_and_grad(lambda a: metric(a["target"], a["score"]), arrays, ["score"])
    np.testing.assert_allclose(driver.numpy(value), EXACT[metric](TRUTH, SCORE), rtol=1e-14)
    np.testing.assert_array_equal(driver.numpy(gradient["score"]), np.zeros(8))


@pytest.mark.parametrize("metric", RANKINGS)
def test_errors_name_the_argument(driver, metric):
    truth, score = driver.array(TRUTH), driver.array(SCORE)
    with pytest.raises(ValueError, match=r"`target` and `score` must have equal shapes, got \(8,\) and \(7,\)"):
        metric(truth, score[:7])
    with pytest.raises(ValueError, match=r"`target` has shape \(0,\)"):
        metric(truth[:0], score[:0])
    with pytest.raises(TypeError, match="`score`: list"):
        metric(truth, SCORE.tolist())
    with pytest.raises(TypeError, match="`score` must be boolean, integer or real"):
        metric(truth, driver.array(SCORE + 1j))


@pytest.mark.parametrize("metric", [ak.roc_auc, ak.average_precision])
def test_the_target_gives_the_dtype_where_scores_have_none(metric, driver):
    target, score = np.asarray([0.0, 1.0, 1.0]), np.asarray([1, 3, 2])
    assert driver.dtype_name(metric(driver.array(target, "float32"), driver.array(score, "int64"))) == "float32"
