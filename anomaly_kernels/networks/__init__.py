"""Forward passes of two networks as pure functions; the parameters are dicts of arrays, in Keras' layout."""

from anomaly_kernels.networks.lstm import lstm_autoencoder
from anomaly_kernels.networks.score_head import sequence_anomaly_score

__all__ = ["lstm_autoencoder", "sequence_anomaly_score"]


def __dir__() -> list[str]:
    return sorted(__all__)
