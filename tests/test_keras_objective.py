"""The objective as a Keras model: in fit, in logs, in files, on three backends."""

from __future__ import annotations

import numpy as np
import pytest

import anomaly_kernels as ak

pytestmark = [
    pytest.mark.library("torch", "jax", "tensorflow"),
    pytest.mark.filterwarnings("ignore:.*__array__ implementation doesn't accept a copy:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 3)).astype("float32")
Y = {"data.mask": RNG.random((64, 1)) < 0.3, "center": np.zeros((64, 4), "float32")}
NODES = {
    "bce": ak.Node("AnomalyBCEWithLogits", targets="data.mask", predictions="head.logits"),
    "mse": ak.Node(ak.mse_reconstruction_loss, x_true="center", x_pred="z", weight=0.1),
    "found": ak.Node(ak.anomaly_detection_metrics, target="data.mask", decision="decided", score="head.logits"),
    "also": ak.Node(ak.anomaly_detection_metrics, target="data.mask", decision="data.mask"),
    "entropy": ak.Node(ak.selector_entropy, weights="w"),
    "variance": ak.Node(ak.explained_variance, explained_variance_ratio="w"),
}


def made(nodes=NODES, **settings):
    import keras

    import anomaly_kernels.keras as akk

    keras.utils.set_random_seed(0)
    x = keras.Input((3,), name="x")
    z = keras.layers.Dense(4, activation="tanh", kernel_regularizer=keras.regularizers.L2(1e-3))(x)
    logits = keras.layers.Dense(1)(z)
    outputs = {
        "head.logits": logits,
        "decided": keras.ops.cast(logits > 0.0, "float32"),
        "z": z,
        "w": keras.ops.sum(keras.ops.abs(z), 0),
        "c": keras.ops.mean(0.0 * z, 0),
    }
    model = akk.Objective(keras.Model(x, outputs), nodes, **{"uncertainty": ["bce"], **settings})
    model.compile(keras.optimizers.SGD(0.1))
    return model


def numbers(x):
    import keras

    return keras.ops.convert_to_numpy(x)


def test_fit_learns_and_logs_each_term():
    model = made({**NODES, "best": ak.Node(ak.best_f1, target="data.mask", score="head.logits")})
    history = model.fit(X, Y, batch_size=16, epochs=8, validation_data=(X, Y), verbose=0).history
    checked = {"val_entropy", "val_found/precision", "val_also/recall"}
    assert {"loss", "bce", "mse", "val_loss", "val_bce", "val_mse"} | checked <= set(history)
    assert not any(name.startswith(("found", "also", "entropy", "variance")) for name in history)
    assert history["loss"][-1] < history["loss"][0]
    assert history["bce"][-1] < history["bce"][0]
    results = model.evaluate(X, Y, batch_size=10, verbose=0, return_dict=True)
    logits = model.predict(X, verbose=0)["head.logits"]
    expected = ak.anomaly_detection_metrics(Y["data.mask"], logits > 0, logits)
    np.testing.assert_allclose(results["found/precision"], expected.precision, rtol=1e-6)
    np.testing.assert_allclose(results["found/recall"], expected.recall, rtol=1e-6)
    lower, upper = (results[f"found/average_precision_{bound}"] for bound in ("lower", "upper"))
    assert lower - 1e-6 <= expected.average_precision <= upper + 1e-6
    assert results["also/precision"] == 1.0
    np.testing.assert_allclose(results["best"], ak.best_f1(Y["data.mask"], logits).value, rtol=0.02)
    assert results["variance/per_component"].shape == (4,)
    np.testing.assert_allclose(results["variance/cumulative"][-1], results["variance/total"], rtol=1e-6)
    whole = model.evaluate(X, Y, batch_size=64, verbose=0, return_dict=True)
    uneven = model.evaluate(X, Y, batch_size=60, verbose=0, return_dict=True)
    for name in ("loss", "bce", "mse"):  # each weighs batches by their sizes
        np.testing.assert_allclose(uneven[name], whole[name], rtol=1e-5)
    np.testing.assert_allclose(whole["bce"], ak.anomaly_bce_with_logits(Y["data.mask"], logits), rtol=1e-5)
    (s,) = (float(numbers(w)) for w in model.weights if w.name == "log_variance_bce")
    assert s != 0.0
    kernel = numbers(model.model.layers[1].kernel)
    total = 0.5 * (np.exp(-s) * whole["bce"] + s) + whole["mse"] + 1e-3 * (kernel**2).sum()
    np.testing.assert_allclose(whole["loss"], total, rtol=1e-5)


@pytest.mark.library("tensorflow")
def test_terms_are_in_the_logs_of_their_stages_alone():
    wired = {"x_true": "center", "x_pred": "z"}
    nodes = {name: ak.Node(ak.mse_reconstruction_loss, **wired, execution_stages=[name]) for name in ("train", "val")}
    nodes["both"] = NODES["bce"]
    nodes["never"] = ak.Node(ak.selector_entropy, weights="w", execution_stages=["test"])
    model = made(ak.Objective(nodes, outside=["z"]), uncertainty=())
    history = model.fit(X, Y, epochs=1, validation_data=(X, Y), verbose=0).history
    assert set(history) == {"loss", "train", "both", "val_loss", "val_val", "val_both"}
    assert model.outside == ("z",)
    with pytest.raises(ak.ObjectiveError, match="`nodes` must have a loss to train with, got val"):
        made({"val": nodes["val"]}, uncertainty=())


def test_it_is_saved_with_its_model(tmp_path):
    import keras

    model = made()
    model.fit(X, Y, batch_size=16, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    first, second = (m.evaluate(X, Y, verbose=0, return_dict=True) for m in (model, again))
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_allclose(second[name], value, rtol=1e-6)
    assert again.pure.to_config() == model.pure.to_config()
    again.fit(X, Y, epochs=1, verbose=0)


@pytest.mark.library("tensorflow")
def test_it_is_exported_as_what_its_model_predicts(tmp_path):
    import tensorflow as tf

    model = made()
    model.fit(X, Y, batch_size=16, epochs=1, verbose=0)
    model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "model")
    np.testing.assert_allclose(loaded.serve(X)["head.logits"], numbers(model(X)["head.logits"]), atol=1e-6)


def test_a_model_of_ones_own_returns_more_than_is_wired(tmp_path):
    import keras

    import anomaly_kernels.keras as akk

    class Detector(keras.Model):
        def __init__(self, **options):
            super().__init__(**options)
            self.head = keras.layers.Dense(1)

        def call(self, x, training=None):
            logits = self.head(x["x"])
            return {"head.logits": logits, "hidden": [x["x"], logits], "nothing": None}

    model = akk.Objective(Detector(), {"bce": NODES["bce"]}, uncertainty=["bce"])
    model.compile("sgd")
    model.fit({"x": X}, Y, verbose=0)  # Keras would warn of what is not built
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", custom_objects={"Detector": Detector})
    first, second = (m.evaluate({"x": X}, Y, verbose=0, return_dict=True) for m in (model, again))
    assert first.keys() == {"loss", "bce"}
    np.testing.assert_allclose(list(second.values()), list(first.values()), rtol=1e-6)


def test_a_description_is_trained_with_too():
    import anomaly_kernels.keras as akk

    model = made()
    other = akk.Objective(model.model, ak.Objective.from_config(model.to_config()))
    assert other.to_config() == model.to_config()
    assert other.built
    assert other.count_params() == model.count_params() == model.model.count_params() + 1


def test_a_node_may_have_any_name_that_logs_can_tell_apart():
    model = made({"première perte:1": NODES["bce"], "a b": NODES["also"]}, uncertainty=["première perte:1"])
    model.compile("adam")  # which names variables after those it moves
    history = model.fit(X, Y, validation_data=(X, Y), verbose=0).history
    assert {"première perte:1", "val_première perte:1", "val_a b/recall"} < set(history)


@pytest.mark.parametrize("dtype", ["float64", "mixed_float16"])
def test_what_is_learnt_is_as_precise_as_losses_are(dtype):
    import keras

    model = made(dtype=dtype)
    (s,) = (w for w in model.weights if w.name == "log_variance_bce")
    assert s.dtype == {"float64": "float64", "mixed_float16": "float32"}[dtype]
    if keras.backend.backend() != "jax":  # whose float64 is float32 unless asked for
        assert np.isfinite(model.fit(X, Y, batch_size=32, epochs=1, verbose=0).history["loss"]).all()


def test_a_radius_is_learnt_from_where_the_embeddings_are():
    svdd = ak.Node(ak.deep_svdd_soft_boundary_loss, embeddings="z", center="c", nu=0.1)
    model = made({"bce": NODES["bce"], "svdd": svdd}, uncertainty=())
    z = RNG.normal(size=(200, 4)).astype("float32")
    model.init_radius({"z": z, "c": np.zeros(4, "float32")})
    (raw,) = (w for w in model.trainable_weights if w.name == "r_unconstrained_svdd")
    before = float(numbers(raw))
    np.testing.assert_allclose(((z**2).sum(-1) > ak.svdd_radius(np.asarray(before)) ** 2).mean(), 0.1, atol=0.01)
    model.fit(X, Y, batch_size=32, epochs=2, verbose=0)
    assert float(numbers(raw)) != before


def test_an_error_of_a_metric_says_which_node_it_is():
    model = made()
    short = {**Y, "data.mask": Y["data.mask"][:32]}
    for training, name in ((True, "bce"), (False, "found")):
        outputs = {**model(X), "head.logits": model(X)["head.logits"][: 64 if training else 32]}
        with pytest.raises(ValueError, match="equal shapes") as caught:
            model.compute_loss(y=short, y_pred=outputs, training=training)
        assert caught.value.__notes__[0].startswith(f"in node `{name}`: Anomaly")


def test_masks_are_refused_where_they_would_be_ignored():
    import keras

    import anomaly_kernels.keras as akk

    x = keras.Input((4, 3))
    hidden = keras.layers.LSTM(3, return_sequences=True)(keras.layers.Masking()(x))
    series = np.ones((8, 4, 3), "float32")
    node = ak.Node(ak.mse_reconstruction_loss, x_true="x", x_pred="y")
    masked, plain = (akk.Objective(keras.Model(x, {"y": y}), {"mse": node}) for y in (hidden, keras.ops.copy(hidden)))
    for model in (masked, plain):
        model.compile("sgd")
    assert np.isfinite(plain.fit(series, {"x": series}, verbose=0).history["mse"]).all()
    with pytest.raises(ak.ObjectiveError, match="an objective does not leave out what is masked, got a mask of 'y'"):
        masked.fit(series, {"x": series}, verbose=0)


def test_what_does_not_fit_is_refused():
    import yaml

    import anomaly_kernels.keras as akk

    model = made()
    text = yaml.safe_dump(model.pure.to_config(), sort_keys=False)
    assert akk.Objective.from_yaml(model.model, text, name="mine").pure.to_config() == model.pure.to_config()
    wired = {"target": "data.mask", "score": "head.logits"}
    with pytest.raises(ak.ObjectiveError, match="node `roc` must be a metric with a class, one of AnomalyDetectionM"):
        made({**NODES, "roc": ak.Node(ak.roc_curve, **wired)})
    with pytest.raises(ak.ObjectiveError, match="node `auc`: ROCAUCMetric has no setting `axis`"):
        made({**NODES, "auc": ak.Node(ak.roc_auc, **wired, axis=0)})
    with pytest.raises(ak.ObjectiveError, match="`nodes` must have a loss to train with, got also"):
        made({"also": NODES["also"]}, uncertainty=())
    with pytest.raises(ak.ObjectiveError, match="node `bce` needs 'data.mask' as `target`; there are"):
        model.compute_loss(y={}, y_pred=model(X))
    with pytest.raises(ak.ObjectiveError, match="an objective has no weights of samples, got `sample_weight`"):
        model.compute_loss(y=Y, y_pred=model(X), sample_weight=np.ones(64))
    with pytest.raises(ak.ObjectiveError, match="'z' must be the name of one array, it is one of y and of the model"):
        made().fit(X, {**Y, "z": Y["center"]}, verbose=0)  # on JAX Keras empties a model whose fit fails
    with pytest.raises(
        ak.ObjectiveError, match="names of nodes must be other than 'loss' and without a slash, got 'loss'"
    ):
        made({"loss": NODES["bce"]}, uncertainty=())
    with pytest.raises(ak.ObjectiveError, match="got 'a/b'$"):
        made({"a/b": NODES["bce"]}, uncertainty=())
    other = made()
    other.compile("sgd", loss="mse")
    with pytest.raises(ak.ObjectiveError, match="an objective is compiled without a loss"):
        other.fit(X, Y, verbose=0)
    with pytest.raises(ak.ObjectiveError, match="`model` must be a keras.Model, got function$"):
        akk.Objective(lambda x: x, NODES)
    with pytest.raises(ak.ObjectiveError, match="`model` must return a dict of arrays by name, got "):
        model.compute_loss(y=Y, y_pred=np.zeros(3))
    with pytest.raises(ak.ObjectiveError, match="`uncertainty` is that of the objective given, got .*bce.* besides$"):
        akk.Objective(model.model, model.pure, uncertainty=["bce"])
    partial = {name: x for name, x in model(X).items() if name != "decided"}
    with pytest.raises(ak.ObjectiveError, match="node `found` needs 'decided' as `decision`; there are"):
        model.compute_loss(y=Y, y_pred=partial, training=False)
