"""Dask's metrics on two worker processes: lazily, chunk by chunk, and right after a worker was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.library("dask")

# in a process of its own: workers are started anew, and import the script
SCRIPT = """
    import os, signal, time
    import dask.array as da
    import numpy as np
    from dask.distributed import Client, LocalCluster

    import anomaly_kernels as ak

    def slowly(x, file):
        with open(file, "a") as started:
            started.write("x")
        time.sleep(0.2)
        return x

    def main():
        rng = np.random.default_rng(0)
        truth = rng.random(20_000) < 0.05
        score = np.round(rng.normal(size=truth.shape) + truth, 2)
        chunks = [3_000, 1, 6_999, 10_000]  # uneven ones
        arrays = [da.from_array(x, chunks=(chunks,)) for x in (truth, score)]
        with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
            with Client(cluster) as client:
                assert len(client.run(os.getpid)) == 2
                for metric in (ak.roc_auc, ak.average_precision, ak.aupr_trapezoid, ak.fpr_at_tpr):
                    lazy = metric(*arrays)
                    assert isinstance(lazy, da.Array)
                    np.testing.assert_allclose(lazy.compute(), metric(truth, score), rtol=1e-14)
                found = ak.anomaly_detection_metrics(arrays[0], arrays[1] > 1, arrays[1])
                expected = ak.anomaly_detection_metrics(truth, score > 1, score)
                for x, y in zip(found, expected, strict=True):
                    np.testing.assert_allclose(x.compute(), y, rtol=1e-14)
                curve = ak.roc_curve(*arrays)
                for x, y in zip(curve, ak.roc_curve(truth, score), strict=True):
                    np.testing.assert_array_equal(x.compute(), y)

                # a worker is killed when some chunks are done, and some are not
                file = os.path.abspath("started")
                many = [da.from_array(x, chunks=1_000) for x in (truth, score)]
                slow = many[1].map_blocks(slowly, file, dtype=float, meta=np.zeros(0))
                future = client.compute(ak.average_precision(many[0], slow))
                while not os.path.exists(file) or os.path.getsize(file) < 6:
                    time.sleep(0.02)
                worker = next(iter(client.run(os.getpid).values()))
                os.kill(worker, signal.SIGKILL)
                np.testing.assert_allclose(future.result(timeout=60), ak.average_precision(truth, score), rtol=1e-14)
                assert os.path.getsize(file) > 20  # some chunks were made again
        print("equal")

    if __name__ == "__main__":
        main()
"""


def test_two_workers_give_the_numbers_of_one_process_and_survive_a_kill(tmp_path):
    script = tmp_path / "workers.py"
    script.write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.stdout.strip() == "equal", done.stderr[-3000:]
