"""The results of metrics of series: one number for each series."""

from __future__ import annotations

from typing import NamedTuple

from anomaly_kernels._core.typing import Array


class EventF1(NamedTuple):
    """Precision, recall and F1 score, as the metric that returned them defines them."""

    precision: Array
    recall: Array
    f1_score: Array


class RangeAUC(NamedTuple):
    """The results of `range_auc` and `vus`."""

    roc_auc: Array
    average_precision: Array


class DetectionDelay(NamedTuple):
    """The results of `detection_delay`: delays in time steps, and the share of events found."""

    mean: Array
    max: Array
    recall: Array
