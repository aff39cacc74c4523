"""The base of the losses as torch.nn modules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, SupportsIndex

import numpy as np
import torch
from torch import Tensor, nn

from anomaly_kernels._classes.learner import Learner
from anomaly_kernels._classes.settings import as_list, parameters_of, settings_of
from anomaly_kernels._core.checks import flag
from anomaly_kernels._core.namespace import describe

Array = Tensor | np.ndarray[Any, Any]
Setting = float | Array
Axes = SupportsIndex | Sequence[SupportsIndex]


class TorchLearner(Learner):
    """Settings that may be tensors, in files and on a line of text."""

    def _shown(self, value: Any) -> str:
        number = isinstance(value, Tensor) and not value.is_meta and value.ndim == 0
        return repr(value.item()) if number else super()._shown(value)

    def _array_to_json(self, name: str, value: Any) -> dict[str, Any]:
        dtype = str(value.dtype).removeprefix("torch.")
        plain = {"dtype": dtype, "array": self._to_json(name, value.tolist())}
        return plain | {"requires_grad": value.requires_grad} if isinstance(value, nn.Parameter) else plain

    @classmethod
    def _array_from_json(cls, name: str, array: Any, dtype: str, *, requires_grad: bool | None = None) -> Tensor:
        if dtype == "bfloat16":  # which NumPy lacks
            wide = torch.as_tensor(super()._array_from_json(name, array, "float32"))
            tensor = wide.bfloat16()
            if not torch.equal(tensor.isfinite(), wide.isfinite()):
                raise ValueError(f"`{name}` must be an array of bfloat16, which does not hold all its numbers")
        else:
            tensor = torch.as_tensor(super()._array_from_json(name, array, dtype))
        if requires_grad is None:
            return tensor
        return nn.Parameter(tensor, flag("requires_grad", requires_grad))


class Loss(TorchLearner, nn.Module):
    """A kernel with its settings: tensors among them are buffers, unless they are parameters; models are submodules."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.check(settings)
        for name, value in settings.items():
            self._set(name, value)
        self._gather_settings()

    def _value(self, *arrays: Tensor | None, **by_name: Tensor | None) -> Tensor:
        """The kernel of arrays in its own order, and of those that go by name."""
        settings = self._plain_settings
        if self._module_settings:
            settings = settings | {name: getattr(self, name) for name in self._module_settings}
        first = arrays[0]
        if not isinstance(first, Tensor):
            raise TypeError(f"`{parameters_of(type(self).kernel).arrays[0]}` must be a tensor, got {describe(first)}")
        return type(self).kernel(*arrays, **settings, **by_name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in settings_of(type(self)):
            super().__setattr__(name, value)
            return
        value = self._as_part(name, value)
        with suppress(AttributeError):  # not yet there; `hasattr` would find the class' own `kernel`
            delattr(self, name)
        if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
            self.register_buffer(name, None)
        super().__setattr__(name, value)
        if "_plain_settings" in vars(self):
            self._gather_settings()

    def _gather_settings(self) -> None:
        """Gather settings once, not at each call; but tensors and models, in whose places torch may put others."""
        names, attributes = settings_of(type(self)), self.__dict__
        attributes["_plain_settings"] = {name: attributes[name] for name in names if name in attributes}
        attributes["_module_settings"] = [name for name in names if name not in attributes]

    def _as_part(self, name: str, value: Any) -> Any:
        """A setting as a module keeps it."""
        if name in parameters_of(type(self).kernel).static:
            value = as_list(value)
        if isinstance(value, np.ndarray):
            return torch.as_tensor(value)
        return _as_list_of_parts(list(value)) if isinstance(value, list | tuple) else value

    def _get(self, name: str) -> Any:
        value = super()._get(name)
        return list(value) if isinstance(value, nn.ModuleList | nn.ParameterList) else value

    def _state(self) -> dict[str, Any]:
        settings = settings_of(type(self))
        return {name: x for name, x in self.named_parameters(recurse=False) if name not in settings}

    def _set_state(self, state: dict[str, Any]) -> None:
        super()._set_state(state)
        learning = {name: x.requires_grad for name, x in state.items()}  # which loading takes from what was there
        self.load_state_dict(state, strict=False, assign=True)  # the rest of a whole state are settings
        for name, parameter in self._state().items():
            parameter.requires_grad_(learning[name])

    def extra_repr(self) -> str:
        """The settings, which the module's repr shows."""
        children = dict(self.named_children())
        names = [name for name in settings_of(type(self)) if name not in children]
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in names)


class _Function(nn.Module):
    """A function in a list of models."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *arrays: Tensor) -> Tensor:
        return self.function(*arrays)


def _as_list_of_parts(values: list[Any]) -> Any:
    """A list whose modules and tensors are parts of the module, if it has any."""
    if any(isinstance(x, nn.Module) for x in values):
        return nn.ModuleList([x if isinstance(x, nn.Module) else _Function(x) for x in values])
    if any(isinstance(x, Tensor) for x in values):  # all become parameters there, but tensors are not to learn
        fixed = [isinstance(x, Tensor) and not isinstance(x, nn.Parameter) for x in values]
        return nn.ParameterList(
            [nn.Parameter(x, requires_grad=False) if f else x for x, f in zip(values, fixed, strict=True)]
        )
    return values
