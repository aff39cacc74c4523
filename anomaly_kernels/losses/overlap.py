"""Losses of the overlap of a soft mask and the true one: intersection over union, Dice, Tversky."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple, TypeAlias

from anomaly_kernels._core.checks import NOT_NEGATIVE, POSITIVE, cast, choice, flag, number
from anomaly_kernels._core.evaluate import Slopes, Sums
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.targets import check_mask
from anomaly_kernels._core.typing import Array, Axis, DType, Namespace, Setting
from anomaly_kernels.losses._masks import Axes, loss_of_images, mask_inputs

NormalizeMethod: TypeAlias = Literal["sigmoid", "clamp", "minmax"]


@with_hint
def iou_loss(
    target: Array,
    score: Array,
    *,
    normalize_method: NormalizeMethod = "sigmoid",
    smooth: Annotated[Setting, NOT_NEGATIVE] = 1e-6,
    axis: Axes = None,
    weight: Setting = 1.0,
    sample_weight: Array | None = None,
) -> Array:
    r"""One minus the intersection over union of a soft mask and the true one (Jaccard loss).

    .. math:: w \left(1 - \frac{\sum q y + s}{\sum (q + y - q y) + s}\right)

    Parameters
    ----------
    target : array, any shape
        True mask y: booleans, 0 and 1, or values between.
    score : array, shape of `target`
        Scores from which the soft mask q is made.
    normalize_method : {"sigmoid", "clamp", "minmax"}
        q = sigmoid(score); or the score clipped to [0, 1]; or (score - min)/(max - min), 0.5 where all are equal.
    smooth : number or 0-d array, at least 0
        s. With 0 the loss of two empty masks is 0, its limit.
    axis : int or tuple of ints, optional
        The axes to pool sums (and minimum and maximum) over, all by default. With the axes of an image each image of a
        batch has its own loss.
    weight : number or 0-d array
        Factor w of the result.
    sample_weight : array, (B,) or shape of the result, optional
        Factors of the losses, such as one for each image if `axis` keeps images apart.

    Returns
    -------
    array
        Between 0 and w, without `sample_weight`; 0-d, or with `axis` the shape without these axes.

    Raises
    ------
    TypeError
        If `score` is not a floating point array, or the arrays belong to different libraries.
    ValueError
        If the shapes do not fit, a setting is out of its range, or there is nothing to pool over.

    References
    ----------
    .. [1] M. A. Rahman, Y. Wang, "Optimizing Intersection-over-Union in Deep Neural Networks for Image Segmentation",
       ISVC, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, q = np.asarray([1.0, 1.0, 0.0]), np.asarray([1.0, 0.0, 0.0])
    >>> float(ak.iou_loss(y, q, normalize_method="clamp", smooth=0))
    0.5
    """
    xp, dtype = _soft_inputs(normalize_method, target, score, sample_weight)
    s = number("smooth", smooth, xp, dtype, NOT_NEGATIVE)

    def loss(xp: Namespace, x: Array, y: Array, axis: Axis) -> Array:
        common, soft, true = _add_up(xp, dtype, COMMON, normalize_method, x, y, axis)
        return 1.0 - _share(xp, common, soft + true - common, s, 1.0)

    return loss_of_images(xp, dtype, loss, {"score": score, "target": target}, axis, weight, sample_weight)


@with_hint
def dice_loss(
    target: Array,
    score: Array,
    *,
    normalize_method: NormalizeMethod = "sigmoid",
    squared: Annotated[bool, flag] = False,
    smooth: Annotated[Setting, NOT_NEGATIVE] = 1e-6,
    axis: Axes = None,
    weight: Setting = 1.0,
) -> Array:
    r"""One minus the Dice coefficient (F1 score) of a soft mask and the true one.

    .. math:: w \left(1 - \frac{2 \sum q y + s}{\sum q^e + \sum y^e + s}\right)

    Parameters
    ----------
    target : array, any shape
        True mask y: booleans, 0 and 1, or values between.
    score : array, shape of `target`
        Scores from which the soft mask q is made.
    normalize_method : {"sigmoid", "clamp", "minmax"}
        q = sigmoid(score); or the score clipped to [0, 1]; or (score - min)/(max - min), 0.5 where all are equal.
    squared : bool
        Whether e is 2, as in V-Net, instead of 1.
    smooth : number or 0-d array, at least 0
        s, above and below. With 0 the loss of two empty masks is 0, its limit.
    axis : int or tuple of ints, optional
        The axes to pool sums (and minimum and maximum) over, all by default. With the axes of an image each image of a
        batch has its own loss.
    weight : number or 0-d array
        Factor w of the result.

    Returns
    -------
    array
        Between 0 and w; 0-d, or with `axis` the shape without these axes.

    Raises
    ------
    TypeError
        If `score` is not a floating point array, or the arrays belong to different libraries.
    ValueError
        If the shapes differ, a setting is out of its range, or there is nothing to pool over.

    Notes
    -----
    An empty mask with alarms has a loss near w and a gradient, so normal images teach too. A false alarm weighs as much
    as a miss. `tversky_loss` has a weight for each.

    References
    ----------
    .. [1] F. Milletari, N. Navab, S.-A. Ahmadi, "V-Net: Fully Convolutional Neural Networks for Volumetric Medical
       Image Segmentation", 3DV, 2016.
    .. [2] C. H. Sudre et al., "Generalised Dice Overlap as a Deep Learning Loss Function for Highly Unbalanced
       Segmentations", DLMIA, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, q = np.asarray([1.0, 1.0, 0.0]), np.asarray([1.0, 0.0, 0.0])
    >>> round(float(ak.dice_loss(y, q, normalize_method="clamp", smooth=0)), 6)
    0.333333
    """
    xp, dtype = _soft_inputs(normalize_method, target, score)
    s, sums = number("smooth", smooth, xp, dtype, NOT_NEGATIVE), SQUARES if flag("squared", squared) else COMMON

    def loss(xp: Namespace, x: Array, y: Array, axis: Axis) -> Array:
        common, soft, true = _add_up(xp, dtype, sums, normalize_method, x, y, axis)
        return 1.0 - _share(xp, 2.0 * common, soft + true, s, 1.0)

    return loss_of_images(xp, dtype, loss, {"score": score, "target": target}, axis, weight)


@with_hint
def tversky_loss(
    target: Array,
    score: Array,
    *,
    normalize_method: NormalizeMethod = "sigmoid",
    alpha: Annotated[Setting, NOT_NEGATIVE] = 0.5,
    beta: Annotated[Setting, NOT_NEGATIVE] = 0.5,
    gamma: Annotated[Setting, POSITIVE] = 1.0,
    smooth: Annotated[Setting, NOT_NEGATIVE] = 1e-6,
    axis: Axes = None,
    weight: Setting = 1.0,
) -> Array:
    r"""One minus the Tversky index of a soft mask and the true one, with separate weights of false alarms and misses.

    .. math:: w \left(1 - \frac{T + s}{T + \alpha F + \beta M + s}\right)^\gamma, \quad
       T = \sum q y, \quad F = \sum q (1 - y), \quad M = \sum (1 - q) y

    Parameters
    ----------
    target : array, any shape
        True mask y: booleans, 0 and 1, or values between.
    score : array, shape of `target`
        Scores from which the soft mask q is made.
    normalize_method : {"sigmoid", "clamp", "minmax"}
        q = sigmoid(score); or the score clipped to [0, 1]; or (score - min)/(max - min), 0.5 where all are equal.
    alpha : number or 0-d array, at least 0
        Weight α of false alarms F.
    beta : number or 0-d array, at least 0
        Weight β of misses M.
    gamma : number or 0-d array, above 0
        Exponent γ of the loss, that of the focal Tversky loss.
    smooth : number or 0-d array, at least 0
        s. With 0 the loss of two empty masks is 0, its limit.
    axis : int or tuple of ints, optional
        The axes to pool sums (and minimum and maximum) over, all by default. With the axes of an image each image of a
        batch has its own loss.
    weight : number or 0-d array
        Factor w of the result.

    Returns
    -------
    array
        Between 0 and w; 0-d, or with `axis` the shape without these axes.

    Raises
    ------
    TypeError
        If `score` is not a floating point array, or the arrays belong to different libraries.
    ValueError
        If the shapes differ, a setting is out of its range, or there is nothing to pool over.

    Notes
    -----
    With α = β = 1/2 it is `dice_loss` with twice the smoothing. With α = β = 1 it is `iou_loss`. The letters are
    Salehi's. Abraham and Khan exchange α and β, and write the exponent 1/γ: their (0.7, 0.3, 4/3) is ``alpha=0.3,
    beta=0.7, gamma=0.75``.

    References
    ----------
    .. [1] S. S. M. Salehi, D. Erdogmus, A. Gholipour, "Tversky Loss Function for Image Segmentation Using 3D Fully
       Convolutional Deep Networks", MLMI, 2017.
    .. [2] N. Abraham, N. M. Khan, "A Novel Focal Tversky Loss Function with Improved Attention U-Net for Lesion
       Segmentation", ISBI, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, q = np.asarray([1.0, 1.0, 0.0]), np.asarray([1.0, 0.0, 0.0])
    >>> round(float(ak.tversky_loss(y, q, normalize_method="clamp", alpha=0.3, beta=0.7)), 4)
    0.4118
    """
    xp, dtype = _soft_inputs(normalize_method, target, score)
    a = number("alpha", alpha, xp, dtype, NOT_NEGATIVE)
    b = number("beta", beta, xp, dtype, NOT_NEGATIVE)
    g = number("gamma", gamma, xp, dtype, POSITIVE)
    s = number("smooth", smooth, xp, dtype, NOT_NEGATIVE)

    def loss(xp: Namespace, x: Array, y: Array, axis: Axis) -> Array:
        if isinstance(g, float) and g == 1.0:
            hits, soft, true = _add_up(xp, dtype, COMMON, normalize_method, x, y, axis)
            return 1.0 - _share(xp, hits, hits + a * (soft - hits) + b * (true - hits), s, 1.0)
        hits, alarms, misses = _add_up(xp, dtype, ERRORS, normalize_method, x, y, axis)
        wrong = a * alarms + b * misses
        index = _share(xp, wrong, hits + wrong + s, 0.0, 0.0)
        perfect = index <= 0.0  # where a power below 1 has no slope
        return xp.where(perfect, 0.0, xp.exp(g * xp.log(xp.where(perfect, 1.0, index))))

    return loss_of_images(xp, dtype, loss, {"score": score, "target": target}, axis, weight)


def _soft_inputs(
    method: str, target: Array, score: Array, sample_weight: Array | None = None
) -> tuple[Namespace, DType]:
    if method not in SOFT_MASKS:
        choice("normalize_method", method, tuple(SOFT_MASKS))
    xp, dtype = mask_inputs(target, sample_weight, score=score)
    if target.dtype != dtype:
        check_mask(xp, target)
    return xp, dtype


class Overlap(NamedTuple):
    """Sums over a soft mask q and the true one y, from which the loss is made."""

    sums: Callable[..., tuple[Array, ...]]
    """``(dot, add, q, rest, y)``: by the sum of products, the sum, and a function that gives 1 - q."""
    slopes: Callable[..., tuple[Callable[[], Array], Callable[[], Array]]]
    """``(upstream, q, rest, y)``: Σ upstreamⱼ · ∂sumⱼ by q and by y, of functions that give q and 1 - q."""
    of_few: bool = False
    """Whether 1 - q must keep its digits where q is nearly 1, which takes an exponential of its own."""


COMMON = Overlap(
    sums=lambda dot, add, q, rest, y: (dot(q, y), add(q), add(y)),
    slopes=lambda u, q, rest, y: (lambda: u[0] * y + u[1], lambda: u[0] * q() + u[2]),
)
"""What both have in common, and each of them."""

SQUARES = Overlap(
    sums=lambda dot, add, q, rest, y: (dot(q, y), dot(q, q), dot(y, y)),
    slopes=lambda u, q, rest, y: (
        lambda: u[0] * y + (2.0 * u[1]) * q(),
        lambda: u[0] * q() + (2.0 * u[2]) * y,
    ),
)
"""What both have in common, and the squares of each of them."""

ERRORS = Overlap(
    sums=lambda dot, add, q, rest, y: (add(common := q * y), add(q - common), dot(rest(), y)),
    slopes=lambda u, q, rest, y: (
        lambda: (u[0] - u[2]) * y + u[1] * (1.0 - y),
        lambda: (u[0] - u[1]) * q() + u[2] * rest(),
    ),
    of_few=True,
)
"""Hits, false alarms and misses: few errors keep their digits, which a power of the loss shows."""


def _add_up(
    xp: Namespace, dtype: DType, overlap: Overlap, method: str, score: Array, target: Array, axis: Axis
) -> tuple[Array, ...]:
    """The sums over all elements, or along axes."""
    extremes: tuple[Array, ...] = ()
    if method == "minmax":
        extremes = tuple(cast(xp, dtype, f(score, axis=axis, keepdims=axis is not None)) for f in (xp.min, xp.max))
    soft, rest = SOFT_MASKS[method]

    def sums(xp: Namespace, x: Array, y: Array, *extremes: Array) -> tuple[Array, ...]:
        def add(values: Array) -> Array:
            return xp.sum(values, axis=axis)

        def dot(a: Array, b: Array) -> Array:
            return xp.sum_of_products(a, b) if axis is None else xp.sum(a * b, axis=axis)

        return overlap.sums(dot, add, soft(xp, x, *extremes), lambda: rest(xp, x, *extremes), y)

    def slopes(xp: Namespace, upstream: tuple[Setting, ...], x: Array, y: Array) -> Slopes:
        by_mask, by_target = overlap.slopes(upstream, lambda: soft(xp, x), lambda: rest(xp, x), y)
        return [lambda: by_mask() * SOFT_MASK_SLOPES[method](xp, x, overlap.of_few), by_target]

    if axis is not None:
        return sums(xp, cast(xp, dtype, score), cast(xp, dtype, target), *extremes)
    formula = Sums(sums, slopes, blocks=2) if method in SOFT_MASK_SLOPES else Sums(sums)
    return xp.add_up(formula, dtype, (score, target), extremes)


def _share(xp: Namespace, part: Array, whole: Array, smooth: Setting, of_nothing: float) -> Array:
    """(part + smooth)/(whole + smooth), and another number where there is nothing."""
    part, whole = part + smooth, whole + smooth
    if isinstance(smooth, float) and smooth >= _EMPTY:
        return xp.divide(part, whole)
    return ratio(xp, part, xp.where(whole < _EMPTY, 0.0, whole), of_nothing)


_EMPTY = 2.0**-100
"""A whole below it is that of empty masks: slopes are made of its reciprocal, which float32 must hold."""


def _slope_of_sigmoid(xp: Namespace, x: Array, of_few: bool) -> Array:  # noqa: FBT001
    q = xp.sigmoid(x)
    return q * (xp.sigmoid(-x) if of_few else 1.0 - q)


def _slope_of_clamp(xp: Namespace, x: Array, of_few: bool) -> Array:  # noqa: FBT001
    return xp.astype(xp.logical_and(x >= 0.0, x <= 1.0), x.dtype)


SOFT_MASKS: dict[str, tuple[Callable[..., Array], Callable[..., Array]]] = {
    "sigmoid": (lambda xp, x: xp.sigmoid(x), lambda xp, x: xp.sigmoid(-x)),
    "clamp": (lambda xp, x: xp.clip(x, 0.0, 1.0), lambda xp, x: 1.0 - xp.clip(x, 0.0, 1.0)),
    "minmax": (
        lambda xp, x, low, high: ratio(xp, x - low, high - low, 0.5),
        lambda xp, x, low, high: ratio(xp, high - x, high - low, 0.5),
    ),
}
"""What makes a soft mask of scores, and what is left to 1."""

SOFT_MASK_SLOPES: dict[str, Callable[..., Array]] = {"sigmoid": _slope_of_sigmoid, "clamp": _slope_of_clamp}
"""Slopes of soft masks; that of "minmax", which goes through the extremes, is left to the library."""
