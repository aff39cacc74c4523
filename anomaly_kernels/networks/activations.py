"""Activations by name, finite in value and gradient wherever their input is."""

from __future__ import annotations

import math
from collections.abc import Callable

from anomaly_kernels._core.checks import choice
from anomaly_kernels._core.typing import Array, Namespace

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805

Activation = Callable[[Namespace, Array], Array]


def _relu(xp: Namespace, x: Array) -> Array:
    return xp.maximum(x, 0.0)


def _elu(xp: Namespace, x: Array) -> Array:
    negative = x < 0.0
    return xp.where(negative, xp.expm1(xp.where(negative, x, 0.0)), x)


def _selu(xp: Namespace, x: Array) -> Array:
    negative = x < 0.0
    return SELU_SCALE * xp.where(negative, SELU_ALPHA * xp.expm1(xp.where(negative, x, 0.0)), x)


def _linear(_: Namespace, x: Array) -> Array:
    return x


def _gelu(xp: Namespace, x: Array) -> Array:
    return x * (0.5 + 0.5 * xp.erf(x * math.sqrt(0.5)))


ACTIVATIONS: dict[str, Activation] = {
    "relu": _relu,
    "tanh": lambda xp, x: xp.tanh(x),
    "sigmoid": lambda xp, x: xp.sigmoid(x),
    "elu": _elu,
    "selu": _selu,
    "gelu": _gelu,
    "softplus": lambda xp, x: xp.softplus(x),
    "linear": _linear,
}


def find_activation(name: str, argument: str) -> Activation:
    """The activation of that name, or an error that names the argument."""
    choice(argument, name, tuple(ACTIVATIONS))
    return ACTIVATIONS[name]
