"""Functions that forward to a state's own methods: `update` and `merge` of batches, `compute` of the metric."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NoReturn, Protocol, Self, TypeAlias, TypeVar

from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.spelling import suggestion
from anomaly_kernels._core.typing import Array

Reduce: TypeAlias = Callable[[Array], Array]  # an array on each device -> its sum or extreme over all


class State(Protocol):
    """The methods that every state has."""

    def of(self, *arrays: Any, **settings: Any) -> Self: ...
    def merge(self, other: Self, /) -> Self: ...
    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce, /) -> Self: ...
    def compute(self, *metric: Any, **settings: Any) -> Any: ...


S = TypeVar("S", bound=State)


def update(state: S, *arrays: Array, sample_weight: Array | None = None) -> S:
    """The state after one more batch.

    Parameters
    ----------
    state : state
        The state of all batches before.
    *arrays : array
        The arrays that ``state.of`` takes: targets and scores, targets and decisions, or one of them.
    sample_weight : array, shape of `arrays`, optional
        Weight of each sample, if the state takes weights; 1 by default.

    Returns
    -------
    state
        A new state; states do not change.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> from anomaly_kernels import streaming
    >>> state = streaming.UniqueScores.empty(np.zeros(0))
    >>> for score in ([4.0, 2.0], [1.0, -3.0]):
    ...     state = streaming.update(state, np.asarray([True, False]), np.asarray(score))
    >>> float(streaming.compute(state, ak.roc_auc))
    0.75
    """
    _check_state(state)
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    try:
        batch = state.of(*arrays, **weights)
    except TypeError:
        if _fits(state.of, *arrays, **weights):
            raise
        _refuse_arrays(state, len(arrays), weights)
    return merge(state, batch)


def merge(a: S, b: S) -> S:
    """The state of both parts.

    Parameters
    ----------
    a, b : state
        States of one kind.

    Returns
    -------
    state
        The same for ``merge(b, a)``, and for any other order of many parts, up to the rounding of real sums.

    Raises
    ------
    TypeError
        If the states are of two kinds, have scores of two dtypes, or are histograms with different edges. Where the
        edges are not known, under `jit`, the metrics of the merged state are NaN instead.
    ValueError
        If only one of two `Detections` has scores.

    Examples
    --------
    >>> import numpy as np
    >>> from anomaly_kernels import streaming
    >>> parts = [streaming.PixelCounts.of(np.asarray(x)) for x in ([True, False], [False, False])]
    >>> streaming.compute(streaming.merge(*parts)).anomaly_percentage
    np.float64(25.0)
    """
    if isinstance(a, type) or not hasattr(a, "merge"):
        raise TypeError(f"states can be merged, got {type(a).__name__} and {type(b).__name__}")
    return a.merge(b)


def compute(state: State, *metric: Any, **settings: Any) -> Any:
    """The metric of all data in a state.

    Parameters
    ----------
    state : state
        The state of all batches.
    *metric : function
        For `UniqueScores` and `ScoreHistogram`, the metric: `average_precision`, `roc_auc` and so on.
    **settings
        Settings of the metric, by name.

    Returns
    -------
    array or NamedTuple
        The results of the metric itself; for a `ScoreHistogram` a `Bounded`.

    Raises
    ------
    TypeError
        If `state` is not a state, or there is no such setting. Also if a state of several metrics gets none, or a state
        of one metric gets one.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> from anomaly_kernels import streaming
    >>> state = streaming.UniqueScores.of(np.asarray([True, False]), np.asarray([4.0, 2.0]))
    >>> float(streaming.compute(state, ak.fpr_at_tpr, tpr=0.9))
    0.0
    """
    _check_state(state)
    try:
        return state.compute(*metric, **settings)
    except TypeError:
        if _fits(state.compute, *metric, **settings):
            raise
        _refuse_metric(state, metric, settings)


def _check_state(state: Any) -> None:
    if isinstance(state, type):
        got = f"the class {state.__name__}: `{state.__name__}.empty(like)` is its state of nothing"
        raise TypeError(f"`state` must be a state of `anomaly_kernels.streaming`, got {got}")
    if not (hasattr(state, "of") and hasattr(state, "compute")):
        raise TypeError(f"`state` must be a state of `anomaly_kernels.streaming`, got {describe(state)}")


def _fits(method: Callable[..., Any], *arguments: Any, **by_name: Any) -> bool:
    """Whether a method can be called so; looked at once it has failed, for it takes longer than a small state."""
    try:
        inspect.signature(method).bind(*arguments, **by_name)
    except TypeError:
        return False
    return True


def _refuse_arrays(state: State, number: int, weights: dict[str, Any]) -> NoReturn:
    """Say which arrays a state takes."""
    kind, takes = type(state).__name__, list(inspect.signature(state.of).parameters)
    if weights and "sample_weight" not in takes:
        raise TypeError(f"`sample_weight` is not taken by {kind}, which takes {_listed(takes)}") from None
    raise TypeError(f"{kind} takes {_listed(takes)}, got {number} array{'s' * (number != 1)}") from None


def _refuse_metric(state: State, metric: tuple[Any, ...], settings: dict[str, Any]) -> NoReturn:
    """Say whether a state takes a metric, and which settings."""
    kind, takes = type(state).__name__, [*inspect.signature(state.compute).parameters]
    given = ", ".join(getattr(x, "__name__", repr(x)) for x in metric)
    if "metric" in takes:
        what = f"one metric of a ranking, such as `anomaly_kernels.roc_auc`, got {given or 'none'}"
        raise TypeError(f"`metric` of {kind} must be {what}") from None
    if metric:
        what = f"{kind} has its own results, and no `metric` to choose, got {given}"
        raise TypeError(f"{what}: `UniqueScores` and `ScoreHistogram` have the metrics of a ranking") from None
    unknown = next(name for name in settings if name not in takes)
    raise TypeError(f"{kind} has no setting `{unknown}`{suggestion(unknown, takes)}") from None


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
