"""Peak memory of the kernels that promise to need little, for the forms of input that could break the promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

import anomaly_kernels as ak
from anomaly_kernels.testing.drivers import driver_for
from benchmarks.memory import peak

Run = Callable[[], Any]
MANY = 2**24
MIXTURE = {"samples": 100_000, "components": 8, "dimensions": 32}
WIDTHS = (8, 64, 1024)
PAIRS = {"embeddings": 4096, "reference": 20_000, "dimensions": 128}


def elementwise(library: str) -> dict[str, int | None]:
    """Bytes beyond 16M float32 inputs, by what is computed."""
    array = driver_for(library).array
    x, y, mask = _inputs(MANY)
    small = dict(_elementwise(array, x[: 2**17], y[: 2**17], mask[: 2**17]))
    return _peaks(library, dict(_elementwise(array, x, y, mask)), small)


def statistics(library: str, dtype: str) -> dict[str, int | None]:
    """Bytes beyond 16M scores of which statistics are asked, by how these spread."""
    rng = np.random.default_rng(0)
    spread = {
        "all over": rng.standard_cauchy(MANY),
        "in a narrow range": 1.0 + 1e-3 * rng.random(MANY),
        "half of them equal": np.maximum(rng.standard_normal(MANY, np.float32), 0.0),
    }
    scores = {name: driver_for(library).array(x, dtype) for name, x in spread.items()}
    small = {name: partial(ak.score_statistics, x[: 2**18]) for name, x in scores.items()}
    return _peaks(library, {name: partial(ak.score_statistics, x) for name, x in scores.items()}, small)


def pairs(library: str) -> dict[str, int | None]:
    """Bytes beyond embeddings of which each meets all others, by what is computed; 5 MiB for a row of each pair."""
    small = dict(_pairs(library, PAIRS["embeddings"] // 4, PAIRS["reference"] // 16))
    return _peaks(library, dict(_pairs(library, PAIRS["embeddings"], PAIRS["reference"])), small)


def pairs_in_training(library: str) -> dict[str, int | None]:
    """Bytes that losses of pairs need, with their gradients, beyond embeddings and these."""
    torch = driver_for(library).module
    n, d = PAIRS["embeddings"], PAIRS["dimensions"]

    def step(size: int) -> dict[str, Run]:
        z, other = (torch.randn(size, d, requires_grad=True) for _ in range(2))
        label = torch.arange(size) // 2
        return {
            "SupCon": lambda: ak.supcon_loss(label, z).backward(),
            "MMD": lambda: ak.mmd_loss(z, other, bandwidths=(8.0, 16.0)).backward(),
        }

    return _peaks(library, step(n), step(n))


def regions(library: str) -> dict[str, int | None]:
    """Bytes beyond 8M pixels in eight images, half of which have anomalies, by metric."""
    target = np.zeros((8, 1024, 1024), bool)
    target[:4, 100:200, 300:350] = target[:4, 500:510, 500:900] = True
    score = np.random.default_rng(0).standard_normal(target.shape, np.float32) + target
    y, s = (driver_for(library).array(x) for x in (target, score))
    metrics = {"AUPRO": ak.aupro, "AUPIMO": ak.aupimo}
    small = {name: partial(metric, y[2:5, :300], s[2:5, :300]) for name, metric in metrics.items()}
    return _peaks(library, {name: partial(metric, y, s) for name, metric in metrics.items()}, small)


def mixture(library: str, dtype: str) -> dict[str, int | None]:
    """Bytes beyond the inputs of a mixture of 8 components, 100 000 samples in 32 dimensions."""
    small = dict(_mixture(library, dtype, MIXTURE["samples"] // 20))
    return _peaks(library, dict(_mixture(library, dtype, MIXTURE["samples"])), small)


def pooled(library: str) -> dict[str, int | None]:
    """Bytes beyond 16M float32 inputs of what pools in parts, or needs several sums, by what is computed."""
    runs = dict(_pooled(driver_for(library).array, *_inputs(MANY)[::2]))
    return _peaks(library, runs, runs)


def _peaks(library: str, runs: Mapping[str, Run], first: Mapping[str, Run]) -> dict[str, int | None]:
    """The peak of each run, after a first one, since what a first call loads is none of the formula's."""
    peaks = {}
    for name, run in runs.items():
        first[name]()
        peaks[name] = peak(library, run)
    return peaks


def _pooled(array: Callable[..., Any], x: np.ndarray, mask: np.ndarray) -> Iterator[tuple[str, Run]]:
    images, rows = (-1, 1, 1024, 1024), (-1, 1024)
    a, m = array(x), array(mask)
    shifted = array(np.roll(x, 1).reshape(rows))
    yield "IoU of images", partial(ak.iou_loss, m.reshape(images), a.reshape(images), axis=(1, 2, 3))
    yield "score_statistics", partial(ak.score_statistics, a)
    yield "selector_entropy_regularizer", partial(ak.selector_entropy_regularizer, a)
    yield "selector_diversity_regularizer", partial(ak.selector_diversity_regularizer, a)
    yield (
        "adversarial_ae_loss",
        partial(ak.adversarial_ae_loss, a.reshape(rows), shifted, model=_four_shares, w_recon=0.5),
    )


def _four_shares(x: Any) -> Any:
    """Probabilities of four classes, for next to nothing."""
    xp = ak.array_namespace(x)
    first = x[:, :4] + 1.0
    return first / xp.sum(first, axis=1, keepdims=True)


def training(library: str) -> dict[str, int | None]:
    """Bytes that `aegmm_loss` keeps for its backward pass, and needs in both beyond inputs and gradients."""
    torch = driver_for(library).module
    rng, kept = np.random.default_rng(0), {}
    samples, k, d = MIXTURE["samples"], MIXTURE["components"], MIXTURE["dimensions"]
    z, gamma = rng.normal(size=(samples, d)), rng.dirichlet(np.ones(k), samples)
    x_true, x_pred = (torch.tensor(rng.normal(size=(samples, 9)), dtype=torch.float32) for _ in range(2))

    def step(size: int) -> Any:
        arrays = [torch.tensor(each[:size], dtype=torch.float32, requires_grad=True) for each in (z, gamma)]
        arrays.insert(0, x_pred[:size].detach().clone().requires_grad_())
        return arrays, lambda: ak.aegmm_loss(x_true[:size], *arrays).backward()

    def count(x: Any) -> Any:
        kept[x.data_ptr()] = x.nbytes  # several sums keep the same inputs
        return x

    step(samples // 20)[1]()
    arrays, run = step(samples)
    needed = peak(library, run)
    gradients = sum(x.grad.nbytes for x in arrays)
    _, run = step(samples)
    with torch.autograd.graph.saved_tensors_hooks(count, lambda x: x):
        run()
    return {"kept": sum(kept.values()), "needed": None if needed is None else needed - gradients}


def _inputs(elements: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    x, y = (rng.random(elements, np.float32) for _ in range(2))
    return x, y, y > 0.9


def _elementwise(
    array: Callable[..., Any], x: np.ndarray, y: np.ndarray, mask: np.ndarray
) -> Iterator[tuple[str, Run]]:
    a, b, m = array(x), array(y), array(mask)
    yield "squared error", partial(ak.mse_reconstruction_loss, a, b)
    yield "mean squared anomaly", partial(ak.mean_squared_anomaly, a)
    for kind, target in (("real", b), ("boolean", m)):
        yield f"BCE, {kind} targets", partial(ak.anomaly_bce_with_logits, target, a)
        for method in ("sigmoid", "minmax", "clamp"):
            yield f"IoU, {method}, {kind} targets", partial(ak.iou_loss, target, a, normalize_method=method)
    image = (-1, 4, 64, 64)
    yield "BCE, images", partial(ak.anomaly_bce_with_logits, m.reshape(image), a.reshape(image))
    for d in WIDTHS:
        rows, others, center = a.reshape((-1, d)), b.reshape((-1, d)), b[:d]
        yield f"KL, {d} classes", partial(ak.kl_divergence, rows, others)
        yield f"SVDD, {d} dimensions", partial(ak.deep_svdd_loss, rows, center)
        yield f"SVDD, soft boundary, {d} dimensions", partial(ak.deep_svdd_soft_boundary_loss, rows, center, 0.5)


def _pairs(library: str, n: int, m: int) -> Iterator[tuple[str, Run]]:
    rng, driver, d = np.random.default_rng(0), driver_for(library), PAIRS["dimensions"]
    z, others, bank = (driver.array(rng.standard_normal((size, d), np.float32)) for size in (n, n, m))
    label = driver.array(np.arange(n) // 2)
    params = ak.mahalanobis_fit(bank)
    yield "SupCon", partial(ak.supcon_loss, label, z)
    yield "MMD", partial(ak.mmd_loss, z, others, bandwidths=(8.0, 16.0))
    yield "nearest neighbours", partial(ak.knn_score, z, bank, k=5)
    yield "mean of neighbours", partial(ak.knn_score, z, bank, k=5, aggregate="mean")
    yield "Mahalanobis, fit", partial(ak.mahalanobis_fit, bank)
    yield "Mahalanobis, score", partial(ak.mahalanobis_score, bank, params.mean, params.chol)


def _mixture(library: str, dtype: str, samples: int) -> Iterator[tuple[str, Run]]:
    rng, array = np.random.default_rng(0), driver_for(library).array
    z = array(rng.normal(size=(samples, MIXTURE["dimensions"])), dtype)
    gamma = array(rng.dirichlet(np.ones(MIXTURE["components"]), samples), dtype)
    x_true, x_pred = (array(rng.normal(size=(samples, 9)), dtype) for _ in range(2))
    yield "gmm_params and gmm_energy", lambda: ak.gmm_energy(z, ak.gmm_params(z, gamma))
    yield "aegmm_loss", partial(ak.aegmm_loss, x_true, x_pred, z, gamma)
