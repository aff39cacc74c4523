"""What the recipes of docs/recipes say, beside the blocks that run as they stand: their scripts and their tables."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import anomaly_kernels as ak
from anomaly_kernels.testing import sample
from anomaly_kernels.testing.arguments import SIZES
from anomaly_kernels.testing.trees import flatten, map_arrays, rebuild
from anomaly_kernels.weights import load_params, set_params_tree

RECIPES = Path(__file__).resolve().parent.parent / "docs" / "recipes"


def named(text: str) -> list[str]:
    """The words in code style."""
    return re.findall(r"`(\w+)`", text)


def tables_of_onnx() -> tuple[dict[str, list[list[str]]], list[str]]:
    """What traces, with its arguments and its constants, and what does not."""
    traced, refused = (RECIPES / "onnx.md").read_text().partition("| Does not trace |")[::2]
    rows = [line.split("|")[1:-1] for line in traced.splitlines() if line.startswith("| `")]
    cells = [line.split("|")[1] for line in refused.splitlines() if line.startswith("| `")]
    return {named(first)[0]: [named(x) for x in rest] for first, *rest in rows}, named("".join(cells))


TRACED, REFUSED = tables_of_onnx()


def single(x):
    x = np.asarray(x)
    return x.astype(np.float32) if x.dtype.kind == "f" else x


@pytest.mark.parametrize("name", TRACED)
def test_what_traces_gives_the_numbers_of_numpy_in_onnxruntime_for_any_number_of_rows(name):
    import ndonnx as ndx
    import onnxruntime

    kernel, (arguments, constants) = getattr(ak, name), TRACED[name]
    given = sample(kernel)
    inputs = {argument: map_arrays(single, tree) for argument, tree in given.inputs.items()}
    assert sorted(inputs) == sorted(arguments + constants)
    settings = dict(given.settings)
    if "reduction" in inspect.signature(kernel).parameters:
        settings["reduction"] = "none"
    graph = {x: ndx.argument(shape=("N", *inputs[x].shape[1:]), dtype=ndx.float32) for x in arguments}
    result = kernel(**graph, **{x: map_arrays(ndx.asarray, inputs[x]) for x in constants}, **settings)
    session = onnxruntime.InferenceSession(ndx.build(graph, {"result": result}).SerializeToString())
    assert sorted(x.name for x in session.get_inputs()) == sorted(arguments)
    for rows in (SIZES["N"], 3):
        fed = {x: inputs[x][:rows] for x in arguments}
        (found,) = session.run(None, fed)
        expected = kernel(**fed, **{x: inputs[x] for x in constants}, **settings)
        assert found.dtype == expected.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_trace_is_an_error(name):
    import ndonnx as ndx

    kernel, given = getattr(ak, name), sample(getattr(ak, name))
    arguments = {
        path: ndx.argument(shape=np.shape(x), dtype=ndx.from_numpy_dtype(single(x).dtype))
        for argument, tree in given.inputs.items()
        for path, x in flatten(tree, argument).items()
    }
    graph = {argument: rebuild(tree, arguments, argument) for argument, tree in given.inputs.items()}
    with pytest.raises((TypeError, NotImplementedError)) as error:
        kernel(**graph, **given.settings)
    if "fit" in name or "gmm" in name:
        assert str(error.value).startswith("ONNX has no operator for a Cholesky factor: give what it is computed of")


def test_constants_of_ndonnx_are_arrays_whose_numbers_can_be_looked_at():
    import ndonnx as ndx

    target, score = ndx.asarray(np.asarray([0, 1, 1])), ndx.asarray(np.asarray([0.1, 0.4, 0.05]))
    assert ak.array_namespace(score).name == "ndonnx"
    assert ak.roc_auc(target, score).unwrap_numpy() == ak.roc_auc(target.unwrap_numpy(), score.unwrap_numpy())
    with pytest.raises(ValueError, match="target"):
        ak.roc_auc(target - 1, score)


@pytest.mark.parametrize("kernel", [ak.roc_auc, ak.average_precision])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shape", [("N", 3), ("N", "M")])
def test_rankings_row_by_row_say_that_a_graph_must_know_its_sizes(kernel, axis, shape):
    import ndonnx as ndx

    target, score = ndx.argument(shape=shape, dtype=ndx.bool), ndx.argument(shape=shape, dtype=ndx.float32)
    with pytest.raises(ValueError, match="a graph of ONNX must know all sizes of this result but one, got"):
        kernel(target, score, axis=axis)


@pytest.mark.parametrize(
    ("kernel", "settings"),
    [(ak.threshold_at_rate, {"rate": 0.1}), (ak.spread_threshold, {}), (ak.peaks_over_threshold, {"level": 0.5})],
)
def test_thresholds_are_found_of_constants_and_refused_of_arguments(kernel, settings):
    import ndonnx as ndx

    score = np.random.default_rng(0).normal(size=40)
    found, expected = kernel(ndx.asarray(score), **settings), kernel(score, **settings)
    found, expected = (getattr(x, "threshold", x) for x in (found, expected))
    np.testing.assert_allclose(found.unwrap_numpy(), expected, rtol=1e-12)
    with pytest.raises(TypeError, match="ONNX has no operator for .*, or compute .* thresholds, with NumPy"):
        kernel(ndx.argument(shape=(40,), dtype=ndx.float64), **settings)


# Each recipe's script, and what it prints, with the process that runs it and how far its numbers may be off.
SCRIPTS = {
    "fit_numpy": ("numpy", 0.005),
    "lightning_torch": ("torch", 0.05),
    "metrics_dask": ("dask", 0.0),
    "metrics_jax": ("jax", 0.0),
    "metrics_torch": ("torch", 0.0),
    "objective_torch": ("torch", 0.05),
    "onnx_encoder": ("torch", 0.02),
    "onnx_scorer": ("numpy", 0.01),
    "pandas_groups": ("numpy", 0.0),
    "sklearn_scorers": ("numpy", 0.02),
}
TWO_STEPS = ("train_in_torch", "score_in_numpy")
SHOWN = re.compile(r"```\{literalinclude\} \S+/(\w+)\.py\n.*?```\n\nIt prints\n\n```text\n(.*?)```", re.DOTALL)
PRINTED = {name: text for page in RECIPES.glob("*.md") for name, text in SHOWN.findall(page.read_text())}
NUMBER = re.compile(r"\d+\.\d+")
# Lightning warns of PyTorch's deprecations and of the loaders' single process, torch of its own older exporter
CHATTY = {"lightning_torch", "onnx_encoder"}

# as if no framework were installed
FRAMEWORKS = ("torch", "jax", "jaxlib", "tensorflow", "keras", "dask", "array_api_strict", "cupy")
ALONE = f"""
import sys, runpy
class Absent:
    def find_spec(name, path, target=None):
        if name.partition(".")[0] in {FRAMEWORKS}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent)
runpy.run_path(sys.argv[1], run_name="__main__")
assert not set({FRAMEWORKS}) & set(sys.modules)
"""


def check_printed(name, folder, *how):
    """Run a script in a folder, and compare what it prints with the page: words as they are, numbers nearly."""
    script, allowed = RECIPES.parent / "examples" / f"{name}.py", SCRIPTS.get(name, ("", 0.01))[1]
    command = [sys.executable, *([] if name in CHATTY else ["-W", "error"]), *how, str(script)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    assert NUMBER.sub("", done.stdout).split() == NUMBER.sub("", PRINTED[name]).split()
    found, expected = (np.asarray([float(x) for x in NUMBER.findall(text)]) for text in (done.stdout, PRINTED[name]))
    np.testing.assert_allclose(found, expected, rtol=0, atol=allowed)
    return found


def test_each_script_of_a_recipe_is_run():
    assert sorted(PRINTED) == sorted([*SCRIPTS, *TWO_STEPS])


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.library(SCRIPTS[name][0])) for name in SCRIPTS])
def test_a_script_prints_what_its_page_says(name, tmp_path):
    check_printed(name, tmp_path)


@pytest.mark.library("torch")
def test_what_torch_has_trained_is_scored_where_no_framework_can_be_imported(tmp_path):
    (in_torch,) = check_printed("train_in_torch", tmp_path)
    in_numpy, precision, recall = check_printed("score_in_numpy", tmp_path, "-c", ALONE)
    assert abs(in_numpy - in_torch) < 2e-4  # the digits that are printed
    assert in_torch > 0.97
    assert min(precision, recall) > 0.9
    # what was trained has the same scores, in double precision to see all digits
    import torch

    import anomaly_kernels.torch as akt

    params = load_params(tmp_path / "detector.safetensors")
    rows = np.random.default_rng(0).normal(size=(500, 9))
    model = set_params_tree(akt.SequenceAnomalyScoreLayer(in_features=9, hidden_units=[32, 16]), params).double().eval()
    with torch.no_grad():
        scores = model(torch.tensor(rows)).numpy()
    double = {name: x.astype(np.float64) for name, x in params.items()}
    np.testing.assert_allclose(ak.sequence_anomaly_score(double, rows), scores, rtol=1e-6)
