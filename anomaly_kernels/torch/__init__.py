"""The losses as torch.nn modules, the metrics as torchmetrics (which is loaded only where one is asked for)."""

from typing import TYPE_CHECKING, Any

from anomaly_kernels.torch._svdd import init_center
from anomaly_kernels.torch.losses import (
    AdaptiveQuantileLoss,
    AdversarialAELoss,
    AEGMMLoss,
    AnomalyBCEWithLogits,
    AnomalyLoss,
    DeepSVDDLoss,
    DeepSVDDSoftBoundaryLoss,
    DistillationLoss,
    DistinctnessLoss,
    ELBOLoss,
    GaussianKLLoss,
    IoULoss,
    KLDivergenceLoss,
    MSEReconstructionLoss,
    MultiObjectiveLoss,
    OrthogonalityLoss,
    PredictionErrorAnomalyScore,
    SelectorDiversityRegularizer,
    SelectorEntropyRegularizer,
    VAEGMMLoss,
)
from anomaly_kernels.torch.networks import LSTMAutoencoderAnomaly, SequenceAnomalyScoreLayer
from anomaly_kernels.torch.objective import Objective

if TYPE_CHECKING:
    from anomaly_kernels.torch.metrics import (
        AnomalyDetectionMetrics,
        AnomalyPixelStatisticsMetric,
        ComponentOrthogonalityMetric,
        ExplainedVarianceMetric,
        ScoreStatisticsMetric,
        SelectorDiversityMetric,
        SelectorEntropyMetric,
    )

__all__ = [
    "AEGMMLoss",
    "AdaptiveQuantileLoss",
    "AdversarialAELoss",
    "AnomalyBCEWithLogits",
    "AnomalyDetectionMetrics",
    "AnomalyLoss",
    "AnomalyPixelStatisticsMetric",
    "ComponentOrthogonalityMetric",
    "DeepSVDDLoss",
    "DeepSVDDSoftBoundaryLoss",
    "DistillationLoss",
    "DistinctnessLoss",
    "ELBOLoss",
    "ExplainedVarianceMetric",
    "GaussianKLLoss",
    "IoULoss",
    "KLDivergenceLoss",
    "LSTMAutoencoderAnomaly",
    "MSEReconstructionLoss",
    "MultiObjectiveLoss",
    "Objective",
    "OrthogonalityLoss",
    "PredictionErrorAnomalyScore",
    "ScoreStatisticsMetric",
    "SelectorDiversityMetric",
    "SelectorDiversityRegularizer",
    "SelectorEntropyMetric",
    "SelectorEntropyRegularizer",
    "SequenceAnomalyScoreLayer",
    "VAEGMMLoss",
    "init_center",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    try:
        from anomaly_kernels.torch import metrics
    except ModuleNotFoundError as error:
        if error.name != "torchmetrics":
            raise
        raise ImportError(f"`{name}` needs torchmetrics: pip install 'anomaly-kernels[torchmetrics]'") from error
    return getattr(metrics, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
