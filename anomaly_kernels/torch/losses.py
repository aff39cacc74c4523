"""The losses as torch.nn modules: prediction first, truth second, as torch has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from anomaly_kernels._core.typing import Items, Reduction
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
from anomaly_kernels.torch._base import Array, Axes, Loss, Setting
from anomaly_kernels.torch._svdd import CenteredLoss

__all__ = [
    "AEGMMLoss",
    "AdaptiveQuantileLoss",
    "AdversarialAELoss",
    "AnomalyBCEWithLogits",
    "AnomalyLoss",
    "DeepSVDDLoss",
    "DeepSVDDSoftBoundaryLoss",
    "DistillationLoss",
    "DistinctnessLoss",
    "ELBOLoss",
    "GaussianKLLoss",
    "IoULoss",
    "KLDivergenceLoss",
    "MSEReconstructionLoss",
    "MultiObjectiveLoss",
    "OrthogonalityLoss",
    "PredictionErrorAnomalyScore",
    "SelectorDiversityRegularizer",
    "SelectorEntropyRegularizer",
    "VAEGMMLoss",
]

Model = Callable[[Any], Tensor]


class AnomalyLoss(Loss):
    r"""Mean of squared anomaly scores, which pulls the scores of normal data towards zero.

    The module of `anomaly_kernels.mean_squared_anomaly`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Examples
    --------
    >>> AnomalyLoss(weight=0.5)(torch.tensor([1.0, -3.0]))
    tensor(2.5000)
    """

    kernel = staticmethod(reconstruction.mean_squared_anomaly)

    def __init__(self, *, weight: Setting = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(weight=weight, reduction=reduction)

    def forward(self, scores: Tensor) -> Tensor:
        """Return the mean of the squares of anomaly scores of any shape, usually (B, H, D)."""
        return self._value(scores)


class MSEReconstructionLoss(Loss):
    r"""Mean squared error of a reconstruction.

    The module of `anomaly_kernels.mse_reconstruction_loss`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Examples
    --------
    >>> MSEReconstructionLoss()(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """

    kernel = staticmethod(reconstruction.mse_reconstruction_loss)

    def __init__(self, *, weight: Setting = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(weight=weight, reduction=reduction)

    def forward(self, x_pred: Tensor, x_true: Tensor) -> Tensor:
        """Return the loss of reconstructions and data of one shape."""
        return self._value(x_true, x_pred)


class PredictionErrorAnomalyScore(Loss):
    r"""Error of the forecast of each sample: the anomaly score of a forecaster.

    The module of `anomaly_kernels.prediction_error_score`, which has the formula.

    Parameters
    ----------
    error_metric : {"mae", "mse"}
        Absolute error (p = 1) or squared error (p = 2), averaged over the features of a step.
    aggregation : {"mean", "max"}
        How the errors of the steps are combined.

    Examples
    --------
    >>> PredictionErrorAnomalyScore(aggregation="max")(torch.zeros(2, 4, 1), torch.ones(2, 4, 1))
    tensor([1., 1.])
    """

    kernel = staticmethod(reconstruction.prediction_error_score)

    def __init__(
        self, *, error_metric: Literal["mae", "mse"] = "mae", aggregation: Literal["mean", "max"] = "mean"
    ) -> None:
        super().__init__(error_metric=error_metric, aggregation=aggregation)

    def forward(self, y_pred: Tensor, y_true: Tensor) -> Tensor:
        """Return the score of each sample, (B,), of forecasts and observations (B, T, F)."""
        return self._value(y_true, y_pred)


class ELBOLoss(Loss):
    r"""Negative log likelihood of data under a Gaussian around their reconstruction.

    The module of `anomaly_kernels.elbo`, which has the formula.

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
    reduction : {"mean", "sum", "none"}
        Over the samples.

    Examples
    --------
    >>> ELBOLoss(sim=0.5)(torch.zeros(2, 3), torch.ones(2, 3))
    tensor(6.6774)
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
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(
            cov_full=cov_full, cov_diag=cov_diag, scale_diag=scale_diag, sim=sim, weight=weight, reduction=reduction
        )

    def forward(self, y_pred: Tensor, y_true: Tensor) -> Tensor:
        """Return the loss of reconstructions and data (B, ...), of D numbers a sample."""
        return self._value(y_true, y_pred)


class GaussianKLLoss(Loss):
    r"""Kullback-Leibler divergence of a diagonal Gaussian from the standard one.

    The module of `anomaly_kernels.gaussian_kl`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the samples.

    Examples
    --------
    >>> GaussianKLLoss()(torch.ones(2, 3), torch.zeros(2, 3))
    tensor(1.5000)
    """

    kernel = staticmethod(likelihood.gaussian_kl)

    def __init__(self, *, weight: Setting = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(weight=weight, reduction=reduction)

    def forward(self, mean: Tensor, log_var: Tensor) -> Tensor:
        """Return the loss of the means and the logarithms of the variances of latents, both (..., D)."""
        return self._value(mean, log_var)


class KLDivergenceLoss(Loss):
    r"""Kullback-Leibler divergence between probabilities over the last axis.

    The module of `anomaly_kernels.kl_divergence`, which has the formula.

    Parameters
    ----------
    epsilon : number or 0-d array, at least 0 and below 1
        Probabilities are clipped to [epsilon, 1]. 0 is the exact divergence, with 0 log 0 = 0; it is infinite where q
        is 0 and p is not.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the rows.

    Examples
    --------
    >>> KLDivergenceLoss()(torch.tensor([[0.5, 0.5]]), torch.tensor([[0.9, 0.1]]))
    tensor(0.3681)
    """

    kernel = staticmethod(divergence.kl_divergence)

    def __init__(self, *, epsilon: Setting = 1e-7, weight: Setting = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(epsilon=epsilon, weight=weight, reduction=reduction)

    def forward(self, p_pred: Tensor, p_true: Tensor) -> Tensor:
        """Return the loss of predicted and true probabilities, both (..., C)."""
        return self._value(p_true, p_pred)


class DistillationLoss(Loss):
    r"""Distance of predicted probabilities from those of a teacher model, sharpened or softened by a temperature.

    The module of `anomaly_kernels.distillation_loss`, which has the formula.

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
    reduction : {"mean", "sum", "none"}
        Over the rows.

    Examples
    --------
    >>> DistillationLoss(torch.nn.Softmax(-1))(torch.tensor([[0.5, 0.5]]), torch.tensor([[2.0, 0.0]]))
    tensor(0.3278)
    """

    kernel = staticmethod(divergence.distillation_loss)

    def __init__(
        self,
        model: Model,
        *,
        loss_type: Literal["kld", "xent"] = "kld",
        temperature: Setting = 1.0,
        epsilon: Setting = 1e-7,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(
            model=model, loss_type=loss_type, temperature=temperature, epsilon=epsilon, reduction=reduction
        )

    def forward(self, y_pred: Tensor, x_true: Tensor) -> Tensor:
        """Return the loss of predicted probabilities (..., C) and of the data that the teacher sees."""
        return self._value(x_true, y_pred)


class AdversarialAELoss(Loss):
    r"""Loss of an autoencoder that undoes adversarial attacks on a classifier.

    The module of `anomaly_kernels.adversarial_ae_loss`, which has the formula.

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
    reduction : {"mean", "sum", "none"}
        Over the samples. The standard deviations are always over all samples.

    Examples
    --------
    >>> AdversarialAELoss(torch.nn.Softmax(-1))(torch.zeros(2, 2), torch.eye(2))
    tensor(0.1109)
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
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(
            model=model,
            model_hl=model_hl,
            w_model=w_model,
            w_recon=w_recon,
            w_model_hl=w_model_hl,
            temperature=temperature,
            epsilon=epsilon,
            reduction=reduction,
        )

    def forward(self, x_pred: Tensor, x_true: Tensor) -> Tensor:
        """Return the loss of reconstructions and data (B, ...)."""
        return self._value(x_true, x_pred)


class AEGMMLoss(Loss):
    r"""Loss of an autoencoder with a Gaussian mixture on its latents (DAGMM).

    The module of `anomaly_kernels.aegmm_loss`, which has the formula.

    Parameters
    ----------
    w_energy : number or 0-d array
        Weight of the mean energy.
    w_cov_diag : number or 0-d array
        Weight of the penalty on small variances.
    eps : number or 0-d array, at least 0
        Added to the diagonals of the covariances, for energy and penalty alike.

    Examples
    --------
    >>> z, gamma = torch.eye(4)[:, :2], torch.full((4, 2), 0.5)
    >>> AEGMMLoss()(torch.zeros(4, 3), torch.ones(4, 3), z, gamma)
    tensor(1.2172)
    """

    kernel = staticmethod(mixture.aegmm_loss)

    def __init__(self, *, w_energy: Setting = 0.1, w_cov_diag: Setting = 0.005, eps: Setting = 1e-6) -> None:
        super().__init__(w_energy=w_energy, w_cov_diag=w_cov_diag, eps=eps)

    def forward(self, x_pred: Tensor, x_true: Tensor, z: Tensor, gamma: Tensor) -> Tensor:
        """Return the loss of reconstructions and data of one shape, latents (N, D) and memberships (N, K)."""
        return self._value(x_true, x_pred, z, gamma)


class VAEGMMLoss(Loss):
    r"""Loss of a variational autoencoder with a Gaussian mixture on its latents.

    The module of `anomaly_kernels.vaegmm_loss`, which has the formula.

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

    Examples
    --------
    >>> z, gamma = torch.eye(4)[:, :2], torch.full((4, 2), 0.5)
    >>> VAEGMMLoss(sim=1.0)(torch.zeros(4, 3), torch.ones(4, 3), z, gamma)
    tensor(0.2172)
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
        )

    def forward(self, x_pred: Tensor, x_true: Tensor, z: Tensor, gamma: Tensor) -> Tensor:
        """Return the loss of reconstructions and data (B, ...), latents (N, D) and memberships (N, K)."""
        return self._value(x_true, x_pred, z, gamma)


class DeepSVDDLoss(CenteredLoss):
    r"""Squared distance of embeddings from a centre: one-class Deep SVDD.

    The module of `anomaly_kernels.deep_svdd_loss`, which has the formula. The centre is given with each call, or kept
    in the buffer `center`, by assignment or by `init_center`; then it is part of the `state_dict`, which loads into a
    loss that has none yet.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the embeddings.

    Examples
    --------
    >>> DeepSVDDLoss()(torch.tensor([[3.0, 4.0]]), torch.zeros(2))
    tensor(25.)
    """

    kernel = staticmethod(one_class.deep_svdd_loss)

    def __init__(self, *, weight: Setting = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(weight=weight, reduction=reduction)

    def forward(self, embeddings: Tensor, center: Tensor | None = None) -> Tensor:
        """Return the loss of embeddings (..., D) around a centre (D,), by default its own."""
        return self._value(embeddings, self._given_or_kept(center))


class DeepSVDDSoftBoundaryLoss(CenteredLoss):
    r"""Soft-boundary Deep SVDD: volume of a hypersphere, plus the distances of the embeddings outside it.

    The module of `anomaly_kernels.deep_svdd_soft_boundary_loss`, which has the formula. The radius is a parameter. The
    centre is given with each call, or kept in the buffer `center`, as in `DeepSVDDLoss`.

    Parameters
    ----------
    nu : number or 0-d array, above 0 and below 1
        Upper bound ν of the fraction of embeddings outside the sphere, lower bound of those on or outside it.
    weight : number or 0-d array
        Factor w of the result.

    Examples
    --------
    >>> loss = DeepSVDDSoftBoundaryLoss(nu=0.1)
    >>> loss(torch.tensor([[3.0, 4.0]]), torch.zeros(2)).detach()
    tensor(249.9568)
    """

    kernel = staticmethod(one_class.deep_svdd_soft_boundary_loss)

    def __init__(self, *, nu: Setting = 0.05, weight: Setting = 1.0) -> None:
        super().__init__(nu=nu, weight=weight)
        self.r_unconstrained = nn.Parameter(torch.tensor(0.0))

    @property
    def radius(self) -> Tensor:
        """The radius R, positive: `svdd_radius` of the parameter `r_unconstrained`."""
        return one_class.svdd_radius(self.r_unconstrained)

    @torch.no_grad()
    def init_radius(self, embeddings: Tensor, center: Tensor | None = None) -> Tensor:
        """Set the radius so that a fraction ν of these embeddings of normal data lies outside, and return it."""
        radius = one_class.quantile_radius(embeddings, self._given_or_kept(center), float(self.nu))
        self.r_unconstrained.copy_(one_class.raw_radius(radius))
        return self.radius

    def forward(self, embeddings: Tensor, center: Tensor | None = None) -> Tensor:
        """Return the loss of embeddings (..., D) around a centre (D,), by default its own."""
        return self._value(embeddings, self._given_or_kept(center), self.radius)


class AnomalyBCEWithLogits(Loss):
    r"""Binary cross entropy of logits.

    The module of `anomaly_kernels.anomaly_bce_with_logits`, which has the formula.

    Parameters
    ----------
    pos_weight : number or array, optional
        Factor p of the term of the anomalies, 1 by default: one, or one for each channel in the last axis, (C,), or
        any array that broadcasts to the shape of `logit`.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Examples
    --------
    >>> AnomalyBCEWithLogits()(torch.tensor([4.0, -4.0]), torch.tensor([1.0, 0.0]))
    tensor(0.0181)
    """

    kernel = staticmethod(pixels.anomaly_bce_with_logits)

    def __init__(
        self, *, pos_weight: Setting | None = None, weight: Setting = 1.0, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(pos_weight=pos_weight, weight=weight, reduction=reduction)

    def forward(self, logit: Tensor, target: Tensor, *, sample_weight: Tensor | None = None) -> Tensor:
        """Return the loss of logits and a mask of one shape, and of weights (B,) or of that shape."""
        return self._value(target, logit, sample_weight=sample_weight)


class IoULoss(Loss):
    r"""One minus the intersection over union of a soft mask and the true one (Jaccard loss).

    The module of `anomaly_kernels.iou_loss`, which has the formula.

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

    Examples
    --------
    >>> IoULoss()(torch.tensor([4.0, -4.0]), torch.tensor([1.0, 0.0]))
    tensor(0.0353)
    """

    kernel = staticmethod(overlap.iou_loss)

    def __init__(
        self,
        *,
        normalize_method: Literal["sigmoid", "clamp", "minmax"] = "sigmoid",
        smooth: Setting = 1e-6,
        axis: Axes | None = None,
        weight: Setting = 1.0,
    ) -> None:
        super().__init__(normalize_method=normalize_method, smooth=smooth, axis=axis, weight=weight)

    def forward(self, score: Tensor, target: Tensor, *, sample_weight: Tensor | None = None) -> Tensor:
        """Return the loss of a score map and a mask of one shape; with `axis`, of weights (B,) of the losses."""
        return self._value(target, score, sample_weight=sample_weight)


class OrthogonalityLoss(Loss):
    r"""Squared distance of the Gram matrix of components from the identity.

    The module of `anomaly_kernels.orthogonality_loss`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.

    Examples
    --------
    >>> OrthogonalityLoss()(torch.ones(2, 1))
    tensor(2.)
    """

    kernel = staticmethod(selection.orthogonality_loss)

    def __init__(self, *, weight: Setting = 1.0) -> None:
        super().__init__(weight=weight)

    def forward(self, components: Tensor) -> Tensor:
        """Return the loss of components (K, C), one a row."""
        return self._value(components)


class DistinctnessLoss(Loss):
    r"""Mean cosine similarity of all pairs of selectors.

    The module of `anomaly_kernels.distinctness_loss`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    eps : number or 0-d array, at least 0
        Norms below it are replaced by it.

    Examples
    --------
    >>> DistinctnessLoss()(torch.ones(2, 1))
    tensor(0.1000)
    """

    kernel = staticmethod(selection.distinctness_loss)

    def __init__(self, *, weight: Setting = 0.1, eps: Setting = 1e-6) -> None:
        super().__init__(weight=weight, eps=eps)

    def forward(self, selection_weights: Tensor) -> Tensor:
        """Return the loss of selectors (K, C), one a row."""
        return self._value(selection_weights)


class SelectorEntropyRegularizer(Loss):
    r"""Entropy of selection weights, to be raised or brought to a target.

    The module of `anomaly_kernels.selector_entropy_regularizer`, which has the formula.

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
    >>> SelectorEntropyRegularizer()(torch.tensor([0.5, 0.5]))
    tensor(-0.0069)
    """

    kernel = staticmethod(selection.selector_entropy_regularizer)

    def __init__(self, *, weight: Setting = 0.01, target_entropy: Setting | None = None, eps: Setting = 1e-6) -> None:
        super().__init__(weight=weight, target_entropy=target_entropy, eps=eps)

    def forward(self, weights: Tensor) -> Tensor:
        """Return the loss of selection weights of any shape."""
        return self._value(weights)


class SelectorDiversityRegularizer(Loss):
    r"""Variance of selection weights, with a minus sign: lower means more concentrated weights.

    The module of `anomaly_kernels.selector_diversity_regularizer`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.

    Examples
    --------
    >>> SelectorDiversityRegularizer()(torch.tensor([1.0, 0.0]))
    tensor(-0.0025)
    """

    kernel = staticmethod(selection.selector_diversity_regularizer)

    def __init__(self, *, weight: Setting = 0.01) -> None:
        super().__init__(weight=weight)

    def forward(self, weights: Tensor) -> Tensor:
        """Return the loss of selection weights of any shape."""
        return self._value(weights)


class AdaptiveQuantileLoss(Loss):
    r"""Pinball loss of quantile forecasts.

    The module of `anomaly_kernels.quantile_loss`, which has the formula.

    Parameters
    ----------
    quantiles : sequence of Q numbers in [0, 1]
        The levels τ.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements of `y_pred`.

    Examples
    --------
    >>> AdaptiveQuantileLoss([0.1, 0.9])(torch.zeros(1, 1, 2, 1), torch.ones(1, 1, 1))
    tensor(0.5000)
    """

    kernel = staticmethod(forecast.quantile_loss)

    def __init__(self, quantiles: Items[float], *, weight: Setting = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(quantiles=quantiles, weight=weight, reduction=reduction)

    def forward(self, y_pred: Tensor, y_true: Tensor) -> Tensor:
        """Return the loss of Q forecasts (B, H, Q, O) of observations (B, H, O)."""
        return self._value(y_true, y_pred)


class MultiObjectiveLoss(Loss):
    r"""Pinball loss of a forecast plus the mean of squared anomaly scores.

    The module of `anomaly_kernels.multi_objective_loss`, which has the formula.

    Parameters
    ----------
    quantiles : sequence of Q numbers in [0, 1]
        The levels τ.
    anomaly_weight : number or 0-d array
        Factor w of the second term.

    Examples
    --------
    >>> MultiObjectiveLoss([0.1, 0.9])(torch.zeros(1, 1, 2, 1), torch.ones(1, 1, 1), torch.tensor([2.0]))
    tensor(4.5000)
    """

    kernel = staticmethod(forecast.multi_objective_loss)

    def __init__(self, quantiles: Items[float], *, anomaly_weight: Setting = 1.0) -> None:
        super().__init__(quantiles=quantiles, anomaly_weight=anomaly_weight)

    def forward(self, y_pred: Tensor, y_true: Tensor, anomaly_scores: Tensor | None = None) -> Tensor:
        """Return the loss of forecasts (B, H, Q, O) of observations (B, H, O), and of scores of any shape."""
        return self._value(y_true, y_pred, anomaly_scores)
