"""Losses for few labels: known anomalies are pushed away from where normal data are, or from their scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, SupportsIndex

from anomaly_kernels._core.checks import (
    NOT_NEGATIVE,
    POSITIVE,
    axes,
    axes_of,
    cast,
    has_ndim,
    has_shape,
    inputs,
    not_empty,
    number,
    same_axes,
    same_shape,
    shape_of,
)
from anomaly_kernels._core.evaluate import Formula, Slopes, reduce
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.targets import check_mask, check_sign
from anomaly_kernels._core.typing import Array, DType, Namespace, Reduction, Setting


@with_hint
def deep_sad_loss(
    target: Array,
    embeddings: Array,
    center: Array,
    *,
    eta: Annotated[Setting, NOT_NEGATIVE] = 1.0,
    eps: Annotated[Setting, NOT_NEGATIVE] = 1e-6,
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    r"""Deep SAD: Deep SVDD with a few labels. `target` is 1 for a known anomaly, the opposite of the paper's sign.

    .. math:: w \cdot \operatorname{mean} \begin{cases} \eta / (d + \varepsilon) & y = 1 \\ d & y = 0 \\
              \eta\, (d + \varepsilon) & y = -1 \end{cases}, \quad d = \|z - c\|^2

    Parameters
    ----------
    target : array, (...)
        Labels y: 1 (or True) for a known anomaly, 0 for an unlabelled sample, -1 for a known normal sample.
    embeddings : array, (..., D)
        Embeddings z.
    center : array, (D,)
        Centre c of the hypersphere.
    eta : number or 0-d array, at least 0
        Weight η of the labelled samples beside the others.
    eps : number or 0-d array, at least 0
        ε in squared units of the embeddings; it bounds the loss of an anomaly by η/ε.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the samples.

    Returns
    -------
    array
        0-d, or with ``"none"`` the shape of `target`.

    Raises
    ------
    TypeError
        If `embeddings` or `center` is not a floating point array, or the arrays belong to different libraries.
    ValueError
        If the shapes do not fit, a setting is out of its range, an integer label is not -1, 0 or 1, or there is nothing
        to average over.

    Notes
    -----
    As in the authors' code, the term of known normal samples has ε too. The paper has none there. An anomaly on the
    centre has the loss η/ε and the gradient 0, if ε is above 0.

    References
    ----------
    .. [1] L. Ruff et al., "Deep Semi-Supervised Anomaly Detection", ICLR, 2020, equation 7.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, z = np.asarray([1, 0, -1]), np.asarray([[0.0, 0.5], [0.0, 2.0], [1.0, 0.0]])
    >>> ak.deep_sad_loss(y, z, np.zeros(2), reduction="none").round(4)
    array([4., 4., 1.])
    """
    xp, dtype = _around_center(target, embeddings, center)
    if target.dtype != dtype:
        check_sign(xp, target)
    has_shape("target", target, shape_of(embeddings)[:-1], "of `embeddings` without the last axis")
    h = number("eta", eta, xp, dtype, NOT_NEGATIVE)
    e = number("eps", eps, xp, dtype, NOT_NEGATIVE)
    arrays = {"embeddings": embeddings, "target": xp.expand_dims(target, axis=-1)}
    return reduce(xp, dtype, DEEP_SAD, arrays, cast(xp, dtype, center), h, e, weight=weight, reduction=reduction)


def _deep_sad(xp: Namespace, z: Array, y: Array, c: Array, eta: Setting, eps: Setting) -> Array:
    y, d = y[..., 0], xp.sum(xp.squared_difference(z, c, "none"), axis=-1)
    labelled = xp.where(y > 0.0, eta / (d + eps), eta * (d + eps))
    return xp.where(y == 0.0, d, labelled + 0.0 * y)  # which is NaN where y is


def _deep_sad_slopes(xp: Namespace, z: Array, y: Array, c: Array, eta: Setting, eps: Setting) -> Slopes:
    y, difference = y[..., 0], z - c
    d = xp.sum(difference * difference, axis=-1)
    known, anomalous = y != 0.0, y > 0.0
    by_labelled = xp.where(anomalous, -eta / ((d + eps) * (d + eps)), eta)

    def by_embedding() -> Array:
        return xp.expand_dims(2.0 * xp.where(known, by_labelled, 1.0), axis=-1) * difference

    def by_center() -> Array:
        return -xp.sum(by_embedding(), axis=tuple(range(len(z.shape) - 1)))

    def by_eta() -> Array:
        return xp.sum(xp.where(known, xp.where(anomalous, 1.0 / (d + eps), d + eps), 0.0))

    return [
        by_embedding,
        lambda: xp.expand_dims(0.0 * y, axis=-1),
        by_center,
        by_eta,
        lambda: xp.sum(xp.where(known, by_labelled, 0.0)),
    ]


DEEP_SAD = Formula(_deep_sad, _deep_sad_slopes, inner=1)


@with_hint
def deviation_loss(
    target: Array,
    score: Array,
    *,
    margin: Setting = 5.0,
    reference_mean: Setting = 0.0,
    reference_std: Annotated[Setting, POSITIVE] = 1.0,
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    r"""Deviation loss: pulls scores of normal data to a reference, and pushes scores of anomalies above it.

    .. math:: w \cdot \operatorname{mean}\left((1 - y)\,|\delta| + y \max(0, m - \delta)\right), \quad
        \delta = \frac{s - \mu}{\sigma}

    Parameters
    ----------
    target : array, any shape
        Truth y: booleans, 0 and 1, or probabilities of an anomaly. Unlabelled samples count as normal.
    score : array, shape of `target`
        Anomaly scores s.
    margin : number or 0-d array
        m, the deviations above the reference that anomalies must reach.
    reference_mean : number or 0-d array
        Mean μ of the reference.
    reference_std : number or 0-d array, above 0
        Standard deviation σ of the reference.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Returns
    -------
    array
        In deviations of the reference; 0-d, or with ``"none"`` one value per element.

    Raises
    ------
    TypeError
        If `score` is not a floating point array, or the arrays belong to different libraries.
    ValueError
        If the shapes differ, a setting is out of its range, or there is nothing to average over.

    Notes
    -----
    The paper draws 5000 numbers of the standard normal distribution at each step and takes their mean and standard
    deviation. The defaults here are their limits, 0 and 1. For a sample, give its mean and standard deviation.

    References
    ----------
    .. [1] G. Pang, C. Shen, A. van den Hengel, "Deep Anomaly Detection with Deviation Networks", KDD, 2019,
       equations 6 and 7.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> ak.deviation_loss(np.asarray([0, 0, 1, 1]), np.asarray([0.5, -1.0, 2.0, 6.0]), reduction="none")
    array([0.5, 1. , 3. , 0. ])
    """
    xp, dtype = inputs({"target": target}, score=score)
    same_shape(target=target, score=score)
    if target.dtype != dtype:
        check_mask(xp, target)
    m = number("margin", margin, xp, dtype)
    mean = number("reference_mean", reference_mean, xp, dtype)
    std = number("reference_std", reference_std, xp, dtype, POSITIVE)
    arrays = {"score": score, "target": target}
    return reduce(xp, dtype, DEVIATION, arrays, m, mean, std, weight=weight, reduction=reduction)


def _deviation(xp: Namespace, s: Array, y: Array, margin: Setting, mean: Setting, std: Setting) -> Array:
    deviation = (s - mean) / std
    return (1.0 - y) * xp.abs(deviation) + y * xp.maximum(margin - deviation, 0.0)


def _deviation_slopes(xp: Namespace, s: Array, y: Array, margin: Setting, mean: Setting, std: Setting) -> Slopes:
    deviation = (s - mean) / std
    short = y * xp.astype(deviation < margin, s.dtype)

    def by_score() -> Array:
        return ((1.0 - y) * xp.sign(deviation) - short) / std

    return [
        by_score,
        lambda: xp.maximum(margin - deviation, 0.0) - xp.abs(deviation),
        lambda: xp.sum(short),
        lambda: -xp.sum(by_score()),
        lambda: -xp.sum(by_score() * deviation),
    ]


DEVIATION = Formula(_deviation, _deviation_slopes)


@with_hint
def hypersphere_classifier_loss(
    target: Array,
    embeddings: Array,
    center: Array,
    *,
    axis: Annotated[SupportsIndex | Sequence[SupportsIndex] | None, axes] = None,
    eps: Annotated[Setting, NOT_NEGATIVE] = 1e-31,
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    r"""Cross entropy of a hypersphere: normal data inside, labelled anomalies outside (HSC; with `axis`, FCDD).

    .. math:: w \cdot \operatorname{mean}\left((1 - y)\, h - y \log(1 - e^{-h} + \varepsilon)\right), \quad
        h = \sqrt{\|z - c\|^2 + 1} - 1

    Parameters
    ----------
    target : array, (...)
        Truth y: booleans, 0 and 1, or probabilities of an anomaly; of the shape that h has.
    embeddings : array, (..., D)
        Embeddings z.
    center : array, (D,)
        Centre c of the hypersphere.
    axis : int or tuple of ints, optional
        Axes over which h is averaged first. h has the shape of `embeddings` without the last axis. With the axes of an
        image, one label for each image is enough. This is FCDD, whose maps are ``embeddings`` of shape (B, H, W, 1).
    eps : number or 0-d array, at least 0
        ε, which bounds the loss of an anomaly on the centre; with 0 it is infinite there.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the samples.

    Returns
    -------
    array
        In nats; 0-d, or with ``"none"`` the shape of `target`.

    Raises
    ------
    TypeError
        If `embeddings` or `center` is not a floating point array, or the arrays belong to different libraries.
    ValueError
        If the shapes do not fit, a setting is out of its range, or there is nothing to average over.

    Notes
    -----
    Computed as :math:`h = r^2 / (\sqrt{r^2 + 1} + 1)`, which keeps its digits near the centre, and the logarithm by
    the one of ``expm1`` and ``log1p`` that keeps its own. The gradient of an anomaly on the centre is 0.

    References
    ----------
    .. [1] L. Ruff et al., "Rethinking Assumptions in Deep Anomaly Detection", arXiv:2006.00339, 2020, equation 4.
    .. [2] P. Liznerski et al., "Explainable Deep One-Class Classification", ICLR, 2021, equation 2.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> z = np.asarray([[0.0, 0.0], [3.0, 4.0], [1e-4, 0.0]])
    >>> ak.hypersphere_classifier_loss(np.asarray([0, 0, 1]), z, np.zeros(2), reduction="none").round(4)
    array([ 0.    ,  4.099 , 19.1138])
    """
    xp, dtype = _around_center(target, embeddings, center)
    if target.dtype != dtype:
        check_mask(xp, target)
    e = number("eps", eps, xp, dtype, NOT_NEGATIVE)
    last = len(embeddings.shape) - 1
    pooled = () if axis is None else axes_of(axis, last) or ()
    rest = tuple(k for k in range(last) if k not in pooled)
    shape = tuple(shape_of(embeddings)[k] for k in rest)
    has_shape("target", target, shape, "of `embeddings` without `axis` and the last axis")
    same_axes("axes", target=(target, tuple(range(len(rest)))), embeddings=(embeddings, rest))
    z, y = xp.permute_dims(embeddings, (*rest, *pooled, last)) if pooled else embeddings, target
    for _ in range(len(pooled) + 1):
        y = xp.expand_dims(y, axis=-1)
    inner = len(pooled) + 1

    def values(xp: Namespace, z: Array, y: Array, c: Array, e: Setting) -> Array:
        h = _pseudo_huber(xp, z, c)
        if pooled:
            h = xp.mean(h, axis=tuple(range(len(rest), last)))
        return _of_classifier(xp, h, y[(..., *(0,) * inner)], e)

    arrays = {"embeddings": z, "target": y}
    formula = Formula(values, inner=inner)
    return reduce(xp, dtype, formula, arrays, cast(xp, dtype, center), e, weight=weight, reduction=reduction)


def _pseudo_huber(xp: Namespace, z: Array, c: Array) -> Array:
    """√(r² + 1) - 1 of the distances r from the centre."""
    squared = xp.sum(xp.squared_difference(z, c, "none"), axis=-1)
    return squared / (xp.sqrt(squared + 1.0) + 1.0)


def _of_classifier(xp: Namespace, h: Array, y: Array, eps: Setting) -> Array:
    infinite = xp.logical_and(y == 0.0, h + eps == 0.0)  # a logarithm that does not count, for it is of a normal sample
    away = xp.where(infinite, math.inf, h)
    near = away < math.log(2.0)
    # each logarithm of a number that it keeps the digits of, and of 1 where it is not asked
    log_near = xp.log(xp.where(near, eps - xp.expm1(-away), 1.0))
    log_far = xp.log1p(xp.where(near, 0.0, eps - xp.exp(-away)))
    return (1.0 - y) * h - y * (log_near + log_far)


def _around_center(target: Array, embeddings: Array, center: Array) -> tuple[Namespace, DType]:
    xp, dtype = inputs({"target": target}, embeddings=embeddings, center=center)
    has_ndim("embeddings", embeddings, 1, "(..., D)", most=-1)
    has_shape("center", center, shape_of(embeddings)[-1:], "(D,)")
    same_axes("last axes", embeddings=(embeddings, (-1,)), center=(center, (-1,)))
    not_empty(center=center)
    return xp, dtype
