"""Activations by name, finite in value and gradient wherever their input is."""

from __future__ import annotations

import math
from collections.abc import Callable

from anomaly_kernels._core.checks import choice
from anomaly_kernels._core.typing import Array, Namespace

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805

Activation = Callable[[Namespace, Array], Array]


def _elu(xp: Namespace, x: Array, alpha: float = 1.0) -> Array:
    negative = x < 0.0
    return xp.where(negative, alpha * xp.expm1(xp.where(negative, x, 0.0)), x)


ACTIVATIONS: dict[str, Activation] = {
    "relu": lambda xp, x: xp.maximum(x, 0.0),
    "tanh": lambda xp, x: xp.tanh(x),
    "sigmoid": lambda xp, x: xp.sigmoid(x),
    "elu": _elu,
    "selu": lambda xp, x: SELU_SCALE * _elu(xp, x, SELU_ALPHA),
    "gelu": lambda xp, x: x * (0.5 + 0.5 * xp.erf(x * math.sqrt(0.5))),
    "softplus": lambda xp, x: xp.softplus(x),
    "linear": lambda _, x: x,
}


def find_activation(name: str, argument: str) -> Activation:
    """The activation of that name, or an error that names the argument."""
    choice(argument, name, tuple(ACTIVATIONS))
    return ACTIVATIONS[name]
