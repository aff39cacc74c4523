"""Deep SAD in torch: twenty labelled anomalies beside thousands of rows without labels, of which 7 % are anomalous."""

import torch
from torch import nn

import anomaly_kernels as ak
import anomaly_kernels.torch as akt
from anomaly_kernels.data import load_shuttle


def split(labelled: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Half of all rows to learn from, with a few labels; the other half to score."""
    shuttle = load_shuttle()
    features, target = torch.tensor(shuttle.features, dtype=torch.float32), torch.tensor(shuttle.target)
    order = torch.randperm(len(target), generator=torch.Generator().manual_seed(seed))
    train, test = order[: len(order) // 2], order[len(order) // 2 :]
    mean, deviation = features[train].mean(0), features[train].std(0)
    features = ((features - mean) / deviation).clamp(-20, 20)
    labels = torch.zeros(len(train))  # nothing is known
    labels[torch.nonzero(target[train]).flatten()[:labelled]] = 1  # known anomalies
    return features[train], labels, features[test], target[test]


def train(rows: torch.Tensor, labels: torch.Tensor, seed: int = 0, epochs: int = 15) -> tuple[nn.Module, torch.Tensor]:
    """Fit an encoder; without biases, with which it could map everything to the centre."""
    torch.manual_seed(seed)
    encoder = nn.Sequential(nn.Linear(9, 64, bias=False), nn.LeakyReLU(0.1), nn.Linear(64, 16, bias=False))
    with torch.no_grad():
        center = ak.svdd_center(encoder(rows))
    loss = akt.DeepSADLoss(eta=1.0)  # without a label it is the loss of Deep SVDD
    weight = torch.where(labels != 0, 20.0, 1.0)  # labels are rare, and drawn more often
    sampler = torch.utils.data.WeightedRandomSampler(weight.tolist(), len(rows))
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(rows, labels), 128, sampler=sampler)
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=1e-3, weight_decay=1e-4)
    for _ in range(epochs):
        for batch, known in loader:
            optimizer.zero_grad()
            loss(encoder(batch), center, known).backward()
            optimizer.step()
    return encoder, center


def main(seed: int = 0) -> dict[str, float]:
    """Train with labels and without, and say how well the distance from the centre ranks rows that were not seen."""
    figures = {}
    for name, labelled in (("Deep SVDD", 0), ("Deep SAD", 20)):
        rows, labels, test, target = split(labelled, seed)
        encoder, center = train(rows, labels, seed)
        with torch.no_grad():
            score = ak.svdd_score(encoder(test), center)
        figures[f"AUROC, {name}"] = float(ak.roc_auc(target, score))
        figures[f"average precision, {name}"] = float(ak.average_precision(target, score))
    return figures


if __name__ == "__main__":
    for name, value in main().items():
        print(f"{name:30} {value:.4f}")
