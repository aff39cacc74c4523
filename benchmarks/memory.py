"""The most memory that a call needs beyond what was there before it."""

from __future__ import annotations

import ctypes
import gc
import tracemalloc
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
MMAP_THRESHOLD = -3  # glibc's M_MMAP_THRESHOLD
METERED = {"TF_CPU_ALLOCATOR_USE_BFC": "true"}
"""Variables of a process that measures memory."""


def peak(target: str, run: Callable[[], Any]) -> int | None:
    """In bytes; None where nobody tells. It slows down what this process allocates from now on."""
    meters = {"numpy": _traced_peak, "tensorflow": _peak_of_tensorflow, "torch-cuda": _peak_of_cuda}
    return meters.get(target, _resident_peak)(run)


def _peak_of_tensorflow(run: Callable[[], Any]) -> int | None:
    memory = import_module("tensorflow").config.experimental
    run()
    memory.reset_memory_stats("CPU:0")
    before = int(memory.get_memory_info("CPU:0")["current"])
    run()
    most = int(memory.get_memory_info("CPU:0")["peak"])
    return most - before if before else None  # of the allocator that counts, which METERED asks for


def _peak_of_cuda(run: Callable[[], Any]) -> int:
    cuda = import_module("torch").cuda
    run()
    cuda.reset_peak_memory_stats()
    before = int(cuda.memory_allocated())
    run()
    return int(cuda.max_memory_allocated()) - before


def _traced_peak(run: Callable[[], Any]) -> int:
    run()  # what is compiled, loaded and started at the first call is none of the formula's
    gc.collect()
    tracemalloc.start()  # NumPy reports its arrays to it
    try:
        before = tracemalloc.get_traced_memory()[0]
        run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _resident_peak(run: Callable[[], Any]) -> int | None:
    if not CLEAR.exists():
        return None
    libc = ctypes.CDLL(None)
    libc.mallopt(MMAP_THRESHOLD, 2**14)  # what is freed goes back at once: memory kept would hide what is needed
    run()
    gc.collect()
    libc.malloc_trim(0)
    CLEAR.write_text("5")  # sets the high-water mark to what is resident now
    before = _status("VmRSS")
    run()
    return max(0, _status("VmHWM") - before)


def _status(field: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024
