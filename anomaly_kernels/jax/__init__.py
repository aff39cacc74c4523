"""Every function under its own name, jitted. Settings are static only where a shape or a branch depends on them.

Numbers are traced: another weight or temperature compiles nothing anew. Names of options, axes, quantiles and models
are static. A model that is made anew for each call, such as a lambda, is compiled for each call; one given as
``jax.tree_util.Partial(apply, params)`` is compiled once, and its parameters are traced. Of any other model the state
is that of the first call.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax

import anomaly_kernels
from anomaly_kernels import GMMParams, losses, metrics, networks
from anomaly_kernels._adapter import as_list, checks_of, static_settings


def jitted(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel compiled by JAX, its settings checked before they are traced."""
    checks = checks_of(kernel)
    static = static_settings(kernel)

    @functools.cache
    def compiled(static_names: frozenset[str]) -> Callable[..., Any]:
        return jax.jit(kernel, static_argnames=tuple(static_names))

    @functools.wraps(kernel)
    def function(*arrays: Any, **settings: Any) -> Any:
        for name in settings.keys() & checks.keys():
            checks[name](name, settings[name])
        names = [name for name in static & settings.keys() if not _brings_arrays(settings[name])]
        settings |= {name: _hashable(settings[name]) for name in names}
        return compiled(frozenset(names))(*arrays, **settings)

    function.__module__ = __name__
    return function


def _brings_arrays(model: Any) -> bool:
    models = model if isinstance(model, list | tuple) else [model]
    return any(isinstance(m, jax.tree_util.Partial) for m in models)


def _hashable(setting: Any) -> Any:
    setting = as_list(setting)
    return tuple(setting) if isinstance(setting, list) else setting


FUNCTIONS = [*losses.__all__, *metrics.__all__, *networks.__all__]
globals().update({name: jitted(getattr(anomaly_kernels, name)) for name in FUNCTIONS})

__all__ = ["GMMParams", *FUNCTIONS]  # noqa: PLE0604  # it cannot see through the stars
