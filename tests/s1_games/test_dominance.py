"""Laws of (1.5)."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, best_responses, dominance, pure_equilibria
from refmarl.games.dominance import iterated_elimination, restricted, strictly_dominated
from refmarl.games.support import support_enumeration
from refmarl.games.zero_sum import zero_sum_value
from refmarl.testing.dominated import LOSSES, dominated_games
from refmarl.testing.strategies import INTEGERS, bimatrix_games, games, matrices, mixtures

LARGE = dominated_games(losses=(0.0, *LOSSES)).map(lambda pair: pair[1])
GAMES = games(min_players=1) | LARGE
WORDS = st.sampled_from(["mixed", "pure"])
UNSEEN = np.zeros((3, 2))


def own(game, i):
    """Payoffs of player i: a row per action, a column per joint action of the others."""
    return np.moveaxis(game.payoffs[i], i, 0).reshape(game.num_actions[i], -1)


def one_at_a_time(game, by, rng):
    """What is left when a single dominated action, any of them, is deleted at a time."""
    kept = [list(range(k)) for k in game.num_actions]
    while True:
        left = restricted(game, kept)
        masks = [strictly_dominated(left, i, by) for i in range(game.num_players)]
        choices = [(i, int(a)) for i, mask in enumerate(masks) for a in np.flatnonzero(mask)]
        if not choices:
            return tuple(tuple(k) for k in kept)
        i, a = choices[rng.integers(len(choices))]
        del kept[i][a]


@pytest.mark.equation("1.5")
@given(GAMES)
def test_a_pure_dominator_wins_in_every_column(game):
    """Small integers and quarters: the comparison below is exact."""
    for i in range(game.num_players):
        u = own(game, i)
        beaten = [any((u[b] > u[a]).all() for b in range(len(u))) for a in range(len(u))]
        assert_array_equal(strictly_dominated(game, i, by="pure"), beaten)


@pytest.mark.equation("1.5")
@settings(max_examples=40)
@given(GAMES)
def test_an_action_is_dominated_or_best_against_some_belief(game):
    """Pearce's lemma: exactly one of a dominator and a belief exists; both are put to the proof."""
    for i in range(game.num_players):
        u = own(game, i)
        mask = strictly_dominated(game, i)
        for a, dominated in enumerate(mask):
            proof = zero_sum_value(u - u[a])
            if dominated:
                assert (proof.x @ u > u[a]).all()
            else:
                assert (u @ proof.y).max() <= u[a] @ proof.y + 1e-8


@pytest.mark.equation("1.5")
@given(GAMES, st.data())
def test_a_best_response_is_never_dominated(game, data):
    profile = [data.draw(mixtures(k)) for k in game.num_actions]
    for i in range(game.num_players):
        assert not (strictly_dominated(game, i) & best_responses(game, profile, i)).any()


@pytest.mark.equation("1.5")
@settings(max_examples=30)
@given(LARGE | games(), WORDS, st.integers(0, 2**32 - 1))
def test_the_order_of_deletion_does_not_matter(game, by, seed):
    rng = np.random.default_rng(seed)
    assert one_at_a_time(game, by, rng) == iterated_elimination(game, by).kept


@pytest.mark.equation("1.5")
@given(dominated_games())
def test_actions_put_in_below_a_mixture_fall_again(case):
    small, large = case
    result = iterated_elimination(large)
    assert result.kept == iterated_elimination(small).kept
    assert len(result.rounds) == sum(large.num_actions) - sum(map(len, result.kept))


@pytest.mark.equation("1.5")
@given(GAMES, WORDS)
def test_every_pure_equilibrium_survives_and_none_is_added(game, by):
    kept, reduced, _ = iterated_elimination(game, by)
    inside = [
        tuple(k[a] for k, a in zip(kept, actions, strict=True))
        for actions in pure_equilibria(reduced)
    ]
    assert inside == pure_equilibria(game)


@pytest.mark.equation("1.5")
@settings(max_examples=30)
@given(bimatrix_games() | dominated_games(2, 2).map(lambda pair: pair[1]))
def test_every_equilibrium_of_two_players_survives(game):
    kept = iterated_elimination(game).kept
    for profile in support_enumeration(game).profiles:
        for x, own_kept in zip(profile, kept, strict=True):
            assert set(np.flatnonzero(x > 1e-9)) <= set(own_kept)


@pytest.mark.equation("1.5")
@given(matrices())
def test_deletion_leaves_the_value_of_a_zero_sum_game(A):
    reduced = iterated_elimination(NormalForm.zero_sum(A)).game
    assert_allclose(zero_sum_value(reduced.payoffs[0]).value, zero_sum_value(A).value, atol=1e-8)


@pytest.mark.equation("1.5")
@given(GAMES, WORDS)
def test_doing_it_again_changes_nothing(game, by):
    once = iterated_elimination(game, by).game
    again = iterated_elimination(once, by)
    assert again.rounds == ()
    assert_array_equal(again.game.payoffs, once.payoffs)
    assert all(names for names in once.actions)


@pytest.mark.equation("1.5")
@given(GAMES)
def test_mixtures_delete_all_that_single_actions_do(game):
    for i in range(game.num_players):
        pure, mixed = strictly_dominated(game, i, "pure"), strictly_dominated(game, i)
        assert (pure <= mixed).all()
        if game.num_actions[i] <= 2:  # a mixture of the other action is that action
            assert_array_equal(pure, mixed)
    kept = [iterated_elimination(game, by).kept for by in ("mixed", "pure")]
    assert all(set(m) <= set(p) for m, p in zip(*kept, strict=True))


@given(GAMES, WORDS)
def test_every_deletion_carries_its_dominator(game, by):
    kept, reduced, rounds = iterated_elimination(game, by)
    left = [list(range(k)) for k in game.num_actions]
    for count in range(1, 1 + max((r.round for r in rounds), default=0)):
        now = [r for r in rounds if r.round == count]
        assert now
        after = [
            [a for a in own_left if (i, a) not in {(r.player, r.action) for r in now}]
            for i, own_left in enumerate(left)
        ]
        for i, action, x, _ in now:
            columns = [own_left if j != i else range(len(x)) for j, own_left in enumerate(left)]
            u = own(restricted(game, columns), i)
            assert (x @ u > u[action]).all()
            assert x.shape == (game.num_actions[i],)
            assert set(np.flatnonzero(x)) <= set(after[i])
            assert by == "mixed" or (x.max() == 1 and x.sum() == 1)
        left = after
    assert tuple(tuple(k) for k in left) == kept
    assert_array_equal(reduced.payoffs, game.payoffs[np.ix_(range(game.num_players), *kept)])


@given(GAMES, st.data())
def test_the_units_of_payoff_do_not_matter(game, data):
    """A positive factor for each player, and payoffs added that depend on the others alone."""
    payoffs = game.payoffs.copy()
    for i in range(game.num_players):
        added = [np.max(game.payoffs[i], axis=i, keepdims=True), 1e3]
        payoffs[i] += added[data.draw(st.integers(0, 1))]
        payoffs[i] *= data.draw(st.sampled_from([2.0**-30, 1.0, 3.0, 2.0**30]))
    changed = NormalForm(payoffs)
    assert iterated_elimination(changed).kept == iterated_elimination(game).kept


@given(GAMES)
def test_renamed_players_and_actions(game):
    n = game.num_players
    turned = np.transpose(game.payoffs[::-1], (0, *range(n, 0, -1)))
    for axis in range(1, n + 1):
        turned = np.flip(turned, axis)
    for i in range(n):
        mask = strictly_dominated(NormalForm(turned), n - 1 - i)[::-1]
        assert_array_equal(mask, strictly_dominated(game, i))


@given(st.lists(INTEGERS, min_size=1, max_size=4))
def test_a_player_alone_keeps_the_best_actions(values):
    kept = iterated_elimination(NormalForm([values])).kept[0]
    assert kept == tuple(int(a) for a in np.flatnonzero(np.array(values) == max(values)))


@pytest.mark.parametrize("margin", [1e-3, 1e-6, 1e-8])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12, 1e300])
def test_half_and_half_beats_the_middle_only_if_it_pays_less(margin, scale):
    """The mixture pays 0 always; the third action the margin less, 0, and the margin more."""
    for third, dominated in ((-margin, True), (0, False), (margin, False)):
        row = scale * np.array([[1, -1], [-1, 1], [third, third]])
        game = NormalForm.bimatrix(row, UNSEEN)
        assert_array_equal(strictly_dominated(game, 0), [False, False, dominated])
        assert not strictly_dominated(game, 0, by="pure").any()


def test_a_dominator_that_goes_in_the_same_round_is_not_recorded():
    """The third row beats the fourth, and is itself beaten by half and half of the first two."""
    game = NormalForm.bimatrix([[4, 0], [0, 4], [1.5, 1.5], [1, 1]], np.zeros((4, 2)))
    rounds = iterated_elimination(game).rounds
    assert [r.action for r in rounds] == [2, 3]
    for r in rounds:
        assert_allclose(r.dominator, [0.5, 0.5, 0, 0], atol=1e-9)
    assert iterated_elimination(game, by="pure").rounds[0].dominator.tolist() == [0, 0, 1, 0]


def test_a_difference_by_rounding_alone_is_a_tie():
    game = NormalForm.bimatrix([[0.1 + 0.2], [0.3]], np.zeros((2, 1)))
    assert not strictly_dominated(game, 0).any()


def test_small_differences_upon_large_payoffs_count():
    row = 1e9 + np.array([[3.0, 0.0], [0.0, 3.0], [1.0, 1.0]])
    assert_array_equal(
        strictly_dominated(NormalForm.bimatrix(row, UNSEEN), 0), [False, False, True]
    )


@pytest.mark.parametrize("row", [np.diag([9, 1, 1]), [[1, 0], [0, 1], [9, -1]], np.zeros((3, 2))])
def test_what_is_best_against_an_action_needs_no_linear_program(monkeypatch, row):
    def refuse(gain):
        raise AssertionError(f"a linear program for {gain}")

    monkeypatch.setattr(dominance, "zero_sum_value", refuse)
    game = NormalForm.bimatrix(row, row)
    needed = [
        a for a, best in enumerate((game.payoffs[0] == game.payoffs[0].max(0)).any(1)) if best
    ]
    mask = [dominance._dominator(game.payoffs[0], a, mixed=True) for a in needed]
    assert mask == [None] * len(needed)


def test_weak_dominance_deletes_nothing():
    """The second action of either player is weakly dominated, yet (1, 0), (0, 1) are equilibria."""
    game = NormalForm.bimatrix([[1, 1], [1, 0]], [[1, 1], [1, 0]])
    assert iterated_elimination(game).kept == ((0, 1), (0, 1))


def test_a_chain_of_three_players_falls_in_three_rounds():
    """Player 2 follows player 1, player 3 follows player 2, and player 1 starts."""
    payoffs = np.zeros((3, 2, 2, 2))
    for a, b, c in product(range(2), repeat=3):
        payoffs[:, a, b, c] = a, a == b, b == c
    result = iterated_elimination(NormalForm(payoffs))
    assert result.kept == ((1,), (1,), (1,))
    assert [(r.round, r.player, r.action) for r in result.rounds] == [
        (1, 0, 0),
        (2, 1, 0),
        (3, 2, 0),
    ]


def test_the_quantities_of_a_duopoly_fall_to_cournots():
    """Price 12 - q_1 - q_2, no costs: 4 each, where the best response 6 - q/2 meets itself.

    On a grid of step 1/2 its neighbours stay: 4.25 is best against 3.5, so 4 and 4.5 tie there.
    """
    q = np.arange(0.0, 12.5, 0.5)
    profit = q[:, None] * (12 - q[:, None] - q)
    kept = iterated_elimination(NormalForm.bimatrix(profit, profit.T)).kept
    assert [q[list(k)].tolist() for k in kept] == [[3.5, 4.0, 4.5]] * 2


def test_names_are_kept():
    game = NormalForm.bimatrix(
        [[-1, -3], [0, -2]],
        [[-1, 0], [-3, -2]],
        title="Prisoner's dilemma",
        players=("Ann", "Bob"),
        actions=(("silent", "talk"), ("quiet", "betray")),
    )
    reduced = iterated_elimination(game).game
    assert reduced.title == "Prisoner's dilemma"
    assert reduced.players == ("Ann", "Bob")
    assert reduced.actions == (("talk",), ("betray",))
    assert reduced.at((0, 0)).tolist() == [-2, -2]


@pytest.mark.parametrize(
    ("call", "needs"),
    [
        (lambda g: strictly_dominated(g, 2), "player: need an index in 0..1, got 2"),
        (lambda g: strictly_dominated(g, 0, by="weak"), 'need "mixed" or "pure", got \'weak\''),
        (lambda g: iterated_elimination(g, "weak"), 'need "mixed" or "pure", got \'weak\''),
        (lambda g: restricted(g, [[0]]), "kept: need 2 lists of actions, got 1"),
        (lambda g: restricted(g, [[0], [2]]), "action of player 1: need an index in 0..1"),
        (lambda g: restricted(g, [[0], []]), "empty"),
    ],
)
def test_bad_input_is_refused_in_one_line(call, needs):
    with pytest.raises(InputError, match=needs) as caught:
        call(NormalForm.zero_sum([[1, -1], [-1, 1]]))
    assert "\n" not in str(caught.value)
