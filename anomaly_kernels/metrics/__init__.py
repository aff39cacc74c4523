"""The metrics; pure functions that return 0-d arrays or NamedTuples of them, one file an idea."""
# ruff: noqa: F401  (the classes of results are public too, but `__all__` is the catalogue of kernels)

from anomaly_kernels.metrics.counts import (
    DetectionMetrics,
    PixelStatistics,
    anomaly_detection_metrics,
    anomaly_pixel_statistics,
)
from anomaly_kernels.metrics.ranking import (
    BestF1,
    PrecisionRecallCurve,
    ROCCurve,
    aupr_trapezoid,
    average_precision,
    best_f1,
    fpr_at_tpr,
    precision_at_k,
    precision_recall_curve,
    roc_auc,
    roc_curve,
)
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
    "anomaly_detection_metrics",
    "anomaly_pixel_statistics",
    "aupr_trapezoid",
    "average_precision",
    "best_f1",
    "component_orthogonality",
    "explained_variance",
    "fpr_at_tpr",
    "precision_at_k",
    "precision_recall_curve",
    "roc_auc",
    "roc_curve",
    "score_statistics",
    "selector_diversity",
    "selector_entropy",
]
