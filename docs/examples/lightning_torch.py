"""An autoencoder in Lightning: it logs a loss and metrics, stops by average precision, and sets its own threshold."""

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch.nn import Linear, Sequential, Tanh
from torch.utils.data import DataLoader, TensorDataset

import anomaly_kernels as ak
import anomaly_kernels.torch as akt
from anomaly_kernels.data import load_shuttle


class Detector(pl.LightningModule):
    def __init__(self, learning_rate: float = 3e-3, rate: float = 0.01) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.network = Sequential(Linear(9, 16), Tanh(), Linear(16, 2), Tanh(), Linear(2, 16), Tanh(), Linear(16, 9))
        self.loss = akt.MSEReconstructionLoss()
        # a metric for each stage, as attributes, so that Lightning moves and resets them
        self.val_ap = akt.AveragePrecisionMetric()
        self.val_auroc = akt.ROCAUCMetric()
        self.test_ap = akt.AveragePrecisionMetric()
        self.test_found = akt.AnomalyDetectionMetrics()
        # a buffer, so that each checkpoint has the threshold of its own weights
        self.register_buffer("threshold", torch.tensor(torch.inf))
        self.normal_scores: list[torch.Tensor] = []

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return ak.reconstruction_error(rows, self.network(rows))

    def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        (rows,) = batch
        loss = self.loss(self.network(rows), rows)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: list[torch.Tensor]) -> None:
        rows, target = batch
        score = self(rows)
        self.val_ap.update(score, target)
        self.val_auroc.update(score, target)
        self.normal_scores.append(score[~target])
        # the metric itself, not its value: Lightning computes it over the whole epoch
        self.log_dict({"val_ap": self.val_ap, "val_auroc": self.val_auroc}, prog_bar=True)

    def on_validation_epoch_end(self) -> None:
        # on average, a share `rate` of new normal rows will score at least as high
        self.threshold.copy_(ak.threshold_at_rate(torch.cat(self.normal_scores), rate=self.hparams.rate))
        self.normal_scores.clear()

    def test_step(self, batch: list[torch.Tensor]) -> None:
        rows, target = batch
        score = self(rows)
        self.test_ap.update(score, target)
        self.test_found.update(score >= self.threshold, target)
        self.log("test_ap", self.test_ap)

    def on_test_epoch_end(self) -> None:
        found = self.test_found.compute()  # several numbers: compute, log and reset them yourself
        self.log_dict({"test_precision": found.precision, "test_recall": found.recall})
        self.test_found.reset()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), self.hparams.learning_rate)


def loaders() -> tuple[DataLoader, DataLoader, DataLoader]:
    """Normal rows to train on; normal and anomalous ones to validate and to test."""
    features, target = load_shuttle()[:2]
    order = np.random.default_rng(0).permutation(len(target))
    normal, anomalous = order[~target[order]], order[target[order]]
    train = normal[:2000]
    mean, deviation = features[train].mean(0), features[train].std(0)
    rows = torch.tensor(np.clip((features - mean) / deviation, -20, 20), dtype=torch.float32)
    truth = torch.tensor(target)
    validation, test = (np.concatenate([normal[start::2], anomalous[start % 2 :: 2]]) for start in (2000, 2001))
    return (
        DataLoader(TensorDataset(rows[train]), batch_size=64, shuffle=True),
        DataLoader(TensorDataset(rows[validation], truth[validation]), batch_size=512),
        DataLoader(TensorDataset(rows[test], truth[test]), batch_size=512),
    )


def main() -> dict[str, float]:
    pl.seed_everything(0, verbose=False)
    train, validation, test = loaders()
    best = ModelCheckpoint(monitor="val_ap", mode="max", filename="best")
    trainer = pl.Trainer(
        max_epochs=30,
        callbacks=[EarlyStopping(monitor="val_ap", mode="max", patience=5), best],
        default_root_dir="lightning",
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    model = Detector()
    trainer.fit(model, train, validation)
    print(f"stopped early: {trainer.current_epoch < 30}")
    (validated,) = trainer.validate(model, validation, ckpt_path="best", verbose=False)
    (tested,) = trainer.test(model, test, ckpt_path="best", verbose=False)
    return validated | {"threshold": float(model.threshold)} | tested


if __name__ == "__main__":
    for name, value in main().items():
        print(f"{name:14} {value:.3f}")
