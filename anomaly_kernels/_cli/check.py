"""``anomaly-kernels check``: compare values and gradients of the installed libraries with NumPy's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from anomaly_kernels._cli import children, tables
from anomaly_kernels._cli.measuring import Leaves, Measured, Measurements, Values, measure

VALUE_TOLERANCE = 1e-12
GRADIENT_TOLERANCE = 1e-6
"""The accuracy of central differences in float64."""

LEGEND = f"""\
Each cell: largest deviation of values / of gradients from NumPy in float64, over all settings tried, relative to the
largest value of the array or the largest gradient. Tolerances: {VALUE_TOLERANCE:.0e} / {GRADIENT_TOLERANCE:.0e}.
NumPy has no gradients, so central differences stand in.
-: nothing to differentiate, or a library that cannot.  !: failed, or out of tolerance."""


class Deviation(NamedTuple):
    """How far one library is from the reference for one function and one choice of settings."""

    settings: str
    value: float = 0.0
    gradient: float | None = None
    error: str = ""

    def is_bad(self) -> bool:
        """Whether it failed, or is out of tolerance; NaN is out."""
        return bool(self.error) or not (self.value <= VALUE_TOLERANCE and (self.gradient or 0.0) <= GRADIENT_TOLERANCE)

    def text(self) -> str:
        """Values and gradients in a table's cell."""
        return " / ".join("-" if x is None else "0" if x == 0 else f"{x:.0e}" for x in (self.value, self.gradient))


def run(libraries: Sequence[str], names: Sequence[str]) -> int:
    """Compare libraries with NumPy on the functions named and print a table; 1 if one is out of tolerance."""
    others = [library for library in libraries if library != "numpy"]
    reference, outcomes = children.compare_libraries(measure, ["numpy", *others], "Measuring", names)
    measured = {library: m for library, m in outcomes.items() if isinstance(m, Measurements)}
    print("Versions: " + ", ".join(f"{library} {m.version}" for library, m in measured.items()) + "\n")
    by_library = {library: compare(m, reference) for library, m in measured.items() if library != "numpy"}
    if by_library:
        rows = [[name, *(_worst(deviations[name]) for deviations in by_library.values())] for name in names]
        tables.print_table("Deviation from NumPy in float64: values / gradients", ["function", *by_library], [rows])
        print(f"{LEGEND}\n")
    problems = [f"{library}: {children.in_one_line(e)}" for library, e in outcomes.items() if isinstance(e, Exception)]
    problems += _problems(by_library)
    if problems:
        print("\n".join(["Out of tolerance:", *problems]))
    elif by_library:
        print(f"All agree: {', '.join(by_library)} with NumPy, functions: {len(names)}.")
    else:
        print("NumPy alone was measured: there is nothing to compare it with.")
    return int(bool(problems))


def compare(measurements: Measurements, reference: Measurements) -> dict[str, list[Deviation]]:
    """How far one library's measurements are from the reference's."""
    return {
        name: [_deviation(label, samples[label], expected) for label, expected in reference.results[name].items()]
        for name, samples in measurements.results.items()
    }


def _deviation(settings: str, measured: Measured | str, expected: Measured | str) -> Deviation:
    if isinstance(expected, str):
        return Deviation(settings, error=f"in NumPy, {expected}")
    if isinstance(measured, str):
        return Deviation(settings, error=measured)
    return Deviation(
        settings,
        value=largest(measured.values, expected.values if expected.gradients else _as_precise(measured, expected)),
        gradient=_relative(_joined(measured.gradients), _joined(expected.gradients)) if measured.gradients else None,
    )


def _as_precise(measured: Measured, expected: Measured) -> Leaves:
    # From integers and booleans each library makes floats of its own default dtype.
    dtypes = {path: x.dtype for path, x in measured.values.items()}
    return {path: x.astype(dtypes.get(path, x.dtype)) for path, x in expected.values.items()}


def largest(actual: Leaves, expected: Leaves) -> float:
    """The largest relative deviation of any array; infinite where shape, float dtype, NaN or infinity differ."""
    if actual.keys() != expected.keys():
        return np.inf
    return max((_relative(actual[path], expected[path]) for path in expected), default=0.0)


def _joined(gradients: Leaves) -> Values:
    # All as one array: rounding in central differences is as large as the function, whichever input moves.
    return np.concatenate([np.ravel(gradients[path]) for path in sorted(gradients)])


def _relative(actual: Values, expected: Values) -> float:
    finite = np.isfinite(expected)
    alike = actual.shape == expected.shape and (actual.dtype == expected.dtype or expected.dtype.kind != "f")
    if not alike or not np.array_equal(actual[~finite], expected[~finite], equal_nan=True):
        return np.inf
    difference = np.abs(actual[finite].astype(float) - expected[finite])
    if not difference.any():
        return 0.0
    worst, scale = float(np.max(difference)), float(np.max(np.abs(expected[finite])))
    return worst / scale if scale > 0 and np.isfinite(worst) else np.inf


def _worst(deviations: Sequence[Deviation]) -> str:
    if any(d.error for d in deviations):
        return "failed !"
    gradients = [d.gradient for d in deviations if d.gradient is not None]
    worst = Deviation("", max(d.value for d in deviations), max(gradients, default=None))
    return worst.text() + (" !" if worst.is_bad() else "")


def _problems(by_library: Mapping[str, Mapping[str, Sequence[Deviation]]]) -> Iterator[str]:
    for library, deviations in by_library.items():
        for name, samples in deviations.items():
            for sample in samples:
                if sample.is_bad():
                    yield f"{library}: {name} ({sample.settings}): {sample.error or sample.text()}"
