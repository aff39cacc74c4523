"""The contract that every kernel keeps, as a library: for these kernels, and for anyone's own loss."""

from anomaly_kernels.testing.contract import CHECKS, Case, check_loss
from anomaly_kernels.testing.drivers import Driver, driver_for, installed_libraries
from anomaly_kernels.testing.samples import sample, variants
from anomaly_kernels.testing.support import support_matrix

__all__ = [
    "CHECKS",
    "Case",
    "Driver",
    "check_loss",
    "driver_for",
    "installed_libraries",
    "sample",
    "support_matrix",
    "variants",
]
