"""Squared and absolute errors of reconstructions, predictions and of the scores themselves."""

from __future__ import annotations

from typing import Literal

from anomaly_kernels._core.checks import choice, has_ndim, inputs, matches, not_empty, same_shape, shape_of
from anomaly_kernels._core.evaluate import Formula, reduce
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace, Reduction, Setting


@with_hint
def mean_squared_anomaly(scores: Array, *, weight: Setting = 1.0, reduction: Reduction = "mean") -> Array:
    r"""Mean of squared anomaly scores, which pulls the scores of normal data towards zero.

    .. math:: w \cdot \operatorname{mean}(a^2)

    Parameters
    ----------
    scores : array, any shape, usually (B, H, D)
        Anomaly scores a of normal data.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Returns
    -------
    array
        0-d, or with ``"none"`` one value per score.

    Raises
    ------
    TypeError
        If `scores` is not a floating point array.
    ValueError
        If `reduction` is unknown, or there is nothing to average over.

    References
    ----------
    The anomaly term of the loss of [1]_.

    .. [1] L. Kouadio, fusionlab-learn documentation, "Anomaly Detection Losses".

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> float(ak.mean_squared_anomaly(np.asarray([1.0, 3.0]), weight=0.5))
    2.5
    """
    xp, dtype = inputs(scores=scores)
    return reduce(xp, dtype, SQUARE, {"scores": scores}, weight=weight, reduction=reduction)


SQUARE = Formula(
    values=lambda xp, a: a * a,
    slopes=lambda xp, a: [lambda: 2.0 * a],
    total=lambda xp, a: xp.sum_of_products(a, a),
    blocks=2,
)


@with_hint
def mse_reconstruction_loss(
    x_true: Array, x_pred: Array, *, weight: Setting = 1.0, reduction: Reduction = "mean"
) -> Array:
    r"""Mean squared error of a reconstruction.

    .. math:: w \cdot \operatorname{mean}\left((x - \hat x)^2\right)

    Parameters
    ----------
    x_true, x_pred : array, any shape
        Data x and their reconstruction, of equal shapes.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Returns
    -------
    array
        0-d, or with ``"none"`` one value per element.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ, `reduction` is unknown, or there is nothing to average over.

    References
    ----------
    .. [1] C. M. Bishop, "Pattern Recognition and Machine Learning", Springer, 2006, section 1.1.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> x = np.asarray([[0.0, 1.0], [2.0, 3.0]])
    >>> float(ak.mse_reconstruction_loss(x, x + 0.5))
    0.25
    """
    xp, dtype = inputs(x_true=x_true, x_pred=x_pred)
    same_shape(x_true=x_true, x_pred=x_pred)
    arrays = {"x_true": x_true, "x_pred": x_pred}
    return reduce(xp, dtype, SQUARED_ERROR, arrays, weight=weight, reduction=reduction)


SQUARED_ERROR = Formula(
    values=lambda xp, x, y: xp.squared_difference(x, y, "none"),
    slopes=lambda xp, x, y: [lambda: 2.0 * (x - y), lambda: 2.0 * (y - x)],
    reduced=lambda xp, how, x, y: xp.squared_difference(x, y, how),
    blocks=2,
)


@with_hint
def reconstruction_error(x_true: Array, x_pred: Array) -> Array:
    r"""Mean squared error of each sample: the anomaly score of an autoencoder.

    .. math:: s_b = \operatorname{mean}_{t, f}\left((x_{btf} - \hat x_{btf})^2\right)

    Parameters
    ----------
    x_true, x_pred : array, (B, ...)
        Data and their reconstruction. If the two differ in time steps (axis 1 of at least three), only the first min(T,
        T') steps are compared.

    Returns
    -------
    array, (B,)
        In squared units of the data. Higher means more anomalous.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ elsewhere, or a sample is empty.

    References
    ----------
    .. [1] P. Malhotra et al., "LSTM-based Encoder-Decoder for Multi-sensor Anomaly Detection", ICML Anomaly Detection
       Workshop, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> x = np.asarray([[0.0, 1.0], [2.0, 3.0]])
    >>> ak.reconstruction_error(x, np.asarray([[0.0, 1.0], [2.0, 5.0]]))
    array([0., 2.])
    """
    xp, dtype = inputs(x_true=x_true, x_pred=x_pred)
    has_ndim("x_true", x_true, 1, "(B, ...)", most=-1)
    shape, other = shape_of(x_true), shape_of(x_pred)
    if len(shape) > 2 and matches(shape[:1] + shape[2:], other[:1] + other[2:]) and None not in (shape[1], other[1]):
        steps = min(x_true.shape[1], x_pred.shape[1])
        x_true, x_pred = x_true[:, :steps, ...], x_pred[:, :steps, ...]
    same_shape(x_true=x_true, x_pred=x_pred)
    not_empty(x_true=x_true, x_pred=x_pred)
    axes = tuple(range(1, len(x_true.shape)))

    def values(xp: Namespace, x: Array, y: Array) -> Array:
        error = xp.squared_difference(x, y, "none")
        return xp.mean(error, axis=axes) if axes else error

    return reduce(xp, dtype, Formula(values, inner=len(axes)), {"x_true": x_true, "x_pred": x_pred}, reduction="none")


@with_hint
def prediction_error_score(
    y_true: Array,
    y_pred: Array,
    *,
    error_metric: Literal["mae", "mse"] = "mae",
    aggregation: Literal["mean", "max"] = "mean",
) -> Array:
    r"""Error of the forecast of each sample: the anomaly score of a forecaster.

    .. math:: s_b = \operatorname{agg}_t \operatorname{mean}_f |y_{btf} - \hat y_{btf}|^p

    Parameters
    ----------
    y_true, y_pred : array, (B, T, F)
        Observations and predictions, of equal shapes.
    error_metric : {"mae", "mse"}
        Absolute error (p = 1) or squared error (p = 2), averaged over the features of a step.
    aggregation : {"mean", "max"}
        How the errors of the steps are combined.

    Returns
    -------
    array, (B,)
        In units of the data (``"mae"``) or their squares. Higher means more anomalous.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ or are not (B, T, F), a setting is unknown, or a sample is empty.

    References
    ----------
    .. [1] P. Malhotra et al., "Long Short Term Memory Networks for Anomaly Detection in Time Series", ESANN, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y = np.asarray([[[0.0], [1.0], [2.0]]])
    >>> ak.prediction_error_score(y, y + np.asarray([[[0.0], [3.0], [0.0]]]), aggregation="max")
    array([3.])
    """
    xp, dtype = inputs(y_true=y_true, y_pred=y_pred)
    choice("error_metric", error_metric, ("mae", "mse"))
    choice("aggregation", aggregation, ("mean", "max"))
    same_shape(y_true=y_true, y_pred=y_pred)
    has_ndim("y_true", y_true, 3, "(B, T, F)")
    not_empty(y_true=y_true, y_pred=y_pred)

    def values(xp: Namespace, y: Array, prediction: Array) -> Array:
        error = xp.abs(y - prediction) if error_metric == "mae" else xp.squared_difference(y, prediction, "none")
        of_steps = xp.mean(error, axis=2)
        return xp.mean(of_steps, axis=1) if aggregation == "mean" else xp.max(of_steps, axis=1)

    return reduce(xp, dtype, Formula(values, inner=2), {"y_true": y_true, "y_pred": y_pred}, reduction="none")
