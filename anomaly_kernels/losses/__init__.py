"""The losses, scores and the Gaussian mixture; one file an idea."""

from anomaly_kernels.losses.divergence import adversarial_ae_loss, distillation_loss, kl_divergence
from anomaly_kernels.losses.features import cosine_distance_loss, hard_feature_loss
from anomaly_kernels.losses.forecast import multi_objective_loss, quantile_loss
from anomaly_kernels.losses.images import ssim_loss
from anomaly_kernels.losses.likelihood import elbo, gaussian_kl
from anomaly_kernels.losses.lovasz import lovasz_hinge_loss
from anomaly_kernels.losses.mixture import (
    aegmm_loss,
    covariance_penalty,
    gmm_energy,
    gmm_params,
    vaegmm_loss,
)
from anomaly_kernels.losses.one_class import (
    deep_svdd_loss,
    deep_svdd_soft_boundary_loss,
    svdd_center,
    svdd_radius,
    svdd_score,
)
from anomaly_kernels.losses.overlap import dice_loss, iou_loss, tversky_loss
from anomaly_kernels.losses.pixels import anomaly_bce_with_logits, focal_loss_with_logits
from anomaly_kernels.losses.reconstruction import (
    mean_squared_anomaly,
    mse_reconstruction_loss,
    prediction_error_score,
    reconstruction_error,
)
from anomaly_kernels.losses.selection import (
    distinctness_loss,
    orthogonality_loss,
    selector_diversity_regularizer,
    selector_entropy_regularizer,
)

__all__ = [
    "adversarial_ae_loss",
    "aegmm_loss",
    "anomaly_bce_with_logits",
    "cosine_distance_loss",
    "covariance_penalty",
    "deep_svdd_loss",
    "deep_svdd_soft_boundary_loss",
    "dice_loss",
    "distillation_loss",
    "distinctness_loss",
    "elbo",
    "focal_loss_with_logits",
    "gaussian_kl",
    "gmm_energy",
    "gmm_params",
    "hard_feature_loss",
    "iou_loss",
    "kl_divergence",
    "lovasz_hinge_loss",
    "mean_squared_anomaly",
    "mse_reconstruction_loss",
    "multi_objective_loss",
    "orthogonality_loss",
    "prediction_error_score",
    "quantile_loss",
    "reconstruction_error",
    "selector_diversity_regularizer",
    "selector_entropy_regularizer",
    "ssim_loss",
    "svdd_center",
    "svdd_radius",
    "svdd_score",
    "tversky_loss",
    "vaegmm_loss",
]


def __dir__() -> list[str]:
    return sorted(__all__)
