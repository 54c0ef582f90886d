"""Row 2.9: what shaping by a potential leaves as it was, and what a wrong end does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.cooperative.shaping import Shaped, shaped_game, shaped_reward, terminal_states
from refmarl.env_api import random_actions
from refmarl.envs import CartPole, Foraging, Navigation, Pursuit, TabularEnv
from refmarl.games.induced import action_values, policy_regrets
from refmarl.games.markov import MarkovGame, evaluate
from refmarl.games.mdp import MDP, solve_mdp
from refmarl.games.policy_gradient import policy_gradient
from refmarl.testing.check_env import check_env
from refmarl.testing.strategies import (
    games_with_logits,
    markov_games,
    seeded_markov_games_with_policies,
)
from refmarl.testing.trajectories import streams

SEEDS = st.integers(0, 2**32)


def potentials(game, seed, own=True):
    shape = (game.num_players, game.num_states) if own else (game.num_states,)
    return 5.0 * np.random.default_rng(seed).standard_normal(shape)


def with_an_end(game):
    """The game with one more state: from everywhere it is reached with probability 1/4."""
    size, actions = game.num_states, game.num_actions
    moves = np.zeros((size + 1, *actions, size + 1))
    moves[:size, ..., :size], moves[:size, ..., size] = 0.75 * game.transition, 0.25
    moves[size, ..., size] = 1.0
    reward = np.zeros((game.num_players, size + 1, *actions))
    reward[:, :size] = game.reward
    return MarkovGame(moves, reward, game.gamma, [*game.initial, 0.0])


def worth(game, phi):
    """Φ_i as it counts, (n, S): 0 where the game is over."""
    return np.where(terminal_states(game), 0.0, phi)


@pytest.mark.equation("2.9")
@given(seeded_markov_games_with_policies(), SEEDS, st.booleans())
def test_action_values_sink_by_the_potential(case, seed, ends):
    game, policies = case
    if ends:
        game = with_an_end(game)
        policies = tuple(np.vstack([p, p[:1]]) for p in policies)
    phi = potentials(game, seed)
    new, old = shaped_game(game, phi), game
    low = worth(game, phi)
    for i in range(game.num_players):
        assert_allclose(
            action_values(new, policies, i),
            action_values(old, policies, i) - low[i][:, None],
            atol=1e-8,
        )
    assert_allclose(evaluate(new, policies), evaluate(old, policies) - low, atol=1e-8)


@pytest.mark.equation("2.9")
@given(seeded_markov_games_with_policies(), SEEDS)
def test_regrets_and_with_them_nash_equilibria_stay(case, seed):
    game, policies = case
    new = shaped_game(game, potentials(game, seed))
    assert_allclose(policy_regrets(new, policies), policy_regrets(game, policies), atol=1e-8)


@pytest.mark.equation("2.9")
@given(markov_games(1, 1), SEEDS)
def test_the_same_policies_are_optimal(game, seed):
    new = shaped_game(game, potentials(game, seed, own=False))
    best, best_new = (solve_mdp(MDP(g.transition, g.reward[0], g.gamma)) for g in (game, new))
    earned = evaluate(game, (best_new.policy,))[0]
    assert_allclose(earned, best.values, atol=1e-7)
    assert_allclose(evaluate(new, (best.policy,))[0], best_new.values, atol=1e-7)


@pytest.mark.equation("2.9")
@given(games_with_logits(), SEEDS)
def test_the_policy_gradient_stays(case, seed):
    """J changes by −Σ ρ Φ, which does not depend on the policies."""
    game, logits, seen = case
    new = shaped_game(game, potentials(game, seed))
    pairs = zip(
        policy_gradient(new, logits, seen).gradient,
        policy_gradient(game, logits, seen).gradient,
        strict=True,
    )
    for got, want in pairs:
        assert_allclose(got, want, atol=1e-7)


@pytest.mark.equation("2.9")
@given(streams())
def test_what_is_added_telescopes_from_start_to_end_of_an_episode(case):
    added = shaped_reward(
        np.zeros(case.reward.shape), case.value, case.next_value, case.terminated, case.gamma
    )
    for m in range(added.shape[1]):
        first = 0
        for t in range(len(added)):
            if not case.ended[t, m] and t < len(added) - 1:
                continue
            steps = t + 1 - first
            total = case.gamma ** np.arange(steps) @ added[first : t + 1, m]
            last = 0.0 if case.terminated[t, m] else case.next_value[t, m]
            assert_allclose(
                total, case.gamma**steps * last - case.value[first, m], rtol=1e-9, atol=1e-9
            )
            first = t + 1


@pytest.mark.equation("2.9")
@given(streams(), SEEDS)
def test_a_terminal_states_potential_counts_as_zero_and_one_at_a_truncation_stays(case, seed):
    more = np.random.default_rng(seed).standard_normal(case.reward.shape)

    def shaped(after):
        return shaped_reward(case.reward, case.value, after, case.terminated, case.gamma)

    change = shaped(case.next_value + more) - shaped(case.next_value)
    assert_array_equal(change[case.terminated], 0.0)
    assert_allclose(change[~case.terminated], case.gamma * more[~case.terminated], atol=1e-9)


def two_exits(gamma=0.5):
    """One decision: exit 1 pays 1, exit 2 nothing; both are final."""
    moves = np.zeros((3, 2, 3))
    moves[0, 0, 1] = moves[0, 1, 2] = moves[1, :, 1] = moves[2, :, 2] = 1.0
    return MarkovGame(moves, [[[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]], gamma, [1, 0, 0])


def test_keeping_the_potential_of_an_end_changes_the_optimum():
    """Φ = 4 at the second exit: r' = 0 + γ 4 beats r' = 1 if the end's potential is kept."""
    phi = np.array([0.0, 0.0, 4.0])
    right = shaped_game(two_exits(), phi)
    assert right.reward[0, 0].tolist() == [1.0, 0.0]
    kept = shaped_reward([1.0, 0.0], phi[0], phi[1:], [False, False], 0.5)
    assert kept.tolist() == [1.0, 2.0]
    as_it_should = shaped_reward([1.0, 0.0], phi[0], phi[1:], [True, True], 0.5)
    assert as_it_should.tolist() == [1.0, 0.0]


@given(markov_games(1, 2), SEEDS)
def test_one_potential_for_all_is_that_of_each(game, seed):
    phi = potentials(game, seed, own=False)
    each = np.broadcast_to(phi, (game.num_players, game.num_states))
    assert_array_equal(shaped_game(game, phi).reward, shaped_game(game, each).reward)


def test_the_state_that_pays_and_the_state_that_can_be_left_are_not_terminal():
    moves = np.zeros((3, 1, 3))
    moves[0, 0, 0] = moves[1, 0, 1] = 1.0
    moves[2, 0] = [0.5, 0.0, 0.5]
    game = MarkovGame(moves, [[[0.0], [1.0], [0.0]]], 0.9)
    assert terminal_states(game).tolist() == [True, False, False]


# -- environments -----------------------------------------------------------------------


def distance(state):
    """Of each agent to the middle."""
    return (-np.linalg.norm(state.x[..., :2], axis=-1),)


def off_centre(state):
    """Of a cart."""
    return -abs(state.x[:, 0])


def hunger(state):
    """Less than 0 while there is food."""
    return -state.food.sum(axis=1)


@pytest.mark.parametrize(
    "env",
    [
        Shaped(CartPole(), off_centre, 0.99),
        Shaped(Navigation(horizon=7), distance, 0.9),
        Shaped(Foraging(), hunger, 1.0),
    ],
    ids=lambda env: env.env.name,
)
def test_a_shaped_environment_keeps_all_promises(env):
    check_env(env)


@given(SEEDS, st.sampled_from([0.0, 0.9, 1.0]), st.booleans())
def test_the_return_of_an_episode_changes_by_the_ends_alone(seed, gamma, ends):
    """Terminated or cut by the clock: Σ γ^t (r' − r) = γ^T (1 − d) Φ(s_T) − Φ(s_0)."""
    game = "pennies_until_equal" if ends else "repeated_dilemma"
    inside = TabularEnv(game=game, horizon=6)
    size = inside.twin().num_states
    phi = np.random.default_rng(seed).standard_normal(size)
    env = Shaped(inside, lambda state: phi[state.s], gamma)
    rng = np.random.default_rng(seed)
    state, weight, total = env.reset(rng, 1), 1.0, 0.0
    first = phi[state.s[0]]
    for _ in range(6):
        actions = random_actions(env, rng, state)
        (paid,) = inside.step(state, actions)[1].reward
        after, step = env.step(state, actions)
        total += weight * (step.reward[0] - paid)[0]
        weight, state = weight * gamma, after
        if state.ended[0]:
            break
    last = 0.0 if step.terminated[0] else weight * phi[state.s[0]]
    assert_allclose(total, np.full(2, last - first), atol=1e-9)


@pytest.mark.parametrize(
    ("potential", "says"),
    [(lambda state: np.zeros(3), "potential"), (lambda state: (np.zeros(1),), "potential")],
)
def test_a_potential_of_another_shape_is_refused(potential, says):
    env = Shaped(Pursuit(), potential, 0.9)
    state = env.reset(np.random.default_rng(0), 2)
    with pytest.raises(InputError, match=says):
        env.step(state, random_actions(env, np.random.default_rng(0), state))


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        (([0.0], [0.0], [0.0], [False], 1.5), "gamma"),
        (([0.0], [np.inf], [0.0], [False], 0.5), "potential"),
        (([0.0], [0.0], [0.0], [0], 0.5), "terminated"),
        (([0.0, 1.0], [0.0, 1.0, 2.0], [0.0], [False], 0.5), "do not fit"),
    ],
)
def test_bad_input_is_told_in_a_line(given_, says):
    with pytest.raises(InputError, match=says):
        shaped_reward(*given_)


def test_a_potential_for_other_states_is_refused():
    with pytest.raises(InputError, match="potential"):
        shaped_game(two_exits(), [1.0, 2.0])
