"""Gradients without a framework: each rule by itself, then losses, higher derivatives, and what is refused."""

# ruff: noqa: PLW0108  # what is called with a followed array is shown to be

from __future__ import annotations

import functools
import gc
import math
import operator
import threading
import timeit
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import anomaly_kernels as ak
from anomaly_kernels._catalogue import KERNELS
from anomaly_kernels._core.backends.generic import STANDARD, Generic
from anomaly_kernels._core.namespace import _TAPES
from anomaly_kernels._core.tape import rules, sweep
from anomaly_kernels._core.tape import tape as tape_module
from anomaly_kernels._core.typing import Namespace
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.contract import CHECKS
from anomaly_kernels.testing.samples import sample
from anomaly_kernels.testing.support import does_not_apply
from anomaly_kernels.testing.trees import flatten

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
POSITIVE, ROW, COLUMN = RNG.uniform(0.5, 2.0, (3, 4)), RNG.normal(size=4), RNG.normal(size=(3, 1))
CUBE = RNG.normal(size=(2, 3, 4))
MATRICES = np.einsum("kij,klj->kil", CUBE, CUBE) + np.eye(3)
MASK, FEW = np.asarray([True, False, True]), np.asarray([2, 0, 2])
ORDER = np.asarray([[3, 0, 0], [1, 1, 2], [0, 2, 3]])


DIFFERENTIATED = pytest.mark.library("numpy", "array_api_strict", "torch", "jax", "tensorflow")


class Rule(NamedTuple):
    """A function of a namespace and arrays, and the values of the arrays; plain ones, such as masks, come last."""

    function: Callable[..., Any]
    arrays: tuple[Any, ...]
    plain: tuple[Any, ...] = ()
    only_numpy: bool = False


RULES: dict[str, Rule] = {
    "add": Rule(lambda xp, x, y: x + y, (X, Y)),
    "add, broadcast": Rule(lambda xp, x, y: x + y, (COLUMN, ROW)),
    "add, a number": Rule(lambda xp, x: 2.0 + x + 1, (X,)),
    "add, a plain array": Rule(lambda xp, x, p: p + x + p, (ROW,), (X,)),
    "add, in place": Rule(lambda xp, x, y: operator.iadd(x * 1.0, y), (X, Y)),
    "subtract": Rule(lambda xp, x, y: x - y, (X, ROW)),
    "subtract, reflected": Rule(lambda xp, x, p: p - x + (1 - x), (ROW,), (X,)),
    "multiply": Rule(lambda xp, x, y: x * y, (X, COLUMN)),
    "multiply, with itself": Rule(lambda xp, x: x * x * x, (X,)),
    "multiply, a plain array": Rule(lambda xp, x, p: p * x * 3, (ROW,), (X,)),
    "divide": Rule(lambda xp, x, y: x / y, (X, POSITIVE)),
    "divide, reflected": Rule(lambda xp, x, p: p / x + 2.0 / x, (POSITIVE,), (ROW,)),
    "power": Rule(lambda xp, x, y: x**y, (POSITIVE, ROW)),
    "power, a number": Rule(lambda xp, x: x**3 + x**0 + x**1 + x**2.0, (X,)),
    "power, of a number": Rule(lambda xp, x: 2.0**x, (X,)),
    "power, a plain array": Rule(lambda xp, x, p: x**p + abs(p) ** x, (POSITIVE,), (ROW,)),
    "negative": Rule(lambda xp, x: -x + +x * 3.0, (X,)),
    "@": Rule(lambda xp, x, y: x @ y, (X, CUBE[0].T.copy())),
    "@, a plain array": Rule(lambda xp, x, p: p @ x, (ROW,), (X,)),
    "matmul, a batch by a matrix": Rule(lambda xp, x, y: xp.matmul(x, y), (CUBE, X.T.copy())),
    "matmul, a matrix by a batch": Rule(lambda xp, x, y: xp.matmul(x, y), (X.T.copy(), CUBE)),
    "matmul, batches": Rule(lambda xp, x, y: xp.matmul(x, xp.permute_dims(y, (0, 2, 1))), (CUBE, CUBE + 1.0)),
    "matmul, batches that broadcast": Rule(
        lambda xp, x, y: xp.matmul(x, y), (CUBE, CUBE.reshape(2, 1, 4, 3)), (), True
    ),
    "matmul, vectors": Rule(lambda xp, x, y: xp.matmul(x, y), (ROW, ROW + 1.0)),
    "matmul, a vector by a batch": Rule(lambda xp, x, y: xp.matmul(x, y), (X[:, 0].copy(), CUBE)),
    "matmul, a batch by a vector": Rule(lambda xp, x, y: xp.matmul(x, y), (CUBE, ROW)),
    "transpose": Rule(lambda xp, x, y: x.mT @ y.T.mT, (X, Y)),
    "getitem, a slice": Rule(lambda xp, x: x[1:, ::2] * x[:-1, 1::2], (X,)),
    "getitem, a number": Rule(lambda xp, x: x[1, 2] + x[-1, ...] + x[0, :], (X,)),
    "getitem, None": Rule(lambda xp, x: x[None, :, 1:] * x[:, None, 1:], (X,)),
    "getitem, an ellipsis": Rule(lambda xp, x: x[..., 0] * x[..., 0], (X,)),
    "getitem, a mask": Rule(lambda xp, x, p: x[p], (X[:, 0].copy(),), (MASK,)),
    "getitem, a mask of rows": Rule(lambda xp, x, p: x[p, 1:] * 2.0, (X,), (MASK,), True),
    "getitem, integers": Rule(lambda xp, x, p: x[p], (X,), (FEW,), True),
    "getitem, integers along two axes": Rule(lambda xp, x, p: x[p, p], (X,), (FEW,)),
    "getitem, a list": Rule(lambda xp, x: x[[0, 0, 2]], (X,), (), True),
    "iterated": Rule(lambda xp, x: sum(k * row * row for k, row in enumerate(x, 1)) * float(len(x)), (X,)),
    "abs": Rule(lambda xp, x: abs(x) + xp.abs(x), (X,)),
    "exp": Rule(lambda xp, x: xp.exp(x), (X,)),
    "expm1": Rule(lambda xp, x: xp.expm1(x), (X,)),
    "log": Rule(lambda xp, x: xp.log(x), (POSITIVE,)),
    "log1p": Rule(lambda xp, x: xp.log1p(x), (POSITIVE,)),
    "sqrt": Rule(lambda xp, x: xp.sqrt(x), (POSITIVE,)),
    **{
        name: Rule(lambda xp, x, name=name: getattr(xp, name)(x), (X / 4.0,))
        for name in (
            "acos",
            "asin",
            "asinh",
            "atan",
            "atanh",
            "cos",
            "cosh",
            "sin",
            "sinh",
            "square",
            "tan",
            "std",
            "var",
        )
    },
    **{
        name: Rule(lambda xp, x, name=name: getattr(xp, name)(x), (1.0 + POSITIVE,))
        for name in ("acosh", "log2", "log10")
    },
    **{
        name: Rule(lambda xp, x, y, name=name: getattr(xp, name.partition(",")[0])(x, y), (POSITIVE, ROW))
        for name in (
            "add, a function",
            "atan2",
            "logaddexp",
            "multiply, a function",
            "pow",
            "subtract, a function",
            "vecdot",
        )
    },
    "negative, a function": Rule(lambda xp, x: xp.negative(x), (X,)),
    "std, along an axis": Rule(lambda xp, x: xp.std(x, axis=-1, correction=1.0, keepdims=True) * x, (X,)),
    "squeeze": Rule(lambda xp, x: xp.squeeze(x, axis=-1), (COLUMN,)),
    "matrix_transpose": Rule(lambda xp, x: xp.matrix_transpose(x), (CUBE,)),
    "full_like": Rule(lambda xp, x: x * xp.full_like(x, 3.0), (X,)),
    "tanh": Rule(lambda xp, x: xp.tanh(x), (X,)),
    "erf": Rule(lambda xp, x: xp.erf(x), (X,)),
    "sigmoid": Rule(lambda xp, x: xp.sigmoid(x), (X,)),
    "softplus": Rule(lambda xp, x: xp.softplus(x), (X,)),
    "magnitude": Rule(lambda xp, x: xp.magnitude(x), (X,)),
    "maximum": Rule(lambda xp, x, y: xp.maximum(x, y), (X, ROW)),
    "maximum, a number": Rule(lambda xp, x: xp.maximum(x, 0.25), (X,)),
    "minimum": Rule(lambda xp, x, y: xp.minimum(x, y), (X, ROW)),
    "minimum, a number": Rule(lambda xp, x: xp.minimum(x, 0.25), (X,)),
    "where": Rule(lambda xp, x, y: xp.where(x > y, x * x, y), (X, COLUMN)),
    "where, a number": Rule(lambda xp, x: xp.where(x > 0.0, x, 0.0) * xp.where(x > 0.0, 1.0, x), (X,)),
    "sum": Rule(lambda xp, x: xp.sum(x * x), (X,)),
    "sum, axes": Rule(lambda xp, x: xp.sum(x, axis=(0, -1)) * xp.sum(x * x, axis=-1), (CUBE,), (), True),
    "sum, kept": Rule(lambda xp, x: x * xp.sum(x, axis=-1, keepdims=True), (X,)),
    "mean": Rule(lambda xp, x: xp.mean(x) * x + xp.mean(x, axis=0), (X,)),
    "mean, kept": Rule(lambda xp, x: x * xp.mean(x, axis=(0, 1), keepdims=True), (X,)),
    "max": Rule(lambda xp, x: xp.max(x) + xp.max(x, axis=1), (X,)),
    "min": Rule(lambda xp, x: xp.min(x, axis=(0,), keepdims=True) * xp.min(x), (X,)),
    "cumulative_sum": Rule(lambda xp, x: xp.cumulative_sum(x, axis=1) * xp.cumulative_sum(x, axis=0), (X,)),
    "astype": Rule(lambda xp, x: xp.astype(xp.astype(x, xp.float64), xp.float64), (X,)),
    "broadcast_to": Rule(lambda xp, x: xp.broadcast_to(x, (2, 3, 4)) * 2.0, (COLUMN,)),
    "expand_dims": Rule(lambda xp, x: xp.expand_dims(x, axis=1) * xp.expand_dims(x, axis=-1), (ROW,)),
    "reshape": Rule(lambda xp, x: xp.reshape(x, (2, -1)), (X,)),
    "flip": Rule(lambda xp, x: xp.flip(x, axis=1) * x, (X,)),
    "permute_dims": Rule(lambda xp, x: xp.permute_dims(x, (2, 0, 1)), (CUBE,)),
    "permute_dims, from the back": Rule(lambda xp, x: xp.permute_dims(x, (-1, 0, 1)), (CUBE,), (), True),
    "concat": Rule(lambda xp, x, y, p: xp.concat([x, p, y, x * x], axis=-1), (X, COLUMN), (Y,)),
    "stack": Rule(lambda xp, x, y, p: xp.stack([x, p, y, x * x], axis=-1), (X, Y), (Y,)),
    "take": Rule(lambda xp, x, p: xp.take(x, p, axis=0) * 2.0, (X,), (FEW,)),
    "take, the last axis": Rule(lambda xp, x, p: xp.take(x, p, axis=-1), (CUBE,), (FEW,)),
    "take_along_axis": Rule(lambda xp, x, p: xp.take_along_axis(x, p), (X,), (ORDER,)),
    "take_along_axis, one": Rule(lambda xp, x, p: xp.take_along_axis(x, p), (ROW,), (FEW,)),
    "sort": Rule(lambda xp, x: xp.sort(x) * xp.cumulative_sum(xp.ones_like(x), axis=-1), (CUBE,)),
    "cholesky": Rule(lambda xp, x: xp.cholesky(0.5 * (x + x.mT)), (MATRICES,)),
    "lower_inverse": Rule(lambda xp, x, p: xp.lower_inverse(x * p), (MATRICES,), (np.tril(np.ones((3, 3))),)),
    # without a rule of their own
    "scan": Rule(lambda xp, x, y: xp.scan(lambda h, r: ((h := xp.tanh(h * y + r)), h * h), y, x)[1], (X, ROW)),
    "sorted_classes": Rule(
        lambda xp, x, p: xp.concat(xp.sorted_classes(x, p)),
        (ROW,),
        (np.asarray([True, False, False, True]),),
        True,
    ),
    "sort_highest": Rule(
        lambda xp, x, p: xp.sort_highest(x, p, 1.0), (ROW,), (np.asarray([True, False, False, True]),), True
    ),
    "as_one": Rule(lambda xp, x: xp.as_one(lambda xp, x: xp.exp(x))(xp, x), (X,)),
    "constant": Rule(
        lambda xp, x: xp.constant(x, like=x, dtype=xp.float64) * xp.constant(2.0, like=x, dtype=x.dtype), (X,)
    ),
    "cross_entropy": Rule(lambda xp, x, y: xp.cross_entropy(x, y, "none"), (X, Y)),
    "squared_difference": Rule(lambda xp, x, y: xp.squared_difference(x, y, "mean") * x, (X, ROW)),
    "clip": Rule(lambda xp, x: xp.clip(x, -0.3, 0.4), (X,)),
    "sum_of_products": Rule(lambda xp, x, y: xp.sum_of_products(x, y), (X, Y)),
    "order_statistics": Rule(lambda xp, x: xp.stack(list(xp.order_statistics(x * x, [0, 2, 3]))), (ROW,)),
    "top_k": Rule(lambda xp, x: xp.top_k(x * x, 2)[0] * x[..., :2], (X,)),
    "reduce_by": Rule(lambda xp, x: xp.reduce_by("mean", x * x), (X,)),
}


def weighted(rule: Rule, plain: Any) -> Callable[..., Any]:
    """A sum of what the rule's function gives, with weights of its own for each number."""

    def total(*arrays: Any) -> Any:
        xp = ak.array_namespace(*arrays)
        y = rule.function(xp, *arrays, *plain)
        weights = xp.constant(1.0 + 0.5 * np.cos(np.arange(math.prod(y.shape))).reshape(y.shape), like=y, dtype=y.dtype)
        return xp.sum(weights * y)

    return total


def slopes(function: Callable[..., Any], arrays: tuple[Any, ...], k: int, h: float = 2.0**-13) -> np.ndarray:
    """Central differences of a function of NumPy arrays by each number of the k-th."""
    found = np.zeros(np.shape(arrays[k]))
    for index in np.ndindex(found.shape):
        values = []
        for step in (-2, -1, 1, 2):
            moved = [np.array(x) for x in arrays]
            moved[k][index] += step * h
            values.append(float(function(*moved)))
        found[index] = (8 * (values[2] - values[1]) - (values[3] - values[0])) / (12 * h)
    return found


def skip_if_unknown(rule: Rule, driver: Any) -> None:
    if rule.only_numpy and driver.name != "numpy":
        pytest.skip("NumPy's own")


def test_every_rule_is_tested():
    tested = {name.partition(",")[0] for name in RULES}
    assert set(rules.RULES) <= tested
    assert {name for name in STANDARD if callable(getattr(Namespace, name, None))} <= (
        tested
        | rules.WITHOUT_SLOPE
        | {"fold", "by_rows", "value_and_grad", "is_lean", "reduce", "add_up", "evaluate", "evaluate_rows"}
    )


@pytest.mark.library("numpy", "array_api_strict", "torch")
@pytest.mark.parametrize("name", RULES)
def test_gradient_of_a_function_is_its_slope(name, driver):
    rule = RULES[name]
    skip_if_unknown(rule, driver)
    plain = tuple(map(driver.array, rule.plain))
    arrays = tuple(map(driver.array, rule.arrays))
    value, found = ak.value_and_grad(weighted(rule, plain), tuple(range(len(arrays))))(*arrays)
    on_numpy = weighted(rule, rule.plain)
    np.testing.assert_allclose(driver.numpy(value), on_numpy(*rule.arrays), rtol=1e-12)
    by_tape = ak.value_and_grad(on_numpy, tuple(range(len(arrays))))(*rule.arrays)[1]
    for k, g in enumerate(found):
        assert tuple(g.shape) == rule.arrays[k].shape
        expected = slopes(on_numpy, rule.arrays, k)
        np.testing.assert_allclose(driver.numpy(g), expected, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(driver.numpy(g), by_tape[k], rtol=1e-12, atol=1e-13)


@pytest.mark.library("numpy", "array_api_strict")
@pytest.mark.parametrize("name", RULES)
def test_second_derivatives_of_a_function_are_slopes_of_its_gradient(name, driver):
    rule = RULES[name]
    skip_if_unknown(rule, driver)
    numbers = tuple(range(len(rule.arrays)))

    def along(function):
        def slope(*arrays):
            xp = ak.array_namespace(*arrays)
            gradients = ak.value_and_grad(function, numbers)(*arrays)[1]
            directions = [
                xp.constant(np.sin(np.arange(g.size)).reshape(g.shape), like=g, dtype=g.dtype) for g in gradients
            ]
            return sum(xp.sum(v * g) for v, g in zip(directions, gradients, strict=True))

        return slope

    found = ak.value_and_grad(along(weighted(rule, tuple(map(driver.array, rule.plain)))), numbers)(
        *map(driver.array, rule.arrays)
    )[1]
    on_numpy = along(weighted(rule, rule.plain))
    for k, g in enumerate(found):
        np.testing.assert_allclose(driver.numpy(g), slopes(on_numpy, rule.arrays, k), rtol=1e-7, atol=1e-7)


def gradient(function, *arrays):
    return ak.value_and_grad(function, tuple(range(len(arrays))))(*arrays)[1]


def space(*arrays):
    return ak.array_namespace(*arrays)


@pytest.mark.library("numpy", "array_api_strict", "torch")  # others differ
def test_where_there_is_no_derivative(driver):
    zero, x = driver.array(np.zeros(1)), driver.array(np.asarray([2.0]))
    cases = [
        (lambda x: space(x).sum(space(x).abs(x)), (zero,), [0.0]),
        (lambda x: space(x).sum(space(x).magnitude(x)), (zero,), [1.0]),
        (lambda x, y: space(x).sum(space(x).maximum(x, y)), (x, x), [0.5, 0.5]),
        (lambda x, y: space(x).sum(space(x).minimum(x, y)), (x, x), [0.5, 0.5]),
    ]
    for function, arrays, expected in cases:
        assert [driver.numpy(g).item() for g in gradient(function, *arrays)] == expected
    for reduce in ("max", "min"):
        ties = driver.array(np.asarray([1.0, 1.0, 0.0]) if reduce == "max" else np.asarray([-1.0, 0.0, -1.0]))
        (g,) = gradient(lambda x, reduce=reduce: getattr(space(x), reduce)(x), ties)
        assert sorted(driver.numpy(g)) == [0.0, 0.5, 0.5]


@pytest.mark.library("numpy", "array_api_strict")
@pytest.mark.parametrize("function", ["maximum", "minimum"])
def test_ties_with_a_number_share_too(function, driver):
    (g,) = gradient(lambda x: space(x).sum(getattr(space(x), function)(x, 2.0)), driver.array(np.asarray([2.0])))
    assert driver.numpy(g).tolist() == [0.5]


def test_powers_of_zero():
    x = np.zeros(1)
    for power, expected in ((0, 0.0), (1, 1.0), (2, 0.0)):
        assert gradient(lambda x, power=power: np.float64(1.0) * space(x).sum(x**power), x)[0] == [expected]
        exponent = np.full(1, float(power))
        by_base, by_exponent = gradient(lambda x, y: space(x).sum(x**y), x, exponent)
        assert (by_base, by_exponent) == ([expected], [0.0])
    assert gradient(lambda y: space(y).sum(0.0**y), np.ones(1))[0] == [0.0]
    with np.errstate(invalid="ignore"):
        assert np.isnan(gradient(lambda y: space(y).sum((-1.0) ** y), np.full(1, 2.0))[0])


def test_the_branch_not_taken_gives_nan_where_its_slope_is_infinite():
    # as in torch and JAX: 0 · ∞
    with np.errstate(divide="ignore", invalid="ignore"):
        (g,) = gradient(lambda x: space(x).sum(space(x).where(x > 0, space(x).sqrt(x), 0.0)), np.asarray([0.0, 4.0]))
    np.testing.assert_array_equal(g, [np.nan, 0.25])


def test_tails_keep_their_digits():
    x = np.asarray([-800.0, -40.0, 40.0, 800.0])
    (g,) = gradient(lambda x: space(x).sum(space(x).sigmoid(x)), x)
    np.testing.assert_allclose(g, [0.0, math.exp(-40), math.exp(-40), 0.0], rtol=1e-12)
    (g,) = gradient(lambda x: space(x).sum(space(x).softplus(x)), x)
    np.testing.assert_allclose(g, [0.0, math.exp(-40), 1.0, 1.0], rtol=1e-12)
    (g,) = gradient(lambda x: space(x).sum(space(x).expm1(x)), x[:2])
    np.testing.assert_allclose(g, [0.0, math.exp(-40)], rtol=1e-12)
    (g,) = gradient(lambda x: space(x).sum(space(x).erf(x)), np.asarray([-1e200, 0.0, 3.0]))
    np.testing.assert_allclose(g, [0.0, 2 / math.sqrt(math.pi), 2 / math.sqrt(math.pi) * math.exp(-9)], rtol=1e-12)


@DIFFERENTIATED
def test_nan_shows_in_the_gradient(driver):
    x = driver.array(np.asarray([1.0, np.nan, 3.0]))
    value, g = ak.value_and_grad(ak.mean_squared_anomaly)(x)
    assert np.isnan(driver.numpy(value))
    assert np.isnan(driver.numpy(g)).tolist() == [False, True, False]
    if driver.name in {"numpy", "array_api_strict"}:
        g = gradient(lambda x: space(x).sum(space(x).abs(x)), x)[0]
        assert np.isnan(driver.numpy(g)).tolist() == [False, True, False]


# ---------------------------------------------------------------- losses

LOSSES = {name: kernel for name, kernel in KERNELS.items() if not does_not_apply("gradients", name, "torch")}


@functools.cache
def case_of(name, driver):
    inputs, settings = sample(LOSSES[name])
    return Case(LOSSES[name], inputs, driver, settings)


def total_of(case):
    return lambda leaves: case.total(case.call({**case.arrays(), **leaves}))


@pytest.mark.library("torch")
@pytest.mark.parametrize("name", LOSSES)
def test_the_tape_agrees_with_torch(name, driver):
    from anomaly_kernels.testing.drivers import driver_for

    in_torch, in_numpy = case_of(name, driver), case_of(name, driver_for("numpy"))
    expected = driver.value_and_grad(in_torch.summed, in_torch.arrays(), in_torch.floats)[1]
    leaves = {path: in_numpy.arrays()[path] for path in in_numpy.floats}
    found = ak.value_and_grad(total_of(in_numpy))(leaves)[1]
    ours = ak.value_and_grad(total_of(in_torch))({path: in_torch.arrays()[path] for path in in_torch.floats})[1]
    for path, g in expected.items():
        scale = float(abs(g).max()) + 1e-3
        np.testing.assert_allclose(found[path], driver.numpy(g), rtol=1e-11, atol=1e-12 * scale)
        np.testing.assert_allclose(driver.numpy(ours[path]), driver.numpy(g), rtol=1e-12, atol=1e-14 * scale)


@pytest.mark.library("numpy", "array_api_strict")
@pytest.mark.parametrize("name", LOSSES)
def test_second_derivatives_of_losses(name, driver):
    case, h = case_of(name, driver), 2.0**-12
    direction = {path: case.direction(path, 1) for path in case.floats}
    moved = [{path: case.leaves[path] + k * h * v for path, v in direction.items()} for k in (-2, -1, 0, 1, 2)]
    f = [case.reference_total(leaves) for leaves in moved]
    expected = (16 * (f[1] + f[3]) - (f[0] + f[4]) - 30 * f[2]) / (12 * h * h)

    def slope(leaves):
        found = ak.value_and_grad(total_of(case))(leaves)[1]
        return sum(space(g).sum(driver.array(direction[path]) * g) for path, g in found.items())

    leaves = {path: case.arrays()[path] for path in case.floats}
    second = ak.value_and_grad(slope)(leaves)[1]
    found = sum(float(np.sum(driver.numpy(g) * direction[path])) for path, g in second.items())
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-5 * (abs(f[2]) + 1e-3))


@DIFFERENTIATED
def test_settings_that_are_followed_beside_plain_data(driver):
    x, y = driver.array(X), driver.array(Y)
    p, q = (driver.array(np.abs(a) / np.abs(a).sum(-1, keepdims=True)) for a in (X, Y))
    mask = driver.array(X > 0)
    cases = [
        lambda s: ak.mse_reconstruction_loss(x, y, weight=s),
        lambda s: ak.distillation_loss(p, q, model=lambda x: x, temperature=s),
        lambda s: ak.deep_svdd_soft_boundary_loss(x, y[0, ...], s),
        lambda s: ak.anomaly_bce_with_logits(mask, x, pos_weight=s),
        lambda s: ak.elbo(x, y, sim=s),
        lambda s: ak.svdd_radius(s),
    ]
    for loss in cases:
        value, found = ak.value_and_grad(loss)(driver.array(np.asarray(0.7)))
        assert tuple(found.shape) == ()
        at = [float(driver.numpy(loss(driver.array(np.asarray(0.7 + k * 2.0**-13))))) for k in (-2, -1, 1, 2)]
        expected = (8 * (at[2] - at[1]) - (at[3] - at[0])) / (12 * 2.0**-13)
        assert float(driver.numpy(found)) == pytest.approx(expected, rel=1e-7)
        assert float(driver.numpy(value)) == pytest.approx(float(driver.numpy(loss(driver.array(np.asarray(0.7))))))


def test_ranking_metrics_are_steps():
    target, score = np.asarray([True, False, True, False]), np.asarray([0.3, 0.1, 0.2, 0.25])
    for metric in (ak.roc_auc, ak.average_precision):
        value, g = ak.value_and_grad(lambda s, metric=metric: metric(target, s))(score)
        assert value == metric(target, score)
        assert g.tolist() == [0.0] * 4


# ---------------------------------------------------------------- arguments and results


class Pair(NamedTuple):
    first: Any
    second: Any


@DIFFERENTIATED
def test_arguments_may_be_trees(driver):
    a, b = driver.array(X), driver.array(ROW)
    tree = {"pair": Pair(a, None), "list": [b, (b,)], 3: {"none": None}}

    def loss(tree, scale):
        assert tree["pair"].second is None
        x, (y, (z,)) = tree["pair"].first, tree["list"]
        return scale * space(x, y).sum(x * y + z * z)

    g = ak.value_and_grad(loss)(tree, 2.0)[1]
    assert isinstance(g["pair"], Pair)
    assert (g["pair"].second, g[3], list(g)) == (None, {"none": None}, ["pair", "list", 3])
    np.testing.assert_allclose(driver.numpy(g["pair"].first), 2 * np.broadcast_to(ROW, X.shape))
    np.testing.assert_allclose(driver.numpy(g["list"][0]), 2 * X.sum(0))
    np.testing.assert_allclose(driver.numpy(g["list"][1][0]), 12 * ROW)
    assert isinstance(g["list"], list) and isinstance(g["list"][1], tuple)


def test_a_mixture_is_an_argument():
    z, params = X[:, :2], ak.gmm_params(X[:, :2], np.full((3, 1), 1.0), eps=0.1)
    _, g = ak.value_and_grad(ak.gmm_energy, 1)(z, params)
    assert isinstance(g, ak.GMMParams)
    assert not g.cov.any() and g.mu.shape == params.mu.shape
    expected = slopes(lambda mu: ak.gmm_energy(z, params._replace(mu=mu)), (params.mu,), 0)
    np.testing.assert_allclose(g.mu, expected, rtol=1e-8, atol=1e-9)


@DIFFERENTIATED
def test_several_arguments_and_their_order(driver):
    x, y = driver.array(X), driver.array(Y)
    function = lambda x, y, *, scale=1.0: scale * space(x, y).sum(x * x * y)  # noqa: E731
    for argnums, expected in ((0, 2 * X * Y), (-1, X**2), (np.int64(1), X**2)):
        np.testing.assert_allclose(driver.numpy(ak.value_and_grad(function, argnums)(x, y)[1]), expected)
    for argnums in ((1, 0), [-1, 0]):
        found = ak.value_and_grad(function, argnums)(x, y, scale=3.0)[1]
        assert isinstance(found, tuple)
        np.testing.assert_allclose(driver.numpy(found[0]), 3 * X**2)
        np.testing.assert_allclose(driver.numpy(found[1]), 6 * X * Y)
    assert len(ak.value_and_grad(function, (0,))(x, y)[1]) == 1


@DIFFERENTIATED
def test_what_has_no_part_in_the_result_has_gradient_zero(driver):
    x, y = driver.array(X), driver.array(ROW)
    functions = [
        lambda x, y: space(y).sum(y),
        lambda x, y: space(y).sum(space(x).stop_gradient(x)) + space(y).sum(y),
        lambda x, y: space(y).sum(y) + 0.0 * space(y).sum(space(y).astype(x > 0, y.dtype)),
    ]
    for function in functions:
        by_x, by_y = gradient(function, x, y)
        np.testing.assert_array_equal(driver.numpy(by_x), np.zeros(X.shape))
        np.testing.assert_array_equal(driver.numpy(by_y), np.ones(4))
    value, g = ak.value_and_grad(lambda x: space(y).sum(y))(x)
    np.testing.assert_allclose(driver.numpy(value), ROW.sum())
    np.testing.assert_array_equal(driver.numpy(g), np.zeros(X.shape))


@pytest.mark.library("numpy", "torch", "jax", "tensorflow")
def test_half_precision_gives_a_gradient_of_its_own_dtype(driver):
    x, y = driver.array(X, "float16"), driver.array(Y, "float16")
    value, g = ak.value_and_grad(ak.mse_reconstruction_loss, (0, 1))(x, y)
    assert driver.dtype_name(value) == "float32"
    assert [driver.dtype_name(each) for each in g] == ["float16", "float16"]
    np.testing.assert_allclose(driver.numpy(g[0]), (X - Y) / 6, atol=2e-3)


@DIFFERENTIATED
def test_dtypes_of_gradients_are_those_of_the_arguments(driver):
    x, y = driver.array(X, "float32"), driver.array(Y, "float64")
    value, g = ak.value_and_grad(ak.mse_reconstruction_loss, (0, 1))(x, y)
    assert driver.dtype_name(value) == "float64"
    assert [driver.dtype_name(each) for each in g] == ["float32", "float64"]


@pytest.mark.library("numpy", "torch")
def test_gradients_own_their_memory(driver):
    x, y = driver.array(X), driver.array(Y)
    functions = [
        lambda x, y: space(x).sum(x + y),
        lambda x, y: space(x).sum(x) + space(y).sum(y.mT),
        lambda x, y: space(x).sum(space(x).stop_gradient(x) * y) + space(x).sum(x * space(x).stop_gradient(y)),
    ]
    for function in functions:
        first, second = gradient(function, x, y)
        expected = np.array(driver.numpy(second))
        first[0, 0] = 99.0
        first += 1.0
        np.testing.assert_array_equal(driver.numpy(second), expected)
        np.testing.assert_array_equal(driver.numpy(x), X)
        np.testing.assert_array_equal(driver.numpy(y), Y)


def test_values_own_their_memory():
    x = ROW.copy()
    value, _ = ak.value_and_grad(lambda x: x[1, ...])(x)  # which is a view
    x[...] = 7.0  # as SciPy's optimizers do
    assert value == ROW[1]


def test_arguments_are_left_as_they_are():
    x = X.copy()
    x.flags.writeable = False
    ak.value_and_grad(lambda x: ak.mean_squared_anomaly(x[1:, :]))(x)
    with pytest.raises(TypeError, match=r"^x\[\.\.\.\] = y cannot be followed"):
        ak.value_and_grad(lambda x: x.__setitem__(0, 1.0))(x)


@DIFFERENTIATED
def test_an_array_that_is_there_twice_has_two_gradients(driver):
    x = driver.array(X)
    for first, second in (gradient(lambda x, y: space(x).sum(x * y), x, x), gradient(ak.mse_reconstruction_loss, x, x)):
        np.testing.assert_array_equal(driver.numpy(first), driver.numpy(second))
    by_argument = gradient(lambda y: space(y).sum(y * x), x)[0]  # not by the same array from outside
    np.testing.assert_array_equal(driver.numpy(by_argument), X)
    by_followed = gradient(lambda x: space(x).sum(x * space(x).stop_gradient(x)), x)[0]
    np.testing.assert_array_equal(driver.numpy(by_followed), X)


def test_plain_arrays_give_the_same_while_a_tape_is_in_use():
    inside = {}

    def function(x):
        for name, kernel in KERNELS.items():
            inputs, settings = sample(kernel)
            inside[name] = flatten(kernel(**inputs, **settings))
        return space(x).sum(x)

    ak.value_and_grad(function)(X)
    for name, kernel in KERNELS.items():
        inputs, settings = sample(kernel)
        for path, expected in flatten(kernel(**inputs, **settings)).items():
            assert type(inside[name][path]) is type(expected)
            # the last digit may differ: a tape adds up by another operation
            np.testing.assert_allclose(inside[name][path], expected, rtol=1e-14, atol=1e-16)


def test_settings_are_followed_beside_plain_data_in_blocks():
    x, y = RNG.normal(size=(2, 500, 200))
    losses = [
        lambda s: ak.mse_reconstruction_loss(x, y, weight=s),
        lambda s: ak.deep_svdd_soft_boundary_loss(x, y[0, :], s),
        lambda s: ak.anomaly_bce_with_logits(x > 0, y, pos_weight=s),
        lambda s: np.mean(y[0, :2]) * space(s).sum(ak.mean_squared_anomaly(x, weight=s, reduction="none")),
    ]
    for loss in losses:
        found = gradient(loss, np.asarray(12.0))[0]
        np.testing.assert_allclose(found, slopes(loss, (np.asarray(12.0),), 0), rtol=1e-7)


# ---------------------------------------------------------------- nesting


@DIFFERENTIATED
def test_closures_over_followed_arrays(driver):
    x = driver.array(np.asarray([0.5, 2.0]))

    def outer(x):
        inner = ak.value_and_grad(lambda y: space(y).sum(x * y * y))  # the gradient is 2xy, at y = x² it is 2x³
        value, g = inner(space(x).stop_gradient(x) * x)
        return space(x).sum(g) + value

    xp = space(x)
    value, g = ak.value_and_grad(outer)(x)
    X1 = np.asarray([0.5, 2.0])
    # y = sg(x)·x: y' = x.   Σ2xy + Σxy² -> 2y + 2x·y' + y² + 2xy·y'
    y = X1 * X1
    np.testing.assert_allclose(driver.numpy(value), (2 * X1 * y + X1 * y * y).sum())
    np.testing.assert_allclose(driver.numpy(g), 2 * y + 2 * X1 * X1 + y * y + 2 * X1 * y * X1)

    # plain arguments inside, followed closure: nothing may be lost in silence
    def through_closure(w):
        return space(w).sum(ak.value_and_grad(lambda y: space(y).sum(w * y * y))(x)[1])

    np.testing.assert_allclose(driver.numpy(ak.value_and_grad(through_closure)(x)[1]), 2 * X1)
    assert xp is space(x)


@DIFFERENTIATED
def test_third_derivatives(driver):

    def derivative(f):
        return lambda x: space(x).sum(ak.value_and_grad(f)(x)[1])

    f = lambda x: space(x).sum(space(x).exp(2.0 * x) + x * x * x)  # noqa: E731
    value, third = ak.value_and_grad(derivative(derivative(f)))(driver.array(ROW))
    np.testing.assert_allclose(driver.numpy(third), 8 * np.exp(2 * ROW) + 6)
    np.testing.assert_allclose(driver.numpy(value), np.sum(4 * np.exp(2 * ROW) + 6 * ROW))


def test_the_outer_namespace_serves_arrays_of_an_inner_call():
    def outer(x):
        xp = space(x)
        inner = lambda y: xp.sum(xp.exp(y) * x) + xp.sum(xp.concat([y, xp.zeros_like(y)]))  # noqa: E731
        assert not xp.is_lean(x) and xp.is_lean(X)
        return xp.sum(ak.value_and_grad(inner)(x)[1])

    np.testing.assert_allclose(ak.value_and_grad(outer)(ROW)[1], np.exp(ROW) * (1 + ROW))


def test_constants_of_all_levels_are_constants():
    def outer(x):
        return ak.value_and_grad(lambda y: space(y).sum(y * space(y).stop_gradient(x * y)))(x)[0]

    np.testing.assert_allclose(ak.value_and_grad(outer)(ROW)[1], ROW**2)


@pytest.mark.library("torch")
def test_weights_of_a_torch_module_get_gradients_through_gradients(driver):
    torch = driver.module
    model = torch.nn.Linear(4, 1, dtype=torch.float64)
    x = driver.array(X)
    value, g = ak.value_and_grad(lambda x: torch.sum(model(x) ** 2))(x)
    (g**2).sum().backward()
    assert model.weight.grad.abs().sum() > 0 and value.requires_grad
    with torch.no_grad():
        value, g = ak.value_and_grad(lambda x: torch.sum(model(x) ** 2))(x)
    assert not value.requires_grad and not g.requires_grad
    value, g = ak.value_and_grad(lambda x: torch.sum(x * x))(x)
    assert not value.requires_grad and not g.requires_grad and not x.requires_grad


@pytest.mark.library("numpy", "array_api_strict")
def test_slopes_written_by_hand_may_be_broadcast(driver):
    def function(x, y):
        xp = space(x, y)
        if not hasattr(xp, "summed"):
            return xp.sum(x) + xp.sum(y)
        by_hand = lambda base, upstream, x, y: (lambda: upstream[0], lambda: upstream[0] * base.ones_like(x))  # noqa: E731
        return xp.summed(lambda base, x, y: (base.sum(x) + 3 * base.sum(y),), by_hand, (x, y))[0]

    by_x, by_y = gradient(function, driver.array(X), driver.array(COLUMN))
    np.testing.assert_array_equal(driver.numpy(by_x), np.ones(X.shape))
    np.testing.assert_array_equal(driver.numpy(by_y), np.full((3, 1), 4.0))


@pytest.mark.library("torch")
def test_torch_differentiates_in_inference_mode_too(driver):
    torch = driver.module
    with torch.inference_mode():
        for x in (driver.array(X), torch.tensor(X)):
            np.testing.assert_allclose(ak.value_and_grad(ak.mean_squared_anomaly)(x)[1].numpy(), X / 6)
    np.testing.assert_allclose(ak.value_and_grad(ak.mean_squared_anomaly)(x)[1].numpy(), X / 6)


@pytest.mark.library("jax")
def test_jax_compiles_and_maps_it(driver):
    jax = driver.module
    x = driver.array(X)
    each = jax.jit(jax.vmap(ak.value_and_grad(ak.mean_squared_anomaly)))(x)[1]
    np.testing.assert_allclose(driver.numpy(each), X / 2)


@pytest.mark.library("tensorflow")
def test_variables_of_tensorflow_are_arguments(driver):
    tf = driver.module
    variable = tf.Variable(X)
    g = ak.value_and_grad(lambda x: tf.reduce_sum(x * variable))(variable)[1]  # by the argument alone
    np.testing.assert_allclose(g.numpy(), X)
    compiled = tf.function(lambda x: ak.value_and_grad(ak.mean_squared_anomaly)(x)[1])
    np.testing.assert_allclose(compiled(tf.constant(X)).numpy(), X / 6)


# ---------------------------------------------------------------- hand-written slopes


class Toy:
    """Σ x²y and Σ x + y², with the slopes written by hand; y has one row."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def sums(self, xp, x, y):
        return xp.sum(x * x * y), xp.sum(x + y * y)

    def slopes(self, xp, upstream, x, y):
        first, second = upstream

        def by_x():
            self.asked.append("x")
            return first * 2.0 * x * y + second

        def by_y():
            self.asked.append("y")
            return xp.sum(first * x * x + second * 2.0 * y, axis=0, keepdims=True)

        return by_x, by_y


def summed(xp, toy, *arrays):
    if not hasattr(xp, "summed"):
        return toy.sums(xp, *arrays)
    return xp.summed(lambda base, *values: summed(base, toy, *values), toy.slopes, arrays)


@pytest.mark.library("numpy", "array_api_strict")
def test_slopes_written_by_hand(driver):
    toy, x, y = Toy(), X, Y[:1, :]

    def of_both(first, second):
        def function(x, y):
            a, b = summed(space(x, y), toy, x, y)
            return first(a) if second is None else first(a) * b * second

        return function

    for function in (of_both(lambda a: a * a, 3.0), of_both(lambda a: 2.0 * a, None)):
        found = gradient(function, driver.array(x), driver.array(y))
        for k, g in enumerate(found):
            np.testing.assert_allclose(driver.numpy(g), slopes(function, (x, y), k), rtol=1e-8, atol=1e-9)
        # twice
        for k in (0, 1):
            curved = lambda x, y, k=k, function=function: space(x, y).sum(  # noqa: E731
                gradient(function, x, y)[k] * 0.5
            )
            second = gradient(curved, driver.array(x), driver.array(y))
            for j, g in enumerate(second):
                np.testing.assert_allclose(driver.numpy(g), slopes(curved, (x, y), j), rtol=1e-7, atol=1e-7)
    # only those that are wanted
    toy.asked.clear()
    plain = driver.array(y)
    ak.value_and_grad(lambda x: summed(space(x), toy, x, plain)[0])(driver.array(x))
    assert toy.asked == ["x"]
    # and none where nothing is followed
    inside = ak.value_and_grad(lambda z: summed(space(z), toy, driver.array(x), plain)[0] + 0.0 * space(z).sum(z))
    value, g = inside(driver.array(x))
    np.testing.assert_allclose(driver.numpy(value), np.sum(x * x * y))
    assert toy.asked == ["x"]


def test_sums_may_not_hide_a_followed_setting():
    def function(w):
        xp, none = space(w), lambda *_: (None, None)
        return xp.summed(lambda base, x, v: (w * base.sum(x * v),), none, (X, w))[0]

    with pytest.raises(TypeError, match="a followed array that is not among theirs"):
        ak.value_and_grad(function)(np.asarray(2.0))


def test_slopes_written_by_hand_of_an_inner_call():
    toy = Toy()

    def outer(x):
        xp = space(x)
        return xp.sum(ak.value_and_grad(lambda y: summed(xp, toy, x, y)[0])(Y[:1, :])[1])

    np.testing.assert_allclose(ak.value_and_grad(outer)(X)[1], 2 * X)


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("argnums", "error", "message"),
    [
        (2, ValueError, "`argnums` must be distinct positions of arguments, of which 2 were given by position, got 2"),
        (-3, ValueError, "got -3"),
        ((0, 0), ValueError, r"`argnums` must be distinct positions .*, got \(0, 0\)"),
        ((0, -2), ValueError, r"distinct positions .*, got \(0, -2\)"),
        ((), ValueError, r"`argnums` must be positions of arguments, at least one, got \(\)"),
        (0.5, TypeError, "`argnums` must be an integer or a tuple of integers, got float"),
        (True, TypeError, "`argnums` must be an integer or a tuple of integers, got bool"),
        ("0", TypeError, "`argnums` must be an integer or a tuple of integers, got str"),
    ],
)
def test_positions_that_are_none_are_refused(argnums, error, message):
    with pytest.raises(error, match=message):
        ak.value_and_grad(ak.mse_reconstruction_loss, argnums)(X, Y)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.arange(3), "`argument 0` must be floating point to be differentiated by, got dtype int64"),
        (np.ones(3, bool), "`argument 0` must be floating point .* got dtype bool"),
        (np.ones(3, complex), "`argument 0` must be floating point .* got dtype complex128"),
        (1.0, "arrays of one library are needed .*`argument 0`: float"),
        ({"a": [X, 2]}, r"arrays of one library are needed .*`argument 0\['a'\]\[1\]`: int"),
        (Pair(X, "b"), "`argument 0.second`: str"),
        ({}, "arrays of one library are needed .*, got none"),
    ],
    ids=str,
)
def test_arguments_that_have_no_gradient_are_refused_by_name(given, message):
    with pytest.raises(TypeError, match=message):
        ak.value_and_grad(lambda x: ak.mean_squared_anomaly(x))(given)


@DIFFERENTIATED
def test_results_that_are_no_number_are_refused(driver):
    x = driver.array(X)
    cases = [
        (lambda x: x * 2.0, ValueError, r"`function` must return a 0-d array, got shape \(3, 4\)"),
        (lambda x: 1.0, TypeError, f"`function` must return a 0-d array of {driver.name}, got float"),
        (lambda x: None, TypeError, "got NoneType"),
        (lambda x: (x, x), TypeError, "got tuple"),
        (
            lambda x: space(x).sum(space(x).astype(x > 0, space(x).int64)),
            TypeError,
            "must return a real number, got dtype",
        ),
    ]
    for function, error, message in cases:
        with pytest.raises(error, match=message):
            ak.value_and_grad(function)(x)
    with pytest.raises(TypeError, match="`function` must be callable, got int"):
        ak.value_and_grad(3)


USE = r"call functions of `xp = array_namespace\(x\)`, taken inside"


OUTSIDE = [
    (lambda x: float(space(x).sum(x)), r"float\(x\)"),
    (lambda x: int(space(x).sum(x)), r"int\(x\)"),
    (lambda x: complex(space(x).sum(x)), r"complex\(x\)"),
    (lambda x: bool(space(x).sum(x)), r"bool\(x\)"),
    (lambda x: math.exp(space(x).sum(x)), r"float\(x\)"),
    (lambda x: range(space(x).sum(x)), "an index"),
    (lambda x: np.exp(x), "numpy.exp"),
    (lambda x: np.add(x, X), "numpy.add"),
    (lambda x: np.add.reduce(x), "numpy.add"),
    (lambda x: operator.iadd(X.copy(), x), "numpy.add"),
    (lambda x: np.mean(x), "numpy.mean"),
    (lambda x: np.linalg.norm(x), "numpy.norm"),
    (lambda x: np.asarray(x), r"asarray\(x\)"),
    (lambda x: np.asarray([space(x).sum(x)]), r"asarray\(x\)"),
    (lambda x: ak.array_namespace(X).mean(np.where(x > 0, x, 0.0)), "numpy.where"),
]


@pytest.mark.parametrize(("function", "named"), OUTSIDE, ids=range(len(OUTSIDE)))
def test_what_cannot_be_followed_says_what_to_use(function, named):
    with pytest.raises(TypeError, match=f"^{named} cannot be followed by `value_and_grad`: {USE}"):
        ak.value_and_grad(function)(X)


def test_a_namespace_from_outside_the_function_says_to_take_it_inside():
    xp = ak.array_namespace(X)
    with pytest.raises(TypeError, match=USE):
        ak.value_and_grad(lambda x: xp.mean(x))(X)


def test_methods_of_arrays_are_named():
    with pytest.raises(AttributeError, match=r"has no 'mean': call functions of `array_namespace\(x\)`"):
        ak.value_and_grad(lambda x: x.mean())(X)
    with pytest.raises(TypeError, match="a 0-d array has no length"):
        ak.value_and_grad(lambda x: len(space(x).sum(x)))(X)


@pytest.mark.library("numpy", "array_api_strict")
def test_a_followed_array_shows_what_arrays_show(driver):
    shown = []

    def function(x):
        total = space(x).sum(x)
        shown.append((x.shape, x.ndim, x.size, x.dtype, len(x), repr(total)[:9], x.__array_namespace__() is space(x)))
        shown.append(space(x).device(x) == space(x).device(driver.array(X)))
        with pytest.raises(TypeError, match="unhashable"):
            hash(x)
        return total

    x = driver.array(X)
    ak.value_and_grad(function)(x)
    assert shown == [((3, 4), 2, 12, x.dtype, 3, "<followed", True), True]
    ak.value_and_grad(lambda x: space(x).sum(x) * float(x.device == x.device))(x)


def test_comparisons_give_plain_arrays():
    def function(x):
        low = X - 1.0
        for compared in (x < low, x <= low, x > low, x >= low, x == low, x != low, low < x, low == x, x < x, x > 0.0):
            assert isinstance(compared, np.ndarray) and compared.dtype == bool
        inner = ak.value_and_grad(lambda y: space(y).sum(space(y).astype(x < y, y.dtype) * y))
        return inner(x + 1.0)[0]

    np.testing.assert_allclose(ak.value_and_grad(function)(X)[1], np.ones(X.shape))


def test_a_function_without_a_rule_is_named(monkeypatch):
    monkeypatch.delitem(rules.RULES, "tanh")
    xp = ak.array_namespace(X)
    tape = tape_module.Tape(xp, np.ndarray)
    x = tape.leaf(X)
    with pytest.raises(TypeError, match="`value_and_grad` has no rule for `tanh`"):
        tape.tanh(x)
    np.testing.assert_array_equal(tape.tanh(X), np.tanh(X))


def test_a_new_generic_function_is_followed_by_its_form(monkeypatch):
    monkeypatch.delitem(rules.RULES, "sigmoid")
    tape = tape_module.Tape(ak.array_namespace(X), np.ndarray)
    x = tape.leaf(X)
    y = tape.sigmoid(x)
    found = sweep.Sweep(tape.base, 0).run(tape.sum(y))[x.node]
    s = Generic.sigmoid(ak.array_namespace(X), X)
    np.testing.assert_allclose(found, s * (1 - s))


@pytest.mark.library("dask")
def test_dask_is_refused(driver):
    with pytest.raises(TypeError, match="`value_and_grad` cannot follow Dask's arrays"):
        ak.value_and_grad(ak.mean_squared_anomaly)(driver.array(X))


@pytest.mark.library("array_api_strict")
def test_libraries_do_not_mix_in_a_tape(driver):
    with pytest.raises(TypeError, match=r"arrays of one library are needed .*numpy\.ndarray"):
        ak.value_and_grad(lambda x: ak.mse_reconstruction_loss(x, Y))(driver.array(X))
    with pytest.raises(TypeError, match="`function` must return a 0-d array of array_api_strict, got numpy.float64"):
        ak.value_and_grad(lambda x: np.float64(1.0))(driver.array(X))
    # one library beside the tape of another
    value, _ = ak.value_and_grad(lambda x: space(x).sum(x) * float(ak.mean_squared_anomaly(X)))(driver.array(X))
    np.testing.assert_allclose(driver.numpy(value), X.sum() * np.mean(X * X))


# ---------------------------------------------------------------- tapes and threads


def test_arrays_of_an_earlier_call_are_refused():
    kept = []

    def function(x):
        kept.append(x)
        return space(x).sum(kept[0] * x)

    ak.value_and_grad(function)(X)
    with pytest.raises(TypeError, match="an array followed by another call of `value_and_grad`"):
        ak.value_and_grad(function)(X)
    kept.clear()

    def leaking(x):
        ak.value_and_grad(function)(x)
        return space(x).sum(kept[0])

    with pytest.raises(TypeError, match="an array of its own"):
        ak.value_and_grad(leaking)(X)


def test_a_tape_is_in_use_in_its_thread_alone():
    inside, done, found = threading.Event(), threading.Event(), []

    def other():
        inside.wait(10)
        xp = ak.array_namespace(X)
        found.append((xp.name, hasattr(xp, "summed"), ak.mean_squared_anomaly(X)))
        found.append(ak.value_and_grad(ak.mean_squared_anomaly)(X)[1])
        done.set()

    def function(x):
        inside.set()
        done.wait(10)
        assert hasattr(ak.array_namespace(X), "summed")
        return ak.mean_squared_anomaly(x)

    thread = threading.Thread(target=other)
    thread.start()
    value, g = ak.value_and_grad(function)(X)
    thread.join()
    assert found[0][:2] == ("numpy", False)
    assert found[0][2] == pytest.approx(value, rel=1e-15)  # added by another operation
    np.testing.assert_array_equal(found[1], g)
    assert _TAPES == []
    assert not hasattr(ak.array_namespace(X), "summed")


def test_followed_arrays_work_in_other_threads():
    from concurrent.futures import ThreadPoolExecutor

    def function(x):
        with ThreadPoolExecutor(2) as pool:
            parts = list(pool.map(lambda k: ak.mse_reconstruction_loss(x[k, ...], Y[k]), range(3)))
        return sum(parts)

    expected = ak.value_and_grad(lambda x: sum(ak.mse_reconstruction_loss(x[k, ...], Y[k]) for k in range(3)))(X)[1]
    np.testing.assert_allclose(ak.value_and_grad(function)(X)[1], expected)


def test_many_threads_at_once():
    from concurrent.futures import ThreadPoolExecutor

    def hessian(k):
        x = ROW * (1 + k % 7)
        slope = lambda x: space(x).sum(ak.value_and_grad(lambda y: space(y).sum(y * y * y))(x)[1])  # noqa: E731
        return np.allclose(ak.value_and_grad(slope)(x)[1], 6 * x)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(hessian, range(200)))


def test_an_error_leaves_no_tape_in_use():
    with pytest.raises(ZeroDivisionError):
        ak.value_and_grad(lambda x: 1 / 0)(X)
    assert _TAPES == []
    assert ak.array_namespace(X) is ak.array_namespace(Y)
    assert not hasattr(ak.array_namespace(X), "summed")


def test_long_chains_need_no_recursion():
    def function(x):
        for _ in range(20_000):
            x = x * 1.0
        return space(x).sum(x)

    np.testing.assert_array_equal(ak.value_and_grad(function)(ROW)[1], np.ones(4))
    # nor has one that is not swept
    kept = []
    with pytest.raises(TypeError, match="got list"):
        ak.value_and_grad(lambda x: [kept.append(x), function(x)])(ROW)


def test_values_that_no_slope_needs_are_freed_at_once():
    alive = []

    class Watched(np.ndarray):
        pass

    def function(x):
        y = x + 1.0
        alive.append(weakref.ref(y.value))
        del y
        alive.append(alive[0]() is None)
        z = x * 2.0 + 1.0
        return space(z).sum(z)

    gc.disable()
    try:
        ak.value_and_grad(function)(X.view(Watched))
    finally:
        gc.enable()
    assert alive[1]


def test_nothing_is_left_behind():
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(50):
        ak.value_and_grad(ak.mse_reconstruction_loss)(X, Y)
    gc.collect()
    assert len(gc.get_objects()) - before < 50


def test_slices_cost_what_they_hold():
    def function(x):
        return sum(space(x).sum(x[k, ...] * x[k, ...]) for k in range(x.shape[0]))

    def seconds(rows):
        x = np.ones((rows, 500))
        return min(timeit.repeat(lambda: ak.value_and_grad(function)(x), number=1, repeat=5))

    assert seconds(800) < 8 * seconds(200)  # a zero array for each would be 16 times


@DIFFERENTIATED
def test_the_check_of_the_contract_finds_what_is_wrong(driver):

    def half(x_true, x_pred):
        xp = space(x_true, x_pred)
        return xp.sum((x_true - xp.stop_gradient(x_pred)) * (x_true - x_pred))

    inputs, settings = sample(half)
    with pytest.raises(AssertionError, match="central differences"):
        CHECKS["value_and_grad"](Case(half, inputs, driver, settings))
