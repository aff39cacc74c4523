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
import inspect
from collections.abc import Callable
from typing import Any

import jax
from jax.tree_util import Partial

import anomaly_kernels
from anomaly_kernels import GMMParams
from anomaly_kernels._adapter import as_list, checks_of, static_settings
from anomaly_kernels._checks import is_number
from anomaly_kernels._namespace import describe
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


def jitted(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel compiled by JAX, its settings checked before they are traced."""
    checks = checks_of(kernel)
    static = static_settings(kernel)
    parameters = inspect.signature(kernel).parameters.values()
    names = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    numbers = {k: name for k, name in enumerate(names) if name in checks}

    @functools.cache
    def compiled(static_names: frozenset[str]) -> Callable[..., Any]:
        return jax.jit(kernel, static_argnames=tuple(static_names))

    @functools.wraps(kernel)
    def function(*arrays: Any, **settings: Any) -> Any:
        if len(arrays) > len(names):
            raise TypeError(
                f"{kernel.__name__} takes {', '.join(names)} by position and settings by name, "
                f"got {len(arrays)} arguments"
            )
        for k, name in numbers.items():
            if k < len(arrays):
                checks[name](name, arrays[k])
                arrays = (*arrays[:k], _traceable(arrays[k]), *arrays[k + 1 :])
        for name in settings.keys() & checks.keys():
            if name in static and isinstance(settings[name], jax.core.Tracer):
                raise TypeError(f"`{name}` must be known when it is compiled, got a traced array")
            checks[name](name, settings[name])
        fixed = frozenset(name for name in static & settings.keys() if not _brings_arrays(settings[name]))
        given = {name: _hashable(name, x) if name in fixed else _traceable(x) for name, x in settings.items()}
        return compiled(fixed)(*arrays, **given)

    function.__module__ = __name__
    return function


def _plain(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel as it is, as a function of this module."""

    @functools.wraps(kernel)
    def function(*arrays: Any, **settings: Any) -> Any:
        return kernel(*arrays, **settings)

    function.__module__ = __name__
    return function


def _brings_arrays(model: Any) -> bool:
    models = model if isinstance(model, list | tuple) else [model]
    return any(isinstance(m, Partial) for m in models)


def _traceable(given: Any) -> Any:
    """Numbers of every kind as floats, and functions, which are beside a `Partial`, as such."""
    if isinstance(given, list | tuple) and not hasattr(given, "_fields"):
        return [_traceable(x) for x in given]
    if is_number(given):
        return float(given)
    return Partial(given) if callable(given) and not isinstance(given, Partial) else given


def _hashable(name: str, setting: Any) -> Any:
    setting = as_list(setting)
    setting = tuple(setting) if isinstance(setting, list) else setting
    try:
        hash(setting)
    except TypeError:
        raise TypeError(
            f"`{name}` must have a hash, or be a `jax.tree_util.Partial` of a function and its arrays, "
            f"got {describe(setting)}"
        ) from None
    return setting


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
