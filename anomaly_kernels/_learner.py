"""The learner interface: parameters as scikit-learn has them, and files that anyone can read."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any, Self

import numpy as np

from anomaly_kernels._adapter import Adapter, as_list, suggestion


class Learner(Adapter):
    """What every class of the adapters can do with its settings."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002  # scikit-learn's signature
        """Return the settings by name; with `deep` also those of settings that have settings, as ``outer__inner``."""
        found = {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}
        for name, value in list(found.items()) if deep else []:
            if hasattr(value, "get_params"):
                found |= {f"{name}__{inner}": x for inner, x in value.get_params().items()}
        return found

    def set_params(self, **params: Any) -> Self:
        """Change settings, checked as in the constructor before any is changed."""
        known = inspect.signature(type(self)).parameters
        for name in params:
            if name.partition("__")[0] not in known:
                raise ValueError(f"{type(self).__name__} has no setting `{name}`{suggestion(name, known)}")
            if "__" in name and not hasattr(getattr(self, name.partition("__")[0]), "set_params"):
                raise ValueError(f"`{name.partition('__')[0]}` has no settings of its own, got `{name}`")
        self.check(params)
        # first the settings of settings, which are checked only as they are set
        for name in sorted(params, key=lambda name: "__" not in name):
            outer, _, inner = name.partition("__")
            if inner:
                getattr(self, outer).set_params(**{inner: params[name]})
            else:
                self._set(name, params[name])
        return self

    def _set(self, name: str, value: Any) -> None:
        """Keep a setting; sequences are lists, as they are when they come back from a file."""
        setattr(self, name, as_list(value) if name in self.static else value)

    def _state(self) -> dict[str, Any]:
        """What the instance has learnt, as NumPy arrays by name."""
        return {}

    def _set_state(self, state: dict[str, Any]) -> None:
        if state:
            raise ValueError(f"{type(self).__name__} learns nothing, got {', '.join(state)}")

    @property
    def my_params(self) -> str:
        """The class with its settings, as one would write it."""
        settings = [f"{name}={_shown(value)}" for name, value in self.get_params(deep=False).items()]
        return f"{type(self).__name__}({', '.join(settings)})"

    def summary(self) -> str:
        """Return a table of the settings, and of what is learnt."""
        lines = [f"{type(self).__name__}: {(type(self).__doc__ or '').partition(chr(10))[0]}"]
        rows = self.get_params(deep=False) | {f"{name} (learnt)": x for name, x in self._state().items()}
        width = max(map(len, rows), default=0)
        return "\n".join(lines + [f"  {name:{width}}  {_shown(value)}" for name, value in rows.items()])

    def save(self, path: str | Path) -> None:
        """Write settings and what is learnt to a JSON file."""
        settings = {name: _plain(name, value) for name, value in self.get_params(deep=False).items()}
        state = {name: _plain(name, value) for name, value in self._state().items()}
        content = {"class": type(self).__name__, "settings": settings, "state": state}
        Path(path).write_text(json.dumps(content, indent=1) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file that `save` has written; nothing in it is run."""
        content = json.loads(Path(path).read_text())
        if (
            not isinstance(content, dict)
            or content.keys() != {"class", "settings", "state"}
            or content["class"] != cls.__name__
        ):
            raise ValueError(f"{path} does not hold a {cls.__name__}")
        made = cls(**{name: _array(value) for name, value in content["settings"].items()})
        made._set_state({name: _array(value) for name, value in content["state"].items()})
        return made


def _shown(value: Any) -> str:
    if hasattr(value, "shape") and tuple(value.shape) != ():
        return f"<array {tuple(value.shape)}>"
    if isinstance(value, np.ndarray | np.generic):
        return repr(value.item())
    if hasattr(value, "shape"):  # whose number may not be known: Keras asks for the repr while it traces
        return f"<{type(value).__name__}>"
    return getattr(value, "__name__", None) or repr(value)


def _plain(name: str, value: Any) -> Any:
    """The value as JSON has it: arrays with their dtype, no callables."""
    if isinstance(value, list | tuple):
        return [_plain(name, x) for x in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | int | float):
        return value
    if callable(value) and not hasattr(value, "shape"):
        raise TypeError(f"`{name}` is a function or a model, which a file of settings cannot hold")
    array = _numpy(value)
    return {"dtype": str(array.dtype), "array": array.tolist()}


def _numpy(value: Any) -> np.ndarray[Any, Any]:
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


def _array(value: Any) -> Any:
    if isinstance(value, list):
        return [_array(x) for x in value]
    return np.asarray(value["array"], value["dtype"]) if isinstance(value, dict) else value
