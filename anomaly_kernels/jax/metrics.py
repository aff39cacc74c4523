"""The metrics as pytrees: each update and merge gives a new one, under `jit`, in `scan` and over a mesh."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import reduce
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp

from anomaly_kernels import streaming
from anomaly_kernels._classes.metric_states import Formed, OfComponents, in_double, of_length, with_weights
from anomaly_kernels._core.checks import flag


class Metric(Formed):
    """A metric with its settings, which are static, and what it has seen, which is its only child as a pytree."""

    state: Any

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        jax.tree_util.register_pytree_with_keys_class(cls)

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        # one NaN is equal to itself, as what is static must be
        bound = {name: math.nan if x != x else x for name, x in self.bind(arguments, settings).items()}
        vars(self).update(bound, state=self._nothing(bound))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a metric does not change, `update` and `merge` make a new one, got `{name}`")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a metric does not change, got `{name}` to be deleted")

    def _nothing(self, settings: Mapping[str, Any]) -> Any:
        """The state of nothing, of a metric with these settings."""
        like = _like()
        return self.form.empty(like, streaming.ScoreHistogram.empty(like))

    @classmethod
    def empty(cls, **settings: Any) -> Self:
        """A metric that has seen nothing; the same as the class called."""
        return cls(**settings)

    def update(self, *arrays: jax.Array) -> Self:
        """A metric that has seen a batch more: arrays in the order of the function."""
        return self._with(self.state.merge(self._of(self.state, arrays)))

    def merge(self, other: Self) -> Self:
        """A metric that has seen what both have."""
        return self._with(streaming.merge(self.state, other.state))

    def over(self, axis_name: str) -> Self:
        """A metric that has seen what those on all devices along an axis of a mesh have; inside `shard_map`."""
        return self._with(_over(self.state, axis_name))

    def compute(self) -> Any:
        """What the function says of all that was seen."""
        return self._answer(self.state)

    def _with(self, state: Any) -> Self:
        made = object.__new__(type(self))
        vars(made).update(vars(self), state=state)
        return made

    def __repr__(self) -> str:
        own = {name: x for name, x in vars(self).items() if name != "state"}
        return f"{type(self).__name__}({', '.join(f'{name}={x!r}' for name, x in own.items())})"

    def tree_flatten_with_keys(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The state, and the settings."""
        own = tuple((name, x) for name, x in vars(self).items() if name != "state")
        return ((jax.tree_util.GetAttrKey("state"), self.state),), own

    @classmethod
    def tree_unflatten(cls, own: tuple[Any, ...], children: tuple[Any, ...]) -> Self:
        """What `tree_flatten_with_keys` took apart."""
        made = object.__new__(cls)
        vars(made).update(dict(own), state=children[0])
        return made


def _like() -> jax.Array:
    return jnp.zeros(0, jax.dtypes.canonicalize_dtype(jnp.float64))


def _over(state: Any, axis_name: str) -> Any:
    """The state of all devices: of sums the sum; others, which are small, are brought together and merged."""
    match state:
        case streaming.ScoreHistogram():
            least, greatest = jax.lax.pmin(state.least, axis_name), jax.lax.pmax(state.greatest, axis_name)
            counts = (_total(x, axis_name) for x in (state.positive, state.negative, state.unknown))
            positive, negative, unknown = counts
            return streaming.ScoreHistogram(state.edges, positive, negative, least, greatest, unknown)
        case streaming.Detections() | streaming.Statistics():
            return type(state)(*(_over(part, axis_name) for part in state))
        case None:
            return None
    gathered = jax.tree.map(lambda x: jax.lax.all_gather(x, axis_name), state)
    devices = jax.tree.leaves(gathered)[0].shape[0]
    return reduce(streaming.merge, (jax.tree.map(lambda x, k=k: x[k], gathered) for k in range(devices)))


def _total(x: jax.Array, axis_name: str) -> jax.Array:
    """The sum over all devices; negative where integers overflow, or did before, as in every state."""
    total = jax.lax.psum(x, axis_name)
    if not jnp.issubdtype(x.dtype, jnp.integer):
        return total
    limit = float(jnp.iinfo(x.dtype).max)
    overflow = (jax.lax.psum(x.astype(float), axis_name) >= limit) | (jax.lax.pmin(x, axis_name) < 0)
    return jnp.where(overflow, -1, total)


class AnomalyDetectionMetrics(Metric):
    """Scores are kept where `scores` says how; ``metric.state.scores.compute(average_precision)`` has the bounds."""

    own_parameters: ClassVar[Any] = {
        "scores": (
            None,
            'None, "histogram" or "exact"\n    What keeps the scores; all distinct ones, if exact, not under `jit`.',
        ),
        "weighted": (False, "bool\n    Whether `update` takes a `sample_weight`: counters are real then."),
    }
    scores: str | None
    weighted: bool

    @classmethod
    def check(cls, values: Any) -> None:
        """Raise unless `scores` and `weighted` are some of their options, and what the kernel would raise."""
        if values["scores"] not in (None, "histogram", "exact"):
            raise ValueError(f"`scores` must be None, 'histogram' or 'exact', got {values['scores']!r}")
        flag("weighted", values["weighted"])
        super().check(values)

    def _nothing(self, settings: Mapping[str, Any]) -> Any:
        like, scores = _like(), settings["scores"]
        kinds: dict[str | None, Any] = {"histogram": streaming.ScoreHistogram, "exact": streaming.UniqueScores}
        empty = streaming.Detections.empty(like, kinds[scores].empty(like) if scores else None)
        return with_weights(empty, like) if settings["weighted"] else empty

    def update(self, *arrays: jax.Array, sample_weight: jax.Array | None = None) -> Self:
        """A metric that has seen a batch more: `target`, `decision` and, where scores are kept, `score`."""
        if (len(arrays) == 3) != (self.scores is not None):
            wanted = "target, decision, score" if self.scores else "target, decision (scores=None keeps no scores)"
            raise TypeError(f"AnomalyDetectionMetrics takes {wanted}, got {len(arrays)} arrays")
        if sample_weight is not None and not self.weighted:
            raise TypeError("`sample_weight` is taken by AnomalyDetectionMetrics(weighted=True), got one without")
        if self.scores == "exact":  # a histogram takes every dtype, and knows which integers it cannot tell apart
            arrays = (*arrays[:2], in_double(arrays[2]))
        return self._with(streaming.update(self.state, *arrays, sample_weight=sample_weight))


class ExplainedVarianceMetric(OfComponents, Metric):
    """The mean over batches."""

    own_parameters: ClassVar[Any] = OfComponents.own_parameters

    def _nothing(self, settings: Mapping[str, Any]) -> Any:
        return of_length(super()._nothing(settings), settings["components"] or 1)


class AnomalyPixelStatisticsMetric(Metric): ...


class ScoreStatisticsMetric(Metric):
    """Scores are kept in a `ScoreHistogram`, which has bounds of the quantiles."""


class ComponentOrthogonalityMetric(Metric): ...


class SelectorEntropyMetric(Metric): ...


class SelectorDiversityMetric(Metric): ...
