"""Several losses as one: their sum, and the value of each, from a dict of arrays."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from os import PathLike
from typing import Any

from anomaly_kernels import losses
from anomaly_kernels._core.checks import array_of, cast, is_number, is_real, number
from anomaly_kernels._core.checks import inputs as inputs_of
from anomaly_kernels._core.namespace import array_namespace, namespace_or_none
from anomaly_kernels._core.spelling import suggestion
from anomaly_kernels._core.typing import Array, DType, Namespace
from anomaly_kernels.losses.one_class import quantile_radius, raw_radius
from anomaly_kernels.objective._checks import check_elsewhere, check_nodes, check_uncertainty
from anomaly_kernels.objective._config import read_config, write_config
from anomaly_kernels.objective._errors import ObjectiveError, short_name, short_repr
from anomaly_kernels.objective._node import STAGES, Node
from anomaly_kernels.objective._uncertainty import check_sign, weigh_by_uncertainty

Values = Mapping[str, Any]
Params = Mapping[str, Values]

_RADIUS, _LOG_VARIANCE = "r_unconstrained", "log_variance"


class Objective:
    r"""The sum of several losses, and metrics beside them, computed from a dict of arrays.

    .. math:: L = \sum_{i \notin U} L_i + \sum_{i \in U} \tfrac12 \left(e^{-s_i} L_i + s_i\right)

    Parameters
    ----------
    nodes : dict of str to Node
        The losses :math:`L_i`, weighed as their settings say, and the metrics; names are without dots.
    uncertainty : sequence of str
        The losses U whose weights are learnt. :math:`s_i` is the logarithm of a variance. These losses must not become
        negative, and their weights must not be negative.
    outside : sequence of str
        Names of nodes that are elsewhere, as in a file that describes a whole pipeline. They are only kept.

    Raises
    ------
    ObjectiveError
        If a name is not one of a node, a loss in `uncertainty` may be negative, or a node is wired to the output of
        another, as in ``"bce.loss"``. Nodes take only arrays that are given.

    Notes
    -----
    It is a pure function of its inputs and of `params`, in every library, under ``jit`` and automatic differentiation.
    `anomaly_kernels.torch.Objective` is a module that owns the learnt parameters. `anomaly_kernels.keras.Objective` is
    a `keras.Model` around another. Metrics are of one batch. For a whole data set, use the classes of metrics.

    References
    ----------
    .. [1] A. Kendall, Y. Gal, R. Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and
       Semantics", CVPR, 2018; equation 7.

    Examples
    --------
    >>> import numpy as np
    >>> import anomaly_kernels as ak
    >>> nodes = {
    ...     "mse": ak.Node(ak.mse_reconstruction_loss, x_true="data.x", x_pred="decoder.x"),
    ...     "entropy": ak.Node(ak.selector_entropy_regularizer, weights="selector.weights", weight=1.0),
    ... }
    >>> arrays = {"data.x": np.ones(2), "decoder.x": np.zeros(2), "selector.weights": np.asarray([1.0, 0.0])}
    >>> total, terms = ak.Objective(nodes)(arrays)
    >>> float(total.round(4)), list(terms)
    (1.0, ['mse', 'entropy'])
    """

    def __init__(
        self, nodes: Mapping[str, Node], *, uncertainty: Collection[str] = (), outside: Collection[str] = ()
    ) -> None:
        check_nodes(nodes)
        check_uncertainty(uncertainty, nodes)
        check_elsewhere(outside, nodes)
        self.nodes: Mapping[str, Node] = dict(nodes)
        self.uncertainty = tuple(name for name in nodes if name in uncertainty)
        self.outside = tuple(outside)
        """The names of the other nodes of a description, which are not losses or metrics of this library."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Objective:
        """Make one of a description, as cuvis-ai has it.

        Parameters
        ----------
        config : dict
            ``nodes`` is a dict from names to ``{"type": ..., "config": {...}}``, of which `config` holds the settings,
            if any. ``connections`` is a list of pairs ``["logit_head.logits", "bce_loss.predictions"]``: the name of an
            array, and a node with one of its arrays; those from the output of a node to one that is elsewhere are left
            out. ``uncertainty`` and ``outside``, lists, may be absent. A pipeline as cuvis-ai writes it is taken as
            well: nodes in a list, with ``name``, ``class_name`` and ``hparams``, and connections with ``source`` and
            ``target``. What is no loss or metric of ours is then among the names of `outside`.

        Raises
        ------
        ObjectiveError
            If anything in it is not as it must be; nothing else is raised, whatever the description is made of.
        """
        nodes, uncertainty, outside = read_config(config)
        return cls(nodes, uncertainty=uncertainty, outside=outside)

    @classmethod
    def from_yaml(cls, source: str | PathLike[str]) -> Objective:
        """Make one of a YAML file, or of the text of one, for which PyYAML is needed (extra ``yaml``).

        Parameters
        ----------
        source : str or path
            A path, or a str of one line that ends in ``.yaml`` or ``.yml``, is that of a file; any other str is the
            text itself, of YAML 1.2.

        Raises
        ------
        ObjectiveError
            If it is no YAML, or no path that there can be; holds an anchor, a tag or a key twice; is larger than 1 MB,
            in bytes of UTF-8, has more than 50 000 values (keys, scalars, lists and mappings) or more than 20 levels;
            or if `from_config` raises it. Nothing in a file is run.
        OSError, TypeError, ImportError
            If the file cannot be read; the source is neither text nor a path; there is no PyYAML.
        """
        try:
            from anomaly_kernels.objective._yaml import read_yaml
        except ModuleNotFoundError as error:
            raise ImportError("reading YAML needs PyYAML: pip install 'anomaly-kernels[yaml]'") from error
        return cls.from_config(read_yaml(source))

    def to_config(self) -> dict[str, Any]:
        """The description that `from_config` takes, of lists, dicts, numbers and strings of Python.

        Raises
        ------
        ObjectiveError
            If a setting is an array, a model or a function, which no description holds.
        """
        return write_config(self.nodes, self.uncertainty, self.outside)

    @property
    def learnt(self) -> dict[str, list[str]]:
        """What is learnt: the names of `params`, and for which nodes there is each."""
        radii = [name for name, node in self.nodes.items() if node.learns]
        return {name: nodes for name, nodes in ((_RADIUS, radii), (_LOG_VARIANCE, list(self.uncertainty))) if nodes}

    def init(self, like: Array) -> dict[str, dict[str, Array]]:
        """What is learnt, as it is at first: zeros of the dtype of an array, float32 if that is no floating point.

        ``r_unconstrained`` is the radius of `deep_svdd_soft_boundary_loss` before `svdd_radius`, ``log_variance`` the
        s of losses weighed by uncertainty; each a dict from nodes to 0-d arrays. Without any there is nothing.
        """
        xp = array_namespace(like)
        dtype = like.dtype if is_real(like) else xp.float32
        return {
            name: {node: xp.constant(0.0, like=like, dtype=dtype) for node in nodes}
            for name, nodes in self.learnt.items()
        }

    def init_radius(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """What `params` holds as ``r_unconstrained``, for radii outside which a fraction ν of these embeddings lies.

        Parameters
        ----------
        inputs : dict of str to array
            The embeddings of normal data and their centres, by the names they are wired to.
        """
        raw_radii = {}
        for name in self.learnt.get(_RADIUS, []):
            node = self.nodes[name]
            arrays = node.arrays(name, inputs)
            try:
                raw_radii[name] = raw_radius(quantile_radius(**arrays, nu=float(node.bound["nu"])))
            except Exception as error:
                add_note(error, name, node)
                raise
        return raw_radii

    def __call__(
        self,
        inputs: Mapping[str, Array],
        *,
        stage: str = "train",
        params: Params | None = None,
        settings: Params | None = None,
    ) -> tuple[Array | None, dict[str, Any]]:
        """The total of the losses, and the value of each node.

        Parameters
        ----------
        inputs : dict of str to array
            Arrays by name: those that the nodes of the stage are wired to, and perhaps more.
        stage : {"train", "val", "test", "inference"}
            Losses are computed in the first three, metrics in val and test.
        params : dict, optional
            What is learnt, as `init` makes it, 0-d arrays or numbers, where there is any and losses are computed.
        settings : dict, optional
            By node, settings in the place of its own: a weight that follows a schedule, say, which ``jit`` then traces.

        Returns
        -------
        total : array, 0-d, or None
            The sum of the losses, of the widest of their dtypes; None in a stage that has none.
        terms : dict
            By the names of the nodes: 0-d arrays, and of metrics what the function returns. Losses are weighed by their
            settings, not by their uncertainties.

        Raises
        ------
        ObjectiveError
            If there is no such stage, node or setting, an array or a parameter is missing, a parameter is not 0-d, or a
            loss has more than one value. Errors that a loss or a metric raises of its arrays stay what they are.
        """
        if not isinstance(stage, str) or stage not in STAGES:
            raise ObjectiveError(f"there is no stage {short_repr(stage)}{suggestion(stage, STAGES)}")
        running = {name: node for name, node in self.nodes.items() if stage in node.stages}
        arrays = {name: node.arrays(name, inputs) for name, node in running.items()}
        summed = [name for name, node in running.items() if node.is_loss]
        params = self._checked_params(params) if summed else {}
        settings = {} if settings is None else self._checked_settings(settings)
        radii, log_variances = params.get(_RADIUS, {}), params.get(_LOG_VARIANCE, {})
        terms = {name: self._value(name, arrays[name], settings.get(name, {}), radii) for name in running}
        if not summed:
            return None, terms
        parts = {name: _weighed(name, terms[name], log_variances) for name in summed}
        xp, dtype = inputs_of(**parts)
        total, *others = (cast(xp, dtype, part) for part in parts.values())
        return sum(others, start=total), terms

    def _checked_params(self, params: Params | None) -> Params:
        """Return the parameters, unless they are others than `init` makes."""
        by_kind, learnt = {} if params is None else params, self.learnt
        are_dicts = isinstance(by_kind, Mapping) and all(isinstance(x, Mapping) for x in by_kind.values())
        if not are_dicts or {kind: set(x) for kind, x in by_kind.items()} != {k: set(x) for k, x in learnt.items()}:
            expected = "; ".join(f"{kind} of {', '.join(map(short_name, nodes))}" for kind, nodes in learnt.items())
            what = f"`params` must be as `init` makes them, expected {expected or 'none'}"
            raise ObjectiveError(f"{what}, got {short_repr(params)}")
        return by_kind

    def _checked_settings(self, settings: Any) -> Params:
        """Return settings given with a call, unless one is of no node, or unknown to it."""
        if not isinstance(settings, Mapping) or not all(isinstance(x, Mapping) for x in settings.values()):
            raise ObjectiveError(f"`settings` must be dicts of settings by node, got {short_repr(settings)}")
        for name, of_node in settings.items():
            if name not in self.nodes:
                raise ObjectiveError(f"`settings` names no node {short_repr(name)}{suggestion(name, self.nodes)}")
            known = self.nodes[name].bound
            if unknown := [key for key in of_node if key not in known]:
                what = f"node `{short_name(name)}` has no setting {short_repr(unknown[0])}"
                raise ObjectiveError(f"{what}{suggestion(unknown[0], known)}")
            if name in self.uncertainty:
                check_sign(name, self.nodes[name], of_node)
        return settings

    def _value(self, name: str, arrays: Values, settings: Values, radii: Values) -> Any:
        """Return the value of a node; an error that its kernel raises gets a note."""
        node, learnt = self.nodes[name], {}
        try:
            if name in radii:
                xp, dtype = inputs_of(**arrays)
                raw = _parameter(_RADIUS, name, radii[name], xp, dtype, next(iter(arrays.values())))
                learnt["radius"] = losses.svdd_radius(raw)
            return node.value(arrays, settings, **learnt)
        except Exception as error:
            add_note(error, name, node)
            raise

    def __repr__(self) -> str:
        nodes = "".join(f"\n  {name}: {node!r}" for name, node in self.nodes.items())
        weighed = f", weighed by uncertainty: {', '.join(self.uncertainty)}" if self.uncertainty else ""
        return f"Objective({nodes}\n){weighed}"


def as_objective(nodes: Mapping[str, Node] | Objective, uncertainty: Collection[str]) -> Objective:
    """Return the objective of nodes, or the objective itself, which has its own `uncertainty`."""
    if not isinstance(nodes, Objective):
        return Objective(nodes, uncertainty=uncertainty)
    if uncertainty:
        raise ObjectiveError(f"`uncertainty` is that of the objective given, got {short_repr(uncertainty)} besides")
    return nodes


def add_note(error: Exception, name: str, node: Node) -> None:
    """Note on an error which node raised it, unless its message says so."""
    if not isinstance(error, ObjectiveError):
        wires = ", ".join(f"{argument}={short_repr(source)}" for argument, source in node.sources.items())
        error.add_note(f"in node `{short_name(name)}`: {node.type}, {wires}")


def _parameter(kind: str, node: str, value: Any, xp: Namespace, dtype: DType, like: Array) -> Array:
    """Return a parameter as an array in the dtype to compute in."""
    try:
        return array_of(xp, dtype, number(f"params[{kind!r}][{short_name(node)!r}]", value, xp, dtype), like)
    except (TypeError, ValueError) as error:
        raise ObjectiveError(str(error)) from error


def _weighed(name: str, value: Any, log_variances: Mapping[str, Any]) -> Any:
    """Return what a loss adds to the total: its value, or that weighed by its uncertainty, in the wider dtype."""
    if tuple(value.shape):
        raise ObjectiveError(f"node `{short_name(name)}` must have one value, got shape {tuple(value.shape)}")
    if name not in log_variances:
        return value
    xp, s = array_namespace(value), log_variances[name]
    has_dtype = not is_number(s) and namespace_or_none(s) is xp and is_real(s)
    _, dtype = inputs_of(loss=value, **({"log_variance": s} if has_dtype else {}))
    value = cast(xp, dtype, value)
    return weigh_by_uncertainty(xp, value, _parameter(_LOG_VARIANCE, name, s, xp, dtype, value))
