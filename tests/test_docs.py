"""What the documentation writes by itself: pictures, the reference, the picture of imports."""

from __future__ import annotations

import json
import operator
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from docutils import nodes
from docutils.utils import new_document
from sphinx.addnodes import pending_xref

import anomaly_kernels
import anomaly_kernels.authoring
import anomaly_kernels.weights
from anomaly_kernels import streaming
from anomaly_kernels._catalogue import BY_NAME, CATALOGUE
from anomaly_kernels._classes.learner import Learner
from anomaly_kernels._classes.settings import parameters_of
from anomaly_kernels.data import Shuttle

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.fixture(autouse=True)
def modules_of_the_documentation(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    yield
    for name in {path.stem for path in DOCS.glob("*.py")}:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", [entry.name for entry in CATALOGUE if entry.picture])
def test_the_slope_in_a_picture_is_that_of_the_value(name):
    import pictures

    first, second = pictures.picture(BY_NAME[name]).axes
    assert len(first.lines) == len(second.lines) > ("target" in parameters_of(BY_NAME[name].kernel).arrays)
    for value, slope in zip(first.lines, second.lines, strict=True):
        values, slopes = value.get_ydata(), slope.get_ydata()
        steps = np.diff(values) / np.diff(value.get_xdata())
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


def test_each_public_name_is_in_one_situation():
    from situations import SITUATIONS

    counts = Counter(name for situation in SITUATIONS for name in situation.names)
    assert [name for name, count in counts.items() if count > 1] == []
    assert set(anomaly_kernels.__all__) - set(counts) == set()
    for name in counts:
        operator.attrgetter(name)(anomaly_kernels)  # there is such a name


def test_the_tables_by_use_lead_to_each_class_of_each_framework():
    import reference_pages

    text = reference_pages.by_use()
    for entry in CATALOGUE:
        assert f"<anomaly_kernels.{entry.name}>`" in text
        assert f"`function <anomaly_kernels.jax.{entry.name}>`" in text
        for framework in ("torch", "keras") if entry.cls else ():
            assert f"<anomaly_kernels.{framework}.{entry.cls}>`" in text
    assert "`regularizer <anomaly_kernels.keras.OrthogonalityLoss>`" in text
    assert "`metric <anomaly_kernels.jax.ROCAUCMetric>`" in text


def test_the_page_of_a_function_has_its_other_names_its_classes_and_its_guides():
    import reference_pages

    page = reference_pages.render("roc_auc")
    for line in (
        "   ! single: AUROC",
        "   ! single: roc auc",
        "   :torch: :py:obj:`ROCAUCMetric <anomaly_kernels.torch.ROCAUCMetric>` (metric)",
        ".. autofunction:: roc_auc",
    ):
        assert line in page.splitlines()
    assert "AUROC" in next(line for line in page.splitlines() if ":Keywords:" in line)
    assert " </metrics>`" in next(line for line in page.splitlines() if ":Read more:" in line)
    assert ":doc:`torchmetrics </coming_from/" in next(line for line in page.splitlines() if ":Coming from:" in line)
    assert "   :torch: the function itself takes the tensors" in reference_pages.render("knn_score").splitlines()
    assert ".. picture:: iou_loss" in reference_pages.render("iou_loss")


def test_what_people_search_for_leads_to_no_more_than_three_functions():
    from situations import SITUATIONS
    from synonyms import SYNONYMS

    assert set(SYNONYMS) <= {name for situation in SITUATIONS for name in situation.names}
    counts = Counter(word.lower() for words in SYNONYMS.values() for word in words)
    assert [word for word, count in counts.items() if count > 3] == []
    asked = ("AUROC", "AUPR", "PRO", "DAGMM", "VAE", "hypersphere", "Dice", "F-score", "SSIM", "NT-Xent", "SPOT")
    assert [word for word in asked if word.lower() not in counts] == []


def test_members_are_what_a_user_of_the_class_calls():
    from members import Member, members

    class Mine(streaming.ScoreHistogram):
        quantile = json.dumps
        _own = len

    found = list(members(Mine))
    assert Member("method", "merge", shared=False) in found
    assert {"quantile", "_own", "count"}.isdisjoint(member.name for member in found)
    assert "check" not in {member.name for member in members(Learner)}  # which constructors call
    assert Member("property", "learnt", shared=False) in members(anomaly_kernels.Objective)
    assert Member("attribute", "features", shared=False) in members(Shuttle)
    assert Member("method", "get_params", shared=True) in members(Learner)


def test_guides_are_found_by_the_names_in_their_code():
    from mentions import guides, mentions

    assert "gradients" in mentions(["value_and_grad"])
    assert "frameworks" in mentions(["torch.DeepSVDDLoss"])  # in an example that the page shows
    with_the_word = [page for page, code in guides().items() if "update" in code and "streaming.update" not in code]
    assert with_the_word
    assert set(with_the_word).isdisjoint(mentions(["streaming.update"]))
    assert {"benchmarks", "architecture", "reference", "index"}.isdisjoint(guides())


def test_a_public_name_that_is_on_no_page_is_told(monkeypatch):
    import generate

    told = []
    monkeypatch.setattr(generate, "MODULES", ("", "streaming"))
    monkeypatch.setattr(generate.log, "warning", lambda text, *names: told.append(text % names))
    documented = [f"anomaly_kernels.{name}" for name in anomaly_kernels.__all__ if name != "iou_loss"]
    documented += [f"anomaly_kernels.streaming.{name}" for name in streaming.__all__ if name != "merge"]
    env = SimpleNamespace(domains={"py": SimpleNamespace(objects=documented)})
    generate.warn_of_missing_names(None, env)
    assert sorted(line.split()[3] for line in told) == ["anomaly_kernels.iou_loss", "anomaly_kernels.streaming.merge"]


def test_a_letter_with_a_full_stop_is_no_list():
    import generate

    lines = [
        "smooth : number",
        "    s. With 0 it is 0.",
        "    1. first",
        "    We say s. often",
        "    T.",
        ".. [R1-2] D. Foo, E. Bar",
    ]
    mended = [lines[0], "    s\\. With 0 it is 0.", *lines[2:4], "    T\\.", ".. [R1-2] D\\. Foo, E. Bar"]
    generate.mend_enumerations(None, "", "", None, None, lines)
    assert lines == mended


def test_an_example_of_a_class_begins_with_its_imports():
    import generate

    lines = ["Examples", "", ">>> x = np.ones(2)", ">>> float(jnp.sum(ROCAUCMetric(x)))"]
    imports = ["import jax.numpy as jnp", "import numpy as np", "from anomaly_kernels.jax import ROCAUCMetric"]
    expected = [*lines[:2], *(f">>> {line}" for line in imports), *lines[2:]]
    generate.add_imports(None, "class", "anomaly_kernels.jax.ROCAUCMetric", None, None, lines)
    assert lines == expected
    generate.add_imports(None, "class", "anomaly_kernels.jax.ROCAUCMetric", None, None, lines)
    assert lines == expected  # no import is there twice


def test_names_of_functions_in_code_become_links_once():
    import generate

    document = new_document("page")
    document.settings.env = SimpleNamespace(docname="metrics")
    linked = nodes.reference("", "", nodes.literal("", "roc_auc"))
    document += nodes.paragraph("", "", nodes.literal("", "ak.iou_loss"), nodes.literal("", "axis"), linked)
    generate.LinkNames(document).apply()
    assert [node["reftarget"] for node in document.findall(pending_xref)] == ["anomaly_kernels.iou_loss"]
    assert document.astext() == "ak.iou_lossaxisroc_auc"


def test_an_import_that_is_new_changes_the_picture_of_imports():
    import imports

    graph = imports.read_imports()
    assert "losses" in graph["metrics"]
    assert imports.without_shortcuts({"a": {"b", "c"}, "b": {"c"}, "c": set()})["a"] == {"b"}
    assert imports.draw(graph) != imports.draw(graph | {"weights": graph["weights"] | {"data"}})
