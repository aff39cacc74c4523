"""Draw which part of the package imports which, from the imports in the source files.

    python docs/imports.py          # writes docs/_static/imports.svg
    python docs/imports.py --check  # fails if that file is not current

A part is a subpackage, or a file beside them; the files of `_core` are parts of their own. Each part stands above
those that it imports. An arrow that follows from two others is left out, and so are imports for type checkers.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "anomaly_kernels"
PICTURE = ROOT / "docs" / "_static" / "imports.svg"
PUBLIC = "anomaly_kernels"  # the public names: `__init__.py`
WIDTH, ROW, BOX, LETTER = 720, 62, 28, 8

Graph = dict[str, set[str]]


def part_of(module: str) -> str:
    """The part that a module belongs to: the first name after the package's, or two names in `_core`."""
    names = module.split(".")[1:]
    if not names:
        return PUBLIC
    return ".".join(names[:2]) if names[0] == "_core" else names[0]


def imported_modules(file: Path) -> Iterator[str]:
    """The modules of this package that a file imports when it runs, at its top or in a function."""
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                inner = PACKAGE.joinpath(*node.module.split(".")[1:], name.name)
                yield f"{node.module}.{name.name}" if is_module(inner) else node.module


def is_module(path: Path) -> bool:
    """Whether a path without suffix is that of a file or a folder of Python."""
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def read_imports() -> Graph:
    """The parts that each part imports."""
    graph: Graph = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        names = file.relative_to(ROOT).with_suffix("").parts
        part = part_of(".".join(names[:-1] if names[-1] == "__init__" else names))
        if part in {"_core", "__main__"}:  # the folder itself has no code; the other starts the command line
            continue
        targets = {part_of(module) for module in imported_modules(file) if module.partition(".")[0] == PUBLIC}
        graph.setdefault(part, set()).update(targets - {part, "_core"})
    return graph


def reachable(graph: Graph, start: str) -> set[str]:
    """All parts that a part imports, itself or through others."""
    return graph[start].union(*(reachable(graph, part) for part in graph[start]))


def without_shortcuts(graph: Graph) -> Graph:
    """The imports that do not follow from others."""
    return {
        part: {x for x in targets if not any(x in reachable(graph, other) for other in targets)}
        for part, targets in graph.items()
    }


def rows_of(graph: Graph) -> list[list[str]]:
    """Parts in rows, the top first; each as high as those allow that import it."""

    def depth(part: str) -> int:
        return 1 + max((depth(other) for other in graph if part in graph[other]), default=-1)

    rows: list[list[str]] = [[] for _ in range(1 + max(map(depth, graph)))]
    for part in sorted(graph):
        rows[depth(part)].append(part)
    return rows


def place(graph: Graph) -> dict[str, tuple[float, float]]:
    """The middle of each part's box; in a row, parts stand below those that import them."""
    places: dict[str, tuple[float, float]] = {}
    for k, row in enumerate(rows_of(graph)):
        above = {part: [places[other][0] for other in places if part in graph[other]] for part in row}
        ordered = sorted(row, key=lambda part: sum(above[part]) / max(1, len(above[part])))
        for n, part in enumerate(ordered):
            places[part] = WIDTH * (n + 0.5 + 0.12 * (-1) ** k * (len(row) < 4)) / len(row), ROW * k + BOX
    return places


def draw(graph: Graph) -> str:
    """The picture, as SVG."""
    arrows = without_shortcuts(graph)
    places = place(arrows)
    height = max(y for _, y in places.values()) + BOX
    frame = f'viewBox="0 0 {WIDTH} {height:.0f}" font-family="monospace" font-size="13" text-anchor="middle"'
    tip = 'viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>',
        "<title>Which part of anomaly_kernels imports which</title>",
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>',
        f'<marker id="tip" {tip}><path d="M0 0L8 4L0 8z" fill="#8899aa"/></marker>',
    ]
    for part in sorted(arrows):
        (x, y), top = places[part], BOX / 2
        for other in sorted(arrows[part]):
            u, v = places[other]
            bend = (v - y) / 2
            path = f"M{x:.0f} {y + top:.0f}C{x:.0f} {y + bend:.0f} {u:.0f} {v - bend:.0f} {u:.0f} {v - top:.0f}"
            lines.append(f'<path d="{path}" fill="none" stroke="#8899aa" marker-end="url(#tip)"/>')
    for part, (x, y) in sorted(places.items()):
        wide, fill = LETTER * len(part) + 18, "#e8eef7" if part.startswith("_core") else "#f6f3e8"
        lines.append(
            f'<rect x="{x - wide / 2:.0f}" y="{y - BOX / 2:.0f}" width="{wide:.0f}" height="{BOX}" rx="5" '
            f'fill="{fill}" stroke="#445566"/><text x="{x:.0f}" y="{y + 5:.0f}" fill="#223344">{part}</text>'
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


def main(arguments: list[str]) -> int:
    """Write the picture, or compare it with the one that is there."""
    text = draw(read_imports())
    if "--check" not in arguments:
        PICTURE.write_text(text)
        return 0
    if PICTURE.exists() and PICTURE.read_text() == text:
        return 0
    print(f"{PICTURE.relative_to(ROOT)} is not what the imports say: run `python docs/imports.py`")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
