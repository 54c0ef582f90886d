"""Games as environments, and environments as games: twins, chances, values."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from refmarl.check import InputError
from refmarl.env_api import advance, random_actions
from refmarl.envs import Chain, Grid, Matrix, TabularEnv, tabular
from refmarl.games import library
from refmarl.games.markov import MarkovGame, evaluate
from refmarl.games.markov_examples import big_match, random_markov_game, soccer
from refmarl.games.normal_form import NormalForm
from refmarl.testing.strategies import games, markov_games

SEEDS = st.integers(0, 10**6)
CHAINS = st.builds(
    Chain,
    length=st.integers(1, 5),
    players=st.integers(1, 3),
    slip=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    calm=st.floats(0, 1),
)
GRIDS = st.builds(
    Grid,
    rows=st.integers(2, 3),
    columns=st.integers(2, 3),
    slip=st.sampled_from([0.0, 0.3, 1.0]),
)
EXAMPLES = [
    Chain(),
    Chain(length=3, players=3, slip=0.4),
    Grid(),
    Grid(2, 3, slip=0.3),
    Matrix("chicken"),
    Matrix("prisoners-dilemma"),
    TabularEnv(),
    TabularEnv("big_match"),
    TabularEnv(random_markov_game(np.random.default_rng(0), 6, (2, 3), 0.9)),
    TabularEnv(random_markov_game(np.random.default_rng(1), 3, (2, 2, 2), 0.9, "team", 0.2)),
]
NAMES = [f"{env.name}-{k}" for k, env in enumerate(EXAMPLES)]


def joint(env, actions):
    """(B,) of joint actions, from one array for each group."""
    sizes = [group.space.n for group in env.groups for _ in group.agents]
    return np.ravel_multi_index(tuple(np.concatenate(actions, axis=1).T), sizes)


@cache
def simulated(k, copies=400, steps=60):
    """Where each of many random steps began, what was done, where it led, and what it paid."""
    env, rng = EXAMPLES[k], np.random.default_rng(7)
    state, rows = env.reset(rng, copies), []
    for _ in range(steps):
        actions = random_actions(env, rng, state)
        before = env.twin_state(state)
        state, step, final = advance(env, state, actions)
        reward = np.concatenate(step.reward, axis=1)
        rows.append((before, joint(env, actions), env.twin_state(final), reward, step.terminated))
    return tuple(np.concatenate(part) for part in zip(*rows, strict=True))


@pytest.mark.parametrize("k", range(len(EXAMPLES)), ids=NAMES)
def test_steps_are_as_frequent_as_the_twin_says(k):
    """χ² over all (s, a, s') that can follow; nothing happens that cannot."""
    twin = EXAMPLES[k].twin()
    before, action, after, _, _ = simulated(k)
    size = twin.num_states
    p = twin.transition.reshape(size, -1, size)
    assert (p[before, action, after] > 0).all()
    counts = np.zeros_like(p)
    np.add.at(counts, (before, action, after), 1)
    tried = counts.sum(axis=-1)
    expected = p * tried[..., None]
    rarest = p.min(axis=-1, initial=1, where=p > 0)
    usable = (p > 0) & (p < 1) & (tried * rarest > 5)[..., None]
    if not usable.any():
        return  # nothing is left to chance
    statistic = ((counts - expected)[usable] ** 2 / expected[usable]).sum()
    rows = usable.any(axis=-1).sum()
    assert stats.chi2.sf(statistic, usable.sum() - rows) > 1e-4


@pytest.mark.parametrize("k", range(len(EXAMPLES)), ids=NAMES)
def test_rewards_are_the_twins_on_average(k):
    """Exactly, where a step cannot fail by chance."""
    twin = EXAMPLES[k].twin()
    before, action, _, reward, _ = simulated(k)
    wanted = twin.reward.reshape(twin.num_players, twin.num_states, -1)[:, before, action].T
    if isinstance(EXAMPLES[k], Grid) and EXAMPLES[k].slip:
        for s, a in set(zip(before.tolist(), action.tolist(), strict=True)):
            mine = (before == s) & (action == a)
            error = reward[mine] - wanted[mine]
            spread = 100 / np.sqrt(mine.sum())
            assert (abs(error.mean(axis=0)) <= 5 * spread).all()
        error = (reward - wanted).mean(axis=0)
        assert_allclose(error, 0, atol=5 * (reward - wanted).std() / np.sqrt(len(reward)))
    else:
        assert_allclose(reward, wanted, atol=1e-12)


@pytest.mark.parametrize("k", range(len(EXAMPLES)), ids=NAMES)
def test_beginnings_are_as_frequent_as_the_twin_says(k):
    env = EXAMPLES[k]
    begun = env.twin_state(env.reset(np.random.default_rng(0), 4000))
    initial = env.twin().initial
    counts = np.bincount(begun, minlength=len(initial))
    assert not counts[initial == 0].any()
    possible = initial > 0
    if possible.sum() > 1:
        assert stats.chisquare(counts[possible], 4000 * initial[possible]).pvalue > 1e-4


@pytest.mark.parametrize("k", range(len(EXAMPLES)), ids=NAMES)
def test_what_is_terminal_is_where_nothing_is_to_come(k):
    twin = EXAMPLES[k].twin(0.99)
    _, _, after, _, terminated = simulated(k)
    value = evaluate(twin, twin.uniform())[:, after[terminated]]
    assert_allclose(value, 0.0, atol=1e-9)


@pytest.mark.parametrize("k", [0, 1, 3, 5, 6, 8, 9], ids=lambda k: NAMES[k])
def test_discounted_returns_average_to_the_value(k):
    """V(s₀) of uniform policies, within five standard errors; γ^200 is 7e-10."""
    env = EXAMPLES[k]
    gamma, copies = 0.9, 3000
    twin = env.twin(gamma)
    long = replace(env, horizon=0)
    rng = np.random.default_rng(3)
    state = long.reset(rng, copies)
    total, going = np.zeros((copies, twin.num_players)), np.arange(copies)
    for t in range(200):
        state, step = long.step(state, random_actions(long, rng, state))
        total[going] += gamma**t * np.concatenate(step.reward, axis=1)
        on = ~state.ended
        state, going = type(state)(*(f[on] for f in state)), going[on]
        if len(going) == 0:
            break
    value = evaluate(twin, twin.uniform()) @ twin.initial
    error = total.std(axis=0) / np.sqrt(copies)
    assert (abs(total.mean(axis=0) - value) <= 5 * error + 1e-6).all()


@given(CHAINS | GRIDS)
def test_twins_are_markov_games_of_the_right_size(env):
    twin = env.twin(0.5)
    assert twin.num_players == len(env.agents)
    assert twin.num_actions == (env.groups[0].space.n,) * twin.num_players
    state = env.reset(np.random.default_rng(0), 1)
    assert twin.initial[env.twin_state(state)[0]] == 1.0


@given(SEEDS, st.integers(2, 4), st.integers(2, 4))
def test_the_twins_states_of_a_grid_are_all_and_different(seed, rows, columns):
    env = Grid(rows, columns)
    pairs = np.array(env._pairs)
    state = env.reset(np.random.default_rng(seed), len(pairs))._replace(cell=pairs)
    assert_array_equal(env.twin_state(state), np.arange(len(pairs)))


@given(GRIDS, SEEDS)
def test_walkers_never_share_a_cell_and_never_change_places(env, seed):
    rng = np.random.default_rng(seed)
    state = env.reset(rng, 20)
    for _ in range(10):
        after, step = env.step(state, random_actions(env, rng, state))
        assert (after.cell[:, 0] != after.cell[:, 1]).all()
        swapped = (after.cell == state.cell[:, ::-1]).all(axis=1)
        assert not swapped.any()
        bumped = (step.reward[0] == -1).all(axis=1)
        assert_array_equal(after.cell[bumped], state.cell[bumped])
        state = type(state)(*(f[~after.ended] for f in after))
        if len(state.t) == 0:
            break


def test_the_grid_is_solved_by_its_heuristic():
    """Both arrive at once, after four steps on 3 × 3 cells; nobody could be faster."""
    env = Grid()
    state, total = env.reset(np.random.default_rng(0), 1), 0.0
    for _ in range(4):
        assert not state.ended[0]
        state, step = env.step(state, env.heuristic(state))
        total += step.reward[0]
    assert state.ended[0]
    assert_array_equal(total, [[100.0, 100.0]])


def test_a_grid_mirrored_left_to_right_is_the_grid_with_the_agents_exchanged():
    twin, env = Grid(slip=0.2).twin(), Grid(slip=0.2)
    mirror = [(c // 3) * 3 + 2 - c % 3 for c in range(9)]
    pairs = env._pairs
    image = [pairs.index((mirror[q], mirror[p])) for p, q in pairs]
    turned = [0, 1, 3, 2]  # east becomes west
    moved = twin.transition[image][:, turned][:, :, turned][..., image].swapaxes(1, 2)
    assert_allclose(moved, twin.transition, atol=1e-15)
    paid = twin.reward[::-1, image][:, :, turned][..., turned].swapaxes(2, 3)
    assert_allclose(paid, twin.reward, atol=1e-12)


@given(CHAINS)
def test_a_chain_pays_the_whole_team_alike(env):
    twin = env.twin()
    assert (twin.reward == twin.reward[0]).all()


def test_swimming_pays_for_the_patient_and_drifting_for_the_hasty():
    for gamma, patient in ((0.95, True), (0.3, False)):
        twin = Chain(slip=0.0, calm=0.1).twin(gamma)
        swim = evaluate(twin, twin.pure([[1] * 6] * 2))[0, 0]
        drift = evaluate(twin, twin.pure([[0] * 6] * 2))[0, 0]
        assert_allclose(swim, gamma**5 / (1 - gamma))
        assert_allclose(drift, 0.1 / (1 - gamma))
        assert (swim > drift) == patient


@settings(max_examples=15)
@given(games(1, 3), SEEDS)
def test_a_matrix_game_pays_what_was_played_and_shows_it(game, seed):
    env, rng = Matrix(game, horizon=3), np.random.default_rng(seed)
    state = env.reset(rng, 6)
    for _ in range(3):
        actions = random_actions(env, rng, state)
        state, step = env.step(state, actions)
        reward, played = (np.concatenate(x, axis=1) for x in (step.reward, actions))
        for b in range(6):
            assert_array_equal(reward[b], game.at(played[b]))
        seen = np.concatenate(env.observe(state), axis=1)
        n = game.num_players
        assert_array_equal(seen[..., :n], np.broadcast_to(np.eye(n), (6, n, n)))
        hot = np.concatenate([np.eye(k)[played[:, i]] for i, k in enumerate(game.num_actions)], 1)
        assert_array_equal(seen[..., n:], np.broadcast_to(hot[:, None], (6, n, hot.shape[1])))
    assert step.truncated.all()


def test_tit_for_tat_answers_and_nothing_is_seen_before_the_first_round():
    env = Matrix()
    state = env.reset(np.random.default_rng(0), 1)
    assert not env.observe(state)[0][..., 2:].any()
    state, _ = env.step(state, (np.array([[1, 0]]),))
    assert_array_equal(env.heuristic(state)[0], [[0, 1]])


@settings(max_examples=20)
@given(markov_games(), SEEDS)
def test_any_markov_game_can_be_played(game, seed):
    env, rng = TabularEnv(game, horizon=4), np.random.default_rng(seed)
    state = env.reset(rng, 8)
    for _ in range(4):
        actions = random_actions(env, rng, state)
        after, step = env.step(state, actions)
        index = (state.s, *np.concatenate(actions, axis=1).T)
        assert (game.transition[(*index, after.s)] > 0).all()
        wanted = np.stack([r[index] for r in game.reward], axis=1)
        assert_array_equal(np.concatenate(step.reward, axis=1), wanted)
        hot = np.concatenate(env.observe(after), axis=1)[..., game.num_players :]
        assert_array_equal(hot.argmax(axis=-1), np.repeat(after.s[:, None], game.num_players, 1))
        state = type(state)(*(f[~after.ended] for f in after))
        if len(state.t) == 0:
            break


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.floats(0, 1, exclude_max=True))
def test_drawing_inverts_the_running_sums(weights, u):
    """The outcome k with Σ_{j<k} p_j ≤ u < Σ_{j≤k} p_j; never one of probability 0."""
    assume(sum(weights) > 0)
    p = np.array(weights) / sum(weights)
    k = tabular.draw(tabular.cumulative(p), u)
    assert p[k] > 0
    assert p[:k].sum() <= u + 1e-12
    assert u < p[: k + 1].sum() + 1e-12
    assert k == tabular.draw.py_func(tabular.cumulative(p), u)


def test_the_greatest_number_below_one_draws_something_possible():
    p = np.array([0.1] * 10 + [0.0, 0.0])  # its sum is below 1 in floating point
    assert tabular.draw(tabular.cumulative(p), 1 - 2.0**-53) == 9
    assert tabular.draw(tabular.cumulative(np.array([0.0, 1.0])), 0.0) == 1


def test_games_of_different_numbers_of_actions_have_a_group_for_each_player():
    env = Matrix(NormalForm(np.zeros((2, 2, 3))))
    assert [len(g.agents) for g in env.groups] == [1, 1]
    assert [g.space.n for g in env.groups] == [2, 3]
    assert [g.obs_dim for g in env.groups] == [7, 7]


def test_a_lost_match_goes_on_and_a_state_that_pays_nobody_ends_it():
    assert_array_equal(tabular.tables(big_match(0.9)).terminal, [False, False, True])
    stay = MarkovGame(np.ones((1, 1, 1)), np.zeros((1, 1, 1)), 0.5)
    assert tabular.tables(stay).terminal.all()
    paid = MarkovGame(np.ones((1, 2, 1)), np.array([[[0.0, 1.0]]]), 0.5)
    assert not tabular.tables(paid).terminal.any()
    assert not tabular.tables(soccer(0.9)).terminal.any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Chain(length=0), "length"),
        (lambda: Chain(slip=1.5), "slip: need"),
        (lambda: Chain(horizon=-1), "horizon"),
        (lambda: Grid(rows=1), "rows: need"),
        (lambda: Grid(slip=float("nan")), "slip"),
        (lambda: TabularEnv("chess"), "need one of"),
        (lambda: Matrix("no such game"), "no such game"),
        (lambda: Matrix(horizon=2.5), "horizon"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises((InputError, KeyError), match=message):
        make()


def test_a_game_of_the_library_takes_its_numbers():
    assert_array_equal(
        Matrix("penalty:k=-30").stage.payoffs, library.game("penalty", k=-30).payoffs
    )
    for text, says in (
        ("penalty:k=3", "k"),
        ("penalty:k=x", "NAME:k=NUMBER"),
        ("penalty:q=1", "q"),
    ):
        with pytest.raises(InputError, match=says):
            Matrix(text)
