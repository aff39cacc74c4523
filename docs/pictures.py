"""Draw the pictures of the documentation: the value and slope of each loss for the reference, and scenes for pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import anomaly_kernels as ak
from anomaly_kernels._catalogue import CATALOGUE, Entry
from anomaly_kernels._cli import detectors
from anomaly_kernels.data import load_ecg, load_shuttle
from anomaly_kernels.plots import plot_curve, plot_loss, plot_regions, plot_scores, plot_series
from anomaly_kernels.plots.losses import SETTINGS
from anomaly_kernels.streaming import ScoreHistogram, update

COLORS = {"value": "#4477aa", "slope": "#ee6677"}

# the page is behind a picture, so ink and lines take the colour that text has on it
INK = {"light": "#323232", "dark": "#ced6dd"}


def save(folder: Path, name: str, make: Callable[[], Figure]) -> None:
    """Draw a picture twice, for pages in light and in dark."""
    for theme, ink in INK.items():
        inked = dict.fromkeys(
            ("text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color"), ink
        )
        with rc_context({**inked, "axes.facecolor": "none", "svg.hashsalt": name}):
            make().savefig(folder / f"{name}.{theme}.svg", metadata={"Date": None}, transparent=True)


def figure_of(height: float) -> Figure:
    """A figure of the width of a page."""
    figure = Figure(figsize=(7.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


SHOWN = {"deep_sad_loss": {"eta": 2.0}}
"""Settings beside those of `plot_loss`: with η = 1 known normal samples and others have the same curve."""
SPANS = {"deviation_loss": (-2.0, 8.0)}
"""Where the default range does not reach what the loss is about: here the margin of 5."""
SLOPES = {"hypersphere_classifier_loss": (-5.0, 5.0), "supcon_loss": (-4.0, 0.5)}
"""Limits of slopes that are so steep at one place that the rest would look flat."""


def draw_pictures(folder: Path) -> list[str]:
    """Draw the picture of each kernel that has one in the catalogue; the names of these kernels."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [entry for entry in CATALOGUE if entry.picture]
    for entry in entries:
        save(folder, entry.name, partial(picture, entry))
    return [entry.name for entry in entries]


def picture(entry: Entry) -> Figure:
    """Value and slope beside each other; with a curve for each truth, where there is one."""
    figure = figure_of(2.4)
    given = SETTINGS.get(entry.name, {}) | SHOWN.get(entry.name, {})
    pair = figure.subplots(1, 2)
    plot_loss(entry.kernel, span=SPANS.get(entry.name, (-4.0, 4.0)), ax=pair, **given)
    if entry.name in SLOPES:
        pair[1].set_ylim(SLOPES[entry.name])
    if given:
        figure.suptitle(", ".join(f"{name} = {x}" for name, x in given.items()), fontsize="medium")
    return figure


def draw_scenes(folder: Path) -> None:
    """Draw the pictures of the pages."""
    for name, draw_on in SCENES.items():
        save(folder, name, partial(scene, draw_on))


def scene(draw_on: Callable[[Figure], None]) -> Figure:
    """A figure with a scene in it."""
    figure = figure_of(2.8)
    draw_on(figure)
    return figure


@cache
def shuttle() -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """True anomalies of the rows of Statlog (Shuttle) that the demo scores, its scores, and those of the other rows."""
    rows = detectors.split(load_shuttle())
    fitted = detectors.fit(rows.train)
    return rows.target, detectors.score(fitted, rows.test), detectors.score(fitted, rows.train)


def start(figure: Figure) -> None:
    """Scores of both classes with two thresholds, and precision and recall at all of them."""
    target, scores, of_train = shuttle()
    left, right = figure.subplots(1, 2)
    name = detectors.MIXTURE
    thresholds = {
        "1 % false alarms": ak.threshold_at_rate(of_train[name], rate=0.01),
        "best F1": ak.best_f1(target, scores[name]),
    }
    plot_scores(target, scores[name], threshold=thresholds, ax=left)
    left.set_xlabel(f"anomaly score of the {name}")
    for name, values in scores.items():
        plot_curve(target, values, kind="precision_recall", name=name, ax=right)


def scores_of_classes(figure: Figure) -> None:
    """A histogram on a linear axis, with the threshold of an operating point, and a skewed one."""
    rng = np.random.default_rng(0)
    left, right = figure.subplots(1, 2)
    target = np.arange(2000) < 200
    score = rng.normal(size=2000) + 3.0 * target
    plot_scores(target, score, bins=30, threshold=ak.threshold_at_recall(target, score, recall=0.9), ax=left)
    truth, scores, of_train = shuttle()
    threshold = ak.threshold_at_rate(of_train[detectors.HYPERSPHERE], rate=0.01)
    plot_scores(truth, scores[detectors.HYPERSPHERE], threshold=threshold, ax=right)


def curve(figure: Figure) -> None:
    """ROC and precision-recall curves of two scores, of which one is kept in a coarse histogram."""
    rng = np.random.default_rng(0)
    target = np.arange(1000) < 300
    good, poor = (rng.normal(size=1000) + shift * target for shift in (2.0, 1.6))
    state = update(ScoreHistogram.empty(poor, edges=np.linspace(-4, 6, 21)), target, poor)
    for axes, kind in zip(figure.subplots(1, 2), ("roc", "precision_recall"), strict=True):
        plot_curve(target, good, kind=kind, threshold={"best F1": ak.best_f1(target, good)}, name="each score", ax=axes)
        plot_curve(state, kind=kind, name="20 buckets", chance=True, ax=axes)


def loss(figure: Figure) -> None:
    """Two losses of a score, with value and slope beside each other."""
    pair = figure.subplots(1, 2)
    target = np.ones((1, 1, 1))
    plot_loss(ak.anomaly_bce_with_logits, "logit", target=target, name="cross entropy", ax=pair)
    plot_loss(ak.focal_loss_with_logits, "logit", target=target, name="focal", ax=pair)


def maps() -> tuple[np.ndarray, np.ndarray]:
    """A mask with a small and a large region, and a map of scores."""
    rng = np.random.default_rng(0)
    target = np.zeros((1, 48, 48), bool)
    target[0, 6:14, 8:16] = target[0, 26:42, 24:44] = True
    noise = rng.normal(size=target.shape)
    around = [(i, j) for i in range(-2, 3) for j in range(-2, 3)]
    score = noise + 0.35 * target
    for _ in range(2):
        score = sum(np.roll(score, shift, (1, 2)) for shift in around) / 5
    return target, score


def images(figure: Figure) -> None:
    """A map of scores with the borders of its regions, and the curve whose area is AUPRO."""
    target, score = maps()
    left, right = figure.subplots(1, 2)
    plot_regions(None, target[0], score[0], ax=left)
    plot_curve(target, score, kind="pro", ax=right)


def regions(figure: Figure) -> None:
    """An image with what is anomalous in it, and what a threshold finds in the map of scores."""
    target, score = maps()
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:48, :48]
    image = 0.55 + 0.12 * np.sin(rows / 2.0) * np.cos(columns / 3.0) + 0.03 * rng.normal(size=(48, 48))
    image[target[0]] -= 0.25
    left, right = figure.subplots(1, 2)
    plot_regions(image, target[0], ax=left)
    plot_regions(image, target[0], score[0], threshold=ak.threshold_at_rate(score[~target], rate=0.01), ax=right)


def surface(figure: Figure) -> None:
    """Two scores in the plane, of normal data that lie on a ring: the distance from the mean, and from a neighbour."""
    rng = np.random.default_rng(0)
    angle, radius = rng.uniform(0, 2 * np.pi, 200), 2.0 + 0.2 * rng.normal(size=200)
    normal = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    ends = np.linspace(-4, 4, 121)
    plane = np.stack(np.meshgrid(ends, ends), axis=-1)
    params = ak.mahalanobis_fit(normal)
    scores = {
        "mahalanobis_score": ak.mahalanobis_score(plane, params.mean, params.chol),
        "knn_score, k=5": ak.knn_score(plane, normal, k=5),
    }
    for axes, (name, score) in zip(figure.subplots(1, 2), scores.items(), strict=True):
        axes.contourf(ends, ends, score, levels=12, cmap="Greys")
        axes.plot(*normal.T, ".", color=COLORS["value"], markersize=3)
        axes.set(xticks=[], yticks=[], title=name, aspect="equal")


def series(figure: Figure) -> None:
    """An electrocardiogram with a ventricular beat, and the error of each window on the principal ones before."""
    ecg = load_ecg()
    values, target = ecg.values.reshape(-1, 9).mean(1), ecg.target.reshape(-1, 9).any(1)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, (12, 12), mode="edge"), 25)
    windows = windows - windows.mean(1, keepdims=True)
    known = ecg.n_train // 9
    principal = np.linalg.svd(windows[:known], full_matrices=False).Vh[:6]
    score = ak.reconstruction_error(windows, windows @ principal.T @ principal)
    axes = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    threshold = ak.peaks_over_threshold(score[:known], risk=1e-3, level=0.9)
    plot_series(values, target=target, score=score, threshold=threshold, time=np.arange(values.size) / 40, ax=axes)
    axes[0].set_ylabel("mV")
    axes[1].set_xlabel("s")


def buffers(figure: Figure) -> None:
    """An event with its buffers, and a score that is a little late."""
    time, window = np.arange(300), 60
    target = (time >= 140) & (time < 170)
    distance = np.maximum(np.maximum(140 - time, time - 169), 0)
    weight = np.where(distance <= window // 2, np.sqrt(1 - np.minimum(distance / window, 1)), 0.0)
    score = np.exp(-(((time - 168) / 22.0) ** 2)) + 0.08 * np.random.default_rng(0).random(300)
    axes = figure.subplots()
    axes.fill_between(time, weight, color=COLORS["slope"], alpha=0.25, step="mid", label="buffers: weight of a point")
    axes.fill_between(time, target, color=COLORS["slope"], alpha=0.5, step="mid", label="event")
    axes.plot(time, score, color=COLORS["value"], label="score, a little late")
    areas = {w: float(ak.range_auc(target, score, window=w).average_precision) for w in (0, window)}
    title = ", ".join(f"{value:.2f} at window {w}" for w, value in areas.items())
    axes.set(xlabel="time step", title=f"average precision of the range: {title}")
    axes.legend(frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)


def decisions(figure: Figure) -> None:
    """Scores of normal data with thresholds of three rules, and a tail that is fitted beyond them."""
    score = np.random.default_rng(0).lognormal(sigma=0.6, size=2000)
    left, right = figure.subplots(1, 2)
    few = score[:200]
    thresholds = {
        "a rate of 5 %": ak.threshold_at_rate(few),
        "… with confidence": ak.threshold_at_rate(few, confidence=0.95),
        "median + 3 MAD": ak.spread_threshold(few),
    }
    plot_scores(None, few, threshold=thresholds, bins=30, ax=left)
    left.set_xlabel("score of normal data")
    fit = ak.peaks_over_threshold(score, risk=1e-5)
    initial, shape, scale = (float(x) for x in (fit.initial, fit.shape, fit.scale))
    beyond = np.linspace(initial, float(fit.threshold), 100)
    share = float(fit.peaks) / score.size
    right.semilogy(np.sort(score)[::-1], np.arange(1, 2001) / 2000, ".", color=COLORS["value"], label="scores")
    tail = share * (1 + shape * (beyond - initial) / scale) ** (-1 / shape)
    right.semilogy(beyond, tail, color=COLORS["slope"], label="tail")
    right.axvline(float(fit.threshold), color=COLORS["slope"], linestyle=":", label="risk 1e-5")
    right.set(xlabel="score", ylabel="share at least as high")
    right.legend(frameon=False)
    right.spines[["top", "right"]].set_visible(False)


SCENES = {
    "start": start,
    "scores": scores_of_classes,
    "curve": curve,
    "loss": loss,
    "surface": surface,
    "images": images,
    "regions": regions,
    "series": series,
    "buffers": buffers,
    "decisions": decisions,
}
