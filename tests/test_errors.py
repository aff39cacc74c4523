"""What is refused, and what the message says: the argument, what was given, what is expected."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest

from anomaly_kernels._catalogue import KERNELS
from anomaly_kernels.testing.arguments import array_arguments, kinds_of_series
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.drivers import Driver, driver_for
from anomaly_kernels.testing.samples import sample

NO_NUMBERS = (np.True_, np.asarray("a"), np.asarray(1j), np.complex64(1j), 1j)
# setting, values that are out of range or no option (ValueError), values of the wrong kind (TypeError)
SETTINGS: list[tuple[str, tuple[Any, ...], tuple[Any, ...]]] = [
    ("weight", (float("nan"), np.float32("nan"), 10**400, np.ones(2)), ("two", True, [1.0], *NO_NUMBERS)),
    ("reduction", ("median", ""), (3, None)),
    ("anomaly_weight", (float("nan"),), ("two", True)),
    ("w_energy", (float("nan"),), ("much",)),
    ("w_cov_diag", (float("nan"),), ("much",)),
    ("w_model", (float("nan"),), ("much",)),
    ("w_recon", (float("nan"),), ("much",)),
    ("eps", (-1e-9,), ("small", None)),
    ("epsilon", (-1e-9, 1.5), ("small", None)),
    ("smooth", (-1.0,), ("yes",)),
    ("temperature", (0, -1.0), ("hot",)),
    ("nu", (0, 1, -0.5, 1.5, np.float64(0)), ("half", np.asarray("a"))),
    ("beta", (0, -1.0), ("sharp",)),
    ("sim", (0.0, -1.0, np.float64(-1)), ("same", np.True_)),
    ("pos_weight", (-1.0,), ("more",)),
    ("target_entropy", (float("nan"),), ("high",)),
    ("zero_division", (), ("warn",)),
    ("quantiles", ((), (0.5, 1.2), (-0.1,)), (0.5, ("low",), {0.1, 0.5, 0.9}, {0.1: 1}, ("0.5",), (True,), b"01")),
    ("loss_type", ("mse",), (1,)),
    ("error_metric", ("rmse",), (1,)),
    ("aggregation", ("median",), (1,)),
    ("normalize_method", ("softmax",), (1,)),
    ("axis", (3, -4, (0, 0), ()), ("last", 0.5, True, (0, True))),
    ("model", (), ("teacher", 3.0)),
    ("activation", ("swish",), (1,)),
    ("intermediate_activation", ("swish",), (1,)),
    ("final_activation", ("softmax",), (1,)),
    ("use_norm", ("group",), (2, 3, None)),
    ("n_repeats", (0, -1), (1.5, "T", True)),
    ("k", (0, -1), (1.5, "all", True)),
    ("tpr", (0.0, 1.01, -0.5, float("nan")), ("most", np.True_)),
    ("max_fpr", (0.0, 1.01, -0.5, float("nan")), ("most", np.True_)),
    ("sample_weight", (np.ones((7, 2)),), (1.0, [1.0], np.ones((7, 2, 4), complex))),
    ("connectivity", (0, 3, -1), (1.0, "all", True)),
    ("overlap", (-0.1, 1.1, float("nan")), ("most", None)),
    ("fpr_bounds", ((0.1, 0.1), (0.0, 0.1), (0.1, 1.5), (0.1,)), (0.1, "ab", ("a", "b"), {0.1: 1, 0.2: 2})),
    ("region", (np.ones((7, 2), int),), (1, [1], np.ones((7, 2, 4)), np.ones((7, 2, 4), bool))),
    ("decision_region", (np.ones((7, 2), int),), (1, [1], np.ones((7, 2, 4)), np.ones((7, 2, 4), bool))),
    ("saturation", (np.ones((1, 3)), np.zeros(3), np.ones(2)), (1.0, [1.0], np.ones(3, bool))),
    ("drop_intermediate", (), ("no", 1, None)),
    ("min_share", (-0.1, 1.25, float("nan")), ("half", None, np.True_)),
    ("corrected", (), ("no", 1, None)),
    ("alpha", (-0.1, 1.5, float("nan")), ("half", np.True_)),
    ("bias", ("left",), (1,)),
    ("precision_bias", ("left",), (None,)),
    ("cardinality", ("two",), (2,)),
    ("window", (-1,), (2.5, "wide", True, None)),
    ("positives", ("some",), (None,)),
    ("thresholds", (0, -1), (2.5, "all", True)),
    ("margin", (-1,), (2.5, "wide", True, None)),
    ("own_length", (), ("no", 1, None)),
    ("rate", (0.0, 1.0, -0.5, float("nan")), ("few", None, np.True_)),
    ("confidence", (0.0, 1.0, float("nan")), ("sure", np.True_)),
    ("recall", (0.0, 1.01, -0.5, float("nan")), ("most", np.True_)),
    ("precision", (0.0, 1.01, -0.5, float("nan")), ("most", np.True_)),
    ("rule", ("zscore",), (3, None)),
    ("factor", (-1.0, float("nan")), ("three", np.True_)),
    ("risk", (0.0, 1.0, -0.5, float("nan")), ("small", np.True_)),
    ("level", (0.0, 1.0, 0.99, float("nan")), ("high", None, np.True_)),
    ("method", ("mean",), (1, None)),
    ("cutoff", (0.0, 1.0, float("nan")), ("half", np.True_)),
    ("output", ("erf",), (1, None)),
    ("score_weight", (np.ones((7, 2, 4)), np.ones((7, 2))), (1.0, [1.0], np.ones((7, 2, 4), complex))),
    ("calibration_weight", (np.ones(8), np.ones((2, 4))), (1.0, [1.0], np.ones(8, complex))),
    ("uniform", (np.ones((7, 2)),), (0.5, [0.5], np.ones((7, 2, 4), bool))),
    ("eta", (-1.0, float("nan")), ("much",)),
    ("reference_mean", (float("nan"),), ("low",)),
    ("reference_std", (0, -1.0), ("wide",)),
    ("outlier_weight", (-1.0,), ("half",)),
    ("margin_in", (float("nan"),), ("low",)),
    ("margin_out", (float("nan"),), ("high",)),
    ("fair", (), ("no", 1, None)),
    ("aggregate", ("sum",), (1,)),
    ("bandwidths", ((), (0.0,), (-1.0, 1.0), (float("nan"),)), (1.0, ("wide",), {1.0, 2.0}, (True,), "12")),
    ("kernel", ("linear",), (1,)),
    ("n_classes", (0, -1), (1.5, "all", True, None)),
    ("shrinkage", (-0.1, 1.5, float("nan")), ("half", None, np.True_)),
    ("squared", (), ("no", 1, None)),
    ("unbiased", (), ("no", 1, None)),
    ("gamma", (-1.0, float("nan")), ("sharp", np.True_)),
    ("data_range", (0.0, -1.0, float("nan")), ("wide", None)),
    ("size", (0, 2, -3, 7), (3.0, "large", True)),
    ("sigma", (0.0, -1.0, float("nan")), ("wide", None, np.ones(()))),
    ("k1", (0.0, -1.0), ("small",)),
    ("k2", (0.0, -1.0), ("small",)),
    ("border", ("zeros",), (1,)),
    ("quantile", (-0.1, 1.5, float("nan")), ("most", None, np.ones(()))),
]
# the same word with other limits
OTHERS: dict[tuple[str, str], tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    ("tversky_loss", "alpha"): ((-0.1, float("nan")), ("half", np.True_)),
    ("tversky_loss", "beta"): ((-0.1, float("nan")), ("half", np.True_)),
    ("tversky_loss", "gamma"): ((0, -1.0), ("sharp",)),
    **dict.fromkeys(
        [("deviation_loss", "margin"), ("triplet_margin_loss", "margin")], ((float("nan"),), ("wide", None))
    ),
    ("ssim_loss", "window"): (("box",), (5, None)),
}
BAD = [
    (kernel, setting, value, error)
    for setting, unfit, wrong in SETTINGS
    for kernel, function in KERNELS.items()
    if setting in inspect.signature(function).parameters and setting not in array_arguments(function)
    for values, error in zip(OTHERS.get((kernel, setting), (unfit, wrong)), (ValueError, TypeError), strict=True)
    for value in values
    if setting != "axis" or not kinds_of_series(function) or not isinstance(value, tuple)  # a TypeError, in test_series
]


@pytest.mark.parametrize(("kernel", "setting", "value", "error"), BAD, ids=[f"{k}-{s}={v!r:.30}" for k, s, v, _ in BAD])
def test_a_bad_setting_is_refused_by_name(kernel: str, setting: str, value: Any, error: type[Exception]) -> None:
    inputs, settings = sample(KERNELS[kernel])
    with pytest.raises(error, match=rf"\b{setting}\b"):
        KERNELS[kernel](**{**inputs, **settings, setting: value})


def test_every_setting_of_a_kernel_is_tried() -> None:
    settings = {
        name
        for function in KERNELS.values()
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    tried = {setting for setting, *_ in SETTINGS} | {"cov_full", "cov_diag", "scale_diag", "model_hl", "w_model_hl"}
    assert settings - tried <= {"radius"}  # any number will do


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_misspelt_name_gets_a_hint(kernel: str) -> None:
    inputs, settings = sample(KERNELS[kernel])
    names = inspect.signature(KERNELS[kernel]).parameters
    for name in names:
        if f"{name}s" in names:
            continue
        with pytest.raises(TypeError, match=rf"(?i)`?{kernel}.*`?{name}s\b.*; did you mean `{name}`\?$"):
            KERNELS[kernel](**inputs, **settings, **{f"{name}s": 1.0})


ROWS, SQUARE = np.ones((7, 2)), np.eye(3)
SHAPES: list[tuple[str, str, dict[str, Any]]] = [
    # kernel, argument that the message names, what is changed
    ("deep_svdd_loss", "center", {"center": np.ones(3)}),
    ("deep_svdd_loss", "center", {"center": np.ones((7, 4))}),
    ("deep_svdd_soft_boundary_loss", "radius", {"radius": np.ones(2)}),
    ("deep_svdd_soft_boundary_loss", "center", {"center": np.ones(3)}),
    ("svdd_score", "center", {"center": np.ones(1)}),
    ("svdd_score", "radius", {"radius": np.ones(2)}),
    ("gmm_params", "gamma", {"gamma": np.ones((6, 3))}),
    ("gmm_params", "z", {"z": np.ones(7)}),
    ("gmm_params", "gamma", {"gamma": np.ones(7)}),
    ("gmm_energy", "z", {"z": np.ones((7, 3))}),
    ("gmm_energy", "z", {"z": np.ones(2)}),
    ("covariance_penalty", "cov", {"cov": np.ones((3, 2, 4))}),
    ("covariance_penalty", "cov", {"cov": np.ones(3)}),
    ("aegmm_loss", "gamma", {"gamma": np.ones((6, 3))}),
    ("vaegmm_loss", "cov_diag", {"cov_diag": np.ones(3)}),
    ("elbo", "cov_full", {"cov_full": SQUARE}),
    ("elbo", "cov_full", {"cov_full": np.ones(8)}),
    ("elbo", "cov_diag", {"cov_diag": np.ones(3)}),
    ("elbo", "cov_diag", {"cov_diag": np.ones((8, 8))}),
    ("elbo", "scale_diag", {"scale_diag": np.ones(())}),
    ("elbo", "sim", {"sim": np.ones(8)}),
    ("elbo", "cov_diag", {"cov_diag": np.ones(8), "scale_diag": np.ones(8)}),
    ("elbo", "sim", {"cov_full": np.eye(8), "sim": 0.5}),
    ("quantile_loss", "y_pred", {"y_pred": np.ones((7, 2, 2, 4))}),
    ("quantile_loss", "y_pred", {"y_pred": np.ones((7, 2, 4))}),
    ("quantile_loss", "y_true", {"y_true": np.ones((7, 2))}),
    ("kl_divergence", "p_pred", {"p_pred": np.ones((7, 2, 5))}),
    ("gaussian_kl", "log_var", {"log_var": np.ones((7, 1))}),
    ("anomaly_bce_with_logits", "logit", {"logit": np.ones((7, 2, 1))}),
    ("iou_loss", "score", {"score": np.ones((1, 2, 4))}),
    ("prediction_error_score", "y_true", {"y_true": ROWS, "y_pred": ROWS}),
    ("prediction_error_score", "y_pred", {"y_pred": np.ones((7, 3, 4))}),
    ("reconstruction_error", "x_pred", {"x_pred": np.ones((7, 2, 5))}),
    ("reconstruction_error", "x_pred", {"x_pred": np.ones((7, 2, 4, 1))}),
    ("orthogonality_loss", "components", {"components": np.ones(4)}),
    ("distinctness_loss", "selection_weights", {"selection_weights": np.ones(4)}),
    ("component_orthogonality", "components", {"components": np.ones((2, 3, 4))}),
    ("explained_variance", "explained_variance_ratio", {"explained_variance_ratio": np.ones((2, 3))}),
    ("anomaly_detection_metrics", "score", {"score": np.ones((7, 2, 3))}),
    ("anomaly_detection_metrics", "decision", {"decision": np.ones((7, 2), dtype=bool)}),
    ("average_precision", "score", {"score": np.ones((7, 2))}),
    ("roc_auc", "target", {"target": np.ones((6, 2, 4))}),
    ("lstm_autoencoder", "inputs", {"inputs": ROWS}),
    ("lstm_autoencoder", "params", {"inputs": np.ones((7, 2, 5))}),
    ("sequence_anomaly_score", "params", {"features": np.ones((7, 5))}),
    ("distillation_loss", "y_pred", {"y_pred": np.ones((7, 2, 5))}),
    ("distillation_loss", "y_pred", {"y_pred": np.ones((7, 2, 4), dtype=int)}),
    ("distillation_loss", "y_pred", {"y_pred": np.ones((7, 2, 4)).tolist()}),
    ("adversarial_ae_loss", "w_model_hl", {"model_hl": (abs, abs), "w_model_hl": (1.0,)}),
    ("adversarial_ae_loss", "model_hl", {"model_hl": ("hidden",)}),
    ("adversarial_ae_loss", "model_hl", {"model_hl": None}),
    ("adversarial_ae_loss", "model_hl", {"model_hl": abs}),
    ("adversarial_ae_loss", "model_hl", {"model_hl": {abs}}),
    ("adversarial_ae_loss", "w_model_hl", {"model_hl": (abs,), "w_model_hl": 0.5}),
    ("adversarial_ae_loss", "w_model_hl", {"model_hl": (abs,), "w_model_hl": ("half",)}),
    ("adversarial_ae_loss", r"model\(x_true", {"model": lambda x: x[:0]}),
    ("adversarial_ae_loss", r"model\(x_true", {"model": lambda x: x[..., :0]}),
    ("adversarial_ae_loss", r"model\(x_true", {"model": np.sum}),
    ("adversarial_ae_loss", r"model\(x_true", {"model": lambda x: x.tolist()}),
    ("deep_sad_loss", "center", {"center": np.ones(3)}),
    ("deep_sad_loss", "target", {"target": np.ones((7, 4), bool)}),
    ("deviation_loss", "score", {"score": np.ones((7, 2, 1))}),
    ("hypersphere_classifier_loss", "center", {"center": np.ones((7, 4))}),
    ("hypersphere_classifier_loss", "target", {"axis": 0}),
    ("outlier_exposure_loss", "target", {"target": np.ones((7, 2, 4), int)}),
    ("outlier_exposure_loss", "target", {"target": np.full((7, 2), 4)}),
    ("energy_bounded_loss", "target", {"target": np.ones(7, bool)}),
    ("logit_score", "logit", {"logit": np.ones(())}),
    ("crps_ensemble", "y_true", {"y_true": np.ones((7, 2))}),
    ("crps_ensemble", "ensemble", {"ensemble": np.ones((7, 2, 4, 0))}),
    ("crps_ensemble", "fair", {"ensemble": np.ones((7, 2, 4, 1)), "fair": True}),
    ("crps_gaussian", "std", {"std": np.ones((7, 1))}),
    ("gaussian_nll", "log_var", {"log_var": np.ones((7, 1))}),
    ("interval_score", "upper", {"upper": np.ones((7, 2, 1))}),
    ("kl_divergence", "p_true", {"p_true": np.ones((3, 0)), "p_pred": np.ones((3, 0)), "reduction": "none"}),
    ("gaussian_kl", "mean", {"mean": np.ones((3, 0)), "log_var": np.ones((3, 0)), "reduction": "sum"}),
    ("mahalanobis_fit", "label", {"label": np.zeros(6, int)}),
    ("mahalanobis_fit", "label", {"label": np.zeros((7, 1), int)}),
    ("mahalanobis_fit", "label", {"label": None}),
    ("mahalanobis_fit", "embeddings", {"embeddings": np.ones(7)}),
    ("mahalanobis_score", "mean", {"mean": np.ones(3)}),
    ("mahalanobis_score", "mean", {"mean": np.ones((0, 4))}),
    ("mahalanobis_score", "chol", {"chol": SQUARE}),
    ("knn_score", "reference", {"reference": np.ones((5, 3))}),
    ("knn_score", "reference", {"reference": np.ones(4)}),
    ("knn_score", "reference", {"reference": np.ones((0, 4))}),
    ("knn_score", "k", {"k": 12}),
    ("supcon_loss", "label", {"label": np.zeros(6, int)}),
    ("supcon_loss", "embeddings", {"embeddings": np.ones((1, 4)), "label": np.zeros(1, int)}),
    ("triplet_margin_loss", "negative", {"negative": np.ones((1, 4))}),
    ("mmd_loss", "reference", {"reference": np.ones((5, 3))}),
    ("mmd_loss", "reference", {"reference": np.ones((1, 4)), "unbiased": True}),
]


@pytest.mark.parametrize(
    ("kernel", "argument", "changed"), SHAPES, ids=[f"{k}-{','.join(c)}-{n}" for n, (k, _, c) in enumerate(SHAPES)]
)
def test_a_wrong_argument_is_refused_by_name(kernel: str, argument: str, changed: dict[str, Any]) -> None:
    inputs, settings = sample(KERNELS[kernel])
    with pytest.raises((ValueError, TypeError), match=rf"\b{argument}\b"):
        KERNELS[kernel](**{**inputs, **settings, **changed})


def test_a_model_that_returns_another_library_s_array_is_refused() -> None:
    strict, (inputs, _) = driver_for("array_api_strict"), sample(KERNELS["adversarial_ae_loss"])
    with pytest.raises(TypeError, match=r"`x_true`: numpy\.ndarray, `model\(x_true\)`: array_api_strict"):
        KERNELS["adversarial_ae_loss"](**inputs, model=strict.array)


@pytest.mark.library("torch", "jax", "tensorflow", "dask", "array_api_strict")
@pytest.mark.parametrize(
    ("value", "error"),
    [
        *((value, TypeError) for value in NO_NUMBERS),
        (np.ones(2), ValueError),
        (np.float64("nan"), ValueError),
        (10**400, ValueError),
    ],
    ids="{!r:.30}".format,
)
def test_what_is_no_number_is_refused_beside_arrays_of_any_library(value: Any, error: Any, driver: Driver) -> None:
    x = driver.array(np.ones(3))
    with pytest.raises(error, match="^`weight` must be "):
        KERNELS["mean_squared_anomaly"](x, weight=value)


@pytest.mark.parametrize("dtype", ["bool", "complex64"])
def test_a_0d_array_that_is_no_number_is_refused_with_its_dtype(dtype: str, driver: Driver) -> None:
    x, one = driver.array(np.ones(3)), driver.array(np.ones((), dtype))
    with pytest.raises(TypeError, match=rf"^`weight` must be a number or a 0-d array of real numbers, got .*{dtype}"):
        KERNELS["mean_squared_anomaly"](x, weight=one)


@pytest.mark.parametrize("value", [10**20, 2**31, np.int8(2), np.asarray(2), np.float16(2)], ids=repr)
def test_numbers_of_any_size_are_weights(value: Any, driver: Driver) -> None:
    found = driver.numpy(KERNELS["mean_squared_anomaly"](driver.array(np.ones(3)), weight=value))
    np.testing.assert_allclose(found, float(value))


@pytest.mark.library("torch")
def test_numpy_numbers_are_numbers_while_torch_compiles(driver: Driver) -> None:
    weight = np.float64(2.5)
    compiled = driver.jit(lambda x: KERNELS["mean_squared_anomaly"](x, weight=weight))
    assert compiled(driver.array(np.ones(3))) == 2.5


def test_integers_may_be_those_of_numpy(driver: Driver) -> None:
    x, mask = driver.array(np.ones((2, 3))), driver.array(np.eye(2, 3))
    for axis in (np.int64(1), (np.int32(-1),), [1]):
        assert tuple(KERNELS["iou_loss"](mask, x, axis=axis).shape) == (2,)
    case = _case("lstm_autoencoder", driver)
    assert case.function(**case.trees(case.arrays()), n_repeats=np.int64(3)).shape[1] == 3


@pytest.mark.parametrize("kernel", ["sequence_anomaly_score", "lstm_autoencoder"])
@pytest.mark.parametrize("part", ["kernel", "bias"])
def test_a_parameter_that_is_missing_is_named(kernel: str, part: str) -> None:
    inputs, settings = sample(KERNELS[kernel])
    for key in [key for key in inputs["params"] if key.endswith(f"/{part}")]:
        params = {name: x for name, x in inputs["params"].items() if name != key}
        with pytest.raises(ValueError, match=re.escape(key)):
            KERNELS[kernel](**{**inputs, "params": params}, **settings)


SEVERAL = [name for name, kernel in KERNELS.items() if len(array_arguments(kernel)) > 1 and name != "distillation_loss"]


@pytest.mark.library("array_api_strict", "torch")
@pytest.mark.parametrize("kernel", SEVERAL)
def test_arrays_on_two_devices_are_refused(kernel: str, driver: Driver) -> None:
    case = _case(kernel, driver)
    name = [name for name in case.positional if name in case.leaves and case.leaves[name].ndim][-1]
    moved = driver.elsewhere(driver.array(case.leaves[name]))
    with pytest.raises(ValueError, match=rf"one device(?s:.)*\b{name}\b"):
        case.call({**case.arrays(), name: moved})


@pytest.mark.parametrize("kernel", SEVERAL)
def test_arrays_of_numpy_and_another_library_are_refused(kernel: str) -> None:
    strict, case = driver_for("array_api_strict"), _case(kernel, driver_for("numpy"))
    for name in [name for name in case.positional if name in case.leaves and case.leaves[name].ndim]:
        with pytest.raises(TypeError, match=rf"\b{name}\b"):
            case.call({**case.arrays(), name: strict.array(case.leaves[name])})


@pytest.mark.parametrize("kernel", KERNELS)
def test_complex_values_are_refused(kernel: str) -> None:
    case = _case(kernel, driver_for("numpy"))
    for name in [name for name in case.positional if name in case.floats and case.leaves[name].ndim]:
        if (kernel, name) != ("distillation_loss", "x_true"):  # goes to the model alone
            with pytest.raises(TypeError, match=rf"\b{name}\b"):
                case.call({**case.arrays(), name: case.leaves[name] * 1j})


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="long doubles are doubles here")
@pytest.mark.parametrize("kernel", KERNELS)
def test_long_doubles_are_refused_with_their_dtype(kernel: str) -> None:
    case = _case(kernel, driver_for("numpy"))
    for name in [name for name in case.positional if name in case.leaves and case.leaves[name].ndim]:
        if (kernel, name) != ("distillation_loss", "x_true"):  # goes to the model alone
            wide = case.leaves[name].astype(np.longdouble)
            with pytest.raises(TypeError, match=rf"`{name}`.*got dtype {wide.dtype}"):
                case.call({**case.arrays(), name: wide})


@pytest.mark.parametrize(
    ("kernel", "argument", "shape"),
    [
        ("gaussian_kl", "mean", "(..., D)"),
        ("kl_divergence", "p_true", "(..., C)"),
        ("distillation_loss", "y_pred", "(..., C)"),
        ("reconstruction_error", "x_true", "(B, ...)"),
        ("elbo", "y_true", "(B, ...)"),
        ("deep_svdd_loss", "embeddings", "(..., D)"),
    ],
)
def test_a_number_where_an_array_is_expected_is_refused_with_the_shape_it_should_have(
    kernel: str, argument: str, shape: str
) -> None:
    inputs, settings = sample(KERNELS[kernel])
    with pytest.raises(ValueError, match=re.escape(f"`{argument}` must have shape {shape}, got ()")):
        KERNELS[kernel](**{name: np.asarray(0.5) for name in inputs}, **settings)
    if kernel != "elbo":  # whose samples are flattened
        KERNELS[kernel](**{name: np.full((3,), 0.5) for name in inputs}, **settings)


def test_what_is_no_mixture_is_described() -> None:
    with pytest.raises(TypeError, match=r"`params` must be a GMMParams, got .*dict"):
        KERNELS["gmm_energy"](np.ones((7, 2)), {"phi": np.ones(1)})


def test_a_message_says_what_was_given_and_what_is_expected() -> None:
    case = _case("deep_svdd_soft_boundary_loss", driver_for("numpy"))
    with pytest.raises(ValueError, match=r"`nu`.*> 0.*< 1.*1\.5"):
        KERNELS["deep_svdd_soft_boundary_loss"](**case.inputs, nu=1.5)
    case = _case("mse_reconstruction_loss", driver_for("numpy"))
    with pytest.raises(ValueError, match=r"`reduction`.*'mean', 'sum', 'none'.*'median'"):
        KERNELS["mse_reconstruction_loss"](**case.inputs, reduction="median")
    with pytest.raises(ValueError, match=r"`x_true` and `x_pred`.*\(7, 2, 4\) and \(2, 4\)"):
        KERNELS["mse_reconstruction_loss"](case.inputs["x_true"], case.inputs["x_pred"][0])


def _case(kernel: str, driver: Driver) -> Case:
    inputs, settings = sample(KERNELS[kernel])
    return Case(KERNELS[kernel], inputs, driver, settings)
