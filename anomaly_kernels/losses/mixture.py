"""Gaussian mixtures: parameters from memberships, sample energies, and the losses of the autoencoders built on them."""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from anomaly_kernels._core.checks import (
    NOT_NEGATIVE,
    POSITIVE,
    cast,
    has_known_sizes,
    has_ndim,
    has_shape,
    inputs,
    not_empty,
    number,
    same_axes,
    shape_of,
)
from anomaly_kernels._core.evaluate import Formula, Slopes, Sums, reduce, weigh
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.numeric import logsumexp, ratio, square
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace, Reduction, Setting
from anomaly_kernels.losses.likelihood import LOG_2PI, Covariance, diagonal, negative_log_likelihood
from anomaly_kernels.losses.reconstruction import mse_reconstruction_loss

BLOCKS = 1 / 8
"""Of the usual block: the products of such small matrices stay below the size that BLAS would thread."""


class GMMParams(NamedTuple):
    """Parameters of a Gaussian mixture with K components in D dimensions; `from_covariance` makes them of others' fits.

    Attributes
    ----------
    phi : array, (K,)
        Weights of the components.
    mu : array, (K, D)
        Means.
    cov : array, (K, D, D)
        Covariances.
    chol : array, (K, D, D)
        Their lower Cholesky factors.
    log_det_cov : array, (K,)
        Logarithms of their determinants.
    """

    phi: Array
    mu: Array
    cov: Array
    chol: Array
    log_det_cov: Array

    @classmethod
    def from_covariance(cls, phi: Array, mu: Array, cov: Array) -> GMMParams:
        """Parameters of a mixture of which weights, means and covariances are known.

        Those of a fitted `sklearn.mixture.GaussianMixture` are its ``weights_``, ``means_`` and, with
        ``covariance_type="full"``, ``covariances_``. Of another type they are made full first: variances (K, D) by
        ``covariances_[:, :, None] * np.eye(D)``, (K,) by ``covariances_[:, None, None] * np.eye(D)``, one matrix (D, D)
        by ``np.tile(covariances_, (K, 1, 1))``.

        Parameters
        ----------
        phi : array, (K,)
            Weights of the components.
        mu : array, (K, D)
            Means.
        cov : array, (K, D, D)
            Covariances, symmetric positive definite; nothing is added to them.

        Returns
        -------
        GMMParams

        Raises
        ------
        TypeError
            If an input is not a floating point array, or they belong to different libraries.
        ValueError
            If the shapes do not fit.

        Examples
        --------
        >>> import numpy as np
        >>> import anomaly_kernels as ak
        >>> phi, mu, cov = np.asarray([1.0]), np.asarray([[0.0]]), np.asarray([[[1.0]]])
        >>> round(float(ak.gmm_energy(np.asarray([[0.0]]), ak.GMMParams.from_covariance(phi, mu, cov))), 6)
        0.918939
        """
        xp, dtype = inputs(phi=phi, mu=mu, cov=cov)
        has_ndim("phi", phi, 1, "(K,)")
        has_ndim("mu", mu, 2, "(K, D)")
        k, d = shape_of(phi)[0], shape_of(mu)[1]
        has_shape("mu", mu, (k, d), "(K, D) with the K of `phi`")
        has_shape("cov", cov, (k, d, d), "(K, D, D) with the K of `phi` and the D of `mu`")
        phi, mu, cov = [cast(xp, dtype, x) for x in (phi, mu, cov)]
        chol = xp.cholesky(cov)
        return cls(phi, mu, cov, chol, _log_det(xp, chol))


@with_hint
def gmm_params(z: Array, gamma: Array, *, eps: Annotated[Setting, NOT_NEGATIVE] = 1e-6) -> GMMParams:
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
    A component with no weight has phi 0, mu 0 and cov ε I. The memory beyond the result is that of a block of samples,
    or that of z if a gradient is recorded. N × K × D × D arrays are never formed.

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
    xp, dtype = inputs(z=z, gamma=gamma)
    has_ndim("z", z, 2, "(N, D)")
    has_ndim("gamma", gamma, 2, "(N, K)")
    has_shape("gamma", gamma, (shape_of(z)[0], shape_of(gamma)[1]), "(N, K) with the N of `z`")
    same_axes("N", z=(z, (0,)), gamma=(gamma, (0,)))
    has_known_sizes("z", z, slice(1, None))
    has_known_sizes("gamma", gamma, slice(1, None))
    not_empty(z=z, gamma=gamma)
    e = number("eps", eps, xp, dtype, NOT_NEGATIVE)
    return xp.as_one(_moments)(xp, cast(xp, dtype, z), cast(xp, dtype, gamma), e)


def _moments(xp: Namespace, z: Array, gamma: Array, eps: Setting) -> GMMParams:
    total, count, weighted = xp.add_up(_WEIGHTS, z.dtype, (z, gamma), ())
    share = xp.expand_dims(total, axis=1)
    mu = ratio(xp, weighted, share)
    (scatter,) = xp.add_up(_SCATTER, z.dtype, (z, gamma), (mu,))
    cov = ratio(xp, scatter, xp.expand_dims(share, axis=2)) + eps * xp.eye_like(scatter)
    chol = xp.cholesky(cov)
    return GMMParams(total / count, mu, cov, chol, _log_det(xp, chol))


def _log_det(xp: Namespace, chol: Array) -> Array:
    """Logarithms of the determinants of covariances, from their factors."""
    return 2.0 * xp.sum(xp.log(diagonal(xp, chol)), axis=1)


def _weights(xp: Namespace, z: Array, gamma: Array) -> tuple[Array, Array, Array]:
    """Σ γ, how many samples there are, and Σ γ zᵀ."""
    return xp.sum(gamma, axis=0), xp.sum(xp.ones_like(gamma), axis=0), xp.matmul(xp.matrix_transpose(gamma), z)


def _slopes_of_weights(xp: Namespace, upstream: tuple[Array, ...], z: Array, gamma: Array) -> Slopes:
    by_total, _, by_weighted = upstream
    return [
        lambda: xp.matmul(gamma, by_weighted),
        lambda: by_total + xp.matmul(z, xp.matrix_transpose(by_weighted)),
    ]


def _scatter(xp: Namespace, z: Array, gamma: Array, mu: Array) -> tuple[Array]:
    """Σ γ (z - μ)(z - μ)ᵀ, one component at a time: N × D numbers, never N × K × D."""
    matrices = []
    for k in range(mu.shape[0]):
        deviation = z - mu[k, ...]
        matrices.append(xp.matmul(xp.matrix_transpose(deviation * gamma[:, k : k + 1]), deviation))
    return (xp.stack(matrices),)


def _slopes_of_scatter(xp: Namespace, upstream: tuple[Array], z: Array, gamma: Array, mu: Array) -> Slopes:
    (by_scatter,) = upstream
    both = by_scatter + xp.permute_dims(by_scatter, (0, 2, 1))

    def pulled(k: int) -> Array:
        return xp.matmul(z - mu[k, ...], both[k, ...])

    def by_sample() -> Array:
        return sum((gamma[:, k : k + 1] * pulled(k) for k in range(1, mu.shape[0])), gamma[:, :1] * pulled(0))

    def by_weight() -> Array:
        return xp.stack([0.5 * xp.sum(pulled(k) * (z - mu[k, ...]), axis=1) for k in range(mu.shape[0])], axis=1)

    def by_mean() -> Array:
        return xp.stack([-xp.sum(gamma[:, k : k + 1] * pulled(k), axis=0) for k in range(mu.shape[0])])

    return [by_sample, by_weight, by_mean]


_WEIGHTS = Sums(_weights, _slopes_of_weights, inner=1, blocks=BLOCKS)
_SCATTER = Sums(_scatter, _slopes_of_scatter, inner=1, blocks=BLOCKS)


@with_hint
def gmm_energy(z: Array, params: GMMParams, *, reduction: Reduction = "mean") -> Array:
    r"""Energy (negative log likelihood) of samples under a Gaussian mixture: the anomaly score of DAGMM.

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
    A component whose phi is 0 is ignored. The constant D/2 log 2π is included.

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
    if not isinstance(params, tuple) or len(params) != len(GMMParams._fields):
        raise TypeError(f"`params` must be a GMMParams, got {describe(params)}")
    phi, mu, _, chol, log_det = params
    xp, dtype = inputs(z=z, **{f"params.{name}": x for name, x in GMMParams._asdict(GMMParams(*params)).items()})
    has_ndim("z", z, 2, "(N, D)")
    d, k = shape_of(z)[1], shape_of(phi)[0] if len(phi.shape) else None
    for name, x, shape, meaning in (
        ("params.phi", phi, (k,), "(K,)"),
        ("params.mu", mu, (k, d), "(K, D) with the K of `params.phi` and the D of `z`"),
        ("params.chol", chol, (k, d, d), "(K, D, D) with the K of `params.phi` and the D of `z`"),
        ("params.log_det_cov", log_det, (k,), "(K,) with the K of `params.phi`"),
    ):
        has_shape(name, x, shape, meaning)
    has_known_sizes("params.mu", mu, slice(None))
    phi, mu, chol, log_det = [cast(xp, dtype, x) for x in (phi, mu, chol, log_det)]
    empty = phi == 0.0  # takes no part
    log_phi = xp.where(empty, -math.inf, xp.log(xp.where(empty, 1.0, phi)))
    inverse = xp.permute_dims(xp.lower_inverse(chol), (0, 2, 1))

    return reduce(xp, dtype, _ENERGY, {"z": z}, log_phi, mu, inverse, log_det, reduction=reduction)


def _log_densities(
    xp: Namespace, z: Array, log_phi: Array, mu: Array, inverse: Array, log_det: Array
) -> tuple[Array, list[Array]]:
    """log φ_k N(z; μ_k, Σ_k) of each sample and component, and the white samples L⁻¹(z - μ) of each component."""
    white = [xp.matmul(z - mu[k, ...], inverse[k, ...]) for k in range(mu.shape[0])]
    constant = log_phi - 0.5 * (log_det + mu.shape[1] * LOG_2PI)
    return constant - 0.5 * xp.stack([xp.sum(square(w), axis=1) for w in white], axis=1), white


def _energies(xp: Namespace, z: Array, *mixture: Array) -> Array:
    return -logsumexp(xp, _log_densities(xp, z, *mixture)[0], axis=1)


def _slopes_of_energies(xp: Namespace, z: Array, *mixture: Array) -> Slopes:
    _, mu, inverse, _ = mixture
    log_density, white = _log_densities(xp, z, *mixture)
    top = xp.max(log_density, axis=1, keepdims=True)
    share = xp.exp(log_density - top)
    share = share / xp.sum(share, axis=1, keepdims=True)  # of each component in the density of each sample
    shared = [share[:, k : k + 1] * white[k] for k in range(mu.shape[0])]
    pulled = [xp.matmul(shared[k], xp.matrix_transpose(inverse[k, ...])) for k in range(mu.shape[0])]
    total = xp.sum(share, axis=0)

    def by_inverse() -> Array:
        return xp.stack([xp.matmul(xp.matrix_transpose(z - mu[k, ...]), shared[k]) for k in range(mu.shape[0])])

    return [
        lambda: sum(pulled[1:], pulled[0]),
        lambda: -total,
        lambda: xp.stack([-xp.sum(p, axis=0) for p in pulled]),
        by_inverse,
        lambda: 0.5 * total,
    ]


_ENERGY = Formula(
    lambda xp, *arguments: xp.as_one(_energies)(xp, *arguments), _slopes_of_energies, inner=1, blocks=BLOCKS
)


@with_hint
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
    xp, dtype = inputs(cov=cov)
    has_ndim("cov", cov, 2, "(..., D, D)", most=-1)
    has_shape("cov", cov, (*shape_of(cov)[:-1], shape_of(cov)[-2]), "(..., D, D)")
    not_empty(cov=cov)
    return xp.sum(1.0 / diagonal(xp, cast(xp, dtype, cov)))


@with_hint
def aegmm_loss(
    x_true: Array,
    x_pred: Array,
    z: Array,
    gamma: Array,
    *,
    w_energy: Setting = 0.1,
    w_cov_diag: Setting = 0.005,
    eps: Annotated[Setting, NOT_NEGATIVE] = 1e-6,
) -> Array:
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
    Energy and penalty ignore components with no weight.

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
    xp, dtype = inputs(x_true=x_true, x_pred=x_pred, z=z, gamma=gamma)
    x_true, x_pred, z, gamma = [cast(xp, dtype, x) for x in (x_true, x_pred, z, gamma)]
    return mse_reconstruction_loss(x_true, x_pred) + _mixture_terms(z, gamma, w_energy, w_cov_diag, eps)


@with_hint
def vaegmm_loss(
    x_true: Array,
    x_pred: Array,
    z: Array,
    gamma: Array,
    *,
    w_recon: Setting = 1e-7,
    w_energy: Setting = 0.1,
    w_cov_diag: Setting = 0.005,
    cov_full: Array | None = None,
    cov_diag: Array | None = None,
    scale_diag: Array | None = None,
    sim: Annotated[Setting, POSITIVE] | None = None,
    eps: Annotated[Setting, NOT_NEGATIVE] = 1e-6,
) -> Array:
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
    Energy and penalty ignore components with no weight.

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
    matrices = {"cov_full": cov_full, "cov_diag": cov_diag, "scale_diag": scale_diag}
    chosen = {name: x for name, x in matrices.items() if x is not None}
    xp, dtype = inputs(x_true=x_true, x_pred=x_pred, z=z, gamma=gamma, **chosen)
    data = {"x_true": cast(xp, dtype, x_true), "x_pred": cast(xp, dtype, x_pred)}
    covariance = Covariance(**matrices, sim=0.05 if sim is None and not chosen else sim)
    recon = negative_log_likelihood(data, covariance, weight=("w_recon", w_recon), reduction="mean")
    return recon + _mixture_terms(cast(xp, dtype, z), cast(xp, dtype, gamma), w_energy, w_cov_diag, eps)


def _mixture_terms(z: Array, gamma: Array, w_energy: Setting, w_cov_diag: Setting, eps: Setting) -> Array:
    xp, dtype = inputs(z=z, gamma=gamma)
    params = gmm_params(z, gamma, eps=eps)
    empty = xp.expand_dims(params.phi == 0.0, axis=1)
    variances = xp.where(empty, 1.0, diagonal(xp, params.cov))
    penalty = xp.sum(xp.where(empty, 0.0, 1.0 / variances))
    energy = weigh(xp, dtype, w_energy, gmm_energy(z, params), "w_energy")
    return energy + weigh(xp, dtype, w_cov_diag, penalty, "w_cov_diag")
