"""What a user would pick instead, by library and case, under the name by which they know it.

Every one takes the case's inputs by name and gives the same number. A case that is not here has no such peer.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.loops import LIMIT, THRESHOLDS, WINDOW
from benchmarks.plain import QUANTILES

Peers = dict[str, dict[str, Callable[..., Any]]]


def peers_of(library: str, case: str) -> dict[str, Callable[..., Any]]:
    """The peers of a case in a library, by name."""
    peers = {"numpy": _numpy, "torch": _torch, "jax": _jax, "tensorflow": _tensorflow}.get(library)
    return peers().get(case, {}) if peers else {}


def _numpy() -> Peers:
    from scipy import ndimage, special, stats
    from sklearn import metrics

    def pinball(y_true: Any, y_pred: Any) -> Any:
        flat = [(y_true.reshape(-1), y_pred[:, :, k].reshape(-1), q) for k, q in enumerate(QUANTILES)]
        return sum(metrics.mean_pinball_loss(y, p, alpha=q) for y, p, q in flat) / len(flat)

    def log_density(y_true: Any, y_pred: Any, cov_full: Any) -> Any:
        return -stats.multivariate_normal(cov=cov_full).logpdf(y_true - y_pred).mean()

    neighbours = np.zeros((3, 3, 3))
    neighbours[1] = 1  # within an image, corners too

    def aupro(target: Any, score: Any) -> Any:
        numbers, _ = ndimage.label(target, neighbours)
        weight = np.where(target, 1 / np.bincount(numbers.reshape(-1))[numbers], 1)
        fpr, tpr, _ = metrics.roc_curve(target.reshape(-1), score.reshape(-1), sample_weight=weight.reshape(-1))
        inside = fpr < LIMIT
        last = np.interp(LIMIT, fpr, tpr)
        return np.trapezoid(np.append(tpr[inside], last), np.append(fpr[inside], LIMIT)) / LIMIT

    return {
        "regions": {"scipy.ndimage.label": lambda target: ndimage.label(target, neighbours)[0].sum(), **_of_skimage()},
        "AUPRO": {"scipy.ndimage.label and sklearn.roc_curve": aupro},
        "squared error": {"sklearn.mean_squared_error": _by_place(metrics.mean_squared_error)},
        "KL divergence": {"scipy.rel_entr": lambda p_true, p_pred: special.rel_entr(p_true, p_pred).sum(-1).mean()},
        "ELBO, full covariance": {"scipy.multivariate_normal": log_density},
        "quantile loss": {"sklearn.mean_pinball_loss": pinball},
        "average precision": {"sklearn.average_precision_score": _by_place(metrics.average_precision_score)},
        "ROC AUC": {"sklearn.roc_auc_score": _by_place(metrics.roc_auc_score)},
        **_of_vus(),
    }


def _of_skimage() -> dict[str, Callable[..., Any]]:
    """Nothing where it is not installed."""
    if not find_spec("skimage"):
        return {}
    from skimage import measure

    def labels(target: Any) -> Any:
        found, total = 0, 0
        for mask in target:
            numbers, count = measure.label(mask, connectivity=2, return_num=True)
            total += numbers.sum() + found * mask.sum()  # as if they were counted on
            found += count
        return total

    return {"skimage.measure.label": labels}


def _of_vus() -> Peers:
    """Nothing where it is not installed."""
    if not find_spec("vus"):
        return {}
    from vus.affiliation.generics import convert_vector_to_events
    from vus.affiliation.metrics import pr_from_events
    from vus.utils.metrics import metricor

    def volumes(target: Any, score: Any) -> Any:
        *_, area, precision = metricor().RangeAUC_volume_opt(target.astype(int), score, WINDOW, THRESHOLDS)
        return area + precision

    def affiliation(target: Any, decision: Any) -> Any:
        events = [convert_vector_to_events(x.astype(int)) for x in (decision, target)]
        precision, recall, *_ = pr_from_events(*events, (0, len(target))).values()
        return 2 * precision * recall / (precision + recall)

    return {"VUS": {"vus": volumes}, "affiliation": {"vus.affiliation": affiliation}}


def _torch() -> Peers:
    import torch
    from torch import distributions
    from torch.nn import functional as F
    from torchmetrics.functional import classification

    def cross_entropy(target: Any, logit: Any) -> Any:
        return F.binary_cross_entropy_with_logits(logit, target)

    def gaussian_kl(mean: Any, log_var: Any) -> Any:
        ours, standard = distributions.Normal(mean, (0.5 * log_var).exp()), distributions.Normal(0.0, 1.0)
        return distributions.kl_divergence(ours, standard).sum(-1).mean()

    def gaussian_nll(y_true: Any, y_pred: Any) -> Any:
        one = torch.ones((), device=y_pred.device).expand_as(y_pred)
        return y_pred.shape[-1] * F.gaussian_nll_loss(y_pred, y_true, one, full=True)

    def log_density(y_true: Any, y_pred: Any, cov_full: Any) -> Any:
        return -distributions.MultivariateNormal(y_pred, cov_full).log_prob(y_true).mean()

    def ranked(metric: Callable[..., Any]) -> Callable[..., Any]:
        return lambda target, score: metric(score, target.long(), validate_args=False)

    return {
        "squared error": {"F.mse_loss": lambda x_true, x_pred: F.mse_loss(x_pred, x_true)},
        "BCE": {"F.binary_cross_entropy_with_logits": cross_entropy},
        "KL divergence": {"F.kl_div": lambda p_true, p_pred: F.kl_div(p_pred.log(), p_true, reduction="batchmean")},
        "Gaussian KL": {"torch.distributions.kl_divergence": gaussian_kl},
        "ELBO": {"F.gaussian_nll_loss": gaussian_nll},
        "ELBO, full covariance": {"torch.distributions.MultivariateNormal": log_density},
        "average precision": {"torchmetrics.binary_average_precision": ranked(classification.binary_average_precision)},
        "ROC AUC": {"torchmetrics.binary_auroc": ranked(classification.binary_auroc)},
    }


def _jax() -> Peers:
    import jax
    import jax.numpy as jnp
    from optax import losses

    def squared_error(x_true: Any, x_pred: Any) -> Any:
        return losses.squared_error(x_pred, x_true).mean()

    def cross_entropy(target: Any, logit: Any) -> Any:
        return losses.sigmoid_binary_cross_entropy(logit, target).mean()

    def kl(p_true: Any, p_pred: Any) -> Any:
        return losses.kl_divergence(jnp.log(p_pred), p_true).mean()

    def log_density(y_true: Any, y_pred: Any, cov_full: Any) -> Any:
        zero = jnp.zeros(cov_full.shape[0], cov_full.dtype)
        return -jax.scipy.stats.multivariate_normal.logpdf(y_true - y_pred, zero, cov_full).mean()

    return {
        "squared error": {"optax.squared_error": squared_error},
        "BCE": {"optax.sigmoid_binary_cross_entropy": cross_entropy},
        "KL divergence": {"optax.kl_divergence": kl},
        "ELBO, full covariance": {"jax.scipy.stats.multivariate_normal": log_density},
    }


def _tensorflow() -> Peers:
    import tensorflow as tf
    from keras import losses

    mse, bce, kl = losses.MeanSquaredError(), losses.BinaryCrossentropy(from_logits=True), losses.KLDivergence()

    def cross_entropy(target: Any, logit: Any) -> Any:
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=logit))

    return {
        "squared error": {"keras.MeanSquaredError": _by_place(mse)},
        "BCE": {"keras.BinaryCrossentropy": _by_place(bce), "tf.nn.sigmoid_cross_entropy_with_logits": cross_entropy},
        "KL divergence": {"keras.KLDivergence": _by_place(kl)},
    }


def _by_place(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the truth and the prediction, which have other names in each case."""
    return lambda **inputs: function(*inputs.values())
