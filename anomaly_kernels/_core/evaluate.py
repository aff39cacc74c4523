"""Formulas that kernels hand over to be evaluated: values, slopes and sums; and their mean, times a weight.

A library evaluates them in its own way (`backends/`): as the plain expression, in blocks that fit the cache, or with
the slope of each block in the backward pass. A formula takes whole arrays and parts of them alike.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from anomaly_kernels._core.checks import cast, choice, matches, not_empty, number, shape_of, shown
from anomaly_kernels._core.typing import Array, DType, Namespace, Reduction, Setting

Slopes = Sequence[Callable[[], Array]]
"""For each argument a function that gives the derivative by it; only those that are needed are called."""


class Formula(NamedTuple):
    """A value for each element, or for each sample, to be returned as they are, summed or averaged.

    Its functions take the namespace and the arguments: first the arrays, which may be cut into blocks, then those that
    are always whole, such as a centre. Large arrays are cut along their first axes, so a value may depend on one
    sample alone, and all axes that it sums over are `inner`. Beside `values` and `inner` nothing is needed: the others
    save time and memory, and must agree with them.

    Attributes
    ----------
    values : callable
        ``(xp, *arguments)``: a value for each element, or, with `inner`, for each sample.
    slopes : callable, optional
        ``(xp, *arguments)``: for each argument a function of nothing, the derivative of the sum of the values by it.
        Without them the library differentiates.
    inner : int, default 0
        Over how many of the last axes `values` has summed; they are never cut.
    reduced : callable, optional
        ``(xp, how, *arguments)``: the "mean" or the "sum" in fewer operations than by the values.
    total : callable, optional
        ``(xp, *arguments)``: the sum of the values of a block, in fewer operations.
    blocks : number, default 1
        How many blocks of the usual size to evaluate at a time: more where there are few temporaries.
    casts : bool, default False
        Whether `values` casts by itself, since it hands its arrays on to another formula.
    growth : number, default 1
        How many numbers it makes of one number of the first array: N/D where a sample of D numbers meets N others.

    Examples
    --------
    >>> ABSOLUTE_ERROR = Formula(values=lambda xp, x, y: xp.abs(x - y))
    """

    values: Callable[..., Array]
    slopes: Callable[..., Slopes] | None = None
    """Derivatives of the sum of the values by each argument. Without them the library differentiates."""
    inner: int = 0
    """Over how many of the last axes `values` has summed; they are never cut."""
    reduced: Callable[..., Array] | None = None
    """``(xp, how, *arguments)``: the "mean" or the "sum" in fewer operations than by the values."""
    total: Callable[..., Array] | None = None
    """``(xp, *arguments)``: the sum of a block, in fewer operations than by the values."""
    blocks: float = 1
    """How many blocks of the usual size to evaluate at a time: more where there are few temporaries."""
    casts: bool = False
    """Whether `values` casts by itself, for it hands its arrays on to another formula."""
    growth: float = 1
    """How many numbers it makes of one number of the first array: N/D where a sample of D numbers meets N others."""

    def plain(self, xp: Namespace, how: str, /, *arguments: Array) -> Array:
        """The mean or the sum of the values."""
        if self.reduced is not None:
            return self.reduced(xp, how, *arguments)
        values = self.values(xp, *arguments)
        return xp.mean(values) if how == "mean" else xp.sum(values)

    def sums(self, xp: Namespace, /, *arguments: Array) -> tuple[Array]:
        """The sum of the values, the only one that there is."""
        return (self.plain(xp, "sum", *arguments) if self.total is None else self.total(xp, *arguments),)

    def gradients(self, xp: Namespace, upstream: Sequence[Array], /, *arguments: Array) -> tuple[Slopes, Setting]:
        """Derivatives by the arguments, and the factor that is still missing in each of them."""
        return typing.cast(Callable[..., Slopes], self.slopes)(xp, *arguments), upstream[0]


class Sums(NamedTuple):
    """Several sums over the same arrays, from which a kernel makes its result."""

    sums: Callable[..., tuple[Array, ...]]
    slopes: Callable[..., Slopes] | None = None
    """``(xp, upstream, *arguments)``: Σ upstreamⱼ · ∂sumⱼ/∂argument for each argument."""
    inner: int = 0
    blocks: float = 1
    growth: float = 1

    def gradients(self, xp: Namespace, upstream: Sequence[Array], /, *arguments: Array) -> tuple[Slopes, Setting]:
        """Derivatives by the arguments, with no factor missing."""
        return typing.cast(Callable[..., Slopes], self.slopes)(xp, upstream, *arguments), 1.0


F = TypeVar("F", Formula, Sums)


def meeting(formula: F, n: int | None, d: int | None) -> F:
    """A formula in which rows of D numbers meet N others: blocks of at least 64 rows, in memory for rows · N."""
    return formula if n is None or d is None else formula._replace(blocks=max(4.0, n / 1024), growth=n / d)


def making(numbers: int, sums: Sums) -> Sums:
    """Sums that are arrays of so many numbers, of blocks so large that their sums are small beside them."""
    return sums._replace(blocks=max(sums.blocks, numbers / 8192))


def reduce(
    xp: Namespace,
    dtype: DType,
    formula: Formula,
    arrays: Mapping[str, Array],
    *whole: Setting,
    weight: Setting = 1.0,
    reduction: Reduction = "mean",
    sample_weight: Array | None = None,
) -> Array:
    """Return weight · the mean, the sum or all of the values of a formula.

    Parameters
    ----------
    xp, dtype
        What `inputs` returned.
    formula : Formula
        What to evaluate, in the way that is fastest in the library: as it is, in blocks, with its own slopes.
    arrays : mapping
        The arrays by argument name, in the order in which the formula takes them; the first has the full shape.
    *whole : number or array
        What else the formula takes.
    weight : number or 0-d array
        Factor of the result.
    reduction : {"mean", "sum", "none"}
        Over all values.
    sample_weight : array, optional
        A factor for each value, or for each sample, before the reduction.

    Returns
    -------
    array
        0-d, or with ``"none"`` one value per element or sample.

    Raises
    ------
    ValueError
        If `reduction` is none of these, there is nothing to average over, or the weights have another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from anomaly_kernels.authoring import inputs
    >>> x, y = np.asarray([1.0, 2.0]), np.asarray([0.0, 5.0])
    >>> ABSOLUTE_ERROR = Formula(values=lambda xp, x, y: xp.abs(x - y))
    >>> float(reduce(*inputs(x=x, y=y), ABSOLUTE_ERROR, {"x": x, "y": y}, reduction="sum"))
    4.0
    """
    if reduction != "mean":
        choice("reduction", reduction, ("mean", "sum", "none"))
    for name, x in arrays.items():
        if 0 in x.shape and (reduction == "mean" or 0 in x.shape[len(x.shape) - formula.inner :]):
            not_empty(**{name: x})
    parts = tuple(arrays.values())
    if sample_weight is not None:
        values = xp.evaluate(formula, dtype, parts, whole)
        result = xp.reduce_by(reduction, values * _of_samples(xp, dtype, sample_weight, values))
    elif reduction == "none":
        result = xp.evaluate(formula, dtype, parts, whole)
    else:
        result = xp.reduce(reduction, formula, dtype, parts, whole)
    if type(weight) is float and weight == 1.0:  # as `weigh`, whose call a small call would notice
        return result
    return weigh(xp, dtype, weight, result)


def _of_samples(xp: Namespace, dtype: DType, sample_weight: Array, values: Array) -> Array:
    """Weights (B,), or one for each value, with axes of size 1 for those that they lack."""
    shape, whole = shape_of(sample_weight), shape_of(values)
    if not matches(shape, whole) and not matches(shape, whole[:1]):
        each = " or ".join(dict.fromkeys(shown(x) for x in (whole[:1], whole)))
        raise ValueError(f"`sample_weight` must have shape {each}, as the losses have, got {shown(shape)}")
    weights = cast(xp, dtype, sample_weight)
    for _ in range(len(whole) - len(shape)):
        weights = xp.expand_dims(weights, axis=-1)
    return weights


def weigh(xp: Namespace, dtype: DType, weight: Setting, x: Array, name: str = "weight") -> Array:
    """Return weight · x.

    Parameters
    ----------
    xp, dtype
        What `inputs` returned.
    weight : number or 0-d array
        The factor.
    x : array
        What is multiplied; returned as it is where the weight is 1.
    name : str
        The argument name of the weight.

    Returns
    -------
    array
        The product.

    Raises
    ------
    TypeError, ValueError
        If the weight is no number and no 0-d array, as `number` says.
    """
    if type(weight) is not float or weight != weight:
        weight = number(name, weight, xp, dtype)
    return x if type(weight) is float and weight == 1.0 else weight * x
