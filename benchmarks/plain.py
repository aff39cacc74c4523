"""The formulas as people write them, in a library's own names (`xp`, which `libraries.names_of` gives)."""

from __future__ import annotations

import math
from typing import Any

QUANTILES = (0.1, 0.5, 0.9)


def mean_square(xp: Any, scores: Any) -> Any:
    return xp.mean(scores**2)


def squared_error(xp: Any, x_true: Any, x_pred: Any) -> Any:
    return xp.mean((x_true - x_pred) ** 2)


def bce(xp: Any, target: Any, logit: Any) -> Any:
    return xp.mean(xp.clip(logit, 0, None) - logit * target + xp.log1p(xp.exp(-abs(logit))))


def iou(xp: Any, target: Any, score: Any) -> Any:
    p = 1 / (1 + xp.exp(-score))
    common = xp.sum(p * target)
    return 1 - (common + 1e-6) / (xp.sum(p) + xp.sum(target) - common + 1e-6)


def kl(xp: Any, p_true: Any, p_pred: Any) -> Any:
    p, q = xp.clip(p_true, 1e-7, 1), xp.clip(p_pred, 1e-7, 1)
    return xp.mean(xp.sum(p * xp.log(p / q), -1))


def gaussian_kl(xp: Any, mean: Any, log_var: Any) -> Any:
    return xp.mean(-0.5 * xp.sum(1 + log_var - mean**2 - xp.exp(log_var), -1))


def elbo(xp: Any, y_true: Any, y_pred: Any) -> Any:
    return xp.mean(0.5 * xp.sum((y_true - y_pred) ** 2, -1)) + 0.5 * y_true.shape[-1] * math.log(2 * math.pi)


def elbo_full(xp: Any, y_true: Any, y_pred: Any, cov_full: Any) -> Any:
    residual = y_true - y_pred
    distance = xp.sum((residual @ xp.linalg.inv(cov_full)) * residual, -1)
    half_logdet = xp.sum(xp.log(xp.einsum("ii->i", xp.linalg.cholesky(cov_full))))  # XLA in TensorFlow has no slogdet
    return xp.mean(0.5 * distance) + half_logdet + 0.5 * y_true.shape[-1] * math.log(2 * math.pi)


def svdd(xp: Any, embeddings: Any, center: Any) -> Any:
    return xp.mean(xp.sum((embeddings - center) ** 2, -1))


def soft_boundary(xp: Any, embeddings: Any, center: Any) -> Any:
    excess = xp.sum((embeddings - center) ** 2, -1) - 8.0**2
    return 8.0**2 + xp.mean(xp.clip(excess, 0, None)) / 0.05


def quantile(xp: Any, y_true: Any, y_pred: Any) -> Any:
    losses = []
    for k, q in enumerate(QUANTILES):
        error = y_true - y_pred[:, :, k]
        losses.append(xp.mean(xp.maximum(q * error, (q - 1) * error)))
    return sum(losses) / len(losses)


def orthogonality(xp: Any, components: Any) -> Any:
    products = xp.einsum("ic,jc->ij", components, components)
    return xp.sum((products - xp.eye(components.shape[0], dtype=components.dtype)) ** 2)


def average_precision(xp: Any, target: Any, score: Any) -> Any:
    ordered = xp.take(target, xp.argsort(-score))
    hits = xp.cumsum(ordered, 0)
    return xp.sum(ordered * hits / xp.cumsum(0 * ordered + 1, 0)) / xp.sum(ordered)


def roc_auc(xp: Any, target: Any, score: Any) -> Any:
    ordered = xp.take(target, xp.argsort(-score))
    false = 1 - ordered
    return 1 - xp.sum(ordered * xp.cumsum(false, 0) / xp.sum(false)) / xp.sum(ordered)


def statistics(xp: Any, scores: Any) -> Any:
    mean = xp.mean(scores)
    std = (xp.sum((scores - mean) ** 2) / (scores.shape[0] - 1)) ** 0.5
    quantiles = sum(xp.quantile(scores, q) for q in (0.5, 0.25, 0.75, 0.95, 0.99))
    return mean + std + scores.min() + scores.max() + quantiles


def mixture_energy(xp: Any, z: Any, gamma: Any) -> Any:
    phi, mu, cov = _mixture(xp, z, gamma)
    return _energy(xp, z, phi, mu, cov)


def aegmm(xp: Any, x_true: Any, x_pred: Any, z: Any, gamma: Any) -> Any:
    phi, mu, cov = _mixture(xp, z, gamma)
    penalty = xp.sum(1 / xp.einsum("kii->ki", cov))
    return xp.mean((x_true - x_pred) ** 2) + 0.1 * _energy(xp, z, phi, mu, cov) + 0.005 * penalty


def _mixture(xp: Any, z: Any, gamma: Any) -> tuple[Any, Any, Any]:
    # with the outer product of every sample for every component, as in the code that DAGMM is copied from
    total = xp.sum(gamma, 0)
    mu = xp.sum(gamma[:, :, None] * z[:, None, :], 0) / total[:, None]
    deviation = z[:, None, :] - mu[None]
    outer = deviation[:, :, :, None] * deviation[:, :, None, :]
    cov = xp.sum(gamma[:, :, None, None] * outer, 0) / total[:, None, None]
    return total / gamma.shape[0], mu, cov + 1e-6 * xp.eye(z.shape[1], dtype=z.dtype)


def _energy(xp: Any, z: Any, phi: Any, mu: Any, cov: Any) -> Any:
    deviation = z[:, None, :] - mu[None]
    distance = xp.sum(xp.sum(deviation[:, :, :, None] * xp.linalg.inv(cov)[None], 2) * deviation, 2)
    half_logdet = xp.sum(xp.log(xp.einsum("kii->ki", xp.linalg.cholesky(cov))), 1)
    log_density = -0.5 * (distance + z.shape[1] * math.log(2 * math.pi)) - half_logdet
    exponent = xp.log(phi) + log_density
    top = xp.amax(exponent, 1)
    return -xp.mean(top + xp.log(xp.sum(xp.exp(exponent - top[:, None]), 1)))
