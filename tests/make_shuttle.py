"""Draw the embedded sample ``shuttle.npz`` from the full table that the package ``river`` ships.

Needed only to repeat what was done once; `test_data.py` alone imports this file::

    pip download river==0.26.1 --no-deps
    python tests/make_shuttle.py river-0.26.1-*.whl anomaly_kernels/data/shuttle.npz
"""

from __future__ import annotations

import gzip
import hashlib
import sys
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

MEMBER = "river/datasets/shuttle.csv.gz"
SHA256 = "1ed4bfa77233d95bff2c8ab2482725d2d800410daedf5919ad80ec6faf60ff59"
ROWS = 10_000
SEED = 0


def read_table(wheel: Path) -> npt.NDArray[np.int16]:
    """All rows of the table in river's wheel: nine features, then 1 for an anomaly and 0 otherwise."""
    packed = zipfile.ZipFile(wheel).read(MEMBER)
    if (found := hashlib.sha256(packed).hexdigest()) != SHA256:
        raise ValueError(f"{MEMBER} in {wheel} has SHA-256 {found}, expected {SHA256}")
    lines = gzip.decompress(packed).decode().splitlines()
    # By way of int64: a reading that does not fit is then an error instead of another number.
    table = np.loadtxt(lines, dtype=np.int64, delimiter=",", skiprows=1)
    if np.any(table != table.astype(np.int16)):
        raise ValueError("a reading does not fit in 16 bits")
    return table.astype(np.int16)


def draw(table: npt.NDArray[np.int16], rows: int = ROWS, seed: int = SEED) -> npt.NDArray[np.int16]:
    """Draw rows at random without replacement, and keep them in the order of the table."""
    chosen = np.random.default_rng(seed).choice(len(table), rows, replace=False)
    return table[np.sort(chosen)]


def main(wheel: str, out: str) -> None:
    """Write the sample of the table in ``wheel`` to ``out``."""
    sample = draw(read_table(Path(wheel)))
    # Column by column the bytes repeat more, so the file is smaller.
    np.savez_compressed(out, features=np.asfortranarray(sample[:, :-1]), target=sample[:, -1] == 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
