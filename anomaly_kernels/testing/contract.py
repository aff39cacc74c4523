"""The contract of a loss: all checks by name, those that a loss passes, and the support matrix of the kernels."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any, Literal, NamedTuple, overload

import numpy as np

from anomaly_kernels._catalogue import KERNELS
from anomaly_kernels._core.namespace import describe
from anomaly_kernels.testing.agreement import Seen, fail
from anomaly_kernels.testing.arguments import KINDS, Argument
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.checks import errors, extremes, transforms, values
from anomaly_kernels.testing.drivers import DRIVERS, Driver, driver_for
from anomaly_kernels.testing.samples import sample
from anomaly_kernels.testing.support import does_not_apply


def _as_broken_promise(check: Callable[[Case], Seen]) -> Callable[[Case], Seen]:
    """Return the check, with any other exception turned into the broken promise that it is."""

    @wraps(check)
    def run(case: Case) -> Seen:
        try:
            seen = check(case)
        except AssertionError:
            raise
        except Exception as error:
            raise fail(case, f"{check.__name__}: {type(error).__name__}: {error}") from error
        if not seen and not seen.nothing:
            raise fail(case, f"{check.__name__}: compared nothing, and does not say why")
        return seen

    return run


CHECKS: dict[str, Callable[[Case], Seen]] = {
    check.__name__: _as_broken_promise(check)
    for check in [
        *[values.values, values.purity, values.permutation, values.layout, values.reductions, values.blocks],
        *[values.result, values.device, values.promotion, values.masks, values.half],
        *[transforms.gradients, transforms.value_and_grad, transforms.second_derivatives],
        *[transforms.jit, transforms.vmap, transforms.vmap_gradients, transforms.unknown_batch, transforms.lazy],
        *[extremes.nan, extremes.extreme, extremes.extreme_alone],
        *[errors.integers, errors.shapes, errors.empty, errors.foreign, errors.settings],
    ]
}
"""The checks of `check_loss`, by name."""


HOUSE_RULES = ("integers", "half", "promotion", "shapes", "empty", "foreign", "settings")
"""Checks of what this library has decided, and another may decide otherwise: `skip` them with your reason."""


class Outcome(NamedTuple):
    """What came of one check.

    Attributes
    ----------
    check : str
        Its name, a key of `CHECKS`.
    outcome : {"passed", "failed", "nothing to check", "does not apply", "skipped"}
        What came of it.
    comparisons : int
        Number of results, gradients or errors that were compared with what they must be.
    error : float
        The largest difference, as a share of the one that is allowed; NaN where nothing was compared to the end.
    reason : str
        Which promise is broken, or why the check was not made or had nothing to compare.
    """

    check: str
    outcome: str
    comparisons: int
    error: float
    reason: str


class Report(tuple[Outcome, ...]):
    """The outcomes of all checks, which print as a table."""

    __slots__ = ()

    @property
    def failed(self) -> list[Outcome]:
        """The outcomes of the checks that failed."""
        return [row for row in self if row.outcome == "failed"]

    def __str__(self) -> str:
        rows = [("check", "outcome", "comparisons", "error / allowed", "reason"), *map(_cells, self)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)) for row in rows]
        return "\n".join(map(str.rstrip, lines))


def _cells(row: Outcome) -> tuple[str, ...]:
    """Return a row of the table that a report prints as."""
    figures = (f"{row.comparisons}", f"{row.error:.2g}") if row.comparisons else ("", "")
    return (row.check, row.outcome, *figures, row.reason.partition("\n")[0])


@overload
def check_loss(
    function: Callable[..., Any],
    inputs: Mapping[str, Any] | None = ...,
    *,
    settings: Mapping[str, Any] | None = ...,
    library: str | Driver = ...,
    checks: Iterable[str] | None = ...,
    skip: Mapping[str, str] | None = ...,
    kinds: Mapping[str, str | Argument] | None = ...,
    report: Literal[False] = ...,
) -> dict[str, str]: ...


@overload
def check_loss(
    function: Callable[..., Any],
    inputs: Mapping[str, Any] | None = ...,
    *,
    settings: Mapping[str, Any] | None = ...,
    library: str | Driver = ...,
    checks: Iterable[str] | None = ...,
    skip: Mapping[str, str] | None = ...,
    kinds: Mapping[str, str | Argument] | None = ...,
    report: Literal[True],
) -> Report: ...


def check_loss(
    function: Callable[..., Any],
    inputs: Mapping[str, Any] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    library: str | Driver = "numpy",
    checks: Iterable[str] | None = None,
    skip: Mapping[str, str] | None = None,
    kinds: Mapping[str, str | Argument] | None = None,
    report: bool = False,
) -> dict[str, str] | Report:
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
        Checks that do not apply to the function, with the reason. Those in `HOUSE_RULES` are decisions of this
        library that others need not share.
    kinds : mapping, optional
        What arguments hold whose names are not in `anomaly_kernels.testing.arguments.ARGUMENTS`: a key of `KINDS`
        there, such as ``"positive"``, or an `Argument` with axes too. Without it: any real numbers, or a mask.
    report : bool, default False
        Make every check and return a table of the outcomes, with what each saw, instead of stopping at the first that
        fails.

    Returns
    -------
    dict or Report
        By check, the reason why it does not apply or has nothing to check, and "passed" for the others. With `report`
        an `Outcome` for each check.

    Raises
    ------
    AssertionError
        If a promise is broken, and no report is asked for; the message says which, with what, and what was expected.
    TypeError, ValueError
        If `checks` or `skip` is not made of names of `CHECKS`, `kinds` of those of `KINDS`, or `function` cannot be
        called with the inputs that are drawn.

    Examples
    --------
    >>> def peak(scores, *, weight=1.0):
    ...     xp = array_namespace(scores)
    ...     return weight * xp.max(scores)
    >>> from anomaly_kernels import array_namespace
    >>> outcome = check_loss(peak, checks=["values", "gradients"])
    >>> outcome["values"], outcome["gradients"]
    ('passed', 'numpy does not differentiate')
    >>> print(check_loss(peak, checks=["nan", "masks", "integers"], report=True))  # doctest: +ELLIPSIS
    check     outcome           comparisons  error / allowed  reason
    nan       passed            1            0
    masks     nothing to check                                it takes no mask
    integers  failed                                          peak() with numpy: integers: `scores` in int32: ...
    """
    names = _check_names("checks", CHECKS if checks is None else checks)
    reasons = {} if skip is None else skip
    if not isinstance(reasons, Mapping):
        raise TypeError(f"`skip` must be a dict from names of checks to reasons, got {describe(skip)}")
    _check_names("skip", reasons)
    if not isinstance(library, Driver) and library not in DRIVERS:
        raise ValueError(f"`library` must be one of {', '.join(DRIVERS)}, or a Driver, got {library!r}")
    driver = library if isinstance(library, Driver) else driver_for(library)
    known = {name: x if isinstance(x, Argument) else Argument(x, "NTD") for name, x in (kinds or {}).items()}
    for name, x in known.items():
        if x.kind not in KINDS:
            raise ValueError(f"`kinds` must hold some of {', '.join(KINDS)}, got {x.kind!r} for `{name}`")
    drawn = inputs is None
    if inputs is None:
        inputs, settings = sample(function, known, **(settings or {}))
    case = Case(function, inputs, driver, settings or {}, {name: x.kind for name, x in known.items()})
    if drawn:
        _try_drawn(case)
    outcomes = Report(_outcome(case, name, reasons.get(name), stops=not report) for name in names)
    return outcomes if report else {row.check: _in_words(row) for row in outcomes}


def _try_drawn(case: Case) -> None:
    """Raise if the function cannot be called with inputs that were drawn by the names of its arguments."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            case.call(case.arrays())
    except Exception as error:
        shapes = ", ".join(f"`{path}` {x.shape}" for path, x in case.leaves.items()) or "none"
        raise ValueError(
            f"{case.name} cannot be called with inputs drawn by the names of its arguments ({shapes}): give `inputs` "
            f"of your own, or their `kinds`; it said {type(error).__name__}: {error}"
        ) from error


def _outcome(case: Case, check: str, skipped: str | None, *, stops: bool) -> Outcome:
    """Make one check; a broken promise is raised where the caller stops at the first."""
    if skipped is not None:
        return Outcome(check, "skipped", 0, math.nan, skipped)
    if (reason := case.does_not_apply(check)) is not None:
        return Outcome(check, "does not apply", 0, math.nan, reason)
    try:
        seen = CHECKS[check](case)
    except AssertionError as broken:
        if stops:
            raise
        return Outcome(check, "failed", 0, math.nan, str(broken))
    if not seen:
        return Outcome(check, "nothing to check", 0, math.nan, seen.nothing)
    return Outcome(check, "passed", seen.comparisons, seen.error, "")


def _in_words(row: Outcome) -> str:
    """Return "passed", or the reason why nothing was compared."""
    return f"nothing to check: {row.reason}" if row.outcome == "nothing to check" else row.reason or row.outcome


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
