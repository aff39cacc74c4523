"""The two networks, against loops in plain Python and torch's own layers; what they say about wrong parameters."""

from __future__ import annotations

import math
import re
from functools import partial

import mpmath
import numpy as np
import pytest

import anomaly_kernels as ak
from anomaly_kernels.networks.activations import ACTIVATIONS


def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))


LAMBDA, ALPHA = mpmath.mpf("1.0507009873554804934"), mpmath.mpf("1.6732632423543772848")
REFERENCES = {
    "relu": lambda x: max(x, 0),
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "elu": lambda x: x if x > 0 else mpmath.expm1(x),
    "selu": lambda x: LAMBDA * (x if x > 0 else ALPHA * mpmath.expm1(x)),
    "gelu": lambda x: x * mpmath.ncdf(x),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "linear": lambda x: x,
}
POINTS = [-30.0, -3.0, -1.0, -1e-3, 1e-3, 0.7, 2.0, 30.0]


def head(rng, *widths):
    """Random parameters of a score head of these widths, the features first."""
    params = {}
    for i, (n_in, n_out) in enumerate(zip(widths, [*widths[1:], 1], strict=True), start=1):
        name = f"hidden_dense_{i}" if i < len(widths) else "score_output"
        params |= {f"{name}/kernel": rng.normal(size=(n_in, n_out)), f"{name}/bias": rng.normal(size=n_out)}
    return params


def norms(rng, kind, *widths):
    names = {"layer": ["gamma", "beta"], "batch": ["gamma", "beta", "moving_mean", "moving_variance"]}[kind]
    return {f"{kind}_norm_{i}/{k}": rng.uniform(0.5, 2, n) for i, n in enumerate(widths, start=1) for k in names}


def on(driver, arrays, dtype=None):
    return {name: driver.array(x, dtype) for name, x in arrays.items()}


# ---- activations


def test_every_activation_has_a_reference():
    assert REFERENCES.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("name", REFERENCES)
def test_activation_is_exact_with_its_derivative(driver, name):
    identity = {"score_output/kernel": np.ones((1, 1)), "score_output/bias": np.zeros(1)}
    arrays = {"features": driver.array(np.asarray(POINTS)[:, None])}

    def value(a):
        return ak.sequence_anomaly_score(on(driver, identity), a["features"], final_activation=name)

    expected = [float(REFERENCES[name](mpmath.mpf(x))) for x in POINTS]
    np.testing.assert_allclose(driver.numpy(value(arrays))[:, 0], expected, rtol=1e-13, atol=1e-16)
    if "gradient" in driver.can:
        _, gradient = driver.value_and_grad(lambda a: driver.sum(value(a)), arrays, ["features"])
        slopes = [float(mpmath.diff(REFERENCES[name], mpmath.mpf(x))) for x in POINTS]
        np.testing.assert_allclose(driver.numpy(gradient["features"])[:, 0], slopes, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", REFERENCES)
def test_activation_stays_finite_far_out_and_smooth_at_zero(driver, name):
    if "gradient" not in driver.can:
        pytest.skip("has no automatic differentiation")
    identity = on(driver, {"score_output/kernel": np.ones((1, 1)), "score_output/bias": np.zeros(1)}, "float32")
    arrays = {"features": driver.array(np.asarray([[-1e4], [0.0], [1e4]]), "float32")}
    value, gradient = driver.value_and_grad(
        lambda a: driver.sum(ak.sequence_anomaly_score(identity, a["features"], final_activation=name)),
        arrays,
        ["features"],
    )
    assert np.isfinite(driver.numpy(value))
    slope = driver.numpy(gradient["features"])[:, 0]
    assert np.isfinite(slope).all()
    smooth = {"tanh": 1.0, "sigmoid": 0.25, "elu": 1.0, "gelu": 0.5, "softplus": 0.5, "linear": 1.0}
    assert slope[1] == pytest.approx(smooth.get(name, slope[1]))


# ---- sequence_anomaly_score


def plain_head(params, x, use_norm=None):
    """One feature vector through relu layers, number by number."""
    i = 1
    while f"hidden_dense_{i}/kernel" in params:
        kernel, bias = params[f"hidden_dense_{i}/kernel"], params[f"hidden_dense_{i}/bias"]
        x = [max(math.fsum(x[j] * kernel[j, k] for j in range(len(x))) + bias[k], 0.0) for k in range(len(bias))]
        if use_norm == "layer":
            center = math.fsum(x) / len(x)
            spread = math.sqrt(math.fsum((v - center) ** 2 for v in x) / len(x) + 1e-3)
            x = [(v - center) / spread for v in x]
        if use_norm == "batch":
            center, variance = params[f"batch_norm_{i}/moving_mean"], params[f"batch_norm_{i}/moving_variance"]
            x = [(v - m) / math.sqrt(s + 1e-3) for v, m, s in zip(x, center, variance, strict=True)]
        if use_norm:
            gamma, beta = params[f"{use_norm}_norm_{i}/gamma"], params[f"{use_norm}_norm_{i}/beta"]
            x = [v * g + b for v, g, b in zip(x, gamma, beta, strict=True)]
        i += 1
    kernel, bias = params["score_output/kernel"], params["score_output/bias"]
    return math.fsum(v * w[0] for v, w in zip(x, kernel, strict=True)) + bias[0]


@pytest.mark.parametrize("use_norm", [False, True, "layer", "batch"])
@pytest.mark.parametrize("widths", [(4,), (4, 6), (4, 6, 3)])
def test_score_head_number_by_number(driver, use_norm, widths):
    rng = np.random.default_rng(len(widths))
    kind = "layer" if use_norm is True else use_norm
    params = head(rng, *widths) | (norms(rng, kind, *widths[1:]) if kind else {})
    x = rng.normal(size=(2, 3, 4))
    got = ak.sequence_anomaly_score(on(driver, params), driver.array(x), use_norm=use_norm)
    expected = [plain_head(params, row, kind) for row in x.reshape(-1, 4)]
    np.testing.assert_allclose(driver.numpy(got), np.reshape(expected, (2, 3, 1)), rtol=1e-11, atol=1e-12)


def test_score_of_one_vector(driver):
    params = head(np.random.default_rng(0), 4, 5)
    x = np.asarray([0.5, -1.0, 2.0, 0.1])
    got = ak.sequence_anomaly_score(on(driver, params), driver.array(x))
    assert tuple(got.shape) == (1,)
    np.testing.assert_allclose(driver.numpy(got), [plain_head(params, x)], rtol=1e-12)


def test_features_take_part_in_the_dtype(driver):
    params, x = head(np.random.default_rng(0), 4, 5), np.ones((2, 4))
    for of_params, of_features, expected in [("float32",) * 3, ("float32", "float64", "float64")]:
        got = ak.sequence_anomaly_score(on(driver, params, of_params), driver.array(x, of_features))
        assert driver.dtype_name(got) == expected


# ---- lstm_autoencoder


def plain_lstm(params, layer, steps, state=None):
    """One sequence of vectors through an LSTM, number by number; its outputs and last state."""
    kernel, recurrent, bias = (params[f"{layer}/{k}"] for k in ("kernel", "recurrent_kernel", "bias"))
    u = recurrent.shape[0]
    h, c = ([0.0] * u, [0.0] * u) if state is None else state
    outputs = []
    for x in steps:
        z = [
            math.fsum(x[j] * kernel[j, k] for j in range(len(x)))
            + math.fsum(h[j] * recurrent[j, k] for j in range(u))
            + bias[k]
            for k in range(4 * u)
        ]
        c = [sigmoid(z[u + k]) * c[k] + sigmoid(z[k]) * math.tanh(z[2 * u + k]) for k in range(u)]
        h = [sigmoid(z[3 * u + k]) * math.tanh(c[k]) for k in range(u)]
        outputs.append(h)
    return outputs, (h, c)


def plain_dense(params, layer, x, function):
    return [function(v) for v in np.asarray(x) @ params[f"{layer}/kernel"] + params[f"{layer}/bias"]]


def plain_autoencoder(params, x, repeats, output, between):
    i, steps = 1, [list(row) for row in x]
    while f"encoder_{i}/bias" in params or f"encoder_{i}/forward/bias" in params:
        if f"encoder_{i}/bias" in params:
            steps, (h, c) = plain_lstm(params, f"encoder_{i}", steps)
        else:
            ahead, (h1, c1) = plain_lstm(params, f"encoder_{i}/forward", steps)
            back, (h2, c2) = plain_lstm(params, f"encoder_{i}/backward", steps[::-1])
            steps, h, c = [a + b for a, b in zip(ahead, back[::-1], strict=True)], h1 + h2, c1 + c2
        i += 1
    if "bottleneck_h/bias" in params:
        h, c = plain_dense(params, "bottleneck_h", h, between), plain_dense(params, "bottleneck_c", c, between)
    steps = [h] * repeats
    if "project_state_h/bias" in params:
        h, c = plain_dense(params, "project_state_h", h, between), plain_dense(params, "project_state_c", c, between)
    state, i = (h, c), 1
    while f"decoder_{i}/bias" in params:
        steps, _ = plain_lstm(params, f"decoder_{i}", steps, state)
        state, i = None, i + 1
    return [plain_dense(params, "decoder_dense", h, output) for h in steps]


def autoencoder(rng, *, layers=1, both=False, bottleneck=None, project=False, units=3, features=2):
    """Random parameters; a decoder of two units more than the state where it is projected."""

    def dense(name, n_in, n_out):
        return {f"{name}/kernel": rng.normal(size=(n_in, n_out)), f"{name}/bias": rng.normal(size=n_out)}

    def lstm(name, n_in, u):
        return dense(name, n_in, 4 * u) | {f"{name}/recurrent_kernel": rng.normal(size=(u, 4 * u))}

    params, width = {}, features
    for i in range(1, layers + 1):
        for name in (f"encoder_{i}/forward", f"encoder_{i}/backward") if both else (f"encoder_{i}",):
            params |= lstm(name, width, units)
        width = units * (1 + both)
    if bottleneck:
        params |= dense("bottleneck_h", width, bottleneck) | dense("bottleneck_c", width, bottleneck)
        width = bottleneck
    decoder = width + 2 if project else width
    if project:
        params |= dense("project_state_h", width, decoder) | dense("project_state_c", width, decoder)
    for i in range(1, layers + 1):
        params |= lstm(f"decoder_{i}", width, decoder)
        width = decoder
    return params | dense("decoder_dense", width, features)


STRUCTURES = [
    {},
    {"layers": 2},
    {"both": True},
    {"both": True, "layers": 2, "project": True},
    {"bottleneck": 2},
    {"both": True, "bottleneck": 2, "project": True},
]


@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
def test_autoencoder_number_by_number(driver, structure):
    rng = np.random.default_rng(7)
    params, x = autoencoder(rng, **structure), rng.normal(size=(2, 4, 2))
    got = ak.lstm_autoencoder(on(driver, params), driver.array(x))
    expected = [plain_autoencoder(params, row, 4, math.tanh, lambda v: max(v, 0.0)) for row in x]
    np.testing.assert_allclose(driver.numpy(got), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("shape", [(1, 1, 2), (3, 1, 2), (1, 2, 2)], ids=str)
def test_autoencoder_takes_one_series_and_one_step(driver, shape):
    rng = np.random.default_rng(9)
    params, x = autoencoder(rng, both=True, layers=2), rng.normal(size=shape)
    got = ak.lstm_autoencoder(on(driver, params), driver.array(x))
    expected = [plain_autoencoder(params, row, shape[1], math.tanh, lambda v: max(v, 0.0)) for row in x]
    np.testing.assert_allclose(driver.numpy(got), expected, rtol=1e-11, atol=1e-13)


def test_networks_give_nothing_for_an_empty_batch(driver):
    for network, (params, arrays) in NETWORKS.items():
        ((name, x),) = arrays.items()
        got = network(on(driver, params), **{name: driver.array(x[:0])})
        assert tuple(got.shape) == (0, *network(params, x).shape[1:])


@pytest.mark.parametrize("n_repeats", [1, 3, 6])
def test_autoencoder_repeats_and_activations(driver, n_repeats):
    rng = np.random.default_rng(8)
    params, x = autoencoder(rng, both=True, bottleneck=4, project=True), rng.normal(size=(3, 4, 2))
    settings = {"n_repeats": n_repeats, "activation": "sigmoid", "intermediate_activation": "tanh"}
    got = ak.lstm_autoencoder(on(driver, params), driver.array(x), **settings)
    expected = [plain_autoencoder(params, row, n_repeats, sigmoid, math.tanh) for row in x]
    np.testing.assert_allclose(driver.numpy(got), expected, rtol=1e-11)


@pytest.mark.library("torch")
def test_autoencoder_is_built_of_the_lstm_of_torch():
    import torch

    torch.manual_seed(0)
    encoder, decoder = torch.nn.LSTM(2, 3, bidirectional=True, batch_first=True), torch.nn.LSTM(6, 6, batch_first=True)
    output = torch.nn.Linear(6, 2)
    params = {"decoder_dense/kernel": output.weight.T, "decoder_dense/bias": output.bias}
    for name, layer, suffix in [
        ("encoder_1/forward", encoder, ""), ("encoder_1/backward", encoder, "_reverse"), ("decoder_1", decoder, ""),
    ]:  # fmt: skip
        weight = {key: getattr(layer, f"{key}_l0{suffix}") for key in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        params[f"{name}/kernel"] = weight["weight_ih"].T
        params[f"{name}/recurrent_kernel"] = weight["weight_hh"].T
        params[f"{name}/bias"] = weight["bias_ih"] + weight["bias_hh"]
    x = torch.randn(4, 9, 2)
    _, (h, c) = encoder(x)
    h, c = (torch.cat([state[0], state[1]], dim=-1) for state in (h, c))
    y, _ = decoder(h[:, None].expand(-1, 9, -1), (h[None], c[None]))
    expected = torch.tanh(output(y))
    torch.testing.assert_close(ak.lstm_autoencoder(params, x), expected, rtol=1e-5, atol=1e-6)


# ---- both, traced

RNG = np.random.default_rng(9)
NETWORKS = {
    ak.sequence_anomaly_score: (head(RNG, 4, 5, 3), {"features": RNG.normal(size=(6, 4))}),
    ak.lstm_autoencoder: (autoencoder(RNG, both=True, project=True), {"inputs": RNG.normal(size=(3, 5, 2))}),
}
BOTH = pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.__name__)


@BOTH
def test_compiled_network_gives_the_same(driver, network):
    if "jit" not in driver.can:
        pytest.skip("compiles nothing")
    params, arrays = (on(driver, part) for part in NETWORKS[network])
    got = driver.jit(lambda a: network(params, **a))(arrays)
    np.testing.assert_allclose(driver.numpy(got), driver.numpy(network(params, **arrays)), rtol=1e-10, atol=1e-12)


@BOTH
def test_network_maps_over_a_batch(driver, network):
    if "vmap" not in driver.can:
        pytest.skip("has no vmap")
    params = on(driver, NETWORKS[network][0])
    ((name, x),) = NETWORKS[network][1].items()
    got = driver.vmap(lambda a: network(params, **a))({name: driver.array(np.stack([x, -x]))})
    expected = [driver.numpy(network(params, driver.array(one))) for one in (x, -x)]
    np.testing.assert_allclose(driver.numpy(got), expected, rtol=1e-10, atol=1e-12)


@BOTH
def test_network_takes_an_unknown_batch(driver, network):
    if "unknown_batch" not in driver.can:
        pytest.skip("knows all sizes")
    params, arrays = (on(driver, part) for part in NETWORKS[network])
    traced = driver.unknown_batch(lambda a: network(params, **a), arrays, list(arrays))
    np.testing.assert_allclose(driver.numpy(traced(arrays)), driver.numpy(network(params, **arrays)), rtol=1e-10)


@pytest.mark.library("jax")
def test_a_second_call_compiles_nothing(driver, caplog):
    import jax

    for network, given in NETWORKS.items():
        params, arrays = (on(driver, part) for part in given)
        network(params, **arrays)
        with jax.log_compiles():
            network(params, **arrays)
    assert not [record.getMessage() for record in caplog.records if "ompil" in record.getMessage()]


@pytest.mark.library("tensorflow")
def test_autoencoder_takes_an_unknown_number_of_steps(driver):
    tf = driver.module
    params = on(driver, NETWORKS[ak.lstm_autoencoder][0])
    spec = [tf.TensorSpec([None, None, 2], "float64")]
    traced = tf.function(lambda x: ak.lstm_autoencoder(params, x), input_signature=spec)
    for steps in (2, 70):
        x = driver.array(np.random.default_rng(steps).normal(size=(2, steps, 2)))
        np.testing.assert_allclose(traced(x), ak.lstm_autoencoder(params, x), rtol=1e-10)


@BOTH
def test_building_a_network_computes_nothing(driver, network):
    params, arrays = (on(driver, part) for part in NETWORKS[network])
    with driver.building():
        found = network(params, **arrays)
    assert np.isfinite(driver.numpy(found)).all()


# ---- errors


def without(params, key):
    return {k: x for k, x in params.items() if k != key}


def test_score_head_names_what_is_wrong(driver):
    params, x = on(driver, head(np.random.default_rng(0), 4, 5)), driver.array(np.ones((2, 4)))
    score = ak.sequence_anomaly_score
    with pytest.raises(
        ValueError,
        match="`params` must have the key 'hidden_dense_1/bias', got 'hidden_dense_1/kernel', 'score_output/k",
    ):
        score(without(params, "hidden_dense_1/bias"), x)
    with pytest.raises(ValueError, match="unexpected key 'hidden_dense_3/bias'"):
        score(params | {"hidden_dense_3/bias": x}, x)
    with pytest.raises(ValueError, match="must have the key 'batch_norm_1/gamma'"):
        score(params, x, use_norm="batch")
    with pytest.raises(ValueError, match="`use_norm` must be one of False, True, 'layer', 'batch', got 'group'"):
        score(params, x, use_norm="group")
    with pytest.raises(TypeError, match="`use_norm` must be one of"):
        score(params, x, use_norm=None)
    with pytest.raises(ValueError, match=r"`activation` must be one of 'relu', .*, got 'swish'"):
        score(params, x, activation="swish")
    with pytest.raises(ValueError, match="`final_activation` must be one of"):
        score(params, x, final_activation="")
    with pytest.raises(TypeError, match="`final_activation` must be one of"):
        score(params, x, final_activation=None)
    with pytest.raises(ValueError, match=r"`params\['hidden_dense_1/kernel'\]` .* expected \(3, 5\), got \(4, 5\)"):
        score(params, x[:, :3])
    with pytest.raises(ValueError, match=r"`params\['score_output/bias'\]` must have shape \(out,\), expected \(1,\)"):
        score(params | {"score_output/bias": x[0, :]}, x)
    with pytest.raises(ValueError, match=r"`features` must have shape \(..., F\), got \(\)"):
        score(params, driver.array(np.asarray(1.0)))
    with pytest.raises(TypeError, match="`params` must be a dict of arrays, got list"):
        score(list(params.items()), x)
    with pytest.raises(TypeError, match="`params` must have strings for keys, got 1"):
        score({1: x}, x)
    with pytest.raises(TypeError, match=r"`params\['score_output/bias'\]`: list"):
        score(params | {"score_output/bias": [0.0]}, x)


def test_autoencoder_names_what_is_wrong(driver):
    full = on(driver, autoencoder(np.random.default_rng(0), both=True, bottleneck=2, project=True))
    x = driver.array(np.ones((2, 4, 2)))
    with pytest.raises(ValueError, match="must have the key 'encoder_1/kernel', got none"):
        ak.lstm_autoencoder({}, x)
    for key in ("encoder_1/backward/bias", "bottleneck_c/kernel", "project_state_h/bias", "decoder_1/recurrent_kernel"):
        with pytest.raises(ValueError, match=f"must have the key '{key}'"):
            ak.lstm_autoencoder(without(full, key), x)
    with pytest.raises(ValueError, match="unexpected key 'encoder_3/bias'"):
        ak.lstm_autoencoder(full | {"encoder_3/bias": x}, x)
    with pytest.raises(
        ValueError, match=r"`params\['encoder_1/forward/kernel'\]` .* expected \(1, 12\), got \(2, 12\)"
    ):
        ak.lstm_autoencoder(full, x[:, :, :1])
    with pytest.raises(ValueError, match=r"`params\['project_state_h/kernel'\]` .* expected \(2, 4\), got \(6, 2\)"):
        ak.lstm_autoencoder(full | {"project_state_h/kernel": full["bottleneck_h/kernel"]}, x)
    unprojected = {k: v for k, v in full.items() if not k.startswith("project")}
    with pytest.raises(ValueError, match=r"`params\['decoder_1/kernel'\]` .* expected \(2, 8\), got \(2, 16\)"):
        ak.lstm_autoencoder(unprojected, x)
    with pytest.raises(ValueError, match=r"`inputs` must have shape \(B, T, F\), got \(4, 2\)"):
        ak.lstm_autoencoder(full, x[0, :, :])
    with pytest.raises(ValueError, match=r"^`inputs` must have shape \(B, T, F\), T > 0, got \(2, 0, 2\)$"):
        ak.lstm_autoencoder(full, x[:, :0, :])
    with pytest.raises(ValueError, match="`n_repeats` must be >= 1, got 0"):
        ak.lstm_autoencoder(full, x, n_repeats=0)
    with pytest.raises(TypeError, match="`n_repeats` must be an integer or None, got float"):
        ak.lstm_autoencoder(full, x, n_repeats=2.0)
    with pytest.raises(ValueError, match="^`activation` must be one of 'relu', .*, got 'swish'"):
        ak.lstm_autoencoder(full, x, activation="swish")
    with pytest.raises(ValueError, match="`intermediate_activation` must be one of"):
        ak.lstm_autoencoder(full, x, intermediate_activation="swish")


def many_networks(rng):
    """Networks with all parts and few, of several layers, some of them wider than others; parameters, and an input."""
    deep = autoencoder(rng, both=True, layers=2, bottleneck=2, project=True)
    wider = autoencoder(rng, layers=2)
    other = {"kernel": (3, 20), "recurrent_kernel": (5, 20), "bias": (20,)}
    wider |= {f"decoder_2/{array}": rng.normal(size=shape) for array, shape in other.items()}
    wider["decoder_dense/kernel"] = rng.normal(size=(5, 2))
    for params in (deep, wider):
        yield ak.lstm_autoencoder, params, np.ones((2, 4, 2))
    for kind in ("layer", "batch"):
        params = head(rng, 4, 5, 3) | norms(rng, kind, 5, 3)
        yield partial(ak.sequence_anomaly_score, use_norm=kind), params, np.ones((2, 4))


OF_LSTM = {"kernel": "(in, 4 units)", "recurrent_kernel": "(units, 4 units)", "bias": "(4 units,)"}


def meaning(key):
    layer, _, array = key.rpartition("/")
    if layer.startswith(("encoder", "decoder")) and layer != "decoder_dense":
        return OF_LSTM[array]
    return "(in, out)" if array == "kernel" else "(out,)"


def test_every_wrong_shape_of_every_weight_is_named():
    for network, params, x in many_networks(np.random.default_rng(0)):
        assert network(params, x).shape[:-1] == x.shape[:-1]
        for key, weight in params.items():
            layer = key.rpartition("/")[0]
            wrong = [np.concatenate([weight, weight], axis) for axis in range(weight.ndim)]
            wrong += [np.delete(weight, 0, axis) for axis in range(weight.ndim)]
            for each in [*wrong, weight[None], weight[0]]:
                given = params | {key: each}
                with pytest.raises(ValueError, match=rf"^`params\['{layer}/\w+'\]` must have shape ") as caught:
                    network(given, x)
                named, expected = re.search(r"\['(.*)'\].*expected (\(.*\)), got", str(caught.value)).groups()
                shape = f"must have shape {meaning(named)}, expected {expected}, got {given[named].shape}"
                assert str(caught.value) == f"`params['{named}']` {shape}"
                if named == key:
                    assert expected == str(weight.shape) or (expected == "(?,)" and each.ndim == 0)
                else:  # the bias says how many units there are, so that it is the kernel that differs
                    assert (key, named) == (f"{layer}/bias", f"{layer}/kernel")
                    assert expected != str(weight.shape)
