"""What is measured: one entry a kernel.

`plain` is the formula as people write it, in the library's own names (`xp` is numpy, torch, jax.numpy or
tensorflow.experimental.numpy); `native` names the library's own operation in `natives.py`, where it has one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import anomaly_kernels as ak
from benchmarks import plain

Inputs = dict[str, Any]
D = 64  # columns of the (N, D) inputs


class Case(NamedTuple):
    """A kernel with inputs of about n elements, and what it is compared with; gradients are with respect to `wrt`."""

    kernel: Callable[..., Any]
    inputs: Callable[[np.random.Generator, int], Inputs]
    wrt: str
    plain: Callable[..., Any]
    native: str = ""
    largest: int = 2**26
    """Above this many elements the plain formula needs too much memory to be run."""


def _pair(*names: str) -> Callable[[np.random.Generator, int], Inputs]:
    return lambda rng, n: {name: rng.random((n // 8, 8), np.float32) for name in names}


def _masked(*names: str) -> Callable[[np.random.Generator, int], Inputs]:
    score = names[1]
    return lambda rng, n: {"target": (rng.random((n // 8, 8)) < 0.1).astype(np.float32), score: _normal(rng, n // 8, 8)}


def _rows(*names: str, width: int = D) -> Callable[[np.random.Generator, int], Inputs]:
    return lambda rng, n: {name: _normal(rng, n // width, width) for name in names}


def _probabilities(rng: np.random.Generator, n: int) -> Inputs:
    found = {name: rng.random((n // D, D), np.float32) for name in ("p_true", "p_pred")}
    return {name: p / p.sum(axis=1, keepdims=True) for name, p in found.items()}


def _embeddings(rng: np.random.Generator, n: int) -> Inputs:
    return {"embeddings": _normal(rng, n // D, D), "center": _normal(rng, D)}


def _mixture(rng: np.random.Generator, n: int) -> Inputs:
    gamma = rng.random((n // 32, 8), np.float32)
    return {"z": _normal(rng, n // 32, 32), "gamma": gamma / gamma.sum(axis=1, keepdims=True)}


def _autoencoder(rng: np.random.Generator, n: int) -> Inputs:
    return {"x_true": _normal(rng, n // 32, 9), "x_pred": _normal(rng, n // 32, 9), **_mixture(rng, n)}


def _forecasts(rng: np.random.Generator, n: int) -> Inputs:
    return {"y_true": _normal(rng, n // 24, 8, 1), "y_pred": _normal(rng, n // 24, 8, 3, 1)}


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape, np.float32)


def _soft_boundary(embeddings: Any, center: Any) -> Any:
    return ak.deep_svdd_soft_boundary_loss(embeddings, center, 8.0)


def _energy(z: Any, gamma: Any) -> Any:
    return ak.gmm_energy(z, ak.gmm_params(z, gamma))


def _quantile(y_true: Any, y_pred: Any) -> Any:
    return ak.quantile_loss(y_true, y_pred, quantiles=plain.QUANTILES)


CASES = {
    "mean squared anomaly": Case(ak.mean_squared_anomaly, _pair("scores"), "scores", plain.mean_square),
    "squared error": Case(ak.mse_reconstruction_loss, _pair("x_true", "x_pred"), "x_pred", plain.squared_error, "mse"),
    "BCE": Case(ak.anomaly_bce_with_logits, _masked("target", "logit"), "logit", plain.bce, "bce"),
    "IoU": Case(ak.iou_loss, _masked("target", "score"), "score", plain.iou),
    "KL divergence": Case(ak.kl_divergence, _probabilities, "p_pred", plain.kl, "kl"),
    "Gaussian KL": Case(ak.gaussian_kl, _rows("mean", "log_var"), "mean", plain.gaussian_kl),
    "ELBO": Case(ak.elbo, _rows("y_true", "y_pred"), "y_pred", plain.elbo, "gaussian_nll"),
    "SVDD": Case(ak.deep_svdd_loss, _embeddings, "embeddings", plain.svdd),
    "SVDD, soft boundary": Case(_soft_boundary, _embeddings, "embeddings", plain.soft_boundary),
    "quantile loss": Case(_quantile, _forecasts, "y_pred", plain.quantile),
    "mixture energy": Case(_energy, _mixture, "z", plain.mixture_energy, largest=2**18),
    "AEGMM": Case(ak.aegmm_loss, _autoencoder, "z", plain.aegmm, largest=2**18),
}
MIXTURES = ("mixture energy", "AEGMM")


def arrays_of(case: Case, elements: int, library_array: Callable[[np.ndarray], Any]) -> Inputs:
    """The inputs of a case in a library's arrays, always the same."""
    inputs = case.inputs(np.random.default_rng(0), elements)
    return {name: library_array(x) for name, x in inputs.items()}
