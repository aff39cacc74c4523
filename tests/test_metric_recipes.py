"""The recipes of docs/metrics.md, run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

RECIPES = Path(__file__).resolve().parent.parent / "docs" / "examples"


def said(name, *arguments):
    done = subprocess.run(
        [sys.executable, str(RECIPES / name), *arguments], capture_output=True, text=True, check=False, timeout=150
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [float(x) for x in re.findall(r"\d\.\d+", done.stdout)]


@pytest.mark.library("torch")
def test_two_processes(tmp_path):
    found, alone = said("metrics_torch.py", str(tmp_path / "store"))
    assert found == alone


@pytest.mark.library("jax")
def test_a_mesh_of_eight_devices():
    lower, upper, exact = said("metrics_jax.py")
    assert lower <= exact <= upper
