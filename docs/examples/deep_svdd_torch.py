"""A Deep SVDD in torch: an encoder learns to map normal rows into a small sphere, and anomalies fall outside it."""

import torch
from torch import nn

import anomaly_kernels as ak
import anomaly_kernels.torch as akt
from anomaly_kernels.data import load_shuttle


def split(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Half of the normal rows to fit on; the other half and all anomalies to score."""
    shuttle = load_shuttle()
    features, target = torch.tensor(shuttle.features, dtype=torch.float32), torch.tensor(shuttle.target)
    normal = torch.nonzero(~target).flatten()
    normal = normal[torch.randperm(len(normal), generator=torch.Generator().manual_seed(seed))]
    train, rest = normal[: len(normal) // 2], normal[len(normal) // 2 :]
    mean, deviation = features[train].mean(0), features[train].std(0)
    features = ((features - mean) / deviation).clamp(-20, 20)
    test = torch.cat([rest, torch.nonzero(target).flatten()])
    return features[train], features[test], target[test]


def train(rows: torch.Tensor, seed: int = 0, epochs: int = 20) -> tuple[nn.Module, akt.DeepSVDDSoftBoundaryLoss]:
    """Fit encoder and radius; without biases, with which the encoder could map everything to the centre."""
    torch.manual_seed(seed)
    encoder = nn.Sequential(nn.Linear(9, 64, bias=False), nn.LeakyReLU(0.1), nn.Linear(64, 16, bias=False))
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(rows), batch_size=128, shuffle=True)
    loss = akt.DeepSVDDSoftBoundaryLoss(nu=0.05)
    loss.center = akt.init_center(encoder, loader)
    loss.init_radius(encoder(rows))
    # one number that must follow all the distances learns faster than the weights
    groups = [{"params": encoder.parameters()}, {"params": loss.parameters(), "lr": 1e-2, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, weight_decay=1e-4)
    for _ in range(epochs):
        for (batch,) in loader:
            optimizer.zero_grad()
            loss(encoder(batch)).backward()
            optimizer.step()
    return encoder, loss


def main() -> dict[str, float]:
    """Train, and say how well the distance from the centre ranks rows that were not fitted."""
    rows, test, target = split()
    encoder, loss = train(rows)
    with torch.no_grad():
        score = ak.svdd_score(encoder(test), loss.center, radius=loss.radius)
        inside = ak.svdd_score(encoder(rows), loss.center)
        return {
            "AUROC": float(ak.roc_auc(target, score)),
            "average precision": float(ak.average_precision(target, score)),
            "radius": float(loss.radius),
            "share of normal rows outside": float((inside > loss.radius**2).float().mean()),
            "spread of the scores": float(score.std()),
        }


if __name__ == "__main__":
    for name, value in main().items():
        print(f"{name:30} {value:.4f}")
