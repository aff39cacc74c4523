"""Every function under its own name, jitted. Settings are static only where a shape or a branch depends on them.

Numbers are traced: another weight or temperature compiles nothing anew. Names of options, axes, quantiles and models
are static. A model that is made anew for each call, such as a lambda, is compiled for each call; one given as
``jax.tree_util.Partial(apply, params)`` is compiled once, and its parameters are traced. Of any other model, which must
have a hash, the state is that of the first call.

The metric classes are pytrees. `precision_recall_curve` and `roc_curve` have as many points as there are distinct
scores, and are not jitted.
"""

# Written by tests/stubs.py: `make stubs`.

from anomaly_kernels.jax.metrics import AnomalyDetectionMetrics as AnomalyDetectionMetrics
from anomaly_kernels.jax.metrics import AnomalyPixelStatisticsMetric as AnomalyPixelStatisticsMetric
from anomaly_kernels.jax.metrics import ComponentOrthogonalityMetric as ComponentOrthogonalityMetric
from anomaly_kernels.jax.metrics import ExplainedVarianceMetric as ExplainedVarianceMetric
from anomaly_kernels import GMMParams as GMMParams
from anomaly_kernels.jax.metrics import ScoreStatisticsMetric as ScoreStatisticsMetric
from anomaly_kernels.jax.metrics import SelectorDiversityMetric as SelectorDiversityMetric
from anomaly_kernels.jax.metrics import SelectorEntropyMetric as SelectorEntropyMetric
from anomaly_kernels import adversarial_ae_loss as adversarial_ae_loss
from anomaly_kernels import aegmm_loss as aegmm_loss
from anomaly_kernels import anomaly_bce_with_logits as anomaly_bce_with_logits
from anomaly_kernels import anomaly_detection_metrics as anomaly_detection_metrics
from anomaly_kernels import anomaly_pixel_statistics as anomaly_pixel_statistics
from anomaly_kernels import aupr_trapezoid as aupr_trapezoid
from anomaly_kernels import average_precision as average_precision
from anomaly_kernels import best_f1 as best_f1
from anomaly_kernels import component_orthogonality as component_orthogonality
from anomaly_kernels import covariance_penalty as covariance_penalty
from anomaly_kernels import deep_svdd_loss as deep_svdd_loss
from anomaly_kernels import deep_svdd_soft_boundary_loss as deep_svdd_soft_boundary_loss
from anomaly_kernels import distillation_loss as distillation_loss
from anomaly_kernels import distinctness_loss as distinctness_loss
from anomaly_kernels import elbo as elbo
from anomaly_kernels import explained_variance as explained_variance
from anomaly_kernels import fpr_at_tpr as fpr_at_tpr
from anomaly_kernels import gaussian_kl as gaussian_kl
from anomaly_kernels import gmm_energy as gmm_energy
from anomaly_kernels import gmm_params as gmm_params
from anomaly_kernels import iou_loss as iou_loss
from anomaly_kernels import kl_divergence as kl_divergence
from anomaly_kernels import lstm_autoencoder as lstm_autoencoder
from anomaly_kernels.jax.networks import lstm_autoencoder_apply as lstm_autoencoder_apply
from anomaly_kernels.jax.networks import lstm_autoencoder_init as lstm_autoencoder_init
from anomaly_kernels import mean_squared_anomaly as mean_squared_anomaly
from anomaly_kernels import mse_reconstruction_loss as mse_reconstruction_loss
from anomaly_kernels import multi_objective_loss as multi_objective_loss
from anomaly_kernels import orthogonality_loss as orthogonality_loss
from anomaly_kernels import precision_at_k as precision_at_k
from anomaly_kernels import precision_recall_curve as precision_recall_curve
from anomaly_kernels import prediction_error_score as prediction_error_score
from anomaly_kernels import quantile_loss as quantile_loss
from anomaly_kernels import reconstruction_error as reconstruction_error
from anomaly_kernels import roc_auc as roc_auc
from anomaly_kernels import roc_curve as roc_curve
from anomaly_kernels import score_statistics as score_statistics
from anomaly_kernels import selector_diversity as selector_diversity
from anomaly_kernels import selector_diversity_regularizer as selector_diversity_regularizer
from anomaly_kernels import selector_entropy as selector_entropy
from anomaly_kernels import selector_entropy_regularizer as selector_entropy_regularizer
from anomaly_kernels import sequence_anomaly_score as sequence_anomaly_score
from anomaly_kernels.jax.networks import sequence_anomaly_score_apply as sequence_anomaly_score_apply
from anomaly_kernels.jax.networks import sequence_anomaly_score_init as sequence_anomaly_score_init
from anomaly_kernels import svdd_radius as svdd_radius
from anomaly_kernels import svdd_score as svdd_score
from anomaly_kernels import vaegmm_loss as vaegmm_loss
