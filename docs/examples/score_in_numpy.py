"""Score with NumPy alone: no framework is imported, nor needs to be installed."""

import numpy as np

import anomaly_kernels as ak
from anomaly_kernels.data import load_shuttle
from anomaly_kernels.weights import load_params

params = load_params("detector.safetensors")
with np.load("decision.npz") as saved:
    mean, deviation, threshold, test = (saved[key] for key in ("mean", "deviation", "threshold", "test"))

features, target = (x[test] for x in load_shuttle()[:2])
rows = np.clip((features - mean) / deviation, -20, 20).astype(np.float32)
score = ak.sequence_anomaly_score(params, rows)[:, 0]
alarm = score >= threshold

print(f"ROC AUC in NumPy {ak.roc_auc(target, score):.4f}")
found = ak.anomaly_detection_metrics(target, alarm)
print(f"precision {found.precision:.3f}, recall {found.recall:.3f}")
