"""Checks of errors: wrong dtypes, shapes, types and settings are refused by the argument's name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from anomaly_kernels.testing.agreement import ONE, Seen, fail, nothing, total
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.trees import Arrays


def integers(case: Case) -> Seen:
    """Integer and boolean values where floats are meant are a TypeError naming the argument; 0-d ones are numbers."""
    names = [name for name in case.floats if name in case.positional and case.leaves[name].ndim]
    if not names:
        return nothing("it takes no array of floats")
    return total(
        _expect_error(
            case,
            {**case.arrays(), name: case.driver.array(np.ones(case.leaves[name].shape, dtype))},
            [name],
            f"integers: `{name}` in {dtype}",
            TypeError,
        )
        for name in names
        for dtype in ("int32", "bool")
    )


def shapes(case: Case) -> Seen:
    """Compared arrays of unequal length are a ValueError naming one of them."""
    batched, seen = case.batched, Seen()
    if len(batched) < 2:
        return nothing("it compares no arrays")
    for name in batched:
        x = case.leaves[name]
        arrays = {**case.arrays(), name: case.driver.array(np.concatenate([x, x[:1]]))}
        seen += _expect_error(case, arrays, batched, f"shapes: `{name}` one longer", ValueError)
    return seen


def empty(case: Case) -> Seen:
    """An empty batch, which leaves nothing to average over, is a ValueError naming an argument."""
    averages = all(x.ndim == 0 for x in case.expected.values()) and case.settings.get("reduction") != "sum"
    if not averages or not case.batched:
        return nothing("it does not average over a batch")
    arrays = {**case.arrays(), **{name: case.driver.array(case.leaves[name][:0]) for name in case.batched}}
    return _expect_error(case, arrays, case.batched, "empty: a batch of no samples", ValueError)


def foreign(case: Case) -> Seen:
    """Lists, and arrays of two libraries at once, are a TypeError naming an argument."""
    seen = Seen()
    plain = [name for name in case.inputs if name in case.leaves and case.leaves[name].ndim]
    if not plain:
        return nothing("it takes no array")
    for name in plain:
        listed = {**case.arrays(), name: case.leaves[name].tolist()}
        seen += _expect_error(case, listed, [name], f"foreign: `{name}` as a list", TypeError)
    other = np.ma.masked_array if case.driver.name == "numpy" else np.asarray
    for name in plain if len(case.inputs) > 1 else ():
        mixed = {**case.arrays(), name: other(case.leaves[name])}
        seen += _expect_error(case, mixed, [name], f"foreign: `{name}` of another library", TypeError)
    return seen


def settings(case: Case) -> Seen:
    """Settings go by name alone, and a reduction that does not exist is refused."""
    parameters = inspect.signature(case.function).parameters
    positional = {name: p.default for name, p in parameters.items() if p.kind is not p.KEYWORD_ONLY}
    if by_position := [name for name, default in positional.items() if default not in (inspect.Parameter.empty, None)]:
        raise fail(case, f"settings: {', '.join(by_position)} can be given by position")
    if len(positional) == len(parameters):
        return nothing("it has no settings")
    seen = Seen(len(parameters) - len(positional))
    if "reduction" in parameters:
        for value, error in (("median", ValueError), (3, TypeError)):
            changed = replace(case, settings={**case.settings, "reduction": value})
            seen += _expect_error(changed, case.arrays(), ["reduction"], f"settings: reduction={value!r}", error)
    return seen


def _expect_error(case: Case, arrays: Arrays, names: Sequence[str], what: str, error: type[Exception]) -> Seen:
    """Raise unless the call raises the error, with one of the arguments' names in the message."""
    expected = f"{error.__name__} naming {' or '.join(f'`{name}`' for name in names)}"
    try:
        case.call(arrays)
    except Exception as caught:
        if not isinstance(caught, error) or not any(re.search(rf"\b{name}\b", str(caught)) for name in names):
            raise fail(case, f"{what}: expected a {expected}, got {type(caught).__name__}: {caught}") from caught
    else:
        raise fail(case, f"{what}: accepted, expected a {expected}")
    return ONE
