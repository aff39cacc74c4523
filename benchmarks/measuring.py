"""Everything that is measured of one library, in a process of its own."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from anomaly_kernels.testing.drivers import driver_for
from benchmarks import networks, overhead, sums
from benchmarks.cases import CASES, MIXTURES, Case, arrays_of
from benchmarks.libraries import module_of, native, ways
from benchmarks.memory import peak
from benchmarks.timing import compared


class Sizes(NamedTuple):
    """How many elements, and how long."""

    small: int = 32 * 10 * 8
    large: int = 2**22
    mixture: int = 2**17
    memory: int = 2**24
    mixture_memory: int = 100_000 * 32
    sums: int = 2**26
    seconds: float = 5.0
    rounds: int = 11


QUICK = Sizes(large=2**20, memory=2**22, sums=2**22, seconds=1.0, rounds=5)


def measure(library: str, sizes: Sizes) -> dict[str, Any]:
    """Speed, memory, accuracy and overhead of one library."""
    say = partial(print, file=sys.stderr, flush=True)
    say(f"{library}: the autoencoder")
    autoencoder = networks.inference(library, sizes.seconds, 2 * sizes.rounds)
    if library == "tensorflow":  # for the plain formulas; Keras is measured without
        driver_for(library).module.experimental.numpy.experimental_enable_numpy_behavior(dtype_conversion_mode="legacy")
    speed, memory = {}, {}
    for name, case in CASES.items():
        say(f"{library}: {name}")
        large = sizes.mixture if name in MIXTURES else sizes.large
        speed[name] = {f"{n} elements": _speed(library, case, n, sizes) for n in (sizes.small, large)}
        most = sizes.mixture_memory if name in MIXTURES else sizes.memory
        memory[name] = {"elements": most, **_memory(library, case, most)}
    say(f"{library}: sums of {sizes.sums} numbers")
    return {
        "version": overhead.version_of(library),
        "dispatch_microseconds": overhead.dispatch_microseconds(library, rounds=31),
        "module_microseconds": overhead.module_microseconds(rounds=101) if library == "torch" else None,
        "speed": speed,
        "autoencoder": autoencoder,
        "peak_bytes": memory,
        "relative_error_of_sums": dict(sums.errors(library, sizes.sums)),
    }


def _candidates(library: str, case: Case, elements: int) -> dict[str, Any]:
    found = {"ours": case.kernel, "plain": None, "native": native(library, case.native)}
    if elements <= case.largest:
        found["plain"] = partial(case.plain, module_of(library))
    return {name: function for name, function in found.items() if function is not None}


def _speed(library: str, case: Case, elements: int, sizes: Sizes) -> dict[str, Any]:
    inputs = arrays_of(case, elements, driver_for(library).array)
    found = {}
    for way, made in ways(library).items():
        runs = {name: made(f, inputs, case.wrt) for name, f in _candidates(library, case, elements).items()}
        if "backward" not in way and "plain" in runs:  # the same value, or there is nothing to compare
            np.testing.assert_allclose(*(np.asarray(runs[name]()) for name in ("ours", "plain")), rtol=1e-3)
        found[way] = compared(runs, sizes.seconds, sizes.rounds)
    return found


def _memory(library: str, case: Case, elements: int) -> dict[str, int | None]:
    way = ways(library)["forward"]
    candidates = _candidates(library, case, elements)
    small = arrays_of(case, 2**13, driver_for(library).array)
    inputs = arrays_of(case, elements, driver_for(library).array)
    for function in candidates.values():
        way(function, small, case.wrt)()  # what is loaded and started at the first call is none of the formula's
    return {name: peak(library, way(function, inputs, case.wrt)) for name, function in candidates.items()}
