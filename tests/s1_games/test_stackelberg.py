"""Laws of (1.8): strong and weak Stackelberg commitment."""

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from scipy.optimize import linprog

from refmarl.check import InputError
from refmarl.games import NormalForm, expected_utility, pure_equilibria
from refmarl.games.correlated import correlated_equilibrium
from refmarl.games.stackelberg import leader_payoff, pure_commitment, stackelberg
from refmarl.testing.strategies import INTEGERS, bimatrix_games, matrices, mixtures

SOLVER = 1e-8  # payoffs are at most 4, the linear programs are solved to 1e-10
TIES = st.sampled_from(["strong", "weak"])
FEW = st.integers(0, 2).map(float)  # payoffs of a follower that is often indifferent


@st.composite
def leader_games(draw, max_leader=3, max_follower=4):
    """Two players; the follower's payoffs from -4..4, or from 0..2: ties, equivalent actions."""
    shape = draw(st.tuples(st.integers(1, max_leader), st.integers(1, max_follower)))
    follows = draw(arrays(float, shape, elements=draw(st.sampled_from([INTEGERS, FEW]))))
    return NormalForm.bimatrix(draw(arrays(float, shape, elements=INTEGERS)), follows)


def grid(size, steps):
    """All mixtures (size,) in multiples of 1/steps."""
    cuts = (c for c in product(range(steps + 1), repeat=size - 1) if sum(c) <= steps)
    return [np.array([*c, steps - sum(c)]) / steps for c in cuts]


def exact(game):
    """{"strong": maximum, "weak": supremum}, and whether a commitment attains the weak one.

    For two leader actions and whole payoffs. On the line of commitments t the payoff is
    linear between neighbours among the points where two follower actions are worth the same to
    somebody. Rational arithmetic, no linear program.
    """
    leads, follows = ([[Fraction(int(v)) for v in row] for row in u] for u in game.payoffs)

    def line(u, k, t):
        return t * u[0][k] + (1 - t) * u[1][k]

    def paid(t, choose):
        worth = [line(follows, k, t) for k in range(len(follows[0]))]
        best = [k for k, w in enumerate(worth) if w == max(worth)]
        return choose(line(leads, k, t) for k in best)

    marks = {Fraction(0), Fraction(1)}
    for u in (leads, follows):
        for j, k in product(range(len(u[0])), repeat=2):
            slope = (u[0][j] - u[1][j]) - (u[0][k] - u[1][k])
            if slope:
                t = (u[1][k] - u[1][j]) / slope
                marks |= {t} if 0 <= t <= 1 else set()
    points = sorted(marks)
    reached, limits = [paid(t, min) for t in points], []
    for a, b in pairwise(points):
        first, last = (paid(a + (b - a) * Fraction(s, 3), min) for s in (1, 2))
        limits += [2 * first - last, 2 * last - first]  # at a and at b, from inside
        reached += [first] if first == last else []
    weak = max(reached + limits)
    return {"strong": max(paid(t, max) for t in points), "weak": weak}, weak in reached


# -- against other ways to the same number ----------------------------------------------


@pytest.mark.equation("1.8")
@given(leader_games(max_leader=2), TIES)
def test_with_two_leader_actions_it_is_the_exact_optimum(game, ties):
    assume(game.num_actions[0] == 2)
    optimum, attained = exact(game)
    best = stackelberg(game, ties=ties)
    assert best.payoff == pytest.approx(float(optimum[ties]), abs=SOLVER)
    assert best.attained == (attained or ties == "strong")


@pytest.mark.equation("1.8")
@given(leader_games())
def test_strong_is_one_linear_program_over_joint_distributions(game):
    """Advice to the follower that it gladly takes, the leader bound: Conitzer & Korzhyk 2011."""
    leads, follows = game.payoffs
    m, n = leads.shape
    rows = []
    for told, instead in product(range(n), repeat=2):
        row = np.zeros((m, n))
        row[:, told] = follows[:, instead] - follows[:, told]
        rows.append(row.ravel())
    found = linprog(
        -leads.ravel(), A_ub=rows, b_ub=np.zeros(n * n), A_eq=np.ones((1, m * n)), b_eq=[1]
    )
    assert stackelberg(game).payoff == pytest.approx(-found.fun, abs=1e-6)  # its default tolerance


@pytest.mark.equation("1.8")
@settings(max_examples=25)
@given(leader_games(), TIES)
def test_no_commitment_on_a_grid_beats_it(game, ties):
    best = stackelberg(game, ties=ties)
    for x in grid(game.num_actions[0], 24):
        assert leader_payoff(game, x, ties=ties) <= best.payoff + SOLVER


@pytest.mark.equation("1.8")
@settings(max_examples=25)
@given(leader_games())
def test_the_weak_supremum_is_the_limit_along_a_line_into_the_region(game):
    """From ``strategy`` towards any commitment to which ``response`` alone is best."""
    best = stackelberg(game, ties="weak")
    follows, j = game.payoffs[1], best.response
    rivals = [k for k in range(follows.shape[1]) if (follows[:, k] != follows[:, j]).any()]
    inner = [
        x
        for x in grid(game.num_actions[0], 60)
        if all(x @ follows[:, j] > x @ follows[:, k] + 1e-9 for k in rivals)
    ]
    assume(inner)
    for step in (1e-2, 1e-4, 1e-6):
        near = (1 - step) * best.strategy + step * inner[0]
        assert leader_payoff(game, near, ties="weak") >= best.payoff - 8 * step - SOLVER


@pytest.mark.equation("1.8")
@given(leader_games(), TIES, st.data())
def test_the_commitment_earns_what_it_says(game, ties, data):
    leader = data.draw(st.integers(0, 1))
    best = stackelberg(game, leader, ties)
    assert best.strategy.shape == (game.num_actions[leader],)
    assert (best.strategy >= 0).all()
    assert best.strategy.sum() == pytest.approx(1, abs=1e-12)
    pair = [best.strategy, np.eye(game.num_actions[1 - leader])[best.response]]
    payoffs = expected_utility(game, pair if leader == 0 else pair[::-1])
    assert_allclose([best.payoff, best.follower_payoff], payoffs[[leader, 1 - leader]], atol=1e-12)
    values = best.strategy @ (game.payoffs[1] if leader == 0 else game.payoffs[0].T)
    assert best.follower_payoff >= values.max() - SOLVER  # the response is a best reply
    earned = leader_payoff(game, best.strategy, leader, ties)
    assert (earned >= best.payoff - SOLVER) == best.attained
    assert best.attained or ties == "weak"


# -- theorems ---------------------------------------------------------------------------


@pytest.mark.equation("1.8")
@given(leader_games())
def test_strong_at_least_weak_at_least_what_the_leader_can_secure(game):
    """Weak is at least the maximin of the leader's own payoffs, whatever the follower wants."""
    weak = stackelberg(game, ties="weak").payoff
    assert stackelberg(game).payoff >= weak - SOLVER
    leads = game.payoffs[0]
    secured = max((x @ leads).min() for x in grid(len(leads), 12))
    assert weak >= secured - SOLVER


@pytest.mark.equation("1.8")
@given(leader_games(), st.integers(0, 1))
def test_strong_is_at_least_every_pure_nash_payoff(game, leader):
    best = stackelberg(game, leader).payoff
    assert all(best >= game.at(a)[leader] - SOLVER for a in pure_equilibria(game))


@pytest.mark.equation("1.8")
@settings(max_examples=30)
@given(leader_games(), st.integers(0, 1))
def test_strong_is_at_least_every_correlated_payoff(game, leader):
    """Committing to the conditional x(·|j) of the best advice j; so also every mixed Nash."""
    best = correlated_equilibrium(game, leader)
    assert stackelberg(game, leader).payoff >= best.payoffs[leader] - SOLVER


@pytest.mark.equation("1.8")
@given(leader_games(), st.integers(0, 1), TIES)
def test_mixing_helps_and_moving_first_openly_is_its_pure_case(game, leader, ties):
    pure = pure_commitment(game, leader, ties)
    assert stackelberg(game, leader, ties).payoff >= pure.payoff - SOLVER
    earned = [leader_payoff(game, x, leader, ties) for x in np.eye(game.num_actions[leader])]
    assert pure.payoff == max(earned)
    assert pure.strategy[int(np.argmax(earned))] == 1


@pytest.mark.equation("1.8")
@given(matrices(), TIES)
def test_in_zero_sum_games_commitment_costs_nothing(matrix, ties):
    """Minimax: both leaders secure the same number, the value of (1.4)."""
    game = NormalForm.zero_sum(matrix)
    first, second = (stackelberg(game, leader, ties) for leader in (0, 1))
    assert first.payoff == pytest.approx(-second.payoff, abs=SOLVER)
    assert (first.strategy @ matrix).min() == pytest.approx(first.payoff, abs=SOLVER)
    assert (matrix @ second.strategy).max() == pytest.approx(first.payoff, abs=SOLVER)


@pytest.mark.equation("1.8")
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4))
def test_in_generic_games_the_tie_rule_does_not_matter(number, m, n):
    """Of payoffs drawn from a density: von Stengel & Zamir 2010."""
    game = NormalForm(np.random.default_rng(number).normal(size=(2, m, n)))
    strong, weak = stackelberg(game), stackelberg(game, ties="weak")
    assert strong.payoff == pytest.approx(weak.payoff, abs=SOLVER)


@pytest.mark.equation("1.8")
@given(leader_games(), TIES, st.data())
def test_only_the_followers_preferences_matter(game, ties, data):
    """Its payoffs may be scaled, and shifted by a function of the leader's action."""
    leads, follows = game.payoffs
    shift = data.draw(arrays(float, (len(leads), 1), elements=INTEGERS))
    a, b, c = (data.draw(st.sampled_from(v)) for v in ([0.5, 1, 1e5], [-7, 0, 3], [0.25, 1, 1e5]))
    other = NormalForm.bimatrix(a * leads + b, c * (follows + shift))
    moved = stackelberg(other, ties=ties)
    best = stackelberg(game, ties=ties)
    assert (moved.payoff - b) / a == pytest.approx(best.payoff, abs=2 * SOLVER)
    assert moved.attained == best.attained


@pytest.mark.equation("1.8")
@given(leader_games(), TIES, st.data())
def test_names_of_actions_and_seats_do_not_matter(game, ties, data):
    orders = [data.draw(st.permutations(range(k))) for k in game.num_actions]
    leads, follows = (u[np.ix_(*orders)] for u in game.payoffs)
    best = stackelberg(game, ties=ties)
    for other, leader in (
        (NormalForm.bimatrix(leads, follows), 0),
        (NormalForm.bimatrix(follows.T, leads.T), 1),
    ):
        moved = stackelberg(other, leader, ties)
        assert moved.payoff == pytest.approx(best.payoff, abs=SOLVER)
        assert (moved.leader, moved.attained) == (leader, best.attained)


@pytest.mark.equation("1.8")
@given(leader_games(), st.data())
def test_a_choice_between_equivalent_actions_is_the_tie_rules_alone(game, data):
    """A copy, for the follower, of its action j: strong takes the better, weak the worse."""
    leads, follows = game.payoffs
    j = data.draw(st.integers(0, leads.shape[1] - 1))
    copy = leads[:, j] - data.draw(st.sampled_from([0.0, 1.0, 2.0]))
    doubled = NormalForm.bimatrix(
        np.column_stack([leads, copy]), follows[:, [*range(leads.shape[1]), j]]
    )
    lowered = leads.copy()
    lowered[:, j] = copy
    for ties, same in (("strong", game), ("weak", NormalForm.bimatrix(lowered, follows))):
        payoff = stackelberg(doubled, ties=ties).payoff
        assert payoff == pytest.approx(stackelberg(same, ties=ties).payoff, abs=SOLVER)


@pytest.mark.equation("1.8")
@given(bimatrix_games(), TIES, st.data())
def test_without_a_choice_of_ones_own_the_reply_decides(game, ties, data):
    row = data.draw(st.integers(0, game.num_actions[0] - 1))
    leads, follows = game.payoffs[:, row]
    bound = stackelberg(NormalForm.bimatrix(leads[None], follows[None]), ties=ties)
    replies = leads[follows == follows.max()]
    assert bound.payoff == pytest.approx(replies.max() if ties == "strong" else replies.min())
    assert bound.attained
    free = stackelberg(NormalForm.bimatrix(leads[:, None], follows[:, None]), ties=ties)
    assert free.payoff == pytest.approx(leads.max())


# -- what is known ----------------------------------------------------------------------


@pytest.mark.equation("1.8")
@pytest.mark.parametrize(
    ("leads", "follows", "commitment", "payoff"),
    [
        ([[2, 4], [1, 3]], [[1, 0], [0, 1]], [1 / 2, 1 / 2], 3.5),
        ([[2, 0, 0], [1, 0, 0]], [[0, 2, 5], [0, -1, -4]], [1 / 3, 2 / 3], 4 / 3),
        ([[3, 9], [9, 1]], [[0, 0], [1, 8]], [1, 0], 9),
    ],
)
def test_games_as_published(leads, follows, commitment, payoff):
    """Conitzer & Sandholm 2006 and the test games of its later implementations."""
    best = stackelberg(NormalForm.bimatrix(leads, follows))
    assert_allclose(best.strategy, commitment, atol=1e-9)
    assert best.payoff == pytest.approx(payoff, abs=1e-9)


@pytest.mark.equation("1.8")
def test_a_supremum_that_no_commitment_attains():
    game = NormalForm.bimatrix([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    limit = stackelberg(game, ties="weak")
    assert (limit.payoff, limit.response) == (pytest.approx(3.5), 1)
    assert not limit.attained
    assert leader_payoff(game, limit.strategy, ties="weak") == pytest.approx(1.5)
    assert leader_payoff(game, [0.5 - 1e-6, 0.5 + 1e-6], ties="weak") > 3.5 - 2e-6


@pytest.mark.equation("1.8")
def test_an_unattained_supremum_reckons_with_the_worst_equivalent_reply():
    """The follower's second and third actions pay it the same; the leader gets 1 less for 3."""
    game = NormalForm.bimatrix([[2, 5, 4], [1, 4, 3]], [[1, 0, 0], [0, 1, 1]])
    limit = stackelberg(game, ties="weak")
    assert (limit.payoff, limit.response) == (pytest.approx(3.5), 2)
    assert not limit.attained


@pytest.mark.equation("1.8")
@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_of_two_regions_with_the_weak_value_one_that_attains_it_is_taken(order):
    """1 pays 1 at the tie only, where 2 pays 0; 2 pays 1 to the leader's second action as well."""
    leads = np.array([[0, -1], [2, 1]])[:, order]
    best = stackelberg(NormalForm.bimatrix(leads, np.eye(2)[:, order]), ties="weak")
    assert (best.payoff, best.attained) == (pytest.approx(1), True)
    assert_allclose(best.strategy, [0, 1], atol=1e-9)


@pytest.mark.equation("1.8")
def test_a_thin_region_counts_for_strong_ties_only():
    """The follower plays 2 only at the even mixture, where it is indifferent between all."""
    game = NormalForm.bimatrix([[0, 5, 0], [0, 5, 0]], [[1, 0, -1], [-1, 0, 1]])
    strong, weak = stackelberg(game), stackelberg(game, ties="weak")
    assert (strong.payoff, weak.payoff) == (pytest.approx(5), pytest.approx(0))
    assert_allclose(strong.strategy, 0.5, atol=1e-9)
    assert weak.attained


@pytest.mark.equation("1.8")
def test_a_weak_commitment_keeps_away_from_ties_that_it_need_not_risk():
    game = NormalForm.bimatrix([[1, 0], [1, 0]], [[1, 0], [0, 1]])
    weak = stackelberg(game, ties="weak")
    assert weak.attained
    assert weak.strategy[0] > 0.6


@pytest.mark.equation("1.8")
@pytest.mark.parametrize("order", [[0, 1, 2], [0, 2, 1]])
def test_a_weak_maximum_may_lie_just_where_a_tie_does_no_harm(order):
    """All three replies tie where x_1 = 1/2; there 1 and 2 pay 1/2, elsewhere less, 3 is not best.

    3 pays 3 x_2 - x_3, which is at least 1/2 on the part x_2 ≥ 1/4 of the tie: only that attains.
    """
    leads = np.array([[1, 0, 0], [0, 1, 3], [0, 1, -1]])[order]
    follows = np.array([[0, 1, 0.5], [1, 0, 0.5], [1, 0, 0.5]])
    best = stackelberg(NormalForm.bimatrix(leads, follows), ties="weak")
    assert (best.payoff, best.attained) == (pytest.approx(0.5), True)
    x = best.strategy[order]
    assert x[0] == pytest.approx(0.5, abs=1e-9)
    assert x[1] >= 0.25 - 1e-9


@settings(max_examples=20)
@given(leader_games(), TIES, st.data())
def test_a_given_commitment_is_answered_by_the_tie_rule(game, ties, data):
    x = data.draw(mixtures(game.num_actions[0]))
    leads, follows = game.payoffs
    value = x @ follows
    pays = (x @ leads)[value >= value.max() - 1e-12]
    expected = pays.max() if ties == "strong" else pays.min()
    assert leader_payoff(game, x, ties=ties) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("function", [stackelberg, pure_commitment])
def test_bad_arguments_are_refused(function):
    game = NormalForm.bimatrix([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    with pytest.raises(InputError, match="need 2 players, got 3"):
        function(NormalForm(np.zeros((3, 1, 1, 1))))
    with pytest.raises(InputError, match="need 'strong' or 'weak', got 'nice'"):
        function(game, ties="nice")
    with pytest.raises(InputError, match=r"leader: need an index in 0..1, got 2"):
        function(game, 2)


@pytest.mark.parametrize(
    ("x", "needs"),
    [([1, 0, 0], "need 2 prob"), ([0.5, 0.6], "sum to 1"), ([[0.5, 0.5]], "need one strategy")],
)
def test_a_bad_commitment_is_refused(x, needs):
    with pytest.raises(InputError, match=needs):
        leader_payoff(NormalForm.zero_sum([[1, 0], [0, 1]]), x)


def test_a_game_that_is_too_large_is_refused():
    with pytest.raises(InputError, match="= 64000000; the cap is 30000000"):
        stackelberg(NormalForm(np.zeros((2, 400, 400))))
