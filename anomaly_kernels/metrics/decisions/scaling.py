"""Scores on a common scale: a centre and a scale fitted once, and the scores that they make."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from anomaly_kernels._core.checks import POSITIVE, choice, inputs, is_number, number
from anomaly_kernels._core.evaluate import Formula
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.metrics.decisions._scores import flat_scores
from anomaly_kernels.metrics.decisions.spread import mean_and_deviation, median_and_mad


class ScoreScaling(NamedTuple):
    """The results of `score_scaling`: 0-d arrays, which `scaled_score` takes."""

    center: Array
    scale: Array


@with_hint
def score_scaling(score: Array, *, method: Literal["standard", "robust", "minmax"] = "standard") -> ScoreScaling:
    r"""Centre and scale of scores, with which `scaled_score` makes them comparable.

    .. math:: (c, d) = \begin{cases} (\bar s,\, \sqrt{\operatorname{mean} (s - \bar s)^2}) & \text{"standard"} \\
        (m,\, 1.4826 \operatorname{median} |s - m|), \quad m = \operatorname{median} s & \text{"robust"} \\
        (\min s,\, \max s - \min s) & \text{"minmax"} \end{cases}

    Parameters
    ----------
    score : array, any shape
        Scores s of the data to fit, such as training data; all elements are pooled.
    method : {"standard", "robust", "minmax"}
        Mean and population deviation; median and median absolute deviation, which outliers hardly move; or extremes.

    Returns
    -------
    ScoreScaling
        `center` and `scale`. The scale is 1 if it would be 0: for constant scores, and with ``"robust"`` if more than
        half are equal. Both are NaN if a score is NaN, and with ``"standard"`` also if one is infinite.

    Raises
    ------
    TypeError
        If `score` is not a floating point array.
    ValueError
        If there are no scores, or there is no such method.

    References
    ----------
    .. [1] H.-P. Kriegel, P. Kröger, E. Schubert, A. Zimek, "Interpreting and Unifying Outlier Scores", SDM, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> score = np.asarray([1.0, 2.0, 3.0, 6.0])
    >>> [float(x) for x in ak.score_scaling(score, method="minmax")]
    [1.0, 5.0]
    >>> ak.scaled_score(np.asarray([3.5, 8.0]), *ak.score_scaling(score, method="minmax"))
    array([0.5, 1.4])
    """
    xp, flat = flat_scores("score", score)
    choice("method", method, ("standard", "robust", "minmax"))
    if method == "robust":
        center, scale = median_and_mad(xp, flat)
        return ScoreScaling(center, xp.where(scale == 0.0, 1.0, scale))
    least, greatest = xp.min(flat), xp.max(flat)
    center, scale = (least, greatest - least) if method == "minmax" else mean_and_deviation(xp, flat)
    # not by the deviation, which rounding may leave above 0
    return ScoreScaling(center, xp.where(least == greatest, 1.0, scale))


@with_hint
def scaled_score(
    score: Array,
    center: Setting,
    scale: Annotated[Setting, POSITIVE],
    *,
    output: Literal["linear", "clip", "unify", "logistic"] = "linear",
) -> Array:
    r"""Scores in units of a scale, unlimited or mapped into [0, 1].

    .. math:: z = \frac{s - c}{d}, \quad \min(\max(z, 0), 1), \quad
        \max\Bigl(0, \operatorname{erf} \frac{z}{\sqrt 2}\Bigr), \quad \frac{1}{1 + e^{-z}}

    Parameters
    ----------
    score : array, any shape
        Scores s.
    center, scale : number or 0-d array
        c and d, above 0, as `score_scaling` finds them: ``scaled_score(score, *score_scaling(train))``.
    output : {"linear", "clip", "unify", "logistic"}
        z itself, which keeps every difference; z cut off at 0 and 1; the probability of a normal variable to lie closer
        to its mean, 0 below it (what pyod calls unify, for ``"standard"`` or ``"robust"`` scaling); the logistic
        function.

    Returns
    -------
    array, shape of `score`
        To rank, take ``"linear"``: the others have ties, where z is cut off, or so far out that the result is 1.

    Raises
    ------
    TypeError
        If `score` is not a floating point array, or `center` or `scale` neither a number nor a 0-d array.
    ValueError
        If a number is out of its range, or there is no such output.

    References
    ----------
    .. [1] H.-P. Kriegel, P. Kröger, E. Schubert, A. Zimek, "Interpreting and Unifying Outlier Scores", SDM, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> score = np.asarray([-1.0, 3.0, 5.0])
    >>> ak.scaled_score(score, 1.0, 2.0), ak.scaled_score(score, 1.0, 2.0, output="clip")
    (array([-1.,  1.,  2.]), array([0., 1., 1.]))
    >>> np.round(ak.scaled_score(score, 1.0, 2.0, output="unify"), 4)
    array([0.    , 0.6827, 0.9545])
    """
    choice("output", output, tuple(OUTPUTS))
    fitted: dict[str, Any] = {name: x for name, x in (("center", center), ("scale", scale)) if not is_number(x)}
    xp, dtype = inputs(score=score, **fitted)
    c, d = number("center", center, xp, dtype), number("scale", scale, xp, dtype, POSITIVE)
    return xp.evaluate(OUTPUTS[output], dtype, (score,), (c, d))


def _unify(xp: Namespace, z: Array) -> Array:
    return xp.maximum(xp.erf(z * 0.5**0.5), 0.0)


OUTPUTS = {
    "linear": Formula(lambda _, s, c, d: (s - c) / d),
    "clip": Formula(lambda xp, s, c, d: xp.clip((s - c) / d, 0.0, 1.0)),
    "unify": Formula(lambda xp, s, c, d: _unify(xp, (s - c) / d)),
    "logistic": Formula(lambda xp, s, c, d: xp.sigmoid((s - c) / d)),
}
