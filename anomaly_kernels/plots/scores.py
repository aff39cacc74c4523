"""The distribution of scores in each class, with thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from anomaly_kernels._core.checks import choice
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels.plots import _axes
from anomaly_kernels.plots._axes import Numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDEST = 1e300
"""Beyond it the arithmetic of axes overflows."""

_FAR = 30.0
"""Scores that reach this many times as far as most normal ones are not seen on a linear axis."""


@with_hint
def plot_scores(
    target: Any,
    score: Any,
    *,
    threshold: Any = None,
    bins: Any = 60,
    scale: Literal["auto", "linear", "asinh"] = "auto",
    labels: tuple[str, str] = ("normal", "anomalous"),
    ax: Axes | None = None,
) -> Axes:
    """Histograms of the scores of normal and of anomalous samples, as shares of each class, and thresholds as lines.

    Parameters
    ----------
    target : array, shape of `score`, or None
        True anomalies: 0 or False is normal, other whole numbers are anomalous. With None there is one histogram, of
        all scores.
    score : array
        Scores, higher for anomalies. Of any library; scores that are not finite are only counted in the legend.
    threshold : number, 0-d array, result or mapping, optional
        Where lines are drawn: a number, what `best_f1`, `threshold_at_recall`, `threshold_at_precision` or
        `peaks_over_threshold` returned, or a mapping from labels to several of these.
    bins : int, sequence or str
        How many bins, of equal widths on the axis; or their edges; or a rule of `numpy.histogram_bin_edges`.
    scale : {"auto", "linear", "asinh"}
        The axis of scores. ``"asinh"`` is linear where normal scores lie and logarithmic beyond; ``"auto"`` uses it if
        scores reach more than 30 times as far as most normal ones, which lie about 0.
    labels : pair of str
        Names of the classes in the legend.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes that were drawn in.

    Raises
    ------
    TypeError
        If an argument is not an array of numbers, or not a threshold.
    ValueError
        If the shapes differ, `target` has fractions, negative numbers or NaN, no score is finite, or there is no such
        scale.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> from anomaly_kernels.plots import plot_scores
    >>> from matplotlib.figure import Figure
    >>> rng = np.random.default_rng(0)
    >>> target = np.arange(500) < 50
    >>> score = rng.normal(size=500) + 3.0 * target
    >>> ax = plot_scores(target, score, threshold=ak.best_f1(target, score), ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['normal', 'anomalous', 'best F1 0.89 at 2.26']
    """
    choice("scale", scale, ("auto", "linear", "asinh"))
    normal_label, anomalous_label = _axes.pair("labels", labels, "a pair of str")
    for label in (normal_label, anomalous_label):
        if not isinstance(label, str):
            raise TypeError(f"`labels` must be a pair of str, got one of {describe(label)}")
    values, lines = _axes.numbers("score", score), _axes.thresholds(threshold)
    if target is None:
        classes = [(np.ones_like(values, dtype=np.bool_), _axes.NORMAL, "scores")]
    else:
        anomalous = _axes.mask("target", target)
        _axes.same_shape("target", anomalous.shape, "shape of `score`", values.shape)
        classes = [(~anomalous, _axes.NORMAL, normal_label), (anomalous, _axes.ANOMALOUS, anomalous_label)]
    finite = np.isfinite(values)
    ends = [*_axes.ends("score", values), *(t for t in lines.values() if np.isfinite(t))]
    if max(ends) - min(ends) > _WIDEST:
        raise ValueError(f"`score` and `threshold` must span at most {_WIDEST}, got {min(ends)} to {max(ends)}")
    normal = values[classes[0][0] & finite]
    width = linear_width(normal if normal.size else values[finite], min(ends), max(ends), scale)
    edges = _edges(values[finite], bins, width)
    ax = _axes.axes_or_new(ax)
    for rows, color, label in classes:
        shown = values[rows & finite]
        said = f"{label} ({np.sum(rows) - shown.size} not finite)" if shown.size < np.sum(rows) else label
        share = np.full(shown.size, 1.0 / max(int(np.sum(rows)), 1))
        style: dict[str, Any] = {"facecolor": (color, 0.4), "edgecolor": color, "linewidth": 1.4}
        ax.hist(shown, edges, weights=share, histtype="stepfilled", label=said, **style)
    height = 1.04 * ax.dataLim.y1
    for label, t, style in _axes.with_styles(lines):
        ax.plot([t, t], [0.0, height], color=_axes.ink(), linestyle=style, linewidth=1.4, label=label)
    if width:
        ax.set_xscale("asinh", linear_width=width)
        ticks = decades(min(ends), max(ends), width)
        ax.set_xticks(list(ticks), list(ticks.values()))
        ax.set_xticks([], minor=True)
    ax.set(xlabel="anomaly score", ylabel="share of the scores" if target is None else "share of each class")
    ax.set_xlim(min([edges[0], *ends[2:]]), max([edges[-1], *ends[2:]]))
    entries = len(ax.get_legend_handles_labels()[1])
    ax.set_ylim(0, (1.04 + 0.11 * entries) * height)  # with room for the legend
    _axes.tidy(ax, loc="upper right")
    return ax


def linear_width(normal: Numbers, low: float, high: float, scale: str) -> float:
    """How wide the linear part of an asinh axis is, that of most normal scores; 0 where the axis is linear."""
    if scale == "linear":
        return 0.0
    most = np.quantile(normal, (0.05, 0.95))
    width = float(most[1] - most[0])
    if scale == "asinh":
        return width or max(abs(low), abs(high)) / 1000.0 or 1.0
    about_zero = float(np.max(np.abs(most))) < 10.0 * width
    return width if about_zero and high - low > _FAR * width else 0.0


def decades(low: float, high: float, width: float) -> Mapping[float, str]:
    """Ticks and their labels: zero, and the powers of ten within the scores that stand clear of it."""
    first, last = int(np.ceil(np.log10(width))), int(np.floor(np.log10(max(abs(low), abs(high), width))))
    step = 1 + max(last - first, 0) // 8
    ticks = {
        sign * 10.0**k: f"${'-' if sign < 0 else ''}10^{{{k}}}$"
        for k in range(first, last + 1, step)
        for sign in (-1, 1)
    }
    return {tick: label for tick, label in ({0.0: "0"} | ticks).items() if low <= tick <= high}


def _edges(values: Numbers, bins: Any, width: float) -> Numbers:
    """Edges of bins as given, or equally wide on the axis."""
    if np.ndim(bins):
        edges = np.asarray(bins)
        is_row = edges.ndim == 1 and edges.size > 1 and edges.dtype.kind in "iuf"
        if not is_row or not np.all(np.isfinite(edges)) or not np.all(np.diff(edges) > 0):
            raise ValueError(f"`bins` must be a number, a rule, or two or more finite edges that ascend, got {bins}")
        return edges.astype(np.float64)
    try:
        if not width:
            return np.histogram_bin_edges(values, bins)
        return np.asarray(width * np.sinh(np.histogram_bin_edges(np.arcsinh(values / width), bins)))
    except (TypeError, ValueError) as error:
        expected = f"a number, a rule or edges that fit scores from {values.min():.3g} to {values.max():.3g}"
        raise type(error)(f"`bins` must be {expected}, got {bins!r}: {error}") from None
