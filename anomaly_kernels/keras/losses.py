"""The losses for Keras: losses of two arrays, regularizers of one, endpoint layers of more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Unpack, overload

import keras

from anomaly_kernels._core.typing import Items
from anomaly_kernels.keras._base import (
    PACKAGE,
    Axes,
    EndpointLayer,
    LayerOptions,
    Loss,
    LossOptions,
    Regularizer,
    Setting,
    Tensor,
    WeighedLayer,
    is_empty,
    looked_at,
    match_ranks,
    to_tensor,
)
from anomaly_kernels.keras._svdd import CenteredLayer
from anomaly_kernels.losses import (
    divergence,
    forecast,
    likelihood,
    mixture,
    one_class,
    overlap,
    pixels,
    reconstruction,
    selection,
)

Array = Any
Model = Callable[[Any], Tensor]


@keras.saving.register_keras_serializable(PACKAGE)
class AnomalyLoss(Loss):
    r"""Mean of squared anomaly scores, which pulls the scores of normal data towards zero.

    The loss of `anomaly_kernels.mean_squared_anomaly`, which has the formula. The scores come first, or alone; a second
    argument is ignored. Compiled as the loss of a model it is that of the output, whatever the targets: zeros will do.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> float(AnomalyLoss(weight=0.5)(np.asarray([1.0, -3.0])))
    2.5
    """

    kernel = staticmethod(reconstruction.mean_squared_anomaly)

    def __init__(self, *, weight: Setting = 1.0, **options: Unpack[LossOptions]) -> None:
        super().__init__(weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor | None = None) -> Tensor:
        """Return the squares of anomaly scores of any shape, usually (B, H, D)."""
        return self._value(y_true)

    def __call__(
        self, y_true: Tensor, y_pred: Tensor | None = None, *from_fit: Tensor | None, sample_weight: Any = None
    ) -> Tensor:
        """Return the loss of scores, the first argument, whose mask counts.

        `fit` calls a compiled loss with three arguments by position, the third of weights or None: scores are then the
        second, the output of the model, and `y_true` is what Keras must be given.
        """
        scores = y_pred if from_fit and y_pred is not None else y_true
        return super().__call__(scores, scores, from_fit[0] if from_fit else sample_weight)


@keras.saving.register_keras_serializable(PACKAGE)
class MSEReconstructionLoss(Loss):
    r"""Mean squared error of a reconstruction.

    The loss of `anomaly_kernels.mse_reconstruction_loss`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> float(MSEReconstructionLoss()(np.asarray([1.0, 4.0]), np.asarray([1.0, 2.0])))
    2.0
    """

    kernel = staticmethod(reconstruction.mse_reconstruction_loss)

    def __init__(self, *, weight: Setting = 1.0, **options: Unpack[LossOptions]) -> None:
        super().__init__(weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the squared errors of data and reconstructions of one shape."""
        return self._value(match_ranks(y_true, y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class ELBOLoss(Loss):
    r"""Negative log likelihood of data under a Gaussian around their reconstruction.

    The loss of `anomaly_kernels.elbo`, which has the formula.

    Parameters
    ----------
    cov_full : array, (D, D), optional
        Σ, symmetric positive definite.
    cov_diag : array, (D,), optional
        Variances, the diagonal of Σ.
    scale_diag : array, (D,), optional
        Standard deviations, the square roots of the diagonal of Σ.
    sim : number or 0-d array above 0, optional
        One standard deviation for all D.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> round(float(ELBOLoss(sim=0.5)(np.ones((2, 3)), np.zeros((2, 3)))), 4)
    6.6774
    """

    kernel = staticmethod(likelihood.elbo)

    def __init__(
        self,
        *,
        cov_full: Array | None = None,
        cov_diag: Array | None = None,
        scale_diag: Array | None = None,
        sim: Setting | None = None,
        weight: Setting = 1.0,
        **options: Unpack[LossOptions],
    ) -> None:
        super().__init__(cov_full=cov_full, cov_diag=cov_diag, scale_diag=scale_diag, sim=sim, weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample, (B,), of data and reconstructions (B, ...)."""
        return self._value(match_ranks(y_true, y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class KLDivergenceLoss(Loss):
    r"""Kullback-Leibler divergence between probabilities over the last axis.

    The loss of `anomaly_kernels.kl_divergence`, which has the formula.

    Parameters
    ----------
    epsilon : number or 0-d array, at least 0 and below 1
        Probabilities are clipped to [epsilon, 1]. 0 is the exact divergence, with 0 log 0 = 0; it is infinite where q
        is 0 and p is not.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> round(float(KLDivergenceLoss()(np.asarray([[0.9, 0.1]]), np.asarray([[0.5, 0.5]]))), 4)
    0.3681
    """

    kernel = staticmethod(divergence.kl_divergence)

    def __init__(self, *, epsilon: Setting = 1e-7, weight: Setting = 1.0, **options: Unpack[LossOptions]) -> None:
        super().__init__(epsilon=epsilon, weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (...,), of true and predicted probabilities (..., C)."""
        return self._value(match_ranks(y_true, y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class DistillationLoss(Loss):
    r"""Distance of predicted probabilities from those of a teacher model, sharpened or softened by a temperature.

    The loss of `anomaly_kernels.distillation_loss`, which has the formula.

    Parameters
    ----------
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
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> loss = DistillationLoss(keras.layers.Softmax())
    >>> round(float(loss(np.asarray([[2.0, 0.0]]), np.asarray([[0.5, 0.5]]))), 4)
    0.3278
    """

    kernel = staticmethod(divergence.distillation_loss)

    def __init__(
        self,
        model: Model,
        *,
        loss_type: Literal["kld", "xent"] = "kld",
        temperature: Setting = 1.0,
        epsilon: Setting = 1e-7,
        **options: Unpack[LossOptions],
    ) -> None:
        super().__init__(model=model, loss_type=loss_type, temperature=temperature, epsilon=epsilon, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (...,), of the data that the teacher sees and probabilities (..., C)."""
        return self._value(match_ranks(y_true, y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class AdversarialAELoss(Loss):
    r"""Loss of an autoencoder that undoes adversarial attacks on a classifier.

    The loss of `anomaly_kernels.adversarial_ae_loss`, which has the formula.

    Parameters
    ----------
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
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> round(float(AdversarialAELoss(keras.layers.Softmax())(np.eye(2), np.zeros((2, 2)))), 4)
    0.1109
    """

    kernel = staticmethod(divergence.adversarial_ae_loss)

    def __init__(
        self,
        model: Model,
        *,
        model_hl: Items[Model] = (),
        w_model: Setting = 1.0,
        w_recon: Setting = 0.0,
        w_model_hl: Items[Setting] | None = None,
        temperature: Setting = 1.0,
        epsilon: Setting = 1e-7,
        **options: Unpack[LossOptions],
    ) -> None:
        super().__init__(
            model=model,
            model_hl=model_hl,
            w_model=w_model,
            w_recon=w_recon,
            w_model_hl=w_model_hl,
            temperature=temperature,
            epsilon=epsilon,
            **options,
        )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample, (B,), of data and reconstructions (B, ...)."""
        return self._value(match_ranks(y_true, y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class AnomalyBCEWithLogits(Loss):
    r"""Binary cross entropy of logits.

    The loss of `anomaly_kernels.anomaly_bce_with_logits`, which has the formula.

    Parameters
    ----------
    pos_weight : number or array, optional
        Factor p of the term of the anomalies, 1 by default: one, or one for each channel in the last axis, (C,), or
        any array that broadcasts to the shape of `logit`.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> round(float(AnomalyBCEWithLogits()(np.asarray([1.0, 0.0]), np.asarray([4.0, -4.0]))), 4)
    0.0181
    """

    kernel = staticmethod(pixels.anomaly_bce_with_logits)

    def __init__(
        self, *, pos_weight: Setting | None = None, weight: Setting = 1.0, **options: Unpack[LossOptions]
    ) -> None:
        super().__init__(pos_weight=pos_weight, weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each element of a mask and logits of one shape."""
        return self._value(match_ranks(looked_at(y_true), y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class IoULoss(Loss):
    r"""One minus the intersection over union of a soft mask and the true one (Jaccard loss).

    The loss of `anomaly_kernels.iou_loss`, which has the formula.

    Parameters
    ----------
    normalize_method : {"sigmoid", "clamp", "minmax"}
        q = sigmoid(score); or the score clipped to [0, 1]; or (score - min)/(max - min), 0.5 where all are equal.
    smooth : number or 0-d array, at least 0
        s. With 0 the loss of two empty masks is 0, its limit.
    axis : int or tuple of ints, optional
        The axes to pool sums (and minimum and maximum) over, all by default. With the axes of an image each image of a
        batch has its own loss.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> round(float(IoULoss()(np.asarray([1.0, 0.0]), np.asarray([4.0, -4.0]))), 3)
    0.035
    """

    kernel = staticmethod(overlap.iou_loss)

    def __init__(
        self,
        *,
        normalize_method: Literal["sigmoid", "clamp", "minmax"] = "sigmoid",
        smooth: Setting = 1e-6,
        axis: Axes | None = None,
        weight: Setting = 1.0,
        **options: Unpack[LossOptions],
    ) -> None:
        super().__init__(normalize_method=normalize_method, smooth=smooth, axis=axis, weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss, 0-d or along `axis`, of a mask and a score map of one shape."""
        return self._value(match_ranks(looked_at(y_true), y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class AdaptiveQuantileLoss(Loss):
    r"""Pinball loss of quantile forecasts.

    The loss of `anomaly_kernels.quantile_loss`, which has the formula.

    Parameters
    ----------
    quantiles : sequence of Q numbers in [0, 1]
        The levels τ.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> float(AdaptiveQuantileLoss([0.1, 0.9])(np.ones((1, 1, 1)), np.zeros((1, 1, 2, 1))))
    0.5
    """

    kernel = staticmethod(forecast.quantile_loss)

    def __init__(self, quantiles: Items[float], *, weight: Setting = 1.0, **options: Unpack[LossOptions]) -> None:
        super().__init__(quantiles=quantiles, weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each forecast (B, H, Q, O) of observations (B, H, O)."""
        return self._value(y_true, y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class AnomalyRegularizer(Regularizer):
    r"""Mean of squared anomaly scores, which pulls the scores of normal data towards zero.

    The regularizer of `anomaly_kernels.mean_squared_anomaly`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.

    Examples
    --------
    >>> float(AnomalyRegularizer(weight=0.5)(np.asarray([1.0, -3.0])))
    2.5
    """

    kernel = staticmethod(reconstruction.mean_squared_anomaly)

    def __init__(self, *, weight: Setting = 1.0) -> None:
        super().__init__(weight=weight)

    def __call__(self, scores: Tensor) -> Tensor:
        """Return the mean of the squares of scores of any shape."""
        return self._value(scores)


@keras.saving.register_keras_serializable(PACKAGE)
class OrthogonalityLoss(Regularizer):
    r"""Squared distance of the Gram matrix of components from the identity.

    The regularizer of `anomaly_kernels.orthogonality_loss`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.

    Examples
    --------
    >>> float(OrthogonalityLoss()(np.ones((2, 1))))
    2.0
    """

    kernel = staticmethod(selection.orthogonality_loss)

    def __init__(self, *, weight: Setting = 1.0) -> None:
        super().__init__(weight=weight)

    def __call__(self, components: Tensor) -> Tensor:
        """Return the loss of components (K, C), one a row."""
        return self._value(components)


@keras.saving.register_keras_serializable(PACKAGE)
class DistinctnessLoss(Regularizer):
    r"""Mean cosine similarity of all pairs of selectors.

    The regularizer of `anomaly_kernels.distinctness_loss`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    eps : number or 0-d array, at least 0
        Norms below it are replaced by it.

    Examples
    --------
    >>> round(float(DistinctnessLoss()(np.ones((2, 1)))), 4)
    0.1
    """

    kernel = staticmethod(selection.distinctness_loss)

    def __init__(self, *, weight: Setting = 0.1, eps: Setting = 1e-6) -> None:
        super().__init__(weight=weight, eps=eps)

    def __call__(self, selection_weights: Tensor) -> Tensor:
        """Return the loss of selectors (K, C), one a row."""
        return self._value(selection_weights)


@keras.saving.register_keras_serializable(PACKAGE)
class SelectorEntropyRegularizer(Regularizer):
    r"""Entropy of selection weights, to be raised or brought to a target.

    The regularizer of `anomaly_kernels.selector_entropy_regularizer`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    target_entropy : number or 0-d array, optional
        The entropy H* to aim at, in nats; without it the result is -w H, and lower means more even weights.
    eps : number or 0-d array, at least 0
        ε; 0 gives the exact entropy, with 0 log 0 = 0.

    Examples
    --------
    >>> round(float(SelectorEntropyRegularizer()(np.asarray([0.5, 0.5]))), 4)
    -0.0069
    """

    kernel = staticmethod(selection.selector_entropy_regularizer)

    def __init__(self, *, weight: Setting = 0.01, target_entropy: Setting | None = None, eps: Setting = 1e-6) -> None:
        super().__init__(weight=weight, target_entropy=target_entropy, eps=eps)

    def __call__(self, weights: Tensor) -> Tensor:
        """Return the loss of selection weights of any shape."""
        return self._value(weights)


@keras.saving.register_keras_serializable(PACKAGE)
class SelectorDiversityRegularizer(Regularizer):
    r"""Variance of selection weights, with a minus sign: lower means more concentrated weights.

    The regularizer of `anomaly_kernels.selector_diversity_regularizer`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.

    Examples
    --------
    >>> round(float(SelectorDiversityRegularizer()(np.asarray([1.0, 0.0]))), 4)
    -0.0025
    """

    kernel = staticmethod(selection.selector_diversity_regularizer)

    def __init__(self, *, weight: Setting = 0.01) -> None:
        super().__init__(weight=weight)

    def __call__(self, weights: Tensor) -> Tensor:
        """Return the loss of selection weights of any shape."""
        return self._value(weights)


@keras.saving.register_keras_serializable(PACKAGE)
class GaussianKLLoss(WeighedLayer):
    r"""Kullback-Leibler divergence of a diagonal Gaussian from the standard one.

    The layer of `anomaly_kernels.gaussian_kl`, which has the formula.

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
    >>> float(GaussianKLLoss()(np.ones((2, 3)), np.zeros((2, 3))))
    1.5
    """

    kernel = staticmethod(likelihood.gaussian_kl)

    def __init__(
        self, *, weight: Setting = 1.0, reduction: str | None = "mean", **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(weight=weight, reduction=reduction, **options)

    def call(self, mean: Tensor, log_var: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Return the loss of means and logarithms of variances, both (..., D), weighed as by a `keras.losses.Loss`."""
        return self._add_values(mean, log_var, sample_weight=sample_weight)


@keras.saving.register_keras_serializable(PACKAGE)
class AEGMMLoss(EndpointLayer):
    r"""Loss of an autoencoder with a Gaussian mixture on its latents (DAGMM).

    The layer of `anomaly_kernels.aegmm_loss`, which has the formula.

    Parameters
    ----------
    w_energy : number or 0-d array
        Weight of the mean energy.
    w_cov_diag : number or 0-d array
        Weight of the penalty on small variances.
    eps : number or 0-d array, at least 0
        Added to the diagonals of the covariances, for energy and penalty alike.
    name, trainable, dtype, activity_regularizer, autocast
        Those of every `keras.layers.Layer`; without `autocast` inputs keep their precision.

    Examples
    --------
    >>> z, gamma = np.eye(4)[:, :2], np.full((4, 2), 0.5)
    >>> round(float(AEGMMLoss()(np.ones((4, 3)), np.zeros((4, 3)), z, gamma)), 4)
    1.2172
    """

    kernel = staticmethod(mixture.aegmm_loss)

    def __init__(
        self,
        *,
        w_energy: Setting = 0.1,
        w_cov_diag: Setting = 0.005,
        eps: Setting = 1e-6,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(w_energy=w_energy, w_cov_diag=w_cov_diag, eps=eps, **options)

    def call(self, x_true: Tensor, x_pred: Tensor, z: Tensor, gamma: Tensor) -> Tensor:
        """Return the loss of data and reconstructions of one shape, latents (N, D) and memberships (N, K)."""
        return self._add_value(x_true, x_pred, z, gamma)


@keras.saving.register_keras_serializable(PACKAGE)
class VAEGMMLoss(EndpointLayer):
    r"""Loss of a variational autoencoder with a Gaussian mixture on its latents.

    The layer of `anomaly_kernels.vaegmm_loss`, which has the formula.

    Parameters
    ----------
    w_recon : number or 0-d array
        Weight of the reconstruction term, `elbo`.
    w_energy : number or 0-d array
        Weight of the mean energy.
    w_cov_diag : number or 0-d array
        Weight of the penalty on small variances.
    cov_full, cov_diag, scale_diag, sim : optional
        Covariance of the reconstruction, as in `elbo`; `sim` is 0.05 where none of them is given.
    eps : number or 0-d array, at least 0
        Added to the diagonals of the covariances, for energy and penalty alike.
    name, trainable, dtype, activity_regularizer, autocast
        Those of every `keras.layers.Layer`; without `autocast` inputs keep their precision.

    Examples
    --------
    >>> z, gamma = np.eye(4)[:, :2], np.full((4, 2), 0.5)
    >>> round(float(VAEGMMLoss(sim=1.0)(np.ones((4, 3)), np.zeros((4, 3)), z, gamma)), 4)
    0.2172
    """

    kernel = staticmethod(mixture.vaegmm_loss)

    def __init__(
        self,
        *,
        w_recon: Setting = 1e-7,
        w_energy: Setting = 0.1,
        w_cov_diag: Setting = 0.005,
        cov_full: Array | None = None,
        cov_diag: Array | None = None,
        scale_diag: Array | None = None,
        sim: Setting | None = None,
        eps: Setting = 1e-6,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(
            w_recon=w_recon,
            w_energy=w_energy,
            w_cov_diag=w_cov_diag,
            cov_full=cov_full,
            cov_diag=cov_diag,
            scale_diag=scale_diag,
            sim=sim,
            eps=eps,
            **options,
        )

    def call(self, x_true: Tensor, x_pred: Tensor, z: Tensor, gamma: Tensor) -> Tensor:
        """Return the loss of data and reconstructions (B, ...), latents (N, D) and memberships (N, K)."""
        return self._add_value(x_true, x_pred, z, gamma)


@keras.saving.register_keras_serializable(PACKAGE)
class MultiObjectiveLoss(EndpointLayer):
    r"""Pinball loss of a forecast plus the mean of squared anomaly scores.

    The layer of `anomaly_kernels.multi_objective_loss`, which has the formula.
    ``MultiObjectiveLoss(quantile_loss_fn, anomaly_loss_fn)`` takes the settings of two losses, as in fusionlab.

    Parameters
    ----------
    quantiles : sequence of Q numbers in [0, 1]
        The levels τ.
    anomaly_weight : number or 0-d array
        Factor w of the second term.
    name, trainable, dtype, activity_regularizer, autocast
        Those of every `keras.layers.Layer`; without `autocast` inputs keep their precision.

    Examples
    --------
    >>> loss = MultiObjectiveLoss([0.1, 0.9])
    >>> float(loss(np.ones((1, 1, 1)), np.zeros((1, 1, 2, 1)), np.asarray([2.0])))
    4.5
    """

    kernel = staticmethod(forecast.multi_objective_loss)
    _keywords = ("quantile_loss_fn", "anomaly_loss_fn")

    @overload
    def __init__(
        self,
        quantile_loss_fn: AdaptiveQuantileLoss,
        anomaly_loss_fn: AnomalyLoss = ...,
        **options: Unpack[LayerOptions],
    ) -> None: ...
    @overload
    def __init__(
        self, quantiles: Items[float], *, anomaly_weight: Setting = 1.0, **options: Unpack[LayerOptions]
    ) -> None: ...
    def __init__(  # type: ignore[misc]  # the first parameter has two names
        self,
        quantiles: Any = None,
        anomaly_loss_fn: Any = None,
        *,
        quantile_loss_fn: Any = None,
        anomaly_weight: Any = None,
        **options: Any,
    ) -> None:
        if isinstance(quantiles, Loss):
            quantiles, quantile_loss_fn = None, _once("quantile_loss_fn", quantiles, quantile_loss_fn)
        if quantile_loss_fn is not None:
            quantiles = _once("quantiles", _quantiles_of(quantile_loss_fn), quantiles)
        if anomaly_loss_fn is not None:
            anomaly_weight = _once("anomaly_weight", _weight_of(anomaly_loss_fn), anomaly_weight)
        super().__init__(
            quantiles=quantiles, anomaly_weight=1.0 if anomaly_weight is None else anomaly_weight, **options
        )

    def call(self, y_true: Tensor, y_pred: Tensor, anomaly_scores: Tensor | None = None) -> Tensor:
        """Return the loss of observations (B, H, O), forecasts (B, H, Q, O), and scores of any shape."""
        return self._add_value(y_true, y_pred, anomaly_scores)


def _once(name: str, value: Any, other: Any) -> Any:
    if other is not None:
        raise TypeError(f"MultiObjectiveLoss is given `{name}` twice")
    return value


def _quantiles_of(loss: Any) -> Any:
    _check_term("quantile_loss_fn", loss, AdaptiveQuantileLoss)
    if loss.weight != 1:
        raise ValueError(f"`quantile_loss_fn` must have weight 1, got {loss.weight}")
    return loss.quantiles


def _weight_of(loss: Any) -> Any:
    _check_term("anomaly_loss_fn", loss, AnomalyLoss)
    return loss.weight


def _check_term(name: str, loss: Any, cls: type[Loss]) -> None:
    if not isinstance(loss, cls):
        raise TypeError(f"`{name}` must be of class {cls.__name__}, got {type(loss).__name__}")
    if loss.reduction in (None, "none", "sum"):
        raise ValueError(f"`{name}` must have reduction 'mean', got {loss.reduction!r}")


@keras.saving.register_keras_serializable(PACKAGE)
class DeepSVDDLoss(CenteredLayer, WeighedLayer):
    r"""Squared distance of embeddings from a centre: one-class Deep SVDD.

    The layer of `anomaly_kernels.deep_svdd_loss`, which has the formula. The centre is given with each call, or, where
    the first is without, a weight of the layer, which `init_center` sets and training does not change.

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
    >>> float(DeepSVDDLoss()(np.asarray([[3.0, 4.0]]), np.zeros(2)))
    25.0
    """

    kernel = staticmethod(one_class.deep_svdd_loss)

    def __init__(
        self, *, weight: Setting = 1.0, reduction: str | None = "mean", **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(weight=weight, reduction=reduction, **options)

    def call(self, embeddings: Tensor, center: Tensor | None = None, sample_weight: Tensor | None = None) -> Tensor:
        """Return the loss of embeddings (..., D) around a centre (D,), weighed as by a `keras.losses.Loss`."""
        return self._add_values(embeddings, self._given_or_kept(center), sample_weight=sample_weight)


@keras.saving.register_keras_serializable(PACKAGE)
class DeepSVDDSoftBoundaryLoss(CenteredLayer):
    r"""Soft-boundary Deep SVDD: volume of a hypersphere, plus the distances of the embeddings outside it.

    The layer of `anomaly_kernels.deep_svdd_soft_boundary_loss`, which has the formula. The radius is a weight of
    the layer. The centre is given with each call, or, where the first is without, a weight of the layer, which
    `init_center` sets and training does not change.

    Parameters
    ----------
    nu : number or 0-d array, above 0 and below 1
        Upper bound ν of the fraction of embeddings outside the sphere, lower bound of those on or outside it.
    weight : number or 0-d array
        Factor w of the result.
    name, trainable, dtype, activity_regularizer, autocast
        Those of every `keras.layers.Layer`; without `autocast` inputs keep their precision.

    Examples
    --------
    >>> value = DeepSVDDSoftBoundaryLoss(nu=0.1)(np.asarray([[3.0, 4.0]]), np.zeros(2))
    >>> round(float(keras.ops.convert_to_numpy(value)), 2)
    249.96
    """

    kernel = staticmethod(one_class.deep_svdd_soft_boundary_loss)

    def __init__(self, *, nu: Setting = 0.05, weight: Setting = 1.0, **options: Unpack[LayerOptions]) -> None:
        super().__init__(nu=nu, weight=weight, **options)
        self.r_unconstrained: keras.Variable = self.add_weight(shape=(), initializer="zeros", name="r_unconstrained")

    @property
    def radius(self) -> Tensor:
        """The radius R, positive: `svdd_radius` of the weight `r_unconstrained`."""
        return one_class.svdd_radius(to_tensor(self.r_unconstrained))

    def init_radius(self, embeddings: Tensor, center: Tensor | None = None) -> Tensor:
        """Set the radius so that a fraction ν of these embeddings of normal data lies outside; return it."""
        center = to_tensor(self._given_or_kept(center))
        radius = one_class.quantile_radius(to_tensor(embeddings), center, float(self.nu))
        self.r_unconstrained.assign(one_class.raw_radius(radius))
        return self.radius

    def call(self, embeddings: Tensor, center: Tensor | None = None) -> Tensor:
        """Return the loss of embeddings (..., D) around a centre (D,)."""
        return self._add_value(embeddings, self._given_or_kept(center), self.radius)


@keras.saving.register_keras_serializable(PACKAGE)
class PredictionErrorAnomalyScore(EndpointLayer):
    r"""Error of the forecast of each sample: the anomaly score of a forecaster.

    The layer of `anomaly_kernels.prediction_error_score`, which has the formula.

    Parameters
    ----------
    error_metric : {"mae", "mse"}
        Absolute error (p = 1) or squared error (p = 2), averaged over the features of a step.
    aggregation : {"mean", "max"}
        How the errors of the steps are combined.
    name, trainable, dtype, activity_regularizer, autocast
        Those of every `keras.layers.Layer`; without `autocast` inputs keep their precision.

    Examples
    --------
    >>> tuple(PredictionErrorAnomalyScore(aggregation="max")(np.ones((2, 4, 1)), np.zeros((2, 4, 1))).shape)
    (2, 1)
    """

    kernel = staticmethod(reconstruction.prediction_error_score)

    def __init__(
        self,
        *,
        error_metric: Literal["mae", "mse"] = "mae",
        aggregation: Literal["mean", "max"] = "mean",
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(error_metric=error_metric, aggregation=aggregation, **options)

    def call(self, y_true: Tensor, y_pred: Tensor | None = None) -> Tensor:
        """Return the scores, (B, 1), of observations and forecasts (B, T, F), or of a list of the two."""
        if y_pred is None:
            if not isinstance(y_true, list | tuple) or len(y_true) != 2:
                raise TypeError(f"{type(self).__name__} takes y_true, y_pred or a list of the two, got {y_true!r}")
            y_true, y_pred = y_true
        if is_empty(y_pred):
            return keras.ops.reshape(to_tensor(y_pred, self.variable_dtype), (0, 1))
        return keras.ops.expand_dims(self._value(y_true, y_pred), -1)

    def compute_output_shape(self, y_true_shape: Any, y_pred_shape: Any = None) -> tuple[int | None, int]:
        """Return the shape of the scores, from those of `call`'s arguments."""
        return ((y_true_shape[0] if y_pred_shape is None else y_true_shape)[0], 1)
