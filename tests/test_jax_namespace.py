"""JAX's own Cholesky factor and inverse: their numbers, and that no gradient holds a triangular solve of a batch."""

from __future__ import annotations

import re

import numpy as np
import pytest

import anomaly_kernels as ak

pytestmark = pytest.mark.library("jax")

SIZES = [1, 2, 3, 5, 32]


def spd(*shape):
    """Well-conditioned symmetric positive definite matrices."""
    x = np.random.default_rng(0).normal(size=(*shape, shape[-1]))
    return x @ np.swapaxes(x, -1, -2) / shape[-1] + np.eye(shape[-1])


@pytest.fixture
def xp(driver):
    return ak.array_namespace(driver.array(np.zeros(1)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("batch", [(), (1,), (7,)], ids=str)
@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-12), ("float32", 1e-5)])
def test_factor_and_inverse_are_those_of_numpy(xp, driver, batch, size, dtype, rtol):
    x = spd(*batch, size)
    factor = xp.cholesky(driver.array(x, dtype))
    inverse = xp.lower_inverse(factor)
    assert factor.dtype == inverse.dtype == dtype
    np.testing.assert_allclose(factor, np.linalg.cholesky(x), rtol=rtol, atol=rtol)
    np.testing.assert_allclose(inverse, np.linalg.inv(np.linalg.cholesky(x)), rtol=rtol, atol=rtol)
    assert not np.triu(inverse, 1).any()


@pytest.mark.parametrize("size", SIZES)
def test_derivatives_are_those_of_jax(xp, driver, size):
    import jax
    import jax.numpy as jnp

    x = driver.array(spd(4, size))

    def ours(x):
        factor = xp.cholesky(x)
        return jnp.sum(jnp.sin(factor)) + jnp.sum(jnp.cos(xp.lower_inverse(factor)))

    def jaxs(x):
        factor = jnp.linalg.cholesky(x)
        return jnp.sum(jnp.sin(factor)) + jnp.sum(jnp.cos(jnp.linalg.inv(factor)))

    def twice(f):
        return lambda x: jnp.sum(jnp.sin(jax.grad(f)(x)))

    for transform in [jax.grad, lambda f: jax.grad(twice(f)), lambda f: jax.vmap(jax.grad(f))]:
        found, expected = (jax.jit(transform(f))(x) for f in (ours, jaxs))  # each operation by itself takes longer
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_what_is_not_positive_definite_is_nan(xp, driver):
    x = driver.array(np.stack([np.eye(3), -np.eye(3)]))
    factor, inverse = np.asarray(xp.cholesky(x)), np.asarray(xp.lower_inverse(xp.cholesky(x)))
    assert np.array_equal(factor[0], np.eye(3))
    assert np.array_equal(inverse[0], np.eye(3))
    assert np.isnan(factor[1][np.tril_indices(3)]).all()
    assert np.isnan(inverse[1]).any()


def test_gradient_of_the_mixture_holds_no_triangular_solve(driver):
    """Two of jaxlib's, run at once on two cores, can wait for each other for ever."""
    import jax

    def loss(z, gamma):
        return ak.gmm_energy(z, ak.gmm_params(z, gamma))

    rng = np.random.default_rng(0)
    z, gamma = driver.array(rng.normal(size=(64, 8))), driver.array(rng.dirichlet(np.ones(4), size=64))
    text = jax.jit(jax.value_and_grad(loss, argnums=(0, 1))).lower(z, gamma).compile().as_text()
    calls = set(re.findall(r'custom_call_target="([^"]*)"', text))
    assert any("potrf" in call for call in calls)
    assert [call for call in calls if "trsm" in call or "triang" in call.lower()] == []
    assert "triangular-solve" not in text
