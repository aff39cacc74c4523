"""The steps of docs/add_a_loss.md, made in a copy of the package, add a loss that passes its tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("anomaly_kernels", "benchmarks", "tests", "conftest.py", "pyproject.toml", "README.md")
TABLE = "anomaly_kernels/_catalogue.py"
NAME = "charbonnier"
PAGE = (ROOT / "docs" / "add_a_loss.md").read_text()
(SELECTED,) = re.findall(r'pytest -k "(.*)"`', PAGE)  # the tests that the page tells to run
# What is run of the new loss, by the library of the process, and how many tests that is at least
RUNS = {
    "numpy": (35, "test_catalogue", "test_contract", "test_errors", "test_losses_robust", "test_project"),
    "torch": (10, "test_catalogue", "test_classes"),  # Keras' classes too, on torch
    "jax": (1, "test_catalogue"),
}


def blocks_of_the_page():
    """Each file that the steps name, with the blocks that follow: their language and their text."""
    file = ""
    for path, language, block in re.findall(r"^`([\w/]+\.\w+)`$|^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        file = path or file
        if language:
            yield file, language, block


def change(path, language, block):
    """Make one edit: lines with + or - and one that shows the place, or text at the end of a file."""
    text = path.read_text() if path.exists() else ""
    if language == "python":
        path.write_text(text + "\n\n" * bool(text) + block.lstrip("\n"))
        return
    for hunk in block.strip("\n").split("\n\n"):
        lines = hunk.splitlines()
        old = "\n".join(line[1:] for line in lines if line[0] != "+")
        new = "\n".join(line[1:] for line in lines if line[0] != "-")
        assert "\n" not in old, f"{path.name} is found by more than one line, between which others may come:\n{old}"
        assert text.count(old) == 1, f"{path.name} has not once:\n{old}"
        text = text.replace(old, new)
    path.write_text(text)


def run_tests(folder, library, names, *modules):
    """Run tests in the copy: the status, how many passed, and the output."""
    variables = os.environ | {"AK_LIBRARY": library, "PYTHONPATH": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", names]
    command += [f"tests/{module}.py" for module in modules]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    passed = re.search(r"(\d+) passed", done.stdout)
    return done.returncode, int(passed[1]) if passed else 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "results"))
        else:
            shutil.copy(ROOT / name, folder / name)
    for file, language, block in blocks_of_the_page():
        change(folder / file, language, block)
    return folder


@pytest.mark.parametrize("library", RUNS)
def test_the_loss_of_the_page_passes_its_tests(library, copy):
    at_least, *modules = RUNS[library]
    status, passed, output = run_tests(copy, library, SELECTED, *modules)
    assert status == 0, output
    assert passed >= at_least, output


def test_without_its_row_in_the_table_the_loss_fails(copy):
    table = copy / TABLE
    text = table.read_text()
    table.write_text("".join(line for line in text.splitlines(keepends=True) if NAME not in line))
    try:
        status, _, output = run_tests(copy, "numpy", "each_public", "test_catalogue")
    finally:
        table.write_text(text)
    assert status == 1
    assert "test_each_public_function_has_one_entry_and_each_entry_is_public" in output
