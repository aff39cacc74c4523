"""The centre of Deep SVDD as a weight of the layers that need one."""

from __future__ import annotations

import math
from typing import Any

import keras

from anomaly_kernels._core.checks import shown
from anomaly_kernels._core.namespace import describe
from anomaly_kernels.keras._base import EndpointLayer, Tensor, to_tensor
from anomaly_kernels.losses import one_class


class CenteredLayer(EndpointLayer):
    """A layer around a centre, which is given with each call, or kept: a weight where it is first called without.

    The weight is not trained, and NaN until `init_center`, so that no one trains around a centre of nobody's choice.
    """

    center: keras.Variable | None = None
    _keeps_center = False

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        if not self.built:  # Keras tells `build` the shape of the first array alone
            given = args[1] if len(args) > 1 else kwargs.get("center")
            self._keeps_center = self._keeps_center or given is None
        return super().__call__(*args, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Make the weights, if there are any, for embeddings of a shape (..., D)."""
        if self._keeps_center and self.center is None:
            if not input_shape or input_shape[-1] is None:
                raise ValueError(f"`embeddings` must have a known last axis, got {shown(tuple(input_shape))}")
            nowhere = keras.initializers.Constant(math.nan)
            self.center = self.add_weight(tuple(input_shape[-1:]), nowhere, trainable=False, name="center")
        super().build(input_shape)

    def get_build_config(self) -> dict[str, Any] | None:
        """Return what `build_from_config` needs to make the same weights."""
        config = super().get_build_config()
        return config and {**config, "keeps_center": self._keeps_center}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Make the weights that a layer with this `get_build_config` has."""
        self._keeps_center = config.get("keeps_center", False)
        super().build_from_config(config)

    def init_center(self, embeddings: Tensor, *, eps: float = 0.1) -> Tensor:
        """Keep the `anomaly_kernels.svdd_center` of these embeddings (..., D) of normal data, and return it."""
        center = one_class.svdd_center(to_tensor(embeddings, self.variable_dtype), eps=eps)
        if not self.built:
            self._keeps_center = True
            self.build(tuple(center.shape))
        if self.center is None:
            raise ValueError(f"this {type(self).__name__} has no centre of its own: it is given one with each call")
        self.center.assign(center)
        return keras.ops.copy(center)  # the first goes to JAX with the first step of training

    def _given_or_kept(self, center: Tensor | None) -> Tensor:
        if center is None and self.center is None:
            raise ValueError(f"`center` must be given with each call of this {type(self).__name__}, as with the first")
        return self.center if center is None else center

    def _set_state(self, state: dict[str, Any]) -> None:
        if "center" in state and not self.built:
            center = state["center"]
            if len(getattr(center, "shape", ())) != 1:
                raise ValueError(f"`center` must be an array of shape (D,), got {describe(center)}")
            self._keeps_center = True
            self.build(center.shape)
        super()._set_state(state)
