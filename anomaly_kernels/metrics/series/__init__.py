"""Metrics of time series: they see events, which are runs of anomalous points, where others see points alone.

Functions take one series, or several along the other axes than that of time, and return a number for each. `_inputs`
prepares the arrays and finishes the results; `_runs` says what runs are. One file an idea: `adjustment`, `events`,
`ranges`, `affiliation`, `surfaces`, `archive`.
"""
# ruff: noqa: F401  (these names are imported from here)

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
