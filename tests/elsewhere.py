"""Checks of the contract that the suite of a library leaves to others, and why: for the tests and the support page.

To compile, to trace and to build graphs takes most of the suite's time, so such a library is asked for what it may do
in its own way: values, dtypes, gradients, what its transformations give.
"""

from __future__ import annotations

IN_OTHER_CHECKS: dict[str, dict[str, str]] = {
    "jax": {
        "jit": "the other checks look at values and gradients of compiled functions already",
        "value_and_grad": "it is JAX's own gradient, as in `gradients`; tests/test_tape.py calls it with JAX",
    },
}
"""Made of every kernel in this library, as part of another check."""

IN_OTHER_LIBRARIES: dict[str, dict[str, str]] = {
    "jax": {
        "masks": "one function makes them numbers, before any formula: tests/test_targets.py gives each kind to JAX",
        "half": "one function casts it, before any formula: tests/test_checks.py calls it with JAX, torch all kernels",
        "purity": "its arrays cannot be changed; the comparisons with recorded values call all kernels uncompiled",
        "reductions": "a relation between formulas: NumPy, torch, TensorFlow and array-api-strict show it",
    },
    "dask": {
        "reductions": "a relation between formulas: NumPy, torch, TensorFlow and array-api-strict show it",
        "masks": "one function makes them numbers, before any formula: tests/test_targets.py gives each kind to Dask",
        **dict.fromkeys(["extreme", "extreme_alone"], "NumPy computes the chunks, and has shown its edges itself"),
    },
}
"""Not made of every kernel in this library: the others show it."""
