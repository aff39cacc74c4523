"""What the metric classes of all frameworks have in common: the state of each, and what goes in and out.

A class of a framework adds where the state is kept. Its arrays come in the order of the kernel; its settings are those
of the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

from anomaly_kernels import metrics, streaming
from anomaly_kernels._classes.settings import Adapter
from anomaly_kernels._core.checks import cast, dtype_name, is_real, positive
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.typing import Array
from anomaly_kernels.metrics.statistics import ComponentOrthogonality, ExplainedVariance, SelectorDiversity
from anomaly_kernels.streaming.results import Scores

Settings = Mapping[str, Any]


class Form(NamedTuple):
    """A metric as a state.

    Attributes
    ----------
    kernel : function
        The pure metric, of which settings, defaults and documentation are.
    empty : function
        ``empty(like, scores)`` is the state of nothing beside an array. `scores` is what is to keep scores, a state of
        nothing too, or None where there are none; metrics without scores do not look at it.
    of : function
        ``of(state, arrays, settings)`` is the state of one batch.
    compute : function
        ``compute(state, settings)`` is what the kernel returns.
    higher_is_better : bool or None
        None where neither is.
    remark : str or None
        What the documentation of the classes says besides.
    """

    kernel: Callable[..., Any]
    empty: Callable[[Array, Scores | None], Any]
    of: Callable[[Any, tuple[Array, ...], Settings], Any] = lambda state, arrays, _: state.of(*arrays)
    compute: Callable[[Any, Settings], Any] = lambda state, settings: state.compute(**settings)
    higher_is_better: bool | None = None
    remark: str | None = None


def _means(kernel: Callable[..., Any], ndims: tuple[int, ...], result: Callable[..., Any] | None = None) -> Form:
    """The form of a metric whose batches are averaged: of results of so many axes, fields of a NamedTuple or one."""

    def of(_: streaming.Means, arrays: tuple[Array, ...], settings: Settings) -> streaming.Means:
        found = kernel(*arrays, **settings)
        return streaming.Means.of(*([found] if result is None else found))

    def compute(state: streaming.Means, _: Settings) -> Any:
        found = state.compute()
        return found[0] if result is None else result(*found)

    def empty(like: Array, _: Scores | None) -> streaming.Means:
        return streaming.Means.empty(like, ndims)

    return Form(kernel, empty, of, compute, remark="The mean over batches.")


FORMS = {
    "AnomalyDetectionMetrics": Form(
        metrics.anomaly_detection_metrics, streaming.Detections.empty, higher_is_better=True
    ),
    "ExplainedVarianceMetric": _means(metrics.explained_variance, (1, 0, 1), ExplainedVariance),
    "AnomalyPixelStatisticsMetric": Form(
        metrics.anomaly_pixel_statistics,
        lambda like, _: streaming.PixelCounts.empty(like),
        remark="Exact, whatever the number of pixels.",
    ),
    "ScoreStatisticsMetric": Form(
        metrics.score_statistics,
        lambda like, scores: streaming.Statistics.empty(like, scores or streaming.UniqueScores.empty(like)),
    ),
    "ComponentOrthogonalityMetric": _means(metrics.component_orthogonality, (0,) * 5, ComponentOrthogonality),
    "SelectorEntropyMetric": _means(metrics.selector_entropy, (0,)),
    "SelectorDiversityMetric": _means(metrics.selector_diversity, (0, 0), SelectorDiversity),
}


class Formed(Adapter):
    """A base of metric classes, each with the form of its name."""

    form: ClassVar[Form]

    def __init_subclass__(cls, **options: Any) -> None:
        if (form := FORMS.get(cls.__name__)) is None:  # a base
            super().__init_subclass__(**options)
            return
        cls.form = form
        cls.__doc__ = vars(cls).get("__doc__") or form.remark
        super().__init_subclass__(kernel=form.kernel, **options)

    def _of(self, state: Any, arrays: tuple[Array, ...]) -> Any:
        """The state of one batch, of arrays in the order of the kernel."""
        return self.form.of(state, arrays, self._given())

    def _answer(self, state: Any) -> Any:
        """What the kernel returns of what a state has seen."""
        return self.form.compute(state, self._given())

    def _given(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.settings}


class OfComponents(Formed):
    """A metric whose results are as long as its array, which may be said before there is one."""

    own_parameters: ClassVar[Any] = {
        "components": (
            None,
            "int, optional\n    How many each batch has, where that must be known before the first, as in `scan`.",
        ),
    }
    components: int | None

    @classmethod
    def check(cls, values: Any) -> None:
        """Raise unless `components` is None or a number of them."""
        components = values["components"]
        if components is not None:
            positive("components", components, "an integer or None")
        super().check(values)

    def _of(self, state: Any, arrays: tuple[Array, ...]) -> Any:
        if self.components is not None and arrays[0].shape != (self.components,):
            raise ValueError(f"`{self.arrays[0]}` must have shape ({self.components},), got {tuple(arrays[0].shape)}")
        return super()._of(state, arrays)


def of_length(state: streaming.Means, components: int) -> streaming.Means:
    """The state of nothing for results of so many entries."""
    xp = array_namespace(state.number)
    return state._replace(totals=tuple(xp.broadcast_to(x, (components,) * len(x.shape)) for x in state.totals))


def with_weights(state: Any, like: Array) -> Any:
    """The state of nothing for samples with weights, of which the counters are real."""
    xp = array_namespace(like)
    wide = xp.wide(like)
    real = (x if name.endswith("unknown") else cast(xp, wide, x) for name, x in leaves(state))
    return rebuilt(state, real)


def in_double(score: Array) -> Array:
    """Scores in the widest dtype; integers that it does not tell apart are refused, they would be ties."""
    xp = array_namespace(score)
    wide = xp.wide(score)
    found = cast(xp, wide, score)
    limit = 2**24 if dtype_name(wide) == "float32" else 2**53
    if not is_real(score) and bool(xp.any(xp.abs(found) >= limit)):
        raise ValueError(f"`score` must be real, or integers that {dtype_name(wide)} tells apart, below {limit}")
    return found


def leaves(state: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The arrays of a state, each with a name that says where it is."""
    fields = getattr(state, "_fields", range(len(state)))
    for field, value in zip(fields, state, strict=True):
        name = f"{path}_{field}".lstrip("_")
        if isinstance(value, tuple):
            yield from leaves(value, name)
        elif value is not None:
            yield name, value


def rebuilt(template: Any, arrays: Iterator[Any]) -> Any:
    """The state that has these arrays, in the order of `leaves`."""
    if not isinstance(template, tuple):
        return None if template is None else next(arrays)
    parts = [rebuilt(x, arrays) for x in template]
    return type(template)(*parts) if hasattr(template, "_fields") else tuple(parts)
