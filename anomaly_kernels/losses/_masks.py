"""What losses of whole masks share: the checks of their arrays, and one loss for each image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, SupportsIndex, TypeAlias

from anomaly_kernels._core.checks import axes, axes_of, inputs, not_empty, same_shape
from anomaly_kernels._core.evaluate import Formula, reduce, weigh
from anomaly_kernels._core.typing import Array, Axis, DType, Namespace, Setting

Axes: TypeAlias = Annotated[SupportsIndex | Sequence[SupportsIndex] | None, axes]
LossOfMask: TypeAlias = Callable[[Namespace, Array, Array, Axis], Array]
"""``(xp, score, target, axis)``: the loss of all elements, or along the last axes, which `axis` lists."""


def mask_inputs(target: Array, sample_weight: Array | None = None, /, **scores: Array) -> tuple[Namespace, DType]:
    """The namespace of a mask and its scores and the dtype to compute in, once their shapes are checked."""
    masks = {"target": target} if sample_weight is None else {"target": target, "sample_weight": sample_weight}
    xp, dtype = inputs(masks, **scores)
    same_shape(target=target, **scores)
    if 0 in target.shape:
        not_empty(target=target, **scores)
    return xp, dtype


def loss_of_images(
    xp: Namespace,
    dtype: DType,
    loss: LossOfMask,
    arrays: dict[str, Array],
    axis: SupportsIndex | Sequence[SupportsIndex] | None,
    weight: Setting,
    sample_weight: Array | None = None,
) -> Array:
    """The weighed loss of everything, or one for each image, whose axes are pooled over."""
    score, target = arrays.values()
    pooled = None if axis is None else axes_of(axis, len(score.shape))
    if pooled is None:
        if sample_weight is not None:
            raise ValueError("`sample_weight` is for losses of several samples: `axis` must be given, got None")
        return weigh(xp, dtype, weight, loss(xp, score, target, None))
    rest = tuple(k for k in range(len(score.shape)) if k not in pooled)

    def of_images(xp: Namespace, x: Array, y: Array) -> Array:
        outer = tuple(x.shape[: len(rest)])
        if outer == (1,) * len(rest):  # one that is large, maybe: by its own blocks
            return xp.reshape(loss(xp, x, y, None), outer)
        return loss(xp, x, y, tuple(range(len(rest), len(x.shape))))

    moved = {name: xp.permute_dims(x, (*rest, *pooled)) for name, x in arrays.items()}
    formula = Formula(of_images, inner=len(pooled), casts=True)
    return reduce(xp, dtype, formula, moved, weight=weight, reduction="none", sample_weight=sample_weight)
