"""Families of games: theorems about them, over random parameters."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import (
    expected_utility,
    families,
    library,
    price_of_anarchy,
    pure_equilibria,
    regrets,
    zero_sum_value,
)
from refmarl.games.kinds import exact_potential

DELAYS = st.integers(0, 5).map(float)


def is_potential(game, potential):
    """Whether nobody can change its payoff otherwise than the potential."""
    scale = 1.0 + np.abs(game.payoffs).max()
    return all(
        np.abs(np.diff(u - potential, axis=i)).max(initial=0.0) <= 1e-12 * scale
        for i, u in enumerate(game.payoffs)
    )


def players_may_change_places(game):
    n = game.num_players
    for who in ((1, 0, *range(2, n)), (*range(1, n), 0)):
        moved = np.transpose(game.payoffs[list(who)], (0, *(1 + k for k in who)))
        assert_allclose(moved, game.payoffs, atol=1e-12)


# ---------------------------------------------------------------------------- contests


@pytest.mark.parametrize("n", [1, 3, 5, 9, 15])
def test_rock_paper_scissors_is_a_regular_tournament(n):
    row = families.rock_paper_scissors(n).payoffs[0]
    assert_array_equal(row, -row.T)
    assert ((row == 1).sum(axis=1) == (n - 1) // 2).all()
    assert np.linalg.matrix_rank(row) == n - 1  # so that only one mixture equalises
    found = zero_sum_value(row)
    assert_allclose(found.value, 0.0, atol=1e-12)
    assert_allclose(found.x, 1 / n, atol=1e-9)
    assert_allclose(np.sort(np.linalg.eigvals(row).real), 0.0, atol=1e-9)


def test_with_five_actions_it_is_lizard_and_spock_by_other_names():
    order = [0, 1, 2, 4, 3]  # rock, paper, scissors, Spock, lizard
    named = library.game("rpsls").payoffs[0][np.ix_(order, order)]
    assert_array_equal(families.rock_paper_scissors(5).payoffs[0], named)


@given(st.integers(0, 5), st.integers(0, 5), st.lists(st.integers(0, 4), min_size=1, max_size=3))
@settings(max_examples=30)
def test_blotto_changes_its_sign_with_the_sides(first, second, values):
    forth, back = families.blotto(first, second, values), families.blotto(second, first, values)
    assert_array_equal(forth.payoffs[0], -back.payoffs[0].T)
    for i, soldiers in enumerate((first, second)):
        sent = [sum(map(int, a.split("-"))) for a in forth.actions[i]]
        assert set(sent) == {soldiers}
        assert len(set(forth.actions[i])) == len(sent)
    if first == second:
        assert_allclose(zero_sum_value(forth.payoffs[0]).value, 0.0, atol=1e-9)


@given(st.integers(0, 3), st.integers(1, 3), st.data())
@settings(max_examples=20)
def test_an_overwhelming_army_takes_every_field(second, fields, data):
    values = [data.draw(st.integers(1, 4)) for _ in range(fields)]
    first = fields * (second + 1)
    assert zero_sum_value(families.blotto(first, second, values).payoffs[0]).value == sum(values)


@given(st.integers(1, 4), st.integers(0, 3))
@settings(max_examples=15)
def test_a_larger_army_is_never_worse(first, more):
    small = zero_sum_value(families.blotto(first, 3, [1, 1, 1]).payoffs[0]).value
    large = zero_sum_value(families.blotto(first + more, 3, [1, 1, 1]).payoffs[0]).value
    assert large >= small - 1e-9


def test_blotto_of_the_library_is_the_family():
    assert_array_equal(library.game("blotto").payoffs, families.blotto(6, 6, [1, 1, 1]).payoffs)


@given(st.integers(2, 4), st.floats(0.2, 1.0), st.integers(1, 5), st.floats(0.5, 20.0))
@settings(max_examples=30)
def test_tullocks_effort_is_best_against_itself(n, r, steps, prize):
    best = (n - 1) / n**2 * r * prize
    game = families.tullock(n, prize, best / steps * np.arange(2 * steps + 1), r)
    players_may_change_places(game)
    profile = game.pure((steps,) * n)
    assert regrets(game, profile).max() <= 1e-12 * prize
    wasted = n * best / prize
    assert_allclose(expected_utility(game, profile).sum(), prize * (1 - wasted), rtol=1e-12)
    assert_allclose(wasted, (n - 1) / n * r, rtol=1e-12)


@pytest.mark.parametrize(("n", "r"), [(2, 1.5), (2, 2.0), (3, 1.4), (3, 1.5)])
def test_it_stays_so_up_to_n_over_n_minus_1_and_no_longer(n, r):
    best = (n - 1) / n**2 * r
    game = families.tullock(n, 1, best / 20 * np.arange(61), r)
    assert regrets(game, game.pure((20,) * n)).max() <= 1e-12
    r = 1.05 * n / (n - 1)
    best = (n - 1) / n**2 * r
    game = families.tullock(n, 1, best / 20 * np.arange(61), r)
    assert regrets(game, game.pure((20,) * n)).min() > 0.01  # nobody would take part


@given(st.integers(2, 4), st.floats(0.5, 9.0))
@settings(max_examples=15)
def test_the_prize_is_given_away_whole(n, prize):
    bids = np.arange(4.0)
    spent = sum(bids[a] for a in np.indices((4,) * n))
    for game in (families.all_pay(n, prize, bids), families.tullock(n, prize, bids, 2.0)):
        assert_allclose(game.payoffs.sum(axis=0) + spent, prize, rtol=1e-12)
        players_may_change_places(game)


@pytest.mark.parametrize("prize", [3, 4, 7])
def test_every_bid_of_an_all_pay_auction_earns_a_half(prize):
    entry = library.entry("all-pay", prize=prize)
    x = np.append(np.full(prize, 1 / prize), 0.0)
    assert_allclose(entry.game.payoffs[0][:prize] @ x, 0.5, atol=1e-12)
    assert_allclose(entry.game.payoffs[0][prize] @ x, 0.0, atol=1e-12)


@given(st.floats(0.5, 9.0), st.integers(1, 6))
def test_attrition_costs_both_the_shorter_time(prize, longest):
    game = families.war_of_attrition(prize, np.arange(longest + 1))
    shorter = np.minimum.outer(np.arange(longest + 1), np.arange(longest + 1))
    assert_allclose(game.payoffs.sum(axis=0), prize - 2 * shorter, rtol=1e-12)
    players_may_change_places(game)


@given(st.integers(2, 9))
def test_the_centipede_is_taken_at_once_and_later_would_be_better_for_both(legs):
    game = families.centipede(legs)
    assert game.num_actions == ((legs + 1) // 2 + 1, legs // 2 + 1)
    assert pure_equilibria(game) == [(0, 0)]
    first, last = game.at((0, 0)), game.at(tuple(k - 1 for k in game.num_actions))
    assert_array_equal(first, [4, 1])
    assert (last > first).all()
    assert sorted(last) == [2.0**legs, 4 * 2.0**legs]


def test_mckelvey_and_palfreys_four_moves():
    """Piles of 0.40 and 0.10; if all pass 6.40 and 1.60 (1992, figure 1)."""
    game = families.centipede(4, 0.4, 0.1, 2)
    outcomes = [game.at(a) for a in ((0, 2), (2, 0), (1, 2), (2, 1), (2, 2))]
    published = [(0.4, 0.1), (0.2, 0.8), (1.6, 0.4), (0.8, 3.2), (6.4, 1.6)]
    assert_allclose(outcomes, published, rtol=1e-12)


# ----------------------------------------------------------------------------- markets


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=3), st.floats(1.0, 9.0))
@settings(max_examples=30)
def test_cournot_has_the_potential_of_monderer_and_shapley(costs, intercept):
    grid = [0.0, 0.5, 1.5, 2.0]
    game = families.cournot(grid, intercept, 0.7, costs, floor=False)
    potential = families.cournot_potential(grid, intercept, 0.7, costs)
    assert is_potential(game, potential)
    assert_allclose(potential.flat[0], 0.0, atol=1e-12)
    found = exact_potential(game)
    assert_allclose(found - found.flat[0], potential, atol=1e-9)


@given(st.lists(st.integers(1, 4), min_size=2, max_size=3))
@settings(max_examples=20)
def test_cournots_quantities_with_unequal_costs(costs):
    n, a = len(costs), 20
    best = [(a - n * c + sum(costs) - c) / (n + 1) for c in costs]
    grid = np.arange(0, a, 1 / (n + 1))
    grid = grid[grid <= max(best) + 1]
    game = families.cournot(grid, a, 1, costs)
    at = tuple(int(np.argmin(np.abs(grid - q))) for q in best)
    assert_allclose(grid[list(at)], best, atol=1e-12)
    assert regrets(game, game.pure(at)).max() <= 1e-9
    assert_allclose(game.at(at), np.square(best), rtol=1e-9)  # price - cost = slope · q


def test_more_firms_bring_the_price_down_to_cost():
    prices = []
    for n in (2, 3, 4, 5):
        entry = library.entry("cournot-oligopoly", n=n, steps=1)
        names = [
            float(entry.game.actions[i][x.index(1)]) for i, x in enumerate(entry.equilibria[0])
        ]
        prices.append(10 - sum(names) - 2)
    middle = [8 / (n + 1) for n in (2, 3, 4, 5)]
    assert_allclose(prices, middle, atol=1e-4)


def test_a_price_floor_only_matters_where_the_market_is_flooded():
    grid = np.arange(6.0)
    with_, without = (families.cournot(grid, 6, 1, [1, 2], floor=f) for f in (True, False))
    flooded = np.add.outer(grid, grid) > 6
    assert_array_equal(with_.payoffs[:, ~flooded], without.payoffs[:, ~flooded])
    assert (with_.payoffs[:, flooded] >= without.payoffs[:, flooded]).all()
    assert_array_equal(with_.payoffs[:, 5, 5], [-5, -10])  # the price is 0


@given(st.integers(2, 4))
@settings(max_examples=5)
def test_the_lowest_price_serves_the_market(n):
    game = families.bertrand(n, [0.0, 0.5, 2.0])
    players_may_change_places(game)
    lowest = np.indices((3,) * n).min(axis=0)
    assert_allclose(game.payoffs.sum(axis=0), np.array([0, 0.5, 2.0])[lowest])


# -------------------------------------------------------------------------- congestion


@st.composite
def congestion_games(draw, affine=False):
    """Up to 3 players, 4 resources, sets of any size; delays as they come, or affine."""
    n, m = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    plans = [c for k in range(affine, m + 1) for c in combinations(range(m), k)]
    strategies = [draw(st.lists(st.sampled_from(plans), min_size=1, max_size=3)) for _ in range(n)]
    if affine:
        slope, fixed = draw(arrays(float, (2, m, 1), elements=DELAYS))
        delays = slope * np.arange(1, n + 1) + fixed
    else:
        delays = draw(arrays(float, (m, n), elements=st.integers(-3, 5).map(float)))
    return strategies, delays


@given(congestion_games())
def test_rosenthals_potential(case):
    game, potential = families.congestion(*case)
    assert is_potential(game, potential)
    strategies, delays = case
    for a in product(*(range(len(s)) for s in strategies)):
        used = [set(s[k]) for s, k in zip(strategies, a, strict=True)]
        loads = [sum(r in u for u in used) for r in range(len(delays))]
        costs = [sum(delays[r][loads[r] - 1] for r in u) for u in used]
        assert_allclose(game.at(a), np.negative(costs), atol=1e-12)
        assert_allclose(
            potential[a], -sum(delays[r][k] for r, load in enumerate(loads) for k in range(load))
        )


@given(congestion_games(), st.randoms(use_true_random=False))
def test_every_path_of_improvements_ends_at_a_pure_equilibrium(case, random):
    game, potential = families.congestion(*case)
    stable = set(pure_equilibria(game))
    a = tuple(random.randrange(k) for k in game.num_actions)
    for _ in range(potential.size):  # the potential rises strictly: no joint action comes twice
        better = [
            b
            for i, k in enumerate(game.num_actions)
            for x in range(k)
            if game.payoffs[(i, *(b := (*a[:i], x, *a[i + 1 :])))] > game.payoffs[(i, *a)]
        ]
        if not better:
            break
        a = random.choice(better)
    assert a in stable


@given(congestion_games(affine=True))
@settings(max_examples=100)
def test_affine_delays_make_equilibria_cost_5_halves_of_the_best_at_most(case):
    game, _ = families.congestion(*case)
    cost = -game.payoffs.sum(axis=0)
    assert max(cost[a] for a in pure_equilibria(game)) <= 2.5 * cost.min() + 1e-9


def test_no_bound_is_better_than_5_halves():
    game, _ = families.three_in_a_ring()
    cost = -game.payoffs.sum(axis=0)
    assert max(cost[a] for a in pure_equilibria(game)) == 15
    assert cost.min() == 6


@pytest.mark.parametrize("n", [2, 4, 6])
def test_braesss_bridge_makes_everybody_later(n):
    with_, without = families.braess(n), families.braess(n, bridge=False)
    assert {tuple(without.game.at(a)) for a in pure_equilibria(without.game)} == {(-1.5 * n,) * n}
    assert_array_equal(with_.game.at((2,) * n), -2.0 * n)
    assert (2,) * n in pure_equilibria(with_.game)
    assert is_potential(*with_)


def test_equal_roads_of_the_library_are_a_case():
    game, _ = families.congestion([[[0], [1]]] * 3, [[1, 2, 3]] * 2)
    assert_array_equal(game.payoffs, library.game("congestion").payoffs)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_keeping_is_dominant_in_public_goods_just_where_the_factor_is_below_n(n):
    for r in (0.5, n - 0.25, n + 0.25, 3 * n):
        payoffs = library.game("public-goods", n=n, r=r).payoffs
        for i, u in enumerate(payoffs):
            gain = np.take(u, 1, axis=i) - np.take(u, 0, axis=i)
            assert ((gain > 0) == (r < n)).all()
            assert_allclose(gain, 1 - r / n, atol=1e-12)
        total = payoffs.sum(axis=0)
        assert (total[(0,) * n] > total[(1,) * n]) == (r > 1)


# ------------------------------------------------------------------------ coordination


@given(arrays(float, st.tuples(st.integers(2, 4), st.integers(1, 3)), elements=st.integers(1, 5)))
def test_prizes_are_paid_for_agreement_alone(prizes):
    n, m = prizes.shape
    game = families.coordinate(prizes)
    for a in product(range(m), repeat=n):
        want = prizes[:, a[0]] if len(set(a)) == 1 else np.zeros(n)
        assert_array_equal(game.at(a), want)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_hunting_with_the_mixed_probability_is_as_good_as_a_hare(n):
    game = families.stag_hunt(n, n, 8, 3)
    p = (3 / 8) ** (1 / (n - 1))
    profile = ([p, 1 - p],) * n
    assert regrets(game, profile).max() <= 1e-12
    assert_allclose(expected_utility(game, profile), 3.0, rtol=1e-12)


@pytest.mark.parametrize("n", [3, 5, 7])
def test_the_minority_and_the_majority_are_all(n):
    few, many = families.minority(n), families.majority(n)
    assert_array_equal(few.payoffs + many.payoffs, 1.0)
    assert few.payoffs.sum(axis=0).max() == (n - 1) / 2
    assert many.payoffs.sum(axis=0).min() == (n + 1) / 2
    players_may_change_places(few)
    assert_array_equal(few.payoffs, few.payoffs[(slice(None), *[slice(None, None, -1)] * n)])


@pytest.mark.parametrize(("benefit", "cost"), [(2, 0.9), (2, 1.1), (5, 2), (5, 3)])
def test_high_effort_is_the_safer_one_just_where_it_costs_less_than_half(benefit, cost):
    """Two efforts, two players: the better reply to an even mixture (Harsanyi & Selten 1988)."""
    u = library.game("minimum-effort", n=2, efforts=2, benefit=benefit, cost=cost).payoffs[0]
    low, high = u @ [0.5, 0.5]
    assert (high > low) == (cost < benefit / 2)


@pytest.mark.parametrize(("n", "benefit"), [(2, 1.9), (2, 2.1), (3, 2.9), (3, 3.1)])
def test_the_potential_of_minimum_effort_is_highest_at_the_top_where_n_costs_are_less(n, benefit):
    """Φ = benefit · min - cost · Σ efforts (Monderer & Shapley 1996), cost 1."""
    game = library.game("minimum-effort", n=n, efforts=4, benefit=benefit, cost=1)
    effort = np.indices((4,) * n) + 1
    potential = benefit * effort.min(axis=0) - effort.sum(axis=0)
    assert is_potential(game, potential)
    best = {tuple(a) for a in np.argwhere(potential >= potential.max() - 1e-12).tolist()}
    assert best == ({(3,) * n} if benefit > n else {(0,) * n})


# ---------------------------------------------------------------------------- networks


@st.composite
def graphs(draw, max_nodes=5):
    n = draw(st.integers(2, max_nodes))
    upper = np.triu(draw(arrays(float, (n, n), elements=st.integers(0, 1).map(float))), 1)
    return upper + upper.T


@given(graphs(4), st.data())
def test_common_interests_on_edges_add_up_to_a_potential(edges, data):
    m = data.draw(st.integers(1, 3))
    half = data.draw(arrays(float, (m, m), elements=st.integers(-3, 3).map(float)))
    common, weights = half + half.T, edges * data.draw(st.integers(-2, 2))
    game, potential = families.network_game(weights, common)
    assert is_potential(game, potential)
    a = tuple(data.draw(st.integers(0, m - 1)) for _ in edges)
    pay = weights * common[np.ix_(a, a)]
    assert_array_equal(game.at(a), pay.sum(axis=1))
    assert potential[a] == np.triu(pay).sum()


@given(graphs(4))
@settings(max_examples=25)
def test_with_a_colour_more_than_neighbours_equilibria_are_the_proper_colourings(edges):
    colours = int(edges.sum(axis=1).max()) + 1
    game, potential = families.graph_colouring(edges, colours)
    proper = {
        a
        for a in product(range(colours), repeat=len(edges))
        if not any(a[i] == a[j] for i, j in np.argwhere(edges))
    }
    assert set(pure_equilibria(game)) == proper
    assert (potential == 0).sum() == len(proper)


@pytest.mark.parametrize(("n", "m"), [(3, 3), (4, 3), (5, 3), (4, 4), (6, 3)])
def test_a_ring_has_as_many_colourings_as_its_chromatic_polynomial_says(n, m):
    found = pure_equilibria(library.game("graph-colouring", n=n, colours=m))
    assert len(found) == (m - 1) ** n + (-1) ** n * (m - 1)


def test_two_colours_can_be_stuck():
    """On a path of four, 0110: the clash in the middle costs either the same when it changes."""
    path = np.eye(4, k=1) + np.eye(4, k=-1)
    game, potential = families.graph_colouring(path, 2)
    assert (0, 1, 1, 0) in pure_equilibria(game)
    assert potential[0, 1, 1, 0] == -1


@given(st.integers(2, 5), st.integers(1, 3))
@settings(max_examples=12)
def test_consensus_counts_who_agrees(n, m):
    game, potential = families.consensus(n, m)
    players_may_change_places(game)
    for a in product(range(m), repeat=n):
        assert_array_equal(game.at(a), [a.count(x) - 1 for x in a])
        assert potential[a] == sum(a[i] == a[j] for i, j in combinations(range(n), 2))


def test_the_price_of_anarchy_of_stags_is_stag_over_hare():
    entry = library.entry("stag-hunt-n")
    assert price_of_anarchy(entry.game, entry.profiles) == 4.0


@pytest.mark.parametrize(
    ("call", "needs"),
    [
        (lambda: families.rock_paper_scissors(2), "odd"),
        (lambda: families.blotto(-1, 2, [1]), "first: need a whole number in 0..1000"),
        (lambda: families.blotto(1, 2, [1, -1]), "values: need numbers ≥ 0"),
        (lambda: families.blotto(900, 900, [1, 1, 1]), "the cap is"),
        (lambda: families.tullock(2, 1, [0, 0]), "growing"),
        (lambda: families.tullock(2, 1, [-1, 0]), "growing numbers from 0"),
        (lambda: families.tullock(2, 0, [0, 1]), "prize > 0"),
        (lambda: families.all_pay(1, 1, [0, 1]), "n: need a whole number in 2..16"),
        (lambda: families.centipede(3, 2, 1, 2), "large > growth"),
        (lambda: families.cournot([0, 1], 0, 1, [1, 1]), "intercept > 0"),
        (lambda: families.cournot(np.arange(99), 5, 1, [1] * 9), "the cap is"),
        (lambda: families.cournot([0, 1], 5, 1, 2), "costs: need 1 axes"),
        (lambda: families.bertrand(2, [1, 1]), "growing"),
        (lambda: families.congestion([], [[1]]), "delays: need shape"),
        (lambda: families.congestion([[[0]]], [[1, 2]]), r"\(resources, 1 players\)"),
        (lambda: families.congestion([[[1]]], [[1]]), r"resource: need an index in 0\.\.0"),
        (lambda: families.congestion([[[0, 0]]], [[1]]), "listed twice"),
        (lambda: families.congestion([[]], [[1]]), "need one or more"),
        (lambda: families.coordinate([[1, 0]]), "prizes: need numbers > 0"),
        (lambda: families.stag_hunt(3, 4, 2, 1), r"needed: need a whole number in 2\.\.3"),
        (lambda: families.minority(4), "odd"),
        (lambda: families.network_game([[0, 1], [2, 0]], [[1]]), "weights: need a symmetric"),
        (lambda: families.network_game([[1]], [[1]]), "0 on the diagonal"),
        (lambda: families.graph_colouring([[0, 2], [2, 0]], 2), "need 0 and 1"),
        (lambda: families.consensus(12, 9), "the cap is"),
    ],
)
def test_what_makes_no_game_is_refused_in_one_line(call, needs):
    with pytest.raises(InputError, match=needs) as caught:
        call()
    assert "\n" not in str(caught.value)
