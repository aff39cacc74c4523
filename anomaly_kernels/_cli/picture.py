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
from anomaly_kernels.plots import plot_curve, plot_scores

Target = npt.NDArray[np.bool_]


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
    *panels, last = picture.subplots(2, 2).flat
    for panel, name in zip(panels, scores, strict=True):
        line = {"threshold, from normal rows alone": thresholds[name]}
        plot_scores(target, scores[name], threshold=line, labels=("normal rows", "anomalous rows"), ax=panel)
        remark = f"AUROC {float(figures[name].auroc):.4f}, F1 at the threshold {float(figures[name].f1):.3f}"
        _finish(panel, name[0].upper() + name[1:], remark)
    for k, (name, values) in enumerate(scores.items(), 1):
        plot_curve(target, values, kind="precision_recall", name=name, chance=k == len(scores), ax=last)
    _finish(last, "Precision and recall", "at every threshold")
    rows = f"{np.sum(~target)} normal and {np.sum(target)} anomalous rows"
    picture.suptitle(f"Statlog (Shuttle): {rows} that no detector was fitted to")
    output.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(output, dpi=130)


def _finish(axes: Any, title: str, remark: str) -> None:
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_title(remark, loc="right", fontsize="medium")
    axes.grid(alpha=0.25, linewidth=0.7)
    axes.set_axisbelow(True)
