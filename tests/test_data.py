"""The embedded sample is what its description says, and the script beside it draws it."""

from __future__ import annotations

import gzip
import hashlib
import runpy
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from anomaly_kernels.data import load_shuttle, make_shuttle


def test_sample_has_ten_thousand_rows_of_nine_whole_numbers() -> None:
    features = load_shuttle().features
    assert features.shape == (10_000, 9)
    assert features.dtype == np.float64
    assert features.flags.c_contiguous
    assert np.array_equal(features, np.round(features))


def test_sample_has_as_many_anomalies_as_the_whole_table_within_chance() -> None:
    target = load_shuttle().target
    assert target.dtype == np.bool_
    assert target.shape == (10_000,)
    assert target.sum() == 721
    share = 3511 / 49097
    spread = np.sqrt(share * (1 - share) / 10_000 * (1 - 10_000 / 49_097))  # drawn without replacement
    assert abs(target.mean() - share) < 2 * spread


def test_first_rows_are_those_of_the_source() -> None:
    shuttle = load_shuttle()
    assert shuttle.features[0].tolist() == [50, 21, 77, 0, 28, 0, 27, 48, 22]
    assert shuttle.target[0]
    assert shuttle.features[1].tolist() == [37, 0, 101, -7, 28, 0, 64, 73, 8]
    assert not shuttle.target[1]


def test_three_features_are_differences_of_the_others() -> None:
    # A relation within the source, up to its rounding, in every row: values or columns that moved would break it.
    f = dict(zip(load_shuttle().feature_names, load_shuttle().features.T, strict=True))
    assert np.max(np.abs(f["f7"] - (f["f3"] - f["f1"]))) <= 2
    assert np.max(np.abs(f["f8"] - (f["f3"] - f["f5"]))) <= 2
    assert np.max(np.abs(f["f9"] - (f["f8"] - f["f7"]))) <= 2


def test_file_is_below_100_kilobytes() -> None:
    assert len(files("anomaly_kernels.data").joinpath("shuttle.npz").read_bytes()) < 100_000


def test_names_and_description_say_where_the_data_come_from() -> None:
    shuttle = load_shuttle()
    assert shuttle.feature_names == ("f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9")
    for word in ("Statlog (Shuttle)", "archive.ics.uci.edu", "CC BY 4.0", "river"):
        assert word in shuttle.description
        assert word in (load_shuttle.__doc__ or "")


def test_each_call_gives_new_arrays() -> None:
    load_shuttle().features[:] = 0
    load_shuttle().target[:] = False
    assert load_shuttle().features.any()
    assert load_shuttle().target.any()


def wheel_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: np.ndarray) -> Path:
    header = ",".join([*(f"f{i}" for i in range(1, 10)), "anomaly"])
    lines = [header, *(",".join(map(str, row)) for row in table.tolist())]
    packed = gzip.compress("\n".join(lines).encode())
    monkeypatch.setattr(make_shuttle, "SHA256", hashlib.sha256(packed).hexdigest())
    with zipfile.ZipFile(tmp_path / "river.whl", "w") as wheel:
        wheel.writestr(make_shuttle.MEMBER, packed)
    return tmp_path / "river.whl"


def table_of(rows: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    features = rng.integers(-32768, 32768, (rows, 9))
    features[:, 0] = np.arange(rows)
    return np.column_stack([features, rng.random(rows) < 0.1]).astype(int)


def test_script_draws_rows_unchanged_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(12_000)
    make_shuttle.main(str(wheel_with(tmp_path, monkeypatch, table)), str(tmp_path / "out.npz"))
    with np.load(tmp_path / "out.npz") as drawn:
        features, target = drawn["features"], drawn["target"]
    rows = features[:, 0]
    assert features.dtype == np.int16
    assert len(rows) == 10_000
    assert np.all(np.diff(rows) > 0)
    assert np.array_equal(features, table[rows, :9])
    assert np.array_equal(target, table[rows, 9] == 1)


def test_script_draws_the_same_rows_again() -> None:
    table = table_of(100).astype(np.int16)
    assert np.array_equal(make_shuttle.draw(table, 30), make_shuttle.draw(table, 30))
    assert not np.array_equal(make_shuttle.draw(table, 30, seed=1), make_shuttle.draw(table, 30, seed=2))


def test_script_refuses_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = wheel_with(tmp_path, monkeypatch, table_of(3))
    monkeypatch.setattr(sys, "argv", ["make_shuttle", str(wheel), str(tmp_path / "out.npz")])
    with pytest.raises(ValueError, match="has SHA-256"):  # run anew, it knows only the sum of the true file
        runpy.run_path(str(make_shuttle.__file__), run_name="__main__")
    assert not (tmp_path / "out.npz").exists()


def test_script_refuses_readings_that_do_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of(3)
    table[1, 4] = 40_000
    with pytest.raises(ValueError, match="16 bits"):
        make_shuttle.read_table(wheel_with(tmp_path, monkeypatch, table))
