"""The one door: from arrays to the namespace of their library."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import array_api_compat

from anomaly_kernels._core.backends.generic import Generic
from anomaly_kernels._core.typing import Namespace

# the top-level module that defines an array type -> the file in backends, which is imported at the first such array
_BACKENDS = {
    "numpy": "numpy",
    "torch": "torch",
    "jax": "jax",
    "jaxlib": "jax",
    "tensorflow": "tensorflow",
    "dask": "dask",
}
_MODULES = sys.modules
_FOUND: dict[type, Namespace | None] = {}
_NUMBERS = (bool, int, float, complex, type(None))
# Tapes that record for gradients (tape.py): by the namespace they stand in for, in this thread; and one entry for each
# of them in all threads, so that the door, where there is none, asks no further.
_IN_USE: ContextVar[Mapping[Namespace, Namespace]] = ContextVar("tapes in use")
_TAPES: list[Namespace] = []


def array_namespace(*arrays: Any) -> Namespace:
    """The namespace of the library that all arrays belong to.

    It has the functions of the Python array API standard that kernels use, and some beyond it, such as `sigmoid` or
    `cholesky`, in the library's native form. Python numbers and None are passed over.

    Parameters
    ----------
    *arrays : array
        Arrays of one library: NumPy, torch, JAX, TensorFlow, CuPy, Dask, array-api-strict, or any other that
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
    if _torch_compiles():
        return _torch_namespace()
    xp = _FOUND.get(type(arrays[0])) if arrays else None
    for array in arrays:  # no generator, no comprehension: this loop is the cost of a small call
        if _FOUND.get(type(array)) is not xp:
            break
    else:
        if xp is not None:
            return _followed(xp) if _TAPES else xp
    return _one_namespace(arrays)


def _one_namespace(arrays: tuple[Any, ...]) -> Namespace:
    """The namespace of arrays of types not seen before, or of numbers among arrays, or the error."""
    named = {f"argument {k}": x for k, x in enumerate(arrays) if not isinstance(x, _NUMBERS) or namespace_or_none(x)}
    return common_namespace(named)


def common_namespace(named: Mapping[str, Any]) -> Namespace:
    """The one namespace of arrays given by name, or an error that says which of them is what."""
    torch = _MODULES.get("torch")  # as `_torch_compiles`, whose call a small call would notice
    if torch is not None and torch.compiler.is_compiling():
        return _torch_namespace()
    xp = None
    for array in named.values():
        found = _FOUND.get(type(array)) or _find(type(array), array)
        if found is None or (xp is not None and found is not xp):
            break
        xp = found
    else:
        if xp is not None:
            return _followed(xp) if _TAPES else xp
    if _TAPES and (shared := _shared(named.values())):
        return shared
    given = ", ".join(f"`{name}`: {describe(x)}" for name, x in named.items()) or "none"
    raise TypeError(f"arrays of one library are needed (NumPy, torch, JAX, TensorFlow, CuPy, Dask, …), got {given}")


def describe(x: Any) -> str:
    """The type of x as a message names it."""
    kind = type(x)
    return (
        kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__.split('.')[0]}.{kind.__qualname__}"
    )


def namespace_or_none(array: Any) -> Namespace | None:
    """The namespace of one array, None for anything else."""
    if _torch_compiles():
        if isinstance(array, sys.modules["numpy"].ndarray):  # which NumPy's numbers are while torch compiles
            return _numpy_namespace()
        return _torch_namespace() if isinstance(array, sys.modules["torch"].Tensor) else None
    kind = type(array)
    found = _FOUND[kind] if kind in _FOUND else _find(kind, array)
    return _followed(found) if _TAPES and found is not None else found


def follow(kind: type, tape: Namespace) -> None:
    """Have the door answer with a tape for the arrays that it follows, which are of a class of their own."""
    _FOUND[kind] = tape


@contextmanager
def in_use(tape: Namespace) -> Iterator[None]:
    """Have the door answer with a tape for other arrays of its library too, in this thread."""
    token = _IN_USE.set({**_IN_USE.get({}), _root(tape): tape})
    _TAPES.append(tape)
    try:
        yield
    finally:
        _TAPES.pop()  # whichever it is: they are only counted
        _IN_USE.reset(token)


def _root(xp: Namespace) -> Namespace:
    """The library's own namespace."""
    return getattr(xp, "root", xp)


def _level(xp: Namespace) -> int:
    """How many tapes lie on each other."""
    return getattr(xp, "level", 0)


def _followed(xp: Namespace) -> Namespace:
    """The innermost tape: that in use, or, of arrays handed to another thread, their own."""
    tape = _IN_USE.get({}).get(_root(xp), xp)
    return tape if tape is xp else max(tape, xp, key=_level)


def _shared(arrays: Iterable[Any]) -> Namespace | None:
    """The innermost tape of arrays of one library, some of which are followed."""
    found = [namespace_or_none(x) for x in arrays]
    first = found[0]
    if first is None or any(xp is None or _root(xp) is not _root(first) for xp in found):
        return None
    return max((xp for xp in found if xp is not None), key=_level)


def _torch_compiles() -> bool:
    # Dynamo folds this to True, and so never sees the growing dict of types, which would recompile.
    torch = _MODULES.get("torch")  # None too where somebody has forbidden its import
    return torch is not None and torch.compiler.is_compiling()


def _torch_namespace() -> Namespace:
    from anomaly_kernels._core.backends.torch import namespace

    return cast(Namespace, namespace)


def _numpy_namespace() -> Namespace:
    from anomaly_kernels._core.backends.numpy import namespace

    return cast(Namespace, namespace)


def _find(kind: type, array: Any) -> Namespace | None:
    """Look an array type up in the libraries; the answer is kept for its type."""
    found: Namespace | None = None
    homes = [base.__module__.partition(".")[0] for base in kind.__mro__]
    backend = next((_BACKENDS[home] for home in homes if home in _BACKENDS), None)
    if backend is not None and _is_array(backend, kind):
        found = importlib.import_module(f"anomaly_kernels._core.backends.{backend}").namespace
    elif backend is None and not isinstance(array, type) and array_api_compat.is_array_api_obj(array):
        standard = array_api_compat.array_namespace(array)
        name = standard.__name__.removeprefix("array_api_compat.")
        found = next((xp for xp in _FOUND.values() if xp is not None and xp.name == name), None)
        found = found or cast(Namespace, Generic(name, standard))
    _FOUND[kind] = found
    return found


def _is_array(backend: str, kind: type) -> bool:
    """Whether a class of one of the libraries is an array class, and one that means what arrays mean."""
    module = sys.modules[backend]
    if backend == "numpy":
        # masked arrays and matrices would be read as plain arrays: a silent wrong number
        return issubclass(kind, (module.ndarray, module.generic)) and not issubclass(
            kind, (module.ma.MaskedArray, module.matrix)
        )
    if backend == "jax":
        return issubclass(kind, module.Array) or issubclass(kind, module.core.Tracer)
    if backend == "dask":
        return issubclass(kind, sys.modules["dask.array"].Array)
    return issubclass(kind, module.Tensor) or (backend == "tensorflow" and issubclass(kind, module.Variable))
