"""The losses as torch.nn modules, the metrics as torchmetrics (which is loaded only where one is asked for)."""

from typing import TYPE_CHECKING, Any

from anomaly_kernels._core.extras import need

need("torch", __name__)

from anomaly_kernels._catalogue import CATALOGUE
from anomaly_kernels.torch import deep_losses, embedding_losses, losses, mask_losses
from anomaly_kernels.torch._svdd import init_center
from anomaly_kernels.torch.deep_losses import *  # noqa: F403
from anomaly_kernels.torch.embedding_losses import *  # noqa: F403
from anomaly_kernels.torch.losses import *  # noqa: F403
from anomaly_kernels.torch.mask_losses import *  # noqa: F403
from anomaly_kernels.torch.networks import LSTMAutoencoderAnomaly, SequenceAnomalyScoreLayer
from anomaly_kernels.torch.objective import Objective

if TYPE_CHECKING:
    from anomaly_kernels.torch.metrics import *  # noqa: F403
    from anomaly_kernels.torch.regions import *  # noqa: F403
    from anomaly_kernels.torch.series import *  # noqa: F403

_METRICS = [entry.cls for entry in CATALOGUE if entry.cls and entry.torch == "Metric"]

__all__ = ["LSTMAutoencoderAnomaly", "Objective", "SequenceAnomalyScoreLayer", "init_center"]
__all__ += losses.__all__ + deep_losses.__all__ + embedding_losses.__all__ + mask_losses.__all__
__all__ += _METRICS  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _METRICS:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    need("torchmetrics", name)
    from anomaly_kernels.torch import metrics, regions, series

    home = next(module for module in (metrics, regions, series) if hasattr(module, name))
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
