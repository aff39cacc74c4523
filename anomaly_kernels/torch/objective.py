"""Several losses as one, as a module that owns what is learnt."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from os import PathLike
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from anomaly_kernels import objective
from anomaly_kernels.objective import Node


class Objective(nn.Module):
    """Several losses as one, and metrics beside them, computed of tensors that are given by name.

    A module form of `anomaly_kernels.Objective`, which says what nodes and descriptions are.

    Parameters
    ----------
    nodes : dict of str to Node
        The losses and metrics. Tensors among their settings move with the module, models are parts of it.
    uncertainty : sequence of str
        The losses whose weights are learnt.

    Attributes
    ----------
    r_unconstrained : torch.nn.ParameterDict
        By node, where a radius is learnt: R = ``svdd_radius(r_unconstrained[node])``.
    log_variance : torch.nn.ParameterDict
        By node, where a loss is weighed by its uncertainty.

    Raises
    ------
    ObjectiveError
        As the pure one does.
    """

    def __init__(self, nodes: Mapping[str, Node], *, uncertainty: Collection[str] = ()) -> None:
        super().__init__()
        self.settings = nn.ParameterDict()
        self.models = nn.ModuleDict()
        given = objective.Objective(nodes, uncertainty=uncertainty)
        owned = {name: self._owned(name, node) for name, node in given.nodes.items()}
        self.pure = objective.Objective(owned, uncertainty=uncertainty)
        for name, learning in self.pure.learnt.items():
            setattr(self, name, nn.ParameterDict({node: nn.Parameter(torch.tensor(0.0)) for node in learning}))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make one of a description, as `anomaly_kernels.Objective.from_config` does."""
        return cls._of(objective.Objective.from_config(config))

    @classmethod
    def from_yaml(cls, source: str | PathLike[str]) -> Self:
        """Make one of YAML, as `anomaly_kernels.Objective.from_yaml` does."""
        return cls._of(objective.Objective.from_yaml(source))

    @classmethod
    def _of(cls, pure: objective.Objective) -> Self:
        return cls(pure.nodes, uncertainty=pure.uncertainty)

    def to_config(self) -> dict[str, Any]:
        """Return the description, as `anomaly_kernels.Objective.to_config` does."""
        return self.pure.to_config()

    def _owned(self, name: str, node: Node) -> Node:
        """The node with settings that are parts of the module: parameters, which stay the same as it moves."""
        own = {}
        for key, value in node.settings.items():
            parts = [self._part(f"{name}_{key}_{k}", x) for k, x in enumerate(value if _is_list(value) else [value])]
            own[key] = parts if _is_list(value) else parts[0]
        return Node(node.kernel, **node.ports, **own)

    def _part(self, name: str, value: Any) -> Any:
        if isinstance(value, nn.Module):
            self.models[name] = value
        if isinstance(value, Tensor | np.ndarray):
            value = (
                value if isinstance(value, nn.Parameter) else nn.Parameter(torch.as_tensor(value), requires_grad=False)
            )
            self.settings[name] = value
        return value

    def forward(
        self, inputs: Mapping[str, Tensor], *, stage: str | None = None
    ) -> tuple[Tensor | None, dict[str, Any]]:
        """Return the total of the losses, and the value of each node.

        Parameters
        ----------
        inputs : dict of str to Tensor
            Tensors by name.
        stage : {"train", "val", "test", "inference"}, optional
            By default ``"train"`` in training mode and ``"val"`` in evaluation mode.

        Returns
        -------
        total : Tensor, 0-d, or None
            The sum of the losses; None in a stage that has none.
        terms : dict
            The value of each node by its name.
        """
        stage = stage or ("train" if self.training else "val")
        params = {name: {node: getattr(self, name)[node] for node in nodes} for name, nodes in self.pure.learnt.items()}
        device = next((x.device.type for x in inputs.values() if isinstance(x, Tensor)), "cpu")
        with torch.autocast(device, enabled=False):  # in which losses overflow
            return self.pure(inputs, stage=stage, params=params)

    @torch.no_grad()
    def init_radius(self, inputs: Mapping[str, Tensor]) -> None:
        """Set each radius that is learnt so that a fraction ν of these embeddings of normal data lies outside."""
        for name, raw in self.pure.init_radius(inputs).items():
            self.r_unconstrained[name].copy_(raw)

    def extra_repr(self) -> str:
        """Return the nodes, for the repr."""
        return repr(self.pure)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)
