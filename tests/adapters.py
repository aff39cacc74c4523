"""The classes of losses, and how to call them in each framework."""

from __future__ import annotations

import importlib
import inspect
from typing import Any, NamedTuple

import numpy as np

import anomaly_kernels as ak
from anomaly_kernels._catalogue import CATALOGUE
from anomaly_kernels._classes.settings import constructor_names
from anomaly_kernels.testing.samples import Sample, variants

CLASSES = {entry.cls: entry.name for entry in CATALOGUE if entry.cls and entry.torch == "Loss"}
"""The losses that have a class, by the name of the class."""
TRUTHS = {"x_true", "y_true", "p_true", "target"}


class Variant(NamedTuple):
    """A class with settings, some of which are arrays, and the arrays to call it with, in the function's order."""

    cls: str
    kernel: Any
    arrays: dict[str, np.ndarray]
    settings: dict[str, Any]

    def made(self, framework: str, array: Any, **options: Any) -> Any:
        """An instance of the class; `array` turns NumPy into the framework's arrays."""
        cls = getattr(importlib.import_module(f"anomaly_kernels.{framework}"), self.cls)
        settings = {name: array(x) if isinstance(x, np.ndarray) else x for name, x in self.settings.items()}
        return cls(**settings, **{name: x for name, x in options.items() if name in constructor_names(cls)})

    def sample(self) -> Sample:
        """What to call the function with."""
        return Sample(self.arrays, self.settings)


def all_variants() -> dict[str, Variant]:
    """Every class with each form of its settings, with the radius of the sphere as an array among the arrays."""
    found = {}
    for cls, name in CLASSES.items():
        kernel = getattr(ak, name)
        parameters = inspect.signature(kernel).parameters
        for label, each in variants(kernel):
            arrays = {k: x for k, x in each.inputs.items() if parameters[k].kind is not inspect.Parameter.KEYWORD_ONLY}
            settings = each.settings | {k: x for k, x in each.inputs.items() if k not in arrays}
            found[f"{cls}-{label}"] = Variant(cls, kernel, arrays, settings)
    return found


def torch_names(names: list[str]) -> list[str]:
    """Names of arrays as torch's modules take them: the truth behind its prediction, or behind all that predict it."""
    if names[0] not in TRUTHS:
        return names
    given = [name for name in names if name != "sample_weight"]
    place = 2 if names[1].endswith("_pred") else len(given)
    return [*names[1:place], names[0], *names[place:]]


def torch_order(arrays: dict[str, Any]) -> list[Any]:
    """The arrays as torch's modules take them by position."""
    return [arrays[name] for name in torch_names(list(arrays))]
