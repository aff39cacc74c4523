"""Which changes of a formula does no test notice? All mutants of the kernels, each against the tests that reach it.

    python tests/mutation.py [--only GLOB] [--sample N] [--seed N] [--jobs N] [--tests PATH ...]

mutmut writes the mutants; they run here, because mutmut collects the whole suite anew for every one, which takes hours.
Here the suite is collected once, and each mutant gets a fork of that process. On NumPy first; what survives there runs
on array-api-strict as well, which refuses what NumPy lets pass. A mutant counts as killed only if a test failed: when
this file itself fails, the run stops. The results are in ``build/mutation``, one line of JSON for each mutant.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).resolve().parent.parent
MUTANTS = ROOT / "mutants"
BUILD = ROOT / "build" / "mutation"
LIBRARIES = ["numpy", "array_api_strict"]
CONTROL = 99999  # a number that no mutant has: the module runs unchanged, and nothing may kill it
# These start processes of their own, to which no mutant comes along, or only measure; or they are about no kernel.
NOT_HERE = ["accuracy_of_sums", "cli", "contributing", "data", "demo", "docs", "memory", "project", "typing"]
NOT_HERE += ["tensorflow_namespace"]


def generate() -> list[str]:
    """Have mutmut write the mutants into ``mutants/``; their names."""
    import mutmut.__main__ as mutmut

    shutil.rmtree(MUTANTS, ignore_errors=True)
    MUTANTS.mkdir()
    mutmut.set_mutant_under_test("mutant_generation")
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.create_mutants(1)
    mutants, _ = mutmut.collect_source_file_mutation_data(mutant_names=())
    return [name for _, name, _ in mutants]


def function_of(mutant: str) -> str:
    """The function that the mutant changes, as mutmut's trampolines call it."""
    return mutant.rpartition("__mutmut_")[0]


class Mutation:
    """A pytest plugin that runs, in place of the tests, the mutants, with the tests."""

    def __init__(self, mutants: list[str], results: Path, jobs: int) -> None:
        modules = sorted({name.rpartition(".")[0]: name for name in mutants}.values())
        self.mutants = [f"{function_of(name)}__mutmut_{CONTROL}" for name in modules] + mutants
        self.results, self.jobs = results, jobs
        self.killers: dict[str, list[int]] = defaultdict(list)  # of each function, those that killed lately first

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = session.items
        self.durations, self.reached_by = self.baseline()
        running: dict[int, tuple[str, int, float]] = {}
        with self.results.open("w") as lines:
            for mutant in [*self.mutants, *[None] * self.jobs]:
                while running and (mutant is None or len(running) == self.jobs):
                    pid, status = os.wait()
                    name, pipe, started = running.pop(pid)
                    result = self.result(name, status, pipe, time.monotonic() - started)
                    print(json.dumps(result), file=lines, flush=True)
                if mutant is not None:
                    read, write = os.pipe()
                    pid = os.fork()
                    if not pid:
                        self.child(mutant, write)
                    os.close(write)
                    running[pid] = (mutant, read, time.monotonic())
        return True

    def baseline(self) -> tuple[list[float], dict[str, set[int]]]:
        """How long each test takes, and which tests reach each function; learned in a fork, so that this process,
        which all mutants are forked from, stays as it is."""
        read, write = os.pipe()
        pid = os.fork()
        if not pid:
            self.measure(write)
        os.close(write)
        with os.fdopen(read) as pipe:
            text = pipe.read()
        _, status = os.waitpid(pid, 0)
        if status or not text:
            pytest.exit(f"the tests fail without a mutant: {text}", returncode=1)
        durations, reached_by = json.loads(text)
        return durations, {function: set(tests) for function, tests in reached_by.items()}

    def measure(self, write: int) -> None:
        from mutmut.mutation.trampoline import set_mutant_under_test
        from mutmut.state import state

        silence()
        set_mutant_under_test("stats")
        durations, reached_by, failed = [], defaultdict(list), []
        for number, item in enumerate(self.items):
            started = time.process_time()
            if self.fails(number, number + 1):
                failed.append(item.nodeid)
            durations.append(time.process_time() - started)
            for function in state()._stats:
                reached_by[function].append(number)
            state()._stats.clear()
        with os.fdopen(write, "w") as pipe:
            pipe.write("\n".join(failed) if failed else json.dumps([durations, reached_by]))
        os._exit(bool(failed))

    def fails(self, number: int, after: int | None) -> bool:
        """Run one test, which is followed by another (or by none)."""
        follower = self.items[after] if after is not None and after < len(self.items) else None
        return any(report.failed for report in runtestprotocol(self.items[number], log=False, nextitem=follower))

    def order(self, mutant: str) -> list[int]:
        """The tests that reach the mutant: those that killed its neighbours first, then its module's own, the quickest
        first."""
        function = function_of(mutant)
        module = function.split(".")[-2].strip("_")
        reaching = self.reached_by.get(function, set())
        own = {number for number in reaching if module in self.items[number].path.stem}
        rest = sorted(reaching, key=lambda number: (number not in own, self.durations[number]))
        return list(dict.fromkeys([*self.killers[function][:20], *rest]))

    def child(self, mutant: str, write: int) -> None:
        """Run the tests until one fails, then end this process: 0 if none did, 1 if one did, 77 if this file failed."""
        try:
            from mutmut.mutation.trampoline import set_mutant_under_test

            silence()
            tests = self.order(mutant)
            expected = sum(self.durations[number] for number in tests)
            limit = int(20 + 5 * expected)
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
            set_mutant_under_test(mutant)
            for number, after in zip(tests, [*tests[1:], None], strict=True):
                if self.fails(number, after):
                    os.write(write, str(number).encode())
                    os._exit(1)
            os._exit(0)
        except BaseException:  # noqa: BLE001  a fork of pytest must not live on, whatever happened
            os._exit(77)

    def result(self, mutant: str, status: int, pipe: int, seconds: float) -> dict[str, Any]:
        with os.fdopen(pipe) as killed_by:
            killer = killed_by.read()
        if os.WIFSIGNALED(status):
            outcome = "timeout" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "crash"
        else:
            code = os.WEXITSTATUS(status)
            outcome = {0: "survived", 1: "killed"}.get(code, "error")
            if not self.reached_by.get(function_of(mutant)):
                outcome = "no tests"
        if killer:
            mine = self.killers[function_of(mutant)]
            mine[:] = [int(killer), *(number for number in mine if number != int(killer))]
        control = mutant.endswith(f"_{CONTROL}")
        if outcome == "error" or (control and outcome == "killed"):
            test = self.items[int(killer)].nodeid if killer else ""
            reason = f"by {test}, although it changes nothing" if control else "in tests/mutation.py itself"
            pytest.exit(f"{mutant}: {outcome} {reason}", returncode=1)
        nodeid = self.items[int(killer)].nodeid if killer else None
        return {"mutant": mutant, "outcome": outcome, "by": nodeid, "seconds": round(seconds, 2)}


def silence() -> None:
    """Let nothing that the tests of this fork print reach the terminal."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def run(library: str, mutants: list[str], jobs: int, tests: list[str]) -> list[dict[str, Any]]:
    """Run the mutants on one library, in a process of its own."""
    results, names = BUILD / f"{library}.jsonl", BUILD / f"{library}.names"
    names.write_text("\n".join(mutants))
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment = os.environ | threads | {"AK_LIBRARY": library, "PYTHONPATH": str(MUTANTS), "MUTANT_UNDER_TEST": ""}
    command = [sys.executable, __file__, "--worker", library, "--jobs", str(jobs), "--tests", *tests]
    subprocess.run(command, cwd=MUTANTS, env=environment, check=True)
    every = [json.loads(line) for line in results.read_text().splitlines()]
    return [result for result in every if not result["mutant"].endswith(f"_{CONTROL}")]


def work(library: str, jobs: int, tests: list[str]) -> int:
    """In the process of one library: collect the tests, then run the mutants in place of them."""
    mutants = (BUILD / f"{library}.names").read_text().splitlines()
    plugins = ["cacheprovider", "xdist", "cov", "sybil", "randomly"]
    arguments = ["-q", "-s", "--hypothesis-profile=mutation", *(f"-pno:{name}" for name in plugins)]
    arguments += [*(f"--ignore=tests/test_{name}.py" for name in NOT_HERE), *tests]
    return int(pytest.main(arguments, plugins=[Mutation(mutants, BUILD / f"{library}.jsonl", jobs)]))


def report(library: str, results: Iterable[dict[str, Any]]) -> list[str]:
    """Print what became of the mutants; the names of those that no test noticed."""
    results = list(results)
    outcomes = Counter(result["outcome"] for result in results)
    noticed = outcomes["killed"] + outcomes["timeout"] + outcomes["crash"]
    print(f"{library}: {len(results)} mutants, {100 * noticed / max(len(results), 1):.1f} % noticed, {dict(outcomes)}")
    return [result["mutant"] for result in results if result["outcome"] in ("survived", "no tests")]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="*", metavar="GLOB", help="the mutants to run, by name")
    parser.add_argument("--sample", type=int, metavar="N", help="run so many of them, drawn at random")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the sample")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many run at a time")
    parser.add_argument("--tests", nargs="+", default=["tests"], metavar="PATH", help="the tests that may notice them")
    parser.add_argument("--worker", choices=LIBRARIES, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.worker:
        return work(options.worker, options.jobs, options.tests)
    os.chdir(ROOT)
    BUILD.mkdir(parents=True, exist_ok=True)
    mutants = fnmatch.filter(generate(), options.only)
    if options.sample is not None and options.sample < len(mutants):
        # in any order, so that what is done is a sample too
        mutants = random.Random(options.seed).sample(mutants, options.sample)
    total = len(mutants)
    for library in LIBRARIES:
        mutants = report(library, run(library, mutants, options.jobs, options.tests)) if mutants else []
    print(f"{len(mutants)} of {total} survived all, {100 * (1 - len(mutants) / max(total, 1)):.1f} % were noticed:")
    print("\n".join(f"  {name}" for name in mutants))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
