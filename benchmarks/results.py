"""The file of a run: what was measured, on what, with which versions."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import which
from typing import Any

from benchmarks.cases import CASES
from benchmarks.libraries import gpu
from benchmarks.measuring import in_order

PACKAGES = (
    "anomaly-kernels",
    "numpy",
    "torch",
    "jax",
    "tensorflow",
    "cupy",
    "keras",
    "optax",
    "scikit-image",
    "scikit-learn",
    "scipy",
    "torchmetrics",
    "vus",
)
GIB = 2**30


def machine() -> dict[str, Any]:
    """Where and when it is measured; the load is that of before it began."""
    from psutil import virtual_memory

    model = Path("/proc/cpuinfo").read_text().partition("model name")[2].partition("\n")[0].strip("\t: ")
    return {
        "processor": model or platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(virtual_memory().total / GIB, 1),
        "gpu": gpu(),
        "load": [round(x, 2) for x in os.getloadavg()],
        "system": platform.platform(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def commit() -> str:
    """The commit that is measured, with a + where files differ from it; empty where Git does not know."""
    asked = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+", "--exclude=*"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() if which("git") else ""


def versions() -> dict[str, str]:
    """Of Python and of every package that is measured."""
    return {"python": platform.python_version()} | dict(_installed())


def _installed() -> Iterator[tuple[str, str]]:
    for name in PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def text(value: Any, depth: int = 0) -> str:
    """JSON with a line a row, which people and diffs can read."""
    if isinstance(value, dict) and depth < 3:
        inside = [f"{json.dumps(key)}: {text(each, depth + 1)}" for key, each in value.items()]
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        inside = [json.dumps(each) for each in value]
    else:
        return json.dumps(value)
    indent = "\n" + " " * (depth + 1)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}{indent}{f',{indent}'.join(inside)}\n{' ' * depth}{closing}"


def added(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The results of a run and of a later one, whose cases replace the same ones of libraries that both have."""
    names = {row["case"] for rows in new["libraries"].values() for row in (*rows["speed"], *rows["memory"])}
    libraries = {}
    for library, rows in (old["libraries"] | new["libraries"]).items():
        before, now = (each["libraries"].get(library, {"speed": [], "memory": []}) for each in (old, new))
        again = names if library in new["libraries"] else set()
        libraries[library] = {
            kind: in_order([*(row for row in before[kind] if row["case"] not in again), *now[kind]]) for kind in rows
        }
    about = {name: x for name, x in new.items() if name != "libraries"}
    cases = [name for name in CASES if name in names]
    later = [*old.get("later", []), {"cases": cases, "of": list(new["libraries"]), **about}]
    return old | {"later": later, "libraries": libraries}


def read(path: Path) -> dict[str, Any]:
    """What `text` wrote."""
    content: dict[str, Any] = json.loads(path.read_text())
    return content
