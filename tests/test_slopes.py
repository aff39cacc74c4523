"""Slopes that stand beside formulas are their derivatives, and torch's backward pass evaluates them as autograd would.

The thresholds are lowered, so that small arrays take the way of large ones: sums of blocks, of which nothing is kept.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from lowered import lower_thresholds
from reference import DIFFERENTIATING, draw, shares
from reference import slopes as differentiated

import anomaly_kernels as ak
from anomaly_kernels._core.backends import blocks
from anomaly_kernels._core.checks import inputs
from anomaly_kernels._core.evaluate import Formula, Sums, reduce
from anomaly_kernels.testing.drivers import Driver

torch_only = pytest.mark.library("torch")
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")  # torch's own, of torch.func

BLOCK = 8


class Case(NamedTuple):
    """A call whose formulas have slopes, and the arrays to differentiate it by."""

    call: Callable[..., Any]
    arrays: dict[str, np.ndarray]


def total_of_params(z: Any, gamma: Any) -> Any:
    """A number that depends on every entry of every field."""
    xp, fields = ak.array_namespace(z), ak.gmm_params(z, gamma, eps=0.1)
    return sum(xp.sum((1.0 + k) * field * field) for k, field in enumerate(fields))


def energy_of_fields(z: Any, phi: Any, mu: Any, chol: Any, log_det_cov: Any) -> Any:
    return ak.gmm_energy(z, ak.GMMParams(phi, mu, chol, chol, log_det_cov))


def sad_of_signs(embeddings: Any, center: Any, eta: Any, eps: Any) -> Any:
    """Deep SAD with labels of all three kinds, which have no slope."""
    xp = ak.array_namespace(embeddings)
    labels = xp.sign(xp.round(xp.stop_gradient(embeddings)[:, 0]))
    return ak.deep_sad_loss(labels, embeddings, center, eta=eta, eps=eps)


def focal_of_masks(logit: Any, **settings: Any) -> Any:
    return ak.focal_loss_with_logits(logit > 0.3, logit, **settings)


REAL, OTHER, SOFT = draw(0, 6, 4), draw(1, 6, 4), draw(2, 6, 4, low=0.0, high=1.0)
POSITIVE = draw(3, 4, low=0.3, high=3.0)
Z, GAMMA = draw(4, 12, 2), shares(5, 12, 3)
PAIR, LOGITS, MASKS = (
    {"x_true": REAL, "x_pred": OTHER},
    {"target": SOFT, "logit": REAL},
    {"target": SOFT, "score": REAL},
)
TRIPLETS = {"anchor": REAL, "positive": OTHER, "negative": draw(14, 6, 4)}
SAMPLES = {"embeddings": REAL, "reference": draw(15, 9, 4)}
DATA = {"y_true": REAL, "y_pred": OTHER}
IMAGES = {"x_true": draw(14, 3, 6, 5), "x_pred": draw(15, 3, 6, 5)}
SPHERE = {"embeddings": REAL, "center": draw(6, 4)}
REFERENCE = ("margin", "reference_mean", "reference_std")
FORECAST = {"y_true": REAL, "mean": OTHER}
BOUNDS = {"y_true": REAL, "lower": OTHER - 1.0, "upper": OTHER + 1.0}
FIELDS = {
    "phi": np.asarray([0.5, 0.25, 0.25]),
    "mu": draw(7, 3, 2),
    "chol": np.tril(draw(8, 3, 2, 2)) + 3 * np.eye(2),
    "log_det_cov": draw(9, 3),
}


def supcon_of(embeddings: Any, **settings: Any) -> Any:
    xp = ak.array_namespace(embeddings)
    label = xp.constant([0, 1, 1, 2, 0, 3, 1, 0, 4, 2, 0, 1], like=embeddings, dtype=xp.int64)
    return ak.supcon_loss(label, embeddings, temperature=0.5, **settings)


def total_of_classes(embeddings: Any) -> Any:
    xp = ak.array_namespace(embeddings)
    label = xp.constant([0, 2, 2, 0, 2, 0, 0, 2, 2, 0, 2, 2], like=embeddings, dtype=xp.int64)
    fields = ak.mahalanobis_fit(embeddings, label, n_classes=3, shrinkage=0.2, eps=0.1)
    return sum(xp.sum((1.0 + k) * field * field) for k, field in enumerate(fields))


def case(kernel: Callable[..., Any], arrays: dict[str, np.ndarray], /, **settings: Any) -> Case:
    return Case(lambda **given: kernel(**given, **settings), arrays)


CASES = {
    "mean square": case(ak.mean_squared_anomaly, {"scores": REAL}),
    "sum of squares": case(ak.mean_squared_anomaly, {"scores": REAL}, reduction="sum", weight=-2.0),
    "squared error": case(ak.mse_reconstruction_loss, PAIR),
    "cross entropy": case(ak.anomaly_bce_with_logits, LOGITS),
    "sum of cross entropies": case(ak.anomaly_bce_with_logits, LOGITS, reduction="sum", weight=0.3),
    "weighted cross entropy": case(ak.anomaly_bce_with_logits, LOGITS, pos_weight=3.0),
    "learnable pos_weight": case(ak.anomaly_bce_with_logits, LOGITS | {"pos_weight": np.asarray(1.5)}),
    "learnable pos_weight of channels": case(ak.anomaly_bce_with_logits, LOGITS | {"pos_weight": POSITIVE}),
    "learnable weight": case(ak.anomaly_bce_with_logits, LOGITS | {"weight": np.asarray(0.5)}),
    "IoU, sigmoid": case(ak.iou_loss, MASKS),
    "IoU, clamp": case(ak.iou_loss, MASKS, normalize_method="clamp", smooth=0.5, weight=2.0),
    "Dice": case(ak.dice_loss, MASKS),
    "Dice, squared, clamp": case(ak.dice_loss, MASKS, normalize_method="clamp", squared=True, smooth=0.5),
    "Tversky": case(ak.tversky_loss, MASKS, alpha=0.3, beta=0.7),
    "focal Tversky": case(ak.tversky_loss, MASKS | {"alpha": np.asarray(0.3)}, gamma=0.75),
    "focal": case(ak.focal_loss_with_logits, LOGITS),
    "focal of masks": Case(focal_of_masks, {"logit": REAL, "alpha": np.asarray(0.3), "gamma": np.asarray(1.5)}),
    "focal, learnable": case(
        ak.focal_loss_with_logits, LOGITS | {"alpha": np.asarray(0.3), "gamma": np.asarray(1.5)}, reduction="sum"
    ),
    "SSIM": case(ak.ssim_loss, IMAGES, data_range=2.0, size=3),
    "SSIM, mirrored": case(
        ak.ssim_loss,
        IMAGES | {"data_range": np.asarray(2.0), "k2": np.asarray(0.1)},
        size=5,
        border="symmetric",
        reduction="sum",
    ),
    "cosine distance": case(ak.cosine_distance_loss, PAIR),
    "cosine distance of short vectors": case(ak.cosine_distance_loss, PAIR | {"eps": np.asarray(2.25)}, axis=0),
    "KL": case(ak.kl_divergence, {"p_true": shares(10, 6, 4), "p_pred": shares(11, 6, 4)}, epsilon=0.15),
    "Gaussian KL": case(ak.gaussian_kl, {"mean": REAL, "log_var": OTHER}),
    "quantile": case(
        ak.quantile_loss, {"y_true": draw(12, 3, 2, 2), "y_pred": draw(13, 3, 2, 3, 2)}, quantiles=(0.1, 0.5, 0.75)
    ),
    "SVDD": case(ak.deep_svdd_loss, SPHERE),
    "soft boundary": case(ak.deep_svdd_soft_boundary_loss, SPHERE | {"radius": np.asarray(1.75)}, nu=0.3),
    "ELBO": case(ak.elbo, DATA),
    "ELBO, sim": case(ak.elbo, DATA, sim=0.5, reduction="sum"),
    "ELBO, learnable sim": case(ak.elbo, DATA | {"sim": np.asarray(0.75)}),
    "ELBO, learnable scale": case(ak.elbo, DATA | {"scale_diag": POSITIVE}),
    "ELBO, learnable variances": case(ak.elbo, DATA | {"cov_diag": POSITIVE}),
    "mixture parameters": case(total_of_params, {"z": Z, "gamma": GAMMA}),
    "mixture energy": case(energy_of_fields, {"z": Z} | FIELDS),
    "Deep SAD": case(sad_of_signs, SPHERE | {"eta": np.asarray(0.5), "eps": np.asarray(0.25)}),
    "deviation": case(ak.deviation_loss, MASKS | {name: np.asarray(1.5) for name in REFERENCE}, reduction="sum"),
    "CRPS of an ensemble": case(ak.crps_ensemble, {"y_true": draw(14, 6), "ensemble": REAL}),
    "fair CRPS": case(ak.crps_ensemble, {"y_true": draw(14, 6), "ensemble": REAL}, fair=True, weight=2.0),
    "CRPS of a Gaussian": case(ak.crps_gaussian, FORECAST | {"std": np.abs(REAL + OTHER)}),
    "Gaussian likelihood": case(ak.gaussian_nll, FORECAST | {"log_var": draw(15, 6, 4)}),
    "interval": case(ak.interval_score, BOUNDS | {"alpha": np.asarray(0.25)}, weight=0.5),
    "SupCon": case(supcon_of, {"embeddings": Z}),
    "SupCon, sum": case(supcon_of, {"embeddings": Z}, reduction="sum", weight=0.3),
    "triplets": case(ak.triplet_margin_loss, TRIPLETS),
    "squared triplets": case(ak.triplet_margin_loss, TRIPLETS | {"margin": np.asarray(0.5)}, squared=True),
    "MMD": case(ak.mmd_loss, SAMPLES, bandwidths=(0.5, 2.0)),
    "MMD, inverse multiquadratic": case(ak.mmd_loss, SAMPLES, kernel="imq", unbiased=True),
    "means and covariance of classes": case(total_of_classes, {"embeddings": Z}),
    "AEGMM": case(ak.aegmm_loss, PAIR | {"z": Z, "gamma": GAMMA}, w_energy=0.5, eps=0.1),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


# ---- the slopes themselves, on the library whose blocks they serve, and on NumPy, whose tape takes them


def formulas_of(case: Case, driver: Driver, patch: Any, dtype: str = "float64") -> list[tuple[Any, ...]]:
    """The formulas with slopes that a call evaluates, each with its dtype, arrays, and what is always whole."""
    arrays = {name: driver.array(x, dtype) for name, x in case.arrays.items()}
    xp, found = ak.array_namespace(*arrays.values()), []
    patch.setattr(xp, "as_one", lambda function: function, raising=False)  # no tracers of a compilation
    for name in ("reduce", "add_up"):
        original = getattr(xp, name)

        def spy(*arguments: Any, original: Any = original) -> Any:
            formula, *rest = arguments[-4:]
            if formula.slopes is not None:
                found.append((formula, *rest))
            return original(*arguments)

        patch.setattr(xp, name, spy, raising=False)
    case.call(**arrays)
    patch.undo()
    return found


@pytest.mark.library("numpy", "array_api_strict", "torch")
@every_case
def test_slopes_are_what_the_library_finds_in_the_values(case: Case, driver: Driver, monkeypatch: Any) -> None:
    found = formulas_of(case, driver, monkeypatch)
    assert found
    for formula, dtype, arrays, whole in found:
        xp = ak.array_namespace(*arrays)
        given = [*blocks.parts(xp, dtype, arrays, ...), *whole]
        places = [k for k, x in enumerate(given) if driver.is_array(x)]
        shapes = [tuple(x.shape) for x in formula.sums(xp, *given)]
        upstream = [driver.array(draw(30 + k, *shape) + 3.0) for k, shape in enumerate(shapes)]

        def total(moved: Any, formula: Any = formula, given: Any = given, upstream: Any = upstream) -> Any:
            xp = ak.array_namespace(*moved.values())
            sums = formula.sums(xp, *(moved.get(str(k), x) for k, x in enumerate(given)))
            return sum(xp.sum(u * x) for u, x in zip(upstream, sums, strict=True))

        expected = differentiated(driver, total, {str(k): given[k] for k in places}, [str(k) for k in places])
        slopes, factor = formula.gradients(xp, upstream, *given)
        largest = max(np.abs(driver.numpy(x)).max() for x in expected.values())  # by means it may be 0 but for rounding
        assert len(slopes) >= len(arrays)
        for k in places:
            if k < len(slopes):
                have, want = driver.numpy(slopes[k]() * factor), driver.numpy(expected[str(k)])
                assert have.shape == want.shape
                np.testing.assert_allclose(have, want, rtol=1e-12, atol=1e-13 * largest)
            else:
                assert not driver.numpy(expected[str(k)]).any()


@torch_only
def test_every_formula_with_slopes_is_among_the_cases(driver: Driver, monkeypatch: Any) -> None:
    modules = [file.stem for file in Path(ak.losses.__file__).parent.glob("[!_]*.py")]
    known = {
        id(x.slopes): f"{module}.{name}"  # of some formulas blocks are made for each call
        for module in modules
        for name, x in vars(importlib.import_module(f"anomaly_kernels.losses.{module}")).items()
        if isinstance(x, Formula | Sums) and x.slopes is not None
    }
    seen = {id(formula.slopes) for each in CASES.values() for formula, *_ in formulas_of(each, driver, monkeypatch)}
    assert {name for key, name in known.items() if key not in seen} == set()
    assert len(known) >= 12


# ---- torch: sums whose backward pass evaluates slopes


@pytest.fixture
def sloped(monkeypatch: Any) -> list[str]:
    """Lowers the thresholds; lists in which way gradients of sums were found: "blocks" or "whole"."""
    from anomaly_kernels._core.backends import torch_evaluation

    ways: list[str] = []
    for place, name, way in ((blocks, "gradients", "blocks"), (torch_evaluation, "_differentiate", "whole")):
        original = getattr(place, name)

        def spy(*arguments: Any, original: Any = original, way: str = way) -> Any:
            ways.append(way)
            return original(*arguments)

        monkeypatch.setattr(place, name, spy)
    lower_thresholds(monkeypatch, BLOCK)
    return ways


def leaves(arrays: dict[str, np.ndarray], dtype: Any = None, only: str | None = None) -> dict[str, Any]:
    import torch

    made = {name: torch.tensor(x, dtype=dtype or torch.float64) for name, x in arrays.items()}
    return {name: x.requires_grad_(only in (None, name)) for name, x in made.items()}


def value_and_gradients(case: Case, given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    value = case.call(**given)
    value.backward()
    return value.detach(), {name: x.grad for name, x in given.items()}


def expected_of(case: Case, dtype: Any = None) -> tuple[Any, dict[str, Any]]:
    """Value and gradients that autograd finds in the plain expression."""
    with pytest.MonkeyPatch.context() as patch:
        lower_thresholds(patch, 2**16)
        from anomaly_kernels._core.backends import torch_evaluation

        patch.setattr(torch_evaluation, "takes_blocks", lambda *_: False)
        return value_and_gradients(case, leaves(case.arrays, dtype))


def assert_close(found: Any, expected: Any, eps: float) -> None:
    assert found.shape == expected.shape
    off = (found.double() - expected.double()).abs().max().item()
    assert off <= eps * max(expected.double().abs().max().item(), 1e-30), f"off by {off}"


def assert_same(found: tuple[Any, dict[str, Any]], expected: tuple[Any, dict[str, Any]], eps: float) -> None:
    assert_close(found[0], expected[0], eps)
    for name, gradient in expected[1].items():
        assert found[1][name].dtype == gradient.dtype
        assert_close(found[1][name], gradient, eps)


@torch_only
@every_case
@pytest.mark.parametrize(("dtype", "eps"), [("float64", 1e-12), ("float32", 64 * 2.0**-24)])
def test_value_and_gradients_are_those_of_the_plain_expression(
    case: Case, dtype: str, eps: float, sloped: list[str]
) -> None:
    import torch

    kind = getattr(torch, dtype)
    found = value_and_gradients(case, leaves(case.arrays, kind))
    assert set(sloped) == {"blocks"}
    assert found[0].dtype == kind
    assert_same(found, expected_of(case, kind), eps)


@torch_only
@every_case
def test_a_gradient_by_one_argument_is_that_among_all(case: Case, sloped: list[str]) -> None:
    _, expected = expected_of(case)
    for name in case.arrays:
        _, found = value_and_gradients(case, leaves(case.arrays, only=name))
        assert {other for other, gradient in found.items() if gradient is not None} == {name}
        assert_close(found[name], expected[name], 1e-12)


@torch_only
def test_inputs_that_need_no_gradient_cost_none(driver: Driver, sloped: list[str]) -> None:
    called: list[str] = []

    def slopes(xp: Any, x: Any, y: Any, c: Any) -> Any:
        def slope(name: str, value: Any) -> Any:
            called.append(name)
            return value

        return [lambda: slope("x", y * c), lambda: slope("y", x * c), lambda: slope("c", (x * y).sum())]

    formula = Formula(lambda xp, x, y, c: x * y * c, slopes)
    x, y, c = (driver.array(draw(k, 5, 4)) for k in (0, 1, 2))
    for name in "xyc":
        called.clear()
        given = {"x": x.clone(), "y": y.clone(), "c": c[0, 0].clone()}
        given[name].requires_grad_()
        xp, dtype = inputs(**given)
        reduce(xp, dtype, formula, {k: given[k] for k in "xy"}, given["c"]).backward()
        assert called == [name] * 3
        assert {k for k, v in given.items() if v.grad is not None} == {name}


def positional(case: Case) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    names, given = list(case.arrays), leaves(case.arrays)
    return lambda *arrays: case.call(**dict(zip(names, arrays, strict=True))), tuple(given.values())


@torch_only
@every_case
def test_gradients_pass_the_check_of_torch_forward_mode_and_batches_included(case: Case, sloped: list[str]) -> None:
    import torch

    function, given = positional(case)
    torch.autograd.gradcheck(
        function, given, check_forward_ad=True, check_batched_grad=True, check_undefined_grad=True, fast_mode=True
    )
    assert set(sloped) == {"blocks", "whole"}


@torch_only
@every_case
def test_gradients_that_are_to_be_differentiated_are_the_same(case: Case, sloped: list[str]) -> None:
    import torch

    function, given = positional(case)
    found = torch.autograd.grad(function(*given), given, create_graph=True)
    for one, expected in zip(found, expected_of(case)[1].values(), strict=True):
        assert_close(one.detach(), expected, 1e-12)
    assert set(sloped) == {"whole"}


@torch_only
@every_case
def test_second_derivatives_pass_the_check_of_torch(case: Case, sloped: list[str]) -> None:
    import torch

    function, given = positional(case)
    value = function(*given)
    first = torch.autograd.grad(value, given, create_graph=True)
    if any(x.requires_grad for x in first):
        torch.autograd.gradgradcheck(function, given, fast_mode=True, atol=1e-4)
    assert "whole" in sloped


@torch_only
@every_case
def test_functions_of_torch_func_see_the_plain_expression(case: Case, sloped: list[str]) -> None:
    import torch

    function, given = positional(case)
    still, places = tuple(x.detach() for x in given), tuple(range(len(given)))
    expected = tuple(expected_of(case)[1].values())
    for found, want in zip(torch.func.grad(function, places)(*still), expected, strict=True):
        assert_close(found, want, 1e-12)
    mapped = torch.func.vmap(torch.func.grad(function, places))(*(torch.stack([x, x]) for x in still))
    for found, want in zip(mapped, expected, strict=True):
        assert_close(found[1], want, 1e-12)
    _, along = torch.func.jvp(function, still, tuple(torch.ones_like(x) for x in still))
    total = sum(g.sum() for g in expected)
    assert abs(along - total) <= 1e-11 * sum(g.abs().sum() for g in expected)
    assert sloped == []


@torch_only
@every_case
def test_gradients_of_a_batch_of_upstreams(case: Case, sloped: list[str]) -> None:
    import torch

    function, given = positional(case)
    upstream = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    found = torch.autograd.grad(function(*given), given, upstream, is_grads_batched=True)
    for many, one in zip(found, expected_of(case)[1].values(), strict=True):
        assert_close(many, upstream.reshape(-1, *[1] * one.ndim) * one, 1e-12)


@torch_only
@every_case
def test_a_graph_that_is_retained_gives_its_gradients_again(case: Case, sloped: list[str]) -> None:
    given, (_, expected) = leaves(case.arrays), expected_of(case)
    value = case.call(**given)
    value.backward(retain_graph=True)
    value.backward()
    for name, x in given.items():
        assert_close(x.grad, 2.0 * expected[name], 1e-12)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        value.backward()


@torch_only
@every_case
def test_hooks_see_gradients_and_change_them(case: Case, sloped: list[str]) -> None:
    given, (_, expected) = leaves(case.arrays), expected_of(case)
    seen: list[str] = []
    for name, x in given.items():
        x.register_hook(lambda gradient, name=name: seen.append(name) or 3.0 * gradient)
    case.call(**given).backward()
    assert sorted(seen) == sorted(given)
    for name, x in given.items():
        assert_close(x.grad, 3.0 * expected[name], 1e-12)


@torch_only
@every_case
def test_anomaly_mode_finds_nothing_where_all_is_well(case: Case, sloped: list[str]) -> None:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.autograd.set_detect_anomaly(True):
            assert_same(value_and_gradients(case, leaves(case.arrays)), expected_of(case), 1e-12)


@torch_only
def test_anomaly_mode_names_the_sums_whose_gradient_is_nan(driver: Driver, sloped: list[str]) -> None:
    import torch

    x = torch.full((6, 4), torch.nan, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.autograd.set_detect_anomaly(True), pytest.raises(RuntimeError, match="_SumsBackward.*nan"):
            ak.mean_squared_anomaly(x).backward()


@torch_only
@every_case
def test_an_input_changed_in_place_is_an_error_of_torch(case: Case, sloped: list[str]) -> None:
    for name in case.arrays:
        given = leaves(case.arrays)
        moved = {other: x.clone() for other, x in given.items()}
        value = case.call(**moved)
        made_anew = name in {"scale_diag", "cov_diag", "chol", "phi", "weight"} or "reference" in moved
        if not moved[name].ndim or made_anew:
            continue  # what is made of them is kept, in graphs of torch's own
        moved[name].add_(1.0)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            value.backward()


@torch_only
@pytest.mark.parametrize("name", CASES)
def test_autocast_changes_neither_values_nor_gradients(name: str, sloped: list[str]) -> None:
    import torch

    case, expected = CASES[name], expected_of(CASES[name], torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        found = value_and_gradients(case, leaves(case.arrays, torch.float32))
    assert found[0].dtype == torch.float32
    assert_same(found, expected, 64 * 2.0**-24)


@torch_only
@every_case
def test_inputs_may_lie_in_memory_as_they_like(case: Case, sloped: list[str]) -> None:
    import torch

    given = {name: torch.tensor(np.repeat(x.T, 2, -1) if x.ndim else x) for name, x in case.arrays.items()}
    for x in given.values():
        x.requires_grad_()
    views = {name: x[..., ::2].permute(*range(x.ndim)[::-1]) if x.ndim else x for name, x in given.items()}
    assert any(not x.is_contiguous() for x in views.values())
    value = case.call(**views)
    value.backward()
    expected = expected_of(case)
    assert_close(value.detach(), expected[0], 1e-12)
    for name, x in given.items():
        gradient = x.grad[..., ::2].permute(*range(x.ndim)[::-1]) if x.ndim else x.grad
        assert_close(gradient, expected[1][name], 1e-12)


@torch_only
@pytest.mark.parametrize("name", ["squared error", "cross entropy", "IoU, sigmoid", "Gaussian KL", "SVDD", "KL"])
def test_expanded_inputs_get_the_sum_of_their_gradients(name: str, sloped: list[str]) -> None:
    case = CASES[name]
    first = next(iter(case.arrays))
    row = leaves({first: case.arrays[first][:1]})[first]
    shape = case.arrays[first].shape
    repeated = Case(case.call, case.arrays | {first: np.broadcast_to(case.arrays[first][:1], shape).copy()})
    others = {other: x for other, x in leaves(case.arrays).items() if other != first}
    value = case.call(**{first: row.expand(shape)}, **others)
    value.backward()
    expected = expected_of(repeated)
    assert_close(value.detach(), expected[0], 1e-12)
    assert_close(row.grad, expected[1][first].sum(0, keepdim=True), 1e-12)
    for other, x in others.items():
        assert_close(x.grad, expected[1][other], 1e-12)


@torch_only
@every_case
@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_half_precision_gives_float32_and_gradients_in_its_own(case: Case, half: str, sloped: list[str]) -> None:
    import torch

    kind = getattr(torch, half)
    arrays = {name: x + 0.0078125 * (name == "y_true") for name, x in case.arrays.items()}  # no ties, that are kinks
    given = leaves(arrays, kind)
    exactly = Case(case.call, {name: x.detach().double().numpy() for name, x in given.items()})
    value, gradients = value_and_gradients(case, given)
    expected = expected_of(exactly, torch.float32)
    assert value.dtype == torch.float32
    assert_close(value, expected[0], 64 * 2.0**-24)
    for name, gradient in gradients.items():
        assert gradient.dtype == kind
        assert_close(gradient.float(), expected[1][name], 2 * torch.finfo(kind).eps)


@torch_only
def test_boolean_targets_need_no_gradient(driver: Driver, sloped: list[str]) -> None:
    import torch

    mask, logit = torch.tensor(SOFT > 0.5), torch.tensor(REAL, requires_grad=True)
    ak.anomaly_bce_with_logits(mask, logit, reduction="sum").backward()
    assert sloped == ["blocks"]
    assert_close(logit.grad, torch.sigmoid(logit.detach()) - mask.double(), 1e-14)


@torch_only
@every_case
def test_eight_threads_at_once_find_the_same(case: Case, sloped: list[str]) -> None:
    expected = expected_of(case)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: value_and_gradients(case, leaves(case.arrays)), range(16)):
            assert_same(found, expected, 1e-12)


# ---- torch: workers


@pytest.fixture
def two_threads() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@torch_only
@every_case
def test_workers_find_the_same_bits_as_one_thread(case: Case, sloped: list[str], two_threads: None) -> None:
    import torch

    many = value_and_gradients(case, leaves(case.arrays))
    torch.set_num_threads(1)
    one = value_and_gradients(case, leaves(case.arrays))
    assert_same(many, one, 0.0)


@torch_only
def test_blocks_run_on_workers_and_the_count_of_threads_stays(sloped: list[str], two_threads: None) -> None:
    import torch

    seen: set[tuple[str, int]] = set()

    def values(xp: Any, x: Any) -> Any:
        seen.add((threading.current_thread().name, torch.get_num_threads()))
        return x

    x = torch.ones(64)
    xp, dtype = inputs(x=x)
    for reduction in ("sum", "none"):
        seen.clear()
        reduce(xp, dtype, Formula(values), {"x": x}, reduction=reduction)
        assert all(name.startswith("anomaly_kernels") and count == 1 for name, count in seen)
        assert seen
    assert torch.get_num_threads() == 2
    counts: list[int] = []
    other = threading.Thread(target=lambda: counts.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert counts == [2]


@torch_only
def test_the_pool_grows_with_the_threads_that_are_asked_for(sloped: list[str], two_threads: None) -> None:
    import torch

    from anomaly_kernels._core.backends import torch_evaluation

    ak.mean_squared_anomaly(torch.ones(64))
    assert torch_evaluation._Workers.threads >= 2
    torch.set_num_threads(3)
    ak.mean_squared_anomaly(torch.ones(64))
    assert torch_evaluation._Workers.threads >= 3
    assert torch.get_num_threads() == 3


@torch_only
def test_an_error_in_a_block_is_the_callers(sloped: list[str], two_threads: None) -> None:
    import torch

    def values(xp: Any, x: Any) -> Any:
        raise ArithmeticError("in a block")

    xp, dtype = inputs(x=torch.ones(64))
    with pytest.raises(ArithmeticError, match="in a block"):
        reduce(xp, dtype, Formula(values), {"x": torch.ones(64)})


@torch_only
def test_values_of_many_samples_are_written_in_inference_mode_too(sloped: list[str], two_threads: None) -> None:
    import torch

    x = torch.linspace(-1.0, 1.0, 64)
    for threads in (2, 1):
        torch.set_num_threads(threads)
        with torch.inference_mode():
            found = ak.mean_squared_anomaly(x, reduction="none")
        assert torch.equal(found, x * x)


@torch_only
def test_results_lie_beside_the_inputs_whatever_the_default_device(sloped: list[str]) -> None:
    import torch

    x = torch.linspace(0.0, 1.0, 64, requires_grad=True)
    with torch.device("meta"):
        total = ak.mean_squared_anomaly(x, reduction="sum")
        total.backward()
        found = [
            ak.mean_squared_anomaly(x.detach(), reduction="none"),
            *ak.score_statistics(x.detach()),
            total,
            x.grad,
            ak.value_and_grad(ak.mean_squared_anomaly)(x.detach())[1],
        ]
    assert {y.device.type for y in found} == {"cpu"}


AFTER_THE_END = """
import threading, torch
import anomaly_kernels as ak
torch.set_num_threads(2)
x = torch.ones(2**22)
if {before}: ak.mean_squared_anomaly(x)
def work():
    threading.main_thread().join()
    y = x.clone().requires_grad_()
    ak.mean_squared_anomaly(y, reduction="sum").backward()
    print(ak.mean_squared_anomaly(x).item(), y.grad.unique().item(), torch.get_num_threads())
threading.Thread(target=work).start()
"""


@torch_only
@pytest.mark.parametrize("before", [True, False])
def test_a_thread_that_outlives_the_main_one_finds_the_same(before: bool) -> None:
    script = AFTER_THE_END.format(before=before)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["1.0", "2.0", "2"]
    assert done.stderr == ""


@torch_only
def test_where_no_thread_can_be_started_the_caller_does_the_work(
    sloped: list[str], two_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from anomaly_kernels._core.backends import torch_evaluation

    start, started = threading.Thread.start, []

    def limited(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(torch_evaluation._Workers, "pool", None)
    with monkeypatch.context() as limit:
        limit.setattr(threading.Thread, "start", limited)
        assert ak.mean_squared_anomaly(torch.ones(64)) == 1.0
    assert torch.get_num_threads() == 2
    assert ak.mean_squared_anomaly(torch.ones(64)) == 1.0
    assert torch_evaluation._Workers.pool is not None


def in_child(function: Callable[[], bool]) -> bool:
    """Whether the function says yes in a fork of this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python's, of forks of processes that have threads
        child = os.fork()
    if child == 0:
        try:
            os._exit(0 if function() else 1)
        finally:
            os._exit(2)
    for _ in range(1000):
        finished, status = os.waitpid(child, os.WNOHANG)
        if finished:
            return os.waitstatus_to_exitcode(status) == 0
        threading.Event().wait(0.02)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


@torch_only
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks")
@pytest.mark.parametrize(
    "name", ["cross entropy", "IoU, sigmoid", "KL", "SVDD"]
)  # torch's own threads, as of its Cholesky, do hang
def test_a_fork_of_a_process_whose_workers_run_finds_the_same(name: str, sloped: list[str], two_threads: None) -> None:
    expected = value_and_gradients(CASES[name], leaves(CASES[name].arrays))

    def same() -> bool:
        assert_same(value_and_gradients(CASES[name], leaves(CASES[name].arrays)), expected, 0.0)
        return True

    assert in_child(same)
    assert_same(value_and_gradients(CASES[name], leaves(CASES[name].arrays)), expected, 0.0)


class Losses:
    """A data set whose samples are losses, and their gradients, that the worker of a loader computes."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, k: int) -> Any:
        value, gradients = value_and_gradients(CASES["cross entropy"], leaves(CASES["cross entropy"].arrays))
        return value, gradients["logit"]


@torch_only
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no forks")
def test_workers_of_a_data_loader_find_the_same(sloped: list[str], two_threads: None) -> None:
    import torch

    expected = value_and_gradients(CASES["cross entropy"], leaves(CASES["cross entropy"].arrays))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loader = torch.utils.data.DataLoader(Losses(), num_workers=1, multiprocessing_context="fork", timeout=30)
        found = list(loader)
    assert len(found) == 3
    for value, gradient in found:
        assert_close(value[0], expected[0], 0.0)
        assert_close(gradient[0], expected[1]["logit"], 0.0)


@torch_only
def test_a_trace_holds_the_formula_and_not_its_numbers(sloped: list[str]) -> None:
    import torch

    x, y = torch.linspace(0.0, 1.0, 64), torch.linspace(1.0, 3.0, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own: of tracing, and of sizes that are compared
        traced = torch.jit.trace(ak.mse_reconstruction_loss, (x, y))
    assert_close(traced(y, 3.0 * x), ak.mse_reconstruction_loss(y, 3.0 * x), 1e-6)


# ---- torch: where nothing is recorded


@torch_only
@every_case
def test_nothing_is_recorded_where_nobody_asks(case: Case, sloped: list[str]) -> None:
    import torch

    expected = expected_of(case)[0]
    parameters = {name: torch.nn.Parameter(x.detach()) for name, x in leaves(case.arrays).items()}
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            value = case.call(**parameters)
        assert not value.requires_grad
        assert value.grad_fn is None
        assert_close(value, expected, 1e-12)
    assert sloped == []


@torch_only
@every_case
def test_tensors_of_inference_mode_are_evaluated_in_it(case: Case, sloped: list[str]) -> None:
    import torch

    with torch.inference_mode():
        value = case.call(**{name: torch.tensor(x) for name, x in case.arrays.items()})
        assert value.is_inference()
    assert_close(value, expected_of(case)[0], 1e-12)


ROWS = 2**21 // 16
LARGE = {
    "BCE": (ak.anomaly_bce_with_logits, ("target", "logit")),
    "IoU": (ak.iou_loss, ("target", "score")),
    "KL": (ak.kl_divergence, ("p_true", "p_pred")),
    "Gaussian KL": (ak.gaussian_kl, ("mean", "log_var")),
    "SVDD": (ak.deep_svdd_loss, ("embeddings", "center")),
    "soft boundary": (ak.deep_svdd_soft_boundary_loss, ("embeddings", "center")),
}


@torch_only
@pytest.mark.parametrize("name", LARGE)
def test_nothing_but_inputs_is_kept_for_the_backward_pass(name: str) -> None:
    import torch

    kernel, (first, second) = LARGE[name]
    given = {first: torch.rand(ROWS, 16), second: torch.rand(16) if second == "center" else torch.rand(ROWS, 16)}
    if first == "target":
        given[first] = given[first] > 0.9
    for x in given.values():
        x.requires_grad_(x.is_floating_point())
    if name == "soft boundary":
        given["radius"] = torch.tensor(1.0, requires_grad=True)
    kept: list[Any] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x) or x, lambda x: x):
        value = kernel(**given)
    assert sum(x.nbytes for x in kept if x.ndim) <= sum(x.nbytes for x in given.values())
    addresses = {x.data_ptr() for x in given.values()}
    assert all(x.data_ptr() in addresses for x in kept if x.ndim)
    value.backward()
    assert all(x.grad is not None for x in given.values() if x.is_floating_point())


# ---- cross entropy at a logit of exactly 0


TARGETS = np.asarray([0.0, 0.25, 0.5, 1.0])


def slopes_at_zero(pos_weight: float | None, reduction: str) -> np.ndarray:
    c = 1.0 + ((pos_weight or 1.0) - 1.0) * TARGETS
    return ((1.0 - TARGETS) - 0.5 * c) / (TARGETS.size if reduction == "mean" else 1)


def entropy_of(driver: Driver, pos_weight: float | None, reduction: str, dtype: str = "float64") -> Callable[..., Any]:
    truth = driver.array(TARGETS, dtype)

    def loss(arrays: Any) -> Any:
        found = ak.anomaly_bce_with_logits(truth, arrays["logit"], pos_weight=pos_weight, reduction=reduction)
        return driver.sum(found)

    return loss


every_entropy = pytest.mark.parametrize("pos_weight", [None, 3.0])
every_reduction = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])


def ways_to_differentiate(driver: Driver) -> dict[str, Callable[..., Any]]:
    """Gradients of a function of a dict by its one entry, in each of the ways that a library has."""
    module = driver.module

    def plainly(f: Any, x: Any) -> Any:
        return driver.value_and_grad(f, {"logit": x}, ["logit"])[1]["logit"]

    if driver.name == "jax":
        return {
            "eager": lambda f, x: module.grad(lambda x: f({"logit": x}))(x),
            "jit": lambda f, x: module.jit(module.grad(lambda x: f({"logit": x})))(x),
            "forward": lambda f, x: module.jacfwd(lambda x: f({"logit": x}))(x),
            "vmap": lambda f, x: module.vmap(module.grad(lambda x: f({"logit": x})))(module.numpy.stack([x, x]))[1],
        }
    if driver.name == "tensorflow":

        def gradient(f: Any, x: Any) -> Any:
            with module.GradientTape() as tape:
                tape.watch(x)
                y = f({"logit": x})
            return tape.gradient(y, x)

        return {
            "eager": gradient,
            "function": lambda f, x: module.function(lambda x: gradient(f, x), autograph=False)(x),
            "xla": lambda f, x: module.function(lambda x: gradient(f, x), autograph=False, jit_compile=True)(x),
        }

    def compiled(f: Any, x: Any) -> Any:
        module.compiler.reset()
        return plainly(module.compile(f, backend="aot_eager", fullgraph=True), x)

    def in_blocks(f: Any, x: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            lower_thresholds(patch, 2)
            return plainly(f, x)

    return {
        "plain": plainly,
        "slopes": in_blocks,
        "aot_eager": compiled,
        "func.grad": lambda f, x: module.func.grad(lambda x: f({"logit": x}))(x),
        "forward": lambda f, x: module.func.jacfwd(lambda x: f({"logit": x}))(x),
        "vmap": lambda f, x: module.func.vmap(module.func.grad(lambda x: f({"logit": x})))(module.stack([x, x]))[1],
    }


@pytest.mark.library(*DIFFERENTIATING)
@every_entropy
@every_reduction
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_slope_of_cross_entropy_at_zero_is_one_half_minus_the_target(
    pos_weight: float | None, reduction: str, dtype: str, driver: Driver
) -> None:
    loss = entropy_of(driver, pos_weight, reduction, dtype)
    for zero in (0.0, -0.0):
        for way, differentiate in ways_to_differentiate(driver).items():
            found = driver.numpy(differentiate(loss, driver.array(np.full(TARGETS.shape, zero), dtype)))
            expected = slopes_at_zero(pos_weight, reduction)
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7, err_msg=f"{way} at {zero}")


@pytest.mark.library(*DIFFERENTIATING)
@every_entropy
@every_reduction
def test_the_curvature_of_cross_entropy_at_zero_is_one_quarter(
    pos_weight: float | None, reduction: str, driver: Driver, monkeypatch: Any
) -> None:
    loss = entropy_of(driver, pos_weight, reduction)
    c = 1.0 + ((pos_weight or 1.0) - 1.0) * TARGETS
    expected = 0.25 * (c.mean() if reduction == "mean" else c.sum())
    arrays, one = {"logit": driver.array(np.zeros(TARGETS.shape))}, {"logit": driver.array(np.ones(TARGETS.shape))}
    assert float(driver.numpy(driver.curvature(loss, arrays, one))) == pytest.approx(expected, rel=1e-14)
    if driver.name == "torch":
        lower_thresholds(monkeypatch, 2)
        assert float(driver.curvature(loss, arrays, one)) == pytest.approx(expected, rel=1e-14)
