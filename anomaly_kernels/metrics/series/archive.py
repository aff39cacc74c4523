"""The score of the UCR archive, whose series have one event each: whether the highest score is near it."""

from __future__ import annotations

from typing import Annotated, Any, SupportsIndex, TypeAlias

from anomaly_kernels._core.checks import NOT_NEGATIVE, flag, integer, setting
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.metrics.ranking._evaluate import Results
from anomaly_kernels.metrics.series._inputs import Axis, Flag, With, evaluate, real, scored
from anomaly_kernels.metrics.series._runs import chosen, find_runs, is_lean, length_of, positions, total


def check_margin(name: str, value: Any) -> int:
    """A number of time steps from 0 on, or an error; none beyond what a series can have."""
    steps = integer(name, value, "an integer")
    setting(name, steps, NOT_NEGATIVE)
    return min(steps, 2**30)


Margin: TypeAlias = Annotated[SupportsIndex, check_margin]


@with_hint
def ucr_score(target: Array, score: Array, *, margin: Margin = 100, own_length: Flag = True, axis: Axis = -1) -> Array:
    r"""Whether the highest score lies near an event (UCR score): 1 or 0, or between them if it is tied.

    .. math:: \frac{|\{i: s_i = \max s,\ a_e - t_e \le i \le b_e + t_e \text{ for an event } e\}|}
        {|\{i: s_i = \max s\}|}

    for events from aₑ to bₑ with the tolerance tₑ. The rule of the UCR archive [1]_, whose series have one event each:
    tₑ is the length of the event or `margin`, whichever is more. The mean over the series of the archive is the
    accuracy that is published. If several points share the highest score, the result is the share of them that lie near
    an event. So a constant score gets the share of all points that lie near an event.

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is normal, all else anomalous; an event is a run of them. Raw scores, higher for
        anomalies.
    margin : int, at least 0
        How far from an event is near, in time steps.
    own_length : bool
        Whether the tolerance is at least the event's own length.
    axis : int
        The axis of time; the others count series.

    Returns
    -------
    array
        In [0, 1], 0 without events, NaN if a score is NaN. 0-d, or the shape without the axis; in the dtype of `score`,
        for integer scores that of real targets, else the widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers, or `margin` is not an integer.
    ValueError
        If a number cannot be a target (checked where values are known), the shapes differ, there is no point in time,
        `margin` is negative, or the axis does not exist.

    References
    ----------
    .. [1] R. Wu, E. J. Keogh, "Current Time Series Anomaly Detection Benchmarks are Flawed and are Creating the
       Illusion of Progress", IEEE Transactions on Knowledge and Data Engineering, 2021.
    .. [2] F. Rewicki, J. Denzler, J. Niebling, "Is It Worth It? Comparing Six Deep and Classical Methods for
       Unsupervised Anomaly Detection in Time Series", Applied Sciences, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, place = np.arange(1000) // 10 == 50, np.arange(1000)  # an event from 500 to 509
    >>> float(ak.ucr_score(truth, -abs(place - 400.0))), float(ak.ucr_score(truth, -abs(place - 399.0)))
    (1.0, 0.0)
    """
    metric = With(_ucr, (check_margin("margin", margin), flag("own_length", own_length)))
    return evaluate(metric, scored(target, score, axis))[0]


def _ucr(margin: int, own_length: bool, xp: Namespace, truth: Array, score: Array) -> Results:  # noqa: FBT001
    events, far = find_runs(xp, truth), 2**30 + length_of(xp, truth)
    tolerance = xp.maximum(events.length, margin) if own_length else xp.zeros_like(events.length) + margin
    # a point lies within as many as have begun up to it, less those that have ended
    begins, ends = (
        xp.sort(xp.where(events.exists, place, far)) for place in (events.start - tolerance, events.end + tolerance)
    )
    highest = score == xp.max(score, axis=-1, keepdims=True)
    highest, place = chosen(is_lean(xp, score), highest, positions(xp, score))
    begun, ended = (xp.searchsorted(x, place, side="right") for x in (begins, ends))
    near, tied = real(xp, total(xp, xp.logical_and(highest, begun > ended)), total(xp, highest))
    return (ratio(xp, near, tied),)
