"""torch and JAX compile a metric once: neither another size nor another setting makes them do it again."""

from __future__ import annotations

import numpy as np
import pytest

import anomaly_kernels as ak
from anomaly_kernels.metrics import counts, ranking

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


@pytest.mark.library("torch")
@pytest.mark.parametrize(("axis", "weighted"), [(None, False), (None, True), (-1, True)])
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
    module, inner = (counts, "detection_metrics") if name == "anomaly_detection_metrics" else (ranking, "answer")
    traced, called = [], getattr(module, inner)
    monkeypatch.setattr(module, inner, lambda *given: traced.append(given) or called(*given))
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
    sizes = (tuple({0: torch.export.Dim.DYNAMIC} for _ in example),)
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
