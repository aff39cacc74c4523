"""Classes made of kernels: settings, signature and documentation come from the function, nothing is written twice."""

from __future__ import annotations

import difflib
import inspect
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from anomaly_kernels._catalogue import ENTRIES
from anomaly_kernels._core.checks import Range, array, choice, function, items, setting
from anomaly_kernels._core.typing import Array, Items

Check = Callable[[str, Any], object]

# what a true value is called: where it comes first, torch's modules and predictions come the other way round
TRUTHS = ("x_true", "y_true", "p_true", "target")

_MOST_NAMES, _MOST_OF_A_NAME = 8, 60  # in messages, whose names may come from a file


class Adapter:
    """A base of classes that hold a kernel's settings; each names its kernel: ``class IoULoss(Loss, kernel=iou_loss)``.

    Arrays named in `held` are parts of the instance, such as a learnable radius, and no arguments of its call.
    """

    kernel: ClassVar[Callable[..., Any]]
    arrays: ClassVar[tuple[str, ...]]
    settings: ClassVar[tuple[str, ...]]
    static: ClassVar[frozenset[str]]
    """Settings that are no arrays: names of options, axes, quantiles, models."""
    own_parameters: ClassVar[Mapping[str, tuple[Any, str]]] = {}
    """Parameters of the framework's: name to default, and what the documentation says."""

    taken: ClassVar[inspect.Signature]
    """What the constructor of the class of the kernel takes."""

    _checks: ClassVar[Mapping[str, Check]]

    def __init_subclass__(
        cls,
        *,
        kernel: Callable[..., Any] | None = None,
        held: tuple[str, ...] = (),
        without: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        super().__init_subclass__(**options)
        if kernel is None:
            constructed = [b for b in cls.__mro__ if issubclass(b, Adapter) and vars(b).keys() & {"__init__", "taken"}]
            if len(constructed) > 1 and constructed[0] is cls:  # a user's, which hands settings on
                cls.__signature__ = extended(inspect.signature(cls.__init__), inspect.signature(constructed[1]))  # type: ignore[attr-defined]
            return
        parameters = inspect.signature(kernel).parameters.values()
        # without annotations: those of arrays say nothing of the framework, whose stubs do
        settings = [
            p.replace(annotation=p.empty) for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in without
        ]
        cls.kernel = staticmethod(kernel)
        cls.arrays = tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY and p.name not in held)
        cls.settings = tuple(p.name for p in settings)
        cls.static = static_settings(kernel)
        cls._checks = {name: check for name, check in checks_of(kernel).items() if name in cls.settings}
        own = {name: made for name, made in cls.own_parameters.items() if name not in cls.settings}
        cls.taken = cls.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            # what is required may be given by position: AdaptiveQuantileLoss([0.1, 0.9])
            [p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in settings if p.default is p.empty]
            + [p for p in settings if p.default is not p.empty]
            + [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=made[0]) for name, made in own.items()]
        )
        cls.__doc__ = documentation(
            kernel, cls.settings, {name: made[1] for name, made in own.items()}, vars(cls).get("__doc__")
        )

    def _held(self) -> dict[str, Any]:
        """Arrays of the kernel that are parts of the instance."""
        return {}

    @classmethod
    def bind(cls, arguments: tuple[Any, ...], given: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters with the values given or their defaults; an error for those that are unknown, or wrong."""
        for name in given:
            if name not in cls.taken.parameters:
                raise TypeError(f"{cls.__name__} has no setting `{name}`{suggestion(name, cls.taken.parameters)}")
        try:
            bound = cls.taken.bind(*arguments, **given)
        except TypeError as error:
            raise TypeError(f"{cls.__name__}: {error}") from None
        bound.apply_defaults()
        cls.check(bound.arguments)
        return bound.arguments

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """Raise what the kernel would raise of these values of its settings."""
        for name, check in cls._checks.items():
            check(name, values[name])
        if (entry := ENTRIES.get(cls.kernel)) and entry.together:
            entry.together(**values)


def extended(own: inspect.Signature, base: inspect.Signature) -> inspect.Signature:
    """The signature of a constructor that hands keywords on to another: all that may be given to it by name."""
    _, *parameters = own.parameters.values()  # without self
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        rest = [p for p in base.parameters.values() if p.name not in own.parameters]
        named += [p if p.kind is p.VAR_KEYWORD else p.replace(kind=p.KEYWORD_ONLY) for p in rest]
    return own.replace(parameters=named, return_annotation=own.empty)


def suggestion(name: Any, known: Iterable[Any]) -> str:
    """How a message about an unknown name ends: with the nearest known one, or with the first of all."""
    names = [x for x in known if isinstance(x, str)]
    if near := nearest(name, names):
        return f"; did you mean `{near[:_MOST_OF_A_NAME]}`?"
    listed = ", ".join(x[:_MOST_OF_A_NAME] for x in names[:_MOST_NAMES]) or "none"
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"; there are {listed}{more}"


def nearest(name: Any, names: Iterable[str]) -> str | None:
    """The name that is most like this one, in whatever case, if any is."""
    if not isinstance(name, str):
        return None
    found = {x.lower(): x for x in names}
    near = difflib.get_close_matches(name[:_MOST_OF_A_NAME].lower(), found, n=1)
    return found[near[0]] if near else None


def checks_of(kernel: Callable[..., Any]) -> dict[str, Check]:
    """A check for each setting of a kernel, and for each of its arrays that may be a number, from its annotation."""
    annotations = typing.get_type_hints(kernel, include_extras=True)
    parameters = inspect.signature(kernel).parameters.values()
    may_be = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY or float in typing.get_args(annotations[p.name])]
    return {name: _check_of(annotations[name]) for name in may_be}


def static_settings(kernel: Callable[..., Any]) -> frozenset[str]:
    """The settings whose annotations hold no array; functions of arrays are none."""
    annotations = typing.get_type_hints(kernel)
    return frozenset(name for name in checks_of(kernel) if not _holds_arrays(annotations[name]))


def _holds_arrays(annotation: Any) -> bool:
    if typing.get_origin(annotation) is Callable:
        return False
    return annotation is Array or any(_holds_arrays(part) for part in typing.get_args(annotation))


def as_list(value: Any) -> Any:
    """A tuple, or an array, as a list; anything else as it is."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return list(value) if isinstance(value, list | tuple) else value


def _check_of(annotation: Any) -> Check:
    options = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        kinds = [made for made in annotation.__metadata__ if isinstance(made, Range)]
        return partial(setting, allowed=kinds[0]) if kinds else typing.cast(Check, annotation.__metadata__[0])
    if type(None) in options:
        rest = [option for option in options if option is not type(None)]
        inner = _check_of(rest[0] if len(rest) == 1 else typing.Union[tuple(rest)])  # noqa: UP007
        return lambda name, value: None if value is None else inner(name, value)
    if Array in options and float in options:
        return setting
    if origin is Literal:
        return partial(choice, options=options)
    if origin is Items:
        return partial(_check_items, of=_check_of(options[0]))
    return {Array: array, Callable: function}.get(origin or annotation, _check_nothing)


def _check_items(name: str, value: Any, of: Check) -> None:
    for k, item in enumerate(items(name, value, "callables" if of is function else "numbers")):
        of(f"{name}[{k}]", item)


def _check_nothing(name: str, value: Any) -> None:
    """Let the kernel check by itself what its annotation does not say."""


_SECTION = re.compile(r"^([A-Z][\w ]*)\n-{3,}\n", re.MULTILINE)
_ENTRY = re.compile(r"^(?=\S)", re.MULTILINE)


def documentation(
    kernel: Callable[..., Any], settings: tuple[str, ...], own: Mapping[str, str], remark: str | None
) -> str:
    """The kernel's docstring as that of a class: parameters of its constructor, without return value and example."""
    head, *parts = _SECTION.split(inspect.cleandoc(kernel.__doc__ or ""))
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    entries = [entry for entry in _ENTRY.split(sections["Parameters"]) if entry.strip()]
    kept = [entry.strip() for entry in entries if _names(entry) & set(settings)]
    kept += [f"{name} : {text}" for name, text in own.items()]
    made = [head.strip(), f"A class form of `anomaly_kernels.{kernel.__name__}`, which says what the arrays are."]
    made += [inspect.cleandoc(remark)] if remark else []
    made += [f"Parameters\n----------\n{chr(10).join(kept)}"] if kept else []
    made += [
        f"{name}\n{'-' * len(name)}\n{sections[name].strip()}" for name in ("Notes", "References") if name in sections
    ]
    return "\n\n".join(made) + "\n"


def _names(entry: str) -> set[str]:
    return {name.strip() for name in entry.partition(":")[0].split(",")}
