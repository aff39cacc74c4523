"""Errors of the kernels in units in the last place, against the formulas in 50 digits that the tests have.

A library runs in a process of its own, which only evaluates. This process has the references and compares.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

import anomaly_kernels as ak
from anomaly_kernels._catalogue import CATALOGUE
from anomaly_kernels.testing.arguments import ARGUMENTS
from anomaly_kernels.testing.drivers import Driver, driver_for
from benchmarks.libraries import environment

TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path.append(str(TESTS))  # where the references are

from mpmath import mp  # noqa: E402
from reference import Case, exact, table  # noqa: E402

DTYPES = ("float64", "float32")
DIGITS = {"ordinary": 50, "large": 500, "constant": 60, "offset": 500}
"""Of the references: 1 − p of a logit of 1000 is written as it reads, and begins at the 435th digit."""
Found = dict[str, np.ndarray]
"""What a library gives: the value as "value", gradients by the names of inputs."""


class Job(NamedTuple):
    """One call whose result is measured."""

    kernel: str
    inputs: str
    case: Case


class Exact(NamedTuple):
    """What the reference gives: slopes by the names of inputs, None at a kink."""

    value: np.ndarray
    slopes: dict[str, np.ndarray]


# ---- what is measured


def _mixtures() -> dict[str, Case]:
    """The two functions of mixtures whose results the tests compare field by field: here as one number."""
    mixture = import_module("test_mixture")

    def energy(z: Any, gamma: Any) -> Any:
        return ak.gmm_energy(z, ak.gmm_params(z, gamma))

    def reference(z: Any, gamma: Any) -> Any:
        phi, mu, cov, _, _ = mixture.mixture(z, gamma)
        return mixture.energy(z, phi, mu, cov)

    energy.__name__ = "gmm_energy"
    return table(energy, reference, mixture.LATENT) | mixture.LOSSES


def tables() -> dict[str, list[Case]]:
    """The tables of the tests, by kernel; inputs are numbers of float32, which is not to blame for rounding them."""
    every = {name: case for path in sorted(TESTS.glob("test_losses_*.py")) for name, case in _cases(path.stem)}
    by_kernel: dict[str, list[Case]] = {}
    for case in (every | _mixtures()).values():
        inputs = {name: _single(np.asarray(x)) for name, x in case.inputs.items()}
        by_kernel.setdefault(case.kernel.__name__, []).append(case._replace(inputs=inputs))
    return {entry.name: by_kernel[entry.name] for entry in CATALOGUE if entry.name in by_kernel}


def _cases(module: str) -> Iterator[tuple[str, Case]]:
    yield from getattr(import_module(module), "CASES", {}).items()


def _single(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float32).astype(np.float64) if x.dtype.kind == "f" else x


def without_reference() -> list[str]:
    """Losses and scores that the tests compare with something else, such as SciPy or plain loops."""
    have = tables()
    return [entry.name for entry in CATALOGUE if entry.package == "losses" and entry.name not in have]


EDGES: dict[str, Callable[[int, np.ndarray], np.ndarray]] = {
    "large": lambda k, x: 500 * x,
    "constant": lambda k, x: np.full_like(x, 1 + k / 4),
    "offset": lambda k, x: 1000 + x,
}
"""What is done with the k-th array of real numbers, which are between −2 and 2."""


def jobs(*, quick: bool = False) -> list[Job]:
    """All calls, the first of each kernel at the edges too."""
    found = []
    for kernel, cases in tables().items():
        found += [Job(kernel, "ordinary", case) for case in cases[: 1 if quick else None]]
        plainest = min(cases, key=lambda case: (len(case.inputs), len(case.settings)))
        real = [name for name in plainest.floats() if _is_real(plainest, name)]
        for edge, change in EDGES.items() if real else ():
            moved = {name: _single(change(k, np.asarray(plainest.inputs[name]))) for k, name in enumerate(real)}
            found.append(Job(kernel, edge, plainest._replace(inputs={**plainest.inputs, **moved})))
    return found


def _is_real(case: Case, name: str) -> bool:
    """Whether an input may be any number, as a logit or a coordinate."""
    argument = ARGUMENTS.get(name)
    soft = {"target", "y_pred"} if case.kernel.__name__ == "distillation_loss" else {"target"}
    return name not in soft and (argument is None or argument.kind in {"real", "latent"})


# ---- the process of a library


def evaluate(library: str, output: Path, *, quick: bool = False) -> None:
    """Values and gradients of all calls in both dtypes, as one file of arrays."""
    driver, arrays = driver_for(library), {}
    for number, job in enumerate(jobs(quick=quick)):
        for dtype in DTYPES:
            for name, x in evaluated(driver, job.case, dtype).items():
                arrays[f"{number} {dtype} {name}"] = x
    np.savez(output, **arrays)


def evaluated(driver: Driver, case: Case, dtype: str) -> Found:
    given = {name: driver.array(x, dtype) for name, x in case.inputs.items()}
    moving = {name: given.pop(name) for name in case.floats()}

    def function(arrays: Mapping[str, Any]) -> Any:
        return case.kernel(**arrays, **given, **case.settings)

    def total(arrays: Mapping[str, Any]) -> Any:
        values = function(arrays)
        return ak.array_namespace(values).sum(values)

    def both(arrays: Mapping[str, Any]) -> Any:
        return function(arrays), ak.value_and_grad(total)(arrays)[1]

    with np.errstate(all="ignore"):
        value, slopes = (driver.jit(both) if driver.name == "jax" else both)(moving)
    return {"value": driver.numpy(value), **{name: driver.numpy(x) for name, x in slopes.items()}}


def _in_process(library: str, *, quick: bool) -> dict[int, dict[str, Found]]:
    """What a library gives, by the number of the call and the dtype."""
    found: dict[int, dict[str, Found]] = {}
    with TemporaryDirectory() as folder:
        output = Path(folder) / "found.npz"
        command = [sys.executable, "-m", "benchmarks.accuracy", library, str(output), *["--quick"] * quick]
        variables = environment(library) | {"JAX_ENABLE_X64": "1"}
        subprocess.run(command, env=os.environ | variables, check=True)
        with np.load(output) as arrays:
            for key in arrays.files:
                number, dtype, name = key.split(" ", 2)
                found.setdefault(int(number), {}).setdefault(dtype, {})[name] = arrays[key]
    return found


# ---- the references


def exactly(job: Job) -> Exact | None:
    """The reference's value and slopes; nothing where the formula divides by 0 there."""
    with mp.workdps(DIGITS[job.inputs]), suppress(ZeroDivisionError, ValueError):
        value = np.asarray(job.case.exactly())
        return Exact(value, {name: _slopes(job.case, name, np.sum(value)) for name in job.case.floats()})
    return None


def _slopes(case: Case, name: str, total: Any) -> np.ndarray:
    """Differences, which are exact to more than a float64 has; None where those of both sides differ, at a kink."""
    step = mp.mpf(10) ** -(15 if mp.dps <= 60 else 30)
    x = np.asarray(exact(case.inputs[name]), object)
    slopes = np.empty(x.shape, object)
    sides = np.empty((2, *x.shape), object)
    for place in np.ndindex(x.shape):
        for side, sign in enumerate((1, -1)):
            moved = np.array(x, object)
            moved[place] += sign * step
            sides[side, *place] = sign * (np.sum(case.exactly(**{name: moved[()]})) - total) / step
        slopes[place] = (sides[0, *place] + sides[1, *place]) / 2
    scale = max(*(abs(x) for x in slopes.flat), abs(total), 0)
    for place in np.ndindex(x.shape):
        if abs(sides[0, *place] - sides[1, *place]) > mp.sqrt(step) * scale:
            slopes[place] = None
        elif abs(slopes[place]) < step ** mp.mpf(1.8) * scale:
            slopes[place] = mp.mpf(0)
    return slopes


# ---- errors

SHARES = ("iou_loss", "dice_loss", "tversky_loss", "cosine_distance_loss", "distinctness_loss", "mmd_loss")
TERMS = dict.fromkeys(SHARES, 1.0) | {"supcon_loss": 10.0}
"""The largest term of formulas whose result may be far smaller, with a weight of 1: 1 − IoU, the mean of cosines."""


def ulp(x: Any, dtype: str) -> Any:
    """The distance of neighbouring numbers at x."""
    info = np.finfo(dtype)
    size = max(abs(x), mp.mpf(float(info.tiny)))
    return mp.mpf(2) ** mp.floor(mp.log(size, 2)) * float(info.eps)


def errors(job: Job, found: Found, truth: Exact, dtype: str) -> dict[str, float]:
    """Those of value and slopes, in ulps of the number itself and of the terms of which it is made.

    A slope stands for the largest of its array. Its terms are differences of inputs, which rounding makes as uncertain
    as the inputs are, and shares of the value.
    """
    term = mp.mpf(abs(job.case.settings.get("weight", 1)) * TERMS.get(job.kernel, 0.0))
    pairs = list(zip(np.asarray(found["value"], np.float64).flat, truth.value.flat, strict=True))
    worst = {"value": 0.0, "value, terms": 0.0, "slope": 0.0, "slope, terms": 0.0}
    for have, want in pairs:
        error = abs(_exactly(have) - want)
        _raise_to(worst, "value", error / ulp(want, dtype))
        _raise_to(worst, "value, terms", error / ulp(max(abs(want), term), dtype))
    total = max(abs(np.sum(truth.value)), term)
    for name, slopes in truth.slopes.items():
        both = zip(np.asarray(found[name], np.float64).flat, slopes.flat, strict=True)
        smooth = [(_exactly(have), want) for have, want in both if want is not None]
        largest = max((abs(want) for _, want in smooth), default=mp.mpf(0))
        reach = max(1.0, float(np.max(np.abs(job.case.inputs[name]), initial=0.0)))
        terms = max(largest * reach, total / reach)
        for have, want in smooth:
            _raise_to(worst, "slope, terms", abs(have - want) / ulp(terms, dtype))
            if largest:
                _raise_to(worst, "slope", abs(have - want) / ulp(largest, dtype))
    return worst


def _exactly(x: Any) -> Any:
    return mp.mpf(float(x))


def _raise_to(worst: dict[str, float], what: str, error: Any) -> None:
    worst[what] = max(worst[what], float(error)) if float(error) == float(error) else float("inf")


# ---- all of it


def measure(libraries: Sequence[str], *, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """By library a row for each kernel and kind of input: the largest errors of all its calls."""
    calls = jobs(quick=quick)
    truths = [exactly(job) for job in calls]
    return {library: _rows(calls, truths, _in_process(library, quick=quick)) for library in libraries}


def _rows(
    calls: Sequence[Job], truths: Sequence[Exact | None], found: dict[int, dict[str, Found]]
) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for number, (job, truth) in enumerate(zip(calls, truths, strict=True)):
        if truth is None:
            continue
        row = rows.setdefault((job.kernel, job.inputs), {"kernel": job.kernel, "inputs": job.inputs, "calls": 0})
        row["calls"] += 1
        for dtype in DTYPES:
            for what, error in errors(job, found[number][dtype], truth, dtype).items():
                key = f"{what} {dtype}"
                row[key] = max(row.get(key, 0.0), float(f"{error:.3g}"))
    return list(rows.values())


if __name__ == "__main__":
    evaluate(sys.argv[1], Path(sys.argv[2]), quick="--quick" in sys.argv)
