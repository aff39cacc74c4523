"""The metrics as torchmetrics: prediction first, truth second; results over all batches, on every process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, TypedDict, Unpack

import torch
import torchmetrics
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from anomaly_kernels import streaming
from anomaly_kernels._classes.metric_states import StatefulMetric, in_double, leaves, rebuild
from anomaly_kernels.metrics import counts, statistics
from anomaly_kernels.metrics.counts import DetectionMetrics
from anomaly_kernels.torch._base import Setting, TorchLearner


class Keywords(TypedDict, total=False):
    """What torchmetrics takes in every metric."""

    compute_on_cpu: bool
    dist_sync_on_step: bool
    process_group: Any
    dist_sync_fn: Callable[..., Any] | None
    distributed_available_fn: Callable[..., bool] | None
    sync_on_compute: bool
    compute_with_cache: bool


class Metric(StatefulMetric, TorchLearner, torchmetrics.Metric):
    """A base of metrics whose state merges; each array of the state is an attribute, named by its path in the state."""

    _keywords = tuple(Keywords.__annotations__)
    full_state_update = False
    is_differentiable = False

    def __init__(self, settings: Mapping[str, Any] = {}, /, **keywords: Unpack[Keywords]) -> None:
        super().__init__(**keywords)
        self.check(settings)
        for name, value in settings.items():
            self._set(name, value)
        like = torch.zeros(0, dtype=torch.float64)
        self._template = self._empty_state(like, streaming.UniqueScores.empty(like))
        for name, leaf in leaves(self._template):
            self.add_state(name, leaf, dist_reduce_fx="cat" if leaf.ndim else "sum")

    def extra_repr(self) -> str:
        """Return the settings, for the repr."""
        return self.my_params.partition("(")[2].removesuffix(")")

    @property
    def state(self) -> Any:
        """All batches so far, as a state of `anomaly_kernels.streaming`."""
        return self._as_state({name: getattr(self, name) for name in self._defaults})

    def compute(self) -> Any:
        """Return the result of the function over all batches, in the dtype of the metric."""
        result = self._compute_of(self.state)
        return type(result)(*[self._cast(x) for x in result]) if isinstance(result, tuple) else self._cast(result)

    def set_dtype(self, dst_type: str | torch.dtype) -> Metric:
        """Set the dtype of results; counters remain integers, and what is added is added in double precision."""
        self._dtype = dst_type
        return self

    def _merge_batch(self, *arrays: Tensor) -> None:
        """Merge a batch of arrays in the order of the function into the state."""
        state = self.state
        self._keep(state.merge(self._batch_state(state, arrays)))

    def _as_state(self, arrays: Mapping[str, Tensor]) -> Any:
        return rebuild(self._template, iter([arrays[name] for name in self._defaults]))

    def _keep(self, state: Any) -> None:
        for name, leaf in leaves(state):
            setattr(self, name, leaf)

    def _cast(self, x: Any) -> Any:
        return x.to(self.dtype) if x is not None and x.is_floating_point() else x

    def _reduce_states(self, incoming_state: Mapping[str, Tensor]) -> None:
        # torchmetrics' own merges array by array, but these belong together
        self._keep(self._as_state(incoming_state).merge(self.state))

    def _sync_dist(
        self, dist_sync_fn: Callable[..., list[Tensor]] = gather_all_tensors, process_group: Any = None
    ) -> None:
        group = process_group or self.process_group
        gathered: dict[str, list[Tensor]] = {}
        for name in self._defaults:
            mine = getattr(self, name)
            # of one number of axes and one dtype, which another process, of no batch or with a NaN, may not have
            parts = dist_sync_fn(mine.reshape(-1).double(), group=group)
            gathered[name] = [_shaped_like(mine, x) for x in parts]
        states = [
            self._as_state(dict(zip(gathered, each, strict=True))) for each in zip(*gathered.values(), strict=True)
        ]
        self._keep(reduce(lambda a, b: a.merge(b), states))


def _shaped_like(mine: Tensor, x: Tensor) -> Tensor:
    x = x.reshape(mine.shape) if x.numel() == mine.numel() else x
    return x if x.isnan().any() else x.to(mine.dtype)


class AnomalyDetectionMetrics(Metric):
    """Precision, recall, F1 score and intersection over union of decisions, and average precision of their scores.

    The metric of `anomaly_kernels.anomaly_detection_metrics`, over all elements of all batches. Scores are kept in
    double precision, each distinct one once. They come with every batch or with none.

    Parameters
    ----------
    zero_division : number or 0-d array
        Stands for a quotient whose denominator is 0: precision where nothing was decided anomalous, recall where
        nothing is. ``nan`` marks it as undefined.
    **keywords
        Those of `torchmetrics.Metric`.

    Examples
    --------
    >>> metric = AnomalyDetectionMetrics()
    >>> metric.update(torch.tensor([True, True]), torch.tensor([True, False]))
    >>> metric.compute().precision
    tensor(0.5000)
    """

    kernel = staticmethod(counts.anomaly_detection_metrics)
    higher_is_better = True
    _scored: bool | None = None  # whether batches have come with scores

    def __init__(self, *, zero_division: Setting = 0.0, **keywords: Unpack[Keywords]) -> None:
        super().__init__({"zero_division": zero_division}, **keywords)

    def update(self, decision: Tensor, target: Tensor, score: Tensor | None = None) -> None:
        """Take in decisions, true anomalies and, if given, the scores decided on, all of one shape."""
        self._check_scored(score is not None)
        self._merge_batch(target, decision, *([] if score is None else [in_double(score)]))
        self._scored = score is not None

    def forward(self, decision: Tensor, target: Tensor, score: Tensor | None = None) -> DetectionMetrics:
        """Take in a batch, and return its own results."""
        self._check_scored(score is not None)  # `update` cannot: it is called after a reset, whose state is merged then
        return super().forward(decision, target, score)

    def reset(self) -> None:
        """Forget all batches."""
        super().reset()
        self._scored = None

    def _check_scored(self, scored: bool) -> None:  # noqa: FBT001
        if (before := self._scored) is None and self.state.scores.score.numel():  # from a file
            before = True
        if before not in (None, scored):
            earlier = "one" if before else "none"
            raise ValueError(f"`score` must be given with every batch or with none, got {earlier} before")

    def _batch_state(self, state: Any, arrays: tuple[Tensor, ...]) -> Any:
        batch = super()._batch_state(state if len(arrays) == 3 else state._replace(scores=None), arrays)
        return batch if len(arrays) == 3 else batch._replace(scores=self._template.scores)

    def _compute_of(self, state: Any) -> Any:
        return super()._compute_of(state if state.scores.score.numel() else state._replace(scores=None))


class ExplainedVarianceMetric(Metric):
    """Shares of the variance that principal components explain, one by one, together, and up to each.

    The metric of `anomaly_kernels.explained_variance`: its mean over batches.

    Examples
    --------
    >>> metric = ExplainedVarianceMetric()
    >>> metric.update(torch.tensor([0.5, 0.25]))
    >>> metric.compute().total
    tensor(0.7500)
    """

    kernel = staticmethod(statistics.explained_variance)

    def update(self, explained_variance_ratio: Tensor) -> None:
        """Take in the shares (K,) of a batch."""
        self._merge_batch(explained_variance_ratio)


class AnomalyPixelStatisticsMetric(Metric):
    """How many pixels (samples, time steps) there are, and how many of them were decided anomalous.

    The metric of `anomaly_kernels.anomaly_pixel_statistics` over all batches, exact whatever the number of pixels.

    Examples
    --------
    >>> metric = AnomalyPixelStatisticsMetric()
    >>> metric.update(torch.tensor([True, False]))
    >>> metric.compute().anomalous_pixels
    tensor(1)
    """

    kernel = staticmethod(counts.anomaly_pixel_statistics)

    def update(self, decision: Tensor) -> None:
        """Take in decisions of any shape."""
        self._merge_batch(decision)


class ScoreStatisticsMetric(Metric):
    """Mean, standard deviation, extremes and quantiles of anomaly scores.

    The metric of `anomaly_kernels.score_statistics` over all scores of all batches. They are kept in double precision,
    each distinct one once.

    Examples
    --------
    >>> metric = ScoreStatisticsMetric()
    >>> metric.update(torch.tensor([1.0, 2.0, 6.0]))
    >>> metric.compute().median
    tensor(2.)
    """

    kernel = staticmethod(statistics.score_statistics)

    def update(self, scores: Tensor) -> None:
        """Take in scores of any shape."""
        # others than real ones are refused, as the function does
        self._merge_batch(scores.double() if scores.is_floating_point() else scores)


class ComponentOrthogonalityMetric(Metric):
    """How far components are from orthonormal.

    The metric of `anomaly_kernels.component_orthogonality`: its mean over batches.

    Examples
    --------
    >>> metric = ComponentOrthogonalityMetric()
    >>> metric.update(torch.eye(2))
    >>> metric.compute().orthogonality_error
    tensor(0.)
    """

    kernel = staticmethod(statistics.component_orthogonality)

    def update(self, components: Tensor) -> None:
        """Take in components (K, C), one a row."""
        self._merge_batch(components)


class SelectorEntropyMetric(Metric):
    """Entropy of selection weights: log C where C channels are selected evenly, 0 where one is.

    The metric of `anomaly_kernels.selector_entropy`: its mean over batches.

    Parameters
    ----------
    eps : number or 0-d array, at least 0
        ε; 0 gives the exact entropy, with 0 log 0 = 0.
    **keywords
        Those of `torchmetrics.Metric`.

    Examples
    --------
    >>> metric = SelectorEntropyMetric(eps=0.0)
    >>> metric.update(torch.tensor([0.5, 0.5]))
    >>> metric.compute()
    tensor(0.6931)
    """

    kernel = staticmethod(statistics.selector_entropy)

    def __init__(self, *, eps: Setting = 1e-6, **keywords: Unpack[Keywords]) -> None:
        super().__init__({"eps": eps}, **keywords)

    def update(self, weights: Tensor) -> None:
        """Take in selection weights of any shape."""
        self._merge_batch(weights)


class SelectorDiversityMetric(Metric):
    """Variance and Gini coefficient of selection weights: how unevenly channels are selected.

    The metric of `anomaly_kernels.selector_diversity`: its mean over batches.

    Examples
    --------
    >>> metric = SelectorDiversityMetric()
    >>> metric.update(torch.tensor([1.0, 0.0]))
    >>> metric.compute().gini_coefficient
    tensor(0.5000)
    """

    kernel = staticmethod(statistics.selector_diversity)

    def update(self, weights: Tensor) -> None:
        """Take in selection weights of any shape."""
        self._merge_batch(weights)
