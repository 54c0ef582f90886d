"""Laws of (1.11): regret matching."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, action_values, nash_conv, regret
from refmarl.games.regret import (
    accumulate,
    against,
    drawn,
    match,
    match_regrets,
    regret_matching,
    rounds,
)
from refmarl.testing.strategies import REALS, games, matrices

BIASED_RPS = NormalForm.zero_sum([[0, -0.25, 0.5], [0.25, 0, -0.05], [-0.5, 0.05, 0]])
SOME = games(min_players=2, max_players=4)
SEEDS = st.none() | st.integers(0, 2**32 - 1)


def generator(seed):
    return None if seed is None else np.random.default_rng(seed)


def every_round(game, steps, **options):
    return regret_matching(game, steps, times=range(1, steps + 1), **options)


def coarse_gains(game, p):
    """max_a' Σ_a p(a) [u_i(a', a_-i) - u_i(a)] of every player, term by term."""
    gains = []
    for i, k in enumerate(game.num_actions):
        gain = np.zeros(k)
        for a in product(*map(range, game.num_actions)):
            for b in range(k):
                other = (*a[:i], b, *a[i + 1 :])
                gain[b] += p[a] * (game.payoffs[(i, *other)] - game.payoffs[(i, *a)])
        gains.append(gain.max())
    return np.array(gains)


def strategies(play):
    """x_t for every t, from averages recorded at all times: profile of (T, A_i)."""
    return [np.diff(x * play.times[:, None], axis=0, prepend=0.0) for x in play.averages]


@pytest.mark.equation("1.11")
@given(SOME | games(2, 3, elements=REALS), st.booleans(), st.integers(1, 60))
def test_average_regret_never_exceeds_the_bound(game, plus, steps):
    play = every_round(game, steps, plus=plus)
    for i, k in enumerate(game.num_actions):
        bound = np.ptp(game.payoffs[i]) * np.sqrt(k / play.times)
        assert (play.regrets[:, i] <= bound + 1e-9).all()


@pytest.mark.equation("1.11")
@given(matrices(max_actions=5), st.booleans())
def test_the_bound_holds_against_any_utilities(utilities, plus):
    steps, size = utilities.shape
    x = match_regrets(utilities, plus=plus)
    regrets = (utilities - (x * utilities).sum(axis=1, keepdims=True)).sum(axis=0)
    assert regrets.max() <= np.ptp(utilities) * np.sqrt(size * steps) + 1e-9
    assert_allclose(x.sum(axis=1), 1.0, atol=1e-12)


@pytest.mark.equation("1.11")
@pytest.mark.parametrize("plus", [False, True])
def test_the_bound_holds_against_an_opponent_who_knows_the_strategy(plus):
    size, utilities = 3, np.zeros((0, 3))
    for _ in range(200):  # what the learner is about to play most is worst
        x = match_regrets(np.vstack([utilities, np.zeros(size)]), plus=plus)[-1]
        utilities = np.vstack([utilities, -np.eye(size)[np.argmax(x)]])
    x = match_regrets(utilities, plus=plus)
    regrets = (utilities - (x * utilities).sum(axis=1, keepdims=True)).sum(axis=0)
    assert 0 < regrets.max() <= np.sqrt(size * len(utilities))


@pytest.mark.equation("1.11")
@given(matrices(max_actions=5))
def test_positive_regret_never_shrinks(utilities):
    """Each round's regrets are orthogonal to [R]_+ (Blackwell), hence the bound by Pythagoras."""
    x = match_regrets(utilities)
    gains = utilities - (x * utilities).sum(axis=1, keepdims=True)
    positive = np.maximum(np.cumsum(gains, axis=0), 0.0)
    assert_allclose((positive[:-1] * gains[1:]).sum(axis=1), 0.0, atol=1e-9)
    assert (np.diff((positive**2).sum(axis=1)) >= -1e-9).all()


@pytest.mark.equation("1.11")
@given(SOME, st.integers(1, 12), st.booleans())
def test_in_a_game_each_player_faces_the_utilities_that_the_others_make(game, steps, plus):
    xs = strategies(every_round(game, steps, plus=plus))
    for i, x in enumerate(xs):
        assert_allclose(match_regrets(action_values(game, xs, i), plus=plus), x, atol=1e-6)


@pytest.mark.equation("1.11")
@given(SOME, st.booleans(), st.integers(1, 30))
def test_every_strategy_matches_the_regrets_so_far(game, plus, steps):
    xs = strategies(every_round(game, steps, plus=plus))
    for i, k in enumerate(game.num_actions):
        u = action_values(game, xs, i)
        total = np.zeros(k)
        for x, values in zip(xs[i], u, strict=True):
            positive = np.maximum(total, 0.0)
            even = positive.sum() <= 1e-9
            assert_allclose(x, np.full(k, 1 / k) if even else positive / positive.sum(), atol=1e-6)
            total += values - x @ values
            if plus:
                total = np.maximum(total, 0.0)


@pytest.mark.equation("1.11")
@given(SOME, st.booleans(), SEEDS, st.integers(1, 60))
def test_the_mean_joint_play_is_a_coarse_equilibrium_up_to_the_regrets(game, plus, seed, steps):
    play = regret_matching(game, steps, plus=plus, rng=generator(seed), times=[steps])
    assert (play.joint >= 0).all()
    assert_allclose(play.joint.sum(), 1.0, atol=1e-12)
    assert_allclose(coarse_gains(game, play.joint), play.regrets[-1], atol=1e-9)
    for i, x in enumerate(play.averages):
        others = tuple(j for j in range(game.num_players) if j != i)
        assert_allclose(play.joint.sum(axis=others), x[-1], atol=1e-12)


@pytest.mark.equation("1.11")
@given(matrices(), st.booleans(), SEEDS)
def test_in_zero_sum_games_exploitability_is_at_most_the_sum_of_regrets(matrix, plus, seed):
    game = NormalForm.zero_sum(matrix)
    play = every_round(game, 60, plus=plus, rng=generator(seed))
    assert (nash_conv(game, play.averages) <= play.regrets.sum(axis=1) + 1e-9).all()


@pytest.mark.equation("1.11")
@given(SOME, SEEDS, st.booleans(), st.booleans())
def test_everything_played_is_a_distribution(game, seed, plus, linear):
    play = every_round(game, 25, rng=generator(seed), plus=plus, linear=linear)
    for i, k in enumerate(game.num_actions):
        for x in (play.averages[i], play.strategies[i]):
            assert (x >= 0).all()
            assert_allclose(x.sum(axis=-1), 1.0, atol=1e-12)
        assert play.averages[i].shape == (25, k)
    assert play.regrets.shape == (25, game.num_players)
    assert play.joint.shape == game.num_actions


@pytest.mark.equation("1.11")
@given(SOME, st.booleans(), st.data())
def test_renaming_players_and_actions_renames_the_run(game, plus, data):
    n = game.num_players
    order = data.draw(st.permutations(range(n)))
    actions = [data.draw(st.permutations(range(k))) for k in game.num_actions]
    moved = game.payoffs[np.ix_(range(n), *actions)]
    renamed = NormalForm(moved[list(order)].transpose([0, *(k + 1 for k in order)]))
    # few rounds: sums in another order differ by rounding, which later rounds may magnify
    play, other = every_round(game, 8, plus=plus), every_round(renamed, 8, plus=plus)
    for new, i in enumerate(order):
        assert_allclose(other.averages[new], play.averages[i][:, actions[i]], atol=1e-7)


@pytest.mark.equation("1.11")
@given(SOME, st.sampled_from([0.25, 2.0, 1000.0]), st.data())
def test_the_run_ignores_scale_and_what_the_others_alone_decide(game, factor, data):
    payoffs = factor * game.payoffs
    for i, u in enumerate(payoffs):
        f = np.array(data.draw(st.lists(st.integers(-9, 9), min_size=u.size, max_size=u.size)))
        u += factor * f.reshape(u.shape).take([0], axis=i)
    play, other = every_round(game, 8), every_round(NormalForm(payoffs), 8)
    for x, y in zip(play.averages, other.averages, strict=True):
        assert_allclose(x, y, atol=1e-7)
    assert_allclose(other.regrets, factor * play.regrets, atol=1e-7 * factor)


@given(SOME, st.booleans())
def test_a_player_without_a_choice_changes_nothing(game, plus):
    payoffs = np.concatenate([game.payoffs, game.payoffs[:1]])[..., None]
    play, other = every_round(game, 8, plus=plus), every_round(NormalForm(payoffs), 8, plus=plus)
    for x, y in zip(play.averages, other.averages, strict=False):
        assert_allclose(x, y, atol=1e-7)


@given(SOME)
def test_weights_of_linear_averaging_are_the_numbers_of_the_rounds(game):
    plain, linear = every_round(game, 12), every_round(game, 12, linear=True)
    t = plain.times[:, None]
    for x, y in zip(strategies(plain), linear.averages, strict=True):
        assert_allclose(y, np.cumsum(t * x, axis=0) / np.cumsum(t, axis=0), atol=1e-9)
    assert_array_equal(plain.joint, linear.joint)
    assert_array_equal(plain.regrets, linear.regrets)


@given(SOME, SEEDS)
def test_the_last_strategies_are_those_of_the_last_round(game, seed):
    before = regret_matching(game, 11, rng=generator(seed), times=[10, 11])
    if seed is None:
        for x, y in zip(before.averages, before.strategies, strict=True):
            assert_allclose(11 * x[1] - 10 * x[0], y, atol=1e-12)
    else:
        for x, y in zip(before.averages, before.strategies, strict=True):
            drawn_action = int(np.argmax(11 * x[1] - 10 * x[0]))
            assert y[drawn_action] > 0


@pytest.mark.equation("1.11")
@pytest.mark.parametrize("plus", [False, True])
def test_biased_rock_paper_scissors_tends_to_its_equilibrium(plus):
    play = regret_matching(BIASED_RPS, 50_000, plus=plus)
    for x in play.averages:
        assert_allclose(x[-1], [1 / 16, 10 / 16, 5 / 16], atol=0.05)
    assert nash_conv(BIASED_RPS, play.averages)[-1] < 0.01


@pytest.mark.equation("1.11")
@pytest.mark.parametrize("size", [2, 3, 4])
def test_even_play_is_kept_where_everything_is_symmetric(size):
    """Every Latin square's uniform profile is an equilibrium; rounding must not tip it over."""
    matrix = np.array([np.roll(np.arange(size) / 7, k) for k in range(size)])
    play = regret_matching(NormalForm.zero_sum(matrix), 20_000)
    for x in play.averages:
        assert_allclose(x, 1 / size, atol=1e-12)


@pytest.mark.equation("1.11")
def test_drawn_regret_is_within_the_bound_in_expectation():
    rng, steps = np.random.default_rng(0), 400
    for shape in ((2, 3, 3), (3, 2, 3, 2)):
        game = NormalForm(rng.integers(-4, 5, shape).astype(float))
        runs = [regret_matching(game, steps, rng=r, times=[steps]) for r in rng.spawn(100)]
        mean = np.mean([run.regrets[0] for run in runs], axis=0)
        spread = np.array([np.ptp(u) for u in game.payoffs])
        assert (mean <= spread * np.sqrt(np.array(game.num_actions) / steps)).all()


@pytest.mark.equation("1.11")
def test_drawn_play_of_biased_rock_paper_scissors_tends_to_its_equilibrium():
    play = regret_matching(BIASED_RPS, 50_000, rng=np.random.default_rng(3))
    for x in play.averages:
        assert_allclose(x[-1], [1 / 16, 10 / 16, 5 / 16], atol=0.05)


@given(SOME, st.integers(0, 2**32 - 1), st.integers(1, 50))
def test_drawn_play_depends_on_the_seed_alone(game, seed, steps):
    first, second = (
        regret_matching(game, steps, rng=np.random.default_rng(seed)) for _ in range(2)
    )
    assert_array_equal(first.joint, second.joint)
    assert_array_equal(first.regrets, second.regrets)
    assert_allclose(first.joint * steps, np.round(first.joint * steps), atol=1e-9)


@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize("times", [None, [1], [3, 50], [100]])
def test_blocks_and_recorded_times_decide_nothing(monkeypatch, seed, times):
    whole = regret_matching(BIASED_RPS, 100, rng=generator(seed), times=[100])
    monkeypatch.setattr(regret, "BLOCK", 7)
    parts = regret_matching(BIASED_RPS, 100, rng=generator(seed), times=times)
    assert_array_equal(whole.joint, parts.joint)
    for x, y in zip(whole.strategies, parts.strategies, strict=True):
        assert_array_equal(x, y)
    assert len(parts.times) == len(parts.regrets) == len(parts.averages[0])
    if parts.times[-1] == 100:
        assert_array_equal(parts.regrets[-1], whole.regrets[-1])


def test_draws_follow_the_strategies():
    uniforms = np.random.default_rng(1).random(20_000)
    x = np.array([0.0, 0.2, 0.0, 0.5, 0.3, 0.0])
    counts = np.bincount([drawn(x, 6, u) for u in uniforms], minlength=6)
    deviation = 4 * np.sqrt(0.25 / len(uniforms))  # four standard deviations
    assert_allclose(counts / len(uniforms), x, atol=deviation)
    assert_array_equal(counts[[0, 2, 5]], 0)
    assert drawn(x, 6, 0.0) == 1
    assert drawn(x, 6, np.nextafter(1.0, 0.0)) == 4


@settings(max_examples=30)
@given(games(min_players=1), st.booleans(), st.booleans(), SEEDS)
def test_the_kernels_are_their_python_functions(game, plus, linear, seed):
    n, sizes = game.num_players, np.array(game.num_actions)
    payoffs = game.payoffs.reshape(n, -1) / 3
    rng = generator(seed)
    draws = np.empty((0, n)) if rng is None else rng.random((20, n))
    found = []
    for f in (rounds, rounds.py_func):
        state = regret._fresh(sizes)
        f(payoffs, sizes, np.full(n, 1e-14), plus, linear, draws, 1, 20, *state)
        found.append(np.concatenate([a.ravel() for a in state]))
    assert_array_equal(*found)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=5), st.floats(0, 1), st.booleans())
def test_the_small_kernels_are_their_python_functions(row, uniform, plus):
    regrets, size = np.array(row), len(row)
    found = []
    for wrap in (lambda f: f, lambda f: f.py_func):
        x, total, kept = np.zeros(size), np.ones(size), np.ones(size)
        wrap(match)(regrets, size, 1e-14, x)
        wrap(accumulate)(regrets, x, size, plus, total, kept)
        path = np.zeros((3, size))
        wrap(against)(np.array([row, row[::-1], row]), 1e-14, plus, path)
        last = wrap(drawn)(x, size, uniform)
        found.append(np.concatenate([x, total, kept, path.ravel(), [last]]))
    assert_array_equal(*found)


@pytest.mark.parametrize(
    ("options", "needs"),
    [
        ({"steps": 0}, "steps: need a whole number"),
        ({"steps": True}, "steps: need a whole number"),
        ({"times": [0, 1]}, "increasing whole numbers in 1..10"),
        ({"times": [3, 2]}, "increasing whole numbers in 1..10"),
        ({"rng": 7}, "rng: need a numpy Generator or None, got int"),
    ],
)
def test_bad_input_is_refused_in_one_line(options, needs):
    with pytest.raises(InputError, match=needs) as caught:
        regret_matching(BIASED_RPS, **{"steps": 10, **options})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("utilities", [[1, 2], [[1, float("inf")]], [[]], [["a"]]])
def test_bad_utilities_are_refused(utilities):
    with pytest.raises(InputError, match="utilities: "):
        match_regrets(utilities)
