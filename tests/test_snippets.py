"""The code that the pages "Which loss" and "Which metric" offer to copy: what docs/snippets.py makes of docstrings."""

from __future__ import annotations

import doctest
import importlib.util
import re
from pathlib import Path

import pytest

from anomaly_kernels._catalogue import BY_NAME

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = ("losses.md", "which_metric.md")
SHOWN = [
    BY_NAME[name]
    for page in PAGES
    for name in re.findall(r"^```{entry} (\w+)$", (DOCS / page).read_text(), re.MULTILINE)
]


def module(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


SNIPPETS = module("snippets")


class SameNumbers(doctest.OutputChecker):
    """JAX writes `Array` and a dtype, where NumPy writes `array`."""

    def check_output(self, want, got, optionflags):
        return super().check_output(want, re.sub(r", dtype=\w+", "", got).replace("Array", "array"), optionflags)


def run(title, entry):
    examples = [
        doctest.Example(f"{source}\n", f"{want}\n" if want else "") for source, want in SNIPPETS.snippets(entry)[title]
    ]
    test = doctest.DocTest(examples, {}, f"{entry.name}, {title}", None, None, None)
    output = []
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed, tried = doctest.DocTestRunner(SameNumbers(), optionflags=flags).run(test, out=output.append)
    assert tried > 1
    assert not failed, "".join(output)


@pytest.mark.library("jax")
@pytest.mark.parametrize("entry", SHOWN, ids=lambda entry: entry.name)
def test_the_snippet_in_jax_has_the_numbers_of_the_docstring(entry):
    run("JAX", entry)


@pytest.mark.library("torch")
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")  # Keras' own
@pytest.mark.parametrize("title", ["torch", "Keras"])
@pytest.mark.parametrize("entry", [entry for entry in SHOWN if entry.cls], ids=lambda entry: entry.name)
def test_the_snippet_of_a_class_imports_what_it_needs(entry, title):
    run(title, entry)


def test_every_loss_and_metric_with_a_class_is_shown():
    assert {entry.name for entry in BY_NAME.values() if entry.cls} - {entry.name for entry in SHOWN} == set()


def test_the_code_to_copy_is_python():
    for entry in SHOWN:
        for shown in SNIPPETS.snippets(entry).values():
            compile(SNIPPETS.code(shown), entry.name, "exec")
