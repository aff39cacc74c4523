"""Cut the embedded series ``ecg.npz`` out of the electrocardiogram that the package ``scipy`` shipped until 1.11.

Needed only to repeat what was done once; `test_data.py` alone imports this file::

    pip download scipy==1.11.4 --no-deps
    python tests/make_ecg.py scipy-1.11.4-*.whl anomaly_kernels/data/ecg.npz
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

MEMBER = "scipy/misc/ecg.dat"
SHA256 = "f20ad3365fb9b7f845d0e5c48b6fe67081377ee466c3a220b7f69f35c8958baf"
EXCERPT = slice(22_500, 25_920)
BEAT = slice(25_510, 25_640)
"""QRS complex and T wave of the one ventricular beat in the excerpt, marked by eye."""


def read_counts(wheel: Path) -> npt.NDArray[np.uint16]:
    """All readings in SciPy's wheel, as the converter gave them."""
    packed = zipfile.ZipFile(wheel).read(MEMBER)
    if (found := hashlib.sha256(packed).hexdigest()) != SHA256:
        raise ValueError(f"{MEMBER} in {wheel} has SHA-256 {found}, expected {SHA256}")
    with np.load(io.BytesIO(packed)) as arrays:
        counts: npt.NDArray[np.uint16] = arrays["ecg"]
    return counts


def main(wheel: str, out: str) -> None:
    """Write the excerpt of the series in ``wheel`` to ``out``."""
    counts = read_counts(Path(wheel))
    target = np.zeros(len(counts), np.bool_)
    target[BEAT] = True
    np.savez_compressed(out, counts=counts[EXCERPT], target=target[EXCERPT])


if __name__ == "__main__":
    main(*sys.argv[1:])
