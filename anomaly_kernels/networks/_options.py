"""The options of the two networks: what their parameters are called, how large they are and how they start."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, SupportsIndex

from anomaly_kernels._core.checks import BELOW_ONE, flag, is_number, items, positive, setting
from anomaly_kernels._core.namespace import describe
from anomaly_kernels.networks.activations import activation_named
from anomaly_kernels.networks.score_head import NORM_ARRAYS, norm_named

Shapes = dict[str, tuple[int, ...]]


def rate(name: str, value: Any) -> float:
    """A share of what is dropped in training."""
    if not is_number(value):
        raise TypeError(f"`{name}` must be a number, got {describe(value)}")
    setting(name, value, BELOW_ONE)
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
    if not hasattr(units, "__len__") or getattr(units, "shape", None) == ():
        return [positive(name, units, "a positive integer or a sequence of them")]
    return [positive(f"{name}[{i}]", n) for i, n in enumerate(items(name, units, "positive integers"))]


class Autoencoder(NamedTuple):
    """The options of `lstm_autoencoder` that say which parameters there are."""

    latent_dim: int
    lstm_units: int
    num_encoder_layers: int
    num_decoder_layers: int
    use_bidirectional_encoder: bool
    use_bottleneck_dense: bool

    def checked(self) -> Autoencoder:
        """With Python's numbers; an error where one is wrong, and a warning where the latent vector is not as asked."""
        checks: dict[str, Callable[[str, Any], Any]] = {
            name: flag if name.startswith("use_") else positive for name in self._fields
        }
        found = self._replace(**{name: check(name, getattr(self, name)) for name, check in checks.items()})
        width = (1 + found.use_bidirectional_encoder) * found.lstm_units
        if not found.use_bottleneck_dense and found.latent_dim != width:
            warnings.warn(
                f"`latent_dim` {found.latent_dim} has no effect without `use_bottleneck_dense`: the latent vector is "
                f"the state of the encoder, of width {width}",
                UserWarning,
                stacklevel=3,
            )
        return found

    def shapes(self, n_features: Any) -> Shapes:
        """The parameters for series of so many features."""
        width, units, shapes = positive("n_features", n_features), self.lstm_units, Shapes()
        for i in range(1, self.num_encoder_layers + 1):
            directions = ("/forward", "/backward") if self.use_bidirectional_encoder else ("",)
            for direction in directions:
                shapes |= _lstm(f"encoder_{i}{direction}", width, units)
            width = len(directions) * units
        if self.use_bottleneck_dense:
            shapes |= _dense("bottleneck_h", width, self.latent_dim) | _dense("bottleneck_c", width, self.latent_dim)
            width = self.latent_dim
        if width != units:
            shapes |= _dense("project_state_h", width, units) | _dense("project_state_c", width, units)
        for i in range(1, self.num_decoder_layers + 1):
            shapes |= _lstm(f"decoder_{i}", width, units)
            width = units
        return shapes | _dense("decoder_dense", width, n_features)


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
