"""Scores and losses of embeddings: distances from classes and neighbours, contrastive losses, discrepancies."""

from __future__ import annotations

import itertools
import re
from functools import partial

import numpy as np
import pytest
import scipy.spatial.distance
from mpmath import mp
from reference import (
    DIFFERENTIATING,
    Case,
    differing,
    draw,
    exact,
    exp,
    gradient,
    gradients_agree,
    log,
    reduced,
    rounded,
    sqrt,
    table,
    values_agree,
)

import anomaly_kernels as ak

Z, BANK = draw(0, 5, 3), draw(1, 9, 3)
LABEL = np.asarray([7, 7, -1, 7, 3, 3])
ROWS = draw(2, 6, 3)
TRIPLETS = {"anchor": draw(3, 4, 3), "positive": draw(4, 4, 3), "negative": draw(5, 4, 3)}
CHOL = np.tril(draw(6, 3, 3)) + 3 * np.eye(3)
MEANS = draw(7, 2, 3)


def distance(x, y):
    return sqrt(sum((a - b) ** 2 for a, b in zip(x, y, strict=True)))


def neighbours(embeddings, reference, k=1, aggregate="kth"):
    rows = [sorted(distance(z, r) for r in reference)[:k] for z in embeddings.reshape(-1, embeddings.shape[-1])]
    each = [row[-1] if aggregate == "kth" else sum(row) / k for row in rows]
    return np.asarray(each).reshape(embeddings.shape[:-1])


def mahalanobis(embeddings, mean, chol):
    """By forward substitution."""

    def of(difference):
        white = []
        for i in range(len(difference)):
            white.append((difference[i] - sum(chol[i, j] * white[j] for j in range(i))) / chol[i, i])
        return sum(w * w for w in white)

    means = mean.reshape(-1, mean.shape[-1])
    return np.asarray([min(of(z - m) for m in means) for z in embeddings])


def contrastive(label, embeddings, temperature=0.1, weight=1, reduction="mean"):
    n, t = len(label), mp.mpf(temperature)
    unit = [z / sqrt(sum(z * z)) for z in embeddings]
    losses = []
    for i in range(n):
        s = {j: sum(unit[i] * unit[j]) / t for j in range(n) if j != i}
        positives = [s[j] for j in s if label[j] == label[i]]
        if positives:
            losses.append(log(sum(exp(x) for x in s.values())) - sum(positives) / len(positives))
        else:
            losses.append(None)
    if reduction == "none":
        return np.asarray([weight * (x or mp.mpf(0)) for x in losses])
    known = [x for x in losses if x is not None]
    return weight * sum(known) / (len(known) if reduction == "mean" else 1)


def triplets(anchor, positive, negative, margin=1, squared=False, weight=1, reduction="mean"):
    power = 2 if squared else 1
    rows = zip(*(x.reshape(-1, x.shape[-1]) for x in (anchor, positive, negative)), strict=True)
    losses = [weight * max(0, distance(a, p) ** power - distance(a, n) ** power + margin) for a, p, n in rows]
    return reduced(np.asarray(losses).reshape(anchor.shape[:-1]), reduction)


def discrepancy(embeddings, reference, kernel="rbf", bandwidths=(1.0,), unbiased=False, weight=1):
    d = embeddings.shape[-1]

    def k(x, y):
        square, widths = sum((x - y) ** 2), [mp.mpf(b) for b in bandwidths]
        if kernel == "rbf":
            return sum(mp.exp(-square / (2 * b * b)) for b in widths)
        return sum(2 * d * b * b / (2 * d * b * b + square) for b in widths)

    def within(rows):
        pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows)) if i != j or not unbiased]
        return sum(k(rows[i], rows[j]) for i, j in pairs) / len(pairs)

    across = sum(k(x, y) for x in embeddings for y in reference) / (len(embeddings) * len(reference))
    return weight * (within(embeddings) + within(reference) - 2 * across)


PAIR = {"embeddings": Z, "reference": BANK}
CASES = (
    table(ak.knn_score, neighbours, PAIR, {}, {"k": 4}, {"k": 9}, {"k": 3, "aggregate": "mean"})
    | {
        "knn_score-patches": Case(
            ak.knn_score, neighbours, {"embeddings": draw(8, 2, 3, 3), "reference": BANK}, {"k": 2}
        )
    }
    | {
        f"mahalanobis_score-{name}": Case(
            ak.mahalanobis_score, mahalanobis, {"embeddings": Z, "mean": m, "chol": CHOL}, {}
        )
        for name, m in {"two classes": MEANS, "one": MEANS[0]}.items()
    }
    | table(
        ak.supcon_loss,
        contrastive,
        {"label": LABEL, "embeddings": ROWS},
        {"temperature": 0.5},
        {"temperature": 0.25, "reduction": "sum", "weight": 2},
        {"temperature": 2, "reduction": "none", "weight": -0.5},
    )
    | table(
        ak.triplet_margin_loss,
        triplets,
        TRIPLETS,
        {},
        {"margin": 0.25, "reduction": "sum", "weight": 3},
        {"squared": True, "margin": 2},
        {"squared": True, "reduction": "none"},
    )
    | {
        f"triplet_margin_loss-patches, {squared=}": Case(
            ak.triplet_margin_loss,
            triplets,
            {name: draw(12 + k, 2, 5, 3) for k, name in enumerate(TRIPLETS)} | {"margin": np.asarray(0.75)},
            {"squared": squared},
        )
        for squared in (False, True)
    }
    | table(
        ak.mmd_loss,
        discrepancy,
        PAIR,
        {},
        {"bandwidths": (0.5, 1.0, 4.0), "weight": -2},
        {"unbiased": True},
        {"kernel": "imq", "bandwidths": (0.5, 2.0)},
        {"kernel": "imq", "unbiased": True},
    )
)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_is_that_of_the_formula(case, driver):
    values_agree(driver, case)


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("case", differing(CASES).values(), ids=differing(CASES))
def test_gradient_is_that_of_the_formula(case, driver):
    gradients_agree(driver, case)


# ---- Mahalanobis


CLASSES = np.asarray([2, 0, 2, 2, 0, 2, 0, 2])
SAMPLES = draw(9, 8, 3)


def fitted(embeddings, label, n_classes, shrinkage=0.0, eps=1e-6):
    """Means and covariance in plain loops."""
    known = [k for k in range(n_classes) if k in label]
    means = {k: sum(z for z, y in zip(embeddings, label, strict=True) if y == k) / np.sum(label == k) for k in known}
    deviations = [z - means[y] for z, y in zip(embeddings, label, strict=True)]
    within = sum(np.outer(x, x) for x in deviations) / len(deviations)
    d = len(within)
    cov = (1 - shrinkage) * within + (shrinkage * np.trace(within) / d + eps) * np.eye(d)
    return np.stack([means.get(k, means[known[0]]) for k in range(n_classes)]), cov


@pytest.mark.parametrize("settings", [{}, {"shrinkage": 0.25, "eps": 0.01}, {"shrinkage": 1.0, "eps": 0.0}], ids=str)
@pytest.mark.parametrize("n_classes", [3, 5])
def test_classes_have_means_and_share_a_covariance(n_classes, settings, driver):
    means, cov = fitted(SAMPLES, CLASSES, n_classes, **settings)
    for dtype, rtol in (("float64", 1e-12), ("float32", 1e-5)):
        params = ak.mahalanobis_fit(
            driver.array(SAMPLES, dtype), driver.array(CLASSES), n_classes=n_classes, **settings
        )
        found = ak.MahalanobisParams(*map(driver.numpy, params))
        np.testing.assert_allclose(found.mean, means, rtol=rtol, atol=rtol)
        np.testing.assert_allclose(found.cov, cov, rtol=rtol, atol=rtol)
        np.testing.assert_allclose(found.chol @ found.chol.T, cov, rtol=rtol, atol=rtol)
        assert not np.triu(found.chol, 1).any()


@pytest.mark.parametrize("wrong", [3, -1, 0.5])
def test_a_label_of_no_class_is_refused_or_makes_the_covariance_unknown(wrong, driver):
    label = np.where(CLASSES == 0, wrong, CLASSES).astype(float)

    def fit(arrays):
        return ak.mahalanobis_fit(arrays["z"], arrays["y"], n_classes=3).cov

    arrays = {"z": driver.array(SAMPLES), "y": driver.array(label)}
    if driver.name != "dask":  # whose numbers are not looked at, and which has the factor in the same graph
        with pytest.raises(ValueError, match=rf"^`label` must be .*, got {wrong}"):
            fit(arrays)
    if driver.name in ("jax", "tensorflow"):
        assert np.isnan(driver.numpy(driver.jit(fit)(arrays))).all()


def test_labels_of_several_classes_ask_for_their_number():
    with pytest.raises(ValueError, match="^`label` must be a class below 1, got 2$"):
        ak.mahalanobis_fit(SAMPLES, CLASSES)


def test_without_labels_all_are_of_one_class(driver):
    found = ak.mahalanobis_fit(driver.array(SAMPLES))
    mean, cov = fitted(SAMPLES, np.zeros(8, int), 1)
    np.testing.assert_allclose(driver.numpy(found.mean), mean, rtol=1e-12)
    np.testing.assert_allclose(driver.numpy(found.cov), cov, rtol=1e-12)


def test_scores_are_the_squared_distances_of_scipy_and_scikit_learn():
    from sklearn.covariance import EmpiricalCovariance

    rng = np.random.default_rng(0)
    z, new = rng.normal(size=(500, 6)) @ rng.normal(size=(6, 6)) + 3.0, rng.normal(size=(40, 6))
    params = ak.mahalanobis_fit(z, eps=0.0)
    found = ak.mahalanobis_score(new, params.mean, params.chol)
    np.testing.assert_allclose(found, EmpiricalCovariance().fit(z).mahalanobis(new), rtol=1e-9)
    inverse = np.linalg.inv(params.cov)
    np.testing.assert_allclose(
        found, [scipy.spatial.distance.mahalanobis(x, params.mean[0], inverse) ** 2 for x in new], rtol=1e-9
    )
    assert float(np.mean(ak.mahalanobis_score(z, params.mean, params.chol))) == pytest.approx(6.0, rel=1e-9)


def test_what_stands_above_the_diagonal_of_the_factor_is_not_read(driver):
    scores = [
        driver.numpy(ak.mahalanobis_score(*map(driver.array, (Z, MEANS, chol))))
        for chol in (CHOL, CHOL + np.triu(CHOL.T, 1))
    ]
    np.testing.assert_array_equal(*scores)


@pytest.mark.library("numpy", "torch")
def test_many_samples_are_fitted_in_blocks(driver):
    rng = np.random.default_rng(0)
    z, y = (1000.0 + rng.normal(size=(2**17, 8))).astype(np.float32), rng.integers(0, 3, 2**17)
    found = ak.mahalanobis_fit(driver.array(z, "float32"), driver.array(y), n_classes=3)
    means = np.stack([z[y == k].astype(float).mean(0) for k in range(3)])
    deviation = z.astype(float) - means[y]
    np.testing.assert_allclose(driver.numpy(found.mean), means, rtol=1e-6)
    np.testing.assert_allclose(driver.numpy(found.cov), deviation.T @ deviation / len(z), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("cuts", [[], [3], [1, 2, 6]], ids=str)
def test_parts_of_the_samples_merge_to_the_means_and_covariance_of_all(cuts, driver):
    from anomaly_kernels import streaming

    z, y = driver.array(SAMPLES), driver.array(CLASSES)
    state = streaming.ClassMoments.empty(z, n_classes=4)
    ends = [0, *cuts, 8]
    for start, end in itertools.pairwise(ends):
        state = streaming.update(state, z[start:end, ...], y[start:end])
    found = streaming.compute(state, shrinkage=0.25, eps=0.01)
    expected = ak.mahalanobis_fit(z, y, n_classes=4, shrinkage=0.25, eps=0.01)
    for name, have, want in zip(found._fields, found, expected, strict=True):
        np.testing.assert_allclose(driver.numpy(have), driver.numpy(want), rtol=1e-12, atol=1e-12, err_msg=name)
    parts = [streaming.ClassMoments.empty(z).of(z[part, ...]) for part in (slice(0, 5), slice(5, 8))]
    merged = streaming.merge(*parts[::-1])
    np.testing.assert_allclose(
        driver.numpy(merged.compute().cov), driver.numpy(ak.mahalanobis_fit(z).cov), rtol=1e-12, atol=1e-12
    )


def test_moments_of_other_classes_or_dimensions_do_not_merge():
    from anomaly_kernels import streaming

    state = streaming.ClassMoments.empty(SAMPLES, n_classes=2)
    for other in (streaming.ClassMoments.empty(SAMPLES), streaming.ClassMoments.empty(SAMPLES[:, :2], n_classes=2)):
        with pytest.raises(ValueError, match="^states of as many classes and dimensions can be merged"):
            state.merge(other)


# ---- nearest neighbours


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_distances_are_those_of_scikit_learn_far_from_the_origin_too(offset):
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(0)
    bank = (offset + 0.1 * rng.normal(size=(700, 32))).astype(np.float32)
    z = np.concatenate([bank[:30] + np.float32(1e-3), (offset + 0.1 * rng.normal(size=(600, 32))).astype(np.float32)])
    expected, _ = NearestNeighbors(n_neighbors=7, algorithm="brute").fit(bank.astype(float)).kneighbors(z.astype(float))
    np.testing.assert_allclose(ak.knn_score(z, bank, k=7), expected[:, -1], rtol=1e-6)
    np.testing.assert_allclose(ak.knn_score(z, bank, k=7, aggregate="mean"), expected.mean(1), rtol=1e-6)


def test_distances_within_clusters_that_are_far_apart_have_their_digits(driver):
    rng = np.random.default_rng(1)
    centers = np.repeat(1e3 * rng.normal(size=(3, 4)), 40, axis=0)
    bank, z = ((centers + 1e-2 * rng.normal(size=(120, 4))).astype(np.float32) for _ in range(2))
    found = driver.numpy(ak.knn_score(driver.array(z, "float32"), driver.array(bank, "float32")))
    expected = scipy.spatial.distance.cdist(z.astype(float), bank.astype(float)).min(1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.library("numpy", *DIFFERENTIATING)
def test_the_gradient_on_a_reference_is_zero(driver):
    slopes = gradient(driver, ak.knn_score, embeddings=BANK[:2], reference=BANK)
    assert all(not x.any() for x in slopes.values())


def test_of_its_own_reference_one_asks_for_one_neighbour_more(driver):
    found = driver.numpy(ak.knn_score(driver.array(BANK), driver.array(BANK), k=2))
    others = scipy.spatial.distance.cdist(BANK, BANK) + np.diag(np.full(9, np.inf))
    np.testing.assert_allclose(found, others.min(1), rtol=1e-13)
    assert not driver.numpy(ak.knn_score(driver.array(BANK), driver.array(BANK))).any()


def test_nan_in_a_row_is_in_its_score_and_in_the_reference_in_all(driver):
    z, bank = Z.copy(), BANK.copy()
    z[1, 2] = bank[4, 0] = np.nan
    found = driver.numpy(ak.knn_score(driver.array(z), driver.array(BANK), k=2))
    assert np.isnan(found).tolist() == [False, True, False, False, False]
    assert np.isnan(driver.numpy(ak.knn_score(driver.array(Z), driver.array(bank), k=2))).all()


def test_one_embedding_has_one_score(driver):
    found = driver.numpy(ak.knn_score(driver.array(Z[0]), driver.array(BANK), k=2))
    assert found.shape == ()
    np.testing.assert_allclose(found, rounded(neighbours(Z[:1], BANK, k=2))[0], rtol=1e-13)


@pytest.mark.library("torch")
def test_with_gradients_neighbours_are_found_in_blocks_too(driver, monkeypatch):
    from anomaly_kernels.losses import distances

    sizes, nearest = [], distances._nearest

    def spy(*arguments):
        sizes.append(arguments[3].shape[0])
        return nearest(*arguments)

    monkeypatch.setattr(distances, "_nearest", spy)
    z, bank = driver.module.randn(2000, 4, requires_grad=True), driver.module.randn(2500, 4)
    ak.knn_score(z, bank).sum().backward()
    assert max(sizes) < 2000 == sum(sizes)
    slopes = driver.module.linalg.vector_norm(z.grad, dim=1)
    np.testing.assert_allclose(driver.numpy(slopes), 1.0, rtol=1e-5)


# ---- contrastive losses


def supcon(driver, label, embeddings, dtype="float64", **settings):
    return driver.numpy(ak.supcon_loss(driver.array(np.asarray(label)), driver.array(embeddings, dtype), **settings))


def test_two_views_of_samples_without_labels_are_nt_xent(driver):
    views = np.concatenate([draw(10, 4, 3), draw(11, 4, 3)])
    unit = views / np.linalg.norm(views, axis=1, keepdims=True)
    s = unit @ unit.T / 0.2
    np.fill_diagonal(s, -np.inf)
    other_view = [s[i, (i + 4) % 8] for i in range(8)]
    expected = np.mean(np.log(np.exp(s).sum(1)) - other_view)
    np.testing.assert_allclose(supcon(driver, [0, 1, 2, 3] * 2, views, temperature=0.2), expected, rtol=1e-12)


def test_one_class_alone_has_the_others_as_its_denominator(driver):
    assert supcon(driver, np.zeros(6, int), np.ones((6, 3))) == pytest.approx(np.log(5), rel=1e-12)


def test_without_any_positive_the_loss_is_zero(driver):
    for reduction in ("mean", "sum", "none"):
        assert not supcon(driver, np.arange(6), ROWS, reduction=reduction).any()


def test_an_unknown_label_makes_the_loss_unknown(driver):
    label = np.asarray([np.nan, 0.0, 1.0, 0.0, np.nan, 1.0])
    assert np.isnan(supcon(driver, label, ROWS))
    assert np.isnan(supcon(driver, label, ROWS, reduction="none")).tolist() == [True, False, False, False, True, False]


@pytest.mark.parametrize(
    "label",
    [np.asarray([0, 1, 1, 0, 0, 1], bool), 2**40 + np.asarray([0, 1, 1, 0, 0, 1]), np.asarray([2.0, 7, 7, 2, 2, 7])],
    ids=str,
)
def test_labels_may_be_any_numbers(label, driver):
    if driver.name == "jax" and label.dtype == np.int64 and driver.array(label).dtype != label.dtype:
        pytest.skip("JAX has no such integers where 64 bits are not enabled")
    expected = supcon(driver, [0, 1, 1, 0, 0, 1], ROWS)
    np.testing.assert_array_equal(supcon(driver, label, ROWS), expected)
    np.testing.assert_allclose(supcon(driver, label, ROWS, "float32"), expected, rtol=1e-5)


def test_a_small_temperature_does_not_leave_float32(driver):
    found = supcon(driver, LABEL, ROWS, "float32", temperature=1e-3)
    expected = float(contrastive(LABEL, exact(ROWS), temperature=1e-3))
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.library("numpy", "torch")
def test_a_row_that_is_far_from_all_others_has_a_gradient_at_a_small_temperature(driver):
    rows, label = np.asarray([[1.0, 0.1], [1.0, -0.1], [-1.0, 0.2]]), np.asarray([0, 1, 0])

    def loss(embeddings, temperature, weight=1):
        return contrastive(label, embeddings, temperature, weight)

    case = Case(partial(ak.supcon_loss, driver.array(label)), loss, {"embeddings": rows}, {"temperature": 1e-3})
    values_agree(driver, case)
    gradients_agree(driver, case)


@pytest.mark.library("numpy", *DIFFERENTIATING)
def test_a_row_of_zeros_stays_there_with_gradient_zero(driver):
    rows = ROWS.copy()
    rows[1] = 0.0
    label = driver.array(LABEL)
    slope = gradient(driver, lambda embeddings: ak.supcon_loss(label, embeddings), embeddings=rows)["embeddings"]
    assert np.isfinite(slope).all()
    assert not slope[1].any()
    assert slope[0].any()


@pytest.mark.library("torch")
def test_triplets_are_those_of_torch_but_for_what_it_adds(driver):
    a, p, n = (driver.array(x, "float64") for x in TRIPLETS.values())
    torchs = driver.module.nn.functional.triplet_margin_loss
    for margin in (0.5, 3.0):
        ours = ak.triplet_margin_loss(a, p, n, margin=margin)
        np.testing.assert_allclose(
            driver.numpy(ours), driver.numpy(torchs(a, p, n, margin=margin, eps=0.0)), rtol=1e-13
        )


@pytest.mark.library("numpy", *DIFFERENTIATING)
@pytest.mark.parametrize("squared", [False, True])
def test_the_gradient_of_equal_triplets_is_zero(squared, driver):
    same = dict.fromkeys(TRIPLETS, Z)
    slopes = gradient(driver, lambda **arrays: ak.triplet_margin_loss(**arrays, squared=squared), **same)
    assert all(not x.any() for x in slopes.values())
    assert driver.numpy(ak.triplet_margin_loss(*map(driver.array, same.values()), margin=0.25)) == 0.25


# ---- discrepancy


def test_equal_samples_have_no_discrepancy(driver):
    for x in (Z, np.ones((4, 3)), Z + 1e3):
        for dtype, atol in (("float64", 1e-12), ("float32", 4e-7)):
            found = driver.numpy(ak.mmd_loss(driver.array(x, dtype), driver.array(x, dtype), bandwidths=(0.5, 1.0)))
            np.testing.assert_allclose(found, 0.0, atol=atol)


def test_the_unbiased_estimate_is_zero_on_average_and_the_other_above():
    rng = np.random.default_rng(0)
    draws = [rng.normal(size=(2, 20, 3)) for _ in range(200)]
    unbiased = [float(ak.mmd_loss(x, y, unbiased=True)) for x, y in draws]
    assert abs(np.mean(unbiased)) < 3 * np.std(unbiased) / 200**0.5
    assert min(float(ak.mmd_loss(x, y)) for x, y in draws) > 0


def test_far_from_the_origin_a_discrepancy_keeps_its_digits():
    far = np.asarray([1024.0, -2048.0, 512.0])
    for settings in ({}, {"kernel": "imq", "bandwidths": np.asarray([0.5, 2.0])}):
        found = ak.mmd_loss(Z + far, BANK + far, **settings)
        assert found == pytest.approx(float(ak.mmd_loss(Z, BANK, **settings)), rel=1e-12)


@pytest.mark.library("numpy", "array_api_strict", "torch")
def test_bandwidths_are_numbers_above_0(driver):
    pair = driver.array(Z), driver.array(BANK)
    found, expected = (ak.mmd_loss(*pair, bandwidths=x) for x in (np.asarray([0.5, 2.0], np.float32), [0.5, 2]))
    assert driver.numpy(found) == driver.numpy(expected)
    for wrong in ([], [1.0, 0.0]):
        message = f"`bandwidths` must be numbers > 0, at least one, got {wrong}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            ak.mmd_loss(*pair, bandwidths=wrong)


def test_the_discrepancy_is_symmetric(driver):
    x, y = driver.array(Z), driver.array(BANK)
    found = [driver.numpy(ak.mmd_loss(*pair, kernel="imq")) for pair in ((x, y), (y, x))]
    np.testing.assert_allclose(*found, rtol=1e-12)


@pytest.mark.library("jax")
def test_jax_finds_neighbours_of_so_many_rows_at_a_time(driver):
    rng = np.random.default_rng(0)
    z, bank = rng.normal(size=(150, 4)), rng.normal(size=(5000, 4))
    knn = driver.jit(lambda arrays: ak.knn_score(arrays["z"], arrays["bank"], k=3))
    arrays = {"z": driver.array(z), "bank": driver.array(bank)}
    expected = np.sort(scipy.spatial.distance.cdist(z, bank), axis=1)[:, 2]
    np.testing.assert_allclose(driver.numpy(knn(arrays)), expected, rtol=1e-12)
    slopes = driver.value_and_grad(lambda a: driver.sum(knn(a)), arrays, ["z"])[1]["z"]
    np.testing.assert_allclose(np.linalg.norm(driver.numpy(slopes), axis=1), 1.0, rtol=1e-12)


@pytest.mark.library("numpy", "torch")
def test_large_batches_are_cut_into_blocks_and_give_the_same(driver):
    rng = np.random.default_rng(0)
    x, y, label = rng.normal(size=(2100, 4)), 0.5 + rng.normal(size=(2200, 4)), rng.integers(0, 700, 2100)
    square = [scipy.spatial.distance.cdist(*pair, "sqeuclidean") for pair in ((x, x), (y, y), (x, y))]
    means = [np.exp(-each / 2).mean() for each in square]
    arrays = driver.array(x), driver.array(y)
    np.testing.assert_allclose(driver.numpy(ak.mmd_loss(*arrays)), means[0] + means[1] - 2 * means[2], rtol=1e-10)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    s = unit @ unit.T / 0.1
    np.fill_diagonal(s, -np.inf)
    positive = (label[:, None] == label) & ~np.eye(2100, dtype=bool)
    known = positive.any(1)
    near = np.where(positive, s, 0.0).sum(1)[known] / positive.sum(1)[known]
    top = s.max(1, keepdims=True)
    expected = np.mean((np.log(np.exp(s - top).sum(1)) + top[:, 0])[known] - near)
    np.testing.assert_allclose(supcon(driver, label, x), expected, rtol=1e-12)
    np.testing.assert_allclose(
        driver.numpy(ak.knn_score(*arrays, k=3)), np.sqrt(np.sort(square[2], axis=1)[:, 2]), rtol=1e-7
    )
