"""Evaluation in blocks gives what evaluation of the whole gives, and needs no memory for it."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from lowered import lower_thresholds
from reference import draw

import anomaly_kernels as ak
from anomaly_kernels._catalogue import KERNELS
from anomaly_kernels._core.backends import blocks
from anomaly_kernels._core.backends import numpy as numpy_backend
from anomaly_kernels._core.checks import inputs
from anomaly_kernels._core.evaluate import Formula, Sums, reduce
from anomaly_kernels.testing.agreement import agree
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.samples import variants

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
SIZES = [1, 2, 3, 5, 7, 12, 20, 1000]
IDENTITY = Formula(lambda xp, x: x)


@pytest.fixture(autouse=True)
def _two_blocks_are_enough(monkeypatch):
    monkeypatch.setattr(numpy_backend, "BLOCKS", 1)


def weighted(inner):
    """Values that depend on their place in the inner axes, so that no other way to cut gives the same."""
    axes = tuple(range(-inner, 0))

    def values(xp, x, y):
        values = x * y + x
        return np.sqrt(np.sum(values * values, axis=axes)) if axes else values

    return Formula(values, inner=inner)


def reduced(formula, *arrays, whole=(), **settings):
    named = {"xyz"[k]: x for k, x in enumerate(arrays)}
    return reduce(*inputs(**named), formula, named, *whole, **settings)


def parts_of(formula, *arrays):
    xp, dtype = inputs(x=arrays[0])
    return [blocks.parts(xp, dtype, arrays, cut) for cut in blocks.cuts(formula, arrays)]


@pytest.mark.parametrize(("shape", "other", "inner"), SHAPES)
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("layout", ["C", "F", "reversed"])
def test_blocks_of_any_size_give_what_the_whole_gives(shape, other, inner, reduction, layout, monkeypatch):
    x, y = np.array(draw(0, *shape), order="F" if layout == "F" else "C"), draw(1, *other)
    if layout == "reversed":
        x, y = x[..., ::-1], y[::-1]
    values = weighted(inner).values(None, x, y)
    expected = {"none": values, "sum": values.sum(), "mean": values.mean()}[reduction]
    for size in SIZES:
        monkeypatch.setattr(blocks, "BLOCK", size)
        found = reduced(weighted(inner), x, y, reduction=reduction)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-14, err_msg=f"blocks of {size}")


@pytest.mark.parametrize(("shape", "inner"), [(shape, inner) for shape, _, inner in SHAPES] + [((3, 4), 2), ((), 0)])
@pytest.mark.parametrize("own", [True, False])
def test_cuts_take_each_element_once_and_in_order_and_leave_samples_whole(shape, inner, own, monkeypatch):
    numbers = np.arange(math.prod(shape), dtype=float).reshape(shape)
    for size in SIZES:
        monkeypatch.setattr(blocks, "BLOCK", 1 if own else size)
        parts = [part for (part,) in parts_of(Formula(None, inner=inner, blocks=size if own else 1), numbers)]
        np.testing.assert_array_equal(np.concatenate([part.ravel() for part in parts]), numbers.ravel())
        sample = shape[len(shape) - inner :]
        assert all(part.shape[len(shape) - inner :] == sample for part in parts)
        assert all(part.size <= max(size, math.prod(sample)) for part in parts)
        if inner < len(shape) and math.prod(shape[1:]) <= size:
            rows = max(1, size // math.prod(shape[1:]))
            assert len(parts) == math.ceil(shape[0] / rows)


def test_only_axes_that_arrays_have_in_common_are_cut(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 1)
    for other, expected in (((3, 1, 5), (1, 4, 5)), ((3, 4, 1), (1, 1, 5)), ((1, 4, 5), (3, 4, 5))):
        assert parts_of(IDENTITY, draw(0, 3, 4, 5), draw(1, *other))[0][0].shape == expected


def test_what_is_empty_is_not_cut():
    assert blocks.cuts(IDENTITY, [np.zeros((3, 0))]) == [...]
    assert blocks.cuts(IDENTITY, [np.zeros((0, 3))]) == [...]


def test_parts_are_views(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 4)
    x, y = draw(0, 3, 4, 5), draw(1, 3, 4, 5)
    for part, other in parts_of(IDENTITY._replace(inner=1), x, y):
        assert np.shares_memory(part, x)
        assert np.shares_memory(other, y)


def test_what_comes_after_the_arrays_goes_to_every_part_whole(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 4)
    x, center, seen = draw(0, 6, 2), draw(1, 2), []

    def values(xp, x, center, number):
        seen.append((x.shape, center, number))
        return (x - center).sum(-1) * number

    for reduction in ("mean", "sum", "none"):
        reduced(Formula(values, inner=1), x, whole=(center, 2.0), reduction=reduction)
    assert [shape for shape, _, _ in seen] == [(2, 2)] * 9
    assert all(c is center and n == 2.0 for _, c, n in seen)


@pytest.mark.parametrize("size", [4, 1000])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_formula_may_reduce_in_its_own_way(reduction, size, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", size)
    asked = []

    def own(xp, how, x):
        asked.append(how)
        return x.mean() if how == "mean" else x.sum()

    x = draw(0, 10)
    found = reduced(Formula(None, reduced=own), x, reduction=reduction)
    assert found == pytest.approx(getattr(x, reduction)(), rel=1e-14)
    assert asked == (["sum"] * 3 if size == 4 else [reduction])


@pytest.mark.parametrize("size", [4, 1000])
def test_the_total_of_a_formula_serves_blocks_alone(size, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", size)
    x = draw(0, 10)
    found = reduced(Formula(lambda xp, x: x, total=lambda xp, x: 2.0 * x.sum()), x, reduction="sum")
    assert found == pytest.approx((2.0 if size == 4 else 1.0) * x.sum(), rel=1e-14)


class Sum:
    """A sum that remembers who was added to whom."""

    shape = (1,)

    def __init__(self, text):
        self.text = text

    def __add__(self, other):
        return Sum(f"({self.text}{other.text})")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ("a", "a"),
        ("ab", "(ab)"),
        ("abc", "((ab)c)"),
        ("abcd", "((ab)(cd))"),
        ("abcdefg", "(((ab)(cd))((ef)g))"),
        ("abcdefgh", "(((ab)(cd))((ef)(gh)))"),
    ],
)
def test_arrays_are_added_in_pairs_of_equal_weight(parts, expected):
    assert blocks.add(None, None, tuple(map(Sum, parts)), None).text == expected


class Depth:
    """Counts how many additions, one after the other, a part of a sum has been through."""

    shape = (1,)

    def __init__(self, depth=0):
        self.depth = depth

    def __add__(self, other):
        return Depth(max(self.depth, other.depth) + 1)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 1000, 1024])
def test_no_array_is_added_to_often(n):
    assert blocks.add(None, None, [Depth() for _ in range(n)], None).depth <= math.ceil(math.log2(n))


def test_numbers_are_added_as_python_has_them_and_counts_stay_counts(driver):
    like = driver.array(draw(0, 2), "float32")
    xp, dtype = inputs(x=like)
    found = blocks.add(xp, like, [1.0, 2.0**-30, -1.0], dtype)
    assert (driver.dtype_name(found), float(driver.numpy(found))) == ("float32", 2.0**-30)
    counted = blocks.add(xp, like, [2**40, 1], xp.int64)
    assert int(driver.numpy(counted)) == 2**40 + 1


def test_sums_are_those_of_every_part(monkeypatch):
    x = draw(0, 7, 3)
    xp, dtype = inputs(x=x)
    formula = Sums(lambda xp, x, scale: (scale * xp.sum(x), xp.sum(x, axis=0), xp.sum(xp.ones_like(x))), inner=1)
    for own, size in ((0, 4), (0, 1000), (4, 4), (3, 12), (1, 1)):
        monkeypatch.setattr(blocks, "BLOCK", size)
        found = xp.add_up(formula._replace(blocks=own / size if own else 1), dtype, (x,), (2.0,))
        np.testing.assert_allclose(found[0], 2.0 * x.sum(), rtol=1e-14)
        np.testing.assert_allclose(found[1], x.sum(0), rtol=1e-14)
        assert found[2] == x.size


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 100])
def test_blocks_begin_above_their_size(size, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 4)
    seen = []

    def values(xp, x):
        seen.append(x.shape)
        return x

    for reduction in ("none", "sum"):
        seen.clear()
        reduced(Formula(values), draw(0, size), reduction=reduction)
        assert max(seen) <= (4,)
        assert len(seen) == math.ceil(size / 4)


@pytest.mark.library("numpy", "torch")
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_half_precision_and_masks_are_cast_block_by_block(reduction, driver, monkeypatch):
    lower_thresholds(monkeypatch, 4)
    seen = []

    def values(xp, x, y):
        seen.extend(((tuple(x.shape), driver.dtype_name(x)), (tuple(y.shape), driver.dtype_name(y))))
        return x * y

    x, y = driver.array(draw(0, 3, 4), "float16"), driver.array(draw(1, 3, 4) > 0)
    xp, dtype = inputs({"y": y}, x=x)
    found = reduce(xp, dtype, Formula(values), {"x": x, "y": y}, reduction=reduction)
    assert driver.dtype_name(found) == "float32"
    assert seen == [((1, 4), "float32")] * 6


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 5)])
def test_no_elements_have_no_mean(shape):
    x = np.zeros(shape)
    assert reduced(IDENTITY, x, reduction="sum") == 0
    assert reduced(IDENTITY, x, reduction="none").shape == shape
    with pytest.raises(ValueError, match=r"`x` has shape \([0-9, ]+\): there is nothing to average over"):
        reduced(IDENTITY, x, reduction="mean")


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_sample_of_nothing_has_no_value(reduction):
    with pytest.raises(ValueError, match=r"`x` has shape \(3, 0\): there is nothing to average over"):
        reduced(Formula(lambda xp, x: x.mean(-1), inner=1), np.zeros((3, 0)), reduction=reduction)


def test_rows_of_an_empty_axis_are_none(driver):
    p = driver.array(np.ones((2, 0, 3)))
    assert driver.numpy(ak.kl_divergence(p, p, reduction="none")).shape == (2, 0)
    assert driver.numpy(ak.kl_divergence(p, p, reduction="sum")) == 0


def test_an_unknown_reduction_is_named():
    with pytest.raises(ValueError, match="`reduction` must be one of 'mean', 'sum', 'none', got 'median'"):
        reduced(IDENTITY, np.zeros(3), reduction="median")


def test_the_weight_multiplies_the_result_once(driver):
    x = driver.array(draw(0, 3))
    seen = []

    def values(xp, x):
        seen.append(1)
        return x

    for weight in (2.0, 2, driver.array(np.asarray(2.0))):
        for reduction in ("mean", "sum", "none"):
            once = driver.numpy(reduced(Formula(values), x, reduction=reduction))
            found = driver.numpy(reduced(Formula(values), x, weight=weight, reduction=reduction))
            np.testing.assert_allclose(found, 2 * once, rtol=1e-15)
    assert len(seen) == 18  # no second evaluation


def test_float32_sums_of_millions_keep_seven_digits(driver):
    x = np.random.default_rng(0).uniform(0.05, 0.15, 2**22).astype(np.float32)
    scores = driver.array(np.sqrt(x), "float32")
    expected = np.sum(driver.numpy(scores).astype(np.float64) ** 2)
    found = [driver.numpy(ak.mean_squared_anomaly(scores, reduction=reduction)) for reduction in ("sum", "mean")]
    assert found[0] == pytest.approx(expected, rel=1e-6)
    assert found[1] == pytest.approx(expected / x.size, rel=1e-6)


@pytest.mark.parametrize("value", [0.1, 0.3, 0.55, 0.744, 0.9])
def test_float32_sums_of_equal_numbers_keep_six_digits(value, driver):
    x = np.full(2**18, value, np.float32)
    given = driver.array(x)
    exact = float(x[0])
    assert driver.numpy(ak.mean_squared_anomaly(given)) == pytest.approx(exact**2, rel=1e-6)
    assert driver.numpy(ak.mse_reconstruction_loss(given, 0.0 * given)) == pytest.approx(exact**2, rel=1e-6)
    entropy = driver.numpy(ak.anomaly_bce_with_logits(0.0 * given, given))
    assert entropy == pytest.approx(np.logaddexp(0.0, exact), rel=1e-6)
    overlap = driver.numpy(ak.iou_loss(1.0 + 0.0 * given, given, normalize_method="clamp", smooth=0))
    assert overlap == pytest.approx(1.0 - exact, abs=1e-6)


MASK, SCORE = np.arange(2**20).reshape(2**10, -1) % 3 == 0, np.ones((2**10, 2**10), np.float32)


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
def test_torch_evaluates_in_blocks_from_a_size_on_and_what_is_recorded_only_with_slopes(driver, monkeypatch):
    from anomaly_kernels._core.backends import torch_evaluation

    monkeypatch.setattr(blocks, "BLOCK", 4)
    monkeypatch.setattr(torch_evaluation, "SMALL", 0)
    monkeypatch.setattr(torch_evaluation, "BLOCKS", 4)
    monkeypatch.setattr(torch_evaluation, "RECORDED_BLOCKS", 3)
    seen = []

    def values(xp, x):
        seen.append(x.shape[0])
        return (x * x).sum(-1)

    plain = Formula(values, inner=1)
    sloped = plain._replace(slopes=lambda xp, x: [lambda: 2.0 * x])
    for rows, recorded, formula, cut in [
        (3, False, plain, False),
        (4, False, plain, True),
        (4, True, plain, False),
        (2, True, sloped, False),
        (3, True, sloped, True),
        (3, False, sloped, False),
    ]:
        x = driver.array(draw(0, rows, 4)).requires_grad_(recorded)
        for reduction in ("mean", "sum"):
            seen.clear()
            found = reduced(formula, x, reduction=reduction)
            assert seen == ([1] * rows if cut else [rows])
            assert found.requires_grad is recorded
            expected = (draw(0, rows, 4) ** 2).sum(-1)
            np.testing.assert_allclose(found.detach(), getattr(expected, reduction)(), rtol=1e-14)
        seen.clear()
        each = reduced(formula, x, reduction="none")
        assert seen == ([1] * rows if cut and not recorded else [rows])
        np.testing.assert_allclose(each.detach(), expected, rtol=1e-14)


@pytest.mark.library("numpy", "torch")
def test_a_formula_within_the_block_of_another_is_cut_as_well(driver, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 4)
    if driver.name == "torch":
        from anomaly_kernels._core.backends import torch_evaluation

        monkeypatch.setattr(torch_evaluation, "SMALL", 0)
        for name in ("BLOCKS", "RECORDED_BLOCKS"):
            monkeypatch.setattr(torch_evaluation, name, 6)  # of all images together, none of which has so many
    seen = []

    def values(xp, x):
        seen.append(x.numel() if driver.name == "torch" else x.size)
        return x

    def of_images(xp, x):
        xp, dtype = inputs(x=x)
        return xp.reshape(reduce(xp, dtype, Formula(values), {"x": x}, reduction="sum"), (1,))

    x = draw(0, 3, 12)
    found = reduced(Formula(of_images, inner=1), driver.array(x), reduction="none")
    np.testing.assert_allclose(driver.numpy(found), x.sum(-1), rtol=1e-14)
    assert seen == [4] * 9
    seen.clear()
    reduced(Formula(values), driver.array(x[0]), reduction="sum")
    assert seen == ([4] * 3 if driver.name == "numpy" else [12])  # as before, outside


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_formula_that_hands_its_arrays_on_gets_them_as_they_are(dtype, driver, monkeypatch):
    for size in (2, 1000):
        lower_thresholds(monkeypatch, size)
        score, mask, seen = driver.array(draw(0, 3, 4), dtype), driver.array(draw(1, 3, 4) > 0), []

        def values(xp, x, y, seen=seen):
            seen.append((driver.dtype_name(x), driver.dtype_name(y)))
            return xp.sum(xp.where(y, x, 0.0), axis=-1)

        xp, kind = inputs({"mask": mask}, score=score)
        formula, arrays = Formula(values, inner=1, casts=True), {"score": score, "mask": mask}
        found = driver.numpy(reduce(xp, kind, formula, arrays, reduction="none"))
        assert set(seen) == {(dtype, "bool")}
        expected = np.where(driver.numpy(mask), driver.numpy(score), 0.0).sum(-1)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.library("torch")
def test_the_thresholds_of_torch_are_two_and_four_million_elements():
    from anomaly_kernels._core.backends import torch_evaluation

    assert torch_evaluation.RECORDED_BLOCKS * blocks.BLOCK == 2**21
    assert torch_evaluation.BLOCKS * blocks.BLOCK == 2**22


@pytest.mark.library("jax", "tensorflow", "dask", "array_api_strict")
def test_other_libraries_evaluate_the_whole(driver, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 4)
    x = driver.array(draw(0, 5, 3))
    shapes = []

    def values(xp, x):
        shapes.append(tuple(x.shape))
        return x

    found = reduced(Formula(values), x, reduction="mean")
    assert set(shapes) == {(5, 3)}
    assert driver.numpy(found) == pytest.approx(draw(0, 5, 3).mean(), rel=1e-14)


@pytest.mark.library("numpy", "torch")
@pytest.mark.parametrize("kernel", KERNELS)
def test_every_kernel_gives_in_blocks_what_it_gives_whole(kernel, driver, monkeypatch):
    # samples have several numbers: blocks of 1 are cut inside of a sample by a kernel that forgets what must stay whole
    for _, (arrays, settings) in variants(KERNELS[kernel]):
        case = Case(KERNELS[kernel], arrays, driver, settings)
        expected = case.expected
        for size in (1, 5, 17):
            with monkeypatch.context() as patch:
                lower_thresholds(patch, size)
                found = case.run()
            agree(case, found, f"in blocks of {size}", expected=expected)
