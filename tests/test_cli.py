"""The command line lists every function, sees a library that deviates, and says what to install."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np
import pytest

from anomaly_kernels import __version__, losses
from anomaly_kernels._catalogue import KERNELS
from anomaly_kernels._cli import check, children, listing, main, measuring, tables
from anomaly_kernels._cli.listing import as_text
from anomaly_kernels.testing import drivers
from anomaly_kernels.testing.case import Case
from anomaly_kernels.testing.drivers import Driver, driver_for


def inline(function: Any, libraries: list[str], *arguments: Any) -> Any:
    return (function(library, *arguments) for library in libraries)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure in this process, so that what a test breaks is broken there."""
    monkeypatch.setattr(children, "for_each_library", inline)


# ---- formulas as text


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"w \cdot \operatorname{mean}(a^2)", "w · mean(a²)"),
        (r"\frac{1}{N}\sum_i \|z_i - c\|^2", "1/N Σ_i ‖z_i - c‖²"),
        (r"\frac12 x", "1/2 x"),
        (r"\frac{a + b}{c}", "(a + b)/c"),
        (r"-\sum_{i=1}^{N} p_i \log p_i", "-Σ_(i=1)^N p_i log p_i"),
        (r"\log\det\Sigma", "log det Σ"),
        (r"\log(x)", "log(x)"),
        (r"e^{-x}", "e^(-x)"),
        (r"\Sigma^{-1} y^\top", "Σ⁻¹ yᵀ"),
        (r"\sqrt{x + 1}", "√(x + 1)"),
        (r"\hat y, \bar{w}, \overline{D_i}, \hat{xy}", "ŷ, w̄, mean(D_i), hat(xy)"),
        (r"p \text{ clipped to } [\epsilon, 1]", "p clipped to [ε, 1]"),
        (r"\left( \frac{a}{b} \right)", "(a/b)"),
        ("x \\\\\n    & = y", "x; = y"),
        (r"\somethingnew{x}", "somethingnew x"),
    ],
)
def test_latex_reads_as_text(latex: str, text: str) -> None:
    assert as_text(latex) == text


# ---- list


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_every_function_is_listed_with_its_arguments_and_a_formula(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list"]) == 0
    function = KERNELS[name]
    lines = capsys.readouterr().out.splitlines()
    at = lines.index(name + listing.arguments(function))
    assert lines[at + 1].strip().endswith(".")
    assert re.search(r"\w", lines[at + 2])
    assert "\\" not in lines[at + 2]


def test_arguments_have_defaults_and_no_types() -> None:
    expected = "(embeddings, center, *, weight=1.0, reduction='mean')"
    assert listing.arguments(losses.deep_svdd_loss) == expected


def test_formula_is_read_from_the_docstring() -> None:
    def function() -> None:
        r"""First line.

        .. math:: a +
            \alpha

            b

        Parameters
        """

    assert listing.formula(function) == "a + α b"
    assert listing.summary(function) == "First line."


def test_function_without_formula_has_none() -> None:
    assert listing.formula(lambda x: x) == ""


def test_module_runs_as_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["anomaly-kernels", "list"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module("anomaly_kernels", run_name="__main__")
    assert re.findall(r"^[A-Z]+$", capsys.readouterr().out, re.MULTILINE) == ["LOSSES", "METRICS", "NETWORKS"]


def test_terminal_without_greek_letters_gets_question_marks() -> None:
    command = [sys.executable, "-m", "anomaly_kernels", "list"]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii:strict"}
    done = subprocess.run(command, env=ascii_only, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert b"w ? mean(a?)" in done.stdout


def test_a_reader_that_has_seen_enough_gets_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "anomaly_kernels", "list"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert __version__ in capsys.readouterr().out


# ---- check


def test_check_of_agreeing_libraries_succeeds(here: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--library", "array_api_strict", "--function", "iou_loss", "--function", "roc_auc"]) == 0
    out = capsys.readouterr().out
    assert f"numpy {np.__version__}, array_api_strict" in out
    assert re.search(r"^iou_loss +\S+ / -$", out, re.MULTILINE)
    assert "All agree: array_api_strict with NumPy, functions: 2." in out
    assert "!" not in out.partition("Each cell")[0]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda real: lambda a, b: real(a, b) * (1 + 1e-9), r"svdd_score \(default\): 1e-09 / -"),
        (lambda real: lambda a, b: real(a, b)[:-1], r"svdd_score \(default\): inf / -"),
        (lambda real: lambda a, b: real(a, b) * float("nan"), r"svdd_score \(default\): inf / -"),
        (lambda real: lambda a, b: 1 / 0, r"svdd_score \(default\): ZeroDivisionError: division by zero"),
    ],
    ids=["value", "shape", "nan", "error"],
)
def test_check_of_a_broken_function_fails(
    here: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], broken: Any, said: str
) -> None:
    real = losses.svdd_score

    def svdd_score(embeddings: Any, center: Any) -> Any:
        function = real if isinstance(center, np.ndarray) else broken(real)
        return function(embeddings, center)

    monkeypatch.setattr(measuring, "KERNELS", {"svdd_score": svdd_score})
    assert main(["check", "--library", "array_api_strict", "--function", "svdd_score"]) == 1
    out = capsys.readouterr().out
    assert re.search(rf"^array_api_strict: {said}", out, re.MULTILINE)
    assert re.search(r"^svdd_score .* !$", out, re.MULTILINE)


def test_check_reports_a_function_that_fails_in_numpy(
    here: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def svdd_score(embeddings: Any, center: Any) -> Any:
        raise ArithmeticError("no\nreason")

    monkeypatch.setattr(measuring, "KERNELS", {"svdd_score": svdd_score})
    assert main(["check", "--library", "array_api_strict", "--function", "svdd_score"]) == 1
    assert "array_api_strict: svdd_score (default): in NumPy, ArithmeticError: no\n" in capsys.readouterr().out


def test_check_survives_a_library_that_crashes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = [measuring.measure("numpy", ["svdd_score"]), MemoryError("none left")]
    monkeypatch.setattr(children, "for_each_library", lambda *_: iter(outcomes))
    assert main(["check", "--library", "dask", "--function", "svdd_score"]) == 1
    assert "dask: MemoryError: none left" in capsys.readouterr().out


def test_check_needs_numpy_to_compare_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "for_each_library", lambda *_: iter([MemoryError("none left")]))
    with pytest.raises(RuntimeError, match="NumPy"):
        main(["check", "--library", "numpy"])


def test_check_of_numpy_alone_says_that_there_is_nothing_to_compare(
    here: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--library", "numpy", "--function", "svdd_radius"]) == 0
    assert "nothing to compare" in capsys.readouterr().out


def test_check_of_a_missing_library_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drivers, "installed_libraries", lambda: ["numpy"])
    with pytest.raises(SystemExit, match="2"):
        main(["check", "--library", "torch"])
    assert 'torch is not installed: pip install "anomaly_kernels[torch]"' in capsys.readouterr().err


def test_check_of_an_unknown_function_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["check", "--function", "no_such_loss"])
    assert "no_such_loss" in capsys.readouterr().err


@pytest.mark.library("torch", "jax", "tensorflow")
@pytest.mark.parametrize("name", ["gmm_energy", "iou_loss"])
def test_gradients_are_measured_and_a_wrong_one_is_seen(driver: Driver, name: str) -> None:
    reference = measuring.measure("numpy", [name])
    measured = measuring.measure(driver.name, [name])
    for deviation in check.compare(measured, reference)[name]:
        assert deviation.gradient is not None
        assert not deviation.is_bad(), deviation
    sample = measured.results[name]["default"]
    assert isinstance(sample, measuring.Measured)
    wrong = sample._replace(gradients={path: g * 1.001 for path, g in sample.gradients.items()})
    measured.results[name]["default"] = wrong
    assert check.compare(measured, reference)[name][0].is_bad()


def test_central_differences_are_the_gradient_of_a_polynomial() -> None:
    x = np.array([[1.5, -2.0], [0.25, 30.0]])
    case = Case(lambda x: x**3, {"x": x}, driver_for("numpy"))
    weights = 1 + 0.5 * np.cos(np.arange(4)).reshape(2, 2)  # as Case.total weighs results
    np.testing.assert_allclose(measuring.central_differences(case, "x"), 3 * x**2 * weights, rtol=1e-7)


def test_gradients_count_within_the_structure_of_a_matrix() -> None:
    lower_half = np.array([[1.0, 0.0], [6.0, 2.0]])
    symmetric, triangle = np.array([[2.0, 0.5], [0.5, 3.0]]), np.array([[2.0, 0.0], [0.5, 3.0]])
    assert measuring.within_structure(symmetric, lower_half).tolist() == [[1, 3], [3, 2]]
    assert measuring.within_structure(triangle, np.ones((2, 2))).tolist() == [[1, 0], [1, 1]]
    assert measuring.within_structure(np.array([[1.0, 2.0], [3.0, 4.0]]), lower_half).tolist() == lower_half.tolist()


@pytest.mark.parametrize("scale", [1.0, 1e-30])
def test_deviation_is_relative_to_the_largest_value(scale: float) -> None:
    expected = {"x": scale * np.array([1.0, -4.0, 2.0])}
    assert check.largest({"x": expected["x"] + scale * np.array([0, 0, 1e-6])}, expected) == pytest.approx(2.5e-7)


def test_deviation_is_infinite_where_infinity_is_elsewhere() -> None:
    expected = {"x": np.array([1.0, np.inf, np.nan])}
    assert check.largest({"x": np.array([1.0, np.inf, np.nan])}, expected) == 0
    assert check.largest({"x": np.array([np.inf, np.inf, np.nan])}, expected) == np.inf
    assert check.largest({"x": np.array([1.0, 2.0, np.nan])}, expected) == np.inf
    assert check.largest({"x": np.array([1.0, np.inf, 0.0])}, expected) == np.inf
    assert check.largest({"y": expected["x"]}, expected) == np.inf


def test_deviation_is_infinite_where_a_float_has_another_dtype() -> None:
    x = np.ones(3)
    assert check.largest({"x": x.astype(np.float32)}, {"x": x}) == np.inf
    assert check.largest({"x": np.arange(3, dtype=np.int32)}, {"x": np.arange(3)}) == 0


@pytest.mark.library("torch", "jax", "tensorflow")
def test_percentage_of_booleans_has_the_precision_of_the_library(driver: Driver) -> None:
    name = "anomaly_pixel_statistics"
    (deviation,) = check.compare(measuring.measure(driver.name, [name]), measuring.measure("numpy", [name]))[name]
    assert deviation.value == 0


# ---- processes and tables


def test_process_is_a_new_one_and_hands_back_results_and_errors() -> None:
    assert children.in_own_process(os.getpid) not in {os.getpid(), children.in_own_process(os.getpid)}
    error = children.in_own_process(int, "x\ny")
    assert isinstance(error, ValueError)
    assert children.in_one_line(error) == r"ValueError: invalid literal for int() with base 10: 'x\ny'"


def test_death_of_a_process_is_an_error_of_its_library_alone() -> None:
    assert isinstance(children.in_own_process(os._exit, 3), BrokenProcessPool)
    assert list(children.for_each_library(len, ["dask", "numpy", "jax"])) == [4, 5, 3]


def test_process_that_discards_errors_writes_no_errors(capfd: pytest.CaptureFixture[str]) -> None:
    kept = os.dup(2)
    try:
        os.write(2, b"before")
        children.discard_errors()
        os.write(2, b"after")
    finally:
        os.dup2(kept, 2)
    assert capfd.readouterr().err == "before"


def test_hint_for_a_library_that_is_no_extra_names_its_package() -> None:
    assert children.how_to_install("array_api_strict") == "pip install array-api-strict"
    assert children.how_to_install("jax") == 'pip install "anomaly_kernels[jax]"'


ROWS = [[("aa", "bb", "1.0"), ("", "b", "22.0")], [("long name", "a sentence that runs on and on")]]


def test_plain_table_aligns_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_table("Title", ("one", "two", "three"), ROWS, left=2)
    assert capsys.readouterr().out.splitlines() == [
        "Title",
        "---------------------",
        "one        two  three",
        "---------------------",
        "aa         bb     1.0",
        "           b     22.0",
        "---------------------",
        "long name  a sentence that runs on and on",
        "---------------------",
    ]


def test_terminal_with_rich_shows_the_same_text_in_colour(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    rows = [*ROWS, [("[bold]", 'pip install "x[y]" ' + 100 * "long ")]]
    tables.print_table("Title", ("one", "two", "three"), rows)
    plain = capsys.readouterr().out
    monkeypatch.setattr(tables, "is_rich", lambda: True)
    tables.print_table("Title", ("one", "two", "three"), rows)
    coloured = capsys.readouterr().out
    assert coloured != plain
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_progress_passes_results_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(tables.progress(iter([1, 2]), 2, "Counting")) == [1, 2]
    monkeypatch.setattr(tables, "is_rich", lambda: True)
    assert list(tables.progress(iter([1, 2]), 2, "Counting")) == [1, 2]


def test_rich_is_used_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not tables.is_rich()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert tables.is_rich()
    monkeypatch.setattr(tables, "find_spec", lambda name: None)
    assert not tables.is_rich()
