"""Run the five scripts of the page "Start", and write what they print beside the other generated pages."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

EXAMPLES = Path(__file__).parent / "examples"
FRAMEWORKS = ("numpy", "torch", "jax", "tensorflow", "keras")
QUIET = {"KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}


def output(framework: str) -> str:
    """What the script prints; an error, which ends the build, where it fails."""
    command = [sys.executable, str(EXAMPLES / f"start_{framework}.py")]
    done = subprocess.run(command, env=os.environ | QUIET, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"`{command[1]}` failed:\n{done.stderr}")
    return done.stdout


def run_examples(folder: Path) -> None:
    """Run all, two at a time. The page says that their numbers are the same, so other numbers end the build."""
    with ThreadPoolExecutor(2) as pool:
        printed = dict(zip(FRAMEWORKS, pool.map(output, FRAMEWORKS), strict=True))
    if len(set(printed.values())) > 1:
        raise RuntimeError(f"the scripts of the page 'Start' print different numbers: {printed}")
    (folder / "start.txt").write_text(printed["numpy"])
