"""Regions of a mask: connected pixels, numbered in the order of their first pixels."""

from __future__ import annotations

from typing import Annotated, Any, SupportsIndex

from anomaly_kernels._core.checks import axes_of, cast, inputs, not_empty, positive, shape_of, shown
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.metrics.ranking._inputs import Axes


def _check_connectivity(name: str, value: Any) -> None:
    if value is not None:
        positive(name, value, "a positive integer or None")


@with_hint
def label_regions(
    target: Array,
    *,
    axis: Axes = None,
    connectivity: Annotated[SupportsIndex | None, _check_connectivity] = None,
) -> Array:
    r"""Number of the connected region that each anomalous pixel belongs to.

    .. math:: i \sim j \iff \max_a |i_a - j_a| \le 1, \quad \sum_a |i_a - j_a| \le c

    Two anomalous pixels are neighbours if they differ by at most 1 along each axis a of an image, and along at most c
    of them at once. The number of axes is the default: a corner joins two pixels.

    Parameters
    ----------
    target : array, shape (images, ...)
        True or decided anomalies: 0 or False is normal, all else anomalous, whatever number it is. One image is
        ``target[None]``. Its values must be known: labels are made on the host, before anything is compiled.
    axis : int or tuple of ints, optional
        The axes of an image; all but the first by default. No region reaches over another axis.
    connectivity : int, optional
        c: 1 joins by sides alone (4 neighbours in an image, 6 in a volume), the number of axes by corners too (8, 26).

    Returns
    -------
    array
        Integers in the shape of `target`: 0 where it is normal, elsewhere from 1 on, in the order of the first pixels
        of the regions, row by row over the whole array.

    Raises
    ------
    TypeError
        If `target` is neither boolean nor numbers, or is traced, as under `jit` and `vmap`: call this outside.
    ValueError
        If there are no pixels, an axis does not exist, or `connectivity` is not from 1 to the number of axes.

    References
    ----------
    .. [1] A. Rosenfeld, J. L. Pfaltz, "Sequential Operations in Digital Picture Processing", Journal of the ACM, 1966.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> target = np.asarray([[[1, 0, 0], [0, 1, 0], [0, 0, 0]], [[0, 0, 1], [1, 0, 1], [1, 0, 0]]])
    >>> ak.label_regions(target)[1].tolist()
    [[0, 0, 2], [3, 0, 2], [3, 0, 0]]
    >>> int(ak.label_regions(target, connectivity=1).max())
    4
    """
    xp, _ = inputs({"target": target})
    not_empty(target=target)
    ndim = len(target.shape)
    along = axes_of(axis, ndim)
    along = tuple(range(1, ndim)) if along is None else tuple(sorted(along))
    if not along:
        raise ValueError(f"`target` must have shape (images, ...), or `axis` be given, got {shown(shape_of(target))}")
    most = len(along)
    _check_connectivity("connectivity", connectivity)
    reach = most if connectivity is None else int(connectivity)
    if reach > most:
        raise ValueError(f"`connectivity` must be no more than the {most} axes of an image, got {reach}")
    return numbers_of(xp, "target", cast(xp, xp.bool, target), along, reach)


def numbers_of(xp: Namespace, name: str, mask: Array, axes: tuple[int, ...], connectivity: int) -> Array:
    """The numbers of the regions of a mask, or an error where it is traced."""
    numbers = xp.region_numbers(mask, axes, connectivity)
    if numbers is None:
        raise TypeError(
            f"`{name}` must be known for its regions to be labelled, got a traced array: call `label_regions` outside "
            "of what is compiled or mapped, and hand over its numbers; in Keras, `compile(run_eagerly=True)`"
        )
    return numbers
