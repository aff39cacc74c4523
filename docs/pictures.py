"""Draw the value of a loss and its slope along one of its arrays, for the reference; and a scene for three pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import anomaly_kernels as ak
from anomaly_kernels._catalogue import CATALOGUE, Entry
from anomaly_kernels.testing.arguments import arguments, array_arguments, draw

RANGE = np.linspace(-4.0, 4.0, 161)
SETTINGS = {
    "quantile_loss": {"quantiles": (0.9,)},
    "ssim_loss": {"data_range": 4.0, "size": 3},
    "cosine_distance_loss": {"axis": None},
    "hard_feature_loss": {"quantile": 0.5},
    "deep_sad_loss": {"eps": 0.1},
    "outlier_exposure_loss": {"outlier_weight": 0.5},
    "energy_bounded_loss": {"margin_in": -2.0, "margin_out": -1.0},
}
# Else of one number: but of one pixel the overlap is all or nothing, of one logit nothing is left to compare, and one
# number has no direction but its sign, which does not depend on its length.
SIZES = {
    **{each: {"N": 4} for each in ("iou_loss", "dice_loss", "tversky_loss", "lovasz_hinge_loss", "hard_feature_loss")},
    **{each: {"D": 3} for each in ("outlier_exposure_loss", "energy_bounded_loss", "logit_score")},
    "cosine_distance_loss": {"N": 3},
    "supcon_loss": {"N": 4, "D": 2},
}
TRUTHS = {"deep_sad_loss": (1.0, 0.0, -1.0), "outlier_exposure_loss": (0.0, 1.0, -1.0)}
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


def draw_pictures(folder: Path) -> list[str]:
    """Draw the picture of each kernel that has one in the catalogue; the names of these kernels."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [entry for entry in CATALOGUE if entry.picture]
    for entry in entries:
        save(folder, entry.name, partial(picture, entry))
    return [entry.name for entry in entries]


def picture(entry: Entry) -> Figure:
    """Value and slope beside each other; with a curve for each truth, where there is one."""
    figure = Figure(figsize=(7.0, 2.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = dict(zip(COLORS, figure.subplots(1, 2), strict=True))
    truths = TRUTHS.get(entry.name, (1.0, 0.0)) if "target" in array_arguments(entry.kernel) else (None,)
    for truth, style in zip(truths, ("-", "--", ":"), strict=False):
        for name, curve in zip(COLORS, curves(entry, truth), strict=True):
            label = None if truth is None else f"target = {truth:.0f}"
            panels[name].plot(RANGE, curve, style, color=COLORS[name], label=label)
            panels[name].set(xlabel=entry.picture, ylabel=name)
            panels[name].spines[["top", "right"]].set_visible(False)
            if label:
                panels[name].legend(frameon=False)
    return figure


def curves(entry: Entry, truth: float | None) -> tuple[list[float], list[float]]:
    """The value, and its slope, where the first number of the array of the picture runs along the range."""
    inputs, settings = inputs_of(entry), SETTINGS.get(entry.name, {})
    if truth is not None:
        inputs["target"].flat[0] = truth

    def value(x: Any) -> Any:
        result = entry.kernel(**inputs | {entry.picture: x}, **settings)
        return ak.array_namespace(result).sum(result)

    values, slopes = [], []
    for t in RANGE:
        inputs[entry.picture].flat[0] = t
        y, slope = ak.value_and_grad(value)(inputs[entry.picture])
        values.append(float(y))
        slopes.append(float(slope.flat[0]))
    return values, slopes


def inputs_of(entry: Entry) -> dict[str, Any]:
    """Inputs of a single number each, or of a few samples."""
    names, rng = array_arguments(entry.kernel), np.random.default_rng(0)
    sizes = dict.fromkeys("NTDELQ", 1) | dict.fromkeys("HW", 5) | dict.fromkeys("KR", 3) | SIZES.get(entry.name, {})
    drawn = {name: draw(kind, rng, sizes) for name, kind in arguments(names, SETTINGS.get(entry.name, {})).items()}
    return {name: x.astype(float) if name == "target" else x for name, x in drawn.items()}


def draw_scenes(folder: Path) -> None:
    """Draw the pictures of the pages on images, series, decisions and embeddings."""
    scenes = {"images": images, "series": series, "decisions": decisions, "embeddings": embeddings}
    for name, draw_on in scenes.items():
        save(folder, name, partial(scene, draw_on))


def scene(draw_on: Callable[[Figure], None]) -> Figure:
    """A figure of the width of a page, with a scene in it."""
    figure = Figure(figsize=(7.0, 2.6), layout="constrained")
    FigureCanvasAgg(figure)
    draw_on(figure)
    return figure


def images(figure: Figure) -> None:
    """A map of scores with the borders of its regions, and the curve whose area is AUPRO."""
    rng = np.random.default_rng(0)
    target = np.zeros((1, 48, 48), bool)
    target[0, 6:14, 8:16] = target[0, 26:42, 24:44] = True
    noise = rng.normal(size=target.shape)
    score = sum(np.roll(noise, (i, j), (1, 2)) for i in range(-2, 3) for j in range(-2, 3)) / 5 + 1.5 * target
    left, right = figure.subplots(1, 2)
    left.imshow(score[0], cmap="Greys", rasterized=True)
    left.contour(target[0], [0.5], colors=COLORS["slope"])
    left.set(xticks=[], yticks=[], title="score and regions")
    thresholds = np.quantile(score, np.linspace(1, 0, 200))
    rates = [float((score[~target] >= t).mean()) for t in thresholds]
    overlaps = [float(ak.per_region_overlap(target, score >= t)) for t in thresholds]
    right.plot(rates, overlaps, color=COLORS["value"])
    inside = np.asarray(rates) <= 0.3
    right.fill_between(np.asarray(rates)[inside], np.asarray(overlaps)[inside], color=COLORS["value"], alpha=0.3)
    value = float(ak.aupro(target, score))
    right.set(
        xlabel="false positive rate", ylabel="per-region overlap", title=f"AUPRO {value:.2f}, up to a rate of 0.3"
    )
    right.spines[["top", "right"]].set_visible(False)


def embeddings(figure: Figure) -> None:
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
    left.hist(few, bins=30, color=COLORS["value"], alpha=0.4)
    thresholds = {
        "a rate of 5 %": (float(ak.threshold_at_rate(few)), "-"),
        "… with confidence": (float(ak.threshold_at_rate(few, confidence=0.95)), "--"),
        "median + 3 MAD": (float(ak.spread_threshold(few)), ":"),
    }
    for label, (threshold, style) in thresholds.items():
        left.axvline(threshold, color=COLORS["slope"], linestyle=style, label=label)
    left.set(xlabel="score of normal data", ylabel="number", xlim=(0, 8))
    left.legend(frameon=False, loc="upper right")
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
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
