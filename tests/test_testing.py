"""The contract catches what it is there to catch: for each check, losses that break that promise."""

from __future__ import annotations

import itertools
import re
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from anomaly_kernels import array_namespace, fpr_at_tpr, mse_reconstruction_loss, precision_at_k
from anomaly_kernels.authoring import Formula, inputs, reduce
from anomaly_kernels.testing import contract
from anomaly_kernels.testing.agreement import Seen, nothing
from anomaly_kernels.testing.arguments import ARGUMENTS
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.contract import CHECKS, HOUSE_RULES, check_loss
from anomaly_kernels.testing.drivers import Driver, driver_for, installed_libraries
from anomaly_kernels.testing.drivers.driver import CuPy
from anomaly_kernels.testing.samples import DRAWN, sample, variants
from anomaly_kernels.testing.support import does_not_apply
from anomaly_kernels.testing.trees import flatten, map_arrays

Loss = Callable[..., Any]
CALLS = itertools.count()


def plain(x_true: Any, x_pred: Any) -> Any:
    """The formula alone: no check, no cast."""
    xp = array_namespace(x_true, x_pred)
    return xp.mean((x_true - x_pred) * (x_true - x_pred))


def rough_in_float32(x_true: Any, x_pred: Any) -> Any:
    return plain(x_true, x_pred) * (1 + 1e-4 if "32" in str(x_true.dtype) else 1.0)


def a_python_float(x_true: Any, x_pred: Any) -> Any:
    return float(plain(x_true, x_pred))


def always_float64(x_true: Any, x_pred: Any) -> Any:
    xp = array_namespace(x_true, x_pred)
    return plain(xp.astype(x_true, xp.float64), xp.astype(x_pred, xp.float64))


def always_on_the_cpu(x_true: Any, x_pred: Any) -> Any:
    import array_api_strict

    one = array_api_strict.ones(1, dtype=array_api_strict.float64)
    return one * plain(x_true, x_pred)


def different_each_time(x_true: Any, x_pred: Any) -> Any:
    return plain(x_true, x_pred) + float(next(CALLS))


def lowest_dtype(x_true: Any, x_pred: Any) -> Any:
    xp = array_namespace(x_true, x_pred)
    low = xp.float32 if "32" in f"{x_true.dtype}{x_pred.dtype}" else x_true.dtype
    return plain(xp.astype(x_true, low), xp.astype(x_pred, low))


def only_boolean_masks(target: Any, score: Any) -> Any:
    xp = array_namespace(target, score)
    counted = xp.astype(target, score.dtype) if "bool" in str(target.dtype) else score * 0.0
    return xp.mean(counted * score)


def sum_is_mean(x_true: Any, x_pred: Any, *, reduction: str = "mean") -> Any:
    return mse_reconstruction_loss(x_true, x_pred, reduction="none" if reduction == "none" else "mean")


def weight_is_ignored(x_true: Any, x_pred: Any, *, weight: Any = 1.0) -> Any:
    return mse_reconstruction_loss(x_true, x_pred)


def half_a_gradient(x_true: Any, x_pred: Any) -> Any:
    xp = array_namespace(x_true, x_pred)
    return xp.mean((x_true - xp.stop_gradient(x_pred)) * (x_true - x_pred))


def no_second_derivative(x_true: Any, x_pred: Any) -> Any:
    xp = array_namespace(x_true, x_pred)
    error = x_true - x_pred
    still = xp.stop_gradient(error)
    return xp.mean(2.0 * error * still - still * still)


def branch_on_data(x_true: Any, x_pred: Any) -> Any:
    loss = plain(x_true, x_pred)
    return loss if float(loss) > 0 else -loss


def reads_its_values(x_true: Any, x_pred: Any) -> Any:
    loss = plain(x_true, x_pred)
    return loss * np.sign(np.asarray(loss))


def static_batch_size(x_true: Any, x_pred: Any) -> Any:
    xp = array_namespace(x_true, x_pred)
    return xp.sum((x_true - x_pred) * (x_true - x_pred)) / (x_true.shape[0] * x_true.shape[1] * x_true.shape[2])


def writes_in_place(x_true: Any, x_pred: Any) -> Any:
    loss = plain(x_true, x_pred)
    x_pred *= 1.0
    return loss


def changes_its_input(x_true: Any, x_pred: Any) -> Any:
    loss = plain(x_true, x_pred)
    x_pred *= 2.0
    return loss


def first_sample_counts_twice(x_true: Any, x_pred: Any) -> Any:
    return plain(x_true, x_pred) + plain(x_true[:1, ...], x_pred[:1, ...])


def nan_is_zero(x_true: Any, x_pred: Any) -> Any:
    xp = array_namespace(x_true, x_pred)
    error = x_true - x_pred
    error = xp.where(xp.isnan(error), xp.zeros_like(error), error)
    return xp.mean(error * error)


def overflows_in_float32(x_true: Any, x_pred: Any) -> Any:
    xp = array_namespace(x_true, x_pred)
    return xp.mean(xp.log(1.0 + xp.exp(x_true - x_pred)))


def overflows_in_float64(x_true: Any, x_pred: Any) -> Any:
    xp = array_namespace(x_true, x_pred)
    error = xp.astype(x_true - x_pred, xp.float64)
    return xp.astype(xp.mean(xp.log(1.0 + xp.exp(error))), x_true.dtype)


def warns_at_a_thousand(x_true: Any, x_pred: Any) -> Any:
    xp = array_namespace(x_true, x_pred)
    return xp.mean(1.0 / (1.0 + xp.exp(x_true - x_pred)))  # 1/inf is right


def gradient_of_root_at_zero(x_true: Any, x_pred: Any) -> Any:
    xp = array_namespace(x_true, x_pred)
    return xp.mean(xp.sqrt(xp.abs(x_true - x_pred)))


def root_of_the_mean(x_true: Any, x_pred: Any) -> Any:
    return array_namespace(x_true, x_pred).sqrt(plain(x_true, x_pred))


def only_the_second_overflows(x_true: Any, x_pred: Any) -> Any:
    xp = array_namespace(x_true, x_pred)
    shrunk = xp.abs(x_pred) * xp.exp(-0.1 * xp.max(xp.abs(x_true)))
    return xp.mean(xp.log(1.0 + xp.exp(shrunk)))


def expanded_square(x_true: Any, x_pred: Any) -> Any:
    xp = array_namespace(x_true, x_pred)
    x, y = x_true - xp.mean(x_true), x_pred - xp.mean(x_true)
    return xp.mean(x * x) - 2.0 * xp.mean(x * y) + xp.mean(y * y)


def rank_without_nan(target: Any, score: Any) -> Any:
    """The share of normal samples above the lowest anomalous one but one, where NaN is below all."""
    xp = array_namespace(target, score)
    anomalous, one = xp.astype(target, xp.bool), xp.ones_like(score)
    ordered = xp.sort(
        xp.reshape(xp.where(xp.logical_and(anomalous, xp.logical_not(xp.isnan(score))), score, 1e9), (-1,))
    )
    above = xp.logical_and(xp.logical_not(anomalous), score >= ordered[1])
    return xp.sum(xp.where(above, one, 0.0)) / xp.sum(xp.where(anomalous, 0.0, one))


UNCUT = Formula(values=lambda xp, x, y: xp.sum((x - y) * (x - y), axis=-1))  # an axis that it does not call inner
THRICE = Formula(values=lambda xp, x, y: (x - y) * (x - y), total=lambda xp, x, y: 3.0 * xp.sum((x - y) * (x - y)))


def a_formula_cut_where_it_sums(x_true: Any, x_pred: Any, *, reduction: Any = "mean") -> Any:
    xp, dtype = inputs(x_true=x_true, x_pred=x_pred)
    return reduce(xp, dtype, UNCUT, {"x_true": x_true, "x_pred": x_pred}, reduction=reduction)


def a_total_of_its_own(x_true: Any, x_pred: Any) -> Any:
    xp, dtype = inputs(x_true=x_true, x_pred=x_pred)
    return reduce(xp, dtype, THRICE, {"x_true": x_true, "x_pred": x_pred})


def never_finite(x_true: Any, x_pred: Any) -> Any:
    return plain(x_true, x_pred) * float("nan")


def weight_of_the_mean(x_true: Any, x_pred: Any, *, weight: Any = 1.0, reduction: str = "mean") -> Any:
    weight = weight if reduction == "mean" else 1.0
    return mse_reconstruction_loss(x_true, x_pred, weight=weight, reduction=reduction)


def a_weight_that_is_not_learnt(x_true: Any, x_pred: Any, *, weight: Any = 1.0) -> Any:
    xp = array_namespace(x_true, x_pred)
    return (weight if isinstance(weight, int | float) else xp.stop_gradient(weight)) * plain(x_true, x_pred)


def one_number_for_all(x_true: Any, x_pred: Any, *, reduction: str = "mean") -> Any:
    return plain(x_true, x_pred)


def says_nothing_of_reductions(x_true: Any, x_pred: Any, *, reduction: str = "mean") -> Any:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError("bad setting")
    return mse_reconstruction_loss(x_true, x_pred, reduction=reduction)


def setting_by_position(x_true: Any, x_pred: Any, weight: Any = 1.0) -> Any:
    return mse_reconstruction_loss(x_true, x_pred, weight=weight)


def accepts_lists(x_true: Any, x_pred: Any) -> Any:
    as_array = lambda x: np.asarray(x) if isinstance(x, list | np.ndarray) else x  # noqa: E731
    return plain(as_array(x_true), as_array(x_pred))


ALL = ("numpy", "array_api_strict", "dask", "torch", "jax", "tensorflow")
BROKEN: list[tuple[str, Loss, tuple[str, ...], str]] = [
    ("values", rough_in_float32, ALL, "in float32, expected"),
    ("result", a_python_float, ("numpy", "torch"), "builtins.float"),
    ("result", always_float64, ALL, "float64, expected float32"),
    ("device", always_on_the_cpu, ("array_api_strict",), "evice"),
    ("purity", different_each_time, ALL, "differs when called again"),
    ("purity", changes_its_input, ("numpy", "torch"), "changed x_pred"),
    ("promotion", lowest_dtype, ALL, "promotion of `x_true` in float32: result is float32"),
    ("masks", only_boolean_masks, ALL, "`target` as int"),
    ("integers", plain, ("numpy", "torch", "jax"), "expected a TypeError naming `x_true`"),
    ("half", plain, ("numpy", "torch", "jax", "tensorflow"), "expected float32"),
    ("reductions", sum_is_mean, ALL, "sum"),
    ("reductions", weight_is_ignored, ALL, "weight=2"),
    ("gradients", half_a_gradient, ALL, "central differences"),
    ("value_and_grad", half_a_gradient, ALL, "central differences"),
    ("second_derivatives", no_second_derivative, ALL, "central differences"),
    ("jit", branch_on_data, ("torch", "jax"), ""),
    ("jit", reads_its_values, ("tensorflow",), ""),  # its branches are rewritten
    ("vmap", branch_on_data, ALL, ""),
    ("vmap_gradients", branch_on_data, ALL, ""),
    ("unknown_batch", static_batch_size, ALL, ""),
    ("lazy", a_python_float, ("dask",), "computed while the graph was being built"),
    ("layout", writes_in_place, ("numpy",), "read-only"),
    ("permutation", first_sample_counts_twice, ALL, "expected"),
    ("nan", nan_is_zero, ALL, "left no NaN in result"),
    ("extreme", overflows_in_float32, ALL, "extreme (up to 89)"),
    ("extreme", overflows_in_float64, ALL, "extreme (up to 710): result is not finite in NumPy float64"),
    ("extreme", warns_at_a_thousand, ("numpy",), "overflow encountered"),
    ("extreme", gradient_of_root_at_zero, ("torch", "jax", "tensorflow"), "is not finite in float64"),
    ("extreme", root_of_the_mean, ("numpy", "torch", "jax", "tensorflow"), "(zero): gradient by "),
    ("extreme_alone", only_the_second_overflows, ("numpy", "torch"), "(`x_pred` alone up to "),
    ("extreme", expanded_square, ALL, "extreme (nearly equal): result is"),
    ("nan", rank_without_nan, ALL, "NaN in `score` left no NaN in result"),
    ("blocks", a_formula_cut_where_it_sums, ("numpy",), "blocks"),
    ("blocks", a_total_of_its_own, ("numpy",), "blocks: result is"),
    ("values", never_finite, ALL, "result has no finite number"),
    ("reductions", weight_of_the_mean, ALL, "weight=2"),
    ("reductions", a_weight_that_is_not_learnt, ("numpy", "torch", "jax", "tensorflow"), "slope by `weight` is"),
    ("reductions", one_number_for_all, ALL, '"none" gave one number'),
    ("shapes", plain, ("numpy", "array_api_strict", "torch", "jax", "tensorflow"), "one longer"),
    ("empty", plain, ("numpy", "torch", "jax", "tensorflow"), "a batch of no samples: "),
    ("foreign", accepts_lists, ("numpy",), "as a list"),
    ("settings", setting_by_position, ALL, "weight can be given by position"),
    ("settings", says_nothing_of_reductions, ALL, "naming `reduction`"),
]


@pytest.mark.parametrize(
    ("check", "loss", "libraries", "message"), BROKEN, ids=[f"{b[0]}-{b[1].__name__}" for b in BROKEN]
)
def test_a_check_catches_a_loss_that_breaks_its_promise(
    check: str, loss: Loss, libraries: tuple[str, ...], message: str, driver: Driver
) -> None:
    reason = does_not_apply(check, loss.__name__, driver.name)
    if reason or driver.name not in libraries:
        pytest.skip(reason or f"{driver.name} itself refuses such a loss")
    with pytest.raises(AssertionError, match=f"{loss.__name__}.*{driver.name}(?s:.)*{re.escape(message)}"):
        check_loss(loss, library=driver, checks=[check])


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"library": "pytorch"}, ValueError, "`library` must be one of numpy, .*, or a Driver, got 'pytorch'"),
        ({"checks": ["foo"]}, ValueError, r"`checks` must be names of checks \(values, .*\), got 'foo'"),
        ({"checks": "values"}, TypeError, "`checks` must be names of checks, .*, got 'values'"),
        ({"checks": 3}, TypeError, "`checks` must be names of checks, .*, got 3"),
        ({"skip": {"gradient": "none"}}, ValueError, "`skip` must be names of checks .*, got 'gradient'"),
        ({"skip": ["gradients"]}, TypeError, "`skip` must be a dict from names of checks to reasons, got list"),
    ],
)
def test_misspelt_checks_are_refused_by_name(settings: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        check_loss(mse_reconstruction_loss, **settings)


def test_each_check_is_seen_to_fail() -> None:
    assert {check for check, *_ in BROKEN} == set(CHECKS)


def test_a_right_loss_passes_every_check_that_applies(driver: Driver) -> None:
    outcome = check_loss(mse_reconstruction_loss, library=driver)
    assert set(outcome) == set(CHECKS)
    assert outcome["values"] == outcome["extreme"] == "passed"
    for check, state in outcome.items():
        declared = "nothing to check: it takes no mask" if check == "masks" else "passed"
        assert state == (does_not_apply(check, "mse_reconstruction_loss", driver.name) or declared)


def test_a_report_has_every_check_with_what_it_saw(driver: Driver) -> None:
    report = check_loss(plain, library=driver, report=True)
    assert [row.check for row in report] == list(CHECKS)
    rows = {row.check: row for row in report}
    assert rows["values"].outcome == "passed"
    assert rows["values"].comparisons == 2
    assert 0 <= rows["values"].error < 1
    assert rows["extreme"].comparisons >= 10
    assert (rows["masks"].outcome, rows["masks"].reason) == ("nothing to check", "it takes no mask")
    assert {row.check for row in report.failed} <= {*HOUSE_RULES, "promotion"}  # TensorFlow promotes nothing
    assert "half" in {row.check for row in report.failed} or not driver.halves
    first, *lines = str(report).splitlines()
    assert first.split() == ["check", "outcome", "comparisons", "error", "/", "allowed", "reason"]
    assert [line.split()[0] for line in lines] == list(CHECKS)


def test_the_rules_of_the_house_can_be_declared_off() -> None:
    assert {*HOUSE_RULES} < set(CHECKS)
    outcome = check_loss(plain, skip=dict.fromkeys(HOUSE_RULES, "not ours"))
    assert {check for check, reason in outcome.items() if reason == "not ours"} == {*HOUSE_RULES}
    assert outcome["masks"] == "nothing to check: it takes no mask"
    rows = check_loss(plain, checks=["half"], skip={"half": "not ours"}, report=True)
    assert [(row.outcome, row.reason) for row in rows] == [("skipped", "not ours")]


def test_a_check_that_compares_nothing_must_say_why() -> None:
    case = Case(plain, sample(plain).inputs, driver_for("numpy"))
    with pytest.raises(AssertionError, match="forgetful: compared nothing, and does not say why"):
        contract._as_broken_promise(forgetful)(case)
    assert contract._as_broken_promise(lambda case: nothing("there is none"))(case).nothing == "there is none"


def forgetful(case: Case) -> Seen:
    return Seen()


def test_a_loss_is_not_excused_by_the_name_of_a_kernel(driver: Driver) -> None:
    def roc_auc(x_true: Any, x_pred: Any) -> Any:  # whose namesake has no slope
        return half_a_gradient(x_true, x_pred)

    if driver.name == "dask":
        pytest.skip("it differentiates nothing")
    with pytest.raises(AssertionError, match="central differences"):
        check_loss(roc_auc, library=driver, checks=["value_and_grad"])


@pytest.mark.parametrize("metric", [fpr_at_tpr, precision_at_k])
def test_nan_is_looked_for_where_a_ranking_depends_on_it(metric: Loss) -> None:
    (row,) = check_loss(metric, checks=["nan"], report=True)
    assert (row.outcome, row.comparisons) == ("passed", 1)


def test_inputs_and_settings_of_ones_own_are_used() -> None:
    def loss(first: Any, second: Any, *, power: int) -> Any:
        return array_namespace(first, second).mean(abs(first - second) ** power)

    inputs = {"first": np.asarray([1.0, 2.0, 4.0]), "second": np.asarray([0.0, 5.0, 1.0])}
    assert check_loss(loss, inputs, settings={"power": 2}, checks=["values", "nan"]) == {
        "values": "passed",
        "nan": "passed",
    }
    with pytest.raises(ValueError, match="`power` is a setting without default"):
        check_loss(loss)
    with pytest.raises(ValueError, match="`first` has no entry in ARGUMENTS"):
        check_loss(loss, settings={"power": 2})


def test_arguments_of_ones_own_have_kinds() -> None:
    def loss(x_pred: Any, alpha: Any) -> Any:
        xp = array_namespace(x_pred, alpha)
        return xp.mean(x_pred * x_pred + xp.log(alpha))

    with pytest.raises(ValueError, match="`alpha` has no entry in ARGUMENTS: give inputs of your own, or its kind"):
        check_loss(loss)
    assert check_loss(loss, kinds={"alpha": "positive"}, checks=["values", "extreme"])["extreme"] == "passed"
    given = {"x_pred": np.ones((3, 2)), "alpha": np.ones((3, 2))}
    with pytest.raises(AssertionError, match="not finite"):
        check_loss(loss, given, checks=["extreme"])
    assert check_loss(loss, given, kinds={"alpha": "positive"}, checks=["extreme"]) == {"extreme": "passed"}
    with pytest.raises(ValueError, match="`kinds` must hold some of real, .*, got 'fraction' for `alpha`"):
        check_loss(loss, kinds={"alpha": "fraction"})


def test_inputs_that_do_not_fit_together_are_said_to_be_drawn() -> None:
    def loss(y_true: Any, log_var: Any) -> Any:
        return array_namespace(y_true).mean(y_true * log_var)

    drawn = r"loss cannot be called with inputs drawn .* \(`y_true` \(7, 2, 4\), `log_var` \(7, 4\)\): give `inputs`"
    with pytest.raises(ValueError, match=drawn):
        check_loss(loss)


def test_a_check_can_be_skipped_with_a_reason() -> None:
    outcome = check_loss(nan_is_zero, checks=["nan"], skip={"nan": "gaps are data here"})
    assert outcome == {"nan": "gaps are data here"}


def test_every_library_that_is_installed_has_a_driver() -> None:
    assert {"numpy", "array_api_strict"} <= set(installed_libraries())
    assert driver_for("numpy") is driver_for("numpy")
    with pytest.raises(ValueError, match=r"`name` must be one of numpy, .*, got 'pandas'"):
        driver_for("pandas")


def test_a_driver_reads_back_what_it_made(driver: Driver) -> None:
    values = np.asarray([[0.5, -2.0], [3.0, 0.0]])
    for dtype in ("float64", "float32", *driver.halves):
        x = driver.array(values, dtype)
        assert driver.is_array(x)
        assert not driver.is_array(values.tolist())
        assert driver.dtype_name(x) == dtype
        np.testing.assert_array_equal(driver.numpy(x), values)
        np.testing.assert_array_equal(driver.numpy(driver.sum(x)), 1.5)
    assert driver.dtype_name(driver.array(values > 0, "float32")) == "bool"
    assert re.match(r"\d+\.\d+", driver.version())


def test_numpy_offers_no_transforms() -> None:
    numpy = driver_for("numpy")
    for attempt in (
        lambda: numpy.value_and_grad(plain, {}, []),
        lambda: numpy.curvature(plain, {}, {}),
        lambda: numpy.elsewhere(np.ones(1)),
        lambda: numpy.jit(plain),
        lambda: numpy.vmap(plain),
        lambda: numpy.vmap_grad(plain, {}, []),
        lambda: numpy.unknown_batch(plain, {}, []),
    ):
        with pytest.raises(NotImplementedError, match="numpy"):
            attempt()


def test_derivatives_of_a_cube_are_right(driver: Driver) -> None:
    if "gradient" not in driver.can:
        pytest.skip(f"{driver.name} does not differentiate")
    x = np.asarray([1.0, -2.0, 3.0])
    arrays, cube = {"x": driver.array(x)}, lambda arrays: driver.sum(arrays["x"] ** 3)
    value, gradient = driver.value_and_grad(cube, arrays, ["x"])
    assert float(driver.numpy(value)) == 20.0
    np.testing.assert_allclose(driver.numpy(gradient["x"]), 3 * x**2)
    assert float(driver.numpy(driver.curvature(cube, arrays, {"x": driver.array(x)}))) == pytest.approx(120.0)


def test_a_function_that_does_not_move_has_no_slope(driver: Driver) -> None:
    if "gradient" not in driver.can:
        pytest.skip(f"{driver.name} does not differentiate")
    arrays = {"x": driver.array(np.ones(2)), "y": driver.array(np.ones(2))}
    _, gradient = driver.value_and_grad(lambda arrays: driver.sum(arrays["y"]), arrays, ["x"])
    np.testing.assert_array_equal(driver.numpy(gradient["x"]), [0.0, 0.0])


def test_trees_keep_their_form() -> None:
    tree = {"a": (1, [2, None]), "b": sample(plain)}
    doubled = map_arrays(lambda x: 2 * x, {"a": (1, [2, None])})
    assert doubled == {"a": (2, [4, None])}
    assert list(flatten(tree, "t")) == ["t.a.0", "t.a.1.0", "t.b.inputs.x_true", "t.b.inputs.x_pred"]
    case = Case(plain, {"x_true": (np.zeros(1), [np.ones(2), None])}, driver_for("numpy"))
    assert case.trees(case.leaves)["x_true"][1][1] is None
    np.testing.assert_array_equal(case.trees(case.leaves)["x_true"][1][0], [1.0, 1.0])


def test_samples_are_the_same_each_time_and_differ_by_seed() -> None:
    first, again, other = sample(plain), sample(plain), sample(plain, seed=1)
    np.testing.assert_array_equal(first.inputs["x_true"], again.inputs["x_true"])
    assert np.all(first.inputs["x_true"] != other.inputs["x_true"])
    assert np.all(first.inputs["x_true"] != first.inputs["x_pred"])


def test_a_setting_that_is_an_array_becomes_an_input() -> None:
    def loss(scores: Any, *, weight: Any = 1.0) -> Any: ...

    inputs, settings = sample(loss, weight=DRAWN)
    assert inputs["weight"].shape == ()
    assert settings == {}
    assert [label for label, _ in variants(loss)] == ["default", "weight=array"]


def test_every_argument_has_a_kind_that_can_be_drawn() -> None:
    for name, argument in ARGUMENTS.items():
        loss = eval(f"lambda {name}: None")  # a function with an argument of that name
        assert sample(loss).inputs[name].ndim == len(argument.axes)


def test_the_driver_of_cupy_asks_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = types.SimpleNamespace(asarray=np.asarray, asnumpy=np.asarray, ndarray=np.ndarray)  # no GPU here
    monkeypatch.setitem(sys.modules, "cupy", stand_in)
    cupy = CuPy()
    x = cupy.array(np.ones(2), "float32")
    assert cupy.dtype_name(x) == "float32"
    assert cupy.is_array(x)
    assert not cupy.is_array([1.0])
    np.testing.assert_array_equal(cupy.numpy(x), 1.0)
