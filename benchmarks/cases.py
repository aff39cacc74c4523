"""What is measured: an entry a kernel, with its inputs and the formula as people write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import anomaly_kernels as ak
from benchmarks import plain

Inputs = dict[str, Any]
Make = Callable[[np.random.Generator, int], Inputs]
D = 64  # columns of the (N, D) inputs


class Case(NamedTuple):
    """A kernel, inputs of n numbers each, and the formula written plainly; gradients are with respect to `wrt`."""

    kernel: Callable[..., Any]
    inputs: Make
    plain: Callable[..., Any]
    wrt: str = ""
    largest: int = 2**30
    """Above this the plain formula, or a peer, needs too much memory or time; the case is measured here instead."""
    lacks: tuple[str, ...] = ()
    """Libraries in which the formula cannot be written in a line or two."""
    call: Callable[..., Any] | None = None
    """What is timed, where that is more than the kernel with its default settings."""

    @property
    def ours(self) -> Callable[..., Any]:
        """What is timed: a function of the inputs."""
        return self.call or self.kernel


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape, np.float32)


def _rows(*names: str, width: int = D) -> Make:
    return lambda rng, n: {name: _normal(rng, n // width, width) for name in names}


def _masked(score: str) -> Make:
    def draw(rng: np.random.Generator, n: int) -> Inputs:
        return {"target": (rng.random((n // 8, 8)) < 0.1).astype(np.float32), score: _normal(rng, n // 8, 8)}

    return draw


def _shares(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    x = 0.01 + rng.random((rows, columns), np.float32)  # away from 0, where peers that do not clip differ
    return x / x.sum(axis=1, keepdims=True)


def _probabilities(rng: np.random.Generator, n: int) -> Inputs:
    return {name: _shares(rng, n // D, D) for name in ("p_true", "p_pred")}


def _gaussian(rng: np.random.Generator, n: int) -> Inputs:
    factor = _normal(rng, 16, 16)
    return {**_rows("y_true", "y_pred", width=16)(rng, n), "cov_full": factor @ factor.T + np.eye(16, dtype="float32")}


def _embeddings(rng: np.random.Generator, n: int) -> Inputs:
    return {"embeddings": _normal(rng, n // D, D), "center": _normal(rng, D)}


def _forecasts(rng: np.random.Generator, n: int) -> Inputs:
    return {"y_true": _normal(rng, n // 24, 8, 1), "y_pred": _normal(rng, n // 24, 8, 3, 1)}


def _mixture(rng: np.random.Generator, n: int) -> Inputs:
    return {"z": _normal(rng, n // 32, 32), "gamma": _shares(rng, n // 32, 8)}


def _autoencoder(rng: np.random.Generator, n: int) -> Inputs:
    return {"x_true": _normal(rng, n // 32, 9), "x_pred": _normal(rng, n // 32, 9), **_mixture(rng, n)}


def _selectors(rng: np.random.Generator, n: int) -> Inputs:
    return {"components": _normal(rng, n // D, D) / 8}


def _ranking(rng: np.random.Generator, n: int) -> Inputs:
    target = (rng.random(n) < 0.02).astype(np.float32)
    return {"target": target, "score": _normal(rng, n) + 2 * target}


def _soft_boundary(embeddings: Any, center: Any) -> Any:
    return ak.deep_svdd_soft_boundary_loss(embeddings, center, 8.0)


def _energy(z: Any, gamma: Any) -> Any:
    return ak.gmm_energy(z, ak.gmm_params(z, gamma))


def _quantile(y_true: Any, y_pred: Any) -> Any:
    return ak.quantile_loss(y_true, y_pred, quantiles=plain.QUANTILES)


def _statistics(scores: Any) -> Any:
    return sum(ak.score_statistics(scores))


_RANKED, _MIXED = 2**20, 2**17

CASES = {
    "mean squared anomaly": Case(ak.mean_squared_anomaly, _rows("scores", width=8), plain.mean_square, "scores"),
    "squared error": Case(
        ak.mse_reconstruction_loss, _rows("x_true", "x_pred", width=8), plain.squared_error, "x_pred"
    ),
    "BCE": Case(ak.anomaly_bce_with_logits, _masked("logit"), plain.bce, "logit"),
    "IoU": Case(ak.iou_loss, _masked("score"), plain.iou, "score"),
    "KL divergence": Case(ak.kl_divergence, _probabilities, plain.kl, "p_pred"),
    "Gaussian KL": Case(ak.gaussian_kl, _rows("mean", "log_var"), plain.gaussian_kl, "mean"),
    "ELBO": Case(ak.elbo, _rows("y_true", "y_pred"), plain.elbo, "y_pred"),
    "ELBO, full covariance": Case(ak.elbo, _gaussian, plain.elbo_full, "y_pred"),
    "SVDD": Case(ak.deep_svdd_loss, _embeddings, plain.svdd, "embeddings"),
    "SVDD, soft boundary": Case(
        ak.deep_svdd_soft_boundary_loss, _embeddings, plain.soft_boundary, "embeddings", call=_soft_boundary
    ),
    "quantile loss": Case(ak.quantile_loss, _forecasts, plain.quantile, "y_pred", call=_quantile),
    "orthogonality": Case(ak.orthogonality_loss, _selectors, plain.orthogonality, "components", 2**18),
    "mixture energy": Case(ak.gmm_energy, _mixture, plain.mixture_energy, "z", _MIXED, call=_energy),
    "AEGMM": Case(ak.aegmm_loss, _autoencoder, plain.aegmm, "z", _MIXED),
    "average precision": Case(ak.average_precision, _ranking, plain.average_precision, largest=_RANKED),
    "ROC AUC": Case(ak.roc_auc, _ranking, plain.roc_auc, largest=_RANKED),
    "score statistics": Case(
        ak.score_statistics,
        lambda rng, n: {"scores": _normal(rng, n)},
        plain.statistics,
        largest=2**22,
        lacks=("tensorflow",),
        call=_statistics,
    ),
}
GROWN = ("BCE", "IoU", "SVDD")
"""Measured at every size, from calls that cost nothing but the call to arrays that no cache holds."""
SLOW = ("squared error", "BCE", "IoU", "KL divergence", "SVDD")
"""Measured in ways that take seconds to compile, too."""
QUICK = ("squared error", "BCE", "IoU", "SVDD", "average precision")


def arrays_of(case: Case, elements: int, array: Callable[[np.ndarray], Any]) -> Inputs:
    """The inputs of a case in a library's arrays, always the same."""
    return {name: array(x) for name, x in case.inputs(np.random.default_rng(0), elements).items()}
