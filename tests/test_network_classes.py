"""The networks of every framework: the same weights give the same numbers, and training is as it must be."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from itertools import product

import numpy as np
import pytest

import anomaly_kernels as ak
from anomaly_kernels import weights
from anomaly_kernels.networks import _options as options
from anomaly_kernels.networks import score_head

FRAMEWORKS = pytest.mark.library("torch", "jax")
RNG = np.random.default_rng(0)
AUTOENCODERS = [
    {"num_encoder_layers": n, "num_decoder_layers": 3 - n, "use_bidirectional_encoder": b, "use_bottleneck_dense": d}
    for n, b, d in product((1, 2), (False, True), (False, True))
]
SIZES = {"n_features": 3, "latent_dim": 2, "lstm_units": 4}


def filled(shapes, seed=0):
    rng = np.random.default_rng(seed)
    return {
        key: rng.uniform(0.2, 1.0, shape) * rng.choice([-0.7, 0.9], shape) ** ("variance" not in key)
        for key, shape in shapes.items()
    }


def shapes_of(n_features, latent_dim, lstm_units, **option):
    return options.autoencoder_shapes(n_features, options.AutoencoderSettings(latent_dim, lstm_units, **option))


def autoencoder(framework, option, **training):
    """What reconstructs with given weights, and the weights' own tree."""
    settings = {"activation": "linear", "intermediate_activation": "tanh"}
    wide = option["use_bidirectional_encoder"] + 1
    sizes = SIZES if option["use_bottleneck_dense"] else SIZES | {"latent_dim": 4 * wide}
    params = filled(shapes_of(**sizes, **option))
    if framework == "torch":
        import torch

        import anomaly_kernels.torch as akt

        module = akt.LSTMAutoencoderAnomaly(*sizes.values(), **option, **settings, **training).double().eval()
        weights.set_params_tree(module, params)
        return lambda x: module(torch.as_tensor(x)), params, module
    import jax

    import anomaly_kernels.jax as akj

    drawn = akj.lstm_autoencoder_init(jax.random.key(0), *sizes.values(), **option)
    held = weights.set_params_tree(drawn, params)
    return jax.jit(lambda x: akj.lstm_autoencoder_apply(held, x, **settings, **training)), params, held


@FRAMEWORKS
@pytest.mark.parametrize("option", AUTOENCODERS, ids=str)
def test_an_autoencoder_of_given_weights_is_the_pure_one(option, driver):
    run, params, model = autoencoder(driver.name, option)
    for shape in ((5, 7, 3), (1, 1, 3), (2, 9, 3)):
        x = RNG.normal(size=shape)
        expected = ak.lstm_autoencoder(params, x, activation="linear", intermediate_activation="tanh")
        np.testing.assert_allclose(driver.numpy(run(driver.array(x))), expected, rtol=1e-10, atol=1e-12)
    tree = weights.get_params_tree(model)
    assert list(tree) == list(params)
    for key, value in params.items():
        np.testing.assert_array_equal(tree[key], value)
    x = driver.array(RNG.normal(size=(2, 3, 3)))
    _, slope = driver.value_and_grad(lambda a: driver.sum(run(a["x"]) ** 2), {"x": x}, ["x"])
    held = {key: driver.array(value) for key, value in params.items()}
    pure = lambda a: ak.lstm_autoencoder(held, a["x"], activation="linear", intermediate_activation="tanh")  # noqa: E731
    _, expected = driver.value_and_grad(lambda a: driver.sum(pure(a) ** 2), {"x": x}, ["x"])
    np.testing.assert_allclose(driver.numpy(slope["x"]), driver.numpy(expected["x"]), rtol=1e-9, atol=1e-12)


@FRAMEWORKS
@pytest.mark.parametrize("norm", [False, True, "layer", "batch"])
def test_a_score_layer_of_given_weights_is_the_pure_one(norm, driver):
    params = filled(score_head.shapes(3, [5, 4], score_head.norm_kind(norm)))
    x = RNG.normal(size=(6, 2, 3))
    settings = {"activation": "elu", "use_norm": norm, "final_activation": "softplus"}
    if driver.name == "torch":
        import anomaly_kernels.torch as akt

        module = akt.SequenceAnomalyScoreLayer(3, [5, 4], **settings).double().eval()
        assert weights.set_params_tree(module, params) is module
        found, tree = module(driver.array(x)), weights.get_params_tree(module)
    else:
        import jax

        import anomaly_kernels.jax as akj

        tree = weights.set_params_tree(
            akj.sequence_anomaly_score_init(jax.random.key(0), 3, [5, 4], use_norm=norm), params
        )
        found = akj.sequence_anomaly_score_apply(tree, driver.array(x), **settings)
    expected = ak.sequence_anomaly_score(params, x, **settings)
    np.testing.assert_allclose(driver.numpy(found), expected, rtol=1e-12)
    assert {key: x.tolist() for key, x in tree.items()} == {key: x.tolist() for key, x in params.items()}


def trained(driver, features, dropout_rate, **settings):
    """Scores of a layer with batch norm in training, and its weights before and after."""
    if driver.name == "torch":
        import torch

        import anomaly_kernels.torch as akt

        torch.manual_seed(0)
        module = akt.SequenceAnomalyScoreLayer(3, 64, dropout_rate=dropout_rate, **settings).double()
        before = weights.get_params_tree(module)
        return driver.numpy(module(driver.array(features))), before, weights.get_params_tree(module)
    import jax

    import anomaly_kernels.jax as akj

    params = akj.sequence_anomaly_score_init(jax.random.key(0), 3, 64, use_norm=settings.get("use_norm", False))
    apply = jax.jit(
        lambda p, x, key: akj.sequence_anomaly_score_apply(p, x, key=key, dropout_rate=dropout_rate, **settings)
    )
    found, after = apply(params, driver.array(features), jax.random.key(1))
    return driver.numpy(found), weights.get_params_tree(params), weights.get_params_tree(after)


@FRAMEWORKS
def test_batch_normalisation_takes_the_statistics_of_its_batch(driver):
    x = RNG.normal(size=(40, 2, 3))
    found, before, after = trained(driver, x, 0.0, use_norm="batch", activation="tanh")
    hidden = np.tanh(x.reshape(-1, 3) @ before["hidden_dense_1/kernel"])
    center, variance = hidden.mean(0), hidden.var(0)
    unit = (hidden - center) / np.sqrt(variance + 1e-3)
    np.testing.assert_allclose(found.reshape(-1, 1), unit @ before["score_output/kernel"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(after["batch_norm_1/moving_mean"], 0.01 * center, rtol=1e-9)
    np.testing.assert_allclose(after["batch_norm_1/moving_variance"], 0.99 + 0.01 * variance, rtol=1e-9)
    same = [key for key in before if "moving" not in key]
    assert all((before[key] == after[key]).all() for key in same)


@FRAMEWORKS
def test_dropout_drops_its_share_and_keeps_the_mean(driver):
    x = np.ones((4000, 3))
    settings = {"activation": "linear"}
    found, params, _ = trained(driver, x, 0.25, **settings)
    still = ak.sequence_anomaly_score(params, x[:1], **settings)[0, 0]
    terms = (x[0] @ params["hidden_dense_1/kernel"]) * params["score_output/kernel"][:, 0]
    spread = np.sqrt((terms**2).sum() * 0.25 / 0.75)  # each is kept with probability ¾, 4/3 times as large
    assert abs(found.mean() - still) < 4 * spread / np.sqrt(len(x))
    assert abs(found.std() / spread - 1) < 0.05


RATES = [{"dropout_rate": 0.5}, {"recurrent_dropout_rate": 0.5}, {"dropout_rate": 0.5, "recurrent_dropout_rate": 0.5}]


@FRAMEWORKS
@pytest.mark.parametrize("rates", RATES, ids=str)
def test_masks_are_the_same_at_all_steps_and_differ_between_samples(rates, driver):
    sizes = {"n_features": 1, "latent_dim": 1, "lstm_units": 1}
    x = np.repeat(RNG.normal(size=(1, 6, 1)), 400, axis=0)
    if driver.name == "torch":
        import torch

        import anomaly_kernels.torch as akt

        torch.manual_seed(0)
        module = akt.LSTMAutoencoderAnomaly(**sizes, **rates, activation="linear").double()
        params = weights.get_params_tree(module)
        found = driver.numpy(module(driver.array(x)))
    else:
        import jax

        import anomaly_kernels.jax as akj

        params = akj.lstm_autoencoder_init(jax.random.key(0), **sizes)
        settings = {**rates, "activation": "linear", "key": jax.random.key(1)}
        found = driver.numpy(akj.lstm_autoencoder_apply(params, driver.array(x), **settings))
        params = weights.get_params_tree(params)
    # two LSTMs of one unit have four masks of one bit: here is what comes of each
    drawn = [
        which for which, name in (("inputs", "dropout_rate"), ("state", "recurrent_dropout_rate")) if name in rates
    ]
    every = product(product((0.0, 2.0), repeat=2), repeat=len(drawn))
    possible = [masked(params, x[:1], dict(zip(drawn, bits, strict=True))) for bits in every]
    distance = np.abs(found[:, None] - np.concatenate(possible)[None]).max((-2, -1))
    assert distance.min(1).max() < 1e-12
    counts = np.bincount(distance.argmin(1), minlength=len(possible))
    assert (counts > 0).sum() == len(np.unique(np.concatenate(possible).round(12), axis=0)) > 1


def masked(params, x, masks):
    """What an autoencoder of one encoder and one decoder gives with these masks of both."""
    from anomaly_kernels._core.namespace import array_namespace
    from anomaly_kernels.networks.activations import ACTIVATIONS
    from anomaly_kernels.networks.lstm import reconstruct

    left = {which: list(bits) for which, bits in masks.items()}

    def drop(which, ones):
        return ones * left[which].pop(0) if which in left else ones

    return reconstruct(array_namespace(x), params, x, None, ACTIVATIONS["linear"], ACTIVATIONS["relu"], drop)


@FRAMEWORKS
def test_weights_start_as_in_keras(driver):
    sizes = (6, 5, 32)
    if driver.name == "torch":
        import torch

        import anomaly_kernels.torch as akt

        torch.manual_seed(0)
        tree = weights.get_params_tree(akt.LSTMAutoencoderAnomaly(*sizes, use_bottleneck_dense=True))
    else:
        import jax

        import anomaly_kernels.jax as akj

        drawn = akj.lstm_autoencoder_init(jax.random.key(0), *sizes, use_bottleneck_dense=True, dtype="float32")
        tree = weights.get_params_tree(drawn)
    assert all(x.dtype == np.float32 for x in tree.values())
    bias = tree["encoder_1/bias"]
    assert (bias[32:64] == 1).all()
    assert np.count_nonzero(bias) == 32
    assert not tree["bottleneck_h/bias"].any()
    limit = np.sqrt(6 / (6 + 128))
    kernel = tree["encoder_1/kernel"]
    assert 0.9 * limit < np.abs(kernel).max() <= limit
    recurrent = tree["decoder_1/recurrent_kernel"]
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(32), atol=1e-5)


WRONG = [
    ({"lstm_units": 0}, ValueError, "`lstm_units` must be >= 1, got 0"),
    ({"latent_dim": 2.5}, TypeError, "`latent_dim` must be a positive integer, got"),
    ({"num_encoder_layers": 0}, ValueError, "`num_encoder_layers` must be >= 1, got 0"),
    ({"use_bottleneck_dense": 1}, TypeError, "`use_bottleneck_dense` must be True or False, got 1"),
]


@FRAMEWORKS
@pytest.mark.parametrize(("wrong", "kind", "message"), WRONG)
def test_wrong_options_are_refused(wrong, kind, message, driver):
    with pytest.raises(kind, match=message):
        made(driver, **{**SIZES, "use_bottleneck_dense": True, **wrong})


def made(driver, **settings):
    if driver.name == "torch":
        import anomaly_kernels.torch as akt

        return akt.LSTMAutoencoderAnomaly(**settings)
    import jax

    import anomaly_kernels.jax as akj

    return akj.lstm_autoencoder_init(jax.random.key(0), **settings)


@FRAMEWORKS
def test_a_latent_dim_without_effect_is_warned_of(driver):
    with pytest.warns(
        UserWarning, match="`latent_dim` 2 has no effect without `use_bottleneck_dense`: .* of width 8"
    ) as caught:
        made(driver, **SIZES, use_bidirectional_encoder=True)
    assert caught[0].filename == __file__  # the line that made it


@FRAMEWORKS
def test_wrong_trees_are_refused_and_change_nothing(driver):
    model = made(driver, **SIZES, use_bottleneck_dense=True)
    params = weights.get_params_tree(model)
    for wrong, message in (
        (
            {"decoder_1/kernel": np.ones((3, 16))},
            "the kernel of layer 'decoder_1' must have shape \\(2, 16\\), got \\(3, 16\\)",
        ),
        (
            {"decoder_2/kernel": np.ones((3, 16))},
            "`params` has the unknown weight 'decoder_2/kernel'; the model has 'enc",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            weights.set_params_tree(model, {**{key: 0 * x for key, x in params.items()}, **wrong})
    with pytest.raises(ValueError, match="`params` lacks weight 'encoder_1/bias'"):
        weights.set_params_tree(model, {key: x for key, x in params.items() if key != "encoder_1/bias"})
    with pytest.raises(TypeError, match="`params` must be a dict of arrays, got"):
        weights.set_params_tree(model, [1])
    with pytest.raises(TypeError, match="`model` must be a network of anomaly_kernels or a dict of its weights, got"):
        weights.get_params_tree(3)
    after = weights.get_params_tree(model)
    assert all((after[key] == params[key]).all() for key in params)


@FRAMEWORKS
def test_weights_that_are_no_arrays_of_floating_point_are_refused_by_the_name_of_their_layer(driver):
    model = made(driver, **SIZES, use_bottleneck_dense=True)
    params = weights.get_params_tree(model)
    kernel = params["decoder_1/kernel"]
    for wrong, got in (
        ([[1, 2], [3]], "list"),
        (None, "NoneType"),
        (kernel > 0, ".* of bool"),
        (kernel.astype(int), ".* of int64"),
        (kernel.astype(complex), ".* of complex128"),
        (kernel.astype(str), ".* of <U.*"),
    ):
        message = f"^the kernel of layer 'decoder_1' must be an array of floating point, got {got}$"
        with pytest.raises(TypeError, match=message):
            weights.set_params_tree(model, {**params, "decoder_1/kernel": wrong})
        with pytest.raises(TypeError, match=message):
            weights.get_params_tree({**params, "decoder_1/kernel": wrong})


@FRAMEWORKS
def test_weights_of_sixteen_bits_are_saved_and_come_back_as_they_are(driver, tmp_path):
    single = made(driver, **SIZES, use_bottleneck_dense=True)
    for dtype, read in (("float16", "float16"), ("bfloat16", "float32")):
        if driver.name == "torch":
            import torch

            model, other = (copy.deepcopy(single).to(getattr(torch, dtype)) for _ in range(2))
            other.reset_parameters()
        else:
            model = {key: x.astype(dtype) for key, x in single.items()}
            other = {key: 0 * x for key, x in model.items()}
        weights.save_params(tmp_path / dtype, model)
        params = weights.load_params(tmp_path / dtype)
        assert {str(x.dtype) for x in params.values()} == {read}
        again = weights.get_params_tree(weights.set_params_tree(other, params))
        expected = weights.get_params_tree(single)
        for key, x in params.items():
            np.testing.assert_array_equal(again[key], x)
            np.testing.assert_allclose(x, expected[key], rtol=2.0**-8, atol=1e-4)


@pytest.mark.library("jax")
def test_masks_come_of_the_key_alone():
    import jax

    import anomaly_kernels.jax as akj

    x = jax.numpy.asarray(RNG.normal(size=(4, 6, 3)))
    autoencoder = akj.lstm_autoencoder_init(jax.random.key(0), **SIZES, use_bottleneck_dense=True)
    head = akj.sequence_anomaly_score_init(jax.random.key(0), 3, [16, 16])

    def reconstructed(params, key):
        return akj.lstm_autoencoder_apply(params, x, dropout_rate=0.5, recurrent_dropout_rate=0.5, key=key)

    def scored(params, key):
        return akj.sequence_anomaly_score_apply(params, x, dropout_rate=0.5, key=key)[0]

    for apply, params in ((reconstructed, autoencoder), (scored, head)):
        compiled = jax.jit(apply)
        first, again, other = (compiled(params, jax.random.key(seed)) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        np.testing.assert_allclose(apply(params, jax.random.key(1)), first, rtol=1e-9, atol=1e-12)
        assert np.abs(first - other).max() > 1e-3
        keys = jax.random.split(jax.random.key(3), 2)
        both = jax.jit(jax.vmap(apply, (None, 0)))(params, keys)
        np.testing.assert_allclose(both[1], compiled(params, keys[1]), rtol=1e-9, atol=1e-12)
        slope = jax.jit(jax.grad(lambda p, key, apply=apply: (apply(p, key) ** 2).sum()))
        assert all(np.isfinite(g).all() for g in slope(params, jax.random.key(1)).values())


@pytest.mark.library("jax")
def test_functions_of_jax_take_numpys_arrays_and_are_traced_once(monkeypatch):
    import jax

    import anomaly_kernels.jax as akj
    from anomaly_kernels.jax import networks

    params = akj.lstm_autoencoder_init(jax.random.key(0), **SIZES, use_bottleneck_dense=True)
    head = akj.sequence_anomaly_score_init(jax.random.key(0), 3, 4)
    traced = []
    for name in ("reconstruct", "score"):
        of_module = getattr(networks, name)
        monkeypatch.setattr(networks, name, lambda *a, f=of_module, name=name: (traced.append(name), f(*a))[1])
    key, x = jax.random.key(1), RNG.normal(size=(5, 6, 3))  # a shape of its own, which nothing has compiled before
    for rate in (0.1, 0.2, 0.2):
        found = [akj.lstm_autoencoder_apply(params, x), akj.sequence_anomaly_score_apply(head, x)]
        found.append(akj.lstm_autoencoder_apply(params, x, dropout_rate=rate, recurrent_dropout_rate=rate, key=key))
        found += akj.sequence_anomaly_score_apply(head, x, dropout_rate=rate, key=key)
        assert all(isinstance(x, jax.Array) for x in jax.tree.leaves(found))
    assert traced == ["reconstruct", "score"]


@pytest.mark.library("jax")
def test_networks_of_half_precision_are_drawn_and_trained_in_a_scan():
    import jax

    import anomaly_kernels.jax as akj

    x = RNG.normal(size=(8, 6, 3))
    for dtype in ("float16", "bfloat16", "float32"):
        drawn = akj.lstm_autoencoder_init(jax.random.key(0), **SIZES, use_bottleneck_dense=True, dtype=dtype)
        assert {str(value.dtype) for value in drawn.values()} == {dtype}
        recurrent = np.asarray(drawn["decoder_1/recurrent_kernel"], "float64")
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(4), atol=0.02)

        def step(params, key):
            scores, after = akj.sequence_anomaly_score_apply(params, x, use_norm="batch", key=key)
            return after, scores

        head = akj.sequence_anomaly_score_init(jax.random.key(0), 3, 4, use_norm="batch", dtype=dtype)
        after, _ = jax.lax.scan(step, head, jax.random.split(jax.random.key(1), 3))
        assert {str(value.dtype) for value in after.values()} == {dtype}
        assert (after["batch_norm_1/moving_mean"] > 0).any()


@FRAMEWORKS
def test_there_are_no_statistics_of_an_empty_batch(driver):
    x = np.ones((0, 2, 3))
    with pytest.raises(ValueError, match="^`features` has shape \\(0, 2, 3\\): there is nothing to average over"):
        trained(driver, x, 0.1, use_norm="batch")
    found, before, after = trained(driver, x, 0.1, use_norm="layer")
    assert found.shape == (0, 2, 1)
    assert all((before[key] == after[key]).all() for key in before)


@pytest.mark.library("jax")
def test_long_and_short_series_in_jax():
    import jax

    import anomaly_kernels.jax as akj

    params = akj.lstm_autoencoder_init(jax.random.key(0), **SIZES, use_bottleneck_dense=True)
    apply = jax.jit(akj.lstm_autoencoder_apply)
    for shape in ((2, 2000, 3), (1, 1, 3), (3, 7, 3)):
        x = RNG.normal(size=shape)
        expected = ak.lstm_autoencoder(weights.get_params_tree(params), x)
        np.testing.assert_allclose(apply(params, x), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.library("torch")
def test_a_module_is_copied_saved_compiled_and_trained(tmp_path):
    import torch

    import anomaly_kernels.torch as akt

    torch.manual_seed(0)
    module = akt.LSTMAutoencoderAnomaly(1, 4, 8, use_bottleneck_dense=True, activation="linear")
    x = torch.sin(torch.arange(20)[None, :, None] / 3 + torch.rand(32, 1, 1) * 6)
    error = module.compute_reconstruction_error(x)
    assert error.shape == (32,)
    torch.testing.assert_close(error, ak.reconstruction_error(x, module(x)))
    for again in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        torch.testing.assert_close(again(x), module(x), rtol=0, atol=0)
    other = akt.LSTMAutoencoderAnomaly(1, 4, 8, use_bottleneck_dense=True, activation="linear")
    other.load_state_dict(module.state_dict())
    torch.testing.assert_close(other(x), module(x), rtol=0, atol=0)
    layer = akt.SequenceAnomalyScoreLayer(1, [3], use_norm="batch").eval()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), layer(x))
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        loss = module.compute_reconstruction_error(x).mean()
        loss.backward()
        optimizer.step()
    assert loss < 0.5 * error.mean()
    assert not module.encoder_1.bias_hh_l0.any()
    assert module.encoder_1.bias_hh_l0.grad is None
    path = tmp_path / "weights.safetensors"
    weights.save_params(path, module)
    script = (
        "import sys, numpy as np, anomaly_kernels as ak; from anomaly_kernels import weights; "
        f"x = np.load({str(tmp_path / 'x.npy')!r}); params = weights.load_params({str(path)!r}); "
        "assert not {'torch', 'jax', 'keras'} & set(sys.modules); "
        "y = ak.lstm_autoencoder(params, x, activation='linear'); "
        f"np.save({str(tmp_path / 'y.npy')!r}, y)"
    )
    np.save(tmp_path / "x.npy", x.numpy())
    subprocess.run([sys.executable, "-c", script], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), module(x).detach().numpy(), atol=1e-6)


@pytest.mark.library("torch")
def test_the_second_bias_of_torch_is_part_of_the_weights():
    import torch

    import anomaly_kernels.torch as akt

    module = akt.LSTMAutoencoderAnomaly(**SIZES, use_bottleneck_dense=True, use_bidirectional_encoder=True).double()
    own = torch.nn.LSTM(3, 4, batch_first=True, bidirectional=True).double()
    module.encoder_1.load_state_dict(own.state_dict())
    x = torch.as_tensor(RNG.normal(size=(2, 5, 3)))
    params = weights.get_params_tree(module)
    np.testing.assert_allclose(ak.lstm_autoencoder(params, x.numpy()), module(x).detach(), rtol=1e-10, atol=1e-12)
    weights.set_params_tree(module, params)
    np.testing.assert_allclose(ak.lstm_autoencoder(params, x.numpy()), module(x).detach(), rtol=1e-10, atol=1e-12)
    module.encoder_1.load_state_dict(own.state_dict())
    module.reset_parameters()
    assert weights.get_params_tree(module)["encoder_1/backward/bias"].tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8


@pytest.mark.library("torch")
def test_regularizers_and_shapes_of_modules():
    import torch

    import anomaly_kernels.torch as akt

    layer = akt.SequenceAnomalyScoreLayer(
        3, 4, kernel_regularizer=lambda w: w.square().sum(), bias_regularizer=torch.sum
    )
    with torch.no_grad():
        layer.score_output.bias.fill_(0.5)
    kernels = [layer.hidden_dense_1.kernel, layer.score_output.kernel]
    torch.testing.assert_close(layer.regularization(), sum(w.square().sum() for w in kernels) + 0.5)
    assert akt.SequenceAnomalyScoreLayer(3, 4).regularization() == 0.0
    with pytest.raises(TypeError, match="^`bias_regularizer` must be callable, got str$"):
        akt.SequenceAnomalyScoreLayer(3, 4, bias_regularizer="l2")
    layer.set_params(kernel_regularizer=akt.OrthogonalityLoss(weight=2.0))
    torch.testing.assert_close(layer.regularization(), sum(ak.orthogonality_loss(w, weight=2.0) for w in kernels) + 0.5)
    torch.testing.assert_close(copy.deepcopy(layer).regularization(), layer.regularization())
    layer.set_params(kernel_regularizer=torch.norm, bias_regularizer=None)
    torch.testing.assert_close(layer.regularization(), sum(map(torch.norm, kernels)))
    assert layer.hidden_units == [4]
    with pytest.raises(ValueError, match="`features` must have shape \\(..., 3\\), got \\(2, 4\\)"):
        layer(torch.ones(2, 4))
    module = akt.LSTMAutoencoderAnomaly(**SIZES, use_bottleneck_dense=True, n_repeats=5)
    assert module(torch.ones(2, 9, 3)).shape == (2, 5, 3)
    assert module.compute_reconstruction_error(torch.ones(2, 9, 3)).shape == (2,)
    with pytest.raises(ValueError, match="`inputs` must have shape \\(B, T, 3\\), T > 0, got \\(2, 3\\)"):
        module(torch.ones(2, 3))
    with pytest.raises(ValueError, match="`dropout_rate` must be >= 0 and < 1, got 1"):
        akt.SequenceAnomalyScoreLayer(3, 4, dropout_rate=1)
    with pytest.raises(ValueError, match="`activation` must be one of"):
        akt.SequenceAnomalyScoreLayer(3, 4, activation="swish")
    assert module(torch.ones(1, 2000, 3)).isfinite().all()


@pytest.mark.library("torch")
def test_inputs_of_modules_are_refused_by_name():
    import torch

    import anomaly_kernels.torch as akt

    networks = {
        "features": (akt.SequenceAnomalyScoreLayer(3, 4), torch.ones(2, 3)),
        "inputs": (akt.LSTMAutoencoderAnomaly(3, 4, 4), torch.ones(2, 5, 3)),
    }
    for name, (module, x) in networks.items():
        for wrong in (torch.float64, torch.int64, torch.bfloat16):
            message = f"^`{name}` must be of torch.float32, as the weights are, got {wrong}$"
            with pytest.raises(TypeError, match=message):
                module(x.to(wrong))
        with pytest.raises(TypeError, match=f"^`{name}` must be a tensor, got "):
            module(x.numpy())
        with pytest.raises(ValueError, match=f"^`{name}` must have shape .* got \\(\\)$"):
            module(torch.tensor(1.0))
    with pytest.raises(ValueError, match=r"^`inputs` must have shape \(B, T, 3\), T > 0, got \(2, 0, 3\)$"):
        networks["inputs"][0](torch.ones(2, 0, 3))
    assert networks["inputs"][0](torch.ones(0, 5, 3)).shape == (0, 5, 3)
    module, x = networks["features"]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(module(x.bfloat16()).float(), module(x).float(), rtol=0.1, atol=0.1)
        with pytest.raises(
            TypeError, match="^`features` must be of torch.float32, as the weights are, got torch.int64$"
        ):
            module(x.long())


@pytest.mark.library("torch")
def test_batch_statistics_are_those_of_torch_but_for_the_unbiased_variance():
    import torch

    import anomaly_kernels.torch as akt

    module = akt.SequenceAnomalyScoreLayer(3, 4, "linear", 0.0, use_norm="batch").double()
    norm = torch.nn.BatchNorm1d(4, eps=1e-3, momentum=0.01).double()
    dense, output = module.hidden_dense_1, module.score_output
    for seed in range(3):
        x = torch.as_tensor(np.random.default_rng(seed).normal(size=(50, 3)))
        expected = norm(x @ dense.kernel + dense.bias) @ output.kernel + output.bias
        torch.testing.assert_close(module(x), expected)
    own = module.batch_norm_1
    torch.testing.assert_close(own.moving_mean, norm.running_mean)
    kept = 0.99**3  # of the ones that both begin with
    torch.testing.assert_close(own.moving_variance - kept, (norm.running_var - kept) * 49 / 50)
    module.eval(), norm.eval()
    norm.running_var.copy_(own.moving_variance)
    torch.testing.assert_close(module(x), norm(x @ dense.kernel + dense.bias) @ output.kernel + output.bias)


@pytest.mark.library("torch")
def test_a_module_under_compile_keeps_its_statistics_and_takes_series_of_any_length():
    import torch

    import anomaly_kernels.torch as akt

    module = akt.SequenceAnomalyScoreLayer(3, 4, "tanh", 0.0, use_norm="batch")
    eager, x = copy.deepcopy(module), torch.as_tensor(RNG.normal(size=(9, 3)), dtype=torch.float32)
    compiled = torch.compile(module, backend="aot_eager", fullgraph=True)
    for part in (x, x[:4], x):
        torch.testing.assert_close(compiled(part), eager(part))
    torch.testing.assert_close(module.state_dict(), eager.state_dict())
    assert (module.batch_norm_1.moving_mean != 0).any()
    module = akt.LSTMAutoencoderAnomaly(3, 4, 5, use_bottleneck_dense=True).eval()
    compiled = torch.compile(module, backend="aot_eager")
    for shape in ((2, 5, 3), (1, 1, 3), (3, 8, 3)):
        x = torch.as_tensor(RNG.normal(size=shape), dtype=torch.float32)
        with torch.no_grad():
            torch.testing.assert_close(compiled(x), module(x))


@FRAMEWORKS
def test_weights_are_of_either_byte_order(driver):
    model = made(driver, **SIZES, use_bottleneck_dense=True)
    params = weights.get_params_tree(model)
    swapped = {key: (2 * x).astype(x.dtype.newbyteorder()) for key, x in params.items()}
    again = weights.get_params_tree(weights.set_params_tree(model, swapped))
    for key, x in params.items():
        np.testing.assert_array_equal(again[key], 2 * x)


@pytest.mark.library("torch")
def test_files_that_torch_has_written_are_read_whatever_their_dtype(tmp_path):
    import safetensors.torch
    import torch

    path, kernel = tmp_path / "a.safetensors", torch.randn(3, 2)
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        safetensors.torch.save_file({"kernel": kernel.to(dtype), "bias": torch.zeros(0, 1).to(dtype)}, path)
        read = weights.load_params(path)
        assert {key: x.shape for key, x in read.items()} == {"kernel": (3, 2), "bias": (0, 1)}
        assert str(read["kernel"].dtype) == str(dtype).rpartition(".")[2].replace("bfloat16", "float32")
        np.testing.assert_array_equal(read["kernel"].astype("float64"), kernel.to(dtype).double())
        read["kernel"] *= 2.0
    for dtype, named in ((torch.float8_e4m3fn, "F8_E4M3"), (torch.int64, "I64")):
        safetensors.torch.save_file({"kernel": kernel.to(dtype)}, path)
        with pytest.raises(ValueError, match=f"a.safetensors is no file of weights: it holds an array of {named}$"):
            weights.load_params(path)


def test_files_hold_arrays_and_nothing_else(tmp_path):
    params = filled(score_head.shapes(3, [4], "batch"))
    params |= {"number": np.asarray(2.0), "turned": np.asfortranarray(RNG.normal(size=(2, 3)))}
    weights.save_params(tmp_path / "a.safetensors", params)
    again = weights.load_params(tmp_path / "a.safetensors")
    assert again.keys() == params.keys()
    assert all((again[key] == params[key]).all() and again[key].shape == params[key].shape for key in params)
    (tmp_path / "b.safetensors").write_bytes(pickle.dumps(params))
    with pytest.raises(ValueError, match="is no file of weights"):
        weights.load_params(tmp_path / "b.safetensors")
    with pytest.raises(FileNotFoundError):
        weights.load_params(tmp_path / "c.safetensors")
