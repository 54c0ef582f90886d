"""Relaxed samples: exact where they are hardened, and their derivative."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn import categorical, check_backward, check_gradient, check_hvp, gumbel_softmax

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


@pytest.mark.certifies("refmarl.nn.gumbel_softmax:d_log_prob")
@given(SEEDS, ROWS, SIZES, TAUS)
def test_d_log_prob_is_the_derivative(seed, rows, size, tau):
    rng = np.random.default_rng(seed)
    logits = rng.choice([1.0, 30.0]) * rng.standard_normal((*rows, size))
    y = gumbel_softmax.sample(rng, logits, tau)

    def density(at):
        return gumbel_softmax.log_prob(at, y, tau), gumbel_softmax.d_log_prob(at, y, tau)

    check_gradient(density, logits).require()


def simplex(size, step=0.36):
    """(y (n, K), areas (n,)): a sum over all of R^(K−1), of u in y = softmax(u, 0)."""
    line = np.arange(-45.0, 45.0 + step, step)
    u = np.stack(np.meshgrid(*[line] * (size - 1), indexing="ij"), axis=-1).reshape(-1, size - 1)
    y = categorical.probs(np.concatenate([u, np.zeros((len(u), 1))], axis=-1))
    return y, step ** (size - 1) * y.prod(axis=-1)  # dy = Π y du


@pytest.mark.certifies("refmarl.nn.gumbel_softmax:fisher")
@settings(max_examples=15)
@given(SEEDS, st.integers(2, 3), st.floats(0.7, 2.0))
def test_the_density_integrates_to_one_and_its_metric_is_a_divergence_s_hessian(seed, size, tau):
    logits = np.random.default_rng(seed).standard_normal(size)
    y, area = simplex(size)
    density = area * np.exp(gumbel_softmax.log_prob(np.tile(logits, (len(y), 1)), y, tau))
    assert_allclose(density.sum(), 1.0, rtol=1e-8)

    def gradient(new):  # of the divergence from ``logits``
        return -density @ gumbel_softmax.d_log_prob(np.tile(new, (len(y), 1)), y, tau)

    check_hvp(gradient, gumbel_softmax.fisher, logits, np.random.default_rng(seed)).require()


@given(SEEDS, st.integers(2, 5), TAUS)
def test_the_metric_of_a_relaxed_sample_is_not_less_than_that_of_the_choice(seed, size, tau):
    """What is made of y cannot tell more about l than y (data processing)."""
    logits, v = np.random.default_rng(seed).standard_normal((2, 20, size))
    for metric in (gumbel_softmax.fisher, categorical.fisher):
        assert ((v * metric(logits, v)).sum(axis=-1) >= 0).all()
    rest = gumbel_softmax.fisher(logits, v) - categorical.fisher(logits, v)
    assert ((v * rest).sum(axis=-1) >= -1e-12).all()


def test_scores_of_samples_have_mean_zero_and_the_metric_as_covariance():
    rng, v = np.random.default_rng(2), np.array([0.3, -1.0, 2.0, 0.1])
    logits = np.tile([2.0, 0.0, -1.0, 1.0], (20_000, 1))
    score = gumbel_softmax.d_log_prob(logits, gumbel_softmax.sample(rng, logits, 0.7), 0.7)
    assert (abs(score.mean(axis=0)) < 5 * score.std(axis=0) / 20_000**0.5).all()
    along = score * (score @ v)[:, None]
    error = 5 * along.std(axis=0) / 20_000**0.5
    assert (abs(along.mean(axis=0) - gumbel_softmax.fisher(logits[0], v)) < error).all()


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
    part = logits[:, mask]
    whole = gumbel_softmax.log_prob(logits, y, tau, mask)
    assert_allclose(whole, gumbel_softmax.log_prob(part, few, tau), rtol=1e-9, atol=1e-9)
    for found, wanted in (
        (
            gumbel_softmax.d_log_prob(logits, y, tau, mask),
            gumbel_softmax.d_log_prob(part, few, tau),
        ),
        (gumbel_softmax.fisher(logits, dy, mask), gumbel_softmax.fisher(part, dy[:, mask])),
    ):
        assert_array_equal(found[:, ~mask], 0.0)
        assert_allclose(found[:, mask], wanted, atol=1e-9)


@given(SEEDS, ROWS, SIZES)
def test_float32_stays(seed, rows, size):
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((*rows, size)).astype(np.float32)
    y = gumbel_softmax.relax(logits, gumbel_softmax.noise(rng, logits.shape, np.float32), 0.5)
    assert y.dtype == gumbel_softmax.harden(y).dtype == np.float32
    assert gumbel_softmax.backward(y, 0.5, y).dtype == np.float32
    assert gumbel_softmax.log_prob(logits, y, 0.5).dtype == np.float32
    assert gumbel_softmax.d_log_prob(logits, y, 0.5).dtype == np.float32
    assert gumbel_softmax.fisher(logits, y).dtype == np.float32
    assert gumbel_softmax.log_prob(logits, gumbel_softmax.harden(y), 0.5).shape == rows
    assert np.isfinite(gumbel_softmax.log_prob(logits, gumbel_softmax.harden(y), 0.5)).all()


@pytest.mark.parametrize("tau", [0.0, -1.0, np.inf, np.nan])
def test_the_temperature_is_checked(tau):
    with pytest.raises(InputError, match="temperature > 0"):
        gumbel_softmax.relax(np.zeros(2), np.zeros(2), tau)
    with pytest.raises(InputError, match="temperature > 0"):
        gumbel_softmax.log_prob(np.zeros(2), np.ones(2), tau)
    with pytest.raises(InputError, match="temperature > 0"):
        gumbel_softmax.backward(np.zeros(2), tau, np.zeros(2))
