"""States of the metrics of regions: each region lies within one batch."""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from anomaly_kernels._core.checks import UNIT, cast, has_ndim, number, shape_of
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.typing import Array, Setting
from anomaly_kernels.metrics._results import nan_mask, quotient_dtype
from anomaly_kernels.metrics.ranking._inputs import Share, check_inputs, to_signed
from anomaly_kernels.metrics.ranking._sorted import SortedClass, sums_from_each
from anomaly_kernels.metrics.ranking.unique_scores import UniqueScores, check_same_kind
from anomaly_kernels.metrics.regions.curve import region_samples, weighted_aupro
from anomaly_kernels.metrics.regions.decided import (
    RegionDetection,
    check_decided,
    count_detections,
    detection_of,
    sum_overlaps,
)
from anomaly_kernels.metrics.regions.images import Bounds, areas_above, check_bounds
from anomaly_kernels.streaming._bounds import Bounded, bounded
from anomaly_kernels.streaming._runs import ScoreRuns
from anomaly_kernels.streaming._states import Reduce, merge
from anomaly_kernels.streaming.counts import add, count_nan, is_undefined, zero
from anomaly_kernels.streaming.results import Scores


class RegionScores(NamedTuple):
    """The scores of pixels. A pixel of a region weighs its share of the region, and a normal pixel weighs 1."""

    scores: Scores

    @classmethod
    def empty(cls, like: Array, scores: Scores | None = None) -> RegionScores:
        """The state of nothing; `scores` is an empty score state of the kind to keep, by default each distinct one."""
        return cls(UniqueScores.empty(like) if scores is None else scores)

    def of(
        self, target: Array, score: Array, *, region: Array | None = None, saturation: Array | None = None
    ) -> RegionScores:
        """The state of one batch; the arrays are those of `aupro`."""
        return RegionScores(self.scores.of(*region_samples(target, score, region, saturation)))

    def merge(self, other: RegionScores) -> RegionScores:
        """The state of both parts."""
        check_same_kind(self, other)
        return RegionScores(merge(self.scores, other.scores))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> RegionScores:
        """Combine the states of all devices, each of which calls this: the arguments reduce an array over them."""
        return RegionScores(self.scores.reduce(total, least, greatest))

    def compute(self, *, max_fpr: Share = 0.3) -> Array:
        """The result of `aupro`; of a histogram the value between the bounds."""
        return self.bounds(max_fpr=max_fpr).value

    def bounds(self, *, max_fpr: Share = 0.3) -> Bounded[Array]:
        """The result, and the least and the greatest that the scores can have; all the same but for a histogram."""
        return bounded(self.scores.compute(weighted_aupro, max_fpr=max_fpr))


class RegionOverlaps(NamedTuple):
    """The sum over regions of the share found, the number of regions, and of numbers that are NaN: 0-d arrays."""

    found: Array
    regions: Array
    unknown: Array

    @classmethod
    def empty(cls, like: Array) -> RegionOverlaps:
        """The state of nothing, in the library and on the device of an array."""
        xp = array_namespace(like)
        return cls(xp.constant(0.0, like=like, dtype=xp.wide(like)), zero(like), zero(like))

    @classmethod
    def of(
        cls, target: Array, decision: Array, *, region: Array | None = None, saturation: Array | None = None
    ) -> RegionOverlaps:
        """The state of one batch; the arrays are those of `per_region_overlap`."""
        if 0 in target.shape:
            return cls.empty(target)
        xp = check_decided(target, decision, {"region": region}, saturation)
        found, regions = sum_overlaps(xp, target, decision, region, saturation)
        return cls(found, cast(xp, xp.counting(), regions), count_nan(xp, target, decision))

    def merge(self, other: RegionOverlaps) -> RegionOverlaps:
        """The state of both parts."""
        check_same_kind(self, other)
        found = self.found + other.found
        return RegionOverlaps(found, add(self.regions, other.regions), add(self.unknown, other.unknown))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> RegionOverlaps:
        """Combine the states of all devices, each of which calls this: `total` sums an array over them."""
        return RegionOverlaps(*map(total, self))

    def compute(self) -> Array:
        """The result of `per_region_overlap`, in double precision where the library has it."""
        xp = array_namespace(self.found)
        mean = ratio(xp, self.found, xp.astype(self.regions, self.found.dtype), math.nan)
        return xp.where(is_undefined(xp, self.unknown, self.regions), math.nan, mean)


class RegionCounts(NamedTuple):
    """The numbers of regions, of those detected, of alarms, of the false ones, and of NaN: 0-d integers."""

    regions: Array
    detected: Array
    alarms: Array
    false_alarms: Array
    unknown: Array

    @classmethod
    def empty(cls, like: Array) -> RegionCounts:
        """The state of nothing, in the library and on the device of an array."""
        return cls(*(zero(like) for _ in range(5)))

    @classmethod
    def of(
        cls,
        target: Array,
        decision: Array,
        *,
        region: Array | None = None,
        decision_region: Array | None = None,
        overlap: Annotated[Setting, UNIT] = 0.0,
    ) -> RegionCounts:
        """The state of one batch; the arrays are those of `region_detection`."""
        if 0 in target.shape:
            return cls.empty(target)
        xp = check_decided(target, decision, {"region": region, "decision_region": decision_region})
        share = number("overlap", overlap, xp, xp.wide(target), UNIT)
        counts = count_detections(xp, target, decision, region, decision_region, share)
        regions, detected, alarms, false_alarms = (cast(xp, xp.counting(), n) for n in counts)
        return cls(regions, detected, alarms, false_alarms, count_nan(xp, target, decision))

    def merge(self, other: RegionCounts) -> RegionCounts:
        """The state of both parts."""
        check_same_kind(self, other)
        return RegionCounts(*map(add, self, other))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> RegionCounts:
        """Combine the states of all devices, each of which calls this: `total` sums an array over them."""
        return RegionCounts(*map(total, self))

    def compute(self) -> RegionDetection:
        """The results of `region_detection`, the last in double precision where the library has it."""
        xp = array_namespace(self.regions)
        nan = is_undefined(xp, self.unknown, *self[:4])
        return detection_of(xp, *self[:4], xp.wide(self.regions), nan)


class ImageScores(NamedTuple):
    """The distinct scores of normal images, and the scores of anomalous pixels one image after another.

    `pixels` says how many there are in each of the B images, 0 in a normal one, and `unknown` whether it has a NaN. The
    images are in the order of their batches.
    """

    normal: UniqueScores | ScoreRuns
    score: Array
    pixels: Array
    unknown: Array

    @classmethod
    def empty(cls, like: Array, scores: UniqueScores | ScoreRuns | None = None) -> ImageScores:
        """The state of nothing; `scores` is an empty state that keeps each distinct score."""
        normal = UniqueScores.empty(like) if scores is None else scores
        none = UniqueScores.empty(like)
        return cls(normal, none.score, none.positive, none.negative)

    def of(self, target: Array, score: Array) -> ImageScores:
        """The state of one batch of images; the arrays are those of `aupimo`."""
        xp, _, (target, score) = check_inputs(target, score, None)
        has_ndim("target", target, 2, "(images, ...)", -1)
        if 0 in target.shape:
            return self.empty(score, self.normal.empty(score))
        if not xp.is_known(score):
            raise TypeError("`ImageScores` has an entry for each anomalous pixel: it cannot be traced or lazy")
        rows = (target.shape[0], -1)
        mask = nan_mask(xp, target, score)
        truth, score = xp.reshape(cast(xp, xp.bool, target), rows), xp.reshape(score, rows)
        nan = xp.zeros_like(truth) if mask is None else xp.reshape(mask, rows)
        count = xp.sum(xp.astype(truth, xp.int32), axis=1)
        normal = xp.reshape(score[count == 0], (-1,))
        state = self.normal.of(xp.zeros_like(normal, dtype=xp.bool), normal)
        counts = (cast(xp, xp.counting(), x) for x in (count, xp.any(nan, axis=1)))
        return ImageScores(state, cast(xp, self.score.dtype, score[truth]), *counts)

    def merge(self, other: ImageScores) -> ImageScores:
        """The state of both parts, the images of the other after those of this one."""
        check_same_kind(self, other)
        xp = array_namespace(self.score, other.score)
        rest = (xp.concat([a, b]) for a, b in zip(self[1:], other[1:], strict=True))
        return ImageScores(merge(self.normal, other.normal), *rest)

    def compute(self, *, fpr_bounds: Bounds = (1e-5, 1e-4)) -> Array:
        """The result of `aupimo`: (B,)."""
        limits = check_bounds("fpr_bounds", fpr_bounds)
        merged = self.normal.merged() if isinstance(self.normal, ScoreRuns) else self.normal
        scores, _, counts = merged.not_empty()
        xp, wide = array_namespace(self.score), array_namespace(self.score).wide(self.score)
        normal = SortedClass(to_signed(xp, scores), sums_from_each(xp, counts))
        none = 0 in self.score.shape
        areas = self.score if none else areas_above(xp, normal, to_signed(xp, self.score), limits)
        images, done = [], 0
        for k in range(shape_of(self.pixels)[0] or 0):
            size = int(self.pixels[k])  # type: ignore[call-overload]
            images.append(xp.sum(cast(xp, wide, areas[done : done + size])))
            done += size
        if not images:
            return xp.zeros_like(self.pixels, dtype=quotient_dtype(xp, self.score))
        # a NaN of a normal image is in all areas, as the weight of its pixels
        mean = ratio(xp, xp.stack(images), xp.astype(self.pixels, wide), math.nan)
        return cast(xp, quotient_dtype(xp, self.score), xp.where(self.unknown != 0, math.nan, mean))
