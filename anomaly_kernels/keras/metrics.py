"""The metrics for Keras: results over all that was seen, in variables of a fixed size."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from anomaly_kernels import metrics, streaming
from anomaly_kernels._classes.metric_states import Formed, OfComponents, leaves, of_length, rebuilt, with_weights
from anomaly_kernels._core.checks import is_number
from anomaly_kernels._core.namespace import array_namespace, describe
from anomaly_kernels.keras._base import KerasLearner, Tensor, aligned, as_predicted, mask_of, tensor_of


class Metric(Formed, KerasLearner, keras.metrics.Metric):
    """A metric whose state is one that merges; each of its arrays is a variable, but for the edges of a histogram."""

    own_parameters: ClassVar[Any] = {
        "name": (None, "str, optional\n    Name of the metric."),
        "dtype": (None, "str or DTypePolicy, optional\n    Of the results; by default that of `keras.config.floatx`."),
    }

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        values = self.bind(arguments, settings)
        super().__init__(dtype=values.pop("dtype"), name=values.pop("name"))
        for name, value in values.items():
            self._set(name, value)
        self._kept: dict[str, Any] = {}
        for part, empty in self._empty().items():
            self._make(part, empty)

    def _empty(self) -> dict[str, Any]:
        """The states of nothing that are kept, by name."""
        like = _like()
        return {"state": self.form.empty(like, streaming.ScoreHistogram.empty(like))}

    def _make(self, part: str, empty: Any) -> None:
        """Make the variables of a state."""
        made: list[Any] = []
        for name, leaf in leaves(empty):
            start = keras.ops.convert_to_numpy(leaf)
            if name.endswith("edges"):
                made.append((start, None))
                continue
            dtype = keras.backend.standardize_dtype(leaf.dtype)
            initializer = _Constant(start)
            variable = self.add_variable(start.shape, initializer, dtype=dtype, name=f"{part}_{name}")
            made.append((start, variable))
        self._kept[part] = (empty, made)

    def _seen(self, part: str = "state") -> Any:
        template, made = self._kept[part]
        return rebuilt(template, iter([tensor_of(start if v is None else v) for start, v in made]))

    def _keep(self, state: Any, part: str = "state") -> None:
        for (_, variable), (_, leaf) in zip(self._kept[part][1], leaves(state), strict=True):
            if variable is not None:
                variable.assign(keras.ops.cast(leaf, variable.dtype))

    def reset_state(self) -> None:
        """Forget all that was seen."""
        for _, made in self._kept.values():
            for start, variable in made:
                if variable is not None:
                    variable.assign(start)

    def update_state(self, y_true: Tensor, y_pred: Tensor = None, sample_weight: Tensor | None = None) -> None:
        """Take in a batch: the array alone, or as Keras calls it, of which only `y_pred` counts."""
        if sample_weight is not None:
            raise ValueError(f"{type(self).__name__} has no weights of samples, got `sample_weight`")
        self.take(tensor_of(y_true if y_pred is None else y_pred))

    def take(self, *arrays: Tensor) -> None:
        """Take in a batch of arrays in the order of the function."""
        state = self._seen()
        self._keep(state.merge(self._of(state, arrays)))

    def result(self) -> Any:
        """Return what the function says of all that was seen, as a dict if that is a NamedTuple."""
        return self._cast(self._answer(self._seen()))

    def _cast(self, found: Any) -> Any:
        if hasattr(found, "_asdict"):
            return {name: self._cast(x) for name, x in found._asdict().items() if x is not None}
        real = "float" in keras.backend.standardize_dtype(found.dtype)
        # a copy: it may be a variable itself, which changes with the next batch
        return keras.ops.cast(found, self.dtype) if real else keras.ops.copy(found)

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same metric."""
        own = {name: getattr(self, name) for name in self.own_parameters}  # `name` and `dtype` among them
        return {**super().get_config(), **own, **self._config()}


class _Constant(keras.initializers.Initializer):
    """An array that a variable starts with."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        return keras.ops.convert_to_tensor(self.values, dtype)


def _like() -> Tensor:
    """A tensor of scores in the widest dtype that the backend has."""
    single = keras.ops.zeros((0,), "float32")
    xp = array_namespace(single)
    return xp.astype(single, xp.wide(single))


class AnomalyDetectionMetrics(Metric):
    """Called with true anomalies and decisions, or with a `threshold` with true anomalies and scores.

    Of scores, which are ranked as they are, the result has ``average_precision`` too, and the bounds that the exact one
    is between: ``average_precision_lower`` and ``average_precision_upper``. They are kept in a `ScoreHistogram`.
    """

    own_parameters: ClassVar[Any] = {
        "threshold": (
            None,
            "number, optional\n    What is predicted are scores, anomalous above it. By default they are decisions.",
        ),
        **Metric.own_parameters,
    }

    @classmethod
    def check(cls, values: Any) -> None:
        """Raise unless `threshold` is a number or None, and what the kernel would raise."""
        threshold = values["threshold"]
        if threshold is not None and not is_number(threshold):
            raise TypeError(f"`threshold` must be a number or None, got {describe(threshold)}")
        super().check(values)

    def _empty(self) -> dict[str, Any]:
        like = _like()
        empty = streaming.Detections.empty(like, None)
        if self.threshold is not None:
            empty = empty._replace(scores=streaming.ScoreHistogram.empty(like))
        # where samples have weights counters are real, which integers are kept apart from
        return {"counted": empty, "weighted": with_weights(empty, like)}

    def update_state(self, y_true: Tensor, y_pred: Tensor = None, sample_weight: Tensor | None = None) -> None:
        """Take in a batch of true anomalies and decisions, or scores."""
        if y_pred is None:
            raise TypeError(f"{type(self).__name__} takes `y_true` and `y_pred`, got one array")
        y_pred = tensor_of(y_pred)
        y_true = as_predicted(y_true, y_pred)
        weight = sample_weight
        if (mask := mask_of(y_pred)) is not None:
            weight = mask if weight is None else tensor_of(weight) * keras.ops.cast(mask, tensor_of(weight).dtype)
        arrays: tuple[Tensor, ...] = (y_true, y_pred)
        if self.threshold is not None:
            arrays = (y_true, y_pred > self.threshold, y_pred)
        part, weights = "counted", {}
        if weight is not None:
            part, ones = "weighted", keras.ops.ones_like(y_pred, "float32")
            weights["sample_weight"] = ones * aligned("sample_weight", weight, ones)
        self.take(*arrays, part=part, **weights)

    def take(self, *arrays: Tensor, part: str = "counted", **weights: Tensor) -> None:
        """Take in a batch of true anomalies, decisions and, where there is a threshold, scores."""
        state = self._seen(part)
        self._keep(state.merge(state.of(*arrays, **weights)), part)

    def result(self) -> dict[str, Tensor]:
        """Return what `anomaly_detection_metrics` says of all that was seen, as a dict."""
        state = self._seen("counted").merge(self._seen("weighted"))
        found = self._cast(self._answer(state))
        if self.threshold is not None:
            _, lower, upper = state.scores.compute(metrics.average_precision)
            found |= {"average_precision_lower": self._cast(lower), "average_precision_upper": self._cast(upper)}
        return found


class ExplainedVarianceMetric(OfComponents, Metric):
    """The mean over batches. Without `components` its variables are made with the first batch."""

    own_parameters: ClassVar[Any] = {**OfComponents.own_parameters, **Metric.own_parameters}

    def _empty(self) -> dict[str, Any]:
        return {} if self.components is None else {"state": self._of_length(self.components)}

    def _of_length(self, components: int) -> Any:
        return of_length(self.form.empty(_like(), None), components)

    def take(self, *arrays: Tensor) -> None:
        """Take in the ratios of a batch."""
        if not self._kept:
            self._make("state", self._of_length(arrays[0].shape[0]))
        super().take(*arrays)

    def result(self) -> Any:
        """Return the means, or nothing before there is a batch."""
        return super().result() if self._kept else {}


class AnomalyPixelStatisticsMetric(Metric): ...


class ScoreStatisticsMetric(Metric):
    """Scores are kept in a `ScoreHistogram`, which has bounds of the quantiles."""


class ComponentOrthogonalityMetric(Metric): ...


class SelectorEntropyMetric(Metric): ...


class SelectorDiversityMetric(Metric): ...
