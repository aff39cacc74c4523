"""Drivers, one a library: make an array, read it back, differentiate, compile and vectorise a function.

Functions handed to a driver take one dict of arrays by name and return an array or a tree of arrays, so that no driver
needs to know about argument positions. `Driver` itself speaks NumPy; the others override what differs. A library is
imported when its driver is made, never before.
"""

from __future__ import annotations

from functools import cache

from anomaly_kernels.testing.drivers.driver import ArrayAPIStrict, CuPy, Dask, Driver
from anomaly_kernels.testing.drivers.jax import Jax
from anomaly_kernels.testing.drivers.tensorflow import TensorFlow
from anomaly_kernels.testing.drivers.torch import Torch

__all__ = ["DRIVERS", "Driver", "driver_for", "installed_libraries"]

DRIVERS: dict[str, type[Driver]] = {
    kind.name: kind for kind in (Driver, ArrayAPIStrict, Dask, Torch, Jax, TensorFlow, CuPy)
}


@cache
def driver_for(name: str) -> Driver:
    """Make the driver of a library, by name; the same one each time.

    Parameters
    ----------
    name : str
        A key of `DRIVERS`.

    Returns
    -------
    Driver
        Making it imports the library.

    Raises
    ------
    ValueError
        If there is no driver of that name.

    Examples
    --------
    >>> numpy = driver_for("numpy")
    >>> numpy.value_and_grad(lambda arrays: arrays["x"], {}, [])
    Traceback (most recent call last):
    NotImplementedError: numpy has no automatic differentiation
    """
    if name not in DRIVERS:
        raise ValueError(f"`name` must be one of {', '.join(DRIVERS)}, got {name!r}")
    return DRIVERS[name]()


def installed_libraries() -> list[str]:
    """Names of the libraries that can be imported here; nothing is imported to find out.

    Returns
    -------
    list of str
        Keys of `DRIVERS`.

    Examples
    --------
    >>> "numpy" in installed_libraries()
    True
    """
    return [name for name, kind in DRIVERS.items() if kind.installed()]
