"""Losses for few labels, outlier exposure and forecasts as torch.nn modules: predictions first, truth last."""

from __future__ import annotations

import torch

from anomaly_kernels._core.typing import Reduction
from anomaly_kernels.losses import exposure, few_labels, forecast_scores
from anomaly_kernels.torch._base import Axes, Loss, Setting

__all__ = [
    "CRPSEnsembleLoss",
    "CRPSGaussianLoss",
    "DeepSADLoss",
    "DeviationLoss",
    "EnergyBoundedLoss",
    "GaussianNLLLoss",
    "HypersphereClassifierLoss",
    "IntervalScoreLoss",
    "OutlierExposureLoss",
]


class DeepSADLoss(Loss):
    r"""Deep SAD: Deep SVDD with a few labels. `target` is 1 for a known anomaly, the opposite of the paper's sign.

    The module of `anomaly_kernels.deep_sad_loss`, which has the formula.

    Parameters
    ----------
    eta : number or 0-d array, at least 0
        Weight η of the labelled samples beside the others.
    eps : number or 0-d array, at least 0
        ε in squared units of the embeddings; it bounds the loss of an anomaly by η/ε.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the samples.

    Examples
    --------
    >>> z, target = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([1, 0])
    >>> DeepSADLoss()(z, torch.zeros(2), target)
    tensor(2.5000)
    """

    kernel = staticmethod(few_labels.deep_sad_loss)

    def __init__(
        self, *, eta: Setting = 1.0, eps: Setting = 1e-6, weight: Setting = 1.0, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(eta=eta, eps=eps, weight=weight, reduction=reduction)

    def forward(self, embeddings: torch.Tensor, center: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of embeddings (..., D) around a centre (D,), of which some are labelled."""
        return self._value(target, embeddings, center)


class DeviationLoss(Loss):
    r"""Deviation loss: pulls scores of normal data to a reference, and pushes scores of anomalies above it.

    The module of `anomaly_kernels.deviation_loss`, which has the formula.

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
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Examples
    --------
    >>> DeviationLoss()(torch.tensor([0.5, 2.0]), torch.tensor([0, 1]))
    tensor(1.7500)
    """

    kernel = staticmethod(few_labels.deviation_loss)

    def __init__(
        self,
        *,
        margin: Setting = 5.0,
        reference_mean: Setting = 0.0,
        reference_std: Setting = 1.0,
        weight: Setting = 1.0,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(
            margin=margin,
            reference_mean=reference_mean,
            reference_std=reference_std,
            weight=weight,
            reduction=reduction,
        )

    def forward(self, score: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of scores and truth of one shape."""
        return self._value(target, score)


class HypersphereClassifierLoss(Loss):
    r"""Cross entropy of a hypersphere: normal data inside, labelled anomalies outside (HSC; with `axis`, FCDD).

    The module of `anomaly_kernels.hypersphere_classifier_loss`, which has the formula.

    Parameters
    ----------
    axis : int or tuple of ints, optional
        Axes over which h is averaged first. h has the shape of `embeddings` without the last axis. With the axes of an
        image, one label for each image is enough. This is FCDD, whose maps are ``embeddings`` of shape (B, H, W, 1).
    eps : number or 0-d array, at least 0
        ε, which bounds the loss of an anomaly on the centre; with 0 it is infinite there.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the samples.

    Examples
    --------
    >>> z, target = torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([0, 1])
    >>> HypersphereClassifierLoss()(z, torch.zeros(2), target)
    tensor(0.0084)
    """

    kernel = staticmethod(few_labels.hypersphere_classifier_loss)

    def __init__(
        self, *, axis: Axes | None = None, eps: Setting = 1e-31, weight: Setting = 1.0, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(axis=axis, eps=eps, weight=weight, reduction=reduction)

    def forward(self, embeddings: torch.Tensor, center: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of embeddings (..., D) around a centre (D,), and the truth of each sample."""
        return self._value(target, embeddings, center)


class OutlierExposureLoss(Loss):
    r"""Outlier exposure: cross entropy with the class of inliers, and with even probabilities for outliers.

    The module of `anomaly_kernels.outlier_exposure_loss`, which has the formula.

    Parameters
    ----------
    outlier_weight : number or 0-d array, at least 0
        λ.
    weight : number or 0-d array
        Factor w of the result.

    Examples
    --------
    >>> OutlierExposureLoss()(torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([0, -1]))
    tensor(0.4735)
    """

    kernel = staticmethod(exposure.outlier_exposure_loss)

    def __init__(self, *, outlier_weight: Setting = 0.5, weight: Setting = 1.0) -> None:
        super().__init__(outlier_weight=outlier_weight, weight=weight)

    def forward(self, logit: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of logits (..., C) and classes (...), below 0 for outliers."""
        return self._value(target, logit)


class EnergyBoundedLoss(Loss):
    r"""Bounds for the energy of a classifier's logits: low for normal data, high for outliers.

    The module of `anomaly_kernels.energy_bounded_loss`, which has the formula.

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

    Examples
    --------
    >>> loss = EnergyBoundedLoss(margin_in=-6.0, margin_out=-2.0)
    >>> loss(torch.tensor([[5.0, 0.0], [3.0, 3.0]]), torch.tensor([0, 1]))
    tensor(3.8534)
    """

    kernel = staticmethod(exposure.energy_bounded_loss)

    def __init__(
        self,
        *,
        margin_in: Setting = -25.0,
        margin_out: Setting = -7.0,
        temperature: Setting = 1.0,
        weight: Setting = 1.0,
    ) -> None:
        super().__init__(margin_in=margin_in, margin_out=margin_out, temperature=temperature, weight=weight)

    def forward(self, logit: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of logits (..., C) and truth (...)."""
        return self._value(target, logit)


class CRPSEnsembleLoss(Loss):
    r"""Continuous ranked probability score of an ensemble: its distance from the observation, minus half its spread.

    The module of `anomaly_kernels.crps_ensemble`, which has the formula.

    Parameters
    ----------
    fair : bool
        Divide the spread by 2M(M - 1): unbiased, as if the ensemble were infinite.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the forecasts.

    Examples
    --------
    >>> CRPSEnsembleLoss()(torch.tensor([[1.0, 4.0, 2.0, 4.0]]), torch.tensor([3.0]))
    tensor(0.5625)
    """

    kernel = staticmethod(forecast_scores.crps_ensemble)

    def __init__(self, *, fair: bool = False, weight: Setting = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(fair=fair, weight=weight, reduction=reduction)

    def forward(self, ensemble: torch.Tensor, y_true: torch.Tensor) -> torch.Tensor:
        """Return the loss of ensembles (..., M) and observations (...)."""
        return self._value(y_true, ensemble)


class CRPSGaussianLoss(Loss):
    r"""Continuous ranked probability score of a Gaussian forecast.

    The module of `anomaly_kernels.crps_gaussian`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Examples
    --------
    >>> CRPSGaussianLoss()(torch.tensor([0.0]), torch.tensor([1.0]), torch.tensor([1.0]))
    tensor(0.6024)
    """

    kernel = staticmethod(forecast_scores.crps_gaussian)

    def __init__(self, *, weight: Setting = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(weight=weight, reduction=reduction)

    def forward(self, mean: torch.Tensor, std: torch.Tensor, y_true: torch.Tensor) -> torch.Tensor:
        """Return the loss of means and standard deviations, and observations of their shape."""
        return self._value(y_true, mean, std)


class GaussianNLLLoss(Loss):
    r"""Negative log likelihood of observations under Gaussian forecasts, each with a variance of its own.

    The module of `anomaly_kernels.gaussian_nll`, which has the formula.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Examples
    --------
    >>> GaussianNLLLoss()(torch.tensor([0.0]), torch.tensor([0.0]), torch.tensor([1.0]))
    tensor(1.4189)
    """

    kernel = staticmethod(forecast_scores.gaussian_nll)

    def __init__(self, *, weight: Setting = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(weight=weight, reduction=reduction)

    def forward(self, mean: torch.Tensor, log_var: torch.Tensor, y_true: torch.Tensor) -> torch.Tensor:
        """Return the loss of means and logarithms of variances, and observations of their shape."""
        return self._value(y_true, mean, log_var)


class IntervalScoreLoss(Loss):
    r"""Interval score (Winkler score): width of prediction intervals, plus a penalty for observations outside.

    The module of `anomaly_kernels.interval_score`, which has the formula.

    Parameters
    ----------
    alpha : number or 0-d array, above 0 and below 1
        α.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Examples
    --------
    >>> IntervalScoreLoss(alpha=0.5)(torch.tensor([0.0]), torch.tensor([1.0]), torch.tensor([2.0]))
    tensor(5.)
    """

    kernel = staticmethod(forecast_scores.interval_score)

    def __init__(self, *, alpha: Setting = 0.1, weight: Setting = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(alpha=alpha, weight=weight, reduction=reduction)

    def forward(self, lower: torch.Tensor, upper: torch.Tensor, y_true: torch.Tensor) -> torch.Tensor:
        """Return the loss of bounds, and observations of their shape."""
        return self._value(y_true, lower, upper)
