"""Metrics of localisation: regions are the units that are found or missed, not pixels.

`labels` numbers the regions of a mask, which needs its pixels: on the host, before anything is traced. All else is
given numbers, and sorts the pixels by them (`_grouped`), so that shapes depend on no data. `_inputs` checks the arrays.
"""
# ruff: noqa: F401  (these names are imported from here)

from anomaly_kernels.metrics.regions.curve import aupro
from anomaly_kernels.metrics.regions.decided import RegionDetection, per_region_overlap, region_detection
from anomaly_kernels.metrics.regions.images import aupimo
from anomaly_kernels.metrics.regions.labels import label_regions
