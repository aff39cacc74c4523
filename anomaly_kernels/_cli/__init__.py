"""The command line: ``anomaly-kernels list | check | demo``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from anomaly_kernels import __version__
from anomaly_kernels._catalogue import KERNELS
from anomaly_kernels._cli import check, children, demo, listing
from anomaly_kernels.testing import drivers

DESCRIPTION = "Anomaly-detection losses and metrics with the same numbers from every array library."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Greek letters shows question marks instead
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has closed the pipe, as in `anomaly-kernels list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more as it exits
        return 1
    return status


def _run(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "list":
        return listing.run()
    if options.command == "check":
        installed = drivers.installed_libraries()
        missing = [library for library in options.library if library not in installed]
        if missing:
            parser.error(f"{missing[0]} is not installed: {children.how_to_install(missing[0])}")
        return check.run(options.library or installed, options.function or list(KERNELS))
    return demo.run(None if options.no_picture else options.output)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="anomaly-kernels", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("list", help="print each function with its formula and its arguments")
    comparing = commands.add_parser("check", help="compare values and gradients of the installed libraries")
    again = "; may be given several times"
    many: dict[str, Any] = {"action": "append", "default": []}
    comparing.add_argument("--library", choices=drivers.DRIVERS, help="compare this one alone" + again, **many)
    comparing.add_argument("--function", choices=KERNELS, metavar="NAME", help="check this one alone" + again, **many)
    scoring = commands.add_parser("demo", help="score a real data set in each installed library, and draw a picture")
    scoring.add_argument("--output", type=Path, default=Path("build/demo.png"), help="the picture (%(default)s)")
    scoring.add_argument("--no-picture", action="store_true", help="print figures only")
    return parser
