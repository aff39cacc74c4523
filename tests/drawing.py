"""Drawn examples whose every new shape JAX compiles anew, for each of their operations: fewer, and of few lengths."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

JAX = os.environ.get("AK_LIBRARY") == "jax"


def drawn(**strategies: Any) -> Callable[[Any], Any]:
    """As `given`; for JAX a third of the examples."""
    share = 3 if JAX else 1

    def decorate(test: Any) -> Any:
        return settings(max_examples=max(1, settings.default.max_examples // share))(given(**strategies)(test))

    return decorate


def lists_of(elements: st.SearchStrategy[Any], max_size: int) -> st.SearchStrategy[list[Any]]:
    """Lists of any length from 1 on; for JAX of the length 1, the longest, or one between."""
    if not JAX:
        return st.lists(elements, min_size=1, max_size=max_size)
    lengths = st.sampled_from([max_size // 2, max_size, 1])
    return lengths.flatmap(lambda n: st.lists(elements, min_size=n, max_size=n))


def places(max_size: int) -> st.SearchStrategy[int]:
    """Where to cut such a list: anywhere; for JAX at its start, its quarter or its half."""
    return st.sampled_from([0, max_size // 4, max_size // 2]) if JAX else st.integers(0, max_size)
