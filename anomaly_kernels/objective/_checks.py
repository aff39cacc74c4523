"""Checks of what an objective is made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.spelling import suggestion
from anomaly_kernels.objective._errors import ObjectiveError, short_name, short_repr
from anomaly_kernels.objective._node import Node
from anomaly_kernels.objective._uncertainty import check_sign


def check_nodes(nodes: Any) -> None:
    """Raise unless these are nodes by name, none of which is wired to another."""
    if not isinstance(nodes, Mapping) or not nodes:
        raise ObjectiveError(f"`nodes` must be a dict of nodes by name, got {short_repr(nodes)}")
    for name, node in nodes.items():
        if not isinstance(name, str) or not name or "." in name:
            raise ObjectiveError(f"names of nodes must be strings without a dot, got {short_repr(name)}")
        if not isinstance(node, Node):
            raise ObjectiveError(f"node `{short_name(name)}` must be a Node, got {describe(node)}")
        for source in node.sources.values():
            if "." in source and source.partition(".")[0] in nodes:
                what = f"node `{short_name(name)}` is wired to {short_repr(source)}"
                why = "outputs of nodes cannot be sources: nodes are computed of arrays that are given"
                raise ObjectiveError(f"{what}, but {why}")


def check_uncertainty(uncertainty: Any, nodes: Mapping[str, Node]) -> None:
    """Raise unless these are names of losses that cannot be negative."""
    if isinstance(uncertainty, str) or not isinstance(uncertainty, Collection):
        raise ObjectiveError(f"`uncertainty` must be names of losses, got {short_repr(uncertainty)}")
    summed = [name for name, node in nodes.items() if node.is_loss]
    for name in uncertainty:
        if not isinstance(name, str) or name not in summed:
            what = f"`uncertainty` must be names of losses, got {short_repr(name)}"
            raise ObjectiveError(f"{what}{suggestion(name, summed)}")
        check_sign(name, nodes[name], {})


def check_elsewhere(outside: Any, nodes: Mapping[str, Node]) -> None:
    """Raise unless these are names, and none of them that of a node."""
    if isinstance(outside, str) or not isinstance(outside, Collection):
        raise ObjectiveError(f"`outside` must be names of nodes, got {short_repr(outside)}")
    for name in outside:
        if not isinstance(name, str) or name in nodes:
            raise ObjectiveError(f"`outside` must be names of nodes that are elsewhere, got {short_repr(name)}")
