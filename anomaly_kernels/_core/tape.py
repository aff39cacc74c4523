"""Gradients without a framework (reverse mode): arrays that record how they were computed, and one rule a function.

A followed array holds a value and a node. A node knows from which nodes it was made, and for each of them a slope: a
function from the gradient of the result to that of the source. The sweep goes back through the nodes by their running
numbers. Slopes hold no more than they need, so that all other values are freed at once.

A tape is the namespace of followed arrays. It lies on a base namespace, in which values are computed and slopes are
written, and which may be a tape itself: that gives higher derivatives. Only real numbers that depend on the arguments
are followed. Comparisons, masks, indices and constants are arrays of the base.
"""

from __future__ import annotations

import heapq
import itertools
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial, wraps
from threading import Lock
from typing import Any, ClassVar, NamedTuple, NoReturn, SupportsIndex, TypeAlias, cast

from anomaly_kernels._core import checks
from anomaly_kernels._core.backends.generic import STANDARD, Generic
from anomaly_kernels._core.checks import is_real
from anomaly_kernels._core.namespace import common_namespace, describe, follow, in_use, namespace_or_none
from anomaly_kernels._core.typing import Axis, DType, Namespace

Slope: TypeAlias = Callable[[Any], Any]
Shape: TypeAlias = tuple[int, ...]

_NUMBERS = itertools.count(1)


class Part(NamedTuple):
    """The gradient of a part of an array, x[key]: parts are put together when all of them are there."""

    key: Any
    values: Any


class Node:
    """What a followed array was made of: pairs of a source and a slope."""

    __slots__ = ("dtype", "edges", "number", "shape")

    def __init__(self, shape: Shape, dtype: DType, edges: Sequence[tuple[Node | Joint, Slope]]) -> None:
        self.number = next(_NUMBERS)
        self.shape, self.dtype, self.edges = shape, dtype, edges


class Joint:
    """The origin of several arrays that were computed together, with slopes written by hand."""

    __slots__ = ("number", "outputs", "slopes", "sources", "values")

    def __init__(self, sources: list[Node | None], values: list[Any], slopes: Callable[..., Any], outputs: Any) -> None:
        self.number = next(_NUMBERS)
        self.sources, self.values, self.slopes, self.outputs = sources, values, slopes, outputs

    def contributions(self, base: Namespace, parts: list[Part]) -> Iterator[tuple[Node, Any]]:
        """What each followed source gets; slopes of others are never evaluated."""
        upstream = [base.zeros_like(y) for y in self.outputs]
        for k, g in parts:
            upstream[k] = upstream[k] + g
        for source, slope in zip(self.sources, self.slopes(base, tuple(upstream), *self.values), strict=True):
            if source is not None and slope is not None:
                yield source, slope()


def _binary(name: str) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """An operator and the one with its sides exchanged."""

    def forward(self: Followed, other: Any) -> Any:
        if isinstance(other, Followed) and other.level > self.level:
            return NotImplemented  # it is for the other to remember
        return self.tape.recorded[name](self, other)

    def reflected(self: Followed, other: Any) -> Any:
        return self.tape.recorded[name](other, self)

    return forward, reflected


def _comparison(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def compared(self: Followed, other: Any) -> Any:
        if isinstance(other, Followed) and other.level > self.level:
            return NotImplemented
        return compare(self.value, other.value if type(other) is type(self) else other)

    return compared


def _refuse(what: str) -> NoReturn:
    raise TypeError(
        f"{what} cannot be followed by `value_and_grad`: call functions of `xp = array_namespace(x)`, taken inside the "
        "function that is differentiated; `xp.stop_gradient(x)` gives the plain array"
    )


def _refused(what: str) -> Callable[..., NoReturn]:
    return lambda *_, **__: _refuse(what)


_UFUNCS = {  # NumPy's names -> what its operators mean with a followed array on their right
    "add": "__radd__",
    "subtract": "__rsub__",
    "multiply": "__rmul__",
    "divide": "__rtruediv__",
    "power": "__rpow__",
    "matmul": "__rmatmul__",
    "less": "__gt__",
    "less_equal": "__ge__",
    "greater": "__lt__",
    "greater_equal": "__le__",
    "equal": "__eq__",
    "not_equal": "__ne__",
}


class Followed:
    """An array that remembers. Each tape has a class of its own, so that the door knows the tape by the class."""

    __slots__ = ()  # those of the class that a tape makes
    tape: ClassVar[Any]
    level: ClassVar[int]
    value: Any
    node: Node

    def __init__(self, value: Any, node: Node) -> None:
        self.value, self.node = value, node  # type: ignore[misc]

    @property
    def dtype(self) -> DType:
        return self.node.dtype

    @property
    def shape(self) -> Shape:
        return self.node.shape

    @property
    def ndim(self) -> int:
        return len(self.node.shape)

    @property
    def size(self) -> int:
        return math.prod(self.node.shape)

    @property
    def device(self) -> Any:
        return self.value.device

    @property
    def T(self) -> Any:  # noqa: N802
        return self.tape.permute_dims(self, tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> Any:  # noqa: N802
        return _transposed(self.tape, self)

    __add__, __radd__ = _binary("add")
    __sub__, __rsub__ = _binary("subtract")
    __mul__, __rmul__ = _binary("multiply")
    __truediv__, __rtruediv__ = _binary("divide")
    __pow__, __rpow__ = _binary("power")
    __matmul__, __rmatmul__ = _binary("matmul")
    # nothing is changed in place: x += 1 gives x another array
    __iadd__, __isub__, __imul__, __itruediv__, __ipow__ = __add__, __sub__, __mul__, __truediv__, __pow__
    __imatmul__ = __matmul__
    __lt__, __le__ = _comparison(operator.lt), _comparison(operator.le)
    __gt__, __ge__ = _comparison(operator.gt), _comparison(operator.ge)
    __eq__, __ne__ = _comparison(operator.eq), _comparison(operator.ne)
    __hash__ = None  # type: ignore[assignment]

    def __neg__(self) -> Any:
        return self.tape.recorded["negative"](self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self.tape.abs(self)

    def __getitem__(self, key: Any) -> Any:
        return self.tape.recorded["getitem"](self, key)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a 0-d array has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[k, ...] for k in range(len(self)))

    def __repr__(self) -> str:
        return f"<followed {self.value!r}>"

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"an array that `value_and_grad` follows has no {name!r}: call functions of `array_namespace(x)`", name=name
        )

    def __array_namespace__(self, **_: Any) -> Any:
        return self.tape

    __setitem__ = _refused("x[...] = y")
    __bool__, __float__, __int__ = _refused("bool(x)"), _refused("float(x)"), _refused("int(x)")
    __complex__, __index__, __array__ = _refused("complex(x)"), _refused("an index"), _refused("asarray(x)")

    def __array_function__(self, function: Any, *_: Any) -> NoReturn:
        _refuse(f"{function.__module__.partition('.')[0]}.{function.__name__}")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        # the operators of arrays to the left, too, ask here
        if method == "__call__" and not settings and ufunc.__name__ in _UFUNCS and not isinstance(inputs[0], Followed):
            return getattr(inputs[1], _UFUNCS[ufunc.__name__])(inputs[0])
        return _refuse(f"{type(ufunc).__module__}.{ufunc.__name__}")


class Tape(Generic):
    """The namespace of followed arrays, on a base: functions with a rule are recorded, the others pass values on."""

    def __init__(self, base: Any, array_of_root: type) -> None:
        self.base, self.name = base, base.name
        self.root: Namespace = getattr(base, "root", base)
        self.level: int = getattr(base, "level", 0) + 1
        self.array = _class_for(self, array_of_root)
        self.recorded = {name: self._recorded(name, evaluate) for name, evaluate in OPERATORS.items()}
        self._standard: Any = self
        for name in STANDARD:
            if name not in vars(Tape):
                setattr(self, name, self._function(name, getattr(base, name)))

    def __repr__(self) -> str:
        return f"<namespace of {self.name}, followed>"

    def leaf(self, x: Any) -> Any:
        """An array to start from."""
        return self.array(x, Node(tuple(x.shape), x.dtype, ()))

    def owns(self, x: Any) -> bool:
        """Whether x is followed here, or by a tape that lies on this one."""
        return isinstance(x, Followed) and x.level >= self.level

    def plain(self, x: Any) -> Any:
        """The array of the base."""
        while self.owns(x):
            x = x.value
        return x

    def _function(self, name: str, evaluate: Any) -> Any:
        if name in WITHOUT_SLOPE:
            return lambda *inputs, **settings: evaluate(
                *map(self.plain, inputs), **{key: self.plain(x) for key, x in settings.items()}
            )
        if name in ("concat", "stack"):
            recorded = self._recorded(name, lambda *arrays, **settings: evaluate(list(arrays), **settings))
            self.recorded[name] = recorded
            return lambda arrays, /, **settings: recorded(*arrays, **settings)
        if name in RULES:
            self.recorded[name] = self._recorded(name, evaluate)
            return self.recorded[name]
        return self._unruled(name, evaluate) if callable(getattr(Namespace, name, None)) else evaluate

    def _recorded(self, name: str, evaluate: Callable[..., Any]) -> Callable[..., Any]:
        """A function with a rule."""
        rule, base, kind, level = RULES[name], self.base, self.array, self.level

        def function(*inputs: Any, **settings: Any) -> Any:
            followed, values = False, []
            for x in inputs:
                if type(x) is kind:
                    followed = True
                    values.append(x.value)
                elif isinstance(x, Followed) and x.level > level:
                    return x.tape.recorded[name](*inputs, **settings)
                else:
                    values.append(x)
            y = evaluate(*values, **settings)
            slopes = rule(base, y, *values, **settings) if followed else None
            if slopes is None:
                return y
            edges = [(x.node, slope) for x, slope in zip(inputs, slopes, strict=False) if type(x) is kind and slope]
            return kind(y, Node(y.shape, y.dtype, edges))

        return function

    def _unruled(self, name: str, evaluate: Callable[..., Any]) -> Callable[..., Any]:
        """A function without a rule: its generic form, written with other functions of the namespace, if it has one."""
        form = vars(Generic).get(name)

        def function(*inputs: Any, **settings: Any) -> Any:
            if not any(callable(x) or self.owns(x) for x in inputs):
                return evaluate(*inputs, **settings)
            if form is None:
                raise TypeError(f"`value_and_grad` has no rule for `{name}`")
            return form(self, *inputs, **settings)

        return function

    def constant(self, values: Any, *, like: Any, dtype: DType) -> Any:
        if self.owns(values):
            return self._standard.astype(values, dtype)
        return self.base.constant(values, like=self.plain(like), dtype=dtype)

    def is_lean(self, *arrays: Any) -> bool:
        return not any(map(self.owns, arrays)) and self.base.is_lean(*arrays)

    def scattered(self, shape: Shape, dtype: DType, parts: Sequence[tuple[Any, Any]]) -> Any:
        values = self.base.scattered(shape, dtype, [Part(key, self.plain(g)) for key, g in parts])
        edges = [(g.node, operator.itemgetter(key)) for key, g in parts if self.owns(g)]
        return self.array(values, Node(shape, dtype, edges)) if edges else values

    evaluate = Generic.evaluate

    def reduce(self, how: str, formula: Any, dtype: DType, arrays: Sequence[Any], whole: Sequence[Any]) -> Any:
        if formula.slopes is None:
            return super().reduce(how, formula, dtype, arrays, whole)
        (total,) = self.add_up(formula, dtype, arrays, whole)
        shape = arrays[0].shape
        return total / math.prod(shape[: len(shape) - formula.inner]) if how == "mean" else total

    def add_up(self, formula: Any, dtype: DType, arrays: Sequence[Any], whole: Sequence[Any]) -> tuple[Any, ...]:
        if formula.slopes is None:
            return super().add_up(formula, dtype, arrays, whole)
        count, needed = len(arrays), [self.owns(x) for x in (*arrays, *whole)]

        def evaluate(base: Any, *values: Any) -> tuple[Any, ...]:
            return cast(tuple[Any, ...], base.add_up(formula, dtype, values[:count], values[count:]))

        def slopes(base: Any, upstream: Sequence[Any], *values: Any) -> list[Any]:
            gradients = base.differentiate(formula, dtype, values[:count], values[count:], needed, upstream)
            return [None if g is None else partial(_same, g) for g in gradients]

        return self.summed(evaluate, slopes, (*arrays, *whole))

    def summed(
        self, evaluate: Callable[..., tuple[Any, ...]], slopes: Callable[..., Any], arrays: Sequence[Any]
    ) -> tuple[Any, ...]:
        """Several results at once, of which the slopes are written by hand.

        `evaluate(base, *arrays)` gives the results in the base. `slopes(base, upstream, *arrays)` gives, for each of
        the arrays, None or a function of nothing: its gradient, where `upstream` holds those of the results. They are
        asked for in the sweep, and only those of arrays that are followed are evaluated. Settings that may be followed
        are to be among the arrays.
        """
        kind = self.array
        top = max((x for x in arrays if self.owns(x)), key=lambda x: x.level, default=None)
        if top is None:
            return evaluate(self.base, *arrays)
        if top.level > self.level:
            return cast(tuple[Any, ...], top.tape.summed(evaluate, slopes, arrays))
        sources = [x.node if type(x) is kind else None for x in arrays]
        values = [x.value if type(x) is kind else x for x in arrays]
        results = evaluate(self.base, *values)
        if any(map(self.owns, results)):
            raise TypeError("sums with slopes of their own depend on a followed array that is not among theirs")
        joint = Joint(sources, values, slopes, results)
        nodes = [Node(y.shape, y.dtype, [(joint, partial(Part, k))]) for k, y in enumerate(results)]
        return tuple(kind(y, node) if _is_real(self.base, y) else y for y, node in zip(results, nodes, strict=True))


def _class_for(tape: Tape, array_of_root: type) -> type[Followed]:
    """The class of a tape's arrays."""
    members = {"tape": tape, "level": tape.level}
    try:
        # The operators of a library written in Python may refuse what they do not know on their right, but a subclass
        # of their own class is asked first.
        members = {**members, "__new__": lambda kind, *_: object.__new__(kind)}
        kind = type("Followed", (Followed, array_of_root), members)
        kind(None, None)
    except TypeError:  # written in C
        kind = type("Followed", (Followed,), {**members, "__slots__": ("node", "value")})
    follow(kind, cast(Namespace, tape))
    return kind


# Rules: from the base, the result and the inputs to a slope for each of the inputs. Whatever is worth computing is
# computed in the slope, which is asked for the followed inputs alone. What is broadcast is summed by the sweep.


def _same(g: Any) -> Any:
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
        return xp.matmul(matrices(g), _transposed(xp, right))

    def of_right(g: Any) -> Any:
        x, g = left, matrices(g)
        if one:  # a batch times one matrix: one product, not one a member and their sum
            x, g = xp.reshape(x, (-1, x.shape[-1])), xp.reshape(g, (-1, g.shape[-1]))
        product = xp.matmul(_transposed(xp, x), g)
        return xp.reshape(product, product.shape[:-1]) if vector else product

    return of_left, of_right


def _transposed(xp: Any, x: Any) -> Any:
    n = len(x.shape)
    return xp.permute_dims(x, (*range(n - 2), n - 1, n - 2))


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
        inner = xp.matmul(_transposed(xp, y), g) * (lower - 0.5 * eye)
        slope = xp.matmul(xp.matmul(_transposed(xp, inverse), inner), inverse)
        return 0.5 * (slope + _transposed(xp, slope))

    return (slope,)


def _lower_inverse(xp: Any, y: Any, x: Any) -> tuple[Slope]:
    def slope(g: Any) -> Any:
        inverse = _transposed(xp, y)
        return -xp.matmul(xp.matmul(inverse, g), inverse) * _lower(xp, y)[1]

    return (slope,)


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
    "add": lambda xp, z, x, y: (_same, _same),
    "subtract": lambda xp, z, x, y: (_same, operator.neg),
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
    "astype": lambda xp, y, x, dtype: (_same,) if _is_real(xp, y) else None,
    "broadcast_to": lambda xp, y, x, shape: (_same,),
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
    *("any", "isfinite", "isnan", "logical_and", "logical_not", "logical_or", "argsort", "searchsorted"),
    *("zeros_like", "ones_like", "eye_like", "stop_gradient", "wide", "counting", "is_known", "device", "to_numpy"),
}


def _is_real(xp: Any, x: Any) -> bool:
    return x.dtype in (xp.float32, xp.float64) or is_real(x)  # names of dtypes are slow


class Sweep:
    """From a result back to the leaves: what is known so far of the gradient of each node."""

    def __init__(self, base: Any, first: int) -> None:
        self.base, self.first = base, first
        self.totals: dict[Node, Any] = {}
        self.parts: dict[Node | Joint, list[Part]] = {}
        self.queue: list[tuple[int, Node | Joint]] = []

    def run(self, result: Followed) -> dict[Node, Any]:
        """The gradients of the leaves that the result depends on."""
        leaves = {}
        self.add(result.node, self.base.ones_like(result.value))
        while self.queue:
            node = heapq.heappop(self.queue)[1]  # the latest: nothing that is left can add to it
            if node.number < self.first:
                raise TypeError("an array followed by another call of `value_and_grad`, or in another thread, was used")
            if isinstance(node, Joint):
                for each, g in node.contributions(self.base, self.parts.pop(node)):
                    self.add(each, g)
                node.values = []
                continue
            total = self.total(node)
            if not node.edges:
                leaves[node] = total
            for source, slope in node.edges:
                self.add(source, slope(total))
            node.edges = ()  # what slopes hold is needed no more
        return leaves

    def add(self, node: Node | Joint, g: Any) -> None:
        """Take a gradient, or a part of one, into account."""
        if node not in self.totals and node not in self.parts:
            heapq.heappush(self.queue, (-node.number, node))
        if isinstance(g, Part):
            self.parts.setdefault(node, []).append(g)
        elif isinstance(node, Node):
            g = _fitted(self.base, g, node)
            self.totals[node] = self.totals[node] + g if node in self.totals else g

    def total(self, node: Node) -> Any:
        """All of the gradient of a node."""
        parts, total = self.parts.pop(node, None), self.totals.pop(node, None)
        if parts is None:
            return total
        scattered = self.base.scattered(node.shape, node.dtype, parts)
        return scattered if total is None else total + scattered


def _fitted(xp: Any, g: Any, node: Node) -> Any:
    """A gradient in the shape and dtype of its node: the one place where what was broadcast is summed."""
    shape = node.shape
    if g.shape != shape:
        new = len(g.shape) - len(shape)
        axes = tuple(k for k, n in enumerate(g.shape) if k < new or (n != 1 and shape[k - new] == 1))
        g = xp.sum(g, axis=axes, keepdims=True) if axes else g
        g = xp.reshape(g, g.shape[new:]) if new > 0 else g
        g = g if g.shape == shape else xp.broadcast_to(g, shape)
    return g if g.dtype == node.dtype else xp.astype(g, node.dtype)


_MADE: dict[Namespace, Tape] = {}
_LOCK = Lock()


def _tape_on(base: Namespace, x: Any) -> Tape:
    """The tape on a base: one for each level, so that the classes of arrays are few."""
    if base not in _MADE:
        while isinstance(x, Followed):
            x = x.value
        with _LOCK:
            if base not in _MADE:
                _MADE[base] = Tape(base, type(x))
    return _MADE[base]


def _by_tape(base: Any, function: Callable[[list[Any]], Any], arrays: list[Any]) -> tuple[Any, list[Any]]:
    """The value of a function of a list of arrays, and its gradients."""
    tape, first = _tape_on(base, arrays[0]), next(_NUMBERS)
    leaves = [tape.leaf(x) for x in arrays]
    with in_use(cast(Namespace, tape)):
        result = function(leaves)
    if isinstance(result, Followed) and result.level > tape.level:
        raise TypeError("`function` must return an array of its own, got one that an inner `value_and_grad` follows")
    if type(result) is not tape.array:
        return result, [base.zeros_like(x) for x in arrays]
    slopes = Sweep(base, first).run(result)
    # copies, since they may be views of each other or of the inputs
    gradients = [base.astype(slopes[x.node], x.dtype) if x.node in slopes else base.zeros_like(x.value) for x in leaves]
    return base.astype(result.value, result.dtype), gradients


def value_and_grad(
    function: Callable[..., Any], argnums: SupportsIndex | Sequence[SupportsIndex] = 0
) -> Callable[..., tuple[Any, Any]]:
    r"""A function that returns the value of another one and its gradient.

    .. math:: x \mapsto \left(f(x), \; \nabla f(x)\right)

    It differentiates every loss of this library, and any function that is written with operators and the functions of
    `array_namespace`.

    Parameters
    ----------
    function : callable
        f, which returns a 0-d array. It takes arrays of any library but Dask.
    argnums : int or tuple of int, default 0
        Which positional arguments to differentiate by. Each is an array of real numbers, or a dict, a NamedTuple, a
        tuple or a list of such arrays, nested or not; None in them stays None.

    Returns
    -------
    callable
        Takes what `function` takes and returns a pair: the value, and the gradient by the argument, which has the form
        of the argument and its dtypes. Where `argnums` is a tuple, a tuple of gradients.

    Raises
    ------
    TypeError
        If an argument to differentiate by is not made of floating point arrays of one library, or of Dask's; if the
        function returns anything but an array, or calls what cannot be followed, such as `float`, or functions of NumPy
        itself.
    ValueError
        If `argnums` names no argument, or one twice, or if the function returns an array that is not 0-d.

    Notes
    -----
    On NumPy, CuPy, array-api-strict and other libraries without autodiff the functions of the namespace are recorded,
    and the gradient is that of reverse mode: it costs a few times what the function costs, however many numbers there
    are to differentiate by. torch, JAX and TensorFlow use their own autodiff. The function must take its namespace
    inside, from the arrays that it is given. Applied to a function that calls it, it gives higher derivatives.

    Where there is no derivative, `abs` has 0, `maximum` and `minimum` of equal numbers have the mean of both sides, and
    equal extremes of `max` and `min` share. Metrics of a ranking are steps: their gradients are 0. An array from
    outside the function must not be written to before the gradient is there.

    References
    ----------
    .. [1] A. Griewank, A. Walther, "Evaluating Derivatives", SIAM, 2008.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> x = np.asarray([1.0, 3.0])
    >>> value, gradient = ak.value_and_grad(ak.mean_squared_anomaly)(x)
    >>> float(value), gradient
    (5.0, array([1., 3.]))
    >>> def loss(params, x):
    ...     xp = ak.array_namespace(x)
    ...     return ak.mse_reconstruction_loss(x, xp.tanh(params["scale"] * x))
    >>> ak.value_and_grad(loss)({"scale": np.asarray(0.0)}, x)[1]
    {'scale': np.float64(-10.0)}
    """
    checks.function("function", function)
    several = isinstance(argnums, tuple | list)
    numbers = [checks.integer("argnums", k, "an integer or a tuple of integers") for k in _listed(argnums)]

    @wraps(function)
    def differentiated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        chosen = _chosen(argnums, numbers, len(args))
        by_name = dict(leaf for k in chosen for leaf in _leaves(args[k], f"argument {k}"))
        xp = common_namespace(by_name)
        for name, x in by_name.items():
            if not _is_real(xp, x):
                raise TypeError(f"`{name}` must be floating point to be differentiated by, got dtype {x.dtype}")

        def of_leaves(leaves: list[Any]) -> Any:
            filled, new = list(args), iter(leaves)
            for k in chosen:
                filled[k] = _rebuilt(args[k], new)
            return _checked(xp, function(*filled, **kwargs))

        arrays = list(by_name.values())
        value, gradients = xp.value_and_grad(of_leaves, arrays) or _by_tape(xp, of_leaves, arrays)
        each = iter(gradients)
        trees = tuple(_rebuilt(args[k], each) for k in chosen)
        return value, trees if several else trees[0]

    return differentiated


def _listed(argnums: Any) -> list[Any]:
    listed = list(argnums) if isinstance(argnums, tuple | list) else [argnums]
    if not listed:
        raise ValueError(f"`argnums` must be positions of arguments, at least one, got {argnums!r}")
    return listed


def _chosen(argnums: Any, numbers: list[int], count: int) -> list[int]:
    """The positions, counted from the front."""
    chosen = [k + count if k < 0 else k for k in numbers]
    if not all(0 <= k < count for k in chosen) or len(set(chosen)) < len(chosen):
        raise ValueError(
            f"`argnums` must be distinct positions of arguments, of which {count} were given by position, got {argnums}"
        )
    return chosen


def _checked(xp: Namespace, result: Any) -> Any:
    """What the function returned, if it can be differentiated."""
    own = namespace_or_none(result)
    if own is None or own.name != xp.name:
        raise TypeError(f"`function` must return a 0-d array of {xp.name}, got {describe(result)}")
    if tuple(result.shape) != ():
        raise ValueError(f"`function` must return a 0-d array, got shape {tuple(result.shape)}")
    if not _is_real(xp, result):
        raise TypeError(f"`function` must return a real number, got dtype {result.dtype}")
    return result


def _leaves(tree: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The arrays of a tree, by path."""
    if tree is None:
        return
    if isinstance(tree, Mapping):
        pairs = [(f"{name}[{key!r}]", x) for key, x in tree.items()]
    elif isinstance(tree, tuple | list):
        fields = getattr(tree, "_fields", None)
        pairs = [(f"{name}.{fields[k]}" if fields else f"{name}[{k}]", x) for k, x in enumerate(tree)]
    else:
        yield name, tree
        return
    for path, x in pairs:
        yield from _leaves(x, path)


def _rebuilt(tree: Any, leaves: Iterator[Any]) -> Any:
    """A tree of the same form, with other arrays."""
    if tree is None:
        return None
    if isinstance(tree, Mapping):
        return {key: _rebuilt(x, leaves) for key, x in tree.items()}
    if isinstance(tree, tuple | list):
        parts = [_rebuilt(x, leaves) for x in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return next(leaves)
