"""The LSTM autoencoder in inference, beside the same network as users of each framework write it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from anomaly_kernels import weights
from benchmarks.libraries import array_of
from benchmarks.timing import Run

B, T, F, UNITS = 64, 100, 8, 64
Pairs = dict[str, dict[str, Run]]


def runs(library: str) -> Iterator[tuple[str, str, dict[str, Run]]]:
    """Our forms and the plain ones, by framework and way of running."""
    x = array_of(library)(np.random.default_rng(0).standard_normal((B, T, F), np.float32))
    pairs = OWN.get(library, _none)(x) | (_keras(library, x) if library != "numpy" else {})
    for way, pair in pairs.items():
        ours, plain = (np.asarray(run()) for run in pair.values())
        np.testing.assert_allclose(ours, plain, atol=1e-5)  # the same network, or there is nothing to compare
        yield "LSTM autoencoder, inference", way, pair


def _none(x: Any) -> Pairs:
    return {}


def _torch(x: Any) -> Pairs:
    import torch
    from torch import nn

    import anomaly_kernels.torch as akt

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder_1, self.decoder_1 = (
                nn.LSTM(F, UNITS, batch_first=True),
                nn.LSTM(UNITS, UNITS, batch_first=True),
            )
            self.decoder_dense = nn.Linear(UNITS, F)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            _, state = self.encoder_1(x)
            repeated = state[0][-1][:, None].expand(-1, x.shape[1], -1)
            return torch.tanh(self.decoder_dense(self.decoder_1(repeated, state)[0]))

    ours, plain = akt.LSTMAutoencoderAnomaly(F, UNITS, UNITS).eval(), Plain().eval()
    plain.load_state_dict(ours.state_dict())
    pairs: Pairs = {}
    for name, mode in (("torch", torch.no_grad()), ("torch, inference_mode", torch.inference_mode())):
        pairs[name] = {"ours": mode(lambda: ours(x)), "plain": mode(lambda: plain(x))}
    return pairs


def _jax(x: Any) -> Pairs:
    import jax
    import jax.numpy as jnp

    import anomaly_kernels.jax as akj

    def lstm(params: Any, layer: str, sequence: Any, state: Any) -> Any:
        def step(state: Any, x: Any) -> Any:
            h, c = state
            gates = x + h @ params[f"{layer}/recurrent_kernel"]
            i, f, g, o = jnp.split(gates, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        return jax.lax.scan(step, state, sequence @ params[f"{layer}/kernel"] + params[f"{layer}/bias"])

    @jax.jit
    def plain(params: Any, x: Any) -> Any:
        zero = jnp.zeros((x.shape[0], UNITS), x.dtype)
        state, _ = lstm(params, "encoder_1", jnp.swapaxes(x, 0, 1), (zero, zero))
        repeated = jnp.broadcast_to(state[0], (x.shape[1], *state[0].shape))
        _, y = lstm(params, "decoder_1", repeated, state)
        return jnp.swapaxes(jnp.tanh(y @ params["decoder_dense/kernel"] + params["decoder_dense/bias"]), 0, 1)

    params = akj.lstm_autoencoder_init(jax.random.key(0), F, UNITS, UNITS, dtype="float32")
    ours = jax.jit(akj.lstm_autoencoder_apply)
    return {"jax": {name: _waiting(f, params, x) for name, f in (("ours", ours), ("plain", plain))}}


def _waiting(f: Callable[..., Any], *arguments: Any) -> Run:
    return lambda: f(*arguments).block_until_ready()


def _keras(library: str, x: Any) -> Pairs:
    import keras
    from keras import layers

    import anomaly_kernels.keras as akk

    assert keras.backend.backend() == library
    series = keras.Input((T, F))
    _, h, c = layers.LSTM(UNITS, return_state=True)(series)
    y = layers.LSTM(UNITS, return_sequences=True)(layers.RepeatVector(T)(h), initial_state=[h, c])
    models = {"ours": akk.LSTMAutoencoderAnomaly(UNITS, UNITS), "plain": None}
    models["plain"] = keras.Model(series, layers.Dense(F, activation="tanh")(y))
    models["ours"].build((None, T, F))
    tree = weights.get_params_tree(models["ours"])
    models["plain"].set_weights(list(tree.values()))
    numbers, array = keras.ops.convert_to_numpy, keras.ops.convert_to_numpy(x)
    by = {
        "called": lambda model: lambda: numbers(model(x, training=False)),
        "predict_on_batch": lambda model: lambda: model.predict_on_batch(array),
    }
    return {
        f"keras on {library}, {way}": {who: run_of(model) for who, model in models.items()}
        for way, run_of in by.items()
    }


OWN: dict[str, Callable[[Any], Pairs]] = {"torch": _torch, "jax": _jax}
