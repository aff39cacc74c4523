"""The settings of the two networks, and the names, shapes and initial values of the weights that follow from them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, SupportsIndex

from anomaly_kernels._core.checks import BELOW_ONE, flag, is_number, items, positive, setting
from anomaly_kernels._core.namespace import describe
from anomaly_kernels.networks.activations import find_activation
from anomaly_kernels.networks.score_head import NORM_ARRAYS, norm_kind

Shapes = dict[str, tuple[int, ...]]


def drop_rate(name: str, value: Any) -> float:
    """The share that dropout sets to 0 in training, checked."""
    if not is_number(value):
        raise TypeError(f"`{name}` must be a number, got {describe(value)}")
    setting(name, value, BELOW_ONE)
    return float(value)


def score_head_shapes(
    in_features: Any, hidden_units: SupportsIndex | Sequence[SupportsIndex], use_norm: object
) -> Shapes:
    """The weights of `sequence_anomaly_score` with these settings: their shapes by name."""
    norm = norm_kind(use_norm)
    width, shapes = positive("in_features", in_features), Shapes()
    for i, units in enumerate(list_of_units("hidden_units", hidden_units), start=1):
        shapes |= _dense(f"hidden_dense_{i}", width, units)
        shapes |= {f"{norm}_norm_{i}/{array}": (units,) for array in NORM_ARRAYS[norm]} if norm else {}
        width = units
    return shapes | _dense("score_output", width, 1)


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
        *,
        use_bidirectional_encoder: bool = False,
        use_bottleneck_dense: bool = False,
    ) -> None:
        check_activations(activation=activation, intermediate_activation=intermediate_activation)
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


def autoencoder_shapes(n_features: Any, settings: AutoencoderSettings) -> Shapes:
    """The weights of `lstm_autoencoder` for series of so many features: their shapes by name."""
    width, units, shapes = positive("n_features", n_features), settings.lstm_units, Shapes()
    for i in range(1, settings.num_encoder_layers + 1):
        directions = ("/forward", "/backward") if settings.use_bidirectional_encoder else ("",)
        for direction in directions:
            shapes |= _lstm(f"encoder_{i}{direction}", width, units)
        width = len(directions) * units
    if settings.use_bottleneck_dense:
        for part in ("bottleneck_h", "bottleneck_c"):
            shapes |= _dense(part, width, settings.latent_dim)
        width = settings.latent_dim
    if width != units:
        shapes |= _dense("project_state_h", width, units) | _dense("project_state_c", width, units)
    for i in range(1, settings.num_decoder_layers + 1):
        shapes |= _lstm(f"decoder_{i}", units if i > 1 else width, units)
    return shapes | _dense("decoder_dense", units, n_features)


def layer_sizes(shapes: Shapes) -> Shapes:
    """The shape of the kernel of each layer, by the layer's name."""
    return {key.removesuffix("/kernel"): shape for key, shape in shapes.items() if key.endswith("/kernel")}


def check_activations(**activations: str) -> None:
    """Raise unless each is the name of an activation."""
    for argument, name in activations.items():
        find_activation(name, argument)


def initializer(key: str) -> str:
    """What a weight is at first, as in Keras: "glorot_uniform", "orthogonal", "forget", "ones" or "zeros"."""
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
