"""Messages name the argument, what was given and what is expected; dtypes promote alike in every library."""

from __future__ import annotations

import numpy as np
import pytest

import anomaly_kernels as ak
from anomaly_kernels._core import checks
from anomaly_kernels.testing.samples import sample

X = np.zeros((2, 3))
XP = ak.array_namespace(X)


def raises(error, message):
    return pytest.raises(error, match=message)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool", "complex128"])
def test_scores_must_be_floating_point(dtype):
    with raises(TypeError, f"^`y` must be floating point, got dtype {dtype}$"):
        checks.inputs(x=X, y=np.zeros(3, dtype))


def test_masks_may_be_anything_but_complex_or_text():
    for dtype in ("bool", "int8", "uint16", "float16", "float32"):
        assert checks.inputs({"mask": np.zeros(3, dtype)}, x=X) == (XP, np.float64)
    for dtype in ("complex64", "U3", "O"):
        with raises(TypeError, "^`mask` must be boolean, integer or real, got dtype "):
            checks.inputs({"mask": np.zeros(3, dtype)}, x=X)


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        (["float64"], "float64"),
        (["float32"], "float32"),
        (["float16"], "float32"),
        (["float16", "float16"], "float32"),
        (["float32", "float16"], "float32"),
        (["float32", "float64"], "float64"),
        (["float64", "float16"], "float64"),
    ],
)
def test_scores_promote_and_masks_take_no_part(dtypes, expected, driver):
    if not {"float32", "float64", *driver.halves} >= set(dtypes):
        pytest.skip(f"{driver.name} has no half precision")
    scores = {f"x{k}": driver.array(X, dtype) for k, dtype in enumerate(dtypes)}
    xp, dtype = checks.inputs({"mask": driver.array(X)}, **scores)
    assert driver.dtype_name(checks.cast(xp, dtype, scores["x0"])) == expected
    assert xp is ak.array_namespace(*scores.values())


def test_bfloat16_is_computed_in_float32(driver):
    if "bfloat16" not in driver.halves:
        pytest.skip(f"{driver.name} has no bfloat16")
    x = driver.array(X, "bfloat16")
    assert driver.dtype_name(checks.cast(*checks.inputs(x=x), x)) == "float32"


def test_masks_alone_are_computed_in_float32(driver):
    mask = driver.array(X > 0)
    assert driver.dtype_name(checks.cast(*checks.inputs({"mask": mask}), mask)) == "float32"


def test_an_array_of_the_dtype_is_not_copied():
    assert checks.cast(XP, X.dtype, X) is X


@pytest.mark.library("array_api_strict")
def test_arrays_on_two_devices_are_named(driver):
    x = driver.array(X)
    other = driver.module.asarray(X, device=driver.module.Device("device1"))
    with raises(ValueError, r"^arrays must be on one device, got `x` on .*, `y` on .*device1.*$"):
        checks.inputs(x=x, y=other)


@pytest.mark.library("torch")
def test_tensors_on_two_devices_are_named(driver):
    with raises(ValueError, "^arrays must be on one device, got `x` on cpu, `y` on meta, `m` on cpu$"):
        checks.inputs({"m": driver.array(X)}, x=driver.array(X), y=driver.module.zeros(2, device="meta"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: checks.same_shape(a=X, b=X, c=X[:1]),
            r"^`a` and `b` and `c` must have equal shapes, got \(2, 3\) and \(2, 3\) and \(1, 3\)$",
        ),
        (lambda: checks.same_shape(a=X, b=X[0]), r"^`a` and `b` must have equal shapes, got \(2, 3\) and \(3,\)$"),
        (
            lambda: checks.has_shape("a", X, (2, None, 4), "(N, K, D)"),
            r"^`a` must have shape \(N, K, D\), expected \(2, \?, 4\), got \(2, 3\)$",
        ),
        (lambda: checks.has_ndim("a", X, 3, "(B, T, F)"), r"^`a` must have shape \(B, T, F\), got \(2, 3\)$"),
        (lambda: checks.has_ndim("a", X, 1, "(D,)"), r"^`a` must have shape \(D,\), got \(2, 3\)$"),
        (lambda: checks.has_ndim("a", X[0], 2, "(..., D, D)", most=-1), r"^`a` must have shape .* got \(3,\)$"),
        (lambda: checks.has_ndim("a", X, 0, "at most (D,)", most=1), r"^`a` must have shape at most .* got \(2, 3\)$"),
        (lambda: checks.not_empty(a=X, b=X[:0]), r"^`b` has shape \(0, 3\): there is nothing to average over$"),
        (lambda: checks.choice("a", "c", ("b", "d")), "^`a` must be one of 'b', 'd', got 'c'$"),
        (lambda: number("1"), None),
    ],
)
def test_messages_about_shapes_and_choices(call, message):
    if message is None:
        with raises(TypeError, "^`n` must be a number or a 0-d array, got str$"):
            call()
        return
    with raises(ValueError, message):
        call()


def test_what_fits_passes():
    checks.same_shape(a=X, b=X + 1)
    checks.has_shape("a", X, (None, 3), "(N, 3)")
    checks.has_ndim("a", X, 1, "(..., D)", most=-1)
    checks.has_ndim("a", X, 2, "(N, D)")
    checks.has_ndim("a", X, 1, "(D,) or (N, D)", most=2)
    checks.not_empty(a=X)
    checks.choice("a", "d", ("b", "d"))


@pytest.mark.parametrize("value", [None, 3, b"mean", ["mean"]])
def test_a_choice_is_a_string(value):
    with raises(TypeError, "^`a` must be one of 'b', 'd', got "):
        checks.choice("a", value, ("b", "d"))


def number(value, **limits):
    return checks.number("n", value, XP, np.float64, checks.Range(**limits))


@pytest.mark.parametrize("value", [0.5, 3, np.float32(2.0), np.int64(4), -0.0])
def test_numbers_within_their_range_pass(value):
    assert number(value, least=-0.0, below=5, above=-1) == value


@pytest.mark.parametrize(
    ("value", "limits", "wanted"),
    [
        (0, {"above": 0}, "> 0"),
        (-1, {"least": 0}, ">= 0"),
        (1, {"below": 1}, "< 1"),
        (1.5, {"above": 0, "below": 1}, "> 0 and < 1"),
        (-0.5, {"least": 0, "below": 1}, ">= 0 and < 1"),
        (float("nan"), {}, "a number"),
        (float("nan"), {"least": 0}, ">= 0"),
    ],
)
def test_numbers_out_of_their_range_are_named(value, limits, wanted):
    with raises(ValueError, f"^`n` must be {wanted}, got {value}$"):
        number(value, **limits)


def test_numbers_at_the_ends_of_their_range_pass():
    assert number(0, least=0) == 0
    assert number(1e-300, above=0) == 1e-300
    assert number(0.999, below=1) == 0.999
    assert number(float("inf"), above=0) == float("inf")


@pytest.mark.parametrize("value", ["1", None, [1.0], True, 1j])
def test_what_is_no_number_is_a_type_error(value):
    with raises(TypeError, f"^`n` must be a number or a 0-d array, got {type(value).__name__}$"):
        number(value)


def test_a_setting_may_be_a_0d_array_which_is_cast_and_not_range_checked(driver):
    x = driver.array(X, "float32")
    xp, dtype = checks.inputs(x=x)
    setting = driver.array(np.asarray(-2.0))
    found = checks.number("n", setting, xp, dtype, checks.POSITIVE)
    assert driver.dtype_name(found) == "float32"
    assert driver.numpy(found) == -2.0


def test_a_setting_is_no_longer_array(driver):
    xp, dtype = checks.inputs(x=driver.array(X))
    with raises(ValueError, r"^`n` must be a number or a 0-d array, got shape \(1,\)$"):
        checks.number("n", driver.array(np.zeros(1)), xp, dtype)


@pytest.mark.library("torch", "jax", "tensorflow", "dask", "array_api_strict")
def test_numpy_numbers_are_numbers_beside_arrays_of_any_library(driver):
    xp, dtype = checks.inputs(x=driver.array(X))
    assert checks.number("n", np.float32(0.5), xp, dtype) == 0.5
    assert type(checks.number("n", np.int64(2), xp, dtype)) is float
    with raises(ValueError, "^`n` must be > 0, got -1.0$"):
        checks.number("n", np.float64(-1), xp, dtype, checks.POSITIVE)


@pytest.mark.library("torch", "jax", "tensorflow", "dask", "array_api_strict")
def test_settings_of_another_library_are_named(driver):
    with raises(TypeError, "^`n` must be a number or an array of the library of the inputs, got .+$"):
        checks.number("n", driver.array(np.asarray(1.0)), XP, np.float64)


@pytest.mark.parametrize(
    ("shape", "expected", "fits"),
    [
        ((2, 3), (2, 3), True),
        ((2, None), (2, 3), True),
        ((None, 3), (2, None), True),
        ((2, 3), (3, 3), False),
        ((2,), (2, 3), False),
        ((), (), True),
    ],
)
def test_unknown_sizes_match_any(shape, expected, fits):
    assert checks.matches(shape, expected) is fits


@pytest.mark.library("dask")
def test_sizes_that_dask_does_not_know_are_unknown(driver):
    x = driver.array(np.arange(5.0))
    unknown = x[x > 2]
    assert checks.shape_of(unknown) == (None,)
    checks.same_shape(a=unknown, b=x)
    with raises(ValueError, r"^`a` must have shape \(N, D\), got \(\?,\)$"):
        checks.has_ndim("a", unknown, 2, "(N, D)")


@pytest.mark.parametrize(
    ("kernel", "settings"),
    [
        ("mean_squared_anomaly", {"weight": 0.75}),
        ("mse_reconstruction_loss", {"weight": 0.75}),
        ("elbo", {"weight": 0.75, "sim": 0.5}),
        ("gaussian_kl", {"weight": 0.75}),
        ("kl_divergence", {"weight": 0.75, "epsilon": 0.25}),
        ("distillation_loss", {"temperature": 2.5, "epsilon": 0.25}),
        ("adversarial_ae_loss", {"w_model": 0.75, "w_recon": 0.5, "temperature": 2.5, "epsilon": 0.25}),
        ("deep_svdd_loss", {"weight": 0.75}),
        ("deep_svdd_soft_boundary_loss", {"nu": 0.25, "weight": -0.75}),
        ("svdd_score", {"radius": 0.75}),
        ("svdd_radius", {"beta": 0.75}),
        ("anomaly_bce_with_logits", {"pos_weight": 2.5, "weight": 0.75}),
        ("iou_loss", {"smooth": 0.75, "weight": 0.5}),
        ("orthogonality_loss", {"weight": 0.75}),
        ("distinctness_loss", {"weight": 0.75, "eps": 2.5}),
        ("selector_entropy_regularizer", {"weight": 0.75, "eps": 0.25, "target_entropy": 2.5}),
        ("selector_diversity_regularizer", {"weight": 0.75}),
        ("quantile_loss", {"weight": 0.75}),
        ("multi_objective_loss", {"anomaly_weight": 0.75}),
        ("aegmm_loss", {"w_energy": 0.75, "w_cov_diag": 0.5, "eps": 0.25}),
        ("vaegmm_loss", {"w_recon": 0.75, "w_energy": 0.75, "w_cov_diag": 0.5, "eps": 0.25, "sim": 0.5}),
    ],
)
def test_settings_mean_the_same_as_arrays_and_must_be_numbers(kernel, settings, driver):
    function = getattr(ak, kernel)
    each = sample(function)
    inputs = {name: driver.array(x, "float32") for name, x in each.inputs.items()}
    arrays = {name: driver.array(np.asarray(x)) for name, x in settings.items()}
    found = driver.numpy(function(**inputs, **each.settings | arrays))
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, driver.numpy(function(**inputs, **each.settings | settings)), rtol=2e-6)
    for name in settings:
        with raises(TypeError, f"^`{name}` must be a number or a 0-d array, got str$"):
            function(**inputs, **each.settings | {name: "one"})
