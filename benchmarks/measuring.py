"""Everything that is measured of one library, in a process of its own.

A row is one case at one size in one way. Its `part` says which table it is for: `large` and `small` inputs of every
case, `growth` of a few over all sizes, `around` for what is no kernel, `refused` where candidates give another number.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import keras_metrics, libraries, networks, overhead
from benchmarks.cases import CASES, GROWN, SLOW, arrays_of
from benchmarks.cases import QUICK as QUICK_CASES
from benchmarks.libraries import Inputs, Run, Way
from benchmarks.memory import peak
from benchmarks.peers import peers_of
from benchmarks.timing import Patience, busy_core, compared, spread, take_turns

Row = dict[str, Any]
LARGE_ENOUGH = 2**19  # numbers from which on what is read, and what is allocated, is more than noise
CLOSE = 2e-3  # what float32 and long sums leave between two right numbers
SAFETY = 16  # times its largest input: what the plain gradient of a case may need


class Plan(NamedTuple):
    """What is measured, and how long."""

    cases: tuple[str, ...] = tuple(CASES)
    sizes: tuple[int, ...] = (10**3, 10**4, 10**5, 10**6, 10**7, 10**8)
    small: int = 32 * 10 * 8
    large: int = 2**24
    metered: int = 2**22
    """Instead of `large`, where memory is measured: what is needed grows in proportion, or not at all."""
    limit: float = 1.0
    """Of the size that a case gives as its largest."""
    read: int = 2**26
    slow: tuple[str, ...] = SLOW
    grown: tuple[str, ...] = GROWN
    around: bool = True
    patience: Patience = Patience(rounds=15, seconds=0.6, shortest=0.01)
    seed: int = 0


QUICK = Plan(
    QUICK_CASES,
    sizes=(10**3, 10**4, 10**5, 10**6),
    large=2**20,
    limit=1 / 8,
    slow=("BCE",),
    grown=("BCE",),
    around=False,
    patience=Patience(rounds=7, seconds=0.25, shortest=0.003),
)


def measure(kind: str, target: str, plan: Plan) -> list[Row]:
    """Rows of "speed" or of "memory"; a meter of memory makes what is allocated slower, so not in one process."""
    meter = Meter(target, plan)
    if kind == "memory":
        return in_order(row for job in meter.jobs() for row in meter.memory(*job))
    rows = [row for job in meter.jobs() for row in meter.speed(*job)]
    if plan.around and target in libraries.CPU:
        for name, way, runs in (*overhead.runs(target), *networks.runs(target), *keras_metrics.runs(target)):
            for run in runs.values():
                run()
            rows.append({"part": "around", "case": name, "way": way, "elements": 0, **meter.compare(runs)})
    return in_order(rows)


class Meter:
    """Measures cases in one library."""

    def __init__(self, target: str, plan: Plan) -> None:
        self.target, self.plan = target, plan
        self.library, self.array = libraries.library_of(target), libraries.array_of(target)
        self.xp = libraries.names_of(self.library)
        self.rng = np.random.default_rng(plan.seed)
        self._read = self._reading()

    def jobs(self) -> list[tuple[str, str, int]]:
        """Part, case and size of each, in random order."""
        plan = self.plan
        jobs = [(part, name, n) for name in plan.cases for part, n in (("small", plan.small), ("large", plan.large))]
        grown = [(name, n) for name in plan.grown if name in plan.cases for n in plan.sizes]
        jobs += [("growth", name, n) for name, n in grown if n <= CASES[name].largest]
        possible = [job for job in jobs if self.library not in CASES[job[1]].lacks and self._fits(job[2])]
        return [possible[k] for k in self.rng.permutation(len(possible))]

    def speed(self, part: str, name: str, elements: int) -> Iterator[Row]:
        """A row for each way, and one more beside a busy process."""
        elements, inputs = self._inputs_of(name, elements)
        for k, way in enumerate(self._ways(part, name)):
            runs: dict[str, Any] = self._runs(way, name, inputs)
            about = {"part": part, "case": name, "way": way.name, "elements": elements, "busy": False}
            say(f"{self.target}: {name}, {elements} numbers, {way.name}")
            try:
                check_same(runs)
            except AssertionError as error:
                yield about | {"part": "refused", "why": str(error)}
                continue
            if elements >= LARGE_ENOUGH:
                runs["read"] = self._read
            yield about | self.compare(runs, nbytes(inputs))
            if part == "large" and k == 0:
                with busy_core():
                    yield about | {"busy": True} | self.compare(runs, nbytes(inputs))

    def memory(self, part: str, name: str, elements: int) -> Iterator[Row]:
        """The most that each candidate needs beyond the inputs, in each way, at sizes where that is not noise."""
        if elements < LARGE_ENOUGH:
            return
        elements, inputs = self._inputs_of(name, min(elements, self.plan.metered) if part == "large" else elements)
        for way in self._ways(part, name):
            if not way.slow:
                runs = self._runs(way, name, inputs)
                shown = ("ours", "plain") if part == "growth" else tuple(runs)
                peaks = {who: peak(self.target, runs[who]) for who in shown}
                about = {"part": part, "case": name, "way": way.name, "elements": elements}
                yield about | {"input_bytes": nbytes(inputs), "peak_bytes": peaks}

    def compare(self, runs: dict[str, Any], read: int = 0) -> Row:
        """Times and ratios, and the share of the bandwidth that ours gets of the bytes it reads."""
        times = take_turns(runs, self.plan.patience, self.rng)
        beside = times.pop("read", None)
        row = compared(times)
        if beside:
            pace = 4 * self.plan.read / np.asarray(beside)
            row |= {"input_bytes": read, "gigabytes_per_second": spread(pace / 1e9)}
            row |= {"share": spread(read / np.asarray(times["ours"]) / pace)}
        return row

    def _inputs_of(self, name: str, elements: int) -> tuple[int, Inputs]:
        case = CASES[name]
        elements = min(elements, int(self.plan.limit * case.largest))
        return elements, arrays_of(case, elements, self.array)

    def _ways(self, part: str, name: str) -> Iterator[Way]:
        for way in libraries.ways(self.library):
            differentiable = CASES[name].wrt or not way.gradient
            if differentiable and (not way.slow or (part == "large" and name in self.plan.slow)):
                yield way

    def _runs(self, way: Way, name: str, inputs: Inputs) -> dict[str, Run]:
        case = CASES[name]
        functions = {"ours": case.ours, "plain": partial(case.plain, self.xp), **peers_of(self.library, name)}
        return {who: way.make(f, inputs, case.wrt) for who, f in functions.items()}

    def _fits(self, elements: int) -> bool:
        from psutil import virtual_memory

        return 4 * elements * SAFETY < virtual_memory().available

    def _reading(self) -> Callable[[], Any]:
        """The plain sum of an array that no cache holds: as fast as this library reads memory."""
        big = self.array(np.ones(self.plan.read, np.float32))
        first = libraries.ways(self.library)[0]
        run = first.make(lambda big: self.xp.sum(big), {"big": big}, "")
        run()
        return run


def check_same(runs: dict[str, Run]) -> None:
    """Raise unless all give the same value, and gradient if they give one: else there is nothing to compare."""
    value, slope = runs["ours"]()
    for who, run in runs.items():
        other, its_slope = run()
        if not abs(float(other) - float(value)) <= CLOSE * abs(float(value)):
            raise AssertionError(f"{who} gives {float(other)}, ours {float(value)}")
        if slope is not None:
            # as a whole: where a number is exactly at a kink of a formula, each has a slope of its own
            mine, theirs = libraries.to_numpy(slope), libraries.to_numpy(its_slope)
            if not np.linalg.norm(theirs - mine) <= CLOSE * np.linalg.norm(mine):
                raise AssertionError(f"the gradient of {who} is another than ours")


def in_order(rows: Iterable[Row]) -> list[Row]:
    """As people look them up, whatever the order in which they were measured."""
    places = {name: k for k, name in enumerate(CASES)}
    return sorted(rows, key=lambda row: (row["part"], places.get(row["case"], len(places)), row["elements"]))


def nbytes(inputs: Inputs) -> int:
    """Of all inputs."""
    return sum(int(np.prod(x.shape)) * (getattr(x.dtype, "itemsize", 0) or x.dtype.size) for x in inputs.values())


def say(what: str) -> None:
    """Tell how far it has got."""
    print(what, file=sys.stderr, flush=True)


def main(kind: str, target: str, plan: str, output: str) -> None:
    """Measure as planned, for the process that started this one."""
    planned = Plan(*json.loads(plan))
    rows = measure(kind, target, planned._replace(patience=Patience(*planned.patience)))
    Path(output).write_text(json.dumps(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
