"""Checks of what libraries do to functions: differentiate, compile, map over a batch, trace, compute later."""

from __future__ import annotations

from typing import Any

import numpy as np

from anomaly_kernels.testing.agreement import Seen, agree, fail, total
from anomaly_kernels.testing.case import Case, Values
from anomaly_kernels.testing.trees import flatten


def gradients(case: Case) -> Seen:
    """Automatic gradients are the slopes of the NumPy values, beside these; in float32 they are those of float64."""
    value, gradient = case.differentiated()
    seen = _is_sum(case, value, "gradients") + _has_slopes(case, gradient, "gradients")
    exact = case.rounded("float32")
    return seen + agree(case, exact.gradient("float32"), "gradients", "float32", expected=exact.gradient())


def value_and_grad(case: Case) -> Seen:
    """`value_and_grad` of this library gives the value, and the slopes of the NumPy values as its gradient."""
    value, gradient = case.followed()
    return _is_sum(case, value, "value_and_grad") + _has_slopes(case, gradient, "value_and_grad")


def _is_sum(case: Case, value: np.ndarray, what: str) -> Seen:
    """Raise unless the value is the weighted sum of the NumPy results."""
    expected = {"sum of results": np.asarray(case.reference_total({}))}
    return agree(case, {"sum of results": value}, what, expected=expected)


def _has_slopes(case: Case, gradient: Values, what: str) -> Seen:
    """Raise unless the gradient is the slope of the NumPy values along two directions of each input."""
    h, seen = 2.0**-14, Seen()
    for name in case.floats:
        for seed in (1, 2):
            v = case.direction(name, seed)
            f = _totals_along(case, {name: v}, h)
            slope = (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * h)
            actual = float(np.sum(gradient[name] * v))
            allowed = 1e-7 * (abs(slope) + abs(f[0]) + 1e-3)
            if not abs(actual - slope) <= allowed:
                raise fail(case, f"{what}: {actual:.9g} along a direction of `{name}`, central differences {slope:.9g}")
            seen += Seen(1, abs(actual - slope) / allowed)
    return seen


def _totals_along(case: Case, direction: Values, h: float) -> dict[int, float]:
    """Sum the NumPy values at -2, -1, 0, 1 and 2 steps along a direction: for central differences of fourth order."""
    steps = {k: {name: case.leaves[name] + k * h * v for name, v in direction.items()} for k in range(-2, 3)}
    return {k: case.reference_total(leaves) for k, leaves in steps.items()}


def second_derivatives(case: Case) -> Seen:
    """Differentiating twice gives the curvature of the NumPy values along a direction."""
    h, seen = 2.0**-12, Seen()  # small, so that samples seldom lie as near to a kink
    for seed in (1, 2):
        direction = {name: case.direction(name, seed) for name in case.floats}
        f = _totals_along(case, direction, h)
        expected = (16 * (f[-1] + f[1]) - (f[-2] + f[2]) - 30 * f[0]) / (12 * h * h)
        arrays = {name: case.driver.array(v) for name, v in direction.items()}
        actual = float(case.driver.numpy(case.driver.curvature(case.summed, case.arrays(), arrays)))
        allowed = 1e-6 * (abs(expected) + abs(f[0]) + 1e-3)
        if not abs(actual - expected) <= allowed:
            raise fail(case, f"second_derivatives: {actual:.9g}, central differences of the values {expected:.9g}")
        seen += Seen(1, abs(actual - expected) / allowed)
    return seen


def jit(case: Case) -> Seen:
    """Compiled, the function gives the same values and has the same gradients."""
    compiled = case.driver.jit(case.call)
    if case.does_not_apply("gradients"):
        return agree(case, case.read(compiled(case.arrays())), "jit")
    value, gradient = case.driver.value_and_grad(lambda x: case.total(compiled(x)), case.arrays(), case.floats)
    seen = _is_sum(case, case.driver.numpy(value), "jit")
    return seen + agree(case, case.read_leaves(gradient), "jit, gradients", expected=case.gradient())


def vmap(case: Case) -> Seen:
    """Mapped over a batch of inputs, the function gives what it gives for each of them."""
    members, arrays = _batch(case)
    results = case.driver.vmap(lambda arrays: flatten(case.call(arrays)))(arrays)
    return agree(case, case.read_leaves(results), "vmap", expected=_stack([m.run() for m in members]))


def vmap_gradients(case: Case) -> Seen:
    """The gradient of each member of a batch, in one call: vmap over grad."""
    members, arrays = _batch(case)
    gradients = case.driver.vmap_grad(case.summed, arrays, case.floats)
    return agree(case, case.read_leaves(gradients), "vmap_gradients", expected=_stack([m.gradient() for m in members]))


def _batch(case: Case) -> tuple[list[Case], dict[str, Any]]:
    """Return the case three times, with its floats scaled differently, and the arrays of all three stacked."""
    members = [case.with_leaves({k: case.leaves[k] * scale for k in case.floats}) for scale in (1.0, 1.25, 0.75)]
    return members, {name: case.driver.array(x) for name, x in _stack([m.leaves for m in members]).items()}


def _stack(results: list[Values]) -> Values:
    return {name: np.stack([r[name] for r in results]) for name in results[0]}


def unknown_batch(case: Case) -> Seen:
    """Traced once with an unknown batch size, the function is right for two sizes."""
    traced = case.driver.unknown_batch(case.call, case.arrays(), case.batched)
    shorter = case.with_leaves({name: case.leaves[name][:-1] for name in case.batched})
    return total(agree(each, each.read(traced(each.arrays())), "unknown_batch") for each in (case, shorter))


def lazy(case: Case) -> Seen:
    """Building the graph computes nothing; computing it gives the values."""
    arrays = case.arrays()
    with case.driver.building():
        result = case.call(arrays)
    if eager := [path for path, x in flatten(result).items() if not case.driver.is_array(x)]:
        raise fail(case, f"lazy: {', '.join(eager)} is no lazy array")
    return agree(case, case.read(result), "lazy")
