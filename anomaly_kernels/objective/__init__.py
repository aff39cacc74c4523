"""Several losses as one, and the metrics beside them: named, and wired by name to the arrays they are computed of."""

from anomaly_kernels.objective._errors import ObjectiveError
from anomaly_kernels.objective._node import Node
from anomaly_kernels.objective._objective import Objective

__all__ = ["Node", "Objective", "ObjectiveError"]
