"""Real data small enough to travel with the package: rows of Statlog (Shuttle), and a few seconds of a heart's beats.

Statlog (Shuttle), UCI Machine Learning Repository, https://archive.ics.uci.edu/dataset/148/statlog+shuttle, licensed
under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/). The binary form is that of ODDS
(https://odds.cs.stonybrook.edu/shuttle-dataset/), as redistributed by the Python package ``river``; a random sample of
its rows is embedded here, otherwise unchanged.

MIT-BIH Arrhythmia Database, PhysioNet, https://physionet.org/content/mitdb/1.0.0/, licensed under ODC-By 1.0
(https://opendatacommons.org/licenses/by/1-0/), as redistributed by the Python package ``scipy``; an excerpt is embedded
here, otherwise unchanged. ``README.md`` beside this file holds the details.
"""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Electrocardiogram", "Shuttle", "load_ecg", "load_shuttle"]

_SHUTTLE = """\
Statlog (Shuttle), ODDS form: nine sensor readings from a NASA space shuttle, and whether they are anomalous.
Normal is the class "Rad Flow"; anomalous are the five rare classes; the second largest class, "High", is left out.
A seeded sample of 10 000 of the 49 097 rows.
Source: UCI Machine Learning Repository, https://archive.ics.uci.edu/dataset/148/statlog+shuttle, CC BY 4.0,
as redistributed by the Python package river."""

_ECG = """\
MIT-BIH Arrhythmia Database, record 208, lead MLII: 9.5 s of an electrocardiogram, from 20:37.5 on.
Fifteen ordinary beats, one premature ventricular contraction, and an ordinary beat. The ventricular one was marked
by eye, since the annotations of the database do not come with the source.
Source: PhysioNet, https://physionet.org/content/mitdb/1.0.0/, ODC-By 1.0, as redistributed by the Python package scipy.
Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. IEEE Eng in Med and Biol 20(3):45-50, 2001.
Goldberger AL et al. PhysioBank, PhysioToolkit, and PhysioNet. Circulation 101(23):e215-e220, 2000."""


class Shuttle(NamedTuple):
    """The embedded sample of Statlog (Shuttle), as :func:`load_shuttle` returns it."""

    features: npt.NDArray[np.float64]
    """(N, 9) readings. They are whole numbers; the source gives no units."""
    target: npt.NDArray[np.bool_]
    """(N,) True where the row is anomalous."""
    feature_names: tuple[str, ...]
    """The nine columns, named as in ``river``; the source numbers them too, and calls the first the time."""
    description: str
    """What the data are, where they come from and under which licence."""


def load_shuttle() -> Shuttle:
    """Load 10 000 rows of Statlog (Shuttle), of which 721 are anomalous.

    Nine sensor readings of a space shuttle. Rows of the class "Rad Flow" are normal, rows of the five rare classes
    anomalous. The rows are a seeded random sample, in the order of the source.

    Returns
    -------
    Shuttle
        ``features`` (10000, 9) float64, ``target`` (10000,) bool, ``feature_names`` and ``description``. The arrays
        are new at each call.

    References
    ----------
    Statlog (Shuttle), UCI Machine Learning Repository, https://archive.ics.uci.edu/dataset/148/statlog+shuttle,
    CC BY 4.0; binary form of ODDS, as redistributed by the Python package ``river``.

    Examples
    --------
    >>> from anomaly_kernels.data import load_shuttle
    >>> shuttle = load_shuttle()
    >>> shuttle.features.shape
    (10000, 9)
    >>> int(shuttle.target.sum())
    721
    """
    with files(__name__).joinpath("shuttle.npz").open("rb") as file, np.load(file) as arrays:
        features = arrays["features"].astype(np.float64, order="C")
        target = arrays["target"]
    names = tuple(f"f{i + 1}" for i in range(features.shape[1]))
    return Shuttle(features, target, names, _SHUTTLE)


class Electrocardiogram(NamedTuple):
    """The embedded excerpt of the MIT-BIH Arrhythmia Database, as :func:`load_ecg` returns it."""

    values: npt.NDArray[np.float64]
    """(T,) The voltage, in mV."""
    target: npt.NDArray[np.bool_]
    """(T,) True within the ventricular beat."""
    n_train: int
    """How many readings, from the first on, are there to learn from: ten ordinary beats."""
    sampling_rate: float
    """Readings per second."""
    description: str
    """What the data are, where they come from and under which licence."""


def load_ecg() -> Electrocardiogram:
    """Load 9.5 s of an electrocardiogram, in which one beat of 17 is anomalous.

    Fifteen ordinary beats, a premature ventricular contraction, and one more ordinary beat. The baseline wanders, as it
    does when electrodes move. The ventricular beat is no higher than the others. Only its form is anomalous.

    Returns
    -------
    Electrocardiogram
        ``values`` (3420,) float64 and ``target`` (3420,) bool, of which 130 are True; ``n_train``, ``sampling_rate``
        and ``description``. The arrays are new at each call.

    References
    ----------
    G. B. Moody, R. G. Mark, "The Impact of the MIT-BIH Arrhythmia Database", IEEE Engineering in Medicine and Biology
    20(3):45-50, 2001, record 208; PhysioNet, https://physionet.org/content/mitdb/1.0.0/, ODC-By 1.0, as redistributed
    by the Python package ``scipy``.

    Examples
    --------
    >>> from anomaly_kernels.data import load_ecg
    >>> ecg = load_ecg()
    >>> ecg.values.shape, ecg.n_train
    ((3420,), 1980)
    >>> int(ecg.target.sum())
    130
    """
    with files(__name__).joinpath("ecg.npz").open("rb") as file, np.load(file) as arrays:
        # the converter's zero and gain, as the header of the record has them
        values = (arrays["counts"].astype(np.float64) - 1024) / 200
        target = arrays["target"]
    return Electrocardiogram(values, target, 1980, 360.0, _ECG)


def __dir__() -> list[str]:
    return sorted(__all__)
