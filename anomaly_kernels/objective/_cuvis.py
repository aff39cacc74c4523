"""The shape of cuvis-ai's own pipelines, which describe whole networks: losses and metrics are told from the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anomaly_kernels._core.spelling import suggestion
from anomaly_kernels.objective._errors import ObjectiveError, short_name, short_repr
from anomaly_kernels.objective._node import NODES

ABOUT = ("metadata", "plugins", "name", "version", "frozen_nodes")
"""Keys of a pipeline that say nothing about losses and metrics."""

# each with the name that cuvis-ai had for it before
_TYPE, _SETTINGS = ("class_name", "class", "type"), ("hparams", "params", "config")
_SOURCE, _TARGET = ("source", "from"), ("target", "to")

_NOT_NEEDED = {"AnomalyDetectionMetrics": ("ap_thresholds",)}
"""Settings of cuvis-ai's nodes that change nothing here: average precision is exact."""


def mapping(what: str, value: Any, known: Sequence[str] | None = None, required: Sequence[str] = ()) -> Any:
    """Return a mapping whose keys are strings, some of them known or required."""
    if not isinstance(value, Mapping):
        raise ObjectiveError(f"`{what}` must be a mapping, got {short_repr(value)}")
    for key in value:
        if not isinstance(key, str):
            raise ObjectiveError(f"`{what}` must have strings for keys, got {short_repr(key)}")
        if known is not None and key not in known:
            raise ObjectiveError(f"`{what}` has no key {short_repr(key)}{suggestion(key, known)}")
    for key in required:
        if key not in value:
            raise ObjectiveError(f"`{what}` must have the key {key!r}, got {short_repr(list(value))}")
    return value


def read_nodes(value: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the descriptions of losses and metrics by name, and the names of all other nodes."""
    is_pipeline = isinstance(value, list | tuple) and all(isinstance(x, Mapping) for x in value[:1])
    by_name = _by_name(value) if is_pipeline else mapping("nodes", value)
    ours, outside = {}, []
    for name, config in by_name.items():
        kind = config.get("type") if isinstance(config, Mapping) else None
        last = kind.rpartition(".")[2] if isinstance(kind, str) else ""
        if last in NODES:
            ours[name] = {**config, "type": last}
        elif not is_pipeline and last in (kind, ""):  # a type without a path must be known
            ours[name] = config
        elif same := [known for known in NODES if known.lower() == last.lower()]:
            what = f"node `{short_name(name)}`: there is no loss or metric {short_repr(kind)}"
            raise ObjectiveError(f"{what}; did you mean `{same[0]}`?")
        else:
            outside.append(name)
    return ours, outside


def _by_name(nodes: Sequence[Any]) -> dict[str, Any]:
    """Return nodes of a list by their names."""
    by_name: dict[str, Any] = {}
    for k, node in enumerate(nodes):
        what = f"nodes[{k}]"
        parts = mapping(what, node, ("name", *_TYPE, *_SETTINGS), required=("name",))
        name, kind = parts["name"], _one_of(what, parts, _TYPE)
        for key, text in (("name", name), (_TYPE[0], kind)):
            if not isinstance(text, str) or not text:
                raise ObjectiveError(f"`{what}.{key}` must be a name, got {short_repr(text)}")
        if name in by_name:
            raise ObjectiveError(f"`{what}.name` is there twice, {short_repr(name)}")
        settings = _one_of(what, parts, _SETTINGS) if any(key in parts for key in _SETTINGS) else None
        by_name[name] = {"type": kind, "config": settings}
    return by_name


def _one_of(what: str, parts: Mapping[str, Any], names: Sequence[str]) -> Any:
    """Return what is there by one of these names."""
    present = [name for name in names if name in parts]
    if len(present) != 1:
        raise ObjectiveError(f"`{what}` must have one key {names[0]!r}, got {short_repr(list(parts))}")
    return parts[present[0]]


def read_settings(kind: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a loss or a metric without those that say nothing: its name, and what is not needed."""
    idle = {"name": (str, type(None)), **dict.fromkeys(_NOT_NEEDED.get(kind, ()), (int, type(None)))}
    return {key: x for key, x in settings.items() if not isinstance(x, idle.get(key, ()))}


def read_connection(k: int, connection: Any) -> tuple[str, str]:
    """Return the name of an array, and the name of a node with one of its ports."""
    pair = connection
    if isinstance(connection, Mapping):
        what = f"connections[{k}]"
        parts = mapping(what, connection, (*_SOURCE, *_TARGET))
        pair = [_one_of(what, parts, names) for names in (_SOURCE, _TARGET)]
    are_names = isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(x, str) for x in pair)
    if not are_names or "." not in pair[1]:
        expected = "a connection must be two names, an array and the port of a node"
        raise ObjectiveError(f"{expected}, got {short_repr(connection)}")
    return _without(pair[0], "outputs"), _without(pair[1], "inputs")


def write_source(source: str) -> str:
    """Return the name of an array as `read_connection` gives it back."""
    node, _, port = source.partition(".")
    return f"{node}.outputs.{port}" if _without(source, "outputs") != source else source


def _without(name: str, part: str) -> str:
    """Return ``node.port`` of ``node.outputs.port``, or of ``node.inputs.port``."""
    node, _, port = name.partition(f".{part}.")
    return f"{node}.{port}" if node and port and "." not in node else name
