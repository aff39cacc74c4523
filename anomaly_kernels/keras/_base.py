"""What Keras' losses, regularizers and endpoint layers share when they are made of kernels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import keras
import numpy as np
from keras.src.backend.common.masking import get_keras_mask  # private, as is what follows: no public name tells
from keras.src.losses.loss import scale_loss_for_distribution  # the mask of a tensor, or how many replicas there are

from anomaly_kernels._classes.learner import Learner
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.numeric import ratio

Tensor = Any
PACKAGE = "anomaly_kernels"
mask_of = get_keras_mask  # for this package: one place knows the private name
_MODEL = "anomaly_kernels>model"
"""Where the description of a model among the settings is, beside its weights."""


class KerasLearner(Learner):
    """Settings that Keras can write down and read, of a class registered under the package."""

    reduces: ClassVar[bool]

    def __init_subclass__(cls, *, kernel: Callable[..., Any] | None = None, **options: Any) -> None:
        super().__init_subclass__(kernel=kernel, **options)
        if kernel is not None:
            cls.reduces = "reduction" in inspect.signature(kernel).parameters
            keras.saving.register_keras_serializable(PACKAGE)(cls)

    def __repr__(self) -> str:
        return self.my_params

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """As the kernel is given the values."""
        known = {name: _known(value) for name, value in values.items() if name in cls.static}
        super().check({name: _of_variable(value) for name, value in values.items()} | known)

    def _set(self, name: str, value: Any) -> None:
        super()._set(name, _known(value) if name in self.static else value)

    def _config(self) -> dict[str, Any]:
        """The settings, as Keras saves them; models with their weights."""
        return {name: _described(getattr(self, name)) for name in self.settings}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Return an instance with the settings that `get_config` has returned."""
        return cls(**{name: _restored(value) if name in cls.settings else value for name, value in config.items()})

    def _value(self, arrays: Mapping[str, Tensor], dtype: str, **unreduced: Any) -> Tensor:
        """The kernel of the arrays, in at least single precision."""
        precision = "float64" if dtype == "float64" else "float32"
        given = {name: tensor_of(x, precision) for name, x in arrays.items() if x is not None}
        settings = {name: _as_tensor(getattr(self, name)) for name in self.settings}
        return self.kernel(**given, **self._held(), **settings, **unreduced)


class Loss(KerasLearner, keras.losses.Loss):
    """A kernel of two arrays: `call` gives the values of samples or elements, which Keras weighs and reduces."""

    alike: ClassVar[bool] = True
    """Whether what is true and what is predicted have one shape."""
    own_parameters: ClassVar[Any] = {
        "reduction": ("mean", 'str or None\n    ``"mean"``, ``"sum"``, ``"none"``, or another that Keras knows.'),
        "name": (None, "str, optional\n    Name of the loss."),
        "dtype": (None, "str or DTypePolicy, optional\n    Of the result; by default that of `keras.config.floatx`."),
    }

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(without=("reduction",), **options)

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        values = self.bind(arguments, settings)
        super().__init__(**{name: values.pop(name) for name in self.own_parameters})
        for name, value in values.items():
            self._set(name, value)

    def _set(self, name: str, value: Any) -> None:
        if name in ("reduction", "dtype"):  # which Keras checks and derives from there alone
            own = {"name": self.name, "reduction": self.reduction, "dtype": self.dtype} | {name: value}
            keras.losses.Loss.__init__(self, **own)
        else:
            super()._set(name, value)

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same loss."""
        return {**super().get_config(), "dtype": self.dtype, **self._config()}

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the values before they are weighed and reduced."""
        unreduced = {"reduction": "none"} if self.reduces else {}
        if self.alike and y_pred is not None:
            y_true = as_predicted(y_true, y_pred)
        return self._value(dict(zip(self.arrays, (y_true, y_pred), strict=False)), self.dtype, **unreduced)

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        with keras.name_scope(self.name):
            values = self.call(y_true, y_pred)
            compared = (y_true, y_pred)[: len(self.arrays)]
            weight = aligned("sample_weight", sample_weight, values)
            mask = aligned("mask", mask_of(compared[-1]), values)
            return keras.ops.cast(_reduced(values, weight, mask, self.reduction), self.dtype)


class Regularizer(KerasLearner, keras.regularizers.Regularizer):
    """A kernel of one array, for weights or activities."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        for name, value in self.bind(arguments, settings).items():
            self._set(name, value)

    def __call__(self, x: Tensor) -> Tensor:
        tensor = tensor_of(x)  # of a variable, where it regularizes a kernel
        return self._value({self.arrays[0]: tensor}, keras.backend.standardize_dtype(tensor.dtype))

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same regularizer."""
        return self._config()


class EndpointLayer(KerasLearner, keras.layers.Layer):
    """A kernel of many arrays, or one that owns a weight: a layer that returns the loss and adds it to the model's."""

    own_parameters: ClassVar[Any] = {
        "name": (None, "str, optional\n    Name of the layer."),
        "trainable": (True, "bool\n    Whether the weights of the layer, if any, are trained."),
        "dtype": (None, "str or DTypePolicy, optional\n    Of the result, which is that of the policy's variables."),
        "activity_regularizer": (None, "str or Regularizer, optional\n    Of the layer's output."),
        # in which losses overflow
        "autocast": (False, "bool\n    Whether inputs are rounded to the half precision of a mixed policy."),
    }

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        values = self.bind(arguments, settings)
        super().__init__(**{name: values.pop(name) for name in self.own_parameters})
        for name, value in values.items():
            self._set(name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.settings:  # which Keras would wrap, and save a variable among them as a weight
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def _get(self, name: str) -> Any:
        return self.dtype_policy.name if name == "dtype" else super()._get(name)

    def _set(self, name: str, value: Any) -> None:
        if name == "name" and value != self.name:
            raise ValueError(f"`name` of a layer cannot be changed, got {value!r}")
        if name == "activity_regularizer":
            value = keras.regularizers.get(value)
        if name != "name":
            super()._set("dtype_policy" if name == "dtype" else name, value)

    def build(self, input_shape: Any) -> None:
        """Make the weights, if there are any."""
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same layer."""
        return {**super().get_config(), "autocast": self.autocast, **self._config()}

    def _added(self, **arrays: Tensor) -> Tensor:
        """The loss of the arrays, which is added to those of the model."""
        loss = keras.ops.cast(self._value(arrays, self.variable_dtype), self.variable_dtype)
        self.add_loss(loss)
        return loss

    def _state(self) -> dict[str, Any]:
        return {variable.name: keras.ops.convert_to_numpy(variable) for variable in self.weights}

    def _set_state(self, state: dict[str, Any]) -> None:
        super()._set_state(state)
        self.set_weights([state[name] for name in self._state()])


def _reduced(values: Tensor, weight: Tensor | None, mask: Tensor | None, reduction: str | None) -> Tensor:
    """The values weighed and reduced as Keras does, by sums as accurate as the kernels'."""
    xp = array_namespace(values)
    averages = reduction not in (None, "none", "sum")
    if mask is not None:  # an average over what is not masked
        counted = ratio(xp, mask, xp.mean(mask)) if averages else mask
        weight = counted if weight is None else weight * counted
    if weight is not None:
        values = values * weight
    if reduction in (None, "none"):
        return values
    if not averages:
        return xp.sum(values)
    if reduction == "mean_with_sample_weight" and weight is not None:
        reduced = ratio(xp, xp.sum(values), xp.sum(weight * xp.ones_like(values)))
    else:
        reduced = xp.mean(values)
    return scale_loss_for_distribution(reduced)


def aligned(name: str, weight: Any, values: Tensor) -> Tensor:
    """Weights of a leading part of the shape of the values, with axes of size 1 for the rest."""
    if weight is None:
        return None
    weight = keras.ops.cast(tensor_of(weight), values.dtype)
    rank = len(values.shape)
    while len(weight.shape) > rank and weight.shape[-1] == 1:
        weight = keras.ops.squeeze(weight, -1)
    fits = all(m in (1, n) or None in (m, n) for m, n in zip(weight.shape, values.shape, strict=False))
    if len(weight.shape) > rank or not fits:
        raise ValueError(
            f"`{name}` must have a leading part of the shape of the loss, expected {tuple(values.shape)} or less, "
            f"got {tuple(weight.shape)}"
        )
    for _ in range(rank - len(weight.shape)):
        weight = keras.ops.expand_dims(weight, -1)
    return weight


def as_predicted(y_true: Any, y_pred: Any) -> Tensor:
    """Labels (B,) beside predictions (B, 1), or the other way round, in the shape of these, as Keras has it."""
    y_true, y_pred = tensor_of(y_true), tensor_of(y_pred)
    more = len(y_true.shape) - len(y_pred.shape)
    if more == 1 and y_true.shape[-1] == 1:
        return keras.ops.squeeze(y_true, -1)
    return keras.ops.expand_dims(y_true, -1) if more == -1 and y_pred.shape[-1] == 1 else y_true


def tensor_of(x: Any, dtype: str | None = None) -> Tensor:
    """The backend's tensor of an array or a variable."""
    return keras.ops.convert_to_tensor(x.value if isinstance(x, keras.Variable) else x, dtype)


def _known(setting: Any) -> Any:
    """Tensors and variables as NumPy arrays."""
    is_array = isinstance(setting, keras.Variable) or keras.ops.is_tensor(setting)
    return keras.ops.convert_to_numpy(setting) if is_array else setting


def _of_variable(setting: Any) -> Any:
    """Variables as the backend's tensors; compiled steps of JAX see a variable as it is at first."""
    if isinstance(setting, list | tuple):
        return [_of_variable(x) for x in setting]
    return tensor_of(setting) if isinstance(setting, keras.Variable) else setting


def _as_tensor(setting: Any) -> Any:
    """Variables and NumPy arrays as the backend's tensors."""
    return tensor_of(setting) if isinstance(setting, np.ndarray) else _of_variable(setting)


def _described(value: Any) -> Any:
    if isinstance(value, keras.layers.Layer):  # its config alone would come back with other weights
        weights = [_described(w) for w in value.get_weights()]
        return {_MODEL: keras.saving.serialize_keras_object(value), "weights": weights}
    if isinstance(value, list | tuple):
        return [_described(x) for x in value]
    if isinstance(value, keras.Variable):
        value = keras.ops.convert_to_numpy(value)
    return keras.saving.serialize_keras_object(value)


def _restored(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_restored(x) for x in value]
    if isinstance(value, dict) and _MODEL in value:
        model = keras.saving.deserialize_keras_object(value[_MODEL])
        model.set_weights([_restored(w) for w in value["weights"]])
        return model
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value
