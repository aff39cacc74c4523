"""A real data set small enough to travel with the package: 10 000 rows of Statlog (Shuttle).

Source: Statlog (Shuttle), UCI Machine Learning Repository, https://archive.ics.uci.edu/dataset/148/statlog+shuttle,
licensed under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/). The binary form is that of ODDS
(https://odds.cs.stonybrook.edu/shuttle-dataset/), as redistributed by the Python package ``river``; a random sample of
its rows is embedded here, otherwise unchanged. ``README.md`` beside this file holds the details.
"""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Shuttle", "load_shuttle"]

_DESCRIPTION = """\
Statlog (Shuttle), ODDS form: nine sensor readings from a NASA space shuttle, and whether they are anomalous.
Normal is the class "Rad Flow"; anomalous are the five rare classes; the second largest class, "High", is left out.
A seeded sample of 10 000 of the 49 097 rows.
Source: UCI Machine Learning Repository, https://archive.ics.uci.edu/dataset/148/statlog+shuttle, CC BY 4.0,
as redistributed by the Python package river."""


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
    return Shuttle(features, target, names, _DESCRIPTION)
