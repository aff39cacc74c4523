"""Descriptions of objectives, as cuvis-ai has them, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from numbers import Integral
from typing import Any

from anomaly_kernels._classes.settings import nearest, suggestion
from anomaly_kernels._core.checks import is_number
from anomaly_kernels._core.namespace import describe
from anomaly_kernels.objective._errors import ObjectiveError, named, shown
from anomaly_kernels.objective._node import NODES, Node

UNCERTAINTY = "uncertainty"

_OUTPUTS = ("loss", "metrics")
"""What cuvis-ai calls the results of its nodes."""

_MOST_COMPARED = 100
"""Nodes that a slip may be of: a file has room for thousands of them, and of connections to compare each with."""


def described(config: Any) -> tuple[dict[str, Node], list[Any]]:
    """The nodes of a description, and the names of those that are weighed by uncertainty."""
    parts = _mapping("config", config, ("nodes", "connections", UNCERTAINTY), required=("nodes",))
    nodes = _mapping("nodes", parts["nodes"])
    wired: dict[str, dict[str, str]] = {name: {} for name in nodes}
    for source, target in _connections(parts.get("connections")):
        name, _, port = target.rpartition(".")
        if name not in nodes:
            _check_outside(source, target, nodes)
        elif port in wired[name]:
            given = f"{shown(wired[name][port])} and {shown(source)}"
            raise ObjectiveError(f"`{named(name)}.{named(port)}` is wired twice, to {given}")
        else:
            wired[name][port] = source
    made = {name: _node(name, description, wired[name]) for name, description in nodes.items()}
    return made, _list(UNCERTAINTY, parts.get(UNCERTAINTY))


def description(nodes: Mapping[str, Node], uncertainty: Sequence[str]) -> dict[str, Any]:
    """What `described` makes these of."""
    config: dict[str, Any] = {"nodes": {}, "connections": []}
    for name, node in nodes.items():
        settings = {key: _plain(f"{named(name)}.{key}", value) for key, value in node.settings.items()}
        config["nodes"][_text(name)] = {"type": node.type} | ({"config": settings} if settings else {})
        config["connections"] += [[_text(source), f"{name}.{port}"] for port, source in node.ports.items()]
    return config | ({UNCERTAINTY: [_text(name) for name in uncertainty]} if uncertainty else {})


def _mapping(what: str, given: Any, known: Sequence[str] | None = None, required: Sequence[str] = ()) -> Any:
    if not isinstance(given, Mapping):
        raise ObjectiveError(f"`{what}` must be a mapping, got {shown(given)}")
    for name in given:
        if not isinstance(name, str):
            raise ObjectiveError(f"`{what}` must have strings for keys, got {shown(name)}")
        if known is not None and name not in known:
            raise ObjectiveError(f"`{what}` has no key {shown(name)}{suggestion(name, known)}")
    for name in required:
        if name not in given:
            raise ObjectiveError(f"`{what}` must have the key {name!r}, got {shown(list(given))}")
    return given


def _list(what: str, given: Any) -> list[Any]:
    if given is None:  # a key of YAML with nothing after it
        return []
    if not isinstance(given, list | tuple):
        raise ObjectiveError(f"`{what}` must be a list, got {shown(given)}")
    return list(given)


def _connections(given: Any) -> Iterable[tuple[str, str]]:
    """Each connection as the name of an array and that of a node with its port."""
    for pair in _list("connections", given):
        names = isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(x, str) for x in pair)
        if not names or "." not in pair[1]:
            raise ObjectiveError(f"a connection must be two names, an array and the port of a node, got {shown(pair)}")
        yield pair[0], pair[1]


def _check_outside(source: str, target: str, nodes: Mapping[str, Any]) -> None:
    """Raise unless a connection leads from the output of a node to one that is elsewhere, such as a monitor."""
    name, _, port = target.rpartition(".")
    giver, _, output = source.rpartition(".")
    near = nearest(name, list(islice(nodes, _MOST_COMPARED)))
    meant = near is not None and port in _ports_of(nodes[near])  # a slip, for that node has such a port
    if giver not in nodes or output not in _OUTPUTS or meant:
        raise ObjectiveError(f"connection to {shown(target)}: there is no node {shown(name)}{suggestion(name, nodes)}")


def _ports_of(config: Any) -> tuple[str, ...]:
    """The ports that a node will have, if its description is right."""
    kind = config.get("type") if isinstance(config, Mapping) else None
    return Node.ports_of(kind) if isinstance(kind, str) and kind in NODES else ()


def _node(name: str, config: Any, wired: Mapping[str, str]) -> Node:
    what = f"nodes.{named(name)}"
    parts = _mapping(what, config, ("type", "config"), required=("type",))
    settings = _mapping(f"{what}.config", {} if parts.get("config") is None else parts["config"])
    if not isinstance(parts["type"], str):
        raise ObjectiveError(f"`{what}.type` must be a name, got {shown(parts['type'])}")
    try:
        ports = Node.ports_of(parts["type"])
        wrong = [f"there is no port {shown(port)}{suggestion(port, ports)}" for port in wired if port not in ports]
        wrong += [f"`{key}` is a port, to be connected, and no setting" for key in settings if key in ports]
        if not wrong:
            return Node(parts["type"], **wired, **settings)
    except ObjectiveError as error:
        raise ObjectiveError(f"node `{named(name)}`: {error}") from error
    raise ObjectiveError(f"node `{named(name)}`: {wrong[0]}")


def _plain(name: str, value: Any) -> Any:
    """A setting as the lists, numbers and strings that a description is made of."""
    if isinstance(value, list | tuple):
        return [_plain(name, x) for x in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if is_number(value):
        return int(value) if isinstance(value, Integral) else float(value)
    raise ObjectiveError(f"`{name}` must be data to be part of a description, got {describe(value)}")


def _text(value: str) -> str:
    """The text of a str, of an enumeration too."""
    return str.__str__(value)
