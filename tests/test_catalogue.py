"""The one table of kernels: nothing is left out of it, and what it says of each kernel is true."""

from __future__ import annotations

import importlib
from collections import Counter

import numpy as np
import pytest

from anomaly_kernels import losses, metrics, networks
from anomaly_kernels._catalogue import BY_NAME, CATALOGUE, ENTRIES
from anomaly_kernels._classes.settings import parameters_of
from anomaly_kernels.testing.arguments import arguments
from anomaly_kernels.testing.samples import variants
from benchmarks.cases import CASES

LOSSES = [entry for entry in CATALOGUE if entry.torch == "Loss"]
CLASSES = [entry for entry in CATALOGUE if entry.cls]
TRIALS = 300
REAL = {"real", "latent"}


def named(entries):
    return pytest.mark.parametrize("entry", entries, ids=lambda entry: entry.name)


def base(framework, kind):
    """The class that a kind of the table names."""
    module = "metrics" if kind == "Metric" else "_base"
    return getattr(importlib.import_module(f"anomaly_kernels.{framework}.{module}"), kind)


def kernel_classes(framework):
    """The public classes of a framework that hold the settings of a kernel of the table."""
    module = importlib.import_module(f"anomaly_kernels.{framework}")
    public = {name: getattr(module, name) for name in module.__all__}
    return {name: cls for name, cls in public.items() if getattr(cls, "kernel", None) in ENTRIES}


def test_each_public_function_has_one_entry_and_each_entry_is_public():
    public = [getattr(package, name) for package in (losses, metrics, networks) for name in package.__all__]
    assert Counter(entry.kernel for entry in CATALOGUE) == Counter(public)


def test_an_entry_is_found_by_its_kernel_and_by_both_of_its_names():
    assert list(ENTRIES.values()) == list(CATALOGUE)
    assert {BY_NAME[name] for name in BY_NAME} == set(CATALOGUE)
    assert len(BY_NAME) == len(CATALOGUE) + len(CLASSES)
    assert all(BY_NAME[entry.name] is BY_NAME[entry.cls] is entry for entry in CLASSES)


@named(CATALOGUE)
def test_a_kernel_with_a_class_has_a_kind_in_each_framework(entry):
    assert (entry.cls is None) == (entry.torch is None) == (entry.keras is None)
    assert (entry.torch == "Metric") == (entry.keras == "Metric") == (entry.jax == "Metric")


@pytest.mark.library("torch")
@named(CLASSES)
def test_the_torch_class_has_the_kernel_and_the_base_of_the_table(entry):
    cls = getattr(importlib.import_module("anomaly_kernels.torch"), entry.cls)
    assert issubclass(cls, base("torch", entry.torch))
    assert cls.kernel is entry.kernel


@pytest.mark.library("torch")
@named(CLASSES)
def test_the_keras_class_has_the_kernel_and_the_base_of_the_table(entry):
    cls = getattr(importlib.import_module("anomaly_kernels.keras"), entry.cls)
    assert issubclass(cls, base("keras", entry.keras))
    assert cls.kernel is entry.kernel


@pytest.mark.library("torch")
def test_no_class_is_missing_in_the_table():
    classes = {entry.cls for entry in CLASSES}
    assert set(kernel_classes("torch")) == classes
    # one class more: the mean of squares as a regularizer of a layer's output
    assert set(kernel_classes("keras")) == classes | {"AnomalyRegularizer"}


@pytest.mark.library("jax")
@named(CATALOGUE)
def test_jax_has_the_function_and_a_pytree_of_each_metric_with_a_class(entry):
    akj = importlib.import_module("anomaly_kernels.jax")
    assert entry.name in akj.__all__
    assert (getattr(akj, entry.name) is entry.kernel) == (entry.jax == "plain")
    if entry.jax == "Metric":
        assert issubclass(getattr(akj, entry.cls), base("jax", "Metric"))


@named([entry for entry in CATALOGUE if entry.benchmark])
def test_the_benchmark_is_a_case_of_the_kernel(entry):
    assert CASES[entry.benchmark].kernel is entry.kernel


@pytest.mark.parametrize("name", CASES)
def test_the_kernel_of_each_benchmark_is_in_the_table(name):
    assert ENTRIES[CASES[name].kernel].benchmark in {name, name.partition(",")[0]}


@named([entry for entry in CATALOGUE if entry.picture])
def test_the_picture_runs_along_an_array_of_the_kernel(entry):
    assert entry.picture in parameters_of(entry.kernel).arrays


@named(LOSSES)
def test_a_loss_is_below_zero_only_where_the_table_says_so(entry):
    without, with_setting = lowest_values(entry.kernel, entry.negative)
    if isinstance(entry.negative, str):
        assert without < 0 <= with_setting
    else:
        assert (min(without, with_setting) < 0) == entry.negative


def lowest_values(kernel, setting):
    """The lowest values of a loss among samples of arrays and positive settings: without a setting, and with it."""
    lowest = [np.inf, np.inf]
    rng = np.random.default_rng(0)
    samples = [sample for _, sample in variants(kernel)]
    for trial in range(TRIALS):
        inputs, settings = samples[trial % len(samples)]
        kinds = arguments(list(inputs), settings)
        drawn = {name: 10 ** rng.uniform(-6, 1) for name in numbers_of(kernel, inputs)}
        drawn |= {name: rng.uniform(0.01, 0.99) for name in ("nu", "alpha", "quantile") if name in drawn}
        scale = 10 ** rng.uniform(-3, 1)  # of all real arrays, so that residuals and spreads become small together
        real = {name: scale * rng.normal(size=x.shape) for name, x in inputs.items() if kinds[name].kind in REAL}
        real |= {name: rng.uniform(-6, 2, x.shape) for name, x in inputs.items() if kinds[name].kind == "log variance"}
        value = kernel(**drawn | settings | inputs | real)
        with_setting = setting in settings
        lowest[with_setting] = min(lowest[with_setting], float(np.min(value)))
    return lowest


def numbers_of(kernel, inputs):
    """The settings that are weights and spreads; the covariance has one form only, of those that samples draw."""
    parameters = parameters_of(kernel)
    names = [name for name in parameters.settings if isinstance(parameters.defaults.get(name), float) or name == "sim"]
    excluded = {"eps", "epsilon"} | ({"sim"} if inputs.keys() & {"cov_full", "cov_diag", "scale_diag"} else set())
    return [name for name in names if name not in excluded]
