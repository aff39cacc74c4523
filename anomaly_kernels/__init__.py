"""Anomaly-detection losses and metrics as pure functions, with the same numbers from every array library."""

__version__ = "0.1.0"

from anomaly_kernels import losses
from anomaly_kernels._namespace import array_namespace
from anomaly_kernels.losses import *  # noqa: F403
from anomaly_kernels.losses import GMMParams
