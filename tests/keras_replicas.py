"""Each Keras metric on two replicas of TensorFlow, as JSON; a process of its own, since devices are set before use."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
import tensorflow as tf

import anomaly_kernels.keras as akk

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
STRATEGY = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
RNG = np.random.default_rng(0)
SCORE = (RNG.normal(size=(33, 3)) - 2.0).astype("float32")
TRUTH = (SCORE + RNG.normal(size=SCORE.shape) > -1.0).astype("float32")
WEIGHT = np.broadcast_to(RNG.integers(1, 4, size=(33, 1)), SCORE.shape).astype("float32")
METRICS = {
    "decisions": (akk.AnomalyDetectionMetrics, (TRUTH, SCORE > -2.0)),
    "scores": (lambda: akk.AnomalyDetectionMetrics(threshold=-2.0), (TRUTH, SCORE)),
    "weighted": (lambda: akk.AnomalyDetectionMetrics(threshold=-2.0), (TRUTH, SCORE, WEIGHT)),
    "best": (akk.BestF1Metric, (TRUTH, SCORE)),
    "weighted auc": (lambda: akk.ROCAUCMetric(max_fpr=0.5), (TRUTH, SCORE, WEIGHT)),
    "pixels": (akk.AnomalyPixelStatisticsMetric, (SCORE > -2.0,)),
    "statistics": (akk.ScoreStatisticsMetric, (SCORE,)),
    "variance": (lambda: akk.ExplainedVarianceMetric(components=3), (np.abs(SCORE),)),
    "orthogonality": (akk.ComponentOrthogonalityMetric, (SCORE,)),
    "entropy": (akk.SelectorEntropyMetric, (np.abs(SCORE),)),
    "diversity": (akk.SelectorDiversityMetric, (np.abs(SCORE),)),
}
PARTS = (slice(0, 16), slice(16, 20)), (slice(20, 33), slice(0, 0))  # of each step, one for each replica


def pieces(name, arrays, part):
    return [tf.constant(x[part.start] if name == "variance" else x[part]) for x in arrays]


def numbers(metric):
    result = metric.result()
    values = result if isinstance(result, dict) else {"": result}
    return {field: np.asarray(x).tolist() for field, x in values.items()}


def on_replicas(name, make, arrays):
    with STRATEGY.scope():
        metric = make()

        metric.update_state(*pieces(name, arrays, PARTS[0][0]))  # outside of the replicas
        metric.reset_state()
        for step in PARTS[:1] if name == "variance" else PARTS:
            STRATEGY.run(update, (metric, [pieces(name, arrays, part) for part in step]))
        return numbers(metric)


def update(metric, parts):
    metric.update_state(*parts[tf.distribute.get_replica_context().replica_id_in_sync_group])


def alone(name, make, arrays):
    metric = make()
    for step in PARTS[:1] if name == "variance" else PARTS:
        for part in step:
            metric.update_state(*pieces(name, arrays, part))
    return numbers(metric)


def fitted():
    """The logs of a model whose last batch has one sample, of which a replica gets none."""
    logs = []
    for scope in (STRATEGY.scope(), tf.distribute.get_strategy().scope()):
        with scope:
            model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, kernel_initializer="ones")])
            metrics = [akk.AnomalyDetectionMetrics(threshold=-2.0), akk.ScoreStatisticsMetric(name="all")]
            metrics += [akk.AveragePrecisionMetric(name="ap"), akk.BestF1Metric(name="f1")]
            model.compile("sgd", "mse", metrics=metrics)
        logs.append(model.evaluate(SCORE, TRUTH, batch_size=16, verbose=0, return_dict=True))
    return logs


if __name__ == "__main__":
    found = {name: [f(name, *case) for f in (on_replicas, alone)] for name, case in METRICS.items()}
    print(json.dumps(found | {"fitted": fitted()}))
