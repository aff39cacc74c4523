"""Several losses as one, computed of arrays that are given by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from os import PathLike
from typing import Any

from anomaly_kernels import losses
from anomaly_kernels._namespace import array_namespace, describe
from anomaly_kernels._typing import Array
from anomaly_kernels.losses.one_class import quantile_radius, raw_radius
from anomaly_kernels.objective._config import described, description
from anomaly_kernels.objective._errors import ObjectiveError, nearest, shown
from anomaly_kernels.objective._node import STAGES, Node

Params = Mapping[str, Mapping[str, Any]]

_RADIUS, _LOG_VARIANCE = "r_unconstrained", "log_variance"

_OF_ANY_SIGN = (
    losses.aegmm_loss,
    losses.elbo,
    losses.selector_diversity_regularizer,
    losses.selector_entropy_regularizer,
    losses.vaegmm_loss,
)


class Objective:
    r"""Several losses as one, and metrics beside them, computed of arrays that are given by name.

    .. math:: L = \sum_{i \notin U} L_i + \sum_{i \in U} \tfrac12 \left(e^{-s_i} L_i + s_i\right)

    Parameters
    ----------
    nodes : dict of str to Node
        The losses :math:`L_i`, weighed as their settings say, and the metrics; names are without dots.
    uncertainty : sequence of str
        The losses U whose weights are learnt, by their uncertainties: :math:`s_i` is the logarithm of a variance. They
        must not become negative.

    Raises
    ------
    ObjectiveError
        If a name is no name of a node, or a loss in `uncertainty` may be negative.

    Notes
    -----
    It is a pure function of its inputs and of `params`, in every library, under ``jit`` and automatic differentiation.
    `anomaly_kernels.torch.Objective` is a module that owns what is learnt, `anomaly_kernels.keras.Objective` a layer.
    Losses are computed in the stages train, val and test; metrics in val and test, of one batch: the classes of metrics
    have those of a whole data set.

    References
    ----------
    .. [1] A. Kendall, Y. Gal, R. Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and
       Semantics", CVPR, 2018; equation 7.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> objective = ak.Objective({
    ...     "bce": ak.Node(ak.anomaly_bce_with_logits, target="data.mask", logit="head.logits", pos_weight=10.0),
    ...     "entropy": ak.Node(ak.selector_entropy_regularizer, weights="selector.weights"),
    ... })
    >>> arrays = {
    ...     "head.logits": np.asarray([0.0, 2.0]),
    ...     "data.mask": np.asarray([False, True]),
    ...     "selector.weights": np.asarray([0.5, 0.5]),
    ... }
    >>> total, terms = objective(arrays, stage="train")
    >>> [(name, round(float(value), 4)) for name, value in terms.items()], round(float(total), 4)
    ([('bce', 0.9812), ('entropy', -0.0069)], 0.9743)
    """

    def __init__(self, nodes: Mapping[str, Node], *, uncertainty: Collection[str] = ()) -> None:
        if not isinstance(nodes, Mapping) or not nodes:
            raise ObjectiveError(f"`nodes` must be a dict of nodes by name, got {shown(nodes)}")
        for name, node in nodes.items():
            if not isinstance(name, str) or not name or "." in name:
                raise ObjectiveError(f"names of nodes must be strings without a dot, got {shown(name)}")
            if not isinstance(node, Node):
                raise ObjectiveError(f"node `{name}` must be a Node, got {describe(node)}")
        if isinstance(uncertainty, str) or not isinstance(uncertainty, Collection):
            raise ObjectiveError(f"`uncertainty` must be names of losses, got {shown(uncertainty)}")
        summed = [name for name, node in nodes.items() if node.is_loss]
        for name in uncertainty:
            if name not in summed:
                raise ObjectiveError(f"`uncertainty` must be names of losses, got {shown(name)}{nearest(name, summed)}")
            if nodes[name].kernel in _OF_ANY_SIGN:
                raise ObjectiveError(f"`uncertainty` must be of losses that are not negative, got {name!r}")
        self.nodes: Mapping[str, Node] = dict(nodes)
        self.uncertainty = tuple(name for name in summed if name in uncertainty)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Objective:
        """Make one of a description, as cuvis-ai has it.

        Parameters
        ----------
        config : dict
            ``nodes`` is a dict from names to ``{"type": ..., "config": {...}}``, of which `config` holds the settings,
            if any. ``connections`` is a list of pairs ``["logit_head.logits", "bce_loss.predictions"]``: the name of an
            array, and a node with one of its arrays. Connections that lead from a node to others outside, such as
            ``["metrics.metrics", "monitor.metrics"]``, are left out. ``uncertainty``, a list, may be absent.

        Returns
        -------
        Objective
            One whose `to_config` is the description, but for what is left out.

        Raises
        ------
        ObjectiveError
            If anything in it is not as it must be, or unknown: types, settings, nodes and arrays.
        """
        nodes, uncertainty = described(config)
        return cls(nodes, uncertainty=uncertainty)

    @classmethod
    def from_yaml(cls, source: str | PathLike[str]) -> Objective:
        """Make one of a YAML file, or of the text of one, for which PyYAML is needed (extra ``yaml``).

        Parameters
        ----------
        source : str or path
            A path, or a str that ends in ``.yaml`` or ``.yml``, is that of a file; any other str is the text itself.

        Returns
        -------
        Objective
            As `from_config` makes it of what the file holds.

        Raises
        ------
        ObjectiveError
            If it is no YAML, holds an anchor, a tag or a key twice, is larger than 1 MB or deeper than 20 levels, or if
            `from_config` raises it. Nothing in a file is run.
        OSError
            If there is no such file.
        """
        from anomaly_kernels.objective._yaml import loaded

        return cls.from_config(loaded(source))

    def to_config(self) -> dict[str, Any]:
        """The description that `from_config` takes, of lists, dicts, numbers and strings.

        Raises
        ------
        ObjectiveError
            If a setting is an array, a model or a function, which no description holds.
        """
        return description(self.nodes, self.uncertainty)

    @property
    def learnt(self) -> dict[str, list[str]]:
        """What is learnt: the names of `params`, and for which nodes there is each."""
        radii = [name for name, node in self.nodes.items() if node.learns]
        return {name: nodes for name, nodes in ((_RADIUS, radii), (_LOG_VARIANCE, list(self.uncertainty))) if nodes}

    def init(self, like: Array) -> dict[str, dict[str, Array]]:
        """What is learnt, as it is at first: zeros beside an array, which is of floating point.

        ``r_unconstrained`` is the radius of `deep_svdd_soft_boundary_loss` before `svdd_radius`, ``log_variance`` the
        s of losses weighed by uncertainty; each a dict from nodes to 0-d arrays. Without any there is nothing.
        """
        xp = array_namespace(like)
        return {
            name: {node: xp.constant(0.0, like=like, dtype=like.dtype) for node in nodes}
            for name, nodes in self.learnt.items()
        }

    def init_radius(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Radii for what is learnt: each so that a fraction ν of embeddings of normal data lies outside.

        Parameters
        ----------
        inputs : dict of str to array
            The embeddings and centres, by the names they are wired to.

        Returns
        -------
        dict of str to array
            By node, what `params` holds as ``r_unconstrained``.

        Raises
        ------
        ObjectiveError
            If an array is missing.
        """
        found = {}
        for name in self.learnt.get(_RADIUS, []):
            node = self.nodes[name]
            arrays = node.gathered(name, inputs)
            found[name] = raw_radius(quantile_radius(**arrays, nu=float(node.bound["nu"])))
        return found

    def __call__(
        self, inputs: Mapping[str, Array], *, stage: str = "train", params: Params | None = None
    ) -> tuple[Array | None, dict[str, Any]]:
        """The total of the losses, and the value of each node.

        Parameters
        ----------
        inputs : dict of str to array
            Arrays by name: those that the nodes of the stage are wired to, and perhaps more.
        stage : {"train", "val", "test", "inference"}
            Losses are computed in the first three, metrics in val and test.
        params : dict, optional
            What is learnt, as `init` makes it, where there is any and losses are computed.

        Returns
        -------
        total : array, 0-d, or None
            The sum of the losses; None in a stage that has none.
        terms : dict
            By the names of the nodes: 0-d arrays, and of metrics what the function returns. Losses are weighed by their
            settings, not by their uncertainties.

        Raises
        ------
        ObjectiveError
            If there is no such stage, an array or a parameter is missing, or a loss has more than one value.
        """
        if stage not in STAGES:
            raise ObjectiveError(f"`stage` must be one of {', '.join(map(repr, STAGES))}, got {stage!r}")
        if not isinstance(inputs, Mapping):
            raise ObjectiveError(f"`inputs` must be a dict of arrays by name, got {describe(inputs)}")
        running = [name for name, node in self.nodes.items() if stage in node.stages]
        arrays = {name: self.nodes[name].gathered(name, inputs) for name in running}
        summed = [name for name in running if self.nodes[name].is_loss]
        learnt = self._checked(params) if summed else {}
        radii = {name: {"radius": losses.svdd_radius(x)} for name, x in learnt.get(_RADIUS, {}).items()}
        terms = {name: self.nodes[name].value(arrays[name], **radii.get(name, {})) for name in running}
        if not summed:
            return None, terms
        total, *others = (self._weighed(name, terms[name], learnt.get(_LOG_VARIANCE, {})) for name in summed)
        return sum(others, start=total), terms

    def _checked(self, params: Params | None) -> Params:
        given, wanted = {} if params is None else params, self.learnt
        known = isinstance(given, Mapping) and all(isinstance(x, Mapping) for x in given.values())
        if not known or {name: set(x) for name, x in given.items()} != {name: set(x) for name, x in wanted.items()}:
            expected = "; ".join(f"{name} of {', '.join(nodes)}" for name, nodes in wanted.items()) or "none"
            raise ObjectiveError(f"`params` must be as `init` makes them, expected {expected}, got {shown(params)}")
        return given

    def _weighed(self, name: str, value: Any, log_variances: Mapping[str, Any]) -> Any:
        """A term of the total."""
        if tuple(value.shape):
            raise ObjectiveError(f"node `{name}` must have one value, got shape {tuple(value.shape)}")
        if name not in log_variances:
            return value
        s = log_variances[name]
        return 0.5 * (array_namespace(value).exp(-s) * value + s)

    def __repr__(self) -> str:
        nodes = "".join(f"\n  {name}: {node!r}" for name, node in self.nodes.items())
        weighed = f", weighed by uncertainty: {', '.join(self.uncertainty)}" if self.uncertainty else ""
        return f"Objective({nodes}\n){weighed}"


def objective_of(nodes: Mapping[str, Node] | Objective, uncertainty: Collection[str]) -> Objective:
    """One of nodes, or the one given, which says by itself whose weights are learnt."""
    if not isinstance(nodes, Objective):
        return Objective(nodes, uncertainty=uncertainty)
    if uncertainty:
        raise ObjectiveError(f"`uncertainty` is that of the objective given, got {shown(uncertainty)} besides")
    return nodes
