"""The metrics as torchmetrics: prediction first, truth second; results over all that was seen, on every process."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import torch
import torchmetrics
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from anomaly_kernels import streaming
from anomaly_kernels._classes.learner import Learner
from anomaly_kernels._classes.metric_states import Formed, in_double, leaves, rebuilt


class Metric(Formed, Learner, torchmetrics.Metric):
    """A metric whose state is one that merges; its arrays are attributes, named by where they are in it."""

    full_state_update = False
    is_differentiable = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.higher_is_better = cls.form.higher_is_better
        kinds = inspect.signature(cls.kernel).parameters
        first, *rest = cls.arrays
        order = (rest[0], first, *rest[1:]) if rest else cls.arrays  # prediction before truth
        cls.update = _update(  # type: ignore[method-assign]
            cls, [kinds[name].replace(annotation=inspect.Parameter.empty) for name in order]
        )

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        own = set(settings) - set(inspect.signature(type(self)).parameters)
        known = {name for name in own if name in KEYWORDS}
        super().__init__(**{name: settings.pop(name) for name in known})
        for name, value in self.bind(arguments, settings).items():
            self._set(name, value)
        like = torch.zeros(0, dtype=torch.float64)
        self._template = self.form.empty(like, streaming.UniqueScores.empty(like))
        for name, leaf in leaves(self._template):
            self.add_state(name, leaf, dist_reduce_fx="cat" if leaf.ndim else "sum")

    def extra_repr(self) -> str:
        """Return the settings, for the repr."""
        return self.my_params.partition("(")[2].removesuffix(")")

    @property
    def state(self) -> Any:
        """What was seen so far, as `anomaly_kernels.streaming` has it."""
        return self._rebuilt({name: getattr(self, name) for name in self._defaults})

    def _rebuilt(self, arrays: Mapping[str, Tensor]) -> Any:
        return rebuilt(self._template, iter([arrays[name] for name in self._defaults]))

    def _keep(self, state: Any) -> None:
        for name, leaf in leaves(state):
            setattr(self, name, leaf)

    def compute(self) -> Any:
        """Return what the function says of all that was seen, in the dtype of the metric."""
        found = self._answer(self.state)
        return type(found)(*[self._cast(x) for x in found]) if isinstance(found, tuple) else self._cast(found)

    def _cast(self, x: Any) -> Any:
        return x.to(self.dtype) if x is not None and x.is_floating_point() else x

    def set_dtype(self, dst_type: str | torch.dtype) -> Metric:
        """Set the dtype of results; counters remain integers, and what is added is added in double precision."""
        self._dtype = dst_type
        return self

    def _reduce_states(self, incoming_state: Mapping[str, Tensor]) -> None:
        # torchmetrics' own knows how single arrays are merged, but not arrays that belong together
        self._keep(self._rebuilt(incoming_state).merge(self.state))

    def _sync_dist(
        self, dist_sync_fn: Callable[..., list[Tensor]] = gather_all_tensors, process_group: Any = None
    ) -> None:
        group = process_group or self.process_group
        gathered: dict[str, list[Tensor]] = {}
        for name in self._defaults:
            mine = getattr(self, name)
            # of one number of axes and one dtype, which another process, that saw nothing or a NaN, may not have
            parts = dist_sync_fn(mine.reshape(-1).double(), group=group)
            gathered[name] = [_as(mine, x) for x in parts]
        states = [
            self._rebuilt(dict(zip(gathered, each, strict=True))) for each in zip(*gathered.values(), strict=True)
        ]
        self._keep(reduce(lambda a, b: a.merge(b), states))


KEYWORDS = (
    "compute_on_cpu", "dist_sync_on_step", "process_group", "dist_sync_fn", "distributed_available_fn",
    "sync_on_compute", "compute_with_cache",
)  # fmt: skip


def _as(mine: Tensor, x: Tensor) -> Tensor:
    x = x.reshape(mine.shape) if x.numel() == mine.numel() else x
    return x if x.isnan().any() else x.to(mine.dtype)


def _update(cls: type[Metric], order: list[inspect.Parameter]) -> Callable[..., None]:
    signature = inspect.Signature([inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *order])

    def update(self: Metric, *arrays: Tensor | None, **named: Tensor | None) -> None:
        given = signature.bind(self, *arrays, **named).arguments
        in_order = tuple(given[name] for name in cls.arrays if given.get(name) is not None)
        state = self.state
        self._keep(state.merge(self._of(state, in_order)))

    update.__signature__ = signature  # type: ignore[attr-defined]
    update.__doc__ = f"Take in a batch of `{'`, `'.join(p.name for p in order)}`."
    return update


class AnomalyDetectionMetrics(Metric):
    """Scores are kept in double precision, each distinct one once. They come with every batch or with none."""

    def _of(self, state: Any, arrays: tuple[Tensor, ...]) -> Any:
        scored = len(arrays) == 3 if self._update_count == 1 else bool(state.scores.score.numel())
        found = super()._of(
            state if scored else state._replace(scores=None), (*arrays[:2], *(in_double(x) for x in arrays[2:]))
        )
        return found if scored else found._replace(scores=self._template.scores)

    def _answer(self, state: Any) -> Any:
        return super()._answer(state if state.scores.score.numel() else state._replace(scores=None))


class ExplainedVarianceMetric(Metric): ...


class AnomalyPixelStatisticsMetric(Metric): ...


class ScoreStatisticsMetric(Metric):
    """Scores are kept in double precision, each distinct one once."""

    def _of(self, state: Any, arrays: tuple[Tensor, ...]) -> Any:
        scores = arrays[0]  # others than real ones are refused, as the function does
        return super()._of(state, (scores.double() if scores.is_floating_point() else scores,))


class ComponentOrthogonalityMetric(Metric): ...


class SelectorEntropyMetric(Metric): ...


class SelectorDiversityMetric(Metric): ...
