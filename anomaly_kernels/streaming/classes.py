"""The state of embeddings of classes that gives their means and shared covariance."""

from __future__ import annotations

from typing import NamedTuple

from anomaly_kernels._core.checks import (
    NOT_NEGATIVE,
    UNIT,
    has_ndim,
    inputs,
    matches,
    number,
    positive,
    shape_of,
    shown,
)
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.numeric import ratio
from anomaly_kernels._core.typing import Array, Namespace, Setting
from anomaly_kernels.losses.distances import MahalanobisParams, class_means, class_moments, params_of
from anomaly_kernels.metrics.ranking.unique_scores import check_same_kind
from anomaly_kernels.streaming._states import Reduce


class ClassMoments(NamedTuple):
    """How many embeddings each class has, (K,), their means (K, D), and the scatter around these, (D, D).

    In double precision where the library has it. Two states merge by the formula of Chan, Golub and LeVeque.
    """

    number: Array
    mean: Array
    scatter: Array

    @classmethod
    def empty(cls, like: Array, n_classes: int = 1) -> ClassMoments:
        """The state of nothing, for embeddings as wide as the array, in its library and on its device."""
        xp, _ = inputs(like=like)
        has_ndim("like", like, 1, "(..., D)", most=-1)
        k, d, wide = positive("n_classes", n_classes), like.shape[-1], xp.wide(like)
        zeros = (xp.constant(x, like=like, dtype=wide) for x in ([0.0] * k, [[0.0] * d] * k, [[0.0] * d] * d))
        return cls(*zeros)

    def of(self, embeddings: Array, label: Array | None = None) -> ClassMoments:
        """The state of one batch; the arrays are those of `mahalanobis_fit`."""
        xp = array_namespace(embeddings)
        wide = xp.astype(embeddings, xp.wide(embeddings))
        return ClassMoments(*class_moments(wide, label, self.number.shape[0])[:3])

    def merge(self, other: ClassMoments) -> ClassMoments:
        """The state of both parts."""
        check_same_kind(self, other)
        if not matches(shape_of(self.mean), shape_of(other.mean)):
            shapes = f"{shown(shape_of(self.mean))} and {shown(shape_of(other.mean))}"
            raise ValueError(f"states of as many classes and dimensions can be merged, (K, D), got {shapes}")
        xp = array_namespace(self.mean, other.mean)
        count = self.number + other.number
        share = ratio(xp, other.number, count)
        apart = other.mean - self.mean
        mean = self.mean + xp.expand_dims(share, axis=1) * apart
        return ClassMoments(count, mean, self.scatter + other.scatter + _gram(xp, share * self.number, apart))

    def reduce(self, total: Reduce, least: Reduce, greatest: Reduce) -> ClassMoments:
        """Combine the states of all devices, each of which calls this: the arguments reduce an array over them."""
        xp = array_namespace(self.mean)
        count = total(self.number)
        mean = total(xp.expand_dims(ratio(xp, self.number, count), axis=1) * self.mean)
        return ClassMoments(count, mean, total(self.scatter + _gram(xp, self.number, self.mean - mean)))

    def compute(self, *, shrinkage: Setting = 0.0, eps: Setting = 1e-6) -> MahalanobisParams:
        """What `mahalanobis_fit` returns, with its settings; NaN of nothing."""
        xp, dtype = array_namespace(self.mean), self.mean.dtype
        a = number("shrinkage", shrinkage, xp, dtype, UNIT)
        e = number("eps", eps, xp, dtype, NOT_NEGATIVE)
        mean = class_means(xp, self.number, self.mean)
        return params_of(xp, mean, self.scatter / xp.sum(self.number), a, e)


def _gram(xp: Namespace, weight: Array, rows: Array) -> Array:
    """Σ weight · row rowᵀ."""
    return xp.matmul(xp.matrix_transpose(xp.expand_dims(weight, axis=1) * rows), rows)
