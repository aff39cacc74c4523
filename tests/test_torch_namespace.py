"""torch's ways of looking on: where a tangent, a trace or a mode is, nothing is computed behind its back."""

from __future__ import annotations

import numpy as np
import pytest

import anomaly_kernels as ak
from anomaly_kernels._catalogue import KERNELS
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.samples import sample
from anomaly_kernels.testing.support import does_not_apply
from anomaly_kernels.testing.trees import flatten

pytestmark = [
    pytest.mark.library("torch"),
    # torch's own, where it loads its rules of forward mode
    pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning"),
]

SMOOTH = [name for name in KERNELS if does_not_apply("gradients", name, "torch") is None]


def slope(torch, function, *points):
    """The derivative of the sum of a function's results along the tangents (1, 2, …), in forward mode."""
    from torch.autograd import forward_ad

    with forward_ad.dual_level():
        tangents = [torch.arange(1.0, x.numel() + 1, dtype=x.dtype).reshape(x.shape) for x in points]
        total = function(*map(forward_ad.make_dual, points, tangents))
        tangent = forward_ad.unpack_dual(total).tangent
    return sum((t * g).sum() for t, g in zip(tangents, reverse(torch, function, *points), strict=True)), tangent


def reverse(torch, function, *points):
    leaves = [x.clone().requires_grad_() for x in points]
    return torch.autograd.grad(function(*leaves), leaves, materialize_grads=True)


@pytest.mark.parametrize("kernel", SMOOTH)
def test_forward_mode_gives_the_slope_of_reverse_mode(kernel, driver):
    torch = driver.module
    inputs, settings = sample(KERNELS[kernel])
    case = Case(KERNELS[kernel], inputs, driver, settings)
    names, arrays = case.floats, case.arrays()

    def function(*points):
        return case.summed({**arrays, **dict(zip(names, points, strict=True))})

    expected, found = slope(torch, function, *(arrays[name] for name in names))
    assert found is not None
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (ak.svdd_radius, ()),
        (lambda x: ak.anomaly_bce_with_logits(x.new_ones(3), x), (3,)),
        (lambda x: ak.iou_loss(x.new_ones(3), x), (3,)),
    ],
)
def test_forward_mode_gives_the_slope_at_zero(function, shape, driver):
    expected, found = slope(driver.module, function, driver.array(np.zeros(shape)))
    assert found == pytest.approx(float(expected), rel=1e-14)
    assert abs(found) > 0.01


def test_forward_mode_sees_the_quantiles_of_scores(driver):
    torch = driver.module
    x = driver.array(np.asarray([3.0, 1.0, 2.0, 6.0]))
    expected, found = slope(torch, lambda x: ak.score_statistics(x).q75, x)
    assert found == pytest.approx(float(expected), rel=1e-14)
    gini = slope(torch, lambda x: ak.selector_diversity(x).gini_coefficient, x)
    torch.testing.assert_close(*gini)


def test_symbolic_tracing_records_every_operation(driver):
    from torch.fx.experimental.proxy_tensor import make_fx

    x, y = (driver.array(np.random.default_rng(seed).normal(size=5)) for seed in (0, 1))
    for function in (lambda x: ak.score_statistics(x).q75, lambda x: 2.0 * ak.mean_squared_anomaly(x)):
        traced = make_fx(function)(x)
        driver.module.testing.assert_close(traced(y), function(y))


@pytest.mark.parametrize("kernel", KERNELS)
def test_on_the_meta_device_there_are_shapes_alone(kernel, driver):
    inputs, settings = sample(KERNELS[kernel])
    case = Case(KERNELS[kernel], inputs, driver, settings)
    arrays = {name: x.to("meta") for name, x in case.arrays("float32").items()}
    if kernel.endswith("_curve"):
        with pytest.raises(TypeError, match="^a curve has as many points as there are distinct scores"):
            case.call(arrays)
        return
    if kernel == "label_regions":
        with pytest.raises(TypeError, match="^`target` must be known for its regions to be labelled"):
            case.call(arrays)
        return
    for path, x in flatten(case.call(arrays)).items():
        assert (x.device.type, tuple(x.shape)) == ("meta", case.expected[path].shape)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_autocast_changes_neither_values_nor_gradients(kernel, half, driver):
    torch = driver.module
    inputs, settings = sample(KERNELS[kernel])
    case = Case(KERNELS[kernel], inputs, driver, settings)
    arrays = case.arrays("float32")

    def results():
        slopes = driver.value_and_grad(case.summed, arrays, case.floats)[1] if kernel in SMOOTH else {}
        return [*flatten(case.call(arrays)).values(), *slopes.values()]

    expected = results()
    with torch.autocast("cpu", getattr(torch, half)):
        found = results()
    torch.testing.assert_close(found, expected, equal_nan=True, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_large_products_fit_under_autocast(half, driver):
    torch = driver.module
    with torch.autocast("cpu", getattr(torch, half)):
        assert float(ak.orthogonality_loss(300.0 * torch.eye(3))) == pytest.approx(3 * (300.0**2 - 1) ** 2)
        assert float(ak.component_orthogonality(300.0 * torch.eye(3)).diagonal_mean) == 300.0**2


def mixture_energy(z):
    gamma = z.new_ones(len(z), 1)
    return ak.gmm_energy(z, ak.gmm_params(z, gamma))


@pytest.mark.parametrize("function", [ak.orthogonality_loss, mixture_energy])
def test_gradients_compiled_under_autocast_are_those_of_float32(function, driver):
    torch = driver.module
    torch.compiler.reset()
    x = torch.tensor(np.random.default_rng(0).normal(size=(6, 3)), dtype=torch.float32)
    (expected,) = reverse(torch, function, x)
    with torch.autocast("cpu", torch.bfloat16):
        (found,) = reverse(torch, torch.compile(function, fullgraph=True, backend="aot_eager"), x)
        mapped = torch.func.vmap(torch.func.grad(function))(x[None])[0]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(mapped, expected, rtol=1e-5, atol=1e-5)
