"""Every distribution: its derivatives, and what makes it a distribution. One suite for all."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.nn import categorical, check_gradient, check_hvp, gaussian


class Head(NamedTuple):
    """A head and how to draw rows of its parameters, given the size of an action."""

    module: object
    params: object  # (rng, rows, size) ↦ (*rows, D)


def logits(rng, rows, size):
    return rng.choice([0.1, 1.0, 5.0]) * rng.standard_normal((*rows, size))


def mean_and_log_std(rng, rows, size):
    return np.concatenate(
        [3 * rng.standard_normal((*rows, size)), rng.uniform(-2, 1, (*rows, size))], axis=-1
    )


HEADS = {
    "categorical": Head(categorical, logits),
    "gaussian": Head(gaussian, mean_and_log_std),
}


def mild(params):
    """Without rare events, which 10⁴ samples would miss."""
    return np.clip(params, -1.5, 1.5)


ALL = pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
SEEDS = st.integers(0, 2**32)
ROWS = st.sampled_from([(), (1,), (3,), (2, 3)])
SIZES = st.integers(1, 4)


@pytest.mark.certifies("refmarl.nn.categorical:d_log_prob", "refmarl.nn.gaussian:d_log_prob")
@ALL
@given(SEEDS, ROWS, SIZES)
def test_d_log_prob_is_the_derivative(head, seed, rows, size):
    rng = np.random.default_rng(seed)
    params = head.params(rng, rows, size)
    action, pi = head.module.sample(rng, params), head.module
    check_gradient(lambda p: (pi.log_prob(p, action), pi.d_log_prob(p, action)), params).require()


@pytest.mark.certifies("refmarl.nn.categorical:d_entropy", "refmarl.nn.gaussian:d_entropy")
@ALL
@given(SEEDS, ROWS, SIZES)
def test_d_entropy_is_the_derivative(head, seed, rows, size):
    params, pi = head.params(np.random.default_rng(seed), rows, size), head.module
    check_gradient(lambda p: (pi.entropy(p), pi.d_entropy(p)), params).require()


@pytest.mark.certifies("refmarl.nn.categorical:d_kl", "refmarl.nn.gaussian:d_kl")
@ALL
@given(SEEDS, ROWS, SIZES)
def test_d_kl_is_the_derivative_in_the_new_parameters(head, seed, rows, size):
    rng, pi = np.random.default_rng(seed), head.module
    old, new = head.params(rng, rows, size), head.params(rng, rows, size)
    check_gradient(lambda p: (pi.kl(old, p), pi.d_kl(old, p)), new).require()


@pytest.mark.certifies("refmarl.nn.categorical:fisher", "refmarl.nn.gaussian:fisher")
@ALL
@given(SEEDS, ROWS, SIZES)
def test_fisher_is_the_hessian_of_the_kl_where_both_are_equal(head, seed, rows, size):
    rng, pi = np.random.default_rng(seed), head.module
    old = head.params(rng, rows, size)
    check_hvp(lambda p: pi.d_kl(old, p), lambda p, v: pi.fisher(p, v), old, rng).require()


@ALL
@given(SEEDS, SIZES)
def test_fisher_is_the_covariance_of_the_score(head, seed, size):
    rng, pi = np.random.default_rng(seed), head.module
    params = np.repeat(mild(head.params(rng, (1,), size)), 40_000, axis=0)
    v = rng.standard_normal(params.shape[1])
    score = pi.d_log_prob(params, pi.sample(rng, params))
    sampled = score * (score @ v)[:, None]
    error = 6 * sampled.std(axis=0) / np.sqrt(len(params)) + 1e-9
    assert (abs(sampled.mean(axis=0) - pi.fisher(params[0], v)) <= error).all()
    mean_error = 6 * score.std(axis=0) / np.sqrt(len(params)) + 1e-9
    assert (abs(score.mean(axis=0)) <= mean_error).all()  # the score function has mean zero


@ALL
@given(SEEDS, SIZES)
def test_entropy_and_kl_are_the_expectations_that_they_name(head, seed, size):
    rng, pi = np.random.default_rng(seed), head.module
    old, new = (np.repeat(mild(head.params(rng, (1,), size)), 20_000, axis=0) for _ in range(2))
    action = pi.sample(rng, old)
    log_p, log_q = pi.log_prob(old, action), pi.log_prob(new, action)
    for sampled, exact in ((-log_p, pi.entropy(old[0])), (log_p - log_q, pi.kl(old[0], new[0]))):
        assert abs(sampled.mean() - exact) <= 6 * sampled.std() / np.sqrt(len(old)) + 1e-9


@ALL
@given(SEEDS, ROWS, SIZES)
def test_kl_is_zero_on_itself_and_never_negative(head, seed, rows, size):
    rng, pi = np.random.default_rng(seed), head.module
    old, new = head.params(rng, rows, size), head.params(rng, rows, size)
    assert_allclose(pi.kl(old, old), 0.0, atol=1e-12)
    assert_allclose(pi.d_kl(old, old), 0.0, atol=1e-12)
    assert (pi.kl(old, new) >= -1e-12).all()


@ALL
@given(SEEDS, SIZES)
def test_the_mode_is_never_less_likely_than_a_sample(head, seed, size):
    rng, pi = np.random.default_rng(seed), head.module
    params = head.params(rng, (50,), size)
    best = pi.log_prob(params, pi.mode(params))
    assert (best >= pi.log_prob(params, pi.sample(rng, params)) - 1e-12).all()


@ALL
@given(SEEDS, ROWS, SIZES, st.sampled_from([np.float32, np.float64]))
def test_shapes_and_dtypes(head, seed, rows, size, dtype):
    rng, pi = np.random.default_rng(seed), head.module
    params = head.params(rng, rows, size).astype(dtype)
    action = pi.sample(rng, params)
    for result in (pi.log_prob(params, action), pi.entropy(params), pi.kl(params, params)):
        assert result.shape == rows
        assert result.dtype == dtype
    for result in (
        pi.d_log_prob(params, action),
        pi.d_entropy(params),
        pi.d_kl(params, params),
        pi.fisher(params, params),
    ):
        assert result.shape == params.shape
        assert result.dtype == dtype


@ALL
@given(SEEDS)
def test_the_same_generator_draws_the_same(head, seed):
    params = head.params(np.random.default_rng(seed), (5,), 3)
    one, two = (head.module.sample(np.random.default_rng(seed), params) for _ in range(2))
    assert_array_equal(one, two)


# -- categorical ------------------------------------------------------------------------


@given(SEEDS, SIZES, st.sampled_from([0.0, 700.0, -1e4, 1e6]))
def test_logits_may_be_shifted_and_large(seed, size, shift):
    params = logits(np.random.default_rng(seed), (4,), size)
    action = np.zeros(4, dtype=int)
    moved = params + shift
    assert_allclose(categorical.log_prob(moved, action), categorical.log_prob(params, action),
                    atol=1e-9)  # fmt: skip
    assert_allclose(categorical.probs(1e3 * params).sum(axis=-1), 1.0, rtol=1e-12)
    assert np.isfinite(categorical.entropy(1e3 * params)).all()
    assert np.isfinite(categorical.d_entropy(1e3 * params)).all()


@given(SEEDS, st.integers(2, 5))
def test_masked_actions_are_as_if_they_did_not_exist(seed, size):
    rng = np.random.default_rng(seed)
    params, other = rng.standard_normal((2, 6, size))
    mask = rng.random((6, size)) < 0.5
    mask[np.arange(6), rng.integers(size, size=6)] = True
    drawn = categorical.sample(rng, params, mask)
    assert np.take_along_axis(mask, drawn[:, None], axis=-1).all()
    for row, (logit, new, legal) in enumerate(zip(params, other, mask, strict=True)):
        few, few_new = logit[legal], new[legal]
        at = int(np.flatnonzero(np.flatnonzero(legal) == drawn[row])[0])
        pairs = (
            (
                categorical.log_prob(logit, drawn[row], legal),
                categorical.log_prob(few, np.int64(at)),
            ),
            (categorical.entropy(logit, legal), categorical.entropy(few)),
            (categorical.kl(logit, new, legal), categorical.kl(few, few_new)),
            (categorical.d_entropy(logit, legal)[legal], categorical.d_entropy(few)),
            (categorical.fisher(logit, new, legal)[legal], categorical.fisher(few, few_new)),
        )
        for whole, part in pairs:
            assert_allclose(whole, part, atol=1e-12)
        assert_array_equal(categorical.d_log_prob(logit, drawn[row], legal)[~legal], 0.0)
        assert_array_equal(categorical.d_entropy(logit, legal)[~legal], 0.0)


def test_frequencies_are_the_probabilities():
    params = np.array([2.0, 0.0, -1.0, 1.0])
    drawn = categorical.sample(np.random.default_rng(3), np.tile(params, (40_000, 1)))
    p = categorical.probs(params)
    error = np.sqrt(p * (1 - p) / 40_000)
    assert (abs(np.bincount(drawn, minlength=4) / 40_000 - p) < 5 * error).all()


def test_a_row_without_legal_actions_is_refused():
    with pytest.raises(InputError, match="without any legal action"):
        categorical.sample(np.random.default_rng(0), np.zeros((2, 2)), np.array([[1, 1], [0, 0]]))


@given(SEEDS, SIZES)
def test_uniform_logits_have_the_largest_entropy(seed, size):
    params = np.random.default_rng(seed).standard_normal((3, size))
    assert (categorical.entropy(params) <= np.log(size) + 1e-12).all()
    assert_allclose(categorical.entropy(np.zeros(size)), np.log(size), atol=1e-12)


# -- gaussian ---------------------------------------------------------------------------


@given(SEEDS)
def test_the_density_integrates_to_one(seed):
    rng = np.random.default_rng(seed)
    params = mean_and_log_std(rng, (), 1)
    grid = np.linspace(params[0] - 12 * np.exp(params[1]), params[0] + 12 * np.exp(params[1]), 4001)
    density = np.exp(gaussian.log_prob(np.tile(params, (len(grid), 1)), grid[:, None]))
    assert_allclose(np.trapezoid(density, grid), 1.0, atol=1e-9)
