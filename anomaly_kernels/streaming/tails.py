"""The state of a tail: the highest scores, and how many there were of all."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, SupportsIndex

from anomaly_kernels._core.checks import INSIDE_UNIT, cast, choice, dtype_name, inputs, number, positive
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.typing import Array, Setting
from anomaly_kernels.metrics.decisions._scores import KnownShare
from anomaly_kernels.metrics.decisions.tails import TailFit, fit_tail, peaks_beyond
from anomaly_kernels.metrics.ranking.unique_scores import check_same_kind
from anomaly_kernels.streaming.counts import add, zero


class HighestScores(NamedTuple):
    """The K highest scores, descending, minus infinity where there are fewer; and the number of all scores.

    `compute` is exactly `peaks_over_threshold` of all scores, if the scores beyond its level are among the K. 4096 are
    enough for 200 000 scores and a level of 0.98. One NaN makes it NaN.
    """

    highest: Array
    number: Array

    @classmethod
    def empty(cls, like: Array, *, size: SupportsIndex = 4096) -> HighestScores:
        """The state of nothing, for scores of the dtype, in the library and on the device of an array."""
        xp, dtype = inputs(like=like)
        none = [-math.inf] * positive("size", size)
        return cls(xp.constant(none, like=like, dtype=dtype), zero(like))

    def of(self, score: Array) -> HighestScores:
        """The state of one batch, with as many scores as this one; `score` is that of `peaks_over_threshold`."""
        xp, _ = inputs(score=score)
        if 0 in score.shape:
            return self.empty(self.highest, size=self.highest.shape[0])
        if dtype_name(score.dtype) == "float64" != dtype_name(self.highest.dtype):
            raise TypeError(
                f"`score` must be no wider than the state, of dtype {self.highest.dtype}, got {score.dtype}"
            )
        flat = xp.reshape(cast(xp, self.highest.dtype, score), (-1,))
        count = xp.sum(xp.ones_like(flat, dtype=xp.counting()))
        return HighestScores(_highest(self.highest, xp.full_like(self.highest, -math.inf), flat), count)

    def merge(self, other: HighestScores) -> HighestScores:
        """The state of both parts, which must keep equally many."""
        check_same_kind(self, other)
        a, b = self.highest, other.highest
        if a.shape != b.shape or a.dtype != b.dtype:
            sizes = " and ".join(f"{x.shape[0]} of {x.dtype}" for x in (a, b))
            raise TypeError(f"states of equally many scores of one dtype can be merged, got {sizes}")
        return HighestScores(_highest(a, a, b), add(self.number, other.number))

    def reduce(self, *_: Any) -> NoReturn:
        """Refuse to be added up over parts, entry by entry."""
        raise TypeError("`HighestScores` has other scores in each part: merge the parts one by one")

    def compute(
        self,
        *,
        risk: Annotated[Setting, INSIDE_UNIT] = 1e-4,
        level: KnownShare = 0.98,
        method: Literal["zhang_stephens", "pwm"] = "zhang_stephens",
    ) -> TailFit:
        """`peaks_over_threshold` of all scores, of which the number must be known."""
        xp, size = array_namespace(self.highest), self.highest.shape[0]
        choice("method", method, ("zhang_stephens", "pwm"))
        chance = number("risk", risk, xp, xp.wide(self.highest), INSIDE_UNIT)
        if not xp.is_known(self.number):
            raise TypeError("`peaks_over_threshold` finds ranks from the number of scores: it cannot be traced")
        n = int(float(self.number))
        beyond = peaks_beyond(n, level)
        if beyond >= size:
            kept = f"the {size} highest of {n} scores are kept, {beyond + 1} are needed"
            raise ValueError(f"`level` must be higher, got {level}: {kept}")
        return fit_tail(xp, self.highest[: beyond + 1], n, chance, method, xp.any(xp.isnan(self.highest)))


def _highest(like: Array, *parts: Array) -> Array:
    """The highest of several parts, as many as `like` has; NaN first, wherever the library sorts it."""
    xp = array_namespace(like)
    joined = xp.concat(parts)
    missing = xp.isnan(joined)
    ordered, _ = xp.top_k(xp.where(missing, math.inf, joined), like.shape[0])
    return xp.where(xp.any(missing), math.nan, ordered)
