"""Checks at the edges of inputs: NaN goes through, and saturated logits or constants give finite numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np

from anomaly_kernels.testing.agreement import Seen, agree, fail, nothing, total
from anomaly_kernels.testing.arguments import ARGUMENTS, arguments
from anomaly_kernels.testing.case import Case, Values

Change = Callable[[np.ndarray], np.ndarray]


def one_hot(p: np.ndarray) -> np.ndarray:
    """All probability on the last place: exact zeros and a one."""
    return np.concatenate([np.zeros_like(p[..., 1:]), np.ones_like(p[..., :1])], axis=-1)


EDGES = (20.0, 89.0, 104.0, 710.0, 1000.0)
"""Where exp(x) becomes infinite or 0 in float32 (89, 104) and float64 (710), or dwarfs 1; and what no one exceeds."""


def reaching(edge: float) -> Change:
    """Some numbers at the edge, on both sides, the others spread between."""
    return lambda x: edge * np.clip(x, -1.0, 1.0)


def some_at(edge: float) -> Change:
    """Every third number at the edge, on its own side, the others as they are."""
    return lambda x: np.where(np.arange(x.size).reshape(x.shape) % 3 == 0, np.copysign(edge, x), x)


# Inputs stay in the domain of the formulas: covariances positive definite, variances and scales above 0.
CHANGES: dict[str, dict[str, Change]] = {
    **{f"up to {edge:g}": {"real": reaching(edge)} for edge in EDGES},
    "some at 1000": {"real": some_at(1000.0)},
    "wide": {"positive": lambda x: 1e3 * x, "covariance": lambda x: 1e3 * x, "log variance": reaching(20.0)},
    "narrow": {"positive": lambda x: 1e-3 * x, "covariance": lambda x: 1e-3 * x, "log variance": lambda x: x - 20.0},
    "zero": {"real": np.zeros_like, "weights": np.zeros_like, "pixel": np.zeros_like},
    "constant": {"real": np.ones_like, "weights": np.ones_like, "pixel": np.ones_like},
    "saturated": {"pixel": np.sign},
    "one-hot": {"probability": one_hot},
    "disjoint one-hot": {"probability": one_hot, "second probability": lambda p: one_hot(p)[..., ::-1]},
    "far from the origin": {"real": lambda x: x + 1e4, "pixel": lambda x: x + 1e2},
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
    reals = _reals(case)
    if "model" not in case.settings and len({x.shape for x in reals.values()}) < len(reals):
        yield "nearly equal", case.with_leaves(_nearly_equal(reals))


def cases_with_one_at_edges(case: Case) -> Iterator[tuple[str, Case]]:
    """Yield a label and the case with one input at an edge, for each of several that hold real numbers."""
    reals = _reals(case)
    for name, x in reals.items() if len(reals) > 1 else ():
        for edge in EDGES:
            yield f"`{name}` alone up to {edge:g}", case.with_leaves({name: reaching(edge)(x)})


def _reals(case: Case) -> Values:
    """Return the arguments that hold any real numbers."""
    return {name: case.leaves[name] for name, kind in _kinds(case).items() if kind == "real"}


def _nearly_equal(arrays: Values) -> Values:
    """Arrays that differ from the first by a hundred thousandth, where they have its shape: float32 holds that."""
    base = 100.0 + next(iter(arrays.values()))
    return {name: base + 1e-3 * k * x for k, (name, x) in enumerate(arrays.items()) if x.shape == base.shape}


def _kinds(case: Case) -> dict[str, str]:
    """Return the kind of each plain argument; a name that is not known holds real numbers or a mask."""
    by_name = arguments([name for name in case.inputs if name in ARGUMENTS], case.settings)
    kinds: dict[str, str] = {}
    for name in case.inputs:
        if name in case.leaves and case.leaves[name].size:
            kind = by_name[name].kind if name in by_name else "real" if name in case.floats else "mask"
            kind = case.kinds.get(name, kind)
            kind = "real" if kind == "latent" else kind
            if "model" in case.settings and case.settings.get("epsilon") == 0:
                kind = "input of a model"  # whose probabilities become 0 earlier in float32: infinite by definition
            kinds[name] = f"second {kind}" if kind == "probability" and kind in kinds.values() else kind
    return kinds


def nan(case: Case) -> Seen:
    """NaN in any input gives NaN in every result that depends on it, or the library's own Cholesky error."""
    seen = Seen()
    if not case.floats:
        return nothing("it takes no floats")
    for name in case.floats:
        for place, dependent in _influences(case, name):
            x = case.leaves[name].copy()
            x[place] = np.nan
            try:
                results = case.with_leaves({name: x}).run()
            except Exception as error:
                if "LinAlgError" not in type(error).__name__ and "cholesky" not in str(error).lower():
                    raise
            else:
                if clean := [path for path in dependent if not np.isnan(results[path]).any()]:
                    raise fail(case, f"nan: NaN in `{name}` left no NaN in {', '.join(clean)}")
            seen += Seen(len(dependent))
    if not seen:
        raise fail(case, f"nan: no result depends on any of {', '.join(case.floats)}")
    return seen


PLACES = 16
"""At how many elements of an input, at most, is looked for an influence on a result."""


def _influences(case: Case, name: str) -> Iterator[tuple[tuple[int, ...], list[str]]]:
    """Yield places of an input, and the results that change with all of it or with the element there."""
    x = case.leaves[name]
    waiting = [path for path, y in case.expected.items() if y.dtype.kind == "f"]
    for flat in dict.fromkeys(np.linspace(0, x.size - 1, PLACES).astype(int).tolist()) if x.size else ():
        place = tuple(map(int, np.unravel_index(flat, x.shape)))
        probes = [x * 1.25]
        for value in (x[place] + 0.25, x.max(), x.min()):  # a rank changes at the ends
            probes.append(x.copy())
            probes[-1][place] = value
        changed = []
        for probe in probes:
            with suppress(np.linalg.LinAlgError):  # no covariance any more
                changed.append(case.with_leaves({name: probe}).expected)
        dependent = [k for k in waiting if not all(np.array_equal(y[k], case.expected[k]) for y in changed)]
        if dependent:
            yield place, dependent
        waiting = [path for path in waiting if path not in dependent]
        if not waiting:
            return


def extreme(case: Case) -> Seen:
    """At ordinary edges, such as saturated logits, constants or equal masks, results and gradients are finite."""
    return total(_at_edge(label, edge, case) for label, edge in cases_at_edges(case)) or nothing("it has no edges")


def extreme_alone(case: Case) -> Seen:
    """With one argument at an edge and the others ordinary, results and gradients are finite."""
    seen = total(_at_edge(label, edge, case) for label, edge in cases_with_one_at_edges(case))
    return seen or nothing("it does not take two arrays of real numbers")


def _at_edge(label: str, edge: Case, case: Case) -> Seen:
    """Raise unless the results at an edge are those of NumPy, and the gradients finite."""
    if edge.does_not_apply(f"extreme ({label})"):
        return Seen()
    each = edge.rounded("float32")
    infinite = _not_finite(each.expected)
    defined = _not_finite(case.expected)  # infinite by definition, as the first threshold of a curve
    impossible = "one-hot" in label and not any(np.isnan(x).any() for x in each.expected.values())  # events
    if not impossible and (bad := [path for path in infinite if path not in defined]):
        raise fail(case, f"extreme ({label}): {', '.join(bad)} is not finite in NumPy float64")
    seen = agree(each, _without_warnings(each, label), f"extreme ({label})", "float32")
    has_slope = bool(case.floats) and any(x.dtype.kind == "f" for x in case.expected.values())
    for dtype in ("float64", "float32") if has_slope and not infinite else ():
        gradient = _gradient(each, dtype)
        if bad := _not_finite(gradient):
            raise fail(case, f"extreme ({label}): gradient by {', '.join(bad)} is not finite in {dtype}")
        seen += Seen(len(gradient))
    return seen


def _gradient(case: Case, dtype: str) -> Values:
    """Return the gradient by the library or, where that has none, by `value_and_grad`; nothing where it has neither."""
    if not case.does_not_apply("gradients"):
        return case.gradient(dtype)
    if not case.does_not_apply("value_and_grad"):
        with suppress(TypeError), np.errstate(all="ignore"):  # what cannot be followed has a check of its own
            return case.followed(dtype)[1]
    return {}


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
