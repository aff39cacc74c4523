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
from anomaly_kernels.testing.contract import CHECKS
from anomaly_kernels.testing.matrix import support_matrix

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

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
    "testing": ("anomaly_kernels.testing", "anomaly_kernels.testing"),
    "data": ("anomaly_kernels.data", "anomaly_kernels.data"),
}
log = logging.getLogger(__name__)


def headline(documented: ModuleType | Callable[..., object]) -> str:
    """The first line of a docstring, without its full stop."""
    return (inspect.getdoc(documented) or documented.__name__).splitlines()[0].rstrip(".")


def section(home: str, names: list[str]) -> str:
    """A section that lists the names that a file defines, each with the first line of its docstring."""
    title = home.rpartition(".")[2].strip("_").replace("_", " ").capitalize()
    entries = "\n".join(f"   {name}" for name in names)
    intro = f"{title}\n{'-' * len(title)}\n\n{headline(sys.modules[home])}."
    return f"{intro}\n\n.. autosummary::\n   :toctree: .\n\n{entries}\n"


def page(name: str) -> str:
    """The page of a subpackage: its names in sections, one for each file that defines some."""
    listed, public = PAGES[name]
    module = importlib.import_module(listed)
    sections: dict[str, list[str]] = {}
    for member in module.__all__:
        home = getattr(getattr(module, member), "__module__", listed)
        sections.setdefault(home if home.startswith(listed) else listed, []).append(member)
    parts = [section(home, names) for home, names in sections.items()]
    title = name.capitalize()
    return f"{title}\n{'=' * len(title)}\n\n{headline(module)}.\n\n.. currentmodule:: {public}\n\n" + "\n".join(parts)


def support_page() -> str:
    """What is checked of every kernel in every library, and what does not apply, with the reason."""
    missing = {(row.library, row.kernel): row.missing for row in support_matrix()}
    libraries = list(dict.fromkeys(library for library, _ in missing))
    kernels = list(dict.fromkeys(kernel for _, kernel in missing))
    lacks = {at: {check for check in CHECKS if all(check in missing[at, k] for k in kernels)} for at in libraries}
    text = "# Support\n\nEvery kernel passes these checks in every library, but for what is listed below the table.\n"
    text += "CuPy's checks run where there is a GPU.\n\n"
    text += f"| check | {' | '.join(libraries)} |\n|---|{':-:|' * len(libraries)}\n"
    for check in CHECKS:
        marks = " | ".join("–" if check in lacks[library] else "✓" for library in libraries)
        text += f"| [{check}](#{check}) | {marks} |\n"
    text += "\n## What does not apply\n\n"
    for library in libraries:
        reasons = dict.fromkeys(missing[library, kernels[0]][check] for check in CHECKS if check in lacks[library])
        text += (
            f"- {library} {', '.join(reason.removeprefix(f'{library} ') for reason in reasons)}.\n" if reasons else ""
        )
    for kernel in kernels:
        checks: dict[str, list[str]] = {}
        for library in libraries:
            for check, reason in missing[library, kernel].items():
                if check not in lacks[library] and check not in checks.setdefault(reason, []):
                    checks[reason].append(check)
        told = [f"{reason} (not checked: {', '.join(names)})" for reason, names in checks.items() if names]
        text += f"- `{kernel}`: {'; '.join(told)}.\n" if told else ""
    text += "\n## The checks\n\n"
    return text + "\n".join(f"({check})=\n- **{check}**: {headline(CHECKS[check])}." for check in CHECKS)


def write_pages() -> None:
    """Write all pages, anew: what an earlier build left may be of names that are gone."""
    shutil.rmtree(GENERATED, ignore_errors=True)
    GENERATED.mkdir()
    for name in PAGES:
        (GENERATED / f"{name}.rst").write_text(page(name))
    (GENERATED / "jax.rst").write_text("JAX\n===\n\n.. automodule:: anomaly_kernels.jax\n")
    (GENERATED / "support.md").write_text(support_page())


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
