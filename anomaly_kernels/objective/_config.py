"""Reading and writing an objective as a dict of plain data, in the shape of cuvis-ai."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from numbers import Integral
from typing import Any

from anomaly_kernels._core.checks import is_number
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.spelling import nearest, suggestion
from anomaly_kernels.objective._cuvis import ABOUT, mapping, read_connection, read_nodes, read_settings, write_source
from anomaly_kernels.objective._errors import ObjectiveError, short_name, short_repr
from anomaly_kernels.objective._node import NODES, Node

UNCERTAINTY, OUTSIDE = "uncertainty", "outside"

_OUTPUTS = ("loss", "metrics")
"""The outputs of nodes, as cuvis-ai names them."""

_MOST_COMPARED, _MOST_SLIPS = 50, 300
"""Nodes that a name is compared with, and names that are: a file has room for thousands of both."""


def read_config(config: Any) -> tuple[dict[str, Node], list[Any], list[Any]]:
    """Return the nodes of a description, the names of those weighed by uncertainty, and of those that are not ours."""
    parts = mapping("config", config, ("nodes", "connections", UNCERTAINTY, OUTSIDE, *ABOUT), required=("nodes",))
    nodes, outside = read_nodes(parts["nodes"])
    outside += _list(OUTSIDE, parts.get(OUTSIDE))
    if outside and not nodes:
        raise ObjectiveError(f"`nodes` must have a loss or a metric, got {short_repr(outside)}, of which none is one")
    elsewhere = {name for name in outside if isinstance(name, str)}
    wires: dict[str, dict[str, str]] = {name: {} for name in nodes}
    n_unknown = 0
    for k, connection in enumerate(_list("connections", parts.get("connections"))):
        source, target = read_connection(k, connection)
        name, _, port = target.rpartition(".")
        if name in elsewhere:
            continue
        if name not in nodes:
            n_unknown += 1
            _check_outside(source, target, nodes, may_be_slip=n_unknown <= _MOST_SLIPS)
        elif port in wires[name]:
            both = f"{short_repr(wires[name][port])} and {short_repr(source)}"
            raise ObjectiveError(f"`{short_name(name)}.{short_name(port)}` is wired twice, to {both}")
        else:
            wires[name][port] = source
    uncertainty = _list(UNCERTAINTY, parts.get(UNCERTAINTY))
    return {name: _node(name, config, wires[name]) for name, config in nodes.items()}, uncertainty, outside


def write_config(nodes: Mapping[str, Node], uncertainty: Sequence[str], outside: Sequence[str]) -> dict[str, Any]:
    """Return the description that `read_config` takes."""
    config: dict[str, Any] = {"nodes": {}, "connections": []}
    for name, node in nodes.items():
        settings = {key: _as_data(f"{short_name(name)}.{key}", value) for key, value in node.settings.items()}
        if node.execution_stages is not None:
            settings["execution_stages"] = list(node.execution_stages)
        config["nodes"][_as_text(name)] = {"type": node.type} | ({"config": settings} if settings else {})
        config["connections"] += [
            [write_source(_as_text(source)), f"{name}.{port}"] for port, source in node.ports.items()
        ]
    lists = {UNCERTAINTY: uncertainty, OUTSIDE: outside}
    return config | {key: [_as_text(name) for name in names] for key, names in lists.items() if names}


def _list(what: str, value: Any) -> list[Any]:
    if value is None:  # a key of YAML with nothing after it
        return []
    if not isinstance(value, list | tuple):
        raise ObjectiveError(f"`{what}` must be a list, got {short_repr(value)}")
    return list(value)


def _check_outside(source: str, target: str, nodes: Mapping[str, Any], *, may_be_slip: bool) -> None:
    """Raise unless a connection leads from the output of a node to one that is elsewhere, such as a monitor."""
    name, _, port = target.rpartition(".")
    from_name, _, output = source.rpartition(".")
    near = nearest(name, list(islice(nodes, _MOST_COMPARED))) if may_be_slip else None
    config = nodes[near] if near is not None else None
    node_type = config.get("type") if isinstance(config, Mapping) else None
    is_slip = isinstance(node_type, str) and node_type in NODES and port in Node.ports_of(node_type)
    if from_name not in nodes or output not in _OUTPUTS or is_slip:
        raise ObjectiveError(
            f"connection to {short_repr(target)}: there is no node {short_repr(name)}{suggestion(name, nodes)}"
        )


def _node(name: str, config: Any, wires: Mapping[str, str]) -> Node:
    """Return the node of a description, wired to these arrays by port."""
    what = f"nodes.{short_name(name)}"
    parts = mapping(what, config, ("type", "config"), required=("type",))
    settings = mapping(f"{what}.config", {} if parts.get("config") is None else parts["config"])
    if not isinstance(parts["type"], str):
        raise ObjectiveError(f"`{what}.type` must be a name, got {short_repr(parts['type'])}")
    try:
        _check_ports(Node.ports_of(parts["type"]), wires, settings)
        return Node(parts["type"], **wires, **read_settings(parts["type"], settings))
    except ObjectiveError as error:
        raise ObjectiveError(f"node `{short_name(name)}`: {error}") from error


def _check_ports(ports: Sequence[str], wires: Mapping[str, str], settings: Mapping[str, Any]) -> None:
    """Raise where a wire leads to no port, or a port stands among the settings."""
    for port in wires:
        if port not in ports:
            raise ObjectiveError(f"there is no port {short_repr(port)}{suggestion(port, ports)}")
    for key in settings:
        if key in ports:
            raise ObjectiveError(f"`{key}` is a port, to be connected, and no setting")


def _as_data(name: str, value: Any) -> Any:
    """Return a setting as the lists, numbers and strings that a description is made of."""
    if isinstance(value, list | tuple):
        return [_as_data(name, x) for x in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _as_text(value)
    if is_number(value):
        return int(value) if isinstance(value, Integral) else float(value)
    raise ObjectiveError(f"`{name}` must be data to be part of a description, got {describe(value)}")


def _as_text(value: str) -> str:
    """Return a plain str, also from an enumeration whose members are strings."""
    return str.__str__(value)
