"""Divergences between probabilities, and the losses of adversarial detectors that are built on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

from anomaly_kernels._core.checks import (
    BELOW_HALF,
    BELOW_ONE,
    NOT_NEGATIVE,
    POSITIVE,
    cast,
    choice,
    function,
    has_ndim,
    has_shape,
    inputs,
    items,
    not_empty,
    number,
    same_axes,
    same_shape,
    shape_of,
)
from anomaly_kernels._core.evaluate import Formula, Slopes, reduce, weigh
from anomaly_kernels._core.numeric import ratio, root, square, standard_deviation
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, DType, Items, Namespace, Reduction, Setting
from anomaly_kernels.losses.reconstruction import SQUARED_ERROR

Model = Callable[[Any], Array]


class HiddenLayers(NamedTuple):
    """Models built on hidden layers, and a weight for each or none at all."""

    model_hl: Items[Model] = ()
    w_model_hl: Items[Setting] | None = None

    def with_weights(self) -> list[tuple[Model, Setting]]:
        """Each model with its weight."""
        models = items("model_hl", self.model_hl, "callables")
        weights = [1.0] * len(models) if self.w_model_hl is None else items("w_model_hl", self.w_model_hl, "numbers")
        if len(weights) != len(models):
            raise ValueError(f"`w_model_hl` must be as long as `model_hl`, expected {len(models)}, got {len(weights)}")
        return list(zip(models, weights, strict=True))


@with_hint
def kl_divergence(
    p_true: Array,
    p_pred: Array,
    *,
    epsilon: Annotated[Setting, BELOW_ONE] = 1e-7,
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    r"""Kullback-Leibler divergence between probabilities over the last axis.

    .. math:: w \cdot \sum_i p_i \log \frac{p_i}{q_i}, \quad p, q \text{ clipped to } [\epsilon, 1]

    Parameters
    ----------
    p_true, p_pred : array, (..., C)
        True probabilities p and predicted ones q, of equal shapes. They are not renormalised.
    epsilon : number or 0-d array, at least 0 and below 1
        Probabilities are clipped to [epsilon, 1]. 0 is the exact divergence, with 0 log 0 = 0; it is infinite where q
        is 0 and p is not.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the rows.

    Returns
    -------
    array
        In nats; 0-d, or with ``"none"`` the shape without the last axis.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ, a setting is out of its range, or there is nothing to average over.

    Notes
    -----
    The default clips like Keras. The divergence of disjoint one-hot rows is then finite, and its gradient is 0.

    References
    ----------
    .. [1] S. Kullback, R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics, 1951.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> p, q = np.asarray([[0.5, 0.5]]), np.asarray([[0.25, 0.75]])
    >>> round(float(ak.kl_divergence(p, q, epsilon=0)), 6)
    0.143841
    """
    xp, dtype = inputs(p_true=p_true, p_pred=p_pred)
    same_shape(p_true=p_true, p_pred=p_pred)
    has_ndim("p_true", p_true, 1, "(..., C)", most=-1)
    low = number("epsilon", epsilon, xp, dtype, BELOW_ONE)
    arrays = {"p_true": p_true, "p_pred": p_pred}
    return reduce(xp, dtype, _kl_formula(low), arrays, low, weight=weight, reduction=reduction)


@with_hint
def distillation_loss(
    x_true: Any,
    y_pred: Array,
    *,
    model: Model,
    loss_type: Literal["kld", "xent"] = "kld",
    temperature: Annotated[Setting, POSITIVE] = 1.0,
    epsilon: Annotated[Setting, BELOW_HALF] = 1e-7,
    reduction: Reduction = "mean",
) -> Array:
    r"""Distance of predicted probabilities from those of a teacher model, sharpened or softened by a temperature.

    .. math:: \operatorname{mean}\, D(p, q), \quad p_i \propto \operatorname{model}(x)_i^{1/T}, \quad
        D = \sum_i p_i \log \frac{p_i}{q_i} \text{ or } -\sum_i p_i \log q_i

    Parameters
    ----------
    x_true : array
        Input of the teacher.
    y_pred : array, (..., C)
        Predicted probabilities q.
    model : callable
        The teacher: returns probabilities (..., C) of `x_true`.
    loss_type : {"kld", "xent"}
        The Kullback-Leibler divergence, as `kl_divergence`; or the cross entropy, for which q is divided by its sum and
        clipped to [epsilon, 1 - epsilon].
    temperature : number or 0-d array, above 0
        T. The teacher's probabilities are raised to 1/T and renormalised over the last axis; at T = 1 they are not
        changed. It affects only the teacher.
    epsilon : number or 0-d array, at least 0 and below 0.5
        Where probabilities are clipped; 0 is exact.
    reduction : {"mean", "sum", "none"}
        Over the rows.

    Returns
    -------
    array
        In nats; 0-d, or with ``"none"`` the shape without the last axis.

    Raises
    ------
    TypeError
        If `y_pred` is not a floating point array, or the model returns another library's.
    ValueError
        If the model's output and `y_pred` differ in shape, or a setting is out of its range.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> p, q = np.asarray([[0.8, 0.2]]), np.asarray([[0.6, 0.4]])
    >>> round(float(ak.distillation_loss(p, q, model=lambda x: x, temperature=2.0)), 6)
    0.009466
    """
    choice("loss_type", loss_type, ("kld", "xent"))
    teacher = _outputs("model", model, x_true)
    probabilities = {"model(x_true)": teacher, "y_pred": y_pred}
    xp, dtype = inputs(**probabilities)
    same_shape(**probabilities)
    has_ndim("y_pred", y_pred, 1, "(..., C)", most=-1)
    low = number("epsilon", epsilon, xp, dtype, BELOW_HALF)
    t = number("temperature", temperature, xp, dtype, POSITIVE)
    distance = _kl_formula(low).values if loss_type == "kld" else _cross_entropy

    def values(xp: Namespace, p: Array, q: Array) -> Array:
        return distance(xp, _tempered(xp, p, t), q, low)

    return reduce(xp, dtype, Formula(values, inner=1), probabilities, reduction=reduction)


@with_hint
def adversarial_ae_loss(
    x_true: Array,
    x_pred: Array,
    *,
    model: Model,
    model_hl: Items[Model] = (),
    w_model: Setting = 1.0,
    w_recon: Annotated[Setting, NOT_NEGATIVE] = 0.0,
    w_model_hl: Items[Setting] | None = None,
    temperature: Annotated[Setting, POSITIVE] = 1.0,
    epsilon: Annotated[Setting, BELOW_ONE] = 1e-7,
    reduction: Reduction = "mean",
) -> Array:
    r"""Loss of an autoencoder that undoes adversarial attacks on a classifier.

    .. math:: w_m \left(\overline{D} + \sum_i w_i \overline{D_i}\right) +
        w_r \frac{\operatorname{std}(D)}{\operatorname{std}(e) + 10^{-10}} \operatorname{mean}(e), \quad
        D = \mathrm{KL}(\operatorname{model}(x)^{1/T} \,\|\, \operatorname{model}(\hat x)),\; e = (x - \hat x)^2

    Parameters
    ----------
    x_true, x_pred : array, (B, ...)
        Data x and their reconstruction, of equal shapes.
    model : callable
        The classifier: returns probabilities (..., C).
    model_hl : sequence of callables
        Models that return probabilities built on hidden layers; their divergences are added without a temperature.
    w_model : number or 0-d array
        Weight of the divergences.
    w_recon : number or 0-d array, at least 0
        Weight of the reconstruction error. Population standard deviations scale the error to the spread of the
        divergences.
    w_model_hl : sequence of numbers or 0-d arrays, optional
        Weights of the hidden-layer divergences, 1 each by default.
    temperature : number or 0-d array, above 0
        The classifier's probabilities of `x_true` are raised to 1/T and renormalised.
    epsilon : number or 0-d array, at least 0 and below 1
        Probabilities are clipped to [epsilon, 1].
    reduction : {"mean", "sum", "none"}
        Over the samples. The standard deviations are always over all samples.

    Returns
    -------
    array
        0-d, or with ``"none"`` one value per sample, (B,), whose mean is the loss.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If shapes differ, `w_model_hl` is not as long as `model_hl`, a setting is out of its range, or there is no row
        for each sample where `reduction` asks for samples.

    Notes
    -----
    Values and gradients are finite at perfect reconstruction and for a batch of one, where a standard deviation is 0.

    References
    ----------
    .. [1] G. Vacanti, A. Van Looveren, "Adversarial Detection and Correction by Matching Prediction Distributions",
       arXiv:2002.09364, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> x, y = np.asarray([[0.8, 0.2]]), np.asarray([[0.6, 0.4]])
    >>> round(float(ak.adversarial_ae_loss(x, y, model=lambda x: x)), 6)
    0.091516
    """
    xp, dtype = inputs(x_true=x_true, x_pred=x_pred)
    same_shape(x_true=x_true, x_pred=x_pred)
    not_empty(x_true=x_true, x_pred=x_pred)
    hidden_layers = HiddenLayers(model_hl, w_model_hl).with_weights()
    w_r = number("w_recon", w_recon, xp, dtype, NOT_NEGATIVE)
    t = number("temperature", temperature, xp, dtype, POSITIVE)
    low = number("epsilon", epsilon, xp, dtype, BELOW_ONE)
    choice("reduction", reduction, ("mean", "sum", "none"))
    samples = None if reduction == "mean" else x_true
    rows = _model_divergences(xp, dtype, "model", model, (x_true, x_pred), t, low)
    total = _average(xp, "model", rows, samples)
    for k, (model_k, w) in enumerate(hidden_layers):
        hidden = _model_divergences(xp, dtype, f"model_hl[{k}]", model_k, (x_true, x_pred), 1.0, low)
        total = total + weigh(xp, dtype, w, _average(xp, f"model_hl[{k}]", hidden, samples), f"w_model_hl[{k}]")
    total = weigh(xp, dtype, w_model, total, "w_model")
    if not isinstance(w_r, float | int) or w_r != 0:
        error = _scaled_error(xp, dtype, rows, {"x_true": x_true, "x_pred": x_pred}, each=reduction != "mean")
        total = total + w_r * error
    return xp.sum(total) if reduction == "sum" else total


def _model_divergences(
    xp: Namespace, dtype: DType, name: str, model: Model, x: tuple[Array, Array], temperature: Setting, low: Setting
) -> Array:
    outputs = {f"{name}(x_true)": _outputs(name, model, x[0]), f"{name}(x_pred)": model(x[1])}
    inputs(x_true=x[0], **outputs)
    same_shape(**outputs)
    for output, y in outputs.items():
        has_ndim(output, y, 1, "(..., C)", most=-1)
    not_empty(**outputs)
    p, q = (cast(xp, dtype, y) for y in outputs.values())
    return _kl_formula(low).values(xp, _tempered(xp, p, temperature), q, low)


def _average(xp: Namespace, name: str, rows: Array, samples: Array | None) -> Array:
    """The mean of all divergences of a model, or of each sample its own, where `samples` says how many there are."""
    if samples is None:
        return xp.mean(rows)
    output, shape = f"{name}(x_true)", (*shape_of(samples)[:1], *shape_of(rows)[1:])
    has_shape(output, rows, shape, "(B, ...) with the B of `x_true`")
    if samples.shape:
        same_axes("B", x_true=(samples, (0,)), **{output: (rows, (0,))})
    axes = tuple(range(1, len(rows.shape)))
    return xp.mean(rows, axis=axes) if axes else rows


def _scaled_error(xp: Namespace, dtype: DType, rows: Array, data: dict[str, Array], *, each: bool) -> Array:
    """std(rows) / (std(e) + 1e-10) · mean(e) of squared errors e, or of each sample its own mean."""
    mean = reduce(xp, dtype, SQUARED_ERROR, data)
    spread = root(xp, reduce(xp, dtype, _SPREAD, data, mean)) + 1e-10
    if each:
        axes = tuple(range(1, len(data["x_true"].shape)))
        error = Formula(lambda xp, x, y: xp.mean(xp.squared_difference(x, y, "none"), axis=axes), inner=len(axes))
        mean = reduce(xp, dtype, error if axes else SQUARED_ERROR, data, reduction="none")
    return standard_deviation(xp, xp.reshape(rows, (-1,))) / spread * mean


_SPREAD = Formula(lambda xp, x, y, mean: square(xp.squared_difference(x, y, "none") - mean))


def _outputs(name: str, model: Model, x: Any) -> Array:
    function(name, model)
    return model(x)


def _kl(xp: Namespace, p: Array, q: Array, low: Setting) -> Array:
    p, q = xp.clip(p, low, 1.0), xp.clip(q, low, 1.0)
    return xp.sum(p * xp.log(p / q), axis=-1)


def _total_kl(xp: Namespace, p: Array, q: Array, low: Setting) -> Array:
    p, q = xp.clip(p, low, 1.0), xp.clip(q, low, 1.0)
    return xp.sum_of_products(p, xp.log(p / q))


def _kl_slopes(xp: Namespace, p: Array, q: Array, low: Setting) -> Slopes:
    p_inside, q_inside = xp.clip(p, low, 1.0), xp.clip(q, low, 1.0)

    def by_true() -> Array:
        return (xp.log(p_inside / q_inside) + 1.0) * xp.astype(p == p_inside, p.dtype)

    return [by_true, lambda: -(p_inside / q_inside) * xp.astype(q == q_inside, q.dtype)]


def _kl_of_zeros(xp: Namespace, p: Array, q: Array, low: Setting) -> Array:
    """As `_kl`, but 0 log 0 = 0, with derivative 0."""
    p, q = xp.clip(p, low, 1.0), xp.clip(q, low, 1.0)
    zero = p == 0.0
    log = xp.log(xp.where(zero, 1.0, p) / xp.where(zero, 1.0, q))
    return xp.sum(xp.where(zero, 0.0 * q, p * log), axis=-1)


_KL = Formula(_kl, _kl_slopes, inner=1, total=_total_kl)
_KL_OF_ZEROS = Formula(_kl_of_zeros, inner=1)


def _kl_formula(low: Setting) -> Formula:
    """Σ p log(p/q) over the last axis, p and q clipped to [low, 1]."""
    return _KL if isinstance(low, float) and low > 0.0 else _KL_OF_ZEROS


def _cross_entropy(xp: Namespace, p: Array, q: Array, low: Setting) -> Array:
    """-Σ p log q over the last axis, q renormalised and then clipped; 0 log 0 = 0."""
    q = xp.clip(ratio(xp, q, xp.sum(q, axis=-1, keepdims=True)), low, 1.0 - low)
    both = xp.logical_and(p == 0.0, q == 0.0)  # -log q is a derivative wherever q is not 0
    return -xp.sum(p * xp.log(xp.where(both, 1.0, q)), axis=-1)


def _tempered(xp: Namespace, p: Array, temperature: Setting) -> Array:
    """p^(1/T), renormalised over the last axis; relative to the largest, so that not all powers vanish."""
    if isinstance(temperature, float | int) and temperature == 1:
        return p
    share = p / xp.stop_gradient(xp.max(p, axis=-1, keepdims=True))
    zero = share == 0.0
    power = xp.where(zero, 0.0, xp.exp(xp.log(xp.where(zero, 1.0, share)) / temperature))
    return power / xp.sum(power, axis=-1, keepdims=True)
