"""Checks at the edges of inputs: NaN goes through, and saturated logits or constants give finite numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from anomaly_kernels.testing.agreement import agree, fail
from anomaly_kernels.testing.arguments import ARGUMENTS, arguments
from anomaly_kernels.testing.case import Case, Values
from anomaly_kernels.testing.support import does_not_apply

Change = Callable[[np.ndarray], np.ndarray]


def one_hot(p: np.ndarray) -> np.ndarray:
    """All probability on the last place: exact zeros and a one."""
    return np.concatenate([np.zeros_like(p[..., 1:]), np.ones_like(p[..., :1])], axis=-1)


EDGES = (20.0, 89.0, 104.0, 710.0, 1000.0)
"""Where exp(x) becomes infinite or 0 in float32 (89, 104) and float64 (710), or dwarfs 1; and what no one exceeds."""


def reaching(edge: float) -> Change:
    """Some numbers at the edge, on both sides, the others spread between."""
    return lambda x: edge * np.clip(x, -1.0, 1.0)


# Inputs stay in the domain of the formulas: covariances positive definite, variances and scales above 0.
CHANGES: dict[str, dict[str, Change]] = {
    **{f"up to {edge:g}": {"real": reaching(edge)} for edge in EDGES},
    "wide": {"positive": lambda x: 1e3 * x, "covariance": lambda x: 1e3 * x, "log variance": reaching(20.0)},
    "narrow": {"positive": lambda x: 1e-3 * x, "covariance": lambda x: 1e-3 * x, "log variance": lambda x: x - 20.0},
    "zero": {"real": np.zeros_like, "weights": np.zeros_like},
    "constant": {"real": np.ones_like, "weights": np.ones_like},
    "one-hot": {"probability": one_hot},
    "disjoint one-hot": {"probability": one_hot, "second probability": lambda p: one_hot(p)[..., ::-1]},
    "far from the origin": {"real": lambda x: x + 1e4},
    "all positive": {"mask": np.ones_like},
    "none positive": {"mask": np.zeros_like},
}


def cases_at_edges(case: Case) -> Iterator[tuple[str, Case]]:
    """Yield a label and the case with inputs at that edge, for each edge that the case's arguments have."""
    for label, changes in CHANGES.items():
        changed = {}
        for name, kind in _kinds(case).items():
            change = changes.get(kind) or changes.get(kind.removeprefix("second ")) or changes.get(name)
            if change is not None:
                changed[name] = change(case.leaves[name])
        if changed:
            yield label, case.with_leaves(changed)


def _kinds(case: Case) -> dict[str, str]:
    """Return the kind of each plain argument; a name that is not known holds real numbers or a mask."""
    by_name = arguments([name for name in case.inputs if name in ARGUMENTS], case.settings)
    kinds: dict[str, str] = {}
    for name in case.inputs:
        if name in case.leaves and case.leaves[name].size:
            kind = by_name[name].kind if name in by_name else "real" if name in case.floats else "mask"
            kind = "real" if kind == "latent" else kind
            if "model" in case.settings and case.settings.get("epsilon") == 0:
                kind = "input of a model"  # whose probabilities become 0 earlier in float32: infinite by definition
            kinds[name] = f"second {kind}" if kind == "probability" and kind in kinds.values() else kind
    return kinds


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
