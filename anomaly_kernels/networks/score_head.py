"""A head of dense layers that turns the features of a sequence model into an anomaly score."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from anomaly_kernels._core.checks import has_ndim, not_empty, shape_of
from anomaly_kernels._core.numeric import square
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.networks._params import Params, Shapes, check, dense, dense_shapes, numbered, prepare, units_of
from anomaly_kernels.networks.activations import Activation, find_activation

EPSILON, MOMENTUM = 1e-3, 0.99  # Keras' defaults

NORM_ARRAYS = {
    "layer": ("gamma", "beta"),
    "batch": ("gamma", "beta", "moving_mean", "moving_variance"),
}


@with_hint
def sequence_anomaly_score(
    params: Params,
    features: Array,
    *,
    activation: str = "relu",
    use_norm: bool | str = False,
    final_activation: str = "linear",
) -> Array:
    r"""Anomaly score of feature vectors by a multilayer perceptron, in inference: without dropout.

    .. math:: s = f(W_n h_{n - 1} + b_n), \quad h_i = \operatorname{norm}(g(W_i h_{i - 1} + b_i)), \quad h_0 = x

    Parameters
    ----------
    params : dict of str to array
        Weights in Keras' layout. Hidden layers, i from 1: ``hidden_dense_{i}/kernel`` (in, out) and ``/bias`` (out,).
        After each, with `use_norm`, ``layer_norm_{i}/gamma`` and ``/beta``, or ``batch_norm_{i}/gamma``, ``/beta``,
        ``/moving_mean`` and ``/moving_variance``, all (out,). Last ``score_output/kernel`` (in, 1) and ``/bias`` (1,).
        There are as many hidden layers as there are keys, perhaps none.
    features : array, (..., F)
        Features x; every vector is scored separately.
    activation : str
        Activation g of hidden layers: relu, tanh, sigmoid, elu, selu, gelu (exact), softplus or linear.
    use_norm : {False, True, "layer", "batch"}
        Normalisation after the activation; True means ``"layer"``. Batch normalisation uses the moving statistics.
    final_activation : str
        Activation f of the score.

    Returns
    -------
    array, (..., 1)
        Higher means more anomalous, if the network was trained so.

    Raises
    ------
    TypeError
        If an array is not of floating point, or they belong to different libraries.
    ValueError
        If `params` lacks a key or has one too many, a shape does not fit, or a setting is unknown.

    References
    ----------
    .. [1] J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", arXiv:1607.06450, 2016.
    .. [2] S. Ioffe, C. Szegedy, "Batch Normalization", ICML, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> params = {
    ...     "hidden_dense_1/kernel": np.asarray([[1.0, -1.0], [0.0, 2.0]]),
    ...     "hidden_dense_1/bias": np.zeros(2),
    ...     "score_output/kernel": np.asarray([[1.0], [0.5]]),
    ...     "score_output/bias": np.asarray([0.25]),
    ... }
    >>> ak.sequence_anomaly_score(params, np.asarray([[1.0, 2.0], [3.0, 0.0]]))
    array([[2.75],
           [3.25]])
    """
    hidden_activation = find_activation(activation, "activation")
    last_activation = find_activation(final_activation, "final_activation")
    norm = norm_kind(use_norm)
    xp, weights, (x,) = prepare(params, features=features)
    has_ndim("features", features, 1, "(..., F)", most=-1)
    units = [units_of(params, layer) for layer in numbered(params, "hidden_dense")]
    check(params, shapes(shape_of(features)[-1], units, norm))
    return score(xp, weights, x, norm, hidden_activation, last_activation)[0]


def score(
    xp: Namespace,
    params: Params,
    x: Array,
    norm: str | None,
    activation: Activation,
    final_activation: Activation,
    drop: Callable[[Array], Array] | None = None,
) -> tuple[Array, dict[str, Array]]:
    """The score, without checks, and in training the moving statistics after this batch.

    In training `drop` is dropout, after each hidden layer, and batch normalisation uses the batch's statistics.
    """
    if norm == "batch" and drop is not None:
        not_empty(features=x)
    moved: dict[str, Array] = {}
    for i in range(1, len(numbered(params, "hidden_dense")) + 1):
        x = activation(xp, dense(xp, params, f"hidden_dense_{i}", x))
        if norm == "layer":
            x = _normalize(xp, params, f"layer_norm_{i}", x, *_moments(xp, x, axis=-1))
        elif norm == "batch":
            layer = f"batch_norm_{i}"
            statistics = params[f"{layer}/moving_mean"], params[f"{layer}/moving_variance"]
            if drop is not None:
                statistics = _of_batch(xp, params, layer, x, moved)
            x = _normalize(xp, params, layer, x, *statistics)
        x = x if drop is None else drop(x)
    return final_activation(xp, dense(xp, params, "score_output", x)), moved


def norm_kind(use_norm: object) -> str | None:
    """The kind of normalisation that is meant, None for none."""
    if isinstance(use_norm, bool):
        return "layer" if use_norm else None
    if not isinstance(use_norm, str) or use_norm not in NORM_ARRAYS:
        error = ValueError if isinstance(use_norm, str) else TypeError
        raise error(f"`use_norm` must be one of False, True, 'layer', 'batch', got {use_norm!r}")
    return use_norm


def shapes(n_features: int | None, hidden_units: Iterable[int | None], norm: str | None) -> Shapes:
    """The shapes of the weights by name."""
    result: Shapes = {}
    width = n_features
    for i, units in enumerate(hidden_units, start=1):
        result |= dense_shapes(f"hidden_dense_{i}", width, units)
        result |= {f"{norm}_norm_{i}/{array}": (units,) for array in NORM_ARRAYS[norm]} if norm else {}
        width = units
    return result | dense_shapes("score_output", width, 1)


def _normalize(xp: Namespace, params: Params, layer: str, x: Array, center: Array, variance: Array) -> Array:
    standardized = (x - center) / xp.sqrt(variance + EPSILON)
    return standardized * params[f"{layer}/gamma"] + params[f"{layer}/beta"]


def _moments(xp: Namespace, x: Array, axis: int) -> tuple[Array, Array]:
    """Mean and variance along an axis, which stays, of size 1."""
    center = xp.mean(x, axis=axis, keepdims=True)
    return center, xp.mean(square(x - center), axis=axis, keepdims=True)


def _of_batch(xp: Namespace, params: Params, layer: str, x: Array, moved: dict[str, Array]) -> tuple[Array, Array]:
    """Mean and variance of the batch; `moved` gets the moving ones, which take a share of them."""
    center, variance = (x[0, ...] for x in _moments(xp, xp.reshape(x, (-1, x.shape[-1])), axis=0))
    for name, value in (("moving_mean", center), ("moving_variance", variance)):
        moved[f"{layer}/{name}"] = MOMENTUM * params[f"{layer}/{name}"] + (1.0 - MOMENTUM) * value
    return center, variance
