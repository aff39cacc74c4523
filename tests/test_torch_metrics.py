"""The metrics as torchmetrics: exact over batches, processes and copies."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import textwrap
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anomaly_kernels as ak

pytestmark = pytest.mark.library("torch")

RNG = np.random.default_rng(0)
TRUTH = RNG.random((30, 4)) < 0.3
SCORE = np.round(3 * RNG.normal(size=TRUTH.shape) + TRUTH, 1)

# class, function, arrays in torch's order, and how many the function takes first to last from them
METRICS = {
    "AnomalyDetectionMetrics": (ak.anomaly_detection_metrics, (SCORE > 0.5, TRUTH, SCORE)),
    "AnomalyPixelStatisticsMetric": (ak.anomaly_pixel_statistics, (TRUTH,)),
    "ScoreStatisticsMetric": (ak.score_statistics, (SCORE,)),
    "ExplainedVarianceMetric": (ak.explained_variance, (np.asarray([0.5, 0.3, 0.1]),)),
    "ComponentOrthogonalityMetric": (ak.component_orthogonality, (RNG.normal(size=(3, 5)),)),
    "SelectorEntropyMetric": (ak.selector_entropy, (RNG.random(6),)),
    "SelectorDiversityMetric": (ak.selector_diversity, (RNG.random(6),)),
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
METRICS |= {name: (function, (SCORE, TRUTH)) for name, function in (RANKING | POINTS).items()}
IMAGES = RNG.random((30, 4, 5)) < 0.2
IMAGES[::3] = False
HEAT = np.round(RNG.normal(size=IMAGES.shape) + IMAGES, 1)
REGIONS = {
    "AUPROMetric": (ak.aupro, (HEAT, IMAGES)),
    "PerRegionOverlapMetric": (ak.per_region_overlap, (HEAT > 0.5, IMAGES)),
    "RegionDetectionMetric": (ak.region_detection, (HEAT > 0.5, IMAGES)),
}
METRICS |= REGIONS | {"AUPIMOMetric": (ak.aupimo, (HEAT, IMAGES))}
POOLED = [*list(METRICS)[:3], *RANKING, *POINTS, *REGIONS, "AUPIMOMetric"]
EVERY = pytest.mark.parametrize("name", METRICS)


def tensors(arrays, dtype=None):
    import torch

    made = [torch.as_tensor(x) for x in arrays]
    return [x.to(dtype) if dtype is not None and x.is_floating_point() else x for x in made]


def made(name, **settings):
    import torch

    import anomaly_kernels.torch as akt

    return getattr(akt, name)(**NEEDED.get(name, {}) | settings).set_dtype(torch.float64)


def expected(name, arrays, **settings):
    function = METRICS[name][0]
    first = [arrays[1], arrays[0], *arrays[2:]] if len(arrays) > 1 else arrays
    found = function(*tensors(first), **NEEDED.get(name, {}) | settings)
    found = found.value if name == "BestF1Metric" else found
    return found if isinstance(found, tuple) else (found,)


def assert_is(found, wanted, rtol=1e-6):
    found = found if isinstance(found, tuple) else (found,)
    assert type(found) is type(wanted)
    for name, x, y in zip(getattr(found, "_fields", "0"), found, wanted, strict=True):
        assert (x is None) == (y is None)
        if x is not None:
            np.testing.assert_allclose(x, y, rtol=rtol, err_msg=name)


@EVERY
def test_one_batch_gives_the_function(name):
    arrays = METRICS[name][1]
    metric = made(name)
    metric.update(*tensors(arrays))
    assert_is(metric.compute(), expected(name, arrays))


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric .* was called before")  # of what was merged
@given(cuts=st.lists(st.integers(0, 30), max_size=4), half=st.booleans())
@pytest.mark.parametrize("name", POOLED[:-1])
def test_any_split_gives_the_whole(name, cuts, half):
    import torch

    arrays = METRICS[name][1]
    metric, other = made(name), made(name)
    places = [0, *sorted(cuts), 30]
    for k, (start, end) in enumerate(pairwise(places)):
        part = tensors([x[start:end] for x in arrays], torch.float16 if half else None)
        if start < end:
            (metric if k % 2 else other).update(*part)
    metric.merge_state(other)
    rounded = [x.astype("float16").astype(x.dtype) if half and x.dtype.kind == "f" else x for x in arrays]
    assert_is(metric.compute(), expected(name, rounded), 1e-6)


def test_images_are_in_the_order_of_their_batches():
    arrays = tensors([HEAT, IMAGES])
    metric, other = (made("AUPIMOMetric", fpr_bounds=(0.01, 0.5)) for _ in range(2))
    for each, rows in ((metric, slice(7)), (other, slice(7, 8)), (other, slice(8, 30))):
        each.update(*[x[rows] for x in arrays])
    other.merge_state(metric)  # whose images come first then
    assert_is(other.compute(), expected("AUPIMOMetric", (HEAT, IMAGES), fpr_bounds=(0.01, 0.5)))
    assert other.state.score.shape == (IMAGES.sum(),)


@pytest.mark.parametrize("scores", ["exact", "histogram"])
def test_regions_and_saturations_go_by_name(scores):
    score, truth = tensors([HEAT, IMAGES])
    region = ak.label_regions(truth, connectivity=1)
    saturation = tensors([RNG.uniform(0.5, 4.0, int(region.max()))])[0]
    given_too = {"region": region, "saturation": saturation}
    metric = made("AUPROMetric", scores=scores, max_fpr=0.1)
    metric.update(score, truth, **given_too)
    assert_is(metric.compute(), (ak.aupro(truth, score, max_fpr=0.1, **given_too),))
    metric = made("PerRegionOverlapMetric")
    metric.update(score > 0.5, truth, **given_too)
    assert_is(metric.compute(), (ak.per_region_overlap(truth, score > 0.5, **given_too),))
    metric = made("RegionDetectionMetric", overlap=0.5)
    alarms = ak.label_regions(score > 0.5, connectivity=1)
    metric.update(score > 0.5, truth, region=region, decision_region=alarms)
    wanted = ak.region_detection(truth, score > 0.5, region=region, decision_region=alarms, overlap=0.5)
    assert_is(metric.compute(), wanted)
    metric.reset()
    metric.update(score > 0.5, truth, decision_region=alarms)
    assert metric.compute().regions < wanted.regions
    with pytest.raises(TypeError, match="`region` must be a tensor, got ndarray|`region` must be a tensor, got numpy"):
        metric.update(score > 0.5, truth, region=region.numpy())


def test_a_mean_is_that_of_the_batches():
    metric = made("ExplainedVarianceMetric")
    for row in ([0.5, 0.25], [0.3, 0.1]):
        metric.update(*tensors([np.asarray(row)]))
    np.testing.assert_allclose(metric.compute().cumulative, [0.4, 0.575])


def test_scores_are_optional_and_come_always_or_never():
    decision, truth, score = tensors(METRICS["AnomalyDetectionMetrics"][1])
    metric = made("AnomalyDetectionMetrics")
    metric.update(decision, truth)
    assert metric.compute().average_precision is None
    with pytest.raises(ValueError, match="`score` must be given with every batch or with none, got none before"):
        metric.update(decision, truth, score)
    metric.reset()
    metric.update(decision, truth, score=score)
    with pytest.raises(ValueError, match="got one before"):
        metric.update(decision, truth)


@EVERY
def test_forward_gives_the_batch_and_gathers_the_whole(name):
    arrays = METRICS[name][1]
    metric = made(name)
    half = [x[:15] for x in arrays] if name in POOLED else arrays
    assert_is(metric(*tensors(half)), expected(name, half))
    rest = [x[15:] for x in arrays] if name in POOLED else arrays
    assert_is(metric(*tensors(rest)), expected(name, rest))
    assert_is(metric.compute(), expected(name, arrays))
    metric.reset()
    metric.update(*tensors(rest))
    assert_is(metric.compute(), expected(name, rest))


@EVERY
def test_copies_go_on_from_where_they_were(name, tmp_path):
    import torch

    arrays = METRICS[name][1]
    metric = made(name)
    metric.update(*tensors(arrays))
    metric.persistent(mode=True)
    torch.save(metric.state_dict(), tmp_path / "state.pt")
    loaded = made(name)
    loaded.persistent(mode=True)
    loaded.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    loaded._update_count = 1  # torchmetrics does not save how often it was updated
    for other in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric)), metric.clone(), loaded):
        other.update(*tensors(arrays))
        doubled = [np.concatenate([x, x]) for x in arrays] if name in POOLED else arrays
        assert_is(other.compute(), expected(name, doubled))
    assert_is(metric.compute(), expected(name, arrays))


def test_a_collection_shares_batches():
    import torchmetrics

    decision, truth, score = tensors(METRICS["AnomalyDetectionMetrics"][1])
    collection = torchmetrics.MetricCollection(
        {"found": made("AnomalyDetectionMetrics"), "other": made("AnomalyDetectionMetrics", zero_division=0.5)}
    )
    for rows in (slice(15), slice(15, 30)):
        collection.update(decision[rows], truth[rows], score=score[rows])
    for found in collection.compute().values():
        assert_is(found, expected("AnomalyDetectionMetrics", METRICS["AnomalyDetectionMetrics"][1]))


def test_settings_are_those_of_the_function():
    truth = np.zeros(3, dtype=bool)
    metric = made("AnomalyDetectionMetrics", zero_division=0.25, sync_on_compute=False)
    metric.update(*tensors([truth, truth]))
    assert_is(metric.compute(), expected("AnomalyDetectionMetrics", [truth, truth], zero_division=0.25))
    assert repr(metric) == "AnomalyDetectionMetrics(zero_division=0.25, scores='exact')"
    weights = METRICS["SelectorEntropyMetric"][1]
    metric = made("SelectorEntropyMetric", eps=0.1)
    metric.update(*tensors(weights))
    assert_is(metric.compute(), expected("SelectorEntropyMetric", weights, eps=0.1))
    with pytest.raises(TypeError, match="AnomalyDetectionMetrics has no setting `zero_devision`; did you mean"):
        made("AnomalyDetectionMetrics", zero_devision=1.0)
    with pytest.raises(ValueError, match="`eps` must be >= 0"):
        made("SelectorEntropyMetric", eps=-1.0)


@pytest.mark.parametrize("where", [0, 1, 2])
def test_a_nan_makes_it_nan(where):
    arrays = [x.astype(float) for x in METRICS["AnomalyDetectionMetrics"][1]]
    arrays[where][7, 1] = np.nan
    metric = made("AnomalyDetectionMetrics")
    for rows in (slice(5), slice(5, 30)):
        metric.update(*tensors([x[rows] for x in arrays]))
    found = metric.compute()
    counted = [x.isnan() for x in found[:4]]
    assert all(counted) if where < 2 else not any(counted)  # scores are not counted, decisions are not ranked
    assert found.average_precision.isnan() == (where > 0)


def test_counters_stay_integers_whatever_the_dtype():
    import torch

    metric = made("AnomalyPixelStatisticsMetric").half().double().set_dtype(torch.float16)
    metric.update(*tensors([TRUTH]))
    assert metric.total.dtype == torch.int64
    assert metric.compute().anomaly_percentage.dtype == torch.float16
    assert metric.compute().total_pixels.dtype == torch.int64


def test_memory_is_that_of_distinct_scores():
    import torch

    metric = made("AnomalyDetectionMetrics")
    for seed in range(20):
        score = torch.as_tensor(np.random.default_rng(seed).integers(0, 50, 1000).astype("float32"))
        metric.update(score > 40, score > 45, score)
    assert sum(x.numel() for x in metric.scores_score) == 50
    with pytest.raises(ValueError, match="`score` must be real, or integers that float64 tells apart, below 9007"):
        metric.update(score > 40, score > 45, score.long() + 2**60)


def test_what_torchmetrics_asks_for():
    import anomaly_kernels.torch as akt

    for name in METRICS:
        kind = getattr(akt, name)
        assert name in akt.__all__ and name in dir(akt)
        assert (kind.full_state_update, kind.is_differentiable) == (False, False)
        better = dict.fromkeys(["AnomalyDetectionMetrics", *RANKING, *REGIONS, "AUPIMOMetric"], True)
        better["FPRAtTPRMetric"] = False
        assert kind.higher_is_better is better.get(name)
    with pytest.raises(AttributeError, match="has no attribute `RocAuc`"):
        akt.RocAuc  # noqa: B018


def test_torchmetrics_is_loaded_only_where_it_is_asked_for():
    code = """
    import sys, anomaly_kernels.torch
    assert "torchmetrics" not in sys.modules
    sys.modules["torchmetrics"] = None
    try:
        anomaly_kernels.torch.ScoreStatisticsMetric
    except ImportError as error:
        print(error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert (
        done.stdout.strip() == "`ScoreStatisticsMetric` needs torchmetrics: pip install 'anomaly-kernels[torchmetrics]'"
    )


def test_what_the_function_refuses_is_refused():
    with pytest.raises(TypeError, match="`scores` must be floating point, got dtype torch.int64"):
        made("ScoreStatisticsMetric").update(*tensors([np.arange(3)]))


@EVERY
def test_the_learner_interface(name, tmp_path):
    metric = made(name)
    assert name in metric.summary()
    metric.save(tmp_path / "metric.json")
    assert type(metric).load(tmp_path / "metric.json").get_params() == metric.get_params()


DISTRIBUTED = """
    import sys

    import numpy as np
    import torch
    import torch.distributed as dist
    import torch.multiprocessing as mp

    import anomaly_kernels as ak
    import anomaly_kernels.torch as akt

    def data():
        rng = np.random.default_rng(0)
        truth = torch.as_tensor(rng.random(50) < 0.3)
        score = torch.as_tensor(np.round(rng.normal(size=50) + truth.numpy(), 1))
        return truth, score

    def check(found, wanted):
        for x, y in zip(found, wanted, strict=True):
            assert (x is None) == (y is None)
            if x is not None:
                torch.testing.assert_close(x, y, rtol=1e-6, atol=1e-7, equal_nan=True, check_dtype=False)

    def work(rank, file):
        dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=2)
        truth, score = data()
        for shares in ([slice(0, 13), slice(13, 50)], [slice(0, 0), slice(0, 50)], [slice(0, 50), slice(0, 0)]):
            mine = shares[rank]
            metric = akt.AnomalyDetectionMetrics()
            statistics = akt.ScoreStatisticsMetric()
            variance = akt.ExplainedVarianceMetric()
            unscored = akt.AnomalyDetectionMetrics()
            bounded = akt.AnomalyDetectionMetrics(scores="histogram")
            best = [akt.BestF1Metric(scores=scores) for scores in ("exact", "histogram")]
            weight = torch.arange(50.0) / 3
            if mine.stop > mine.start:  # the other has seen nothing at all
                metric.update(score[mine] > 0, truth[mine], score[mine])
                statistics.update(score[mine])
                variance.update(torch.tensor([0.5, 0.25]))
                unscored.update(score[mine] > 0, truth[mine])
                bounded.update(score[mine] > 0, truth[mine], score[mine])
                for each in best:
                    each.update(score[mine], truth[mine], sample_weight=weight[mine])
            else:
                for each in (metric, statistics, variance, unscored, bounded, *best):
                    each._update_count = 1  # torchmetrics would warn that nothing was seen
            wanted = ak.anomaly_detection_metrics(truth, score > 0, score)
            check(metric.compute(), wanted)
            check(statistics.compute(), ak.score_statistics(score))
            check(variance.compute(), (torch.tensor([0.5, 0.25]), torch.tensor(0.75), torch.tensor([0.5, 0.75])))
            check(unscored.compute(), wanted._replace(average_precision=None))
            check(bounded.bounds().lower, wanted)  # few scores: each has a bucket of its own
            for each in best:
                check((each.compute(), each.threshold), ak.best_f1(truth, score, sample_weight=weight))
            if mine.stop > mine.start:
                metric.update(score[mine] > 0, truth[mine], score[mine])  # its own share again, after the others' left
                assert int(metric.counts_true) == 2 * int(truth[mine].sum())
        mixed = akt.AnomalyDetectionMetrics()
        mixed.update(truth, truth, score if rank else None)
        try:
            mixed.compute()
        except ValueError as error:
            assert "`score` must be given with every batch or with none" in str(error)
        else:
            raise AssertionError("mixed")
        metric = akt.ScoreStatisticsMetric()
        metric.update(torch.tensor([1.0, float("nan") if rank else 2.0]))
        assert all(x.isnan() for x in metric.compute())
        dist.destroy_process_group()

    if __name__ == "__main__":
        mp.spawn(work, (sys.argv[1],), nprocs=2)
        print("equal")
"""


def test_two_processes_give_the_numbers_of_one(tmp_path):
    script = tmp_path / "distributed.py"
    script.write_text(textwrap.dedent(DISTRIBUTED))
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "store")], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.strip() == "equal", done.stderr


def test_a_setting_that_is_a_tensor_comes_back_from_a_file_as_one(tmp_path):
    import torch

    metric = made("SelectorEntropyMetric", eps=torch.tensor(0.5))
    metric.save(tmp_path / "metric.json")
    again = type(metric).load(tmp_path / "metric.json")
    assert isinstance(again.eps, torch.Tensor)
    assert "0.5" in again.my_params


def test_the_hint_knows_the_keywords_of_torchmetrics():
    with pytest.raises(TypeError, match="no setting `compute_on_cpus`; did you mean `compute_on_cpu`"):
        made("SelectorEntropyMetric", compute_on_cpus=True)


def test_scores_come_with_every_batch_or_with_none_when_it_is_called_too():
    import torch

    truth, scores = torch.tensor([True, False]), torch.tensor([0.9, 0.1])
    for first, second in ((scores, None), (None, scores)):
        metric = made("AnomalyDetectionMetrics")
        metric(truth, truth, first)
        before = metric.compute()
        with pytest.raises(ValueError, match="`score` must be given with every batch or with none"):
            metric(truth, truth, second)
        assert metric.compute() == before
        metric(truth, truth, first)
        metric.reset()
        metric(truth, truth, second)


def test_a_batch_that_is_refused_or_empty_leaves_open_whether_there_are_scores():
    import torch

    truth, scores = torch.tensor([True, False]), torch.tensor([0.9, 0.1])
    metric = made("AnomalyDetectionMetrics")
    with pytest.raises(ValueError, match="shapes"):
        metric.update(truth, truth[:1])
    metric.update(truth, truth, scores)
    assert metric.compute().average_precision == 1.0
    metric = made("AnomalyDetectionMetrics")
    metric.update(truth[:0], truth[:0], scores[:0])
    metric.update(truth, truth, scores)
    assert metric.compute().average_precision == 1.0


KEEPS_SCORES = ("AnomalyDetectionMetrics", "ScoreStatisticsMetric", "AUPROMetric", *RANKING)
PIXELS = (SCORE > 0.5, TRUTH, SCORE)


def test_a_batch_costs_what_itself_costs():
    import torch

    metric = made("ScoreStatisticsMetric")
    for k in range(64):
        metric.update(torch.arange(100.0) + 100 * k)
        lengths = [len(x) for x in metric.scores_score]
        assert all(longer > 2 * shorter for longer, shorter in pairwise(lengths))
        assert sum(lengths) < 2 * 100 * (k + 1)
    longest = metric.scores_score[0]
    metric.update(torch.arange(100.0) - 100)
    assert metric.scores_score[0] is longest  # which no batch that is shorter touches
    metric(torch.arange(100.0) - 200)
    assert metric.scores_score[0] is longest


@pytest.mark.parametrize("name", KEEPS_SCORES)
def test_a_histogram_has_bounds_and_a_fixed_size(name):
    arrays = METRICS[name][1]
    metric, exact = made(name, scores="histogram"), made(name)
    size = sum(x.numel() for x in metric.metric_state.values())
    for rows in (slice(13), slice(13, 30)):
        metric(*tensors([x[rows] for x in arrays]))
        exact.update(*tensors([x[rows] for x in arrays]))
    assert sum(x.numel() for x in metric.metric_state.values()) <= size + 1
    value, lower, upper = (x if isinstance(x, tuple) else (x,) for x in metric.bounds())
    wanted = expected(name, arrays)
    assert_is(metric.compute(), value)
    assert all(a - 1e-6 <= x <= b + 1e-6 for a, x, b in zip(lower, wanted, upper, strict=True))
    assert_is(value, wanted, 2**-7)
    assert exact.bounds().lower == exact.bounds().upper == exact.compute()


def test_what_keeps_scores_is_one_of_two_and_stays():
    import torch

    with pytest.raises(ValueError, match="`scores` must be one of 'exact', 'histogram', got 'all'"):
        made("ScoreStatisticsMetric", scores="all")
    metric = made("ScoreStatisticsMetric", scores="histogram")
    with pytest.raises(ValueError, match="`scores` of a metric that is there cannot be changed, got 'exact'"):
        metric.set_params(scores="exact")
    exact = made("ScoreStatisticsMetric")
    exact.update(torch.ones(2))
    exact.persistent(mode=True)
    metric.persistent(mode=True)
    with pytest.raises(ValueError, match="`incoming_state` must be of a metric with the same settings"):
        metric.merge_state(exact)
    with pytest.raises(RuntimeError, match="the state of ScoreStatisticsMetric has other settings"):
        metric.load_state_dict(exact.state_dict())
    metric.update(torch.ones(2))
    assert metric.compute().mean == 1.0


@pytest.mark.parametrize(
    ("name", "arrays", "message"),
    [
        ("AnomalyDetectionMetrics", (TRUTH, None, SCORE), "`target` must be a tensor, got NoneType"),
        ("AnomalyDetectionMetrics", ([True], [True]), "`target` must be a tensor, got list"),
        ("AnomalyDetectionMetrics", (TRUTH, TRUTH, [0.5]), "`score` must be a tensor, got list"),
        ("AnomalyDetectionMetrics", (TRUTH, TRUTH, SCORE + 0j), "`score` must be real, got dtype torch.complex128"),
        ("AnomalyDetectionMetrics", (TRUTH, TRUTH[:2]), "`target` and `decision` must have equal shapes"),
        ("AnomalyDetectionMetrics", (TRUTH, TRUTH, SCORE[:2]), "`target` and `score` must have equal shapes"),
        ("AnomalyPixelStatisticsMetric", (None,), "`decision` must be a tensor, got NoneType"),
        ("ScoreStatisticsMetric", ([1.0],), "`scores` must be a tensor, got list"),
        ("SelectorEntropyMetric", (SCORE + 0j,), "`weights` must be real, got dtype torch.complex128"),
    ],
)
def test_a_batch_that_is_refused_leaves_no_trace(name, arrays, message):
    import torch

    refused = [torch.as_tensor(x) if isinstance(x, np.ndarray) else x for x in arrays]
    metric, fresh = made(name), made(name)
    metric.update(*tensors(METRICS[name][1]))
    before = expected(name, METRICS[name][1])
    for each, seen in ((metric, 1), (fresh, 0)):
        for take in (each.update, each):
            with pytest.raises((TypeError, ValueError), match=message):
                take(*refused)
            assert each.update_count == seen
    fresh.update(*tensors(METRICS[name][1]))
    assert_is(metric.compute(), before)
    assert_is(fresh.compute(), before)


@pytest.mark.parametrize("first", [True, False])
def test_batches_with_scores_and_without_are_never_mixed(first):
    metric, other, loaded = (made("AnomalyDetectionMetrics") for _ in range(3))
    with_scores, without = tensors(PIXELS), tensors(PIXELS[:2])
    mine, theirs = (with_scores, without) if first else (without, with_scores)
    metric.update(*mine)
    other.update(*theirs)
    before = metric.compute()
    message = "`score` must be given with every batch or with none"
    with pytest.raises(ValueError, match=message):
        metric.merge_state(other)
    with pytest.raises(ValueError, match=message):
        metric.merge_state(other.metric_state)
    metric.persistent(mode=True)
    loaded.load_state_dict(metric.state_dict())
    for copied in (metric, loaded, copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        for take in (copied.update, copied):
            with pytest.raises(ValueError, match=message):
                take(*theirs)
        assert_is(copied.compute(), before)
    metric.merge_state(made("AnomalyDetectionMetrics"))
    assert_is(metric.compute(), before)


def test_what_is_merged_or_loaded_is_not_answered_from_the_cache():
    import torch

    metric, other = made("AnomalyPixelStatisticsMetric"), made("AnomalyPixelStatisticsMetric")
    metric.update(torch.tensor([True]))
    other.update(torch.tensor([False, False]))
    assert metric.compute().total_pixels == 1
    other.persistent(mode=True)
    metric.merge_state(other)
    assert metric.compute().total_pixels == 3
    metric.load_state_dict(other.state_dict())
    assert metric.compute().total_pixels == 2


def test_states_that_a_subclass_adds_are_those_of_torchmetrics():
    import torch

    import anomaly_kernels.torch as akt

    class Counted(akt.AnomalyDetectionMetrics):
        def __init__(self, **options):
            super().__init__(**options)
            self.add_state("batches", torch.tensor(0), dist_reduce_fx="sum")
            self.add_state("sizes", [], dist_reduce_fx="cat")

        def update(self, preds, target):
            self.batches += 1
            self.sizes.append(torch.tensor([target.numel()]))
            super().update(preds > 0.5, target, preds)

        def compute(self):
            return {
                "ap": super().compute().average_precision,
                "batches": self.batches,
                "sizes": torch.stack(self.sizes),
            }

    truth, score = tensors((TRUTH, SCORE))
    metric = Counted()
    assert metric(score, truth)["batches"] == 1
    metric.update(score, truth)
    with pytest.raises(ValueError, match="must have equal shapes"):
        metric(score, truth[:2])
    assert (metric.compute()["batches"], len(metric.compute()["sizes"])) == (2, 2)
    other = metric.clone()
    other.merge_state(metric)
    assert (other.compute()["batches"], len(other.compute()["sizes"])) == (4, 4)
    np.testing.assert_allclose(other.compute()["ap"], metric.compute()["ap"])


@EVERY
def test_results_are_plotted(name):
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib import pyplot as plt

    metric = made(name)
    metric.update(*tensors(METRICS[name][1]))
    for val in (None, [metric.compute()] * 2):
        figure, axes = metric.plot(val)
        assert axes.lines
        plt.close(figure)


def test_a_plot_says_that_it_needs_matplotlib(monkeypatch):
    monkeypatch.setattr("torchmetrics.utilities.plot._MATPLOTLIB_AVAILABLE", False)
    metric = made("SelectorEntropyMetric")
    metric.update(*tensors(METRICS["SelectorEntropyMetric"][1]))
    with pytest.raises(ModuleNotFoundError, match="`matplotlib` to be installed"):
        metric.plot()


def test_a_dtype_of_torch_is_that_of_results_alone():
    import torch

    metric = made("AnomalyDetectionMetrics").to(torch.float16).set_dtype("torch.HalfTensor")
    metric.update(*tensors(PIXELS))
    assert metric.scores_score[0].dtype == torch.float64
    assert metric.compute().average_precision.dtype == torch.float16
    with pytest.raises(ValueError, match="`dst_type` must be floating point, got torch.int32"):
        metric.set_dtype(torch.int32)


def test_the_wrappers_of_torchmetrics_take_them():
    import torchmetrics
    from torchmetrics.wrappers import BootStrapper, ClasswiseWrapper, MetricTracker, MinMaxMetric

    (weights,), pixels = tensors(METRICS["SelectorEntropyMetric"][1]), tensors(PIXELS)
    tracker = MetricTracker(made("SelectorEntropyMetric"), maximize=True)
    tracker.increment()
    bootstrap = BootStrapper(made("SelectorEntropyMetric"), num_bootstraps=2)
    for metric in (MinMaxMetric(made("SelectorEntropyMetric")), bootstrap, tracker):
        metric.update(weights)
        metric.compute()
    entropy, detections = made("SelectorEntropyMetric"), made("AnomalyDetectionMetrics")
    doubled, precision = entropy * 2, detections[0]
    doubled.update(weights)
    assert doubled.compute() == 2 * entropy.compute()
    precision.update(*pixels)
    assert precision.compute() == detections.compute().precision
    classwise = ClasswiseWrapper(made("AnomalyPixelStatisticsMetric"), labels=["all", "anomalous", "share"])
    classwise.update(pixels[1])
    assert classwise.compute()["anomalypixelstatisticsmetric_all"] == TRUTH.size
    collection = torchmetrics.MetricCollection(
        {"exact": made("AnomalyDetectionMetrics"), "bounded": made("AnomalyDetectionMetrics", scores="histogram")}
    )
    for copied in (collection, pickle.loads(pickle.dumps(collection)), collection.clone(prefix="copied_")):
        copied.reset()
        copied(*tensors([x[:9] for x in PIXELS]))
        copied.update(*tensors([x[9:] for x in PIXELS]))
        for result in copied.compute().values():
            assert_is(result, expected("AnomalyDetectionMetrics", PIXELS), 2**-7)


def test_a_collection_tells_settings_apart_that_are_in_the_state():
    import torch
    import torchmetrics

    collection = torchmetrics.MetricCollection(
        {"small": made("SelectorEntropyMetric", eps=0.001), "other": made("SelectorEntropyMetric", eps=0.5)}
    )
    alone = made("SelectorEntropyMetric", eps=0.5)
    for weights in (torch.zeros(2), torch.tensor([0.3, 0.9])):
        collection.update(weights)
        alone.update(weights)
    assert collection.compute()["other"] == alone.compute()


@pytest.mark.parametrize("scores", ["exact", "histogram"])
@pytest.mark.parametrize("name", RANKING)
def test_samples_have_weights(name, scores):
    weight = RNG.integers(0, 4, SCORE.shape) / 3
    first, second = slice(0, 11), slice(11, 30)
    metric, mixed, other = (made(name, scores=scores) for _ in range(3))
    for rows in (first, second):
        score, truth, counts = tensors([x[rows] for x in (SCORE, TRUTH, weight)])
        metric.update(score, truth, sample_weight=counts)
    assert_is(metric.compute(), expected(name, (SCORE, TRUTH), sample_weight=tensors([weight])[0]))
    weight[first] = 1.0
    mixed.update(*tensors([x[first] for x in (SCORE, TRUTH)]))
    other.update(*tensors([x[second] for x in (SCORE, TRUTH)]), sample_weight=tensors([weight[second]])[0])
    mixed.merge_state(other)
    assert_is(mixed.compute(), expected(name, (SCORE, TRUTH), sample_weight=tensors([weight])[0]))
    with pytest.raises(ValueError, match="`sample_weight` must be >= 0, got -1"):
        metric.update(*tensors([SCORE, TRUTH]), sample_weight=-tensors([np.ones(SCORE.shape)])[0])


@pytest.mark.parametrize("scores", ["exact", "histogram"])
def test_the_threshold_of_the_best_f1_score_is_one_of_the_scores_as_it_is(scores):
    import torch

    import anomaly_kernels.torch as akt

    metric = akt.BestF1Metric(scores=scores)
    assert metric.threshold.isnan()  # of no scores
    score, truth = tensors([SCORE + 1e-9, TRUTH])  # which float32, the dtype of results, rounds
    metric.update(score, truth)
    assert metric.compute().dtype == torch.float32
    assert metric.threshold == ak.best_f1(truth, score).threshold
    found = ak.anomaly_detection_metrics(truth, score >= metric.threshold).f1_score
    np.testing.assert_allclose(found, metric.compute(), rtol=1e-6)
    metric.update(torch.full((2,), torch.nan), torch.tensor([True, False]))
    assert metric.compute().isnan() and metric.threshold.isnan()


@pytest.mark.parametrize("name", POINTS)
def test_an_operating_point_has_a_threshold_that_is_one_of_the_scores_as_it_is(name):
    import torch

    import anomaly_kernels.torch as akt

    setting = "recall" if "Recall" in name else "precision"
    metric = getattr(akt, name)(**{setting: 0.4})
    score, truth = tensors([SCORE + 1e-9, TRUTH])  # which float32, the dtype of results, rounds
    weight = torch.arange(120).reshape(30, 4) % 3
    for rows in (slice(13), slice(13, 30)):
        metric.update(score[rows], truth[rows], sample_weight=weight[rows])
    point, wanted = metric.compute(), POINTS[name](truth, score, **{setting: 0.4}, sample_weight=weight)
    assert type(point) is type(wanted)
    assert (point.threshold.dtype, point.precision.dtype) == (torch.float64, torch.float32)
    assert point.threshold == wanted.threshold
    alarms, found = weight[score >= point.threshold].sum(), weight[truth & (score >= point.threshold)].sum()
    np.testing.assert_allclose([point.precision, point.recall], [found / alarms, found / weight[truth].sum()], 1e-6)
    assert getattr(point, setting) >= 0.4
    assert metric.bounds() == (point, point, point)
    metric.update(torch.full((2,), torch.nan), torch.tensor([True, False]))
    assert all(x.isnan() for x in metric.compute())


@pytest.mark.parametrize(
    ("name", "settings", "kind", "message"),
    [
        ("ThresholdAtRecallMetric", {"recall": 0.0}, ValueError, "`recall` must be > 0 and <= 1, got 0.0"),
        ("ThresholdAtPrecisionMetric", {"precision": 2}, ValueError, "`precision` must be > 0 and <= 1, got 2"),
        ("ThresholdAtRecallMetric", {"scores": "histogram"}, ValueError, "`scores` must be 'exact' for an operating"),
        ("ROCAUCMetric", {"max_fpr": 0.0}, ValueError, "`max_fpr` must be > 0 and <= 1, got 0.0"),
        ("ROCAUCMetric", {"max_fpr": "all"}, TypeError, "`max_fpr` must be a number or a 0-d array, got str"),
        ("FPRAtTPRMetric", {"tpr": 1.5}, ValueError, "`tpr` must be > 0 and <= 1, got 1.5"),
        ("PrecisionAtKMetric", {"k": 0}, ValueError, "`k` must be >= 1, got 0"),
        ("PrecisionAtKMetric", {"k": 2.5}, TypeError, "`k` must be an integer, got float"),
        ("BestF1Metric", {"scores": "bins"}, ValueError, "`scores` must be one of 'exact', 'histogram', got 'bins'"),
        ("AveragePrecisionMetric", {"axis": 0}, TypeError, "AveragePrecisionMetric has no setting `axis`"),
    ],
)
def test_settings_of_single_numbers_are_refused_as_the_functions_do(name, settings, kind, message):
    with pytest.raises(kind, match=message):
        made(name, **settings)
    if not settings.keys() & {"axis", "scores"}:
        with pytest.raises(kind, match=message):
            METRICS[name][0](TRUTH, SCORE, **settings)


def test_single_numbers_are_what_torchmetrics_asks_for():
    import torch
    import torchmetrics
    from torchmetrics.wrappers import BootStrapper, MetricTracker, MinMaxMetric

    score, truth = tensors([SCORE, TRUTH])
    settings = {"PrecisionAtKMetric": {"k": 3}, "FPRAtTPRMetric": {"tpr": 0.5}, "ROCAUCMetric": {"max_fpr": 0.1}}
    metrics = {name: made(name) for name in RANKING}
    metrics |= {f"other {name}": made(name, **own) for name, own in settings.items()}
    collection = torchmetrics.MetricCollection(metrics)
    for rows in (slice(9), slice(9, 30)):
        collection.update(score[rows], truth[rows])
    assert list(collection.compute_groups.values()) == [list(collection.keys())]  # one state serves all
    for name, value in collection.compute().items():
        own = settings[name.removeprefix("other ")] if name.startswith("other ") else {}
        assert value.shape == ()
        assert_is(value, expected(name.removeprefix("other "), (SCORE, TRUTH), **own))
    tracker = MetricTracker(made("AveragePrecisionMetric"))
    for quality in (-1.0, 1.0):
        tracker.increment()
        tracker.update(quality * score, truth)
    assert tracker.best_metric(return_step=True)[1] == 1
    extremes = MinMaxMetric(made("AveragePrecisionMetric"))
    extremes.update(score, truth)
    assert extremes.compute()["max"] == extremes.compute()["raw"]
    bootstrap = BootStrapper(made("ROCAUCMetric"), num_bootstraps=3)
    bootstrap.update(score.flatten(), truth.flatten())
    assert torch.isfinite(bootstrap.compute()["std"])
