"""What the examples of a series share: its windows, a score for each step, what was found, and the picture of it."""

from os import PathLike
from typing import NamedTuple

import numpy as np

import anomaly_kernels as ak
from anomaly_kernels.data import load_ecg

LENGTH = 20  # steps of a window: half a second, in which there is one beat


class Series(NamedTuple):
    """The electrocardiogram at 40 steps a second, and its windows."""

    values: np.ndarray  # (T,) in mV
    target: np.ndarray  # (T,)
    windows: np.ndarray  # (N, LENGTH, 1), one beginning at each step: about 0, and of variance 1 where it is normal
    levels: np.ndarray  # (N, 1), what has been subtracted from them, since the baseline wanders
    scale: float
    n_train: int  # windows that lie in the normal part

    def curves(self, windows: np.ndarray) -> np.ndarray:
        """Windows in mV."""
        return windows[..., 0] * self.scale + self.levels


def read() -> Series:
    """Load, average nine readings to a step, and cut into windows."""
    ecg = load_ecg()
    values, target = ecg.values.reshape(-1, 9).mean(1), ecg.target.reshape(-1, 9).any(1)
    windows = np.lib.stride_tricks.sliding_window_view(values, LENGTH)
    levels = windows.mean(1, keepdims=True)
    n_train = ecg.n_train // 9 - LENGTH + 1
    scale = float((windows - levels)[:n_train].std())
    scaled = ((windows - levels) / scale).astype("float32")[..., None]
    return Series(values, target, scaled, levels, scale, n_train)


def of_steps(of_windows: np.ndarray) -> np.ndarray:
    """For each step the mean over the windows it lies in, of a number for each window or for each step of it."""
    rows = np.broadcast_to(of_windows.reshape(len(of_windows), -1), (len(of_windows), LENGTH))
    total, count = np.zeros((2, len(rows) + LENGTH - 1))
    for k in range(LENGTH):
        total[k : k + len(rows)] += rows[:, k]
        count[k : k + len(rows)] += 1
    return total / count


def judge(series: Series, reconstructed: np.ndarray, picture: str | PathLike[str]) -> dict[str, float]:
    """How well the errors of reconstruction tell the anomaly; the picture is drawn to a file."""
    score = of_steps(ak.reconstruction_error(series.windows, reconstructed))
    draw(series, of_steps(series.curves(reconstructed)), score, picture)
    far = np.convolve(series.target, np.ones(2 * LENGTH + 1), "same") == 0  # no window there sees the anomaly
    variance = of_steps(series.windows.var(axis=1))  # what could be said without any training
    return {
        "highest score is in the anomaly": float(series.target[score.argmax()]),
        "AUROC": float(ak.roc_auc(series.target, score)),
        "AUROC of the variance": float(ak.roc_auc(series.target, variance)),
        "highest normal score, of the highest": float(score[far].max() / score.max()),
        "the same of the variance": float(variance[far].max() / variance.max()),
        "error of what was learnt from": float(score[: series.n_train].mean()),
        "spread of the reconstructions": float(reconstructed[: series.n_train].std(axis=0).mean()),
    }


def draw(series: Series, reconstruction: np.ndarray, score: np.ndarray, picture: str | PathLike[str]) -> None:
    """Save the series, its reconstruction and the score as a picture, in the format of the file's suffix."""
    from matplotlib.figure import Figure

    seconds = np.arange(len(score)) / 40
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    above.plot(seconds, series.values, color="#444444", lw=1, label="series")
    above.plot(seconds, reconstruction, color="#4477aa", lw=1, label="reconstruction")
    below.plot(seconds, score, color="#ee6677", lw=1, label="score")
    beat = np.flatnonzero(series.target)[[0, -1]] / 40
    for panel, unit in ((above, "mV"), (below, "mean squared error")):
        panel.axvspan(*beat, color="#ee6677", alpha=0.2, lw=0, label="anomaly" if panel is above else None)
        panel.axvline((series.n_train + LENGTH - 1) / 40, color="#444444", lw=1, ls=":")
        panel.set_ylabel(unit)
        panel.margins(x=0)
        panel.legend(loc="upper left")
    above.set_title("learnt from what is left of the dotted line", loc="left", fontsize="medium")
    below.set_xlabel("s")
    figure.savefig(picture)
