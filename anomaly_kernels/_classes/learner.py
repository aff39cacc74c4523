"""Settings as scikit-learn has them (get_params, set_params, clone), and in JSON files that anyone can read."""

from __future__ import annotations

import copy
import json
import math
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np

from anomaly_kernels._classes.settings import Configured, as_list, constructor_names, parameters_of, settings_of
from anomaly_kernels._core.checks import REAL, dtype_name, is_number
from anomaly_kernels._core.files import MOST_BYTES, FileError, check_size, parse_json, read_bytes, reading
from anomaly_kernels._core.namespace import describe
from anomaly_kernels._core.spelling import suggestion


class Learner(Configured):
    """A base of classes whose settings can be read, changed, printed, cloned and written to a file."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002  # scikit-learn's signature
        """Return the settings by name; with `deep` also those of settings that have settings, as ``outer__inner``."""
        params = {name: self._get(name) for name in constructor_names(type(self))}
        for name, value in list(params.items()) if deep else []:
            if hasattr(value, "get_params"):
                params |= {f"{name}__{inner}": x for inner, x in value.get_params().items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Change settings, checked as in the constructor; where one is refused, none is changed."""
        before = self.get_params(deep=False)
        after, inner = dict(before), dict[str, dict[str, Any]]()
        for name, value in params.items():
            outer, _, rest = name.partition("__")
            if outer not in before:
                raise ValueError(f"{type(self).__name__} has no setting `{name}`{suggestion(name, before)}")
            if rest:
                inner.setdefault(outer, {})[rest] = value
            else:
                after[name] = value
        for outer, values in inner.items():
            if not hasattr(after[outer], "set_params"):
                raise ValueError(f"`{outer}` has no settings of its own, got `{outer}__{next(iter(values))}`")
        with ExitStack() as undo:
            for outer, values in inner.items():
                old = {name: value for name, value in after[outer].get_params().items() if name in values}
                undo.callback(after[outer].set_params, **old)
                after[outer].set_params(**values)
            self._change_settings(before, after, undo)
            undo.pop_all()
        return self

    def _change_settings(self, before: dict[str, Any], after: dict[str, Any], undo: ExitStack) -> None:
        """Take over settings, which may be wrong."""
        self.check(after)
        for name, value in before.items():  # a framework, or another setting, checks some only as they are set
            if after[name] is not value:
                undo.callback(self._set, name, value)
                self._set(name, after[name])

    def __sklearn_clone__(self) -> Self:
        """Return what `sklearn.base.clone` returns: the same settings, nothing learnt, nothing shared."""
        return type(self)(**copy.deepcopy(self.get_params(deep=False)))

    def _get(self, name: str) -> Any:
        """A parameter as the constructor takes it."""
        return getattr(self, name)

    def _set(self, name: str, value: Any) -> None:
        """Keep a setting; sequences are lists of its own, as they are when they come back from a file."""
        static = isinstance(value, list | tuple) or name in parameters_of(type(self).kernel).static
        setattr(self, name, as_list(value) if static else value)

    def _state(self) -> dict[str, Any]:
        """What the instance has learnt, as NumPy arrays by name."""
        return {}

    def _set_state(self, state: dict[str, Any]) -> None:
        if state.keys() != (learnt := self._state().keys()):
            expected, got = (", ".join(names) or "nothing" for names in (learnt, state))
            raise ValueError(f"{type(self).__name__} learns {expected}, got {got}")
        for name, value in state.items():
            if dtype_name(getattr(value, "dtype", None)) not in REAL:
                raise ValueError(f"`{name}` must be an array of real numbers, got {describe(value)}")

    @property
    def my_params(self) -> str:
        """The call that makes this object, as text: the class and its settings.

        If a class of your own does not keep a setting as an attribute, the text leaves it out.
        """
        names = [name for name in constructor_names(type(self)) if hasattr(self, name)]
        settings = [f"{name}={self._shown(self._get(name))}" for name in names]
        return f"{type(self).__name__}({', '.join(settings)})"

    def summary(self) -> str:
        """Return a table of the settings, and of what is learnt."""
        lines = [f"{type(self).__name__}: {(type(self).__doc__ or '').partition(chr(10))[0]}"]
        rows = self.get_params(deep=False) | {f"{name} (learnt)": x for name, x in self._state().items()}
        width = max(map(len, rows), default=0)
        return "\n".join(lines + [f"  {name:{width}}  {self._shown(value)}" for name, value in rows.items()])

    def _shown(self, value: Any) -> str:
        """A setting on one line; of an array its shape, unless it is a number that is known."""
        if hasattr(value, "shape") and tuple(value.shape) != ():
            return f"<array {tuple(value.shape)}>"
        if isinstance(value, np.ndarray | np.generic):
            return repr(value.item())
        if hasattr(value, "shape"):  # whose number may not be known: Keras asks for the repr while it traces
            return f"<{type(value).__name__}>"
        return getattr(value, "__name__", None) or repr(value)

    def save(self, path: str | Path) -> None:
        """Write settings and what is learnt to a JSON file of no more than 4 MB.

        Arrays keep their dtypes. Torch parameters are loaded as parameters, a `keras.Variable` as an array. A setting
        that is a function, a model or another object raises a TypeError. A larger file raises a ValueError.
        """
        settings = {name: self._to_json(name, value) for name, value in self.get_params(deep=False).items()}
        state = {name: self._to_json(name, value) for name, value in self._state().items()}
        content = {"class": type(self).__name__, "settings": settings, "state": state}
        text = (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()
        try:
            check_size(text)
        except ValueError as error:
            raise ValueError(f"{type(self).__name__} cannot be written to a file of settings: {error}") from None
        Path(path).write_bytes(text)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file that `save` has written; nothing in it is run.

        What the file holds, whatever it is, comes back as it was saved or is a `anomaly_kernels.FileError`. A file that
        cannot be opened is an OSError.
        """
        content = read_bytes(path, MOST_BYTES)
        with reading(path, f"does not hold a {cls.__name__}"):
            match parse_json(content):
                case {"class": cls.__name__, "settings": dict(settings), "state": dict(state), **rest} if not rest:
                    instance = cls(**{name: cls._setting_from_json(name, value) for name, value in settings.items()})
                    instance._set_state({name: cls._from_json(name, value) for name, value in state.items()})
                    return instance
        raise FileError(f"{path} does not hold a {cls.__name__}")

    def _to_json(self, name: str, value: Any) -> Any:
        """The value as JSON has it."""
        if isinstance(value, list | tuple):
            return [self._to_json(name, x) for x in value]
        if isinstance(value, np.generic):
            return self._to_json(name, value.item())
        if value is None or isinstance(value, str | int):
            return value
        if is_number(value):
            return number if math.isfinite(number := float(value)) else {"float": repr(number)}
        if not hasattr(value, "shape"):
            raise TypeError(f"`{name}` must be data to be written to a file of settings, got {describe(value)}")
        return self._array_to_json(name, value)

    def _array_to_json(self, name: str, value: Any) -> dict[str, Any]:
        array = np.asarray(value)
        return {"dtype": dtype_name(array.dtype), "array": self._to_json(name, array.tolist())}

    @classmethod
    def _setting_from_json(cls, name: str, value: Any) -> Any:
        """A setting that `_to_json` has written; constructors refuse a dict among those of the kernel."""
        decoded = cls._from_json(name, value)
        if name not in settings_of(cls) and _holds_dict(decoded):
            raise ValueError(f"`{name}` must be a number, a text, a list or an array, as `save` writes them")
        return decoded

    @classmethod
    def _from_json(cls, name: str, value: Any) -> Any:
        """The value that `_to_json` has written."""
        match value:
            case list():
                return [cls._from_json(name, x) for x in value]
            case {"float": "inf" | "-inf" | "nan" as number} if len(value) == 1:
                return float(number)
            case {"array": array, "dtype": str()} if value.keys() <= {"array", "dtype", "requires_grad"}:
                return cls._array_from_json(name, **value | {"array": cls._from_json(name, array)})
            case float() if not math.isfinite(value):  # as of 1e999
                raise ValueError(f"`{name}` must be a number that fits a float")
        return value

    @classmethod
    def _array_from_json(cls, name: str, array: Any, dtype: str) -> Any:
        """An array of one of the dtypes that there are, which can hold what is in the file."""
        if dtype not in _KINDS:
            raise ValueError(f"data type {dtype!r} not understood")
        kind, exact = _KINDS[dtype], np.asarray(array)
        if exact.dtype.kind not in kind:
            raise ValueError(f"`{name}` must be an array of {dtype}, got {exact.dtype}")
        with np.errstate(over="ignore"):
            result = exact.astype(dtype)
        same = np.isfinite(result) == np.isfinite(exact) if kind == "fi" else result == exact
        if not same.all():
            raise ValueError(f"`{name}` must be an array of {dtype}, which does not hold all its numbers")
        return result


def _holds_dict(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_holds_dict, value)))


_KINDS = {
    "bool": "b",
    **dict.fromkeys((f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)), "iu"),
    **dict.fromkeys(REAL, "fi"),
}
"""Of which kinds the numbers of an array are in a file, by the array's dtype."""
