"""Losses of embeddings for Keras: contrastive ones, and the discrepancy of two samples."""

from __future__ import annotations

from typing import Literal, Unpack

import keras

from anomaly_kernels._core.checks import inputs
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.typing import Items
from anomaly_kernels.keras._base import (
    NO_AVERAGES,
    PACKAGE,
    LayerOptions,
    Loss,
    LossOptions,
    Setting,
    Tensor,
    WeighedLayer,
    is_empty,
    to_tensor,
)
from anomaly_kernels.losses import contrastive, kernel_mean


@keras.saving.register_keras_serializable(PACKAGE)
class SupConLoss(Loss):
    r"""Supervised contrastive loss (SupCon) of embeddings, or NT-Xent if the classes are pairs of views.

    The loss of `anomaly_kernels.supcon_loss`, which has the formula: `y_true` are classes, (N,) or (N, 1).

    Parameters
    ----------
    temperature : number or 0-d array, above 0
        T, by which cosines are divided.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`; means are over the samples that have a positive.

    Examples
    --------
    >>> z = np.asarray([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    >>> round(float(SupConLoss(temperature=1.0)(np.asarray([0, 0, 1]), z)), 4)
    0.3133
    """

    kernel = staticmethod(contrastive.supcon_loss)

    def __init__(self, *, temperature: Setting = 0.1, weight: Setting = 1.0, **options: Unpack[LossOptions]) -> None:
        super().__init__(temperature=temperature, weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample, of embeddings (N, D) with their classes.

        Where they are averaged, they are larger by as much as samples without a positive make the mean smaller.
        """
        label = to_tensor(y_true)
        label = keras.ops.squeeze(label, -1) if len(label.shape) == 2 and label.shape[-1] == 1 else label
        predicted = to_tensor(y_pred)
        xp, dtype = inputs({"label": label}, embeddings=predicted)
        kind, count = contrastive.kinds_and_positives(xp, dtype, label)  # as real numbers, which half precision rounds
        values = self._value(kind, predicted)
        if self.reduction in NO_AVERAGES:
            return values
        return ratio(xp, values, keras.ops.cast(xp.mean(xp.minimum(count, 1.0)), values.dtype))


@keras.saving.register_keras_serializable(PACKAGE)
class TripletMarginLoss(WeighedLayer):
    r"""Triplet loss: an anchor should be nearer to its positive than to its negative, by a margin.

    The layer of `anomaly_kernels.triplet_margin_loss`, which has the formula.

    Parameters
    ----------
    margin : number or 0-d array
        m, in units of the distance.
    squared : bool
        Whether d is the squared distance, as in the paper, or the distance, as in torch.
    weight : number or 0-d array
        Factor w of the result.
    reduction
        That of a `keras.losses.Loss`; with ``"none"`` the layer returns every value, and adds the mean to the model's.
    name, trainable, dtype, activity_regularizer, autocast
        Those of every `keras.layers.Layer`; without `autocast` inputs keep their precision.

    Examples
    --------
    >>> a, p, n = np.zeros((1, 2)), np.asarray([[3.0, 4.0]]), np.asarray([[0.0, 5.5]])
    >>> float(TripletMarginLoss()(a, p, n))
    0.5
    """

    kernel = staticmethod(contrastive.triplet_margin_loss)

    def __init__(
        self,
        *,
        margin: Setting = 1.0,
        squared: bool = False,
        weight: Setting = 1.0,
        reduction: str | None = "mean",
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(margin=margin, squared=squared, weight=weight, reduction=reduction, **options)

    def call(self, anchor: Tensor, positive: Tensor, negative: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Return the loss of embeddings (..., D) of one shape, weighed as by a `keras.losses.Loss`."""
        return self._add_values(anchor, positive, negative, sample_weight=sample_weight)


@keras.saving.register_keras_serializable(PACKAGE)
class MMDLoss(Loss):
    r"""Squared maximum mean discrepancy (MMD) of two samples.

    The loss of `anomaly_kernels.mmd_loss`, which has the formula. The order of the samples does not matter: `y_true`
    may be the reference, such as draws of a prior.

    Parameters
    ----------
    kernel : {"rbf", "imq"}
        Gaussian, or inverse multiquadratic, whose tails are heavier.
    bandwidths : sequence of numbers above 0
        Widths b of the kernels that are added up, in units of the embeddings.
    unbiased : bool
        Whether the first two means leave out the pairs of a row with itself. The estimate is then unbiased, and may be
        below 0.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> round(float(MMDLoss()(np.zeros((2, 1)), np.ones((3, 1)))), 4)
    0.7869
    """

    kernel = staticmethod(kernel_mean.mmd_loss)

    def __init__(
        self,
        *,
        kernel: Literal["rbf", "imq"] = "rbf",
        bandwidths: Items[float] = (1.0,),
        unbiased: bool = False,
        weight: Setting = 1.0,
        **options: Unpack[LossOptions],
    ) -> None:
        super().__init__(kernel=kernel, bandwidths=bandwidths, unbiased=unbiased, weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the discrepancy of two samples (N, D) and (M, D)."""
        return self._value(y_true, y_pred)

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Return the loss of two samples; where one is empty, 0 as for an empty batch."""
        if is_empty(y_true) or is_empty(y_pred):
            y_true = y_pred = to_tensor(y_pred)[:0]
        return super().__call__(y_true, y_pred, sample_weight)
