"""Targets, decisions and weights that cannot be meant are refused where they can be looked at, in every library."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import anomaly_kernels as ak
from anomaly_kernels import streaming

TRUTH = np.asarray([True, False, True, False, False])
SCORE = np.asarray([0.9, 0.1, 0.8, 0.3, 0.2])
SIGNS = np.where(TRUTH, 1, -1)
RANKINGS = {
    "average_precision": ak.average_precision,
    "aupr_trapezoid": ak.aupr_trapezoid,
    "roc_auc": ak.roc_auc,
    "best_f1": ak.best_f1,
    "fpr_at_tpr": ak.fpr_at_tpr,
    "precision_at_k": partial(ak.precision_at_k, k=2),
    "precision_recall_curve": ak.precision_recall_curve,
    "roc_curve": ak.roc_curve,
    "UniqueScores": streaming.UniqueScores.of,
    "ScoreHistogram": lambda y, s, **weights: streaming.ScoreHistogram.empty(s).of(y, s, **weights),
}
DECISIONS = {
    "anomaly_detection_metrics": ak.anomaly_detection_metrics,
    "DetectionCounts": streaming.DetectionCounts.of,
    "Detections": lambda y, d: streaming.Detections.empty(y).of(y, d),
    "anomaly_pixel_statistics": lambda _, d: ak.anomaly_pixel_statistics(d),
    "PixelCounts": lambda _, d: streaming.PixelCounts.of(d),
}
LOSSES = {"iou_loss": ak.iou_loss, "anomaly_bce_with_logits": ak.anomaly_bce_with_logits}


@pytest.fixture
def eager(driver):
    if driver.name == "dask":
        pytest.skip("lazy: its numbers are not looked at")
    return driver


def numbers(driver, result):
    """The numbers of a result, a tuple of 0-d arrays perhaps."""
    if isinstance(result, tuple):
        return [numbers(driver, x) for x in result if x is not None]
    return float(driver.numpy(result))


@pytest.mark.parametrize("dtype", ["int64", "int8", "float64", "float32"])
@pytest.mark.parametrize("name", RANKINGS)
def test_labels_of_minus_one_and_one_are_no_targets(eager, name, dtype):
    arrays = eager.array(SIGNS.astype(dtype)), eager.array(SCORE)
    with pytest.raises(
        ValueError, match=r"^`target` must be .* 0 means normal, got -1.*: use `target > 0`, or `target < 0` if"
    ):
        RANKINGS[name](*arrays)


@pytest.mark.parametrize("name", RANKINGS)
def test_scores_are_no_targets(eager, name):
    with pytest.raises(ValueError, match=r"^`target` must be .*, got 0\.9: arguments swapped, or soft labels"):
        RANKINGS[name](eager.array(SCORE), eager.array(TRUTH.astype(int)))


@pytest.mark.parametrize("name", RANKINGS)
def test_truth_values_are_no_scores_even_where_nothing_can_be_looked_at(driver, name):
    with pytest.raises(TypeError, match=r"^`score` must be real or integer, got dtype bool: arguments swapped\?$"):
        RANKINGS[name](driver.array(TRUTH), driver.array(TRUTH))


def test_metrics_of_decisions_refuse_truth_values_for_scores(driver):
    truth = driver.array(TRUTH)
    with pytest.raises(TypeError, match="^`score` must be real or integer, got dtype bool"):
        ak.anomaly_detection_metrics(truth, truth, truth)


@pytest.mark.parametrize("name", [name for name in RANKINGS if "curve" not in name and name[0].islower()])
def test_masks_of_0_and_255_and_floating_ones_rank_as_truth_values_do(driver, name):
    expected = numbers(driver, RANKINGS[name](driver.array(TRUTH), driver.array(SCORE)))
    for mask in (TRUTH.astype(np.uint8) * 255, TRUTH.astype(float), TRUTH * 7.0):
        assert numbers(driver, RANKINGS[name](driver.array(mask), driver.array(SCORE))) == expected


@pytest.mark.parametrize("name", DECISIONS)
def test_scores_are_no_decisions(eager, name):
    with pytest.raises(ValueError, match=r"^`decision` must be .*, got 0\.9: scores given for decisions\?"):
        DECISIONS[name](eager.array(TRUTH), eager.array(SCORE))


@pytest.mark.parametrize("name", DECISIONS)
def test_labels_of_minus_one_and_one_are_no_decisions(eager, name):
    for dtype in ("int32", "float32"):
        with pytest.raises(ValueError, match=r"^`decision` must be .* got -1"):
            DECISIONS[name](eager.array(TRUTH), eager.array(SIGNS.astype(dtype)))


@pytest.mark.parametrize("name", DECISIONS)
def test_masks_of_0_and_255_and_of_0_and_1_are_decisions(driver, name):
    expected = numbers(driver, DECISIONS[name](driver.array(TRUTH), driver.array(TRUTH)))
    for mask in (TRUTH.astype(np.uint8) * 255, TRUTH.astype("float32"), TRUTH.astype(int)):
        assert numbers(driver, DECISIONS[name](driver.array(TRUTH), driver.array(mask))) == expected


@pytest.mark.parametrize("name", LOSSES)
def test_integer_targets_of_losses_are_0_or_1(eager, name):
    mask = TRUTH.astype(np.uint8)
    expected = numbers(eager, LOSSES[name](eager.array(TRUTH), eager.array(SCORE)))
    for dtype in ("uint8", "int32", "int64", "float32"):
        assert numbers(eager, LOSSES[name](eager.array(mask.astype(dtype)), eager.array(SCORE))) == expected
    for target, wrong in ((mask * 255, "255"), (SIGNS, "-1"), (mask * 2, "2")):
        message = f"^`target` must be 0 or 1 where it is of integers, got {wrong}: use `target > 0`$"
        with pytest.raises(ValueError, match=message):
            LOSSES[name](eager.array(target), eager.array(SCORE))


def test_in_masks_of_the_lovasz_hinge_0_alone_is_normal(eager):
    expected = numbers(eager, ak.lovasz_hinge_loss(eager.array(TRUTH), eager.array(SCORE)))
    for mask in (TRUTH.astype(np.uint8) * 255, TRUTH * 7, TRUTH * 255.0):
        assert numbers(eager, ak.lovasz_hinge_loss(eager.array(mask), eager.array(SCORE))) == expected
    with pytest.raises(ValueError, match=r"^`target` must be .* got -1: use `target > 0`, or `target < 0` if"):
        ak.lovasz_hinge_loss(eager.array(SIGNS), eager.array(SCORE))


@pytest.mark.parametrize("name", [*LOSSES])
def test_soft_labels_are_targets_of_losses(driver, name):
    assert np.isfinite(driver.numpy(LOSSES[name](driver.array(SCORE), driver.array(SCORE))))


@pytest.mark.parametrize("name", [name for name in RANKINGS if name[0].islower()])
def test_what_is_unknown_stays_unknown(driver, name):
    target = np.where(TRUTH, 1.0, np.nan)
    if "curve" in name and driver.name == "dask":
        pytest.skip("has no curves")
    result = RANKINGS[name](driver.array(target), driver.array(SCORE))
    for x in result if isinstance(result, tuple) else [result]:
        assert np.isnan(driver.numpy(x)).all()


@pytest.mark.parametrize("name", RANKINGS)
def test_no_sample_weighs_less_than_nothing(eager, name):
    weight = eager.array(np.asarray([1.0, -0.5, 1.0, 0.0, 1.0]))
    with pytest.raises(ValueError, match=r"^`sample_weight` must be >= 0, got -0\.5$"):
        RANKINGS[name](eager.array(TRUTH), eager.array(SCORE), sample_weight=weight)


def test_no_decision_weighs_less_than_nothing(eager):
    arrays = (eager.array(x) for x in (TRUTH, TRUTH, np.asarray([1, -2, 1, 0, 1])))
    with pytest.raises(ValueError, match=r"^`sample_weight` must be >= 0, got -2$"):
        streaming.DetectionCounts.of(*arrays)


def test_compiled_metrics_look_at_nothing(driver):
    if "jit" not in driver.can:
        pytest.skip("compiles nothing")
    compiled = driver.jit(lambda arrays: ak.roc_auc(arrays["y"], arrays["s"]))
    assert np.isnan(driver.numpy(compiled({"y": driver.array(SIGNS), "s": driver.array(SCORE)})))  # all are positives


@pytest.mark.library("torch")
def test_what_torch_follows_is_not_looked_at():
    import torch

    signs, score = torch.asarray(np.stack([SIGNS, SIGNS])), torch.asarray(np.stack([SCORE, SCORE]))
    assert torch.func.vmap(ak.roc_auc)(signs, score).isnan().all()
    with torch.device("meta"):
        assert ak.anomaly_bce_with_logits(torch.full((3,), 255), torch.zeros(3)).is_meta


@pytest.mark.library("torch")
def test_a_sign_that_is_only_marked_counts():
    import torch

    score = torch.complex(torch.zeros(5, dtype=torch.float64), -torch.asarray(SCORE)).conj().imag
    assert score.is_neg()
    for name, metric in RANKINGS.items():
        if name[0].islower():
            expected, result = (metric(torch.asarray(TRUTH), x) for x in (torch.asarray(SCORE), score))
            for x, y in zip(torch.atleast_1d(result), torch.atleast_1d(expected), strict=True):
                torch.testing.assert_close(x, y)
    torch.testing.assert_close(ak.score_statistics(score), ak.score_statistics(torch.asarray(SCORE)))


def test_times_are_no_numbers():
    with pytest.raises(TypeError, match="^`smooth` must be a number or a 0-d array"):
        ak.iou_loss(TRUTH, SCORE, smooth=np.timedelta64(1))
    with pytest.raises(TypeError, match="`k` must be an integer"):
        ak.precision_at_k(TRUTH, SCORE, k=np.timedelta64(1))


def test_what_is_no_array_is_told_how_to_become_one():
    class Series(list):
        def to_numpy(self):
            return np.asarray(self)

    with pytest.raises(TypeError, match=r"got `target`: list, `score`: list: use `np\.asarray`$"):
        ak.roc_auc([1, 0], [0.2, 0.1])
    with pytest.raises(TypeError, match=r": use `\.to_numpy\(\)`$"):
        ak.roc_auc(Series([1, 0]), Series([0.2, 0.1]))


def test_types_that_are_no_arrays_are_not_remembered():
    from anomaly_kernels._core import namespace

    before = len(namespace._BY_TYPE)
    for k in range(10):
        with pytest.raises(TypeError, match="arrays of one library"):
            ak.roc_auc(type(f"Odd{k}", (), {})(), SCORE)
    assert len(namespace._BY_TYPE) == before


@pytest.mark.library("jax")
def test_functions_of_jax_look_before_they_compile(driver):
    import jax

    import anomaly_kernels.jax as akj

    signs, scores = driver.array(SIGNS), driver.array(SCORE)
    for refuse, given in [
        (akj.average_precision, (signs, scores)),
        (akj.roc_auc, (scores, driver.array(TRUTH))),
        (akj.anomaly_detection_metrics, (driver.array(TRUTH), scores)),
        (akj.iou_loss, (driver.array(np.where(TRUTH, 255, 0).astype(np.uint8)), scores)),
    ]:
        with pytest.raises(ValueError, match="^`(target|decision)` must be"):
            refuse(*given)
    with pytest.raises(ValueError, match="^`sample_weight` must be >= 0, got -1"):
        akj.roc_auc(driver.array(TRUTH), score=scores, sample_weight=driver.array(SIGNS.astype(float)))
    assert float(jax.jit(akj.average_precision)(driver.array(TRUTH), scores)) == 1.0  # traced: out of sight


@pytest.mark.library("jax")
@pytest.mark.parametrize("dtype", ["int4", "uint2"])
def test_integers_of_4_bits_and_less_are_integers(dtype):
    import jax
    import jax.numpy as jnp

    truth, score = jnp.asarray(TRUTH), jnp.asarray(SCORE)
    mask, most = truth.astype(dtype), int(jnp.iinfo(dtype).max)
    for rank in RANKINGS.values():
        for found, expected in zip(*(jax.tree.leaves(rank(y, score)) for y in (mask, truth)), strict=True):
            np.testing.assert_array_equal(found, expected)
    for decide in DECISIONS.values():
        assert decide(truth, mask) == decide(truth, most * mask) == decide(truth, truth)
    wrong = (truth * (-1 if dtype[0] == "i" else most)).astype(dtype)
    for loss in LOSSES.values():
        assert loss(mask, score) == loss(truth, score)
        with pytest.raises(ValueError, match=r"^`target` must be 0 or 1 where it is of integers, got (-1|3|15): use"):
            loss(wrong, score)
    if dtype[0] == "i":
        with pytest.raises(ValueError, match="^`decision` must be .*, got -1: use `decision > 0`"):
            ak.anomaly_pixel_statistics(wrong)
        with pytest.raises(ValueError, match="^`target` must be .*, got -1: use `target > 0`"):
            ak.roc_auc(wrong, score)
    states = [streaming.UniqueScores.of(truth[part], mask[part]) for part in (slice(2), slice(2, 5))]
    merged = states[0].merge(states[1]).compute(ak.best_f1)  # joined as they are they would abort the process
    assert (merged.value, merged.threshold) == (1.0, 1)
    best = ak.best_f1(truth, mask)
    assert (best.value, int(best.threshold), best.threshold.dtype) == (1.0, 1, dtype)
