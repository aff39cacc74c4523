"""Checks of values: NumPy's, and the same when called again, for any order of the batch and layout of memory."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from anomaly_kernels.testing.agreement import agree, fail
from anomaly_kernels.testing.case import Case, Values


def values(case: Case) -> None:
    """Values agree with NumPy float64, in float64 and in float32."""
    for dtype in ("float64", "float32"):
        exact = case.rounded(dtype)
        agree(exact, exact.run(dtype), "values", dtype)


def purity(case: Case) -> None:
    """Called as it is, the function gives the values, the same bits again, and leaves its inputs as they were."""
    arrays = case.arrays()
    before = {name: x.copy() for name, x in case.read_leaves(arrays).items()}  # what is read may be the same memory
    first, second = case.read(case.call(arrays)), case.read(case.call(arrays))
    if changed := [k for k, x in case.read_leaves(arrays).items() if not np.array_equal(x, before[k], equal_nan=True)]:
        raise fail(case, f"purity: the call changed {', '.join(changed)}")
    if other := [k for k, x in second.items() if not np.array_equal(x, first[k], equal_nan=True)]:
        raise fail(case, f"purity: {', '.join(other)} differs when called again")
    agree(case, first, "purity")


def permutation(case: Case) -> None:
    """The order of the batch does not matter: results with a batch axis follow it, the others stay."""
    if not case.batched:
        return
    n = case.leaves[case.batched[0]].shape[0]
    order = np.random.default_rng(0).permutation(n)
    shuffled = case.with_leaves({name: case.leaves[name][order] for name in case.batched})
    followed = {k: x[order] if x.ndim and x.shape[0] == n else x for k, x in case.expected.items()}
    agree(case, shuffled.run(), "permutation", expected=followed)


def layout(case: Case) -> None:
    """Arrays with gaps, reversed axes or write protection are as good as any."""
    for kind, array in (("non-contiguous", case.driver.strided), ("read-only", case.driver.read_only)):
        agree(case, case.read(case.call({k: array(x) for k, x in case.leaves.items()})), f"layout, {kind}")


def reductions(case: Case) -> None:
    """The reductions "mean" and "sum" are those of "none", and `weight` multiplies each."""
    parameters = inspect.signature(case.function).parameters
    arrays = case.arrays()

    def run(**settings: Any) -> Values:
        return case.read(case.function(**case.trees(arrays), **{**case.settings, **settings}))

    if "reduction" in parameters:
        each = run(reduction="none")
        agree(case, run(reduction="mean"), "mean", expected={k: np.asarray(x.mean()) for k, x in each.items()})
        agree(case, run(reduction="sum"), "sum", expected={k: np.asarray(x.sum()) for k, x in each.items()})
    if "weight" in parameters and "weight" not in case.inputs:
        once = run(weight=1.0)
        for weight in (2, 2.0, case.driver.array(np.asarray(2.0))):
            agree(case, run(weight=weight), f"weight={weight!r}", expected={k: 2 * x for k, x in once.items()})
