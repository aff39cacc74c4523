"""The decision kit: what thresholds and p-values promise is counted, in plain loops, simulations and SciPy."""

from __future__ import annotations

import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from drawing import lists_of
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

import anomaly_kernels as ak
from anomaly_kernels import streaming
from anomaly_kernels.data import load_shuttle
from anomaly_kernels.metrics.decisions._scores import above, most, shaped

# Formulas are tried where calls take no time; that the libraries agree is the contract.
EAGER = pytest.mark.library("numpy", "torch")
APART_AND_TOGETHER = pytest.mark.library(
    "numpy", "array_api_strict"
)  # classes are sorted apart, and all scores at once

# few different scores, so that there are ties; some infinite
SCORE = st.sampled_from([-np.inf, -2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 1e-3, 3.0e38])
SCORES = lists_of(SCORE, max_size=40)
RATE = st.sampled_from([0.01, 0.05, 0.1, 0.25, 0.28, 0.29, 0.5, 0.56, 0.57, 0.9])
LABELLED = lists_of(st.tuples(st.booleans(), SCORE), max_size=12)
RNG = np.random.default_rng(23)
GAMMA = RNG.gamma(2.0, size=500)


def alarms(score, threshold):
    return int(np.sum(score >= threshold))


# --- rates


@given(SCORES, RATE)
def test_exactly_the_scores_alarm_whose_conformal_p_value_is_at_most_the_rate(score, rate):
    calibration = np.asarray(score)
    judged = np.asarray([*score, -5.0, 0.25, 2.0])
    for dtype in (np.float64, np.float32):
        threshold = ak.threshold_at_rate(calibration.astype(dtype), rate=rate)
        pvalue = ak.conformal_pvalue(judged.astype(dtype), calibration.astype(dtype))
        np.testing.assert_array_equal(judged.astype(dtype) >= threshold, pvalue <= rate)


def test_scores_of_infinity_alone_reach_a_threshold_of_infinity():
    score = np.asarray([1.0, 2.0, 3.0, np.inf, np.inf])
    for rate in (0.1, 0.35):  # no number is above infinity, nor are there scores enough for the first
        threshold, pvalue = ak.threshold_at_rate(score, rate=rate), ak.conformal_pvalue(score, score)
        assert np.isposinf(threshold)
        assert not np.any(pvalue <= rate)
    assert ak.threshold_at_rate(score, rate=0.5) == np.nextafter(3.0, 4.0)
    assert [ak.threshold_at_rate(score, rate=rate, method="linear") for rate in (0.5, 0.2)] == [3.0, np.inf]
    with np.errstate(invalid="ignore"):
        fit = ak.peaks_over_threshold(np.append(GAMMA, np.inf))
    assert np.all(np.isnan([fit.threshold, fit.shape, fit.scale]))
    assert np.isfinite(ak.peaks_over_threshold(np.append(GAMMA, -np.inf)).threshold)


@given(SCORES, RATE)
def test_at_most_the_share_of_the_given_scores_alarms_and_the_next_threshold_would_be_too_low(score, rate):
    score = np.asarray(score)
    threshold = ak.threshold_at_rate(score, rate=rate, method="empirical")
    assert Fraction(alarms(score, threshold), score.size) <= Fraction(str(rate))
    below = score[score < threshold]
    assert Fraction(alarms(score, below.max()), score.size) > Fraction(str(rate))


@pytest.mark.parametrize("shares", [(0.28, 25, 7), (0.29, 100, 29), (0.56, 25, 14), (0.57, 100, 57)])
def test_a_share_is_reached_by_a_quotient(shares):
    share, n, k = shares
    assert most(share, n) == k
    assert most(math.nextafter(share, 0.0), n) == k - 1


def test_the_linear_threshold_is_the_quantile_of_numpy():
    for rate in (0.05, 0.1, 1 / 3, 0.999):
        np.testing.assert_allclose(
            ak.threshold_at_rate(GAMMA, rate=rate, method="linear"), np.quantile(GAMMA, 1 - rate), rtol=1e-14
        )


def test_rounding_does_not_move_the_linear_threshold_of_constant_scores():
    for constant in np.random.default_rng(7).normal(size=50):
        for rate in (0.05, 0.1, 0.31, 0.77):
            assert ak.threshold_at_rate(np.full(7, constant), rate=rate, method="linear") == constant


@pytest.mark.parametrize("n", [1, 20, 58, 59, 93, 1000, 100_000])
@pytest.mark.parametrize("rate", [0.05, 0.001, 0.5])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_the_rank_with_confidence_is_that_of_the_binomial_distribution(n, rate, confidence):
    score = np.arange(1.0, n + 1.0)
    rank = int(np.sum(stats.binom.cdf(np.arange(n), n, rate) <= 1 - confidence))
    threshold = ak.threshold_at_rate(score, rate=rate, confidence=confidence)
    assert threshold == (np.nextafter(score[n - rank], np.inf) if rank else np.inf)


def test_a_conformal_threshold_has_the_rate_on_average_and_one_with_confidence_in_most_draws():
    draws = np.random.default_rng(0).normal(size=(1000, 200))
    mean = [stats.norm.sf(ak.threshold_at_rate(each, rate=0.05)) for each in draws]
    sure = [stats.norm.sf(ak.threshold_at_rate(each, rate=0.05, confidence=0.95)) for each in draws]
    assert 0.047 < np.mean(mean) < 0.052
    assert 0.95 <= np.mean(np.asarray(sure) <= 0.05) < 0.985


@pytest.mark.library("torch")
def test_torch_compiles_a_threshold_with_confidence_for_each_size():
    import torch

    threshold = torch.compile(
        lambda x: ak.threshold_at_rate(x, rate=0.1, confidence=0.9), backend="eager", fullgraph=True
    )
    for n in (50, 60, 70):
        score = torch.from_numpy(GAMMA[:n])
        assert threshold(score) == ak.threshold_at_rate(score, rate=0.1, confidence=0.9)


# --- one rule: score >= threshold


RULES = {
    "conformal": lambda x: ak.threshold_at_rate(x, rate=0.2),
    "with confidence": lambda x: ak.threshold_at_rate(x, rate=0.2, confidence=0.5),
    "empirical": lambda x: ak.threshold_at_rate(x, rate=0.2, method="empirical"),
    **{rule: lambda x, rule=rule: ak.spread_threshold(x, rule=rule) for rule in ("mad", "iqr", "std")},
    "zhang_stephens": lambda x: ak.peaks_over_threshold(x, level=0.5, risk=0.5).threshold,
    "pwm": lambda x: ak.peaks_over_threshold(x, level=0.5, method="pwm").threshold,
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_no_number_reaches_the_next_one_above_it(driver, dtype):
    tiny = np.finfo(dtype).tiny  # JAX and TensorFlow take what is smaller for 0
    x = driver.array(np.asarray([0.0, -0.0, tiny, -tiny, 0.1, -3.0, 1e30, -np.inf]), dtype)
    higher = above(ak.array_namespace(x), x)
    assert not np.any(driver.numpy(x >= higher))
    assert np.all(np.isfinite(driver.numpy(higher)))
    assert np.all(driver.numpy(higher)[:-1] - driver.numpy(x)[:-1] <= np.abs(driver.numpy(x)[:-1]) * 2e-7 + tiny)


@EAGER
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_constant_scores_do_not_alarm_and_hardly_higher_ones_do(driver, rule, dtype):
    for constant in (0.0, 0.1, -3.0, 1e4):
        score = driver.array(np.full(7, constant), dtype)
        threshold = RULES[rule](score)
        assert not np.any(driver.numpy(score >= threshold)), constant
        higher = driver.array(np.asarray([constant + 1e-6 * abs(constant) + 1e-30]), dtype)
        assert np.all(driver.numpy(higher >= threshold)), constant


@EAGER
def test_scores_tied_with_the_rank_do_not_alarm(driver):
    score = driver.array(np.asarray([0.0] * 7 + [5.0] * 3))  # pyod's rule, ">" the quantile, has none of the two asked
    for method, expected in (("conformal", 0), ("empirical", 0)):
        threshold = ak.threshold_at_rate(score, rate=0.2, method=method)
        assert np.sum(driver.numpy(score >= threshold)) == expected
    assert np.sum(driver.numpy(score >= ak.threshold_at_rate(score, rate=0.3, method="empirical"))) == 3


def test_above_minus_infinity_is_the_lowest_number_and_too_few_scores_have_no_threshold():
    assert ak.threshold_at_rate(np.full(9, -np.inf), rate=0.5) == np.finfo(float).min
    assert ak.threshold_at_rate(np.arange(18.0), rate=0.05) == np.inf
    assert np.isfinite(ak.threshold_at_rate(np.arange(19.0), rate=0.05))


def test_ranks_need_a_known_number_of_scores():
    da = pytest.importorskip("dask.array")
    score = da.from_array(np.arange(10.0), chunks=5)
    unknown = score[score > 3]
    with pytest.raises(ValueError, match=r"`score` must have known sizes"):
        ak.threshold_at_rate(unknown)


# --- operating points


def points(truth, score):
    """Threshold, precision and recall of each distinct score, the highest first."""
    for threshold in sorted(set(score.tolist()), reverse=True):
        chosen = score >= threshold
        hits = int((truth & chosen).sum())
        yield threshold, Fraction(hits, int(chosen.sum())), Fraction(hits, int(truth.sum()))


@given(LABELLED, st.sampled_from([0.1, 0.28, 0.5, 0.56, 0.95, 1.0]))
def test_operating_points_are_those_of_plain_loops(labelled, share):
    truth, score = (np.asarray(x) for x in zip(*labelled, strict=True))
    assume(truth.any())
    limit = Fraction(str(share))
    every = list(points(truth, score))
    wanted = next(point for point in every if point[2] >= limit)
    np.testing.assert_allclose(ak.threshold_at_recall(truth, score, recall=share), [float(x) for x in wanted])
    precise = [point for point in every if point[1] >= limit]
    best = max(precise, key=lambda point: (point[2], point[0]), default=(np.inf, 0, 0))
    np.testing.assert_allclose(ak.threshold_at_precision(truth, score, precision=share), [float(x) for x in best])


def test_the_point_at_a_recall_is_the_one_of_fpr_at_tpr():
    truth, score = RNG.random(300) < 0.1, RNG.normal(size=300)
    point = ak.threshold_at_recall(truth, score, recall=0.8)
    assert np.mean(score[~truth] >= point.threshold) == ak.fpr_at_tpr(truth, score, tpr=0.8)


@EAGER
@pytest.mark.parametrize("dtype", ["uint8", "int64", "uint64"])
def test_integer_scores_have_a_threshold_that_may_be_infinite(driver, dtype):
    if driver.name == "torch" and dtype == "uint64":
        pytest.skip("torch does not sort them")
    score = driver.array(np.asarray([3, 250, 255, 7], dtype))
    truth = driver.array(np.asarray([False, True, False, False]))
    found = [float(driver.numpy(x)) for x in ak.threshold_at_recall(truth, score)]
    np.testing.assert_allclose(found, [250.0, 0.5, 1.0], rtol=1e-6)
    threshold = ak.threshold_at_precision(truth, score).threshold
    assert np.isinf(driver.numpy(threshold))
    assert np.isnan(driver.numpy(ak.threshold_at_recall(driver.array(np.zeros(4, bool)), score).threshold))


# --- spread


def test_the_rules_of_spread_are_those_of_the_textbook():
    score = np.asarray([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 30.0])
    mad = stats.median_abs_deviation(score, scale="normal")
    fence = np.quantile(score, 0.75) + 1.5 * stats.iqr(score)
    expected = {"mad": np.median(score) + 3 * mad, "iqr": fence, "std": np.mean(score) + 3 * np.std(score)}
    for rule, value in expected.items():
        np.testing.assert_allclose(ak.spread_threshold(score, rule=rule), value, rtol=1e-12)
    np.testing.assert_allclose(ak.spread_threshold(score, factor=3.5), np.median(score) + 3.5 * mad, rtol=1e-12)


def test_a_deviation_far_from_zero_keeps_its_digits_in_float32(driver):
    rng = np.random.default_rng(1)
    for center, spread in ((1e4, 1.0), (1e6, 1.0), (0.0, 1e25)):
        score = (center + spread * rng.normal(size=1000)).astype(np.float32)
        scaling = ak.score_scaling(driver.array(score, "float32"))
        exact = score.astype(np.float64)
        np.testing.assert_allclose(driver.numpy(scaling.scale), exact.std(), rtol=1e-5)
        np.testing.assert_allclose(driver.numpy(scaling.center), exact.mean(), atol=1e-6 * np.abs(exact).max())


# --- tails

TAILS = {
    "exponential": stats.expon(),
    "lognormal": stats.lognorm(1.0),
    "heavy": stats.genpareto(0.8),
    "bounded": stats.beta(1, 3),
}


@pytest.mark.parametrize("name", TAILS)
@pytest.mark.parametrize("method", ["zhang_stephens", "pwm"])
def test_the_rate_that_is_exceeded_is_near_the_risk_that_was_asked_for(name, method):
    tail = TAILS[name]
    draws = tail.rvs(size=(100, 5000), random_state=np.random.default_rng(2))
    exceeded = [tail.sf(ak.peaks_over_threshold(x, risk=1e-3, method=method).threshold) / 1e-3 for x in draws]
    # moments do not see a tail that hardly has them
    assert 0.85 < np.median(exceeded) < (1.5 if (name, method) == ("heavy", "pwm") else 1.15)


@pytest.mark.parametrize("shape", [-0.4, 0.0, 0.3, 1.2])
def test_the_shape_and_scale_of_a_pareto_tail_are_found(shape):
    score = 10.0 + 2.0 * stats.genpareto.rvs(shape, size=200_000, random_state=np.random.default_rng(3))
    fit = ak.peaks_over_threshold(score, level=0.9)
    # beyond t0 the tail is a Pareto tail again, whose scale has grown with it
    np.testing.assert_allclose(fit.shape, shape, atol=0.03)
    np.testing.assert_allclose(fit.scale, 2.0 + shape * (fit.initial - 10.0), rtol=0.05)
    assert (fit.initial, fit.peaks) == (np.sort(score)[180_000], 19_999)
    np.testing.assert_allclose(
        fit.threshold,
        stats.genpareto.isf(1e-4 * score.size / fit.peaks, fit.shape, fit.initial, fit.scale),
        rtol=1e-9,
    )


def test_the_fit_is_as_likely_as_that_of_scipy():
    score = GAMMA
    fit = ak.peaks_over_threshold(score, level=0.8, risk=1e-3)
    peaks = score[score > fit.initial] - fit.initial
    ours = stats.genpareto.logpdf(peaks, fit.shape, 0, fit.scale).sum()
    theirs = stats.genpareto.logpdf(peaks, *stats.genpareto.fit(peaks, floc=0)).sum()
    assert theirs - 0.5 < ours < theirs + 1e-3


@pytest.mark.parametrize("method", ["zhang_stephens", "pwm"])
def test_a_factor_in_the_scores_is_a_factor_in_the_fit(method):
    fit = ak.peaks_over_threshold(GAMMA, level=0.9, method=method)
    for factor in (2.0**-20, 2.0**20):
        scaled = ak.peaks_over_threshold(factor * GAMMA, level=0.9, method=method)
        np.testing.assert_allclose(scaled, np.asarray(fit) * [factor, factor, 1.0, factor, 1.0], rtol=1e-12)


@pytest.mark.parametrize("method", ["zhang_stephens", "pwm"])
def test_no_peak_one_peak_and_equal_peaks_have_a_finite_fit(method):
    ends = {"none": [5.0] * 10, "one": [5.0] * 9 + [7.0], "equal": [5.0] * 5 + [7.0] * 5}
    fits = {name: ak.peaks_over_threshold(np.asarray(x), level=0.3, method=method) for name, x in ends.items()}
    assert (fits["none"].shape, fits["none"].scale, fits["none"].peaks) == (0.0, 0.0, 0.0)
    assert (fits["one"].shape, fits["one"].scale, fits["one"].peaks) == (0.0, 2.0, 1.0)
    np.testing.assert_allclose(fits["one"].threshold, 5.0 - 2.0 * math.log(1e-4 * 10))
    assert all(np.isfinite(fits["equal"]))
    assert 7.0 <= fits["equal"].threshold < 7.2


def test_a_risk_that_more_scores_exceed_already_has_the_threshold_above_the_initial_one():
    fit = ak.peaks_over_threshold(GAMMA, level=0.9, risk=0.5)
    assert fit.threshold == np.nextafter(fit.initial, np.inf)


@pytest.mark.library("numpy", "array_api_strict", "torch")
@pytest.mark.parametrize("method", ["zhang_stephens", "pwm"])
def test_a_fit_is_in_the_dtype_of_the_scores(method, driver):
    exact = ak.peaks_over_threshold(GAMMA, level=0.9, method=method)
    fit = ak.peaks_over_threshold(driver.array(GAMMA, "float32"), level=0.9, method=method)
    assert {driver.dtype_name(x) for x in fit} == {"float32"}
    np.testing.assert_allclose([driver.numpy(x) for x in fit], exact, rtol=1e-5)


def test_the_grid_in_blocks_gives_the_fit_of_the_whole(monkeypatch):
    whole = ak.peaks_over_threshold(GAMMA, level=0.8)
    monkeypatch.setattr("anomaly_kernels.metrics.decisions.tails.BLOCK", 250)
    np.testing.assert_allclose(ak.peaks_over_threshold(GAMMA, level=0.8), whole, rtol=1e-13)


# --- p-values


def pvalues_by_loops(score, calibration, score_weight=None, calibration_weight=None, uniform=None):
    found = []
    for k, s in enumerate(score):
        mine = 1.0 if score_weight is None else score_weight[k]
        masses = [1.0] * len(calibration) if calibration_weight is None else calibration_weight
        higher = sum(m for m, c in zip(masses, calibration, strict=True) if c > s)
        tied = sum(m for m, c in zip(masses, calibration, strict=True) if c == s) + mine
        found.append((higher + (1.0 if uniform is None else uniform[k]) * tied) / (sum(masses) + mine))
    return found


def weights_and_draws(rng, judged, known):
    """The four ways to call for p-values: without, with weights, with draws, with both."""
    weights = {"score_weight": rng.random(judged), "calibration_weight": rng.random(known)}
    draws = {"uniform": rng.random(judged)}
    return {}, weights, draws, weights | draws


@given(SCORES, SCORES, st.integers(0, 2**16))
def test_conformal_p_values_are_those_of_plain_loops(score, calibration, seed):
    judged, known = np.asarray(score), np.asarray(calibration)
    for given_too in weights_and_draws(np.random.default_rng(seed), judged.size, known.size):
        found = ak.conformal_pvalue(judged, known, **given_too)
        np.testing.assert_allclose(found, pvalues_by_loops(score, calibration, **given_too), rtol=1e-12)


@APART_AND_TOGETHER
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_p_values_have_the_shape_and_the_dtype_of_the_scores(dtype, driver):
    rng = np.random.default_rng(6)
    score, known = rng.integers(0, 4, 12) * 0.5, rng.integers(0, 4, (7, 2)) * 0.5
    for given_too in weights_and_draws(rng, score.size, known.size):
        expected = pvalues_by_loops(score, known.ravel(), **given_too)
        shapes = {"calibration_weight": (7, 2)}
        arrays = {name: driver.array(x.reshape(shapes.get(name, (3, 4))), dtype) for name, x in given_too.items()}
        found = ak.conformal_pvalue(driver.array(score.reshape(3, 4), dtype), driver.array(known, dtype), **arrays)
        assert (driver.numpy(found).shape, driver.dtype_name(found)) == ((3, 4), dtype)
        np.testing.assert_allclose(driver.numpy(found).ravel(), expected, rtol=1e-6)


def test_a_graph_may_leave_the_first_size_open():
    open_size = SimpleNamespace(shape=(None, 3))
    assert shaped(ak.array_namespace(GAMMA), np.arange(6.0), open_size).shape == (2, 3)


def test_a_weight_that_is_missing_or_negative_is_named():
    x = np.ones(3)
    with pytest.raises(ValueError, match="`score_weight` must be given beside `calibration_weight`"):
        ak.conformal_pvalue(x, x, calibration_weight=x)
    with pytest.raises(ValueError, match="`calibration_weight` must be >= 0"):
        ak.conformal_pvalue(x, x, score_weight=x, calibration_weight=-x)


@EAGER
def test_a_single_score_and_an_empty_batch_have_p_values(driver):
    known = driver.array(np.asarray([1.0, 2.0, 3.0]))
    assert driver.numpy(ak.conformal_pvalue(driver.array(np.asarray(2.5)), known)) == 0.5
    assert driver.numpy(ak.conformal_pvalue(driver.array(np.zeros(0)), known)).shape == (0,)


def test_p_values_with_draws_are_uniform_in_spite_of_ties():
    rng = np.random.default_rng(4)
    known, judged = rng.integers(0, 5, 20_000) * 1.0, rng.integers(0, 5, 2000) * 1.0
    pvalue = ak.conformal_pvalue(judged, known, uniform=rng.random(2000))
    assert stats.kstest(pvalue, "uniform").pvalue > 0.01
    assert stats.kstest(ak.conformal_pvalue(judged, known), "uniform").pvalue < 1e-6


def adjusted_by_loops(pvalue, factor):
    """Each p-value, with the least of what the larger ones would be adjusted to."""
    n = len(pvalue)
    ratios = {q: n * q / sum(p <= q for p in pvalue) for q in set(pvalue)}
    return [min(1.0, factor * min(x for q, x in ratios.items() if q >= p)) for p in pvalue]


@given(lists_of(st.sampled_from([0.0, 1e-12, 0.001, 0.01, 0.02, 0.3, 0.3001, 0.7, 1.0]), max_size=30))
def test_adjusted_p_values_are_those_of_plain_loops_and_scipy(pvalue):
    n, p = len(pvalue), np.asarray(pvalue)
    storey = min(1.0, (1 + sum(x > 0.25 for x in pvalue)) / (n * 0.75))
    factors = {"bh": 1.0, "by": sum(1.0 / i for i in range(1, n + 1)), "storey": storey}
    for method, factor in factors.items():
        found = ak.adjusted_pvalue(p, method=method, cutoff=0.25)
        np.testing.assert_allclose(found, adjusted_by_loops(pvalue, factor), rtol=1e-12)
        if method != "storey":
            np.testing.assert_allclose(found, stats.false_discovery_control(p, method=method), rtol=1e-12)


def test_conformal_p_values_that_are_adjusted_keep_the_rate_of_false_discoveries():
    rng = np.random.default_rng(5)
    shares = {"bh": [], "storey": []}
    for _ in range(300):
        known, normal, odd = rng.normal(size=1000), rng.normal(size=180), rng.normal(4.0, size=20)
        pvalue = ak.conformal_pvalue(np.concatenate([normal, odd]), known)
        for method, false in shares.items():
            found = ak.adjusted_pvalue(pvalue, method=method) <= 0.1
            false.append(found[:180].sum() / max(1, found.sum()))
    assert 0.05 < np.mean(shares["bh"]) < 0.1
    assert np.mean(shares["bh"]) < np.mean(shares["storey"]) < 0.115


# --- scaling


def test_scaled_scores_are_those_of_scipy_and_scikit_learn():
    scaled = {how: ak.scaled_score(GAMMA, *ak.score_scaling(GAMMA, method=how)) for how in ("standard", "minmax")}
    np.testing.assert_allclose(scaled["standard"], stats.zscore(GAMMA), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(scaled["minmax"], (GAMMA - GAMMA.min()) / np.ptp(GAMMA), rtol=1e-14)
    center, scale = ak.score_scaling(GAMMA, method="robust")
    assert center == np.median(GAMMA)
    np.testing.assert_allclose(scale, stats.median_abs_deviation(GAMMA, scale="normal"), rtol=1e-9)
    z = np.linspace(-3.0, 3.0, 13)
    unified = ak.scaled_score(z, 0.0, 1.0, output="unify")
    np.testing.assert_allclose(unified, np.maximum(0.0, 2 * stats.norm.cdf(z) - 1), atol=1e-15)
    np.testing.assert_allclose(ak.scaled_score(z, 0.0, 1.0, output="logistic"), stats.logistic.cdf(z), rtol=1e-14)


@EAGER
@pytest.mark.parametrize("method", ["standard", "robust", "minmax"])
def test_constant_scores_have_the_scale_one(driver, method):
    for constant, dtype in ((0.1, "float32"), (0.1, "float64"), (-7.3, "float32"), (1e4, "float64")):
        center, scale = ak.score_scaling(driver.array(np.full(11, constant), dtype), method=method)
        assert driver.numpy(center) == np.asarray(constant, dtype)
        assert driver.numpy(scale) == 1.0


@EAGER
def test_what_one_library_has_fitted_another_applies(driver):
    fitted = ak.score_scaling(GAMMA)
    score = driver.array(GAMMA)
    found = ak.scaled_score(score, *(float(x) for x in fitted))
    np.testing.assert_allclose(driver.numpy(found), ak.scaled_score(GAMMA, *fitted), rtol=1e-12)


# --- states

FITS = [
    (ak.threshold_at_rate, {}),
    (ak.threshold_at_rate, {"rate": 0.1, "confidence": 0.9}),
    (ak.threshold_at_rate, {"rate": 0.2, "method": "empirical"}),
    (ak.threshold_at_rate, {"rate": 1e-4}),
    (ak.threshold_at_rate, {"method": "linear"}),
    (ak.spread_threshold, {}),
    (ak.spread_threshold, {"rule": "iqr", "factor": 2.0}),
    (ak.score_scaling, {"method": "robust"}),
    (ak.score_scaling, {"method": "minmax"}),
    (ak.conformal_pvalue, {"score": np.asarray([[0.0, 0.1, 1.9999], [2.0, 7.77, np.nan]])}),
]
PARTS = [GAMMA[k : k + 100].round(2) for k in range(0, 500, 100)]
ALL = np.concatenate(PARTS)


def state_of(empty, *, with_targets=True):
    for part in PARTS:
        empty = streaming.update(empty, *([np.arange(100) < 20] if with_targets else []), part)
    return empty


@pytest.mark.parametrize(("rule", "settings"), FITS)
def test_a_rule_of_unique_scores_is_exact_and_that_of_a_histogram_is_between_its_bounds(rule, settings):
    exact = rule(calibration=ALL, **settings) if rule is ak.conformal_pvalue else rule(ALL, **settings)
    np.testing.assert_array_equal(state_of(streaming.UniqueScores.empty(ALL)).compute(rule, **settings), exact)
    value, lower, upper = state_of(streaming.ScoreHistogram.empty(ALL)).compute(rule, **settings)
    for low, between, high in ((lower, value, upper), (lower, exact, upper)):
        known = ~np.isnan(np.asarray(exact))
        assert np.all((np.asarray(low) <= between)[known])
        assert np.all((np.asarray(between) <= high)[known])
    finite = np.isfinite(np.asarray(exact))
    np.testing.assert_allclose(np.asarray(upper)[finite], np.asarray(lower)[finite], rtol=0.05, atol=0.02)


@pytest.mark.library("jax")
def test_the_highest_scores_are_kept_under_jit():
    import jax
    import jax.numpy as jnp

    state, update = streaming.HighestScores.empty(jnp.zeros(0), size=60), jax.jit(streaming.update)
    for part in PARTS:
        state = update(state, jnp.asarray(part))
    np.testing.assert_array_equal(state.highest, np.sort(ALL)[:-61:-1])
    assert int(state.number) == ALL.size
    with pytest.raises(TypeError, match="finds ranks from the number of scores: it cannot be traced"):
        jax.jit(lambda each: each.compute())(state)


@pytest.mark.library("jax")
def test_jax_in_single_precision_fits_a_tail_without_a_warning():
    import jax
    import jax.numpy as jnp

    with jax.enable_x64(False):  # where int64 is asked for in vain; tests take warnings for errors
        fit = ak.peaks_over_threshold(jnp.asarray(GAMMA, jnp.float32), level=0.9)
    np.testing.assert_allclose(fit, ak.peaks_over_threshold(GAMMA, level=0.9), rtol=2e-3)


@pytest.mark.library("numpy", "array_api_strict", "torch", "tensorflow")
def test_states_of_moments_and_of_the_highest_scores_give_what_all_scores_do(driver):
    moments, highest = (
        streaming.Moments.empty(driver.array(ALL)),
        streaming.HighestScores.empty(driver.array(ALL), size=60),
    )
    for part in PARTS:
        moments = streaming.update(moments, driver.array(part))
        highest = streaming.merge(highest.of(driver.array(part)), highest)
    fits = [(highest.compute(level=0.9), ak.peaks_over_threshold(ALL, level=0.9))]
    fits += [(moments.compute(ak.spread_threshold, rule="std"), ak.spread_threshold(ALL, rule="std"))]
    fits += [
        (moments.compute(ak.score_scaling, method=m), ak.score_scaling(ALL, method=m)) for m in ("standard", "minmax")
    ]
    for found, expected in fits:
        pairs = zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]
        np.testing.assert_allclose([driver.numpy(x) for x, _ in pairs], np.ravel(expected), rtol=1e-12)


@pytest.mark.parametrize("sizes", [(1, 2, 4), (5, 5, 5), (1,) * 10])
def test_constant_scores_in_parts_do_not_alarm(sizes):
    for constant in (0.1, 0.3, 7.7, -7.7, 1e-5):
        moments, highest = streaming.Moments.empty(ALL), streaming.HighestScores.empty(ALL)
        for size in sizes:  # merging rounds the mean
            part = np.full(size, constant)
            moments, highest = streaming.update(moments, part), streaming.update(highest, part)
        thresholds = moments.compute(ak.spread_threshold, rule="std"), highest.compute(level=0.5).threshold
        assert all(constant < x <= constant + 1e-15 * abs(constant) for x in thresholds)


def test_rules_of_a_histogram_are_in_its_dtype():
    score = ALL.astype(np.float32)
    histogram = streaming.ScoreHistogram.empty(score).of(score > 3, score)
    for rule, settings in FITS:
        named = {name: x.astype(np.float32) if name == "score" else x for name, x in settings.items()}
        for each in histogram.compute(rule, **named):
            assert all(np.asarray(x).dtype == np.float32 for x in (each if isinstance(each, tuple) else [each]))


def test_a_state_says_what_it_cannot_give():
    highest, moments = streaming.HighestScores.empty(ALL, size=60).of(ALL), streaming.Moments.of(ALL)
    histogram = streaming.ScoreHistogram.empty(ALL).of(ALL > 3, ALL)
    weighted = streaming.UniqueScores.of(ALL > 3, ALL, ALL)
    with_weights = streaming.ScoreHistogram.empty(ALL).of(ALL > 3, ALL, ALL)
    for refused, message in (
        (lambda: highest.compute(level=0.8), "`level` must be higher, got 0.8: the 60 highest of 500"),
        (lambda: moments.compute(ak.spread_threshold), "`rule` of Moments must be \"std\", got 'mad'"),
        (lambda: moments.compute(ak.score_scaling, method="robust"), "`method` of Moments"),
        (lambda: moments.compute(ak.roc_auc), "`metric` of Moments must be `spread_threshold` or `score_scaling`"),
        (lambda: histogram.compute(ak.spread_threshold, rule="std"), "`rule` of a histogram"),
        (lambda: histogram.compute(ak.score_scaling), "`method` of a histogram"),
        (lambda: weighted.compute(ak.spread_threshold), "`metric` must be one of a ranking where samples have weights"),
        (lambda: with_weights.compute(ak.threshold_at_rate), "`metric` must be one of a ranking where samples have"),
        (lambda: streaming.HighestScores.empty(ALL).compute(), "`level` must leave two scores .* 0.98 with 0 scores"),
    ):
        with pytest.raises(ValueError, match=message):
            refused()
    with pytest.raises(TypeError, match=r"threshold_at_rate .* no setting `rte`; did you mean `rate`"):
        histogram.compute(ak.threshold_at_rate, rte=0.1)
    with pytest.raises(TypeError, match=r"spread_threshold of Moments has no setting `rle`; did you mean `rule`"):
        moments.compute(ak.spread_threshold, rle="std")
    with pytest.raises(TypeError, match="equally many scores"):
        highest.merge(streaming.HighestScores.empty(ALL, size=3))


def test_states_of_nothing_and_of_nan_have_thresholds_that_nothing_reaches():
    with_nan = np.asarray([1.0, np.nan, 2.0, 3.0])
    histograms = [streaming.ScoreHistogram.empty(ALL), streaming.ScoreHistogram.empty(ALL).of(with_nan > 1, with_nan)]
    for rule, settings in FITS[:-1]:
        found = [np.asarray(each) for histogram in histograms for each in histogram.compute(rule, **settings)]
        assert not np.any(np.isfinite(found))
        assert np.all(np.isnan(found[3:]))
    unique = streaming.UniqueScores.of(with_nan > 1, with_nan)
    assert np.isnan(unique.compute(ak.threshold_at_rate, rate=0.5))
    highest = streaming.HighestScores.empty(ALL, size=60)
    assert np.all(np.isnan(highest.of(ALL).merge(highest.of(with_nan)).compute(level=0.9)))
    for state in (streaming.Moments.empty(ALL), streaming.Moments.of(with_nan)):
        assert np.isnan(state.compute(ak.spread_threshold, rule="std"))
        assert np.all(np.isnan(state.compute(ak.score_scaling)))


@pytest.mark.parametrize("metric", [ak.threshold_at_recall, ak.threshold_at_precision])
def test_operating_points_of_unique_scores_are_those_of_all_scores(metric):
    truth = np.concatenate([np.arange(100) < 20] * 5)
    found = state_of(streaming.UniqueScores.empty(ALL)).compute(metric, **{metric.__name__[13:]: 0.3})
    np.testing.assert_allclose(found, metric(truth, ALL, **{metric.__name__[13:]: 0.3}), rtol=1e-12)


# --- real data


def test_false_discoveries_on_shuttle_are_as_rare_as_asked_and_anomalies_are_found():
    shuttle = load_shuttle()
    x, shares, found = shuttle.features, [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        train, calibration, normal = np.split(rng.permutation(np.flatnonzero(~shuttle.target)), [3000, 6000])
        odd = rng.permutation(np.flatnonzero(shuttle.target))[:200]
        away = x - x[train].mean(axis=0)
        inverse = np.linalg.inv(np.cov(x[train], rowvar=False) + 1e-6 * np.eye(9))
        score = np.einsum("nd,de,ne->n", away, inverse, away)
        pvalue = ak.conformal_pvalue(score[np.concatenate([normal, odd])], score[calibration])
        discovered = ak.adjusted_pvalue(pvalue) <= 0.1
        shares.append(discovered[: len(normal)].sum() / max(1, discovered.sum()))
        found.append(discovered[len(normal) :].mean())
    assert np.mean(shares) <= 0.1
    assert np.mean(found) > 0.9


def test_the_highest_scores_are_those_of_all_parts_in_the_dtype_of_the_state():
    state = streaming.HighestScores.empty(np.zeros(0, np.float32))
    assert (state.highest.shape, state.highest.dtype, int(state.number)) == ((4096,), np.float32, 0)
    assert np.all(np.isneginf(state.highest))
    nothing = state.of(np.zeros((0, 2)))
    assert nothing.highest.shape == (4096,)
    assert int(nothing.number) == 0
    few = streaming.HighestScores.empty(np.zeros(0), size=3)
    parts = [few.of(np.asarray([[5.0, 1.0], [2.0, -4.0]])), few.of(np.asarray([3.0])), few.of(np.zeros(0))]
    for a, b, c in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        merged = parts[a].merge(parts[b]).merge(parts[c])
        np.testing.assert_array_equal(merged.highest, [5.0, 3.0, 2.0])
        assert int(merged.number) == 5
    with pytest.raises(TypeError, match=r"equally many scores of one dtype can be merged, got 3 of float64 and 3 of"):
        few.merge(streaming.HighestScores.empty(np.zeros(0, np.float32), size=3))
    with pytest.raises(TypeError, match="`HighestScores` has other scores in each part: merge the parts one by one"):
        few.reduce(sum, min, max)
    with pytest.raises(TypeError, match="`score`"):
        few.of(np.arange(3))
    with pytest.raises(TypeError, match="`score` must be no wider than the state, of dtype float32, got float64"):
        state.of(np.zeros(3))
    with pytest.raises(ValueError, match="`size`"):
        streaming.HighestScores.empty(np.zeros(0), size=0)
    with pytest.raises(ValueError, match="`risk`"):
        few.compute(risk=0.0)
    with pytest.raises(ValueError, match="`method`"):
        few.compute(method="mle")
    pwm = few.of(GAMMA).compute(level=0.994, method="pwm", risk=0.001)
    np.testing.assert_array_equal(pwm, ak.peaks_over_threshold(GAMMA, level=0.994, method="pwm", risk=0.001))


def test_ranks_of_a_share_are_the_last_ones_that_the_quotient_allows():
    for n in range(1, 60):
        for share in {k / n for k in range(1, n)} | {0.29, 0.57, 0.1, 0.9999}:
            assert most(share, n) == max(k for k in range(n + 1) if k / n <= share)


def at_half(metric, truth, score, **settings):
    return metric(truth, score, **{metric.__name__.removeprefix("threshold_at_"): 0.5}, **settings)


@APART_AND_TOGETHER
@pytest.mark.parametrize("metric", [ak.threshold_at_recall, ak.threshold_at_precision])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_operating_points_of_rows_do_not_look_at_each_other(metric, dtype, driver):
    truth = np.asarray([[1, 0, 0, 0, 0, 1], [1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 1], [0] * 6, [1, 0, 0, 0, 1, 1]], bool)
    score = np.asarray([[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]] * 5) * [[1], [10], [-1], [1], [1]]
    if dtype != "int64":
        score[4, 2] = np.nan
    each = np.stack([at_half(metric, *row) for row in zip(truth, score, strict=True)])
    found = at_half(metric, driver.array(truth), driver.array(score, dtype), axis=1)
    np.testing.assert_allclose(np.stack([driver.numpy(x) for x in found], axis=1), each, rtol=1e-6)
    assert {driver.dtype_name(x) for x in found} == {"float32" if dtype == "float32" else "float64"}
    assert len(np.unique(each[:3, 2])) > 1


@pytest.mark.parametrize("metric", [ak.threshold_at_recall, ak.threshold_at_precision])
def test_weights_that_are_all_alike_leave_operating_points_as_they_are(metric):
    truth, score = np.asarray([1, 0, 0, 0, 0, 1], bool), np.asarray([6.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    for weight in (0.125, 4.0):
        found = at_half(metric, truth, score, sample_weight=np.full(6, weight))
        np.testing.assert_array_equal(found, at_half(metric, truth, score))


def test_scores_that_weigh_nothing_have_a_p_value_of_one():
    calibration = np.asarray([1.0, 2.0])
    for own, expected in ((0.0, 1.0), (1.0, 1.0)):
        weights = {"score_weight": np.asarray([own]), "calibration_weight": np.zeros(2)}
        np.testing.assert_array_equal(ak.conformal_pvalue(np.asarray([3.0]), calibration, **weights), [expected])


def test_one_nan_is_seen_wherever_the_rank_is():
    score = np.asarray([1.0, np.nan, 2.0, 3.0, 4.0, 5.0])
    for method in ("conformal", "empirical", "linear"):
        assert np.isnan(ak.threshold_at_rate(score, rate=0.5, method=method))
    for rule in ("mad", "iqr", "std"):
        assert np.isnan(ak.spread_threshold(score, rule=rule))
    for method in ("standard", "robust", "minmax"):
        assert np.all(np.isnan(ak.score_scaling(score, method=method)))


def test_a_probability_that_equals_the_doubt_is_small_enough():
    assert ak.threshold_at_rate(np.asarray([3.0]), rate=0.5, confidence=0.5) == np.nextafter(3.0, 4.0)
    assert ak.threshold_at_rate(np.asarray([3.0]), rate=0.5, confidence=0.51) == np.inf


def test_a_confidence_with_another_method_is_refused_by_name():
    with pytest.raises(ValueError, match="^`confidence` goes with method=\"conformal\" alone, got 0.9 with 'linear'$"):
        ak.threshold_at_rate(np.arange(9.0), confidence=0.9, method="linear")


@pytest.mark.parametrize(("dtype", "least"), [("float32", 2.0**-126), ("float64", 2.0**-1022)])
def test_above_zero_is_the_least_normal_number(dtype, least):
    assert ak.threshold_at_rate(np.zeros(100, dtype)) == least


def tail_by_loops(score, risk, level):
    """The fit of Zhang and Stephens, number by number."""
    ordered, n = sorted(score), len(score)
    k = max(j for j in range(n + 1) if j / n <= level)
    peaks = sorted(s - ordered[k] for s in score if s > ordered[k])
    count, highest = len(peaks), peaks[-1]
    y = [x / highest for x in peaks]
    nodes = 20 + math.isqrt(n - 1 - k)
    quartile = y[max(1, math.floor(count / 4 + 0.5)) - 1]
    theta = [1 + (1 - math.sqrt(nodes / (i - 0.5))) / (3 * quartile) for i in range(1, nodes + 1)]
    mean_log = [sum(math.log1p(-t * x) for x in y) / count for t in theta]
    of_none = count / sum(y)  # -θ over the mean logarithm, where θ is 0
    likelihood = [count * (math.log(-t / g if g else of_none) - g - 1) for t, g in zip(theta, mean_log, strict=True)]
    share = [math.exp(x - max(likelihood)) for x in likelihood]
    best = sum(t * w for t, w in zip(theta, share, strict=True)) / sum(share)
    shape = sum(math.log1p(-best * x) for x in y) / count
    scale = -shape / best * highest
    rest = min(1.0, risk * n / count)
    return ordered[k] + scale * math.expm1(-shape * math.log(rest)) / shape, ordered[k], shape, scale, count


def moments_by_loops(score, risk, level):
    """The fit of Hosking and Wallis, number by number."""
    ordered, n = sorted(score), len(score)
    k = max(j for j in range(n + 1) if j / n <= level)
    peaks = sorted(s - ordered[k] for s in score if s > ordered[k])
    count = len(peaks)
    a0 = sum(peaks) / count
    a1 = sum(y * (count - i) / (count - 1) for i, y in enumerate(peaks, 1)) / count
    shape, scale = 2 - a0 / (a0 - 2 * a1), 2 * a0 * a1 / (a0 - 2 * a1)
    return ordered[k] + scale * math.expm1(-shape * math.log(risk * n / count)) / shape, ordered[k], shape, scale, count


@pytest.mark.parametrize(("size", "level"), [(4, 0.25), (40, 0.5), (41, 0.8), (57, 0.9), (300, 0.95)])
def test_a_tail_is_that_of_plain_loops(size, level):
    score = np.random.default_rng(size).gamma(0.7, size=size)
    for method, loops in (("zhang_stephens", tail_by_loops), ("pwm", moments_by_loops)):
        found = ak.peaks_over_threshold(score, risk=1e-3, level=level, method=method)
        np.testing.assert_allclose([float(x) for x in found], loops(score.tolist(), 1e-3, level), rtol=1e-9)


def test_a_node_of_exactly_zero_is_that_of_an_exponential_tail():
    # of 16 peaks there are 24 nodes; the one where θ is 0 is met by a quartile that is a third of its gap
    quartile, peaks = (math.sqrt(24 / 16.5) - 1.0) / 3.0, -np.log((np.arange(16) + 0.5) / 16)
    peaks = np.sort(peaks / peaks.max())
    for moved in (0.0, 1e-9):
        peaks[3] = quartile + moved
        score = np.concatenate([np.zeros(4), peaks])
        fit = ak.peaks_over_threshold(score, risk=1e-3, level=0.15)
        expected = tail_by_loops(score.tolist(), 1e-3, 0.15)
        np.testing.assert_allclose([float(x) for x in fit], expected, rtol=1e-9)


@pytest.mark.parametrize("method", ["zhang_stephens", "pwm"])
def test_a_peak_far_beyond_all_others_has_a_finite_fit(method):
    score = np.asarray([0.0] * 10 + [1e-30] * 9 + [1e300])
    assert np.all(np.isfinite(ak.peaks_over_threshold(score, level=0.4, risk=0.01, method=method)))


def test_as_few_scores_as_have_two_peaks_are_enough():
    assert ak.peaks_over_threshold(np.asarray([1.0, 2.0, 3.0, 4.0]), level=0.25).peaks == 2
    with pytest.raises(ValueError, match="`level`"):
        ak.peaks_over_threshold(np.asarray([1.0]), level=0.1)


SHARES = {
    "rate": lambda x: ak.threshold_at_rate(GAMMA, rate=x),
    "confidence": lambda x: ak.threshold_at_rate(GAMMA, confidence=x),
    "level": lambda x: ak.peaks_over_threshold(GAMMA, level=x),
}


@pytest.mark.parametrize("name", SHARES)
def test_a_share_that_is_none_is_named(name):
    for value in (0, 1.0, -0.5, math.nan):
        with pytest.raises(ValueError, match=f"^`{name}` must be > 0 and < 1, got {value}$"):
            SHARES[name](value)
    with pytest.raises(TypeError, match=f"^`{name}` must be a number, got .*str"):
        SHARES[name]("0.5")


def test_scores_of_any_shape_are_pooled():
    for rule in (ak.threshold_at_rate, ak.spread_threshold, ak.peaks_over_threshold, ak.score_scaling):
        np.testing.assert_array_equal(rule(GAMMA.reshape(2, 50, 5)), rule(GAMMA))
