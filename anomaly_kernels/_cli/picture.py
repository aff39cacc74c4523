"""The picture of the demo: the distribution of each detector's scores, and its precision and recall."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from anomaly_kernels._cli.detectors import Figures, Matrix
from anomaly_kernels.metrics import precision_recall_curve

Target = npt.NDArray[np.bool_]

NORMAL, ANOMALOUS, INK = "#4477aa", "#ee6677", "#444444"
CURVES = ("#228833", "#aa3377", "#ccaa22")


def draw(
    scores: Mapping[str, Matrix],
    figures: Mapping[str, Figures],
    target: Target,
    thresholds: Mapping[str, float],
    output: Path,
) -> None:
    """Save the picture at ``output``, in the format of its suffix."""
    picture = Figure(figsize=(12.5, 8), layout=ConstrainedLayoutEngine(h_pad=0.12, w_pad=0.12))
    FigureCanvasAgg(picture)
    panels = picture.subplots(2, 2).flat
    for panel, name in zip(panels, scores, strict=False):
        _draw_distributions(panel, scores[name], target, thresholds[name])
        remark = f"AUROC {float(figures[name].auroc):.4f}, F1 at the threshold {float(figures[name].f1):.3f}"
        _finish(panel, name[0].upper() + name[1:], remark)
    _draw_curves(panels[3], scores, figures, target)
    _finish(panels[3], "Precision and recall", "at every threshold")
    rows = f"{np.sum(~target)} normal and {np.sum(target)} anomalous rows"
    picture.suptitle(f"Statlog (Shuttle): {rows} that no detector was fitted to")
    output.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(output, dpi=130)


def _draw_distributions(axes: Any, scores: Matrix, target: Target, threshold: float) -> None:
    # Scores spread over decades on both sides of zero: linear where normal rows lie, logarithmic beyond.
    low, high = np.quantile(scores[~target], (0.05, 0.95))
    width = high - low
    first, last = np.arcsinh(min(scores.min(), 0.0) / width), np.arcsinh(scores.max() / width)
    bins = width * np.sinh(np.linspace(first, last, 60))
    for rows, color, label in ((~target, NORMAL, "normal rows"), (target, ANOMALOUS, "anomalous rows")):
        share = rows[rows] / np.sum(rows)
        axes.hist(scores[rows], bins, weights=share, color=color, alpha=0.45, label=label)
        axes.hist(scores[rows], bins, weights=share, color=color, histtype="step", linewidth=1.4)
    axes.axvline(threshold, color=INK, linestyle="--", linewidth=1.4, label="threshold, from normal rows alone")
    axes.set_xscale("asinh", linear_width=width)
    ticks = decades(scores, width)
    axes.set_xticks(list(ticks), list(ticks.values()), minor=False)
    axes.set_xticks([], minor=True)
    axes.set(xlabel="anomaly score", ylabel="share of the rows", xlim=(bins[0], bins[-1]))
    axes.legend(frameon=False, loc="upper right")


def decades(scores: Matrix, width: float) -> dict[float, str]:
    """Ticks and their labels: zero, and the powers of ten within the scores that stand clear of it."""
    first, last = int(np.ceil(np.log10(width))), int(np.floor(np.log10(np.max(np.abs(scores)))))
    ticks = {
        sign * 10.0**k: f"${'-' if sign < 0 else ''}10^{{{k}}}$" for k in range(first, last + 1) for sign in (-1, 1)
    }
    return {0.0: "0"} | {tick: label for tick, label in ticks.items() if scores.min() <= tick <= scores.max()}


def _draw_curves(axes: Any, scores: Mapping[str, Matrix], figures: Mapping[str, Figures], target: Target) -> None:
    for (name, values), color in zip(scores.items(), CURVES, strict=True):
        curve = precision_recall_curve(target, values)
        label = f"{name}: average precision {float(figures[name].average_precision):.3f}"
        axes.step(curve.recall[:-1], curve.precision[:-1], where="pre", color=color, linewidth=2, label=label)
    chance = float(np.mean(target))
    axes.axhline(chance, color=INK, linestyle=":", linewidth=1.4, label=f"random order: {chance:.3f}")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.02))
    axes.legend(frameon=False, loc="center")


def _finish(axes: Any, title: str, remark: str) -> None:
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_title(remark, loc="right", fontsize="medium", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.7)
    axes.set_axisbelow(True)
