"""An LSTM autoencoder in Keras learns ordinary heartbeats, and reconstructs a ventricular one badly."""

from os import PathLike

import keras
import numpy as np
from series import judge, read

import anomaly_kernels.keras as akk


def train(windows: np.ndarray, seed: int = 0, epochs: int = 30) -> keras.Model:
    """Fit to windows, (N, T, 1)."""
    keras.utils.set_random_seed(seed)
    model = akk.LSTMAutoencoderAnomaly(latent_dim=64, lstm_units=64, activation="linear")
    steps = epochs * -(-len(windows) // 32)
    rate = keras.optimizers.schedules.CosineDecay(1e-2, steps)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), akk.MSEReconstructionLoss())
    model.fit(windows, windows, batch_size=32, epochs=epochs)
    return model


def main(picture: str | PathLike[str] = "ecg.svg") -> dict[str, float]:
    """Train on the normal part, reconstruct everything, and say what was found."""
    series = read()
    model = train(series.windows[: series.n_train])
    return judge(series, model.predict(series.windows, batch_size=512, verbose=0), picture)


if __name__ == "__main__":
    for name, value in main().items():
        print(f"{name:40} {value:.4f}")
