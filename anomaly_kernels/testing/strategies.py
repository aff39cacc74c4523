"""Hypothesis strategies that draw valid NumPy inputs for any function, by the names of its arguments.

They draw with NumPy, to be converted by a driver: the values are then the same for every library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from anomaly_kernels.testing.arguments import Argument, arguments, array_arguments, draw
from anomaly_kernels.testing.samples import Sample, sample

__all__ = ["inputs_for", "values_of"]

# Sizes above 1 keep covariances and statistics away from the degenerate: extremes have a check of their own.
_SIZES = {"N": (5, 8), "T": (1, 3), "D": (2, 4), "L": (1, 2), "K": (2, 4)}


def _floats(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, width=32, allow_subnormal=False)


def _array(shape: tuple[int, ...], elements: st.SearchStrategy[Any], dtype: Any = np.float64) -> st.SearchStrategy[Any]:
    return hnp.arrays(dtype, shape, elements=elements, fill=st.nothing())


def _probabilities(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    return _array(shape, _floats(0.03125, 1.0)).map(lambda x: x / x.sum(-1, keepdims=True))


def _covariances(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    def positive_definite(x: np.ndarray) -> np.ndarray:
        return np.asarray(x @ np.swapaxes(x, -1, -2) + 0.5 * np.eye(shape[-1]))

    return _array(shape, _floats(-1.0, 1.0)).map(positive_definite)


_KINDS: dict[str, Callable[[tuple[int, ...]], st.SearchStrategy[Any]]] = {
    "real": lambda shape: _array(shape, _floats(-8.0, 8.0)),
    "probability": _probabilities,
    "mask": lambda shape: _array(shape, st.booleans(), np.bool_),
    "positive": lambda shape: _array(shape, _floats(0.125, 4.0)),
    "log variance": lambda shape: _array(shape, _floats(-4.0, 4.0)),
    "covariance": _covariances,
}


def values_of(argument: Argument, sizes: Mapping[str, int]) -> st.SearchStrategy[Any]:
    """Draw one argument of a kind, with the sizes given for its axes."""
    if argument.kind in _KINDS:
        return _KINDS[argument.kind](tuple(sizes[axis] for axis in argument.axes))
    # Latent vectors and the weights of a network or a mixture: any seed will do.
    return st.integers(0, 2**16).map(lambda seed: draw(argument, np.random.default_rng(seed), sizes))


def inputs_for(
    function: Callable[..., Any], *, sizes: Mapping[str, int] | None = None, **settings: Any
) -> st.SearchStrategy[Sample]:
    """Draw inputs for a function from its signature, with the settings it requires; equal letters have equal lengths.

    Parameters
    ----------
    function : callable
        Its positional arguments are arrays with names from `arguments.ARGUMENTS`.
    sizes : mapping, optional
        Length of each axis, by letter, as `arguments.SIZES`; drawn if not given.
    **settings
        Settings to call it with.

    Returns
    -------
    SearchStrategy of Sample
        Call ``function(**inputs, **settings)``.
    """
    required = sample(function, **settings).settings
    kinds = arguments(array_arguments(function), required)

    def inputs(sizes: Mapping[str, int]) -> st.SearchStrategy[dict[str, Any]]:
        sizes = {**sizes, "E": sizes["T"] * sizes["D"], "Q": len(required.get("quantiles", ()))}
        return st.fixed_dictionaries({name: values_of(kind, sizes) for name, kind in kinds.items()})

    drawn = st.fixed_dictionaries({axis: st.integers(*limits) for axis, limits in _SIZES.items()})
    return (drawn.flatmap(inputs) if sizes is None else inputs(sizes)).map(lambda drawn: Sample(drawn, required))
