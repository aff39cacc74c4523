"""Metrics of regions, against plain loops over their definitions, SciPy's labels and scikit-learn's weighted ROC."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import scipy.ndimage
from drawing import drawn
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sklearn_metrics

import anomaly_kernels as ak
from anomaly_kernels import streaming
from anomaly_kernels._classes.metric_states import leaves
from anomaly_kernels.streaming._runs import ScoreRuns

SHAPE = (3, 4, 5)  # of scenes: one for all, since JAX compiles each anew
SCORES = st.sampled_from([-np.inf, -2.0, -0.0, 0.0, 0.5, 1.0, 3.0e38, np.inf])  # few, so that there are ties
SCENES = st.tuples(
    hnp.arrays(np.bool_, SHAPE, elements=st.integers(0, 3).map(lambda n: n == 0), fill=st.nothing()),
    hnp.arrays(np.float64, SHAPE, elements=SCORES, fill=st.nothing()),
)


def scene(seed, shape=(6, 16, 18), images=4, ties=None):
    """Boxes in some of the images, and scores that are higher there."""
    rng = np.random.default_rng(seed)
    target = np.zeros(shape, bool)
    for image in target[:images]:
        for _ in range(3):
            corner = [rng.integers(0, n - 2) for n in shape[1:]]
            image[tuple(slice(k, k + rng.integers(1, 6)) for k in corner)] = True
    score = rng.normal(size=shape) + target
    return target, score if ties is None else np.round(score, ties)


# ---- the definitions, in loops


def flood(mask, axes, connectivity):
    """Labels by a flood fill from each pixel that has none yet, row by row."""
    numbers, found = np.zeros(mask.shape, int), 0
    steps = [
        step
        for step in product((-1, 0, 1), repeat=mask.ndim)
        if 0 < np.abs(step).sum() <= connectivity and all(step[k] == 0 for k in range(mask.ndim) if k not in axes)
    ]
    for start in np.ndindex(mask.shape):
        if not mask[start] or numbers[start]:
            continue
        found += 1
        numbers[start], left = found, [start]
        while left:
            here = left.pop()
            for step in steps:
                there = tuple(np.add(here, step).tolist())
                inside = all(0 <= k < n for k, n in zip(there, mask.shape, strict=True))
                if inside and mask[there] and not numbers[there]:
                    numbers[there] = found
                    left.append(there)
    return numbers


def pixels_of(target, region=None):
    """The places of the pixels of each region, by its number."""
    region = flood(target, (1, 2), 2) if region is None else region
    return {int(k): np.nonzero(target & (region == k)) for k in np.unique(region[target])}


def enough_of(regions, saturation):
    """S of each region."""
    sizes = {k: len(places[0]) for k, places in regions.items()}
    return {k: Fraction(n if saturation is None else min(saturation[k - 1], n)) for k, n in sizes.items()}


def exact_overlap(target, decision, region=None, saturation=None):
    regions = pixels_of(target, region)
    enough = enough_of(regions, saturation)
    shares = [min(int(decision[places].sum()) / enough[k], 1) for k, places in regions.items()]
    return sum(shares) / len(shares) if shares else math.nan


def exact_aupro(target, score, region=None, saturation=None, max_fpr=0.3):
    """The curve from threshold to threshold, cut at the limit, trapezoid by trapezoid."""
    if target.all() or not target.any():
        return math.nan
    normal, limit = score[~target], Fraction(max_fpr)
    area, x, y = Fraction(0), Fraction(0), Fraction(0)
    for threshold in sorted(set(score.ravel().tolist()), reverse=True):
        right = Fraction(int((normal >= threshold).sum()), normal.size)
        top = exact_overlap(target, score >= threshold, region, saturation)
        if right > limit >= x:
            top, right = y + (top - y) * (limit - x) / (right - x), limit
        if x < limit:
            area += (right - x) * (y + top) / 2
        x, y = right, top
    return float(area / limit)


def exact_detection(target, decision, region=None, decision_region=None, overlap=0.0):
    regions, alarms = pixels_of(target, region), pixels_of(decision, decision_region)
    found = false = 0
    for places in regions.values():
        hits = int(decision[places].sum())
        found += hits > 0 and hits >= overlap * len(places[0])
    for places in alarms.values():
        false += not target[places].any()
    below = 2 * found + false + len(regions) - found
    return len(regions), found, len(alarms), false, 2 * found / below if below else 0.0


def exact_aupimo(target, score, fpr_bounds=(1e-5, 1e-4)):
    """Along the pieces of each image's curve, T = T₀ + m (z - F₀), the integral of T/z."""
    normal = score[~target.any(axis=(1, 2))].ravel()
    low, high = fpr_bounds
    results = []
    for truth, image in zip(target, score, strict=True):
        if not truth.any() or not normal.size:
            results.append(math.nan)
            continue
        area, before, height = 0.0, 0.0, 0.0
        for threshold in sorted({*normal.tolist(), *image[truth].tolist()}, reverse=True):
            rate, found = float((normal >= threshold).mean()), float((image[truth] >= threshold).mean())
            start, end = max(before, low), min(rate, high)
            if start < end:
                slope = (found - height) / (rate - before)
                area += (height - slope * before) * math.log(end / start) + slope * (end - start)
            before, height = rate, found
        results.append(area / math.log(high / low))
    return np.asarray(results)


def call(driver, function, *arrays, **settings):
    """The result of arrays of NumPy, as NumPy's."""
    arrays = [driver.array(x) for x in arrays]
    named = {k: driver.array(x) if isinstance(x, np.ndarray) else x for k, x in settings.items()}
    result = function(*arrays, **named)
    return [driver.numpy(x) for x in result] if isinstance(result, tuple) else driver.numpy(result)


# ---- labels


@given(data=st.data(), ndim=st.integers(1, 4))
def test_labels_are_those_of_a_flood_fill(driver, data, ndim):
    shape = data.draw(st.tuples(*[st.integers(1, 5)] * ndim))
    target = data.draw(hnp.arrays(np.bool_, shape, fill=st.nothing()))
    axes = data.draw(st.lists(st.integers(0, ndim - 1), min_size=1, max_size=ndim, unique=True))
    connectivity = data.draw(st.integers(1, len(axes)))
    found = call(driver, ak.label_regions, target, axis=tuple(axes), connectivity=connectivity)
    np.testing.assert_array_equal(found, flood(target, axes, connectivity))


def test_by_default_all_axes_but_the_first_are_those_of_an_image(driver):
    target = np.random.default_rng(0).random((3, 4, 4, 4)) < 0.2
    found = call(driver, ak.label_regions, target)
    np.testing.assert_array_equal(found, call(driver, ak.label_regions, target, axis=(1, 2, 3), connectivity=3))
    assert found.max() < call(driver, ak.label_regions, target, connectivity=1).max()
    np.testing.assert_array_equal(call(driver, ak.label_regions, target * np.uint8(255)), found)
    np.testing.assert_array_equal(call(driver, ak.label_regions, target * -0.5), found)


def spiral(n):
    """A path of one pixel's width to the middle, which needs as many steps as it has pixels."""
    mask, (y, x), (dy, dx) = np.zeros((n, n), bool), (0, 0), (0, 1)
    mask[0, 0] = True
    for _ in range(n * n):
        ahead, beyond = (y + dy, x + dx), (y + 2 * dy, x + 2 * dx)
        if not all(0 <= k < n for k in ahead) or (all(0 <= k < n for k in beyond) and mask[beyond]):
            dy, dx = dx, -dy
            continue
        y, x = ahead
        mask[y, x] = True
    return mask


@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("share", [0.05, 0.4, 0.6])
def test_labels_agree_with_scipy(connectivity, share):
    masks = np.random.default_rng(1).random((3, 60, 70)) < share
    masks[0, :41, :41] = spiral(41)
    neighbours = np.zeros((3, 3, 3), bool)
    neighbours[1] = scipy.ndimage.generate_binary_structure(2, connectivity)
    expected, _ = scipy.ndimage.label(masks, neighbours)
    np.testing.assert_array_equal(ak.label_regions(masks, connectivity=connectivity), expected)


@pytest.mark.parametrize("connectivity", [1, 2, 3])
def test_labels_of_volumes_agree_with_scipy(connectivity):
    mask = np.random.default_rng(2).random((7, 8, 9)) < 0.25
    expected, _ = scipy.ndimage.label(mask, scipy.ndimage.generate_binary_structure(3, connectivity))
    np.testing.assert_array_equal(ak.label_regions(mask, axis=(0, 1, 2), connectivity=connectivity), expected)


def test_labels_are_made_on_the_host_alone(driver):
    if "jit" not in driver.can:
        pytest.skip("compiles nothing")
    target, score = scene(0)
    arrays = {"target": driver.array(target), "score": driver.array(score)}
    for function in (
        lambda x: ak.label_regions(x["target"]),
        lambda x: ak.aupro(x["target"], x["score"]),
        lambda x: ak.per_region_overlap(x["target"], x["score"] > 0),
        lambda x: ak.region_detection(x["target"], x["score"] > 0),
    ):
        with pytest.raises(Exception, match="`target` must be known for its regions to be labelled"):
            driver.jit(function)(arrays)


# ---- what the definitions say


@drawn(drawn_scene=SCENES, max_fpr=st.sampled_from([0.05, 0.3, 1.0]))
def test_aupro_is_the_area_under_its_curve(driver, drawn_scene, max_fpr):
    found = call(driver, ak.aupro, *drawn_scene, max_fpr=max_fpr)
    np.testing.assert_allclose(found, exact_aupro(*drawn_scene, max_fpr=max_fpr), rtol=1e-13)


@drawn(drawn_scene=SCENES, seed=st.integers(0, 2**16))
def test_regions_may_be_given_and_saturated(driver, drawn_scene, seed):
    target, score = drawn_scene
    rng = np.random.default_rng(seed)
    region = rng.integers(1, 5, SHAPE)
    saturation = rng.uniform(0.3, 9.0, 4)
    for given_too in ({}, {"saturation": saturation}):
        settings = {"region": region, **given_too}
        np.testing.assert_allclose(
            call(driver, ak.aupro, target, score, **settings), exact_aupro(target, score, **settings), rtol=1e-13
        )
        np.testing.assert_allclose(
            call(driver, ak.per_region_overlap, target, score > 0, **settings),
            float(exact_overlap(target, score > 0, **settings)),
            rtol=1e-13,
        )


@drawn(drawn_scene=SCENES, overlap=st.sampled_from([0.0, 0.25, 0.5, 1.0]), seed=st.integers(0, 2**16))
def test_detections_are_counted_region_by_region(driver, drawn_scene, overlap, seed):
    target, decision = drawn_scene[0], drawn_scene[1] > 0
    region, decision_region = np.random.default_rng(seed).integers(-2, 2, (2, *SHAPE))
    for settings in ({}, {"region": region, "decision_region": decision_region}):
        found = call(driver, ak.region_detection, target, decision, overlap=overlap, **settings)
        np.testing.assert_allclose(found, exact_detection(target, decision, overlap=overlap, **settings), rtol=1e-14)
    found = call(driver, ak.per_region_overlap, target, decision)
    np.testing.assert_allclose(found, float(exact_overlap(target, decision)), rtol=1e-14)


@drawn(drawn_scene=SCENES, fpr_bounds=st.sampled_from([(1e-5, 1e-4), (0.01, 0.2), (0.1, 1.0)]))
def test_aupimo_is_the_mean_over_the_logarithm_of_the_rate(driver, drawn_scene, fpr_bounds):
    found = call(driver, ak.aupimo, *drawn_scene, fpr_bounds=fpr_bounds)
    np.testing.assert_allclose(found, exact_aupimo(*drawn_scene, fpr_bounds), rtol=1e-12, atol=1e-14)


@given(drawn_scene=SCENES, saturated=st.booleans())
def test_boolean_masks_and_fixed_shapes_give_the_same(drawn_scene, saturated):
    import array_api_strict  # never takes the way of boolean masks, NumPy always does

    fixed = [array_api_strict.asarray(x) for x in drawn_scene]
    target, score = drawn_scene
    saturation = np.arange(1.0, 1.0 + ak.label_regions(target).max()) if saturated else None
    other = None if saturation is None else array_api_strict.asarray(saturation)
    np.testing.assert_allclose(
        float(ak.aupro(target, score, saturation=saturation)), float(ak.aupro(*fixed, saturation=other)), rtol=1e-14
    )
    np.testing.assert_allclose(
        ak.aupimo(target, score, fpr_bounds=(0.01, 0.5)),
        np.from_dlpack(ak.aupimo(*fixed, fpr_bounds=(0.01, 0.5))),
        rtol=1e-14,
    )


@pytest.mark.parametrize("name", ["aupro", "sPRO", "aupimo", "detection"])
def test_compiled_form_gives_the_same(driver, name):
    if "jit" not in driver.can:
        pytest.skip("compiles nothing")
    saturation = {"saturation": driver.array(np.arange(1.0, 9.0))} if name == "sPRO" else {}

    def metric(x):
        if name == "aupimo":
            return ak.aupimo(x["target"], x["score"], fpr_bounds=(0.01, 0.5))
        if name == "detection":
            return ak.region_detection(x["target"], x["score"] > 0, region=x["region"], decision_region=x["region"])[-1]
        return ak.aupro(x["target"], x["score"], region=x["region"], **saturation)

    compiled = driver.jit(metric)
    for seed in range(3):
        target, score = scene(seed, images=(0, 6, 3)[seed], ties=1)
        region = flood(target, (1, 2), 2) % 8 + 1
        arrays = {"target": target, "score": score, "region": region}
        expected = {
            "aupro": exact_aupro(target, score, region),
            "sPRO": exact_aupro(target, score, region, np.arange(1.0, 9.0)),
            "aupimo": exact_aupimo(target, score, (0.01, 0.5)),
            "detection": exact_detection(target, score > 0, region, region)[-1],
        }[name]
        found = driver.numpy(compiled({k: driver.array(x) for k, x in arrays.items()}))
        np.testing.assert_allclose(found, expected, rtol=1e-12)


# ---- what others say


@pytest.mark.parametrize("max_fpr", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_aupro_is_a_weighted_roc_of_scikit_learn(driver, dtype, max_fpr):
    target, score = scene(3, (8, 50, 60), ties=2)
    score = score.astype(dtype)
    region, _ = scipy.ndimage.label(target, np.stack([np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))]))
    weight = np.where(target, 1 / np.maximum(np.bincount(region.ravel()), 1)[region], 1.0)
    fpr, tpr, _ = sklearn_metrics.roc_curve(target.ravel(), score.ravel(), sample_weight=weight.ravel())
    inside = fpr < max_fpr
    heights = np.append(tpr[inside], np.interp(max_fpr, fpr, tpr))
    expected = np.trapezoid(heights, np.append(fpr[inside], max_fpr)) / max_fpr
    np.testing.assert_allclose(call(driver, ak.aupro, target, score, max_fpr=max_fpr), expected, rtol=1e-6)
    found = driver.numpy(ak.aupro(driver.array(target), driver.array(score, "float64"), max_fpr=max_fpr))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


# ---- what does not change them, and what they are at the edges


METRICS = {
    "aupro": ak.aupro,
    "per_region_overlap": lambda target, score, **settings: ak.per_region_overlap(target, score > 0.5, **settings),
    "f1_score": lambda target, score: ak.region_detection(target, score > 0.5, overlap=0.3).f1_score,
    "aupimo": lambda target, score: ak.aupimo(target, score, fpr_bounds=(0.005, 0.2)),
}


@pytest.mark.parametrize("name", METRICS)
def test_order_and_place_of_images_do_not_matter(driver, name):
    target, score = scene(4, ties=1)
    expected = call(driver, METRICS[name], target, score)
    assert ((expected > 0) & (expected < 1)).any()
    for change in (
        lambda x: x[:, ::-1],
        lambda x: x[:, :, ::-1],
        lambda x: np.swapaxes(x, 1, 2),
        lambda x: np.tile(x, (2, 1, 1)),
    ):
        repeats = 2 if change(target).shape[0] > target.shape[0] and np.ndim(expected) else 1
        found = call(driver, METRICS[name], np.ascontiguousarray(change(target)), np.ascontiguousarray(change(score)))
        np.testing.assert_allclose(found, np.tile(expected, repeats), rtol=1e-13)
    order = np.random.default_rng(0).permutation(target.shape[0])
    found = call(driver, METRICS[name], target[order], score[order])
    np.testing.assert_allclose(found, expected[order] if np.ndim(expected) else expected, rtol=1e-13)


@pytest.mark.parametrize("name", ["aupro", "aupimo"])
def test_only_the_order_of_scores_counts(driver, name):
    target, score = scene(5, ties=1)
    expected = call(driver, METRICS[name], target, score)
    ranks = np.unique(score, return_inverse=True)[1].reshape(score.shape)
    for same in (np.exp(score), 1 + 1e-9 * score, ranks, (ranks + 2**40).astype(np.int64)):
        np.testing.assert_allclose(call(driver, METRICS[name], target, same), expected, rtol=1e-14)
    ranks = ranks // 2
    few = call(driver, METRICS[name], target, ranks.astype(float))
    for dtype in ("uint8", "int16", "uint32", "uint64"):
        np.testing.assert_allclose(call(driver, METRICS[name], target, ranks.astype(dtype)), few, rtol=1e-14)


def test_any_integers_name_regions(driver):
    target, score = scene(6)
    region = flood(target, (1, 2), 2)
    expected = call(driver, ak.aupro, target, score)
    others = (
        -7 * region + 3,
        (region + 100).astype("uint8"),
        region.astype("uint64") + 2**63,
        (region - 90).astype("int8"),
    )
    for numbers in others:
        garbage = np.where(target, numbers, numbers[target][0])  # of normal pixels they are ignored
        np.testing.assert_allclose(call(driver, ak.aupro, target, score, region=garbage), expected, rtol=1e-14)
    assert call(driver, ak.aupro, target, score, region=0 * region) != pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "uint64"])
def test_integers_of_any_dtype_say_which_saturation_is_whose(driver, dtype):
    target, score = scene(6)
    region = flood(target, (1, 2), 2)
    saturation = np.linspace(0.5, 9.0, region.max())
    expected = call(driver, ak.aupro, target, score, saturation=saturation)
    found = call(driver, ak.aupro, target, score, region=region.astype(dtype), saturation=saturation)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_regions_weigh_alike_whatever_their_sizes(driver):
    target = np.zeros((1, 20, 30), bool)
    target[0, :10, :10] = target[0, 15, 20] = True
    score = np.where(target, 0.0, -1.0 + np.arange(600.0).reshape(1, 20, 30) / 600)
    score[0, 15, 20] = -2.0
    assert call(driver, ak.aupro, target, score) == pytest.approx(0.5, rel=1e-14)
    assert call(driver, ak.per_region_overlap, target, score > -1) == 0.5


@pytest.mark.parametrize("max_fpr", [0.05, 0.3, 1.0])
def test_aupro_of_perfect_constant_and_worst_scores(driver, max_fpr):
    target, score = scene(7)
    assert call(driver, ak.aupro, target, target + 0.5 * (score > 0) * target, max_fpr=max_fpr) == 1.0
    constant = call(driver, ak.aupro, target, 0.0 * score, max_fpr=max_fpr)
    assert constant == pytest.approx(max_fpr / 2, rel=1e-14)
    assert call(driver, ak.aupro, target, -1.0 * target, max_fpr=max_fpr) == 0.0
    limit = driver.array(np.asarray(max_fpr))
    found = driver.numpy(ak.aupro(driver.array(target), driver.array(score), max_fpr=limit))
    np.testing.assert_allclose(found, call(driver, ak.aupro, target, score, max_fpr=max_fpr), rtol=1e-15)


def test_saturations_beyond_all_pixels_change_nothing_and_small_ones_suffice(driver):
    target, score = scene(8, ties=1)
    count = int(flood(target, (1, 2), 2).max())
    expected = call(driver, ak.aupro, target, score)
    found = call(driver, ak.aupro, target, score, saturation=np.full(count, 1e9))
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    for one in (np.ones(count), np.ones(count, int), np.full(count, 0.01)):  # the highest pixel of each decides
        found = call(driver, ak.aupro, target, score, saturation=one)
        region = flood(target, (1, 2), 2)
        highest = [score[region == k].max() for k in range(1, count + 1)]
        pixels = np.concatenate([np.ones(count, bool), np.zeros((~target).sum(), bool)])
        scores = np.concatenate([highest, score[~target]])
        expected = exact_aupro(pixels.reshape(-1, 1, 1), scores.reshape(-1, 1, 1))
        np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_aupimo_of_perfect_constant_and_worst_scores(driver):
    target, score = scene(9)
    anomalous = target.any(axis=(1, 2))
    for bounds in ((1e-5, 1e-4), (0.01, 0.5)):
        perfect = call(driver, ak.aupimo, target, 1.0 * target, fpr_bounds=bounds)
        np.testing.assert_allclose(perfect, np.where(anomalous, 1.0, np.nan), rtol=1e-14)
        constant = call(driver, ak.aupimo, target, 0.0 * score, fpr_bounds=bounds)
        level = (bounds[1] - bounds[0]) / math.log(bounds[1] / bounds[0])
        np.testing.assert_allclose(constant, np.where(anomalous, level, np.nan), rtol=1e-13)
        worst = call(driver, ak.aupimo, target, -1.0 * target, fpr_bounds=bounds)
        np.testing.assert_array_equal(worst, np.where(anomalous, 0.0, np.nan))


def test_normal_pixels_of_anomalous_images_have_no_say_in_aupimo(driver):
    target, score = scene(10)
    anomalous = target.any(axis=(1, 2))
    expected = call(driver, ak.aupimo, target, score, fpr_bounds=(0.01, 0.1))
    alarms = np.where(anomalous[:, None, None] & ~target, 100.0, score)
    np.testing.assert_array_equal(call(driver, ak.aupimo, target, alarms, fpr_bounds=(0.01, 0.1)), expected)


def test_ties_of_many_normal_pixels_keep_their_digits(driver):
    """One tie among many ranks of far more: by y - x - a log(y/x) of the rates, 7 digits would be lost."""
    normal = np.repeat(np.arange(4000.0), 2)[::-1].reshape(2, 4000)
    score = np.concatenate([normal, np.full((1, 4000), 0.0)])
    target = np.asarray([[False], [False], [True]]) & (np.arange(4000) == 0)
    found = driver.numpy(ak.aupimo(driver.array(target), driver.array(score), fpr_bounds=(0.9, 1.0)))
    a, c = 7998, 8000
    expected = (math.fsum([c - a, -a * math.log1p((c - a) / a)]) / (c - a)) / math.log(1 / 0.9)
    np.testing.assert_allclose(found[2], expected, rtol=1e-11)


def test_without_regions_or_normal_pixels_there_is_no_number(driver):
    target, score = scene(11)
    none, every = target & False, target | True
    for truth in (none, every):
        assert np.isnan(call(driver, ak.aupro, truth, score))
        assert np.isnan(call(driver, ak.aupimo, truth, score)).all()
    assert np.isnan(call(driver, ak.per_region_overlap, none, target))
    assert call(driver, ak.per_region_overlap, every, target) < 1
    assert call(driver, ak.region_detection, none, target)[:2] == [0, 0]
    assert call(driver, ak.region_detection, none, target)[-1] == 0.0
    assert call(driver, ak.region_detection, none, none) == [0, 0, 0, 0, 0.0]
    for settings in ({"region": np.zeros(none.shape, int)}, {"saturation": np.zeros(0)}):
        assert np.isnan(call(driver, ak.aupro, none, score, **settings))


def test_nan_makes_the_result_nan_where_it_counts(driver):
    target, score = scene(12)
    images = np.flatnonzero(target.any(axis=(1, 2)))
    for place in ((images[0], 0, 0), (-1, 3, 3)):
        broken = score.copy()
        broken[place] = np.nan
        assert np.isnan(call(driver, ak.aupro, target, broken))
        expected = call(driver, ak.aupimo, target, score, fpr_bounds=(0.01, 0.1)).copy()
        expected[place[0] if place[0] >= 0 else slice(None)] = np.nan  # a normal image is part of every rate
        np.testing.assert_array_equal(call(driver, ak.aupimo, target, broken, fpr_bounds=(0.01, 0.1)), expected)
    decision = np.where(score > 0, 1.0, 0.0)
    decision[0, 0, 0] = np.nan
    assert np.isnan(call(driver, ak.per_region_overlap, target, decision))
    found = call(driver, ak.region_detection, target, decision)
    assert np.isnan(found[-1])
    assert not np.isnan(found[:4]).any()


def test_several_alarms_are_one_detection_and_one_alarm_may_be_several(driver):
    target = np.zeros((2, 5, 9), bool)
    target[0, 1:4, 1:8] = True
    target[1, 2, [0, 4, 8]] = True
    decision = np.zeros_like(target)
    decision[0, 2, [1, 4, 7]] = True
    decision[1, 2] = True
    decision[1, 0, 0] = True
    assert call(driver, ak.region_detection, target, decision) == [4, 4, 5, 1, pytest.approx(8 / 9)]
    found = call(driver, ak.region_detection, target, decision, overlap=3 / 21)
    assert found[1] == 4
    assert call(driver, ak.region_detection, target, decision, overlap=0.15)[1] == 3


def test_results_have_the_dtype_of_what_is_real_and_all_digits_where_nothing_is(driver):
    target, score = scene(13)
    arrays = [driver.array(x) for x in (target, score > 0)]
    widest = driver.dtype_name(ak.per_region_overlap(*arrays))
    assert widest == driver.dtype_name(ak.region_detection(*arrays).f1_score)
    np.testing.assert_allclose(
        driver.numpy(ak.per_region_overlap(*arrays)), float(exact_overlap(target, score > 0)), rtol=1e-15
    )
    single = driver.array(score, "float32")
    for found in (ak.aupro(arrays[0], single), ak.aupimo(arrays[0], single)):
        assert driver.dtype_name(found) == "float32"


def test_an_axis_of_one_channel_changes_nothing_and_the_first_axis_counts_images():
    target, score = scene(3)
    for axis in (1, -1):
        channel = [np.expand_dims(x, axis) for x in (target, score)]
        assert ak.aupro(*channel) == ak.aupro(target, score)
        np.testing.assert_array_equal(ak.aupimo(*channel), ak.aupimo(target, score))
    rows = ak.label_regions(target[0])
    np.testing.assert_array_equal(rows, ak.label_regions(target[0], axis=1))  # each row is an image
    assert rows.max() > ak.label_regions(target[:1]).max()
    channels = np.stack([target, np.roll(target, 1, -1)], 1)
    region = ak.label_regions(channels, axis=(-2, -1))
    assert (
        region.max() == sum(ak.label_regions(channels[:, k]).max() for k in (0, 1)) > ak.label_regions(channels).max()
    )


# ---- what they refuse


def test_regions_are_integers_and_saturations_fit_them(driver):
    target, score = scene(14)
    count = int(flood(target, (1, 2), 2).max())
    for wrong in (score, target):
        with pytest.raises(TypeError, match=r"`region` must be of integers, .*, got dtype"):
            call(driver, ak.aupro, target, score, region=wrong)
        with pytest.raises(TypeError, match="`decision_region` must be of integers"):
            call(driver, ak.region_detection, target, target, decision_region=wrong)
    with pytest.raises(TypeError, match="`saturation` must be of real numbers or integers, got dtype"):
        call(driver, ak.aupro, target, score, saturation=np.ones(count, bool))
    with pytest.raises(ValueError, match="`saturation` must have shape"):
        call(driver, ak.aupro, target, score, saturation=np.ones((count, 1)))
    if driver.name == "dask":
        return  # whose numbers nobody looks at
    for wrong in (np.ones(count - 1), np.ones(count + 1)):
        with pytest.raises(
            ValueError, match=f"`saturation` must have one entry .*, got {len(wrong)} for .* 1 to {count}"
        ):
            call(driver, ak.aupro, target, score, saturation=wrong)
        with pytest.raises(ValueError, match="`saturation` must have one entry for each region"):
            call(driver, ak.per_region_overlap, target, target, saturation=wrong)
    for region in (flood(target, (1, 2), 2) - 1, flood(target, (1, 2), 2) + 1):
        with pytest.raises(ValueError, match="`saturation` must have one entry for each region, from number 1 on"):
            call(driver, ak.aupro, target, score, region=region, saturation=np.ones(count))
    with pytest.raises(ValueError, match=r"`saturation` must be > 0, got 0\.0"):
        call(driver, ak.aupro, target, score, saturation=np.arange(float(count)))


@pytest.mark.library("torch", "jax", "tensorflow")
def test_saturations_that_do_not_fit_are_nan_where_nobody_looks_at_them(driver):
    target, score = scene(14)
    region = flood(target, (1, 2), 2)
    fitting = np.full(region.max(), 3.0)

    def metrics(x):
        overlap = ak.per_region_overlap(x["target"], x["score"] > 0, region=x["region"], saturation=x["saturation"])
        area = ak.aupro(x["target"], x["score"], region=x["region"], saturation=x["saturation"])
        return ak.array_namespace(area).stack([overlap, area])

    for wrong, number in ((fitting, region), (fitting[1:], region), (fitting, region - 1), (0.0 * fitting, region)):
        arrays = {"target": target, "score": score, "region": number, "saturation": wrong}
        fits = wrong is fitting and number is region
        found = driver.numpy(driver.jit(metrics)({k: driver.array(x) for k, x in arrays.items()}))
        assert np.isnan(found).tolist() == [not fits, not fits]
        if driver.name == "jax" and not fits:
            from anomaly_kernels import jax as jak

            given_too = {name: driver.array(arrays[name]) for name in ("region", "saturation")}
            with pytest.raises(ValueError, match="`saturation` must"):
                jak.aupro(driver.array(target), driver.array(score), **given_too)


def test_what_is_no_target_no_decision_or_nothing_is_refused(driver):
    target, score = scene(17)
    rankings, decided = (ak.aupro, ak.aupimo), (ak.per_region_overlap, ak.region_detection)
    for function in (*rankings, *decided):
        second = score if function in rankings else target
        with pytest.raises(ValueError, match="`target` has shape .*: there is nothing to average over"):
            call(driver, function, target[:0], second[:0])
        with pytest.raises(ValueError, match="`target` and `.*` must have equal shapes"):
            call(driver, function, target, second[:1])
        if driver.name != "dask":  # whose numbers nobody looks at
            with pytest.raises(ValueError, match="`target` must be boolean, or whole numbers >= 0"):
                call(driver, function, np.where(target, 1, -1), second)
    with pytest.raises(ValueError, match="`target` has shape .*: there is nothing to average over"):
        call(driver, ak.label_regions, target[:0])
    for function in rankings:
        with pytest.raises(TypeError, match="`score` must be real or integer, got dtype"):
            call(driver, function, target, target)
    for function in decided if driver.name != "dask" else ():
        with pytest.raises(ValueError, match="`decision` must be boolean"):
            call(driver, function, target, score)
    with pytest.raises(ValueError, match="`max_fpr` must be > 0 and <= 1, got 0"):
        call(driver, ak.aupro, target, score, max_fpr=0)
    with pytest.raises(ValueError, match="`overlap` must be >= 0 and <= 1, got 1.5"):
        call(driver, ak.region_detection, target, target, overlap=1.5)


def test_connectivity_and_axes_are_those_of_an_image(driver):
    target = driver.array(scene(15)[0])
    for wrong, message in ((3, "no more than the 2 axes of an image, got 3"), (0, ">= 1, got 0")):
        with pytest.raises(ValueError, match=f"`connectivity` must be {message}"):
            ak.label_regions(target, connectivity=wrong)
    with pytest.raises(TypeError, match="`connectivity` must be a positive integer or None, got float"):
        ak.label_regions(target, connectivity=1.0)
    with pytest.raises(ValueError, match="`axis` must be distinct axes of an array of 3 dimensions, got 3"):
        ak.label_regions(target, axis=3)
    row = driver.array(np.asarray([True, False]))
    with pytest.raises(ValueError, match=r"`target` must have shape \(images, ...\), or `axis` be given, got \(2,\)"):
        ak.label_regions(row)
    with pytest.raises(ValueError, match=r"`target` must have shape \(images, ...\), or its regions be given"):
        ak.per_region_overlap(row, row)
    with pytest.raises(ValueError, match=r"`target` must have shape \(images, ...\), or its regions be given"):
        ak.aupro(row, driver.array(np.asarray([0.0, 1.0])))
    with pytest.raises(ValueError, match=r"`decision` must have shape \(images, ...\), or its regions be given"):
        ak.region_detection(row, row, region=driver.array(np.asarray([1, 1])))
    with pytest.raises(ValueError, match=r"`target` must have shape \(images, ...\), got \(2,\)"):
        ak.aupimo(row, driver.array(np.asarray([0.0, 1.0])))
    assert call(driver, ak.label_regions, np.asarray([True, True, False, True]), axis=0).tolist() == [1, 1, 0, 2]


@pytest.mark.parametrize(
    "bounds", [(0.1, 0.1), (0.0, 0.1), (0.2, 0.1), (0.1, 1.1), (0.1,), (0.1, 0.2, 0.3), (0.1, np.nan)]
)
def test_rates_of_aupimo_are_two_ascending_ones(driver, bounds):
    target, score = (driver.array(x) for x in scene(16))
    with pytest.raises(ValueError, match="`fpr_bounds` must be two numbers L and U, 0 < L < U <= 1, got"):
        ak.aupimo(target, score, fpr_bounds=bounds)
    with pytest.raises(TypeError, match="`fpr_bounds` must be"):
        ak.aupimo(target, score, fpr_bounds=("a", "b"))


# ---- states of parts


FPR_BOUNDS = (0.01, 0.3)


def of_batches(driver, empty, of, target, score, cuts):
    """The state of batches that begin at the cuts."""
    state = empty(driver.array(np.zeros(0)))
    for start, end in zip([0, *cuts], [*cuts, target.shape[0]], strict=True):
        state = streaming.merge(state, of(state, driver.array(target[start:end]), driver.array(score[start:end])))
    return state


@pytest.mark.parametrize("cuts", [(), (2,), (1, 1, 5), (0, 6)])
def test_states_of_batches_have_the_metrics_of_all_images(driver, cuts):
    if driver.name == "dask":
        pytest.skip("`UniqueScores` cannot be lazy")
    target, score = scene(20, ties=1)
    scores = of_batches(driver, streaming.RegionScores.empty, lambda state, y, s: state.of(y, s), target, score, cuts)
    for max_fpr in (0.05, 1.0):
        expected = ak.aupro(target, score, max_fpr=max_fpr)
        np.testing.assert_allclose(driver.numpy(scores.compute(max_fpr=max_fpr)), expected, rtol=1e-12)
        assert [float(driver.numpy(x)) for x in scores.bounds(max_fpr=max_fpr)] == [
            pytest.approx(expected, rel=1e-12)
        ] * 3
    images = of_batches(driver, streaming.ImageScores.empty, lambda state, y, s: state.of(y, s), target, score, cuts)
    found = driver.numpy(images.compute(fpr_bounds=FPR_BOUNDS))
    np.testing.assert_allclose(found, ak.aupimo(target, score, fpr_bounds=FPR_BOUNDS), rtol=1e-12)
    assert images.score.shape[0] == target.sum()


@pytest.mark.parametrize("cuts", [(), (2,), (1, 1, 5), (0, 6)])
def test_counts_of_batches_are_those_of_all_images(driver, cuts):
    target, score = scene(21)
    decision = score > 0.5
    found = of_batches(
        driver, streaming.RegionOverlaps.empty, lambda state, y, d: state.of(y, d), target, decision, cuts
    )
    np.testing.assert_allclose(driver.numpy(found.compute()), float(exact_overlap(target, decision)), rtol=1e-13)
    assert int(driver.numpy(found.regions)) == flood(target, (1, 2), 2).max()
    counts = of_batches(
        driver, streaming.RegionCounts.empty, lambda state, y, d: state.of(y, d, overlap=0.4), target, decision, cuts
    )
    found = [driver.numpy(x) for x in counts.compute()]
    np.testing.assert_allclose(found, exact_detection(target, decision, overlap=0.4), rtol=1e-14)


def test_states_take_regions_and_saturations(driver):
    target, score = scene(22)
    region = flood(target, (1, 2), 2) % 4 + 1
    saturation = np.asarray([0.5, 3.0, 20.0, 1e3])
    arrays = [driver.array(x) for x in (target, score)]
    given_too = {"region": driver.array(region), "saturation": driver.array(saturation)}
    expected = float(exact_overlap(target, score > 0, region, saturation))
    found = streaming.RegionOverlaps.of(arrays[0], arrays[1] > 0, **given_too)
    np.testing.assert_allclose(driver.numpy(found.compute()), expected, rtol=1e-13)
    found = streaming.RegionCounts.of(
        arrays[0], arrays[1] > 0, region=given_too["region"], decision_region=given_too["region"]
    )
    expected = exact_detection(target, score > 0, region, region)
    np.testing.assert_allclose([driver.numpy(x) for x in found.compute()], expected, rtol=1e-14)
    if driver.name == "dask":
        return
    found = streaming.RegionScores.empty(arrays[1]).of(*arrays, **given_too)
    np.testing.assert_allclose(
        driver.numpy(found.compute()), ak.aupro(target, score, region=region, saturation=saturation), rtol=1e-12
    )


def test_a_histogram_of_regions_has_bounds(driver):
    if driver.name == "dask":
        pytest.skip("histograms of Dask's arrays are tested with those")
    target, score = scene(23, (6, 40, 50))
    edges = driver.array(np.linspace(-4.0, 5.0, 40))
    empty = streaming.ScoreHistogram.empty(driver.array(np.zeros(0)), edges=edges)
    state = streaming.RegionScores.empty(edges, empty)
    for rows in (slice(3), slice(3, 6)):
        region = driver.array(flood(target[rows], (1, 2), 2))
        batch = state.of(driver.array(target[rows]), driver.array(score[rows]), region=region)
        state = streaming.merge(state, batch)
    value, lower, upper = (float(driver.numpy(x)) for x in state.bounds(max_fpr=0.3))
    expected = ak.aupro(target, score)
    assert value == float(driver.numpy(state.compute(max_fpr=0.3)))
    assert lower < expected < upper
    assert lower < value < upper
    assert abs(value - expected) < 0.02 < upper - lower
    fine = streaming.RegionScores.empty(edges, streaming.ScoreHistogram.empty(driver.array(np.zeros(0))))
    fine = fine.of(driver.array(target), driver.array(np.round(score)))  # each in a bucket of its own
    np.testing.assert_allclose(driver.numpy(fine.compute()), ak.aupro(target, np.round(score)), rtol=1e-12)


def test_states_of_a_fixed_size_are_updated_where_it_is_compiled(driver):
    if "jit" not in driver.can:
        pytest.skip("compiles nothing")
    target, score = scene(24)
    empty = streaming.RegionScores.empty(
        driver.array(np.zeros(0)), streaming.ScoreHistogram.empty(driver.array(np.zeros(0)))
    )
    arrays = {"target": target, "score": score, "region": flood(target, (1, 2), 2)}

    def metrics(x):
        y, s, region = x["target"], x["score"], x["region"]
        scores = streaming.merge(empty, empty.of(y, s, region=region)).compute(max_fpr=0.3)
        overlap = streaming.RegionOverlaps.of(y, s > 0, region=region).compute()
        found = streaming.RegionCounts.of(y, s > 0, region=region, decision_region=region).compute()
        return ak.array_namespace(s).stack([scores, overlap, found.f1_score])

    found = driver.numpy(driver.jit(metrics)({k: driver.array(x) for k, x in arrays.items()}))
    region = arrays["region"]
    assert found[0] == pytest.approx(ak.aupro(target, score), rel=0.02)
    assert found[1] == pytest.approx(float(exact_overlap(target, score > 0)), rel=1e-13)
    assert found[2] == pytest.approx(exact_detection(target, score > 0, region, region)[-1], rel=1e-13)


def test_states_of_nothing_and_of_nan_have_no_number(driver):
    target, score = scene(25)
    broken = score.copy()
    broken[-1, 0, 0] = np.nan
    like, arrays = driver.array(np.zeros(0)), [driver.array(x) for x in (target, broken)]
    assert np.isnan(driver.numpy(streaming.RegionOverlaps.empty(like).compute()))
    assert [float(driver.numpy(x)) for x in streaming.RegionCounts.empty(like).compute()] == [0.0] * 5
    decision = driver.array(np.where(np.isnan(broken), np.nan, 1.0))
    assert np.isnan(driver.numpy(streaming.RegionOverlaps.of(arrays[0], decision).compute()))
    found = streaming.RegionCounts.of(arrays[0], decision).compute()
    assert np.isnan(driver.numpy(found.f1_score))
    assert int(driver.numpy(found.regions)) == flood(target, (1, 2), 2).max()
    if driver.name == "dask":
        with pytest.raises(TypeError, match="`ImageScores` has an entry for each anomalous pixel: it cannot be"):
            streaming.ImageScores.empty(like).of(*arrays)
        return
    state = streaming.RegionScores.empty(like)
    assert np.isnan(driver.numpy(state.compute()))
    assert np.isnan(driver.numpy(state.of(*arrays).compute()))
    images = streaming.ImageScores.empty(like)
    assert driver.numpy(images.compute()).shape == (0,)
    assert np.isnan(driver.numpy(images.of(*arrays).compute(fpr_bounds=FPR_BOUNDS))).all()
    one, other = driver.array(target), score.copy()
    other[0, 0, 0] = np.nan
    found = driver.numpy(images.of(one, driver.array(other)).compute(fpr_bounds=FPR_BOUNDS))
    expected = ak.aupimo(target, score, fpr_bounds=FPR_BOUNDS)
    expected[0] = np.nan
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    with pytest.raises(TypeError, match="states of one kind can be merged, got ImageScores and RegionScores"):
        streaming.merge(images, state)


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int64", "uint64"])
def test_states_keep_scores_as_they_are(driver, dtype):
    if driver.name == "dask":
        pytest.skip("`UniqueScores` cannot be lazy")
    target, score = scene(26)
    score = (20 * (score + 5)).astype(dtype)
    like = driver.array(score)
    images = streaming.ImageScores.empty(like)
    images = streaming.update(images, driver.array(target), like)
    assert driver.dtype_name(images.score) == dtype
    found = images.compute(fpr_bounds=FPR_BOUNDS)
    np.testing.assert_allclose(
        driver.numpy(found),
        ak.aupimo(target, score, fpr_bounds=FPR_BOUNDS),
        rtol=1e-6 if dtype == "float32" else 1e-12,
    )
    scores = streaming.update(streaming.RegionScores.empty(like), driver.array(target), like)
    np.testing.assert_allclose(driver.numpy(scores.compute()), ak.aupro(target, score.astype(float)), rtol=1e-6)


def test_states_refuse_what_the_functions_refuse(driver):
    target, score = scene(27)
    arrays = [driver.array(x) for x in (target, score)]
    decision, real, flat = arrays[1] > 0, driver.array(score), [driver.array(x[0, 0]) for x in (target, score)]
    for of in (streaming.RegionOverlaps.of, streaming.RegionCounts.of):
        with pytest.raises(TypeError, match="`region` must be of integers"):
            of(arrays[0], decision, region=real)
        with pytest.raises(ValueError, match=r"`target` must have shape \(images, ...\), or its regions be given"):
            of(flat[0], flat[0])
    with pytest.raises(TypeError, match="`decision_region` must be of integers"):
        streaming.RegionCounts.of(arrays[0], decision, decision_region=real)
    with pytest.raises(ValueError, match="`overlap` must be >= 0 and <= 1, got 1.5"):
        streaming.RegionCounts.of(arrays[0], decision, overlap=1.5)
    with pytest.raises(TypeError, match="`saturation` must be of real numbers or integers, got dtype"):
        streaming.RegionOverlaps.of(arrays[0], decision, saturation=driver.array(np.ones(3, bool)))
    if driver.name == "dask":
        return
    like = driver.array(np.zeros(0))
    with pytest.raises(ValueError, match=r"^`target` must have shape \(images, ...\), got \(18,\)$"):
        streaming.ImageScores.empty(like).of(*flat)
    with pytest.raises(TypeError, match="`region` must be of integers"):
        streaming.RegionScores.empty(like).of(*arrays, region=real)
    rows = [driver.array(x.reshape(6, -1)) for x in (target, score)]  # images of one axis
    found = streaming.ImageScores.empty(like).of(*rows).compute(fpr_bounds=FPR_BOUNDS)
    np.testing.assert_allclose(driver.numpy(found), ak.aupimo(target, score, fpr_bounds=FPR_BOUNDS), rtol=1e-12)


def test_a_target_that_is_nan_leaves_states_without_a_number(driver):
    target, score = scene(28)
    real = target.astype(float)
    real[-1, 0, 0] = np.nan
    arrays = [driver.array(x) for x in (real, score)]
    assert np.isnan(driver.numpy(streaming.RegionOverlaps.of(arrays[0], arrays[1] > 0).compute()))
    assert np.isnan(driver.numpy(streaming.RegionCounts.of(arrays[0], arrays[1] > 0).compute().f1_score))
    assert np.isnan(driver.numpy(ak.aupro(*arrays)))
    assert np.isnan(driver.numpy(ak.per_region_overlap(arrays[0], arrays[1] > 0)))
    assert np.isnan(driver.numpy(ak.region_detection(arrays[0], arrays[1] > 0).f1_score))
    assert np.isnan(driver.numpy(ak.aupimo(*arrays, fpr_bounds=FPR_BOUNDS))[-1])
    if driver.name == "dask":
        return
    like = driver.array(np.zeros(0))
    assert np.isnan(driver.numpy(streaming.RegionScores.empty(like).of(*arrays).compute()))
    found = driver.numpy(streaming.ImageScores.empty(like).of(*arrays).compute(fpr_bounds=FPR_BOUNDS))
    np.testing.assert_allclose(found, driver.numpy(ak.aupimo(*arrays, fpr_bounds=FPR_BOUNDS)), rtol=1e-12)


# ---- of NumPy alone


def test_states_of_two_devices_alike_are_reduced_to_what_they_are_merged_to():
    target, score = scene(29)
    histogram = streaming.ScoreHistogram.empty(np.zeros(0))
    for state in (
        streaming.RegionScores.empty(score, histogram).of(target, score),
        streaming.RegionOverlaps.of(target, score > 0),
        streaming.RegionCounts.of(target, score > 0),
    ):
        both = state.reduce(lambda x: x + x, lambda x: x, lambda x: x)
        assert type(both) is type(state)
        np.testing.assert_equal(dict(leaves(both)), dict(leaves(streaming.merge(state, state))))


def test_counts_that_overflowed_are_no_number():
    target, score = scene(30)
    wrapped = np.asarray(-1)
    overlaps = streaming.RegionOverlaps.of(target, score > 0)
    assert np.isnan(overlaps._replace(regions=wrapped).compute())
    counts = streaming.RegionCounts.of(target, score > 0)
    for field in counts._fields[:4]:
        assert np.isnan(counts._replace(**{field: wrapped}).compute().f1_score)


def test_images_may_keep_their_scores_in_parts():
    target, score = scene(31)
    images = streaming.ImageScores.empty(score, ScoreRuns.empty(score))
    for part in (slice(4, 6), slice(0), slice(0, 4)):
        images = images.merge(images.of(target[part], score[part]))
        assert type(images.normal) is ScoreRuns
    order = [4, 5, 0, 1, 2, 3]
    expected = ak.aupimo(target[order], score[order], fpr_bounds=FPR_BOUNDS)
    np.testing.assert_allclose(images.compute(fpr_bounds=FPR_BOUNDS), expected, rtol=1e-12)
    with pytest.raises(ValueError, match="`fpr_bounds`"):
        images.compute(fpr_bounds=(0.3, 0.1))
    assert streaming.ImageScores.empty(np.zeros(0, "float32")).compute().dtype == np.float32


def test_a_state_has_the_bounds_of_its_metric_by_default():
    target, score = scene(32)
    state = streaming.RegionScores.empty(score).of(target, score)
    assert state.bounds() == state.bounds(max_fpr=0.3)
    assert state.compute() == state.compute(max_fpr=0.3) != state.compute(max_fpr=0.5)


@pytest.mark.parametrize("place", [(0, 0, 0), (5, 3, 3)])
def test_one_anomalous_pixel_is_an_area(place):
    target, score = np.zeros((6, 16, 18), bool), scene(33)[1]
    target[place] = True
    found = streaming.ImageScores.empty(score).of(target, score).compute(fpr_bounds=FPR_BOUNDS)
    np.testing.assert_allclose(found, ak.aupimo(target, score, fpr_bounds=FPR_BOUNDS), rtol=1e-12)
