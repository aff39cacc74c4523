"""Every kernel keeps every promise of the contract, in the library of this process."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from elsewhere import IN_OTHER_CHECKS, IN_OTHER_LIBRARIES
from hypothesis import given, settings

from anomaly_kernels._catalogue import KERNELS
from anomaly_kernels.testing.agreement import agree
from anomaly_kernels.testing.arguments import SIZES
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.contract import CHECKS, support_matrix
from anomaly_kernels.testing.drivers import DRIVERS, Driver
from anomaly_kernels.testing.drivers.torch import Torch
from anomaly_kernels.testing.samples import Sample, variants
from anomaly_kernels.testing.strategies import inputs_for
from anomaly_kernels.testing.support import does_not_apply

SAMPLES = {f"{name}-{label}": (name, each) for name, kernel in KERNELS.items() for label, each in variants(kernel)}

# Settings change formulas, which shows in numbers; the rest of the contract is a matter of the kernel as a whole.
NUMBERS = ["values", "result", "gradients", "value_and_grad", "permutation", "nan", "extreme", "promotion"]

SEEN_ELSEWHERE = {name: IN_OTHER_CHECKS.get(name, {}) | IN_OTHER_LIBRARIES.get(name, {}) for name in DRIVERS}
# Of other settings the values, in one dtype of a permuted batch: as many compilations and graphs fewer; and the slopes.
OF_SETTINGS = {
    "jax": {"permutation", "gradients"},
    "tensorflow": {"values", "gradients"},
    "dask": {"permutation"},
}
FEWER_DRAWN = {"dask", "jax", "tensorflow"}


@cache  # what one check has compiled serves the next
def case_of(name: str, driver: Driver) -> Case:
    kernel, (inputs, settings) = SAMPLES[name]
    return Case(KERNELS[kernel], inputs, driver, settings)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("kernel", KERNELS)
def test_kernel_keeps_the_contract(kernel: str, check: str, driver: Driver) -> None:
    if reason := does_not_apply(check, kernel, driver.name) or SEEN_ELSEWHERE[driver.name].get(check):
        pytest.skip(reason)
    if check == "vmap" and driver.name == "jax" and not does_not_apply("gradients", kernel, driver.name):
        pytest.skip("`vmap_gradients` maps the values on its way to the gradients")
    _check(check, case_of(f"{kernel}-default", driver))


def _check(check: str, case: Case) -> None:
    """Make the check; a kernel that has nothing to compare is skipped with the reason that the check gives."""
    if nothing := CHECKS[check](case).nothing:
        pytest.skip(f"nothing to check: {nothing}")


@pytest.mark.parametrize("check", NUMBERS)
@pytest.mark.parametrize("variant", [variant for variant in SAMPLES if not variant.endswith("-default")])
def test_settings_keep_the_contract(variant: str, check: str, driver: Driver) -> None:
    if reason := does_not_apply(check, SAMPLES[variant][0], driver.name):
        pytest.skip(reason)
    if check == "value_and_grad" and "gradient" in driver.can:
        pytest.skip("its own gradients are checked")
    if check not in OF_SETTINGS.get(driver.name, NUMBERS):
        pytest.skip("compiled or built anew: of other settings only values and gradients, NumPy and torch see the rest")
    has_slope = not does_not_apply("gradients", SAMPLES[variant][0], driver.name)
    if check == "permutation" and driver.name == "jax" and has_slope:
        pytest.skip("`gradients` compares the value that comes with them, in the same compilation")
    _check(check, case_of(variant, driver))


@pytest.mark.parametrize("kernel", KERNELS)
def test_drawn_inputs_give_the_values_of_numpy(kernel: str, driver: Driver) -> None:
    base = case_of(f"{kernel}-default", driver)
    sizes = SIZES if driver.name == "jax" else None  # each new shape would be compiled anew

    share = 5 if driver.name in FEWER_DRAWN else 1  # the formulas are those that the others run

    @settings(max_examples=settings.default.max_examples // share)
    @given(inputs_for(KERNELS[kernel], sizes=sizes))
    def check(drawn: Sample) -> None:
        for dtype in ("float64", "float32"):
            exact = replace(base, inputs=drawn.inputs).rounded(dtype)
            agree(exact, exact.run(dtype), "values", dtype)

    check()


@pytest.mark.library("torch")
@pytest.mark.filterwarnings("ignore:.*script_method.*:DeprecationWarning")  # torch's own, where it loads the inductor
@pytest.mark.parametrize("kernel", ["anomaly_bce_with_logits", "gmm_energy"])  # elementwise, and linear algebra
def test_the_inductor_compiles_kernels_whole(kernel: str) -> None:
    CHECKS["jit"](case_of(f"{kernel}-default", Torch(compiler="inductor")))


def test_the_support_matrix_has_a_row_for_each_kernel_and_library() -> None:
    rows = list(support_matrix())
    assert {(row.kernel, row.library) for row in rows} == {(k, library) for k in KERNELS for library in DRIVERS}
    assert all(reason for row in rows for reason in row.missing.values())
    assert all(row.missing.keys() < CHECKS.keys() for row in rows)
