"""Every function under its own name, compiled by JAX. Settings are static only where a shape or a branch needs them.

Numbers are traced, so another weight or temperature compiles nothing again. Names of options, axes, quantiles and
models are static. A model that is made anew for each call, such as a lambda, is compiled for each call; one given as
``jax.tree_util.Partial(apply, params)`` is compiled once, and its parameters are traced. Of any other model, which must
have a hash, the state is that of the first call.

The metric classes are pytrees. `precision_recall_curve` and `roc_curve` have as many points as there are distinct
scores, and are not compiled.
"""

from anomaly_kernels._core.extras import need

need("jax", __name__)

import anomaly_kernels as ak
from anomaly_kernels import GMMParams, MahalanobisParams
from anomaly_kernels.jax._jitted import jitted
from anomaly_kernels.jax.metrics import (
    AnomalyDetectionMetrics,
    AnomalyPixelStatisticsMetric,
    AUPRTrapezoidMetric,
    AveragePrecisionMetric,
    BestF1Metric,
    ComponentOrthogonalityMetric,
    ExplainedVarianceMetric,
    FPRAtTPRMetric,
    PrecisionAtKMetric,
    ROCAUCMetric,
    ScoreStatisticsMetric,
    SelectorDiversityMetric,
    SelectorEntropyMetric,
    ThresholdAtPrecisionMetric,
    ThresholdAtRecallMetric,
)
from anomaly_kernels.jax.networks import (
    lstm_autoencoder_apply,
    lstm_autoencoder_init,
    sequence_anomaly_score_apply,
    sequence_anomaly_score_init,
)
from anomaly_kernels.jax.regions import AUPIMOMetric, AUPROMetric, PerRegionOverlapMetric, RegionDetectionMetric
from anomaly_kernels.jax.series import (
    AffiliationF1Metric,
    BestCompositeF1Metric,
    BestEventF1Metric,
    BestPointAdjustedF1Metric,
    CompositeF1Metric,
    DetectionDelayMetric,
    EventF1Metric,
    PointAdjustedF1AreaMetric,
    PointAdjustedF1Metric,
    RangeAUCMetric,
    RangeBasedF1Metric,
    UCRScoreMetric,
    VUSMetric,
)

mean_squared_anomaly = jitted(ak.mean_squared_anomaly)
mse_reconstruction_loss = jitted(ak.mse_reconstruction_loss)
prediction_error_score = jitted(ak.prediction_error_score)
reconstruction_error = jitted(ak.reconstruction_error)
elbo = jitted(ak.elbo)
gaussian_kl = jitted(ak.gaussian_kl)
kl_divergence = jitted(ak.kl_divergence)
distillation_loss = jitted(ak.distillation_loss)
adversarial_ae_loss = jitted(ak.adversarial_ae_loss)
aegmm_loss = jitted(ak.aegmm_loss)
vaegmm_loss = jitted(ak.vaegmm_loss)
gmm_params = jitted(ak.gmm_params)
gmm_energy = jitted(ak.gmm_energy)
covariance_penalty = jitted(ak.covariance_penalty)
deep_svdd_loss = jitted(ak.deep_svdd_loss)
deep_svdd_soft_boundary_loss = jitted(ak.deep_svdd_soft_boundary_loss)
svdd_center = jitted(ak.svdd_center)
svdd_radius = jitted(ak.svdd_radius)
svdd_score = jitted(ak.svdd_score)
anomaly_bce_with_logits = jitted(ak.anomaly_bce_with_logits)
iou_loss = jitted(ak.iou_loss)
focal_loss_with_logits = jitted(ak.focal_loss_with_logits)
dice_loss = jitted(ak.dice_loss)
tversky_loss = jitted(ak.tversky_loss)
lovasz_hinge_loss = jitted(ak.lovasz_hinge_loss)
ssim_loss = jitted(ak.ssim_loss)
cosine_distance_loss = jitted(ak.cosine_distance_loss)
hard_feature_loss = jitted(ak.hard_feature_loss)
orthogonality_loss = jitted(ak.orthogonality_loss)
distinctness_loss = jitted(ak.distinctness_loss)
selector_entropy_regularizer = jitted(ak.selector_entropy_regularizer)
selector_diversity_regularizer = jitted(ak.selector_diversity_regularizer)
quantile_loss = jitted(ak.quantile_loss)
multi_objective_loss = jitted(ak.multi_objective_loss)
deep_sad_loss = jitted(ak.deep_sad_loss)
deviation_loss = jitted(ak.deviation_loss)
hypersphere_classifier_loss = jitted(ak.hypersphere_classifier_loss)
outlier_exposure_loss = jitted(ak.outlier_exposure_loss)
energy_bounded_loss = jitted(ak.energy_bounded_loss)
logit_score = jitted(ak.logit_score)
crps_ensemble = jitted(ak.crps_ensemble)
crps_gaussian = jitted(ak.crps_gaussian)
gaussian_nll = jitted(ak.gaussian_nll)
interval_score = jitted(ak.interval_score)
mahalanobis_fit = jitted(ak.mahalanobis_fit)
mahalanobis_score = jitted(ak.mahalanobis_score)
knn_score = jitted(ak.knn_score)
supcon_loss = jitted(ak.supcon_loss)
triplet_margin_loss = jitted(ak.triplet_margin_loss)
mmd_loss = jitted(ak.mmd_loss)

anomaly_detection_metrics = jitted(ak.anomaly_detection_metrics)
anomaly_pixel_statistics = jitted(ak.anomaly_pixel_statistics)
component_orthogonality = jitted(ak.component_orthogonality)
explained_variance = jitted(ak.explained_variance)
score_statistics = jitted(ak.score_statistics)
selector_diversity = jitted(ak.selector_diversity)
selector_entropy = jitted(ak.selector_entropy)
average_precision = jitted(ak.average_precision)
roc_auc = jitted(ak.roc_auc)
aupr_trapezoid = jitted(ak.aupr_trapezoid)
best_f1 = jitted(ak.best_f1)
fpr_at_tpr = jitted(ak.fpr_at_tpr)
precision_at_k = jitted(ak.precision_at_k)
point_adjust = jitted(ak.point_adjust)
point_adjusted_f1 = jitted(ak.point_adjusted_f1)
best_point_adjusted_f1 = jitted(ak.best_point_adjusted_f1)
point_adjusted_f1_area = jitted(ak.point_adjusted_f1_area)
composite_f1 = jitted(ak.composite_f1)
best_composite_f1 = jitted(ak.best_composite_f1)
event_f1 = jitted(ak.event_f1)
best_event_f1 = jitted(ak.best_event_f1)
range_based_f1 = jitted(ak.range_based_f1)
affiliation_f1 = jitted(ak.affiliation_f1)
range_auc = jitted(ak.range_auc)
vus = jitted(ak.vus)
detection_delay = jitted(ak.detection_delay)
ucr_score = jitted(ak.ucr_score)
threshold_at_recall = jitted(ak.threshold_at_recall)
threshold_at_precision = jitted(ak.threshold_at_precision)
threshold_at_rate = jitted(ak.threshold_at_rate)
spread_threshold = jitted(ak.spread_threshold)
peaks_over_threshold = jitted(ak.peaks_over_threshold)
conformal_pvalue = jitted(ak.conformal_pvalue)
adjusted_pvalue = jitted(ak.adjusted_pvalue)
score_scaling = jitted(ak.score_scaling)
scaled_score = jitted(ak.scaled_score)
precision_recall_curve = ak.precision_recall_curve
roc_curve = ak.roc_curve
label_regions = ak.label_regions
aupro = jitted(ak.aupro)
per_region_overlap = jitted(ak.per_region_overlap)
region_detection = jitted(ak.region_detection)
aupimo = jitted(ak.aupimo)

lstm_autoencoder = jitted(ak.lstm_autoencoder)
sequence_anomaly_score = jitted(ak.sequence_anomaly_score)

__all__ = [
    "AUPIMOMetric",
    "AUPROMetric",
    "AUPRTrapezoidMetric",
    "AnomalyDetectionMetrics",
    "AnomalyPixelStatisticsMetric",
    "AveragePrecisionMetric",
    "BestF1Metric",
    "ComponentOrthogonalityMetric",
    "ExplainedVarianceMetric",
    "FPRAtTPRMetric",
    "GMMParams",
    "MahalanobisParams",
    "PerRegionOverlapMetric",
    "PrecisionAtKMetric",
    "ROCAUCMetric",
    "RegionDetectionMetric",
    "ScoreStatisticsMetric",
    "SelectorDiversityMetric",
    "SelectorEntropyMetric",
    "ThresholdAtPrecisionMetric",
    "ThresholdAtRecallMetric",
    "adjusted_pvalue",
    "conformal_pvalue",
    "knn_score",
    "lstm_autoencoder_apply",
    "lstm_autoencoder_init",
    "mahalanobis_fit",
    "mahalanobis_score",
    "mmd_loss",
    "peaks_over_threshold",
    "scaled_score",
    "score_scaling",
    "sequence_anomaly_score_apply",
    "sequence_anomaly_score_init",
    "spread_threshold",
    "supcon_loss",
    "threshold_at_precision",
    "threshold_at_rate",
    "threshold_at_recall",
    "triplet_margin_loss",
]
__all__ += [
    "AffiliationF1Metric",
    "BestCompositeF1Metric",
    "BestEventF1Metric",
    "BestPointAdjustedF1Metric",
    "CompositeF1Metric",
    "DetectionDelayMetric",
    "EventF1Metric",
    "PointAdjustedF1AreaMetric",
    "PointAdjustedF1Metric",
    "RangeAUCMetric",
    "RangeBasedF1Metric",
    "UCRScoreMetric",
    "VUSMetric",
]
__all__ += ak.losses.__all__
__all__ += ak.metrics.__all__
__all__ += ak.networks.__all__


def __dir__() -> list[str]:
    return sorted(__all__)
