"""The tables of parity.md: what peers gave, as it was observed, beside what we give, computed as the page is built."""

from __future__ import annotations

import tomllib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import anomaly_kernels as ak

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SOURCE = Path(__file__).with_name("parity.toml")
DIGITS = 7


class Row(NamedTuple):
    """A line of the table of a peer; see the head of parity.toml."""

    peer: str
    name: str
    given: str
    theirs: str
    why: str = ""
    call: str = ""
    ours: str = ""
    let: str = ""
    again: str = ""


def peers() -> dict[str, dict[str, Any]]:
    """The file, by peer."""
    return tomllib.loads(SOURCE.read_text())


def rows_of(peer: str, entry: Mapping[str, Any]) -> list[Row]:
    """The rows of a peer, with what all of them share."""
    return [Row(peer, **{**row, "let": f"{entry.get('let', '')}\n{row.get('let', '')}"}) for row in entry["rows"]]


def scope_of(row: Row, **names: Any) -> dict[str, Any]:
    """What a call may name: what `let` defines, and what is handed in."""

    def bits(text: str) -> np.ndarray:
        return np.asarray([c == "1" for c in text])

    scope = {"ak": ak, "np": np, "bits": bits} | names
    exec(row.let, scope)  # noqa: S102 - from our own file
    return scope


def result_of(code: str, scope: dict[str, Any]) -> str:
    """What an expression gives, as it is shown; of an error its name."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            return shown(eval(code, scope))  # noqa: S307 - from our own file
    except (ArithmeticError, RuntimeError, TypeError, ValueError) as error:
        return type(error).__name__


def shown(x: Any) -> str:
    """A number, a few numbers, or a word."""
    if isinstance(x, str | np.dtype):
        return str(x)
    x = np.asarray(x)
    if x.dtype.kind == "b":
        return str(x.item())
    if x.ndim:
        return f"[{' '.join(f'{each:.2e}' for each in x.flat)}]"
    return f"{float(x):.{DIGITS}g}"


def same(found: str, recorded: str) -> bool:
    """Whether a result is the recorded one, to the digits that are recorded."""
    try:
        digits = len(recorded.partition("e")[0].lstrip("-0.").replace(".", "")) or 1
        return f"{float(found):.{digits}g}" == f"{float(recorded):.{digits}g}"
    except ValueError:
        return found == recorded


def sections() -> Iterator[tuple[str, str]]:
    """For each peer the Markdown of its table, and of the calls that gave our numbers."""
    for peer, entry in peers().items():
        text = f"Version {entry['version']}"
        text += ", measured again by `python -m benchmarks parity`.\n" if "package" in entry else ", as observed.\n"
        text += f"{entry['note']}\n" if "note" in entry else ""
        text += "\n| function | theirs | ours | given, and why |\n|---|---|---|---|\n"
        calls = [] if entry.get("let") is None else [f"{entry['let']}\n"]
        for row in rows_of(peer, entry):
            ours = result_of(row.call, scope_of(row)) if row.call else "–"
            given = f"{row.given[0].upper()}{row.given[1:]}.<br>{row.why}".removesuffix("<br>")
            text += f"| {row.name} | {row.theirs} | {ours.replace(' ', '<br>')} | {given} |\n"
            calls += _told(row, entry, ours) if row.call else []
        code = "\n".join(calls)
        yield peer, f"{text}\n::::{{dropdown}} The calls\n```{{code-block}} python3\n{code}```\n::::\n"


def _told(row: Row, entry: Mapping[str, Any], ours: str) -> list[str]:
    """A call with what it needs, and what it gives."""
    own = row.let.removeprefix(f"{entry.get('let', '')}\n").replace("; ", "\n")
    return [
        f"# {row.name.replace('`', '')}: {row.given.replace('`', '')}",
        *[own] * bool(own),
        f"{row.call}  # {ours}\n",
    ]
