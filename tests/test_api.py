"""The signatures that users rely on. More parameters may be added after these; none may be renamed or reordered."""

from __future__ import annotations

import inspect

import pytest

import anomaly_kernels as ak

SIGNATURES = """
value_and_grad(function, argnums=0)
mean_squared_anomaly(scores, *, weight=1.0, reduction="mean")
mse_reconstruction_loss(x_true, x_pred, *, weight=1.0, reduction="mean")
reconstruction_error(x_true, x_pred)
prediction_error_score(y_true, y_pred, *, error_metric="mae", aggregation="mean")
elbo(y_true, y_pred, *, cov_full=None, cov_diag=None, scale_diag=None, sim=None, weight=1.0, reduction="mean")
gaussian_kl(mean, log_var, *, weight=1.0, reduction="mean")
kl_divergence(p_true, p_pred, *, epsilon=1e-7, weight=1.0, reduction="mean")
aegmm_loss(x_true, x_pred, z, gamma, *, w_energy=0.1, w_cov_diag=0.005, eps=1e-6)
vaegmm_loss(x_true, x_pred, z, gamma, *, w_recon=1e-7, w_energy=0.1, w_cov_diag=0.005, cov_full=None, cov_diag=None, \
scale_diag=None, sim=None, eps=1e-6)
distillation_loss(x_true, y_pred, *, model, loss_type="kld", temperature=1.0, epsilon=1e-7)
adversarial_ae_loss(x_true, x_pred, *, model, model_hl=(), w_model=1.0, w_recon=0.0, w_model_hl=None, temperature=1.0, \
epsilon=1e-7)
deep_svdd_loss(embeddings, center, *, weight=1.0, reduction="mean")
deep_svdd_soft_boundary_loss(embeddings, center, radius, *, nu=0.05, weight=1.0)
svdd_score(embeddings, center, *, radius=None)
svdd_radius(raw, *, beta=10.0)
svdd_center(embeddings, *, eps=0.1)
anomaly_bce_with_logits(target, logit, *, pos_weight=None, weight=1.0, reduction="mean")
iou_loss(target, score, *, normalize_method="sigmoid", smooth=1e-6, axis=None, weight=1.0)
orthogonality_loss(components, *, weight=1.0)
distinctness_loss(selection_weights, *, weight=0.1, eps=1e-6)
selector_entropy_regularizer(weights, *, weight=0.01, target_entropy=None, eps=1e-6)
selector_diversity_regularizer(weights, *, weight=0.01)
quantile_loss(y_true, y_pred, *, quantiles, weight=1.0, reduction="mean")
multi_objective_loss(y_true, y_pred, anomaly_scores=None, *, quantiles, anomaly_weight=1.0)
gmm_params(z, gamma, *, eps=1e-6)
gmm_energy(z, params, *, reduction="mean")
covariance_penalty(cov)
anomaly_detection_metrics(target, decision, score=None, *, zero_division=0.0, axis=None)
explained_variance(explained_variance_ratio)
anomaly_pixel_statistics(decision)
score_statistics(scores)
component_orthogonality(components)
selector_entropy(weights, *, eps=1e-6)
selector_diversity(weights)
average_precision(target, score, *, sample_weight=None, axis=None)
aupr_trapezoid(target, score, *, sample_weight=None, axis=None)
roc_auc(target, score, *, sample_weight=None, axis=None, max_fpr=None)
best_f1(target, score, *, sample_weight=None, axis=None)
fpr_at_tpr(target, score, *, sample_weight=None, axis=None, tpr=0.95)
precision_at_k(target, score, *, k, sample_weight=None, axis=None)
threshold_at_rate(score, *, rate=0.05, method="conformal", confidence=None)
threshold_at_recall(target, score, *, recall=0.95, sample_weight=None, axis=None)
threshold_at_precision(target, score, *, precision=0.9, sample_weight=None, axis=None)
spread_threshold(score, *, rule="mad", factor=None)
peaks_over_threshold(score, *, risk=1e-4, level=0.98, method="zhang_stephens")
conformal_pvalue(score, calibration, *, score_weight=None, calibration_weight=None, uniform=None)
adjusted_pvalue(pvalue, *, method="bh", cutoff=0.5)
score_scaling(score, *, method="standard")
scaled_score(score, center, scale, *, output="linear")
precision_recall_curve(target, score, *, sample_weight=None)
roc_curve(target, score, *, sample_weight=None, drop_intermediate=True)
label_regions(target, *, axis=None, connectivity=None)
aupro(target, score, *, region=None, saturation=None, max_fpr=0.3)
per_region_overlap(target, decision, *, region=None, saturation=None)
region_detection(target, decision, *, region=None, decision_region=None, overlap=0.0)
aupimo(target, score, *, fpr_bounds=(1e-5, 1e-4))
point_adjust(target, score, *, min_share=0.0, axis=-1)
point_adjusted_f1(target, decision, *, min_share=0.0, axis=-1, zero_division=0.0)
best_point_adjusted_f1(target, score, *, min_share=0.0, axis=-1)
point_adjusted_f1_area(target, decision, *, axis=-1, zero_division=0.0)
composite_f1(target, decision, *, axis=-1, zero_division=0.0)
best_composite_f1(target, score, *, axis=-1)
event_f1(target, decision, *, corrected=True, axis=-1, zero_division=0.0)
best_event_f1(target, score, *, axis=-1)
range_based_f1(target, decision, *, alpha=0.0, bias="flat", precision_bias="flat", \
cardinality="reciprocal", axis=-1, zero_division=0.0)
affiliation_f1(target, decision, *, axis=-1, zero_division=0.0)
range_auc(target, score, *, window=100, positives="found", thresholds=None, axis=-1)
vus(target, score, *, window=100, positives="found", thresholds=None, axis=-1)
detection_delay(target, decision, *, axis=-1)
ucr_score(target, score, *, margin=100, own_length=True, axis=-1)
mahalanobis_fit(embeddings, label=None, *, n_classes=1, shrinkage=0.0, eps=1e-6)
mahalanobis_score(embeddings, mean, chol)
knn_score(embeddings, reference, *, k=1, aggregate="kth")
supcon_loss(label, embeddings, *, temperature=0.1, weight=1.0, reduction="mean")
triplet_margin_loss(anchor, positive, negative, *, margin=1.0, squared=False, weight=1.0, reduction="mean")
mmd_loss(embeddings, reference, *, kernel="rbf", bandwidths=(1.0,), unbiased=False, weight=1.0)
sequence_anomaly_score(params, features, *, activation="relu", use_norm=False, final_activation="linear")
lstm_autoencoder(params, inputs, *, n_repeats=None, activation="tanh", intermediate_activation="relu")
""".strip().splitlines()


def parameters(function: object) -> list[tuple[str, object, object]]:
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("text", SIGNATURES, ids=lambda text: text.partition("(")[0])
def test_signature_begins_as_promised(text):
    name = text.partition("(")[0]
    scope: dict[str, object] = {}
    exec(f"def {text}: ...", scope)
    promised = parameters(scope[name])
    assert name in ak.__all__
    assert parameters(getattr(ak, name))[: len(promised)] == promised


@pytest.mark.parametrize(
    ("function", "fields"),
    [
        ("GMMParams", "phi mu cov chol log_det_cov"),
        ("MahalanobisParams", "mean cov chol"),
        ("anomaly_detection_metrics", "precision recall f1_score iou average_precision"),
        ("explained_variance", "per_component total cumulative"),
        ("anomaly_pixel_statistics", "total_pixels anomalous_pixels anomaly_percentage"),
        ("score_statistics", "mean std min max median q25 q75 q95 q99"),
        ("component_orthogonality", "orthogonality_error avg_off_diagonal avg_deviation diagonal_mean diagonal_std"),
        ("selector_diversity", "weight_variance gini_coefficient"),
        ("best_f1", "value threshold"),
        ("threshold_at_recall", "threshold precision recall"),
        ("threshold_at_precision", "threshold precision recall"),
        ("peaks_over_threshold", "threshold initial shape scale peaks"),
        ("score_scaling", "center scale"),
        ("region_detection", "regions detected alarms false_alarms f1_score"),
        ("precision_recall_curve", "precision recall threshold"),
        ("roc_curve", "fpr tpr threshold"),
    ],
)
def test_fields_of_named_tuples(function, fields):
    made = getattr(ak, function)
    if not isinstance(made, type):
        made = inspect.signature(made, eval_str=True).return_annotation
    assert made._fields == tuple(fields.split())
