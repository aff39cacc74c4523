import tensorflow as tf

import anomaly_kernels as ak
from anomaly_kernels.data import load_shuttle

x, y = load_shuttle()[:2]  # readings of a space shuttle, and which are anomalous
train, calibration = x[:3000][~y[:3000]], x[3000:6000][~y[3000:6000]]  # normal rows alone
test, truth = x[6000:], y[6000:]
mean, deviation = train.mean(axis=0), train.std(axis=0)  # of the training rows alone
train, calibration, test = ((rows - mean) / deviation for rows in (train, calibration, test))
train, calibration, test, truth = map(tf.constant, (train, calibration, test, truth))

down, up = (tf.Variable(tf.eye(*shape, dtype=tf.float64)) for shape in ((9, 2), (2, 9)))


def model(x):  # a linear autoencoder: nine numbers into two, and back
    return x @ down @ up


for _ in range(50):
    with tf.GradientTape() as tape:
        loss = ak.mse_reconstruction_loss(train, model(train))
    slopes = tape.gradient(loss, (down, up))
    down.assign_sub(0.5 * slopes[0])
    up.assign_sub(0.5 * slopes[1])

normal, score = (ak.reconstruction_error(x, model(x)) for x in (calibration, test))
threshold = ak.threshold_at_rate(normal, rate=0.01)  # one false alarm in a hundred normal rows
found = ak.anomaly_detection_metrics(truth, score >= threshold)
print(f"loss {loss:.4f}, AUROC {ak.roc_auc(truth, score):.4f}")
print(f"threshold {threshold:.3f}: recall {found.recall:.4f}, precision {found.precision:.4f}")
