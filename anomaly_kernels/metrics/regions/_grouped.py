"""Pixels sorted by the numbers of their regions: what is counted in a region is the difference of two sums.

number   2  2  2  5  5  9  9     ascending, any integers
inside   1  0  1  0  0  1  1     a pixel that is not inside of a region may have any number
start    0  0  0  3  3  5  5     where the number begins, by searchsorted(side="left")
end      3  3  3  5  5  7  7     and where the next one does, by searchsorted(side="right")
"""

from __future__ import annotations

from typing import NamedTuple

from anomaly_kernels._core.typing import Array, Namespace
from anomaly_kernels.metrics.ranking._sorted import sums_from_each


class Regions(NamedTuple):
    """Pixels in one dimension, those of a region one after another; each function gives a number for each pixel."""

    xp: Namespace
    inside: Array
    start: Array
    end: Array

    def count_where(self, mask: Array) -> Array:
        """How many pixels of the region the mask holds."""
        xp = self.xp
        sums = self._sums(xp.logical_and(self.inside, mask))
        return xp.take_along_axis(sums, self.start) - xp.take_along_axis(sums, self.end)

    def size(self) -> Array:
        """How many pixels the region has."""
        return self.count_where(self.inside)

    def rest(self) -> Array:
        """How many pixels of the region come from this one on."""
        sums = self._sums(self.inside)
        return sums[:-1] - self.xp.take_along_axis(sums, self.end)

    def first(self) -> Array:
        """Whether this is the first pixel of its region: one for each region."""
        return self.xp.logical_and(self.inside, self.rest() == self.size())

    def _sums(self, mask: Array) -> Array:
        return sums_from_each(self.xp, self.xp.astype(mask, self.xp.int32))


def sort_by_region(xp: Namespace, inside: Array, number: Array, *others: Array) -> tuple[Regions, list[Array]]:
    """The regions, and arrays in the order of their pixels, which within a region is that of before."""
    order = xp.argsort(number, stable=True)
    ordered = [xp.take_along_axis(x, order) for x in (number, *others)]
    start, end = (xp.searchsorted(ordered[0], ordered[0], side=side) for side in ("left", "right"))
    return Regions(xp, xp.take_along_axis(inside, order), start, end), ordered
