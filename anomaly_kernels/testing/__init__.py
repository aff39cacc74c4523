"""The contract that every kernel keeps, as a library: for these kernels, and for anyone's own loss."""

from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.contract import CHECKS, HOUSE_RULES, Outcome, Report, check_loss, support_matrix
from anomaly_kernels.testing.drivers import Driver, driver_for, installed_libraries
from anomaly_kernels.testing.samples import sample, variants

__all__ = [
    "CHECKS",
    "HOUSE_RULES",
    "Case",
    "Driver",
    "Outcome",
    "Report",
    "check_loss",
    "driver_for",
    "installed_libraries",
    "sample",
    "support_matrix",
    "variants",
]


def __dir__() -> list[str]:
    return sorted(__all__)
