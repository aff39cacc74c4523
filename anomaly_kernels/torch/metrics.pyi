"""The metrics as torchmetrics: prediction first, truth second; results over all that was seen, on every process."""

# Written by tests/stubs.py: `make stubs`.

from typing import Any, NamedTuple

import torchmetrics
from torch import Tensor

from anomaly_kernels._classes.learner import Learner

Setting = float | Tensor


class Metric(Learner, torchmetrics.Metric):
    @property
    def state(self) -> Any: ...
    def update(self, *arrays: Any, **named: Any) -> None: ...
    def compute(self) -> Any: ...


class AnomalyDetectionMetrics(Metric):
    r"""Precision, recall, F1 score and intersection over union of decisions, and average precision of their scores.

    .. math:: P = \frac{TP}{TP + FP}, \quad R = \frac{TP}{TP + FN}, \quad F_1 = \frac{2 TP}{2 TP + FP + FN}, \quad
        IoU = \frac{TP}{TP + FP + FN}

    A class form of `anomaly_kernels.anomaly_detection_metrics`, which says what the arrays are.

    Scores are kept in double precision, each distinct one once. They come with every batch or with none.

    Parameters
    ----------
    zero_division : number or 0-d array
        Stands for a quotient whose denominator is 0: precision where nothing was decided anomalous, recall where
        nothing is. ``nan`` marks it as undefined.

    Notes
    -----
    All elements are pooled: an image with many anomalies weighs more than one with few. Counts are integers, so they
    are exact where a float32 sum would stop at 2²⁴.

    References
    ----------
    .. [1] C. J. van Rijsbergen, "Information Retrieval", 2nd ed., Butterworths, 1979, chapter 7.
    """

    class Result(NamedTuple):
        precision: Tensor
        recall: Tensor
        f1_score: Tensor
        iou: Tensor
        average_precision: Tensor | None
    def __init__(self, *, zero_division: Setting = 0.0, compute_on_cpu: Any = ..., dist_sync_on_step: Any = ..., process_group: Any = ..., dist_sync_fn: Any = ..., distributed_available_fn: Any = ..., sync_on_compute: Any = ..., compute_with_cache: Any = ...) -> None: ...
    def update(self, decision: Tensor, target: Tensor, score: Tensor | None = None) -> None: ...
    def forward(self, decision: Tensor, target: Tensor, score: Tensor | None = None) -> Result: ...
    def __call__(self, decision: Tensor, target: Tensor, score: Tensor | None = None) -> Result: ...
    def compute(self) -> Result: ...


class ExplainedVarianceMetric(Metric):
    r"""Shares of the variance that principal components explain, one by one, together, and up to each.

    .. math:: r_k, \quad \sum_k r_k, \quad \sum_{i \le k} r_i

    A class form of `anomaly_kernels.explained_variance`, which says what the arrays are.

    The mean over batches.

    References
    ----------
    .. [1] I. T. Jolliffe, "Principal Component Analysis", 2nd ed., Springer, 2002, section 6.1.1.
    """

    class Result(NamedTuple):
        per_component: Tensor
        total: Tensor
        cumulative: Tensor
    def __init__(self, *, compute_on_cpu: Any = ..., dist_sync_on_step: Any = ..., process_group: Any = ..., dist_sync_fn: Any = ..., distributed_available_fn: Any = ..., sync_on_compute: Any = ..., compute_with_cache: Any = ...) -> None: ...
    def update(self, explained_variance_ratio: Tensor) -> None: ...
    def forward(self, explained_variance_ratio: Tensor) -> Result: ...
    def __call__(self, explained_variance_ratio: Tensor) -> Result: ...
    def compute(self) -> Result: ...


class AnomalyPixelStatisticsMetric(Metric):
    r"""How many pixels (samples, time steps) there are, and how many of them were decided anomalous.

    .. math:: N, \quad n = \sum_i [d_i \ne 0], \quad 100 \cdot n / N

    A class form of `anomaly_kernels.anomaly_pixel_statistics`, which says what the arrays are.

    Exact, whatever the number of pixels.

    References
    ----------
    .. [1] V. Chandola, A. Banerjee, V. Kumar, "Anomaly Detection: A Survey", ACM Computing Surveys, 2009, section 2.4.
    """

    class Result(NamedTuple):
        total_pixels: Tensor
        anomalous_pixels: Tensor
        anomaly_percentage: Tensor
    def __init__(self, *, compute_on_cpu: Any = ..., dist_sync_on_step: Any = ..., process_group: Any = ..., dist_sync_fn: Any = ..., distributed_available_fn: Any = ..., sync_on_compute: Any = ..., compute_with_cache: Any = ...) -> None: ...
    def update(self, decision: Tensor) -> None: ...
    def forward(self, decision: Tensor) -> Result: ...
    def __call__(self, decision: Tensor) -> Result: ...
    def compute(self) -> Result: ...


class ScoreStatisticsMetric(Metric):
    r"""Mean, standard deviation, extremes and quantiles of anomaly scores.

    .. math:: \bar s = \frac 1n \sum_i s_i, \quad \sqrt{\frac{1}{n - 1} \sum_i (s_i - \bar s)^2}, \quad
        Q_p = (1 - t) s_{(k)} + t s_{(k + 1)}, \quad k + t = 1 + p (n - 1)

    A class form of `anomaly_kernels.score_statistics`, which says what the arrays are.

    Scores are kept in double precision, each distinct one once.

    Notes
    -----
    Quantiles are interpolated linearly between the two nearest scores, as NumPy does by default; the median of an even
    number of scores is the middle of the two in the centre, where torch takes the lower one.

    References
    ----------
    .. [1] R. J. Hyndman, Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician, 1996: type 7.
    """

    class Result(NamedTuple):
        mean: Tensor
        std: Tensor
        min: Tensor
        max: Tensor
        median: Tensor
        q25: Tensor
        q75: Tensor
        q95: Tensor
        q99: Tensor
    def __init__(self, *, compute_on_cpu: Any = ..., dist_sync_on_step: Any = ..., process_group: Any = ..., dist_sync_fn: Any = ..., distributed_available_fn: Any = ..., sync_on_compute: Any = ..., compute_with_cache: Any = ...) -> None: ...
    def update(self, scores: Tensor) -> None: ...
    def forward(self, scores: Tensor) -> Result: ...
    def __call__(self, scores: Tensor) -> Result: ...
    def compute(self) -> Result: ...


class ComponentOrthogonalityMetric(Metric):
    r"""How far components are from orthonormal.

    .. math:: \|G - I\|_F, \quad \operatorname{mean}_{i \ne j} |G_{ij}|, \quad \operatorname{mean} |G - I|, \quad
        \operatorname{mean} G_{ii}, \quad \operatorname{std} G_{ii}, \quad G = W W^\top

    A class form of `anomaly_kernels.component_orthogonality`, which says what the arrays are.

    The mean over batches.

    References
    ----------
    .. [1] A. Brock et al., "Neural Photo Editing with Introspective Adversarial Networks", ICLR, 2017, section 3.3.
    """

    class Result(NamedTuple):
        orthogonality_error: Tensor
        avg_off_diagonal: Tensor
        avg_deviation: Tensor
        diagonal_mean: Tensor
        diagonal_std: Tensor
    def __init__(self, *, compute_on_cpu: Any = ..., dist_sync_on_step: Any = ..., process_group: Any = ..., dist_sync_fn: Any = ..., distributed_available_fn: Any = ..., sync_on_compute: Any = ..., compute_with_cache: Any = ...) -> None: ...
    def update(self, components: Tensor) -> None: ...
    def forward(self, components: Tensor) -> Result: ...
    def __call__(self, components: Tensor) -> Result: ...
    def compute(self) -> Result: ...


class SelectorEntropyMetric(Metric):
    r"""Entropy of selection weights: log C where C channels are selected evenly, 0 where one is.

    .. math:: H = -\sum_i p_i \log(p_i + \epsilon), \quad p_i = \frac{w_i}{\sum_j w_j + \epsilon}

    A class form of `anomaly_kernels.selector_entropy`, which says what the arrays are.

    The mean over batches.

    Parameters
    ----------
    eps : number or 0-d array, at least 0
        ε; 0 gives the exact entropy, with 0 log 0 = 0.

    Notes
    -----
    With the default ε the entropy of 1000 even weights is 6.906756; exactly it is 6.907755.

    References
    ----------
    .. [1] C. E. Shannon, "A Mathematical Theory of Communication", Bell System Technical Journal, 1948.
    """

    def __init__(self, *, eps: Setting = 1e-06, compute_on_cpu: Any = ..., dist_sync_on_step: Any = ..., process_group: Any = ..., dist_sync_fn: Any = ..., distributed_available_fn: Any = ..., sync_on_compute: Any = ..., compute_with_cache: Any = ...) -> None: ...
    def update(self, weights: Tensor) -> None: ...
    def forward(self, weights: Tensor) -> Tensor: ...
    def __call__(self, weights: Tensor) -> Tensor: ...
    def compute(self) -> Tensor: ...


class SelectorDiversityMetric(Metric):
    r"""Variance and Gini coefficient of selection weights: how unevenly channels are selected.

    .. math:: \operatorname{mean}\left((w_i - \bar w)^2\right), \quad
        \frac{\sum_i (2 i - n - 1) w_{(i)}}{n \sum_i w_i}

    A class form of `anomaly_kernels.selector_diversity`, which says what the arrays are.

    The mean over batches.

    References
    ----------
    .. [1] C. Gini, "Variabilità e mutabilità", Bologna, 1912.
    """

    class Result(NamedTuple):
        weight_variance: Tensor
        gini_coefficient: Tensor
    def __init__(self, *, compute_on_cpu: Any = ..., dist_sync_on_step: Any = ..., process_group: Any = ..., dist_sync_fn: Any = ..., distributed_available_fn: Any = ..., sync_on_compute: Any = ..., compute_with_cache: Any = ...) -> None: ...
    def update(self, weights: Tensor) -> None: ...
    def forward(self, weights: Tensor) -> Result: ...
    def __call__(self, weights: Tensor) -> Result: ...
    def compute(self) -> Result: ...
