"""Settings of classes: checks, from the kernel's annotations (ranges: `_core/checks.py`), and hints for wrong names."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

from anomaly_kernels._catalogue import ENTRIES, Kernel
from anomaly_kernels._core.checks import Range, array, choice, function, inputs, items, setting
from anomaly_kernels._core.spelling import suggestion
from anomaly_kernels._core.typing import Array, Items

Check = Callable[[str, Any], object]

_NOT_BY_NAME = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


_ARRAYS_BY_NAME = (
    *("sample_weight", "region", "decision_region", "saturation"),
    *("score_weight", "calibration_weight", "uniform"),
)
"""Arrays that follow the settings in a signature, for they came later, and go by name alone."""


class Parameters(NamedTuple):
    """The parameters of a kernel."""

    arrays: tuple[str, ...]
    """What comes with each call."""
    settings: tuple[str, ...]
    static: frozenset[str]
    """Settings that are no arrays: names of options, axes, quantiles, models."""
    checks: Mapping[str, Check]
    """A check of each setting, and of each array that may be a number."""
    defaults: Mapping[str, Any]
    """Of the settings, and of the arrays, that need not be passed."""


@cache
def parameters_of(kernel: Kernel) -> Parameters:
    """The parameters of a kernel, from its signature."""
    annotations = typing.get_type_hints(kernel, include_extras=True)
    parameters = inspect.signature(kernel).parameters.values()
    arrays = tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY or p.name in _ARRAYS_BY_NAME)
    settings = tuple(p.name for p in parameters if p.name not in arrays)
    numbers = tuple(name for name in arrays if float in _options(annotations[name]))
    checks = {name: _check_of(annotations[name]) for name in settings + numbers}
    checks |= {name: _check_by_name for name in arrays if name in _ARRAYS_BY_NAME}
    static = frozenset(name for name in checks if not _holds_arrays(annotations[name]))
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    return Parameters(arrays, settings, static, checks, defaults)


def check_settings(kernel: Kernel, values: Mapping[str, Any]) -> None:
    """Raise what the kernel would raise of these values of its settings; other names are passed over."""
    parameters = parameters_of(kernel)
    for name in values:
        if name in parameters.settings:
            parameters.checks[name](name, values[name])
    if (entry := ENTRIES.get(kernel)) and entry.check_together:
        entry.check_together(**{**parameters.defaults, **values})  # a user's class may leave some out


class Configured:
    """A base of classes that hold a kernel's settings; each names its `kernel`, and its constructor the settings."""

    kernel: ClassVar[Kernel]
    _framework_settings: ClassVar[tuple[str, ...]] = ()
    """Parameters of the constructor that the framework reads, though the kernel has a setting of the name."""
    _keywords: ClassVar[tuple[str, ...]] = ()
    """What the constructor takes besides, for the framework or in the place of settings; it is no setting itself."""

    def __new__(cls, *arguments: Any, **settings: Any) -> Self:
        """Refuse unknown names with a hint, which the constructor itself would refuse without."""
        names = constructor_names(cls)
        for name in settings if hasattr(cls, "kernel") else ():
            if name not in names and name not in cls._keywords:
                raise TypeError(f"{cls.__name__} has no setting `{name}`{suggestion(name, (*names, *cls._keywords))}")
        new = super().__new__
        return new(cls) if new is object.__new__ else new(cls, *arguments, **settings)

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """Raise what the kernel would raise of these values of its settings."""
        check_settings(cls.kernel, values)

    def _settings(self) -> dict[str, Any]:
        """The kernel's settings, as they are kept."""
        return {name: getattr(self, name) for name in settings_of(type(self))}


_NAMES: dict[type, tuple[str, ...]] = {}
_SETTINGS: dict[type, tuple[str, ...]] = {}


def constructor_names(cls: type[Configured]) -> tuple[str, ...]:
    """What the constructor takes, with what it hands on to that of its base as ``**settings``."""
    if cls not in _NAMES:
        _NAMES[cls] = tuple(_read_constructor(cls))
    return _NAMES[cls]


def _read_constructor(cls: type[Configured]) -> dict[str, None]:
    names: dict[str, None] = {}
    for base in cls.__mro__:
        if base is Configured:  # after it come the framework's own; before it may be mixins of users
            break
        if "__init__" in vars(base):
            _, *parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
            own = [p.name for p in parameters if p.kind not in _NOT_BY_NAME]
            names |= dict.fromkeys(name for name in own if name not in cls._keywords)
            if all(p.kind is not p.VAR_KEYWORD for p in parameters):
                break
    return names


def settings_of(cls: type[Configured]) -> tuple[str, ...]:
    """The kernel's settings that the class takes, whatever the constructor of a user's subclass does."""
    if cls not in _SETTINGS:
        names = constructor_names(next(base for base in cls.__mro__ if "kernel" in vars(base)))
        names = tuple(name for name in names if name not in cls._framework_settings)
        _SETTINGS[cls] = tuple(name for name in parameters_of(cls.kernel).settings if name in names)
    return _SETTINGS[cls]


def as_list(value: Any) -> Any:
    """A tuple, or an array, as a list; anything else as it is."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return list(value) if isinstance(value, list | tuple) else value


def _options(annotation: Any) -> tuple[Any, ...]:
    """What a value may be, with or without the range that it must be in."""
    options = typing.get_args(annotation)
    return typing.get_args(options[0]) if typing.get_origin(annotation) is Annotated else options


def _holds_arrays(annotation: Any) -> bool:
    if typing.get_origin(annotation) is Callable:
        return False
    return annotation is Array or any(_holds_arrays(part) for part in typing.get_args(annotation))


def _check_of(annotation: Any) -> Check:
    options = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        ranges = [x for x in annotation.__metadata__ if isinstance(x, Range)]
        return partial(setting, allowed=ranges[0]) if ranges else typing.cast(Check, annotation.__metadata__[0])
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
    return {Array: array, Callable: function}.get(origin or annotation, lambda *_: None)  # the kernel checks the rest


def _check_by_name(name: str, value: Any) -> None:
    if value is not None:
        inputs({name: value})  # integers too


def _check_items(name: str, value: Any, of: Check) -> None:
    for k, item in enumerate(items(name, value, "callables" if of is function else "numbers")):
        of(f"{name}[{k}]", item)
