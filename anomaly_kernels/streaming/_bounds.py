"""Metrics of scores that are known up to their bucket alone: the value, and the bounds of the exact one.

The upper (lower) bound lets all positives of a bucket score higher (lower) than its negatives, but for the buckets that
are `exact`: all their scores are equal, so that both bounds are the value.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from anomaly_kernels._core.checks import SHARE, number
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.typing import Array, Setting
from anomaly_kernels.metrics import average_precision, best_f1, fpr_at_tpr, roc_auc
from anomaly_kernels.metrics.ranking._sorted import Ranking

Value = TypeVar("Value")


class Bounded(NamedTuple, Generic[Value]):
    """A value, and the bounds that the exact one is between: arrays, or results of several, bounded field by field."""

    value: Value
    lower: Value
    upper: Value


def bounded(result: Any) -> Bounded[Any]:
    """A value with its bounds; if it has none, since it is exact, it is both itself."""
    return result if isinstance(result, Bounded) else Bounded(result, result, result)


def _average_precision(ranking: Ranking, exact: Array) -> Bounded[Array]:
    xp, inside, (hits, alarms) = ranking.xp, ranking.weight, ranking.at_or_above()
    hits_above, alarms_above = ranking.above()
    tied = inside * ratio(xp, hits, hits + alarms)
    best = inside * ratio(xp, hits, hits + alarms_above)  # at most: as if all its positives were equal
    # the positives one by one, below the negatives: no sum of a falling function is more than its integral
    worst = inside - alarms * xp.log1p(ratio(xp, inside, hits_above + alarms))
    return _means(ranking, exact, tied, worst, best, otherwise=0.0)


def _roc_auc(ranking: Ranking, exact: Array) -> Bounded[Array]:
    negatives = ranking.negatives
    weights = (ranking.above()[1], ranking.at_or_above()[1])
    best, worst = (ranking.weight * ratio(ranking.xp, negatives - x, negatives, math.nan) for x in weights)
    return _means(ranking, exact, 0.5 * (best + worst), worst, best, otherwise=math.nan)


def _means(
    ranking: Ranking, exact: Array, tied: Array, worst: Array, best: Array, *, otherwise: float
) -> Bounded[Array]:
    """Means over the positives, of their sums in each bucket."""
    xp, positives = ranking.xp, ranking.positives[0]
    sums = (tied, xp.where(exact, tied, worst), xp.where(exact, tied, best))
    return Bounded(*(ratio(xp, xp.sum(x), positives, otherwise) for x in sums))


def _best_f1(ranking: Ranking, exact: Array) -> Bounded[Array]:
    xp, positives, (hits, alarms) = ranking.xp, ranking.positives, ranking.at_or_above()
    f1 = ratio(xp, 2.0 * hits, positives + hits + alarms)  # at the least score of the bucket
    best = ratio(xp, 2.0 * hits, positives + hits + ranking.above()[1])
    value = xp.max(f1)
    return Bounded(value, value, xp.max(xp.where(exact, f1, best)))


def _fpr_at_tpr(ranking: Ranking, exact: Array, *, tpr: Setting = 0.95) -> Bounded[Array]:
    xp, positives, (hits, alarms) = ranking.xp, ranking.positives, ranking.at_or_above()
    share = number("tpr", tpr, xp, hits.dtype, SHARE)
    enough = ratio(xp, hits, positives, math.nan) >= share
    fewest = xp.where(exact, alarms, ranking.above()[1])
    undefined = xp.logical_or(positives == 0.0, ranking.negatives == 0.0)[0]
    negatives = xp.where(undefined, math.nan, ranking.negatives[0])
    upper, lower = (xp.min(xp.where(enough, x, math.inf)) / negatives for x in (alarms, fewest))
    return Bounded(upper, lower, upper)


BOUNDS: dict[Callable[..., Any], Callable[..., Bounded[Array]]] = {
    inspect.unwrap(average_precision): _average_precision,
    inspect.unwrap(roc_auc): _roc_auc,
    inspect.unwrap(best_f1): _best_f1,
    inspect.unwrap(fpr_at_tpr): _fpr_at_tpr,
}
"""By the metric itself, which may be wrapped, the function of a ranking of buckets, of `exact`, and of its settings."""
