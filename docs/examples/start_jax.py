import jax
import jax.numpy as jnp

import anomaly_kernels.jax as akj
from anomaly_kernels.data import load_shuttle

x, y = load_shuttle()[:2]  # readings of a space shuttle, and which are anomalous
train, calibration = x[:3000][~y[:3000]], x[3000:6000][~y[3000:6000]]  # normal rows alone
test, truth = x[6000:], y[6000:]
mean, deviation = train.mean(axis=0), train.std(axis=0)  # of the training rows alone
train, calibration, test = ((rows - mean) / deviation for rows in (train, calibration, test))
train, calibration, test, truth = map(jnp.asarray, (train, calibration, test, truth))

weights = {"down": jnp.eye(9, 2), "up": jnp.eye(2, 9)}


def model(x, weights):  # a linear autoencoder: nine numbers into two, and back
    return x @ weights["down"] @ weights["up"]


@jax.jit
@jax.value_and_grad
def loss_of(weights):
    return akj.mse_reconstruction_loss(train, model(train, weights))


for _ in range(50):
    loss, slopes = loss_of(weights)
    weights = {name: weights[name] - 0.5 * slopes[name] for name in weights}

normal, score = (akj.reconstruction_error(x, model(x, weights)) for x in (calibration, test))
threshold = akj.threshold_at_rate(normal, rate=0.01)  # one false alarm in a hundred normal rows
found = akj.anomaly_detection_metrics(truth, score >= threshold)
print(f"loss {loss:.4f}, AUROC {akj.roc_auc(truth, score):.4f}")
print(f"threshold {threshold:.3f}: recall {found.recall:.4f}, precision {found.precision:.4f}")
