"""The metrics as pytrees: jitted, scanned, merged over a mesh of eight devices."""

from __future__ import annotations

import inspect
import os
import pickle
import subprocess
import sys
import textwrap
from functools import partial

import numpy as np
import pytest
from environment import XLA_FLAGS

import anomaly_kernels as ak
from anomaly_kernels._catalogue import BY_NAME, CATALOGUE
from anomaly_kernels._classes.settings import parameters_of

pytestmark = pytest.mark.library("jax")

RNG = np.random.default_rng(0)
TRUTH = RNG.random(60) < 0.3
SCORE = 3 * RNG.normal(size=60) + TRUTH
ONE_ARRAY = {
    "AnomalyPixelStatisticsMetric": (ak.anomaly_pixel_statistics, TRUTH),
    "ScoreStatisticsMetric": (ak.score_statistics, SCORE),
    "ExplainedVarianceMetric": (ak.explained_variance, np.asarray([0.5, 0.3])),
    "ComponentOrthogonalityMetric": (ak.component_orthogonality, RNG.normal(size=(3, 5))),
    "SelectorEntropyMetric": (ak.selector_entropy, RNG.random(6)),
    "SelectorDiversityMetric": (ak.selector_diversity, RNG.random(6)),
}

METRICS = [entry.cls for entry in CATALOGUE if entry.jax == "Metric"]
NEEDED = {"PrecisionAtKMetric": {"k": 20}}
RANKING = {
    "AveragePrecisionMetric": ak.average_precision,
    "AUPRTrapezoidMetric": ak.aupr_trapezoid,
    "ROCAUCMetric": ak.roc_auc,
    "BestF1Metric": ak.best_f1,
    "FPRAtTPRMetric": ak.fpr_at_tpr,
    "PrecisionAtKMetric": ak.precision_at_k,
}
KEEP_EACH = ("AUPIMOMetric", "ThresholdAtRecallMetric", "ThresholdAtPrecisionMetric")  # score, which `jit` cannot


IMAGES = RNG.random((6, 4, 5)) < 0.2
IMAGES[::3] = False
HEAT = np.round(RNG.normal(size=IMAGES.shape) + IMAGES, 1)
REGIONS = {  # by the function: arrays by position, and by name
    "AUPROMetric": (ak.aupro, (IMAGES, HEAT), {"region": IMAGES}),
    "PerRegionOverlapMetric": (ak.per_region_overlap, (IMAGES, HEAT > 0.5), {"region": IMAGES}),
    "RegionDetectionMetric": (
        ak.region_detection,
        (IMAGES, HEAT > 0.5),
        {"region": IMAGES, "decision_region": HEAT > 0.5},
    ),
    "AUPIMOMetric": (ak.aupimo, (IMAGES, HEAT), {}),
}


def made(name, /, **settings):
    import anomaly_kernels.jax as akj

    return getattr(akj, name).empty(**NEEDED.get(name, {}) | settings)


def assert_is(found, expected, rtol=1e-12):
    found, expected = (x if isinstance(x, tuple) else (x,) for x in (found, expected))
    assert type(found) is type(expected)
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=rtol)


@pytest.mark.parametrize("entry", [x for x in CATALOGUE if x.jax == "Metric"], ids=lambda entry: entry.cls)
def test_each_metric_takes_the_settings_and_arrays_of_its_function(entry, driver):
    import jax

    import anomaly_kernels.jax as akj

    cls = getattr(akj, entry.cls)
    assert cls.kernel is entry.kernel
    assert jax.tree.structure(made(entry.cls)) != jax.tree.structure(0)
    parameters, constructor = parameters_of(entry.kernel), inspect.signature(cls).parameters
    for name in set(parameters.settings) - {"axis"}:  # of all elements of all batches
        assert constructor[name].default == parameters.defaults.get(name, inspect.Parameter.empty)
    assert not set(constructor) - set(parameters.settings) - {"scores", "weighted", "components", "average"}
    update = [x for x in inspect.signature(cls.update).parameters.values() if x.name != "sample_weight"]
    assert tuple(x.name for x in update[1:]) == tuple(x for x in parameters.arrays if x != "sample_weight")
    optional = parameters.defaults.keys() - {"sample_weight", *parameters.settings}
    assert {x.name for x in update if x.default is None} == optional


def batch_of(name):
    """A batch for each class, by the order of its `update`."""
    if name in ONE_ARRAY:
        return ONE_ARRAY[name][1:]
    if name in REGIONS:
        return REGIONS[name][1]
    if name == "AnomalyDetectionMetrics":
        return (TRUTH, SCORE > 0.5, SCORE)
    return (TRUTH, SCORE > 0.5) if "decision" in parameters_of(BY_NAME[name].kernel).arrays else (TRUTH, SCORE)


def like_itself(tree):
    """A state as it comes back from a file, and as `jax.tree` makes it."""
    import jax

    leaves, structure = jax.tree.flatten(pickle.loads(pickle.dumps(tree)))
    return jax.tree.unflatten(structure, leaves)


@pytest.mark.parametrize("name", [name for name in METRICS if name not in KEEP_EACH])
def test_each_metric_can_be_donated(name, driver):
    import jax
    import jax.numpy as jnp

    batch = tuple(map(driver.array, batch_of(name)))
    several = {"AnomalyDetectionMetrics": {"scores": "histogram"}, "ExplainedVarianceMetric": {"components": 2}}
    settings = several.get(name, {})
    regions = {k: ak.label_regions(driver.array(x)) for k, x in REGIONS[name][2].items()} if name in REGIONS else {}
    update = jax.jit(lambda metric, *batch: metric.update(*batch, **regions), donate_argnums=0)
    fresh = partial(made, name, **settings)

    def result(metric):
        return tuple(jax.tree.leaves(metric.compute()))

    expected = result(fresh().update(*batch))
    for metric in (fresh(), fresh().merge(fresh()), like_itself(fresh()), jax.tree.map(jnp.copy, fresh())):
        assert_is(result(update(metric, *batch)), expected, 1e-6)
        assert all(x.is_deleted() for x in jax.tree.leaves(metric))
    both = update(update(fresh(), *batch).merge(fresh().update(*batch)), *batch)
    assert_is(result(jax.jit(fresh)().merge(both)), result(both))
    assert not any(x.is_deleted() for x in batch)


def test_each_state_of_nothing_can_be_donated_and_leaves_the_array_it_is_like(driver):
    import jax

    from anomaly_kernels import streaming

    like, edges = driver.array(np.zeros(0)), driver.array(np.linspace(-1.0, 1.0, 5))
    histogram = partial(streaming.ScoreHistogram.empty, edges=edges)
    states = {
        kind.__name__: kind.empty
        for kind in (
            *(streaming.DetectionCounts, streaming.PixelCounts, streaming.Moments, streaming.UniqueScores),
            *(streaming.RegionScores, streaming.RegionOverlaps, streaming.RegionCounts, streaming.ImageScores),
            streaming.SeriesScores,
        )
    } | {
        "ScoreHistogram": histogram,
        "Detections": lambda like: streaming.Detections.empty(like, histogram(like)),
        "Statistics": lambda like: streaming.Statistics.empty(like, streaming.UniqueScores.empty(like)),
        "Means": partial(streaming.Means.empty, ndims=(0, 1, 0, 2)),
    }
    both = {name: (empty(like), empty(like)) for name, empty in states.items()}
    jax.jit(lambda tree: jax.tree.map(lambda x: x + 1, tree), donate_argnums=0)(both)
    assert not like.is_deleted() and not edges.is_deleted()


def test_parameters_of_networks_can_be_donated():
    import jax

    import anomaly_kernels.jax as akj

    key, step = jax.random.key(0), jax.jit(lambda tree: jax.tree.map(lambda x: x - 0.1, tree), donate_argnums=0)
    options = {"use_bidirectional_encoder": True, "use_bottleneck_dense": True}
    step(
        {
            "head": akj.sequence_anomaly_score_init(key, 3, [4, 4], use_norm="batch"),
            "autoencoder": akj.lstm_autoencoder_init(key, 3, 4, 4, num_encoder_layers=2, **options),
        }
    )


@pytest.mark.parametrize("name", ONE_ARRAY)
def test_one_array_gives_the_function(name, driver):
    function, x = ONE_ARRAY[name]
    metric = made(name).update(driver.array(x))
    assert_is(metric.compute(), function(x))
    if name in ("AnomalyPixelStatisticsMetric", "ScoreStatisticsMetric"):
        parts = [made(name).update(driver.array(x[part])) for part in (slice(20), slice(20, 60))]
        assert_is(parts[0].merge(parts[1]).compute(), function(x), 1 / 256)


@pytest.mark.parametrize("scores", [None, "exact", "histogram"])
def test_detections_of_batches_are_those_of_the_whole(scores, driver):
    metric = made("AnomalyDetectionMetrics", scores=scores, zero_division=0.5)
    for part in (slice(7), slice(7, 60)):
        arrays = [driver.array(x[part]) for x in (TRUTH, SCORE > 0.5, SCORE)]
        metric = metric.update(*arrays[: 2 + bool(scores)])
    expected = ak.anomaly_detection_metrics(TRUTH, SCORE > 0.5, SCORE)
    found = metric.compute()
    np.testing.assert_allclose(found[:4], expected[:4], rtol=1e-14)
    if scores == "exact":
        np.testing.assert_allclose(found.average_precision, expected.average_precision, rtol=1e-14)
    elif scores:
        value, lower, upper = (x.average_precision for x in metric.bounds())
        assert lower <= expected.average_precision <= upper
        assert found.average_precision == value
    else:
        assert found.average_precision is None


def test_it_is_scanned_jitted_and_mapped(driver):
    import jax

    batches = [driver.array(x.reshape(6, 10)) for x in (TRUTH, SCORE > 0.5, SCORE)]

    @jax.jit
    def run(metric, batches):
        return jax.lax.scan(lambda m, batch: (m.update(*batch), None), metric, batches)[0]

    found = run(made("AnomalyDetectionMetrics", scores="histogram"), tuple(batches)).compute()
    expected = ak.anomaly_detection_metrics(TRUTH, SCORE > 0.5, SCORE)
    np.testing.assert_allclose(found[:4], expected[:4], rtol=1e-14)
    each = jax.vmap(lambda t, d: made("AnomalyDetectionMetrics").update(t, d).compute().recall)(*batches[:2])
    rows = TRUTH.reshape(6, 10), SCORE.reshape(6, 10)
    wanted = [ak.anomaly_detection_metrics(t, s > 0.5).recall for t, s in zip(*rows, strict=True)]
    np.testing.assert_allclose(each, wanted, rtol=1e-14)


def test_settings_are_those_of_the_function(driver):
    import jax

    metric = made("AnomalyDetectionMetrics", zero_division=0.25)
    assert repr(metric) == "AnomalyDetectionMetrics(zero_division=0.25, scores=None, weighted=False)"
    leaves, structure = jax.tree.flatten(metric)
    assert repr(jax.tree.unflatten(structure, leaves)) == repr(metric)
    nothing = driver.array(np.zeros(3, dtype=bool))
    assert metric.update(nothing, nothing).compute().precision == 0.25
    with pytest.raises(TypeError, match="has no setting `zero_devision`; did you mean"):
        made("AnomalyDetectionMetrics", zero_devision=1.0)
    with pytest.raises(ValueError, match="`scores` must be None, 'histogram' or 'exact', got 'all'"):
        made("AnomalyDetectionMetrics", scores="all")
    with pytest.raises(TypeError, match=r"takes target, decision \(scores=None keeps no scores\), got 3 arrays"):
        metric.update(nothing, nothing, nothing)


@pytest.mark.parametrize("scores", [None, "exact", "histogram"])
def test_samples_have_weights(scores, driver):
    import jax

    weight = RNG.integers(0, 3, 60)
    arrays = (TRUTH, SCORE > 0.5, SCORE)[: 2 + bool(scores)]
    metric = made("AnomalyDetectionMetrics", scores=scores, weighted=True)
    rows = 2 if scores == "exact" else 6  # each number of distinct scores is compiled anew
    batches = [driver.array(x.reshape(rows, -1)) for x in (*arrays, weight.astype("float32"))]
    if scores == "exact":
        for batch in zip(*batches, strict=True):
            metric = metric.update(*batch[:-1], sample_weight=batch[-1])
    else:
        metric, _ = jax.lax.scan(lambda m, b: (m.update(*b[:-1], sample_weight=b[-1]), None), metric, tuple(batches))
    repeated = [np.repeat(x, weight) for x in arrays]
    once = made("AnomalyDetectionMetrics", scores=scores).update(*map(driver.array, repeated))
    assert_is(metric.compute()[: 4 + bool(scores)], once.compute()[: 4 + bool(scores)])
    assert_is(metric.compute()[:4], ak.anomaly_detection_metrics(*repeated)[:4])
    with pytest.raises(TypeError, match=r"`sample_weight` is taken by AnomalyDetectionMetrics\(weighted=True\)"):
        made("AnomalyDetectionMetrics").update(*batches[:2], sample_weight=batches[-1])
    with pytest.raises(TypeError, match="`weighted` must be True or False, got 1"):
        made("AnomalyDetectionMetrics", weighted=1)


def test_explained_variance_is_scanned(driver):
    import jax

    ratios = driver.array(np.asarray([[0.5, 0.3, 0.1], [0.7, 0.1, 0.1]]))
    start = made("ExplainedVarianceMetric", components=3)
    found = jax.lax.scan(lambda m, x: (m.update(x), None), start, ratios)[0].compute()
    np.testing.assert_allclose(found.per_component, [0.6, 0.2, 0.1], rtol=1e-12)
    np.testing.assert_allclose(found.cumulative, [0.6, 0.8, 0.9], rtol=1e-12)
    with pytest.raises(ValueError, match=r"`explained_variance_ratio` must have shape \(3,\), got \(2,\)"):
        start.update(ratios[0, :2])
    with pytest.raises(ValueError, match="`components` must be >= 1, got 0"):
        made("ExplainedVarianceMetric", components=0)


def test_it_does_not_change(driver):
    metric = made("AnomalyPixelStatisticsMetric")
    with pytest.raises(AttributeError, match="a metric does not change"):
        metric.state = None
    with pytest.raises(AttributeError, match="a metric does not change"):
        del metric.state


def test_exact_scores_are_refused_where_they_cannot_be(driver):
    import jax

    truth = driver.array(np.asarray([True, False]))
    large = driver.array(np.asarray([2**60 + 1, 2**60]))
    with pytest.raises(ValueError, match="`score` must be real, or integers that float64 tells apart"):
        made("AnomalyDetectionMetrics", scores="exact").update(truth, truth, large)
    found = made("AnomalyDetectionMetrics", scores="histogram").update(truth, truth, large)
    _, lower, upper = found.state.scores.compute(ak.average_precision)
    assert lower <= 1.0 <= upper
    with pytest.raises(TypeError, match="`UniqueScores` has as many entries as there are distinct scores"):
        jax.jit(lambda t, s: made("AnomalyDetectionMetrics", scores="exact").update(t, t, s))(truth, 1.0 * large)


def test_what_is_undefined_may_be_nan_in_a_scan(driver):
    import jax

    batches = driver.array(TRUTH.reshape(6, 10))
    start = made("AnomalyDetectionMetrics", zero_division=float("nan"))
    found, _ = jax.lax.scan(lambda m, t: (m.update(t, t & False), None), start, batches)
    assert np.isnan(found.compute().precision)
    assert jax.tree.structure(start) == jax.tree.structure(made("AnomalyDetectionMetrics", zero_division=-float("nan")))


MESH = """
    import jax, numpy as np
    from jax.sharding import PartitionSpec as P
    import anomaly_kernels as ak
    import anomaly_kernels.jax as akj

    rng = np.random.default_rng(0)
    truth = rng.random((8, 20)) < 0.3
    score = (rng.normal(size=(8, 20)) + truth).astype("float32")
    seen = np.arange(20) < np.asarray([20, 3, 0, 7, 20, 0, 1, 12])[:, None]  # uneven shares, two of them empty

    def share(truth, score, seen):
        metric = akj.AnomalyDetectionMetrics(scores="histogram")
        counts = metric.state.counts.of(truth, score > 0.5, seen.astype("float32"))
        scores = metric.state.scores.of(truth, score, seen.astype("float32"))
        mine = metric._with_state(metric.state.merge(metric.state._replace(counts=counts, scores=scores)))
        return mine.over("rows").compute()

    mesh = jax.make_mesh((8,), ("rows",), axis_types=(jax.sharding.AxisType.Auto,))
    sharded = jax.jit(jax.shard_map(share, mesh=mesh, in_specs=P("rows"), out_specs=P(), check_vma=False))
    found = sharded(truth, score, seen)
    expected = ak.anomaly_detection_metrics(truth[seen], score[seen] > 0.5, score[seen])
    np.testing.assert_allclose(found[:4], expected[:4], rtol=1e-6)
    np.testing.assert_allclose(found[4], expected[4], rtol=0.02)

    def counted(truth, score):
        metric = akj.AnomalyDetectionMetrics().update(truth, score > 0.5).over("rows")
        return metric.state.counts, akj.ScoreStatisticsMetric().update(score).over("rows").compute()

    def ranked(truth, score, weight):
        metrics = akj.BestF1Metric(weighted=True), akj.ROCAUCMetric(max_fpr=0.5, weighted=True)
        best, auc = (each.update(truth, score, sample_weight=weight).over("rows") for each in metrics)
        return best.compute(), best.threshold, auc.bounds()

    weight = rng.integers(0, 3, truth.shape) / 2
    best, threshold, (_, lower, upper) = jax.jit(
        jax.shard_map(ranked, mesh=mesh, in_specs=P("rows"), out_specs=P(), check_vma=False)
    )(truth, score, weight.astype("float32"))
    np.testing.assert_allclose(best, ak.best_f1(truth, score, sample_weight=weight).value, rtol=0.02)
    count = (2 * weight).astype(int).ravel()
    found = ak.anomaly_detection_metrics(*(np.repeat(x, count) for x in (truth, score >= np.asarray(threshold))))
    np.testing.assert_allclose(found.f1_score, best, rtol=1e-5)
    assert lower - 1e-6 <= ak.roc_auc(truth, score, sample_weight=weight, max_fpr=0.5) <= upper + 1e-6

    counts, statistics = jax.jit(
        jax.shard_map(counted, mesh=mesh, in_specs=P("rows"), out_specs=P(), check_vma=False)
    )(truth, score)
    assert int(counts.true) == truth.sum() and counts.true.dtype in ("int32", "int64")
    np.testing.assert_allclose(statistics.std, score.std(ddof=1), rtol=1e-5)
    def full(row):  # 2^29 of them on each device are 2^32 together, which 32 bits hold as 0
        metric = akj.AnomalyDetectionMetrics(scores="histogram")
        scores = metric.state.scores
        many = scores._replace(positive=scores.positive + (scores.edges == 0) * 2**29)
        found = metric._with_state(metric.state._replace(scores=many)).over("rows").state.scores
        return found.positive.sum(), found.compute(ak.average_precision).value

    total, value = jax.jit(
        jax.shard_map(full, mesh=mesh, in_specs=P("rows"), out_specs=P(), check_vma=False)
    )(truth)
    assert (int(total), float(value)) == (2**32, 1.0) if jax.config.jax_enable_x64 else np.isnan(value)
    assert jax.device_count() == 8
    print("equal")
"""


@pytest.mark.parametrize("x64", ["0", "1"])
def test_a_mesh_of_eight_devices_gives_the_numbers_of_one(x64):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(MESH)],
        env=os.environ
        | {
            "XLA_FLAGS": f"{XLA_FLAGS} --xla_force_host_platform_device_count=8",
            "JAX_PLATFORMS": "cpu",
            "JAX_ENABLE_X64": x64,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.stdout.strip() == "equal", done.stderr


def test_arrays_of_numpy_are_taken_as_the_functions_take_them():
    truth, decision, score = np.asarray([1, 0, 1]), np.asarray([1, 1, 0]), np.asarray([0.9, 0.8, 0.1])
    metric = made("AnomalyDetectionMetrics", scores="histogram").update(truth, decision, score)
    assert float(metric.compute().precision) == 0.5
    assert int(made("AnomalyPixelStatisticsMetric").update(decision).compute().anomalous_pixels) == 2


@pytest.mark.parametrize(
    ("name", "scores"),
    [*((name, "histogram") for name in RANKING), *((name, "exact") for name in ("ROCAUCMetric", "BestF1Metric"))],
)
def test_a_single_number_of_batches_is_that_of_the_whole(name, scores, driver):
    import jax

    weight = RNG.integers(0, 3, 60) / 2
    rows = 2 if scores == "exact" else 3  # each number of distinct scores is compiled anew
    for weighted in (True,) if scores == "exact" else (False, True):
        arrays = [driver.array(x.reshape(rows, -1)) for x in (TRUTH, np.round(SCORE), weight)]
        metric = made(name, scores=scores, weighted=weighted)
        batches = tuple(arrays[: 2 + weighted])

        def step(metric, batch):
            return metric.update(*batch[:2], **({"sample_weight": batch[2]} if len(batch) > 2 else {})), None

        if scores == "histogram":
            metric = jax.jit(lambda m, b: jax.lax.scan(step, m, b)[0])(metric, batches)
        else:
            for batch in zip(*batches, strict=True):
                metric = metric.merge(step(made(name, scores=scores, weighted=weighted), batch)[0])
        own = {"sample_weight": weight} if weighted else {}
        expected = RANKING[name](TRUTH, np.round(SCORE), **NEEDED.get(name, {}), **own)
        if name == "BestF1Metric":
            np.testing.assert_allclose(metric.threshold, expected.threshold, rtol=1e-12)
            expected = expected.value
        value, lower, upper = metric.bounds()
        assert value == metric.compute()
        assert lower - 1e-12 <= expected <= upper + 1e-12
        np.testing.assert_allclose(value, expected, rtol=1e-12 if scores == "exact" else 0.02)


@pytest.mark.parametrize("setting", ["recall", "precision"])
def test_an_operating_point_of_batches_is_that_of_the_whole(setting, driver):
    name, function = f"ThresholdAt{setting.title()}Metric", getattr(ak, f"threshold_at_{setting}")
    truth, score, weight = (x.reshape(2, -1) for x in (TRUTH, np.round(SCORE), RNG.integers(0, 3, 60) / 2))
    one = made(name, **{setting: 0.4}, weighted=True)
    first, second = (
        one.update(driver.array(t), driver.array(s), sample_weight=driver.array(w))
        for t, s, w in zip(truth, score, weight, strict=True)
    )
    metric = second.merge(first)
    assert_is(metric.compute(), function(truth, score, sample_weight=weight, **{setting: 0.4}))
    assert metric.bounds() == (metric.compute(),) * 3


@pytest.mark.parametrize("name", REGIONS)
def test_regions_of_batches_are_those_of_the_whole(name, driver):
    import jax

    function, arrays, masks = REGIONS[name]
    stores = ("exact", "histogram") if name == "AUPROMetric" else (None,)
    for scores in stores:
        metric = made(name) if scores is None else made(name, scores=scores)
        one = metric
        for rows in (slice(2), slice(2, 3), slice(3, 6)):
            batch = [driver.array(x[rows]) for x in arrays]
            metric = metric.merge(one.update(*batch))
        assert_is(metric.compute(), function(*arrays), 0.02 if scores == "histogram" else 1e-12)
        if name == "AUPIMOMetric" or scores == "exact":
            continue
        regions = {k: ak.label_regions(driver.array(x)) for k, x in masks.items()}
        compiled = jax.jit(lambda metric, *batch, **regions: metric.update(*batch, **regions))
        found = compiled(one, *map(driver.array, arrays), **regions)
        assert_is(found.compute(), metric.compute())
        with pytest.raises(TypeError, match="`target` must be known for its regions to be labelled"):
            compiled(one, *map(driver.array, arrays))
    if scores is not None:
        value, lower, upper = metric.bounds()
        assert value == metric.compute()
        assert lower - 1e-12 <= function(*arrays) <= upper + 1e-12


def test_what_metrics_of_regions_refuse(driver):
    import jax

    for name, settings, message in (
        ("AUPROMetric", {"max_fpr": 0.0}, "`max_fpr` must be > 0 and <= 1, got 0.0"),
        ("AUPROMetric", {"scores": "bins"}, "`scores` must be one of 'exact', 'histogram', got 'bins'"),
        ("RegionDetectionMetric", {"overlap": 1.5}, "`overlap` must be >= 0 and <= 1, got 1.5"),
        ("AUPIMOMetric", {"fpr_bounds": [0.2, 0.1]}, "`fpr_bounds` must be two numbers L and U"),
    ):
        with pytest.raises(ValueError, match=message):
            made(name, **settings)
    with pytest.raises(TypeError, match="`ImageScores` has an entry for each anomalous pixel"):
        jax.jit(lambda t, s: made("AUPIMOMetric").update(t, s))(*map(driver.array, (IMAGES, HEAT)))
    assert repr(made("AUPIMOMetric", fpr_bounds=[0.1, 0.2])) == "AUPIMOMetric(fpr_bounds=(0.1, 0.2))"


def test_what_single_numbers_refuse(driver):
    import jax

    for name, settings, message in (
        ("ROCAUCMetric", {"max_fpr": 0.0}, "`max_fpr` must be > 0 and <= 1, got 0.0"),
        ("FPRAtTPRMetric", {"tpr": 1.5}, "`tpr` must be > 0 and <= 1, got 1.5"),
        ("PrecisionAtKMetric", {"k": 0}, "`k` must be >= 1, got 0"),
        ("ThresholdAtRecallMetric", {"recall": 1.5}, "`recall` must be > 0 and <= 1, got 1.5"),
        ("ThresholdAtPrecisionMetric", {"scores": "histogram"}, "`scores` must be 'exact' for an operating point, got"),
        ("BestF1Metric", {"scores": "bins"}, "`scores` must be one of 'exact', 'histogram', got 'bins'"),
    ):
        with pytest.raises(ValueError, match=message):
            made(name, **settings)
    truth, score = driver.array(TRUTH), driver.array(SCORE)
    with pytest.raises(TypeError, match=r"`sample_weight` is taken by ROCAUCMetric\(weighted=True\), got one without"):
        made("ROCAUCMetric").update(truth, score, sample_weight=score)
    with pytest.raises(TypeError, match="`UniqueScores` has as many entries as there are distinct scores"):
        jax.jit(lambda t, s: made("ROCAUCMetric", scores="exact").update(t, s))(truth, score)
    assert np.isnan(made("BestF1Metric").threshold)
    assert repr(made("ROCAUCMetric", max_fpr=0.1)) == "ROCAUCMetric(max_fpr=0.1, scores='histogram', weighted=False)"
