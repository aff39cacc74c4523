"""The classes of torch and Keras beside their kernels: the same settings, arrays and texts, and examples that run.

What the table `_catalogue.py` says of a class is tested in `test_catalogue.py`.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import os
import re
import typing
from pathlib import Path

import numpy as np
import pytest
from adapters import torch_names

from anomaly_kernels._catalogue import CATALOGUE
from anomaly_kernels._classes.settings import constructor_names, parameters_of

FRAMEWORKS = ("torch", "keras")
REDUCED = {"Loss", "WeighedLayer"}  # whose values Keras weighs and reduces
CLASSES = [(framework, entry) for framework in FRAMEWORKS for entry in CATALOGUE if entry.cls]
PACKAGE = Path(__file__).parent.parent / "anomaly_kernels"
LIBRARY = os.environ.get("AK_LIBRARY", "numpy")
# Keras' classes where they are not compiled anew for each example, torch's and JAX's own in their processes
DOCUMENTED = {"torch": ("torch", "keras"), "jax": ("jax",)}.get(LIBRARY, ("keras",))
MODULES = [f"{each}.{file.stem}" for each in DOCUMENTED for file in sorted((PACKAGE / each).glob("[!_]*.py"))]


def each_class(test):
    """Run a test for each class of torch and Keras, in the process of torch, which can import both."""
    names = [f"{framework}-{entry.cls}" for framework, entry in CLASSES]
    return pytest.mark.library("torch")(pytest.mark.parametrize(("framework", "entry"), CLASSES, ids=names)(test))


def class_of(framework, entry):
    return getattr(importlib.import_module(f"anomaly_kernels.{framework}"), entry.cls)


def parameters(function):
    """The parameters of a method, or of its last form, without `self` and what is handed on to the framework."""
    _, *rest = inspect.signature([function, *typing.get_overloads(function)][-1]).parameters.values()
    return [p for p in rest if p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}]


def settings_of_class(framework, entry):
    """The settings of the kernel that the class has, in the order of the kernel; Keras reduces values by itself."""
    names = parameters_of(entry.kernel).settings
    if entry.torch == "Metric":  # of all elements of all batches
        names = [name for name in names if name != "axis"]
    return [name for name in names if name != "reduction" or framework != "keras" or entry.keras not in REDUCED]


REGIONS = ("region", "decision_region", "saturation")


def call_of(framework, entry):
    """The method that takes the arrays, and the names that it takes."""
    cls = class_of(framework, entry)
    arrays = [name for name in parameters_of(entry.kernel).arrays if not isinstance(vars(cls).get(name), property)]
    if framework == "torch":
        return (cls.forward, torch_names(arrays)) if entry.torch == "Loss" else (cls.update, metric_order(arrays))
    return {
        "Loss": lambda: (cls.call, ["y_true", "y_pred"]),
        "Regularizer": lambda: (cls.__call__, arrays),
        "EndpointLayer": lambda: (cls.call, arrays),
        "WeighedLayer": lambda: (cls.call, [*arrays, "sample_weight"]),
        "Metric": lambda: (
            cls.update_state,
            ["y_true", "y_pred", "sample_weight", *(x for x in arrays if x in REGIONS)],
        ),
    }[entry.keras]()


def metric_order(names):
    """Names of arrays as the metrics of torch take them."""
    return [*reversed(names[:2]), *names[2:]] if names[0] == "target" else names


def documented(function):
    """The name of each parameter of a docstring, with its text on one line."""
    text = inspect.cleandoc(function.__doc__) + "\n"
    section = re.search(r"^Parameters\n-+\n((?:.*\n)*?)(?=\S.*\n-{3,}\n|\Z)", text, re.MULTILINE)
    entries = re.findall(r"^(\S[^:\n]*?)(?: : .*)?\n((?:[ \t]+.*\n|\n)*)", section[1] if section else "", re.MULTILINE)
    return {name: " ".join(text.split()) for names, text in entries for name in names.split(", ")}


@each_class
def test_the_constructor_has_the_settings_and_defaults_of_the_kernel_in_its_order(framework, entry):
    settings, defaults = settings_of_class(framework, entry), parameters_of(entry.kernel).defaults
    taken = [p for p in parameters(class_of(framework, entry).__init__) if p.name in settings]
    assert [p.name for p in taken] == sorted(settings, key=lambda name: name in defaults)  # required ones first
    assert all(p.default == defaults.get(p.name, p.empty) for p in taken)
    assert all((p.kind is p.KEYWORD_ONLY) == (p.name in defaults) for p in taken)


@each_class
def test_the_call_takes_the_arrays_of_the_kernel(framework, entry):
    method, names = call_of(framework, entry)
    assert [p.name for p in parameters(method)] == names
    if framework == "torch":
        defaults = parameters_of(entry.kernel).defaults
        if hasattr(class_of(framework, entry), "init_center"):  # which keeps the centre itself
            defaults = {"center": None} | defaults
        assert all(p.default is defaults.get(p.name, p.empty) for p in parameters(method))


@each_class
def test_the_docstring_says_of_each_setting_what_the_kernel_says(framework, entry):
    of_kernel, of_class = documented(entry.kernel), documented(class_of(framework, entry))
    settings = settings_of_class(framework, entry)
    assert {name: of_class.get(name) for name in settings} == {name: of_kernel[name] for name in settings}


@each_class
def test_the_docstring_has_each_setting(framework, entry):
    cls = class_of(framework, entry)
    assert {*constructor_names(cls)} <= {*documented(cls), "name", "dtype"}


@each_class
def test_the_class_has_an_example(framework, entry):
    assert doctest.DocTestParser().get_examples(class_of(framework, entry).__doc__)


@pytest.mark.library("torch", "jax", "tensorflow")
@pytest.mark.filterwarnings("ignore:.*__array__:DeprecationWarning")  # Keras' own, on torch
@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_the_docstrings_run(module):
    package = importlib.import_module(f"anomaly_kernels.{module.partition('.')[0]}")
    names = {"np": np} | {name: getattr(package, name) for name in package.__all__}
    names |= vars(importlib.import_module(f"anomaly_kernels.{module}"))
    output = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for test in doctest.DocTestFinder().find(importlib.import_module(f"anomaly_kernels.{module}"), extraglobs=names):
        runner.run(test, out=output.append)
    assert not runner.summarize(verbose=False).failed, "".join(output)
