"""Tables and progress: rich on a terminal where it is installed, plain text everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from typing import TypeVar

Result = TypeVar("Result")
Row = Sequence[str]


def is_rich() -> bool:
    """Whether output goes to a terminal and rich is there to draw on it."""
    return sys.stdout.isatty() and find_spec("rich") is not None


def print_table(title: str, columns: Row, groups: Iterable[Sequence[Row]]) -> None:
    """Print groups of rows, a rule between them; in a row shorter than the header the last cell runs on."""
    if is_rich():
        _print_rich(title, columns, groups)
    else:
        print("\n".join(_plain_lines(title, columns, list(groups))))


def progress(results: Iterable[Result], total: int, doing: str) -> Iterator[Result]:
    """Pass results on and show on a terminal how many of them have come."""
    if not is_rich():
        yield from results
        return
    from rich.progress import track

    yield from track(results, description=doing, total=total, transient=True)


def _print_rich(title: str, columns: Row, groups: Iterable[Sequence[Row]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i < 2 else "right", no_wrap=i == 0)
    for group in groups:
        for row in group:
            table.add_row(*map(escape, row))
        table.add_section()
    Console().print(table)


def _plain_lines(title: str, columns: Row, groups: Sequence[Sequence[Row]]) -> Iterator[str]:
    # A row that stops early holds a sentence in its last cell: it would stretch a column of numbers.
    full = [columns, *(row for group in groups for row in group if len(row) == len(columns))]
    width = [max(len(row[i]) for row in full) for i in range(len(columns))]
    width[0] = max(width[0], *(len(row[0]) for group in groups for row in group))

    def line(row: Row) -> str:
        last = len(row) - 1 if len(row) < len(columns) else len(row)
        cells = [c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(row[:last], width, strict=False))]
        return "  ".join([*cells, *row[last:]]).rstrip()

    rule = "-" * (sum(width) + 2 * (len(width) - 1))
    yield from (title, rule, line(columns), rule)
    for group in groups:
        yield from map(line, group)
        yield rule
