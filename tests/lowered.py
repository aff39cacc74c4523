"""Evaluation in blocks at small sizes, for tests: the thresholds from which on it pays are lowered."""

from __future__ import annotations

import os
from typing import Any

from anomaly_kernels._core.backends import blocks, numpy
from anomaly_kernels.losses import mixture


def lower_thresholds(patch: Any, size: int) -> None:
    """Every formula that may be is cut in blocks of that size."""
    patch.setattr(blocks, "BLOCK", size)
    for name in ("_WEIGHTS", "_SCATTER", "_ENERGY"):
        patch.setattr(mixture, name, getattr(mixture, name)._replace(blocks=1))
    patch.setattr(numpy, "BLOCKS", 1)
    if os.environ.get("AK_LIBRARY") == "torch":
        from anomaly_kernels._core.backends import torch_evaluation

        patch.setattr(torch_evaluation, "SMALL", 0)
        patch.setattr(torch_evaluation, "BLOCKS", 0)
        patch.setattr(torch_evaluation, "RECORDED_BLOCKS", 0)
