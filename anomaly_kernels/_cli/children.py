"""Run a function in a process for each library, because TensorFlow and torch can abort when they share one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

from anomaly_kernels._cli import tables

Result = TypeVar("Result")

PROCESSES = 2
"""How many run at a time."""

# Libraries without an extra of this package: one is for tests alone, the other has a package for each CUDA version.
_PACKAGES = {"array_api_strict": "array-api-strict", "cupy": "cupy-cuda12x"}


def how_to_install(library: str) -> str:
    """The command that installs a library: an extra of ours where there is one."""
    package = _PACKAGES.get(library, f'"anomaly_kernels[{library}]"')
    return f"pip install {package}"


def in_own_process(function: Callable[..., Result], *arguments: Any) -> Result | Exception:
    """Run a function in a new process; what it raises, or the death of its process, is returned."""
    # Spawned, since a forked process would start with the libraries that this one has loaded.
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"), initializer=discard_errors) as pool:
        future = pool.submit(function, *arguments)
        error = future.exception()
        return error if isinstance(error, Exception) else future.result()


def discard_errors() -> None:
    """Discard what this process writes to its error stream, where TensorFlow prints messages at each start."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def for_each_library(
    function: Callable[..., Result], libraries: Sequence[str], *arguments: Any
) -> Iterator[Result | Exception]:
    """``function(library, *arguments)`` for each library, a few processes at a time, in the order given."""
    with ThreadPoolExecutor(max_workers=PROCESSES) as threads:
        yield from threads.map(lambda library: in_own_process(function, library, *arguments), libraries)


def compare_libraries(
    function: Callable[..., Result], libraries: Sequence[str], doing: str, *arguments: Any
) -> tuple[Result, dict[str, Result | Exception]]:
    """Run `for_each_library` and show the progress: NumPy's result, which must be there, and all by library."""
    results = for_each_library(function, libraries, *arguments)
    outcomes = dict(zip(libraries, tables.progress(results, len(libraries), doing), strict=True))
    reference = outcomes["numpy"]
    if isinstance(reference, Exception):
        raise RuntimeError("NumPy, which the others are compared with, failed") from reference
    return reference, outcomes


def in_one_line(error: Exception) -> str:
    """The kind of an error and the first line of its message."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
