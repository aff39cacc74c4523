"""The results as tables in Markdown, for the terminal and the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

MIB = 2**20
Row = dict[str, Any]


def lines(results: dict[str, Any]) -> Iterator[str]:
    """Everything, library by library."""
    yield from _about(results)
    for name, rows in results["libraries"].items():
        speed, memory = rows["speed"], rows["memory"]
        yield from (f"## {name}", "", f"Plain sums read {_bandwidth(speed)}.", "")
        yield from _table("Large inputs", _large(_part(speed, "large")))
        yield from _table("Small calls", _small(_part(speed, "small")))
        yield from _table("Growth", _growth(_part(speed, "growth"), _part(memory, "growth")))
        yield from _table("Peak memory", _memory(_part(memory, "large")))
        yield from _table("Around the kernels", _around(_part(speed, "around")))
        yield from _table("Not compared", [{**_labels(row), "why": row["why"]} for row in _part(speed, "refused")])


def _about(results: dict[str, Any]) -> Iterator[str]:
    yield from _of_run(results)
    yield ""
    for later in results.get("later", []):
        yield from (f"Measured later, in {' and '.join(later['of'])}: {', '.join(later['cases'])}.", "")
        yield from _of_run(later)
        yield ""


def _of_run(results: dict[str, Any]) -> Iterator[str]:
    machine, packages = results["machine"], [f"{name} {number}" for name, number in results["versions"].items()]
    load = ", ".join(f"{x:.2f}" for x in machine["load"])
    yield f"- {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; {machine['system']}"
    yield f"- GPU: {machine['gpu'] or 'none'}"
    yield f"- {machine['when']}, load before it began {load}"
    yield f"- {', '.join(packages)}; commit {results['commit'] or 'unknown'}"
    clock, quick = results["plan"]["patience"][-1], "; --quick" if results["quick"] else ""
    yield f"- seed of the random order {results['plan']['seed']}; clock {clock}{quick}"
    yield f"- import, beyond NumPy's: {_spread(results['import_milliseconds'])} ms"


def _large(rows: list[Row]) -> list[Row]:
    busy = {(row["case"], row["way"]): row for row in rows if row["busy"]}
    return [
        {
            **_labels(row),
            "ours, ms": _number(row["milliseconds"]["ours"][1]),
            **_ratios(row),
            "share of bandwidth": _percent(row.get("share")),
            "over plain, beside a busy process": _over(busy.get((row["case"], row["way"])), "plain"),
        }
        for row in rows
        if not row["busy"]
    ]


def _small(rows: list[Row]) -> list[Row]:
    return [{**_labels(row), "ours, µs": _number(1e3 * row["milliseconds"]["ours"][1]), **_ratios(row)} for row in rows]


def _growth(rows: list[Row], memory: list[Row]) -> list[Row]:
    peaks = {_key(row): row for row in memory}
    return [
        {
            **_labels(row),
            "ours, ns a number": _number(1e6 * row["milliseconds"]["ours"][1] / row["elements"]),
            **_ratios(row),
            "share of bandwidth": _percent(row.get("share")),
            **{f"bytes a byte, {who}": _per_byte(peaks.get(_key(row)), who) for who in ("ours", "plain")},
        }
        for row in rows
    ]


def _memory(rows: list[Row]) -> list[Row]:
    def mib(size: int | None) -> str:
        return "–" if size is None else f"{size / MIB:.1f}"

    return [
        {
            **_labels(row),
            "inputs, MiB": mib(row["input_bytes"]),
            **{who: mib(row["peak_bytes"][who]) for who in ("ours", "plain")},
            "peers": "; ".join(f"{who} {mib(row['peak_bytes'][who])}" for who in _peers(row["peak_bytes"])) or "–",
        }
        for row in rows
    ]


def _around(rows: list[Row]) -> list[Row]:
    return [
        {
            "what": row["case"],
            "way": row["way"],
            "ours, µs": _number(1e3 * row["milliseconds"]["ours"][1]),
            "over without": _over(row, "plain"),
        }
        for row in rows
    ]


def _labels(row: Row) -> dict[str, str]:
    return {"case": row["case"], "numbers": f"{row['elements']:,}".replace(",", " "), "way": row["way"]}


def _key(row: Row) -> tuple[Any, ...]:
    return row["case"], row["elements"], row["way"]


def _part(rows: list[Row], part: str) -> list[Row]:
    return [row for row in rows if row["part"] == part]


def _peers(of: dict[str, Any]) -> list[str]:
    return [who for who in of if who not in {"ours", "plain"}]


def _ratios(row: Row) -> dict[str, str]:
    peers = "; ".join(f"{who} {_over(row, who)}" for who in _peers(row["ours_over"]))
    return {"over plain": _over(row, "plain"), "over peers": peers or "–"}


def _over(row: Row | None, who: str) -> str:
    return _spread(row["ours_over"][who]) if row else "–"


def _spread(quartiles: Sequence[float]) -> str:
    low, median, high = (_number(x) for x in quartiles)
    return f"{median} ({low}–{high})"


def _number(x: float) -> str:
    """Three digits that count, and no more zeros than there are."""
    return f"{x:.0f}" if x >= 100 else f"{x:.{1 if x >= 10 else 2 if x >= 0.1 else 3}f}"


def _percent(quartiles: Sequence[float] | None) -> str:
    return f"{100 * quartiles[1]:.0f} %" if quartiles else "–"


def _per_byte(row: Row | None, who: str) -> str:
    size = row["peak_bytes"][who] if row else None
    return "–" if size is None else f"{size / row['input_bytes']:.2f}"


def _bandwidth(speed: list[Row]) -> str:
    speeds = sorted(row["gigabytes_per_second"][1] for row in speed if "gigabytes_per_second" in row)
    return f"{speeds[len(speeds) // 2]:.1f} GB/s" if speeds else "nothing here: all inputs are small"


def _table(title: str, rows: list[Row]) -> Iterator[str]:
    if not rows:
        return
    columns = list(rows[0])
    widths = [max(len(column), *(len(row[column]) for row in rows)) for column in columns]
    yield from (f"### {title}", "")
    for row in (columns, ["-" * width for width in widths], *(list(row.values()) for row in rows)):
        yield f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
    yield ""
