"""`array_namespace`: arrays of one library give its namespace, everything else an error that says what was given."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import anomaly_kernels as ak
from anomaly_kernels._core import namespace
from anomaly_kernels._core.typing import Namespace
from anomaly_kernels.testing.drivers import driver_for

X = np.zeros(3)
NAMES = {name for name in {*vars(Namespace), *Namespace.__annotations__} if not name.startswith("_")}


def test_the_namespace_has_the_librarys_name_and_every_function(driver):
    xp = ak.array_namespace(driver.array(X))
    assert xp.name == driver.name
    assert [name for name in NAMES if not hasattr(xp, name)] == []
    assert repr(xp).startswith("<") and driver.name in repr(xp).lower()


def test_the_namespace_is_one_object(driver):
    x, y = driver.array(X), driver.array(np.ones((2, 2)), "float32")
    assert ak.array_namespace(x) is ak.array_namespace(y) is ak.array_namespace(x, y, x)


def test_numbers_and_none_among_arrays_are_passed_over(driver):
    x = driver.array(X)
    for arrays in [(x, 1.0), (1, x), (None, x, True), (x, 2j, None), (None, 0.5, x, x)]:
        assert ak.array_namespace(*arrays) is ak.array_namespace(x)


@pytest.mark.parametrize("arrays", [(), (1.0,), (None,), (1, None, True)])
def test_without_arrays_there_is_no_library(arrays):
    with pytest.raises(TypeError, match="^arrays of one library are needed .*, got none$"):
        ak.array_namespace(*arrays)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ([1.0, 2.0], "list"),
        ((1.0,), "tuple"),
        ("text", "str"),
        ({"a": 1}, "dict"),
        (np.ma.masked_array([1.0, 2.0], [True, False]), "numpy.MaskedArray"),
        (memoryview(b"abc"), "memoryview"),
        (np.float64, "type"),
        (object(), "object"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_what_is_no_array_is_named(given, named, driver):
    x = driver.array(X)
    for arrays, message in [
        ((given,), f"`argument 0`: {named}"),
        ((x, given), f"`argument 1`: {named}"),
        ((given, x), f"`argument 0`: {named}"),
        ((x, 1.0, given), f"`argument 2`: {named}"),
    ]:
        for _ in range(2):  # found out, and remembered
            with pytest.raises(TypeError, match=f"^arrays of one library are needed .*{message}"):
                ak.array_namespace(*arrays)


def test_matrices_mean_something_else():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        matrix = np.matrix([[1.0, 2.0]])
    with pytest.raises(TypeError, match=r"`argument 0`: numpy\.matrix"):
        ak.array_namespace(matrix)


def test_data_frames_are_no_arrays():
    pandas = pytest.importorskip("pandas")
    for given in (pandas.Series(X), pandas.DataFrame({"a": X})):
        with pytest.raises(TypeError, match=f"`argument 0`: pandas.{type(given).__name__}"):
            ak.array_namespace(given)


@pytest.mark.library("torch", "jax", "tensorflow", "dask", "array_api_strict")
def test_libraries_do_not_mix(driver):
    x = driver.array(X)
    for arrays in [(x, X), (X, x), (x, x, X)]:
        with pytest.raises(TypeError, match=r"^arrays of one library are needed .*numpy\.ndarray"):
            ak.array_namespace(*arrays)
    with pytest.raises(TypeError, match=r"`x_true`: numpy\.ndarray, `x_pred`: "):
        ak.mse_reconstruction_loss(X, x)


def test_numpy_scalars_and_subclasses_are_arrays_of_numpy(tmp_path):
    class Labelled(np.ndarray):
        pass

    memory_map = np.memmap(tmp_path / "x", np.float64, "w+", shape=(3,))
    for x in (np.float32(1.0), np.asarray(1.0), X.view(Labelled), memory_map, np.bool_(1), np.rec.array(X)):
        assert ak.array_namespace(x).name == "numpy"
    assert ak.mean_squared_anomaly(memory_map) == 0


def test_a_type_is_looked_up_once(monkeypatch):
    class Labelled(np.ndarray):
        pass

    x = X.view(Labelled)
    assert ak.array_namespace(x, x).name == "numpy"
    monkeypatch.setattr(namespace, "_look_up", None)
    assert ak.array_namespace(x, X).name == "numpy"
    assert namespace.namespace_or_none(x).name == "numpy"
    assert namespace.common_namespace({"x": x}).name == "numpy"


@pytest.mark.parametrize(
    ("given", "named"),
    [(1.0, "float"), (X, "numpy.ndarray"), (None, "NoneType"), (np.float32(1), "numpy.float32"), (len, "builtin_f")],
)
def test_types_are_described_as_users_know_them(given, named):
    assert namespace.describe(given).startswith(named)


@pytest.mark.library("torch")
def test_parameters_and_other_tensors_are_arrays_of_torch(driver):
    torch = driver.module
    fakes = torch._subclasses.fake_tensor.FakeTensorMode()
    buffer = torch.nn.Buffer(torch.zeros(2))
    for x in (torch.nn.Parameter(torch.zeros(2)), buffer, fakes.from_tensor(torch.zeros(2)), torch.zeros(2).to("meta")):
        assert ak.array_namespace(x).name == "torch"
    parameter = torch.nn.Parameter(torch.ones(2))
    ak.mean_squared_anomaly(parameter).backward()
    np.testing.assert_array_equal(parameter.grad, [1.0, 1.0])


@pytest.mark.library("torch")
def test_torch_compiles_without_warnings_and_without_compiling_again(driver, tmp_path):
    torch = driver.module
    from torch._dynamo.testing import CompileCounter

    counter = CompileCounter()
    torch.compiler.reset()
    compiled = torch.compile(
        lambda x, y: ak.anomaly_bce_with_logits(y, x, pos_weight=2.0), backend=counter, fullgraph=True
    )
    x, y = torch.randn(4, 3), torch.rand(4, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = compiled(x, y)

        class Labelled(np.ndarray):
            pass

        for seen in (X.view(Labelled), np.memmap(tmp_path / "x", np.float64, "w+", shape=(3,)), np.int8(1)):
            ak.array_namespace(seen)
        for _ in range(3):
            compiled(x, y)
    assert counter.frame_count == 1
    torch.testing.assert_close(first, ak.anomaly_bce_with_logits(y, x, pos_weight=2.0))


@pytest.mark.library("torch")
def test_lists_are_refused_while_torch_compiles(driver):
    torch = driver.module
    torch.compiler.reset()
    compiled = torch.compile(lambda x: ak.mean_squared_anomaly(x, weight=[1.0]), backend="eager")
    with pytest.raises(TypeError, match="`weight` must be a number or a 0-d array, got list"):
        compiled(torch.zeros(2))


@pytest.mark.library("jax")
def test_tracers_of_every_transformation_are_arrays_of_jax(driver):
    jax, seen = driver.module, []

    def function(x):
        seen.append(ak.array_namespace(x).name)
        return (x * x).sum()

    x = jax.numpy.zeros((2, 3))
    jax.jit(function)(x)
    jax.grad(function)(x)
    jax.vmap(function)(x)
    jax.jvp(function, (x,), (x,))
    jax.eval_shape(function, x[0])  # another shape: traces are remembered
    jax.jit(jax.vmap(jax.grad(function)))(x)
    assert seen == ["jax"] * len(seen)
    assert len(seen) >= 6


@pytest.mark.library("tensorflow")
def test_variables_and_symbols_are_arrays_of_tensorflow(driver):
    tf, seen = driver.module, []

    @tf.function
    def function(x):
        seen.append(ak.array_namespace(x).name)
        return x

    assert ak.array_namespace(tf.Variable([1.0])).name == "tensorflow"
    function(tf.zeros(2))
    assert seen == ["tensorflow"]
    variable = tf.Variable([1.0, 3.0])
    with tf.GradientTape() as tape:
        loss = ak.mean_squared_anomaly(variable)
    assert loss.numpy() == 5.0
    np.testing.assert_array_equal(tape.gradient(loss, variable), [1.0, 3.0])


@pytest.mark.library("tensorflow")
@pytest.mark.parametrize("kind", ["RaggedTensor", "SparseTensor"])
def test_ragged_and_sparse_tensors_are_no_arrays(kind, driver):
    tf = driver.module
    x = tf.ragged.constant([[1.0], [2.0, 3.0]]) if kind == "RaggedTensor" else tf.sparse.from_dense([[0.0, 1.0]])
    with pytest.raises(TypeError, match=f"`argument 0`: tensorflow.{kind}"):
        ak.array_namespace(x)


@pytest.mark.library("dask")
def test_data_frames_of_dask_are_no_arrays(driver):
    bag = pytest.importorskip("dask.bag").from_sequence([1, 2])
    with pytest.raises(TypeError, match="`argument 0`: dask.Bag"):
        ak.array_namespace(bag)


@pytest.mark.library("array_api_strict")
def test_a_library_without_a_backend_is_known_through_the_standard(driver):
    xp = ak.array_namespace(driver.array(X))
    assert type(xp).__name__ == "Generic"
    assert driver.numpy(ak.mean_squared_anomaly(driver.array(np.ones(3)))) == 1


def test_a_call_finds_its_namespace_without_a_framework():
    code = (
        "import sys, numpy as np, anomaly_kernels as ak\n"
        "ak.array_namespace(np.zeros(2)).name\n"
        "try:\n    ak.array_namespace([1.0])\nexcept TypeError:\n    pass\n"
        "assert not {'torch', 'jax', 'tensorflow', 'dask', 'cupy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True)


def test_a_framework_whose_import_is_forbidden_is_not_asked(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert ak.array_namespace(np.ones(2)).name == "numpy"
    assert ak.mean_squared_anomaly(np.ones(2)) == 1.0


def test_a_driver_of_an_unknown_library_is_refused():
    with pytest.raises(ValueError, match="`name` must be one of numpy, .*, got 'pandas'"):
        driver_for("pandas")


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 5)])
@pytest.mark.parametrize("side", ["left", "right"])
def test_rows_are_searched_and_ordered_each_by_itself(driver, shape, side):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, size=(2, *shape)).astype(float)
    xp = ak.array_namespace(driver.array(x))
    order = xp.argsort(driver.array(x))
    ordered = xp.take_along_axis(driver.array(x), order)
    np.testing.assert_array_equal(driver.numpy(ordered), np.sort(x))
    rows = zip(np.sort(x).reshape(-1, shape[-1]), y.reshape(-1, shape[-1]), strict=True)
    expected = np.stack([np.searchsorted(a, b, side) for a, b in rows]).reshape(shape)
    np.testing.assert_array_equal(driver.numpy(xp.searchsorted(ordered, driver.array(y), side=side)), expected)


@pytest.mark.parametrize("dtype", ["float64", "int32", "int64"])
def test_equals_keep_their_order_where_that_is_asked_for(driver, dtype):
    x = np.random.default_rng(0).integers(0, 3, size=(2, 300)).astype(dtype)
    order = ak.array_namespace(driver.array(x)).argsort(driver.array(x), stable=True)
    np.testing.assert_array_equal(driver.numpy(order), np.argsort(x, stable=True))


def test_no_rows_are_searched(driver):
    x = driver.array(np.zeros((0, 3)))
    xp = ak.array_namespace(x)
    assert tuple(xp.searchsorted(x, x).shape) == (0, 3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_order_statistics_are_entries_of_the_sorted_numbers(driver, dtype):
    x = driver.array(np.asarray([3.0, -1.0, np.inf, 2.0]), dtype)
    found = ak.array_namespace(x).order_statistics(x, [3, 0, 1, 1])
    assert [tuple(each.shape) for each in found] == [()] * 4
    assert {driver.dtype_name(each) for each in found} == {dtype}
    assert [float(driver.numpy(each)) for each in found] == [np.inf, -1.0, 2.0, 2.0]


@pytest.mark.parametrize("shape", [(7,), (2, 9), (2, 1, 5)])
def test_the_least_so_far_and_the_largest_of_each_row(driver, shape):
    x = np.random.default_rng(0).normal(size=shape)
    given = driver.array(x)
    xp = ak.array_namespace(given)
    np.testing.assert_array_equal(driver.numpy(xp.cumulative_min(given)), np.minimum.accumulate(x, axis=-1))
    for k in (1, 3, shape[-1]):
        largest, places = map(driver.numpy, xp.top_k(given, min(k, shape[-1])))
        np.testing.assert_array_equal(largest, np.sort(x)[..., ::-1][..., :k])
        np.testing.assert_array_equal(np.take_along_axis(x, places.astype(np.int64), -1), largest)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_next_number_is_that_of_the_dtype(driver, dtype):
    x = np.asarray([0.0, 1.0, -1.0, np.inf, -np.inf, np.nan], dtype)
    given = driver.array(x, dtype)
    xp = ak.array_namespace(given)
    above = xp.nextafter(given, xp.full_like(given, np.inf))
    assert driver.dtype_name(above) == dtype
    np.testing.assert_array_equal(driver.numpy(above)[1:], np.nextafter(x, np.asarray(np.inf, dtype))[1:])
    assert driver.numpy(above)[0] >= 0  # some round numbers this small to 0


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_classes_are_sorted_apart(driver, dtype, share):
    if driver.name == "dask":
        pytest.skip("has other ways for masks")
    rng = np.random.default_rng(0)
    mask, x = rng.random(300) < share, (100 * rng.normal(size=300)).astype(dtype)
    xp = ak.array_namespace(driver.array(x))
    given = driver.array(x)
    inside, outside = xp.sorted_classes(given, driver.array(mask))
    np.testing.assert_array_equal(driver.numpy(inside), np.sort(x[mask]))
    np.testing.assert_array_equal(driver.numpy(outside), np.sort(x[~mask]))
    np.testing.assert_array_equal(driver.numpy(given), x)


@pytest.mark.parametrize("share", [0.0, 1e-3, 0.3, 0.999, 1.0, np.nan])
@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "int32", "infinite", "equal", "rows"])
def test_highest_numbers_are_sorted_and_the_others_are_lower(driver, kind, share):
    if driver.name == "dask":
        pytest.skip("has other ways for masks")
    rng = np.random.default_rng(1)
    x, mask = np.round(5 * rng.normal(size=(60, 5))), rng.random((60, 5)) < 0.1
    if kind == "infinite":
        x[x < 3] = -np.inf
    x, mask = (0 * x if kind == "equal" else x), (mask[:, 0] if kind == "rows" else mask)
    x = x.astype(kind if kind[-1] in "24" else "float64")
    expected = np.sort(x[~mask], axis=None)
    given = driver.array(x)
    xp = ak.array_namespace(given)
    for highest in (share, driver.array(np.asarray(share))):
        found = driver.numpy(xp.sort_highest(given, driver.array(mask), highest))
        np.testing.assert_array_equal(driver.numpy(given), x)
        assert (found.shape, found.dtype) == (expected.shape, x.dtype)
        assert (found[1:] >= found[:-1]).all()
        for threshold in np.unique(expected):
            at, above = (expected >= threshold).sum(), (expected > threshold).sum()
            if above <= share * expected.size or share != share:
                assert ((found >= threshold).sum(), (found > threshold).sum()) == (at, above)
            else:
                assert (found > threshold).sum() > share * expected.size
    nothing = xp.sort_highest(given, driver.array(np.ones_like(mask)), share)
    assert driver.numpy(nothing).shape == (0,)


def test_dtypes_to_add_and_to_count_in(driver):
    x = driver.array(X, "float32")
    xp = ak.array_namespace(x)
    assert driver.dtype_name(xp.astype(x, xp.wide(x))) == "float64"
    assert driver.dtype_name(xp.astype(x, xp.counting())) == "int64"
    assert xp.is_known(x) is (driver.name != "dask")  # where it is lazy no result may have a shape that depends on it


def test_arrays_become_those_of_numpy(driver):
    x = driver.array(np.asarray([[1.5, -2.0]]), "float32")
    found = ak.array_namespace(x).to_numpy(x)
    assert (type(found), found.dtype, found.tolist()) == (np.ndarray, np.float32, [[1.5, -2.0]])


@pytest.mark.library("torch")
def test_tensors_that_numpy_does_not_read_by_itself_become_arrays(driver):
    torch = driver.module
    learnt = torch.nn.Parameter(torch.tensor([1.5, -2.0]))
    for x in (learnt, 2.0 * learnt / 2.0, learnt.bfloat16()):
        assert ak.array_namespace(x).to_numpy(x).tolist() == [1.5, -2.0]


PAIR = np.random.default_rng(0).uniform(-2.0, 2.0, (2, 3, 4))
BEYOND_THE_STANDARD = {
    "squared_difference": (lambda xp, x, y, how: xp.squared_difference(x, y, how), lambda x, y: (x - y) ** 2),
    "squared_difference from a row": (
        lambda xp, x, y, how: xp.squared_difference(x, y[0, :], how),
        lambda x, y: (x - y[0]) ** 2,
    ),
    "cross_entropy": (
        lambda xp, x, y, how: xp.cross_entropy(x, y, how),
        lambda x, y: np.maximum(x, 0.0) - x * y + np.log1p(np.exp(-np.abs(x))),
    ),
    "clip": (
        lambda xp, x, y, how: xp.reduce_by(how, xp.clip(x, -0.5, 1.0)),
        lambda x, y: np.clip(x, -0.5, 1.0),
    ),
    "clip to arrays": (
        lambda xp, x, y, how: xp.reduce_by(how, xp.clip(x, 0.0 * y - 0.5, 0.0 * y + 1.0)),
        lambda x, y: np.clip(x, -0.5, 1.0),
    ),
    "sum_of_products": (lambda xp, x, y, how: xp.sum_of_products(x, y), lambda x, y: np.sum(x * y)),
}


@pytest.mark.parametrize("name", BEYOND_THE_STANDARD)
@pytest.mark.parametrize("how", ["none", "mean", "sum"])
@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-14), ("float32", 2e-6)])
def test_what_is_beyond_the_standard_is_what_it_says(name, how, dtype, rtol, driver):
    call, reference = BEYOND_THE_STANDARD[name]
    for shape in ((3, 4), (12,), (1, 1)):
        x, y = (np.asarray(each.reshape(-1)[: np.prod(shape)].reshape(shape), dtype) for each in PAIR)
        if len(shape) == 1 and "row" in name:
            continue
        given = driver.array(x, dtype), driver.array(y, dtype)
        found = driver.numpy(call(ak.array_namespace(*given), *given, how))
        values = reference(x.astype(float), y.astype(float))
        expected = values if how == "none" or values.ndim == 0 else getattr(values, how)()
        assert (found.dtype, found.shape) == (dtype, np.shape(expected))
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)


def test_products_of_any_number_add_up(driver):
    for size in (1, 1023, 1024, 1025, 5000):
        x, y = (np.random.default_rng(seed).uniform(0.5, 1.0, size).astype(np.float32) for seed in (0, 1))
        given = driver.array(x), driver.array(y)
        found = driver.numpy(ak.array_namespace(*given).sum_of_products(*given))
        assert found == pytest.approx(np.sum(x.astype(float) * y), rel=1e-6)


INSIDE = np.random.default_rng(1).uniform(-0.95, 0.95, (3, 4))
MIXED = np.asarray([[-1.5, -0.5, 0.0, 0.5], [1.5, 2.5, 1.0, -1.0], [np.inf, -np.inf, np.nan, 1.0]])
# The standard's own functions that losses of other people use: what to call them with
COMMON = {
    **dict.fromkeys(["acos", "asin", "asinh", "atan", "atanh", "cos", "cosh", "sin", "sinh", "tan"], (INSIDE,)),
    **dict.fromkeys(["square", "negative", "matrix_transpose", "all", "argmax", "argmin", "var", "std"], (INSIDE,)),
    **dict.fromkeys(["ceil", "floor", "round", "sign", "isinf"], (MIXED,)),
    **dict.fromkeys(["acosh", "log2", "log10"], (1.5 + INSIDE,)),
    **dict.fromkeys(["add", "subtract", "multiply", "atan2", "logaddexp", "vecdot"], (INSIDE, INSIDE[::-1].copy())),
    **dict.fromkeys(
        ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"], (MIXED, MIXED[::-1].copy())
    ),
    "pow": (1.5 + INSIDE, INSIDE),
    "squeeze": (INSIDE[:, :1],),
    "full_like": (INSIDE,),
}
SETTINGS = {
    "squeeze": ({"axis": 1}, {"axis": -1}),
    "all": ({}, {"axis": 0}, {"axis": (0, 1), "keepdims": True}),
    "argmax": ({}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"keepdims": True}),
    "argmin": ({}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"keepdims": True}),
    "var": ({}, {"axis": 0}, {"axis": (0, 1), "keepdims": True}, {"axis": -1, "correction": 1}),
    "std": ({}, {"axis": 0}, {"axis": (0, 1), "keepdims": True}, {"axis": -1, "correction": 1.5}),
    "vecdot": ({}, {"axis": 0}),
}


@pytest.mark.parametrize("name", COMMON)
def test_common_functions_mean_what_the_standard_says(name, driver):
    import array_api_compat.numpy as standard

    beside = (0.25,) if name == "full_like" else ()
    for settings in SETTINGS.get(name, ({},)):
        for dtype in ("float64", "float32"):
            inputs = [np.asarray(x, dtype) for x in COMMON[name]]

            def call(arrays, settings=settings):
                return getattr(ak.array_namespace(*arrays), name)(*arrays, *beside, **settings)

            with np.errstate(all="ignore"):
                expected = np.asarray(getattr(standard, name)(*inputs, *beside, **settings))
                found = driver.numpy(driver.evaluator(call)([driver.array(x) for x in inputs]))
            assert found.shape == expected.shape
            assert expected.dtype.kind != "f" or found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=16 * np.finfo(dtype).eps, atol=4 * np.finfo(dtype).eps)


def test_the_sum_of_exponentials_is_right_where_one_is_nothing(driver):
    x, y = (np.asarray(v) for v in ([-np.inf, -np.inf, 0.0, 1000.0, np.inf], [-np.inf, 0.0, -np.inf, 1000.0, 0.0]))
    arrays = driver.array(x), driver.array(y)
    found = driver.numpy(ak.array_namespace(*arrays).logaddexp(*arrays))
    np.testing.assert_allclose(found, np.logaddexp(x, y), rtol=1e-15)


def test_constants_are_numbers(driver):
    xp = ak.array_namespace(driver.array(X))
    assert (xp.pi, xp.e, xp.inf) == (np.pi, np.e, np.inf)
    assert np.isnan(xp.nan)


def test_a_function_that_is_missing_says_so(driver):
    xp = ak.array_namespace(driver.array(X))
    with pytest.raises(AttributeError, match=rf"^the namespace of {xp.name} has no `coshh`; did you mean `cosh`\? Its"):
        xp.coshh  # noqa: B018
    with pytest.raises(AttributeError, match=rf"^the namespace of {xp.name} has no `fft`\. Its functions are those"):
        xp.fft  # noqa: B018
    assert not hasattr(xp, "_private")


def test_the_page_lists_the_functions_of_the_namespace():
    page = (Path(__file__).parent.parent / "docs" / "authoring.md").read_text()
    listed = set(re.findall(r"`(\w+)[`(]", page[page.index("## Functions of the namespace") :]))
    inside = {  # what evaluates formulas and checks arguments
        *("reduce", "reduce_by", "add_up", "evaluate", "evaluate_rows", "fold", "wide", "counting", "is_known", "peek"),
        *("has_open_shapes", "refuse_open_rank", "check_sizes_at_run_time", "has_devices", "device", "to_numpy"),
        *("is_lean", "as_one", "squared_difference", "cross_entropy", "sum_of_products", "sorted_classes"),
        *(
            "sort_highest",
            "order_statistics",
            "evaluate_rows",
            "region_numbers",
            "region_numbers_inside",
            "by_rows",
            "name",
        ),
    }
    assert NAMES - listed == inside
    assert listed - NAMES == {"AttributeError"}
