"""Hyperspheres around the embeddings of normal data: deep support vector data description (SVDD)."""

from __future__ import annotations

import math
from typing import Annotated

from anomaly_kernels._core.checks import (
    INSIDE_UNIT,
    POSITIVE,
    Range,
    array_of,
    cast,
    has_ndim,
    has_shape,
    inputs,
    not_empty,
    number,
    same_axes,
    shape_of,
)
from anomaly_kernels._core.evaluate import Formula, Slopes, reduce, weigh
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, DType, Namespace, Reduction, Setting

EPS_OF_CENTER = Range(least=0, below=math.inf)


@with_hint
def deep_svdd_loss(embeddings: Array, center: Array, *, weight: Setting = 1.0, reduction: Reduction = "mean") -> Array:
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
    xp, dtype, c = _prepare(embeddings, center)
    return reduce(xp, dtype, DISTANCE, {"embeddings": embeddings}, c, weight=weight, reduction=reduction)


@with_hint
def deep_svdd_soft_boundary_loss(
    embeddings: Array,
    center: Array,
    radius: Setting,
    *,
    nu: Annotated[Setting, INSIDE_UNIT] = 0.05,
    weight: Setting = 1.0,
) -> Array:
    r"""Soft-boundary Deep SVDD: volume of a hypersphere, plus the distances of the embeddings outside it.

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
    xp, dtype, c = _prepare(embeddings, center)
    r = number("radius", radius, xp, dtype)
    v = number("nu", nu, xp, dtype, INSIDE_UNIT)
    return weigh(xp, dtype, weight, r * r + reduce(xp, dtype, EXCESS, {"embeddings": embeddings}, c, r) / v)


@with_hint
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
    xp, dtype, c = _prepare(embeddings, center)
    distance = reduce(xp, dtype, DISTANCE, {"embeddings": embeddings}, c, reduction="none")
    if radius is None:
        return distance
    r = number("radius", radius, xp, dtype)
    return distance - r * r


@with_hint
def svdd_radius(raw: Array, *, beta: Annotated[Setting, POSITIVE] = 10.0) -> Array:
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
    xp, dtype = inputs(raw=raw)
    b = number("beta", beta, xp, dtype, POSITIVE)
    r = cast(xp, dtype, raw)
    return xp.softplus(b * r) / b


@with_hint
def svdd_center(embeddings: Array, *, eps: Annotated[Setting, EPS_OF_CENTER] = 0.1) -> Array:
    r"""Mean of the embeddings of normal data, pushed away from 0: the centre that Deep SVDD starts with.

    .. math:: c_d = \begin{cases} m_d & |m_d| \ge \varepsilon \\
              -\varepsilon & -\varepsilon < m_d < 0 \\ \varepsilon & 0 \le m_d < \varepsilon \end{cases},
              \quad m = \operatorname{mean} z

    Parameters
    ----------
    embeddings : array, (..., D)
        Embeddings z of normal data, from a network that has not been trained on them yet.
    eps : number or 0-d array, at least 0
        ε: entries nearer to 0 are moved to ±ε, because a network reaches a centre at 0 with all its weights at 0.

    Returns
    -------
    array, (D,)
        The centre c, in units of the embeddings.

    Raises
    ------
    TypeError
        If `embeddings` is not a floating point array.
    ValueError
        If it has no axis, `eps` is out of its range, or there is nothing to average over.

    Notes
    -----
    Compute the centre once, without gradients, and keep it while the network learns.

    References
    ----------
    .. [1] L. Ruff et al., "Deep One-Class Classification", ICML, 2018, section 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> ak.svdd_center(np.asarray([[1.0, 0.0, -0.01], [3.0, 0.0, -0.03]]))
    array([ 2. ,  0.1, -0.1])
    """
    xp, dtype = inputs(embeddings=embeddings)
    has_ndim("embeddings", embeddings, 1, "(..., D)", most=-1)
    not_empty(embeddings=embeddings)
    z = cast(xp, dtype, embeddings)
    return away_from_zero(xp.mean(z, axis=tuple(range(len(z.shape) - 1))) if len(z.shape) > 1 else z, eps)


def away_from_zero(mean: Array, eps: Setting) -> Array:
    """The centre of a mean: entries nearer to 0 than ε are put at ±ε."""
    xp, dtype = inputs(mean=mean)
    mean = cast(xp, dtype, mean)
    e = array_of(xp, dtype, number("eps", eps, xp, dtype, EPS_OF_CENTER), mean)
    return xp.where(xp.abs(mean) < e, xp.where(mean < 0.0, -e, e), mean)


def quantile_radius(embeddings: Array, center: Array, nu: float) -> Array:
    """The radius outside of which a fraction ν of the embeddings lies: the (1 - ν)-quantile of their distances."""
    not_empty(embeddings=embeddings)
    distance = svdd_score(embeddings, center)
    xp, _ = inputs(distance=distance)
    in_order = xp.sort(xp.reshape(distance, (-1,)))
    # a little beyond the embedding there, which stays inside when the radius is rounded, made raw and squared
    margin = 2.0**-19 if distance.dtype == xp.float32 else 2.0**-48
    return (1.0 + margin) * xp.sqrt(in_order[round((1.0 - nu) * (in_order.shape[0] - 1))])


def raw_radius(radius: Array, beta: float = 10.0) -> Array:
    """The parameter whose `svdd_radius` is the radius, which is at least 1e-6/β."""
    xp, _ = inputs(radius=radius)
    size = xp.maximum(beta * radius, 1e-6)
    return (size + xp.log(-xp.expm1(-size))) / beta


def _prepare(embeddings: Array, center: Array) -> tuple[Namespace, DType, Array]:
    xp, dtype = inputs(embeddings=embeddings, center=center)
    has_ndim("embeddings", embeddings, 1, "(..., D)", most=-1)
    has_shape("center", center, shape_of(embeddings)[-1:], "(D,)")
    same_axes("last axes", embeddings=(embeddings, (-1,)), center=(center, (-1,)))
    not_empty(center=center)
    return xp, dtype, cast(xp, dtype, center)


def _distance(xp: Namespace, z: Array, c: Array) -> Array:
    return xp.sum(xp.squared_difference(z, c, "none"), axis=-1)  # expanded, it loses all digits far from the origin


def _distance_slopes(xp: Namespace, z: Array, c: Array) -> Slopes:
    return [lambda: 2.0 * (z - c), lambda: 2.0 * _sum_of_rows(xp, c - z)]


def _reduced_distance(xp: Namespace, how: str, z: Array, c: Array) -> Array:
    if how == "mean" and shape_of(c)[0] is None:  # a width that a graph knows when it runs
        return xp.mean(_distance(xp, z, c))
    total = xp.squared_difference(z, c, how)
    return total * float(c.shape[0]) if how == "mean" else total


def _excess(xp: Namespace, z: Array, c: Array, r: Setting) -> Array:
    return xp.maximum(_distance(xp, z, c) - r * r, 0.0)


def _excess_slopes(xp: Namespace, z: Array, c: Array, r: Setting) -> Slopes:
    outside = xp.astype(_distance(xp, z, c) > r * r, z.dtype)

    def by_embedding() -> Array:
        return (2.0 * xp.expand_dims(outside, axis=-1)) * (z - c)

    return [by_embedding, lambda: -_sum_of_rows(xp, by_embedding()), lambda: -2.0 * r * xp.sum(outside)]


def _sum_of_rows(xp: Namespace, x: Array) -> Array:
    return xp.sum(x, axis=tuple(range(len(x.shape) - 1)))


DISTANCE = Formula(_distance, _distance_slopes, inner=1, reduced=_reduced_distance, blocks=2)
EXCESS = Formula(_excess, _excess_slopes, inner=1)
