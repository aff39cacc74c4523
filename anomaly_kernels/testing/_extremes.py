"""Extreme but finite inputs, by kind of argument."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from anomaly_kernels.testing.samples import ARGUMENTS

if TYPE_CHECKING:
    from anomaly_kernels.testing.case import Case

Change = Callable[[np.ndarray], np.ndarray]


def one_hot(p: np.ndarray) -> np.ndarray:
    """All probability on the last place: exact zeros and a one."""
    return np.concatenate([np.zeros_like(p[..., 1:]), np.ones_like(p[..., :1])], axis=-1)


# Inputs stay in the domain of the formulas: covariances positive definite, variances and scales above 0.
CHANGES: dict[str, dict[str, Change]] = {
    "large": {"real": lambda x: 1e15 * x, "log variance": lambda x: 40 * x, "covariance": lambda x: 1e15 * x},
    "nearly overflowing": {"real": lambda x: 5e18 * x / np.max(np.abs(x))},
    "tiny": {
        "real": lambda x: 1e-20 * x,
        "positive": lambda x: 1e-10 * x,
        "covariance": lambda x: 1e-10 * x,
        "log variance": lambda x: x - 40,
    },
    "zero": {"real": np.zeros_like, "weights": np.zeros_like},
    "constant": {"real": np.ones_like, "weights": np.ones_like},
    "one-hot": {"probability": one_hot},
    "disjoint one-hot": {"probability": one_hot, "second probability": lambda p: one_hot(p)[..., ::-1]},
    "far from the origin": {"real": lambda x: x + 1e4},
    "all positive": {"mask": np.ones_like},
    "none positive": {"mask": np.zeros_like},
}


def extremes(case: Case) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Yield a label and the leaves it changes, for each extreme that changes any of the case's arguments."""
    for label, changes in CHANGES.items():
        changed = {}
        for name, kind in _kinds(case).items():
            change = changes.get(kind) or changes.get(kind.removeprefix("second ")) or changes.get(name)
            if change is not None:
                changed[name] = change(case.leaves[name])
        if changed:
            yield label, changed


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
            kinds[name] = f"second {kind}" if kind == "probability" and kind in kinds.values() else kind
    return kinds
