"""Find the namespace of the library that arrays belong to."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import array_api_compat
import numpy as np

from anomaly_kernels._core.backends.generic import Generic
from anomaly_kernels._core.typing import Namespace

# The top-level module that defines a type -> the file in backends, which is imported at the first such object.
_BACKENDS = {
    "numpy": "numpy",
    "torch": "torch",
    "jax": "jax",
    "jaxlib": "jax",
    "tensorflow": "tensorflow",
    "dask": "dask",
    "ndonnx": "ndonnx",
}
_MODULES = sys.modules
_COMPILER = "torch.compiler"  # whose `is_compiling` Dynamo folds to True; there once the user has imported torch
_BY_TYPE: dict[type, Namespace] = {}
NO_NUMBERS = (bool, np.timedelta64)  # which `numbers` counts among its own
_NUMBERS = (bool, int, float, complex, type(None))
# Tapes that record for gradients (tape.py): the one in use for each library, in this thread; and one entry for each in
# all threads, so that a call where there is none asks no further.
_TAPE_IN_USE: ContextVar[Mapping[Namespace, Namespace]] = ContextVar("tape in use")
_TAPES: list[Namespace] = []


def array_namespace(*arrays: Any) -> Namespace:
    """The namespace of the library that all arrays belong to.

    It has the functions of the Python array API standard that kernels use, and some beyond it, such as `sigmoid` or
    `cholesky`, in the library's native form. Python numbers and None are passed over.

    Parameters
    ----------
    *arrays : array
        Arrays of one library: NumPy, torch, JAX, TensorFlow, CuPy, Dask, ndonnx, array-api-strict, or any other that
        array-api-compat knows.

    Returns
    -------
    namespace
        An object with the functions as attributes, and the library's name as `name`.

    Raises
    ------
    TypeError
        If the arrays belong to different libraries, or to none (lists, pandas objects, masked arrays), or if there is
        no array at all.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> xp = ak.array_namespace(np.asarray([0.0, 1.0]))
    >>> xp.name
    'numpy'
    """
    if _compiles():
        return _traced_namespace()
    xp = _BY_TYPE.get(type(arrays[0])) if arrays else None
    for array in arrays:  # no generator, no comprehension: this loop is the cost of a small call
        if _BY_TYPE.get(type(array)) is not xp:
            break
    else:
        if xp is not None:
            return _with_tape(xp) if _TAPES else xp
    return _namespace_beside_numbers(arrays)


def _namespace_beside_numbers(arrays: tuple[Any, ...]) -> Namespace:
    """The namespace of arrays of types not seen before, or of numbers among arrays, or the error."""
    return common_namespace(
        {f"argument {k}": x for k, x in enumerate(arrays) if not isinstance(x, _NUMBERS) or namespace_or_none(x)}
    )


def common_namespace(arrays: Mapping[str, Any]) -> Namespace:
    """The one namespace of arrays by name, or an error that says which of them is what."""
    compiler = _MODULES.get(_COMPILER)  # as `_compiles`, whose call a small call would notice
    if compiler is not None and compiler.is_compiling():
        return _traced_namespace()
    common = None
    for array in arrays.values():
        xp = _BY_TYPE.get(type(array)) or _look_up(type(array), array)
        if xp is None or (common is not None and xp is not common):
            break
        common = xp
    else:
        if common is not None:
            return _with_tape(common) if _TAPES else common
    if _TAPES and (tape := _innermost_tape(arrays.values())):
        return tape
    types = ", ".join(f"`{name}`: {describe(x)}" for name, x in arrays.items()) or "none"
    hint = ""
    for x in arrays.values():
        if hasattr(x, "to_numpy"):  # of pandas or polars
            hint = ": use `.to_numpy()`"
        elif isinstance(x, list | tuple):
            hint = ": use `np.asarray`"
    raise TypeError(
        f"arrays of one library are needed (NumPy, torch, JAX, TensorFlow, CuPy, Dask, …), got {types}{hint}"
    )


def describe(x: Any) -> str:
    """The type of x as a message names it."""
    kind = type(x)
    library = kind.__module__.partition(".")[0]
    return kind.__qualname__ if library == "builtins" else f"{library}.{kind.__qualname__}"


def namespace_or_none(array: Any) -> Namespace | None:
    """The namespace of one array, None for anything else."""
    if _compiles():
        from anomaly_kernels._core.backends import numpy, torch

        if isinstance(array, np.ndarray):  # which NumPy's numbers are too, to Dynamo
            return cast(Namespace, numpy.namespace)
        return cast(Namespace, torch.namespace) if torch.is_array(type(array)) else None
    kind = type(array)
    xp = _BY_TYPE.get(kind) or _look_up(kind, array)
    return _with_tape(xp) if _TAPES and xp is not None else xp


def follow(kind: type, tape: Namespace) -> None:
    """Make a tape the namespace of the arrays that it follows, which are of a class of their own."""
    _BY_TYPE[kind] = tape


@contextmanager
def in_use(tape: Namespace) -> Iterator[None]:
    """Make a tape the namespace of other arrays of its library too, in this thread."""
    token = _TAPE_IN_USE.set({**_TAPE_IN_USE.get({}), _root(tape): tape})
    _TAPES.append(tape)
    try:
        yield
    finally:
        _TAPES.pop()  # maybe the entry of another thread: only whether any is left counts
        _TAPE_IN_USE.reset(token)


def _root(xp: Any) -> Namespace:
    """The library's own namespace."""
    return cast(Namespace, xp.root)


def _level(xp: Any) -> int:
    """How many tapes lie on each other."""
    return int(xp.level)


def _with_tape(xp: Namespace) -> Namespace:
    """The innermost tape: that in use, or, of arrays handed to another thread, their own."""
    tape = _TAPE_IN_USE.get({}).get(_root(xp), xp)
    return tape if tape is xp else max(tape, xp, key=_level)


def _innermost_tape(arrays: Iterable[Any]) -> Namespace | None:
    """The innermost tape of arrays of one library, some of which are followed."""
    namespaces = [namespace_or_none(x) for x in arrays]
    first = namespaces[0]
    if first is None or any(xp is None or _root(xp) is not _root(first) for xp in namespaces):
        return None
    return max((xp for xp in namespaces if xp is not None), key=_level)


def _compiles() -> bool:
    compiler = _MODULES.get(_COMPILER)  # None too where somebody has forbidden its import
    return compiler is not None and compiler.is_compiling()


def _traced_namespace() -> Namespace:
    """The namespace of what Dynamo traces. It must not see the table of types, which grows: it would compile anew."""
    from anomaly_kernels._core.backends.torch import namespace

    return cast(Namespace, namespace)


def _look_up(kind: type, array: Any) -> Namespace | None:
    """The namespace of a type that is not in the table yet, from the backends or from array-api-compat."""
    xp: Namespace | None = None
    homes = [base.__module__.partition(".")[0] for base in kind.__mro__]
    file = next((_BACKENDS[home] for home in homes if home in _BACKENDS), None)
    if file is not None:
        backend = importlib.import_module(f"anomaly_kernels._core.backends.{file}")
        xp = backend.namespace if backend.is_array(kind) else None
    elif not isinstance(array, type) and array_api_compat.is_array_api_obj(array):
        standard = array_api_compat.array_namespace(array)
        name = standard.__name__.removeprefix("array_api_compat.")
        xp = next((known for known in _BY_TYPE.values() if known.name == name), None)
        xp = xp or cast(Namespace, Generic(name, standard))
    if xp is not None:  # of other types there is no end
        _BY_TYPE[kind] = xp
    return xp
