"""Metrics of Dask arrays on two worker processes: chunk by chunk, the numbers of one machine, and a worker may die."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter

import numpy as np
import pytest

import anomaly_kernels as ak
from anomaly_kernels.testing.drivers import driver_for

pytestmark = pytest.mark.library("dask")

CHUNKS = (700, 1, 2000, 300, 1999, *[1000] * 11)
LARGEST = 2000
RANKED = [ak.roc_auc, ak.average_precision, ak.best_f1, ak.precision_recall_curve, ak.roc_curve]


def detected(target, score):
    return ak.anomaly_detection_metrics(target, score > 0.5, score)


def chunk(k, size, distinct=None, pause=0.0):
    """Targets and scores of one chunk, which only the worker that is to have it makes."""
    time.sleep(pause)
    rng = np.random.default_rng(k)
    truth = rng.random(size) < 0.1
    score = rng.normal(size=size) + truth
    return truth, score if distinct is None else np.floor(score * distinct) / distinct


def arrays(**made):
    """Lazily, and in memory."""
    import dask.array as da
    from dask import delayed

    make = _by_value(chunk)
    chunks = [delayed(make, pure=True)(k, size, **made) for k, size in enumerate(CHUNKS)]
    lazy = [
        da.concatenate([da.from_delayed(x[which], (size,), dtype) for x, size in zip(chunks, CHUNKS, strict=True)])
        for which, dtype in enumerate((bool, np.float64))
    ]
    here = [chunk(k, size, **made | {"pause": 0.0}) for k, size in enumerate(CHUNKS)]
    return lazy, [np.concatenate(x) for x in zip(*here, strict=True)]


def _by_value(function):
    """Workers cannot import the modules of tests."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[function.__module__])
    return function


@pytest.fixture(scope="module")
def cluster():
    from distributed import LocalCluster

    # None would be port 8787, which another cluster may have
    address = "127.0.0.1:0"
    with LocalCluster(n_workers=2, processes=True, threads_per_worker=1, dashboard_address=address) as made:
        yield made


@pytest.fixture
def client(cluster):
    from distributed import Client

    with Client(cluster) as made:
        made.wait_for_workers(2, timeout=20)
        yield made


@pytest.fixture
def finished(cluster):
    """What each task that came to an end was given and gave, in bytes."""
    from distributed.diagnostics.plugin import SchedulerPlugin

    class Watch(SchedulerPlugin):
        def __init__(self):
            self.tasks = []

        def transition(self, key, start, finish, *args, **kwargs):
            if (start, finish) == ("processing", "memory"):
                task = cluster.scheduler.tasks[key]
                self.tasks.append((key, sum(x.nbytes for x in task.dependencies), task.nbytes))

    watch = Watch()
    cluster.scheduler.add_plugin(watch, name="watch")
    yield watch.tasks
    cluster.scheduler.remove_plugin("watch")


def in_order(found):
    return [x for x in (found if isinstance(found, tuple) else (found,)) if x is not None]


def computed(found):
    import dask

    return dask.compute(*in_order(found))


def assert_equal(found, expected):
    for x, y in zip(found, in_order(expected), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-15, atol=0)


@pytest.mark.parametrize("distinct", [None, 5])
@pytest.mark.parametrize("metric", [*RANKED, detected])
def test_chunks_give_the_numbers_of_the_whole_array(metric, distinct, client):
    lazy, here = arrays(distinct=distinct)
    with driver_for("dask").building():
        found = metric(*lazy)
    assert type(found) is type(metric(*lazy))
    assert_equal(computed(found), metric(*here))


def test_weights_and_other_chunks_beside_them(client):
    import dask.array as da

    (target, score), here = arrays()
    weight = np.random.default_rng(1).integers(0, 3, here[0].shape)
    found = ak.roc_auc(target, score, sample_weight=da.from_array(weight, chunks=4000), max_fpr=0.2)
    assert_equal(computed(found), ak.roc_auc(*here, sample_weight=weight, max_fpr=0.2))


def test_a_nan_in_one_chunk_makes_the_metric_nan(client):
    (target, score), _ = arrays()
    broken = score.map_blocks(lambda x, block_id: x / np.where(block_id[0] == 3, np.nan, 1.0), dtype=score.dtype)
    assert np.isnan(computed(ak.average_precision(target, broken))).all()


@pytest.mark.parametrize("metric", [*RANKED, detected])
def test_no_task_sees_more_than_its_chunk_or_two_states(metric, client, finished):
    """Of few distinct scores, whose states are small."""
    lazy, _ = arrays(distinct=5)
    computed(metric(*lazy))
    bytes_of_a_chunk = LARGEST * (8 + 1)
    assert len(finished) > len(CHUNKS)
    # a chunk comes as a pair of arrays, and goes with what tells tuples and arrays apart
    assert max(given for _, given, _ in finished) < bytes_of_a_chunk + 2000 < sum(CHUNKS) * 9 / 4
    assert max(made for _, _, made in finished) < bytes_of_a_chunk + 2000


def kill_one_that_has_results(client, results=2):
    """End a worker that has something to lose, and is at work."""
    pids = client.run(os.getpid)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for address, keys in client.has_what().items():
            if len(keys) >= results and client.processing()[address]:
                os.kill(pids[address], signal.SIGKILL)
                return
        time.sleep(0.02)
    raise AssertionError("no worker had results in time")


def test_a_worker_that_is_killed_half_way_changes_no_number(client, finished):
    lazy, here = arrays(pause=0.15)
    futures = client.compute([*detected(*lazy), ak.roc_auc(*lazy)])
    kill_one_that_has_results(client)
    assert_equal(client.gather(futures), (*detected(*here), ak.roc_auc(*here)))
    assert max(Counter(key for key, _, _ in finished).values()) > 1  # what was lost was made anew


def test_a_worker_that_is_killed_and_may_not_be_is_an_error(client, cluster):
    from distributed import KilledWorker

    client.wait_for_workers(2, timeout=20)
    allowed, cluster.scheduler.allowed_failures = cluster.scheduler.allowed_failures, 0
    try:
        future = client.compute(ak.roc_auc(*arrays(pause=0.2)[0]))
        kill_one_that_has_results(client, results=1)
        with pytest.raises(KilledWorker):
            future.result(timeout=20)
    finally:
        cluster.scheduler.allowed_failures = allowed
        client.wait_for_workers(2, timeout=20)
