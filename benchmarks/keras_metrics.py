"""A metric of Keras that ranks, beside Keras' own `AUC(num_thresholds=200)`: an update and a result, as `fit` asks.

`KERAS_BACKEND=jax python -m benchmarks.keras_metrics` prints the quartiles of the ratios alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.timing import Patience, Run, compared, take_turns

BATCHES = (32, 1024, 2**16)
STEPS = 32  # of an epoch of `fit`


def runs(library: str) -> Iterator[tuple[str, str, dict[str, Run]]]:
    """Our metric and Keras', by batch and way of running."""
    if library == "numpy":
        return
    import keras

    import anomaly_kernels.keras as akk

    assert keras.backend.backend() == library
    makers: dict[str, Callable[[], Any]] = {
        "ours": lambda: akk.AnomalyDetectionMetrics(threshold=0.5),
        "plain": lambda: keras.metrics.AUC(num_thresholds=200),
    }
    rng = np.random.default_rng(0)
    for size in BATCHES:
        target, score = rng.random((size, 1)) < 0.1, rng.random((size, 1), np.float32)
        batch = [keras.ops.convert_to_tensor(x) for x in (target.astype(np.float32), score)]
        for way, step in STEP_OF[library].items():
            yield (
                f"a metric, {size} scores",
                f"{library}, {way}",
                {k: step(make(), *batch) for k, make in makers.items()},
            )
    for size in BATCHES[:2]:
        x, y = rng.random((STEPS * size, 4), np.float32), (rng.random((STEPS * size, 1)) < 0.1).astype(np.float32)
        models = {k: _fitted(make(), x, y, size) for k, make in makers.items()}
        yield f"a metric, fit of {STEPS} batches of {size}", f"{library}, fit", models


def _fitted(metric: Any, x: Any, y: Any, size: int) -> Run:
    import keras

    model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=[metric])
    return lambda: model.fit(x, y, batch_size=size, epochs=1, shuffle=False, verbose=0)


def _eager(metric: Any, y_true: Any, y_pred: Any) -> Run:
    import keras

    def run() -> Any:
        metric.update_state(y_true, y_pred)
        result = metric.result()
        return [keras.ops.convert_to_numpy(x) for x in (result.values() if isinstance(result, dict) else [result])]

    return run


def _tensorflow(jit_compile: bool) -> Callable[..., Run]:
    def step_of(metric: Any, y_true: Any, y_pred: Any) -> Run:
        import tensorflow as tf

        @tf.function(jit_compile=jit_compile)
        def step(y_true: Any, y_pred: Any) -> Any:
            metric.update_state(y_true, y_pred)
            return metric.result()

        return lambda: tf.nest.map_structure(float, step(y_true, y_pred))

    return step_of


def _jax(metric: Any, y_true: Any, y_pred: Any) -> Run:
    import jax

    @partial(jax.jit, donate_argnums=0)  # as `fit` does
    def step(variables: Any, y_true: Any, y_pred: Any) -> Any:
        variables = metric.stateless_update_state(variables, y_true, y_pred)
        return variables, metric.stateless_result(variables)

    state = [[jax.numpy.copy(x.value) for x in metric.variables]]

    def run() -> Any:
        state[0], result = step(state[0], y_true, y_pred)
        return jax.block_until_ready(result)

    return run


STEP_OF: dict[str, dict[str, Callable[..., Run]]] = {
    "torch": {"eager": _eager},
    "jax": {"jit": _jax, "eager": _eager},
    "tensorflow": {"function": _tensorflow(False), "XLA": _tensorflow(True), "eager": _eager},
}


def main() -> None:
    """Print how many times as long as Keras' own ours takes."""
    import keras

    patience, rng = Patience(rounds=25, seconds=5.0, shortest=0.02), np.random.default_rng(0)
    for name, way, pair in runs(keras.backend.backend()):
        for run in pair.values():
            run()
        low, middle, high = compared(take_turns(pair, patience, rng))["ours_over"]["plain"]
        print(f"{name:32} {way:22} {middle:6.2f}  ({low:.2f} to {high:.2f})", flush=True)


if __name__ == "__main__":
    main()
