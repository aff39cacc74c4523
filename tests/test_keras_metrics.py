"""The metrics for Keras on its three backends: what was seen is what counts, however it was batched."""

from __future__ import annotations

import numpy as np
import pytest

import anomaly_kernels as ak

pytestmark = [
    pytest.mark.library("tensorflow", "torch", "jax"),
    pytest.mark.filterwarnings("ignore:.*__array__ implementation doesn't accept a copy:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
TRUTH = RNG.random((40, 1)) < 0.3
SCORE = (3 * RNG.normal(size=(40, 1)) + TRUTH).astype("float32")
WEIGHT = RNG.integers(0, 4, size=40).astype("float32")
ONE_ARRAY = {
    "AnomalyPixelStatisticsMetric": (ak.anomaly_pixel_statistics, TRUTH),
    "ScoreStatisticsMetric": (ak.score_statistics, SCORE),
    "ExplainedVarianceMetric": (ak.explained_variance, np.asarray([0.5, 0.3], "float32")),
    "ComponentOrthogonalityMetric": (ak.component_orthogonality, RNG.normal(size=(3, 5)).astype("float32")),
    "SelectorEntropyMetric": (ak.selector_entropy, RNG.random(6).astype("float32")),
    "SelectorDiversityMetric": (ak.selector_diversity, RNG.random(6).astype("float32")),
}
NEEDED = {"PrecisionAtKMetric": {"k": 20}}
RANKING = {
    "AveragePrecisionMetric": ak.average_precision,
    "AUPRTrapezoidMetric": ak.aupr_trapezoid,
    "ROCAUCMetric": ak.roc_auc,
    "BestF1Metric": ak.best_f1,
    "FPRAtTPRMetric": ak.fpr_at_tpr,
    "PrecisionAtKMetric": ak.precision_at_k,
}
POINTS = {
    "ThresholdAtRecallMetric": ak.threshold_at_recall,
    "ThresholdAtPrecisionMetric": ak.threshold_at_precision,
}
IMAGES = RNG.random((6, 4, 5)) < 0.2
IMAGES[::3] = False
HEAT = np.round(RNG.normal(size=IMAGES.shape) + IMAGES, 1).astype("float32")
REGIONS = {
    "AUPROMetric": (ak.aupro, (IMAGES, HEAT), {"max_fpr": 0.5}),
    "PerRegionOverlapMetric": (ak.per_region_overlap, (IMAGES, HEAT > 0.5), {}),
    "RegionDetectionMetric": (ak.region_detection, (IMAGES, HEAT > 0.5), {"overlap": 0.5}),
    "AUPIMOMetric": (ak.aupimo, (IMAGES, HEAT), {"fpr_bounds": (0.05, 0.5)}),
}


def made(name, /, **settings):
    import anomaly_kernels.keras as akk

    return getattr(akk, name)(**NEEDED.get(name, {}) | settings)


def single_number(name, truth, score, **settings):
    result = RANKING[name](truth, score, **NEEDED.get(name, {}) | settings)
    return result.value if name == "BestF1Metric" else result


def numbers(result):
    import keras

    if not isinstance(result, dict):
        return keras.ops.convert_to_numpy(result)
    return {name: numbers(x) for name, x in result.items()}


def assert_is(result, expected, rtol=1e-5):
    found = numbers(result)
    if not hasattr(expected, "_asdict"):
        np.testing.assert_allclose(found, expected, rtol=rtol)
        return
    wanted = {name: x for name, x in expected._asdict().items() if x is not None}
    assert {name for name in found if "_lower" not in name and "_upper" not in name} == wanted.keys()
    for name, x in wanted.items():
        np.testing.assert_allclose(found[name], x, rtol=rtol, err_msg=name)


@pytest.mark.parametrize("name", ONE_ARRAY)
def test_one_array_gives_the_function(name):
    function, x = ONE_ARRAY[name]
    metric = made(name)
    metric.update_state(x)
    assert_is(metric.result(), function(x))
    metric.reset_state()
    metric.update_state(np.zeros(1), x)  # as `compile` calls it
    assert_is(metric.result(), function(x))
    with pytest.raises(ValueError, match="has no weights of samples, got `sample_weight`"):
        metric.update_state(x, sample_weight=np.ones(1))


@pytest.mark.parametrize("name", ["AnomalyPixelStatisticsMetric", "ScoreStatisticsMetric"])
def test_batches_give_the_whole(name):
    function, x = ONE_ARRAY[name]
    metric = made(name)
    for rows in (slice(13), slice(13, 14), slice(14, 40)):
        metric.update_state(x[rows])
    assert_is(metric.result(), function(x), 1 / 256)


def test_a_result_stays_what_it_was():
    metric = made("AnomalyPixelStatisticsMetric")
    metric.update_state(TRUTH)
    before = metric.result()
    metric.update_state(TRUTH)
    assert_is(before, ak.anomaly_pixel_statistics(TRUTH))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", [40, 7])
def test_scores_are_ranked_as_they_are(weighted, size):
    for scale in (1.0, 1e4, 1e-4):
        metric = made("AnomalyDetectionMetrics", threshold=0.5 * scale)
        score = np.float32(scale) * SCORE
        for start in range(0, 40, size):
            weight = {"sample_weight": WEIGHT[start : start + size]} if weighted else {}
            metric.update_state(TRUTH[start : start + size], score[start : start + size], **weight)
        count = WEIGHT.astype(int) if weighted else np.ones(40, int)
        truth, repeated = (np.repeat(x[:, 0], count) for x in (TRUTH, score))
        expected = ak.anomaly_detection_metrics(truth, repeated > 0.5 * scale, repeated)
        found = numbers(metric.result())
        for name in ("precision", "recall", "f1_score", "iou"):
            np.testing.assert_allclose(found[name], getattr(expected, name), rtol=1e-6)
        lower, upper = found["average_precision_lower"], found["average_precision_upper"]
        assert lower - 1e-6 <= expected.average_precision <= upper + 1e-6
        assert lower <= found["average_precision"] <= upper


def test_decisions_have_no_average_precision():
    metric = made("AnomalyDetectionMetrics", zero_division=0.25)
    metric.update_state(TRUTH[:, 0], SCORE > 0.5)  # (B,) beside (B, 1), as Keras has it
    assert_is(metric.result(), ak.anomaly_detection_metrics(TRUTH, SCORE > 0.5))
    metric.reset_state()
    assert all(x == 0.25 for x in numbers(metric.result()).values())
    with pytest.raises(TypeError, match="takes `y_true` and `y_pred`, got one array"):
        metric.update_state(TRUTH)
    with pytest.raises(TypeError, match="`threshold` must be a number or a 0-d array, got str"):
        made("AnomalyDetectionMetrics", threshold="high")


def test_with_and_without_weights_are_seen_together():
    metric = made("AnomalyDetectionMetrics", threshold=0.5)
    metric.update_state(TRUTH, SCORE)
    metric.update_state(TRUTH, SCORE, sample_weight=2.0)
    assert_is(metric.result(), ak.anomaly_detection_metrics(TRUTH, SCORE > 0.5, SCORE), 0.02)


def test_counters_are_integers():
    import keras

    for name in ("AnomalyPixelStatisticsMetric", "AnomalyDetectionMetrics"):
        kinds = {keras.backend.standardize_dtype(v.dtype) for v in made(name).variables if "weighted" not in v.name}
        assert kinds <= {"int64", "int32"}


def test_a_nan_makes_it_nan():
    metric = made("AnomalyDetectionMetrics", threshold=0.5)
    metric.update_state(TRUTH, np.where(np.arange(40)[:, None] == 3, np.float32(np.nan), SCORE))
    metric.update_state(TRUTH, SCORE)
    found = numbers(metric.result())
    assert np.isnan(found["average_precision"]) and np.isnan(found["average_precision_lower"])


def test_a_mean_is_that_of_the_batches():
    metric = made("ExplainedVarianceMetric")
    assert metric.result() == {}
    for row in ([0.5, 0.25], [0.3, 0.1]):
        metric.update_state(np.asarray(row, "float32"))
    np.testing.assert_allclose(numbers(metric.result())["cumulative"], [0.4, 0.575], rtol=1e-6)


def test_components_may_be_known_before_the_first_batch():
    metric = made("ExplainedVarianceMetric", components=2)
    names = [variable.name for variable in metric.variables]
    assert names == ["state_number", "state_totals_0", "state_totals_1", "state_totals_2"]
    assert np.isnan(numbers(metric.result())["total"])
    metric.update_state(np.asarray([0.5, 0.25], "float32"))
    assert [variable.name for variable in metric.variables] == names
    np.testing.assert_allclose(numbers(metric.result())["cumulative"], [0.5, 0.75], rtol=1e-6)
    with pytest.raises(ValueError, match=r"`explained_variance_ratio` must have shape \(2,\), got \(3,\)"):
        metric.update_state(np.asarray([0.5, 0.25, 0.1], "float32"))
    assert type(metric).from_config(metric.get_config()).components == 2


def test_configs_and_files_bring_metrics_back(tmp_path):
    import keras

    metric = made("AnomalyDetectionMetrics", threshold=0.1, zero_division=0.5, name="found")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert again.get_config() == metric.get_config()
    assert (again.threshold, again.zero_division, again.name) == (0.1, 0.5, "found")
    assert repr(again) == repr(metric)


@pytest.mark.parametrize("jit", [False, True])
def test_models_are_fitted_and_judged_with_them(tmp_path, jit):
    import keras

    if jit and keras.backend.backend() == "torch":
        pytest.skip("Keras' own functions make torch compile again and again")
    x = RNG.normal(size=(40, 5)).astype("float32")
    model = keras.Sequential([keras.layers.Input((5,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[made("AnomalyDetectionMetrics", threshold=0.1)], jit_compile=jit)
    history = model.fit(x, TRUTH.astype("float32"), batch_size=24, epochs=2, verbose=0).history
    assert {"precision", "average_precision", "average_precision_upper"} <= history.keys()
    found = model.evaluate(x, TRUTH.astype("float32"), batch_size=24, verbose=0, return_dict=True)
    score = model.predict(x, verbose=0)
    expected = ak.anomaly_detection_metrics(TRUTH, score > 0.1, score)
    assert found["f1_score"] == pytest.approx(float(expected.f1_score), rel=1e-5)
    lower, upper = found["average_precision_lower"], found["average_precision_upper"]
    assert lower - 1e-6 <= float(expected.average_precision) <= upper + 1e-6
    if not jit:
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        again = loaded.evaluate(x, TRUTH.astype("float32"), batch_size=24, verbose=0, return_dict=True)
        assert again["f1_score"] == pytest.approx(found["f1_score"], rel=1e-6)


@pytest.mark.library("jax")
def test_the_stateless_form_under_jax():
    import jax

    metric = made("AnomalyDetectionMetrics", threshold=0.5)
    update = jax.jit(metric.stateless_update_state)
    state = update([variable.value for variable in metric.variables], TRUTH, SCORE)
    assert_is(metric.stateless_result(state), ak.anomaly_detection_metrics(TRUTH, SCORE > 0.5, SCORE), 0.02)


@pytest.mark.parametrize("name", ["AnomalyDetectionMetrics", *ONE_ARRAY, *RANKING, *POINTS, *REGIONS])
def test_the_learner_interface(name, tmp_path):
    metric = made(name)
    assert name in metric.summary()
    metric.save(tmp_path / "metric.json")
    again = type(metric).load(tmp_path / "metric.json")
    assert again.get_params() == metric.get_params()
    if name == "SelectorEntropyMetric":
        assert metric.set_params(eps=0.5).get_config()["eps"] == 0.5


def test_its_dtype_can_be_changed_and_what_shapes_its_variables_cannot():
    metric = made("SelectorEntropyMetric")
    metric.set_params(dtype="float16")
    metric.update_state(np.asarray([0.5, 0.5], "float32"))
    assert metric.get_params()["dtype"] == "float16"
    assert "float16" in str(metric.result().dtype)
    metric = made("ExplainedVarianceMetric", components=3)
    with pytest.raises(ValueError, match="`components` of a metric with variables cannot be changed, got 4"):
        metric.set_params(components=4)
    assert made("ExplainedVarianceMetric").set_params(components=4).components == 4


def test_a_threshold_is_a_number_that_can_be_compared():
    with pytest.raises(ValueError, match="`threshold` must be a number, got nan"):
        made("AnomalyDetectionMetrics", threshold=float("nan"))


def model_of(outputs, **options):
    import keras

    x = keras.Input((3,))
    layers = {name: keras.layers.Dense(1, name=name) for name in outputs}
    ends = {name: layer(x) for name, layer in layers.items()}
    model = keras.Model(x, ends if len(ends) > 1 else ends[outputs])
    model.compile("sgd", "mse", **options)
    return model


def logs_of(model, outputs, **options):
    x = RNG.normal(size=(40, 3)).astype("float32")
    y = TRUTH.astype("float32")
    y = dict.fromkeys(outputs, y) if len(outputs) > 1 else y
    return model.evaluate(x, y, verbose=0, return_dict=True, **options)


FIELDS = (
    *("precision", "recall", "f1_score", "iou"),
    *("average_precision", "average_precision_lower", "average_precision_upper"),
)


def names_in_logs(*prefixes, others=("loss",)):
    return {prefix + field for prefix in prefixes for field in FIELDS} | set(others)


def test_a_metric_logs_under_its_name_and_alone_by_its_fields(tmp_path):
    import keras

    model = model_of("a", metrics=[made("AnomalyDetectionMetrics", threshold=0.1)])
    assert logs_of(model, "a").keys() == names_in_logs("")
    model.save(tmp_path / "model.keras")
    assert logs_of(keras.saving.load_model(tmp_path / "model.keras"), "a").keys() == names_in_logs("")
    low, high = (made("AnomalyDetectionMetrics", threshold=0.1, name=name) for name in ("low", "high"))
    model = model_of("a", metrics=[low], weighted_metrics=[high])
    assert logs_of(model, "a", sample_weight=WEIGHT).keys() == names_in_logs("low_", "high_")
    assert set(low.result()) == set(FIELDS)  # to who asks for it, the fields of the function
    history = model.fit(np.zeros((4, 3)), np.zeros((4, 1)), validation_split=0.5, verbose=0).history
    assert {"val_high_precision", "low_recall"} <= history.keys()


def test_no_number_vanishes_from_the_logs():
    import keras

    first, second = (made("AnomalyDetectionMetrics", threshold=0.1) for _ in range(2))
    both = names_in_logs(f"{first.name}_", f"{second.name}_")
    assert logs_of(model_of("a", metrics=[first, second]), "a").keys() == both
    outputs = model_of("ab", metrics={"a": [first], "b": [second]})
    assert logs_of(outputs, "ab").keys() == both | {"a_loss", "b_loss"}
    beside = model_of("a", metrics=[first, keras.metrics.Precision(name="precision")])
    assert logs_of(beside, "a").keys() == names_in_logs(f"{first.name}_", others=("loss", "precision"))
    low = [made("AnomalyDetectionMetrics", threshold=0.1, name="low") for _ in range(2)]
    outputs = model_of("ab", metrics={"a": low[:1], "b": low[1:]})
    assert logs_of(outputs, "ab").keys() == names_in_logs("a_low_", "b_low_", others=("loss", "a_loss", "b_loss"))
    weighted = model_of("a", metrics=low[:1], weighted_metrics=low[1:])
    assert logs_of(weighted, "a", sample_weight=WEIGHT).keys() == names_in_logs("low_", "weighted_low_")


@pytest.mark.library("tensorflow", "torch")  # on JAX Keras hands layers no metrics, its own neither
def test_metrics_of_layers_log_under_their_names():
    import keras

    class Watched(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.low, self.high = (made("AnomalyPixelStatisticsMetric", name=name) for name in ("low", "high"))

        def call(self, x):
            self.low.update_state(x > 0.0)
            self.high.update_state(x > 1.0)
            return x

    model = keras.Sequential([keras.Input((3,)), Watched()])
    model.compile("sgd", "mse", metrics=[made("AnomalyPixelStatisticsMetric")])
    model.evaluate(np.ones((4, 3)), np.ones((4, 3)), verbose=0)
    assert {"low_total_pixels", "high_total_pixels"} <= model.get_metrics_result().keys()


@pytest.mark.parametrize("name", ["AnomalyDetectionMetrics", *ONE_ARRAY, "BestF1Metric"])
def test_an_empty_batch_changes_nothing(name):
    metric = made(name)
    arrays = ONE_ARRAY[name][1:] if name in ONE_ARRAY else (TRUTH, SCORE > 0 if "Best" not in name else SCORE)
    metric.update_state(*arrays)
    before = numbers(metric.result())
    metric.update_state(*(x[:0] for x in arrays))
    after = numbers(metric.result())
    np.testing.assert_equal(after, before)


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 0.02, 1.0, 1e5, 1e30])
def test_bounds_hold_on_every_scale_and_few_scores_are_told_apart(scale):
    metric = made("AnomalyDetectionMetrics", threshold=0.0)
    for score in (np.float32(scale) * SCORE, np.float32(scale) * np.round(SCORE)):
        metric.reset_state()
        metric.update_state(TRUTH, score)
        found, exact = numbers(metric.result()), ak.average_precision(TRUTH, score)
        assert found["average_precision_lower"] - 1e-6 <= exact <= found["average_precision_upper"] + 1e-6
    if scale in (0.02, 1.0):
        assert found["average_precision"] == pytest.approx(float(exact), rel=1e-6)


def test_the_state_is_small():
    assert sum(np.prod(v.shape) for v in made("AnomalyDetectionMetrics", threshold=0.5).variables) < 20_000


def test_digits_make_the_histogram_finer_and_larger(tmp_path):
    score = np.random.default_rng(3).beta(2.0, 1.0, size=(2000, 1)).astype("float32")
    truth = np.random.default_rng(4).random((2000, 1)) < score
    exact, width, size = ak.average_precision(truth, score), np.inf, 0
    for digits in (1, 4, 7, 10):
        metric = made("AveragePrecisionMetric", digits=digits)
        metric.update_state(truth, score)
        value, lower, upper = map(numbers, metric.bounds())
        assert lower - 1e-6 <= exact <= upper + 1e-6
        assert abs(value - exact) < 2.0**-digits
        assert upper - lower < 0.5 * width
        assert sum(np.prod(v.shape) for v in metric.variables) > size
        width, size = upper - lower, sum(np.prod(v.shape) for v in metric.variables)
        assert type(metric).from_config(metric.get_config()).digits == digits
    coarse, fine = (made("ScoreStatisticsMetric", digits=digits) for digits in (1, 10))
    for metric in (coarse, fine):
        metric.update_state(score)
    median = np.median(score)
    assert abs(numbers(fine.result())["median"] - median) < 1e-3
    assert abs(numbers(coarse.result())["median"] - median) < 0.1


@pytest.mark.parametrize("name", ["AveragePrecisionMetric", "AnomalyDetectionMetrics", "ScoreStatisticsMetric"])
def test_digits_are_few_and_stay(name):
    with pytest.raises(ValueError, match="^`digits` must be >= 1 and <= 12, got 13$"):
        made(name, digits=13)
    with pytest.raises(TypeError, match="^`digits` must be an integer, got float$"):
        made(name, digits=5.0)
    with pytest.raises(ValueError, match="^`digits` of a metric that is there cannot be changed, got 6$"):
        made(name, digits=5).set_params(digits=6)


def test_batches_with_weights_and_without_are_counted_together():
    metric, found = made("AnomalyDetectionMetrics"), np.ones(3) > 0
    metric.update_state(found, found)
    for _ in range(2):
        metric.update_state(found, np.asarray([1, 0, 0]) > 0, sample_weight=np.full(3, 0.5))
    assert numbers(metric.result()["recall"]) == pytest.approx(4 / 6)


@pytest.mark.parametrize("scores", ["exact", "histogram"])
@pytest.mark.parametrize("name", RANKING)
def test_a_single_number_of_batches_is_that_of_the_whole(name, scores):
    score = np.round(SCORE, 1)  # some are tied
    for weight in (None, WEIGHT[:, None]):
        metric = made(name, scores=scores)
        for rows in (slice(13), slice(13, 40)):
            own = {} if weight is None else {"sample_weight": weight[rows]}
            metric.update_state(TRUTH[rows, 0], score[rows], **own)  # (B,) beside (B, 1), as Keras has it
        expected = single_number(name, TRUTH, score, sample_weight=weight)
        value, lower, upper = map(numbers, metric.bounds())
        assert numbers(metric.result()) == value
        assert lower - 1e-6 <= expected <= upper + 1e-6
        np.testing.assert_allclose(value, expected, rtol=1e-6 if scores == "exact" else 0.05)
        if name == "BestF1Metric":
            assert numbers(metric.threshold) == ak.best_f1(TRUTH, score, sample_weight=weight).threshold
    metric.update_state(TRUTH, score)  # those without weights count as they are
    twice = (np.concatenate([x, y]) for x, y in ((TRUTH, TRUTH), (score, score), (WEIGHT[:, None], np.ones((40, 1)))))
    truth, both, weight = twice
    np.testing.assert_allclose(numbers(metric.result()), single_number(name, truth, both, sample_weight=weight), 0.05)
    metric.reset_state()
    metric.update_state(TRUTH, score)
    np.testing.assert_allclose(numbers(metric.result()), single_number(name, TRUTH, score), 0.05)
    metric.update_state(TRUTH, np.where(TRUTH, np.float32(np.nan), score))
    assert np.isnan(numbers(metric.result()))


@pytest.mark.parametrize("name", POINTS)
def test_an_operating_point_of_batches_is_that_of_the_whole(name):
    import keras

    setting = "recall" if "Recall" in name else "precision"
    score = np.round(SCORE, 1)
    for weight in (None, WEIGHT[:, None]):
        metric = made(name, **{setting: 0.6})
        for rows in (slice(13), slice(13, 40)):
            own = {} if weight is None else {"sample_weight": weight[rows]}
            metric.update_state(TRUTH[rows, 0], score[rows], **own)
        expected = POINTS[name](TRUTH, score, **{setting: 0.6}, sample_weight=weight)
        assert_is(metric.result(), expected, 1e-6)
        assert numbers(metric.result()["threshold"]) == expected.threshold
        assert all(numbers(x) == numbers(metric.result()) for x in metric.bounds())
    again = type(metric).from_config(metric.get_config())
    assert again.get_config() == metric.get_config()
    model = keras.Sequential([keras.Input((1,)), keras.layers.Activation("linear")])
    model.compile(loss="mse", metrics=[again, "mae"], run_eagerly=True)
    found = model.evaluate(score, TRUTH.astype("float32"), batch_size=16, verbose=0, return_dict=True)
    expected = POINTS[name](TRUTH, score, **{setting: 0.6})
    assert_is({field: found[field] for field in expected._fields}, expected, 1e-6)
    metric.reset_state()
    metric.update_state(np.zeros(3), np.arange(3.0))
    wanted = [np.nan] * 3 if setting == "recall" else [np.inf, 0.0, 0.0]
    np.testing.assert_array_equal(list(numbers(metric.result()).values()), wanted)


@pytest.mark.library("tensorflow", "torch")  # regions are labelled by NumPy, their states those of test_jax_metrics.py
@pytest.mark.parametrize("scores", ["exact", "histogram"])
@pytest.mark.parametrize("name", REGIONS)
def test_regions_of_batches_are_those_of_the_whole(name, scores):
    function, arrays, settings = REGIONS[name]
    store = {"scores": scores} if name == "AUPROMetric" else {}
    metric = made(name, **settings, **store)
    for rows in (slice(2), slice(2, 2), slice(2, 3), slice(3, 6)):
        metric.update_state(*(x[rows] for x in arrays))
    expected = function(*arrays, **settings)
    assert_is(metric.result(), expected, 0.05 if scores == "histogram" and store else 1e-5)
    if store:
        value, lower, upper = map(numbers, metric.bounds())
        assert value == numbers(metric.result())
        assert lower - 1e-6 <= expected <= upper + 1e-6
    copied = type(metric).from_config(metric.get_config())
    assert copied.get_config() == metric.get_config()
    copied.update_state(*(np.expand_dims(x, -1) for x in arrays))  # channels are no regions
    assert_is(copied.result(), expected, 0.05 if scores == "histogram" and store else 1e-5)
    metric.reset_state()
    metric.update_state(*arrays)
    assert_is(metric.result(), expected, 0.05 if scores == "histogram" and store else 1e-5)
    with pytest.raises(ValueError, match="has no weights of samples, got `sample_weight`"):
        metric.update_state(*arrays, sample_weight=np.ones(6))
    with pytest.raises(TypeError, match="takes `y_true` and `y_pred`, got one array"):
        metric.update_state(arrays[0])


def test_regions_and_saturations_go_by_name():
    region = ak.label_regions(IMAGES, connectivity=1)
    saturation = RNG.uniform(0.5, 4.0, region.max())
    given = {"region": region, "saturation": saturation}
    for scores in ("exact", "histogram"):
        metric = made("AUPROMetric", scores=scores)
        metric.update_state(IMAGES, HEAT, **given)
        assert_is(metric.result(), ak.aupro(IMAGES, HEAT, **given), 1e-5 if scores == "exact" else 0.05)
    metric = made("PerRegionOverlapMetric")
    metric.update_state(IMAGES, HEAT > 0.5, **given)
    assert_is(metric.result(), ak.per_region_overlap(IMAGES, HEAT > 0.5, **given))
    metric, alarms = made("RegionDetectionMetric"), ak.label_regions(HEAT > 0.5, connectivity=1)
    metric.update_state(IMAGES, HEAT > 0.5, region=region, decision_region=alarms)
    wanted = ak.region_detection(IMAGES, HEAT > 0.5, region=region, decision_region=alarms)
    assert_is(metric.result(), wanted)


@pytest.mark.parametrize("name", ["AUPROMetric", "AUPIMOMetric"])
def test_models_of_images_are_evaluated_eagerly(name):
    import keras

    settings = REGIONS[name][2]
    model = keras.Sequential([keras.Input((4, 5)), keras.layers.Activation("linear")])
    model.compile(loss="mse", metrics=[made(name, name="found", **settings)], run_eagerly=True)
    found = model.evaluate(HEAT, IMAGES.astype("float32"), batch_size=2, verbose=0, return_dict=True)["found"]
    np.testing.assert_allclose(found, REGIONS[name][0](IMAGES, HEAT, **settings), rtol=0.05)


def test_what_metrics_of_regions_refuse():
    for name, settings, message in (
        ("AUPROMetric", {"max_fpr": 0.0}, "`max_fpr` must be > 0 and <= 1, got 0.0"),
        ("AUPROMetric", {"scores": "bins"}, "`scores` must be one of 'exact', 'histogram', got 'bins'"),
        ("RegionDetectionMetric", {"overlap": 1.5}, "`overlap` must be >= 0 and <= 1, got 1.5"),
        ("AUPIMOMetric", {"fpr_bounds": (0.2, 0.1)}, "`fpr_bounds` must be two numbers L and U"),
    ):
        with pytest.raises(ValueError, match=message):
            made(name, **settings)


@pytest.mark.library("jax", "tensorflow")  # torch's steps are eager
def test_regions_are_refused_in_steps_that_are_traced():
    import keras

    model = keras.Sequential([keras.Input((4, 5)), keras.layers.Activation("linear")])
    model.compile(loss="mse", metrics=[made("AUPROMetric")])
    with pytest.raises(TypeError, match="`target` must be known for its regions .* in Keras, .*run_eagerly=True"):
        model.evaluate(HEAT, IMAGES.astype("float32"), verbose=0)


def test_of_no_scores_there_is_no_threshold():
    for scores in ("exact", "histogram"):
        assert np.isnan(numbers(made("BestF1Metric", scores=scores).threshold))


def test_what_single_numbers_refuse():
    for name, settings, message in (
        ("ROCAUCMetric", {"max_fpr": 0.0}, "`max_fpr` must be > 0 and <= 1, got 0.0"),
        ("FPRAtTPRMetric", {"tpr": 1.5}, "`tpr` must be > 0 and <= 1, got 1.5"),
        ("PrecisionAtKMetric", {"k": 0}, "`k` must be >= 1, got 0"),
        ("ThresholdAtRecallMetric", {"recall": 1.5}, "`recall` must be > 0 and <= 1, got 1.5"),
        ("ThresholdAtPrecisionMetric", {"scores": "histogram"}, "`scores` must be 'exact' for an operating point, got"),
        ("BestF1Metric", {"scores": "bins"}, "`scores` must be one of 'exact', 'histogram', got 'bins'"),
        ("AnomalyDetectionMetrics", {"scores": "bins"}, "`scores` must be one of 'exact', 'histogram', got 'bins'"),
    ):
        with pytest.raises(ValueError, match=message):
            made(name, **settings)
    with pytest.raises(ValueError, match="`scores` of a metric that is there cannot be changed, got 'exact'"):
        made("BestF1Metric").set_params(scores="exact")
    with pytest.raises(TypeError, match="BestF1Metric takes `y_true` and `y_pred`, got one array"):
        made("BestF1Metric").update_state(TRUTH)


def test_settings_may_be_variables():
    import keras

    for scores in ("exact", "histogram"):
        metric = made("FPRAtTPRMetric", tpr=keras.Variable(0.5), scores=scores)
        metric.update_state(TRUTH, SCORE)
        assert numbers(metric.result()) == pytest.approx(float(ak.fpr_at_tpr(TRUTH, SCORE, tpr=0.5)), rel=0.02)


@pytest.mark.parametrize("scores", ["exact", "histogram"])
def test_models_are_watched_by_single_numbers(tmp_path, scores):
    import keras

    keras.utils.set_random_seed(0)
    x = RNG.normal(size=(40, 3)).astype("float32")
    metrics = {
        "ap": made("AveragePrecisionMetric", name="ap", scores=scores),
        "found": made("AnomalyDetectionMetrics", threshold=0.1, scores=scores),
        "k": made("PrecisionAtKMetric", k=5, name="k", scores=scores),
    }
    weighted = [made("ROCAUCMetric", max_fpr=0.5, name="auc", scores=scores)]
    model = model_of("a", metrics=list(metrics.values()), weighted_metrics=weighted, run_eagerly=scores == "exact")
    stop = keras.callbacks.EarlyStopping(monitor="val_ap", mode="max", patience=0)
    given = {"batch_size": 24, "verbose": 0}
    history = model.fit(x, TRUTH, epochs=3, validation_data=(x, TRUTH, WEIGHT), callbacks=[stop], **given).history
    assert {"ap", "val_ap", "val_auc", "val_k", "val_average_precision_upper"} <= history.keys()
    found = model.evaluate(x, TRUTH, sample_weight=WEIGHT, return_dict=True, **given)
    score = model.predict(x, verbose=0)
    close = {"abs": 1e-6 if scores == "exact" else 0.15}
    assert found["ap"] == pytest.approx(float(ak.average_precision(TRUTH, score)), **close)
    assert found["average_precision"] == pytest.approx(found["ap"], rel=1e-6)
    assert found["k"] == pytest.approx(float(ak.precision_at_k(TRUTH, score, k=5)), **close)
    auc = ak.roc_auc(TRUTH, score, sample_weight=WEIGHT[:, None], max_fpr=0.5)
    assert found["auc"] == pytest.approx(float(auc), **close)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    loaded.run_eagerly = model.run_eagerly
    assert loaded.evaluate(x, TRUTH, sample_weight=WEIGHT, return_dict=True, **given) == pytest.approx(found)


@pytest.mark.library("jax", "tensorflow")  # torch's steps are eager
def test_distinct_scores_are_refused_in_steps_that_are_traced():
    model = model_of("a", metrics=[made("AveragePrecisionMetric", scores="exact")])
    with pytest.raises(TypeError, match=r"a traced or compiled step cannot: use `compile\(run_eagerly=True\)`, or"):
        logs_of(model, "a")
