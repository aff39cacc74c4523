"""The whole test suite: one pytest process per array library, then their coverage taken together.

    python tests/run.py [LIBRARY ...] [-- PYTEST ARGUMENTS]

TensorFlow and torch can abort when both are loaded, hence the processes; two run at a time. The numpy process also
runs what belongs to no library (the documentation's examples, the project itself). The exit status is 0 only if all
passed and, when all libraries ran, enough is covered.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "tests"
LIBRARIES = ["jax", "tensorflow", "torch", "dask", "numpy", "array_api_strict"]  # the slowest first
SETTINGS = {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"}
SETTINGS |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # threads that wait for a core take longest


def run_library(library: str, arguments: list[str]) -> tuple[str, int, str]:
    """Run one library's tests; its name, exit status and output."""
    started = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"--junit-xml={BUILD / library}.xml",
        "--cov",
        "--cov-report=",
        "--cov-fail-under=0",
    ]
    command += ["--override-ini", f"cache_dir={BUILD / library}.cache", *arguments]
    if library != "numpy":
        command.append("tests")
    environment = os.environ | SETTINGS | {"AK_LIBRARY": library, "COVERAGE_FILE": str(BUILD / f"coverage.{library}")}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return library, done.returncode, f"{done.stdout}({library}: {time.monotonic() - started:.0f} s)\n"


def counts(library: str) -> dict[str, int]:
    """How many tests passed, failed and were skipped, from the report of a run."""
    report = BUILD / f"{library}.xml"
    if not report.exists():
        return {"passed": 0, "failed": 1, "skipped": 0}
    suite = next(ET.parse(report).iter("testsuite")).attrib
    failed, skipped = int(suite["failures"]) + int(suite["errors"]), int(suite["skipped"])
    return {"passed": int(suite["tests"]) - failed - skipped, "failed": failed, "skipped": skipped}


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
    libraries, arguments = argv[:split], argv[split + 1 :]
    every = LIBRARIES + ["cupy"] * bool(importlib.util.find_spec("cupy"))
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    (ROOT / "build" / "coverage").mkdir(exist_ok=True)
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for library, status, output in pool.map(lambda name: run_library(name, arguments), libraries or every):
            print(f"\n{'#' * 40} {library}\n{output}", flush=True)
            failed += [library] * (status != 0)
    if not libraries and not failed:
        failed += ["coverage"] * (report_coverage() != 0)
    totals = [counts(library) for library in libraries or every]
    passed, broken, skipped = (sum(total[key] for total in totals) for key in ("passed", "failed", "skipped"))
    print(f"\nfailed: {', '.join(failed) or 'nothing'}")
    print(f"{passed} passed, {max(broken, len(failed))} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
