"""Rules without targets, of scores that are known up to their bucket alone: the value, and bounds of the exact one."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from anomaly_kernels._core.checks import NOT_NEGATIVE, cast, choice, inputs, is_real, number
from anomaly_kernels._core.namespace import array_namespace, describe
from anomaly_kernels._core.spelling import suggestion
from anomaly_kernels._core.typing import Array, Setting
from anomaly_kernels.metrics._results import nan_where
from anomaly_kernels.metrics.decisions._scores import above, check_share, flat, shaped
from anomaly_kernels.metrics.decisions.pvalues import conformal_pvalue
from anomaly_kernels.metrics.decisions.rates import check_confidence, rank_at_rate, threshold_at_rate
from anomaly_kernels.metrics.decisions.scaling import ScoreScaling, score_scaling
from anomaly_kernels.metrics.decisions.spread import FACTORS, NORMAL_MAD, spread_threshold
from anomaly_kernels.metrics.ranking._sorted import sums_from_each
from anomaly_kernels.streaming._bounds import Bounded

Histogram = Any  # a `ScoreHistogram`, which imports this
Moments = Any


def of_histogram(scores: Histogram, rule: Callable[..., Any], settings: dict[str, Any]) -> Bounded[Any] | None:
    """What a rule gives, with its bounds; None if it is none, but a metric of targets and scores."""
    of_scores = _OF_HISTOGRAMS.get(inspect.unwrap(rule)) if callable(rule) else None
    if of_scores is None:
        return None
    check_settings(rule.__name__, "a histogram", of_scores, settings)
    if is_real(scores.counts()):
        raise ValueError(f"`metric` must be one of a ranking where samples have weights, got {rule.__name__}")
    return of_scores(scores, **settings)


def of_moments(moments: Moments, rule: Callable[..., Any], settings: dict[str, Any]) -> Any:
    """What a rule gives that needs number, mean, deviation and extremes of scores alone."""
    of_scores = _OF_MOMENTS.get(inspect.unwrap(rule)) if callable(rule) else None
    if of_scores is None:
        known, given = "`spread_threshold` or `score_scaling`", getattr(rule, "__name__", describe(rule))
        raise ValueError(f"`metric` of Moments must be {known}, got {given}: use `UniqueScores` or `ScoreHistogram`")
    check_settings(rule.__name__, "Moments", of_scores, settings)
    return of_scores(moments, **settings)


def check_settings(name: str, state: str, function: Callable[..., Any], settings: Mapping[str, Any]) -> None:
    """Raise unless these are settings of a metric or a rule of a state, and none is missing."""
    parameters = inspect.signature(function).parameters.values()
    known = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    for each in settings:
        if each not in known:
            raise TypeError(f"{name} of {state} has no setting `{each}`{suggestion(each, known)}")
    if missing := [
        each for each, default in known.items() if default is inspect.Parameter.empty and each not in settings
    ]:
        raise TypeError(f"{name} needs the setting `{missing[0]}`")


def _threshold_at_rate(
    scores: Histogram,
    *,
    rate: float = 0.05,
    method: Literal["conformal", "empirical", "linear"] = "conformal",
    confidence: float | None = None,
) -> Bounded[Array]:
    """The value is the upper bound, for which the promise of the rate holds."""
    choice("method", method, ("conformal", "empirical", "linear"))
    share = check_share("rate", rate)
    check_confidence(method, confidence)
    xp = array_namespace(scores.edges)
    if method == "linear":
        return Bounded(*(cast(xp, scores.edges.dtype, x) for x in scores.quantile(1.0 - share)))
    upto = scores.upto()
    if not xp.is_known(upto):
        raise TypeError("`threshold_at_rate` finds ranks from the number of scores: it cannot be traced")
    n = int(upto[-1])
    rank = rank_at_rate(n, share, method, confidence) if n > 0 else 0
    place = xp.searchsorted(upto, xp.constant([max(n - rank, 0)], like=upto, dtype=upto.dtype), side="right")
    place = xp.minimum(place, upto.shape[0] - 1)
    low, high = (xp.take_along_axis(x, place)[0] for x in (scores.least, scores.greatest))
    lower, upper = (above(xp, x) if rank else xp.full_like(x, math.inf) for x in (low, high))
    return Bounded(*(nan_where(xp, scores.is_undefined(), x) for x in (upper, lower, upper)))


def _conformal_pvalue(scores: Histogram, *, score: Array) -> Bounded[Array]:
    """The value is the upper bound, which is a p-value too; the calibration are the scores of the state."""
    xp, dtype = inputs(score=score, edges=scores.edges)
    judged, edges = flat(xp, dtype, score), cast(xp, dtype, scores.edges)
    mass = sums_from_each(xp, cast(xp, xp.wide(edges), scores.counts()))
    place = xp.maximum(xp.searchsorted(edges, judged, side="right") - 1, 0)
    from_here, beyond = xp.take_along_axis(mass, place), xp.take_along_axis(mass, place + 1)

    def pvalue(reached: Array) -> Array:
        p = (1.0 + xp.where(xp.take_along_axis(reached, place) >= judged, from_here, beyond)) / (mass[:1] + 1.0)
        p = nan_where(xp, scores.is_undefined(), cast(xp, dtype, xp.where(xp.isnan(judged), math.nan, p)))
        return shaped(xp, p, score)

    lower, upper = pvalue(scores.least), pvalue(scores.greatest)
    return Bounded(upper, lower, upper)


def _spread_threshold(
    scores: Histogram, *, rule: Literal["mad", "iqr", "std"] = "mad", factor: Setting | None = None
) -> Bounded[Array]:
    choice("rule", rule, ("mad", "iqr", "std"))
    if rule == "std":
        raise ValueError('`rule` of a histogram must be "mad" or "iqr", got "std": `Moments` has it')
    xp, edges = array_namespace(scores.edges), scores.edges
    f = FACTORS[rule] if factor is None else number("factor", factor, xp, xp.wide(edges), NOT_NEGATIVE)
    if rule == "iqr":
        low, high = scores.quantile(0.25), scores.quantile(0.75)
        pairs = ((high.value, low.value), (high.lower, low.upper), (high.upper, low.lower))
        limits = [top + f * (top - bottom) for top, bottom in pairs]
    else:
        limits = [median + f * deviation for median, deviation in zip(*_median_and_mad(scores), strict=True)]
    return Bounded(*(above(xp, cast(xp, edges.dtype, x)) for x in limits))


def _median_and_mad(scores: Histogram) -> tuple[Bounded[Array], Bounded[Array]]:
    """Bounds of the median and of `NORMAL_MAD` median absolute deviations."""
    xp, median, count = array_namespace(scores.edges), scores.quantile(0.5), scores.counts()
    middle = [cast(xp, scores.edges.dtype, x) for x in (median.lower, median.upper)]
    nearest = xp.maximum(xp.maximum(scores.least - middle[1], middle[0] - scores.greatest), 0.0)
    farthest = xp.maximum(scores.greatest - middle[0], middle[1] - scores.least)
    lower, upper = (_median_of(scores, xp.where(count > 0, x, math.inf)) for x in (nearest, farthest))
    return median, Bounded(*(NORMAL_MAD * x for x in (0.5 * (lower + upper), lower, upper)))


def _median_of(scores: Histogram, values: Array) -> Array:
    """The median of a value for each bucket, which counts as often as there are scores in it."""
    xp = array_namespace(values)
    order = xp.argsort(values)
    values, count = xp.take_along_axis(values, order), xp.take_along_axis(scores.counts(), order)
    sorted_buckets = scores._replace(positive=count, negative=xp.zeros_like(count), least=values, greatest=values)
    median: Array = sorted_buckets.quantile(0.5).value
    return median


def _score_scaling(
    scores: Histogram, *, method: Literal["standard", "robust", "minmax"] = "standard"
) -> Bounded[ScoreScaling]:
    choice("method", method, ("standard", "robust", "minmax"))
    if method == "standard":
        raise ValueError('`method` of a histogram must be "robust" or "minmax", got "standard": `Moments` has it')
    xp, dtype = array_namespace(scores.edges), scores.edges.dtype
    if method == "minmax":
        least, greatest = xp.min(scores.least), xp.max(scores.greatest)
        nothing = xp.logical_or(scores.is_undefined(), greatest < least)
        fitted = least, xp.where(least == greatest, 1.0, greatest - least)
        exact = ScoreScaling(*(nan_where(xp, nothing, x) for x in fitted))
        return Bounded(exact, exact, exact)
    median, deviation = _median_and_mad(scores)
    value = xp.where(deviation.value == 0.0, 1.0, deviation.value)
    upper = xp.where(deviation.lower == 0.0, xp.maximum(deviation.upper, 1.0), deviation.upper)  # of a MAD of 0 it is 1
    pairs = zip(median, (value, deviation.lower, upper), strict=True)
    return Bounded(*(ScoreScaling(*(cast(xp, dtype, x) for x in pair)) for pair in pairs))


def _spread_of_moments(
    moments: Moments, *, rule: Literal["mad", "iqr", "std"] = "mad", factor: Setting | None = None
) -> Array:
    choice("rule", rule, ("mad", "iqr", "std"))
    if rule != "std":
        raise ValueError(f'`rule` of Moments must be "std", got {rule!r}: use `UniqueScores` or `ScoreHistogram`')
    xp = array_namespace(moments.mean)
    f = FACTORS[rule] if factor is None else number("factor", factor, xp, moments.mean.dtype, NOT_NEGATIVE)
    # merging may round the mean of constant scores to a number below them, which they would be above
    mean = xp.maximum(moments.mean, moments.min)
    return xp.where(moments.number > 0, above(xp, mean + f * moments.deviation), math.nan)


def _scaling_of_moments(
    moments: Moments, *, method: Literal["standard", "robust", "minmax"] = "standard"
) -> ScoreScaling:
    choice("method", method, ("standard", "robust", "minmax"))
    if method == "robust":
        raise ValueError(
            '`method` of Moments must be "standard" or "minmax", got "robust": use `UniqueScores` or `ScoreHistogram`'
        )
    xp, least, greatest = array_namespace(moments.mean), moments.min, moments.max
    pair = (moments.mean, moments.deviation) if method == "standard" else (least, greatest - least)
    fitted = pair[0], xp.where(least == greatest, 1.0, pair[1])
    return ScoreScaling(*(xp.where(moments.number > 0, x, math.nan) for x in fitted))


_OF_HISTOGRAMS: dict[Callable[..., Any], Callable[..., Bounded[Any]]] = {
    inspect.unwrap(threshold_at_rate): _threshold_at_rate,
    inspect.unwrap(conformal_pvalue): _conformal_pvalue,
    inspect.unwrap(spread_threshold): _spread_threshold,
    inspect.unwrap(score_scaling): _score_scaling,
}
"""By the rule itself, which may be wrapped, the function of a state and of its settings."""

_OF_MOMENTS: dict[Callable[..., Any], Callable[..., Any]] = {
    inspect.unwrap(spread_threshold): _spread_of_moments,
    inspect.unwrap(score_scaling): _scaling_of_moments,
}
