"""The whole test suite: one pytest process per array library, then their coverage taken together.

    python tests/run.py [--golden FILE] [LIBRARY ...] [-- PYTEST ARGUMENTS]

TensorFlow and torch can abort when both are loaded, hence the processes; two run at a time. The numpy process also
runs what belongs to no library (the documentation's examples, the project itself). ``--golden`` names a script that
compares with recorded values, ``--backend`` and ``--dtype`` its options, and ``field_check.py`` beside it one for the
functions of the field, by ``--family``; they run beside the suites, by golden.py. The exit status is 0 only if all
passed and, when all libraries ran, enough is covered.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from environment import ENVIRONMENT

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "tests"
FAMILIES = ["regions", "timeseries"]  # of the functions of the field, those that are built
LIBRARIES = ["jax", "torch", "tensorflow", "dask", "numpy", "array_api_strict"]  # the slowest first


class Job(NamedTuple):
    """A process to run, and whether it may fail."""

    name: str
    command: list[str]
    environment: dict[str, str]
    may_fail: bool = False


def suite(library: str, arguments: list[str]) -> Job:
    """The tests of one library."""
    command = ["-m", "pytest", f"--junit-xml={BUILD / library}.xml", "--cov", "--cov-report=", "--cov-fail-under=0"]
    command += ["--override-ini", f"cache_dir={BUILD / library}.cache", *arguments]
    if library != "numpy":
        command.append("tests")
    coverage = str(BUILD / f"coverage.{library}")
    return Job(library, command, {"AK_LIBRARY": library, "COVERAGE_FILE": coverage, "JAX_ENABLE_X64": "1"})


def golden(script: Path, library: str, dtype: str) -> Job:
    """The comparisons of one library with recorded values; Dask has no batched linear algebra, so it may fail."""
    command = ["tests/golden.py", library, dtype, str(script.resolve())]
    fields = script.resolve().with_name("field_check.py")
    for family in FAMILIES if fields.exists() and library != "dask" else ():
        command += ["--", str(fields), "--family", family]
    return Job(f"golden {library} {dtype}", command, {}, may_fail=library == "dask")


def run(job: Job) -> tuple[int, str]:
    """Run a job; its exit status and output."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, *job.command],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT | job.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, f"{done.stdout}({job.name}: {time.monotonic() - started:.0f} s)\n"


def counts(library: str) -> dict[str, int]:
    """How many tests passed, failed and were skipped, from the report of a run."""
    report = BUILD / f"{library}.xml"
    if not report.exists():
        return {"passed": 0, "failed": 1, "skipped": 0}
    results = next(ET.parse(report).iter("testsuite")).attrib
    failed, skipped = int(results["failures"]) + int(results["errors"]), int(results["skipped"])
    return {"passed": int(results["tests"]) - failed - skipped, "failed": failed, "skipped": skipped}


def report_coverage() -> int:
    """Combine what the processes covered; the status of the report, which fails below the bar of pyproject.toml."""

    def coverage(*arguments: str) -> int:
        return subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=ROOT, check=False).returncode

    coverage("combine", "--quiet", *map(str, BUILD.glob("coverage.*")))
    coverage("html", "--quiet", "--directory=build/coverage/html")
    return coverage("report")


def main(argv: list[str]) -> int:
    """Run the libraries named (all of them by default); 0 if everything passed."""
    split = argv.index("--") if "--" in argv else len(argv)
    parser = argparse.ArgumentParser(description="run the test suite, one process per array library")
    parser.add_argument("libraries", nargs="*", metavar="LIBRARY")
    parser.add_argument("--golden", type=Path, metavar="FILE")
    options = parser.parse_args(argv[:split])
    libraries = options.libraries or LIBRARIES + ["cupy"] * bool(importlib.util.find_spec("cupy"))
    jobs = [suite(library, argv[split + 1 :]) for library in libraries]
    if options.golden:  # short ones, that fill both cores to the end
        pairs = [(library, dtype) for library in LIBRARIES for dtype in ("float64", "float32")]
        jobs += [golden(options.golden, *pair) for pair in pairs if pair != ("dask", "float32")]
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    (ROOT / "build" / "coverage").mkdir(exist_ok=True)
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = {pool.submit(run, job): job for job in jobs}
        for future in as_completed(running):
            job, (status, output) = running[future], future.result()
            print(f"\n{'#' * 40} {job.name}\n{output}", flush=True)
            failed += [job.name] * (status != 0 and not job.may_fail)
    if not options.libraries and not failed:
        failed += ["coverage"] * (report_coverage() != 0)
    totals = [counts(library) for library in libraries]
    passed, broken, skipped = (sum(total[key] for total in totals) for key in ("passed", "failed", "skipped"))
    print(f"\nfailed: {', '.join(failed) or 'nothing'}")
    print(f"{passed} passed, {max(broken, len(failed))} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
