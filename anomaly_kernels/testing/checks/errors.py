"""Checks of errors: wrong dtypes, shapes, types and settings are refused by the argument's name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from anomaly_kernels.testing.agreement import fail
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.trees import Arrays


def integers(case: Case) -> None:
    """Integer and boolean values where floats are meant are a TypeError naming the argument; 0-d ones are numbers."""
    for name in [name for name in case.floats if name in case.positional and case.leaves[name].ndim]:
        for dtype in ("int32", "bool"):
            arrays = {**case.arrays(), name: case.driver.array(np.ones(case.leaves[name].shape, dtype))}
            _expect_error(case, arrays, [name], f"integers: `{name}` in {dtype}", TypeError)


def shapes(case: Case) -> None:
    """Compared arrays of unequal length are a ValueError naming one of them; so is nothing to average over."""
    batched = case.batched
    for name in batched if len(batched) > 1 else ():
        x = case.leaves[name]
        arrays = {**case.arrays(), name: case.driver.array(np.concatenate([x, x[:1]]))}
        _expect_error(case, arrays, batched, f"shapes: `{name}` one longer", ValueError)
    averages = all(x.ndim == 0 for x in case.expected.values()) and case.settings.get("reduction") != "sum"
    if averages and batched:
        arrays = {**case.arrays(), **{name: case.driver.array(case.leaves[name][:0]) for name in batched}}
        _expect_error(case, arrays, batched, "shapes: an empty batch", ValueError)


def foreign(case: Case) -> None:
    """Lists, and arrays of two libraries at once, are a TypeError naming an argument."""
    plain = [name for name in case.inputs if name in case.leaves and case.leaves[name].ndim]
    for name in plain:
        listed = {**case.arrays(), name: case.leaves[name].tolist()}
        _expect_error(case, listed, [name], f"foreign: `{name}` as a list", TypeError)
    other = np.ma.masked_array if case.driver.name == "numpy" else np.asarray
    for name in plain if len(case.inputs) > 1 else ():
        mixed = {**case.arrays(), name: other(case.leaves[name])}
        _expect_error(case, mixed, [name], f"foreign: `{name}` of another library", TypeError)


def settings(case: Case) -> None:
    """Settings go by name alone, and a reduction that does not exist is refused."""
    parameters = inspect.signature(case.function).parameters
    positional = {name: p.default for name, p in parameters.items() if p.kind is not p.KEYWORD_ONLY}
    if by_position := [name for name, default in positional.items() if default not in (inspect.Parameter.empty, None)]:
        raise fail(case, f"settings: {', '.join(by_position)} can be given by position")
    if "reduction" in parameters:
        for value, error in (("median", ValueError), (3, TypeError)):
            changed = replace(case, settings={**case.settings, "reduction": value})
            _expect_error(changed, case.arrays(), ["reduction"], f"settings: reduction={value!r}", error)


def _expect_error(case: Case, arrays: Arrays, names: Sequence[str], what: str, error: type[Exception]) -> None:
    """Raise unless the call raises the error, with one of the arguments' names in the message."""
    expected = f"{error.__name__} naming {' or '.join(f'`{name}`' for name in names)}"
    try:
        case.call(arrays)
    except Exception as caught:
        if not isinstance(caught, error) or not any(re.search(rf"\b{name}\b", str(caught)) for name in names):
            raise fail(case, f"{what}: expected a {expected}, got {type(caught).__name__}: {caught}") from caught
    else:
        raise fail(case, f"{what}: accepted, expected a {expected}")
