"""Regularisers of learnt selections: orthogonal components, distinct selectors, the entropy and spread of weights."""

from __future__ import annotations

import math
from typing import Annotated

from anomaly_kernels._core.checks import NOT_NEGATIVE, cast, has_ndim, inputs, not_empty, number, shape_of
from anomaly_kernels._core.evaluate import Formula, Sums, reduce, weigh
from anomaly_kernels._core.numeric import ratio, root, square
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, DType, Namespace, Setting


@with_hint
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
        If it does not have two dimensions, or one has size 0.

    Notes
    -----
    With more rows than columns, the smaller Gram matrix is used. Its squared distance differs by K - C.

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
    xp, dtype = inputs(components=components)
    has_ndim("components", components, 2, "(K, C)")
    not_empty(components=components)
    rows = cast(xp, dtype, components)
    columns = xp.permute_dims(rows, (1, 0))
    k, c = shape_of(components)
    if k is None or c is None or k <= c:
        return weigh(xp, dtype, weight, xp.sum(square(_gram_excess(xp, rows, columns))))
    return weigh(xp, dtype, weight, xp.sum(square(_gram_excess(xp, columns, rows))) + float(k - c))


def _gram_excess(xp: Namespace, rows: Array, columns: Array) -> Array:
    gram = xp.matmul(rows, columns)
    return gram - xp.eye_like(gram)


@with_hint
def distinctness_loss(
    selection_weights: Array, *, weight: Setting = 0.1, eps: Annotated[Setting, NOT_NEGATIVE] = 1e-6
) -> Array:
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
        If it does not have two dimensions, or C is 0, or a setting is out of its range.

    Notes
    -----
    It is computed from the sum of the unit rows, without the K × K matrix of cosines.

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
    xp, dtype = inputs(selection_weights=selection_weights)
    has_ndim("selection_weights", selection_weights, 2, "(K, C)")
    if shape_of(selection_weights)[1] == 0:
        not_empty(selection_weights=selection_weights)
    e = number("eps", eps, xp, dtype, NOT_NEGATIVE)
    total, squares, k = xp.add_up(_UNIT_ROWS, dtype, (selection_weights,), (e,))
    pairs = xp.where(k < 2.0, math.inf, k * (k - 1.0))  # of less than two rows there is none, and 0 in the end
    return weigh(xp, dtype, weight, (xp.sum(square(total)) - squares) / pairs)


def _sums_of_unit_rows(xp: Namespace, rows: Array, eps: Setting) -> tuple[Array, Array, Array]:
    length = root(xp, xp.sum(square(rows), axis=1, keepdims=True))
    unit_rows = ratio(xp, rows, xp.maximum(length, eps))
    # counted, for the static size may be unknown
    return xp.sum(unit_rows, axis=0), xp.sum(square(unit_rows)), xp.sum(xp.ones_like(unit_rows[:, 0]))


_UNIT_ROWS = Sums(_sums_of_unit_rows, inner=1)


@with_hint
def selector_entropy_regularizer(
    weights: Array,
    *,
    weight: Setting = 0.01,
    target_entropy: Setting | None = None,
    eps: Annotated[Setting, NOT_NEGATIVE] = 1e-6,
) -> Array:
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
    xp, dtype = inputs(weights=weights)
    not_empty(weights=weights)
    e = number("eps", eps, xp, dtype, NOT_NEGATIVE)
    h = entropy(xp, dtype, weights, e)
    if target_entropy is None:
        return -weigh(xp, dtype, weight, h)
    return weigh(xp, dtype, weight, square(h - number("target_entropy", target_entropy, xp, dtype)))


def entropy(xp: Namespace, dtype: DType, weights: Array, eps: Setting) -> Array:
    """Entropy H of weights as `selector_entropy_regularizer` defines it."""
    total = reduce(xp, dtype, _IDENTITY, {"weights": weights}, reduction="sum")
    return -reduce(xp, dtype, _P_LOG_P, {"weights": weights}, total + eps, eps, reduction="sum")


def _p_log_p(xp: Namespace, weights: Array, total: Array, eps: Setting) -> Array:
    p = ratio(xp, weights, total)
    inside = p + eps
    zero = inside == 0.0
    return xp.where(zero, 0.0, p * xp.log(xp.where(zero, 1.0, inside)))


def variance(xp: Namespace, dtype: DType, weights: Array) -> Array:
    """Population variance of all elements."""
    mean = reduce(xp, dtype, _IDENTITY, {"weights": weights})
    return reduce(xp, dtype, _SQUARED_DEVIATION, {"weights": weights}, mean)


_IDENTITY = Formula(lambda xp, x: x)
_P_LOG_P = Formula(_p_log_p)
_SQUARED_DEVIATION = Formula(lambda xp, x, mean: square(x - mean))


@with_hint
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
    Minimising it rewards weights that are far from even. The variance is a population variance.

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
    xp, dtype = inputs(weights=weights)
    not_empty(weights=weights)
    return -weigh(xp, dtype, weight, variance(xp, dtype, weights))
