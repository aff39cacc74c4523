"""The JAX functions: what a JAX user does with a function works, and other numbers compile nothing anew."""

from __future__ import annotations

import functools
import inspect
import os
import pickle
import subprocess
import sys
import textwrap
from fractions import Fraction

import numpy as np
import pytest
from adapters import all_variants

import anomaly_kernels as ak
from anomaly_kernels._catalogue import CATALOGUE
from anomaly_kernels.testing.samples import classifier, hidden_layer

pytestmark = pytest.mark.library("jax")

RNG = np.random.default_rng(0)
VARIANTS = all_variants()


@pytest.fixture
def jak(driver):
    import anomaly_kernels.jax

    return anomaly_kernels.jax


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_each_kernel_is_there_compiled_or_as_it_is(entry, jak):
    function = getattr(jak, entry.name)
    if entry.jax == "plain":
        assert function is entry.kernel
        return
    assert function.__wrapped__ is entry.kernel
    assert inspect.signature(function) == inspect.signature(entry.kernel)
    assert function.__doc__ == entry.kernel.__doc__
    assert function.__module__ == "anomaly_kernels.jax"
    assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("mean_squared_anomaly", {"weight": (1.0, 2.0, 3.0)}),
        ("distillation_loss", {"temperature": (1.0, 2.0), "epsilon": (1e-7, 1e-6)}),
        ("iou_loss", {"smooth": (1e-6, 1.0), "weight": (1.0, 0.5)}),
        ("anomaly_bce_with_logits", {"pos_weight": (1.0, 10.0)}),
        ("elbo", {"sim": (0.1, 0.2)}),
        ("deep_svdd_soft_boundary_loss", {"nu": (0.1, 0.2)}),
        ("aegmm_loss", {"w_energy": (0.1, 0.2), "eps": (1e-6, 1e-3)}),
        ("selector_entropy_regularizer", {"target_entropy": (0.5, 0.6)}),
        ("adversarial_ae_loss", {"w_recon": (0.0, 0.1)}),
    ],
)
def test_other_numbers_compile_nothing_anew(name, numbers, driver, jak):
    variant = next(each for each in VARIANTS.values() if each.kernel.__name__ == name)
    arrays = [driver.array(x) for x in variant.arrays.values()]
    traced = []

    @functools.wraps(variant.kernel)
    def counted(*args, **settings):
        traced.append(settings)
        return variant.kernel(*args, **settings)

    function = jak.jitted(counted)
    for values in zip(*numbers.values(), strict=True):
        settings = variant.settings | dict(zip(numbers, values, strict=True))
        found = function(*arrays, **settings)
        np.testing.assert_allclose(found, variant.kernel(**variant.arrays, **settings), rtol=1e-9)
    assert len(traced) == 1


@pytest.mark.parametrize(("name", "share"), [("fpr_at_tpr", "tpr"), ("roc_auc", "max_fpr")])
def test_other_shares_compile_nothing_anew(name, share, driver, jak):
    kernel, traced = getattr(ak, name), []

    @functools.wraps(kernel)
    def counted(*args, **settings):
        traced.append(settings)
        return kernel(*args, **settings)

    truth, score = RNG.random(30) < 0.4, RNG.normal(size=30)
    function = jak.jitted(counted)
    for value in (0.3, 0.8):
        found = function(driver.array(truth), driver.array(score), **{share: value})
        np.testing.assert_allclose(found, kernel(truth, score, **{share: value}), rtol=1e-12)
    assert len(traced) == 1
    with pytest.raises(ValueError, match=f"`{share}` must be > 0 and <= 1, got 1.5"):
        function(driver.array(truth), driver.array(score), **{share: 1.5})


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
def test_weights_of_samples_may_be_integers(dtype, driver, jak):
    truth, score, weight = RNG.random(30) < 0.4, RNG.normal(size=30), RNG.integers(0, 4, 30).astype(dtype)
    found = jak.roc_auc(driver.array(truth), driver.array(score), sample_weight=driver.array(weight))
    np.testing.assert_allclose(found, ak.roc_auc(truth, score, sample_weight=weight), rtol=1e-6)


def test_regions_are_labelled_before_anything_is_compiled(driver, jak):
    import jax

    target, score = RNG.random((4, 9, 9)) < 0.3, RNG.normal(size=(4, 9, 9))
    arrays = driver.array(target), driver.array(score)
    expected = ak.aupro(target, score)
    np.testing.assert_allclose(jak.aupro(*arrays), expected, rtol=1e-12)
    np.testing.assert_allclose(jak.aupro(score=arrays[1], target=arrays[0]), expected, rtol=1e-12)
    region = jak.label_regions(arrays[0])
    np.testing.assert_allclose(jax.jit(jak.aupro)(*arrays, region=region), expected, rtol=1e-12)
    decision = arrays[1] > 0.5
    found = jak.region_detection(arrays[0], decision, region=region, overlap=0.5)
    np.testing.assert_allclose(found, ak.region_detection(target, score > 0.5, overlap=0.5), rtol=1e-12)
    with pytest.raises(TypeError, match="`target` must be known for its regions to be labelled"):
        jax.jit(jak.aupro)(*arrays)
    with pytest.raises(TypeError, match="score"):
        jak.aupro(arrays[0])


def test_an_undefined_quotient_may_be_nan(driver, jak):
    target = driver.array(np.asarray([True, False]))
    assert np.isnan(jak.anomaly_detection_metrics(target, target & False, zero_division=float("nan")).precision)


def test_names_axes_and_quantiles_are_static_and_may_be_lists_or_arrays(driver, jak):
    target, score = driver.array(RNG.random((4, 5)) > 0.5), driver.array(RNG.normal(size=(4, 5)))
    assert jak.iou_loss(target, score, axis=[1], normalize_method="clamp").shape == (4,)
    y, forecast = driver.array(RNG.random((2, 3, 1))), driver.array(RNG.random((2, 3, 2, 1)))
    for quantiles in ([0.1, 0.9], (0.1, 0.9), np.asarray([0.1, 0.9])):
        found = jak.quantile_loss(y, forecast, quantiles=quantiles)
        assert found == pytest.approx(float(ak.quantile_loss(y, forecast, quantiles=[0.1, 0.9])), rel=1e-12)


def test_a_model_may_bring_its_parameters(driver, jak):
    import jax

    x, y = driver.array(RNG.normal(size=(5, 3))), driver.array(RNG.dirichlet(np.ones(3), size=5))

    def apply(w, x):
        return jax.nn.softmax(w * x)

    def loss(w):
        return jak.distillation_loss(x, y, model=jax.tree_util.Partial(apply, w), temperature=2.0)

    value, slope = jax.value_and_grad(loss)(driver.array(np.asarray(0.7)))
    step = 1e-6
    exact = ak.distillation_loss(x, y, model=lambda x: apply(0.7, x), temperature=2.0)
    np.testing.assert_allclose(value, exact, rtol=1e-12)
    np.testing.assert_allclose(slope, (loss(0.7 + step) - loss(0.7 - step)) / (2 * step), rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda jak, x: jak.deep_svdd_soft_boundary_loss(x, x[0], 1.0, nu=1.5),
            ValueError,
            "^`nu` must be > 0 and < 1",
        ),
        (lambda jak, x: jak.iou_loss(x, x, normalize_method="tanh"), ValueError, "^`normalize_method` must be one of"),
        (
            lambda jak, x: jak.quantile_loss(x, x, quantiles=[2.0]),
            ValueError,
            r"^`quantiles` must be numbers in \[0, 1\]",
        ),
        (
            lambda jak, x: jak.mse_reconstruction_loss(x, x[0]),
            ValueError,
            "^`x_true` and `x_pred` must have equal shapes",
        ),
        (lambda jak, x: jak.iou_loss(x, x, smoth=1.0), TypeError, "smoth"),
        (lambda jak, x: jak.distillation_loss(x, x, model=3), TypeError, "^`model` must be callable, got int$"),
        (lambda jak, x: jak.mean_squared_anomaly(x, weight="1"), TypeError, "^`weight` must be a number"),
    ],
)
def test_errors_are_those_of_the_functions(call, error, message, driver, jak):
    with pytest.raises(error, match=message):
        call(jak, driver.array(np.ones((3, 3))))


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
def test_dtypes(dtype, driver, jak):
    x = driver.array(RNG.normal(size=(4, 3)), dtype)
    found = jak.deep_svdd_loss(x, x[0])
    assert found.dtype == ("float64" if dtype == "float64" else "float32")
    exact = ak.deep_svdd_loss(driver.numpy(x).astype("float64"), driver.numpy(x[0]).astype("float64"))
    assert float(found) == pytest.approx(exact, rel=1e-6)


def test_transformations_compose(driver, jak):
    import jax
    import jax.numpy as jnp

    z, center = driver.array(RNG.normal(size=(4, 3))), driver.array(RNG.normal(size=3))
    loss = jak.deep_svdd_loss
    value, slope = jax.value_and_grad(loss)(z, center)
    np.testing.assert_allclose(value, jnp.mean(jnp.sum((z - center) ** 2, -1)), rtol=1e-12)
    np.testing.assert_allclose(slope, 2 * (z - center) / 4, rtol=1e-12)
    np.testing.assert_allclose(jax.hessian(loss, 1)(z, center), 2 * np.eye(3), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(jax.vmap(loss, (0, None))(z[:, None], center), np.sum((z - center) ** 2, -1), rtol=1e-12)
    _, scanned = jax.lax.scan(lambda carry, row: (carry, loss(row[None], center)), None, z)
    np.testing.assert_allclose(scanned, np.sum((z - center) ** 2, -1), rtol=1e-12)


def test_a_step_of_optax_lowers_the_loss(driver, jak):
    import jax
    import optax

    x = driver.array(RNG.normal(size=(64, 4)))
    params, optimizer = {"w": driver.array(RNG.normal(size=(4, 4)))}, optax.adam(0.05)

    @jax.jit
    def step(params, state, weight):
        loss, slope = jax.value_and_grad(lambda p: jak.mse_reconstruction_loss(x, x @ p["w"], weight=weight))(params)
        updates, state = optimizer.update(slope, state)
        return optax.apply_updates(params, updates), state, loss

    state, losses = optimizer.init(params), []
    for k in range(200):
        params, state, loss = step(params, state, 1.0 + k / 200)  # a weight on a schedule
        losses.append(float(loss))
    assert losses[-1] < 0.05 * losses[0]


SHARDED = """
    import jax, numpy as np
    from jax.sharding import PartitionSpec as P
    import anomaly_kernels.jax as ak

    mesh = jax.make_mesh((8,), ("rows",), axis_types=(jax.sharding.AxisType.Auto,))
    x, y = np.random.default_rng(0).normal(size=(2, 64, 5)).astype("float32")

    def loss(x, y):
        return jax.lax.pmean(ak.mse_reconstruction_loss(x, y), "rows")

    sharded = jax.jit(jax.value_and_grad(jax.shard_map(loss, mesh=mesh, in_specs=P("rows"), out_specs=P())))
    found, slope = sharded(x, y)
    expected, slopes = jax.value_and_grad(ak.mse_reconstruction_loss)(x, y)
    assert jax.device_count() == 8
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(slope, slopes, rtol=1e-5, atol=1e-9)
    by_sharding = jax.device_put(x, jax.NamedSharding(mesh, P("rows")))
    np.testing.assert_allclose(ak.mse_reconstruction_loss(by_sharding, y), expected, rtol=1e-6)
    print("equal")
"""


def test_shards_on_eight_devices_give_the_loss_of_one():
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SHARDED)],
        env=os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.stdout.strip() == "equal", done.stderr


class Unhashable:
    """A model that cannot be static."""

    __hash__ = None

    def __call__(self, x):
        return classifier(x)


def test_what_cannot_be_static_is_named(driver, jak):
    import jax

    x = driver.array(RNG.random((3, 4)))
    with pytest.raises(
        TypeError, match="^mean_squared_anomaly takes scores by position and settings by name, got 2 arguments$"
    ):
        jak.mean_squared_anomaly(x, 2.0)
    with pytest.raises(TypeError, match=r"`model` must have a hash, or be a `jax.tree_util.Partial`"):
        jak.distillation_loss(x, x, model=Unhashable())
    with pytest.raises(TypeError, match="^`quantiles` must be known when it is compiled, got a traced array"):
        jax.jit(lambda q: jak.quantile_loss(x, x[:, None], quantiles=q))(driver.array(np.asarray([0.5])))


def test_a_radius_is_checked_as_settings_are(driver, jak):
    z, center = driver.array(RNG.random((5, 3))), driver.array(np.zeros(3))
    for radius, error, message in ((np.nan, ValueError, "a number, got nan"), ("a", TypeError, ".* got str")):
        for given in ({"radius": radius}, {}):
            with pytest.raises(error, match=f"^`radius` must be {message}$"):
                jak.deep_svdd_soft_boundary_loss(z, center, *(() if given else (radius,)), **given)
    expected = jak.deep_svdd_soft_boundary_loss(z, center, 0.5)
    assert jak.deep_svdd_soft_boundary_loss(z, center, Fraction(1, 2)) == expected
    assert jak.deep_svdd_soft_boundary_loss(z, center, driver.array(0.5)) == expected
    assert np.isfinite(jak.deep_svdd_soft_boundary_loss(z, center, 2**70))


@pytest.mark.parametrize("weight", [2**70, Fraction(1, 3), np.float32(0.5)])
def test_numbers_of_every_kind_are_traced(weight, driver, jak):
    x = driver.array(RNG.random((3, 2, 4)))
    found = jak.mean_squared_anomaly(x, weight=weight)
    np.testing.assert_allclose(found, float(weight) * float(jak.mean_squared_anomaly(x)), rtol=1e-12)


def test_models_of_hidden_layers_may_be_partial_and_weighed_by_an_array(driver, jak):
    import jax

    x, y = RNG.random((2, 5, 4))
    expected = ak.adversarial_ae_loss(
        x, y, model=classifier, model_hl=[hidden_layer, classifier], w_model_hl=[0.5, 0.25]
    )
    models = [jax.tree_util.Partial(hidden_layer), classifier]
    for weights in ([0.5, 0.25], np.asarray([0.5, 0.25])):
        given = (driver.array(x), driver.array(y))
        found = jak.adversarial_ae_loss(*given, model=classifier, model_hl=models, w_model_hl=weights)
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_a_misspelt_setting_is_refused_and_the_right_one_suggested(jak):
    x = np.ones(3)
    with pytest.raises(TypeError, match="^iou_loss has no setting `smoth`; did you mean `smooth`"):
        jak.iou_loss(x, x, smoth=1.0)
