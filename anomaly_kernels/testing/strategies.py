"""Hypothesis strategies that draw valid NumPy inputs for any function, by the names of its arguments.

They draw with NumPy, to be converted by a driver: the values are then the same for every library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from anomaly_kernels.testing.arguments import Argument, arguments, draw, kinds_of_series
from anomaly_kernels.testing.samples import Sample, sample

# Sizes above 1 keep covariances and statistics away from the degenerate: extremes have a check of their own.
_SIZES = {"N": (5, 8), "T": (1, 3), "D": (2, 4), "L": (1, 2), "K": (2, 4), "R": (3, 9), "H": (3, 5), "W": (3, 6)}
_SIZES_OF_SERIES = {"N": (1, 4), "S": (1, 12)}


def _floats(shape: tuple[int, ...], low: float, high: float) -> st.SearchStrategy[Any]:
    return hnp.arrays(
        np.float64, shape, elements=st.floats(low, high, width=32, allow_subnormal=False), fill=st.nothing()
    )


_KINDS: dict[str, Callable[[tuple[int, ...]], st.SearchStrategy[Any]]] = {
    "real": lambda shape: _floats(shape, -8.0, 8.0),
    "probability": lambda shape: _floats(shape, 0.03125, 1.0).map(lambda x: x / x.sum(-1, keepdims=True)),
    **dict.fromkeys(["mask", "events"], lambda shape: hnp.arrays(np.bool_, shape, fill=st.nothing())),
    "positive": lambda shape: _floats(shape, 0.125, 4.0),
    "log variance": lambda shape: _floats(shape, -4.0, 4.0),
    "covariance": lambda shape: _floats(shape, -1.0, 1.0).map(
        lambda x: x @ np.swapaxes(x, -1, -2) + 0.5 * np.eye(shape[-1])
    ),
}


def _values_of(argument: Argument, sizes: Mapping[str, int]) -> st.SearchStrategy[Any]:
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
    inputs_of_sample, required = sample(function, **settings)
    kinds = arguments(inputs_of_sample, required, kinds_of_series(function))

    def inputs(sizes: Mapping[str, int]) -> st.SearchStrategy[dict[str, Any]]:
        sizes = {**sizes, "E": sizes.get("T", 0) * sizes.get("D", 0), "Q": len(required.get("quantiles", ()))}
        return st.fixed_dictionaries({name: _values_of(kind, sizes) for name, kind in kinds.items()})

    ranges = _SIZES_OF_SERIES if kinds_of_series(function) else _SIZES
    drawn = st.fixed_dictionaries({axis: st.integers(*limits) for axis, limits in ranges.items()})
    return (drawn.flatmap(inputs) if sizes is None else inputs(sizes)).map(lambda drawn: Sample(drawn, required))
