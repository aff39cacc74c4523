"""Times of candidates that take turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

Run = Callable[[], Any]
LONG_ENOUGH = 2e-3  # seconds that the clock and the loop around a call do not show in


class Ratio(NamedTuple):
    """Time of ours over that of another, from pairs of neighbouring measurements."""

    least: float
    median: float


def take_turns(candidates: dict[str, Run], seconds: float, rounds: int) -> dict[str, list[float]]:
    """Seconds a call takes, for each candidate and round; at least three rounds, however long they take."""
    calls = {name: _calls(run) for name, run in candidates.items()}
    times: dict[str, list[float]] = {name: [] for name in candidates}
    started = time.perf_counter()
    for k in range(rounds):
        if k >= 3 and time.perf_counter() - started > seconds:
            break
        order = list(candidates) if k % 2 == 0 else list(reversed(candidates))  # nobody always follows the same one
        for name in order:
            times[name].append(_once(candidates[name], calls[name]))
    return times


def ratios(times: dict[str, list[float]], ours: str = "ours") -> dict[str, Ratio]:
    """Ours over each other candidate."""
    pairs = {
        other: [a / b for a, b in zip(times[ours], seconds, strict=True)]
        for other, seconds in times.items()
        if other != ours
    }
    return {other: Ratio(min(found), statistics.median(found)) for other, found in pairs.items()}


def compared(candidates: dict[str, Run], seconds: float, rounds: int) -> dict[str, Any]:
    """Milliseconds of each candidate, and ours over each other one."""
    times = take_turns(candidates, seconds, rounds)
    return {
        "milliseconds": {name: 1e3 * statistics.median(each) for name, each in times.items()},
        "ours_over": {other: ratio._asdict() for other, ratio in ratios(times).items()},
    }


def _calls(run: Run) -> int:
    run()  # compiles, loads, allocates
    return max(1, min(2000, int(LONG_ENOUGH / max(_once(run, 1), 1e-7))))


def _once(run: Run, calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - started) / calls
