"""Eight devices, a row of the data each, and one number."""

import os

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"  # eight of them on one CPU

import jax
import numpy as np
from jax.sharding import PartitionSpec

import anomaly_kernels as ak
import anomaly_kernels.jax as akj

rng = np.random.default_rng(0)
target = rng.random((8, 125)) < 0.05
score = (rng.normal(size=(8, 125)) + 2 * target).astype("float32")


def seen(target, score):
    metric = akj.AnomalyDetectionMetrics(scores="histogram").update(target, score > 1, score)
    merged = metric.over("rows")  # the states of all devices
    return merged.state.scores.compute(ak.average_precision)


mesh = jax.make_mesh((8,), ("rows",), axis_types=(jax.sharding.AxisType.Auto,))
rows = PartitionSpec("rows")
everywhere = jax.shard_map(seen, mesh=mesh, in_specs=rows, out_specs=PartitionSpec(), check_vma=False)
value, lower, upper = jax.jit(everywhere)(target, score)
exact = ak.average_precision(target, score)
print(f"between {lower:.4f} and {upper:.4f} on eight devices, {exact:.4f} on one")
