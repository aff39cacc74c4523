"""The support matrix: which checks each kernel passes in each library, and why the others do not apply."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anomaly_kernels._catalogue import KERNELS
from anomaly_kernels.testing.contract import CHECKS
from anomaly_kernels.testing.drivers import DRIVERS
from anomaly_kernels.testing.support import does_not_apply

__all__ = ["Support", "support_matrix"]


class Support(NamedTuple):
    """One row of the support matrix: what a kernel does not do in a library, and why, by check.

    Attributes
    ----------
    kernel : str
        The name of a function.
    library : str
        A key of `anomaly_kernels.testing.drivers.DRIVERS`.
    missing : dict
        From the names of checks to the reasons why they do not apply.
    """

    kernel: str
    library: str
    missing: dict[str, str]


def support_matrix() -> Iterator[Support]:
    """Yield a row for each kernel and library, from the same rules that the tests skip by.

    Yields
    ------
    Support
        Kernel, library, and the reasons of the checks that do not apply, by name.

    Examples
    --------
    >>> rows = {(row.kernel, row.library): row.missing for row in support_matrix()}
    >>> rows["roc_auc", "jax"]["gradients"]
    'counts and ranks are steps: they have no slope'
    """
    for kernel in KERNELS:
        for library in DRIVERS:
            reasons = {check: does_not_apply(check, kernel, library) for check in CHECKS}
            yield Support(kernel, library, {check: reason for check, reason in reasons.items() if reason})
