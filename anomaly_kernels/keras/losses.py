"""The losses for Keras: losses of two arrays, regularizers of one, endpoint layers of more."""

from __future__ import annotations

from typing import Any

import keras

from anomaly_kernels.keras._base import EndpointLayer, Loss, Regularizer, Tensor, tensor_of
from anomaly_kernels.losses import (
    divergence,
    forecast,
    likelihood,
    mixture,
    one_class,
    overlap,
    reconstruction,
    selection,
)


class AnomalyLoss(Loss, kernel=reconstruction.mean_squared_anomaly):
    """The scores come first, or alone; a second argument is ignored. In `fit` use `AnomalyRegularizer` on an output."""

    def call(self, y_true: Tensor, y_pred: Tensor | None = None) -> Tensor:
        """Return the squared scores."""
        return super().call(y_true, y_pred)

    def __call__(self, y_true: Tensor, y_pred: Tensor | None = None, sample_weight: Tensor | None = None) -> Tensor:
        return super().__call__(y_true, y_pred, sample_weight)


class MSEReconstructionLoss(Loss, kernel=reconstruction.mse_reconstruction_loss): ...


class ELBOLoss(Loss, kernel=likelihood.elbo): ...


class GaussianKLLoss(Loss, kernel=likelihood.gaussian_kl): ...


class KLDivergenceLoss(Loss, kernel=divergence.kl_divergence): ...


class DistillationLoss(Loss, kernel=divergence.distillation_loss): ...


class AdversarialAELoss(Loss, kernel=divergence.adversarial_ae_loss): ...


class DeepSVDDLoss(Loss, kernel=one_class.deep_svdd_loss):
    alike = False


class AnomalyBCEWithLogits(Loss, kernel=overlap.anomaly_bce_with_logits): ...


class IoULoss(Loss, kernel=overlap.iou_loss): ...


class AdaptiveQuantileLoss(Loss, kernel=forecast.quantile_loss):
    alike = False


class AnomalyRegularizer(Regularizer, kernel=reconstruction.mean_squared_anomaly, without=("reduction",)): ...


class OrthogonalityLoss(Regularizer, kernel=selection.orthogonality_loss): ...


class DistinctnessLoss(Regularizer, kernel=selection.distinctness_loss): ...


class SelectorEntropyRegularizer(Regularizer, kernel=selection.selector_entropy_regularizer): ...


class SelectorDiversityRegularizer(Regularizer, kernel=selection.selector_diversity_regularizer): ...


class AEGMMLoss(EndpointLayer, kernel=mixture.aegmm_loss):
    def call(self, x_true: Tensor, x_pred: Tensor, z: Tensor, gamma: Tensor) -> Tensor:
        """Return the loss, and add it to the model's."""
        return self._added(x_true=x_true, x_pred=x_pred, z=z, gamma=gamma)


class VAEGMMLoss(EndpointLayer, kernel=mixture.vaegmm_loss):
    def call(self, x_true: Tensor, x_pred: Tensor, z: Tensor, gamma: Tensor) -> Tensor:
        """Return the loss, and add it to the model's."""
        return self._added(x_true=x_true, x_pred=x_pred, z=z, gamma=gamma)


class MultiObjectiveLoss(EndpointLayer, kernel=forecast.multi_objective_loss):
    """``MultiObjectiveLoss(quantile_loss_fn, anomaly_loss_fn)`` takes the settings of two losses, as in fusionlab."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        if arguments and isinstance(arguments[0], Loss):
            if len(arguments) > len(_LOSSES):
                raise TypeError(f"{type(self).__name__} takes {', '.join(_LOSSES)}, got {len(arguments)} arguments")
            given = dict(zip(_LOSSES, arguments, strict=False))
            settings, arguments = self._joined(given, settings), ()
        losses = {name: settings.pop(name) for name in _LOSSES if name in settings}
        super().__init__(*arguments, **self._joined(_settings_of(losses), settings))

    def _joined(self, one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        if twice := one.keys() & other.keys():
            raise TypeError(f"{type(self).__name__} is given `{min(twice)}` twice")
        return one | other

    def call(self, y_true: Tensor, y_pred: Tensor, anomaly_scores: Tensor | None = None) -> Tensor:
        """Return the loss, and add it to the model's."""
        return self._added(y_true=y_true, y_pred=y_pred, anomaly_scores=anomaly_scores)


_LOSSES = {"quantile_loss_fn": AdaptiveQuantileLoss, "anomaly_loss_fn": AnomalyLoss}


def _settings_of(losses: dict[str, Loss]) -> dict[str, Any]:
    """The settings of `MultiObjectiveLoss` that two losses have."""
    for name, loss in losses.items():
        if not isinstance(loss, _LOSSES[name]):
            raise TypeError(f"`{name}` must be of class {_LOSSES[name].__name__}, got {type(loss).__name__}")
        if loss.reduction in (None, "none", "sum"):
            raise ValueError(f"`{name}` must have reduction 'mean', got {loss.reduction!r}")
    found: dict[str, Any] = {}
    if "quantile_loss_fn" in losses:
        found["quantiles"] = losses["quantile_loss_fn"].quantiles
        if losses["quantile_loss_fn"].weight != 1:
            raise ValueError(f"`quantile_loss_fn` must have weight 1, got {losses['quantile_loss_fn'].weight}")
    if "anomaly_loss_fn" in losses:
        found["anomaly_weight"] = losses["anomaly_loss_fn"].weight
    return found


class DeepSVDDSoftBoundaryLoss(EndpointLayer, kernel=one_class.deep_svdd_soft_boundary_loss, held=("radius",)):
    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.r_unconstrained = self.add_weight(shape=(), initializer="zeros", name="r_unconstrained")

    @property
    def radius(self) -> Tensor:
        """The radius R, positive: `svdd_radius` of the weight `r_unconstrained`."""
        return one_class.svdd_radius(tensor_of(self.r_unconstrained))

    def init_radius(self, embeddings: Tensor, center: Tensor) -> Tensor:
        """Set the radius so that a fraction ν of these embeddings of normal data lies outside; return it."""
        radius = one_class.quantile_radius(tensor_of(embeddings), tensor_of(center), float(self.nu))
        self.r_unconstrained.assign(one_class.raw_radius(radius))
        return self.radius

    def call(self, embeddings: Tensor, center: Tensor) -> Tensor:
        """Return the loss, and add it to the model's."""
        return self._added(embeddings=embeddings, center=center)

    def _held(self) -> dict[str, Tensor]:
        return {"radius": self.radius}


class PredictionErrorAnomalyScore(EndpointLayer, kernel=reconstruction.prediction_error_score):
    def call(self, y_true: Tensor, y_pred: Tensor | None = None) -> Tensor:
        """Return the score of each sample, (B, 1), of two arrays or a list of two."""
        if y_pred is None:
            if not isinstance(y_true, list | tuple) or len(y_true) != 2:
                raise TypeError(f"{type(self).__name__} takes y_true, y_pred or a list of the two, got {y_true!r}")
            y_true, y_pred = y_true
        score = self._value({"y_true": y_true, "y_pred": y_pred}, self.variable_dtype)
        return keras.ops.cast(keras.ops.expand_dims(score, -1), self.variable_dtype)

    def compute_output_shape(self, y_true_shape: Any, y_pred_shape: Any = None) -> tuple[int | None, int]:
        """Return the shape of the scores, from those of `call`'s arguments."""
        return ((y_true_shape[0] if y_pred_shape is None else y_true_shape)[0], 1)
