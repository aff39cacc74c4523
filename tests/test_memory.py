"""Kernels need little memory beyond their inputs: they are evaluated in blocks, and mixtures form no outer products.

So do gradients in torch: slopes are evaluated anew, block by block, in the backward pass.

Measured in a process of its own, of one thread: what other tests left behind would hide what is needed, and threads
that wait for one another take minutes on a busy machine.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from anomaly_kernels._cli.children import in_own_process
from anomaly_kernels.testing.drivers import Driver
from benchmarks import lean

MIB = 2**20

pytestmark = pytest.mark.library("numpy", "torch")


@pytest.fixture
def single_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(variable, "1")


def test_sixteen_million_values_need_two_mebibytes(single_thread: None, driver: Driver) -> None:
    peaks = in_own_process(lean.elementwise, driver.name)
    assert in_mebibytes_above(2, peaks) == {}


def test_parts_and_several_sums_of_sixteen_million_values_need_eight_mebibytes(
    single_thread: None, driver: Driver
) -> None:
    peaks = in_own_process(lean.pooled, driver.name)
    assert in_mebibytes_above(8, peaks) == {}


@pytest.mark.library("torch")
def test_a_mixture_of_a_hundred_thousand_samples_keeps_40_mebibytes_for_its_backward_pass(
    single_thread: None, driver: Driver
) -> None:
    found = in_own_process(lean.training, driver.name)
    assert in_mebibytes_above(40, {"kept": found["kept"]}) == {}
    assert in_mebibytes_above(80, {"needed": found["needed"]}) == {}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_statistics_of_sixteen_million_scores_need_eight_mebibytes(
    single_thread: None, driver: Driver, dtype: str
) -> None:
    peaks = in_own_process(lean.statistics, driver.name, dtype)
    assert in_mebibytes_above(8, peaks) == {}


def test_pairs_of_thousands_of_embeddings_need_96_mebibytes(single_thread: None, driver: Driver) -> None:
    peaks = in_own_process(lean.pairs, driver.name)
    assert in_mebibytes_above(96, peaks) == {}


@pytest.mark.library("torch")
def test_pairs_of_thousands_of_embeddings_need_128_mebibytes_with_their_gradients(
    single_thread: None, driver: Driver
) -> None:
    peaks = in_own_process(lean.pairs_in_training, driver.name)
    assert in_mebibytes_above(128, peaks) == {}


def test_metrics_of_regions_need_six_bytes_a_pixel(single_thread: None, driver: Driver) -> None:
    peaks = in_own_process(lean.regions, driver.name)
    assert in_mebibytes_above(48, peaks) == {}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_mixture_of_a_hundred_thousand_samples_needs_32_mebibytes(
    single_thread: None, driver: Driver, dtype: str
) -> None:
    peaks = in_own_process(lean.mixture, driver.name, dtype)
    assert in_mebibytes_above(32, peaks) == {}


def in_mebibytes_above(limit: int, peaks: Mapping[str, int | None] | Exception) -> dict[str, float]:
    """The peaks above the limit; it skips the test where the system does not say how much memory was resident."""
    if isinstance(peaks, Exception):
        raise peaks
    known = {name: size / MIB for name, size in peaks.items() if size is not None}
    if not known:
        pytest.skip("the peak of resident memory is read from Linux' /proc")
    return {name: size for name, size in known.items() if size > limit}
