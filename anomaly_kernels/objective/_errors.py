"""The error of objectives; its message is a few lines, though a file may hold a million characters."""

from __future__ import annotations

import reprlib
from typing import Any

from anomaly_kernels._core.files import shorten
from anomaly_kernels._core.namespace import describe

_MOST, _MOST_OF_A_NAME, _MOST_OF_A_VALUE = 500, 60, 100  # characters


class ObjectiveError(ValueError):
    """Raised by an `Objective` if nodes, connections, files, inputs or parameters do not fit.

    A loss or a metric that refuses its arrays still raises a TypeError or a ValueError, with a note that names the
    node.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(shorten(str(message), _MOST))


def short_name(name: str) -> str:
    """Shorten a name for a message."""
    return shorten(name if name.isprintable() else repr(name)[1:-1], _MOST_OF_A_NAME)


def short_repr(value: Any) -> str:
    """Show any value in a message."""
    try:
        text = _SHORT.repr(value)
    except Exception:  # noqa: BLE001  # a repr may raise anything
        text = describe(value)
    return shorten(" ".join(text.split()), _MOST_OF_A_VALUE)


class _Short(reprlib.Repr):
    """Shows the beginnings of values: no endless recursion, no huge numbers."""

    def repr_int(self, x: int, level: int) -> str:
        bits = x.bit_length()
        return super().repr_int(x, level) if bits <= 1024 else f"an integer of {bits} bits"


_SHORT = _Short()
_SHORT.maxlevel = 4
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = _MOST_OF_A_NAME
