"""One loss, many forms: the function, the torch module, the Keras class and the JAX function give the same numbers."""

from __future__ import annotations

import importlib
import inspect

import numpy as np
import pytest
from adapters import CLASSES, all_variants, torch_order

import anomaly_kernels as ak
from anomaly_kernels._catalogue import CATALOGUE
from anomaly_kernels.losses.one_class import raw_radius

VARIANTS = all_variants()
# Keras' classes call the same functions on JAX, which would compile each twice; test_keras_classes.py has some there
FORMS = {"torch": ["torch", "keras"], "jax": ["jax"], "tensorflow": ["keras"]}

pytestmark = pytest.mark.library("torch", "jax", "tensorflow")


def called_with(variant, arrays):
    """The arrays in the function's order, without the radius, which is a part of the instance."""
    return {name: arrays[name] for name in variant.arrays if name != "radius"}


def torch_form(variant, driver):
    module = variant.made("torch", driver.array)
    if "radius" in variant.arrays:
        module.double()
        module.r_unconstrained.data.fill_(float(raw_radius(variant.arrays["radius"])))

    def form(arrays):
        return module(*torch_order(called_with(variant, arrays)))

    return form


def keras_form(variant, driver):
    # a function without `reduction` returns a value for each image; Keras would average them
    per_image = "axis" in variant.settings and "reduction" not in inspect.signature(variant.kernel).parameters
    unreduced = {"reduction": "none"} if per_image else {}
    made = variant.made("keras", lambda x: x, dtype="float64", **unreduced)
    if "radius" in variant.arrays:
        made.build(None)
        made.r_unconstrained.assign(float(raw_radius(variant.arrays["radius"])))

    def form(arrays):
        value = made(*called_with(variant, arrays).values())
        return value[:, 0] if variant.cls == "PredictionErrorAnomalyScore" else value

    return form


def jax_form(variant, driver):
    function = getattr(importlib.import_module("anomaly_kernels.jax"), CLASSES[variant.cls])
    settings = {name: driver.array(x) if isinstance(x, np.ndarray) else x for name, x in variant.settings.items()}
    return lambda arrays: function(*[arrays[name] for name in variant.arrays], **settings)


MAKERS = {"torch": torch_form, "keras": keras_form, "jax": jax_form}


@pytest.mark.parametrize("label", VARIANTS)
def test_every_form_gives_the_value_and_gradient_of_the_function(label, driver):
    variant = VARIANTS[label]
    arrays = {name: driver.array(x) for name, x in variant.arrays.items()}
    wrt = [name for name, x in variant.arrays.items() if x.dtype.kind == "f" and name != "radius"]
    settings = {name: driver.array(x) if isinstance(x, np.ndarray) else x for name, x in variant.settings.items()}
    exact = variant.kernel(**variant.arrays, **variant.settings)
    _, gradient = driver.value_and_grad(lambda given: driver.sum(variant.kernel(**given, **settings)), arrays, wrt)
    for name in FORMS[driver.name]:
        form = MAKERS[name](variant, driver)
        value = driver.evaluator(form)(arrays)
        assert driver.dtype_name(value) == "float64"
        np.testing.assert_allclose(driver.numpy(value), exact, rtol=1e-11, atol=1e-14, err_msg=name)
        _, found = driver.value_and_grad(lambda given, form=form: driver.sum(form(given)), arrays, wrt)
        for array in wrt:
            expected = driver.numpy(gradient[array])
            np.testing.assert_allclose(
                driver.numpy(found[array]), expected, rtol=1e-11, atol=1e-14, err_msg=f"{name}: {array}"
            )


@pytest.mark.parametrize("framework", ["torch", "keras", "jax"])
def test_the_table_of_the_contract_is_complete(framework, driver):
    if framework not in FORMS[driver.name]:
        pytest.skip(f"{framework} is looked at in its own process")
    module = importlib.import_module(f"anomaly_kernels.{framework}")
    if framework == "jax":
        pure = {"array_namespace", "value_and_grad", "Node", "Objective", "ObjectiveError", "FileError"}  # as they are
        promised = {name for name in ak.__all__ if callable(getattr(ak, name))} - pure
        promised |= {f"{network}_{part}" for network in ak.networks.__all__ for part in ("init", "apply")}
    else:
        promised = set(CLASSES) | ({"AnomalyRegularizer"} if framework == "keras" else {"init_center"})
        promised |= {"LSTMAutoencoderAnomaly", "Objective", "SequenceAnomalyScoreLayer"}
    promised |= {entry.cls for entry in CATALOGUE if getattr(entry, framework) == "Metric"}
    assert promised == set(module.__all__)
    assert all(hasattr(module, name) for name in promised)
