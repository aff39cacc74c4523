"""What a loss of your own is written with: the functions of arrays, the checks of arguments, the reductions.

They are those of this library's own kernels. `anomaly_kernels.testing.check_loss` says whether the result keeps the
contract that kernels keep.
"""

from anomaly_kernels._core.checks import Range, cast, choice, has_ndim, inputs, not_empty, number, same_shape
from anomaly_kernels._core.evaluate import Formula, reduce, weigh
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.numeric import logsumexp, ratio, root
from anomaly_kernels._core.spelling import with_hint
from anomaly_kernels._core.targets import check_mask, check_target
from anomaly_kernels._core.typing import Array, DType, Namespace, Reduction, Setting

__all__ = [
    "Array",
    "DType",
    "Formula",
    "Namespace",
    "Range",
    "Reduction",
    "Setting",
    "array_namespace",
    "cast",
    "check_mask",
    "check_target",
    "choice",
    "has_ndim",
    "inputs",
    "logsumexp",
    "not_empty",
    "number",
    "ratio",
    "reduce",
    "root",
    "same_shape",
    "weigh",
    "with_hint",
]


def __dir__() -> list[str]:
    return sorted(__all__)
