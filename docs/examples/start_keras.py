import keras

import anomaly_kernels as ak
import anomaly_kernels.keras as akk
from anomaly_kernels.data import load_shuttle

x, y = load_shuttle()[:2]  # readings of a space shuttle, and which are anomalous
train, calibration = x[:3000][~y[:3000]], x[3000:6000][~y[3000:6000]]  # normal rows alone
test, truth = x[6000:], y[6000:]
mean, deviation = train.mean(axis=0), train.std(axis=0)  # of the training rows alone
train, calibration, test = ((rows - mean) / deviation for rows in (train, calibration, test))

settings = {"use_bias": False, "kernel_initializer": "identity"}
down, up = keras.layers.Dense(2, **settings), keras.layers.Dense(9, **settings)
model = keras.Sequential([keras.Input((9,)), down, up])  # nine numbers into two, and back

model.compile(keras.optimizers.SGD(0.5), loss=akk.MSEReconstructionLoss())
loss = model.fit(train, train, batch_size=len(train), epochs=50, verbose=0).history["loss"][-1]

normal, score = (ak.reconstruction_error(x, model.predict(x, verbose=0)) for x in (calibration, test))
threshold = ak.threshold_at_rate(normal, rate=0.01)  # one false alarm in a hundred normal rows
found = ak.anomaly_detection_metrics(truth, score >= threshold)
print(f"loss {loss:.4f}, AUROC {ak.roc_auc(truth, score):.4f}")
print(f"threshold {threshold:.3f}: recall {found.recall:.4f}, precision {found.precision:.4f}")
