"""Checks of arguments: dtypes, shapes, ranges. Each error names the argument, what it is and what is expected."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from numbers import Real
from typing import Any, NamedTuple, SupportsIndex

from anomaly_kernels._core.namespace import NO_NUMBERS, common_namespace, describe, namespace_or_none
from anomaly_kernels._core.typing import Array, DType, Items, Namespace, Number, Setting

Shape = tuple[int | None, ...]

REAL = ("float16", "bfloat16", "float32", "float64")
"""The floating point dtypes that kernels take; wider ones would silently lose digits."""

INTEGERS = ("int", "uint")
"""The kinds of integer dtypes, of any width."""


def inputs(masks: Mapping[str, Array] | None = None, /, **scores: Array) -> tuple[Namespace, DType]:
    """Find the namespace of the arrays of a call, and the dtype to compute in.

    Parameters
    ----------
    masks : mapping, optional
        Arrays by argument name that may be boolean, integer or floating point; they do not take part in the promotion.
    **scores : array
        Arrays by argument name that must be floating point. They promote as the standard says, half precision to
        float32.

    Returns
    -------
    namespace
        The functions of the library of the arrays.
    dtype
        float32 or float64, of that library.

    Raises
    ------
    TypeError
        If the arrays are of several libraries or none, or their dtypes are others; the message names the argument.
    ValueError
        If they are on several devices.

    Examples
    --------
    >>> import numpy as np
    >>> xp, dtype = inputs({"target": np.asarray([0, 1])}, score=np.asarray([0.5, 0.25], np.float16))
    >>> xp.name, dtype
    ('numpy', <class 'numpy.float32'>)
    """
    by_name = scores if masks is None else {**scores, **masks}
    xp = common_namespace(by_name)
    dtype = device = None
    for x in scores.values():  # plain loops: what is asked here is most of the cost of a small call
        if dtype is None:
            dtype = x.dtype
        elif x.dtype != dtype:
            dtype = False
    if dtype not in (xp.float32, xp.float64):
        dtype = _promoted(xp, scores) if scores else xp.float32
    for name, mask in masks.items() if masks else ():
        if mask.dtype in (xp.bool, xp.float32, xp.float64, xp.int32, xp.int64):  # names of dtypes are slow
            continue
        kind = dtype_name(mask.dtype)
        if kind not in REAL and kind.rstrip("0123456789") not in ("bool", *INTEGERS):
            raise TypeError(f"`{name}` must be boolean, integer or real, got dtype {mask.dtype}")
    for name, x in by_name.items() if xp.has_open_shapes else ():
        if getattr(x.shape, "rank", 0) is None:
            xp.refuse_open_rank(name)
    for x in by_name.values() if xp.has_devices and len(by_name) > 1 else ():
        if device is None:
            device = getattr(x, "device", None)
        elif getattr(x, "device", None) != device:
            devices = ", ".join(f"`{name}` on {xp.device(each)}" for name, each in by_name.items())
            raise ValueError(f"arrays must be on one device, got {devices}")
    return xp, dtype


def dtype_name(dtype: DType) -> str:
    """'float32' and the like, for the dtype of any library."""
    return str(getattr(dtype, "name", dtype)).rpartition(".")[2]


def _kind(dtype: DType) -> str:
    return dtype_name(dtype).rstrip("0123456789")


def is_real(x: Array) -> bool:
    """Whether x is of a floating point dtype; a static question."""
    return dtype_name(x.dtype) in REAL


def _promoted(xp: Namespace, scores: Mapping[str, Array]) -> DType:
    for name, x in scores.items():
        if not is_real(x):
            expected = f"one of {', '.join(REAL)}" if "float" in dtype_name(x.dtype) else "floating point"
            raise TypeError(f"`{name}` must be {expected}, got dtype {x.dtype}")
    return xp.float64 if any(dtype_name(x.dtype) == "float64" for x in scores.values()) else xp.float32


def cast(xp: Namespace, dtype: DType, x: Array) -> Array:
    """Return an array in the dtype to compute in.

    Parameters
    ----------
    xp, dtype
        What `inputs` returned.
    x : array
        Any array of the call.

    Returns
    -------
    array
        x itself if that is its dtype.
    """
    return x if x.dtype == dtype else xp.astype(x, dtype)


def array_of(xp: Namespace, dtype: DType, setting: Setting, like: Array) -> Array:
    """A setting as a 0-d array beside `like`: arithmetic with it is that of its dtype."""
    return xp.constant(setting, like=like, dtype=dtype) if isinstance(setting, int | float) else setting


def shape_of(x: Array) -> Shape:
    """The static shape, None where a size is not known before run time (None, NaN, or a symbol of the tracer's)."""
    return tuple(n if isinstance(n, int) else None for n in x.shape)


def same_shape(**arrays: Array) -> None:
    """Raise unless all arrays have one shape; a graph compares sizes that it does not know when it runs.

    Parameters
    ----------
    **arrays : array
        By argument name.

    Raises
    ------
    ValueError
        If the shapes differ; the message names the arguments and their shapes.

    Examples
    --------
    >>> import numpy as np
    >>> same_shape(x_true=np.zeros((2, 3)), x_pred=np.zeros((2, 1)))
    Traceback (most recent call last):
    ValueError: `x_true` and `x_pred` must have equal shapes, got (2, 3) and (2, 1)
    """
    first: Any = None
    for x in arrays.values():
        if first is None:
            first = x.shape
        elif x.shape != first and not matches(shape_of(x), shape_of(next(iter(arrays.values())))):
            raise ValueError(f"{_names(arrays)} must have equal shapes, got {_shapes(arrays)}")
    for x in () if isinstance(first, tuple) else arrays.values():
        if None in x.shape:
            common_namespace(arrays).check_sizes_at_run_time(arrays, {}, "shapes")
            break


def matches(shape: Shape, expected: Shape) -> bool:
    """Whether two shapes can be equal; an unknown size can be any."""
    return len(shape) == len(expected) and all(
        a == b or a is None or b is None for a, b in zip(shape, expected, strict=True)
    )


def has_shape(name: str, x: Array, expected: Shape, meaning: str) -> None:
    """Raise unless x has the shape expected; `meaning` says what that shape is, as in "(N, K)"."""
    if not matches(shape_of(x), expected):
        raise ValueError(f"`{name}` must have shape {meaning}, expected {shown(expected)}, got {shown(shape_of(x))}")


def same_axes(what: str, **arrays: tuple[Array, tuple[int, ...]]) -> None:
    """Raise, in a graph that learns its sizes when it runs, unless these axes of all arrays have equal sizes.

    What is known before is compared by `has_shape`; `what` are these axes, as in "N".
    """
    if any(None in shape_of(x) for x, _ in arrays.values()):
        by_name = {name: x for name, (x, _) in arrays.items()}
        axes = {name: chosen for name, (_, chosen) in arrays.items()}
        common_namespace(by_name).check_sizes_at_run_time(by_name, axes, what)


def has_ndim(name: str, x: Array, least: int, meaning: str, most: int | None = None) -> None:
    """Raise unless an array has a number of dimensions.

    Parameters
    ----------
    name : str
        Its argument name.
    x : array
        The array.
    least : int
        How many dimensions it must have, or at least.
    meaning : str
        The shape as the message shows it, such as ``"(N, D)"``.
    most : int, optional
        How many it may have; -1 for any number.

    Raises
    ------
    ValueError
        If it has others.
    """
    most = least if most is None else most
    if len(x.shape) < least or 0 <= most < len(x.shape):
        raise ValueError(f"`{name}` must have shape {meaning}, got {shown(shape_of(x))}")


def has_known_sizes(name: str, x: Array, axes: slice) -> None:
    """Raise where a graph leaves a size open that it must know."""
    if None in (shape := shape_of(x))[axes]:
        raise ValueError(f"`{name}` must have known sizes, but for a batch in front, got {shown(shape)}")


def not_empty(**arrays: Array) -> None:
    """Raise where a size of 0 leaves nothing to average over.

    Parameters
    ----------
    **arrays : array
        By argument name.

    Raises
    ------
    ValueError
        If one of them has no numbers.
    """
    for name, x in arrays.items():
        if 0 in x.shape:
            raise ValueError(f"`{name}` has shape {shown(shape_of(x))}: there is nothing to average over")


class Range(NamedTuple):
    """The numbers that a setting may be: said in its annotation, and where it is checked.

    Attributes
    ----------
    above, least : number, optional
        The number must be above this, or at least this.
    below, most : number, optional
        The number must be below this, or at most this.
    nan : bool
        Whether it may be NaN.

    Examples
    --------
    >>> share = Range(above=0, most=1)
    >>> str(share), share.holds(0.5), share.holds(0.0)
    ('> 0 and <= 1', True, False)
    """

    above: Number | None = None
    least: Number | None = None
    below: Number | None = None
    most: Number | None = None
    nan: bool = False

    def holds(self, value: Number) -> bool:
        """Whether a number is in the range."""
        if value != value:
            return self.nan
        over = (self.above is None or value > self.above) and (self.least is None or value >= self.least)
        return over and (self.below is None or value < self.below) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        limits = ((">", self.above), (">=", self.least), ("<", self.below), ("<=", self.most))
        return " and ".join(f"{sign} {limit}" for sign, limit in limits if limit is not None) or "a number"


ANY = Range()
ANY_OR_NAN = Range(nan=True)
POSITIVE = Range(above=0)
NOT_NEGATIVE = Range(least=0)
SHARE = Range(above=0, most=1)
UNIT = Range(least=0, most=1)
INSIDE_UNIT = Range(above=0, below=1)
BELOW_ONE = Range(least=0, below=1)
BELOW_HALF = Range(least=0, below=0.5)


def number(name: str, value: Setting, xp: Namespace, dtype: DType, allowed: Range = ANY) -> Setting:
    """Check a setting: return a number of its range as a float, a 0-d array in the dtype to compute in.

    Parameters
    ----------
    name : str
        Its argument name.
    value : number or 0-d array
        What was given. The value of an array is not looked at: it may be traced.
    xp, dtype
        What `inputs` returned.
    allowed : Range
        Which numbers it may be.

    Returns
    -------
    float or array
        The number, or the array in the dtype.

    Raises
    ------
    TypeError
        If it is no number and no 0-d array of the library of the inputs.
    ValueError
        If the number is not in its range, or the array not 0-d.

    Examples
    --------
    >>> import numpy as np
    >>> number("delta", -1, *inputs(x=np.zeros(3)), Range(above=0))
    Traceback (most recent call last):
    ValueError: `delta` must be > 0, got -1
    """
    if type(value) is float and (value == value if allowed is ANY else allowed.holds(value)):
        return value
    if is_number(value):
        return _in_range(name, value, allowed)
    if namespace_or_none(value) is xp:
        return cast(xp, dtype, _real_0d(name, value))
    return _in_range(name, _item(name, value), allowed)


def setting(name: str, value: Any, allowed: Range = ANY) -> None:
    """Raise what `number` would raise, before there are inputs."""
    if is_number(value):
        _in_range(name, value, allowed)
    else:
        _real_0d(name, value)


def not_negative(name: str, value: Any) -> None:
    """Raise unless this is a number from 0 on, or an array of real numbers of any shape, whose values are unchecked."""
    if is_number(value):
        _in_range(name, value, NOT_NEGATIVE)
    elif namespace_or_none(value) is None:
        raise TypeError(f"`{name}` must be a number or an array, got {describe(value)}")
    elif not is_real(value) and _kind(value.dtype) not in INTEGERS:
        raise TypeError(f"`{name}` must be a number or an array of real numbers, got dtype {value.dtype}")


def broadcastable(name: str, value: Any, xp: Namespace, dtype: DType, like: Array, like_name: str) -> Array:
    """An array of the library of `like`, or of NumPy, broadcast to the shape of it, in the dtype to compute in."""
    not_negative(name, value)
    home = namespace_or_none(value)
    if home is not xp and (home is None or home.name != "numpy"):
        raise TypeError(f"`{name}` must be a number or an array of the library of the inputs, got {describe(value)}")
    x = cast(xp, dtype, value) if home is xp else xp.constant(value, like=like, dtype=dtype)
    shape, whole = shape_of(x), shape_of(like)
    tail = whole[max(0, len(whole) - len(shape)) :]
    if len(shape) > len(whole) or any(None not in (m, n) and m not in (1, n) for m, n in zip(shape, tail, strict=True)):
        raise ValueError(
            f"`{name}` must have a shape that broadcasts to that of `{like_name}`, {shown(whole)}, got {shown(shape)}"
        )
    return x if None in whole else xp.broadcast_to(x, like.shape)


def is_number(value: object) -> bool:
    """Whether this is a number of Python or NumPy; 0-d arrays are none, nor are truth values and times."""
    return isinstance(value, Real) and not isinstance(value, NO_NUMBERS)


def _in_range(name: str, value: Any, allowed: Range) -> float:
    try:
        number = float(value)
    except OverflowError:
        bits = int(value).bit_length()  # of a fraction too
        raise ValueError(f"`{name}` must be a number that fits a float, got one of {bits} bits") from None
    if not allowed.holds(number):
        raise ValueError(f"`{name}` must be {allowed}, got {value}")
    return number


def _real_0d(name: str, value: Any) -> Any:
    _is_0d(name, value)
    if not is_real(value) and _kind(value.dtype) not in INTEGERS:
        raise TypeError(f"`{name}` must be a number or a 0-d array of real numbers, got dtype {value.dtype}")
    return value


def _is_0d(name: str, value: Any) -> None:
    if namespace_or_none(value) is None:
        raise TypeError(f"`{name}` must be a number or a 0-d array, got {describe(value)}")
    if tuple(value.shape) != ():
        raise ValueError(f"`{name}` must be a number or a 0-d array, got shape {shown(shape_of(value))}")


def _item(name: str, value: Any) -> Any:
    """The number in a 0-d array of NumPy beside another library's arrays; it is known at once."""
    _is_0d(name, value)
    if namespace_or_none(value).name != "numpy":  # type: ignore[union-attr]
        raise TypeError(f"`{name}` must be a number or an array of the library of the inputs, got {describe(value)}")
    item = value.item()
    if not is_number(item):
        raise TypeError(f"`{name}` must be a number or a 0-d array of real numbers, got {item!r}")
    return item


def array(name: str, value: Any) -> None:
    """Raise what `inputs` would raise of this one."""
    inputs(**{name: value})


def function(name: str, value: Any) -> None:
    """Raise unless value can be called."""
    if not callable(value):
        raise TypeError(f"`{name}` must be callable, got {describe(value)}")


def choice(name: str, value: str, options: Sequence[str]) -> None:
    """Raise unless a setting is one of the strings that it may be.

    Parameters
    ----------
    name : str
        Its argument name.
    value : str
        What was given.
    options : sequence of str
        What it may be.

    Raises
    ------
    TypeError
        If it is no string.
    ValueError
        If it is another one.
    """
    if not isinstance(value, str):
        raise TypeError(f"`{name}` must be one of {', '.join(map(repr, options))}, got {describe(value)}")
    if value not in options:
        raise ValueError(f"`{name}` must be one of {', '.join(map(repr, options))}, got {value!r}")


def levels(name: str, value: Items[Number]) -> list[float]:
    """Quantiles as floats, or an error unless they are numbers in [0, 1], at least one."""
    quantiles = numbers(name, value)
    if not quantiles or not all(0 <= q <= 1 for q in quantiles):
        raise ValueError(f"`{name}` must be numbers in [0, 1], at least one, got {quantiles}")
    return [float(q) for q in quantiles]


def numbers(name: str, value: Items[Number]) -> list[Number]:
    """The numbers of a sequence or of an array, or an error."""
    found = items(name, value.tolist() if hasattr(value, "tolist") else value, "numbers")
    if not all(is_number(x) for x in found):
        raise TypeError(f"`{name}` must be a sequence of numbers, got {value!r}")
    return found


def items(name: str, value: Any, what: str) -> list[Any]:
    """The items of a sequence or of an array, or an error; sets and dicts have no order to rely on."""
    shape = getattr(value, "shape", (None,))
    if isinstance(value, str | bytes | Mapping | AbstractSet) or not hasattr(value, "__len__") or len(shape) == 0:
        raise TypeError(f"`{name}` must be a sequence of {what}, got {value!r}")
    return list(value) if shape[0] is None else [value[k] for k in range(shape[0])]


def integer(name: str, value: Any, what: str) -> int:
    """An integer of Python, NumPy or any library as Python's."""
    if not isinstance(value, NO_NUMBERS):
        with suppress(TypeError):
            return operator.index(value)
    raise TypeError(f"`{name}` must be {what}, got {describe(value)}")


def positive(name: str, value: Any, what: str = "a positive integer") -> int:
    """An integer from 1 on as Python's: a number of units, steps or the like."""
    size = integer(name, value, what)
    setting(name, size, Range(least=1))
    return size


def size(name: str, value: Any, most: int, what: str = "a positive integer") -> int:
    """A positive integer that memory is taken for, which must have a limit."""
    if (n := positive(name, value, what)) > most:
        raise ValueError(f"`{name}` must be no more than {most}, got {n}")
    return n


def flag(name: str, value: Any) -> bool:
    """A value that is true or false, or an error."""
    if not isinstance(value, bool):
        raise TypeError(f"`{name}` must be True or False, got {value!r}")
    return value


def axes(name: str, value: SupportsIndex | Sequence[SupportsIndex] | None) -> tuple[int, ...] | None:
    """Axes as a tuple of integers, or None for all."""
    if value is None:
        return None
    several = value if isinstance(value, tuple | list) else (value,)
    result = tuple(integer(name, k, "an integer or a tuple of integers") for k in several)
    if not result or len(set(result)) < len(result):
        raise ValueError(f"`{name}` must be distinct axes, at least one, got {value}")
    return result


def axes_of(axis: SupportsIndex | Sequence[SupportsIndex] | None, ndim: int) -> tuple[int, ...] | None:
    """Distinct axes of an array, counted from the front, or None for all."""
    chosen = axes("axis", axis)
    if chosen is None:
        return None
    counted = [k % ndim if -ndim <= k < ndim else ndim for k in chosen]
    if ndim in counted or len(set(counted)) < len(chosen):
        raise ValueError(f"`axis` must be distinct axes of an array of {ndim} dimensions, got {axis}")
    return tuple(counted)


def _names(arrays: Mapping[str, Array]) -> str:
    return " and ".join(f"`{name}`" for name in arrays)


def _shapes(arrays: Mapping[str, Array]) -> str:
    return " and ".join(shown(shape_of(x)) for x in arrays.values())


def shown(shape: Shape) -> str:
    """A shape as a message shows it."""
    inner = ", ".join("?" if n is None else str(n) for n in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"
