"""Losses for few labels, outlier exposure and forecasts for Keras: losses of two arrays, layers of more."""

from __future__ import annotations

from typing import Unpack

import keras

from anomaly_kernels._core.targets import check_not_boolean, check_sign
from anomaly_kernels.keras._base import (
    PACKAGE,
    Axes,
    LayerOptions,
    Loss,
    LossOptions,
    Setting,
    Tensor,
    WeighedLayer,
    looked_at,
    match_ranks,
    without_last,
)
from anomaly_kernels.losses import exposure, few_labels, forecast_scores


@keras.saving.register_keras_serializable(PACKAGE)
class DeepSADLoss(WeighedLayer):
    r"""Deep SAD: Deep SVDD with a few labels. `target` is 1 for a known anomaly, the opposite of the paper's sign.

    The layer of `anomaly_kernels.deep_sad_loss`, which has the formula.

    Parameters
    ----------
    eta : number or 0-d array, at least 0
        Weight η of the labelled samples beside the others.
    eps : number or 0-d array, at least 0
        ε in squared units of the embeddings; it bounds the loss of an anomaly by η/ε.
    weight : number or 0-d array
        Factor w of the result.
    reduction
        That of a `keras.losses.Loss`; with ``"none"`` the layer returns every value, and adds the mean to the model's.
    name, trainable, dtype, activity_regularizer, autocast
        Those of every `keras.layers.Layer`; without `autocast` inputs keep their precision.

    Examples
    --------
    >>> z, target = np.asarray([[1.0, 0.0], [0.0, 2.0]]), np.asarray([1, 0])
    >>> round(float(DeepSADLoss()(target, z, np.zeros(2))), 4)
    2.5
    """

    kernel = staticmethod(few_labels.deep_sad_loss)

    def __init__(
        self,
        *,
        eta: Setting = 1.0,
        eps: Setting = 1e-6,
        weight: Setting = 1.0,
        reduction: str | None = "mean",
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(eta=eta, eps=eps, weight=weight, reduction=reduction, **options)

    def call(self, target: Tensor, embeddings: Tensor, center: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Return the loss of embeddings (..., D) around a centre (D,), of which some are labelled.

        The values are weighed as by a `keras.losses.Loss`.
        """
        return self._add_values(looked_at(target, check_sign), embeddings, center, sample_weight=sample_weight)


@keras.saving.register_keras_serializable(PACKAGE)
class DeviationLoss(Loss):
    r"""Deviation loss: pulls scores of normal data to a reference, and pushes scores of anomalies above it.

    The loss of `anomaly_kernels.deviation_loss`, which has the formula.

    Parameters
    ----------
    margin : number or 0-d array
        m, the deviations above the reference that anomalies must reach.
    reference_mean : number or 0-d array
        Mean μ of the reference.
    reference_std : number or 0-d array, above 0
        Standard deviation σ of the reference.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> float(DeviationLoss()(np.asarray([0, 1]), np.asarray([0.5, 2.0])))
    1.75
    """

    kernel = staticmethod(few_labels.deviation_loss)

    def __init__(
        self,
        *,
        margin: Setting = 5.0,
        reference_mean: Setting = 0.0,
        reference_std: Setting = 1.0,
        weight: Setting = 1.0,
        **options: Unpack[LossOptions],
    ) -> None:
        super().__init__(
            margin=margin, reference_mean=reference_mean, reference_std=reference_std, weight=weight, **options
        )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of scores and truth of one shape."""
        return self._value(match_ranks(looked_at(y_true), y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class HypersphereClassifierLoss(WeighedLayer):
    r"""Cross entropy of a hypersphere: normal data inside, labelled anomalies outside (HSC; with `axis`, FCDD).

    The layer of `anomaly_kernels.hypersphere_classifier_loss`, which has the formula.

    Parameters
    ----------
    axis : int or tuple of ints, optional
        Axes over which h is averaged first. h has the shape of `embeddings` without the last axis. With the axes of an
        image, one label for each image is enough. This is FCDD, whose maps are ``embeddings`` of shape (B, H, W, 1).
    eps : number or 0-d array, at least 0
        ε, which bounds the loss of an anomaly on the centre; with 0 it is infinite there.
    weight : number or 0-d array
        Factor w of the result.
    reduction
        That of a `keras.losses.Loss`; with ``"none"`` the layer returns every value, and adds the mean to the model's.
    name, trainable, dtype, activity_regularizer, autocast
        Those of every `keras.layers.Layer`; without `autocast` inputs keep their precision.

    Examples
    --------
    >>> z, target = np.asarray([[0.0, 0.0], [3.0, 4.0]]), np.asarray([0, 1])
    >>> round(float(HypersphereClassifierLoss()(target, z, np.zeros(2))), 4)
    0.0084
    """

    kernel = staticmethod(few_labels.hypersphere_classifier_loss)

    def __init__(
        self,
        *,
        axis: Axes | None = None,
        eps: Setting = 1e-31,
        weight: Setting = 1.0,
        reduction: str | None = "mean",
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(axis=axis, eps=eps, weight=weight, reduction=reduction, **options)

    def call(self, target: Tensor, embeddings: Tensor, center: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Return the loss of embeddings (..., D) around a centre (D,), and the truth of each sample.

        The values are weighed as by a `keras.losses.Loss`.
        """
        return self._add_values(looked_at(target), embeddings, center, sample_weight=sample_weight)


@keras.saving.register_keras_serializable(PACKAGE)
class OutlierExposureLoss(Loss):
    r"""Outlier exposure: cross entropy with the class of inliers, and with even probabilities for outliers.

    The loss of `anomaly_kernels.outlier_exposure_loss`, which has the formula.

    Parameters
    ----------
    outlier_weight : number or 0-d array, at least 0
        λ.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> logit, target = np.asarray([[2.0, 0.0], [0.0, 0.0]]), np.asarray([0, -1])
    >>> round(float(OutlierExposureLoss()(target, logit)), 4)
    0.4735
    """

    kernel = staticmethod(exposure.outlier_exposure_loss)

    def __init__(self, *, outlier_weight: Setting = 0.5, weight: Setting = 1.0, **options: Unpack[LossOptions]) -> None:
        super().__init__(outlier_weight=outlier_weight, weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of logits (..., C) and classes (...), below 0 for outliers."""
        return self._value(without_last(looked_at(y_true, check_not_boolean), y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class EnergyBoundedLoss(Loss):
    r"""Bounds for the energy of a classifier's logits: low for normal data, high for outliers.

    The loss of `anomaly_kernels.energy_bounded_loss`, which has the formula.

    Parameters
    ----------
    margin_in : number or 0-d array
        Normal data should have an energy below it.
    margin_out : number or 0-d array
        Outliers should have an energy above it.
    temperature : number or 0-d array, above 0
        T.
    weight : number or 0-d array
        Factor w of the result; 0.1 in the paper, where the cross entropy of the normal data is added.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> loss = EnergyBoundedLoss(margin_in=-6.0, margin_out=-2.0)
    >>> round(float(loss(np.asarray([0, 1]), np.asarray([[5.0, 0.0], [3.0, 3.0]]))), 4)
    3.8534
    """

    kernel = staticmethod(exposure.energy_bounded_loss)

    def __init__(
        self,
        *,
        margin_in: Setting = -25.0,
        margin_out: Setting = -7.0,
        temperature: Setting = 1.0,
        weight: Setting = 1.0,
        **options: Unpack[LossOptions],
    ) -> None:
        super().__init__(margin_in=margin_in, margin_out=margin_out, temperature=temperature, weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of logits (..., C) and truth (...)."""
        return self._value(without_last(looked_at(y_true), y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class CRPSEnsembleLoss(Loss):
    r"""Continuous ranked probability score of an ensemble: its distance from the observation, minus half its spread.

    The loss of `anomaly_kernels.crps_ensemble`, which has the formula.

    Parameters
    ----------
    fair : bool
        Divide the spread by 2M(M - 1): unbiased, as if the ensemble were infinite.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> float(CRPSEnsembleLoss()(np.asarray([3.0]), np.asarray([[1.0, 4.0, 2.0, 4.0]])))
    0.5625
    """

    kernel = staticmethod(forecast_scores.crps_ensemble)

    def __init__(self, *, fair: bool = False, weight: Setting = 1.0, **options: Unpack[LossOptions]) -> None:
        super().__init__(fair=fair, weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of ensembles (..., M) and observations (...)."""
        return self._value(without_last(y_true, y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class CRPSGaussianLoss(WeighedLayer):
    r"""Continuous ranked probability score of a Gaussian forecast.

    The layer of `anomaly_kernels.crps_gaussian`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    reduction
        That of a `keras.losses.Loss`; with ``"none"`` the layer returns every value, and adds the mean to the model's.
    name, trainable, dtype, activity_regularizer, autocast
        Those of every `keras.layers.Layer`; without `autocast` inputs keep their precision.

    Examples
    --------
    >>> round(float(CRPSGaussianLoss()(np.asarray([1.0]), np.asarray([0.0]), np.asarray([1.0]))), 4)
    0.6024
    """

    kernel = staticmethod(forecast_scores.crps_gaussian)

    def __init__(
        self, *, weight: Setting = 1.0, reduction: str | None = "mean", **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(weight=weight, reduction=reduction, **options)

    def call(self, y_true: Tensor, mean: Tensor, std: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Return the loss of means and standard deviations, and observations of their shape.

        The values are weighed as by a `keras.losses.Loss`.
        """
        return self._add_values(y_true, mean, std, sample_weight=sample_weight)


@keras.saving.register_keras_serializable(PACKAGE)
class GaussianNLLLoss(WeighedLayer):
    r"""Negative log likelihood of observations under Gaussian forecasts, each with a variance of its own.

    The layer of `anomaly_kernels.gaussian_nll`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    reduction
        That of a `keras.losses.Loss`; with ``"none"`` the layer returns every value, and adds the mean to the model's.
    name, trainable, dtype, activity_regularizer, autocast
        Those of every `keras.layers.Layer`; without `autocast` inputs keep their precision.

    Examples
    --------
    >>> round(float(GaussianNLLLoss()(np.asarray([1.0]), np.asarray([0.0]), np.asarray([0.0]))), 4)
    1.4189
    """

    kernel = staticmethod(forecast_scores.gaussian_nll)

    def __init__(
        self, *, weight: Setting = 1.0, reduction: str | None = "mean", **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(weight=weight, reduction=reduction, **options)

    def call(self, y_true: Tensor, mean: Tensor, log_var: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Return the loss of means and logarithms of variances, and observations of their shape.

        The values are weighed as by a `keras.losses.Loss`.
        """
        return self._add_values(y_true, mean, log_var, sample_weight=sample_weight)


@keras.saving.register_keras_serializable(PACKAGE)
class IntervalScoreLoss(WeighedLayer):
    r"""Interval score (Winkler score): width of prediction intervals, plus a penalty for observations outside.

    The layer of `anomaly_kernels.interval_score`, which has the formula.

    Parameters
    ----------
    alpha : number or 0-d array, above 0 and below 1
        α.
    weight : number or 0-d array
        Factor w of the result.
    reduction
        That of a `keras.losses.Loss`; with ``"none"`` the layer returns every value, and adds the mean to the model's.
    name, trainable, dtype, activity_regularizer, autocast
        Those of every `keras.layers.Layer`; without `autocast` inputs keep their precision.

    Examples
    --------
    >>> float(IntervalScoreLoss(alpha=0.5)(np.asarray([2.0]), np.asarray([0.0]), np.asarray([1.0])))
    5.0
    """

    kernel = staticmethod(forecast_scores.interval_score)

    def __init__(
        self,
        *,
        alpha: Setting = 0.1,
        weight: Setting = 1.0,
        reduction: str | None = "mean",
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(alpha=alpha, weight=weight, reduction=reduction, **options)

    def call(self, y_true: Tensor, lower: Tensor, upper: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Return the loss of bounds, and observations of their shape, weighed as by a `keras.losses.Loss`."""
        return self._add_values(y_true, lower, upper, sample_weight=sample_weight)
