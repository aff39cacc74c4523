"""A variable is as good as a tensor: eagerly, in graphs, under XLA, and to a gradient tape, which watches it itself."""

from __future__ import annotations

from typing import Any

import pytest

from anomaly_kernels._catalogue import KERNELS
from anomaly_kernels.testing.agreement import agree
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.drivers import Driver
from anomaly_kernels.testing.samples import variants
from anomaly_kernels.testing.support import does_not_apply
from anomaly_kernels.testing.trees import flatten

pytestmark = pytest.mark.library("tensorflow")

SAMPLES = {f"{name}-{label}": (kernel, each) for name, kernel in KERNELS.items() for label, each in variants(kernel)}


def with_variables(case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays of a case, those of floats as variables, and these alone."""
    arrays = case.arrays()
    variables = {name: case.driver.module.Variable(arrays[name]) for name in case.floats}
    return {**arrays, **variables}, variables


@pytest.mark.parametrize("name", SAMPLES)
def test_variables_give_the_values_and_gradients_of_tensors(name: str, driver: Driver) -> None:
    tf = driver.module
    kernel, (inputs, settings) = SAMPLES[name]
    case = Case(kernel, inputs, driver, settings)
    arrays, variables = with_variables(case)
    found = case.call(arrays)
    assert all(driver.is_array(x) for x in flatten(found).values())  # no variable, which may change later
    agree(case, case.read(found), "variables")
    if does_not_apply("gradients", case.name, driver.name):
        return
    with tf.GradientTape() as tape:
        total = case.summed(arrays)
    gradients = tape.gradient(total, variables, unconnected_gradients="zero")
    agree(
        case,
        case.read_leaves({k: tf.convert_to_tensor(g) for k, g in gradients.items()}),
        "gradients",
        expected=case.gradient(),
    )


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_variables_are_read_in_graphs(kernel: str, xla: bool, driver: Driver) -> None:
    if reason := does_not_apply("jit", kernel, driver.name):
        pytest.skip(reason)
    tf = driver.module
    function, (inputs, settings) = SAMPLES[f"{kernel}-default"]
    case = Case(function, inputs, driver, settings)
    arrays, variables = with_variables(case)

    @tf.function(jit_compile=xla, autograph=False)
    def results() -> Any:
        with tf.GradientTape() as tape:
            found = case.call(arrays)
            total = case.total(found)
        gradients = (
            {}
            if does_not_apply("gradients", case.name, driver.name)
            else tape.gradient(total, variables, unconnected_gradients="zero")
        )
        return flatten(found), {k: tf.convert_to_tensor(g) for k, g in gradients.items()}

    found, gradients = results()
    agree(case, case.read_leaves(found), "variables")
    if gradients:
        agree(case, case.read_leaves(gradients), "gradients", expected=case.gradient())
