"""`value_and_grad`: the value of a function of arrays, or of trees of them, and its gradient, in every library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, SupportsIndex

from anomaly_kernels._core import checks
from anomaly_kernels._core.namespace import common_namespace, describe, namespace_or_none
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.typing import Namespace


@with_hint
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
    {'scale': array(-10.)}
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
            if not checks.is_real(x):
                raise TypeError(f"`{name}` must be floating point to be differentiated by, got dtype {x.dtype}")

        def of_leaves(leaves: list[Any]) -> Any:
            filled, new = list(args), iter(leaves)
            for k in chosen:
                filled[k] = _rebuilt(args[k], new)
            return _checked(xp, function(*filled, **kwargs))

        arrays = list(by_name.values())
        result = xp.value_and_grad(of_leaves, arrays)
        if result is None:
            from anomaly_kernels._core.tape.sweep import by_tape  # here, where the library has no autodiff

            result = by_tape(xp, of_leaves, arrays)
        value, gradients = result
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
    if not checks.is_real(result):
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
