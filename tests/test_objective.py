"""Several losses as one: values, gradients and stages, descriptions as cuvis-ai has them, and what is refused."""
# ruff: noqa: E501  (a table of messages)

from __future__ import annotations

import copy
import enum
import inspect
import os
import pickle
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anomaly_kernels as ak
from anomaly_kernels.objective import _config
from anomaly_kernels.objective._objective import as_objective

RNG = np.random.default_rng(0)
ARRAYS = {
    "logit_head.logits": 2 * RNG.normal(size=(2, 3, 4, 1)),
    "data.mask": RNG.random((2, 3, 4, 1)) < 0.3,
    "selector.weights": RNG.random(6),
    "projection.embeddings": RNG.normal(size=(2, 3, 4)),
    "center_tracker.center": 0.1 * RNG.normal(size=4),
    "decider.decisions": RNG.random((2, 3, 4, 1)) < 0.4,
    "pca.components": RNG.normal(size=(2, 5)),
}
LOGITS, MASK, WEIGHTS, EMBEDDINGS, CENTER, DECISIONS, COMPONENTS = ARRAYS.values()

# two examples of cuvis-ai's node catalogue and one node of each other kind, joined
FILE = """
nodes:
  # Primary supervision
  bce_loss:
    type: AnomalyBCEWithLogits
    config:
      weight: 1.0
      pos_weight: 10.0  # Handle class imbalance
      reduction: "mean"

  # Selector regularizers
  entropy_reg:
    type: SelectorEntropyRegularizer
    config:
      weight: 0.01  # Encourage exploration

  iou_loss:
    type: IoULoss
    config:
      weight: 1.0
      smooth: 1e-6
      normalize_method: "sigmoid"

  orth_loss:
    type: OrthogonalityLoss

  metrics:
    type: AnomalyDetectionMetrics

connections:
  - [logit_head.logits, bce_loss.predictions]
  - [data.mask, bce_loss.targets]
  - [selector.weights, entropy_reg.weights]
  - [logit_head.logits, iou_loss.predictions]
  - [data.mask, iou_loss.targets]
  - [pca.components, orth_loss.components]
  - [decider.decisions, metrics.decisions]
  - [data.mask, metrics.targets]
  - [logit_head.logits, metrics.logits]  # Optional
  - [metrics.metrics, monitor.metrics]
"""


def terms_of(logits=LOGITS, mask=MASK, weights=WEIGHTS, components=COMPONENTS):
    return {
        "bce_loss": ak.anomaly_bce_with_logits(mask, logits, pos_weight=10.0),
        "entropy_reg": ak.selector_entropy_regularizer(weights),
        "iou_loss": ak.iou_loss(mask, logits),
        "orth_loss": ak.orthogonality_loss(components),
    }


def of_file():
    return ak.Objective.from_yaml(FILE)


def small(**settings):
    return ak.Objective(
        {
            "bce": ak.Node(ak.anomaly_bce_with_logits, target="mask", logit="logits"),
            "svdd": ak.Node("DeepSVDDSoftBoundaryLoss", embeddings="z", center="c", nu=0.1, weight=0.5),
        },
        **settings,
    )


def test_a_file_of_cuvis_means_what_it_says(driver):
    objective = of_file()
    arrays = {name: driver.array(x) for name, x in ARRAYS.items()}
    total, terms = objective(arrays)
    expected = terms_of()
    assert list(terms) == list(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(driver.numpy(terms[name]), value, rtol=1e-12)
    np.testing.assert_allclose(driver.numpy(total), sum(expected.values()), rtol=1e-12)
    assert driver.is_array(total)
    _, checked = objective(arrays, stage="val")
    found = ak.anomaly_detection_metrics(MASK, DECISIONS, LOGITS)
    np.testing.assert_allclose([driver.numpy(x) for x in checked["metrics"]], found, rtol=1e-12)
    assert type(checked["metrics"]) is type(found)


def test_it_is_differentiated_and_compiled(driver):
    if "gradient" not in driver.can:
        pytest.skip("no automatic differentiation")
    objective = small(uncertainty=["bce"])
    arrays = {"logits": LOGITS, "mask": MASK, "z": EMBEDDINGS, "c": CENTER, "r": np.asarray(0.3), "s": np.asarray(0.7)}

    def total(given):
        params = {"r_unconstrained": {"svdd": given["r"]}, "log_variance": {"bce": given["s"]}}
        return objective(given, params=params)[0]

    made = {name: driver.array(x) for name, x in arrays.items()}
    value, gradient = driver.value_and_grad(total, made, ["logits", "r", "s"])
    bce = ak.anomaly_bce_with_logits(MASK, LOGITS)
    radius = ak.svdd_radius(np.asarray(0.3))
    svdd = ak.deep_svdd_soft_boundary_loss(EMBEDDINGS, CENTER, radius, nu=0.1, weight=0.5)
    np.testing.assert_allclose(driver.numpy(value), 0.5 * (np.exp(-0.7) * bce + 0.7) + svdd, rtol=1e-12)
    np.testing.assert_allclose(driver.numpy(gradient["s"]), 0.5 * (1 - np.exp(-0.7) * bce), rtol=1e-12)
    slope = 0.5 * np.exp(-0.7) * (1 / (1 + np.exp(-LOGITS)) - MASK) / LOGITS.size
    np.testing.assert_allclose(driver.numpy(gradient["logits"]), slope, rtol=1e-10)
    outside = ((EMBEDDINGS - CENTER) ** 2).sum(-1) > radius**2
    slope = 0.5 * 2 * radius * (1 - outside.mean() / 0.1) / (1 + np.exp(-3.0))
    np.testing.assert_allclose(driver.numpy(gradient["r"]), slope, rtol=1e-10)
    np.testing.assert_allclose(driver.numpy(driver.jit(total)(made)), driver.numpy(value), rtol=1e-12)


def test_losses_run_in_three_stages_and_metrics_in_two(driver):
    objective = ak.Objective(
        {
            "mse": ak.Node(ak.mse_reconstruction_loss, x_true="x", x_pred="y"),
            "auc": ak.Node(ak.roc_auc, target="t", score="s"),
        }
    )
    of_loss = {"x": driver.array(np.ones((2, 3))), "y": driver.array(np.zeros((2, 3)))}
    of_metric = {"t": driver.array(np.asarray([0, 1, 1])), "s": driver.array(np.asarray([1.0, 0.5, 3.0]))}
    total, terms = objective(of_loss, stage="train")
    assert (float(driver.numpy(total)), list(terms)) == (1.0, ["mse"])
    for stage in ("val", "test"):
        total, terms = objective(of_loss | of_metric, stage=stage)
        assert (float(driver.numpy(total)), float(driver.numpy(terms["auc"]))) == (1.0, 0.5)
        with pytest.raises(ak.ObjectiveError, match="node `auc` needs 't' as `target`; there are x, y"):
            objective(of_loss, stage=stage)
    assert objective({}, stage="inference") == (None, {})
    metric = ak.Objective({"auc": ak.Node(ak.roc_auc, target="t", score="s")})
    assert metric(of_metric, stage="train") == (None, {})
    total, terms = metric(of_metric, stage="test")
    assert (total, float(driver.numpy(terms["auc"]))) == (None, 0.5)


def test_settings_may_be_given_with_the_call(driver):
    objective = ak.Objective({"mse": ak.Node(ak.mse_reconstruction_loss, x_true="x", x_pred="y", weight=2.0)})
    arrays = {name: driver.array(np.asarray([1.0, 3.0]) * k) for k, name in enumerate("xy")}
    total, _ = objective(arrays, settings={"mse": {"weight": driver.array(np.asarray(3.0))}})
    np.testing.assert_allclose(driver.numpy(total), 1.5 * driver.numpy(objective(arrays)[0]), rtol=1e-12)
    for wrong, message in (
        ({"mso": {}}, "`settings` names no node 'mso'; did you mean `mse`\\?"),
        ({"mse": {"wait": 1.0}}, "node `mse` has no setting 'wait'; did you mean `weight`\\?"),
        ({"mse": 1.0}, "`settings` must be dicts of settings by node, got"),
        ([], "`settings` must be dicts of settings by node, got"),
    ):
        with pytest.raises(ak.ObjectiveError, match=message):
            objective(arrays, settings=wrong)
    uncertain = ak.Objective(objective.nodes, uncertainty=["mse"])
    params = uncertain.init(arrays["x"])
    np.testing.assert_allclose(
        driver.numpy(uncertain(arrays, params=params)[0]), 0.5 * driver.numpy(objective(arrays)[0])
    )
    with pytest.raises(ak.ObjectiveError, match="not negative, got 'mse', which is multiplied by `weight` = -3"):
        uncertain(arrays, params=params, settings={"mse": {"weight": -3.0}})


def test_losses_without_a_weight_take_one(driver):
    arrays = {name: driver.array(x) for name, x in {"x": np.ones((4, 3)), "y": np.zeros((4, 3))}.items()}
    arrays |= {"z": driver.array(RNG.normal(size=(4, 2))), "g": driver.array(RNG.dirichlet([1, 1], 4))}
    wired = {"x_true": "x", "x_pred": "y", "z": "z", "gamma": "g"}
    plain, _ = ak.Objective({"gmm": ak.Node(ak.aegmm_loss, **wired)})(arrays)
    twice, _ = ak.Objective({"gmm": ak.Node(ak.aegmm_loss, **wired, weight=2)})(arrays)
    assert float(driver.numpy(twice)) == 2 * float(driver.numpy(plain))
    with pytest.raises(ak.ObjectiveError, match="`weight`"):
        ak.Node(ak.aegmm_loss, **wired, weight="much")
    with pytest.raises(ak.ObjectiveError, match="ROCAUCMetric has no array or setting `weight`"):
        ak.Node(ak.roc_auc, target="t", score="s", weight=2.0)


def test_what_is_learnt_starts_at_zero(driver):
    objective = small(uncertainty=["svdd"])
    assert objective.learnt == {"r_unconstrained": ["svdd"], "log_variance": ["svdd"]}
    params = objective.init(driver.array(LOGITS, "float32"))
    for name, nodes in objective.learnt.items():
        assert list(params[name]) == nodes
        assert all(driver.is_array(x) and driver.dtype_name(x) == "float32" for x in params[name].values())
        assert all(float(driver.numpy(x)) == 0.0 for x in params[name].values())
    wired = ak.Node(ak.deep_svdd_soft_boundary_loss, embeddings="z", center="c", radius="r")
    assert ak.Objective({"svdd": wired}).learnt == {}
    for x in objective.init(driver.array(np.arange(3))).values():
        assert driver.dtype_name(x["svdd"]) == "float32"
    for x in objective.init(driver.array(LOGITS, "float64")).values():
        assert driver.dtype_name(x["svdd"]) == "float64"
    arrays = {"z": driver.array(EMBEDDINGS), "c": driver.array(CENTER), "r": driver.array(np.asarray(0.5))}
    found, _ = ak.Objective({"svdd": wired})(arrays)
    expected = ak.deep_svdd_soft_boundary_loss(EMBEDDINGS, CENTER, np.asarray(0.5))
    np.testing.assert_allclose(driver.numpy(found), expected, rtol=1e-12)


def test_a_radius_is_that_of_the_embeddings(driver):
    z = 0.05 * RNG.normal(size=(200, 4))  # a radius so small is far from its parameter
    found = small().init_radius({"z": driver.array(z), "c": driver.array(np.zeros(4))})
    assert list(found) == ["svdd"]
    outside = (z**2).sum(-1) > ak.svdd_radius(driver.numpy(found["svdd"])) ** 2
    np.testing.assert_allclose(outside.mean(), 0.1, atol=0.01)
    assert of_one().init_radius({}) == {}
    with pytest.raises(ak.ObjectiveError, match="node `svdd` needs 'z' as `embeddings`; there are c"):
        small().init_radius({"c": driver.array(np.zeros(4))})
    with pytest.raises(ak.ObjectiveError, match="`inputs` must be a dict of arrays by name, got list"):
        small().init_radius([1])


@pytest.mark.parametrize(("dtype", "s"), [("float32", -200.0), ("float64", -2000.0), ("float64", -40000.0)])
def test_a_loss_of_zero_is_weighed_by_a_variance_near_zero(driver, dtype, s):
    objective = ak.Objective(
        {"mse": ak.Node("MSEReconstructionLoss", targets="x", predictions="y")}, uncertainty=["mse"]
    )
    made = {name: driver.array(np.asarray(x), dtype) for name, x in {"x": [1.0], "y": [1.0], "s": s}.items()}

    def total(given):
        return objective(given, params={"log_variance": {"mse": given["s"]}})[0]

    assert float(driver.numpy(total(made))) == 0.5 * s
    if "gradient" in driver.can:
        value, gradient = driver.value_and_grad(total, made, ["y", "s"])
        assert float(driver.numpy(value)) == 0.5 * s
        assert driver.numpy(gradient["y"]).tolist() == [0.0]  # not ∞ · 0
        assert float(driver.numpy(gradient["s"])) == 0.5


@pytest.mark.parametrize(
    ("dtype", "s", "error"), [("float32", -100.0, 1e-18), ("float64", -900.0, 1e-150), ("float64", 3.0, 1.0)]
)
def test_a_small_loss_is_weighed_by_more_than_the_largest_number(driver, dtype, s, error):
    objective = ak.Objective(
        {"mse": ak.Node("MSEReconstructionLoss", targets="x", predictions="y")}, uncertainty=["mse"]
    )
    made = {name: driver.array(np.asarray(x), dtype) for name, x in {"x": [0.0], "y": [error], "s": s}.items()}

    def total(given):
        return objective(given, params={"log_variance": {"mse": given["s"]}})[0]

    weighed = 0.5 * np.exp(-s + 2 * np.log(error))
    rtol = 1e-4 if dtype == "float32" else 1e-11
    np.testing.assert_allclose(driver.numpy(total(made)), weighed + 0.5 * s, rtol=rtol)
    if "gradient" in driver.can:
        _, gradient = driver.value_and_grad(total, made, ["s", "y"])
        np.testing.assert_allclose(driver.numpy(gradient["s"]), 0.5 - weighed, rtol=rtol)
        largest = 88.47 if dtype == "float32" else 709.53  # its logarithm
        np.testing.assert_allclose(driver.numpy(gradient["y"]), [np.exp(min(-s, largest)) * error], rtol=rtol)


def test_an_infinite_loss_stays_infinite(driver):
    objective = ak.Objective(
        {"mse": ak.Node("MSEReconstructionLoss", targets="x", predictions="y")}, uncertainty=["mse"]
    )
    arrays = {"x": driver.array(np.asarray([0.0])), "y": driver.array(np.asarray([np.inf]))}
    for s in (-2000.0, 0.0, 500.0):
        total, _ = objective(arrays, params={"log_variance": {"mse": driver.array(np.asarray(s))}})
        assert float(driver.numpy(total)) == np.inf


def test_terms_of_different_dtypes_are_added(driver):
    nodes = {k: ak.Node("MSEReconstructionLoss", targets=f"x{k}", predictions=f"y{k}") for k in ("32", "64")}
    arrays = {
        f"{x}{k}": driver.array(np.full(3, v), f"float{k}") for k in ("32", "64") for x, v in (("x", 2.0), ("y", 0.0))
    }
    total, terms = ak.Objective(nodes)(arrays)
    assert driver.dtype_name(total) == "float64"
    assert [driver.dtype_name(x) for x in terms.values()] == ["float32", "float64"]
    assert float(driver.numpy(total)) == 8.0
    for of_s, of_loss in (("32", "64"), ("64", "32"), ("32", "32")):
        s = driver.array(np.asarray(0.0), f"float{of_s}")
        objective = ak.Objective({of_loss: nodes[of_loss]}, uncertainty=[of_loss])
        total, _ = objective(arrays, params={"log_variance": {of_loss: s}})
        assert driver.dtype_name(total) == f"float{max(of_s, of_loss)}"
        assert float(driver.numpy(total)) == 2.0
    total, _ = objective(arrays, params={"log_variance": {"32": 0}})
    assert (driver.dtype_name(total), float(driver.numpy(total))) == ("float32", 2.0)


def test_a_weight_of_any_kind_keeps_the_dtype(driver):
    arrays = {"x": np.ones((4, 3)), "y": np.zeros((4, 3)), "z": RNG.normal(size=(4, 2)), "g": RNG.dirichlet([1, 1], 4)}
    made = {name: driver.array(x, "float32") for name, x in arrays.items()}
    wired = {"x_true": "x", "x_pred": "y", "z": "z", "gamma": "g"}
    plain, _ = ak.Objective({"gmm": ak.Node(ak.aegmm_loss, **wired)})(made)
    for weight in (np.asarray(2.0), np.float64(2.0), Fraction(2), driver.array(np.asarray(2.0))):
        total, _ = ak.Objective({"gmm": ak.Node(ak.aegmm_loss, **wired, weight=weight)})(made)
        assert driver.dtype_name(total) == "float32"
        assert float(driver.numpy(total)) == 2 * float(driver.numpy(plain))


def test_a_weight_given_with_the_call_is_a_number():
    objective = ak.Objective({"gmm": ak.Node(ak.aegmm_loss, x_true="x", x_pred="x", z="z", gamma="g")})
    rng = np.random.default_rng(3)
    arrays = {"x": np.ones((4, 3)), "z": rng.normal(size=(4, 2)), "g": rng.dirichlet([1, 1], 4)}
    for wrong, error, got in ((np.ones(2), ValueError, "shape \\(2,\\)"), ("2", TypeError, "str")):
        with pytest.raises(error, match=f"^`weight` must be a number or a 0-d array, got {got}\nin node `gmm`: AEGMM"):
            objective(arrays, settings={"gmm": {"weight": wrong}})


def test_an_error_of_a_kernel_says_which_node_it_is(driver):
    objective = ak.Objective({k: ak.Node("IoULoss", targets=f"m{k}", predictions="l") for k in "ab"})
    arrays = {"l": driver.array(LOGITS), "ma": driver.array(MASK), "mb": driver.array(MASK[:1])}
    with pytest.raises(ValueError, match="shape") as caught:
        objective(arrays)
    assert caught.value.__notes__ == ["in node `b`: IoULoss, target='mb', score='l'"]
    with pytest.raises(ValueError, match="shape") as caught:
        small().init_radius({"z": driver.array(EMBEDDINGS), "c": driver.array(WEIGHTS)})
    assert caught.value.__notes__ == ["in node `svdd`: DeepSVDDSoftBoundaryLoss, embeddings='z', center='c'"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros(3), "a number or a 0-d array, got shape \\(3,\\)"),
        (None, "a number or a 0-d array, got NoneType"),
        ("x", "a number or a 0-d array, got str"),
        (True, "a number or a 0-d array, got bool"),
        (np.asarray(1j), "a number or a 0-d array of real numbers, got dtype complex128"),
        (10**5000, "a number that fits a float, got one of 16610 bits"),
    ],
    ids=["shape", "none", "text", "truth", "complex", "huge"],
)
def test_what_is_learnt_must_be_numbers(wrong, message):
    arrays = {"logits": LOGITS, "mask": MASK, "z": EMBEDDINGS, "c": CENTER}
    objective = small(uncertainty=["bce"])
    right = {"r_unconstrained": {"svdd": 0.0}, "log_variance": {"bce": 0.0}}
    expected = objective(arrays, params=objective.init(LOGITS))[0]
    assert objective(arrays, params=right)[0] == expected
    for kind, node in (("log_variance", "bce"), ("r_unconstrained", "svdd")):
        with pytest.raises(ak.ObjectiveError, match=f"`params\\['{kind}'\\]\\['{node}'\\]` must be {message}"):
            objective(arrays, params=right | {kind: {node: wrong}})


@pytest.mark.parametrize(
    "params",
    [None, {}, {"r_unconstrained": {}}, {"r_unconstrained": {"bce": 0.0}}, {"r_unconstrained": 1.0}, [1.0]],
)
def test_what_is_learnt_must_be_given(params):
    arrays = {"logits": LOGITS, "mask": MASK, "z": EMBEDDINGS, "c": CENTER}
    with pytest.raises(
        ak.ObjectiveError, match="`params` must be as `init` makes them, expected r_unconstrained of svdd"
    ):
        small()(arrays, params=params)
    assert small()(arrays, stage="inference", params=params) == (None, {})
    with pytest.raises(ak.ObjectiveError, match="expected r_unconstrained of svdd; log_variance of bce, svdd, got"):
        small(uncertainty=["svdd", "bce"])(arrays, params=params)
    with pytest.raises(ak.ObjectiveError, match="expected none, got {'log_variance'"):
        of_one()({"x": LOGITS, "y": LOGITS}, params={"log_variance": {"mse": 0.0}})


def of_one(**wired):
    return ak.Objective({"mse": ak.Node(ak.mse_reconstruction_loss, x_true="x", x_pred="y", **wired)})


CUVIS = dict.fromkeys(("target", "x_true", "y_true", "p_true"), "targets") | {
    "decision": "decisions",
    "logit": "logits",
}
CUVIS |= dict.fromkeys(("x_pred", "y_pred", "p_pred", "score"), "predictions")
NEEDED = {"quantiles": [0.5], "model": len, "k": 5, "data_range": 1.0}


def test_every_class_is_a_node_by_its_name():
    from anomaly_kernels._catalogue import ENTRIES
    from anomaly_kernels.objective._node import NODES

    assert {kernel for name, kernel in NODES.items() if name == kernel.__name__} == set(NODES.values())
    for name, kernel in NODES.items():
        parameters = inspect.signature(kernel).parameters.values()
        arrays = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
        settings = {p.name: NEEDED[p.name] for p in parameters if p.name not in arrays and p.default is p.empty}
        node = ak.Node(name, **{CUVIS.get(x, x): f"{x} of it" for x in arrays}, **settings)
        assert node.kernel is kernel
        assert node.type == (ENTRIES[kernel].cls or name)
        assert node.sources == {x: f"{x} of it" for x in arrays}
        assert node.is_loss == (ENTRIES[kernel].package == "losses")
        assert ak.Node(kernel, **{x: f"{x} of it" for x in arrays}, **settings).sources == node.sources


STUDENT = """
nodes:
  focal: {type: FocalLossWithLogits, config: {alpha: 0.5, gamma: 1.5}}
  dice: {type: DiceLoss, config: {squared: true, smooth: 1.0}}
  tversky: {type: TverskyLoss, config: {alpha: 0.3, beta: 0.7}}
  lovasz: {type: LovaszHingeLoss}
  ssim: {type: SSIMLoss, config: {data_range: 1.0, size: 3, axis: [1, 2]}}
  cosine: {type: CosineDistanceLoss, config: {axis: 1, weight: 0.5}}
  hard: {type: HardFeatureLoss, config: {quantile: 0.9}}
connections:
  - [head.logits, focal.predictions]
  - [data.mask, focal.targets]
  - [head.logits, dice.predictions]
  - [data.mask, dice.targets]
  - [head.logits, tversky.predictions]
  - [data.mask, tversky.targets]
  - [head.logits, lovasz.predictions]
  - [data.mask, lovasz.targets]
  - [data.images, ssim.x_true]
  - [decoder.images, ssim.x_pred]
  - [data.images, cosine.x_true]
  - [decoder.images, cosine.x_pred]
  - [data.images, hard.x_true]
  - [decoder.images, hard.x_pred]
"""


@pytest.mark.library("numpy", "torch")
def test_losses_of_masks_images_and_features_come_from_a_file(driver):
    objective = ak.Objective.from_yaml(STUDENT)
    images, rebuilt = RNG.random((2, 3, 4, 1)), RNG.random((2, 3, 4, 1))
    arrays = {"head.logits": LOGITS, "data.mask": MASK, "data.images": images, "decoder.images": rebuilt}
    total, terms = objective({name: driver.array(x) for name, x in arrays.items()})
    expected = {
        "focal": ak.focal_loss_with_logits(MASK, LOGITS, alpha=0.5, gamma=1.5),
        "dice": ak.dice_loss(MASK, LOGITS, squared=True, smooth=1.0),
        "tversky": ak.tversky_loss(MASK, LOGITS, alpha=0.3, beta=0.7),
        "lovasz": ak.lovasz_hinge_loss(MASK, LOGITS),
        "ssim": ak.ssim_loss(images, rebuilt, data_range=1.0, size=3, axis=(1, 2)),
        "cosine": ak.cosine_distance_loss(images, rebuilt, axis=1, weight=0.5),
        "hard": ak.hard_feature_loss(images, rebuilt, quantile=0.9),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(driver.numpy(terms[name]), value, rtol=1e-12, err_msg=name)
    assert driver.numpy(total) == pytest.approx(float(sum(np.mean(x) for x in expected.values())), rel=1e-12)
    assert ak.Objective.from_config(objective.to_config()).to_config() == objective.to_config()


@pytest.mark.library("torch")
def test_nodes_are_of_the_classes_kernels():
    from anomaly_kernels import torch as akt
    from anomaly_kernels._catalogue import CATALOGUE

    for entry in CATALOGUE:
        assert entry.cls is None or getattr(akt, entry.cls).kernel is entry.kernel


FEW_LABELS = """
nodes:
  sad: {type: DeepSADLoss, config: {eta: 2.0}}
  exposure: {type: OutlierExposureLoss, config: {outlier_weight: 0.25}}
  energy: {type: energy_bounded_loss, config: {margin_in: -3.0, margin_out: -1.0, weight: 0.1}}
  forecast: {type: GaussianNLLLoss}
connections:
  - [data.labels, sad.targets]
  - [encoder.z, sad.embeddings]
  - [tracker.center, sad.center]
  - [data.classes, exposure.targets]
  - [head.logits, exposure.logits]
  - [data.mask, energy.target]
  - [head.logits, energy.logit]
  - [data.y, forecast.targets]
  - [head.mean, forecast.mean]
  - [head.log_var, forecast.log_var]
uncertainty: [sad, energy]
"""


def test_losses_of_few_labels_outliers_and_forecasts_are_nodes_by_name(driver):
    rng = np.random.default_rng(0)
    classes = np.asarray([0, 2, -1, 1, -1])
    arrays = {
        "data.labels": np.asarray([1, 0, -1, 0, 1]),
        "encoder.z": rng.normal(size=(5, 3)),
        "tracker.center": np.zeros(3),
        "data.classes": classes,
        "data.mask": classes < 0,
        "head.logits": rng.normal(size=(5, 3)),
    } | {name: rng.normal(size=5) for name in ("data.y", "head.mean", "head.log_var")}
    objective = ak.Objective.from_yaml(FEW_LABELS.replace("uncertainty: [sad, energy]\n", ""))
    given = {name: driver.array(x) for name, x in arrays.items()}
    _, terms = objective(given)
    logit, mask = arrays["head.logits"], arrays["data.mask"]
    expected = {
        "sad": ak.deep_sad_loss(arrays["data.labels"], arrays["encoder.z"], np.zeros(3), eta=2.0),
        "exposure": ak.outlier_exposure_loss(classes, logit, outlier_weight=0.25),
        "energy": ak.energy_bounded_loss(mask, logit, margin_in=-3.0, margin_out=-1.0, weight=0.1),
        "forecast": ak.gaussian_nll(arrays["data.y"], arrays["head.mean"], arrays["head.log_var"]),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(driver.numpy(terms[name]), value, rtol=1e-12, err_msg=name)
    weighed = ak.Objective.from_yaml(FEW_LABELS)
    assert ak.Objective.from_config(weighed.to_config()).to_config() == weighed.to_config()
    with pytest.raises(ak.ObjectiveError, match="'forecast', which is GaussianNLLLoss"):  # may be negative
        ak.Objective.from_yaml(FEW_LABELS.replace("[sad, energy]", "[forecast]"))


def test_descriptions_go_round():
    objective = of_file()
    config = objective.to_config()
    again = ak.Objective.from_config(copy.deepcopy(config))
    assert again.to_config() == config
    assert repr(again) == repr(objective)
    assert config["nodes"]["iou_loss"]["config"] == {"weight": 1.0, "smooth": 1e-6, "normalize_method": "sigmoid"}
    assert config["nodes"]["orth_loss"] == {"type": "OrthogonalityLoss"}
    assert ["logit_head.logits", "iou_loss.predictions"] in config["connections"]
    assert len(config["connections"]) == FILE.count("- [") - 1
    import yaml

    assert ak.Objective.from_yaml(yaml.safe_dump(config, sort_keys=False)).to_config() == config
    weighed = small(uncertainty=["bce"])
    assert ak.Objective.from_config(weighed.to_config()).uncertainty == ("bce",)
    assert pickle.loads(pickle.dumps(weighed)).to_config() == weighed.to_config()
    quantiles = ak.Node(ak.quantile_loss, y_true="y", y_pred="p", quantiles=(0.1, 0.9))
    config = ak.Objective({"q": quantiles}).to_config()
    assert config["nodes"]["q"]["config"] == {"quantiles": [0.1, 0.9]}
    with pytest.raises(
        ak.ObjectiveError, match="^`mse.weight` must be data to be part of a description, got numpy.ndarray"
    ):
        of_one(weight=np.asarray(2.0)).to_config()
    mixed = ak.Node("AdversarialAELoss", x_true="x", x_pred="y", model=len, model_hl=[len])
    with pytest.raises(ak.ObjectiveError, match="^`a.model` must be data to be part of a description, got builtin"):
        ak.Objective({"a": mixed}).to_config()


class Text(str):
    __slots__ = ()


class Two(float, enum.Enum):
    TWO = 2.0


class Kind(enum.StrEnum):
    SIGMOID = "sigmoid"


def test_descriptions_are_plain_data():
    import yaml

    config = {
        "nodes": {
            Text("q"): {"type": Text("AdaptiveQuantileLoss"), "config": {"quantiles": np.linspace(0.25, 0.75, 3)}}
        },
        "connections": [[Text("y"), Text("q.targets")], [Text("p"), Text("q.predictions")]],
        "uncertainty": [Text("q")],
    }
    given = {
        "weight": [np.float32(2.0), np.int64(2), Fraction(2), Two.TWO],
        "axis": [np.int64(1), (np.int64(1),), 1, None],
    }
    for key, values in given.items():
        for k, value in enumerate(values):
            config["nodes"][f"{key}{k}"] = {"type": "IoULoss", "config": {key: value, "normalize_method": Kind.SIGMOID}}
            config["connections"] += [["m", f"{key}{k}.targets"], ["l", f"{key}{k}.predictions"]]
    found = ak.Objective.from_config(config).to_config()
    assert yaml.safe_load(yaml.safe_dump(found)) == found  # which represents no subclasses
    assert found["nodes"]["q"]["config"] == {"quantiles": [0.25, 0.5, 0.75]}
    assert [found["nodes"][f"weight{k}"]["config"]["weight"] for k in range(4)] == [2.0, 2, 2.0, 2.0]
    assert [found["nodes"][f"axis{k}"]["config"]["axis"] for k in range(4)] == [1, [1], 1, None]
    assert found["nodes"]["axis0"]["config"]["normalize_method"] == "sigmoid"
    assert ak.Objective.from_config(found).to_config() == found


def test_a_node_shares_nothing_that_can_change():
    for quantiles in ([0.1, 0.9], np.asarray([0.1, 0.9])):
        node = ak.Node(ak.quantile_loss, y_true="y", y_pred="p", quantiles=quantiles)
        quantiles[0] = 7.0
        for held in (node.settings, node.bound):
            held["quantiles"][0] = 7.0
            held["weight"] = 3.0
        node.ports["y_true"] = node.sources["y_true"] = "z"
        assert node.settings == {"quantiles": [0.1, 0.9]}
        assert node.bound["quantiles"] == [0.1, 0.9]
        assert (node.bound["weight"], node.sources["y_true"], node.ports["y_true"]) == (1.0, "y", "y")
        y, p = np.ones((2, 3, 1)), np.zeros((2, 3, 2, 1))
        assert node.value({"y_true": y, "y_pred": p}) == ak.quantile_loss(y, p, quantiles=[0.1, 0.9])


def test_a_file_is_read_from_where_it_is(tmp_path):
    path = tmp_path / "objective.yaml"
    path.write_text(FILE)
    assert repr(ak.Objective.from_yaml(path)) == repr(ak.Objective.from_yaml(str(path))) == repr(of_file())
    with pytest.raises(FileNotFoundError):
        ak.Objective.from_yaml("nowhere.yml")
    with pytest.raises(TypeError, match="`source` must be text or a path, got int"):
        ak.Objective.from_yaml(3)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ak.ObjectiveError, match="this is no YAML: 'utf-8' codec"):
        ak.Objective.from_yaml(path)
    for text in (f"{FILE}# as in x.yaml", f"{FILE}\r# {'x' * 5000}.yml"):
        assert repr(ak.Objective.from_yaml(text)) == repr(of_file())
    for name, message in {
        "\x00.yaml": "'\\\\x00.yaml' is no path: .*null",
        "\ud800.yaml": "'\\\\ud800.yaml' is no path: .*surrogates",
        f"{'x' * 5000}.yaml": "'xxx.*xxx.yaml' is no path: .*too long",
    }.items():
        with pytest.raises(ak.ObjectiveError, match=f"^{message}"):
            ak.Objective.from_yaml(name)


def test_yaml_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "anomaly_kernels.objective._yaml", raising=False)
    with pytest.raises(ImportError, match=r"^reading YAML needs PyYAML: pip install 'anomaly-kernels\[yaml\]'$"):
        ak.Objective.from_yaml(FILE)


def test_a_file_is_no_larger_than_it_may_be(tmp_path):
    path = tmp_path / "objective.yaml"
    start = FILE + "#" * (2 - len(FILE) % 2)
    text = start + "é" * ((1_000_000 - len(start)) // 2)
    assert len(text.encode()) == 1_000_000
    path.write_text(text, encoding="utf-8")
    assert repr(ak.Objective.from_yaml(path)) == repr(ak.Objective.from_yaml(text)) == repr(of_file())
    text += "\nuncertainty: [iou_loss]"  # what comes after the limit
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ak.ObjectiveError, match="YAML must be no larger than 1000000 bytes"):
        ak.Objective.from_yaml(path)
    with pytest.raises(ak.ObjectiveError, match="YAML must be no larger than 1000000 bytes"):
        ak.Objective.from_yaml(text)


def test_keys_are_not_compared_with_one_another(monkeypatch):
    from anomaly_kernels.objective import _yaml

    compared = []

    class Counted(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other):
            compared.append(other)
            return str.__eq__(self, other)

    monkeypatch.setattr(_yaml, "_scalar", Counted)
    n = 300
    with pytest.raises(ak.ObjectiveError, match="`config` has no key 'k0'"):
        ak.Objective.from_yaml("".join(f"k{i}: 1\n" for i in range(n)))
    assert len(compared) < 10 * n
    with pytest.raises(ak.ObjectiveError, match="'k0' is there twice, in line 301"):
        ak.Objective.from_yaml("".join(f"k{i % n}: 1\n" for i in range(n + 1)))


class Unshown:
    def __repr__(self):
        raise RuntimeError

    __len__ = __repr__


NODE = {"type": "IoULoss"}
WIRED = [["a.b", "iou.targets"], ["a.c", "iou.predictions"]]
WRONG = {
    "config": ([], "`config` must be a mapping, got \\[\\]"),
    "what cannot be shown": (Unshown(), "^`config` must be a mapping, got <Unshown instance at"),
    "what passes for a list": (type("list", (Unshown,), {})(), "^`config` must be a mapping, got (<list instance at|tests.list$)"),
    "key": ({"nodes": {}, "connektions": []}, "`config` has no key 'connektions'; did you mean `connections`"),
    "nodes": ({}, "`config` must have the key 'nodes', got \\[\\]"),
    "empty": ({"nodes": {}}, "`nodes` must be a dict of nodes by name, got {}"),
    "names": ({"nodes": {1: NODE}}, "`nodes` must have strings for keys, got 1"),
    "dots": ({"nodes": {"a.b": NODE}, "connections": [["x", "a.b.target"], ["y", "a.b.score"]]}, "without a dot"),
    "node": ({"nodes": {"iou": "IoULoss"}}, "`nodes.iou` must be a mapping, got 'IoULoss'"),
    "no type": ({"nodes": {"iou": {}}}, "`nodes.iou` must have the key 'type'"),
    "node's key": ({"nodes": {"iou": NODE | {"hparams": {}}}}, "`nodes.iou` has no key 'hparams'; there are type, config"),
    "type": ({"nodes": {"iou": {"type": "IouLoss"}}}, "node `iou`: there is no loss or metric 'IouLoss'; did you mean `IoULoss`"),
    "kind of type": ({"nodes": {"iou": {"type": 3}}}, "`nodes.iou.type` must be a name, got 3"),
    "kind of config": ({"nodes": {"iou": NODE | {"config": 3}}}, "`nodes.iou.config` must be a mapping, got 3"),
    "setting": (
        {"nodes": {"iou": NODE | {"config": {"smoth": 1.0}}}, "connections": WIRED},
        "node `iou`: IoULoss has no array or setting `smoth`; did you mean `smooth`",
    ),
    "value": (
        {"nodes": {"iou": NODE | {"config": {"smooth": -1.0}}}, "connections": WIRED},
        "node `iou`: `smooth` must be >= 0, got -1.0",
    ),
    "kind of value": (
        {"nodes": {"iou": NODE | {"config": {"smooth": "1"}}}, "connections": WIRED},
        "node `iou`: `smooth` must be a",
    ),
    "port as setting": (
        {"nodes": {"iou": NODE | {"config": {"targets": "a.b"}}}, "connections": WIRED[1:]},
        "node `iou`: `targets` is a port, to be connected, and no setting",
    ),
    "open": ({"nodes": {"iou": NODE}, "connections": WIRED[:1]}, "node `iou`: IoULoss needs `score`, which is not connected"),
    "all open": ({"nodes": {"iou": NODE}}, "IoULoss needs `score` and `target`, which is not connected"),
    "twice": ({"nodes": {"iou": NODE}, "connections": WIRED + WIRED[:1]}, "`iou.targets` is wired twice, to 'a.b' and 'a.b'"),
    "by two names": (
        {"nodes": {"iou": NODE}, "connections": [*WIRED, ["a.d", "iou.score"]]},
        "node `iou`: `score` is wired twice, to 'a.c' and 'a.d'",
    ),
    "port": (
        {"nodes": {"iou": NODE}, "connections": [*WIRED, ["a.d", "iou.target_"]]},
        "node `iou`: there is no port 'target_'; did you mean `target`",
    ),
    "target": (
        {"nodes": {"iou": NODE}, "connections": [["a.b", "iuo.targets"]]},
        "connection to 'iuo.targets': there is no node 'iuo'; did you mean `iou`",
    ),
    "output": ({"nodes": {"iou": NODE}, "connections": [*WIRED, ["iou.losses", "a.b"]]}, "there is no node 'a'"),
    "source": (
        {"nodes": {"iou": NODE, "a": {"type": "AnomalyLoss"}}, "connections": [*WIRED[1:], ["iou.loss", "a.scores"], ["m", "iou.targets"]]},
        "node `iou` is wired to 'a.c', but outputs of nodes cannot be sources",
    ),
    "cycle": (
        {"nodes": {"iou": NODE}, "connections": [["iou.loss", "iou.targets"], WIRED[1]]},
        "node `iou` is wired to 'iou.loss', but outputs of nodes cannot be sources: nodes are computed of arrays that are given",
    ),
    "slip": (
        {"nodes": {"iou": NODE, "err": {"type": "AnomalyLoss"}}, "connections": [*WIRED, ["iou.loss", "er.scores"]]},
        "connection to 'er.scores': there is no node 'er'; did you mean `err`",
    ),
    "slip with a dot": (
        {"nodes": {"iou": NODE, "err": {"type": "AnomalyLoss"}}, "connections": [*WIRED, ["iou.loss", "err.x.scores"]]},
        "connection to 'err.x.scores': there is no node 'err.x'; did you mean `err`",
    ),
    "like what is no node": (
        {"nodes": {"iou": NODE, "err": "AnomalyLoss"}, "connections": [*WIRED, ["iou.loss", "er.scores"]]},
        "`nodes.err` must be a mapping, got 'AnomalyLoss'",
    ),
    "like a node of no type": (
        {"nodes": {"iou": NODE, "err": {"type": "AnomalyLos"}}, "connections": [*WIRED, ["iou.loss", "er.scores"]]},
        "^node `err`: there is no loss or metric 'AnomalyLos'; did you mean `AnomalyLoss`",
    ),
    "like a node whose type is no name": (
        {"nodes": {"iou": NODE, "err": {"type": ["AnomalyLoss"]}}, "connections": [*WIRED, ["iou.loss", "er.scores"]]},
        "`nodes.err.type` must be a name, got \\['AnomalyLoss'\\]",
    ),
    "unprintable name": ({"nodes": {"\n\u202eé\t": {"type": 3}}}, "`nodes.\\\\n\\\\u202eé\\\\t.type` must be a name, got 3"),
    "backslash": ({"nodes": {"a\\é": {"type": 3}}}, "`nodes.a\\\\é.type` must be a name, got 3"),
    "no connections": ({"nodes": {"iou": NODE}, "connections": None, "uncertainty": None}, "which is not connected"),
    "huge type": ({"nodes": {"iou": {"type": 10**5000}}}, "`nodes.iou.type` must be a name, got an integer of 16610 bits"),
    "huge key": ({"nodes": {10**5000: NODE}}, "`nodes` must have strings for keys, got an integer of 16610 bits"),
    "huge value": (
        {"nodes": {"iou": NODE | {"config": {"axis": [10**5000]}}}, "connections": WIRED},
        "node `iou`: `axis` must be a number that fits a float, got an integer of 16610 bits",
    ),
    "huge value in a mapping": (
        {"nodes": {"iou": NODE | {"config": {"axis": {"a": 10**5000}}}}, "connections": WIRED},
        "node `iou`: `axis` must be a number that fits a float, got an integer of 16610 bits",
    ),
    "just too huge": (
        {"nodes": {"iou": NODE | {"config": {"weight": 2**1024}}}, "connections": WIRED},
        "node `iou`: `weight` must be a number that fits a float, got an integer of 1025 bits",
    ),
    "huge fraction": (
        {"nodes": {"iou": NODE | {"config": {"weight": Fraction(10**5000, 3)}}}, "connections": WIRED},
        "node `iou`: `weight` must be a number that fits a float, got one of 16609 bits",
    ),
    "list": ({"nodes": {"iou": NODE}, "connections": {"a": "b"}}, "`connections` must be a list, got {'a': 'b'}"),
    "pair": ({"nodes": {"iou": NODE}, "connections": [["a"]]}, "a connection must be two names, .*, got \\['a'\\]"),
    "strings": ({"nodes": {"iou": NODE}, "connections": [["a", 3]]}, "a connection must be two names, .*, got \\['a', 3\\]"),
    "no port": (
        {"nodes": {"iou": NODE}, "connections": [*WIRED, ["a.d", "iou"]]},
        "a connection must be two names, an array and the port of a node, got \\['a.d', 'iou'\\]",
    ),
    "no port outside": (
        {"nodes": {"iou": NODE}, "connections": [*WIRED, ["iou.loss", "iou"]]},
        "a connection must be two names, an array and the port of a node, got \\['iou.loss', 'iou'\\]",
    ),
    "no name": ({"nodes": {"iou": NODE}, "connections": [["", "iou.targets"], WIRED[1]]}, "`targets` must be the name of an array, got ''"),
    "none": (
        {"nodes": {"bce": {"type": "AnomalyBCEWithLogits", "config": {"reduction": "none"}}},
         "connections": [["a", "bce.targets"], ["b", "bce.predictions"]]},
        "node `bce`: `reduction` must be 'mean' or 'sum' in an objective, got 'none'",
    ),
    "uncertain": ({"nodes": {"iou": NODE}, "connections": WIRED, "uncertainty": ["iuo"]}, "did you mean `iou`"),
    "array of uncertain": (
        {"nodes": {"iou": NODE}, "connections": WIRED, "uncertainty": [np.zeros(2)]},
        "`uncertainty` must be names of losses, got array\\(\\[0., 0.\\]\\); there are iou",
    ),
    "kind of uncertain": ({"nodes": {"iou": NODE}, "connections": WIRED, "uncertainty": "iou"}, "`uncertainty` must be a list"),
    "negative": (
        {"nodes": {"h": {"type": "SelectorEntropyRegularizer"}}, "connections": [["w", "h.weights"]], "uncertainty": ["h"]},
        "`uncertainty` must be of losses that are not negative, got 'h', which is SelectorEntropyRegularizer, without `target_entropy`",
    ),
    "negative by what it is": (
        {"nodes": {"d": {"type": "DistinctnessLoss"}}, "connections": [["w", "d.selection_weights"]], "uncertainty": ["d"]},
        "`uncertainty` must be of losses that are not negative, got 'd', which is DistinctnessLoss$",
    ),
    "negative weight": (
        {"nodes": {"iou": NODE | {"config": {"weight": -2}}}, "connections": WIRED, "uncertainty": ["iou"]},
        "`uncertainty` must be of losses that are not negative, got 'iou', which is multiplied by `weight` = -2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_description_says_what_is_wrong(name):
    config, message = WRONG[name]
    with pytest.raises(ak.ObjectiveError, match=message):
        ak.Objective.from_config(config)


def test_outputs_may_lead_outside():
    outside = [["iou.loss", "trainer.losses"], ["iou.loss", "iou_monitor.loss"], ["iou.metrics", "iou2.loss"]]
    config = {"nodes": {"iou": NODE}, "connections": WIRED + outside}
    assert ak.Objective.from_config(config).to_config() == config | {"connections": WIRED}


def test_names_of_nodes_elsewhere_are_not_compared_with_all_of_many(monkeypatch):
    compared = []
    find = _config.nearest
    monkeypatch.setattr(_config, "nearest", lambda name, names: compared.append(len(names)) or find(name, names))
    n = 300
    nodes = {f"n{k}": {"type": "AnomalyLoss"} for k in range(n)}
    wired = [["scores", f"n{k}.scores"] for k in range(n)]
    outside = [[f"n{k}.loss", f"monitor_{k}.losses"] for k in range(n)]
    objective = ak.Objective.from_config({"nodes": nodes, "connections": wired + outside})
    assert objective.to_config()["connections"] == wired
    assert len(compared) == n
    assert sum(compared) <= 100 * n


def test_losses_whose_settings_keep_them_from_being_negative_are_weighed():
    node = ak.Node("SelectorEntropyRegularizer", weights="w", target_entropy=0.5, weight=1.0)
    total, terms = ak.Objective({"h": node}, uncertainty=["h"])({"w": WEIGHTS}, params={"log_variance": {"h": 0.0}})
    assert total == 0.5 * terms["h"] > 0
    nothing = of_one(weight=0)
    total, _ = ak.Objective(nothing.nodes, uncertainty=["mse"])(
        {"x": LOGITS, "y": LOGITS + 1}, params={"log_variance": {"mse": 0.5}}
    )
    assert total == 0.25


def nested(levels):
    value = 1.0
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [5, 21, 10_000])
def test_whatever_is_deep_is_refused_without_recurring(levels):
    value = nested(levels)
    for wrong in (value, {"nodes": value}, {"nodes": {"iou": value}}, {"nodes": {"iou": NODE}, "connections": value}):
        with pytest.raises(ak.ObjectiveError) as caught:
            ak.Objective.from_config(wrong)
        assert "[[[" in str(caught.value)
    for key in ("smooth", "axis"):
        with pytest.raises(ak.ObjectiveError, match=f"node `iou`: `{key}` must not be nested deeper than 4 levels"):
            ak.Objective.from_config({"nodes": {"iou": NODE | {"config": {key: value}}}, "connections": WIRED})


def test_settings_may_be_as_large_as_said():
    config = {"nodes": {"iou": NODE | {"config": {"weight": 2**1023}}}, "connections": WIRED}
    assert ak.Objective.from_config(config).to_config()["nodes"]["iou"]["config"] == {"weight": 2**1023}
    config["nodes"]["iou"]["config"] = {"axis": [0.5] * 10_000}
    with pytest.raises(
        ak.ObjectiveError, match="node `iou`: `axis` must be an integer or a tuple of integers, got float"
    ):
        ak.Objective.from_config(config)


def test_settings_may_be_nested_as_deep_as_said():
    with pytest.raises(
        ak.ObjectiveError, match="node `iou`: `axis` must be an integer or a tuple of integers, got list$"
    ):
        ak.Objective.from_config({"nodes": {"iou": NODE | {"config": {"axis": nested(4)}}}, "connections": WIRED})


@pytest.mark.parametrize(("levels", "times"), [(1, 10_001), (2, 150), (3, 40), (4, 40)])
def test_a_list_that_is_in_another_many_times_is_refused_before_it_is_copied(levels, times):
    value = 1
    for _ in range(levels):
        value = [value] * times
    for key in ("smooth", "axis"):
        with pytest.raises(ak.ObjectiveError, match=f"node `iou`: `{key}` must have no more than 10000 items"):
            ak.Objective.from_config({"nodes": {"iou": NODE | {"config": {key: value}}}, "connections": WIRED})


LONG = "x" * 100_000


@pytest.mark.parametrize(
    "config",
    [
        {LONG: 1},
        {"nodes": {LONG: 1}},
        {"nodes": {LONG: {"type": LONG}}},
        {
            "nodes": {LONG: NODE | {"config": {LONG: LONG}}},
            "connections": [["m", f"{LONG}.targets"], ["l", f"{LONG}.score"]],
        },
        {"nodes": {LONG: NODE}, "connections": [[LONG, f"{LONG}.targets"]] * 2},
        {"nodes": {LONG: NODE}, "connections": [[LONG, LONG]]},
        {"nodes": {LONG: NODE}, "connections": [[LONG, f"{LONG}.{LONG}"]]},
        {"nodes": {"iou": NODE | {"config": {"reduction": LONG}}}, "connections": WIRED},
        {"nodes": {"iou": NODE}, "connections": WIRED, "uncertainty": [LONG]},
        {"nodes": {f"a{k}": NODE for k in range(1000)}, "connections": [["q", "zz.y"]]},
    ],
    ids=range(10),
)
def test_messages_are_short(config):
    with pytest.raises(ak.ObjectiveError) as caught:
        ak.Objective.from_config(config)
    assert 20 < len(str(caught.value)) <= 400


WRONG_NODES = [
    (lambda: ak.Node(ak.reconstruction_error, x_true="x", x_pred="y"), "a node must be a loss or a metric of one value"),
    (lambda: ak.Node(np.ones(2)), "a node must be a loss or a metric of one value, or its name, got numpy.ndarray$"),
    (lambda: ak.Node(ak.iou_loss, target=MASK, score="s"), "^`target` must be the name of an array, got numpy.ndarray$"),
    (lambda: ak.Objective({"iou": ak.iou_loss}), "^node `iou` must be a Node, got function$"),
    (lambda: ak.Objective([1]), "`nodes` must be a dict of nodes by name, got \\[1\\]"),
    (lambda: ak.Objective({3: ak.Node(ak.iou_loss, target="t", score="s")}), "names of nodes must be strings without a dot, got 3"),
    (lambda: small(uncertainty="bce"), "`uncertainty` must be names of losses, got 'bce'"),
    (lambda: small()({}, stage="training"), "there is no stage 'training'; did you mean `train`"),
    (lambda: small()({}, stage="INFER"), "there is no stage 'INFER'; did you mean `inference`"),
    (lambda: small()({}, stage=["train"]), "there is no stage \\['train'\\]; there are train, val, test, inference$"),
    (lambda: of_one()({3: LOGITS, "x": LOGITS}), "node `mse` needs 'y' as `x_pred`; there are x$"),
    (lambda: of_one()({3: LOGITS}), "node `mse` needs 'x' as `x_true`; there are none"),
    (lambda: ak.Objective({"b": ak.Node("AnomalyLoss", scores="b.loss")}), "outputs of nodes cannot be sources"),
    (lambda: ak.Objective({"b": ak.Node("AnomalyLoss", scores="b.more.loss")}), "node `b` is wired to 'b.more.loss', but outputs of nodes"),
    (lambda: of_one()({"x": LOGITS, "y": LOGITS}, settings=[3]), "^`settings` must be dicts of settings by node, got \\[3\\]$"),
    (
        lambda: ak.Objective({"b": ak.Node("AnomalyLoss", scores="q", weight=np.asarray(-1.0))}, uncertainty=["b"]),
        "must be of losses that are not negative, got 'b', which is multiplied by `weight` = array\\(-1",
    ),
    (
        lambda: ak.Objective(
            {"b": ak.Node("MultiObjectiveLoss", targets="y", predictions="p", quantiles=[0.5], anomaly_weight=-1)}, uncertainty=["b"]
        ),
        "which is multiplied by `anomaly_weight` = -1",
    ),
    (
        lambda: ak.Objective(
            {"b": ak.Node("AdversarialAELoss", x_true="x", x_pred="y", model=len, model_hl=[len, len], w_model_hl=np.asarray([1, -2]))}, uncertainty=["b"]
        ),
        "which is multiplied by `w_model_hl` = array\\(\\[ 1, -2\\]",
    ),
    (
        lambda: ak.Objective(
            {"b": ak.Node("AdversarialAELoss", x_true="x", x_pred="y", model=len, model_hl=(len,), w_model_hl=(np.asarray(-2.0),))}, uncertainty=["b"]
        ),
        "which is multiplied by `w_model_hl` = \\(array\\(-2",
    ),
    (lambda: small()([LOGITS]), "`inputs` must be a dict of arrays by name, got"),
    (lambda: of_one()({"x": LOGITS}), "node `mse` needs 'y' as `x_pred`; there are x"),
    (lambda: of_one()({"xs": LOGITS, "y": LOGITS}), "node `mse` needs 'x' as `x_true`; did you mean `xs`"),
    (
        lambda: ak.Objective({"iou": ak.Node(ak.iou_loss, target="t", score="s", axis=(1, 2, 3))})({"t": MASK, "s": LOGITS}),
        "node `iou` must have one value, got shape \\(2,\\)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "message"), WRONG_NODES)
def test_what_is_wrong_in_python_says_so_too(wrong, message):
    with pytest.raises(ak.ObjectiveError, match=message):
        wrong()


def test_objectives_say_whose_weights_are_learnt():
    of_two = small(uncertainty=["bce"])
    nodes = (
        "\n  bce: Node('AnomalyBCEWithLogits', target='mask', logit='logits')"
        "\n  svdd: Node('DeepSVDDSoftBoundaryLoss', embeddings='z', center='c', nu=0.1, weight=0.5)\n"
    )
    assert repr(of_two) == f"Objective({nodes}), weighed by uncertainty: bce"
    assert repr(small()) == f"Objective({nodes})"
    assert repr(small(uncertainty=["svdd", "bce"])).endswith(", weighed by uncertainty: bce, svdd")
    with pytest.raises(
        ak.ObjectiveError, match=r"^`uncertainty` is that of the objective given, got \['svdd'\] besides$"
    ):
        as_objective(of_two, ["svdd"])
    assert as_objective(of_two.nodes, ["bce"]).uncertainty == ("bce",)
    with pytest.raises(
        ak.ObjectiveError, match="^`uncertainty` must be names of losses, got 'bcee'; did you mean `bce`"
    ):
        small(uncertainty=["bcee"])
    arrays = {"mask": MASK, "logits": LOGITS, "z": LOGITS, "c": LOGITS[0, :]}
    with pytest.raises(ak.ObjectiveError, match="expected r_unconstrained of svdd; log_variance of bce, got None$"):
        of_two(arrays)


def deep(levels):
    return "nodes: " + "[" * levels + "]" * levels


BAD = {
    "bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nnodes: [*b, *b]", "anchors and aliases are not read, got one in line 1"),
    "alias": ("nodes: *a", "anchors and aliases are not read"),
    "code": ("nodes: !!python/object/apply:os.system ['echo']", "tags are not read, got 'tag:yaml.org,2002:python/"),
    "tag": ("a: 1\nnodes: !!set {a, b}", "tags are not read, got 'tag:yaml.org,2002:set' in line 2"),
    "as deep as may be": (deep(19), "`nodes` must be a mapping, got \\[\\[\\["),  # which the reader lets pass
    "deep": (deep(20), "a file must be no deeper than 20 levels"),
    "very deep": (deep(100_000), "a file must be no deeper than 20 levels"),
    "large": ("#" * 1_000_001, "YAML must be no larger than 1000000 bytes"),
    "twice": ("nodes: {a: {type: IoULoss}, a: {type: IoULoss}}", "'a' is there twice, in line 1"),
    "key": ("nodes: {1: {}}", "keys must be strings, got 1 in line 1"),
    "list as key": ("nodes: {[a]: {}}", "keys must be strings, got \\['a'\\] in line 1"),
    "syntax": ("nodes: [", "this is no YAML: while parsing"),
    "number": ("nodes: " + "9" * 5000, "this is no YAML: Exceeds the limit"),
    "date": ("nodes: 2001-99-99", "`nodes` must be a mapping, got '2001-99-99'"),
    "two": ("nodes: {}\n---\nnodes: {}", "this is no YAML: expected a single document"),
    "empty": ("", "`config` must be a mapping, got None"),
    "text": ("nodes", "`config` must be a mapping, got 'nodes'"),
    "null": ("nodes: \x00", "this is no YAML: unacceptable character"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused(name):
    text, message = BAD[name]
    with pytest.raises(ak.ObjectiveError, match=message):
        ak.Objective.from_yaml(text)


def test_scalars_of_a_file_are_those_of_yaml_1_2():
    numbers = {"1e-6": 1e-6, "1E3": 1000.0, "+.5e+1": 5.0, "1.e2": 100.0, "2.5": 2.5, "3": 3}
    for text, value in (numbers | {"010": 10, "0x10": 16, "0o10": 8, "+1": 1, ".inf": np.inf, "1.": 1.0}).items():
        objective = ak.Objective.from_yaml(FILE.replace("smooth: 1e-6", f"smooth: {text}"))
        found = objective.to_config()["nodes"]["iou_loss"]["config"]["smooth"]
        assert (found, type(found)) == (value, type(value))
    for text in ("1:30", "1_0", "0b1", "yes", "on", "2001-01-01", "1e", "0x", "=", "<<"):
        with pytest.raises(ak.ObjectiveError, match="node `iou_loss`: `smooth` must be a number .*, got str"):
            ak.Objective.from_yaml(FILE.replace("smooth: 1e-6", f"smooth: {text}"))
    for text in ("", "~", "null"):
        with pytest.raises(ak.ObjectiveError, match="node `iou_loss`: `smooth` must be a number .*, got NoneType"):
            ak.Objective.from_yaml(FILE.replace("smooth: 1e-6", f"smooth: {text}"))
    assert "on" in ak.Objective.from_yaml(FILE.replace("orth_loss", "on")).nodes  # in 1.1 it is true
    ak.Objective.from_yaml("nodes: {a: {type: AnomalyLoss, config: }}\nconnections: [[x, a.scores]]\nuncertainty:")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NAMES = st.sampled_from(
    ["nodes", "connections", "uncertainty", "type", "config", "iou", "iou.targets", "iou.score", "a.b", "IoULoss",
     "AnomalyBCEWithLogits", "DeepSVDDSoftBoundaryLoss", "roc_auc", "weight", "smooth", "nu", "reduction", "none",
     "name", "class_name", "hparams", "execution_stages", "train", "a.outputs.b", "iou.inputs.score", "source", "target"]
)  # fmt: skip


def configs(scalars, keys):
    values = st.recursive(
        scalars | NAMES,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=12,
    )
    nodes = st.fixed_dictionaries({"type": NAMES}, optional={"config": st.dictionaries(NAMES, values, max_size=3)})
    of_pipeline = st.fixed_dictionaries(
        {"name": NAMES | keys, "class_name": NAMES.map("some.path.{}".format) | values},
        optional={"hparams": st.dictionaries(NAMES, values, max_size=3) | values},
    )
    wires = st.fixed_dictionaries({"source": NAMES | values, "target": NAMES | values})
    return values | st.fixed_dictionaries(
        {"nodes": st.dictionaries(NAMES, nodes | values, max_size=3) | st.lists(of_pipeline | values, max_size=3)},
        optional={
            "connections": st.lists(st.lists(NAMES, min_size=2, max_size=2) | wires | values, max_size=4) | values,
            "outside": values,
            "uncertainty": values,
        },
    )


ODD = ["0x" + "f" * 5000, "9" * 5000, "1" + ":00" * 500, "1:30", "010", "1_0", "2001-99-99", "<<", "=", "~",
       "n" * 20_000, "'" + "n" * 20_000 + "'", deep(18), deep(19), deep(200), "{" * 500, "? " * 300]  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(20))
def test_bad_files_by_the_hundred_raise_the_documented_error_or_none(seed):
    import yaml

    rng = np.random.default_rng(seed)

    @given(configs(SCALARS, NAMES | st.text(max_size=3)))
    def check(config):
        text = yaml.safe_dump(config, allow_unicode=True)
        broken = list(text)
        for _ in range(rng.integers(0, 4)):
            broken[rng.integers(len(broken))] = str(rng.choice(list("[]{}:,-#&*!|>'\"%@` \n\t0a.")))
        odd = str(rng.choice(ODD))
        sources = [text, "".join(broken), FILE.replace("1e-6", text.strip()), FILE[: rng.integers(len(FILE))]]
        for old in (str(rng.choice(["iou", "IoULoss", "nodes", "weight"])), "bce_loss", "1e-6", "sigmoid"):
            sources += [text.replace(old, odd), FILE.replace(old, odd, rng.integers(1, 4))]
        for source in sources:
            try:
                repr(ak.Objective.from_yaml(source + "\n"))
            except ak.ObjectiveError as error:
                assert 0 < len(str(error)) <= 500  # noqa: PT017  # any other one would fail the test

    check()


STRANGE = {"large": 10**400, "huge": -(10**5000), "number": np.float32(2.0), "array": np.ones(2), "set": {1},
           "fraction": Fraction(1, 3), "bytes": b"x", "deep": nested(10_000)}  # fmt: skip
STRANGERS = st.sampled_from(list(STRANGE)).map(
    lambda name: STRANGE[name]
)  # whose reprs fail where they are huge or deep
KEYS = NAMES | st.integers() | st.sampled_from(["large", "huge", "bytes"]).map(lambda name: STRANGE[name])


@given(configs(SCALARS | STRANGERS, KEYS))
@settings(max_examples=200)
def test_bad_descriptions_raise_the_documented_error_or_none(config):
    try:
        repr(ak.Objective.from_config(config))
    except ak.ObjectiveError as error:
        assert 0 < len(str(error)) <= 500  # noqa: PT017  # any other one would fail the test


PIPELINE = """
metadata:
  name: example
  tags: [gradient]
plugins: [builtin]
nodes:
- {name: data, class_name: cuvis_ai.node.data.SomeDataNode, hparams: {normal_class_ids: [0, 1], name: null}}
- {name: projection, class_name: cuvis_ai.node.anomaly.deep_svdd.DeepSVDDProjection, hparams: {gamma: null}}
- {name: tracker, class_name: cuvis_ai.node.anomaly.deep_svdd.DeepSVDDCenterTracker}
- name: sphere
  class_name: cuvis_ai.node.losses.DeepSVDDSoftBoundaryLoss
  hparams: {nu: 0.1, weight: 2.0, name: null, execution_stages: null}
- name: bce
  class_name: cuvis_ai.node.losses.AnomalyBCEWithLogits
  hparams: {pos_weight: null, execution_stages: [train, val]}
- {name: contrast, class_name: cuvis_ai.node.losses.ForegroundContrastLoss, hparams: {compactness_weight: 0.1}}
- {name: judge, class_name: cuvis_ai.node.metrics.AnomalyDetectionMetrics, hparams: {ap_thresholds: 200}}
- {name: decider, class_name: cuvis_ai.deciders.binary_decider.QuantileBinaryDecider, hparams: null}
- {name: monitor, class_name: cuvis_ai.node.monitor.TensorBoardMonitorNode}
connections:
- {source: data.outputs.cube, target: projection.inputs.data}
- {source: projection.outputs.embeddings, target: tracker.inputs.embeddings}
- {source: projection.outputs.embeddings, target: sphere.inputs.embeddings}
- {source: tracker.outputs.center, target: sphere.inputs.center}
- {source: projection.outputs.logits, target: bce.inputs.predictions}
- {source: data.outputs.mask, target: bce.inputs.targets}
- {source: data.outputs.mask, target: contrast.inputs.mask}
- {source: decider.outputs.decisions, target: judge.inputs.decisions}
- {source: data.outputs.mask, target: judge.inputs.targets}
- {source: judge.outputs.metrics, target: monitor.inputs.metrics}
- {source: sphere.outputs.loss, target: monitor.inputs.losses}
"""
OUTSIDE = ("data", "projection", "tracker", "contrast", "decider", "monitor")
SHARED = Path(__file__).parents[2] / "shared" / "cuvis"


def test_a_pipeline_of_cuvis_is_read_whole(driver):
    objective = ak.Objective.from_yaml(PIPELINE)
    assert list(objective.nodes) == ["sphere", "bce", "judge"]
    assert objective.outside == OUTSIDE
    assert objective.nodes["sphere"].sources == {"embeddings": "projection.embeddings", "center": "tracker.center"}
    assert objective.nodes["judge"].settings == {}
    arrays = {"projection.embeddings": EMBEDDINGS, "tracker.center": CENTER, "projection.logits": LOGITS}
    arrays |= {"data.mask": MASK, "decider.decisions": DECISIONS}
    arrays = {name: driver.array(x) for name, x in arrays.items()}
    params = objective.init(arrays["tracker.center"])
    total, _ = objective(arrays, params=params)
    radius = ak.svdd_radius(np.asarray(0.0))
    sphere = ak.deep_svdd_soft_boundary_loss(EMBEDDINGS, CENTER, radius, nu=0.1, weight=2.0)
    expected = sphere + ak.anomaly_bce_with_logits(MASK, LOGITS)
    np.testing.assert_allclose(driver.numpy(total), expected, rtol=1e-12)
    assert [list(objective(arrays, params=params, stage=stage)[1]) for stage in ("val", "test", "inference")] == [
        ["sphere", "bce", "judge"],
        ["sphere", "judge"],
        [],
    ]


def test_a_pipeline_is_written_as_the_objective_that_it_is():
    objective = ak.Objective.from_yaml(PIPELINE)
    config = objective.to_config()
    assert config["nodes"]["bce"] == {
        "type": "AnomalyBCEWithLogits",
        "config": {"pos_weight": None, "execution_stages": ["train", "val"]},
    }
    assert ["tracker.center", "sphere.center"] in config["connections"]
    again = ak.Objective.from_config(config)
    assert again.to_config() == config
    assert repr(again) == repr(objective)
    assert again.outside == OUTSIDE


@pytest.mark.parametrize(
    "words", [("class_name", "class"), ("hparams", "params"), ("source", "from"), ("target", "to")]
)
def test_a_pipeline_of_an_earlier_cuvis_has_other_words(words):
    old, new = words
    expected = ak.Objective.from_yaml(PIPELINE).to_config()
    assert ak.Objective.from_yaml(PIPELINE.replace(f"{old}:", f"{new}:")).to_config() == expected


@pytest.mark.skipif(not SHARED.exists(), reason="the shared files are not here")
@pytest.mark.parametrize(("name", "nodes"), [("pipeline", ["sphere", "judge"]), ("short", ["bce", "spread"])])
def test_shared_files_of_cuvis_are_read(name, nodes):
    objective = ak.Objective.from_yaml(SHARED / f"{name}.yaml")
    assert list(objective.nodes) == nodes
    assert set(objective.outside).isdisjoint(nodes)


def test_types_are_known_by_their_last_part():
    config = {"nodes": {"iou": {"type": "some.where.IoULoss"}, "net": {"type": "other.Net"}}}
    objective = ak.Objective.from_config(config | {"connections": [*WIRED, ["a.outputs.b", "net.inputs.x"]]})
    assert (objective.nodes["iou"].type, objective.outside) == ("IoULoss", ("net",))
    mse = {"name": "mse", "class_name": "cuvis_ai.node.losses.MSEReconstructionLoss"}
    wires = [["x", "mse.target"], ["y", "mse.reconstruction"]]
    objective = ak.Objective.from_config({"nodes": [mse], "connections": wires})
    assert objective.nodes["mse"].sources == {"x_true": "x", "x_pred": "y"}


def test_names_that_look_like_those_of_a_pipeline_go_round():
    for source in ("a.outputs.b", "a.outputs.outputs.b", "a.b.outputs.c", "outputs.b", "a.outputs.", "a.outputs"):
        objective = ak.Objective({"loss": ak.Node("AnomalyLoss", scores=source)})
        again = ak.Objective.from_config(objective.to_config())
        assert again.nodes["loss"].sources == {"scores": source}


LOSS = {"name": "iou", "class_name": "x.IoULoss"}
WRONG_PIPELINES = {
    "no name": ([{"class_name": "x.IoULoss"}], "`nodes\\[0\\]` must have the key 'name'"),
    "no type": ([LOSS, {"name": "a"}], "`nodes\\[1\\]` must have one key 'class_name', got \\['name'\\]"),
    "two types": ([LOSS | {"type": "b"}], "`nodes\\[0\\]` must have one key 'class_name'"),
    "kind of name": ([LOSS | {"name": 3}], "`nodes\\[0\\].name` must be a name, got 3"),
    "kind of type": ([LOSS | {"class_name": None}], "`nodes\\[0\\].class_name` must be a name, got None"),
    "twice": ([LOSS, LOSS], "`nodes\\[1\\].name` is there twice, 'iou'"),
    "kind of node": ([LOSS, "iou"], "`nodes\\[1\\]` must be a mapping, got 'iou'"),
    "key": ([LOSS | {"hparam": {}}], "`nodes\\[0\\]` has no key 'hparam'; did you mean `hparams`"),
    "settings": ([LOSS | {"hparams": [1]}], "`nodes.iou.config` must be a mapping, got \\[1\\]"),
    "case": (
        [{"name": "a", "class_name": "x.IouLoss"}],
        "node `a`: there is no loss .* 'x.IouLoss'; did you mean `IoULoss`",
    ),
    "stage": (
        [LOSS | {"hparams": {"execution_stages": ["trains"]}}],
        "node `iou`: `execution_stages`: there is no 'trains'; did you mean `train`",
    ),
    "stages": (
        [LOSS | {"hparams": {"execution_stages": 3}}],
        "node `iou`: `execution_stages` must be a list of stages, at least one, got 3",
    ),
    "dot": ([LOSS | {"name": "a.b"}, LOSS], "names of nodes must be strings without a dot, got 'a.b'"),
    "none of ours": ([{"name": "a", "class_name": "x.Net"}], "`nodes` must have a loss or a metric, got \\['a'\\]"),
}


@pytest.mark.parametrize("name", WRONG_PIPELINES)
def test_a_wrong_pipeline_says_what_is_wrong(name):
    nodes, message = WRONG_PIPELINES[name]
    wires = [["m", "a.b.targets"], ["l", "a.b.score"], *WIRED] if name == "dot" else WIRED
    if name == "none of ours":
        wires = []
    with pytest.raises(ak.ObjectiveError, match=message):
        ak.Objective.from_config({"nodes": nodes, "connections": wires})


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        ({"source": "a.b"}, "`connections\\[2\\]` must have one key 'target', got \\['source'\\]"),
        ({"source": "a.b", "target": "iou.x", "more": 1}, "`connections\\[2\\]` has no key 'more'"),
        ({"source": "a.b", "from": "a.b", "to": "iou.x"}, "`connections\\[2\\]` must have one key 'source'"),
        ({"source": 3, "target": "iou.x"}, "a connection must be two names"),
        ({"source": "iou.outputs.loss", "target": "iuo.inputs.targets"}, "there is no node 'iuo'; did you mean `iou`"),
        (
            {"source": "a.outputs.b", "target": "iou.inputs.targetz"},
            "there is no port 'targetz'; did you mean `target`",
        ),
    ],
)
def test_a_wrong_wire_of_a_pipeline_says_what_is_wrong(wire, message):
    with pytest.raises(ak.ObjectiveError, match=message):
        ak.Objective.from_config({"nodes": [LOSS], "connections": [*WIRED, wire]})


def test_stages_of_a_node_are_narrowed_and_never_widened():
    wired = {"target": "t", "score": "s"}
    assert ak.Node(ak.iou_loss, **wired, execution_stages=["val", "inference"]).stages == ("val",)
    assert ak.Node(ak.iou_loss, **wired, execution_stages="test").stages == ("test",)
    assert ak.Node(ak.iou_loss, **wired, execution_stages=["always"]).stages == ("train", "val", "test")
    assert ak.Node(ak.roc_auc, **wired, execution_stages=["train"]).stages == ()


def many(line, n):
    return "nodes: {iou: {type: IoULoss}}\nconnections:\n- [a, iou.targets]\n- [b, iou.score]\n" + "".join(
        line.format(k) for k in range(n)
    )


LARGE = {
    "wires": many("- [a{0}.x, b{0}.y]\n", 30_000),
    "monitors": many("- [iou.loss, monitor_{0}.losses]\n", 16_000),
    "almost nodes": "nodes:\n"
    + "".join(f"  node_{k}: {{type: AnomalyLoss}}\n" for k in range(4000))
    + "connections:\n"
    + "".join(f"- [x, node_{k}.scores]\n- [node_{k}.loss, node_{k}x.scores_]\n" for k in range(4000)),
    "dense": "nodes: [" + "[]," * 300_000 + "]",
    "lines": "\n" * 999_990,
    "long": "nodes: '" + "n" * 900_000 + "'",
    "brackets": "[" * 900_000,
    "keys": "".join(f"k{k}: 1\n" for k in range(80_000)),
    "hparams": "nodes:\n- name: a\n  class_name: x.Y\n  hparams:\n" + "".join(f"    k{k}: 1\n" for k in range(70_000)),
}


@pytest.mark.no_cover  # to see which lines run takes more time than they do
@pytest.mark.parametrize("name", LARGE)
def test_a_large_file_takes_a_second_at_most(name):
    start = time.process_time()
    try:
        ak.Objective.from_yaml(LARGE[name])
    except ak.ObjectiveError as error:
        assert 0 < len(str(error)) <= 500  # noqa: PT017
    assert time.process_time() - start < 1.5


def test_pipes_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(OSError, match="it is no regular file"):
        ak.Objective.from_yaml(tmp_path / "pipe.yaml")
    with pytest.raises(IsADirectoryError):
        ak.Objective.from_yaml(tmp_path)
