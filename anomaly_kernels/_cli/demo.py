"""``anomaly-kernels demo``: score real data with the same functions in every library that is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from itertools import chain, repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from anomaly_kernels._cli import children, tables
from anomaly_kernels._cli.detectors import Detectors, Figures, Matrix, Split, fit, judge, score, split, thresholds
from anomaly_kernels.data import load_shuttle
from anomaly_kernels.testing import drivers
from anomaly_kernels.testing.trees import map_arrays

TOLERANCE = 1e-9

COLUMNS = ("library", "detector", "AUROC", "AP", "F1", "deviation")

LEGEND = """\
AP: average precision. F1: at the score that 1 % of the training rows exceed; no anomaly was looked at to choose it.
Deviation: largest difference from NumPy's scores over the largest of these, or of the figures if that is larger."""


class Scored(NamedTuple):
    """The scores of the test rows in one library, and figures of these, by detector."""

    version: str
    scores: dict[str, Matrix]
    figures: dict[str, Figures]


def run(output: Path | None) -> int:
    """Fit, score in each library, print a table and save a picture at ``output``; 1 if a library fails or deviates."""
    data = load_shuttle()
    rows = split(data)
    print(f"{data.description}\n")
    detectors = fit(rows.train)
    print(
        f"Three detectors, fitted with NumPy to {len(rows.train)} normal rows; {len(rows.test)} other rows are scored, "
        f"{rows.target.sum()} of them anomalous.\n"
    )
    limits = thresholds(detectors, rows.train)
    installed = drivers.installed_libraries()
    reference, outcomes = children.compare_libraries(score_in, installed, "Scoring", detectors, rows, limits)
    table = [list(table_rows(library, outcomes.get(library), reference)) for library in drivers.DRIVERS]
    tables.print_table("Statlog (Shuttle): one set of functions, every library", COLUMNS, table, left=2)
    print(f"{LEGEND}\n\n{summary(outcomes, reference)}")
    if output is not None:
        print(save_picture(reference, rows, limits, output))
    if find_spec("rich") is None:
        print(f"Plain text: colours and progress need rich. {children.how_to_install('demo')}")
    return int(any(is_bad(outcome, reference) for outcome in outcomes.values()))


def score_in(library: str, detectors: Detectors, rows: Split, limits: Mapping[str, float]) -> Scored:
    """Score the test rows, and judge the scores, on the arrays of one library; hand NumPy arrays back."""
    driver = drivers.driver_for(library)
    fitted, z, target = map_arrays(driver.array, (detectors, rows.test, rows.target))
    scores = score(fitted, z)
    figures = {name: judge(target, scores[name], limits[name]) for name in scores}
    return Scored(driver.version(), map_arrays(driver.numpy, scores), map_arrays(driver.numpy, figures))


def deviation(scored: Scored, reference: Scored, detector: str) -> float:
    """The largest relative difference of one detector's scores and figures from the reference's."""
    expected = reference.scores[detector]
    of_scores = np.max(np.abs(scored.scores[detector] - expected)) / np.max(np.abs(expected))
    of_figures = np.abs(np.subtract(scored.figures[detector], reference.figures[detector]))
    # np.max returns a NaN, which Python's max may drop
    return float(np.max([of_scores, *of_figures]))


def largest_deviation(scored: Scored, reference: Scored) -> float:
    """The deviation of the detector that deviates most."""
    return float(np.max([deviation(scored, reference, detector) for detector in reference.scores]))


def is_bad(outcome: Scored | Exception, reference: Scored) -> bool:
    """Whether a library fails, or deviates by more than the tolerance."""
    return isinstance(outcome, Exception) or not largest_deviation(outcome, reference) <= TOLERANCE


def table_rows(library: str, outcome: Scored | Exception | None, reference: Scored) -> Iterator[tuple[str, ...]]:
    """One row a detector; one sentence where there is nothing to show."""
    if outcome is None:
        yield library, f"not installed: {children.how_to_install(library)}"
    elif isinstance(outcome, Exception):
        yield library, f"failed: {children.in_one_line(outcome)}"
    else:
        titles = chain([library, outcome.version], repeat(""))
        for (detector, figures), title in zip(outcome.figures.items(), titles, strict=False):
            shown = "reference" if outcome is reference else f"{deviation(outcome, reference, detector):.1e}"
            yield title, detector, *(f"{float(figure):.4f}" for figure in figures), shown


def summary(outcomes: Mapping[str, Scored | Exception], reference: Scored) -> str:
    """One sentence: by how much the libraries differ."""
    scored = {name: largest_deviation(o, reference) for name, o in outcomes.items() if isinstance(o, Scored)}
    if len(scored) == 1:
        return "NumPy is the only library here; install another one to see it give the same numbers."
    worst = max(scored, key=lambda name: scored[name])
    return f"Largest deviation from NumPy: {scored[worst]:.1e} ({worst})."


def save_picture(reference: Scored, rows: Split, limits: Mapping[str, float], output: Path) -> str:
    """Draw NumPy's scores where matplotlib is installed; say where the picture is, or what to install."""
    if find_spec("matplotlib") is None:
        return f"No picture: it needs matplotlib. {children.how_to_install('demo')}"
    from anomaly_kernels._cli.picture import draw

    draw(reference.scores, reference.figures, rows.target, limits, output)
    return f"Picture: {output}"
