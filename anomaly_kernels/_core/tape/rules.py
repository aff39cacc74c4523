"""The derivative of each function of the namespace: a rule gives the slopes by its inputs."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterator
from typing import Any

from anomaly_kernels._core.checks import is_real
from anomaly_kernels._core.tape.arrays import Part, Shape, Slope
from anomaly_kernels._core.typing import Axis

# Rules: from the base, the result and the inputs to a slope for each of the inputs. Whatever is worth computing is
# computed in the slope, which is asked for the followed inputs alone. What is broadcast is summed by the sweep.


def same(g: Any) -> Any:
    return g


def _power(xp: Any, z: Any, x: Any, y: Any) -> tuple[Slope, Slope]:
    def of_base(g: Any) -> Any:
        if isinstance(y, int | float):
            return g * (y * x ** (y - 1)) if y else 0.0 * g
        none = xp.logical_and(x == 0, y == 0)  # 0⁰ is 1 whatever its base
        return g * xp.where(none, 0.0, y * x ** xp.where(none, 1.0, y - 1.0))

    def of_exponent(g: Any) -> Any:
        if isinstance(x, int | float):
            return g * z * (math.log(x) if x > 0 else 0.0 if x == 0 else math.nan)
        return g * z * xp.log(xp.where(xp.logical_and(x == 0, y >= 0), 1.0, x))

    return of_base, of_exponent


def _getitem(xp: Any, _: Any, x: Any, key: Any) -> tuple[Slope]:
    whole = key if isinstance(key, tuple) else (key,)
    if any(isinstance(k, list) or (hasattr(k, "shape") and "bool" not in str(k.dtype)) for k in whole):
        return (_taking(xp, x, operator.itemgetter(key)),)
    if all(k is not None for k in whole) or any(hasattr(k, "shape") for k in whole):
        return (lambda g: Part(key, g),)
    bare = tuple(k for k in whole if k is not None)  # libraries that read with None do not all write with it
    shape = x[bare].shape
    return (lambda g: Part(bare, xp.reshape(g, shape)),)


def _taking(xp: Any, x: Any, take: Callable[[Any], Any]) -> Slope:
    """The slope of what takes entries of x, some of them perhaps more than once."""
    shape, dtype, size = x.shape, x.dtype, math.prod(x.shape)

    def slope(g: Any) -> Any:
        one = xp.sum(xp.zeros_like(g, dtype=xp.int64)) + 1
        places = take(xp.reshape(xp.cumulative_sum(xp.broadcast_to(one, (size,)), axis=0) - 1, shape))
        part = Part((xp.reshape(places, (-1,)),), xp.reshape(g, (-1,)))
        return xp.reshape(xp.scattered((size,), dtype, [part]), shape)

    return slope


def _matmul(xp: Any, _: Any, a: Any, b: Any) -> tuple[Slope, Slope]:
    # vectors are matrices of one row or column
    left = xp.reshape(a, (1, a.shape[0])) if len(a.shape) == 1 else a
    right = xp.reshape(b, (b.shape[0], 1)) if len(b.shape) == 1 else b
    vector, one = len(b.shape) == 1, len(right.shape) == 2
    missing, sizes = (len(a.shape) == 1) + vector, (left.shape[-2], right.shape[-1])

    def matrices(g: Any) -> Any:
        return xp.reshape(g, (*g.shape[: len(g.shape) - 2 + missing], *sizes))

    def of_left(g: Any) -> Any:
        return xp.matmul(matrices(g), xp.matrix_transpose(right))

    def of_right(g: Any) -> Any:
        x, g = left, matrices(g)
        if one:  # a batch times one matrix: one product, not one a member and their sum
            x, g = xp.reshape(x, (-1, x.shape[-1])), xp.reshape(g, (-1, g.shape[-1]))
        product = xp.matmul(xp.matrix_transpose(x), g)
        return xp.reshape(product, product.shape[:-1]) if vector else product

    return of_left, of_right


def _logaddexp(xp: Any, z: Any, x: Any, y: Any) -> tuple[Slope, Slope]:
    def share(g: Any, part: Any) -> Any:
        infinite = xp.isinf(z)  # -inf of both has no slope, +inf that of the part that is it
        chosen = xp.astype(xp.logical_and(part == z, z > 0), g.dtype)
        return g * xp.where(infinite, chosen, xp.exp(xp.where(infinite, 0.0, part - z)))

    return lambda g: share(g, x), lambda g: share(g, y)


def _share(xp: Any, g: Any, loses: Any, ties: Any) -> Any:
    return g * (1.0 - xp.astype(loses, g.dtype) - 0.5 * xp.astype(ties, g.dtype))


def _maximum(xp: Any, _: Any, x: Any, y: Any) -> tuple[Slope, Slope]:
    return lambda g: _share(xp, g, x < y, x == y), lambda g: _share(xp, g, y < x, y == x)


def _minimum(xp: Any, _: Any, x: Any, y: Any) -> tuple[Slope, Slope]:
    return lambda g: _share(xp, g, x > y, x == y), lambda g: _share(xp, g, y > x, y == x)


def _abs(xp: Any, _: Any, x: Any) -> tuple[Slope]:
    def slope(g: Any) -> Any:
        sign = xp.astype(x > 0, g.dtype) - xp.astype(x < 0, g.dtype)
        return g * xp.where(xp.isnan(x), math.nan, sign)

    return (slope,)


def _erf(xp: Any, _: Any, x: Any) -> tuple[Slope]:
    def slope(g: Any) -> Any:
        near = xp.maximum(xp.minimum(x, 30.0), -30.0)  # whose square does not overflow
        return g * (1.1283791670955126 * xp.exp(-near * near))

    return (slope,)


def _with_ones(shape: Shape, axis: Axis) -> Shape:
    """The shape of a reduction that keeps its axes."""
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {k % len(shape) for k in axes}
    return tuple(1 if k in gone else n for k, n in enumerate(shape))


def _sum(xp: Any, _: Any, x: Any, axis: Axis = None, **__: Any) -> tuple[Slope]:
    shape, with_ones = x.shape, _with_ones(x.shape, axis)
    return (lambda g: xp.broadcast_to(xp.reshape(g, with_ones), shape),)


def _mean(xp: Any, y: Any, x: Any, **settings: Any) -> tuple[Slope]:
    (slope,) = _sum(xp, y, x, **settings)
    count = math.prod(x.shape) // max(1, math.prod(y.shape))
    return (lambda g: slope(g / count),)


def _extreme(xp: Any, y: Any, x: Any, axis: Axis = None, **_: Any) -> tuple[Slope]:
    with_ones = _with_ones(x.shape, axis)

    def slope(g: Any) -> Any:
        chosen = xp.astype(xp.logical_or(x == xp.reshape(y, with_ones), x != x), g.dtype)
        return chosen * (xp.reshape(g, with_ones) / xp.sum(chosen, axis=axis, keepdims=True))

    return (slope,)


def _cumulative_sum(xp: Any, _: Any, x: Any, axis: int) -> tuple[Slope]:
    return (lambda g: xp.flip(xp.cumulative_sum(xp.flip(g, axis=axis), axis=axis), axis=axis),)


def _permute_dims(xp: Any, _: Any, x: Any, axes: tuple[int, ...]) -> tuple[Slope]:
    back = tuple(sorted(range(len(axes)), key=lambda k: axes[k] % len(axes)))
    return (lambda g: xp.permute_dims(g, back),)


def _reshaped(xp: Any, _: Any, x: Any, *__: Any, **___: Any) -> tuple[Slope]:
    shape = x.shape
    return (lambda g: xp.reshape(g, shape),)


def _along(axis: int, ndim: int, key: Any) -> tuple[Any, ...]:
    """The key that is given along one axis and takes all of the others."""
    return (*(slice(None),) * (axis % ndim), key, *(slice(None),) * (ndim - 1 - axis % ndim))


def _concat(xp: Any, y: Any, *arrays: Any, axis: int = 0) -> Iterator[Slope]:
    ends = itertools.accumulate(x.shape[axis] for x in arrays)
    for x, end in zip(arrays, ends, strict=True):
        yield operator.itemgetter(_along(axis, len(y.shape), slice(end - x.shape[axis], end)))


def _stack(xp: Any, y: Any, *arrays: Any, axis: int = 0) -> list[Slope]:
    return [operator.itemgetter(_along(axis, len(y.shape), k)) for k in range(len(arrays))]


def _take(xp: Any, _: Any, x: Any, indices: Any, axis: int) -> tuple[Slope]:
    return (_taking(xp, x, lambda places: xp.take(places, indices, axis=axis)),)


def _take_along_axis(xp: Any, _: Any, x: Any, indices: Any) -> tuple[Slope]:
    return (_taking(xp, x, lambda places: xp.take_along_axis(places, indices)),)


def _sort(xp: Any, _: Any, x: Any) -> tuple[Slope]:
    return (lambda g: xp.take_along_axis(g, xp.argsort(xp.argsort(x))),)


def _lower(xp: Any, like: Any) -> tuple[Any, Any]:
    """The identity, and the matrix of ones on and below the diagonal."""
    eye = xp.eye_like(like)
    return eye, xp.cumulative_sum(eye, axis=0)


def _cholesky(xp: Any, y: Any, x: Any) -> tuple[Slope]:
    def slope(g: Any) -> Any:
        inverse = xp.lower_inverse(y)
        eye, lower = _lower(xp, y)
        inner = xp.matmul(xp.matrix_transpose(y), g) * (lower - 0.5 * eye)
        slope = xp.matmul(xp.matmul(xp.matrix_transpose(inverse), inner), inverse)
        return 0.5 * (slope + xp.matrix_transpose(slope))

    return (slope,)


def _lower_inverse(xp: Any, y: Any, x: Any) -> tuple[Slope]:
    def slope(g: Any) -> Any:
        inverse = xp.matrix_transpose(y)
        return -xp.matmul(xp.matmul(inverse, g), inverse) * _lower(xp, y)[1]

    return (slope,)


def is_float(xp: Any, x: Any) -> bool:
    return x.dtype in (xp.float32, xp.float64) or is_real(x)  # names of dtypes are slow


OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
    "negative": operator.neg,
    "getitem": operator.getitem,
    "@": operator.matmul,
}

RULES: dict[str, Callable[..., Any]] = {
    "add": lambda xp, z, x, y: (same, same),
    "subtract": lambda xp, z, x, y: (same, operator.neg),
    "multiply": lambda xp, z, x, y: (lambda g: g * y, lambda g: g * x),
    "divide": lambda xp, z, x, y: (lambda g: g / y, lambda g: -(g / y) * z),
    "power": _power,
    "negative": lambda xp, y, x: (operator.neg,),
    "getitem": _getitem,
    "@": _matmul,
    "matmul": _matmul,
    "abs": _abs,
    "exp": lambda xp, y, x: (lambda g: g * y,),
    "expm1": lambda xp, y, x: (lambda g: g * xp.exp(x),),
    "log": lambda xp, y, x: (lambda g: g / x,),
    "log1p": lambda xp, y, x: (lambda g: g / (1.0 + x),),
    "acos": lambda xp, y, x: (lambda g: -g / xp.sqrt(1.0 - x * x),),
    "acosh": lambda xp, y, x: (lambda g: g / xp.sqrt(x * x - 1.0),),
    "asin": lambda xp, y, x: (lambda g: g / xp.sqrt(1.0 - x * x),),
    "asinh": lambda xp, y, x: (lambda g: g / xp.sqrt(1.0 + x * x),),
    "atan": lambda xp, y, x: (lambda g: g / (1.0 + x * x),),
    "atan2": lambda xp, z, y, x: (lambda g: g * x / (x * x + y * y), lambda g: -g * y / (x * x + y * y)),
    "atanh": lambda xp, y, x: (lambda g: g / (1.0 - x * x),),
    "cos": lambda xp, y, x: (lambda g: -g * xp.sin(x),),
    "cosh": lambda xp, y, x: (lambda g: g * xp.sinh(x),),
    "log10": lambda xp, y, x: (lambda g: g / (math.log(10.0) * x),),
    "log2": lambda xp, y, x: (lambda g: g / (math.log(2.0) * x),),
    "logaddexp": _logaddexp,
    "pow": _power,
    "sin": lambda xp, y, x: (lambda g: g * xp.cos(x),),
    "sinh": lambda xp, y, x: (lambda g: g * xp.cosh(x),),
    "square": lambda xp, y, x: (lambda g: 2.0 * g * x,),
    "squeeze": _reshaped,
    "tan": lambda xp, y, x: (lambda g: g * (1.0 + y * y),),
    "sqrt": lambda xp, y, x: (lambda g: 0.5 * g / y,),
    "tanh": lambda xp, y, x: (lambda g: g * (1.0 - y * y),),
    "erf": _erf,
    "sigmoid": lambda xp, y, x: (lambda g: g * (y * xp.sigmoid(-x)),),
    "softplus": lambda xp, y, x: (lambda g: g * xp.sigmoid(x),),
    "magnitude": lambda xp, y, x: (lambda g: g * (1.0 - 2.0 * xp.astype(x < 0, g.dtype)),),
    "maximum": _maximum,
    "minimum": _minimum,
    "where": lambda xp, z, c, x, y: (None, lambda g: xp.where(c, g, 0.0), lambda g: xp.where(c, 0.0, g)),
    "sum": _sum,
    "mean": _mean,
    "max": _extreme,
    "min": _extreme,
    "cumulative_sum": _cumulative_sum,
    "astype": lambda xp, y, x, dtype: (same,) if is_float(xp, y) else None,
    "broadcast_to": lambda xp, y, x, shape: (same,),
    "expand_dims": _reshaped,
    "reshape": _reshaped,
    "flip": lambda xp, y, x, axis: (lambda g: xp.flip(g, axis=axis),),
    "permute_dims": _permute_dims,
    "concat": _concat,
    "stack": _stack,
    "take": _take,
    "take_along_axis": _take_along_axis,
    "sort": _sort,
    "cholesky": _cholesky,
    "lower_inverse": _lower_inverse,
}

WITHOUT_SLOPE = {
    *("all", "any", "argmax", "argmin", "ceil", "cumulative_min", "floor", "isinf", "nextafter", "round", "sign"),
    *("equal", "greater", "greater_equal", "less", "less_equal", "not_equal"),
    *("isfinite", "isnan", "logical_and", "logical_not", "logical_or", "argsort", "searchsorted"),
    *("zeros_like", "ones_like", "eye_like", "stop_gradient", "wide", "counting"),
    *("is_known", "peek", "refuse_open_rank", "check_sizes_at_run_time", "device", "to_numpy"),
    *("region_numbers", "region_numbers_inside"),
}
