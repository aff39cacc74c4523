"""What became slower, or needs more memory, from one run to the next.

Speed is compared as the ratio to the plain formula, which was measured beside it: another machine, or another load,
moves both. A ratio counts as worse when its median is by more than the tolerance and the quartiles lie apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MIB = 2**20
Key = tuple[Any, ...]


def lines(old: dict[str, Any], new: dict[str, Any], tolerance: float) -> tuple[list[str], bool]:
    """What there is to say, and whether anything is worse."""
    worse = [*_slower(old, new, tolerance), *_larger(old, new, tolerance)]
    report = [f"worse: {line}" for line in worse] or ["nothing is worse"]
    for kind in ("speed", "memory"):
        before, after = _rows(old, kind), _rows(new, kind)
        report += [f"missing in NEW ({kind}): {_label(key)}" for key in before if key not in after]
        report += [f"missing in OLD ({kind}): {_label(key)}" for key in after if key not in before]
    return report, bool(worse)


def _slower(old: dict[str, Any], new: dict[str, Any], tolerance: float) -> Iterator[str]:
    before = _rows(old, "speed")
    for key, row in _rows(new, "speed").items():
        (low, then, high), (least, now, _) = (each["ours_over"]["plain"] for each in (before.get(key, row), row))
        if now > tolerance * then and least > high:
            yield f"{_label(key)}: {now:.2f} × the plain formula, was {then:.2f} ({low:.2f}–{high:.2f})"


def _larger(old: dict[str, Any], new: dict[str, Any], tolerance: float) -> Iterator[str]:
    before = _rows(old, "memory")
    for key, row in _rows(new, "memory").items():
        then, now = (each["peak_bytes"]["ours"] for each in (before.get(key, row), row))
        # a system tells of pages, not of bytes, and counts what threads and allocators keep: that is below 1 MiB
        if None not in (then, now) and now - then > max((tolerance - 1) * then, MIB):
            yield f"{_label(key)}: peak memory {now / MIB:.1f} MiB, was {then / MIB:.1f}"


def _rows(results: dict[str, Any], kind: str) -> dict[Key, dict[str, Any]]:
    return {
        (library, row["case"], row["part"], row["elements"], row["way"], row.get("busy", False)): row
        for library, rows in results["libraries"].items()
        for row in rows[kind]
        if row["part"] != "refused"
    }


def _label(key: Key) -> str:
    library, case, _, elements, way, busy = key
    size = f", {elements} numbers" if elements else ""
    return f"{library}, {case}{size}, {way}{', beside a busy process' if busy else ''}"
