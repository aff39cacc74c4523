"""Arrays that `value_and_grad` follows: each remembers from which others it was computed, and how."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple, NoReturn, TypeAlias

from anomaly_kernels._core.typing import DType, Namespace

Slope: TypeAlias = Callable[[Any], Any]
Shape: TypeAlias = tuple[int, ...]

NUMBERS = itertools.count(1)


class Part(NamedTuple):
    """The gradient of a part of an array, x[key]: parts are put together when all of them are there."""

    key: Any
    values: Any


class Node:
    """What a followed array was made of: pairs of a source and a slope."""

    __slots__ = ("dtype", "edges", "number", "shape")

    def __init__(self, shape: Shape, dtype: DType, edges: Sequence[tuple[Node | Joint, Slope]]) -> None:
        self.number = next(NUMBERS)
        self.shape, self.dtype, self.edges = shape, dtype, edges


class Joint:
    """The origin of several arrays that were computed together, with slopes written by hand."""

    __slots__ = ("number", "outputs", "slopes", "sources", "values")

    def __init__(self, sources: list[Node | None], values: list[Any], slopes: Callable[..., Any], outputs: Any) -> None:
        self.number = next(NUMBERS)
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
            return NotImplemented  # the inner tape records it
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
    """An array that records how it was computed; `array_namespace` finds its tape from its class, one for each tape."""

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
        return self.tape.matrix_transpose(self)

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
    __mod__ = __rmod__ = _refused("x % y")
    __floordiv__ = __rfloordiv__ = _refused("x // y")
    __bool__, __float__, __int__ = _refused("bool(x)"), _refused("float(x)"), _refused("int(x)")
    __complex__, __index__, __array__ = _refused("complex(x)"), _refused("an index"), _refused("asarray(x)")

    def __array_function__(self, function: Any, *_: Any) -> NoReturn:
        _refuse(f"{function.__module__.partition('.')[0]}.{function.__name__}")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        # the operators of arrays to the left, too, ask here
        if method == "__call__" and not settings and ufunc.__name__ in _UFUNCS and not isinstance(inputs[0], Followed):
            return getattr(inputs[1], _UFUNCS[ufunc.__name__])(inputs[0])
        return _refuse(f"{type(ufunc).__module__}.{ufunc.__name__}")
