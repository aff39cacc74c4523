import numpy as np

import anomaly_kernels as ak
from anomaly_kernels.data import load_shuttle

x, y = load_shuttle()[:2]  # readings of a space shuttle, and which are anomalous
train, calibration = x[:3000][~y[:3000]], x[3000:6000][~y[3000:6000]]  # normal rows alone
test, truth = x[6000:], y[6000:]
mean, deviation = train.mean(axis=0), train.std(axis=0)  # of the training rows alone
train, calibration, test = ((rows - mean) / deviation for rows in (train, calibration, test))

weights = {"down": np.eye(9, 2), "up": np.eye(2, 9)}


def model(x, weights):  # a linear autoencoder: nine numbers into two, and back
    return x @ weights["down"] @ weights["up"]


def loss_of(weights):
    return ak.mse_reconstruction_loss(train, model(train, weights))


for _ in range(50):
    loss, slopes = ak.value_and_grad(loss_of)(weights)
    weights = {name: weights[name] - 0.5 * slopes[name] for name in weights}

normal, score = (ak.reconstruction_error(x, model(x, weights)) for x in (calibration, test))
threshold = ak.threshold_at_rate(normal, rate=0.01)  # one false alarm in a hundred normal rows
found = ak.anomaly_detection_metrics(truth, score >= threshold)
print(f"loss {loss:.4f}, AUROC {ak.roc_auc(truth, score):.4f}")
print(f"threshold {threshold:.3f}: recall {found.recall:.4f}, precision {found.precision:.4f}")
