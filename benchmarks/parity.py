"""Measure peers anew whose numbers docs/parity.toml holds, where they are installed, and ours beside them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent / "docs"))  # where the rows are
os.environ.setdefault("KERAS_BACKEND", "torch")

import parity

Names = dict[str, Any]


def _torch() -> Names:
    torch = import_module("torch")
    return {"torch": torch, "F": torch.nn.functional, "t": torch.tensor}


def _torchmetrics() -> Names:
    torchmetrics = import_module("torchmetrics")
    names = _torch()

    def batches(name: str) -> Any:
        metric = getattr(torchmetrics.classification, name)()
        for scores, target in (([0.2, 0.9, 0.6], [0, 1, 1]), ([3.0, 0.5, 0.7], [1, 0, 0])):
            metric.update(names["t"](scores), names["t"](target))
        return metric.compute()

    return names | {"f": torchmetrics.functional, "batches": batches}


def _keras() -> Names:
    keras = import_module("keras")

    def auc(target: np.ndarray, score: np.ndarray) -> Any:
        metric = keras.metrics.AUC(curve="PR")
        metric.update_state(target, score)
        return metric.result()

    return {"keras": keras, "auc": auc}


NAMES: dict[str, Callable[[], Names]] = {
    "torch": _torch,
    "torchmetrics": _torchmetrics,
    "keras": _keras,
    "optax": lambda: {"optax": import_module("optax"), "jax": import_module("jax")},
    "scipy": lambda: {"stats": import_module("scipy.stats"), "ndimage": import_module("scipy.ndimage")},
    "sklearn": lambda: {"m": import_module("sklearn.metrics")},
}
"""What `again` may name, by package."""
DISTRIBUTIONS = {"sklearn": "scikit-learn"}


def run() -> int:
    """Print a line for each number of each peer; the number of lines that differ from what is recorded."""
    differing = 0
    for peer, entry in parity.peers().items():
        package = entry.get("package")
        here = package is not None and find_spec(package) is not None
        found = version(DISTRIBUTIONS.get(package, package)) if here else "not installed"
        print(f"\n{peer}: recorded of {entry['version']}; here: {found}")
        for row in parity.rows_of(peer, entry):
            theirs = _of_peer(row, package) if here and row.again else ""
            ours = parity.result_of(row.call, parity.scope_of(row)) if row.call else ""
            changed = [theirs] * bool(theirs and not parity.same(theirs, row.theirs))
            changed += [ours] * bool(ours and not parity.same(ours, row.ours))
            differing += bool(changed)
            mark = f"  DIFFERS: {', '.join(changed)}" if changed else ""
            print(f"  {row.name}, {row.given}: theirs {row.theirs}{' (again)' * bool(theirs)}, ours {ours}{mark}")
    return differing


def _of_peer(row: parity.Row, package: str) -> str:
    return parity.result_of(f"plain({row.again})", parity.scope_of(row, plain=_plain, **NAMES[package]()))


def _plain(x: Any) -> np.ndarray:
    return np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)
