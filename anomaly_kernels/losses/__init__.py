"""The losses, scores and the Gaussian mixture; one file an idea."""

from anomaly_kernels.losses.contrastive import supcon_loss, triplet_margin_loss
from anomaly_kernels.losses.distances import knn_score, mahalanobis_fit, mahalanobis_score
from anomaly_kernels.losses.divergence import adversarial_ae_loss, distillation_loss, kl_divergence
from anomaly_kernels.losses.exposure import energy_bounded_loss, logit_score, outlier_exposure_loss
from anomaly_kernels.losses.features import cosine_distance_loss, hard_feature_loss
from anomaly_kernels.losses.few_labels import deep_sad_loss, deviation_loss, hypersphere_classifier_loss
from anomaly_kernels.losses.forecast import multi_objective_loss, quantile_loss
from anomaly_kernels.losses.forecast_scores import crps_ensemble, crps_gaussian, gaussian_nll, interval_score
from anomaly_kernels.losses.images import ssim_loss
from anomaly_kernels.losses.kernel_mean import mmd_loss
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
    "crps_ensemble",
    "crps_gaussian",
    "deep_sad_loss",
    "deep_svdd_loss",
    "deep_svdd_soft_boundary_loss",
    "deviation_loss",
    "dice_loss",
    "distillation_loss",
    "distinctness_loss",
    "elbo",
    "energy_bounded_loss",
    "focal_loss_with_logits",
    "gaussian_kl",
    "gaussian_nll",
    "gmm_energy",
    "gmm_params",
    "hard_feature_loss",
    "hypersphere_classifier_loss",
    "interval_score",
    "iou_loss",
    "kl_divergence",
    "knn_score",
    "logit_score",
    "lovasz_hinge_loss",
    "mahalanobis_fit",
    "mahalanobis_score",
    "mean_squared_anomaly",
    "mmd_loss",
    "mse_reconstruction_loss",
    "multi_objective_loss",
    "orthogonality_loss",
    "outlier_exposure_loss",
    "prediction_error_score",
    "quantile_loss",
    "reconstruction_error",
    "selector_diversity_regularizer",
    "selector_entropy_regularizer",
    "ssim_loss",
    "supcon_loss",
    "svdd_center",
    "svdd_radius",
    "svdd_score",
    "triplet_margin_loss",
    "tversky_loss",
    "vaegmm_loss",
]


def __dir__() -> list[str]:
    return sorted(__all__)
