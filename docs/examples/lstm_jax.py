"""An LSTM autoencoder in JAX with optax learns ordinary heartbeats, and reconstructs a ventricular one badly."""

from os import PathLike

import jax
import jax.numpy as jnp
import numpy as np
import optax
from rich.progress import track
from series import judge, read

import anomaly_kernels.jax as ak

Params = dict[str, jax.Array]


def reconstruct(params: Params, windows: jax.Array) -> jax.Array:
    return ak.lstm_autoencoder_apply(params, windows, activation="linear")


def train(windows: jax.Array, seed: int = 0, epochs: int = 30, batch: int = 32) -> Params:
    """Fit to windows, (N, T, 1); an epoch is one compiled loop."""
    key = jax.random.key(seed)
    params = ak.lstm_autoencoder_init(key, n_features=1, latent_dim=64, lstm_units=64, dtype=windows.dtype)
    steps = len(windows) // batch
    rate = optax.cosine_decay_schedule(1e-2, epochs * steps)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))

    def step(state, x):
        params, moments = state
        slope = jax.grad(lambda p: ak.mse_reconstruction_loss(x, reconstruct(p, x)))(params)
        updates, moments = optimizer.update(slope, moments)
        return (optax.apply_updates(params, updates), moments), None

    @jax.jit
    def epoch(state, key):
        order = jax.random.permutation(key, len(windows))[: steps * batch]
        return jax.lax.scan(step, state, windows[order].reshape(steps, batch, *windows.shape[1:]))[0]

    state = params, optimizer.init(params)
    for each in track(jax.random.split(key, epochs), "training"):
        state = epoch(state, each)
    return state[0]


def main(picture: str | PathLike[str] = "ecg.svg") -> dict[str, float]:
    """Train on the normal part, reconstruct everything, and say what was found."""
    series = read()
    windows = jnp.asarray(series.windows)
    params = train(windows[: series.n_train])
    return judge(series, np.asarray(reconstruct(params, windows)), picture)


if __name__ == "__main__":
    for name, value in main().items():
        print(f"{name:40} {value:.4f}")
