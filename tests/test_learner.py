"""The learner interface of every class: settings as scikit-learn has them, and files that anyone can read."""

from __future__ import annotations

import importlib
import json
from fractions import Fraction

import numpy as np
import pytest
from adapters import all_variants

from anomaly_kernels._classes.settings import constructor_names, settings_of

pytestmark = [
    pytest.mark.library("torch", "jax", "tensorflow"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning"),  # Keras' own
]

EVERY = all_variants()
VARIANTS = {label: each for label, each in EVERY.items() if not callable(each.settings.get("model"))}
OTHER = {
    "reduction": "sum",
    "loss_type": "xent",
    "normalize_method": "minmax",
    "error_metric": "mse",
    "aggregation": "max",
    "axis": 1,
    "squared": False,
    "window": "uniform",
    "border": "symmetric",
    "size": 5,
    "fair": True,
    "kernel": "imq",
    "bandwidths": [0.25],
    "unbiased": True,
    "quantiles": [0.25],
    "model": len,
    "model_hl": [len],
    "w_model_hl": [0.25],
} | dict.fromkeys(("cov_full", "cov_diag", "scale_diag"))
"""Other values than those of the variants; 0.25 for what is not here."""


@pytest.fixture(params=["torch", "keras"])
def framework(request, driver):
    if request.param == "torch" and driver.name != "torch":
        pytest.skip("torch has its own process")
    return request.param


@pytest.fixture
def package(driver):
    """Which classes have their settings tried in each variant: torch's, and those of Keras on one of its backends."""
    return "torch" if driver.name == "torch" else "keras"


each_variant = pytest.mark.library("torch", "tensorflow")


@pytest.fixture
def iou(framework):
    return importlib.import_module(f"anomaly_kernels.{framework}").IoULoss


def same(a, b):
    return type(a) is type(b) and (np.array_equal(np.asarray(a), np.asarray(b)) if hasattr(a, "shape") else a == b)


@each_variant
@pytest.mark.parametrize("label", VARIANTS)
def test_a_saved_file_makes_the_same_object_again(label, package, driver, tmp_path):
    first = VARIANTS[label].made(package, lambda x: x, name="a_name")
    arrays = [driver.array(x, "float32") for k, x in VARIANTS[label].arrays.items() if k != "radius"]
    if package == "torch":
        from adapters import torch_order

        arrays = torch_order(dict(zip((k for k in VARIANTS[label].arrays if k != "radius"), arrays, strict=True)))
    expected = driver.numpy(first(*arrays))
    first.save(tmp_path / "loss.json")
    again = type(first).load(tmp_path / "loss.json")
    assert repr(again) == repr(first)
    np.testing.assert_array_equal(driver.numpy(again(*arrays)), expected)


@each_variant
@pytest.mark.parametrize("label", EVERY)
def test_parameters_are_those_of_the_constructor(label, package):
    made = EVERY[label].made(package, lambda x: x)
    found = made.get_params()
    assert tuple(found) == constructor_names(type(made))
    assert all(f"{name}=" in made.my_params for name in found)
    assert all(f"  {name}" in made.summary() for name in found)
    other = {name: OTHER.get(name, 0.25) for name in settings_of(type(made))}
    assert made.set_params(**other) is made
    assert all(same(made.get_params()[name], value) for name, value in (found | other).items())


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


def test_a_setting_of_a_setting_that_is_refused_changes_nothing(framework):
    made = all_variants()["AdversarialAELoss-default"].made(framework, lambda x: x)
    inner = all_variants()["IoULoss-default"].made(framework, lambda x: x)
    made.set_params(model=inner, model__smooth=0.5, w_model=2.0)
    assert (inner.smooth, made.w_model) == (0.5, 2.0)
    for wrong in ({"smooth": -1.0}, {"smoth": 1.0}):
        with pytest.raises(ValueError, match="smo"):
            made.set_params(w_model=3.0, model__weight=4.0, **{f"model__{name}": x for name, x in wrong.items()})
        assert (inner.smooth, inner.weight, made.w_model) == (0.5, 1.0, 2.0)
    with pytest.raises(ValueError, match="^`w_model` has no settings of its own, got `w_model__x`$"):
        made.set_params(w_model__x=1)


def test_forms_of_one_covariance_are_refused_together(framework):
    made = all_variants()["ELBOLoss-default"].made(framework, lambda x: x)
    made.set_params(cov_diag=np.ones(3))
    with pytest.raises(ValueError, match="^at most one of .* may be given, got cov_diag, sim$"):
        made.set_params(sim=1.0)
    made.set_params(sim=1.0, cov_diag=None)
    assert (made.sim, made.cov_diag) == (1.0, None)


def test_arrays_of_what_is_known_beforehand_are_kept_as_numbers(framework, driver):
    made = all_variants()["AdaptiveQuantileLoss-default"].made(framework, lambda x: x)
    quantiles, axis = driver.array(np.asarray([0.25, 0.75])), driver.array(np.asarray(1))
    assert type(made)(quantiles).quantiles == [0.25, 0.75]
    assert made.set_params(quantiles=quantiles).quantiles == [0.25, 0.75]
    pooled = all_variants()["IoULoss-default"].made(framework, lambda x: x)
    assert pooled.set_params(axis=axis).axis == 1
    assert type(pooled)(axis=axis).axis == 1


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
    texts = [
        '{"class": "Other", "settings": {}, "state": {}}',
        '{"class": "IoULoss", "settings": [], "state": {}}',
        '{"class": "IoULoss", "settings": {}, "state": null}',
        '{"class": "IoULoss", "settings": {}, "state": {}, "more": 1}',
        '{"class": "IoULoss"}',
        "[1]",
    ]
    for text in texts:
        path.write_text(text)
        with pytest.raises(ValueError, match="does not hold a IoULoss$"):
            iou.load(path)


@pytest.mark.parametrize("name", ["IoULoss", "DeepSVDDSoftBoundaryLoss"])
def test_a_file_must_hold_what_is_learnt_and_nothing_else(name, framework, tmp_path):
    made = all_variants()[f"{name}-default"].made(framework, lambda x: x)
    path = tmp_path / "loss.json"
    made.save(path)
    content = json.loads(path.read_text())
    learnt = {"IoULoss": "nothing", "DeepSVDDSoftBoundaryLoss": "r_unconstrained"}[name]
    for state in ({}, {"radius": 1.0}):
        if list(content["state"]) == list(state):
            continue
        path.write_text(json.dumps(content | {"state": state}))
        with pytest.raises(
            ValueError, match=f" a {name}: {name} learns {learnt}, got {', '.join(state) or 'nothing'}$"
        ):
            type(made).load(path)


def test_a_damaged_file_is_refused_and_says_why(iou, framework, tmp_path):
    path = tmp_path / "loss.json"
    reasons = {
        '{"array": 1.0}': "`weight` must be a number or a 0-d array, got dict",
        '{"array": 1.0, "dtype": "save"}': "(torch has no dtype 'save'|data type 'save' not understood)",
        '{"array": 1.0, "dtype": "float32", "code": "x"}': "`weight` must be a number or a 0-d array, got dict",
        '1.0, "smooth": -1': "`smooth` must be >= 0, got -1",
        '1.0, "smoth": 1': "IoULoss has no setting `smoth`; did you mean `smooth`\\?",
        "1.0": "Expecting .*",
    }
    for weight, reason in reasons.items():
        end = "" if reason.startswith("Expecting") else "}"
        path.write_text('{"class": "IoULoss", "state": {}, "settings": {"weight": %s}' % weight + end)  # noqa: UP031
        with pytest.raises(ValueError, match=f"loss.json does not hold a IoULoss: {reason}"):
            iou.load(path)


def test_a_class_of_a_users_own_has_its_parameters_too(iou, tmp_path):
    from sklearn.base import clone

    class Mine(iou):
        def __init__(self, alpha=1.0, **settings):
            super().__init__(**settings)
            self.alpha = alpha

    made = Mine(3.0, smooth=0.5)
    assert constructor_names(Mine) == ("alpha", *constructor_names(iou))
    assert made.my_params.startswith("Mine(alpha=3.0, ")
    assert (clone(made).alpha, clone(made).smooth) == (3.0, 0.5)
    assert made.set_params(alpha=2.0, smooth=1.0).get_params()["alpha"] == 2.0
    made.save(tmp_path / "mine.json")
    assert (Mine.load(tmp_path / "mine.json").alpha, Mine.load(tmp_path / "mine.json").smooth) == (2.0, 1.0)
    with pytest.raises(TypeError, match="^Mine has no setting `smoth`; did you mean `smooth`\\?$"):
        Mine(smoth=1.0)


def test_numbers_that_are_not_finite_are_written_as_json_has_it(framework, tmp_path):
    made = all_variants()["ELBOLoss-default"].made(framework, lambda x: x)
    made.set_params(weight=float("inf"), scale_diag=np.asarray([1.0, np.inf, np.nan]))
    made.save(tmp_path / "loss.json")
    content = json.loads((tmp_path / "loss.json").read_text(), parse_constant=pytest.fail)
    assert content["settings"]["weight"] == {"float": "inf"}
    again = type(made).load(tmp_path / "loss.json")
    assert again.weight == float("inf")
    np.testing.assert_array_equal(np.asarray(again.scale_diag), [1.0, np.inf, np.nan])


def test_numbers_of_every_kind_are_written(iou, tmp_path):
    iou(weight=Fraction(1, 2), smooth=np.float32(0.25), axis=np.int64(1)).save(tmp_path / "loss.json")
    again = iou.load(tmp_path / "loss.json")
    assert (again.weight, again.smooth, again.axis) == (0.5, 0.25, 1)


def test_models_are_not_written_to_files_of_settings(framework, tmp_path):
    made = all_variants()["DistillationLoss-default"].made(framework, lambda x: x)
    with pytest.raises(TypeError, match="^`model` must be data to be written to a file of settings, got function$"):
        made.save(tmp_path / "loss.json")
    assert not (tmp_path / "loss.json").exists()


@each_variant
@pytest.mark.parametrize("label", EVERY)
def test_scikit_learn_clones_them(label, package):
    from sklearn.base import clone

    first = EVERY[label].made(package, lambda x: x)
    copied = clone(first)
    assert type(copied) is type(first)
    assert copied is not first
    assert copied.my_params == first.my_params
    lists = [name for name, value in first.get_params().items() if isinstance(value, list)]
    assert all(getattr(copied, name) is not getattr(first, name) for name in lists)


def test_a_class_that_leaves_settings_out_can_change_the_others(package):
    base = importlib.import_module(f"anomaly_kernels.{package}").ELBOLoss

    class Narrow(base):
        def __init__(self, sim=0.5):
            super().__init__(sim=sim)

    loss = Narrow(sim=0.25)
    assert loss.get_params() == {"sim": 0.25}
    assert loss.set_params(sim=2.0).sim == 2.0


def test_a_mixin_before_the_class_keeps_its_settings_and_adds_its_own(package):
    base = importlib.import_module(f"anomaly_kernels.{package}").IoULoss

    class Mixin:
        def __init__(self, *, note="", **settings):
            super().__init__(**settings)
            self.note = note

    class Noted(Mixin, base): ...

    class Plain(Noted): ...

    loss = Plain(smooth=0.5, note="a")
    assert (loss.smooth, loss.note) == (0.5, "a")
    assert {"smooth", "note"} <= loss.get_params().keys()
    with pytest.raises(TypeError, match="Plain has no setting `smoth`; did you mean `smooth`"):
        Plain(smoth=0.5)
