"""The losses as torch.nn modules: prediction first, truth second, as torch has it."""

from anomaly_kernels.losses import (
    divergence,
    forecast,
    likelihood,
    mixture,
    one_class,
    overlap,
    reconstruction,
    selection,
)
from anomaly_kernels.torch._base import Loss
from anomaly_kernels.torch._svdd import SoftBoundary


class AnomalyLoss(Loss, kernel=reconstruction.mean_squared_anomaly): ...


class MSEReconstructionLoss(Loss, kernel=reconstruction.mse_reconstruction_loss): ...


class PredictionErrorAnomalyScore(Loss, kernel=reconstruction.prediction_error_score): ...


class ELBOLoss(Loss, kernel=likelihood.elbo): ...


class GaussianKLLoss(Loss, kernel=likelihood.gaussian_kl): ...


class KLDivergenceLoss(Loss, kernel=divergence.kl_divergence): ...


class DistillationLoss(Loss, kernel=divergence.distillation_loss): ...


class AdversarialAELoss(Loss, kernel=divergence.adversarial_ae_loss): ...


class AEGMMLoss(Loss, kernel=mixture.aegmm_loss): ...


class VAEGMMLoss(Loss, kernel=mixture.vaegmm_loss): ...


class DeepSVDDLoss(Loss, kernel=one_class.deep_svdd_loss): ...


class DeepSVDDSoftBoundaryLoss(SoftBoundary, kernel=one_class.deep_svdd_soft_boundary_loss, held=("radius",)): ...


class AnomalyBCEWithLogits(Loss, kernel=overlap.anomaly_bce_with_logits): ...


class IoULoss(Loss, kernel=overlap.iou_loss): ...


class OrthogonalityLoss(Loss, kernel=selection.orthogonality_loss): ...


class DistinctnessLoss(Loss, kernel=selection.distinctness_loss): ...


class SelectorEntropyRegularizer(Loss, kernel=selection.selector_entropy_regularizer): ...


class SelectorDiversityRegularizer(Loss, kernel=selection.selector_diversity_regularizer): ...


class AdaptiveQuantileLoss(Loss, kernel=forecast.quantile_loss): ...


class MultiObjectiveLoss(Loss, kernel=forecast.multi_objective_loss): ...
