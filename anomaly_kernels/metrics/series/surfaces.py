"""Areas under the ROC and precision-recall curves of ranges with buffers, and the volume over all widths of these."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal, SupportsIndex, TypeAlias, get_args

from anomaly_kernels._core.checks import NOT_NEGATIVE, choice, integer, positive, setting
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.metrics.ranking._evaluate import Results
from anomaly_kernels.metrics.series._curves import Curves, curves_of
from anomaly_kernels.metrics.series._inputs import Axis, evaluate, scored
from anomaly_kernels.metrics.series._results import RangeAUC


def check_window(name: str, value: Any) -> int:
    """The width of a window in time steps, or an error."""
    steps = integer(name, value, "an integer")
    setting(name, steps, NOT_NEGATIVE)
    return steps


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
    return RangeAUC(*_evaluate(_vus, target, score, window, positives, thresholds, axis))


def _evaluate(
    metric: Any, target: Array, score: Array, window: Window, positives: str, thresholds: Thresholds, axis: Axis
) -> Results:
    steps, number = check_window("window", window), check_thresholds("thresholds", thresholds)
    choice("positives", positives, get_args(Positives))
    return evaluate(partial(metric, steps, positives == "found", number), scored(target, score, axis))


def _range_auc(window: int, found: bool, number: int | None, xp: Namespace, truth: Array, score: Array) -> Results:  # noqa: FBT001
    curves = curves_of(xp, truth, score, window // 2, number)
    reach = xp.constant(window // 2, like=score, dtype=xp.counting())
    highest, points = curves.event_maxima(xp, truth), score.shape[-1]
    steps = min(window // 2, points) if isinstance(points, int) else window // 2  # beyond the series zones grow no further
    if steps:
        each = xp.constant(list(range(1, steps + 1)), like=score, dtype=xp.counting())
        highest, _ = xp.scan(lambda state, step: (curves.grown(xp, state, step), step), highest, each)
    return curves.finished(xp, _areas(xp, curves, highest, reach, (window % 2,), found=found))


def _vus(window: int, found: bool, number: int | None, xp: Namespace, truth: Array, score: Array) -> Results:  # noqa: FBT001
    curves, pairs = curves_of(xp, truth, score, window // 2, number), (window + 1) // 2
    highest, total = curves.event_maxima(xp, truth), 0.0

    def step(highest: Array, reach: Array) -> tuple[Array, Array]:
        highest = curves.grown(xp, highest, reach)
        return highest, _areas(xp, curves, highest, reach, (0, 1), found=found)  # two windows have buffers of a length

    if pairs:
        each = xp.constant(list(range(pairs)), like=score, dtype=xp.counting())
        highest, areas = xp.scan(step, highest, each)
        total = xp.sum(areas, axis=0)
    if window % 2 == 0:
        last = xp.constant(window // 2, like=score, dtype=xp.counting())
        total = total + _areas(xp, curves, curves.grown(xp, highest, last), last, (0,), found=found)
    return curves.finished(xp, total / (window + 1.0))


def _areas(xp: Namespace, curves: Curves, highest: Array, reach: Array, odd: tuple[int, ...], *, found: bool) -> Array:
    """The sum of both areas over windows of twice the reach, and one more where `odd` is 1."""
    zones = curves.found_zones(xp, highest, reach)
    return sum(curves.areas(xp, 2 * reach + k, reach, zones, found=found) for k in odd)
