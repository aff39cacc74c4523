"""Metrics of a ranking: they see the order of the scores and nothing else, and no threshold but those the scores give.

A threshold s means that all scores of s and higher raise an alarm.
"""

from anomaly_kernels.metrics.ranking.curves import (
    PrecisionRecallCurve,
    ROCCurve,
    precision_recall_curve,
    roc_curve,
)
from anomaly_kernels.metrics.ranking.decisions import BestF1, best_f1, fpr_at_tpr, precision_at_k
from anomaly_kernels.metrics.ranking.precision import aupr_trapezoid, average_precision
from anomaly_kernels.metrics.ranking.roc import roc_auc
from anomaly_kernels.metrics.ranking.unique_scores import UniqueScores

__all__ = [
    "BestF1",
    "PrecisionRecallCurve",
    "ROCCurve",
    "UniqueScores",
    "aupr_trapezoid",
    "average_precision",
    "best_f1",
    "fpr_at_tpr",
    "precision_at_k",
    "precision_recall_curve",
    "roc_auc",
    "roc_curve",
]
