"""Settings of the two networks in training and of their layers, and how each weight begins."""

from __future__ import annotations

import math
import sys
import warnings
from typing import Any

from anomaly_kernels._core.checks import BELOW_ONE, flag, is_number, items, setting, size
from anomaly_kernels._core.namespace import describe
from anomaly_kernels.networks import lstm, score_head
from anomaly_kernels.networks._params import Shapes, is_lstm
from anomaly_kernels.networks.activations import find_activation
from anomaly_kernels.networks.score_head import norm_kind


def drop_rate(name: str, value: Any) -> float:
    """The share that dropout sets to 0 in training, checked."""
    if not is_number(value):
        raise TypeError(f"`{name}` must be a number, got {describe(value)}")
    setting(name, value, BELOW_ONE)
    return float(value)


MOST_LAYERS, MOST_UNITS, MOST_WEIGHTS = 1000, 2**24, 2**31
"""Of one network; beyond, memory would end somewhere deep inside."""


def list_of_units(name: str, units: Any) -> list[int]:
    """One number of units or several, as a list."""
    if not hasattr(units, "__len__") or getattr(units, "shape", None) == ():
        return [size(name, units, MOST_UNITS, "a positive integer or a sequence of them")]
    if len(units) > MOST_LAYERS:
        raise ValueError(f"`{name}` must be no more than {MOST_LAYERS} layers, got {len(units)}")
    return [size(f"{name}[{i}]", n, MOST_UNITS) for i, n in enumerate(items(name, units, "positive integers"))]


def limited(shapes: Shapes) -> Shapes:
    """The shapes of the weights of a network, unless these are too many."""
    if (n := sum(math.prod(shape) for shape in shapes.values())) > MOST_WEIGHTS:
        raise ValueError(f"a network must have no more than {MOST_WEIGHTS} weights, got sizes for {n}")
    return shapes


class AutoencoderSettings:
    """The settings of an LSTM autoencoder, checked; they are attributes of its classes for torch and Keras."""

    def __init__(
        self,
        latent_dim: int,
        lstm_units: int,
        n_repeats: int | None = None,
        num_encoder_layers: int = 1,
        num_decoder_layers: int = 1,
        activation: str = "tanh",
        intermediate_activation: str = "relu",
        dropout_rate: float = 0.0,
        recurrent_dropout_rate: float = 0.0,
        use_bidirectional_encoder: bool = False,  # noqa: FBT001, FBT002  # in fusionlab's order
        use_bottleneck_dense: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        find_activation(activation, "activation")
        find_activation(intermediate_activation, "intermediate_activation")
        self.latent_dim = size("latent_dim", latent_dim, MOST_UNITS)
        self.lstm_units = size("lstm_units", lstm_units, MOST_UNITS)
        self.n_repeats = None if n_repeats is None else size("n_repeats", n_repeats, lstm.MOST_STEPS)
        self.num_encoder_layers = size("num_encoder_layers", num_encoder_layers, MOST_LAYERS)
        self.num_decoder_layers = size("num_decoder_layers", num_decoder_layers, MOST_LAYERS)
        self.activation, self.intermediate_activation = activation, intermediate_activation
        self.dropout_rate = drop_rate("dropout_rate", dropout_rate)
        self.recurrent_dropout_rate = drop_rate("recurrent_dropout_rate", recurrent_dropout_rate)
        self.use_bidirectional_encoder = flag("use_bidirectional_encoder", use_bidirectional_encoder)
        self.use_bottleneck_dense = flag("use_bottleneck_dense", use_bottleneck_dense)
        width = (1 + self.use_bidirectional_encoder) * self.lstm_units
        if not self.use_bottleneck_dense and self.latent_dim != width:
            warnings.warn(
                f"`latent_dim` {self.latent_dim} has no effect without `use_bottleneck_dense`: the latent vector is "
                f"the state of the encoder, of width {width}",
                UserWarning,
                stacklevel=_levels_to_caller(),  # the line that constructs the network
            )


def _levels_to_caller() -> int:
    """How many levels up from where this is called the caller of the package is."""
    frame, levels = sys._getframe(1), 1  # noqa: SLF001
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("anomaly_kernels."):
        frame, levels = frame.f_back, levels + 1
    return levels


def score_head_shapes(in_features: int, hidden_units: list[int], use_norm: bool | str) -> Shapes:  # noqa: FBT001
    """The weights of `sequence_anomaly_score` for so many features: their shapes by name."""
    return limited(score_head.shapes(size("in_features", in_features, MOST_UNITS), hidden_units, norm_kind(use_norm)))


def autoencoder_shapes(n_features: int, settings: AutoencoderSettings) -> Shapes:
    """The weights of `lstm_autoencoder` for series of so many features: their shapes by name."""
    units = settings.lstm_units
    encoder = [units] * (1 + settings.use_bidirectional_encoder)
    maps = {"bottleneck": settings.latent_dim} if settings.use_bottleneck_dense else {}
    if maps.get("bottleneck", sum(encoder)) != units:
        maps["project_state"] = units
    n_features, others = size("n_features", n_features, MOST_UNITS), [units] * (settings.num_decoder_layers - 1)
    return limited(lstm.shapes(n_features, [encoder] * settings.num_encoder_layers, maps, others, n_features))


def layer_sizes(shapes: Shapes) -> Shapes:
    """The shape of the kernel of each layer, by the layer's name."""
    return {key.removesuffix("/kernel"): shape for key, shape in shapes.items() if key.endswith("/kernel")}


def initializer(key: str) -> str:
    """What a weight is at first, as in Keras: "glorot_uniform", "orthogonal", "forget", "ones" or "zeros"."""
    layer, _, array = key.rpartition("/")
    if array == "bias" and is_lstm(layer):
        return "forget"  # zeros, but ones for the forget gate
    kinds = {"kernel": "glorot_uniform", "recurrent_kernel": "orthogonal", "gamma": "ones", "moving_variance": "ones"}
    return kinds.get(array, "zeros")
