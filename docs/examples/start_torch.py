import torch

import anomaly_kernels as ak
import anomaly_kernels.torch as akt
from anomaly_kernels.data import load_shuttle

x, y = map(torch.from_numpy, load_shuttle()[:2])  # a space shuttle; which rows are anomalous
train, calibration = x[:3000][~y[:3000]], x[3000:6000][~y[3000:6000]]  # normal rows alone
test, truth = x[6000:], y[6000:]
mean, deviation = train.mean(0), train.std(0, correction=0)  # of the training rows alone
train, calibration, test = ((rows - mean) / deviation for rows in (train, calibration, test))

down, up = torch.nn.Linear(9, 2, bias=False), torch.nn.Linear(2, 9, bias=False)
model = torch.nn.Sequential(down, up).double()  # nine numbers into two, and back
for layer in model:
    torch.nn.init.eye_(layer.weight)

loss_of = akt.MSEReconstructionLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
for _ in range(50):
    optimizer.zero_grad()
    loss = loss_of(model(train), train)
    loss.backward()
    optimizer.step()

with torch.no_grad():
    normal, score = (ak.reconstruction_error(x, model(x)) for x in (calibration, test))
threshold = ak.threshold_at_rate(normal, rate=0.01)  # one false alarm in a hundred normal rows
found = ak.anomaly_detection_metrics(truth, score >= threshold)
print(f"loss {loss:.4f}, AUROC {ak.roc_auc(truth, score):.4f}")
print(f"threshold {threshold:.3f}: recall {found.recall:.4f}, precision {found.precision:.4f}")
