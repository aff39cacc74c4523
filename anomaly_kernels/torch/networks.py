"""A scoring head and an LSTM autoencoder as torch modules, with the weights of the pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Self, SupportsIndex

import torch
from torch import Tensor, nn

from anomaly_kernels import reconstruction_error, weights
from anomaly_kernels._classes.network_files import NetworkFile
from anomaly_kernels._core.backends.torch import namespace_of_layers as xp
from anomaly_kernels._core.checks import function, positive
from anomaly_kernels._core.namespace import describe
from anomaly_kernels.networks import _options as options
from anomaly_kernels.networks._params import is_lstm
from anomaly_kernels.networks.activations import ACTIVATIONS, find_activation
from anomaly_kernels.networks.lstm import reconstruct
from anomaly_kernels.networks.score_head import norm_kind, score

Regularizer = Callable[[Tensor], Tensor] | None


class _Network(NetworkFile, nn.Module):
    """A base of networks whose weights have the names and layout of the pure function; they start as Keras' do."""

    _keys: list[str]
    """Names of the weights in the pure function."""

    def _views(self, key: str) -> tuple[Tensor, ...]:
        """A weight of the pure function as the views whose sum it is: torch's LSTM has two biases."""
        raise NotImplementedError

    def _params_tree(self) -> dict[str, Tensor]:
        views = {key: self._views(key) for key in self._keys}
        return {key: view + others[0] if others else view for key, (view, *others) in views.items()}

    @torch.no_grad()
    def _set_params_tree(self, params: dict[str, Any]) -> None:
        for key in self._keys:
            view, *others = self._views(key)
            view.copy_(torch.as_tensor(params[key]))
            for other in others:
                other.zero_()

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {key: tuple(x.shape) for key, x in self._params_tree().items()}

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw new weights."""
        self._set_params_tree({key: _draw(key, self._views(key)[0]) for key in self._keys})

    def _change_settings(self, before: dict[str, Any], after: dict[str, Any], undo: ExitStack) -> None:
        with torch.device("meta"):  # where nothing is drawn
            other = type(self)(**after)
        new_shapes = self._shapes() != other._shapes()  # noqa: SLF001
        if new_shapes:
            weight = next(iter(self._params_tree().values()))
            with weight.device:
                other = type(self)(**after).to(weight.dtype).train(self.training)
        for name in before:
            delattr(self, name)  # torch puts no function in the place of a module
        if new_shapes:  # then the layers are the other's, and what a user's class has besides
            for name in ("_modules", "_parameters", "_buffers", "_keys"):
                setattr(self, name, getattr(other, name))
        for name in before:
            setattr(self, name, getattr(other, name))

    @classmethod
    def _from_settings(cls, settings: dict[str, Any], params: dict[str, Any]) -> Self:
        for name, value in settings.items():  # each layer takes time, even where it takes no memory
            n = value if name.startswith("num_") else len(value) if isinstance(value, list) else 0
            if isinstance(n, int) and n > len(params):
                raise ValueError(f"`{name}` must be no more than there are weights, {len(params)}, got {n}")
        with torch.device("meta"):
            network = cls(**settings)
        arrays = weights.fitted(network._shapes(), params)  # before there is memory, of whatever size the file says
        dtype = torch.as_tensor(next(iter(arrays.values()))).dtype
        return network.to(dtype).to_empty(device=torch.get_default_device())

    def _own_weights(self) -> list[str]:
        layers = {key.partition("/")[0] for key in self._keys}
        return [name for name in self.state_dict() if name.partition(".")[0] not in layers]

    def extra_repr(self) -> str:
        """Return the settings, for the repr."""
        return self.my_params.partition("(")[2][:-1]


class SequenceAnomalyScoreLayer(_Network):
    """Dense layers that turn the features of a sequence model into an anomaly score.

    The module of `anomaly_kernels.sequence_anomaly_score`, with dropout and batch statistics in training. It maps
    features (..., F) to scores (..., 1). If `set_params` changes shapes, all weights are drawn again. Give the new ones
    to the optimizer.

    Parameters
    ----------
    in_features : int
        Features F of the input.
    hidden_units : int or sequence of int
        Units of each hidden layer.
    activation : str
        Activation of hidden layers: relu, tanh, sigmoid, elu, selu, gelu (exact), softplus or linear.
    dropout_rate : float
        Share of the hidden units that is dropped in training.
    use_norm : {False, True, "layer", "batch"}
        Normalisation after the activation; True means ``"layer"``. As in Keras, the moving statistics keep 99 % of
        themselves. The variance is that of the batch, not the unbiased one of `torch.nn.BatchNorm1d`.
    final_activation : str
        Activation of the score.
    kernel_regularizer, bias_regularizer : function, optional
        From a kernel or a bias to a 0-d tensor; `regularization` returns their sum.

    Examples
    --------
    >>> layer = SequenceAnomalyScoreLayer(3, [16, 8], use_norm="batch")
    >>> layer(torch.zeros(32, 10, 3)).shape
    torch.Size([32, 10, 1])
    """

    def __init__(
        self,
        in_features: int,
        hidden_units: SupportsIndex | Sequence[SupportsIndex],
        activation: str = "relu",
        dropout_rate: float = 0.1,
        *,
        use_norm: bool | str = False,
        final_activation: str = "linear",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
    ) -> None:
        super().__init__()
        find_activation(activation, "activation")
        find_activation(final_activation, "final_activation")
        for name, regularizer in (("kernel_regularizer", kernel_regularizer), ("bias_regularizer", bias_regularizer)):
            if regularizer is not None:
                function(name, regularizer)
        self.in_features = positive("in_features", in_features)
        self.hidden_units = options.list_of_units("hidden_units", hidden_units)
        self.activation, self.final_activation, self.use_norm = activation, final_activation, use_norm
        self.dropout_rate = options.drop_rate("dropout_rate", dropout_rate)
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        shape_of = options.score_head_shapes(self.in_features, self.hidden_units, use_norm)
        for key, shape in shape_of.items():
            layer, _, array = key.rpartition("/")
            if not hasattr(self, layer):
                self.add_module(layer, nn.Module())
            x = torch.empty(shape)
            setattr(getattr(self, layer), array, nn.Buffer(x) if array.startswith("moving") else nn.Parameter(x))
        self._keys = list(shape_of)
        self.reset_parameters()

    def _views(self, key: str) -> tuple[Tensor, ...]:
        layer, array = key.split("/")
        return (getattr(getattr(self, layer), array),)

    def regularization(self) -> Tensor | float:
        """Return the sum of the regularizers of all kernels and biases, to be added to the loss."""
        regularizers = {"kernel": self.kernel_regularizer, "bias": self.bias_regularizer}
        total: Tensor | float = 0.0
        for key, x in self._params_tree().items():
            regularizer = regularizers.get(key.rpartition("/")[2])
            total = total if regularizer is None else total + regularizer(x)
        return total

    def forward(self, features: Tensor) -> Tensor:
        """Return the scores (..., 1) of features (..., F)."""
        fits = isinstance(features, Tensor) and features.shape[-1:] == (self.in_features,)
        _check_input("features", features, self.score_output.kernel, f"(..., {self.in_features})", fits=fits)
        params = self._params_tree()
        drop = (lambda x: nn.functional.dropout(x, self.dropout_rate)) if self.training else None
        activations = (ACTIVATIONS[self.activation], ACTIVATIONS[self.final_activation])
        scores, moved = score(xp, params, features, norm_kind(self.use_norm), *activations, drop)
        with torch.no_grad():
            for key, value in moved.items():
                params[key].copy_(value)
        return scores


class LSTMAutoencoderAnomaly(_Network, options.AutoencoderSettings):
    """An autoencoder of LSTM layers for time series. Its reconstruction errors are anomaly scores.

    The module of `anomaly_kernels.lstm_autoencoder` on `torch.nn.LSTM`, with dropout in training. It maps series (B, T,
    F) to their reconstruction (B, T', F). With a `recurrent_dropout_rate`, which `torch.nn.LSTM` lacks, training goes
    step by step, through the pure function. `torch.compile` does not compile `torch.nn.LSTM`, so ``fullgraph=True`` is
    refused. `torch.nn.LSTM` adds two biases. The second begins as 0 and is not trained, unless you ask for it. If
    `set_params` changes shapes, all weights are drawn again. Give the new ones to the optimizer.

    Parameters
    ----------
    n_features : int
        Features F of the series.
    latent_dim : int
        Width of the latent vector. Without `use_bottleneck_dense` it is the width of the encoder, and another number
        gives a warning.
    lstm_units : int
        Units of each LSTM.
    n_repeats : int, optional
        Steps T' of the reconstruction; as many as the input has by default.
    num_encoder_layers, num_decoder_layers : int
        Number of LSTMs, one after the other.
    activation, intermediate_activation : str
        Activations of the output, and of the dense layers between encoder and decoder: relu, tanh, sigmoid, elu, selu,
        gelu (exact), softplus or linear.
    dropout_rate, recurrent_dropout_rate : float
        Shares of the inputs and of the states of the LSTMs that are dropped in training.
    use_bidirectional_encoder, use_bottleneck_dense : bool
        Whether the encoder reads series from both ends, and whether dense layers map its state to the latent vector.

    Examples
    --------
    >>> network = LSTMAutoencoderAnomaly(n_features=3, latent_dim=8, lstm_units=8)
    >>> series = torch.zeros(32, 10, 3)
    >>> network(series).shape
    torch.Size([32, 10, 3])
    >>> network.compute_reconstruction_error(series).shape
    torch.Size([32])
    """

    def __init__(
        self,
        n_features: int,
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
        nn.Module.__init__(self)
        sizes = (latent_dim, lstm_units, n_repeats, num_encoder_layers, num_decoder_layers)
        rates, parts = (dropout_rate, recurrent_dropout_rate), (use_bidirectional_encoder, use_bottleneck_dense)
        options.AutoencoderSettings.__init__(self, *sizes, activation, intermediate_activation, *rates, *parts)
        self.n_features = positive("n_features", n_features)
        shape_of = options.autoencoder_shapes(self.n_features, self)
        self._add_layers(shape_of)
        self._keys = list(shape_of)
        self.reset_parameters()

    def _add_layers(self, shape_of: dict[str, tuple[int, ...]]) -> None:
        for name, (n_in, n_out) in options.layer_sizes(shape_of).items():
            layer, _, direction = name.partition("/")
            if not is_lstm(layer):
                self.add_module(layer, nn.Linear(n_in, n_out))
            elif direction != "backward":  # which the layer has beside the one forward in time
                self.add_module(layer, nn.LSTM(n_in, n_out // 4, batch_first=True, bidirectional=bool(direction)))
        for name, parameter in self.named_parameters():
            if ".bias_hh" in name:  # an LSTM learns one bias, as Keras has it
                parameter.requires_grad_(requires_grad=False)

    def _views(self, key: str) -> tuple[Tensor, ...]:
        layer, *direction, array = key.split("/")
        module = getattr(self, layer)
        if isinstance(module, nn.Linear):
            return (module.weight.T if array == "kernel" else module.bias,)
        end = "_l0_reverse" if direction == ["backward"] else "_l0"
        if array == "bias":
            return getattr(module, f"bias_ih{end}"), getattr(module, f"bias_hh{end}")
        return (getattr(module, f"weight_{'hh' if array == 'recurrent_kernel' else 'ih'}{end}").T,)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the reconstruction (B, T', F) of series (B, T, F)."""
        fits = isinstance(inputs, Tensor) and inputs.ndim == 3
        fits = fits and inputs.shape[2] == self.n_features and inputs.shape[1] > 0
        shape = f"(B, T, {self.n_features}), T > 0"
        _check_input("inputs", inputs, self.decoder_dense.weight, shape, fits=fits)
        output, between = ACTIVATIONS[self.activation], ACTIVATIONS[self.intermediate_activation]
        if self.training and self.recurrent_dropout_rate:
            return reconstruct(xp, self._params_tree(), inputs, self.n_repeats, output, between, self._mask)
        state, sequence = (inputs[:0], inputs[:0]), inputs
        for i in range(1, self.num_encoder_layers + 1):
            sequence, state = getattr(self, f"encoder_{i}")(self._drop(sequence))
        h, c = (torch.cat(tuple(x), -1) for x in state)  # of both directions
        if self.use_bottleneck_dense:
            h, c = between(xp, self.bottleneck_h(h)), between(xp, self.bottleneck_c(c))
        latent = h
        if hasattr(self, "project_state_h"):
            h, c = between(xp, self.project_state_h(h)), between(xp, self.project_state_c(c))
        sequence = latent[:, None].expand(-1, self.n_repeats or inputs.shape[1], -1)
        for i in range(1, self.num_decoder_layers + 1):
            first = (h[None], c[None]) if i == 1 else None
            sequence, _ = getattr(self, f"decoder_{i}")(self._drop(sequence), first)
        return output(xp, self.decoder_dense(sequence))

    def _drop(self, sequence: Tensor) -> Tensor:
        if not self.training or not self.dropout_rate:
            return sequence
        return sequence * self._mask("inputs", torch.ones_like(sequence[:, :1]))

    def _mask(self, which: str, ones: Tensor) -> Tensor:
        return nn.functional.dropout(ones, self.recurrent_dropout_rate if which == "state" else self.dropout_rate)

    def compute_reconstruction_error(self, inputs: Tensor, reconstructions: Tensor | None = None) -> Tensor:
        """Return the mean squared error of each sample, (B,): its anomaly score.

        It compares series (B, T, F) with reconstructions (B, T', F), by default its own, over the steps that both have.
        """
        return reconstruction_error(inputs, self(inputs) if reconstructions is None else reconstructions)


def _check_input(name: str, x: Any, weight: Tensor, shape: str, *, fits: bool) -> None:
    """Raise unless this is a tensor that fits the network, of the weights' dtype where no autocast sees to it."""
    if not isinstance(x, Tensor):
        raise TypeError(f"`{name}` must be a tensor, got {describe(x)}")
    if not fits:
        raise ValueError(f"`{name}` must have shape {shape}, got {tuple(x.shape)}")
    if x.dtype != weight.dtype and not (x.is_floating_point() and torch.is_autocast_enabled(x.device.type)):
        raise TypeError(f"`{name}` must be of {weight.dtype}, as the weights are, got {x.dtype}")


def _draw(key: str, old: Tensor) -> Tensor:
    """An initial value of a weight, beside the old one."""
    kind = options.initializer(key)
    if kind == "orthogonal":  # LAPACK needs single precision
        return nn.init.orthogonal_(torch.empty_like(old, dtype=torch.promote_types(old.dtype, torch.float32)))
    x = torch.full_like(old, float(kind == "ones"))
    if kind == "glorot_uniform":
        nn.init.xavier_uniform_(x)
    if kind == "forget":
        units = x.shape[0] // 4
        x[units : 2 * units] = 1.0
    return x
