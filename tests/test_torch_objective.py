"""The objective as a torch module: what is learnt is its own, and moves, is saved and compiled with it."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import anomaly_kernels as ak

pytestmark = pytest.mark.library("torch")

RNG = np.random.default_rng(0)
NODES = {
    "bce": ak.Node(ak.anomaly_bce_with_logits, target="mask", logit="logits"),
    "svdd": ak.Node(ak.deep_svdd_soft_boundary_loss, embeddings="z", center="c", nu=0.1),
    "metrics": ak.Node(ak.anomaly_detection_metrics, target="mask", decision="mask", score="logits"),
}


def made(**settings):
    import anomaly_kernels.torch as akt

    return akt.Objective(NODES, uncertainty=["bce"], **settings)


def tensors():
    import torch

    arrays = {"logits": RNG.normal(size=(4, 5)), "z": RNG.normal(size=(8, 3)), "c": np.zeros(3)}
    return {name: torch.as_tensor(x, dtype=torch.float32) for name, x in arrays.items()} | {
        "mask": torch.as_tensor(RNG.random((4, 5)) < 0.3)
    }


def test_it_is_the_pure_one_with_its_own_parameters():
    import torch

    module, inputs = made(), tensors()
    params = {"r_unconstrained": {"svdd": torch.tensor(0.0)}, "log_variance": {"bce": torch.tensor(0.0)}}
    expected, terms = ak.Objective(NODES, uncertainty=["bce"])(inputs, params=params)
    total, found = module(inputs)
    assert total == expected
    assert found.keys() == terms.keys() == {"bce", "svdd"}
    assert sorted(name for name, _ in module.named_parameters()) == ["log_variance.bce", "r_unconstrained.svdd"]
    assert list(module.eval()(inputs)[1]) == ["bce", "svdd", "metrics"]
    assert module(inputs, stage="inference") == (None, {})
    assert "bce: Node('AnomalyBCEWithLogits', target='mask', logit='logits')" in repr(module)


def test_it_is_narrowed_to_stages_and_says_what_is_outside():
    import anomaly_kernels.torch as akt

    nodes = {"bce": ak.Node(ak.anomaly_bce_with_logits, target="mask", logit="logits", execution_stages=["val"])}
    module = akt.Objective(ak.Objective(nodes, outside=["net"]))
    assert module.outside == akt.Objective.from_config(module.to_config()).outside == ("net",)
    assert module(tensors()) == (None, {})
    assert list(module.eval()(tensors())[1]) == ["bce"]


def test_what_is_learnt_is_learnt():
    import torch

    module, inputs = made(), tensors()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        total, terms = module(inputs)
        total.backward()
        optimizer.step()
    # ½(e^-s L + s) is least at s = log L, and the radius where a fraction ν is outside
    torch.testing.assert_close(module.log_variance["bce"], terms["bce"].log(), rtol=1e-3, atol=1e-3)
    outside = (inputs["z"].square().sum(-1) > ak.svdd_radius(module.r_unconstrained["svdd"]).square()).double().mean()
    assert outside <= 1 / 8
    fresh = made()
    fresh.init_radius(inputs)
    expected = ak.svdd_radius(fresh.r_unconstrained["svdd"]).square()
    assert (inputs["z"].square().sum(-1) > expected).sum() <= 1


def test_it_is_copied_saved_and_compiled(tmp_path):
    import torch

    module, inputs = made(), tensors()
    with torch.no_grad():
        module.r_unconstrained["svdd"].fill_(0.5)
    total = module(inputs)[0]
    for again in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert again(inputs)[0] == total
    other = made()
    other.load_state_dict(module.state_dict())
    assert other(inputs)[0] == total
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(inputs)[0], total)
    assert module.to(torch.float64).r_unconstrained["svdd"].dtype == torch.float64


def test_settings_that_are_tensors_or_models_are_parts_of_it():
    import torch

    import anomaly_kernels.torch as akt

    learnt, model = (
        torch.nn.Parameter(torch.tensor(2.0)),
        torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Softmax(-1)),
    )
    nodes = {
        "mse": ak.Node(ak.mse_reconstruction_loss, x_true="x", x_pred="y", weight=learnt),
        "distilled": ak.Node(ak.distillation_loss, x_true="x", y_pred="p", model=model, temperature=np.asarray(2.0)),
        "elbo": ak.Node(ak.elbo, y_true="x", y_pred="y", cov_diag=torch.ones(3)),
    }
    module = akt.Objective(nodes)
    assert dict(module.named_parameters())["settings.mse:weight"] is learnt
    assert sorted(dict(module.settings.named_buffers())) == ["distilled:temperature", "elbo:cov_diag"]
    assert dict(module.models)["distilled:model"] is model
    inputs = {name: torch.rand(5, n) for name, n in {"x": 3, "y": 3, "p": 4}.items()}
    twin = copy.deepcopy(module)
    twin(inputs)[0].backward()
    assert learnt.grad is None
    found = dict(twin.settings.named_parameters())["mse:weight"].grad
    torch.testing.assert_close(found, ak.mse_reconstruction_loss(inputs["x"], inputs["y"]))
    assert twin.models["distilled:model"][0].weight.grad is not None
    double = module.double()
    assert double({name: x.double() for name, x in inputs.items()})[0].dtype == torch.float64


def test_settings_are_those_that_the_module_has_now():
    import torch

    import anomaly_kernels.torch as akt

    graded = torch.tensor(2.0, requires_grad=True)
    nodes = {
        "mse": ak.Node(
            ak.mse_reconstruction_loss, x_true="x", x_pred="y", weight=torch.nn.Parameter(torch.tensor(2.0))
        ),
        "mse_pos": ak.Node(ak.mse_reconstruction_loss, x_true="x", x_pred="y", weight=graded),
        "quantile": ak.Node(ak.quantile_loss, y_true="t", y_pred="q", quantiles=np.asarray([0.1, 0.9])),
        "gmm": ak.Node(ak.aegmm_loss, x_true="x", x_pred="y", z="y", gamma="g", weight=np.asarray(0.5)),
    }
    module = akt.Objective(nodes)
    inputs = {
        "x": torch.rand(5, 2),
        "y": torch.rand(5, 2),
        "t": torch.rand(5, 2, 1),
        "q": torch.rand(5, 2, 2, 1),
        "g": torch.full((5, 2), 0.5),
    }
    _, terms = module(inputs)
    assert terms["gmm"] == 0.5 * ak.aegmm_loss(inputs["x"], inputs["y"], inputs["y"], inputs["g"])
    terms["mse_pos"].backward()
    torch.testing.assert_close(graded.grad, ak.mse_reconstruction_loss(inputs["x"], inputs["y"]))
    state = {name: 2 * x for name, x in module.state_dict().items()}
    assert sorted(state) == ["settings.gmm:weight", "settings.mse:weight", "settings.mse_pos:weight"]
    functional, _ = torch.func.functional_call(module, state, (inputs,))
    module.load_state_dict(state, assign=True)
    _, doubled = module(inputs)
    for name in ("gmm", "mse", "mse_pos"):
        torch.testing.assert_close(doubled[name], 2 * terms[name])
    torch.testing.assert_close(functional, sum(doubled.values()))
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(inputs)[0], functional)
    half = module.half()({name: x.half() for name, x in inputs.items()})[1]["quantile"]
    torch.testing.assert_close(half, doubled["quantile"], rtol=1e-2, atol=1e-3)


def test_a_module_writes_into_no_array_of_numpy():
    import torch

    import anomaly_kernels.torch as akt

    variances = np.asarray([1.0, 4.0])[::-1]  # a stride that torch has no tensors of
    weight = np.asarray(2.0)
    for array in (variances, weight):
        array.flags.writeable = False
    nodes = {"elbo": ak.Node(ak.elbo, y_true="x", y_pred="y", cov_diag=variances, weight=weight)}
    first, second = akt.Objective(nodes), akt.Objective(nodes)
    inputs = {"x": torch.rand(5, 2), "y": torch.rand(5, 2)}
    total = second(inputs)[0]
    expected = ak.elbo(inputs["x"], inputs["y"], cov_diag=torch.tensor([4.0, 1.0]).double(), weight=2.0)
    torch.testing.assert_close(total, expected)
    first.load_state_dict({name: 2 * x for name, x in first.state_dict().items()})
    assert first(inputs)[0] != total
    assert second(inputs)[0] == total
    assert (variances.tolist(), weight.item()) == ([4.0, 1.0], 2.0)


def test_what_does_not_fit_is_refused():
    import torch

    import anomaly_kernels.torch as akt

    module = made()
    with pytest.raises(ak.ObjectiveError, match="^`inputs` must be a dict of arrays by name, got list$"):
        module([torch.ones(2)])
    with pytest.raises(ak.ObjectiveError, match="^there is no stage ''; there are train"):
        module(tensors(), stage="")
    with pytest.raises(ak.ObjectiveError, match="^node 'train' needs another name: torch has its own meaning"):
        akt.Objective({"train": NODES["bce"]}, uncertainty=["train"])
    with pytest.raises(ak.ObjectiveError, match="^`uncertainty` is that of the objective given"):
        akt.Objective(module.pure, uncertainty=["bce"])
    assert akt.Objective(module.pure).to_config() == module.to_config()


def test_autocast_does_not_round_it():
    import torch

    import anomaly_kernels.torch as akt

    module = akt.Objective({"orth": ak.Node(ak.orthogonality_loss, components="w")})  # of a product of matrices
    inputs = {"w": torch.as_tensor(RNG.normal(size=(3, 9)), dtype=torch.float32)}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total = module(inputs)[0]
    assert total.dtype == torch.float32
    assert total == module(inputs)[0]


def test_devices_without_autocast_are_devices():
    inputs = {name: x.to("meta") for name, x in tensors().items()}
    total, terms = made().to("meta")(inputs)
    assert total.device.type == terms["svdd"].device.type == "meta"


def test_descriptions_make_modules():
    import anomaly_kernels.torch as akt

    config = made().to_config()
    assert akt.Objective.from_config(config).to_config() == config
    import yaml

    assert akt.Objective.from_yaml(yaml.safe_dump(config, sort_keys=False)).to_config() == config
    with pytest.raises(ak.ObjectiveError, match="`uncertainty` must be names of losses"):
        akt.Objective(NODES, uncertainty=["metrics"])
