"""Losses that pull embeddings of one class together and push those of others away."""

from __future__ import annotations

import math
from typing import Annotated

from anomaly_kernels._core.checks import (
    POSITIVE,
    cast,
    choice,
    flag,
    has_ndim,
    has_shape,
    inputs,
    is_real,
    not_empty,
    number,
    same_axes,
    same_shape,
    shape_of,
)
from anomaly_kernels._core.evaluate import Formula, Slopes, meeting, reduce
from anomaly_kernels._core.numeric import length, logsumexp, ratio, root
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, DType, Namespace, Reduction, Setting


@with_hint
def supcon_loss(
    label: Array,
    embeddings: Array,
    *,
    temperature: Annotated[Setting, POSITIVE] = 0.1,
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    r"""Supervised contrastive loss (SupCon) of embeddings, or NT-Xent if the classes are pairs of views.

    .. math:: \ell_i = \log \sum_{a \ne i} e^{s_{ia}} - \operatorname{mean}_{p \in P(i)} s_{ip}, \quad
        s_{ij} = \frac{u_i^\top u_j}{T}, \quad u_i = \frac{z_i}{\|z_i\|}, \quad
        P(i) = \{p \ne i : y_p = y_i\}

    Parameters
    ----------
    label : array, (N,)
        Class y of each sample, a whole number: samples of one class are each other's positives.
    embeddings : array, (N, D)
        Embeddings z; their lengths do not matter.
    temperature : number or 0-d array, above 0
        T, by which cosines are divided.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the anchors i that have a positive.

    Returns
    -------
    array
        In nats; 0-d, or with ``"none"`` one value per sample, (N,), which is 0 where it has no positive.

    Raises
    ------
    TypeError
        If an input is of a wrong dtype, or they belong to different libraries.
    ValueError
        If the shapes do not fit, there are fewer than two samples, or a setting is out of its range.

    Notes
    -----
    Anchors without a positive are left out of the mean. Without any positive the loss is 0. If all samples are of one
    class the loss is not 0, because the other samples are in its denominator. A row of zeros has the unit vector 0 and
    the gradient 0.

    For two views v and v' of B unlabelled samples, NT-Xent is ``supcon_loss(concat([i, i]), concat([v, v']))`` with i =
    0 … B - 1. The paper's code multiplies the loss by T/0.07. Use ``weight=temperature / 0.07`` for the same.

    In NumPy and eager torch, means and sums need memory for a block of rows times N, with their gradients. The loss is
    accurate to about eps/T.

    References
    ----------
    .. [1] P. Khosla et al., "Supervised Contrastive Learning", NeurIPS, 2020, equation 2.
    .. [2] T. Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", ICML, 2020: NT-Xent.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> z = np.asarray([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    >>> round(float(ak.supcon_loss(np.asarray([0, 0, 1]), z, temperature=1.0)), 6)
    0.313262
    """
    xp, dtype = inputs({"label": label}, embeddings=embeddings)
    has_ndim("label", label, 1, "(N,)")
    has_ndim("embeddings", embeddings, 2, "(N, D)")
    has_shape("label", label, shape_of(embeddings)[:1], "(N,) with the N of `embeddings`")
    same_axes("N", embeddings=(embeddings, (0,)), label=(label, (0,)))
    not_empty(embeddings=embeddings)
    n, d = shape_of(embeddings)
    if n == 1:
        raise ValueError("`embeddings` must be at least two: one has no other to be compared with")
    choice("reduction", reduction, ("mean", "sum", "none"))
    t = number("temperature", temperature, xp, dtype, POSITIVE)
    z = cast(xp, dtype, embeddings)
    unit = ratio(xp, z, xp.expand_dims(length(xp, z), axis=1))
    kind, count = kinds_and_positives(xp, dtype, label)
    place = xp.cumulative_sum(xp.ones_like(kind), axis=0)
    rows = {"embeddings": unit / t, "label": kind, "positives": count, "place": place}
    how: Reduction = "none" if reduction == "none" else "sum"
    formula = meeting(ANCHORS, n, d)
    result = reduce(xp, dtype, formula, rows, unit, kind, place, weight=weight, reduction=how)
    return ratio(xp, result, xp.sum(xp.minimum(count, 1.0))) if reduction == "mean" else result


def kinds_and_positives(xp: Namespace, dtype: DType, label: Array) -> tuple[Array, Array]:
    """The classes as small whole numbers, which float32 holds exactly, and how many others are of the class of each."""
    y = xp.astype(label, xp.int64) if label.dtype == xp.bool else label
    in_order = xp.sort(y)
    first, last = (cast(xp, dtype, xp.searchsorted(in_order, y, side=side)) for side in ("left", "right"))
    others = (last - first) - 1.0
    return first, (others + 0.0 * cast(xp, dtype, y)) if is_real(y) else others  # which is NaN where y is


def _pairs(
    xp: Namespace, scaled: Array, kind: Array, place: Array, unit: Array, kinds: Array, places: Array
) -> tuple[Array, Array, Array]:
    """Of rows (B,) and all (N,): similarities, the same but -inf of a row to itself, and 1 where they are positives."""
    similarity = xp.matmul(scaled, xp.matrix_transpose(unit))
    other = xp.expand_dims(place, axis=1) != places
    positive = xp.logical_and(xp.expand_dims(kind, axis=1) == kinds, other)
    return similarity, xp.where(other, similarity, -math.inf), xp.astype(positive, scaled.dtype)


def _losses_of_anchors(xp: Namespace, scaled: Array, kind: Array, count: Array, place: Array, *whole: Array) -> Array:
    similarity, others, positive = _pairs(xp, scaled, kind, place, *whole)
    near = xp.vecdot(positive, similarity) / xp.maximum(xp.stop_gradient(count), 1.0)
    return xp.where(count == 0.0, 0.0, logsumexp(xp, others, axis=1) - near)


def _slopes_of_anchors(xp: Namespace, scaled: Array, kind: Array, count: Array, place: Array, *whole: Array) -> Slopes:
    _, others, positive = _pairs(xp, scaled, kind, place, *whole)
    share = xp.exp(others - xp.max(others, axis=1, keepdims=True))
    # the share of each other row in the denominator, if the anchor counts, less that in the mean over its positives
    known, positives = xp.minimum(count, 1.0) / xp.sum(share, axis=1), xp.maximum(count, 1.0)
    pull = xp.expand_dims(known, axis=1) * share - positive / xp.expand_dims(positives, axis=1)
    constant = [lambda x=x: xp.zeros_like(x) for x in (kind, count, place, *whole[1:])]
    by_row, by_unit = lambda: xp.matmul(pull, whole[0]), lambda: xp.matmul(xp.matrix_transpose(pull), scaled)
    return [by_row, *constant[:3], by_unit, *constant[3:]]


ANCHORS = Formula(_losses_of_anchors, _slopes_of_anchors, inner=1)


@with_hint
def triplet_margin_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    *,
    margin: Setting = 1.0,
    squared: Annotated[bool, flag] = False,
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    r"""Triplet loss: an anchor should be nearer to its positive than to its negative, by a margin.

    .. math:: w \cdot \operatorname{mean} \max(0, d(a, p) - d(a, n) + m), \quad
        d(x, y) = \|x - y\| \ \text{or}\ \|x - y\|^2

    Parameters
    ----------
    anchor, positive, negative : array, (..., D)
        Embeddings a, p and n, of equal shapes.
    margin : number or 0-d array
        m, in units of the distance.
    squared : bool
        Whether d is the squared distance, as in the paper, or the distance, as in torch.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the triplets.

    Returns
    -------
    array
        0-d, or with ``"none"`` the shape without the last axis.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ, `reduction` is unknown, or there is nothing to average over.

    Notes
    -----
    Nothing is added inside the norm, where torch adds 1e-6. At a distance of 0 the gradient is 0.

    References
    ----------
    .. [1] F. Schroff et al., "FaceNet: A Unified Embedding for Face Recognition and Clustering", CVPR, 2015,
       equation 1.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> a, p, n = np.zeros((1, 2)), np.asarray([[3.0, 4.0]]), np.asarray([[0.0, 5.5]])
    >>> float(ak.triplet_margin_loss(a, p, n))
    0.5
    """
    xp, dtype = inputs(anchor=anchor, positive=positive, negative=negative)
    has_ndim("anchor", anchor, 1, "(..., D)", most=-1)
    same_shape(anchor=anchor, positive=positive, negative=negative)
    m = number("margin", margin, xp, dtype)
    formula = SQUARED_TRIPLETS if flag("squared", squared) else TRIPLETS
    arrays = {"anchor": anchor, "positive": positive, "negative": negative}
    return reduce(xp, dtype, formula, arrays, m, weight=weight, reduction=reduction)


def _squared_distance(xp: Namespace, x: Array, y: Array) -> Array:
    return xp.sum(xp.squared_difference(x, y, "none"), axis=-1)


def _triplets(xp: Namespace, a: Array, p: Array, n: Array, m: Setting) -> Array:
    return xp.maximum(root(xp, _squared_distance(xp, a, p)) - root(xp, _squared_distance(xp, a, n)) + m, 0.0)


def _squared_triplets(xp: Namespace, a: Array, p: Array, n: Array, m: Setting) -> Array:
    return xp.maximum(_squared_distance(xp, a, p) - _squared_distance(xp, a, n) + m, 0.0)


def _slopes_of_triplets(xp: Namespace, a: Array, p: Array, n: Array, m: Setting) -> Slopes:
    near, far = (root(xp, _squared_distance(xp, a, x)) for x in (p, n))
    active = xp.astype(near - far + m > 0.0, a.dtype)
    return _slopes(xp, a, p, n, active, ratio(xp, active, near), ratio(xp, active, far))


def _slopes_of_squared_triplets(xp: Namespace, a: Array, p: Array, n: Array, m: Setting) -> Slopes:
    active = xp.astype(_squared_distance(xp, a, p) - _squared_distance(xp, a, n) + m > 0.0, a.dtype)
    return _slopes(xp, a, p, n, active, 2.0 * active, 2.0 * active)


def _slopes(xp: Namespace, a: Array, p: Array, n: Array, active: Array, to_p: Array, to_n: Array) -> Slopes:
    """Slopes where the anchor is drawn to its positive, and pushed from its negative, by so much of the difference."""
    drawn, pushed = xp.expand_dims(to_p, axis=-1), xp.expand_dims(to_n, axis=-1)
    return [
        lambda: drawn * (a - p) - pushed * (a - n),
        lambda: drawn * (p - a),
        lambda: pushed * (a - n),
        lambda: xp.sum(active),
    ]


TRIPLETS = Formula(_triplets, _slopes_of_triplets, inner=1)
SQUARED_TRIPLETS = Formula(_squared_triplets, _slopes_of_squared_triplets, inner=1)
