"""Three detectors that need no framework to fit: a Gaussian mixture, a hypersphere and principal components.

They are fitted with NumPy on normal rows. Scoring is written with the library's own functions and runs on the arrays
of any library.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import anomaly_kernels as ak
from anomaly_kernels.data import Shuttle

Matrix = npt.NDArray[np.float64]

MIXTURE = "Gaussian mixture"
HYPERSPHERE = "hypersphere"
COMPONENTS = "principal components"

FALSE_ALARMS = 0.01
"""Share of normal training rows above a detector's threshold."""


class Split(NamedTuple):
    """Rows to fit on and rows to score, standardised by the mean and deviation of the former."""

    train: Matrix
    test: Matrix
    target: npt.NDArray[np.bool_]


class Detectors(NamedTuple):
    """The fitted detectors, as arrays of one library."""

    mixture: ak.GMMParams
    center: Any
    radius: Any
    projection: Any


class Figures(NamedTuple):
    """How good a detector is: two figures of its ranking, one of its decisions."""

    auroc: Any
    average_precision: Any
    f1: Any


def split(shuttle: Shuttle, seed: int = 0) -> Split:
    """Half of the normal rows to fit on; the other half and all anomalies to score."""
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(~shuttle.target))
    half = len(normal) // 2
    rows = np.sort(np.concatenate([normal[half:], np.flatnonzero(shuttle.target)]))
    train = shuttle.features[normal[:half]]
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    return Split((train - mean) / deviation, (shuttle.features[rows] - mean) / deviation, shuttle.target[rows])


def fit(train: Matrix) -> Detectors:
    """Fit the three detectors on normal rows."""
    center = train.mean(axis=0)
    distance = np.asarray(ak.svdd_score(train, center))
    radius = np.sqrt(np.quantile(distance, 1 - FALSE_ALARMS))
    directions = np.linalg.svd(train, full_matrices=False).Vh[:3]  # the principal ones
    return Detectors(fit_mixture(train), center, radius, directions.T @ directions)


def fit_mixture(z: Matrix, k: int = 6, eps: float = 1e-3, steps: int = 200, seed: int = 0) -> ak.GMMParams:
    """Fit a Gaussian mixture by expectation maximisation.

    It starts from the rows nearest to ``k`` rows drawn at random, and stops once the mean energy falls by less than
    1e-5 in a step.
    """
    seeds = z[np.random.default_rng(seed).choice(len(z), k, replace=False)]
    nearest = np.argmin([np.asarray(ak.svdd_score(z, row)) for row in seeds], axis=0)
    params = ak.gmm_params(z, np.eye(k)[nearest], eps=eps)
    before = np.inf
    for _ in range(steps):
        membership, energy = responsibilities(z, params)
        if before - energy.mean() < 1e-5:
            break
        before = energy.mean()
        params = ak.gmm_params(z, membership, eps=eps)
    return params


def responsibilities(z: Matrix, params: ak.GMMParams) -> tuple[Matrix, Matrix]:
    """The probability of each component given each row, (N, K), and the energy of each row, (N,).

    The energy of component k alone is −log φ_k N(z; μ_k, Σ_k), so that with the energy E of the whole mixture the
    probability is exp(E − E_k).
    """
    alone = [ak.GMMParams(*(array[k : k + 1] for array in params)) for k in range(params.phi.shape[0])]
    energies = np.stack([np.asarray(ak.gmm_energy(z, one, reduction="none")) for one in alone], axis=1)
    energy = -np.logaddexp.reduce(-energies, axis=1)
    return np.exp(energy[:, None] - energies), energy


def score(detectors: Detectors, z: Any) -> dict[str, Any]:
    """Anomaly scores of each row by each detector, for arrays of any library."""
    return {
        MIXTURE: ak.gmm_energy(z, detectors.mixture, reduction="none"),
        HYPERSPHERE: ak.svdd_score(z, detectors.center, radius=detectors.radius),
        COMPONENTS: ak.reconstruction_error(z, z @ detectors.projection),
    }


def thresholds(detectors: Detectors, train: Matrix) -> dict[str, float]:
    """The score that the given share of training rows exceeds, for each detector; anomalies are not looked at."""
    return {name: float(np.quantile(scores, 1 - FALSE_ALARMS)) for name, scores in score(detectors, train).items()}


def judge(target: Any, scores: Any, threshold: float) -> Figures:
    """How well scores rank the anomalies, and how well the decisions at a threshold find them."""
    metrics = ak.anomaly_detection_metrics(target, scores > threshold, scores)
    return Figures(ak.roc_auc(target, scores), metrics.average_precision, metrics.f1_score)
