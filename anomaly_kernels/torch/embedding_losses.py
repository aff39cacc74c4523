"""Losses of embeddings as torch.nn modules: contrastive ones, and the discrepancy of two samples."""

from __future__ import annotations

from typing import Literal

import torch  # noqa: F401  # of the examples
from torch import Tensor

from anomaly_kernels._core.typing import Items, Reduction
from anomaly_kernels.losses import contrastive, kernel_mean
from anomaly_kernels.torch._base import Loss, Setting

__all__ = ["MMDLoss", "SupConLoss", "TripletMarginLoss"]


class SupConLoss(Loss):
    r"""Supervised contrastive loss (SupCon) of embeddings, or NT-Xent if the classes are pairs of views.

    The module of `anomaly_kernels.supcon_loss`, which has the formula.

    Parameters
    ----------
    temperature : number or 0-d array, above 0
        T, by which cosines are divided.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the anchors i that have a positive.

    Examples
    --------
    >>> z = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    >>> SupConLoss(temperature=1.0)(z, torch.tensor([0, 0, 1]))
    tensor(0.3133)
    """

    kernel = staticmethod(contrastive.supcon_loss)

    def __init__(self, *, temperature: Setting = 0.1, weight: Setting = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(temperature=temperature, weight=weight, reduction=reduction)

    def forward(self, embeddings: Tensor, label: Tensor) -> Tensor:
        """Return the loss of embeddings (N, D) with their classes (N,)."""
        return self._value(label, embeddings)


class TripletMarginLoss(Loss):
    r"""Triplet loss: an anchor should be nearer to its positive than to its negative, by a margin.

    The module of `anomaly_kernels.triplet_margin_loss`, which has the formula.

    Parameters
    ----------
    margin : number or 0-d array
        m, in units of the distance.
    squared : bool
        Whether d is the squared distance, as in the paper, or the distance, as in torch.
    weight : number or 0-d array
        Factor w of the result.
    reduction : {"mean", "sum", "none"}
        Over the triplets.

    Examples
    --------
    >>> a, p, n = torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0, 5.5]])
    >>> TripletMarginLoss()(a, p, n)
    tensor(0.5000)
    """

    kernel = staticmethod(contrastive.triplet_margin_loss)

    def __init__(
        self,
        *,
        margin: Setting = 1.0,
        squared: bool = False,
        weight: Setting = 1.0,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(margin=margin, squared=squared, weight=weight, reduction=reduction)

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of embeddings (..., D) of one shape, in the order of torch's own."""
        return self._value(anchor, positive, negative)


class MMDLoss(Loss):
    r"""Squared maximum mean discrepancy (MMD) of two samples.

    The module of `anomaly_kernels.mmd_loss`, which has the formula.

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

    Examples
    --------
    >>> MMDLoss()(torch.zeros(2, 1), torch.ones(3, 1))
    tensor(0.7869)
    """

    kernel = staticmethod(kernel_mean.mmd_loss)

    def __init__(
        self,
        *,
        kernel: Literal["rbf", "imq"] = "rbf",
        bandwidths: Items[float] = (1.0,),
        unbiased: bool = False,
        weight: Setting = 1.0,
    ) -> None:
        super().__init__(kernel=kernel, bandwidths=bandwidths, unbiased=unbiased, weight=weight)

    def forward(self, embeddings: Tensor, reference: Tensor) -> Tensor:
        """Return the discrepancy of embeddings (N, D) and a reference (M, D)."""
        return self._value(embeddings, reference)
