"""Compilers that read Python, torch's Dynamo and TensorFlow's autograph: what each needs before a backend is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import numpy as np

from anomaly_kernels._core.typing import Namespace

COMPILER = "torch.compiler"
"""The module whose `is_compiling` Dynamo folds to True; not in `sys.modules` unless the user has imported torch."""


def traced_namespace() -> Namespace:
    """The namespace of what Dynamo traces. It must not see the table of types, which grows: it would compile anew."""
    from anomaly_kernels._core.backends.torch import namespace

    return cast(Namespace, namespace)


def traced_namespace_of(x: Any) -> Namespace | None:
    """The namespace of an array that Dynamo traces, None for anything else."""
    from anomaly_kernels._core.backends import numpy, torch

    if isinstance(x, np.ndarray):  # which NumPy's numbers are too, to Dynamo
        return cast(Namespace, numpy.namespace)
    return cast(Namespace, torch.namespace) if torch.is_array(type(x)) else None


def leave_unconverted(functions: Iterable[Any]) -> None:
    """Keep autograph from rewriting functions, which takes seconds and gains nothing: kernels have no branch on data.

    The mark is the one that TensorFlow's `do_not_convert` leaves; it is read before the TensorFlow backend is loaded.
    """
    for function in functions:
        function.autograph_info__ = {}
