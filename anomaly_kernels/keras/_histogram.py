"""The histogram that Keras' metrics keep scores in: small, and filled without sorting, for each step of `fit` reads it.

A cell of a score is taken from the bits of its float32, which ascend with the number: the sign, the exponent, and the
first binary digits of the mantissa, `digits` of them from 2⁻¹² to 2⁸, but two more from 1/4 to 1, where probabilities
are, and none beyond.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

from anomaly_kernels._core.checks import cast, dtype_name, is_real
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.typing import Setting
from anomaly_kernels.keras._backend import bits_of, fused, greatest_at, sums_at, sums_from_each
from anomaly_kernels.metrics.ranking._inputs import check_inputs
from anomaly_kernels.metrics.ranking._sorted import Ranking
from anomaly_kernels.streaming import Bounded
from anomaly_kernels.streaming._states import Reduce
from anomaly_kernels.streaming.counts import add, count_nan, is_undefined, zero
from anomaly_kernels.streaming.histogram import best_threshold, bounds, least_scores, quantiles, widen_rounded

Tensor = Any


def _bits(number: float) -> int:
    return int(np.float32(number).view(np.int32))


_FINE, _COARSE = (_bits(2.0**-2), _bits(1.0)), (_bits(2.0**-12), _bits(2.0**8))
_END = _bits(math.inf)
DIGITS = 5
MOST_DIGITS = 12


class _Layout(NamedTuple):
    """Which cell a number has: `digits` say how many there are."""

    digits: int

    def place(self, magnitude: Any, fine: Any, coarse: Any, shift: Callable[[Any, int], Any]) -> Any:
        """The cell of a positive number, from its bits and those clipped to both ranges; it ascends as each term."""
        return shift(fine, 21 - self.digits) + shift(coarse - fine, 23 - self.digits) + shift(magnitude - coarse, 23)

    @property
    def first(self) -> int:
        """The place of 0."""
        return int(self.place(0, _FINE[0], _COARSE[0], operator.rshift))

    @property
    def zero(self) -> int:
        """The cells on each side of that of 0."""
        return int(self.place(_END, _FINE[1], _COARSE[1], operator.rshift)) - self.first

    @property
    def size(self) -> int:
        """All cells."""
        return 2 * self.zero + 1


_LAYOUTS = {layout.size: layout for layout in map(_Layout, range(1, MOST_DIGITS + 1))}


class Cells(NamedTuple):
    """The counts of positives and of negatives in each cell, their greatest scores and those of the scores negated.

    All are of shape (2, N); the number of NaN is `unknown`, which makes all results NaN.
    """

    counts: Tensor
    greatest: Tensor
    unknown: Tensor

    @classmethod
    def empty(cls, like: Tensor, digits: int = DIGITS) -> Any:  # where states of `streaming` are expected
        """The state of nothing, for scores of the dtype of an array; `digits` more cells are smaller ones."""
        xp = array_namespace(like)
        shape = (2, _Layout(digits).size)
        nothing = xp.broadcast_to(xp.constant(-math.inf, like=like, dtype=like.dtype), shape)
        return cls(xp.broadcast_to(zero(like), shape), nothing, zero(like))

    def of(self, target: Tensor, score: Tensor, sample_weight: Tensor | None = None) -> Cells:
        """The state of one batch; the arrays are those of `average_precision`."""
        xp, _, arrays = check_inputs(target, score, sample_weight)
        truth, ranked, *weights = (xp.reshape(x, (-1,)) for x in arrays)
        truth, ranked = cast(xp, xp.bool, truth), cast(xp, self.greatest.dtype, ranked)
        weight = cast(xp, xp.wide(ranked), weights[0]) if weights else None
        counts, greatest = _count(truth, ranked, weight, _LAYOUTS[self.counts.shape[1]])
        if not is_real(score):
            least, most = widen_rounded(xp, -greatest[1], greatest[0])
            greatest = xp.stack([most, -least])
        return Cells(counts, greatest, count_nan(xp, *arrays))

    def merge(self, other: Cells) -> Cells:
        """The state of both parts."""
        greatest = array_namespace(self.greatest).maximum(self.greatest, other.greatest)
        return Cells(_add(self.counts, other.counts), greatest, add(self.unknown, other.unknown))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> Cells:
        """Combine the states of all devices, each of which calls this: the arguments reduce an array over them."""
        return Cells(total(self.counts), greatest(self.greatest), total(self.unknown))

    @property
    def least(self) -> Tensor:
        """The least score of each cell."""
        return -self.greatest[1]

    def compute(self, metric: Callable[..., Any], **settings: Setting) -> Bounded[Tensor]:
        """A metric of the scores, and the bounds of what it would be of them one by one, as of a `ScoreHistogram`."""
        return _bounds(self, metric, **settings)

    def best_threshold(self) -> Tensor:
        """The threshold that has the value of `compute(best_f1)`, as of a `ScoreHistogram`."""
        return _threshold(self)

    def quantiles(self, levels: Tensor) -> Bounded[Tensor]:
        """The quantiles of all scores at levels (Q,), and their bounds."""
        return _quantiles(self, levels)


def _count_scores(truth: Tensor, score: Tensor, weight: Tensor | None, layout: _Layout) -> tuple[Tensor, Tensor]:
    xp, size = array_namespace(score), layout.size
    weight = xp.ones_like(score, dtype=xp.counting()) if weight is None else weight
    cell = _cells_of(score, layout)
    counts = sums_at(weight, xp.where(truth, cell, cell + size), 2 * size)
    greatest = greatest_at(xp.concat([score, -score]), xp.concat([cell, cell + size]), 2 * size)
    counts, greatest = (xp.reshape(x, (2, size)) for x in (counts, greatest))
    return counts, xp.where(counts[0] + counts[1] == 0, -math.inf, greatest)


def _bounds_of(cells: Cells, metric: Callable[..., Any], **settings: Setting) -> Bounded[Tensor]:
    return bounds(metric, settings, *_ranking_of(cells))


def _threshold_of(cells: Cells) -> Tensor:
    ranking, _, undefined = _ranking_of(cells)
    return best_threshold(ranking, undefined)


def _ranking_of(cells: Cells) -> tuple[Ranking, Tensor, Tensor]:
    """The ranking of the cells, whether each has equal scores alone, and whether there is a NaN."""
    xp, counts = array_namespace(cells.greatest), cells.counts
    undefined = is_undefined(xp, cells.unknown, counts)
    counts = cast(xp, xp.wide(cells.greatest), counts)
    reached = sums_from_each(counts)
    above = xp.concat([reached[:, 1:], xp.zeros_like(reached[:, :1])], axis=1)
    each, higher = lambda: (reached[0], reached[1]), lambda: (above[0], above[1])
    least, greatest = cells.least, cells.greatest[0]
    scores = least_scores(xp, least, greatest)
    ranking = Ranking(xp, scores, counts[0], reached[0, :1], reached[1, :1], each, higher)
    return ranking, least >= greatest, undefined


def _quantiles_of(cells: Cells, levels: Tensor) -> Bounded[Tensor]:
    xp, counts = array_namespace(cells.greatest), cells.counts[0] + cells.counts[1]
    reached = sums_from_each(counts)
    upto = reached[:1] - reached + counts
    undefined = is_undefined(xp, cells.unknown, cells.counts, reached)
    return quantiles(xp, levels, upto, cells.least, cells.greatest[0], undefined)


_count = fused(_count_scores, ("layout",), open_sizes=True)  # of a batch
_quantiles, _threshold = fused(_quantiles_of), fused(_threshold_of)
_bounds = fused(_bounds_of, static=("metric", "k"))


def _add(a: Tensor, b: Tensor) -> Tensor:
    """Counts of both, real ones if one is; those of 32 bits may overflow, and are guarded as all states are."""
    if "int64" in dtype_name(a.dtype) and "int64" in dtype_name(b.dtype):
        return a + b
    return add(a, b)


def _cells_of(score: Tensor, layout: _Layout) -> Tensor:
    """The cell of each score; that of NaN is one of the ends."""
    ops = keras.ops
    bits = bits_of(ops.cast(score, "float32"))
    magnitude = ops.minimum(ops.bitwise_and(bits, 0x7FFFFFFF), _END)
    place = layout.place(magnitude, ops.clip(magnitude, *_FINE), ops.clip(magnitude, *_COARSE), ops.right_shift)
    place, zero = place - layout.first, layout.zero
    return ops.where(bits < 0, zero - place, zero + place)
