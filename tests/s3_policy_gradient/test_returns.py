"""TD errors, generalised advantages and λ-returns, beside their definitions written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.kernels import returns as kernels
from refmarl.policy_gradient.returns import (
    discounted_return,
    gae,
    lambda_return,
    n_step_return,
    td_error,
    trace,
)
from refmarl.studies.published import PUBLISHED
from refmarl.testing.trajectories import SEEDS, UNIT, make, places, stop, streams

CASES = streams()
TIGHT = {"rtol": 1e-12, "atol": 1e-12}  # sums of at most nine terms of size one


def delta(case):
    return td_error(*case[:4], case.gamma)


def target(case):
    """G^λ of a case."""
    return lambda_return(case.reward, *case[2:])


# -- TD errors --------------------------------------------------------------------------


@pytest.mark.equation("3.4")
@given(CASES)
def test_an_error_is_what_came_minus_what_was_expected(case):
    for t, m in places(case):
        after = 0.0 if case.terminated[t, m] else case.gamma * case.next_value[t, m]
        wanted = case.reward[t, m] + after - case.value[t, m]
        assert delta(case)[t, m] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.equation("3.4")
@given(CASES)
def test_at_a_terminal_step_the_error_is_reward_minus_value_whatever_follows(case):
    nothing = np.where(case.terminated, np.nan, case.next_value)
    found = delta(case._replace(next_value=nothing))
    assert_array_equal(found, delta(case))
    at = case.terminated
    assert_array_equal(found[at], (case.reward - case.value)[at])


def chain(seed, size, gamma, deterministic=False):
    """(P (S, S) below 1 in every row: the rest terminates, r (S, S + 1), V^π)."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(size + 1), size)  # the last column ends the episode
    if deterministic:
        p = np.eye(size + 1)[1:]
    reward = rng.standard_normal((size, size + 1))
    expected = (p * reward).sum(axis=1)
    return p, reward, np.linalg.solve(np.eye(size) - gamma * p[:, :size], expected)


def expected_errors(p, reward, value, gamma):
    """E[δ | s] (S,): all pairs (s, s') through the function under test."""
    size = len(p)
    after = np.broadcast_to(np.append(value, 7.0), reward.shape)  # 7: the end's value, unread
    ends = np.broadcast_to(np.arange(size + 1) == size, reward.shape)
    before = np.broadcast_to(value[:, None], reward.shape)
    return (p * td_error(reward, before, after, ends, gamma)).sum(axis=1)


@pytest.mark.equation("3.4")
@given(SEEDS, st.integers(1, 5), UNIT, st.sampled_from([1e-3, 1.0]))
def test_expected_errors_vanish_exactly_at_the_policys_values(seed, size, gamma, scale):
    p, reward, value = chain(seed, size, gamma)
    assert_allclose(expected_errors(p, reward, value, gamma), 0.0, atol=1e-9)
    wrong = scale * np.random.default_rng(seed).standard_normal(size)
    found = expected_errors(p, reward, value + wrong, gamma)
    # (γP − I) e, and |(I − γP) e| ≥ (1 − γ max ΣP) |e| in the largest entry
    assert_allclose(found, gamma * p[:, :size] @ wrong - wrong, atol=1e-9)
    least = 1.0 - gamma * p[:, :size].sum(axis=1).max()
    assert abs(found).max() >= least * abs(wrong).max() - 1e-9


@pytest.mark.equation("3.4")
@given(SEEDS, st.integers(1, 6), UNIT)
def test_on_a_deterministic_chain_every_error_vanishes_by_itself(seed, size, gamma):
    _, reward, value = chain(seed, size, gamma, deterministic=True)
    here = np.arange(size)
    after = np.append(value[1:], np.nan)
    ends = here == size - 1
    found = td_error(reward[here, here + 1], value, after, ends, gamma)
    assert_allclose(found, 0.0, atol=1e-12)
    advantage = gae(reward[here, here + 1], value, after, ends, ends, gamma, 0.9)
    assert_allclose(advantage, 0.0, atol=1e-12)


# -- generalised advantages -------------------------------------------------------------


@pytest.mark.equation("3.5")
@given(CASES)
def test_the_recursion_is_the_sum(case):
    errors, wanted = delta(case), np.zeros(case.reward.shape)
    for t, m in places(case):
        for k in range(t, stop(case, t, m) + 1):
            wanted[t, m] += (case.gamma * case.lam) ** (k - t) * errors[k, m]
    assert_allclose(gae(*case), wanted, **TIGHT)


@pytest.mark.equation("3.5")
@given(CASES)
def test_lambda_0_is_the_td_error(case):
    assert_array_equal(gae(*case._replace(lam=0.0)), delta(case))


@pytest.mark.equation("3.5")
@given(CASES)
def test_lambda_1_is_the_bootstrapped_return_minus_the_value(case):
    wanted = -case.value.copy()
    for t, m in places(case):
        end = stop(case, t, m)
        for k in range(t, end + 1):
            wanted[t, m] += case.gamma ** (k - t) * case.reward[k, m]
        if not case.terminated[end, m]:
            wanted[t, m] += case.gamma ** (end - t + 1) * case.next_value[end, m]
    assert_allclose(gae(*case._replace(lam=1.0)), wanted, **TIGHT)


@pytest.mark.equation("3.5")
@given(CASES, SEEDS, st.floats(-3, 3))
def test_it_is_jointly_linear_in_rewards_and_values(case, seed, c):
    other = np.random.default_rng(seed).standard_normal((3, *case.reward.shape))
    both = [a + c * b for a, b in zip(case[:3], other, strict=True)]
    wanted = gae(*case) + c * gae(*other, *case[3:])
    assert_allclose(gae(*both, *case[3:]), wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.equation("3.5")
@given(CASES, SEEDS)
def test_nothing_leaks_from_one_episode_or_stream_into_another(case, seed):
    rng = np.random.default_rng(seed)
    t, m = (int(rng.integers(k)) for k in case.reward.shape)
    own = np.zeros(case.reward.shape, dtype=bool)
    own[t : stop(case, t, m) + 1, m] = True
    strange = [np.where(own, a, np.nan) for a in case[:3]]
    assert gae(*strange, *case[3:])[t, m] == gae(*case)[t, m]


@pytest.mark.equation("3.5")
@given(CASES, st.floats(-2, 2))
def test_a_truncated_episode_bootstraps_and_a_terminated_one_does_not(case, more):
    t, m = len(case.reward) - 1, 0
    for over, slope in ((False, case.gamma), (True, 0.0)):
        ended, terminated = case.ended.copy(), case.terminated.copy()
        ended[t, m], terminated[t, m] = True, over
        here = case._replace(ended=ended, terminated=terminated)
        raised = case.next_value.copy()
        raised[t, m] += more
        gain = gae(*here._replace(next_value=raised)) - gae(*here)
        assert gain[t, m] == pytest.approx(slope * more, abs=1e-12)


@pytest.mark.equation("3.5")
@given(CASES, SEEDS)
def test_cutting_the_rows_is_the_same_as_ending_episodes_there(case, seed):
    at = int(np.random.default_rng(seed).integers(len(case.reward))) + 1
    ended = case.ended.copy()
    ended[at - 1] = True
    whole = gae(*case._replace(ended=ended))
    first = gae(*(a[:at] for a in case[:5]), case.gamma, case.lam)
    assert_array_equal(whole[:at], first)
    if at < len(case.reward):
        assert_array_equal(whole[at:], gae(*(a[at:] for a in case[:5]), case.gamma, case.lam))


@pytest.mark.equation("3.5")
@given(st.integers(1, 9), UNIT, UNIT, st.floats(-3, 3))
def test_a_constant_reward_without_values_gives_a_geometric_sum(steps, gamma, lam, reward):
    ones, zeros = np.ones(steps), np.zeros(steps)
    found = gae(reward * ones, zeros, zeros, zeros, zeros, gamma, lam)
    left, decay = steps - np.arange(steps), gamma * lam
    sums = left if decay == 1.0 else (1.0 - decay**left) / (1.0 - decay)
    assert_allclose(found, reward * sums, rtol=1e-10, atol=1e-10)


# -- returns ----------------------------------------------------------------------------


@pytest.mark.equation("3.5")
@given(CASES)
def test_the_lambda_return_is_advantage_plus_value(case):
    assert_allclose(target(case), gae(*case) + case.value, **TIGHT)


@given(CASES)
def test_the_lambda_return_goes_from_one_step_to_the_whole_return(case):
    one = n_step_return(case.reward, *case[2:6], 1)
    assert_allclose(target(case._replace(lam=0.0)), one, **TIGHT)
    whole = n_step_return(case.reward, *case[2:6], len(case.reward))
    assert_allclose(target(case._replace(lam=1.0)), whole, **TIGHT)


@given(CASES)
def test_a_value_added_everywhere_moves_the_lambda_return_by_what_is_not_yet_seen(case):
    # with γ = 1 and no termination a constant c in V moves G^λ by c, whatever λ is
    still = case._replace(terminated=np.zeros_like(case.terminated), gamma=1.0)
    raised = still._replace(next_value=still.next_value + 5.0)
    assert_allclose(target(raised), target(still) + 5.0, **TIGHT)


@given(CASES)
def test_the_discounted_return_is_the_sum_of_what_comes_within_the_episode(case):
    wanted = np.zeros(case.reward.shape)
    for t, m in places(case):
        for k in range(t, stop(case, t, m) + 1):
            wanted[t, m] += case.gamma ** (k - t) * case.reward[k, m]
    assert_allclose(discounted_return(case.reward, case.ended, case.gamma), wanted, **TIGHT)


# -- traces -----------------------------------------------------------------------------


@pytest.mark.equation("3.5")
@given(CASES, SEEDS, st.integers(1, 3))
def test_looking_back_moves_weights_as_looking_forward_does(case, seed, width):
    """Σ_t δ_t e_t = Σ_t Â_t x_t: TD(λ) with traces is gradient descent on λ-returns."""
    x = np.random.default_rng(seed).standard_normal((*case.reward.shape, width))
    back = (delta(case)[..., None] * trace(x, case.ended, *case[5:])).sum(axis=0)
    forward = (gae(*case)[..., None] * x).sum(axis=0)
    assert_allclose(back, forward, rtol=1e-11, atol=1e-11)


@given(CASES, SEEDS)
def test_a_trace_is_the_decayed_sum_since_the_episode_began(case, seed):
    x = np.random.default_rng(seed).standard_normal((*case.reward.shape, 2))
    found = trace(x, case.ended, case.gamma, case.lam)
    for t, m in places(case):
        first = max([s + 1 for s in range(t) if case.ended[s, m]], default=0)
        weight = (case.gamma * case.lam) ** np.arange(t - first, -1, -1)
        assert_allclose(found[t, m], weight @ x[first : t + 1, m], **TIGHT)
    assert_array_equal(trace(x, case.ended, case.gamma, 0.0), x)
    assert trace(x.astype(np.float32), case.ended, 0.5, 0.5).dtype == np.float32


def test_what_a_trace_needs():
    with pytest.raises(InputError, match=r"features: need .* got shapes \(3, 2\), \(2,\)"):
        trace(np.zeros((3, 2)), np.zeros(2), 0.5, 0.5)
    with pytest.raises(InputError, match="features: need"):
        trace(np.zeros(3), np.zeros(()), 0.5, 0.5)
    with pytest.raises(InputError, match="lam: need"):
        trace(np.zeros((3, 2)), np.zeros(3), 0.5, 1.5)


# -- published numbers ------------------------------------------------------------------


@pytest.mark.equation("3.5")
@pytest.mark.parametrize("lam", ["1", "0.7", "0.4"])
def test_published_advantages(lam):
    # the discount of 0 in the second stream is its way to say that the episode terminated
    data = PUBLISHED["S3.01"].data
    for row, discount, values, wanted in zip(
        data["r"], data["discount"], data["v"], data["advantages"][lam], strict=True
    ):
        over = np.array(discount) == 0.0
        found = gae(np.array(row), *_both(values), over, over, max(discount), float(lam))
        assert_allclose(found, wanted, atol=data["tolerance"])


def _both(values):
    return np.array(values[:-1]), np.array(values[1:])


# -- the machine ------------------------------------------------------------------------


@given(CASES, st.sampled_from([np.float32, np.float64]), st.integers(1, 12))
def test_compiled_and_plain_kernels_agree_in_every_bit(case, dtype, n):
    reward, value, after = (a.astype(dtype) for a in case[:3])
    flags = case[3:5]
    calls = (
        (kernels.td_errors, (reward, value, after, flags[0], case.gamma)),
        (kernels.advantages, (reward, value, after, *flags, case.gamma, case.lam)),
        (kernels.lambda_returns, (reward, after, *flags, case.gamma, case.lam)),
        (kernels.n_step_returns, (reward, after, *flags, case.gamma, n)),
    )
    for function, arguments in calls:
        one, two = np.full_like(reward, np.nan), np.full_like(reward, np.nan)
        function(*arguments, one)
        getattr(function, "py_func", function)(*arguments, two)
        assert_array_equal(one, two, strict=True)
        assert np.isfinite(one).all()


@given(CASES)
def test_single_precision_stays_single_and_near(case):
    single = gae(*(a.astype(np.float32) for a in case[:3]), *case[3:])
    assert single.dtype == np.float32
    assert_allclose(single, gae(*case), rtol=1e-4, atol=1e-4)  # ten roundings of 6e-8


@given(SEEDS, UNIT, UNIT, st.sampled_from([(4,), (4, 1), (4, 2, 3)]))
def test_every_further_axis_is_one_of_streams(seed, gamma, lam, shape):
    case = make(seed, 4, int(np.prod(shape[1:])), gamma, lam, 0.3)
    wide = [a.reshape(shape) for a in case[:5]]
    assert_array_equal(gae(*wide, gamma, lam), gae(*case).reshape(shape))
    assert_array_equal(td_error(*wide[:4], gamma), delta(case).reshape(shape))
    moved = [np.moveaxis(np.moveaxis(a, 0, -1).copy(), -1, 0) for a in wide]  # not contiguous
    assert_array_equal(gae(*moved, gamma, lam), gae(*wide, gamma, lam))


@given(CASES)
def test_nothing_that_is_given_is_changed(case):
    before = [a.copy() for a in case[:5]]
    for function in (delta, target, lambda case: gae(*case)):
        function(case)
    n_step_return(case.reward, *case[2:5], case.gamma, 3)
    for a, b in zip(before, case[:5], strict=True):
        assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"value": np.zeros((3, 1))}, r"argument 2: need shape \(2, 1\), got \(3, 1\)"),
        ({"value": np.zeros((1, 2))}, r"argument 2: need shape \(2, 1\), got \(1, 2\)"),
        ({"terminated": np.ones((1, 1), bool)}, r"argument 4: need shape \(2, 1\)"),
        ({"reward": np.zeros((0, 1))}, r"reward: need \(T, ...\) with T ≥ 1"),
        ({"reward": np.float64(1.0)}, r"reward: need \(T, ...\) with T ≥ 1, got shape \(\)"),
        ({"gamma": 1.5}, r"gamma: need a number in \[0, 1\], got 1.5"),
        ({"gamma": float("nan")}, r"gamma: need a number in \[0, 1\], got nan"),
        ({"lam": -0.1}, r"lam: need a number in \[0, 1\], got -0.1"),
        ({"terminated": np.ones((2, 1), bool)}, "ended: a step that terminates must also have"),
    ],
)
def test_what_cannot_be_is_refused(change, text):
    case = make(0, 2, 1, 0.9, 0.5, 0.0)._replace(**change)
    with pytest.raises(InputError, match=text):
        gae(*case)
