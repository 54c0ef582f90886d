"""Laws of (1.9): fictitious play."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import NormalForm, nash_conv
from refmarl.games._times import record_times
from refmarl.games.fictitious import fictitious_play, first_best, note_run, play_kernel
from refmarl.kernels import joint
from refmarl.testing.strategies import bimatrix_games, games, matrices

PENNIES = NormalForm.zero_sum([[1, -1], [-1, 1]])
SHAPLEY = NormalForm.bimatrix(np.eye(3), np.roll(np.eye(3), 1, axis=1))


@st.composite
def starts(draw, game):
    """A joint action."""
    return tuple(draw(st.integers(0, k - 1)) for k in game.num_actions)


@st.composite
def games_with_starts(draw, of=games):
    game = draw(of())
    return game, draw(starts(game))


@st.composite
def common_interest(draw):
    """(P, a start): every player's payoff is P(a)."""
    game, start = draw(games_with_starts())
    return game.payoffs[0], start


def every_step(game, steps, start, **options):
    return fictitious_play(game, steps, start, times=range(1, steps + 1), **options)


def actions(play):
    """(T, n), from the runs."""
    return np.repeat(play.run_profiles, play.run_lengths, axis=0)


def reply(game, counts, i):
    """Player i's first best reply to ``counts``, in whole numbers."""
    values = np.moveaxis(game.payoffs[i].astype(int), i, 0)
    for c in reversed([c for j, c in enumerate(counts) if j != i]):
        values = values @ c.astype(int)
    return int(np.flatnonzero(values == values.max())[0])


@pytest.mark.equation("1.9")
@given(games_with_starts(), st.integers(1, 30))
def test_averages_are_distributions_of_whole_counts_from_a_pure_start(case, steps):
    game, start = case
    play = every_step(game, steps, start)
    for i, (x, k) in enumerate(zip(play.averages, game.num_actions, strict=True)):
        counts = x * play.times[:, None]
        assert_allclose(counts, np.round(counts), atol=1e-12)
        assert_array_equal(np.round(counts).sum(axis=1), play.times)
        assert (x >= 0).all()
        assert_array_equal(x[0], np.eye(k)[start[i]])
        assert_array_equal(np.round(counts[-1]), play.counts[i])
        assert play.counts[i].dtype == np.int64


@pytest.mark.equation("1.9")
@given(games_with_starts(), st.integers(2, 30))
def test_every_step_moves_the_average_towards_the_first_best_reply(case, steps):
    game, start = case
    play = every_step(game, steps, start)
    for t in range(1, steps):
        counts = [np.round(x[t - 1] * t) for x in play.averages]
        for i, x in enumerate(play.averages):
            best = np.eye(game.num_actions[i])[reply(game, counts, i)]
            assert_allclose(x[t], x[t - 1] + (best - x[t - 1]) / (t + 1), atol=1e-12)


@pytest.mark.equation("1.9")
@given(games_with_starts(), st.integers(1, 60))
def test_the_runs_tell_the_same_play_as_the_averages(case, steps):
    game, start = case
    play = every_step(game, steps, start)
    assert play.run_lengths.sum() == steps
    assert (play.run_lengths > 0).all()
    assert (play.run_profiles[1:] != play.run_profiles[:-1]).any(axis=1).all()
    for i, (x, k) in enumerate(zip(play.averages, game.num_actions, strict=True)):
        counts = np.cumsum(np.eye(k)[actions(play)[:, i]], axis=0)
        assert_allclose(x * play.times[:, None], counts, atol=1e-11)


@pytest.mark.equation("1.9")
@given(games_with_starts(), st.data())
def test_renaming_the_players_renames_the_run(case, data):
    game, start = case
    order = data.draw(st.permutations(range(game.num_players)))
    axes = [0, *(k + 1 for k in order)]
    renamed = NormalForm(game.payoffs[list(order)].transpose(axes))
    play = fictitious_play(game, 40, start)
    other = fictitious_play(renamed, 40, [start[i] for i in order])
    assert_array_equal(other.run_profiles, play.run_profiles[:, list(order)])
    assert_array_equal(other.run_lengths, play.run_lengths)


@pytest.mark.equation("1.9")
@given(games_with_starts(), st.integers(1, 3), st.data())
def test_the_run_ignores_scale_and_what_the_others_alone_decide(case, factor, data):
    game, start = case
    payoffs = factor * game.payoffs
    for i, u in enumerate(payoffs):
        f = np.array(data.draw(st.lists(st.integers(-9, 9), min_size=u.size, max_size=u.size)))
        u += f.reshape(u.shape).take([0], axis=i)
    play, other = fictitious_play(game, 40, start), fictitious_play(NormalForm(payoffs), 40, start)
    assert_array_equal(actions(other), actions(play))


@pytest.mark.equation("1.9")
@settings(max_examples=30)
@given(matrices(), st.data())
def test_robinson_in_zero_sum_games_the_averages_tend_to_equilibrium(matrix, data):
    game = NormalForm.zero_sum(matrix)
    start = data.draw(starts(game))
    play = fictitious_play(game, 100_000, start, times=[100, 1_000, 10_000, 100_000])
    spread = max(1.0, float(np.ptp(matrix)))
    # 1/√t is Karlin's conjectured rate; the factor leaves three times the worst seen
    assert (nash_conv(game, play.averages) <= 3 * spread / np.sqrt(play.times)).all()


@pytest.mark.equation("1.9")
@settings(max_examples=30)
@given(common_interest(), st.data())
def test_in_potential_games_the_averages_tend_to_equilibrium(case, data):
    potential, start = case
    payoffs = np.stack([potential] * potential.ndim)
    for i, u in enumerate(payoffs):
        f = np.array(data.draw(st.lists(st.integers(-9, 9), min_size=u.size, max_size=u.size)))
        u += f.reshape(u.shape).take([0], axis=i)
    game = NormalForm(payoffs)
    play = fictitious_play(game, 20_000, start, times=[20_000])
    assert nash_conv(game, play.averages)[0] <= 0.05  # of payoffs that are whole numbers


@pytest.mark.equation("1.9")
@pytest.mark.parametrize("start", list(np.ndindex(3, 3)))
def test_shapleys_game_cycles_for_ever_from_every_pure_start(start):
    play = fictitious_play(SHAPLEY, 200_000, start)
    late = play.times >= 100
    assert nash_conv(SHAPLEY, play.averages)[late].min() > 0.25
    growth = play.run_lengths[12:-1] / play.run_lengths[11:-2]
    assert ((growth > 1.4) & (growth < 1.5)).all()
    # each run is followed by a player's move to its better reply: six profiles in turn, no draws
    payoffs = SHAPLEY.payoffs[:, play.run_profiles[6:, 0], play.run_profiles[6:, 1]]
    assert_array_equal(payoffs.sum(axis=0), 1.0)


@pytest.mark.equation("1.9")
def test_shapleys_run_lengths():
    play = fictitious_play(SHAPLEY, 60_000, (0, 0))
    known = [1, 2, 4, 7, 11, 17, 26, 39, 58, 86, 127, 187, 275, 404, 593, 870, 1276, 1871, 2743]
    assert_array_equal(play.run_lengths[:20], [*known, 4021])
    cycle = [[0, 0], [0, 1], [1, 1], [1, 2], [2, 2], [2, 0]]
    assert_array_equal(play.run_profiles[:12], cycle * 2)
    root = np.roots([1, -1, 0, -1]).real.max()  # x³ = x² + 1
    assert_allclose(play.run_lengths[23] / play.run_lengths[22], root, atol=1e-3)


def test_nashpys_published_run():
    """Nashpy's test_fictitious_play.py, commit b80533d."""
    row = [[0.5, 2, 0, 0], [0, 0.5, 1, 1], [1, 0, 0.5, 0]]
    column = [[0.5, 0, 0.5, 1], [0.5, 0.5, 0, 1], [0, 1, 0.5, 2]]
    game = NormalForm.bimatrix(row, column)
    play = fictitious_play(game, 10_000, initial_counts=([1, 0, 0], [0, 0, 1, 0]))
    assert [c.tolist() for c in play.counts] == [[1, 10_000, 0], [0, 0, 1, 10_000]]


@pytest.mark.equation("1.9")
def test_matching_pennies_tend_to_even_play():
    play = fictitious_play(PENNIES, 100_000)
    for x in play.averages:
        assert_allclose(x[-1], 0.5, atol=0.01)


@given(games_with_starts(), st.integers(1, 30))
def test_one_imagined_play_is_a_start(case, steps):
    game, start = case
    begun = fictitious_play(game, steps + 1, start)
    imagined = fictitious_play(game, steps, initial_counts=game.pure(start))
    for x, y, c, d in zip(
        begun.averages, imagined.averages, begun.counts, imagined.counts, strict=True
    ):
        assert_array_equal(c, d)
        assert_array_equal(x[-1], y[-1])


@given(games_with_starts(), st.data())
def test_imagined_plays_count_in_averages_and_replies(case, data):
    game, start = case
    initial = [
        np.array(data.draw(st.lists(st.integers(0, 5), min_size=k, max_size=k)))
        for k in game.num_actions
    ]
    play = every_step(game, 12, None, initial_counts=initial)
    counts = [c.copy() for c in initial]
    for t, played in enumerate(actions(play)):
        assert [reply(game, counts, i) for i in range(game.num_players)] == played.tolist()
        for c, a, x in zip(counts, played, play.averages, strict=True):
            c[a] += 1
            assert_allclose(x[t], c / c.sum(), atol=1e-12)
    forced = fictitious_play(game, 12, start, initial_counts=initial)
    assert tuple(forced.run_profiles[0]) == start


@given(games())
def test_without_beliefs_everybody_begins_with_the_first_action(game):
    none, zeros = fictitious_play(game, 20), fictitious_play(game, 20, [0] * game.num_players)
    assert_array_equal(actions(none), actions(zeros))


@given(games(1, 1))
def test_a_single_player_takes_its_best_action_all_along(game):
    play = fictitious_play(game, 5)
    assert play.run_profiles.tolist() == [[game.payoffs[0].argmax()]]


@given(games_with_starts(bimatrix_games), st.integers(1, 200))
def test_two_players_summed_up_or_anew_play_the_same(case, steps):
    game, start = case
    payoffs, sizes = game.payoffs.reshape(2, -1).copy(), np.array(game.num_actions)
    found = []
    for incremental in (True, False):
        counts, history = np.zeros((2, sizes.max())), np.zeros((1, 2, sizes.max()))
        when = np.array([steps])
        runs, number = play_kernel(
            payoffs, sizes, counts, np.array(start), when, steps, incremental, history
        )
        assert_array_equal(history[0], counts)
        found.append(np.concatenate([runs[:number].ravel(), counts.ravel()]))
    assert_array_equal(*found)


@given(games_with_starts(lambda: games(min_players=1)), st.booleans(), st.integers(1, 40))
def test_the_kernel_is_its_python_function(case, asked, steps):
    game, start = case
    n, sizes = game.num_players, np.array(game.num_actions)
    payoffs, when = game.payoffs.reshape(n, -1).copy(), np.array([1, 1 + steps // 2])
    found = []
    for f in (play_kernel, play_kernel.py_func):
        first = np.full(n, -1) if asked else np.array(start)
        counts, history = np.zeros((n, sizes.max())), np.zeros((2, n, sizes.max()))
        runs, number = f(payoffs, sizes, counts, first, when, steps, n == 2, history)
        found.append(np.concatenate([runs[:number].ravel(), counts.ravel(), history.ravel()]))
    assert_array_equal(*found)


@given(games(min_players=1), st.data())
def test_the_sums_over_joint_actions_are_their_python_functions(game, data):
    n, sizes = game.num_players, np.array(game.num_actions)
    payoffs = game.payoffs.reshape(n, -1) / 3
    size = n * max(game.num_actions)
    weights = data.draw(st.lists(st.floats(0, 9), min_size=size, max_size=size))
    weights = np.array(weights).reshape(n, -1)
    chosen = np.array(data.draw(starts(game)))
    found = []
    for wrap in (lambda f: f, lambda f: f.py_func):
        mixed, pure, product = weights.copy(), weights.copy(), np.ones(payoffs.shape[1])
        wrap(joint.mixed_values)(payoffs, sizes, weights, mixed)
        wrap(joint.add_pure_values)(payoffs, sizes, chosen, pure)
        wrap(joint.add_product)(sizes, weights, product)
        index = wrap(joint.flat_index)(sizes, chosen)
        wrap(joint.digits)(index // sizes[-1], sizes, before := np.zeros(n, dtype=int))
        assert before[:-1].tolist() == chosen[:-1].tolist()
        best = wrap(first_best)(mixed[0], sizes[0])
        assert best == mixed[0, : sizes[0]].argmax()
        found.append(np.concatenate([mixed.ravel(), pure.ravel(), product, [index, best]]))
    assert_array_equal(*found)


def test_a_full_table_of_runs_grows_and_keeps_its_rows():
    full, played = np.arange(12).reshape(4, 3), np.array([7, 8])
    for f in (note_run, note_run.py_func):
        longer = f(full, 4, played)
        assert longer.shape == (8, 3)
        assert_array_equal(longer[:4], full)
        assert_array_equal(longer[4], [7, 8, 0])


@given(st.integers(1, 10**6))
def test_default_times_run_from_the_first_to_the_last_step(steps):
    times = record_times(None, steps, 1)
    assert times[0] == 1
    assert times[-1] == steps
    assert (np.diff(times) > 0).all()
    assert len(times) <= 100


@pytest.mark.parametrize(
    ("options", "needs"),
    [
        ({"steps": 0}, "steps: need a whole number"),
        ({"steps": 2.5}, "steps: need a whole number"),
        ({"start": (0,)}, "start: need 2 actions, got 1"),
        ({"start": (0, 2)}, "start of player 1: need an index in 0..1, got 2"),
        ({"times": [0, 1]}, "increasing whole numbers in 1..10"),
        ({"times": [1, 11]}, "increasing whole numbers in 1..10"),
        ({"times": [2, 2]}, "increasing whole numbers in 1..10"),
        ({"times": [1.5]}, "increasing whole numbers in 1..10"),
        ({"times": []}, "times: empty"),
        ({"initial_counts": ([1, 0],)}, "need 2 arrays, got 1"),
        ({"initial_counts": ([1, 0], [1, 0, 0])}, "player 1: need 2 whole numbers"),
        ({"initial_counts": ([1, 0], [1, -1])}, "player 1: need 2 whole numbers"),
        ({"initial_counts": ([0.5, 0], [1, 0])}, "player 0: need 2 whole numbers"),
    ],
)
def test_bad_input_is_refused_in_one_line(options, needs):
    with pytest.raises(InputError, match=needs) as caught:
        fictitious_play(PENNIES, **{"steps": 10, **options})
    assert "\n" not in str(caught.value)


def test_too_many_records_are_refused_before_they_are_made():
    with pytest.raises(InputError, match="the cap is"):
        fictitious_play(PENNIES, 10**7, times=np.arange(1, 2_500_002))
