"""Losses of masks, images and features for Keras: truth first."""

from __future__ import annotations

from typing import Literal, SupportsIndex, Unpack

import keras

from anomaly_kernels._core.targets import check_nonzero
from anomaly_kernels.keras._base import PACKAGE, Axes, Loss, LossOptions, Setting, Tensor, looked_at, match_ranks
from anomaly_kernels.losses import features, images, lovasz, overlap, pixels
from anomaly_kernels.losses.overlap import NormalizeMethod


@keras.saving.register_keras_serializable(PACKAGE)
class FocalLossWithLogits(Loss):
    r"""Focal loss: cross entropy of logits in which pixels that are already right count little.

    The loss of `anomaly_kernels.focal_loss_with_logits`, which has the formula.

    Parameters
    ----------
    alpha : number or 0-d array in [0, 1], optional
        Weight α of anomalies. Normal pixels have the weight 1 - α. None: both are 1.
    gamma : number or 0-d array, at least 0
        Exponent γ. With 0 it is the cross entropy, weighed by α.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> round(float(FocalLossWithLogits()(np.asarray([1.0, 1.0]), np.asarray([4.0, -4.0]))), 4)
    0.4844
    """

    kernel = staticmethod(pixels.focal_loss_with_logits)

    def __init__(
        self,
        *,
        alpha: Setting | None = 0.25,
        gamma: Setting = 2.0,
        weight: Setting = 1.0,
        **options: Unpack[LossOptions],
    ) -> None:
        super().__init__(alpha=alpha, gamma=gamma, weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each element of a mask and logits of one shape."""
        return self._value(match_ranks(looked_at(y_true), y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class DiceLoss(Loss):
    r"""One minus the Dice coefficient (F1 score) of a soft mask and the true one.

    The loss of `anomaly_kernels.dice_loss`, which has the formula.

    Parameters
    ----------
    normalize_method : {"sigmoid", "clamp", "minmax"}
        q = sigmoid(score); or the score clipped to [0, 1]; or (score - min)/(max - min), 0.5 where all are equal.
    squared : bool
        Whether e is 2, as in V-Net, instead of 1.
    smooth : number or 0-d array, at least 0
        s, above and below. With 0 the loss of two empty masks is 0, its limit.
    axis : int or tuple of ints, optional
        The axes to pool sums (and minimum and maximum) over, all by default. With the axes of an image each image of a
        batch has its own loss.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> round(float(DiceLoss()(np.asarray([1.0, 0.0]), np.asarray([4.0, -4.0]))), 3)
    0.018
    """

    kernel = staticmethod(overlap.dice_loss)

    def __init__(
        self,
        *,
        normalize_method: NormalizeMethod = "sigmoid",
        squared: bool = False,
        smooth: Setting = 1e-06,
        axis: Axes | None = None,
        weight: Setting = 1.0,
        **options: Unpack[LossOptions],
    ) -> None:
        super().__init__(
            normalize_method=normalize_method, squared=squared, smooth=smooth, axis=axis, weight=weight, **options
        )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss, 0-d or along `axis`, of a mask and a score map of one shape."""
        return self._value(match_ranks(looked_at(y_true), y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class TverskyLoss(Loss):
    r"""One minus the Tversky index of a soft mask and the true one, with separate weights of false alarms and misses.

    The loss of `anomaly_kernels.tversky_loss`, which has the formula.

    Parameters
    ----------
    normalize_method : {"sigmoid", "clamp", "minmax"}
        q = sigmoid(score); or the score clipped to [0, 1]; or (score - min)/(max - min), 0.5 where all are equal.
    alpha : number or 0-d array, at least 0
        Weight α of false alarms F.
    beta : number or 0-d array, at least 0
        Weight β of misses M.
    gamma : number or 0-d array, above 0
        Exponent γ of the loss, that of the focal Tversky loss.
    smooth : number or 0-d array, at least 0
        s. With 0 the loss of two empty masks is 0, its limit.
    axis : int or tuple of ints, optional
        The axes to pool sums (and minimum and maximum) over, all by default. With the axes of an image each image of a
        batch has its own loss.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> round(float(TverskyLoss(alpha=0.3, beta=0.7)(np.asarray([1.0, 1.0]), np.asarray([4.0, -4.0]))), 4)
    0.4118
    """

    kernel = staticmethod(overlap.tversky_loss)

    def __init__(
        self,
        *,
        normalize_method: NormalizeMethod = "sigmoid",
        alpha: Setting = 0.5,
        beta: Setting = 0.5,
        gamma: Setting = 1.0,
        smooth: Setting = 1e-06,
        axis: Axes | None = None,
        weight: Setting = 1.0,
        **options: Unpack[LossOptions],
    ) -> None:
        super().__init__(
            normalize_method=normalize_method,
            alpha=alpha,
            beta=beta,
            gamma=gamma,
            smooth=smooth,
            axis=axis,
            weight=weight,
            **options,
        )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss, 0-d or along `axis`, of a mask and a score map of one shape."""
        return self._value(match_ranks(looked_at(y_true), y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class LovaszHingeLoss(Loss):
    r"""Lovász hinge: a hinge loss in which a pixel weighs what its error costs in intersection over union.

    The loss of `anomaly_kernels.lovasz_hinge_loss`, which has the formula.

    Parameters
    ----------
    axis : int or tuple of ints, optional
        The axes to pool over, all by default. With the axes of an image each image of a batch has its own loss.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> float(LovaszHingeLoss()(np.asarray([1, 0]), np.asarray([2.0, 0.5])))
    0.75
    """

    kernel = staticmethod(lovasz.lovasz_hinge_loss)

    def __init__(self, *, axis: Axes | None = None, weight: Setting = 1.0, **options: Unpack[LossOptions]) -> None:
        super().__init__(axis=axis, weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss, 0-d or along `axis`, of a mask and logits of one shape."""
        return self._value(match_ranks(looked_at(y_true, check_nonzero), y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class SSIMLoss(Loss):
    r"""One minus the structural similarity of images and their reconstructions.

    The loss of `anomaly_kernels.ssim_loss`, which has the formula.

    Parameters
    ----------
    data_range : number or 0-d array, above 0
        R, the difference of the largest and the smallest possible value of a pixel, usually 1 or 255.
    window : {"gaussian", "uniform"}
        How pixels of a window weigh in its means μ, variances σ² and covariance: by a Gaussian, or all alike.
    size : odd int
        Pixels along each side of a window, no more than an image has.
    sigma : number above 0
        Standard deviation of the Gaussian, in pixels.
    k1, k2 : number or 0-d array, above 0
        Constants that keep the quotients of dark and of flat windows defined.
    axis : int or tuple of ints
        The axes of an image: (-3, -2) with the channels last, three for volumes. None: all.
    border : {"valid", "symmetric"}
        ``"valid"``: only windows inside the image. ``"symmetric"``: one window around each pixel; the image is mirrored
        at its edges, and the edge pixel is repeated.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> round(float(SSIMLoss(1.0)(np.ones((1, 3, 16, 16)), np.zeros((1, 3, 16, 16)))), 4)
    0.9999
    """

    kernel = staticmethod(images.ssim_loss)

    def __init__(
        self,
        data_range: Setting,
        *,
        window: Literal["gaussian", "uniform"] = "gaussian",
        size: SupportsIndex = 11,
        sigma: float = 1.5,
        k1: Setting = 0.01,
        k2: Setting = 0.03,
        axis: Axes | None = (-2, -1),
        border: Literal["valid", "symmetric"] = "valid",
        weight: Setting = 1.0,
        **options: Unpack[LossOptions],
    ) -> None:
        super().__init__(
            data_range=data_range,
            window=window,
            size=size,
            sigma=sigma,
            k1=k1,
            k2=k2,
            axis=axis,
            border=border,
            weight=weight,
            **options,
        )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each window of images and reconstructions of one shape."""
        return self._value(match_ranks(y_true, y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class CosineDistanceLoss(Loss):
    r"""One minus the cosine of the angle between the features of a teacher and those of a student.

    The loss of `anomaly_kernels.cosine_distance_loss`, which has the formula.

    Parameters
    ----------
    axis : int or tuple of ints
        The axes of a vector; None for all. For maps with channels first, (B, C, H, W), 1 compares each position, as in
        the papers on student-teacher feature pyramid matching and on reverse distillation. (1, 2, 3) compares whole
        maps, as in the code of reverse distillation.
    eps : number or 0-d array, at least 0
        ε, the least length by which a vector is divided.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> float(CosineDistanceLoss()(np.ones((2, 4)), 3 * np.ones((2, 4))))
    0.0
    """

    kernel = staticmethod(features.cosine_distance_loss)

    def __init__(
        self, *, axis: Axes | None = -1, eps: Setting = 1e-06, weight: Setting = 1.0, **options: Unpack[LossOptions]
    ) -> None:
        super().__init__(axis=axis, eps=eps, weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each vector of features of the teacher and of the student, of one shape."""
        return self._value(match_ranks(y_true, y_pred), y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
class HardFeatureLoss(Loss):
    r"""Mean of the largest squared differences of a student's features from those of a teacher (EfficientAD).

    The loss of `anomaly_kernels.hard_feature_loss`, which has the formula.

    Parameters
    ----------
    quantile : number in [0, 1]
        q. With 0 it is the mean squared error, with 1 the largest squared difference.
    weight : number or 0-d array
        Factor w of the result.
    reduction, name, dtype
        Those of every `keras.losses.Loss`.

    Examples
    --------
    >>> float(HardFeatureLoss(quantile=0.5)(np.zeros(4), np.asarray([1.0, 2.0, 0.0, 3.0])))
    6.5
    """

    kernel = staticmethod(features.hard_feature_loss)

    def __init__(self, *, quantile: float = 0.999, weight: Setting = 1.0, **options: Unpack[LossOptions]) -> None:
        super().__init__(quantile=quantile, weight=weight, **options)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss, 0-d, of features of the teacher and of the student, of one shape."""
        return self._value(match_ranks(y_true, y_pred), y_pred)
