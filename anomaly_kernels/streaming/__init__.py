"""States of metrics: of parts of the data, in any order and on any machine, merged to the state of the whole.

Each state is a NamedTuple of arrays: a pytree to JAX, which can be pickled, saved and sent as it is. ``State.of(...)``
is the state of one batch, ``State.empty(like)`` that of none, and

- `update(state, target, score)` is the state with a batch more,
- `merge(a, b)` the state of both parts: associative and commutative,
- `compute(state, ...)` what the metric says of all that went into it.

=================== ============================================== ===============================================
State               of                                             computes
=================== ============================================== ===============================================
`DetectionCounts`   targets and decisions                          what `anomaly_detection_metrics` does
`PixelCounts`       decisions                                      what `anomaly_pixel_statistics` does
`Moments`           scores                                         their mean, standard deviation and extremes
`UniqueScores`      targets and scores                             any metric of a ranking, exactly
`ScoreHistogram`    targets and scores, in memory of a fixed size  metrics of a ranking, between bounds
`Detections`        targets, decisions and, if given, scores       what `anomaly_detection_metrics` does
`Statistics`        scores                                         what `score_statistics` does
`Means`             results of any metric                          their means over batches
=================== ============================================== ===============================================

All have a fixed shape, for ``jit`` and ``scan``, but `UniqueScores`, which has as many entries as there are distinct
scores. `Detections` and `Statistics` keep scores in one of the two, as they are told when they are empty.
"""

from __future__ import annotations

from typing import Any, Protocol, Self, TypeVar

from anomaly_kernels._typing import Array
from anomaly_kernels.metrics._unique import UniqueScores
from anomaly_kernels.streaming.counts import DetectionCounts, PixelCounts
from anomaly_kernels.streaming.histogram import Bounded, ScoreHistogram
from anomaly_kernels.streaming.moments import Moments, MomentsOfScores
from anomaly_kernels.streaming.results import Detections, Means, Statistics

__all__ = [
    "Bounded",
    "DetectionCounts",
    "Detections",
    "Means",
    "Moments",
    "MomentsOfScores",
    "PixelCounts",
    "ScoreHistogram",
    "Statistics",
    "UniqueScores",
    "compute",
    "merge",
    "update",
]


class State(Protocol):
    """What every state can do."""

    def of(self, *arrays: Any, **settings: Any) -> Self: ...
    def merge(self, other: Self, /) -> Self: ...
    def compute(self, *metric: Any, **settings: Any) -> Any: ...


S = TypeVar("S", bound=State)


def update(state: S, *arrays: Array, sample_weight: Array | None = None) -> S:
    """The state with a batch more.

    Parameters
    ----------
    state : state
        What was seen before.
    *arrays : array
        What ``state.of`` takes: targets and scores, targets and decisions, or one of them.
    sample_weight : array, shape of `arrays`, optional
        What each sample counts for, instead of 1; where the state takes weights.

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
    >>> state = streaming.update(state, np.asarray([True, False]), np.asarray([4.0, 2.0]))
    >>> state = streaming.update(state, np.asarray([True, False]), np.asarray([1.0, -3.0]))
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
        If the states are of two kinds, or of scores of two dtypes.

    Examples
    --------
    >>> import numpy as np
    >>> from anomaly_kernels import streaming
    >>> parts = [streaming.PixelCounts.of(np.asarray(x)) for x in ([True, False], [False, False])]
    >>> streaming.compute(streaming.merge(*parts)).anomaly_percentage
    np.float64(25.0)
    """
    if type(a) is not type(b):
        raise TypeError(f"states of one kind can be merged, got {type(a).__name__} and {type(b).__name__}")
    return a.merge(b)


def compute(state: State, *metric: Any, **settings: Any) -> Any:
    """What a metric says of all that went into a state.

    Parameters
    ----------
    state : state
        What was seen.
    *metric : function
        For `UniqueScores` and `ScoreHistogram`, the metric: `average_precision`, `roc_auc` and so on.
    **settings
        Settings of the metric, by name.

    Returns
    -------
    array or NamedTuple
        What the metric itself returns; of a `ScoreHistogram` a `Bounded`.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> from anomaly_kernels import streaming
    >>> state = streaming.UniqueScores.of(np.asarray([True, False]), np.asarray([4.0, 2.0]))
    >>> float(streaming.compute(state, ak.fpr_at_tpr, tpr=0.9))
    0.0
    """
    return state.compute(*metric, **settings)
