"""python -m benchmarks"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.libraries import LIBRARIES

# More threads for JAX than two cores would have: of two, jaxlib 0.10's triangular solves in the plain gradient of a
# mixture can each hold one and wait for another for ever. Ours is made so that it cannot.
ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu", "NPROC": str(max(16, os.cpu_count() or 1))}


def main() -> int:
    """Measure each library in a process of its own, then report."""
    options = _options()
    if options.measure:
        return _measure_here(options)
    options.output.mkdir(parents=True, exist_ok=True)
    libraries = {name: found for name in options.library if (found := _measure_apart(name, options)) is not None}
    if not libraries:
        return 1
    from benchmarks import overhead, picture, report

    results = {"machine": _machine(), "import_seconds": overhead.import_seconds(), "libraries": libraries}
    results["rankings"] = _rankings_apart(options)
    (options.output / "results.json").write_text(json.dumps(results, indent=1))
    print("\n".join(report.lines(results)))
    picture.draw(results, options.output / "picture.png")
    print(f"\n{options.output}/results.json, picture.png")
    return 0 if set(libraries) == set(options.library) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="speed, memory and accuracy of the kernels"
    )
    parser.add_argument("--library", nargs="+", choices=LIBRARIES, default=list(LIBRARIES), help="all by default")
    parser.add_argument("--quick", action="store_true", help="smaller arrays, fewer rounds")
    parser.add_argument("--output", type=Path, default=Path("build/bench"), help="a folder (default: %(default)s)")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)  # what a library's process is told
    return parser.parse_args()


def _measure_apart(library: str, options: argparse.Namespace) -> dict[str, Any] | None:
    command = [sys.executable, "-m", "benchmarks", "--measure", "--library", library, "--output", str(options.output)]
    command += ["--quick"] * options.quick
    environment = os.environ | ENVIRONMENT | ({"KERAS_BACKEND": library} if library != "numpy" else {})
    done = subprocess.run(command, env=environment, check=False)
    if done.returncode:
        print(f"{library}: not measured, its process ended with status {done.returncode}", file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads((options.output / f"{library}.json").read_text())
    return found


def _rankings_apart(options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.ranking", *["--quick"] * options.quick]
    done = subprocess.run(command, env=os.environ | ENVIRONMENT, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _measure_here(options: argparse.Namespace) -> int:
    from benchmarks.measuring import QUICK, Sizes, measure

    (library,) = options.library
    found = measure(library, QUICK if options.quick else Sizes())
    (options.output / f"{library}.json").write_text(json.dumps(found))
    return 0


def _machine() -> dict[str, Any]:
    model = Path("/proc/cpuinfo").read_text().partition("model name")[2].partition("\n")[0].strip("\t: ")
    return {
        "processor": model or platform.processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


if __name__ == "__main__":
    sys.exit(main())
