"""Every function under its own name, jitted. Settings are static only where a shape or a branch depends on them.

Numbers are traced: another weight or temperature compiles nothing anew. Names of options, axes, quantiles and models
are static. A model that is made anew for each call, such as a lambda, is compiled for each call; one given as
``jax.tree_util.Partial(apply, params)`` is compiled once, and its parameters are traced. Of any other model, which must
have a hash, the state is that of the first call.

The metric classes are pytrees. `precision_recall_curve` and `roc_curve` have as many points as there are distinct
scores, and are not jitted.
"""

# Written by tests/stubs.py: `make stubs`.

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, SupportsIndex

from jax import Array
from jax import Array as Tensor

from anomaly_kernels._core.typing import Items
from anomaly_kernels.jax.metrics import AnomalyDetectionMetrics as AnomalyDetectionMetrics
from anomaly_kernels.jax.metrics import AnomalyPixelStatisticsMetric as AnomalyPixelStatisticsMetric
from anomaly_kernels.jax.metrics import ComponentOrthogonalityMetric as ComponentOrthogonalityMetric
from anomaly_kernels.jax.metrics import ExplainedVarianceMetric as ExplainedVarianceMetric
from anomaly_kernels.jax.metrics import ScoreStatisticsMetric as ScoreStatisticsMetric
from anomaly_kernels.jax.metrics import SelectorDiversityMetric as SelectorDiversityMetric
from anomaly_kernels.jax.metrics import SelectorEntropyMetric as SelectorEntropyMetric
from anomaly_kernels.jax.networks import lstm_autoencoder_apply as lstm_autoencoder_apply
from anomaly_kernels.jax.networks import lstm_autoencoder_init as lstm_autoencoder_init
from anomaly_kernels.jax.networks import sequence_anomaly_score_apply as sequence_anomaly_score_apply
from anomaly_kernels.jax.networks import sequence_anomaly_score_init as sequence_anomaly_score_init
from anomaly_kernels.losses.mixture import GMMParams as GMMParams
from anomaly_kernels.metrics.counts import DetectionMetrics as DetectionMetrics
from anomaly_kernels.metrics.counts import PixelStatistics as PixelStatistics
from anomaly_kernels.metrics.ranking.curves import PrecisionRecallCurve as PrecisionRecallCurve
from anomaly_kernels.metrics.ranking.curves import ROCCurve as ROCCurve
from anomaly_kernels.metrics.ranking.decisions import BestF1 as BestF1
from anomaly_kernels.metrics.statistics import ComponentOrthogonality as ComponentOrthogonality
from anomaly_kernels.metrics.statistics import ExplainedVariance as ExplainedVariance
from anomaly_kernels.metrics.statistics import ScoreStatistics as ScoreStatistics
from anomaly_kernels.metrics.statistics import SelectorDiversity as SelectorDiversity

Setting = float | Array


def adversarial_ae_loss(x_true: Array, x_pred: Array, *, model: Callable[[Any], Tensor], model_hl: Items[Callable[[Any], Tensor]] = (), w_model: Setting = 1.0, w_recon: Setting = 0.0, w_model_hl: Items[Setting] | None = None, temperature: Setting = 1.0, epsilon: Setting = 1e-07, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> Array:
    r"""Loss of an autoencoder that undoes adversarial attacks on a classifier.

    .. math:: w_m \left(\overline{D} + \sum_i w_i \overline{D_i}\right) +
        w_r \frac{\operatorname{std}(D)}{\operatorname{std}(e) + 10^{-10}} \operatorname{mean}(e), \quad
        D = \mathrm{KL}(\operatorname{model}(x)^{1/T} \,\|\, \operatorname{model}(\hat x)),\; e = (x - \hat x)^2

    Parameters
    ----------
    x_true, x_pred : array, (B, ...)
        Data x and their reconstruction, of equal shapes.
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

    Returns
    -------
    array
        0-d, or with ``"none"`` one value per sample, (B,), whose mean is the loss.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If shapes differ, `w_model_hl` is not as long as `model_hl`, a setting is out of its range, or there is no row
        for each sample where `reduction` asks for samples.

    Notes
    -----
    Values and gradients are finite at perfect reconstruction and for a batch of one, where a standard deviation is 0.

    References
    ----------
    .. [1] G. Vacanti, A. Van Looveren, "Adversarial Detection and Correction by Matching Prediction Distributions",
       arXiv:2002.09364, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> x, y = np.asarray([[0.8, 0.2]]), np.asarray([[0.6, 0.4]])
    >>> round(float(ak.adversarial_ae_loss(x, y, model=lambda x: x)), 6)
    0.091516
    """
    ...


def aegmm_loss(x_true: Array, x_pred: Array, z: Array, gamma: Array, *, w_energy: Setting = 0.1, w_cov_diag: Setting = 0.005, eps: Setting = 1e-06) -> Array:
    r"""Loss of an autoencoder with a Gaussian mixture on its latents (DAGMM).

    .. math:: \operatorname{mean}\left((x - \hat x)^2\right) + w_e \operatorname{mean} E(z) +
        w_c \sum_k \sum_d \frac{1}{\Sigma_{kdd}}

    Parameters
    ----------
    x_true, x_pred : array, any shape
        Data and their reconstruction, of equal shapes.
    z : array, (N, D)
        Latent vectors.
    gamma : array, (N, K)
        Memberships, used as given.
    w_energy : number or 0-d array
        Weight of the mean energy.
    w_cov_diag : number or 0-d array
        Weight of the penalty on small variances.
    eps : number or 0-d array, at least 0
        Added to the diagonals of the covariances, for energy and penalty alike.

    Returns
    -------
    array, 0-d

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes do not fit, a setting is out of its range, or there is nothing to average over.

    Notes
    -----
    Components with no weight take no part, in the energy and in the penalty.

    References
    ----------
    .. [1] B. Zong et al., "Deep Autoencoding Gaussian Mixture Model for Unsupervised Anomaly Detection", ICLR, 2018,
       equation 7.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> x, z, gamma = np.zeros((2, 3)), np.asarray([[0.0], [2.0]]), np.ones((2, 1))
    >>> round(float(ak.aegmm_loss(x, x + 1.0, z, gamma, eps=0)), 6)
    1.146894
    """
    ...


def anomaly_bce_with_logits(target: Array, logit: Array, *, pos_weight: Setting | None = None, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> Array:
    r"""Binary cross entropy of logits.

    .. math:: w \cdot \operatorname{mean}\left(p\,y \log(1 + e^{-x}) + (1 - y) \log(1 + e^{x})\right)

    Parameters
    ----------
    target : array, any shape
        Truth y: booleans, 0 and 1, or probabilities of an anomaly.
    logit : array, shape of `target`
        Logits x, unbounded; the probability of an anomaly is sigmoid(x).
    pos_weight : number or 0-d array, optional
        Factor p of the term of the anomalies, 1 by default.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Returns
    -------
    array
        In nats; 0-d, or with ``"none"`` one value per element.

    Raises
    ------
    TypeError
        If `logit` is not a floating point array, or the arrays belong to different libraries.
    ValueError
        If the shapes differ, a setting is out of its range, or there is nothing to average over.

    Notes
    -----
    Computed as :math:`\max(x, 0) - x y + \log(1 + e^{-|x|})`, finite at any logit; its slope is sigmoid(x) - y.
    torch's own operation stands in for it there, in which a confident, right negative adds nothing: 0 for the 4e-8 of a
    logit of -17 in float32.

    References
    ----------
    .. [1] I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", MIT Press, 2016, section 6.2.2.2.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, x = np.asarray([True, False]), np.asarray([0.0, -1000.0])
    >>> ak.anomaly_bce_with_logits(y, x, reduction="none").round(6)
    array([0.693147, 0.      ])
    """
    ...


def covariance_penalty(cov: Array) -> Array:
    r"""Sum of the reciprocal variances of a mixture, which keeps its components from collapsing.

    .. math:: \sum_k \sum_d \frac{1}{\Sigma_{kdd}}

    Parameters
    ----------
    cov : array, (..., D, D)
        Covariances.

    Returns
    -------
    array, 0-d

    Raises
    ------
    TypeError
        If `cov` is not a floating point array.
    ValueError
        If its matrices are not square.

    References
    ----------
    .. [1] B. Zong et al., "Deep Autoencoding Gaussian Mixture Model for Unsupervised Anomaly Detection", ICLR, 2018,
       section 3.4.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> float(ak.covariance_penalty(np.asarray([[[0.5, 0.0], [0.0, 4.0]]])))
    2.25
    """
    ...


def deep_svdd_loss(embeddings: Array, center: Array, *, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> Array:
    r"""Squared distance of embeddings from a centre: one-class Deep SVDD.

    .. math:: w \cdot \operatorname{mean} \|z - c\|^2

    Parameters
    ----------
    embeddings : array, (..., D)
        Embeddings z of normal data.
    center : array, (D,)
        Centre c of the hypersphere.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the embeddings.

    Returns
    -------
    array
        In squared units of the embeddings; 0-d, or with ``"none"`` the shape without the last axis.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes do not fit, `reduction` is unknown, or there is nothing to average over.

    References
    ----------
    .. [1] L. Ruff et al., "Deep One-Class Classification", ICML, 2018, equation 4.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> float(ak.deep_svdd_loss(np.asarray([[3.0, 4.0], [0.0, 1.0]]), np.zeros(2)))
    13.0
    """
    ...


def deep_svdd_soft_boundary_loss(embeddings: Array, center: Array, radius: Setting, *, nu: Setting = 0.05, weight: Setting = 1.0) -> Array:
    r"""Volume of a hypersphere and the distances of the embeddings outside it: soft-boundary Deep SVDD.

    .. math:: w \left(R^2 + \frac 1\nu \operatorname{mean} \max(0, \|z - c\|^2 - R^2)\right)

    Parameters
    ----------
    embeddings : array, (..., D)
        Embeddings z of normal data.
    center : array, (D,)
        Centre c of the hypersphere.
    radius : 0-d array or number
        Radius R, usually learnt: see `svdd_radius`.
    nu : number or 0-d array, above 0 and below 1
        Upper bound ν of the fraction of embeddings outside the sphere, lower bound of those on or outside it.
    weight : number or 0-d array
        Factor w of the result.

    Returns
    -------
    array, 0-d
        In squared units of the embeddings.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes do not fit, `nu` is out of its range, or there is nothing to average over.

    References
    ----------
    .. [1] L. Ruff et al., "Deep One-Class Classification", ICML, 2018, equation 3.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> z, c = np.asarray([[3.0, 4.0], [0.0, 1.0]]), np.zeros(2)
    >>> float(ak.deep_svdd_soft_boundary_loss(z, c, 2.0, nu=0.5))
    25.0
    """
    ...


def distillation_loss(x_true: Any, y_pred: Array, *, model: Callable[[Any], Tensor], loss_type: Literal['kld', 'xent'] = 'kld', temperature: Setting = 1.0, epsilon: Setting = 1e-07, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> Array:
    r"""Distance of predicted probabilities from those of a teacher model, sharpened or softened by a temperature.

    .. math:: \operatorname{mean}\, D(p, q), \quad p_i \propto \operatorname{model}(x)_i^{1/T}, \quad
        D = \sum_i p_i \log \frac{p_i}{q_i} \text{ or } -\sum_i p_i \log q_i

    Parameters
    ----------
    x_true : array
        What the teacher is given.
    y_pred : array, (..., C)
        Predicted probabilities q.
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

    Returns
    -------
    array
        In nats; 0-d, or with ``"none"`` the shape without the last axis.

    Raises
    ------
    TypeError
        If `y_pred` is not a floating point array, or the model returns another library's.
    ValueError
        If the model's output and `y_pred` differ in shape, or a setting is out of its range.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> p, q = np.asarray([[0.8, 0.2]]), np.asarray([[0.6, 0.4]])
    >>> round(float(ak.distillation_loss(p, q, model=lambda x: x, temperature=2.0)), 6)
    0.009466
    """
    ...


def distinctness_loss(selection_weights: Array, *, weight: Setting = 0.1, eps: Setting = 1e-06) -> Array:
    r"""Mean cosine similarity of all pairs of selectors.

    .. math:: w \cdot \frac{2}{K(K - 1)} \sum_{i<j} u_i^\top u_j, \quad u_i = \frac{s_i}{\max(\|s_i\|, \epsilon)}

    Parameters
    ----------
    selection_weights : array, (K, C)
        Selectors s, one a row.
    weight : number or 0-d array
        Factor w of the result.
    eps : number or 0-d array, at least 0
        Norms below it are replaced by it.

    Returns
    -------
    array, 0-d
        Between -w/(K - 1) and w; 0 for fewer than two selectors.

    Raises
    ------
    TypeError
        If `selection_weights` is not a floating point array.
    ValueError
        If it has not two dimensions, or one of size 0, or a setting is out of its range.

    Notes
    -----
    Computed from the sum of the unit rows, without the K × K matrix of cosines.

    References
    ----------
    .. [1] M. Cogswell et al., "Reducing Overfitting in Deep Networks by Decorrelating Representations", ICLR, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> float(ak.distinctness_loss(np.asarray([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]]), weight=3.0))
    1.0
    """
    ...


def elbo(y_true: Array, y_pred: Array, *, cov_full: Array | None = None, cov_diag: Array | None = None, scale_diag: Array | None = None, sim: Setting | None = None, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> Array:
    r"""Negative log likelihood of data under a Gaussian around their reconstruction.

    .. math:: -w \log N(y; \hat y, \Sigma) = \frac w2 \left((y - \hat y)^\top \Sigma^{-1} (y - \hat y) +
        \log\det\Sigma + D \log 2\pi\right)

    Parameters
    ----------
    y_true, y_pred : array, (B, ...)
        Data y and their reconstruction, of equal shapes; each sample is flattened to D numbers.
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

    Returns
    -------
    array
        In nats; 0-d, or with ``"none"`` one value per sample, (B,).

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If more than one of the four forms of Σ is given, shapes do not fit, `sim` is not above 0, or there is nothing
        to average over.

    Notes
    -----
    Without any of the four Σ is the identity. This is the reconstruction term of an evidence lower bound; the other
    one is `gaussian_kl`. It is negative where the density is above 1. Where Σ is not positive definite the result is
    NaN (JAX, TensorFlow) or the library raises its Cholesky error (NumPy, torch).

    References
    ----------
    .. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y = np.zeros((1, 3))
    >>> round(float(ak.elbo(y, y, cov_diag=np.asarray([0.25, 1.0, 4.0]))), 6)
    2.756816
    """
    ...


def gaussian_kl(mean: Array, log_var: Array, *, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> Array:
    r"""Kullback-Leibler divergence of a diagonal Gaussian from the standard one.

    .. math:: w \cdot \mathrm{KL}(N(\mu, \sigma^2) \,\|\, N(0, I)) =
        \frac w2 \sum_d \left(\mu_d^2 + \sigma_d^2 - 1 - \log \sigma_d^2\right)

    Parameters
    ----------
    mean, log_var : array, (..., D)
        Means μ and logarithms of the variances σ² of the latent Gaussian, of equal shapes.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the samples.

    Returns
    -------
    array
        In nats; 0-d, or with ``"none"`` one value per sample, the shape without the last axis.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ, `reduction` is unknown, or there is nothing to average over.

    References
    ----------
    .. [1] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR, 2014, appendix B.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> float(ak.gaussian_kl(np.asarray([[1.0, 2.0]]), np.zeros((1, 2))))
    2.5
    """
    ...


def gmm_energy(z: Array, params: GMMParams, *, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> Array:
    r"""Energy of samples under a Gaussian mixture, their negative log likelihood: the anomaly score of DAGMM.

    .. math:: E(z) = -\log \sum_k \phi_k N(z; \mu_k, \Sigma_k)

    Parameters
    ----------
    z : array, (N, D)
        Latent vectors.
    params : GMMParams
        The mixture, of `gmm_params` or the user's own; `phi`, `mu`, `chol` and `log_det_cov` are used.
    reduction : {"mean", "sum", "none"}
        Over the samples.

    Returns
    -------
    array
        In nats; 0-d, or with ``"none"`` one value per sample, (N,). Higher means more anomalous.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes do not fit, `reduction` is unknown, or there is nothing to average over.

    Notes
    -----
    A component whose phi is 0 takes no part. The constant D/2 log 2π is included.

    References
    ----------
    .. [1] B. Zong et al., "Deep Autoencoding Gaussian Mixture Model for Unsupervised Anomaly Detection", ICLR, 2018,
       equation 6.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> z = np.asarray([[0.0], [2.0]])
    >>> params = ak.gmm_params(z, np.ones((2, 1)), eps=0)
    >>> round(float(ak.gmm_energy(z, params)), 6)
    1.418939
    """
    ...


def gmm_params(z: Array, gamma: Array, *, eps: Setting = 1e-06) -> GMMParams:
    r"""Parameters of a Gaussian mixture from soft memberships.

    .. math:: \phi_k = \frac{1}{N} \sum_n \gamma_{nk}, \quad
        \mu_k = \frac{\sum_n \gamma_{nk} z_n}{\sum_n \gamma_{nk}}, \quad
        \Sigma_k = \frac{\sum_n \gamma_{nk} (z_n - \mu_k)(z_n - \mu_k)^\top}{\sum_n \gamma_{nk}} + \epsilon I

    Parameters
    ----------
    z : array, (N, D)
        Latent vectors.
    gamma : array, (N, K)
        Memberships, not negative, usually with rows that sum to 1; they are used as given.
    eps : number or 0-d array, at least 0
        ε, added to the diagonals of the covariances.

    Returns
    -------
    GMMParams
        phi (K,), mu (K, D), cov (K, D, D), chol (K, D, D) and log_det_cov (K,), with chol · cholᵀ = cov.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes do not fit, there are no samples, or `eps` is negative.

    Notes
    -----
    A component with no weight has phi 0, mu 0 and cov ε I. Memory beyond the result is that of a block of samples where
    no gradient is recorded, and of z otherwise: N × K × D × D arrays are never formed.

    References
    ----------
    .. [1] B. Zong et al., "Deep Autoencoding Gaussian Mixture Model for Unsupervised Anomaly Detection", ICLR, 2018,
       equation 5.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> params = ak.gmm_params(np.asarray([[0.0], [2.0]]), np.ones((2, 1)), eps=0)
    >>> params.mu.tolist(), params.cov.tolist()
    ([[1.0]], [[[1.0]]])
    """
    ...


def iou_loss(target: Array, score: Array, *, normalize_method: Literal['sigmoid', 'clamp', 'minmax'] = 'sigmoid', smooth: Setting = 1e-06, axis: SupportsIndex | Sequence[SupportsIndex] | None = None, weight: Setting = 1.0) -> Array:
    r"""One minus the intersection over union of a soft mask and the true one (Jaccard loss).

    .. math:: w \left(1 - \frac{\sum q y + s}{\sum (q + y - q y) + s}\right)

    Parameters
    ----------
    target : array, any shape
        True mask y: booleans, 0 and 1, or values between.
    score : array, shape of `target`
        Scores of which the soft mask q is made.
    normalize_method : {"sigmoid", "clamp", "minmax"}
        q = sigmoid(score); or the score clipped to [0, 1]; or (score - min)/(max - min), 0.5 where all are equal.
    smooth : number or 0-d array, at least 0
        s. With 0 the loss of two empty masks is 0, its limit.
    axis : int or tuple of ints, optional
        The axes to pool sums (and minimum and maximum) over, all by default. With the axes of an image each image of a
        batch has its own loss.
    weight : number or 0-d array
        Factor w of the result.

    Returns
    -------
    array
        Between 0 and w; 0-d, or with `axis` the shape without these axes.

    Raises
    ------
    TypeError
        If `score` is not a floating point array, or the arrays belong to different libraries.
    ValueError
        If the shapes differ, a setting is out of its range, or there is nothing to pool over.

    References
    ----------
    .. [1] M. A. Rahman, Y. Wang, "Optimizing Intersection-over-Union in Deep Neural Networks for Image Segmentation",
       ISVC, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, q = np.asarray([1.0, 1.0, 0.0]), np.asarray([1.0, 0.0, 0.0])
    >>> float(ak.iou_loss(y, q, normalize_method="clamp", smooth=0))
    0.5
    """
    ...


def kl_divergence(p_true: Array, p_pred: Array, *, epsilon: Setting = 1e-07, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> Array:
    r"""Kullback-Leibler divergence between probabilities over the last axis.

    .. math:: w \cdot \sum_i p_i \log \frac{p_i}{q_i}, \quad p, q \text{ clipped to } [\epsilon, 1]

    Parameters
    ----------
    p_true, p_pred : array, (..., C)
        True probabilities p and predicted ones q, of equal shapes. They are not renormalised.
    epsilon : number or 0-d array, at least 0
        Probabilities are clipped to [epsilon, 1]. 0 is the exact divergence, with 0 log 0 = 0; it is infinite where q
        is 0 and p is not.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the rows.

    Returns
    -------
    array
        In nats; 0-d, or with ``"none"`` the shape without the last axis.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ, a setting is out of its range, or there is nothing to average over.

    Notes
    -----
    The default clips as Keras does; then the divergence of disjoint one-hot rows is finite, and its gradient 0.

    References
    ----------
    .. [1] S. Kullback, R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical Statistics, 1951.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> p, q = np.asarray([[0.5, 0.5]]), np.asarray([[0.25, 0.75]])
    >>> round(float(ak.kl_divergence(p, q, epsilon=0)), 6)
    0.143841
    """
    ...


def mean_squared_anomaly(scores: Array, *, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> Array:
    r"""Mean of squared anomaly scores, which pulls the scores of normal data towards zero.

    .. math:: w \cdot \operatorname{mean}(a^2)

    Parameters
    ----------
    scores : array, any shape, usually (B, H, D)
        Anomaly scores a of normal data.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Returns
    -------
    array
        0-d, or with ``"none"`` one value per score.

    Raises
    ------
    TypeError
        If `scores` is not a floating point array.
    ValueError
        If `reduction` is unknown, or there is nothing to average over.

    References
    ----------
    The anomaly term of the loss of [1]_.

    .. [1] L. Kouadio, fusionlab-learn documentation, "Anomaly Detection Losses".

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> float(ak.mean_squared_anomaly(np.asarray([1.0, 3.0]), weight=0.5))
    2.5
    """
    ...


def mse_reconstruction_loss(x_true: Array, x_pred: Array, *, weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> Array:
    r"""Mean squared error of a reconstruction.

    .. math:: w \cdot \operatorname{mean}\left((x - \hat x)^2\right)

    Parameters
    ----------
    x_true, x_pred : array, any shape
        Data x and their reconstruction, of equal shapes.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Returns
    -------
    array
        0-d, or with ``"none"`` one value per element.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ, `reduction` is unknown, or there is nothing to average over.

    References
    ----------
    .. [1] C. M. Bishop, "Pattern Recognition and Machine Learning", Springer, 2006, section 1.1.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> x = np.asarray([[0.0, 1.0], [2.0, 3.0]])
    >>> float(ak.mse_reconstruction_loss(x, x + 0.5))
    0.25
    """
    ...


def multi_objective_loss(y_true: Array, y_pred: Array, anomaly_scores: Array | None = None, *, quantiles: Items[float], anomaly_weight: Setting = 1.0) -> Array:
    r"""Pinball loss of a forecast plus the mean of squared anomaly scores.

    .. math:: \operatorname{mean} \max(\tau e, (\tau - 1) e) + w \cdot \operatorname{mean}(a^2)

    Parameters
    ----------
    y_true : array, (B, H, O)
        Observations.
    y_pred : array, (B, H, Q, O)
        Forecasts of the Q quantiles.
    anomaly_scores : array, any shape, optional
        Anomaly scores a; without them the loss is `quantile_loss` alone.
    quantiles : sequence of Q numbers in [0, 1]
        The levels τ.
    anomaly_weight : number or 0-d array
        Factor w of the second term.

    Returns
    -------
    array, 0-d

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        As `quantile_loss`.

    References
    ----------
    .. [1] R. Koenker, G. Bassett, "Regression Quantiles", Econometrica, 1978.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, forecast = np.full((1, 1, 1), 2.0), np.full((1, 1, 1, 1), 1.0)
    >>> float(ak.multi_objective_loss(y, forecast, np.asarray([2.0]), quantiles=[0.5], anomaly_weight=0.25))
    1.5
    """
    ...


def orthogonality_loss(components: Array, *, weight: Setting = 1.0) -> Array:
    r"""Squared distance of the Gram matrix of components from the identity.

    .. math:: w \|W W^\top - I\|_F^2

    Parameters
    ----------
    components : array, (K, C)
        Components W, one a row.
    weight : number or 0-d array
        Factor w of the result.

    Returns
    -------
    array, 0-d
        0 where the rows are orthonormal.

    Raises
    ------
    TypeError
        If `components` is not a floating point array.
    ValueError
        If it has not two dimensions, or one of size 0.

    Notes
    -----
    With more rows than columns the smaller Gram matrix is used: it differs by K - C.

    References
    ----------
    .. [1] A. Brock et al., "Neural Photo Editing with Introspective Adversarial Networks", ICLR, 2017, section 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> float(ak.orthogonality_loss(np.asarray([[1.0, 0.0], [0.0, 2.0]])))
    9.0
    """
    ...


def prediction_error_score(y_true: Array, y_pred: Array, *, error_metric: Literal['mae', 'mse'] = 'mae', aggregation: Literal['mean', 'max'] = 'mean') -> Array:
    r"""Error of the forecast of each sample: the anomaly score of a forecaster.

    .. math:: s_b = \operatorname{agg}_t \operatorname{mean}_f |y_{btf} - \hat y_{btf}|^p

    Parameters
    ----------
    y_true, y_pred : array, (B, T, F)
        Observations and predictions, of equal shapes.
    error_metric : {"mae", "mse"}
        Absolute error (p = 1) or squared error (p = 2), averaged over the features of a step.
    aggregation : {"mean", "max"}
        How the errors of the steps become one.

    Returns
    -------
    array, (B,)
        In units of the data (``"mae"``) or their squares. Higher means more anomalous.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ or are not (B, T, F), a setting is unknown, or a sample is empty.

    References
    ----------
    .. [1] P. Malhotra et al., "Long Short Term Memory Networks for Anomaly Detection in Time Series", ESANN, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y = np.asarray([[[0.0], [1.0], [2.0]]])
    >>> ak.prediction_error_score(y, y + np.asarray([[[0.0], [3.0], [0.0]]]), aggregation="max")
    array([3.])
    """
    ...


def quantile_loss(y_true: Array, y_pred: Array, *, quantiles: Items[float], weight: Setting = 1.0, reduction: Literal['mean', 'sum', 'none'] = 'mean') -> Array:
    r"""Pinball loss of quantile forecasts.

    .. math:: w \cdot \operatorname{mean} \max(\tau e, (\tau - 1) e), \quad e = y - \hat y_\tau

    Parameters
    ----------
    y_true : array, (B, H, O)
        Observations y over a horizon of H steps.
    y_pred : array, (B, H, Q, O)
        Forecasts of the Q quantiles.
    quantiles : sequence of Q numbers in [0, 1]
        The levels τ.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements of `y_pred`.

    Returns
    -------
    array
        In units of the data; 0-d, or with ``"none"`` one value per forecast, (B, H, Q, O).

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries, or `quantiles` is no sequence
        of numbers.
    ValueError
        If the shapes do not fit, a quantile lies outside [0, 1], or there is nothing to average over.

    Notes
    -----
    A mean over quantiles: the continuous ranked probability score is approximated by twice this value.

    References
    ----------
    .. [1] R. Koenker, G. Bassett, "Regression Quantiles", Econometrica, 1978.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, forecast = np.full((1, 1, 1), 2.0), np.asarray([1.0, 3.0]).reshape((1, 1, 2, 1))
    >>> round(float(ak.quantile_loss(y, forecast, quantiles=[0.1, 0.9])), 6)
    0.1
    """
    ...


def reconstruction_error(x_true: Array, x_pred: Array) -> Array:
    r"""Mean squared error of each sample: the anomaly score of an autoencoder.

    .. math:: s_b = \operatorname{mean}_{t, f}\left((x_{btf} - \hat x_{btf})^2\right)

    Parameters
    ----------
    x_true, x_pred : array, (B, ...)
        Data and their reconstruction. Where the two differ in time steps (axis 1 of at least three), the first
        min(T, T') of both are compared.

    Returns
    -------
    array, (B,)
        In squared units of the data. Higher means more anomalous.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ elsewhere, or a sample is empty.

    References
    ----------
    .. [1] P. Malhotra et al., "LSTM-based Encoder-Decoder for Multi-sensor Anomaly Detection", ICML Anomaly Detection
       Workshop, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> x = np.asarray([[0.0, 1.0], [2.0, 3.0]])
    >>> ak.reconstruction_error(x, np.asarray([[0.0, 1.0], [2.0, 5.0]]))
    array([0., 2.])
    """
    ...


def selector_diversity_regularizer(weights: Array, *, weight: Setting = 0.01) -> Array:
    r"""Variance of selection weights, with a minus sign: lower means more concentrated weights.

    .. math:: -w \cdot \operatorname{mean}\left((w_i - \bar w)^2\right)

    Parameters
    ----------
    weights : array, any shape
        Selection weights.
    weight : number or 0-d array
        Factor w of the result.

    Returns
    -------
    array, 0-d
        Not above 0 for a positive `weight`.

    Raises
    ------
    TypeError
        If `weights` is not a floating point array.
    ValueError
        If it is empty.

    Notes
    -----
    To be minimised: it rewards weights that are far from even. The variance is that of a population.

    References
    ----------
    .. [1] cuvis-ai documentation, "SelectorDiversityRegularizer", Cubert GmbH.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> float(ak.selector_diversity_regularizer(np.asarray([0.0, 2.0]), weight=1.0))
    -1.0
    """
    ...


def selector_entropy_regularizer(weights: Array, *, weight: Setting = 0.01, target_entropy: Setting | None = None, eps: Setting = 1e-06) -> Array:
    r"""Entropy of selection weights, to be raised or brought to a target.

    .. math:: -w H \text{ or } w (H - H^*)^2, \quad H = -\sum_i p_i \log(p_i + \epsilon), \quad
        p_i = \frac{w_i}{\sum_j w_j + \epsilon}

    Parameters
    ----------
    weights : array, any shape
        Selection weights, not negative; they need not sum to 1.
    weight : number or 0-d array
        Factor w of the result.
    target_entropy : number or 0-d array, optional
        The entropy H* to aim at, in nats; without it the result is -w H, and lower means more even weights.
    eps : number or 0-d array, at least 0
        ε; 0 gives the exact entropy, with 0 log 0 = 0.

    Returns
    -------
    array, 0-d

    Raises
    ------
    TypeError
        If `weights` is not a floating point array.
    ValueError
        If it is empty, or a setting is out of its range.

    References
    ----------
    .. [1] C. E. Shannon, "A Mathematical Theory of Communication", Bell System Technical Journal, 1948.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> round(float(ak.selector_entropy_regularizer(np.ones(4), weight=1.0, eps=0)), 6)
    -1.386294
    """
    ...


def svdd_radius(raw: Array, *, beta: Setting = 10.0) -> Array:
    r"""Positive radius from an unconstrained parameter.

    .. math:: R = \frac{1}{\beta} \log(1 + e^{\beta r})

    Parameters
    ----------
    raw : array, any shape, usually 0-d
        The parameter r that an optimiser may move anywhere.
    beta : number or 0-d array, above 0
        Sharpness β: the larger, the closer R is to max(r, 0).

    Returns
    -------
    array
        Shape of `raw`.

    Raises
    ------
    TypeError
        If `raw` is not a floating point array.
    ValueError
        If `beta` is not above 0.

    References
    ----------
    .. [1] C. Dugas et al., "Incorporating Second-Order Functional Knowledge for Better Option Pricing", NIPS, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> round(float(ak.svdd_radius(np.asarray(0.0))), 6)
    0.069315
    """
    ...


def svdd_score(embeddings: Array, center: Array, *, radius: Setting | None = None) -> Array:
    r"""Squared distance from the centre, minus the squared radius: the anomaly score of a hypersphere.

    .. math:: s = \|z - c\|^2 - R^2

    Parameters
    ----------
    embeddings : array, (..., D)
        Embeddings z.
    center : array, (D,)
        Centre c of the hypersphere.
    radius : number or 0-d array, optional
        Radius R; with it scores above 0 lie outside the sphere.

    Returns
    -------
    array
        The shape without the last axis; squared units of the embeddings. Higher means more anomalous.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes do not fit.

    References
    ----------
    .. [1] L. Ruff et al., "Deep One-Class Classification", ICML, 2018, section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> ak.svdd_score(np.asarray([[3.0, 4.0], [0.0, 1.0]]), np.zeros(2), radius=2.0)
    array([21., -3.])
    """
    ...


def vaegmm_loss(x_true: Array, x_pred: Array, z: Array, gamma: Array, *, w_recon: Setting = 1e-07, w_energy: Setting = 0.1, w_cov_diag: Setting = 0.005, cov_full: Array | None = None, cov_diag: Array | None = None, scale_diag: Array | None = None, sim: Setting | None = None, eps: Setting = 1e-06) -> Array:
    r"""Loss of a variational autoencoder with a Gaussian mixture on its latents.

    .. math:: w_r \operatorname{mean}\left(-\log N(x; \hat x, \Sigma_x)\right) + w_e \operatorname{mean} E(z) +
        w_c \sum_k \sum_d \frac{1}{\Sigma_{kdd}}

    Parameters
    ----------
    x_true, x_pred : array, (B, ...)
        Data and their reconstruction, of equal shapes.
    z : array, (N, D)
        Latent vectors.
    gamma : array, (N, K)
        Memberships, used as given.
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

    Returns
    -------
    array, 0-d

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes do not fit, a setting is out of its range, or there is nothing to average over.

    Notes
    -----
    Components with no weight take no part, in the energy and in the penalty.

    References
    ----------
    .. [1] B. Zong et al., "Deep Autoencoding Gaussian Mixture Model for Unsupervised Anomaly Detection", ICLR, 2018.
    .. [2] D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> x, z, gamma = np.zeros((2, 3)), np.asarray([[0.0], [2.0]]), np.ones((2, 1))
    >>> round(float(ak.vaegmm_loss(x, x, z, gamma, w_recon=0, eps=0)), 6)
    0.146894
    """
    ...


def anomaly_detection_metrics(target: Array, decision: Array, score: Array | None = None, *, zero_division: Setting = 0.0) -> DetectionMetrics:
    r"""Precision, recall, F1 score and intersection over union of decisions, and average precision of their scores.

    .. math:: P = \frac{TP}{TP + FP}, \quad R = \frac{TP}{TP + FN}, \quad F_1 = \frac{2 TP}{2 TP + FP + FN}, \quad
        IoU = \frac{TP}{TP + FP + FN}

    Parameters
    ----------
    target, decision : array, any shape
        True and decided anomalies, of equal shapes; boolean, or numbers of which 0 alone means normal.
    score : array, shape of `target`, optional
        The scores that were decided on, higher meaning more anomalous: logits, distances, anything whose order counts.
    zero_division : number or 0-d array
        Stands for a quotient whose denominator is 0: precision where nothing was decided anomalous, recall where
        nothing is. ``nan`` marks it as undefined.

    Returns
    -------
    DetectionMetrics
        `precision`, `recall`, `f1_score`, `iou` and `average_precision`, all in [0, 1]; the last is None without
        `score`. They have the dtype of `score`; without it that of real masks, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If the shapes differ, or there is nothing to count.

    Notes
    -----
    All elements are pooled: an image with many anomalies weighs more than one with few. Counts are integers, so they
    are exact where a float32 sum would stop at 2²⁴.

    References
    ----------
    .. [1] C. J. van Rijsbergen, "Information Retrieval", 2nd ed., Butterworths, 1979, chapter 7.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth = np.asarray([True, True, False, False])
    >>> score = np.asarray([4.0, 1.0, 2.0, -3.0])
    >>> result = ak.anomaly_detection_metrics(truth, score > 1.5, score)
    >>> float(result.precision), float(result.recall), round(float(result.average_precision), 4)
    (0.5, 0.5, 0.8333)
    """
    ...


def anomaly_pixel_statistics(decision: Array) -> PixelStatistics:
    r"""How many pixels (samples, time steps) there are, and how many of them were decided anomalous.

    .. math:: N, \quad n = \sum_i [d_i \ne 0], \quad 100 \cdot n / N

    Parameters
    ----------
    decision : array, any shape
        Decided anomalies; boolean, or numbers of which 0 alone means normal.

    Returns
    -------
    PixelStatistics
        `total_pixels` and `anomalous_pixels`, integers, and `anomaly_percentage`, in [0, 100], which is 0 where there
        are no pixels. Its dtype is that of real decisions, else the library's default.

    Raises
    ------
    TypeError
        If `decision` is neither boolean nor numbers.

    References
    ----------
    .. [1] V. Chandola, A. Banerjee, V. Kumar, "Anomaly Detection: A Survey", ACM Computing Surveys, 2009, section 2.4.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> result = ak.anomaly_pixel_statistics(np.asarray([[True, False], [False, False]]))
    >>> int(result.total_pixels), int(result.anomalous_pixels), float(result.anomaly_percentage)
    (4, 1, 25.0)
    """
    ...


def aupr_trapezoid(target: Array, score: Array, *, sample_weight: Array | None = None, axis: SupportsIndex | Sequence[SupportsIndex] | None = None) -> Array:
    r"""The trapezoidal area under the precision-recall curve, which is no mean of precisions: too high, as a rule.

    .. math:: \frac 1P \sum_{i: y_i = 1} \frac{p(s_i) + p(s_i^+)}{2}, \quad
        p(s) = \frac{|\{j: y_j = 1, s_j \ge s\}|}{|\{j: s_j \ge s\}|}

    with s⁺ the next higher score, and 1 for p above the highest.

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. One of weight 0 is as if it were not there.
    axis : int or tuple of ints, optional
        The axes that each ranking goes along, all by default.

    Returns
    -------
    array
        In (0, 1], and 0 without positives; NaN where a score is. 0-d, or with `axis` the shape without these axes. It
        has the dtype of `score`; for integer scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If the shapes differ, there is nothing to rank, or an axis does not exist.

    Notes
    -----
    ``auc(recall, precision)`` of scikit-learn's curve, and what Keras' and torchmetrics' interpolated areas come near
    to. Between two points of the curve precision is no straight line, and the area between is not reached by any
    threshold [1]_: use `average_precision` unless published numbers are to be compared with.

    References
    ----------
    .. [1] J. Davis, M. Goadrich, "The Relationship Between Precision-Recall and ROC Curves", ICML, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, constant = np.arange(100) == 0, np.zeros(100)
    >>> float(ak.aupr_trapezoid(truth, constant)), float(ak.average_precision(truth, constant))
    (0.505, 0.01)
    """
    ...


def average_precision(target: Array, score: Array, *, sample_weight: Array | None = None, axis: SupportsIndex | Sequence[SupportsIndex] | None = None) -> Array:
    r"""Average precision: the mean, over the positives, of the precision among all that score at least as high.

    .. math:: AP = \frac 1P \sum_{i: y_i = 1} \frac{|\{j: y_j = 1, s_j \ge s_i\}|}{|\{j: s_j \ge s_i\}|}

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. One of weight 0 is as if it were not there.
    axis : int or tuple of ints, optional
        The axes that each ranking goes along, all by default. With the axes of an image each image of a batch has its
        own.

    Returns
    -------
    array
        In (0, 1], and 0 without positives; NaN where a score is. 0-d, or with `axis` the shape without these axes. It
        has the dtype of `score`; for integer scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If the shapes differ, there is nothing to rank, or an axis does not exist.

    Notes
    -----
    The area under the step-wise precision-recall curve, tied scores taken together, as scikit-learn has it. The
    trapezoidal area, which others call by the same name, is `aupr_trapezoid` here: 0.505 instead of 0.010 for a
    constant score at 1 % positives. Give raw scores: a sigmoid in float32 makes all logits above 17 equal.

    Its derivative is 0: it is no loss.

    References
    ----------
    .. [1] J. Davis, M. Goadrich, "The Relationship Between Precision-Recall and ROC Curves", ICML, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth = np.asarray([True, True, False, False])
    >>> round(float(ak.average_precision(truth, np.asarray([4.0, 1.0, 2.0, -3.0]))), 4)
    0.8333
    """
    ...


def best_f1(target: Array, score: Array, *, sample_weight: Array | None = None, axis: SupportsIndex | Sequence[SupportsIndex] | None = None) -> BestF1:
    r"""The highest F1 score that a threshold can give, and that threshold.

    .. math:: \max_s \frac{2\, TP(s)}{P + TP(s) + FP(s)}

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. One of weight 0 is as if it were not there.
    axis : int or tuple of ints, optional
        The axes that each ranking goes along, all by default.

    Returns
    -------
    BestF1
        `value`, in (0, 1], and 0 without positives; NaN where a score is. `threshold`, the highest score s of which
        ``score >= s`` has that F1 score (without positives the highest of all); integer scores give an integer.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If the shapes differ, there is nothing to rank, or an axis does not exist.

    Notes
    -----
    A threshold chosen on the data it is judged on flatters: choose it on one part, apply it to another.

    References
    ----------
    .. [1] C. J. van Rijsbergen, "Information Retrieval", 2nd ed., Butterworths, 1979, chapter 7.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> result = ak.best_f1(np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0]))
    >>> float(result.value), float(result.threshold)
    (0.8, 1.0)
    """
    ...


def component_orthogonality(components: Array) -> ComponentOrthogonality:
    r"""How far components are from orthonormal.

    .. math:: \|G - I\|_F, \quad \operatorname{mean}_{i \ne j} |G_{ij}|, \quad \operatorname{mean} |G - I|, \quad
        \operatorname{mean} G_{ii}, \quad \operatorname{std} G_{ii}, \quad G = W W^\top

    Parameters
    ----------
    components : array, (K, C)
        Components W, one a row.

    Returns
    -------
    ComponentOrthogonality
        `orthogonality_error` (Frobenius norm), `avg_off_diagonal` (0 for a single component), `avg_deviation` (over all
        entries of G - I), and of the squared lengths on the diagonal `diagonal_mean` and `diagonal_std` (over K - 1;
        NaN for a single component). Orthonormal rows give 0, 0, 0, 1 and 0.

    Raises
    ------
    TypeError
        If `components` is not a floating point array.
    ValueError
        If it has not two dimensions, or one of size 0.

    References
    ----------
    .. [1] A. Brock et al., "Neural Photo Editing with Introspective Adversarial Networks", ICLR, 2017, section 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> result = ak.component_orthogonality(np.asarray([[1.0, 0.0], [1.0, 1.0]]))
    >>> [round(float(value), 4) for value in result]
    [1.7321, 1.0, 0.75, 1.5, 0.7071]
    """
    ...


def explained_variance(explained_variance_ratio: Array) -> ExplainedVariance:
    r"""Shares of the variance that principal components explain, one by one, together, and up to each.

    .. math:: r_k, \quad \sum_k r_k, \quad \sum_{i \le k} r_i

    Parameters
    ----------
    explained_variance_ratio : array, (K,)
        Share r of the variance that each component explains.

    Returns
    -------
    ExplainedVariance
        `per_component` (K,), `total` (0-d) and `cumulative` (K,); fractions of 1. No components explain nothing: 0.

    Raises
    ------
    TypeError
        If the input is not a floating point array.
    ValueError
        If it has not one dimension.

    References
    ----------
    .. [1] I. T. Jolliffe, "Principal Component Analysis", 2nd ed., Springer, 2002, section 6.1.1.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> result = ak.explained_variance(np.asarray([0.5, 0.25]))
    >>> float(result.total), result.cumulative
    (0.75, array([0.5 , 0.75]))
    """
    ...


def fpr_at_tpr(target: Array, score: Array, *, sample_weight: Array | None = None, axis: SupportsIndex | Sequence[SupportsIndex] | None = None, tpr: Setting = 0.95) -> Array:
    r"""The false positive rate at the highest threshold that finds a given share of the positives (FPR@95).

    .. math:: \min_s \{FP(s)/N : TP(s)/P \ge r\}

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive, N negative.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. One of weight 0 is as if it were not there.
    axis : int or tuple of ints, optional
        The axes that each ranking goes along, all by default.
    tpr : number or 0-d array, in (0, 1]
        The share r of the positives to find, at least.

    Returns
    -------
    array
        In [0, 1], lower being better; NaN where there is but one class, or a score is NaN. 0-d, or with `axis` the
        shape without these axes. It has the dtype of `score`; for integer scores that of real targets, else the
        library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If the shapes differ, there is nothing to rank, an axis does not exist, or `tpr` is out of range.

    Notes
    -----
    No interpolation: the rates are those of a threshold that exists. Others interpolate between two of them, or take
    the anomalies for the negatives.

    References
    ----------
    .. [1] S. Liang, Y. Li, R. Srikant, "Enhancing the Reliability of Out-of-distribution Image Detection in Neural
       Networks", ICLR, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> float(ak.fpr_at_tpr(np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0])))
    0.5
    """
    ...


def precision_at_k(target: Array, score: Array, *, k: SupportsIndex, sample_weight: Array | None = None, axis: SupportsIndex | Sequence[SupportsIndex] | None = None) -> Array:
    r"""The share of anomalies among the k highest scores.

    .. math:: \frac 1k \sum_{i: y_i = 1} \min\left(1, \max\left(0, \frac{k - |\{j: s_j > s_i\}|}{|\{j: s_j = s_i\}|}
        \right)\right)

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    k : int, at least 1
        How many are looked at: what an analyst has time for.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. With counts the k highest of repeated samples.
    axis : int or tuple of ints, optional
        The axes that each ranking goes along, all by default.

    Returns
    -------
    array
        In [0, 1]; NaN where a score is. 0-d, or with `axis` the shape without these axes. It has the dtype of `score`;
        for integer scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers, or k is no integer.
    ValueError
        If the shapes differ, there is nothing to rank, an axis does not exist, or k is below 1.

    Notes
    -----
    Where the k-th score is tied, the mean over all orders of the tied ones, so that the order of the samples changes
    nothing. Where there are fewer than k samples, those that are missing are no anomalies.

    References
    ----------
    .. [1] C. D. Manning, P. Raghavan, H. Schütze, "Introduction to Information Retrieval", Cambridge University Press,
       2008, section 8.4.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, score = np.asarray([True, True, False, False]), np.asarray([4.0, 2.0, 2.0, -3.0])
    >>> float(ak.precision_at_k(truth, score, k=1)), float(ak.precision_at_k(truth, score, k=2))
    (1.0, 0.75)
    """
    ...


def precision_recall_curve(target: Array, score: Array, *, sample_weight: Array | None = None) -> PrecisionRecallCurve:
    r"""Precision and recall at every threshold that makes a difference.

    .. math:: \frac{TP(s)}{TP(s) + FP(s)}, \quad \frac{TP(s)}{P}

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. One of weight 0 is as if it were not there.

    Returns
    -------
    PrecisionRecallCurve
        `threshold` (M,), the distinct scores, ascending, and `precision` and `recall` (M + 1,), which end in 1 and 0,
        where nothing raises an alarm; as scikit-learn has them. Recall is 1 without positives. All are NaN where a
        score is. They have the dtype of `score`; for integer scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers; or if they are traced, since
        the number of points depends on the scores.
    ValueError
        If the shapes differ, or there is nothing to rank.

    References
    ----------
    .. [1] J. Davis, M. Goadrich, "The Relationship Between Precision-Recall and ROC Curves", ICML, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, score = np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0])
    >>> curve = ak.precision_recall_curve(truth, score)
    >>> curve.threshold.tolist(), curve.recall.tolist()
    ([-3.0, 1.0, 2.0, 4.0], [1.0, 1.0, 0.5, 0.5, 0.0])
    """
    ...


def roc_auc(target: Array, score: Array, *, sample_weight: Array | None = None, axis: SupportsIndex | Sequence[SupportsIndex] | None = None, max_fpr: Setting | None = None) -> Array:
    r"""Area under the ROC curve: the probability that a positive scores higher than a negative, ties counting half.

    .. math:: AUC = \frac{1}{P N} \sum_{i: y_i = 1} \sum_{j: y_j = 0} \left([s_j < s_i] + \tfrac 12 [s_j = s_i]\right)

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive, N negative.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. One of weight 0 is as if it were not there.
    axis : int or tuple of ints, optional
        The axes that each ranking goes along, all by default.
    max_fpr : number or 0-d array, in (0, 1], optional
        F. The area A up to this false positive rate alone, on the scale of the whole one [2]_:
        (1 + (A − F²/2)/(F − F²/2))/2, which is 0.5 for a ranking by chance and 1 for a perfect one.

    Returns
    -------
    array
        In [0, 1], 0.5 for a ranking by chance; NaN where there is but one class, or a score is NaN. 0-d, or with `axis`
        the shape without these axes. It has the dtype of `score`; for integer scores that of real targets, else the
        library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If the shapes differ, there is nothing to rank, an axis does not exist, or `max_fpr` is out of range.

    Notes
    -----
    As scikit-learn has it, the partial area too. Its derivative is 0: it is no loss.

    References
    ----------
    .. [1] J. A. Hanley, B. J. McNeil, "The Meaning and Use of the Area under a Receiver Operating Characteristic (ROC)
       Curve", Radiology, 1982.
    .. [2] D. K. McClish, "Analyzing a Portion of the ROC Curve", Medical Decision Making, 1989.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth = np.asarray([True, True, False, False])
    >>> float(ak.roc_auc(truth, np.asarray([4, 1, 2, -3])))
    0.75
    """
    ...


def roc_curve(target: Array, score: Array, *, sample_weight: Array | None = None, drop_intermediate: bool = True) -> ROCCurve:
    r"""False and true positive rate at every threshold that makes a difference.

    .. math:: \frac{FP(s)}{N}, \quad \frac{TP(s)}{P}

    Parameters
    ----------
    target : array, any shape
        True anomalies; boolean, or numbers of which 0 alone means normal. P of them are positive, N negative.
    score : array, shape of `target`
        Raw scores s, higher meaning more anomalous: real or integer, infinite ones welcome.
    sample_weight : array, shape of `target`, optional
        What each sample counts for, instead of 1: 0 or more. One of weight 0 is as if it were not there.
    drop_intermediate : bool
        Whether to leave out points on the straight line between their neighbours.

    Returns
    -------
    ROCCurve
        `fpr`, `tpr` and `threshold`, (M,) each, from no alarm, at infinity, to all; as scikit-learn has them. A rate of
        a class that is not there is NaN, and all are where a score is. They have the dtype of `score`; for integer
        scores that of real targets, else the library's default.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers; or if they are traced, since
        the number of points depends on the scores.
    ValueError
        If the shapes differ, or there is nothing to rank.

    References
    ----------
    .. [1] T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> curve = ak.roc_curve(np.asarray([True, True, False, False]), np.asarray([4.0, 1.0, 2.0, -3.0]))
    >>> curve.fpr.tolist(), curve.tpr.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    ...


def score_statistics(scores: Array) -> ScoreStatistics:
    r"""Mean, standard deviation, extremes and quantiles of anomaly scores.

    .. math:: \bar s = \frac 1n \sum_i s_i, \quad \sqrt{\frac{1}{n - 1} \sum_i (s_i - \bar s)^2}, \quad
        Q_p = (1 - t) s_{(k)} + t s_{(k + 1)}, \quad k + t = 1 + p (n - 1)

    Parameters
    ----------
    scores : array, any shape
        Anomaly scores s; all elements are pooled.

    Returns
    -------
    ScoreStatistics
        `mean`, `std` (NaN for a single score), `min`, `max`, `median`, `q25`, `q75`, `q95` and `q99`, in units of the
        scores. A NaN among the scores makes them all NaN.

    Raises
    ------
    TypeError
        If `scores` is not a floating point array.
    ValueError
        If there are no scores.

    Notes
    -----
    Quantiles are interpolated linearly between the two nearest scores, as NumPy does by default; the median of an even
    number of scores is the middle of the two in the centre, where torch takes the lower one.

    References
    ----------
    .. [1] R. J. Hyndman, Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician, 1996: type 7.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> result = ak.score_statistics(np.asarray([3.0, 1.0, 2.0, 6.0]))
    >>> float(result.mean), float(result.median), float(result.q75), float(result.max)
    (3.0, 2.5, 3.75, 6.0)
    """
    ...


def selector_diversity(weights: Array) -> SelectorDiversity:
    r"""Variance and Gini coefficient of selection weights: how unevenly channels are selected.

    .. math:: \operatorname{mean}\left((w_i - \bar w)^2\right), \quad
        \frac{\sum_i (2 i - n - 1) w_{(i)}}{n \sum_i w_i}

    Parameters
    ----------
    weights : array, any shape
        Selection weights w, in any order; w_(i) is the i-th smallest of the n.

    Returns
    -------
    SelectorDiversity
        `weight_variance`, of a population, and `gini_coefficient`: 0 for even weights, (n - 1)/n where one has it all.
        The coefficient is 0 where the weights sum to 0, and leaves [0, 1] only where some are negative.

    Raises
    ------
    TypeError
        If `weights` is not a floating point array.
    ValueError
        If it is empty.

    References
    ----------
    .. [1] C. Gini, "Variabilità e mutabilità", Bologna, 1912.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> result = ak.selector_diversity(np.asarray([0.0, 0.0, 0.0, 4.0]))
    >>> float(result.weight_variance), float(result.gini_coefficient)
    (3.0, 0.75)
    """
    ...


def selector_entropy(weights: Array, *, eps: Setting = 1e-06) -> Array:
    r"""Entropy of selection weights: log C where C channels are selected evenly, 0 where one is.

    .. math:: H = -\sum_i p_i \log(p_i + \epsilon), \quad p_i = \frac{w_i}{\sum_j w_j + \epsilon}

    Parameters
    ----------
    weights : array, any shape
        Selection weights w, not negative; they need not sum to 1.
    eps : number or 0-d array, at least 0
        ε; 0 gives the exact entropy, with 0 log 0 = 0.

    Returns
    -------
    array, 0-d
        In nats.

    Raises
    ------
    TypeError
        If `weights` is not a floating point array.
    ValueError
        If it is empty, or `eps` is out of its range.

    Notes
    -----
    With the default ε the entropy of 1000 even weights is 6.906756; exactly it is 6.907755.

    References
    ----------
    .. [1] C. E. Shannon, "A Mathematical Theory of Communication", Bell System Technical Journal, 1948.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> round(float(ak.selector_entropy(np.ones(4), eps=0)), 6)
    1.386294
    """
    ...


def lstm_autoencoder(params: Any, inputs: Array, *, n_repeats: int | None = None, activation: str = 'tanh', intermediate_activation: str = 'relu') -> Array:
    r"""Reconstruction of time series by an LSTM autoencoder.

    .. math:: \hat x_t = f(W y_t + b), \quad y = \operatorname{decoder}(z, \ldots, z), \quad
        z = g(W_z h_T + b_z), \quad h = \operatorname{encoder}(x)

    Parameters
    ----------
    params : dict of str to array
        Weights in Keras' layout; the structure is read off the keys, i from 1. An LSTM of u units holds ``kernel``
        (in, 4u), ``recurrent_kernel`` (u, 4u) and ``bias`` (4u,), the gates in the order input, forget, candidate,
        output; a dense layer holds ``kernel`` (in, out) and ``bias`` (out,).

        - ``encoder_{i}/…``: an LSTM, or two as ``encoder_{i}/forward/…`` and ``encoder_{i}/backward/…``;
        - ``bottleneck_h/…`` and ``bottleneck_c/…``, optional: dense layers from the last state to the latent one;
        - ``project_state_h/…`` and ``project_state_c/…``, optional: dense layers from the latent state to the width of
          the decoder, needed where they differ;
        - ``decoder_{i}/…``: an LSTM;
        - ``decoder_dense/…``: the dense layer of the output.
    inputs : array, (B, T, F)
        Time series x of T steps.
    n_repeats : int, optional
        Steps T' of the reconstruction; without it as many as the input has.
    activation : str
        Activation f of the output: relu, tanh, sigmoid, elu, selu, gelu (exact), softplus or linear.
    intermediate_activation : str
        Activation g of the bottleneck and of the projections.

    Returns
    -------
    array, (B, T', F')
        The reconstruction; `reconstruction_error` makes it an anomaly score.

    Raises
    ------
    TypeError
        If an array is not of floating point, or they belong to different libraries.
    ValueError
        If `params` lacks a key or has one too many, a shape does not fit, a setting is unknown, or there are no steps.

    Notes
    -----
    The latent vector z is the last hidden state h of the encoder (of both directions, one after the other), after the
    bottleneck and before the projection. Repeated T' times it is all that the first decoder layer reads, and that layer
    alone starts from the state of the encoder; the others start from 0. Inside the LSTMs the activations are tanh and
    sigmoid, always. With its default g the projection cuts off the negative part of the state, as fusionlab-learn does.

    References
    ----------
    .. [1] S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation, 1997.
    .. [2] P. Malhotra et al., "LSTM-based Encoder-Decoder for Multi-sensor Anomaly Detection", ICML Anomaly Detection
       Workshop, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> rng = np.random.default_rng(0)
    >>> shapes = {"kernel": (2, 12), "recurrent_kernel": (3, 12), "bias": (12,)}
    >>> params = {f"encoder_1/{name}": rng.normal(size=shape) for name, shape in shapes.items()}
    >>> shapes["kernel"] = (3, 12)
    >>> params |= {f"decoder_1/{name}": rng.normal(size=shape) for name, shape in shapes.items()}
    >>> params |= {"decoder_dense/kernel": rng.normal(size=(3, 2)), "decoder_dense/bias": np.zeros(2)}
    >>> x = rng.normal(size=(5, 7, 2))
    >>> ak.lstm_autoencoder(params, x).shape
    (5, 7, 2)
    """
    ...


def sequence_anomaly_score(params: Any, features: Array, *, activation: str = 'relu', use_norm: bool | str = False, final_activation: str = 'linear') -> Array:
    r"""Anomaly score of feature vectors by a multilayer perceptron.

    .. math:: s = f(W_n h_{n - 1} + b_n), \quad h_i = \operatorname{norm}(g(W_i h_{i - 1} + b_i)), \quad h_0 = x

    Parameters
    ----------
    params : dict of str to array
        Weights in Keras' layout. Hidden layers, i from 1: ``hidden_dense_{i}/kernel`` (in, out) and ``/bias`` (out,).
        After each, with `use_norm`, ``layer_norm_{i}/gamma`` and ``/beta``, or ``batch_norm_{i}/gamma``, ``/beta``,
        ``/moving_mean`` and ``/moving_variance``, all (out,). Last ``score_output/kernel`` (in, 1) and ``/bias`` (1,).
        There are as many hidden layers as there are keys, perhaps none.
    features : array, (..., F)
        Features x; every vector is scored by itself.
    activation : str
        Activation g of hidden layers: relu, tanh, sigmoid, elu, selu, gelu (exact), softplus or linear.
    use_norm : {False, True, "layer", "batch"}
        Normalisation after the activation; True means ``"layer"``. Batch normalisation uses the moving statistics.
    final_activation : str
        Activation f of the score.

    Returns
    -------
    array, (..., 1)
        Higher means more anomalous, if so trained.

    Raises
    ------
    TypeError
        If an array is not of floating point, or they belong to different libraries.
    ValueError
        If `params` lacks a key or has one too many, a shape does not fit, or a setting is unknown.

    Notes
    -----
    This is inference: there is no dropout.

    References
    ----------
    .. [1] J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", arXiv:1607.06450, 2016.
    .. [2] S. Ioffe, C. Szegedy, "Batch Normalization", ICML, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> params = {
    ...     "hidden_dense_1/kernel": np.asarray([[1.0, -1.0], [0.0, 2.0]]),
    ...     "hidden_dense_1/bias": np.zeros(2),
    ...     "score_output/kernel": np.asarray([[1.0], [0.5]]),
    ...     "score_output/bias": np.asarray([0.25]),
    ... }
    >>> ak.sequence_anomaly_score(params, np.asarray([[1.0, 2.0], [3.0, 0.0]]))
    array([[2.75],
           [3.25]])
    """
    ...
