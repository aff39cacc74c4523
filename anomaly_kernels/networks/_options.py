"""Settings of the two networks in training and of their layers, and how each weight begins."""

from __future__ import annotations

import warnings
from typing import Any

from anomaly_kernels._core.checks import BELOW_ONE, flag, is_number, items, positive, setting
from anomaly_kernels._core.namespace import describe
from anomaly_kernels.networks import lstm
from anomaly_kernels.networks._params import Shapes, is_lstm
from anomaly_kernels.networks.activations import find_activation


def drop_rate(name: str, value: Any) -> float:
    """The share that dropout sets to 0 in training, checked."""
    if not is_number(value):
        raise TypeError(f"`{name}` must be a number, got {describe(value)}")
    setting(name, value, BELOW_ONE)
    return float(value)


def list_of_units(name: str, units: Any) -> list[int]:
    """One number of units or several, as a list."""
    if not hasattr(units, "__len__") or getattr(units, "shape", None) == ():
        return [positive(name, units, "a positive integer or a sequence of them")]
    return [positive(f"{name}[{i}]", n) for i, n in enumerate(items(name, units, "positive integers"))]


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
        self.latent_dim = positive("latent_dim", latent_dim)
        self.lstm_units = positive("lstm_units", lstm_units)
        self.n_repeats = None if n_repeats is None else positive("n_repeats", n_repeats)
        self.num_encoder_layers = positive("num_encoder_layers", num_encoder_layers)
        self.num_decoder_layers = positive("num_decoder_layers", num_decoder_layers)
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
                stacklevel=3,  # the line that constructs the network
            )


def autoencoder_shapes(n_features: int, settings: AutoencoderSettings) -> Shapes:
    """The weights of `lstm_autoencoder` for series of so many features: their shapes by name."""
    units = settings.lstm_units
    encoder = [units] * (1 + settings.use_bidirectional_encoder)
    maps = {"bottleneck": settings.latent_dim} if settings.use_bottleneck_dense else {}
    if maps.get("bottleneck", sum(encoder)) != units:
        maps["project_state"] = units
    n_features, others = positive("n_features", n_features), [units] * (settings.num_decoder_layers - 1)
    return lstm.shapes(n_features, [encoder] * settings.num_encoder_layers, maps, others, n_features)


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
