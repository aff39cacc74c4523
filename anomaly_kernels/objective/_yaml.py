"""YAML as it is safe to read from anyone: plain data, none of which is there twice."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path
from typing import Any

from anomaly_kernels.objective._errors import ObjectiveError, shown

MOST_BYTES, MOST_LEVELS = 1_000_000, 20


def loaded(source: str | PathLike[str]) -> Any:
    """What a file, or the text of one, holds."""
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise ImportError("reading YAML needs PyYAML: pip install 'anomaly-kernels[yaml]'") from error
    if not isinstance(source, str | PathLike):
        raise TypeError(f"`source` must be text or a path, got {type(source).__name__}")
    text = source if isinstance(source, str) and not source.endswith((".yaml", ".yml")) else _read(source)
    if len(text) > MOST_BYTES:
        raise ObjectiveError(f"a file must be no larger than {MOST_BYTES} bytes, got {len(text)}")
    try:
        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):  # as it is read, before anything is made of it
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise ObjectiveError(f"anchors and aliases are not read, got one in line {event.start_mark.line + 1}")
            if getattr(event, "tag", None):
                raise ObjectiveError(f"tags are not read, got {shown(event.tag)} in line {event.start_mark.line + 1}")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MOST_LEVELS:
                raise ObjectiveError(f"a file must be no deeper than {MOST_LEVELS} levels")
        return yaml.load(text, _loader(yaml))  # noqa: S506  # a SafeLoader
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        if isinstance(error, ObjectiveError):
            raise
        raise ObjectiveError(f"this is no YAML: {error}") from error


def _read(path: str | PathLike[str]) -> str:
    with Path(path).open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ObjectiveError(f"{path} is no text: {error}") from error


def _loader(yaml: Any) -> Any:
    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002  # PyYAML's signature
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            for i, key in enumerate(keys):
                if not isinstance(key, str):
                    raise ObjectiveError(f"keys must be strings, got {shown(key)} in line {node.start_mark.line + 1}")
                if key in keys[:i]:
                    raise ObjectiveError(f"{shown(key)} is there twice, in line {node.value[i][0].start_mark.line + 1}")
            return super().construct_mapping(node, deep)

    # YAML 1.2's numbers, of which PyYAML, at YAML 1.1, reads 1e-6 as text
    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
    )
    return Loader
