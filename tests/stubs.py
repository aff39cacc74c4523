"""Writes the stubs of the adapters, which show editors and type checkers the parameters that come from the kernels.

    python tests/stubs.py [--check]

With --check nothing is written, and the exit status is 1 if a stub is not what it would be. Classes are read from a
process of their own for each framework, since TensorFlow and torch do not share one.
"""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import textwrap
import typing
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal

from anomaly_kernels._metric_forms import FORMS
from anomaly_kernels._typing import Array, Items

PACKAGE = Path(__file__).resolve().parent.parent / "anomaly_kernels"
STUBS = {"torch": "torch/losses.pyi", "keras": "keras/losses.pyi", "jax": "jax/__init__.pyi"}
FIRST = '"""{doc}"""\n\n# Written by tests/stubs.py: `make stubs`.\n'
HEADS = {
    "torch": """
from collections.abc import Callable, Sequence
from typing import Any, Literal, SupportsIndex

import numpy as np
from torch import Tensor

from anomaly_kernels._typing import Items
from anomaly_kernels.torch._base import Loss
from anomaly_kernels.torch._svdd import SoftBoundary

Array = Tensor | np.ndarray[Any, Any]
Setting = float | Array
""",
    "keras": """
from collections.abc import Callable, Sequence
from typing import Any, Literal, SupportsIndex, overload

import keras
import numpy as np

from anomaly_kernels._typing import Items
from anomaly_kernels.keras._base import EndpointLayer, Loss, Regularizer

Tensor = Any
Array = Any
Setting = float | keras.Variable | np.ndarray[Any, Any]
""",
}
# parameters of Keras' own, and of the class that takes losses in place of settings
KERAS_TYPES = {"name": "str | None", "reduction": "str | None", "trainable": "bool", "autocast": "bool"}
ALTERNATIVES = {
    ("keras", "MultiObjectiveLoss"): "quantile_loss_fn: AdaptiveQuantileLoss, anomaly_loss_fn: AnomalyLoss = ..., *, "
    "name: str | None = None, trainable: bool = True, dtype: Any = None, activity_regularizer: Any = None, "
    "autocast: bool = False"
}


def written(annotation: Any) -> str:
    """An annotation of a kernel as the stub has it."""
    options, origin = typing.get_args(annotation), typing.get_origin(annotation)
    if annotation is Array:
        return "Array"
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, options))}]"
    if origin in (typing.Union, UnionType):
        if set(options) == {int, float}:
            return "float"
        number = Array in options and float in options
        rest = [option for option in options if not (number and option in (int, float, Array))]
        return " | ".join(["Setting"] * number + [written(option) for option in rest])
    if origin is Callable:
        return "Callable[[Any], Tensor]"
    if origin in (Items, Sequence, tuple):
        inner = written(options[0])
        return f"tuple[{inner}, ...]" if origin is tuple else f"{origin.__name__}[{inner}]"
    return "None" if annotation is NoneType else annotation.__name__ if isinstance(annotation, type) else "Any"


def constructor(cls: type) -> str:
    """The parameters of a class's constructor."""
    kinds = typing.get_type_hints(cls.kernel)
    parts = []
    for name, parameter in inspect.signature(cls).parameters.items():
        kind = KERAS_TYPES.get(name, "Any") if name in getattr(cls, "own_parameters", {}) else written(kinds[name])
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        parts.append(f"{name}: {kind}" + ("" if parameter.default is parameter.empty else f" = {parameter.default!r}"))
    return ", ".join(parts)


def call(function: Callable[..., Any]) -> str:
    """The arrays of a call, without their library's name."""
    parameters = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
    return ", ".join(f"{p.name}: Tensor" + ("" if p.default is p.empty else " | None = None") for p in parameters)


def methods(framework: str, cls: type) -> Iterator[str]:
    """The constructor and the call of a class."""
    if (framework, cls.__name__) in ALTERNATIVES:
        yield f"@overload\ndef __init__(self, {ALTERNATIVES[framework, cls.__name__]}) -> None: ...\n@overload"
    yield f"def __init__(self, {constructor(cls)}) -> None: ..."
    if framework == "torch":
        yield f"def forward(self, {call(cls.forward)}) -> Tensor: ..."
        yield f"def __call__(self, {call(cls.forward)}) -> Tensor: ..."
    for name in ("call", "__call__", "init_radius"):
        if name in vars(cls):
            yield f"def {name}(self, {call(vars(cls)[name])}) -> Tensor: ..."


def stub(framework: str) -> str:
    """The text of a framework's stub."""
    if framework == "jax":
        return jax_stub()
    os.environ.setdefault("KERAS_BACKEND", "jax")
    module = import_module(f"anomaly_kernels.{framework}.losses")
    text = FIRST.format(doc=module.__doc__) + HEADS[framework]
    for cls in vars(module).values():
        if isinstance(cls, type) and cls.__module__ == module.__name__:
            text += f"\n\nclass {cls.__name__}({cls.__base__.__name__}):\n"
            text += textwrap.indent(
                f'r"""{inspect.getdoc(cls).rstrip()}\n"""\n\n', "    ", lambda line: line.strip() != ""
            )
            text += textwrap.indent("\n".join(methods(framework, cls)), "    ") + "\n"
            if framework == "keras" and cls.__name__ == "DeepSVDDSoftBoundaryLoss":
                text += "    r_unconstrained: keras.Variable\n    @property\n    def radius(self) -> Tensor: ...\n"
    return text


def jax_stub() -> str:
    """JAX's functions have the kernels' own signatures."""
    module = import_module("anomaly_kernels.jax")
    homes = dict.fromkeys(FORMS, "anomaly_kernels.jax.metrics")
    lines = [f"from {homes.get(name, 'anomaly_kernels')} import {name} as {name}" for name in sorted(module.__all__)]
    return FIRST.format(doc=module.__doc__) + "\n" + "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write or check all stubs, or print the one of the framework named."""
    if arguments and arguments[0] in STUBS:
        sys.stdout.write(stub(arguments[0]))
        return 0
    stale = []
    for framework, path in STUBS.items():
        made = subprocess.run(
            [sys.executable, __file__, framework], stdout=subprocess.PIPE, text=True, check=True, cwd=PACKAGE.parent
        ).stdout
        if not (PACKAGE / path).exists() or made != (PACKAGE / path).read_text():
            stale.append(path)
            if "--check" not in arguments:
                (PACKAGE / path).write_text(made)
    print(f"{'stale' if '--check' in arguments else 'written'}: {', '.join(stale) or 'none'}")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
