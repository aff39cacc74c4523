"""An LSTM autoencoder in torch learns ordinary heartbeats, and reconstructs a ventricular one badly."""

from os import PathLike

import torch
from rich.progress import track
from series import judge, read

import anomaly_kernels.torch as akt


def train(windows: torch.Tensor, seed: int = 0, epochs: int = 30) -> akt.LSTMAutoencoderAnomaly:
    """Fit to windows, (N, T, 1)."""
    torch.manual_seed(seed)
    model = akt.LSTMAutoencoderAnomaly(n_features=1, latent_dim=64, lstm_units=64, activation="linear")
    loss = akt.MSEReconstructionLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in track(range(epochs), "training"):
        for batch in torch.randperm(len(windows)).split(32):
            optimizer.zero_grad()
            loss(model(windows[batch]), windows[batch]).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        schedule.step()
    return model.eval()


def main(picture: str | PathLike[str] = "ecg.svg") -> dict[str, float]:
    """Train on the normal part, reconstruct everything, and say what was found."""
    series = read()
    windows = torch.tensor(series.windows)
    model = train(windows[: series.n_train])
    with torch.no_grad():
        return judge(series, model(windows).numpy(), picture)


if __name__ == "__main__":
    for name, value in main().items():
        print(f"{name:40} {value:.4f}")
