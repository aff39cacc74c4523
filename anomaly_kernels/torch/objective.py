"""Several losses as one, as a torch module that owns their learnt radii and log-variances."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from os import PathLike
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from anomaly_kernels import objective
from anomaly_kernels.objective import Node, ObjectiveError
from anomaly_kernels.objective._objective import as_objective


class Objective(nn.Module):
    """Several losses as one, and metrics beside them, computed from a dict of tensors.

    The module of `anomaly_kernels.Objective`, which says what nodes and descriptions are.

    Parameters
    ----------
    nodes : dict of str to Node, or anomaly_kernels.Objective
        The losses and metrics. Tensors among their settings move with the module, models are parts of it.
    uncertainty : sequence of str
        The losses whose weights are learnt, where `nodes` is no objective, which says so itself.

    Attributes
    ----------
    r_unconstrained : torch.nn.ParameterDict
        By node, where a radius is learnt: R = ``svdd_radius(r_unconstrained[node])``.
    log_variance : torch.nn.ParameterDict
        By node, where a loss is weighed by its uncertainty.

    Raises
    ------
    ObjectiveError
        As the pure one does, and if torch has no room for the name of a node of which something is learnt.
    """

    def __init__(self, nodes: Mapping[str, Node] | objective.Objective, *, uncertainty: Collection[str] = ()) -> None:
        super().__init__()
        self.pure = as_objective(nodes, uncertainty)
        self._sources = [source for node in self.pure.nodes.values() for source in node.sources.values()]
        self.settings = nn.Module()
        self.models = nn.ModuleDict()
        names = {name: self._register_settings(name, node) for name, node in self.pure.nodes.items()}
        self._tensor_names = {name: by_setting for name, by_setting in names.items() if by_setting}
        for kind, learning in self.pure.learnt.items():
            parameters = nn.ParameterDict()
            for name in learning:
                if hasattr(parameters, name):
                    raise ObjectiveError(f"node {name!r} needs another name: torch has its own meaning of this one")
                parameters[name] = nn.Parameter(torch.tensor(0.0))
            setattr(self, kind, parameters)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make one of a description, as `anomaly_kernels.Objective.from_config` does."""
        return cls(objective.Objective.from_config(config))

    @classmethod
    def from_yaml(cls, source: str | PathLike[str]) -> Self:
        """Make one of YAML, as `anomaly_kernels.Objective.from_yaml` does."""
        return cls(objective.Objective.from_yaml(source))

    def to_config(self) -> dict[str, Any]:
        """Return the description, as `anomaly_kernels.Objective.to_config` does."""
        return self.pure.to_config()

    def _register_settings(self, name: str, node: Node) -> dict[str, str | list[str]]:
        """Make a node's models and tensors parts of the module; by setting, the names of tensors in `settings`."""
        tensor_names: dict[str, str | list[str]] = {}
        for key, value in node.settings.items():
            is_list = isinstance(value, list | tuple)
            parts = {f"{name}:{key}:{k}": x for k, x in enumerate(value)} if is_list else {f"{name}:{key}": value}
            self.models.update({part: x for part, x in parts.items() if isinstance(x, nn.Module)})
            if any(isinstance(x, Tensor | np.ndarray) for x in parts.values()):
                for part, x in parts.items():
                    self._register_setting(part, x)
                tensor_names[key] = list(parts) if is_list else f"{name}:{key}"
        return tensor_names

    def _register_setting(self, part: str, x: Any) -> None:
        if isinstance(x, nn.Parameter):
            self.settings.register_parameter(part, x)
        elif isinstance(x, Tensor):
            self.settings.register_buffer(part, x)
        elif isinstance(x, np.ndarray):
            self.settings.register_buffer(part, torch.as_tensor(x.copy()))  # what is loaded is written into the buffer
        else:
            setattr(self.settings, part, x)

    def _current_settings(self) -> dict[str, dict[str, Any]]:
        """Return the settings with tensors, by node: torch may have put others in the place of the first ones."""
        return {
            node: {
                key: [getattr(self.settings, name) for name in names]
                if isinstance(names, list)
                else getattr(self.settings, names)
                for key, names in by_setting.items()
            }
            for node, by_setting in self._tensor_names.items()
        }

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
        stage = ("train" if self.training else "val") if stage is None else stage
        params = {kind: {node: getattr(self, kind)[node] for node in nodes} for kind, nodes in self.pure.learnt.items()}
        arrays = [inputs.get(source) for source in self._sources] if isinstance(inputs, Mapping) else []
        device = next((x.device.type for x in arrays if isinstance(x, Tensor)), "cpu")
        autocasts = torch.amp.is_autocast_available(device)
        with torch.autocast(device, enabled=False) if autocasts else nullcontext():  # in which losses overflow
            return self.pure(inputs, stage=stage, params=params, settings=self._current_settings())

    @torch.no_grad()
    def init_radius(self, inputs: Mapping[str, Tensor]) -> None:
        """Set each radius that is learnt so that a fraction ν of these embeddings of normal data lies outside."""
        for name, raw in self.pure.init_radius(inputs).items():
            self.r_unconstrained[name].copy_(raw)

    def extra_repr(self) -> str:
        """Return the nodes, for the repr."""
        return repr(self.pure)
