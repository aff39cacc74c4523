"""``anomaly-kernels list``: print every function with its arguments and its formula, from its docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from itertools import groupby
from typing import Any

from anomaly_kernels._catalogue import CATALOGUE
from anomaly_kernels._cli.formula import as_text


def run() -> int:
    """Print every function; 0, as it cannot fail."""
    for package, entries in groupby(CATALOGUE, key=lambda entry: entry.package):
        print(f"{package.upper()}\n")
        for function in (entry.kernel for entry in entries):
            print(f"{function.__name__}{arguments(function)}\n    {summary(function)}\n    {formula(function)}\n")
    return 0


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
