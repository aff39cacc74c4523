"""States of metrics: stream, batch, any order and any split give the same; bounds hold."""

from __future__ import annotations

import pickle
from functools import partial, reduce, wraps
from itertools import pairwise

import numpy as np
import pytest
from drawing import drawn, lists_of, places
from hypothesis import strategies as st

import anomaly_kernels as ak
from anomaly_kernels import streaming

# metrics of a ranking, with settings
RANKED = [(each, {}) for each in (ak.average_precision, ak.roc_auc, ak.best_f1, ak.fpr_at_tpr, ak.aupr_trapezoid)]
RANKED += [(ak.precision_at_k, {"k": 3}), (ak.roc_auc, {"max_fpr": 0.3})]

# scores that share a bucket of the histogram, that do not, that tie, and that are infinite
SCORES = st.sampled_from([-np.inf, -1e4, -1.001, -1.0, -0.0, 0.0, 1e-3, 1.0, 1.0001, 1.0002, 1.003, 2.0, 1e38, np.inf])
LABELLED = lists_of(st.tuples(st.booleans(), SCORES), max_size=20)


@pytest.fixture(autouse=True)
def _eager_only(driver):
    if driver.name == "dask":
        pytest.skip("Dask's own metrics make states of its chunks, in NumPy")


def unzipped(labelled):
    truth, score = zip(*labelled, strict=True)
    return np.asarray(truth), np.asarray(score)


def value(metric, *arrays, **settings):
    found = metric(*arrays, **settings)
    return found.value if isinstance(found, ak.metrics.BestF1) else found


def parts(arrays, cuts):
    """The arrays cut at some places, in an order that the cuts give; some parts are empty."""
    places = [0, *sorted(cut % (len(arrays[0]) + 1) for cut in cuts), len(arrays[0])]
    found = [tuple(x[start:end] for x in arrays) for start, end in pairwise(places)]
    order = np.random.default_rng(cuts).permutation(len(found))
    return [found[k] for k in order]


def streamed(driver, empty, arrays, cuts, **weights):
    """Batch after batch, and merged as a tree."""
    each = [tuple(driver.array(x) for x in part) for part in parts([*arrays, *weights.values()], cuts)]

    def update(state, part):
        named = dict(zip(weights, part[len(arrays) :], strict=True))
        return streaming.update(state, *part[: len(arrays)], **named)

    one_by_one = reduce(update, each, empty)
    made = [update(empty, part) for part in each]
    while len(made) > 1:
        made = [reduce(streaming.merge, made[k : k + 2]) for k in range(0, len(made), 2)]
    return one_by_one, made[0]


def assert_same(driver, found, expected, rtol=1e-13):
    assert type(found) is type(expected)
    for name, x, y in zip(found._fields, found, expected, strict=True):
        if x is None:
            assert y is None
        else:
            assert driver.dtype_name(x) == driver.dtype_name(y), name
            np.testing.assert_allclose(driver.numpy(x), driver.numpy(y), rtol=rtol, atol=1e-300, err_msg=name)


CUTS = st.lists(places(20), max_size=4)


@drawn(labelled=LABELLED, cuts=CUTS)
def test_counts_of_any_split_are_those_of_the_batch(driver, labelled, cuts):
    truth, score = unzipped(labelled)
    arrays = truth, score > 0.5
    expected = ak.anomaly_detection_metrics(*map(driver.array, arrays))
    for state in streamed(driver, streaming.DetectionCounts.empty(driver.array(truth)), arrays, cuts):
        assert_same(driver, streaming.compute(state), expected)
    expected = ak.anomaly_pixel_statistics(driver.array(arrays[1]))
    for state in streamed(driver, streaming.PixelCounts.empty(driver.array(truth)), arrays[1:], cuts):
        found = streaming.compute(state)
        assert [int(driver.numpy(x)) for x in found[:2]] == [int(driver.numpy(x)) for x in expected[:2]]
        np.testing.assert_array_equal(driver.numpy(found[2]), driver.numpy(expected[2]))


@drawn(labelled=LABELLED, cuts=CUTS)
def test_moments_of_any_split_are_those_of_the_batch(driver, labelled, cuts):
    score = np.clip(unzipped(labelled)[1], -1e5, 1e5)
    expected = ak.score_statistics(driver.array(score))
    for state in streamed(driver, streaming.Moments.empty(driver.array(score)), [score], cuts):
        found = streaming.compute(state)
        for name in found._fields:
            x, y = (driver.numpy(getattr(each, name)) for each in (found, expected))
            np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-9 if name == "mean" else 0.0)


@drawn(labelled=LABELLED, cuts=CUTS, weighted=st.booleans())
@pytest.mark.parametrize(("metric", "settings"), RANKED)
def test_unique_scores_of_any_split_are_those_of_the_batch(driver, metric, settings, labelled, cuts, weighted):
    arrays, metric = unzipped(labelled), partial(metric, **settings)
    weights = {"sample_weight": np.arange(len(arrays[0])) % 3 + 0.5} if weighted else {}
    given_ = {name: driver.array(x) for name, x in weights.items()}
    expected = driver.numpy(value(metric, *map(driver.array, arrays), **given_))
    for state in streamed(driver, streaming.UniqueScores.empty(driver.array(arrays[1])), arrays, cuts, **weights):
        found = driver.numpy(value(streaming.compute, state, metric))
        np.testing.assert_allclose(found, expected, rtol=1e-13)


@drawn(labelled=LABELLED, cuts=CUTS, weighted=st.booleans(), dtype=st.sampled_from(["float32", "float64"]))
def test_the_truth_is_between_the_bounds(driver, labelled, cuts, weighted, dtype):
    truth, score = unzipped(labelled)
    arrays = truth, score.astype(dtype)
    weights = {"sample_weight": np.arange(len(truth)) % 3 + 0.5} if weighted else {}
    given_ = {name: driver.array(x) for name, x in weights.items()}
    whole = driver.array(truth), driver.array(arrays[1].astype(np.float64))
    for state in streamed(driver, streaming.ScoreHistogram.empty(driver.array(arrays[1])), arrays, cuts, **weights):
        for metric, settings in RANKED:
            expected = driver.numpy(value(metric, *whole, **given_, **settings))
            found = [driver.numpy(x) for x in streaming.compute(state, metric, **settings)]
            if np.isnan(expected):
                assert np.isnan(found).all()
                continue
            assert found[1] - 1e-14 <= expected <= found[2] + 1e-14, metric.__name__
            assert found[1] - 1e-14 <= found[0] <= found[2] + 1e-14, metric.__name__


def test_bounds_are_narrow_on_real_scores_and_wide_where_a_bucket_hides_the_order(driver):
    rng = np.random.default_rng(0)
    truth = rng.random(20_000) < 0.02
    score = 100 * (rng.normal(size=truth.shape) + 2 * truth)
    state = streaming.ScoreHistogram.empty(driver.array(score)).of(driver.array(truth), driver.array(score))
    for metric, settings in RANKED:
        found = [float(driver.numpy(x)) for x in streaming.compute(state, metric, **settings)]
        assert found[2] - found[1] < 0.05
    crowded = 1 + score / 1e6  # a bucket or two for all
    state = state.empty(state.edges, edges=state.edges).of(driver.array(truth), driver.array(crowded))
    found = [float(driver.numpy(x)) for x in streaming.compute(state, ak.roc_auc)]
    assert found[2] - found[1] > 0.5


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int16", "uint8"])
@pytest.mark.parametrize(("metric", "settings"), RANKED)
def test_scores_of_16_bits_are_exact(driver, metric, settings, dtype):
    if "float" in dtype and dtype not in driver.halves:
        pytest.skip("has no such dtype")
    rng = np.random.default_rng(0)
    truth = rng.random(500) < 0.2
    score = rng.normal(size=500) + truth
    if "float" not in dtype:
        score = (90 * np.abs(score)).astype(dtype)
    score = driver.array(score, dtype)
    state = streaming.ScoreHistogram.empty(score)
    state = streaming.update(state, driver.array(truth[:200]), score[:200])
    state = streaming.update(state, driver.array(truth[200:]), score[200:])
    wide = driver.array(driver.numpy(score).astype(np.float64))
    expected = driver.numpy(value(metric, driver.array(truth), wide, **settings))
    for x in streaming.compute(state, metric, **settings):
        np.testing.assert_allclose(driver.numpy(x), expected, rtol=1e-14)


def test_the_best_threshold_of_no_scores_is_nan(driver):
    like = driver.array(np.zeros(0))
    assert np.isnan(driver.numpy(streaming.ScoreHistogram.empty(like).best_threshold()))


@drawn(labelled=LABELLED)
def test_the_best_threshold_of_a_histogram_has_the_value_of_its_best_f1(driver, labelled):
    truth, score = map(driver.array, unzipped(labelled))
    state = streaming.ScoreHistogram.empty(score).of(truth, score)
    value, threshold = driver.numpy(state.compute(ak.best_f1).value), driver.numpy(state.best_threshold())
    decision = driver.array(driver.numpy(score) >= threshold)
    np.testing.assert_allclose(driver.numpy(ak.anomaly_detection_metrics(truth, decision).f1_score), value, rtol=1e-6)


def test_equal_scores_are_exact_whatever_the_buckets(driver):
    truth, score = np.asarray([True, False, True, False, False]), np.asarray([1.0001, 1.0001, 1.5, 0.3, 1.0001])
    state = streaming.ScoreHistogram.empty(driver.array(score)).of(driver.array(truth), driver.array(score))
    expected = driver.numpy(ak.roc_auc(driver.array(truth), driver.array(score)))
    np.testing.assert_allclose([driver.numpy(x) for x in streaming.compute(state, ak.roc_auc)], expected, rtol=1e-15)


def test_large_integers_are_bounded_not_taken_for_equal(driver):
    score = 2**60 + np.arange(4)  # equal as floats
    truth = np.asarray([False, False, True, True])
    state = streaming.ScoreHistogram.empty(driver.array(score)).of(driver.array(truth), driver.array(score))
    found = [float(driver.numpy(x)) for x in streaming.compute(state, ak.roc_auc)]
    assert found[1] <= 1.0 <= found[2]


@drawn(labelled=LABELLED, cuts=CUTS, level=st.sampled_from([0.0, 0.25, 0.5, 0.95, 1.0]))
def test_quantiles_are_between_their_bounds(driver, labelled, cuts, level):
    arrays = unzipped(labelled)
    with np.errstate(invalid="ignore"):
        expected = np.quantile(np.clip(arrays[1], -1e39, 1e39), level)
    for state in streamed(driver, streaming.ScoreHistogram.empty(driver.array(arrays[1])), arrays, cuts):
        found, lower, upper = (np.clip(driver.numpy(x), -1e39, 1e39) for x in state.quantile(level))
        slack = 1e-9 * abs(expected)
        assert lower - slack <= expected <= upper + slack
        assert lower <= found <= upper


@pytest.mark.parametrize("where", ["target", "score", "sample_weight"])
@pytest.mark.parametrize("name", ["UniqueScores", "ScoreHistogram", "DetectionCounts"])
def test_a_nan_anywhere_in_the_stream_makes_it_nan(driver, where, name):
    arrays = {
        "target": np.asarray([1.0, 0.0, 1.0, 0.0]),
        "score": np.asarray([3.0, 2.0, 1.0, 0.0]),
        "sample_weight": np.ones(4),
    }
    if name == "DetectionCounts":
        arrays["score"] = arrays["score"] > 1.5  # decisions
    arrays[where] = np.where(np.arange(4) == 1, np.nan, arrays[where])
    state = getattr(streaming, name).empty(driver.array(np.zeros(0)))
    for part in (slice(2), slice(2, 4)):
        target, score, weight = (driver.array(x[part]) for x in arrays.values())
        state = streaming.update(state, target, score, sample_weight=weight)
    results = state.compute() if name == "DetectionCounts" else state.compute(ak.roc_auc)
    for x in results if isinstance(results, tuple) else [results]:
        assert x is None or np.isnan(driver.numpy(x))
    if name == "ScoreHistogram":
        assert all(np.isnan(driver.numpy(x)) for x in state.compute(ak.best_f1))


def test_a_quantile_that_is_a_score_has_its_bounds_beside_an_infinite_one(driver):
    truth, score = driver.array(np.asarray([False] * 3)), driver.array(np.asarray([1.0, 2.0, np.inf]))
    state = streaming.ScoreHistogram.empty(score).of(truth, score)
    assert [driver.numpy(x) for x in state.quantile(0.5)] == [2.0] * 3
    assert [driver.numpy(x) for x in state.quantile(0.75)] == [2.0, 2.0, np.inf]


def test_numbers_that_are_nan_are_counted_in_every_array(driver):
    some, other = (driver.array(np.asarray(x)) for x in ([1.0, np.nan, np.nan], [np.nan, 0.0, 1.0]))
    state = streaming.DetectionCounts.of(some, other, other)
    assert int(driver.numpy(state.unknown)) == 2 + 1 + 1


def test_nan_scores_make_moments_nan(driver):
    score = np.asarray([1.0, np.nan, 3.0, 4.0])
    for state in streamed(driver, streaming.Moments.empty(driver.array(score)), [score], [2]):
        assert all(np.isnan(driver.numpy(x)) for x in streaming.compute(state))


def test_pixels_that_are_nan_have_no_percentage(driver):
    state = streaming.PixelCounts.of(driver.array(np.asarray([1.0, np.nan])))
    assert np.isnan(driver.numpy(streaming.compute(state).anomaly_percentage))


def test_states_of_nothing_compute_what_is_undefined(driver):
    like = driver.array(np.zeros(3))
    assert [float(driver.numpy(x)) for x in streaming.Moments.empty(like)] == [0.0, 0.0, 0.0, np.inf, -np.inf]
    assert all(np.isnan(driver.numpy(x)) for x in streaming.compute(streaming.Moments.empty(like)))
    assert [driver.numpy(x) for x in streaming.Detections.empty(like).compute()[:4]] == [0.0] * 4
    found = streaming.compute(streaming.DetectionCounts.empty(like), zero_division=0.25)
    assert [driver.numpy(x) for x in found[:4]] == [0.25] * 4
    assert driver.numpy(streaming.compute(streaming.PixelCounts.empty(like)).anomaly_percentage) == 0.0
    histogram = streaming.ScoreHistogram.empty(like)
    assert all(np.isnan(driver.numpy(x)) for x in histogram.compute(ak.roc_auc))
    assert all(np.isnan(driver.numpy(x)) for x in histogram.compute(ak.fpr_at_tpr))
    assert all(np.isnan(driver.numpy(x)) for x in histogram.quantile(0.5))
    assert [driver.numpy(x) for x in histogram.compute(ak.average_precision)] == [0.0] * 3
    unique = streaming.UniqueScores.empty(like)
    assert np.isnan(driver.numpy(unique.compute(ak.roc_auc)))
    assert np.isnan(driver.numpy(unique.compute(ak.fpr_at_tpr)))
    assert driver.numpy(unique.compute(ak.average_precision)) == 0.0
    assert driver.numpy(unique.compute(ak.best_f1).value) == 0.0
    for scores in (histogram, unique):
        assert all(np.isnan(driver.numpy(x)) for x in streaming.Statistics.empty(like, scores).compute())
        found = streaming.Detections.empty(like, scores).compute(zero_division=0.25)
        assert [driver.numpy(x) for x in found] == [0.25] * 4 + [0.0]


@pytest.mark.parametrize("more", [[2, 3], [2**31 - 2, 2**31 - 2]])
def test_counts_that_overflow_are_no_numbers(driver, more):
    """As those of JAX may, which has 32 bits by default."""

    def states(number):
        count, none = (driver.array(np.asarray(x, "int32")) for x in (number, 0))
        each = driver.array(np.asarray([0, number], "int32"))
        score = driver.array(np.asarray([1.0, 2.0, 4.0]))
        histogram = streaming.ScoreHistogram.empty(score, edges=score[:2])
        truth = driver.array(np.asarray([True, True, False]))
        return {
            "detections": streaming.DetectionCounts(count, count, count, none),
            "pixels": streaming.PixelCounts(count, count, none),
            "moments": streaming.Moments.of(score)._replace(number=count),
            "histogram": histogram.of(truth, score)._replace(positive=each, negative=each),
            "positives": histogram.of(truth, score)._replace(positive=each),
            "negatives": histogram.of(truth, score)._replace(negative=each),
        }

    def computed(name, state):
        if isinstance(state, streaming.ScoreHistogram):
            return state.compute(ak.average_precision)
        found = streaming.compute(state)
        return {"detections": found[:4], "pixels": found[2:], "moments": found}[name]

    first, *others = [states(number) for number in (2**31 - 2, *more)]
    for name, state in first.items():
        assert np.isfinite([driver.numpy(x) for x in computed(name, state)]).all(), name
        parts = [state, *(each[name] for each in others)]
        for order in (parts, parts[::-1]):
            with np.errstate(over="ignore", invalid="ignore"):
                found = computed(name, reduce(streaming.merge, order))
            assert np.isnan([driver.numpy(x) for x in found]).all(), name


def test_counts_are_integers_unless_samples_have_weights(driver):
    truth, score = driver.array(np.asarray([True, False])), driver.array(np.asarray([2.0, 1.0]))
    for state in (
        streaming.DetectionCounts.of(truth, truth),
        streaming.PixelCounts.of(truth),
        streaming.UniqueScores.of(truth, score)[1:],
        streaming.ScoreHistogram.empty(score).of(truth, score)[1:3],
    ):
        assert {driver.dtype_name(x) for x in state} <= {"int64", "int32"}
    weight = driver.array(np.asarray([0.5, 2.0]))
    assert driver.numpy(streaming.DetectionCounts.of(truth, truth, weight).both) == 0.5


@pytest.mark.parametrize("name", ["DetectionCounts", "PixelCounts", "Moments", "UniqueScores", "ScoreHistogram"])
def test_states_are_pickled_and_are_tuples_of_arrays(driver, name):
    state = getattr(streaming, name).empty(driver.array(np.zeros(2)))
    assert all(driver.is_array(x) for x in state)
    again = pickle.loads(pickle.dumps(state))
    for x, y in zip(state, again, strict=True):
        np.testing.assert_array_equal(driver.numpy(x), driver.numpy(y))


def test_edges_of_your_own(driver):
    truth, score = np.asarray([True, True, False, False]), np.asarray([0.9, 0.4, 0.45, 0.1])
    edges = driver.array(np.linspace(0.0, 1.0, 11))
    empty = streaming.ScoreHistogram.empty(driver.array(score), edges=edges)
    state = empty.of(driver.array(truth), driver.array(score))
    assert state.positive.shape == (11,)
    found = [float(driver.numpy(x)) for x in streaming.compute(state, ak.roc_auc)]
    assert found == pytest.approx([0.875, 0.75, 1.0])


def test_what_does_not_fit_is_refused(driver):
    truth, score = driver.array(np.asarray([True, False])), driver.array(np.asarray([2.0, 1.0]))
    single = driver.array(np.asarray([2.0, 1.0]), "float32")
    with pytest.raises(TypeError, match="states of one kind can be merged, got PixelCounts and Moments"):
        streaming.merge(streaming.PixelCounts.of(truth), streaming.Moments.of(score))
    with pytest.raises(TypeError, match="scores of one dtype can be merged, got .*float64.* and .*float32"):
        streaming.merge(streaming.UniqueScores.of(truth, score), streaming.UniqueScores.of(truth, single))
    with pytest.raises(TypeError, match="`score` must be no wider than the state, of dtype .*float32.*, got .*float64"):
        streaming.ScoreHistogram.empty(single).of(truth, score)
    with pytest.raises(TypeError, match="histograms with the same edges can be merged, got 65281 of .*float64"):
        streaming.merge(streaming.ScoreHistogram.empty(score), streaming.ScoreHistogram.empty(score, edges=score[:1]))
    with pytest.raises(ValueError, match="`metric` must be one of `average_precision`, .*, got score_statistics: use"):
        streaming.compute(streaming.ScoreHistogram.empty(score), ak.score_statistics)
    with pytest.raises(ValueError, match="`level` must be >= 0 and <= 1, got 2"):
        streaming.ScoreHistogram.empty(score).quantile(2)
    with pytest.raises(ValueError, match="`target` and `decision` must have equal shapes"):
        streaming.DetectionCounts.of(truth, truth[:1])


def test_parts_that_keep_scores_in_other_ways_are_refused(driver):
    truth, score = driver.array(np.asarray([True, False])), driver.array(np.asarray([2.0, 1.0]))
    kinds = streaming.UniqueScores.empty(score), streaming.ScoreHistogram.empty(score)
    unique, histogram = (streaming.Detections.empty(score, kind).of(truth, truth, score) for kind in kinds)
    without = streaming.Detections.empty(score).of(truth, truth)
    for pair in ((unique, without), (without, unique), (histogram, without), (without, histogram)):
        with pytest.raises(
            ValueError, match="^`score` must be given with every batch or with none, got parts with and without$"
        ):
            streaming.merge(*pair)
    with pytest.raises(TypeError, match="states of one kind can be merged, got UniqueScores and ScoreHistogram"):
        streaming.merge(unique, histogram)
    unique, histogram = (streaming.Statistics.empty(score, kind).of(score) for kind in kinds)
    with pytest.raises(TypeError, match="states of one kind can be merged, got ScoreHistogram and UniqueScores"):
        streaming.merge(histogram, unique)
    with pytest.raises(TypeError, match="states can be merged, got NoneType and NoneType"):
        streaming.merge(None, None)
    for state in (*kinds, unique, streaming.Moments.of(score), streaming.PixelCounts.of(truth)):
        with pytest.raises(TypeError, match=f"^states of one kind can be merged, got {type(state).__name__} and int$"):
            state.merge(3)


def test_histograms_of_other_edges_are_not_merged(driver):
    truth, score = driver.array(np.asarray([True, False])), driver.array(np.asarray([2.0, 1.0]))
    edges = [driver.array(np.asarray(x)) for x in ([0.0, 1.0], [0.0, 1.0], [0.0, 1.5])]
    same, again, other = (streaming.ScoreHistogram.empty(score, edges=x).of(truth, score) for x in edges)
    assert driver.numpy(streaming.merge(same, again).positive).tolist() == [0, 2]
    with pytest.raises(TypeError, match="histograms with the same edges can be merged, got 2 of .* and 2 of .* differ"):
        streaming.merge(same, other)
    single = streaming.ScoreHistogram.empty(score, edges=driver.array(np.asarray([0.0, 1.0]), "float32"))
    with pytest.raises(TypeError, match="histograms with the same edges can be merged, got 2 of .*64 and 2 of .*32"):
        streaming.merge(same, single)


@pytest.mark.library("jax")
def test_compiled_histograms_of_other_edges_merge_to_nan():
    import jax
    import jax.numpy as jnp

    merged = jax.jit(lambda a, b: streaming.merge(a, b).compute(ak.average_precision))
    truth, score = jnp.asarray([True, False]), jnp.asarray([2.0, 1.0])
    same, again, other = (
        streaming.ScoreHistogram.empty(score, edges=jnp.asarray(x)).of(truth, score)
        for x in ([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.0, 1.5, 2.0])
    )
    assert merged(same, again) == (1.0, 1.0, 1.0)
    assert np.isnan(merged(same, other)).all()


def test_edges_are_ascending_real_numbers(driver):
    like = driver.array(np.zeros(3))
    for wrong in ([1.0, 0.0], [np.nan], [0.0, np.nan, 1.0], [0.0, 1.0, 0.5]):
        with pytest.raises(ValueError, match="`edges` must be ascending numbers"):
            streaming.ScoreHistogram.empty(like, edges=driver.array(np.asarray(wrong)))
    with pytest.raises(ValueError, match=r"`edges` must have shape \(B,\), got \(1, 2\)"):
        streaming.ScoreHistogram.empty(like, edges=driver.array(np.zeros((1, 2))))
    with pytest.raises(ValueError, match=r"`edges` has shape \(0,\)"):
        streaming.ScoreHistogram.empty(like, edges=driver.array(np.zeros(0)))
    with pytest.raises(TypeError, match="`edges`: list"):
        streaming.ScoreHistogram.empty(like, edges=[0.0, 1.0])


@pytest.mark.parametrize("dtype", ["int64", "float16", "bfloat16", "float32"])
def test_edges_of_any_dtype_leave_the_truth_between_the_bounds(driver, dtype):
    if dtype in ("float16", "bfloat16") and dtype not in driver.halves:
        pytest.skip("has no such dtype")
    edges = np.asarray([0.0, 1.0, 2.0])
    edges = driver.array(edges, dtype) if "float" in dtype else driver.array(edges.astype(dtype))
    truth = driver.array(np.asarray([True, False, True, False]))
    score = driver.array(np.asarray([1.0001, 1.0, 1.0002, 2.5]), "float32")  # the first are one number in 16 bits
    state = streaming.ScoreHistogram.empty(score, edges=edges).of(truth, score)
    expected = float(driver.numpy(ak.roc_auc(truth, score)))
    _, lower, upper = (float(driver.numpy(x)) for x in state.compute(ak.roc_auc))
    assert lower <= expected <= upper


def test_scores_of_another_library_or_shape_are_refused(driver):
    truth, score = np.asarray([True, False]), np.asarray([2.0, 1.0])
    state = streaming.ScoreHistogram.empty(driver.array(score))
    if driver.name != "numpy":
        with pytest.raises(
            TypeError, match="arrays of one library are needed .* `the state`: .* `score`: numpy.ndarray"
        ):
            state.of(truth, score)
    with pytest.raises(ValueError, match=r"`target` and `score` must have equal shapes, got \(2,\) and \(0,\)"):
        state.of(driver.array(truth), driver.array(score)[:0])


@pytest.mark.library("tensorflow")
@pytest.mark.parametrize("compiled", [False, True])
def test_a_batch_that_turns_out_empty_in_a_graph_changes_nothing(compiled):
    import tensorflow as tf

    truth, score = tf.constant([True, False, True]), tf.constant([3.0, 2.0, 1.0], tf.float64)
    signature = tf.TensorSpec((None,), tf.bool), tf.TensorSpec((None,), tf.float64)

    @tf.function(input_signature=signature, jit_compile=compiled)
    def merged(more, scores):
        empty = streaming.ScoreHistogram.empty(score)
        histogram = streaming.update(empty.of(truth, score), more, scores)
        moments = streaming.update(streaming.Moments.of(score), scores)
        counts = streaming.update(streaming.DetectionCounts.of(truth, score > 2.5), more, scores > 2.5)
        return (*moments.compute(), *histogram.compute(ak.roc_auc), *histogram.quantile(0.5), *counts.compute()[:4])

    found = [float(x) for x in merged(truth[:0], score[:0])]
    assert found == pytest.approx([2.0, 1.0, 1.0, 3.0, *[0.5] * 3, *[2.0] * 3, 1.0, 0.5, 2 / 3, 0.5], rel=1e-6)


@pytest.mark.library("jax")
def test_a_quantile_of_counts_whose_sum_overflows_is_no_number():
    import jax
    import jax.numpy as jnp

    with jax.enable_x64(False):  # where sums of 32 bits remain of 32 bits
        score = jnp.asarray([1.0, 2.0, 4.0])
        empty = streaming.ScoreHistogram.empty(score, edges=score)
        count = jnp.asarray([2**30, 2**30 - 1, 0])
        state = empty._replace(positive=count, least=score, greatest=score)
        assert state.quantile(0.25).value == 1.0
        assert np.isnan(state._replace(negative=count).quantile(0.25)).all()


@pytest.mark.library("jax")
def test_states_of_fixed_shape_are_scanned_and_jitted():
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    truth, score = jnp.asarray(rng.random((5, 40)) < 0.3), jnp.asarray(rng.normal(size=(5, 40)))
    start = (
        streaming.DetectionCounts.empty(score),
        streaming.Moments.empty(score),
        streaming.ScoreHistogram.empty(score),
    )

    def step(states, batch):
        counts, moments, histogram = states
        target, scores = batch
        counts = streaming.update(counts, target, scores > 0)
        return (counts, streaming.update(moments, scores), streaming.update(histogram, target, scores)), None

    counts, moments, histogram = jax.jit(lambda: jax.lax.scan(step, start, (truth, score))[0])()
    np.testing.assert_allclose(counts.compute().f1_score, ak.anomaly_detection_metrics(truth, score > 0).f1_score)
    np.testing.assert_allclose(moments.compute().std, ak.score_statistics(score).std, rtol=1e-12)
    value, lower, upper = jax.jit(lambda state: state.compute(ak.roc_auc))(histogram)
    assert lower <= ak.roc_auc(truth, score) <= upper
    assert value == pytest.approx(float(ak.roc_auc(truth, score)), abs=0.01)


@drawn(labelled=LABELLED, cuts=CUTS, scored=st.booleans())
@pytest.mark.parametrize("exact", [True, False])
def test_detections_are_counts_and_scores_together(driver, labelled, cuts, scored, exact):
    truth, score = unzipped(labelled)
    score = np.unique(score, return_inverse=True)[1].astype(np.float64)  # which the histogram holds exactly
    arrays = [truth, score > 1.0, score][: 2 + scored]
    kept = (streaming.UniqueScores if exact else streaming.ScoreHistogram).empty(driver.array(score))
    expected = ak.anomaly_detection_metrics(*map(driver.array, arrays), zero_division=0.5)
    empty = streaming.Detections.empty(driver.array(truth), kept if scored else None)
    for state in streamed(driver, empty, arrays, cuts):
        for name, x, y in zip(expected._fields, state.compute(zero_division=0.5), expected, strict=True):
            if y is None:
                assert x is None
            else:
                np.testing.assert_allclose(driver.numpy(x), driver.numpy(y), rtol=1e-6, err_msg=name)


@drawn(labelled=LABELLED, cuts=CUTS)
@pytest.mark.parametrize("kind", [streaming.UniqueScores, streaming.ScoreHistogram])
def test_statistics_are_those_of_the_batch(driver, kind, labelled, cuts):
    score = np.clip(unzipped(labelled)[1], -100.0, 100.0).round()
    expected = ak.score_statistics(driver.array(score))
    empty = streaming.Statistics.empty(driver.array(score), kind.empty(driver.array(score)))
    for state in streamed(driver, empty, [score], cuts):
        for name, x, y in zip(expected._fields, state.compute(), expected, strict=True):
            np.testing.assert_allclose(driver.numpy(x), driver.numpy(y), rtol=1e-11, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("kind", [streaming.UniqueScores, streaming.ScoreHistogram])
def test_detections_take_weights(driver, kind):
    arrays = np.asarray([True, False, True, False]), np.asarray([True, True, False, False])
    truth, decision, score, weight = map(driver.array, (*arrays, np.asarray([4.0, 3.0, 2.0, 1.0]), np.arange(1.0, 5.0)))
    state = streaming.Detections.empty(score, kind.empty(score))
    found = streaming.update(state, truth, decision, score, sample_weight=weight).compute()
    assert [driver.numpy(x) for x in found] == pytest.approx([1 / 3, 1 / 4, 2 / 7, 1 / 6, 3 / 4], rel=1e-6)


def test_integers_are_taken_for_equal_only_where_floats_tell_them_apart(driver):
    truth = driver.array(np.asarray([True]))
    for dtype, digits in (("float32", 24), ("float64", 53)):
        state = streaming.ScoreHistogram.empty(driver.array(np.zeros(0), dtype))
        for sign in (-1, 1):
            for above, extremes in ((-1, [sign * (2.0**digits - 1)] * 2), (0, [-np.inf, np.inf])):
                score = sign * (2**digits + above)
                found = state.of(truth, driver.array(np.asarray([score])))
                bucket = driver.numpy(found.positive).argmax()
                assert [driver.numpy(x)[bucket] for x in (found.least, found.greatest)] == extremes


def test_settings_of_metrics_and_metrics_that_wrap_those_known(driver):
    truth, score = (driver.array(np.asarray(x)) for x in ([False, True, False, True], [1.0, 2.0, 3.0, 4.0]))
    state = streaming.ScoreHistogram.empty(score).of(truth, score)
    for tpr, expected in ((0.5, 0.0), (0.95, 0.5), (driver.array(np.asarray(0.5)), 0.0)):
        assert [driver.numpy(x) for x in state.compute(ak.fpr_at_tpr, tpr=tpr)] == [expected] * 3
        assert driver.numpy(streaming.UniqueScores.of(truth, score).compute(ak.fpr_at_tpr, tpr=tpr)) == expected

    @wraps(ak.roc_auc)
    def wrapped(*arrays, **settings):
        return ak.roc_auc(*arrays, **settings)

    assert [driver.numpy(x) for x in state.compute(wrapped)] == [0.75] * 3
    with pytest.raises(ValueError, match="`metric` must be one of .*, got functools.partial: use"):
        state.compute(partial(ak.roc_auc, max_fpr=0.5))
    with pytest.raises(ValueError, match="`tpr` must be > 0 and <= 1, got 2"):
        state.compute(ak.fpr_at_tpr, tpr=2)


def test_sums_of_single_precision_are_kept_in_double(driver):
    numbers = np.asarray([2.0**24, 1.0, 1.0])  # 1 is lost beside the first, in float32
    scores, truth = driver.array(numbers, "float32"), driver.array(np.ones(3, dtype=bool))
    moments = streaming.Moments.of(scores)
    assert driver.numpy(moments.mean) == numbers.mean()
    assert driver.numpy(streaming.merge(streaming.Moments.empty(scores), moments).mean) == numbers.mean()
    assert driver.numpy(streaming.DetectionCounts.of(truth, truth, scores).both) == 2**24 + 2
    for state in (moments, streaming.Moments.empty(scores)):
        assert {driver.dtype_name(x) for x in state[1:]} == {"float64"}
    for means in (streaming.Means.of(scores, scores[0]), streaming.Means.empty(scores, (1, 0))):
        assert {driver.dtype_name(x) for x in means.totals} == {"float64"}
    one, two = (streaming.Means.of(driver.array(np.asarray(x), "float32")) for x in (2.0**24, 1.0))
    assert [driver.numpy(x) for x in streaming.merge(one, two).compute()] == [(2**24 + 1) / 2]


def test_distinct_scores_of_16_bits_are_kept_in_single_precision(driver):
    for half in driver.halves:
        truth, score = driver.array(np.asarray([True, False])), driver.array(np.asarray([2.0, 1.0]), half)
        empty = streaming.UniqueScores.empty(score)
        for state in (empty, streaming.update(empty, truth, score)):
            assert driver.dtype_name(state.score) == "float32"
    assert driver.dtype_name(streaming.UniqueScores.empty(driver.array(np.zeros(1))).score) == "float64"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [streaming.UniqueScores, streaming.ScoreHistogram])
def test_statistics_have_the_dtype_of_the_scores(driver, kind, dtype):
    scores = driver.array(np.asarray([1.0, 2.0, 4.0]), dtype)
    found = streaming.update(streaming.Statistics.empty(scores, kind.empty(scores)), scores).compute()
    assert {driver.dtype_name(x) for x in found} == {dtype}


def test_division_by_zero_in_counts_is_a_setting(driver):
    state = streaming.DetectionCounts.empty(driver.array(np.zeros(3)))
    for value in (0.5, driver.array(np.asarray(0.5))):
        assert [float(driver.numpy(x)) for x in state.compute(zero_division=value)[:4]] == [0.5] * 4
    assert all(np.isnan(driver.numpy(x)) for x in state.compute(zero_division=float("nan"))[:4])
    with pytest.raises(TypeError, match="`zero_division` must be a number"):
        state.compute(zero_division="warn")


def test_counts_name_wrong_arguments(driver):
    truth = driver.array(np.asarray([True, False]))
    with pytest.raises(ValueError, match=r"`sample_weight` must have equal shapes, got \(2,\) and \(2,\) and \(1,\)"):
        streaming.DetectionCounts.of(truth, truth, driver.array(np.ones(1)))
    with pytest.raises(TypeError, match="`decision`: list"):
        streaming.PixelCounts.of([True])
    with pytest.raises(TypeError, match="`target`: list"):
        streaming.DetectionCounts.of([True], truth)


def test_means_are_over_batches(driver):
    rows = [driver.array(np.asarray(x)) for x in ([0.5, 0.25], [0.3, 0.1], [0.7, 0.2])]
    states = [streaming.Means.of(*ak.explained_variance(row)) for row in rows]
    merged = reduce(streaming.merge, states, streaming.Means.empty(rows[0], (1, 0, 1)))
    for found, values in zip(merged.compute(), ([0.5, 0.55 / 3], 2.05 / 3, [0.5, 2.05 / 3]), strict=True):
        np.testing.assert_allclose(driver.numpy(found), values, rtol=1e-14)
    assert all(np.isnan(driver.numpy(x)).all() for x in streaming.Means.empty(rows[0], (1, 0, 1)).compute())


def test_scores_come_with_every_batch_or_with_none(driver):
    truth, score = driver.array(np.asarray([True, False])), driver.array(np.asarray([2.0, 1.0]))
    with pytest.raises(ValueError, match="`score` must be given with every batch or with none, got none before"):
        streaming.Detections.empty(truth).of(truth, truth, score)
    with pytest.raises(ValueError, match="`score` must be given with every batch or with none, got one before"):
        streaming.Detections.empty(truth, streaming.UniqueScores.empty(score)).of(truth, truth)


@pytest.mark.library("numpy")
def test_a_hundred_million_scores_need_64_mebibytes():
    import tracemalloc

    rng = np.random.default_rng(0)
    truth, score = rng.random(1_000_000) < 0.02, rng.normal(size=1_000_000).astype("float32")
    state = streaming.ScoreHistogram.empty(score)
    tracemalloc.start()
    try:
        for k in range(100):
            state = streaming.update(state, truth, np.add(score, np.float32(0.01 * k)))
        found = streaming.compute(state, ak.average_precision)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert int(state.positive.sum() + state.negative.sum()) == 10**8
    assert found.lower < found.value < found.upper < 1.02 * found.lower
    assert peak - score.nbytes < 64 * 2**20


def test_batch_size_and_order_change_no_metric_on_logits_or_probabilities(driver):
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.1
    logits = 1e4 * rng.normal(size=300)
    for score in (logits, 1 / (1 + np.exp(-logits / 1e4))):
        arrays = truth, score
        expected = driver.numpy(ak.average_precision(*map(driver.array, arrays)))
        quick = driver.name not in ("jax", "tensorflow")  # JAX compiles for every number of scores
        for size in (1, 7, 300) if quick else (150, 300):
            order = rng.permutation(300)
            state = streaming.UniqueScores.empty(driver.array(score))
            for start in range(0, 300, size):
                batch = order[start : start + size]
                state = streaming.update(state, *(driver.array(x[batch]) for x in arrays))
            np.testing.assert_allclose(driver.numpy(state.compute(ak.average_precision)), expected, rtol=1e-14)


@pytest.mark.library("numpy")
def test_states_of_parts_are_reduced_to_what_they_merge_to():
    rng = np.random.default_rng(4)
    parts = [(rng.random(n) < 0.4, rng.normal(size=n), rng.random(n)) for n in (5, 9, 1)]
    like = np.zeros(0)
    histogram = streaming.ScoreHistogram.empty(like, edges=np.asarray([-1.0, 0.0, 0.5]))
    kinds = [
        (streaming.DetectionCounts.empty(like), lambda truth, score, weight: (truth, score > 0, weight)),
        (streaming.PixelCounts.empty(like), lambda truth, score, weight: (truth,)),
        (streaming.Moments.empty(like), lambda truth, score, weight: (score,)),
        (histogram, lambda truth, score, weight: (truth, score, weight)),
        (streaming.Detections.empty(like, histogram), lambda truth, score, weight: (truth, score > 0, score)),
        (streaming.Statistics.empty(like, histogram), lambda truth, score, weight: (score,)),
        (streaming.Means.empty(like, (0, 0)), lambda truth, score, weight: (score[0], weight[0])),
    ]
    for empty, chosen in kinds:
        states = [empty.of(*chosen(*part)) for part in parts]
        reductions = (lambda x: np.sum(x, axis=0), lambda x: np.min(x, axis=0), lambda x: np.max(x, axis=0))
        together = stacked(states).reduce(*reductions)
        for x, y in zip(flat(together), flat(reduce(streaming.merge, states)), strict=True):
            np.testing.assert_allclose(x if x.shape == y.shape else x[0], y, rtol=1e-14)  # edges are in each part
    with pytest.raises(TypeError, match="`UniqueScores` has other entries in each part: merge the parts one by one"):
        streaming.UniqueScores.of(*parts[0]).reduce(*reductions)


def stacked(states):
    """One state whose arrays have those of all parts along the first axis."""
    if not isinstance(states[0], tuple):
        return np.stack(states)
    fields = [stacked(list(each)) for each in zip(*states, strict=True)]
    return type(states[0])(*fields) if hasattr(states[0], "_fields") else tuple(fields)


def flat(state):
    return [x for field in state for x in flat(field)] if isinstance(state, tuple) else [state]


def test_means_of_results_of_different_lengths_are_refused(driver):
    three = streaming.Means.of(driver.array(np.ones(3)))
    for n in (1, 4):
        other = streaming.Means.of(driver.array(np.ones(n)))
        with pytest.raises(ValueError, match=rf"results of all batches must have one shape, got \(3,\) and \({n},\)"):
            three.merge(other)
    with pytest.raises(ValueError, match="results of one metric can be merged, got 1 and 2"):
        three.merge(streaming.Means.of(*[driver.array(np.ones(3))] * 2))


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_integer_weights_beyond_the_integers_do_not_wrap(driver, cut):
    if driver.name == "dask":
        pytest.skip("makes states of its chunks, in NumPy")
    weight = np.asarray([2**62] * 6 + [2**62 + 5, 2**62 + 3])  # of both classes beyond 2**64, which wraps to 5 and 3
    arrays = [driver.array(x) for x in (np.asarray([True, False] * 4), np.asarray([2.0, 1.0] * 4), weight)]
    parts = [[x[part] for x in arrays] for part in (slice(cut), slice(cut, 8))]
    state = reduce(streaming.merge, [streaming.UniqueScores.of(*part) for part in parts])
    assert np.isnan(driver.numpy(state.compute(ak.roc_auc)))


def test_a_metric_is_a_function_not_its_name(driver):
    truth, score = driver.array(np.asarray([True, False])), driver.array(np.asarray([2.0, 1.0]))
    if driver.name != "dask":
        with pytest.raises(TypeError, match="^`metric` must be a function such as `anomaly_kernels.roc_auc`, got str$"):
            streaming.compute(streaming.UniqueScores.of(truth, score), "roc_auc")
    with pytest.raises(ValueError, match="^`metric` must be one of .*, got str"):
        streaming.compute(streaming.ScoreHistogram.empty(score), "roc_auc")


def test_what_a_state_does_not_take_is_named_with_what_it_takes(driver):
    truth, scores = driver.array(np.asarray([True, False])), driver.array(np.asarray([0.9, 0.1]))
    pixels, ranked = streaming.PixelCounts.of(truth), streaming.ScoreHistogram.empty(scores).of(truth, scores)
    detections = streaming.Detections.empty(scores).of(truth, truth)
    for state, metric, settings, message in (
        (
            pixels,
            ["roc_auc"],
            {},
            "PixelCounts has its own results, and no `metric` to choose, got 'roc_auc': `Uniq",
        ),
        (pixels, [ak.roc_auc], {"tpr": 1}, "PixelCounts has its own results, and no `metric` to choose, got roc_auc: "),
        (streaming.PixelCounts, ["roc_auc"], {}, "`state` must be a state of .*, got the class PixelCounts: `PixelCou"),
        (ranked, [], {}, "`metric` of ScoreHistogram must be one metric of a ranking, such as .*, got none"),
        (
            ranked,
            [ak.roc_auc, ak.best_f1],
            {},
            "`metric` of ScoreHistogram must be one metric .*, got roc_auc, best",
        ),
        (ranked, [ak.roc_auc], {"tpr": 0.5}, "roc_auc of a histogram has no setting `tpr`; there are max_fpr"),
        (ranked, [ak.precision_at_k], {}, "precision_at_k needs the setting `k`"),
        (
            detections,
            [],
            {"zero_divison": 0.0},
            "Detections has no setting `zero_divison`; did you mean `zero_div",
        ),
        (detections, [], {"zero_division": "no"}, "`zero_division` must be a number or a 0-d array, got str"),
    ):
        with pytest.raises(TypeError, match=f"^{message}"):
            streaming.compute(state, *metric, **settings)
    for state, arrays, weights, message in (
        (pixels, [truth, scores], {}, "PixelCounts takes `decision`, got 2 arrays"),
        (ranked, [truth], {}, "ScoreHistogram takes `target`, `score`, `sample_weight`, got 1 array$"),
        (pixels, [truth], {"sample_weight": scores}, "`sample_weight` is not taken by PixelCounts, which takes `decis"),
        (streaming.Moments, [scores], {}, "`state` must be a state of .*, got the class Moments: `Moments.empty"),
        (pixels, [[True]], {}, "arrays of one library are needed"),
    ):
        with pytest.raises(TypeError, match=f"^{message}"):
            streaming.update(state, *arrays, **weights)
