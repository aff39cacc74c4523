"""The learner interface of the networks: settings by name, tables of them, files without pickle."""

from __future__ import annotations

import importlib
import inspect
import json
import re

import numpy as np
import pytest

import anomaly_kernels as ak
from anomaly_kernels import weights

pytestmark = [
    pytest.mark.library("torch", "jax", "tensorflow"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning"),  # Keras' own
]
HEAD = {"hidden_units": [5, 4], "activation": "tanh", "dropout_rate": 0.25, "use_norm": "batch"}
AUTOENCODER = {"n_features": 3, "latent_dim": 2, "lstm_units": 4, "use_bottleneck_dense": True, "activation": "elu"}
X = np.random.default_rng(0).normal(size=(5, 7, 3))


@pytest.fixture(params=["torch", "keras"])
def framework(request, driver):
    if request.param == "torch" and driver.name != "torch":
        pytest.skip("torch has its own process")
    return request.param


def made(framework, name, **more):
    """A network of double precision, built, in inference."""
    cls = getattr(importlib.import_module(f"anomaly_kernels.{framework}"), name)
    settings = {**(HEAD if name == "SequenceAnomalyScoreLayer" else AUTOENCODER), **more}
    if framework == "torch":
        first = {"in_features": 3} if name == "SequenceAnomalyScoreLayer" else {}
        return cls(**first, **settings).double().eval()
    network = cls(**settings, dtype="float64")
    network.build(X.shape)
    return network


def scores(network, driver):
    return driver.numpy(network(driver.array(X)))


BOTH = pytest.mark.parametrize("name", ["SequenceAnomalyScoreLayer", "LSTMAutoencoderAnomaly"])


@BOTH
def test_settings_are_those_of_the_constructor_and_show(framework, name):
    network = made(framework, name)
    found = network.get_params()
    assert list(found) == [p for p in inspect.signature(type(network)).parameters if p not in ("layer", "model")]
    given = HEAD if name == "SequenceAnomalyScoreLayer" else AUTOENCODER
    assert found.items() >= given.items()
    assert network.my_params.startswith(f"{name}(")
    for setting, value in given.items():
        assert f"{setting}={value!r}" in network.my_params
        assert f"{setting}={value!r}" in repr(network)


@BOTH
def test_a_clone_has_the_settings_and_no_weights_in_common(framework, name):
    import sklearn.base

    network = made(framework, name)
    again = sklearn.base.clone(network)
    assert again.get_params() == network.get_params()
    if framework == "torch":
        pairs = zip(network.parameters(), again.parameters(), strict=True)
        assert all(a is not b for a, b in pairs)


@BOTH
def test_a_class_of_a_users_own_has_the_settings_that_it_hands_on(framework, name, driver, tmp_path):
    import sklearn.base

    base = type(made(framework, name))

    class Mine(base):
        def __init__(self, *arguments, gain=1.0, **settings):
            super().__init__(*arguments, **settings)
            self.gain = gain

        def __call__(self, x):
            return self.gain * super().__call__(x)

    given = {"in_features": 3} if (framework, name) == ("torch", "SequenceAnomalyScoreLayer") else {}
    given |= HEAD if name == "SequenceAnomalyScoreLayer" else AUTOENCODER
    network = Mine(gain=2.0, **given)
    assert network.get_params() == {"gain": 2.0, **base(**given).get_params()}
    assert sklearn.base.clone(network).get_params() == network.get_params()
    assert network.set_params(activation="sigmoid").my_params.startswith("Mine(gain=2.0, ")
    if framework == "keras":
        assert Mine.from_config(network.get_config()).get_config() == network.get_config()
    if hasattr(network, "_from_settings"):  # which is not Keras' model, whose files are Keras' own
        expected = scores(network.double().eval() if framework == "torch" else network, driver)
        network.save(tmp_path / "network.safetensors")
        again = Mine.load(tmp_path / "network.safetensors")
        np.testing.assert_array_equal(scores(again.eval() if framework == "torch" else again, driver), expected)


@BOTH
def test_sizes_of_every_kind_are_pythons_integers(framework, name):
    if name == "SequenceAnomalyScoreLayer":
        for units in (np.asarray([5, 4]), range(5, 3, -1), (np.int64(5), 4)):
            assert made(framework, name, hidden_units=units).get_params()["hidden_units"] == [5, 4]
        for wrong, message in (
            ({5, 4}, "`hidden_units` must be a sequence of positive integers, got {4, 5}"),
            ("55", "`hidden_units` must be a sequence of positive integers, got '55'"),
            (None, "`hidden_units` must be a positive integer or a sequence of them, got NoneType"),
            ([5, 4.0], "`hidden_units[1]` must be a positive integer, got float"),
        ):
            with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
                made(framework, name, hidden_units=wrong)
    else:
        sizes = {name: size for name, size in AUTOENCODER.items() if type(size) is int} | {"n_repeats": 4}
        network = made(framework, name, **{name: np.int64(size) for name, size in sizes.items()})
        assert {name: getattr(network, name) for name in sizes} == sizes
        assert all(type(getattr(network, name)) is int for name in sizes)


def test_a_class_of_a_users_own_that_keeps_less_is_shown(framework):
    class Mine(type(made(framework, "SequenceAnomalyScoreLayer"))):
        def __init__(self, units, activation="tanh"):
            super().__init__(*[3] * (framework == "torch"), [units, units], activation)

    assert Mine(4).my_params == "Mine(activation='tanh')"
    assert "activation='tanh'" in repr(Mine(4))
    with pytest.raises(AttributeError, match="units"):
        Mine(4).get_params()


def test_a_table_has_the_settings_and_shapes_of_weights(framework, capsys):
    text = made(framework, "SequenceAnomalyScoreLayer").summary()
    assert "  hidden_units  " in text
    assert any("score_output/kernel (learnt)" in line and "<array (4, 1)>" in line for line in text.splitlines())
    model = made(framework, "LSTMAutoencoderAnomaly")
    if framework == "keras":  # whose own it is, and which prints
        assert model.summary() is None
        assert "decoder_dense" in capsys.readouterr().out
        assert "  use_norm" in type(made(framework, "SequenceAnomalyScoreLayer"))(3, use_norm=True).summary()
    else:
        assert "encoder_1/recurrent_kernel (learnt)" in model.summary()


@BOTH
def test_settings_change_by_name_checked_and_all_or_none(framework, name):
    network = made(framework, name)
    if framework == "keras":
        with pytest.raises(ValueError, match=f"^{name} is built: its settings are those of its weights, make another"):
            network.set_params(activation="relu")
        network = type(network).from_config(network.get_config())
    before = network.get_params()
    assert network.set_params(activation="relu", dropout_rate=0.5) is network
    assert network.get_params() == {**before, "activation": "relu", "dropout_rate": 0.5}
    with pytest.raises(ValueError, match="^`dropout_rate` must be >= 0 and < 1, got 1$"):
        network.set_params(activation="tanh", dropout_rate=1)
    with pytest.raises(ValueError, match=f"^{name} has no setting `activatoin`; did you mean `activation`\\?$"):
        network.set_params(dropout_rate=0.0, activatoin="tanh")
    assert network.get_params() == {**before, "activation": "relu", "dropout_rate": 0.5}


def test_settings_of_regularizers_change_by_name_too(framework):
    import anomaly_kernels.keras as akk

    cls = akk.SequenceAnomalyScoreLayer
    regularizer = akk.OrthogonalityLoss(weight=2.0)
    if framework == "torch":
        import anomaly_kernels.torch as akt

        cls, regularizer = akt.SequenceAnomalyScoreLayer, akt.OrthogonalityLoss(weight=2.0)
    network = cls(3, [4]) if framework == "torch" else cls([4])
    network.set_params(kernel_regularizer=regularizer, kernel_regularizer__weight=3.0)
    assert network.get_params()["kernel_regularizer__weight"] == regularizer.weight == 3.0
    assert network.set_params(**network.get_params()) is network
    with pytest.raises(ValueError, match="^`dropout_rate` must be >= 0 and < 1, got 1$"):
        network.set_params(kernel_regularizer__weight=4.0, dropout_rate=1)
    with pytest.raises(
        ValueError, match="^`bias_regularizer` has no settings of its own, got `bias_regularizer__weight`"
    ):
        network.set_params(kernel_regularizer__weight=4.0, bias_regularizer__weight=1.0)
    assert regularizer.weight == 3.0


@BOTH
def test_changed_settings_are_in_force(framework, name, driver):
    network = made(framework, name)
    tree = weights.get_params_tree(network)
    if framework == "keras":
        network = type(network).from_config(network.get_config())
    network.set_params(activation="sigmoid")
    if framework == "keras":
        network.build(X.shape)
        weights.set_params_tree(network, tree)
    if name == "SequenceAnomalyScoreLayer":
        expected = ak.sequence_anomaly_score(tree, X, activation="sigmoid", use_norm="batch")
    else:
        expected = ak.lstm_autoencoder(tree, X, activation="sigmoid")
    exact = framework == "torch" or driver.name == "tensorflow"  # elsewhere Keras' products are of float32
    tolerance = {"rtol": 1e-10, "atol": 1e-12} if exact else {"rtol": 1e-4, "atol": 1e-6}
    np.testing.assert_allclose(scores(network, driver), expected, **tolerance)


@pytest.mark.library("torch")
def test_weights_of_other_shapes_are_drawn_anew_and_others_stay():
    import torch

    network = made("torch", "LSTMAutoencoderAnomaly")
    kept = dict(network.named_parameters())
    state = torch.random.get_rng_state()
    network.set_params(activation="linear", n_repeats=5, recurrent_dropout_rate=0.5)
    assert all(x is kept[name] for name, x in network.named_parameters())
    assert (torch.random.get_rng_state() == state).all()
    with pytest.warns(UserWarning, match="`latent_dim` 2 has no effect"):
        network.set_params(lstm_units=6, use_bidirectional_encoder=True, use_bottleneck_dense=False)
    assert network.encoder_1.hidden_size == 6
    assert not network.encoder_1.bias_hh_l0_reverse.any()
    assert not any(module.training for module in network.modules())
    assert {x.dtype for x in network.parameters()} == {torch.float64}
    bias = weights.get_params_tree(network)["encoder_1/backward/bias"]
    assert bias.tolist() == [0.0] * 6 + [1.0] * 6 + [0.0] * 12
    expected = ak.lstm_autoencoder(weights.get_params_tree(network), X, activation="linear", n_repeats=5)
    np.testing.assert_allclose(network(torch.as_tensor(X)).detach(), expected, rtol=1e-10)


@pytest.mark.library("torch")
def test_modules_of_a_users_own_are_drawn_anew_too_and_regularizers_stay():
    import torch

    import anomaly_kernels.torch as akt

    class Mine(akt.SequenceAnomalyScoreLayer):
        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, **settings)
            self.after = torch.nn.Linear(1, 1)
            torch.nn.init.ones_(self.after.weight)
            self.factor = torch.nn.Parameter(torch.ones(self.hidden_units[0]))
            self.register_buffer("mean", torch.zeros(self.hidden_units[0]))

    regularizer = akt.OrthogonalityLoss(weight=torch.tensor(2.0))
    network = Mine(3, [4], kernel_regularizer=regularizer)
    network.register_forward_hook(lambda module, inputs, scores: 2.0 * scores)
    network.set_params(hidden_units=[5])
    assert network.after.weight.item() == 1.0
    assert [*network.state_dict()] == [*Mine(3, [5], kernel_regularizer=regularizer).state_dict()]
    assert network.factor.shape == network.state_dict()["mean"].shape == (5,)
    network.eval()  # without dropout
    torch.testing.assert_close(network(torch.ones(3)), 2.0 * network.forward(torch.ones(3)))
    assert network.kernel_regularizer is regularizer
    assert regularizer.weight.item() == 2.0


@BOTH
def test_a_saved_file_makes_the_same_network_again(framework, name, driver, tmp_path):
    network = made(framework, name, dropout_rate=0.5)
    expected = scores(network, driver)
    path = tmp_path / ("network.keras" if framework == "keras" and name[0] == "L" else "network.safetensors")
    network.save(path)
    again = type(network).load(path)
    assert again.get_params() == network.get_params()
    if framework == "torch":
        assert again.training
        again.eval()
    np.testing.assert_array_equal(scores(again, driver), expected)
    other = "LSTMAutoencoderAnomaly" if name[0] == "S" else "SequenceAnomalyScoreLayer"
    with pytest.raises(ValueError, match=f"does not hold a {other}|is no file of weights|format not supported"):
        type(made(framework, other)).load(path)


def test_a_file_of_another_model_is_refused(tmp_path):
    import keras

    import anomaly_kernels.keras as akk

    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="does not hold a LSTMAutoencoderAnomaly, but a Sequential$"):
        akk.LSTMAutoencoderAnomaly.load(tmp_path / "other.keras")


def test_a_saved_file_is_one_of_weights_with_the_settings_in_its_header(framework, tmp_path):
    network = made(framework, "SequenceAnomalyScoreLayer")
    path = tmp_path / "network.safetensors"
    network.save(path)
    params = weights.load_params(path)
    assert {key: x.tolist() for key, x in params.items()} == {
        key: x.tolist() for key, x in weights.get_params_tree(network).items()
    }
    header = weights.read(path)[1]
    assert json.loads(header["settings"]).items() >= HEAD.items()
    weights.save_params(path, params)
    with pytest.raises(ValueError, match="network.safetensors does not hold a SequenceAnomalyScoreLayer$"):
        type(network).load(path)


def test_weights_that_a_class_of_a_users_own_has_besides_are_not_lost(framework, tmp_path):
    class Mine(type(made(framework, "SequenceAnomalyScoreLayer"))):
        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, **settings)
            if framework == "torch":
                self.register_buffer("scale", self.score_output.bias.detach().clone())

        def build(self, input_shape):
            super().build(input_shape)
            self.scale = self.add_weight(shape=(), name="scale")

    network = Mine(3, [4]) if framework == "torch" else Mine([4])
    if framework == "keras":
        network.build(X.shape)
    with pytest.raises(
        ValueError, match="^a file of Mine would lack its weight .*scale: save it as its framework does$"
    ):
        network.save(tmp_path / "network.safetensors")
    assert not list(tmp_path.iterdir())


def test_files_whose_settings_are_wrong_are_refused(framework, tmp_path):
    network = made(framework, "SequenceAnomalyScoreLayer")
    path = tmp_path / "network.safetensors"
    network.save(path)
    params, header = weights.read(path)
    settings = json.loads(header["settings"])
    last = {key: x for key, x in params.items() if key.startswith("score")}
    for wrong, held in (
        ("", params),
        ("3", params),
        ("[1]", params),
        ("{}", params),
        (json.dumps({**settings, "dropout": 0.1}), params),
        (json.dumps({**settings, "activation": 3}), params),
        (json.dumps({**settings, "hidden_units": [5, 3]}), params),
        (json.dumps({**settings, "hidden_units": [10**9, 10**9, 10**9]}), params),
        (json.dumps({**settings, "build_config": {"input_shape": []}}), params),
        (json.dumps(settings), last),
        (json.dumps(settings), {}),
    ):
        weights.write(path, held, {**header, "settings": wrong})
        with pytest.raises(ValueError, match="network.safetensors does not hold a SequenceAnomalyScoreLayer: "):
            type(network).load(path)


@pytest.mark.library("torch")
def test_a_file_of_more_layers_than_weights_is_refused_before_they_are_made(tmp_path):
    network = made("torch", "LSTMAutoencoderAnomaly")
    path = tmp_path / "network.safetensors"
    network.save(path)
    params, header = weights.read(path)
    for name in ("num_encoder_layers", "num_decoder_layers"):
        for wrong, message in (
            (10**12, f"`{name}` must be no more than there are weights"),
            ("2", f"does not hold a LSTMAutoencoderAnomaly: `{name}` must be a positive integer, got str$"),
        ):
            settings = json.loads(header["settings"]) | {name: wrong}
            weights.write(path, params, {**header, "settings": json.dumps(settings)})
            with pytest.raises(ValueError, match=message):
                type(network).load(path)


@pytest.mark.library("torch")
def test_reading_a_file_draws_nothing(tmp_path):
    import torch

    network = made("torch", "LSTMAutoencoderAnomaly")
    network.save(tmp_path / "network.safetensors")
    state = torch.random.get_rng_state()
    type(network).load(tmp_path / "network.safetensors")
    assert (torch.random.get_rng_state() == state).all()


@pytest.mark.library("torch")
def test_regularizers_that_are_functions_are_not_written(tmp_path):
    network = made("torch", "SequenceAnomalyScoreLayer", kernel_regularizer=lambda w: w.sum())
    with pytest.raises(TypeError, match="`kernel_regularizer` must be data to be written to a file of settings, got"):
        network.save(tmp_path / "network.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_layer_that_is_not_built_and_one_with_regularizers_are_saved(driver, tmp_path):
    import anomaly_kernels.keras as akk

    path = tmp_path / "layer.safetensors"
    akk.SequenceAnomalyScoreLayer(3, name="score").save(path)
    again = akk.SequenceAnomalyScoreLayer.load(path)
    assert (again.built, again.name, again.hidden_units) == (False, "score", [3])
    layer = akk.SequenceAnomalyScoreLayer([], kernel_regularizer="l2", dtype="float64")
    expected = scores(layer, driver)
    layer.save(path)
    again = akk.SequenceAnomalyScoreLayer.load(path)
    np.testing.assert_array_equal(scores(again, driver), expected)
    assert again.get_config() == layer.get_config()
