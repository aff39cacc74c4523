"""Deterministic NumPy inputs for any function, by the names of its arguments.

The same word means the same thing in the whole library, so a name is enough to know what to draw: `ARGUMENTS` gives
each one a kind (what its values may be) and its axes. Equal letters are equal lengths. A function of your own whose
arguments have these names is covered; add an entry to `ARGUMENTS` for a name that is missing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from anomaly_kernels._namespace import array_namespace
from anomaly_kernels.testing import _networks

__all__ = ["ARGUMENTS", "SIZES", "Argument", "Sample", "arguments", "array_arguments", "sample", "variants"]


class Argument(NamedTuple):
    """What an argument holds: a kind of values, and one letter for each axis."""

    kind: str
    axes: str


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


# N samples, T time steps, D features, E = T·D features of a flattened sample, L latent dimensions, K components,
# Q quantiles. No two axes of one argument are equally long, so that a mistaken one shows.
SIZES = {"N": 7, "T": 2, "D": 4, "E": 8, "L": 2, "K": 3, "Q": 3}

ARGUMENTS: dict[str, Argument] = {
    **dict.fromkeys(["scores", "x_true", "x_pred", "y_true", "y_pred", "anomaly_scores"], Argument("real", "NTD")),
    **dict.fromkeys(["logit", "score", "inputs"], Argument("real", "NTD")),
    **dict.fromkeys(["mean", "embeddings", "features"], Argument("real", "ND")),
    **dict.fromkeys(["p_true", "p_pred"], Argument("probability", "NTD")),
    **dict.fromkeys(["target", "decision"], Argument("mask", "NTD")),
    **dict.fromkeys(["components", "selection_weights"], Argument("real", "KD")),
    **dict.fromkeys(["cov_diag", "scale_diag"], Argument("positive", "E")),
    **dict.fromkeys(["radius", "sim", "weight", "pos_weight"], Argument("positive", "")),
    "log_var": Argument("log variance", "ND"),
    "z": Argument("latent", "NL"),
    "gamma": Argument("probability", "NK"),
    "center": Argument("real", "D"),
    "raw": Argument("real", ""),
    "weights": Argument("positive", "D"),
    "explained_variance_ratio": Argument("probability", "K"),
    "cov": Argument("covariance", "KLL"),
    "cov_full": Argument("covariance", "EE"),
}


def classifier(x: Any) -> Any:
    """Return the softmax over the last axis, in the array's own library: a model that needs no weights."""
    xp = array_namespace(x)
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def hidden_layer(x: Any) -> Any:
    """Return a flatter softmax than the classifier's, as a hidden layer's output."""
    return classifier(x / 2)


def _covariance(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    factor = rng.normal(size=(*shape, 2))
    cov: np.ndarray = np.einsum("...ijn,...kjn->...ik", factor, factor) / shape[-1] + 0.5 * np.eye(shape[-1])
    return cov


KINDS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "real": lambda rng, shape: rng.normal(size=shape),
    "latent": lambda rng, shape: rng.normal(size=shape),  # spread in every direction, so that its covariance is regular
    "probability": lambda rng, shape: rng.dirichlet(np.full(shape[-1], 2.0), size=shape[:-1]),
    "mask": lambda rng, shape: rng.random(shape) < 0.4,
    "positive": lambda rng, shape: rng.uniform(0.5, 2.0, shape),
    "log variance": lambda rng, shape: rng.uniform(-1.5, 1.0, shape),
    "covariance": _covariance,
}

REQUIRED = {"quantiles": (0.1, 0.5, 0.9), "model": classifier}
DRAWN = object()  # a setting that is drawn as the array of that name
VARIANTS: dict[str, tuple[Mapping[str, Any], ...]] = {
    "reduction": ({"reduction": "none"}, {"reduction": "sum"}),
    "weight": ({"weight": DRAWN},),
    "error_metric": ({"error_metric": "mse", "aggregation": "max"},),
    "normalize_method": ({"normalize_method": "clamp"}, {"normalize_method": "minmax"}),
    "axis": ({"axis": (1, 2)},),
    "loss_type": ({"loss_type": "xent", "temperature": 2.0}, {"temperature": 0.5}),
    "model_hl": ({"model_hl": (hidden_layer,), "w_model_hl": (0.5,), "w_recon": 0.3, "temperature": 2.0},),
    "epsilon": ({"epsilon": 0.0},),
    "eps": ({"eps": 1e-3},),
    "target_entropy": ({"target_entropy": 0.5},),
    "cov_full": ({"cov_full": DRAWN}, {"cov_diag": DRAWN}, {"scale_diag": DRAWN}, {"sim": DRAWN}),
    "pos_weight": ({"pos_weight": DRAWN},),
    "zero_division": ({"zero_division": 1.0},),
    "use_norm": ({"use_norm": "layer", "activation": "gelu"}, {"use_norm": "batch", "activation": "selu"}),
    "final_activation": ({"activation": "softplus", "final_activation": "sigmoid"}, {"activation": "elu"}),
    "n_repeats": ({"n_repeats": 5},),
    "beta": ({"beta": 2.0},),
    "nu": ({"nu": 0.3},),
}


def array_arguments(function: Callable[..., Any]) -> list[str]:
    """Names of the arguments that may be given by position: the arrays."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def arguments(names: Collection[str], settings: Collection[str] = ()) -> dict[str, Argument]:
    """Kind and axes of the arguments of one function; some depend on the company they are in."""
    found = {}
    for name in names:
        if name == "params":
            found[name] = Argument(f"params of {_network_of(names)}", "")
        elif name not in ARGUMENTS:
            raise ValueError(f"`{name}` has no entry in ARGUMENTS: give inputs of your own, or add what it holds")
        else:
            found[name] = ARGUMENTS[name]
    if "quantiles" in settings and "y_pred" in found:
        found["y_pred"] = Argument("real", "NTQD")
    elif "x_true" in found and "y_pred" in found:  # a student's output beside the teacher's input
        found["y_pred"] = Argument("probability", "NTD")
    return found


def _network_of(names: Collection[str]) -> str:
    return "z" if "z" in names else "features" if "features" in names else "inputs"


def draw(argument: Argument, rng: np.random.Generator, sizes: Mapping[str, int] = SIZES) -> Any:
    """Draw one argument: an array, or for parameters a dict or tuple of arrays."""
    if argument.kind in KINDS:
        return KINDS[argument.kind](rng, tuple(sizes[axis] for axis in argument.axes))
    if argument.kind == "params of z":
        return _networks.mixture(rng, sizes["K"], sizes["L"])
    network = _networks.score_head if argument.kind == "params of features" else _networks.lstm_autoencoder
    return network(rng, sizes["D"])


def sample(function: Callable[..., Any], *, seed: int = 0, **settings: Any) -> Sample:
    """Draw inputs for a function, with the settings it requires.

    Parameters
    ----------
    function : callable
        Its positional arguments are arrays named as in `ARGUMENTS`.
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
    settings = {name: REQUIRED[name] for name in sorted(required)} | settings
    drawn = [name for name, value in settings.items() if value is DRAWN]
    rng = np.random.default_rng(seed)
    kinds = arguments([*array_arguments(function), *drawn], settings)
    inputs = {name: draw(argument, rng) for name, argument in kinds.items()}
    if norm := settings.get("use_norm"):
        inputs["params"] |= _networks.norms(rng, str(norm), inputs["params"])
    return Sample(inputs, {name: value for name, value in settings.items() if name not in drawn})


def variants(function: Callable[..., Any]) -> Iterator[tuple[str, Sample]]:
    """Samples of a function with its default settings, then with each of the other values its settings can take.

    Parameters
    ----------
    function : callable
        Its positional arguments are arrays named as in `ARGUMENTS`.

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
        for settings in VARIANTS.get(name, ()):
            if settings.keys() <= names.keys() and names[name].kind is inspect.Parameter.KEYWORD_ONLY:
                label = ",".join(f"{k}={_text(v)}" for k, v in settings.items())
                yield label, sample(function, **settings)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({','.join(map(_text, value))})"
    return "array" if value is DRAWN else getattr(value, "__name__", str(value))
