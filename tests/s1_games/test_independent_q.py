"""Laws of (1.15): independent Q-learning, plain, hysteretic and lenient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, _repeated, library
from refmarl.games._repeated import explore, greedy, softmax_draw
from refmarl.games.independent_q import (
    IndependentConfig,
    learn,
    moved,
    one_player,
    play,
    td_update,
)
from refmarl.testing.strategies import REALS, games

SEEDS = st.integers(0, 2**32 - 1)
UNIT = st.floats(0, 1, exclude_max=True)
RATES = st.sampled_from([0.01, 0.1, 0.5, 1.0])
CONFIGS = st.builds(
    IndependentConfig,
    steps=st.integers(1, 40),
    exploration=st.sampled_from(["epsilon", "boltzmann"]),
    epsilon_decay=st.sampled_from([0.9, 1.0]),
    temperature0=st.sampled_from([0.5, 20.0]),
    alpha=RATES,
    beta=st.none() | st.just(0.0) | RATES,
    leniency=st.sampled_from([0.0, 0.5, 1.0]),
)
SOME = games(min_players=1, max_players=4) | games(1, 3, elements=REALS)


def seeded(seed):
    return np.random.default_rng(seed)


def with_(cfg, **changes):
    return IndependentConfig(**(vars(cfg) | changes))


def assert_same(first, second):
    for x, y in zip((*first.q, *first[1:]), (*second.q, *second[1:]), strict=True):
        assert_array_equal(x, y)


@st.composite
def transitions(draw):
    """(q, obs, action, reward, next_obs, terminated)."""
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    obs, action = draw(st.integers(0, shape[0] - 1)), draw(st.integers(0, shape[1] - 1))
    rest = draw(st.tuples(REALS, st.integers(0, shape[0] - 1), st.booleans()))
    return draw(arrays(float, shape, elements=REALS)), obs, action, *rest


# -- one transition ------------------------------------------------------------------


@pytest.mark.equation("1.15")
@given(SEEDS, RATES, UNIT, st.integers(1, 4), st.integers(1, 4))
def test_a_single_agent_in_an_mdp_is_watkins_q_learning_bit_for_bit(seed, alpha, gamma, o, a):
    rng = seeded(seed)
    q, plain = np.zeros((o, a)), [[0.0] * a for _ in range(o)]
    for _ in range(30):
        s, b, s_next = int(rng.integers(o)), int(rng.integers(a)), int(rng.integers(o))
        r, end = float(rng.integers(-3, 4)), bool(rng.random() < 0.3)
        q = td_update(q, s, b, r, s_next, end, gamma=gamma, alpha=alpha)
        target = r if end else r + gamma * max(plain[s_next])
        plain[s][b] = plain[s][b] + alpha * (target - plain[s][b])
    assert_array_equal(q, plain)


@pytest.mark.equation("1.15")
@given(transitions(), RATES, UNIT, UNIT)
def test_equal_rates_and_no_leniency_are_plain_bit_for_bit(step, alpha, gamma, uniform):
    plain = td_update(*step, gamma=gamma, alpha=alpha)
    same = td_update(*step, gamma=gamma, alpha=alpha, beta=alpha, leniency=0.0, uniform=uniform)
    assert_array_equal(plain, same)


@pytest.mark.equation("1.15")
@given(transitions(), RATES, UNIT, UNIT)
def test_what_refuses_bad_news_never_lowers_a_value(step, alpha, gamma, uniform):
    deaf = {"beta": 0.0}, {"leniency": 1.0, "uniform": uniform}
    for options in deaf:
        after = td_update(*step, gamma=gamma, alpha=alpha, **options)
        assert (after >= step[0]).all()
        assert_array_equal(after, np.maximum(step[0], td_update(*step, gamma=gamma, alpha=alpha)))


@pytest.mark.equation("1.15")
@given(transitions(), RATES, RATES, st.floats(0, 1), UNIT, UNIT)
def test_only_the_value_of_the_action_taken_moves_towards_its_target(
    step, alpha, beta, leniency, gamma, uniform
):
    q, obs, action, reward, next_obs, terminated = step
    options = {"gamma": gamma, "alpha": alpha, "beta": beta}
    after = td_update(*step, **options, leniency=leniency, uniform=uniform)
    target = reward + gamma * (0.0 if terminated else max(q[next_obs]))
    down, forgiven = target < q[obs, action], uniform < leniency
    rate = (0.0 if forgiven else beta) if down else alpha
    assert_allclose(after[obs, action] - target, (1 - rate) * (q[obs, action] - target), atol=1e-9)
    others = np.ones(q.shape, dtype=bool)
    others[obs, action] = False
    assert_array_equal(after[others], q[others])


@pytest.mark.equation("1.15")
@given(transitions(), UNIT, REALS)
def test_nothing_follows_a_terminal_state(step, gamma, bonus):
    q, obs, action, reward, next_obs, _ = step
    ended = td_update(q, obs, action, reward, next_obs, True, gamma=gamma, alpha=1.0)
    assert ended[obs, action] == pytest.approx(reward, abs=1e-9)
    richer = np.vstack([q, np.full((1, q.shape[1]), bonus)])
    other = td_update(richer, obs, action, reward, len(q), True, gamma=gamma, alpha=1.0)
    assert_array_equal(other[:-1], ended)


# -- repeated games ------------------------------------------------------------------


def literal(game, cfg, rng):
    """Learners of one state, written out: their final values and the sums of their rewards."""
    sizes, stream = game.num_actions, rng.spawn(1)[0]
    q, sums = [[0.0] * k for k in sizes], [0.0] * len(sizes)
    for t in range(cfg.steps):
        chances, chosen = stream.random((len(sizes), 3)), []
        for values, (explores, which, _) in zip(q, chances, strict=True):
            best = [a for a, value in enumerate(values) if value == max(values)]
            if explores < max(cfg.epsilon_min, cfg.epsilon0 * cfg.epsilon_decay**t):
                best = list(range(len(values)))
            chosen.append(best[int(which * len(best))])
        for i, a in enumerate(chosen):
            r = float(game.payoffs[(i, *chosen)])
            if r >= q[i][a]:
                q[i][a] = q[i][a] + cfg.alpha * (r - q[i][a])
            elif chances[i][2] >= cfg.leniency:
                q[i][a] = q[i][a] + (cfg.alpha if cfg.beta is None else cfg.beta) * (r - q[i][a])
            sums[i] += r
    return q, sums


@pytest.mark.equation("1.15")
@given(games(1, 1, 4) | games(1, 1, 4, REALS) | SOME, CONFIGS, SEEDS)
def test_every_player_is_a_q_learner_of_one_state_bit_for_bit(game, cfg, seed):
    cfg = with_(cfg, exploration="epsilon")
    for other in (cfg, with_(cfg, steps=20, beta=None, leniency=0.5)):
        found = learn(game, other, seeded(seed))
        q, sums = literal(game, other, seeded(seed))
        for i, row in enumerate(q):
            assert_array_equal(found.q[i][0], row)
            assert found.payoffs[0, i] == sums[i] / other.steps
            assert found.greedy[0, i] == row.index(max(row))


@pytest.mark.equation("1.15")
@given(SOME, CONFIGS, SEEDS)
def test_in_a_game_equal_rates_and_no_leniency_are_plain_bit_for_bit(game, cfg, seed):
    plain = learn(game, with_(cfg, beta=None, leniency=0.0), seeded(seed), 3)
    assert_same(plain, learn(game, with_(cfg, beta=cfg.alpha, leniency=0.0), seeded(seed), 3))


@pytest.mark.equation("1.15")
@given(SOME, CONFIGS, SEEDS, st.booleans())
def test_optimists_never_lower_a_value_and_never_exceed_the_best_payoff(game, cfg, seed, lenient):
    deaf = {"leniency": 1.0} if lenient else {"beta": 0.0}
    before, longer = (
        learn(game, with_(cfg, steps=cfg.steps + k, **deaf), seeded(seed), 2) for k in (0, 1)
    )
    for i, (x, y) in enumerate(zip(before.q, longer.q, strict=True)):
        others = tuple(j for j in range(game.num_players) if j != i)
        assert (x >= 0).all()
        assert (y >= x).all()
        assert (y <= np.maximum(game.payoffs[i].max(axis=others), 0) + 1e-9).all()


@pytest.mark.equation("1.15")
@given(games(min_players=1, max_players=3, max_actions=2), SEEDS)
def test_an_optimist_of_rate_one_knows_each_actions_best_payoff(game, seed):
    """Lauer and Riedmiller: with β = 0 and α = 1, Q_i(a_i) is the best ever seen, or 0."""
    cfg = IndependentConfig(steps=300, alpha=1.0, beta=0.0, epsilon_min=1.0)
    found = learn(game, cfg, seeded(seed))  # uniform play: each joint action is met almost surely
    for i, q in enumerate(found.q):
        others = tuple(j for j in range(game.num_players) if j != i)
        assert_array_equal(q[0], np.maximum(game.payoffs[i].max(axis=others), 0))


@pytest.mark.equation("1.15")
@given(SOME, CONFIGS, SEEDS)
def test_values_stay_between_zero_and_the_payoffs(game, cfg, seed):
    found = learn(game, cfg, seeded(seed), 2)
    for i, q in enumerate(found.q):
        low, high = min(game.payoffs[i].min(), 0), max(game.payoffs[i].max(), 0)
        assert (q >= low - 1e-9).all()
        assert (q <= high + 1e-9).all()
        best = np.take_along_axis(q, found.greedy[:, i : i + 1], axis=1)[:, 0]
        assert_array_equal(best, q.max(axis=1))
        assert (found.payoffs[:, i] >= game.payoffs[i].min() - 1e-9).all()
        assert (found.payoffs[:, i] <= game.payoffs[i].max() + 1e-9).all()


@given(SOME, CONFIGS, SEEDS, st.integers(1, 5), st.integers(1, 5))
def test_a_run_is_the_same_in_any_batch(game, cfg, seed, first, second):
    small, large = sorted((first, second))
    few, many = learn(game, cfg, seeded(seed), small), learn(game, cfg, seeded(seed), large)
    cut = many._replace(
        q=tuple(q[:small] for q in many.q),
        greedy=many.greedy[:small],
        payoffs=many.payoffs[:small],
    )
    assert_same(few, cut)


@pytest.mark.parametrize("block", [1, 50, 1000])
def test_the_size_of_the_pieces_decides_nothing(monkeypatch, block):
    game, cfg = library.game("climbing"), IndependentConfig(steps=70, leniency=0.5)
    whole = learn(game, cfg, seeded(3), 9)
    monkeypatch.setattr(_repeated, "BLOCK", block)
    assert_same(whole, learn(game, cfg, seeded(3), 9))


@pytest.mark.equation("1.15")
@given(SOME, CONFIGS, SEEDS, st.floats(0, 10))
def test_a_player_without_a_choice_averages_what_it_is_paid(game, cfg, seed, pay):
    """With a constant payoff c the recursion is geometric: Q = c (1 - (1-α)^T)."""
    wider = np.concatenate([game.payoffs, np.full((1, *game.num_actions), pay)])[..., None]
    found = learn(NormalForm(wider), cfg, seeded(seed), 2)
    want = pay * (1 - (1 - cfg.alpha) ** cfg.steps)
    assert_allclose(found.q[-1], np.full((2, 1), want), atol=1e-9)
    assert [q.shape[1] for q in found.q] == [*game.num_actions, 1]


@pytest.mark.equation("1.15")
@settings(max_examples=10)
@given(games(2, 3, max_actions=2), SEEDS)
def test_a_team_as_one_player_finds_its_best_joint_action(game, seed):
    team = NormalForm(np.stack([game.payoffs[0] + 5.0] * game.num_players))
    central = one_player(team)
    cfg = IndependentConfig(steps=400, alpha=0.5, epsilon_min=0.5)
    found = learn(central, cfg, seeded(seed))
    assert central.num_actions == (team.payoffs[0].size,)
    assert central.payoffs[0, found.greedy[0, 0]] == team.payoffs.max()


@pytest.mark.equation("1.15")
@given(st.floats(-5, 5), st.floats(0.5, 5), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_hysteretic_values_are_expectiles(low, gap, ratio):
    """Good and bad in turn: α (high - Q) = β (Q - low) up to a step, hence up to α gap."""
    alpha, value = 0.01, low
    for t in range(2000):
        value = moved(value, low + gap * (t % 2), alpha, ratio * alpha, 0.0, 0.5)
    assert_allclose(value, low + gap / (1 + ratio), atol=1.5 * alpha * gap)


def test_dominant_actions_are_learnt():
    dilemma = NormalForm.bimatrix([[3, 0], [5, 1]], [[3, 5], [0, 1]])
    for options in ({}, {"exploration": "boltzmann"}):
        found = learn(dilemma, IndependentConfig(**options), seeded(0), 100)
        assert (found.greedy == 1).all()


# -- exploration ---------------------------------------------------------------------


@given(st.lists(st.integers(-2, 2).map(float), min_size=1, max_size=5))
def test_greedy_actions_are_the_best_ones_all_alike(values):
    v = np.array(values)
    best = np.flatnonzero(v == v.max())
    grid = (np.arange(60 * len(best)) + 0.5) / (60 * len(best))
    picked = [greedy(v, len(v), u) for u in grid]
    assert_array_equal(np.bincount(picked, minlength=len(v))[best], np.full(len(best), 60))
    assert set(picked) == set(best)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=5), st.sampled_from([0.05, 1.0, 20.0]))
def test_boltzmann_draws_have_boltzmann_frequencies(values, tau):
    v, grid = np.array(values), (np.arange(2000) + 0.5) / 2000
    want = np.exp((v - v.max()) / tau)
    counts = np.bincount([softmax_draw(v, len(v), tau, u) for u in grid], minlength=len(v))
    assert_allclose(counts / len(grid), want / want.sum(), atol=1 / len(grid))
    assert v[softmax_draw(v, len(v), 1e-9, 0.0)] >= v.max() - 1e-6


def test_a_share_epsilon_explores_evenly():
    v, rng = np.array([0.0, 1.0, 0.0, 0.0]), seeded(0)
    picks = [explore(v, 4, False, 0.4, u) for u in rng.random((20_000, 3))]
    shares = np.bincount(picks, minlength=4) / len(picks)
    assert_allclose(shares, [0.1, 0.7, 0.1, 0.1], atol=0.014)  # four standard deviations


@given(CONFIGS, st.integers(0, 30), st.integers(0, 30))
def test_schedules_fall_from_their_start_to_their_least_value(cfg, a, b):
    first, last = sorted((a, b))
    values = cfg.schedule(0, last)
    assert_array_equal(values[first:], cfg.schedule(first, last))
    assert (np.diff(values) <= 0).all()
    start, least = (
        (cfg.temperature0, cfg.temperature_min) if cfg.boltzmann else (cfg.epsilon0, 0.01)
    )
    assert cfg.schedule(0, 1)[0] == start
    assert cfg.schedule(10**6, 10**6 + 1)[0] in (start, least)


# -- kernels, bad input, published ---------------------------------------------------


@settings(max_examples=30)
@given(SOME, CONFIGS, SEEDS)
def test_the_kernel_is_its_python_function(game, cfg, seed):
    n, sizes, runs = game.num_players, np.array(game.num_actions), 2
    payoffs = game.payoffs.reshape(n, -1) / 3
    uniforms = seeded(seed).random((runs, cfg.steps, n, 3))
    beta, found = cfg.alpha if cfg.beta is None else cfg.beta, []
    for f in (play, play.py_func):
        q, paid = np.zeros((runs, n, sizes.max())), np.zeros((runs, n))
        amounts = cfg.schedule(0, cfg.steps)
        rates = (cfg.alpha, beta, cfg.leniency)
        f(payoffs, sizes, cfg.boltzmann, amounts, uniforms, *rates, q, paid)
        found.append(np.concatenate([q.ravel(), paid.ravel()]))
    assert_array_equal(*found)


@given(
    REALS,
    REALS,
    RATES,
    RATES,
    UNIT,
    arrays(float, 4, elements=REALS),
    arrays(float, 3, elements=UNIT),
)
def test_the_small_kernels_are_their_python_functions(value, target, alpha, beta, l, v, u):
    for f, arguments in (
        (moved, (value, target, alpha, beta, l, u[0])),
        (greedy, (v, 4, u[0])),
        (softmax_draw, (v, 4, 0.5, u[0])),
        (explore, (v, 4, False, 0.5, u)),
        (explore, (v, 4, True, 0.5, u)),
    ):
        assert f(*arguments) == f.py_func(*arguments)


@pytest.mark.parametrize(
    ("options", "needs"),
    [
        ({"alpha": 0}, r"alpha: need a number in \(0, 1\], got 0"),
        ({"alpha": True}, r"alpha: need a number in \(0, 1\], got True"),
        ({"alpha": 1.5}, "alpha: need a number"),
        ({"beta": -0.1}, r"beta: need a number in \[0, 1\]"),
        ({"leniency": "much"}, "leniency: need real numbers"),
        ({"steps": 0}, "steps: need a whole number"),
        ({"exploration": "ucb"}, "exploration: need 'epsilon' or 'boltzmann', got 'ucb'"),
        ({"epsilon0": 1.1}, "epsilon0: need a number"),
        ({"epsilon_min": float("nan")}, "epsilon_min: "),
        ({"epsilon_decay": 0.0}, "epsilon_decay: need a number"),
        ({"temperature_min": 0.0}, "temperature_min: need a number > 0"),
        ({"temperature_decay": 2.0}, "temperature_decay: need a number"),
    ],
)
def test_bad_settings_are_refused_in_one_line(options, needs):
    with pytest.raises(InputError, match=needs) as caught:
        IndependentConfig(**options)
    assert "\n" not in str(caught.value)


def test_bad_calls_are_refused():
    game, cfg, q = library.game("climbing"), IndependentConfig(steps=2), np.zeros((2, 2))
    with pytest.raises(InputError, match="rng: need a numpy Generator, got int"):
        learn(game, cfg, 7)
    with pytest.raises(InputError, match="runs: need a whole number"):
        learn(game, cfg, seeded(0), 0)
    with pytest.raises(InputError, match="game: need a team"):
        one_player(library.game("chicken"))
    with pytest.raises(InputError, match=r"obs: need an index in 0..1, got 2"):
        td_update(q, 2, 0, 0.0, 0, False, gamma=0.9)
    with pytest.raises(InputError, match="action: need an index"):
        td_update(q, 0, 2, 0.0, 0, False, gamma=0.9)
    with pytest.raises(InputError, match="next_obs: need an index"):
        td_update(q, 0, 0, 0.0, -1, False, gamma=0.9)
    with pytest.raises(InputError, match="gamma: need a number"):
        td_update(q, 0, 0, 0.0, 0, False, gamma=1.1)
    with pytest.raises(InputError, match="q: need 2 axes"):
        td_update([0.0], 0, 0, 0.0, 0, False, gamma=0.9)


def found_best(game, found):
    """Share of the runs whose greedy joint action pays the team most."""
    return float((game.payoffs[(0, *found.greedy.T)] == game.payoffs.max()).mean())


@pytest.mark.slow
@pytest.mark.equation("1.15")
@pytest.mark.parametrize(
    ("name", "options", "low", "high"),
    [
        ("climbing", {}, 0, 0),
        ("climbing", {"exploration": "boltzmann"}, 0.08, 0.19),
        ("climbing", {"beta": 0.01}, 0.84, 0.93),
        ("climbing", {"beta": 0.0}, 1, 1),
        ("penalty", {}, 0, 0),
        ("penalty", {"exploration": "boltzmann"}, 0.85, 0.94),
        ("penalty", {"beta": 0.01}, 0.89, 0.98),
        ("penalty", {"beta": 0.0}, 1, 1),
    ],
)
def test_teams_find_their_best_joint_action_as_often_as_published(name, options, low, high):
    game = library.game(name)
    found = learn(game, IndependentConfig(**options), seeded(0), 1000)
    assert low <= found_best(game, found) <= high
    if not options:
        central = one_player(game)
        assert found_best(central, learn(central, IndependentConfig(), seeded(0), 1000)) == 1
