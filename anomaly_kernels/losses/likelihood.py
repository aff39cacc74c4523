"""Gaussian likelihood of a reconstruction, and the divergence of a Gaussian latent from its prior."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, NamedTuple

from anomaly_kernels._core.checks import (
    POSITIVE,
    cast,
    has_known_sizes,
    has_ndim,
    has_shape,
    inputs,
    not_empty,
    number,
    same_shape,
)
from anomaly_kernels._core.evaluate import Formula, Slopes, reduce, weigh
from anomaly_kernels._core.numeric import square
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, DType, Namespace, Reduction, Setting

LOG_2PI = math.log(2.0 * math.pi)


class Covariance(NamedTuple):
    """The four ways to give Σ, of which at most one is set."""

    cov_full: Array | None = None
    cov_diag: Array | None = None
    scale_diag: Array | None = None
    sim: Setting | None = None

    def chosen(self) -> dict[str, Array]:
        """The one that is set, by name, if any."""
        chosen = {name: value for name, value in self._asdict().items() if value is not None}
        if len(chosen) > 1:
            names = ", ".join(f"`{name}`" for name in self._fields)
            raise ValueError(f"at most one of {names} may be given, got {', '.join(chosen)}")
        return chosen


@with_hint
def elbo(
    y_true: Array,
    y_pred: Array,
    *,
    cov_full: Array | None = None,
    cov_diag: Array | None = None,
    scale_diag: Array | None = None,
    sim: Annotated[Setting, POSITIVE] | None = None,
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
) -> Array:
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
    Despite its name it is only the reconstruction term of the evidence lower bound (ELBO). Add the other term,
    `gaussian_kl`, yourself. If none of the four is given, Σ is the identity. The result is negative where the density
    is above 1. If Σ is not positive definite, the result is NaN (JAX, TensorFlow), or the library raises its Cholesky
    error (NumPy, torch).

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
    covariance = Covariance(cov_full, cov_diag, scale_diag, sim)
    data = {"y_true": y_true, "y_pred": y_pred}
    return negative_log_likelihood(data, covariance, weight=("weight", weight), reduction=reduction)


def negative_log_likelihood(
    data: Mapping[str, Array], covariance: Covariance, *, weight: tuple[str, Setting], reduction: Reduction
) -> Array:
    """`elbo` of two arrays under the names that its caller gives them and its weight."""
    chosen = covariance.chosen()
    xp, dtype = inputs(**data, **{name: x for name, x in chosen.items() if name != "sim"})
    same_shape(**data)
    size = _sample_size(**data)
    arrays = {name: xp.reshape(x, (-1, size)) for name, x in data.items()}
    scale, log_scale = _scale(xp, dtype, covariance, size, next(iter(arrays.values())))
    constant = log_scale + 0.5 * size * LOG_2PI
    formula = _FULL if covariance.cov_full is not None else _DIAGONAL
    name, factor = weight
    return weigh(xp, dtype, factor, reduce(xp, dtype, formula, arrays, scale, constant, reduction=reduction), name)


def _of_diagonal(xp: Namespace, y: Array, prediction: Array, scale: Setting, constant: Setting) -> Array:
    return 0.5 * xp.sum(square((y - prediction) / scale), axis=-1) + constant


def _slopes_of_diagonal(xp: Namespace, y: Array, prediction: Array, scale: Setting, constant: Setting) -> Slopes:
    white = (y - prediction) / scale

    def by_scale() -> Array:
        slope = -xp.sum(square(white), axis=0) / scale
        return slope if len(getattr(scale, "shape", ())) else xp.sum(slope)

    def by_constant() -> Array:
        return xp.sum(xp.ones_like(white[:, 0]))

    return [lambda: white / scale, lambda: -white / scale, by_scale, by_constant]


def _of_full(xp: Namespace, y: Array, prediction: Array, inverse: Array, constant: Setting) -> Array:
    return 0.5 * xp.sum(square(xp.matmul(y - prediction, inverse)), axis=-1) + constant


_DIAGONAL = Formula(_of_diagonal, _slopes_of_diagonal, inner=1)
_FULL = Formula(_of_full, inner=1)


def _sample_size(**data: Array) -> int:
    """Numbers in a sample, which must be known, as (-1, size) cannot have two unknowns."""
    name, x = next(iter(data.items()))
    has_ndim(name, x, 1, "(B, ...)", most=-1)
    has_known_sizes(name, x, slice(1, None))
    size = math.prod(x.shape[1:])
    if size == 0:
        not_empty(**data)
    return size


def _scale(xp: Namespace, dtype: DType, covariance: Covariance, size: int, like: Array) -> tuple[Setting, Setting]:
    """What makes residuals white: deviations to divide by, or a matrix for a full Σ; and half its log determinant."""
    full, variances, scale, sim = covariance
    if full is not None:
        has_shape("cov_full", full, (size, size), "(D, D)")
        factor = xp.cholesky(cast(xp, dtype, full))
        return xp.permute_dims(xp.lower_inverse(factor), (1, 0)), xp.sum(xp.log(diagonal(xp, factor)))
    if variances is not None:
        has_shape("cov_diag", variances, (size,), "(D,)")
        variances = cast(xp, dtype, variances)
        return xp.sqrt(variances), 0.5 * xp.sum(xp.log(variances))
    if scale is not None:
        has_shape("scale_diag", scale, (size,), "(D,)")
        deviations = cast(xp, dtype, scale)
        return deviations, xp.sum(xp.log(deviations))
    if sim is None:
        return 1.0, 0.0
    deviation = number("sim", sim, xp, dtype, POSITIVE)
    # as an array, the sum of nothing and the number: compilers would compile math.log anew for each number
    return deviation, size * xp.log(cast(xp, dtype, xp.sum(like[:0, ...])) + deviation)


def diagonal(xp: Namespace, matrix: Array) -> Array:
    """The diagonals (..., D) of matrices (..., D, D)."""
    return xp.sum(xp.where(xp.eye_like(matrix) == 1.0, matrix, 0.0), axis=-1)


@with_hint
def gaussian_kl(mean: Array, log_var: Array, *, weight: Setting = 1.0, reduction: Reduction = "mean") -> Array:
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
    xp, dtype = inputs(mean=mean, log_var=log_var)
    same_shape(mean=mean, log_var=log_var)
    has_ndim("mean", mean, 1, "(..., D)", most=-1)
    arrays = {"mean": mean, "log_var": log_var}
    return reduce(xp, dtype, _KL_FROM_STANDARD, arrays, weight=weight, reduction=reduction)


def _kl_from_standard(xp: Namespace, mu: Array, log_variance: Array) -> Array:
    return 0.5 * xp.sum(square(mu) + (xp.exp(log_variance) - 1.0 - log_variance), axis=-1)


_KL_FROM_STANDARD = Formula(
    _kl_from_standard,
    lambda xp, mu, log_variance: [lambda: mu, lambda: 0.5 * xp.exp(log_variance) - 0.5],
    inner=1,
)
