"""The networks of Keras on three backends: the numbers of the pure form, training, files."""

from __future__ import annotations

import copy
from functools import partial
from itertools import product

import numpy as np
import pytest
from test_network_classes import AUTOENCODERS, SIZES, filled, shapes_of

import anomaly_kernels as ak
from anomaly_kernels import weights
from anomaly_kernels.networks import score_head

pytestmark = [
    pytest.mark.library("torch", "jax", "tensorflow"),
    pytest.mark.filterwarnings("ignore:.*__array__ implementation doesn't accept a copy:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
HEADS = {False: {}, True: {"use_norm": True}, "batch": {"use_norm": "batch"}}


def numbers(x):
    import keras

    return keras.ops.convert_to_numpy(x)


def double(x):
    import keras

    return keras.ops.convert_to_tensor(x, "float64")


def close(found, expected):
    """To double precision, where Keras has it: on torch and JAX it takes products of float64 to be float32."""
    import keras

    exact = keras.backend.result_type("float64", "float64") == "float64"
    assert exact == (keras.backend.backend() == "tensorflow")
    rtol, atol = (1e-10, 1e-12) if exact else (1e-5, 1e-6)
    np.testing.assert_allclose(numbers(found), expected, rtol=rtol, atol=atol)


def autoencoder(option=None, **settings):
    import keras

    import anomaly_kernels.keras as akk

    keras.utils.set_random_seed(0)
    option = {"use_bottleneck_dense": True} if option is None else option
    latent = 2 if option["use_bottleneck_dense"] else 4 * (option.get("use_bidirectional_encoder", False) + 1)
    return akk.LSTMAutoencoderAnomaly(latent, 4, **option, **settings)


@pytest.mark.parametrize("option", AUTOENCODERS, ids=str)
def test_an_autoencoder_of_given_weights_is_the_pure_one(option):
    import keras

    if keras.backend.backend() != "torch" and option not in (AUTOENCODERS[0], AUTOENCODERS[-1]):
        pytest.skip("the layers are the same on each backend: all options on torch, which compiles nothing")
    model = autoencoder(option, activation="linear", intermediate_activation="tanh", dtype="float64")
    model(double(np.ones((5, 7, 3))))
    sizes = {**SIZES, "latent_dim": model.latent_dim}
    params = filled(shapes_of(**sizes, **option))
    assert weights.set_params_tree(model, params) is model
    for shape in ((5, 7, 3), (1, 1, 3), (2, 9, 3)):
        x = RNG.normal(size=shape)
        expected = ak.lstm_autoencoder(params, x, activation="linear", intermediate_activation="tanh")
        close(model(double(x)), expected)
        error = ak.reconstruction_error(x, expected)
        close(model.compute_reconstruction_error(double(x)), error)
    tree = weights.get_params_tree(model)
    assert {key: value.tolist() for key, value in tree.items()} == {key: x.tolist() for key, x in params.items()}


@pytest.mark.parametrize(("norm", "activation"), list(product(HEADS, ["gelu", "softplus"])))
def test_a_score_layer_of_given_weights_is_the_pure_one(norm, activation):
    import anomaly_kernels.keras as akk

    settings = {"activation": activation, **HEADS[norm], "final_activation": "elu"}
    layer = akk.SequenceAnomalyScoreLayer([5, 4], dtype="float64", **settings)
    x = RNG.normal(size=(6, 2, 3))
    with pytest.raises(ValueError, match="SequenceAnomalyScoreLayer has no weights before it is built"):
        weights.get_params_tree(layer)
    layer.build((None, None, 3))
    params = filled(score_head.shapes(3, [5, 4], score_head.norm_kind(norm)))
    weights.set_params_tree(layer, params)
    expected = ak.sequence_anomaly_score(params, x, **settings)
    close(layer(double(x)), expected)
    assert layer(x).shape == layer.compute_output_shape(x.shape)
    assert (layer.hidden_units, layer.activation) == ([5, 4], activation)


def test_training_drops_and_takes_statistics():
    import keras

    import anomaly_kernels.keras as akk

    keras.utils.set_random_seed(0)
    layer = akk.SequenceAnomalyScoreLayer(64, "linear", 0.25, dtype="float64")
    x = np.ones((4000, 3))
    still, found = numbers(layer(x))[0, 0], numbers(layer(x, training=True))
    params = weights.get_params_tree(layer)
    terms = (x[0] @ params["hidden_dense_1/kernel"]) * params["score_output/kernel"][:, 0]
    spread = np.sqrt((terms**2).sum() * 0.25 / 0.75)
    assert abs(found.mean() - still) < 4 * spread / np.sqrt(len(x))
    assert abs(found.std() / spread - 1) < 0.05
    layer = akk.SequenceAnomalyScoreLayer(4, "tanh", 0.0, "batch", dtype="float64")
    x = RNG.normal(size=(40, 3))
    layer(double(x), training=True)
    params = weights.get_params_tree(layer)
    hidden = np.tanh(x @ params["hidden_dense_1/kernel"])
    np.testing.assert_allclose(params["batch_norm_1/moving_mean"], 0.01 * hidden.mean(0), rtol=1e-5, atol=1e-9)


def test_a_model_is_fitted_saved_and_scored_without_keras(tmp_path):
    import keras

    model = autoencoder(
        {"use_bottleneck_dense": True, "use_bidirectional_encoder": True}, activation="linear", dropout_rate=0.05
    )
    rng = np.random.default_rng(0)  # of its own: what is learnt depends on it, and must not on the order of tests
    x = np.sin(np.arange(20)[None, :, None] / 3 + 6 * rng.random((64, 1, 1))).astype("float32")
    model.compile(keras.optimizers.Adam(0.02), loss="mse")
    history = model.fit(x, x, epochs=12, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < 0.7 * history[0]
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(again.predict(x, verbose=0), expected, atol=1e-6)
    assert again.get_config() == model.get_config()
    weights.save_params(tmp_path / "weights.safetensors", model)
    params = weights.load_params(tmp_path / "weights.safetensors")
    np.testing.assert_allclose(ak.lstm_autoencoder(params, x, activation="linear"), expected, atol=1e-6)
    with pytest.raises(ValueError, match="the bias of layer 'decoder_dense' must have shape \\(1,\\), got \\(2,\\)"):
        weights.set_params_tree(model, {**params, "decoder_dense/bias": np.ones(2)})


def test_a_score_layer_is_saved_with_its_model(tmp_path):
    import keras

    import anomaly_kernels.keras as akk

    x = keras.Input((7, 3))
    layer = akk.SequenceAnomalyScoreLayer([5, 4], "gelu", 0.2, "batch", kernel_regularizer="l2", name="score")
    model = keras.Model(x, layer(x))
    assert model.output_shape == (None, 7, 1)
    model.compile("sgd", "mse")
    batch = RNG.normal(size=(8, 7, 3)).astype("float32")
    model.fit(batch, batch[..., :1], epochs=1, verbose=0)
    assert len(model.losses) == 3
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(batch, verbose=0), model.predict(batch, verbose=0), rtol=1e-6)
    assert again.get_layer("score").get_config() == layer.get_config()


@pytest.mark.parametrize("name", ["LSTMAutoencoderAnomaly", "SequenceAnomalyScoreLayer"])
def test_what_every_layer_of_keras_takes_is_kept(name):
    import keras

    import anomaly_kernels.keras as akk

    policy = keras.dtype_policies.DTypePolicyMap(default_policy="mixed_bfloat16")
    sizes = (4, 4) if name == "LSTMAutoencoderAnomaly" else (4,)
    network = getattr(akk, name)(*sizes, name="mine", dtype=policy, trainable=False, activity_regularizer="l2")
    again = type(network).from_config(network.get_config())
    assert (again.name, again.trainable, again.dtype_policy.default_policy.name) == ("mine", False, "mixed_bfloat16")
    again(RNG.normal(size=(2, 5, 3)).astype("float32"))
    assert len(again.losses) == 1


def test_options_are_read_and_wrong_ones_refused():
    import anomaly_kernels.keras as akk

    model = autoencoder(n_features=3, n_repeats=5)
    assert (model.latent_dim, model.lstm_units, model.n_features, model.n_repeats) == (2, 4, 3, 5)
    assert model(RNG.normal(size=(2, 9, 3)).astype("float32")).shape == (2, 5, 3)
    for wrong in ((2, 9, 4), (2, 0, 3), (9, 3)):
        with pytest.raises(
            ValueError, match=rf"`inputs` must have shape \(B, T, 3\), T > 0, got \({wrong[0]}, {wrong[1]}"
        ):
            model.call(np.ones(wrong, "float32"))
    with pytest.warns(
        UserWarning, match="`latent_dim` 3 has no effect without `use_bottleneck_dense`: .* of width 8"
    ) as caught:
        akk.LSTMAutoencoderAnomaly(3, 8)
    assert caught[0].filename == __file__  # the line that made it
    with pytest.raises(ValueError, match="`lstm_units` must be >= 1, got 0"):
        akk.LSTMAutoencoderAnomaly(3, 0)
    with pytest.raises(ValueError, match="`activation` must be one of"):
        akk.SequenceAnomalyScoreLayer(3, activation="swish")
    with pytest.raises(ValueError, match="`dropout_rate` must be >= 0 and < 1, got 1"):
        akk.SequenceAnomalyScoreLayer(3, dropout_rate=1)
    assert akk.SequenceAnomalyScoreLayer(3).hidden_units == [3]


@pytest.mark.parametrize("name", ["LSTMAutoencoderAnomaly", "SequenceAnomalyScoreLayer"])
def test_gradients_with_respect_to_the_input_are_those_of_the_pure_form(name, driver):
    import anomaly_kernels.keras as akk

    if name == "LSTMAutoencoderAnomaly":
        network = autoencoder(activation="elu", intermediate_activation="tanh", dtype="float64")
        pure = partial(ak.lstm_autoencoder, activation="elu", intermediate_activation="tanh")
    else:
        network = akk.SequenceAnomalyScoreLayer([5, 4], "tanh", use_norm="layer", dtype="float64")
        pure = partial(ak.sequence_anomaly_score, activation="tanh", use_norm="layer")
    x = {"x": driver.array(RNG.normal(size=(2, 3, 3)))}
    network(x["x"])
    params = {key: driver.array(value) for key, value in weights.get_params_tree(network).items()}
    _, found = driver.value_and_grad(lambda a: driver.sum(network(a["x"]) ** 2), x, ["x"])
    _, expected = driver.value_and_grad(lambda a: driver.sum(pure(params, a["x"]) ** 2), x, ["x"])
    close(driver.numpy(found["x"]), driver.numpy(expected["x"]))
    assert np.abs(driver.numpy(found["x"])).max() > 1e-3


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_keeps_weights_and_errors_in_single(policy):
    import keras

    import anomaly_kernels.keras as akk

    keras.utils.set_random_seed(0)  # a layer norm of a few units that are almost equal has few digits
    x = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")
    layer = akk.SequenceAnomalyScoreLayer([5, 4], "tanh", 0.2, "layer", dtype=policy)
    for network in (autoencoder(dtype=policy), layer):
        found = network(x)
        assert keras.backend.standardize_dtype(found.dtype) == policy.removeprefix("mixed_")
        params = weights.get_params_tree(network)
        assert {str(value.dtype) for value in params.values()} == {"float32"}
        if network is layer:
            expected = ak.sequence_anomaly_score(params, x, activation="tanh", use_norm=True)
        else:
            expected = ak.lstm_autoencoder(params, x)
            error = network.compute_reconstruction_error(x)
            assert keras.backend.standardize_dtype(error.dtype) == "float32"
            np.testing.assert_allclose(numbers(error), ak.reconstruction_error(x, expected), rtol=0.05)
        np.testing.assert_allclose(numbers(keras.ops.cast(found, "float32")), expected, atol=0.05)


@pytest.mark.library("tensorflow", "jax")
def test_training_is_compiled_by_xla_with_masks_and_statistics():
    import keras

    import anomaly_kernels.keras as akk

    keras.utils.set_random_seed(0)
    x = RNG.normal(size=(16, 6, 3)).astype("float32")
    model = autoencoder(activation="linear", dropout_rate=0.1)
    layer = akk.SequenceAnomalyScoreLayer([5], "tanh", 0.2, "batch")
    for network, y in ((model, x), (keras.Sequential([layer]), x[..., :1])):
        network.compile("adam", "mse", jit_compile=True)
        history = network.fit(x, y, epochs=2, batch_size=8, verbose=0).history["loss"]
        assert np.isfinite(history).all()
    assert weights.get_params_tree(layer)["batch_norm_1/moving_mean"].any()
    expected = ak.lstm_autoencoder(weights.get_params_tree(model), x, activation="linear")
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-5)


def test_batch_statistics_are_those_of_keras():
    import keras

    import anomaly_kernels.keras as akk

    layer = akk.SequenceAnomalyScoreLayer([4], "linear", 0.0, "batch")
    norm = keras.layers.BatchNormalization()
    x = RNG.normal(size=(50, 3)).astype("float32")
    layer(x)
    hidden = x @ weights.get_params_tree(layer)["hidden_dense_1/kernel"]
    for part in (hidden[:20], hidden):
        norm(part, training=True)
        layer(x[: len(part)], training=True)
    own = weights.get_params_tree(layer)
    for name in ("moving_mean", "moving_variance"):
        np.testing.assert_allclose(own[f"batch_norm_1/{name}"], numbers(getattr(norm, name)), rtol=1e-5, atol=1e-7)


def test_a_model_is_copied_and_takes_series_of_any_length():
    model = autoencoder()
    model(np.ones((1, 2, 3), "float32"))
    again = copy.deepcopy(model)
    for shape in ((2, 5, 3), (1, 1, 3), (3, 70, 3)):
        x = RNG.normal(size=shape).astype("float32")
        expected = ak.lstm_autoencoder(weights.get_params_tree(model), x)
        np.testing.assert_allclose(model.predict_on_batch(x), expected, atol=1e-5)
        np.testing.assert_array_equal(again.predict_on_batch(x), model.predict_on_batch(x))


MASKED = [{"use_bottleneck_dense": True}, {"use_bottleneck_dense": False, "use_bidirectional_encoder": True}]


@pytest.mark.parametrize("option", MASKED, ids=str)
def test_masked_steps_change_nothing_and_are_not_learnt(option):
    import keras

    model = autoencoder({"num_encoder_layers": 2, **option})
    padded = keras.Sequential([keras.layers.Masking(), model])
    x = RNG.normal(size=(3, 6, 3)).astype("float32")
    x[:, 4:] = 0.0
    found = padded(x)
    expected = numbers(model(x[:, :4]))
    np.testing.assert_allclose(numbers(found)[:, :4], expected, atol=1e-6)
    padded.compile("sgd", "mse")
    loss = padded.evaluate(x, x, verbose=0)
    assert loss == pytest.approx(((x[:, :4] - expected) ** 2).mean(), rel=1e-5)


def test_masked_steps_have_no_part_in_statistics_and_in_the_loss_of_scores():
    import keras

    import anomaly_kernels.keras as akk

    keras.utils.set_random_seed(0)
    layer = akk.SequenceAnomalyScoreLayer(4, "tanh", 0.0, "batch")
    padded = keras.Sequential([keras.layers.Masking(), layer])
    x = RNG.normal(size=(3, 6, 3)).astype("float32")
    x[:, 4:] = 0.0
    padded(x, training=True)
    params = weights.get_params_tree(layer)
    hidden = np.tanh(x[:, :4] @ params["hidden_dense_1/kernel"])
    np.testing.assert_allclose(params["batch_norm_1/moving_mean"], 0.01 * hidden.mean((0, 1)), rtol=1e-4, atol=1e-7)
    padded.compile("sgd", "mse")
    loss = padded.evaluate(x, np.zeros((3, 6, 1), "float32"), verbose=0)
    assert loss == pytest.approx((numbers(layer(x[:, :4])) ** 2).mean(), rel=1e-5)


def test_networks_need_a_known_number_of_features():
    import keras

    import anomaly_kernels.keras as akk

    unknown = keras.Input((None, None))
    with pytest.raises(ValueError, match=r"`features` must have shape \(..., F\), F known, got \(None, None, None\)"):
        akk.SequenceAnomalyScoreLayer(3)(unknown)
    with pytest.raises(ValueError, match=r"`features` must have shape \(..., F\), F known, got \(\)"):
        akk.SequenceAnomalyScoreLayer(3)(keras.ops.ones(()))
    with pytest.raises(ValueError, match=r"`inputs` must have shape \(B, T, F\), F known, got \(None, None, None\)"):
        autoencoder()(unknown)
    with pytest.raises(ValueError, match=r"`inputs` must have shape \(B, T, F\), F known, got \(7, 3\)"):
        autoencoder()(keras.ops.ones((7, 3)))
    for wrong in ([keras.ops.ones((2, 7, 3))] * 2, {"x": keras.ops.ones((2, 7, 3))}):
        with pytest.raises(ValueError, match=r"`inputs` must have shape \(B, T, F\), F known, got"):
            autoencoder()(wrong)
    assert autoencoder(n_features=3)(unknown).shape == (None, None, 3)


def test_an_adapted_kernel_is_among_the_weights():
    import anomaly_kernels.keras as akk

    layer = akk.SequenceAnomalyScoreLayer([4])
    x = RNG.normal(size=(5, 3)).astype("float32")
    layer(x)
    hidden = layer._layers_by_name()["hidden_dense_1"]
    hidden.enable_lora(1)
    hidden.lora_kernel_b.assign(np.ones((1, 4)))
    np.testing.assert_allclose(
        ak.sequence_anomaly_score(weights.get_params_tree(layer), x), numbers(layer(x)), rtol=1e-5, atol=1e-6
    )
