"""What it costs to go through the library at all: `array_namespace` (the door), a class, and the import."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

import anomaly_kernels as ak
from benchmarks.libraries import array_of
from benchmarks.timing import Run, spread

IMPORT = "import numpy, time; t = time.perf_counter(); import anomaly_kernels; print(time.perf_counter() - t)"


def runs(library: str) -> Iterator[tuple[str, str, dict[str, Run]]]:
    """What is compared, how it runs, and the two of it; "plain" goes without the door, or without the class."""
    x, y = (array_of(library)(np.ones((32, 10, 8), np.float32)) for _ in range(2))
    exp = ak.array_namespace(x).exp

    def through_the_door() -> Any:
        ak.array_namespace(x)
        return exp(x)

    yield "a call through the door", "eager", {"ours": through_the_door, "plain": lambda: exp(x)}
    if library == "torch":
        import anomaly_kernels.torch as akt

        module = akt.MSEReconstructionLoss()
        yield (
            "a module",
            "eager",
            {"ours": lambda: module(x, y), "plain": lambda: ak.mse_reconstruction_loss(y, x)},
        )


def import_milliseconds(times: int = 7) -> list[float]:
    """Quartiles of how long importing this library takes once NumPy is there, each time in a new process."""
    command = [sys.executable, "-c", IMPORT]
    done = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(times)]
    return spread([1e3 * float(seconds) for seconds in done])
