"""Checks at the edges of inputs: NaN goes through, and saturated logits or constants give finite numbers."""

from __future__ import annotations

import numpy as np

from anomaly_kernels.testing.agreement import agree, fail
from anomaly_kernels.testing.case import Case, Values
from anomaly_kernels.testing.edges import cases_at_edges
from anomaly_kernels.testing.support import does_not_apply


def nan(case: Case) -> None:
    """NaN in any input gives NaN in every result that depends on it, or the library's own Cholesky error."""
    for name in case.floats:
        dependent = _dependent(case, name)
        x = case.leaves[name].copy()
        x[(0,) * x.ndim] = np.nan
        try:
            results = case.with_leaves({name: x}).run()
        except Exception as error:
            if "LinAlgError" in type(error).__name__ or "cholesky" in str(error).lower():
                continue
            raise
        if clean := [path for path in dependent if not np.isnan(results[path]).any()]:
            raise fail(case, f"nan: NaN in `{name}` left no NaN in {', '.join(clean)}")


def _dependent(case: Case, name: str) -> list[str]:
    """List the results that change with all of an input, and with the element of it that becomes NaN."""
    x = case.leaves[name]
    first = x.copy()
    first[(0,) * x.ndim] += 0.25
    changed = [case.with_leaves({name: y}).expected for y in (x * 1.25, first)]
    return [
        path
        for path, y in case.expected.items()
        if y.dtype.kind == "f" and not all(np.array_equal(results[path], y) for results in changed)
    ]


def extreme(case: Case) -> None:
    """At ordinary edges, such as saturated logits, constants or equal masks, results and gradients are finite."""
    has_slope = bool(case.floats) and any(x.dtype.kind == "f" for x in case.expected.values())
    differentiable = has_slope and not does_not_apply("gradients", case.name, case.driver.name)
    defined = _not_finite(case.expected)  # infinite by definition, as the first threshold of a curve
    for label, edge in cases_at_edges(case):
        if does_not_apply(f"extreme ({label})", case.name, case.driver.name):
            continue
        each = edge.rounded("float32")
        infinite = _not_finite(each.expected)
        impossible = "one-hot" in label and not any(np.isnan(x).any() for x in each.expected.values())  # events
        if not impossible and (bad := [path for path in infinite if path not in defined]):
            raise fail(case, f"extreme ({label}): {', '.join(bad)} is not finite in NumPy float64")
        agree(each, _without_warnings(each, label), f"extreme ({label})", "float32")
        for dtype in ("float64", "float32") if differentiable and not infinite else ():
            if bad := _not_finite(each.gradient(dtype)):
                raise fail(case, f"extreme ({label}): gradient by {', '.join(bad)} is not finite in {dtype}")


def _not_finite(values: Values) -> list[str]:
    """List the results that hold NaN or infinity."""
    return [name for name, x in values.items() if not np.isfinite(x.astype(float)).all()]


def _without_warnings(case: Case, label: str) -> Values:
    """Evaluate in float32; NumPy may warn of overflow only where a result is infinite."""
    quiet = case.driver.name == "numpy" and not _not_finite(case.expected)
    with np.errstate(all="raise" if quiet else "ignore", under="ignore"):
        try:
            return case.run("float32")
        except FloatingPointError as error:
            raise fail(case, f"extreme ({label}): {error}, though the result is finite") from error
