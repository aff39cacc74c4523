"""The metrics of time series as pytrees: each series as a whole, under `jit`, in `scan` and over a mesh."""

from __future__ import annotations

from typing import Any, Literal, Self, SupportsIndex, TypeAlias, TypeVar

import jax
from jax.tree_util import register_pytree_with_keys_class

from anomaly_kernels._classes import metric_states
from anomaly_kernels._core.typing import Array
from anomaly_kernels.jax.metrics import Metric, Setting, like_widest
from anomaly_kernels.metrics.series import adjustment, affiliation, archive, events, ranges, surfaces
from anomaly_kernels.metrics.series._results import DetectionDelay, EventF1, RangeAUC
from anomaly_kernels.metrics.series.ranges import Bias, Cardinality
from anomaly_kernels.metrics.series.surfaces import Positives

Average: TypeAlias = Literal["series", "pooled"]
Result = TypeVar("Result")


class SeriesMetric(metric_states.SeriesMetric, Metric[Result]):
    """A base of metrics of series; an update takes whole series alone, of which an event cut in two would be two."""

    def __init__(self, **settings: Any) -> None:
        for name, value in settings.items():  # which the empty state depends on
            self.__dict__[name] = value
        self._start(self._empty_state(like_widest(), None), **settings)


class BestSeriesMetric(SeriesMetric[Array]):
    """A base of best F1 scores of series, which have one threshold for all of them where these are pooled."""

    @property
    def threshold(self) -> Array:
        """The score s for which ``score >= s`` has the pooled F1 score of `compute`; NaN without scores."""
        threshold: Array = self._threshold_of(self.state)
        return threshold


@register_pytree_with_keys_class
class PointAdjustedF1Metric(SeriesMetric[EventF1]):
    """Precision, recall and F1 score of decisions after point adjustment (PA%K).

    The metric of `anomaly_kernels.point_adjusted_f1` over series, each of which must come as a whole: its mean over
    series, or that of all series together.

    Parameters
    ----------
    min_share : number in [0, 1]
        K, taken as the exact decimal that you write. 0 needs one alarm, 1 adjusts nothing, and between them it is PA%K.
    axis : int
        The axis of time; the others count series.
    zero_division : number or 0-d array
        Value of a quotient whose denominator is 0: precision without alarms, recall without events, F1 without both.
    average : {"series", "pooled"}
        The mean over series, or the metric of the points, events and alarms of all series together.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> truth, decision = jnp.asarray([True, True, False, True]), jnp.asarray([False, True, True, False])
    >>> metric = PointAdjustedF1Metric().update(truth, decision)
    >>> round(float(metric.compute().f1_score), 4)
    0.6667
    """

    kernel = staticmethod(adjustment.point_adjusted_f1)

    def __init__(
        self,
        *,
        min_share: float = 0.0,
        axis: SupportsIndex = -1,
        zero_division: Setting = 0.0,
        average: Average = "series",
    ) -> None:
        super().__init__(min_share=min_share, axis=axis, zero_division=zero_division, average=average)

    def update(self, target: jax.Array, decision: jax.Array) -> Self:
        """Return the metric after one more batch: true anomalies and decisions of one series, or of several."""
        return self._with_batch(target, decision)


@register_pytree_with_keys_class
class BestPointAdjustedF1Metric(BestSeriesMetric):
    """The highest F1 score after point adjustment (PA%K) that a threshold can give.

    The `value` of `anomaly_kernels.best_point_adjusted_f1` for series, each of which must come as a whole: its mean
    over series, or that of all series together.

    Parameters
    ----------
    min_share : number in [0, 1]
        K, taken as the exact decimal that you write. 0 needs one alarm, 1 adjusts nothing, and between them it is PA%K.
    axis : int
        The axis of time; the others count series.
    average : {"series", "pooled"}
        The mean over series, each with its own best threshold, as in benchmarks; or the best value of all series
        together at one `threshold`, as for a detector in use. For the second, each distinct score is kept in double
        precision, outside `jit`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> truth, score = jnp.asarray([True, True, False, True]), jnp.asarray([0.5, 2.0, 1.0, 0.0])
    >>> metric = BestPointAdjustedF1Metric().update(truth, score)
    >>> round(float(metric.compute()), 4)
    0.8571
    """

    kernel = staticmethod(adjustment.best_point_adjusted_f1)

    def __init__(self, *, min_share: float = 0.0, axis: SupportsIndex = -1, average: Average = "series") -> None:
        super().__init__(min_share=min_share, axis=axis, average=average)

    def update(self, target: jax.Array, score: jax.Array) -> Self:
        """Return the metric after one more batch: true anomalies and scores of one series, or of several."""
        return self._with_batch(target, score)


@register_pytree_with_keys_class
class PointAdjustedF1AreaMetric(SeriesMetric[Array]):
    """The area under the F1 score after point adjustment as its share K goes from 0 to 1, exactly.

    The mean of `anomaly_kernels.point_adjusted_f1_area` over series, each of which must come as a whole.

    Parameters
    ----------
    axis : int
        The axis of time; the others count series.
    zero_division : number or 0-d array
        Value of F1 if there are neither events nor alarms.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> truth, decision = jnp.asarray([True, True, False, True]), jnp.asarray([False, True, True, False])
    >>> metric = PointAdjustedF1AreaMetric().update(truth, decision)
    >>> round(float(metric.compute()), 4)
    0.5333
    """

    kernel = staticmethod(adjustment.point_adjusted_f1_area)

    def __init__(self, *, axis: SupportsIndex = -1, zero_division: Setting = 0.0) -> None:
        super().__init__(axis=axis, zero_division=zero_division)

    def update(self, target: jax.Array, decision: jax.Array) -> Self:
        """Return the metric after one more batch: true anomalies and decisions of one series, or of several."""
        return self._with_batch(target, decision)


@register_pytree_with_keys_class
class CompositeF1Metric(SeriesMetric[EventF1]):
    """Composite F1 score: of precision by points and recall by events.

    The metric of `anomaly_kernels.composite_f1` over series, each of which must come as a whole: its mean over
    series, or that of all series together.

    Parameters
    ----------
    axis : int
        The axis of time; the others count series.
    zero_division : number or 0-d array
        Value of a quotient whose denominator is 0: precision without alarms, recall without events, F1 without both.
    average : {"series", "pooled"}
        The mean over series, or the metric of the points, events and alarms of all series together.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> truth, decision = jnp.asarray([True, True, False, True]), jnp.asarray([False, True, True, False])
    >>> metric = CompositeF1Metric().update(truth, decision)
    >>> round(float(metric.compute().f1_score), 4)
    0.5
    """

    kernel = staticmethod(events.composite_f1)

    def __init__(self, *, axis: SupportsIndex = -1, zero_division: Setting = 0.0, average: Average = "series") -> None:
        super().__init__(axis=axis, zero_division=zero_division, average=average)

    def update(self, target: jax.Array, decision: jax.Array) -> Self:
        """Return the metric after one more batch: true anomalies and decisions of one series, or of several."""
        return self._with_batch(target, decision)


@register_pytree_with_keys_class
class BestCompositeF1Metric(BestSeriesMetric):
    """The highest composite F1 score that a threshold can give.

    The `value` of `anomaly_kernels.best_composite_f1` for series, each of which must come as a whole: its mean over
    series, or that of all series together.

    Parameters
    ----------
    axis : int
        The axis of time; the others count series.
    average : {"series", "pooled"}
        The mean over series, each with its own best threshold, as in benchmarks; or the best value of all series
        together at one `threshold`, as for a detector in use. For the second, each distinct score is kept in double
        precision, outside `jit`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> truth, score = jnp.asarray([True, True, False, True]), jnp.asarray([0.5, 2.0, 1.0, 0.0])
    >>> metric = BestCompositeF1Metric().update(truth, score)
    >>> round(float(metric.compute()), 4)
    0.8571
    """

    kernel = staticmethod(events.best_composite_f1)

    def __init__(self, *, axis: SupportsIndex = -1, average: Average = "series") -> None:
        super().__init__(axis=axis, average=average)

    def update(self, target: jax.Array, score: jax.Array) -> Self:
        """Return the metric after one more batch: true anomalies and scores of one series, or of several."""
        return self._with_batch(target, score)


@register_pytree_with_keys_class
class EventF1Metric(SeriesMetric[EventF1]):
    """F1 score of events: one is found if a point of it is alarmed; an alarm run that touches none is false.

    The metric of `anomaly_kernels.event_f1` over series, each of which must come as a whole: its mean over series,
    or that of all series together.

    Parameters
    ----------
    corrected : bool
        Whether precision has the factor, the share of normal points that are not alarmed (1 without normal points).
    axis : int
        The axis of time; the others count series.
    zero_division : number or 0-d array
        Value of a quotient whose denominator is 0: precision without alarms, recall without events, F1 without both.
    average : {"series", "pooled"}
        The mean over series, or the metric of the points, events and alarms of all series together.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> truth, decision = jnp.asarray([True, True, False, True]), jnp.asarray([False, True, True, False])
    >>> metric = EventF1Metric().update(truth, decision)
    >>> round(float(metric.compute().f1_score), 4)
    0.0
    """

    kernel = staticmethod(events.event_f1)

    def __init__(
        self,
        *,
        corrected: bool = True,
        axis: SupportsIndex = -1,
        zero_division: Setting = 0.0,
        average: Average = "series",
    ) -> None:
        super().__init__(corrected=corrected, axis=axis, zero_division=zero_division, average=average)

    def update(self, target: jax.Array, decision: jax.Array) -> Self:
        """Return the metric after one more batch: true anomalies and decisions of one series, or of several."""
        return self._with_batch(target, decision)


@register_pytree_with_keys_class
class BestEventF1Metric(BestSeriesMetric):
    """The highest event-wise F1 score that a threshold can give.

    The `value` of `anomaly_kernels.best_event_f1` for series, each of which must come as a whole: its mean over series,
    or that of all series together.

    Parameters
    ----------
    axis : int
        The axis of time; the others count series.
    average : {"series", "pooled"}
        The mean over series, each with its own best threshold, as in benchmarks; or the best value of all series
        together at one `threshold`, as for a detector in use. For the second, each distinct score is kept in double
        precision, outside `jit`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> truth, score = jnp.asarray([True, True, False, True]), jnp.asarray([0.5, 2.0, 1.0, 0.0])
    >>> metric = BestEventF1Metric().update(truth, score)
    >>> round(float(metric.compute()), 4)
    0.6667
    """

    kernel = staticmethod(events.best_event_f1)

    def __init__(self, *, axis: SupportsIndex = -1, average: Average = "series") -> None:
        super().__init__(axis=axis, average=average)

    def update(self, target: jax.Array, score: jax.Array) -> Self:
        """Return the metric after one more batch: true anomalies and scores of one series, or of several."""
        return self._with_batch(target, score)


@register_pytree_with_keys_class
class RangeBasedF1Metric(SeriesMetric[EventF1]):
    """Range-based precision, recall and F1 score: what share of each event, and of each alarm run, is covered.

    The metric of `anomaly_kernels.range_based_f1` over series, each of which must come as a whole: its mean over
    series, or that of all series together.

    Parameters
    ----------
    alpha : number or 0-d array, in [0, 1]
        α, the reward for meeting an event at all.
    bias, precision_bias : {"flat", "front", "middle", "back"}
        Where in an event, and where in an alarm run, points weigh more.
    cardinality : {"reciprocal", "one"}
        With ``"one"``, γ is always 1.
    axis : int
        The axis of time; the others count series.
    zero_division : number or 0-d array
        Value of a quotient whose denominator is 0: precision without alarms, recall without events, F1 without both.
    average : {"series", "pooled"}
        The mean over series, or the metric of the points, events and alarms of all series together.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> truth, decision = jnp.asarray([True, True, False, True]), jnp.asarray([False, True, True, False])
    >>> metric = RangeBasedF1Metric().update(truth, decision)
    >>> round(float(metric.compute().f1_score), 4)
    0.3333
    """

    kernel = staticmethod(ranges.range_based_f1)

    def __init__(
        self,
        *,
        alpha: Setting = 0.0,
        bias: Bias = "flat",
        precision_bias: Bias = "flat",
        cardinality: Cardinality = "reciprocal",
        axis: SupportsIndex = -1,
        zero_division: Setting = 0.0,
        average: Average = "series",
    ) -> None:
        super().__init__(
            alpha=alpha,
            bias=bias,
            precision_bias=precision_bias,
            cardinality=cardinality,
            axis=axis,
            zero_division=zero_division,
            average=average,
        )

    def update(self, target: jax.Array, decision: jax.Array) -> Self:
        """Return the metric after one more batch: true anomalies and decisions of one series, or of several."""
        return self._with_batch(target, decision)


@register_pytree_with_keys_class
class AffiliationF1Metric(SeriesMetric[EventF1]):
    """Affiliation precision, recall and F1 score: how near alarms are to events, and events to alarms.

    The metric of `anomaly_kernels.affiliation_f1` over series, each of which must come as a whole: its mean over
    series, or that of all series together.

    Parameters
    ----------
    axis : int
        The axis of time; the others count series.
    zero_division : number or 0-d array
        Value of precision without alarms, of all three without events, and of F1 without both.
    average : {"series", "pooled"}
        The mean over series, or the metric of the points, events and alarms of all series together.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> truth, decision = jnp.asarray([True, True, False, True]), jnp.asarray([False, True, True, False])
    >>> metric = AffiliationF1Metric().update(truth, decision)
    >>> round(float(metric.compute().f1_score), 4)
    0.5278
    """

    kernel = staticmethod(affiliation.affiliation_f1)

    def __init__(self, *, axis: SupportsIndex = -1, zero_division: Setting = 0.0, average: Average = "series") -> None:
        super().__init__(axis=axis, zero_division=zero_division, average=average)

    def update(self, target: jax.Array, decision: jax.Array) -> Self:
        """Return the metric after one more batch: true anomalies and decisions of one series, or of several."""
        return self._with_batch(target, decision)


@register_pytree_with_keys_class
class RangeAUCMetric(SeriesMetric[RangeAUC]):
    """Areas under the ROC and the precision-recall curve of events with buffers around them (range AUC).

    The mean of `anomaly_kernels.range_auc` over series, each of which must come as a whole. A series with one class
    alone has no ROC curve, and is left out of the mean of that area.

    Parameters
    ----------
    window : int, at least 0
        w, the width of both buffers together, in time steps.
    positives : {"found", "all"}
        Whether S counts the buffers that are alarmed, or all. **With** ``"all"`` **a perfect score is not 1**: that is
        the definition of 2022, of aeon, TimeEval and dtaianomaly; the default is that of TSB-AD.
    thresholds : int, optional
        How many thresholds to take, evenly by rank: the scores of ranks ⌊k(T − 1)/(n − 1)⌋ from the highest on. 250 is
        what TSB-AD and vus publish. All distinct scores by default.
    axis : int
        The axis of time; the others count series.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> truth, score = jnp.asarray([True, True, False, True]), jnp.asarray([0.5, 2.0, 1.0, 0.0])
    >>> metric = RangeAUCMetric(window=2).update(truth, score)
    >>> round(float(metric.compute().average_precision), 4)
    1.0
    """

    kernel = staticmethod(surfaces.range_auc)

    def __init__(
        self,
        *,
        window: SupportsIndex = 100,
        positives: Positives = "found",
        thresholds: SupportsIndex | None = None,
        axis: SupportsIndex = -1,
    ) -> None:
        super().__init__(window=window, positives=positives, thresholds=thresholds, axis=axis)

    def update(self, target: jax.Array, score: jax.Array) -> Self:
        """Return the metric after one more batch: true anomalies and scores of one series, or of several."""
        return self._with_batch(target, score)


@register_pytree_with_keys_class
class VUSMetric(SeriesMetric[RangeAUC]):
    """Volume under the surface: `range_auc` averaged over all windows from 0 to the largest (VUS-ROC and VUS-PR).

    The mean of `anomaly_kernels.vus` over series, each of which must come as a whole. A series with one class alone
    has no ROC curve, and is left out of the mean of that area.

    Parameters
    ----------
    window : int, at least 0
        W, the largest window, in time steps: both buffers together.
    positives : {"found", "all"}
        Whether S counts the buffers that are alarmed, or all. **With** ``"all"`` **a perfect score is not 1**, but 0.97
        and 0.95 on a pattern like SMD machine-1-1, 0.71 and 0.47 on 20 events of 10 in 10 000 points: that is the
        definition of 2022, of aeon, TimeEval and dtaianomaly; the default is that of TSB-AD.
    thresholds : int, optional
        How many thresholds to take, evenly by rank: the scores of ranks ⌊k(T − 1)/(n − 1)⌋ from the highest on. 250 is
        what TSB-AD and vus publish. All distinct scores by default.
    axis : int
        The axis of time; the others count series.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> truth, score = jnp.asarray([True, True, False, True]), jnp.asarray([0.5, 2.0, 1.0, 0.0])
    >>> metric = VUSMetric(window=2).update(truth, score)
    >>> round(float(metric.compute().average_precision), 4)
    0.8519
    """

    kernel = staticmethod(surfaces.vus)

    def __init__(
        self,
        *,
        window: SupportsIndex = 100,
        positives: Positives = "found",
        thresholds: SupportsIndex | None = None,
        axis: SupportsIndex = -1,
    ) -> None:
        super().__init__(window=window, positives=positives, thresholds=thresholds, axis=axis)

    def update(self, target: jax.Array, score: jax.Array) -> Self:
        """Return the metric after one more batch: true anomalies and scores of one series, or of several."""
        return self._with_batch(target, score)


@register_pytree_with_keys_class
class DetectionDelayMetric(SeriesMetric[DetectionDelay]):
    """How many time steps after the start of an event its first alarm comes, and how many events have one.

    The metric of `anomaly_kernels.detection_delay` over series, each of which must come as a whole: its mean over
    series, or that of all series together. Means over series leave out series in which no event was found.

    Parameters
    ----------
    axis : int
        The axis of time; the others count series.
    average : {"series", "pooled"}
        The mean over series, or the metric of the points, events and alarms of all series together.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> truth, decision = jnp.asarray([True, True, False, True]), jnp.asarray([False, True, True, False])
    >>> metric = DetectionDelayMetric().update(truth, decision)
    >>> round(float(metric.compute().mean), 4)
    1.0
    """

    kernel = staticmethod(events.detection_delay)

    def __init__(self, *, axis: SupportsIndex = -1, average: Average = "series") -> None:
        super().__init__(axis=axis, average=average)

    def update(self, target: jax.Array, decision: jax.Array) -> Self:
        """Return the metric after one more batch: true anomalies and decisions of one series, or of several."""
        return self._with_batch(target, decision)


@register_pytree_with_keys_class
class UCRScoreMetric(SeriesMetric[Array]):
    """Whether the highest score lies near an event (UCR score): 1 or 0, or between them if it is tied.

    The mean of `anomaly_kernels.ucr_score` over series, each of which must come as a whole.

    Parameters
    ----------
    margin : int, at least 0
        How far from an event is near, in time steps.
    own_length : bool
        Whether the tolerance is at least the event's own length.
    axis : int
        The axis of time; the others count series.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> truth, score = jnp.asarray([True, True, False, True]), jnp.asarray([0.5, 2.0, 1.0, 0.0])
    >>> metric = UCRScoreMetric(margin=0).update(truth, score)
    >>> round(float(metric.compute()), 4)
    1.0
    """

    kernel = staticmethod(archive.ucr_score)

    def __init__(self, *, margin: SupportsIndex = 100, own_length: bool = True, axis: SupportsIndex = -1) -> None:
        super().__init__(margin=margin, own_length=own_length, axis=axis)

    def update(self, target: jax.Array, score: jax.Array) -> Self:
        """Return the metric after one more batch: true anomalies and scores of one series, or of several."""
        return self._with_batch(target, score)
