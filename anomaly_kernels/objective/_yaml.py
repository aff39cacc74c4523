"""Reading YAML that may come from anyone: plain data only, in bounds of size, and no key twice."""

from __future__ import annotations

import errno
import os
import re
from os import PathLike
from pathlib import Path
from typing import Any

import yaml

from anomaly_kernels.objective._errors import ObjectiveError, short_repr

MOST_BYTES, MOST_LEVELS = 1_000_000, 20

# the core schema of YAML 1.2; by 1.1, as PyYAML has it, 010 is 8, 1:30 is 90, 1e-6 a text and `on` true
_SCALARS = {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
}


class Loader(yaml.SafeLoader):  # type: ignore[misc]
    """A loader of YAML 1.2 that refuses a key twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # PyYAML's

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002  # PyYAML's signature
        seen = set()
        for name, _ in node.value:
            key = self.construct_object(name, deep=True)
            line = name.start_mark.line + 1
            if not isinstance(key, str):
                raise ObjectiveError(f"keys must be strings, got {short_repr(key)} in line {line}")
            if key in seen:
                raise ObjectiveError(f"{short_repr(key)} is there twice, in line {line}")
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_integer(self, node: Any) -> int:
        text = self.construct_scalar(node)
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


for kind, pattern in _SCALARS.items():
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(rf"(?:{pattern})\Z"), None)
Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_integer)


def read_yaml(source: str | PathLike[str]) -> Any:
    """Return the data in a file, or in the text of one."""
    if not isinstance(source, str | PathLike):
        raise TypeError(f"`source` must be text or a path, got {type(source).__name__}")
    if isinstance(source, str) and (not source.endswith((".yaml", ".yml")) or re.search(r"[\r\n]", source)):
        content = source.encode(errors="surrogatepass")
    else:
        content = _read(os.fsdecode(source))
    if len(content) > MOST_BYTES:
        raise ObjectiveError(f"YAML must be no larger than {MOST_BYTES} bytes")
    try:
        text = content.decode()
        _check_events(text)
        return yaml.load(text, Loader)  # noqa: S506  # a SafeLoader
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        if isinstance(error, ObjectiveError):
            raise
        raise ObjectiveError(f"this is no YAML: {error}") from error


def _check_events(text: str) -> None:
    """Raise at an anchor, a tag or the first level too deep, before any of the text is kept."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ObjectiveError(f"anchors and aliases are not read, got one in line {line}")
        if getattr(event, "tag", None):
            raise ObjectiveError(f"tags are not read, got {short_repr(event.tag)} in line {line}")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_LEVELS:
            raise ObjectiveError(f"a file must be no deeper than {MOST_LEVELS} levels")


def _read(path: str) -> bytes:
    """Return what is in a file, or one byte more than may be."""
    try:
        with Path(path).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except (ValueError, OSError) as error:  # ValueError: a null character, or one that cannot be encoded
        if isinstance(error, OSError) and error.errno != errno.ENAMETOOLONG:
            raise
        raise ObjectiveError(f"{short_repr(path)} is no path: {error}") from error
