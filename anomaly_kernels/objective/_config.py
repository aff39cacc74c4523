"""Descriptions of objectives, as cuvis-ai has them, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from anomaly_kernels._namespace import describe
from anomaly_kernels.objective._errors import ObjectiveError, nearest, shown
from anomaly_kernels.objective._node import Node

UNCERTAINTY = "uncertainty"

_OUTPUTS = ("loss", "metrics")
"""What cuvis-ai calls the results of its nodes."""


def described(config: Any) -> tuple[dict[str, Node], list[Any]]:
    """The nodes of a description, and the names of those that are weighed by uncertainty."""
    parts = _mapping("config", config, ("nodes", "connections", UNCERTAINTY), required=("nodes",))
    nodes = _mapping("nodes", parts["nodes"])
    wired: dict[str, dict[str, str]] = {name: {} for name in nodes}
    for source, name, port in _connections(parts.get("connections", []), nodes):
        if port in wired[name]:
            raise ObjectiveError(f"`{name}.{port}` is wired twice, to {wired[name][port]!r} and {source!r}")
        wired[name][port] = source
    made = {name: _node(name, description, wired[name]) for name, description in nodes.items()}
    return made, _list(UNCERTAINTY, parts.get(UNCERTAINTY, []))


def description(nodes: Mapping[str, Node], uncertainty: Sequence[str]) -> dict[str, Any]:
    """What `described` makes these of."""
    config: dict[str, Any] = {"nodes": {}, "connections": []}
    for name, node in nodes.items():
        settings = {key: _plain(f"{name}.{key}", value) for key, value in node.settings.items()}
        config["nodes"][name] = {"type": node.type} | ({"config": settings} if settings else {})
        config["connections"] += [[source, f"{name}.{port}"] for port, source in node.ports.items()]
    return config | ({UNCERTAINTY: list(uncertainty)} if uncertainty else {})


def _mapping(what: str, given: Any, known: Sequence[str] | None = None, required: Sequence[str] = ()) -> Any:
    if not isinstance(given, Mapping):
        raise ObjectiveError(f"`{what}` must be a mapping, got {shown(given)}")
    for name in given:
        if not isinstance(name, str):
            raise ObjectiveError(f"`{what}` must have strings for keys, got {shown(name)}")
        if known is not None and name not in known:
            raise ObjectiveError(f"`{what}` has no key {shown(name)}{nearest(name, known)}")
    for name in required:
        if name not in given:
            raise ObjectiveError(f"`{what}` must have the key {name!r}, got {shown(list(given))}")
    return given


def _list(what: str, given: Any) -> list[Any]:
    if not isinstance(given, list | tuple):
        raise ObjectiveError(f"`{what}` must be a list, got {shown(given)}")
    return list(given)


def _connections(given: Any, nodes: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    """Each connection as the name of an array, a node and a port of it."""
    for pair in _list("connections", given):
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(isinstance(x, str) for x in pair):
            raise ObjectiveError(f"a connection must be two names, an array and the port of a node, got {shown(pair)}")
        source, target = pair
        name, _, port = target.rpartition(".")
        if name in nodes:
            yield source, name, port
            continue
        giver, _, output = source.rpartition(".")
        if giver not in nodes or output not in _OUTPUTS:  # which go to a monitor, or elsewhere outside
            raise ObjectiveError(f"connection to {shown(target)}: there is no node {shown(name)}{nearest(name, nodes)}")


def _node(name: str, config: Any, wired: Mapping[str, str]) -> Node:
    parts = _mapping(f"nodes.{name}", config, ("type", "config"), required=("type",))
    settings = _mapping(f"nodes.{name}.config", {} if parts.get("config") is None else parts["config"])
    if not isinstance(parts["type"], str):
        raise ObjectiveError(f"`nodes.{name}.type` must be a name, got {shown(parts['type'])}")
    try:
        ports = Node.ports_of(parts["type"])
        wrong = [f"there is no port {shown(port)}{nearest(port, ports)}" for port in wired if port not in ports]
        wrong += [f"`{key}` is a port, to be connected, and no setting" for key in settings if key in ports]
        if not wrong:
            return Node(parts["type"], **wired, **settings)
    except ObjectiveError as error:
        raise ObjectiveError(f"node `{name}`: {error}") from error
    raise ObjectiveError(f"node `{name}`: {wrong[0]}")


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(name, x) for x in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ObjectiveError(f"`{name}` must be data to be part of a description, got {describe(value)}")
