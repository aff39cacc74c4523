"""Which values and axes an argument has, by its name, and a NumPy array drawn for it.

The same word means the same thing in the whole library, so a name is enough to know what to draw: `ARGUMENTS` gives
each one a kind (what its values may be) and its axes. Equal letters are equal lengths. A function of your own whose
arguments have these names is covered; add an entry to `ARGUMENTS` for a name that is missing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from anomaly_kernels.testing.parameters import lstm_autoencoder, mixture, score_head


class Argument(NamedTuple):
    """A kind of values, and one letter for each axis."""

    kind: str
    axes: str


# N samples, T time steps, D features, E = T·D features of a flattened sample, L latent dimensions, K components,
# Q quantiles. No two axes of one argument are equally long, so that a mistaken one shows.
SIZES = {"N": 7, "T": 2, "D": 4, "E": 8, "L": 2, "K": 3, "Q": 3}

ARGUMENTS: dict[str, Argument] = {
    **dict.fromkeys(["scores", "x_true", "x_pred", "y_true", "y_pred", "anomaly_scores"], Argument("real", "NTD")),
    **dict.fromkeys(["logit", "score", "inputs"], Argument("real", "NTD")),
    **dict.fromkeys(["mean", "embeddings", "features"], Argument("real", "ND")),
    **dict.fromkeys(["p_true", "p_pred"], Argument("probability", "NTD")),
    **dict.fromkeys(["target", "decision"], Argument("mask", "NTD")),
    "sample_weight": Argument("positive", "NTD"),
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


def array_arguments(function: Callable[..., Any]) -> list[str]:
    """Names of the arguments that may be passed by position: the arrays."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def arguments(names: Collection[str], settings: Collection[str] = ()) -> dict[str, Argument]:
    """Kind and axes of the arguments of one function; some depend on its other arguments and settings."""
    result = {}
    for name in names:
        if name == "params":
            result[name] = Argument(f"params of {_network_of(names)}", "")
        elif name not in ARGUMENTS:
            raise ValueError(f"`{name}` has no entry in ARGUMENTS: give inputs of your own, or add what it holds")
        else:
            result[name] = ARGUMENTS[name]
    if "quantiles" in settings and "y_pred" in result:
        result["y_pred"] = Argument("real", "NTQD")
    elif "x_true" in result and "y_pred" in result:  # a student's output beside the teacher's input
        result["y_pred"] = Argument("probability", "NTD")
    return result


def _network_of(names: Collection[str]) -> str:
    return "z" if "z" in names else "features" if "features" in names else "inputs"


def draw(argument: Argument, rng: np.random.Generator, sizes: Mapping[str, int] = SIZES) -> Any:
    """Draw one argument: an array, or for parameters a dict or tuple of arrays."""
    if argument.kind in KINDS:
        return KINDS[argument.kind](rng, tuple(sizes[axis] for axis in argument.axes))
    if argument.kind == "params of z":
        return mixture(rng, sizes["K"], sizes["L"])
    network = score_head if argument.kind == "params of features" else lstm_autoencoder
    return network(rng, sizes["D"])
