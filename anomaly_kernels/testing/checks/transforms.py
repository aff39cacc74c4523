"""Checks of what libraries do to functions: compile, map over a batch, trace, compute later."""

from __future__ import annotations

from typing import Any

import numpy as np

from anomaly_kernels.testing.agreement import agree, fail
from anomaly_kernels.testing.case import Case, Values
from anomaly_kernels.testing.support import does_not_apply
from anomaly_kernels.testing.trees import Arrays, flatten


def jit(case: Case) -> None:
    """Compiled, the function gives the same values and has the same gradients."""
    compiled = case.driver.jit(case.call)
    if does_not_apply("gradients", case.name, case.driver.name):
        return agree(case, case.read(compiled(case.arrays())), "jit")

    def summed(arrays: Arrays) -> Any:
        return case.total(compiled(arrays))

    total, gradient = case.driver.value_and_grad(summed, case.arrays(), case.floats)
    values = {"sum of results": case.driver.numpy(total)}
    agree(case, values, "jit", expected={"sum of results": np.asarray(case.reference_total({}))})
    return agree(case, case.read_leaves(gradient), "jit, gradients", expected=case.gradient())


def vmap(case: Case) -> None:
    """Mapped over a batch of inputs, the function gives what it gives for each of them."""
    members = _members(case)
    results = case.driver.vmap(lambda arrays: flatten(case.call(arrays)))(_arrays(case, members))
    agree(case, case.read_leaves(results), "vmap", expected=_stack([m.run() for m in members]))


def vmap_gradients(case: Case) -> None:
    """The gradient of each member of a batch, in one call: vmap over grad."""
    members = _members(case)
    gradients = case.driver.vmap_grad(case.summed, _arrays(case, members), case.floats)
    agree(case, case.read_leaves(gradients), "vmap_gradients", expected=_stack([m.gradient() for m in members]))


def _members(case: Case) -> list[Case]:
    """Return the case three times, with its floats scaled differently."""
    floats = [{name: case.leaves[name] * scale for name in case.floats} for scale in (1.0, 1.25, 0.75)]
    return [case.with_leaves(leaves) for leaves in floats]


def _arrays(case: Case, members: list[Case]) -> dict[str, Any]:
    return {name: case.driver.array(x) for name, x in _stack([m.leaves for m in members]).items()}


def _stack(results: list[Values]) -> Values:
    return {name: np.stack([r[name] for r in results]) for name in results[0]}


def unknown_batch(case: Case) -> None:
    """Traced once with an unknown batch size, the function is right for two sizes."""
    traced = case.driver.unknown_batch(case.call, case.arrays(), case.batched)
    shorter = case.with_leaves({name: case.leaves[name][:-1] for name in case.batched})
    for each in (case, shorter):
        agree(each, each.read(traced(each.arrays())), "unknown_batch")


def lazy(case: Case) -> None:
    """Building the graph computes nothing; computing it gives the values."""
    arrays = case.arrays()
    with case.driver.building():
        result = case.call(arrays)
    if eager := [path for path, x in flatten(result).items() if not case.driver.is_array(x)]:
        raise fail(case, f"lazy: {', '.join(eager)} is no lazy array")
    agree(case, case.read(result), "lazy")
