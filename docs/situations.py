"""What there is, by use: the one table that the reference is written from. Each public name is in one situation."""

from __future__ import annotations

import importlib
from typing import NamedTuple


class Situation(NamedTuple):
    """What someone wants to do, and what there is for it."""

    title: str
    advice: str
    """One sentence in Markdown: where to read on."""
    names: tuple[str, ...]
    """Below `anomaly_kernels`, such as ``streaming.merge``; classes of a framework follow from them."""


def _all_of(module: str) -> tuple[str, ...]:
    """Every public name of a module."""
    return tuple(f"{module}.{name}" for name in importlib.import_module(f"anomaly_kernels.{module}").__all__)


LOSSES = "Which one to take is said on [Which loss](losses.md)."
SITUATIONS = (
    Situation(
        "Reconstruct or predict",
        f"Train an autoencoder or a forecaster, and score by its error. {LOSSES}",
        (
            *("mse_reconstruction_loss", "reconstruction_error", "prediction_error_score", "mean_squared_anomaly"),
            *("quantile_loss", "multi_objective_loss"),
        ),
    ),
    Situation(
        "Fit a distribution",
        "Variational autoencoders, and mixtures of Gaussians on latents: [deep losses](deep_losses.md).",
        (
            *("elbo", "gaussian_kl", "kl_divergence", "aegmm_loss", "vaegmm_loss"),
            *("gmm_params", "GMMParams", "gmm_energy", "covariance_penalty"),
        ),
    ),
    Situation(
        "Measure distances of embeddings",
        "Score by the distance from normal embeddings, or train these: [embeddings](embeddings.md).",
        (
            *("mahalanobis_fit", "MahalanobisParams", "mahalanobis_score", "knn_score"),
            *("supcon_loss", "triplet_margin_loss", "mmd_loss"),
        ),
    ),
    Situation(
        "Enclose what is normal",
        f"A hypersphere around the embeddings of normal data. {LOSSES}",
        (
            *("deep_svdd_loss", "deep_svdd_soft_boundary_loss", "svdd_score", "svdd_center"),
            "svdd_radius",
        ),
    ),
    Situation(
        "Learn from few labels",
        "A few known anomalies beside data that is mostly normal: [deep losses](deep_losses.md).",
        ("deep_sad_loss", "deviation_loss", "hypersphere_classifier_loss"),
    ),
    Situation(
        "Keep a classifier unsure of outliers",
        "Other data stands for anomalies while a classifier is trained: [deep losses](deep_losses.md).",
        ("outlier_exposure_loss", "energy_bounded_loss", "logit_score"),
    ),
    Situation(
        "Forecast with a spread",
        "The forecast is a distribution, an ensemble or an interval: [deep losses](deep_losses.md).",
        ("crps_ensemble", "crps_gaussian", "gaussian_nll", "interval_score"),
    ),
    Situation(
        "Segment anomalous pixels",
        "Train with masks: [losses of masks and images](mask_losses.md).",
        (
            *("anomaly_bce_with_logits", "focal_loss_with_logits", "iou_loss", "dice_loss", "tversky_loss"),
            "lovasz_hinge_loss",
        ),
    ),
    Situation(
        "Compare images, or features of a student and its teacher",
        "Train without masks, and score each pixel: [losses of masks and images](mask_losses.md).",
        ("ssim_loss", "cosine_distance_loss", "hard_feature_loss"),
    ),
    Situation(
        "Select bands or components",
        f"Regularizers of selectors and of projections. {LOSSES}",
        (
            *("orthogonality_loss", "distinctness_loss", "selector_entropy_regularizer"),
            "selector_diversity_regularizer",
        ),
    ),
    Situation(
        "Guard a classifier",
        f"Detect inputs that were made to mislead it. {LOSSES}",
        ("distillation_loss", "adversarial_ae_loss"),
    ),
    Situation(
        "Judge a ranking of scores",
        "No threshold is needed: [metrics](metrics.md).",
        (
            *("average_precision", "aupr_trapezoid", "roc_auc", "best_f1", "fpr_at_tpr", "precision_at_k"),
            *("precision_recall_curve", "roc_curve"),
        ),
    ),
    Situation(
        "Decide: thresholds, p-values, one scale",
        "From scores to alarms: [decisions](decisions.md).",
        (
            *("threshold_at_rate", "threshold_at_recall", "threshold_at_precision", "spread_threshold"),
            *("peaks_over_threshold", "conformal_pvalue", "adjusted_pvalue", "score_scaling", "scaled_score"),
        ),
    ),
    Situation(
        "Judge where anomalies are in images",
        "By pixels, regions and images: [localisation](localisation.md).",
        ("aupro", "per_region_overlap", "region_detection", "aupimo", "label_regions"),
    ),
    Situation(
        "Judge time series by their events",
        "An event is a run of anomalous points: [time series](series.md).",
        (
            *("vus", "range_auc", "composite_f1", "best_composite_f1", "event_f1", "best_event_f1"),
            *("range_based_f1", "affiliation_f1", "detection_delay", "ucr_score", "point_adjust"),
            *("point_adjusted_f1", "best_point_adjusted_f1", "point_adjusted_f1_area"),
        ),
    ),
    Situation(
        "Judge decisions, describe scores",
        "Which metric to take is said on [Which metric](which_metric.md).",
        (
            *("anomaly_detection_metrics", "anomaly_pixel_statistics", "score_statistics", "explained_variance"),
            *("component_orthogonality", "selector_entropy", "selector_diversity"),
        ),
    ),
    Situation(
        "Judge batch by batch, or on many machines",
        "States that merge, exact or in fixed memory between bounds: [metrics](metrics.md) and "
        "[many machines](recipes/distributed.md). The classes of metrics hold such a state.",
        _all_of("streaming"),
    ),
    Situation(
        "Train with several losses as one",
        "Losses and metrics wired by name, from Python or YAML: [objectives](objectives.md).",
        ("Objective", "Node", "ObjectiveError"),
    ),
    Situation(
        "Fit without a framework",
        "Gradients of any loss in NumPy, for `scipy.optimize.minimize`: [gradients](gradients.md).",
        ("value_and_grad",),
    ),
    Situation(
        "Run small networks, move their weights",
        "Two networks with the same numbers everywhere: [networks](networks.md).",
        ("sequence_anomaly_score", "lstm_autoencoder", *_all_of("weights"), "FileError"),
    ),
    Situation(
        "Write your own loss",
        "The tools that the losses here are written with: [authoring](authoring.md).",
        ("array_namespace", *(name for name in _all_of("authoring") if name != "authoring.array_namespace")),
    ),
    Situation(
        "Test your own loss",
        "The checks that each loss here passes: [authoring](authoring.md).",
        _all_of("testing"),
    ),
    Situation(
        "Draw pictures",
        "Scores, curves, losses, series and maps with matplotlib: [plots](plots.md).",
        _all_of("plots"),
    ),
    Situation("Load real data", "Two small samples travel with the package.", _all_of("data")),
)
