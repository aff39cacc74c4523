"""Gaussian mixtures: parameters, energies, and the losses of the autoencoders built on them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
import sklearn.mixture
from mpmath import mp
from reference import (
    ACCURACY,
    DIFFERENTIATING,
    Case,
    draw,
    exact,
    gradient,
    gradients_agree,
    log,
    reduced,
    rounded,
    shares,
    table,
    values_agree,
)

import anomaly_kernels as ak

Z, GAMMA = draw(0, 7, 2), shares(1, 7, 3)
X, Y = draw(2, 7, 2, 2), draw(3, 7, 2, 2)
LATENT = {"z": Z, "gamma": GAMMA}
ALL = {"x_true": X, "x_pred": Y} | LATENT
EMPTY = np.concatenate([GAMMA[:, :2], np.zeros((7, 1))], axis=1)
FIELDS = ak.GMMParams._fields


def mixture(z, gamma, eps=1e-6):
    n, d = z.shape
    found = []
    for g in gamma.T:
        total = sum(g)
        mu = sum(g[i] * z[i] for i in range(n)) / total if total else 0 * z[0]
        cov = sum(g[i] * np.outer(z[i] - mu, z[i] - mu) for i in range(n)) / (total or 1)
        cov = cov + eps * np.asarray(mp.eye(d).tolist()).reshape(d, d)
        chol = mp.cholesky(mp.matrix(cov.tolist()))
        found.append((total / n, mu, cov, np.asarray(chol.tolist()).reshape(d, d), mp.log(mp.det(cov.tolist()))))
    return ak.GMMParams(
        *(np.asarray([list(x) if np.ndim(x) else x for x in each]) for each in zip(*found, strict=True))
    )


def energy(z, phi, mu, cov, chol=None, log_det_cov=None, reduction="mean"):
    densities = np.zeros(len(z), object)
    for weight, center, matrix in zip(phi, mu, cov, strict=True):
        m = mp.matrix(matrix.tolist())
        inverse, scale = m**-1, mp.sqrt(mp.det(2 * mp.pi * m))
        for i, row in enumerate(z):
            r = mp.matrix((row - center).tolist())
            densities[i] += weight * mp.exp(-(r.T * inverse * r)[0] / 2) / scale
    return reduced(-log(densities), reduction)


def kernel_of_fields(z, phi, mu, cov, chol, log_det_cov, **settings):
    return ak.gmm_energy(z, ak.GMMParams(phi, mu, cov, chol, log_det_cov), **settings)


def terms(z, gamma, w_energy, w_cov_diag, eps):
    used = [k for k in range(gamma.shape[1]) if any(gamma[:, k])]
    phi, mu, cov, _, _ = mixture(z, gamma[:, used], eps)
    return w_energy * energy(z, phi, mu, cov) + w_cov_diag * sum(1 / c[d, d] for c in cov for d in range(len(c)))


def dagmm(x_true, x_pred, z, gamma, w_energy=0.1, w_cov_diag=0.005, eps=1e-6):
    return reduced((x_true - x_pred) ** 2) + terms(z, gamma, w_energy, w_cov_diag, eps)


def vaegmm(
    x_true,
    x_pred,
    z,
    gamma,
    w_recon=1e-7,
    w_energy=0.1,
    w_cov_diag=0.005,
    cov_full=None,
    cov_diag=None,
    scale_diag=None,
    sim=0.05,
    eps=1e-6,
):
    residual = (x_true - x_pred).reshape(len(x_true), -1)
    full = np.diag([sim**2] * residual.shape[1]) if cov_full is None else cov_full
    full = np.diag(cov_diag) if cov_diag is not None else full
    full = np.diag(scale_diag**2) if scale_diag is not None else full
    one = np.asarray([mp.mpf(1)])
    return w_recon * energy(residual, one, 0 * residual[:1], full[None]) + terms(z, gamma, w_energy, w_cov_diag, eps)


def total_of_params(z, gamma, **settings):
    """A number that depends on every entry of every field."""
    fields, xp = ak.gmm_params(z, gamma, **settings), ak.array_namespace(z)
    return sum(xp.sum((1.0 + k) * field * field) for k, field in enumerate(fields))


def reference_total(z, gamma, **settings):
    return sum(((1 + k) * field * field).sum() for k, field in enumerate(mixture(z, gamma, **settings)))


PARAMS = {name: rounded(x) for name, x in mixture(exact(Z), exact(GAMMA))._asdict().items()}
POSITIVE = draw(4, 4, low=0.3, high=3.0)
COVARIANCES = {"cov_full": np.diag(POSITIVE) + 0.25, "cov_diag": POSITIVE, "scale_diag": POSITIVE}
ENERGIES = table(
    kernel_of_fields, energy, {"z": draw(5, 5, 2)} | PARAMS, {}, {"reduction": "sum"}, {"reduction": "none"}
)
LOSSES = (
    table(ak.covariance_penalty, lambda cov: sum(1 / cov[k, d, d] for k, d in np.ndindex(3, 2)), {"cov": PARAMS["cov"]})
    | table(ak.aegmm_loss, dagmm, ALL, {}, {"w_energy": 2, "w_cov_diag": 0.3, "eps": 0.1}, {"w_energy": 0, "eps": 0})
    | {"aegmm_loss-empty component": Case(ak.aegmm_loss, dagmm, ALL | {"gamma": EMPTY}, {"w_cov_diag": 1.0})}
    | table(
        ak.vaegmm_loss,
        vaegmm,
        ALL,
        {},
        {"w_recon": 1.0},
        {"w_recon": 0.5, "sim": 2, "w_energy": 2, "w_cov_diag": 0.3, "eps": 0.1},
    )
    | {"vaegmm_loss-empty component": Case(ak.vaegmm_loss, vaegmm, ALL | {"gamma": EMPTY}, {"w_cov_diag": 1.0})}
    | {
        f"vaegmm_loss-{name}": Case(ak.vaegmm_loss, vaegmm, ALL | {name: x}, {"w_recon": 1})
        for name, x in COVARIANCES.items()
    }
)
# A membership of 0 is at the end of its range: there is no slope to compare on its other side.
GRADIENTS = {name: case for name, case in LOSSES.items() if "empty" not in name} | table(
    total_of_params, reference_total, LATENT, {"eps": 0.1}
)


@pytest.mark.parametrize("case", (LOSSES | ENERGIES).values(), ids=LOSSES | ENERGIES)
def test_value_is_that_of_the_formula(case, driver):
    values_agree(driver, case)


@pytest.mark.library(*DIFFERENTIATING)
@pytest.mark.parametrize("case", GRADIENTS.values(), ids=GRADIENTS)
def test_gradient_is_that_of_the_formula(case, driver):
    gradients_agree(driver, case)


@pytest.mark.library(*DIFFERENTIATING)
def test_gradient_of_the_energy_in_samples_weights_and_means_is_that_of_the_formula(driver):
    fixed = {name: PARAMS[name] for name in ("cov", "chol", "log_det_cov")}

    def kernel(z, phi, mu):
        return kernel_of_fields(z, phi, mu, **{name: driver.array(x) for name, x in fixed.items()})

    def reference(z, phi, mu):
        return energy(z, phi, mu, exact(fixed["cov"]))

    gradients_agree(driver, Case(kernel, reference, {"z": Z, "phi": PARAMS["phi"], "mu": PARAMS["mu"]}, {}))


@pytest.mark.parametrize("eps", [1e-6, 0.1, 0])
@pytest.mark.parametrize("dtype", ACCURACY)
def test_parameters_are_those_of_the_formula(eps, dtype, driver):
    found = ak.gmm_params(driver.array(Z, dtype), driver.array(GAMMA, dtype), eps=eps)
    expected = mixture(exact(Z), exact(GAMMA), eps)
    for name in FIELDS:
        have, want = driver.numpy(getattr(found, name)), rounded(getattr(expected, name))
        assert (have.dtype, have.shape) == (dtype, want.shape), name
        np.testing.assert_allclose(have, want, atol=4 * ACCURACY[dtype] * np.abs(want).max(), err_msg=name)


def test_parameters_and_energies_are_those_of_scikit_learn(driver):
    phi, mu, cov, chol, log_det = (driver.numpy(x) for x in ak.gmm_params(driver.array(Z), driver.array(GAMMA)))
    peer = sklearn.mixture.GaussianMixture(3)
    peer.weights_, peer.means_, peer.covariances_ = phi, mu, cov
    peer.precisions_cholesky_ = np.linalg.inv(chol).swapaxes(1, 2)
    params = ak.GMMParams(*map(driver.array, (phi, mu, cov, chol, log_det)))
    found = driver.numpy(ak.gmm_energy(driver.array(Z), params, reduction="none"))
    np.testing.assert_allclose(found, -peer.score_samples(Z), rtol=1e-12)


def test_a_mixture_may_be_made_of_weights_means_and_covariances(driver):
    fields = [driver.array(x) for x in ak.gmm_params(Z, GAMMA)]
    for found, expected in zip(ak.GMMParams.from_covariance(*fields[:3]), fields, strict=True):
        np.testing.assert_allclose(driver.numpy(found), driver.numpy(expected), rtol=1e-12)


@pytest.mark.parametrize("kind", ["full", "diag", "spherical", "tied"])
def test_mixtures_of_scikit_learn_have_its_likelihood(kind):
    fitted = sklearn.mixture.GaussianMixture(2, covariance_type=kind, random_state=0).fit(draw(3, 30, 2))
    cov = fitted.covariances_
    full = {
        "full": lambda: cov,
        "diag": lambda: cov[:, :, None] * np.eye(2),
        "spherical": lambda: cov[:, None, None] * np.eye(2),
        "tied": lambda: np.tile(cov, (2, 1, 1)),
    }[kind]()
    params = ak.GMMParams.from_covariance(fitted.weights_, fitted.means_, full)
    np.testing.assert_allclose(ak.gmm_energy(Z, params, reduction="none"), -fitted.score_samples(Z), rtol=1e-10)


@pytest.mark.library(*DIFFERENTIATING)
def test_gradients_reach_the_covariances_of_a_mixture(driver):
    def loss(cov):
        phi, mu, z = (driver.array(x) for x in (np.ones(1), np.zeros((1, 2)), Z))
        return ak.gmm_energy(z, ak.GMMParams.from_covariance(phi, mu, cov))

    matrix = np.asarray([[2.0, 0.5], [0.5, 1.0]])
    found, inverse = gradient(driver, loss, cov=matrix[None])["cov"][0], np.linalg.inv(matrix)
    expected = 0.5 * (inverse - inverse @ (Z.T @ Z / len(Z)) @ inverse)
    np.testing.assert_allclose(found + found.T, 2 * expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (((3, 1), (3, 2), (3, 2, 2)), r"`phi` must have shape \(K,\), got \(3, 1\)"),
        (
            ((3,), (2, 2), (3, 2, 2)),
            r"`mu` must have shape \(K, D\) with the K of `phi`, expected \(3, 2\), got \(2, 2\)",
        ),
        (((3,), (3, 2), (3, 2)), r"`cov` must have shape .*, expected \(3, 2, 2\), got \(3, 2\)"),
    ],
)
def test_shapes_of_a_mixture_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        ak.GMMParams.from_covariance(*map(np.ones, fields))


def test_factors_multiply_to_the_covariance_and_are_lower_triangular(driver):
    params = ak.gmm_params(driver.array(Z * 1e3), driver.array(GAMMA), eps=0.5)
    cov, chol, log_det = (driver.numpy(x) for x in params[2:])
    np.testing.assert_allclose(chol @ chol.swapaxes(1, 2), cov, rtol=1e-12)
    np.testing.assert_array_equal(chol, np.tril(chol))
    np.testing.assert_allclose(log_det, np.linalg.slogdet(cov)[1], rtol=1e-12)


@pytest.mark.parametrize("eps", [1e-6, 0.5])
def test_a_component_without_weight_is_at_the_origin_and_takes_no_part(eps, driver):
    z = driver.array(Z)
    params = ak.gmm_params(z, driver.array(EMPTY), eps=eps)
    phi, mu, cov, chol, log_det = (driver.numpy(x)[2] for x in params)
    assert phi == 0
    np.testing.assert_array_equal(mu, [0.0, 0.0])
    np.testing.assert_allclose(cov, eps * np.eye(2), rtol=1e-15)
    np.testing.assert_allclose(chol, math.sqrt(eps) * np.eye(2), rtol=1e-15)
    assert log_det == pytest.approx(2 * math.log(eps), rel=1e-14)
    others = ak.gmm_params(z, driver.array(GAMMA[:, :2].copy()), eps=eps)
    found = driver.numpy(ak.gmm_energy(z, params, reduction="none"))
    np.testing.assert_allclose(found, driver.numpy(ak.gmm_energy(z, others, reduction="none")), rtol=1e-14)


def test_a_singular_covariance_without_eps_is_an_error_not_nan():
    constant_feature = np.asarray([[0.0, 1.0], [2.0, 1.0], [1.0, 1.0]])
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        ak.gmm_params(constant_feature, np.ones((3, 1)), eps=0)


@pytest.mark.library(*DIFFERENTIATING)
def test_gradients_are_finite_beside_a_component_without_weight(driver):
    def loss(z, gamma):
        return ak.aegmm_loss(z, 2.0 * z, z, gamma, w_cov_diag=1.0)

    found, expected = (gradient(driver, loss, z=Z, gamma=gamma) for gamma in (EMPTY, EMPTY[:, :2].copy()))
    assert np.isfinite(found["gamma"]).all()
    np.testing.assert_allclose(found["z"], expected["z"], rtol=1e-11)
    np.testing.assert_allclose(found["gamma"][:, :2], expected["gamma"], rtol=1e-11)


def test_memberships_are_used_as_given(driver):
    once, thrice = (ak.gmm_params(driver.array(Z), driver.array(GAMMA * n)) for n in (1, 3))
    np.testing.assert_allclose(driver.numpy(thrice.phi), 3 * driver.numpy(once.phi), rtol=1e-15)
    for name in FIELDS[1:]:
        np.testing.assert_allclose(driver.numpy(getattr(thrice, name)), driver.numpy(getattr(once, name)), rtol=1e-12)


@pytest.mark.parametrize("size", [1e-4, 1e4])
def test_parameters_of_small_and_large_latents_keep_their_digits(size, driver):
    z = Z.astype(np.float32) * np.float32(size)
    found = ak.gmm_params(driver.array(z), driver.array(GAMMA, "float32"), eps=0)
    expected = mixture(exact(z), exact(GAMMA), 0)
    for name in FIELDS:
        want = rounded(getattr(expected, name))
        np.testing.assert_allclose(driver.numpy(getattr(found, name)), want, atol=2e-5 * np.abs(want).max())


def test_energy_far_from_all_components_is_finite(driver):
    params = ak.GMMParams(*(driver.array(PARAMS[name]) for name in FIELDS))
    found = driver.numpy(ak.gmm_energy(driver.array(np.asarray([[1e6, -1e6]])), params))
    expected = energy(exact([[1e6, -1e6]]), *(exact(PARAMS[name]) for name in FIELDS[:3]))
    assert found == pytest.approx(float(expected), rel=1e-12)


def test_one_component_is_a_gaussian_of_scipy(driver):
    z = driver.array(Z)
    found = driver.numpy(ak.gmm_energy(z, ak.gmm_params(z, driver.array(np.ones((7, 1))), eps=0), reduction="none"))
    expected = -scipy.stats.multivariate_normal(Z.mean(0), np.cov(Z.T, bias=True)).logpdf(Z)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", COVARIANCES)
def test_a_covariance_may_have_more_precision_than_the_data(name, driver):
    def loss(dtype):
        arrays = {each: driver.array(x, dtype) for each, x in ALL.items()}
        return driver.numpy(ak.vaegmm_loss(**arrays, **{name: driver.array(COVARIANCES[name])}))

    mixed = loss("float32")
    assert mixed.dtype == "float64"
    assert mixed == pytest.approx(loss("float64"), rel=1e-14)


def test_default_spread_of_the_reconstruction_is_a_twentieth(driver):
    arrays = {name: driver.array(x) for name, x in ALL.items()}
    default, explicit, one = (
        driver.numpy(ak.vaegmm_loss(**arrays, w_recon=1.0, **sim)) for sim in ({}, {"sim": 0.05}, {"sim": 1.0})
    )
    assert default == explicit
    assert default != one


def test_weights_of_the_losses_may_be_arrays(driver):
    arrays = {name: driver.array(x) for name, x in ALL.items()}
    numbers = {"w_energy": 0.5, "w_cov_diag": 0.25, "eps": 0.125}
    settings = {name: driver.array(np.asarray(x)) for name, x in numbers.items()}
    for loss, more in ((ak.aegmm_loss, {}), (ak.vaegmm_loss, {"w_recon": driver.array(np.asarray(0.5))})):
        plain = {name: float(driver.numpy(x)) for name, x in more.items()}
        found, expected = loss(**arrays, **settings, **more), loss(**arrays, **numbers, **plain)
        assert driver.numpy(found) == pytest.approx(float(driver.numpy(expected)), rel=1e-13)


@pytest.mark.parametrize("name", ["w_energy", "w_cov_diag", "w_recon"])
def test_weights_must_be_numbers(name):
    with pytest.raises(TypeError, match=f"`{name}` must be a number or a 0-d array, got str"):
        ak.vaegmm_loss(**ALL, **{name: "one"})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ak.gmm_params(Z[0], GAMMA), r"`z` must have shape \(N, D\), got \(2,\)"),
        (lambda: ak.gmm_params(Z, GAMMA[0]), r"`gamma` must have shape \(N, K\), got \(3,\)"),
        (
            lambda: ak.gmm_params(Z, GAMMA[:3]),
            r"`gamma` must have shape \(N, K\) with the N of `z`, expected \(7, 3\), got \(3, 3\)",
        ),
        (lambda: ak.gmm_params(Z[:0], GAMMA[:0]), r"`z` has shape \(0, 2\): there is nothing to average over"),
        (lambda: ak.gmm_params(Z, GAMMA[:, :0]), r"`gamma` has shape \(7, 0\): there is nothing to average over"),
        (lambda: ak.gmm_params(Z, GAMMA, eps=-1e-9), "`eps` must be >= 0, got -1e-09"),
        (lambda: changed(z=Z[0]), r"`z` must have shape \(N, D\), got \(2,\)"),
        (
            lambda: changed(phi=PARAMS["phi"][:2]),
            r"`params.mu` must have shape \(K, D\) with .*, expected \(2, 2\), got \(3, 2\)",
        ),
        (lambda: changed(mu=PARAMS["mu"][:, :1]), r"`params.mu` must have shape .*, expected \(3, 2\), got \(3, 1\)"),
        (
            lambda: changed(chol=PARAMS["mu"]),
            r"`params.chol` must have shape \(K, D, D\) with the K of `params.phi` and the D of `z`, expected",
        ),
        (
            lambda: changed(log_det_cov=PARAMS["mu"]),
            r"`params.log_det_cov` must have shape \(K,\) with the K of `params.phi`, expected \(3,\), got \(3, 2\)",
        ),
        (lambda: changed(z=Z[:0]), r"`z` has shape \(0, 2\): there is nothing to average over"),
        (lambda: changed(phi=np.asarray(1.0)), r"`params.phi` must have shape \(K,\), expected \(\?,\), got \(\)"),
        (lambda: ak.covariance_penalty(Z), r"`cov` must have shape \(\.\.\., D, D\), expected \(7, 7\), got \(7, 2\)"),
        (lambda: ak.covariance_penalty(Z[0]), r"`cov` must have shape \(\.\.\., D, D\), got \(2,\)"),
        (
            lambda: ak.covariance_penalty(np.ones((0, 2, 2))),
            r"`cov` has shape \(0, 2, 2\): there is nothing to average",
        ),
        (lambda: ak.vaegmm_loss(**ALL | {"x_pred": X[:2]}), "`x_true` and `x_pred` must have equal shapes"),
        (lambda: ak.vaegmm_loss(**ALL, sim=0), "`sim` must be > 0, got 0"),
        (lambda: ak.vaegmm_loss(**ALL, sim=1, cov_diag=POSITIVE), "at most one of `cov_full`, .* got cov_diag, sim"),
    ],
    ids=range(19),
)
def test_the_message_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("params", [None, [1, 2, 3, 4, 5], (np.ones(1),) * 4])
def test_parameters_must_be_a_mixture(params):
    with pytest.raises(TypeError, match="`params` must be a GMMParams, got "):
        ak.gmm_energy(Z, params)


def test_parameters_of_another_kind_are_named():
    with pytest.raises(TypeError, match="`params.mu`: list"):
        changed(mu=[[0.0, 0.0]] * 3)


def test_penalty_alone_counts_every_component_of_any_stack(driver):
    cov = np.stack([np.diag([0.5, 4.0]), np.diag([0.25, 1.0])]).reshape(1, 2, 2, 2)
    assert driver.numpy(ak.covariance_penalty(driver.array(cov))) == 7.25
    assert driver.numpy(ak.covariance_penalty(driver.array(cov[0, 0]))) == 2.25


def changed(z=Z, **fields):
    return ak.gmm_energy(z, ak.GMMParams(**PARAMS | fields))


def test_dimensions_of_different_size_keep_their_covariances(driver):
    sizes = np.asarray([1e4, 1e-4])
    z = np.asarray([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]) * sizes
    params = ak.gmm_params(driver.array(z), driver.array(np.ones((4, 1))), eps=0)
    found = driver.numpy(params.cov)[0] / np.outer(sizes, sizes)
    np.testing.assert_allclose(found, np.eye(2), rtol=1e-14, atol=1e-15)


@pytest.mark.library("tensorflow")
@pytest.mark.parametrize(
    ("call", "shapes", "message"),
    [
        (ak.gmm_params, ([None, None], [None, 3]), r"`z` must have known sizes, .*, got \(\?, \?\)"),
        (ak.gmm_params, ([None, 2], [None, None]), r"`gamma` must have known sizes, .*, got \(\?, \?\)"),
        (
            lambda z, mu: ak.gmm_energy(
                z, ak.GMMParams(mu[:, 0], mu, *(mu[:, :, None] * mu[:, None, :],) * 2, mu[:, 0])
            ),
            ([None, 2], [None, 2]),
            r"`params.mu` must have known sizes, .*, got \(\?, 2\)",
        ),
    ],
)
def test_sizes_that_a_graph_leaves_open_are_named(call, shapes, message, driver):
    tf = driver.module
    traced = tf.function(call, input_signature=[tf.TensorSpec(shape) for shape in shapes], autograph=False)
    with pytest.raises(ValueError, match=message):
        traced.get_concrete_function()
