"""Metrics that describe scores, components and selection weights by a few numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from anomaly_kernels._core.checks import NOT_NEGATIVE, cast, has_ndim, inputs, not_empty, number
from anomaly_kernels._core.evaluate import Sums
from anomaly_kernels._core.numeric import ratio, root, square, standard_deviation
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.losses.selection import entropy, variance


class ExplainedVariance(NamedTuple):
    """The results of `explained_variance`: arrays of shapes (K,), () and (K,)."""

    per_component: Array
    total: Array
    cumulative: Array


class ScoreStatistics(NamedTuple):
    """The results of `score_statistics`: 0-d arrays."""

    mean: Array
    std: Array
    min: Array
    max: Array
    median: Array
    q25: Array
    q75: Array
    q95: Array
    q99: Array


class ComponentOrthogonality(NamedTuple):
    """The results of `component_orthogonality`: 0-d arrays."""

    orthogonality_error: Array
    avg_off_diagonal: Array
    avg_deviation: Array
    diagonal_mean: Array
    diagonal_std: Array


class SelectorDiversity(NamedTuple):
    """The results of `selector_diversity`: 0-d arrays."""

    weight_variance: Array
    gini_coefficient: Array


@with_hint
def explained_variance(explained_variance_ratio: Array) -> ExplainedVariance:
    r"""Shares of the variance that principal components explain: of each, of all together, and cumulative.

    .. math:: r_k, \quad \sum_k r_k, \quad \sum_{i \le k} r_i

    Parameters
    ----------
    explained_variance_ratio : array, (K,)
        Share r of the variance that each component explains.

    Returns
    -------
    ExplainedVariance
        `per_component` (K,), `total` (0-d) and `cumulative` (K,); fractions of 1. Without components the total is 0.

    Raises
    ------
    TypeError
        If the input is not a floating point array.
    ValueError
        If it does not have one dimension.

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
    xp, dtype = inputs(explained_variance_ratio=explained_variance_ratio)
    has_ndim("explained_variance_ratio", explained_variance_ratio, 1, "(K,)")
    shares = 1.0 * cast(xp, dtype, explained_variance_ratio)  # never the input itself, which may change later
    return ExplainedVariance(shares, xp.sum(shares), xp.cumulative_sum(shares, axis=0))


@with_hint
def score_statistics(scores: Array) -> ScoreStatistics:
    r"""Mean, standard deviation, extremes and quantiles of anomaly scores.

    .. math:: \bar s = \frac 1n \sum_i s_i, \quad \sqrt{\frac{1}{n - 1} \sum_i (s_i - \bar s)^2}, \quad
        Q_p = (1 - t) s_{(k)} + t s_{(k + 1)}, \quad k + t = 1 + p (n - 1)

    Quantiles are those of NumPy. The median of an even number of scores is the mean of the middle two. torch takes the
    lower one.

    Parameters
    ----------
    scores : array, any shape
        Anomaly scores s; all elements are pooled.

    Returns
    -------
    ScoreStatistics
        `mean`, `std` (NaN for a single score), `min`, `max`, `median`, `q25`, `q75`, `q95` and `q99`; all NaN if a
        score is NaN.

    Raises
    ------
    TypeError
        If `scores` is not a floating point array.
    ValueError
        If there are no scores.

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
    xp, dtype = inputs(scores=scores)
    not_empty(scores=scores)
    flat = xp.reshape(cast(xp, dtype, scores), (-1,))
    center = xp.mean(flat)
    squares, n = xp.add_up(_DEVIATIONS, dtype, (flat,), (center,))
    std = root(xp, ratio(xp, squares, n - 1.0, math.nan))
    ordered = quantiles(xp, flat, (0, 100, 50, 25, 75, 95, 99))
    nan = xp.isnan(ordered[1])  # NaN is sorted last
    return ScoreStatistics(center, std, *(xp.where(nan, math.nan, q) for q in ordered))


_DEVIATIONS = Sums(lambda xp, x, center: (xp.sum(square(x - center)), xp.sum(xp.ones_like(x))))


def quantiles(xp: Namespace, x: Array, percents: Sequence[int]) -> list[Array]:
    """Quantiles of an array of one dimension, interpolated linearly; NaN is sorted last."""
    n: Any = x.shape[0]
    unknown = n is None or n != n  # before run time
    n = xp.sum(xp.ones_like(x, dtype=xp.int64)) if unknown else n
    places = [percent * (n - 1) for percent in percents]  # in hundredths, whole numbers all the way
    values = xp.order_statistics(x, [k for place in places for k in (place // 100, -(-place // 100))])
    shares = [place % 100 / 100 + 1e-30 for place in places]  # hardly more, but 0 times infinity is NaN
    shares = [cast(xp, x.dtype, share) for share in shares] if unknown else shares
    pairs = zip(values[::2], values[1::2], shares, strict=True)  # rounding may lead beyond both of a pair: hence clip
    return [xp.clip(low * (1.0 - share) + high * share, low, high) for low, high, share in pairs]


@with_hint
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
        If it does not have two dimensions, or one has size 0.

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
    xp, dtype = inputs(components=components)
    has_ndim("components", components, 2, "(K, C)")
    not_empty(components=components)
    rows = cast(xp, dtype, components)
    gram = xp.matmul(rows, xp.permute_dims(rows, (1, 0)))
    eye = xp.eye_like(gram)
    excess = gram - eye
    lengths = xp.sum(square(rows), axis=1)
    k = xp.sum(xp.ones_like(lengths))  # not the static size, which may be unknown
    return ComponentOrthogonality(
        root(xp, xp.sum(square(excess))),
        ratio(xp, xp.sum(xp.abs(gram) * (1.0 - eye)), k * (k - 1.0)),
        xp.mean(xp.abs(excess)),
        xp.mean(lengths),
        standard_deviation(xp, lengths, correction=1),
    )


@with_hint
def selector_entropy(weights: Array, *, eps: Annotated[Setting, NOT_NEGATIVE] = 1e-6) -> Array:
    r"""Entropy of selection weights: log C if C channels are selected evenly, 0 if only one is.

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
        In nats. For 1000 even weights it is 6.906756, and 6.907755 with ε = 0.

    Raises
    ------
    TypeError
        If `weights` is not a floating point array.
    ValueError
        If it is empty, or `eps` is out of its range.

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
    xp, dtype = inputs(weights=weights)
    not_empty(weights=weights)
    return entropy(xp, dtype, weights, number("eps", eps, xp, dtype, NOT_NEGATIVE))


@with_hint
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
    xp, dtype = inputs(weights=weights)
    not_empty(weights=weights)
    flat = xp.reshape(cast(xp, dtype, weights), (-1,))
    n = xp.sum(xp.ones_like(flat))
    rank = xp.cumulative_sum(xp.ones_like(flat), axis=0)
    gini = ratio(xp, xp.sum(xp.sort(flat) * ((2.0 * rank - n - 1.0) / n)), xp.sum(flat))
    return SelectorDiversity(variance(xp, dtype, flat), gini)
