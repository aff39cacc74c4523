"""The metrics as torchmetrics: prediction first, truth second; results over all batches, on every process."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import reduce, wraps
from typing import Any, ClassVar, Literal, NamedTuple, SupportsIndex, TypeAlias, TypedDict, Unpack

import torch
import torchmetrics
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

from anomaly_kernels import streaming
from anomaly_kernels._classes.metric_states import (
    StatefulMetric,
    best_threshold,
    check_exact,
    in_double,
    leaves,
    rebuild,
)
from anomaly_kernels._classes.settings import parameters_of
from anomaly_kernels._core.checks import choice
from anomaly_kernels._core.namespace import describe
from anomaly_kernels.metrics import aupro, counts, statistics
from anomaly_kernels.metrics.decisions import operating
from anomaly_kernels.metrics.ranking import areas, decisions
from anomaly_kernels.streaming._runs import ScoreRuns, one_run, without_runs
from anomaly_kernels.streaming.results import Scores
from anomaly_kernels.torch._base import Setting, TorchLearner

_AREAS = (areas.average_precision, areas.roc_auc, aupro)  # which the legend of their curve has
ScoreStore: TypeAlias = Literal["exact", "histogram"]
_SCORE_STORES: dict[str, Any] = {"exact": ScoreRuns, "histogram": streaming.ScoreHistogram}


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
    """A base of metrics whose state merges.

    Each array of the state is a state of torchmetrics, named by its path, but for the edges of a histogram, which do
    not change. These are replaced, never written into. Those that a subclass adds by `add_state` are reduced one by
    one, as torchmetrics does it.
    """

    __jit_unused_properties__: ClassVar[list[str]] = [
        *torchmetrics.Metric.__jit_unused_properties__,
        "state",
        "threshold",
        "my_params",
    ]
    _keywords = tuple(Keywords.__annotations__)
    full_state_update = False
    is_differentiable = False

    def __init__(self, settings: Mapping[str, Any] = {}, /, **keywords: Unpack[Keywords]) -> None:
        super().__init__(**keywords)
        self.check(settings)
        for name, value in settings.items():
            self._set(name, value)
        like = torch.zeros(0, dtype=torch.float64)
        self._template = self._empty_state(like, self._empty_scores(like))
        for name, leaf in leaves(self._template):
            if not _is_constant(name):
                self.add_state(name, [] if isinstance(leaf, list) else leaf)
        self._merged = tuple(self._defaults)  # the names of states that are merged together
        if self._has_own_state():
            # a collection updates one metric for all whose states are equal after one batch, as they are where this
            # has no events: NaN is equal to no other
            self.add_state("apart", torch.tensor(math.nan), dist_reduce_fx="mean")

    def extra_repr(self) -> str:
        """Return the settings, for the repr."""
        return self.my_params.partition("(")[2].removesuffix(")")

    @property
    def state(self) -> Any:
        """All batches so far, as a state of `anomaly_kernels.streaming`."""
        return without_runs(self._read())

    def compute(self) -> Any:
        """Return the result of the function over all batches, in the dtype of the metric."""
        return self._cast(self._compute_of(self.state))

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Plot a result, or a list of them, by default that of `compute`; needs matplotlib.

        Returns the figure and its axes, as torchmetrics does. Results of several numbers have a line or point each.
        """
        val = self.compute() if val is None else val
        return self._plot([_named(x) for x in val] if isinstance(val, list) else _named(val), ax)

    def set_dtype(self, dst_type: str | torch.dtype) -> Metric:
        """Set the dtype of results; counters remain integers, and what is added is added in double precision."""
        dtype = torch.zeros(0).type(dst_type).dtype
        if not dtype.is_floating_point:
            raise ValueError(f"`dst_type` must be floating point, got {dst_type}")
        super().set_dtype(dtype)
        return self

    def merge_state(self, incoming_state: dict[str, Any] | torchmetrics.Metric) -> None:
        """Merge the state of another metric, or a dict of its states; if they do not go together, nothing changes."""
        with self._unless_refused():
            super().merge_state(incoming_state)
            self._computed = None
            self._update_count += incoming_state.update_count if isinstance(incoming_state, torchmetrics.Metric) else 1

    @torch.jit.unused
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Take in a batch, and return its own results."""
        with self._unless_refused():
            return super().forward(*args, **kwargs)

    def _wrap_update(self, update: Callable[..., None]) -> Callable[..., None]:
        wrapped = super()._wrap_update(update)

        @wraps(update)
        def update_unless_refused(*args: Any, **kwargs: Any) -> None:
            with self._unless_refused():
                wrapped(*args, **kwargs)

        return update_unless_refused

    @contextmanager
    def _unless_refused(self) -> Iterator[None]:
        """Leave everything as it was where an error is raised."""
        before = vars(self) | self._copy_state_dict()
        try:
            yield
        except BaseException:
            self.__dict__.update(before)
            raise

    def _merge_batch(self, *arrays: Tensor | None) -> None:
        """Merge a batch of arrays in the order of the function into the state; None where one is not given."""
        parameters = parameters_of(self.kernel)
        named = zip(parameters.arrays, arrays, strict=False)
        arrays = tuple(x if x is None and name in parameters.defaults else _checked(name, x) for name, x in named)
        state = self._read()
        self._keep(state.merge(self._batch_state(state, arrays)))

    def _empty_scores(self, like: Tensor) -> Scores | None:
        """The state of no scores, if any are kept."""
        return None

    def _all_processes(self) -> AbstractContextManager[None]:
        """The state of all processes in the place of this one's, as torchmetrics has it in `compute`."""
        context: AbstractContextManager[None] = self.sync_context(
            dist_sync_fn=self.dist_sync_fn, should_sync=self._to_sync, should_unsync=self._should_unsync
        )
        return context

    def _read(self) -> Any:
        return self._as_state({name: getattr(self, name) for name in self._merged})

    def _as_state(self, arrays: Mapping[str, Any]) -> Any:
        """The state that has these arrays; lists may be empty."""
        pairs = ((leaf, arrays.get(name, leaf)) for name, leaf in leaves(self._template))
        return rebuild(self._template, (leaf if isinstance(x, list) and not x else x for leaf, x in pairs))

    def _keep(self, state: Any) -> None:
        for name, leaf in leaves(state):
            if name in self._merged:
                setattr(self, name, leaf)

    def _cast(self, x: Any) -> Any:
        if isinstance(x, tuple):
            return type(x)(*map(self._cast, x))
        # scores, and what is computed of them, may be kept on the CPU
        return x if x is None else x.to(self.device, self.dtype if x.is_floating_point() else x.dtype)

    @contextmanager
    def _states_that_are_added(self) -> Iterator[None]:
        """Show torchmetrics' own methods the states alone that a subclass has added."""
        defaults, reductions = self._defaults, self._reductions
        self._defaults = {name: x for name, x in defaults.items() if name not in self._merged}
        self._reductions = {name: x for name, x in reductions.items() if name not in self._merged}
        try:
            yield
        finally:
            self._defaults, self._reductions = defaults, reductions

    def _copy_state_dict(self) -> dict[str, Any]:
        with self._states_that_are_added():
            copies = super()._copy_state_dict()
        states = {name: getattr(self, name) for name in self._merged}
        return copies | {name: list(x) if isinstance(x, list) else x for name, x in states.items()}

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *arguments: Any) -> None:
        kinds = {name: type(getattr(self, name)) for name in self._merged}
        if any(prefix + name in state_dict for name in kinds):
            if wrong := [name for name, kind in kinds.items() if not isinstance(state_dict.get(prefix + name), kind)]:
                errors = arguments[-1]
                errors.append(f"the state of {type(self).__name__} has other settings, or not all: {', '.join(wrong)}")
                for name in kinds:
                    state_dict.pop(prefix + name, None)
            else:
                self._computed = None
                self._update_count = max(self._update_count, 1)
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    def _reduce_states(self, incoming_state: dict[str, Any]) -> None:
        if missing := [name for name in self._merged if name not in incoming_state]:
            raise ValueError(
                f"`incoming_state` must be of a metric with the same settings, has no {', '.join(missing)}"
            )
        state = self._as_state(incoming_state).merge(self._read())
        with self._states_that_are_added():
            super()._reduce_states(incoming_state)
        self._keep(state)

    def _sync_dist(
        self, dist_sync_fn: Callable[..., list[Tensor]] = gather_all_tensors, process_group: Any = None
    ) -> None:
        group = process_group or self.process_group
        gathered: dict[str, list[Any]] = {}
        for name, leaf in leaves(one_run(self._read())):
            if name in self._merged:
                mine = leaf[0] if isinstance(leaf, list) else leaf
                # of one number of axes and one dtype, which another process, of no batch or with a NaN, may not have
                parts = [_shaped_like(mine, x) for x in dist_sync_fn(mine.reshape(-1).double(), group=group)]
                gathered[name] = [[x] for x in parts] if isinstance(leaf, list) else parts
        states = [
            self._as_state(dict(zip(gathered, each, strict=True))) for each in zip(*gathered.values(), strict=True)
        ]
        state = reduce(lambda a, b: a.merge(b), states)
        with self._states_that_are_added():
            super()._sync_dist(dist_sync_fn, process_group)
        self._keep(state)

    def _apply(self, fn: Callable[[Tensor], Tensor], exclude_state: Sequence[str] = "") -> Metric:
        super()._apply(fn, [*exclude_state, *self._merged])

        def move(x: Any) -> Any:
            if isinstance(x, list):
                return [move(part) for part in x]
            there = fn(x)  # which may be of another dtype
            return there if there.dtype == x.dtype else x.to(there.device)

        for name in self._merged:
            self._defaults[name] = move(self._defaults[name])
            setattr(self, name, move(getattr(self, name)))
        self._template = rebuild(self._template, (move(leaf) for _, leaf in leaves(self._template)))
        return self


def _is_constant(name: str) -> bool:
    return name.endswith("edges")


def _checked(name: str, x: Any) -> Tensor:
    if not isinstance(x, Tensor):
        raise TypeError(f"`{name}` must be a tensor, got {describe(x)}")
    if x.is_complex():
        raise TypeError(f"`{name}` must be real, got dtype {x.dtype}")
    return x.detach()


def exact_scores(score: Any) -> Tensor:
    """Scores in double precision, in which each distinct one is kept."""
    return in_double(_checked("score", score))


def _shaped_like(mine: Tensor, x: Tensor) -> Tensor:
    x = x.reshape(mine.shape) if x.numel() == mine.numel() else x
    of_mine = x.to(mine.dtype)  # which may count in integers what has weights elsewhere
    return of_mine if torch.equal(of_mine.double(), x) else x


def _named(result: Any) -> Any:
    """A NamedTuple as a dict of its numbers."""
    return {k: x for k, x in result._asdict().items() if x is not None} if hasattr(result, "_asdict") else result


class ScoreMetric(Metric):
    """A base of metrics that keep scores: each distinct one, or a histogram of a fixed size.

    The setting ``scores`` says which. With ``"exact"`` they are kept in double precision, at most twice each distinct
    one. A batch costs the same however many came before. With ``"histogram"`` they are counted in a `ScoreHistogram` of
    2.6 MB, whatever their number. `compute` returns the value, and `bounds` returns bounds of the exact value.
    """

    _curve: ClassVar[Literal["roc", "precision_recall", "pro"] | None] = None

    def __init__(
        self, settings: Mapping[str, Any] = {}, /, *, scores: ScoreStore = "exact", **keywords: Unpack[Keywords]
    ) -> None:
        super().__init__({**settings, "scores": scores}, **keywords)

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """Raise unless `scores` is one of the two, and what the kernel would raise of its settings."""
        choice("scores", values["scores"], tuple(_SCORE_STORES))
        super().check(values)

    def bounds(self) -> streaming.Bounded[Any]:
        """Return the result over all batches (`value`), and its bounds (`lower`, `upper`), each as `compute` does.

        The exact result is between the bounds, field by field. With ``scores="exact"`` all three are equal.
        """
        with self._all_processes():
            result: streaming.Bounded[Any] = self._cast(self._bounds_of(self.state))
        return result

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Plot the given results, or the curve of the metric if it has one; needs matplotlib.

        Returns the figure and its axes, as torchmetrics does. `anomaly_kernels.plots.plot_curve` draws the curve of all
        batches, with bounds for ``scores="histogram"`` and with the area in the legend. A value other than the area
        belongs to the marked point, or is in the title.
        """
        if val is not None or self._curve is None:
            return super().plot(val, ax)
        from anomaly_kernels.plots import plot_curve

        with self._all_processes():
            state = self.state
        marked = self._marked()
        limit = {"max_fpr": self.max_fpr} if "max_fpr" in self._settings() else {}
        ax = plot_curve(state, kind=self._curve, threshold=marked, ax=ax, **limit)
        if marked is None and self.kernel not in _AREAS:
            ax.set_title(f"{type(self).__name__}: {self.compute():.3f}")
        return ax.figure, ax

    def _marked(self) -> Any:
        """The result whose threshold is a point of the curve."""
        return None

    def _set(self, name: str, value: Any) -> None:
        if name == "scores" and getattr(self, "scores", value) != value:
            raise ValueError(f"`scores` of a metric that is there cannot be changed, got {value!r}")
        super()._set(name, value)

    def _empty_scores(self, like: Tensor) -> Scores:
        return _SCORE_STORES[self.scores].empty(like)

    def _ranked(self, score: Any) -> Tensor:
        """Scores as they are kept; a histogram takes every dtype, and knows which integers it cannot tell apart."""
        return exact_scores(score) if self.scores == "exact" else _checked("score", score)


class AnomalyDetectionMetrics(ScoreMetric):
    """Precision, recall, F1 score and intersection over union of decisions, and average precision of their scores.

    The metric of `anomaly_kernels.anomaly_detection_metrics`, over all elements of all batches. Give scores with every
    batch or with none. `bounds` has the bounds of average precision.

    Parameters
    ----------
    zero_division : number or 0-d array
        Value of a quotient whose denominator is 0: precision without alarms, recall without anomalies. ``nan`` marks it
        as undefined.
    scores : {"exact", "histogram"}
        How scores are kept: each distinct one in double precision, or in memory of a fixed size.
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

    def __init__(
        self, *, zero_division: Setting = 0.0, scores: ScoreStore = "exact", **keywords: Unpack[Keywords]
    ) -> None:
        super().__init__({"zero_division": zero_division}, scores=scores, **keywords)

    @property
    def state(self) -> streaming.Detections:
        """All batches so far, as a state of `anomaly_kernels.streaming`."""
        state = super().state
        return streaming.Detections(state.counts, state.scores if state.with_scores.numel() else None)

    def update(self, decision: Tensor, target: Tensor, score: Tensor | None = None) -> None:
        """Take in decisions, true anomalies and, if given, the scores decided on, all of one shape."""
        self._merge_batch(target, decision, *([] if score is None else [self._ranked(score)]))

    def _empty_state(self, like: Tensor, scores: Scores | None) -> _Detections:
        nothing = torch.zeros(0, dtype=torch.int64, device=like.device)
        return _Detections(streaming.DetectionCounts.empty(like), scores, nothing, nothing)


class _Detections(NamedTuple):
    """Counts of decisions, the scores if there are any, and how many elements came with scores and without.

    The last two are of shape (0,), or (1,) once there are some: a shape can be looked at without waiting for a GPU.
    """

    counts: streaming.DetectionCounts
    scores: Any
    with_scores: Tensor
    without_scores: Tensor

    def of(self, target: Tensor, decision: Tensor, score: Tensor | None = None) -> _Detections:
        """The state of one batch."""
        counts = streaming.DetectionCounts.of(target, decision)
        nothing, size = self.with_scores.new_zeros(0), target.numel()
        some = nothing.new_full((1,), size) if size else nothing
        if score is None:
            return _Detections(counts, None, nothing, some)
        return _Detections(counts, self.scores.of(target, score), some, nothing)

    def merge(self, other: _Detections) -> _Detections:
        """The state of both parts."""
        pairs = ((self.with_scores, other.with_scores), (self.without_scores, other.without_scores))
        with_scores, without_scores = (torch.cat(pair) for pair in pairs)
        if with_scores.numel() and without_scores.numel():
            earlier, later = ("one" if x.with_scores.numel() else "none" for x in (self, other))
            raise ValueError(f"`score` must be given with every batch or with none, got {earlier} before, {later} now")
        scores = self.scores if other.scores is None else self.scores.merge(other.scores)
        totals = (x.sum(0, keepdim=True) if x.numel() else x for x in (with_scores, without_scores))
        return _Detections(self.counts.merge(other.counts), scores, *totals)


class ExplainedVarianceMetric(Metric):
    """Shares of the variance that principal components explain: of each, of all together, and cumulative.

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
        if not isinstance(explained_variance_ratio, Tensor) or explained_variance_ratio.shape != (0,):
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


class ScoreStatisticsMetric(ScoreMetric):
    """Mean, standard deviation, extremes and quantiles of anomaly scores.

    The metric of `anomaly_kernels.score_statistics` over all scores of all batches. `bounds` has the bounds of
    quantiles.

    Parameters
    ----------
    scores : {"exact", "histogram"}
        How scores are kept: each distinct one in double precision, or in memory of a fixed size.
    **keywords
        Those of `torchmetrics.Metric`.

    Examples
    --------
    >>> metric = ScoreStatisticsMetric()
    >>> metric.update(torch.tensor([1.0, 2.0, 6.0]))
    >>> metric.compute().median
    tensor(2.)
    """

    kernel = staticmethod(statistics.score_statistics)

    def __init__(self, *, scores: ScoreStore = "exact", **keywords: Unpack[Keywords]) -> None:
        super().__init__(scores=scores, **keywords)

    def update(self, scores: Tensor) -> None:
        """Take in scores of any shape."""
        scores = _checked("scores", scores)
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
    """Entropy of selection weights: log C if C channels are selected evenly, 0 if only one is.

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
        # a collection takes metrics whose states are equal after one batch for the same, but ε is in what is added up
        self.add_state("eps_of_batches", torch.as_tensor(eps, dtype=torch.float64).detach().clone(), "max")

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


class RankingMetric(ScoreMetric):
    """A base of metrics of a ranking, over all elements of all batches; a single number, unless they say otherwise."""

    higher_is_better: bool | None = True
    plot_lower_bound: float | None = 0.0
    plot_upper_bound: float | None = 1.0

    def update(self, score: Tensor, target: Tensor, *, sample_weight: Tensor | None = None) -> None:
        """Take in scores, true anomalies and, if given, weights of samples, all of one shape."""
        self._merge_batch(target, self._ranked(score), *([] if sample_weight is None else [sample_weight]))


class AveragePrecisionMetric(RankingMetric):
    r"""Average precision: the mean, over the positives, of the precision among all that score at least as high.

    .. math:: \frac 1P \sum_{i: y_i = 1} \frac{|\{j: y_j = 1, s_j \ge s_i\}|}{|\{j: s_j \ge s_i\}|}

    The metric of `anomaly_kernels.average_precision` over all elements of all batches, in (0, 1]; 0 without positives.

    Parameters
    ----------
    scores : {"exact", "histogram"}
        How scores are kept: each distinct one in double precision, or in memory of a fixed size.
    **keywords
        Those of `torchmetrics.Metric`.

    Examples
    --------
    >>> metric = AveragePrecisionMetric()
    >>> metric.update(torch.tensor([4.0, 1.0, 2.0, -3.0]), torch.tensor([True, True, False, False]))
    >>> metric.compute()
    tensor(0.8333)
    """

    kernel = staticmethod(areas.average_precision)
    _curve = "precision_recall"

    def __init__(self, *, scores: ScoreStore = "exact", **keywords: Unpack[Keywords]) -> None:
        super().__init__(scores=scores, **keywords)


class AUPRTrapezoidMetric(RankingMetric):
    r"""Area under the precision-recall curve by trapezoids, which is usually too high.

    .. math:: \frac 1P \sum_{i: y_i = 1} \frac{p(s_i) + p(s_i^+)}{2}, \quad
        p(s) = \frac{|\{j: y_j = 1, s_j \ge s\}|}{|\{j: s_j \ge s\}|}

    The metric of `anomaly_kernels.aupr_trapezoid` over all elements of all batches, in (0, 1]; 0 without positives.

    Parameters
    ----------
    scores : {"exact", "histogram"}
        How scores are kept: each distinct one in double precision, or in memory of a fixed size.
    **keywords
        Those of `torchmetrics.Metric`.

    Examples
    --------
    >>> metric = AUPRTrapezoidMetric()
    >>> metric.update(torch.zeros(4), torch.tensor([True, False, False, False]))
    >>> metric.compute()
    tensor(0.6250)
    """

    kernel = staticmethod(areas.aupr_trapezoid)
    _curve = "precision_recall"

    def __init__(self, *, scores: ScoreStore = "exact", **keywords: Unpack[Keywords]) -> None:
        super().__init__(scores=scores, **keywords)


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
        How scores are kept: each distinct one in double precision, or in memory of a fixed size.
    **keywords
        Those of `torchmetrics.Metric`.

    Examples
    --------
    >>> metric = ROCAUCMetric()
    >>> metric.update(torch.tensor([4.0, 1.0, 2.0, -3.0]), torch.tensor([True, True, False, False]))
    >>> metric.compute()
    tensor(0.7500)
    """

    kernel = staticmethod(areas.roc_auc)
    _curve = "roc"

    def __init__(
        self, *, max_fpr: Setting | None = None, scores: ScoreStore = "exact", **keywords: Unpack[Keywords]
    ) -> None:
        super().__init__({"max_fpr": max_fpr}, scores=scores, **keywords)


class BestF1Metric(RankingMetric):
    r"""The highest F1 score that a threshold can give. `threshold` is the threshold that gives it.

    .. math:: \max_s \frac{2\, TP(s)}{P + TP(s) + FP(s)}

    The `value` of `anomaly_kernels.best_f1` over all elements of all batches, in (0, 1]; 0 without positives.

    Parameters
    ----------
    scores : {"exact", "histogram"}
        How scores are kept: each distinct one in double precision, or in memory of a fixed size.
    **keywords
        Those of `torchmetrics.Metric`.

    Examples
    --------
    >>> metric = BestF1Metric()
    >>> metric.update(torch.tensor([4.0, 1.0, 2.0, -3.0]), torch.tensor([True, True, False, False]))
    >>> metric.compute(), metric.threshold.item()
    (tensor(0.8000), 1.0)
    """

    kernel = staticmethod(decisions.best_f1)
    _curve = "precision_recall"

    def __init__(self, *, scores: ScoreStore = "exact", **keywords: Unpack[Keywords]) -> None:
        super().__init__(scores=scores, **keywords)

    @property
    def threshold(self) -> Tensor:
        """The score s for which ``score >= s`` has the F1 score of `compute`, not rounded; NaN without scores."""
        with self._all_processes():
            return best_threshold(self.state).to(self.device)

    def _marked(self) -> decisions.BestF1:
        return decisions.BestF1(self.compute(), self.threshold)


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
        How scores are kept: each distinct one in double precision, or in memory of a fixed size.
    **keywords
        Those of `torchmetrics.Metric`.

    Examples
    --------
    >>> metric = FPRAtTPRMetric(tpr=0.95)
    >>> metric.update(torch.tensor([4.0, 1.0, 2.0, -3.0]), torch.tensor([True, True, False, False]))
    >>> metric.compute()
    tensor(0.5000)
    """

    kernel = staticmethod(decisions.fpr_at_tpr)
    higher_is_better = False
    _curve = "roc"

    def __init__(self, *, tpr: Setting = 0.95, scores: ScoreStore = "exact", **keywords: Unpack[Keywords]) -> None:
        super().__init__({"tpr": tpr}, scores=scores, **keywords)


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
        How scores are kept: each distinct one in double precision, or in memory of a fixed size.
    **keywords
        Those of `torchmetrics.Metric`.

    Examples
    --------
    >>> metric = PrecisionAtKMetric(k=2)
    >>> metric.update(torch.tensor([4.0, 1.0, 2.0, -3.0]), torch.tensor([True, True, False, False]))
    >>> metric.compute()
    tensor(0.5000)
    """

    kernel = staticmethod(decisions.precision_at_k)

    def __init__(self, k: SupportsIndex, *, scores: ScoreStore = "exact", **keywords: Unpack[Keywords]) -> None:
        super().__init__({"k": k}, scores=scores, **keywords)


class OperatingPointMetric(RankingMetric):
    """A base of metrics that are a threshold, one of the scores as it is, in double precision, and what it gives."""

    higher_is_better = None
    plot_lower_bound = plot_upper_bound = None
    _curve = "precision_recall"

    def _marked(self) -> Any:
        return self.compute()

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """Raise unless `scores` is "exact", and what the kernel would raise of its settings."""
        check_exact(values["scores"])
        super().check(values)

    def _cast(self, x: Any) -> Any:
        result = super()._cast(x)  # in the dtype of the metric, which may round a threshold beyond its score
        exact = isinstance(x, operating.OperatingPoint)
        return result._replace(threshold=x.threshold.to(self.device)) if exact else result


class ThresholdAtRecallMetric(OperatingPointMetric):
    r"""The highest threshold that finds a given share of the anomalies, and its precision and recall.

    .. math:: \max \{s : TP(s)/P \ge r\}

    The metric of `anomaly_kernels.threshold_at_recall` over all elements of all batches; NaN without positives.

    Parameters
    ----------
    recall : number or 0-d array, in (0, 1]
        The least share r of the positives to find.
    scores : {"exact"}
        How scores are kept: each distinct one in double precision. The threshold has this precision too.
    **keywords
        Those of `torchmetrics.Metric`.

    Examples
    --------
    >>> metric = ThresholdAtRecallMetric(recall=0.9)
    >>> metric.update(torch.tensor([4.0, 1.0, 2.0, -3.0]), torch.tensor([True, True, False, False]))
    >>> [round(x.item(), 4) for x in metric.compute()]
    [1.0, 0.6667, 1.0]
    """

    kernel = staticmethod(operating.threshold_at_recall)

    def __init__(
        self, *, recall: Setting = 0.95, scores: Literal["exact"] = "exact", **keywords: Unpack[Keywords]
    ) -> None:
        super().__init__({"recall": recall}, scores=scores, **keywords)


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
        How scores are kept: each distinct one in double precision. The threshold has this precision too.
    **keywords
        Those of `torchmetrics.Metric`.

    Examples
    --------
    >>> metric = ThresholdAtPrecisionMetric(precision=0.6)
    >>> metric.update(torch.tensor([4.0, 1.0, 2.0, -3.0]), torch.tensor([True, True, False, False]))
    >>> [round(x.item(), 4) for x in metric.compute()]
    [1.0, 0.6667, 1.0]
    """

    kernel = staticmethod(operating.threshold_at_precision)

    def __init__(
        self, *, precision: Setting = 0.9, scores: Literal["exact"] = "exact", **keywords: Unpack[Keywords]
    ) -> None:
        super().__init__({"precision": precision}, scores=scores, **keywords)
