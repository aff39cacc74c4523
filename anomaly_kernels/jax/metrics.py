"""The metrics as pytrees: each update and merge gives a new one, under `jit`, in `scan` and over a mesh."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic, Literal, ParamSpec, Self, SupportsIndex, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
from jax.tree_util import register_pytree_with_keys_class

from anomaly_kernels import streaming
from anomaly_kernels._classes.metric_states import (
    StatefulMetric,
    best_threshold,
    check_components,
    check_exact,
    check_length,
    in_double,
    with_length,
    with_weights,
)
from anomaly_kernels._core.checks import choice, flag
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.typing import Array
from anomaly_kernels.metrics import counts, statistics
from anomaly_kernels.metrics.decisions import operating
from anomaly_kernels.metrics.ranking import areas, decisions

P = ParamSpec("P")
M = TypeVar("M")
Result = TypeVar("Result")
Setting: TypeAlias = float | jax.Array
ScoreStore: TypeAlias = Literal["exact", "histogram"]
SCORE_STORES: dict[str, Any] = {"exact": streaming.UniqueScores, "histogram": streaming.ScoreHistogram}


class Metric(StatefulMetric, Generic[Result]):
    """A base of metrics that do not change: settings, which are static, and a state, the only child as a pytree.

    Each subclass needs the decorator `register_pytree_with_keys_class` of its own.
    """

    state: Any
    """All batches so far, as a state of `anomaly_kernels.streaming`."""

    def __init__(self) -> None:
        self._start(self._empty_state(like_widest(), None))

    def _start(self, state: Any, **settings: Any) -> None:
        """Keep the settings, and the state of no batch."""
        self.check(settings)
        # static values are compared, and only one and the same NaN is equal to itself
        vars(self).update({name: math.nan if x != x else x for name, x in settings.items()}, state=state)

    @classmethod
    def empty(cls: Callable[P, M], *args: P.args, **settings: P.kwargs) -> M:
        """Return a metric of no batch; the same as the class called."""
        return cls(*args, **settings)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a metric does not change, `update` and `merge` make a new one, got `{name}`")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a metric does not change, got `{name}` to be deleted")

    def merge(self, other: Self) -> Self:
        """Return a metric of the batches of both, which are of one class."""
        if type(other) is not type(self):
            raise TypeError(f"metrics of one class can be merged, got {type(self).__name__} and {describe(other)}")
        return self._with_state(streaming.merge(self.state, other.state))

    def over(self, axis_name: str) -> Self:
        """Return a metric of the batches of all devices along an axis of a mesh; inside `shard_map`."""
        total, least, greatest = (partial(f, axis_name=axis_name) for f in (_total, jax.lax.pmin, jax.lax.pmax))
        return self._with_state(self.state.reduce(total, least, greatest))

    def compute(self) -> Result:
        """Return the result of the function over all batches."""
        return self._compute_of(self.state)  # type: ignore[no-any-return]

    def _with_batch(self, *arrays: jax.Array | None) -> Self:
        """Return a metric with a batch more, of arrays in the order of the function; None where one is not given."""
        # arrays of NumPy too, as the functions take them
        batch = tuple(x if x is None else jnp.asarray(x) for x in arrays)
        return self._with_state(self.state.merge(self._batch_state(self.state, batch)))

    def _with_state(self, state: Any) -> Self:
        return self.tree_unflatten(tuple(self._static().items()), (state,))

    def _static(self) -> dict[str, Any]:
        return {name: x for name, x in vars(self).items() if name != "state"}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={x!r}' for name, x in self._static().items())})"

    def tree_flatten_with_keys(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return the state, and the settings."""
        return ((jax.tree_util.GetAttrKey("state"), self.state),), tuple(self._static().items())

    @classmethod
    def tree_unflatten(cls, settings: tuple[Any, ...], children: tuple[Any, ...]) -> Self:
        """Put together what `tree_flatten_with_keys` returns."""
        metric = object.__new__(cls)
        vars(metric).update(dict(settings), state=children[0])
        return metric


def like_widest() -> jax.Array:
    """An array of JAX's widest floating point."""
    return jnp.zeros(0, jax.dtypes.canonicalize_dtype(jnp.float64))


def _total(x: jax.Array, axis_name: str) -> jax.Array:
    """The sum over all devices; negative where integers overflow, or did before, as in every state."""
    total = jax.lax.psum(x, axis_name)
    if not jnp.issubdtype(x.dtype, jnp.integer):
        return total
    limit = float(jnp.iinfo(x.dtype).max)
    overflow = (jax.lax.psum(x.astype(float), axis_name) >= limit) | (jax.lax.pmin(x, axis_name) < 0)
    return jnp.where(overflow, -1, total)


class ScoreMetric(Metric[Result]):
    """A base of metrics that keep scores, if any: in a histogram of a fixed size, or each distinct one."""

    scores: ScoreStore | None
    weighted: bool

    def _start_with_scores(self, *, scores: ScoreStore | None, weighted: bool, **settings: Any) -> None:
        """Keep the settings, and the state of no batch."""
        flag("weighted", weighted)
        like = like_widest()
        state = self._empty_state(like, None if scores is None else SCORE_STORES[scores].empty(like))
        state = with_weights(state, like) if weighted else state
        self._start(state, **settings, scores=scores, weighted=weighted)

    def bounds(self) -> streaming.Bounded[Result]:
        """Return the result over all batches (`value`), and its bounds (`lower`, `upper`), each as `compute` does.

        The exact result is between the bounds, field by field. With ``scores="exact"`` all three are equal.
        """
        return self._bounds_of(self.state)

    def _with_scores(self, *arrays: jax.Array, sample_weight: jax.Array | None) -> Self:
        """Return a metric with a batch more, of arrays of which the scores, where they are kept, come last."""
        if sample_weight is not None and not self.weighted:
            name = type(self).__name__
            raise TypeError(f"`sample_weight` is taken by {name}(weighted=True), got one without")
        batch = list(map(jnp.asarray, arrays))
        if self.scores == "exact":  # a histogram takes every dtype, and knows which integers it cannot tell apart
            batch[-1] = in_double(batch[-1])
        weight = None if sample_weight is None else jnp.asarray(sample_weight)
        return self._with_state(streaming.update(self.state, *batch, sample_weight=weight))


@register_pytree_with_keys_class
class AnomalyDetectionMetrics(ScoreMetric[counts.DetectionMetrics]):
    """Precision, recall, F1 score and intersection over union of decisions, and average precision of their scores.

    The metric of `anomaly_kernels.anomaly_detection_metrics`, over all elements of all batches.

    Parameters
    ----------
    zero_division : number or 0-d array
        Value of a quotient whose denominator is 0: precision without alarms, recall without anomalies. ``nan`` marks it
        as undefined.
    scores : None, "histogram" or "exact"
        How scores are kept. ``"exact"`` keeps all distinct ones, and does not work under `jit`. For a histogram,
        `bounds` has the bounds of average precision.
    weighted : bool
        Whether `update` takes a `sample_weight`: counters are real then.

    Examples
    --------
    >>> metric = AnomalyDetectionMetrics()
    >>> metric = metric.update(jnp.asarray([True, False]), jnp.asarray([True, True]))
    >>> float(metric.compute().precision)
    0.5
    """

    kernel = staticmethod(counts.anomaly_detection_metrics)

    def __init__(
        self, *, zero_division: Setting = 0.0, scores: ScoreStore | None = None, weighted: bool = False
    ) -> None:
        if scores not in (None, "histogram", "exact"):
            raise ValueError(f"`scores` must be None, 'histogram' or 'exact', got {scores!r}")
        self._start_with_scores(zero_division=zero_division, scores=scores, weighted=weighted)

    def update(
        self,
        target: jax.Array,
        decision: jax.Array,
        score: jax.Array | None = None,
        *,
        sample_weight: jax.Array | None = None,
    ) -> Self:
        """Return the metric after one more batch: true anomalies, decisions and, where scores are kept, the scores."""
        if (score is not None) != (self.scores is not None):
            expected = "target, decision, score" if self.scores else "target, decision (scores=None keeps no scores)"
            raise TypeError(f"AnomalyDetectionMetrics takes {expected}, got {2 + (score is not None)} arrays")
        return self._with_scores(target, decision, *([] if score is None else [score]), sample_weight=sample_weight)


@register_pytree_with_keys_class
class ExplainedVarianceMetric(Metric[statistics.ExplainedVariance]):
    """Shares of the variance that principal components explain: of each, of all together, and cumulative.

    The metric of `anomaly_kernels.explained_variance`: its mean over batches.

    Parameters
    ----------
    components : int, optional
        Number of components. It gives the state its shape from the beginning, as `scan` needs.

    Examples
    --------
    >>> metric = ExplainedVarianceMetric(components=2).update(jnp.asarray([0.5, 0.25]))
    >>> float(metric.compute().total)
    0.75
    """

    kernel = staticmethod(statistics.explained_variance)
    components: int | None

    def __init__(self, *, components: int | None = None) -> None:
        check_components(components)
        empty = self._empty_state(like_widest(), None)
        self._start(empty if components is None else with_length(empty, components), components=components)

    def update(self, explained_variance_ratio: jax.Array) -> Self:
        """Return the metric after one more batch: shares (K,)."""
        check_length("explained_variance_ratio", explained_variance_ratio, self.components)
        return self._with_batch(explained_variance_ratio)


@register_pytree_with_keys_class
class AnomalyPixelStatisticsMetric(Metric[counts.PixelStatistics]):
    """How many pixels (samples, time steps) there are, and how many of them were decided anomalous.

    The metric of `anomaly_kernels.anomaly_pixel_statistics` over all batches.

    Examples
    --------
    >>> metric = AnomalyPixelStatisticsMetric().update(jnp.asarray([True, False]))
    >>> int(metric.compute().anomalous_pixels)
    1
    """

    kernel = staticmethod(counts.anomaly_pixel_statistics)

    def update(self, decision: jax.Array) -> Self:
        """Return the metric after one more batch: decisions of any shape."""
        return self._with_batch(decision)


@register_pytree_with_keys_class
class ScoreStatisticsMetric(Metric[statistics.ScoreStatistics]):
    """Mean, standard deviation, extremes and quantiles of anomaly scores.

    The metric of `anomaly_kernels.score_statistics` over all scores of all batches. They are kept in a
    `ScoreHistogram`, which has bounds of the quantiles.

    Examples
    --------
    >>> metric = ScoreStatisticsMetric().update(jnp.asarray([1.0, 2.0, 6.0]))
    >>> float(metric.compute().median)
    2.0
    """

    kernel = staticmethod(statistics.score_statistics)

    def __init__(self) -> None:
        like = like_widest()
        self._start(self._empty_state(like, streaming.ScoreHistogram.empty(like)))

    def update(self, scores: jax.Array) -> Self:
        """Return the metric after one more batch: scores of any shape."""
        return self._with_batch(scores)


@register_pytree_with_keys_class
class ComponentOrthogonalityMetric(Metric[statistics.ComponentOrthogonality]):
    """How far components are from orthonormal.

    The metric of `anomaly_kernels.component_orthogonality`: its mean over batches.

    Examples
    --------
    >>> metric = ComponentOrthogonalityMetric().update(jnp.eye(2))
    >>> float(metric.compute().orthogonality_error)
    0.0
    """

    kernel = staticmethod(statistics.component_orthogonality)

    def update(self, components: jax.Array) -> Self:
        """Return the metric after one more batch: components (K, C), one a row."""
        return self._with_batch(components)


@register_pytree_with_keys_class
class SelectorEntropyMetric(Metric[Array]):
    """Entropy of selection weights: log C if C channels are selected evenly, 0 if only one is.

    The metric of `anomaly_kernels.selector_entropy`: its mean over batches.

    Parameters
    ----------
    eps : number or 0-d array, at least 0
        ε; 0 gives the exact entropy, with 0 log 0 = 0.

    Examples
    --------
    >>> metric = SelectorEntropyMetric(eps=0.0).update(jnp.asarray([0.5, 0.5]))
    >>> round(float(metric.compute()), 4)
    0.6931
    """

    kernel = staticmethod(statistics.selector_entropy)

    def __init__(self, *, eps: Setting = 1e-6) -> None:
        self._start(self._empty_state(like_widest(), None), eps=eps)

    def update(self, weights: jax.Array) -> Self:
        """Return the metric after one more batch: selection weights of any shape."""
        return self._with_batch(weights)


@register_pytree_with_keys_class
class SelectorDiversityMetric(Metric[statistics.SelectorDiversity]):
    """Variance and Gini coefficient of selection weights: how unevenly channels are selected.

    The metric of `anomaly_kernels.selector_diversity`: its mean over batches.

    Examples
    --------
    >>> metric = SelectorDiversityMetric().update(jnp.asarray([1.0, 0.0]))
    >>> float(metric.compute().gini_coefficient)
    0.5
    """

    kernel = staticmethod(statistics.selector_diversity)

    def update(self, weights: jax.Array) -> Self:
        """Return the metric after one more batch: selection weights of any shape."""
        return self._with_batch(weights)


class RankingMetric(ScoreMetric[Result]):
    """A base of metrics of a ranking, over all elements of all batches."""

    def __init__(
        self, settings: Mapping[str, Any] = {}, /, *, scores: ScoreStore = "histogram", weighted: bool = False
    ) -> None:
        choice("scores", scores, tuple(SCORE_STORES))
        self._start_with_scores(**settings, scores=scores, weighted=weighted)

    def update(self, target: jax.Array, score: jax.Array, *, sample_weight: jax.Array | None = None) -> Self:
        """Return the metric after one more batch: true anomalies and scores, of one shape."""
        return self._with_scores(target, score, sample_weight=sample_weight)


@register_pytree_with_keys_class
class AveragePrecisionMetric(RankingMetric[Array]):
    r"""Average precision: the mean, over the positives, of the precision among all that score at least as high.

    .. math:: \frac 1P \sum_{i: y_i = 1} \frac{|\{j: y_j = 1, s_j \ge s_i\}|}{|\{j: s_j \ge s_i\}|}

    The metric of `anomaly_kernels.average_precision` over all elements of all batches, in (0, 1]; 0 without positives.

    Parameters
    ----------
    scores : {"exact", "histogram"}
        How scores are kept. ``"exact"`` keeps all distinct ones, and does not work under `jit`. For a histogram,
        `bounds` has the bounds.
    weighted : bool
        Whether `update` takes a `sample_weight`: counters are real then.

    Examples
    --------
    >>> truth, score = jnp.asarray([True, True, False, False]), jnp.asarray([4.0, 1.0, 2.0, -3.0])
    >>> metric = AveragePrecisionMetric().update(truth, score)
    >>> round(float(metric.compute()), 4)
    0.8333
    """

    kernel = staticmethod(areas.average_precision)

    def __init__(self, *, scores: ScoreStore = "histogram", weighted: bool = False) -> None:
        super().__init__(scores=scores, weighted=weighted)


@register_pytree_with_keys_class
class AUPRTrapezoidMetric(RankingMetric[Array]):
    r"""Area under the precision-recall curve by trapezoids, which is usually too high.

    .. math:: \frac 1P \sum_{i: y_i = 1} \frac{p(s_i) + p(s_i^+)}{2}, \quad
        p(s) = \frac{|\{j: y_j = 1, s_j \ge s\}|}{|\{j: s_j \ge s\}|}

    The metric of `anomaly_kernels.aupr_trapezoid` over all elements of all batches, in (0, 1]; 0 without positives.

    Parameters
    ----------
    scores : {"exact", "histogram"}
        How scores are kept. ``"exact"`` keeps all distinct ones, and does not work under `jit`. For a histogram,
        `bounds` has the bounds.
    weighted : bool
        Whether `update` takes a `sample_weight`: counters are real then.

    Examples
    --------
    >>> truth, score = jnp.asarray([True, False, False, False]), jnp.asarray([0.0, 0.0, 0.0, 0.0])
    >>> metric = AUPRTrapezoidMetric().update(truth, score)
    >>> float(metric.compute())
    0.625
    """

    kernel = staticmethod(areas.aupr_trapezoid)

    def __init__(self, *, scores: ScoreStore = "histogram", weighted: bool = False) -> None:
        super().__init__(scores=scores, weighted=weighted)


@register_pytree_with_keys_class
class ROCAUCMetric(RankingMetric[Array]):
    r"""Area under the ROC curve: the probability that a positive scores higher than a negative, ties counting half.

    .. math:: \frac{1}{P N} \sum_{i: y_i = 1} \sum_{j: y_j = 0} \left([s_j < s_i] + \tfrac 12 [s_j = s_i]\right)

    The metric of `anomaly_kernels.roc_auc` over all elements of all batches, in [0, 1]; NaN if there is only one class.

    Parameters
    ----------
    max_fpr : number or 0-d array, in (0, 1], optional
        F. Only the area A up to this false positive rate counts, on the scale of the whole area: (1 + (A − F²/2)/(F −
        F²/2))/2, which is 0.5 for a ranking by chance and 1 for a perfect one.
    scores : {"exact", "histogram"}
        How scores are kept. ``"exact"`` keeps all distinct ones, and does not work under `jit`. For a histogram,
        `bounds` has the bounds.
    weighted : bool
        Whether `update` takes a `sample_weight`: counters are real then.

    Examples
    --------
    >>> truth, score = jnp.asarray([True, True, False, False]), jnp.asarray([4.0, 1.0, 2.0, -3.0])
    >>> metric = ROCAUCMetric().update(truth, score)
    >>> float(metric.compute())
    0.75
    """

    kernel = staticmethod(areas.roc_auc)

    def __init__(
        self, *, max_fpr: Setting | None = None, scores: ScoreStore = "histogram", weighted: bool = False
    ) -> None:
        super().__init__({"max_fpr": max_fpr}, scores=scores, weighted=weighted)


@register_pytree_with_keys_class
class BestF1Metric(RankingMetric[Array]):
    r"""The highest F1 score that a threshold can give. `threshold` is the threshold that gives it.

    .. math:: \max_s \frac{2\, TP(s)}{P + TP(s) + FP(s)}

    The `value` of `anomaly_kernels.best_f1` over all elements of all batches, in (0, 1]; 0 without positives.

    Parameters
    ----------
    scores : {"exact", "histogram"}
        How scores are kept. ``"exact"`` keeps all distinct ones, and does not work under `jit`. For a histogram,
        `bounds` has the bounds.
    weighted : bool
        Whether `update` takes a `sample_weight`: counters are real then.

    Examples
    --------
    >>> truth, score = jnp.asarray([True, True, False, False]), jnp.asarray([4.0, 1.0, 2.0, -3.0])
    >>> metric = BestF1Metric().update(truth, score)
    >>> round(float(metric.compute()), 4), float(metric.threshold)
    (0.8, 1.0)
    """

    kernel = staticmethod(decisions.best_f1)

    def __init__(self, *, scores: ScoreStore = "histogram", weighted: bool = False) -> None:
        super().__init__(scores=scores, weighted=weighted)

    @property
    def threshold(self) -> Array:
        """The score s for which ``score >= s`` has the F1 score of `compute`; NaN without scores."""
        threshold: Array = best_threshold(self.state)
        return threshold


@register_pytree_with_keys_class
class FPRAtTPRMetric(RankingMetric[Array]):
    r"""The false positive rate at the highest threshold that finds a given share of the positives (FPR@95).

    .. math:: \min_s \{FP(s)/N : TP(s)/P \ge r\}

    The metric of `anomaly_kernels.fpr_at_tpr` over all elements of all batches, in [0, 1], low for good scores; NaN
    if there is only one class.

    Parameters
    ----------
    tpr : number or 0-d array, in (0, 1]
        The least share r of the positives to find.
    scores : {"exact", "histogram"}
        How scores are kept. ``"exact"`` keeps all distinct ones, and does not work under `jit`. For a histogram,
        `bounds` has the bounds.
    weighted : bool
        Whether `update` takes a `sample_weight`: counters are real then.

    Examples
    --------
    >>> truth, score = jnp.asarray([True, True, False, False]), jnp.asarray([4.0, 1.0, 2.0, -3.0])
    >>> metric = FPRAtTPRMetric(tpr=0.95).update(truth, score)
    >>> float(metric.compute())
    0.5
    """

    kernel = staticmethod(decisions.fpr_at_tpr)

    def __init__(self, *, tpr: Setting = 0.95, scores: ScoreStore = "histogram", weighted: bool = False) -> None:
        super().__init__({"tpr": tpr}, scores=scores, weighted=weighted)


@register_pytree_with_keys_class
class PrecisionAtKMetric(RankingMetric[Array]):
    r"""The share of anomalies among the k highest scores.

    .. math:: \frac 1k \sum_{i: y_i = 1} \min\left(1, \max\left(0, \frac{k - |\{j: s_j > s_i\}|}{|\{j: s_j = s_i\}|}
        \right)\right)

    The metric of `anomaly_kernels.precision_at_k` over all elements of all batches, in [0, 1].

    Parameters
    ----------
    k : int, at least 1
        How many samples are looked at, such as the number that an analyst has time for.
    scores : {"exact", "histogram"}
        How scores are kept. ``"exact"`` keeps all distinct ones, and does not work under `jit`. For a histogram,
        `bounds` has the bounds.
    weighted : bool
        Whether `update` takes a `sample_weight`: counters are real then.

    Examples
    --------
    >>> truth, score = jnp.asarray([True, True, False, False]), jnp.asarray([4.0, 1.0, 2.0, -3.0])
    >>> metric = PrecisionAtKMetric(k=2).update(truth, score)
    >>> float(metric.compute())
    0.5
    """

    kernel = staticmethod(decisions.precision_at_k)

    def __init__(self, k: SupportsIndex, *, scores: ScoreStore = "histogram", weighted: bool = False) -> None:
        super().__init__({"k": k}, scores=scores, weighted=weighted)


@register_pytree_with_keys_class
class ThresholdAtRecallMetric(RankingMetric[operating.OperatingPoint]):
    r"""The highest threshold that finds a given share of the anomalies, and its precision and recall.

    .. math:: \max \{s : TP(s)/P \ge r\}

    The metric of `anomaly_kernels.threshold_at_recall` over all elements of all batches; NaN without positives.

    Parameters
    ----------
    recall : number or 0-d array, in (0, 1]
        The least share r of the positives to find.
    scores : {"exact"}
        How scores are kept: each distinct one, which does not work under `jit`.
    weighted : bool
        Whether `update` takes a `sample_weight`: counters are real then.

    Examples
    --------
    >>> truth, score = jnp.asarray([True, True, False, False]), jnp.asarray([4.0, 1.0, 2.0, -3.0])
    >>> metric = ThresholdAtRecallMetric(recall=0.9).update(truth, score)
    >>> [round(float(x), 4) for x in metric.compute()]
    [1.0, 0.6667, 1.0]
    """

    kernel = staticmethod(operating.threshold_at_recall)

    def __init__(self, *, recall: Setting = 0.95, scores: Literal["exact"] = "exact", weighted: bool = False) -> None:
        check_exact(scores)
        super().__init__({"recall": recall}, scores=scores, weighted=weighted)


@register_pytree_with_keys_class
class ThresholdAtPrecisionMetric(RankingMetric[operating.OperatingPoint]):
    r"""The threshold with the highest recall among those that reach a given precision.

    .. math:: \max \{s : TP(s) = \max_{s' : TP(s')/(TP(s') + FP(s')) \ge p} TP(s')\}

    The metric of `anomaly_kernels.threshold_at_precision` over all elements of all batches; infinity, 0 and 0 where no
    threshold has the precision.

    Parameters
    ----------
    precision : number or 0-d array, in (0, 1]
        The least share p of the alarms that must be right.
    scores : {"exact"}
        How scores are kept: each distinct one, which does not work under `jit`.
    weighted : bool
        Whether `update` takes a `sample_weight`: counters are real then.

    Examples
    --------
    >>> truth, score = jnp.asarray([True, True, False, False]), jnp.asarray([4.0, 1.0, 2.0, -3.0])
    >>> metric = ThresholdAtPrecisionMetric(precision=0.6).update(truth, score)
    >>> [round(float(x), 4) for x in metric.compute()]
    [1.0, 0.6667, 1.0]
    """

    kernel = staticmethod(operating.threshold_at_precision)

    def __init__(self, *, precision: Setting = 0.9, scores: Literal["exact"] = "exact", weighted: bool = False) -> None:
        check_exact(scores)
        super().__init__({"precision": precision}, scores=scores, weighted=weighted)
