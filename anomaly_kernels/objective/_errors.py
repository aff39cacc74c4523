"""What is said of what does not fit: always in a few lines, since a file may hold a million characters."""

from __future__ import annotations

import reprlib
from typing import Any

from anomaly_kernels._core.namespace import describe

_MOST, _MOST_OF_A_NAME, _MOST_OF_A_VALUE = 500, 60, 100  # characters


class ObjectiveError(ValueError):
    """What an `Objective` raises of nodes, connections, files, inputs and parameters that do not fit.

    Errors of a loss or a metric itself, of the arrays that it is given, stay what they are: TypeError or ValueError,
    with a note that says which node it is.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(_cut(str(message), _MOST))


def named(name: str) -> str:
    """A name in a message."""
    return _cut(name if name.isprintable() else repr(name)[1:-1], _MOST_OF_A_NAME)


def shown(value: Any) -> str:
    """A value in a message, whatever it is."""
    try:
        text = _SHORT.repr(value)
    except Exception:  # noqa: BLE001  # a repr may raise anything
        text = describe(value)
    return _cut(" ".join(text.split()), _MOST_OF_A_VALUE)


def _cut(text: str, most: int) -> str:
    tail = most // 4
    return text if len(text) <= most else f"{text[: most - tail - 3]}...{text[-tail:]}"


class _Short(reprlib.Repr):
    """Reprs of the beginnings of values, which neither recur without end nor write out huge numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxstring = self.maxlong = self.maxother = _MOST_OF_A_NAME

    def repr_int(self, x: int, level: int) -> str:
        bits = x.bit_length()
        return super().repr_int(x, level) if bits <= 1024 else f"an integer of {bits} bits"


_SHORT = _Short()
