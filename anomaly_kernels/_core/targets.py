"""Checks of numbers in targets, decisions and weights of samples, where these can be looked at: eager, on the CPU.

They are looked at by NumPy, which shares their memory. NaN passes: it makes the result NaN.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn

from anomaly_kernels._core.checks import is_real
from anomaly_kernels._core.typing import Array, Namespace


def check_target(xp: Namespace, target: Array, name: str = "target") -> None:
    """Raise unless a target of a metric is boolean, or of whole numbers from 0 on, of which 0 alone means normal.

    Parameters
    ----------
    xp : namespace
        Of the array.
    target : array
        Looked at where that is possible: eagerly, on the CPU.
    name : str
        What the argument is called.

    Raises
    ------
    ValueError
        If a number is negative, or a fraction.
    """
    if target.dtype == xp.bool or (x := xp.peek(target)) is None or not x.size:
        return
    if x.dtype.kind != "u" and not x.min() >= 0 and (x < 0).any():
        _refuse(name, x[x < 0], f"use `{name} > 0`, or `{name} < 0` if -1 is the anomaly")
    if x.dtype.kind not in "iu" and (fractions := (x != x.round()) & (x == x)).any():
        _refuse(name, x[fractions], "arguments swapped, or soft labels, to be compared with a threshold?")


def check_decision(xp: Namespace, decision: Array, name: str = "decision") -> None:
    """Raise unless a decision is boolean, or of whole numbers from 0 on; a real one is 0 or 1, or it is a score."""
    if decision.dtype == xp.bool or (x := xp.peek(decision)) is None or not x.size:
        return
    if x.dtype.kind == "i" and x.min() < 0:
        _refuse(name, x[x < 0], f"use `{name} > 0`")
    if x.dtype.kind not in "iu" and (others := (x != 0) & (x != 1) & (x == x)).any():
        _refuse(name, x[others], "scores given for decisions? compare them with a threshold")


def check_mask(xp: Namespace, target: Array) -> None:
    """Raise unless a target of a loss is 0 or 1 where it is of integers; real ones are soft labels.

    Parameters
    ----------
    xp : namespace
        Of the array.
    target : array
        Looked at where that is possible: eagerly, on the CPU.

    Raises
    ------
    ValueError
        If an integer is another one.
    """
    if target.dtype in (xp.bool, xp.float32, xp.float64) or (x := xp.peek(target)) is None:
        return
    if x.dtype.kind in "iu" and x.size and (x.min() < 0 or x.max() > 1):
        wrong = x[(x < 0) | (x > 1)][0]
        raise ValueError(f"`target` must be 0 or 1 where it is of integers, got {wrong}: use `target > 0`")


def check_sign(xp: Namespace, target: Array) -> None:
    """Raise unless a target that may say "known to be normal" is -1, 0 or 1 where it is of integers."""
    if target.dtype in (xp.bool, xp.float32, xp.float64) or (x := xp.peek(target)) is None:
        return
    if x.dtype.kind in "iu" and x.size and (x.min() < -1 or x.max() > 1):
        expected = "1 (a known anomaly), 0 (unlabelled) or -1 (known to be normal)"
        raise ValueError(f"`target` must be {expected} where it is of integers, got {x[(x < -1) | (x > 1)][0]}")


def check_nonzero(xp: Namespace, target: Array) -> None:
    """Raise unless the integers in a target of a loss are at least 0, of which 0 alone means normal."""
    if not is_real(target):
        check_target(xp, target)


def check_not_boolean(xp: Namespace, target: Array) -> None:
    """Raise where outliers, which are numbers below 0 beside classes, are given as a mask."""
    if target.dtype == xp.bool:
        raise TypeError("`target` must be classes, got booleans: use `where(outlier, -1, label)`")


def check_classes(xp: Namespace, name: str, label: Array, classes: int | None, least: float = -math.inf) -> None:
    """Raise unless labels are whole, and below the number of classes; negative ones may mean something of their own."""
    if label.dtype == xp.bool or classes is None or (x := xp.peek(label)) is None or not x.size:
        return
    if not x.max() < classes and (x >= classes).any():
        raise ValueError(f"`{name}` must be a class below {classes}, got {x[x >= classes][0]}")
    if not x.min() >= least and (x < least).any():
        raise ValueError(f"`{name}` must be a class, at least {least}, got {x[x < least][0]}")
    if x.dtype.kind not in "iu" and (fractions := (x != x.round()) & (x == x)).any():
        raise ValueError(f"`{name}` must be of whole numbers, got {x[fractions][0]}")


def check_sample_weight(xp: Namespace, weight: Array, name: str = "sample_weight") -> None:
    """Raise where a sample weighs less than nothing."""
    x = xp.peek(weight)
    if x is not None and x.size and x.dtype.kind not in "ub" and not x.min() >= 0 and (x < 0).any():
        raise ValueError(f"`{name}` must be >= 0, got {x[x < 0][0]}")


def _refuse(name: str, wrong: Any, advice: str) -> NoReturn:
    expected = "boolean, or whole numbers >= 0 of which 0 means normal"
    raise ValueError(f"`{name}` must be {expected}, got {wrong[0]}: {advice}")
