"""Metrics of series are what their definitions say, in plain loops, and have the properties that these have."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial

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
