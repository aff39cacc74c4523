"""An AEGMM (DAGMM) in Keras: an autoencoder whose latents and errors a Gaussian mixture makes into an energy."""

import keras
import numpy as np
from keras import layers, ops

import anomaly_kernels as ak
import anomaly_kernels.keras as akk
from anomaly_kernels.data import load_shuttle


def split(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half of the normal rows to fit on; the other half and all anomalies to score."""
    shuttle = load_shuttle()
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(~shuttle.target))
    train, rest = np.array_split(normal, 2)
    mean, deviation = shuttle.features[train].mean(0), shuttle.features[train].std(0)
    features = np.clip((shuttle.features - mean) / deviation, -20, 20).astype("float32")
    test = np.concatenate([rest, np.flatnonzero(shuttle.target)])
    return features[train], features[test], shuttle.target[test]


def build(features: int = 9, latent: int = 2, components: int = 4) -> tuple[keras.Model, keras.Model]:
    """The model to train, whose output is its loss, and the one that gives what the mixture sees."""
    x = keras.Input((features,))
    encoded = layers.Dense(latent)(layers.Dense(32, "tanh")(x))
    decoded = layers.Dense(features)(layers.Dense(32, "tanh")(encoded))
    error = ops.mean(ops.square(x - decoded), axis=-1, keepdims=True)
    # the logarithm of the error, whose size says more than its units
    z = layers.Concatenate()([encoded, ops.log(error + 1e-3)])
    gamma = layers.Dense(components, "softmax")(layers.Dropout(0.5)(layers.Dense(16, "tanh")(z)))
    loss = akk.AEGMMLoss(w_energy=0.1, w_cov_diag=0.005, eps=1e-3)(x, decoded, z, gamma)
    return keras.Model(x, loss), keras.Model(x, [z, gamma])


def main(epochs: int = 20) -> dict[str, float]:
    """Train, and say how well the energy ranks rows that were not fitted."""
    keras.utils.set_random_seed(0)
    rows, test, target = split()
    model, estimation = build()
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(rows, batch_size=256, epochs=epochs, verbose=0)
    params = ak.gmm_params(*estimation(rows))
    energy = ops.convert_to_numpy(ak.gmm_energy(estimation(test)[0], params, reduction="none"))
    phi, cov = ops.convert_to_numpy(params.phi), ops.convert_to_numpy(params.cov)
    return {
        "AUROC": float(ak.roc_auc(target, energy)),
        "average precision": float(ak.average_precision(target, energy)),
        "spread of the energies": float(energy.std()),
        "components in use": float((phi > 0.01).sum()),
        "smallest variance": float(cov.diagonal(axis1=1, axis2=2).min()),
    }


if __name__ == "__main__":
    for name, value in main().items():
        print(f"{name:30} {value:.4f}")
