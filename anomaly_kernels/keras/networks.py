"""A scoring head as a Keras layer, an LSTM autoencoder as a Keras model, with the weights of the pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Self, SupportsIndex

import keras

from anomaly_kernels import reconstruction_error, weights
from anomaly_kernels._classes.learner import Learner
from anomaly_kernels._classes.network_files import NetworkFile
from anomaly_kernels._core.checks import size
from anomaly_kernels._core.files import FileError, read_bytes, reading
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels.keras._archive import MOST_BYTES_OF_A_FILE, check_archive
from anomaly_kernels.keras._base import PACKAGE, Tensor, reading_config, to_tensor
from anomaly_kernels.networks import _options as options
from anomaly_kernels.networks._params import is_lstm
from anomaly_kernels.networks.activations import ACTIVATIONS, find_activation
from anomaly_kernels.networks.score_head import EPSILON, MOMENTUM, norm_kind

_ARRAYS = ("kernel", "recurrent_kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")


class _Network(Learner):
    """A base of networks whose weights have names of the pure function; settings may change until there are weights."""

    built: bool

    def __repr__(self) -> str:
        return self.my_params

    def _change_settings(self, before: dict[str, Any], after: dict[str, Any], undo: ExitStack) -> None:
        if self.built:
            raise ValueError(f"{type(self).__name__} is built: its settings are those of its weights, make another one")
        other = type(self)(**after)
        for name in before:
            setattr(self, name, getattr(other, name))

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same network."""
        return {**keras.layers.Layer.get_config(self), **self.get_params(deep=False)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Return a network with the settings that `get_config` has returned."""
        with reading_config(cls):
            return cls(**config)

    def _layers_by_name(self) -> Mapping[str, Any]:
        """The layers that own weights, by their names in the pure function."""
        raise NotImplementedError

    def _params_tree(self) -> dict[str, keras.Variable]:
        tree: dict[str, keras.Variable] = {}
        for name, layer in self._layers_by_name().items():
            owner = layer.cell if isinstance(layer, keras.layers.LSTM) else layer
            arrays = {array: getattr(owner, array, None) for array in _ARRAYS}  # a kernel that is adapted is a tensor
            tree |= {f"{name}/{array}": x for array, x in arrays.items() if x is not None}
        if not tree:
            raise ValueError(f"{type(self).__name__} has no weights before it is built, or called once")
        return tree

    def _set_params_tree(self, params: Mapping[str, Any]) -> None:
        for key, variable in self._params_tree().items():
            variable.assign(params[key])


@keras.saving.register_keras_serializable(PACKAGE)
class SequenceAnomalyScoreLayer(_Network, NetworkFile, keras.layers.Layer):
    """Dense layers that turn the features of a sequence model into an anomaly score.

    The layer of `anomaly_kernels.sequence_anomaly_score`, with dropout and batch statistics in training. It maps
    features (..., F) to scores (..., 1). `set_params` changes settings until there are weights.

    Parameters
    ----------
    hidden_units : int or sequence of int
        Units of each hidden layer.
    activation : str
        Activation of hidden layers: relu, tanh, sigmoid, elu, selu, gelu (exact), softplus or linear.
    dropout_rate : float
        Share of the hidden units that is dropped in training.
    use_norm : {False, True, "layer", "batch"}
        Normalisation after the activation; True means ``"layer"``.
    final_activation : str
        Activation of the score.
    kernel_regularizer, bias_regularizer : str or Regularizer, optional
        Of all dense layers.
    **layer
        What every layer of Keras takes: `name`, `trainable`, `dtype`.

    Examples
    --------
    >>> layer = SequenceAnomalyScoreLayer([16, 8], use_norm="batch")
    >>> tuple(layer(keras.ops.zeros((32, 10, 3))).shape)
    (32, 10, 1)
    """

    def __init__(
        self,
        hidden_units: SupportsIndex | Sequence[SupportsIndex],
        activation: str = "relu",
        dropout_rate: float = 0.1,
        use_norm: bool | str = False,  # noqa: FBT001, FBT002  # in fusionlab's order
        final_activation: str = "linear",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        self.supports_masking = True
        find_activation(activation, "activation")
        find_activation(final_activation, "final_activation")
        self.hidden_units = options.list_of_units("hidden_units", hidden_units)
        self.activation, self.final_activation, self.use_norm = activation, final_activation, use_norm
        norm_kind(use_norm)  # which checks it
        self.dropout_rate = options.drop_rate("dropout_rate", dropout_rate)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)

    def build(self, input_shape: Any) -> None:
        """Make the weights, for features of a known number."""
        if not input_shape or input_shape[-1] is None:
            raise ValueError(f"`features` must have shape (..., F), F known, got {tuple(input_shape)}")
        options.score_head_shapes(input_shape[-1], self.hidden_units, self.use_norm)  # unless these are too large
        norm, dtype = norm_kind(self.use_norm), self.dtype_policy
        regularizers = {"kernel_regularizer": self.kernel_regularizer, "bias_regularizer": self.bias_regularizer}
        dense = partial(keras.layers.Dense, dtype=dtype, **regularizers)
        hidden, final = _keras_activation(self.activation), _keras_activation(self.final_activation)
        self._stack: list[tuple[str, Any]] = []
        for i, units in enumerate(self.hidden_units, start=1):
            name = f"hidden_dense_{i}"
            self._stack.append((name, dense(units, activation=hidden, name=name)))
            if norm == "layer":
                self._stack.append((f"layer_norm_{i}", keras.layers.LayerNormalization(epsilon=EPSILON, dtype=dtype)))
            elif norm == "batch":
                layer = keras.layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, dtype=dtype)
                self._stack.append((f"batch_norm_{i}", layer))
            self._stack.append((f"dropout_{i}", keras.layers.Dropout(self.dropout_rate, dtype=dtype)))
        self._stack.append(("score_output", dense(1, activation=final, name="score_output")))
        for _, layer in self._stack:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)
        self.built = True

    def _layers_by_name(self) -> Mapping[str, Any]:
        return dict(self._stack) if self.built else {}

    def call(self, features: Tensor, training: Any = None, mask: Tensor | None = None) -> Tensor:
        """Return the scores (..., 1) of features (..., F); statistics are of the steps that are not masked."""
        for name, layer in self._stack:
            if name.startswith("batch"):
                features = layer(features, training=training, mask=mask)
            else:
                features = layer(features, training=training) if name.startswith("dropout") else layer(features)
        return features

    def _state(self) -> dict[str, Any]:
        return super()._state() if self.built else {}

    def _own_weights(self) -> list[str]:
        known = {x.path for layer in self._layers_by_name().values() for x in layer.weights}
        return [x.path for x in self.weights if x.path not in known]

    def _plain_settings(self) -> dict[str, Any]:
        return {**self.get_config(), "build_config": self.get_build_config() if self.built else None}

    @classmethod
    def _from_settings(cls, settings: dict[str, Any], params: dict[str, Any]) -> Self:
        built = settings.pop("build_config")
        layer: Self = cls.from_config(settings)
        if built is not None:
            shape_of = options.score_head_shapes(built["input_shape"][-1], layer.hidden_units, layer.use_norm)
            weights.fitted(shape_of, params)  # before there is memory, of whatever size the file says
            layer.build_from_config(built)
        return layer

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return the shape of the scores."""
        return (*input_shape[:-1], 1)

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same layer."""
        return {
            **super().get_config(),
            "hidden_units": list(self.hidden_units),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
        }


@keras.saving.register_keras_serializable(PACKAGE)
class LSTMAutoencoderAnomaly(_Network, keras.Model, options.AutoencoderSettings):
    """An autoencoder of LSTM layers for time series. Its reconstruction errors are anomaly scores.

    The model of `anomaly_kernels.lstm_autoencoder`, with dropout in training. It maps series (B, T, F) to their
    reconstruction (B, T', F). `set_params` changes settings until there are weights.

    Parameters
    ----------
    latent_dim : int
        Width of the latent vector. Without `use_bottleneck_dense` it is the width of the encoder, and another number
        gives a warning.
    lstm_units : int
        Units of each LSTM.
    n_features : int, optional
        Features of the series; by default those of the first series.
    n_repeats : int, optional
        Steps of the reconstruction; as many as the input has by default.
    num_encoder_layers, num_decoder_layers : int
        Number of LSTMs, one after the other.
    activation, intermediate_activation : str
        Activations of the output, and of the dense layers between encoder and decoder: relu, tanh, sigmoid, elu, selu,
        gelu (exact), softplus or linear.
    dropout_rate, recurrent_dropout_rate : float
        Shares of the inputs and of the states of the LSTMs that are dropped in training.
    use_bidirectional_encoder, use_bottleneck_dense : bool
        Whether the encoder reads series from both ends, and whether dense layers map its state to the latent vector.
    **model
        What every model of Keras takes: `name`, `trainable`, `dtype`.

    Examples
    --------
    >>> network = LSTMAutoencoderAnomaly(latent_dim=8, lstm_units=8)
    >>> series = keras.ops.zeros((32, 10, 3))
    >>> tuple(network(series).shape)
    (32, 10, 3)
    >>> tuple(network.compute_reconstruction_error(series).shape)
    (32,)
    """

    def __init__(
        self,
        latent_dim: int,
        lstm_units: int,
        n_features: int | None = None,
        n_repeats: int | None = None,
        num_encoder_layers: int = 1,
        num_decoder_layers: int = 1,
        activation: str = "tanh",
        intermediate_activation: str = "relu",
        dropout_rate: float = 0.0,
        recurrent_dropout_rate: float = 0.0,
        use_bidirectional_encoder: bool = False,  # noqa: FBT001, FBT002  # in fusionlab's order
        use_bottleneck_dense: bool = False,  # noqa: FBT001, FBT002
        **model: Any,
    ) -> None:
        keras.Model.__init__(self, **model)
        sizes = (latent_dim, lstm_units, n_repeats, num_encoder_layers, num_decoder_layers)
        rates, parts = (dropout_rate, recurrent_dropout_rate), (use_bidirectional_encoder, use_bottleneck_dense)
        options.AutoencoderSettings.__init__(self, *sizes, activation, intermediate_activation, *rates, *parts)
        self.n_features = None if n_features is None else size("n_features", n_features, options.MOST_UNITS)

    def build(self, input_shape: Any) -> None:
        """Make the weights, for series of a known number of features."""
        if len(input_shape) != 3 or (features := self.n_features or input_shape[2]) is None:
            raise ValueError(f"`inputs` must have shape (B, T, F), F known, got {tuple(input_shape)}")
        self._parts: dict[str, Any] = {}
        for name, (n_in, n_out) in options.layer_sizes(options.autoencoder_shapes(features, self)).items():
            self._parts[name] = layer = self._layer(name, n_out)
            layer.build((None, None, n_in) if isinstance(layer, keras.layers.LSTM) else (None, n_in))
        self._features = features
        self.built = True

    def _layer(self, name: str, n_out: int) -> Any:
        common = {"dtype": self.dtype_policy, "name": name.replace("/", "_")}  # Keras takes no slash
        if not is_lstm(name):
            activation = self.activation if name == "decoder_dense" else self.intermediate_activation
            return keras.layers.Dense(n_out, activation=_keras_activation(activation), **common)
        return keras.layers.LSTM(
            n_out // 4,
            dropout=self.dropout_rate,
            recurrent_dropout=self.recurrent_dropout_rate,
            return_sequences=True,
            return_state=True,
            go_backwards=name.endswith("/backward"),
            **common,
        )

    def _layers_by_name(self) -> Mapping[str, Any]:
        return self._parts if self.built else {}

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask of the reconstruction: that of the series, where it has as many steps."""
        return previous_mask if self.n_repeats is None else None

    def call(self, inputs: Tensor, training: Any = None, mask: Tensor | None = None) -> Tensor:
        """Return the reconstruction (B, T', F) of series (B, T, F); the encoder passes over masked steps."""
        if len(inputs.shape) != 3 or inputs.shape[1] == 0 or inputs.shape[2] not in (None, self._features):
            raise ValueError(f"`inputs` must have shape (B, T, {self._features}), T > 0, got {tuple(inputs.shape)}")
        layers, sequence, state = self._parts, inputs, (inputs, inputs)
        for i in range(1, self.num_encoder_layers + 1):
            if self.use_bidirectional_encoder:
                ahead, *first = layers[f"encoder_{i}/forward"](sequence, training=training, mask=mask)
                back, *second = layers[f"encoder_{i}/backward"](sequence, training=training, mask=mask)
                sequence = keras.ops.concatenate([ahead, keras.ops.flip(back, axis=1)], axis=-1)
                state = tuple(keras.ops.concatenate(pair, axis=-1) for pair in zip(first, second, strict=True))
            else:
                sequence, *state = layers[f"encoder_{i}"](sequence, training=training, mask=mask)
        latent, c = self._map_state("bottleneck", *state)
        h, c = self._map_state("project_state", latent, c)
        steps = keras.ops.shape(inputs)[1] if self.n_repeats is None else self.n_repeats
        ones = keras.ops.ones((1, steps, 1), latent.dtype)
        sequence = keras.ops.expand_dims(latent, 1) * ones
        for i in range(1, self.num_decoder_layers + 1):
            first = [h, c] if i == 1 else None
            sequence, *_ = layers[f"decoder_{i}"](sequence, initial_state=first, training=training)
        return layers["decoder_dense"](sequence)

    def _map_state(self, part: str, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """The state through the dense layers of a part, if there is one."""
        if f"{part}_h" not in self._parts:
            return h, c
        return self._parts[f"{part}_h"](h), self._parts[f"{part}_c"](c)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return the shape of the reconstruction."""
        return (input_shape[0], self.n_repeats or input_shape[1], self.n_features or input_shape[2])

    def compute_reconstruction_error(self, inputs: Tensor, reconstructions: Tensor | None = None) -> Tensor:
        """Return the mean squared error of each sample, (B,): its anomaly score.

        It compares series (B, T, F) with reconstructions (B, T', F), by default its own, over the steps that both have.
        """
        inputs = to_tensor(inputs)
        return reconstruction_error(inputs, self(inputs) if reconstructions is None else to_tensor(reconstructions))

    save, summary = keras.Model.save, keras.Model.summary  # Keras' own, not the learner's

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read the ``.keras`` file that Keras' `save` has written. No code in it is run.

        What the file holds, whatever it is, comes back as it was saved or is a `anomaly_kernels.FileError`, before
        there is memory for networks larger than the file. A file that cannot be opened is an OSError.
        """
        content = read_bytes(path, MOST_BYTES_OF_A_FILE)
        with reading(path, f"does not hold a {cls.__name__}"):
            if other := check_archive(content, cls):
                raise FileError(f"{path} does not hold a {cls.__name__}, but a {other}")
            model: Self = keras.saving.load_model(path)
            return model


def _keras_activation(activation: str) -> Any:
    """Keras' activation, but for gelu: TensorFlow's has a factor of single precision."""
    return _gelu if activation == "gelu" else activation


def _gelu(x: Tensor) -> Tensor:
    return ACTIVATIONS["gelu"](array_namespace(x), x)
