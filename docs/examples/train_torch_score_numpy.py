"""Train in torch and write the weights; score in NumPy, in a process that loads no framework; the scores are equal."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from series import of_steps, read

import anomaly_kernels as ak
from anomaly_kernels.weights import load_params, save_params


def train(weights: Path) -> np.ndarray:
    """Fit, write the weights, and score with torch, for comparison; in double precision, to see all digits."""
    import lstm_torch
    import torch

    series = read()
    windows = torch.tensor(series.windows)
    model = lstm_torch.train(windows[: series.n_train]).double()
    save_params(weights, model)
    with torch.no_grad():
        return model.compute_reconstruction_error(windows.double()).numpy()


def score(weights: Path) -> np.ndarray:
    """Score with NumPy alone."""
    windows = read().windows
    return ak.reconstruction_error(windows, ak.lstm_autoencoder(load_params(weights), windows, activation="linear"))


def main(folder: Path = Path()) -> dict[str, float]:
    """Train here, score in a new process, and compare."""
    weights, scores = folder / "lstm.safetensors", folder / "scores.npy"
    in_torch = train(weights)
    subprocess.run([sys.executable, __file__, weights, scores], check=True)
    in_numpy, target = np.load(scores), read().target
    return {
        "largest difference, of the score": float(np.max(np.abs(in_numpy - in_torch) / in_torch)),
        "AUROC in torch": float(ak.roc_auc(target, of_steps(in_torch))),
        "AUROC in NumPy": float(ak.roc_auc(target, of_steps(in_numpy))),
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        np.save(sys.argv[2], score(Path(sys.argv[1])))
    else:
        for name, value in main().items():
            print(f"{name:40} {value:.2g}")
