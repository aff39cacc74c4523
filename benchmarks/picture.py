"""The results as two pictures: ratios and memory at large inputs, and growth from small to large."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

MIB = 2**20
INK = "#444444"
MARKS = {
    "ours": ("#228833", "s"),
    "the plain formula": ("#4477aa", "o"),
    "a peer": ("#ee6677", "D"),
    "the plain formula, beside a busy process": (INK, "x"),
}
HUES = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#66ccee", "#ccbb44")
# text stays text, which is small and can be searched; the same results give the same file
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "benchmarks", "font.size": 9}
Row = dict[str, Any]


def draw(results: dict[str, Any], folder: Path) -> list[Path]:
    """Save speed.svg and growth.svg in the folder; each has a row of panels a library."""
    libraries = {name: rows for name, rows in results["libraries"].items() if rows["speed"]}
    pictures = {"speed.svg": _speed, "growth.svg": _growth} if libraries else {}
    with mpl.rc_context(STYLE):
        for name, draw_figure in pictures.items():
            figure = draw_figure(libraries)
            FigureCanvasSVG(figure)
            figure.savefig(folder / name, metadata={"Date": None}, facecolor="white")
    return [folder / name for name in pictures]


def _panels(rows: int, columns: int, height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(12, 1 + height * rows), layout=ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.12))
    return figure, figure.subplots(rows, columns, squeeze=False)


def _speed(libraries: dict[str, Any]) -> Figure:
    cases = max(len({row["case"] for row in rows["speed"]}) for rows in libraries.values())
    figure, panels = _panels(len(libraries), 3, 1 + 0.22 * cases)
    for axes, (name, rows) in zip(panels, libraries.items(), strict=True):
        speed, memory = (_part(rows[kind], "large") for kind in ("speed", "memory"))
        cases = _distinct(speed, "case")
        ways = _distinct(speed, "way")[:2]
        for panel, way in zip(axes, ways, strict=False):
            _ratios(panel, [row for row in speed if row["way"] == way], cases)
            _tidy(panel, f"{name}: {way}", "← faster     our time over theirs     slower →")
        for panel in axes[len(ways) : 2]:
            panel.set_visible(False)
        _peaks(axes[2], [row for row in memory if row["way"] in ways[:1]], cases)
        _tidy(axes[2], f"{name}: memory, {', '.join(ways[:1])}", "MiB beyond the inputs")
    handles = [
        Line2D([], [], color=hue, marker=mark, linestyle="", label=label) for label, (hue, mark) in MARKS.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(MARKS), frameon=False)
    return figure


def _ratios(panel: Any, rows: list[Row], cases: list[str]) -> None:
    for row in rows:
        shown = {"plain": row["ours_over"]["plain"]} if row["busy"] else row["ours_over"]
        for who, (low, median, high) in shown.items():
            hue, mark = MARKS[_label(who) + ", beside a busy process" * row["busy"]]
            y = cases.index(row["case"])
            panel.plot((low, high), (y, y), color=hue, linewidth=1)
            panel.plot(median, y, color=hue, marker=mark, markersize=5)
    panel.axvline(1, color=INK, linewidth=1)
    panel.set_xscale("log")
    panel.set_xlim(min(panel.get_xlim()[0], 0.1), max(panel.get_xlim()[1], 10))
    _list(panel, cases)


def _peaks(panel: Any, rows: list[Row], cases: list[str]) -> None:
    for row in rows:
        for who, size in row["peak_bytes"].items():
            if size is not None:  # a floor, because nothing has no place on a logarithmic axis
                hue, mark = MARKS[_label(who)]
                panel.plot(max(size / MIB, 0.1), cases.index(row["case"]), color=hue, marker=mark, markersize=5)
    panel.set_xscale("log")
    panel.set_xlim(0.08, max(panel.get_xlim()[1], 100))
    _list(panel, cases)


def _growth(libraries: dict[str, Any]) -> Figure:
    figure, panels = _panels(len(libraries), 2, 3.2)
    for (left, right), (name, rows) in zip(panels, libraries.items(), strict=True):
        speed, memory = (_part(rows[kind], "growth") for kind in ("speed", "memory"))
        way = _distinct(speed, "way")[:1]
        _lines(left, [row for row in speed if row["way"] in way], _nanoseconds)
        _lines(right, [row for row in memory if row["way"] in way], _per_byte)
        _tidy(left, f"{name}: {', '.join(way)}; dotted: plain", "numbers in the input", "ns a number")
        _tidy(right, f"{name}: memory", "numbers in the input", "peak bytes a byte of input")
    return figure


def _lines(panel: Any, rows: list[Row], measured: Callable[[Row, str], float]) -> None:
    for case, hue in zip(_distinct(rows, "case"), HUES, strict=False):
        line = [row for row in rows if row["case"] == case]
        sizes = [row["elements"] for row in line]
        for who, style in (("ours", "-"), ("plain", ":")):
            label = case if who == "ours" else None
            panel.plot(sizes, [measured(row, who) for row in line], style, color=hue, marker=".", label=label)
    panel.set(xscale="log", yscale="log")
    if rows:
        panel.legend(frameon=False)


def _nanoseconds(row: Row, who: str) -> float:
    return float(1e6 * row["milliseconds"][who][1] / row["elements"])


def _per_byte(row: Row, who: str) -> float:
    return max((row["peak_bytes"][who] or 0) / row["input_bytes"], 1e-3)


def _label(who: str) -> str:
    return {"ours": who, "plain": "the plain formula"}.get(who, "a peer")


def _part(rows: list[Row], part: str) -> list[Row]:
    return [row for row in rows if row["part"] == part]


def _distinct(rows: list[Row], field: str) -> list[str]:
    return list(dict.fromkeys(row[field] for row in rows))


def _list(panel: Any, cases: list[str]) -> None:
    panel.set_yticks(range(len(cases)), cases)
    panel.set_ylim(len(cases) - 0.5, -0.5)


def _tidy(panel: Any, title: str, below: str, beside: str = "") -> None:
    panel.set_title(title, loc="left", fontweight="bold")
    panel.set(xlabel=below, ylabel=beside)
    for axis in (panel.xaxis, panel.yaxis) if beside else (panel.xaxis,):
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axis.set_minor_formatter(NullFormatter())
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(alpha=0.25, linewidth=0.7)
    panel.set_axisbelow(True)
