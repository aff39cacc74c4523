"""The threshold at which a share of scores like these raises an alarm."""

from __future__ import annotations

import math
from typing import Literal

from anomaly_kernels._core.checks import choice
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.metrics._results import nan_where
from anomaly_kernels.metrics.decisions._scores import KnownShare, above, check_share, flat_scores, known_size, most


@with_hint
def threshold_at_rate(
    score: Array,
    *,
    rate: KnownShare = 0.05,
    method: Literal["conformal", "empirical", "linear"] = "conformal",
    confidence: KnownShare | None = None,
) -> Array:
    r"""The threshold at which a given share of scores like these raises an alarm.

    .. math:: t = \text{the next number above } s_{(n + 1 - a)}, \quad a = \max\{a : a/(n + 1) \le r\}

    For normal data, the share is a rate of false alarms. For data without labels, it is the assumed contamination. The
    :math:`s_{(1)} \le \dots \le s_{(n)}` are the scores, so that a of them are at least :math:`s_{(n + 1 - a)}`.

    Parameters
    ----------
    score : array, any shape
        Scores s of data like those to come; all n elements are pooled. Infinite scores are ranked like others. But a
        score of +∞ reaches any threshold, because no number is above it. If a detector gives +∞, replace it by the
        largest number.
    rate : number, in (0, 1)
        The share r that alarms.
    method : {"conformal", "empirical", "linear"}
        ``"conformal"``, the formula above: a new score alarms with a probability of at most r, if it is exchangeable
        with these; exactly the scores below +∞ alarm whose `conformal_pvalue` is at most r. ``"empirical"``: at most
        the share r of the given scores alarms, :math:`a = 1 + \max\{a : a/n \le r\}`. ``"linear"``: `numpy.quantile` at
        1 - r itself, not the next number above it. pyod and scikit-learn use it. It guarantees nothing.
    confidence : number, in (0, 1), optional
        The probability c with which the rate of false alarms is at most r, over all the scores that might have been
        drawn: :math:`a = \max\{a : P(\operatorname{Bin}(n, r) \le a - 1) \le 1 - c\}`. Without it the rate is at most r
        on average, and a little more in about half of all draws. Only for ``"conformal"``.

    Returns
    -------
    array, 0-d
        The threshold t: ``score >= t`` alarms. Infinity where there are too few scores for such a rate (n + 1 < 1/r,
        without a confidence), or too many are infinite; NaN if a score is NaN.

    Raises
    ------
    TypeError
        If `score` is not a floating point array, or a setting is not a number.
    ValueError
        If there are no scores, or not known how many, a setting is out of its range, or a confidence is given with
        another method.

    Notes
    -----
    Half precision is computed in float32. Compare the scores in float32 too, because torch rounds a threshold to their
    dtype.

    References
    ----------
    .. [1] V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", Springer, 2005.
    .. [2] S. Bates et al., "Testing for Outliers with Conformal p-values", The Annals of Statistics, 2023.
    .. [3] X. Tong, Y. Feng, J. J. Li, "Neyman-Pearson Classification Algorithms and NP Receiver Operating
       Characteristics", Science Advances, 2018.
    .. [4] S. S. Wilks, "Determination of Sample Sizes for Setting Tolerance Limits", The Annals of Mathematical
       Statistics, 1941.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> score = np.arange(100.0)
    >>> threshold = ak.threshold_at_rate(score, rate=0.1)  # above the tenth highest, which is 90
    >>> bool(threshold > 90), int(np.sum(score >= threshold))
    (True, 9)
    >>> int(np.sum(score >= ak.threshold_at_rate(score, rate=0.1, confidence=0.95)))
    4
    """
    xp, flat = flat_scores("score", score)
    choice("method", method, ("conformal", "empirical", "linear"))
    r, n = check_share("rate", rate), known_size("score", score)
    check_confidence(method, confidence)
    if method == "linear":
        return _quantile(xp, flat, (1.0 - r) * (n - 1))
    rank = rank_at_rate(n, r, method, confidence)
    value, top = xp.order_statistics(flat, [n - max(rank, 1), n - 1])
    threshold = above(xp, value) if rank else xp.full_like(value, math.inf)
    return nan_where(xp, xp.isnan(top), threshold)  # NaN is sorted last


def check_confidence(method: str, confidence: float | None) -> None:
    """Raise unless a confidence goes with the method."""
    if confidence is not None and method != "conformal":
        raise ValueError(f'`confidence` goes with method="conformal" alone, got {confidence} with {method!r}')


def rank_at_rate(n: int, rate: float, method: str, confidence: float | None) -> int:
    """The rank, counted from the highest of n scores, of the one that the threshold is above; 0 if there is none."""
    if method == "empirical":
        return most(rate, n) + 1
    return most(rate, n + 1) if confidence is None else _sure_rank(n, rate, check_share("confidence", confidence))


def _quantile(xp: Namespace, x: Array, place: float) -> Array:
    """The entry at a place among the sorted ones, interpolated linearly; NaN where one of them is."""
    k = int(place)
    low, high, top = xp.order_statistics(x, [k, math.ceil(place), x.shape[0] - 1])
    share = place - k
    return nan_where(xp, xp.isnan(top), xp.clip(low * (1.0 - share) + high * share, low, high))


def _sure_rank(n: int, rate: float, confidence: float) -> int:
    """The largest a with P(Bin(n, rate) ≤ a - 1) ≤ 1 - confidence, 0 where no number from 1 on is one."""
    spread = math.sqrt(n * rate)
    count = max(0, int(n * rate - 12.0 * spread))  # fewer alarms have a probability below 1e-30, together
    likely, most_likely = 0.0, (1.0 - confidence) * (1.0 + 1e-12)  # which rounding may have missed
    while count < n:
        ways = math.lgamma(n + 1) - math.lgamma(count + 1) - math.lgamma(n - count + 1)
        likely += math.exp(ways + count * math.log(rate) + (n - count) * math.log1p(-rate))
        if likely > most_likely:
            break
        count += 1
    return count
