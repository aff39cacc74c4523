"""The losses in Keras, on the backend of this process: what a Keras user does with a loss, a regularizer or a layer."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from adapters import CLASSES, all_variants

import anomaly_kernels as ak
from anomaly_kernels._catalogue import CATALOGUE
from anomaly_kernels._classes.settings import parameters_of, settings_of

pytestmark = [
    pytest.mark.library("torch", "jax", "tensorflow"),
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
    ),  # Keras' own
]

VARIANTS = all_variants()
DEFAULTS = {name.removesuffix("-default"): each for name, each in VARIANTS.items() if name.endswith("-default")}
REGULARIZERS = ["OrthogonalityLoss", "DistinctnessLoss", "SelectorEntropyRegularizer", "SelectorDiversityRegularizer"]
LAYERS = ["AEGMMLoss", "VAEGMMLoss", "MultiObjectiveLoss", "DeepSVDDSoftBoundaryLoss", "PredictionErrorAnomalyScore"]
WEIGHED = [entry.cls for entry in CATALOGUE if entry.keras == "WeighedLayer"]
LOSSES = [name for name in CLASSES if name not in REGULARIZERS + LAYERS + WEIGHED]
RNG = np.random.default_rng(0)


@pytest.fixture
def keras():
    import keras

    keras.utils.set_random_seed(0)
    return keras


@pytest.fixture
def akk():
    import anomaly_kernels.keras

    return anomaly_kernels.keras


def made(name, **options):
    return DEFAULTS[name].made("keras", lambda x: x, **options)


def arrays(name):
    return [x for k, x in DEFAULTS[name].arrays.items() if k != "radius"]


def numpy(x):
    from keras import ops

    return ops.convert_to_numpy(x)


def close(found, expected, rtol=1e-5):
    np.testing.assert_allclose(numpy(found), expected, rtol=rtol, atol=1e-6)


# --- losses: values, weights, masks, reductions, dtypes


def values_of(name):
    """The values of which the class gives the mean."""
    if name in WEIGHED:
        return DEFAULTS[name].kernel(*arrays(name), **DEFAULTS[name].settings, reduction="none")
    return made(name, dtype="float64").call(*arrays(name))


@pytest.mark.parametrize("name", LOSSES + WEIGHED)
def test_call_gives_values_whose_reductions_are_the_losses(name):
    values = numpy(values_of(name))
    close(made(name, reduction="none", dtype="float64")(*arrays(name)), values, 1e-12)
    close(made(name, reduction=None, dtype="float64")(*arrays(name)), values, 1e-12)
    close(made(name, reduction="sum", dtype="float64")(*arrays(name)), values.sum(), 1e-12)
    for mean in ("mean", "sum_over_batch_size", "mean_with_sample_weight"):
        close(made(name, reduction=mean, dtype="float64")(*arrays(name)), values.mean(), 1e-12)


@pytest.mark.parametrize("name", [name for name in LOSSES + WEIGHED if name != "IoULoss"])
def test_weights_of_any_leading_part_of_the_shape_weigh_the_values(name):
    loss = made(name, dtype="float64")
    values = numpy(values_of(name))
    for rank in range(values.ndim + 1):
        weight = RNG.random(values.shape[:rank])
        full = np.broadcast_to(weight.reshape(weight.shape + (1,) * (values.ndim - rank)), values.shape)
        close(loss(*arrays(name), sample_weight=weight), (values * full).mean(), 1e-12)
        weighted = made(name, reduction="mean_with_sample_weight", dtype="float64")
        close(weighted(*arrays(name), sample_weight=weight), (values * full).sum() / full.sum(), 1e-12)
        summed = made(name, reduction="sum", dtype="float64")
        close(summed(*arrays(name), sample_weight=weight), (values * full).sum(), 1e-12)


def test_weights_of_samples_never_weigh_features(akk):
    square = RNG.random((4, 4)).astype("float32")  # where the two could be mistaken
    weight = np.asarray([1.0, 0.0, 0.0, 0.0])
    found = akk.MSEReconstructionLoss(reduction="sum")(square, np.zeros_like(square), sample_weight=weight)
    close(found, (square[0] ** 2).sum())


def test_a_column_of_weights_is_one_of_samples(akk):
    x, y = RNG.random((2, 5, 3))
    weight = RNG.random(5)
    loss = akk.DeepSVDDLoss(dtype="float64")
    close(loss(x, y[0], sample_weight=weight[:, None]), numpy(loss(x, y[0], sample_weight=weight)), 1e-12)


def test_weights_that_do_not_fit_are_refused(akk):
    x = np.zeros((4, 3))
    with pytest.raises(
        ValueError, match=r"^`sample_weight` must have a leading part .* expected \(4, 3\) .* got \(3,\)$"
    ):
        akk.MSEReconstructionLoss()(x, x, sample_weight=np.ones(3))
    for shape, weight in (((1, 5), (3,)), ((4, 1), (4, 3))):  # which would make more values of one
        with pytest.raises(ValueError, match="^`sample_weight` must have a leading part of the shape of the loss"):
            akk.MSEReconstructionLoss(reduction="sum")(np.ones(shape), np.zeros(shape), sample_weight=np.ones(weight))
    with pytest.raises(ValueError, match=r"^`sample_weight` must have a leading part .* expected \(\) .* got \(4,\)$"):
        akk.IoULoss()(x, x, sample_weight=np.ones(4))
    close(akk.IoULoss(axis=1)(x, x + 1.0, sample_weight=[1.0, 0, 0, 0]), numpy(akk.IoULoss()(x[:1], x[:1] + 1.0)) / 4)


@pytest.mark.parametrize("name", ["AnomalyBCEWithLogits", "IoULoss", "MSEReconstructionLoss"])
def test_a_column_beside_a_vector_is_one(name, keras, akk):
    y_true, y_pred = (RNG.random(8) > 0.5).astype("float32"), RNG.normal(size=8).astype("float32")
    loss = getattr(akk, name)()
    expected = numpy(loss(y_true, y_pred))
    close(loss(y_true[:, None], y_pred), expected)
    close(loss(y_true, y_pred[:, None]), expected)
    with pytest.raises(ValueError, match="equal shapes"):
        loss(y_true[:4], y_pred[:, None])
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", loss=loss)
    x = RNG.normal(size=(8, 3)).astype("float32")
    assert model.evaluate(x, y_true, verbose=0) == pytest.approx(
        float(numpy(loss(y_true[:, None], model(x)))), rel=1e-5
    )


def test_a_column_of_quantiles_or_of_embeddings_stays_one(akk):
    y_true, y_pred = RNG.random((4, 5, 1)), RNG.random((4, 5, 1, 1))
    expected = ak.quantile_loss(y_true, y_pred, quantiles=[0.5])
    close(akk.AdaptiveQuantileLoss([0.5], dtype="float64")(y_true, y_pred), expected)
    close(akk.DeepSVDDLoss(dtype="float64")(y_true[:, 0], y_true[0, 0]), ak.deep_svdd_loss(y_true[:, 0], y_true[0, 0]))


def test_masked_steps_do_not_count(keras, akk):
    y_true, y_pred = RNG.random((2, 2, 3, 4)).astype("float32")
    mask = np.asarray([[True, True, False], [True, False, False]])
    tensor = keras.ops.convert_to_tensor(y_pred)
    tensor._keras_mask = keras.ops.convert_to_tensor(mask)
    squares = (y_true - y_pred) ** 2
    close(akk.MSEReconstructionLoss()(y_true, tensor), squares[mask].mean())
    close(akk.MSEReconstructionLoss(reduction="sum")(y_true, tensor), squares[mask].sum())
    close(akk.AnomalyLoss()(tensor), (y_pred**2)[mask].mean())
    weight = np.asarray([1.0, 2.0], "float32")
    expected = (squares * weight[:, None, None])[mask].mean()
    close(akk.MSEReconstructionLoss()(y_true, tensor, sample_weight=weight), expected)


def test_masks_of_layers_count_as_they_do_for_keras_own_loss(keras, akk):
    x = RNG.random((4, 5, 2)).astype("float32")
    x[:, 3:] = 0.0
    found = []
    for loss in (akk.MSEReconstructionLoss(), keras.losses.MeanSquaredError()):
        keras.utils.set_random_seed(0)
        layers = [keras.Input((5, 2)), keras.layers.Masking(), keras.layers.SimpleRNN(2, return_sequences=True)]
        model = keras.Sequential(layers)
        model.compile("sgd", loss=loss)
        found.append(model.evaluate(x, x + 1.0, verbose=0))
    assert found[0] == pytest.approx(found[1], rel=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_dtype_is_that_of_the_result_and_precision_that_of_float32_at_least(dtype, keras, akk):
    x = 300.0 * RNG.random((1000, 8))  # squares that overflow in float16
    found = akk.MSEReconstructionLoss(weight=1e-3, dtype=dtype)(x, np.zeros_like(x))
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    rtol = {"float16": 1e-3, "bfloat16": 1e-2, "float32": 1e-6, "float64": 1e-12}[dtype]
    close(keras.ops.cast(found, "float64"), 1e-3 * (x**2).mean(), rtol)


def test_integer_masks_are_of_zeros_and_ones(akk):
    mask, score = 255 * (RNG.random((4, 5)) > 0.5).astype("uint8"), RNG.normal(size=(4, 5))
    for loss in (akk.IoULoss(), akk.AnomalyBCEWithLogits()):
        for target in (mask, mask.tolist(), mask.astype(int)):
            with pytest.raises(ValueError, match="^`target` must be 0 or 1 where it is of integers, got 255"):
                loss(target, score)


def test_masks_may_be_boolean_or_integer(akk):
    target, score = RNG.random((4, 5)) > 0.5, RNG.normal(size=(4, 5))
    for loss in (akk.IoULoss(), akk.AnomalyBCEWithLogits(pos_weight=3.0)):
        close(loss(target, score), numpy(loss(target.astype("int32"), score)))
        close(loss(target, score), numpy(loss(target.astype("float32"), score)))


# --- what Keras writes and reads


@pytest.mark.parametrize("label", [label for label in VARIANTS if "model" not in VARIANTS[label].settings])
def test_configs_make_the_same_object(label, keras):
    variant = VARIANTS[label]
    first = variant.made("keras", lambda x: x, name="a_name", dtype="float64")
    inputs = [x for k, x in variant.arrays.items() if k != "radius"]
    config = first.get_config()
    assert set(settings_of(type(first))) <= config.keys()
    serialized = keras.saving.serialize_keras_object(first)
    assert serialized["registered_name"] == f"anomaly_kernels>{variant.cls}"
    import json

    restored = keras.saving.deserialize_keras_object(json.loads(json.dumps(serialized)))
    for other in (type(first).from_config(config), restored):
        assert type(other) is type(first)
        assert repr(other) == repr(first)
        close(other(*inputs), numpy(first(*inputs)), 1e-12)


def test_models_are_saved_with_their_weights(keras, akk):
    teacher = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
    x = RNG.normal(size=(5, 4)).astype("float32")
    loss = akk.AdversarialAELoss(teacher, model_hl=[teacher], w_model_hl=[0.5], w_recon=0.1)
    other = akk.AdversarialAELoss.from_config(loss.get_config())
    assert other.model is not teacher
    close(other(x, x + 1), numpy(loss(x, x + 1)))


@pytest.mark.parametrize("kind", ["model", "layer"])
def test_teachers_keep_their_weights(kind, keras, akk):
    layer = keras.layers.Dense(3, "softmax", kernel_initializer="normal")
    layer.build((None, 4))
    teacher = layer if kind == "layer" else keras.Sequential([keras.Input((4,)), layer])
    x, y = RNG.normal(size=(5, 4)).astype("float32"), RNG.dirichlet(np.ones(3), size=5).astype("float32")
    loss = akk.DistillationLoss(model=teacher)
    other = akk.DistillationLoss.from_config(loss.get_config())
    assert other.model is not teacher
    close(other(x, y), numpy(loss(x, y)))


def test_a_dict_of_weights_is_no_model(akk):
    from anomaly_kernels.keras._base import deserialize

    assert deserialize({"weights": [1.0]}) == {"weights": [1.0]}


@pytest.mark.parametrize("how", ["instance", "config", "dict", "list"])
def test_compile_takes_losses_as_keras_users_give_them(how, keras, akk, tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, {"a": keras.layers.Dense(4, name="a")(x), "b": keras.layers.Dense(4, name="b")(x)})
    # Keras 3 refuses such a dict in compile itself, its own losses' too: it reads it as a dict of outputs
    one = keras.losses.get({"class_name": "anomaly_kernels>MSEReconstructionLoss", "config": {"weight": 2.0}})
    losses = {
        "instance": akk.MSEReconstructionLoss(weight=2.0),
        "config": one,
        "dict": {"a": akk.MSEReconstructionLoss(weight=2.0), "b": one},
        "list": [akk.MSEReconstructionLoss(weight=2.0), one],
    }[how]
    if how in ("instance", "config"):
        losses = {"a": losses, "b": losses}
    if how == "list":
        model = keras.Model(x, [keras.layers.Dense(4)(x), keras.layers.Dense(4)(x)])
    model.compile("sgd", loss=losses)
    data = RNG.normal(size=(6, 4)).astype("float32")
    target = [data, data] if how == "list" else {"a": data, "b": data}
    model.fit(data, target, epochs=1, verbose=0)
    found = model.evaluate(data, target, verbose=0, return_dict=True)["loss"]
    outputs = model(data)
    outputs = outputs if how == "list" else list(outputs.values())
    assert found == pytest.approx(sum(2.0 * ((numpy(y) - data) ** 2).mean() for y in outputs), rel=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.evaluate(data, target, verbose=0, return_dict=True)["loss"] == pytest.approx(found, rel=1e-5)
    again.fit(data, target, epochs=1, verbose=0)


# --- training


@pytest.mark.filterwarnings("ignore:.*script_method.*:DeprecationWarning")  # torch's own, where it loads the inductor
@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_fit_lowers_the_loss_compiled_and_in_mixed_precision(policy, keras, akk):
    x = RNG.normal(size=(64, 6)).astype("float32")
    layers = [keras.Input((6,)), keras.layers.Dense(6, dtype=policy)]
    model = keras.Sequential(layers)
    jit = keras.backend.backend() != "torch" or policy == "mixed_bfloat16"  # its inductor is slow: once is enough
    model.compile(keras.optimizers.Adam(0.05), loss=akk.MSEReconstructionLoss(), jit_compile=jit)
    losses = model.fit(x, x, epochs=10, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.5 * losses[0]


def test_fit_weighs_samples(keras, akk):
    x, y = np.ones((8, 1), "float32"), np.repeat([[0.0], [1.0]], 4, axis=0).astype("float32")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.2), loss=akk.MSEReconstructionLoss())
    model.fit(x, y, sample_weight=np.repeat([0.0, 1.0], 4), epochs=50, batch_size=8, verbose=0)
    close(model(x[:1]), [[1.0]], 1e-2)  # samples of weight 0 are not fitted


def test_a_variable_as_a_weight_is_fitted_with(keras, akk):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", loss=akk.MSEReconstructionLoss(weight=keras.Variable(2.0, trainable=False, dtype="float32")))
    x = RNG.random((4, 2)).astype("float32")
    expected = 2.0 * ((numpy(model(x)) - x) ** 2).mean()
    assert model.fit(x, x, batch_size=4, verbose=0).history["loss"] == [pytest.approx(expected, rel=1e-5)]


def test_a_weight_may_be_a_variable_that_changes_between_calls(keras, akk):
    weight = keras.Variable(1.0, trainable=False, dtype="float32")
    loss = akk.AnomalyLoss(weight=weight)
    scores = np.asarray([1.0, 3.0], "float32")
    close(loss(scores), 5.0)
    weight.assign(2.0)
    close(loss(scores), 10.0)
    assert loss.get_config()["weight"] == 2.0


# --- regularizers


@pytest.mark.parametrize("name", [*REGULARIZERS, "AnomalyRegularizer"])
def test_regularizers_regularize_kernels_and_activities(name, keras, akk, tmp_path):
    def regularizer():
        return getattr(akk, name)(weight=0.5)

    x = keras.Input((4,))
    layer = keras.layers.Dense(
        3, "softmax", kernel_initializer="ones", kernel_regularizer=regularizer(), activity_regularizer=regularizer()
    )
    model = keras.Model(x, layer(x))
    model.compile("sgd", loss="mse")
    data = RNG.random((5, 4)).astype("float32")
    function = getattr(ak, {**CLASSES, "AnomalyRegularizer": "mean_squared_anomaly"}[name])
    model(data)
    of_kernel, of_activity = function(numpy(layer.kernel), weight=0.5), function(numpy(model(data)), weight=0.5)
    model(data)
    close(sum(numpy(loss) for loss in model.losses), of_kernel + of_activity / len(data), 1e-4)  # Keras divides
    model.fit(data, np.zeros((5, 3)), epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert repr(again.layers[-1].kernel_regularizer) == repr(regularizer())


# --- endpoint layers


def endpoint_model(keras, name):
    shapes = [x.shape for x in arrays(name)]
    batched = [k for k in DEFAULTS[name].arrays if k not in ("radius", "center")]
    inputs = [keras.Input(shape[1:]) for k, shape in zip(DEFAULTS[name].arrays, shapes, strict=False) if k in batched]
    constants = [keras.ops.convert_to_tensor(x, "float32") for x in arrays(name)[len(inputs) :]]
    return keras.Model(inputs, made(name)(*inputs, *constants)), arrays(name)[: len(inputs)]


@pytest.mark.parametrize("name", LAYERS[:3] + WEIGHED)
def test_endpoint_layers_add_their_loss_and_are_saved_with_the_model(name, keras, tmp_path):
    model, data = endpoint_model(keras, name)
    expected = DEFAULTS[name].kernel(**DEFAULTS[name].arrays, **DEFAULTS[name].settings)
    close(model(data), expected)
    assert len(model.losses) == 1
    close(model.losses[0], expected)
    model.compile("sgd")
    assert model.evaluate(data, batch_size=len(data[0]), verbose=0) == pytest.approx(float(expected), rel=1e-5)
    model.save(tmp_path / "model.keras")
    close(keras.saving.load_model(tmp_path / "model.keras")(data), expected)


@pytest.mark.parametrize("name", ["DeepSVDDLoss", "GaussianKLLoss", "DeepSADLoss", "GaussianNLLLoss"])
def test_layers_that_weigh_values_train_in_fit(name, keras, akk):
    x = RNG.normal(size=(32, 4)).astype("float32")
    y = keras.Input((4,))
    given = {
        "target": lambda: keras.ops.cast(y[:, 0] > 1, "float32"),
        "y_true": lambda: 1.5 + keras.ops.sum(y, -1, keepdims=True) + keras.ops.zeros(3),
        "center": lambda: keras.ops.zeros(3),
    }
    dense = keras.layers.Dense
    names = parameters_of(DEFAULTS[name].kernel).arrays
    made = [given[k]() if k in given else dense(3, use_bias=len(names) > 2)(y) for k in names]
    model = keras.Model(y, getattr(akk, name)()(*made))
    model.compile(keras.optimizers.SGD(0.1))
    losses = model.fit(x, epochs=12, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]


def test_labels_may_be_columns_beside_logits_and_ensembles(akk):
    logit, members = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 4))
    classes, truth, y = np.asarray([0, 2, -1, 1, -1]), np.asarray([0, 1, 0, 1, 0]), RNG.normal(size=5)
    for loss, target, predicted in (
        (akk.OutlierExposureLoss(dtype="float64"), classes, logit),
        (akk.EnergyBoundedLoss(dtype="float64"), truth, logit),
        (akk.CRPSEnsembleLoss(dtype="float64"), y, members),
    ):
        close(loss(target[:, None], predicted), numpy(loss(target, predicted)), 1e-12)


def test_integers_that_are_no_labels_are_refused_before_they_are_cast(akk):
    z, center = np.ones((3, 2)), np.zeros(2)
    with pytest.raises(ValueError, match=r"`target` must be 1 \(a known anomaly\), 0 \(unlabelled\) or -1 .* got 2"):
        akk.DeepSADLoss()(np.asarray([0, 1, 2]), z, center)
    with pytest.raises(ValueError, match="`target` must be 0 or 1 where it is of integers, got -1: use `target > 0`"):
        akk.HypersphereClassifierLoss()(np.asarray([0, 1, -1]), z, center)
    with pytest.raises(ValueError, match="`target` must be a class below 2, got 2"):
        akk.OutlierExposureLoss()(np.asarray([0, 1, 2]), z)
    with pytest.raises(TypeError, match="`target` must be classes, got booleans"):
        akk.OutlierExposureLoss()(np.asarray([False, True, True]), z)
    with pytest.raises(ValueError, match="`target` must be .* of which 0 means normal, got -1: use `target > 0`"):
        akk.LovaszHingeLoss()(np.asarray([1, -1, 1]), z[:, 0])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_of_embeddings_leaves_their_classes_as_they_are(dtype, keras, akk):
    label, z = np.repeat(np.arange(1100), 2), keras.ops.cast(RNG.normal(size=(2200, 2)).astype("float32"), dtype)
    expected = ak.supcon_loss(label, numpy(keras.ops.cast(z, "float32")))
    close(akk.SupConLoss()(label, z), expected)


def test_the_mask_of_any_array_leaves_values_out(keras, akk):
    z = keras.ops.convert_to_tensor(RNG.normal(size=(2, 3, 4)))
    z._keras_mask = keras.ops.convert_to_tensor(np.asarray([[True, False, True], [True, True, False]]))
    target, center = np.asarray([[1, 0, -1], [0, 0, 1]]), np.zeros(4)
    values = numpy(akk.DeepSADLoss(reduction="none", dtype="float64")(target, numpy(z), center))
    close(akk.DeepSADLoss(dtype="float64")(target, z, center), values[numpy(z._keras_mask)].mean(), 1e-12)


def test_layers_weigh_values_as_losses_do(keras, akk):
    z, c = RNG.normal(size=(2, 3, 4)), np.zeros(4)
    values, weight, mask = (z**2).sum(-1), np.asarray([1.0, 3.0]), np.asarray([[True, True, False], [True] * 3])
    layer = akk.DeepSVDDLoss(dtype="float64")
    close(layer(z, c, sample_weight=weight), (values * weight[:, None]).mean())
    tensor = keras.ops.convert_to_tensor(z)
    tensor._keras_mask = keras.ops.convert_to_tensor(mask)
    close(layer(tensor, c), values[mask].mean())
    each = akk.DeepSVDDLoss(reduction="none", dtype="float64")
    close(each(z, c), values)
    close(each.losses[-1], values.mean())
    assert akk.DeepSVDDLoss.from_config(each.get_config()).reduction == "none"
    with pytest.raises(ValueError, match="reduction"):
        akk.DeepSVDDLoss(reduction="average")


def test_anomaly_loss_compiled_as_a_loss_is_that_of_the_output(keras, akk):
    x = RNG.normal(size=(16, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.1), loss=akk.AnomalyLoss(weight=2.0))
    before = 2.0 * (numpy(model(x)) ** 2).mean()
    dummy = np.zeros((16, 1), "float32")
    assert model.evaluate(x, dummy, verbose=0) == pytest.approx(before, rel=1e-5)
    model.fit(x, dummy, sample_weight=np.ones(16), epochs=3, verbose=0)
    assert model.evaluate(x, dummy, verbose=0) < 0.9 * before
    scores = RNG.normal(size=(4, 2))
    close(akk.AnomalyLoss()(scores, 100.0 * scores), (scores**2).mean())  # called by hand the second is ignored
    close(akk.AnomalyLoss()(scores, None, sample_weight=[2.0, 0, 0, 0]), (scores[0] ** 2).sum() / 4)


# --- empty batches, and shapes that a graph does not know


@pytest.mark.parametrize("name", [*LOSSES, *LAYERS[:4], *WEIGHED])
def test_the_loss_of_an_empty_batch_is_zero(name):
    batch = len(arrays(name)[0])
    nothing = [x[:0] if x.ndim and len(x) == batch and k != "center" else x for k, x in DEFAULTS[name].arrays.items()]
    nothing = nothing[: len(arrays(name))]
    assert float(numpy(made(name)(*nothing))) == 0.0
    if name in LOSSES:
        assert float(numpy(made(name)(*nothing, sample_weight=np.zeros(0)))) == 0.0
        assert numpy(made(name, reduction="none")(*nothing)).shape == (0,)


def test_a_score_of_an_empty_batch_has_no_rows(akk):
    nothing = np.zeros((0, 4, 2), "float32")
    assert tuple(akk.PredictionErrorAnomalyScore()(nothing, nothing).shape) == (0, 1)


@pytest.mark.parametrize("name", REGULARIZERS[2:])
def test_an_empty_activity_is_not_regularized(name, akk):
    assert float(numpy(getattr(akk, name)()(np.zeros((0, 3), "float32")))) == 0.0


@pytest.mark.library("tensorflow")
@pytest.mark.parametrize("name", [*LOSSES, *LAYERS[:4], *WEIGHED])
def test_a_batch_that_turns_out_empty_in_a_graph_has_loss_zero_and_no_gradient(name):
    import tensorflow as tf

    inputs = [np.asarray(x, "float32") for x in arrays(name)]
    batch = len(inputs[0])
    is_open = [
        x.ndim > 0 and len(x) == batch and k != "center" for k, x in zip(DEFAULTS[name].arrays, inputs, strict=False)
    ]
    shapes = [[None, *x.shape[1:]] if o else x.shape for o, x in zip(is_open, inputs, strict=True)]
    loss, scale = made(name), tf.Variable(1.0)

    @tf.function(input_signature=[tf.TensorSpec(shape) for shape in shapes])
    def step(*tensors):
        with tf.GradientTape() as tape:
            value = loss(*tensors[:-1], scale * tensors[-1])
        return value, tape.gradient(value, scale, unconnected_gradients="zero")

    value, gradient = step(*[x[:0] if o else x for o, x in zip(is_open, inputs, strict=True)])
    assert (float(value), float(gradient)) == (0.0, 0.0)
    assert np.isfinite(float(step(*inputs)[0]))


XLA = pytest.mark.parametrize("xla", [False, True], ids=["graph", "XLA"])


def words(message):
    """A pattern of the message, which XLA shows as the name of what failed."""
    return r"[\W_]+".join(re.findall(r"\w+", message))


@pytest.mark.library("tensorflow")
@XLA
@pytest.mark.parametrize("kernel", [ak.anomaly_bce_with_logits, ak.iou_loss, ak.kl_divergence, ak.roc_auc])
def test_sizes_that_a_graph_learns_when_it_runs_must_be_equal(kernel, xla):
    import tensorflow as tf

    graph = tf.function(kernel, input_signature=[tf.TensorSpec([None, None])] * 2, jit_compile=xla)
    graph(tf.ones((4, 4)), tf.ones((4, 4)))
    for shapes in (((4, 1), (4, 4)), ((4, 1), (1, 4)), ((2, 4), (1, 4))):
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=f"{words('must have equal shapes')}|Incompatible shapes"
        ):
            graph(*map(tf.ones, shapes))
    with pytest.raises(ValueError, match=r"must have a known number of axes: say its shape, as by `tf\.ensure_shape`"):
        tf.function(kernel, input_signature=[tf.TensorSpec(None)] * 2)(tf.ones((4, 4)), tf.ones((4, 4)))


@pytest.mark.library("tensorflow")
@XLA
@pytest.mark.parametrize(
    ("kernel", "settings", "open_shapes", "shapes", "wrong", "message"),
    [
        (
            "deep_svdd_loss",
            {},
            ("??", "?"),
            [(4, 3), (3,)],
            {1: (1,)},
            "`embeddings` and `center` must have equal last axes",
        ),
        ("gmm_params", {}, ("?2", "?3"), [(4, 2), (4, 3)], {1: (1, 3)}, "`z` and `gamma` must have equal N"),
        ("gmm_params", {}, ("?2", "?3"), [(1, 2), (1, 3)], {1: (4, 3)}, "`z` and `gamma` must have equal N"),
        ("aegmm_loss", {}, ("??", "??", "?2", "?3"), [(4, 5), (4, 5), (4, 2), (4, 3)], {3: (1, 3)}, "equal N"),
        *(
            (
                name,
                {"quantiles": [0.1, 0.9]},
                ("???", "??2?"),
                [(4, 3, 2), (4, 3, 2, 2)],
                {k: shape},
                "equal B, H and O",
            )
            for name in ("quantile_loss", "multi_objective_loss")
            for k, shape in ((0, (1, 3, 2)), (0, (4, 3, 1)), (1, (4, 1, 2, 2)))
        ),
        (
            "adversarial_ae_loss",
            {"model": lambda x: x[:1], "reduction": "none", "w_recon": 1.0},
            ("??", "??"),
            [(1, 3), (1, 3)],
            {0: (4, 3), 1: (4, 3)},
            "equal B",
        ),
    ],
)
def test_axes_that_a_graph_leaves_open_are_compared_when_it_runs(
    kernel, settings, open_shapes, shapes, wrong, message, xla
):
    import tensorflow as tf

    specs = [tf.TensorSpec([None if n == "?" else int(n) for n in shape]) for shape in open_shapes]
    graph = tf.function(lambda *x: getattr(ak, kernel)(*x, **settings), input_signature=specs, jit_compile=xla)
    right = [tf.random.stateless_uniform(shape, (0, k)) for k, shape in enumerate(shapes)]
    graph(*right)
    mistaken = [tf.ones(wrong[k]) if k in wrong else x for k, x in enumerate(right)]
    with pytest.raises(tf.errors.InvalidArgumentError, match=words(message)):
        graph(*mistaken)


@pytest.mark.library("tensorflow")
@XLA
@pytest.mark.parametrize("name", ["MSEReconstructionLoss", "DeepSVDDLoss"])
def test_weights_of_open_sizes_make_no_more_values(name, akk, xla):
    import tensorflow as tf

    loss = getattr(akk, name)(reduction="sum")
    second = [None, None] if name == "MSEReconstructionLoss" else [3]
    specs = [tf.TensorSpec([None, 3]), tf.TensorSpec(second), tf.TensorSpec([None])]
    graph = tf.function(lambda x, y, weight: loss(x, y, sample_weight=weight), input_signature=specs, jit_compile=xla)
    y = tf.zeros((1, 3)) if name == "MSEReconstructionLoss" else tf.zeros(3)
    graph(tf.ones((1, 3)), y, tf.ones(1))
    with pytest.raises(tf.errors.InvalidArgumentError, match=words("must have equal shapes")):
        graph(tf.ones((1, 3)), y, tf.ones(4))


@pytest.mark.parametrize("dtype", [None, "mixed_float16"])
def test_a_variable_among_the_settings_of_a_layer_is_saved_as_its_number(dtype, keras, akk, tmp_path):
    weight = keras.Variable(2.0, trainable=True, dtype="float32")
    y = keras.Input((3, 1))
    layer = akk.MultiObjectiveLoss([0.5], anomaly_weight=weight, dtype=dtype)
    model = keras.Model(y, layer(y, keras.ops.expand_dims(y, -1), y))
    data = RNG.random((4, 3, 1)).astype("float32")
    close(model(data), 2.0 * (data**2).mean())
    weight.assign(3.0)
    close(model(data), 3.0 * (data**2).mean())
    assert model.weights == []
    model.save(tmp_path / "model.keras")
    close(keras.saving.load_model(tmp_path / "model.keras")(data), 3.0 * (data**2).mean())


def test_the_radius_is_a_weight_that_is_trained_and_saved(keras, akk, tmp_path):
    z = RNG.normal(size=(512, 3)).astype("float32")

    @keras.saving.register_keras_serializable("tests")
    class Detector(keras.Model):
        def __init__(self, **options):
            super().__init__(**options)
            self.boundary = akk.DeepSVDDSoftBoundaryLoss(nu=0.1)

        def call(self, x):
            self.boundary(x, keras.ops.zeros(3))
            return x

    model = Detector()
    model.compile(keras.optimizers.Adam(0.05))
    losses = model.fit(z, epochs=120, batch_size=512, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    radius = numpy(model.boundary.radius)
    assert np.mean(np.linalg.norm(z, axis=1) > radius) == pytest.approx(0.1, abs=0.02)
    model.save(tmp_path / "model.keras")
    close(keras.saving.load_model(tmp_path / "model.keras").boundary.radius, radius)


def test_the_radius_starts_at_the_quantile(keras, akk):
    z = np.arange(1.0, 1001.0, dtype="float32")[:, None]
    layer = akk.DeepSVDDSoftBoundaryLoss(nu=0.05)
    close(layer.r_unconstrained, 0.0)
    close(layer.radius, ak.svdd_radius(np.zeros(())))
    layer.build(z.shape)
    layer.build(z.shape)
    assert len(layer.weights) == 1
    close(layer.init_radius(z, np.zeros(1, "float32")), 950.0, 2e-3)
    close(layer.radius, 950.0, 2e-3)


@pytest.mark.parametrize("name", ["DeepSVDDLoss", "DeepSVDDSoftBoundaryLoss"])
def test_a_centre_of_its_own_is_saved_and_training_goes_on(name, keras, akk, tmp_path):
    rows = RNG.normal(size=(64, 4)).astype("float32")

    def made():
        keras.utils.set_random_seed(0)
        x = keras.Input((4,))
        z = keras.layers.Dense(3, use_bias=False)(x)
        model = keras.Model(x, getattr(akk, name)(name="boundary")(z))
        return model, keras.Model(x, z)

    def trained(model, epochs):
        return model.fit(rows, epochs=epochs, batch_size=64, shuffle=False, verbose=0).history["loss"][-1]

    model, encoder = made()
    model.compile(keras.optimizers.Adam(0.01))
    layer = model.get_layer("boundary")
    assert np.isnan(model.evaluate(rows, verbose=0))  # there is no centre yet
    center = layer.init_center(encoder.predict(rows, verbose=0), eps=0.2)
    close(layer.center, ak.svdd_center(encoder.predict(rows, verbose=0), eps=0.2))
    close(center, numpy(layer.center))
    if name == "DeepSVDDSoftBoundaryLoss":
        z = encoder.predict(rows, verbose=0)
        close(layer.init_radius(z), numpy(layer.init_radius(z, numpy(center))))
    trained(model, 2)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    again, fresh = keras.saving.load_model(tmp_path / "model.keras"), made()[0]
    fresh.load_weights(tmp_path / "model.weights.h5")
    for other in (again, fresh):
        close(other.get_layer("boundary").center, numpy(center))
        close(other(rows), numpy(model(rows)))
    expected = trained(model, 2)
    assert trained(again, 2) == pytest.approx(expected, rel=1e-6)  # with the state of the optimizer
    close(layer.center, numpy(center))
    layer.save(tmp_path / "layer.json")
    close(type(layer).load(tmp_path / "layer.json").center, numpy(center))


@pytest.mark.parametrize("name", ["DeepSVDDLoss", "DeepSVDDSoftBoundaryLoss"])
def test_a_layer_without_a_centre_says_so(name, keras, akk, tmp_path):
    z = RNG.normal(size=(5, 3)).astype("float32")
    given, kept = getattr(akk, name)(), getattr(akk, name)()
    value = given(z, z[0])
    assert [w.name for w in given.weights if w.name == "center"] == []
    with pytest.raises(ValueError, match=f"^this {name} has no centre of its own: it is given one with each call$"):
        given.init_center(z)
    with pytest.raises(ValueError, match=f"`center` must be given with each call of this {name}, as with the first"):
        given(z)
    kept.init_center(z)
    close(kept(z, z[0]), numpy(value))
    with pytest.raises(ValueError, match=r"`embeddings` must have a known last axis, got \(\?, \?\)"):
        getattr(akk, name)()(keras.KerasTensor((None, None)))
    kept.save(tmp_path / "layer.json")
    hostile = json.loads((tmp_path / "layer.json").read_text())
    hostile["state"]["center"]["array"] = [[1.0]]
    (tmp_path / "layer.json").write_text(json.dumps(hostile))
    with pytest.raises(ak.FileError, match=r"`center` must be an array of shape \(D,\)"):
        type(kept).load(tmp_path / "layer.json")


def test_scores_are_a_column(keras, akk):
    y_true, y_pred = RNG.random((2, 5, 3, 2))
    layer = akk.PredictionErrorAnomalyScore(error_metric="mse", aggregation="max", dtype="float64")
    expected = ak.prediction_error_score(y_true, y_pred, error_metric="mse", aggregation="max")[:, None]
    close(layer([y_true, y_pred]), expected, 1e-12)
    close(layer(y_true, y_pred), expected, 1e-12)
    assert layer.losses == []
    both = (None, 3, 2), (None, 3, 2)
    assert layer.compute_output_shape(*both) == layer.compute_output_shape(list(both)) == (None, 1)
    symbolic = keras.Input((3, 2)), keras.Input((3, 2))
    assert layer(*symbolic).shape == layer(list(symbolic)).shape == (None, 1)
    for wrong in (y_true[:2], [y_true], [y_true] * 3):
        with pytest.raises(TypeError, match="takes y_true, y_pred or a list of the two, got"):
            layer(wrong)


def test_layers_under_a_mixed_policy_compute_losses_in_float32(keras, akk):
    layer = akk.DeepSVDDSoftBoundaryLoss(dtype="mixed_float16")
    found = layer(np.full((4, 3), 300.0, "float32"), np.zeros(3, "float32"))
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    assert np.isfinite(numpy(found))
    rounded = akk.DeepSVDDSoftBoundaryLoss(dtype="mixed_float16", autocast=True)
    assert type(rounded).from_config(rounded.get_config()).autocast
    assert not np.isfinite(numpy(rounded(np.full((4, 3), 1e5, "float32"), np.zeros(3, "float32"))))


@pytest.mark.parametrize("dtype", ["mixed_float16", "float64"])
def test_the_policy_of_a_layer_is_a_parameter_as_it_was_given(dtype, akk, tmp_path):
    from sklearn.base import clone

    layer = akk.DeepSVDDSoftBoundaryLoss(dtype=dtype)
    layer.save(tmp_path / "layer.json")
    for other in (clone(layer), type(layer).load(tmp_path / "layer.json"), type(layer).from_config(layer.get_config())):
        assert other.get_params()["dtype"] == other.dtype_policy.name == dtype


@pytest.mark.parametrize("name", ["IoULoss", "DeepSVDDSoftBoundaryLoss"])
def test_what_keras_refuses_changes_nothing(name, akk):
    made = getattr(akk, name)(weight=2.0)
    before = made.get_params()
    for wrong in ({"dtype": "float31"}, {"reduction": "average"} if name == "IoULoss" else {"name": "another"}):
        for params in ({"weight": 3.0} | wrong, wrong | {"weight": 3.0}):
            with pytest.raises(ValueError, match="float31|average|another"):
                made.set_params(**params)
            assert made.get_params() == before
    assert made.set_params(**before).get_params() == before


def test_a_file_of_settings_holds_no_regularizer(akk, tmp_path):
    layer = akk.DeepSVDDSoftBoundaryLoss(activity_regularizer="l2")
    with pytest.raises(TypeError, match="^`activity_regularizer` must be data .* got keras.L2$"):
        layer.save(tmp_path / "layer.json")


# --- as fusionlab documents them


def test_the_documented_example_of_anomaly_loss_runs(akk):
    anomaly_scores = RNG.normal(size=(32, 10, 8)).astype("float32")
    anomaly_loss_fn = akk.AnomalyLoss(weight=2.0)
    close(anomaly_loss_fn(anomaly_scores), 2.0 * (anomaly_scores**2).mean())
    close(anomaly_loss_fn(anomaly_scores, y_pred=None), 2.0 * (anomaly_scores**2).mean())
    close(anomaly_loss_fn(anomaly_scores, anomaly_scores + 1), 2.0 * (anomaly_scores**2).mean())
    assert akk.AnomalyLoss.from_config(anomaly_loss_fn.get_config()).weight == 2.0


def test_the_documented_example_of_multi_objective_loss_runs(akk):
    y_true = RNG.normal(size=(32, 10, 1)).astype("float32")
    y_pred = RNG.normal(size=(32, 10, 3, 1)).astype("float32")
    anomaly_scores = RNG.normal(size=(32, 10, 8)).astype("float32")
    q_loss_fn = akk.AdaptiveQuantileLoss([0.2, 0.5, 0.8])
    a_loss_fn = akk.AnomalyLoss(weight=2.0)
    mo_loss = akk.MultiObjectiveLoss(q_loss_fn, a_loss_fn)
    expected = numpy(q_loss_fn(y_true, y_pred)) + numpy(a_loss_fn(anomaly_scores))
    close(mo_loss(y_true, y_pred, anomaly_scores), expected)
    close(mo_loss(y_true, y_pred), numpy(q_loss_fn(y_true, y_pred)))
    by_name = akk.MultiObjectiveLoss(quantile_loss_fn=q_loss_fn, anomaly_loss_fn=a_loss_fn)
    assert by_name.get_params() | {"name": ""} == mo_loss.get_params() | {"name": ""}
    with pytest.raises(TypeError, match="^`anomaly_loss_fn` must be of class AnomalyLoss, got AdaptiveQuantileLoss$"):
        akk.MultiObjectiveLoss(q_loss_fn, q_loss_fn)
    with pytest.raises(ValueError, match="^`quantile_loss_fn` must have weight 1, got 2.0$"):
        akk.MultiObjectiveLoss(akk.AdaptiveQuantileLoss([0.5], weight=2.0), a_loss_fn)
    with pytest.raises(TypeError, match="takes from 1 to 3 positional arguments but 4 were given$"):
        akk.MultiObjectiveLoss(q_loss_fn, a_loss_fn, 2.0)
    for name, given in {
        "quantile_loss_fn": ((q_loss_fn,), {"quantile_loss_fn": q_loss_fn}),
        "quantiles": ((), {"quantile_loss_fn": q_loss_fn, "quantiles": [0.5]}),
        "anomaly_weight": (([0.5],), {"anomaly_loss_fn": a_loss_fn, "anomaly_weight": 3.0}),
    }.items():
        with pytest.raises(TypeError, match=f"^MultiObjectiveLoss is given `{name}` twice$"):
            akk.MultiObjectiveLoss(*given[0], **given[1])
    with pytest.raises(TypeError, match="^MultiObjectiveLoss is given `quantiles` twice$"):
        akk.MultiObjectiveLoss([0.5], quantile_loss_fn=q_loss_fn)
    with pytest.raises(TypeError, match="^`quantiles` must be "):
        akk.MultiObjectiveLoss(anomaly_loss_fn=a_loss_fn)
    with pytest.raises(ValueError, match="^`anomaly_loss_fn` must have reduction 'mean', got 'sum'$"):
        akk.MultiObjectiveLoss(q_loss_fn, akk.AnomalyLoss(reduction="sum"))


# --- errors


def test_a_misspelt_setting_is_refused(akk):
    with pytest.raises(TypeError, match="^IoULoss has no setting `smoth`; did you mean `smooth`\\?$"):
        akk.IoULoss(smoth=1.0)
    with pytest.raises(ValueError, match="^`smooth` must be >= 0, got -1$"):
        akk.IoULoss(smooth=-1)
    with pytest.raises(ValueError, match="reduction"):
        akk.IoULoss(reduction="average")
    with pytest.raises(ValueError, match="reduction"):
        akk.IoULoss().set_params(reduction="average")
    with pytest.raises(TypeError, match="y_pred"):
        akk.IoULoss()(np.zeros(3))
