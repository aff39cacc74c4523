"""Checks of what libraries do to functions: compile, vectorise, trace, delay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_kernels.testing._driver import flatten
from anomaly_kernels.testing._numbers import gradient_of
from anomaly_kernels.testing.agreement import agree, fail
from anomaly_kernels.testing.support import does_not_apply

if TYPE_CHECKING:
    from anomaly_kernels.testing.case import Case, Values


def jit(case: Case) -> None:
    """Compiled, the function gives the same values and has the same gradients."""
    compiled = case.driver.jit(case.call)
    if does_not_apply("gradients", case.name, case.driver.name):
        return agree(case, case.read(compiled(case.arrays())), "jit")
    total, found = case.driver.value_and_grad(lambda arrays: case.total(compiled(arrays)), case.arrays(), case.floats)
    values = {"sum of results": case.driver.numpy(total)}
    agree(case, values, "jit", expected={"sum of results": np.asarray(case.reference_total({}))})
    return agree(case, case.read_leaves(found), "jit, gradients", expected=gradient_of(case))


def vmap(case: Case) -> None:
    """Mapped over a batch of inputs, the function gives what it gives for each of them."""
    members = _members(case)
    stacked = _stack(case, members)
    found = case.driver.vmap(lambda arrays: flatten(case.call(arrays)))(stacked)
    agree(case, case.read_leaves(found), "vmap", expected=_stacked([m.run() for m in members]))


def vmap_gradients(case: Case) -> None:
    """The gradient of each member of a batch, in one call: vmap over grad."""
    members = _members(case)
    found = case.driver.vmap_grad(case.summed, _stack(case, members), case.floats)
    agree(case, case.read_leaves(found), "vmap_gradients", expected=_stacked([gradient_of(m) for m in members]))


def _members(case: Case) -> list[Case]:
    floats = [{name: case.leaves[name] * scale for name in case.floats} for scale in (1.0, 1.25, 0.75)]
    return [case.with_leaves(leaves) for leaves in floats]


def _stack(case: Case, members: list[Case]) -> dict[str, Any]:
    return {name: case.driver.array(np.stack([m.leaves[name] for m in members])) for name in case.leaves}


def _stacked(results: list[Values]) -> Values:
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


def layout(case: Case) -> None:
    """Arrays with gaps, reversed axes or write protection are as good as any."""
    arrays = case.driver
    agree(case, case.read(case.call({k: arrays.strided(x) for k, x in case.leaves.items()})), "layout, non-contiguous")
    agree(case, case.read(case.call({k: arrays.read_only(x) for k, x in case.leaves.items()})), "layout, read-only")
