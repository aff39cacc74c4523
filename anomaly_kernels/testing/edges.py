"""Inputs at ordinary edges, by kind of argument: saturated logits, zeros and ones, constants, data far away."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from anomaly_kernels.testing.arguments import ARGUMENTS
from anomaly_kernels.testing.case import Case

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
    kinds: dict[str, str] = {}
    for name in case.inputs:
        if name in case.leaves and case.leaves[name].size:
            usual = "real" if name in case.floats else "mask"
            kind = ARGUMENTS[name].kind if name in ARGUMENTS else usual
            if name == "y_pred" and "x_true" in case.inputs:
                kind = "probability"
            kind = "real" if kind == "latent" else kind
            if "model" in case.settings and case.settings.get("epsilon") == 0:
                kind = "input of a model"  # whose probabilities become 0 earlier in float32: infinite by definition
            kinds[name] = f"second {kind}" if kind == "probability" and kind in kinds.values() else kind
    return kinds
