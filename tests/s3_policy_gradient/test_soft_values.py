"""Soft values of known tables: the laws of (3.13), and three ways to the same fixed point."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.games.mdp import MDP, solve_mdp
from refmarl.policy_gradient.soft_values import (
    backup,
    evaluate_softly,
    soft_maximum,
    soft_policy,
    soft_value_iteration,
    solve_softly,
)

SEEDS = st.integers(0, 2**32)
ALPHAS = st.sampled_from([0.01, 0.3, 1.0, 10.0])
GAMMAS = st.sampled_from([0.0, 0.5, 0.9, 0.99])


def process(seed, gamma, states=None, actions=None):
    """A random decision process: some rows are deterministic, some rewards are equal."""
    rng = np.random.default_rng(seed)
    states, actions = states or int(rng.integers(1, 6)), actions or int(rng.integers(1, 5))
    rows = rng.dirichlet(np.full(states, 0.5), (states, actions))
    return MDP(rows, np.rint(4.0 * rng.standard_normal((states, actions))) / 4.0, gamma), rng


def log(p):
    return np.log(np.where(p > 0, p, 1.0))


@pytest.mark.equation("3.13")
@given(SEEDS, ALPHAS, GAMMAS)
def test_the_operator_contracts_by_gamma_rises_with_v_and_moves_a_constant_by_gamma(
    seed, alpha, gamma
):
    mdp, rng = process(seed, gamma)
    v, w = 5.0 * rng.standard_normal((2, mdp.num_states))
    distance = abs(backup(mdp, v, alpha) - backup(mdp, w, alpha)).max()
    assert distance <= gamma * abs(v - w).max() + 1e-12
    assert (backup(mdp, np.maximum(v, w), alpha) >= backup(mdp, v, alpha) - 1e-12).all()
    moved = backup(mdp, v + 3.0, alpha) - backup(mdp, v, alpha)
    assert_allclose(moved, 3.0 * gamma, atol=1e-11)


@pytest.mark.equation("3.13")
@given(SEEDS, ALPHAS)
def test_the_soft_maximum_is_the_best_that_any_policy_gets_with_its_entropy(seed, alpha):
    rng = np.random.default_rng(seed)
    q = 3.0 * rng.standard_normal((4, int(rng.integers(1, 6))))
    best = soft_policy(q, alpha)
    assert_allclose(best.sum(axis=-1), 1.0, atol=1e-12)
    soft = soft_maximum(q, alpha)
    assert_allclose((best * (q - alpha * log(best))).sum(axis=-1), soft, atol=1e-10)
    other = rng.dirichlet(np.ones(q.shape[1]), 4)
    gap = soft - (other * (q - alpha * log(other))).sum(axis=-1)
    kl = (other * (log(other) - (q - soft[:, None]) / alpha)).sum(axis=-1)
    assert_allclose(gap, alpha * kl, atol=1e-9)  # what is lost is α KL(π‖π_soft), ≥ 0


@pytest.mark.equation("3.13")
@given(SEEDS, ALPHAS, GAMMAS)
def test_at_the_fixed_point_the_policy_is_proportional_to_exp_q_and_earns_its_values(
    seed, alpha, gamma
):
    mdp, rng = process(seed, gamma)
    values, policy, _ = solve_softly(mdp, alpha)
    size = 1e-11 * (1.0 + abs(values).max()) / (1.0 - gamma)
    assert_allclose(backup(mdp, values, alpha), values, atol=size)
    q = mdp.action_values(values)
    odds = np.exp((q - q.max(axis=1, keepdims=True)) / alpha)
    assert_allclose(policy, odds / odds.sum(axis=1, keepdims=True), atol=1e-9 + size / alpha)
    assert_allclose(evaluate_softly(mdp, policy, alpha), values, atol=size)
    other = rng.dirichlet(np.ones(mdp.num_actions), mdp.num_states)
    assert (evaluate_softly(mdp, other, alpha) <= values + size).all()


@pytest.mark.equation("3.13")
@given(SEEDS, st.sampled_from([0.0, 0.5, 0.9]), ALPHAS)
def test_value_iteration_comes_to_it_at_the_rate_gamma(seed, gamma, alpha):
    mdp, _ = process(seed, gamma)
    values = solve_softly(mdp, alpha).values
    for sweeps in (1, 5, 40):
        error = abs(soft_value_iteration(mdp, alpha, sweeps) - values).max()
        assert error <= gamma**sweeps * abs(values).max() + 1e-9


@pytest.mark.equation("3.13")
@given(SEEDS, GAMMAS)
def test_soft_values_lie_above_the_best_values_by_at_most_alpha_log_a_and_come_down(seed, gamma):
    mdp, _ = process(seed, gamma)
    best, before = solve_mdp(mdp).values, np.inf
    assert_allclose(solve_softly(mdp, 0.0).values, best, atol=1e-9)
    for alpha in (1.0, 0.1, 0.001):
        above = solve_softly(mdp, alpha).values - best
        room = 1e-9 / (1.0 - gamma)
        assert (above >= -room).all()
        assert (above <= alpha * np.log(mdp.num_actions) / (1.0 - gamma) + room).all()
        assert (above <= before + room).all()  # falls with α
        before = above


@pytest.mark.equation("3.13")
@given(SEEDS, ALPHAS, GAMMAS)
def test_the_objective_is_the_discounted_sum_of_rewards_and_entropies(seed, alpha, gamma):
    mdp, rng = process(seed, gamma)
    pi = rng.dirichlet(np.ones(mdp.num_actions), mdp.num_states)
    chain = np.einsum("sa,sat->st", pi, mdp.transition)
    paid = (pi * (mdp.reward - alpha * log(pi))).sum(axis=1)
    at, total, weight = np.eye(mdp.num_states), np.zeros(mdp.num_states), 1.0
    for _ in range(200):
        total, at, weight = total + weight * at @ paid, at @ chain, weight * gamma
    rest = gamma**200 * abs(paid).max() / (1.0 - gamma)
    assert_allclose(evaluate_softly(mdp, pi, alpha), total, atol=rest + 1e-9)


def test_values_so_far_apart_that_exp_overflows():
    q = np.array([1e300, 0.0, -1e300])
    assert soft_maximum(q, 1e-3) == 1e300
    assert_allclose(soft_policy(q, 1e-3), [1.0, 0.0, 0.0])
    assert_allclose(soft_policy(np.array([2.0, 2.0, 1.0]), 0.0), [0.5, 0.5, 0.0])


def test_a_negative_temperature_is_refused():
    for alpha in (-1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="alpha: need a number ≥ 0"):
            soft_maximum(np.zeros(2), alpha)
