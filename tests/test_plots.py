"""What plots draw: the numbers of the kernels at their places, in the axes given, for arrays of every library."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import anomaly_kernels as ak
from anomaly_kernels import plots
from anomaly_kernels.plots.scores import decades
from anomaly_kernels.streaming import DetectionCounts, RegionScores, ScoreHistogram, UniqueScores, compute

mpl.use("Agg")

RNG = np.random.default_rng(0)
TARGET = np.arange(300) < 60
SCORE = np.round(RNG.normal(size=300) + 1.5 * TARGET, 2)  # some are equal
MASK = np.zeros((2, 12, 12), bool)
MASK[0, 2:5, 2:5] = MASK[1, 6:11, 3:6] = True
MAP = np.round(RNG.normal(size=MASK.shape) + 2.0 * MASK, 1)
SERIES = np.sin(np.arange(100) / 5)
EVENTS = (np.arange(100) // 10) % 5 == 2  # from 20 to 29, and from 70 to 79
OF_SERIES = EVENTS + 0.4 * np.cos(np.arange(100))

DRAWN = {
    "plot_scores": partial(plots.plot_scores, TARGET, SCORE, threshold=1.0),
    "plot_curve": partial(plots.plot_curve, TARGET, SCORE),
    "plot_loss": partial(plots.plot_loss, ak.anomaly_bce_with_logits),
    "plot_series": partial(plots.plot_series, SERIES, target=EVENTS, score=OF_SERIES, threshold=0.7),
    "plot_regions": partial(plots.plot_regions, MAP[0], MASK[0], MAP[0], threshold=1.5),
}


def axes(*shape):
    return Figure().subplots(*shape)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def bars(ax):
    """The edges and the heights of the histograms of some axes."""
    steps = [patch.get_path().vertices for patch in ax.patches]
    return [(np.unique(xy[:, 0]), xy[1 : 2 * (len(np.unique(xy[:, 0])) - 1) : 2, 1]) for xy in steps]


def spans(ax):
    """From when to when each bar of a series lasts, for each kind of them."""
    return [[(p.vertices[:, 0].min(), p.vertices[:, 0].max()) for p in x.get_paths()] for x in ax.collections]


def line(ax, label):
    (found,) = [x for x in ax.lines if x.get_label() == label]
    return tuple(np.asarray(x, float) for x in found.get_data())


@pytest.mark.parametrize("name", plots.__all__)
def test_axes_given_are_drawn_in_and_returned_without_pyplot(name, monkeypatch):
    monkeypatch.setattr("matplotlib.pyplot.subplots", None)
    ax = axes()
    assert DRAWN[name](ax=ax) is ax
    assert ax.has_data()
    ax.figure.savefig("/dev/null", format="svg")


@pytest.mark.parametrize("name", plots.__all__)
def test_without_axes_there_is_a_new_figure(name):
    from matplotlib import pyplot as plt

    before = set(plt.get_fignums())
    ax = DRAWN[name]()
    assert {ax.figure.number} == set(plt.get_fignums()) - before
    plt.close(ax.figure)


@pytest.mark.parametrize("name", ["plot_loss", "plot_series"])
def test_of_a_pair_of_axes_both_are_drawn_in(name):
    pair = axes(2, 1)
    assert DRAWN[name](ax=pair) is pair
    assert all(ax.lines for ax in pair)
    with pytest.raises(ValueError, match="`ax` must be axes, or a pair of them, got 3"):
        DRAWN[name](ax=axes(3, 1))


@pytest.mark.parametrize("name", plots.__all__)
def test_lines_and_texts_have_the_colour_of_text_or_one_that_is_told_apart(name):
    from matplotlib import rc_context

    with rc_context({"text.color": "#abcdef"}):
        ax = DRAWN[name](ax=axes())
    allowed = {*plots._axes.COLORS, "#abcdef"}
    assert {to_hex(each.get_color()) for each in ax.lines} <= allowed


def test_without_matplotlib_it_says_what_to_install():
    code = "import sys; sys.modules['matplotlib'] = None; import anomaly_kernels.plots"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    message = "`anomaly_kernels.plots` needs matplotlib: pip install 'anomaly-kernels[plots]'"
    assert done.stderr.strip().endswith(f"ModuleNotFoundError: {message}")


# arrays of any library


def test_arrays_of_every_library_are_drawn_as_numpys(driver):
    target, score = driver.array(TARGET), driver.array(SCORE)
    ours, numpys = (plots.plot_scores(*pair, ax=axes()) for pair in ((target, score), (TARGET, SCORE)))
    for here, there in zip(bars(ours), bars(numpys), strict=True):
        np.testing.assert_array_equal(here[0], there[0])
        np.testing.assert_array_equal(here[1], there[1])
    for kind in ("roc", "precision_recall"):
        drawn = [
            plots.plot_curve(*pair, kind=kind, threshold=1.0, ax=axes()) for pair in ((target, score), (TARGET, SCORE))
        ]
        np.testing.assert_allclose(drawn[0].lines[0].get_data(), drawn[1].lines[0].get_data(), rtol=1e-12)
        np.testing.assert_allclose(drawn[0].lines[1].get_data(), drawn[1].lines[1].get_data(), rtol=1e-12)
    ax = plots.plot_series(driver.array(SERIES), target=driver.array(EVENTS), alarms=driver.array(EVENTS), ax=axes())
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), SERIES)
    assert spans(ax) == [[(19.5, 29.5), (69.5, 79.5)]] * 2
    image, mask = driver.array(MAP[0]), driver.array(MASK[0])
    ax = plots.plot_regions(image, mask, image, threshold=driver.array(np.asarray(1.5)), ax=axes())
    np.testing.assert_array_equal(ax.images[1].get_array(), MAP[0])
    target = driver.array(np.ones((1, 1, 1)))
    ax = plots.plot_loss(ak.anomaly_bce_with_logits, target=target, ax=axes())
    np.testing.assert_allclose(line(ax, "value")[1], np.logaddexp(0, -line(ax, "value")[0]))


def test_scores_of_half_precision_are_drawn(driver):
    for half in driver.halves:
        ax = plots.plot_scores(driver.array(TARGET), driver.array(SCORE, half), bins=4, ax=axes())
        assert sum(heights.sum() for _, heights in bars(ax)) == pytest.approx(2)


@pytest.mark.library("torch")
def test_tensors_with_gradient_are_drawn():
    import torch

    target, score = torch.as_tensor(TARGET), torch.tensor(SCORE, requires_grad=True)
    plots.plot_scores(target, score * 2, threshold=(score * 2).max(), ax=axes())
    plots.plot_curve(target, score * 2, ax=axes())
    plots.plot_series(score * 2, target=target, score=score * 2, ax=axes())


# scores


def test_histograms_are_shares_of_each_class():
    ax = plots.plot_scores(TARGET, SCORE, bins=[-5.0, 0.0, 1.0, 9.0], ax=axes())
    for (edges, heights), rows in zip(bars(ax), (~TARGET, TARGET), strict=True):
        assert edges.tolist() == [-5, 0, 1, 9]
        np.testing.assert_allclose(heights, np.histogram(SCORE[rows], [-5, 0, 1, 9])[0] / rows.sum())
    assert legend(ax) == ["normal", "anomalous"]


def test_every_whole_number_but_0_is_anomalous():
    numbers = np.where(TARGET, 2.0, 0.0)
    first, second = (plots.plot_scores(x, SCORE, bins=5, ax=axes()) for x in (numbers, TARGET))
    np.testing.assert_array_equal(bars(first)[1][1], bars(second)[1][1])


OF_LABELS = {
    "target of plot_scores": lambda x: partial(plots.plot_scores, x, SCORE),
    "target of plot_series": lambda x: partial(plots.plot_series, SCORE, target=x),
    "alarms of plot_series": lambda x: partial(plots.plot_series, SCORE, alarms=x),
    "mask of plot_regions": lambda x: partial(plots.plot_regions, None, np.reshape(x, (15, 20))),
}


@pytest.mark.parametrize("argument", OF_LABELS)
@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.where(TARGET, -1, 1), "got -1"),
        (np.where(TARGET, 0.5, 0.0), "got 0.5"),
        (SCORE, "got -?[0-9]"),
        (np.where(TARGET, np.nan, 0.0), "got NaN"),
    ],
)
def test_labels_that_are_no_truth_values_are_refused_by_their_name(argument, labels, said):
    ax, call = axes(), OF_LABELS[argument](labels)
    with pytest.raises(ValueError, match=f"^`{argument.split()[0]}` must .*{said}"):
        call(ax=ax)
    assert not ax.has_data()


def test_without_targets_there_is_one_histogram():
    ax = plots.plot_scores(None, SCORE, ax=axes())
    ((_, heights),) = bars(ax)
    assert heights.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.5, {"threshold 0.5": 0.5}),
        (np.asarray(0.25), {"threshold 0.25": 0.25}),
        (np.float32(0.25), {"threshold 0.25": 0.25}),
        ({"low": -1, "best": ak.best_f1(TARGET, SCORE)}, {"low": -1, "best": ak.best_f1(TARGET, SCORE).threshold}),
        (
            ak.threshold_at_recall(TARGET, SCORE, recall=0.8),
            {"precision 0.49, recall 0.80 at 0.83": ak.threshold_at_recall(TARGET, SCORE, recall=0.8).threshold},
        ),
        (ak.peaks_over_threshold(SCORE, level=0.9), None),
        ({"none": np.inf}, {"none (inf)": np.inf}),
    ],
)
def test_thresholds_are_drawn_at_their_places(threshold, expected):
    ax = plots.plot_scores(TARGET, SCORE, threshold=threshold, ax=axes())
    if expected is None:
        expected = {f"threshold of the tail {float(threshold.threshold):.3g}": threshold.threshold}
    assert legend(ax)[2:] == list(expected)
    for label, place in expected.items():
        assert line(ax, label)[0].tolist() == [float(place)] * 2
        assert not np.isfinite(place) or ax.get_xlim()[0] <= place <= ax.get_xlim()[1]


def test_a_threshold_beyond_all_scores_is_seen():
    ax = plots.plot_scores(TARGET, SCORE, threshold={"far": 40.0}, ax=axes())
    assert ax.get_xlim()[1] >= 40


def test_skewed_scores_have_a_logarithmic_axis_beyond_most_normal_ones():
    skewed = np.where(TARGET, np.exp(3 * np.abs(SCORE)), SCORE)
    ax = plots.plot_scores(TARGET, skewed, bins=20, ax=axes())
    assert ax.get_xscale() == "asinh"
    edges, _ = bars(ax)[0]
    widths = np.diff(np.arcsinh(edges / ax.xaxis.get_transform().linear_width))
    np.testing.assert_allclose(widths, widths[0])
    low, high = np.quantile(SCORE[~TARGET], (0.05, 0.95))
    assert ax.xaxis.get_transform().linear_width == pytest.approx(high - low)
    assert plots.plot_scores(TARGET, skewed, scale="linear", ax=axes()).get_xscale() == "linear"


@pytest.mark.parametrize("score", [SCORE, SCORE + 1e6, np.zeros(300), np.exp(3 * SCORE) + 1e5])
def test_other_scores_have_a_linear_axis(score):
    assert plots.plot_scores(TARGET, score, ax=axes()).get_xscale() == "linear"
    assert plots.plot_scores(TARGET, score, scale="asinh", ax=axes()).get_xscale() == "asinh"


def test_ticks_are_zero_and_the_powers_of_ten_beyond_the_bulk():
    assert sorted(decades(-300.0, 2e4, 5.0)) == [-100, -10, 0, 10, 100, 1000, 10_000]
    assert decades(0.01, 30.0, 0.3) == {10.0: "$10^{1}$", 1.0: "$10^{0}$"}
    assert len(decades(0.0, 1e30, 1.0)) < 10


def test_scores_that_are_not_finite_are_counted_in_the_legend():
    score = SCORE.copy()
    score[0], score[-2:] = np.nan, np.inf
    ax = plots.plot_scores(TARGET, score, ax=axes())
    assert legend(ax) == ["normal (2 not finite)", "anomalous (1 not finite)"]
    assert bars(ax)[1][1].sum() == pytest.approx(59 / 60)


# curves


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["roc", "precision_recall"])
def test_points_and_area_of_a_curve_are_the_kernels(kind, weighted):
    weight = {"sample_weight": np.linspace(0.5, 2, 300)} if weighted else {}
    ax = plots.plot_curve(TARGET, SCORE, kind=kind, ax=axes(), chance=True, **weight)
    if kind == "roc":
        expected, area = ak.roc_curve(TARGET, SCORE, **weight)[:2], ak.roc_auc(TARGET, SCORE, **weight)
        said = f"ROC AUC {area:.3f}"
    else:
        precision, recall, _ = ak.precision_recall_curve(TARGET, SCORE, **weight)
        expected, area = (recall, precision), ak.average_precision(TARGET, SCORE, **weight)
        said = f"average precision {area:.3f}"
    assert legend(ax) == [said, "random order"]
    np.testing.assert_array_equal(line(ax, said), expected)
    share = np.average(TARGET, weights=weight.get("sample_weight"))
    np.testing.assert_allclose(line(ax, "random order")[1], [0, 1] if kind == "roc" else [share] * 2)


def test_precision_is_drawn_in_steps_of_the_area_of_average_precision():
    ax = plots.plot_curve(TARGET, SCORE, kind="precision_recall", ax=axes())
    recall, precision = ax.lines[0].get_data()
    assert ax.lines[0].get_drawstyle() == "steps-post"
    area = np.sum((recall[:-1] - recall[1:]) * precision[:-1])
    assert area == pytest.approx(float(ak.average_precision(TARGET, SCORE)))


def test_points_of_the_pro_curve_are_false_positives_and_overlaps_of_regions():
    ax = plots.plot_curve(MASK, MAP, kind="pro", threshold=1.5, ax=axes())
    rates, overlaps = ax.lines[0].get_data()
    thresholds = [np.inf, *sorted(set(MAP.flat), reverse=True)]
    np.testing.assert_allclose(rates, [np.mean(MAP[~MASK] >= t) for t in thresholds])
    np.testing.assert_allclose(overlaps, [ak.per_region_overlap(MASK, np.greater_equal(MAP, t)) for t in thresholds])
    assert legend(ax)[0] == f"AUPRO (FPR ≤ 0.3) {ak.aupro(MASK, MAP):.3f}"
    assert ax.get_xlim()[1] == pytest.approx(0.303)
    assert ax.lines[1].get_ydata()[0] == pytest.approx(float(ak.per_region_overlap(MASK, MAP >= 1.5)))
    saturation = np.asarray([4.0, 5.0])
    ax = plots.plot_curve(MASK, MAP, kind="pro", max_fpr=0.1, saturation=saturation, ax=axes())
    assert legend(ax) == [f"AUPRO (FPR ≤ 0.1) {ak.aupro(MASK, MAP, saturation=saturation, max_fpr=0.1):.3f}"]


@pytest.mark.parametrize("t", [-9.0, 0.333, float(SCORE[7]), 99.0, np.inf])
@pytest.mark.parametrize("kind", ["roc", "precision_recall"])
@pytest.mark.parametrize("highest", [3.0, np.inf])
def test_the_point_of_a_threshold_has_the_rates_of_its_alarms(t, kind, highest):
    score = np.where(np.arange(300) % 50 == 0, highest, SCORE)
    ax = plots.plot_curve(TARGET, score, kind=kind, threshold={"here": t}, ax=axes())
    (point,) = [x for x in ax.lines if x.get_marker() == "o"]
    alarm = np.greater_equal(score, t)
    rates = np.mean(alarm[~TARGET]), np.mean(alarm[TARGET])
    counts = DetectionCounts.of(TARGET, alarm).compute()
    expected = rates if kind == "roc" else (counts.recall, counts.precision if np.any(alarm) else 1.0)
    np.testing.assert_allclose(np.ravel(point.get_data()), expected)


@pytest.mark.parametrize("kind", ["roc", "precision_recall"])
def test_a_threshold_inside_a_bucket_is_marked_at_the_lowest_score_of_the_bucket_and_the_legend_says_so(kind):
    state = ScoreHistogram.empty(SCORE, edges=np.linspace(-2, 4, 5)).of(TARGET, SCORE)  # with edges at -0.5, 1 and 2.5
    lowest = float(SCORE[SCORE >= -0.5].min())
    thresholds = {"on the edge": -0.5, "inside": 0.2, "highest inside": float(SCORE[SCORE < 1].max()), "above": 1.0}
    ax = plots.plot_curve(state, kind=kind, threshold=thresholds, ax=axes())
    said = f"(bucket from {lowest:.3g})"
    assert legend(ax)[1:] == ["on the edge", f"inside {said}", f"highest inside {said}", "above"]
    exact = plots.plot_curve(TARGET, SCORE, kind=kind, threshold={"low": -0.5, "above": 1.0}, ax=axes())
    low, above = (np.ravel(point.get_data()) for point in exact.lines[1:])
    for point, expected in zip(ax.lines[1:], (low, low, low, above), strict=True):
        np.testing.assert_allclose(np.ravel(point.get_data()), expected)


def test_a_threshold_that_is_nan_is_in_the_legend_and_has_no_point():
    ax = plots.plot_curve(TARGET, SCORE, threshold=np.nan, ax=axes())
    assert legend(ax)[1:] == ["threshold nan"]
    assert np.isnan(ax.lines[1].get_data()).all()
    assert legend(plots.plot_scores(TARGET, SCORE, threshold=np.nan, ax=axes()))[2:] == ["threshold nan"]


def test_the_best_threshold_of_a_histogram_is_marked_at_its_f1():
    state = ScoreHistogram.empty(SCORE, edges=np.linspace(-3, 4, 30)).of(TARGET, SCORE)
    best = compute(state, ak.best_f1).value
    ax = plots.plot_curve(state, kind="precision_recall", threshold=state.best_threshold(), ax=axes())
    recall, precision = np.ravel(ax.lines[1].get_data())
    assert 2 * precision * recall / (precision + recall) == pytest.approx(float(best))


def test_the_curve_of_a_state_is_that_of_its_scores():
    for state, pair, kind in (
        (UniqueScores.of(TARGET, SCORE), (TARGET, SCORE), "roc"),
        (ScoreHistogram.empty(SCORE).of(TARGET, SCORE), (TARGET, SCORE), "precision_recall"),
        (RegionScores.empty(MAP).of(MASK, MAP), (MASK, MAP), "pro"),
    ):
        ours, scores = (plots.plot_curve(*x, kind=kind, ax=axes()) for x in ((state,), pair))
        grid = np.linspace(0.01, 0.99, 50)
        drawn = [np.interp(grid, *(x[:: -1 if kind == "precision_recall" else 1] for x in ax.lines[0].get_data()))
                 for ax in (ours, scores)]  # fmt: skip
        np.testing.assert_allclose(*drawn, atol=0.02)
        assert legend(ours)[0].split()[:2] == legend(scores)[0].split()[:2]


def band_of(state, kind, monkeypatch):
    found = []
    with monkeypatch.context() as patch:
        patch.setattr("matplotlib.axes.Axes.fill_between", lambda _, *arrays, **style: found.append(arrays))
        ax = plots.plot_curve(state, kind=kind, ax=axes())
    return ax, *found[0]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["roc", "precision_recall", "pro"])
def test_the_band_of_a_histogram_holds_the_curve_of_the_scores(kind, seed, monkeypatch):
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.normal(size=6))
    pair = (MASK, MAP) if kind == "pro" else (TARGET, SCORE)
    empty = ScoreHistogram.empty(SCORE, edges=edges)
    state = RegionScores.empty(MAP, empty) if kind == "pro" else empty
    ax, x, lower, upper = band_of(state.of(*pair), kind, monkeypatch)
    exact = plots.plot_curve(*pair, kind=kind, ax=axes())
    parts = [np.reshape(each, (-1, 9 if kind == "precision_recall" else 2)) for each in (x, lower, upper)]
    for curve in (ax, exact):  # what is drawn of the histogram lies in its own band, too
        a, b = curve.lines[0].get_data()
        for u, v in zip(a, b, strict=True) if kind != "precision_recall" else zip(a[:-1], b[:-1], strict=True):
            assert any(
                s[0] - 1e-12 <= u <= s[-1] + 1e-12
                and np.interp(u, s, low) - 1e-12 <= v <= np.interp(u, s, high) + 1e-12
                for s, low, high in zip(*parts, strict=True)
            )
    assert np.max(upper - lower) > 0.1


@pytest.mark.parametrize("kind", ["roc", "precision_recall"])
def test_the_band_has_the_areas_of_the_bounds(kind, monkeypatch):
    state = ScoreHistogram.empty(SCORE, edges=np.linspace(-2, 2, 6)).of(TARGET, SCORE)
    bounds = state.compute(ak.roc_auc if kind == "roc" else ak.average_precision)
    ax, x, lower, upper = band_of(state, kind, monkeypatch)
    assert np.trapezoid(upper, x) == pytest.approx(float(bounds.upper))
    if kind == "roc":
        assert np.trapezoid(lower, x) == pytest.approx(float(bounds.lower))
    else:  # the bound is a curve, and the band has chords of it
        assert float(bounds.lower) - 0.01 < np.trapezoid(lower, x) <= float(bounds.lower) + 1e-12
    assert legend(ax)[0].endswith(f"{bounds.value:.3f} ({bounds.lower:.3f} to {bounds.upper:.3f})")


def test_buckets_of_one_score_have_no_band(monkeypatch):
    score = np.round(SCORE)
    state = ScoreHistogram.empty(score).of(TARGET, score)
    for kind in ("roc", "precision_recall"):
        ax, _, lower, upper = band_of(state, kind, monkeypatch)
        np.testing.assert_array_equal(lower, upper)
        exact = plots.plot_curve(TARGET, score, kind=kind, threshold=0.0, ax=axes())
        np.testing.assert_allclose(ax.lines[0].get_data(), exact.lines[0].get_data())
        assert legend(ax) == legend(exact)[:1]


def test_a_nan_makes_a_curve_nan_whatever_keeps_the_scores():
    score = np.where(np.arange(300) == 3, np.nan, SCORE)
    for given in ((TARGET, score), (ScoreHistogram.empty(score).of(TARGET, score),)):
        ax = plots.plot_curve(*given, ax=axes())
        assert np.all(np.isnan(ax.lines[0].get_ydata()))
        assert legend(ax) == ["ROC AUC nan"]


@pytest.mark.parametrize("kind", ["roc", "precision_recall"])
@pytest.mark.parametrize("target", [TARGET & False, TARGET | True, TARGET[:0]])
def test_without_samples_of_a_class_there_is_a_legend_and_maybe_a_line(kind, target):
    score = SCORE[: target.size]
    for given in ((target, score), (ScoreHistogram.empty(score).of(target, score),)):
        ax = plots.plot_curve(*given, kind=kind, threshold=0.0, chance=True, ax=axes())
        metric = ak.roc_auc if kind == "roc" else ak.average_precision
        value = UniqueScores.of(target, score).compute(metric)
        assert legend(ax)[0].endswith(f" {value:.3f}")
        ax.figure.savefig("/dev/null", format="svg")


def test_curves_in_one_axes_have_names_and_colours_of_their_own():
    ax = axes()
    for name in ("first", "second", "third"):
        plots.plot_curve(TARGET, SCORE, name=name, ax=ax)
    plots.plot_curve(TARGET, SCORE, name="mine", color="#123456", ax=ax)
    colors = [to_hex(x.get_color()) for x in ax.lines]
    assert len(set(colors)) == 4
    assert colors[3] == "#123456"
    assert ax.get_legend().get_title().get_text() == "ROC AUC"
    assert legend(ax)[1] == f"second: {ak.roc_auc(TARGET, SCORE):.3f}"


def test_colours_of_many_curves_return_in_their_order():
    ax = axes()
    for k in range(13):
        plots.plot_curve(TARGET, SCORE, name=str(k), ax=ax)
    colors = [to_hex(x.get_color()) for x in ax.lines]
    assert len(set(colors[:6])) == 6
    assert colors[6:12] == colors[:6]
    assert colors[12] == colors[0]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"kind": "precision_recall"}, "average precision, got axes with a curve of ROC AUC"),
        ({"max_fpr": 0.2}, r"ROC AUC \(FPR ≤ 0.2\), got axes with a curve of ROC AUC"),
    ],
)
def test_curves_of_another_area_need_axes_of_their_own(other, said):
    ax = axes()
    plots.plot_curve(TARGET, SCORE, name="a", chance=True, threshold=1.0, ax=ax)
    drawn = len(ax.lines)
    with pytest.raises(ValueError, match=f"`ax` must be axes without other curves than of {said}"):
        plots.plot_curve(TARGET, SCORE, name="b", ax=ax, **other)
    assert len(ax.lines) == drawn
    assert (ax.get_xlabel(), ax.get_legend().get_title().get_text()) == ("false positive rate", "ROC AUC")
    ax.clear()
    plots.plot_curve(TARGET, SCORE, name="b", ax=ax, **other)


# losses


def test_value_and_slope_are_those_of_the_loss_on_one_axes_and_on_two():
    one = plots.plot_loss(ak.deviation_loss, "score", target=np.ones((1, 1, 1)), span=(-2, 8), ax=axes())
    value, slope = plots.plot_loss(ak.deviation_loss, "score", target=np.ones((1, 1, 1)), span=(-2, 8), ax=axes(1, 2))
    x, y = line(one, "value")
    assert (x[0], x[-1]) == (-2, 8)
    expected = [float(ak.deviation_loss(np.ones((1, 1, 1)), np.full((1, 1, 1), t))) for t in x]
    np.testing.assert_allclose(y, expected)
    inside = np.abs(x - 5) > 0.1  # but at its kink
    np.testing.assert_allclose(line(one, "slope")[1][inside], np.gradient(y, x)[inside], atol=1e-9)
    np.testing.assert_array_equal(value.lines[0].get_ydata(), y)
    np.testing.assert_array_equal(slope.lines[0].get_ydata(), line(one, "slope")[1])
    assert (value.get_ylabel(), slope.get_ylabel()) == ("value", "slope")


def test_without_a_target_there_is_a_curve_for_each_truth():
    ax, _ = plots.plot_loss(ak.anomaly_bce_with_logits, ax=axes(1, 2))
    assert legend(ax) == ["target = 1", "target = 0"]
    np.testing.assert_allclose(line(ax, "target = 0")[1], line(ax, "target = 1")[1][::-1])


def test_parameters_that_are_not_given_are_random_too():
    assert len(plots.plot_loss(ak.gmm_energy, ax=axes()).lines) == 2


def test_a_loss_of_ones_own_is_drawn_along_its_array():
    def cubed(x_pred, *, power=3):
        return ak.array_namespace(x_pred).sum(x_pred**power)

    ax = plots.plot_loss(cubed, "x_pred", x_pred=np.asarray([0.0, 2.0]), name="cubed", ax=axes())
    x, y = line(ax, "cubed, value")
    np.testing.assert_allclose(y, x**3 + 8)
    np.testing.assert_allclose(line(ax, "cubed, slope")[1], 3 * x**2)


# series


def test_events_and_alarms_are_drawn_where_they_are():
    alarms = np.isin(np.arange(100), [5, 6, 50])
    ax = plots.plot_series(SERIES, target=EVENTS, alarms=alarms, time=np.arange(100) / 10, ax=axes())
    x, y = line(ax, "series")
    np.testing.assert_array_equal(y, SERIES)
    np.testing.assert_allclose(x, np.arange(100) / 10)
    np.testing.assert_allclose(spans(ax), [[(1.95, 2.95), (6.95, 7.95)], [(0.45, 0.65), (4.95, 5.05)]])
    assert legend(ax) == ["series", "event", "alarm"]


def test_events_at_uneven_times_reach_half_the_way_to_the_points_beside_them():
    time = np.asarray([0.0, 1.0, 2.0, 3.0, 100.0])
    for event, expected in ((0, (-0.5, 0.5)), (1, (0.5, 1.5)), (3, (2.5, 51.5)), (4, (51.5, 148.5))):
        ax = plots.plot_series(np.zeros(5), target=np.arange(5) == event, time=time, ax=axes())
        assert spans(ax) == [[expected]]


def test_times_of_numpy_are_dates_on_the_axis():
    time = np.datetime64("2024-02-28") + np.arange(100).astype("timedelta64[h]")
    for ax in (axes(), axes(2, 1)):
        plots.plot_series(SERIES, target=EVENTS, score=OF_SERIES, time=time, ax=ax)
        for panel in np.ravel(ax):
            panel.figure.canvas.draw()
            assert panel.get_xticklabels()[1].get_text() == "12:00"
            first, last = mpl.dates.num2date(panel.get_xlim())
            assert (first.day, last.day, last.month) == (28, 3, 3)


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (np.asarray([0.0, 2.0, 1.0]), "got 1.0 after 2.0"),
        (np.asarray([1, 1, 2]), "got 1 after 1"),
        (np.asarray([0.0, np.nan, 1.0]), "got nan after 0.0"),
        (np.asarray([np.inf, 1.0, 2.0]), "got inf"),
        (np.asarray(["2024-01-02", "2024-01-01", "NaT"], "datetime64[D]"), "got 2024-01-01 after 2024-01-02"),
    ],
)
def test_times_that_do_not_ascend_are_refused(time, said):
    ax = axes()
    with pytest.raises(ValueError, match=f"`time` must be finite and ascend .*, {said}"):
        plots.plot_series(SERIES[:3], target=EVENTS[20:23], time=time, ax=ax)
    assert not ax.has_data()


def test_a_single_threshold_raises_alarms_and_several_none():
    above, below = plots.plot_series(SERIES, score=OF_SERIES, threshold=0.7, ax=axes(2, 1))
    assert legend(below) == ["score", "threshold 0.7", "alarm"]
    assert sum(end - start for start, end in spans(below)[0]) == pytest.approx(np.sum(OF_SERIES >= 0.7))
    assert line(below, "threshold 0.7")[1].tolist() == [0.7, 0.7]
    _, below = plots.plot_series(SERIES, score=OF_SERIES, threshold={"a": 0.7, "b": 0.9}, ax=axes(2, 1))
    assert legend(below) == ["score", "a", "b"]
    assert spans(below) == spans(above) == []


def test_in_one_axes_series_and_score_lie_apart():
    ax = DRAWN["plot_series"](ax=axes())
    (twin,) = [other for other in ax.figure.axes if other is not ax]
    np.testing.assert_array_equal(twin.lines[0].get_ydata(), OF_SERIES)
    low = (SERIES.min() - ax.get_ylim()[0]) / np.ptp(ax.get_ylim())
    high = (OF_SERIES.max() - twin.get_ylim()[0]) / np.ptp(twin.get_ylim())
    assert high < low
    assert legend(twin) == ["series", "event", "score", "threshold 0.7", "alarm"]


def test_a_series_of_one_point_is_drawn():
    ax = plots.plot_series(SERIES[:1], target=EVENTS[20:21], score=SERIES[:1], threshold=np.inf, ax=axes())
    ax.figure.savefig("/dev/null", format="svg")
    assert spans(ax) == [[(-0.5, 0.5)]]
    assert ax.get_xlim()[0] < 0 < ax.get_xlim()[1]


def test_channels_are_lines_of_their_own():
    ax = plots.plot_series(np.stack([SERIES, SERIES**2], axis=1), ax=axes())
    np.testing.assert_array_equal(line(ax, "series 1")[1], SERIES**2)


# regions


def test_regions_are_counted_as_they_are_detected():
    mask, score = MASK[1], MASK[1] * 1.0
    score[0, 0] = score[11, 11] = 0.8
    ax = plots.plot_regions(MAP[1], mask, score, threshold=0.7, ax=axes())
    assert legend(ax) == ["true regions: 1, found: 1", "alarms: 3, false: 2"]
    assert legend(plots.plot_regions(None, None, score, threshold=0.7, ax=axes())) == ["alarms: 3"]
    assert legend(plots.plot_regions(None, mask, ax=axes())) == ["true regions: 1"]
    assert legend(plots.plot_regions(None, mask & False, score, threshold=9.0, ax=axes())) == [
        "true regions: 0, found: 0", "alarms: 0, false: 0"]  # fmt: skip


def test_an_outline_goes_around_its_region_even_at_the_edge():
    mask = np.zeros((6, 8), bool)
    mask[3:, :2] = True
    ax = plots.plot_regions(mask=mask, ax=axes())
    (path,) = [p for p in ax.collections[0].get_paths() if len(p.vertices)]
    np.testing.assert_allclose([path.vertices.min(0), path.vertices.max(0)], [(-0.5, 2.5), (1.5, 5.5)])
    assert (ax.get_xlim(), ax.get_ylim()) == ((-0.5, 7.5), (5.5, -0.5))


@pytest.mark.library("dask")
def test_messages_say_the_shapes_of_arrays_whose_sizes_are_not_known():
    import dask.array as da

    score = da.from_array(SCORE)
    score = score[score > -9.0]
    with pytest.raises(ValueError, match=r"`target` must have the shape of `score`, \(300,\), got \(299,\)"):
        plots.plot_scores(da.from_array(TARGET[1:]), score, ax=axes())
    with pytest.raises(ValueError, match=r"`image` must have shape .*, got \(300,\)"):
        plots.plot_regions(score, ax=axes())


def test_images_of_any_layout_are_shown_with_colours_last_and_from_0_to_1():
    colours = RNG.random((3, 6, 8))
    for image in (colours, np.moveaxis(colours, 0, -1)):
        shown = plots.plot_regions(image, ax=axes()).images[0].get_array()
        np.testing.assert_array_equal(shown, np.moveaxis(colours, 0, -1))
    assert plots.plot_regions(colours[:1], ax=axes()).images[0].get_array().shape == (6, 8)
    shown = plots.plot_regions(colours * 4 - 2, ax=axes()).images[0].get_array()
    assert (shown.min(), shown.max()) == (0, 1)
    bytes_ = np.full((6, 8), 51, np.uint8)
    np.testing.assert_allclose(plots.plot_regions(bytes_, ax=axes()).images[0].get_array(), 0.2)


def test_pixels_that_are_not_finite_leave_the_others_as_they_are():
    image, score = MAP[0].copy(), MAP[0].copy()
    image[0, :3] = score[0, :3] = np.inf, -np.inf, np.nan
    ax = plots.plot_regions(image, None, score, ax=axes())
    shown, (low, high) = ax.images[0].get_array(), (MAP[0].ravel()[3:].min(), MAP[0].ravel()[3:].max())
    np.testing.assert_allclose(shown.ravel()[3:], (MAP[0].ravel()[3:] - low) / (high - low))
    assert shown[0, :2].tolist() == [1, 0]
    assert ax.images[1].get_clim() == (low, high)
    colours = np.stack([image, image + 1, image], axis=-1)
    ax = plots.plot_regions(colours, ax=axes())
    assert ax.images[0].get_array()[0, :3].tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 0]]
    ax.figure.savefig("/dev/null", format="png")


@pytest.mark.parametrize(("full", "greatest"), [(1.0, 1.0), (255.0, 1.0), (0.5, 0.5)])
def test_opacity_is_not_scaled_with_the_colours(full, greatest):
    image = np.full((6, 8, 4), full)
    image[..., :3] = RNG.random((6, 8, 3)) * 255
    shown = plots.plot_regions(image, ax=axes()).images[0].get_array()
    assert np.unique(shown[..., 3]).tolist() == [greatest]
    assert (shown[..., :3].min(), shown[..., :3].max()) == (0, 1)


# errors


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (partial(plots.plot_scores, TARGET, SCORE, ax=3), TypeError, "`ax` must be the axes of a figure"),
        (partial(plots.plot_scores, TARGET, [1.0]), TypeError, "`score`: list: use `np.asarray`"),
        (partial(plots.plot_scores, TARGET, SCORE + 1j), TypeError, "`score` must be boolean, integer or real"),
        (partial(plots.plot_scores, TARGET[:-1], SCORE), ValueError, r"`target` must have the shape of `score`"),
        (partial(plots.plot_scores, TARGET, SCORE * np.nan), ValueError, "`score` must have finite numbers"),
        (partial(plots.plot_scores, TARGET, SCORE, scale="log"), ValueError, "`scale` must be one of"),
        (partial(plots.plot_scores, TARGET, SCORE, threshold="0.5"), TypeError, "`threshold` must be a number"),
        (partial(plots.plot_scores, TARGET, SCORE, threshold=SCORE), ValueError, "`threshold` must be a number"),
        (partial(plots.plot_scores, TARGET, SCORE, labels=("a",)), ValueError, "`labels` must be a pair of str, got 1"),
        (partial(plots.plot_scores, TARGET, SCORE, labels=None), TypeError, "`labels` must be a pair of str, got None"),
        (partial(plots.plot_scores, TARGET, SCORE, labels="ab"), TypeError, "`labels` must be a pair of str, got str"),
        (partial(plots.plot_scores, TARGET, SCORE, labels=(1, 2)), TypeError, "`labels` .* got one of int"),
        *(
            (
                partial(plots.plot_scores, TARGET, SCORE, bins=bins),
                ValueError,
                "^`bins` must be a number, a rule,? or",
            )
            for bins in ([1.0], [0, np.nan, 1], [2, 1], np.ones((2, 2)), ["a", "b"], 0, "rule")
        ),
        (partial(plots.plot_scores, TARGET, SCORE, bins=2.5), TypeError, "^`bins` must be a number, a rule or edges"),
        (
            partial(plots.plot_scores, TARGET, 1e16 + 2 * TARGET),
            ValueError,
            "^`bins` must .* from 1e.16 to 1e.16, got",
        ),
        (
            partial(plots.plot_scores, TARGET, np.sign(SCORE) * 1e308),
            ValueError,
            "`score` and `threshold` must span",
        ),
        (partial(plots.plot_curve, TARGET, SCORE, kind="det"), ValueError, "`kind` must be one of"),
        (partial(plots.plot_curve, TARGET), TypeError, "without `score`, `target` must be a `UniqueScores` or"),
        (partial(plots.plot_curve, TARGET, kind="pro"), TypeError, "`target` must be a `RegionScores`"),
        (partial(plots.plot_curve, UniqueScores.of(TARGET, SCORE), kind="pro"), TypeError, "got anomaly_kernels.Uni"),
        (partial(plots.plot_curve, TARGET, SCORE[:-1]), ValueError, "`target` and `score` must have equal shapes"),
        (partial(plots.plot_curve, MASK, MAP, region=MASK), TypeError, "`region` does not go with kind='roc'"),
        (partial(plots.plot_curve, MASK, MAP, kind="pro", sample_weight=MAP), TypeError, "`sample_weight` does not"),
        (partial(plots.plot_curve, UniqueScores.of(TARGET, SCORE), sample_weight=SCORE), TypeError, "has it already"),
        (partial(plots.plot_curve, TARGET, SCORE, max_fpr=2.0), ValueError, "`max_fpr` must be"),
        (
            partial(plots.plot_curve, TARGET, SCORE, kind="precision_recall", max_fpr=0.5),
            TypeError,
            "`max_fpr` does not go with kind='precision_recall'",
        ),
        (partial(plots.plot_loss, "iou_loss"), TypeError, "`kernel` must be callable"),
        (partial(plots.plot_loss, ak.iou_loss, "scores"), ValueError, "`along` must be an array of iou_loss, got 'sco"),
        (partial(plots.plot_loss, ak.kl_divergence), ValueError, "`along` must be an array of kl_divergence, got None"),
        (partial(plots.plot_loss, ak.iou_loss, span=("a", 1)), TypeError, "`span` must be a number"),
        (partial(plots.plot_loss, ak.iou_loss, span=3), TypeError, "`span` must be a pair of numbers, got int"),
        (partial(plots.plot_loss, ak.iou_loss, span=(1, 2, 3)), ValueError, "`span` must be a pair of numbers, got 3"),
        (
            partial(plots.plot_loss, ak.iou_loss, span=(0, np.inf)),
            ValueError,
            "`span` must be > -inf and < inf",
        ),
        (
            partial(plots.plot_loss, ak.deviation_loss, "score", score=np.empty((0, 1, 1))),
            ValueError,
            "`score` must have a number that changes, got shape",
        ),
        (
            partial(plots.plot_loss, dict),
            TypeError,
            "`kernel` must be a function that takes its arrays by name",
        ),
        (partial(plots.plot_loss, np.sin, "x"), TypeError, "`kernel` must be a function .*, got sin"),
        (
            partial(plots.plot_loss, partial(ak.deviation_loss)),
            ValueError,
            "array of functools.partial, got None",
        ),
        (partial(plots.plot_loss, ak.roc_curve, "score"), TypeError, "`kernel` must return an array, got .*ROCCurve"),
        (partial(plots.plot_loss, lambda x: 1.0, "x", x=SCORE), TypeError, "`kernel` must return an array, got float"),
        (partial(plots.plot_loss, ak.iou_loss, smoth=1), TypeError, "did you mean `smooth`"),
        (partial(plots.plot_loss, lambda odd: odd, "odd"), ValueError, "`odd` must be given"),
        (partial(plots.plot_series, SERIES[None, None]), ValueError, r"`signal` must have shape \(T,\) or"),
        (
            partial(plots.plot_series, SERIES.reshape(50, 2), target=EVENTS),
            ValueError,
            r"`target` must have the length of `signal`, \(50,\), got \(100,\)",
        ),
        (partial(plots.plot_series, SERIES, score=SERIES[1:]), ValueError, "`score` must have the length of `signal`"),
        (partial(plots.plot_series, SERIES, threshold=1.0), ValueError, "`threshold` goes with a `score`"),
        (plots.plot_regions, ValueError, "`image`, `mask` or `score` must be given"),
        (partial(plots.plot_regions, MAP[0, 0]), ValueError, "`image` must have shape"),
        (
            partial(plots.plot_regions, MAP[0] * np.nan),
            ValueError,
            "`image` must have finite numbers, got 144,",
        ),
        (partial(plots.plot_regions, None, None, MAP[0] * np.nan), ValueError, "`score` must have finite numbers"),
        (partial(plots.plot_regions, None, MASK), ValueError, r"`mask` must have shape \(H, W\), got"),
        (partial(plots.plot_regions, None, MASK[0], MAP[0, 1:]), ValueError, "`mask` must have the shape of `score`"),
        (partial(plots.plot_regions, None, MASK[0], threshold=1), ValueError, "`threshold` goes with a `score`"),
        (
            partial(plots.plot_regions, None, None, MAP[0], threshold={"a": 1, "b": 2}),
            ValueError,
            "`threshold` must be a single one, got 2",
        ),
    ],
)
def test_errors_name_the_argument_and_draw_nothing(call, error, message):
    ax = axes()
    with pytest.raises(error, match=message):
        call(**{"ax": ax} | call.keywords if isinstance(call, partial) else {"ax": ax})
    assert not ax.has_data()


@pytest.mark.parametrize("name", plots.__all__)
def test_what_is_no_flat_axes_of_matplotlib_is_refused(name):
    from matplotlib import pyplot as plt

    for wrong in (plt, Figure(), Figure().add_subplot(projection="polar"), Figure().add_subplot(projection="3d")):
        with pytest.raises(TypeError, match="^`ax` must be the axes of a figure of matplotlib, neither polar"):
            DRAWN[name](ax=wrong)
    with pytest.raises((TypeError, ValueError), match="`ax` must be"):
        DRAWN[name](ax=np.array(axes()))


# metric.plot() of torchmetrics


@pytest.mark.library("torch")
@pytest.mark.parametrize("scores", ["exact", "histogram"])
def test_metrics_of_a_ranking_plot_their_curve(scores):
    import torch

    import anomaly_kernels.torch as akt

    target, score = torch.as_tensor(TARGET), torch.as_tensor(SCORE)
    settings = {"ROCAUCMetric": {"max_fpr": 0.5}, "BestF1Metric": {}}
    for name, given in settings.items():
        metric = getattr(akt, name)(**given, scores=scores)
        for part in (slice(0, 50), slice(50, None)):
            metric.update(score[part], target[part])
        figure, ax = metric.plot(ax=axes())
        assert figure is ax.figure
        kind = "roc" if name == "ROCAUCMetric" else "precision_recall"
        expected = plots.plot_curve(metric.state, kind=kind, **given, ax=axes())
        np.testing.assert_array_equal(ax.lines[0].get_data(), expected.lines[0].get_data())
        assert legend(ax)[0] == legend(expected)[0]
        assert bool(ax.collections) == (scores == "histogram")
    value, place = ak.best_f1(TARGET, SCORE)
    assert legend(ax)[1] == f"best F1 {float(value):.2f} at {float(place):.3g}"
    assert metric.plot([metric.compute()] * 2, ax=axes())[1].lines[0].get_xdata().tolist() == [0, 1]


@pytest.mark.library("torch")
def test_other_values_of_a_ranking_are_marked_or_in_the_title():
    import torch

    import anomaly_kernels.torch as akt

    target, score = torch.as_tensor(TARGET), torch.as_tensor(SCORE)
    metric = akt.FPRAtTPRMetric(tpr=0.9)
    metric.update(score, target)
    _, ax = metric.plot(ax=axes())
    assert ax.get_title() == f"FPRAtTPRMetric: {float(ak.fpr_at_tpr(TARGET, SCORE, tpr=0.9)):.3f}"
    metric = akt.ThresholdAtRecallMetric(recall=0.8)
    metric.update(score, target)
    _, ax = metric.plot(ax=axes())
    np.testing.assert_allclose(np.ravel(ax.lines[1].get_data()), [metric.compute().recall, metric.compute().precision])
    metric = akt.AUPROMetric(max_fpr=0.2)
    metric.update(torch.as_tensor(MAP), torch.as_tensor(MASK))
    _, ax = metric.plot(ax=axes())
    assert legend(ax) == [f"AUPRO (FPR ≤ 0.2) {float(ak.aupro(MASK, MAP, max_fpr=0.2)):.3f}"]
