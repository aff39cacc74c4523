"""Several losses as one, as a torch module that owns their learnt radii and log-variances."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from os import PathLike
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from anomaly_kernels import objective
from anomaly_kernels.objective import Node, ObjectiveError
from anomaly_kernels.objective._objective import as_objective


class Objective(nn.Module):
    """The sum of several losses, and metrics beside them, computed from a dict of tensors.

    The module of `anomaly_kernels.Objective`, which explains nodes and descriptions.

    Parameters
    ----------
    nodes : dict of str to Node, or anomaly_kernels.Objective
        The losses and metrics. Tensors among their settings move with the module, models are parts of it.
    uncertainty : sequence of str
        The losses whose weights are learnt. An objective in `nodes` has its own.

    Attributes
    ----------
    r_unconstrained : torch.nn.ParameterDict
        By node, where a radius is learnt: R = ``svdd_radius(r_unconstrained[node])``.
    log_variance : torch.nn.ParameterDict
        By node, where a loss is weighed by its uncertainty.

    Raises
    ------
    ObjectiveError
        As the pure objective does. Also if torch cannot hold the name of a node that has something to learn.
    """

    def __init__(self, nodes: Mapping[str, Node] | objective.Objective, *, uncertainty: Collection[str] = ()) -> None:
        super().__init__()
        self.pure = as_objective(nodes, uncertainty)
        self.settings = nn.Module()
        self.models = nn.ModuleDict()
        self._settings_with_tensors = {}
        for name, node in self.pure.nodes.items():
            if with_tensors := {key: x for key, x in node.settings.items() if self._register(f"{name}:{key}", x)}:
                self._settings_with_tensors[name] = with_tensors
        for kind, learning in self.pure.learnt.items():
            parameters = nn.ParameterDict()
            for name in learning:
                if hasattr(parameters, name):
                    raise ObjectiveError(f"node {name!r} needs another name: torch has its own meaning of this one")
                parameters[name] = nn.Parameter(torch.tensor(0.0))
            setattr(self, kind, parameters)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make an objective from a description, as `anomaly_kernels.Objective.from_config` does."""
        return cls(objective.Objective.from_config(config))

    @classmethod
    def from_yaml(cls, source: str | PathLike[str]) -> Self:
        """Make one of YAML, as `anomaly_kernels.Objective.from_yaml` does."""
        return cls(objective.Objective.from_yaml(source))

    def to_config(self) -> dict[str, Any]:
        """Return the description, as `anomaly_kernels.Objective.to_config` does."""
        return self.pure.to_config()

    @property
    def outside(self) -> tuple[str, ...]:
        """The names of the other nodes of a description, which are not losses or metrics of this library."""
        return self.pure.outside

    def _register(self, name: str, value: Any) -> bool:
        """Make the tensors and models of a setting parts of the module; return whether there are tensors."""
        if isinstance(value, list | tuple):
            have_tensors = [self._register(f"{name}:{k}", x) for k, x in enumerate(value)]
            return any(have_tensors)
        if isinstance(value, np.ndarray):
            value = torch.as_tensor(value.copy())  # what is loaded is written into the buffer
        if isinstance(value, nn.Module):
            self.models[name] = value
        elif isinstance(value, nn.Parameter):
            self.settings.register_parameter(name, value)
        elif isinstance(value, Tensor):
            self.settings.register_buffer(name, value)
        return isinstance(value, Tensor)

    def _current(self, name: str, value: Any) -> Any:
        """Return a setting with the tensors that torch has by now in the place of the first ones."""
        if isinstance(value, list | tuple):
            return [self._current(f"{name}:{k}", x) for k, x in enumerate(value)]
        return getattr(self.settings, name, value)

    def forward(
        self, inputs: Mapping[str, Tensor], *, stage: str | None = None
    ) -> tuple[Tensor | None, dict[str, Any]]:
        """Return the total of the losses, None in a stage that has none, and the value of each node by its name.

        Parameters
        ----------
        inputs : dict of str to Tensor
            Tensors by name.
        stage : {"train", "val", "test", "inference"}, optional
            By default ``"train"`` in training mode and ``"val"`` in evaluation mode.
        """
        stage = ("train" if self.training else "val") if stage is None else stage
        params = {kind: {node: getattr(self, kind)[node] for node in nodes} for kind, nodes in self.pure.learnt.items()}
        settings = {
            node: {key: self._current(f"{node}:{key}", x) for key, x in by_key.items()}
            for node, by_key in self._settings_with_tensors.items()
        }
        return self.pure(inputs, stage=stage, params=params, settings=settings)

    @torch.no_grad()
    def init_radius(self, inputs: Mapping[str, Tensor]) -> None:
        """Set each radius that is learnt so that a fraction ν of these embeddings of normal data lies outside."""
        for name, raw in self.pure.init_radius(inputs).items():
            self.r_unconstrained[name].copy_(raw)

    def extra_repr(self) -> str:
        """Return the nodes, for the repr."""
        return repr(self.pure)
