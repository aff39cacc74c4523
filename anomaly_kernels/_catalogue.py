"""The losses and metrics that make one value of all that they are given, by the names of their classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anomaly_kernels import losses, metrics
from anomaly_kernels._metric_forms import FORMS

Kernel = Callable[..., Any]

LOSSES: dict[str, Kernel] = {
    "AEGMMLoss": losses.aegmm_loss,
    "AdaptiveQuantileLoss": losses.quantile_loss,
    "AdversarialAELoss": losses.adversarial_ae_loss,
    "AnomalyBCEWithLogits": losses.anomaly_bce_with_logits,
    "AnomalyLoss": losses.mean_squared_anomaly,
    "DeepSVDDLoss": losses.deep_svdd_loss,
    "DeepSVDDSoftBoundaryLoss": losses.deep_svdd_soft_boundary_loss,
    "DistillationLoss": losses.distillation_loss,
    "DistinctnessLoss": losses.distinctness_loss,
    "ELBOLoss": losses.elbo,
    "GaussianKLLoss": losses.gaussian_kl,
    "IoULoss": losses.iou_loss,
    "KLDivergenceLoss": losses.kl_divergence,
    "MSEReconstructionLoss": losses.mse_reconstruction_loss,
    "MultiObjectiveLoss": losses.multi_objective_loss,
    "OrthogonalityLoss": losses.orthogonality_loss,
    "SelectorDiversityRegularizer": losses.selector_diversity_regularizer,
    "SelectorEntropyRegularizer": losses.selector_entropy_regularizer,
    "VAEGMMLoss": losses.vaegmm_loss,
}
METRICS: dict[str, Kernel] = {name: form.kernel for name, form in FORMS.items()}


def _named() -> dict[str, Kernel]:
    """Every kernel by the name of its class, and by its own."""
    classes = LOSSES | METRICS
    functions = [*classes.values(), *(getattr(metrics, name) for name in metrics.__all__)]
    return classes | {kernel.__name__: kernel for kernel in functions}


KERNELS = _named()
"""Kernels by the names of their classes and by their own."""

CLASSES: dict[Kernel, str] = {kernel: name for name, kernel in (LOSSES | METRICS).items()}
