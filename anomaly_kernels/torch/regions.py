"""The metrics of regions as torchmetrics."""

from __future__ import annotations

from typing import Unpack

import torch

from anomaly_kernels.metrics.regions import curve, decided, images
from anomaly_kernels.metrics.regions.images import Bounds
from anomaly_kernels.streaming._runs import ScoreRuns
from anomaly_kernels.torch._base import Setting
from anomaly_kernels.torch.metrics import Keywords, Metric, ScoreMetric, ScoreStore, exact_scores


class AUPROMetric(ScoreMetric):
    r"""Area under the per-region overlap curve (AUPRO) up to a false positive rate, divided by that rate.

    .. math:: \frac 1L \int_0^L PRO\, dFPR

    The metric of `anomaly_kernels.aupro` over all regions of all images; NaN without regions or normal pixels.
    A region lies within one batch. With `saturation` it is the sPRO of MVTec LOCO.

    Parameters
    ----------
    max_fpr : number or 0-d array, in (0, 1]
        The limit L.
    scores : {"exact", "histogram"}
        How scores are kept: each distinct one in double precision, or in memory of a fixed size.
    **keywords
        Those of `torchmetrics.Metric`.

    Examples
    --------
    >>> metric = AUPROMetric()
    >>> metric.update(torch.tensor([[[8.0, 7.0, 1.0, 6.0]]]), torch.tensor([[[1, 1, 0, 1]]]))
    >>> metric.compute()
    tensor(1.)
    """

    kernel = staticmethod(curve.aupro)
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = 0.0, 1.0
    _curve = "pro"

    def __init__(self, *, max_fpr: Setting = 0.3, scores: ScoreStore = "exact", **keywords: Unpack[Keywords]) -> None:
        super().__init__({"max_fpr": max_fpr}, scores=scores, **keywords)

    def update(
        self,
        score: torch.Tensor,
        target: torch.Tensor,
        *,
        region: torch.Tensor | None = None,
        saturation: torch.Tensor | None = None,
    ) -> None:
        """Take in scores and true anomalies of images and, if given, the numbers and the saturations of regions."""
        self._merge_batch(target, self._ranked(score), region, saturation)


class PerRegionOverlapMetric(Metric):
    r"""The mean share of each region that is decided anomalous (PRO, sPRO): large and small regions count alike.

    .. math:: \frac 1K \sum_{k=1}^K \min\left(\frac{|\{i \in R_k: d_i \ne 0\}|}{S_k}, 1\right)

    The metric of `anomaly_kernels.per_region_overlap` over all regions of all images; NaN without regions. A region
    lies within one batch.

    Examples
    --------
    >>> metric = PerRegionOverlapMetric()
    >>> metric.update(torch.tensor([[[1, 0, 0, 1]]]), torch.tensor([[[1, 1, 0, 1]]]))
    >>> metric.compute()
    tensor(0.7500)
    """

    kernel = staticmethod(decided.per_region_overlap)
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = 0.0, 1.0

    def update(
        self,
        decision: torch.Tensor,
        target: torch.Tensor,
        *,
        region: torch.Tensor | None = None,
        saturation: torch.Tensor | None = None,
    ) -> None:
        """Take in decisions and true anomalies of images and, if given, the numbers and the saturations of regions."""
        self._merge_batch(target, decision, region, saturation)


class RegionDetectionMetric(Metric):
    """How many regions are detected, and how many alarms are false, where both are connected regions (lesion-wise F1).

    The metric of `anomaly_kernels.region_detection` over all regions of all images. A region lies within one batch.

    Parameters
    ----------
    overlap : number or 0-d array, in [0, 1]
        The least share r of a region that must be decided anomalous. With 0 one pixel is enough.
    **keywords
        Those of `torchmetrics.Metric`.

    Examples
    --------
    >>> metric = RegionDetectionMetric()
    >>> metric.update(torch.tensor([[[1, 0, 1, 0, 0]]]), torch.tensor([[[1, 1, 0, 0, 1]]]))
    >>> metric.compute().f1_score
    tensor(0.5000)
    """

    kernel = staticmethod(decided.region_detection)
    higher_is_better = True

    def __init__(self, *, overlap: Setting = 0.0, **keywords: Unpack[Keywords]) -> None:
        super().__init__({"overlap": overlap}, **keywords)

    def update(
        self,
        decision: torch.Tensor,
        target: torch.Tensor,
        *,
        region: torch.Tensor | None = None,
        decision_region: torch.Tensor | None = None,
    ) -> None:
        """Take in decisions and true anomalies of images and, if given, the numbers of their regions."""
        self._merge_batch(target, decision, region, decision_region)


class AUPIMOMetric(Metric):
    r"""Area under the per-image overlap curve: the share of each image's anomalous pixels found at low false alarms.

    .. math:: \frac{1}{\log(U/L)} \int_L^U \frac{T_b(z)}{z}\, dz

    The metric of `anomaly_kernels.aupimo`, a number for each image in the order of their batches, with the false
    positive rate of all normal images; NaN for an image without anomalies. It keeps each score of an anomalous pixel,
    and each distinct one of normal images. The images of a metric that is merged into this one come first.

    Parameters
    ----------
    fpr_bounds : two numbers
        L and U, 0 < L < U ≤ 1. They may be below 1/N, for N pixels of normal images: there the curve rises in a
        straight line from the share that scores above all of these.
    **keywords
        Those of `torchmetrics.Metric`.

    Examples
    --------
    >>> metric = AUPIMOMetric(fpr_bounds=(0.1, 1.0))
    >>> metric.update(torch.tensor([[3.0, 1.0], [4.0, 0.0]]), torch.tensor([[0, 0], [1, 0]]))
    >>> metric.compute()
    tensor([nan, 1.])
    """

    kernel = staticmethod(images.aupimo)
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = 0.0, 1.0

    def __init__(self, *, fpr_bounds: Bounds = (1e-5, 1e-4), **keywords: Unpack[Keywords]) -> None:
        super().__init__({"fpr_bounds": fpr_bounds}, **keywords)

    def update(self, score: torch.Tensor, target: torch.Tensor) -> None:
        """Take in scores and true anomalies of images."""
        self._merge_batch(target, exact_scores(score))

    def _empty_scores(self, like: torch.Tensor) -> ScoreRuns:
        return ScoreRuns.empty(like)
