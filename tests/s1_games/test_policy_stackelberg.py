"""Laws of (1.18): commitment to policies, strong and weak."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import markov_examples
from refmarl.games.induced import induced_mdp, policy_regrets
from refmarl.games.markov import MarkovGame, evaluate, repeated
from refmarl.games.mdp import MDP, evaluate_policy, solve_mdp
from refmarl.games.policy_stackelberg import (
    _Cells,
    _halves,
    best_actions,
    committed,
    policy_stackelberg,
    pure_policy_commitment,
)
from refmarl.games.shapley import shapley_iteration
from refmarl.games.stackelberg import leader_payoff, pure_commitment, stackelberg
from refmarl.testing.strategies import bimatrix_games, markov_games, policies

GAMES = markov_games(min_players=2, max_players=2, max_actions=3, max_states=3)
SMALL = markov_games(min_players=2, max_players=2, max_actions=2, max_states=2)
LEADERS = st.integers(0, 1)
TIES = st.sampled_from(["strong", "weak"])


def size(game):
    return max(1.0, np.abs(game.reward).max() / (1.0 - game.gamma))


def pure(states, actions):
    return [np.eye(actions)[list(row)] for row in product(range(actions), repeat=states)]


def joint(leader, own, response):
    return (own, response) if leader == 0 else (response, own)


def values(game, leader, own, response):
    """(J_L, J_F)."""
    found = evaluate(game, joint(leader, own, response)) @ game.initial
    return found[leader], found[1 - leader]


def turned(game):
    """The players change places."""
    return MarkovGame(
        game.transition.swapaxes(1, 2),
        game.reward[::-1].swapaxes(2, 3),
        game.gamma,
        initial=game.initial,
    )


@pytest.mark.equation("1.18")
@given(GAMES, LEADERS, st.data())
def test_the_response_is_best_and_its_ties_go_one_way_or_the_other(game, leader, data):
    own = data.draw(policies(game))[leader]
    other = game.num_actions[1 - leader]
    every = [values(game, leader, own, f) for f in pure(game.num_states, other)]
    top = max(f for _, f in every)
    tied = [mine for mine, f in every if f >= top - 1e-10 * size(game)]
    strong, weak = (committed(game, own, leader, ties) for ties in ("strong", "weak"))
    atol = 1e-9 * size(game)
    assert_allclose(strong.payoff, max(tied), atol=atol)
    assert_allclose(weak.payoff, min(tied), atol=atol)
    for found in (strong, weak):
        assert_allclose(found.follower_payoff, top, atol=atol)
        payoffs = values(game, leader, own, found.response)
        assert_allclose((found.payoff, found.follower_payoff), payoffs, atol=atol)


@pytest.mark.equation("1.18")
@given(GAMES, LEADERS, TIES, st.data())
def test_the_follower_s_response_has_no_regret(game, leader, ties, data):
    own = data.draw(policies(game))[leader]
    found = committed(game, own, leader, ties)
    gains = policy_regrets(game, joint(leader, found.policy, found.response))
    assert gains[1 - leader] <= 1e-9 * size(game)
    assert found.leader == leader
    assert_array_equal(found.response.sum(axis=1), 1.0)


@pytest.mark.equation("1.18")
@settings(max_examples=25)
@given(SMALL, LEADERS)
def test_no_pure_policy_is_a_better_commitment_and_strong_is_at_least_weak(game, leader):
    for ties in ("strong", "weak"):
        best = pure_policy_commitment(game, leader, ties)
        tried = [
            committed(game, p, leader, ties).payoff
            for p in pure(game.num_states, game.num_actions[leader])
        ]
        assert_allclose(best.payoff, max(tried), atol=1e-12 * size(game))
    strong, weak = (pure_policy_commitment(game, leader, t) for t in ("strong", "weak"))
    assert strong.payoff >= weak.payoff - 1e-9 * size(game)


@pytest.mark.equation("1.18")
@settings(max_examples=25)
@given(SMALL, LEADERS)
def test_strong_commitment_is_worth_at_least_every_pure_equilibrium(game, leader):
    best = pure_policy_commitment(game, leader).payoff
    mine, theirs = game.num_actions[leader], game.num_actions[1 - leader]
    for own, response in product(pure(game.num_states, mine), pure(game.num_states, theirs)):
        profile = joint(leader, own, response)
        if policy_regrets(game, profile).sum() <= 1e-12 * size(game):
            assert best >= values(game, leader, own, response)[0] - 1e-9 * size(game)


@pytest.mark.equation("1.18")
@pytest.mark.equation("1.8")
@settings(max_examples=30)
@given(bimatrix_games(), LEADERS, TIES, st.sampled_from([0.0, 0.5, 0.9]))
def test_one_state_is_row_1_8(stage, leader, ties, gamma):
    game = repeated(stage, gamma)
    scale = 1.0 / (1.0 - gamma)
    once, found = stackelberg(stage, leader, ties), policy_stackelberg(game, leader, ties)
    assert_allclose(found.bound, scale * once.payoff, atol=1e-6 * scale)
    assert found.found.payoff <= found.bound
    if once.attained:
        assert_allclose(found.found.payoff, found.bound, atol=1e-6 * scale)
    simple, pure_once = (
        pure_policy_commitment(game, leader, ties),
        pure_commitment(stage, leader, ties),
    )
    assert_allclose(simple.payoff, scale * pure_once.payoff, atol=1e-9 * scale)


@pytest.mark.equation("1.18")
@given(bimatrix_games(), LEADERS, TIES, st.data())
def test_in_one_state_a_commitment_earns_what_it_does_in_row_1_8(stage, leader, ties, data):
    game = repeated(stage, 0.0)
    own = data.draw(policies(game))[leader]
    once = leader_payoff(stage, own[0], leader, ties)
    assert_allclose(committed(game, own, leader, ties).payoff, once, atol=1e-9 * size(game))


@pytest.mark.equation("1.18")
@settings(max_examples=20)
@given(SMALL, LEADERS, st.integers(0, 99))
def test_no_policy_exceeds_the_bound(game, leader, seed):
    found = policy_stackelberg(game, leader, gap=0.05, max_cells=60)
    assert found.found.payoff <= found.bound
    again = committed(game, found.found.policy, leader)
    assert_allclose(again.payoff, found.found.payoff, atol=1e-9 * size(game))
    rng = np.random.default_rng(seed)
    actions = game.num_actions[leader]
    drawn = rng.dirichlet(np.ones(actions), size=(20, game.num_states))
    ties = rng.integers(0, 5, size=(20, game.num_states, actions)) + 1e-9
    ties /= ties.sum(axis=-1, keepdims=True)
    for own in (*drawn, *ties, *pure(game.num_states, actions)):
        assert committed(game, own, leader).payoff <= found.bound + 1e-9 * size(game)
    weak = policy_stackelberg(game, leader, "weak", gap=0.05, max_cells=60)
    assert weak.found.payoff <= found.bound + 1e-9 * size(game)


@pytest.mark.equation("1.18")
@settings(max_examples=40)
@given(GAMES, LEADERS, st.integers(0, 999))
def test_the_bound_of_a_cell_holds_for_every_policy_in_it(game, leader, seed):
    rng = np.random.default_rng(seed)
    actions, cells = game.num_actions[leader], _Cells(game, leader)
    whole = np.broadcast_to(np.eye(actions), (game.num_states, actions, actions))
    small = 0.9 * rng.dirichlet(np.ones(actions), game.num_states)[:, None] + 0.1 * whole
    for cell in (whole, small):
        bound = cells.bound(cell)
        inner = rng.dirichlet(np.full(actions, 0.3), size=(8, game.num_states))
        for weights in (*inner, *pure(game.num_states, actions)[:27]):
            own = np.einsum("sk,ska->sa", weights, cell)
            assert committed(game, own, leader).payoff <= bound + 1e-9 * size(game)


@given(st.integers(1, 3), st.integers(2, 4), st.integers(1, 5), st.integers(0, 999))
def test_two_halves_make_the_whole_cell(states, actions, cuts, seed):
    rng = np.random.default_rng(seed)
    cell = np.broadcast_to(np.eye(actions), (states, actions, actions))
    for _ in range(cuts):
        parts = _halves(cell)
        weights = rng.dirichlet(np.ones(actions), size=(20, states))
        for point in np.einsum("nsk,ska->nsa", weights, cell):
            inside = [
                min(np.linalg.solve(part[s].T, point[s]).min() for s in range(states)) >= -1e-9
                for part in parts
            ]
            assert any(inside)
        volumes = [np.prod(np.abs(np.linalg.det(part))) for part in (*parts, cell)]
        assert_allclose(volumes[:2], volumes[2] / 2)
        cell = parts[rng.integers(2)]


@pytest.mark.equation("1.18")
@settings(max_examples=15)
@given(SMALL, LEADERS)
def test_changing_places_changes_the_leader(game, leader):
    one = policy_stackelberg(game, leader, max_cells=30)
    two = policy_stackelberg(turned(game), 1 - leader, max_cells=30)
    assert_allclose(one.bound, two.bound, atol=1e-9 * size(game))
    assert_allclose(one.found.payoff, two.found.payoff, atol=1e-9 * size(game))
    a = pure_policy_commitment(game, leader).payoff
    b = pure_policy_commitment(turned(game), 1 - leader).payoff
    assert_allclose(a, b, atol=1e-9 * size(game))


@pytest.mark.equation("1.18")
@settings(max_examples=10)
@given(
    markov_games(min_players=2, max_players=2, max_actions=2, max_states=2, zero_sum=True),
    LEADERS,
)
def test_in_zero_sum_games_it_makes_no_difference_who_moves_first(game, leader):
    solved = shapley_iteration(game)
    value = float(game.initial @ solved.value) * (1 - 2 * leader)
    found = policy_stackelberg(game, leader, max_cells=100)
    atol = 1e-7 * size(game)
    assert found.found.payoff - atol <= value <= found.bound + atol
    secured = committed(game, solved.policies[leader], leader, "weak").payoff
    assert_allclose(secured, value, atol=1e-6 * size(game))


@pytest.mark.equation("1.18")
@settings(max_examples=15)
@given(SMALL)
def test_with_common_interest_the_leader_gets_the_best_joint_policy(game):
    team = MarkovGame(
        game.transition, np.stack([game.reward[0]] * 2), game.gamma, initial=game.initial
    )
    states = game.num_states
    flat = MDP(
        team.transition.reshape(states, -1, states), team.reward[0].reshape(states, -1), game.gamma
    )
    best = float(solve_mdp(flat).values @ game.initial)
    for ties in ("strong", "weak"):
        found = pure_policy_commitment(team, 0, ties).payoff
        assert_allclose(found, best, atol=1e-9 * size(game))


@pytest.mark.equation("1.18")
def test_the_gap_closes_and_mixing_beats_pure_commitment():
    game = two_rooms(0.5)
    found = policy_stackelberg(game, gap=0.01, max_cells=3000)
    spread = np.ptp(game.reward[0]) / (1 - game.gamma)
    assert found.bound - found.found.payoff <= 0.01 * spread + 1e-12
    assert found.found.payoff > pure_policy_commitment(game).payoff + 0.1


def two_rooms(gamma):
    """In both rooms the stage game of row 1.8, at different stakes; the follower changes rooms."""
    stage = np.array([[[2.0, 4.0], [1.0, 3.0]], [[1.0, 0.0], [0.0, 1.0]]])
    reward = np.stack([stage, 2 * stage], axis=1)
    moves = np.zeros((2, 2, 2, 2))
    moves[0, :, 0, 0] = moves[0, :, 1, 1] = moves[1, :, 0, 1] = moves[1, :, 1, 0] = 1.0
    return MarkovGame(moves, reward, gamma, initial=[1, 0])


@given(GAMES, st.data())
def test_best_actions_are_what_optimal_policies_mix(game, data):
    pi = data.draw(policies(game))
    mdp = induced_mdp(game, pi, 1)
    allowed, best = best_actions(mdp), solve_mdp(mdp).values
    mixed = allowed / allowed.sum(axis=1, keepdims=True)
    assert_allclose(evaluate_policy(mdp, mixed), best, atol=1e-6 * size(game))
    for s, a in zip(*np.nonzero(~allowed), strict=True):
        worse = mixed.copy()
        worse[s] = np.eye(len(mixed[0]))[a]
        assert evaluate_policy(mdp, worse)[s] < best[s]


# bad input


def test_what_cannot_be_used_is_refused():
    game = markov_examples.remembered_dilemma(0.5)
    alone = MarkovGame(np.ones((1, 2, 1)), [[[0.0, 1.0]]], 0.5)
    with pytest.raises(InputError, match="game: need 2 players, got 1"):
        committed(alone, [[1, 0]])
    with pytest.raises(InputError, match="ties: need 'strong' or 'weak'"):
        pure_policy_commitment(game, 0, "mild")
    with pytest.raises(InputError, match="leader: need an index"):
        policy_stackelberg(game, 2)
    with pytest.raises(InputError, match="policy of player 0: need"):
        committed(game, [[1, 0]])
    with pytest.raises(InputError, match="gap: need a positive number"):
        policy_stackelberg(game, gap=0)
    with pytest.raises(InputError, match="max_cells"):
        policy_stackelberg(game, max_cells=0)
    soccer = markov_examples.soccer(0.9)
    with pytest.raises(InputError, match=r"leader: .* deterministic policies; the cap is"):
        pure_policy_commitment(soccer)
    with pytest.raises(InputError, match=r"follower: .* deterministic policies"):
        policy_stackelberg(soccer)
    ring = markov_examples.pursuit(9, 0.5)
    with pytest.raises(InputError, match=r"follower: .* are too many"):
        policy_stackelberg(ring)


def test_one_action_each_is_the_value_of_the_chain():
    game = MarkovGame(np.full((2, 1, 1, 2), 0.5), [[[[1]], [[3]]], [[[0]], [[1]]]], 0.5)
    found = policy_stackelberg(game)
    assert_allclose([found.found.payoff, found.bound], 4.0)
    assert_allclose(found.found.follower_payoff, 1.0)
