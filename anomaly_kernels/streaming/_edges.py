"""Edges of a histogram of scores: all numbers of a small dtype, those of bfloat16 for the others, or a user's own."""

from __future__ import annotations

import struct
from functools import cache

from anomaly_kernels._core.checks import cast, dtype_name, has_ndim, inputs, not_empty
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.typing import Array, DType, Namespace

_SMALL = {"bool": (0, 2), "int8": (-(2**7), 2**7), "uint8": (0, 2**8), "int16": (-(2**15), 2**15), "uint16": (0, 2**16)}


def default_edges(like: Array) -> Array:
    """Edges for scores of a dtype, in the library and on the device of an array."""
    xp = array_namespace(like)
    return xp.constant(_numbers(dtype_name(like.dtype)), like=like, dtype=_dtype_of_edges(xp, like))


def check_edges(like: Array, edges: Array) -> Array:
    """Edges of a user's own, in a dtype that scores are ranked in, or an error unless they are ascending."""
    xp, _ = inputs({"like": like, "edges": edges})
    has_ndim("edges", edges, 1, "(B,)")
    not_empty(edges=edges)
    if xp.is_known(edges):
        later = edges >= xp.concat([edges[:1], edges[:-1]])  # never true of NaN
        if bool(xp.any(xp.logical_not(later))):
            raise ValueError("`edges` must be ascending numbers, got some that are not")
    edges = cast(xp, _dtype_of_edges(xp, edges), edges)
    return xp.concat([edges[:1], edges[1:]])  # a copy: once JAX is donated a state, it writes into its memory


def _dtype_of_edges(xp: Namespace, like: Array) -> DType:
    """The dtype of edges for scores of a dtype: float32 where it holds them all."""
    return xp.float32 if dtype_name(like.dtype) in (*_SMALL, "float16", "bfloat16", "float32") else xp.wide(like)


@cache
def _numbers(name: str) -> list[float]:
    """All numbers of a dtype of 16 bits or less, of bfloat16 for the others, ascending."""
    if name in _SMALL:
        return [float(x) for x in range(*_SMALL[name])]
    if name == "float16":
        positive = struct.unpack("<31745e", struct.pack("<31745H", *range(0x7C01)))  # up to infinity
    else:  # the upper halves of the float32 of the same value
        positive = struct.unpack("<32641f", struct.pack("<32641I", *(k << 16 for k in range(0x7F81))))
    return [-x for x in reversed(positive[1:])] + list(positive)
