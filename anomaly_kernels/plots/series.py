"""A series with its events, its score and the alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.dates import ConciseDateFormatter, date2num

from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels.plots import _axes
from anomaly_kernels.plots._axes import Mask, Numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@with_hint
def plot_series(
    signal: Any,
    *,
    target: Any = None,
    score: Any = None,
    threshold: Any = None,
    alarms: Any = None,
    time: Any = None,
    ax: Axes | Sequence[Axes] | None = None,
) -> Axes | Sequence[Axes]:
    """A series as a line with shaded events, its score with thresholds below, and bars for alarms.

    Parameters
    ----------
    signal : array, shape (T,) or (T, D)
        The series, a line for each of its D channels.
    target : array, shape (T,), optional
        True anomalies: 0 or False is normal, other whole numbers are anomalous. Points side by side are one event.
    score : array, shape (T,), optional
        A score of each point, higher for anomalies.
    threshold : number, 0-d array, result or mapping, optional
        Lines across the score; what `plot_scores` takes. A single threshold marks alarms too: ``score >= threshold``.
    alarms : array, shape (T,), optional
        Points that raise an alarm (1 or True), instead of those of the threshold.
    time : array, shape (T,), optional
        The time of each point, ascending; by default its number. Also NumPy's ``datetime64``.
    ax : matplotlib.axes.Axes, or a pair of them, optional
        Where to draw; by default a new figure. Of a pair, the first has the series, the second the score. In one, the
        score is in the lower third, with an axis of its own on the right.

    Returns
    -------
    matplotlib.axes.Axes, or a pair of them
        What was drawn in.

    Raises
    ------
    TypeError
        If an argument is not an array of numbers, or not a threshold.
    ValueError
        If the shapes do not go together, `target` or `alarms` has fractions, negative numbers or NaN, `time` does not
        ascend, or there is a threshold without a score.

    Examples
    --------
    >>> import numpy as np
    >>> from anomaly_kernels.plots import plot_series
    >>> from matplotlib.figure import Figure
    >>> time = np.arange(200)
    >>> target = (time >= 120) & (time < 140)
    >>> signal, score = np.sin(time / 5) * ~target, target + 0.1 * np.cos(time)
    >>> above, below = Figure().subplots(2, 1, sharex=True)
    >>> _ = plot_series(signal, target=target, score=score, threshold=0.5, ax=(above, below))
    >>> [text.get_text() for text in below.get_legend().get_texts()]
    ['score', 'threshold 0.5', 'alarm']
    """
    values = _axes.numbers("signal", signal)
    if values.ndim not in (1, 2) or 0 in values.shape:
        raise ValueError(f"`signal` must have shape (T,) or (T, D), got {values.shape}")
    steps, lines = values.shape[:1], _axes.thresholds(threshold)
    if score is None and lines:
        raise ValueError("`threshold` goes with a `score`, got None")
    moments = np.arange(float(steps[0])) if time is None else _moments(time, steps)
    events = None if target is None else _axes.mask("target", target)
    scores = None if score is None else _axes.numbers("score", score)
    raised = None if alarms is None else _axes.mask("alarms", alarms, decision=True)
    given = {"target": events, "score": scores, "alarms": raised}
    for name, shape in {name: x.shape for name, x in given.items() if x is not None}.items():
        _axes.same_shape(name, shape, "length of `signal`", steps)
    if raised is None and scores is not None and len(lines) == 1:
        raised = scores >= next(iter(lines.values()))
    ax, above, below = _axes.one_or_two_axes(ax)
    channels = values.reshape(steps[0], -1).T
    for k, channel in enumerate(channels):
        label = "series" if len(channels) == 1 else f"series {k}"
        above.plot(moments, channel, color=_axes.COLORS[k % len(_axes.COLORS)], linewidth=1.0, label=label)
    panels = [above] if below is None else [above, below]
    for panel in panels if _are_dates(time) else ():
        panel.xaxis_date()
        panel.xaxis.set_major_formatter(ConciseDateFormatter(panel.xaxis.get_major_locator()))  # labels that have room
    if events is not None:
        for panel, said in zip(panels, ("event", None), strict=False):
            _fill(panel, _spans(moments, events), 1.0, said, color=_axes.ANOMALOUS, alpha=0.25)
    _leave_room(above, values, under=0.05 if scores is None or below is not None else 0.8)
    lowest = panels[-1] if below is not None or scores is None else above.twinx()
    if scores is not None:
        _draw_score(lowest, moments, scores, lines, over=2.6 if below is None else 0.3)
    if raised is not None:
        _fill(lowest, _spans(moments, raised), 0.05, "alarm", color=_axes.ink())
    panels[-1].set_xlabel("time step" if time is None else "time")
    for panel in panels:
        panel.margins(x=0)
        _axes.tidy(panel, loc="upper left", ncols=4)
    if lowest not in panels:
        _join_legends(above, lowest)
    return ax


def _are_dates(time: Any) -> bool:
    return isinstance(time, np.ndarray) and time.dtype.kind == "M"


def _moments(time: Any, steps: tuple[int, ...]) -> Numbers:
    """The time of each point as a number, of a date in days as matplotlib counts them; each later than the last."""
    moments = np.asarray(date2num(time)) if _are_dates(time) else _axes.numbers("time", time)
    _axes.same_shape("time", moments.shape, "length of `signal`", steps)
    with np.errstate(invalid="ignore"):  # of infinities
        right = np.isfinite(moments) & np.append(True, np.diff(moments) > 0.0)
    if not np.all(right):
        k = int(np.argmin(right))
        said = f"{time[k]} after {time[k - 1]}" if k else time[k]
        raise ValueError(f"`time` must be finite and ascend from each point to the next, got {said}")
    return moments


def _draw_score(ax: Any, moments: Numbers, scores: Numbers, lines: Mapping[str, float], over: float) -> None:
    ax.plot(moments, scores, color=_axes.PURPLE, linewidth=1.0, label="score")
    for label, t, style in _axes.with_styles(lines):
        ax.axhline(t, color=_axes.ink(), linestyle=style, linewidth=1.2, label=label)
    _leave_room(ax, np.append(scores, list(lines.values())), under=0.1, over=over)
    ax.set_ylabel("score")


def _join_legends(ax: Any, twin: Any) -> None:
    """Leave one legend, of what is drawn in the axes and in their twin on the right."""
    handles, labels = ax.get_legend_handles_labels()
    more, said = twin.get_legend_handles_labels()
    ax.get_legend().remove()
    twin.spines[["top", "left"]].set_visible(False)
    twin.legend(handles + more, labels + said, fontsize="small", frameon=False, loc="upper left", ncols=5)


def _spans(moments: Numbers, points: Mask) -> list[tuple[float, float]]:
    """From when to when each run of points that are true lasts: half the way to the next points on both sides."""
    turns = np.flatnonzero(np.diff(np.concatenate([[False], points, [False]])))
    between = 0.5 * (moments[1:] + moments[:-1]) if moments.size > 1 else moments + 0.5
    edges = np.concatenate([2.0 * moments[:1] - between[:1], between, 2.0 * moments[-1:] - between[-1:]])
    return [(float(edges[first]), float(edges[end])) for first, end in turns.reshape(-1, 2)]


def _fill(ax: Any, spans: list[tuple[float, float]], height: float, label: str | None, **style: Any) -> None:
    """Fill spans of time from the bottom up to a share of the height of the axes."""
    bars = [(start, end - start) for start, end in spans]
    ax.broken_barh(bars, (0.0, height), transform=ax.get_xaxis_transform(), linewidth=0, label=label, **style)


def _leave_room(ax: Any, values: Numbers, under: float, over: float = 0.25) -> None:
    """Limits with room above and below the values, in parts of their range."""
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    size = float(high - low) or 1.0
    ax.set_ylim(low - under * size, high + over * size)
