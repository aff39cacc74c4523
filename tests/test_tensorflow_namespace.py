"""TensorFlow, spelled as the array API, is NumPy by another name: each name of the list, eager, in graphs and in XLA.

A case is a call written once; NumPy's namespace (or SciPy, for what lies beyond the standard) says what it should give.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import array_api_compat.numpy as standard
import numpy as np
import pytest
import scipy.linalg
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from test_namespace import COMMON  # one call in each library

from anomaly_kernels._core.typing import Namespace

pytestmark = pytest.mark.library("tensorflow")

WAYS = ("eager", "graph", "xla")
ENTRIES = 3  # along every axis but the first, which graphs do not know
NAMES = {name for name in {*vars(Namespace), *Namespace.__annotations__} if not name.startswith("_")}


class Case(NamedTuple):
    """A call, what it is called with, and how closely it agrees with the reference (in eps; 0: also in signs of 0)."""

    call: Callable[..., Any]
    kinds: str = "real"
    eps: float = 0.0
    reference: Callable[..., Any] | None = None
    smooth: bool = False


def counted(step: Any, state: Any, xs: Any, **_: Any) -> tuple[Any, Any]:
    """A plain scan, for reference."""
    ys = []
    for x in xs:
        state, y = step(state, x)
        ys.append(y)
    return state, np.stack(ys)


def leaky(state: Any, x: Any) -> tuple[Any, Any]:
    total, last = state
    total = 0.5 * total + x * last
    return (total, 0.25 * x), total * x


def scanned(xp: Any, x: Any, **rolled: bool) -> Any:
    (total, last), ys = getattr(xp, "scan", counted)(leaky, (x[0, :], x[0, :]), x, **rolled)
    return total + last + ys


def searched(x: Any, y: Any, side: str) -> Any:
    return np.stack([np.searchsorted(np.sort(a), b, side) for a, b in zip(x, y, strict=True)])


def entropies(x: Any, y: Any) -> Any:
    return np.maximum(x, 0) - x * y + np.log1p(np.exp(-np.abs(x)))


CASES: dict[str, Case] = {
    "abs": Case(lambda xp, x: xp.abs(x)),
    "any": Case(lambda xp, m: xp.any(m), "mask"),
    "any axis": Case(lambda xp, m: xp.any(m, axis=-1), "mask"),
    "argsort": Case(lambda xp, x: xp.take_along_axis(x, xp.argsort(x)), "modest", reference=np.sort),
    "argsort stable": Case(
        lambda xp, x: xp.astype(xp.argsort(x, stable=True), xp.int64),
        "modest",
        reference=lambda x: np.argsort(x, axis=-1, stable=True),
    ),
    "argsort line": Case(lambda xp, x: xp.take_along_axis(x, xp.argsort(x)), "line", 1, np.sort),
    "argsort of count": Case(lambda xp, n: xp.take_along_axis(n, xp.argsort(n)), "count", reference=np.sort),
    "astype": Case(lambda xp, x: xp.astype(x, xp.float32)),
    "astype double": Case(lambda xp, x: xp.astype(x, xp.float64)),
    "astype of mask": Case(lambda xp, m: xp.astype(m, xp.float64), "mask"),
    "astype of count": Case(lambda xp, n: xp.astype(n, xp.int64), "count"),
    "broadcast_to": Case(lambda xp, x: xp.broadcast_to(x, (4, *x.shape)), smooth=True),
    "cholesky": Case(lambda xp, s: xp.cholesky(s), "spd", 50, np.linalg.cholesky, smooth=True),
    "cholesky of one": Case(lambda xp, s: xp.cholesky(s[0, ...]), "spd", 50, lambda s: np.linalg.cholesky(s[0])),
    "clip": Case(lambda xp, x: xp.clip(x, -0.5, 1.0), eps=1, reference=lambda x: np.clip(x, -0.5, 1.0)),
    "clip inside": Case(
        lambda xp, x: xp.clip(x, -100.0, 100.0), "modest", 1, lambda x: np.clip(x, -100.0, 100.0), smooth=True
    ),
    "concat": Case(lambda xp, x, y: xp.concat([x, y]), "real real"),
    "concat axis": Case(lambda xp, x, y: xp.concat((x, y), axis=-1), "real real"),
    "constant number": Case(  # eager TensorFlow remembers numbers
        lambda xp, x: xp.stack([xp.constant(v, like=x, dtype=xp.float32) for v in (0.0, -0.0, 0.1)]),
        reference=lambda x: np.array([0.0, -0.0, 0.1], np.float32),
    ),
    "constant": Case(
        lambda xp, x: xp.constant([0.1, -0.0], like=x, dtype=xp.float64), reference=lambda x: np.array([0.1, -0.0])
    ),
    "cross_entropy": Case(
        lambda xp, x, y: xp.cross_entropy(x, y, "none"), "modest modest", 200, entropies, smooth=True
    ),
    "cross_entropy mean": Case(
        lambda xp, x, y: xp.cross_entropy(x, y, "mean"), "modest modest", 200, lambda x, y: np.mean(entropies(x, y))
    ),
    "cumulative_min": Case(
        lambda xp, x: xp.cumulative_min(x), "modest", reference=lambda x: np.minimum.accumulate(x, axis=-1)
    ),
    "cumulative_min line": Case(lambda xp, x: xp.cumulative_min(x), "line", reference=np.minimum.accumulate),
    "cumulative_sum": Case(lambda xp, x: xp.cumulative_sum(x, axis=0), "modest", 32, smooth=True),
    "cumulative_sum axis": Case(lambda xp, x: xp.cumulative_sum(x, axis=-1), "modest", 32),
    "cumulative_sum of mask": Case(lambda xp, m: xp.cumulative_sum(m, axis=0), "mask"),
    "cumulative_sum of count": Case(lambda xp, n: xp.cumulative_sum(n, axis=0), "count"),
    "erf": Case(lambda xp, x: xp.erf(x), eps=4, reference=scipy.special.erf, smooth=True),
    "exp": Case(lambda xp, x: xp.exp(x), eps=4, smooth=True),
    "expand_dims": Case(lambda xp, x: xp.expand_dims(x), reference=lambda x: x[None]),
    "expand_dims axis": Case(lambda xp, x: xp.expand_dims(x, axis=-1)),
    "expm1": Case(lambda xp, x: xp.expm1(x), eps=4, smooth=True),
    "eye_like": Case(lambda xp, s: xp.eye_like(s), "spd", reference=lambda s: np.eye(ENTRIES, dtype=s.dtype)),
    "flip": Case(lambda xp, x: xp.flip(x, axis=-1)),
    "isfinite": Case(lambda xp, x: xp.isfinite(x)),
    "isnan": Case(lambda xp, x: xp.isnan(x)),
    "log": Case(lambda xp, x: xp.log(x), eps=4),
    "log inside": Case(lambda xp, x: xp.log(1.5 + x * x), "modest", 16, smooth=True),
    "log1p": Case(lambda xp, x: xp.log1p(x), eps=200),
    "log1p inside": Case(lambda xp, x: xp.log1p(x * x), "modest", 200, smooth=True),
    "logical_and": Case(lambda xp, m, n: xp.logical_and(m, n), "mask mask"),
    "logical_not": Case(lambda xp, m: xp.logical_not(m), "mask"),
    "logical_or": Case(lambda xp, m, n: xp.logical_or(m, n), "mask mask"),
    "lower_inverse": Case(
        lambda xp, s: xp.lower_inverse(s),
        "lower",
        200,
        lambda s: np.stack([scipy.linalg.solve_triangular(a, np.eye(ENTRIES, dtype=a.dtype), lower=True) for a in s]),
        smooth=True,
    ),
    "lower_inverse of one": Case(
        lambda xp, s: xp.lower_inverse(s[0, ...]), "lower", 200, lambda s: np.linalg.inv(s[0])
    ),
    "magnitude": Case(lambda xp, x: xp.magnitude(x), eps=1, reference=np.abs),
    "magnitude inside": Case(lambda xp, x: xp.magnitude(1.0 + x * x), "modest", 4, lambda x: 1 + x * x, smooth=True),
    "matmul": Case(lambda xp, s, t: xp.matmul(s, t), "spd spd", 50, smooth=True),
    "matmul of vectors": Case(lambda xp, x: xp.matmul(x[0, :], x[0, :]), "modest", 50, smooth=True),
    "matmul with vector": Case(lambda xp, x: xp.matmul(x, x[0, :]), "modest", 50, smooth=True),
    "matmul vector with": Case(lambda xp, x: xp.matmul(x[:, 0], x), "modest", 50, smooth=True),
    "max": Case(lambda xp, x: xp.max(x), eps=1, smooth=True),
    "max axis": Case(lambda xp, x: xp.max(x, axis=-1, keepdims=True), eps=1),
    "max of count": Case(lambda xp, n: xp.max(n, axis=0), "count"),
    "divide": Case(lambda xp, x, y: xp.divide(x, 3.0 + xp.abs(y)), "modest modest", 1, smooth=True),
    "maximum": Case(lambda xp, x, y: xp.maximum(x, y), "real real", 1, smooth=True),
    "maximum number": Case(lambda xp, x: xp.maximum(x, 0.1), smooth=True),
    "maximum broadcast": Case(lambda xp, x: xp.maximum(x, x[0, :]), eps=1),
    "maximum of count": Case(lambda xp, n: xp.maximum(n, 1), "count"),
    "mean": Case(lambda xp, x: xp.mean(x), "modest", 64, smooth=True),
    "mean axis": Case(lambda xp, x: xp.mean(x, axis=(0,), keepdims=True), "modest", 64),
    "min": Case(lambda xp, x: xp.min(x), eps=1, smooth=True),
    "min axis": Case(lambda xp, x: xp.min(x, axis=0), eps=1),
    "minimum": Case(lambda xp, x, y: xp.minimum(x, y), "real real", 1, smooth=True),
    "minimum number": Case(lambda xp, x: xp.minimum(x, 0.1)),
    "ones_like": Case(lambda xp, x: xp.ones_like(x)),
    "ones_like dtype": Case(lambda xp, x: xp.ones_like(x, dtype=xp.bool)),
    "order_statistics": Case(
        lambda xp, x: xp.stack(xp.order_statistics(xp.reshape(x, (-1,)), [0, 2, 1])),
        "modest",
        1,
        lambda x: np.sort(x, axis=None)[[0, 2, 1]],
        smooth=True,
    ),
    "nextafter": Case(lambda xp, x: xp.nextafter(x, xp.full_like(x, math.inf)), "modest"),
    "permute_dims": Case(lambda xp, s: xp.permute_dims(s, (2, 0, 1)), "spd"),
    "reshape": Case(lambda xp, x: xp.reshape(x, (-1,)), smooth=True),
    "reshape known": Case(lambda xp, x: xp.reshape(x, (x.shape[0], 1, -1))),
    "reshape scalar": Case(lambda xp, x: xp.reshape(x[0, 0], ())),
    "scan": Case(scanned, "modest", 64, smooth=True),
    "scan rolled": Case(partial(scanned, rolled=True), "modest", 64, smooth=True),
    "searchsorted": Case(lambda xp, x, y: xp.searchsorted(xp.sort(x), y), "line line"),
    "searchsorted right": Case(lambda xp, x, y: xp.searchsorted(xp.sort(x), y, side="right"), "line line"),
    "searchsorted rows": Case(
        lambda xp, x, y: xp.searchsorted(xp.sort(x), y), "modest modest", reference=lambda x, y: searched(x, y, "left")
    ),
    "searchsorted rows right": Case(
        lambda xp, x, y: xp.searchsorted(xp.sort(x), y, side="right"),
        "modest modest",
        reference=lambda x, y: searched(x, y, "right"),
    ),
    "sigmoid": Case(lambda xp, x: xp.sigmoid(x), eps=4, reference=scipy.special.expit, smooth=True),
    "softplus": Case(
        lambda xp, x: xp.softplus(x), "wide", 200, reference=lambda x: np.logaddexp(x, np.zeros((), x.dtype))
    ),
    "softplus inside": Case(
        lambda xp, x: xp.softplus(x), "modest", 200, lambda x: np.logaddexp(x, np.zeros((), x.dtype)), smooth=True
    ),
    "sort": Case(lambda xp, x: xp.sort(x), eps=1, smooth=True),
    "sort rows": Case(lambda xp, x: xp.sort(xp.permute_dims(x, (1, 0))), eps=1, smooth=True),
    "sort line": Case(lambda xp, x: xp.sort(x), "line", 1),
    "sort of count": Case(lambda xp, n: xp.sort(n), "count"),
    "squared_difference": Case(
        lambda xp, x, y: xp.squared_difference(x, y, "none"),
        "modest modest",
        8,
        lambda x, y: (x - y) ** 2,
        smooth=True,
    ),
    "squared_difference sum": Case(
        lambda xp, x, y: xp.squared_difference(x, y, "sum"), "modest modest", 64, lambda x, y: np.sum((x - y) ** 2)
    ),
    "sum_of_products": Case(
        lambda xp, x, y: xp.sum_of_products(x, y), "modest modest", 64, lambda x, y: np.sum(x * y), smooth=True
    ),
    "reduce_by": Case(lambda xp, x: xp.reduce_by("none", x), reference=np.copy),
    "reduce_by mean": Case(lambda xp, x: xp.reduce_by("mean", x), "modest", 64, np.mean, smooth=True),
    "reduce_by sum": Case(lambda xp, x: xp.reduce_by("sum", x), "modest", 64, np.sum, smooth=True),
    "sqrt": Case(lambda xp, x: xp.sqrt(x), eps=1),
    "sqrt inside": Case(lambda xp, x: xp.sqrt(1.0 + x * x), "modest", 4, smooth=True),
    "stack": Case(lambda xp, x, y: xp.stack([x, y]), "real real"),
    "stack axis": Case(lambda xp, x, y: xp.stack((x, y), axis=-1), "real real"),
    "stop_gradient": Case(lambda xp, x: xp.stop_gradient(x), reference=np.copy),
    "sum": Case(lambda xp, x: xp.sum(x), "modest", 64, smooth=True),
    "sum axis": Case(lambda xp, x: xp.sum(x, axis=-1), "modest", 64),
    "sum keepdims": Case(lambda xp, x: xp.sum(x, axis=(0, 1), keepdims=True), "modest", 64),
    "sum of specials": Case(lambda xp, x: xp.sum(xp.where(xp.isfinite(x), 0.0, x))),
    "sum of count": Case(lambda xp, n: xp.sum(n, axis=0), "count"),
    "take": Case(
        lambda xp, x: xp.take(x, xp.cumulative_sum(xp.ones_like(x[0, :2], dtype=xp.int64), axis=0), axis=-1),
        smooth=True,
    ),
    "take axis": Case(lambda xp, x: xp.take(x, xp.zeros_like(x[0, :1], dtype=xp.int64), axis=0)),
    "take_along_axis": Case(
        lambda xp, x, n: xp.take_along_axis(x, xp.where(n < 0, 0, xp.where(n < 9, 1, 2))),
        "real count",
        reference=lambda x, n: np.take_along_axis(x, np.where(n < 0, 0, np.where(n < 9, 1, 2)), -1),
    ),
    "top_k": Case(lambda xp, x: xp.top_k(x, 2)[0], "modest", reference=lambda x: np.sort(x)[..., :-3:-1], smooth=True),
    "top_k places": Case(
        lambda xp, x: xp.take_along_axis(x, xp.top_k(x, 2)[1]), "modest", reference=lambda x: np.sort(x)[..., :-3:-1]
    ),
    "tanh": Case(lambda xp, x: xp.tanh(x), eps=4, smooth=True),
    "where": Case(lambda xp, x, y: xp.where(x < y, x, y), "real real", smooth=True),
    "where numbers": Case(lambda xp, x: xp.where(x < 0, 0.1, x) + 0 * xp.where(xp.isnan(x), x, -0.0)),
    "zeros_like": Case(lambda xp, x: xp.zeros_like(x)),
    "zeros_like dtype": Case(lambda xp, x: xp.zeros_like(x, dtype=xp.int64)),
}


def reference(case: Case, *arrays: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.asarray(case.call(standard, *arrays) if case.reference is None else case.reference(*arrays))


@st.composite
def inputs(draw: Any, kinds: str, dtype: str, size: int | None) -> list[np.ndarray]:
    """One array of each kind; `size` entries along the first axis, or any number."""
    size = size or draw(st.integers(1, 6))
    width = 32 if dtype == "float32" else 64
    plain = st.floats(-50, 50, width=width, allow_subnormal=False)
    ties = st.sampled_from([-math.inf, -1.0, -0.0, 0.0, 1.0, 2.5, math.inf])
    wild = st.floats(width=width, allow_subnormal=False) | plain | ties | st.just(math.nan)
    made = []
    for kind in kinds.split():
        if kind == "mask":
            array = draw(hnp.arrays(bool, (size, ENTRIES)))
        elif kind == "count":
            array = draw(hnp.arrays("int32", (size, ENTRIES), elements=st.integers(-(2**30), 2**30)))
        elif kind == "line":
            array = draw(hnp.arrays(dtype, size, elements=plain | ties))
        elif kind in {"spd", "lower"}:
            root = np.tril(draw(hnp.arrays(dtype, (size, ENTRIES, ENTRIES), elements=st.floats(-1, 1, width=16))))
            root += 2 * np.eye(ENTRIES, dtype=dtype)
            array = root if kind == "lower" else root @ np.swapaxes(root, 1, 2)
        else:
            elements = {"modest": plain, "wide": st.floats(-1e4, 1e4, width=32) | st.just(math.nan)}.get(kind, wild)
            array = draw(hnp.arrays(dtype, (size, ENTRIES), elements=elements))
        made.append(array)
    return made


@cache
def runner(name: str, way: str, dtype: str) -> Callable[..., Any]:
    """The call of a case, run one way: compiled once, for all examples."""
    import tensorflow as tf

    call, kinds = CASES[name].call, CASES[name].kinds.split()
    dtypes = {"mask": "bool", "count": "int32"}
    shapes = {"line": [None], "spd": [None, ENTRIES, ENTRIES], "lower": [None, ENTRIES, ENTRIES]}
    specs = [tf.TensorSpec(shapes.get(kind, [None, ENTRIES]), dtypes.get(kind, dtype)) for kind in kinds]
    run = tf.autograph.experimental.do_not_convert(lambda *arrays: call(namespace(), *arrays))  # traces faster
    return compiled(run, way, specs)


def compiled(function: Callable[..., Any], way: str, specs: Any = None) -> Callable[..., Any]:
    """The function as it is, in a graph that knows no more than the specs, or in XLA."""
    import tensorflow as tf

    if way == "eager":
        return function
    if way == "xla":
        return tf.function(function, jit_compile=True, autograph=False)
    return tf.function(function, input_signature=specs, jit_compile=way == "xla unknown")


def namespace() -> Any:
    from anomaly_kernels._core.backends import tensorflow

    return tensorflow.namespace


def assert_same(got: Any, want: Any, eps: float, scale: float) -> None:
    """Equal to some eps of their size or of `scale`; to the sign of 0 where that is no eps at all."""
    got, want = np.asarray(got), np.asarray(want)
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    if want.dtype.kind != "f":
        np.testing.assert_array_equal(got, want)
        return
    limits = np.finfo(want.dtype)
    np.testing.assert_allclose(got, want, eps * limits.eps, limits.tiny + eps * limits.eps * scale)
    if eps == 0:
        zero = want == 0  # what underflows to -0.0 here may be subnormal there
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
def test_agrees_with_numpy(name: str, data: Any) -> None:
    agrees(name, "eager", data)


# A graph calls what is called eagerly: a few examples show that it is put together and compiled to the same
@pytest.mark.parametrize("way", ["graph", "xla"])
@pytest.mark.parametrize("name", CASES)
@settings(max_examples=settings.default.max_examples // 5)
@given(data=st.data())
def test_compiled_agrees_with_numpy(name: str, way: str, data: Any) -> None:
    agrees(name, way, data)


def agrees(name: str, way: str, data: Any) -> None:
    import tensorflow as tf

    case = CASES[name]
    dtype = data.draw(st.sampled_from(["float64", "float32"])) if way == "eager" else "float64"
    arrays = data.draw(inputs(case.kinds, dtype, 5 if way == "xla" else None))
    kind = data.draw(st.sampled_from([tf.constant, tf.Variable])) if way == "eager" else tf.constant
    got, want = runner(name, way, dtype)(*map(kind, arrays)), reference(case, *arrays)
    bounded = not {"real", "wide", "line", "mask"} & {*case.kinds.split()}
    assert_same(got, want, case.eps, np.max(np.abs(arrays[0])) if bounded else 0.0)


@pytest.mark.parametrize("way", ["eager", "xla"])
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.smooth])
def test_two_derivatives_agree_with_differences(name: str, way: str) -> None:
    import tensorflow as tf

    case, generator = CASES[name], np.random.default_rng(0)
    points, directions = [], []
    for kind in case.kinds.split():
        x, v = generator.normal(size=(2, 5, ENTRIES, *[ENTRIES] * (kind in {"spd", "lower"})))
        if kind == "lower":
            x, v = np.tril(x) + 4 * np.eye(ENTRIES), np.tril(v)
        if kind == "spd":
            x, v = x @ np.swapaxes(x, 1, 2) + np.eye(ENTRIES), v + np.swapaxes(v, 1, 2)
        points.append(x)
        directions.append(v)
    shape = reference(case, *points).shape
    weights = np.cos(np.arange(math.prod(shape))).reshape(shape)  # so that the order of the results matters

    def expected(t: float) -> Any:
        return np.sum(weights * np.sin(reference(case, *(x + t * v for x, v in zip(points, directions, strict=True)))))

    def derivatives(t: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(t)
            with tf.GradientTape() as inner:
                inner.watch(t)
                arrays = [x + t * v for x, v in zip(points, directions, strict=True)]
                value = tf.reduce_sum(weights * tf.sin(case.call(namespace(), *arrays)))
            slope = inner.gradient(value, t)
        return slope, outer.gradient(slope, t)

    slope, curvature = compiled(derivatives, way)(tf.constant(0.0, tf.float64))
    h = 1e-4
    below, here, above = (expected(t) for t in (-h, 0.0, h))
    np.testing.assert_allclose(slope, (above - below) / (2 * h), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(curvature, (above - 2 * here + below) / h**2, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("call", "values", "total"),
    [
        (lambda xp, x: xp.maximum(x, 1.0 * x), [1.0, -0.0, math.inf], 3.0),
        (lambda xp, x: xp.minimum(x, 1.0 * x), [1.0, -0.0, -math.inf], 3.0),
        (lambda xp, x: xp.where(x < 0, x, 1.0 * x), [0.0, 0.0, 0.0], 3.0),
        (lambda xp, x: xp.max(x), [2.0, 2.0, 1.0], 1.0),
        (lambda xp, x: xp.min(x), [2.0, 2.0, 3.0], 1.0),
        (lambda xp, x: xp.sort(x), [2.0, 2.0, 1.0], 3.0),
        (lambda xp, x: xp.magnitude(x), [0.0, -0.0, 0.0], 3.0),
        (lambda xp, x: x + xp.stop_gradient(x), [0.0, 1.0, 2.0], 3.0),
        (lambda xp, x: xp.sigmoid(x) - xp.sigmoid(x), [-800.0, 0.0, 800.0], 0.0),
        (lambda xp, x: xp.erf(x) - xp.erf(x), [-1e300, 0.0, 1e300], 0.0),
    ],
)
def test_gradients_at_ties_and_in_tails_are_shares_of_the_whole(call: Any, values: Any, total: float, way: str) -> None:
    import tensorflow as tf

    def gradient(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = call(namespace(), x)
        return tape.gradient(y, x)

    shares = compiled(gradient, way, [tf.TensorSpec([None], tf.float64)])(tf.constant(values, tf.float64)).numpy()
    assert np.all(shares >= 0)
    assert np.all(shares <= 1)
    assert np.sum(shares) == total


@pytest.mark.parametrize("way", [*WAYS, "xla unknown"])
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((2**26,), None),
        ((100, 100, 101), None),
        ((2**18, 8), 0),
        ((64, 256, 256), (-1, 1)),
        ((2, 70_001, 3), 1),
        ((2, 1000, 3), 1),
    ],
)
def test_long_sums_of_float32_are_accurate(shape: tuple[int, ...], axis: Any, way: str) -> None:
    import tensorflow as tf

    def reductions(x: Any) -> Any:
        xp = namespace()
        return xp.sum(x, axis=axis), xp.sum(x * x, axis=axis, keepdims=True), xp.mean(x, axis=axis)

    spec = [tf.TensorSpec([None] * len(shape), tf.float32)]
    total, squares, mean = compiled(reductions, way, spec)(tf.fill(shape, np.float32(0.1)))
    axes = tuple(range(len(shape))) if axis is None else axis
    kept = np.sum(np.broadcast_to(np.int8(0), shape), axis=axes, keepdims=True).shape
    count = math.prod(shape) // math.prod(kept)
    tenth, square = np.float64(np.float32(0.1)), np.float64(np.float32(0.1) * np.float32(0.1))
    assert (squares.shape, total.shape, mean.shape) == (kept, *[np.squeeze(np.empty(kept), axes).shape] * 2)
    np.testing.assert_allclose(total, count * tenth, rtol=1e-6)
    np.testing.assert_allclose(squares, count * square, rtol=1e-6)
    np.testing.assert_allclose(mean, tenth, rtol=1e-6)


@pytest.mark.parametrize("way", ["graph", "xla"])
def test_long_scan_is_the_loop_it_says(way: str) -> None:
    import tensorflow as tf

    def value_and_gradient(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = scanned(namespace(), x)
        return y, tape.gradient(y, x)

    x = tf.constant(np.random.default_rng(0).normal(size=(70, ENTRIES)))
    value, gradient = compiled(value_and_gradient, way, [tf.TensorSpec([None, None], tf.float64)])(x)
    one_by_one = value_and_gradient(x)
    np.testing.assert_allclose(value, scanned(standard, x.numpy()), rtol=1e-12)
    np.testing.assert_allclose(gradient, one_by_one[1], rtol=1e-12)


def test_offers_the_closed_list_and_no_more() -> None:
    import tensorflow as tf

    xp = namespace()
    beneath = {
        "differentiate",
        "level",
        "root",
        "run",
        "scattered",
        "sum_blocks",
        "takes_blocks",
    }  # how formulas are evaluated, which kernels do not call
    assert {name for name in dir(xp) if not name.startswith("_")} == NAMES | beneath
    assert (xp.name, str(xp)) == ("tensorflow", "<namespace of tensorflow>")
    kinds = {"bool", "int32", "int64", "float32", "float64"}
    assert all(getattr(xp, kind) == getattr(tf, kind) for kind in kinds)
    x = tf.ones(1)
    assert (xp.device(x), xp.is_lean(x, x), xp.as_one(abs)) == (None, False, abs)
    assert (xp.fold(abs, abs, abs, (), ()), xp.wide(x), xp.counting(), xp.is_known(x)) == (
        None,
        tf.float64,
        tf.int64,
        True,
    )
    assert not tf.function(xp.is_known)(x)
    assert (xp.peek(x).tolist(), tf.function(lambda x: xp.peek(x) is None)(x)) == ([1.0], True)
    high, low = xp.sorted_classes(tf.constant([3.0, 1.0, 2.0]), tf.constant([True, False, True]))
    assert (high.numpy().tolist(), low.numpy().tolist()) == ([2.0, 3.0], [1.0])
    assert xp.sort_highest(tf.constant([3, 1, 2]), tf.constant([True, False, False]), 0.1).numpy().tolist() == [1, 2]
    mask = tf.constant([[True, False, True]])
    assert xp.region_numbers(mask, (1,), 1).numpy().tolist() == [[1, 0, 2]]
    assert xp.region_numbers_inside(mask).numpy().tolist() == [1, 2]
    assert {name.partition(" ")[0] for name in CASES} == NAMES - kinds - COMMON.keys() - {
        *("name", "pi", "e", "inf", "nan"),
        "device",
        "is_lean",
        "as_one",
        "value_and_grad",
        "fold",
        "by_rows",  # in test_series
        "wide",
        "counting",
        "is_known",
        "peek",
        "to_numpy",
        "has_devices",
        "has_open_shapes",  # these three in test_keras_classes
        "refuse_open_rank",
        "check_sizes_at_run_time",
        "sorted_classes",
        "sort_highest",
        "region_numbers",
        "region_numbers_inside",
        "reduce",  # these three in test_reduce
        "add_up",
        "evaluate",
        "evaluate_rows",
    }
