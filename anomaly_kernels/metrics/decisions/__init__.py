"""From scores to decisions: thresholds with a meaning, p-values that can be adjusted, and scores on a common scale.

A threshold t means everywhere that ``score >= t`` raises an alarm. Rules that say "above v" return the next number
above v, so that one rule is enough: scores equal to v do not alarm (`_scores.above`). One file an idea: `rates` of
alarms, `operating` points of labelled scores, `spread` about the middle, `tails`, `pvalues`, `scaling`. `_scores`
prepares scores for all of them.
"""
# ruff: noqa: F401  (these names are imported from here)

from anomaly_kernels.metrics.decisions.operating import OperatingPoint, threshold_at_precision, threshold_at_recall
from anomaly_kernels.metrics.decisions.pvalues import adjusted_pvalue, conformal_pvalue
from anomaly_kernels.metrics.decisions.rates import threshold_at_rate
from anomaly_kernels.metrics.decisions.scaling import ScoreScaling, scaled_score, score_scaling
from anomaly_kernels.metrics.decisions.spread import spread_threshold
from anomaly_kernels.metrics.decisions.tails import TailFit, peaks_over_threshold
