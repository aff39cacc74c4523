"""A Sphinx extension: the reference's pages, written from ``__all__``, and a check that no public name is left out.

A page a subpackage, a section a file, a line a name: a new kernel appears in the documentation by itself.
"""

from __future__ import annotations

import importlib
import inspect
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.util import logging

import anomaly_kernels

if TYPE_CHECKING:
    from types import ModuleType

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

GENERATED = Path(__file__).parent / "generated"
# the page -> the module whose __all__ it shows, and the module that users import these names from
PAGES = {
    "losses": ("anomaly_kernels.losses", "anomaly_kernels"),
    "metrics": ("anomaly_kernels.metrics", "anomaly_kernels"),
    "networks": ("anomaly_kernels.networks", "anomaly_kernels"),
    "testing": ("anomaly_kernels.testing", "anomaly_kernels.testing"),
    "data": ("anomaly_kernels.data", "anomaly_kernels.data"),
}
log = logging.getLogger(__name__)


def headline(module: ModuleType) -> str:
    """The first line of a module's docstring, without its full stop."""
    return (inspect.getdoc(module) or module.__name__).splitlines()[0].rstrip(".")


def section(title: str, names: list[str]) -> str:
    """A section that lists some names, each with the first line of its docstring."""
    entries = "\n".join(f"   {name}" for name in names)
    return f"{title}\n{'-' * len(title)}\n\n.. autosummary::\n   :toctree: .\n\n{entries}\n"


def page(name: str) -> str:
    """The page of a subpackage: its names in sections, one for each file that defines some."""
    listed, public = PAGES[name]
    module = importlib.import_module(listed)
    sections: dict[str, list[str]] = {}
    for member in module.__all__:
        home = getattr(getattr(module, member), "__module__", listed)
        sections.setdefault(home if home.startswith(listed) else listed, []).append(member)
    parts = [section(headline(sys.modules[home]), names) for home, names in sections.items()]
    title = name.capitalize()
    return f"{title}\n{'=' * len(title)}\n\n{headline(module)}.\n\n.. currentmodule:: {public}\n\n" + "\n".join(parts)


def write_pages() -> None:
    """Write all pages, anew: what an earlier build left may be of names that are gone."""
    shutil.rmtree(GENERATED, ignore_errors=True)
    GENERATED.mkdir()
    for name in PAGES:
        (GENERATED / f"{name}.rst").write_text(page(name))


def warn_of_missing_names(_: Sphinx, env: BuildEnvironment) -> None:
    """Warn, which fails the build, of each public name that no page documents."""
    documented = {name.rpartition(".")[2] for name in env.domains["py"].objects}
    for name in sorted(set(anomaly_kernels.__all__) - documented - {"__version__"}):
        log.warning("the public name anomaly_kernels.%s is on no page of the documentation", name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for them."""
    write_pages()
    app.connect("env-check-consistency", warn_of_missing_names)
    return {"parallel_read_safe": True}
