"""The most memory that a call needs beyond what was there before it."""

from __future__ import annotations

import ctypes
import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
MMAP_THRESHOLD = -3  # glibc's M_MMAP_THRESHOLD


def peak(library: str, run: Callable[[], Any]) -> int | None:
    """In bytes; None where the system does not tell. It slows down what this process allocates from now on."""
    return _traced_peak(run) if library == "numpy" else _resident_peak(run)


def _traced_peak(run: Callable[[], Any]) -> int:
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
    gc.collect()
    libc = ctypes.CDLL(None)
    libc.mallopt(MMAP_THRESHOLD, 2**14)  # what is freed goes back at once: memory kept would hide what is needed
    libc.malloc_trim(0)
    CLEAR.write_text("5")  # sets the high-water mark to what is resident now
    before = _status("VmRSS")
    run()
    return max(0, _status("VmHWM") - before)


def _status(field: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024
