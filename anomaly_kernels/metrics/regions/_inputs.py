"""Regions and saturations as arguments: checked, and the numbers of regions found where they are not given."""

from __future__ import annotations

from collections.abc import Mapping

from anomaly_kernels._core.checks import (
    INTEGERS,
    cast,
    dtype_name,
    has_ndim,
    inputs,
    is_real,
    same_shape,
    shape_of,
    shown,
)
from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.metrics.ranking._inputs import to_signed
from anomaly_kernels.metrics.regions.labels import numbers_of


def check_arrays(
    masks: Mapping[str, Array], regions: Mapping[str, Array | None], saturation: Array | None = None
) -> Namespace:
    """The namespace of masks and scores of one shape, and of the numbers of their regions, where these are given."""
    numbers = {name: x for name, x in regions.items() if x is not None}
    by_name = {**masks, **numbers}
    xp, _ = inputs(by_name if saturation is None else {**by_name, "saturation": saturation})
    same_shape(**by_name)
    for name, x in numbers.items():
        if not _is_integer(x):
            raise TypeError(f"`{name}` must be of integers, the number of each pixel's region, got dtype {x.dtype}")
    if saturation is not None:
        has_ndim("saturation", saturation, 1, "(K,), a number for each region")
        if not is_real(saturation) and not _is_integer(saturation):
            raise TypeError(f"`saturation` must be of real numbers or integers, got dtype {saturation.dtype}")
    return xp


def _is_integer(x: Array) -> bool:
    return dtype_name(x.dtype).rstrip("0123456789") in INTEGERS


def find_regions(
    xp: Namespace, name: str, mask: Array, region: Array | None, *others: Array
) -> tuple[Array, Array, list[Array]]:
    """Whether each pixel is in a region, the number of that, and other arrays, all in one dimension.

    Where the numbers of arrays can be looked at, on the CPU, these are the pixels inside of regions alone, which are
    few; compilers and graphs want fixed shapes, and get all.
    """
    mask = cast(xp, xp.bool, mask)
    if region is None and len(mask.shape) < 2:
        raise ValueError(
            f"`{name}` must have shape (images, ...), or its regions be given, got {shown(shape_of(mask))}"
        )
    inside, *flat = (xp.reshape(x, (-1,)) for x in (mask, *others))
    if not xp.is_lean(mask, *others, *([] if region is None else [region])):
        if region is None:
            region = numbers_of(xp, name, mask, tuple(range(1, len(mask.shape))), len(mask.shape) - 1)
        return inside, _as_signed(xp, xp.reshape(region, (-1,))), flat
    number = xp.region_numbers_inside(mask) if region is None else _as_signed(xp, xp.reshape(region, (-1,))[inside])
    return inside[inside], number, [x[inside] for x in flat]


def _as_signed(xp: Namespace, region: Array) -> Array:
    """Numbers of regions in a dtype that every library sorts: small ones stay what they are, large ones apart."""
    return (
        cast(xp, xp.counting(), region) if dtype_name(region.dtype) in ("uint32", "uint64") else to_signed(xp, region)
    )


def check_saturation(xp: Namespace, saturation: Array, inside: Array, number: Array, *, labelled: bool) -> None:
    """Raise, where these can be looked at, unless saturations are above 0 and there is one for each region."""
    x, chosen, numbers = (xp.peek(each) for each in (saturation, inside, number))
    if x is not None and (x <= 0).any():
        raise ValueError(f"`saturation` must be > 0, got {x[x <= 0][0]}")
    if x is None or chosen is None or numbers is None or not chosen.any():
        return
    least, most = numbers[chosen].min(), numbers[chosen].max()
    if least < 1 or most > x.size or (labelled and most < x.size):
        raise ValueError(
            "`saturation` must have one entry for each region, from number 1 on, "
            f"got {x.size} for the numbers {least} to {most}"
        )
