"""An autoencoder and a Gaussian mixture, fitted by NumPy and SciPy alone: gradients without a framework."""

from itertools import pairwise
from typing import Any

import numpy as np
from scipy.optimize import minimize

import anomaly_kernels as ak
from anomaly_kernels.data import load_shuttle

SIZES = (9, 6, 3, 6, 9)  # of the autoencoder's layers
COMPONENTS, FEATURES = 3, 9  # of the mixture


def split(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A thousand normal rows to fit on; half of the normal rows, which are others, and all anomalies to score."""
    shuttle = load_shuttle()
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(~shuttle.target))
    train, rest = np.array_split(normal, 2)
    mean, deviation = shuttle.features[train].mean(0), shuttle.features[train].std(0)
    features = np.clip((shuttle.features - mean) / deviation, -20, 20)
    test = np.concatenate([rest, np.flatnonzero(shuttle.target)])
    return features[train[:1000]], features[test], shuttle.target[test]


def cut(vector: Any, shapes: list[tuple[int, ...]]) -> list[Any]:
    """Arrays of these shapes, from the one vector that SciPy moves."""
    xp, parts, start = ak.array_namespace(vector), [], 0
    for shape in shapes:
        parts.append(xp.reshape(vector[start : start + int(np.prod(shape))], shape))
        start += int(np.prod(shape))
    return parts


def minimized(loss: Any, start: list[np.ndarray], steps: int) -> np.ndarray:
    """Where a loss of a vector is lowest, by L-BFGS."""
    vector = np.concatenate([x.ravel() for x in start])
    return minimize(ak.value_and_grad(loss), vector, jac=True, method="L-BFGS-B", options={"maxiter": steps}).x


def reconstruct(vector: Any, x: Any) -> Any:
    """Encode and decode."""
    xp = ak.array_namespace(vector, x)
    parts = cut(vector, [shape for m, n in pairwise(SIZES) for shape in ((m, n), (n,))])
    for k, (weight, bias) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
        x = x @ weight + bias
        x = xp.tanh(x) if k % 2 == 0 else x
    return x


def autoencoder(rows: np.ndarray, test: np.ndarray, seed: int = 0) -> np.ndarray:
    """Scores by the error of the reconstruction."""
    rng = np.random.default_rng(seed)
    start = [x for m, n in pairwise(SIZES) for x in (rng.normal(size=(m, n)) / m**0.5, np.zeros(n))]
    vector = minimized(lambda v: ak.mse_reconstruction_loss(rows, reconstruct(v, rows)), start, steps=300)
    return ak.reconstruction_error(test, reconstruct(vector, test))


def mixture_params(vector: Any) -> ak.GMMParams:
    """A mixture from a vector, whichever: weights of sum 1, and Cholesky factors that can be inverted."""
    xp = ak.array_namespace(vector)
    k, d = COMPONENTS, FEATURES
    weights, mu, log_scale, below = cut(vector, [(k,), (k, d), (k, d), (k, d, d)])
    phi = xp.exp(weights - xp.max(weights))
    scale = xp.exp(log_scale)
    chol = below * np.tril(np.ones((d, d)), -1) + scale[:, :, None] * np.eye(d)
    return ak.GMMParams(phi / xp.sum(phi), mu, chol @ chol.mT, chol, 2 * xp.sum(log_scale, axis=-1))


def mixture(rows: np.ndarray, test: np.ndarray, seed: int = 0) -> np.ndarray:
    """Scores by the energy under a mixture of greatest likelihood, held off its edge by a prior on the scales."""
    chosen = np.random.default_rng(seed).choice(rows, COMPONENTS, replace=False)
    below = np.zeros((COMPONENTS, FEATURES, FEATURES))
    start = [np.zeros(COMPONENTS), chosen, np.zeros((COMPONENTS, FEATURES)), below]

    def loss(vector: Any) -> Any:
        params = mixture_params(vector)
        return ak.gmm_energy(rows, params) + 1e-3 * ak.covariance_penalty(params.cov)

    return ak.gmm_energy(test, mixture_params(minimized(loss, start, steps=150)), reduction="none")


def main() -> dict[str, float]:
    """Fit both, and say how well their scores rank rows that were not fitted."""
    rows, test, target = split()
    return {
        "AUROC of the autoencoder": float(ak.roc_auc(target, autoencoder(rows, test))),
        "AUROC of the mixture": float(ak.roc_auc(target, mixture(rows, test))),
    }


if __name__ == "__main__":
    for name, value in main().items():
        print(f"{name:30} {value:.4f}")
