"""The directive of the pages "Which loss" and "Which metric": a kernel with its picture, advice and snippets.

A snippet is the example of a docstring as a reader would type it: of the function, of the class in torch and in Keras,
and of the function once more with JAX's names. Tests run the docstrings, and `tests/test_snippets.py` what is made of
them here.
"""

from __future__ import annotations

import ast
import inspect
import re
from doctest import DocTestParser
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

import anomaly_kernels
from anomaly_kernels._catalogue import BY_NAME, Entry

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PACKAGE = Path(anomaly_kernels.__file__).parent
IMPORTS = {
    "jax": "import jax",
    "jnp": "import jax.numpy as jnp",
    "keras": "import keras",
    "np": "import numpy as np",
    "torch": "import torch",
}
LABELS = {"score": "Score", "chance": "By chance", "guide": "Guide"}


@cache
def docstrings(framework: str) -> dict[str, str]:
    """Those of classes and functions, read from the source: the frameworks cannot all be imported into one process."""
    found = {}
    for path in (PACKAGE / framework).glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                found[node.name] = ast.get_docstring(node) or ""
    return found


def example(docstring: str) -> list[tuple[str, str]]:
    """The statements of a docstring's example, and what each of them shows."""
    return [(each.source.rstrip(), each.want.rstrip()) for each in DocTestParser().get_examples(docstring)]


def imports(shown: list[tuple[str, str]], framework: str) -> list[str]:
    """The imports that an example of a framework needs, and does not have."""
    nodes = [node for source, _ in shown for node in ast.walk(ast.parse(source))]
    has = {
        each.asname or each.name
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for each in node.names
    }
    used = {node.id for node in nodes if isinstance(node, ast.Name)} - has
    ours = ", ".join(sorted(used & docstrings(framework).keys()))
    return [line for name, line in IMPORTS.items() if name in used] + (
        [f"from anomaly_kernels.{framework} import {ours}"] if ours else []
    )


def example_of_class(framework: str, name: str) -> list[tuple[str, str]]:
    """The example of a class, after the imports that it needs."""
    shown = example(docstrings(framework)[name])
    return [(line, "") for line in imports(shown, framework)] + shown


def example_in_jax(entry: Entry) -> list[tuple[str, str]]:
    """The example of a function with the names of JAX."""
    shown = []
    for source, want in example(inspect.getdoc(entry.kernel) or ""):
        in_jax = re.sub(r"\bnp\.", "jnp.", re.sub(r"\bak\.", "akj.", source))
        in_jax = in_jax.replace("import numpy as np", "import jax.numpy as jnp")
        shown.append((in_jax.replace("import anomaly_kernels as ak", "import anomaly_kernels.jax as akj"), want))
    return shown


def snippets(entry: Entry) -> dict[str, list[tuple[str, str]]]:
    """The example of a kernel for each framework, by the title of its tab."""
    found = {"NumPy": example(inspect.getdoc(entry.kernel) or "")}
    if entry.cls:
        found["torch"] = example_of_class("torch", entry.cls)
        found["Keras"] = example_of_class("keras", entry.cls)
    return found | {"JAX": example_in_jax(entry)}


def code(shown: list[tuple[str, str]]) -> str:
    """The statements as they are typed, with what they show as comments."""
    lines: list[str] = []
    for source, want in shown:
        results = [re.sub(r"^array\((.*)\)$", r"\1", want, flags=re.DOTALL)] if want else []
        results = [line.strip() for result in results for line in result.splitlines()]
        if lines and re.match("import |from ", lines[-1]) and not re.match("import |from ", source):
            lines.append("")
        if len(results) == 1 and "\n" not in source and len(source) + len(results[0]) < 100:
            lines.append(f"{source}  # {results[0]}")
        else:
            lines += [source, *(f"# {line}" for line in results)]
    return "\n".join(lines)


def tabs(entry: Entry) -> list[str]:
    """The Markdown of the tabs."""
    lines = ["::::{tab-set}"]
    for title, shown in snippets(entry).items():
        lines += [f":::{{tab-item}} {title}", f":sync: {title.lower()}", "", "```python", code(shown), "```", ":::"]
    return "\n".join([*lines, "::::"]).splitlines()


def picture(name: str, alt: str) -> list[str]:
    """The Markdown of a picture."""
    return [f"```{{picture}} {name}", f":alt: {alt}", "```"]


class KernelEntry(SphinxDirective):
    """``{entry} NAME``: a section on a kernel, with its picture, its advice, where to go on, and its snippets.

    The section is the target `use-NAME`.
    """

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {
        "title": directives.unchanged_required,
        "picture": directives.unchanged_required,
        "alt": directives.unchanged_required,
        "score": directives.unchanged_required,
        "chance": directives.unchanged_required,
        "guide": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """The section."""
        entry = BY_NAME[self.arguments[0]]
        section = nodes.section(names=[f"use-{entry.name}"])
        section += nodes.title("", self.options["title"])
        self.state.document.note_explicit_target(section, section)
        section += self.markdown(self.lines(entry))
        return [section]

    def markdown(self, lines: list[str]) -> list[nodes.Node]:
        """What lines of Markdown become."""
        parent = nodes.container()
        self.state.nested_parse(StringList(lines, source=self.get_source_info()[0]), self.content_offset, parent)
        return parent.children

    def lines(self, entry: Entry) -> list[str]:
        """The Markdown of the section."""
        links = f"{{func}}`~anomaly_kernels.{entry.name}`"
        for framework, shown in (("torch", "torch"), ("keras", "Keras")) if entry.cls else ():
            links += f" · {{class}}`{shown} <anomaly_kernels.{framework}.{entry.cls}>`"
        links += f" · {{func}}`JAX <anomaly_kernels.jax.{entry.name}>`"
        notes = [f"{LABELS[name]}: {text}" for name, text in self.options.items() if name in LABELS]
        text = [*self.content, "", "\\\n".join([links, *notes])]
        if entry.picture:
            drawn = picture(entry.name, f"Value and slope of {entry.name} along {entry.picture}")
            columns = [":::{grid-item}", *text, ":::", ":::{grid-item}", *drawn, ":::"]
            text = ["::::{grid} 1 1 2 2", ":gutter: 2", "", *columns, "::::"]
        elif "picture" in self.options:
            text = [*picture(self.options["picture"], self.options["alt"]), "", *text]
        lines = [*text, "", ":::::{dropdown} Code to copy", *tabs(entry), ":::::"]
        return "\n".join(lines).splitlines()


def setup(app: Sphinx) -> None:
    """Make the directive known."""
    app.add_directive("entry", KernelEntry)
