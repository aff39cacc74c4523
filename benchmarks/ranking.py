"""Metrics of a ranking on NumPy beside scikit-learn and torchmetrics; in a process of its own, which loads both."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import anomaly_kernels as ak
from benchmarks.timing import compared

SHARE = 0.02  # of positives
Candidates = dict[str, Callable[[], Any]]


def measure(scores: int, seconds: float, rounds: int) -> dict[str, Any]:
    """Milliseconds, and our time over that of each other, of each metric and dtype."""
    found = {}
    for label, candidates in _cases(scores):
        same = [float(run()) for run in candidates.values()]
        assert np.ptp(same) < 1e-4, f"{label} is not one number: {same}"
        found[label] = compared(candidates, seconds, rounds)
    return found


def _cases(scores: int) -> Iterator[tuple[str, Candidates]]:
    import sklearn.metrics
    import torch
    from torchmetrics.functional import classification

    rng = np.random.default_rng(0)
    target = rng.random(scores) < SHARE
    names = {
        ak.average_precision: (sklearn.metrics.average_precision_score, classification.binary_average_precision),
        ak.roc_auc: (sklearn.metrics.roc_auc_score, classification.binary_auroc),
    }
    for dtype in ("float32", "float64"):
        score = (rng.normal(size=scores) + 2.0 * target).astype(dtype)
        # in [0, 1], where torchmetrics does not squash: the same ranks
        squashed = torch.as_tensor(np.argsort(np.argsort(score)) / scores)
        truth = torch.as_tensor(target.astype(np.int64))
        for ours, (scikit, metric) in names.items():
            yield (
                f"{ours.__name__}, {scores}, {dtype}",
                {
                    "ours": partial(ours, target, score),
                    "scikit-learn": partial(scikit, target, score),
                    "torchmetrics": partial(metric, squashed, truth, validate_args=False),
                },
            )


if __name__ == "__main__":
    quick = "--quick" in sys.argv
    json.dump(measure(2**17 if quick else 1_000_000, 2.0 if quick else 20.0, 5 if quick else 15), sys.stdout)
