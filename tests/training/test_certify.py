"""Certificates of joint policies: equilibria have none to gain, and what others miss is by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.envs import CartPole, Chain, Grid, Hanabi, Matrix, Pendulum, PosgEnv, TabularEnv
from refmarl.games.dec_pomdp import centralised_value, solve_dec_pomdp
from refmarl.games.finite_horizon import finite_optimum, finite_regrets, finite_value
from refmarl.games.induced import best_response_policy, policy_regrets
from refmarl.games.markov import MarkovGame, evaluate
from refmarl.games.policy_gradient import softmax
from refmarl.games.posg import fully_observed
from refmarl.games.posg_policies import posg_regrets, posg_value
from refmarl.rollout import Act
from refmarl.testing.strategies import markov_games, seeded_markov_games_with_policies
from refmarl.training.certify import best_return, certify
from refmarl.training.evaluate import at_random
from refmarl.training.evaluate import evaluate as play

SEEDS = st.integers(0, 2**32)


def always(env, *actions):
    """Agent i always takes action i of these."""

    def act(obs, mask, memory):
        chosen, first = [], 0
        for group, seen in zip(env.groups, obs, strict=True):
            own = np.array(actions[first : first + len(group.agents)])
            chosen.append(np.broadcast_to(own, seen.shape[:2]))
            first += len(group.agents)
        return Act(tuple(chosen), tuple(np.zeros(a.shape) for a in chosen))

    return act


def linear(env, seed, rng=None):
    """Softmax policies of random weights; drawn if there is an rng, else the mode."""
    weights = np.random.default_rng(seed)
    nets = [weights.standard_normal((g.obs_dim, g.space.n)) for g in env.groups]

    def act(obs, mask, memory):
        p = [softmax(x @ w) for x, w in zip(obs, nets, strict=True)]
        if rng is None:
            chosen = [q.argmax(axis=-1) for q in p]
        else:
            chosen = [(q.cumsum(-1) > rng.random((*q.shape[:2], 1))).argmax(-1) for q in p]
        pairs = zip(p, chosen, strict=True)
        log = [np.log(np.take_along_axis(q, a[..., None], -1)[..., 0]) for q, a in pairs]
        return Act(tuple(chosen), tuple(log))

    return act


# -- finite horizons --------------------------------------------------------------------


@given(seeded_markov_games_with_policies(), st.integers(1, 4))
def test_over_a_horizon_it_is_what_an_unrolled_game_says(case, rounds):
    """States (t, s) and an end: a game without a horizon, discounted by γ, is the same."""
    game, policies = case
    size, n = game.num_states, game.num_players
    moves = np.zeros((rounds * size + 1, *game.num_actions, rounds * size + 1))
    reward = np.zeros((n, rounds * size + 1, *game.num_actions))
    for t in range(rounds):
        here, after = slice(t * size, (t + 1) * size), slice((t + 1) * size, (t + 2) * size)
        reward[:, here] = game.reward
        if t < rounds - 1:
            moves[here, ..., after] = game.transition
        else:
            moves[here, ..., -1] = 1.0
    moves[-1, ..., -1] = 1.0
    first = np.concatenate([game.initial, np.zeros((rounds - 1) * size + 1)])
    longer = MarkovGame(moves, reward, game.gamma, first)
    repeated = [np.vstack([*[p] * rounds, p[:1]]) for p in policies]
    values = evaluate(longer, repeated) @ first
    assert_allclose(finite_value(game, policies, rounds, game.gamma), values, atol=1e-9)
    regrets = policy_regrets(longer, repeated)
    assert_allclose(finite_regrets(game, policies, rounds, game.gamma), regrets, atol=1e-9)


@given(markov_games(), SEEDS)
def test_long_horizons_with_a_discount_come_to_the_endless_game(game, seed):
    policies = [softmax(np.random.default_rng(seed).standard_normal((game.num_states, k)))
                for k in game.num_actions]  # fmt: skip
    gamma = min(game.gamma, 0.5)
    short = MarkovGame(game.transition, game.reward, gamma, game.initial)
    found = finite_regrets(short, policies, 60, gamma)
    assert_allclose(found, policy_regrets(short, policies), atol=1e-9)


@given(seeded_markov_games_with_policies(), st.integers(1, 4))
def test_no_policies_beat_the_optimum_and_with_one_player_its_best_reply_reaches_it(case, rounds):
    game, policies = case
    best = finite_optimum(game, rounds)
    value = finite_value(game, policies, rounds)
    assert value.mean() <= best + 1e-9
    if game.num_players == 1:
        assert_allclose(value[0] + finite_regrets(game, policies, rounds)[0], best, atol=1e-9)


# -- Markov games -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("game", "actions", "regrets"),
    [
        ("prisoners-dilemma-positive", (1, 1), (0.0, 0.0)),  # both confess: an equilibrium
        ("prisoners-dilemma-positive", (0, 0), (20.0, 20.0)),  # 5 − 3 in each of 10 rounds
        ("climbing", (0, 0), (0.0, 0.0)),
        ("climbing", (0, 1), (370.0, 410.0)),  # 7 and 11 instead of −30
    ],
)
def test_in_a_matrix_game_regrets_are_those_by_hand(game, actions, regrets):
    env = Matrix(game, horizon=10)
    found = certify(env, always(env, *actions), greedy=True)
    assert_allclose(found.regrets, regrets, atol=1e-12)
    assert_allclose(found.values, 10.0 * env.stage.at(actions), atol=1e-12)
    assert found.nash_conv == pytest.approx(sum(regrets))
    assert found.best == pytest.approx(10.0 * env.stage.payoffs.mean(axis=0).max())
    assert found.reached
    assert found.unseen == 0.0


@pytest.mark.parametrize("env", [Chain(3, horizon=7), Grid(horizon=9), TabularEnv(horizon=6)])
def test_exact_returns_are_what_episodes_return_on_average(env):
    policy = linear(env, 3, np.random.default_rng(0))
    found = certify(env, policy, greedy=False)
    played = play(env, policy, np.random.default_rng(1), 4000).returns
    error = played.std(axis=0, ddof=1) / np.sqrt(len(played)) + found.unseen * env.horizon + 1e-9
    assert (np.abs(played.mean(axis=0) - found.values) < 5 * error).all()
    assert found.unseen < 0.01
    assert (found.regrets >= 0).all()
    assert found.values.mean() <= found.best


@pytest.mark.parametrize("env", [Chain(3, horizon=7), Matrix("climbing"), PosgEnv(horizon=3)])
def test_the_best_return_is_that_of_every_certificate(env):
    found = certify(env, always(env, *[0] * len(env.agents)), True)
    assert best_return(env) == (found.best, found.reached)


@pytest.mark.parametrize("env", [Chain(4), Grid(), TabularEnv(), Matrix("chicken")])
def test_a_copy_stands_in_every_state_of_the_twin(env):
    copies = env.twin_copies()
    assert_allclose(env.twin_state(copies), np.arange(env.twin().num_states))
    assert not copies.ended.any()


def test_without_a_horizon_returns_are_discounted():
    """Confess for ever: 1 / (1 − γ); who keeps silent alone would have 0."""
    env = Matrix("prisoners-dilemma-positive", horizon=0)
    found = certify(env, always(env, 1, 1), True, gamma=0.5)
    assert_allclose(found.values, [2.0, 2.0])
    assert_allclose(found.regrets, [0.0, 0.0], atol=1e-12)
    assert found.best == pytest.approx(6.0)
    assert found.gamma == 0.5


def test_playing_best_responses_leaves_nothing_to_regret():
    """One swimmer; its best policy is found by policy iteration for a long game."""
    env = Chain(3, players=1, horizon=0)
    game = env.twin(0.9)
    rows = best_response_policy(game, game.uniform(), 0).argmax(axis=1)

    def act(obs, mask, memory):
        return Act((rows[obs[0].argmax(axis=-1)],), (np.zeros(obs[0].shape[:2]),))

    found = certify(env, act, True, gamma=0.9)
    assert found.nash_conv == 0.0
    assert found.values[0] == pytest.approx(found.best)


# -- partially observed -----------------------------------------------------------------


def following(env, strategies):
    """Plays tables (O_i^t, A_i), whose histories it reads from what it is shown."""
    n, rounds, signals = env.posg.num_players, env.horizon, env.posg.num_observations

    def act(obs, mask, memory):
        seen = np.concatenate(obs, axis=1)
        t = seen[0, 0, n : n + rounds].argmax()
        past = seen[:, :, n + rounds :].reshape(*seen.shape[:2], env.memory, -1).argmax(axis=-1)
        chosen = np.zeros(seen.shape[:2], dtype=np.int64)
        for i in range(n):
            number = np.zeros(len(seen), dtype=np.int64)
            for k in range(t):
                number = number * signals[i] + past[:, i, env.memory - t + k]
            chosen[:, i] = strategies[i][t].argmax(axis=1)[number]
        return Act((chosen,), (np.zeros(chosen.shape),))

    return act


@pytest.mark.parametrize("game", ["dec_tiger", "broadcast_channel", "recycling_robots"])
@pytest.mark.parametrize("rounds", [1, 3])
def test_the_optimal_plan_is_certified_optimal_and_an_equilibrium(game, rounds):
    env = PosgEnv(game, horizon=rounds, memory=rounds)
    plan = solve_dec_pomdp(env.posg, rounds)
    found = certify(env, following(env, plan.strategies), greedy=True)
    assert found.values.mean() == pytest.approx(plan.value)
    assert found.best == pytest.approx(plan.value)
    assert found.reached
    assert found.nash_conv < 1e-9


def test_listening_for_ever_costs_two_a_round_and_what_it_misses_is_the_best_reply():
    env = PosgEnv("dec_tiger", horizon=3)
    found = certify(env, always(env, 0, 0), greedy=True)
    assert_allclose(found.values, [-6.0, -6.0])
    listen = tuple(np.eye(3)[np.zeros(2**t, dtype=int)] for t in range(3))
    assert_allclose(found.regrets, posg_regrets(env.posg, [listen] * 2))
    assert found.best == pytest.approx(5.19081, abs=1e-5)  # Szer et al. 2005


@settings(max_examples=10)
@given(SEEDS, st.sampled_from(["dec_tiger", "broadcast_channel"]), st.integers(1, 3))
def test_exact_returns_of_partial_games_are_what_episodes_return(seed, game, rounds):
    env = PosgEnv(game, horizon=rounds, memory=2)
    policy = linear(env, seed)
    found = certify(env, policy, greedy=True)
    played = play(env, policy, np.random.default_rng(seed), 2000).returns
    error = played.std(axis=0, ddof=1) / np.sqrt(len(played))
    assert (np.abs(played.mean(axis=0) - found.values) < 6 * error + 1e-9).all()


def test_a_policy_with_a_memory_is_followed_through_its_histories():
    """It counts what it heard: the same as the table that says so."""
    env = PosgEnv("dec_tiger", horizon=3, memory=1)

    def counting(obs, mask, memory):
        (seen,) = obs
        heard = seen[..., -2:] @ [1.0, -1.0]
        (total,) = memory or (np.zeros(heard.shape),)
        total = total + heard
        late = seen[0, 0, 2 + 2] == 1.0
        action = np.where(late & (np.abs(total) == 2), np.where(total > 0, 2, 1), 0)
        return Act((action,), (np.zeros(action.shape),), (total,))

    opens = np.zeros((4, 3))
    opens[[1, 2], 0] = opens[0, 2] = opens[3, 1] = 1.0
    table = (np.eye(3)[[0]], np.eye(3)[[0, 0]], opens)
    found = certify(env, counting, greedy=True)
    assert_allclose(found.values, posg_value(env.posg, [table] * 2))
    assert found.values.mean() == pytest.approx(found.best)  # this plan is the optimum


def test_many_rounds_have_a_bound_that_says_so():
    env = PosgEnv("dec_tiger", horizon=5, memory=4)
    found = certify(env, always(env, 0, 0), greedy=True)
    assert not found.reached
    assert found.best == pytest.approx(100.0)  # 20 in each round, the state shown


@given(markov_games(2, 2, max_actions=2, max_states=2), SEEDS)
@settings(max_examples=10)
def test_a_game_whose_state_is_shown_has_the_markov_games_values(game, seed):
    """Two faces of one game from its second round on; before it nothing is seen."""
    first = MarkovGame(game.transition, game.reward, 0.5, np.eye(game.num_states)[0])
    hidden = PosgEnv(fully_observed(first), horizon=2, memory=1)
    shown = TabularEnv(first, horizon=2)
    pick = np.random.default_rng(seed).integers(0, game.num_actions, (game.num_states, 2))

    def of_states(obs, mask, memory):
        seen = [o[..., 2:].argmax(axis=-1) for o in obs]
        return _split(pick, seen)

    def of_signals(obs, mask, memory):
        seen = [np.where(o[..., 4:].any(axis=-1), o[..., 4:].argmax(axis=-1), 0) for o in obs]
        return _split(pick, seen)

    one, two = certify(hidden, of_signals, True), certify(shown, of_states, True)
    assert_allclose(one.values, two.values, atol=1e-9)


def _split(pick, seen):
    """Actions ``pick`` (S, 2) of the states that each group sees."""
    chosen, first = [], 0
    for s in seen:
        chosen.append(pick[s, np.arange(first, first + s.shape[1])])
        first += s.shape[1]
    return Act(tuple(chosen), tuple(np.zeros(a.shape) for a in chosen))


@given(SEEDS, st.integers(1, 3), st.sampled_from([0, 1, 3]))
@settings(max_examples=20)
def test_players_counted_otherwise_have_the_same_certificate(seed, players, horizon):
    rng, states = np.random.default_rng(seed), 3
    sizes, order = rng.integers(1, 4, players), rng.permutation(players)
    reward = rng.standard_normal((players, states, *sizes))
    moves, first = rng.dirichlet(np.ones(states), (states, *sizes)), rng.dirichlet(np.ones(states))
    turned = moves.transpose(0, *(1 + order), 1 + players)
    games = (
        MarkovGame(moves, reward, 0.9, first),
        MarkovGame(turned, reward[order].transpose(0, 1, *(2 + order)), 0.9, first),
    )
    pick = rng.integers(0, sizes, (states, players))
    one, two = (
        certify(TabularEnv(game, horizon=horizon), of_tables(chosen), True, 0.9)
        for game, chosen in zip(games, (pick, pick[:, order]), strict=True)
    )
    assert_allclose(two.values, one.values[order], atol=1e-9)
    assert_allclose(two.regrets, one.regrets[order], atol=1e-9)
    assert two.best == pytest.approx(one.best, abs=1e-9)
    assert one.values.mean() <= one.best + 1e-9
    if players == 1:
        assert one.values[0] + one.regrets[0] == pytest.approx(one.best, abs=1e-9)


def of_tables(pick):
    """Player i takes ``pick[s, i]`` in state s, which it sees behind who it is."""
    players = pick.shape[1]
    return lambda obs, mask, memory: _split(pick, [o[..., players:].argmax(-1) for o in obs])


@given(SEEDS)
@settings(max_examples=5)
def test_a_bound_is_below_what_the_state_shown_or_all_signals_shared_would_earn(seed):
    env = PosgEnv(f"team-game:seed={seed}", horizon=5)
    bound, reached = best_return(env)
    assert not reached
    assert bound <= finite_optimum(env.posg.game, 5) + 1e-9
    assert bound <= centralised_value(env.posg, 5) + 1e-9
    assert bound >= best_return(PosgEnv(env.posg, horizon=4))[0] + env.posg.game.reward.min() - 1e-9


@given(st.floats(0.1, 1.0), SEEDS)
@settings(max_examples=10)
def test_what_was_never_drawn_is_told_and_shared_by_the_actions_not_drawn(p, seed):
    """A policy that says p of action 0 in the first state, and 1 in the other, and takes it."""
    rng = np.random.default_rng(seed)
    game = MarkovGame(np.full((2, 3, 2), 0.5), rng.standard_normal((1, 2, 3)), 0.9, [1.0, 0.0])

    def act(obs, mask, memory):
        zeros = np.zeros(obs[0].shape[:2], dtype=int)
        return Act((zeros,), (np.where(obs[0][..., 1] == 1.0, np.log(p), 0.0),))

    found = certify(TabularEnv(game, horizon=1), act, greedy=False)
    assert found.unseen == pytest.approx(1.0 - p, abs=1e-9)
    worth = game.reward[0, 0]
    assert found.values[0] == pytest.approx(p * worth[0] + (1.0 - p) * worth[1:].mean(), abs=1e-9)


def test_of_cards_only_policies_that_draw_nothing_are_certified():
    env = Hanabi(size="tiny")
    with pytest.raises(InputError, match="draws its actions"):
        certify(env, at_random(env, np.random.default_rng(0)), greedy=False)


# -- what cannot be certified -----------------------------------------------------------


def test_what_cannot_be_enumerated_says_why():
    for env in (CartPole(), Pendulum()):
        with pytest.raises(InputError, match="no certificate: its states cannot be listed"):
            certify(env, None, True)
        assert best_return(env) is None
    env = PosgEnv(horizon=40)
    with pytest.raises(InputError, match="histories"):
        certify(env, always(env, 0, 0), True)
    env = Matrix()

    def remembers(obs, mask, memory):
        act = always(env, 0, 0)(obs, mask, ())
        return act._replace(memory=(np.zeros(len(obs[0])),))

    with pytest.raises(InputError, match="remembers"):
        certify(env, remembers, True)

    def silent(obs, mask, memory):
        act = always(env, 0, 0)(obs, mask, ())
        return act._replace(log_prob=tuple(np.full(x.shape, np.nan) for x in act.log_prob))

    with pytest.raises(InputError, match="tells no probabilities"):
        certify(env, silent, False)
