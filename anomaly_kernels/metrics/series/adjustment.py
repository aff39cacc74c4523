"""Point adjustment: an event counts as found in all of its points if one of them, or enough of them, are alarmed."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, TypeAlias

from anomaly_kernels._core.checks import UNIT, is_number, is_real, setting
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace, Number, Setting
from anomaly_kernels.metrics._results import nan_mask, nan_where
from anomaly_kernels.metrics.ranking._evaluate import Results
from anomaly_kernels.metrics.ranking._inputs import from_signed
from anomaly_kernels.metrics.ranking._sorted import rank
from anomaly_kernels.metrics.ranking.decisions import BestF1, best_f1_of
from anomaly_kernels.metrics.series._inputs import (
    Axis,
    With,
    ZeroDivision,
    adjustable,
    decided,
    evaluate,
    from_last,
    otherwise,
    real,
    scored,
    time_axis,
)
from anomaly_kernels.metrics.series._results import EventF1
from anomaly_kernels.metrics.series._runs import Runs, between, find_runs, highest_within, sums_before, total


def check_share(name: str, value: Any) -> Fraction:
    """A share in [0, 1] as the fraction it was written as, or an error."""
    if not is_number(value):
        raise TypeError(f"`{name}` must be a number, got {describe(value)}")
    setting(name, value, UNIT)
    return Fraction(float(value)).limit_denominator(10_000)  # of NumPy's numbers there is no fraction


MinShare: TypeAlias = Annotated[Number, check_share]


@with_hint
def point_adjust(target: Array, score: Array, *, min_share: MinShare = 0.0, axis: Axis = -1) -> Array:
    r"""Point-adjusted scores (PA, PA%K): each threshold on them gives the point-adjusted decision.

    .. math:: s'_i = \max(s_i, s_{e(i)}^{(m)}), \quad m = \lfloor K n_e \rfloor + 1

    for the points i of an event e of n points, with the m-th largest of its scores; where m > n, and in normal points,
    s' = s. So ``point_adjust(target, score) >= t`` is ``score >= t`` with every event filled of which more than the
    share K is alarmed. `average_precision` of it is the point-adjusted area under the precision-recall curve.

    **Do not rank detectors by it**: see `best_point_adjusted_f1`.

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is normal, all else anomalous; an event is a run of them. Scores s of any real or
        integer dtype, higher for anomalies, or boolean decisions, which stay boolean.
    min_share : number in [0, 1]
        K, taken as the exact decimal that you write: 0.3 of 10 points are 3. 0 is point adjustment, which needs one
        alarm. 1 changes nothing, and between them it is PA%K.
    axis : int
        The axis of time; the others count series.

    Returns
    -------
    array
        The shape and dtype of `score` (half precision becomes float32). An event with a NaN is NaN throughout, a NaN
        outside stays where it is, and a NaN in `target` makes its series NaN.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers, or `min_share` is not a number.
    ValueError
        If a number cannot be a target (checked where values are known), the shapes differ, there is no point in time,
        `min_share` is out of range, or the axis does not exist.

    References
    ----------
    .. [1] H. Xu et al., "Unsupervised Anomaly Detection via Variational Auto-Encoder for Seasonal KPIs in Web
       Applications", WWW, 2018.
    .. [2] S. Kim et al., "Towards a Rigorous Evaluation of Time-Series Anomaly Detection", AAAI, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, score = np.asarray([0, 1, 1, 1, 0]), np.asarray([0.1, 0.2, 0.9, 0.3, 0.4])
    >>> ak.point_adjust(truth, score)
    array([0.1, 0.9, 0.9, 0.9, 0.4])
    >>> ak.point_adjust(truth, score, min_share=0.5)
    array([0.1, 0.3, 0.9, 0.3, 0.4])
    """
    share = check_share("min_share", min_share)
    prepared = adjustable(target, score, axis)
    xp, k = prepared.xp, time_axis(target, axis)
    (adjusted,) = xp.by_rows(With(_adjusted, (share,)), prepared.arrays, ())
    adjusted = from_signed(xp, from_last(xp, k, adjusted), prepared.score_dtype)
    unknown = nan_mask(xp, target) if is_real(adjusted) else None
    return adjusted if unknown is None else nan_where(xp, xp.any(unknown, axis=k, keepdims=True), adjusted)


def _adjusted(share: Fraction, xp: Namespace, truth: Array, score: Array) -> tuple[Array]:
    events = find_runs(xp, truth)
    least = _least_alarms(share, events)
    threshold, found = highest_within(xp, events, truth, score, least), least <= events.length
    if is_real(score):
        unknown = between(xp, sums_before(xp, xp.isnan(score)), events) > 0
        threshold, found = nan_where(xp, unknown, threshold), xp.logical_or(found, unknown)
    event = events.changes // 2  # which one a point of an event belongs to
    found = xp.logical_and(truth, xp.take_along_axis(found, event))
    return (xp.where(found, xp.maximum(score, xp.take_along_axis(threshold, event)), score),)


def _least_alarms(share: Fraction, events: Runs) -> Array:
    """How many points of an event are more than the share of them, in whole numbers that stay below its length."""
    p, q = share.numerator, share.denominator
    return p * (events.length // q) + p * (events.length % q) // q + 1


@with_hint
def point_adjusted_f1(
    target: Array,
    decision: Array,
    *,
    min_share: MinShare = 0.0,
    axis: Axis = -1,
    zero_division: ZeroDivision = 0.0,
) -> EventF1:
    r"""Precision, recall and F1 score of decisions after point adjustment (PA%K).

    .. math:: \frac{TP}{TP + FP}, \quad \frac{TP}{P}, \quad \frac{2\,TP}{P + TP + FP}

    where all points of an event of n points, c of them alarmed, count as found if c/n > K. **Do not rank detectors by
    it**: see `best_point_adjusted_f1`.

    Parameters
    ----------
    target, decision : array, equal shapes
        True and decided anomalies: 0 or False is normal, all else anomalous (P points); an event is a run of them.
    min_share : number in [0, 1]
        K, taken as the exact decimal that you write. 0 needs one alarm, 1 adjusts nothing, and between them it is PA%K.
    axis : int
        The axis of time; the others count series.
    zero_division : number or 0-d array
        Value of a quotient whose denominator is 0: precision without alarms, recall without events, F1 without both.

    Returns
    -------
    EventF1
        `precision`, `recall` and `f1_score`, in [0, 1]; NaN if a mask has a NaN. Each 0-d, or the shape without the
        axis; in the dtype of real masks, else the widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers, or `min_share` is not a number.
    ValueError
        If a number cannot be a target or a decision (checked where values are known), the shapes differ, there is no
        point in time, `min_share` is out of range, or the axis does not exist.

    References
    ----------
    .. [1] H. Xu et al., "Unsupervised Anomaly Detection via Variational Auto-Encoder for Seasonal KPIs in Web
       Applications", WWW, 2018.
    .. [2] S. Kim et al., "Towards a Rigorous Evaluation of Time-Series Anomaly Detection", AAAI, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, alarms = np.asarray([0, 1, 1, 1, 1, 0]), np.asarray([0, 0, 0, 1, 0, 1])
    >>> float(ak.point_adjusted_f1(truth, alarms).precision), float(ak.point_adjusted_f1(truth, alarms).recall)
    (0.8, 1.0)
    >>> float(ak.point_adjusted_f1(truth, alarms, min_share=0.25).recall)
    0.25
    """
    prepared = decided(target, decision, axis)
    metric = With(_point_adjusted_f1, (check_share("min_share", min_share),))
    return EventF1(*evaluate(metric, prepared, otherwise(prepared, zero_division)))


def _point_adjusted_f1(share: Fraction, xp: Namespace, truth: Array, decision: Array, zero: Setting) -> Results:
    return point_adjusted_f1_of(xp, point_adjusted_counts(share, xp, truth, decision), zero)


def point_adjusted_counts(share: Fraction, xp: Namespace, truth: Array, decision: Array) -> Results:
    """How many points are found and alarmed after adjustment, and how many events have."""
    events, alarms = find_runs(xp, truth), sums_before(xp, decision)
    found = between(xp, alarms, events)
    adjusted = total(xp, xp.where(found >= _least_alarms(share, events), events.length, found))
    false = alarms[..., -1] - total(xp, found)
    return adjusted, adjusted + false, events.before[..., -1]


def point_adjusted_f1_of(xp: Namespace, counts: Results, zero: Setting) -> Results:
    """Precision, recall and F1 of counts."""
    hits, alarmed, positives = real(xp, *counts)
    quotients = (hits, alarmed), (hits, positives), (2.0 * hits, positives + alarmed)
    return tuple(ratio(xp, above, below, zero) for above, below in quotients)


@with_hint
def best_point_adjusted_f1(target: Array, score: Array, *, min_share: MinShare = 0.0, axis: Axis = -1) -> BestF1:
    r"""The highest F1 score after point adjustment (PA%K) that a threshold can give, and that threshold.

    .. math:: \max_t \frac{2\,TP(t)}{P + TP(t) + FP(t)}

    over all distinct scores t, with the counts of `point_adjusted_f1` of ``score >= t``.

    **Do not rank detectors by it.** Long events are found by chance: at alarm rate q an event of n points is found with
    probability 1 − (1 − q)ⁿ. A uniform random score reaches 0.98 on a pattern like SMD machine-1-1 (28 479 points,
    events of 520, 555, 458, 722, 410, 4, 3 and 3), 0.87 on one event of 200 in 10 000 points and 0.26 on 20 events of
    10, where plain F1 is 0.17, 0.04 and 0.04. K of 0.2 leaves 0.48, 0.17 and 0.09: it helps where K·n is more than a
    few points. It is here to reproduce published tables; give the value of a random score beside it.

    Parameters
    ----------
    target, score : array, equal shapes
        True anomalies: 0 or False is normal, all else anomalous (P points); an event is a run of them. Raw scores,
        higher for anomalies.
    min_share : number in [0, 1]
        K, taken as the exact decimal that you write. 0 needs one alarm, 1 adjusts nothing, and between them it is PA%K.
    axis : int
        The axis of time; the others count series.

    Returns
    -------
    BestF1
        `value`, in (0, 1], 0 without events, NaN if a score is NaN. `threshold`, the highest score t that has it
        (without events the highest of all); integer scores give an integer. Each 0-d, or the shape without the axis; in
        the dtype of `score`, the value of integer scores in that of real targets, else the widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers, or `min_share` is not a number.
    ValueError
        If a number cannot be a target (checked where values are known), the shapes differ, there is no point in time,
        `min_share` is out of range, or the axis does not exist.

    References
    ----------
    .. [1] H. Xu et al., "Unsupervised Anomaly Detection via Variational Auto-Encoder for Seasonal KPIs in Web
       Applications", WWW, 2018.
    .. [2] S. Kim et al., "Towards a Rigorous Evaluation of Time-Series Anomaly Detection", AAAI, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, score = np.asarray([0, 1, 1, 1, 0]), np.asarray([0.1, 0.2, 0.9, 0.3, 0.4])
    >>> result = ak.best_point_adjusted_f1(truth, score)
    >>> float(result.value), float(result.threshold)
    (1.0, 0.9)
    """
    return BestF1(*evaluate(With(_best, (check_share("min_share", min_share),)), scored(target, score, axis)))


def _best(share: Fraction, xp: Namespace, truth: Array, score: Array) -> Results:
    return best_f1_of(rank(xp, truth, *_adjusted(share, xp, truth, score)))


@with_hint
def point_adjusted_f1_area(
    target: Array, decision: Array, *, axis: Axis = -1, zero_division: ZeroDivision = 0.0
) -> Array:
    r"""The area under the F1 score after point adjustment as its share K goes from 0 to 1, exactly.

    .. math:: \int_0^1 F_1(K)\, dK = \sum_{j=0}^{E} (r_{j+1} - r_j) \frac{2\,TP_j}{P + TP_j + FP}

    F1 of `point_adjusted_f1` is constant between the shares r₁ ≤ … ≤ r_E of points that are alarmed in the E events,
    with r₀ = 0 and 1 after the last; TPⱼ has the j lowest as they are and all others filled. No grid of K [1]_.

    Random decisions have 0.03 at 1 % alarms, 0.16 at 10 % and 0.23 at 50 %, on a pattern like SMD machine-1-1 with 9 %
    of anomalous points.

    Parameters
    ----------
    target, decision : array, equal shapes
        True and decided anomalies: 0 or False is normal, all else anomalous (P points); an event is a run of them.
    axis : int
        The axis of time; the others count series.
    zero_division : number or 0-d array
        Value of F1 if there are neither events nor alarms.

    Returns
    -------
    array
        In [0, 1], NaN if a mask has a NaN. 0-d, or the shape without the axis; in the dtype of real masks, else the
        widest.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or are neither boolean nor numbers.
    ValueError
        If a number cannot be a target or a decision (checked where values are known), the shapes differ, there is no
        point in time, or the axis does not exist.

    References
    ----------
    .. [1] S. Kim et al., "Towards a Rigorous Evaluation of Time-Series Anomaly Detection", AAAI, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> truth, alarms = np.asarray([0, 1, 1, 1, 1, 0]), np.asarray([0, 0, 0, 1, 0, 0])
    >>> float(ak.point_adjusted_f1_area(truth, alarms))  # 1 up to a share of 1/4, from there on 2/5
    0.55
    """
    prepared = decided(target, decision, axis)
    return evaluate(_area, prepared, otherwise(prepared, zero_division))[0]


def _area(xp: Namespace, truth: Array, decision: Array, zero: Setting) -> Results:
    events, alarms = find_runs(xp, truth), sums_before(xp, decision)
    found = between(xp, alarms, events)
    share = ratio(xp, *real(xp, found, events.length))  # 0 where there is no event: nothing changes there
    order = xp.argsort(share)
    share = xp.take_along_axis(share, order)
    lost = xp.cumulative_sum(xp.take_along_axis(events.length - found, order), axis=-1)
    lost = xp.concat([xp.zeros_like(lost[..., :1]), lost], axis=-1)  # of the points that are filled first
    positives = events.before[..., -1:]
    false = alarms[..., -1:] - xp.expand_dims(total(xp, found), axis=-1)
    hits, counted = real(xp, positives - lost, 2 * positives - lost + false)
    none, all_ = xp.zeros_like(share[..., :1]), xp.ones_like(share[..., :1])
    width = xp.concat([share, all_], axis=-1) - xp.concat([none, share], axis=-1)
    return (xp.sum(width * ratio(xp, 2.0 * hits, counted, zero), axis=-1),)
