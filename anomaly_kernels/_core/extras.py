"""What to install where a framework is missing."""

from __future__ import annotations

import importlib


def need(package: str, by: str, *others: str, extra: str | None = None) -> None:
    """Import a package, or say which extra of this library installs it, or which of `others`, which it needs.

    An extra has the name of the package, unless another one is given.
    """
    try:
        importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name not in (package, *others):
            raise
        message = f"`{by}` needs {error.name}: pip install 'anomaly-kernels[{extra or error.name}]'"
        raise ModuleNotFoundError(message, name=error.name) from error
