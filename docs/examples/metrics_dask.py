"""A cluster of two worker processes, the metrics of Dask arrays, exact and in memory of a fixed size."""

from functools import reduce

import dask.array as da
import numpy as np
from dask import delayed
from dask.distributed import Client, LocalCluster

import anomaly_kernels as ak
from anomaly_kernels import streaming

SIZE = 50_000


def day(k):
    """True anomalies and scores of a day: made up here, read from a file elsewhere."""
    rng = np.random.default_rng(k)
    target = rng.random(SIZE) < 0.02
    return target, rng.normal(size=SIZE) + 3 * target


def main():
    days = [delayed(day, pure=True)(k) for k in range(8)]
    target = da.concatenate([da.from_delayed(x[0], (SIZE,), bool) for x in days])
    score = da.concatenate([da.from_delayed(x[1], (SIZE,), float) for x in days])

    # exact, in memory for all distinct scores
    area = ak.roc_auc(target, score)
    found = ak.anomaly_detection_metrics(target, score > 2, score)
    area, recall, precision = da.compute(area, found.recall, found.average_precision)
    print(f"ROC AUC {area:.4f}, recall {recall:.4f}, average precision {precision:.4f}")

    # between bounds, in memory of a fixed size
    empty = streaming.ScoreHistogram.empty(np.zeros(0))
    parts = [delayed(empty.of)(*x) for x in zip(target.to_delayed(), score.to_delayed(), strict=True)]
    bounded = reduce(delayed(streaming.merge), parts)
    value, lower, upper = delayed(streaming.compute)(bounded, ak.average_precision).compute()
    print(f"average precision {value:.4f}, between {lower:.4f} and {upper:.4f}")


if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster, Client(cluster):
        main()
