"""What is measured: an entry a kernel, with its inputs and the formula as people write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import anomaly_kernels as ak
from benchmarks import loops, plain

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


def _scene(rng: np.random.Generator, n: int) -> Inputs:
    """Images of which a third is normal; the others have three squares of which the scores are higher."""
    side = 16 if n < 2**16 else 256
    target = np.zeros((n // side**2, side, side), bool)
    for image in target[: -(len(target) // 3)]:
        for top, left in rng.integers(0, side - side // 16, (3, 2)):
            image[top : top + side // 16 + 1, left : left + side // 16 + 1] = True
    return {"target": target, "score": _normal(rng, *target.shape) + 2 * target.astype(np.float32)}


def _series(rng: np.random.Generator, n: int) -> Inputs:
    """An event of 100 points in each 3000."""
    target = np.zeros(n, bool)
    for begin in range(0, max(n - 2000, 1), 3000):
        start = begin + rng.integers(100, min(n - begin, 3000) - 200)
        target[start : start + 100] = True
    return {"target": target, "score": _normal(rng, n) + target.astype(np.float32)}


def _masks(rng: np.random.Generator, n: int) -> Inputs:
    return {"target": _scene(rng, n)["target"]}


def _decided(draw: Make, threshold: float) -> Make:
    """The same with decisions instead of scores."""

    def draw_decided(rng: np.random.Generator, n: int) -> Inputs:
        inputs = draw(rng, n)
        return {"target": inputs["target"], "decision": inputs["score"] > threshold}

    return draw_decided


def _soft_boundary(embeddings: Any, center: Any) -> Any:
    return ak.deep_svdd_soft_boundary_loss(embeddings, center, 8.0)


def _energy(z: Any, gamma: Any) -> Any:
    return ak.gmm_energy(z, ak.gmm_params(z, gamma))


def _quantile(y_true: Any, y_pred: Any) -> Any:
    return ak.quantile_loss(y_true, y_pred, quantiles=plain.QUANTILES)


def _statistics(scores: Any) -> Any:
    return sum(ak.score_statistics(scores))


def _labels(target: Any) -> Any:
    return ak.label_regions(target).sum()


def _detection(target: Any, decision: Any) -> Any:
    return sum(ak.region_detection(target, decision))


def _aupimo(target: Any, score: Any) -> Any:
    areas = ak.aupimo(target, score, fpr_bounds=loops.FPR_BOUNDS)
    return areas[areas == areas].mean()  # not those of normal images, which are NaN


def _range_auc(target: Any, score: Any) -> Any:
    return sum(ak.range_auc(target, score, window=loops.WINDOW, thresholds=loops.THRESHOLDS))


def _vus(target: Any, score: Any) -> Any:
    return sum(ak.vus(target, score, window=loops.WINDOW, thresholds=loops.THRESHOLDS))


def _affiliation(target: Any, decision: Any) -> Any:
    return ak.affiliation_f1(target, decision).f1_score


def _best_adjusted(target: Any, score: Any) -> Any:
    return ak.best_point_adjusted_f1(target, score).value


def _best_event(target: Any, score: Any) -> Any:
    return ak.best_event_f1(target, score).value


_RANKED, _MIXED, _PIXELS, _POINTS = 2**20, 2**17, 2**22, 10**4
_TRACED = ("jax", "tensorflow")  # loops over what the data decide
_BUT_NUMPY = ("torch", *_TRACED)

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
    "regions": Case(ak.label_regions, _masks, loops.labels, largest=_PIXELS, lacks=_BUT_NUMPY, call=_labels),
    "AUPRO": Case(ak.aupro, _scene, loops.aupro, largest=_PIXELS, lacks=_TRACED),
    "AUPIMO": Case(ak.aupimo, _scene, loops.aupimo, largest=_PIXELS, lacks=_TRACED, call=_aupimo),
    "overlap of regions": Case(
        ak.per_region_overlap, _decided(_scene, 2.0), loops.overlap, largest=_PIXELS, lacks=_TRACED
    ),
    "regions found": Case(
        ak.region_detection, _decided(_scene, 3.0), loops.detection, largest=_PIXELS, lacks=_TRACED, call=_detection
    ),
    "VUS": Case(ak.vus, _series, loops.vus, largest=_POINTS, lacks=_BUT_NUMPY, call=_vus),
    "range AUC": Case(ak.range_auc, _series, loops.range_auc, largest=_POINTS, lacks=_BUT_NUMPY, call=_range_auc),
    "affiliation": Case(
        ak.affiliation_f1,
        _decided(_series, 2.0),
        loops.affiliation_f1,
        largest=10 * _POINTS,
        lacks=_BUT_NUMPY,
        call=_affiliation,
    ),
    "best point-adjusted F1": Case(
        ak.best_point_adjusted_f1,
        _series,
        loops.best_adjusted_f1,
        largest=_POINTS,
        lacks=_BUT_NUMPY,
        call=_best_adjusted,
    ),
    "best event F1": Case(
        ak.best_event_f1, _series, loops.best_event_f1, largest=_POINTS, lacks=_BUT_NUMPY, call=_best_event
    ),
}
GROWN = ("BCE", "IoU", "SVDD", "AUPRO", "VUS", "best point-adjusted F1")
"""Measured at every size, up to their largest: from calls that cost the call alone to arrays that no cache holds."""
SLOW = ("squared error", "BCE", "IoU", "KL divergence", "SVDD")
"""Measured in ways that take seconds to compile, too."""
QUICK = ("squared error", "BCE", "IoU", "SVDD", "average precision")


def arrays_of(case: Case, elements: int, array: Callable[[np.ndarray], Any]) -> Inputs:
    """The inputs of a case in a library's arrays, always the same."""
    return {name: array(x) for name, x in case.inputs(np.random.default_rng(0), elements).items()}
