"""The demo finds anomalies in real data, says the same in every library, and says what is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

import anomaly_kernels as ak
from anomaly_kernels._cli import children, demo, detectors, main
from anomaly_kernels._cli.detectors import COMPONENTS, HYPERSPHERE, MIXTURE, Detectors, Split
from anomaly_kernels.data import load_shuttle
from anomaly_kernels.testing import drivers
from anomaly_kernels.testing.drivers import Driver


@pytest.fixture(scope="module")
def rows() -> Split:
    return detectors.split(load_shuttle())


@pytest.fixture(scope="module")
def fitted(rows: Split) -> Detectors:
    return detectors.fit(rows.train)


@pytest.fixture(scope="module")
def limits(rows: Split, fitted: Detectors) -> dict[str, float]:
    return detectors.thresholds(fitted, rows.train)


@pytest.fixture(scope="module")
def scored(rows: Split, fitted: Detectors, limits: dict[str, float]) -> demo.Scored:
    return demo.score_in("numpy", fitted, rows, limits)


def test_split_fits_on_normal_rows_alone_and_scores_all_others(rows: Split) -> None:
    normal = load_shuttle().features[~load_shuttle().target]
    assert rows.target.sum() == 721
    assert len(rows.train) == len(normal) // 2
    assert len(rows.train) + len(rows.test) == 10_000
    np.testing.assert_allclose(rows.train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(rows.train.std(axis=0), 1, rtol=1e-12)
    # Back in the units of the source, the rows of both halves are together the normal rows.
    both = np.concatenate([rows.train, rows.test[~rows.target]])
    np.testing.assert_allclose(np.sort((both - both.mean(0)) / both.std(0), axis=0),
                               np.sort((normal - normal.mean(0)) / normal.std(0), axis=0), atol=1e-9)  # fmt: skip


def test_detectors_find_the_anomalies(scored: demo.Scored) -> None:
    assert scored.figures[MIXTURE].auroc > 0.995
    assert scored.figures[MIXTURE].average_precision > 0.97
    assert scored.figures[HYPERSPHERE].auroc > 0.98
    assert scored.figures[COMPONENTS].auroc > 0.98
    assert all(figures.f1 > 0.9 for figures in scored.figures.values())


def test_figures_are_those_of_scikit_learn(scored: demo.Scored, rows: Split, limits: dict[str, float]) -> None:
    for name, scores in scored.scores.items():
        expected = (
            roc_auc_score(rows.target, scores),
            average_precision_score(rows.target, scores),
            f1_score(rows.target, scores > limits[name]),
        )
        np.testing.assert_allclose(scored.figures[name], expected, rtol=1e-12)


def test_mixture_scores_are_those_of_scipy(scored: demo.Scored, rows: Split, fitted: Detectors) -> None:
    densities = [
        phi * multivariate_normal(mu, cov).pdf(rows.test)
        for phi, mu, cov in zip(fitted.mixture.phi, fitted.mixture.mu, fitted.mixture.cov, strict=True)
    ]
    density = np.sum(densities, axis=0)
    here = density > 1e-300
    np.testing.assert_allclose(scored.scores[MIXTURE][here], -np.log(density[here]), rtol=1e-8)


def test_responsibilities_are_probabilities_of_the_components(rows: Split, fitted: Detectors) -> None:
    z, mixture = rows.train[:50], fitted.mixture
    found, energy = detectors.responsibilities(z, mixture)
    joint = np.stack(
        [p * multivariate_normal(m, c).pdf(z) for p, m, c in zip(mixture.phi, mixture.mu, mixture.cov, strict=True)], 1
    )
    np.testing.assert_allclose(found, joint / joint.sum(axis=1, keepdims=True), atol=1e-9)
    np.testing.assert_allclose(energy, ak.gmm_energy(z, mixture, reduction="none"), rtol=1e-12)


def test_each_step_of_the_fit_lowers_the_energy(rows: Split) -> None:
    z = rows.train[:600]
    energies = [float(ak.gmm_energy(z, detectors.fit_mixture(z, steps=n))) for n in (0, 1, 2, 4, 8, 16)]
    assert energies == sorted(energies, reverse=True)
    assert energies[0] - energies[-1] > 0.1


def test_fit_recovers_a_known_mixture() -> None:
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(-5, 1, (300, 2)), rng.normal(5, 2, (700, 2))])
    mixture = detectors.fit_mixture(z, k=2)
    order = np.argsort(mixture.phi)
    np.testing.assert_allclose(np.asarray(mixture.phi)[order], [0.3, 0.7], atol=0.01)
    np.testing.assert_allclose(np.asarray(mixture.mu)[order], [[-5, -5], [5, 5]], atol=0.2)
    np.testing.assert_allclose(np.linalg.det(mixture.cov)[order], [1, 16], rtol=0.2)


def test_hypersphere_holds_all_but_one_percent_of_the_rows_it_was_fitted_to(rows: Split, fitted: Detectors) -> None:
    scores = detectors.score(fitted, rows.train)[HYPERSPHERE]
    assert np.mean(scores > 0) == pytest.approx(detectors.FALSE_ALARMS, abs=1e-3)


def test_thresholds_are_exceeded_by_one_percent_of_training_rows(
    rows: Split, fitted: Detectors, limits: dict[str, float]
) -> None:
    for name, scores in detectors.score(fitted, rows.train).items():
        assert np.mean(scores > limits[name]) == pytest.approx(0.01, abs=1e-3)


def test_projection_keeps_the_directions_of_largest_variance(rows: Split, fitted: Detectors) -> None:
    projection = fitted.projection
    np.testing.assert_allclose(projection @ projection, projection, atol=1e-12)
    assert np.trace(projection) == pytest.approx(3)
    eigenvalues = np.linalg.eigvalsh(np.cov(rows.train.T, bias=True))
    assert np.trace(projection @ np.cov(rows.train.T, bias=True)) == pytest.approx(eigenvalues[-3:].sum())


def test_every_library_gives_the_numbers_of_numpy(
    driver: Driver, rows: Split, fitted: Detectors, limits: dict[str, float], scored: demo.Scored
) -> None:
    here = demo.score_in(driver.name, fitted, rows, limits)
    assert demo.largest_deviation(here, scored) < 1e-11
    assert here.version == driver.version()


def changed(scored: demo.Scored, **change: Any) -> demo.Scored:
    return scored._replace(**{field: {**getattr(scored, field), **new} for field, new in change.items()})


def test_deviation_sees_scores_figures_and_nan(scored: demo.Scored) -> None:
    assert demo.deviation(scored, scored, MIXTURE) == 0
    moved = scored.scores[MIXTURE].copy()
    moved[3] += 0.5
    off = changed(scored, scores={MIXTURE: moved})
    assert demo.deviation(off, scored, MIXTURE) == pytest.approx(0.5 / np.abs(scored.scores[MIXTURE]).max())
    assert demo.deviation(off, scored, HYPERSPHERE) == 0
    assert demo.largest_deviation(off, scored) == demo.deviation(off, scored, MIXTURE)
    figures = scored.figures[COMPONENTS]
    worse = changed(scored, figures={COMPONENTS: figures._replace(f1=figures.f1 - 0.25)})
    assert demo.deviation(worse, scored, COMPONENTS) == pytest.approx(0.25)
    moved[7] = np.nan
    assert demo.is_bad(changed(scored, scores={MIXTURE: moved}), scored)


def inline(function: Any, libraries: list[str], *arguments: Any) -> Any:
    return (function(library, *arguments) for library in libraries)


def only_installed(monkeypatch: pytest.MonkeyPatch, *libraries: str) -> None:
    monkeypatch.setattr(drivers, "installed_libraries", lambda: list(libraries))
    monkeypatch.setattr(children, "for_each_library", inline)


def test_command_prints_a_row_for_each_detector_and_saves_the_picture(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    only_installed(monkeypatch, "numpy", "array_api_strict")
    picture = tmp_path / "new" / "picture.png"
    assert main(["demo", "--output", str(picture)]) == 0
    out = capsys.readouterr().out
    assert re.search(rf"^{re.escape(np.__version__)} +hypersphere ", out, re.MULTILINE)
    figures = r"^.*Gaussian mixture +0\.99\d\d +0\.9\d\d\d +0\.9\d\d\d +(reference|0\.0e\+00)$"
    assert len(re.findall(figures, out, re.MULTILINE)) == 2
    assert "Largest deviation from NumPy: " in out
    assert f"Picture: {picture}" in out
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_library_that_is_missing_has_its_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    only_installed(monkeypatch, "numpy")
    assert main(["demo", "--no-picture"]) == 0
    out = capsys.readouterr().out
    for library in ("torch", "jax", "tensorflow", "dask"):
        assert re.search(rf'^{library} +not installed: pip install "anomaly_kernels\[{library}\]"$', out, re.MULTILINE)
    assert "NumPy is the only library here" in out
    assert "Picture" not in out


def test_command_fails_where_a_library_deviates(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only_installed(monkeypatch, "numpy", "array_api_strict")
    real = ak.svdd_score

    def broken(embeddings: Any, center: Any, *, radius: Any = None) -> Any:
        return real(embeddings, center, radius=radius) * (1.0 if isinstance(center, np.ndarray) else 1 + 1e-6)

    monkeypatch.setattr(ak, "svdd_score", broken)
    assert main(["demo", "--no-picture"]) == 1
    assert re.search(r"Largest deviation from NumPy: 1\.0e-06 \(array_api_strict\)", capsys.readouterr().out)


def test_command_shows_the_error_of_a_library_that_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only_installed(monkeypatch, "numpy", "jax")
    error = RuntimeError("out of luck\nand more")
    results = {"jax": lambda *_: error, "numpy": demo.score_in}
    monkeypatch.setattr(
        children, "for_each_library", lambda _, libraries, *given: (results[name](name, *given) for name in libraries)
    )
    assert main(["demo", "--no-picture"]) == 1
    assert re.search(r"^jax +failed: RuntimeError: out of luck$", capsys.readouterr().out, re.MULTILINE)


def test_demo_needs_numpy_to_compare_with(monkeypatch: pytest.MonkeyPatch) -> None:
    only_installed(monkeypatch, "numpy")
    monkeypatch.setattr(children, "for_each_library", lambda *_: iter([MemoryError("none left")]))
    with pytest.raises(RuntimeError, match="NumPy"):
        main(["demo", "--no-picture"])


def test_without_matplotlib_and_rich_the_demo_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    only_installed(monkeypatch, "numpy")
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    assert main(["demo", "--output", str(tmp_path / "picture.png")]) == 0
    out = capsys.readouterr().out
    assert 'No picture: it needs matplotlib. pip install "anomaly_kernels[demo]"' in out
    assert 'colours and progress need rich. pip install "anomaly_kernels[demo]"' in out
    assert not list(tmp_path.iterdir())


def test_numpy_alone_takes_under_twenty_seconds_and_loads_no_framework() -> None:
    script = (
        "import sys, time; start = time.perf_counter()\n"
        "from anomaly_kernels._cli import main\n"
        "from anomaly_kernels.testing import drivers\n"
        "drivers.installed_libraries = lambda: ['numpy']\n"
        "if __name__ == '__main__':\n"
        "    assert main(['demo', '--no-picture']) == 0\n"
        "    assert not sys.modules.keys() & {'torch', 'jax', 'tensorflow', 'dask', 'sklearn', 'scipy', 'matplotlib'}\n"
        "    assert time.perf_counter() - start < 20\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
