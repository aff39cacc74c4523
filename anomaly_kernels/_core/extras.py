"""What to install where a framework is missing."""

from __future__ import annotations

import importlib

_EXTRAS = ("jax", "keras", "tensorflow", "torch", "torchmetrics")
"""Packages that are extras of the same name."""


def need(package: str, by: str) -> None:
    """Import a package, or raise which extra of this library installs it, or what it needs itself."""
    try:
        importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name not in _EXTRAS:
            raise
        message = f"`{by}` needs {error.name}: pip install 'anomaly-kernels[{error.name}]'"
        raise ModuleNotFoundError(message, name=error.name) from error
