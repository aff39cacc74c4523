"""torch and JAX compile a metric once: neither another size nor another setting makes them do it again."""

from __future__ import annotations

import numpy as np
import pytest

import anomaly_kernels as ak
from anomaly_kernels.metrics import counts
from anomaly_kernels.metrics.ranking import areas, decisions

SIZES = range(5, 22)
RANKINGS = {
    "average_precision": {},
    "aupr_trapezoid": {},
    "roc_auc": {},
    "roc_auc up to a rate": {"max_fpr": 0.3},
    "best_f1": {},
    "fpr_at_tpr": {},
    "precision_at_k": {"k": 3},
}
MODEL = {"model": lambda x: x / x.sum(-1, keepdims=True)}
LOSSES = {
    "mean_squared_anomaly": ("scores", {}),
    "mse_reconstruction_loss": ("x_true x_pred", {}),
    "reconstruction_error": ("x_true x_pred", {}),
    "prediction_error_score": ("series series", {}),
    "elbo": ("y_true y_pred", {"sim": 0.5}),
    "gaussian_kl": ("mean log_var", {}),
    "kl_divergence": ("p q", {}),
    "aegmm_loss": ("x_true x_pred z p", {"eps": 0.1}),
    "vaegmm_loss": ("x_true x_pred z p", {"eps": 0.1}),
    "distillation_loss": ("p q", MODEL | {"temperature": 2.0}),
    "adversarial_ae_loss": ("p q", MODEL | {"w_recon": 0.5}),
    "deep_svdd_loss": ("embeddings center", {}),
    "deep_svdd_soft_boundary_loss": ("embeddings center radius", {}),
    "svdd_score": ("embeddings center", {}),
    "anomaly_bce_with_logits": ("target logit", {"pos_weight": 2.0}),
    "iou_loss": ("target score", {}),
    "iou_loss of each": ("target score", {"axis": 1}),
    "iou_loss of extremes": ("target score", {"normalize_method": "minmax"}),
    "orthogonality_loss": ("components", {}),
    "distinctness_loss": ("selection_weights", {}),
    "selector_entropy_regularizer": ("p", {}),
    "selector_diversity_regularizer": ("p", {}),
    "quantile_loss": ("steps forecasts", {"quantiles": [0.1, 0.9]}),
    "multi_objective_loss": ("steps forecasts scores", {"quantiles": [0.1, 0.9]}),
}
SHAPES = {"series": (4, 2), "center": None, "radius": None, "steps": (4, 1), "forecasts": (4, 2, 1), "target": (4,)}
WEIGHTS = [
    ("mse_reconstruction_loss", "weight"),
    ("anomaly_bce_with_logits", "pos_weight"),
    ("iou_loss", "smooth"),
    ("kl_divergence", "weight"),
    ("elbo", "sim"),
    ("deep_svdd_soft_boundary_loss", "weight"),
    ("distillation_loss", "temperature"),
    ("adversarial_ae_loss", "w_recon"),
    ("aegmm_loss", "w_energy"),
    ("selector_entropy_regularizer", "target_entropy"),
    ("distinctness_loss", "weight"),
]
SETTINGS = [
    ("roc_auc", "max_fpr", (0.1, 0.25, 0.5, 1.0)),
    ("fpr_at_tpr", "tpr", (0.1, 0.5, 0.95, 1.0)),
    ("precision_at_k", "k", (3, 4, 5, 7)),
    ("anomaly_detection_metrics", "zero_division", (0.5, 0.25, 0.75, 0.125)),
]


def ranked(name, *arrays, **settings):
    """A metric of targets and scores, and weights if there are any."""
    target, score, *weights = arrays
    settings = RANKINGS[name] | settings | ({"sample_weight": weights[0]} if weights else {})
    return getattr(ak, name.split()[0])(target, score, **settings)


def described(target, score):
    """All that is not a ranking."""
    return (
        *ak.anomaly_detection_metrics(target, score > 0, score),
        *ak.anomaly_pixel_statistics(target),
        *ak.score_statistics(score),
        *ak.selector_diversity(score),
        ak.selector_entropy(score * score),
    )


def arrays(driver, shape, *, weighted=False):
    rng = np.random.default_rng(shape)
    found = (rng.random(shape) < 0.4, rng.integers(0, 9, shape).astype(float), rng.random(shape))
    return [driver.array(x) for x in found[: 2 + weighted]]


def same(driver, found, expected):
    found, expected = (x if isinstance(x, tuple) else (x,) for x in (found, expected))
    for a, b in zip(found, expected, strict=True):
        assert tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(driver.numpy(a), driver.numpy(b), rtol=1e-12)


class Compiled:
    """A function compiled by torch, which counts how often, and is the same as before."""

    def __init__(self, driver, function, **options):
        import torch
        from torch._dynamo.testing import CompileCounter

        torch._dynamo.reset()
        self.driver, self.function, self.counter = driver, function, CompileCounter()
        self.compiled = torch.compile(function, fullgraph=True, backend=self.counter, **options)

    def __call__(self, *given, **settings):
        same(self.driver, self.compiled(*given, **settings), self.function(*given, **settings))


def loss(name, *arrays, **settings):
    return getattr(ak, name.split()[0])(*arrays, **LOSSES[name][1] | settings)


def inputs_of(driver, name, batch):
    """What a loss takes, and whether each has a batch in front."""
    rng, names = np.random.default_rng(batch), LOSSES[name][0].split()
    found = []
    for each in names:
        shape = SHAPES.get(each, (4,))
        x = rng.random((4,) if each == "center" else () if shape is None else (batch, *shape)) + 0.1
        found.append(driver.array(x > 0.5 if each == "target" else x))
    return found, [SHAPES.get(each, ()) is not None for each in names]


@pytest.mark.library("torch")
@pytest.mark.parametrize("name", LOSSES)
def test_torch_compiles_a_loss_once_for_all_sizes(name, driver):
    compiled = Compiled(driver, lambda *given: loss(name, *given), dynamic=True)
    for n in SIZES:
        compiled(*inputs_of(driver, name, n)[0])
    assert compiled.counter.frame_count == 1


@pytest.mark.library("torch")
@pytest.mark.parametrize(("name", "setting"), WEIGHTS)
def test_torch_compiles_a_loss_at_most_twice_for_all_values_of_a_setting(name, setting, driver):
    given = inputs_of(driver, name, 6)[0]
    compiled = Compiled(driver, lambda value: loss(name, *given, **{setting: value}))
    for value in (1.5, 2.5, 3.5, 4.5, 7.25):
        compiled(value)
    assert compiled.counter.frame_count <= 2


@pytest.mark.library("torch")
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_that_torch_exports_takes_any_batch(name, driver):
    import torch

    class Loss(torch.nn.Module):
        def forward(self, *given):
            return loss(name, *given)

    given, batched = inputs_of(driver, name, 12)
    batch = torch.export.Dim("batch", min=2, max=4096)
    shapes = tuple({0: batch} if b else None for b in batched)
    exported = torch.export.export(Loss(), tuple(given), dynamic_shapes=(shapes,))
    other = inputs_of(driver, name, 7)[0]
    same(driver, exported.module()(*other), loss(name, *other))


@pytest.mark.library("jax")
@pytest.mark.parametrize(("name", "setting"), WEIGHTS)
def test_jax_traces_a_loss_once_for_all_values_of_a_setting(name, setting, driver):
    from jax._src.test_util import count_jit_tracing_cache_miss

    import anomaly_kernels.jax as akj

    given = inputs_of(driver, name, 6)[0]
    settings = {key: x for key, x in LOSSES[name][1].items() if key != setting}
    getattr(akj, name)(*given, **settings, **{setting: 1.5})
    with count_jit_tracing_cache_miss() as misses:
        for value in (2.5, 3.5, 1.0, 4.5):
            getattr(akj, name)(*given, **settings, **{setting: value})
    assert misses() == 0


@pytest.mark.library("torch")
@pytest.mark.parametrize(("axis", "weighted"), [(None, True), (-1, False)])  # each of the four is compiled once
@pytest.mark.parametrize("name", RANKINGS)
def test_torch_compiles_a_ranking_once_for_all_sizes(name, axis, weighted, driver):
    compiled = Compiled(driver, lambda *given: ranked(name, *given, axis=axis), dynamic=True)
    for n in SIZES:
        compiled(*arrays(driver, (n,) if axis is None else (n // 2, n), weighted=weighted))
    assert compiled.counter.frame_count == 1


@pytest.mark.library("torch")
def test_torch_compiles_other_metrics_once_for_all_sizes(driver):
    compiled = Compiled(driver, described, dynamic=True)
    for n in SIZES:
        compiled(*arrays(driver, n))
    assert compiled.counter.frame_count == 1


@pytest.mark.library("torch")
def test_torch_learns_that_sizes_differ_from_the_second_one(driver):
    compiled = Compiled(driver, ak.average_precision)
    for n in SIZES:
        compiled(*arrays(driver, n))
    assert compiled.counter.frame_count == 2


@pytest.mark.library("torch")
@pytest.mark.filterwarnings("ignore:.*script_method.*:DeprecationWarning")  # torch's own, where it loads the inductor
def test_machine_code_of_every_size_gives_what_is_evaluated_eagerly(driver):
    import torch

    def function(target, score):
        return ak.average_precision(target, score), ak.score_statistics(score).q75

    torch._dynamo.reset()
    compiled = torch.compile(function, fullgraph=True, dynamic=True)
    for n in (5, 14, 300):
        given = arrays(driver, n)
        same(driver, compiled(*given), function(*given))


@pytest.mark.library("torch")
@pytest.mark.parametrize(("name", "setting", "values"), SETTINGS)
def test_torch_compiles_once_for_all_settings(name, setting, values, driver):
    def function(target, score, **settings):
        given = (target, score > 5, score) if name == "anomaly_detection_metrics" else (target, score)
        return getattr(ak, name)(*given, **settings)

    for options, most in (({"dynamic": True}, 1), ({}, 2)):
        compiled = Compiled(driver, function, **options)
        for value in values:
            compiled(*arrays(driver, 12), **{setting: value})
        assert compiled.counter.frame_count <= most


@pytest.mark.library("jax")
@pytest.mark.parametrize(("name", "setting", "values"), [each for each in SETTINGS if each[1] != "k"])
def test_jax_traces_once_for_all_settings(name, setting, values, driver, monkeypatch):
    import jax

    import anomaly_kernels.jax as akj

    jax.clear_caches()
    module, inner = {
        "roc_auc": (areas, "evaluate"),
        "fpr_at_tpr": (decisions, "evaluate"),
        "anomaly_detection_metrics": (counts, "detection_metrics"),
    }[name]
    traced, called = [], getattr(module, inner)
    monkeypatch.setattr(module, inner, lambda *given, **shares: traced.append(given) or called(*given, **shares))
    target, score = arrays(driver, 12)
    given = (target, score > 5, score) if name == "anomaly_detection_metrics" else (target, score)
    expected = [getattr(ak, name)(*given, **{setting: value}) for value in values]
    traced.clear()
    for value, each in zip(values, expected, strict=True):
        same(driver, getattr(akj, name)(*given, **{setting: value}), each)
    assert len(traced) == 1


@pytest.mark.library("torch")
@pytest.mark.parametrize(("name", "strict"), [*((name, False) for name in (*RANKINGS, "rest")), ("rest", True)])
def test_what_torch_exports_takes_any_batch(name, strict, driver):
    import torch

    class Metric(torch.nn.Module):
        def forward(self, *given):
            return described(*given) if name == "rest" else ranked(name, *given)

    weighted = name in ("best_f1", "fpr_at_tpr")
    example = arrays(driver, 7, weighted=weighted)
    sizes = (tuple({0: torch.export.Dim("batch", min=2, max=4096)} for _ in example),)
    exported = torch.export.export(Metric(), tuple(example), dynamic_shapes=sizes, strict=strict).module()
    for n in (2, 7, 100):
        given = arrays(driver, n, weighted=weighted)
        same(driver, exported(*given), Metric()(*given))


@pytest.mark.library("torch")
def test_a_batch_as_large_as_the_embedding_is_wide_is_nothing_special(driver):
    import torch

    class Loss(torch.nn.Module):
        def forward(self, z, center):
            return ak.deep_svdd_loss(z, center), ak.deep_svdd_soft_boundary_loss(z, center, 1.0)

    embeddings, center = torch.arange(24.0).reshape(8, 3), torch.ones(3)
    sizes = ({0: torch.export.Dim("batch", min=2)}, None)
    exported = torch.export.export(Loss(), (embeddings, center), dynamic_shapes=sizes).module()
    for n in (2, 3, 8):
        same(driver, exported(embeddings[:n], center), Loss()(embeddings[:n], center))
