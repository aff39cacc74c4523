"""The documented trainings, as they stand: they find the anomalies, do not collapse, and take less than a minute."""

from __future__ import annotations

import doctest
import re
import runpy
import time
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"


def run(name):
    started = time.perf_counter()
    figures = runpy.run_path(str(DOCS / "examples" / f"{name}.py"))["main"]()
    assert time.perf_counter() - started < 60
    return figures


@pytest.mark.library("torch")
def test_deep_svdd_in_torch():
    figures = run("deep_svdd_torch")
    assert figures["AUROC"] >= 0.95
    # collapsed, all embeddings would be the centre: no spread, and a radius that shrinks with them
    assert figures["spread of the scores"] > 0.5
    assert figures["radius"] > 0.1
    assert 0.02 < figures["share of normal rows outside"] < 0.1  # ν = 0.05


@pytest.mark.library("tensorflow", "torch", "jax")
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")  # Keras' own
def test_aegmm_in_keras():
    figures = run("aegmm_keras")
    assert figures["AUROC"] >= 0.97
    assert figures["spread of the energies"] > 1
    assert figures["components in use"] >= 2
    assert figures["smallest variance"] > 10 * 1e-3  # far above ε: no component has collapsed


@pytest.mark.library("jax")
def test_autoencoder_in_jax():
    figures = run("autoencoder_jax")
    assert figures["AUROC"] >= 0.95
    assert 0 < figures["error of normal rows"] < 0.2  # of rows with variance 1
    assert figures["spread of the scores"] > 1


@pytest.mark.library("torch", "jax", "tensorflow")
def test_examples_of_the_page_on_frameworks(driver):
    sections = re.split(r"^## ", (DOCS / "frameworks.md").read_text(), flags=re.MULTILINE)
    named = {"torch": driver.name == "torch", "Keras": True, "JAX": driver.name == "jax", "Settings": True}
    assert [section.partition("\n")[0] for section in sections[1:]] == list(named)
    shown = [section for section in sections[1:] if named[section.partition("\n")[0]]]
    text = "\n".join(re.findall(r"```python\n(>>> .*?)```", "".join(shown), flags=re.DOTALL))
    test = doctest.DocTestParser().get_doctest(text, {}, "frameworks.md", None, None)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.library("torch", "jax", "tensorflow")
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")  # Keras' own
def test_examples_of_the_page_on_objectives(driver):
    page = (DOCS / "objectives.md").read_text()
    shown = dict(re.findall(r"<!-- (\w+) -->\n\n```py\n(.*?)```", page, flags=re.DOTALL))
    assert list(shown) == ["torch", "Keras"]
    if driver.name != "torch":
        del shown["torch"]
    for name, text in shown.items():
        test = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
        assert doctest.DocTestRunner().run(test).failed == 0
