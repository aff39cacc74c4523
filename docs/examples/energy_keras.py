"""Outlier exposure in Keras: a classifier of three classes that has seen some outliers is unsure of others too."""

import keras
import numpy as np
from keras import layers

import anomaly_kernels as ak
import anomaly_kernels.keras as akk


def draw(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of three classes in the plane, and the class of each."""
    rng = np.random.default_rng(seed)
    centers = 2.0 * np.asarray([[0.0, 1.0], [0.87, -0.5], [-0.87, -0.5]])
    label = rng.integers(0, 3, rows)
    return (centers[label] + 0.4 * rng.normal(size=(rows, 2))).astype("float32"), label


def outliers(rows: int, seed: int, inner: float, outer: float) -> np.ndarray:
    """Points of a ring around the middle."""
    rng = np.random.default_rng(seed)
    radius, angle = rng.uniform(inner, outer, rows), rng.uniform(0, 2 * np.pi, rows)
    return (radius * np.asarray([np.cos(angle), np.sin(angle)])).T.astype("float32")


def build() -> keras.Model:
    """A classifier whose logits go to two losses."""
    x = keras.Input((2,))
    hidden = layers.Dense(32, "relu")(layers.Dense(32, "relu")(x))
    logit = layers.Dense(3, name="classes")(hidden)
    return keras.Model(x, {"classes": logit, "energy": layers.Identity(name="energy")(logit)})


def train(weight: float, epochs: int = 10) -> keras.Model:
    """Fit the classes of normal points and, by this weight, the bounds of the energy of all."""
    keras.utils.set_random_seed(0)
    x, label = draw(1500, seed=0)
    far = outliers(500, seed=1, inner=5.0, outer=9.0)  # those that are at hand are far away
    order = np.random.default_rng(2).permutation(len(x) + len(far))
    points = np.concatenate([x, far])[order]
    classes = np.concatenate([label, np.full(len(far), -1)])[order]
    model = build()
    losses = {
        "classes": keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1),
        "energy": akk.EnergyBoundedLoss(margin_in=-6.0, margin_out=-1.0, weight=weight),
    }
    model.compile(keras.optimizers.Adam(1e-2), losses)
    model.fit(points, {"classes": classes, "energy": classes < 0}, batch_size=100, epochs=epochs, verbose=0)
    return model


def main() -> dict[str, float]:
    """Train without bounds and with them; rank new points by their energies, and count what is classified rightly."""
    x, label = draw(1000, seed=3)
    new = outliers(1000, seed=4, inner=3.5, outer=5.0)  # nearer than any that was seen
    is_outlier = np.repeat([False, True], [len(x), len(new)])
    figures = {}
    for name, weight in (("cross entropy alone", 0.0), ("with bounds", 0.1)):
        logit = train(weight).predict(np.concatenate([x, new]), verbose=0)["classes"]
        figures[f"AUROC, {name}"] = float(ak.roc_auc(is_outlier, ak.logit_score(logit)))
        figures[f"accuracy, {name}"] = float((logit[: len(x)].argmax(1) == label).mean())
    return figures


if __name__ == "__main__":
    for name, value in main().items():
        print(f"{name:30} {value:.4f}")
