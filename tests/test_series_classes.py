"""Metric classes and states of series: batches of whole series, merged in any order, are all of them."""

from __future__ import annotations

import importlib
import inspect
import math

import numpy as np
import pytest
import series_loops as loops

import anomaly_kernels as ak
from anomaly_kernels import streaming
from anomaly_kernels._catalogue import BY_NAME, CATALOGUE

ENTRIES = {entry.cls: entry for entry in CATALOGUE if entry.cls and ".series." in entry.kernel.__module__}
POOLED = [
    "PointAdjustedF1Metric",
    "CompositeF1Metric",
    "EventF1Metric",
    "RangeBasedF1Metric",
    "AffiliationF1Metric",
    "DetectionDelayMetric",
]
BESTS = {  # the metrics of decisions of which these are the best
    "BestPointAdjustedF1Metric": ak.point_adjusted_f1,
    "BestCompositeF1Metric": ak.composite_f1,
    "BestEventF1Metric": ak.event_f1,
}
# Keras' classes keep the same states on every backend: on JAX, which compiles each, those of test_keras_metrics.py do
FORMS = {"torch": ["torch", "keras"], "jax": ["jax"], "tensorflow": ["keras"]}
SHORT = {"RangeAUCMetric": {"window": 4}, "VUSMetric": {"window": 4}, "UCRScoreMetric": {"margin": 0}}
OTHER = {  # settings that change the result
    "PointAdjustedF1Metric": {"min_share": 0.5},
    "BestPointAdjustedF1Metric": {"min_share": 0.5},
    "EventF1Metric": {"corrected": False},
    "RangeBasedF1Metric": {"alpha": 0.5, "bias": "front"},
    "VUSMetric": {"positives": "all"},
}

RNG = np.random.default_rng(3)
TRUTH = RNG.random((6, 30)) < 0.2
SCORE = RNG.normal(size=TRUTH.shape) + TRUTH
TRUTH[4] = False
frameworks = pytest.mark.library("torch", "jax", "tensorflow")
of_keras_on_torch = pytest.mark.filterwarnings("ignore:.*__array__ implementation doesn't accept:DeprecationWarning")


def takes_decisions(name):
    return "decision" in inspect.signature(ENTRIES[name].kernel).parameters


def other_of(name):
    return SCORE > 1 if takes_decisions(name) else SCORE


def numbers(result):
    if isinstance(result, dict):
        result = tuple(result.values())
    return [float(x) for x in (result if isinstance(result, tuple) else (result,))]


def fed(framework, name, parts, **settings):
    """A metric of a framework that has taken in parts of the series."""
    made = getattr(importlib.import_module(f"anomaly_kernels.{framework}"), name)
    other = other_of(name)
    if framework == "torch":
        import torch

        metric = made(**settings).set_dtype(torch.float64)
        for part in parts:
            metric.update(torch.tensor(other[part]), torch.tensor(TRUTH[part]))
        return metric
    if framework == "keras":
        metric = made(dtype="float64", **settings)
        for part in parts:
            metric.update_state(TRUTH[part], other[part])
        assert made.from_config(metric.get_config()).get_params() == metric.get_params()
        return metric
    import jax

    metric, update = made(**settings), made.update
    if not (name in BESTS and settings.get("average") == "pooled"):  # which has as many entries as there are scores
        update = jax.jit(update)
    for part in parts:
        metric = made(**settings).merge(update(metric, TRUTH[part], other[part]))
    return metric


def computed(framework, name, parts, **settings):
    """What a class of a framework says of parts of the series."""
    metric = fed(framework, name, parts, **settings)
    return numbers(metric.result() if framework == "keras" else metric.compute())


def mean_over_series(name, **settings):
    """The mean of each result over series; where there is one class alone, or nothing found, some have none."""
    result = ENTRIES[name].kernel(TRUTH, other_of(name), **settings)
    means = [np.nanmean(x) for x in (result if isinstance(result, tuple) else (result,))]
    return means[:1] if name.startswith("Best") else means


@frameworks
@of_keras_on_torch
@pytest.mark.parametrize("name", ENTRIES)
def test_batches_of_series_give_the_mean_over_all(name, driver):
    for framework in FORMS[driver.name]:
        for other in [{}, OTHER[name]] if name in OTHER else [{}]:
            settings = SHORT.get(name, {}) | other
            found = computed(framework, name, (slice(2), slice(2, 6)), **settings)
            np.testing.assert_allclose(found, mean_over_series(name, **settings), rtol=1e-6, err_msg=framework)


@frameworks
@of_keras_on_torch
@pytest.mark.parametrize("name", POOLED)
def test_pooled_batches_of_series_are_those_of_one_state(name, driver):
    for framework in FORMS[driver.name]:
        settings = OTHER.get(name, {})
        found = computed(framework, name, (slice(2), slice(2, 6)), average="pooled", **settings)
        kernel = ENTRIES[name].kernel
        whole = streaming.SeriesTotals.of(kernel, TRUTH, other_of(name), **settings)
        expected = numbers(whole.compute(kernel, **settings))
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=framework)


def best_of_decisions(name, truth, score, **settings):
    """The highest F1 score of all series together at any threshold, and the highest threshold that has it."""
    metric, found = BESTS[name], {}
    for threshold in np.unique(score):
        totals = streaming.SeriesTotals.of(metric, truth, score >= threshold, **settings)
        found[threshold] = totals.compute(metric, **settings).f1_score
    best = max(found.values())
    return float(best), float(max(t for t in found if math.isclose(found[t], best, rel_tol=1e-12)))


@frameworks
@of_keras_on_torch
@pytest.mark.parametrize("name", BESTS)
def test_pooled_series_have_one_best_threshold(name, driver):
    value, threshold = best_of_decisions(name, TRUTH, SCORE, **OTHER.get(name, {}))
    for framework in FORMS[driver.name]:
        metric = fed(framework, name, (slice(3), slice(3, 6)), average="pooled", **OTHER.get(name, {}))
        result = metric.result() if framework == "keras" else metric.compute()
        np.testing.assert_allclose([float(result), float(metric.threshold)], [value, threshold], rtol=1e-6)
        if framework == "keras":
            metric.reset_state()
            assert float(metric.result()) == 0
        fresh = fed(framework, name, (), average="pooled")
        assert math.isnan(float(fresh.threshold))
        with pytest.raises(ValueError, match="`threshold` is that of all series together, by `average='pooled'`"):
            _ = fed(framework, name, ()).threshold


@pytest.mark.library("tensorflow")
def test_pooled_best_scores_of_keras_need_eager_steps(driver):
    import keras
    import tensorflow as tf

    from anomaly_kernels.keras import BestCompositeF1Metric

    metric = BestCompositeF1Metric(average="pooled", name="best")
    step = tf.function(metric.update_state)
    with pytest.raises(TypeError, match=r"keeps each distinct score, .*eagerly=True\)`, or `average='series'`"):
        step(tf.constant(TRUTH), tf.constant(SCORE))
    model = keras.Sequential([keras.layers.Input((30,)), keras.layers.Identity()])
    model.compile(metrics=[metric], loss="mse", run_eagerly=True)
    logs = model.evaluate(SCORE, TRUTH.astype("float32"), batch_size=2, verbose=0, return_dict=True)
    expected = best_of_decisions("BestCompositeF1Metric", TRUTH, SCORE.astype("float32"))[0]
    assert logs["best"] == pytest.approx(expected, rel=1e-6)


@frameworks
@of_keras_on_torch
def test_what_a_class_of_series_does_not_take_is_refused(driver):
    for framework in FORMS[driver.name]:
        module = importlib.import_module(f"anomaly_kernels.{framework}")
        with pytest.raises(ValueError, match="`average` must be one of 'series', 'pooled', got 'mean'"):
            module.CompositeF1Metric(average="mean")
        with pytest.raises(TypeError, match="VUSMetric has no setting `average`"):
            module.VUSMetric(average="pooled")
        with pytest.raises(ValueError, match="`window`"):
            module.VUSMetric(window=-1)
        if framework == "keras":
            with pytest.raises(ValueError, match="has no weights of samples, got `sample_weight`"):
                module.CompositeF1Metric().update_state(TRUTH, TRUTH, sample_weight=np.ones(6))
            with pytest.raises(TypeError, match="takes `y_true` and `y_pred`, got one array"):
                module.CompositeF1Metric().update_state(TRUTH)
        if framework != "jax":
            with pytest.raises(ValueError, match="`average` of a metric that is there cannot be changed"):
                module.CompositeF1Metric().set_params(average="pooled")


def glued(rows):
    """Series one after the other, a normal point that is not alarmed between them."""
    return np.concatenate([np.append(row, [0]).astype(bool) for row in rows])


# how many normal points there are, and where zones end, makes a difference to the others
@pytest.mark.parametrize("name", ["point_adjusted_f1", "composite_f1", "range_based_f1", "detection_delay"])
def test_totals_of_series_are_those_of_one_long_series(name, driver):
    metric = getattr(ak, name)
    decision = SCORE > 1
    found = streaming.SeriesTotals.of(metric, driver.array(TRUTH), driver.array(decision)).compute(metric)
    expected = metric(glued(TRUTH), glued(decision))
    np.testing.assert_allclose([float(driver.numpy(x)) for x in found], [float(x) for x in expected], rtol=1e-6)


def test_totals_of_events_correct_by_the_normal_points_of_all_series():
    decision = SCORE > 1
    found = streaming.SeriesTotals.of(ak.event_f1, TRUTH, decision)
    uncorrected = ak.event_f1(glued(TRUTH), glued(decision), corrected=False)
    quiet = 1 - (decision & ~TRUTH).sum() / (~TRUTH).sum()
    assert found.compute(ak.event_f1).precision == pytest.approx(quiet * uncorrected.precision)
    assert found.compute(ak.event_f1, corrected=False).precision == pytest.approx(uncorrected.precision)
    assert found.compute(ak.event_f1).recall == pytest.approx(uncorrected.recall)


def test_totals_of_affiliation_weigh_each_event_alike():
    decision = SCORE > 1
    found = streaming.SeriesTotals.of(ak.affiliation_f1, TRUTH, decision).compute(ak.affiliation_f1)
    recalls, number = 0, 0
    for truth, alarms in zip(TRUTH.tolist(), decision.tolist(), strict=True):
        events = len(loops.runs(truth))
        recalls += (loops.affiliation_f1(truth, alarms)[1] or 0) * events
        number += events
    assert found.recall == pytest.approx(float(recalls / number))
    truth, alarms = (x.reshape(6, 1) for x in (TRUTH[:, 0] | True, decision[:, 0] | [1, 0, 1, 0, 1, 0] > 0))
    found = streaming.SeriesTotals.of(ak.affiliation_f1, truth, alarms).compute(ak.affiliation_f1)
    assert (found.precision, found.recall) == (1, pytest.approx(alarms.mean()))


@pytest.mark.parametrize("name", POOLED)
def test_states_of_parts_merge_to_that_of_the_whole_in_any_order(name, driver):
    kernel, decision = ENTRIES[name].kernel, SCORE > 1
    for form in (streaming.SeriesTotals, streaming.SeriesMeans):
        parts = [form.of(kernel, driver.array(TRUTH[k]), driver.array(decision[k])) for k in ([0, 1], [2], [3, 4, 5])]
        settings = (kernel,) if form is streaming.SeriesTotals else ()
        like = driver.array(np.zeros(0))
        empty = form.empty(like, kernel) if settings else form.empty(like, 3)
        whole = form.of(kernel, driver.array(TRUTH), driver.array(decision)).compute(*settings)
        for a, b, c in (parts, parts[::-1]):
            found = streaming.merge(streaming.merge(a, empty), streaming.merge(c, b)).compute(*settings)
            for x, y in zip(found, whole, strict=True):
                np.testing.assert_allclose(driver.numpy(x), driver.numpy(y), rtol=1e-6)
        assert all(np.isnan(float(driver.numpy(x))) for x in empty.compute()) if not settings else True


def small_batches():
    """Batches of short series of few scores: ties within and across series, no events, all anomalous."""
    rng = np.random.default_rng(5)
    for dtype in (np.float64, np.int64, np.uint8, np.float32):
        for length in (1, 2, 5, 11):
            truth = rng.random((4, length)) < rng.random((4, 1))
            yield truth, rng.integers(0, 6, truth.shape).astype(dtype)
    yield np.zeros((2, 5), bool), rng.normal(size=(2, 5))
    yield np.ones((2, 5), bool), rng.normal(size=(2, 5))


@pytest.mark.parametrize("name", BESTS)
def test_the_best_threshold_of_all_series_is_that_of_the_highest_totals(name):
    metric = ENTRIES[name].kernel
    for truth, score in small_batches():
        state = streaming.SeriesScores.empty(score)
        for k in range(len(truth)):  # a series alone, which may be cut
            state = streaming.merge(state, state.of(metric, truth[k], score[k]))
        found = state.compute(metric)
        np.testing.assert_allclose(found, best_of_decisions(name, truth, score), rtol=1e-6)
        assert found.threshold.dtype == score.dtype
        assert found == state.of(metric, truth.T, score.T, axis=0).compute(metric)
        alone, one = metric(truth[0], score[0]), state.of(metric, truth[0], score[0]).compute(metric)
        np.testing.assert_allclose(one, alone, rtol=1e-6)
        assert one.value.dtype == alone.value.dtype


@pytest.mark.library("numpy", "array_api_strict", "torch", "tensorflow")  # JAX's class is tried above
@pytest.mark.parametrize("name", BESTS)
def test_scores_of_parts_merge_to_those_of_the_whole_in_any_order(name, driver):
    metric, arrays = ENTRIES[name].kernel, (driver.array(TRUTH), driver.array(SCORE))
    empty = streaming.SeriesScores.empty(driver.array(np.zeros(0)))
    a, b, c = (empty.of(metric, *(x[k, ...] for x in arrays)) for k in (slice(2), slice(2, 3), slice(3, 6)))
    expected = best_of_decisions(name, TRUTH, SCORE)
    for state in (a.merge(b).merge(c), c.merge(empty).merge(b.merge(a))):
        np.testing.assert_allclose([float(driver.numpy(x)) for x in state.compute(metric)], expected, rtol=1e-6)


@pytest.mark.parametrize("name", BESTS)
def test_a_nan_makes_the_best_score_of_all_series_nan(name):
    metric, truth, score = ENTRIES[name].kernel, TRUTH.astype(float), SCORE.copy()
    score[5, 0] = 100.0
    truth[2, 3] = math.nan
    empty = streaming.SeriesScores.empty(score)
    rest = empty.of(metric, TRUTH[3:], score[3:])
    assert not np.isnan(rest.compute(metric)).any()
    assert np.isnan(rest.merge(empty.of(metric, truth[:3], score[:3])).compute(metric)).all()
    score[0, 5] = math.nan
    assert np.isnan(rest.merge(empty.of(metric, TRUTH[:3], score[:3])).compute(metric)).all()


def test_a_nan_makes_totals_nan():
    truth = TRUTH.astype(float)
    truth[2, 3] = math.nan
    parts = [streaming.SeriesTotals.of(ak.composite_f1, truth[k], SCORE[k] > 1) for k in (slice(2), slice(2, 6))]
    assert not np.isnan(parts[0].compute(ak.composite_f1)).any()
    assert np.isnan(parts[0].merge(parts[1]).compute(ak.composite_f1)).all()


def test_a_series_without_a_value_is_left_out_of_its_mean_alone():
    truth, score = np.zeros((2, 8), bool), np.arange(16.0).reshape(2, 8)
    truth[0, 7] = True
    found = streaming.SeriesMeans.of(ak.vus, truth, score, window=2).compute()
    alone = ak.vus(truth[0], score[0], window=2)
    assert found == (alone.roc_auc, alone.average_precision / 2)  # which is 0 without events
    score[1, 2] = math.nan
    found = streaming.SeriesMeans.of(ak.vus, truth, score, window=2).compute()
    assert np.isnan(found[1])


def test_best_scores_of_what_has_none_are_refused():
    empty = streaming.SeriesScores.empty(SCORE)
    with pytest.raises(TypeError, match=r"`metric` must be a best F1 score of series \(.*\), got best_f1"):
        empty.of(ak.best_f1, TRUTH, SCORE)
    with pytest.raises(TypeError, match=r"`metric` must be a best F1 score of series \(.*\), got int"):
        empty.compute(3)
    with pytest.raises(TypeError, match="best_event_f1 has no setting `min_share`"):
        empty.of(ak.best_event_f1, TRUTH, SCORE, min_share=0.5)
    with pytest.raises(TypeError, match="`score` must be real or integer, got dtype bool: arguments swapped"):
        empty.of(ak.best_composite_f1, SCORE, TRUTH)
    with pytest.raises(TypeError, match="`UniqueScores` has other entries in each part"):
        empty.reduce(sum, min, max)
    with pytest.raises(TypeError, match="states of one kind can be merged"):
        empty.merge(streaming.SeriesMeans.empty(SCORE))
    assert empty.of(ak.best_event_f1, TRUTH[:0], SCORE[:0]).compute(ak.best_event_f1) == (0, 0)


def test_totals_of_what_has_none_are_refused():
    with pytest.raises(TypeError, match=r"`metric` must be a metric of decisions on series \(.*\), got vus"):
        streaming.SeriesTotals.of(ak.vus, TRUTH, SCORE)
    with pytest.raises(TypeError, match="composite_f1 has no setting `min_share`"):
        streaming.SeriesTotals.of(ak.composite_f1, TRUTH, TRUTH, min_share=0.5)
    with pytest.raises(ValueError, match="results of one metric can be merged, got 1 and 2"):
        streaming.SeriesMeans.empty(SCORE, 1).merge(streaming.SeriesMeans.empty(SCORE, 2))
    with pytest.raises(TypeError, match="states of one kind can be merged"):
        streaming.SeriesMeans.empty(SCORE, 3).merge(streaming.SeriesTotals.empty(SCORE, ak.composite_f1))


def test_totals_of_one_metric_are_no_totals_of_another():
    for name in POOLED:
        kernel = ENTRIES[name].kernel
        state = streaming.SeriesTotals.of(kernel, TRUTH, SCORE > 1)
        for other in POOLED:
            if other != name:
                with pytest.raises(ValueError, match="states of one metric can be merged, got those of two"):
                    state.merge(streaming.SeriesTotals.empty(SCORE, ENTRIES[other].kernel))
                with pytest.raises(ValueError, match="`metric` must be the one that the state is of, got"):
                    state.compute(ENTRIES[other].kernel)


def test_a_batch_of_no_series_changes_nothing(driver):
    truth, score = driver.array(np.zeros((0, 9), bool)), driver.array(np.zeros((0, 9)))
    for entry in ENTRIES.values():
        arrays = (truth, truth if takes_decisions(entry.cls) else score)
        state = streaming.SeriesMeans.of(entry.kernel, *arrays)
        assert [int(driver.numpy(n)) for n in state.numbers] == [0] * len(state.numbers)
        if entry.cls in POOLED:
            found = streaming.SeriesTotals.of(entry.kernel, *arrays)
            expected = streaming.SeriesTotals.empty(score, entry.kernel)
            for x, y in zip((*found.totals, *found.greatest), (*expected.totals, *expected.greatest), strict=True):
                assert driver.numpy(x) == driver.numpy(y)


@pytest.mark.library("jax")
def test_metrics_of_two_classes_are_not_merged():
    from anomaly_kernels.jax import CompositeF1Metric, EventF1Metric

    with pytest.raises(TypeError, match=r"metrics of one class .* got CompositeF1Metric and .*EventF1Metric"):
        CompositeF1Metric().merge(EventF1Metric())


def test_each_class_of_series_is_of_a_kernel_of_series():
    assert len(ENTRIES) == 13
    assert set(POOLED) < set(ENTRIES)
    assert BY_NAME["VUSMetric"].kernel is ak.vus


@pytest.mark.library("torch")
def test_metrics_of_a_collection_are_updated_one_by_one_though_the_first_series_has_no_events():
    import torch
    import torchmetrics

    from anomaly_kernels.torch import RegionDetectionMetric

    made = importlib.import_module("anomaly_kernels.torch")
    metrics = {name: getattr(made, name)() for name in POOLED}
    metrics |= {f"other {name}": getattr(made, name)(**OTHER[name]) for name in POOLED if name in OTHER}
    images = {f"overlap {share}": RegionDetectionMetric(overlap=share) for share in (0, 1)}
    decision, truth = torch.asarray(SCORE > 0.3), torch.asarray(TRUTH)
    quiet = torch.zeros_like(truth[:1])
    for each, shape in ((metrics, (-1, 30)), (images, (-1, 5, 6))):
        collection = torchmetrics.MetricCollection(each)
        for arrays in ((quiet, quiet), (decision, truth)):
            collection.update(*(x.reshape(shape) for x in arrays))
        found = collection.compute()
        for name, metric in each.items():
            alone = metric.clone()
            alone.reset()
            for arrays in ((quiet, quiet), (decision, truth)):
                alone.update(*(x.reshape(shape) for x in arrays))
            np.testing.assert_array_equal(numbers(found[name]), numbers(alone.compute()))
        assert len(collection.compute_groups) == len(each)
