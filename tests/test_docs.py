"""What the documentation writes by itself: pictures, the support page, the table of classes, the picture of imports."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from anomaly_kernels._catalogue import BY_NAME, CATALOGUE
from anomaly_kernels._classes.settings import parameters_of
from anomaly_kernels.testing.drivers import DRIVERS

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.fixture(autouse=True)
def modules_of_the_documentation(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    yield
    for name in ("committed", "generate", "imports", "pictures", "support"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", [entry.name for entry in CATALOGUE if entry.picture])
def test_the_slope_in_a_picture_is_that_of_the_value(name):
    import pictures

    for truth in (0.0, 1.0) if "target" in parameters_of(BY_NAME[name].kernel).arrays else (None,):
        values, slopes = pictures.curves(BY_NAME[name], truth)
        steps = np.diff(values) / np.diff(pictures.RANGE)
        between = np.minimum(slopes[1:], slopes[:-1]), np.maximum(slopes[1:], slopes[:-1])
        scale = 0.05 * np.max(np.abs(slopes))
        assert np.all(steps > between[0] - scale)
        assert np.all(steps < between[1] + scale)
        assert np.ptp(values) > 0


def test_each_picture_is_drawn(tmp_path):
    import pictures

    names = pictures.draw_pictures(tmp_path)
    assert names == [entry.name for entry in CATALOGUE if entry.picture]
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.{theme}.svg" for name in names for theme in ("light", "dark")
    }


def test_the_support_page_has_no_column_of_what_never_ran():
    import support

    text = support.page()
    (header,) = [line for line in text.splitlines() if line.startswith("| check |")]
    assert header == f"| check | {' | '.join(name for name in DRIVERS if name != 'cupy')} |"
    assert any(line.startswith("- dask ") and "does not differentiate" in line for line in text.splitlines())
    assert "- `roc_auc`: counts and ranks are steps" in text


def test_the_table_of_classes_has_a_row_for_each_class():
    import generate

    text = generate.classes_page()
    assert [entry.cls for entry in CATALOGUE if entry.cls and f"| `{entry.cls}` |" not in text] == []


def test_an_import_that_is_new_changes_the_picture_of_imports():
    import imports

    graph = imports.read_imports()
    assert "losses" in graph["metrics"]
    assert imports.without_shortcuts({"a": {"b", "c"}, "b": {"c"}, "c": set()})["a"] == {"b"}
    assert imports.draw(graph) != imports.draw(graph | {"weights": graph["weights"] | {"data"}})
