"""What each function is in each framework: a module, a layer, a metric, a compiled function."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from anomaly_kernels._catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator

FRAMEWORKS = {"torch": "torch", "keras": "Keras", "jax": "JAX"}
TORCH_KINDS = {"Loss": "module", "Metric": "metric"}
BASES = {
    ("torch", "module"): "torch.nn.Module",
    ("torch", "metric"): "torchmetrics.Metric",
    ("keras", "loss"): "keras.losses.Loss",
    ("keras", "regularizer"): "keras.regularizers.Regularizer",
    ("keras", "layer"): "keras.layers.Layer",
    ("keras", "metric"): "keras.metrics.Metric",
    ("keras", "model"): "keras.Model",
}
"""The class of the framework that a class extends, by framework and kind."""
KERAS_KINDS = {"EndpointLayer": "layer", "WeighedLayer": "layer"}


class Form(NamedTuple):
    """What a function is in a framework: a class as a rule."""

    function: str
    framework: str
    name: str
    kind: str

    @property
    def path(self) -> str:
        """The name below `anomaly_kernels`."""
        return f"{self.framework}.{self.name}"


def _forms() -> Iterator[Form]:
    for entry in CATALOGUE:
        if entry.cls and entry.torch and entry.keras:
            yield Form(entry.name, "torch", entry.cls, TORCH_KINDS[entry.torch])
            yield Form(entry.name, "keras", entry.cls, KERAS_KINDS.get(entry.keras, entry.keras.lower()))
        yield Form(entry.name, "jax", entry.name, "function")
        if entry.cls and entry.jax == "Metric":
            yield Form(entry.name, "jax", entry.cls, "metric")


FORMS = (
    *_forms(),
    Form("mean_squared_anomaly", "keras", "AnomalyRegularizer", "regularizer"),
    Form("svdd_center", "torch", "init_center", "function"),
    Form("Objective", "torch", "Objective", "module"),
    Form("Objective", "keras", "Objective", "layer"),
    Form("lstm_autoencoder", "torch", "LSTMAutoencoderAnomaly", "module"),
    Form("lstm_autoencoder", "keras", "LSTMAutoencoderAnomaly", "model"),
    Form("lstm_autoencoder", "jax", "lstm_autoencoder_init", "function"),
    Form("lstm_autoencoder", "jax", "lstm_autoencoder_apply", "function"),
    Form("sequence_anomaly_score", "torch", "SequenceAnomalyScoreLayer", "module"),
    Form("sequence_anomaly_score", "keras", "SequenceAnomalyScoreLayer", "layer"),
    Form("sequence_anomaly_score", "jax", "sequence_anomaly_score_init", "function"),
    Form("sequence_anomaly_score", "jax", "sequence_anomaly_score_apply", "function"),
)


def forms_of(function: str, framework: str) -> list[Form]:
    """The forms of a function in a framework."""
    return [form for form in FORMS if form.function == function and form.framework == framework]


def has_page(form: Form) -> bool:
    """Whether it is documented by itself; functions of JAX are what the function is, and stand in a list."""
    return form.framework != "jax" or form.name != form.function
