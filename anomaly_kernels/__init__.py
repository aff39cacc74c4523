"""Anomaly-detection losses and metrics as pure functions, with the same numbers from every array library."""

from anomaly_kernels import losses, metrics, networks
from anomaly_kernels._core.files import FileError
from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels._core.tape.gradient import value_and_grad
from anomaly_kernels.losses import *  # noqa: F403  # __all__ of each package is its catalogue: nothing is listed twice
from anomaly_kernels.losses.distances import MahalanobisParams
from anomaly_kernels.losses.mixture import GMMParams
from anomaly_kernels.metrics import *  # noqa: F403
from anomaly_kernels.networks import *  # noqa: F403
from anomaly_kernels.objective import Node, Objective, ObjectiveError

__version__ = "0.2.0"

# ruff: noqa: PLE0604  # it cannot see through the stars
__all__ = [
    "FileError",
    "GMMParams",
    "MahalanobisParams",
    "Node",
    "Objective",
    "ObjectiveError",
    "array_namespace",
    "value_and_grad",
    *losses.__all__,
    *metrics.__all__,
    *networks.__all__,
]

for _name in __all__:  # keep TensorFlow's autograph from rewriting them: it takes seconds, and none branches on data
    globals()[_name].autograph_info__ = {}
