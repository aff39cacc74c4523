"""The bases of the losses, regularizers and endpoint layers for Keras, and what becomes of their settings.

===================  =====================  =========================  ============================
a setting is         is kept as             goes to the kernel as      is saved as
===================  =====================  =========================  ============================
a number, a name     itself                 itself                     itself
a list or a tuple    a list                 a list                     a list
an array of NumPy    itself                 a tensor of the backend    Keras saves arrays
a tensor             itself                 itself                     Keras saves tensors
a `keras.Variable`   itself                 its tensor at the call     an array of NumPy
a function           itself                 itself                     Keras saves functions
a layer or a model   itself                 itself                     its config and its weights
===================  =====================  =========================  ============================

Tensors and variables in the place of static settings, such as quantiles and axes, are kept as numbers. The functions of
the columns are `KerasLearner._set`, `to_kernel`, and `serialize` with `deserialize`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, SupportsIndex, TypedDict

import keras
import numpy as np
from keras.src.backend.common.masking import get_keras_mask  # private, as is what follows: no public name tells
from keras.src.losses.loss import (
    scale_loss_for_distribution,  # the mask of a tensor, how many replicas there are,
    standardize_reduction,  # or which reductions
)

from anomaly_kernels._classes.learner import Learner
from anomaly_kernels._classes.settings import parameters_of, settings_of
from anomaly_kernels._core.checks import same_shape
from anomaly_kernels._core.namespace import array_namespace, describe
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.targets import check_mask

Tensor = Any
Setting = float | keras.Variable | np.ndarray[Any, Any]
Axes = SupportsIndex | Sequence[SupportsIndex]
PACKAGE = "anomaly_kernels"
mask_of = get_keras_mask  # for this package: one place knows the private name
_MODEL = "anomaly_kernels>model"
"""Where the config of a model among the settings is, beside its weights."""


NO_AVERAGES = (None, "none", "sum")
_PLAIN = (float, int, str, type(None))
"""Settings that are the same in all columns."""


class Options(TypedDict, total=False):
    """What every metric takes for Keras, besides its settings."""

    name: str | None
    dtype: Any


class LossOptions(Options, total=False):
    """What every loss takes for Keras, besides its settings."""

    reduction: str | None


class LayerOptions(Options, total=False):
    """What every endpoint layer takes for Keras, besides its settings."""

    trainable: bool
    activity_regularizer: Any
    autocast: bool


class KerasLearner(Learner):
    """Settings that Keras can write down and read."""

    if TYPE_CHECKING:  # settings are attributes

        def __getattr__(self, name: str) -> Any: ...

    def __repr__(self) -> str:
        return self.my_params

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> None:
        """Raise what the kernel would raise of these values of its settings."""
        static = parameters_of(cls.kernel).static
        settings = {name: values[name] for name in settings_of(cls) if name in values}
        for name, value in settings.items():
            if name in static:
                settings[name] = to_numpy(value)
            elif not isinstance(value, (*_PLAIN, np.ndarray)):  # NumPy's errors say more than a backend's
                settings[name] = to_kernel(value)
        super().check(settings)

    def _set(self, name: str, value: Any) -> None:
        super()._set(name, to_numpy(value) if name in parameters_of(type(self).kernel).static else value)

    def _set_all(self, settings: Mapping[str, Any]) -> None:
        """Check the settings of the kernel and keep them."""
        self.check(settings)
        for name, value in settings.items():
            self._set(name, value)

    def _config(self) -> dict[str, Any]:
        """The settings of the kernel, as Keras saves them."""
        return {name: serialize(getattr(self, name)) for name in settings_of(type(self))}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Return an instance with the settings that `get_config` has returned."""
        settings = settings_of(cls)
        with reading_config(cls):
            return cls(**{name: deserialize(value) if name in settings else value for name, value in config.items()})

    @classmethod
    def _setting_from_json(cls, name: str, value: Any) -> Any:
        if name == "name" and not isinstance(value, str | None):  # which Keras takes as it is
            raise ValueError(f"`name` must be a text, got {describe(value)}")
        return super()._setting_from_json(name, value)

    def _evaluate(self, arrays: tuple[Tensor | None, ...], dtype: str, **more: Any) -> Tensor:
        """The kernel of arrays in its own order, in at least single precision."""
        precision = "float64" if dtype == "float64" else "float32"
        tensors = [None if x is None else to_tensor(x, precision) for x in arrays]
        settings = {
            name: x if isinstance(x := getattr(self, name), _PLAIN) else to_kernel(x)
            for name in settings_of(type(self))
        }
        return type(self).kernel(*tensors, **settings, **more)


class Loss(KerasLearner, keras.losses.Loss):
    """A kernel of two arrays: `call` gives the values of samples or elements, which Keras weighs and reduces."""

    _framework_settings = ("reduction",)

    def __init__(self, *, reduction: str | None = "mean", name: str | None = None, dtype: Any = None, **settings: Any):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self._set_all(settings)
        reduces = "reduction" in parameters_of(type(self).kernel).settings
        self._unreduced = {"reduction": "none"} if reduces else {}  # here, for torch cannot compile a look into it

    def _set(self, name: str, value: Any) -> None:
        if name in ("reduction", "dtype"):  # which Keras checks and derives from there alone
            options = {"name": self.name, "reduction": self.reduction, "dtype": self.dtype} | {name: value}
            keras.losses.Loss.__init__(self, **options)
        else:
            super()._set(name, value)

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same loss."""
        return {**super().get_config(), "dtype": self.dtype, **self._config()}

    def _value(self, *arrays: Tensor) -> Tensor:
        """The values of arrays in the order of the kernel, before they are weighed and reduced."""
        return self._evaluate(arrays, self.dtype, **self._unreduced)

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        with keras.name_scope(self.name):
            if is_empty(y_pred) and is_empty(y_true):
                return keras.ops.cast(_reduce_nothing(to_tensor(y_pred), self.reduction), self.dtype)
            values = self.call(y_true, y_pred)
            loss = _reduce_values(values, sample_weight, mask_of(y_pred), self.reduction)
            return keras.ops.cast(
                loss if self.reduction in NO_AVERAGES else scale_loss_for_distribution(loss), self.dtype
            )


class Regularizer(KerasLearner, keras.regularizers.Regularizer):
    """A kernel of one array, for weights or activities."""

    def __init__(self, **settings: Any) -> None:
        self._set_all(settings)

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same regularizer."""
        return self._config()

    def _value(self, x: Tensor) -> Tensor:
        tensor = to_tensor(x)  # of a variable, where it regularizes a kernel
        if is_empty(tensor):
            return keras.ops.sum(tensor)
        return _zero_if_empty(self._evaluate((tensor,), keras.backend.standardize_dtype(tensor.dtype)), tensor)


class EndpointLayer(KerasLearner, keras.layers.Layer):
    """A kernel of many arrays, or one that owns a weight: a layer that returns the loss and adds it to the model's."""

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        activity_regularizer: Any = None,
        autocast: bool = False,  # to the half precision of a mixed policy, in which losses overflow
        **settings: Any,
    ) -> None:
        super().__init__(
            name=name,
            trainable=trainable,
            dtype=dtype,
            activity_regularizer=activity_regularizer,
            autocast=autocast,
        )
        self._set_all(settings)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in settings_of(type(self)):  # which Keras would wrap, and save a variable among them as a weight
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

    def _value(self, *arrays: Tensor | None) -> Tensor:
        """The kernel of arrays in its own order, in the dtype of the layer's weights."""
        return keras.ops.cast(self._evaluate(arrays, self.variable_dtype), self.variable_dtype)

    def _add_value(self, *arrays: Tensor | None) -> Tensor:
        """The loss of arrays in the order of the kernel, which is added to those of the model; 0 of an empty batch."""
        batch = to_tensor(arrays[0])
        loss = keras.ops.sum(batch) if is_empty(batch) else _zero_if_empty(self._value(*arrays), batch)
        self.add_loss(loss)
        return loss

    def _state(self) -> dict[str, Any]:
        return {variable.name: keras.ops.convert_to_numpy(variable) for variable in self.weights}

    def _set_state(self, state: dict[str, Any]) -> None:
        super()._set_state(state)
        for name, old in self._state().items():  # which Keras would cast to the layer's dtype
            if state[name].dtype != old.dtype:
                raise ValueError(f"`{name}` must be of {old.dtype}, got {state[name].dtype}")
        self.set_weights([state[name] for name in self._state()])


class WeighedLayer(EndpointLayer):
    """A kernel of values, which are weighed, masked and reduced as a loss's: without a truth, or of more arrays."""

    _framework_settings = ("reduction",)

    def __init__(self, *, reduction: str | None = "mean", **settings: Any) -> None:
        super().__init__(**settings)
        self.supports_masking = True  # masked values do not count
        self.reduction = standardize_reduction(reduction)

    def get_config(self) -> dict[str, Any]:
        """Return the settings, from which `from_config` makes the same layer."""
        return {**super().get_config(), "reduction": self.reduction}

    def _set(self, name: str, value: Any) -> None:
        super()._set(name, standardize_reduction(value) if name == "reduction" else value)

    def compute_mask(self, *_: Any) -> None:
        """Return no mask: there is none of the loss."""

    def _add_values(self, *arrays: Tensor, sample_weight: Tensor | None) -> Tensor:
        """The loss of arrays in the order of the kernel; the model's is its mean, where it is not reduced."""
        if is_empty(batch := to_tensor(arrays[0])):
            loss = _reduce_nothing(batch, self.reduction)
        else:
            values = self._evaluate(arrays, self.variable_dtype, reduction="none")
            mask = next((mask for x in arrays if (mask := mask_of(x)) is not None), None)
            loss = _reduce_values(values, sample_weight, mask, self.reduction)
        loss = keras.ops.cast(loss, self.variable_dtype)
        of_model = loss
        if self.reduction in (None, "none"):
            of_model = keras.ops.sum(loss) if is_empty(batch) else _reduce_values(loss, None, None, "mean")
        self.add_loss(of_model)
        return loss


@contextmanager
def reading_config(cls: type) -> Iterator[None]:
    """Raise a ValueError for whatever else than that, or a TypeError, a config from a file makes Keras raise."""
    try:
        yield
    except (TypeError, ValueError):
        raise
    except Exception as error:
        raise ValueError(f"this is no config of a {cls.__name__}: {type(error).__name__}: {error}") from error


def _reduce_values(values: Tensor, weight: Tensor | None, mask: Tensor | None, reduction: str | None) -> Tensor:
    """The values weighed and reduced as Keras does, by sums as accurate as the kernels'."""
    xp, averages = array_namespace(values), reduction not in NO_AVERAGES
    weight = None if weight is None else align_weight("sample_weight", weight, values)
    if mask is not None:  # an average over what is not masked
        mask = align_weight("mask", mask, values)
        share = ratio(xp, mask, xp.mean(mask)) if averages else mask
        weight = share if weight is None else weight * share
    if weight is not None:
        weighted = values * weight
        same_shape(loss=values, sample_weight=weighted)  # sizes that a graph leaves open might make many of one
        values = weighted
    if reduction in (None, "none"):
        return values
    if not averages:
        return xp.sum(values)
    if reduction == "mean_with_sample_weight" and weight is not None:
        return ratio(xp, xp.sum(values), xp.sum(weight * xp.ones_like(values)))
    return _zero_if_empty(xp.mean(values), values) if None in values.shape else xp.mean(values)


def is_empty(x: Any) -> bool:
    """Whether an array is known to have no elements."""
    shape = getattr(x, "shape", ())
    return getattr(shape, "rank", 0) is not None and 0 in shape


def _reduce_nothing(batch: Tensor, reduction: str | None) -> Tensor:
    """The loss of an empty batch: 0, as that of Keras' own losses, or no values."""
    return keras.ops.reshape(batch, (0,)) if reduction in (None, "none") else keras.ops.sum(batch)


def _zero_if_empty(loss: Tensor, batch: Tensor) -> Tensor:
    """The loss, but 0 where a graph of TensorFlow sees when it runs that a batch is empty, which has no mean."""
    if None not in batch.shape:
        return loss
    return keras.ops.where(keras.ops.size(batch) == 0, keras.ops.zeros_like(loss), loss)


def align_weight(name: str, weight: Any, values: Tensor) -> Tensor:
    """Weights of a leading part of the shape of the values, with axes of size 1 for the rest."""
    weight = keras.ops.cast(to_tensor(weight), values.dtype)
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


def match_ranks(y_true: Any, y_pred: Any) -> Any:
    """Labels (B,) beside predictions (B, 1), or the other way round, in the shape of these, as Keras has it."""
    for y in (y_true, y_pred):
        if getattr(getattr(y, "shape", None), "rank", 0) is None:
            return y_true  # the kernel says that it must have a known number of axes
    true, predicted = np.shape(y_true), np.shape(y_pred)
    more = len(true) - len(predicted)
    if more == 1 and true[-1] == 1:
        return keras.ops.squeeze(to_tensor(y_true), -1)
    return keras.ops.expand_dims(to_tensor(y_true), -1) if more == -1 and predicted[-1] == 1 else y_true


def without_last(y_true: Any, y_pred: Any) -> Any:
    """Truths (B, 1) beside predictions (B, C), as Keras may have them, in the shape (B,)."""
    shape = np.shape(y_true)
    if shape and len(shape) == len(np.shape(y_pred)) and shape[-1] == 1:
        return keras.ops.squeeze(to_tensor(y_true), -1)
    return y_true


def looked_at(target: Any, check: Callable[..., None] = check_mask) -> Any:
    """A truth whose integers have been looked at before it becomes real."""
    if "float" in str(getattr(target, "dtype", "")):
        return target
    mask = to_tensor(target)
    check(array_namespace(mask), mask)
    return mask


def to_tensor(x: Any, dtype: str | None = None) -> Tensor:
    """The backend's tensor of an array or a variable."""
    return keras.ops.convert_to_tensor(x.value if isinstance(x, keras.Variable) else x, dtype)


def to_numpy(setting: Any) -> Any:
    """Tensors and variables as NumPy arrays, anything else as it is."""
    is_array = isinstance(setting, keras.Variable) or keras.ops.is_tensor(setting)
    return keras.ops.convert_to_numpy(setting) if is_array else setting


def to_kernel(setting: Any) -> Any:
    """A setting as the kernel takes it."""
    if isinstance(setting, list | tuple):
        return [to_kernel(x) for x in setting]
    # a variable by its value now: compiled steps of JAX would go on with the first one
    return to_tensor(setting) if isinstance(setting, keras.Variable | np.ndarray) else setting


def serialize(setting: Any) -> Any:
    """A setting as Keras saves it, a model with its weights."""
    if isinstance(setting, keras.layers.Layer):  # its config alone would come back with other weights
        weights = [serialize(w) for w in setting.get_weights()]
        return {_MODEL: keras.saving.serialize_keras_object(setting), "weights": weights}
    if isinstance(setting, list | tuple):
        return [serialize(x) for x in setting]
    if isinstance(setting, keras.Variable):
        setting = keras.ops.convert_to_numpy(setting)
    return keras.saving.serialize_keras_object(setting)


def deserialize(value: Any) -> Any:
    """The setting of which `serialize` has returned this."""
    if isinstance(value, list | tuple):
        return [deserialize(x) for x in value]
    if isinstance(value, dict) and _MODEL in value:
        model = keras.saving.deserialize_keras_object(value[_MODEL])
        model.set_weights([deserialize(w) for w in value["weights"]])
        return model
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value
