"""Two workers of a cluster, chunk by chunk, and one number."""

import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster

import anomaly_kernels as ak

if __name__ == "__main__":
    rng = np.random.default_rng(0)
    target = rng.random(100_000) < 0.05
    score = np.round(rng.normal(size=100_000) + 2 * target, 3)
    chunks = [da.from_array(x, chunks=10_000) for x in (target, score)]
    found = ak.average_precision(*chunks)  # nothing is computed yet
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        print(f"{found.compute():.6f} on two workers, {ak.average_precision(target, score):.6f} in memory")
