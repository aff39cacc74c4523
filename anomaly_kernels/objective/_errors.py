"""What is said of what does not fit."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

_MOST = 80  # characters of a value, of which a file may hold a million


class ObjectiveError(ValueError):
    """What an `Objective` raises of nodes, connections, files and inputs that do not fit."""


def nearest(name: Any, known: Iterable[str]) -> str:
    """How a message about an unknown name ends: with the nearest known one, or with all."""
    names = list(known)
    near = difflib.get_close_matches(name[:_MOST], names, n=1) if isinstance(name, str) else []
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names) or 'none'}"


def shown(value: Any) -> str:
    """A value in a message, not longer than a line."""
    text = repr(value)
    return text if len(text) <= _MOST else f"{text[: _MOST - 3]}..."
