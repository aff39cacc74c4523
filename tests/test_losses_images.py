"""Structural similarity of images: against SciPy's windows and plain loops, and where others lose digits."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
from reference import DIFFERENTIATING, draw, gradient

import anomaly_kernels as ak
from anomaly_kernels.losses import _windows

X, Y = draw(0, 2, 3, 14, 13, low=0.0, high=1.0), draw(1, 2, 3, 14, 13, low=0.0, high=1.0)


def similarity(x, y, size, weigh, border, r=1.0, k1=0.01, k2=0.03):
    """The map of one image, from the moments that a filter of SciPy gives."""
    mean_x, mean_y = weigh(x), weigh(y)
    of_x, of_y, of_both = weigh(x * x) - mean_x**2, weigh(y * y) - mean_y**2, weigh(x * y) - mean_x * mean_y
    c1, c2 = (k1 * r) ** 2, (k2 * r) ** 2
    found = (2 * mean_x * mean_y + c1) * (2 * of_both + c2)
    found = found / ((mean_x**2 + mean_y**2 + c1) * (of_x + of_y + c2))
    inside = tuple(slice(size // 2, n - size // 2) for n in x.shape)
    return 1 - (found[inside] if border == "valid" else found)


def gaussian(size, sigma):
    return lambda x: scipy.ndimage.gaussian_filter(x, sigma, mode="reflect", radius=size // 2)  # SciPy's word for it


def uniform(size):
    return lambda x: scipy.ndimage.uniform_filter(x, size, mode="reflect")


WINDOWS = {
    "Wang's": (11, gaussian(11, 1.5), {}),
    "narrow": (5, gaussian(5, 0.8), {"size": 5, "sigma": 0.8}),
    "uniform": (7, uniform(7), {"size": 7, "window": "uniform"}),
    "one pixel": (1, lambda x: x, {"size": 1}),
}


@pytest.mark.library("numpy", "torch")
@pytest.mark.parametrize("border", ["valid", "symmetric"])
@pytest.mark.parametrize("window", WINDOWS)
def test_the_map_is_that_of_the_moments_of_scipy(window, border, driver):
    size, weigh, settings = WINDOWS[window]
    arrays = driver.array(X), driver.array(Y)
    found = ak.ssim_loss(*arrays, data_range=1.0, border=border, reduction="none", **settings)
    expected = [
        [similarity(a, b, size, weigh, border) for a, b in zip(*each, strict=True)] for each in zip(X, Y, strict=True)
    ]
    np.testing.assert_allclose(driver.numpy(found), expected, rtol=1e-10, atol=1e-13)
    for how, reduce in (("mean", np.mean), ("sum", np.sum)):
        value = ak.ssim_loss(*arrays, data_range=1.0, border=border, reduction=how, **settings)
        assert driver.numpy(value) == pytest.approx(reduce(expected), rel=1e-10)


def test_one_window_is_what_a_plain_loop_gives():
    x, y, size, r = X[0, 0, :3, :3], Y[0, 0, :3, :3], 3, 2.0
    w = [np.exp(-(t**2) / (2 * 0.7**2)) for t in (-1, 0, 1)]
    w = [[a * b / sum(w) ** 2 for b in w] for a in w]
    pixels = [(w[i][j], x[i, j], y[i, j]) for i in range(3) for j in range(3)]
    mean_x, mean_y = (sum(p[0] * p[k] for p in pixels) for k in (1, 2))
    of_x, of_y, both = (
        sum(p[0] * (p[i] - m) * (p[j] - n) for p in pixels)
        for i, j, m, n in ((1, 1, mean_x, mean_x), (2, 2, mean_y, mean_y), (1, 2, mean_x, mean_y))
    )
    c1, c2 = (0.02 * r) ** 2, (0.05 * r) ** 2
    expected = 1 - (2 * mean_x * mean_y + c1) * (2 * both + c2) / ((mean_x**2 + mean_y**2 + c1) * (of_x + of_y + c2))
    settings = {"size": size, "sigma": 0.7, "k1": 0.02, "k2": 0.05, "weight": 3.0}
    assert ak.ssim_loss(x, y, data_range=r, **settings) == pytest.approx(3 * expected, rel=1e-12)


def test_images_may_have_one_axis_three_or_channels_last():
    x, y = draw(2, 2, 8, 9, 7, low=0.0, high=1.0), draw(3, 2, 8, 9, 7, low=0.0, high=1.0)
    settings = {"data_range": 1.0, "size": 5, "border": "symmetric", "reduction": "none"}
    last = ak.ssim_loss(x, y, axis=(-3, -2), **settings)
    first = ak.ssim_loss(np.moveaxis(x, -1, 1), np.moveaxis(y, -1, 1), **settings)
    np.testing.assert_allclose(last, np.moveaxis(first, 1, -1), rtol=1e-12)
    np.testing.assert_allclose(ak.ssim_loss(x, y, axis=(-2, -3), **settings), last, rtol=1e-12)
    volume = ak.ssim_loss(x, y, axis=(1, 2, 3), **settings)
    for k in range(2):
        np.testing.assert_allclose(volume[k], similarity(x[k], y[k], 5, gaussian(5, 1.5), "symmetric"), rtol=1e-9)
        np.testing.assert_allclose(ak.ssim_loss(x[k], y[k], axis=None, **settings), volume[k], rtol=1e-12)
    line = ak.ssim_loss(x, y, axis=2, **settings)
    expected = similarity(x[0, 3, :, 2], y[0, 3, :, 2], 5, gaussian(5, 1.5), "symmetric")
    np.testing.assert_allclose(line[0, 3, :, 2], expected, rtol=1e-9)


@pytest.mark.parametrize("border", ["valid", "symmetric"])
def test_bands_cut_into_columns_are_the_same_bands(border, monkeypatch):
    settings = {"data_range": 1.0, "size": 5, "border": border}

    def loss(x, y):
        return ak.ssim_loss(x, y, **settings)

    expected = ak.value_and_grad(loss, argnums=(0, 1))(X, Y)
    monkeypatch.setattr(_windows, "COLUMNS", 3)
    found = ak.value_and_grad(loss, argnums=(0, 1))(X, Y)
    assert found[0] == pytest.approx(expected[0], rel=1e-13)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-11, atol=1e-16)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize("step", [1e-4, 0.1])
def test_an_offset_or_a_small_difference_costs_no_digits(step, offset, driver):
    x = (offset + draw(4, 1, 16, 16, low=0.0, high=1.0)).astype(np.float32).astype(float)
    y = (x + step * draw(5, 1, 16, 16)).astype(np.float32).astype(float)

    def loss(a, b):
        return ak.ssim_loss(a, b, data_range=1.0)

    expected, slopes = ak.value_and_grad(loss, argnums=(0, 1))(x, y)
    pair = driver.array(x, "float32"), driver.array(y, "float32")
    compiled = driver.jit(lambda arrays: loss(*arrays)) if driver.name == "jax" else lambda arrays: loss(*arrays)
    assert driver.numpy(compiled(pair)) == pytest.approx(float(expected), rel=1e-5)
    both = ak.value_and_grad(loss, argnums=(0, 1))
    found = driver.jit(lambda arrays: both(*arrays)[1])(pair) if driver.name == "jax" else both(*pair)[1]
    for slope, exact in zip(found, slopes, strict=True):
        np.testing.assert_allclose(driver.numpy(slope), exact, rtol=0, atol=2e-5 * np.abs(exact).max())


def test_the_loss_is_0_of_equal_images_and_above_1_of_reversed_ones():
    assert ak.ssim_loss(X, X, data_range=1.0) == 0
    assert 1 < ak.ssim_loss(X, 1 - X, data_range=1.0) <= 2
    black = np.zeros((1, 16, 16))
    assert ak.ssim_loss(black, black, data_range=255) == 0
    assert ak.ssim_loss(black, black + 1, data_range=1.0) == pytest.approx(1 - 1e-4 / (1 + 1e-4), rel=1e-12)


def test_a_batch_does_not_change_the_loss_of_its_images():
    each = [ak.ssim_loss(X[k], Y[k], data_range=1.0) for k in range(2)]
    assert ak.ssim_loss(X, Y, data_range=1.0) == pytest.approx(np.mean(each), rel=1e-13)


@pytest.mark.library("numpy", *DIFFERENTIATING)
def test_flat_and_equal_images_have_a_gradient_of_0(driver):
    flat = np.full((1, 12, 12), 0.5)
    found = gradient(driver, lambda a, b: ak.ssim_loss(a, b, data_range=1.0), a=flat, b=flat)
    assert all(np.abs(slope).max() < 1e-12 for slope in found.values())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 15}, r"`size` must be no more than each extent of an image along `axis`, \(14, 13\), got 15"),
        (
            {"size": 29, "border": "symmetric"},
            r"`size` // 2 must be no more than each extent of an image along `axis`, \(14, 13\), got 14",
        ),
        ({"size": 4}, "`size` must be an odd integer, got 4"),
        ({"sigma": 0}, "^`sigma` must be > 0, got 0$"),
        ({"axis": 4}, "`axis` must be distinct axes of an array of 4 dimensions, got 4"),
        ({"data_range": 0}, "`data_range` must be > 0, got 0"),
        ({"window": "box"}, "`window` must be one of 'gaussian', 'uniform', got 'box'"),
        ({"reduction": "median"}, "`reduction` must be one of"),
        ({"x_pred": Y[:1]}, "`x_true` and `x_pred` must have equal shapes"),
        ({"x_true": X[:0], "x_pred": Y[:0]}, "`x_true` has shape .* nothing to average over"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ak.ssim_loss(**{"x_true": X, "x_pred": Y, "data_range": 1.0} | settings)


def test_a_window_of_a_wrong_type_is_refused_by_name():
    with pytest.raises(TypeError, match=r"^`size` must be an odd integer, got "):
        ak.ssim_loss(X, Y, data_range=1.0, size=3.0)
    with pytest.raises(TypeError, match=r"^`sigma` must be a number, got .*str"):
        ak.ssim_loss(X, Y, data_range=1.0, sigma="1.5")


def test_the_window_may_be_twice_a_mirrored_image():
    x, y = X[0, 0, :6, :7], Y[0, 0, :6, :7]
    found = ak.ssim_loss(x, y, data_range=1.0, border="symmetric", reduction="none")
    np.testing.assert_allclose(found, similarity(x, y, 11, gaussian(11, 1.5), "symmetric"), rtol=1e-9)
