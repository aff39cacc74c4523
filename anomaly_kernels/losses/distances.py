"""How far embeddings are from those of normal data: from the means of classes (Mahalanobis), from their neighbours."""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated, Literal, NamedTuple, SupportsIndex, TypeAlias

from anomaly_kernels._core.checks import (
    NOT_NEGATIVE,
    UNIT,
    cast,
    choice,
    has_known_sizes,
    has_ndim,
    has_shape,
    inputs,
    not_empty,
    number,
    positive,
    same_axes,
    shape_of,
)
from anomaly_kernels._core.evaluate import Formula, Slopes, Sums, making, meeting, reduce
from anomaly_kernels._core.numeric import length, ratio, square
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.targets import check_classes
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.losses.likelihood import diagonal

Count: TypeAlias = Annotated[SupportsIndex, positive]

SPARE = 8
"""How many more neighbours than asked for are measured, since those that a product of matrices finds are rounded."""


class MahalanobisParams(NamedTuple):
    """Means of K classes of embeddings of D dimensions, and the covariance that the classes share.

    Attributes
    ----------
    mean : array, (K, D)
        Means of the classes.
    cov : array, (D, D)
        Covariance of the embeddings around the means of their classes.
    chol : array, (D, D)
        Its lower Cholesky factor.
    """

    mean: Array
    cov: Array
    chol: Array


@with_hint
def mahalanobis_fit(
    embeddings: Array,
    label: Array | None = None,
    *,
    n_classes: Count = 1,
    shrinkage: Annotated[Setting, UNIT] = 0.0,
    eps: Annotated[Setting, NOT_NEGATIVE] = 1e-6,
) -> MahalanobisParams:
    r"""Class means and shared covariance of the embeddings of normal data, for `mahalanobis_score`.

    .. math:: \mu_k = \operatorname{mean}_{n : y_n = k} z_n, \quad
        S = \frac 1N \sum_n (z_n - \mu_{y_n})(z_n - \mu_{y_n})^\top, \quad
        \Sigma = (1 - a) S + \left(a \frac{\operatorname{tr} S}{D} + \epsilon\right) I

    Parameters
    ----------
    embeddings : array, (N, D)
        Embeddings z of normal data.
    label : array, (N,), optional
        Class y of each sample, a whole number from 0 to K - 1. Without it, all samples are of one class.
    n_classes : int, from 1 on
        How many classes K there are.
    shrinkage : number or 0-d array, between 0 and 1
        Share a of the covariance that is replaced by a multiple of the identity, of the same trace.
    eps : number or 0-d array, at least 0
        ε, added to the diagonal of the covariance.

    Returns
    -------
    MahalanobisParams
        mean (K, D), cov (D, D) and chol (D, D), with chol · cholᵀ = cov.

    Raises
    ------
    TypeError
        If an input is of a wrong dtype, or they belong to different libraries.
    ValueError
        If the shapes do not fit, a label is not one of the K classes, a setting is out of its range, there are no
        samples, or several classes without `label`.

    Notes
    -----
    A class without samples takes the mean of the first class with samples, so it is never nearer than that class. With
    ε = 0 and no more samples than dimensions, the covariance has no Cholesky factor. The result is then NaN, or the
    library raises its own Cholesky error. Where the values of labels are not known (compiled, lazy, on a GPU), a label
    outside the K classes makes the covariance NaN. The memory is that of a block of samples and of D × D numbers.

    References
    ----------
    .. [1] K. Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial
       Attacks", NeurIPS, 2018, section 2.1.
    .. [2] T. Defard et al., "PaDiM: a Patch Distribution Modeling Framework for Anomaly Detection and Localization",
       ICPR Workshops, 2021, section 3.2: ε.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> z = np.asarray([[0.0, 0.0], [2.0, 0.0], [0.0, 7.0], [2.0, 9.0]])
    >>> params = ak.mahalanobis_fit(z, np.asarray([0, 0, 1, 1]), n_classes=2, eps=0.5)
    >>> params.mean.tolist(), params.cov.tolist()
    ([[1.0, 0.0], [1.0, 8.0]], [[1.5, 0.5], [0.5, 1.0]])
    """
    xp, dtype = inputs({} if label is None else {"label": label}, embeddings=embeddings)
    a = number("shrinkage", shrinkage, xp, dtype, UNIT)
    e = number("eps", eps, xp, dtype, NOT_NEGATIVE)
    count, mean, scatter, n = class_moments(embeddings, label, n_classes)
    mean = class_means(xp, count, mean)
    return xp.as_one(params_of)(xp, mean, scatter / n, a, e)


def class_moments(embeddings: Array, label: Array | None, n_classes: SupportsIndex) -> tuple[Array, ...]:
    """How many samples each class has, their means (0 of none), the scatter around these, and how many there are."""
    xp, dtype = inputs({} if label is None else {"label": label}, embeddings=embeddings)
    has_ndim("embeddings", embeddings, 2, "(N, D)")
    has_known_sizes("embeddings", embeddings, slice(1, None))
    not_empty(embeddings=embeddings)
    k = positive("n_classes", n_classes)
    if label is not None:
        has_shape("label", label, shape_of(embeddings)[:1], "(N,) with the N of `embeddings`")
        same_axes("N", embeddings=(embeddings, (0,)), label=(label, (0,)))
        check_classes(xp, "label", label, k, least=0)
    elif k > 1:
        raise ValueError(f"`label` must be given where there are several classes, got None and n_classes={k}")
    z = cast(xp, dtype, embeddings)
    y = xp.zeros_like(z[:, 0]) if label is None else cast(xp, dtype, label)
    classes = xp.constant([float(j) for j in range(k)], like=z, dtype=dtype)
    return xp.as_one(_moments)(xp, z, y, classes)


def _moments(xp: Namespace, z: Array, y: Array, classes: Array) -> tuple[Array, ...]:
    d = z.shape[1]
    center = xp.stop_gradient(xp.mean(z, axis=0))  # sums of deviations from it lose no digits
    count, total, n = xp.add_up(making(classes.shape[0] * d, CLASS_SUMS), z.dtype, (z, y), (classes, center))
    known = xp.expand_dims(count, axis=1)
    mean = xp.where(known > 0.0, center + ratio(xp, total, known), 0.0)
    (scatter,) = xp.add_up(making(d * d, SCATTER), z.dtype, (z, y), (classes, mean))
    return count, mean, scatter + 0.0 * n, n


def class_means(xp: Namespace, count: Array, mean: Array) -> Array:
    """The mean of each class; that of the first that has samples stands for those without, which is 0."""
    known = count > 0.0
    order = xp.cumulative_sum(xp.astype(known, count.dtype), axis=0)
    first = xp.astype(xp.logical_and(known, order == 1.0), count.dtype)
    return xp.where(xp.expand_dims(known, axis=1), mean, xp.matmul(first, mean))


def params_of(xp: Namespace, mean: Array, within: Array, shrinkage: Setting, eps: Setting) -> MahalanobisParams:
    """The parameters for means of classes, and the covariance around them as the data have it."""
    variance = xp.mean(diagonal(xp, within))
    cov = (1.0 - shrinkage) * within + (shrinkage * variance + eps) * xp.eye_like(within)
    return MahalanobisParams(mean, cov, xp.cholesky(cov))


def _members(xp: Namespace, y: Array, classes: Array) -> Array:
    """1 for each sample and its class, else 0: (N, K)."""
    return xp.astype(xp.expand_dims(y, axis=1) == classes, y.dtype)


def _class_sums(xp: Namespace, z: Array, y: Array, classes: Array, center: Array) -> tuple[Array, Array, Array]:
    """How many samples each class has, the sums of their deviations, and how many there are, NaN if one is of none."""
    members = _members(xp, y, classes)
    each = xp.sum(members, axis=1)  # 1
    number = xp.sum(xp.where(each == 0.0, math.nan, each))
    return xp.sum(members, axis=0), xp.matmul(xp.matrix_transpose(members), z - center), number


def _slopes_of_class_sums(
    xp: Namespace, upstream: tuple[Array, ...], z: Array, y: Array, classes: Array, center: Array
) -> Slopes:
    pulled = xp.matmul(_members(xp, y, classes), upstream[1])
    return [
        lambda: pulled,
        lambda: xp.zeros_like(y),
        lambda: xp.zeros_like(classes),
        lambda: -xp.sum(pulled, axis=0),
    ]


def _scatter(xp: Namespace, z: Array, y: Array, classes: Array, mean: Array) -> tuple[Array]:
    """Σ (z - μ)(z - μ)ᵀ: first the deviations, which have digits far from the origin too."""
    deviation = z - xp.matmul(_members(xp, y, classes), mean)
    return (xp.matmul(xp.matrix_transpose(deviation), deviation),)


def _slopes_of_scatter(
    xp: Namespace, upstream: tuple[Array], z: Array, y: Array, classes: Array, mean: Array
) -> Slopes:
    members = _members(xp, y, classes)
    pulled = xp.matmul(z - xp.matmul(members, mean), upstream[0] + xp.matrix_transpose(upstream[0]))
    return [
        lambda: pulled,
        lambda: xp.zeros_like(y),
        lambda: xp.zeros_like(classes),
        lambda: -xp.matmul(xp.matrix_transpose(members), pulled),
    ]


CLASS_SUMS = Sums(_class_sums, _slopes_of_class_sums, inner=1)
SCATTER = Sums(_scatter, _slopes_of_scatter, inner=1)


@with_hint
def mahalanobis_score(embeddings: Array, mean: Array, chol: Array) -> Array:
    r"""Squared Mahalanobis distance from the nearest of the class means.

    .. math:: s = \min_k (z - \mu_k)^\top \Sigma^{-1} (z - \mu_k) = \min_k \|L^{-1}(z - \mu_k)\|^2

    Parameters
    ----------
    embeddings : array, (..., D)
        Embeddings z.
    mean : array, (K, D) or (D,)
        Means μ of the classes, or of all: those of `mahalanobis_fit`.
    chol : array, (D, D)
        Lower Cholesky factor L of the covariance Σ = L Lᵀ; what stands above the diagonal is not read.

    Returns
    -------
    array
        The shape without the last axis, without a unit. For normal data from a Gaussian it is D on average. Higher
        means more anomalous.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes do not fit.

    Notes
    -----
    The confidence score of the first paper is its negative. The relative distance of the second is a difference:
    ``mahalanobis_score(z, mean, chol) - mahalanobis_score(z, mean_of_all, chol_of_all)``.

    References
    ----------
    .. [1] K. Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial
       Attacks", NeurIPS, 2018, equation 2.
    .. [2] J. Ren et al., "A Simple Fix to Mahalanobis Distance for Improving Near-OOD Detection", 2021.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> chol = np.asarray([[1.0, 0.0], [0.0, 2.0]])
    >>> ak.mahalanobis_score(np.asarray([[0.0, 4.0], [3.0, 0.0]]), np.zeros(2), chol)
    array([4., 9.])
    """
    xp, dtype = inputs(embeddings=embeddings, mean=mean, chol=chol)
    has_ndim("embeddings", embeddings, 1, "(..., D)", most=-1)
    has_ndim("mean", mean, 1, "(K, D) or (D,)", most=2)
    d, sizes = shape_of(embeddings)[-1], shape_of(mean)
    has_shape("mean", mean, (*sizes[:-1], d), "(K, D) or (D,) with the D of `embeddings`")
    has_shape("chol", chol, (d, d), "(D, D) with the D of `embeddings`")
    has_known_sizes("mean", mean, slice(None))
    not_empty(mean=mean)
    means, factor = cast(xp, dtype, mean), cast(xp, dtype, chol)
    means = xp.expand_dims(means, axis=0) if len(sizes) == 1 else means
    lower = xp.cumulative_sum(xp.eye_like(factor), axis=0)  # 1 on and below the diagonal
    inverse = xp.matrix_transpose(xp.lower_inverse(xp.where(lower > 0.0, factor, 0.0)))
    center = xp.mean(means, axis=0)
    white = xp.matmul(means - center, inverse)
    return reduce(xp, dtype, _TO_NEAREST_MEAN, {"embeddings": embeddings}, center, inverse, white, reduction="none")


def _to_nearest_mean(xp: Namespace, z: Array, center: Array, inverse: Array, white: Array) -> Array:
    w = xp.matmul(z - center, inverse)
    each = [xp.sum(square(w - white[k, ...]), axis=-1) for k in range(white.shape[0])]
    return each[0] if len(each) == 1 else xp.min(xp.stack(each, axis=-1), axis=-1)


_TO_NEAREST_MEAN = Formula(_to_nearest_mean, inner=1)


@with_hint
def knn_score(embeddings: Array, reference: Array, *, k: Count = 1, aggregate: Literal["kth", "mean"] = "kth") -> Array:
    r"""Distance to the k-th nearest of reference embeddings, or the mean distance to the k nearest.

    .. math:: s = \|z - r_{(k)}\| \quad\text{or}\quad s = \frac 1k \sum_{j \le k} \|z - r_{(j)}\|,
        \quad \|z - r_{(1)}\| \le \|z - r_{(2)}\| \le \dots

    Parameters
    ----------
    embeddings : array, (..., D)
        Embeddings z, of samples or of the patches of images.
    reference : array, (N, D)
        Embeddings r of normal data: a memory bank.
    k : int, from 1 to N
        Number of neighbours. If the reference contains the embeddings themselves, ask for one more.
    aggregate : {"kth", "mean"}
        The distance to the k-th of them, or the mean over all k.

    Returns
    -------
    array
        The shape without the last axis, in units of the embeddings. Higher means more anomalous.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes do not fit, or a setting is out of its range.

    Notes
    -----
    Products of centred matrices find the neighbours, in double precision if the library has it. The distances of the
    nearest k + 8 are then computed again from differences. So they keep all their digits, even far from the origin. At
    a distance of 0 the gradient is 0. A NaN in the reference makes all scores NaN. Where values are known, and under
    JAX, the memory is that of a block of embeddings times N. Elsewhere it is (...) × N.

    Without double precision, as in JAX before ``jax_enable_x64``, other embeddings may be taken for the nearest. This
    happens if the reference extends over more than a thousand times the distance to them. Scale its columns first.

    Rows are not normalised. For the score of the second paper, divide them by their lengths first.

    References
    ----------
    .. [1] S. Ramaswamy et al., "Efficient Algorithms for Mining Outliers from Large Data Sets", SIGMOD, 2000.
    .. [2] Y. Sun et al., "Out-of-Distribution Detection with Deep Nearest Neighbors", ICML, 2022.
    .. [3] K. Roth et al., "Towards Total Recall in Industrial Anomaly Detection", CVPR, 2022, section 3.3: the patches
       of PatchCore.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> reference = np.asarray([[0.0, 0.0], [3.0, 4.0], [0.0, 9.0]])
    >>> ak.knn_score(np.asarray([[0.0, 0.0], [3.0, 0.0]]), reference, k=2, aggregate="mean")
    array([2.5, 3.5])
    """
    xp, dtype = inputs(embeddings=embeddings, reference=reference)
    has_ndim("embeddings", embeddings, 1, "(..., D)", most=-1)
    has_ndim("reference", reference, 2, "(N, D)")
    d = shape_of(embeddings)[-1]
    has_shape("reference", reference, (shape_of(reference)[0], d), "(N, D) with the D of `embeddings`")
    has_known_sizes("reference", reference, slice(None))
    not_empty(reference=reference)
    n, count = reference.shape[0], positive("k", k)
    if count > n:
        raise ValueError(f"`k` must be at most the number of rows of `reference`, {n}, got {count}")
    choice("aggregate", aggregate, ("kth", "mean"))
    z, r = cast(xp, dtype, embeddings), cast(xp, dtype, reference)
    rows = z if len(z.shape) == 2 else xp.reshape(z, (-1, reference.shape[1]))
    formula = meeting(Formula(partial(_distances, count, aggregate), inner=1), n, reference.shape[1])
    found = xp.evaluate(formula, dtype, (rows,), (r, *_product_form(xp, r)))
    return found if len(z.shape) == 2 else xp.reshape(found, tuple(-1 if m is None else m for m in shape_of(z)[:-1]))


def _product_form(xp: Namespace, r: Array) -> tuple[Array, Array, Array]:
    """The centre of rows, their deviations from it, and the squares of these: ‖z‖² - ‖z - r‖² is then a product."""
    wide = xp.astype(xp.stop_gradient(r), xp.wide(r))
    center = xp.mean(wide, axis=0)
    deviation = wide - center
    return center, deviation, xp.sum(square(deviation), axis=1)


def _distances(count: int, aggregate: str, xp: Namespace, z: Array, r: Array, *product: Array) -> Array:
    nearest = meeting(Formula(partial(_nearest, count, aggregate), inner=1), r.shape[0], r.shape[1])
    places = xp.evaluate_rows(nearest, (xp.stop_gradient(z),), (xp.stop_gradient(r), *product))
    distances = length(xp, xp.expand_dims(z, axis=1) - _rows_at(xp, r, places))
    unknown = xp.isnan(xp.sum(product[0]))
    return xp.where(unknown, math.nan, xp.mean(distances, axis=1))


def _nearest(
    count: int, aggregate: str, xp: Namespace, z: Array, r: Array, center: Array, deviation: Array, squares: Array
) -> Array:
    """The places of the nearest rows of r, or that of the k-th: (B, k) or (B, 1)."""
    near = xp.matmul(2.0 * (xp.astype(z, center.dtype) - center), xp.matrix_transpose(deviation)) - squares
    _, places = xp.top_k(near, min(count + SPARE, r.shape[0]))
    exact = xp.sum(square(xp.expand_dims(z, axis=1) - _rows_at(xp, r, places)), axis=-1)
    _, order = xp.top_k(-exact, count)
    return xp.take_along_axis(places, order if aggregate == "mean" else order[:, count - 1 :])


def _rows_at(xp: Namespace, r: Array, places: Array) -> Array:
    """The rows at places (B, k): (B, k, D)."""
    return xp.reshape(xp.take(r, xp.reshape(places, (-1,)), axis=0), (-1, places.shape[1], r.shape[1]))
