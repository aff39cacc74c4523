"""How many examples tests draw whose every new shape JAX compiles anew, for each of their operations."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings


def drawn(**strategies: Any) -> Callable[[Any], Any]:
    """As `given`; for JAX a third of the examples."""
    share = 3 if os.environ.get("AK_LIBRARY") == "jax" else 1

    def decorate(test: Any) -> Any:
        return settings(max_examples=max(1, settings.default.max_examples // share))(given(**strategies)(test))

    return decorate
