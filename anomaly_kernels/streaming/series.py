"""States of the metrics of time series. A batch is of whole series: an event cut in two would count twice."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias, TypeVar

from anomaly_kernels._core.checks import ANY_OR_NAN, UNIT, cast, flag, is_real, number
from anomaly_kernels._core.namespace import array_namespace, describe
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import suggestion
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.metrics._results import nan_where, quotient_dtype
from anomaly_kernels.metrics.ranking._evaluate import Results
from anomaly_kernels.metrics.ranking._inputs import from_signed, to_signed
from anomaly_kernels.metrics.ranking._sorted import Ranking, by_counts, sums_from_each
from anomaly_kernels.metrics.ranking.decisions import BestF1, best_f1_of, highest
from anomaly_kernels.metrics.ranking.unique_scores import UniqueScores, check_same_kind
from anomaly_kernels.metrics.series import adjustment, affiliation, events, ranges
from anomaly_kernels.metrics.series._inputs import With, decided, scored
from anomaly_kernels.metrics.series._results import DetectionDelay, EventF1
from anomaly_kernels.streaming._runs import ScoreRuns
from anomaly_kernels.streaming._states import Reduce, merge
from anomaly_kernels.streaming.counts import add, is_undefined, sum_weights, zero

Entry = TypeVar("Entry")
Reached: TypeAlias = tuple[Array, Array]  # how many scores reach each threshold, and how many there are

_DECIDED = "a metric of decisions on series"
_UNDEFINED = {"range_auc": ("roc_auc",), "vus": ("roc_auc",), "detection_delay": ("mean", "max")}
"""Results that a series may not have."""


class SeriesMeans(NamedTuple):
    """Means over series of the results of a metric: the number of series with each result, and the sums."""

    numbers: tuple[Array, ...]
    totals: tuple[Array, ...]

    @classmethod
    def empty(cls, like: Array, fields: int = 1) -> SeriesMeans:
        """The state of nothing, for so many fields of a result."""
        xp = array_namespace(like)
        wide = xp.wide(like)
        totals = (xp.constant(0.0, like=like, dtype=wide) for _ in range(fields))
        return cls(tuple(zero(like) for _ in range(fields)), tuple(totals))

    @classmethod
    def of(cls, metric: Callable[..., Any], *arrays: Array, **settings: Any) -> SeriesMeans:
        """The state of the series of one batch, by a metric of series.

        A series whose result is undefined, as a ROC curve is with one class alone, is left out of the mean of this
        result. Other results that are NaN make the mean NaN.
        """
        result = metric(*arrays, **settings)
        fields = result if isinstance(result, tuple) else (result,)
        xp, names = array_namespace(*fields), getattr(result, "_fields", ("value",))
        numbers, totals = [], []
        for name, x in zip(names, fields, strict=True):
            known = x == x if name in _UNDEFINED.get(metric.__name__, ()) else xp.ones_like(x, dtype=xp.bool)
            numbers.append(sum_weights(xp, known))
            totals.append(xp.sum(xp.where(known, cast(xp, xp.wide(x), x), 0.0)))
        return cls(tuple(numbers), tuple(totals))

    def merge(self, other: SeriesMeans) -> SeriesMeans:
        """The state of both parts."""
        check_same_kind(self, other)
        if len(self.totals) != len(other.totals):
            raise ValueError(f"results of one metric can be merged, got {len(self.totals)} and {len(other.totals)}")
        totals = (a + b for a, b in zip(self.totals, other.totals, strict=True))
        return SeriesMeans(tuple(map(add, self.numbers, other.numbers)), tuple(totals))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> SeriesMeans:
        """Combine the states of all devices, each of which calls this: `total` sums an array over them."""
        return SeriesMeans(*(tuple(map(total, each)) for each in self))

    def compute(self) -> tuple[Array, ...]:
        """The means, NaN without series."""
        xp = array_namespace(*self.totals)
        pairs = zip(self.totals, self.numbers, strict=True)
        return tuple(ratio(xp, x, xp.astype(n, x.dtype), float("nan")) for x, n in pairs)


class SeriesTotals(NamedTuple):
    """Counts over all points, events and alarms of all series, from which a metric of decisions is computed.

    `totals` are sums, `greatest` maxima, -1 without series; `unknown` is in how many series a number is NaN.
    """

    totals: tuple[Array, ...]
    greatest: tuple[Array, ...]
    unknown: Array

    @classmethod
    def empty(cls, like: Array, metric: Callable[..., Any]) -> SeriesTotals:
        """The state of nothing, for a metric of decisions."""
        xp = array_namespace(like)
        nothing = xp.zeros_like(xp.constant([0], like=like, dtype=xp.counting()), dtype=xp.bool)
        state = cls.of(metric, nothing, nothing)
        totals, greatest = (tuple(map(xp.zeros_like, each)) for each in state[:2])
        return cls(totals, tuple(x - 1 for x in greatest), zero(like))

    @classmethod
    def of(cls, metric: Callable[..., Any], target: Array, decision: Array, **settings: Any) -> SeriesTotals:
        """The state of the series of one batch; arrays and settings are those of the metric."""
        pooling = _entry_of(_POOLINGS, _DECIDED, metric)
        given = _with_defaults(metric, settings)
        prepared = decided(target, decision, given["axis"])
        if 0 in target.shape:  # no series
            return cls.empty(target, metric)
        xp = prepared.xp
        counts = xp.by_rows(With(pooling.counts, pooling.fixed(given)), prepared.arrays, ())
        sums = len(counts) - pooling.maxima
        unknown = zero(target) if prepared.nan is None else sum_weights(xp, prepared.nan)
        return cls(tuple(map(xp.sum, counts[:sums])), tuple(map(xp.max, counts[sums:])), unknown)

    def merge(self, other: SeriesTotals) -> SeriesTotals:
        """The state of both parts."""
        check_same_kind(self, other)
        if _kinds(self) != _kinds(other):
            raise ValueError("states of one metric can be merged, got those of two")
        xp = array_namespace(self.unknown, other.unknown)
        greatest = tuple(map(xp.maximum, self.greatest, other.greatest))
        return SeriesTotals(tuple(map(add, self.totals, other.totals)), greatest, add(self.unknown, other.unknown))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> SeriesTotals:
        """Combine the states of all devices, each of which calls this: the arguments reduce an array over them."""
        return SeriesTotals(tuple(map(total, self.totals)), tuple(map(greatest, self.greatest)), total(self.unknown))

    def compute(self, metric: Callable[..., Any], **settings: Any) -> Any:
        """The results of the metric that the state is of, over all series together."""
        xp, pooling = array_namespace(self.unknown), _entry_of(_POOLINGS, _DECIDED, metric)
        given = _with_defaults(metric, settings)
        if _kinds(self) != _kinds(self.empty(self.unknown, metric)):
            raise ValueError(f"`metric` must be the one that the state is of, got {metric.__name__}")
        results = pooling.compute(xp, (*self.totals, *self.greatest), given)
        nan = is_undefined(xp, self.unknown, *self.totals)
        return pooling.result(*(nan_where(xp, nan, x) for x in results))


def _kinds(state: SeriesTotals) -> list[list[bool]]:
    """Which of the sums and which of the maxima are real: no two metrics have the same."""
    return [list(map(is_real, each)) for each in state[:2]]


class SeriesScores(NamedTuple):
    """The scores at which the counts of a best F1 score change, over all series: an array has each distinct one.

    `points` are those of all points, after point adjustment where the metric has it; `events` the highest of each
    event, `pairs` the lower of two neighbours that are not both in an event, `gaps` the lowest between two events. A
    metric has no scores in those that it does not need.
    """

    points: UniqueScores | ScoreRuns
    events: UniqueScores | ScoreRuns
    pairs: UniqueScores | ScoreRuns
    gaps: UniqueScores | ScoreRuns

    @classmethod
    def empty(cls, like: Array, scores: UniqueScores | ScoreRuns | None = None) -> SeriesScores:
        """The state of nothing; `scores` is an empty state that keeps each distinct score."""
        kind = UniqueScores if scores is None else type(scores)
        return cls(*(kind.empty(like) for _ in cls._fields))

    def of(self, metric: Callable[..., Any], target: Array, score: Array, **settings: Any) -> SeriesScores:
        """The state of the series of one batch; arrays and settings are those of the metric."""
        best, given = _entry_of(_BESTS, "a best F1 score of series", metric), _with_defaults(metric, settings)
        empty = self.points.empty(score)
        if 0 in score.shape:
            return self.empty(score, empty)
        prepared = scored(target, score, given["axis"])
        xp, arrays = prepared.xp, prepared.arrays

        def state_of(values: Array, mask: Array) -> UniqueScores | ScoreRuns:
            chosen = from_signed(xp, values[mask], prepared.score_dtype)
            return empty.of(xp.ones_like(chosen, dtype=xp.bool), chosen)

        points = empty.of(target, best.adjusted(target, score, **given))
        # where arrays may be cut, those of rows are not of one length
        critical = best.critical(xp, *arrays) if xp.is_lean(*arrays) else xp.by_rows(best.critical, arrays, ())
        states = [points, *map(state_of, critical[::2], critical[1::2])]
        return SeriesScores(*states, *self.empty(score, empty)[len(states) :])

    def merge(self, other: SeriesScores) -> SeriesScores:
        """The state of both parts."""
        check_same_kind(self, other)
        return SeriesScores(*map(merge, self, other))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> SeriesScores:
        """Refuse to be added up over parts, entry by entry, as `UniqueScores` does."""
        return SeriesScores(*(x.reduce(total, least, greatest) for x in self))

    def compute(self, metric: Callable[..., Any]) -> BestF1:
        """The result of the metric that the state is of, at one threshold for all series."""
        best = _entry_of(_BESTS, "a best F1 score of series", metric)
        points, *critical = (x.merged() if isinstance(x, ScoreRuns) else x for x in self)
        dtype, (score, positive, negative) = points.score.dtype, points.not_empty()
        xp = array_namespace(score)
        ranking = by_counts(xp, to_signed(xp, score), positive, negative)
        value, threshold = best.compute(ranking, *(_reaching(ranking, x.not_empty()) for x in critical))
        nan = xp.isnan((ranking.positives + ranking.negatives)[0])
        value = cast(xp, quotient_dtype(xp, score), nan_where(xp, nan, value))
        threshold = nan_where(xp, nan, threshold) if is_real(threshold) else from_signed(xp, threshold, dtype)
        return BestF1(value, threshold)


def _reaching(ranking: Ranking, scores: UniqueScores) -> Reached:
    xp = ranking.xp
    sums = cast(xp, ranking.weight.dtype, sums_from_each(xp, scores.positive))
    return xp.take_along_axis(sums, xp.searchsorted(to_signed(xp, scores.score), ranking.thresholds)), sums[:1]


class _Pooling(NamedTuple):
    """How a metric of decisions is made of counts, which are added up over series."""

    counts: Callable[..., Any]
    compute: Callable[[Namespace, tuple[Array, ...], dict[str, Any]], tuple[Array, ...]]
    fixed: Callable[[dict[str, Any]], tuple[Any, ...]] = lambda _: ()
    """The settings of the counts."""
    result: Callable[..., Any] = EventF1
    maxima: int = 0
    """How many of the counts, at the end, are no sums but maxima."""


def _real(xp: Namespace, counts: Sequence[Array], name: str, settings: dict[str, Any]) -> Any:
    """A setting that is a number or an array, in the dtype that counts are divided in."""
    return number(name, settings[name], xp, xp.wide(counts[0]), UNIT if name == "alpha" else ANY_OR_NAN)


def _with_zero(of_counts: Callable[..., Any], *names: str) -> Callable[..., tuple[Array, ...]]:
    def compute(xp: Namespace, counts: tuple[Array, ...], settings: dict[str, Any]) -> tuple[Array, ...]:
        numbers = (_real(xp, counts, name, settings) for name in (*names, "zero_division"))
        return tuple(of_counts(xp, counts, *numbers))

    return compute


def _event_f1(xp: Namespace, counts: tuple[Array, ...], settings: dict[str, Any]) -> tuple[Array, ...]:
    of_counts = partial(events.event_of, flag("corrected", settings["corrected"]))
    return _with_zero(of_counts)(xp, counts, settings)


_POOLINGS: dict[str, _Pooling] = {
    "point_adjusted_f1": _Pooling(
        adjustment.point_adjusted_counts,
        _with_zero(adjustment.point_adjusted_f1_of),
        lambda settings: (adjustment.check_share("min_share", settings["min_share"]),),
    ),
    "composite_f1": _Pooling(events.composite_counts, _with_zero(events.composite_of)),
    "event_f1": _Pooling(events.event_counts, _event_f1),
    "range_based_f1": _Pooling(ranges.range_counts, _with_zero(ranges.range_based_f1_of, "alpha"), ranges.checked),
    "affiliation_f1": _Pooling(affiliation.affiliation_counts, _with_zero(affiliation.affiliation_f1_of)),
    "detection_delay": _Pooling(
        events.delay_counts,
        lambda xp, counts, _: events.delay_of(xp, counts),
        result=DetectionDelay,
        maxima=1,
    ),
}


class _Best(NamedTuple):
    """How a best F1 score is made of scores, each of which a threshold reaches or not."""

    compute: Callable[..., Results]
    """Of a ranking of points, and what `_reaching` has of the critical scores."""
    critical: Callable[..., tuple[Array, ...]] = lambda *_: ()
    """The other scores at which counts change, in the order of the fields; after each, which of them there are."""
    adjusted: Callable[..., Array] = lambda _, score, **__: score
    """The scores of points."""


def _best_composite(ranking: Ranking, detected: Reached, *_: Reached) -> Results:
    hits, others = ranking.at_or_above()
    return highest(ranking.xp, events.composite_f1_of(ranking.xp, hits, hits + others, *detected), ranking.thresholds)


def _best_event(ranking: Ranking, detected: Reached, pairs: Reached, gaps: Reached) -> Results:
    _, false = ranking.at_or_above()
    counts = detected[0], events.false_runs(false, pairs[0], gaps[0]), detected[1], false, ranking.negatives
    return highest(ranking.xp, events.event_f1_of(ranking.xp, *counts), ranking.thresholds)


def _event_scores(xp: Namespace, truth: Array, score: Array) -> tuple[Array, ...]:
    normal = xp.logical_not(truth)
    minima = *events.pair_minima(xp, normal, score), *events.gap_minima(xp, normal, score)
    return *events.event_maxima(xp, truth, score), *minima


_BESTS: dict[str, _Best] = {
    "best_point_adjusted_f1": _Best(lambda ranking, *_: best_f1_of(ranking), adjusted=adjustment.point_adjust),
    "best_composite_f1": _Best(_best_composite, events.event_maxima),
    "best_event_f1": _Best(_best_event, _event_scores),
}


def _entry_of(table: dict[str, Entry], what: str, metric: Callable[..., Any]) -> Entry:
    name = getattr(metric, "__name__", "")
    if name not in table:
        known, given = ", ".join(table), name or describe(metric)
        raise TypeError(f"`metric` must be {what} ({known}), got {given}")
    return table[name]


def _with_defaults(metric: Callable[..., Any], settings: dict[str, Any]) -> dict[str, Any]:
    """All settings of a metric; an error for a name that is none."""
    parameters = inspect.signature(metric).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    for name in settings.keys() - defaults.keys():
        raise TypeError(f"{metric.__name__} has no setting `{name}`{suggestion(name, defaults)}")
    return defaults | settings
