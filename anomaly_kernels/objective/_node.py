"""A loss or a metric whose arrays are wired to names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import chain, islice
from typing import Any

from anomaly_kernels._catalogue import BY_NAME, ENTRIES, Kernel
from anomaly_kernels._classes.settings import check_settings, parameters_of
from anomaly_kernels._core.checks import setting
from anomaly_kernels._core.evaluate import weigh
from anomaly_kernels._core.namespace import array_namespace, describe
from anomaly_kernels._core.spelling import suggestion
from anomaly_kernels.objective._errors import ObjectiveError, short_name, short_repr

STAGES = ("train", "val", "test", "inference")

# names that cuvis-ai has for the arrays of its nodes, beside the kernels' own
_ALIASES = {
    **dict.fromkeys(("target", "y_true", "p_true"), ("targets",)),
    **dict.fromkeys(("y_pred", "p_pred"), ("predictions",)),
    "x_true": ("targets", "target"),
    "x_pred": ("predictions", "reconstruction"),
    **dict.fromkeys(("logit", "score"), ("predictions", "logits")),
    "decision": ("decisions",),
}
_LEARNT = "radius"
"""The array that is learnt where none is wired."""

_MOST_LEVELS, _MOST_ITEMS, _MOST_BITS = 4, 10_000, 1024  # of lists in settings, on each level, and of integers in them

NODES: dict[str, Kernel] = {
    name: entry.kernel for name, entry in BY_NAME.items() if entry.cls or entry.package == "metrics"
}
"""The kernels that can be a node, by the names of the functions and of their classes."""


@cache
def _ports_of(kernel: Kernel) -> dict[str, str]:
    """Return the kernel's argument for each port: its own name, and those of cuvis-ai."""
    return {port: name for name in parameters_of(kernel).arrays for port in (name, *_ALIASES.get(name, ()))}


@cache
def _defaults_of(kernel: Kernel) -> dict[str, Any]:
    """Return the settings of a node, None where one is required; each loss has a weight, its own or the node's."""
    parameters = parameters_of(kernel)
    weight = {"weight": 1.0} if ENTRIES[kernel].package == "losses" else {}
    return weight | {name: parameters.defaults.get(name) for name in parameters.settings}


class Node:
    """A loss or a metric in an `Objective`, with the names of its arrays and with its settings.

    Parameters
    ----------
    kernel : function or str
        A loss or a metric of `anomaly_kernels`, or the name of one, or of its class, as in ``"IoULoss"``.
    **wired
        Arrays and settings of the function. Each array gets the name that it has among the objective's inputs. Arrays
        have the function's names, or those of cuvis-ai: ``predictions``, ``targets``, ``decisions``, ``logits``. Losses
        without a `weight` take one here, which multiplies them. The radius of `deep_svdd_soft_boundary_loss` is learnt
        unless it is wired. ``execution_stages=["train", "val"]`` computes the node only in these of its stages.

    Raises
    ------
    ObjectiveError
        If there is no such kernel, array or setting; a setting is wrong; an array is wired twice, or not at all.

    Examples
    --------
    >>> import anomaly_kernels as ak
    >>> ak.Node(ak.iou_loss, target="data.mask", score="head.logits", smooth=1.0)
    Node('IoULoss', target='data.mask', score='head.logits', smooth=1.0)
    """

    def __init__(self, kernel: Kernel | str, /, **wired: Any) -> None:
        self.kernel = kernel_of(kernel)
        self.type = ENTRIES[self.kernel].cls or self.kernel.__name__
        """The name of the class that the kernel has in the frameworks, or that of the function."""
        self.is_loss = ENTRIES[self.kernel].package == "losses"
        """Whether it is a loss, which is part of the total, or a metric."""
        self.execution_stages = _stages(wired.pop("execution_stages", None))
        """The stages it was narrowed to, None where it was not."""
        self.stages: tuple[str, ...] = STAGES[:3] if self.is_loss else STAGES[1:3]
        """The stages in which it is computed."""
        if self.execution_stages is not None and "always" not in self.execution_stages:
            self.stages = tuple(stage for stage in self.stages if stage in self.execution_stages)
        ports, defaults = _ports_of(self.kernel), _defaults_of(self.kernel)
        self._ports: dict[str, str] = {name: x for name, x in wired.items() if name in ports}
        self._sources = self._sources_by_argument()
        settings = {name: x for name, x in wired.items() if name not in ports}
        for name in settings:
            if name not in defaults:
                what = f"{self.type} has no array or setting `{short_name(name)}`"
                raise ObjectiveError(f"{what}{suggestion(name, (*ports, *defaults))}")
        self._settings = {name: self._own_setting(name, x) for name, x in settings.items()}
        self._bound: dict[str, Any] = defaults | self._settings
        self._check_settings()
        # looked up here and not at each call: what is compiled cannot read signatures
        parameters = parameters_of(self.kernel)
        self._kernel_settings = parameters.settings
        self.learns = _LEARNT in parameters.arrays and _LEARNT not in self._sources
        """Whether an array of it is learnt, since it is not wired."""

    def _sources_by_argument(self) -> dict[str, str]:
        """Return the name of the array for each argument of the kernel."""
        sources: dict[str, str] = {}
        parameters, ports = parameters_of(self.kernel), _ports_of(self.kernel)
        for port, source in self._ports.items():
            if not isinstance(source, str) or not source:
                got = short_repr(source) if isinstance(source, str) else describe(source)
                raise ObjectiveError(f"`{port}` must be the name of an array, got {got}")
            argument = ports[port]
            if argument in sources:
                both = f"{short_repr(sources[argument])} and {short_repr(source)}"
                raise ObjectiveError(f"`{port}` is wired twice, to {both}")
            sources[argument] = source
        required = set(parameters.arrays) - parameters.defaults.keys() - {_LEARNT}
        if missing := sorted(required - sources.keys()):
            raise ObjectiveError(f"{self.type} needs `{'` and `'.join(missing)}`, which is not connected")
        return sources

    def _own_setting(self, name: str, value: Any) -> Any:
        """Return a setting that nobody else can change: a copy of lists, and lists of arrays that are read once."""
        if name in parameters_of(self.kernel).static and hasattr(value, "tolist"):
            value = value.tolist()
        _check_size(name, value)
        return _copy_lists(value)

    def _check_settings(self) -> None:
        """Raise where a setting is missing, or what the kernel would raise of one."""
        parameters = parameters_of(self.kernel)
        for name in parameters.settings:
            if name not in parameters.defaults and name not in self._settings:
                raise ObjectiveError(f"{self.type} needs the setting `{name}`")
        try:
            check_settings(self.kernel, self._bound)
            if self.is_loss:
                setting("weight", self._bound["weight"])
        except (TypeError, ValueError, OverflowError) as error:
            raise ObjectiveError(str(error)) from error
        if self.is_loss and self._bound.get("reduction") == "none":
            raise ObjectiveError("`reduction` must be 'mean' or 'sum' in an objective, got 'none'")

    @property
    def ports(self) -> dict[str, str]:
        """The names of the arrays, by the names it was wired with; a copy, as are all of these."""
        return dict(self._ports)

    @property
    def sources(self) -> dict[str, str]:
        """The names of the arrays, by the arguments of the function."""
        return dict(self._sources)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings it was made with."""
        return {name: _copy_lists(x) for name, x in self._settings.items()}

    @property
    def bound(self) -> dict[str, Any]:
        """All settings, the others at their defaults."""
        return {name: _copy_lists(x) for name, x in self._bound.items()}

    @staticmethod
    def ports_of(kernel: Kernel | str) -> tuple[str, ...]:
        """The names that the arrays of a kernel go by."""
        return tuple(_ports_of(kernel_of(kernel)))

    def arrays(self, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arrays of the node by argument; `name` is its own, for errors."""
        if not isinstance(inputs, Mapping):
            raise ObjectiveError(f"`inputs` must be a dict of arrays by name, got {describe(inputs)}")
        for argument, source in self._sources.items():
            if source not in inputs:
                what = f"node `{short_name(name)}` needs {short_repr(source)} as `{argument}`"
                raise ObjectiveError(f"{what}{suggestion(source, inputs)}")
        return {argument: inputs[source] for argument, source in self._sources.items()}

    def value(self, arrays: Mapping[str, Any], settings: Mapping[str, Any] = {}, **learnt: Any) -> Any:
        """Return the value, from arrays by argument, settings in the place of its own, and a radius that is learnt."""
        settings = {**self._bound, **settings}
        value = self.kernel(**arrays, **learnt, **{name: settings[name] for name in self._kernel_settings})
        if self.is_loss and "weight" not in self._kernel_settings:
            return weigh(array_namespace(value), value.dtype, settings["weight"], value)
        return value

    def __repr__(self) -> str:
        stages = {} if self.execution_stages is None else {"execution_stages": list(self.execution_stages)}
        wired = "".join(f", {name}={x!r}" for name, x in (self._ports | self._settings | stages).items())
        return f"Node({self.type!r}{wired})"


def kernel_of(kernel: Any) -> Kernel:
    """Return the kernel of a node, from itself or from a name."""
    if isinstance(kernel, str):
        if kernel not in NODES:
            raise ObjectiveError(f"there is no loss or metric {short_repr(kernel)}{suggestion(kernel, NODES)}")
        return NODES[kernel]
    if not any(kernel is x for x in NODES.values()):
        raise ObjectiveError(f"a node must be a loss or a metric of one value, or its name, got {describe(kernel)}")
    return kernel  # type: ignore[no-any-return]


def _stages(value: Any) -> tuple[str, ...] | None:
    """Return the stages that a node is narrowed to, None for all."""
    if value is None:
        return None
    known = (*STAGES, "always")
    stages = [value] if isinstance(value, str) else value
    if not isinstance(stages, list | tuple) or not stages:
        raise ObjectiveError(f"`execution_stages` must be a list of stages, at least one, got {short_repr(value)}")
    for stage in stages:
        if not isinstance(stage, str) or stage not in known:
            raise ObjectiveError(f"`execution_stages`: there is no {short_repr(stage)}{suggestion(stage, known)}")
    return tuple(map(str.__str__, stages))


def _check_size(name: str, value: Any) -> None:
    """Raise where a setting is too large to go through it: a list may be in itself, or in another many times."""
    level = [value]
    for _ in range(_MOST_LEVELS + 1):
        for x in level:
            if isinstance(x, int) and x.bit_length() > _MOST_BITS:
                raise ObjectiveError(f"`{name}` must be a number that fits a float, got {short_repr(int(x))}")
        nests = (x.values() if isinstance(x, dict) else x for x in level if isinstance(x, list | tuple | dict))
        level = list(islice(chain.from_iterable(nests), _MOST_ITEMS + 1))
        if not level:
            return
        if len(level) > _MOST_ITEMS:
            raise ObjectiveError(f"`{name}` must have no more than {_MOST_ITEMS} items")
    raise ObjectiveError(f"`{name}` must not be nested deeper than {_MOST_LEVELS} levels")


def _copy_lists(value: Any) -> Any:
    """Copy a setting's lists; the items are the same."""
    if not isinstance(value, list | tuple):
        return value
    copies = map(_copy_lists, value)
    return tuple(copies) if isinstance(value, tuple) else list(copies)
