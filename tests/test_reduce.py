"""Evaluation in blocks gives what evaluation of the whole gives, and needs no memory for it."""

from __future__ import annotations

import math
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from reference import draw

import anomaly_kernels as ak
from anomaly_kernels import _reduce
from anomaly_kernels._checks import inputs
from anomaly_kernels.losses import mixture
from anomaly_kernels.testing.agreement import agree
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.samples import variants
from anomaly_kernels.testing.support import catalogue

# The full shape, that of an array which broadcasts to it, and how many axes stay whole.
SHAPES = [
    ((13,), (13,), 0),
    ((13,), (1,), 0),
    ((4, 5), (4, 1), 0),
    ((4, 5), (4, 5), 1),
    ((3, 4, 5), (1, 4, 1), 0),
    ((3, 4, 5), (3, 4, 5), 1),
    ((3, 4, 5), (3, 1, 5), 2),
    ((2, 1, 3, 4), (2, 1, 1, 4), 1),
    ((7, 1, 1), (7, 1, 1), 0),
    ((2, 2, 2, 2, 2), (2, 1, 2, 1, 2), 0),
]
BLOCKS = [1, 2, 3, 5, 7, 12, 20, 1000]


def weighted(inner):
    """Values that depend on their place in the inner axes, so that no other way to cut gives the same."""
    axes = tuple(range(-inner, 0))

    def formula(x, y):
        values = x * y + x
        return np.sqrt(np.sum(values * values, axis=axes)) if axes else values

    return formula


def evaluated(monkeypatch, block, function, x, y, inner, **settings):
    monkeypatch.setattr(_reduce, "BLOCK", block)
    xp, dtype = inputs(x=x, y=y)
    return function(xp, dtype, weighted(inner), {"x": x, "y": y}, inner=inner, **settings)


@pytest.mark.parametrize(("shape", "other", "inner"), SHAPES)
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("layout", ["C", "F", "reversed"])
def test_blocks_of_any_size_give_what_the_whole_gives(shape, other, inner, reduction, layout, monkeypatch):
    x, y = np.array(draw(0, *shape), order="F" if layout == "F" else "C"), draw(1, *other)
    if layout == "reversed":
        x, y = x[..., ::-1], y[::-1]
    values = weighted(inner)(x, y)
    expected = {"none": values, "sum": values.sum(), "mean": values.mean()}[reduction]
    for block in BLOCKS:
        found = evaluated(monkeypatch, block, _reduce.reduce, x, y, inner, reduction=reduction)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-14, err_msg=f"blocks of {block}")


@pytest.mark.parametrize(("shape", "inner"), [(shape, inner) for shape, _, inner in SHAPES] + [((3, 4), 2), ((), 0)])
def test_cuts_take_each_element_once_and_in_order(shape, inner, monkeypatch):
    numbers = np.arange(math.prod(shape)).reshape(shape)
    for block in BLOCKS:
        monkeypatch.setattr(_reduce, "BLOCK", block)
        parts = [part for (part,) in _reduce._parts((numbers,), inner, None)]
        np.testing.assert_array_equal(np.concatenate([part.ravel() for part in parts]), numbers.ravel())
        sample = math.prod(shape[len(shape) - inner :])
        assert all(part.size <= max(block, sample) for part in parts)
        if inner < len(shape) and math.prod(shape[1:]) <= block:
            rows = max(1, block // math.prod(shape[1:]))
            assert len(parts) == math.ceil(shape[0] / rows)


def test_parts_are_views(monkeypatch):
    monkeypatch.setattr(_reduce, "BLOCK", 4)
    x, y = draw(0, 3, 4, 5), draw(1, 3, 1, 5)
    for part, other in _reduce._parts((x, y), 1, None):
        assert np.shares_memory(part, x)
        assert np.shares_memory(other, y)


def test_arrays_of_fewer_axes_go_to_every_part_whole(monkeypatch):
    monkeypatch.setattr(_reduce, "BLOCK", 4)
    x, center = draw(0, 6, 2), draw(1, 2)
    parts = list(_reduce._parts((x, center), 1, None))
    assert len(parts) == 3
    assert all(other is center for _, other in parts)


class Sum:
    """A sum that remembers who was added to whom."""

    def __init__(self, text):
        self.text = text

    def __add__(self, other):
        return Sum(f"({self.text}{other.text})")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ("a", "a"),
        ("ab", "(ab)"),
        ("abc", "(c(ab))"),
        ("abcd", "((ab)(cd))"),
        ("abcdefg", "((g(ef))((ab)(cd)))"),
        ("abcdefgh", "(((ab)(cd))((ef)(gh)))"),
    ],
)
def test_sums_are_added_in_pairs_of_equal_weight(parts, expected):
    found, other = _reduce._pairwise((Sum(part), Sum(part.upper())) for part in parts)
    assert found.text == expected
    assert other.text == expected.upper()


def test_totals_are_sums_of_every_part(monkeypatch):
    monkeypatch.setattr(_reduce, "BLOCK", 4)
    x = draw(0, 7, 3)
    xp, dtype = inputs(x=x)
    found = _reduce.totals(xp, dtype, lambda x: (xp.sum(x), xp.sum(x, axis=0)), {"x": x}, inner=1)
    np.testing.assert_allclose(found[0], x.sum(), rtol=1e-14)
    np.testing.assert_allclose(found[1], x.sum(0), rtol=1e-14)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 100])
def test_blocks_begin_above_their_size(size, monkeypatch):
    monkeypatch.setattr(_reduce, "BLOCK", 4)
    seen = []

    def formula(x):
        seen.append(x.shape)
        return x

    x = draw(0, size)
    xp, dtype = inputs(x=x)
    _reduce.evaluate(xp, dtype, formula, {"x": x})
    assert max(seen) <= (4,)
    assert len(seen) == math.ceil(size / 4)


def test_parts_are_cast_one_by_one(monkeypatch):
    monkeypatch.setattr(_reduce, "BLOCK", 4)
    x = draw(0, 3, 4).astype(np.float16)
    xp, dtype = inputs(x=x)

    def formula(x):
        assert x.dtype == np.float32
        return x

    assert dtype == np.float32
    for reduction in ("none", "sum", "mean"):
        assert _reduce.reduce(xp, dtype, formula, {"x": x}, reduction=reduction).dtype == np.float32


@pytest.mark.parametrize("block", [4, 1000])
def test_mean_in_blocks_does_not_overflow_where_only_the_sum_does(block, monkeypatch):
    monkeypatch.setattr(_reduce, "BLOCK", block)
    x = np.asarray([3e38, 3e38, -3e38, 3e38] * 5, np.float32)
    xp, dtype = inputs(x=x)
    with np.errstate(all="ignore"):
        assert _reduce.reduce(xp, dtype, lambda x: x, {"x": x}, reduction="mean") == pytest.approx(1.5e38, rel=1e-6)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 5)])
def test_no_elements_have_no_mean(shape):
    x = np.zeros(shape)
    xp, dtype = inputs(x=x)
    assert _reduce.reduce(xp, dtype, lambda x: x, {"x": x}, reduction="sum") == 0
    assert _reduce.reduce(xp, dtype, lambda x: x, {"x": x}, reduction="none").shape == shape
    with pytest.raises(ValueError, match=r"`x` has shape \([0-9, ]+\): there is nothing to average over"):
        _reduce.reduce(xp, dtype, lambda x: x, {"x": x}, reduction="mean")


def test_rows_of_an_empty_axis_are_none(driver):
    p = driver.array(np.ones((2, 0, 3)))
    assert driver.numpy(ak.kl_divergence(p, p, reduction="none")).shape == (2, 0)
    assert driver.numpy(ak.kl_divergence(p, p, reduction="sum")) == 0


def test_an_unknown_reduction_is_named():
    x = np.zeros(3)
    xp, dtype = inputs(x=x)
    with pytest.raises(ValueError, match="`reduction` must be one of 'mean', 'sum', 'none', got 'median'"):
        _reduce.reduce(xp, dtype, lambda x: x, {"x": x}, reduction="median")


def test_float32_sums_of_millions_keep_seven_digits(driver):
    x = np.random.default_rng(0).uniform(0.05, 0.15, 2**22).astype(np.float32)
    scores = driver.array(np.sqrt(x), "float32")
    expected = np.sum(driver.numpy(scores).astype(np.float64) ** 2)
    found = [driver.numpy(ak.mean_squared_anomaly(scores, reduction=reduction)) for reduction in ("sum", "mean")]
    assert found[0] == pytest.approx(expected, rel=1e-6)
    assert found[1] == pytest.approx(expected / x.size, rel=1e-6)


MASK, SCORE = np.arange(2**20).reshape(2**10, -1) % 3 == 0, np.ones((2**10, 2**10), np.float32)
PAIR = {"x_true": SCORE, "x_pred": SCORE}


@pytest.mark.parametrize(
    "call",
    [
        lambda: ak.anomaly_bce_with_logits(MASK, SCORE),
        lambda: ak.iou_loss(MASK, SCORE),
        lambda: ak.iou_loss(MASK, SCORE, normalize_method="minmax"),
        lambda: ak.kl_divergence(SCORE, SCORE),
        lambda: ak.mse_reconstruction_loss(SCORE, SCORE),
        lambda: ak.deep_svdd_loss(SCORE, SCORE[0]),
        lambda: ak.reconstruction_error(SCORE, SCORE),
        lambda: ak.gaussian_kl(SCORE, SCORE),
        lambda: ak.gmm_params(SCORE[:, :8], SCORE[:, :3]),
    ],
    ids=["bce", "iou", "iou minmax", "kl", "mse", "svdd", "error", "gaussian_kl", "mixture"],
)
def test_evaluation_needs_less_than_two_mebibytes(call):
    call()
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**21


@pytest.mark.library("torch")
def test_torch_evaluates_in_blocks_unless_a_gradient_is_recorded(driver, monkeypatch):
    monkeypatch.setattr(_reduce, "BLOCK", 4)
    x = driver.array(draw(0, 5, 3))
    xp, dtype = inputs(x=x)
    sizes = []

    def formula(x):
        sizes.append(x.shape[0])
        return (x * x).sum(-1)

    for reduction in ("mean", "sum", "none"):
        sizes.clear()
        plain = _reduce.reduce(xp, dtype, formula, {"x": x}, reduction=reduction, inner=1)
        assert sizes == [1] * 5
        leaf = x.clone().requires_grad_()
        recorded = _reduce.reduce(xp, dtype, formula, {"x": leaf}, reduction=reduction, inner=1)
        assert sizes[5:] == [5]
        assert recorded.requires_grad
        np.testing.assert_allclose(plain, recorded.detach(), rtol=1e-14)


@pytest.mark.library("jax", "tensorflow", "dask", "array_api_strict")
def test_other_libraries_evaluate_the_whole(driver, monkeypatch):
    monkeypatch.setattr(_reduce, "BLOCK", 4)
    x = driver.array(draw(0, 5, 3))
    xp, dtype = inputs(x=x)
    shapes = []

    def formula(x):
        shapes.append(tuple(x.shape))
        return x

    found = _reduce.reduce(xp, dtype, formula, {"x": x}, reduction="mean")
    assert set(shapes) == {(5, 3)}
    assert driver.numpy(found) == pytest.approx(draw(0, 5, 3).mean(), rel=1e-14)


def test_blocks_are_cut_where_the_next_begins():
    cuts = list(_reduce._cuts((2, 5, 3), 2, 6))
    runs = [cut[1] for cut in cuts if cut[0] == slice(0, 1)]
    assert [(run.start, run.stop) for run in runs] == [(0, 2), (2, 4), (4, 6)]
    assert all(first.stop == second.start for first, second in pairwise(runs))
    assert list(_reduce._cuts((5, 3), 0, 6)) == [()]


@pytest.mark.library("numpy", "torch")
@pytest.mark.parametrize("kernel", catalogue())
def test_every_kernel_gives_in_blocks_what_it_gives_whole(kernel, driver, monkeypatch):
    # samples have several numbers: blocks of 1 are cut inside of a sample by a kernel that forgets what must stay whole
    for _, (arrays, settings) in variants(catalogue()[kernel]):
        case = Case(catalogue()[kernel], arrays, driver, settings)
        for size in (1, 5, 17):
            with monkeypatch.context() as patch:
                patch.setattr(_reduce, "BLOCK", size)
                patch.setattr(mixture, "BLOCK", size)
                found = case.run()
            agree(case, found, f"in blocks of {size}", expected=case.expected)


class Depth:
    """Counts how many additions, one after the other, a part of a sum has been through."""

    def __init__(self, depth=0):
        self.depth = depth

    def __add__(self, other):
        return Depth(max(self.depth, other.depth) + 1)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 1000, 1024])
def test_parts_are_added_in_pairs(n):
    (total,) = _reduce._pairwise((Depth(),) for _ in range(n))
    assert total.depth <= math.ceil(math.log2(n))
