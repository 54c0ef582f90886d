"""Laws of policy hill climbing and WoLF-PHC."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import MarkovGame, NormalForm, _repeated, library, regrets
from refmarl.games.induced import best_response_policy
from refmarl.games.markov import repeated
from refmarl.games.markov_examples import random_markov_game
from refmarl.games.mdp import MDP, solve_mdp
from refmarl.games.wolf_phc import WolfConfig, climb, draw, learn, play
from refmarl.testing.strategies import games, markov_games

SEEDS = st.integers(0, 2**32 - 1)
RATES = st.sampled_from([0.0, 0.01, 0.3, 1.0])
CONFIGS = st.builds(
    WolfConfig,
    steps=st.integers(1, 30),
    alpha=st.sampled_from([0.1, 0.5, 1.0]),
    delta_win=RATES,
    delta_lose=st.none() | RATES,
    alpha_half=st.sampled_from([3.0, np.inf]),
    delta_half=st.sampled_from([5, np.inf]),
    explore=st.sampled_from([0.0, 0.3, 1.0]),
    restart=st.sampled_from([0.0, 0.2, 1.0]),
)
PENNIES = library.game("matching-pennies")
RPS = library.game("rock-paper-scissors")


def rng(seed=0):
    return np.random.default_rng(seed)


def with_(cfg, **changes):
    return WolfConfig(**(vars(cfg) | changes))


def arrays_of(found):
    return [*found.policies, *found.averages, *found.q]


def assert_same(first, second):
    for x, y in zip(arrays_of(first), arrays_of(second), strict=True):
        assert_array_equal(x, y)


def index(weights, u):
    """The last of positive weight whose forerunners' sum does not exceed u."""
    sums = [0.0]
    for w in weights:
        sums.append(sums[-1] + w)
    return max(k for k, w in enumerate(weights) if w > 0 and sums[k] <= u)


def literal(game, cfg, seed, wolf=True):
    """The algorithm with dictionaries and lists: the policies and values in the end."""
    n, S, sizes = game.num_players, game.num_states, game.num_actions
    stream = rng(seed).spawn(1)[0]
    pi = [[[1 / k] * k for _ in range(S)] for k in sizes]
    mean = [[[0.0] * k for _ in range(S)] for k in sizes]
    q = [[[0.0] * k for _ in range(S)] for k in sizes]
    count, s = [0] * S, None
    for t in range(cfg.steps):
        *own, luck = stream.random((n + 1, 3))
        alpha = cfg.alpha / (1 + t / cfg.alpha_half)
        slow = 1 + t / cfg.delta_half
        if s is None:
            s = index(game.initial, luck[1])
        elif luck[0] < cfg.restart:
            s = int(luck[1] * S)
        a = tuple(
            int(u[1] * k) if u[0] < cfg.explore else index(p[s], u[1])
            for u, k, p in zip(own, sizes, pi, strict=True)
        )
        after = index(game.transition[(s, *a)], luck[2])
        count[s] += 1
        for i, k in enumerate(sizes):
            target = float(game.reward[(i, s, *a)]) + game.gamma * max(q[i][after])
            q[i][s][a[i]] = q[i][s][a[i]] + alpha * (target - q[i][s][a[i]])
            p, m, v = pi[i][s], mean[i][s], q[i][s]
            now = before = 0.0
            for b in range(k):
                m[b] = m[b] + (p[b] - m[b]) / count[s]
                now, before = now + p[b] * v[b], before + m[b] * v[b]
            best = v.index(max(v))
            rate = (cfg.delta_win if wolf and now > before else cfg.lose) / slow
            for b in range(k):
                if b != best:
                    less = min(p[b], rate / (k - 1))
                    p[b], p[best] = p[b] - less, p[best] + less
        s = after
    return pi, mean, q


# -- identities ----------------------------------------------------------------------


@given(markov_games(), CONFIGS, SEEDS)
def test_every_player_follows_the_rules_as_they_are_written_bit_for_bit(game, cfg, seed):
    found = learn(game, cfg, rng(seed))
    pi, mean, q = literal(game, cfg, seed)
    for i in range(game.num_players):
        assert_array_equal(found.policies[i][0, 0], pi[i])
        assert_array_equal(found.averages[i][0, 0], mean[i])
        assert_array_equal(found.q[i][0], q[i])


@given(markov_games(), CONFIGS, SEEDS)
def test_equal_rates_are_phc_bit_for_bit_which_looks_at_no_average(game, cfg, seed):
    same = with_(cfg, delta_lose=cfg.delta_win)
    found = learn(game, same, rng(seed), 2)
    assert_same(found, learn(game, with_(cfg, delta_lose=None), rng(seed), 2))
    pi, _, q = literal(game, same, seed, wolf=False)
    for i in range(game.num_players):
        assert_array_equal(found.policies[i][0, 0], pi[i])
        assert_array_equal(found.q[i][0], q[i])


@given(markov_games(), CONFIGS, SEEDS)
def test_policies_and_their_averages_stay_on_the_simplex(game, cfg, seed):
    found = learn(game, cfg, rng(seed), 2, times=range(1, cfg.steps + 1))
    for x in found.policies:
        assert (x >= 0).all()
        assert_allclose(x.sum(axis=-1), 1.0, atol=1e-12)
    for x in found.averages:  # 0 in states that were not visited yet
        assert (x >= -1e-15).all()
        total = x.sum(axis=-1)
        assert_allclose(total, (total > 0.5).astype(float), atol=1e-12)


@given(markov_games(), CONFIGS, SEEDS)
def test_a_policy_moves_in_the_visited_state_only_and_by_delta_at_most(game, cfg, seed):
    times = range(1, cfg.steps + 1)
    found = learn(game, cfg, rng(seed), 1, times)
    most = max(cfg.delta_win, cfg.lose)
    for x in found.policies:
        even = np.full((1, *x.shape[2:]), 1 / x.shape[-1])
        moves = np.abs(np.diff(np.concatenate([even, x[0]]), axis=0))
        assert (moves.sum(axis=-1) <= 2 * most + 1e-12).all()
        assert ((moves.sum(axis=-1) > 0).sum(axis=-1) <= 1).all()


@given(markov_games(), CONFIGS, SEEDS)
def test_who_never_moves_plays_evenly_for_ever(game, cfg, seed):
    found = learn(game, with_(cfg, delta_win=0.0, delta_lose=None), rng(seed))
    for x, k in zip(found.policies, game.num_actions, strict=True):
        assert_array_equal(x, np.full(x.shape, 1 / k))


@given(markov_games(), CONFIGS, SEEDS)
def test_a_rate_of_one_is_greedy_q_learning(game, cfg, seed):
    """δ/(A - 1) ≥ 1/2 empties every action but the greedy one: nothing is above 1/2 of those."""
    found = learn(game, with_(cfg, delta_win=1.0, delta_lose=None, delta_half=np.inf), rng(seed))
    for i, k in enumerate(game.num_actions):
        if k == 2:
            seen = found.averages[i][0, 0].sum(axis=-1) > 0.5
            best = np.eye(k)[found.q[i][0].argmax(axis=-1)]
            assert_allclose(found.policies[i][0, 0][seen], best[seen], atol=1e-12)


@given(games(1, 3) | games(2, 2, 4), CONFIGS, SEEDS)
def test_a_game_in_normal_form_is_one_state_without_a_future(game, cfg, seed):
    assert_same(learn(game, cfg, rng(seed)), learn(repeated(game, 0.0), cfg, rng(seed)))


# -- batches, records ----------------------------------------------------------------


@given(markov_games(), CONFIGS, SEEDS, st.integers(1, 4), st.integers(1, 4))
def test_a_run_is_the_same_in_any_batch(game, cfg, seed, first, second):
    small, large = sorted((first, second))
    few, many = (arrays_of(learn(game, cfg, rng(seed), k)) for k in (small, large))
    for x, y in zip(few, many, strict=True):
        assert_array_equal(x, y[:small])


@given(markov_games(), CONFIGS, SEEDS, st.integers(1, 20))
def test_the_first_rounds_of_a_longer_run_are_those_of_a_shorter_one(game, cfg, seed, more):
    longer = with_(cfg, steps=cfg.steps + more)
    times = sorted({cfg.steps, longer.steps})
    one, two = learn(game, cfg, rng(seed), 2), learn(game, longer, rng(seed), 2, times)
    assert two.times.tolist() == times
    for x, y in zip(one.policies + one.averages, two.policies + two.averages, strict=True):
        assert_array_equal(x[:, 0], y[:, 0])


@pytest.mark.parametrize("block", [1, 50, 1000])
def test_the_size_of_the_pieces_decides_nothing(monkeypatch, block):
    game = random_markov_game(rng(1), 3, (2, 3), 0.9)
    cfg, times = WolfConfig(steps=70, explore=0.3, delta_win=0.05), [1, 13, 20, 69, 70]
    whole = learn(game, cfg, rng(3), 9, times)
    monkeypatch.setattr(_repeated, "BLOCK", block)
    assert_same(whole, learn(game, cfg, rng(3), 9, times))


# -- limits and theorems ---------------------------------------------------------------


@settings(max_examples=20)
@given(st.integers(0, 999))
def test_alone_in_a_decision_process_it_learns_the_optimal_values_and_policy(seed):
    """Rates 1/(1 + t/h) and even exploration from all states: Watkins and Dayan's conditions.

    Transitions are certain here; the bias falls like exp(-(1 - γ) Σα / (S A)), Σα about 280.
    """
    source = rng(seed)
    moves = np.eye(3)[source.integers(3, size=(3, 2))]
    reward = source.integers(-5, 6, size=(3, 2)).astype(float)
    game = MarkovGame(moves, reward[None], 0.5)
    cfg = WolfConfig(steps=6000, alpha=0.5, alpha_half=200, explore=1.0, restart=0.3, delta_win=0.1)
    found, best = learn(game, cfg, source), solve_mdp(MDP(moves, reward, 0.5))
    q = reward + 0.5 * moves @ best.values
    assert_allclose(found.q[0][0], q, atol=0.01)
    regret = (best.values[:, None] - q) * found.policies[0][0, 0]
    assert regret.sum() <= 0.1


@settings(max_examples=10)
@given(st.integers(0, 999))
def test_against_a_player_without_a_choice_it_finds_a_best_response(seed):
    """Transitions are drawn: policies may differ where actions are worth nearly the same."""
    game = random_markov_game(rng(seed), 2, (3, 1), 0.5)
    cfg = WolfConfig(steps=20_000, alpha=0.2, alpha_half=1000, explore=0.3, restart=0.2)
    found = learn(game, with_(cfg, delta_win=0.01, delta_lose=0.04), rng(seed))
    best = best_response_policy(game, game.uniform(), 0)
    ours = found.policies[0][0, 0]
    values = [values_of(game, x) for x in (best, ours)]
    assert (values[1] >= values[0] - 0.02 * np.abs(game.reward).max() / 0.5).all()


def values_of(game, policy):
    """Values of player 0's policy; the other has one action."""
    chain = np.einsum("sa,sabt->st", policy, game.transition)
    pays = np.einsum("sa,sab->s", policy, game.reward[0])
    return np.linalg.solve(np.eye(len(pays)) - game.gamma * chain, pays)


def swing(game, win, lose):
    """Largest |π_1 - even| in each of three thirds, (3, R), and the last policies (R, A)."""
    cfg = WolfConfig(steps=150_000, delta_win=win, delta_lose=lose, explore=0.0)
    cfg = with_(cfg, delta_half=20_000.0)
    found = learn(game, cfg, rng(4), 20, range(1000, 150_001, 1000))
    x = found.policies[0][:, :, 0]
    off = np.abs(x - 1 / x.shape[-1]).max(axis=-1)
    return np.stack([off[:, k : k + 50].max(axis=1) for k in (0, 50, 100)]), x[:, -1]


@pytest.mark.parametrize("game", [PENNIES, RPS], ids=["pennies", "rps"])
def test_wolf_spirals_into_the_even_mixture_and_phc_does_not(game):
    """Theorem of Bowling and Veloso for two actions; measured with three.

    The interval is Student's at 99.9 %, of n = 20 independent runs.
    """
    (first, _, third), ends = swing(game, 0.0002, 0.0008)
    assert (third < 0.05).all()
    assert third.mean() < 0.7 * first.mean()
    half = 3.883 * ends.std(axis=0, ddof=1) / np.sqrt(20)
    assert (np.abs(ends.mean(axis=0) - 1 / ends.shape[1]) <= half).all()
    for delta in (0.0002, 0.0008):
        (start, _, end), _ = swing(game, delta, None)
        assert end.mean() >= 0.9 * start.mean()
        assert end.mean() > 5 * third.mean()


def test_in_coordination_both_end_in_one_pure_equilibrium():
    game = library.game("coordination")
    cfg = WolfConfig(steps=20_000)
    found = learn(game, cfg, rng(), 20)
    for run in range(20):
        profile = [x[run, 0, 0] for x in found.policies]
        assert regrets(game, profile).max() <= 1e-9
        assert max(profile[0]) > 1 - 1e-9


def test_three_players_find_what_is_dominant():
    payoffs = np.zeros((3, 2, 2, 2))
    payoffs[0, 1] = payoffs[1, :, 1] = payoffs[2, :, :, 1] = 1.0
    found = learn(NormalForm(payoffs), WolfConfig(steps=5000), rng(), 5)
    for x in found.policies:
        assert_allclose(x[:, 0, 0], np.tile([0.0, 1.0], (5, 1)), atol=1e-9)


# -- kernels and bad input -------------------------------------------------------------


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5).filter(any))
def test_a_draw_takes_each_index_on_its_share(weights):
    total = sum(weights)
    shares = np.array(weights) / total
    grid = (np.arange(60 * total) + 0.5) / (60 * total)
    drawn = [draw(shares, len(shares), u) for u in grid]
    assert_array_equal(np.bincount(drawn, minlength=len(shares)), 60 * np.array(weights))
    assert weights[draw(shares * (1 - 1e-9), len(shares), 1 - 1e-12)] > 0
    assert weights[draw(shares, len(shares), 0.0)] > 0


@settings(max_examples=30)
@given(markov_games(), CONFIGS, SEEDS)
def test_the_kernel_is_its_python_function(game, cfg, seed):
    n, S, sizes, T = game.num_players, game.num_states, np.array(game.num_actions), cfg.steps
    uniforms, times = rng(seed).random((2, T, n + 1, 3)), np.arange(0, T + 1, 2)
    found = []
    for f in (play, play.py_func):
        learners = np.zeros((2, 3, n, S, sizes.max()))
        learners[:, 0] = 1 / sizes[:, None, None]
        visits, state = np.zeros((2, S)), np.array([-1, S - 1])
        kept = np.zeros((2, len(times), *learners.shape[1:]))[:, :, :2]
        f(
            game.reward.reshape(n, S, -1).copy(), game.transition.reshape(S, -1, S).copy(),
            game.initial.copy(), game.gamma, sizes, cfg.rates(0, T), cfg.explore, cfg.restart,
            uniforms, times, learners, visits, state, kept,
        )  # fmt: skip
        found.append(np.concatenate([x.ravel() for x in (learners, visits, state, kept)]))
    assert_array_equal(*found)


def test_a_single_climb_by_hand():
    """Q prefers the second action; (1/2, 1/2) beats an average that prefers the first."""
    for mean, delta in (([0.9, 0.1], 0.02), ([0.1, 0.9], 0.2)):
        pi, average = np.array([0.5, 0.5]), np.array(mean)
        climb(pi, average, np.array([0.0, 1.0]), 2, 4.0, np.array([0.1, 0.02, 0.2]))
        assert_allclose(average, np.array(mean) + (0.5 - np.array(mean)) / 4)
        assert_allclose(pi, [0.5 - delta, 0.5 + delta])


@pytest.mark.parametrize(
    ("options", "needs"),
    [
        ({"steps": 0}, "steps"),
        ({"alpha": 0.0}, r"alpha: need a number in \(0, 1\]"),
        ({"delta_win": -0.1}, "delta_win: need"),
        ({"delta_lose": 1.5}, "lose: need"),
        ({"explore": 2}, "explore: need"),
        ({"restart": -0.5}, "restart: need"),
        ({"alpha_half": 0}, "alpha_half: need a number > 0"),
        ({"delta_half": float("nan")}, "delta_half: need a number > 0"),
        ({"delta_half": "long"}, "delta_half: need a number > 0"),
    ],
)
def test_bad_options_are_refused(options, needs):
    with pytest.raises(InputError, match=needs):
        WolfConfig(**options)


def test_bad_calls_are_refused():
    cfg = WolfConfig(steps=10)
    with pytest.raises(InputError, match="rng: need a numpy Generator"):
        learn(PENNIES, cfg, 0)
    with pytest.raises(InputError, match="runs"):
        learn(PENNIES, cfg, rng(), 0)
    with pytest.raises(InputError, match="times: need increasing"):
        learn(PENNIES, cfg, rng(), 1, [11])
    with pytest.raises(InputError, match="records"):
        learn(PENNIES, WolfConfig(), rng(), 10**7, range(1, 1000))
