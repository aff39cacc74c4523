"""The metrics of time series for Keras: each series as a whole, in variables of a fixed size."""

from __future__ import annotations

from typing import Any, Literal, SupportsIndex, TypeAlias, Unpack

import keras
from keras.src.backend.common.symbolic_scope import in_symbolic_scope  # private: no public name tells

from anomaly_kernels._classes import metric_states
from anomaly_kernels.keras._base import PACKAGE, Options, Setting, Tensor, match_ranks, to_tensor
from anomaly_kernels.keras.metrics import HostMetric, Metric, no_scores
from anomaly_kernels.metrics.series import adjustment, affiliation, archive, events, ranges, surfaces
from anomaly_kernels.metrics.series._results import DetectionDelay, EventF1, RangeAUC
from anomaly_kernels.metrics.series.ranges import Bias, Cardinality
from anomaly_kernels.metrics.series.surfaces import Positives

Average: TypeAlias = Literal["series", "pooled"]


class SeriesMetric(metric_states.SeriesMetric, Metric):
    """A base of metrics of series; an update takes whole series alone, of which an event cut in two would be two."""

    def update_state(self, y_true: Tensor, y_pred: Tensor = None, sample_weight: Tensor | None = None) -> None:
        """Take in true anomalies, and scores or decisions, of one series or of several; they have no weights."""
        if y_pred is None:
            raise TypeError(f"{type(self).__name__} takes `y_true` and `y_pred`, got one array")
        if sample_weight is not None:
            raise ValueError(f"{type(self).__name__} has no weights of samples, got `sample_weight`")
        y_pred = to_tensor(y_pred)
        self.merge_batch(to_tensor(match_ranks(y_true, y_pred)), y_pred)

    def _set(self, name: str, value: Any) -> None:
        if name == "average" and self.__dict__.get("average", value) != value:
            raise ValueError(f"`average` of a metric that is there cannot be changed, got {value!r}")
        super()._set(name, value)

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same metric."""
        pooled = {"average": self.average} if "average" in self.__dict__ else {}
        return {**super().get_config(), **pooled}


class BestSeriesMetric(SeriesMetric, HostMetric):
    """A base of best F1 scores of series, which have one threshold for all of them where these are pooled."""

    _otherwise = ", or `average='series'`"

    def merge_batch(self, *arrays: Tensor) -> None:
        """Merge a batch of arrays in the order of the function into the state."""
        if not self._keeps_each:
            super().merge_batch(*arrays)
        elif not in_symbolic_scope() and 0 not in arrays[0].shape:
            self._keep(self._kept.merge(self._batch_state(self._kept, tuple(map(self._on_host, arrays)))))

    @property
    def threshold(self) -> Tensor:
        """The score s for which ``score >= s`` has the pooled F1 score of `result`; NaN without scores."""
        return to_tensor(self._threshold_of(self._all_batches()), keras.backend.standardize_dtype(no_scores().dtype))


@keras.saving.register_keras_serializable(PACKAGE)
class PointAdjustedF1Metric(SeriesMetric):
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
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = PointAdjustedF1Metric()
    >>> truth, decision = np.asarray([True, True, False, True]), np.asarray([False, True, True, False])
    >>> metric.update_state(truth, decision)
    >>> round(float(metric.result()["f1_score"]), 4)
    0.6667
    """

    kernel = staticmethod(adjustment.point_adjusted_f1)
    result_fields = EventF1._fields

    def __init__(
        self,
        *,
        min_share: float = 0.0,
        axis: SupportsIndex = -1,
        zero_division: Setting = 0.0,
        average: Average = "series",
        **options: Unpack[Options],
    ) -> None:
        super().__init__(min_share=min_share, axis=axis, zero_division=zero_division, average=average, **options)


@keras.saving.register_keras_serializable(PACKAGE)
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
        precision, and steps must run eagerly.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = BestPointAdjustedF1Metric()
    >>> truth, score = np.asarray([True, True, False, True]), np.asarray([0.5, 2.0, 1.0, 0.0])
    >>> metric.update_state(truth, score)
    >>> round(float(metric.result()), 4)
    0.8571
    """

    kernel = staticmethod(adjustment.best_point_adjusted_f1)

    def __init__(
        self,
        *,
        min_share: float = 0.0,
        axis: SupportsIndex = -1,
        average: Average = "series",
        **options: Unpack[Options],
    ) -> None:
        super().__init__(min_share=min_share, axis=axis, average=average, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class PointAdjustedF1AreaMetric(SeriesMetric):
    """The area under the F1 score after point adjustment as its share K goes from 0 to 1, exactly.

    The mean of `anomaly_kernels.point_adjusted_f1_area` over series, each of which must come as a whole.

    Parameters
    ----------
    axis : int
        The axis of time; the others count series.
    zero_division : number or 0-d array
        Value of F1 if there are neither events nor alarms.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = PointAdjustedF1AreaMetric()
    >>> truth, decision = np.asarray([True, True, False, True]), np.asarray([False, True, True, False])
    >>> metric.update_state(truth, decision)
    >>> round(float(metric.result()), 4)
    0.5333
    """

    kernel = staticmethod(adjustment.point_adjusted_f1_area)

    def __init__(self, *, axis: SupportsIndex = -1, zero_division: Setting = 0.0, **options: Unpack[Options]) -> None:
        super().__init__(axis=axis, zero_division=zero_division, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class CompositeF1Metric(SeriesMetric):
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
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = CompositeF1Metric()
    >>> truth, decision = np.asarray([True, True, False, True]), np.asarray([False, True, True, False])
    >>> metric.update_state(truth, decision)
    >>> round(float(metric.result()["f1_score"]), 4)
    0.5
    """

    kernel = staticmethod(events.composite_f1)
    result_fields = EventF1._fields

    def __init__(
        self,
        *,
        axis: SupportsIndex = -1,
        zero_division: Setting = 0.0,
        average: Average = "series",
        **options: Unpack[Options],
    ) -> None:
        super().__init__(axis=axis, zero_division=zero_division, average=average, **options)


@keras.saving.register_keras_serializable(PACKAGE)
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
        precision, and steps must run eagerly.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = BestCompositeF1Metric()
    >>> truth, score = np.asarray([True, True, False, True]), np.asarray([0.5, 2.0, 1.0, 0.0])
    >>> metric.update_state(truth, score)
    >>> round(float(metric.result()), 4)
    0.8571
    """

    kernel = staticmethod(events.best_composite_f1)

    def __init__(self, *, axis: SupportsIndex = -1, average: Average = "series", **options: Unpack[Options]) -> None:
        super().__init__(axis=axis, average=average, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class EventF1Metric(SeriesMetric):
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
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = EventF1Metric()
    >>> truth, decision = np.asarray([True, True, False, True]), np.asarray([False, True, True, False])
    >>> metric.update_state(truth, decision)
    >>> round(float(metric.result()["f1_score"]), 4)
    0.0
    """

    kernel = staticmethod(events.event_f1)
    result_fields = EventF1._fields

    def __init__(
        self,
        *,
        corrected: bool = True,
        axis: SupportsIndex = -1,
        zero_division: Setting = 0.0,
        average: Average = "series",
        **options: Unpack[Options],
    ) -> None:
        super().__init__(corrected=corrected, axis=axis, zero_division=zero_division, average=average, **options)


@keras.saving.register_keras_serializable(PACKAGE)
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
        precision, and steps must run eagerly.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = BestEventF1Metric()
    >>> truth, score = np.asarray([True, True, False, True]), np.asarray([0.5, 2.0, 1.0, 0.0])
    >>> metric.update_state(truth, score)
    >>> round(float(metric.result()), 4)
    0.6667
    """

    kernel = staticmethod(events.best_event_f1)

    def __init__(self, *, axis: SupportsIndex = -1, average: Average = "series", **options: Unpack[Options]) -> None:
        super().__init__(axis=axis, average=average, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class RangeBasedF1Metric(SeriesMetric):
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
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = RangeBasedF1Metric()
    >>> truth, decision = np.asarray([True, True, False, True]), np.asarray([False, True, True, False])
    >>> metric.update_state(truth, decision)
    >>> round(float(metric.result()["f1_score"]), 4)
    0.3333
    """

    kernel = staticmethod(ranges.range_based_f1)
    result_fields = EventF1._fields

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
        **options: Unpack[Options],
    ) -> None:
        super().__init__(
            alpha=alpha,
            bias=bias,
            precision_bias=precision_bias,
            cardinality=cardinality,
            axis=axis,
            zero_division=zero_division,
            average=average,
            **options,
        )


@keras.saving.register_keras_serializable(PACKAGE)
class AffiliationF1Metric(SeriesMetric):
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
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = AffiliationF1Metric()
    >>> truth, decision = np.asarray([True, True, False, True]), np.asarray([False, True, True, False])
    >>> metric.update_state(truth, decision)
    >>> round(float(metric.result()["f1_score"]), 4)
    0.5278
    """

    kernel = staticmethod(affiliation.affiliation_f1)
    result_fields = EventF1._fields

    def __init__(
        self,
        *,
        axis: SupportsIndex = -1,
        zero_division: Setting = 0.0,
        average: Average = "series",
        **options: Unpack[Options],
    ) -> None:
        super().__init__(axis=axis, zero_division=zero_division, average=average, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class RangeAUCMetric(SeriesMetric):
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
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = RangeAUCMetric(window=2)
    >>> truth, score = np.asarray([True, True, False, True]), np.asarray([0.5, 2.0, 1.0, 0.0])
    >>> metric.update_state(truth, score)
    >>> round(float(metric.result()["average_precision"]), 4)
    1.0
    """

    kernel = staticmethod(surfaces.range_auc)
    result_fields = RangeAUC._fields

    def __init__(
        self,
        *,
        window: SupportsIndex = 100,
        positives: Positives = "found",
        thresholds: SupportsIndex | None = None,
        axis: SupportsIndex = -1,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(window=window, positives=positives, thresholds=thresholds, axis=axis, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class VUSMetric(SeriesMetric):
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
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = VUSMetric(window=2)
    >>> truth, score = np.asarray([True, True, False, True]), np.asarray([0.5, 2.0, 1.0, 0.0])
    >>> metric.update_state(truth, score)
    >>> round(float(metric.result()["average_precision"]), 4)
    0.8519
    """

    kernel = staticmethod(surfaces.vus)
    result_fields = RangeAUC._fields

    def __init__(
        self,
        *,
        window: SupportsIndex = 100,
        positives: Positives = "found",
        thresholds: SupportsIndex | None = None,
        axis: SupportsIndex = -1,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(window=window, positives=positives, thresholds=thresholds, axis=axis, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class DetectionDelayMetric(SeriesMetric):
    """How many time steps after the start of an event its first alarm comes, and how many events have one.

    The metric of `anomaly_kernels.detection_delay` over series, each of which must come as a whole: its mean over
    series, or that of all series together. Means over series leave out series in which no event was found.

    Parameters
    ----------
    axis : int
        The axis of time; the others count series.
    average : {"series", "pooled"}
        The mean over series, or the metric of the points, events and alarms of all series together.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = DetectionDelayMetric()
    >>> truth, decision = np.asarray([True, True, False, True]), np.asarray([False, True, True, False])
    >>> metric.update_state(truth, decision)
    >>> round(float(metric.result()["mean"]), 4)
    1.0
    """

    kernel = staticmethod(events.detection_delay)
    result_fields = DetectionDelay._fields

    def __init__(self, *, axis: SupportsIndex = -1, average: Average = "series", **options: Unpack[Options]) -> None:
        super().__init__(axis=axis, average=average, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class UCRScoreMetric(SeriesMetric):
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
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = UCRScoreMetric(margin=0)
    >>> truth, score = np.asarray([True, True, False, True]), np.asarray([0.5, 2.0, 1.0, 0.0])
    >>> metric.update_state(truth, score)
    >>> round(float(metric.result()), 4)
    1.0
    """

    kernel = staticmethod(archive.ucr_score)

    def __init__(
        self,
        *,
        margin: SupportsIndex = 100,
        own_length: bool = True,
        axis: SupportsIndex = -1,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(margin=margin, own_length=own_length, axis=axis, **options)
