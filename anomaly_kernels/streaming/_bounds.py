"""Metrics of scores that are known up to their bucket alone: the value, and the bounds of the exact one.

The upper (lower) bound lets all positives of a bucket score higher (lower) than its negatives, but for the buckets that
are `exact`: all their scores are equal, so that both bounds are the value.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, NamedTuple, SupportsIndex, TypeVar

from anomaly_kernels._core.checks import SHARE, number
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.typing import Array, Setting
from anomaly_kernels.metrics.ranking._evaluate import Results
from anomaly_kernels.metrics.ranking._sorted import Ranking
from anomaly_kernels.metrics.ranking.areas import (
    aupr_trapezoid,
    aupr_trapezoid_of,
    average_precision,
    average_precision_of,
    partial_roc_auc_of,
    roc_auc,
    roc_auc_of,
)
from anomaly_kernels.metrics.ranking.decisions import (
    best_f1,
    best_f1_of,
    check_k,
    fpr_at_tpr,
    fpr_at_tpr_of,
    precision_at_k,
    precision_at_k_of,
)
from anomaly_kernels.metrics.regions.curve import aupro_of, weighted_aupro

Value = TypeVar("Value")


class Bounded(NamedTuple, Generic[Value]):
    """A value and bounds that contain the exact value: arrays, or results of several fields, bounded one by one."""

    value: Value
    lower: Value
    upper: Value


def bounded(result: Any) -> Bounded[Any]:
    """A value with its bounds; if it has none, since it is exact, it is both itself."""
    return result if isinstance(result, Bounded) else Bounded(result, result, result)


def _worst_and_best(ranking: Ranking, exact: Array) -> tuple[Ranking, Ranking]:
    """The rankings with the negatives of each bucket above its positives, and below them, unless it is `exact`."""
    xp, (hits, alarms), (hits_above, alarms_above) = ranking.xp, ranking.at_or_above(), ranking.above()
    above, reached = xp.where(exact, alarms_above, alarms), xp.where(exact, alarms, alarms_above)
    return ranking._replace(above=lambda: (hits_above, above)), ranking._replace(at_or_above=lambda: (hits, reached))


def _in_both_orders(metric: Callable[[Ranking], Results], ranking: Ranking, exact: Array) -> Bounded[Array]:
    """A metric that tied positives leave as it is where no negative is tied with them."""
    return Bounded(*(metric(each)[0] for each in (ranking, *_worst_and_best(ranking, exact))))


def _one_by_one(metric: Callable[[Ranking], Results], order: Ranking, exact: Array) -> Array:
    """A mean of precision, but of the positives of a bucket that is not `exact` as if they were many and small.

    Precision rises with each of them, ever slower. So the sum of what it is after each is at least the integral, and
    the sum of means of what it is before and after at most.
    """
    xp, inside, (hits, alarms) = order.xp, order.weight, order.above()
    integral = inside - alarms * xp.log1p(ratio(xp, inside, hits + alarms))
    others = ratio(xp, xp.sum(xp.where(exact, 0.0, integral)), order.positives[0], 0.0)
    return metric(order._replace(weight=xp.where(exact, inside, 0.0)))[0] + others


def _average_precision(ranking: Ranking, exact: Array) -> Bounded[Array]:
    worst, best = _worst_and_best(ranking, exact)  # the best, at most: as if all positives of a bucket were equal
    lower = _one_by_one(average_precision_of, worst, exact)
    return Bounded(average_precision_of(ranking)[0], lower, average_precision_of(best)[0])


def _aupr_trapezoid(ranking: Ranking, exact: Array) -> Bounded[Array]:
    worst, best = _worst_and_best(ranking, exact)  # the worst, at least: as if all positives of a bucket were equal
    upper = _one_by_one(aupr_trapezoid_of, best, exact)
    return Bounded(aupr_trapezoid_of(ranking)[0], aupr_trapezoid_of(worst)[0], upper)


def _roc_auc(ranking: Ranking, exact: Array, *, max_fpr: Setting | None = None) -> Bounded[Array]:
    if max_fpr is None:
        return _in_both_orders(roc_auc_of, ranking, exact)
    share = number("max_fpr", max_fpr, ranking.xp, ranking.weight.dtype, SHARE)
    return _in_both_orders(partial(partial_roc_auc_of, max_fpr=share), ranking, exact)


def _best_f1(ranking: Ranking, exact: Array) -> Bounded[Array]:
    value = best_f1_of(ranking)[0]  # at the least score of a bucket
    return Bounded(value, value, best_f1_of(_worst_and_best(ranking, exact)[1])[0])


def _fpr_at_tpr(ranking: Ranking, exact: Array, *, tpr: Setting = 0.95) -> Bounded[Array]:
    share = number("tpr", tpr, ranking.xp, ranking.weight.dtype, SHARE)
    upper, lower = (fpr_at_tpr_of(each, share)[0] for each in (ranking, _worst_and_best(ranking, exact)[1]))
    return Bounded(upper, lower, upper)


def _precision_at_k(ranking: Ranking, exact: Array, *, k: SupportsIndex) -> Bounded[Array]:
    return _in_both_orders(partial(precision_at_k_of, k=check_k("k", k)), ranking, exact)


def _weighted_aupro(ranking: Ranking, exact: Array, *, max_fpr: Setting = 0.3) -> Bounded[Array]:
    share = number("max_fpr", max_fpr, ranking.xp, ranking.weight.dtype, SHARE)
    return _in_both_orders(lambda each: (aupro_of(each, share),), ranking, exact)


BOUNDS: dict[Callable[..., Any], Callable[..., Bounded[Array]]] = {
    inspect.unwrap(average_precision): _average_precision,
    inspect.unwrap(aupr_trapezoid): _aupr_trapezoid,
    inspect.unwrap(roc_auc): _roc_auc,
    inspect.unwrap(best_f1): _best_f1,
    inspect.unwrap(fpr_at_tpr): _fpr_at_tpr,
    inspect.unwrap(precision_at_k): _precision_at_k,
    inspect.unwrap(weighted_aupro): _weighted_aupro,
}
"""By the metric itself, which may be wrapped, the function of a ranking of buckets, of `exact`, and of its settings."""
