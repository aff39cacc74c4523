"""The exact state of a ranking: what weighs on each distinct score. States of parts make that of the whole."""

from __future__ import annotations

import math
from typing import NamedTuple

from anomaly_kernels._checks import cast, is_real
from anomaly_kernels._namespace import array_namespace
from anomaly_kernels._typing import Array, Namespace
from anomaly_kernels.metrics._labelled import labelled, restored, signed


class UniqueScores(NamedTuple):
    """What weighs on each distinct score: all that a ranking is, in as much memory as there are distinct scores."""

    score: Array  # (M,), ascending
    positive: Array  # (M,), integers unless there are weights or NaN
    negative: Array

    @classmethod
    def of(cls, target: Array, score: Array, sample_weight: Array | None = None) -> UniqueScores:
        """The state of one batch."""
        xp, _, _, truth, ranked, weight, nan = labelled(target, score, sample_weight)
        weight = xp.ones_like(ranked, dtype=xp.counting()) if weight is None else weight
        if nan is not None and bool(nan):  # its value is known where states are made
            weight = math.nan * cast(xp, xp.wide(ranked), weight)
            ranked = xp.where(xp.isnan(ranked), math.inf, ranked) if is_real(ranked) else ranked
        kept = weight != 0
        positive, negative = xp.where(truth, weight, 0)[kept], xp.where(truth, 0, weight)[kept]
        found = _distinct(xp, cls(ranked[kept], positive, negative))
        return found._replace(score=restored(xp, found.score, score.dtype))

    def merge(self, other: UniqueScores) -> UniqueScores:
        """The state of both parts."""
        xp = array_namespace(self.score)
        state = UniqueScores(*(xp.concat(pair) for pair in zip(self, other, strict=True)))
        found = _distinct(xp, state._replace(score=signed(xp, state.score)))
        return found._replace(score=restored(xp, found.score, state.score.dtype))

    def samples(self) -> tuple[Array, Array, Array]:
        """Targets, scores and weights of which this is the state."""
        xp = array_namespace(self.score)
        truth = xp.ones_like(self.positive, dtype=xp.bool)
        return (
            xp.concat([truth, xp.logical_not(truth)]),
            xp.concat([self.score, self.score]),
            xp.concat([self.positive, self.negative]),
        )


def _distinct(xp: Namespace, state: UniqueScores) -> UniqueScores:
    """Ascending, equal scores made one."""
    order = xp.argsort(state.score)
    score, *weights = (xp.take_along_axis(x, order) for x in state)
    last = xp.concat([score[1:] != score[:-1], xp.ones_like(score[:1], dtype=xp.bool)])
    return UniqueScores(score[last], *(_differences(xp, xp.cumulative_sum(x, axis=0)[last]) for x in weights))


def _differences(xp: Namespace, sums: Array) -> Array:
    return xp.concat([sums[:1], sums[1:] - sums[:-1]])
