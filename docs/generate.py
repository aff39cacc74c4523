"""A Sphinx extension that writes the reference: a page for each subpackage, the table of classes, the support page.

Kernels are read from the catalogue, other names from ``__all__``. A public name that is on no page fails the build.
"""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import committed
import pictures
import run_examples
import snippets
import support
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

import anomaly_kernels
from anomaly_kernels._catalogue import CATALOGUE

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

GENERATED = Path(__file__).parent / "generated"
# the page -> the module whose __all__ it shows, and the module that users import these names from
PAGES = {
    "losses": ("anomaly_kernels.losses", "anomaly_kernels"),
    "metrics": ("anomaly_kernels.metrics", "anomaly_kernels"),
    "streaming": ("anomaly_kernels.streaming", "anomaly_kernels.streaming"),
    "networks": ("anomaly_kernels.networks", "anomaly_kernels"),
    "objective": ("anomaly_kernels.objective", "anomaly_kernels"),
    "weights": ("anomaly_kernels.weights", "anomaly_kernels.weights"),
    "torch": ("anomaly_kernels.torch", "anomaly_kernels.torch"),
    "keras": ("anomaly_kernels.keras", "anomaly_kernels.keras"),
    "plots": ("anomaly_kernels.plots", "anomaly_kernels.plots"),
    "authoring": ("anomaly_kernels.authoring", "anomaly_kernels.authoring"),
    "testing": ("anomaly_kernels.testing", "anomaly_kernels.testing"),
    "data": ("anomaly_kernels.data", "anomaly_kernels.data"),
}
TORCH_BASES = {"Loss": "torch.nn.Module", "Metric": "torchmetrics.Metric"}
KERAS_BASES = {
    "Loss": "keras.losses.Loss",
    "Regularizer": "keras.regularizers.Regularizer",
    "EndpointLayer": "keras.layers.Layer",
    "WeighedLayer": "keras.layers.Layer",
    "Metric": "keras.metrics.Metric",
}
log = logging.getLogger(__name__)


def section(home: str, names: list[str]) -> str:
    """A section that lists the names that a file defines, each with the first line of its docstring."""
    title = home.rpartition(".")[2].strip("_").replace("_", " ").capitalize()
    entries = "\n".join(f"   {name}" for name in names)
    intro = f"{title}\n{'-' * len(title)}\n\n{support.headline(sys.modules[home])}."
    return f"{intro}\n\n.. autosummary::\n   :toctree: .\n\n{entries}\n"


def page(name: str) -> str:
    """The page of a subpackage: its names in sections, one for each file that defines some."""
    listed, public = PAGES[name]
    module = importlib.import_module(listed)
    kernels = [entry.name for entry in CATALOGUE if entry.package == name]
    sections: dict[str, list[str]] = {}
    for member in kernels or module.__all__:
        home = getattr(getattr(module, member), "__module__", listed)
        sections.setdefault(home if home.startswith(listed) else listed, []).append(member)
    parts = [section(home, names) for home, names in sections.items()]
    title = name.capitalize()
    return f"{title}\n{'=' * len(title)}\n\n{support.headline(module)}.\n\n.. currentmodule:: {public}\n\n" + "\n".join(
        parts
    )


def classes_page() -> str:
    """Which class, of which base, belongs to each function."""
    text = (
        "# Functions and classes\n\nClasses have the same name in `anomaly_kernels.torch` and `anomaly_kernels.keras`. "
    )
    text += "`anomaly_kernels.jax` has\nevery function, and the classes of metrics.\n\n"
    text += "| function | class | base in torch | base in Keras |\n|---|---|---|---|\n"
    for entry in CATALOGUE:
        if entry.torch and entry.keras:
            bases = f"`{TORCH_BASES[entry.torch]}` | `{KERAS_BASES[entry.keras]}`"
            text += f"| {{func}}`~anomaly_kernels.{entry.name}` | `{entry.cls}` | {bases} |\n"
    return text


def write_pages() -> None:
    """Write all pages, anew: what an earlier build left may be of names that are gone."""
    shutil.rmtree(GENERATED, ignore_errors=True)
    GENERATED.mkdir()
    for name in PAGES:
        (GENERATED / f"{name}.rst").write_text(page(name))
    (GENERATED / "jax.rst").write_text("JAX\n===\n\n.. automodule:: anomaly_kernels.jax\n")
    (GENERATED / "classes.md").write_text(classes_page())
    (GENERATED / "support.md").write_text(support.page())


def warn_of_missing_names(_: Sphinx, env: BuildEnvironment) -> None:
    """Warn, which fails the build, of each public name that no page documents."""
    documented = {name.rpartition(".")[2] for name in env.domains["py"].objects}
    for name in sorted(set(anomaly_kernels.__all__) - documented - {"__version__"}):
        log.warning("the public name anomaly_kernels.%s is on no page of the documentation", name)


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
    app.config.autosummary_context = {"pictures": pictures.draw_pictures(GENERATED / "pictures")}
    pictures.draw_scenes(GENERATED / "pictures")
    committed.write(GENERATED / "pictures")
    app.add_directive("picture", Picture)
    snippets.setup(app)
    run_examples.run_examples(GENERATED)
    app.connect("env-check-consistency", warn_of_missing_names)
    return {"parallel_read_safe": True}
