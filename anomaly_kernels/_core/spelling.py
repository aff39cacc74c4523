"""The hint that ends a message about a name that does not exist."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from typing import Any, cast

from anomaly_kernels._core.typing import F

_MOST_NAMES, _MOST_OF_A_NAME = 8, 60  # in messages, whose names may come from a file


def suggestion(name: Any, known: Iterable[Any]) -> str:
    """How a message about an unknown name ends: with the nearest known one, or with the first of all."""
    names = [x for x in known if isinstance(x, str)]
    if near := nearest(name, names):
        return f"; did you mean `{near[:_MOST_OF_A_NAME]}`?"
    listed = ", ".join(x[:_MOST_OF_A_NAME] for x in names[:_MOST_NAMES]) or "none"
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"; there are {listed}{more}"


def nearest(name: Any, names: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """The name that is most like this one, in whatever case, if any is that much like it."""
    import difflib  # not needed before somebody is mistaken

    if not isinstance(name, str):
        return None
    by_lower_case = {x.lower(): x for x in names}
    near = difflib.get_close_matches(name[:_MOST_OF_A_NAME].lower(), by_lower_case, n=1, cutoff=likeness)
    return by_lower_case[near[0]] if near else None


def with_hint(function: F) -> F:
    """Refuse a misspelt argument with the one that was meant, which from 3.13 on Python itself does.

    Parameters
    ----------
    function : callable
        A function whose arguments all have names.

    Returns
    -------
    callable
        One that raises a TypeError with a hint.
    """
    if sys.version_info >= (3, 13):
        return function
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

    @functools.wraps(function)
    def call(*arrays: Any, **by_name: Any) -> Any:
        for name in by_name:
            if name not in names:
                raise TypeError(f"{function.__name__} has no array or setting `{name}`{suggestion(name, names)}")
        return function(*arrays, **by_name)

    return cast(F, call)
