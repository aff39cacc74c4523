"""The exact state of a ranking: the weight of both classes at each distinct score. States of parts can be merged."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from anomaly_kernels._core.checks import cast, dtype_name, is_real
from anomaly_kernels._core.namespace import array_namespace, describe
from anomaly_kernels._core.typing import Array, DType, Namespace
from anomaly_kernels.metrics.ranking._inputs import check_inputs, from_signed, prepare, to_signed
from anomaly_kernels.metrics.ranking._sorted import difference, first_of_equals, sums_from_each


class UniqueScores(NamedTuple):
    """How many positives and negatives have each of the M distinct scores, which ascend; arrays of shape (M,).

    Integers, or real numbers where samples have weights, or NaN where a number was NaN, which makes all metrics NaN.
    """

    score: Array
    positive: Array
    negative: Array

    @classmethod
    def empty(cls, like: Array) -> UniqueScores:
        """The state of nothing, for scores of the dtype, in the library and on the device of an array."""
        xp = array_namespace(like)
        none = xp.reshape(like, (-1,))[:0]
        # each in memory of its own: JAX donates no buffer twice, and none of `like`
        return cls(*(xp.zeros_like(none, dtype=x) for x in (_kept_dtype(xp, like.dtype), xp.counting(), xp.counting())))

    @classmethod
    def of(cls, target: Array, score: Array, sample_weight: Array | None = None) -> UniqueScores:
        """The state of one batch; the arrays are those of `average_precision`."""
        xp, dtype, arrays = check_inputs(target, score, sample_weight)
        if 0 in score.shape:
            return cls.empty(score)
        if not xp.is_known(score):
            raise TypeError(
                "`UniqueScores` has as many entries as there are distinct scores: it cannot be traced or lazy"
            )
        *_, (truth, ranked, *weights), nan = prepare(xp, dtype, arrays)
        weight = _nan_beyond_integers(xp, *weights)[0] if weights else xp.ones_like(ranked, dtype=xp.counting())
        if nan is not None and bool(nan):
            weight = math.nan * cast(xp, xp.wide(ranked), weight)
            ranked = xp.where(xp.isnan(ranked), math.inf, ranked) if is_real(ranked) else ranked
        kept = weight != 0
        if not bool(xp.any(kept)):
            return cls.empty(score)
        positive, negative = xp.where(truth, weight, 0)[kept], xp.where(truth, 0, weight)[kept]
        state = _merge_equals(xp, cls(ranked[kept], positive, negative))
        return state._replace(score=from_signed(xp, state.score, _kept_dtype(xp, score.dtype)))

    def merge(self, other: UniqueScores) -> UniqueScores:
        """The state of both parts."""
        check_same_kind(self, other)
        xp = array_namespace(self.score, other.score)
        if self.score.dtype != other.score.dtype:
            raise TypeError(f"scores of one dtype can be merged, got {self.score.dtype} and {other.score.dtype}")
        if 0 in self.score.shape or 0 in other.score.shape:
            return other if 0 in self.score.shape else self
        pairs = (same_kind(xp, *pair) for pair in zip(self, other, strict=True))
        score, *weights = (xp.concat(pair) for pair in pairs)
        both = UniqueScores(score, *_nan_beyond_integers(xp, *weights))
        state = _merge_equals(xp, both._replace(score=to_signed(xp, both.score)))
        return state._replace(score=from_signed(xp, state.score, both.score.dtype))

    def reduce(self, *_: Any) -> NoReturn:
        """Refuse to be added up over parts, entry by entry, as states of a fixed shape can be."""
        raise TypeError("`UniqueScores` has other entries in each part: merge the parts one by one")

    def compute(self, metric: Callable[..., Any], **settings: Any) -> Any:
        """Any metric of a ranking, of all scores; its `sample_weight` are the weights at each.

        Or a rule without targets, such as `threshold_at_rate`, of all scores; `conformal_pvalue` takes them for its
        calibration, and the scores to judge by name.
        """
        if not callable(metric):
            raise TypeError(f"`metric` must be a function such as `anomaly_kernels.roc_auc`, got {describe(metric)}")
        names = inspect.signature(metric).parameters
        if "score" in names and not names.keys() & {"target", "sample_weight"}:
            return metric(**{"calibration" if "calibration" in names else "score": self.scores()}, **settings)
        target, score, weight = self.samples()
        return metric(target, score, sample_weight=weight, **settings)

    def scores(self) -> Array:
        """All scores, ascending, each as often as it was seen."""
        xp, count = array_namespace(self.score), self.positive + self.negative
        if is_real(count):
            if bool(xp.any(xp.isnan(count))):
                return self.score * math.nan
            raise ValueError(
                "`metric` must be one of a ranking where samples have weights: others count each score once"
            )
        upto = xp.cumulative_sum(count, axis=0)
        size = int(float(xp.sum(count)))
        rank = xp.cumulative_sum(xp.ones_like(xp.broadcast_to(upto[:1], (size,))), axis=0) - 1
        return xp.take_along_axis(self.score, xp.searchsorted(upto, rank, side="right"))

    def samples(self) -> tuple[Array, Array, Array]:
        """Targets, scores and weights of which this is the state."""
        xp = array_namespace(self.score)
        score, positive, negative = self.not_empty()
        truth = xp.ones_like(positive, dtype=xp.bool)
        return xp.concat([truth, xp.logical_not(truth)]), xp.concat([score, score]), xp.concat([positive, negative])

    def not_empty(self) -> UniqueScores:
        """The state itself; without scores, a single one of weight 0: metrics are then those of no samples."""
        if 0 not in self.score.shape:
            return self
        xp = array_namespace(self.score)
        return UniqueScores(*(xp.constant([0], like=self.score, dtype=x.dtype) for x in self))


def _kept_dtype(xp: Namespace, dtype: DType) -> DType:
    """The dtype that scores of a dtype are kept in."""
    name = dtype_name(dtype)
    if name in ("int2", "int4", "uint2", "uint4"):  # XLA aborts where it joins arrays of less than a byte a number
        return xp.int32
    return xp.float32 if name in ("float16", "bfloat16") else dtype


def same_kind(xp: Namespace, a: Array, b: Array) -> tuple[Array, Array]:
    """Weights of two parts, both real or both integers: integers beside real ones are made real."""
    if is_real(a) != is_real(b):
        dtype = a.dtype if is_real(a) else b.dtype
        return cast(xp, dtype, a), cast(xp, dtype, b)
    return a, b


def check_same_kind(a: Any, b: Any) -> None:
    """Raise unless two states are of one kind."""
    if type(a) is not type(b):
        raise TypeError(f"states of one kind can be merged, got {type(a).__name__} and {type(b).__name__}")


def _nan_beyond_integers(xp: Namespace, *weights: Array) -> list[Array]:
    """Weights, but NaN where they are integers whose sum is none: it would wrap, and metrics be wrong in silence."""
    if is_real(weights[0]):
        return list(weights)
    wide = xp.wide(weights[0])
    real = [cast(xp, wide, x) for x in weights]
    limit = 2.0 ** (int(dtype_name(weights[0].dtype)[-2:]) - 1)
    return [math.nan * x for x in real] if bool(sum(xp.sum(x) for x in real) >= limit) else list(weights)


def _merge_equals(xp: Namespace, state: UniqueScores) -> UniqueScores:
    """The scores sorted, and the weights of equal ones added."""
    order = xp.argsort(state.score)
    score, *weights = (xp.take_along_axis(x, order) for x in state)
    first = first_of_equals(xp, score)
    starts = xp.concat([first, xp.ones_like(first[:1])])
    sums = [sums_from_each(xp, x)[starts] for x in weights]
    return UniqueScores(score[first], *(difference(xp, x[:-1], x[1:]) for x in sums))
