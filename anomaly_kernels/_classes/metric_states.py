"""The state of each metric class: what is kept between batches, how a batch is merged, what is computed of it.

The class of a framework adds where the arrays of the state are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from anomaly_kernels import metrics, streaming
from anomaly_kernels._catalogue import Kernel
from anomaly_kernels._classes.settings import Configured, parameters_of
from anomaly_kernels._core.checks import cast, choice, dtype_name, is_real, size
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.typing import Array
from anomaly_kernels.metrics.ranking.decisions import BestF1
from anomaly_kernels.metrics.series._results import DetectionDelay, EventF1, RangeAUC
from anomaly_kernels.metrics.statistics import ComponentOrthogonality, ExplainedVariance, SelectorDiversity
from anomaly_kernels.streaming._bounds import bounded
from anomaly_kernels.streaming.results import Scores, as_histogram

Settings = Mapping[str, Any]


class StateForm(NamedTuple):
    """How a metric is computed by a state that merges."""

    empty: Callable[[Array, Scores | None], Any]
    """The state of no batch, of a dtype and device like those of an array; the second argument keeps the scores."""
    of_batch: Callable[[Any, tuple[Any, ...], Settings], Any] = lambda state, arrays, _: state.of(*arrays)
    """The state of one batch, from the one before, the arrays in the order of the kernel, and the settings."""
    compute: Callable[[Any, Settings], Any] = lambda state, settings: state.compute(**settings)
    """What the kernel returns."""
    bounds: Callable[[Any, Settings], Any] = lambda state, settings: state.bounds(**settings)
    """A `Bounded` of what the kernel returns, where scores are kept."""
    own: bool = False
    """Whether the state depends on the metric and its settings, so that no other can be computed of it."""


def _mean_over_batches(kernel: Kernel, ndims: tuple[int, ...], result: Callable[..., Any] | None = None) -> StateForm:
    """A metric that is averaged over batches; `ndims`: rank of each field of its result, or of the one array."""

    def of_batch(_: streaming.Means, arrays: tuple[Array, ...], settings: Settings) -> streaming.Means:
        value = kernel(*arrays, **settings)
        return streaming.Means.of(*([value] if result is None else value))

    def compute(state: streaming.Means, _: Settings) -> Any:
        means = state.compute()
        return means[0] if result is None else result(*means)

    return StateForm(lambda like, _: streaming.Means.empty(like, ndims), of_batch, compute, own=True)


def _of_ranking(kernel: Kernel) -> StateForm:
    """A metric of a ranking, of the best F1 score the value alone; its state is that of the scores."""

    def bounds(scores: Any, settings: Settings) -> streaming.Bounded[Array]:
        result = scores.compute(kernel, **settings)
        return bounded(result.value if isinstance(result, BestF1) else result)

    return StateForm(lambda _, scores: scores, compute=lambda *state: bounds(*state).value, bounds=bounds)


def _of_regions(kernel: Kernel, empty: Callable[..., Any]) -> StateForm:
    """A metric of regions, whose numbers come after target and score, or decision; None where they are not given."""
    parameters = parameters_of(kernel)

    def of_batch(state: Any, arrays: tuple[Array | None, ...], settings: Settings) -> Any:
        target, other, *regions = arrays
        named = {name: x for name, x in zip(parameters.arrays[2:], regions, strict=False) if x is not None}
        if kernel is metrics.region_detection:
            return state.of(target, other, **named, **settings)
        return state.of(target, other, **named)

    def compute(state: Any, settings: Settings) -> Any:
        return state.compute() if kernel is metrics.region_detection else state.compute(**settings)

    return StateForm(empty, of_batch, compute, own=kernel is metrics.region_detection)


STATE_FORMS: dict[Kernel, StateForm] = {
    metrics.anomaly_detection_metrics: StateForm(streaming.Detections.empty),
    metrics.explained_variance: _mean_over_batches(metrics.explained_variance, (1, 0, 1), ExplainedVariance),
    metrics.anomaly_pixel_statistics: StateForm(lambda like, _: streaming.PixelCounts.empty(like)),
    metrics.score_statistics: StateForm(
        lambda like, scores: streaming.Statistics.empty(like, scores or streaming.UniqueScores.empty(like))
    ),
    metrics.component_orthogonality: _mean_over_batches(
        metrics.component_orthogonality, (0,) * 5, ComponentOrthogonality
    ),
    metrics.selector_entropy: _mean_over_batches(metrics.selector_entropy, (0,)),
    metrics.selector_diversity: _mean_over_batches(metrics.selector_diversity, (0, 0), SelectorDiversity),
    metrics.average_precision: _of_ranking(metrics.average_precision),
    metrics.aupr_trapezoid: _of_ranking(metrics.aupr_trapezoid),
    metrics.roc_auc: _of_ranking(metrics.roc_auc),
    metrics.best_f1: _of_ranking(metrics.best_f1),
    metrics.fpr_at_tpr: _of_ranking(metrics.fpr_at_tpr),
    metrics.precision_at_k: _of_ranking(metrics.precision_at_k),
    metrics.threshold_at_recall: _of_ranking(metrics.threshold_at_recall),
    metrics.threshold_at_precision: _of_ranking(metrics.threshold_at_precision),
    metrics.aupro: _of_regions(metrics.aupro, streaming.RegionScores.empty),
    metrics.per_region_overlap: _of_regions(
        metrics.per_region_overlap, lambda like, _: streaming.RegionOverlaps.empty(like)
    ),
    metrics.region_detection: _of_regions(metrics.region_detection, lambda like, _: streaming.RegionCounts.empty(like)),
    metrics.aupimo: _of_regions(metrics.aupimo, streaming.ImageScores.empty),
}


class StatefulMetric(Configured):
    """A base of metric classes that compute by the state of their kernel."""

    def _empty_state(self, like: Array, scores: Scores | None) -> Any:
        """The state of no batch."""
        return STATE_FORMS[self.kernel].empty(like, scores)

    def _batch_state(self, state: Any, arrays: tuple[Any, ...]) -> Any:
        """The state of one batch, of arrays in the order of the kernel, to be merged with the state before."""
        return STATE_FORMS[self.kernel].of_batch(state, arrays, self._settings())

    def _compute_of(self, state: Any) -> Any:
        """What the kernel returns of all batches of a state."""
        return STATE_FORMS[self.kernel].compute(state, self._settings())

    def _bounds_of(self, state: Any) -> streaming.Bounded[Any]:
        """What the kernel returns, with the bounds that the exact results are between."""
        return STATE_FORMS[self.kernel].bounds(state, self._settings())  # type: ignore[no-any-return]

    def _has_own_state(self) -> bool:
        """Whether metrics of other classes and settings have another state of the same batches."""
        return STATE_FORMS[self.kernel].own


class SeriesMetric(StatefulMetric):
    """A base of metric classes of series: means over series or, where ``average`` is "pooled", of all together."""

    average: Literal["series", "pooled"] = "series"

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """Raise unless `average` is one of the two, and what the kernel would raise of its settings."""
        choice("average", values.get("average", "series"), ("series", "pooled"))
        super().check(values)

    @property
    def _keeps_each(self) -> bool:
        """Whether the state has each distinct score, of which a threshold for all series is chosen."""
        return self.average == "pooled" and SERIES_RESULTS[self.kernel] is BestF1

    def _empty_state(self, like: Array, scores: Any) -> Any:
        if self._keeps_each:
            return streaming.SeriesScores.empty(like, scores)
        if self.average == "pooled":
            return streaming.SeriesTotals.empty(like, self.kernel)
        return streaming.SeriesMeans.empty(like, len(getattr(SERIES_RESULTS[self.kernel], "_fields", "1")))

    def _batch_state(self, state: Any, arrays: tuple[Array, ...]) -> Any:
        target, other = arrays
        return state.of(self.kernel, target, in_double(other) if self._keeps_each else other, **self._settings())

    def _compute_of(self, state: Any) -> Any:
        if self._keeps_each:
            return state.compute(self.kernel).value
        if self.average == "pooled":
            return state.compute(self.kernel, **self._settings())
        means, result = state.compute(), SERIES_RESULTS[self.kernel]
        return means[0] if result in (None, BestF1) else result(*means)

    def _threshold_of(self, state: Any) -> Any:
        """The threshold for all series; NaN without scores."""
        if not self._keeps_each:
            raise ValueError("`threshold` is that of all series together, by `average='pooled'`: here each has its own")
        score = state.points.score
        if 0 in score.shape:
            return array_namespace(score).constant(math.nan, like=score, dtype=score.dtype)
        return state.compute(self.kernel).threshold

    def _has_own_state(self) -> bool:
        return True


SERIES_RESULTS: dict[Kernel, Any] = {
    **dict.fromkeys(
        [
            metrics.point_adjusted_f1,
            metrics.composite_f1,
            metrics.event_f1,
            metrics.range_based_f1,
            metrics.affiliation_f1,
        ],
        EventF1,
    ),
    **dict.fromkeys([metrics.range_auc, metrics.vus], RangeAUC),
    **dict.fromkeys([metrics.best_point_adjusted_f1, metrics.best_composite_f1, metrics.best_event_f1], BestF1),
    metrics.detection_delay: DetectionDelay,
    metrics.point_adjusted_f1_area: None,
    metrics.ucr_score: None,
}
"""What a metric of series returns, None for a number; of the best F1 scores the classes have the value alone."""


def best_threshold(scores: Any) -> Any:
    """The threshold of the best F1 score, of whatever keeps the scores; NaN without scores."""
    return as_histogram(scores).best_threshold()


def check_exact(scores: Any) -> None:
    """Raise unless each distinct score is kept, as a threshold that is one of them needs."""
    if scores != "exact":
        raise ValueError(
            f"`scores` must be 'exact' for an operating point, got {scores!r}: a histogram does not have it"
        )


def check_components(components: Any) -> None:
    """Raise unless the number of components is None, for any, or a positive integer of which there is memory."""
    if components is not None:
        size("components", components, 2**24, "an integer or None")


def check_length(name: str, x: Array, components: int | None) -> None:
    """Raise unless an array has as many entries as the components that were announced."""
    if components is not None and x.shape != (components,):
        raise ValueError(f"`{name}` must have shape ({components},), got {tuple(x.shape)}")


def with_length(state: streaming.Means, components: int) -> streaming.Means:
    """The state of no batch for results of so many entries."""
    xp = array_namespace(state.number)
    zeros = (xp.zeros_like(state.number, dtype=x.dtype) for x in state.totals)
    shapes = ((components,) * len(x.shape) for x in state.totals)
    return state._replace(totals=tuple(map(xp.broadcast_to, zeros, shapes)))


def with_weights(state: Any, like: Array) -> Any:
    """The state of no batch for samples with weights: its counters are real numbers."""
    xp = array_namespace(like)
    wide = xp.wide(like)
    real = (x if name.endswith("unknown") else cast(xp, wide, x) for name, x in leaves(state))
    return rebuild(state, real)


def in_double(score: Array) -> Array:
    """Scores in the widest dtype; integers that it does not tell apart are refused, they would be ties.

    Truth values remain, to be refused by the metric.
    """
    xp = array_namespace(score)
    if score.dtype == xp.bool:
        return score
    wide = xp.wide(score)
    double = cast(xp, wide, score)
    limit = 2**24 if dtype_name(wide) == "float32" else 2**53
    if not is_real(score) and bool(xp.any(xp.abs(double) >= limit)):
        raise ValueError(f"`score` must be real, or integers that {dtype_name(wide)} tells apart, below {limit}")
    return double


def leaves(state: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The arrays of a state, each with a name that says where it is."""
    fields = getattr(state, "_fields", range(len(state)))
    for field, value in zip(fields, state, strict=True):
        name = f"{path}_{field}".lstrip("_")
        if isinstance(value, tuple):
            yield from leaves(value, name)
        elif value is not None:
            yield name, value


def rebuild(template: Any, arrays: Iterator[Any]) -> Any:
    """The state that has these arrays, in the order of `leaves`."""
    if not isinstance(template, tuple):
        return None if template is None else next(arrays)
    parts = [rebuild(x, arrays) for x in template]
    return type(template)(*parts) if hasattr(template, "_fields") else tuple(parts)
