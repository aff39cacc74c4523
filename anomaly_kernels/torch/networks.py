"""The two networks as torch modules, with the weights of the pure forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Self, SupportsIndex

import torch
from torch import Tensor, nn

from anomaly_kernels import reconstruction_error, weights
from anomaly_kernels._classes.network_files import NetworkFile
from anomaly_kernels._core.checks import function, positive
from anomaly_kernels._core.namespace import array_namespace, describe
from anomaly_kernels.networks import _options as options
from anomaly_kernels.networks.activations import ACTIVATIONS
from anomaly_kernels.networks.lstm import reconstruct
from anomaly_kernels.networks.score_head import norm_named, score

Regularizer = Callable[[Tensor], Tensor] | None


class _Network(NetworkFile, nn.Module):
    """What both have: weights by the names of the pure form, which start as Keras' do."""

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw new weights."""
        for key, (x, *others) in self._held().items():
            _started(key, x)
            for other in others:
                other.zero_()

    def set_params(self, **params: Any) -> Self:
        """Change settings, checked as in the constructor; where one is refused, none is changed.

        Weights whose shapes change are drawn anew, all of them: an optimizer must then be given the new ones. Other
        settings leave the weights as they are.
        """
        return super().set_params(**params)

    def _become(self, before: dict[str, Any], after: dict[str, Any], undo: ExitStack) -> None:
        with torch.device("meta"):  # where nothing is drawn
            other = type(self)(**after)
        if changed := self._shapes() != other._shapes():  # noqa: SLF001
            own = next(iter(self._params_tree().values()))
            with own.device:
                other = type(self)(**after).to(own.dtype).train(self.training)
        values = {name: getattr(other, name) for name in before}
        for name in before:
            delattr(self, name)  # torch puts no function in the place of a module
        if changed:
            for name in ("_parameters", "_modules", "_buffers", "_keys"):
                setattr(self, name, getattr(other, name))
        for name, value in values.items():
            setattr(self, name, value)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {key: tuple(x.shape) for key, x in self._params_tree().items()}

    @classmethod
    def _restored(cls, settings: dict[str, Any], params: dict[str, Any]) -> Self:
        for name, value in settings.items():  # each layer takes time, even where it takes no memory
            if name.startswith("num_") and isinstance(value, int) and value > len(params):
                raise ValueError(f"`{name}` must be no more than there are weights, {len(params)}, got {value}")
        with torch.device("meta"):
            made = cls(**settings)
        given = weights.fitted(made._shapes(), params)  # before there is memory, of whatever size the file says
        dtype = torch.as_tensor(next(iter(given.values()))).dtype
        return made.to(dtype).to_empty(device=torch.get_default_device())

    def _own_weights(self) -> list[str]:
        layers = {key.partition("/")[0] for key in self._params_tree()}
        return [name for name in self.state_dict() if name.partition(".")[0] not in layers]

    def extra_repr(self) -> str:
        """Return the settings, for the repr."""
        return self.my_params.partition("(")[2][:-1]

    def _held(self) -> dict[str, list[Tensor]]:
        """Views in the layout of the pure form, of which the weights are the sums: torch's LSTM has two biases."""
        raise NotImplementedError

    def _params_tree(self) -> dict[str, Tensor]:
        return {key: x + others[0] if others else x for key, (x, *others) in self._held().items()}

    @torch.no_grad()
    def _set_params_tree(self, params: dict[str, Any]) -> None:
        for key, (x, *others) in self._held().items():
            x.copy_(torch.as_tensor(params[key]))
            for other in others:
                other.zero_()


class SequenceAnomalyScoreLayer(_Network):
    """Dense layers that turn the features of a sequence model into an anomaly score.

    A module form of `anomaly_kernels.sequence_anomaly_score`, with dropout and the statistics of batches in training.

    Parameters
    ----------
    in_features : int
        Features F of the input, (..., F).
    hidden_units : int or sequence of int
        Units of each hidden layer.
    activation : str
        Activation of hidden layers: relu, tanh, sigmoid, elu, selu, gelu (exact), softplus or linear.
    dropout_rate : float
        Share of the hidden units that is dropped in training.
    use_norm : {False, True, "layer", "batch"}
        Normalisation after the activation; True means ``"layer"``. As in Keras the moving statistics keep 99 % of
        themselves, and the variance is that of the batch, not the unbiased one that `torch.nn.BatchNorm1d` keeps.
    final_activation : str
        Activation of the score.
    kernel_regularizer, bias_regularizer : function, optional
        From a kernel or a bias to a 0-d tensor; `regularization` returns their sum.

    Raises
    ------
    TypeError, ValueError
        If an option is not what it must be.
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
        options.check_activations(activation=activation, final_activation=final_activation)
        self.in_features = positive("in_features", in_features)
        self.hidden_units = options.listed("hidden_units", hidden_units)
        self.activation, self.final_activation, self.use_norm = activation, final_activation, use_norm
        self.dropout_rate = options.rate("dropout_rate", dropout_rate)
        self.kernel_regularizer = _regularizer("kernel_regularizer", kernel_regularizer)
        self.bias_regularizer = _regularizer("bias_regularizer", bias_regularizer)
        shapes = options.score_head_shapes(self.in_features, self.hidden_units, use_norm)
        for key, shape in shapes.items():
            layer, _, array = key.rpartition("/")
            if not hasattr(self, layer):
                self.add_module(layer, nn.Module())
            if array.startswith("moving"):
                getattr(self, layer).register_buffer(array, torch.empty(shape))
            else:
                getattr(self, layer).register_parameter(array, nn.Parameter(torch.empty(shape)))
        self._keys = list(shapes)
        self.reset_parameters()

    def _held(self) -> dict[str, list[Tensor]]:
        return {key: [getattr(getattr(self, layer), array)] for key in self._keys for layer, array in [key.split("/")]}

    def regularization(self) -> Tensor | float:
        """Return the sum of what the regularizers say of kernels and of biases; to be added to the loss."""
        total: Tensor | float = 0.0
        for key, x in self._params_tree().items():
            array = key.rpartition("/")[2]
            of = {"kernel": self.kernel_regularizer, "bias": self.bias_regularizer}.get(array)
            total = total if of is None else total + of(x)
        return total

    def forward(self, features: Tensor) -> Tensor:
        """Return the scores, (..., 1)."""
        fits = isinstance(features, Tensor) and features.shape[-1:] == (self.in_features,)
        _check_input("features", features, self.score_output.kernel, f"(..., {self.in_features})", fits=fits)
        params = self._params_tree()
        drop = (lambda x: nn.functional.dropout(x, self.dropout_rate)) if self.training else None
        named = (ACTIVATIONS[self.activation], ACTIVATIONS[self.final_activation])
        found, moved = score(array_namespace(features), params, features, norm_named(self.use_norm), *named, drop)
        with torch.no_grad():
            for key, value in moved.items():
                params[key].copy_(value)
        return found


class LSTMAutoencoderAnomaly(_Network):
    """An autoencoder of LSTM layers for time series, whose errors of reconstruction are anomaly scores.

    A module form of `anomaly_kernels.lstm_autoencoder` on `torch.nn.LSTM`, with dropout in training. Masks of dropout
    are drawn for each sample and layer, and are the same at all steps, as in Keras; `torch.nn.LSTM` knows none of the
    recurrent state, so with a `recurrent_dropout_rate` training goes step by step, through the pure form.
    `torch.compile` leaves `torch.nn.LSTM` as it is, so that ``fullgraph=True`` is refused.
    Of the two biases that `torch.nn.LSTM` adds, the second begins as 0 and is not trained, unless one asks for it.

    Parameters
    ----------
    n_features : int
        Features F of the series, (B, T, F).
    latent_dim : int
        Width of the latent vector, with `use_bottleneck_dense`.
    lstm_units : int
        Units of each LSTM.
    n_repeats : int, optional
        Steps of the reconstruction; without it as many as the input has.
    num_encoder_layers, num_decoder_layers : int
        How many LSTMs there are, one upon the other.
    activation : str
        Activation of the output: relu, tanh, sigmoid, elu, selu, gelu (exact), softplus or linear.
    intermediate_activation : str
        Activation of the bottleneck, and of the maps from its state to the decoder's.
    dropout_rate, recurrent_dropout_rate : float
        Shares of the inputs and of the states of the LSTMs that are dropped in training.
    use_bidirectional_encoder : bool
        Whether the encoder reads the series from both ends.
    use_bottleneck_dense : bool
        Whether dense layers map the encoder's state to the latent vector.

    Raises
    ------
    TypeError, ValueError
        If an option is not what it must be.

    Warns
    -----
    UserWarning
        If `latent_dim` has no effect: without a bottleneck the latent vector is the state of the encoder.
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
        super().__init__()
        options.check_activations(activation=activation, intermediate_activation=intermediate_activation)
        sizes = options.Autoencoder(
            latent_dim,
            lstm_units,
            num_encoder_layers,
            num_decoder_layers,
            use_bidirectional_encoder,
            use_bottleneck_dense,
        ).checked()
        self.latent_dim, self.lstm_units, self.num_encoder_layers, self.num_decoder_layers, *flags = sizes
        self.use_bidirectional_encoder, self.use_bottleneck_dense = flags
        self.n_features = positive("n_features", n_features)
        self.n_repeats = None if n_repeats is None else positive("n_repeats", n_repeats)
        self.activation, self.intermediate_activation = activation, intermediate_activation
        self.dropout_rate = options.rate("dropout_rate", dropout_rate)
        self.recurrent_dropout_rate = options.rate("recurrent_dropout_rate", recurrent_dropout_rate)
        shapes = sizes.shapes(self.n_features)
        for key, (n_in, n_out) in ((key, shape) for key, shape in shapes.items() if key.endswith("/kernel")):
            layer, _, direction = key.removesuffix("/kernel").partition("/")
            if not layer.startswith(("encoder_", "decoder_")) or layer == "decoder_dense":
                self.add_module(layer, nn.Linear(n_in, n_out))
            elif direction != "backward":
                self.add_module(layer, _lstm(n_in, n_out // 4, bidirectional=bool(direction)))
        self._keys = list(shapes)
        self.reset_parameters()

    def _held(self) -> dict[str, list[Tensor]]:
        held = {}
        for key in self._keys:
            name, _, array = key.rpartition("/")
            layer, _, direction = name.partition("/")
            module = getattr(self, layer)
            if isinstance(module, nn.Linear):
                held[key] = [module.weight.T if array == "kernel" else module.bias]
            else:
                end = "_l0" + "_reverse" * (direction == "backward")
                own = [getattr(module, name + end) for name in _NAMES[array]]
                held[key] = own if array == "bias" else [own[0].T]
        return held

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the reconstruction, (B, T', F)."""
        fits = (
            isinstance(inputs, Tensor)
            and inputs.ndim == 3
            and inputs.shape[2] == self.n_features
            and inputs.shape[1] > 0
        )
        shape = f"(B, T, {self.n_features}), T > 0"
        _check_input("inputs", inputs, self.decoder_dense.weight, shape, fits=fits)
        xp = array_namespace(inputs)
        output, between = ACTIVATIONS[self.activation], ACTIVATIONS[self.intermediate_activation]
        if self.training and self.recurrent_dropout_rate:
            return reconstruct(xp, self._params_tree(), inputs, self.n_repeats, output, between, self._drop)
        state, sequence = (inputs[:0], inputs[:0]), inputs
        for i in range(1, self.num_encoder_layers + 1):
            sequence, state = getattr(self, f"encoder_{i}")(self._dropped(sequence))
        h, c = (torch.cat(tuple(x), -1) for x in state)  # of both directions
        if self.use_bottleneck_dense:
            h, c = between(xp, self.bottleneck_h(h)), between(xp, self.bottleneck_c(c))
        latent = h
        if hasattr(self, "project_state_h"):
            h, c = between(xp, self.project_state_h(h)), between(xp, self.project_state_c(c))
        sequence = latent[:, None].expand(-1, self.n_repeats or inputs.shape[1], -1)
        given: tuple[Tensor, Tensor] | None = (h[None], c[None])
        for i in range(1, self.num_decoder_layers + 1):
            sequence, _ = getattr(self, f"decoder_{i}")(self._dropped(sequence), given)
            given = None
        return output(xp, self.decoder_dense(sequence))

    def _dropped(self, sequence: Tensor) -> Tensor:
        if not self.training or not self.dropout_rate:
            return sequence
        return sequence * self._drop("inputs", torch.ones_like(sequence[:, :1]))

    def _drop(self, which: str, ones: Tensor) -> Tensor:
        return nn.functional.dropout(ones, self.recurrent_dropout_rate if which == "state" else self.dropout_rate)

    def compute_reconstruction_error(self, inputs: Tensor, reconstructions: Tensor | None = None) -> Tensor:
        """Return the mean squared error of each sample, (B,): its anomaly score.

        Parameters
        ----------
        inputs : Tensor, (B, T, F)
            The series.
        reconstructions : Tensor, (B, T', F), optional
            By default those of the module; where they have other steps, over the first min(T, T').
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


def _regularizer(name: str, given: Regularizer) -> Regularizer:
    if given is not None:
        function(name, given)
    return given


_NAMES = {"kernel": ["weight_ih"], "recurrent_kernel": ["weight_hh"], "bias": ["bias_ih", "bias_hh"]}


def _lstm(n_in: int, units: int, *, bidirectional: bool) -> nn.LSTM:
    """An LSTM that learns one bias, as Keras has it: the second one, which torch adds to the first, begins as 0."""
    module = nn.LSTM(n_in, units, batch_first=True, bidirectional=bidirectional)
    for name, parameter in module.named_parameters():
        if name.startswith("bias_hh"):
            parameter.requires_grad_(requires_grad=False)
    return module


def _started(key: str, x: Tensor) -> None:
    """Overwrite a parameter by what it starts with."""
    kind = options.start(key)
    if kind == "glorot_uniform":
        nn.init.xavier_uniform_(x)
    elif kind == "orthogonal":
        wide = torch.empty_like(x, dtype=torch.promote_types(x.dtype, torch.float32))  # which LAPACK needs
        x.copy_(nn.init.orthogonal_(wide))
    else:
        nn.init.constant_(x, float(kind == "ones"))
        if kind == "forget":
            units = x.shape[0] // 4
            nn.init.ones_(x[units : 2 * units])
