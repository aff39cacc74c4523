"""Losses of quantile forecasters that also score anomalies."""

from __future__ import annotations

from typing import Annotated

from anomaly_kernels._core.checks import cast, has_ndim, has_shape, inputs, levels, not_empty, same_axes, shape_of
from anomaly_kernels._core.evaluate import Formula, Slopes, reduce, weigh
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Items, Namespace, Number, Reduction, Setting
from anomaly_kernels.losses.reconstruction import mean_squared_anomaly


@with_hint
def quantile_loss(
    y_true: Array,
    y_pred: Array,
    *,
    quantiles: Annotated[Items[Number], levels],
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    r"""Pinball loss of quantile forecasts.

    .. math:: w \cdot \operatorname{mean} \max(\tau e, (\tau - 1) e), \quad e = y - \hat y_\tau

    Parameters
    ----------
    y_true : array, (B, H, O)
        Observations y over a horizon of H steps.
    y_pred : array, (B, H, Q, O)
        Forecasts of the Q quantiles.
    quantiles : sequence of Q numbers in [0, 1]
        The levels τ.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements of `y_pred`.

    Returns
    -------
    array
        In units of the data; 0-d, or with ``"none"`` one value per forecast, (B, H, Q, O).

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries, or `quantiles` is not a
        sequence of numbers.
    ValueError
        If the shapes do not fit, a quantile lies outside [0, 1], or there is nothing to average over.

    Notes
    -----
    It is a mean over quantiles. Twice this value approximates the continuous ranked probability score.

    References
    ----------
    .. [1] R. Koenker, G. Bassett, "Regression Quantiles", Econometrica, 1978.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, forecast = np.full((1, 1, 1), 2.0), np.asarray([1.0, 3.0]).reshape((1, 1, 2, 1))
    >>> round(float(ak.quantile_loss(y, forecast, quantiles=[0.1, 0.9])), 6)
    0.1
    """
    xp, dtype = inputs(y_true=y_true, y_pred=y_pred)
    taus = levels("quantiles", quantiles)
    has_ndim("y_true", y_true, 3, "(B, H, O)")
    batch, horizon, outputs = shape_of(y_true)
    has_shape("y_pred", y_pred, (batch, horizon, len(taus), outputs), "(B, H, Q, O)")
    same_axes("B, H and O", y_true=(y_true, (0, 1, 2)), y_pred=(y_pred, (0, 1, 3)))
    tau = xp.constant([[[[tau] for tau in taus]]], like=y_pred, dtype=dtype)

    def values(xp: Namespace, forecast: Array, y: Array) -> Array:
        return _pinball(xp, tau, y - forecast)

    def reduced(xp: Namespace, how: str, forecast: Array, y: Array) -> Array:
        y = y[:, :, 0, ...]
        of_levels = [xp.reduce_by(how, _pinball(xp, t, y - forecast[:, :, k, ...])) for k, t in enumerate(taus)]
        return sum(of_levels[1:], of_levels[0]) * (1.0 / len(taus) if how == "mean" else 1.0)

    def slopes(xp: Namespace, forecast: Array, y: Array) -> Slopes:
        slope = xp.astype(y < forecast, dtype) - tau
        return [lambda: slope, lambda: -xp.sum(slope, axis=2, keepdims=True)]

    arrays = {"y_pred": y_pred, "y_true": xp.expand_dims(y_true, axis=2)}
    formula = Formula(values, slopes, reduced=reduced, blocks=len(taus))
    return reduce(xp, dtype, formula, arrays, weight=weight, reduction=reduction)


def _pinball(xp: Namespace, tau: Setting, error: Array) -> Array:
    return xp.maximum(tau * error, (tau - 1.0) * error)


@with_hint
def multi_objective_loss(
    y_true: Array,
    y_pred: Array,
    anomaly_scores: Array | None = None,
    *,
    quantiles: Annotated[Items[Number], levels],
    anomaly_weight: Setting = 1.0,
) -> Array:
    r"""Pinball loss of a forecast plus the mean of squared anomaly scores.

    .. math:: \operatorname{mean} \max(\tau e, (\tau - 1) e) + w \cdot \operatorname{mean}(a^2)

    Parameters
    ----------
    y_true : array, (B, H, O)
        Observations.
    y_pred : array, (B, H, Q, O)
        Forecasts of the Q quantiles.
    anomaly_scores : array, any shape, optional
        Anomaly scores a; without them the loss is `quantile_loss` alone.
    quantiles : sequence of Q numbers in [0, 1]
        The levels τ.
    anomaly_weight : number or 0-d array
        Factor w of the second term.

    Returns
    -------
    array, 0-d

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        As `quantile_loss`.

    References
    ----------
    .. [1] R. Koenker, G. Bassett, "Regression Quantiles", Econometrica, 1978.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, forecast = np.full((1, 1, 1), 2.0), np.full((1, 1, 1, 1), 1.0)
    >>> float(ak.multi_objective_loss(y, forecast, np.asarray([2.0]), quantiles=[0.5], anomaly_weight=0.25))
    1.5
    """
    if anomaly_scores is None:
        return quantile_loss(y_true, y_pred, quantiles=quantiles)
    xp, dtype = inputs(y_true=y_true, y_pred=y_pred, anomaly_scores=anomaly_scores)
    y_true, y_pred, scores = [cast(xp, dtype, x) for x in (y_true, y_pred, anomaly_scores)]
    not_empty(anomaly_scores=anomaly_scores)
    squares = weigh(xp, dtype, anomaly_weight, mean_squared_anomaly(scores), "anomaly_weight")
    return quantile_loss(y_true, y_pred, quantiles=quantiles) + squares
