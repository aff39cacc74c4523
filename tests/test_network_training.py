"""What the frameworks' networks share: the forms for training, number by number, and the options."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from test_networks import autoencoder, head, norms, on, sigmoid

from anomaly_kernels._core.namespace import array_namespace
from anomaly_kernels.networks import _options as options
from anomaly_kernels.networks.activations import ACTIVATIONS
from anomaly_kernels.networks.lstm import reconstruct
from anomaly_kernels.networks.score_head import score, shapes

# ---- the score head


@pytest.mark.parametrize("norm", [None, "layer", "batch"])
def test_a_score_head_in_training_number_by_number(driver, norm):
    rng = np.random.default_rng(0)
    params = head(rng, 4, 6, 3) | (norms(rng, norm, 6, 3) if norm else {})
    x = rng.normal(size=(2, 5, 4))
    masks = [rng.choice([0.0, 2.0], (2, 5, n)) for n in (6, 3)]
    left = [driver.array(mask) for mask in masks]
    features, tanh, linear = driver.array(x), ACTIVATIONS["tanh"], ACTIVATIONS["linear"]
    xp = array_namespace(features)
    found, moved = score(xp, on(driver, params), features, norm, tanh, linear, lambda x: x * left.pop(0))

    rows, expected = x.reshape(10, 4), {}
    for i, mask in enumerate(masks, start=1):
        rows = np.tanh(rows @ params[f"hidden_dense_{i}/kernel"] + params[f"hidden_dense_{i}/bias"])
        if norm:  # of each row by itself, or of each unit over the batch
            groups = rows if norm == "layer" else rows.T
            centers = np.asarray([math.fsum(group) / len(group) for group in groups])
            variances = [math.fsum((group - m) ** 2) / len(group) for group, m in zip(groups, centers, strict=True)]
            units = [(g - m) / math.sqrt(v + 1e-3) for g, m, v in zip(groups, centers, variances, strict=True)]
            rows = np.stack(units) if norm == "layer" else np.stack(units).T
            rows = rows * params[f"{norm}_norm_{i}/gamma"] + params[f"{norm}_norm_{i}/beta"]
        if norm == "batch":
            for name, new in (("moving_mean", centers), ("moving_variance", variances)):
                key = f"batch_norm_{i}/{name}"
                expected[key] = [0.99 * was + 0.01 * now for was, now in zip(params[key], new, strict=True)]
        rows = rows * mask.reshape(10, -1)
    scores = rows @ params["score_output/kernel"] + params["score_output/bias"]
    np.testing.assert_allclose(driver.numpy(found), scores.reshape(2, 5, 1), rtol=1e-11, atol=1e-12)
    assert moved.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(driver.numpy(moved[key]), value, rtol=1e-12, atol=1e-15)


def test_a_batch_of_nothing_has_no_statistics(driver):
    rng = np.random.default_rng(0)
    params, features = head(rng, 4, 6) | norms(rng, "batch", 6), driver.array(np.ones((0, 4)))
    named = ACTIVATIONS["tanh"], ACTIVATIONS["linear"]
    with pytest.raises(ValueError, match=r"^`features` has shape \(0, 4\): there is nothing to average over$"):
        score(array_namespace(features), on(driver, params), features, "batch", *named, lambda x: x)


# ---- the autoencoder


def masked_lstm(params, layer, steps, drop, state=None):
    """One sequence through an LSTM whose inputs and states are masked alike at all steps; outputs and last state."""
    kernel, recurrent, bias = (params[f"{layer}/{k}"] for k in ("kernel", "recurrent_kernel", "bias"))
    of_inputs = drop("inputs", kernel.shape[0])
    of_state = drop("state", recurrent.shape[0])
    h, c = (np.zeros(recurrent.shape[0]),) * 2 if state is None else state
    outputs = []
    for x in steps:
        i, f, z, o = np.split((x * of_inputs) @ kernel + (h * of_state) @ recurrent + bias, 4)
        c = np.vectorize(sigmoid)(f) * c + np.vectorize(sigmoid)(i) * np.tanh(z)
        h = np.vectorize(sigmoid)(o) * np.tanh(c)
        outputs.append(h)
    return outputs, (h, c)


@pytest.mark.parametrize("repeats", [None, 3])
def test_an_autoencoder_in_training_number_by_number(driver, repeats):
    rng = np.random.default_rng(3)
    params = autoencoder(rng, both=True, layers=2, bottleneck=4, project=True)
    x = rng.normal(size=(3, 5, 2))
    drawn = []

    def drop(which, ones):
        shape = tuple(ones.shape)
        assert (driver.numpy(ones) == 1.0).all()
        drawn.append((which, rng.choice([0.0, 2.0], shape)))
        return ones * driver.array(drawn[-1][1])

    inputs, named = driver.array(x), (ACTIVATIONS["linear"], ACTIVATIONS["tanh"])
    found = reconstruct(array_namespace(inputs), on(driver, params), inputs, repeats, *named, drop)
    assert tuple(found.shape) == (3, repeats or 5, 2)
    for n, series in enumerate(x):
        left = iter(drawn)

        def own(which, width, left=left, n=n):
            kind, mask = next(left)
            assert (kind, mask.shape) == (which, (3, width))
            return mask[n]

        steps = list(series)
        for i in (1, 2):
            ahead, (h1, c1) = masked_lstm(params, f"encoder_{i}/forward", steps, own)
            back, (h2, c2) = masked_lstm(params, f"encoder_{i}/backward", steps[::-1], own)
            steps = [np.concatenate(pair) for pair in zip(ahead, back[::-1], strict=True)]
        h, c = np.concatenate([h1, h2]), np.concatenate([c1, c2])
        for part in ("bottleneck", "project_state"):
            latent = h if part == "project_state" else None
            h, c = (
                np.tanh(v @ params[f"{part}_{k}/kernel"] + params[f"{part}_{k}/bias"]) for v, k in ((h, "h"), (c, "c"))
            )
        steps, _ = masked_lstm(params, "decoder_1", [latent] * (repeats or 5), own, (h, c))
        steps, _ = masked_lstm(params, "decoder_2", steps, own)
        expected = np.stack(steps) @ params["decoder_dense/kernel"] + params["decoder_dense/bias"]
        np.testing.assert_allclose(driver.numpy(found)[n], expected, rtol=1e-10, atol=1e-12)
        assert next(left, None) is None


# ---- the options, which are about no library


def test_a_share_is_dropped():
    assert options.drop_rate("dropout_rate", np.float32(0.25)) == 0.25
    assert options.drop_rate("dropout_rate", 0) == 0.0
    assert type(options.drop_rate("dropout_rate", np.float64(0.5))) is float
    for wrong in ("0.1", None, True, np.ones(2)):
        with pytest.raises(TypeError, match=r"^`dropout_rate` must be a number, got "):
            options.drop_rate("dropout_rate", wrong)
    for wrong in (1, -0.1, math.nan):
        with pytest.raises(ValueError, match=r"^`dropout_rate` must be >= 0 and < 1, got"):
            options.drop_rate("dropout_rate", wrong)


def test_units_are_one_number_or_several():
    for units, listed in ((3, [3]), (np.int32(3), [3]), (np.asarray(3), [3]), ([4, 2], [4, 2]), ((4,), [4]), ([], [])):
        found = options.list_of_units("hidden_units", units)
        assert found == listed
        assert all(type(n) is int for n in found)
    for wrong, kind, message in (
        (0, ValueError, r"^`hidden_units` must be >= 1, got 0$"),
        (2.5, TypeError, r"^`hidden_units` must be a positive integer or a sequence of them, got "),
        ([3, 0], ValueError, r"^`hidden_units\[1\]` must be >= 1, got 0$"),
        ([3, "4"], TypeError, r"^`hidden_units\[1\]` must be a positive integer, got "),
        ("34", TypeError, r"^`hidden_units` must be a sequence of positive integers, got "),
    ):
        with pytest.raises(kind, match=message):
            options.list_of_units("hidden_units", wrong)


def test_parameters_of_a_score_head():
    assert shapes(3, [5, 4], norm=None) == {
        "hidden_dense_1/kernel": (3, 5), "hidden_dense_1/bias": (5,),
        "hidden_dense_2/kernel": (5, 4), "hidden_dense_2/bias": (4,),
        "score_output/kernel": (4, 1), "score_output/bias": (1,),
    }  # fmt: skip
    layer = shapes(3, [5], norm="layer")
    assert {key: shape for key, shape in layer.items() if "norm" in key} == {
        "layer_norm_1/gamma": (5,), "layer_norm_1/beta": (5,),
    }  # fmt: skip
    batch = shapes(3, [5, 4], norm="batch")
    arrays = ("gamma", "beta", "moving_mean", "moving_variance")
    assert {key: shape for key, shape in batch.items() if "norm" in key} == {
        f"batch_norm_{i}/{array}": (n,) for i, n in ((1, 5), (2, 4)) for array in arrays
    }


def lstm_shapes(layer, n_in, units):
    recurrent = {f"{layer}/recurrent_kernel": (units, 4 * units)}
    return {f"{layer}/kernel": (n_in, 4 * units), **recurrent, f"{layer}/bias": (4 * units,)}


def dense_shapes(layer, n_in, n_out):
    return {f"{layer}/kernel": (n_in, n_out), f"{layer}/bias": (n_out,)}


def test_parameters_of_an_autoencoder():
    plain = options.AutoencoderSettings(4, 4)
    expected = lstm_shapes("encoder_1", 3, 4) | lstm_shapes("decoder_1", 4, 4) | dense_shapes("decoder_dense", 4, 3)
    assert list(options.autoencoder_shapes(3, plain).items()) == list(expected.items())
    every = options.AutoencoderSettings(2, 4, None, 2, 2, use_bidirectional_encoder=True, use_bottleneck_dense=True)
    expected = {}
    for i, width in ((1, 3), (2, 8)):
        expected |= lstm_shapes(f"encoder_{i}/forward", width, 4) | lstm_shapes(f"encoder_{i}/backward", width, 4)
    expected |= dense_shapes("bottleneck_h", 8, 2) | dense_shapes("bottleneck_c", 8, 2)
    expected |= dense_shapes("project_state_h", 2, 4) | dense_shapes("project_state_c", 2, 4)
    expected |= lstm_shapes("decoder_1", 2, 4) | lstm_shapes("decoder_2", 4, 4) | dense_shapes("decoder_dense", 4, 3)
    assert list(options.autoencoder_shapes(3, every).items()) == list(expected.items())
    with pytest.raises(ValueError, match=r"^`n_features` must be >= 1, got 0$"):
        options.autoencoder_shapes(0, every)


def test_settings_of_an_autoencoder_are_checked():
    sizes = {"latent_dim": np.int64(4), "lstm_units": 4}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        settings = options.AutoencoderSettings(**sizes)
        options.AutoencoderSettings(8, 4, use_bidirectional_encoder=True)
        options.AutoencoderSettings(5, 4, use_bottleneck_dense=True)
    assert type(settings.latent_dim) is int
    message = (
        "^`latent_dim` 5 has no effect without `use_bottleneck_dense`: the latent vector is the state of the encoder, "
        "of width {}$"
    )
    for both, width in ((False, 4), (True, 8)):
        with pytest.warns(UserWarning, match=message.format(width)) as caught:
            options.AutoencoderSettings(5, 4, use_bidirectional_encoder=both)
        assert len(caught) == 1
    for name in ("latent_dim", "lstm_units", "n_repeats", "num_encoder_layers", "num_decoder_layers"):
        with pytest.raises(ValueError, match=f"^`{name}` must be >= 1, got 0$"):
            options.AutoencoderSettings(**{**sizes, name: 0})
    for name in ("use_bidirectional_encoder", "use_bottleneck_dense"):
        with pytest.raises(TypeError, match=f"^`{name}` must be True or False, got 1$"):
            options.AutoencoderSettings(**sizes, **{name: 1})


def test_parameters_start_as_in_keras():
    expected = {
        "encoder_1/kernel": "glorot_uniform", "encoder_1/recurrent_kernel": "orthogonal", "encoder_1/bias": "forget",
        "encoder_1/forward/bias": "forget", "decoder_2/bias": "forget", "decoder_2/kernel": "glorot_uniform",
        "decoder_dense/kernel": "glorot_uniform", "decoder_dense/bias": "zeros", "bottleneck_h/bias": "zeros",
        "hidden_dense_1/bias": "zeros", "batch_norm_1/gamma": "ones", "batch_norm_1/beta": "zeros",
        "batch_norm_1/moving_mean": "zeros", "batch_norm_1/moving_variance": "ones",
    }  # fmt: skip
    assert {key: options.initializer(key) for key in expected} == expected
