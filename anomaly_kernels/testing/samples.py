"""Sample inputs of any function, the same each time, for its default settings and for each variant of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels.testing.arguments import (
    REGIONS,
    Argument,
    arguments,
    array_arguments,
    draw,
    kinds_of_series,
    norms,
)


class Sample(NamedTuple):
    """Arrays and settings that a function can be called with: ``function(**inputs, **settings)``.

    Attributes
    ----------
    inputs : dict
        NumPy arrays, or dicts and tuples of them, by argument name.
    settings : dict
        The rest of the call.
    """

    inputs: dict[str, Any]
    settings: dict[str, Any]


def classifier(x: Any) -> Any:
    """Return the softmax over the last axis, in the array's own library: a model that needs no weights."""
    xp = array_namespace(x)
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def hidden_layer(x: Any) -> Any:
    """Return a flatter softmax than the classifier's, as a hidden layer's output."""
    return classifier(x / 2)


SHORT = {
    "window": 5,
    "margin": 1,
    "level": 0.7,
    "precision": 0.3,
    "margin_in": -2.5,
    "margin_out": -1.5,
    "size": 3,
}
"""Instead of defaults for series, tails or images larger than a sample, for better scores or larger logits."""

REQUIRED = {"quantiles": (0.1, 0.5, 0.9), "model": classifier, "k": 5, "data_range": 2.0}
DRAWN = object()  # a setting that is drawn as the array of that name; or as an `Argument` of its own
# Optional, but what is compiled needs the regions, and a few pixels a rate that they reach.
NEEDED = {
    **dict.fromkeys(REGIONS, DRAWN),
    "fpr_bounds": (0.1, 0.5),
    "n_classes": 3,
    "outlier_weight": 0.75,
    "shrinkage": 0.1,
}
VARIANTS: dict[str, tuple[Mapping[str, Any], ...]] = {
    "reduction": ({"reduction": "none"}, {"reduction": "sum"}),
    "weight": ({"weight": DRAWN},),
    "error_metric": ({"error_metric": "mse", "aggregation": "max"},),
    "normalize_method": ({"normalize_method": "clamp"}, {"normalize_method": "minmax"}),
    "axis": ({"axis": (1, 2)},),
    "sample_weight": ({"sample_weight": DRAWN},),
    "max_fpr": ({"max_fpr": 0.25},),
    "saturation": ({"saturation": DRAWN},),
    "connectivity": ({"connectivity": 1},),
    "overlap": ({"overlap": 0.5},),
    "fpr_bounds": ({"fpr_bounds": (0.05, 1.0)},),
    "min_share": ({"min_share": 0.3},),
    "corrected": ({"corrected": False},),
    "bias": (
        {"bias": "front", "precision_bias": "back", "alpha": 0.2},
        {"bias": "middle", "precision_bias": "middle", "cardinality": "one"},
    ),
    "window": ({"window": 4, "positives": "all"}, {"window": 0, "thresholds": None}, {"thresholds": 5}),
    "border": ({"border": "symmetric", "window": "uniform", "reduction": "none"}, {"border": "symmetric"}),
    "squared": ({"squared": True, "smooth": 1.0}, {"squared": True, "margin": 0.5}),
    "alpha": ({"alpha": None, "gamma": 0.5, "reduction": "sum"}, {"alpha": 0.3, "gamma": 0.75, "smooth": 0.5}),
    "quantile": ({"quantile": 0.5},),
    "own_length": ({"own_length": False},),
    "tpr": ({"tpr": 0.5},),
    "recall": ({"recall": 0.5},),
    "rate": ({"rate": 0.3}, {"rate": 0.3, "confidence": 0.9}, {"rate": 0.3, "method": "linear"}),
    "rule": ({"rule": "iqr"}, {"rule": "std", "factor": 2.0}),
    "score_weight": ({"score_weight": DRAWN, "calibration_weight": DRAWN},),
    "uniform": ({"uniform": DRAWN},),
    "risk": ({"risk": 0.01, "method": "pwm"},),
    "cutoff": ({"method": "storey", "cutoff": 0.2}, {"method": "by"}),
    "output": ({"output": "clip"}, {"output": "unify"}, {"output": "logistic"}),
    "drop_intermediate": ({"drop_intermediate": False},),
    "loss_type": ({"loss_type": "xent", "temperature": 2.0}, {"temperature": 0.5}),
    "model_hl": ({"model_hl": (hidden_layer,), "w_model_hl": (0.5,), "w_recon": 0.3, "temperature": 2.0},),
    "epsilon": ({"epsilon": 0.0},),
    "eps": ({"eps": 1e-3},),
    "target_entropy": ({"target_entropy": 0.5},),
    "cov_full": ({"cov_full": DRAWN}, {"cov_diag": DRAWN}, {"scale_diag": DRAWN}, {"sim": DRAWN}),
    "pos_weight": ({"pos_weight": DRAWN}, {"pos_weight": Argument("positive", "D")}),
    "zero_division": ({"zero_division": 1.0},),
    "use_norm": ({"use_norm": "layer", "activation": "gelu"}, {"use_norm": "batch", "activation": "selu"}),
    "final_activation": ({"activation": "softplus", "final_activation": "sigmoid"}, {"activation": "elu"}),
    "n_repeats": ({"n_repeats": 5},),
    "beta": ({"beta": 2.0},),
    "nu": ({"nu": 0.3},),
    "eta": ({"eta": 0.5},),
    "reference_mean": ({"reference_mean": 0.5, "reference_std": 2.0},),
    "margin_in": ({"temperature": 2.0},),
    "method": (
        {"temperature": 2.0},
        *({"method": each, "temperature": 1.0} for each in ("max_softmax", "max_logit", "entropy")),
    ),
    "fair": ({"fair": True},),
    "aggregate": ({"aggregate": "mean", "k": 3}, {"k": 2}),
    "kernel": ({"kernel": "imq", "bandwidths": (0.5, 2.0)},),
    "n_classes": ({"shrinkage": 0.0, "n_classes": 3},),
    "unbiased": ({"unbiased": True},),
}


def sample(
    function: Callable[..., Any],
    known: Mapping[str, Argument] = MappingProxyType({}),
    /,
    *,
    seed: int = 0,
    **settings: Any,
) -> Sample:
    """Draw inputs for a function, with the settings it requires.

    Parameters
    ----------
    function : callable
        Its positional arguments are arrays named as in `arguments.ARGUMENTS`.
    known : mapping, optional
        Kind and axes of arguments of other names.
    seed : int, default 0
        The same seed gives the same numbers.
    **settings
        Settings to call it with. One that is an array becomes an input.

    Returns
    -------
    Sample
        NumPy arrays in float64, masks as booleans, and the settings.

    Examples
    --------
    >>> inputs, settings = sample(lambda scores, *, weight=1.0: None, weight=2.0)
    >>> inputs["scores"].shape, settings
    ((7, 2, 4), {'weight': 2.0})
    """
    parameters = inspect.signature(function).parameters.values()
    required = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty} - settings.keys()
    if unknown := required - REQUIRED.keys():
        raise ValueError(f"`{min(unknown)}` is a setting without default: give it a value")
    needed = {p.name: NEEDED[p.name] for p in parameters if p.name in NEEDED}
    needed |= {p.name: SHORT[p.name] for p in parameters if p.name in SHORT and not isinstance(p.default, str)}
    settings = needed | {name: REQUIRED[name] for name in sorted(required)} | settings
    drawn = [name for name, value in settings.items() if value is DRAWN or isinstance(value, Argument)]
    rng = np.random.default_rng(seed)
    kinds = arguments([*array_arguments(function), *drawn], settings, {**kinds_of_series(function), **known})
    kinds |= {name: value for name, value in settings.items() if isinstance(value, Argument)}
    inputs = {name: draw(argument, rng) for name, argument in kinds.items()}
    if norm := settings.get("use_norm"):
        inputs["params"] |= norms(rng, str(norm), inputs["params"])
    return Sample(inputs, {name: value for name, value in settings.items() if name not in drawn})


def variants(function: Callable[..., Any]) -> Iterator[tuple[str, Sample]]:
    """Samples of a function with its default settings, then with each of the other values its settings can take.

    Parameters
    ----------
    function : callable
        Its positional arguments are arrays named as in `arguments.ARGUMENTS`.

    Yields
    ------
    label : str
        ``"default"``, or the settings that differ from it.
    sample : Sample
        What to call the function with.

    Examples
    --------
    >>> [label for label, _ in variants(lambda scores, *, reduction="mean": None)]
    ['default', 'reduction=none', 'reduction=sum']
    """
    yield "default", sample(function)
    names = inspect.signature(function).parameters
    for name in names:
        if name == "sample_weight" and "weight" in names:
            continue  # an array of losses, whose classes are made with these settings
        if name == "axis" and kinds_of_series(function):
            continue  # the batch would be points in time, whose order matters
        for settings in VARIANTS.get(name, ()):
            if settings.keys() <= names.keys() and names[name].kind is inspect.Parameter.KEYWORD_ONLY:
                label = ",".join(f"{k}={_text(v)}" for k, v in settings.items())
                yield label, sample(function, **settings)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({','.join(map(_text, value))})"
    return "array" if value is DRAWN else getattr(value, "__name__", str(value))
