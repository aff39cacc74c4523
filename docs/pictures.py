"""Draw the value of a loss and its slope along one of its arrays, for the reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import anomaly_kernels as ak
from anomaly_kernels._catalogue import CATALOGUE, Entry
from anomaly_kernels.testing.arguments import arguments, array_arguments, draw

RANGE = np.linspace(-4.0, 4.0, 161)
SETTINGS = {"quantile_loss": {"quantiles": (0.9,)}}
SAMPLES = {"iou_loss": 4}  # of one pixel alone the overlap is all or nothing
COLORS = {"value": "#4477aa", "slope": "#ee6677"}


def draw_pictures(folder: Path) -> list[str]:
    """Draw the picture of each kernel that has one in the catalogue; the names of these kernels."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [entry for entry in CATALOGUE if entry.picture]
    for entry in entries:
        picture(entry).savefig(folder / f"{entry.name}.svg", metadata={"Date": None})
    return [entry.name for entry in entries]


def picture(entry: Entry) -> Figure:
    """Value and slope beside each other; with a curve for each truth, where there is one."""
    figure = Figure(figsize=(7.0, 2.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = dict(zip(COLORS, figure.subplots(1, 2), strict=True))
    for truth, style in ((1.0, "-"), (0.0, "--")) if "target" in array_arguments(entry.kernel) else ((None, "-"),):
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
    sizes = dict.fromkeys("TDELQ", 1) | {"N": SAMPLES.get(entry.name, 1), "K": 3}
    drawn = {name: draw(kind, rng, sizes) for name, kind in arguments(names, SETTINGS.get(entry.name, {})).items()}
    return {name: x.astype(float) if name == "target" else x for name, x in drawn.items()}
