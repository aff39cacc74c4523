"""Several losses as one, and metrics beside them: each a node with a name, wired by name to its arrays."""

from anomaly_kernels.objective._errors import ObjectiveError
from anomaly_kernels.objective._node import Node
from anomaly_kernels.objective._objective import Objective

__all__ = ["Node", "Objective", "ObjectiveError"]
