"""The state of scores that gives their mean, standard deviation and extremes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, overload

from anomaly_kernels._core.checks import cast, inputs
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.numeric import ratio, root, square, standard_deviation
from anomaly_kernels._core.typing import Array
from anomaly_kernels.metrics.ranking.unique_scores import check_same_kind
from anomaly_kernels.streaming._rules import of_moments
from anomaly_kernels.streaming._states import Reduce
from anomaly_kernels.streaming.counts import add, zero


class MomentsOfScores(NamedTuple):
    """The results of `Moments`: 0-d arrays, as `score_statistics` has them; all NaN without scores."""

    mean: Array
    std: Array
    min: Array
    max: Array


class Moments(NamedTuple):
    """The number of scores, an integer, their mean, population standard deviation and extremes: 0-d arrays.

    All but the number are in double precision where the library has it. Without scores the extremes are infinite. Two
    states merge by the formula of Chan, Golub and LeVeque.
    """

    number: Array
    mean: Array
    deviation: Array
    min: Array
    max: Array

    @classmethod
    def empty(cls, like: Array) -> Moments:
        """The state of nothing, in the library and on the device of an array."""
        xp = array_namespace(like)
        wide = xp.wide(like)
        return cls(zero(like), *(xp.constant(x, like=like, dtype=wide) for x in (0.0, 0.0, math.inf, -math.inf)))

    @classmethod
    def of(cls, scores: Array) -> Moments:
        """The state of one batch; `scores` are those of `score_statistics`."""
        xp, _ = inputs(scores=scores)
        if 0 in scores.shape:
            return cls.empty(scores)
        flat = xp.reshape(cast(xp, xp.wide(scores), scores), (-1,))
        count = xp.sum(xp.ones_like(flat, dtype=xp.counting()))
        # a graph may find out later that there are none, which have no mean
        center, spread = (xp.where(count == 0, 0.0, x) for x in (xp.mean(flat), standard_deviation(xp, flat)))
        return cls(count, center, spread, xp.min(flat), xp.max(flat))

    def merge(self, other: Moments) -> Moments:
        """The state of both parts."""
        check_same_kind(self, other)
        xp = array_namespace(self.mean, other.mean)
        dtype = self.mean.dtype
        count = add(self.number, other.number)
        mine, theirs = (ratio(xp, xp.astype(x.number, dtype), xp.astype(count, dtype)) for x in (self, other))
        within = mine * square(self.deviation) + theirs * square(other.deviation)
        between = mine * theirs * square(other.mean - self.mean)
        mean, deviation = mine * self.mean + theirs * other.mean, root(xp, within + between)
        return Moments(count, mean, deviation, xp.minimum(self.min, other.min), xp.maximum(self.max, other.max))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> Moments:
        """Combine the states of all devices, each of which calls this: the arguments reduce an array over them."""
        xp = array_namespace(self.mean)
        number = xp.astype(self.number, self.mean.dtype)
        share = ratio(xp, number, total(number))
        mean = total(share * self.mean)
        variance = total(share * (square(self.deviation) + square(self.mean - mean)))
        return Moments(total(self.number), mean, root(xp, variance), least(self.min), greatest(self.max))

    @overload
    def compute(self) -> MomentsOfScores: ...
    @overload
    def compute(self, rule: Callable[..., Any], **settings: Any) -> Any: ...
    def compute(self, rule: Callable[..., Any] | None = None, **settings: Any) -> Any:
        """Mean, standard deviation (of n - 1, NaN for a single score) and extremes.

        Or a rule that needs no more: `spread_threshold` with ``rule="std"``, `score_scaling` with "standard" or
        "minmax", in double precision, in which scores are to be compared with the threshold.
        """
        if rule is not None:
            return of_moments(self, rule, settings)
        xp = array_namespace(self.mean)
        n = xp.astype(self.number, self.mean.dtype)
        correction = root(xp, n / xp.maximum(n - 1.0, 1.0))
        std = xp.where(n > 1.0, correction * self.deviation, math.nan)
        mean, least, greatest = (xp.where(n > 0.0, x, math.nan) for x in (self.mean, self.min, self.max))
        return MomentsOfScores(mean, std, least, greatest)
