"""Times of candidates that take turns, alone and beside a busy process."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np

Run = Callable[[], Any]
LEAST_ROUNDS = 3  # however long they take
MOST_CALLS = 2000
SPIN = "print(flush=True)\nwhile True: pass"


class Patience(NamedTuple):
    """How long to measure a case: rounds until there are enough, or the time is up."""

    rounds: int
    seconds: float
    shortest: float
    """Seconds that a single measurement lasts at least, in as many calls as that takes."""
    clock: str = "perf_counter"
    """Of `time`; `process_time` counts what the processor does for this process, which a busy machine disturbs less."""


def take_turns(runs: Mapping[str, Run], patience: Patience, rng: np.random.Generator) -> dict[str, list[float]]:
    """Seconds that a call takes, for each candidate and round; each round in an order of its own.

    Each has been called before: the first call compiles, loads and allocates.
    """
    once = partial(_once, getattr(time, patience.clock))
    calls = {name: _calls(run, once, patience.shortest) for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    started = time.perf_counter()
    for k in range(patience.rounds):
        if k >= LEAST_ROUNDS and time.perf_counter() - started > patience.seconds:
            break
        for name in rng.permutation(list(runs)):
            times[name].append(once(runs[name], calls[name]))
    return times


def spread(values: Any) -> list[float]:
    """The lower quartile, the median and the upper quartile."""
    return [float(f"{x:.4g}") for x in np.quantile(np.asarray(values), [0.25, 0.5, 0.75])]


def compared(times: Mapping[str, list[float]]) -> dict[str, Any]:
    """Milliseconds of each candidate, and the first one's time over each other one's, round by round."""
    first, *others = times
    ours = np.asarray(times[first])
    return {
        "milliseconds": {name: spread(1e3 * np.asarray(each)) for name, each in times.items()},
        "ours_over": {name: spread(ours / times[name]) for name in others},
    }


@contextmanager
def busy_core() -> Iterator[subprocess.Popen[bytes]]:
    """Within it another process keeps a core busy."""
    with subprocess.Popen([sys.executable, "-c", SPIN], stdout=subprocess.PIPE) as spinning:
        assert spinning.stdout is not None
        spinning.stdout.readline()  # it has started
        try:
            yield spinning
        finally:
            spinning.kill()


def _calls(run: Run, once: Callable[[Run, int], float], shortest: float) -> int:
    return max(1, min(MOST_CALLS, int(shortest / max(once(run, 1), 1e-7))))


def _once(clock: Callable[[], float], run: Run, calls: int) -> float:
    started = clock()
    for _ in range(calls):
        run()
    return (clock() - started) / calls
