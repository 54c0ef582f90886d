"""Every registered task: ours gives an answer that is right, and a spoiled one is not."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.bench import TASKS, choose, startup
from refmarl.bench.s1_games import answers, play
from refmarl.games import exact_equilibria, fictitious_play
from refmarl.games.nash import regrets
from refmarl.testing.strategies import bimatrix_games

# they compile, or train: seconds
LONG = {
    "process-warm", "process-cold", "first-call", "training-warm", "training-cold", "maddpg-return",
}  # fmt: skip
SPECS = [
    pytest.param(task, marks=pytest.mark.slow if task.name in LONG else (), id=task.name)
    for task in TASKS.values()
]


def done(task, peer, size=None):
    """(input, answer) for each input of the smallest size."""
    inputs = task.inputs(0, task.sizes[0] if size is None else size)
    return [(one, peer.answer(one, peer.run(peer.prepare(one)))) for one in inputs]


def spoiled(answer):
    """The answer with one of its numbers, or one of its arrays' numbers, larger by 1."""
    if isinstance(answer, tuple):
        for k, part in enumerate(answer):
            for other in spoiled(part):
                yield answer._replace(**{answer._fields[k]: other})
    elif isinstance(answer, np.ndarray):
        for where in np.ndindex(answer.shape):
            other = answer.copy()
            other[where] += 1.0
            yield other
    else:
        yield answer + 1


@pytest.mark.parametrize("task", SPECS)
def test_our_answer_is_right_and_a_spoiled_one_is_not(task):
    for one, answer in done(task, task.ours):
        truth = task.truth(one, [answer])
        assert task.same(truth, answer)
        wrong = list(spoiled(answer))
        assert wrong
        for other in wrong:
            assert not task.same(truth, other)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
def test_a_task_is_well_formed(task):
    names = [peer.name for peer in task.everybody]
    assert len(set(names)) == len(names)
    assert task.ours.installed
    assert list(task.sizes) == sorted(set(task.sizes))
    assert set(task.quick) <= set(task.sizes)
    assert TASKS[task.name] is task
    assert pickle.loads(pickle.dumps(task)).name == task.name  # it goes to other processes


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
def test_inputs_depend_on_seed_and_size_alone(task):
    size = task.sizes[0]
    again = [pickle.dumps(task.inputs(3, size)) for _ in range(2)]
    assert again[0] == again[1]
    if task.name in ("equilibria", "equilibria-degenerate", "lemke-howson", "zero-sum"):
        assert pickle.dumps(task.inputs(4, size)) != again[0]


def test_the_random_games_have_no_ties_and_the_others_do():
    for size in (3, 5):
        assert not any(exact_equilibria(g).degenerate for g in answers.random_bimatrix(0, size))
        assert all(exact_equilibria(g).degenerate for g in answers.degenerate_bimatrix(0, size))


PEERS = [
    pytest.param(task, peer, id=f"{task.name}-{peer.name}")
    for task in TASKS.values()
    for peer in task.peers
    if task.name not in LONG
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("task", "peer"), PEERS)
def test_peers_that_are_installed_are_understood(task, peer):
    if not peer.installed:
        pytest.skip(f"{peer.package} is not installed")
    for one, answer in done(task, peer):
        ours = task.ours.answer(one, task.ours.run(task.ours.prepare(one)))
        assert type(answer) is type(ours)
        if isinstance(answer, answers.Profiles):  # some may be missing, none may be wrong
            assert (answer.regrets < answers.REGRET).all()
        if isinstance(answer, answers.One):
            assert task.same(ours, answer)


def test_the_limit_of_zero_sum_games_solves_them():
    """Its last unknown is the value: less work than that is no limit of who finds the value."""
    task = TASKS["zero-sum"]
    for one in task.inputs(0, 10):
        solution = task.limit.run(task.limit.prepare(one))
        assert abs(solution[-1] - task.ours.run(one)[0]) < 1e-9


def test_every_limit_of_a_warm_task_can_be_run():
    warm = [task for task in TASKS.values() if task.limit and task.name not in LONG]
    assert {"zero-sum"} <= {task.name for task in warm}
    for task in warm:
        one = task.inputs(0, task.sizes[0])[0]
        assert task.limit.run(task.limit.prepare(one)) is not None


# -------------------------------------------------------------------------------- all equilibria


@given(bimatrix_games(), st.randoms(use_true_random=False))
def test_a_set_of_equilibria_is_right_in_any_order_and_with_repetitions(game, random):
    pair = tuple(game.payoffs)
    truth = answers.all_equilibria(pair, [])
    order = list(range(len(truth.rows))) * 2
    random.shuffle(order)
    shuffled = answers.Profiles(truth.rows[order], truth.regrets[order])
    assert answers.same_equilibria(truth, shuffled)


@given(bimatrix_games())
def test_each_missing_equilibrium_is_missed(game):
    pair = tuple(game.payoffs)
    truth = answers.all_equilibria(pair, [])
    for k in range(len(truth.rows)):
        less = answers.Profiles(*(np.delete(part, k, axis=0) for part in truth))
        assert not answers.same_equilibria(truth, less)


def test_what_is_no_equilibrium_is_found_out():
    pair = (np.array([[3.0, 0.0], [5.0, 1.0]]), np.array([[3.0, 5.0], [0.0, 1.0]]))
    truth = answers.all_equilibria(pair, [])
    more = answers.profiles(pair, [*[(r[:2], r[2:]) for r in truth.rows], ([1, 0], [1, 0])])
    assert_array_equal(more.regrets > 0.1, [False, True])
    assert not answers.same_equilibria(truth, more)


@pytest.mark.parametrize("bad", [[2.0, -1.0], [0.5, 0.4], [np.nan, np.nan]])
def test_what_is_no_mixture_has_infinite_regret(bad):
    pair = (np.eye(2), np.eye(2))
    assert np.isposinf(answers.profiles(pair, [(bad, [1, 0])]).regrets).all()
    assert np.isposinf(answers.profiles(pair, [([1, 0], bad)]).regrets).all()


@given(bimatrix_games(), st.integers(0, 2**32 - 1))
def test_the_regrets_are_those_of_the_library(game, seed):
    rng = np.random.default_rng(seed)
    x, y = (rng.dirichlet(np.ones(k), size=3) for k in game.num_actions)
    size = max(abs(game.payoffs).max(), 1.0)
    expected = regrets(game, (x, y)).max(axis=-1) / size
    got = answers.regrets(tuple(game.payoffs), np.hstack([x, y]))
    assert_allclose(got, expected, rtol=0.0, atol=1e-12)


def test_beyond_the_exact_solver_the_truth_is_what_anybody_found(monkeypatch):
    pair = answers.random_bimatrix(0, 5)[3]
    exact = answers.all_equilibria(pair, [])
    monkeypatch.setattr(answers, "EXACT", 1)
    half = answers.Profiles(exact.rows[:1], exact.regrets[:1])
    rest = answers.Profiles(exact.rows[1:], exact.regrets[1:])
    false = answers.profiles(pair, [(np.eye(5)[0], np.eye(5)[k]) for k in range(5)])
    pooled = answers.all_equilibria(pair, [half, rest, rest, false])
    assert len(pooled.rows) == len(exact.rows)
    assert answers.same_equilibria(exact, pooled)
    assert not answers.same_equilibria(pooled, half)
    assert len(answers.all_equilibria(pair, [false]).rows) <= len(exact.rows)


def test_strategies_that_do_not_prove_the_value_are_found_out():
    pennies = np.array([[1.0, -1.0], [-1.0, 1.0]])
    good = answers.value(pennies, (0.0, np.array([0.5, 0.5]), np.array([0.5, 0.5])))
    assert answers.same_value(good, good)
    assert not answers.same_value(good, answers.value(pennies, (0.0, np.eye(2)[0], np.eye(2)[0])))
    shifted = answers.value(pennies, (0.1, np.array([0.5, 0.5]), np.array([0.5, 0.5])))
    assert shifted.gap == pytest.approx(0.1)  # both prove another value


# ------------------------------------------------------------------------------------------- play


@given(bimatrix_games(), st.integers(1, 30))
def test_run_lengths_are_read_off_counts(game, steps):
    found = fictitious_play(game, steps, times=range(1, steps + 1))
    t = np.arange(1, steps + 1)[:, None]
    counts = np.hstack([x * t for x in found.averages])
    assert_array_equal(play.run_lengths(counts), found.run_lengths)


def test_another_number_of_plays_is_another_answer():
    (one,) = play.shapley(0, 10_000)
    lengths = fictitious_play(one.game, 9_000).run_lengths
    assert not play.same_growth(None, play.growth(one, lengths))
    assert play.same_growth(None, play.growth(one._replace(steps=9_000), lengths))


# --------------------------------------------------------------------------------------- processes


def test_a_process_that_fails_says_why():
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        startup.process(False, "1 / 0")


def test_a_cold_process_sees_empty_caches():
    code = "import os; print(len(os.listdir(os.environ['NUMBA_CACHE_DIR'])), 0.25)"
    run = startup.process(True, code)
    assert (run.number, run.call) == (0, 0.25)
    assert run.whole > 0.0


# ----------------------------------------------------------------------------------------- choosing


def test_tasks_are_chosen_by_name_and_pattern():
    assert choose([]) == list(TASKS.values())
    assert [t.name for t in choose(["equi*", "equilibria"])] == [
        "equilibria",
        "equilibria-degenerate",
    ]
    with pytest.raises(KeyError, match="did you mean 'zero-sum'"):
        choose(["zerosum"])
    with pytest.raises(KeyError, match="there are equilibria, "):
        choose(["import", "qqqq"])
