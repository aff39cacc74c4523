"""Pictures with matplotlib: scores by class, curves, losses with their slopes, series with alarms, maps with regions.

Each function draws into the axes that it is given as `ax`, or into a new figure, and returns these axes. Arrays of any
library are taken, on any device.
"""

from anomaly_kernels._core.extras import need

need("matplotlib", __name__, extra="plots")

from anomaly_kernels.plots.curves import plot_curve
from anomaly_kernels.plots.losses import plot_loss
from anomaly_kernels.plots.regions import plot_regions
from anomaly_kernels.plots.scores import plot_scores
from anomaly_kernels.plots.series import plot_series

__all__ = ["plot_curve", "plot_loss", "plot_regions", "plot_scores", "plot_series"]


def __dir__() -> list[str]:
    return sorted(__all__)
