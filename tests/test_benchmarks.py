"""The benchmarks measure what they say, and what is planted shows; each library in a process of its own, as they do."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks import results, tables
from benchmarks.__main__ import main
from benchmarks.cases import CASES, arrays_of
from benchmarks.libraries import array_of, environment, names_of
from benchmarks.measuring import Plan, check_same, measure
from benchmarks.memory import METERED
from benchmarks.peers import peers_of
from benchmarks.timing import Patience, busy_core, take_turns

ROOT = Path(__file__).resolve().parent.parent
COMMITTED = ROOT / "benchmarks" / "results"
# All that is measured, of small inputs; then a kernel that evaluates twice, and one that keeps a copy of its input
SCRIPT = """
import json, sys
import anomaly_kernels as ak
from benchmarks.cases import CASES
from benchmarks.measuring import Patience, Plan, measure

library = sys.argv[1]
patience = Patience(rounds=15, seconds=0.1, shortest=0.002, clock="process_time")
plan = Plan(("BCE", "average precision"), sizes=(1000,), large=2**20, limit=2**-8, read=2**21, slow=(), grown=("BCE",))
plan = plan._replace(around=False, patience=patience)
bce = ak.anomaly_bce_with_logits

def twice(target, logit):
    return (bce(target, logit) + bce(target, logit)) / 2

def of_a_copy(target, logit):
    kept = logit * 1.0
    return bce(target, logit)

honest = {kind: measure(kind, library, plan) for kind in ("memory", "speed")}
found = {"honest": honest}
if library in ("numpy", "torch"):  # compilers would merge the two evaluations, and drop the copy
    plan = plan._replace(cases=("BCE",), sizes=())
    for name, kind, kernel in (("twice", "speed", twice), ("of a copy", "memory", of_a_copy)):
        CASES["BCE"] = CASES["BCE"]._replace(kernel=kernel)
        found[name] = honest | {kind: measure(kind, library, plan)}
json.dump({name: {"libraries": {library: rows}} for name, rows in found.items()}, sys.stdout)
"""


@pytest.fixture(scope="module")
def measured(request):
    library = os.environ.get("AK_LIBRARY", "numpy")
    # XLA as users have it: what it does not compile with other settings is of no use to know
    variables = {name: x for name, x in os.environ.items() if name != "XLA_FLAGS"} | environment(library) | METERED
    command = [sys.executable, "-c", SCRIPT, library]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def compared(tmp_path, old, new):
    paths = tmp_path / "old.json", tmp_path / "new.json"
    for path, found in zip(paths, (old, new), strict=True):
        path.write_text(results.text(found))
    return main(["compare", *map(str, paths)])


def only(rows, **fields):
    (row,) = [row for row in rows if fields.items() <= row.items()]
    return row


@pytest.mark.library("numpy", "torch", "jax", "tensorflow")
def test_each_library_is_measured(driver, measured):
    rows = measured["honest"]["libraries"][driver.name]
    assert {row["case"] for row in rows["speed"]} == {"BCE", "average precision"}
    assert all(row["ours_over"]["plain"][1] > 0 for row in rows["speed"])
    grown = [row["elements"] for row in rows["speed"] if row["part"] == "growth"]
    assert set(grown) == {1000}
    assert [row["case"] for row in rows["speed"] if row["busy"]] == ["BCE", "average precision"]
    (least, share, most), *_ = [row["share"] for row in rows["speed"] if "share" in row]
    assert 0 < least <= share <= most
    for row in rows["memory"]:  # a gradient is as large as the scores, which are half of the inputs
        floor = 0.9 * row["input_bytes"] / 2 if "gradient" in row["way"] else 0
        assert all(size >= floor for size in row["peak_bytes"].values()), row


@pytest.mark.library("numpy", "torch")
def test_a_planted_slowdown_shows(driver, measured, tmp_path, capsys):
    old, new = measured["honest"], measured["twice"]
    rows = [
        only(x["libraries"][driver.name]["speed"], part="small", case="BCE", way=WAYS[driver.name]) for x in (old, new)
    ]
    before, after = (row["ours_over"]["plain"][1] for row in rows)
    assert after > 1.5 * before
    assert compared(tmp_path, old, new) == 1
    assert f"worse: {driver.name}, BCE, 2560 numbers, {WAYS[driver.name]}: " in capsys.readouterr().out


@pytest.mark.library("numpy", "torch")
def test_a_planted_copy_shows(driver, measured, tmp_path, capsys):
    old, new = measured["honest"], measured["of a copy"]
    rows = [only(x["libraries"][driver.name]["memory"], case="BCE", way=WAYS[driver.name]) for x in (old, new)]
    before, after = (row["peak_bytes"]["ours"] for row in rows)
    assert after - before > 0.9 * rows[0]["input_bytes"] / 2
    assert compared(tmp_path, old, new) == 1
    assert f"{WAYS[driver.name]}: peak memory" in capsys.readouterr().out


WAYS = {"numpy": "call", "torch": "eager"}


def run_of(ratio, mib=1.0, cases=("BCE",)):
    about = {"part": "large", "elements": 2**24, "way": "call"}
    speed = [about | {"case": case, "busy": False, "ours_over": {"plain": ratio}} for case in cases]
    memory = [about | {"case": case, "peak_bytes": {"ours": mib * 2**20}} for case in cases]
    return {"libraries": {"numpy": {"speed": speed, "memory": memory}}}


@pytest.mark.parametrize(
    ("new", "status", "said"),
    [
        (run_of([0.9, 1.0, 1.1]), 0, "nothing is worse"),
        (run_of([1.4, 1.5, 1.6]), 1, "worse: numpy, BCE, 16777216 numbers, call: 1.50 × the plain formula, was 1.00"),
        (run_of([1.0, 1.5, 2.0]), 0, "nothing is worse"),  # noise: the quartiles overlap
        (run_of([0.4, 0.5, 0.6]), 0, "nothing is worse"),
        (run_of([0.9, 1.0, 1.1], mib=3.0), 1, "peak memory 3.0 MiB, was 1.0"),
        (run_of([0.9, 1.0, 1.1], mib=1.5), 0, "nothing is worse"),
        (run_of([0.9, 1.0, 1.1], cases=()), 0, "missing in NEW (speed): numpy, BCE, 16777216 numbers, call"),
        (run_of([0.9, 1.0, 1.1], cases=("BCE", "IoU")), 0, "missing in OLD (memory): numpy, IoU"),
    ],
)
def test_compare_names_what_is_worse_and_what_is_missing(new, status, said, tmp_path, capsys):
    assert compared(tmp_path, run_of([0.9, 1.0, 1.1]), new) == status
    assert said in capsys.readouterr().out


def test_later_results_take_the_place_of_the_same_cases():
    first, later = (run_of([1.0, 1.0, 1.0], cases=cases) for cases in (("BCE", "IoU"), ("AUPRO", "BCE")))
    later["libraries"]["torch"] = {"speed": [], "memory": []}
    for row in later["libraries"]["numpy"]["speed"]:
        row["ours_over"] = {"plain": [2.0, 2.0, 2.0]}
    whole = results.added(first | {"commit": "a"}, later | {"commit": "b"})
    assert [(row["case"], row["ours_over"]["plain"][1]) for row in whole["libraries"]["numpy"]["speed"]] == [
        ("BCE", 2.0),
        ("IoU", 1.0),
        ("AUPRO", 2.0),
    ]
    assert [row["case"] for row in whole["libraries"]["numpy"]["memory"]] == ["BCE", "IoU", "AUPRO"]
    assert (whole["commit"], whole["later"]) == (
        "a",
        [{"cases": ["BCE", "AUPRO"], "of": ["numpy", "torch"], "commit": "b"}],
    )
    again = results.added(whole, run_of([3.0, 3.0, 3.0], cases=("IoU", "BCE")))
    assert [each["cases"] for each in again["later"]] == [["BCE", "AUPRO"], ["BCE", "IoU"]]  # torch has the first
    again = results.added(again, run_of([3.0, 3.0, 3.0], cases=("BCE",)))
    assert [each["cases"] for each in again["later"]] == [["BCE", "AUPRO"], ["IoU"], ["BCE"]]


LOOPS = [name for name, case in CASES.items() if case.plain.__module__ == "benchmarks.loops"]


@pytest.mark.library("numpy", "torch")
@pytest.mark.filterwarnings("ignore")  # what peers import is deprecated here and there
@pytest.mark.parametrize("name", LOOPS)
def test_metrics_of_regions_and_series_are_those_of_their_loops(driver, name):
    case = CASES[name]
    if driver.name in case.lacks:
        pytest.skip("in NumPy alone")
    inputs = arrays_of(case, 1000, array_of(driver.name))
    functions = {"ours": case.ours, "plain": partial(case.plain, names_of(driver.name)), **peers_of(driver.name, name)}
    check_same({who: lambda f=f: (f(**inputs), None) for who, f in functions.items()})


def test_tolerance_is_a_setting(tmp_path):
    for name, ratio in (("old", [0.9, 1.0, 1.1]), ("new", [1.4, 1.5, 1.6])):
        (tmp_path / f"{name}.json").write_text(json.dumps(run_of(ratio)))
    command = ["compare", str(tmp_path / "old.json"), str(tmp_path / "new.json"), "--tolerance"]
    assert (main([*command, "1.2"]), main([*command, "1.6"])) == (1, 0)


@pytest.mark.parametrize("wrong", [(2.01, np.ones(3)), (np.nan, np.ones(3)), (2.0, np.asarray([1.0, 1.01, 1.0]))])
def test_another_number_is_not_compared(wrong):
    right = (2.0, np.ones(3))
    check_same({"ours": lambda: right, "plain": lambda: right})
    with pytest.raises(AssertionError, match="plain"):
        check_same({"ours": lambda: right, "plain": lambda: wrong})


def test_what_is_not_compared_is_said(monkeypatch):
    case = CASES["BCE"]
    monkeypatch.setitem(
        CASES, "BCE", case._replace(plain=lambda xp, target, logit: 1.01 * case.plain(xp, target, logit))
    )
    plan = Plan(("BCE",), sizes=(), large=2560, read=2560, around=False)
    rows = measure("speed", "numpy", plan)
    assert {row["part"] for row in rows} == {"refused"}
    assert all(row["why"].startswith("plain gives ") for row in rows)


def test_candidates_take_turns_in_a_random_order_that_the_seed_repeats():
    def orders(seed):
        called = []
        runs = {name: lambda name=name: called.append(name) for name in "abc"}
        take_turns(runs, Patience(rounds=20, seconds=9.0, shortest=0.0), np.random.default_rng(seed))
        rounds = called[3:]  # after a call of each that tells how long it takes
        return [tuple(rounds[k : k + 3]) for k in range(0, 60, 3)]

    assert all(sorted(order) == ["a", "b", "c"] for order in orders(0))
    assert len(set(orders(0))) == 6
    assert orders(0) == orders(0) != orders(1)


def test_the_busy_process_is_there_and_goes():
    with busy_core() as process:
        assert process.poll() is None
    assert process.poll() is not None


def test_committed_tables_and_pictures_are_those_of_the_committed_results():
    found = results.read(COMMITTED / "latest.json")
    assert (COMMITTED / "tables.md").read_text() == "\n".join(tables.lines(found))
    assert set(found["libraries"]) >= {"numpy", "torch", "jax", "tensorflow"}
    assert {path.name for path in COMMITTED.iterdir()} == {
        *("latest.json", "tables.md", "speed.svg", "growth.svg"),
        "accuracy.json",  # of `python -m benchmarks accuracy`; tests/test_tables.py looks at it
    }


def test_results_are_read_as_they_were_written():
    found = {"a": {"b": {"c": [{"d": [1.5, None]}, {"e": "é"}]}}, "f": [], "g": {}}
    assert json.loads(results.text(copy.deepcopy(found))) == found
