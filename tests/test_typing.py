"""What type checkers see of the classes and of JAX's functions: each setting and its type."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RIGHT = """
import anomaly_kernels.jax as akj
import anomaly_kernels.keras as akk
import anomaly_kernels.torch as akt
import jax
import jax.numpy as jnp
import numpy as np
import torch

import anomaly_kernels as ak

akt.ELBOLoss(cov_diag=np.ones(3))
akt.AdaptiveQuantileLoss(np.asarray([0.1, 0.9]))
akk.AdaptiveQuantileLoss(np.asarray([0.1, 0.9]))
akt.IoULoss(axis=[1, 2])
akt.IoULoss(axis=np.int64(1))
akk.AEGMMLoss(autocast=True)
akt.IoULoss(normalize_method="minmax", smooth=1, axis=(1, 2), weight=2.0)
akt.AdaptiveQuantileLoss([0.1, 0.9], reduction="none")
akt.DeepSVDDSoftBoundaryLoss(nu=0.1).init_radius
akk.IoULoss(smooth=1, reduction="sum", name="iou", dtype="float32")
akk.MultiObjectiveLoss(akk.AdaptiveQuantileLoss([0.5]), akk.AnomalyLoss(weight=2.0), name="both")
akk.MultiObjectiveLoss([0.1, 0.9], anomaly_weight=2.0)
akt.IoULoss().smooth
akk.AdaptiveQuantileLoss([0.5]).quantiles
value: jax.Array = akj.iou_loss(jnp.ones(2), jnp.ones(2))
jax.value_and_grad(akj.mse_reconstruction_loss)(jnp.ones(2), jnp.ones(2))
float(akj.best_f1(jnp.ones(2), jnp.ones(2)).value) + float(akj.iou_loss(jnp.ones(2), jnp.ones(2), smooth=jnp.ones(())))
float(ak.roc_auc(np.ones(2), np.ones(2)))
akt.IoULoss()(torch.ones(2), torch.ones(2)).backward()
akt.MSEReconstructionLoss(weight=torch.ones(())).weight
akt.AnomalyDetectionMetrics(zero_division=1.0, sync_on_compute=False).compute().recall.item()
akk.AnomalyDetectionMetrics(threshold=0.5, name="found").result()["recall"]
akk.ExplainedVarianceMetric(components=3)
akj.AnomalyDetectionMetrics(scores="exact", weighted=True).state
"""
WRONG = {  # what the one error of each line names
    "akt.IoULoss(smoth=1.0)": "smoth",
    'akt.IoULoss(normalize_method="tanh")': "tanh",
    "akt.AdaptiveQuantileLoss()": "quantiles",
    "akk.IoULoss(smoth=1.0)": "smoth",
    "akk.AEGMMLoss(w_energi=0.1)": "w_energi",
    "akk.AdaptiveQuantileLoss(weight=1.0)": "quantiles",
    "akj.iou_loss(1, 2, smoth=1.0)": "smoth",
    "akt.AnomalyDetectionMetrics(zero_devision=1.0)": "zero_devision",
    "akk.AnomalyDetectionMetrics(thresholdd=1.0)": "thresholdd",
    "akj.AnomalyDetectionMetrics.empty(weights=True)": "weights",
    'akj.AnomalyDetectionMetrics(scores="all")': "all",
    "akj.AnomalyDetectionMetrics().compute().recalll": "recalll",
}
# frameworks are Any to mypy here, by pyproject.toml, and so is a setting that may be a tensor
WRONG_KINDS = {
    "akt.AdaptiveQuantileLoss(0.5)": "quantiles",
    "akk.AdaptiveQuantileLoss([object()])": "quantiles",
    "akk.AEGMMLoss(autocast=object())": "autocast",
    'akt.IoULoss(smooth="much")': "smooth",
    'akk.IoULoss(smooth="much")': "smooth",
}
CHECKERS = {
    "mypy": [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-incremental",
        "--hide-error-context",
        "--no-error-summary",
    ],
    "pyright": [str(Path(sys.executable).with_name("basedpyright")), "--level", "error"],
}


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("checker", CHECKERS)
def test_type_checkers_accept_right_settings_and_refuse_wrong_ones(checker, tmp_path):
    wrong = WRONG if checker == "mypy" else WRONG | WRONG_KINDS
    file = tmp_path / "use.py"
    file.write_text(RIGHT + "\n".join(wrong) + "\n")
    _, output = run(*CHECKERS[checker], str(file))
    found = [re.search(r":(\d+):(?:\d+)?.*error: (.*)", line) for line in output.splitlines()]
    messages: dict[int, str] = {}
    for match in filter(None, found):
        messages[int(match[1])] = messages.get(int(match[1]), "") + match[2]
    first = RIGHT.count("\n") + 1
    assert sorted(messages) == list(range(first, first + len(wrong))), output
    assert all(named in messages[line] for line, named in enumerate(wrong.values(), first)), output
