"""Tables of the pages on accuracy, speed and parity, from committed results and from what our functions give now."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import parity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"
NAMES = {"numpy": "NumPy", "torch": "torch", "jax": "JAX", "tensorflow": "TensorFlow"}
Row = dict[str, Any]


def write(folder: Path) -> None:
    """Write each as a file that a page includes."""
    parts = {"accuracy": accuracy(read("accuracy")), "speed": speed(read("latest")), "speed_details": details()}
    parts |= {f"parity_{peer}": [text] for peer, text in parity.sections()}
    for name, text in parts.items():
        path, content = folder / f"{name}.inc", "".join(text)
        if not path.exists() or path.read_text() != content:  # else Sphinx reads the page again
            path.write_text(content)


def read(name: str) -> dict[str, Any]:
    """A committed file of results."""
    content: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return content


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown; all columns but the first are numbers."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines) + "\n"


def about(results: dict[str, Any], packages: Sequence[str]) -> str:
    """When, where and of what versions a run was."""
    machine, versions = results["machine"], results["versions"]
    told = ", ".join(f"{name} {versions[name]}" for name in packages if name in versions)
    where = f"commit {results['commit']}, on {machine['processor']}, {machine['cores']} cores"
    return f"Measured {machine['when'][:10]}, {where}: {told}.\n"


# ---- accuracy


def accuracy(results: dict[str, Any]) -> Iterator[str]:
    """A summary, a table for each library, and the kernels without a reference."""
    libraries: dict[str, list[Row]] = results["libraries"]
    yield about(results, ("python", *libraries)) + "\n"
    yield table(
        ["library", "dtype", *(f"{what}, {which}" for what in ("value", "slope") for which in ("median", "largest"))],
        [
            [NAMES[name], dtype, *_summary(rows, dtype)]
            for dtype in ("float64", "float32")
            for name, rows in libraries.items()
        ],
    )
    yield "::::{tab-set}\n"
    for name, rows in libraries.items():
        yield f":::{{tab-item}} {NAMES[name]}\n"
        yield _errors([row for row in rows if row["inputs"] == "ordinary"])
        yield ":::\n"
    yield "::::\n\n### At the edges\n\n"
    yield "Large: real numbers up to ±1000. Constant: all numbers of an array are equal. Offset: 1000 is added.\n\n"
    yield "::::{tab-set}\n"
    for name, rows in libraries.items():
        yield f":::{{tab-item}} {NAMES[name]}\n"
        yield _errors([row for row in rows if row["inputs"] != "ordinary"], ["inputs"])
        yield ":::\n"
    yield "::::\n\n"
    yield "### Without a reference of 50 digits\n\n"
    yield ", ".join(_function(name) for name in results["without a reference"]) + ".\n"


def _summary(rows: Sequence[Row], dtype: str) -> Iterator[str]:
    for what in ("value", "slope"):
        found = [row[f"{what} {dtype}"] for row in rows if row["inputs"] == "ordinary"]
        yield from (_number(median(found)), _number(max(found)))


def _errors(rows: Sequence[Row], more: Sequence[str] = ()) -> str:
    head = ["function", *more, *(f"{what}, {d}" for d in ("float64", "float32") for what in ("value", "slope"))]
    return table(head, [[_function(row["kernel"]), *(row[name] for name in more), *_cells(row)] for row in rows])


def _cells(row: Row) -> Iterator[str]:
    for dtype in ("float64", "float32"):
        for what in ("value", "slope"):
            own, terms = row[f"{what} {dtype}"], row[f"{what}, terms {dtype}"]
            yield f"{_number(own)}\u202f({_number(terms)})" if own > 4 else _number(own)


def _function(name: str) -> str:
    return f"{{func}}`~anomaly_kernels.{name}`"


def _number(x: float) -> str:
    return f"{x:.0e}" if x >= 1e4 else f"{x:.0f}" if x >= 10 else f"{x:.1f}"


# ---- speed


def speed(results: dict[str, Any]) -> Iterator[str]:
    """Of each case at large inputs: our time over that of the plain formula, and of the best peer."""
    yield about(results, ("python", "numpy", "torch", "jax", "tensorflow"))
    for date in dict.fromkeys(later["machine"]["when"][:10] for later in results.get("later", [])):
        runs = [later for later in results["later"] if later["machine"]["when"].startswith(date)]
        yield f"Measured {date}: {', '.join(dict.fromkeys(case for run in runs for case in run['cases']))}.\n"
    ways = {
        (name, way): f"{NAMES[name]}{', gradient' * gradient}"
        for name, rows in results["libraries"].items()
        if name in NAMES
        for gradient, way in enumerate(_usual(rows["speed"]))
    }
    rows = {(name, way): list(_measured(results["libraries"][name]["speed"], way)) for name, way in ways}
    cases = dict.fromkeys(row["case"] for found in rows.values() for row in found)
    for title, ratio in (
        ("Our time divided by that of the plain formula", _over_plain),
        ("Our time divided by that of the fastest peer", _over_peers),
    ):
        found = {way: {row["case"]: cell for row in each if (cell := ratio(row))} for way, each in rows.items()}
        cells = [[case, *(found[way].get(case, "–") for way in ways)] for case in cases]
        yield f"\n**{title}**\n\n"
        yield table(["case", *ways.values()], [row for row in cells if set(row[1:]) != {"–"}])


def _usual(rows: Sequence[Row]) -> list[str]:
    """The way in which users of a library call a loss, and that with a gradient."""
    ways = dict.fromkeys(row["way"] for row in rows if row["part"] == "large")
    return list(ways)[:1] + [way for way in ways if way == f"{next(iter(ways))}, gradient"]


def _measured(rows: Sequence[Row], way: str) -> Iterator[Row]:
    return (row for row in rows if row["part"] == "large" and row["way"] == way and not row["busy"])


def _over_plain(row: Row) -> str:
    return _ratio(row["ours_over"]["plain"][1]) if "plain" in row["ours_over"] else ""


def _over_peers(row: Row) -> str:
    peers = [quartiles[1] for who, quartiles in row["ours_over"].items() if who != "plain"]
    return _ratio(max(peers)) if peers else ""


def _ratio(x: float) -> str:
    return f"{x:.2f}" if x >= 0.095 else f"{x:.1g}"


def details() -> Iterator[str]:
    """The tables of the run, folded, a fold for each library."""
    text = (RESULTS / "tables.md").read_text()
    run, *libraries = text.split("\n## ")
    for title, part in [("The run", run), *(part.split("\n", 1) for part in libraries)]:
        bold = part.replace("\n### ", "\n**").replace("\n**", "\n\n**")
        lines = [f"{line}**" if line.startswith("**") else line for line in bold.splitlines()]
        yield f":::{{dropdown}} {title}\n{chr(10).join(lines)}\n:::\n\n"
