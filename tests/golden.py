"""Comparisons with recorded values, one script after the other in one process: a framework takes seconds to start.

    python tests/golden.py LIBRARY DTYPE SCRIPT [ARGUMENTS ...] [-- SCRIPT [ARGUMENTS ...] ...]

Each script is run as if by itself, with ``--backend LIBRARY --dtype DTYPE``; the exit status is 0 only if all passed.
"""

from __future__ import annotations

import itertools
import runpy
import sys
from pathlib import Path


def run(script: str, arguments: list[str]) -> bool:
    """Run a script as a program; whether its exit status was 0."""
    sys.argv = [script, *arguments]
    sys.path[0] = str(Path(script).parent)
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        return not end.code
    finally:
        if "jax" in sys.modules:  # Linux lets a process have 65 530 pieces of memory, and each compilation takes one
            sys.modules["jax"].clear_caches()
    return True


def main(argv: list[str]) -> int:
    """Run all scripts, also after one that failed; 0 if none did."""
    library, dtype, *rest = argv
    scripts = [list(words) for separator, words in itertools.groupby(rest, "--".__eq__) if not separator]
    passed = [run(script, [*arguments, "--backend", library, "--dtype", dtype]) for script, *arguments in scripts]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
