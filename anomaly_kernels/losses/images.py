"""Structural similarity of images and their reconstructions (SSIM)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple, SupportsIndex

from anomaly_kernels._core.checks import (
    POSITIVE,
    axes_of,
    cast,
    choice,
    inputs,
    is_number,
    not_empty,
    number,
    positive,
    same_shape,
    setting,
)
from anomaly_kernels._core.evaluate import Formula, Slopes, reduce, weigh
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.numeric import square
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace, Number, Reduction, Setting
from anomaly_kernels.losses._masks import Axes
from anomaly_kernels.losses._windows import Band, band_of, blur, extents_of, weights_of


def check_size(name: str, value: Any) -> int:
    """The number of pixels along a side of a window, which must be odd."""
    size = positive(name, value, "an odd integer")
    if size % 2 == 0:
        raise ValueError(f"`{name}` must be an odd integer, got {size}")
    return size


def check_sigma(name: str, value: Any) -> float:
    """A standard deviation in pixels, which must be known: windows are made of it."""
    if not is_number(value):
        raise TypeError(f"`{name}` must be a number, got {describe(value)}")
    setting(name, value, POSITIVE)
    return float(value)


@with_hint
def ssim_loss(
    x_true: Array,
    x_pred: Array,
    *,
    data_range: Annotated[Setting, POSITIVE],
    window: Literal["gaussian", "uniform"] = "gaussian",
    size: Annotated[SupportsIndex, check_size] = 11,
    sigma: Annotated[Number, check_sigma] = 1.5,
    k1: Annotated[Setting, POSITIVE] = 0.01,
    k2: Annotated[Setting, POSITIVE] = 0.03,
    axis: Axes = (-2, -1),
    border: Literal["valid", "symmetric"] = "valid",
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
) -> Array:
    r"""One minus the structural similarity of images and their reconstructions.

    .. math:: w \left(1 - \frac{(2 \mu_x \mu_y + C_1)(2 \sigma_{xy} + C_2)}
       {(\mu_x^2 + \mu_y^2 + C_1)(\sigma_x^2 + \sigma_y^2 + C_2)}\right), \quad C_1 = (k_1 R)^2, \quad C_2 = (k_2 R)^2

    Parameters
    ----------
    x_true, x_pred : array, any shape with the axes of images
        Images x and their reconstructions y, of equal shapes. All axes but `axis` count images and channels, each of
        which is compared by itself.
    data_range : number or 0-d array, above 0
        R, the difference of the largest and the smallest possible value of a pixel, usually 1 or 255.
    window : {"gaussian", "uniform"}
        How pixels of a window weigh in its means μ, variances σ² and covariance: by a Gaussian, or all alike.
    size : odd int
        Pixels along each side of a window, no more than an image has.
    sigma : number above 0
        Standard deviation of the Gaussian, in pixels.
    k1, k2 : number or 0-d array, above 0
        Constants that keep the quotients of dark and of flat windows defined.
    axis : int or tuple of ints
        The axes of an image: (-3, -2) with the channels last, three for volumes. None: all.
    border : {"valid", "symmetric"}
        ``"valid"``: only windows inside the image. ``"symmetric"``: one window around each pixel; the image is mirrored
        at its edges, and the edge pixel is repeated.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over all windows.

    Returns
    -------
    array
        Between 0 and 2w; 0-d, or with ``"none"`` the map, of the image's size with ``"symmetric"`` and `size` - 1
        smaller with ``"valid"``.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes differ, a window does not fit into an image, a setting is out of its range, or there is nothing to
        average over.

    Notes
    -----
    The map is the anomaly map of a reconstruction. Variances are population variances. Products with band matrices give
    the sums over windows. They use differences of the images, and images whose mean is subtracted. So neither an offset
    nor small differences lose digits. A NaN makes the map of the whole image NaN.

    References
    ----------
    .. [1] Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image Quality Assessment: From Error Visibility to
       Structural Similarity", IEEE Transactions on Image Processing, 2004.
    .. [2] P. Bergmann et al., "Improving Unsupervised Defect Segmentation by Applying Structural Similarity to
       Autoencoders", VISAPP, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> x = np.sin(np.arange(256.0).reshape(16, 16))
    >>> round(float(ak.ssim_loss(x, 0.5 * x, data_range=2)), 3)
    0.199
    >>> ak.ssim_loss(x, x, data_range=2, border="symmetric", reduction="none").shape
    (16, 16)
    """
    xp, dtype = inputs(x_true=x_true, x_pred=x_pred)
    choice("window", window, ("gaussian", "uniform"))
    choice("border", border, ("valid", "symmetric"))
    choice("reduction", reduction, ("mean", "sum", "none"))
    same_shape(x_true=x_true, x_pred=x_pred)
    ndim = len(x_true.shape)
    chosen = axes_of(axis, ndim) or tuple(range(ndim))
    weights = weights_of(window, check_size("size", size), check_sigma("sigma", sigma))
    r = number("data_range", data_range, xp, dtype, POSITIVE)
    a1, a2 = number("k1", k1, xp, dtype, POSITIVE) * r, number("k2", k2, xp, dtype, POSITIVE) * r
    c1, c2 = a1 * a1, a2 * a2
    order = (*(k for k in range(ndim) if k not in chosen), *chosen)
    arrays = {"x_true": xp.permute_dims(x_true, order), "x_pred": xp.permute_dims(x_pred, order)}
    extents = extents_of(arrays["x_true"], len(chosen), len(weights), border)
    each = {n: band_of(xp, x_true, dtype, n, weights, border) for n in set(extents)}
    bands = [each[n] for n in extents]
    if reduction == "none":
        not_empty(x_true=x_true)
        x, y = cast(xp, dtype, arrays["x_true"]), cast(xp, dtype, arrays["x_pred"])
        loss = _compare(xp, x, y, c1, c2, bands).loss()
        return weigh(xp, dtype, weight, xp.permute_dims(loss, tuple(order.index(k) for k in range(ndim))))
    formula = _similarity(bands, reduction)
    return reduce(xp, dtype, formula, arrays, c1, c2, weight=weight, reduction=reduction)


class Comparison(NamedTuple):
    """What is known of each window: 1 - SSIM is e₁ + e₂ - e₁e₂ of the errors of its mean and of its structure."""

    x: Array
    """The images, without their means."""
    y: Array
    difference: Array
    mean_x: Array
    mean_y: Array
    gap: Array
    """The difference of the means."""
    of_x: Array
    """The mean in a window of what is without the image's mean."""
    of_difference: Array
    brightness: Array
    """The denominator of e₁."""
    contrast: Array
    """The denominator of e₂."""
    of_mean: Array
    """e₁."""
    of_structure: Array
    """e₂."""

    def loss(self) -> Array:
        """1 - SSIM of each window."""
        return self.of_mean + (1.0 - self.of_mean) * self.of_structure


def _level(xp: Namespace, x: Array, axes: tuple[int, ...]) -> Array:
    """The mean of each image. Any constants would do, but variances keep their digits near a mean of 0."""
    mean = xp.stop_gradient(xp.mean(x, axis=axes, keepdims=True))
    # wherever it is subtracted it must be the same number: XLA would merge its division into each of the differences
    return xp.clip(mean, -1e38, 1e38)


def _compare(xp: Namespace, x: Array, y: Array, c1: Setting, c2: Setting, bands: Sequence[Band]) -> Comparison:
    axes, matrices = tuple(range(-len(bands), 0)), [band.blocks for band in bands]
    level_x, level_y = _level(xp, x, axes), _level(xp, y, axes)
    difference = (x - y) - (level_x - level_y)  # not of what is rounded below
    x, y = x - level_x, y - level_y
    of_x, of_difference = blur(xp, x, matrices), blur(xp, difference, matrices)
    of_y = of_x - of_difference
    gap = (level_x - level_y) + of_difference
    mean_x, mean_y = level_x + of_x, level_y + of_y
    brightness = square(mean_x) + square(mean_y) + c1
    of_squares, of_square = blur(xp, square(x) + square(y), matrices), blur(xp, square(difference), matrices)
    contrast = xp.maximum(of_squares - square(of_x) - square(of_y), 0.0) + c2
    variance = xp.maximum(of_square - square(of_difference), 0.0)
    e1, e2 = square(gap) / brightness, variance / contrast
    return Comparison(x, y, difference, mean_x, mean_y, gap, of_x, of_difference, brightness, contrast, e1, e2)


def _similarity(bands: Sequence[Band], reduction: str) -> Formula:
    """The mean or the sum over the windows of each image, and its slopes, which are blurred back."""
    axes = tuple(range(-len(bands), 0))
    share = 1.0 / math.prod([band.windows for band in bands]) if reduction == "mean" else 1.0

    def values(xp: Namespace, x: Array, y: Array, c1: Setting, c2: Setting) -> Array:
        loss = _compare(xp, x, y, c1, c2, bands).loss()
        return xp.mean(loss, axis=axes) if reduction == "mean" else xp.sum(loss, axis=axes)

    def slopes(xp: Namespace, x: Array, y: Array, c1: Setting, c2: Setting) -> Slopes:
        at, matrices = _compare(xp, x, y, c1, c2, bands), [band.transposed() for band in bands]
        of_y, by_mean, by_structure = at.of_x - at.of_difference, 1.0 - at.of_structure, 1.0 - at.of_mean
        by_brightness = -share * by_mean * at.of_mean / at.brightness
        by_variance = share * by_structure / at.contrast
        by_contrast = -by_variance * at.of_structure
        by_gap = share * by_mean * at.gap / at.brightness - by_brightness * at.mean_y
        by_difference = 2.0 * (by_gap - by_variance * at.of_difference + by_contrast * of_y)
        of_squares, of_square = 2.0 * blur(xp, by_contrast, matrices), 2.0 * blur(xp, by_variance, matrices)

        def by_x() -> Array:
            of_levels = by_brightness * (at.mean_x + at.mean_y) - by_contrast * (at.of_x + of_y)
            means = blur(xp, 2.0 * of_levels + by_difference, matrices)
            return means + at.x * of_squares + at.difference * of_square

        return [
            by_x,
            lambda: at.y * of_squares - at.difference * of_square - blur(xp, by_difference, matrices),
            lambda: xp.sum(by_brightness),
            lambda: xp.sum(by_contrast),
        ]

    return Formula(values, slopes, inner=len(bands))
