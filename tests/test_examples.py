"""The documented trainings, as they stand: they find the anomalies, do not collapse, and take less than a minute."""

from __future__ import annotations

import doctest
import re
import runpy
import sys
import time
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"


def run(name, *arguments):
    started = time.perf_counter()
    figures = runpy.run_path(str(DOCS / "examples" / f"{name}.py"))["main"](*arguments)
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


@pytest.mark.library("torch")
def test_student_and_teacher_in_torch():
    figures = run("student_teacher_torch")
    assert figures["AUPRO by features"] >= 0.6
    assert figures["AUPRO by structure"] >= 0.75
    assert figures["AUPRO by both"] >= 0.75
    assert max(x for name, x in figures.items() if "untrained" in name) < 0.4


@pytest.mark.library("torch")
def test_deep_sad_in_torch_beats_deep_svdd_where_there_are_few_labels():
    figures = run("deep_sad_torch")
    assert figures["AUROC, Deep SVDD"] < 0.9
    assert figures["AUROC, Deep SAD"] >= 0.97
    assert figures["average precision, Deep SAD"] >= 0.85


@pytest.mark.library("torch")
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")  # Keras' own
def test_bounds_of_the_energy_in_keras_find_outliers_that_were_not_seen():
    figures = run("energy_keras")
    assert figures["AUROC, cross entropy alone"] < 0.7
    assert figures["AUROC, with bounds"] >= 0.97
    assert figures["accuracy, with bounds"] >= 0.98


@pytest.mark.library("tensorflow", "torch")  # and the other training in Keras on torch and JAX
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


@pytest.fixture
def beside(monkeypatch):
    """Examples import what they share from their own folder, as Python has it for a script."""
    monkeypatch.syspath_prepend(DOCS / "examples")
    yield
    for name in ("series", "lstm_torch"):
        sys.modules.pop(name, None)


def check_series(name, tmp_path):
    figures = run(name, tmp_path / "ecg.png")
    # of windows of variance 1: collapsed, all reconstructions are one, and the error is 1
    assert figures["spread of the reconstructions"] > 0.6
    assert 0 < figures["error of what was learnt from"] < 0.5
    assert figures["highest score is in the anomaly"]
    # without training, the variance of the windows ranks the steps with 0.998, which must be beaten
    assert figures["AUROC of the variance"] < 0.999 <= figures["AUROC"]
    # and by that the ventricular beat would stand out by 2.6; untrained networks are no better
    assert figures["highest normal score, of the highest"] < 0.3 < figures["the same of the variance"]
    from matplotlib.image import imread

    # drawn with the colours of reconstruction and score
    picture = imread(tmp_path / "ecg.png")[..., :3]
    for colour in ([0x44, 0x77, 0xAA], [0xEE, 0x66, 0x77]):
        assert (np.abs(picture - np.asarray(colour) / 255).max(axis=-1) < 0.02).sum() > 100


@pytest.mark.library("torch")
def test_lstm_in_torch(beside, tmp_path):
    check_series("lstm_torch", tmp_path)


@pytest.mark.library("torch", "jax")
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")  # Keras' own
def test_lstm_in_keras(beside, tmp_path):
    check_series("lstm_keras", tmp_path)


@pytest.mark.library("jax")
def test_lstm_in_jax(beside, tmp_path):
    check_series("lstm_jax", tmp_path)


@pytest.mark.library("torch", "jax", "tensorflow")
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")  # Keras' own
def test_examples_of_the_page_on_frameworks(driver):
    sections = re.split(r"^## ", (DOCS / "frameworks.md").read_text(), flags=re.MULTILINE)
    named = {"torch": driver.name == "torch", "Keras": True, "JAX": driver.name == "jax", "Settings": True}
    assert [section.partition("\n")[0] for section in sections[1:]] == list(named)
    shown = [section for section in sections[1:] if named[section.partition("\n")[0]]]
    text = "\n".join(re.findall(r"```python\n(>>> .*?)```", "".join(shown), flags=re.DOTALL))
    test = doctest.DocTestParser().get_doctest(text, {}, "frameworks.md", None, None)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


# blocks that need a framework, on all other pages: <!-- torch -->, or <!-- Keras, tensorflow --> to choose the backend
BLOCK = re.compile(r"<!-- (torch|JAX|TensorFlow|Keras)(?:, (torch|jax|tensorflow))? -->\n\n```py\n(.*?)```", re.DOTALL)
PROCESSES = {"torch": ["torch"], "JAX": ["jax"], "TensorFlow": ["tensorflow"], "Keras": ["torch", "jax", "tensorflow"]}


def examples_of_frameworks() -> dict[tuple[str, str, str], str]:
    """The code of each page, framework and process, joined."""
    found: dict[tuple[str, str, str], str] = {}
    for page in sorted(path for path in DOCS.rglob("*.md") if "generated" not in path.parts):
        for name, process, code in BLOCK.findall(page.read_text()):
            for each in [process] if process else PROCESSES[name]:
                key = (page.relative_to(DOCS).as_posix(), name, each)
                found[key] = found.get(key, "") + code
    return found


EXAMPLES = examples_of_frameworks()


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")  # Keras' own
@pytest.mark.parametrize(
    "key", [pytest.param(key, marks=pytest.mark.library(key[2]), id="-".join(key)) for key in EXAMPLES]
)
def test_examples_of_frameworks_on_pages(key, tmp_path, monkeypatch):
    page, name, _ = key
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(EXAMPLES[key], {}, f"{page}, {name}", None, None)
    assert test.examples
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test).failed == 0


def test_every_block_of_a_page_is_run():
    for page in (path for path in DOCS.rglob("*.md") if "generated" not in path.parts):
        text = page.read_text()
        marked = len(BLOCK.findall(text))
        assert len(re.findall(r"^```py$", text, flags=re.MULTILINE)) == marked, page
