"""Trees of arrays, nested in dicts, tuples and lists: change every array, list all by path, put them back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

Arrays = Mapping[str, Any]


def map_arrays(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply a function to every array of a tree; None stays None."""
    return _map_paths(lambda _, array: function(array), tree, "")


def rebuild(template: Any, leaves: Arrays, name: str) -> Any:
    """Put arrays that `flatten` listed by path into a tree of the template's form."""
    return _map_paths(lambda path, _: leaves[path], template, name)


def flatten(tree: Any, name: str = "result") -> dict[str, Any]:
    """List the arrays of a tree by path: fields and keys are joined to the name by ``.``, None is left out."""
    leaves: dict[str, Any] = {}
    _map_paths(leaves.__setitem__, tree, name)
    return leaves


def split(arrays: Arrays, names: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arrays of these names, and the others."""
    return {k: arrays[k] for k in names}, {k: v for k, v in arrays.items() if k not in names}


def _map_paths(function: Callable[[str, Any], Any], tree: Any, path: str) -> Any:
    """Apply a function to the path and the array of every leaf."""
    if tree is None:
        return None
    if isinstance(tree, Mapping):
        return {key: _map_paths(function, value, f"{path}.{key}") for key, value in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        pairs = zip(tree._fields, tree, strict=True)
        return type(tree)(*[_map_paths(function, value, f"{path}.{key}") for key, value in pairs])
    if isinstance(tree, tuple | list):
        return type(tree)(_map_paths(function, value, f"{path}.{k}") for k, value in enumerate(tree))
    return function(path, tree)
