"""What it costs to go through the library at all: the door, a module, and the import."""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Any

import numpy as np

import anomaly_kernels as ak
from anomaly_kernels.testing.drivers import driver_for
from benchmarks.libraries import module_of
from benchmarks.timing import take_turns

IMPORT = "import numpy, time; t = time.perf_counter(); import anomaly_kernels; print(time.perf_counter() - t)"


def dispatch_microseconds(library: str, rounds: int) -> dict[str, float]:
    """What the door adds to a call of the library, beside the time of that call."""
    x = driver_for(library).array(np.ones(4, np.float32))
    exp = ak.array_namespace(x).exp

    def direct() -> Any:
        return exp(x)

    def through_the_door() -> Any:
        ak.array_namespace(x)
        return exp(x)

    times = take_turns({"direct": direct, "door": through_the_door}, seconds=20.0, rounds=rounds)
    added = [b - a for a, b in zip(times["direct"], times["door"], strict=True)]
    return {"call": 1e6 * statistics.median(times["direct"]), "added": 1e6 * statistics.median(added)}


def module_microseconds(rounds: int) -> dict[str, float]:
    """What a torch module adds to a call of its function."""
    import anomaly_kernels.torch as akt

    x, y = (driver_for("torch").array(np.ones((32, 10, 8), np.float32)) for _ in range(2))
    module = akt.MSEReconstructionLoss()
    candidates = {"function": lambda: ak.mse_reconstruction_loss(y, x), "module": lambda: module(x, y)}
    times = take_turns(candidates, seconds=20.0, rounds=rounds)
    added = [b - a for a, b in zip(times["function"], times["module"], strict=True)]
    return {"call": 1e6 * statistics.median(times["function"]), "added": 1e6 * statistics.median(added)}


def import_seconds(times: int = 7) -> list[float]:
    """How long importing this library takes once NumPy is there, each time in a new process."""
    command = [sys.executable, "-c", IMPORT]
    return [float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(times)]


def version_of(library: str) -> str:
    """The version of what is measured."""
    return str(getattr(module_of(library), "__version__", driver_for(library).version()))
