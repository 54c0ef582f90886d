"""Dec-POMDPs as environments: what follows and what is seen has the tables' probabilities."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from refmarl.check import InputError
from refmarl.env_api import random_actions
from refmarl.envs import PosgEnv
from refmarl.envs.posg import GAMES
from refmarl.games.finite_horizon import finite_optimum
from refmarl.games.markov import MarkovGame
from refmarl.games.posg import POSG
from refmarl.games.posg_examples import switch_riddle
from refmarl.games.posg_policies import posg_value
from refmarl.rollout import Act
from refmarl.testing.check_env import check_env
from refmarl.training.certify import certify

SEEDS = st.integers(0, 2**32)


def uneven(seed):
    """Two players with other numbers of actions and of observations; joint ones are no product."""
    rng = np.random.default_rng(seed)
    moves = rng.dirichlet(np.ones(3), size=(3, 2, 3))
    game = MarkovGame(moves, rng.standard_normal((2, 3, 2, 3)), 0.9, rng.dirichlet(np.ones(3)))
    signals = rng.dirichlet(np.ones(6), size=(3, 2, 3)).reshape(3, 2, 3, 2, 3)
    return POSG(game, signals)


@pytest.mark.parametrize(
    "env",
    [
        *(PosgEnv(game) for game in GAMES),
        PosgEnv(horizon=3, memory=1, clock=False),
        PosgEnv(uneven(0), horizon=5, memory=2),
    ],
    ids=[*GAMES, "forgetful", "uneven"],
)
def test_it_keeps_all_promises(env):
    check_env(env)


@pytest.mark.parametrize("seed", range(3))
def test_signals_are_as_frequent_as_the_table_says(seed):
    """χ² over (s', o) after one step from each joint action."""
    posg, size = uneven(seed), 20_000
    env = PosgEnv(posg, horizon=2, memory=1)
    rng = np.random.default_rng(seed)
    state = env.reset(rng, size)
    actions = random_actions(env, rng, state)
    after, _ = env.step(state, actions)
    a = np.concatenate(actions, axis=1)
    p = posg.game.transition[state.s, a[:, 0], a[:, 1]]  # (B, S')
    signals = posg.observation[:, a[:, 0], a[:, 1]].reshape(3, size, 6)
    wanted = np.einsum("bs,sbo->so", p, signals)
    seen = after.seen[:, 0, 0] * 3 + after.seen[:, 1, 0]
    counts = np.zeros((3, 6))
    np.add.at(counts, (after.s, seen), 1)
    statistic = ((counts - wanted) ** 2 / wanted).sum()
    assert stats.chi2.sf(statistic, 17) > 1e-3


@settings(max_examples=10)
@given(SEEDS, st.sampled_from(GAMES))
def test_an_agent_is_shown_its_own_last_observations_in_order(seed, game):
    env = PosgEnv(game, horizon=5, memory=3)
    rng = np.random.default_rng(seed)
    state = env.reset(rng, 4)
    past = [np.full((4, env.posg.num_players), -1)] * 3
    for _ in range(4):
        state, _ = env.step(state, random_actions(env, rng, state))
        past.append(state.seen[:, :, -1])
        assert_array_equal(state.seen, np.stack(past[-3:], axis=2))
        if state.ended.any():
            return


def test_nothing_of_the_hidden_state_is_shown():
    env = PosgEnv("dec_tiger", horizon=2)
    state = env.reset(np.random.default_rng(0), 50)
    assert len(set(state.s.tolist())) == 2
    (seen,) = env.observe(state)
    assert (seen == seen[:1]).all()
    assert len(np.unique(env.global_state(state), axis=0)) == 2  # a critic may know


@given(st.sampled_from(GAMES), st.integers(0, 3))
def test_copies_in_histories_show_each_history_once(game, t):
    env = PosgEnv(game, horizon=4, memory=4)
    (seen,) = env.observe(env.in_histories(t))
    n, kinds = env.posg.num_players, env.posg.num_observations[0]
    assert len(seen) == kinds**t
    for i in range(n):
        assert len(np.unique(seen[:, i], axis=0)) == kinds**t
        assert (seen[:, i, n + t] == 1.0).all()  # the clock


def test_uniform_play_earns_what_the_tables_say():
    posg = uneven(5)
    env = PosgEnv(posg, horizon=3)
    even = [[np.full((o**t, k), 1 / k) for t in range(3)] for o, k in ((2, 2), (3, 3))]
    rng, total = np.random.default_rng(0), 0.0
    state = env.reset(rng, 40_000)
    for _ in range(3):
        state, step = env.step(state, random_actions(env, rng, state))
        total = total + np.concatenate(step.reward, axis=1)
    error = total.std(axis=0) / np.sqrt(len(total))
    assert_allclose(total.mean(axis=0), posg_value(posg, even), atol=4.5 * error.max())
    assert step.truncated.all()


def test_a_game_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="dec_tiger, broadcast_channel"):
        PosgEnv("tiger")


# -- the switch riddle ------------------------------------------------------------------


def enough(n, days):
    """P(all n have been in after so many days), by inclusion and exclusion."""
    return sum((-1) ** k * comb(n, k) * (1 - k / n) ** days for k in range(n + 1))


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("days", [1, 4, 7])
def test_nobody_can_tell_before_all_have_been_in_the_room(n, days):
    game = switch_riddle(prisoners=n).game
    assert finite_optimum(game, days + 1) == pytest.approx(max(enough(n, days), 0.0), abs=1e-12)


def three_prisoners(days):
    """The light means that two have been in: tables (3^t, 3) of one prisoner."""
    tables = [np.eye(3)[[0]]]
    for t in range(1, days + 1):
        rows = np.zeros(3**t, dtype=int)
        for k, (*past, now) in enumerate(np.ndindex(*[3] * t)):
            new, on = not any(past), now == 2
            tells, lights = new and on, on or (new and t > 1)
            rows[k] = (2 if tells else int(lights)) if now else 0
        tables.append(np.eye(3)[rows])
    return tables


@pytest.mark.parametrize("days", [3, 6])
def test_three_prisoners_reach_what_nobody_exceeds(days):
    plan = three_prisoners(days)
    value = posg_value(switch_riddle(), [plan] * 3)
    assert_allclose(value, np.full(3, enough(3, days)), atol=1e-12)


def test_the_riddle_is_certified_though_deviations_are_too_many():
    env = PosgEnv("switch_riddle", horizon=7, memory=7)

    def silent(obs, mask, memory):
        action = np.zeros(obs[0].shape[:2], dtype=np.int64)
        return Act((action,), (np.zeros(action.shape),))

    found = certify(env, silent, greedy=True)
    assert_allclose(found.values, np.zeros(3))
    assert found.best == pytest.approx(20 / 27)
    assert not found.reached
    assert found.regrets is None
    assert found.nash_conv is None
