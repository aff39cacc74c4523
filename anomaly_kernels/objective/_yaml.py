"""Reading YAML that may come from anyone: plain data only, in bounds of size, and no key twice."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from os import PathLike
from typing import Any

import yaml

from anomaly_kernels._core.files import FileError, read_bytes
from anomaly_kernels.objective._errors import ObjectiveError, short_repr

MOST_BYTES, MOST_LEVELS, MOST_VALUES = 1_000_000, 20, 50_000

# the core schema of YAML 1.2; by 1.1, as PyYAML has it, 010 is 8, 1:30 is 90, 1e-6 a text and `on` true
_SCALARS = {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
    "constant": r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
}
_SCALAR = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _SCALARS.items()))

# of C where PyYAML was built with it: ten times as fast
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
        return _Document(content.decode()).data()
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, ObjectiveError):
            raise
        raise ObjectiveError(f"this is no YAML: {error}") from error


class _Document:
    """The one document of a text, read in one pass: what is refused is refused before more of it is kept."""

    def __init__(self, text: str) -> None:
        events = yaml.parse(text, _LOADER)
        self.events: Iterator[Any] = (x for x in events if not isinstance(x, yaml.StreamStartEvent))
        self.values = self.depth = 0

    def data(self) -> Any:
        """Return what is in it, None where there is nothing."""
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return None
        data = self._value(next(self.events))
        next(self.events)  # the end of the document
        if not isinstance(next(self.events), yaml.StreamEndEvent):
            raise ValueError("expected a single document")
        return data

    def _value(self, event: Any) -> Any:
        """Return the value that begins with an event."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise ObjectiveError(f"anchors and aliases are not read, got one in line {line}")
        if event.tag:
            raise ObjectiveError(f"tags are not read, got {short_repr(event.tag)} in line {line}")
        self.values += 1
        if self.values > MOST_VALUES:
            raise ObjectiveError(f"a file must have no more than {MOST_VALUES} values, got more by line {line}")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event.value) if event.implicit[0] else event.value
        self.depth += 1
        if self.depth > MOST_LEVELS:
            raise ObjectiveError(f"a file must be no deeper than {MOST_LEVELS} levels")
        is_list = isinstance(event, yaml.SequenceStartEvent)
        value = [self._value(x) for x in self._until(yaml.SequenceEndEvent)] if is_list else self._mapping()
        self.depth -= 1
        return value

    def _mapping(self) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for event in self._until(yaml.MappingEndEvent):
            key, line = self._value(event), event.start_mark.line + 1
            if not isinstance(key, str):
                raise ObjectiveError(f"keys must be strings, got {short_repr(key)} in line {line}")
            if key in mapping:
                raise ObjectiveError(f"{short_repr(key)} is there twice, in line {line}")
            mapping[key] = self._value(next(self.events))
        return mapping

    def _until(self, end: type) -> Iterator[Any]:
        """Yield the first event of each value, up to the end of a list or a mapping."""
        while not isinstance(event := next(self.events), end):
            yield event


def _scalar(text: str) -> Any:
    """Return what a scalar without quotes is."""
    match = _SCALAR.fullmatch(text)
    kind = match.lastgroup if match else "text"
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if kind == "float":
        return float(text)
    return float(text.replace(".", "")) if kind == "constant" else text


def _read(path: str) -> bytes:
    """Return what is in a file."""
    try:
        return read_bytes(path, MOST_BYTES, "YAML")
    except FileError as error:
        raise ObjectiveError(str(error)) from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise ObjectiveError(f"{short_repr(path)} is no path: {error}") from error
