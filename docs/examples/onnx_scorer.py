"""A detector fitted with NumPy, exported with its threshold as an ONNX graph, and run without Python's libraries."""

import ndonnx as ndx
import numpy as np
import onnx
import onnxruntime

import anomaly_kernels as ak
from anomaly_kernels.data import load_shuttle

# fit: the Mahalanobis distance from normal rows, and a threshold for 1 % of false alarms
features, target = load_shuttle()[:2]
features = features.astype(np.float32)
normal = np.random.default_rng(0).permutation(np.flatnonzero(~target))
train, calibration, later = np.split(normal, [3000, 6000])
fit = ak.mahalanobis_fit(features[train])
distance = ak.mahalanobis_score(features[calibration], fit.mean, fit.chol)
threshold = ak.threshold_at_rate(distance, rate=0.01)

# trace: what was fitted is a constant of the graph, what comes later an argument; "N" leaves the number of rows open
rows = ndx.argument(shape=("N", 9), dtype=ndx.float32)
mean, chol, limit = (ndx.asarray(x) for x in (fit.mean, fit.chol, threshold))
score = ak.mahalanobis_score(rows, mean, chol)
onnx.save(ndx.build({"rows": rows}, {"score": score, "alarm": score >= limit}), "detector.onnx")

# run: this part needs the file and onnxruntime alone
session = onnxruntime.InferenceSession("detector.onnx")
score, alarm = session.run(["score", "alarm"], {"rows": features})
print(f"alarms: {alarm[target].mean():.3f} of the anomalies, {alarm[later].mean():.3f} of new normal rows")

# compare with NumPy
expected = ak.mahalanobis_score(features, fit.mean, fit.chol)
print("scores as in NumPy:", np.allclose(score, expected, rtol=1e-5))
print(f"alarms as in NumPy: {np.mean(alarm == (expected >= threshold)):.4f} of them")
