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
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal

import anomaly_kernels
from anomaly_kernels._core.typing import Array, Items

PACKAGE = Path(__file__).resolve().parent.parent / "anomaly_kernels"
STUBS = ("torch.losses", "torch.metrics", "keras.losses", "keras.metrics", "jax", "jax.metrics")
FIRST = '"""{doc}"""\n\n# Written by tests/stubs.py: `make stubs`.\n'
HEADS = {
    "torch.losses": """
from collections.abc import Callable, Sequence
from typing import Any, Literal, SupportsIndex

import numpy as np
from torch import Tensor

from anomaly_kernels._core.typing import Items
from anomaly_kernels.torch._base import Loss
from anomaly_kernels.torch._svdd import SoftBoundary

Array = Tensor | np.ndarray[Any, Any]
Setting = float | Array
""",
    "jax": """
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, SupportsIndex

from jax import Array
from jax import Array as Tensor

from anomaly_kernels._core.typing import Items
{others}
Setting = float | Array
""",
    "keras.losses": """
from collections.abc import Callable, Sequence
from typing import Any, Literal, SupportsIndex, overload

import keras
import numpy as np

from anomaly_kernels._core.typing import Items
from anomaly_kernels.keras._base import EndpointLayer, Loss, Regularizer

Tensor = Any
Array = Any
Setting = float | keras.Variable | np.ndarray[Any, Any]
""",
    "torch.metrics": """
from typing import Any, NamedTuple

import torchmetrics
from torch import Tensor

from anomaly_kernels._classes.learner import Learner

Setting = float | Tensor


class Metric(Learner, torchmetrics.Metric):
    @property
    def state(self) -> Any: ...
    def update(self, *arrays: Any, **named: Any) -> None: ...
    def compute(self) -> Any: ...
""",
    "keras.metrics": """
from typing import Any

import keras

from anomaly_kernels.keras._base import KerasLearner

Tensor = Any
Setting = float | keras.Variable


class Metric(KerasLearner, keras.metrics.Metric):
    def update_state(self, y_true: Tensor, y_pred: Tensor = None, sample_weight: Tensor | None = None) -> None: ...
""",
    "jax.metrics": """
from typing import Any, Literal, NamedTuple, Self

from jax import Array as Tensor

Setting = float | Tensor


class Metric:
    @property
    def state(self) -> Any: ...
    def merge(self, other: Self) -> Self: ...
    def over(self, axis_name: str) -> Self: ...
""",
}
# parameters of the frameworks' own, and of the class that takes losses in place of settings
OWN_TYPES = {
    "name": "str | None",
    "reduction": "str | None",
    "trainable": "bool",
    "autocast": "bool",
    "threshold": "float | None",
    "components": "int | None",
    "weighted": "bool",
    "scores": "Literal['histogram', 'exact'] | None",
}
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


def listed(parameters: Iterable[inspect.Parameter], kind_of: Callable[[str], str]) -> list[str]:
    """Parameters with their types and defaults."""
    parts: list[str] = []
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        parts.append(f"{parameter.name}: {kind_of(parameter.name)}{default}")
    return parts


def constructor(cls: type, *more: str) -> str:
    """The parameters of a class's constructor, and more keywords that it takes."""
    kinds, own = typing.get_type_hints(cls.kernel), getattr(cls, "own_parameters", {})
    parameters = inspect.signature(cls).parameters.values()
    parts = listed(parameters, lambda name: OWN_TYPES.get(name, "Any") if name in own else written(kinds[name]))
    if more and "*" not in parts:
        parts.append("*")
    return ", ".join(["self", *parts, *(f"{name}: Any = ..." for name in more)])


def call(function: Callable[..., Any]) -> str:
    """The arrays of a call, without their library's name."""
    parameters = inspect.signature(function).parameters.values()
    arrays = [p for p in parameters if p.name != "self" and p.kind is not p.KEYWORD_ONLY]
    return ", ".join(f"{p.name}: Tensor" + ("" if p.default is p.empty else " | None = None") for p in arrays)


def loss(framework: str, cls: type) -> Iterator[str]:
    """The constructor and the call of a loss."""
    if (framework, cls.__name__) in ALTERNATIVES:
        yield f"@overload\ndef __init__(self, {ALTERNATIVES[framework, cls.__name__]}) -> None: ...\n@overload"
    yield f"def __init__({constructor(cls)}) -> None: ..."
    if framework == "torch":
        yield f"def forward(self, {call(cls.forward)}) -> Tensor: ..."
        yield f"def __call__(self, {call(cls.forward)}) -> Tensor: ..."
    for name in ("call", "__call__", "init_radius"):
        if name in vars(cls):
            yield f"def {name}(self, {call(vars(cls)[name])}) -> Tensor: ..."
    kinds = typing.get_type_hints(cls.kernel)
    for name in cls.settings:
        yield f"{name}: {written(kinds[name])}"
    if framework == "keras" and cls.__name__ == "DeepSVDDSoftBoundaryLoss":
        yield "r_unconstrained: keras.Variable\n@property\ndef radius(self) -> Tensor: ..."


def metric(framework: str, cls: type) -> Iterator[str]:
    """The constructor of a metric, what it takes in and what comes out."""
    result = typing.get_type_hints(cls.kernel)["return"]
    one = result is Array
    if not one and framework != "keras":  # of the framework's own tensors, which the kernel's does not say
        fields = typing.get_type_hints(result).items()
        yield "class Result(NamedTuple):\n" + "\n".join(
            f"    {name}: Tensor" + (" | None" if NoneType in typing.get_args(kind) else "") for name, kind in fields
        )
    computed = "Tensor" if one else "Result"
    if framework == "torch":
        yield f"def __init__({constructor(cls, *import_module(cls.__module__).KEYWORDS)}) -> None: ..."
        yield f"def update(self, {call(cls.update)}) -> None: ..."
        yield f"def forward(self, {call(cls.update)}) -> {computed}: ..."
        yield f"def __call__(self, {call(cls.update)}) -> {computed}: ..."
        yield f"def compute(self) -> {computed}: ..."
    elif framework == "keras":
        yield f"def __init__({constructor(cls)}) -> None: ..."
        yield f"def result(self) -> {'Tensor' if one else 'dict[str, Tensor]'}: ..."
    else:
        settings = constructor(cls)
        yield f"def __init__({settings}) -> None: ..."
        yield f"@classmethod\ndef empty({settings.replace('self', 'cls', 1)}) -> Self: ..."
        weighed = "sample_weight" in inspect.signature(cls.update).parameters
        arrays = call(cls.kernel) + ", *, sample_weight: Tensor | None = None" * weighed
        yield f"def update(self, {arrays}) -> Self: ..."
        yield f"def compute(self) -> {computed}: ..."


def function(kernel: Callable[..., Any]) -> str:
    """A kernel of the library as JAX's own."""
    kinds = typing.get_type_hints(kernel)
    parts = listed(inspect.signature(kernel).parameters.values(), lambda name: written(kinds[name]))
    documented = textwrap.indent(f'r"""{inspect.getdoc(kernel).rstrip()}\n"""', "    ", lambda line: line.strip() != "")
    return f"\n\ndef {kernel.__name__}({', '.join(parts)}) -> {written(kinds['return'])}:\n{documented}\n    ...\n"


def stub(module_name: str) -> str:
    """The text of a module's stub."""
    framework, _, kind = module_name.partition(".")
    os.environ.setdefault("KERAS_BACKEND", "jax")
    module = import_module(f"anomaly_kernels.{module_name}")
    text = FIRST.format(doc=module.__doc__)
    text += HEADS[module_name]
    if not kind:
        kernels = [getattr(anomaly_kernels, name) for name in module.FUNCTIONS]
        classes = [getattr(module, name) for name in module.__all__ if name not in module.FUNCTIONS]
        others = {*classes, *(typing.get_type_hints(kernel)["return"] for kernel in kernels)} - {Array}
        names = sorted((other.__module__, other.__name__) for other in others)
        imports = "".join(f"from {home} import {name} as {name}\n" for home, name in names)
        return text.replace("{others}", imports) + "".join(map(function, kernels))
    members = loss if kind == "losses" else metric
    for cls in vars(module).values():
        if isinstance(cls, type) and cls.__module__ == module.__name__ and hasattr(cls, "kernel"):
            base = cls.__base__.__name__ if kind == "losses" else "Metric"
            text += f"\n\nclass {cls.__name__}({base}):\n"
            text += textwrap.indent(
                f'r"""{inspect.getdoc(cls).rstrip()}\n"""\n\n', "    ", lambda line: line.strip() != ""
            )
            text += textwrap.indent("\n".join(members(framework, cls)), "    ") + "\n"
    return text


def main(arguments: list[str]) -> int:
    """Write or check all stubs, or print the one of the module named."""
    if arguments and arguments[0] in STUBS:
        sys.stdout.write(stub(arguments[0]))
        return 0
    stale = []
    for module in STUBS:
        path = f"{module.replace('.', '/')}.pyi" if "." in module else f"{module}/__init__.pyi"
        made = subprocess.run(
            [sys.executable, __file__, module], stdout=subprocess.PIPE, text=True, check=True, cwd=PACKAGE.parent
        ).stdout
        if not (PACKAGE / path).exists() or made != (PACKAGE / path).read_text():
            stale.append(path)
            if "--check" not in arguments:
                (PACKAGE / path).write_text(made)
    print(f"{'stale' if '--check' in arguments else 'written'}: {', '.join(stale) or 'none'}")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
