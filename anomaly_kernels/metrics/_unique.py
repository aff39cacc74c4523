"""The exact state of a ranking: what weighs on each distinct score. States of parts make that of the whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from anomaly_kernels._core.checks import cast, dtype_name, is_real
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.metrics._labelled import checked, labelled, restored, signed


class UniqueScores(NamedTuple):
    """What weighs on each distinct score: all that a ranking is, in as much memory as there are distinct scores.

    Attributes
    ----------
    score : array, (M,)
        The distinct scores, ascending.
    positive, negative : array, (M,)
        How many positives and negatives have each: integers, or real numbers where samples have weights, or NaN where
        a number was NaN, which makes all metrics NaN.
    """

    score: Array
    positive: Array
    negative: Array

    @classmethod
    def empty(cls, like: Array) -> UniqueScores:
        """The state of nothing, for scores of the dtype, in the library and on the device of an array."""
        xp = array_namespace(like)
        score = xp.reshape(like, (-1,))[:0]
        score = cast(xp, xp.float32, score) if dtype_name(score.dtype) in ("float16", "bfloat16") else score
        nothing = xp.zeros_like(score, dtype=xp.counting())
        return cls(score, nothing, nothing)

    @classmethod
    def of(cls, target: Array, score: Array, sample_weight: Array | None = None) -> UniqueScores:
        """The state of one batch; the arrays are those of `average_precision`."""
        checked(target, score, sample_weight)
        if 0 in score.shape:
            return cls.empty(score)
        if not array_namespace(score).is_known(score):
            raise TypeError(
                "`UniqueScores` has as many entries as there are distinct scores: it cannot be traced or lazy"
            )
        xp, _, _, truth, ranked, weight, nan = labelled(target, score, sample_weight)
        weight = xp.ones_like(ranked, dtype=xp.counting()) if weight is None else weight
        if nan is not None and bool(nan):  # its value is known where states are made
            weight = math.nan * cast(xp, xp.wide(ranked), weight)
            ranked = xp.where(xp.isnan(ranked), math.inf, ranked) if is_real(ranked) else ranked
        kept = weight != 0
        if not bool(xp.any(kept)):
            return cls.empty(score)
        positive, negative = xp.where(truth, weight, 0)[kept], xp.where(truth, 0, weight)[kept]
        found = _distinct(xp, cls(ranked[kept], positive, negative))
        return found._replace(score=restored(xp, found.score, score.dtype))

    def merge(self, other: UniqueScores) -> UniqueScores:
        """The state of both parts."""
        xp = array_namespace(self.score, other.score)
        if self.score.dtype != other.score.dtype:
            raise TypeError(f"scores of one dtype can be merged, got {self.score.dtype} and {other.score.dtype}")
        for mine, theirs in ((self, other), (other, self)):
            if 0 in mine.score.shape:
                return theirs
        pairs = (alike(xp, *pair) for pair in zip(self, other, strict=True))
        state = UniqueScores(*(xp.concat(pair) for pair in pairs))
        found = _distinct(xp, state._replace(score=signed(xp, state.score)))
        return found._replace(score=restored(xp, found.score, state.score.dtype))

    def compute(self, metric: Callable[..., Any], **settings: Any) -> Any:
        """What any metric of a ranking says of the scores; its `sample_weight` says how many of each there are."""
        target, score, weight = self.samples()
        return metric(target, score, sample_weight=weight, **settings)

    def samples(self) -> tuple[Array, Array, Array]:
        """Targets, scores and weights of which this is the state."""
        xp = array_namespace(self.score)
        score, positive, negative = self.filled()
        truth = xp.ones_like(positive, dtype=xp.bool)
        return (
            xp.concat([truth, xp.logical_not(truth)]),
            xp.concat([score, score]),
            xp.concat([positive, negative]),
        )

    def filled(self) -> UniqueScores:
        """Itself; where it has no scores, one that weighs nothing, of which metrics say what is undefined."""
        if 0 not in self.score.shape:
            return self
        xp = array_namespace(self.score)
        return UniqueScores(*(xp.constant([0], like=self.score, dtype=x.dtype) for x in self))


def alike(xp: Namespace, a: Array, b: Array) -> tuple[Array, Array]:
    """What weighs in two parts: integers beside weights are made real."""
    if is_real(a) != is_real(b):
        dtype = a.dtype if is_real(a) else b.dtype
        return cast(xp, dtype, a), cast(xp, dtype, b)
    return a, b


def _distinct(xp: Namespace, state: UniqueScores) -> UniqueScores:
    """Ascending, equal scores made one."""
    order = xp.argsort(state.score)
    score, *weights = (xp.take_along_axis(x, order) for x in state)
    one = xp.ones_like(score[:1], dtype=xp.bool)
    first = xp.concat([one, score[1:] != score[:-1]])
    beyond = [from_each_on(xp, x)[xp.concat([first, one])] for x in weights]
    return UniqueScores(score[first], *(x[:-1] - x[1:] for x in beyond))


def from_each_on(xp: Namespace, weight: Array) -> Array:
    """Sums from each place on, and a last 0; added from the end, where the few highest scores are."""
    sums = xp.flip(xp.cumulative_sum(xp.flip(weight, axis=-1), axis=-1), axis=-1)
    return xp.concat([sums, xp.zeros_like(xp.sum(sums, axis=-1, keepdims=True))], axis=-1)
