"""How far two samples are apart as distributions: the distance of their means in the space of a kernel."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from anomaly_kernels._core.checks import (
    POSITIVE,
    cast,
    choice,
    flag,
    has_ndim,
    has_shape,
    inputs,
    not_empty,
    numbers,
    same_axes,
    shape_of,
)
from anomaly_kernels._core.evaluate import Formula, Slopes, meeting, weigh
from anomaly_kernels._core.numeric import square
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Items, Namespace, Number, Setting


def widths_of(name: str, value: Items[Number]) -> list[float]:
    """Widths of kernels as floats, or an error unless they are numbers above 0, at least one."""
    widths = numbers(name, value)
    if not widths or not all(map(POSITIVE.holds, widths)):
        raise ValueError(f"`{name}` must be numbers {POSITIVE}, at least one, got {widths}")
    return [float(b) for b in widths]


@with_hint
def mmd_loss(
    embeddings: Array,
    reference: Array,
    *,
    kernel: Literal["rbf", "imq"] = "rbf",
    bandwidths: Annotated[Items[Number], widths_of] = (1.0,),
    unbiased: Annotated[bool, flag] = False,
    weight: Setting = 1.0,
) -> Array:
    r"""Squared maximum mean discrepancy (MMD) of two samples.

    .. math:: w \left(\operatorname{mean}_{i,j} k(x_i, x_j) + \operatorname{mean}_{i,j} k(y_i, y_j)
        - 2 \operatorname{mean}_{i,j} k(x_i, y_j)\right)

    with

    .. math:: k(x, y) = \sum_b e^{-\|x - y\|^2 / (2 b^2)} \quad\text{or}\quad
        k(x, y) = \sum_b \frac{C_b}{C_b + \|x - y\|^2}, \quad C_b = 2 D b^2

    Parameters
    ----------
    embeddings : array, (N, D)
        The first sample, x.
    reference : array, (M, D)
        The second sample, y, such as draws of a prior.
    kernel : {"rbf", "imq"}
        Gaussian, or inverse multiquadratic, whose tails are heavier.
    bandwidths : sequence of numbers above 0
        Widths b of the kernels that are added up, in units of the embeddings.
    unbiased : bool
        Whether the first two means leave out the pairs of a row with itself. The estimate is then unbiased, and may be
        below 0.
    weight : number or 0-d array
        Factor w of the result.

    Returns
    -------
    array, 0-d
        At least 0, up to rounding, unless `unbiased`.

    Raises
    ------
    TypeError
        If an input is not a floating point array, or they belong to different libraries.
    ValueError
        If the shapes do not fit, a setting is out of its range, there is nothing to average over, or a sample of one
        has no pairs for `unbiased`.

    Notes
    -----
    It is computed in double precision if the library has it. In NumPy and eager torch, the loss needs memory for a
    block of rows times N, with its gradients. The bandwidths are numbers. Other code often takes the median distance,
    which is 0 if all rows are equal. The loss is then NaN.

    References
    ----------
    .. [1] A. Gretton et al., "A Kernel Two-Sample Test", JMLR, 2012, equations 3 and 5.
    .. [2] I. Tolstikhin et al., "Wasserstein Auto-Encoders", ICLR, 2018: the inverse multiquadratic kernel.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> x, y = np.asarray([[0.0], [0.0]]), np.asarray([[1.0], [1.0], [1.0]])
    >>> round(float(ak.mmd_loss(x, y)), 6)
    0.786939
    """
    xp, dtype = inputs(embeddings=embeddings, reference=reference)
    for name, x in (("embeddings", embeddings), ("reference", reference)):
        has_ndim(name, x, 2, "(N, D)")
    d = shape_of(embeddings)[1]
    has_shape("reference", reference, (shape_of(reference)[0], d), "(M, D) with the D of `embeddings`")
    same_axes("D", embeddings=(embeddings, (1,)), reference=(reference, (1,)))
    not_empty(embeddings=embeddings, reference=reference)
    choice("kernel", kernel, tuple(KERNELS))
    widths = widths_of("bandwidths", bandwidths)
    if flag("unbiased", unbiased):
        for name, x in (("embeddings", embeddings), ("reference", reference)):
            if x.shape[0] == 1:
                raise ValueError(f"`{name}` must be at least two where `unbiased` is True: one row has no pair")
    wide = xp.wide(embeddings)
    x, y = cast(xp, wide, embeddings), cast(xp, wide, reference)
    n, m = (xp.sum(xp.ones_like(z[:, 0])) for z in (x, y))
    total = partial(_sum_of_pairs, xp, KERNELS[kernel], widths)
    same = float(len(widths)) if unbiased else 0.0  # the kernel of a row and itself
    less = 1.0 if unbiased else 0.0
    of_x, of_y = ((total(z, z) - same * c) / (c * (c - less)) for z, c in ((x, n), (y, m)))
    return weigh(xp, dtype, weight, cast(xp, dtype, (of_x + of_y) - 2.0 * total(x, y) / (n * m)))


def _gaussian(xp: Namespace, distance: Array, width: float, _: int) -> tuple[Array, Array]:
    """The kernel of squared distances, and its slope by them."""
    value = xp.exp(distance * (-0.5 / width**2))
    return value, value * (-0.5 / width**2)


def _inverse_multiquadratic(xp: Namespace, distance: Array, width: float, d: int) -> tuple[Array, Array]:
    c = 2.0 * d * width**2
    value = c / (c + distance)
    return value, value * value * (-1.0 / c)


Kernel = Callable[[Namespace, Array, float, int], tuple[Array, Array]]
KERNELS: dict[str, Kernel] = {"rbf": _gaussian, "imq": _inverse_multiquadratic}


def _sum_of_pairs(xp: Namespace, kernel: Kernel, widths: list[float], x: Array, y: Array) -> Array:
    """Σ k(x, y) over all pairs."""
    # the squares of distances are taken from products, which is right once the rows are centred
    center = xp.stop_gradient(0.5 * (xp.mean(x, axis=0) + xp.mean(y, axis=0)))
    formula = Formula(partial(_values, kernel, widths), partial(_slopes, kernel, widths), inner=1)
    return xp.reduce("sum", meeting(formula, shape_of(y)[0], shape_of(y)[1]), x.dtype, (x - center,), (y - center,))


def _distances(xp: Namespace, x: Array, y: Array) -> Array:
    """Squared distances of all pairs, (B, N)."""
    own, others = (xp.sum(square(z), axis=1) for z in (x, y))
    return (xp.expand_dims(own, axis=1) + others) - 2.0 * xp.matmul(x, xp.matrix_transpose(y))


def _values(kernel: Kernel, widths: list[float], xp: Namespace, x: Array, y: Array) -> Array:
    distance, d = _distances(xp, x, y), x.shape[1]
    each = [kernel(xp, distance, b, d)[0] for b in widths]
    return xp.sum(sum(each[1:], each[0]), axis=1)


def _slopes(kernel: Kernel, widths: list[float], xp: Namespace, x: Array, y: Array) -> Slopes:
    distance, d = _distances(xp, x, y), x.shape[1]
    each = [kernel(xp, distance, b, d)[1] for b in widths]
    pull = 2.0 * sum(each[1:], each[0])
    return [
        lambda: xp.sum(pull, axis=1, keepdims=True) * x - xp.matmul(pull, y),
        lambda: xp.expand_dims(xp.sum(pull, axis=0), axis=1) * y - xp.matmul(xp.matrix_transpose(pull), x),
    ]
