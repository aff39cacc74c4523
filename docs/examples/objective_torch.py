"""Train a network in torch by an objective from a YAML file, and evaluate it by the same file."""

from pathlib import Path

import numpy as np
import torch

import anomaly_kernels.torch as akt
from anomaly_kernels.data import load_shuttle

torch.manual_seed(0)
features, target = load_shuttle()[:2]
train, test = np.array_split(np.random.default_rng(0).permutation(len(target)), 2)
scaled = np.clip((features - features[train].mean(axis=0)) / features[train].std(axis=0), -20, 20)
rows, truth = torch.tensor(scaled, dtype=torch.float32), torch.tensor(target)[:, None]

encoder = torch.nn.Sequential(torch.nn.Linear(9, 16, bias=False), torch.nn.Tanh(), torch.nn.Linear(16, 4, bias=False))
head = torch.nn.Linear(4, 1)
center = torch.ones(4)
objective = akt.Objective.from_yaml(Path(__file__).with_name("objective.yaml"))
# the objective is a module: the radius of the boundary is one of its parameters
optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters(), *objective.parameters()], lr=1e-2)


def arrays(part: np.ndarray) -> dict[str, torch.Tensor]:
    """Everything that the file wires, by the names that it has there."""
    embeddings = encoder(rows[part])
    logits = head(embeddings)
    return {
        "encoder.embeddings": embeddings[~truth[part, 0]],  # the boundary is one of normal rows
        "encoder.center": center,
        "head.logits": logits,
        "head.decisions": logits > 0,
        "data.mask": truth[part],
    }


for epoch in range(1, 201):
    optimizer.zero_grad()
    total, terms = objective(arrays(train))
    total.backward()
    optimizer.step()
    if epoch in {1, 200}:
        print(f"epoch {epoch:3}", *(f"{name} {value.item():.3f}" for name, value in terms.items()))

with torch.no_grad():
    total, terms = objective.eval()(arrays(test))  # metrics are computed in evaluation alone
print(f"ROC AUC {terms['ranking']:.3f}, precision {terms['found'].precision:.3f}, recall {terms['found'].recall:.3f}")
