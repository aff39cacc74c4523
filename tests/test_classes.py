"""The classes of torch and Keras beside their kernels: the same settings, arrays and texts, and examples that run.

What the table `_catalogue.py` says of a class is tested in `test_catalogue.py`.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import os
import re
from pathlib import Path

import pytest
from adapters import TRUTHS

from anomaly_kernels._catalogue import CATALOGUE
from anomaly_kernels._classes.settings import parameters_of

FRAMEWORKS = ("torch", "keras")
CLASSES = [(framework, entry) for framework in FRAMEWORKS for entry in CATALOGUE if entry.cls]
PACKAGE = Path(__file__).parent.parent / "anomaly_kernels"
LIBRARY = os.environ.get("AK_LIBRARY", "numpy")
# Keras runs on three libraries; torch's and JAX's own classes in their own processes
MODULES = [
    f"{framework}.{file.stem}"
    for framework in ("torch", "jax", "keras")
    for file in sorted((PACKAGE / framework).glob("[!_]*.py"))
    if framework in {LIBRARY, "keras"}
]


def each_class(test):
    """Run a test for each class of torch and Keras, in the process of torch, which can import both."""
    names = [f"{framework}-{entry.cls}" for framework, entry in CLASSES]
    return pytest.mark.library("torch")(pytest.mark.parametrize(("framework", "entry"), CLASSES, ids=names)(test))


def class_of(framework, entry):
    return getattr(importlib.import_module(f"anomaly_kernels.{framework}"), entry.cls)


def parameters(function):
    """The parameters of a method, without `self` and what is handed on to the framework."""
    _, *rest = inspect.signature(function).parameters.values()
    return [p for p in rest if p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}]


def documented(function):
    """The name of each parameter of a docstring, with its text on one line."""
    text = inspect.cleandoc(function.__doc__) + "\n"
    section = re.search(r"^Parameters\n-+\n((?:.*\n)*?)(?=\S.*\n-{3,}\n|\Z)", text, re.MULTILINE)
    entries = re.findall(r"^(\S[^:\n]*?)(?: : .*)?\n((?:[ \t]+.*\n|\n)*)", section[1] if section else "", re.MULTILINE)
    return {name: " ".join(text.split()) for names, text in entries for name in names.split(", ")}


@each_class
def test_the_constructor_has_the_settings_and_defaults_of_the_kernel_in_its_order(framework, entry):
    settings, defaults = parameters_of(entry.kernel).settings, parameters_of(entry.kernel).defaults
    taken = [p for p in parameters(class_of(framework, entry).__init__) if p.name in settings]
    required_first = sorted(settings, key=lambda name: name in defaults)
    assert [p.name for p in taken] == required_first
    assert {p.name: p.default for p in taken if p.default is not p.empty} == {
        name: defaults[name] for name in settings if name in defaults
    }
    assert all((p.kind is p.KEYWORD_ONLY) == (p.name in defaults) for p in taken)


@each_class
def test_the_call_takes_the_arrays_of_the_kernel(framework, entry):
    cls = class_of(framework, entry)
    method = cls.forward if entry.torch == "Loss" else cls.update
    arrays = [name for name in parameters_of(entry.kernel).arrays if not isinstance(vars(cls).get(name), property)]
    if framework == "torch" and arrays[0] in TRUTHS:
        arrays[:2] = reversed(arrays[:2])
    assert [p.name for p in parameters(method)] == arrays
    defaults = {p.name: p.default for p in parameters(method) if p.default is not p.empty}
    assert defaults == {name: x for name, x in parameters_of(entry.kernel).defaults.items() if name in arrays}


@each_class
def test_the_docstring_says_of_each_setting_what_the_kernel_says(framework, entry):
    of_kernel, of_class = documented(entry.kernel), documented(class_of(framework, entry))
    settings = parameters_of(entry.kernel).settings
    assert {name: of_class.get(name) for name in settings} == {name: of_kernel[name] for name in settings}


@each_class
def test_the_class_has_an_example(framework, entry):
    assert doctest.DocTestParser().get_examples(class_of(framework, entry).__doc__)


@pytest.mark.library("torch", "jax", "tensorflow")
@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_the_docstrings_run(module):
    package = importlib.import_module(f"anomaly_kernels.{module.partition('.')[0]}")
    names = {name: getattr(package, name) for name in package.__all__}
    names |= vars(importlib.import_module(f"anomaly_kernels.{module}"))
    output = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for test in doctest.DocTestFinder().find(importlib.import_module(f"anomaly_kernels.{module}"), extraglobs=names):
        runner.run(test, out=output.append)
    assert not runner.summarize(verbose=False).failed, "".join(output)
