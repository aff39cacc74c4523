"""Which checks do not apply to a kernel in a library, with the reason: for the tests and for the documentation.

What a library can do is `Driver.can`; `_NEEDS` says what a check needs of it, `_RULES` what is different in a kernel.
"""

from __future__ import annotations

from anomaly_kernels.testing.drivers import DRIVERS

_NEEDS = {
    "gradients": ("gradient", "does not differentiate"),
    "value_and_grad": ("value_and_grad", "cannot be followed"),
    "second_derivatives": ("gradient", "does not differentiate"),
    "jit": ("jit", "does not compile"),
    "vmap": ("vmap", "has no vmap that kernels promise to run under"),
    "vmap_gradients": ("vmap", "has no vmap that kernels promise to run under"),
    "unknown_batch": ("unknown_batch", "has no unknown sizes"),
    "lazy": ("lazy", "computes at once"),
    "device": ("device", "has no second device on every machine"),
    "blocks": ("blocks", "cuts formulas as NumPy does, or not at all"),
    "layout": ("layout", "does not let users choose the memory layout"),
}

_DERIVATIVES = ("gradients", "value_and_grad", "second_derivatives", "vmap_gradients")
_COUNTS = "counts and ranks are steps: they have no slope"
_CURVES = ("precision_recall_curve", "roc_curve")
_RANKING = (
    "anomaly_detection_metrics",
    "aupimo",
    "aupr_trapezoid",
    "aupro",
    "average_precision",
    "best_f1",
    "fpr_at_tpr",
    "precision_at_k",
    "roc_auc",
    *_CURVES,
)

_SERIES = (
    "affiliation_f1",
    "best_composite_f1",
    "best_event_f1",
    "best_point_adjusted_f1",
    "composite_f1",
    "detection_delay",
    "event_f1",
    "point_adjust",
    "point_adjusted_f1",
    "point_adjusted_f1_area",
    "range_auc",
    "range_based_f1",
    "ucr_score",
    "vus",
)

_DECISIONS = ("adjusted_pvalue", "conformal_pvalue", "peaks_over_threshold", "score_scaling", "spread_threshold")
_OPERATING = ("threshold_at_precision", "threshold_at_recall")

# Checks that do not apply to these kernels, in any library, and the reason.
_RULES: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (_RANKING, _DERIVATIVES, _COUNTS),
    (("anomaly_pixel_statistics", "label_regions", "per_region_overlap", "region_detection"), _DERIVATIVES, _COUNTS),
    (("anomaly_pixel_statistics",), ("empty",), "no pixels at all are none that are anomalous"),
    (_RANKING, ("integers",), "only the order of the scores counts: integers have one"),
    (
        ("label_regions",),
        ("jit", "vmap", "unknown_batch", "device"),
        "regions are labelled of numbers that are at hand",
    ),
    (("label_regions",), ("permutation",), "the numbers of regions are in the order of their pixels"),
    (_SERIES, _DERIVATIVES, _COUNTS),
    (_SERIES, ("integers",), "only the order of the scores counts: integers have one"),
    (("range_auc", "vus"), ("extreme (all positive)", "extreme (none positive)"), "no ROC curve with one class: NaN"),
    (("detection_delay",), ("extreme (none positive)",), "no delay where there is nothing to find: NaN"),
    (
        (*_DECISIONS, *_OPERATING, "threshold_at_rate"),
        _DERIVATIVES,
        "a rule that is fitted once is a constant: no slope",
    ),
    (_OPERATING, ("integers",), "only the order of the scores counts: integers have one"),
    (("threshold_at_recall",), ("extreme (none positive)",), "no recall without anomalies: NaN"),
    (
        ("threshold_at_precision",),
        ("extreme (none positive)", "extreme (zero)", "extreme (constant)"),
        "infinite where no threshold is precise enough",
    ),
    (("peaks_over_threshold", "threshold_at_rate"), ("unknown_batch",), "ranks are made of the number of scores"),
    (_CURVES, ("jit", "vmap", "unknown_batch", "device"), "they have as many points as there are distinct scores"),
    (
        ("aupro", "fpr_at_tpr", "roc_auc", "roc_curve"),
        ("extreme (all positive)", "extreme (none positive)"),
        "undefined for a single class: NaN",
    ),
    (("per_region_overlap",), ("extreme (none positive)",), "undefined without regions: NaN"),
    (("distillation_loss",), ("integers", "foreign"), "`x_true` goes to the model alone, which may take anything"),
    (
        ("distillation_loss", "adversarial_ae_loss"),
        ("promotion", "half"),
        "the model computes in the dtype it is given",
    ),
    (("multi_objective_loss",), ("shapes",), "the anomaly scores are compared with nothing"),
    (("outlier_exposure_loss",), ("masks",), "its targets are classes, and numbers below 0 for outliers"),
    (("distinctness_loss",), ("empty",), "no selectors at all are fewer than two: 0"),
    (("mahalanobis_fit", "supcon_loss"), ("masks",), "their labels are classes"),
    (("svdd_radius",), ("permutation", "foreign"), "takes a number, not a batch"),
    (("explained_variance",), ("permutation",), "the cumulative sum depends on the order"),
)


def does_not_apply(check: str, kernel: str, library: str) -> str | None:
    """Give the reason why a check does not apply to a kernel in a library, None if it does."""
    driver = DRIVERS[library]
    if check in _NEEDS and _NEEDS[check][0] not in driver.can:
        return f"{library} {_NEEDS[check][1]}"
    if check == "half" and not driver.halves:
        return f"{library} has no half precision"
    return next((reason for kernels, checks, reason in _RULES if kernel in kernels and check in checks), None)
