"""Which guides speak of a name: those whose code has it."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DOCS = Path(__file__).parent


def mentions(paths: Iterable[str]) -> list[str]:
    """The guides whose code has one of the names, that with most of them first.

    A word of everyday language counts only with its module.
    """
    names = {path: path.rpartition(".")[2] for path in paths}
    words = {name if "_" in name or name[0].isupper() else path for path, name in names.items()}
    counts = {page: sum(code[word] for word in words) for page, code in guides().items()}
    return sorted((page for page, count in counts.items() if count), key=counts.__getitem__, reverse=True)


@cache
def guides() -> dict[str, Counter[str]]:
    """The names in the code of each guide, and how often they stand there; guides that help to choose are first."""
    project = re.findall(r"^(?!:)[\w/]+$", (DOCS / "project.md").read_text(), re.MULTILINE)
    first = ["start", "losses", "which_metric"]
    others = {*project, "index", "glossary", "guides", "mutation", "project", "reference"}
    paths = [*(path.stem for path in sorted(DOCS.glob("*.md")) if path.stem not in {*first, *others})]
    for folder in ("coming_from", "recipes"):
        paths += [f"{folder}/{path.stem}" for path in sorted((DOCS / folder).glob("*.md")) if path.stem != "index"]
    return {page: _names(DOCS / f"{page}.md") for page in first + paths}


def title(page: str) -> str:
    """The first heading of a page."""
    return re.search(r"^# (.+)$", (DOCS / f"{page}.md").read_text(), re.MULTILINE)[1]


def _names(page: Path) -> Counter[str]:
    """The names in the code of a page and of the examples that it shows, with and without their modules."""
    text = page.read_text()
    code = re.findall(r"^```.*?^```|`[^`\n]+`", text, re.MULTILINE | re.DOTALL)
    code += [path.read_text() for path in DOCS.glob("examples/*.py") if f"examples/{path.name}" in text]
    dotted = Counter(name for part in code for name in re.findall(r"[A-Za-z_][\w.]*", part))
    return dotted + Counter(name for path in dotted.elements() if "." in path for name in path.split("."))
