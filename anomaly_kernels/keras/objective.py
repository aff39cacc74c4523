"""Several losses as one, with which a Keras model is trained; the logs have each of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from os import PathLike
from typing import Any, Self

import keras

from anomaly_kernels import objective
from anomaly_kernels._catalogue import CATALOGUE, ENTRIES
from anomaly_kernels._classes.settings import parameters_of
from anomaly_kernels._core.namespace import describe
from anomaly_kernels.keras import metrics, regions
from anomaly_kernels.keras._base import PACKAGE, Tensor, mask_of, reading_config, to_tensor
from anomaly_kernels.objective import Node, ObjectiveError
from anomaly_kernels.objective._objective import add_note, as_objective


@keras.saving.register_keras_serializable(PACKAGE)
class Objective(keras.Model):
    """A model that is trained with the sum of several losses, and evaluated with metrics too.

    A form of `anomaly_kernels.Objective`, which explains nodes and descriptions. Nodes are wired to what `model`
    returns, a dict, and to dicts given to ``fit`` and ``evaluate`` as `x` and `y`. The logs have each loss under the
    name of its node, and each number of a metric under that and its own, as in ``metrics/precision``: of all batches,
    not averaged. It is compiled without a loss, and predicts what `model` does.

    Parameters
    ----------
    model : keras.Model
        The model to train. It returns a dict of tensors by name.
    nodes : dict of str to Node, or anomaly_kernels.Objective
        The losses and metrics; metrics that have a class in `anomaly_kernels.keras`. In the logs ``loss`` is the total,
        and the text before a slash is the name of a node. So no node may have such a name. Unless it runs eagerly,
        `explained_variance` is of an output of a functional model, whose length is known.
    uncertainty : sequence of str
        The losses whose weights are learnt. An objective in `nodes` has its own.
    **options
        What every model of Keras takes: `name`, `trainable`, `dtype`.

    Raises
    ------
    ObjectiveError
        As the pure one does, and if a metric has no class, two arrays have the name that a node is wired to, one of
        them has a mask, or there are `sample_weight`, or a loss that it has been compiled with.
    """

    def __init__(
        self,
        model: keras.Model,
        nodes: Mapping[str, Node] | objective.Objective,
        *,
        uncertainty: Collection[str] = (),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if not isinstance(model, keras.Model):
            raise ObjectiveError(f"`model` must be a keras.Model, got {describe(model)}")
        self.model = model
        self.pure = as_objective(nodes, uncertainty)
        nodes = self.pure.nodes
        summed = {name: node for name, node in nodes.items() if node.is_loss}
        if not any("train" in node.stages for node in summed.values()):
            raise ObjectiveError(f"`nodes` must have a loss to train with, got {', '.join(nodes)}")
        self._summed = objective.Objective(summed, uncertainty=self.pure.uncertainty)
        self._means = {name: _LossMean(name=name) for name in summed}
        if taken := [name for name in nodes if name == "loss" or "/" in name]:
            raise ObjectiveError(f"names of nodes must be other than 'loss' and without a slash, got {taken[0]!r}")
        self._wired = {source for node in nodes.values() for source in node.sources.values()}
        lengths = _lengths(model)
        self._checks = {name: _NodeMetric(name, node, lengths) for name, node in nodes.items() if not node.is_loss}
        self._learnt = {
            name: {node: self._add_number(f"{name}_{node}") for node in learning}
            for name, learning in self.pure.learnt.items()
        }
        if model.built:
            self.build(getattr(model, "input_shape", None))  # which is what `export` asks for

    def _add_number(self, name: str) -> Any:
        dtype = "float64" if self.variable_dtype == "float64" else "float32"
        # TensorFlow takes few characters other than letters for the name of a variable
        return self.add_weight((), "zeros", dtype, name=re.sub(r"[^A-Za-z0-9_.-]", "_", name))

    @classmethod
    def from_yaml(cls, model: keras.Model, source: str | PathLike[str], **options: Any) -> Self:
        """Train a model with what `anomaly_kernels.Objective.from_yaml` reads."""
        return cls(model, objective.Objective.from_yaml(source), **options)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make one of what `get_config` has returned.

        A description alone has no model: ``Objective(model, anomaly_kernels.Objective.from_config(description))``.
        """
        with reading_config(cls):
            options = dict(config)
            pure = objective.Objective.from_config(options.pop("objective"))
            return cls(keras.saving.deserialize_keras_object(options.pop("model")), pure, **options)

    def get_config(self) -> dict[str, Any]:
        """Return the description, as `anomaly_kernels.Objective.to_config` has it, beside the model's."""
        own = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype_policy.name}
        model = keras.saving.serialize_keras_object(self.model)
        return {**own, "model": model, "objective": self.to_config()}

    def to_config(self) -> dict[str, Any]:
        """Return the description, as `anomaly_kernels.Objective.to_config` does."""
        return self.pure.to_config()

    @property
    def outside(self) -> tuple[str, ...]:
        """The names of the other nodes of a description, which are not losses or metrics of this library."""
        return self.pure.outside

    def call(self, inputs: Any, training: Any = None) -> dict[str, Tensor]:
        """Return what the model does."""
        return self.model(inputs, training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,  # noqa: FBT001, FBT002  # Keras' signature
    ) -> Tensor:
        """Return the total of the losses, those that layers have added among them; what training calls."""
        if getattr(self, "loss", None) is not None:
            raise ObjectiveError("an objective is compiled without a loss, its nodes are those it has")
        if sample_weight is not None:
            raise ObjectiveError("an objective has no weights of samples, got `sample_weight`")
        arrays = self._arrays_by_name(x, y, y_pred)
        params = {name: {node: to_tensor(w) for node, w in by_node.items()} for name, by_node in self._learnt.items()}
        stage = "train" if training else "val"
        total, terms = self._summed(arrays, stage=stage, params=params)
        total = keras.ops.zeros(()) if total is None else total
        of_batch = 1 if x is None else keras.ops.shape(keras.tree.flatten(x)[0])[0]  # as Keras weighs its total
        for name, mean in self._means.items():
            mean.evaluates = name in terms
            if mean.evaluates:
                mean.update_state(terms[name], sample_weight=of_batch)
        for metric in self._checks.values():
            metric.evaluates = stage in metric.node.stages
            if metric.evaluates:
                metric.update_state(arrays)
        for added in self.losses:
            total = total + keras.ops.cast(added, total.dtype)
        return total

    def _arrays_by_name(self, x: Any, y: Any, y_pred: Any) -> dict[str, Tensor]:
        """The arrays by name, those of all three."""
        if not isinstance(y_pred, Mapping):
            raise ObjectiveError(f"`model` must return a dict of arrays by name, got {describe(y_pred)}")
        parts = {"x": x, "y": y, "the model": y_pred}
        dicts = {where: part for where, part in parts.items() if isinstance(part, Mapping)}
        for name in self._wired:
            if len(owners := [where for where, part in dicts.items() if name in part]) > 1:
                raise ObjectiveError(f"{name!r} must be the name of one array, it is one of {' and of '.join(owners)}")
            if owners and mask_of(dicts[owners[0]][name]) is not None:
                what = f"an objective does not leave out what is masked, got a mask of {name!r}"
                raise ObjectiveError(f"{what}; `keras.ops.copy` of it has none")
        arrays = {name: array for part in dicts.values() for name, array in part.items()}
        return {name: _exact(array) if name in self._wired else array for name, array in arrays.items()}

    def init_radius(self, inputs: Mapping[str, Tensor]) -> None:
        """Set each radius that is learnt so that a fraction ν of these embeddings of normal data lies outside."""
        learnt = self.pure.init_radius({name: to_tensor(x) for name, x in inputs.items()})
        for name, raw in learnt.items():
            self._learnt["r_unconstrained"][name].assign(raw)


def _exact(x: Any) -> Tensor:
    """Half precision, in which losses overflow, as float32."""
    x = to_tensor(x)
    half = keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16")
    return keras.ops.cast(x, "float32") if half else x


def _lengths(model: keras.Model) -> dict[str, int | None]:
    """How long the arrays of one axis are that a model returns, where it says so before it is called."""
    outputs = getattr(model, "output", None)
    by_name = outputs.items() if isinstance(outputs, Mapping) else ()
    return {name: x.shape[0] for name, x in by_name if isinstance(x, keras.KerasTensor) and len(x.shape) == 1}


class _LossMean(keras.metrics.Mean):
    """The mean of a loss over all batches."""

    evaluates = True
    """Whether the last step took a batch in; that of a stage without this loss does not."""

    def result(self) -> Any:
        """Return nothing where the last step took nothing in."""
        return super().result() if self.evaluates else {}


class _ScoredDetections(metrics.AnomalyDetectionMetrics):
    """The metric of a node that is wired to decisions and to the scores that they are of."""

    has_scores = True


class _NodeMetric(keras.metrics.Metric):
    """A metric of a node, over all batches, whose results go by the node's name."""

    evaluates = True
    """Whether the last step took a batch in; that of training does not."""

    def __init__(self, name: str, node: Node, lengths: Mapping[str, int | None]) -> None:
        super().__init__(name=name)
        if ENTRIES[node.kernel].keras != "Metric":
            classes = ", ".join(entry.cls or "" for entry in CATALOGUE if entry.keras == "Metric")
            raise ObjectiveError(f"node `{name}` must be a metric with a class, one of {classes}, got {node!r}")
        settings = dict(node.settings)
        cls = getattr(metrics if hasattr(metrics, node.type) else regions, node.type)
        if cls is metrics.AnomalyDetectionMetrics and "score" in node.sources:
            cls = _ScoredDetections
        if cls is metrics.ExplainedVarianceMetric:  # whose variables must be there before a graph is
            (source,) = node.sources.values()
            settings["components"] = lengths.get(source)
        try:
            self.metric = cls(**settings)
        except TypeError as error:  # the function has settings besides, such as an axis
            raise ObjectiveError(f"node `{name}`: {error}") from error
        self.node = node

    def update_state(self, arrays: Mapping[str, Tensor]) -> None:
        """Take in the node's arrays."""
        by_name = self.node.arrays(self.name, arrays)
        try:
            self.metric.merge_batch(*[by_name[x] for x in parameters_of(self.node.kernel).arrays if x in by_name])
        except Exception as error:
            add_note(error, self.name, self.node)
            raise

    def reset_state(self) -> None:
        """Forget all batches."""
        self.metric.reset_state()

    def result(self) -> dict[str, Tensor]:
        """Return nothing where the last step took nothing in: that of training."""
        result = self.metric.result() if self.evaluates else {}
        if not isinstance(result, dict):
            return {self.name: result}
        return {f"{self.name}/{field}": value for field, value in result.items()}
