"""Relaxed samples: exact where they are hardened, and their derivative."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn import categorical, check_backward, gumbel_softmax

SEEDS, SIZES = st.integers(0, 2**32), st.integers(1, 5)
ROWS = st.sampled_from([(), (1,), (2, 3)])
TAUS = st.floats(0.3, 5.0)


@pytest.mark.certifies("refmarl.nn.gumbel_softmax:backward")
@given(SEEDS, ROWS, SIZES, TAUS)
def test_backward_is_the_adjoint(seed, rows, size, tau):
    rng = np.random.default_rng(seed)
    logits, gumbel = rng.standard_normal((2, *rows, size))

    def forward(logits):
        return gumbel_softmax.relax(logits, gumbel, tau)

    def backward(logits, dy):
        return (gumbel_softmax.backward(forward(logits), tau, dy),)

    check_backward(forward, backward, (logits,), rng).require()


@given(SEEDS, ROWS, SIZES, TAUS)
def test_rows_are_distributions_and_the_largest_entry_ignores_the_temperature(
    seed, rows, size, tau
):
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((*rows, size))
    gumbel = gumbel_softmax.noise(rng, logits.shape)
    y = gumbel_softmax.relax(logits, gumbel, tau)
    assert_allclose(y.sum(axis=-1), 1.0, rtol=1e-12)
    assert (y >= 0).all()
    hard = gumbel_softmax.harden(y)
    assert_array_equal(hard.sum(axis=-1), 1.0)
    assert_array_equal(hard.argmax(axis=-1), (logits + gumbel).argmax(axis=-1))
    cold = gumbel_softmax.relax(logits, gumbel, 1e-8)
    assert_allclose(cold, hard, atol=1e-6)
    assert_allclose(gumbel_softmax.relax(logits, gumbel, 1e9), 1.0 / size, atol=1e-6)


def test_hardened_samples_have_the_probabilities_of_the_categorical():
    logits = np.tile([2.0, 0.0, -1.0, 1.0], (40_000, 1))
    gumbel = gumbel_softmax.noise(np.random.default_rng(5), logits.shape)
    drawn = gumbel_softmax.harden(gumbel_softmax.relax(logits, gumbel, 0.7)).mean(axis=0)
    p = categorical.probs(logits[0])
    assert (abs(drawn - p) < 5 * np.sqrt(p * (1 - p) / 40_000)).all()


def test_noise_has_the_mean_and_the_variance_of_gumbel():
    gumbel = gumbel_softmax.noise(np.random.default_rng(1), (100_000,))
    assert abs(gumbel.mean() - np.euler_gamma) < 5 * gumbel.std() / 100_000**0.5
    assert_allclose(gumbel.var(), np.pi**2 / 6, rtol=0.03)
    assert gumbel_softmax.noise(np.random.default_rng(1), (3,), np.float32).dtype == np.float32


@given(SEEDS, TAUS)
def test_masked_actions_are_never_drawn_and_get_no_derivative(seed, tau):
    rng = np.random.default_rng(seed)
    logits, gumbel, dy = rng.standard_normal((3, 6, 4))
    mask = np.array([True, False, True, False])
    y = gumbel_softmax.relax(logits, gumbel, tau, mask)
    assert_array_equal(y[:, ~mask], 0.0)
    assert_array_equal(gumbel_softmax.backward(y, tau, dy)[:, ~mask], 0.0)
    few = gumbel_softmax.relax(logits[:, mask], gumbel[:, mask], tau)
    assert_allclose(y[:, mask], few, atol=1e-12)


@given(SEEDS, ROWS, SIZES)
def test_float32_stays(seed, rows, size):
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((*rows, size)).astype(np.float32)
    y = gumbel_softmax.relax(logits, gumbel_softmax.noise(rng, logits.shape, np.float32), 0.5)
    assert y.dtype == gumbel_softmax.harden(y).dtype == np.float32
    assert gumbel_softmax.backward(y, 0.5, y).dtype == np.float32


@pytest.mark.parametrize("tau", [0.0, -1.0, np.inf, np.nan])
def test_the_temperature_is_checked(tau):
    with pytest.raises(InputError, match="temperature > 0"):
        gumbel_softmax.relax(np.zeros(2), np.zeros(2), tau)
    with pytest.raises(InputError, match="temperature > 0"):
        gumbel_softmax.backward(np.zeros(2), tau, np.zeros(2))
