"""The torch.nn.Module that all losses start from."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from anomaly_kernels._classes.learner import Learner
from anomaly_kernels._classes.settings import TRUTHS, as_list
from anomaly_kernels._core.namespace import describe


class Loss(Learner, nn.Module):
    """A kernel with its settings; arrays by position come in torch's order, prediction before truth."""

    order: ClassVar[tuple[str, ...]]
    called: ClassVar[inspect.Signature]

    def __init_subclass__(cls, *, kernel: Callable[..., Any] | None = None, **options: Any) -> None:
        super().__init_subclass__(kernel=kernel, **options)
        if kernel is None:
            return
        first, *rest = cls.arrays
        cls.order = (rest[0], first, *rest[1:]) if first in TRUTHS else cls.arrays
        cls.called = inspect.Signature([inspect.signature(kernel).parameters[name] for name in cls.order])
        cls.forward = _forward(cls, held=bool(options.get("held")))

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__()
        for name, value in self.bind(arguments, settings).items():
            self._set(name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        """Tensors become buffers, which move with the module, unless they are parameters; models become submodules."""
        if name in self.settings:
            value = self._part(name, value)
            if hasattr(self, name):
                delattr(self, name)
            if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
                self.register_buffer(name, None)
        super().__setattr__(name, value)
        if name in self.settings:  # gathered once, not at each call
            plain = {k: x for k, x in vars(self).items() if k in self.settings}
            super().__setattr__("_given", plain)
            # tensors and models are looked up at each call, as torch may have put others in their place
            super().__setattr__("_sought", [k for k in self.settings if k not in plain])

    def _named(self, arrays: tuple[Tensor, ...], named: dict[str, Tensor]) -> dict[str, Tensor]:
        if len(arrays) > len(self.order):
            raise TypeError(f"{type(self).__name__} takes {', '.join(self.order)}, got {len(arrays)} arguments")
        try:
            return dict(self.called.bind(*arrays, **named).arguments)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}") from None

    def _part(self, name: str, value: Any) -> Any:
        """A setting as a module keeps it."""
        if name in self.static:
            value = as_list(value)
        if isinstance(value, np.ndarray):
            return torch.as_tensor(value)
        return _registered(list(value)) if isinstance(value, list | tuple) else value

    def _get(self, name: str) -> Any:
        value = super()._get(name)
        return list(value) if isinstance(value, nn.ModuleList | nn.ParameterList) else value

    def _state(self) -> dict[str, Any]:
        return {name: x for name, x in self.named_parameters(recurse=False) if name not in self.settings}

    def _set_state(self, state: dict[str, Any]) -> None:
        super()._set_state(state)
        learning = {name: x.requires_grad for name, x in state.items()}  # which loading takes from what was there
        self.load_state_dict(state, strict=False, assign=True)  # the rest of a whole state are settings
        for name, parameter in self._state().items():
            parameter.requires_grad_(learning[name])

    def _plain_array(self, name: str, value: Any) -> dict[str, Any]:
        dtype = str(value.dtype).removeprefix("torch.")
        plain = {"dtype": dtype, "array": self._plain(name, value.tolist())}
        return plain | {"requires_grad": value.requires_grad} if isinstance(value, nn.Parameter) else plain

    @classmethod
    def _made_array(cls, array: Any, dtype: str, *, requires_grad: bool | None = None) -> Tensor:
        if not isinstance(kind := getattr(torch, dtype, None), torch.dtype):
            raise ValueError(f"torch has no dtype {dtype!r}")
        tensor = torch.tensor(array, dtype=kind)
        return tensor if requires_grad is None else nn.Parameter(tensor, requires_grad)

    def extra_repr(self) -> str:
        """The settings, which the module's repr shows."""
        children = dict(self.named_children())
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.settings if name not in children)


class _Function(nn.Module):
    """A function in a list of models."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *arrays: Tensor) -> Tensor:
        return self.function(*arrays)


def _registered(values: list[Any]) -> Any:
    """A list whose modules and tensors are parts of the module, if it has any."""
    if any(isinstance(x, nn.Module) for x in values):
        return nn.ModuleList([x if isinstance(x, nn.Module) else _Function(x) for x in values])
    if any(isinstance(x, Tensor) for x in values):  # all become parameters there, but tensors are not to learn
        fixed = [isinstance(x, Tensor) and not isinstance(x, nn.Parameter) for x in values]
        return nn.ParameterList(
            [nn.Parameter(x, requires_grad=False) if f else x for x, f in zip(values, fixed, strict=True)]
        )
    return values


def _forward(cls: type[Loss], *, held: bool) -> Callable[..., Tensor]:
    """The forward pass of a class: as little as can be between a call and the kernel."""
    flips, least, most = cls.order != cls.arrays, min(2, len(cls.order)), len(cls.order)
    kernel = cls.kernel

    def forward(self: Loss, *arrays: Tensor, **named: Tensor) -> Tensor:
        if named or not least <= len(arrays) <= most:
            arrays, named = (), self._named(arrays, named)
        elif flips:
            arrays = (arrays[1], arrays[0], *arrays[2:])
        if held:
            named |= self._held()
        given = self._given
        if self._sought:
            given = given | {name: getattr(self, name) for name in self._sought}
        one = arrays[0] if arrays else next(iter(named.values()))
        if not isinstance(one, Tensor):
            raise TypeError(f"`{cls.arrays[0] if arrays else next(iter(named))}` must be a tensor, got {describe(one)}")
        device = "cpu" if one.is_cpu else one.device.type
        if torch.is_autocast_enabled(device):
            with torch.autocast(device, enabled=False):  # products of matrices too are computed in float32
                return kernel(*arrays, **named, **given)
        return kernel(*arrays, **named, **given)

    kinds = inspect.signature(cls.kernel).parameters
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    parameters += [kinds[name].replace(annotation=Tensor) for name in cls.order]
    forward.__signature__ = inspect.Signature(parameters, return_annotation=Tensor)  # type: ignore[attr-defined]
    forward.__doc__ = f"Return the loss of `{'`, `'.join(cls.order)}`."
    return forward
