"""The metrics; pure functions that return 0-d arrays or NamedTuples of them, one file an idea."""
# ruff: noqa: F401  (the classes of results are public too, but `__all__` is the catalogue of kernels)

from anomaly_kernels.metrics.counts import (
    DetectionMetrics,
    PixelStatistics,
    anomaly_detection_metrics,
    anomaly_pixel_statistics,
)
from anomaly_kernels.metrics.decisions.operating import OperatingPoint, threshold_at_precision, threshold_at_recall
from anomaly_kernels.metrics.decisions.pvalues import adjusted_pvalue, conformal_pvalue
from anomaly_kernels.metrics.decisions.rates import threshold_at_rate
from anomaly_kernels.metrics.decisions.scaling import ScoreScaling, scaled_score, score_scaling
from anomaly_kernels.metrics.decisions.spread import spread_threshold
from anomaly_kernels.metrics.decisions.tails import TailFit, peaks_over_threshold
from anomaly_kernels.metrics.ranking.areas import aupr_trapezoid, average_precision, roc_auc
from anomaly_kernels.metrics.ranking.curves import PrecisionRecallCurve, ROCCurve, precision_recall_curve, roc_curve
from anomaly_kernels.metrics.ranking.decisions import BestF1, best_f1, fpr_at_tpr, precision_at_k
from anomaly_kernels.metrics.regions.curve import aupro
from anomaly_kernels.metrics.regions.decided import RegionDetection, per_region_overlap, region_detection
from anomaly_kernels.metrics.regions.images import aupimo
from anomaly_kernels.metrics.regions.labels import label_regions
from anomaly_kernels.metrics.series._results import DetectionDelay, EventF1, RangeAUC
from anomaly_kernels.metrics.series.adjustment import (
    best_point_adjusted_f1,
    point_adjust,
    point_adjusted_f1,
    point_adjusted_f1_area,
)
from anomaly_kernels.metrics.series.affiliation import affiliation_f1
from anomaly_kernels.metrics.series.archive import ucr_score
from anomaly_kernels.metrics.series.events import (
    best_composite_f1,
    best_event_f1,
    composite_f1,
    detection_delay,
    event_f1,
)
from anomaly_kernels.metrics.series.ranges import range_based_f1
from anomaly_kernels.metrics.series.surfaces import range_auc, vus
from anomaly_kernels.metrics.statistics import (
    ComponentOrthogonality,
    ExplainedVariance,
    ScoreStatistics,
    SelectorDiversity,
    component_orthogonality,
    explained_variance,
    score_statistics,
    selector_diversity,
    selector_entropy,
)

__all__ = [
    "adjusted_pvalue",
    "affiliation_f1",
    "anomaly_detection_metrics",
    "anomaly_pixel_statistics",
    "aupimo",
    "aupr_trapezoid",
    "aupro",
    "average_precision",
    "best_composite_f1",
    "best_event_f1",
    "best_f1",
    "best_point_adjusted_f1",
    "component_orthogonality",
    "composite_f1",
    "conformal_pvalue",
    "detection_delay",
    "event_f1",
    "explained_variance",
    "fpr_at_tpr",
    "label_regions",
    "peaks_over_threshold",
    "per_region_overlap",
    "point_adjust",
    "point_adjusted_f1",
    "point_adjusted_f1_area",
    "precision_at_k",
    "precision_recall_curve",
    "range_auc",
    "range_based_f1",
    "region_detection",
    "roc_auc",
    "roc_curve",
    "scaled_score",
    "score_scaling",
    "score_statistics",
    "selector_diversity",
    "selector_entropy",
    "spread_threshold",
    "threshold_at_precision",
    "threshold_at_rate",
    "threshold_at_recall",
    "ucr_score",
    "vus",
]


def __dir__() -> list[str]:
    return sorted(__all__)
