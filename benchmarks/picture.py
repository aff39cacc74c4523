"""The results as a picture: how fast, and with how much memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

MIB = 2**20
STYLE = {"plain": ("#4477aa", "o", "the plain formula"), "native": ("#ee6677", "D", "the library's own operation")}
OURS, INK = "#228833", "#444444"


def draw(results: dict[str, Any], output: Path) -> None:
    """Save the picture at `output`; one row of panels a library."""
    libraries = results["libraries"]
    rows = len(libraries)
    figure = Figure(figsize=(13, 1.1 + 4.1 * rows), layout=ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.12))
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, 3, squeeze=False, sharey="row")
    for row, (name, library) in zip(panels, libraries.items(), strict=True):
        ways = [way for way in ("forward", "forward + backward") if way in _large(library, way)]
        for axes, way in zip(row, ways, strict=False):
            _draw_speed(axes, library, way)
            axes.set_title(f"{name}: {way}", loc="left", fontweight="bold")
        for axes in row[len(ways) : 2]:
            axes.set_visible(False)
        _draw_memory(row[2], library)
        row[2].set_title(f"{name}: peak memory, forward", loc="left", fontweight="bold")
    machine = results["machine"]
    figure.suptitle(f"Large float32 inputs on {machine['cores']} cores, load {machine['load']:.1f}", color=INK)
    marks = {"ours": (OURS, "s", "ours"), **STYLE}.values()
    handles = [Line2D([], [], color=color, marker=marker, linestyle="", label=label) for color, marker, label in marks]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(output, dpi=110)


def _large(library: dict[str, Any], way: str) -> dict[str, Any]:
    """Ratios of one way of running at the largest size, by case; under the way itself whether there are any."""
    found = {}
    for case, sizes in library["speed"].items():
        ways = list(sizes.values())[-1]
        if way in ways:
            found[case] = ways[way]["ours_over"]
    return found | ({way: {}} if found else {})


def _draw_speed(axes: Any, library: dict[str, Any], way: str) -> None:
    over = _large(library, way)
    cases = list(library["speed"])
    for other, (color, marker, _) in STYLE.items():
        points = [(over[case][other]["median"], k) for k, case in enumerate(cases) if other in over[case]]
        if points:
            axes.scatter(*zip(*points, strict=True), s=42, color=color, marker=marker, zorder=3)
    axes.axvline(1, color=INK, linewidth=1.2)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 0.2), max(high, 5))
    axes.set_xlabel("← faster     our time over theirs     slower →")
    _tidy(axes, cases)


def _draw_memory(axes: Any, library: dict[str, Any]) -> None:
    cases = list(library["peak_bytes"])
    for key, (color, marker, _) in {"ours": (OURS, "s", "ours"), **STYLE}.items():
        # a floor, because nothing has no place on a logarithmic axis
        found = [(library["peak_bytes"][case].get(key), k) for k, case in enumerate(cases)]
        points = [(max(size / MIB, 0.05), k) for size, k in found if size is not None]
        if points:
            axes.scatter(*zip(*points, strict=True), s=42, color=color, marker=marker, zorder=3)
    axes.set_xscale("log")
    axes.set_xlim(0.03, 3e3)
    axes.axvline(2, color=INK, linestyle=":", linewidth=1.2)
    axes.set_xlabel("MiB beyond the inputs")
    _tidy(axes, cases)


def _tidy(axes: Any, cases: list[str]) -> None:
    axes.set_yticks(range(len(cases)), cases)
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.7)
    axes.set_axisbelow(True)
