"""The one table of kernels: the class of each, its kind in every framework, its sign, its benchmark and its picture.

Classes, objectives, the documentation, the command line, benchmarks and tests read it; a kernel that is missing here
fails `tests/test_catalogue.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

from anomaly_kernels import losses, metrics, networks
from anomaly_kernels.losses.divergence import HiddenLayers
from anomaly_kernels.losses.likelihood import Covariance

Kernel = Callable[..., Any]
KerasLoss: TypeAlias = Literal["Loss", "Regularizer", "EndpointLayer", "WeighedLayer"]


class Entry(NamedTuple):
    """A kernel, and what the rest of the library makes of it."""

    kernel: Kernel
    cls: str | None = None
    """The name of its class in torch and Keras, and of its type in an objective."""
    torch: Literal["Loss", "Metric"] | None = None
    """The base of its class in `anomaly_kernels.torch`."""
    keras: KerasLoss | Literal["Metric"] | None = None
    """The base of its class in `anomaly_kernels.keras`: by how many arrays it takes, and whether it owns a weight; a
    `WeighedLayer` takes two of which neither is the truth, or more, of which it has a value for each sample."""
    jax: Literal["jitted", "plain", "Metric"] = "jitted"
    """Compiled, or as it is, since its results have no fixed shape; ``"Metric"``: compiled, and a pytree class too."""
    negative: bool | str = False
    """Whether it can be below zero, so that it has no uncertainty; or the setting without which it can."""
    benchmark: str | None = None
    """Its first case in `benchmarks/cases.py`."""
    picture: str | None = None
    """The array that the documentation's picture of value and slope runs along."""
    check_together: Callable[..., object] | None = None
    """Raises where settings do not go together."""

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.kernel.__name__

    @property
    def package(self) -> str:
        """``"losses"``, ``"metrics"`` or ``"networks"``."""
        return self.kernel.__module__.split(".")[1]


def _check_covariance(*, cov_full: Any, cov_diag: Any, scale_diag: Any, sim: Any, **_: Any) -> None:
    Covariance(cov_full, cov_diag, scale_diag, sim).chosen()


def _check_hidden_layers(*, model_hl: Any, w_model_hl: Any, **_: Any) -> None:
    HiddenLayers(model_hl, w_model_hl).with_weights()


def _loss(kernel: Kernel, cls: str, keras: KerasLoss = "Loss", **rest: Any) -> Entry:
    return Entry(kernel, cls, "Loss", keras, **rest)


def _metric(kernel: Kernel, cls: str, **rest: Any) -> Entry:
    return Entry(kernel, cls, "Metric", "Metric", "Metric", **rest)


CATALOGUE = (
    _loss(losses.mean_squared_anomaly, "AnomalyLoss", benchmark="mean squared anomaly", picture="scores"),
    _loss(losses.mse_reconstruction_loss, "MSEReconstructionLoss", benchmark="squared error", picture="x_pred"),
    _loss(losses.prediction_error_score, "PredictionErrorAnomalyScore", "EndpointLayer"),
    Entry(losses.reconstruction_error),
    _loss(
        losses.elbo,
        "ELBOLoss",
        negative=True,
        benchmark="ELBO",
        picture="y_pred",
        check_together=_check_covariance,
    ),
    _loss(losses.gaussian_kl, "GaussianKLLoss", "WeighedLayer", benchmark="Gaussian KL", picture="log_var"),
    _loss(losses.kl_divergence, "KLDivergenceLoss", benchmark="KL divergence"),
    _loss(losses.distillation_loss, "DistillationLoss"),
    _loss(losses.adversarial_ae_loss, "AdversarialAELoss", check_together=_check_hidden_layers),
    _loss(losses.aegmm_loss, "AEGMMLoss", "EndpointLayer", negative=True, benchmark="AEGMM"),
    _loss(losses.vaegmm_loss, "VAEGMMLoss", "EndpointLayer", negative=True, check_together=_check_covariance),
    Entry(losses.gmm_params),
    Entry(losses.gmm_energy, benchmark="mixture energy", picture="z"),
    Entry(losses.covariance_penalty),
    _loss(losses.deep_svdd_loss, "DeepSVDDLoss", "WeighedLayer", benchmark="SVDD", picture="embeddings"),
    _loss(
        losses.deep_svdd_soft_boundary_loss,
        "DeepSVDDSoftBoundaryLoss",
        "EndpointLayer",
        benchmark="SVDD, soft boundary",
        picture="embeddings",
    ),
    Entry(losses.svdd_center),
    Entry(losses.svdd_radius),
    Entry(losses.svdd_score, picture="embeddings"),
    _loss(losses.anomaly_bce_with_logits, "AnomalyBCEWithLogits", benchmark="BCE", picture="logit"),
    _loss(losses.iou_loss, "IoULoss", benchmark="IoU", picture="score"),
    _loss(losses.focal_loss_with_logits, "FocalLossWithLogits", picture="logit"),
    _loss(losses.dice_loss, "DiceLoss", picture="score"),
    _loss(losses.tversky_loss, "TverskyLoss", picture="score"),
    _loss(losses.lovasz_hinge_loss, "LovaszHingeLoss", picture="logit"),
    _loss(losses.ssim_loss, "SSIMLoss", picture="x_pred"),
    _loss(losses.cosine_distance_loss, "CosineDistanceLoss", picture="x_pred"),
    _loss(losses.hard_feature_loss, "HardFeatureLoss", picture="x_pred"),
    _loss(losses.orthogonality_loss, "OrthogonalityLoss", "Regularizer", benchmark="orthogonality"),
    _loss(losses.distinctness_loss, "DistinctnessLoss", "Regularizer", negative=True),
    _loss(losses.selector_entropy_regularizer, "SelectorEntropyRegularizer", "Regularizer", negative="target_entropy"),
    _loss(losses.selector_diversity_regularizer, "SelectorDiversityRegularizer", "Regularizer", negative=True),
    _loss(losses.quantile_loss, "AdaptiveQuantileLoss", benchmark="quantile loss", picture="y_pred"),
    _loss(losses.multi_objective_loss, "MultiObjectiveLoss", "EndpointLayer"),
    _loss(losses.deep_sad_loss, "DeepSADLoss", "WeighedLayer", picture="embeddings"),
    _loss(losses.deviation_loss, "DeviationLoss", picture="score"),
    _loss(losses.hypersphere_classifier_loss, "HypersphereClassifierLoss", "WeighedLayer", picture="embeddings"),
    _loss(losses.outlier_exposure_loss, "OutlierExposureLoss", picture="logit"),
    _loss(losses.energy_bounded_loss, "EnergyBoundedLoss", picture="logit"),
    Entry(losses.logit_score, picture="logit"),
    _loss(losses.crps_ensemble, "CRPSEnsembleLoss", picture="ensemble"),
    _loss(losses.crps_gaussian, "CRPSGaussianLoss", "WeighedLayer", picture="y_true"),
    _loss(losses.gaussian_nll, "GaussianNLLLoss", "WeighedLayer", negative=True, picture="log_var"),
    _loss(losses.interval_score, "IntervalScoreLoss", "WeighedLayer", picture="y_true"),
    Entry(losses.mahalanobis_fit),
    Entry(losses.mahalanobis_score, picture="embeddings"),
    Entry(losses.knn_score, picture="embeddings"),
    _loss(losses.supcon_loss, "SupConLoss", picture="embeddings"),
    _loss(losses.triplet_margin_loss, "TripletMarginLoss", "WeighedLayer", picture="anchor"),
    _loss(losses.mmd_loss, "MMDLoss", negative=True, picture="embeddings"),
    _metric(metrics.anomaly_detection_metrics, "AnomalyDetectionMetrics"),
    _metric(metrics.anomaly_pixel_statistics, "AnomalyPixelStatisticsMetric"),
    _metric(metrics.component_orthogonality, "ComponentOrthogonalityMetric"),
    _metric(metrics.explained_variance, "ExplainedVarianceMetric"),
    _metric(metrics.score_statistics, "ScoreStatisticsMetric", benchmark="score statistics"),
    _metric(metrics.selector_diversity, "SelectorDiversityMetric"),
    _metric(metrics.selector_entropy, "SelectorEntropyMetric"),
    _metric(metrics.average_precision, "AveragePrecisionMetric", benchmark="average precision"),
    _metric(metrics.roc_auc, "ROCAUCMetric", benchmark="ROC AUC"),
    _metric(metrics.aupr_trapezoid, "AUPRTrapezoidMetric"),
    _metric(metrics.best_f1, "BestF1Metric"),
    _metric(metrics.fpr_at_tpr, "FPRAtTPRMetric"),
    _metric(metrics.precision_at_k, "PrecisionAtKMetric"),
    Entry(metrics.point_adjust),
    _metric(metrics.point_adjusted_f1, "PointAdjustedF1Metric"),
    _metric(metrics.best_point_adjusted_f1, "BestPointAdjustedF1Metric", benchmark="best point-adjusted F1"),
    _metric(metrics.point_adjusted_f1_area, "PointAdjustedF1AreaMetric"),
    _metric(metrics.composite_f1, "CompositeF1Metric"),
    _metric(metrics.best_composite_f1, "BestCompositeF1Metric"),
    _metric(metrics.event_f1, "EventF1Metric"),
    _metric(metrics.best_event_f1, "BestEventF1Metric", benchmark="best event F1"),
    _metric(metrics.range_based_f1, "RangeBasedF1Metric"),
    _metric(metrics.affiliation_f1, "AffiliationF1Metric", benchmark="affiliation"),
    _metric(metrics.range_auc, "RangeAUCMetric", benchmark="range AUC"),
    _metric(metrics.vus, "VUSMetric", benchmark="VUS"),
    _metric(metrics.detection_delay, "DetectionDelayMetric"),
    _metric(metrics.ucr_score, "UCRScoreMetric"),
    _metric(metrics.threshold_at_recall, "ThresholdAtRecallMetric"),
    _metric(metrics.threshold_at_precision, "ThresholdAtPrecisionMetric"),
    Entry(metrics.threshold_at_rate),
    Entry(metrics.spread_threshold),
    Entry(metrics.peaks_over_threshold),
    Entry(metrics.conformal_pvalue),
    Entry(metrics.adjusted_pvalue),
    Entry(metrics.score_scaling),
    Entry(metrics.scaled_score),
    Entry(metrics.precision_recall_curve, jax="plain"),
    Entry(metrics.roc_curve, jax="plain"),
    Entry(metrics.label_regions, jax="plain", benchmark="regions"),
    _metric(metrics.aupro, "AUPROMetric", benchmark="AUPRO"),
    _metric(metrics.per_region_overlap, "PerRegionOverlapMetric", benchmark="overlap of regions"),
    _metric(metrics.region_detection, "RegionDetectionMetric", benchmark="regions found"),
    _metric(metrics.aupimo, "AUPIMOMetric", benchmark="AUPIMO"),
    Entry(networks.lstm_autoencoder),
    Entry(networks.sequence_anomaly_score),
)

KERNELS: dict[str, Kernel] = {entry.name: entry.kernel for entry in CATALOGUE}
"""Every kernel by name: losses, metrics, networks."""

ENTRIES: dict[Kernel, Entry] = {entry.kernel: entry for entry in CATALOGUE}
"""The entry of each kernel."""

BY_NAME: dict[str, Entry] = {entry.name: entry for entry in CATALOGUE} | {
    entry.cls: entry for entry in CATALOGUE if entry.cls
}
"""Entries by the name of the function, and by that of its class."""
