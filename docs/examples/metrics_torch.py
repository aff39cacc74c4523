"""Two processes, each with a share of the data, one of them larger, and one number."""

import tempfile
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

import anomaly_kernels as ak
import anomaly_kernels.torch as akt

generator = torch.Generator().manual_seed(0)
target = torch.rand(1000, generator=generator) < 0.05
score = torch.randn(1000, generator=generator) + 2 * target
SHARES = [slice(0, 100), slice(100, 1000)]


def work(rank: int, file: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=2)
    metric = akt.AnomalyDetectionMetrics()
    for start in range(SHARES[rank].start, SHARES[rank].stop, 50):
        batch = slice(start, start + 50)
        metric.update(score[batch] > 1, target[batch], score[batch])
    found = metric.compute()  # the states of both are merged here
    if rank == 0:
        alone = ak.anomaly_detection_metrics(target, score > 1, score)
        print(f"{found.average_precision:.6f} on two processes, {alone.average_precision:.6f} on one")
    dist.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(work, (str(Path(folder) / "store"),), nprocs=2)
