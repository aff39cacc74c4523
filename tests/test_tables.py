"""The tables of the documentation say what is so: support, accuracy, speed, parity with peers."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from anomaly_kernels._catalogue import CATALOGUE
from anomaly_kernels.testing.contract import support_matrix
from anomaly_kernels.testing.drivers import DRIVERS
from benchmarks import accuracy

ROOT = Path(__file__).resolve().parent.parent
MEASURED = json.loads((ROOT / "benchmarks" / "results" / "accuracy.json").read_text())
KERNELS = [entry.name for entry in CATALOGUE]
MODULES = ("support", "tables", "parity")


@pytest.fixture
def docs(monkeypatch):
    """The modules that write the tables."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    yield __import__
    for name in MODULES:
        sys.modules.pop(name, None)


# ---- support


def cells_of(text):
    """The signs of each kernel by library, and its notes."""
    rows = re.findall(r"^\| \{func\}`~anomaly_kernels\.(\w+)` \| (.*) \|$", text, flags=re.MULTILINE)
    (header, *_) = re.findall(r"^\| function \| (.*) \|$", text, flags=re.MULTILINE)
    return {kernel: dict(zip(header.split(" | "), cells.split(" | "), strict=True)) for kernel, cells in rows}


def test_support_has_a_row_for_each_kernel_and_no_column_of_what_never_ran(docs):
    support = docs("support")
    found = cells_of(support.page())
    assert list(dict.fromkeys(found)) == list(found)
    assert set(found) == set(KERNELS)
    assert set(support.NAMES) == set(DRIVERS) - support.NEVER_RUN


def test_support_says_what_the_tests_run(docs):
    support = docs("support")
    found = cells_of(support.page())
    assert found["iou_loss"]["torch"].split() == ["v", "g", "g²", "c", "m", "h"]
    assert found["iou_loss"]["JAX"].split() == ["v", "g", "g²", "c", "m", "(h)"]
    assert found["roc_auc"]["TensorFlow"].split() == ["v", "c", "h", "b"]
    for row in support_matrix():
        if row.library in support.NAMES:
            signs = found[row.kernel][support.NAMES[row.library]].split()
            assert ("c" in signs) == ("jit" not in row.missing)
            assert ("g²" in signs) == ("second_derivatives" not in row.missing)


def test_support_gives_the_reason_of_what_a_kernel_lacks(docs):
    text = docs("support").page()
    number = cells_of(text)["roc_auc"]["notes"]
    assert re.fullmatch(r"\[\d+\]\(#support-note-\d+\)", number)
    n = re.findall(r"\d+", number)[0]
    assert f"\n{n}. Counts and ranks are steps: they have no slope.\n" in text


# ---- accuracy


def test_each_loss_is_measured_or_said_to_have_no_reference():
    losses = {entry.name for entry in CATALOGUE if entry.package == "losses"}
    assert MEASURED["without a reference"] == accuracy.without_reference()
    for rows in MEASURED["libraries"].values():
        measured = {row["kernel"] for row in rows if row["inputs"] == "ordinary"}
        assert measured == losses - set(MEASURED["without a reference"])


@pytest.mark.parametrize("library", MEASURED["libraries"])
def test_errors_are_at_most_32_ulps_of_the_terms(library):
    rows = [row for row in MEASURED["libraries"][library] if row["inputs"] == "ordinary"]
    worst = {
        key: max((row[f"{key}, terms {dtype}"], row["kernel"]) for row in rows)
        for key in ("value", "slope")
        for dtype in accuracy.DTYPES
    }
    assert {key: each for key, each in worst.items() if each[0] > 32} == {}


def test_what_is_measured_now_is_what_is_committed():
    chosen = {("kl_divergence", "ordinary"), ("crps_gaussian", "constant"), ("iou_loss", "ordinary")}
    jobs = [job for job in accuracy.jobs(quick=True) if (job.kernel, job.inputs) in chosen]
    assert len(jobs) == len(chosen)
    driver = accuracy.driver_for("numpy")
    committed = {(row["kernel"], row["inputs"]): row for row in MEASURED["libraries"]["numpy"]}
    for job in jobs:
        found = accuracy.evaluated(driver, job.case, "float64")
        errors = accuracy.errors(job, found, accuracy.exactly(job), "float64")
        row = committed[job.kernel, job.inputs]
        assert all(error <= row[f"{what} float64"] + 2 for what, error in errors.items() if "terms" in what), job.kernel


def test_a_wrong_digit_shows():
    (job,) = [job for job in accuracy.jobs(quick=True) if (job.kernel, job.inputs) == ("kl_divergence", "ordinary")]
    found = accuracy.evaluated(accuracy.driver_for("numpy"), job.case, "float64")
    truth = accuracy.exactly(job)
    wrong = {name: x * (1 + 100 * np.finfo(np.float64).eps) for name, x in found.items()}
    assert accuracy.errors(job, found, truth, "float64")["value"] < 4
    assert accuracy.errors(job, wrong, truth, "float64")["value"] > 40
    assert accuracy.errors(job, wrong, truth, "float64")["slope"] > 40


# ---- speed


def test_the_summary_of_speed_has_each_case_that_is_measured_at_large_inputs(docs):
    tables = docs("tables")
    results = tables.read("latest")
    text = "".join(tables.speed(results))
    cases = {row["case"] for rows in results["libraries"].values() for row in rows["speed"] if row["part"] == "large"}
    assert {case for case in cases if f"\n| {case} | " not in text} == set()
    assert results["machine"]["processor"] in text
    assert results["machine"]["when"][:10] in text


# ---- parity


def test_our_numbers_are_what_the_table_of_parity_says(docs):
    parity = docs("parity")
    rows = [row for peer, entry in parity.peers().items() for row in parity.rows_of(peer, entry)]
    found = {row: parity.result_of(row.call, parity.scope_of(row)) for row in rows if row.call}
    assert len(found) > 80
    assert [(row.peer, row.name, x, row.ours) for row, x in found.items() if not parity.same(x, row.ours)] == []


def test_a_number_that_differs_in_a_recorded_digit_is_another_one(docs):
    same = docs("parity").same
    assert same("0.1500000", "0.15")
    assert same("1.157e-13", "1.16e-13")
    assert not same("0.151", "0.150")
    assert not same("nan", "0.15")
    assert not same("ValueError", "TypeError")


def test_each_peer_has_a_section_of_its_own(docs):
    page = (ROOT / "docs" / "parity.md").read_text()
    assert sorted(re.findall(r"generated/parity_([\w-]+)\.inc", page)) == sorted(docs("parity").peers())
    for anchor in ("alibi-detect", "anomalib", "cuvis-ai", "fusionlab", "pyod", "pytorch-ood", "scikit-learn"):
        assert f"\n## {anchor}\n" in page.lower()
