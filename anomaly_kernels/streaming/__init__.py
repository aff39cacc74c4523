"""States of metrics: made of parts of the data, on any machine, and merged in any order to the state of all data.

Each state is a NamedTuple of arrays: a pytree to JAX, which can be pickled, saved and sent as it is. The class method
``empty(like)`` is the state of nothing, ``state.of(...)`` that of one batch, with the edges of `state`; `update(state,
target, score)` adds a batch, `merge(a, b)` joins two parts, and `compute(state, ...)` is the metric of all of them.

=================== ============================================== ===============================================
State               of                                             compute
=================== ============================================== ===============================================
`DetectionCounts`   targets and decisions                          `anomaly_detection_metrics`
`PixelCounts`       decisions                                      `anomaly_pixel_statistics`
`Moments`           scores                                         their mean, standard deviation and extremes
`HighestScores`     scores                                         `peaks_over_threshold`
`UniqueScores`      targets and scores                             any metric of a ranking, exactly
`ScoreHistogram`    targets and scores, in memory of a fixed size  metrics of a ranking, between bounds
`Detections`        targets, decisions and, if given, scores       `anomaly_detection_metrics`
`RegionScores`      targets and scores of images, or a histogram       `aupro`
`RegionOverlaps`    targets and decisions of images                `per_region_overlap`
`RegionCounts`      targets and decisions of images                `region_detection`
`ImageScores`       targets and scores of images                   `aupimo`
`Statistics`        scores                                         `score_statistics`
`Means`             results of any metric                          their means over batches
`SeriesMeans`       targets, and scores or decisions, of series    means over series of the results of a metric
`SeriesTotals`      targets and decisions of series                a metric of decisions, over all series together
`SeriesScores`      targets and scores of series                   a best F1 score, at one threshold for all series
=================== ============================================== ===============================================

`UniqueScores` and `ScoreHistogram` give thresholds and p-values too, `threshold_at_rate` and the like, of all scores
without looking at targets; `Moments` those that need mean, deviation and extremes alone.

All have a fixed shape, for ``jit`` and ``scan``, but `UniqueScores`, which has as many entries as there are distinct
scores, `ImageScores` and `SeriesScores`. `Detections`, `RegionScores` and `Statistics` keep scores in `UniqueScores`
or a `ScoreHistogram`: their ``empty`` takes an empty state of it.
"""

from __future__ import annotations

from anomaly_kernels.metrics.ranking.unique_scores import UniqueScores
from anomaly_kernels.streaming._bounds import Bounded
from anomaly_kernels.streaming._states import compute, merge, update
from anomaly_kernels.streaming.counts import DetectionCounts, PixelCounts
from anomaly_kernels.streaming.histogram import ScoreHistogram
from anomaly_kernels.streaming.moments import Moments, MomentsOfScores
from anomaly_kernels.streaming.regions import ImageScores, RegionCounts, RegionOverlaps, RegionScores
from anomaly_kernels.streaming.results import Detections, Means, Statistics
from anomaly_kernels.streaming.series import SeriesMeans, SeriesScores, SeriesTotals
from anomaly_kernels.streaming.tails import HighestScores

__all__ = [
    "Bounded",
    "DetectionCounts",
    "Detections",
    "HighestScores",
    "ImageScores",
    "Means",
    "Moments",
    "MomentsOfScores",
    "PixelCounts",
    "RegionCounts",
    "RegionOverlaps",
    "RegionScores",
    "ScoreHistogram",
    "SeriesMeans",
    "SeriesScores",
    "SeriesTotals",
    "Statistics",
    "UniqueScores",
    "compute",
    "merge",
    "update",
]


def __dir__() -> list[str]:
    return sorted(__all__)
