"""Metrics on two replicas of TensorFlow are what they are on one, whatever each of them gets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.library("tensorflow")


def test_every_metric_on_two_replicas_is_that_of_one():
    command = [sys.executable, str(Path(__file__).with_name("keras_replicas.py"))]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for name, (replicas, alone) in json.loads(run.stdout).items():
        assert replicas.keys() == alone.keys()
        for field, number in alone.items():
            np.testing.assert_allclose(replicas[field], number, rtol=1e-6, atol=1e-12, err_msg=f"{name} {field}")
            assert field == "loss" or np.all(np.isfinite(number))
