"""The options of the two networks: what their parameters are called, how large they are and how they start."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, SupportsIndex

from anomaly_kernels._checks import flag, integer, is_number
from anomaly_kernels._namespace import describe
from anomaly_kernels.networks.activations import activation_named
from anomaly_kernels.networks.score_head import NORM_ARRAYS, norm_named

Shapes = dict[str, tuple[int, ...]]


def positive(name: str, value: Any) -> int:
    """A number of units, layers or the like."""
    found = integer(name, value, "a positive integer")
    if found < 1:
        raise ValueError(f"`{name}` must be >= 1, got {value}")
    return found


def rate(name: str, value: Any) -> float:
    """A share of what is dropped in training."""
    if not is_number(value):
        raise TypeError(f"`{name}` must be a number, got {describe(value)}")
    if not 0 <= value < 1:
        raise ValueError(f"`{name}` must be in [0, 1), got {value}")
    return float(value)


def score_head_shapes(
    in_features: Any, hidden_units: SupportsIndex | Sequence[SupportsIndex], use_norm: object
) -> Shapes:
    """The parameters of `sequence_anomaly_score` with these options."""
    norm = norm_named(use_norm)
    width, shapes = positive("in_features", in_features), Shapes()
    for i, units in enumerate(listed("hidden_units", hidden_units), start=1):
        shapes |= _dense(f"hidden_dense_{i}", width, units)
        shapes |= {f"{norm}_norm_{i}/{array}": (units,) for array in NORM_ARRAYS[norm]} if norm else {}
        width = units
    return shapes | _dense("score_output", width, 1)


def listed(name: str, units: Any) -> list[int]:
    """One number of units or several, as a list."""
    given = units if isinstance(units, list | tuple) else [units]
    return [positive(name, n) for n in given]


def autoencoder_shapes(
    n_features: Any,
    latent_dim: Any,
    lstm_units: Any,
    num_encoder_layers: Any,
    num_decoder_layers: Any,
    *,
    use_bidirectional_encoder: object,
    use_bottleneck_dense: object,
) -> Shapes:
    """The parameters of `lstm_autoencoder` with these options."""
    width, units = positive("n_features", n_features), positive("lstm_units", lstm_units)
    latent = positive("latent_dim", latent_dim)
    flag("use_bidirectional_encoder", use_bidirectional_encoder)
    flag("use_bottleneck_dense", use_bottleneck_dense)
    features, shapes = width, Shapes()
    for i in range(1, positive("num_encoder_layers", num_encoder_layers) + 1):
        directions = ("/forward", "/backward") if use_bidirectional_encoder else ("",)
        for direction in directions:
            shapes |= _lstm(f"encoder_{i}{direction}", width, units)
        width = len(directions) * units
    if use_bottleneck_dense:
        for state in "hc":
            shapes |= _dense(f"bottleneck_{state}", width, latent)
        width = latent
    if width != units:
        for state in "hc":
            shapes |= _dense(f"project_state_{state}", width, units)
    for i in range(1, positive("num_decoder_layers", num_decoder_layers) + 1):
        shapes |= _lstm(f"decoder_{i}", width, units)
        width = units
    return shapes | _dense("decoder_dense", width, features)


def warn_of_latent_dim(latent_dim: int, lstm_units: int, *, bidirectional: bool, bottleneck: bool) -> None:
    """Warn where the latent vector is not as wide as was asked."""
    width = (1 + bidirectional) * lstm_units
    if not bottleneck and latent_dim != width:
        warnings.warn(
            f"`latent_dim` {latent_dim} has no effect without `use_bottleneck_dense`: the latent vector is the state "
            f"of the encoder, of width {width}",
            UserWarning,
            stacklevel=3,
        )


def check_activations(**named: str) -> None:
    """Raise unless each is the name of an activation."""
    for argument, name in named.items():
        activation_named(name, argument)


def start(key: str) -> str:
    """How a parameter starts, as in Keras: "glorot_uniform", "orthogonal", "forget", "ones" or "zeros"."""
    layer, _, array = key.rpartition("/")
    if array == "bias" and layer.startswith(("encoder_", "decoder_")) and layer != "decoder_dense":
        return "forget"  # zeros, but ones for the forget gate
    kinds = {"kernel": "glorot_uniform", "recurrent_kernel": "orthogonal", "gamma": "ones", "moving_variance": "ones"}
    return kinds.get(array, "zeros")


def _dense(layer: str, n_in: int, n_out: int) -> Shapes:
    return {f"{layer}/kernel": (n_in, n_out), f"{layer}/bias": (n_out,)}


def _lstm(layer: str, n_in: int, units: int) -> Shapes:
    recurrent = {f"{layer}/recurrent_kernel": (units, 4 * units)}
    return {f"{layer}/kernel": (n_in, 4 * units), **recurrent, f"{layer}/bias": (4 * units,)}
