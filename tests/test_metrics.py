"""Counts and descriptive statistics, against plain Python, scikit-learn, SciPy and NumPy in double precision."""

from __future__ import annotations

import math
import statistics
from itertools import combinations

import numpy as np
import pytest
from drawing import lists_of
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sklearn_metrics

import anomaly_kernels as ak
from anomaly_kernels._core.backends import numpy_forms

MASKS = lists_of(st.tuples(st.booleans(), st.booleans()), max_size=12)
NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda x: round(x, 3))
TRUTH = np.asarray([[True, True, True], [False, False, False]])
DECISION = np.asarray([[True, False, True], [False, True, False]])
SCORE = np.asarray([[3.0, -1.0, 2.0], [-5.0, 2.5, 0.0]])


def fields(driver, found):
    return {name: float(driver.numpy(value)) for name, value in found._asdict().items() if value is not None}


def close(got, expected, rtol=1e-12, atol=0.0):
    assert got.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(got[name], expected[name], rtol=rtol, atol=atol, err_msg=name)


# ---- anomaly_detection_metrics


@given(pairs=MASKS)
def test_detection_metrics_agree_with_scikit_learn(driver, pairs):
    truth, decided = np.asarray(pairs).T
    got = ak.anomaly_detection_metrics(driver.array(truth), driver.array(decided), zero_division=1.0)
    precision, recall, f1, _ = sklearn_metrics.precision_recall_fscore_support(
        truth, decided, average="binary", zero_division=1.0
    )
    iou = sklearn_metrics.jaccard_score(truth, decided, zero_division=1.0)
    expected = {"precision": precision, "recall": recall, "f1_score": f1, "iou": iou}
    close(fields(driver, got), expected, rtol=1e-6)  # the library's default dtype may be float32


def test_detection_metrics_in_the_precision_of_the_scores(driver):
    for dtype, rtol in (("float32", 1e-6), ("float64", 1e-15)):
        arrays = driver.array(TRUTH), driver.array(DECISION), driver.array(SCORE, dtype)
        found = ak.anomaly_detection_metrics(*arrays)
        assert {driver.dtype_name(x) for x in found} == {dtype}
        expected = {"precision": 2 / 3, "recall": 2 / 3, "f1_score": 2 / 3, "iou": 1 / 2}
        close(fields(driver, found), expected | {"average_precision": (1 + 2 / 3 + 3 / 5) / 3}, rtol)


@pytest.mark.parametrize("otherwise", [0.0, 0.5, math.nan])
def test_zero_division_stands_for_undefined_quotients(driver, otherwise):
    none, some = driver.array(np.zeros(3, dtype=bool)), driver.array(np.asarray([True, False, False]))
    nothing = ak.anomaly_detection_metrics(none, none, zero_division=otherwise)
    close(fields(driver, nothing), dict.fromkeys(("precision", "recall", "f1_score", "iou"), otherwise))
    missed = ak.anomaly_detection_metrics(some, none, zero_division=otherwise)
    close(fields(driver, missed), {"precision": otherwise, "recall": 0.0, "f1_score": 0.0, "iou": 0.0})
    alarm = ak.anomaly_detection_metrics(none, some, zero_division=otherwise)
    close(fields(driver, alarm), {"precision": 0.0, "recall": otherwise, "f1_score": 0.0, "iou": 0.0})
    assert fields(driver, ak.anomaly_detection_metrics(none, none))["precision"] == 0.0


def test_zero_division_that_is_an_array_takes_the_precision_of_the_scores(driver):
    none, score = driver.array(np.zeros(3, dtype=bool)), driver.array(SCORE[0], "float32")
    found = ak.anomaly_detection_metrics(none, none, score, zero_division=driver.array(np.asarray(0.25)))
    assert {driver.dtype_name(x) for x in found} == {"float32"}
    assert fields(driver, found)["precision"] == 0.25


def test_masks_may_be_numbers(driver):
    expected = fields(driver, ak.anomaly_detection_metrics(driver.array(TRUTH), driver.array(DECISION)))
    for kind in (lambda mask: mask.astype(int), lambda mask: 255 * mask.astype("uint8"), lambda mask: 1.0 * mask):
        arrays = driver.array(kind(TRUTH)), driver.array(kind(DECISION))
        close(fields(driver, ak.anomaly_detection_metrics(*arrays)), expected, rtol=1e-7)


def test_a_truth_that_is_not_a_number_makes_all_metrics_nan(driver):
    truth, decided = TRUTH.astype(float), driver.array(DECISION)
    truth[0, 1] = math.nan
    for arrays in ((driver.array(truth), decided), (decided, driver.array(truth))):
        assert all(map(math.isnan, fields(driver, ak.anomaly_detection_metrics(*arrays)).values()))


def test_detection_metrics_name_wrong_arguments(driver):
    truth, decided = driver.array(TRUTH), driver.array(DECISION)
    with pytest.raises(ValueError, match="`target` and `decision` must have equal shapes"):
        ak.anomaly_detection_metrics(truth, decided[:1, :])
    with pytest.raises(ValueError, match="`score` must have equal shapes"):
        ak.anomaly_detection_metrics(truth, decided, driver.array(SCORE.ravel()))
    with pytest.raises(ValueError, match=r"`target` has shape \(0, 3\)"):
        ak.anomaly_detection_metrics(truth[:0, :], decided[:0, :])
    with pytest.raises(TypeError, match="`zero_division` must be a number"):
        ak.anomaly_detection_metrics(truth, decided, zero_division="warn")


# ---- anomaly_pixel_statistics


def test_counts_are_exact_where_float32_stops(driver):
    n = 2**24 + 1
    for decided in (np.ones(n, dtype=bool), np.ones(n, dtype="float32")):
        found = ak.anomaly_pixel_statistics(driver.array(decided))
        assert fields(driver, found) == {"total_pixels": n, "anomalous_pixels": n, "anomaly_percentage": 100.0}
        assert "int" in driver.dtype_name(found.total_pixels)
        assert "int" in driver.dtype_name(found.anomalous_pixels)


def test_pixel_statistics_of_some_and_of_none(driver):
    some = fields(driver, ak.anomaly_pixel_statistics(driver.array(np.asarray([[0, 255], [2, 0], [1, 0]]))))
    close(some, {"total_pixels": 6, "anomalous_pixels": 3, "anomaly_percentage": 50.0})
    none = fields(driver, ak.anomaly_pixel_statistics(driver.array(np.zeros((0, 2), dtype=bool))))
    assert none == {"total_pixels": 0, "anomalous_pixels": 0, "anomaly_percentage": 0.0}
    unknown = ak.anomaly_pixel_statistics(driver.array(np.asarray([math.nan, 1.0])))
    assert math.isnan(fields(driver, unknown)["anomaly_percentage"])


# ---- explained_variance


def test_explained_variance_adds_up(driver):
    shares = np.asarray([0.55, 0.25, 0.125, 0.01])
    found = ak.explained_variance(driver.array(shares))
    np.testing.assert_array_equal(driver.numpy(found.per_component), shares)
    np.testing.assert_allclose(driver.numpy(found.total), math.fsum(shares), rtol=1e-15)
    running = [math.fsum(shares[: k + 1]) for k in range(4)]
    np.testing.assert_allclose(driver.numpy(found.cumulative), running, rtol=1e-15)
    with pytest.raises(ValueError, match=r"`explained_variance_ratio` must have shape \(K,\), got \(2, 2\)"):
        ak.explained_variance(driver.array(shares.reshape(2, 2)))


def test_no_components_explain_nothing(driver):
    found = ak.explained_variance(driver.array(np.zeros(0)))
    assert float(driver.numpy(found.total)) == 0.0
    assert tuple(found.cumulative.shape) == tuple(found.per_component.shape) == (0,)


# ---- score_statistics


def described(scores):
    """Python's own statistics; inclusive quantiles are the linear ones."""
    cuts = statistics.quantiles(scores, n=100, method="inclusive") if len(scores) > 1 else list(scores) * 99
    return {
        "mean": statistics.fmean(scores),
        "std": statistics.stdev(scores) if len(scores) > 1 else math.nan,
        "min": min(scores),
        "max": max(scores),
        "median": statistics.median(scores),
        **{f"q{p}": cuts[p - 1] for p in (25, 75, 95, 99)},
    }


@given(scores=lists_of(NUMBERS, max_size=15))
def test_score_statistics_are_those_of_python(driver, scores):
    got = fields(driver, ak.score_statistics(driver.array(np.asarray(scores))))
    close(got, described(scores), rtol=1e-9, atol=1e-15 * max(map(abs, scores)))


@pytest.mark.parametrize("shape", [(1,), (2,), (101,), (3, 5, 7)])
def test_score_statistics_of_any_shape(driver, shape):
    scores = np.random.default_rng(5).normal(size=shape)
    expected = described(scores.ravel().tolist())
    close(fields(driver, ak.score_statistics(driver.array(scores))), expected, rtol=1e-11)
    found = ak.score_statistics(driver.array(scores, "float32"))
    assert {driver.dtype_name(x) for x in found} == {"float32"}
    close(fields(driver, found), expected, rtol=2e-5)


@pytest.mark.library("tensorflow")
def test_score_statistics_where_the_number_of_scores_is_unknown(driver):
    import tensorflow as tf

    scores = np.random.default_rng(3).normal(size=128)
    infinite = np.asarray([1.0, math.inf])
    for compiled in (False, True):
        signature = [tf.TensorSpec([None], tf.float64)]
        traced = tf.function(ak.score_statistics, input_signature=signature, jit_compile=compiled)
        for n in (1, 2, 101, 128):
            close(fields(driver, traced(driver.array(scores[:n]))), described(scores[:n].tolist()), rtol=1e-11)
        found = fields(driver, traced(driver.array(infinite)))
        assert (found["min"], found["max"], found["q25"]) == (1.0, math.inf, math.inf)


MANY_SCORES = {
    "spread over all numbers": lambda rng, n: rng.standard_cauchy(n) ** 3,
    "below 0, in a narrow range": lambda rng, n: -1.0 - 1e-5 * rng.random(n),
    "of few values": lambda rng, n: rng.integers(-3, 4, n).astype(float),
    "half of them 0": lambda rng, n: np.maximum(rng.normal(size=n), 0.0),
    "zeros of both signs": lambda rng, n: np.where(rng.random(n) < 0.5, -0.0, 0.0),
    "just below 0": lambda rng, n: -1e-40 * rng.random(n),
    "infinite in part": lambda rng, n: rng.choice([-np.inf, 1.0, 2.0, np.inf], n, p=[0.1, 0.3, 0.4, 0.2]),
}


@pytest.mark.library("numpy", "torch")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", MANY_SCORES)
def test_quantiles_of_many_scores_are_those_of_a_sort(kind, dtype, driver, monkeypatch):
    monkeypatch.setattr(numpy_forms, "BLOCK", 2**8)
    monkeypatch.setattr(numpy_forms, "FEW", 2**6)
    scores = MANY_SCORES[kind](np.random.default_rng(8), 10_001).astype(dtype)
    expected = np.sort(scores)
    with np.errstate(invalid="ignore"):
        for given in (driver.array(scores, dtype), driver.array(np.repeat(scores, 2), dtype)[::2]):
            found = ak.score_statistics(given)
            for name, place in (("min", 0), ("q25", 2500), ("median", 5000), ("q75", 7500), ("q95", 9500), ("max", -1)):
                assert driver.numpy(getattr(found, name)) == expected[place], name
        scores[77] = np.copysign(np.nan, -1.0)
        assert all(map(math.isnan, fields(driver, ak.score_statistics(driver.array(scores, dtype))).values()))


@given(seed=st.integers(0, 2**32), few=st.sampled_from([1, 8, 64]), dtype=st.sampled_from(["float32", "float64"]))
def test_selection_by_radix_finds_what_a_sort_has(seed, few, dtype):
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2**32, (300, 2), dtype=np.uint32) >> rng.integers(0, 32, (300, 1), dtype=np.uint32)
    x = bits.view(np.float64)[:, 0] if dtype == "float64" else bits.view(np.float32)[:, 0].copy()
    x = np.where(np.isnan(x), 1.0, x).astype(dtype)
    ranks = rng.integers(0, 300, 7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numpy_forms, "BLOCK", 32)
        patch.setattr(numpy_forms, "FEW", few)
        np.testing.assert_array_equal(numpy_forms.order_statistics(x, ranks), np.sort(x)[ranks])


def test_equal_scores_do_not_spread(driver):
    for value in (0.1, -3e8, 0.0):
        got = fields(driver, ak.score_statistics(driver.array(np.full(7, value), "float32")))
        same = float(np.float32(value))
        rounded = {"std": pytest.approx(0.0, abs=1e-6 * abs(same)), "mean": pytest.approx(same, rel=1e-6)}
        assert got == dict.fromkeys(got, same) | rounded


def test_infinite_scores_leave_the_other_quantiles(driver):
    with np.errstate(invalid="ignore"):
        got = fields(driver, ak.score_statistics(driver.array(np.asarray([1.0, math.inf, 2.0, 3.0, 4.0]))))
    assert (got["min"], got["q25"], got["median"], got["q75"]) == (1.0, 2.0, 3.0, 4.0)
    assert got["max"] == got["mean"] == got["q99"] == math.inf


def test_one_nan_makes_all_statistics_nan(driver):
    for place in range(3):
        scores = np.where(np.arange(3) == place, math.nan, [1.0, 3.0, 2.0])
        assert all(map(math.isnan, fields(driver, ak.score_statistics(driver.array(scores))).values()))


def test_score_statistics_need_scores(driver):
    with pytest.raises(ValueError, match=r"`scores` has shape \(0, 2\)"):
        ak.score_statistics(driver.array(np.zeros((0, 2))))
    with pytest.raises(TypeError, match="`scores` must be floating point"):
        ak.score_statistics(driver.array(np.arange(3)))


# ---- component_orthogonality


@pytest.mark.parametrize("shape", [(2, 5), (4, 4), (5, 2)])
def test_component_orthogonality_entry_by_entry(driver, shape):
    rows = np.random.default_rng(2).normal(size=shape)
    gram = [[math.sumprod(a, b) if hasattr(math, "sumprod") else float(a @ b) for b in rows] for a in rows]
    k = range(len(rows))
    excess = [gram[i][j] - (i == j) for i in k for j in k]
    expected = {
        "orthogonality_error": math.sqrt(math.fsum(e * e for e in excess)),
        "avg_off_diagonal": statistics.fmean(abs(gram[i][j]) for i in k for j in k if i != j),
        "avg_deviation": statistics.fmean(map(abs, excess)),
        "diagonal_mean": statistics.fmean(gram[i][i] for i in k),
        "diagonal_std": statistics.stdev(gram[i][i] for i in k),
    }
    close(fields(driver, ak.component_orthogonality(driver.array(rows))), expected)


def test_orthonormal_components_have_no_error(driver):
    got = fields(driver, ak.component_orthogonality(driver.array(np.eye(3, 4)[::-1])))
    expected = {"orthogonality_error": 0.0, "avg_off_diagonal": 0.0, "avg_deviation": 0.0}
    assert got == expected | {"diagonal_mean": 1.0, "diagonal_std": 0.0}


def test_a_single_component(driver):
    got = fields(driver, ak.component_orthogonality(driver.array(np.asarray([[0.0, 2.0]]))))
    expected = {"orthogonality_error": 3.0, "avg_off_diagonal": 0.0, "avg_deviation": 3.0}
    close(got, expected | {"diagonal_mean": 4.0, "diagonal_std": math.nan})


def test_components_are_a_matrix(driver):
    with pytest.raises(ValueError, match=r"`components` must have shape \(K, C\), got \(3,\)"):
        ak.component_orthogonality(driver.array(np.zeros(3)))
    with pytest.raises(ValueError, match=r"`components` has shape \(0, 3\)"):
        ak.component_orthogonality(driver.array(np.zeros((0, 3))))


# ---- selector_entropy and selector_diversity


def test_entropy_is_that_of_scipy(driver):
    weights = np.asarray([0.1, 3.0, 0.0, 0.5])
    exact = float(driver.numpy(ak.selector_entropy(driver.array(weights), eps=0)))
    np.testing.assert_allclose(exact, stats.entropy(weights), rtol=1e-14)
    shares = [w / (3.6 + 1e-2) for w in weights]
    blurred = -math.fsum(p * math.log(p + 1e-2) for p in shares)
    got = float(driver.numpy(ak.selector_entropy(driver.array(weights), eps=1e-2)))
    np.testing.assert_allclose(got, blurred, rtol=1e-13)
    default = float(driver.numpy(ak.selector_entropy(driver.array(np.ones(1000)))))
    np.testing.assert_allclose(default, 6.906756, rtol=1e-7)


def test_eps_that_is_an_array_takes_the_precision_of_the_weights(driver):
    weights = driver.array(np.asarray([0.1, 3.0, 0.0, 0.5]), "float32")
    found = driver.numpy(ak.selector_entropy(weights, eps=driver.array(np.asarray(0.01))))
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, driver.numpy(ak.selector_entropy(weights, eps=0.01)), rtol=1e-6)


def test_entropy_names_wrong_arguments(driver):
    with pytest.raises(ValueError, match=r"`weights` has shape \(0,\)"):
        ak.selector_entropy(driver.array(np.zeros(0)))
    with pytest.raises(ValueError, match="`eps` must be >= 0, got -1"):
        ak.selector_entropy(driver.array(np.ones(3)), eps=-1)


def mean_difference(weights):
    """Gini's own definition: half the relative mean absolute difference of all pairs, a weight with itself included."""
    pairs = 2.0 * math.fsum(abs(a - b) for a, b in combinations(weights, 2)) / len(weights) ** 2
    return pairs / (2.0 * statistics.fmean(weights)) if math.fsum(weights) else 0.0


@given(weights=st.lists(st.floats(0, 1e3, allow_subnormal=False).map(lambda x: round(x, 3)), min_size=1, max_size=9))
def test_diversity_is_gini_of_all_pairs_and_the_population_variance(driver, weights):
    got = fields(driver, ak.selector_diversity(driver.array(np.asarray(weights))))
    np.testing.assert_allclose(got["gini_coefficient"], mean_difference(weights), rtol=1e-12, atol=1e-14)
    variance = statistics.pvariance(weights)
    np.testing.assert_allclose(got["weight_variance"], variance, rtol=1e-9, atol=1e-15 * max(weights) ** 2)


def test_weights_that_cancel_have_no_gini_coefficient(driver):
    for weights in ([0.0, 0.0], [2.0, -2.0]):
        got = fields(driver, ak.selector_diversity(driver.array(np.asarray(weights))))
        close(got, {"weight_variance": statistics.pvariance(weights), "gini_coefficient": 0.0})
    with pytest.raises(ValueError, match=r"`weights` has shape \(0,\)"):
        ak.selector_diversity(driver.array(np.zeros(0)))


# ---- all of them, traced


CASES = {
    ak.anomaly_detection_metrics: {"target": TRUTH, "decision": DECISION, "score": SCORE},
    ak.anomaly_pixel_statistics: {"decision": DECISION},
    ak.explained_variance: {"explained_variance_ratio": np.asarray([0.5, 0.3, 0.1])},
    ak.score_statistics: {"scores": SCORE},
    ak.component_orthogonality: {"components": SCORE},
    ak.selector_entropy: {"weights": np.abs(SCORE)},
    ak.selector_diversity: {"weights": SCORE},
}
METRICS = pytest.mark.parametrize("metric", CASES, ids=lambda metric: metric.__name__)


def leaves(driver, found):
    return [driver.numpy(x) for x in (found if isinstance(found, tuple) else (found,))]


def same(got, expected):
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@METRICS
def test_compiled_metric_gives_the_same(driver, metric):
    if "jit" not in driver.can:
        pytest.skip("compiles nothing")
    arrays = {name: driver.array(x) for name, x in CASES[metric].items()}
    same(leaves(driver, driver.jit(lambda a: metric(**a))(arrays)), leaves(driver, metric(**arrays)))


@METRICS
def test_metric_maps_over_a_batch(driver, metric):
    if "vmap" not in driver.can:
        pytest.skip("has no vmap")
    members = [{name: np.roll(x, k) for name, x in CASES[metric].items()} for k in range(2)]
    batch = {name: driver.array(np.stack([m[name] for m in members])) for name in members[0]}
    expected = [leaves(driver, metric(**{name: driver.array(x) for name, x in m.items()})) for m in members]
    got = leaves(driver, driver.vmap(lambda a: metric(**a))(batch))
    same(got, [np.stack(values) for values in zip(*expected, strict=True)])


@METRICS
def test_metric_takes_an_unknown_batch(driver, metric):
    if "unknown_batch" not in driver.can:
        pytest.skip("knows all sizes")
    arrays = {name: driver.array(x) for name, x in CASES[metric].items()}
    traced = driver.unknown_batch(lambda a: metric(**a), arrays, list(arrays))
    same(leaves(driver, traced(arrays)), leaves(driver, metric(**arrays)))
    single = {name: x[:1] for name, x in arrays.items()}
    same(leaves(driver, traced(single)), leaves(driver, metric(**single)))


@METRICS
def test_building_a_metric_computes_nothing(driver, metric):
    arrays = {name: driver.array(x) for name, x in CASES[metric].items()}
    with driver.building():
        found = metric(**arrays)
    same(leaves(driver, found), leaves(driver, metric(**arrays)))
