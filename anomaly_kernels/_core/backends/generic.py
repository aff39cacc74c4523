"""The namespace of any library that array-api-compat knows, and the generic forms of what the standard lacks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from anomaly_kernels._core.backends import blocks, regions
from anomaly_kernels._core.spelling import nearest
from anomaly_kernels._core.typing import Array, Axis, DType, F, Namespace, Setting

STANDARD = tuple(name for name in vars(Namespace) if not name.startswith("_") and name != "name") + tuple(
    name for name in Namespace.__annotations__ if name != "name"
)


class Generic:
    """A namespace: the closed list taken from `standard`, and what is beyond the standard written with it.

    The functions are attributes of the instance, not looked up on demand: a plain attribute is what torch.compile
    and the 0.5 µs budget want.
    """

    def __init__(self, name: str, standard: Any) -> None:
        self.name = name
        self.root: Any = self
        self._standard = standard
        for function in STANDARD:
            if not hasattr(type(self), function):
                setattr(self, function, getattr(standard, function))

    def __repr__(self) -> str:
        return f"<namespace of {self.name}>"

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        near = nearest(name, STANDARD, likeness=0.8)
        hint = f"; did you mean `{near}`?" if near else "."
        raise AttributeError(
            f"the namespace of {self.name} has no `{name}`{hint} Its functions are those that all libraries have: see "
            "`help(anomaly_kernels.authoring.Namespace)`",
            name=name,
        )

    level = 0
    """How many tapes lie under it."""

    pi, e, inf, nan = math.pi, math.e, math.inf, math.nan

    def var(self: Any, x: Array, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
        """The mean square of the distances from the mean, times n/(n - correction)."""
        distances = x - self.mean(x, axis=axis, keepdims=True)
        variance = self.mean(distances * distances, axis=axis, keepdims=keepdims)
        if not correction:
            return variance
        n = self.sum(self.ones_like(x), axis=axis, keepdims=keepdims)
        return variance * (n / (n - correction))

    def std(self: Any, x: Array, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
        """The root of `var`."""
        return self.sqrt(self.var(x, axis=axis, correction=correction, keepdims=keepdims))

    def vecdot(self: Any, x1: Array, x2: Array, *, axis: int = -1) -> Array:
        """Σ x1·x2 along an axis."""
        return self.sum(x1 * x2, axis=axis)

    def matrix_transpose(self: Any, x: Array) -> Array:
        """The last two axes exchanged."""
        n = len(x.shape)
        return self.permute_dims(x, (*range(n - 2), n - 1, n - 2))

    def full_like(self: Any, x: Array, fill_value: Any) -> Array:
        """An array of the shape and dtype of x that holds one number."""
        return self.zeros_like(x) + fill_value

    def eye_like(self, x: Array) -> Array:
        """Identity matrix of the size, dtype and device of the square matrices x."""
        return self._standard.eye(x.shape[-1], dtype=x.dtype, device=self.device(x))

    def cholesky(self, x: Array) -> Array:
        """Lower factor of a symmetric positive definite matrix."""
        return self._standard.linalg.cholesky(x)

    def lower_inverse(self, x: Array) -> Array:
        """Inverse of a lower triangular matrix."""
        return self._standard.linalg.inv(x)

    def erf(self, x: Array) -> Array:
        """The error function to a few eps, from its power series and its continued fraction."""
        return _erf(self, x)

    def sigmoid(self, x: Array) -> Array:
        """1/(1 + exp(-x)), accurate in both tails."""
        xp = self._standard
        tail = xp.exp(-xp.abs(x))
        return xp.where(x < 0, tail, xp.ones_like(x)) / (1.0 + tail)

    def softplus(self: Any, x: Array) -> Array:
        """log(1 + exp(x)), accurate in both tails, with all its derivatives at 0."""
        # the positive part by `where`, whose slope of 0 leaves that of the tail alone
        return self.where(x < 0, 0.0, x) + self.log1p(self.exp(-self.magnitude(x)))

    def magnitude(self, x: Array) -> Array:
        """|x| whose derivative at 0 is 1, not 0: f(|x|) of an even smooth f then has all its derivatives there."""
        return self._standard.abs(x)

    def stop_gradient(self, x: Array) -> Array:
        """x, as a constant to autodiff."""
        return x

    def squared_difference(self: Any, x1: Array, x2: Array, how: str) -> Array:
        """(x1 - x2)², or their "mean" or "sum"."""
        difference = x1 - x2
        return self.reduce_by(how, difference * difference)

    def cross_entropy(self: Any, x: Array, y: Array, how: str) -> Array:
        """max(x, 0) - xy + log(1 + exp(-|x|)) of logits x and targets y, or its "mean" or "sum"."""
        size = self.magnitude(x)  # (x + |x|)/2 is max(x, 0), and has all derivatives of the whole at 0
        return self.reduce_by(how, (0.5 * (x + size) - x * y) + self.log1p(self.exp(-size)))

    def clip(self: Any, x: Array, low: Setting, high: Setting) -> Array:
        """x limited to [low, high]; NaN stays NaN."""
        return self.minimum(self.maximum(x, low), high)

    def sum_of_products(self: Any, x: Array, y: Array) -> Array:
        """Σ xy over everything."""
        return self.sum(x * y)

    def reduce_by(self: Any, how: str, values: Array) -> Array:
        """The values, or their "mean" or "sum"."""
        return values if how == "none" else self.mean(values) if how == "mean" else self.sum(values)

    def reduce(self, how: str, formula: Any, dtype: DType, arrays: Sequence[Array], whole: Sequence[Any]) -> Array:
        """The "mean" or the "sum" of the values of a `evaluate.Formula`."""
        if not self.takes_blocks(formula, arrays, whole):
            return formula.plain(self, how, *blocks.parts(self, dtype, arrays, ...), *whole)
        (total,) = self.sum_blocks(formula, dtype, arrays, whole)
        return mean_or_sum(how, total, formula, arrays[0].shape)

    def add_up(self, formula: Any, dtype: DType, arrays: Sequence[Array], whole: Sequence[Any]) -> tuple[Array, ...]:
        """The sums of a `evaluate.Sums`."""
        if self.takes_blocks(formula, arrays, whole):
            return self.sum_blocks(formula, dtype, arrays, whole)
        return formula.sums(self, *blocks.parts(self, dtype, arrays, ...), *whole)

    def evaluate(self: Any, formula: Any, dtype: DType, arrays: Sequence[Array], whole: Sequence[Any]) -> Array:
        """The values of a `evaluate.Formula`."""
        if self.takes_blocks(formula, arrays, whole) and self.is_lean(*arrays, *whole):
            shape = arrays[0].shape
            out = self.empty(shape[: len(shape) - formula.inner], dtype)
            return blocks.fill(self, out, formula, dtype, arrays, whole)
        return formula.values(self, *blocks.parts(self, None if formula.casts else dtype, arrays, ...), *whole)

    def evaluate_rows(self: Any, formula: Any, arrays: Sequence[Array], whole: Sequence[Any]) -> Array:
        """The values of a `evaluate.Formula` that has several for each row, such as the places of its neighbours."""
        if not (self.takes_blocks(formula, arrays, whole) and self.is_lean(*arrays, *whole)):
            return formula.values(self, *arrays, *whole)

        def of_block(cut: Any) -> Array:
            return formula.values(self, *blocks.parts(self, None, arrays, cut), *whole)

        return self.concat(self.run(of_block, blocks.cuts(formula, arrays)))

    def differentiate(
        self,
        formula: Any,
        dtype: DType,
        arrays: Sequence[Array],
        whole: Sequence[Any],
        needed: Sequence[bool],
        upstream: Sequence[Array],
    ) -> list[Any]:
        """Gradients by the slopes of a formula, of the arrays and of what is whole, None where none is needed."""
        if self.takes_blocks(formula, arrays, whole):
            return blocks.gradients(self, formula, dtype, arrays, whole, needed, upstream)
        slopes, factor = formula.gradients(self, upstream, *blocks.parts(self, dtype, arrays, ...), *whole)
        return [factor * slopes[k]() if need else None for k, need in enumerate(needed)]

    def takes_blocks(self, formula: Any, arrays: Sequence[Array], whole: Sequence[Any]) -> bool:
        """Whether it pays to evaluate a formula in blocks, and no tracer or mode is active."""
        return False

    def sum_blocks(self, formula: Any, dtype: DType, arrays: Sequence[Array], whole: Sequence[Any]) -> Any:
        """The sums of a formula, block by block."""
        return blocks.sums(self, formula, dtype, arrays, whole)

    def run(self, function: Callable[[Any], Any], cuts: Sequence[Any]) -> list[Any]:
        """The function of each cut that makes a block; the results in their order."""
        return [function(cut) for cut in cuts]

    def constant(self, values: Any, *, like: Array, dtype: DType) -> Array:
        """Numbers as an array on the device of `like`."""
        return self._standard.asarray(values, dtype=dtype, device=self.device(like))

    def scan(
        self, step: Callable[[Any, Array], tuple[Any, Array]], state: Any, xs: Array, *, rolled: bool = False
    ) -> tuple[Any, Array]:
        """state, y = step(state, x) for each x along the first axis; the last state and the stacked y.

        Steps that are `rolled` are so long that a graph should hold one of them only, however few they are.
        """
        ys = []
        for t in range(xs.shape[0]):
            state, y = step(state, xs[t, ...])
            ys.append(y)
        return state, self._standard.stack(ys)

    def searchsorted(self, x1: Array, x2: Array, *, side: str = "left") -> Array:
        """Where x2 belongs in the sorted x1, along the last axis of both, which have the other axes in common."""
        xp = self._standard
        if len(x1.shape) == 1:
            return xp.searchsorted(x1, x2, side=side)
        sorted_rows, rows = (xp.reshape(x, (-1, x.shape[-1])) for x in (x1, x2))
        places = [xp.searchsorted(sorted_rows[k, ...], rows[k, ...], side=side) for k in range(rows.shape[0])]
        return xp.reshape(xp.stack(places), x2.shape) if places else xp.zeros(x2.shape, dtype=xp.int64)

    def sorted_classes(self: Any, x: Array, mask: Array) -> tuple[Array, Array]:
        """The entries where the mask is true, and the others, each ascending, of arrays of one dimension."""
        return self.sort(x[mask]), self.sort(x[self.logical_not(mask)])

    def sort_highest(self: Any, x: Array, mask: Array, share: Setting) -> Array:
        """The entries where the mask, perhaps of rows, is false, ascending in one dimension.

        Lower numbers may stand for those that are exceeded by more than this share of them.
        """
        return self.sort(self.reshape(x[self.logical_not(mask)], (-1,)))

    def order_statistics(self: Any, x: Array, ranks: Sequence[int]) -> Sequence[Array]:
        """The entries of an array of one dimension that have these ranks, counted from 0, once it is sorted."""
        ordered = self.sort(x)
        return [ordered[k] for k in ranks]

    def cumulative_min(self: Any, x: Array) -> Array:
        """The least entry so far along the last axis."""
        step, size = 1, x.shape[-1] or 2**31  # where a graph leaves the size open, whatever it may be
        while step < size:
            x = self.concat([x[..., :step], self.minimum(x[..., step:], x[..., :-step])], axis=-1)
            step *= 2
        return x

    def top_k(self: Any, x: Array, k: int) -> tuple[Array, Array]:
        """The k largest entries along the last axis, descending, and their places."""
        places = self.flip(self.argsort(x), axis=-1)[..., :k]
        return self.take_along_axis(x, places), places

    def region_numbers(self, mask: Array, axes: tuple[int, ...], connectivity: int) -> Array | None:
        """The number of each pixel's region along ascending axes, see `regions`; None where a mask is traced."""
        if not self.is_known(mask):
            return None
        numbers = regions.dense_numbers(self.to_numpy(mask), axes, connectivity)
        return self.constant(numbers, like=mask, dtype=self.counting())

    def region_numbers_inside(self, mask: Array) -> Array:
        """The number of each true pixel's region along all axes but the first, of a mask that can be looked at."""
        ndim = len(mask.shape) - 1
        numbers = regions.number_runs(self.to_numpy(mask), ndim, ndim).of_pixels()
        return self.constant(numbers, like=mask, dtype=self.counting())

    def fold(
        self,
        part: Callable[..., Any],
        merge: Callable[[Any, Any], Any],
        whole: Callable[..., tuple[Array, ...]],
        arrays: Sequence[Array],
        settings: Sequence[Any],
    ) -> tuple[Array, ...] | None:
        """`whole(state, *settings)` of the merged states of the chunks, each `part(*arrays)`; None without chunks."""
        return None

    def by_rows(
        self: Any, function: Callable[..., tuple[Array, ...]], arrays: Sequence[Array], settings: Sequence[Any]
    ) -> tuple[Array, ...]:
        """``function(xp, *arrays, *settings)`` along the last axis, row by row where its numbers may be looked at."""
        shape = arrays[0].shape
        if len(shape) < 2 or 0 in shape or not self.is_lean(*arrays):
            return function(self, *arrays, *settings)
        tables = [self.reshape(x, (-1, shape[-1])) for x in arrays]
        rows = ([x[k, ...] for x in tables] for k in range(tables[0].shape[0]))
        results = zip(*(function(self, *row, *settings) for row in rows), strict=True)
        return tuple(self.reshape(self.stack(each), (*shape[:-1], *each[0].shape)) for each in results)

    def value_and_grad(
        self, function: Callable[[list[Array]], Array], arrays: list[Array]
    ) -> tuple[Array, list[Array]] | None:
        """The value of a function of arrays and its gradients, by the library's autodiff; None where it has none."""
        return None

    def scattered(self, shape: tuple[int, ...], dtype: DType, parts: Sequence[tuple[Any, Array]]) -> Array:
        """Zeros with values added at keys, for `tape.py` alone.

        Keys are made of slices, numbers and masks, or are one array of integers, which may name an entry repeatedly.
        """
        total = self._standard.zeros(shape, dtype=dtype, device=self.device(parts[0][1]))
        for key, values in parts:
            if isinstance(key, tuple) and any("int" in str(getattr(k, "dtype", "")) for k in key):
                self._add_each(total, key, values)
            else:
                total[key] += values
        return total

    def _add_each(self, total: Any, key: tuple[Any], values: Any) -> None:
        if hasattr(self._standard.add, "at"):
            self._standard.add.at(total, key, values)
            return
        for k in range(values.shape[0]):  # the standard has nothing better
            total[int(key[0][k])] += values[k]

    def wide(self, x: Array) -> DType:
        """The dtype to add in beside x where the digits of float32 are not enough."""
        return self._standard.float64

    def counting(self) -> DType:
        """The dtype to count in."""
        return self._standard.int64

    def is_known(self, x: Array) -> bool:
        """Whether the numbers of x can be looked at, for results whose shape depends on them."""
        return True

    def peek(self, x: Array) -> np.ndarray | None:
        """The numbers of x where they can be looked at without delay, eager, on the CPU, untraced; else None."""
        return self.to_numpy(x) if "cpu" in str(self.device(x)).lower() else None

    has_open_shapes = False
    """Whether a graph may know shapes, or even how many axes there are, only when it runs."""

    def refuse_open_rank(self, name: str) -> None:
        """Raise for an array of which not even the number of axes is known; called where shapes may be open."""

    def check_sizes_at_run_time(self, arrays: Mapping[str, Array], axes: Mapping[str, Any], what: str) -> None:
        """Let a graph compare the sizes of axes, by default of all, when it runs, as far as it leaves them open."""

    has_devices = True
    """Whether arrays of the library can live on different devices, and know on which."""

    def device(self, x: Array) -> Any:
        """The device of x, None where arrays of the library live on one."""
        return getattr(x, "device", None) if self.has_devices else None

    def to_numpy(self, x: Array) -> np.ndarray:
        """The numbers of x as NumPy's array, which may share its memory; without gradient."""
        return np.asarray(x)

    def as_one(self, function: F) -> F:
        """`function(xp, *arrays)` evaluated as one where a library would compile each step of it by itself."""
        return function

    def is_lean(self, *arrays: Array) -> bool:
        """Whether values may be read and results written in place: eager, on the CPU, no gradient recorded."""
        return False


def mean_or_sum(how: str, total: Array, formula: Any, shape: tuple[int, ...]) -> Array:
    """The "mean" or the "sum" of the values of a formula, from their sum."""
    return total / math.prod(shape[: len(shape) - formula.inner]) if how == "mean" else total


def _erf(xp: Any, x: Array) -> Array:
    # Each form is used where it converges: beyond |x| = 2 the series would take ever more terms, below it the fraction.
    size = xp.abs(x)
    small, large = xp.minimum(size, 2.0), xp.minimum(xp.maximum(size, 2.0), 30.0)
    term = series = small
    for n in range(1, 40):  # erf(x) = 2/√π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!!, all terms positive
        term = term * (2.0 * small * small / (2 * n + 1))
        series = series + term
    fraction = large
    for n in range(50, 0, -1):  # erfc(x) = exp(-x²)/√π · 1/(x + (1/2)/(x + (2/2)/(x + …
        fraction = large + (0.5 * n) / fraction
    inside = 1.1283791670955126 * xp.exp(-small * small) * series
    outside = 1.0 - 0.5641895835477563 * xp.exp(-large * large) / fraction
    unsigned = xp.where(size < 2.0, inside, outside)
    return xp.where(x < 0, -unsigned, unsigned)
