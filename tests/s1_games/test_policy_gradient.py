"""Laws of (1.14): the exact multi-agent policy gradient."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import MarkovGame, NormalForm, evaluate, library, population_field, repeated
from refmarl.games.generators import potential_game
from refmarl.games.induced import induced_mdp, policy_regrets
from refmarl.games.markov_examples import random_markov_game, repeated_dilemma
from refmarl.games.mdp import evaluate_policy
from refmarl.games.policy_gradient import (
    cross_gradients,
    occupancy,
    policy_gradient,
    shared_gradient,
    softmax,
    softmax_policies,
)
from refmarl.nn import check_gradient
from refmarl.testing.strategies import games_with_logits, games_with_profiles

CASES = games_with_logits()
HORIZONS = st.none() | st.integers(1, 4)
STEP = 1e-30  # of the complex step: no difference is taken, so none is too small


def size(game):
    """What gradients may be as large as, at least 1."""
    return max(1.0, np.abs(game.reward).max()) / (1.0 - game.gamma) ** 2


def table_policies(game, logits, observe):
    """π_i(a|o_i(s)), (S, A_i); complex logits are welcome."""
    seen = observe or [range(game.num_states)] * game.num_players
    odds = [np.exp(x) for x in logits]
    return [(w / w.sum(axis=1, keepdims=True))[list(o)] for w, o in zip(odds, seen, strict=True)]


def joint_actions(game, pi):
    """(s, a, π(a|s)) one by one."""
    for s in range(game.num_states):
        for a in product(*map(range, game.num_actions)):
            yield s, a, np.prod([p[s, b] for p, b in zip(pi, a, strict=True)])


def values(game, pi, horizon=None):
    """(chain, V (n, S)) by sums over joint actions; complex policies are welcome."""
    chain = np.zeros((game.num_states,) * 2, dtype=complex)
    paid = np.zeros((game.num_players, game.num_states), dtype=complex)
    for s, a, weight in joint_actions(game, pi):
        chain[s] += weight * game.transition[(s, *a)]
        paid[:, s] += weight * game.reward[(slice(None), s, *a)]
    if horizon is None:
        system = np.eye(game.num_states) - game.gamma * chain
        return chain, np.linalg.solve(system, paid.T).T
    v = np.zeros_like(paid)
    for _ in range(horizon):
        v = paid + game.gamma * v @ chain.T
    return chain, v


def value_of(game, logits, observe, horizon=None):
    """J (n,)."""
    return values(game, table_policies(game, logits, observe), horizon)[1] @ game.initial


def derivative(f, x):
    """∂f/∂x, shape (n, *x.shape), by complex steps."""
    found = np.zeros((len(f(x)), *x.shape))
    for cell in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[cell] += 1j * STEP
        found[(slice(None), *cell)] = f(moved).imag / STEP
    return found


def replaced(logits, j, x):
    return [*logits[:j], x, *logits[j + 1 :]]


@pytest.mark.equation("1.14")
@given(CASES, HORIZONS)
def test_it_is_the_derivative_of_every_value_by_every_logit(case, horizon):
    game, logits, observe = case
    found = cross_gradients(game, logits, observe, horizon)
    own = policy_gradient(game, logits, observe, horizon)
    assert_array_equal(own.values, found.values)
    exact = value_of(game, logits, observe, horizon)
    assert_allclose(found.values, exact.real, atol=1e-11 * size(game))
    for j, x in enumerate(logits):
        expected = derivative(
            lambda y, j=j: value_of(game, replaced(logits, j, y), observe, horizon), x
        )
        assert_allclose(found.gradient[j], expected, atol=1e-10 * size(game))
        assert_array_equal(own.gradient[j], found.gradient[j][j])


@pytest.mark.certifies(
    "refmarl.games.policy_gradient:policy_gradient",
    "refmarl.games.policy_gradient:cross_gradients",
)
@given(CASES, HORIZONS)
def test_values_differ_as_the_gradients_say(case, horizon):
    game, logits, observe = case
    for j, x in enumerate(logits):
        for i in range(game.num_players):

            def own(y, i=i, j=j):
                found = cross_gradients(game, replaced(logits, j, y), observe, horizon)
                return found.values[i], found.gradient[j][i]

            check_gradient(own, x, tolerance=1e-6 * size(game)).require()

        def alone(y, j=j):
            found = policy_gradient(game, replaced(logits, j, y), observe, horizon)
            return found.values[j], found.gradient[j]

        check_gradient(alone, x, tolerance=1e-6 * size(game)).require()


@pytest.mark.certifies("refmarl.games.policy_gradient:shared_gradient")
@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_values_differ_as_the_shared_gradient_says(seed, n, states, actions):
    rng = np.random.default_rng(seed)
    game = random_markov_game(rng, states, (actions,) * n, 0.8)
    for i in range(n):

        def value(theta, i=i):
            found = shared_gradient(game, theta)
            return found.values[i], found.gradient[i]

        check_gradient(value, rng.normal(size=(states, actions))).require()


@pytest.mark.equation("1.14")
@given(CASES)
def test_values_are_those_of_the_policies_in_the_game(case):
    game, logits, observe = case
    pi = softmax_policies(game, logits, observe)
    expected = evaluate(game, pi) @ game.initial
    assert_allclose(policy_gradient(game, logits, observe).values, expected, atol=1e-12)


@pytest.mark.equation("1.14")
@settings(max_examples=20)
@given(CASES, st.integers(0, 99))
def test_any_baseline_of_state_and_others_actions_leaves_it(case, seed):
    game, logits, observe = case
    rng, pi = np.random.default_rng(seed), table_policies(game, logits, observe)
    chain, v = values(game, pi)
    visits = np.linalg.solve(np.eye(game.num_states) - game.gamma * chain.T, game.initial).real
    seen = observe or [range(game.num_states)] * game.num_players
    for i, x in enumerate(logits):
        ones = [1 if j == i else k for j, k in enumerate(game.num_actions)]
        baseline = np.broadcast_to(
            10 * rng.normal(size=(game.num_states, *ones)), game.reward.shape[1:]
        )
        expected = np.zeros_like(x)
        for s, a, weight in joint_actions(game, pi):
            q = game.reward[(i, s, *a)] + game.gamma * game.transition[(s, *a)] @ v[i].real
            score = np.eye(x.shape[1])[a[i]] - pi[i][s]
            expected[seen[i][s]] += visits[s] * weight * score * (q - baseline[(s, *a)])
        found = policy_gradient(game, logits, observe).gradient[i]
        assert_allclose(found, expected, atol=1e-10 * size(game))


@pytest.mark.equation("1.14")
@given(st.integers(0, 999), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_of_shared_logits_it_is_the_sum_over_agents(seed, n, states, actions, team):
    rng = np.random.default_rng(seed)
    game = random_markov_game(rng, states, (actions,) * n, 0.9, "team" if team else "general")
    observe = rng.integers(0, states, (n, states)).tolist()
    logits = rng.normal(size=(states, actions))
    found = shared_gradient(game, logits, observe)
    expected = derivative(lambda y: value_of(game, [y] * n, observe), logits)
    assert_allclose(found.gradient, expected, atol=1e-10 * size(game))
    apart = cross_gradients(game, [logits] * n, observe)
    assert_array_equal(found.values, apart.values)
    assert_allclose(found.gradient, sum(apart.gradient), atol=1e-12 * size(game))


@pytest.mark.equation("1.14")
@given(games_with_profiles(min_players=1), st.integers(0, 99))
def test_one_state_and_no_future_is_the_normal_form_and_its_replicator_field(case, seed):
    game, _ = case
    rng = np.random.default_rng(seed)
    logits = [rng.normal(size=(1, k)) for k in game.num_actions]
    field = population_field(game, [softmax(x)[0] for x in logits])
    found = policy_gradient(repeated(game, 0.0), logits).gradient
    for one, two in zip(found, field, strict=True):
        assert_allclose(one[0], two, atol=1e-12)


@pytest.mark.equation("1.14")
@given(games_with_logits(max_players=1))
def test_of_one_player_it_is_the_single_agent_theorem(case):
    game, (theta,), observe = case
    (pi,) = softmax_policies(game, [theta], observe)
    mdp = induced_mdp(game, [pi], 0)
    q = mdp.action_values(evaluate_policy(mdp, pi))
    expected, seen = np.zeros_like(theta), (observe or [range(game.num_states)])[0]
    reached = game.initial.copy()  # γ^t P(s_t = s)
    for _ in range(3000):
        for s in range(game.num_states):
            expected[seen[s]] += reached[s] * pi[s] * (q[s] - pi[s] @ q[s])
        reached = game.gamma * reached @ np.einsum("sa,sat->st", pi, mdp.transition)
        if reached.max() < 1e-16:
            break
    found = policy_gradient(game, [theta], observe).gradient[0]
    assert_allclose(found, expected, atol=1e-9 * size(game))


@pytest.mark.equation("1.14")
@given(CASES)
def test_each_player_s_is_that_of_its_induced_process(case):
    game, logits, observe = case
    pi = softmax_policies(game, logits, observe)
    for i, x in enumerate(logits):
        mdp = induced_mdp(game, pi, i)
        alone = MarkovGame(mdp.transition, mdp.reward[None], game.gamma, game.initial)
        found = policy_gradient(alone, [x], observe and [observe[i]]).gradient[0]
        expected = policy_gradient(game, logits, observe).gradient[i]
        assert_allclose(found, expected, atol=1e-11 * size(game))


@pytest.mark.equation("1.14")
@given(CASES)
def test_states_that_look_alike_add_up(case):
    game, logits, observe = case
    seen = observe or [list(range(game.num_states))] * game.num_players
    apart = policy_gradient(game, [x[o] for x, o in zip(logits, seen, strict=True)])
    for x, o, found, each in zip(
        logits, seen, policy_gradient(game, logits, observe).gradient, apart.gradient, strict=True
    ):
        expected = np.zeros_like(x)
        for s, row in enumerate(each):
            expected[o[s]] += row
        assert_allclose(found, expected, atol=1e-11 * size(game))


@given(CASES, HORIZONS)
def test_rows_sum_to_zero_and_shifts_of_logits_do_not_matter(case, horizon):
    game, logits, observe = case
    found = policy_gradient(game, logits, observe, horizon)
    shifts = [np.arange(len(x))[:, None] * 3.0 - 500.0 for x in logits]
    moved = [x + c for x, c in zip(logits, shifts, strict=True)]
    other = policy_gradient(game, moved, observe, horizon)
    for i, (g, h) in enumerate(zip(found.gradient, other.gradient, strict=True)):
        assert_allclose(g.sum(axis=1), 0.0, atol=1e-12 * size(game))
        assert_allclose(g, h, atol=1e-9 * size(game))
        if game.num_actions[i] == 1:
            assert_array_equal(g, 0.0)


@given(CASES, st.integers(0, 99))
def test_a_potential_of_the_state_changes_no_gradient(case, seed):
    game, logits, observe = case
    phi = np.random.default_rng(seed).normal(size=game.num_states)
    first = phi.reshape(-1, *(1,) * game.num_players)
    shaped = game.reward + game.gamma * game.transition @ phi - first + 1.0
    other = MarkovGame(game.transition, shaped, game.gamma, game.initial)
    for g, h in zip(
        policy_gradient(game, logits, observe).gradient,
        policy_gradient(other, logits, observe).gradient,
        strict=True,
    ):
        assert_allclose(g, h, atol=1e-9 * size(game))


@given(CASES)
def test_what_is_never_seen_has_no_gradient(case):
    game, logits, observe = case
    seen = observe or [range(game.num_states)] * game.num_players
    longer = [np.concatenate([x, np.ones((2, x.shape[1]))]) for x in logits]
    found = policy_gradient(game, longer, observe).gradient
    visits = occupancy(game, softmax_policies(game, logits, observe))
    for i, (g, x, o) in enumerate(zip(found, logits, seen, strict=True)):
        assert_array_equal(g[len(x) :], 0.0)
        assert_allclose(g[: len(x)], policy_gradient(game, logits, observe).gradient[i])
        for row in set(range(len(x))) - {o[s] for s in np.flatnonzero(visits > 1e-14)}:
            assert_allclose(g[row], 0.0, atol=1e-9)


@given(CASES)
def test_payoffs_that_sum_to_zero_have_cross_gradients_that_do(case):
    game, logits, observe = case
    reward = game.reward.copy()
    reward[-1] = -reward[:-1].sum(axis=0)
    zero = MarkovGame(game.transition, reward, game.gamma, game.initial)
    for g in cross_gradients(zero, logits, observe).gradient:
        assert_allclose(g.sum(axis=0), 0.0, atol=1e-9 * size(game))


@given(CASES, st.integers(1, 5))
def test_occupancy_counts_rounds_and_weighs_rewards(case, horizon):
    game, logits, observe = case
    pi = softmax_policies(game, logits, observe)
    gamma = game.gamma
    assert_allclose(occupancy(game, pi).sum(), 1 / (1 - gamma), rtol=1e-9)
    rounds = sum(gamma**t for t in range(horizon))
    assert_allclose(occupancy(game, pi, horizon).sum(), rounds, rtol=1e-12)
    paid = np.zeros((game.num_players, game.num_states))
    for s, a, weight in joint_actions(game, pi):
        paid[:, s] += weight * game.reward[(slice(None), s, *a)]
    for rounds in (None, horizon):
        found = policy_gradient(game, logits, observe, rounds).values
        assert_allclose(found, paid @ occupancy(game, pi, rounds), atol=1e-11 * size(game))


@settings(max_examples=15)
@given(CASES)
def test_long_horizons_tend_to_no_horizon(case):
    game, logits, observe = case
    rounds = 1 if game.gamma == 0 else int(40 / -np.log(game.gamma)) + 1
    far = policy_gradient(game, logits, observe, rounds)
    ever = policy_gradient(game, logits, observe)
    assert_allclose(far.values, ever.values, atol=1e-12 * size(game))
    for g, h in zip(far.gradient, ever.gradient, strict=True):
        assert_allclose(g, h, atol=1e-10 * size(game))


@pytest.mark.equation("1.14")
@given(st.integers(0, 999), st.integers(1, 3), st.integers(1, 3))
def test_in_a_team_a_step_of_all_along_it_raises_the_common_value(seed, n, states):
    rng = np.random.default_rng(seed)
    game = random_markov_game(rng, states, (2, 3, 2)[:n], 0.5, "team")
    logits = [rng.normal(size=(states, k)) for k in game.num_actions]
    before = policy_gradient(game, logits)
    spread = np.ptp(game.reward) or 1.0  # one action may be all there is
    rate = (1 - game.gamma) ** 3 / (8 * n**2 * spread)
    stepped = [x + rate * g for x, g in zip(logits, before.gradient, strict=True)]
    gain = policy_gradient(game, stepped).values - before.values
    slope = sum((g**2).sum() for g in before.gradient)
    assert (gain >= 0.5 * rate * slope * (1 - 1e-6) - 1e-12).all()


@pytest.mark.equation("1.14")
@given(st.integers(0, 999), st.integers(1, 3))
def test_in_a_potential_game_it_is_the_potential_s(seed, n):
    rng = np.random.default_rng(seed)
    game, potential = potential_game(rng, (2, 3, 2)[:n])
    team = NormalForm(np.stack([potential] * n))
    logits = [rng.normal(size=(1, k)) for k in game.num_actions]
    for g, h in zip(
        policy_gradient(repeated(game, 0.0), logits).gradient,
        policy_gradient(repeated(team, 0.0), logits).gradient,
        strict=True,
    ):
        assert_allclose(g, h, atol=1e-10)


def test_at_a_mixed_equilibrium_it_is_zero_and_nearly_so_at_any_pure_policy():
    pennies = repeated(library.game("matching-pennies"), 0.5)
    for g in policy_gradient(pennies, [np.zeros((1, 2))] * 2).gradient:
        assert_allclose(g, 0.0, atol=1e-15)
    dilemma, cooperate = repeated_dilemma(0.5), [np.array([[40.0, 0.0]])] * 2
    assert policy_regrets(dilemma, softmax_policies(dilemma, cooperate)).min() > 3.9
    for g in policy_gradient(dilemma, cooperate).gradient:
        assert np.abs(g).max() < 1e-15  # a plateau, far from any equilibrium


def test_logits_of_any_size_give_numbers():
    game = repeated_dilemma(0.5)
    found = policy_gradient(game, [[[1e300, -1e300]], [[-1e300, -1e300]]])
    assert_allclose(found.values, [3.0, 8.0])
    assert_array_equal(found.gradient[0], 0.0)


@pytest.mark.parametrize(
    ("logits", "observe", "horizon", "says"),
    [
        ([np.zeros((1, 2))], None, None, "need 2 tables"),
        ([np.zeros((1, 2)), np.zeros((1, 3))], None, None, "player 1: need 1 or more rows of 2"),
        ([np.zeros((1, 2))] * 2, [[0], [1]], None, "player 1: need 2 or more rows"),
        ([np.zeros((1, 2))] * 2, [[0]], None, "observe: need 2 rows"),
        ([np.zeros((1, 2))] * 2, [[0], [-1]], None, "whole number"),
        ([np.zeros((1, 2))] * 2, [[0], [0.5]], None, "whole number"),
        ([np.zeros((1, 2))] * 2, [[0], [0, 0]], None, "each of 1"),
        ([np.full((1, 2), 1e305)] * 2, None, None, "larger than"),
        ([np.zeros((1, 2))] * 2, None, 0, "horizon"),
        ([np.zeros((1, 2))] * 2, None, 10**9, "horizon"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(logits, observe, horizon, says):
    with pytest.raises(InputError, match=says) as error:
        policy_gradient(repeated_dilemma(0.5), logits, observe, horizon)
    assert "\n" not in str(error.value)


def test_sharing_needs_equal_actions():
    game = MarkovGame(np.ones((1, 2, 3, 1)), np.zeros((2, 1, 2, 3)), 0.5)
    with pytest.raises(InputError, match="numbers of actions"):
        shared_gradient(game, np.zeros((1, 2)))
