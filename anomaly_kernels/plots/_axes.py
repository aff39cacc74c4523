"""What all plots share: axes, colours, arrays of any library as NumPy's, and thresholds with what a legend says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from anomaly_kernels._core.checks import ANY_OR_NAN, Range, is_number, setting
from anomaly_kernels._core.namespace import array_namespace, common_namespace, describe, namespace_or_none
from anomaly_kernels._core.targets import check_decision, check_target
from anomaly_kernels.metrics.decisions.operating import OperatingPoint
from anomaly_kernels.metrics.decisions.tails import TailFit
from anomaly_kernels.metrics.ranking.decisions import BestF1

Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# the bright scheme of P. Tol, whose colours are told apart by colour-blind people too
NORMAL, ANOMALOUS, FOUND, PURPLE, CYAN = "#4477aa", "#ee6677", "#228833", "#aa3377", "#66ccee"
COLORS = (NORMAL, ANOMALOUS, FOUND, PURPLE, CYAN, "#ccbb44")
STYLES: tuple[Any, ...] = ("--", ":", "-.", (0, (6, 1, 1, 1, 1, 1)))


def axes_or_new(ax: Any) -> Any:
    """The axes given, or those of a new figure of pyplot."""
    if ax is None:
        from matplotlib import pyplot as plt

        return plt.subplots()[1]
    if not isinstance(ax, Axes) or ax.name in ("polar", "3d"):
        raise TypeError(f"`ax` must be the axes of a figure of matplotlib, neither polar nor 3-D, got {describe(ax)}")
    return ax


def one_or_two_axes(ax: Any) -> tuple[Any, Any, Any]:
    """The axes to return, and the first and the second of a pair; None where there is but one."""
    if not isinstance(ax, list | tuple | np.ndarray):
        ax = axes_or_new(ax)
        return ax, ax, None
    first, second = map(axes_or_new, pair("ax", ax, "axes, or a pair of them"))
    return ax, first, second


def pair(name: str, value: Any, expected: str) -> tuple[Any, Any]:
    """The two of a sequence; raise for anything else."""
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        raise TypeError(f"`{name}` must be {expected}, got {describe(value)}")
    values = list(value.flat) if isinstance(value, np.ndarray) else list(value)
    if len(values) != 2:
        raise ValueError(f"`{name}` must be {expected}, got {len(values)} of them")
    return values[0], values[1]


def ink() -> Any:
    """The colour of text, in which lines are seen on any background."""
    return rcParams["text.color"]


def next_color(ax: Any) -> Any:
    """The first of the colours that the fewest lines of the axes have."""
    used = [to_hex(line.get_color()) for line in ax.lines]
    return min(COLORS, key=used.count)


def tidy(ax: Any, **legend: Any) -> None:
    """Leave out the lines above and on the right, and draw the legend anew, if there is anything to say."""
    ax.spines[["top", "right"]].set_visible(False)
    if ax.get_legend_handles_labels()[1]:
        # it lies within the axes, which need not shrink for it
        ax.legend(frameon=False, fontsize="small", **legend).set_in_layout(False)


def array(name: str, x: Any) -> npt.NDArray[Any]:
    """An array of any library, on any device, as NumPy's, without gradient; of bfloat16, which NumPy lacks, float32."""
    xp = namespace_or_none(x) or common_namespace({name: x})  # which raises
    values = np.asarray(xp.to_numpy(x))
    if values.dtype.name == "bfloat16":
        return values.astype(np.float32)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"`{name}` must be boolean, integer or real, got dtype {x.dtype}")
    return values


def numbers(name: str, x: Any) -> Numbers:
    """An array of any library as real numbers of NumPy."""
    return array(name, x).astype(np.float64)


def number(name: str, value: Any, allowed: Range = ANY_OR_NAN) -> float:
    """A number, or an array of one of any library; raise unless it is in a range."""
    setting(name, value, allowed)
    if not is_number(value):
        value = float(numbers(name, value))
        setting(name, value, allowed)
    return float(value)


def mask(name: str, x: Any, *, decision: bool = False) -> Mask:
    """True anomalies, or decisions, of any library as truth values: 0 is False; scores and -1 are refused."""
    values = array(name, x)
    if np.any(np.isnan(values)):
        raise ValueError(f"`{name}` must say of each point whether it is anomalous, got NaN")
    (check_decision if decision else check_target)(array_namespace(values), values, name)
    return np.asarray(values != 0)


def ends(name: str, values: Numbers) -> tuple[float, float]:
    """The least and the greatest finite number; raise where there is none."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise ValueError(f"`{name}` must have finite numbers, got {values.size}, none of them finite")
    return float(finite.min()), float(finite.max())


def same_shape(name: str, shape: tuple[int, ...], of: str, expected: tuple[int, ...]) -> None:
    """Raise unless an array has a shape, which is that `of` another one."""
    if shape != expected:
        raise ValueError(f"`{name}` must have the {of}, {expected}, got {shape}")


def thresholds(value: Any) -> dict[str, float]:
    """Thresholds by what the legend says of them: of a number, an array of one, a result of the metrics, or several."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {str(label): _threshold(each) for label, each in value.items()}
    threshold = _threshold(value)
    return {f"{_meaning(value)} {threshold:.3g}": threshold}


def with_styles(lines: Mapping[str, float]) -> list[tuple[str, float, Any]]:
    """Each threshold with a style of its line; the legend says of those that are no number that they are none."""
    styles = islice(cycle(STYLES), len(lines))
    return [
        (label if np.isfinite(t) or label.endswith(str(t)) else f"{label} ({t})", t, style)
        for (label, t), style in zip(lines.items(), styles, strict=True)
    ]


def _threshold(value: Any) -> float:
    return number("threshold", getattr(value, "threshold", value))


def _meaning(value: Any) -> str:
    if isinstance(value, BestF1):
        return f"best F1 {number('value', value.value):.2f} at"
    if isinstance(value, OperatingPoint):
        precision, recall = number("precision", value.precision), number("recall", value.recall)
        return f"precision {precision:.2f}, recall {recall:.2f} at"
    return "threshold of the tail" if isinstance(value, TailFit) else "threshold"
