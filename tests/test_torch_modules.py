"""The losses as torch.nn modules: what a torch user does with a module works with each of them."""

from __future__ import annotations

import copy
import io
import json
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from adapters import CLASSES, all_variants, torch_order

import anomaly_kernels as ak
from anomaly_kernels._classes.settings import settings_of

pytestmark = pytest.mark.library("torch")

VARIANTS = all_variants()
DEFAULTS = {name.removesuffix("-default"): each for name, each in VARIANTS.items() if name.endswith("-default")}
EVERY = pytest.mark.parametrize("name", DEFAULTS)


@pytest.fixture
def made(driver):
    """A module and the arrays to call it with, in torch's order."""

    def make(name, dtype="float32"):
        variant = DEFAULTS[name]
        arrays = {k: driver.array(x, dtype) for k, x in variant.arrays.items() if k != "radius"}
        return variant.made("torch", driver.array), torch_order(arrays)

    return make


@EVERY
def test_copies_and_pickles_give_the_same_number(name, made):
    import torch

    module, arrays = made(name)
    expected = module(*arrays)
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    fresh, _ = made(name)
    fresh.load_state_dict(torch.load(file, weights_only=True))
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), fresh):
        assert torch.equal(other(*arrays), expected)
        assert repr(other) == repr(module)


@EVERY
def test_completion_shows_settings_and_no_internals(name, made):
    import torch

    module, _ = made(name)
    offered = {"check", "get_params", "kernel", "load", "my_params", "save", "set_params", "summary"}
    offered |= {*settings_of(type(module)), "r_unconstrained", "radius", "init_radius", "center", "init_center"}
    offered |= {*dir(torch.nn.Module())}
    assert [x for x in dir(module) if not x.startswith("_") and x not in offered] == []


@EVERY
def test_repr_shows_the_settings(name, made):
    module, _ = made(name)
    shown = repr(module)
    assert shown.startswith(f"{name}(")
    children = dict(module.named_children())
    assert all(f"{setting}=" in shown for setting in settings_of(type(module)) if setting not in children)


@EVERY
@pytest.mark.filterwarnings("ignore:.*script_method.*:DeprecationWarning")  # torch's own, where it loads the inductor
def test_compiles_whole_and_once(name, made):
    import torch
    from torch._dynamo.testing import CompileCounterWithBackend

    module, arrays = made(name)
    torch.compiler.reset()
    counter = CompileCounterWithBackend("inductor" if name in ("IoULoss", "AEGMMLoss") else "aot_eager")
    compiled = torch.compile(module, fullgraph=True, backend=counter)
    leaf = arrays[0].clone().requires_grad_(arrays[0].is_floating_point())
    for _ in range(3):
        found = compiled(leaf, *arrays[1:])
    assert counter.frame_count == 1
    torch.testing.assert_close(found, module(*arrays))


@EVERY
def test_exports(name, made):
    import torch

    module, arrays = made(name)
    program = torch.export.export(module, tuple(arrays))
    torch.testing.assert_close(program.module()(*arrays), module(*arrays))


@EVERY
def test_functional_call_and_vmap_of_the_module(name, made):
    import torch

    module, arrays = made(name)
    found = torch.func.functional_call(module, dict(module.named_parameters()), tuple(arrays))
    assert torch.equal(found, module(*arrays))
    batched = torch.func.vmap(module)(*[torch.stack([x, x]) for x in arrays])
    torch.testing.assert_close(batched, torch.stack([found, found]), rtol=1e-5, atol=1e-6)


@EVERY
@pytest.mark.parametrize("moves", [False, True])
def test_on_the_meta_device_there_are_shapes_alone(name, moves, made):
    import torch

    module, arrays = made(name)
    expected = module(*arrays)
    with torch.device("cpu" if moves else "meta"):
        module, _ = made(name)
    repr(module)
    found = module.to("meta")(*[x.to("meta") for x in arrays])
    assert (found.device.type, found.shape, found.dtype) == ("meta", expected.shape, expected.dtype)


@EVERY
def test_under_autocast_all_is_computed_in_float32(name, made):
    import torch

    module, arrays = made(name)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = module(*arrays)
    assert found.dtype is torch.float32
    assert torch.equal(found, module(*arrays))


def test_weights_of_samples_are_those_of_the_function(driver):
    import anomaly_kernels.torch as akt

    score, mask, weight = (
        driver.array([[3.0, -1.0], [0.5, 2.0]]),
        driver.array([[1.0, 0.0], [1.0, 0.0]]),
        driver.array([2.0, 0.0]),
    )
    found = akt.IoULoss(axis=1)(score, mask, sample_weight=weight)
    assert found.tolist() == ak.iou_loss(mask, score, axis=1, sample_weight=weight).tolist()
    found = akt.AnomalyBCEWithLogits()(score, mask, sample_weight=weight)
    assert found == ak.anomaly_bce_with_logits(mask, score, sample_weight=weight)


@EVERY
def test_half_precision_gives_float32(name, made):
    import torch

    module, arrays = made(name)
    if hasattr(module, "model"):
        pytest.skip("the model computes in the dtype it is given")
    halves = [x.bfloat16() if x.is_floating_point() else x for x in arrays]
    exact = module(*[x.float() if x.is_floating_point() else x for x in halves])
    torch.testing.assert_close(module(*halves), exact)


@EVERY
def test_memory_layout_does_not_matter(name, made):
    import torch

    module, arrays = made(name)
    strided = [torch.stack([x, x], -1)[..., 0] for x in arrays]
    assert not any(x.is_contiguous() for x in strided if x.numel() > 1)
    torch.testing.assert_close(module(*strided), module(*arrays))


def test_channels_last_images():
    import torch

    import anomaly_kernels.torch as akt

    score = torch.randn(2, 3, 5, 4)
    last = score.to(memory_format=torch.channels_last)
    for loss in (akt.IoULoss(axis=(1, 2, 3)), akt.AnomalyBCEWithLogits(pos_weight=10.0, reduction="none")):
        torch.testing.assert_close(loss(last, last > 0.5), loss(score, score > 0.5))


@EVERY
def test_a_misspelt_setting_is_refused_and_the_right_one_suggested(name):
    variant = DEFAULTS[name]
    module = variant.made("torch", lambda x: x)
    setting = settings_of(type(module))[-1]
    wrong = f"{setting[:-1]}q"
    with pytest.raises(TypeError, match=f"^{name} has no setting `{wrong}`; did you mean `{setting}`\\?$"):
        type(module)(**variant.settings, **{wrong: 1})


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("IoULoss", {"smooth": -1.0}, "^`smooth` must be >= 0, got -1.0$"),
        (
            "IoULoss",
            {"normalize_method": "tanh"},
            "^`normalize_method` must be one of 'sigmoid', 'clamp', 'minmax', got",
        ),
        ("DeepSVDDSoftBoundaryLoss", {"nu": 1}, "^`nu` must be > 0 and < 1, got 1$"),
        ("AdaptiveQuantileLoss", {"quantiles": [0.5, 1.5]}, r"^`quantiles` must be numbers in \[0, 1\]"),
        ("KLDivergenceLoss", {"epsilon": 1.0}, "^`epsilon` must be >= 0 and < 1, got 1.0$"),
        ("ELBOLoss", {"cov_diag": np.ones(3), "sim": 1.0}, "^at most one of .* may be given, got cov_diag, sim$"),
        ("VAEGMMLoss", {"cov_diag": np.ones(3), "sim": 1.0}, "^at most one of .* may be given, got cov_diag, sim$"),
        ("AdversarialAELoss", {"model": len, "w_model_hl": [1.0]}, "^`w_model_hl` must be as long as .* 0, got 1$"),
        ("IoULoss", {"axis": ()}, r"^`axis` must be distinct axes, at least one, got \(\)$"),
        ("IoULoss", {"axis": (1, 1)}, r"^`axis` must be distinct axes, at least one, got \(1, 1\)$"),
        ("AnomalyLoss", {"weight": np.ones(2)}, r"^`weight` must be a number or a 0-d array, got shape \(2,\)$"),
        ("AnomalyLoss", {"reduction": "avg"}, "^`reduction` must be one of 'mean', 'sum', 'none', got 'avg'$"),
    ],
)
def test_a_bad_setting_is_refused_by_the_constructor(name, settings, message):
    import anomaly_kernels.torch as akt

    with pytest.raises(ValueError, match=message):
        getattr(akt, name)(**settings)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("IoULoss", {"weight": "heavy"}, "^`weight` must be a number or a 0-d array, got str$"),
        ("IoULoss", {"weight": True}, "^`weight` must be a number or a 0-d array, got bool$"),
        ("DistillationLoss", {"model": 3}, "^`model` must be callable, got int$"),
        ("IoULoss", {"weight": 1j}, "^`weight` must be a number or a 0-d array, got complex$"),
        ("IoULoss", {"weight": object()}, "^`weight` must be a number or a 0-d array, got object$"),
        ("IoULoss", {"axis": "1"}, "^`axis` must be an integer or a tuple of integers, got str$"),
        ("IoULoss", {"axis": (0, 0.5)}, "^`axis` must be an integer or a tuple of integers, got float$"),
        ("ELBOLoss", {"cov_diag": "a"}, "^arrays of one library are needed .*, got `cov_diag`: str$"),
        ("ELBOLoss", {"cov_diag": np.ones(3, int)}, "^`cov_diag` must be floating point, got dtype int64$"),
        ("AdversarialAELoss", {"model": len, "model_hl": 3}, "^`model_hl` must be a sequence of callables, got 3$"),
        ("AdversarialAELoss", {"model": len, "model_hl": [3]}, r"^`model_hl\[0\]` must be callable, got int$"),
        ("AdversarialAELoss", {"model": len, "w_model_hl": ["a"]}, r"^`w_model_hl\[0\]` must be a number or a 0-d arr"),
        ("AdaptiveQuantileLoss", {}, "missing 1 required positional argument: 'quantiles'$"),
        ("AnomalyLoss", {"reduction": 1}, "^`reduction` must be one of .*, got int$"),
    ],
)
def test_a_setting_of_a_wrong_kind_is_a_type_error(name, settings, message):
    import anomaly_kernels.torch as akt

    with pytest.raises(TypeError, match=message):
        getattr(akt, name)(**settings)


def test_arrays_may_be_given_by_name_in_any_order():
    import torch

    import anomaly_kernels.torch as akt

    score, target = torch.randn(4, 5), torch.rand(4, 5) > 0.5
    loss = akt.IoULoss()
    expected = ak.iou_loss(target, score)
    assert torch.equal(loss(score, target), expected)
    assert torch.equal(loss(target=target, score=score), expected)
    assert torch.equal(loss(score, target=target), expected)
    with pytest.raises(TypeError, match="takes 3 positional arguments but 4 were given"):
        loss(score, target, target)


def test_arrays_of_other_libraries_are_refused_by_name():
    import torch

    import anomaly_kernels.torch as akt

    score, loss = np.ones((4, 5), np.float32), akt.IoULoss()
    for arrays in ((score, score), (torch.ones(4, 5), score), (score, torch.ones(4, 5)), ([1.0], [1.0])):
        with pytest.raises(TypeError, match="`(score|target)`.*(numpy.ndarray|list)"):
            loss(*arrays)
    with pytest.raises(TypeError, match="`score`.*numpy.ndarray"):
        loss(target=torch.ones(4, 5), score=score)


@pytest.mark.parametrize(
    ("arrays", "named", "message"),
    [
        (1, {"score": 0}, "got multiple values for argument 'score'$"),
        (2, {"score": 0}, "got multiple values for argument 'score'$"),
        (1, {}, "missing 1 required positional argument: 'target'$"),
        (0, {}, "missing 2 required positional arguments: 'score' and 'target'$"),
        (2, {"mask": 0}, "got an unexpected keyword argument 'mask'$"),
    ],
)
def test_arrays_that_are_missing_or_given_twice_are_named(arrays, named, message):
    import torch

    import anomaly_kernels.torch as akt

    x = torch.zeros(3)
    with pytest.raises(TypeError, match=message):
        akt.IoULoss()(*[x] * arrays, **dict.fromkeys(named, x))


def test_quantiles_stay_numbers():
    import anomaly_kernels.torch as akt

    loss = akt.AdaptiveQuantileLoss(np.asarray([0.1, 0.9])).half()
    assert loss.quantiles == [0.1, 0.9]
    assert list(loss.state_dict()) == []


def test_the_first_pass_leaves_modes_as_they_were():
    import torch

    import anomaly_kernels.torch as akt

    frozen = torch.nn.BatchNorm1d(2).eval()
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), frozen)
    akt.init_center(model, [torch.ones(3, 2)], progress=False)
    assert (model.training, frozen.training) == (True, False)
    with pytest.raises(RuntimeError):
        akt.init_center(model, [torch.ones(3, 5)], progress=False)
    assert (model.training, frozen.training) == (True, False)


def test_tensors_among_the_settings_move_with_the_module_and_parameters_learn():
    import torch

    import anomaly_kernels.torch as akt

    loss = akt.ELBOLoss(cov_diag=torch.ones(3))
    assert list(loss.state_dict()) == ["cov_diag"]
    assert loss.to("meta").cov_diag.device.type == "meta"
    assert akt.ELBOLoss(cov_diag=np.ones(3)).cov_diag.dtype is torch.float64
    weight = torch.nn.Parameter(torch.tensor(2.0))
    weighted = akt.AnomalyLoss(weight=weight)
    assert list(weighted.parameters()) == [weight]
    weighted(torch.tensor([1.0, 2.0])).backward()
    assert weight.grad == 2.5


def test_models_among_the_settings_are_submodules():
    import torch

    import anomaly_kernels.torch as akt

    teacher = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(-1))
    loss = akt.AdversarialAELoss(teacher, model_hl=[teacher], w_recon=0.1)
    assert loss.model is teacher
    assert list(loss.model_hl) == [teacher]
    x = torch.randn(5, 4)
    assert torch.equal(loss(x + 1, x), ak.adversarial_ae_loss(x, x + 1, model=teacher, model_hl=[teacher], w_recon=0.1))


def test_functions_beside_models_leave_the_models_submodules():
    import torch

    import anomaly_kernels.torch as akt

    teacher = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(-1))
    loss = akt.AdversarialAELoss(teacher, model_hl=[teacher[0], torch.sigmoid])
    assert "model_hl.0.weight" in loss.state_dict()
    x = torch.rand(5, 4)
    expected = ak.adversarial_ae_loss(x, x + 1, model=teacher, model_hl=[teacher[0], torch.sigmoid])
    assert torch.equal(loss(x + 1, x), expected)
    torch.testing.assert_close(torch.compile(loss, fullgraph=True, backend="aot_eager")(x + 1, x), expected)


def test_parameters_among_weights_learn_and_tensors_move(tmp_path):
    import torch

    import anomaly_kernels.torch as akt

    weights = [torch.nn.Parameter(torch.tensor(0.5)), torch.tensor(2.0), 3.0]
    loss = akt.AdversarialAELoss(torch.sigmoid, model_hl=[torch.sigmoid] * 3, w_model_hl=weights)
    assert [p is weights[0] for p in loss.parameters() if p.requires_grad] == [True]
    assert list(loss.state_dict()) == ["w_model_hl.0", "w_model_hl.1"]
    assert loss.get_params()["w_model_hl"] == weights
    x = torch.rand(5, 4)
    expected = ak.adversarial_ae_loss(x, x + 1, model=torch.sigmoid, model_hl=[torch.sigmoid] * 3, w_model_hl=weights)
    assert torch.equal(loss(x + 1, x), expected)
    torch.testing.assert_close(torch.compile(loss, fullgraph=True, backend="aot_eager")(x + 1, x), expected)
    loss(x + 1, x).backward()
    assert weights[0].grad != 0


def test_the_callers_lists_are_not_kept():
    import anomaly_kernels.torch as akt

    quantiles, weights = [0.1, 0.9], [0.5]
    made = akt.AdaptiveQuantileLoss(quantiles), akt.AdversarialAELoss(len, model_hl=[len], w_model_hl=weights)
    quantiles.append(2.0)
    weights.append(2.0)
    assert (made[0].quantiles, made[1].w_model_hl) == ([0.1, 0.9], [0.5])


def test_a_file_keeps_dtypes_and_what_learns(tmp_path):
    import torch

    import anomaly_kernels.torch as akt

    path = tmp_path / "loss.json"
    frozen = torch.nn.Parameter(torch.tensor(1.0), requires_grad=False)
    for setting in (torch.nn.Parameter(torch.tensor(2.0)), frozen, torch.tensor(0.1, dtype=torch.bfloat16)):
        akt.AnomalyLoss(weight=setting).save(path)
        again = akt.AnomalyLoss.load(path).weight
        assert type(again) is type(setting)
        assert (again.dtype, again.requires_grad) == (setting.dtype, setting.requires_grad)
        assert torch.equal(again, setting)
    loss = akt.DeepSVDDSoftBoundaryLoss().double()
    loss.r_unconstrained.data.fill_(0.1)
    loss.save(path)
    again = akt.DeepSVDDSoftBoundaryLoss.load(path)
    assert again.r_unconstrained.dtype is torch.float64
    assert torch.equal(again.r_unconstrained, loss.r_unconstrained)
    assert isinstance(again.r_unconstrained, torch.nn.Parameter)


def test_the_radius_is_learnt_and_kept():
    import torch

    import anomaly_kernels.torch as akt

    torch.manual_seed(0)
    z, center = torch.randn(5000, 3), torch.zeros(3)
    loss = akt.DeepSVDDSoftBoundaryLoss(nu=0.1)
    assert loss.radius == ak.svdd_radius(torch.tensor(0.0))
    assert list(loss.state_dict()) == ["r_unconstrained"]
    assert torch.equal(loss(z, center), ak.deep_svdd_soft_boundary_loss(z, center, loss.radius, nu=0.1))
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        loss(z, center).backward()
        optimizer.step()
    outside = (ak.svdd_score(z, center, radius=loss.radius) > 0).float().mean()
    assert abs(outside - 0.1) < 0.005  # the minimum over R has a share ν outside


def test_the_radius_starts_at_the_quantile():
    import torch

    import anomaly_kernels.torch as akt

    z, center = torch.arange(1.0, 1001.0)[:, None], torch.zeros(1)
    loss = akt.DeepSVDDSoftBoundaryLoss(nu=0.05)
    assert loss.init_radius(z, center).item() == pytest.approx(950, abs=1)
    assert loss.radius.item() == pytest.approx(950, abs=1)
    assert loss.init_radius(1e-3 * z / 1000, center).item() == pytest.approx(0.95e-3, rel=0.01)


def test_the_centre_is_the_mean_embedding_pushed_away_from_zero():
    import torch

    import anomaly_kernels.torch as akt

    model = torch.nn.Sequential(torch.nn.Identity(), torch.nn.Dropout(0.5))
    rows = torch.tensor([[1.0, 0.02, -0.02, 0.0], [3.0, 0.04, -0.04, 0.0]])
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(rows), batch_size=1)
    model.train()
    center = akt.init_center(model, loader, progress=False)
    assert model.training  # as it was, though the pass itself was without dropout
    torch.testing.assert_close(center, torch.tensor([2.0, 0.1, -0.1, 0.1]))
    assert model.center is center
    assert list(model.state_dict()) == []  # which a model that has none yet can load
    akt.init_center(model, [10 * rows], eps=0.0, progress=False)
    torch.testing.assert_close(model.center, torch.tensor([20.0, 0.3, -0.3, 0.0]))
    with pytest.raises(ValueError, match="^`loader` has no batch"):
        akt.init_center(model, [])
    with pytest.raises(ValueError, match="^`eps` must be >= 0 and < inf, got -1$"):
        akt.init_center(model, [rows], eps=-1)


def test_the_centre_is_of_embeddings_that_fit_each_other():
    import torch

    import anomaly_kernels.torch as akt

    model = torch.nn.Identity()
    for eps in (float("inf"), float("nan")):
        with pytest.raises(ValueError, match="^`eps` must be >= 0 and < inf, got"):
            akt.init_center(model, [], eps=eps)
    for other in (1, 2):
        with pytest.raises(ValueError, match=f"^embeddings must be of one width, got 4 after {other}$"):
            akt.init_center(model, [torch.ones(3, other), torch.ones(3, 4)], progress=False)
    for batch in ((), {"x": torch.ones(2)}, [3]):
        with pytest.raises(TypeError, match="^`loader` must yield tensors, .* got (tuple|dict|list)$"):
            akt.init_center(model, [batch], progress=False)
    model.forward = lambda x: (x, x)
    with pytest.raises(TypeError, match=r"^`model` must return a tensor of embeddings \(B, ..., D\), got tuple$"):
        akt.init_center(model, [torch.ones(3, 2)], progress=False)
    with pytest.raises(TypeError, match="^`model` must be a torch.nn.Module, got builtin_function_or_method$"):
        akt.init_center(len, [])


def test_the_centre_of_a_compiled_model_is_found_there():
    import torch

    import anomaly_kernels.torch as akt

    model = torch.nn.Linear(2, 2)
    compiled = torch.compile(model, backend="eager")
    center = akt.init_center(compiled, [torch.ones(3, 2)], progress=False)
    assert compiled.center is center
    assert model.center is center


def test_settings_that_are_assigned_are_parts_of_the_module_too():
    import torch

    import anomaly_kernels.torch as akt

    loss = akt.IoULoss()
    loss.weight = torch.tensor(2.0)
    assert list(loss.state_dict()) == ["weight"]
    loss.weight = torch.nn.Parameter(torch.tensor(3.0))
    assert list(loss.parameters()) == [loss.weight]
    loss.weight = 4.0
    assert list(loss.state_dict()) == []
    x = torch.rand(3, 2)
    torch.testing.assert_close(loss(x, x), 4.0 * ak.iou_loss(x, x))
    assert loss.weight == 4.0


def test_a_radius_that_is_fixed_comes_back_so(tmp_path):
    import anomaly_kernels.torch as akt

    loss = akt.DeepSVDDSoftBoundaryLoss()
    loss.r_unconstrained.requires_grad_(False)
    loss.save(tmp_path / "loss.json")
    assert not akt.DeepSVDDSoftBoundaryLoss.load(tmp_path / "loss.json").r_unconstrained.requires_grad


def test_a_setting_that_fails_as_it_is_kept_leaves_all_as_it_was(monkeypatch):
    import torch

    import anomaly_kernels.torch as akt

    def refuse(*_):
        raise RuntimeError("no buffers")

    loss = akt.IoULoss(weight=2.0, smooth=1.0)
    monkeypatch.setattr(loss, "register_buffer", refuse)
    with pytest.raises(RuntimeError, match="^no buffers$"):
        loss.set_params(smooth=3.0, weight=torch.tensor(1.0))
    assert (loss.weight, loss.smooth) == (2.0, 1.0)


def test_the_centre_takes_no_name_that_the_model_has_for_something_else():
    import torch

    import anomaly_kernels.torch as akt

    model = torch.nn.Identity()
    model.center = None
    for name in ("", "a.b"):
        with pytest.raises(ValueError, match=f"^`name` must be that of a buffer, without dots, got '{name}'$"):
            akt.init_center(model, [], name=name)
    with pytest.raises(
        ValueError, match="^`name` must be that of a buffer or a new one, got 'center', which the model"
    ):
        akt.init_center(model, [torch.ones(2, 2)], progress=False)
    del model.center
    model.register_buffer("center", None, persistent=False)
    akt.init_center(model, [torch.ones(2, 2)], progress=False)
    assert torch.equal(model.center, torch.ones(2))
    assert list(model.state_dict()) == []


CENTERED = pytest.mark.parametrize("name", ["DeepSVDDLoss", "DeepSVDDSoftBoundaryLoss"])


@CENTERED
def test_a_state_with_a_centre_resumes_in_a_new_loss(name, tmp_path):
    import torch

    import anomaly_kernels.torch as akt

    def made():
        torch.manual_seed(0)
        return torch.nn.ModuleDict({"encoder": torch.nn.Linear(4, 3, bias=False), "loss": getattr(akt, name)()})

    def trained(parts, optimizer, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            loss = parts["loss"](parts["encoder"](rows))
            loss.backward()
            optimizer.step()
        return loss.detach()

    rows, parts, whole = torch.randn(20, 4), made(), made()
    for each in (parts, whole):
        each["loss"].center = akt.init_center(each["encoder"], [rows[:10], rows[10:]], progress=False)
        if name == "DeepSVDDSoftBoundaryLoss":
            each["loss"].init_radius(each["encoder"](rows))
    optimizer = torch.optim.Adam(parts.parameters(), 0.01)
    trained(parts, optimizer, 3)
    torch.save({"parts": parts.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "checkpoint.pt")
    expected = trained(whole, torch.optim.Adam(whole.parameters(), 0.01), 6)
    for assign in (False, True):
        checkpoint, again = torch.load(tmp_path / "checkpoint.pt", weights_only=True), made()
        again.load_state_dict(checkpoint["parts"], assign=assign)
        assert torch.equal(again["loss"].center, parts["loss"].center)
        optimizer = torch.optim.Adam(again.parameters(), 0.01)
        optimizer.load_state_dict(checkpoint["optimizer"])
        assert torch.equal(trained(again, optimizer, 3), expected)


@CENTERED
def test_a_state_without_a_centre_is_refused_where_there_is_one(name):
    import torch

    import anomaly_kernels.torch as akt

    loss, before = getattr(akt, name)(), getattr(akt, name)().state_dict()
    loss.load_state_dict(before)
    with pytest.raises(ValueError, match=f"^`center` must be given, or kept in the {name}, by `init_center`$"):
        loss(torch.ones(2, 3))
    center = loss.init_center(torch.ones(2, 3))
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: .*"center"'):
        loss.load_state_dict(before)
    loss.load_state_dict(before, strict=False)
    assert torch.equal(loss.center, center)
    with pytest.raises(RuntimeError, match="size mismatch for center"):
        loss.load_state_dict(loss.state_dict() | {"center": torch.ones(4)})


@CENTERED
def test_the_centre_in_a_loss_is_that_of_the_function(name, tmp_path):
    import torch

    import anomaly_kernels.torch as akt

    z, loss = torch.randn(5, 2, 3, dtype=torch.float64), getattr(akt, name)()
    center = loss.init_center(2.0 * z.requires_grad_(), eps=0.2)
    assert torch.equal(center, ak.svdd_center(2.0 * z, eps=0.2))
    assert not center.requires_grad
    assert torch.equal(loss(z), loss(z, center))
    assert torch.equal(torch.compile(loss, fullgraph=True, backend="eager")(z), loss(z))
    loss.center = ak.svdd_center(z)  # with a graph, which is not kept
    copy.deepcopy(loss)(z).backward()
    loss(z).backward()
    loss.save(tmp_path / "loss.json")
    again = type(loss).load(tmp_path / "loss.json")
    assert torch.equal(again.center, loss.center)
    assert again.center.dtype is torch.float64
    text = (tmp_path / "loss.json").read_text()
    for wrong in ("1.0", '{"dtype": "float32", "array": [[1.0]]}', '{"dtype": "int64", "array": [1]}'):
        hostile = json.loads(text)
        hostile["state"]["center"] = json.loads(wrong)
        (tmp_path / "loss.json").write_text(json.dumps(hostile))
        with pytest.raises(ak.FileError, match="`center` must be an array"):
            type(loss).load(tmp_path / "loss.json")


def test_a_model_with_a_new_centre_loads_into_one_without():
    import torch

    import anomaly_kernels.torch as akt

    model = torch.nn.Linear(2, 2)
    akt.init_center(model, [torch.ones(3, 2)], progress=False)
    torch.nn.Linear(2, 2).load_state_dict(model.state_dict())
    assert torch.equal(copy.deepcopy(model).double().center, model.center.double())

    class Declared(torch.nn.Linear):
        def __init__(self):
            super().__init__(2, 2)
            self.register_buffer("center", torch.zeros(2))

    declared, again = Declared(), Declared()
    akt.init_center(declared, [torch.ones(3, 2)], progress=False)
    again.load_state_dict(declared.state_dict())
    assert torch.equal(again.center, declared.center)


def test_the_first_pass_shows_its_progress(capsys):
    import torch

    import anomaly_kernels.torch as akt

    akt.init_center(torch.nn.Identity(), [torch.ones(2, 2)] * 3)
    assert "centre" in capsys.readouterr().out


DDP = """
    import sys
    import torch
    import torch.distributed as dist
    import torch.multiprocessing as mp
    from torch.nn.parallel import DistributedDataParallel

    import anomaly_kernels.torch as akt

    def model():
        torch.manual_seed(0)
        return torch.nn.Linear(3, 2).double()

    class WithLoss(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.loss = model(), akt.DeepSVDDSoftBoundaryLoss(nu=0.3).double()

        def forward(self, x):
            return self.loss(self.encoder(x), torch.zeros(2, dtype=x.dtype))

    def gradients(module):
        return torch.cat([p.grad.flatten() for p in module.parameters()])

    def work(rank, rows, file):
        dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=2)
        module = DistributedDataParallel(WithLoss())
        module(rows[rank::2]).backward()
        single = WithLoss()
        single(rows).backward()
        torch.testing.assert_close(gradients(module), gradients(single), rtol=1e-12, atol=1e-14)
        dist.destroy_process_group()

    if __name__ == "__main__":
        torch.manual_seed(1)
        mp.spawn(work, (torch.randn(8, 3, dtype=torch.float64), sys.argv[1]), nprocs=2)
        print("equal")
"""


def test_two_processes_give_the_gradient_of_one(tmp_path):
    script = tmp_path / "ddp.py"
    script.write_text(textwrap.dedent(DDP))
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "store")], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.strip() == "equal", done.stderr


def test_modules_run_on_the_gpu_if_there_is_one(made):
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    for name in CLASSES:
        module, arrays = made(name)
        found = module.cuda()(*[x.cuda() for x in arrays])
        assert found.is_cuda
        torch.testing.assert_close(found.cpu(), module.cpu()(*arrays), rtol=1e-5, atol=1e-6)


def test_no_warnings_where_the_adapters_are_imported():
    subprocess.run([sys.executable, "-W", "error", "-c", "import anomaly_kernels.torch"], check=True)
