"""The contract of a loss: all checks by name, those that a loss passes, and the support matrix of the kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any, NamedTuple

from anomaly_kernels._catalogue import KERNELS
from anomaly_kernels._core.namespace import describe
from anomaly_kernels.testing.agreement import fail
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.checks import errors, extremes, transforms, values
from anomaly_kernels.testing.drivers import DRIVERS, Driver, driver_for
from anomaly_kernels.testing.samples import sample
from anomaly_kernels.testing.support import does_not_apply


def _as_broken_promise(check: Callable[[Case], None]) -> Callable[[Case], None]:
    """Return the check, with any other exception turned into the broken promise that it is."""

    @wraps(check)
    def run(case: Case) -> None:
        try:
            check(case)
        except AssertionError:
            raise
        except Exception as error:
            raise fail(case, f"{check.__name__}: {type(error).__name__}: {error}") from error

    return run


CHECKS: dict[str, Callable[[Case], None]] = {
    check.__name__: _as_broken_promise(check)
    for check in [
        *[values.values, values.purity, values.permutation, values.layout, values.reductions],
        *[values.result, values.device, values.promotion, values.masks, values.half],
        *[transforms.gradients, transforms.value_and_grad, transforms.second_derivatives],
        *[transforms.jit, transforms.vmap, transforms.vmap_gradients, transforms.unknown_batch, transforms.lazy],
        *[extremes.nan, extremes.extreme],
        *[errors.integers, errors.shapes, errors.foreign, errors.settings],
    ]
}


def check_loss(
    function: Callable[..., Any],
    inputs: Mapping[str, Any] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    library: str | Driver = "numpy",
    checks: Iterable[str] | None = None,
    skip: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Check that a loss keeps the contract of this library's kernels.

    Parameters
    ----------
    function : callable
        Takes arrays, by position or by name, and settings by name; returns an array or a tree of arrays. It must work
        on NumPy arrays too: what NumPy gives in float64 is what every other result is compared with.
    inputs : mapping, optional
        NumPy arrays by argument name: floats, and booleans or integers for masks. The first axis of the first array is
        the batch. Drawn by name if not given, see `anomaly_kernels.testing.arguments`.
    settings : mapping, optional
        What else to call it with.
    library : str or Driver
        Which library to check.
    checks : iterable of str, optional
        Names from `CHECKS`; all by default.
    skip : mapping, optional
        Checks that do not apply to the function, with the reason.

    Returns
    -------
    dict
        The reason of each check that did not apply, and "passed" for the others.

    Raises
    ------
    AssertionError
        If a promise is broken; the message says which, with what, and what was expected.
    TypeError, ValueError
        If `checks` or `skip` is not made of names of `CHECKS`.

    Examples
    --------
    >>> def peak(scores, *, weight=1.0):
    ...     xp = array_namespace(scores)
    ...     return weight * xp.max(scores)
    >>> from anomaly_kernels import array_namespace
    >>> outcome = check_loss(peak, checks=["values", "gradients"])
    >>> outcome["values"], outcome["gradients"]
    ('passed', 'numpy does not differentiate')
    """
    names = _check_names("checks", CHECKS if checks is None else checks)
    reasons = {} if skip is None else skip
    if not isinstance(reasons, Mapping):
        raise TypeError(f"`skip` must be a dict from names of checks to reasons, got {describe(skip)}")
    _check_names("skip", reasons)
    if inputs is None:
        inputs, settings = sample(function, **(settings or {}))
    driver = library if isinstance(library, Driver) else driver_for(library)
    case = Case(function, inputs, driver, settings or {})
    outcome = {}
    for name in names:
        reason = reasons.get(name) or does_not_apply(name, case.name, driver.name)
        if reason is None:
            CHECKS[name](case)
        outcome[name] = reason or "passed"
    return outcome


def _check_names(argument: str, names: Iterable[str]) -> list[str]:
    """Return the names as a list; raise if one is no check's."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise TypeError(f"`{argument}` must be names of checks, in a list or the like, got {names!r}")
    checked = list(names)
    if unknown := [name for name in checked if name not in CHECKS]:
        raise ValueError(f"`{argument}` must be names of checks ({', '.join(CHECKS)}), got {unknown[0]!r}")
    return checked


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
