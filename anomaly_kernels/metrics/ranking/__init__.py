"""Metrics of a ranking: they see the order of the scores and nothing else, and no threshold but those the scores give.

A threshold s means that all scores of s and higher raise an alarm. The metrics, in `areas`, `decisions` and
`curves`, are formulas of the `Ranking` that `_sorted` explains by a picture. `_inputs` checks and prepares the arrays,
`_evaluate` leads from there to results, and `unique_scores` is the state of a ranking whose scores come in parts.
"""
# ruff: noqa: F401  (these names are imported from here)

from anomaly_kernels.metrics.ranking.areas import aupr_trapezoid, average_precision, roc_auc
from anomaly_kernels.metrics.ranking.curves import PrecisionRecallCurve, ROCCurve, precision_recall_curve, roc_curve
from anomaly_kernels.metrics.ranking.decisions import BestF1, best_f1, fpr_at_tpr, precision_at_k
