"""An autoencoder of long short-term memory (LSTM) layers, for anomalies in time series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from anomaly_kernels._core.checks import has_ndim, shape_of, size
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.networks import _params
from anomaly_kernels.networks._params import Params, Shapes, Size, dense, has_part, numbered
from anomaly_kernels.networks.activations import Activation, find_activation

State = tuple[Array, Array]

MOST_STEPS = 2**20
"""Of a reconstruction: a slip would take the memory of all of them, or run for days."""

Dropout = Callable[[str, Array], Array]
"""From ``"inputs"`` or ``"state"`` and ones of shape (B, width) to the mask that all steps are multiplied by."""


@with_hint
def lstm_autoencoder(
    params: Params,
    inputs: Array,
    *,
    n_repeats: int | None = None,
    activation: str = "tanh",
    intermediate_activation: str = "relu",
) -> Array:
    r"""Reconstruction of time series by an LSTM autoencoder.

    .. math:: \hat x_t = f(W y_t + b), \quad y = \operatorname{decoder}(z, \ldots, z), \quad
        z = g(W_z h_T + b_z), \quad h = \operatorname{encoder}(x)

    Parameters
    ----------
    params : dict of str to array
        Weights in Keras' layout. The keys give the structure, with i from 1. An LSTM of u units holds ``kernel`` (in,
        4u), ``recurrent_kernel`` (u, 4u) and ``bias`` (4u,), the gates in the order input, forget, candidate, output; a
        dense layer holds ``kernel`` (in, out) and ``bias`` (out,).

        - ``encoder_{i}/…``: an LSTM, or two as ``encoder_{i}/forward/…`` and ``encoder_{i}/backward/…``;
        - ``bottleneck_h/…`` and ``bottleneck_c/…``, optional: dense layers from the last state to the latent one;
        - ``project_state_h/…`` and ``project_state_c/…``, optional: dense layers from the latent state to the width of
          the decoder, needed where they differ;
        - ``decoder_{i}/…``: an LSTM;
        - ``decoder_dense/…``: the dense layer of the output.
    inputs : array, (B, T, F)
        Time series x of T steps.
    n_repeats : int, optional
        Steps T' of the reconstruction, up to 2²⁰; as many as the input has by default.
    activation : str
        Activation f of the output: relu, tanh, sigmoid, elu, selu, gelu (exact), softplus or linear.
    intermediate_activation : str
        Activation g of the bottleneck and of the projections.

    Returns
    -------
    array, (B, T', F')
        The reconstruction. `reconstruction_error` turns it into an anomaly score.

    Raises
    ------
    TypeError
        If an array is not of floating point, or they belong to different libraries.
    ValueError
        If `params` lacks a key or has one too many, a shape does not fit, a setting is unknown, or there are no steps.

    Notes
    -----
    The latent vector z is the last hidden state h of the encoder (of both directions, one after the other), after the
    bottleneck and before the projection. The first decoder layer reads only z, repeated T' times. Only that layer
    starts from the state of the encoder; the others start from 0. Inside the LSTMs the activations are always tanh and
    sigmoid. With its default g the projection cuts off the negative part of the state, as fusionlab-learn does.

    References
    ----------
    .. [1] S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation, 1997.
    .. [2] P. Malhotra et al., "LSTM-based Encoder-Decoder for Multi-sensor Anomaly Detection", ICML Anomaly Detection
       Workshop, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> rng = np.random.default_rng(0)
    >>> shapes = {"kernel": (2, 12), "recurrent_kernel": (3, 12), "bias": (12,)}
    >>> params = {f"encoder_1/{name}": rng.normal(size=shape) for name, shape in shapes.items()}
    >>> shapes["kernel"] = (3, 12)
    >>> params |= {f"decoder_1/{name}": rng.normal(size=shape) for name, shape in shapes.items()}
    >>> params |= {"decoder_dense/kernel": rng.normal(size=(3, 2)), "decoder_dense/bias": np.zeros(2)}
    >>> x = rng.normal(size=(5, 7, 2))
    >>> ak.lstm_autoencoder(params, x).shape
    (5, 7, 2)
    """
    output = find_activation(activation, "activation")
    between = find_activation(intermediate_activation, "intermediate_activation")
    repeats = None if n_repeats is None else size("n_repeats", n_repeats, MOST_STEPS, "an integer or None")
    xp, weights, (x,) = _params.prepare(params, inputs=inputs)
    has_ndim("inputs", inputs, 3, "(B, T, F)")
    if inputs.shape[1] == 0:
        raise ValueError(f"`inputs` must have shape (B, T, F), T > 0, got {tuple(inputs.shape)}")
    _params.check(params, _expected_shapes(params, shape_of(inputs)[-1]))
    return reconstruct(xp, weights, x, repeats, output, between)


def reconstruct(
    xp: Namespace,
    params: Params,
    x: Array,
    repeats: int | None,
    output: Activation,
    between: Activation,
    drop: Dropout | None = None,
) -> Array:
    """The reconstruction, without checks. In training `drop` draws masks of the inputs and states of the LSTMs."""
    x = xp.permute_dims(x, (1, 0, 2))  # time first, for the scan
    state = _encode(xp, params, x, drop)
    state = _map_state(xp, params, "bottleneck", state, between)
    latent = xp.expand_dims(state[0], axis=0)
    steps = x[:, :, :1]  # not the static number of steps, which may be unknown
    if repeats is not None:
        steps = xp.broadcast_to(xp.constant(0.0, like=x, dtype=x.dtype), (repeats,))
    state = _map_state(xp, params, "project_state", state, between)
    first, *others = numbered(params, "decoder")
    _, sequence = _lstm(xp, params, first, latent, drop, state, steps)
    for layer in others:
        _, sequence = _lstm(xp, params, layer, sequence, drop)
    return xp.permute_dims(output(xp, dense(xp, params, "decoder_dense", sequence)), (1, 0, 2))


def _directions(params: Params, layer: str) -> list[str]:
    """The LSTMs of an encoder layer: itself, or one forward in time and one backward."""
    directions = [f"{layer}/forward", f"{layer}/backward"]
    return directions if any(has_part(params, f"{lstm}/") for lstm in directions) else [layer]


def _expected_shapes(params: Params, n_features: Size) -> Shapes:
    """The shapes of the weights of a network that has each part of which params has any key, by their biases."""
    encoder_layers = numbered(params, "encoder") or ["encoder_1"]
    encoder = [[_params.units_of(params, lstm) for lstm in _directions(params, layer)] for layer in encoder_layers]
    parts = [part for part in ("bottleneck", "project_state") if has_part(params, part)]
    maps = {part: _params.units_of(params, f"{part}_h") for part in parts}
    others = [_params.units_of(params, layer) for layer in numbered(params, "decoder")[1:]]
    return shapes(n_features, encoder, maps, others, _params.units_of(params, "decoder_dense"))


def shapes(
    n_features: Size, encoder: Sequence[Sequence[Size]], maps: Mapping[str, Size], decoder: Sequence[Size], n_out: Size
) -> Shapes:
    """The shapes of the weights by name.

    The numbers of units are, for each encoder layer, those of its LSTM or of the two of its directions; those of the
    maps that there are, bottleneck and project_state; those of each decoder layer after the first, which has as many as
    the state.
    """
    result: Shapes = {}
    width = n_features
    for i, directions in enumerate(encoder, start=1):
        names = ("/forward", "/backward") if len(directions) == 2 else ("",)
        for name, units in zip(names, directions, strict=True):
            result |= _params.lstm_shapes(f"encoder_{i}{name}", width, units)
        known = [units for units in directions if units is not None]
        width = sum(known) if len(known) == len(directions) else None
    state = width
    for part, units in maps.items():
        result |= _params.dense_shapes(f"{part}_h", state, units) | _params.dense_shapes(f"{part}_c", state, units)
        state = units
    width = maps.get("bottleneck", width)
    for i, units in enumerate([state, *decoder], start=1):
        result |= _params.lstm_shapes(f"decoder_{i}", width, units)
        width = units
    return result | _params.dense_shapes("decoder_dense", width, n_out)


def _encode(xp: Namespace, params: Params, sequence: Array, drop: Dropout | None) -> State:
    """The last state (h, c) of the last encoder layer."""
    for layer in numbered(params, "encoder"):
        forward, *backward = _directions(params, layer)
        state, ahead = _lstm(xp, params, forward, sequence, drop)
        if backward:
            other, back = _lstm(xp, params, backward[0], xp.flip(sequence, axis=0), drop)
            ahead = xp.concat([ahead, xp.flip(back, axis=0)], axis=-1)
            state = (xp.concat([state[0], other[0]], axis=-1), xp.concat([state[1], other[1]], axis=-1))
        sequence = ahead
    return state


def _map_state(xp: Namespace, params: Params, part: str, state: State, between: Activation) -> State:
    """The state through the dense layers of a part, if there is one."""
    if not has_part(params, part):
        return state
    h, c = (between(xp, dense(xp, params, f"{part}_{of}", x)) for of, x in zip("hc", state, strict=True))
    return h, c


def _lstm(
    xp: Namespace,
    params: Params,
    layer: str,
    sequence: Array,
    drop: Dropout | None,
    state: State | None = None,
    steps: Array | None = None,
) -> tuple[State, Array]:
    """The last state and all outputs of an LSTM over (T, B, features), from a state or from 0.

    With `steps` it reads the one vector of a sequence (1, B, features) as often as these are many.
    """
    recurrent = params[f"{layer}/recurrent_kernel"]
    if drop is not None:
        sequence = sequence * drop("inputs", xp.ones_like(sequence[0, :, :]))
    gates = dense(xp, params, layer, sequence)  # the inputs' part of all steps at once
    if state is None:
        zero = xp.zeros_like(gates[0, :, : recurrent.shape[0]])
        state = (zero, zero)
    mask = None if drop is None else drop("state", xp.ones_like(state[0]))
    return xp.as_one(_run_steps)(xp, recurrent, state, gates, steps, mask)


def _run_steps(
    xp: Namespace, recurrent: Array, state: State, gates: Array, steps: Array | None, mask: Array | None
) -> tuple[State, Array]:
    u, first = recurrent.shape[0], gates[0, :, :]

    def step(state: State, gate: Array) -> tuple[State, Array]:
        h, c = state
        gate = (gate if steps is None else first) + xp.matmul(h if mask is None else h * mask, recurrent)
        i, f, g, o = (gate[:, k * u : (k + 1) * u] for k in range(4))
        c = xp.sigmoid(f) * c + xp.sigmoid(i) * xp.tanh(g)
        h = xp.sigmoid(o) * xp.tanh(c)
        return (h, c), h

    return xp.scan(step, state, gates if steps is None else steps)
