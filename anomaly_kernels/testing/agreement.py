"""Whether two results agree within rounding, how closely, and the error that tells where they do not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from anomaly_kernels.testing.case import Case, Values


@dataclass(frozen=True)
class Seen:
    """What a check saw.

    Attributes
    ----------
    comparisons : int
        Number of results, gradients or errors that were compared with what they must be.
    error : float
        The largest difference, as a share of the allowed one: 0.1 is a tenth of it, and above 1 the check fails.
    nothing : str
        The reason, if there was nothing to compare.
    """

    comparisons: int = 0
    error: float = 0.0
    nothing: str = ""

    def __bool__(self) -> bool:
        return self.comparisons > 0

    def __add__(self, other: Seen) -> Seen:
        return Seen(self.comparisons + other.comparisons, max(self.error, other.error))


ONE = Seen(1)
"""One comparison of what is equal or not, such as a dtype or an error's message."""


def nothing(reason: str) -> Seen:
    """Declare that a function has nothing that a check could compare."""
    return Seen(nothing=reason)


def total(seen: Iterable[Seen]) -> Seen:
    """Put together what several comparisons saw."""
    return sum(seen, Seen())


def fail(case: Case, problem: str) -> AssertionError:
    """Return the error of a broken promise: the function, the library and what is wrong."""
    settings = ", ".join(f"{k}={v}" for k, v in case.settings.items())
    return AssertionError(f"{case.name}({settings}) with {case.driver.name}: {problem}")


def tolerance(expected: np.ndarray, spread: np.ndarray | float, dtype: str) -> np.ndarray | float:
    """How far a result may be off: a few eps of the largest value, and what rounded inputs do to an ill-posed one."""
    eps, size = float(np.finfo(dtype).eps), np.abs(expected[np.isfinite(expected)])
    with np.errstate(all="ignore"):
        slack = np.nan_to_num(4 * eps * np.asarray(spread), nan=0.0, posinf=0.0)
    return np.asarray(64 * eps * size.max(initial=0.0) + slack + float(np.finfo(dtype).tiny))


def agree(case: Case, actual: Values, what: str, dtype: str = "float64", expected: Values | None = None) -> Seen:
    """Raise unless the values are what NumPy gives in float64, in shape too, within the tolerance of the dtype."""
    spread = case.spread if expected is None else {}
    expected = case.expected if expected is None else expected
    dtype = dtype if case.floats else "float32"  # without floats in, each library has its own default for floats out
    if actual.keys() != expected.keys():
        raise fail(case, f"{what}: returned {sorted(actual)}, expected {sorted(expected)}")
    seen = Seen()
    for path, x in expected.items():
        y = actual[path]
        if y.shape != x.shape:
            raise fail(case, f"{what}: {path} has shape {y.shape}, expected {x.shape}")
        with np.errstate(over="ignore"):  # what overflows in the dtype must be infinite there
            want, have = x.astype(dtype).astype(np.float64), y.astype(np.float64)
        finite = np.isfinite(want)
        same = np.array_equal(have[~finite], want[~finite], equal_nan=True)
        off = np.where(finite, np.abs(have - np.where(finite, x, 0.0)), 0.0)
        allowed = tolerance(want, spread.get(path, 0.0), dtype)
        if not same or not np.all(off <= allowed):
            raise fail(
                case,
                f"{what}: {path} is {_short(have)} in {dtype}, expected {_short(want)} "
                f"(off by {off.max():.2g}, allowed {np.max(allowed):.2g})",
            )
        seen += Seen(int(x.size > 0), float(np.max(off / allowed, initial=0.0)))
    return seen


def _short(x: np.ndarray) -> str:
    return np.array2string(x.ravel()[:5], precision=9, separator=", ") + (" ..." if x.size > 5 else "")
