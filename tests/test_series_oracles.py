"""Metrics of series beside the code of the authors of VUS, which has a copy of the affiliation metrics (group oracles).

Skipped where it is not installed. Where it differs from the definition the inputs avoid it: it loses events at the
borders, and has no number where there is no event or no alarm.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import anomaly_kernels as ak

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it imports is deprecated here and there
    vus = pytest.importorskip("vus.utils.metrics")
    affiliation = pytest.importorskip("vus.affiliation.metrics")
    generics = pytest.importorskip("vus.affiliation.generics")

RNG = np.random.default_rng(0)


def series(length, rate):
    truth = RNG.random(length) < rate
    truth[[0, -1]] = False
    truth[length // 2] = True
    return truth


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(10))
def test_vus_is_that_of_its_authors_at_as_many_thresholds_as_points(seed):
    truth, window = series(80, 0.1), 2 + seed
    score = RNG.normal(size=80) + truth
    *_, area, precision = vus.metricor().RangeAUC_volume_opt(truth.astype(int), score, window, 80)
    for number in (None, 80):
        found = ak.vus(truth, score, window=window, thresholds=number)
        np.testing.assert_allclose(found, (area, precision), rtol=1e-9)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("rate", [0.05, 0.3, 0.7])
def test_affiliation_is_that_of_its_authors(rate):
    for _ in range(20):
        truth, alarms = series(60, 0.2), series(60, rate)
        events = [generics.convert_vector_to_events(x.astype(int)) for x in (alarms, truth)]
        expected = affiliation.pr_from_events(*events, (0, 60))
        found = ak.affiliation_f1(truth, alarms)
        np.testing.assert_allclose(found.precision, expected["Affiliation_Precision"], rtol=1e-9)
        np.testing.assert_allclose(found.recall, expected["Affiliation_Recall"], rtol=1e-9)
