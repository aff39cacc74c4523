"""The learner interface of every class: settings as scikit-learn has them, and files that anyone can read."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
from adapters import CLASSES, all_variants

pytestmark = [
    pytest.mark.library("torch", "jax", "tensorflow"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning"),  # Keras' own
]

VARIANTS = {label: each for label, each in all_variants().items() if not callable(each.settings.get("model"))}


@pytest.fixture(params=["torch", "keras"])
def framework(request, driver):
    if request.param == "torch" and driver.name != "torch":
        pytest.skip("torch has its own process")
    return request.param


@pytest.fixture
def iou(framework):
    import importlib

    return importlib.import_module(f"anomaly_kernels.{framework}").IoULoss


def same(a, b):
    return type(a) is type(b) and (np.array_equal(np.asarray(a), np.asarray(b)) if hasattr(a, "shape") else a == b)


@pytest.mark.parametrize("label", VARIANTS)
def test_a_saved_file_makes_the_same_object_again(label, framework, driver, tmp_path):
    first = VARIANTS[label].made(framework, lambda x: x, name="a_name")
    arrays = [driver.array(x, "float32") for k, x in VARIANTS[label].arrays.items() if k != "radius"]
    if framework == "torch":
        from adapters import torch_order

        arrays = torch_order(dict(zip((k for k in VARIANTS[label].arrays if k != "radius"), arrays, strict=True)))
    expected = driver.numpy(first(*arrays))
    first.save(tmp_path / "loss.json")
    again = type(first).load(tmp_path / "loss.json")
    assert repr(again) == repr(first)
    np.testing.assert_array_equal(driver.numpy(again(*arrays)), expected)


@pytest.mark.parametrize("label", VARIANTS)
def test_parameters_are_those_of_the_constructor(label, framework):
    made = VARIANTS[label].made(framework, lambda x: x)
    found = made.get_params()
    assert list(found) == list(inspect.signature(type(made)).parameters)
    assert all(f"{name}=" in made.my_params for name in found)
    assert all(f"  {name}" in made.summary() for name in found)
    assert made.set_params(**{name: found[name] for name in made.settings}) is made
    assert all(same(made.get_params()[name], value) for name, value in found.items())


def test_what_is_learnt_is_saved_too(framework, driver, tmp_path):
    made = all_variants()["DeepSVDDSoftBoundaryLoss-default"].made(framework, lambda x: x)
    z = np.arange(1.0, 101.0, dtype="float32")[:, None]
    if framework == "torch":
        import torch

        made.init_radius(torch.as_tensor(z), torch.zeros(1))
    else:
        made.init_radius(z, np.zeros(1, "float32"))
    made.save(tmp_path / "loss.json")
    again = type(made).load(tmp_path / "loss.json")
    np.testing.assert_allclose(driver.numpy(again.radius), driver.numpy(made.radius), rtol=1e-7)
    assert "r_unconstrained (learnt)" in made.summary()


def test_settings_change_by_name_checked_and_all_or_none(iou):
    loss = iou(smooth=1.0)
    assert loss.set_params(smooth=0.5, weight=2.0) is loss
    assert (loss.smooth, loss.weight) == (0.5, 2.0)
    with pytest.raises(ValueError, match="^`smooth` must be >= 0, got -1$"):
        loss.set_params(weight=3.0, smooth=-1)
    assert loss.weight == 2.0
    with pytest.raises(ValueError, match="^IoULoss has no setting `smoth`; did you mean `smooth`\\?$"):
        loss.set_params(smoth=1.0)


def test_settings_of_settings(framework):
    made = all_variants()["DistillationLoss-default"].made(framework, lambda x: x)
    inner = all_variants()["IoULoss-default"].made(framework, lambda x: x)
    made.model = inner  # anything callable with parameters of its own
    assert made.get_params()["model__smooth"] == inner.smooth
    assert "model__smooth" not in made.get_params(deep=False)
    made.set_params(model__smooth=3.0)
    assert inner.smooth == 3.0


def test_a_file_of_something_else_is_refused(iou, tmp_path):
    path = tmp_path / "loss.json"
    iou().save(path)
    assert json.loads(path.read_text())["class"] == "IoULoss"
    for text in ('{"class": "Other", "settings": {}, "state": {}}', "[1]", '{"class": "IoULoss"}'):
        path.write_text(text)
        with pytest.raises(ValueError, match="does not hold a IoULoss$"):
            iou.load(path)


def test_models_are_not_written_to_files_of_settings(framework, tmp_path):
    made = all_variants()["DistillationLoss-default"].made(framework, lambda x: x)
    with pytest.raises(TypeError, match="^`model` is a function or a model, which a file of settings cannot hold$"):
        made.save(tmp_path / "loss.json")
    assert not (tmp_path / "loss.json").exists()


def test_scikit_learn_clones_them(iou):
    from sklearn.base import clone

    loss = iou(smooth=0.25)
    copied = clone(loss)
    assert copied is not loss
    assert copied.smooth == 0.25


@pytest.mark.parametrize("name", CLASSES)
def test_documentation_is_that_of_the_kernel(name, framework):
    made = all_variants()[f"{name}-default"].made(framework, lambda x: x)
    text = type(made).__doc__
    assert text.startswith(made.kernel.__doc__.partition("\n")[0])
    section = text.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    named = {n.strip() for line in section.splitlines() if line[:1].strip() for n in line.partition(":")[0].split(",")}
    assert named == set(inspect.signature(type(made)).parameters)
    assert "Returns\n-------" not in text
    assert ">>>" not in text
