"""``anomaly-kernels list``: every function with its formula and its arguments, read from where they are written."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from itertools import groupby
from typing import Any

from anomaly_kernels._catalogue import KERNELS
from anomaly_kernels._cli.formula import as_text


def run() -> int:
    """Print every function; 0, as it cannot fail."""
    for group, functions in groupby(KERNELS.values(), key=_package):
        print(f"{group.upper()}\n")
        for function in functions:
            print(f"{function.__name__}{arguments(function)}\n    {summary(function)}\n    {formula(function)}\n")
    return 0


def _package(function: Callable[..., Any]) -> str:
    return function.__module__.split(".")[1]


def arguments(function: Callable[..., Any]) -> str:
    """The arguments and their defaults, without their types."""
    signature = inspect.signature(function)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def summary(function: Callable[..., Any]) -> str:
    """The first paragraph of the docstring, on one line."""
    return " ".join(inspect.cleandoc(function.__doc__ or "").partition("\n\n")[0].split())


def formula(function: Callable[..., Any]) -> str:
    """The first ``.. math::`` block of the docstring as one line of text; empty where there is none."""
    block = re.search(r"^\.\. math::(.*(?:\n(?:[ \t]+.*)?)*)", inspect.cleandoc(function.__doc__ or ""), re.MULTILINE)
    return as_text(block[1]) if block else ""
