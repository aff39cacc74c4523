"""The metrics for Keras: results over all batches, in variables of a fixed size."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial, reduce
from typing import Any, Literal, SupportsIndex, TypeAlias, Unpack

import keras
import numpy as np
from keras.src.backend.common.symbolic_scope import in_symbolic_scope  # private: no public name tells

from anomaly_kernels._classes.metric_states import (
    StatefulMetric,
    best_threshold,
    check_components,
    check_exact,
    check_length,
    in_double,
    leaves,
    rebuild,
    with_length,
    with_weights,
)
from anomaly_kernels._core.checks import Range, choice, integer, setting
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels.keras._backend import assign_row, replicas
from anomaly_kernels.keras._base import (
    PACKAGE,
    KerasLearner,
    Options,
    Setting,
    Tensor,
    align_weight,
    mask_of,
    match_ranks,
    to_kernel,
    to_numpy,
    to_tensor,
)
from anomaly_kernels.keras._histogram import DIGITS, MOST_DIGITS, Cells
from anomaly_kernels.keras._logs import in_logs
from anomaly_kernels.metrics import counts, statistics
from anomaly_kernels.metrics.decisions import operating
from anomaly_kernels.metrics.ranking import areas, decisions
from anomaly_kernels.streaming import Bounded, merge
from anomaly_kernels.streaming._runs import ScoreRuns, without_runs

ScoreStore: TypeAlias = Literal["exact", "histogram"]


class Metric(StatefulMetric, KerasLearner, keras.metrics.Metric):
    """A base of metrics whose state merges; each array of a state is a variable, but for the edges of a histogram."""

    result_fields: tuple[str, ...] = ()
    """The names in the result, if it is a dict."""

    def __init__(self, *, name: str | None = None, dtype: Any = None, **settings: Any) -> None:
        super().__init__(dtype=dtype, name=name)
        self._set_all(settings)
        self._parts: dict[str, Any] = {}
        for part, empty in self._empty_parts().items():
            self._add_part(part, empty)

    def _set(self, name: str, value: Any) -> None:
        if name == "dtype":  # which Keras derives from the policy
            name, value = "_dtype_policy", keras.dtype_policies.get(value or keras.config.floatx())
            self._dtype = value.compute_dtype
        super()._set(name, value)

    def _settings(self) -> dict[str, Any]:
        return {name: to_kernel(x) for name, x in super()._settings().items()}

    def _empty_parts(self) -> dict[str, Any]:
        """The states of no batch, by the names that their variables begin with."""
        return {"state": self._empty_state(no_scores(), None)}

    def _add_part(self, part: str, empty: Any) -> None:
        """Make the variables of a state."""
        count = replicas()
        variables: list[Any] = []
        for name, leaf in leaves(empty):
            start, dtype = keras.ops.convert_to_numpy(leaf), keras.backend.standardize_dtype(leaf.dtype)
            if name.endswith("edges"):
                variables.append((start, None))
            elif count == 1:
                variable = self.add_variable(start.shape, _Constant(start), dtype=dtype, name=f"{part}_{name}")
                variables.append((start, variable))
            else:
                variable = self.add_variable((count, *start.shape), "zeros", dtype=dtype, name=f"{part}_{name}")
                variables.append((start, variable))
        # TensorFlow adds the variables of all replicas, of which each has a row of its own that is 0 in the others
        batches = None if count == 1 else self.add_variable((count,), "zeros", dtype="int32", name=f"{part}_batches")
        self._parts[part] = (empty, variables, batches)

    def _read(self, part: str = "state") -> Any:
        """All batches so far, as a state of `anomaly_kernels.streaming`."""
        template, variables, batches = self._parts[part]
        if batches is None:
            return rebuild(template, iter([to_tensor(start if x is None else x) for start, x in variables]))
        ops, seen = keras.ops, to_tensor(batches) > 0
        rows = [
            to_tensor(start)
            if x is None
            else ops.where(ops.reshape(seen, (-1, *[1] * start.ndim)), to_tensor(x), to_tensor(start, x.dtype))
            for start, x in variables
        ]
        along = [partial(reduction, axis=0) for reduction in (ops.sum, ops.min, ops.max)]
        return rebuild(template, iter(rows)).reduce(*along)

    def _write(self, state: Any, part: str = "state") -> None:
        _, variables, batches = self._parts[part]
        for (_, variable), (_, leaf) in zip(variables, leaves(state), strict=True):
            if variable is not None and batches is None:
                variable.assign(keras.ops.cast(leaf, variable.dtype))
            elif variable is not None:
                assign_row(variable, leaf)
        if batches is not None:
            assign_row(batches, keras.ops.ones((), "int32"))

    def reset_state(self) -> None:
        """Forget all batches."""
        for _, variables, batches in self._parts.values():
            for start, variable in variables:
                if variable is not None:
                    variable.assign(start if batches is None else keras.ops.zeros_like(variable))
            if batches is not None:
                batches.assign(keras.ops.zeros_like(batches))

    def update_state(self, y_true: Tensor, y_pred: Tensor = None, sample_weight: Tensor | None = None) -> None:
        """Take in a batch: the array alone, or as Keras calls it, of which only `y_pred` counts."""
        if sample_weight is not None:
            raise ValueError(f"{type(self).__name__} has no weights of samples, got `sample_weight`")
        self.merge_batch(to_tensor(y_true if y_pred is None else y_pred))

    def merge_batch(self, *arrays: Tensor) -> None:
        """Merge a batch of arrays in the order of the function into the state."""
        if any(0 in x.shape for x in arrays):
            return  # an empty batch is none, as for Keras' own
        state = self._read()
        merged = state.merge(self._batch_state(state, arrays))
        if any(None in x.shape for x in arrays):  # a graph finds out whether it is empty
            full = keras.ops.all([keras.ops.size(x) > 0 for x in arrays])
            both = zip(leaves(merged), leaves(state), strict=True)
            merged = rebuild(merged, (keras.ops.where(full, new, old) for (_, new), (_, old) in both))
        self._write(merged)

    def result(self) -> Any:
        """Return the result of the function over all batches, as a dict if it is a NamedTuple.

        In the logs of a model its entries are named after the metric, unless it has the default name and is the only
        one of its kind there.
        """
        result = self._result()
        return in_logs(self, result) if isinstance(result, dict) else result

    def _result(self) -> Any:
        """The result by the names of the function."""
        return self._cast(self._compute_of(self._read()))

    def _cast(self, result: Any) -> Any:
        if hasattr(result, "_asdict"):
            return {name: self._cast(x) for name, x in result._asdict().items() if x is not None}
        real = "float" in keras.backend.standardize_dtype(result.dtype)
        # a copy: it may be a variable itself, which changes with the next batch
        return keras.ops.cast(result, self.dtype) if real else keras.ops.copy(result)

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same metric."""
        return {**super().get_config(), **self._config()}


class _Constant(keras.initializers.Initializer):
    """An array that a variable starts with."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        return keras.ops.convert_to_tensor(self.values, dtype)


def no_scores() -> Tensor:
    """A tensor of no scores in the widest dtype that the backend has."""
    single = keras.ops.zeros((0,), "float32")
    xp = array_namespace(single)
    return xp.astype(single, xp.wide(single))


def _counts_exactly(like: Tensor) -> bool:
    """Whether real numbers of the dtype of a tensor count without rounding."""
    return keras.backend.standardize_dtype(like.dtype) == "float64"


class HistogramOptions(Options, total=False):
    """What every metric with a histogram takes for Keras, besides its settings."""

    digits: int


class HistogramMetric(Metric):
    """A base of metrics that count scores in a histogram, whose size the setting ``digits`` says."""

    def __init__(self, *, digits: int = DIGITS, **settings: Any) -> None:
        super().__init__(digits=digits, **settings)

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """Raise unless `digits` is one of those that there are, and what the kernel would raise of its settings."""
        setting("digits", integer("digits", values["digits"], "an integer"), Range(least=1, most=MOST_DIGITS))
        super().check(values)

    def _set(self, name: str, value: Any) -> None:
        if name == "digits" and self.__dict__.get("digits", value) != value:
            raise ValueError(f"`digits` of a metric that is there cannot be changed, got {value!r}")
        super()._set(name, value)

    def _empty_parts(self) -> dict[str, Any]:
        like = no_scores()
        return {"state": self._empty_state(like, Cells.empty(like, self.digits))}

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same metric."""
        return {**super().get_config(), "digits": self.digits}


class HostMetric(Metric):
    """A base of metrics that keep each distinct score: in NumPy, beside the variables, whose size is fixed."""

    _otherwise = ""
    """What there is for steps that are compiled, as an error says it."""

    @property
    def _keeps_each(self) -> bool:
        return True

    def _keep(self, state: Any) -> None:
        object.__setattr__(self, "_kept", state)  # in which Keras would look for variables

    def _nothing_kept(self) -> Any:
        like = np.zeros(0)
        return self._empty_state(like, ScoreRuns.empty(like))

    def _empty_parts(self) -> dict[str, Any]:
        if not self._keeps_each:
            return super()._empty_parts()
        self._keep(self._nothing_kept())
        return {}

    def reset_state(self) -> None:
        """Forget all batches."""
        super().reset_state()
        if self._keeps_each:
            self._keep(self._nothing_kept())

    def _on_host(self, x: Tensor) -> Any:
        """A tensor as an array of NumPy, which has no bfloat16."""
        if not array_namespace(x).is_known(x):
            raise TypeError(
                f"{type(self).__name__} keeps each distinct score, which a traced or compiled step cannot: "
                f"use `compile(run_eagerly=True)`{self._otherwise}"
            )
        half = keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16")
        return keras.ops.convert_to_numpy(keras.ops.cast(x, "float32") if half else x)

    def _settings(self) -> dict[str, Any]:
        settings = super()._settings()
        return {name: to_numpy(x) for name, x in settings.items()} if self._keeps_each else settings

    def _all_batches(self) -> Any:
        """All batches so far, as a state of `anomaly_kernels.streaming`."""
        return without_runs(self._kept) if self._keeps_each else self._read()

    def _result(self) -> Any:
        return self._cast(self._compute_of(self._all_batches()))


class ScoreMetric(HostMetric, HistogramMetric):
    """A base of metrics that keep scores: in a histogram of a fixed size, or each distinct one.

    The setting ``scores`` says which.
    """

    _otherwise = ", or `scores='histogram'`"

    def __init__(self, *, scores: ScoreStore, **settings: Any) -> None:
        super().__init__(scores=scores, **settings)

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """Raise unless `scores` is one of the two, and what the kernel would raise of its settings."""
        choice("scores", values["scores"], ("exact", "histogram"))
        super().check(values)

    def bounds(self) -> Bounded[Any]:
        """Return the result over all batches (`value`) and its bounds (`lower`, `upper`), by the function's names.

        The exact result is between the bounds, field by field. With ``scores="exact"`` all three are equal.
        """
        return Bounded(*map(self._cast, self._bounds_of(self._all_batches())))

    def _set(self, name: str, value: Any) -> None:
        if name == "scores" and self.__dict__.get("scores", value) != value:
            raise ValueError(f"`scores` of a metric that is there cannot be changed, got {value!r}")
        super()._set(name, value)

    @property
    def has_scores(self) -> bool:
        """Whether batches come with scores."""
        return True

    @property
    def _keeps_each(self) -> bool:
        return self.has_scores and bool(self.scores == "exact")

    def _empty_parts(self) -> dict[str, Any]:
        if self._keeps_each:
            return super()._empty_parts()
        like = no_scores()
        empty = self._empty_state(like, Cells.empty(like, self.digits) if self.has_scores else None)
        # where samples have weights counters are real; integers are kept apart from those that would round them
        real = with_weights(empty, like)
        return {"weighted": real} if _counts_exactly(like) else {"counted": empty, "weighted": real}

    def update_state(self, y_true: Tensor, y_pred: Tensor = None, sample_weight: Tensor | None = None) -> None:
        """Take in a batch of true anomalies and scores, and weights of samples."""
        if y_pred is None:
            raise TypeError(f"{type(self).__name__} takes `y_true` and `y_pred`, got one array")
        y_pred = to_tensor(y_pred)
        y_true = to_tensor(match_ranks(y_true, y_pred))
        weight = sample_weight
        if (mask := mask_of(y_pred)) is not None:
            weight = mask if weight is None else to_tensor(weight) * keras.ops.cast(mask, to_tensor(weight).dtype)
        if weight is not None:
            ones = keras.ops.ones_like(y_pred, "float32")
            weight = ones * align_weight("sample_weight", weight, ones)
        self.merge_batch(*self._arrays_of(y_true, y_pred), sample_weight=weight)

    def _arrays_of(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, ...]:
        """The arrays of the function, in its order."""
        return y_true, y_pred

    def merge_batch(self, *arrays: Tensor, sample_weight: Tensor | None = None) -> None:
        """Merge a batch of arrays in the order of the function into the state; scores, if any, come last."""
        if 0 in arrays[0].shape:
            return
        if self._keeps_each:
            self._merge_each(*arrays, sample_weight=sample_weight)
            return
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        part = "counted" if not weights and "counted" in self._parts else "weighted"
        state = self._read(part)
        self._write(state.merge(state.of(*arrays, **weights)), part)

    def _merge_each(self, *arrays: Tensor, sample_weight: Tensor | None) -> None:
        if in_symbolic_scope():  # where Keras looks for shapes, before the first step
            return
        *others, score = map(self._on_host, arrays)
        weights = {} if sample_weight is None else {"sample_weight": self._on_host(sample_weight)}
        self._keep(self._kept.merge(self._kept.of(*others, in_double(score), **weights)))

    def _all_batches(self) -> Any:
        """All batches so far, with weights and without."""
        return super()._all_batches() if self._keeps_each else reduce(merge, map(self._read, self._parts))

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same metric."""
        return {**super().get_config(), "scores": self.scores}


@keras.saving.register_keras_serializable(PACKAGE)
class AnomalyDetectionMetrics(ScoreMetric):
    """Precision, recall, F1 score and intersection over union of decisions, and average precision of their scores.

    The metric of `anomaly_kernels.anomaly_detection_metrics`, over all elements of all batches. With a `threshold` the
    result has ``average_precision`` too, and the bounds that the exact one is between: ``average_precision_lower`` and
    ``average_precision_upper``.

    Parameters
    ----------
    zero_division : number or 0-d array
        Value of a quotient whose denominator is 0: precision without alarms, recall without anomalies. ``nan`` marks it
        as undefined.
    threshold : number, optional
        If given, predictions are scores, and those above it are anomalous. By default predictions are decisions.
    scores : {"exact", "histogram"}
        How scores are kept: each distinct one, if steps run eagerly, or in a histogram of a fixed size.
    digits : int, from 1 to 12
        Binary digits that tell scores apart in a histogram. One more digit makes the cells half as wide and twice as
        many.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = AnomalyDetectionMetrics(threshold=0.5)
    >>> metric.update_state(np.asarray([1, 0]), np.asarray([0.9, 0.7]))
    >>> float(metric.result()["precision"])
    0.5
    """

    kernel = staticmethod(counts.anomaly_detection_metrics)
    result_fields = (*counts.DetectionMetrics._fields, "average_precision_lower", "average_precision_upper")

    def __init__(
        self,
        *,
        zero_division: Setting = 0.0,
        threshold: float | None = None,
        scores: ScoreStore = "histogram",
        **options: Unpack[HistogramOptions],
    ) -> None:
        super().__init__(zero_division=zero_division, threshold=threshold, scores=scores, **options)

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """Raise unless `threshold` is a number or None, and what the kernel would raise of its settings."""
        if values["threshold"] is not None:
            setting("threshold", values["threshold"])
        super().check(values)

    @property
    def has_scores(self) -> bool:
        """Whether batches come with scores, beside the decisions on them."""
        return self.threshold is not None

    def _arrays_of(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, ...]:
        return (y_true, y_pred) if self.threshold is None else (y_true, y_pred > self.threshold, y_pred)

    def _result(self) -> dict[str, Tensor]:
        value, lower, upper = self._bounds_of(self._all_batches())
        result: dict[str, Tensor] = self._cast(value)
        if self.has_scores:
            result["average_precision_lower"] = self._cast(lower.average_precision)
            result["average_precision_upper"] = self._cast(upper.average_precision)
        return result

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same metric."""
        return {**super().get_config(), "threshold": self.threshold}


@keras.saving.register_keras_serializable(PACKAGE)
class ExplainedVarianceMetric(Metric):
    """Shares of the variance that principal components explain: of each, of all together, and cumulative.

    The metric of `anomaly_kernels.explained_variance`: its mean over batches. Without `components` its variables are
    made with the first batch.

    Parameters
    ----------
    components : int, optional
        Number of components in each batch, if that must be known before the first batch, as in `scan`.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = ExplainedVarianceMetric()
    >>> metric.update_state(np.asarray([0.5, 0.25]))
    >>> float(metric.result()["total"])
    0.75
    """

    kernel = staticmethod(statistics.explained_variance)
    result_fields = statistics.ExplainedVariance._fields

    def __init__(self, *, components: int | None = None, **options: Unpack[Options]) -> None:
        super().__init__(components=components, **options)

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """Raise unless `components` is a positive integer or None."""
        check_components(values["components"])

    def _set(self, name: str, value: Any) -> None:
        if name == "components" and self.__dict__.get("_parts") and value != self.components:
            raise ValueError(f"`components` of a metric with variables cannot be changed, got {value!r}")
        super()._set(name, value)

    def _empty_parts(self) -> dict[str, Any]:
        return {} if self.components is None else {"state": self._of_length(self.components)}

    def _of_length(self, components: int) -> Any:
        return with_length(self._empty_state(no_scores(), None), components)

    def merge_batch(self, *arrays: Tensor) -> None:
        """Merge the shares (K,) of a batch into the state."""
        check_length("explained_variance_ratio", arrays[0], self.components)
        if not self._parts:
            self._add_part("state", self._of_length(arrays[0].shape[0]))
        super().merge_batch(*arrays)

    def _result(self) -> dict[str, Tensor]:
        return super()._result() if self._parts else {}  # nothing before there is a batch

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same metric."""
        return {**super().get_config(), "components": self.components}


@keras.saving.register_keras_serializable(PACKAGE)
class AnomalyPixelStatisticsMetric(Metric):
    """How many pixels (samples, time steps) there are, and how many of them were decided anomalous.

    The metric of `anomaly_kernels.anomaly_pixel_statistics` over all batches, exact whatever the number of pixels.

    Examples
    --------
    >>> metric = AnomalyPixelStatisticsMetric()
    >>> metric.update_state(np.asarray([True, False]))
    >>> int(metric.result()["anomalous_pixels"])
    1
    """

    kernel = staticmethod(counts.anomaly_pixel_statistics)
    result_fields = counts.PixelStatistics._fields

    def __init__(self, **options: Unpack[Options]) -> None:
        super().__init__(**options)


@keras.saving.register_keras_serializable(PACKAGE)
class ScoreStatisticsMetric(HistogramMetric):
    """Mean, standard deviation, extremes and quantiles of anomaly scores.

    The metric of `anomaly_kernels.score_statistics` over all scores of all batches. They are kept in a
    histogram: quantiles are off by no more than a cell.

    Parameters
    ----------
    digits : int, from 1 to 12
        Binary digits that tell scores apart in a histogram. One more digit makes the cells half as wide and twice as
        many.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = ScoreStatisticsMetric()
    >>> metric.update_state(np.asarray([1.0, 2.0, 6.0]))
    >>> float(metric.result()["mean"])
    3.0
    """

    kernel = staticmethod(statistics.score_statistics)
    result_fields = statistics.ScoreStatistics._fields

    def __init__(self, *, digits: int = 7, **options: Unpack[Options]) -> None:
        super().__init__(digits=digits, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class ComponentOrthogonalityMetric(Metric):
    """How far components are from orthonormal.

    The metric of `anomaly_kernels.component_orthogonality`: its mean over batches.

    Examples
    --------
    >>> metric = ComponentOrthogonalityMetric()
    >>> metric.update_state(np.asarray([[1.0, 0.0], [0.0, 1.0]]))
    >>> float(metric.result()["orthogonality_error"])
    0.0
    """

    kernel = staticmethod(statistics.component_orthogonality)
    result_fields = statistics.ComponentOrthogonality._fields

    def __init__(self, **options: Unpack[Options]) -> None:
        super().__init__(**options)


@keras.saving.register_keras_serializable(PACKAGE)
class SelectorEntropyMetric(Metric):
    """Entropy of selection weights: log C if C channels are selected evenly, 0 if only one is.

    The metric of `anomaly_kernels.selector_entropy`: its mean over batches.

    Parameters
    ----------
    eps : number or 0-d array, at least 0
        ε; 0 gives the exact entropy, with 0 log 0 = 0.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = SelectorEntropyMetric(eps=0.0)
    >>> metric.update_state(np.asarray([0.5, 0.5]))
    >>> round(float(metric.result()), 4)
    0.6931
    """

    kernel = staticmethod(statistics.selector_entropy)

    def __init__(self, *, eps: Setting = 1e-6, **options: Unpack[Options]) -> None:
        super().__init__(eps=eps, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class SelectorDiversityMetric(Metric):
    """Variance and Gini coefficient of selection weights: how unevenly channels are selected.

    The metric of `anomaly_kernels.selector_diversity`: its mean over batches.

    Examples
    --------
    >>> metric = SelectorDiversityMetric()
    >>> metric.update_state(np.asarray([1.0, 0.0]))
    >>> float(metric.result()["gini_coefficient"])
    0.5
    """

    kernel = staticmethod(statistics.selector_diversity)
    result_fields = statistics.SelectorDiversity._fields

    def __init__(self, **options: Unpack[Options]) -> None:
        super().__init__(**options)


class RankingMetric(ScoreMetric):
    """A base of metrics of a ranking, over all elements of all batches; a single number, unless they say otherwise."""

    def merge_batch(self, *arrays: Tensor, sample_weight: Tensor | None = None) -> None:
        """Merge a batch of true anomalies, scores and, if given, weights into the state."""
        target, score, *weights = arrays
        super().merge_batch(target, score, sample_weight=weights[0] if weights else sample_weight)


@keras.saving.register_keras_serializable(PACKAGE)
class AveragePrecisionMetric(RankingMetric):
    r"""Average precision: the mean, over the positives, of the precision among all that score at least as high.

    .. math:: \frac 1P \sum_{i: y_i = 1} \frac{|\{j: y_j = 1, s_j \ge s_i\}|}{|\{j: s_j \ge s_i\}|}

    The metric of `anomaly_kernels.average_precision` over all elements of all batches, in (0, 1]; 0 without positives.

    Parameters
    ----------
    scores : {"exact", "histogram"}
        How scores are kept: each distinct one, if steps run eagerly, or in a histogram of a fixed size.
    digits : int, from 1 to 12
        Binary digits that tell scores apart in a histogram. One more digit makes the cells half as wide and twice as
        many.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = AveragePrecisionMetric()
    >>> metric.update_state(np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0]))
    >>> round(float(metric.result()), 4)
    0.8333
    """

    kernel = staticmethod(areas.average_precision)

    def __init__(self, *, scores: ScoreStore = "histogram", **options: Unpack[HistogramOptions]) -> None:
        super().__init__(scores=scores, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class AUPRTrapezoidMetric(RankingMetric):
    r"""Area under the precision-recall curve by trapezoids, which is usually too high.

    .. math:: \frac 1P \sum_{i: y_i = 1} \frac{p(s_i) + p(s_i^+)}{2}, \quad
        p(s) = \frac{|\{j: y_j = 1, s_j \ge s\}|}{|\{j: s_j \ge s\}|}

    The metric of `anomaly_kernels.aupr_trapezoid` over all elements of all batches, in (0, 1]; 0 without positives.

    Parameters
    ----------
    scores : {"exact", "histogram"}
        How scores are kept: each distinct one, if steps run eagerly, or in a histogram of a fixed size.
    digits : int, from 1 to 12
        Binary digits that tell scores apart in a histogram. One more digit makes the cells half as wide and twice as
        many.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = AUPRTrapezoidMetric()
    >>> metric.update_state(np.asarray([True, False, False, False]), np.asarray([0.0, 0.0, 0.0, 0.0]))
    >>> float(metric.result())
    0.625
    """

    kernel = staticmethod(areas.aupr_trapezoid)

    def __init__(self, *, scores: ScoreStore = "histogram", **options: Unpack[HistogramOptions]) -> None:
        super().__init__(scores=scores, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class ROCAUCMetric(RankingMetric):
    r"""Area under the ROC curve: the probability that a positive scores higher than a negative, ties counting half.

    .. math:: \frac{1}{P N} \sum_{i: y_i = 1} \sum_{j: y_j = 0} \left([s_j < s_i] + \tfrac 12 [s_j = s_i]\right)

    The metric of `anomaly_kernels.roc_auc` over all elements of all batches, in [0, 1]; NaN if there is only one class.

    Parameters
    ----------
    max_fpr : number or 0-d array, in (0, 1], optional
        F. Only the area A up to this false positive rate counts, on the scale of the whole area: (1 + (A − F²/2)/(F −
        F²/2))/2, which is 0.5 for a ranking by chance and 1 for a perfect one.
    scores : {"exact", "histogram"}
        How scores are kept: each distinct one, if steps run eagerly, or in a histogram of a fixed size.
    digits : int, from 1 to 12
        Binary digits that tell scores apart in a histogram. One more digit makes the cells half as wide and twice as
        many.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = ROCAUCMetric()
    >>> metric.update_state(np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0]))
    >>> float(metric.result())
    0.75
    """

    kernel = staticmethod(areas.roc_auc)

    def __init__(
        self, *, max_fpr: Setting | None = None, scores: ScoreStore = "histogram", **options: Unpack[HistogramOptions]
    ) -> None:
        super().__init__(max_fpr=max_fpr, scores=scores, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class BestF1Metric(RankingMetric):
    r"""The highest F1 score that a threshold can give. `threshold` is the threshold that gives it.

    .. math:: \max_s \frac{2\, TP(s)}{P + TP(s) + FP(s)}

    The `value` of `anomaly_kernels.best_f1` over all elements of all batches, in (0, 1]; 0 without positives.

    Parameters
    ----------
    scores : {"exact", "histogram"}
        How scores are kept: each distinct one, if steps run eagerly, or in a histogram of a fixed size.
    digits : int, from 1 to 12
        Binary digits that tell scores apart in a histogram. One more digit makes the cells half as wide and twice as
        many.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = BestF1Metric()
    >>> metric.update_state(np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0]))
    >>> round(float(metric.result()), 4), float(metric.threshold)
    (0.8, 1.0)
    """

    kernel = staticmethod(decisions.best_f1)

    def __init__(self, *, scores: ScoreStore = "histogram", **options: Unpack[HistogramOptions]) -> None:
        super().__init__(scores=scores, **options)

    @property
    def threshold(self) -> Tensor:
        """The score s for which ``score >= s`` has the F1 score of `result`, unrounded; NaN without scores."""
        threshold: Tensor = best_threshold(self._all_batches())
        return to_tensor(threshold, keras.backend.standardize_dtype(no_scores().dtype))


@keras.saving.register_keras_serializable(PACKAGE)
class FPRAtTPRMetric(RankingMetric):
    r"""The false positive rate at the highest threshold that finds a given share of the positives (FPR@95).

    .. math:: \min_s \{FP(s)/N : TP(s)/P \ge r\}

    The metric of `anomaly_kernels.fpr_at_tpr` over all elements of all batches, in [0, 1], low for good scores; NaN
    if there is only one class.

    Parameters
    ----------
    tpr : number or 0-d array, in (0, 1]
        The least share r of the positives to find.
    scores : {"exact", "histogram"}
        How scores are kept: each distinct one, if steps run eagerly, or in a histogram of a fixed size.
    digits : int, from 1 to 12
        Binary digits that tell scores apart in a histogram. One more digit makes the cells half as wide and twice as
        many.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = FPRAtTPRMetric(tpr=0.95)
    >>> metric.update_state(np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0]))
    >>> float(metric.result())
    0.5
    """

    kernel = staticmethod(decisions.fpr_at_tpr)

    def __init__(
        self, *, tpr: Setting = 0.95, scores: ScoreStore = "histogram", **options: Unpack[HistogramOptions]
    ) -> None:
        super().__init__(tpr=tpr, scores=scores, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class PrecisionAtKMetric(RankingMetric):
    r"""The share of anomalies among the k highest scores.

    .. math:: \frac 1k \sum_{i: y_i = 1} \min\left(1, \max\left(0, \frac{k - |\{j: s_j > s_i\}|}{|\{j: s_j = s_i\}|}
        \right)\right)

    The metric of `anomaly_kernels.precision_at_k` over all elements of all batches, in [0, 1].

    Parameters
    ----------
    k : int, at least 1
        How many samples are looked at, such as the number that an analyst has time for.
    scores : {"exact", "histogram"}
        How scores are kept: each distinct one, if steps run eagerly, or in a histogram of a fixed size.
    digits : int, from 1 to 12
        Binary digits that tell scores apart in a histogram. One more digit makes the cells half as wide and twice as
        many.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = PrecisionAtKMetric(k=2)
    >>> metric.update_state(np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0]))
    >>> float(metric.result())
    0.5
    """

    kernel = staticmethod(decisions.precision_at_k)

    def __init__(
        self, k: SupportsIndex, *, scores: ScoreStore = "histogram", **options: Unpack[HistogramOptions]
    ) -> None:
        super().__init__(k=k, scores=scores, **options)


class OperatingPointMetric(RankingMetric):
    """A base of metrics that are a threshold, one of the scores as it is, and what it gives, by name."""

    _otherwise = ""
    _keywords = ("digits",)  # of the histogram, which there is none of
    result_fields = operating.OperatingPoint._fields

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """Raise unless `scores` is "exact", and what the kernel would raise of its settings."""
        check_exact(values["scores"])
        super().check(values)

    def _cast(self, result: Any) -> Any:
        cast = super()._cast(result)  # in the dtype of the metric, which may round a threshold beyond its score
        if isinstance(result, operating.OperatingPoint):
            cast["threshold"] = to_tensor(result.threshold, keras.backend.standardize_dtype(no_scores().dtype))
        return cast

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same metric."""
        return {name: x for name, x in super().get_config().items() if name not in self._keywords}


@keras.saving.register_keras_serializable(PACKAGE)
class ThresholdAtRecallMetric(OperatingPointMetric):
    r"""The highest threshold that finds a given share of the anomalies, and its precision and recall.

    .. math:: \max \{s : TP(s)/P \ge r\}

    The metric of `anomaly_kernels.threshold_at_recall` over all elements of all batches; NaN without positives.

    Parameters
    ----------
    recall : number or 0-d array, in (0, 1]
        The least share r of the positives to find.
    scores : {"exact"}
        How scores are kept: each distinct one, if steps run eagerly. The threshold is not rounded.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = ThresholdAtRecallMetric(recall=0.9)
    >>> metric.update_state(np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0]))
    >>> {name: round(float(x), 4) for name, x in metric.result().items()}
    {'threshold': 1.0, 'precision': 0.6667, 'recall': 1.0}
    """

    kernel = staticmethod(operating.threshold_at_recall)

    def __init__(
        self, *, recall: Setting = 0.95, scores: Literal["exact"] = "exact", **options: Unpack[Options]
    ) -> None:
        super().__init__(recall=recall, scores=scores, **options)


@keras.saving.register_keras_serializable(PACKAGE)
class ThresholdAtPrecisionMetric(OperatingPointMetric):
    r"""The threshold with the highest recall among those that reach a given precision.

    .. math:: \max \{s : TP(s) = \max_{s' : TP(s')/(TP(s') + FP(s')) \ge p} TP(s')\}

    The metric of `anomaly_kernels.threshold_at_precision` over all elements of all batches; infinity, 0 and 0 where no
    threshold has the precision.

    Parameters
    ----------
    precision : number or 0-d array, in (0, 1]
        The least share p of the alarms that must be right.
    scores : {"exact"}
        How scores are kept: each distinct one, if steps run eagerly. The threshold is not rounded.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = ThresholdAtPrecisionMetric(precision=0.6)
    >>> metric.update_state(np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0]))
    >>> {name: round(float(x), 4) for name, x in metric.result().items()}
    {'threshold': 1.0, 'precision': 0.6667, 'recall': 1.0}
    """

    kernel = staticmethod(operating.threshold_at_precision)

    def __init__(
        self, *, precision: Setting = 0.9, scores: Literal["exact"] = "exact", **options: Unpack[Options]
    ) -> None:
        super().__init__(precision=precision, scores=scores, **options)
