"""The losses as torch.nn modules: prediction first, truth second, as torch has it."""

# Written by tests/stubs.py: `make stubs`.

from collections.abc import Callable, Sequence
from typing import Any, Literal, SupportsIndex

import numpy as np
from torch import Tensor

from anomaly_kernels._core.typing import Items
from anomaly_kernels.torch._base import Loss
from anomaly_kernels.torch._svdd import SoftBoundary

Array = Tensor | np.ndarray[Any, Any]
Setting = float | Array


class AnomalyLoss(Loss):
    r"""Mean of squared anomaly scores, which pulls the scores of normal data towards zero.

    .. math:: w \cdot \operatorname{mean}(a^2)

    A class form of `anomaly_kernels.mean_squared_anomaly`, which says what the arrays are.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    References
    ----------
    The anomaly term of the loss of [1]_.

    .. [1] L. Kouadio, fusionlab-learn documentation, "Anomaly Detection Losses".
    """

    def __init__(self, *, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> None: ...
    def forward(self, scores: Tensor) -> Tensor: ...
    def __call__(self, scores: Tensor) -> Tensor: ...
    weight: Setting
    reduction: Literal['mean', 'sum', 'none']


class MSEReconstructionLoss(Loss):
    r"""Mean squared error of a reconstruction.

    .. math:: w \cdot \operatorname{mean}\left((x - \hat x)^2\right)

    A class form of `anomaly_kernels.mse_reconstruction_loss`, which says what the arrays are.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    References
    ----------
    .. [1] C. M. Bishop, "Pattern Recognition and Machine Learning", Springer, 2006, section 1.1.
    """

    def __init__(self, *, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> None: ...
    def forward(self, x_pred: Tensor, x_true: Tensor) -> Tensor: ...
    def __call__(self, x_pred: Tensor, x_true: Tensor) -> Tensor: ...
    weight: Setting
    reduction: Literal['mean', 'sum', 'none']


class PredictionErrorAnomalyScore(Loss):
    r"""Error of the forecast of each sample: the anomaly score of a forecaster.

    .. math:: s_b = \operatorname{agg}_t \operatorname{mean}_f |y_{btf} - \hat y_{btf}|^p

    A class form of `anomaly_kernels.prediction_error_score`, which says what the arrays are.

    Parameters
    ----------
    error_metric : {"mae", "mse"}
        Absolute error (p = 1) or squared error (p = 2), averaged over the features of a step.
    aggregation : {"mean", "max"}
        How the errors of the steps become one.

    References
    ----------
    .. [1] P. Malhotra et al., "Long Short Term Memory Networks for Anomaly Detection in Time Series", ESANN, 2015.
    """

    def __init__(self, *, error_metric: Literal['mae', 'mse'] = 'mae', aggregation: Literal['mean', 'max'] = 'mean') -> None: ...
    def forward(self, y_pred: Tensor, y_true: Tensor) -> Tensor: ...
    def __call__(self, y_pred: Tensor, y_true: Tensor) -> Tensor: ...
    error_metric: Literal['mae', 'mse']
    aggregation: Literal['mean', 'max']


class ELBOLoss(Loss):
    r"""Negative log likelihood of data under a Gaussian around their reconstruction.

    .. math:: -w \log N(y; \hat y, \Sigma) = \frac w2 \left((y - \hat y)^\top \Sigma^{-1} (y - \hat y) +
        \log\det\Sigma + D \log 2\pi\right)

    A class form of `anomaly_kernels.elbo`, which says what the arrays are.

    Parameters
    ----------
    cov_full : array, (D, D), optional
        Σ, symmetric positive definite.
    cov_diag : array, (D,), optional
        Variances, the diagonal of Σ.
    scale_diag : array, (D,), optional
        Standard deviations, the square roots of the diagonal of Σ.
    sim : number or 0-d array above 0, optional
        One standard deviation for all D.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the samples.

    Notes
    -----
    Without any of the four Σ is the identity. This is the reconstruction term of an evidence lower bound; the other
    one is `gaussian_kl`. It is negative where the density is above 1. Where Σ is not positive definite the result is
    NaN (JAX, TensorFlow) or the library raises its Cholesky error (NumPy, torch).

    References
    ----------
    .. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR, 2014.
    """

    def __init__(self, *, cov_full: Array | None = None, cov_diag: Array | None = None, scale_diag: Array | None = None, sim: Setting | None = None, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> None: ...
    def forward(self, y_pred: Tensor, y_true: Tensor) -> Tensor: ...
    def __call__(self, y_pred: Tensor, y_true: Tensor) -> Tensor: ...
    cov_full: Array | None
    cov_diag: Array | None
    scale_diag: Array | None
    sim: Setting | None
    weight: Setting
    reduction: Literal['mean', 'sum', 'none']


class GaussianKLLoss(Loss):
    r"""Kullback-Leibler divergence of a diagonal Gaussian from the standard one.

    .. math:: w \cdot \mathrm{KL}(N(\mu, \sigma^2) \,\|\, N(0, I)) =
        \frac w2 \sum_d \left(\mu_d^2 + \sigma_d^2 - 1 - \log \sigma_d^2\right)

    A class form of `anomaly_kernels.gaussian_kl`, which says what the arrays are.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the samples.

    References
    ----------
    .. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR, 2014, appendix B.
    """

    def __init__(self, *, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> None: ...
    def forward(self, mean: Tensor, log_var: Tensor) -> Tensor: ...
    def __call__(self, mean: Tensor, log_var: Tensor) -> Tensor: ...
    weight: Setting
    reduction: Literal['mean', 'sum', 'none']


class KLDivergenceLoss(Loss):
    r"""Kullback-Leibler divergence between probabilities over the last axis.

    .. math:: w \cdot \sum_i p_i \log \frac{p_i}{q_i}, \quad p, q \text{ clipped to } [\epsilon, 1]

    A class form of `anomaly_kernels.kl_divergence`, which says what the arrays are.

    Parameters
    ----------
    epsilon : number or 0-d array, at least 0
        Probabilities are clipped to [epsilon, 1]. 0 is the exact divergence, with 0 log 0 = 0; it is infinite where q
        is 0 and p is not.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the rows.

    Notes
    -----
    The default clips as Keras does; then the divergence of disjoint one-hot rows is finite, and its gradient 0.

    References
    ----------
    .. [1] S. Kullback, R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics, 1951.
    """

    def __init__(self, *, epsilon: Setting = 1e-07, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> None: ...
    def forward(self, p_pred: Tensor, p_true: Tensor) -> Tensor: ...
    def __call__(self, p_pred: Tensor, p_true: Tensor) -> Tensor: ...
    epsilon: Setting
    weight: Setting
    reduction: Literal['mean', 'sum', 'none']


class DistillationLoss(Loss):
    r"""Distance of predicted probabilities from those of a teacher model, sharpened or softened by a temperature.

    .. math:: \operatorname{mean}\, D(p, q), \quad p_i \propto \operatorname{model}(x)_i^{1/T}, \quad
        D = \sum_i p_i \log \frac{p_i}{q_i} \text{ or } -\sum_i p_i \log q_i

    A class form of `anomaly_kernels.distillation_loss`, which says what the arrays are.

    Parameters
    ----------
    model : callable
        The teacher: returns probabilities (..., C) of `x_true`.
    loss_type : {"kld", "xent"}
        The Kullback-Leibler divergence, as `kl_divergence`; or the cross entropy, for which q is divided by its sum and
        clipped to [epsilon, 1 - epsilon].
    temperature : number or 0-d array, above 0
        T. The teacher's probabilities are raised to 1/T and renormalised over the last axis; at T = 1 they are taken
        as they are. It acts on the teacher alone.
    epsilon : number or 0-d array, at least 0
        Where probabilities are clipped; 0 is exact.
    reduction : {"mean", "sum", "none"}
        Over the rows.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531, 2015.
    """

    def __init__(self, model: Callable[[Any], Tensor], *, loss_type: Literal['kld', 'xent'] = 'kld', temperature: Setting = 1.0, epsilon: Setting = 1e-07, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> None: ...
    def forward(self, y_pred: Tensor, x_true: Tensor) -> Tensor: ...
    def __call__(self, y_pred: Tensor, x_true: Tensor) -> Tensor: ...
    model: Callable[[Any], Tensor]
    loss_type: Literal['kld', 'xent']
    temperature: Setting
    epsilon: Setting
    reduction: Literal['mean', 'sum', 'none']


class AdversarialAELoss(Loss):
    r"""Loss of an autoencoder that undoes adversarial attacks on a classifier.

    .. math:: w_m \left(\overline{D} + \sum_i w_i \overline{D_i}\right) +
        w_r \frac{\operatorname{std}(D)}{\operatorname{std}(e) + 10^{-10}} \operatorname{mean}(e), \quad
        D = \mathrm{KL}(\operatorname{model}(x)^{1/T} \,\|\, \operatorname{model}(\hat x)),\; e = (x - \hat x)^2

    A class form of `anomaly_kernels.adversarial_ae_loss`, which says what the arrays are.

    Parameters
    ----------
    model : callable
        The classifier: returns probabilities (..., C).
    model_hl : sequence of callables
        Models that return probabilities built on hidden layers; their divergences are added without a temperature.
    w_model : number or 0-d array
        Weight of the divergences.
    w_recon : number or 0-d array, at least 0
        Weight of the reconstruction error, which is brought to the spread of the divergences by their standard
        deviations (population ones).
    w_model_hl : sequence of numbers or 0-d arrays, optional
        Weights of the hidden-layer divergences, 1 each by default.
    temperature : number or 0-d array, above 0
        The classifier's probabilities of `x_true` are raised to 1/T and renormalised.
    epsilon : number or 0-d array, at least 0
        Probabilities are clipped to [epsilon, 1].
    reduction : {"mean", "sum", "none"}
        Over the samples. The standard deviations are those of all of them in each case.

    Notes
    -----
    Values and gradients are finite at perfect reconstruction and for a batch of one, where a standard deviation is 0.

    References
    ----------
    .. [1] G. Vacanti, A. Van Looveren, "Adversarial Detection and Correction by Matching Prediction Distributions",
       arXiv:2002.09364, 2020.
    """

    def __init__(self, model: Callable[[Any], Tensor], *, model_hl: Items[Callable[[Any], Tensor]] = (), w_model: Setting = 1.0, w_recon: Setting = 0.0, w_model_hl: Items[Setting] | None = None, temperature: Setting = 1.0, epsilon: Setting = 1e-07, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> None: ...
    def forward(self, x_pred: Tensor, x_true: Tensor) -> Tensor: ...
    def __call__(self, x_pred: Tensor, x_true: Tensor) -> Tensor: ...
    model: Callable[[Any], Tensor]
    model_hl: Items[Callable[[Any], Tensor]]
    w_model: Setting
    w_recon: Setting
    w_model_hl: Items[Setting] | None
    temperature: Setting
    epsilon: Setting
    reduction: Literal['mean', 'sum', 'none']


class AEGMMLoss(Loss):
    r"""Loss of an autoencoder with a Gaussian mixture on its latents (DAGMM).

    .. math:: \operatorname{mean}\left((x - \hat x)^2\right) + w_e \operatorname{mean} E(z) +
        w_c \sum_k \sum_d \frac{1}{\Sigma_{kdd}}

    A class form of `anomaly_kernels.aegmm_loss`, which says what the arrays are.

    Parameters
    ----------
    w_energy : number or 0-d array
        Weight of the mean energy.
    w_cov_diag : number or 0-d array
        Weight of the penalty on small variances.
    eps : number or 0-d array, at least 0
        Added to the diagonals of the covariances, for energy and penalty alike.

    Notes
    -----
    Components with no weight take no part, in the energy and in the penalty.

    References
    ----------
    .. [1] B. Zong et al., "Deep Autoencoding Gaussian Mixture Model for Unsupervised Anomaly Detection", ICLR, 2018,
       equation 7.
    """

    def __init__(self, *, w_energy: Setting = 0.1, w_cov_diag: Setting = 0.005, eps: Setting = 1e-06) -> None: ...
    def forward(self, x_pred: Tensor, x_true: Tensor, z: Tensor, gamma: Tensor) -> Tensor: ...
    def __call__(self, x_pred: Tensor, x_true: Tensor, z: Tensor, gamma: Tensor) -> Tensor: ...
    w_energy: Setting
    w_cov_diag: Setting
    eps: Setting


class VAEGMMLoss(Loss):
    r"""Loss of a variational autoencoder with a Gaussian mixture on its latents.

    .. math:: w_r \operatorname{mean}\left(-\log N(x; \hat x, \Sigma_x)\right) + w_e \operatorname{mean} E(z) +
        w_c \sum_k \sum_d \frac{1}{\Sigma_{kdd}}

    A class form of `anomaly_kernels.vaegmm_loss`, which says what the arrays are.

    Parameters
    ----------
    w_recon : number or 0-d array
        Weight of the reconstruction term, `elbo`.
    w_energy : number or 0-d array
        Weight of the mean energy.
    w_cov_diag : number or 0-d array
        Weight of the penalty on small variances.
    cov_full, cov_diag, scale_diag, sim : optional
        Covariance of the reconstruction, as in `elbo`; `sim` is 0.05 where none of them is given.
    eps : number or 0-d array, at least 0
        Added to the diagonals of the covariances, for energy and penalty alike.

    Notes
    -----
    Components with no weight take no part, in the energy and in the penalty.

    References
    ----------
    .. [1] B. Zong et al., "Deep Autoencoding Gaussian Mixture Model for Unsupervised Anomaly Detection", ICLR, 2018.
    .. [2] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR, 2014.
    """

    def __init__(self, *, w_recon: Setting = 1e-07, w_energy: Setting = 0.1, w_cov_diag: Setting = 0.005, cov_full: Array | None = None, cov_diag: Array | None = None, scale_diag: Array | None = None, sim: Setting | None = None, eps: Setting = 1e-06) -> None: ...
    def forward(self, x_pred: Tensor, x_true: Tensor, z: Tensor, gamma: Tensor) -> Tensor: ...
    def __call__(self, x_pred: Tensor, x_true: Tensor, z: Tensor, gamma: Tensor) -> Tensor: ...
    w_recon: Setting
    w_energy: Setting
    w_cov_diag: Setting
    cov_full: Array | None
    cov_diag: Array | None
    scale_diag: Array | None
    sim: Setting | None
    eps: Setting


class DeepSVDDLoss(Loss):
    r"""Squared distance of embeddings from a centre: one-class Deep SVDD.

    .. math:: w \cdot \operatorname{mean} \|z - c\|^2

    A class form of `anomaly_kernels.deep_svdd_loss`, which says what the arrays are.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the embeddings.

    References
    ----------
    .. [1] L. Ruff et al., "Deep One-Class Classification", ICML, 2018, equation 4.
    """

    def __init__(self, *, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> None: ...
    def forward(self, embeddings: Tensor, center: Tensor) -> Tensor: ...
    def __call__(self, embeddings: Tensor, center: Tensor) -> Tensor: ...
    weight: Setting
    reduction: Literal['mean', 'sum', 'none']


class DeepSVDDSoftBoundaryLoss(SoftBoundary):
    r"""Volume of a hypersphere and the distances of the embeddings outside it: soft-boundary Deep SVDD.

    .. math:: w \left(R^2 + \frac 1\nu \operatorname{mean} \max(0, \|z - c\|^2 - R^2)\right)

    A class form of `anomaly_kernels.deep_svdd_soft_boundary_loss`, which says what the arrays are.

    Parameters
    ----------
    nu : number or 0-d array, above 0 and below 1
        Upper bound ν of the fraction of embeddings outside the sphere, lower bound of those on or outside it.
    weight : number or 0-d array
        Factor w of the result.

    References
    ----------
    .. [1] L. Ruff et al., "Deep One-Class Classification", ICML, 2018, equation 3.
    """

    def __init__(self, *, nu: Setting = 0.05, weight: Setting = 1.0) -> None: ...
    def forward(self, embeddings: Tensor, center: Tensor) -> Tensor: ...
    def __call__(self, embeddings: Tensor, center: Tensor) -> Tensor: ...
    nu: Setting
    weight: Setting


class AnomalyBCEWithLogits(Loss):
    r"""Binary cross entropy of logits.

    .. math:: w \cdot \operatorname{mean}\left(p\,y \log(1 + e^{-x}) + (1 - y) \log(1 + e^{x})\right)

    A class form of `anomaly_kernels.anomaly_bce_with_logits`, which says what the arrays are.

    Parameters
    ----------
    pos_weight : number or 0-d array, optional
        Factor p of the term of the anomalies, 1 by default.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Notes
    -----
    Computed as :math:`\max(x, 0) - x y + \log(1 + e^{-|x|})`, finite at any logit; its slope is sigmoid(x) - y.
    torch's own operation stands in for it there, in which a confident, right negative adds nothing: 0 for the 4e-8 of a
    logit of -17 in float32.

    References
    ----------
    .. [1] I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", MIT Press, 2016, section 6.2.2.2.
    """

    def __init__(self, *, pos_weight: Setting | None = None, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> None: ...
    def forward(self, logit: Tensor, target: Tensor) -> Tensor: ...
    def __call__(self, logit: Tensor, target: Tensor) -> Tensor: ...
    pos_weight: Setting | None
    weight: Setting
    reduction: Literal['mean', 'sum', 'none']


class IoULoss(Loss):
    r"""One minus the intersection over union of a soft mask and the true one (Jaccard loss).

    .. math:: w \left(1 - \frac{\sum q y + s}{\sum (q + y - q y) + s}\right)

    A class form of `anomaly_kernels.iou_loss`, which says what the arrays are.

    Parameters
    ----------
    normalize_method : {"sigmoid", "clamp", "minmax"}
        q = sigmoid(score); or the score clipped to [0, 1]; or (score - min)/(max - min), 0.5 where all are equal.
    smooth : number or 0-d array, at least 0
        s. With 0 the loss of two empty masks is 0, its limit.
    axis : int or tuple of ints, optional
        The axes to pool sums (and minimum and maximum) over, all by default. With the axes of an image each image of a
        batch has its own loss.
    weight : number or 0-d array
        Factor w of the result.

    References
    ----------
    .. [1] M. A. Rahman, Y. Wang, "Optimizing Intersection-over-Union in Deep Neural Networks for Image Segmentation",
       ISVC, 2016.
    """

    def __init__(self, *, normalize_method: Literal['sigmoid', 'clamp', 'minmax'] = 'sigmoid', smooth: Setting = 1e-06, axis: SupportsIndex | Sequence[SupportsIndex] | None = None, weight: Setting = 1.0) -> None: ...
    def forward(self, score: Tensor, target: Tensor) -> Tensor: ...
    def __call__(self, score: Tensor, target: Tensor) -> Tensor: ...
    normalize_method: Literal['sigmoid', 'clamp', 'minmax']
    smooth: Setting
    axis: SupportsIndex | Sequence[SupportsIndex] | None
    weight: Setting


class OrthogonalityLoss(Loss):
    r"""Squared distance of the Gram matrix of components from the identity.

    .. math:: w \|W W^\top - I\|_F^2

    A class form of `anomaly_kernels.orthogonality_loss`, which says what the arrays are.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.

    Notes
    -----
    With more rows than columns the smaller Gram matrix is used: it differs by K - C.

    References
    ----------
    .. [1] A. Brock et al., "Neural Photo Editing with Introspective Adversarial Networks", ICLR, 2017, section 3.3.
    """

    def __init__(self, *, weight: Setting = 1.0) -> None: ...
    def forward(self, components: Tensor) -> Tensor: ...
    def __call__(self, components: Tensor) -> Tensor: ...
    weight: Setting


class DistinctnessLoss(Loss):
    r"""Mean cosine similarity of all pairs of selectors.

    .. math:: w \cdot \frac{2}{K(K - 1)} \sum_{i<j} u_i^\top u_j, \quad u_i = \frac{s_i}{\max(\|s_i\|, \epsilon)}

    A class form of `anomaly_kernels.distinctness_loss`, which says what the arrays are.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    eps : number or 0-d array, at least 0
        Norms below it are replaced by it.

    Notes
    -----
    Computed from the sum of the unit rows, without the K × K matrix of cosines.

    References
    ----------
    .. [1] M. Cogswell et al., "Reducing Overfitting in Deep Networks by Decorrelating Representations", ICLR, 2016.
    """

    def __init__(self, *, weight: Setting = 0.1, eps: Setting = 1e-06) -> None: ...
    def forward(self, selection_weights: Tensor) -> Tensor: ...
    def __call__(self, selection_weights: Tensor) -> Tensor: ...
    weight: Setting
    eps: Setting


class SelectorEntropyRegularizer(Loss):
    r"""Entropy of selection weights, to be raised or brought to a target.

    .. math:: -w H \text{ or } w (H - H^*)^2, \quad H = -\sum_i p_i \log(p_i + \epsilon), \quad
        p_i = \frac{w_i}{\sum_j w_j + \epsilon}

    A class form of `anomaly_kernels.selector_entropy_regularizer`, which says what the arrays are.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.
    target_entropy : number or 0-d array, optional
        The entropy H* to aim at, in nats; without it the result is -w H, and lower means more even weights.
    eps : number or 0-d array, at least 0
        ε; 0 gives the exact entropy, with 0 log 0 = 0.

    References
    ----------
    .. [1] C. E. Shannon, "A Mathematical Theory of Communication", Bell System Technical Journal, 1948.
    """

    def __init__(self, *, weight: Setting = 0.01, target_entropy: Setting | None = None, eps: Setting = 1e-06) -> None: ...
    def forward(self, weights: Tensor) -> Tensor: ...
    def __call__(self, weights: Tensor) -> Tensor: ...
    weight: Setting
    target_entropy: Setting | None
    eps: Setting


class SelectorDiversityRegularizer(Loss):
    r"""Variance of selection weights, with a minus sign: lower means more concentrated weights.

    .. math:: -w \cdot \operatorname{mean}\left((w_i - \bar w)^2\right)

    A class form of `anomaly_kernels.selector_diversity_regularizer`, which says what the arrays are.

    Parameters
    ----------
    weight : number or 0-d array
        Factor w of the result.

    Notes
    -----
    To be minimised: it rewards weights that are far from even. The variance is that of a population.

    References
    ----------
    .. [1] cuvis-ai documentation, "SelectorDiversityRegularizer", Cubert GmbH.
    """

    def __init__(self, *, weight: Setting = 0.01) -> None: ...
    def forward(self, weights: Tensor) -> Tensor: ...
    def __call__(self, weights: Tensor) -> Tensor: ...
    weight: Setting


class AdaptiveQuantileLoss(Loss):
    r"""Pinball loss of quantile forecasts.

    .. math:: w \cdot \operatorname{mean} \max(\tau e, (\tau - 1) e), \quad e = y - \hat y_\tau

    A class form of `anomaly_kernels.quantile_loss`, which says what the arrays are.

    Parameters
    ----------
    quantiles : sequence of Q numbers in [0, 1]
        The levels τ.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements of `y_pred`.

    Notes
    -----
    A mean over quantiles: the continuous ranked probability score is approximated by twice this value.

    References
    ----------
    .. [1] R. Koenker, G. Bassett, "Regression Quantiles", Econometrica, 1978.
    """

    def __init__(self, quantiles: Items[float], *, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> None: ...
    def forward(self, y_pred: Tensor, y_true: Tensor) -> Tensor: ...
    def __call__(self, y_pred: Tensor, y_true: Tensor) -> Tensor: ...
    quantiles: Items[float]
    weight: Setting
    reduction: Literal['mean', 'sum', 'none']


class MultiObjectiveLoss(Loss):
    r"""Pinball loss of a forecast plus the mean of squared anomaly scores.

    .. math:: \operatorname{mean} \max(\tau e, (\tau - 1) e) + w \cdot \operatorname{mean}(a^2)

    A class form of `anomaly_kernels.multi_objective_loss`, which says what the arrays are.

    Parameters
    ----------
    quantiles : sequence of Q numbers in [0, 1]
        The levels τ.
    anomaly_weight : number or 0-d array
        Factor w of the second term.

    References
    ----------
    .. [1] R. Koenker, G. Bassett, "Regression Quantiles", Econometrica, 1978.
    """

    def __init__(self, quantiles: Items[float], *, anomaly_weight: Setting = 1.0) -> None: ...
    def forward(self, y_pred: Tensor, y_true: Tensor, anomaly_scores: Tensor | None = None) -> Tensor: ...
    def __call__(self, y_pred: Tensor, y_true: Tensor, anomaly_scores: Tensor | None = None) -> Tensor: ...
    quantiles: Items[float]
    anomaly_weight: Setting
