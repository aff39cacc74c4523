"""Train a scorer in torch, take a threshold, and write both to files."""

import numpy as np
import torch

import anomaly_kernels as ak
import anomaly_kernels.torch as akt
from anomaly_kernels.data import load_shuttle
from anomaly_kernels.weights import save_params

torch.manual_seed(0)
features, target = load_shuttle()[:2]
order = np.random.default_rng(0).permutation(len(target))
train, calibration, test = np.array_split(order, 3)
mean, deviation = features[train].mean(axis=0), features[train].std(axis=0)


def rows(part: np.ndarray) -> torch.Tensor:
    return torch.tensor(np.clip((features[part] - mean) / deviation, -20, 20), dtype=torch.float32)


model = akt.SequenceAnomalyScoreLayer(in_features=9, hidden_units=[32, 16])
loss = akt.AnomalyBCEWithLogits(pos_weight=4.0)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
x, y = rows(train), torch.tensor(target[train])[:, None]
for _ in range(200):
    optimizer.zero_grad()
    loss(model(x), y).backward()
    optimizer.step()

model.eval()
with torch.no_grad():
    score = model(rows(calibration))[:, 0].numpy()
    print(f"ROC AUC in torch {ak.roc_auc(target[test], model(rows(test))[:, 0].numpy()):.4f}")
threshold = ak.threshold_at_rate(score[~target[calibration]], rate=0.01)

save_params("detector.safetensors", model)
np.savez("decision.npz", mean=mean, deviation=deviation, threshold=threshold, test=test)
