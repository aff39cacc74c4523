"""Areas under the ROC and precision-recall curves of ranges with buffers, and the volume over all widths of these."""

from __future__ import annotations

from typing import Annotated, Any, Literal, SupportsIndex, TypeAlias, get_args

from anomaly_kernels._core.checks import NOT_NEGATIVE, choice, integer, positive, setting
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.metrics.ranking._evaluate import Results
from anomaly_kernels.metrics.series._curves import Curves, curves_of
from anomaly_kernels.metrics.series._inputs import Axis, With, evaluate, scored
from anomaly_kernels.metrics.series._results import RangeAUC


def check_window(name: str, value: Any) -> int:
    """The width of a window in time steps, or an error; none beyond what a series can have."""
    steps = integer(name, value, "an integer")
    setting(name, steps, NOT_NEGATIVE)
    return min(steps, 2**30)


def check_thresholds(name: str, value: Any) -> int | None:
    """How many thresholds, or None for all."""
    return None if value is None else positive(name, value, "an integer or None")


Window: TypeAlias = Annotated[SupportsIndex, check_window]
Positives: TypeAlias = Literal["found", "all"]
Thresholds: TypeAlias = Annotated[SupportsIndex | None, check_thresholds]


@with_hint
def range_auc(
    target: Array,
    score: Array,
    *,
    window: Window = 100,
    positives: Positives = "found",
    thresholds: Thresholds = None,
    axis: Axis = -1,
) -> RangeAUC:
    r"""Areas under the ROC and the precision-recall curve of events with buffers around them (range AUC).

    .. math:: TPR = \min\left(\frac{TP}{P'}, 1\right) \frac{\text{zones with an alarm}}{\text{zones}}, \quad
        FPR = \frac{A - TP}{T - P'}, \quad \text{precision} = \frac{TP}{A}

    where a normal point at distance d ≤ ⌊w/2⌋ of an event is an anomaly of weight √(1 − d/w), and of weight 1 if two
    events are that near. TP is the weight of the A alarms of T points; P' = P + S/2 with P the points of events and S
    the weight of the alarmed buffers. A zone is an event with its buffers; zones that share a point are one. The ROC
    curve takes straight lines from (0, 0) over all thresholds to (1, 1), average precision steps [1]_ [2]_.

    The value of a random score grows with the ratio of the window to the length of the events, so compare only equal
    windows. At window 0 it is not the plain area, because the share of zones remains. `vus` is the mean over all
    windows.

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is normal, all else anomalous; an event is a run of them. Raw scores, higher for
        anomalies.
    window : int, at least 0
        w, the width of both buffers together, in time steps.
    positives : {"found", "all"}
        Whether S counts the buffers that are alarmed, or all. **With** ``"all"`` **a perfect score is not 1**: that is
        the definition of 2022, of aeon, TimeEval and dtaianomaly; the default is that of TSB-AD.
    thresholds : int, optional
        How many thresholds to take, evenly by rank: the scores of ranks ⌊k(T − 1)/(n − 1)⌋ from the highest on. 250 is
        what TSB-AD and vus publish. All distinct scores by default.
    axis : int
        The axis of time; the others count series.

    Returns
    -------
    RangeAUC
        `roc_auc` and `average_precision`, in [0, 1]; NaN if a score is NaN. Without events NaN and 0, without normal
        points NaN and 1. Each 0-d, or the shape without the axis; in the dtype of `score`, for integer scores that of
        real targets, else the widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers, or `window` or `thresholds` is
        not an integer.
    ValueError
        If a number cannot be a target (checked where values are known), the shapes differ, there is no point in time, a
        setting is out of its range or none of its options, or the axis does not exist.

    References
    ----------
    .. [1] J. Paparrizos et al., "Volume Under the Surface: A New Accuracy Evaluation Measure for Time-Series Anomaly
       Detection", PVLDB 15(11), 2022.
    .. [2] P. Boniol et al., "VUS: Effective and Efficient Accuracy Measures for Time-Series Anomaly Detection", VLDB
       Journal, 2025.
    .. [3] Q. Liu, J. Paparrizos, "The Elephant in the Room: Towards A Reliable Time-Series Anomaly Detection
       Benchmark", NeurIPS, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, score = np.arange(100) // 10 == 5, np.exp(-0.01 * (np.arange(100) - 57.0) ** 2)  # a little late
    >>> result = ak.range_auc(truth, score, window=10)
    >>> round(float(result.roc_auc), 4), round(float(result.average_precision), 4)
    (0.9991, 0.99)
    """
    return RangeAUC(*_evaluate(_range_auc, target, score, window, positives, thresholds, axis))


@with_hint
def vus(
    target: Array,
    score: Array,
    *,
    window: Window = 100,
    positives: Positives = "found",
    thresholds: Thresholds = None,
    axis: Axis = -1,
) -> RangeAUC:
    r"""Volume under the surface: `range_auc` averaged over all windows from 0 to the largest (VUS-ROC and VUS-PR).

    .. math:: \frac{1}{W + 1} \sum_{w=0}^{W} \text{range AUC}(w)

    for each of the two areas, over all distinct thresholds, in O(T log T + W·B) for T points of which B lie in events
    or within W/2 of one. VUS-PR, the `average_precision`, is what the authors of TSB-AD recommend [3]_: it needs no
    threshold, and forgives a lag.

    **Compare equal windows only**, and give the prevalence: the value of a random score grows with the ratio of the
    window to the length of the events. At window 100 its VUS-ROC is 0.54 for long events and 0.83 for events of 10
    points, its VUS-PR 0.11 (prevalence 0.09) and 0.10 (0.02). The largest window is 100 in TSB-AD, 500 in aeon,
    TimeEval and dtaianomaly and 4 in tsadmetrics. Windows 0 and 1 have no buffers, and both count, as in other code.

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is normal, all else anomalous; an event is a run of them. Raw scores, higher for
        anomalies.
    window : int, at least 0
        W, the largest window, in time steps: both buffers together.
    positives : {"found", "all"}
        Whether S counts the buffers that are alarmed, or all. **With** ``"all"`` **a perfect score is not 1**, but 0.97
        and 0.95 on a pattern like SMD machine-1-1, 0.71 and 0.47 on 20 events of 10 in 10 000 points: that is the
        definition of 2022, of aeon, TimeEval and dtaianomaly; the default is that of TSB-AD.
    thresholds : int, optional
        How many thresholds to take, evenly by rank: the scores of ranks ⌊k(T − 1)/(n − 1)⌋ from the highest on. 250 is
        what TSB-AD and vus publish. All distinct scores by default.
    axis : int
        The axis of time; the others count series.

    Returns
    -------
    RangeAUC
        `roc_auc` and `average_precision`, in [0, 1]; NaN if a score is NaN. Without events NaN and 0, without normal
        points NaN and 1. Each 0-d, or the shape without the axis; in the dtype of `score`, for integer scores that of
        real targets, else the widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers, or `window` or `thresholds` is
        not an integer.
    ValueError
        If a number cannot be a target (checked where values are known), the shapes differ, there is no point in time, a
        setting is out of its range or none of its options, or the axis does not exist.

    References
    ----------
    .. [1] J. Paparrizos et al., "Volume Under the Surface: A New Accuracy Evaluation Measure for Time-Series Anomaly
       Detection", PVLDB 15(11), 2022.
    .. [2] P. Boniol et al., "VUS: Effective and Efficient Accuracy Measures for Time-Series Anomaly Detection", VLDB
       Journal, 2025.
    .. [3] Q. Liu, J. Paparrizos, "The Elephant in the Room: Towards A Reliable Time-Series Anomaly Detection
       Benchmark", NeurIPS, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, score = np.arange(100) // 10 == 5, np.exp(-0.01 * (np.arange(100) - 57.0) ** 2)  # a little late
    >>> result = ak.vus(truth, score, window=20)
    >>> round(float(result.roc_auc), 4), round(float(result.average_precision), 4)
    (0.997, 0.9698)
    """
    return RangeAUC(*_evaluate(_vus, target, score, window, positives, thresholds, axis))


def _evaluate(
    metric: Any, target: Array, score: Array, window: Window, positives: str, thresholds: Thresholds, axis: Axis
) -> Results:
    steps, number = check_window("window", window), check_thresholds("thresholds", thresholds)
    choice("positives", positives, get_args(Positives))
    return evaluate(With(metric, (steps, positives == "found", number)), scored(target, score, axis))


def _range_auc(window: int, found: bool, number: int | None, xp: Namespace, truth: Array, score: Array) -> Results:  # noqa: FBT001
    curves = curves_of(xp, truth, score, window // 2, number)
    reach = xp.constant(window // 2, like=score, dtype=xp.counting())
    highest, points = curves.event_maxima(xp, truth), score.shape[-1]
    # beyond the series zones grow no further
    steps = min(window // 2, points) if isinstance(points, int) else window // 2
    if steps:
        each = xp.constant(list(range(1, steps + 1)), like=score, dtype=xp.counting())
        highest, _ = xp.scan(lambda state, step: (curves.grown(xp, state, step), step), highest, each, rolled=True)
    return curves.finished(xp, _areas(xp, curves, highest, reach, (window % 2,), found=found))


def _vus(window: int, found: bool, number: int | None, xp: Namespace, truth: Array, score: Array) -> Results:  # noqa: FBT001
    curves, pairs = curves_of(xp, truth, score, window // 2, number), (window + 1) // 2
    highest, parts = curves.event_maxima(xp, truth), []

    def step(highest: Array, reach: Array) -> tuple[Array, Array]:
        highest = curves.grown(xp, highest, reach)
        return highest, _areas(xp, curves, highest, reach, (0, 1), found=found)  # two windows have buffers of a length

    if pairs:
        each = xp.constant(list(range(pairs)), like=score, dtype=xp.counting())
        highest, areas = xp.scan(step, highest, each, rolled=True)
        parts.append(xp.sum(areas, axis=0))
    if window % 2 == 0:
        last = xp.constant(window // 2, like=score, dtype=xp.counting())
        parts.append(_areas(xp, curves, curves.grown(xp, highest, last), last, (0,), found=found))
    return curves.finished(xp, sum(parts[1:], start=parts[0]) / (window + 1.0))


def _areas(xp: Namespace, curves: Curves, highest: Array, reach: Array, odd: tuple[int, ...], *, found: bool) -> Array:
    """The sum of both areas over windows of twice the reach, and one more where `odd` is 1."""
    zones = curves.found_zones(xp, highest, reach)
    areas = [curves.areas(xp, 2 * reach + k, reach, zones, found=found) for k in odd]
    return sum(areas[1:], start=areas[0])
