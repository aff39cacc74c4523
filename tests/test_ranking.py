"""Average precision and the area under the ROC curve, against exact arithmetic on definitions and scikit-learn."""

from __future__ import annotations

import warnings
from fractions import Fraction
from functools import partial, reduce
from itertools import combinations

import numpy as np
import pytest
from drawing import drawn, lists_of, places
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

import anomaly_kernels as ak
from anomaly_kernels.metrics.ranking.unique_scores import UniqueScores

# few different scores, so that there are ties within and between the classes
SCORES = st.sampled_from([-np.inf, -2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0e38, np.inf])
LABELLED = lists_of(st.tuples(st.booleans(), SCORES), max_size=12)
TRUTH = np.asarray([True, False, True, True, False, False, True, False])
SCORE = np.asarray([0.3, 0.3, -1.0, 2.0, -1.0, -4.0, 0.3, 1.0])


def unzipped(labelled):
    truth, score = zip(*labelled, strict=True)
    return np.asarray(truth), np.asarray(score)


def best_f1(truth, score, **settings):
    return ak.best_f1(truth, score, **settings).value


def precision_at_3(truth, score, **settings):
    return ak.precision_at_k(truth, score, k=3, **settings)


def partial_roc_auc(truth, score, **settings):
    return ak.roc_auc(truth, score, max_fpr=0.3, **settings)


def counts(truth, score):
    """True and false positives at each distinct score, the highest first."""
    for threshold in sorted(set(score.tolist()), reverse=True):
        chosen = score >= threshold
        yield int((truth & chosen).sum()), int((~truth & chosen).sum())


def exact_average_precision(truth, score):
    """Precision at each threshold, weighted by the recall gained there."""
    area, before = Fraction(0), 0
    for hits, alarms in counts(truth, score):
        area += Fraction(hits, hits + alarms) * (hits - before)
        before = hits
    return float(area / int(truth.sum())) if truth.any() else 0.0


def exact_aupr_trapezoid(truth, score):
    """Straight lines between the points of the curve, from a precision of 1 where nothing raises an alarm."""
    area, before, height = Fraction(0), 0, Fraction(1)
    for hits, alarms in counts(truth, score):
        precision = Fraction(hits, hits + alarms)
        area += (precision + height) / 2 * (hits - before)
        before, height = hits, precision
    return float(area / int(truth.sum())) if truth.any() else 0.0


def exact_roc_auc(truth, score):
    """Pairs won, ties counting half."""
    pairs = [(p > n) + Fraction(int(p == n), 2) for p in score[truth].tolist() for n in score[~truth].tolist()]
    return float(sum(pairs) / len(pairs)) if pairs else np.nan


def exact_partial_roc_auc(truth, score):
    """The curve cut at the limit, trapezoid by trapezoid."""
    if truth.all() or not truth.any():
        return np.nan
    positives, negatives, limit = int(truth.sum()), int((~truth).sum()), Fraction(0.3)
    area, x, y = Fraction(0), Fraction(0), Fraction(0)
    for hits, alarms in counts(truth, score):
        right, top = Fraction(alarms, negatives), Fraction(hits, positives)
        if right > limit >= x:
            top, right = y + (top - y) * (limit - x) / (right - x), limit
        if x < limit:
            area += (right - x) * (y + top) / 2
        x, y = right, top
    least = limit * limit / 2
    return float((1 + (area - least) / (limit - least)) / 2)


def exact_best_f1(truth, score):
    return float(max(Fraction(2 * hits, int(truth.sum()) + hits + alarms) for hits, alarms in counts(truth, score)))


def exact_fpr_at_95(truth, score):
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return np.nan
    enough = [alarms for hits, alarms in counts(truth, score) if hits >= Fraction(95, 100) * positives]
    return float(Fraction(min(enough), negatives))


def exact_precision_at_3(truth, score):
    """The mean over all choices of three that the scores allow."""
    found, room = Fraction(0), 3
    for threshold in sorted(set(score.tolist()), reverse=True):
        tied = truth[score == threshold].tolist()
        choices = [sum(chosen) for chosen in combinations(tied, min(room, len(tied)))]
        found += Fraction(sum(choices), len(choices))
        room = max(0, room - len(tied))
    return float(found / 3)


EXACT = {
    ak.average_precision: exact_average_precision,
    ak.aupr_trapezoid: exact_aupr_trapezoid,
    ak.roc_auc: exact_roc_auc,
    partial_roc_auc: exact_partial_roc_auc,
    best_f1: exact_best_f1,
    ak.fpr_at_tpr: exact_fpr_at_95,
    precision_at_3: exact_precision_at_3,
}
RANKINGS = list(EXACT)


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


def trapezoids(truth, score, **weights):
    precision, recall, _ = sklearn_metrics.precision_recall_curve(truth, score, **weights)
    return sklearn_metrics.auc(recall, precision)


SKLEARN = {
    ak.average_precision: sklearn_metrics.average_precision_score,
    ak.aupr_trapezoid: trapezoids,
    ak.roc_auc: sklearn_metrics.roc_auc_score,
    partial_roc_auc: partial(sklearn_metrics.roc_auc_score, max_fpr=0.3),
}


@pytest.mark.parametrize("metric", SKLEARN)
@pytest.mark.parametrize("rate", [0.02, 0.6])
def test_it_agrees_with_scikit_learn_on_many_scores(driver, metric, rate):
    rng = np.random.default_rng(3)
    truth = rng.random((20, 500)) < rate
    score = np.round(rng.normal(size=truth.shape) + truth, 2).astype("float32")
    expected = SKLEARN[metric](truth.ravel(), score.ravel())
    np.testing.assert_allclose(evaluate(driver, metric, truth, score, "float64"), expected, rtol=1e-12)
    np.testing.assert_allclose(evaluate(driver, metric, truth, score), expected, rtol=1e-6)


# an absolute tolerance too: scikit-learn's areas are sums of products of rates, which cancel near 0
@drawn(labelled=LABELLED, seed=st.integers(0, 2**16))
@pytest.mark.parametrize("metric", SKLEARN)
def test_weights_are_those_of_scikit_learn(driver, metric, labelled, seed):
    truth, score = unzipped(labelled)
    assume(truth.any() and not truth.all())
    weight = np.random.default_rng(seed).uniform(0.1, 5.0, truth.shape)
    arrays = driver.array(truth), driver.array(score)
    finite = np.unique(score, return_inverse=True)[1].astype(float)  # scikit-learn refuses infinite scores
    expected = SKLEARN[metric](truth, finite, sample_weight=weight)
    found = driver.numpy(metric(*arrays, sample_weight=driver.array(weight)))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", ["int32", "int64", "float64", "float32", "uint8"])
@pytest.mark.parametrize("metric", RANKINGS)
def test_a_count_as_weight_is_that_many_samples_and_0_is_none(driver, metric, dtype):
    count = np.asarray([2, 1, 0, 3, 1, 1, 2, 0])
    repeated = EXACT[metric](np.repeat(TRUTH, count), np.repeat(SCORE, count))
    weight = driver.array(count.astype(dtype))
    found = driver.numpy(metric(driver.array(TRUTH), driver.array(SCORE), sample_weight=weight))
    np.testing.assert_allclose(found, repeated, rtol=1e-14)


@pytest.mark.parametrize("metric", RANKINGS)
def test_weights_of_the_highest_scores_keep_their_digits_beside_heavy_ones(driver, metric):
    truth, score = np.asarray([True, False, True, False]), np.asarray([4.0, 3.0, 2.0, 1.0])
    light, heavy = np.asarray([1.0, 3.0, 2.0, 0.0]), np.asarray([1.0, 3.0, 2.0, 1e12])
    arrays = driver.array(truth), driver.array(score)
    if metric is ak.roc_auc or metric is partial_roc_auc or metric is ak.fpr_at_tpr:
        pytest.skip("the weight of the lowest score is part of the rate")
    found = [driver.numpy(metric(*arrays, sample_weight=driver.array(weight))) for weight in (light, heavy)]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("weight", [np.full(8, 2**62), np.full(8, 2**61)])
@pytest.mark.parametrize("metric", RANKINGS)
def test_integer_weights_whose_sum_overflows_give_no_number(driver, metric, weight):
    arrays = [driver.array(x) for x in (TRUTH, SCORE)]
    rows = [driver.array(np.stack([x, x])) for x in (TRUTH, SCORE)]
    with np.errstate(over="ignore", invalid="ignore"):
        found = driver.numpy(metric(*arrays, sample_weight=driver.array(weight)))
        each = driver.array(np.stack([weight, np.ones_like(weight)]))
        both = driver.numpy(metric(*rows, axis=1, sample_weight=each))
    assert np.isnan(found)
    assert np.isnan(both).tolist() == [True, False]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("axis", [0, -1, (0, 2), (2, 1), (0, 1, 2)])
@pytest.mark.parametrize("metric", RANKINGS)
def test_rankings_along_axes_are_those_of_their_parts(driver, metric, axis, weighted):
    rng = np.random.default_rng(5)
    truth, score = rng.random((3, 4, 5)) < 0.4, rng.integers(0, 6, size=(3, 4, 5)).astype(float)
    truth[0] = False  # rows without positives too
    arrays = [truth, score, rng.integers(0, 3, size=(3, 4, 5)).astype(float)][: 2 + weighted]
    axes = (axis,) if isinstance(axis, int) else axis
    rest = tuple(k for k in range(3) if k not in {k % 3 for k in axes})
    rows = [np.moveaxis(x, rest, range(len(rest))).reshape(*(x.shape[k] for k in rest), -1) for x in arrays]
    expected = [
        metric(*row[:2], **({"sample_weight": row[2]} if weighted else {}))
        for row in zip(*(x.reshape(-1, x.shape[-1]) for x in rows), strict=True)
    ]
    weights = {"sample_weight": driver.array(arrays[2])} if weighted else {}
    found = metric(driver.array(truth), driver.array(score), axis=axis, **weights)
    assert tuple(found.shape) == rows[0].shape[:-1]
    np.testing.assert_allclose(driver.numpy(found).ravel(), expected, rtol=1e-14)


def test_a_nan_makes_its_own_row_nan(driver):
    score = np.asarray([[1.0, 2.0, 3.0], [1.0, np.nan, 3.0]])
    truth = np.asarray([[False, True, True]] * 2)
    found = driver.numpy(ak.average_precision(driver.array(truth), driver.array(score), axis=1))
    np.testing.assert_array_equal(found, [1.0, np.nan])


@drawn(labelled=LABELLED)
def test_the_best_threshold_gives_the_best_f1(driver, labelled):
    truth, score = unzipped(labelled)
    assume(truth.any())
    found = ak.best_f1(driver.array(truth), driver.array(score))
    value, threshold = driver.numpy(found.value), driver.numpy(found.threshold)
    f1 = {s: sklearn_metrics.f1_score(truth, score >= s) for s in score.tolist()}
    assert value == pytest.approx(max(f1.values()), rel=1e-14)
    assert threshold == max(s for s in f1 if f1[s] == pytest.approx(value, rel=1e-12))


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint8", "uint32", "uint64"])
def test_the_best_threshold_of_integers_is_an_integer(driver, dtype):
    top = np.iinfo(dtype).max
    score = np.asarray([top, top - 1, top - 2, 0], dtype)
    truth = np.asarray([True, True, False, False])
    found = ak.best_f1(driver.array(truth), driver.array(score))
    assert int(driver.numpy(found.threshold)) == top - 1
    assert driver.dtype_name(found.threshold) == dtype


@pytest.mark.parametrize(
    ("truth", "weight", "expected"),
    [
        ([1, 0, 0], [0.0, 1.0, 1.0], (0.0, 9.0)),
        ([1, 0, 0], [0.0, 1.0, 0.0], (0.0, 5.0)),
        ([0, 0, 0], [1.0, 1.0, 0.0], (0.0, 5.0)),
        ([0, 1, 1], [1.0, 1.0, 0.0], (1.0, 5.0)),
    ],
)
def test_the_best_threshold_is_none_that_weighs_nothing(driver, truth, weight, expected):
    arrays = (driver.array(np.asarray(x)) for x in (np.asarray(truth, bool), [1.0, 5.0, 9.0]))
    found = ak.best_f1(*arrays, sample_weight=driver.array(np.asarray(weight)))
    assert (driver.numpy(found.value), driver.numpy(found.threshold)) == expected


@pytest.mark.parametrize("dtype", ["float64", "int64"])
@pytest.mark.parametrize("metric", RANKINGS)
def test_where_nothing_weighs_anything_metrics_are_undefined(driver, metric, dtype):
    weight = driver.array(np.zeros(8, dtype))
    found = driver.numpy(metric(driver.array(TRUTH), driver.array(SCORE), sample_weight=weight))
    undefined = metric in (ak.roc_auc, partial_roc_auc, ak.fpr_at_tpr)
    np.testing.assert_array_equal(found, np.nan if undefined else 0.0)


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_where_nothing_weighs_anything_curves_have_no_threshold(driver, dtype):
    arrays = driver.array(TRUTH), driver.array(SCORE)
    weight = driver.array(np.zeros(8, dtype))
    precision, recall, threshold = map(driver.numpy, ak.precision_recall_curve(*arrays, sample_weight=weight))
    assert (precision.tolist(), recall.tolist(), threshold.tolist()) == ([1.0], [0.0], [])
    fpr, tpr, threshold = map(driver.numpy, ak.roc_curve(*arrays, sample_weight=weight))
    assert np.isnan([*fpr, *tpr]).tolist() == [True] * 2
    assert threshold.tolist() == [np.inf]


def test_without_positives_the_best_threshold_is_the_highest_score(driver):
    found = ak.best_f1(driver.array(np.zeros(3, dtype=bool)), driver.array(np.asarray([2.0, 5.0, 1.0])))
    assert (driver.numpy(found.value), driver.numpy(found.threshold)) == (0.0, 5.0)


@pytest.mark.parametrize(("tpr", "expected"), [(0.05, 0.0), (0.5, 0.25), (0.55, 0.5), (1.0, 0.75), (0.95, 0.75)])
def test_the_share_to_find_may_be_met_exactly(driver, tpr, expected):
    # 20 positives; of the 20th part each, ten are above all normals but one, and so on
    score = np.concatenate([np.full(9, 9.0), [7.0], [5.0], np.full(8, 3.0), [3.0], [8.0, 6.0, 4.0, 1.0]])
    truth = np.arange(24) < 20
    for share in (tpr, driver.array(np.asarray(tpr))):
        found = ak.fpr_at_tpr(driver.array(truth), driver.array(score), tpr=share)
        assert driver.numpy(found) == expected


@pytest.mark.parametrize("setting", [{"tpr": 0.0}, {"tpr": 1.5}, {"tpr": np.nan}])
def test_shares_are_above_0_and_at_most_1(driver, setting):
    truth, score = driver.array(TRUTH), driver.array(SCORE)
    with pytest.raises(ValueError, match="`tpr` must be > 0 and <= 1, got"):
        ak.fpr_at_tpr(truth, score, **setting)
    with pytest.raises(ValueError, match="`max_fpr` must be > 0 and <= 1, got"):
        ak.roc_auc(truth, score, max_fpr=setting["tpr"])


def test_k_is_an_integer_from_1_on(driver):
    truth, score = driver.array(TRUTH), driver.array(SCORE)
    with pytest.raises(ValueError, match="`k` must be >= 1, got 0"):
        ak.precision_at_k(truth, score, k=0)
    for k in (2.0, True, "3"):
        with pytest.raises(TypeError, match="`k` must be an integer, got"):
            ak.precision_at_k(truth, score, k=k)
    assert driver.numpy(ak.precision_at_k(truth, score, k=100)) == pytest.approx(0.04, rel=1e-6)
    assert driver.numpy(ak.precision_at_k(truth, score, k=2**70)) == pytest.approx(4 / 2**70, rel=1e-6)
    with pytest.raises(ValueError, match="`k` must be a number that fits a float, got one of 1329 bits"):
        ak.precision_at_k(truth, score, k=10**400)


@pytest.mark.parametrize("axis", [(), 3, (0, 0), (0, -3), 1.5])
def test_axes_exist_and_differ(driver, axis):
    with pytest.raises((ValueError, TypeError), match="`axis` must be "):
        ak.roc_auc(driver.array(TRUTH[:, None, None]), driver.array(SCORE[:, None, None]), axis=axis)


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
    if "jit" in driver.can and metric is RANKINGS[0]:  # they are ranked by the same sort, compiled for each dtype
        calls.append(lambda truth, score: driver.jit(lambda a: metric(a["y"], a["s"]))({"y": truth, "s": score}))
    for call in calls:
        assert driver.numpy(call(driver.array(TRUTH), driver.array(score))) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
@pytest.mark.parametrize("metric", RANKINGS)
def test_signed_integers_are_ranked_in_their_order(driver, metric, bits):
    least, top = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    score = np.asarray([least, -1, 0, top, least + 1, 1, top - 1, -1], f"int{bits}")
    found = evaluate(driver, metric, TRUTH, score)
    assert found == pytest.approx(EXACT[metric](TRUTH, score), rel=1e-6)


@pytest.mark.parametrize("metric", RANKINGS)
def test_integers_beyond_the_floats_keep_their_order(driver, metric):
    score = 2**60 + np.arange(8)  # all equal in float64
    np.testing.assert_allclose(evaluate(driver, metric, TRUTH, score), EXACT[metric](TRUTH, score), rtol=1e-6)


@pytest.mark.parametrize("metric", RANKINGS)
def test_logits_that_a_sigmoid_would_tie_stay_apart(driver, metric):
    score = np.asarray([40.0, 30.0, 20.0, 18.0])
    truth = np.asarray([True, True, False, False])
    assert evaluate(driver, metric, truth, score, "float32") == pytest.approx(EXACT[metric](truth, score), rel=1e-6)


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
    for truth in (TRUTH.astype(int), 255 * TRUTH.astype(int), TRUTH.astype(float), 2.0 * TRUTH):
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


@pytest.mark.parametrize("metric", RANKINGS)
def test_the_target_gives_the_dtype_where_scores_have_none(metric, driver):
    target, score = np.asarray([0.0, 1.0, 1.0]), np.asarray([1, 3, 2])
    assert driver.dtype_name(metric(driver.array(target, "float32"), driver.array(score, "int64"))) == "float32"


CURVES = {
    "precision_recall": (ak.precision_recall_curve, sklearn_metrics.precision_recall_curve),
    "roc": (ak.roc_curve, sklearn_metrics.roc_curve),
    "roc_of_all_points": (
        partial(ak.roc_curve, drop_intermediate=False),
        partial(sklearn_metrics.roc_curve, drop_intermediate=False),
    ),
}


@drawn(labelled=LABELLED, weighted=st.booleans())
@pytest.mark.parametrize("name", CURVES)
def test_curves_are_those_of_scikit_learn(driver, name, labelled, weighted):
    truth, score = unzipped(labelled)
    curve, reference = CURVES[name]
    score = np.clip(score, -9.0, 9.0)  # scikit-learn refuses infinite scores
    weight = np.arange(len(score)) % 3  # some are 0
    assume(not weighted or weight.any())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is undefined
        expected = reference(truth, score, sample_weight=weight if weighted else None)
    weights = {"sample_weight": driver.array(weight.astype(float))} if weighted else {}
    found = curve(driver.array(truth), driver.array(score), **weights)
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(driver.numpy(x), y, rtol=1e-14)


@pytest.mark.parametrize("name", CURVES)
def test_curves_of_nan_are_nan(driver, name):
    score = np.where(np.arange(8) == 3, np.nan, SCORE)
    for x in CURVES[name][0](driver.array(TRUTH), driver.array(score)):
        assert np.isnan(driver.numpy(x)).all()


@pytest.mark.parametrize("name", CURVES)
def test_a_curve_that_is_traced_says_why_it_cannot_be(driver, name):
    if "jit" not in driver.can:
        pytest.skip("compiles nothing")
    compiled = driver.jit(lambda arrays: CURVES[name][0](arrays["target"], arrays["score"])[0])
    with pytest.raises(Exception, match="a curve has as many points as there are distinct scores"):
        compiled({"target": driver.array(TRUTH), "score": driver.array(SCORE)})


@drawn(
    labelled=LABELLED,
    cut=places(12),
    weighted=st.booleans(),
    dtype=st.sampled_from(["float64", "int64", "uint64"]),
)
@pytest.mark.parametrize("metric", RANKINGS)
def test_states_of_parts_are_merged_to_that_of_the_whole(driver, metric, labelled, cut, weighted, dtype):
    if driver.name == "dask":
        pytest.skip("makes states of its chunks, in NumPy")
    truth, score = unzipped(labelled)
    score = score if dtype == "float64" else np.unique(score, return_inverse=True)[1].astype(dtype)
    arrays = [truth, score, np.arange(len(score)) % 3 + 0.5][: 2 + weighted]
    parts = [[driver.array(x[part]) for x in arrays] for part in (slice(cut), slice(cut, None))]
    states = [UniqueScores.of(*part) for part in parts if part[0].shape[0]]
    whole = UniqueScores.of(*map(driver.array, arrays))
    merged, reverse = reduce(UniqueScores.merge, states), reduce(UniqueScores.merge, states[::-1])
    for x, y, z in zip(whole, merged, reverse, strict=True):
        np.testing.assert_allclose(driver.numpy(y), driver.numpy(x), rtol=1e-15)
        np.testing.assert_array_equal(driver.numpy(z), driver.numpy(y))
        assert driver.dtype_name(x) == driver.dtype_name(y)
    target, distinct, weight = whole.samples()
    weights = {"sample_weight": driver.array(arrays[2])} if weighted else {}
    expected = driver.numpy(metric(*map(driver.array, arrays[:2]), **weights))
    np.testing.assert_allclose(driver.numpy(metric(target, distinct, sample_weight=weight)), expected, rtol=1e-13)


@pytest.mark.parametrize("metric", RANKINGS)
def test_weights_of_single_precision_are_added_in_double(driver, metric):
    truth, score = (driver.array(np.asarray(x)) for x in ([True, False, True, False], [4.0, 3.0, 2.0, 1.0]))
    weight = np.asarray([2.0**24, 1.0, 1.0, 3.0])  # 1 is lost beside the first, in float32
    single, double = (metric(truth, score, sample_weight=driver.array(weight, x)) for x in ("float32", "float64"))
    np.testing.assert_array_equal(driver.numpy(single), driver.numpy(double))


@pytest.mark.parametrize("heavy", [1e-9, 1e12])
@pytest.mark.parametrize("metric", RANKINGS)
def test_light_weights_keep_their_digits_in_a_state(driver, metric, heavy):
    if driver.name == "dask":
        pytest.skip("makes states of its chunks, in NumPy")
    truth, score = np.asarray([True, False, True, False, True]), np.asarray([5.0, 4.0, 3.0, 2.0, 1.0])
    weight = np.asarray([1e-6, 3e-7, 2e-7, heavy, 1e-7])
    arrays = [driver.array(x) for x in (truth, score, weight)]
    expected = driver.numpy(metric(*arrays[:2], sample_weight=arrays[2]))
    for cut in (0, 2, 4):
        parts = [UniqueScores.of(*(x[part] for x in arrays)) for part in (slice(cut, None), slice(cut))]
        target, distinct, weights = UniqueScores.merge(*parts).samples()
        found = driver.numpy(metric(target, distinct, sample_weight=weights))
        np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_scores_that_make_no_state_are_refused(driver):
    truth, score = driver.array(TRUTH), driver.array(SCORE)
    with pytest.raises(ValueError, match=r"`target` and `score` must have equal shapes, got \(8,\) and \(0,\)"):
        UniqueScores.of(truth, score[:0])
    with pytest.raises(TypeError, match="`score`: list"):
        UniqueScores.of(truth, [])
    if driver.name == "dask":
        with pytest.raises(TypeError, match="`UniqueScores` has as many entries as .* it cannot be traced or lazy"):
            UniqueScores.of(truth, score)


@pytest.mark.library("numpy")
@pytest.mark.parametrize("metric", [ak.average_precision, ak.roc_auc])
def test_a_million_scores_need_a_fifth_of_the_memory_of_scikit_learn(metric):
    import tracemalloc

    rng = np.random.default_rng(0)
    truth, score = rng.random(1_000_000) < 0.02, rng.normal(size=1_000_000)
    peaks = []
    for call in (metric, SKLEARN[metric]):
        tracemalloc.start()
        call(truth, score)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] <= 0.2 * peaks[1]


@pytest.mark.library("numpy")
@pytest.mark.parametrize("dtype", ["bool", "int64", "float32"])
def test_a_call_of_few_scores_takes_few_frames(dtype):
    """The cost of a small call is Python's: each frame takes about a third of a microsecond."""
    import sys

    frames, truth = [], TRUTH.astype(dtype)

    def count(frame, event, _):
        if event == "call" and "anomaly_kernels/" in frame.f_code.co_filename:
            frames.append(frame.f_code.co_name)

    ak.average_precision(truth, SCORE)
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        ak.average_precision(truth, SCORE)
    finally:
        sys.setprofile(before)
    assert 20 < len(frames) <= 40, frames


@pytest.mark.library("dask")
def test_dask_ranks_chunk_by_chunk():
    """Every task sees a chunk, or states of distinct scores: of few scores, none sees much."""
    import dask.array as da
    from dask.callbacks import Callback

    rng = np.random.default_rng(0)
    truth, score = rng.random(10_000) < 0.1, rng.integers(0, 50, 10_000).astype(float)
    arrays = [da.from_array(x, chunks=500) for x in (truth, score)]
    found = ak.average_precision(*arrays)
    sizes = []

    def seen(key, result, *_):
        parts = result if isinstance(result, tuple) else (result,)
        sizes.extend(np.size(x) for x in parts if hasattr(x, "dtype"))

    with Callback(posttask=seen):
        value = float(found)
    assert value == pytest.approx(float(ak.average_precision(truth, score)), rel=1e-15)
    assert max(sizes) <= 500
