"""A Sphinx extension that writes the reference and the support page, and links names of functions to their pages.

A public name that is on no page fails the build.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import committed
import pictures
import reference_pages
import run_examples
import snippets
import support
import tables
from docutils import nodes
from docutils.parsers.rst import directives
from forms import FRAMEWORKS
from sphinx.addnodes import pending_xref
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

import anomaly_kernels
from anomaly_kernels import streaming

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

GENERATED = Path(__file__).parent / "generated"
MODULES = ("", *FRAMEWORKS, "authoring", "data", "objective", "plots", "streaming", "testing", "weights")
log = logging.getLogger(__name__)


def write_pages() -> None:
    """Write all pages; those that have not changed keep their dates, and Sphinx reads them no second time."""
    pages = {f"anomaly_kernels.{path}.rst": text for path, text in reference_pages.pages().items()}
    pages |= {f"{framework}.md": reference_pages.framework_page(framework) for framework in FRAMEWORKS}
    pages |= {"by_use.md": reference_pages.by_use(), "support.md": support.page()}
    GENERATED.mkdir(exist_ok=True)
    for path in (*GENERATED.glob("*.rst"), *GENERATED.glob("*.md")):
        if path.name not in pages:  # of names that are gone
            path.unlink()
    for name, text in pages.items():
        path = GENERATED / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    tables.write(GENERATED)


def warn_of_missing_names(_: Sphinx, env: BuildEnvironment) -> None:
    """Warn, which fails the build, of each public name that no page documents."""
    documented = env.domains["py"].objects
    for below in MODULES:
        module = importlib.import_module(f"anomaly_kernels.{below}".rstrip("."))
        for name in set(module.__all__) - {"__version__"}:
            again = below and getattr(module, name) is getattr(anomaly_kernels, name, None)
            if f"{module.__name__}.{name}" not in documented and not again:
                log.warning("the public name %s.%s is on no page of the documentation", module.__name__, name)


def mend_enumerations(_app: Sphinx, _what: str, _name: str, _thing: Any, _options: Any, lines: list[str]) -> None:
    """Keep "s. With 0 ..." a sentence and "[1] D. Foo" an author: docutils takes such a letter for a list's."""
    lines[:] = [re.sub(r"^(\s*(?:\.\. \[[^]]+\] )?[A-Za-z])\.(?= |$)", r"\1\\.", line) for line in lines]


def add_imports(_app: Sphinx, _what: str, name: str, _thing: Any, _options: Any, lines: list[str]) -> None:
    """Begin the example of a framework's class with the imports that it needs, so that it can be copied."""
    framework = name.removeprefix("anomaly_kernels.").partition(".")[0]
    start = next((n for n, line in enumerate(lines) if line.lstrip().startswith(">>> ")), None)
    if framework in FRAMEWORKS and start is not None:
        indent = " " * (len(lines[start]) - len(lines[start].lstrip()))
        needed = snippets.imports(snippets.example("\n".join(lines)), framework)
        lines[start:start] = [f"{indent}>>> {line}" for line in needed]


class LinkNames(SphinxTransform):
    """Make the name of a function in a guide's code, such as `iou_loss`, a link to its page."""

    default_priority = 210  # after MyST's own, before references are resolved

    def apply(self, **_: Any) -> None:
        """Wrap each name that is no link yet."""
        if self.env.docname.startswith(GENERATED.name):
            return
        for node in list(self.document.findall(nodes.literal)):
            name = node.astext().removeprefix("ak.")
            if name in anomaly_kernels.__all__ and not isinstance(
                node.parent, nodes.reference | nodes.title | pending_xref
            ):
                options = {"refdomain": "py", "reftype": "obj", "reftarget": f"anomaly_kernels.{name}"}
                node.replace_self(pending_xref("", node.deepcopy(), refdoc=self.env.docname, **options))


def find_in_package(app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.Element) -> nodes.Node | None:
    """Where a docstring of another module names a function or a state, such as `roc_auc`: its page."""
    name, states = node["reftarget"], [name for name in streaming.__all__ if name[0].isupper()]
    below = "" if name in anomaly_kernels.__all__ else "streaming." if name in states else None
    if node["reftype"] != "obj" or below is None:
        return None
    target = f"anomaly_kernels.{below}{name}"
    return env.domains["py"].resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, shown)


class Picture(SphinxDirective):
    """``{picture} NAME``: a picture that pictures.py draws, in the form for light and for dark pages."""

    required_arguments = 1
    option_spec: ClassVar = {"alt": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Two images, of which the theme shows one."""
        if not self.options.get("alt"):
            raise self.error("a picture needs an :alt: text")
        uri = f"/{GENERATED.name}/pictures/{self.arguments[0]}.{{}}.svg"
        return [
            nodes.image(uri=uri.format(theme), alt=self.options["alt"], classes=[f"only-{theme}"])
            for theme in ("light", "dark")
        ]


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages, and draw the pictures, before Sphinx looks for them."""
    write_pages()
    pictures.draw_pictures(GENERATED / "pictures")
    pictures.draw_scenes(GENERATED / "pictures")
    committed.write(GENERATED / "pictures")
    app.add_directive("picture", Picture)
    app.add_transform(LinkNames)
    app.connect("autodoc-process-docstring", mend_enumerations, priority=900)  # after numpydoc
    app.connect("autodoc-process-docstring", add_imports, priority=900)
    snippets.setup(app)
    run_examples.run_examples(GENERATED)
    app.connect("missing-reference", find_in_package)
    app.connect("env-check-consistency", warn_of_missing_names)
    return {"parallel_read_safe": True}
