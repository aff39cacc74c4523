"""The pages of the reference: tables by use and by framework, and a page for each public name."""

from __future__ import annotations

import importlib
import inspect
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import support
from forms import BASES, FORMS, FRAMEWORKS, Form, forms_of, has_page
from members import is_ours, members
from mentions import mentions, title
from situations import SITUATIONS, Situation
from sphinx.pycode import ModuleAnalyzer
from synonyms import SYNONYMS

from anomaly_kernels._catalogue import BY_NAME
from anomaly_kernels._classes.settings import Configured, parameters_of
from anomaly_kernels._cli.listing import arguments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DOCS = Path(__file__).parent
FOLDERS = {"": "Read more", "recipes": "Recipes", "coming_from": "Coming from"}
MOST = 5
"""Links of a kind on a page."""
OWN_ARGUMENTS = r"self(, )?(settings={}, /, )?"
"""What classes hand on to the constructors of their bases."""
HOMES_OF_DATA = ("_core.typing", "testing.contract")


def get(path: str) -> Any:
    """The object of a name below `anomaly_kernels`."""
    module, _, name = f"anomaly_kernels.{path}".rpartition(".")
    return getattr(importlib.import_module(module), name)


def link(path: str, text: str = "") -> str:
    """A link to a name, in Markdown; by default its text is the name."""
    return f"{{py:obj}}`{text or path} <anomaly_kernels.{path}>`"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, without the columns that are empty."""
    filled = [k for k in range(len(header)) if any(row[k] for row in rows)]
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line[k] for k in filled)} |" for line in lines)


def toctree(entries: Mapping[str, str], caption: str = "") -> str:
    """A hidden list of pages by title, which the sidebar shows."""
    pages = "\n".join(f"{title} </generated/anomaly_kernels.{path}>" for title, path in entries.items())
    named = f":caption: {caption}\n" if caption else ""
    return f"```{{toctree}}\n:hidden:\n{named}\n{pages}\n```\n"


def summary(path: str) -> str:
    """What a name is, in one line."""
    thing = get(path)
    documented = is_ours(thing) and (inspect.isclass(thing) or callable(thing))
    line = support.headline(thing) if documented else data_text(path.rpartition(".")[2]).rstrip(".")
    return line.replace("|", "\\|")


def by_use() -> str:
    """What there is, situation by situation: functions, and what they are in each framework."""
    return "\n".join(_use(situation) for situation in SITUATIONS)


def _use(situation: Situation) -> str:
    rows = []
    for name in situation.names:
        cells = (", ".join(link(form.path, form.kind) for form in forms_of(name, key)) for key in FRAMEWORKS)
        rows.append((link(name), summary(name), *cells))
    listed = table(("name", "what it is", *FRAMEWORKS.values()), rows)
    pages = toctree({name: name for name in situation.names}, caption=situation.title)
    return f"## {situation.title}\n\n{situation.advice}\n\n{listed}\n\n{pages}"


def framework_page(framework: str) -> str:
    """The classes of a framework, and of JAX the functions, by use."""
    module = f"anomaly_kernels.{framework}"
    intro = f"```{{eval-rst}}\n.. automodule:: {module}\n   :no-members:\n```"
    forms = [form for form in FORMS if form.framework == framework and has_page(form)]
    uses = [text for situation in SITUATIONS if (text := _framework_use(situation, framework))]
    return "\n\n".join((f"# {FRAMEWORKS[framework]}", intro, *uses, toctree({form.name: form.path for form in forms})))


def _framework_use(situation: Situation, framework: str) -> str:
    forms = [form for name in situation.names for form in forms_of(name, framework)]
    rows = [
        (link(form.path, form.name), form.kind, f"{summary(form.function)}: {link(form.function)}")
        for form in forms
        if has_page(form)
    ]
    tables = [table(("name", "kind", "what it is, and of which function"), rows)] if rows else []
    functions = [jax_function(form.name) for form in forms if not has_page(form)]
    if functions:
        tables.append("```{eval-rst}\n.. py:currentmodule:: anomaly_kernels.jax\n\n" + "\n".join(functions) + "```")
    return "\n\n".join((f"## {situation.title}", *tables)) if tables else ""


def jax_function(name: str) -> str:
    """The entry of a compiled function: its signature, its settings that are static, where it is described."""
    entry = BY_NAME[name]
    static = ", ".join(f"``{setting}``" for setting in sorted(parameters_of(entry.kernel).static))
    how = "not compiled" if entry.jax == "plain" else f"compiled; static: {static}" if static else "compiled"
    text = f"{support.headline(entry.kernel)}. As {_rst_link(name)}, {how}."
    return f".. py:function:: {name}{arguments(entry.kernel)}\n\n   {text}\n"


def pages() -> dict[str, str]:
    """The page of each public name, by the name below `anomaly_kernels`."""
    names = [name for situation in SITUATIONS for name in situation.names]
    return {page: render(page) for page in (*names, *(form.path for form in FORMS if has_page(form)))}


def render(path: str) -> str:
    """The page of a name."""
    forms = [form for form in FORMS if form.path == path]
    return template().render(of_form(forms[0]) if forms else of_name(path))


@cache
def template() -> jinja2.Template:
    """What all pages of names look like."""
    return jinja2.Template((DOCS / "_templates/name.rst.jinja").read_text(), keep_trailing_newline=True)


def of_name(path: str) -> dict[str, Any]:
    """What the page of a function, or of another name, shows."""
    facts = {}
    for framework, label in FRAMEWORKS.items():
        if forms := forms_of(path, framework):
            facts[label] = ", ".join(f"{_rst_link(form.path)} ({form.kind})" for form in forms)
        elif path in BY_NAME:
            facts[label] = "the function itself takes the tensors"
    words = SYNONYMS.get(path, ())
    name = path.rpartition(".")[2]
    own = (name, *([name.replace("_", " ")] if "_" in name else []))
    facts |= {"Keywords": ", ".join(words)} if words else {}
    more = read_more(path, *(form.path for form in FORMS if form.function == path))
    shown = {"title": path, "facts": facts, "keywords": (*own, *words), "more": more}
    return _autodoc(path) | shown | {"picture": path in BY_NAME and BY_NAME[path].picture}


def of_form(form: Form) -> dict[str, Any]:
    """What the page of a class shows: the function that it is of, and its sisters."""
    facts = {"Function": _rst_link(form.function)}
    for framework, label in FRAMEWORKS.items():
        sisters = [sister for sister in forms_of(form.function, framework) if sister != form]
        if sisters:
            facts[label] = ", ".join(f"{_rst_link(sister.path)} ({sister.kind})" for sister in sisters)
    if base := BASES.get((form.framework, form.kind)):
        facts["Base"] = f"``{base}``, whose methods it has too"
    shown = {"title": f"{form.name} ({FRAMEWORKS[form.framework]})", "facts": facts}
    return _autodoc(form.path) | shown | {"more": read_more(form.function, form.path)}


def read_more(*paths: str) -> dict[str, str]:
    """Links to the guides, recipes and other pages that speak of one of the names most often."""
    facts: dict[str, list[str]] = {}
    for page in mentions(paths):
        label = FOLDERS[page.rpartition("/")[0]]
        facts.setdefault(label, []).append(f":doc:`{title(page).removeprefix(f'{label} ')} </{page}>`")
    return {label: ", ".join(facts[label][:MOST]) for label in FOLDERS.values() if label in facts}


def _rst_link(path: str) -> str:
    return f":py:obj:`{path.rpartition('.')[2]} <anomaly_kernels.{path}>`"


def _autodoc(path: str) -> dict[str, Any]:
    thing, (module, _, name) = get(path), f"anomaly_kernels.{path}".rpartition(".")
    if inspect.isclass(thing) and is_ours(thing):
        kind = "exception" if issubclass(thing, BaseException) else "class"
        constructor = re.sub(OWN_ARGUMENTS, "", arguments(thing.__init__)) if issubclass(thing, Configured) else ""
        named = {"module": module, "name": name, "kind": kind, "arguments": constructor}
        return named | {"members": list(members(thing))}
    kind = "function" if callable(thing) and is_ours(thing) else "data"
    return {"module": module, "name": name, "kind": kind, "text": data_text(name) if kind == "data" else ""}


def data_text(name: str) -> str:
    """What the source says below a name that holds no class and no function."""
    analyzers = [ModuleAnalyzer.for_module(f"anomaly_kernels.{home}") for home in HOMES_OF_DATA]
    (text,) = [docs["", name] for analyzer in analyzers if ("", name) in (docs := analyzer.find_attr_docs())]
    return " ".join(text).strip()
