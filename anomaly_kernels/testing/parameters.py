"""Small sets of parameters for the kernels that take a tree of arrays: a mixture and two networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from anomaly_kernels.losses.mixture import GMMParams

Parameters = dict[str, np.ndarray]


def mixture(rng: np.random.Generator, components: int, dimensions: int) -> Any:
    """Parameters of a mixture of Gaussians, consistent with one another."""
    factor = rng.normal(size=(components, dimensions, 2 * dimensions))
    cov = factor @ factor.swapaxes(-1, -2) / dimensions + 0.3 * np.eye(dimensions)
    chol = np.linalg.cholesky(cov)
    log_det = 2 * np.log(np.diagonal(chol, axis1=-2, axis2=-1)).sum(-1)
    mu = rng.normal(size=(components, dimensions))
    return GMMParams(rng.dirichlet(np.full(components, 2.0)), mu, cov, chol, log_det)


def dense(rng: np.random.Generator, name: str, n_in: int, n_out: int) -> Parameters:
    """One dense layer."""
    return {f"{name}/kernel": rng.normal(size=(n_in, n_out)) / n_in**0.5, f"{name}/bias": rng.normal(size=n_out)}


def lstm(rng: np.random.Generator, name: str, n_in: int, units: int) -> Parameters:
    """One LSTM layer."""
    recurrent = rng.normal(size=(units, 4 * units)) / units**0.5
    return dense(rng, name, n_in, 4 * units) | {f"{name}/recurrent_kernel": recurrent}


def score_head(rng: np.random.Generator, n_features: int) -> Parameters:
    """Two hidden layers and the output."""
    return (
        dense(rng, "hidden_dense_1", n_features, 5)
        | dense(rng, "hidden_dense_2", 5, 3)
        | dense(rng, "score_output", 3, 1)
    )


def norms(rng: np.random.Generator, kind: str, params: Parameters) -> Parameters:
    """Normalisation after each hidden layer of a score head."""
    result: Parameters = {}
    for i in (1, 2):
        width = params[f"hidden_dense_{i}/bias"].shape
        result[f"{kind}_norm_{i}/gamma"] = rng.uniform(0.5, 2, width)
        result[f"{kind}_norm_{i}/beta"] = rng.normal(size=width)
        if kind == "batch":
            result[f"batch_norm_{i}/moving_mean"] = rng.normal(size=width)
            result[f"batch_norm_{i}/moving_variance"] = rng.uniform(0.5, 2, width)
    return result


def lstm_autoencoder(rng: np.random.Generator, n_features: int) -> Parameters:
    """Every part at once: an encoder of both directions, a bottleneck, projected states, a decoder of another width."""
    return (
        lstm(rng, "encoder_1/forward", n_features, 2)
        | lstm(rng, "encoder_1/backward", n_features, 2)
        | dense(rng, "bottleneck_h", 4, 2)
        | dense(rng, "bottleneck_c", 4, 2)
        | dense(rng, "project_state_h", 2, 3)
        | dense(rng, "project_state_c", 2, 3)
        | lstm(rng, "decoder_1", 2, 3)
        | dense(rng, "decoder_dense", 3, n_features)
    )
