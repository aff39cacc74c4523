"""A threshold some spreads above the middle of the scores: no labels, no promise, but an old habit with three names."""

from __future__ import annotations

from typing import Annotated, Literal

from anomaly_kernels._core.checks import NOT_NEGATIVE, choice, number
from anomaly_kernels._core.numeric import ratio, root, square
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.metrics._results import nan_where
from anomaly_kernels.metrics.decisions._scores import above, flat_scores
from anomaly_kernels.metrics.statistics import quantiles

NORMAL_MAD = 1.482602218505602
"""The standard deviation of a normal distribution over its median absolute deviation."""

FACTORS = {"mad": 3.0, "iqr": 1.5, "std": 3.0}


@with_hint
def spread_threshold(
    score: Array,
    *,
    rule: Literal["mad", "iqr", "std"] = "mad",
    factor: Annotated[Setting, NOT_NEGATIVE] | None = None,
) -> Array:
    r"""The threshold that lies a few spreads above the middle of the scores.

    .. math:: t = \text{the next number above } \begin{cases}
        m + 1.4826\, f \operatorname{median} |s - m|, \quad m = \operatorname{median} s & \text{"mad"} \\
        Q_{75} + f\, (Q_{75} - Q_{25}) & \text{"iqr"} \\
        \bar s + f \sqrt{\operatorname{mean} (s - \bar s)^2} & \text{"std"} \end{cases}

    The share of scores above it depends on their distribution. For a normal distribution it is 0.13 % with ``"std"``
    and ``"mad"``, and 0.35 % with ``"iqr"``. `threshold_at_rate` takes the share itself.

    Parameters
    ----------
    score : array, any shape
        Scores s; all elements are pooled. A few outliers hardly change ``"mad"`` and ``"iqr"``, but they change
        ``"std"`` much.
    rule : {"mad", "iqr", "std"}
        Median absolute deviation, quartiles (Tukey's fence; they interpolate linearly), or population deviation.
    factor : number or 0-d array, at least 0, optional
        How many spreads f; by default 3, 1.5 and 3. For ``"mad"``, 3.5 is common too.

    Returns
    -------
    array, 0-d
        The threshold t: ``score >= t`` alarms. Constant scores do not reach it. NaN if a score is NaN, with ``"std"``
        also where one is infinite.

    Raises
    ------
    TypeError
        If `score` is not a floating point array.
    ValueError
        If there are no scores, or a setting is out of its range.

    References
    ----------
    .. [1] B. Iglewicz, D. C. Hoaglin, "How to Detect and Handle Outliers", ASQC, 1993.
    .. [2] J. W. Tukey, "Exploratory Data Analysis", Addison-Wesley, 1977, chapter 2.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> score = np.asarray([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 30.0])
    >>> [round(float(ak.spread_threshold(score, rule=rule)), 3) for rule in ("mad", "iqr", "std")]
    [16.62, 14.5, 31.17]
    """
    xp, flat = flat_scores("score", score)
    choice("rule", rule, ("mad", "iqr", "std"))
    f = FACTORS[rule] if factor is None else number("factor", factor, xp, flat.dtype, NOT_NEGATIVE)
    if rule == "iqr":
        low, high, top = quantiles(xp, flat, (25, 75, 100))
        limit = nan_where(xp, xp.isnan(top), high + f * (high - low))
    else:
        center, deviation = (median_and_mad if rule == "mad" else mean_and_deviation)(xp, flat)
        limit = center + f * deviation
    return above(xp, limit)


def median_and_mad(xp: Namespace, x: Array) -> tuple[Array, Array]:
    """The median, and the deviation of the normal distribution that has the same median absolute deviation."""
    median, top = quantiles(xp, x, (50, 100))
    median = nan_where(xp, xp.isnan(top), median)  # NaN is sorted last
    return median, NORMAL_MAD * quantiles(xp, xp.abs(x - median), (50,))[0]


def mean_and_deviation(xp: Namespace, x: Array) -> tuple[Array, Array]:
    """The mean and the population deviation, for numbers far from 0, or so large that their squares are none."""
    guess = xp.mean(x)
    distance = x - guess
    rest = xp.mean(distance)  # what rounding left
    distance = distance - rest
    largest = xp.max(xp.abs(distance))
    return guess + rest, largest * root(xp, xp.mean(square(ratio(xp, distance, largest))))
