"""The metrics of regions as pytrees."""

from __future__ import annotations

from typing import Self

import jax
import jax.numpy as jnp
from jax.tree_util import register_pytree_with_keys_class

from anomaly_kernels._classes.metric_states import in_double, with_weights
from anomaly_kernels._core.checks import choice
from anomaly_kernels._core.typing import Array
from anomaly_kernels.jax.metrics import SCORE_STORES, Metric, ScoreMetric, ScoreStore, Setting, like_widest
from anomaly_kernels.metrics.regions import curve, decided, images
from anomaly_kernels.metrics.regions.images import Bounds, check_bounds


@register_pytree_with_keys_class
class AUPROMetric(ScoreMetric[Array]):
    r"""Area under the per-region overlap curve (AUPRO) up to a false positive rate, divided by that rate.

    .. math:: \frac 1L \int_0^L PRO\, dFPR

    The metric of `anomaly_kernels.aupro` over all regions of all images; NaN without regions or normal pixels.
    A region lies within one batch. With `saturation` it is the sPRO of MVTec LOCO.

    Parameters
    ----------
    max_fpr : number or 0-d array, in (0, 1]
        The limit L.
    scores : {"exact", "histogram"}
        How scores are kept. ``"exact"`` keeps all distinct ones, and does not work under `jit`. For a histogram,
        `bounds` has the bounds.

    Examples
    --------
    >>> metric = AUPROMetric().update(jnp.asarray([[[1, 1, 0, 1]]]), jnp.asarray([[[8.0, 7.0, 1.0, 6.0]]]))
    >>> float(metric.compute())
    1.0
    """

    kernel = staticmethod(curve.aupro)

    def __init__(self, *, max_fpr: Setting = 0.3, scores: ScoreStore = "histogram") -> None:
        choice("scores", scores, tuple(SCORE_STORES))
        like = like_widest()
        state = self._empty_state(like, SCORE_STORES[scores].empty(like))
        self._start(with_weights(state, like), max_fpr=max_fpr, scores=scores)

    def update(
        self,
        target: jax.Array,
        score: jax.Array,
        *,
        region: jax.Array | None = None,
        saturation: jax.Array | None = None,
    ) -> Self:
        """Return the metric after one more batch: true anomalies and scores of images; under `jit` the regions too."""
        score = jnp.asarray(score)
        return self._with_batch(target, in_double(score) if self.scores == "exact" else score, region, saturation)


@register_pytree_with_keys_class
class PerRegionOverlapMetric(Metric[Array]):
    r"""The mean share of each region that is decided anomalous (PRO, sPRO): large and small regions count alike.

    .. math:: \frac 1K \sum_{k=1}^K \min\left(\frac{|\{i \in R_k: d_i \ne 0\}|}{S_k}, 1\right)

    The metric of `anomaly_kernels.per_region_overlap` over all regions of all images; NaN without regions. A region
    lies within one batch.

    Examples
    --------
    >>> metric = PerRegionOverlapMetric().update(jnp.asarray([[[1, 1, 0, 1]]]), jnp.asarray([[[1, 0, 0, 1]]]))
    >>> float(metric.compute())
    0.75
    """

    kernel = staticmethod(decided.per_region_overlap)

    def update(
        self,
        target: jax.Array,
        decision: jax.Array,
        *,
        region: jax.Array | None = None,
        saturation: jax.Array | None = None,
    ) -> Self:
        """Return the metric after one more batch: true and decided anomalies of images; under `jit` the regions too."""
        return self._with_batch(target, decision, region, saturation)


@register_pytree_with_keys_class
class RegionDetectionMetric(Metric[decided.RegionDetection]):
    """How many regions are detected, and how many alarms are false, where both are connected regions (lesion-wise F1).

    The metric of `anomaly_kernels.region_detection` over all regions of all images. A region lies within one batch.

    Parameters
    ----------
    overlap : number or 0-d array, in [0, 1]
        The least share r of a region that must be decided anomalous. With 0 one pixel is enough.

    Examples
    --------
    >>> metric = RegionDetectionMetric()
    >>> metric = metric.update(jnp.asarray([[[1, 1, 0, 0, 1]]]), jnp.asarray([[[1, 0, 1, 0, 0]]]))
    >>> float(metric.compute().f1_score)
    0.5
    """

    kernel = staticmethod(decided.region_detection)

    def __init__(self, *, overlap: Setting = 0.0) -> None:
        self._start(self._empty_state(like_widest(), None), overlap=overlap)

    def update(
        self,
        target: jax.Array,
        decision: jax.Array,
        *,
        region: jax.Array | None = None,
        decision_region: jax.Array | None = None,
    ) -> Self:
        """Return the metric after one more batch: true and decided anomalies of images; under `jit` the regions too."""
        return self._with_batch(target, decision, region, decision_region)


@register_pytree_with_keys_class
class AUPIMOMetric(Metric[Array]):
    r"""Area under the per-image overlap curve: the share of each image's anomalous pixels found at low false alarms.

    .. math:: \frac{1}{\log(U/L)} \int_L^U \frac{T_b(z)}{z}\, dz

    The metric of `anomaly_kernels.aupimo`, a number for each image in the order of their batches, with the false
    positive rate of all normal images; NaN for an image without anomalies. It keeps each score of an anomalous pixel,
    and each distinct one of normal images: it is updated outside of `jit`.

    Parameters
    ----------
    fpr_bounds : two numbers
        L and U, 0 < L < U ≤ 1. They may be below 1/N, for N pixels of normal images: there the curve rises in a
        straight line from the share that scores above all of these.

    Examples
    --------
    >>> metric = AUPIMOMetric(fpr_bounds=(0.1, 1.0))
    >>> metric = metric.update(jnp.asarray([[0, 0], [1, 0]]), jnp.asarray([[3.0, 1.0], [4.0, 0.0]]))
    >>> metric.compute().tolist()
    [nan, 1.0]
    """

    kernel = staticmethod(images.aupimo)

    def __init__(self, *, fpr_bounds: Bounds = (1e-5, 1e-4)) -> None:
        bounds = check_bounds("fpr_bounds", fpr_bounds)
        self._start(self._empty_state(like_widest(), None), fpr_bounds=bounds)

    def update(self, target: jax.Array, score: jax.Array) -> Self:
        """Return the metric after one more batch: true anomalies and scores of images."""
        return self._with_batch(target, in_double(jnp.asarray(score)))
