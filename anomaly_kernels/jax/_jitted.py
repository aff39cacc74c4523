"""Compiling kernels with JAX, for `anomaly_kernels.jax`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, overload

import jax
from jax.tree_util import Partial

from anomaly_kernels._classes.settings import as_list, parameters_of
from anomaly_kernels._core.backends.jax import namespace
from anomaly_kernels._core.checks import is_number
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.spelling import suggestion
from anomaly_kernels._core.targets import (
    check_decision,
    check_mask,
    check_nonzero,
    check_sample_weight,
    check_sign,
    check_target,
)
from anomaly_kernels._core.typing import Array
from anomaly_kernels.metrics import label_regions
from anomaly_kernels.metrics.regions._inputs import check_saturation

_REGIONS = {"region": "target", "decision_region": "decision"}
"""Numbers of regions that are labelled before anything is compiled, of a mask that must be known for it."""

_LOOKS: dict[str, dict[str, Callable[..., None]]] = {
    "losses": {"target": check_mask},
    "metrics": {"target": check_target, "decision": check_decision, "sample_weight": check_sample_weight},
    "networks": {},
}
"""What is looked at in the arrays of a kernel, by its package."""
_OWN_LOOKS: dict[str, dict[str, Callable[..., None]]] = {
    "deep_sad_loss": {"target": check_sign},
    "lovasz_hinge_loss": {"target": check_nonzero},
    "outlier_exposure_loss": {},  # a class that there is not makes the loss NaN
}
"""The same for kernels whose targets are others than those of most losses."""

P = ParamSpec("P")
R = TypeVar("R")


@overload
def jitted(kernel: Callable[P, Array]) -> Callable[P, jax.Array]: ...
@overload
def jitted(kernel: Callable[P, R]) -> Callable[P, R]: ...
def jitted(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel; its settings are checked before they are traced."""
    names, own, static, checks, _ = parameters_of(kernel)
    known = {*names, *own}
    looked_at = _OWN_LOOKS.get(kernel.__name__, _LOOKS[kernel.__module__.split(".")[1]])
    looks = {name: look for name, look in looked_at.items() if name in known}
    regions = {name: mask for name, mask in _REGIONS.items() if name in names}
    numbers = {k: name for k, name in enumerate(names) if name in checks}

    @functools.cache
    def compiled(static_names: frozenset[str]) -> Callable[..., Any]:
        return jax.jit(kernel, static_argnames=tuple(static_names))  # type: ignore[no-any-return]

    @functools.wraps(kernel)
    def function(*arrays: Any, **settings: Any) -> Any:
        if len(arrays) > len(names):
            expected = f"{', '.join(names)} by position and settings by name"
            raise TypeError(f"{kernel.__name__} takes {expected}, got {len(arrays)} arguments")
        for name in settings.keys() - known:
            raise TypeError(f"{kernel.__name__} has no setting `{name}`{suggestion(name, own)}")
        labelled = settings.get("region") is None
        for name, mask in regions.items():
            x = settings.get(mask, arrays[names.index(mask)] if names.index(mask) < len(arrays) else None)
            if settings.get(name) is None and x is not None and not isinstance(x, jax.core.Tracer):
                settings = {**settings, name: label_regions(x)}
            if name == "region":
                _look_at_saturation(x, settings, labelled=labelled)
        for k, name in numbers.items():
            if k < len(arrays):
                checks[name](name, arrays[k])
                arrays = (*arrays[:k], _traceable(arrays[k]), *arrays[k + 1 :])
        for name in settings.keys() & checks.keys():
            if name in static and isinstance(settings[name], jax.core.Tracer):
                raise TypeError(f"`{name}` must be known when it is compiled, got a traced array")
            checks[name](name, settings[name])
        for name, look in looks.items():  # before they are traced, and their numbers out of sight
            k = names.index(name) if name in names else len(arrays)
            x = arrays[k] if k < len(arrays) else settings.get(name)
            if isinstance(x, jax.Array):
                look(namespace, x)
        fixed = frozenset(name for name in static & settings.keys() if not _has_partial(settings[name]))
        settings = {name: _hashable(name, x) if name in fixed else _traceable(x) for name, x in settings.items()}
        return compiled(fixed)(*arrays, **settings)

    function.__module__ = __name__.rpartition(".")[0]
    return function


def _look_at_saturation(target: Any, settings: Mapping[str, Any], *, labelled: bool) -> None:
    region: Any = settings.get("region")
    saturation: Any = settings.get("saturation")
    if all(isinstance(x, jax.Array) for x in (target, region, saturation)) and target.shape == region.shape:
        check_saturation(namespace, saturation, target != 0, region, labelled=labelled)


def _has_partial(model: Any) -> bool:
    """Whether a model, or one of several, is a `Partial`, whose parameters are traced."""
    models = model if isinstance(model, list | tuple) else [model]
    return any(isinstance(m, Partial) for m in models)


def _traceable(setting: Any) -> Any:
    """Turn numbers of every kind into floats, and functions that stand beside a `Partial` into one."""
    if isinstance(setting, list | tuple) and not hasattr(setting, "_fields"):
        return [_traceable(x) for x in setting]
    if is_number(setting):
        return float(setting)
    return Partial(setting) if callable(setting) and not isinstance(setting, Partial) else setting


def _hashable(name: str, setting: Any) -> Any:
    """Turn lists and arrays into tuples; refuse what has no hash."""
    setting = as_list(setting)
    setting = tuple(setting) if isinstance(setting, list) else setting
    try:
        hash(setting)
    except TypeError:
        expected = "have a hash, or be a `jax.tree_util.Partial` of a function and its arrays"
        raise TypeError(f"`{name}` must {expected}, got {describe(setting)}") from None
    return setting
