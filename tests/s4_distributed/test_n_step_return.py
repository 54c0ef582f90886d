"""n-step returns: limits, mixtures, and what bootstrapping leaves of an error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.kernels import returns as kernels
from refmarl.policy_gradient.returns import gae, lambda_return, n_step_return, td_error
from refmarl.studies.published import PUBLISHED
from refmarl.testing.trajectories import SEEDS, UNIT, make, places, stop, streams

CASES = streams()
COUNTS = st.integers(1, 12)  # more than there are rows
TIGHT = {"rtol": 1e-12, "atol": 1e-12}  # sums of at most nine terms of size one


def returns(case, n):
    return n_step_return(case.reward, *case[2:5], case.gamma, n)


def literal(case, n):
    """(4.1) term by term."""
    wanted = np.zeros(case.reward.shape)
    for t, m in places(case):
        count = min(n, stop(case, t, m) - t + 1)
        for k in range(count):
            wanted[t, m] += case.gamma**k * case.reward[t + k, m]
        if not case.terminated[t + count - 1, m]:
            wanted[t, m] += case.gamma**count * case.next_value[t + count - 1, m]
    return wanted


@pytest.mark.equation("4.1")
@given(CASES, COUNTS)
def test_it_is_the_definition_summed_term_by_term(case, n):
    assert_allclose(returns(case, n), literal(case, n), **TIGHT)


@st.composite
def pieces(draw):
    """(case, n): many rows, with n from one to more than there are."""
    steps = draw(st.integers(8, 60))
    gamma = draw(st.sampled_from([0.0, 1e-300, 1e-30, 0.5, 0.99, 1.0]))
    ends = draw(st.sampled_from([0.0, 0.02, 0.1, 0.3]))
    case = make(draw(SEEDS), steps, draw(st.integers(1, 3)), gamma, 1.0, ends)
    return case, draw(st.integers(1, steps + 2))


@pytest.mark.equation("4.1")
@given(pieces())
def test_so_it_is_in_long_pieces_for_every_count(piece):
    case, n = piece
    assert_allclose(returns(case, n), literal(case, n), rtol=1e-11, atol=1e-11)  # 60 terms


@pytest.mark.equation("4.1")
@pytest.mark.parametrize("steps", range(7, 26))
def test_every_count_fits_into_every_number_of_rows(steps):
    case = make(steps, steps, 2, 0.9, 1.0, 0.05)
    for n in range(1, steps + 2):
        assert_allclose(returns(case, n), literal(case, n), **TIGHT)


@given(pieces(), SEEDS)
def test_nothing_beyond_an_end_is_read_into_long_windows(piece, seed):
    case, n = piece
    rng = np.random.default_rng(seed)
    t, m = (int(rng.integers(k)) for k in case.reward.shape)
    own = np.zeros(case.reward.shape, dtype=bool)
    own[t : stop(case, t, m) + 1, m] = True
    strange = case._replace(
        reward=np.where(own, case.reward, np.nan), next_value=np.where(own, case.next_value, np.inf)
    )
    assert returns(strange, n)[t, m] == returns(case, n)[t, m]


@given(pieces(), SEEDS)
def test_long_windows_do_not_see_how_the_rows_are_cut(piece, seed):
    case, n = piece
    at = int(np.random.default_rng(seed).integers(1, len(case.reward)))
    ended = case.ended.copy()
    ended[at - 1] = True
    whole = returns(case._replace(ended=ended), n)
    rows = [{name: getattr(case, name)[part] for name in case._fields[:5]}
            for part in (slice(at), slice(at, None))]  # fmt: skip
    parts = np.concatenate([returns(case._replace(**own), n) for own in rows])
    assert_allclose(whole, parts, rtol=1e-11, atol=1e-11)  # sums in another order


@given(pieces(), st.sampled_from([np.float32, np.float64]))
def test_compiled_and_plain_windows_agree_in_every_bit(piece, dtype):
    case, n = piece
    given = (case.reward.astype(dtype), case.next_value.astype(dtype), *case[3:5], case.gamma)
    one, two = np.full((2, *case.reward.shape), np.nan, dtype)
    kernels.n_step_returns(*given, n, one)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("lambda_returns", "_add_rows", "_raise", "_reach"):
            patch.setattr(kernels, name, getattr(kernels, name).py_func)
        kernels.n_step_returns.py_func(*given, n, two)
    assert_array_equal(one, two, strict=True)
    assert np.isfinite(one).all()


@pytest.mark.equation("4.1")
@given(CASES)
def test_n_1_is_the_td_target(case):
    errors = td_error(*case[:4], case.gamma)
    assert_allclose(returns(case, 1), errors + case.value, **TIGHT)


@pytest.mark.equation("4.1")
@given(CASES, st.sampled_from([9, 10, 10**6, 10**30]))
def test_n_beyond_every_end_is_monte_carlo(case, n):
    over = case.ended.copy()
    over[-1] = True  # every episode terminates: no value is used
    whole = case._replace(terminated=over, ended=over)
    rewards = np.zeros(case.reward.shape)
    for t, m in places(whole):
        powers = case.gamma ** np.arange(stop(whole, t, m) - t + 1)
        rewards[t, m] = powers @ case.reward[t : t + len(powers), m]
    assert_allclose(returns(whole, n), rewards, **TIGHT)
    assert_allclose(returns(case, n), lambda_return(case.reward, *case[2:6], 1.0), **TIGHT)


@pytest.mark.equation("4.1")
@given(CASES, COUNTS)
def test_one_reward_more_is_one_step_before_the_return_that_follows(case, n):
    longer, shorter = returns(case, n + 1), returns(case, n)
    for t, m in places(case):
        if stop(case, t, m) > t:
            wanted = case.reward[t, m] + case.gamma * shorter[t + 1, m]
            assert longer[t, m] == pytest.approx(wanted, rel=1e-12, abs=1e-12)
        else:
            assert longer[t, m] == shorter[t, m]


@pytest.mark.equation("4.1")
@given(CASES)
def test_their_geometric_mixture_is_the_lambda_return(case):
    lam, last = case.lam, len(case.reward)
    mixture = lam ** (last - 1) * returns(case, last)
    for n in range(1, last):
        mixture = mixture + (1.0 - lam) * lam ** (n - 1) * returns(case, n)
    assert_allclose(lambda_return(case.reward, *case[2:]), mixture, **TIGHT)


@pytest.mark.equation("4.1")
@given(CASES, COUNTS)
def test_minus_the_value_it_is_a_sum_of_td_errors(case, n):
    errors = td_error(*case[:4], case.gamma)
    wanted = np.zeros(case.reward.shape)
    for t, m in places(case):
        for k in range(t, min(t + n - 1, stop(case, t, m)) + 1):
            wanted[t, m] += case.gamma ** (k - t) * errors[k, m]
    assert_allclose(returns(case, n) - case.value, wanted, **TIGHT)
    if n >= len(case.reward):
        assert_allclose(wanted, gae(*case._replace(lam=1.0)), **TIGHT)


@pytest.mark.equation("4.1")
@given(SEEDS, st.integers(1, 8), UNIT, COUNTS)
def test_an_error_of_the_values_is_left_with_the_weight_gamma_to_the_n(seed, steps, gamma, n):
    # a deterministic chain that terminates: V^π is known, and V = V^π + e is used
    reward, error = np.random.default_rng(seed).standard_normal((2, steps))
    true = np.zeros(steps + 1)
    for t in reversed(range(steps)):
        true[t] = reward[t] + gamma * true[t + 1]
    over = np.arange(steps) == steps - 1
    found = n_step_return(reward, true[1:] + np.roll(error, -1), over, over, gamma, n)
    left = [gamma**n * error[t + n] if t + n < steps else 0.0 for t in range(steps)]
    assert_allclose(found - true[:-1], left, **TIGHT)


@pytest.mark.equation("4.1")
@given(CASES, COUNTS, SEEDS)
def test_other_episodes_are_not_seen_and_cutting_the_rows_ends_them(case, n, seed):
    at = int(np.random.default_rng(seed).integers(len(case.reward))) + 1
    ended = case.ended.copy()
    ended[at - 1] = True
    whole = returns(case._replace(ended=ended), n)
    parts = [
        returns(case._replace(**{name: getattr(case, name)[rows] for name in case._fields[:5]}), n)
        for rows in (slice(at), slice(at, None))
        if len(case.reward[rows])
    ]
    assert_array_equal(whole, np.concatenate(parts))


@given(st.integers(1, 9), UNIT, COUNTS, st.floats(-3, 3))
def test_a_constant_reward_gives_a_geometric_sum(steps, gamma, n, reward):
    zeros = np.zeros(steps)
    found = n_step_return(np.full(steps, reward), zeros, zeros, zeros, gamma, n)
    left = np.minimum(n, steps - np.arange(steps))
    sums = left if gamma == 1.0 else (1.0 - gamma**left) / (1.0 - gamma)
    assert_allclose(found, reward * sums, rtol=1e-10, atol=1e-10)


def test_an_end_at_every_step_leaves_rewards_and_what_truncation_bootstraps():
    case = make(0, 5, 2, 0.9, 0.5, 1.0)
    wanted = case.reward + 0.9 * np.where(case.terminated, 0.0, case.next_value)
    assert_allclose(returns(case, 3), wanted, **TIGHT)


@pytest.mark.equation("4.1")
@pytest.mark.parametrize(("key", "n"), [("n3", 3), ("n5", 5), ("discounted", 5)])
def test_published_returns(key, n):
    # A discount of its own for each step: with P_t the product of those before t, P_t G_t is the
    # return of the rewards P_t r_t and the values P_t V, undiscounted.
    data = PUBLISHED["S3.02"].data
    for row, discount, after, wanted in zip(
        data["r"], data["discount"], data["v"], data[key], strict=True
    ):
        product = np.cumprod([1.0, *discount])
        reward, value = product[:-1] * row, product[1:] * after
        never = np.zeros(len(row), dtype=bool)
        found = n_step_return(reward, value, never, never, 1.0, n) / product[:-1]
        assert_allclose(found, wanted, atol=data["tolerance"])


@pytest.mark.parametrize("n", [0, -1, 1.5, True, None])
def test_a_count_that_is_none_is_refused(n):
    case = make(0, 2, 1, 0.9, 0.5, 0.0)
    with pytest.raises(InputError, match="n: need a whole number ≥ 1"):
        returns(case, n)
