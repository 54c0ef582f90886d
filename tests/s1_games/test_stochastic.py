"""Soccer, grids and commons: entries worked out from the rules, symmetries, known values."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, induced, markov
from refmarl.games.markov_examples import remembered_dilemma, repeated_dilemma
from refmarl.games.newton import newton_iteration
from refmarl.games.shapley import shapley_iteration
from refmarl.games.sparse import SparseMarkovGame, best_values, evaluate, policy_regrets
from refmarl.games.stochastic import soccer as football
from refmarl.games.stochastic.coins import coin_game
from refmarl.games.stochastic.commons import cleanup, harvest
from refmarl.games.stochastic.grid_games import grid_game, step
from refmarl.games.stochastic.memory import remembered
from refmarl.games.stochastic.pursuit import pursuit
from refmarl.games.stochastic.soccer import hand_built, positions, soccer, turned
from refmarl.games.stochastic.stopping import dynkin
from refmarl.testing.strategies import bimatrix_games, mixtures, stochastic_tables

STAY, NORTH, SOUTH, EAST, WEST = range(5)


def follows(game, s, *a):
    """{state: probability} after the joint action a in s."""
    found = {}
    for k, p in zip(game.successors[(s, *a)], game.probability[(s, *a)], strict=True):
        if p > 0:
            found[int(k)] = found.get(int(k), 0.0) + float(p)
    return found


def swapped(game, states, actions):
    """The same game if the players change places: state and action names go with them."""
    moves = game.transition[states][..., states][:, actions][:, :, actions]
    reward = game.reward[::-1, states][:, :, actions][:, :, :, actions]
    return moves.transpose(0, 2, 1, 3), reward.transpose(0, 1, 3, 2)


# ------------------------------------------------------------------------------ soccer

LITTMAN = soccer()
SOLVED = newton_iteration(LITTMAN)
PLACES = positions(4, 5)
NUMBER = {state: k for k, state in enumerate(PLACES)}
KICKOFF = {((2, 1), (1, 3), 0): 0.5, ((2, 1), (1, 3), 1): 0.5}
HOLDER = np.array([1 - 2 * ball for *_, ball in PLACES])


@pytest.mark.parametrize(
    ("state", "actions", "want", "reward"),
    [
        # a free step each
        (((0, 0), (3, 4), 0), (EAST, NORTH), {((0, 1), (2, 4), 0): 1}, 0),
        # against the wall: above and below the goal the field is closed
        (((0, 4), (3, 0), 0), (EAST, WEST), {((0, 4), (3, 0), 0): 1}, 0),
        # without the ball nobody leaves through the goal
        (((1, 4), (3, 0), 1), (EAST, STAY), {((1, 4), (3, 0), 1): 1}, 0),
        # the wrong goal counts for nobody
        (((1, 0), (3, 4), 0), (WEST, STAY), {((1, 0), (3, 4), 0): 1}, 0),
        # a goal, whoever moves first
        (((1, 4), (3, 0), 0), (EAST, EAST), KICKOFF, 1),
        (((0, 4), (2, 0), 1), (STAY, WEST), KICKOFF, -1),
        # the holder runs into one who stands: the ball is lost
        (((1, 1), (1, 2), 0), (EAST, STAY), {((1, 1), (1, 2), 1): 1}, 0),
        # who runs into the holder gains nothing
        (((1, 1), (1, 2), 0), (STAY, WEST), {((1, 1), (1, 2), 0): 1}, 0),
        # both run at each other: whoever moves second has the ball in the end
        (((1, 1), (1, 2), 0), (EAST, WEST),
         {((1, 1), (1, 2), 0): 0.5, ((1, 1), (1, 2), 1): 0.5}, 0),
        # both want the same cell: the first gets it, and the ball of the second
        (((1, 1), (1, 3), 0), (EAST, WEST),
         {((1, 2), (1, 3), 0): 0.5, ((1, 1), (1, 2), 1): 0.5}, 0),
        # the other leaves in time, or not
        (((1, 1), (1, 2), 0), (EAST, NORTH),
         {((1, 2), (0, 2), 0): 0.5, ((1, 1), (0, 2), 1): 0.5}, 0),
    ],
)  # fmt: skip
def test_entries_worked_out_from_littmans_rules(state, actions, want, reward):
    k = NUMBER[state]
    assert follows(LITTMAN, k, *actions) == {NUMBER[s]: p for s, p in want.items()}
    assert_array_equal(LITTMAN.reward[(slice(None), k, *actions)], [reward, -reward])


def test_if_the_goal_comes_first_the_other_does_not_move():
    """Player 2, with the ball next to player 1, in its goal's mouth: half of the orders score."""
    k = NUMBER[(1, 1), (1, 0), 1]
    assert LITTMAN.reward[0, k, STAY, WEST] == -1
    k = NUMBER[(1, 4), (1, 3), 0]
    assert LITTMAN.reward[0, k, EAST, EAST] == 1  # the bump before it takes no ball


def test_its_size_is_littmans():
    assert LITTMAN.num_states == 20 * 19 * 2 == 760
    assert LITTMAN.gamma == 0.9
    assert_allclose(LITTMAN.probability.sum(axis=-1), 1.0)
    start = {PLACES[k] for k in np.flatnonzero(LITTMAN.initial)}
    assert start == {((2, 1), (1, 3), 0), ((2, 1), (1, 3), 1)}


@pytest.mark.parametrize("size", [(2, 3), (4, 5), (3, 2)])
def test_half_a_turn_exchanges_the_players(size):
    rows, columns = size
    kickoff = ((2, 1), (1, 3)) if size == (4, 5) else ((0, 0), (rows - 1, columns - 1))
    game = soccer(0.9, rows, columns, range(1, rows - 1) or range(rows), kickoff)
    states, actions = turned(rows, columns)
    assert_array_equal(states[states], np.arange(len(states)))
    assert_array_equal(
        game.reward[0], -game.reward[0][states][:, actions][:, :, actions].swapaxes(1, 2)
    )
    for s, a, b in product(range(0, game.num_states, 7), range(5), range(5)):
        image = {int(states[k]): p for k, p in follows(game, s, a, b).items()}
        there = follows(game, states[s], actions[b], actions[a])
        assert there.keys() == image.keys()
        assert all(abs(there[k] - p) < 1e-12 for k, p in image.items())


@pytest.mark.equation("1.13")
def test_values_change_their_sign_with_the_players_and_kickoff_is_worth_nothing():
    states, _ = turned(4, 5)
    assert_allclose(SOLVED.value[states], -SOLVED.value, atol=1e-7)
    assert_allclose(SOLVED.value @ LITTMAN.initial, 0.0, atol=1e-7)
    assert SOLVED.error <= 1e-8


@pytest.mark.equation("1.13")
def test_north_and_south_are_alike_although_the_kickoff_is_not():
    """It is worth 0 wherever it is, so that the value does not know where."""
    flip = [NUMBER[(3 - p[0], p[1]), (3 - q[0], q[1]), ball] for p, q, ball in PLACES]
    assert_allclose(SOLVED.value[flip], SOLVED.value, atol=1e-7)
    other = newton_iteration(soccer(kickoff=((0, 0), (3, 4))))
    assert_allclose(other.value, SOLVED.value, atol=1e-7)


def test_the_ball_is_worth_something_but_not_more_than_a_free_run():
    """Who holds it may stand for ever and lose nothing; d steps from the goal it is γ^d at most."""
    for k, (p, q, ball) in enumerate(PLACES):
        row, column = (p, q)[ball]
        ahead = (4 - column, column)[ball]
        steps = ahead + min(abs(row - 1), abs(row - 2))
        assert 0 < HOLDER[k] * SOLVED.value[k] <= 0.9**steps + 1e-8
    standing = np.eye(5)[np.zeros(760, dtype=int)]
    free = best_values(LITTMAN, (standing, standing))
    assert_allclose(free[0][HOLDER == -1], 0.0, atol=1e-12)  # never gets the ball from a statue
    mouth = [k for k, (p, _, ball) in enumerate(PLACES) if ball == 0 and p in ((1, 4), (2, 4))]
    assert_allclose(SOLVED.value[mouth], 1.0, atol=1e-8)  # nobody can stand in the goal itself


@pytest.mark.equation("1.17")
def test_optimal_policies_are_an_equilibrium_and_the_rules_of_thumb_are_not():
    assert policy_regrets(LITTMAN, SOLVED.policies).max() <= 2e-8
    thumb = hand_built()
    states, actions = turned(4, 5)
    assert_array_equal(thumb[1][states][:, actions], thumb[0])
    regret = policy_regrets(LITTMAN, thumb)
    assert_allclose(regret[0], regret[1], atol=1e-9)
    uniform = np.full((760, 5), 0.2)
    assert evaluate(LITTMAN, (thumb[0], uniform))[0] @ LITTMAN.initial > 0.5
    assert 0.05 < regret[0] < policy_regrets(LITTMAN, (uniform, uniform))[0]
    secured = -best_values(LITTMAN, thumb)[1] @ LITTMAN.initial
    assert secured <= evaluate(LITTMAN, (thumb[0], SOLVED.policies[1]))[0] @ LITTMAN.initial <= 1e-8


@pytest.mark.equation("1.13")
def test_the_small_field_is_solved_alike_by_shapleys_iteration():
    small = soccer(0.9, 2, 3, range(2), ((0, 0), (1, 2)))
    assert_allclose(
        newton_iteration(small).value, shapley_iteration(small.dense()).value, atol=1e-7
    )


# -------------------------------------------------------------------------- grid games


@pytest.mark.parametrize("number", [1, 2])
def test_left_and_right_exchange_the_robots(number):
    game = grid_game(number)
    mirror = {c: 3 * (c // 3) + 2 - c % 3 for c in range(9)}
    states = [s.split() for s in game.states[:-1]]
    where = {tuple(s): k for k, s in enumerate(states)}
    image = [where[str(mirror[int(q)]), str(mirror[int(p)])] for p, q in states] + [72]
    moves, reward = swapped(game, image, [0, 1, 3, 2])
    assert_allclose(moves, game.transition, atol=1e-12)
    assert_allclose(reward, game.reward, atol=1e-12)
    over = game.transition[72]
    assert (over[..., 72] == 1).all()
    assert not game.reward[:, 72].any()


def path(game, *, one, two):
    """Policies that follow two paths of cells where both are on them, else go up."""
    directions = {3: 0, -3: 1, -1: 2, 1: 3}
    chosen = [[0] * game.num_states, [0] * game.num_states]
    for t in range(len(one) - 1):
        k = game.states.index(f"{one[t]} {two[t]}")
        chosen[0][k] = directions[one[t + 1] - one[t]]
        chosen[1][k] = directions[two[t + 1] - two[t]]
    return game.pure(chosen)


@pytest.mark.equation("1.17")
def test_grid_game_1_has_an_equilibrium_of_two_shortest_paths():
    """Hu & Wellman 2003: 97 each, that is 100 γ³."""
    game = grid_game(1)
    pi = path(game, one=(0, 3, 6, 7, 8), two=(2, 1, 4, 3, 6))  # crosses behind the other
    assert_allclose(markov.evaluate(game, pi) @ game.initial, 100 * 0.99**3)
    assert_allclose(induced.policy_regrets(game, pi), 0.0, atol=1e-9)


@pytest.mark.equation("1.17")
def test_grid_game_2_pays_the_middle_all_and_the_barrier_half():
    """Hu & Wellman 2003: 98 and 49."""
    game = grid_game(2)
    middle, barrier = np.zeros((2, 73), dtype=int)
    for k, name in enumerate(game.states[:-1]):
        p, q = map(int, name.split())
        middle[k] = {0: 3, 1: 0, 4: 0, 3: 3, 6: 3}.get(p, 0)
        barrier[k] = {5: 0, 8: 2, 2: 0}.get(q, 0)
    pi = game.pure([middle, barrier])
    assert_allclose(markov.evaluate(game, pi) @ game.initial, [98.01, 49.005])
    best = induced.policy_regrets(game, pi)
    assert_allclose(best[0], 0.0, atol=1e-9)
    assert best[1] <= 1e-9


def test_robots_bump_into_walls_each_other_and_barriers():
    game = grid_game(2)
    up, right, left = 0, 3, 2
    k = game.states.index
    both = game.transition[k("0 2"), up, up]
    assert {game.states[s]: p for s, p in enumerate(both) if p} == {
        "0 2": 0.25, "3 2": 0.25, "0 5": 0.25, "3 5": 0.25,
    }  # fmt: skip
    assert_array_equal(game.reward[:, k("0 2"), right, left], [-1, -1])  # the cell between
    assert game.transition[k("0 2"), right, left, k("0 2")] == 1
    assert_array_equal(game.reward[:, k("3 4"), right, left], [-1, -1])  # change places
    assert_array_equal(game.reward[:, k("6 8"), right, left], [100, 100])  # one goal for both
    assert game.transition[k("6 8"), right, left, 72] == 1
    assert_array_equal(game.reward[:, k("0 1"), right, up], [0, 0])  # it has left
    assert [step(c, a) for c, a in ((6, 0), (0, 1), (0, 2), (2, 3))] == [6, 0, 0, 2]
    with pytest.raises(InputError, match="number 1 or 2"):
        grid_game(3)


# ----------------------------------------------------------------------------- pursuit


@pytest.mark.parametrize("size", [(2, 2), (2, 3), (4, 4)])
def test_a_prey_that_sees_one_predator_is_never_caught(size):
    """Some cell within its reach is out of the other's, wherever that one stands."""
    solved = newton_iteration(pursuit(*size))
    assert_array_equal(solved.value, 0.0)


@pytest.mark.equation("1.13")
@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("cells", [2, 3])
def test_on_a_ring_where_all_can_be_reached_it_is_a_guess(cells, gamma):
    """V = 1/m + (1 - 1/m) γ V on m cells."""
    value = newton_iteration(pursuit(1, cells, gamma=gamma)).value
    assert_allclose(value[:-1], 1 / (cells - (cells - 1) * gamma), atol=1e-8)


def test_two_predators_who_act_as_one_catch_it():
    game = pursuit(2, 3, predators=2)
    shape = (game.num_states, 25, 5, -1)
    reward = game.reward[0].reshape(shape[:3])
    team = SparseMarkovGame(
        game.successors.reshape(shape), game.probability.reshape(shape), [reward, -reward], 0.9
    )
    value = newton_iteration(team).value
    assert value[:-1].min() > 0.2
    assert value.max() <= 1


@pytest.mark.parametrize("size", [(3, 3), (2, 4)])
def test_the_torus_has_no_east_or_west(size):
    game = pursuit(*size)
    value = evaluate(game, [np.full((game.num_states, 5), 0.2)] * 2)[0]
    torus = [s for s in product(range(size[0]), range(size[1])) if s != (0, 0)]
    where = {s: k for k, s in enumerate(torus)}
    flip = [where[s[0], -s[1] % size[1]] for s in torus]
    assert_allclose(value[:-1][flip], value[:-1], atol=1e-9)
    if size == (3, 3):
        assert_allclose(value[:-1], value[[where[s[::-1]] for s in torus]], atol=1e-9)


def test_pursuit_pays_on_capture_and_ends():
    game = pursuit(3, 3, predators=2, needed=2)
    assert_allclose(game.reward.sum(axis=0), 0.0)
    assert follows(game, game.num_states - 1, 0, 0, 0) == {game.num_states - 1: 1.0}
    assert not game.reward[:, -1].any()
    beside = game.states.index("((0, 1), (1, 0))")
    together = (4, 1, 0)  # west, north, the prey stays
    assert_array_equal(game.reward[(slice(None), beside, *together)], [1, 1, -2])
    assert follows(game, beside, *together) == {game.num_states - 1: 1.0}
    assert not game.reward[(slice(None), beside, 4, 0, 0)].any()  # one is not enough
    assert follows(game, beside, 4, 0, 0) == {game.states.index("((0, 0), (1, 0))"): 1.0}
    assert follows(game, beside, 0, 0, 4) == {game.states.index("((0, 2), (1, 1))"): 1.0}


def test_predators_may_change_places():
    game = pursuit(2, 3, predators=2)
    order = [eval(s) if s != "caught" else s for s in game.states]
    image = [order.index(s[::-1] if s != "caught" else s) for s in order]
    dense = game.dense()
    moved = dense.transition[image][..., image].transpose(0, 2, 1, 3, 4)
    assert_array_equal(moved, dense.transition)
    assert_array_equal(dense.reward[1][image].swapaxes(1, 2), dense.reward[0])


# ------------------------------------------------------------------------ social dilemmas


def test_red_and_blue_may_change_places():
    game = coin_game().dense()
    order = [eval(s) for s in game.states]
    image = [order.index((q, p, coin, 1 - owner)) for p, q, coin, owner in order]
    moves, reward = swapped(game, image, [0, 1, 2, 3])
    assert_allclose(moves, game.transition, atol=1e-12)
    assert_allclose(reward, game.reward, atol=1e-12)


def test_coins_pay_as_lerer_and_peysakhovich_say():
    game = coin_game(3, 3)
    k = game.states.index("((0, 0), (2, 2), (0, 1), 0)")  # a red coin east of red
    assert_allclose(game.reward[:, k, 2, 0], [1, 0], atol=1e-12)
    k = game.states.index("((0, 0), (2, 2), (0, 1), 1)")  # a blue one
    assert_allclose(game.reward[:, k, 2, 0], [1, -2], atol=1e-12)
    assert follows(game, k, 0, 0) == {game.states.index("((2, 0), (1, 2), (0, 1), 1)"): 1.0}
    after = follows(game, k, 2, 0)
    assert len(after) == 14  # 7 free cells in 2 colours
    assert_allclose(list(after.values()), 1 / 14)
    k = game.states.index("((0, 0), (0, 2), (0, 1), 1)")
    assert_allclose(
        game.reward[:, k, 2, 3], [1, 1 - 2], atol=1e-12
    )  # both at once, the coin is blue's
    total = game.reward.sum(axis=0)
    assert set(np.unique(total.round(9))) == {-1.0, 0.0, 1.0}


def test_greed_over_coins_pays_one_and_costs_both():
    """Greedy for all coins against greedy: each best reply takes more than sparing would give."""
    game = coin_game(2, 2, gamma=0.9)
    order = [eval(s) for s in game.states]

    def towards(i, greedy):
        chosen = []
        for s in order:
            wants = greedy or s[3] == i
            gaps = [abs(s[i][0] - s[2][0]), abs(s[i][1] - s[2][1])]
            away = 0 if gaps[0] == 0 else 2  # not onto a coin that is one step away
            chosen.append((0 if gaps[0] else 2) if wants else away if sum(gaps) == 1 else 0)
        return np.eye(4)[chosen]

    greed = evaluate(game, (towards(0, True), towards(1, True))) @ game.initial
    peace = evaluate(game, (towards(0, False), towards(1, False))) @ game.initial
    betrayal = evaluate(game, (towards(0, True), towards(1, False))) @ game.initial
    assert_allclose(greed[0], greed[1], atol=1e-9)
    assert peace.min() > greed.max()
    assert betrayal[0] > peace[0] > greed[0] > betrayal[1]


@given(st.integers(1, 3), st.integers(1, 5), st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=20)
def test_nothing_grows_from_nothing(n, capacity, growth):
    game = harvest(n, capacity, growth)
    assert (game.transition[0][..., 0] == 1).all()
    assert not game.reward[:, 0].any()
    for stock, a in product(range(capacity + 1), product((0, 1), repeat=n)):
        taken = game.reward[(slice(None), stock, *a)].sum()
        assert_allclose(taken, min(stock, a.count(0)), atol=1e-12)
        after = game.transition[(stock, *a)] @ np.arange(capacity + 1)
        left = stock - taken
        grown = growth * left / capacity if left < capacity else 0.0
        assert_allclose(after, left + grown, atol=1e-12)


def test_harvest_and_cleanup_are_dilemmas():
    """All together would wait, or clean, where each alone is better off not to."""
    commons = harvest(2, 4, 1.0, 0.95)
    greedy = commons.pure([[0] * 5] * 2)
    sparing = commons.pure([[0, 1, 1, 0, 0], [0, 1, 1, 1, 0]])
    worth = [markov.evaluate(commons, pi).sum(axis=0) @ commons.initial for pi in (greedy, sparing)]
    assert worth[1] > worth[0] * 1.5
    assert induced.policy_regrets(commons, sparing).max() > 0.01

    river = cleanup(2, 3, 0.75, 0.9)
    nobody = river.pure([[1] * 4] * 2)
    shared = river.pure([[1, 0, 0, 0], [1, 1, 1, 1]])
    worth = [markov.evaluate(river, pi).sum(axis=0) @ river.initial for pi in (nobody, shared)]
    assert worth[1] > worth[0]


@given(st.integers(1, 3), st.integers(1, 4), st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=20)
def test_pollution_rises_unless_somebody_cleans(n, levels, waste):
    game = cleanup(n, levels, waste)
    for dirt, a in product(range(levels + 1), product((0, 1), repeat=n)):
        left = max(dirt - a.count(0), 0)
        after = game.transition[(dirt, *a)] @ np.arange(levels + 1)
        assert_allclose(after, left + waste * (left < levels), atol=1e-12)
        pays = [0.0 if x == 0 else 1 - dirt / levels for x in a]
        assert_allclose(game.reward[(slice(None), dirt, *a)], pays)


# ------------------------------------------------------------------- memory and stopping


@given(bimatrix_games(), st.sampled_from([0.0, 0.5, 0.9]), st.data())
def test_without_using_the_memory_a_remembered_game_is_the_repeated_one(stage, gamma, data):
    game = remembered(stage, gamma)
    x = [data.draw(mixtures(k)) for k in stage.num_actions]
    pi = [np.tile(s, (game.num_states, 1)) for s in x]
    alone = markov.evaluate(markov.repeated(stage, gamma), [s[None] for s in x])
    assert_allclose(markov.evaluate(game, pi), np.tile(alone, (1, game.num_states)), atol=1e-9)


def test_the_remembered_dilemma_is_a_case():
    stage = NormalForm(repeated_dilemma(0.5).reward[:, 0])
    game, other = remembered(stage, 0.5), remembered_dilemma(0.5)
    assert_array_equal(game.transition, other.transition)
    assert_array_equal(game.reward, other.reward)
    assert_array_equal(game.initial, other.initial)
    assert_array_equal(remembered(stage, 0.5, (1, 0)).initial, [0, 0, 1, 0])


@st.composite
def stopping_games(draw):
    size = draw(st.integers(1, 4))
    chain = draw(stochastic_tables((size, size)))
    pays = draw(arrays(float, (3, size), elements=st.integers(-5, 5).map(float)))
    return chain, np.sort(pays, axis=0), draw(st.sampled_from([0.0, 0.5, 0.9]))


@pytest.mark.equation("1.13")
@given(stopping_games())
def test_stopping_games_with_ordered_payoffs_need_no_mixing(case):
    """V = min(second, max(first, γ P V)), by iterating that equation alone."""
    chain, (first, both, second), gamma = case
    value = np.zeros(len(chain))
    for _ in range(400):
        value = np.minimum(second, np.maximum(first, gamma * chain @ value))
    game = dynkin(chain, first, second, both, gamma)
    solved = shapley_iteration(game)
    assert_allclose(solved.value[:-1], value, atol=1e-6)
    assert solved.value[-1] == 0.0


def test_a_duel_in_which_both_wait_for_the_other_needs_mixing():
    """To stop at once is good for player 1, to stop alone is bad for it, whoever does."""
    game = dynkin([[1]], [-1], [-1], [2], 0.5)  # both at once is good for player 1 only
    value = shapley_iteration(game).value[0]
    inside = 0.5 * value
    assert_allclose(value, (2 * inside - 1) / (2 + inside + 2), atol=1e-7)


@pytest.mark.parametrize(
    ("call", "needs"),
    [
        (lambda: soccer(rows=1, columns=1, goal=[0]), "two cells or more"),
        (lambda: soccer(goal=[4]), r"row of the goal: need an index in 0\.\.3"),
        (lambda: soccer(kickoff=((0, 0), (0, 0))), r"kickoff: need two cells"),
        (lambda: soccer(kickoff=((0, 0), (4, 0))), "kickoff: need cells of a field"),
        (lambda: soccer(rows=30, columns=30), "the cap is"),
        (lambda: LITTMAN.dense(), "760 × 5 × 5 × 760 = 14440000"),
        (lambda: pursuit(3, 3, 1, 2), "needed: need 1..1"),
        (lambda: pursuit(9, 9, 3), "the cap is"),
        (lambda: pursuit(1, 1), "caught from the start"),
        (lambda: coin_game(1, 2), "three cells"),
        (lambda: coin_game(20, 20), "the cap is"),
        (lambda: harvest(growth=1.5), "growth: need a probability"),
        (lambda: cleanup(waste=-1), "waste: need a probability"),
        (lambda: remembered(NormalForm.zero_sum(np.zeros((99, 99))), 0.5), "the cap is"),
    ],
)
def test_what_cannot_be_built_is_refused(call, needs):
    with pytest.raises(InputError, match=needs):
        call()


def test_a_chain_that_does_not_fit_is_refused():
    with pytest.raises(InputError, match="square chain"):
        dynkin([[1, 0]], [1], [1], [1], 0.5)


def test_positions_are_all_pairs_of_cells():
    assert len(set(football.positions(3, 4))) == 12 * 11 * 2
