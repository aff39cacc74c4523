"""Metrics of series are what their definitions say, in plain loops, and have the properties that these have."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial
from itertools import product

import numpy as np
import pytest
import series_loops as loops
from drawing import drawn, lists_of
from hypothesis import strategies as st

import anomaly_kernels as ak

# few different scores, so that there are ties within and between events
SCORES = st.sampled_from([-np.inf, -2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0e38, np.inf])
DECIDED = lists_of(st.tuples(st.booleans(), st.booleans()), max_size=20)
SCORED = lists_of(st.tuples(st.booleans(), SCORES), max_size=14)
BIASES = st.sampled_from(["flat", "front", "middle", "back"])

TRUTH = np.asarray([1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0, 1], dtype=bool)
ALARMS = np.asarray([0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1, 0, 0], dtype=bool)
SCORE = np.asarray([0.1, 0.9, 0.3, 0.8, 0.8, 0.4, 0.2, 0.7, 0.1, 0.6, 0.5, 0.0, 0.3])

DECISION_METRICS = {
    "point_adjusted_f1": (ak.point_adjusted_f1, loops.point_adjusted_f1),
    "point_adjusted_f1 of a third": (
        partial(ak.point_adjusted_f1, min_share=1 / 3),
        partial(loops.point_adjusted_f1, share=Fraction(1, 3)),
    ),
    "point_adjusted_f1 of all": (partial(ak.point_adjusted_f1, min_share=1), partial(loops.point_adjusted_f1, share=1)),
    "point_adjusted_f1_area": (ak.point_adjusted_f1_area, loops.point_adjusted_f1_area),
    "composite_f1": (ak.composite_f1, loops.composite_f1),
    "event_f1": (ak.event_f1, loops.event_f1),
    "event_f1, not corrected": (partial(ak.event_f1, corrected=False), partial(loops.event_f1, corrected=False)),
    "range_based_f1": (ak.range_based_f1, loops.range_based_f1),
    "affiliation_f1": (ak.affiliation_f1, loops.affiliation_f1),
    "detection_delay": (ak.detection_delay, loops.detection_delay),
}
BEST = {
    "best_point_adjusted_f1": (ak.best_point_adjusted_f1, lambda y, d: loops.point_adjusted_f1(y, d)[2]),
    "best_point_adjusted_f1 of a half": (
        partial(ak.best_point_adjusted_f1, min_share=0.5),
        lambda y, d: loops.point_adjusted_f1(y, d, Fraction(1, 2))[2],
    ),
    "best_composite_f1": (ak.best_composite_f1, lambda y, d: loops.composite_f1(y, d)[2]),
    "best_event_f1": (ak.best_event_f1, lambda y, d: loops.event_f1(y, d)[2]),
}
SURFACES = {"range_auc": (ak.range_auc, loops.range_auc), "vus": (ak.vus, loops.vus)}


def unzipped(pairs):
    return tuple(np.asarray(x) for x in zip(*pairs, strict=True))


def fields(result):
    return tuple(result) if isinstance(result, tuple) else (result,)


def numbers(driver, result):
    return [driver.numpy(x) for x in fields(result)]


def agree(driver, metric, loop, truth, other, undefined=math.nan, **settings):
    """The metric of arrays is the loop over lists, with `undefined` for None."""
    found = numbers(driver, metric(driver.array(truth), driver.array(other), **settings))
    expected = [undefined if x is None else float(x) for x in fields(loop(truth.tolist(), other.tolist()))]
    eps = float(np.finfo(found[0].dtype).eps)  # without scores that of the library's default
    np.testing.assert_allclose(found, expected, rtol=400 * eps, atol=4 * eps)


@drawn(pairs=DECIDED)
@pytest.mark.parametrize("name", DECISION_METRICS)
def test_a_metric_of_decisions_is_what_its_definition_says(driver, name, pairs):
    metric, loop = DECISION_METRICS[name]
    settings = {} if name == "detection_delay" else {"zero_division": 0.25}
    undefined = math.nan if name == "detection_delay" else 0.25
    agree(driver, metric, loop, *unzipped(pairs), undefined, **settings)


@drawn(pairs=DECIDED, settings=st.tuples(st.sampled_from([0, 0.2, 1.0]), BIASES, BIASES))
@pytest.mark.parametrize("cardinality", ["reciprocal", "one"])
def test_range_based_f1_is_what_its_definition_says_with_every_bias(driver, pairs, settings, cardinality):
    alpha, bias, precision_bias = settings
    both = {"bias": bias, "precision_bias": precision_bias, "cardinality": cardinality}
    loop = partial(loops.range_based_f1, alpha=Fraction(alpha).limit_denominator(10), **both)
    agree(driver, ak.range_based_f1, loop, *unzipped(pairs), 0.0, alpha=alpha, **both)


@drawn(pairs=SCORED)
@pytest.mark.parametrize("name", BEST)
def test_the_best_f1_is_the_highest_over_all_scores_at_the_highest_that_has_it(driver, name, pairs):
    metric, loop = BEST[name]
    agree(driver, metric, partial(loops.best, loop), *unzipped(pairs))


@drawn(pairs=SCORED, share=st.sampled_from([0, 0.2, 0.3, 0.5, 0.7, 1]))
def test_adjusted_scores_give_the_adjusted_decision_at_every_threshold(driver, pairs, share):
    truth, score = unzipped(pairs)
    found = driver.numpy(ak.point_adjust(driver.array(truth), driver.array(score), min_share=share))
    for t in set(score.tolist()):
        expected = loops.adjusted(truth.tolist(), (score >= t).tolist(), Fraction(share).limit_denominator(10))
        assert (found >= t).tolist() == expected


@drawn(pairs=SCORED, settings=st.tuples(st.sampled_from([0, 1, 2, 3, 4, 9, 40]), st.booleans()))
@pytest.mark.parametrize("number", [None, 1, 4])
@pytest.mark.parametrize("name", SURFACES)
def test_a_surface_is_what_its_definition_says(driver, name, number, pairs, settings):
    window, found = settings
    if driver.name == "jax":
        window = min(window, 9)  # each is compiled anew
    metric, loop = SURFACES[name]
    positives = "found" if found else "all"
    loop = partial(loop, window=window, found=found, number=number)
    agree(driver, metric, loop, *unzipped(pairs), window=window, positives=positives, thresholds=number)


@drawn(pairs=SCORED, margin=st.integers(0, 4))
@pytest.mark.parametrize("own_length", [True, False])
def test_the_ucr_score_is_the_share_of_the_highest_scores_near_an_event(driver, own_length, pairs, margin):
    settings = {"margin": margin, "own_length": own_length}
    agree(driver, ak.ucr_score, partial(loops.ucr_score, **settings), *unzipped(pairs), **settings)


@pytest.mark.parametrize("name", [*DECISION_METRICS, *BEST, *SURFACES, "ucr_score"])
def test_several_series_are_evaluated_one_by_one_along_any_axis(driver, name):
    metric = {**DECISION_METRICS, **BEST, **SURFACES, "ucr_score": (partial(ak.ucr_score, margin=1),)}[name][0]
    if name in SURFACES:
        metric = partial(metric, window=3)
    generator = np.random.default_rng(0)
    truth, score = generator.random((2, 3, 11)) < 0.3, generator.normal(size=(2, 3, 11)).round(1)
    truth[1, 2] = False
    other = score > 0.5 if name in DECISION_METRICS else score
    alone = [[fields(metric(truth[i, j], other[i, j])) for j in range(3)] for i in range(2)]
    expected = np.moveaxis(np.asarray(alone, dtype=float), -1, 0)
    for axis in (-1, 0, 1):
        moved = (driver.array(np.moveaxis(x, -1, axis)) for x in (truth, other))
        found = numbers(driver, metric(*moved, axis=axis))
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_points_are_adjusted_along_any_axis(driver):
    generator = np.random.default_rng(0)
    truth, score = generator.random((2, 3, 11)) < 0.4, generator.normal(size=(2, 3, 11))
    expected = np.asarray([[ak.point_adjust(truth[i, j], score[i, j]) for j in range(3)] for i in range(2)])
    for axis in (-1, 0, 1):
        moved = [driver.array(np.moveaxis(x, -1, axis)) for x in (truth, score)]
        found = driver.numpy(ak.point_adjust(*moved, axis=axis))
        np.testing.assert_array_equal(np.moveaxis(found, axis, -1), expected)


@pytest.mark.parametrize("kind", ["bool", "int32", "uint8", "float32"])
def test_adjusted_scores_keep_their_dtype(driver, kind):
    score = (10 * SCORE).astype(kind)
    found = ak.point_adjust(driver.array(TRUTH), driver.array(score, "float32"), min_share=0.3)
    assert driver.dtype_name(found) == kind
    expected = [max(score[a : b + 1], key=float) if b > a else score[a] for a, b in loops.runs(TRUTH)]
    least = [sorted(score[a : b + 1].tolist(), reverse=True)[3 * (b - a + 1) // 10] for a, b in loops.runs(TRUTH)]
    assert [driver.numpy(found)[a : b + 1].max() for a, b in loops.runs(TRUTH)] == expected
    assert [driver.numpy(found)[a : b + 1].min() for a, b in loops.runs(TRUTH)] == least


def test_a_share_is_the_fraction_that_it_was_written_as(driver):
    truth, alarms = np.ones(10, bool), np.arange(10) < 3  # 3 of 10 are not more than 0.3, though the double is less
    found = ak.point_adjusted_f1(driver.array(truth), driver.array(alarms), min_share=0.3)
    assert driver.numpy(found.recall) == pytest.approx(0.3)
    found = ak.point_adjusted_f1(driver.array(truth), driver.array(np.arange(10) < 4), min_share=0.3)
    assert driver.numpy(found.recall) == 1


def values(loop, truth, other, undefined):
    return [undefined if x is None else float(x) for x in fields(loop(list(truth), list(other)))]


@pytest.mark.parametrize("name", DECISION_METRICS)
def test_all_decisions_on_five_points_have_the_values_of_the_definition(name):
    metric, loop = DECISION_METRICS[name]
    pairs = np.asarray(list(product(product([False, True], repeat=5), repeat=2)))
    expected = [values(loop, *pair, math.nan if name == "detection_delay" else 0.25) for pair in pairs.tolist()]
    settings = {} if name == "detection_delay" else {"zero_division": 0.25}
    found = np.stack(fields(metric(pairs[:, 0], pairs[:, 1], **settings)), axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", [*BEST, *SURFACES, "ucr_score"])
def test_all_scores_of_four_points_have_the_values_of_the_definition(name):
    short = {"vus": {"window": 5}, "range_auc": {"window": 2}, "ucr_score": {"margin": 0}}.get(name, {})
    metric, loop = {**SURFACES, "ucr_score": (ak.ucr_score, loops.ucr_score)}.get(name) or BEST[name]
    loop = partial(loops.best, loop) if name in BEST else partial(loop, **short)
    truths, scores = product([False, True], repeat=4), product([0.0, 1.0, 2.0], repeat=4)
    truth, score = map(np.asarray, zip(*product(truths, scores), strict=True))
    expected = [values(loop, *pair, math.nan) for pair in zip(truth.tolist(), score.tolist(), strict=True)]
    found = np.stack(fields(metric(truth, score, **short)), axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


SCORE_METRICS = {name: metric for name, (metric, _) in {**BEST, **SURFACES}.items()} | {"ucr_score": ak.ucr_score}


@pytest.mark.parametrize("name", SCORE_METRICS)
@drawn(pairs=SCORED)
def test_only_the_order_of_the_scores_counts(driver, name, pairs):
    truth, score = unzipped(pairs)
    short = {"window": 3} if name in SURFACES else {"margin": 1} if name == "ucr_score" else {}
    ranks = np.unique(score, return_inverse=True)[1]
    metric = partial(SCORE_METRICS[name], **short)
    first = numbers(driver, metric(driver.array(truth), driver.array(score)))
    for other in (ranks.astype("int32"), np.exp(ranks / 3.0)):
        second = numbers(driver, metric(driver.array(truth), driver.array(other)))
        values = len(first) if name in SURFACES else 1
        np.testing.assert_allclose(second[:values], first[:values], rtol=1e-12)


@drawn(pairs=DECIDED)
@pytest.mark.parametrize("name", [*DECISION_METRICS, "vus", "range_auc", "ucr_score", "best_event_f1"])
def test_results_are_within_bounds_and_the_same_backwards_in_time(name, pairs):
    truth, other = unzipped(pairs)
    metrics = {
        **DECISION_METRICS,
        "best_event_f1": BEST["best_event_f1"],
        "ucr_score": (partial(ak.ucr_score, margin=2),),
    }
    surfaces = {surface: (partial(metric, window=5),) for surface, (metric, _) in SURFACES.items()}
    metric = {**metrics, **surfaces}[name][0]
    other = other if name in DECISION_METRICS else other + 0.25 * np.arange(len(other)) % 1
    found = np.asarray(fields(metric(truth, other)))[: 1 if "best" in name else None]
    if name == "detection_delay":
        assert not np.any(found < 0)
        return
    assert not np.any((found < -1e-12) | (found > 1 + 1e-12))
    backwards = np.asarray(fields(metric(truth[::-1], other[::-1])))[: len(found)]
    np.testing.assert_allclose(backwards, found, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", [*DECISION_METRICS, *SCORE_METRICS])
def test_a_nan_makes_the_results_of_its_series_nan_and_of_no_other(driver, name):
    metric = SCORE_METRICS.get(name) or DECISION_METRICS[name][0]
    short = {"window": 3} if name in SURFACES else {}
    other = ALARMS if name in DECISION_METRICS else SCORE
    for place in range(2):
        arrays = [np.stack([x, x]).astype(float) for x in (TRUTH, other)]
        arrays[place][0, 5] = np.nan
        found = numbers(driver, metric(*map(driver.array, arrays), **short))
        assert all(np.isnan(x[0]) and not np.isnan(x[1]) for x in found if x.dtype.kind == "f")


def test_a_nan_in_an_event_is_in_all_of_it_and_one_outside_stays_where_it_is(driver):
    truth, score = np.asarray([0, 1, 1, 0, 1]), np.asarray([np.nan, np.nan, 1.0, 2.0, 3.0])
    for share in (0, 1):
        found = driver.numpy(ak.point_adjust(driver.array(truth), driver.array(score), min_share=share))
        np.testing.assert_array_equal(found, [np.nan, np.nan, np.nan, 2.0, 3.0])
    target = driver.array(np.where([1, 0, 0, 0, 0], np.nan, truth))
    assert np.isnan(driver.numpy(ak.point_adjust(target, driver.array(np.arange(5.0))))).all()


@pytest.mark.parametrize("positives", ["found", "all"])
def test_a_perfect_score_is_one_where_the_alarmed_buffers_count(driver, positives):
    truth = np.arange(200) // 10 == 10
    found = ak.vus(driver.array(truth), driver.array(truth * 1.0), window=20, positives=positives)
    expected = (
        (1.0, 1.0) if positives == "found" else loops.vus(truth.tolist(), (truth * 1.0).tolist(), 20, found=False)
    )
    np.testing.assert_allclose(numbers(driver, found), expected, rtol=1e-12)
    assert (min(expected) < 1) == (positives == "all")


def test_zones_that_share_a_point_are_one_and_those_that_touch_are_two():
    # events of one point: at a gap of 5 buffers of 2 points touch, at a gap of 4 they share a point
    score = np.where(np.arange(12) == 3, 1.0, 0.0)  # the first event is found: a half of the positives
    for second, zones in ((8, 2), (7, 1)):
        truth = (np.arange(12) == 3) | (np.arange(12) == second)
        found = ak.range_auc(truth, score, window=4, thresholds=1).average_precision
        assert found == pytest.approx(0.5 / zones)


@pytest.mark.parametrize("name", [*DECISION_METRICS, *SCORE_METRICS])
@pytest.mark.parametrize("axis", [(0,), [0], (0, 1), None])
def test_several_axes_of_time_are_refused(name, axis):
    metric = SCORE_METRICS.get(name) or DECISION_METRICS[name][0]
    with pytest.raises(TypeError, match="`axis` must be an integer, got"):
        metric(np.ones((2, 3), bool), np.ones((2, 3)), axis=axis)


def test_a_window_may_be_longer_than_the_series(driver):
    truth, score = np.asarray([0, 0, 1]), np.asarray([0.5, 1.0, 0.25])
    for metric, loop in SURFACES.values():
        agree(driver, metric, partial(loop, window=20), truth.astype(bool), score, window=20)


def test_masks_and_fixed_shapes_give_the_same():
    import array_api_strict  # never takes the way of boolean masks, NumPy always does

    generator = np.random.default_rng(1)
    truth, score = generator.random(60) < 0.2, generator.normal(size=60).round(1)
    for name, metric in {**SCORE_METRICS, **{k: v[0] for k, v in DECISION_METRICS.items()}}.items():
        short = {"window": 9} if name in SURFACES else {}
        other = score if name in SCORE_METRICS else score > 1
        lean = fields(metric(truth, other, **short))
        fixed = fields(metric(*map(array_api_strict.asarray, (truth, other)), **short))
        np.testing.assert_allclose(list(map(float, lean)), list(map(float, fixed)), rtol=1e-14, err_msg=name)


@pytest.mark.library("dask")
def test_dask_evaluates_series_chunk_by_chunk_and_late():
    import dask
    import dask.array as da

    generator = np.random.default_rng(0)
    truth, score = generator.random((2, 3, 30)) < 0.2, generator.normal(size=(2, 3, 30))
    chunked = [da.from_array(x, chunks=((1, 1), (2, 1), (10, 20))) for x in (truth, score)]
    with dask.config.set(scheduler=lambda *_, **__: 1 / 0):
        results = [ak.vus(*chunked, window=5), (ak.point_adjust(*chunked),), ak.best_event_f1(*chunked)]
    expected = [ak.vus(truth, score, window=5), (ak.point_adjust(truth, score),), ak.best_event_f1(truth, score)]
    for found, wanted in zip(results, expected, strict=True):
        for x, y in zip(found, wanted, strict=True):
            assert (x.shape, x.dtype) == (y.shape, y.dtype)
            np.testing.assert_array_equal(x.compute(), y)


def test_a_share_is_read_as_it_was_written_from_numbers_of_numpy_too():
    truth, alarms = np.ones(10, bool), np.arange(10) < 3
    for share in (0.3, np.float32(0.3), np.float64(0.3)):
        assert ak.point_adjusted_f1(truth, alarms, min_share=share).recall == 0.3
    assert ak.point_adjusted_f1(truth, alarms, min_share=np.float32(0.2)).recall == 1


def test_no_series_at_all_have_no_results(driver):
    truth, score = (driver.array(np.zeros((2, 0, 9)), dtype) for dtype in ("bool", "float32"))
    for name, (kernel, decided) in {
        "vus": (ak.vus, False),
        "best_event_f1": (ak.best_event_f1, False),
        "ucr_score": (ak.ucr_score, False),
        "event_f1": (ak.event_f1, True),
    }.items():
        result = kernel(truth, truth if decided else score)
        for x in result if isinstance(result, tuple) else (result,):
            assert driver.numpy(x).shape == (2, 0), name


@pytest.mark.library("numpy", "jax")
def test_a_window_beyond_every_series_is_that_of_a_whole_series(driver):
    arrays = driver.array(np.arange(9) == 4), driver.array(np.arange(9) % 5.0)
    for window in (2**31 + 2, 10**12):
        found, expected = (ak.range_auc(*arrays, window=w) for w in (window, 2**30))
        assert [float(x) for x in found] == [float(x) for x in expected]
