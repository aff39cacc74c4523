"""The benchmarks run, and compare what is the same: each library in a process of its own, as they start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import ENVIRONMENT

SCRIPT = """
import json, sys
from benchmarks.measuring import CASES, Sizes, measure
for name in CASES.keys() - {"BCE", "mixture energy"}:
    del CASES[name]
small = 2**13
sizes = Sizes(2560, small, small, small, small, small, seconds=0.0, rounds=1)
json.dump(measure(sys.argv[1], sizes), sys.stdout)
"""


@pytest.mark.library("numpy", "torch", "jax", "tensorflow")
def test_each_library_is_measured(driver):
    # XLA as users have it: what it does not compile with other settings is of no use to know
    environment = {name: x for name, x in os.environ.items() if name != "XLA_FLAGS"} | ENVIRONMENT
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, driver.name],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    ways = [way for case in found["speed"].values() for size in case.values() for way in size.values()]
    assert len(ways) == 4 * len(found["speed"]["BCE"]["2560 elements"])
    for way in [*ways, *found["autoencoder"].values()]:
        assert way["ours_over"]["plain"]["median"] > 0.0
    assert found["speed"].keys() == found["peak_bytes"].keys() == {"BCE", "mixture energy"}
