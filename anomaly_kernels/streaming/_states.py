"""Functions that forward to a state's own methods: `update` and `merge` of batches, `compute` of the metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self, TypeAlias, TypeVar

from anomaly_kernels._core.namespace import describe
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
    """The state with a batch more.

    Parameters
    ----------
    state : state
        The state of all batches before.
    *arrays : array
        The arrays that ``state.of`` takes: targets and scores, targets and decisions, or one of them.
    sample_weight : array, shape of `arrays`, optional
        Weight of each sample, instead of 1; where the state takes weights.

    Returns
    -------
    state
        A new one; states do not change.

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
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    return merge(state, state.of(*arrays, **weights))


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
        If the states are of two kinds, or of scores of two dtypes, or histograms with other edges. Where these cannot
        be looked at, under `jit`, the metrics of the merged state are NaN instead.
    ValueError
        If one of two `Detections` alone has scores.

    Examples
    --------
    >>> import numpy as np
    >>> from anomaly_kernels import streaming
    >>> parts = [streaming.PixelCounts.of(np.asarray(x)) for x in ([True, False], [False, False])]
    >>> streaming.compute(streaming.merge(*parts)).anomaly_percentage
    np.float64(25.0)
    """
    if not hasattr(a, "merge"):
        raise TypeError(f"states can be merged, got {type(a).__name__} and {type(b).__name__}")
    return a.merge(b)


def compute(state: State, *metric: Any, **settings: Any) -> Any:
    """The metric of all that went into a state.

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
        The results of the metric itself; of a `ScoreHistogram` a `Bounded`.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> from anomaly_kernels import streaming
    >>> state = streaming.UniqueScores.of(np.asarray([True, False]), np.asarray([4.0, 2.0]))
    >>> float(streaming.compute(state, ak.fpr_at_tpr, tpr=0.9))
    0.0
    """
    if not hasattr(state, "compute"):
        raise TypeError(f"`state` must be a state of `anomaly_kernels.streaming`, got {describe(state)}")
    return state.compute(*metric, **settings)
