"""The embedded data are what their descriptions say, and the scripts in this folder draw them."""

from __future__ import annotations

import gzip
import hashlib
import io
import runpy
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import make_ecg
import make_shuttle
import numpy as np
import pytest

from anomaly_kernels.data import load_ecg, load_shuttle


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


@pytest.mark.parametrize(("name", "most"), [("shuttle.npz", 100_000), ("ecg.npz", 23_000)])
def test_files_are_small(name: str, most: int) -> None:
    assert len(files("anomaly_kernels.data").joinpath(name).read_bytes()) < most


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
    load_ecg().values[:] = 0
    load_ecg().target[:] = False
    assert load_ecg().values.any()
    assert load_ecg().target.any()


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


def widths_of_beats() -> tuple[np.ndarray, np.ndarray]:
    """Where the beats of the electrocardiogram are, and how wide at half their height, in readings."""
    values = load_ecg().values
    beats = [i for i in range(len(values)) if values[i] == values[max(i - 70, 0) : i + 71].max()]
    beats = [i for i in beats if values[i] > np.median(values[max(i - 200, 0) : i + 201]) + 1]
    widths = []
    for beat in beats:
        half = (values[beat] + np.median(values[max(beat - 100, 0) : beat + 101])) / 2
        low = np.flatnonzero(values < half)
        widths.append(low[low > beat].min() - low[low < beat].max())
    return np.asarray(beats), np.asarray(widths)


def test_series_has_one_wide_beat_among_narrow_ones_and_the_target_marks_it() -> None:
    ecg = load_ecg()
    beats, widths = widths_of_beats()
    assert len(beats) == 17
    assert [b for b in beats if ecg.target[b]] == [beats[15]] == [3037]
    assert widths[15] > 0.060 * ecg.sampling_rate  # seconds, at half its height: a ventricular beat is slow
    assert np.delete(widths, 15).max() < 0.035 * ecg.sampling_rate
    assert np.flatnonzero(ecg.target).tolist() == list(range(3010, 3140))
    # early, with a pause after it: between its neighbours there is the time of two beats, and it is nearer the first
    before, after = np.diff(beats)[14:16]
    assert before < np.median(np.diff(beats)) < after


def test_what_there_is_to_learn_from_is_normal() -> None:
    ecg = load_ecg()
    beats, _ = widths_of_beats()
    assert ecg.values.shape == ecg.target.shape == (3420,)
    assert ecg.values.dtype == np.float64
    assert ecg.target.dtype == np.bool_
    assert not ecg.target[: ecg.n_train].any()
    assert (beats < ecg.n_train).sum() == 10
    assert 105 < 60 * ecg.sampling_rate / np.median(np.diff(beats)) < 120  # beats a minute


def test_first_readings_are_those_of_the_source() -> None:
    assert np.allclose(load_ecg().values[:4], [-0.875, -0.92, -0.955, -0.96], rtol=1e-15, atol=0)  # of SciPy's function
    in_counts = load_ecg().values * 200
    assert np.max(np.abs(in_counts - np.round(in_counts))) < 1e-10


def test_description_of_the_series_says_where_it_comes_from() -> None:
    for word in ("MIT-BIH Arrhythmia Database", "record 208", "physionet.org", "ODC-By 1.0", "scipy", "by eye"):
        assert word in load_ecg().description
    for word in ("MIT-BIH", "record 208", "physionet.org", "ODC-By 1.0", "scipy"):
        assert word in (load_ecg.__doc__ or "")


def wheel_of(tmp_path: Path, counts: np.ndarray) -> Path:
    packed = io.BytesIO()
    np.savez_compressed(packed, ecg=counts)
    with zipfile.ZipFile(tmp_path / "scipy.whl", "w") as wheel:
        wheel.writestr(make_ecg.MEMBER, packed.getvalue())
    return tmp_path / "scipy.whl"


def test_script_cuts_readings_out_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.random.default_rng(2).integers(0, 2048, 108_000).astype(np.uint16)
    wheel = wheel_of(tmp_path, counts)
    packed = zipfile.ZipFile(wheel).read(make_ecg.MEMBER)
    monkeypatch.setattr(make_ecg, "SHA256", hashlib.sha256(packed).hexdigest())
    make_ecg.main(str(wheel), str(tmp_path / "out.npz"))
    with np.load(tmp_path / "out.npz") as cut:
        assert np.array_equal(cut["counts"], counts[22_500:25_920])
        assert cut["counts"].dtype == np.uint16
        assert np.array_equal(cut["target"], load_ecg().target)


def test_script_refuses_another_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = wheel_of(tmp_path, np.zeros(3, np.uint16))
    monkeypatch.setattr(sys, "argv", ["make_ecg", str(wheel), str(tmp_path / "out.npz")])
    with pytest.raises(ValueError, match="has SHA-256"):
        runpy.run_path(str(make_ecg.__file__), run_name="__main__")
    assert not (tmp_path / "out.npz").exists()
