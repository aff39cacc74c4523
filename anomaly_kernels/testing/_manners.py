"""Checks of manners: order, NaN, extremes, and what is refused."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_kernels.testing._extremes import extremes
from anomaly_kernels.testing._numbers import gradient_of, refuses
from anomaly_kernels.testing.agreement import agree, fail
from anomaly_kernels.testing.support import does_not_apply

if TYPE_CHECKING:
    from anomaly_kernels.testing.case import Case, Values


def permutation(case: Case) -> None:
    """The order of the batch does not matter: results with a batch axis follow it, the others stay."""
    if not case.batched:
        return
    n = case.leaves[case.batched[0]].shape[0]
    order = np.random.default_rng(0).permutation(n)
    shuffled = case.with_leaves({name: case.leaves[name][order] for name in case.batched})
    followed = {k: x[order] if x.ndim and x.shape[0] == n else x for k, x in case.expected.items()}
    agree(case, shuffled.run(), "permutation", expected=followed)


def nan(case: Case) -> None:
    """NaN in any input gives NaN in every result that depends on it, or the library's own Cholesky error."""
    for name in case.floats:
        dependent = _dependent(case, name)
        x = case.leaves[name].copy()
        x[(0,) * x.ndim] = np.nan
        try:
            found = case.with_leaves({name: x}).run()
        except Exception as error:
            if "LinAlgError" in type(error).__name__ or "cholesky" in str(error).lower():
                continue
            raise
        if clean := [path for path in dependent if not np.isnan(found[path]).any()]:
            raise fail(case, f"nan: NaN in `{name}` left no NaN in {', '.join(clean)}")


def _dependent(case: Case, name: str) -> list[str]:
    """Which results move when the input does: found by moving all of it, and by moving the element that becomes NaN."""
    x = case.leaves[name]
    first = x.copy()
    first[(0,) * x.ndim] += 0.25
    moved = [case.with_leaves({name: y}) for y in (x * 1.25, first)]
    return [
        path
        for path, y in case.expected.items()
        if y.dtype.kind == "f" and not all(np.array_equal(m.expected[path], y) for m in moved)
    ]


def extreme(case: Case) -> None:
    """At ordinary edges, such as saturated logits, constants or equal masks, results and gradients are finite."""
    differentiable = _has_gradient(case) and not does_not_apply("gradients", case.name, case.driver.name)
    defined = _not_finite(case.expected)  # infinite by definition, as the first threshold of a curve
    for label, inputs in extremes(case):
        if does_not_apply(f"extreme ({label})", case.name, case.driver.name):
            continue
        each = case.with_leaves(inputs).rounded("float32")
        infinite = _not_finite(each.expected)
        impossible = "one-hot" in label and not any(np.isnan(x).any() for x in each.expected.values())  # events
        if not impossible and (bad := [path for path in infinite if path not in defined]):
            raise fail(case, f"extreme ({label}): {', '.join(bad)} is not finite in NumPy float64")
        agree(each, _without_warnings(each, label), f"extreme ({label})", "float32")
        for dtype in ("float64", "float32") if differentiable and not infinite else ():
            if bad := _not_finite(gradient_of(each, dtype)):
                raise fail(case, f"extreme ({label}): gradient by {', '.join(bad)} is not finite in {dtype}")


def _not_finite(values: Values) -> list[str]:
    return [name for name, x in values.items() if not np.isfinite(x.astype(float)).all()]


def _without_warnings(case: Case, label: str) -> Values:
    """Evaluate in float32; NumPy warns of floating point only where a result is infinite."""
    quiet = case.driver.name == "numpy" and not _not_finite(case.expected)
    with np.errstate(all="raise" if quiet else "ignore", under="ignore"):
        try:
            return case.run("float32")
        except FloatingPointError as error:
            raise fail(case, f"extreme ({label}): {error}, though the result is finite") from error


def _has_gradient(case: Case) -> bool:
    return bool(case.floats) and any(x.dtype.kind == "f" for x in case.expected.values())


def shapes(case: Case) -> None:
    """Compared arrays of unequal length are a ValueError naming one of them; so is nothing to average over."""
    batched = case.batched
    for name in batched if len(batched) > 1 else ():
        x = case.leaves[name]
        arrays = {**case.arrays(), name: case.driver.array(np.concatenate([x, x[:1]]))}
        refuses(case, arrays, batched, f"shapes: `{name}` one longer", ValueError)
    averages = all(x.ndim == 0 for x in case.expected.values()) and case.settings.get("reduction") != "sum"
    if averages and batched:
        arrays = {**case.arrays(), **{name: case.driver.array(case.leaves[name][:0]) for name in batched}}
        refuses(case, arrays, batched, "shapes: an empty batch", ValueError)


def foreign(case: Case) -> None:
    """Lists, and arrays of two libraries at once, are a TypeError naming an argument."""
    plain = [name for name in case.inputs if name in case.leaves and case.leaves[name].ndim]
    for name in plain:
        refuses(
            case, {**case.arrays(), name: case.leaves[name].tolist()}, [name], f"foreign: `{name}` as a list", TypeError
        )
    for name in plain if len(case.inputs) > 1 else ():
        mixed = {**case.arrays(), name: _other_array(case, case.leaves[name])}
        refuses(case, mixed, [name], f"foreign: `{name}` of another library", TypeError)


def _other_array(case: Case, x: np.ndarray) -> Any:
    """Return an array of a library that is not the case's: NumPy's, or for NumPy a type that is no array at all."""
    return np.ma.masked_array(x) if case.driver.name == "numpy" else x


def settings(case: Case) -> None:
    """Settings go by name alone, and a reduction that does not exist is refused."""
    parameters = inspect.signature(case.function).parameters
    free = {name: p.default for name, p in parameters.items() if p.kind is not p.KEYWORD_ONLY}
    if by_position := [name for name, default in free.items() if default not in (inspect.Parameter.empty, None)]:
        raise fail(case, f"settings: {', '.join(by_position)} can be given by position")
    if "reduction" in parameters:
        for value, error in (("median", ValueError), (3, TypeError)):
            refuses(_with(case, reduction=value), case.arrays(), ["reduction"], f"settings: reduction={value!r}", error)


def _with(case: Case, **changed: Any) -> Case:
    return replace(case, settings={**case.settings, **changed})
