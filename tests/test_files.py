"""Files that may come from anyone: their content comes back as it was saved, or is one error that says why not."""

from __future__ import annotations

import importlib
import json
import os
import time

import numpy as np
import pytest
from adapters import all_variants
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import anomaly_kernels as ak

pytestmark = [
    pytest.mark.library("torch", "tensorflow"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning"),  # Keras' own
]


@pytest.fixture
def package(driver):
    return importlib.import_module(f"anomaly_kernels.{'torch' if driver.name == 'torch' else 'keras'}")


def refused(load, path):
    """The message of the error that reading raises, within a second; it names the file."""
    start = time.process_time()
    with pytest.raises(ak.FileError) as caught:
        load(path)
    assert time.process_time() - start < 2
    message = str(caught.value)
    assert str(path)[:40] in message
    assert 10 < len(message) <= 500
    message.encode()  # no surrogates, which no terminal shows
    return message


def array(values, dtype="float32"):
    return {"dtype": dtype, "array": values}


SETTINGS = {
    "complex": (array(1.0, "complex64"), "data type 'complex64' not understood"),
    "no dtype": (array(1.0, "save"), "data type 'save' not understood"),
    "objects": (array([None], "object"), "data type 'object' not understood"),
    "structured": (array([1.0], "f4," * 100_000), "data type 'f4,f4,"),
    "too large": (array([1.0, 1e300]), "`weight` must be an array of float32, which does not hold all its numbers"),
    "half": (array(70000, "float16"), "does not hold all its numbers"),
    "brain": (array(3.4e38, "bfloat16"), "does not hold all its numbers"),
    "wraps": (array(300, "uint8"), "`weight` must be an array of uint8, which does not hold all its numbers"),
    "negative": (array(-1, "uint8"), "does not hold all its numbers"),
    "long": (array(10**30, "int64"), "`weight` must be an array of int64, got object"),
    "fraction": (array(1.5, "int64"), "`weight` must be an array of int64, got float64"),
    "flag": (array(True), "`weight` must be an array of float32, got bool"),
    "text": (array("1"), "`weight` must be an array of float32, got <U1"),
    "ragged": (array([[1.0], [1.0, 2.0]]), "inhomogeneous"),
    "mapping": (array({"a": 1}), "`weight` must be an array of float32, got object"),
    "none": (array([None]), "`weight` must be an array of float32, got object"),
    "deep": (array(json.loads("[" * 80 + "1.0" + "]" * 80)), ""),
    "infinite": ("1e999", "`weight` must be a number that fits a float"),
    "infinite in an array": ('{"dtype": "float64", "array": [-1e999]}', "`weight` must be a number that fits a float"),
    "huge": (10**400, "`weight` must be a number that fits a float, got one of 1329 bits"),
    "huger": ("1" * 5000, "Exceeds the limit"),
    "nan": ("NaN", "NaN is no JSON"),
    "infinity": ("-Infinity", "-Infinity is no JSON"),
    "float": ({"float": "much"}, "`weight` must be a number or a 0-d array, got dict"),
    "list": ([1.0], "`weight` must be a number or a 0-d array, got list"),
    "bool": (True, "`weight` must be a number or a 0-d array, got bool"),
    "null": (None, "`weight` must be a number or a 0-d array, got NoneType"),
    "twice": ('1.0, "weight": 2.0', "'weight' is there twice"),
    "twice inside": ('{"float": "inf", "float": "nan"}', "'float' is there twice"),
    "requires": (array(1.0) | {"requires_grad": "yes"}, "requires_grad"),
    "code": ({"class_name": "function", "module": "os"}, "`weight` must be a number or a 0-d array, got dict"),
    "other": ('1.0, "__class__": 1', "IoULoss has no setting `__class__`"),
    "private": ('1.0, "_set_state": 1', "IoULoss has no setting `_set_state`"),
    "kernel": ('1.0, "kernel": 1', "IoULoss has no setting `kernel`"),
    "axis": ('1.0, "axis": "__class__"', "`axis` must be an integer or a tuple of integers"),
    "surrogate": ('1.0, "\\ud800": 1', "IoULoss has no setting"),
    "nested": ("[" * 100_000 + "]" * 100_000, "it is nested too deeply"),
    "almost too nested": ("[" * 900 + "]" * 900, ""),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_hostile_setting_is_refused(name, package, tmp_path):
    value, message = SETTINGS[name]
    text = value if isinstance(value, str) else json.dumps(value)
    path = tmp_path / "loss.json"
    path.write_text('{"class": "IoULoss", "state": {}, "settings": {"weight": ' + text + "}}")
    found = refused(package.IoULoss.load, path)
    assert message in found
    assert f"{path} does not hold a IoULoss: " in found


BYTES = {
    "empty": (b"", "Expecting value"),
    "half": (b'{"class": "IoULoss", "settings": {"we', "Unterminated string"),
    "two": (b"{}{}", "Extra data"),
    "no text": (b"\xff\xfe{\x00}\x00", "'utf-8' codec"),
    "marked": (b"\xef\xbb\xbf{}", "BOM"),
    "nothing": (b"\x00" * 100, "Expecting value"),
    "number": (b"3", "does not hold a IoULoss"),
    "deep": (b'{"a":' * 200_000, "it is nested too deeply"),
    "large": (b" " * 4_000_001, "it must be no larger than 4000000 bytes"),
    "wide": (b"[" + b"[]," * 1_300_000 + b"1]", "it must have no more than 200000 lists and mappings"),
    "long": (b"[" + b"1," * 1_900_000 + b"1]", "does not hold a IoULoss"),
    "classes": (b'{"class": ["IoULoss"], "settings": {}, "state": {}}', "does not hold a IoULoss"),
}


@pytest.mark.parametrize("name", BYTES)
def test_a_file_of_other_bytes_is_refused(name, package, tmp_path):
    content, message = BYTES[name]
    path = tmp_path / "loss.json"
    path.write_bytes(content)
    assert message in refused(package.IoULoss.load, path)


STATES = {
    "complex": array(0.5, "complex64"),
    "complex too": array(0.5, "complex128"),
    "whole": array(1, "int64"),
    "flag": array(True, "bool"),
    "shape": array([0.5, 0.5]),
    "empty": array([]),
    "number": 0.5,
    "null": None,
    "text": "0.5",
    "too large": array(1e300),
    "object": {"module": "os", "class_name": "system", "config": {}},
}


@pytest.mark.parametrize("name", STATES)
def test_a_hostile_state_is_refused(name, package, tmp_path):
    path = tmp_path / "loss.json"
    all_variants()["DeepSVDDSoftBoundaryLoss-default"].made(package.__name__.split(".")[1], lambda x: x).save(path)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"state": {"r_unconstrained": STATES[name]}}))
    assert "does not hold a DeepSVDDSoftBoundaryLoss: " in refused(package.DeepSVDDSoftBoundaryLoss.load, path)


def test_a_state_of_another_precision_is_that_of_torch_alone(package, driver, tmp_path):
    path = tmp_path / "loss.json"
    loss = package.DeepSVDDSoftBoundaryLoss()
    if driver.name == "torch":
        loss.double().save(path)
        assert str(package.DeepSVDDSoftBoundaryLoss.load(path).r_unconstrained.dtype) == "torch.float64"
        return
    loss.build(None)
    loss.save(path)
    path.write_text(path.read_text().replace('"dtype": "float32",\n   "array"', '"dtype": "float64",\n   "array"'))
    assert "`r_unconstrained` must be of float32, got float64" in refused(package.DeepSVDDSoftBoundaryLoss.load, path)


@pytest.mark.library("tensorflow")
@pytest.mark.parametrize("name", ["dtype", "name", "reduction", "activity_regularizer", "trainable"])
def test_a_hostile_option_of_keras_is_refused(name, package, tmp_path):
    path = tmp_path / "loss.json"
    cls = package.DeepSVDDSoftBoundaryLoss if name in ("activity_regularizer", "trainable") else package.IoULoss
    for value in ({"module": "os", "class_name": "system", "config": {}}, [1], "no such", {"float": 1}):
        if value == "no such" and name in ("name", "trainable"):
            continue
        path.write_text(json.dumps({"class": cls.__name__, "state": {}, "settings": {name: value}}))
        refused(cls.load, path)


CONFIGS = [
    {"anomaly_kernels>model": 1},
    {"anomaly_kernels>model": {}, "weights": 3},
    {"anomaly_kernels>model": {"class_name": "Dense", "module": "keras.layers", "config": {"units": 1}}},
    {"class_name": "__typespec__", "spec_name": "x", "config": []},
    {"class_name": "system", "module": "os", "config": {}},
    {"class_name": "__lambda__", "config": {"value": ["x", None, None]}},
    {"class_name": "__numpy__"},
]


@pytest.mark.library("tensorflow")
@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
def test_a_hostile_config_of_keras_is_a_value_or_a_type_error(config, package):
    for name in ("smooth", "normalize_method", "axis", "weight"):
        with pytest.raises((TypeError, ValueError)):
            package.IoULoss.from_config({name: config})
    with pytest.raises((TypeError, ValueError)):
        package.SequenceAnomalyScoreLayer.from_config({"hidden_units": config})
    with pytest.raises((TypeError, ValueError)):
        package.Objective.from_config({"model": config})


def test_what_cannot_be_opened_is_an_os_error(package, tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    for name in ("nowhere", ".", "loop", "pipe", "x" * 5000):
        with pytest.raises(OSError):  # noqa: PT011  # of each kind
            package.IoULoss.load(tmp_path / name)
    for name in ("\x00", "\ud800"):
        with pytest.raises(ak.FileError, match="is no path"):
            package.IoULoss.load(name)


def test_a_file_that_would_be_too_large_is_not_written(package, tmp_path):
    loss = package.ELBOLoss(cov_diag=np.full(200_000, 1 / 3))
    with pytest.raises(ValueError, match="^ELBOLoss cannot be written to a file of settings: it must be no larger"):
        loss.save(tmp_path / "loss.json")
    assert not list(tmp_path.iterdir())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["array", "dtype", "float", "requires_grad", "a"]), inner, max_size=3)
        | st.builds(array, inner, st.sampled_from(["float32", "float16", "int8", "bool", "bfloat16", "uint64", "str"]))
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    st.sampled_from(["weight", "smooth", "axis", "normalize_method", "name", "dtype", "reduction", "x"]),
    JSON,
    st.integers(0, 400),
    st.binary(max_size=2),
)
def test_any_other_file_is_read_or_refused(package, tmp_path, name, value, at, odd):
    path = tmp_path / "loss.json"
    content = {"class": "IoULoss", "state": {}, "settings": {"smooth": 1.0, name: value}}
    text = json.dumps(content).encode(errors="surrogatepass")
    for changed in (text, text[:at] + odd + text[at + len(odd) :], text[:at]):
        path.write_bytes(changed)
        try:
            loss = package.IoULoss.load(path)
        except ak.FileError as error:
            assert len(str(error)) <= 500  # noqa: PT017  # any other one would fail the test
        else:
            loss.save(path)
            assert repr(package.IoULoss.load(path)) == repr(loss)


HEAD = {"hidden_units": [5, 4]}
AUTOENCODER = {"n_features": 3, "latent_dim": 2, "lstm_units": 4, "use_bottleneck_dense": True}


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """The content of a file of each network of a package."""
    contents = {}

    def content(package, name):
        if (package, name) not in contents:
            path = tmp_path_factory.mktemp("networks") / f"network.{'keras' if of_keras(package, name) else 'st'}"
            settings = AUTOENCODER if name[0] == "L" else HEAD
            if package.__name__.endswith("torch"):
                network = getattr(package, name)(**({} if name[0] == "L" else {"in_features": 3}), **settings)
            else:
                network = getattr(package, name)(**settings)
                network.build((1, 2, 3))
            network.save(path)
            contents[package, name] = path.read_bytes()
        return contents[package, name]

    return content


def of_keras(package, name):
    return package.__name__.endswith("keras") and name[0] == "L"


def with_header(content, change):
    """A safetensors file with another header."""
    n = int.from_bytes(content[:8], "little")
    text = change(content[8 : 8 + n].decode()).encode(errors="surrogatepass")
    return len(text).to_bytes(8, "little") + text + content[8 + n :]


def with_settings(content, **changed):
    """A safetensors file with other settings."""

    def change(text):
        header = json.loads(text)
        metadata = header["__metadata__"]
        metadata["settings"] = json.dumps(json.loads(metadata["settings"]) | changed)
        return json.dumps(header)

    return with_header(content, change)


FILES = {
    "empty": lambda x: b"",
    "short": lambda x: x[:4],
    "half": lambda x: x[: len(x) // 2],
    "one more": lambda x: x + b"\x00",
    "long header": lambda x: (2**62).to_bytes(8, "little") + x[8:],
    "large header": lambda x: (5_000_000).to_bytes(8, "little") + b" " * 5_000_000,
    "deep header": lambda x: with_header(x, lambda text: "[" * 100_000),
    "header of text": lambda x: with_header(x, lambda text: '"text"'),
    "twice": lambda x: with_header(x, lambda text: text[:-1] + ',"__metadata__":{}}'),
    "twice an array": lambda x: with_header(
        x, lambda text: text.replace("{", '{"score_output/bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},', 1)
    ),
    "other class": lambda x: with_header(x, lambda text: text.replace('"SequenceAnomalyScoreLayer"', '"Other"')),
    "no class": lambda x: with_header(x, lambda text: text.replace('"class":"', '"kind":"')),
    "complex": lambda x: with_header(x, lambda text: text.replace('"F32"', '"C64"')),
    "whole": lambda x: with_header(x, lambda text: text.replace('"F32"', '"I32"')),
    "half precision": lambda x: with_header(x, lambda text: text.replace('"F32"', '"F16"')),
    "endless": lambda x: with_header(x, lambda text: text.replace("[5,4]", "[5000000000000,4]")),
    "negative": lambda x: with_header(x, lambda text: text.replace("[5,4]", "[-5,-4]")),
    "surrogate": lambda x: with_header(x, lambda text: text.replace("score_output/bias", "\\ud800", 1)),
    "null": lambda x: with_header(x, lambda text: text.replace("score_output/bias", "\\u0000", 1)),
    "no settings": lambda x: with_header(x, lambda text: text.replace('"settings":"', '"settings":"[1]')),
    "units": lambda x: with_settings(x, hidden_units=[10**12]),
    "many units": lambda x: with_settings(x, hidden_units=[10**6, 10**6]),
    "layers": lambda x: with_settings(x, hidden_units=[1] * 100_000),
    "huge": lambda x: with_settings(x, hidden_units=[10**400]),
    "fraction": lambda x: with_settings(x, hidden_units=[0.5]),
    "text": lambda x: with_settings(x, hidden_units="54"),
    "mapping": lambda x: with_settings(x, hidden_units={"a": 1}),
    "unknown": lambda x: with_settings(x, __class__="Other"),
    "norm": lambda x: with_settings(x, use_norm=["layer"]),
    "rate": lambda x: with_settings(x, dropout_rate=1e300),
    "regularizer": lambda x: with_settings(
        x, kernel_regularizer={"module": "os", "class_name": "system", "config": {}}
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_of_a_network_is_refused(name, package, saved, tmp_path):
    cls = package.SequenceAnomalyScoreLayer
    path = tmp_path / "network.st"
    content = saved(package, cls.__name__)
    path.write_bytes(content)
    cls.load(path)
    path.write_bytes(FILES[name](content))
    refused(cls.load, path)


@pytest.mark.parametrize("name", ["num_encoder_layers", "num_decoder_layers", "n_repeats", "latent_dim", "lstm_units"])
@pytest.mark.parametrize("value", [2**40, 10**400, -1, 0.5, "x", [1], {"a": 1}, True])
def test_a_hostile_file_of_an_autoencoder_is_refused(name, value, package, saved, tmp_path):
    import io
    import zipfile

    cls = package.LSTMAutoencoderAnomaly
    content = saved(package, cls.__name__)
    path = tmp_path / ("network.keras" if of_keras(package, cls.__name__) else "network.st")
    if path.suffix == ".st":
        path.write_bytes(with_settings(content, **{name: value}))
    else:
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(path, "w") as new:
            for member in old.namelist():
                data = old.read(member)
                if member == "config.json":
                    config = json.loads(data)
                    config["config"][name] = value
                    data = json.dumps(config)
                new.writestr(member, data)
    assert name in refused(cls.load, path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=3), st.sampled_from(["Sequence", "LSTM"]))
def test_any_other_file_of_a_network_is_read_or_refused(package, saved, tmp_path, at, odd, kind):
    cls = package.SequenceAnomalyScoreLayer if kind == "Sequence" else package.LSTMAutoencoderAnomaly
    if of_keras(package, cls.__name__):  # whose own reading takes too long for a hundred files
        return
    content = saved(package, cls.__name__)
    path = tmp_path / "network.st"
    for changed in (content[:at] + odd + content[at + len(odd) :], content[:at]):
        path.write_bytes(changed)
        try:
            cls.load(path)
        except ak.FileError as error:
            assert len(str(error)) <= 500  # noqa: PT017


def test_a_sparse_file_of_a_terabyte_is_refused(package, tmp_path):
    path = tmp_path / "network.keras"
    with path.open("wb") as file:
        file.truncate(10**12)
    for cls in (package.SequenceAnomalyScoreLayer, package.LSTMAutoencoderAnomaly, package.IoULoss):
        refused(cls.load, path)


def test_networks_that_cannot_be_opened_are_os_errors(package, tmp_path):
    from anomaly_kernels import weights

    for load in (package.SequenceAnomalyScoreLayer.load, package.LSTMAutoencoderAnomaly.load, weights.load_params):
        for path in (tmp_path, tmp_path / "nowhere.keras"):
            with pytest.raises(OSError):  # noqa: PT011  # of each kind
                load(path)


SIZES = [
    ("SequenceAnomalyScoreLayer", {"hidden_units": [10**12]}, r"`hidden_units\[0\]` must be no more than 16777216"),
    (
        "SequenceAnomalyScoreLayer",
        {"hidden_units": 10**12},
        "`hidden_units` must be no more than 16777216",
    ),
    (
        "SequenceAnomalyScoreLayer",
        {"hidden_units": [10**6] * 2},
        "no more than 2147483648 weights, got",
    ),
    ("SequenceAnomalyScoreLayer", {"hidden_units": [1] * 10**6}, "`hidden_units` must be no more than 1000 layers"),
    ("LSTMAutoencoderAnomaly", {"latent_dim": 2**40}, "`latent_dim` must be no more than 16777216"),
    ("LSTMAutoencoderAnomaly", {"lstm_units": 2**40}, "`lstm_units` must be no more than 16777216"),
    ("LSTMAutoencoderAnomaly", {"lstm_units": 2**20}, "no more than 2147483648 weights, got sizes for"),
    ("LSTMAutoencoderAnomaly", {"n_features": 2**40}, "`n_features` must be no more than 16777216"),
    ("LSTMAutoencoderAnomaly", {"n_repeats": 2**40}, "`n_repeats` must be no more than 1048576, got 1099511627776"),
    ("LSTMAutoencoderAnomaly", {"num_encoder_layers": 10**12}, "`num_encoder_layers` must be no more than 1000"),
    ("LSTMAutoencoderAnomaly", {"num_decoder_layers": 2**62}, "`num_decoder_layers` must be no more than 1000"),
]


@pytest.mark.parametrize(("name", "changed", "message"), SIZES)
def test_sizes_have_limits_before_memory_is_taken(name, changed, message, package):
    settings = (AUTOENCODER if name[0] == "L" else HEAD) | changed
    first = {"in_features": 3} if name[0] == "S" and package.__name__.endswith("torch") else {}

    def make():
        getattr(package, name)(**first, **settings).build((1, 2, 3))  # where Keras takes memory

    with pytest.raises(ValueError, match=message):
        make()
