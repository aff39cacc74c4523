"""A scoring head and an LSTM autoencoder as pairs of functions: one draws the parameters, one applies them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, SupportsIndex

import jax
import jax.numpy as jnp

from anomaly_kernels import lstm_autoencoder, sequence_anomaly_score
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels.jax._jitted import jitted
from anomaly_kernels.networks import _options as options
from anomaly_kernels.networks._params import Shapes, prepare
from anomaly_kernels.networks.activations import ACTIVATIONS
from anomaly_kernels.networks.lstm import reconstruct
from anomaly_kernels.networks.score_head import norm_kind, score

Params = dict[str, jax.Array]

__all__ = [
    "lstm_autoencoder_apply",
    "lstm_autoencoder_init",
    "sequence_anomaly_score_apply",
    "sequence_anomaly_score_init",
]


@with_hint
def sequence_anomaly_score_init(
    key: jax.Array,
    in_features: int,
    hidden_units: SupportsIndex | Sequence[SupportsIndex],
    *,
    use_norm: bool | str = False,
    dtype: Any = None,
) -> Params:
    """Draw parameters of `sequence_anomaly_score`, as Keras starts them.

    Parameters
    ----------
    key : array
        A key of `jax.random`.
    in_features : int
        Features of the input.
    hidden_units : int or sequence of int
        Units of each hidden layer.
    use_norm : {False, True, "layer", "batch"}
        Normalisation after the activation.
    dtype : dtype, optional
        By default JAX's own floating point.

    Returns
    -------
    dict of str to array
        For `sequence_anomaly_score_apply`.
    """
    units = options.list_of_units("hidden_units", hidden_units)
    return _draw(key, options.score_head_shapes(in_features, units, use_norm), dtype)


@with_hint
def sequence_anomaly_score_apply(
    params: Mapping[str, jax.Array],
    features: jax.Array,
    *,
    activation: str = "relu",
    use_norm: bool | str = False,
    final_activation: str = "linear",
    dropout_rate: float = 0.1,
    key: jax.Array | None = None,
) -> Any:
    """Anomaly scores, in inference, or in training if there is a key.

    Parameters
    ----------
    params, features, activation, use_norm, final_activation
        As `sequence_anomaly_score` has them.
    dropout_rate : float
        Share of the hidden units that is dropped in training.
    key : array, optional
        A key of `jax.random`. With a key this is training, and batch normalisation uses the statistics of the batch.

    Returns
    -------
    array, (..., 1), or a tuple of it and dict of str to array
        The scores; in training beside the parameters with the moving statistics after this batch.

    Examples
    --------
    >>> params = sequence_anomaly_score_init(jax.random.key(0), 3, [16, 8])
    >>> sequence_anomaly_score_apply(params, jnp.zeros((32, 10, 3))).shape
    (32, 10, 1)
    """
    rate = options.drop_rate("dropout_rate", dropout_rate)
    settings: dict[str, Any] = {"activation": activation, "use_norm": use_norm, "final_activation": final_activation}
    if key is None:
        return _score(params, features, **settings)
    return _score_in_training(params, features, key, rate, **settings)


_score = jitted(sequence_anomaly_score)


@partial(jax.jit, static_argnames=("activation", "use_norm", "final_activation"))
def _score_in_training(
    params: Mapping[str, jax.Array], features: jax.Array, key: jax.Array, rate: float, **settings: Any
) -> tuple[jax.Array, Params]:
    jax.eval_shape(partial(sequence_anomaly_score, **settings), params, features)  # which checks all
    xp, weights, (x,) = prepare(params, features=features)
    activations = (ACTIVATIONS[settings["activation"]], ACTIVATIONS[settings["final_activation"]])
    norm, masks = norm_kind(settings["use_norm"]), _Masks(key)
    scores, moved = score(xp, weights, x, norm, *activations, lambda x: x * masks(jnp.ones_like(x), rate))
    return scores, {**params, **{k: jax.lax.stop_gradient(x).astype(params[k].dtype) for k, x in moved.items()}}


@with_hint
def lstm_autoencoder_init(
    key: jax.Array,
    n_features: int,
    latent_dim: int,
    lstm_units: int,
    *,
    num_encoder_layers: int = 1,
    num_decoder_layers: int = 1,
    use_bidirectional_encoder: bool = False,
    use_bottleneck_dense: bool = False,
    dtype: Any = None,
) -> Params:
    """Draw parameters of `lstm_autoencoder`, as Keras starts them.

    Parameters
    ----------
    key : array
        A key of `jax.random`.
    n_features : int
        Features of the series.
    latent_dim : int
        Width of the latent vector. Without `use_bottleneck_dense` it is the width of the encoder, and another number
        gives a warning.
    lstm_units : int
        Units of each LSTM.
    num_encoder_layers, num_decoder_layers : int
        Number of LSTMs, one after the other.
    use_bidirectional_encoder, use_bottleneck_dense : bool
        Whether the encoder reads series from both ends, and whether dense layers map its state to the latent vector.
    dtype : dtype, optional
        By default JAX's own floating point.

    Returns
    -------
    dict of str to array
        For `lstm_autoencoder_apply`.
    """
    sizes = (latent_dim, lstm_units, None, num_encoder_layers, num_decoder_layers)
    settings = options.AutoencoderSettings(
        *sizes, use_bidirectional_encoder=use_bidirectional_encoder, use_bottleneck_dense=use_bottleneck_dense
    )
    return _draw(key, options.autoencoder_shapes(n_features, settings), dtype)


@with_hint
def lstm_autoencoder_apply(
    params: Mapping[str, jax.Array],
    inputs: jax.Array,
    *,
    n_repeats: int | None = None,
    activation: str = "tanh",
    intermediate_activation: str = "relu",
    dropout_rate: float = 0.0,
    recurrent_dropout_rate: float = 0.0,
    key: jax.Array | None = None,
) -> jax.Array:
    """Reconstruct series, in inference, or in training if there is a key.

    Parameters
    ----------
    params, inputs, n_repeats, activation, intermediate_activation
        As `lstm_autoencoder` has them.
    dropout_rate, recurrent_dropout_rate : float
        Shares of the inputs and of the states of the LSTMs that are dropped in training: with a mask for each sample
        and layer, the same at all steps.
    key : array, optional
        A key of `jax.random`. With a key this is training.

    Returns
    -------
    array, (B, T', F)
        The reconstruction.

    Examples
    --------
    >>> params = lstm_autoencoder_init(jax.random.key(0), n_features=3, latent_dim=8, lstm_units=8)
    >>> lstm_autoencoder_apply(params, jnp.zeros((32, 10, 3))).shape
    (32, 10, 3)
    """
    inputs_rate = options.drop_rate("dropout_rate", dropout_rate)
    rates = {"inputs": inputs_rate, "state": options.drop_rate("recurrent_dropout_rate", recurrent_dropout_rate)}
    names: dict[str, Any] = {"activation": activation, "intermediate_activation": intermediate_activation}
    if key is None or not any(rates.values()):
        return _reconstruction(params, inputs, n_repeats=n_repeats, **names)
    return _reconstruction_in_training(params, inputs, key, rates, n_repeats=n_repeats, **names)


_reconstruction = jitted(lstm_autoencoder)


@partial(jax.jit, static_argnames=("n_repeats", "activation", "intermediate_activation"))
def _reconstruction_in_training(
    params: Mapping[str, jax.Array], inputs: jax.Array, key: jax.Array, rates: Mapping[str, float], **settings: Any
) -> jax.Array:
    jax.eval_shape(partial(lstm_autoencoder, **settings), params, inputs)  # which checks all
    xp, weights, (x,) = prepare(params, inputs=inputs)
    activations = (ACTIVATIONS[settings["activation"]], ACTIVATIONS[settings["intermediate_activation"]])
    repeats, masks = settings["n_repeats"], _Masks(key)
    return reconstruct(xp, weights, x, repeats, *activations, lambda which, ones: masks(ones, rates[which]))


class _Masks:
    """Draws masks of dropout, each by a new key."""

    def __init__(self, key: jax.Array) -> None:
        self.key = key

    def __call__(self, ones: jax.Array, rate: float) -> jax.Array:
        self.key, key = jax.random.split(self.key)
        return jnp.where(jax.random.bernoulli(key, 1.0 - rate, ones.shape), ones / (1.0 - rate), 0.0)


def _draw(key: jax.Array, shapes: Shapes, dtype: Any) -> Params:
    dtype = jnp.zeros(0, dtype).dtype
    keys = zip(shapes, jax.random.split(key, len(shapes)), strict=True)
    return {name: _INITIALIZERS[options.initializer(name)](k, shapes[name], dtype) for name, k in keys}


def _forget(_: jax.Array, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    units = shape[0] // 4
    return jnp.zeros(shape, dtype).at[units : 2 * units].set(1.0)


def _orthogonal(key: jax.Array, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    wide = jnp.promote_types(dtype, jnp.float32)  # which LAPACK needs
    return jax.nn.initializers.orthogonal()(key, shape, wide).astype(dtype)


_INITIALIZERS: dict[str, Callable[[jax.Array, tuple[int, ...], Any], jax.Array]] = {
    "glorot_uniform": jax.nn.initializers.glorot_uniform(),
    "orthogonal": _orthogonal,
    "zeros": jax.nn.initializers.zeros,
    "ones": jax.nn.initializers.ones,
    "forget": _forget,
}
