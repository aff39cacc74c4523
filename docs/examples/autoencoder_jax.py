"""An autoencoder in JAX with optax: it learns to reconstruct normal rows, and reconstructs anomalies badly."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import anomaly_kernels.jax as ak
from anomaly_kernels.data import load_shuttle


def split(seed: int = 0) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Half of the normal rows to fit on; the other half and all anomalies to score."""
    shuttle = load_shuttle()
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(~shuttle.target))
    train, rest = np.array_split(normal, 2)
    mean, deviation = shuttle.features[train].mean(0), shuttle.features[train].std(0)
    features = np.clip((shuttle.features - mean) / deviation, -20, 20).astype("float32")
    test = np.concatenate([rest, np.flatnonzero(shuttle.target)])
    return jnp.asarray(features[train]), jnp.asarray(features[test]), jnp.asarray(shuttle.target[test])


def init(key: jax.Array, sizes: tuple[int, ...] = (9, 32, 3, 32, 9)) -> list[tuple[jax.Array, jax.Array]]:
    """Weights and biases of dense layers."""
    keys = jax.random.split(key, len(sizes) - 1)
    shapes = zip(keys, sizes[:-1], sizes[1:], strict=True)
    return [(jax.random.normal(k, (m, n)) / jnp.sqrt(m), jnp.zeros(n)) for k, m, n in shapes]


def reconstruct(params: list[tuple[jax.Array, jax.Array]], x: jax.Array) -> jax.Array:
    """Encode and decode."""
    for k, (weight, bias) in enumerate(params):
        x = x @ weight + bias
        x = jnp.tanh(x) if k % 2 == 0 else x
    return x


def train(rows: jax.Array, seed: int = 0, epochs: int = 30, batch: int = 128) -> list[tuple[jax.Array, jax.Array]]:
    """Fit by Adam; the epochs are one compiled loop."""
    key = jax.random.key(seed)
    params = init(key)
    optimizer = optax.adam(3e-3)

    def step(state, x):
        params, moments = state
        loss, slope = jax.value_and_grad(lambda p: ak.mse_reconstruction_loss(x, reconstruct(p, x)))(params)
        updates, moments = optimizer.update(slope, moments)
        return (optax.apply_updates(params, updates), moments), loss

    def epoch(state, key):
        order = jax.random.permutation(key, len(rows))[: len(rows) // batch * batch]
        return jax.lax.scan(step, state, rows[order].reshape(-1, batch, rows.shape[1]))

    keys = jax.random.split(key, epochs)
    (params, _), _ = jax.jit(lambda state: jax.lax.scan(epoch, state, keys))((params, optimizer.init(params)))
    return params


def main() -> dict[str, float]:
    """Train, and say how well the reconstruction error ranks rows that were not fitted."""
    rows, test, target = split()
    params = train(rows)
    score = ak.reconstruction_error(test, reconstruct(params, test))
    return {
        "AUROC": float(ak.roc_auc(target, score)),
        "average precision": float(ak.average_precision(target, score)),
        "error of normal rows": float(ak.mse_reconstruction_loss(rows, reconstruct(params, rows))),
        "spread of the scores": float(score.std()),
    }


if __name__ == "__main__":
    for name, value in main().items():
        print(f"{name:30} {value:.4f}")
