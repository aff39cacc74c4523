"""The project itself: what an import loads, who may import what, what is published, what the README says."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import anomaly_kernels as ak
from anomaly_kernels._catalogue import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
KERNELS = [entry.name for entry in CATALOGUE]
FRAMEWORKS = ["torch", "jax", "tensorflow", "keras", "dask", "cupy", "array_api_strict"]


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def python(code: str) -> object:
    """What a fresh interpreter prints as JSON, without coverage's hooks, which slow imports down."""
    return json.loads(run(sys.executable, "-I", "-c", code))


def test_import_loads_numpy_and_array_api_compat_and_nothing_else():
    loaded = python(
        "import sys; before = set(sys.modules)\n"
        "import anomaly_kernels, json\n"
        "roots = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(json.dumps(sorted(roots - set(sys.stdlib_module_names))))"
    )
    assert "anomaly_kernels" in loaded
    assert set(loaded) <= {"anomaly_kernels", "array_api_compat", "numpy", "_distutils_hack"}


def test_numpy_arrays_load_no_framework():
    loaded = python(
        "import json, sys, numpy as np, anomaly_kernels as ak\n"
        "ak.iou_loss(np.asarray([0, 1]), np.asarray([0.5, 2.0]))\n"
        "ak.gmm_energy(np.eye(2), ak.gmm_params(np.eye(2), np.ones((2, 1))))\n"
        f"print(json.dumps([name for name in {FRAMEWORKS} if name in sys.modules]))"
    )
    assert loaded == []


def test_import_takes_under_150_ms_beyond_numpy():
    code = (
        "import json, numpy, time; started = time.perf_counter()\n"
        "import anomaly_kernels\n"
        "print(json.dumps(time.perf_counter() - started))"
    )
    assert min(python(code) for _ in range(5)) < 0.15


def test_modules_import_what_they_may():
    assert "Contracts: 7 kept, 0 broken." in run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")


FRAMEWORK_CODE = ("_core/backends/", "torch/", "keras/", "jax/", "testing/drivers")
TABLES = {
    "_core/namespace.py",  # from the module of a type to its backend
    "_catalogue.py",  # the kind of each kernel's class in every framework
    "_cli/children.py",  # how a library is installed
}


def framework_names(path: Path) -> set[str]:
    """The frameworks that a file of Python names: in imports, names and attributes, and where strings begin."""
    words = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.alias(name=word) | ast.ImportFrom(module=str(word)):
                words |= set(word.split("."))
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.keyword(arg=str(word)):
                words.add(word)
            case ast.Constant(value=str(word)):
                words.add(word.partition(".")[0])
    return words & {*FRAMEWORKS, "tf", "jaxlib"}


def test_frameworks_are_named_by_backends_and_adapters_and_in_tables_alone():
    package = ROOT / "anomaly_kernels"
    files = {path.relative_to(package).as_posix(): path for path in package.rglob("*.py")}
    naming = {name for name, path in files.items() if not name.startswith(FRAMEWORK_CODE) and framework_names(path)}
    assert naming == TABLES


def test_a_misspelt_function_of_a_namespace_is_a_type_error(tmp_path):
    kernel = tmp_path / "kernel.py"
    text = (
        "from anomaly_kernels import array_namespace\n"
        "from anomaly_kernels._core.typing import Array\n\n\n"
        "def total(scores: Array) -> Array:\n"
        "    return array_namespace(scores).sum(scores)\n"
    )
    mypy = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(kernel)]
    kernel.write_text(text)
    run(*mypy)
    kernel.write_text(text.replace(".sum(", ".summ("))
    done = subprocess.run(mypy, cwd=ROOT, capture_output=True, text=True, check=False)
    assert '"Namespace" has no attribute "summ"' in done.stdout


@pytest.mark.parametrize("name", KERNELS)
def test_kernel_is_public_and_has_an_example(name):
    assert name in ak.__all__
    assert doctest.DocTestParser().get_examples(getattr(ak, name).__doc__)


def test_examples_in_folders_of_every_depth_are_run():
    spec = importlib.util.spec_from_file_location("root_conftest", ROOT / "conftest.py")
    conftest = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conftest)
    package = ROOT / "anomaly_kernels"
    with_examples = [path for path in package.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8")]
    left_out = {
        path.relative_to(package).parts[0] for path in with_examples if not conftest.docstrings.should_parse(path)
    }
    assert left_out == {"torch", "keras", "jax"}
    assert package / "metrics" / "regions" / "curve.py" in with_examples


def test_readme_names_every_kernel():
    assert [name for name in KERNELS if f"`{name}`" not in README] == []


def test_links_and_pictures_of_the_readme_are_there():
    targets = re.findall(r"\]\((?!https:)([^)#]+)", README) + re.findall(r'src="([^"]+)"', README)
    assert len(targets) > 10
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_pages_name_tests_and_files_that_exist():
    text = "".join((ROOT / "docs" / page).read_text() for page in ("architecture.md", "promises.md"))
    tests = set(re.findall(r"`(test_\w+)`", text))
    defined = {
        name for file in ROOT.glob("tests/test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    paths = set(re.findall(r"`([\w/]+(?:/|\.py|\.md))`", text))
    folders = (ROOT, ROOT / "anomaly_kernels", ROOT / "anomaly_kernels" / "_classes")
    assert tests
    assert paths
    assert tests - defined == set()
    assert {path for path in paths if not any((folder / path).exists() for folder in folders)} == set()


def test_the_picture_of_imports_is_current():
    run(sys.executable, "docs/imports.py", "--check")


@pytest.mark.library("torch")
def test_readme_examples_for_torch():
    examples = re.findall(r"```python\n(>>> import (?:torch|anomaly_kernels\.torch)\b.*?)```", README, flags=re.DOTALL)
    assert len(examples) == 2
    test = doctest.DocTestParser().get_doctest("\n".join(examples), {}, "README.md", None, None)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that is built from the source distribution, unpacked beside NumPy and array-api-compat alone."""
    built, folder = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(built))
    (path,) = built.glob("*.whl")
    zipfile.ZipFile(path).extractall(folder)
    for needed in ("numpy", "array_api_compat"):
        home = Path(importlib.util.find_spec(needed).origin).parent
        for found in home.parent.glob(f"{needed}*"):  # numpy.libs too
            (folder / found.name).symlink_to(found)
    return folder


def test_wheel_holds_the_data_the_licences_and_the_marker_of_types(wheel):
    files = {path.relative_to(wheel).as_posix() for path in wheel.rglob("*") if path.is_file()}
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "anomaly_kernels").rglob("*") if path.is_file()}
    assert {path for path in sources if "__pycache__" not in path} <= files
    assert {f"anomaly_kernels/{name}" for name in ("data/ecg.npz", "data/shuttle.npz", "py.typed")} <= files
    (metadata,) = wheel.glob("anomaly_kernels-*.dist-info/METADATA")
    assert not re.search(r"\]\((?!https?:)|src=\"(?!https?:)", metadata.read_text()), "links lead nowhere on PyPI"
    (licences,) = wheel.glob("anomaly_kernels-*.dist-info/licenses")
    assert "BSD 3-Clause" in (licences / "LICENSE").read_text()
    of_data = (licences / "anomaly_kernels" / "data" / "README.md").read_text()
    assert "CC BY 4.0" in of_data
    assert "ODC-By 1.0" in of_data


def test_wheel_works_where_there_is_nothing_but_numpy(wheel):
    code = (
        f"import sys; sys.path.append({str(wheel)!r})\n"
        "import anomaly_kernels as ak, json\n"
        "from anomaly_kernels.data import load_shuttle\n"
        "data = load_shuttle()\n"
        "rows = data.features.astype(float)\n"
        "params = ak.mahalanobis_fit(rows[~data.target])\n"
        "score = ak.mahalanobis_score(rows, params.mean, params.chol)\n"
        "print(json.dumps([ak.__file__, float(ak.roc_auc(data.target, score)), sorted(sys.modules)]))"
    )
    file, area, loaded = json.loads(run(sys.executable, "-I", "-S", "-c", code))
    assert Path(file).is_relative_to(wheel)
    assert area > 0.9
    assert not {*FRAMEWORKS, "matplotlib", "rich", "scipy"} & {*loaded}


def test_version_is_the_installed_one():
    from importlib.metadata import version

    assert version("anomaly-kernels") == ak.__version__


@pytest.mark.parametrize("framework", ["jax", "keras", "torch"])
def test_a_missing_framework_is_named_with_its_extra(framework):
    code = f"import sys; sys.modules['{framework}'] = None; import anomaly_kernels.{framework}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    message = f"`anomaly_kernels.{framework}` needs {framework}: pip install 'anomaly-kernels[{framework}]'"
    assert done.stderr.strip().endswith(f"ModuleNotFoundError: {message}")


def test_the_project_has_addresses_a_changelog_and_says_for_which_pythons_it_is():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {"Documentation", "Repository", "Issues", "Changelog"} <= project["urls"].keys()
    assert f"## [{ak.__version__}]" in (ROOT / "CHANGELOG.md").read_text()
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)} <= {*project["classifiers"]}


def test_completion_shows_public_names_alone():
    packages = {"data", "losses", "metrics", "networks", "plots", "streaming", "testing", "weights"}
    for name in packages:
        module = importlib.import_module(f"anomaly_kernels.{name}")
        assert dir(module) == sorted(module.__all__)


def test_tests_that_are_run_on_fewer_libraries_are_there():
    files = list(ROOT.glob("tests/test_*.py"))
    there = {name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)}
    named = set(re.findall(r'"(test_\w+)"', (ROOT / "tests" / "conftest.py").read_text()))
    assert named - there - {file.stem for file in files} == set()
