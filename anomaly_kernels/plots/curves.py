"""The curves of a ranking: ROC, precision and recall, and the overlap of regions, with what is known of a histogram."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.lines import Line2D

from anomaly_kernels._core.checks import SHARE, choice
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Setting
from anomaly_kernels.metrics import average_precision, precision_recall_curve, roc_auc, roc_curve
from anomaly_kernels.metrics.regions.curve import weighted_aupro
from anomaly_kernels.plots import _axes
from anomaly_kernels.plots._axes import Mask, Numbers
from anomaly_kernels.streaming import RegionScores, ScoreHistogram, UniqueScores
from anomaly_kernels.streaming._bounds import Bounded, bounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind = Literal["roc", "precision_recall", "pro"]

_AREAS: WeakKeyDictionary[Line2D, str] = WeakKeyDictionary()
"""Of which area each curve is that is drawn: curves of one axes share their limits and the title of the legend."""

_STEPS = np.linspace(0.0, 1.0, 9)
"""Where the lower bound of precision, which is curved within a bucket, is drawn."""


class _Form(NamedTuple):
    """The names of a curve's axes and of its area, how its line goes from point to point, and where there is room."""

    x: str
    y: str
    area: str
    drawstyle: str = "default"
    legend: str = "lower right"


FORMS = {
    "roc": _Form("false positive rate", "true positive rate", "ROC AUC"),
    "precision_recall": _Form("recall", "precision", "average precision", "steps-post", "lower left"),
    "pro": _Form("false positive rate", "per-region overlap", "AUPRO"),
}


class Curve(NamedTuple):
    """Points of a curve, the threshold of each, the area below, and the share of positives."""

    x: Numbers
    y: Numbers
    threshold: Numbers
    area: Bounded[Any]
    positives: float
    band: tuple[Numbers, Numbers, Numbers] | None = None
    """Of a histogram: x, and what the curve of the scores one by one is between there."""
    buckets: tuple[Numbers, Numbers] = (np.empty(0), np.empty(0))
    """Of a histogram: the least and the greatest score of each bucket, between which rates are not known."""


@with_hint
def plot_curve(
    target: Any,
    score: Any = None,
    *,
    kind: Kind = "roc",
    max_fpr: Setting | None = None,
    threshold: Any = None,
    sample_weight: Any = None,
    region: Any = None,
    saturation: Any = None,
    name: str | None = None,
    color: Any = None,
    chance: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """The ROC curve, the precision-recall curve, or the per-region overlap (PRO) curve, with its area in the legend.

    Points and areas are those of `roc_curve` and `roc_auc`, `precision_recall_curve` and `average_precision`, and
    `aupro`. Precision is drawn in the steps that average precision adds up.

    Parameters
    ----------
    target : array, or state of `anomaly_kernels.streaming`
        True anomalies: 0 or False is normal, other whole numbers are anomalous. For ``"pro"``, the first axis counts
        images, as for `aupro`: give one image of shape (H, W) as (1, H, W), or each of its rows is taken for an image.
        Or, without `score`, a `UniqueScores` or `ScoreHistogram`, for ``"pro"`` a `RegionScores`. For a histogram, the
        curve goes through the points that are known, and the exact curve lies inside a band.
    score : array, shape of `target`, optional
        Scores, higher for anomalies. Of any library.
    kind : {"roc", "precision_recall", "pro"}
        Which curve.
    max_fpr : number or 0-d array, in (0, 1], optional
        The false positive rate up to which the curve is shown and its area is taken, as `roc_auc` and `aupro` do; by
        default 1 for ``"roc"`` and 0.3 for ``"pro"``.
    threshold : number, 0-d array, result or mapping, optional
        Which points are marked: those where ``score >= threshold`` alarms. What `plot_scores` takes. For a threshold
        inside a bucket of a histogram, the point of its lowest score is marked, and the legend says so.
    sample_weight : array, shape of `target`, optional
        Weight of each sample, 1 by default; for ``"roc"`` and ``"precision_recall"``.
    region : array of integers, shape of `target`, optional
        The number of each anomalous pixel's region, for ``"pro"``; as `aupro` takes it.
    saturation : array, shape (K,), optional
        How many pixels of each region suffice, for ``"pro"``; as `aupro` takes it.
    name : str, optional
        Name of the curve in the legend. Without it the legend says which area it shows.
    color : color of matplotlib, optional
        By default the first one of those that the fewest lines of the axes have.
    chance : bool
        Whether to draw the curve of random scores, dotted.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure. Several curves of one kind and `max_fpr` are drawn in the same axes one
        by one.

    Returns
    -------
    matplotlib.axes.Axes
        The axes that were drawn in.

    Raises
    ------
    TypeError
        If `target` is neither an array nor a state, or an argument does not go with the kind of curve.
    ValueError
        If there is no such kind, `max_fpr` is out of range, `ax` has curves of another kind or `max_fpr`, or the
        function of the curve refuses the arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from anomaly_kernels.plots import plot_curve
    >>> from matplotlib.figure import Figure
    >>> target, score = np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0])
    >>> ax = plot_curve(target, score, kind="precision_recall", threshold=1.0, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['average precision 0.833', 'threshold 1']
    >>> [float(x) for x in ax.lines[0].get_xdata()]
    [1.0, 1.0, 0.5, 0.5, 0.0]
    """
    choice("kind", kind, tuple(FORMS))
    form, lines = FORMS[kind], _axes.thresholds(threshold)
    _refuse_others(kind, score, sample_weight=sample_weight, region=region, saturation=saturation)
    limit = _limit(kind, max_fpr)
    if score is None:
        state = target
    else:
        by_name = {"sample_weight": sample_weight, "region": region, "saturation": saturation}
        arrays = {name: _axes.array(name, x) for name, x in by_name.items() if x is not None}
        target, score = _axes.array("target", target), _axes.array("score", score)
        empty = RegionScores.empty(score) if kind == "pro" else UniqueScores.empty(score)
        state = empty.of(target, score, **arrays)
    curve = _of_state(kind, state, limit, marked=bool(lines))
    ax = _axes.axes_or_new(ax)
    what, value = _said(form.area, curve.area, limit)
    if others := {_AREAS.get(line, what) for line in ax.lines} - {what}:
        found = ", ".join(sorted(others))
        raise ValueError(f"`ax` must be axes without other curves than of {what}, got axes with a curve of {found}")
    color = _axes.next_color(ax) if color is None else color
    label = f"{what} {value}" if name is None else f"{name}: {value}"
    if curve.band is not None:
        ax.fill_between(*curve.band, color=color, alpha=0.25, linewidth=0)
    style: dict[str, Any] = {"color": color, "drawstyle": form.drawstyle, "linewidth": 1.8}
    (line,) = ax.plot(curve.x, curve.y, label=label, **style)
    _AREAS[line] = what
    for said, t, _ in _axes.with_styles(lines):
        x, y, remark = _point(kind, curve, t)
        ax.plot(x, y, "o", color=color, markeredgecolor=_axes.ink(), label=said + remark)
    if chance:
        ends = [curve.positives] * 2 if kind == "precision_recall" else [0.0, 1.0]
        ax.plot([0, 1], ends, ":", color=_axes.ink(), linewidth=1.2, label="random order")
    right = 1.0 if limit is None else limit
    ax.set(xlabel=form.x, ylabel=form.y, xlim=(0, 1.01 * right), ylim=(0, 1.02))
    title = {} if name is None else {"title": what, "title_fontsize": "small", "alignment": "left"}
    _axes.tidy(ax, loc=form.legend, **title)
    return ax


def _point(kind: str, curve: Curve, t: float) -> tuple[float, float, str]:
    """The point of a threshold, and what the legend adds where a bucket of a histogram stands for it; NaN for NaN."""
    least, greatest = curve.buckets
    within, remark = least[(least < t) & (t <= greatest)], ""
    if within.size:
        t, remark = within[0], f" (bucket from {within[0]:.3g})"
    # what reaches a threshold reaches the lowest of the scores from it on; scores of infinity reach all, so that of two
    # points at infinity the one without alarms, at the end or the start of the curve, is not meant
    reached = np.flatnonzero(curve.threshold >= t)[:: 1 if kind == "precision_recall" else -1]
    if not reached.size:
        return np.nan, np.nan, remark
    place = reached[np.argmin(curve.threshold[reached])]
    return float(curve.x[place]), float(curve.y[place]), remark


def _refuse_others(kind: str, score: Any, **given: Any) -> None:
    """Raise where an array is given that has no part in this curve, or is in a state already."""
    for name, x in given.items():
        for_this = (name == "sample_weight") != (kind == "pro")
        if x is not None and (score is None or not for_this):
            reason = "a state, which has it already" if score is None else f"kind={kind!r}"
            raise TypeError(f"`{name}` does not go with {reason}")


def _limit(kind: str, max_fpr: Setting | None) -> float | None:
    """The false positive rate up to which the area is taken; None for all of it."""
    if max_fpr is None:
        return 0.3 if kind == "pro" else None
    if kind == "precision_recall":
        raise TypeError(f"`max_fpr` does not go with kind={kind!r}, got {max_fpr}")
    return _axes.number("max_fpr", max_fpr, SHARE)


def _of_state(kind: str, state: Any, limit: float | None, *, marked: bool) -> Curve:
    """The curve of a state of `anomaly_kernels.streaming`; in NumPy, for it has as many points as there are scores."""
    scores = state.scores if isinstance(state, RegionScores) else state
    if isinstance(state, RegionScores) != (kind == "pro") or not isinstance(scores, UniqueScores | ScoreHistogram):
        right = "a `RegionScores`" if kind == "pro" else "a `UniqueScores` or `ScoreHistogram`"
        raise TypeError(f"without `score`, `target` must be {right} for kind={kind!r}, got {describe(state)}")
    scores = type(scores)(*map(_axes.array, scores._fields, scores))
    metrics: dict[str, Callable[..., Any]]
    metrics = {"roc": roc_auc, "precision_recall": average_precision, "pro": weighted_aupro}
    area = bounded(scores.compute(metrics[kind], **({} if limit is None else {"max_fpr": limit})))
    if isinstance(scores, UniqueScores):
        return _of_scores(kind, scores, area, marked=marked)
    return _of_histogram(kind, scores, area)


def _of_scores(kind: str, scores: UniqueScores, area: Bounded[Any], *, marked: bool) -> Curve:
    """The curve of distinct scores; a PRO curve is a ROC curve in which each region weighs 1."""
    if kind == "precision_recall":
        y, x, threshold = scores.compute(precision_recall_curve)
        threshold = np.append(threshold, np.inf)  # where nothing raises an alarm
    else:
        x, y, threshold = scores.compute(roc_curve, drop_intermediate=not marked)
    positive, negative = (np.sum(np.asarray(weight)) for weight in scores[1:])
    with np.errstate(invalid="ignore"):  # of nothing
        return Curve(x, y, threshold, area, float(positive / (positive + negative)))


def _of_histogram(kind: str, state: ScoreHistogram, area: Bounded[Any]) -> Curve:
    """The curve through the ends of buckets, and the band between the bounds of what is within them."""
    kept = np.asarray(state.counts() > 0)
    positive, negative, least, greatest = (np.asarray(x)[kept] for x in state[1:5])
    # ranked by their places, for where large integers were rounded, the least scores of buckets are equal
    places = UniqueScores(np.arange(float(positive.size)), positive, negative)
    curve = _of_scores(kind, places, area, marked=True)
    if not positive.size or bool(state.is_undefined()):
        nothing = np.full_like(curve.x, np.nan)
        return curve._replace(x=nothing, y=nothing)
    ends = np.isfinite(curve.threshold)
    threshold = np.where(ends, least[np.where(ends, curve.threshold, 0.0).astype(int)], np.inf)
    hits, alarms = (np.append(0.0, np.cumsum(x[::-1])) for x in (positive, negative))
    return curve._replace(
        threshold=threshold, band=_band(kind, hits, alarms, (least >= greatest)[::-1]), buckets=(least, greatest)
    )


@np.errstate(invalid="ignore")  # without samples of a class
def _band(kind: str, hits: Numbers, alarms: Numbers, exact: Mask) -> tuple[Numbers, Numbers, Numbers]:
    """Between which values a curve is, bucket by bucket from the highest.

    It is best if all positives of a bucket come first, worst if all negatives do. What is `exact` is on a straight line
    (ROC), or at one precision.
    """
    share = hits / hits[-1]
    first, last, certain = share[:-1, None], share[1:, None], exact[:, None]
    if kind == "precision_recall":
        found = hits[:-1, None] + np.diff(hits)[:, None] * _STEPS
        worst = np.nan_to_num(found / (found + alarms[1:, None]))
        best = np.nan_to_num(hits[1:, None] / (hits[1:, None] + alarms[:-1, None])) + 0.0 * found
        tied = hits[1:, None] / (hits[1:, None] + alarms[1:, None]) + 0.0 * found
        lower, upper = np.where(certain, tied, worst), np.where(certain, tied, best)
        return (found / hits[-1]).ravel(), lower.ravel(), upper.ravel()
    rates = np.stack([alarms[:-1], alarms[1:]], axis=1) / alarms[-1]
    line = np.concatenate([first, last], axis=1)
    lower, upper = np.where(certain, line, first), np.where(certain, line, last)
    return rates.ravel(), lower.ravel(), upper.ravel()


def _said(what: str, area: Bounded[Any], limit: float | None) -> tuple[str, str]:
    """What the area is, and its value, with the bounds where they differ in what is shown."""
    value, lower, upper = (f"{_axes.number('area', x):.3f}" for x in area)
    upto = "" if limit is None else f" (FPR ≤ {limit:.3g})"
    return f"{what}{upto}", value if lower == upper else f"{value} ({lower} to {upper})"
