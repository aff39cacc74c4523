"""Which values and axes an argument has, by its name, and a NumPy array drawn for it.

The same word means the same thing in the whole library, so a name is enough to know what to draw: `ARGUMENTS` gives
each one a kind (what its values may be) and its axes. Equal letters are equal lengths. A function of your own whose
arguments have these names is covered; add an entry to `ARGUMENTS` for a name that is missing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from anomaly_kernels.losses.mixture import GMMParams


class Argument(NamedTuple):
    """A kind of values, and one letter for each axis."""

    kind: str
    axes: str


# N samples, T time steps, D features, E = T·D features of a flattened sample, L latent dimensions, K components,
# Q quantiles, S points of a series, R rows of a reference, H rows and W columns of an image. No two axes of one
# argument are equally long, so that a mistaken one shows.
SIZES = {"N": 7, "T": 2, "D": 4, "E": 8, "L": 2, "K": 3, "Q": 3, "S": 24, "R": 11, "H": 5, "W": 6}

REGIONS = ("region", "decision_region")  # integers that are no mask

ARGUMENTS: dict[str, Argument] = {
    **dict.fromkeys(["scores", "x_true", "x_pred", "y_true", "y_pred", "anomaly_scores"], Argument("real", "NTD")),
    **dict.fromkeys(["logit", "score", "inputs"], Argument("real", "NTD")),
    **dict.fromkeys(["mean", "embeddings", "features"], Argument("real", "ND")),
    **dict.fromkeys(["p_true", "p_pred"], Argument("probability", "NTD")),
    **dict.fromkeys(["target", "decision"], Argument("mask", "NTD")),
    "sample_weight": Argument("positive", "NTD"),
    **dict.fromkeys(REGIONS, Argument("region", "NTD")),
    "saturation": Argument("positive", "K"),
    **dict.fromkeys(["components", "selection_weights"], Argument("real", "KD")),
    **dict.fromkeys(["cov_diag", "scale_diag"], Argument("positive", "E")),
    **dict.fromkeys(["radius", "sim", "weight", "pos_weight"], Argument("positive", "")),
    "calibration": Argument("real", "E"),
    "calibration_weight": Argument("positive", "E"),
    "score_weight": Argument("positive", "NTD"),
    "uniform": Argument("probability", "NTD"),
    "pvalue": Argument("probability", "E"),
    "scale": Argument("positive", ""),
    **dict.fromkeys(["lower", "upper"], Argument("real", "NTD")),
    "ensemble": Argument("real", "NTDK"),
    "std": Argument("positive", "ND"),
    "log_var": Argument("log variance", "ND"),
    "z": Argument("latent", "NL"),
    "gamma": Argument("probability", "NK"),
    "center": Argument("real", "D"),
    "raw": Argument("real", ""),
    "weights": Argument("positive", "D"),
    "explained_variance_ratio": Argument("probability", "K"),
    "cov": Argument("covariance", "KLL"),
    **dict.fromkeys(["anchor", "positive", "negative"], Argument("real", "ND")),
    "reference": Argument("real", "RD"),
    "label": Argument("class", "N"),
    "chol": Argument("factor", "DD"),
    "cov_full": Argument("covariance", "EE"),
}

# What they are where time goes along one axis, the last: series with events, which are runs of anomalous points.
SERIES = {
    "score": Argument("real", "NS"),
    "target": Argument("events", "NS"),
    "decision": Argument("mask", "NS"),
}

# What `params` are, by the argument beside them.
PARAMS = {
    "z": Argument("mixture", "KL"),
    "features": Argument("score head", "D"),
    "inputs": Argument("LSTM autoencoder", "D"),
}

Shape = tuple[int, ...]
Parameters = dict[str, np.ndarray]


def _covariance(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    factor = rng.normal(size=(*shape, 2))
    cov: np.ndarray = np.einsum("...ijn,...kjn->...ik", factor, factor) / shape[-1] + 0.5 * np.eye(shape[-1])
    return cov


def _mixture(rng: np.random.Generator, shape: Shape) -> GMMParams:
    components, dimensions = shape
    cov = _covariance(rng, (components, dimensions, dimensions))
    phi, mu = rng.dirichlet(np.full(components, 2.0)), rng.normal(size=shape)
    return GMMParams(phi, mu, cov, np.linalg.cholesky(cov), np.linalg.slogdet(cov)[1])


def _dense(rng: np.random.Generator, name: str, n_in: int, n_out: int) -> Parameters:
    return {f"{name}/kernel": rng.normal(size=(n_in, n_out)) / n_in**0.5, f"{name}/bias": rng.normal(size=n_out)}


def _lstm(rng: np.random.Generator, name: str, n_in: int, units: int) -> Parameters:
    recurrent = rng.normal(size=(units, 4 * units)) / units**0.5
    return _dense(rng, name, n_in, 4 * units) | {f"{name}/recurrent_kernel": recurrent}


def _score_head(rng: np.random.Generator, shape: Shape) -> Parameters:
    hidden = _dense(rng, "hidden_dense_1", shape[0], 5) | _dense(rng, "hidden_dense_2", 5, 3)
    return hidden | _dense(rng, "score_output", 3, 1)


def norms(rng: np.random.Generator, kind: str, params: Parameters) -> Parameters:
    """Normalisation after each hidden layer of a score head."""
    result: Parameters = {}
    for i in (1, 2):
        width = params[f"hidden_dense_{i}/bias"].shape
        result[f"{kind}_norm_{i}/gamma"] = rng.uniform(0.5, 2, width)
        result[f"{kind}_norm_{i}/beta"] = rng.normal(size=width)
        if kind == "batch":
            result[f"batch_norm_{i}/moving_mean"] = rng.normal(size=width)
            result[f"batch_norm_{i}/moving_variance"] = rng.uniform(0.5, 2, width)
    return result


def _lstm_autoencoder(rng: np.random.Generator, shape: Shape) -> Parameters:
    # Every part at once: an encoder of both directions, a bottleneck, projected states, a decoder of another width.
    return (
        _lstm(rng, "encoder_1/forward", shape[0], 2)
        | _lstm(rng, "encoder_1/backward", shape[0], 2)
        | _dense(rng, "bottleneck_h", 4, 2)
        | _dense(rng, "bottleneck_c", 4, 2)
        | _dense(rng, "project_state_h", 2, 3)
        | _dense(rng, "project_state_c", 2, 3)
        | _lstm(rng, "decoder_1", 2, 3)
        | _dense(rng, "decoder_dense", 3, shape[0])
    )


KINDS: dict[str, Callable[[np.random.Generator, Shape], Any]] = {
    "real": lambda rng, shape: rng.normal(size=shape),
    "pixel": lambda rng, shape: rng.uniform(-1.0, 1.0, shape),  # not beyond the range that data are said to have
    "latent": lambda rng, shape: rng.normal(size=shape),  # spread in every direction, so that its covariance is regular
    "probability": lambda rng, shape: rng.dirichlet(np.full(shape[-1], 2.0), size=shape[:-1]),
    "mask": lambda rng, shape: rng.random(shape) < 0.4,
    "region": lambda rng, shape: rng.integers(1, SIZES["K"] + 1, shape),
    "mask of images": lambda rng, shape: (rng.random(shape) < 0.4) & (np.arange(shape[0]) % 3 > 0)[:, None, None],
    "events": lambda rng, shape: rng.random(shape) < 0.2,
    "class or outlier": lambda rng, shape: rng.integers(-1, 2, shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 2.0, shape),
    "log variance": lambda rng, shape: rng.uniform(-1.5, 1.0, shape),
    "covariance": _covariance,
    "class": lambda rng, shape: rng.permutation(np.arange(shape[0]) % SIZES["K"]),  # two at least of each
    "factor": lambda rng, shape: np.tril(rng.normal(size=shape), -1) / 2 + np.diag(rng.uniform(0.5, 2.0, shape[0])),
    "mixture": _mixture,
    "score head": _score_head,
    "LSTM autoencoder": _lstm_autoencoder,
}


def array_arguments(function: Callable[..., Any]) -> list[str]:
    """Names of the arguments that may be passed by position: the arrays."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def kinds_of_series(function: Callable[..., Any]) -> Mapping[str, Argument]:
    """What arguments hold where a function evaluates series, one by one: its axis is that of time, not all of them."""
    parameters = inspect.signature(function).parameters
    has_time = "axis" in parameters and parameters["axis"].default == -1
    return SERIES if has_time and parameters.keys() & SERIES.keys() else {}


def arguments(
    names: Collection[str], settings: Collection[str] = (), known: Mapping[str, Argument] = MappingProxyType({})
) -> dict[str, Argument]:
    """Kind and axes of the arguments of one function; some depend on its other arguments and settings."""
    by_name = {**ARGUMENTS, **known}
    for name in PARAMS.keys() & set(names):
        by_name["params"] = PARAMS[name]
    if "quantiles" in settings:
        by_name["y_pred"] = Argument("real", "NTQD")
    elif "x_true" in names:  # a student's output beside the teacher's input
        by_name["y_pred"] = Argument("probability", "NTD")
    if "scale" in names:  # of scores
        by_name["center"] = Argument("real", "")
    if {"y_true", "mean"} <= set(names):  # a forecast of each observation
        by_name["y_true"] = Argument("real", "ND")
    if {"target", "embeddings"} <= set(names):  # a label for each sample
        by_name["target"] = Argument("mask", "N")
        by_name["embeddings"] = Argument("real", "NTKD" if "axis" in settings else "ND")
    if "outlier_weight" in settings:  # logits of D classes
        by_name["target"] = Argument("class or outlier", "NT")
    if "margin_in" in settings:
        by_name["target"] = Argument("mask", "NT")
    if "chol" in names:  # means of classes
        by_name["mean"] = Argument("real", "KD")
    if "data_range" in settings:  # images, into which a window must fit
        by_name |= dict.fromkeys(["x_true", "x_pred"], Argument("pixel", "NHW"))
    if "fpr_bounds" in settings:  # some images are normal
        by_name["target"] = Argument("mask of images", "NTD")
    if unknown := [name for name in names if name not in by_name]:
        raise ValueError(f"`{unknown[0]}` has no entry in ARGUMENTS: give inputs of your own, or its kind")
    return {name: by_name[name] for name in names}


def draw(argument: Argument, rng: np.random.Generator, sizes: Mapping[str, int] = SIZES) -> Any:
    """Draw one argument: an array, or for parameters a dict or tuple of arrays."""
    return KINDS[argument.kind](rng, tuple(sizes[axis] for axis in argument.axes))
