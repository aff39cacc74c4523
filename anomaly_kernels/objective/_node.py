"""A loss or a metric whose arrays are wired to names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from anomaly_kernels._adapter import Adapter
from anomaly_kernels._catalogue import CLASSES, KERNELS, LOSSES, Kernel
from anomaly_kernels._checks import setting
from anomaly_kernels._namespace import describe
from anomaly_kernels.objective._errors import ObjectiveError, nearest

STAGES = ("train", "val", "test", "inference")

# what cuvis-ai calls the arrays of its nodes, beside the kernels' own names
_ALIASES = {
    **dict.fromkeys(("target", "x_true", "y_true", "p_true"), ("targets",)),
    **dict.fromkeys(("x_pred", "y_pred", "p_pred"), ("predictions",)),
    **dict.fromkeys(("logit", "score"), ("predictions", "logits")),
    "decision": ("decisions",),
}
_LEARNT = "radius"
"""The array that is learnt where none is wired."""


class _Kind(Adapter):
    """A kernel as a type of node."""

    ports: ClassVar[dict[str, str]]
    """The names of arrays, and their other ones, to the kernel's arguments."""
    required: ClassVar[frozenset[str]]
    stages: ClassVar[tuple[str, ...]] = STAGES[1:3]

    def __init_subclass__(cls, *, kernel: Kernel | None = None, **options: Any) -> None:
        super().__init_subclass__(kernel=kernel, **options)
        if kernel is not None:
            parameters = inspect.signature(kernel).parameters
            cls.ports = {port: name for name in cls.arrays for port in (name, *_ALIASES.get(name, ()))}
            needed = {name for name in cls.arrays if parameters[name].default is inspect.Parameter.empty}
            cls.required = frozenset(needed - {_LEARNT})


class _Loss(_Kind):
    stages = STAGES[:3]
    own_parameters: ClassVar[Any] = {"weight": (1.0, "number or 0-d array\n    Factor of the result.")}

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """Raise what the kernel would, and unless the weight is a number."""
        super().check(values)
        setting("weight", values["weight"])
        if values.get("reduction") == "none":
            raise ValueError("`reduction` must be 'mean' or 'sum' in an objective, got 'none'")


@cache
def _kind_of(kernel: Kernel) -> type[_Kind]:
    base = _Loss if kernel in LOSSES.values() else _Kind
    return type(CLASSES.get(kernel, kernel.__name__), (base,), {}, kernel=kernel)


class Node:
    """A loss or a metric in an `Objective`: its arrays wired to names, and its settings.

    Parameters
    ----------
    kernel : function or str
        A loss or a metric of `anomaly_kernels`, or the name of one, or of its class, as in ``"IoULoss"``.
    **wired
        Arrays of the function, each with the name under which the objective is given it; and settings. Arrays go by the
        function's names, or by those of cuvis-ai: ``predictions``, ``targets``, ``decisions``, ``logits``. Losses that
        have no `weight` take one here, by which they are multiplied. The radius of `deep_svdd_soft_boundary_loss` is
        learnt unless it is wired.

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
        self._kind = _kind_of(self.kernel)
        self.ports: dict[str, str] = {name: x for name, x in wired.items() if name in self._kind.ports}
        self.settings: dict[str, Any] = {name: x for name, x in wired.items() if name not in self.ports}
        self.sources = self._sources()
        known = (*self._kind.ports, *inspect.signature(self._kind).parameters)
        if unknown := [name for name in self.settings if name not in known]:
            raise ObjectiveError(f"{self.type} has no array or setting `{unknown[0]}`{nearest(unknown[0], known)}")
        try:
            self.bound = self._kind.bind((), self.settings)
        except (TypeError, ValueError, OverflowError) as error:
            raise ObjectiveError(str(error)) from error

    def _sources(self) -> dict[str, str]:
        """The name of the array for each argument."""
        sources: dict[str, str] = {}
        for port, source in self.ports.items():
            if not isinstance(source, str) or not source:
                raise ObjectiveError(f"`{port}` must be the name of an array, got {describe(source)}")
            argument = self._kind.ports[port]
            if argument in sources:
                raise ObjectiveError(f"`{port}` is wired twice, to {sources[argument]!r} and {source!r}")
            sources[argument] = source
        if missing := sorted(self._kind.required - sources.keys()):
            raise ObjectiveError(f"{self.type} needs `{'` and `'.join(missing)}`, which is not connected")
        return sources

    def __reduce__(self) -> Any:  # its kind is made, and cannot be pickled
        return _made, (self.kernel, {**self.ports, **self.settings})

    @staticmethod
    def ports_of(kernel: Kernel | str) -> tuple[str, ...]:
        """The names that the arrays of a kernel go by."""
        return tuple(_kind_of(kernel_of(kernel)).ports)

    @property
    def type(self) -> str:
        """The name of the class that the kernel has in the frameworks, or that of the function."""
        return self._kind.__name__

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages in which it is computed."""
        return self._kind.stages

    @property
    def is_loss(self) -> bool:
        """Whether it is a loss, which is part of the total, or a metric."""
        return issubclass(self._kind, _Loss)

    @property
    def learns(self) -> bool:
        """Whether an array of it is learnt, since it is not wired."""
        return _LEARNT in self._kind.arrays and _LEARNT not in self.sources

    def gathered(self, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The arrays of the node, which has that name, by argument."""
        for argument, source in self.sources.items():
            if source not in inputs:
                raise ObjectiveError(f"node `{name}` needs {source!r} as `{argument}`{nearest(source, inputs)}")
        return {argument: inputs[source] for argument, source in self.sources.items()}

    def value(self, arrays: Mapping[str, Any], **learnt: Any) -> Any:
        """The value, of the arrays by argument and of what is learnt."""
        found = self.kernel(**arrays, **learnt, **{name: self.bound[name] for name in self._kind.settings})
        return self.bound["weight"] * found if self._weighs else found

    @property
    def _weighs(self) -> bool:
        return self.is_loss and "weight" not in self._kind.settings

    def __repr__(self) -> str:
        wired = (f", {name}={x!r}" for name, x in (*self.ports.items(), *self.settings.items()))
        return f"Node({self.type!r}{''.join(wired)})"


def _made(kernel: Kernel, wired: Mapping[str, Any]) -> Node:
    return Node(kernel, **wired)


def kernel_of(given: Any) -> Kernel:
    """A kernel that can be a node, by itself or by a name."""
    if isinstance(given, str):
        if given not in KERNELS:
            raise ObjectiveError(f"there is no loss or metric {given!r}{nearest(given, KERNELS)}")
        return KERNELS[given]
    if not any(given is kernel for kernel in KERNELS.values()):
        raise ObjectiveError(f"a node must be a loss or a metric of one value, or its name, got {describe(given)}")
    return given  # type: ignore[no-any-return]
