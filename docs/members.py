"""The members of classes that users call, of which their pages tell."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, NamedTuple

from sphinx.pycode import ModuleAnalyzer

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_FOR_USERS = {
    *("build", "build_from_config", "check", "compute_mask", "compute_output_shape", "extra_repr"),
    *("get_build_config", "kernel", "tree_flatten_with_keys", "tree_unflatten"),
}
"""Public methods that a framework or a base class calls."""


class Member(NamedTuple):
    """A method, a property or a field of a class."""

    kind: str
    name: str
    shared: bool
    """Whether classes of every framework have it, so that it is shown, but not found by the search."""


def is_ours(thing: object) -> bool:
    """Whether the package defines it, so that its docstring speaks of it."""
    return getattr(thing, "__module__", "").startswith("anomaly_kernels")


def members(cls: type) -> Iterator[Member]:
    """Methods, properties and fields that are ours, first those of the class itself."""
    seen = set(NOT_FOR_USERS)
    for base in cls.__mro__:
        for name in [*fields(base), *vars(base)]:
            kind = kind_of_member(base, name)
            if kind and name not in seen and not name.startswith("_"):
                yield Member(kind, name, shared=base.__module__.startswith("anomaly_kernels._classes"))
            seen.add(name)


def fields(cls: type) -> list[str]:
    """The fields that have a docstring below them."""
    documented = ModuleAnalyzer.for_module(cls.__module__).find_attr_docs() if is_ours(cls) else {}
    return [name for home, name in documented if home == cls.__qualname__]


def kind_of_member(cls: type, name: str) -> str:
    """What autodoc calls a member that a class defines; nothing where it is no method of ours."""
    if name in fields(cls):
        return "attribute"
    member = vars(cls)[name]
    if isinstance(member, property):
        return "property" if is_ours(cls) else ""
    method = isinstance(member, classmethod | staticmethod) or inspect.isfunction(member)
    return "method" if method and is_ours(member) else ""  # Keras' own `save` is among those of our classes
