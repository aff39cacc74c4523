"""What metrics of a ranking are made of: how much scores as high as each positive does, or higher.

Every one of them is a sum, or an extreme, over the positives, of numbers of that kind; here is how these come about.
Positives are looked up in sorted scores, so ties are exact. Eagerly on the CPU positives and negatives are picked out
by boolean masks; compilers, graphs and accelerators want fixed shapes, and sort all scores together instead. Arrays in
chunks become a state a chunk, which is merged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from anomaly_kernels._core.checks import SHARE, cast, is_real, not_empty, number
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.metrics._labelled import Axes, Labelled, checked, labelled, restored
from anomaly_kernels.metrics._masks import unless
from anomaly_kernels.metrics._unique import UniqueScores, from_each_on


class OneClass(NamedTuple):
    """The scores of the positives, or of the negatives, ascending along the last axis, and what they weigh."""

    scores: Array  # may hold scores of the other class too, which weigh nothing
    weight_from: Array | None  # what all scores from each place on weigh, and a last 0; None where each weighs 1

    def beyond(self, xp: Namespace, place: Array) -> Array:
        """What the scores from each place on weigh; integers unless weights are real."""
        if self.weight_from is None:
            return self.scores.shape[-1] - place
        return xp.take_along_axis(self.weight_from, place)

    def total(self, xp: Namespace) -> Array:
        """What all weigh, with an axis of one entry in the place of the scores; NaN where integers overflow."""
        if self.weight_from is None:
            return xp.constant([self.scores.shape[-1]], like=self.scores, dtype=xp.wide(self.scores))
        overflow = xp.any(self.weight_from < 0, axis=-1, keepdims=True)
        return xp.where(overflow, math.nan, xp.astype(self.weight_from[..., :1], xp.wide(self.scores)))


class Ranking(NamedTuple):
    """Scores of two classes, and the scores that are asked about: those of all positives, maybe among others."""

    xp: Namespace
    asked: Array
    weight: Array  # of the positives of each score asked about, 0 where there are none
    positives: Array  # what all of them weigh, with an axis of one entry
    negatives: Array
    beyond: Callable[[Literal["left", "right"]], tuple[Array, Array]]

    def reaching(self) -> tuple[Array, Array]:
        """What the positives weigh, and the negatives, that score as high as is asked, or higher."""
        return self.beyond("left")

    def above(self) -> tuple[Array, Array]:
        """What the positives weigh, and the negatives, that score higher than is asked."""
        return self.beyond("right")

    def over_positives(self, values: Array) -> Array:
        """The weighted sum over the positives of values that there are of all scores asked about."""
        return self.xp.sum(self.weight * values, axis=-1)

    def mean_of_positives(self, values: Array, otherwise: float) -> Array:
        """Their mean, `otherwise` where nothing weighs anything."""
        return ratio(self.xp, self.over_positives(values), self.positives[..., 0], otherwise)


Results: TypeAlias = tuple[Array, ...]
Metric: TypeAlias = Callable[..., Results]  # of a ranking, and of settings


def answer(
    metric: Metric,
    target: Array,
    score: Array,
    sample_weight: Array | None,
    axis: Axes,
    shares: Mapping[str, Setting] = {},
) -> Results:
    """What a metric says of the ranking along the axes, or of each one that there is; `shares` are its settings."""
    xp, dtype, arrays = checked(target, score, sample_weight)
    not_empty(target=target)
    settings = [number(name, value, xp, xp.wide(score), SHARE) for name, value in shares.items()]
    if axis is None:

        def whole(state: UniqueScores, *settings: Setting) -> Results:
            found = answer(metric, *state.samples(), None, dict(zip(shares, settings, strict=True)))
            return tuple(cast(array_namespace(x), dtype, x) if is_real(x) else x for x in found)

        folded = xp.fold(UniqueScores.of, UniqueScores.merge, whole, arrays, settings)
        if folded is not None:
            return folded
    given = labelled(target, score, sample_weight, axis)
    rows = len(given.score.shape) > 1 and 0 not in given.score.shape
    if rows and xp.is_lean(given.truth, given.score):
        return _row_by_row(given, metric, settings)
    return _finished(given, _said(metric, given, settings))


def _row_by_row(given: Labelled, metric: Metric, settings: Sequence[Setting]) -> Results:
    """By masks, which leave another number of positives in each row."""
    xp, outer = given.xp, given.score.shape[:-1]
    arrays = {"truth": given.truth, "score": given.score, "weight": given.weight}
    rows = {name: xp.reshape(x, (-1, x.shape[-1])) for name, x in arrays.items() if x is not None}
    every = [{name: x[k, ...] for name, x in rows.items()} for k in range(rows["score"].shape[0])]
    found = [_said(metric, given._replace(**row), settings) for row in every]  # type: ignore[arg-type]  # its arrays
    return _finished(given, tuple(xp.reshape(xp.stack(each), outer) for each in zip(*found, strict=True)))


def _said(metric: Metric, given: Labelled, settings: Sequence[Setting]) -> Results:
    """What a metric says of arrays, NaN where the sum of integer weights overflows."""
    xp, ranking = given.xp, _classes(given)
    found = metric(ranking, *settings)
    if given.weight is None or is_real(given.weight):
        return found
    overflow = xp.isnan((ranking.positives + ranking.negatives)[..., 0])
    return tuple(unless(xp, overflow, x) if is_real(x) else x for x in found)


def _finished(given: Labelled, results: Results) -> Results:
    """In the dtype of results, NaN where an input was; integer scores as they were given."""
    xp = given.xp
    return tuple(
        cast(xp, given.dtype, unless(xp, given.nan, x)) if is_real(x) else restored(xp, x, given.kind) for x in results
    )


def _classes(given: Labelled) -> Ranking:
    """Both classes of scores, by masks where the library's arrays are there to be looked at."""
    xp, _, _, truth, score, weight, _ = given
    if len(score.shape) == 1 and xp.is_lean(truth, score):
        positives, negatives = picked(xp, truth, score, weight)
        if positives.scores.shape[0]:
            return _apart(xp, positives, negatives)
    return _together(xp, truth, score, weight)


def picked(xp: Namespace, truth: Array, score: Array, weight: Array | None) -> tuple[OneClass, OneClass]:
    """Both classes by masks, which choose numbers that can be looked at."""
    if weight is None:
        high, low = xp.sorted_classes(score, truth)
        return OneClass(high, None), OneClass(low, None)
    order = xp.argsort(score)
    score, truth, weight = score[order], truth[order], weight[order]
    truth = xp.logical_and(truth, weight != 0)  # what weighs nothing is of neither class, nor asked about
    normal = xp.logical_not(truth)
    return (
        OneClass(score[truth], from_each_on(xp, weight[truth])),
        OneClass(score[normal], from_each_on(xp, weight[normal])),
    )


def _apart(xp: Namespace, positives: OneClass, negatives: OneClass) -> Ranking:
    """What is asked about are the distinct scores of the positives, whose places among themselves are seen at once."""
    scores = positives.scores
    one = xp.ones_like(scores[:1], dtype=xp.bool)
    first = xp.concat([one, scores[1:] != scores[:-1]])
    place = xp.cumulative_sum(xp.ones_like(scores, dtype=xp.counting()), axis=0)
    start = place[first] - 1
    end = xp.concat([start[1:], place[-1:]])
    asked = scores[first]

    wide = xp.wide(scores)

    def beyond(side: Literal["left", "right"]) -> tuple[Array, Array]:
        own = positives.beyond(xp, start if side == "left" else end)
        others = negatives.beyond(xp, xp.searchsorted(negatives.scores, asked, side=side))
        return cast(xp, wide, own), cast(xp, wide, others)

    weight = cast(xp, wide, positives.beyond(xp, start) - positives.beyond(xp, end))
    return Ranking(xp, asked, weight, positives.total(xp), negatives.total(xp), beyond)


def _together(xp: Namespace, truth: Array, score: Array, weight: Array | None) -> Ranking:
    """What is asked about are all scores."""
    positives, negatives, hits = shared(xp, truth, score, weight)
    scores, wide = positives.scores, xp.wide(score)

    def beyond(side: Literal["left", "right"]) -> tuple[Array, Array]:
        place = xp.searchsorted(scores, scores, side=side)
        own, others = positives.beyond(xp, place), negatives.beyond(xp, place)
        return cast(xp, wide, own), cast(xp, wide, others)

    return Ranking(xp, scores, cast(xp, wide, hits), positives.total(xp), negatives.total(xp), beyond)


def shared(xp: Namespace, truth: Array, score: Array, weight: Array | None) -> tuple[OneClass, OneClass, Array]:
    """Both classes with the scores of both, which weigh nothing in the other one; and what each weighs in the first."""
    order = xp.argsort(score)
    scores, truth = xp.take_along_axis(score, order), xp.take_along_axis(truth, order)
    weight = xp.ones_like(scores, dtype=xp.int32) if weight is None else xp.take_along_axis(weight, order)
    hits, alarms = xp.where(truth, weight, 0), xp.where(truth, 0, weight)
    return OneClass(scores, from_each_on(xp, hits)), OneClass(scores, from_each_on(xp, alarms)), hits
