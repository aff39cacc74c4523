"""The intersection over union of hard decisions, extended to real scores: the Lovász hinge."""

from __future__ import annotations

from anomaly_kernels._core.checks import cast
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.targets import check_nonzero
from anomaly_kernels._core.typing import Array, Axis, Namespace, Setting
from anomaly_kernels.losses._masks import Axes, loss_of_images, mask_inputs


@with_hint
def lovasz_hinge_loss(target: Array, logit: Array, *, axis: Axes = None, weight: Setting = 1.0) -> Array:
    r"""Lovász hinge: a hinge loss in which a pixel weighs what its error costs in intersection over union.

    .. math:: w \sum_i \max(e_i, 0)\,(J_i - J_{i-1}), \quad e_1 \ge e_2 \ge \dots, \quad
       J_i = 1 - \frac{P - \sum_{j \le i} y_j}{P + \sum_{j \le i} (1 - y_j)}

    Parameters
    ----------
    target : array, any shape
        True mask y; 0 alone means normal. P pixels are anomalous.
    logit : array, shape of `target`
        Logits x, unbounded, whose sign decides. The errors are e = 1 - x (2y - 1), sorted.
    axis : int or tuple of ints, optional
        The axes to pool over, all by default. With the axes of an image each image of a batch has its own loss.
    weight : number or 0-d array
        Factor w of the result.

    Returns
    -------
    array
        0-d, or with `axis` the shape without these axes.

    Raises
    ------
    TypeError
        If `logit` is not a floating point array, or the arrays belong to different libraries.
    ValueError
        If the shapes differ, an axis does not exist, an integer in `target` is below 0, or there is nothing to pool
        over.

    Notes
    -----
    Jᵢ is the Jaccard loss if exactly the pixels of the i largest errors are wrong. Without anomalies the loss is max(e,
    0) of the worst pixel. The value does not depend on the order of tied errors. The gradient is that of one such
    order, and may depend on it.

    References
    ----------
    .. [1] M. Berman, A. R. Triki, M. B. Blaschko, "The Lovász-Softmax Loss: A Tractable Surrogate for the Optimization
       of the Intersection-Over-Union Measure in Neural Networks", CVPR, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> y, x = np.asarray([1, 1, 0, 0]), np.asarray([2.0, -0.5, 0.5, -3.0])
    >>> float(ak.lovasz_hinge_loss(y, x))
    1.0
    """
    xp, dtype = mask_inputs(target, logit=logit)
    check_nonzero(xp, target)

    def loss(xp: Namespace, x: Array, y: Array, axis: Axis) -> Array:
        outer = tuple(x.shape[: axis[0]]) if isinstance(axis, tuple) else ()
        x, y = xp.reshape(cast(xp, dtype, x), (*outer, -1)), xp.reshape(cast(xp, dtype, y), (*outer, -1))
        anomalous = y != 0.0
        error = xp.where(anomalous, 1.0 - x, 1.0 + x) + 0.0 * y  # NaN of a target that is
        order = xp.argsort(-xp.stop_gradient(error))
        hit = xp.take_along_axis(xp.astype(anomalous, xp.counting()), order)
        steps = _jaccard_steps(xp, hit, dtype)
        return xp.sum(xp.maximum(xp.take_along_axis(error, order), 0.0) * steps, axis=-1)

    return loss_of_images(xp, dtype, loss, {"logit": logit, "target": target}, axis, weight)


def _jaccard_steps(xp: Namespace, hit: Array, dtype: object) -> Array:
    """By how much each pixel in turn, 1 where it is anomalous, adds to the Jaccard loss if it is wrong."""
    hits, alarms = xp.cumulative_sum(hit, axis=-1), xp.cumulative_sum(1 - hit, axis=-1)
    positives = xp.sum(hit, axis=-1, keepdims=True)
    union, left = xp.astype(positives + alarms, dtype), xp.astype(positives - hits, dtype)
    before = xp.astype(positives + alarms - 1, dtype)
    # without positives the first alarm is all of the loss
    return xp.where(hit > 0, ratio(xp, xp.ones_like(union), union), ratio(xp, left, union * before, 1.0))
