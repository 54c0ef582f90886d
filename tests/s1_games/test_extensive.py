"""Extensive games: values, best responses and CFR against the rules themselves, and theorems."""

import random
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, regret_matching, zero_sum_value
from refmarl.games import nash_conv as normal_nash_conv
from refmarl.games.extensive import (
    Chance,
    Decision,
    Leaf,
    best_response,
    build,
    cfr,
    counterfactual,
    expected_value,
    exploitability,
    kuhn,
    leduc,
    nash_conv,
    one_shot,
    plans,
    solve,
    to_normal_form,
    value,
)
from refmarl.games.extensive import rules as rule_module
from refmarl.games.extensive import tree as tree_module
from refmarl.testing.strategies import matrices

KUHN = kuhn()
VALUE = -1 / 18
MODES = [(False, False), (False, True), (True, False), (True, True)]  # plus, alternating
SEEDS = st.integers(0, 10_000)


def random_rules(seed, depth=4):
    """Rules in which players see some of the moves, never forget, and may have one action."""

    def draw(*key):
        return random.Random(repr((seed, *key)))

    def seen(history, player):
        """What the player did and knew: its own moves with what it was told before each."""
        told = []
        for k in range(len(history)):
            node = rules(history[:k])
            if isinstance(node, Decision) and node.player == player:
                told.append((node.information, history[k]))
        signal = draw("signal", history).randrange(2) if history else 0
        return f"{player}{len(told)}{told}{signal}"

    def rules(history):
        dice = draw("kind", history)
        kind = dice.random()
        if len(history) >= depth or (history and kind < 0.2):
            return Leaf(dice.randint(-4, 4))
        if kind < 0.4 and len(history) > 0:
            p = [dice.randint(0, 3) for _ in range(dice.randint(1, 3))]
            p[0] += 1
            return Chance(tuple((f"c{k}", q / sum(p)) for k, q in enumerate(p)))
        player = dice.randrange(2)
        information = seen(history, player)
        size = draw("size", information).randint(1, 3)
        return Decision(player, information, tuple("abc"[:size]))

    return rules


def random_strategy(game, seed):
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 4, game.num_sequences).astype(float)
    total = np.add.reduceat(weights, game.offset[:-1])
    weights[np.repeat(total == 0, np.diff(game.offset))] = 1.0
    total = np.add.reduceat(weights, game.offset[:-1])
    return weights / np.repeat(total, np.diff(game.offset))


def walk(rules, table, history=()):
    """u(x) by recursion over the rules."""
    node = rules(history)
    if isinstance(node, Leaf):
        return float(node.payoff)
    moves = node.outcomes if isinstance(node, Chance) else table[node.information].items()
    return sum(p * walk(rules, table, (*history, move)) for move, p in moves)


def cases(seed):
    """(rules, game, strategy) of a random game."""
    rules = random_rules(seed)
    game = build(rules, "random")
    return rules, game, random_strategy(game, seed)


def mixture_over_plans(game, x, player):
    """The probability of each reduced plan when x draws an action once at each set (Kuhn)."""
    table = plans(game, player)[:, :-1]
    return np.where(table > 0, x, 1.0).prod(axis=1)


@given(SEEDS)
def test_the_value_is_that_of_a_walk_through_the_rules(seed):
    rules, game, x = cases(seed)
    assert_allclose(expected_value(game, x), walk(rules, game.table(x)), atol=1e-12)


@given(SEEDS)
def test_mixtures_over_plans_are_worth_what_behaviour_is(seed):
    """Kuhn 1953: with perfect recall the two kinds of strategy are equivalent."""
    _, game, x = cases(seed)
    payoffs = to_normal_form(game).payoffs[0]
    mixed = [mixture_over_plans(game, x, i) for i in range(2)]
    for m in mixed:
        assert m.sum() == pytest.approx(1.0, abs=1e-12)
    assert_allclose(mixed[0] @ payoffs @ mixed[1], expected_value(game, x), atol=1e-12)


@given(SEEDS)
def test_a_best_response_is_the_best_of_all_plans_and_earns_its_value(seed):
    _, game, x = cases(seed)
    payoffs = to_normal_form(game).payoffs
    for i in range(2):
        reply = best_response(game, x, i)
        other = mixture_over_plans(game, x, 1 - i)
        values = payoffs[0] @ other if i == 0 else other @ payoffs[1]
        assert_allclose(reply.value, values.max(), atol=1e-12)
        sign = (1, -1)[i]
        assert_allclose(sign * expected_value(game, reply.strategy), reply.value, atol=1e-12)
        mine = np.repeat(game.owner == i, np.diff(game.offset))
        assert_array_equal(reply.strategy[~mine], x[~mine])
        assert set(reply.strategy[mine]) <= {0.0, 1.0}
        assert reply.value >= sign * expected_value(game, x) - 1e-12


@given(SEEDS)
def test_nash_conv_is_that_of_the_normal_form(seed):
    _, game, x = cases(seed)
    normal = to_normal_form(game)
    profile = tuple(mixture_over_plans(game, x, i) for i in range(2))
    assert_allclose(nash_conv(game, x), normal_nash_conv(normal, profile), atol=1e-12)
    assert exploitability(game, x) == nash_conv(game, x) / 2 >= -1e-12


@settings(max_examples=15)
@given(SEEDS)
def test_best_responses_to_an_average_enclose_the_value(seed):
    game = build(random_rules(seed))
    exact = zero_sum_value(to_normal_form(game).payoffs[0]).value
    x = cfr(game, 200, plus=True).averages[-1]
    high, low = best_response(game, x, 0).value, -best_response(game, x, 1).value
    assert low - 1e-9 <= exact <= high + 1e-9
    assert high - low <= 0.3  # Δ |I| √A / √T is above 1: CFR+ does better


@settings(max_examples=25)
@given(SEEDS)
def test_the_linear_program_over_sequences_finds_the_value_of_the_normal_form(seed):
    game = build(random_rules(seed))
    solved = solve(game)
    assert solved.value == pytest.approx(
        zero_sum_value(to_normal_form(game).payoffs[0]).value, abs=1e-7
    )
    assert expected_value(game, solved.strategy) == pytest.approx(solved.value, abs=1e-7)
    assert -1e-9 <= solved.nash_conv <= 1e-6  # HiGHS is exact to 1e-7


# ------------------------------------------------------------------------ CFR


def bound(game, player, steps):
    """Δ |I_i| √A / √T (Zinkevich et al. 2007, theorem 4)."""
    mine = game.owner == player
    if not mine.any():
        return 0.0
    size = np.diff(game.offset)[mine].max()
    return np.ptp(game.payoff) * mine.sum() * np.sqrt(size / steps)


@settings(max_examples=25)
@given(SEEDS, st.booleans())
def test_regret_is_below_the_positive_regrets_of_the_sets_and_the_bound(seed, plus):
    game = build(random_rules(seed))
    run = cfr(game, 60, plus=plus, alternating=False, linear=False, times=[1, 7, 60])
    for t, x, paid, local in zip(run.times, run.averages, run.payoffs, run.regrets, strict=True):
        total = 0.0
        for i in range(2):
            regret = best_response(game, x, i).value - (1, -1)[i] * paid
            mine = [
                max(0.0, r.max())
                for k, r in enumerate(np.split(local, game.offset[1:-1]))
                if game.owner[k] == i
            ]
            assert regret <= sum(mine) + 1e-9
            assert regret <= bound(game, i, t) + 1e-9
            total += regret
        assert_allclose(nash_conv(game, x), total, atol=1e-9)  # the sum of both regrets


@given(matrices(max_actions=4), st.booleans(), st.booleans())
def test_with_one_set_each_it_is_regret_matching(A, plus, linear):
    times = [1, 2, 5, 30]
    run = cfr(one_shot(A), 30, plus=plus, linear=linear, alternating=False, times=times)
    known = regret_matching(NormalForm.zero_sum(A), 30, plus=plus, linear=linear, times=times)
    assert_allclose(run.averages, np.hstack(known.averages), atol=1e-9)
    best = np.stack([r.max(axis=1) for r in np.split(run.regrets, [len(A)], axis=1)], axis=1)
    assert_allclose(best, known.regrets, atol=1e-9)


def test_alternating_player_1_answers_what_player_0_has_just_learned():
    """By hand: row 1 is better against uniform play, so column 2 is answered to it at once."""
    A = [[2.0, 0.0], [0.0, 1.0]]
    run = cfr(one_shot(A), 1)
    assert_array_equal(run.strategy, [1.0, 0.0, 0.0, 1.0])
    both = cfr(one_shot(A), 1, alternating=False)
    assert_array_equal(both.strategy, [1.0, 0.0, 0.0, 1.0])
    assert_array_equal(run.regrets[0, 2:], [-1.0, 1.0])  # player 1's, against row 1
    assert_array_equal(both.regrets[0, 2:], [-0.25, 0.25])  # against both rows evenly


def test_published_curves_on_kuhn_poker():
    """OpenSpiel's CFRSolver and CFRPlusSolver, which update and average as the defaults do."""
    times = [1, 2, 10, 100, 300, 1000]
    published = {
        False: (11 / 12, 13 / 24, 0.1373975876343151, 0.016451954631830412, 0.006067921232300044,
                0.0018752332939859229),
        True: (11 / 12, 19 / 36, 0.06537418133666965, 0.002388808202223369, 0.0008668018056117166,
               0.00017473064504169855),
    }  # fmt: skip
    for plus, wanted in published.items():
        run = cfr(KUHN, 1000, plus=plus, times=times)
        assert_allclose([nash_conv(KUHN, x) for x in run.averages], wanted, atol=1e-12)
    run = cfr(KUHN, 300, times=[100, 300])
    assert nash_conv(KUHN, run.averages[0]) <= 0.03
    assert abs(expected_value(KUHN, run.averages[1]) - VALUE) <= 1e-3


@pytest.mark.parametrize(("plus", "alternating"), MODES)
def test_every_mode_converges_on_kuhn_poker(plus, alternating):
    run = cfr(KUHN, 3000, plus=plus, alternating=alternating, times=[3000])
    assert nash_conv(KUHN, run.averages[0]) <= 0.02
    assert expected_value(KUHN, run.averages[0]) == pytest.approx(VALUE, abs=0.01)


@pytest.mark.parametrize(("plus", "alternating"), MODES)
def test_kernels_and_plain_python_agree_bit_for_bit(plus, alternating):
    game = build(random_rules(3))
    tree = (game.owner, game.offset, game.parent, game.last, game.weight)
    states = []
    for play in (counterfactual.play, counterfactual.play.py_func):
        state = [*np.zeros((3, game.num_sequences)), game.uniform(), np.zeros(1)]
        play(*tree, 1e-14, plus, alternating, plus, 1, 25, *state)
        states.append(state)
    for a, b in zip(*states, strict=True):
        assert_array_equal(a, b)


def test_value_kernels_and_plain_python_agree_bit_for_bit():
    _, game, x = cases(8)
    found = []
    for pick in (lambda f: f, lambda f: f.py_func):
        plan, gain, reply = np.empty(len(x) + 1), np.empty(len(x) + 1), x.copy()
        pick(value.reach)(game.offset, game.parent, x, plan)
        pick(value.gains)(game.last, game.weight, plan, 1, gain)
        pick(value.respond)(game.owner, game.offset, game.parent, 1, gain, reply)
        found.append((plan, gain, reply))
    for a, b in zip(*found, strict=True):
        assert_array_equal(a, b)


def test_stopping_and_going_on_change_nothing():
    whole, parts = cfr(KUHN, 50, plus=True, times=[50]), cfr(KUHN, 50, plus=True, times=[3, 20, 50])
    assert_array_equal(whole.averages[-1], parts.averages[-1])
    assert_array_equal(whole.strategy, cfr(KUHN, 50, plus=True, times=[3]).strategy)


def test_regrets_are_never_clipped():
    plain, plus = (cfr(KUHN, 1, plus=p).regrets[0] for p in (False, True))
    assert_array_equal(plain, plus)
    assert plain.min() < 0


# ------------------------------------------------------------------------ Kuhn poker


def family(alpha):
    """Kuhn's equilibria, α in [0, 1/3]."""
    bets = {"J": alpha, "Q": 0, "K": 3 * alpha, "Jpb": 0, "Qpb": alpha + 1 / 3, "Kpb": 1}
    calls = {"Jp": 1 / 3, "Qp": 0, "Kp": 1, "Jb": 0, "Qb": 1 / 3, "Kb": 1}
    return KUHN.behaviour({name: [1 - b, b] for name, b in (bets | calls).items()})


@given(st.floats(0, 1 / 3))
def test_the_family_of_equilibria_of_kuhn_poker(alpha):
    x = family(alpha)
    assert expected_value(KUHN, x) == pytest.approx(VALUE, abs=1e-12)
    assert nash_conv(KUHN, x) == pytest.approx(0.0, abs=1e-12)


@given(st.floats(0.34, 1.0))
def test_beyond_the_family_player_1_gains(alpha):
    x = family(0.0)
    x[KUHN.offset[KUHN.information.index("J")] :][:2] = 1 - alpha, alpha
    assert nash_conv(KUHN, x) > 1e-3


def test_published_values_of_kuhn_poker():
    uniform = KUHN.uniform()
    assert expected_value(KUHN, uniform) == pytest.approx(1 / 8, abs=1e-12)
    replies = [best_response(KUHN, uniform, i).value for i in range(2)]
    assert_allclose(replies, [1 / 2, 5 / 12], atol=1e-12)
    assert nash_conv(KUHN, uniform) == pytest.approx(11 / 12, abs=1e-12)
    assert exploitability(KUHN, uniform) == pytest.approx(11 / 24, abs=1e-12)
    passing = KUHN.behaviour({name: [1, 0] for name in KUHN.information})
    assert nash_conv(KUHN, passing) == pytest.approx(2.0, abs=1e-12)


def test_the_normal_form_of_kuhn_poker_has_its_value():
    normal = to_normal_form(KUHN)
    assert zero_sum_value(normal.payoffs[0]).value == pytest.approx(VALUE, abs=1e-9)
    assert all(len(set(names)) == len(names) for names in normal.actions)
    assert Fraction(normal.payoffs[0, 3, 5]).limit_denominator(6) * 6 % 1 == 0  # sixths of whole


def test_a_deal_of_kuhn_poker_pays_what_the_rules_say():
    pays = {"KJpp": 1, "JKpp": -1, "JKbb": -2, "JKbp": 1, "KQpbp": -1, "QJpbb": 2}
    for text, payoff in pays.items():
        assert rule_module._kuhn((text[:2], *text[2:])) == Leaf(payoff)


# ------------------------------------------------------------------------ Leduc poker


def test_leduc_poker_by_its_rules():
    pays = {
        "JJcc Qcc": 0, "KJcc Qcc": 1, "JKcc Jcc": 1, "KJrc Jrc": -7, "QKrrc Krrc": -13,
        "QKrf": 1, "QKcrf": -1, "QKcrrf": 3, "QKrrf": -3, "KQcrc Jcrf": -3, "KQrrcJrrf": -9,
        "KQrrcQrrc": -13,
    }  # fmt: skip
    for text, payoff in pays.items():
        history = (text[:2], *text[2:].replace(" ", ""))
        assert rule_module._leduc(history) == Leaf(payoff), text
    cards = "JJQQKK"
    deals = [cards[i] + cards[j] for i in range(6) for j in range(6) if i != j]
    for deal, p in rule_module._leduc(()).outcomes:
        assert p == pytest.approx(deals.count(deal) / 30)
    assert dict(rule_module._leduc(("JJ", "c", "c")).outcomes) == {"Q": 0.5, "K": 0.5}
    assert dict(rule_module._leduc(("JQ", "c", "c")).outcomes) == {"J": 0.25, "Q": 0.25, "K": 0.5}
    assert rule_module._leduc(("JQ",)).actions == ("c", "r")
    assert rule_module._leduc(("JQ", "c", "r")).actions == ("f", "c", "r")
    assert rule_module._leduc(("JQ", "r", "r")).actions == ("f", "c")


def test_leduc_poker_is_fair_to_equal_players_who_always_call():
    game = leduc()
    calling = game.behaviour(
        {
            name: np.eye(len(a))[a.index("c")]
            for name, a in zip(game.information, game.actions, strict=True)
        }
    )
    assert expected_value(game, calling) == pytest.approx(0.0, abs=1e-12)  # the cards are alike
    assert abs(game.weight).sum() > 0


def test_leduc_poker_has_its_published_value():
    """-0.0856 (OpenSpiel's sequence-form tests); here between two best responses."""
    game = leduc()
    solved = solve(game)
    assert solved.value == pytest.approx(-0.085606424, abs=1e-8)
    assert solved.nash_conv <= 1e-6
    x = cfr(game, 1500, plus=True, times=[1500]).averages[0]
    high, low = best_response(game, x, 0).value, -best_response(game, x, 1).value
    assert low <= -0.085606 <= high
    assert high - low <= 5e-3


def test_leduc_poker_is_too_large_for_its_normal_form():
    with pytest.raises(InputError, match="cap"):
        to_normal_form(leduc())


def test_kuhn_poker_by_the_linear_program_over_sequences():
    solved = solve(KUHN)
    assert solved.value == pytest.approx(VALUE, abs=1e-12)
    table = KUHN.table(solved.strategy)
    alpha = table["J"]["b"]
    assert_allclose(table["K"]["b"], 3 * alpha, atol=1e-9)  # player 0 plays one of the family
    assert_allclose(table["Qpb"]["b"], alpha + 1 / 3, atol=1e-9)
    assert_allclose([table["Jp"]["b"], table["Qb"]["b"]], 1 / 3, atol=1e-9)  # player 1 the only one


# ------------------------------------------------------------------------ small and bad games


@given(matrices(max_actions=4))
def test_a_matrix_game_comes_back_from_its_tree(A):
    game = one_shot(A)
    assert_array_equal(to_normal_form(game).payoffs[0], A)
    x = game.uniform()
    assert_allclose(expected_value(game, x), A.mean(), atol=1e-12)


def test_a_player_without_decisions():
    game = build(lambda h: Leaf(len(h) * 3) if h and h[0] == "b" else
                 Leaf(1) if h else Decision(1, "only", ("a", "b")))  # fmt: skip
    assert best_response(game, game.uniform(), 0).value == pytest.approx(2.0)
    assert best_response(game, game.uniform(), 1).value == -1.0
    assert_array_equal(to_normal_form(game).payoffs[0], [[1.0, 3.0]])
    assert_allclose(cfr(game, 400).averages[-1], [1.0, 0.0], atol=1e-2)


def test_plans_are_reduced():
    assert plans(KUHN, 0).shape == (27, 25)
    for i in range(2):
        table = plans(KUHN, i)
        for k, (a, b) in enumerate(pairwise(KUHN.offset)):
            if KUHN.owner[k] == i:
                assert_array_equal(table[:, a:b].sum(axis=1), table[:, KUHN.parent[k]])


def _decide(player, information, actions=("a", "b")):
    return Decision(player, information, actions)


BAD = {
    "forgot": lambda h: Leaf(0) if len(h) == 2 else _decide(0, "again" if h else "first")
    if not h else _decide(0, "same"),
    "differs": lambda h: Leaf(0) if len(h) == 2 else _decide(0, "x") if not h else
    _decide(1, "y", ("a", "b") if h[0] == "a" else ("a",)),
    "player 0 or 1": lambda h: Leaf(0) if h else _decide(2, "x"),
    "different names": lambda h: Leaf(0) if h else _decide(0, "x", ("a", "a")),
    "nobody decides": lambda h: Leaf(1),
    "empty": lambda h: Chance(()),
    "sum 0.5": lambda h: Chance((("a", 0.5),)) if not h else Leaf(0),
    "need finite": lambda h: Leaf(float("inf")) if h else _decide(0, "x"),
}  # fmt: skip


@pytest.mark.parametrize("message", BAD)
def test_bad_rules_are_refused(message):
    with pytest.raises(InputError, match=message):
        build(BAD[message])


def test_an_endless_tree_is_refused(monkeypatch):
    monkeypatch.setattr(tree_module, "MAX_NODES", 100)
    with pytest.raises(InputError, match="more than 100 histories"):
        build(lambda h: Decision(0, str(h), ("a", "b")))


def test_bad_strategies_and_options_are_refused():
    for bad, message in [
        (np.ones(3), "need 24"),
        (np.ones(24), "sum to 1"),
        (np.full(24, "a"), "real numbers"),
        (KUHN.uniform() * np.tile([3.0, -1.0], 12), "≥ 0"),
    ]:
        with pytest.raises(InputError, match=message):
            expected_value(KUHN, bad)
    with pytest.raises(InputError, match="no information set 'X'"):
        KUHN.behaviour({"X": [1, 0]})
    with pytest.raises(InputError, match="'J'"):
        KUHN.behaviour({"J": [1, 1]})
    with pytest.raises(InputError):
        best_response(KUHN, KUHN.uniform(), 2)
    with pytest.raises(InputError):
        cfr(KUHN, 0)
    with pytest.raises(InputError):
        cfr(KUHN, 5, times=[6])


def test_random_games_of_these_tests_are_not_trivial():
    built = [build(random_rules(seed)) for seed in range(60)]
    assert sum(len(set(g.owner)) == 2 for g in built) > 30
    assert sum(any(g.parent < g.num_sequences) for g in built) > 30
    shared = [g for g in built if g.nodes - len(g.weight) > len(g.information) + 2]
    assert len(shared) > 20
