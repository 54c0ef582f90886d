"""Every distribution: its derivatives, and what makes it a distribution. One suite for all."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from refmarl.check import InputError
from refmarl.kernels import categorical as kernels
from refmarl.nn import (
    bernoulli,
    beta,
    categorical,
    check_backward,
    check_gradient,
    check_hvp,
    dirichlet,
    gaussian,
    tanh_gaussian,
)
from refmarl.nn.multi_discrete import MultiDiscrete


class Head(NamedTuple):
    """A head and how to draw rows of its parameters, given the size of an action."""

    of: object  # size ↦ the verbs
    params: object  # (rng, rows, size) ↦ (*rows, D)
    peaked: bool = True  # whether the mode is the largest density


def logits(rng, rows, size):
    return rng.choice([0.1, 1.0, 5.0, 50.0]) * rng.standard_normal((*rows, size))


def mean_and_log_std(rng, rows, size):
    mean = rng.choice([3.0, 30.0]) * rng.standard_normal((*rows, size))
    return np.concatenate([mean, rng.uniform(-2, 1, (*rows, size))], axis=-1)


def sets(size):
    return MultiDiscrete((size, 1, 3))


HEADS = {
    "categorical": Head(lambda size: categorical, logits),
    "multi-discrete": Head(sets, lambda rng, rows, size: logits(rng, rows, size + 4)),
    "bernoulli": Head(lambda size: bernoulli, logits),
    "gaussian": Head(lambda size: gaussian, mean_and_log_std),
    "beta": Head(lambda size: beta, lambda rng, rows, size: logits(rng, rows, 2 * size)),
    "dirichlet": Head(lambda size: dirichlet, logits),
    "tanh-gaussian": Head(lambda size: tanh_gaussian, mean_and_log_std, peaked=False),
}


def mild(params):
    """Without rare events, which 10⁴ samples would miss."""
    return np.clip(params, -1.5, 1.5)


ALL = pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
SEEDS = st.integers(0, 2**32)
ROWS = st.sampled_from([(), (1,), (3,), (2, 3)])
SIZES = st.integers(1, 4)


@pytest.mark.certifies(
    "refmarl.nn.bernoulli:d_log_prob",
    "refmarl.nn.beta:d_log_prob",
    "refmarl.nn.categorical:d_log_prob",
    "refmarl.nn.dirichlet:d_log_prob",
    "refmarl.nn.gaussian:d_log_prob",
    "refmarl.nn.multi_discrete:MultiDiscrete.d_log_prob",
    "refmarl.nn.tanh_gaussian:d_log_prob",
)
@ALL
@given(SEEDS, ROWS, SIZES)
def test_d_log_prob_is_the_derivative(head, seed, rows, size):
    rng = np.random.default_rng(seed)
    params = head.params(rng, rows, size)
    pi = head.of(size)
    action = pi.sample(rng, params)
    check_gradient(lambda p: (pi.log_prob(p, action), pi.d_log_prob(p, action)), params).require()


@pytest.mark.certifies(
    "refmarl.nn.bernoulli:d_entropy",
    "refmarl.nn.beta:d_entropy",
    "refmarl.nn.categorical:d_entropy",
    "refmarl.nn.dirichlet:d_entropy",
    "refmarl.nn.gaussian:d_entropy",
    "refmarl.nn.multi_discrete:MultiDiscrete.d_entropy",
    "refmarl.nn.tanh_gaussian:d_entropy",
)
@ALL
@given(SEEDS, ROWS, SIZES)
def test_d_entropy_is_the_derivative(head, seed, rows, size):
    params, pi = head.params(np.random.default_rng(seed), rows, size), head.of(size)
    check_gradient(lambda p: (pi.entropy(p), pi.d_entropy(p)), params).require()


@pytest.mark.certifies(
    "refmarl.nn.bernoulli:d_kl",
    "refmarl.nn.beta:d_kl",
    "refmarl.nn.categorical:d_kl",
    "refmarl.nn.dirichlet:d_kl",
    "refmarl.nn.gaussian:d_kl",
    "refmarl.nn.multi_discrete:MultiDiscrete.d_kl",
    "refmarl.nn.tanh_gaussian:d_kl",
)
@ALL
@given(SEEDS, ROWS, SIZES)
def test_d_kl_is_the_derivative_in_the_new_parameters(head, seed, rows, size):
    rng, pi = np.random.default_rng(seed), head.of(size)
    old, new = head.params(rng, rows, size), head.params(rng, rows, size)
    check_gradient(lambda p: (pi.kl(old, p), pi.d_kl(old, p)), new).require()


@pytest.mark.certifies(
    "refmarl.nn.bernoulli:d_kl_old",
    "refmarl.nn.beta:d_kl_old",
    "refmarl.nn.categorical:d_kl_old",
    "refmarl.nn.dirichlet:d_kl_old",
    "refmarl.nn.gaussian:d_kl_old",
    "refmarl.nn.multi_discrete:MultiDiscrete.d_kl_old",
    "refmarl.nn.tanh_gaussian:d_kl_old",
)
@ALL
@given(SEEDS, ROWS, SIZES)
def test_d_kl_old_is_the_derivative_in_the_old_parameters(head, seed, rows, size):
    rng, pi = np.random.default_rng(seed), head.of(size)
    old, new = head.params(rng, rows, size), head.params(rng, rows, size)
    check_gradient(lambda p: (pi.kl(p, new), pi.d_kl_old(p, new)), old).require()


@pytest.mark.certifies(
    "refmarl.nn.bernoulli:fisher",
    "refmarl.nn.beta:fisher",
    "refmarl.nn.categorical:fisher",
    "refmarl.nn.dirichlet:fisher",
    "refmarl.nn.gaussian:fisher",
    "refmarl.nn.multi_discrete:MultiDiscrete.fisher",
    "refmarl.nn.tanh_gaussian:fisher",
)
@ALL
@given(SEEDS, ROWS, SIZES)
def test_fisher_is_the_hessian_of_the_kl_where_both_are_equal(head, seed, rows, size):
    rng, pi = np.random.default_rng(seed), head.of(size)
    old = head.params(rng, rows, size)
    check_hvp(lambda p: pi.d_kl(old, p), lambda p, v: pi.fisher(p, v), old, rng).require()


@ALL
@given(SEEDS, SIZES)
def test_fisher_is_the_covariance_of_the_score(head, seed, size):
    rng, pi = np.random.default_rng(seed), head.of(size)
    params = np.repeat(mild(head.params(rng, (1,), size)), 10_000, axis=0)
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
    rng, pi = np.random.default_rng(seed), head.of(size)
    old, new = (np.repeat(mild(head.params(rng, (1,), size)), 10_000, axis=0) for _ in range(2))
    action = pi.sample(rng, old)
    log_p, log_q = pi.log_prob(old, action), pi.log_prob(new, action)
    for sampled, exact in ((-log_p, pi.entropy(old[0])), (log_p - log_q, pi.kl(old[0], new[0]))):
        assert abs(sampled.mean() - exact) <= 6 * sampled.std() / np.sqrt(len(old)) + 1e-9


@ALL
@given(SEEDS, ROWS, SIZES)
def test_kl_is_zero_on_itself_and_never_negative(head, seed, rows, size):
    rng, pi = np.random.default_rng(seed), head.of(size)
    old, new = head.params(rng, rows, size), head.params(rng, rows, size)
    assert_allclose(pi.kl(old, old), 0.0, atol=1e-12)
    assert_allclose(pi.d_kl(old, old), 0.0, atol=1e-12)
    assert_allclose(pi.d_kl_old(old, old), 0.0, atol=1e-12)
    assert (pi.kl(old, new) >= -1e-12).all()


@ALL
@given(SEEDS, SIZES)
def test_the_mode_is_never_less_likely_than_a_sample(head, seed, size):
    rng, pi = np.random.default_rng(seed), head.of(size)
    params = head.params(rng, (50,), size)
    if not head.peaked:
        return
    best = pi.log_prob(params, pi.mode(params))
    assert (best >= pi.log_prob(params, pi.sample(rng, params)) - 1e-12).all()


@ALL
@given(SEEDS, ROWS, SIZES, st.sampled_from([np.float32, np.float64]))
def test_shapes_and_dtypes(head, seed, rows, size, dtype):
    rng, pi = np.random.default_rng(seed), head.of(size)
    params = head.params(rng, rows, size).astype(dtype)
    action = pi.sample(rng, params)
    for result in (pi.log_prob(params, action), pi.entropy(params), pi.kl(params, params)):
        assert result.shape == rows
        assert result.dtype == dtype
    for result in (
        pi.d_log_prob(params, action),
        pi.d_entropy(params),
        pi.d_kl(params, params),
        pi.d_kl_old(params, params),
        pi.fisher(params, params),
    ):
        assert result.shape == params.shape
        assert result.dtype == dtype


@ALL
@given(SEEDS)
def test_the_same_generator_draws_the_same(head, seed):
    params = head.params(np.random.default_rng(seed), (5,), 3)
    one, two = (head.of(3).sample(np.random.default_rng(seed), params) for _ in range(2))
    assert_array_equal(one, two)


@ALL
@given(SEEDS, SIZES)
def test_parameters_of_any_size_give_finite_derivatives(head, seed, size):
    rng, pi = np.random.default_rng(seed), head.of(size)
    params = head.params(rng, (4,), size)
    D = params.shape[1]
    params[:, : D // 2] *= 100.0  # saturated logits, or means far out
    new = params + rng.standard_normal(params.shape)
    action = pi.sample(rng, params)
    for result in (
        pi.log_prob(params, action), pi.entropy(params), pi.kl(params, new),
        pi.d_log_prob(params, action), pi.d_entropy(params), pi.d_kl(params, new),
        pi.d_kl_old(params, new), pi.fisher(params, new),
    ):  # fmt: skip
        assert np.isfinite(result).all()
    assert (pi.kl(params, new) >= -1e-12).all()


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
            (categorical.d_kl_old(logit, new, legal)[legal], categorical.d_kl_old(few, few_new)),
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


@given(SEEDS, st.integers(2, 5))
def test_a_logit_of_minus_infinity_is_a_mask(seed, size):
    rng = np.random.default_rng(seed)
    logit, other, v = rng.standard_normal((3, 6, size))
    legal = rng.random((6, size)) < 0.5
    legal[np.arange(6), rng.integers(size, size=6)] = True
    cut, cut_other = (np.where(legal, x, -np.inf) for x in (logit, other))
    drawn = categorical.sample(np.random.default_rng(seed), cut)
    assert_array_equal(drawn, categorical.sample(np.random.default_rng(seed), logit, legal))
    assert_array_equal(categorical.mode(cut), categorical.mode(logit, legal))
    for verb, arguments, whole in (
        (categorical.log_prob, (cut, drawn), (logit, drawn)),
        (categorical.d_log_prob, (cut, drawn), (logit, drawn)),
        (categorical.entropy, (cut,), (logit,)),
        (categorical.d_entropy, (cut,), (logit,)),
        (categorical.kl, (cut, cut_other), (logit, other)),
        (categorical.d_kl, (cut, cut_other), (logit, other)),
        (categorical.d_kl_old, (cut, cut_other), (logit, other)),
        (categorical.fisher, (cut, v), (logit, v)),
    ):
        assert_allclose(verb(*arguments), verb(*whole, legal), rtol=1e-14, atol=1e-15)
    if not legal.all():
        assert np.isinf(categorical.kl(logit, cut)).any()  # cut excludes what logit may do
    assert np.isfinite(categorical.kl(cut, logit)).all()


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


# -- multi-discrete ---------------------------------------------------------------------


@given(SEEDS, ROWS, SIZES)
def test_one_set_is_the_categorical(seed, rows, size):
    rng, pi = np.random.default_rng(seed), MultiDiscrete((size,))
    old, new = logits(rng, rows, size), logits(rng, rows, size)
    action = pi.sample(np.random.default_rng(seed), old)
    one = categorical.sample(np.random.default_rng(seed), old)
    assert_array_equal(action[..., 0], one)
    assert_array_equal(pi.log_prob(old, action), categorical.log_prob(old, one))
    assert_array_equal(pi.d_log_prob(old, action), categorical.d_log_prob(old, one))
    for verb in ("kl", "d_kl", "d_kl_old", "fisher"):
        assert_array_equal(getattr(pi, verb)(old, new), getattr(categorical, verb)(old, new))
    for verb in ("entropy", "d_entropy"):
        assert_array_equal(getattr(pi, verb)(old), getattr(categorical, verb)(old))


@given(SEEDS, SIZES, SIZES)
def test_two_sets_are_one_categorical_over_pairs(seed, one, two):
    rng, pi = np.random.default_rng(seed), MultiDiscrete((one, two))
    old, new = rng.standard_normal((2, one + two))
    pair_old, pair_new = ((x[:one, None] + x[one:]).ravel() for x in (old, new))
    pairs = np.stack(np.unravel_index(np.arange(one * two), (one, two)), axis=-1)
    tiled = np.tile(old, (one * two, 1))
    assert_allclose(pi.log_prob(tiled, pairs), categorical.log_probs(pair_old), atol=1e-12)
    assert_allclose(pi.entropy(old), categorical.entropy(pair_old), atol=1e-12)
    assert_allclose(pi.kl(old, new), categorical.kl(pair_old, pair_new), atol=1e-12)


@given(SEEDS, st.integers(2, 4), st.integers(2, 4))
def test_each_set_has_its_mask(seed, one, two):
    rng, pi = np.random.default_rng(seed), MultiDiscrete((one, two))
    old, new = rng.standard_normal((2, 5, one + two))
    mask = np.ones((5, one + two), dtype=bool)
    mask[:, 0] = mask[:, -1] = False
    action = pi.sample(rng, old, mask)
    assert (action[:, 0] > 0).all()
    assert (action[:, 1] < two - 1).all()
    assert (pi.mode(10.0 * np.eye(one + two), np.tile(mask[0], (one + two, 1)))[:, 0] > 0).all()
    few = MultiDiscrete((one - 1, two - 1))
    part = action - [1, 0]
    a, b = old[:, 1:-1], new[:, 1:-1]
    for whole, smaller in (
        (pi.log_prob(old, action, mask), few.log_prob(a, part)),
        (pi.entropy(old, mask), few.entropy(a)),
        (pi.kl(old, new, mask), few.kl(a, b)),
        (pi.d_log_prob(old, action, mask)[:, 1:-1], few.d_log_prob(a, part)),
        (pi.d_entropy(old, mask)[:, 1:-1], few.d_entropy(a)),
        (pi.d_kl(old, new, mask)[:, 1:-1], few.d_kl(a, b)),
        (pi.d_kl_old(old, new, mask)[:, 1:-1], few.d_kl_old(a, b)),
        (pi.fisher(old, new, mask)[:, 1:-1], few.fisher(a, b)),
    ):
        assert_allclose(whole, smaller, atol=1e-12)


@pytest.mark.parametrize("sizes", [(), (0,), (2, -1), (2.0,)])
def test_sizes_of_sets_are_checked(sizes):
    with pytest.raises(InputError, match="sizes: need whole numbers"):
        MultiDiscrete(sizes)


def test_wrong_shapes_of_sets_are_refused():
    pi = MultiDiscrete((2, 3))
    with pytest.raises(InputError, match="K = 5"):
        pi.entropy(np.zeros((4, 6)))
    with pytest.raises(InputError, match="J = 2"):
        pi.log_prob(np.zeros((4, 5)), np.zeros((4, 3), dtype=int))


# -- bernoulli --------------------------------------------------------------------------


@given(SEEDS, SIZES)
def test_bits_are_categoricals_over_two_actions(seed, size):
    rng = np.random.default_rng(seed)
    old, new = logits(rng, (3,), size), logits(rng, (3,), size)
    bits = bernoulli.sample(rng, old)

    def paired(x):
        return np.stack([np.zeros_like(x), x], axis=-1).reshape(3, 2 * size)

    pi = MultiDiscrete((2,) * size)
    assert_allclose(bernoulli.log_prob(old, bits), pi.log_prob(paired(old), bits), atol=1e-12)
    assert_allclose(bernoulli.entropy(old), pi.entropy(paired(old)), atol=1e-12)
    assert_allclose(bernoulli.kl(old, new), pi.kl(paired(old), paired(new)), atol=1e-12)
    assert_array_equal(bernoulli.mode(old), pi.mode(paired(old)))


@given(st.floats(20.0, 700.0))
def test_the_entropy_of_a_bit_that_is_nearly_sure_has_all_its_digits(logit):
    for sign in (1.0, -1.0):
        found = bernoulli.entropy(np.array([sign * logit]))
        assert_allclose(found, (1.0 + logit) * np.exp(-logit), rtol=1e-7)


def test_frequencies_of_bits_are_their_probabilities():
    params = np.array([0.0, 2.0, -3.0, 1e6, -1e6])
    drawn = bernoulli.sample(np.random.default_rng(3), np.tile(params, (40_000, 1)))
    p = 1.0 / (1.0 + np.exp(-np.clip(params, -700, 700)))
    error = np.sqrt(p * (1 - p) / 40_000)
    assert (abs(drawn.mean(axis=0) - p) <= 5 * error + 1e-12).all()


# -- beta -------------------------------------------------------------------------------


@given(SEEDS)
def test_the_beta_density_integrates_to_one_and_has_one_peak(seed):
    params = np.random.default_rng(seed).normal(0, 3, 2)
    grid = np.linspace(0, 1, 20_001)
    density = np.exp(beta.log_prob(np.tile(params, (len(grid), 1)), grid[:, None]))
    assert_allclose(np.trapezoid(density, grid), 1.0, atol=1e-3)
    peak = density.argmax()
    assert (np.diff(density[: peak + 1]) >= -1e-12).all()
    assert (np.diff(density[peak:]) <= 1e-12).all()
    assert abs(grid[peak] - beta.mode(params)[0]) < 1e-3


@given(SEEDS, ROWS, SIZES)
def test_swapping_the_parameters_mirrors_the_action(seed, rows, size):
    rng = np.random.default_rng(seed)
    params = logits(rng, rows, 2 * size)
    swapped = np.concatenate([params[..., size:], params[..., :size]], axis=-1)
    action = rng.uniform(0.01, 0.99, (*rows, size))
    assert_allclose(beta.log_prob(params, action), beta.log_prob(swapped, 1 - action), atol=1e-9)
    assert_allclose(beta.entropy(params), beta.entropy(swapped), atol=1e-12)
    assert_allclose(beta.mode(params), 1 - beta.mode(swapped), atol=1e-12)
    assert (beta.entropy(params) <= 1e-12).all()


def test_without_concentration_the_beta_is_uniform():
    flat = np.full(4, -1e3)
    assert_allclose(beta.log_prob(flat, np.array([0.1, 0.8])), 0.0, atol=1e-12)
    assert_allclose(beta.entropy(flat), 0.0, atol=1e-12)
    assert_array_equal(beta.mode(flat), 0.5)
    assert np.isfinite(beta.log_prob(np.zeros(2), np.ones(1)))
    assert np.isfinite(beta.d_log_prob(np.zeros(2), np.zeros(1))).all()


# -- dirichlet --------------------------------------------------------------------------


def shares(rng, rows, size):
    """Actions in the simplex, away from its edge."""
    return 0.9 * rng.dirichlet(np.ones(size), rows) + 0.1 / size


@given(SEEDS, ROWS)
def test_two_shares_are_the_beta(seed, rows):
    rng = np.random.default_rng(seed)
    old, new, v = (logits(rng, rows, 2) for _ in range(3))
    both = shares(rng, rows, 2)
    one = both[..., :1]
    assert_allclose(dirichlet.log_prob(old, both), beta.log_prob(old, one), rtol=1e-10, atol=1e-10)
    assert_allclose(
        dirichlet.d_log_prob(old, both), beta.d_log_prob(old, one), rtol=1e-10, atol=1e-10
    )
    assert_allclose(dirichlet.mode(old)[..., :1], beta.mode(old), atol=1e-15)
    for verb, arguments in (
        ("entropy", (old,)), ("d_entropy", (old,)), ("kl", (old, new)), ("d_kl", (old, new)),
        ("d_kl_old", (old, new)), ("fisher", (old, v)),
    ):  # fmt: skip
        got, wanted = (getattr(head, verb)(*arguments) for head in (dirichlet, beta))
        assert_allclose(got, wanted, rtol=1e-10, atol=1e-10)


@given(SEEDS)
def test_the_density_over_three_shares_integrates_to_one_with_these_moments(seed):
    from numpy.polynomial.legendre import leggauss

    rng = np.random.default_rng(seed)
    params = rng.normal(0, 2, 3)
    node, weight = leggauss(60)
    node, weight = (
        0.5 - 0.5 * np.sin(np.pi / 2 * node),
        np.pi / 4 * np.cos(np.pi / 2 * node) * weight,
    )
    u, v = (x.ravel() for x in np.meshgrid(node, node))  # crowded at the edges
    area = np.outer(weight, weight).ravel() * (1.0 - u)  # (u, v) ↦ (u, (1 − u) v)
    a = np.stack([u, (1.0 - u) * v, (1.0 - u) * (1.0 - v)], axis=-1)
    density = np.exp(dirichlet.log_prob(np.tile(params, (len(a), 1)), a))
    alpha = dirichlet.concentration(params)
    # near an edge the integrand is as smooth as s^(2α − 1), α ≥ 1: an error of order 60⁻⁴
    assert_allclose(density @ area, 1.0, atol=1e-6)
    assert_allclose((density * area) @ a, alpha / alpha.sum(), atol=1e-6)
    within = -(density * np.log(density)) @ area
    assert_allclose(dirichlet.entropy(params), within, atol=1e-5)


@given(SEEDS, st.integers(2, 5))
def test_a_part_of_the_shares_by_itself_and_the_rest_are_distributed_alike(seed, size):
    """Aggregation: a_1 of a Dirichlet is beta distributed with the rest in one."""
    rng = np.random.default_rng(seed)
    params = mild(logits(rng, (1,), size))
    alpha = dirichlet.concentration(params)[0]
    drawn = dirichlet.sample(rng, np.repeat(params, 4_000, axis=0))
    assert_allclose(drawn.sum(axis=-1), 1.0, rtol=1e-12)
    assert (drawn >= 0.0).all()
    fit = stats.kstest(drawn[:, 0], stats.beta(alpha[0], alpha[1:].sum()).cdf)
    assert fit.pvalue > 1e-5


@given(SEEDS, ROWS, st.integers(2, 4))
def test_the_order_of_the_shares_does_not_matter(seed, rows, size):
    rng = np.random.default_rng(seed)
    old, new, order = logits(rng, rows, size), logits(rng, rows, size), rng.permutation(size)
    action = shares(rng, rows, size)
    for verb, arguments in (("log_prob", (old, action)), ("entropy", (old,)), ("kl", (old, new))):
        whole = getattr(dirichlet, verb)(*arguments)
        turned = getattr(dirichlet, verb)(*(x[..., order] for x in arguments))
        assert_allclose(whole, turned, rtol=1e-10, atol=1e-10)
    fisher = dirichlet.fisher(old, new)[..., order]
    assert_allclose(dirichlet.fisher(old[..., order], new[..., order]), fisher, atol=1e-12)


@given(SEEDS, st.integers(1, 6))
def test_no_density_on_the_simplex_has_more_entropy_than_the_uniform(seed, size):
    most = -math.lgamma(size)  # of the volume 1 / (K − 1)!
    params = logits(np.random.default_rng(seed), (5,), size)
    assert (dirichlet.entropy(params) <= most + 1e-9).all()
    flat = np.full(size, -1e3)
    assert_allclose(dirichlet.entropy(flat), most, atol=1e-12)
    assert_allclose(dirichlet.log_prob(flat, shares(np.random.default_rng(0), (), size)), -most)
    assert_array_equal(dirichlet.mode(flat), 1.0 / size)


def test_one_share_is_everything_and_the_edge_has_a_finite_density():
    params = np.array([[0.3], [40.0]])
    whole = dirichlet.sample(np.random.default_rng(0), params)
    assert_array_equal(whole, 1.0)
    for nothing in (dirichlet.log_prob(params, whole), dirichlet.entropy(params),
                    dirichlet.d_log_prob(params, whole), dirichlet.d_entropy(params),
                    dirichlet.fisher(params, params)):  # fmt: skip
        assert_array_equal(nothing, 0.0)
    for dtype in (np.float32, np.float64):
        edge = np.array([1.0, 0.0, 0.0], dtype)
        assert np.isfinite(dirichlet.log_prob(np.zeros(3, dtype), edge))
        assert np.isfinite(dirichlet.d_log_prob(np.zeros(3, dtype), edge)).all()


# -- tanh-gaussian ----------------------------------------------------------------------


@pytest.mark.equation("3.15")
@given(SEEDS)
def test_the_squashed_density_integrates_to_one(seed):
    rng = np.random.default_rng(seed)
    params = np.array([rng.uniform(-1, 1), rng.uniform(-1.5, 0)])
    u = np.linspace(-12, 12, 8001)  # ∫ π(a) da = ∫ π(tanh u) (1 − tanh² u) du
    density = tanh_gaussian.log_density(np.tile(params, (len(u), 1)), u[:, None])
    assert_allclose(np.trapezoid(np.exp(density) / np.cosh(u) ** 2, u), 1.0, atol=1e-9)


@pytest.mark.equation("3.15")
@given(SEEDS)
def test_the_squashed_density_of_two_numbers_integrates_to_one(seed):
    rng = np.random.default_rng(seed)
    params = np.concatenate([rng.uniform(-1, 1, 2), rng.uniform(-1.0, 0, 2)])
    line = np.linspace(-10, 10, 401)
    u = np.stack(np.meshgrid(line, line), axis=-1)
    density = tanh_gaussian.log_density(np.broadcast_to(params, (*u.shape[:2], 4)), u)
    slope = (1.0 / np.cosh(u) ** 2).prod(axis=-1)
    assert_allclose((np.exp(density) * slope).sum() * (line[1] - line[0]) ** 2, 1.0, atol=1e-9)


@pytest.mark.equation("3.15")
@given(st.floats(-500, 500), st.floats(-3, 3), st.floats(-3, 3))
def test_the_log_density_is_finite_far_out_and_a_change_of_variables_near(u, mean, log_std):
    params = np.array([mean, log_std])
    found = tanh_gaussian.log_density(params, np.array([u]))
    assert np.isfinite(found)
    assert_array_equal(tanh_gaussian.log_slope(np.array([u, -u])).round(9)[0],
                       tanh_gaussian.log_slope(np.array([-u, u])).round(9)[0])  # fmt: skip
    if abs(u) < 5:
        direct = gaussian.log_prob(params, np.array([u])) - np.log(1 - np.tanh(u) ** 2)
        assert_allclose(found, direct, atol=1e-9)
        by_action = tanh_gaussian.log_prob(params, np.tanh(np.array([u])))
        assert_allclose(by_action, found, rtol=1e-9, atol=1e-9 * np.exp(-2 * log_std) * 1e4)


def test_actions_on_the_edge_have_a_finite_density():
    for dtype in (np.float32, np.float64):
        params, action = np.zeros(2, dtype), np.array([1.0], dtype)
        for edge in (action, -action):
            assert np.isfinite(tanh_gaussian.log_prob(params, edge))
            assert np.isfinite(tanh_gaussian.d_log_prob(params, edge)).all()


@pytest.mark.equation("3.15")
@pytest.mark.certifies("refmarl.nn.tanh_gaussian:backward")
@given(SEEDS, ROWS, SIZES)
def test_backward_differentiates_a_draw_and_its_log_density(seed, rows, size):
    rng = np.random.default_rng(seed)
    params = mean_and_log_std(rng, rows, size)
    noise = rng.standard_normal((*rows, size))

    def forward(params):
        action, log_prob, _ = tanh_gaussian.draw(params, noise)
        return np.concatenate([action, log_prob[..., None]], axis=-1)

    def backward(params, dy):
        drawn = tanh_gaussian.draw(params, noise)
        return (tanh_gaussian.backward(params, drawn, dy[..., :-1], dy[..., -1]),)

    check_backward(forward, backward, (params,), rng).require()


@pytest.mark.equation("3.15")
@given(SEEDS, SIZES)
def test_a_draw_is_a_sample_with_its_density(seed, size):
    params = mean_and_log_std(np.random.default_rng(seed), (3,), size)
    noise = np.random.default_rng(seed).standard_normal((3, size))
    action, log_prob, u = tanh_gaussian.draw(params, noise)
    assert_array_equal(action, tanh_gaussian.sample(np.random.default_rng(seed), params))
    assert_allclose(log_prob, tanh_gaussian.log_density(params, u), atol=1e-9)


def test_backward_of_a_saturated_draw_is_finite_and_kills_the_action():
    params, noise = np.array([400.0, 0.0]), np.array([1.0])
    drawn = tanh_gaussian.draw(params, noise)
    assert np.isfinite(drawn.log_prob)
    assert_array_equal(tanh_gaussian.backward(params, drawn, np.ones(1), np.float64(0.0)), 0.0)
    assert_allclose(tanh_gaussian.backward(params, drawn, np.zeros(1), np.float64(1.0)), [2.0, 1.0])


@pytest.mark.parametrize(("mean", "std"), [(0, 0.01), (0, 1), (1.5, 2), (-3, 2), (0.3, 5), (50, 1)])
def test_the_squashed_entropy_is_the_integral(mean, std):
    from scipy.integrate import quad

    def extra(z):
        size = abs(mean + std * z)
        log_slope = 2 * (np.log(2.0) - size - np.log1p(np.exp(-2 * size)))
        return np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) * log_slope

    kink = -mean / std
    points = [kink] if abs(kink) < 10 else None
    exact = quad(extra, -10, 10, points=points, limit=400, epsabs=1e-11)[0]
    exact += 0.5 * np.log(2 * np.pi * np.e) + np.log(std)
    error = 1e-8 if std <= 2 else 1e-3
    assert_allclose(tanh_gaussian.entropy(np.array([mean, np.log(std)])), exact, atol=error)


@given(SEEDS, ROWS, SIZES)
def test_no_squashed_density_has_more_entropy_than_the_uniform(seed, rows, size):
    params = mean_and_log_std(np.random.default_rng(seed), rows, size)
    assert (tanh_gaussian.entropy(params) <= size * np.log(2.0)).all()


# -- published numbers ------------------------------------------------------------------


def test_published_softmax_probabilities():
    """rlax, distributions_test.py."""
    params = np.array([[1.0, 1.0, 0.0], [1.0, 2.0, 0.0]])
    ten = [[0.34425336, 0.34425336, 0.31149334], [0.332225, 0.3671654, 0.3006096]]
    one = [[0.42231882, 0.42231882, 0.15536241], [0.24472848, 0.66524094, 0.09003057]]
    assert_allclose(categorical.probs(params / 10.0), ten, atol=1e-7)
    assert_allclose(categorical.probs(params), one, atol=1e-7)


def test_published_gaussian_densities_entropies_and_divergences():
    """rlax, distributions_test.py, in single precision."""
    params = np.array([[1, -1, 0.1, 0.1], [0.1, -0.1, 0.2, 0.3]])
    other = np.array([[1, -10, 0.1, 0.1], [0.3, -0.2, 0.8, 0.3]])
    for row in (params, other):
        row[:, 2:] = np.log(row[:, 2:])
    action = np.array([[1.2, -1.1], [-0.1, 0.0]])
    assert_allclose(np.exp(gaussian.log_prob(params, action)), [1.3064219, 1.5219283], rtol=1e-5)
    assert_allclose(gaussian.log_prob(params, action), [0.26729202, 0.41997814], rtol=1e-5)
    assert_allclose(gaussian.entropy(params), [-1.7672932, 0.02446628], rtol=1e-5)
    assert_allclose(gaussian.kl(params, other), [4050.0, 1.00435], rtol=1e-5)
    assert_allclose(gaussian.kl(params, np.zeros((2, 4))), [4.6151705, 1.8884108], rtol=1e-5)


def test_published_squashed_density():
    """Haarnoja et al. 2018, appendix C; the density integrates to 1."""
    mean, log_std = np.array([0, 0.5, -1.2, 2]), np.array([0, -0.5, 0.3, -1])
    u = np.array([0.3, -1, 2, 1.7])
    each = [-0.8752569933527921, -2.609443929255044, -1.37884861529036, 1.8279165220732883]
    rows = np.stack([mean, log_std], axis=-1)
    assert_allclose(tanh_gaussian.log_density(rows, u[:, None]), each, atol=1e-9)
    whole = np.concatenate([mean, log_std])
    assert_allclose(tanh_gaussian.log_prob(whole, np.tanh(u)), -3.035633015824908, atol=1e-9)


@given(SEEDS, ROWS, st.integers(1, 5), st.sampled_from([np.float32, np.float64]))
def test_log_probabilities_compiled_are_those_of_the_definition(seed, rows, size, dtype):
    rng = np.random.default_rng(seed)
    raw = logits(rng, rows, size).astype(dtype)
    raw[rng.random(raw.shape) < 0.2] = -np.inf
    raw[..., :1] = 0.0
    found = categorical.log_probs(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "COMPILED", False)
        expected = categorical.log_probs(raw)
    assert found.dtype == dtype
    eps = np.finfo(dtype).eps
    assert_allclose(found, expected, rtol=8 * eps, atol=8 * eps * size)
    assert np.isnan(categorical.log_probs(np.array([0.0, np.nan]))).all()


@given(st.integers(0, 2**32), st.integers(1, 5), st.sampled_from([np.float32, np.float64]))
def test_drawing_is_sampling_and_its_log_probability_at_once(seed, actions, dtype):
    rng = np.random.default_rng(seed)
    logits = (3.0 * rng.standard_normal((4, 2, actions))).astype(dtype)
    logits[rng.random(logits.shape) < 0.3] = -np.inf
    logits[..., rng.integers(actions)] = 0.0
    for greedy in (False, True):
        one, two = (np.random.default_rng(seed) for _ in range(2))
        action, log_prob = categorical.draw(one, logits, greedy)
        wanted = categorical.mode(logits) if greedy else categorical.sample(two, logits)
        assert_array_equal(action, wanted)
        assert log_prob.dtype == dtype
        assert_allclose(log_prob, categorical.log_prob(logits, action), rtol=1e-5, atol=1e-6)
