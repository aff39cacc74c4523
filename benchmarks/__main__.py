"""python -m benchmarks"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import compare, libraries, picture, results, tables
from benchmarks.cases import CASES
from benchmarks.measuring import QUICK, Plan
from benchmarks.memory import METERED
from benchmarks.overhead import import_milliseconds

NAME = "latest.json"
CLOCKS = {"wall": "perf_counter", "cpu": "process_time"}


def main(argv: list[str] | None = None) -> int:
    """Do what the command line says; the status that the shell gets."""
    options = _options(argv)
    status: int = options.do(options)
    return status


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="speed and memory of the kernels")
    names = libraries.CPU + libraries.CUDA
    parser.add_argument("--library", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--case", nargs="+", choices=CASES, metavar="NAME", help=f"of {', '.join(CASES)}")
    parser.add_argument("--sizes", nargs="+", type=int, metavar="N", help="of the inputs whose growth is measured")
    parser.add_argument("--quick", action="store_true", help="a few cases, smaller inputs, two minutes")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: of this process, on a busy machine")
    parser.add_argument("--output", type=Path, default=Path("build/bench"), help="a folder (default: %(default)s)")
    parser.set_defaults(do=_run)
    commands = parser.add_subparsers(title="other commands")
    shown = commands.add_parser("show", help="tables and pictures of a file of results, written beside it")
    shown.add_argument("results", type=Path)
    shown.set_defaults(do=lambda options: _show(options.results))
    added = commands.add_parser("add", help="write the results of some cases, measured later, into a file of results")
    added.add_argument("results", type=Path)
    added.add_argument("later", type=Path)
    added.set_defaults(do=_add)
    compared = commands.add_parser("compare", help="what became worse; status 1 if anything did")
    compared.add_argument("old", type=Path)
    compared.add_argument("new", type=Path)
    compared.add_argument("--tolerance", type=float, default=1.2, help="a factor (default: %(default)s)")
    compared.set_defaults(do=_compare)
    exact = commands.add_parser("accuracy", help="errors in units in the last place, against formulas in 50 digits")
    exact.add_argument("--library", nargs="+", choices=libraries.CPU, metavar="NAME")
    exact.add_argument("--quick", action="store_true", help="one call of each kernel on ordinary data")
    exact.add_argument("--output", type=Path, default=Path("build/bench"), help="a folder (default: %(default)s)")
    exact.set_defaults(do=_accuracy)
    peers = commands.add_parser(
        "parity", help="numbers of peers that are installed, measured anew; status 1 if any differ"
    )
    peers.set_defaults(do=_parity)
    return parser.parse_args(argv)


def _run(options: argparse.Namespace) -> int:
    plan = QUICK if options.quick else Plan()
    plan = plan._replace(cases=tuple(options.case or plan.cases), sizes=tuple(options.sizes or plan.sizes))
    plan = plan._replace(around=plan.around and not options.case)
    plan = plan._replace(patience=plan.patience._replace(clock=CLOCKS[options.clock]))
    about = {"machine": results.machine(), "commit": results.commit(), "versions": results.versions()}
    about |= {"quick": options.quick, "plan": plan._asdict(), "import_milliseconds": import_milliseconds()}
    measured = {target: measure_in_processes(target, plan) for target in options.library or libraries.targets()}
    succeeded = {target: rows for target, rows in measured.items() if rows}
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / NAME).write_text(results.text(about | {"libraries": succeeded}) + "\n")
    _show(options.output / NAME)
    refused = any(row["part"] == "refused" for rows in succeeded.values() for row in rows["speed"])
    return int(refused or succeeded != measured)


def measure_in_processes(target: str, plan: Plan) -> dict[str, Any]:
    """Measure one library, its speed and its memory in a process each; nothing if that fails."""
    variables = {"speed": libraries.environment(target), "memory": libraries.environment(target) | METERED}
    rows = {}
    with TemporaryDirectory() as folder:
        for kind, environment in variables.items():
            output = Path(folder) / f"{kind}.json"
            command = [sys.executable, "-m", "benchmarks.measuring", kind, target, json.dumps(plan), str(output)]
            done = subprocess.run(command, env=os.environ | environment, check=False)
            if done.returncode:
                print(f"{target}: no {kind}, its process ended with status {done.returncode}", file=sys.stderr)
                return {}
            rows[kind] = results.read(output)
    return rows


def _show(path: Path) -> int:
    content, beside = results.read(path), path.parent / "tables.md"
    text = "\n".join(tables.lines(content))
    beside.write_text(text)
    print(text, path, beside, *picture.draw(content, path.parent), sep="\n")
    return 0


def _add(options: argparse.Namespace) -> int:
    whole = results.added(results.read(options.results), results.read(options.later))
    options.results.write_text(results.text(whole) + "\n")
    return _show(options.results)


def _compare(options: argparse.Namespace) -> int:
    report, worse = compare.lines(results.read(options.old), results.read(options.new), options.tolerance)
    print("\n".join(report))
    return int(worse)


def _accuracy(options: argparse.Namespace) -> int:
    from benchmarks import accuracy

    options.output.mkdir(parents=True, exist_ok=True)
    about = {"machine": results.machine(), "commit": results.commit(), "versions": results.versions()}
    installed = [name for name in libraries.targets() if name in libraries.CPU]
    measured = accuracy.measure(options.library or installed, quick=options.quick)
    lacking = {"without a reference": accuracy.without_reference()}
    path = options.output / "accuracy.json"
    path.write_text(results.text(about | {"quick": options.quick} | lacking | {"libraries": measured}) + "\n")
    print(path)
    return 0


def _parity(_: argparse.Namespace) -> int:
    from benchmarks import parity

    return int(parity.run() > 0)


if __name__ == "__main__":
    sys.exit(main())
