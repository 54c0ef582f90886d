"""Laws of (1.20): beliefs, values and best responses in partially observed games, Dec-POMDPs."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import dec_pomdp
from refmarl.games.dec_pomdp import centralised_value, solve_dec_pomdp
from refmarl.games.induced import induced_mdp
from refmarl.games.markov import MarkovGame, evaluate
from refmarl.games.posg import (
    POSG,
    belief_update,
    fully_observed,
    histories,
    observation_probabilities,
)
from refmarl.games.posg_examples import broadcast_channel, dec_tiger, recycling_robots
from refmarl.games.posg_policies import (
    Controller,
    controlled_chain,
    evaluate_controllers,
    memoryless,
    posg_best_response,
    posg_nash_conv,
    posg_regrets,
    posg_value,
)
from refmarl.testing.posgs import posgs, posgs_with_strategies, sparse_rows, strategies
from refmarl.testing.strategies import markov_games_with_policies

EXAMPLES = (dec_tiger(), broadcast_channel(), recycling_robots())
TEAMS = posgs(max_players=2, team=True)


def numbers(sizes):
    """A joint choice, one index for each player."""
    return st.tuples(*(st.integers(0, k - 1) for k in sizes))


def trees(actions, signals, rounds):
    """Every deterministic strategy of one player."""
    sizes = [signals**t for t in range(rounds)]
    for row in product(range(actions), repeat=sum(sizes)):
        parts = np.split(np.array(row), np.cumsum(sizes)[:-1])
        yield tuple(np.eye(actions)[part] for part in parts)


def all_trees(posg, rounds):
    return [
        list(trees(k, o, rounds))
        for k, o in zip(posg.num_actions, posg.num_observations, strict=True)
    ]


def played_out(posg, plans, gamma=1.0):
    """The definition: every course of states, actions and observations by itself."""
    total = np.zeros(posg.num_players)
    seen = (0,) * posg.num_players
    open_ = [(p, s, seen) for s, p in enumerate(posg.game.initial) if p]
    for t in range(len(plans[0])):
        after = []
        for p, s, h in open_:
            for a in product(*map(range, posg.num_actions)):
                chosen = p * np.prod([x[t][h[i], a[i]] for i, x in enumerate(plans)])
                if chosen == 0:
                    continue
                total += gamma**t * chosen * posg.game.reward[(slice(None), s, *a)]
                for s2, o in product(range(len(posg.game.initial)), signals(posg)):
                    q = chosen * posg.game.transition[(s, *a, s2)] * posg.observation[(s2, *a, *o)]
                    grown = tuple(h[i] * k + o[i] for i, k in enumerate(posg.num_observations))
                    after += [(q, s2, grown)] if q else []
        open_ = after
    return total


def signals(posg):
    return product(*map(range, posg.num_observations))


def swap(plans, i, plan):
    return [*plans[:i], plan, *plans[i + 1 :]]


# beliefs


@pytest.mark.equation("1.20")
@given(posgs(), st.data())
def test_a_belief_is_the_conditional_distribution_of_the_state(posg, data):
    a = data.draw(numbers(posg.num_actions))
    b = posg.game.initial
    joint = np.zeros((len(b), *posg.num_observations))
    for s, s2 in product(range(len(b)), repeat=2):
        joint[s2] += b[s] * posg.game.transition[(s, *a, s2)] * posg.observation[(s2, *a)]
    chance = observation_probabilities(posg, b, a)
    assert_allclose(chance, joint.sum(axis=0), atol=1e-14)
    assert_allclose(chance.sum(), 1.0, atol=1e-12)
    for o in signals(posg):
        if chance[o] > 0:
            found = belief_update(posg, b, a, o)
            assert (found >= 0).all()
            assert_allclose(found.sum(), 1.0, atol=1e-12)
            assert_allclose(found, joint[(slice(None), *o)] / chance[o], atol=1e-12)
        else:
            with pytest.raises(InputError, match="cannot occur after this belief"):
                belief_update(posg, b, a, o)


@pytest.mark.equation("1.20")
@given(posgs(), st.data())
def test_beliefs_average_to_the_prediction(posg, data):
    a = data.draw(numbers(posg.num_actions))
    b = posg.game.initial
    chance = observation_probabilities(posg, b, a)
    mean = sum(chance[o] * belief_update(posg, b, a, o) for o in signals(posg) if chance[o] > 0)
    assert_allclose(mean, b @ posg.game.transition[(slice(None), *a)], atol=1e-12)


@pytest.mark.equation("1.20")
@given(posgs(max_states=3), st.data())
def test_two_updates_are_one_over_both_observations(posg, data):
    a, a2 = (data.draw(numbers(posg.num_actions)) for _ in range(2))
    b = posg.game.initial
    first = observation_probabilities(posg, b, a)
    o = max(signals(posg), key=lambda o: first[o])
    middle = belief_update(posg, b, a, o)
    o2 = max(signals(posg), key=lambda o: observation_probabilities(posg, middle, a2)[o])
    weight = np.zeros(len(b))
    for s, s2, s3 in product(range(len(b)), repeat=3):
        weight[s3] += (
            b[s]
            * posg.game.transition[(s, *a, s2)]
            * posg.observation[(s2, *a, *o)]
            * posg.game.transition[(s2, *a2, s3)]
            * posg.observation[(s3, *a2, *o2)]
        )
    assert_allclose(belief_update(posg, middle, a2, o2), weight / weight.sum(), atol=1e-12)


@pytest.mark.equation("1.20")
@given(posgs(), st.integers(0, 999))
def test_many_beliefs_at_once_are_each_by_itself(posg, seed):
    rng = np.random.default_rng(seed)
    beliefs = sparse_rows(rng, 4, posg.game.num_states)
    actions = np.stack([rng.integers(k, size=4) for k in posg.num_actions], axis=1)
    chance = observation_probabilities(posg, beliefs, actions)
    flat = chance.reshape(4, -1).argmax(axis=1)
    seen = np.stack(np.unravel_index(flat, posg.num_observations), axis=1)
    found = belief_update(posg, beliefs, actions, seen)
    for k in range(4):
        one = belief_update(posg, beliefs[k], actions[k], seen[k])
        assert_allclose(found[k], one, atol=1e-14)
        each = observation_probabilities(posg, beliefs[k], actions[k])
        assert_allclose(chance[k], each, atol=1e-14)
    same = belief_update(posg, beliefs[:1], actions[0], seen[:1])
    assert_array_equal(same[0], found[0])


@pytest.mark.equation("1.20")
@given(markov_games_with_policies(max_players=2, max_actions=2), st.data())
def test_who_sees_the_state_believes_what_it_sees(case, data):
    game, _ = case
    posg = fully_observed(game)
    a = data.draw(numbers(game.num_actions))
    chance = observation_probabilities(posg, game.initial, a)
    predicted = game.initial @ game.transition[(slice(None), *a)]
    for s in range(game.num_states):
        seen = (s,) * game.num_players
        assert_allclose(chance[seen], predicted[s], atol=1e-13)
        if predicted[s] > 0:
            after = belief_update(posg, game.initial, a, seen)
            assert_array_equal(after, np.eye(game.num_states)[s])


@pytest.mark.equation("1.20")
@given(posgs(), st.data())
def test_signals_that_say_nothing_leave_the_prediction(posg, data):
    game = posg.game
    table = np.full((game.num_states, *game.num_actions, 2), [0.25, 0.75])
    blind = POSG.independent(game, [table] * game.num_players)
    a = data.draw(numbers(game.num_actions))
    o = data.draw(numbers(blind.num_observations))
    predicted = game.initial @ game.transition[(slice(None), *a)]
    assert_allclose(belief_update(blind, game.initial, a, o), predicted, atol=1e-12)


@given(posgs())
def test_marginals_are_sums_and_independent_signals_have_the_given_ones(posg):
    tables = [posg.marginal(i) for i in range(posg.num_players)]
    for i, (table, k) in enumerate(zip(tables, posg.num_observations, strict=True)):
        assert table.shape == (posg.game.num_states, *posg.num_actions, k)
        assert_allclose(table.sum(axis=-1), 1.0, atol=1e-12)
        one = posg.observation.sum(
            axis=tuple(1 + posg.num_players + j for j in range(posg.num_players) if j != i)
        )
        assert_allclose(table, one)
    apart = POSG.independent(posg.game, tables)
    assert apart.num_observations == posg.num_observations
    for i, table in enumerate(tables):
        assert_allclose(apart.marginal(i), table, atol=1e-12)
    s, a = 0, (0,) * posg.num_players
    for o in signals(posg):
        alone = np.prod([table[(s, *a, k)] for table, k in zip(tables, o, strict=True)])
        assert_allclose(apart.observation[(s, *a, *o)], alone, atol=1e-12)


@given(posgs(), st.integers(0, 4))
def test_histories_are_counted_in_the_base_of_the_observations(posg, length):
    for i, base in enumerate(posg.num_observations):
        rows = histories(posg, i, length)
        assert rows.shape == (base**length, length)
        assert sorted(map(tuple, rows)) == list(product(range(base), repeat=length))
        value = np.zeros(len(rows), dtype=int)
        for column in rows.T:
            value = value * base + column
        assert_array_equal(value, np.arange(len(rows)))


# values of strategies


@settings(max_examples=25)
@given(posgs_with_strategies(max_players=2), st.sampled_from([0.0, 0.5, 1.0]))
def test_values_are_those_of_every_course_of_play(case, gamma):
    posg, plans = case
    assert_allclose(posg_value(posg, plans, gamma), played_out(posg, plans, gamma), atol=1e-10)


@settings(max_examples=10)
@given(posgs_with_strategies(rounds=2, max_players=3), st.sampled_from([0.5, 1.0]))
def test_values_of_more_players(case, gamma):
    posg, plans = case
    assert_allclose(posg_value(posg, plans, gamma), played_out(posg, plans, gamma), atol=1e-10)


@pytest.mark.equation("1.20")
@pytest.mark.equation("1.12")
@settings(max_examples=25)
@given(markov_games_with_policies(max_players=2, max_states=3, max_actions=2), st.data())
def test_with_full_observation_play_for_ever_is_row_1_12(case, data):
    game, pi = case
    first = data.draw(st.integers(0, game.num_states - 1))
    known = MarkovGame(game.transition, game.reward, game.gamma, np.eye(game.num_states)[first])
    fixed = [memoryless(p, p[first]) for p in pi]
    found = evaluate_controllers(fully_observed(known), fixed)
    expected = evaluate(game, pi)[:, first]
    assert_allclose(found, expected, atol=1e-9 * (1 + np.abs(expected).max()))


@settings(max_examples=25)
@given(posgs(max_players=2), st.integers(1, 3), st.integers(0, 999))
def test_a_controller_earns_what_its_unrolled_tree_does(posg, rounds, seed):
    rng = np.random.default_rng(seed)
    sizes = list(zip(posg.num_actions, posg.num_observations, strict=True))
    rows = [(sparse_rows(rng, o, k), sparse_rows(rng, 1, k)[0]) for k, o in sizes]
    plans = [
        tuple(np.tile(table, (o ** (t - 1), 1)) if t else first[None] for t in range(rounds))
        for (table, first), (_, o) in zip(rows, sizes, strict=True)
    ]
    chain, reward, start = controlled_chain(posg, [memoryless(*r) for r in rows])
    assert_allclose(chain.sum(axis=1), 1.0, atol=1e-12)
    total, at = 0.0, start
    for _ in range(rounds):
        total, at = total + reward @ at, at @ chain
    assert_allclose(posg_value(posg, plans), total, atol=1e-10)


@settings(max_examples=25)
@given(posgs(max_players=2), st.integers(0, 99))
def test_renaming_the_nodes_of_controllers_changes_nothing(posg, seed):
    rng = np.random.default_rng(seed)
    plain, renamed = [], []
    for k, o in zip(posg.num_actions, posg.num_observations, strict=True):
        c = Controller(sparse_rows(rng, 3, k), sparse_rows(rng, 3, k, o, 3), sparse_rows(rng, 3))
        p = rng.permutation(3)
        plain.append(c)
        renamed.append(Controller(c.act[p], c.move[p][..., p], c.start[p]))
    one, two = evaluate_controllers(posg, plain), evaluate_controllers(posg, renamed)
    assert_allclose(one, two, atol=1e-9)


# best responses


@settings(max_examples=25)
@given(posgs_with_strategies(rounds=2, max_players=3), st.sampled_from([0.5, 1.0]))
def test_no_deterministic_strategy_is_better_than_the_best_response(case, gamma):
    posg, plans = case
    for i, own in enumerate(all_trees(posg, 2)):
        reply = posg_best_response(posg, plans, i, gamma)
        values = [posg_value(posg, swap(plans, i, tree), gamma)[i] for tree in own]
        assert_allclose(reply.value, max(values), atol=1e-10)
        earned = posg_value(posg, swap(plans, i, reply.strategy), gamma)[i]
        assert_allclose(earned, reply.value, atol=1e-10)


@settings(max_examples=25)
@given(posgs_with_strategies(rounds=3, max_players=3), st.data())
def test_no_mixed_strategy_is_better_and_the_own_one_does_not_matter(case, data):
    posg, plans = case
    other = data.draw(strategies(posg, 3))
    gains = posg_regrets(posg, plans)
    assert (gains >= 0).all()
    for i in range(posg.num_players):
        reply = posg_best_response(posg, plans, i)
        value = posg_value(posg, swap(plans, i, other[i]))[i]
        assert reply.value >= value - 1e-10
        assert reply.value == posg_best_response(posg, swap(plans, i, other[i]), i).value
        assert_allclose(gains[i], reply.value - posg_value(posg, plans)[i], atol=1e-10)
        better = posg_regrets(posg, swap(plans, i, reply.strategy))
        assert better[i] <= 1e-10
    assert_allclose(posg_nash_conv(posg, plans), gains.sum())


@settings(max_examples=25)
@given(markov_games_with_policies(max_players=2, max_actions=2, max_states=2), st.data())
def test_with_full_observation_the_best_response_is_that_of_the_induced_process(case, data):
    game, pi = case
    first = data.draw(st.integers(0, game.num_states - 1))
    known = MarkovGame(game.transition, game.reward, game.gamma, np.eye(game.num_states)[first])
    states, rounds = game.num_states, 3
    plans = [
        tuple(np.tile(p, (states ** (t - 1), 1)) if t else p[[first]] for t in range(rounds))
        for p in pi
    ]
    for i in range(game.num_players):
        mdp, v = induced_mdp(game, pi, i), np.zeros(states)
        for _ in range(rounds):
            v = mdp.action_values(v).max(axis=1)
        found = posg_best_response(fully_observed(known), plans, i, game.gamma).value
        assert_allclose(found, v[first], atol=1e-10 * (1 + np.abs(v).max()))


# Dec-POMDPs


@pytest.mark.equation("1.20")
@settings(max_examples=30)
@given(TEAMS, st.sampled_from([0.5, 1.0]))
def test_no_joint_tree_earns_more_than_the_optimum(posg, gamma):
    plan = solve_dec_pomdp(posg, 2, gamma)
    values = [posg_value(posg, joint, gamma)[0] for joint in product(*all_trees(posg, 2))]
    assert_allclose(plan.value, max(values), atol=1e-10)
    assert_allclose(posg_value(posg, plan.strategies, gamma), plan.value, atol=1e-10)


@pytest.mark.equation("1.20")
@settings(max_examples=15)
@given(posgs(max_players=2, max_states=3, team=True), st.sampled_from([0.5, 1.0]))
def test_over_three_rounds_no_tree_with_a_best_response_earns_more(posg, gamma):
    plan = solve_dec_pomdp(posg, 3, gamma)
    last = posg.num_players - 1
    others = all_trees(posg, 3)[:last]
    values = [
        posg_best_response(posg, [*given, plan.strategies[last]], last, gamma).value
        for given in product(*others)
    ]
    assert_allclose(plan.value, max(values), atol=1e-10)
    assert_allclose(posg_value(posg, plan.strategies, gamma), plan.value, atol=1e-10)


@settings(max_examples=40)
@given(posgs(max_players=2, max_states=3, team=True), st.sampled_from([0.5, 1.0]))
def test_a_looser_bound_finds_the_same_optimum(posg, gamma):
    plan = solve_dec_pomdp(posg, 3, gamma)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dec_pomdp, "MAX_BELIEFS", 0)  # the fully observed game bounds everywhere
        loose = solve_dec_pomdp(posg, 3, gamma)
    assert_allclose(loose.value, plan.value, atol=1e-10)


@pytest.mark.parametrize("faint", [0.1, 1e-3, 1e-6])
def test_faint_signals_count(faint):
    stays = np.repeat(np.eye(2)[:, None], 2, axis=1)
    game = MarkovGame(stays, [np.eye(2)], 0.5)  # guess the state, which stays
    heard = [[0.5 + faint, 0.5 - faint], [0.5 - faint, 0.5 + faint]]
    posg = POSG(game, np.repeat(np.array(heard)[:, None], 2, axis=1))
    assert_allclose(solve_dec_pomdp(posg, 2).value, 1.0 + faint, rtol=0, atol=1e-10)


@settings(max_examples=15)
@given(posgs(max_players=3, max_states=2, team=True))
def test_the_optimum_of_three_players_over_two_rounds(posg):
    plan = solve_dec_pomdp(posg, 2)
    last = posg.num_players - 1
    others = all_trees(posg, 2)[:last]
    values = [
        posg_best_response(posg, [*given, plan.strategies[last]], last).value
        for given in product(*others)
    ]
    assert_allclose(plan.value, max(values), atol=1e-10)


@pytest.mark.equation("1.20")
@settings(max_examples=30)
@given(TEAMS, st.integers(1, 4))
def test_an_optimum_is_an_equilibrium_below_shared_observations(posg, horizon):
    plan = solve_dec_pomdp(posg, horizon)
    assert posg_nash_conv(posg, plan.strategies) <= 1e-9
    assert plan.value <= centralised_value(posg, horizon) + 1e-9


@pytest.mark.equation("1.20")
@settings(max_examples=30)
@given(TEAMS, st.integers(1, 3))
def test_if_all_see_everything_that_is_seen_nothing_is_lost(posg, horizon):
    shape = posg.observation.shape
    n = posg.num_players
    flat = posg.observation.reshape(*shape[: 1 + n], -1)
    size = flat.shape[-1]
    shared = np.zeros((*shape[: 1 + n], *[size] * n))
    for k in range(size):
        shared[(..., *[k] * n)] = flat[..., k]
    alike = POSG(posg.game, shared)
    assert_allclose(
        solve_dec_pomdp(alike, horizon).value, centralised_value(posg, horizon), atol=1e-9
    )


@settings(max_examples=20)
@given(markov_games_with_policies(max_players=2, max_actions=2, max_states=3), st.data())
def test_with_full_observation_the_optimum_is_that_of_the_joint_process(case, data):
    game, _ = case
    first = data.draw(st.integers(0, game.num_states - 1))
    reward = np.broadcast_to(game.reward[:1], game.reward.shape)
    known = MarkovGame(game.transition, reward, 0.5, np.eye(game.num_states)[first])
    v = np.zeros(game.num_states)
    for _ in range(2):
        q = reward[0] + 0.5 * game.transition @ v
        v = q.reshape(game.num_states, -1).max(axis=1)
    found = solve_dec_pomdp(fully_observed(known), 2, 0.5).value
    assert_allclose(found, v[first], atol=1e-10)


@settings(max_examples=20)
@given(TEAMS, st.integers(-3, 3), st.sampled_from([0.5, 2.0]))
def test_affine_rewards_change_the_optimum_alike(posg, added, scale):
    game = posg.game
    other = MarkovGame(game.transition, scale * game.reward + added, game.gamma, game.initial)
    plan, moved = (solve_dec_pomdp(g, 3) for g in (posg, POSG(other, posg.observation)))
    assert_allclose(moved.value, scale * plan.value + 3 * added, atol=1e-9)


PUBLISHED = [
    (dec_tiger, (-2.0, -4.0, 5.190812, 4.802755)),
    (broadcast_channel, (1.0, 2.0, 2.99, 3.89)),
    (recycling_robots, (5.0, 7.0, 10.660125, 13.38)),
]


@pytest.mark.equation("1.20")
@pytest.mark.parametrize(("make", "values"), PUBLISHED)
def test_published_optima_come_out_and_their_policies_earn_them(make, values):
    posg = make()
    for horizon, value in enumerate(values, start=1):
        plan = solve_dec_pomdp(posg, horizon)
        assert abs(plan.value - value) < 1e-6
        assert_allclose(posg_value(posg, plan.strategies), plan.value, atol=1e-9)
        assert posg_nash_conv(posg, plan.strategies) < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize(("horizon", "value"), [(5, 4.79), (6, 5.69), (8, 7.49)])
def test_published_optima_of_longer_horizons(horizon, value):
    assert abs(solve_dec_pomdp(broadcast_channel(), horizon).value - value) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize(("make", "rounds"), [(dec_tiger, 3), (recycling_robots, 3)])
def test_brute_force_over_all_trees_of_the_first_player(make, rounds):
    posg = make()
    own = trees(posg.num_actions[0], posg.num_observations[0], rounds)
    best = max(posg_best_response(posg, [tree, tree], 1).value for tree in own)
    assert_allclose(solve_dec_pomdp(posg, rounds).value, best, atol=1e-9)


def test_the_tiger_s_doors_are_alike():
    posg = dec_tiger()
    swapped = [0, 2, 1]
    reward = posg.game.reward[0]
    assert_array_equal(reward[::-1][:, swapped][:, :, swapped], reward)
    assert_array_equal(reward.transpose(0, 2, 1), reward)
    seen = posg.observation
    assert_allclose(seen[::-1][:, swapped][:, :, swapped][..., ::-1, ::-1], seen)


def test_robots_and_stations_are_what_their_sources_say():
    robots = recycling_robots().game
    assert_allclose(robots.reward[0, 0, 2, 2], 5.0)
    assert_allclose(robots.reward[0, 1, 2, 2], 0.5)
    assert_allclose(robots.reward[0, 3].ravel()[[4, 5, 8]], [-1.44, -3.88, -3.55])
    assert_allclose(robots.transition[0, 1, 1], [0.49, 0.21, 0.21, 0.09])
    assert_allclose(robots.transition[3, 2, 1], [0.06, 0.24, 0.14, 0.56])
    channel = broadcast_channel().game
    assert_allclose(channel.transition[3, 1, 1], [0.09, 0.01, 0.81, 0.09])
    assert_allclose(channel.transition[1, 0, 1], [0.09, 0.01, 0.81, 0.09])
    assert_array_equal(channel.reward[0, :, 1, 0], [0, 0, 1, 1])
    collided = broadcast_channel().observation[:, 1, 1]
    assert_allclose(collided, np.broadcast_to([[0.01, 0.09], [0.09, 0.81]], (4, 2, 2)))


@pytest.mark.parametrize("make", [dec_tiger, broadcast_channel, recycling_robots])
def test_examples_take_a_discount(make):
    assert make(0.5).game.gamma == 0.5


# bad input


def test_observation_tables_must_fit_and_be_distributions():
    game = dec_tiger().game
    with pytest.raises(InputError, match=r"need shape \(2, 3, 3\) and an axis of signals"):
        POSG(game, np.ones((2, 3, 3, 1)))
    with pytest.raises(InputError, match="observation: need probabilities"):
        POSG(game, np.ones((2, 3, 3, 2, 2)))
    with pytest.raises(InputError, match="tables: need 2, got 1"):
        POSG.independent(game, [np.ones((2, 3, 3, 1))])
    with pytest.raises(InputError, match="observation of player 1: need shape"):
        POSG.independent(game, [np.ones((2, 3, 3, 1)), np.ones((2, 3, 1))])
    with pytest.raises(InputError, match="observation of player 1: need probabilities"):
        POSG.independent(game, [np.ones((2, 3, 3, 1)), np.ones((2, 3, 3, 2))])
    with pytest.raises(ValueError, match="read-only"):
        dec_tiger().observation[0] = 1


def test_beliefs_need_beliefs_actions_and_observations_that_exist():
    posg, half = dec_tiger(), [0.5, 0.5]
    with pytest.raises(InputError, match="belief: need probabilities"):
        belief_update(posg, [0.5, 0.6], (0, 0), (0, 0))
    with pytest.raises(InputError, match="belief: need 2 probabilities, got 3"):
        belief_update(posg, [0.5, 0.5, 0], (0, 0), (0, 0))
    with pytest.raises(InputError, match=r"actions: need indices below \(3, 3\)"):
        belief_update(posg, half, (0, 3), (0, 0))
    with pytest.raises(InputError, match="actions: need 2 whole numbers"):
        observation_probabilities(posg, half, (0, 0.5))
    with pytest.raises(InputError, match="observations: need 2 whole numbers"):
        belief_update(posg, half, (0, 0), (0,))
    with pytest.raises(InputError, match=r"observations: need indices below \(2, 2\)"):
        belief_update(posg, half, (0, 0), (0, -1))
    with pytest.raises(InputError, match="length"):
        histories(posg, 0, -1)
    with pytest.raises(InputError, match="player"):
        histories(posg, 2, 1)


def test_strategies_must_fit():
    posg = dec_tiger()
    listen = [[[1, 0, 0]]]
    with pytest.raises(InputError, match="strategies: need 2, got 1"):
        posg_value(posg, [listen])
    with pytest.raises(InputError, match="one number of rounds"):
        posg_value(posg, [listen, [*listen, [[1, 0, 0]] * 2]])
    with pytest.raises(InputError, match=r"player 0, round 1: need shape \(2, 3\), got \(1, 3\)"):
        posg_value(posg, [[*listen, [[1, 0, 0]]]] * 2)
    with pytest.raises(InputError, match="need probabilities"):
        posg_regrets(posg, [[[[1, 0, 1]]]] * 2)
    with pytest.raises(InputError, match="gamma: need a number in"):
        posg_value(posg, [listen] * 2, 1.5)
    with pytest.raises(InputError, match="player"):
        posg_best_response(posg, [listen] * 2, 2)


def test_controllers_must_fit():
    posg = dec_tiger()
    deaf = memoryless([[1, 0, 0]] * 2, [1, 0, 0])
    with pytest.raises(InputError, match="controllers: need 2, got 1"):
        evaluate_controllers(posg, [deaf])
    with pytest.raises(InputError, match="controller of player 1, act: need shape"):
        evaluate_controllers(posg, [deaf, deaf._replace(act=deaf.act[:2])])
    with pytest.raises(InputError, match="controller of player 0, start: need probabilities"):
        evaluate_controllers(posg, [deaf._replace(start=np.ones(3)), deaf])


def test_a_team_must_be_one_and_the_search_bounded():
    posg = dec_tiger()
    game = MarkovGame(posg.game.transition, posg.game.reward * [[[[1]]], [[[2]]]], 0.5)
    with pytest.raises(InputError, match="same rewards"):
        solve_dec_pomdp(POSG(game, posg.observation), 2)
    with pytest.raises(InputError, match="same rewards"):
        centralised_value(POSG(game, posg.observation), 2)
    with pytest.raises(InputError, match="horizon"):
        solve_dec_pomdp(posg, 0)
    with pytest.raises(InputError, match="the cap is"):
        centralised_value(posg, 9)
    rng = np.random.default_rng(0)
    table = rng.dirichlet([1, 1], size=(2, 7, 7))
    big = MarkovGame(table, np.zeros((2, 2, 7, 7)), 0.5)
    with pytest.raises(InputError, match="joint rules in one round are too many"):
        solve_dec_pomdp(POSG.independent(big, [table, table]), 4)


@pytest.mark.parametrize(
    "call",
    [
        lambda: POSG(None, np.ones((1, 1, 1, 1, 1))),
        lambda: fully_observed(None),
        lambda: belief_update("dec-tiger", [1.0], (0, 0), (0, 0)),
    ],
)
def test_another_thing_in_the_place_of_a_game_is_named(call):
    with pytest.raises(InputError, match=r"(game|posg): need a (MarkovGame|POSG), got"):
        call()
