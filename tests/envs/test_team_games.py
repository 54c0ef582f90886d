"""Teams by seed, in all three kinds of games, and Foerster's game of two cards."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from refmarl.check import InputError
from refmarl.envs import Matrix, PosgEnv, TabularEnv
from refmarl.games import library
from refmarl.games.dec_pomdp import solve_dec_pomdp
from refmarl.games.markov import MarkovGame
from refmarl.games.posg import POSG
from refmarl.games.posg_examples import tiny_hanabi
from refmarl.testing.check_env import check_env
from refmarl.training.certify import best_return

SEEDS, SIZES = st.integers(0, 2**32), st.integers(1, 3)


@settings(max_examples=25)
@given(SEEDS, SIZES, SIZES, SIZES, SIZES)
def test_a_seed_is_a_team_and_one_round_of_it_is_worth_its_best_joint_action(
    seed, n, m, states, signals
):
    name = f"team-game:seed={seed},n={n},m={m}"
    stage = Matrix(name, horizon=1)
    assert stage.stage.num_actions == (m,) * n
    assert (stage.stage.payoffs == stage.stage.payoffs[:1]).all()
    assert best_return(stage) == (stage.stage.payoffs.max(), True)
    table = TabularEnv(f"{name},states={states}", horizon=1)
    hidden = PosgEnv(f"{name},states={states},signals={signals}", horizon=1)
    assert hidden.posg.num_observations == (signals,) * n
    for game in (table.twin(), hidden.posg.game):
        assert game.num_states == states
        assert (game.reward == game.reward[:1]).all()
    seen = game.reward[0].reshape(states, -1).max(axis=1) @ game.initial
    blind = (game.initial @ game.reward[0].reshape(states, -1)).max()
    assert best_return(table) == (pytest.approx(seen), True)
    assert best_return(hidden) == (pytest.approx(blind, abs=1e-9), True)
    again = PosgEnv(f"{name},states={states},signals={signals}")
    assert_array_equal(again.posg.observation, hidden.posg.observation)
    assert_array_equal(again.posg.game.transition, table.twin().transition)


def test_another_seed_is_another_team():
    tables = [Matrix(f"team-game:seed={k},m=9").stage.payoffs for k in range(20)]
    assert len({t.tobytes() for t in tables}) == 20
    assert set(np.ravel(tables)) == set(range(100))  # 1620 draws: each number is among them
    assert library.game("team-game", seed=3, m=9).payoffs.tobytes() == tables[3].tobytes()
    signals = [PosgEnv(f"team-game:seed={k}").posg.observation for k in range(20)]
    rows = {state.tobytes() for seen in signals for state in seen}
    assert len(rows) == 60  # of three states each
    moves = [TabularEnv(f"team-game:seed={k}").twin(0.5) for k in range(20)]
    assert len({game.transition.tobytes() for game in moves}) == 20
    assert {game.gamma for game in moves} == {0.5}


def test_signals_are_drawn_from_dirichlets_of_one_half():
    """Σ p² of 4 joint signals is (½ + 1) / (4 · ½ + 1) on average, its variance 1/40."""
    seen = np.stack([PosgEnv(f"team-game:seed={k},states=20").posg.observation for k in range(20)])
    found = np.square(seen).reshape(-1, 4).sum(axis=1)
    assert found.mean() == pytest.approx(0.5, abs=5 * (len(found) * 40) ** -0.5)


@settings(max_examples=15)
@given(SEEDS)
def test_who_sees_more_earns_no_less(seed):
    """Signals that say nothing, own ones, and the state."""
    posg = PosgEnv(f"team-game:seed={seed}").posg
    blind = POSG(posg.game, np.full(posg.observation.shape, 0.25))
    values = [solve_dec_pomdp(g, 3).value for g in (blind, posg)]
    open_ = best_return(TabularEnv(f"team-game:seed={seed}", horizon=3))
    assert open_ is not None
    assert values[0] <= values[1] + 1e-9
    assert values[1] <= open_[0] + 1e-9


def test_teams_keep_all_promises():
    check_env(PosgEnv("team-game:seed=3,n=3,m=2,signals=3", horizon=5))
    check_env(Matrix("team-game:seed=3,n=3", horizon=2))
    check_env(TabularEnv("team-game:seed=3", horizon=4))


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        (Matrix, "team-game:seed=-1", "seed: need a whole number in 0..2"),
        (Matrix, "team-game:size=2", "no parameter 'size'; its parameters are seed, n, m"),
        (TabularEnv, "team-game:states=0", "states: need a whole number ≥ 1"),
        (TabularEnv, "soccer:x=1", "soccer: no number 'x'; it has rows"),
        (PosgEnv, "team-game:signals=2.5", "signals: need a whole number"),
        (PosgEnv, "dec-tiger:seed=1", "dec_tiger: no number 'seed'; it has none"),
        (PosgEnv, "team-game:seed", "need NAME or NAME:k=NUMBER"),
        (PosgEnv, "teams", "need one of dec_tiger, "),
    ],
)
def test_what_does_not_fit_is_refused_when_it_is_made(kind, name, says):
    with pytest.raises(InputError, match=says):
        kind(name)


def test_whole_numbers_stay_whole():
    assert Matrix("majority:n=7").stage.num_players == 7
    assert PosgEnv("switch_riddle:prisoners=4").posg.num_players == 4


# -- two cards --------------------------------------------------------------------------


def test_two_cards_are_worth_10_and_8_if_nothing_can_be_told():
    """Foerster et al. 2019: 10 is the maximum, which only who reads the other's action reaches."""
    posg = tiny_hanabi()
    assert solve_dec_pomdp(posg, 3).value == 10.0
    deaf = posg.marginal(1).copy()
    deaf[5:17] = [1.0, 0.0, 0.0]
    silent = POSG.independent(posg.game, [posg.marginal(0), deaf])
    assert solve_dec_pomdp(silent, 3).value == 8.0


def test_cards_dealt_to_both_are_even_and_only_the_last_action_is_paid():
    game: MarkovGame = tiny_hanabi().game
    assert_array_equal(game.transition[0].reshape(-1, 18).std(axis=0), 0.0)
    assert_array_equal(game.transition[0, 0, 0, 1:5], 0.25)
    assert (game.reward[:, [*range(5), 17]] == 0.0).all()
    assert (game.reward.std(axis=2) == 0.0).all()  # player 1 has acted before


PUBLISHED = (  # Foerster et al. 2019: the cards of players 1 and 2, then their actions
    ((10, 0, 0), (4, 8, 4), (10, 0, 0)), ((0, 0, 10), (4, 8, 4), (0, 0, 10)),
    ((0, 0, 10), (4, 8, 4), (0, 0, 0)), ((10, 0, 0), (4, 8, 4), (10, 0, 0)),
)  # fmt: skip


def test_two_cards_pay_as_published():
    game = tiny_hanabi().game
    paid = game.reward[:, 5:17, 0].reshape(2, 4, 3, 3)
    assert_array_equal(paid, np.array([PUBLISHED] * 2, float))
    for cards in range(4):  # what player 1 does leads there, whatever player 2 does meanwhile
        for a in range(3):
            assert_array_equal(game.transition[1 + cards, a, :, 5 + 3 * cards + a], 1.0)


def test_everybody_sees_the_own_card_and_then_what_player_1_did():
    posg = tiny_hanabi()
    for i in range(2):
        seen = posg.marginal(i)[:, 0, 0].argmax(axis=-1)
        cards = [(own, other)[i] for own in range(2) for other in range(2)]
        assert_array_equal(seen, [0, *cards, *[0, 1, 2] * 4, 0])
        assert_array_equal(posg.marginal(i).max(axis=-1), 1.0)


def test_two_cards_pay_as_in_openspiel():
    spiel = pytest.importorskip("pyspiel")
    game, theirs = tiny_hanabi().game, spiel.load_game("tiny_hanabi")
    for own, other, a, b in np.ndindex(2, 2, 3, 3):
        state = theirs.new_initial_state()
        for action in (own, other, a, b):
            state.apply_action(action)
        assert state.returns()[0] == game.reward[0, 5 + 3 * (2 * own + other) + a, 0, b]
