"""Thresholds beyond the data: a generalised Pareto distribution fitted to the highest scores."""

from __future__ import annotations

import math
from typing import Annotated, Literal, NamedTuple

from anomaly_kernels._core.checks import INSIDE_UNIT, cast, choice, number
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.metrics._results import nan_where
from anomaly_kernels.metrics.decisions._scores import KnownShare, above, check_share, flat_scores, known_size, most

LEAST = 2.0**-52
"""The least share of the mean that two moments, which are equal but for rounding, are taken to differ by."""

BLOCK = 2**18
"""How many terms of the likelihood, of one peak at one node each, are held at once."""


class TailFit(NamedTuple):
    """The results of `peaks_over_threshold`: 0-d arrays."""

    threshold: Array
    initial: Array
    shape: Array
    scale: Array
    peaks: Array


@with_hint
def peaks_over_threshold(
    score: Array,
    *,
    risk: Annotated[Setting, INSIDE_UNIT] = 1e-4,
    level: KnownShare = 0.98,
    method: Literal["zhang_stephens", "pwm"] = "zhang_stephens",
) -> TailFit:
    r"""The threshold that is exceeded with a small probability, by the tail of the scores (peaks over threshold, POT).

    .. math:: t = \text{the next number above } t_0 + \frac{\sigma}{\gamma} \bigl(r^{-\gamma} - 1\bigr), \quad
        r = \min(1, \text{risk} \cdot n / N)

    The N peaks y = s - t₀ of the scores above an initial threshold t₀ are taken for those of a generalised Pareto
    distribution, :math:`P(Y > y) = (1 + \gamma y/\sigma)^{-1/\gamma}`, which they approach for almost any distribution
    of the scores. So you can ask for rates far below 1/n.

    Parameters
    ----------
    score : array, any shape
        Scores s of data that are normal but for a few; all n elements are pooled.
    risk : number or 0-d array, in (0, 1)
        The probability that a score is above the threshold.
    level : number, in (0, 1)
        The share of the scores below t₀: :math:`t_0 = s_{(j + 1)}`, j the largest number with j/n at most the level.
        A higher level fits the tail alone, but of fewer peaks.
    method : {"zhang_stephens", "pwm"}
        ``"zhang_stephens"``: a mean over the likelihood, for any tail. ``"pwm"``: probability-weighted moments, which
        take a third of the time, and are as good for tails that are not heavy; they cannot see one without a mean.

    Returns
    -------
    TailFit
        `threshold` t: ``score >= threshold`` alarms; `initial` t₀; `shape` γ, above 0 for a heavy tail, below 0 for one
        that ends; `scale` σ; `peaks` N. A single peak is the mean of an exponential tail, γ = 0; without peaks, as of
        constant scores, γ and σ are 0 and the threshold is above t₀. All NaN if a score is NaN; threshold, γ and σ too
        where one is +∞.

    Raises
    ------
    TypeError
        If `score` is not a floating point array, or `level` is not a number.
    ValueError
        If there are no scores, or not known how many, a setting is out of its range, or fewer than two scores are
        above the level.

    Notes
    -----
    There is no method of maximum likelihood: it has no maximum for some samples, and needs a search for others. The fit
    is computed in double precision where the library has it; in single precision it keeps three digits.

    References
    ----------
    .. [1] A. Siffer, P.-A. Fouque, A. Termier, C. Largouët, "Anomaly Detection in Streams with Extreme Value Theory",
       KDD, 2017.
    .. [2] J. Zhang, M. A. Stephens, "A New and Efficient Estimation Method for the Generalized Pareto Distribution",
       Technometrics, 2009.
    .. [3] J. R. M. Hosking, J. R. Wallis, "Parameter and Quantile Estimation for the Generalized Pareto Distribution",
       Technometrics, 1987.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> score = -np.log(np.linspace(1.0, 0.001, 1000))  # exponential: exceeds 9.21 with a probability of 0.0001
    >>> fit = ak.peaks_over_threshold(score, risk=1e-4, level=0.9)
    >>> round(float(fit.initial), 2), int(fit.peaks), round(float(fit.threshold), 1)
    (2.3, 99, 8.6)
    """
    xp, flat = flat_scores("score", score)
    choice("method", method, ("zhang_stephens", "pwm"))
    chance = number("risk", risk, xp, xp.wide(flat), INSIDE_UNIT)
    possible = peaks_beyond(known_size("score", score), level)
    highest, _ = xp.top_k(flat, possible + 1)
    return fit_tail(xp, highest, flat.shape[0], chance, method, xp.any(xp.isnan(flat)))


def peaks_beyond(n: int, level: float) -> int:
    """How many of n scores are beyond the level, ties or not; an error unless there are two."""
    possible = n - 1 - most(check_share("level", level), max(n, 1))
    if possible < 2:
        raise ValueError(f"`level` must leave two scores or more above it, got {level} with {n} scores")
    return possible


def fit_tail(xp: Namespace, highest: Array, n: int, risk: Setting, method: str, nan: Array) -> TailFit:
    """The fit to the highest of n scores, descending, the last of which is the initial threshold; NaN if one is."""
    dtype, wide = highest.dtype, xp.wide(highest)  # an exponent of sums of logarithms has few digits of float32
    ordered, last = cast(xp, wide, highest), highest.shape[0] - 1
    initial, peaks = ordered[last], ordered[:last] - ordered[last:]  # 0 where they are tied with it
    count, largest = xp.sum(cast(xp, wide, peaks > 0.0)), peaks[0]
    some = xp.maximum(count, 1.0)
    fit = _zhang_stephens if method == "zhang_stephens" else _pwm
    shape, scale = fit(xp, ratio(xp, peaks, largest, 1.0), some)  # of no peaks anything, which is not taken
    shape, scale = xp.where(count > 1.0, shape, 0.0), xp.where(count > 1.0, scale, 1.0) * largest
    depth = -xp.log(xp.minimum(risk * n / some, 1.0))
    limit = initial + scale * ratio(xp, xp.expm1(shape * depth), shape, depth)
    threshold, *rest = (cast(xp, dtype, x) for x in (limit, initial, shape, scale, count))
    return TailFit(*(nan_where(xp, nan, x) for x in (above(xp, threshold), *rest)))


def _zhang_stephens(xp: Namespace, peaks: Array, n: Array) -> tuple[Array, Array]:
    """Shape and scale of N peaks, descending from 1 and followed by zeros: the mean of θ = -γ/σ over its likelihood."""
    nodes = 20 + math.isqrt(peaks.shape[0])
    quartile = n - xp.maximum(xp.floor(n / 4.0 + 0.5), 1.0)  # a place among those that descend
    q = xp.take_along_axis(peaks, cast(xp, xp.counting(), xp.reshape(quartile, (1,))))
    gaps = xp.constant([math.sqrt(nodes / (i + 0.5)) - 1.0 for i in range(nodes)], like=peaks, dtype=peaks.dtype)
    theta = 1.0 - gaps / (3.0 * xp.where(q > 0.0, q, 1.0))  # q is 0 beside a peak that is far beyond
    mean = xp.sum(peaks) / n
    k = -_mean_logs(xp, peaks, theta, n)
    likelihood = n * (xp.log(ratio(xp, theta, k, 1.0 / mean)) + k)  # its logarithm, but for a constant
    chances = xp.exp(likelihood - xp.max(likelihood))
    best = xp.sum(theta * chances) / xp.sum(chances)
    shape = _mean_logs(xp, peaks, xp.reshape(best, (1,)), n)[0]
    return shape, ratio(xp, -shape, best, mean)


def _mean_logs(xp: Namespace, peaks: Array, theta: Array, n: Array) -> Array:
    """The mean of log(1 - θy) over the peaks, for each θ."""
    step, nodes = max(1, BLOCK // peaks.shape[0]), theta.shape[0]
    parts = (theta[k : min(k + step, nodes)] for k in range(0, nodes, step))
    sums = [xp.sum(xp.log1p(-xp.expand_dims(each, axis=1) * peaks), axis=1) for each in parts]
    return xp.concat(sums) / n


def _pwm(xp: Namespace, peaks: Array, n: Array) -> tuple[Array, Array]:
    """Shape and scale of N peaks, descending from 1 and followed by zeros, by their probability-weighted moments."""
    lower = xp.cumulative_sum(xp.ones_like(peaks), axis=0) - 1.0  # how many are larger
    a0, a1 = xp.sum(peaks) / n, ratio(xp, xp.sum(peaks * lower), n * (n - 1.0))
    rest = xp.maximum(a0 - 2.0 * a1, LEAST * a0)  # of peaks that are all equal 0: then a tail that ends there
    return 2.0 - ratio(xp, a0, rest), ratio(xp, 2.0 * a0 * a1, rest)
