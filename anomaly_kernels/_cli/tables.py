"""Print tables and progress, in colour on a terminal where rich is installed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from typing import TypeVar

Result = TypeVar("Result")
Row = Sequence[str]

RULE, HEADER, SENTENCE, CELLS = "dim", "bold", "yellow", ""


def is_rich() -> bool:
    """Whether output goes to a terminal and rich is installed."""
    return sys.stdout.isatty() and find_spec("rich") is not None


def progress(results: Iterable[Result], total: int, doing: str) -> Iterator[Result]:
    """Yield the results, and show on a terminal how many of them are there."""
    if not is_rich():
        yield from results
        return
    from rich.progress import track

    yield from track(results, description=doing, total=total, transient=True)


def print_table(title: str, columns: Row, groups: Sequence[Sequence[Row]], *, left: int = 1) -> None:
    """Print groups of rows with rules between them, the first columns flush left and the others flush right.

    Where a row has fewer cells than there are columns, the last one is a sentence and runs on.
    """
    lines = _lines(title, columns, groups, left)
    if not is_rich():
        print("\n".join(line for _, line in lines))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for style, line in lines:
        # Brackets in a Text are no markup, and lines that the terminal itself wraps can be copied whole.
        console.print(Text(line, style), soft_wrap=True)


def _lines(title: str, columns: Row, groups: Sequence[Sequence[Row]], left: int) -> Iterator[tuple[str, str]]:
    rows = [columns, *(row for group in groups for row in group)]
    width = [
        max(len(row[i]) for row in rows if len(row) == len(columns) or i < len(row) - 1) for i in range(len(columns))
    ]

    def line(row: Row) -> str:
        cells = [cell.ljust(width[i]) if i < left else cell.rjust(width[i]) for i, cell in enumerate(row)]
        return "  ".join(cells if len(row) == len(columns) else [*cells[:-1], row[-1]]).rstrip()

    rule = "-" * (sum(width) + 2 * (len(width) - 1))
    yield from ((HEADER, title), (RULE, rule), (HEADER, line(columns)), (RULE, rule))
    for group in groups:
        yield from ((CELLS if len(row) == len(columns) else SENTENCE, line(row)) for row in group)
        yield RULE, rule
