"""The metrics of regions for Keras."""

from __future__ import annotations

from typing import Any, Unpack

import keras
from keras.src.backend.common.symbolic_scope import in_symbolic_scope  # private: no public name tells

from anomaly_kernels._classes.metric_states import in_double, with_weights
from anomaly_kernels.keras._base import PACKAGE, Options, Setting, Tensor, match_ranks, to_tensor
from anomaly_kernels.keras._histogram import Cells
from anomaly_kernels.keras.metrics import HistogramOptions, HostMetric, Metric, ScoreMetric, ScoreStore, no_scores
from anomaly_kernels.metrics.regions import curve, decided, images
from anomaly_kernels.metrics.regions.images import Bounds


class RegionMetric(Metric):
    """A base of metrics of images and their regions, which are labelled where a step runs eagerly."""

    def _update(self, y_true: Any, y_pred: Any, sample_weight: Any, *regions: Any) -> None:
        """Take in a batch; regions and saturations are None where they are not given."""
        if sample_weight is not None:
            raise ValueError(f"{type(self).__name__} has no weights of samples, got `sample_weight`")
        if y_pred is None:
            raise TypeError(f"{type(self).__name__} takes `y_true` and `y_pred`, got one array")
        y_pred = to_tensor(y_pred)
        y_true = to_tensor(match_ranks(y_true, y_pred))
        self.merge_batch(y_true, y_pred, *(x if x is None else to_tensor(x) for x in regions))

    def merge_batch(self, *arrays: Tensor) -> None:
        """Merge a batch of arrays in the order of the function into the state; None where one is not given."""
        if in_symbolic_scope():  # where Keras looks for shapes, before the first step: there are no regions
            return
        if 0 not in arrays[0].shape:
            self._merge(*arrays)

    def _merge(self, *arrays: Tensor) -> None:
        state = self._read()
        self._write(state.merge(self._batch_state(state, arrays)))


class RegionScoreMetric(RegionMetric, HostMetric):
    """A base of metrics of images that keep scores."""

    def _merge(self, *arrays: Tensor) -> None:
        if not self._keeps_each:
            super()._merge(*arrays)
            return
        target, score = map(self._on_host, arrays[:2])
        regions = (x if x is None else self._on_host(x) for x in arrays[2:])
        self._keep(self._kept.merge(self._batch_state(self._kept, (target, in_double(score), *regions))))


@keras.saving.register_keras_serializable(PACKAGE)
class AUPROMetric(RegionScoreMetric, ScoreMetric):  # type: ignore[misc]  # which has weights of samples besides
    r"""Area under the per-region overlap curve (AUPRO) up to a false positive rate, divided by that rate.

    .. math:: \frac 1L \int_0^L PRO\, dFPR

    The metric of `anomaly_kernels.aupro` over all regions of all images; NaN without regions or normal pixels.
    A region lies within one batch. With `saturation` it is the sPRO of MVTec LOCO.
    Steps that are compiled must be given regions, as those of `fit` are not: use ``compile(run_eagerly=True)``.

    Parameters
    ----------
    max_fpr : number or 0-d array, in (0, 1]
        The limit L.
    scores : {"exact", "histogram"}
        How scores are kept: each distinct one, if steps run eagerly, or in a histogram of a fixed size.
    digits : int, from 1 to 12
        Binary digits that tell scores apart in a histogram. One more digit makes the cells half as wide and twice as
        many.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = AUPROMetric()
    >>> metric.update_state(np.asarray([[[1, 1, 0, 1]]]), np.asarray([[[8.0, 7.0, 1.0, 6.0]]]))
    >>> float(metric.result())
    1.0
    """

    kernel = staticmethod(curve.aupro)

    def __init__(
        self, *, max_fpr: Setting = 0.3, scores: ScoreStore = "histogram", **options: Unpack[HistogramOptions]
    ) -> None:
        super().__init__(max_fpr=max_fpr, scores=scores, **options)

    def _empty_parts(self) -> dict[str, Any]:
        if self._keeps_each:
            return super()._empty_parts()
        like = no_scores()  # pixels have weights, so that counters are real
        return {"state": with_weights(self._empty_state(like, Cells.empty(like, self.digits)), like)}

    def update_state(
        self,
        y_true: Tensor,
        y_pred: Tensor = None,
        sample_weight: Tensor | None = None,
        *,
        region: Tensor | None = None,
        saturation: Tensor | None = None,
    ) -> None:
        """Take in true anomalies and scores of images and, if given, the numbers and the saturations of regions."""
        self._update(y_true, y_pred, sample_weight, region, saturation)


@keras.saving.register_keras_serializable(PACKAGE)
class PerRegionOverlapMetric(RegionMetric):
    r"""The mean share of each region that is decided anomalous (PRO, sPRO): large and small regions count alike.

    .. math:: \frac 1K \sum_{k=1}^K \min\left(\frac{|\{i \in R_k: d_i \ne 0\}|}{S_k}, 1\right)

    The metric of `anomaly_kernels.per_region_overlap` over all regions of all images; NaN without regions. A region
    lies within one batch. Steps that are compiled must be given regions, as those of `fit` are not: use
    ``compile(run_eagerly=True)``.

    Parameters
    ----------
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = PerRegionOverlapMetric()
    >>> metric.update_state(np.asarray([[[1, 1, 0, 1]]]), np.asarray([[[1, 0, 0, 1]]]))
    >>> float(metric.result())
    0.75
    """

    kernel = staticmethod(decided.per_region_overlap)

    def __init__(self, **options: Unpack[Options]) -> None:
        super().__init__(**options)

    def update_state(
        self,
        y_true: Tensor,
        y_pred: Tensor = None,
        sample_weight: Tensor | None = None,
        *,
        region: Tensor | None = None,
        saturation: Tensor | None = None,
    ) -> None:
        """Take in true and decided anomalies of images and, if given, the numbers and the saturations of regions."""
        self._update(y_true, y_pred, sample_weight, region, saturation)


@keras.saving.register_keras_serializable(PACKAGE)
class RegionDetectionMetric(RegionMetric):
    """How many regions are detected, and how many alarms are false, where both are connected regions (lesion-wise F1).

    The metric of `anomaly_kernels.region_detection` over all regions of all images. A region lies within one batch.
    Steps that are compiled must be given regions, as those of `fit` are not: use ``compile(run_eagerly=True)``.

    Parameters
    ----------
    overlap : number or 0-d array, in [0, 1]
        The least share r of a region that must be decided anomalous. With 0 one pixel is enough.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = RegionDetectionMetric()
    >>> metric.update_state(np.asarray([[[1, 1, 0, 0, 1]]]), np.asarray([[[1, 0, 1, 0, 0]]]))
    >>> float(metric.result()["f1_score"])
    0.5
    """

    kernel = staticmethod(decided.region_detection)
    result_fields = decided.RegionDetection._fields

    def __init__(self, *, overlap: Setting = 0.0, **options: Unpack[Options]) -> None:
        super().__init__(overlap=overlap, **options)

    def update_state(
        self,
        y_true: Tensor,
        y_pred: Tensor = None,
        sample_weight: Tensor | None = None,
        *,
        region: Tensor | None = None,
        decision_region: Tensor | None = None,
    ) -> None:
        """Take in true and decided anomalies of images and, if given, the numbers of their regions."""
        self._update(y_true, y_pred, sample_weight, region, decision_region)


@keras.saving.register_keras_serializable(PACKAGE)
class AUPIMOMetric(RegionScoreMetric):
    r"""Area under the per-image overlap curve: the share of each image's anomalous pixels found at low false alarms.

    .. math:: \frac{1}{\log(U/L)} \int_L^U \frac{T_b(z)}{z}\, dz

    The metric of `anomaly_kernels.aupimo`, a number for each image in the order of their batches, with the false
    positive rate of all normal images; NaN for an image without anomalies. It keeps each score of an anomalous pixel,
    and each distinct one of normal images, on the host:
    steps must run eagerly, by ``compile(run_eagerly=True)``.

    Parameters
    ----------
    fpr_bounds : two numbers
        L and U, 0 < L < U ≤ 1. They may be below 1/N, for N pixels of normal images: there the curve rises in a
        straight line from the share that scores above all of these.
    name, dtype
        Those of every `keras.metrics.Metric`.

    Examples
    --------
    >>> metric = AUPIMOMetric(fpr_bounds=(0.1, 1.0))
    >>> metric.update_state(np.asarray([[0, 0], [1, 0]]), np.asarray([[3.0, 1.0], [4.0, 0.0]]))
    >>> keras.ops.convert_to_numpy(metric.result()).tolist()
    [nan, 1.0]
    """

    kernel = staticmethod(images.aupimo)

    def __init__(self, *, fpr_bounds: Bounds = (1e-5, 1e-4), **options: Unpack[Options]) -> None:
        super().__init__(fpr_bounds=fpr_bounds, **options)

    def update_state(self, y_true: Tensor, y_pred: Tensor = None, sample_weight: Tensor | None = None) -> None:
        """Take in true anomalies and scores of images."""
        self._update(y_true, y_pred, sample_weight)
