"""Every function under its own name, jitted. Settings are static only where a shape or a branch depends on them.

Numbers are traced: another weight or temperature compiles nothing anew. Names of options, axes, quantiles and models
are static. A model that is made anew for each call, such as a lambda, is compiled for each call; one given as
``jax.tree_util.Partial(apply, params)`` is compiled once, and its parameters are traced. Of any other model, which must
have a hash, the state is that of the first call.

The metric classes are pytrees. `precision_recall_curve` and `roc_curve` have as many points as there are distinct
scores, and are not jitted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import anomaly_kernels
from anomaly_kernels import GMMParams
from anomaly_kernels.jax._jitted import PACKAGE, jitted
from anomaly_kernels.jax.metrics import (
    AnomalyDetectionMetrics,
    AnomalyPixelStatisticsMetric,
    ComponentOrthogonalityMetric,
    ExplainedVarianceMetric,
    ScoreStatisticsMetric,
    SelectorDiversityMetric,
    SelectorEntropyMetric,
)
from anomaly_kernels.jax.networks import (
    lstm_autoencoder_apply,
    lstm_autoencoder_init,
    sequence_anomaly_score_apply,
    sequence_anomaly_score_init,
)

CURVES = ("precision_recall_curve", "roc_curve")
"""Not jitted: they have as many points as there are distinct scores."""


def _plain(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel as it is, as a function of this module."""

    @functools.wraps(kernel)
    def function(*arrays: Any, **settings: Any) -> Any:
        return kernel(*arrays, **settings)

    function.__module__ = PACKAGE
    return function


FUNCTIONS = [
    *anomaly_kernels.losses.__all__,
    *anomaly_kernels.metrics.__all__,
    *anomaly_kernels.networks.__all__,
]
for _name in FUNCTIONS:
    _kernel = getattr(anomaly_kernels, _name)
    globals()[_name] = _plain(_kernel) if _name in CURVES else jitted(_kernel)

__all__ = [  # noqa: PLE0604  # it cannot see through the stars
    "AnomalyDetectionMetrics",
    "AnomalyPixelStatisticsMetric",
    "ComponentOrthogonalityMetric",
    "ExplainedVarianceMetric",
    "GMMParams",
    "ScoreStatisticsMetric",
    "SelectorDiversityMetric",
    "SelectorEntropyMetric",
    "lstm_autoencoder_apply",
    "lstm_autoencoder_init",
    "sequence_anomaly_score_apply",
    "sequence_anomaly_score_init",
    *FUNCTIONS,
]
