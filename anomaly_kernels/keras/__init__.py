"""The losses and metrics for Keras 3, on TensorFlow, torch and JAX alike."""

from anomaly_kernels._core.extras import need

need("keras", __name__, "tensorflow", "torch", "jax")  # on one of which Keras runs

from anomaly_kernels.keras.deep_losses import CRPSEnsembleLoss as CRPSEnsembleLoss
from anomaly_kernels.keras.deep_losses import CRPSGaussianLoss as CRPSGaussianLoss
from anomaly_kernels.keras.deep_losses import DeepSADLoss as DeepSADLoss
from anomaly_kernels.keras.deep_losses import DeviationLoss as DeviationLoss
from anomaly_kernels.keras.deep_losses import EnergyBoundedLoss as EnergyBoundedLoss
from anomaly_kernels.keras.deep_losses import GaussianNLLLoss as GaussianNLLLoss
from anomaly_kernels.keras.deep_losses import HypersphereClassifierLoss as HypersphereClassifierLoss
from anomaly_kernels.keras.deep_losses import IntervalScoreLoss as IntervalScoreLoss
from anomaly_kernels.keras.deep_losses import OutlierExposureLoss as OutlierExposureLoss
from anomaly_kernels.keras.embedding_losses import MMDLoss as MMDLoss
from anomaly_kernels.keras.embedding_losses import SupConLoss as SupConLoss
from anomaly_kernels.keras.embedding_losses import TripletMarginLoss as TripletMarginLoss
from anomaly_kernels.keras.losses import AdaptiveQuantileLoss as AdaptiveQuantileLoss
from anomaly_kernels.keras.losses import AdversarialAELoss as AdversarialAELoss
from anomaly_kernels.keras.losses import AEGMMLoss as AEGMMLoss
from anomaly_kernels.keras.losses import AnomalyBCEWithLogits as AnomalyBCEWithLogits
from anomaly_kernels.keras.losses import AnomalyLoss as AnomalyLoss
from anomaly_kernels.keras.losses import AnomalyRegularizer as AnomalyRegularizer
from anomaly_kernels.keras.losses import DeepSVDDLoss as DeepSVDDLoss
from anomaly_kernels.keras.losses import DeepSVDDSoftBoundaryLoss as DeepSVDDSoftBoundaryLoss
from anomaly_kernels.keras.losses import DistillationLoss as DistillationLoss
from anomaly_kernels.keras.losses import DistinctnessLoss as DistinctnessLoss
from anomaly_kernels.keras.losses import ELBOLoss as ELBOLoss
from anomaly_kernels.keras.losses import GaussianKLLoss as GaussianKLLoss
from anomaly_kernels.keras.losses import IoULoss as IoULoss
from anomaly_kernels.keras.losses import KLDivergenceLoss as KLDivergenceLoss
from anomaly_kernels.keras.losses import MSEReconstructionLoss as MSEReconstructionLoss
from anomaly_kernels.keras.losses import MultiObjectiveLoss as MultiObjectiveLoss
from anomaly_kernels.keras.losses import OrthogonalityLoss as OrthogonalityLoss
from anomaly_kernels.keras.losses import PredictionErrorAnomalyScore as PredictionErrorAnomalyScore
from anomaly_kernels.keras.losses import SelectorDiversityRegularizer as SelectorDiversityRegularizer
from anomaly_kernels.keras.losses import SelectorEntropyRegularizer as SelectorEntropyRegularizer
from anomaly_kernels.keras.losses import VAEGMMLoss as VAEGMMLoss
from anomaly_kernels.keras.mask_losses import CosineDistanceLoss as CosineDistanceLoss
from anomaly_kernels.keras.mask_losses import DiceLoss as DiceLoss
from anomaly_kernels.keras.mask_losses import FocalLossWithLogits as FocalLossWithLogits
from anomaly_kernels.keras.mask_losses import HardFeatureLoss as HardFeatureLoss
from anomaly_kernels.keras.mask_losses import LovaszHingeLoss as LovaszHingeLoss
from anomaly_kernels.keras.mask_losses import SSIMLoss as SSIMLoss
from anomaly_kernels.keras.mask_losses import TverskyLoss as TverskyLoss
from anomaly_kernels.keras.metrics import AnomalyDetectionMetrics as AnomalyDetectionMetrics
from anomaly_kernels.keras.metrics import AnomalyPixelStatisticsMetric as AnomalyPixelStatisticsMetric
from anomaly_kernels.keras.metrics import AUPRTrapezoidMetric as AUPRTrapezoidMetric
from anomaly_kernels.keras.metrics import AveragePrecisionMetric as AveragePrecisionMetric
from anomaly_kernels.keras.metrics import BestF1Metric as BestF1Metric
from anomaly_kernels.keras.metrics import ComponentOrthogonalityMetric as ComponentOrthogonalityMetric
from anomaly_kernels.keras.metrics import ExplainedVarianceMetric as ExplainedVarianceMetric
from anomaly_kernels.keras.metrics import FPRAtTPRMetric as FPRAtTPRMetric
from anomaly_kernels.keras.metrics import PrecisionAtKMetric as PrecisionAtKMetric
from anomaly_kernels.keras.metrics import ROCAUCMetric as ROCAUCMetric
from anomaly_kernels.keras.metrics import ScoreStatisticsMetric as ScoreStatisticsMetric
from anomaly_kernels.keras.metrics import SelectorDiversityMetric as SelectorDiversityMetric
from anomaly_kernels.keras.metrics import SelectorEntropyMetric as SelectorEntropyMetric
from anomaly_kernels.keras.metrics import ThresholdAtPrecisionMetric as ThresholdAtPrecisionMetric
from anomaly_kernels.keras.metrics import ThresholdAtRecallMetric as ThresholdAtRecallMetric
from anomaly_kernels.keras.networks import LSTMAutoencoderAnomaly as LSTMAutoencoderAnomaly
from anomaly_kernels.keras.networks import SequenceAnomalyScoreLayer as SequenceAnomalyScoreLayer
from anomaly_kernels.keras.objective import Objective as Objective
from anomaly_kernels.keras.regions import AUPIMOMetric as AUPIMOMetric
from anomaly_kernels.keras.regions import AUPROMetric as AUPROMetric
from anomaly_kernels.keras.regions import PerRegionOverlapMetric as PerRegionOverlapMetric
from anomaly_kernels.keras.regions import RegionDetectionMetric as RegionDetectionMetric
from anomaly_kernels.keras.series import AffiliationF1Metric as AffiliationF1Metric
from anomaly_kernels.keras.series import BestCompositeF1Metric as BestCompositeF1Metric
from anomaly_kernels.keras.series import BestEventF1Metric as BestEventF1Metric
from anomaly_kernels.keras.series import BestPointAdjustedF1Metric as BestPointAdjustedF1Metric
from anomaly_kernels.keras.series import CompositeF1Metric as CompositeF1Metric
from anomaly_kernels.keras.series import DetectionDelayMetric as DetectionDelayMetric
from anomaly_kernels.keras.series import EventF1Metric as EventF1Metric
from anomaly_kernels.keras.series import PointAdjustedF1AreaMetric as PointAdjustedF1AreaMetric
from anomaly_kernels.keras.series import PointAdjustedF1Metric as PointAdjustedF1Metric
from anomaly_kernels.keras.series import RangeAUCMetric as RangeAUCMetric
from anomaly_kernels.keras.series import RangeBasedF1Metric as RangeBasedF1Metric
from anomaly_kernels.keras.series import UCRScoreMetric as UCRScoreMetric
from anomaly_kernels.keras.series import VUSMetric as VUSMetric

__all__ = [name for name in globals() if name[0].isupper()]  # `as` tells type checkers the same


def __dir__() -> list[str]:
    return sorted(__all__)
