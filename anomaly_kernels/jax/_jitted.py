"""Kernels compiled by JAX."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
from jax.tree_util import Partial

from anomaly_kernels._classes.settings import as_list, parameters_of
from anomaly_kernels._core.checks import is_number
from anomaly_kernels._core.namespace import describe

PACKAGE = __name__.rpartition(".")[0]


def jitted(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel compiled by JAX, its settings checked before they are traced."""
    names, _, static, checks, _ = parameters_of(kernel)
    numbers = {k: name for k, name in enumerate(names) if name in checks}

    @functools.cache
    def compiled(static_names: frozenset[str]) -> Callable[..., Any]:
        made: Callable[..., Any] = jax.jit(kernel, static_argnames=tuple(static_names))
        return made

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

    function.__module__ = PACKAGE
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
