"""The results as tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

MIB = 2**20


def lines(results: dict[str, Any]) -> Iterator[str]:
    """Everything, library by library."""
    machine = results["machine"]
    yield f"{machine['processor']}, {machine['cores']} cores, load {machine['load']:.1f}; Python {machine['python']}"
    seconds = results["import_seconds"]
    yield f"import, over NumPy's: {1e3 * min(seconds):.0f} ms at best, {1e3 * statistics.median(seconds):.0f} ms median"
    for name, library in results["libraries"].items():
        yield from ("", f"{name} {library['version']}")
        yield from _speed(library["speed"])
        yield from _autoencoder(library["autoencoder"])
        yield from _memory(library["peak_bytes"])
        yield from _sums(library["relative_error_of_sums"])
        door = library["dispatch_microseconds"]
        yield f"  the door adds {door['added']:.2f} µs to a call of {door['call']:.2f} µs"
        if module := library["module_microseconds"]:
            yield f"  a module adds {module['added']:.2f} µs to a call of {module['call']:.2f} µs"
    yield from ("", "rankings on NumPy", *_rankings(results["rankings"]))


def _speed(speed: dict[str, Any]) -> Iterator[str]:
    yield f"  {'':44}{'ours, ms':>10}{'ours / plain':>18}{'ours / native':>18}"
    yield f"  {'':44}{'median':>10}{'median (least)':>18}{'median (least)':>18}"
    for case, sizes in speed.items():
        for size, found in sizes.items():
            for way, each in found.items():
                over = [_ratio(each["ours_over"].get(other)) for other in ("plain", "native")]
                label = f"{case}, {size.replace(' elements', '')}: {way}"
                yield f"  {label:44}{each['milliseconds']['ours']:10.3f}{over[0]:>18}{over[1]:>18}"


def _rankings(rankings: dict[str, Any]) -> Iterator[str]:
    yield f"  {'':44}{'ours, ms':>10}{'ours / scikit-learn':>22}{'ours / torchmetrics':>22}"
    for label, each in rankings.items():
        over = [_ratio(each["ours_over"][other], 3) for other in ("scikit-learn", "torchmetrics")]
        yield f"  {label:44}{each['milliseconds']['ours']:10.3f}{over[0]:>22}{over[1]:>22}"


def _autoencoder(found: dict[str, Any]) -> Iterator[str]:
    for way, each in found.items():
        over = _ratio(each["ours_over"]["plain"])
        yield f"  {f'LSTM autoencoder: {way}':44}{each['milliseconds']['ours']:10.3f}{over:>18}{'–':>18}"


def _ratio(ratio: dict[str, float] | None, digits: int = 2) -> str:
    return f"{ratio['median']:.{digits}f} ({ratio['least']:.{digits}f})" if ratio else "–"


def _memory(memory: dict[str, Any]) -> Iterator[str]:
    yield f"  {'peak memory beyond the inputs, MiB':44}{'ours':>10}{'plain':>18}{'native':>18}"
    for case, found in memory.items():
        mib = [f"{found[key] / MIB:.2f}" if found.get(key) is not None else "–" for key in ("ours", "plain", "native")]
        label = f"{case}, {found['elements']}"
        yield f"  {label:44}{mib[0]:>10}{mib[1]:>18}{mib[2]:>18}"


def _sums(errors: dict[str, float]) -> Iterator[str]:
    worst = max(errors, key=lambda name: errors[name])
    yield f"  largest relative error of {len(errors)} long sums: {errors[worst]:.1e} ({worst})"
