"""Laws of (1.16): joint-action learning."""

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.check import InputError
from refmarl.games import (
    NormalForm,
    _repeated,
    action_values,
    best_responses,
    independent_q,
    library,
)
from refmarl.games.independent_q import IndependentConfig
from refmarl.games.joint_action_q import (
    JointConfig,
    expected_values,
    frequencies,
    joint_values,
    learn,
    others_index,
    play,
    product_model,
    shares,
    value_actions,
)
from refmarl.testing.strategies import REALS, games, games_with_profiles, mixtures

SEEDS = st.integers(0, 2**32 - 1)
CONFIGS = st.builds(
    JointConfig,
    steps=st.integers(1, 25),
    exploration=st.sampled_from(["epsilon", "boltzmann"]),
    epsilon_decay=st.sampled_from([0.9, 1.0]),
    temperature0=st.sampled_from([0.5, 20.0]),
    alpha=st.sampled_from([0.1, 0.5, 1.0]),
    model=st.sampled_from(["product", "joint"]),
    prior=st.sampled_from([0.0, 0.5, 1.0]),
)
SOME = games(min_players=1, max_players=4) | games(1, 3, elements=REALS)


def seeded(seed):
    return np.random.default_rng(seed)


def with_(cfg, **changes):
    return JointConfig(**(vars(cfg) | changes))


def flat(found):
    return [*found.q, *found.models, *found.values, found.greedy, found.payoffs]


def assert_same(first, second):
    for x, y in zip(flat(first), flat(second), strict=True):
        assert_array_equal(x, y)


@st.composite
def tables(draw):
    """(q, π̂_-i, i): a table of one to four players and any model of the others."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    i = draw(st.integers(0, len(sizes) - 1))
    others = (*sizes[:i], *sizes[i + 1 :])
    model = draw(mixtures(int(np.prod(others, dtype=int)))).reshape(others)
    return draw(arrays(float, tuple(sizes), elements=REALS)), model, i


# -- expected values -----------------------------------------------------------------


@pytest.mark.equation("1.16")
@given(games_with_profiles(1, 4) | games_with_profiles(1, 3, elements=REALS), st.data())
def test_with_the_true_values_and_mixtures_the_best_are_the_best_responses(case, data):
    game, profile = case
    i = data.draw(st.integers(0, game.num_players - 1))
    values = expected_values(game.payoffs[i], product_model(profile, i), i)
    assert_allclose(values, action_values(game, profile, i), atol=1e-9)
    tol = 1e-9
    gaps = (values.max() - values) / max(1.0, np.abs(game.payoffs).max())
    assume(not ((gaps > tol / 10) & (gaps < tol * 10)).any())  # neither equal nor distinct
    assert_array_equal(gaps <= tol, best_responses(game, profile, i, tol))


@pytest.mark.equation("1.16")
@given(tables(), st.floats(0, 1), st.data())
def test_expected_values_are_linear_in_the_model_and_in_the_table(case, weight, data):
    q, model, i = case
    other = data.draw(mixtures(model.size)).reshape(model.shape)
    mixed = expected_values(q, weight * model + (1 - weight) * other, i)
    parts = [expected_values(q, p, i) for p in (model, other)]
    assert_allclose(mixed, weight * parts[0] + (1 - weight) * parts[1], atol=1e-9)
    table = data.draw(arrays(float, q.shape, elements=REALS))
    assert_allclose(
        expected_values(2 * q - table, model, i),
        2 * parts[0] - expected_values(table, model, i),
        atol=1e-9,
    )


@pytest.mark.equation("1.16")
@given(tables())
def test_sure_models_read_off_the_table_and_all_lie_between_its_extremes(case):
    q, model, i = case
    rows = np.moveaxis(q, i, -1)
    for a in product(*map(range, model.shape)):
        sure = np.zeros(model.shape)
        sure[a] = 1.0
        assert_array_equal(expected_values(q, sure, i), rows[a])
    values, axes = expected_values(q, model, i), tuple(range(model.ndim))
    assert (values >= rows.min(axis=axes) - 1e-9).all()
    assert (values <= rows.max(axis=axes) + 1e-9).all()


@pytest.mark.equation("1.16")
@given(tables(), st.data())
def test_a_value_added_for_what_the_others_do_changes_no_difference(case, data):
    q, model, i = case
    bonus = data.draw(arrays(float, model.shape, elements=REALS))
    shifted = expected_values(q + np.expand_dims(bonus, i), model, i)
    assert_allclose(shifted - expected_values(q, model, i), (model * bonus).sum(), atol=1e-9)


@pytest.mark.equation("1.16")
@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3), min_size=1, max_size=4))
def test_models_are_distributions_whose_marginals_are_the_frequencies(counts):
    for i in range(len(counts)):
        model, others = product_model(counts, i), [c for j, c in enumerate(counts) if j != i]
        assert model.shape == tuple(len(c) for c in others)
        assert (model >= 0).all()
        assert model.sum() == pytest.approx(1.0, abs=1e-12)
        for k, row in enumerate(others):
            axes = tuple(j for j in range(model.ndim) if j != k)
            assert_allclose(model.sum(axis=axes), frequencies(row), atol=1e-12)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5), st.integers(1, 7))
def test_frequencies_do_not_depend_on_the_scale_and_are_even_without_data(counts, factor):
    scaled = frequencies([factor * c for c in counts])
    assert_allclose(scaled, frequencies(counts), atol=1e-12)
    assert_array_equal(frequencies([0] * len(counts)), np.full(len(counts), 1 / len(counts)))
    for row in (counts, [0] * len(counts)):  # and the learners use the same
        out = np.zeros(len(row))
        shares(np.array(row, dtype=float), len(row), out)
        assert_array_equal(out, frequencies(row))


# -- repeated games ------------------------------------------------------------------


@pytest.mark.equation("1.16")
@given(games(1, 1, 4) | games(1, 1, 4, REALS), CONFIGS, SEEDS)
def test_a_single_player_is_an_independent_learner_bit_for_bit(game, cfg, seed):
    options = {k: v for k, v in vars(cfg).items() if k not in ("model", "prior")}
    joint = learn(game, cfg, seeded(seed), 2)
    alone = independent_q.learn(game, IndependentConfig(**options), seeded(seed), 2)
    assert_array_equal(joint.q[0], alone.q[0])
    assert_array_equal(joint.greedy, alone.greedy)
    assert_array_equal(joint.payoffs, alone.payoffs)


@pytest.mark.equation("1.16")
@given(games(2, 2) | games(2, 2, elements=REALS), CONFIGS, SEEDS)
def test_with_one_opponent_both_models_are_the_same_bit_for_bit(game, cfg, seed):
    found = [learn(game, with_(cfg, model=m), seeded(seed), 2) for m in ("product", "joint")]
    assert_same(*found)


@pytest.mark.equation("1.16")
@given(SOME, CONFIGS, SEEDS)
def test_the_end_is_consistent_and_the_models_sum_to_one(game, cfg, seed):
    found = learn(game, cfg, seeded(seed), 2)
    for i, k in enumerate(game.num_actions):
        for run in range(2):
            model, q = found.models[i][run], found.q[i][run]
            assert model.sum() == pytest.approx(1.0, abs=1e-12)
            values = expected_values(q, model, i)
            assert_array_equal(found.values[i][run], values)
            assert values[found.greedy[run, i]] == values.max()
        assert found.values[i].shape == (2, k)
        assert found.q[i].shape == (2, *game.num_actions)


@pytest.mark.equation("1.16")
@given(games(2, 4), CONFIGS, SEEDS)
def test_models_count_what_was_played(game, cfg, seed):
    """With whole payoffs that name the joint action, Q at α = 1 and the models show the play."""
    names = 1.0 + np.arange(np.prod(game.num_actions)).reshape(game.num_actions)
    named = NormalForm(np.stack([names] * game.num_players))
    steps = cfg.steps
    found = learn(named, with_(cfg, alpha=1.0, prior=0.0), seeded(seed))
    total = 0.0
    for i, model in enumerate(found.models):
        if cfg.model == "product":
            rows = [
                model.sum(axis=tuple(j for j in range(model.ndim) if j != k))[0]
                for k in range(1, model.ndim)
            ]
        else:
            rows = [model[0].ravel()]
        for row in rows:
            assert_allclose(row * steps, np.round(row * steps), atol=1e-9)
        seen = np.moveaxis(found.q[i][0], i, 0)
        assert_array_equal(found.q[i][0][found.q[i][0] > 0], names[found.q[i][0] > 0])
        if cfg.model == "joint":  # a_-i has been counted just where some a has been played
            assert_array_equal((seen > 0).any(axis=0), model[0] > 0)
        total += found.payoffs[0, i]
    assert total == pytest.approx(found.payoffs[0, 0] * game.num_players)


def literal(game, cfg, rng):
    """Joint-action learning of all players, written out with dictionaries; product models."""
    n, sizes, stream = game.num_players, game.num_actions, rng.spawn(1)[0]
    q = [dict.fromkeys(product(*map(range, sizes)), 0.0) for _ in range(n)]
    seen = [[cfg.prior] * k for k in sizes]
    for t in range(cfg.steps):
        epsilon = max(cfg.epsilon_min, cfg.epsilon0 * cfg.epsilon_decay**t)
        chosen = []
        for i in range(n):
            explores, which, _ = stream.random(3)
            values = [0.0] * sizes[i]
            for a, value in q[i].items():
                chance = 1.0
                for j in range(n):
                    if j != i:
                        total = sum(seen[j])
                        chance *= seen[j][a[j]] / total if total else 1 / sizes[j]
                values[a[i]] += chance * value
            top = [b for b in range(sizes[i]) if values[b] >= max(values) - 1e-12]
            pool = list(range(sizes[i])) if explores < epsilon else top
            chosen.append(pool[int(which * len(pool))])
        joint = tuple(chosen)
        for i in range(n):
            q[i][joint] += cfg.alpha * (game.payoffs[(i, *joint)] - q[i][joint])
            seen[i][joint[i]] += 1
    return q, seen


@pytest.mark.equation("1.16")
@settings(max_examples=20)
@given(SEEDS, st.sampled_from([(2, 3), (3, 3), (2, 2, 3), (1, 2, 2), (2, 2, 2, 2)]))
def test_it_is_the_definition_written_out(seed, sizes):
    # real payoffs: no two values are equal, except where all of a row is still 0
    game = NormalForm(seeded(seed).normal(size=(len(sizes), *sizes)))
    cfg = JointConfig(steps=40, epsilon_decay=0.9, alpha=0.3)
    found, (q, seen) = learn(game, cfg, seeded(seed)), literal(game, cfg, seeded(seed))
    for i in range(len(sizes)):
        want = np.array([q[i][a] for a in product(*map(range, sizes))]).reshape(sizes)
        assert_allclose(found.q[i][0], want, atol=1e-12)
        assert_allclose(found.models[i][0], product_model(seen, i), atol=1e-12)


@given(SOME, CONFIGS, SEEDS, st.integers(1, 4), st.integers(1, 4))
def test_a_run_is_the_same_in_any_batch(game, cfg, seed, first, second):
    small, large = sorted((first, second))
    few, many = learn(game, cfg, seeded(seed), small), learn(game, cfg, seeded(seed), large)
    for x, y in zip(flat(few), flat(many), strict=True):
        assert_array_equal(x, y[:small])


@pytest.mark.parametrize("model", ["product", "joint"])
@pytest.mark.parametrize("block", [1, 50, 1000])
def test_the_size_of_the_pieces_decides_nothing(monkeypatch, block, model):
    game, cfg = library.game("climbing"), JointConfig(steps=60, model=model)
    whole = learn(game, cfg, seeded(3), 7)
    monkeypatch.setattr(_repeated, "BLOCK", block)
    assert_same(whole, learn(game, cfg, seeded(3), 7))


@pytest.mark.equation("1.16")
def test_only_the_joint_model_sees_that_two_opponents_always_match():
    """Players 2 and 3 do alike; player 1 is paid 3 for guessing that they differ, 2 that not."""
    u = np.zeros((3, 2, 2, 2))
    u[0, 0], u[0, 1] = 3 * (1 - np.eye(2)), 2 * np.eye(2)
    together = np.eye(2) / 2
    apart = product_model([[1, 1], [1, 1], [1, 1]], 0)
    assert_allclose(expected_values(u[0], together, 0), [0.0, 2.0])
    assert_allclose(expected_values(u[0], apart, 0), [1.5, 1.0])


# -- kernels, bad input, published ---------------------------------------------------


@settings(max_examples=30)
@given(SOME, CONFIGS, SEEDS)
def test_the_kernels_are_their_python_functions(game, cfg, seed):
    n, sizes, runs = game.num_players, np.array(game.num_actions), 2
    payoffs, product_ = game.payoffs.reshape(n, -1) / 3, cfg.model == "product"
    uniforms = seeded(seed).random((runs, cfg.steps, n, 3))
    width, found = int(sizes.max()) if product_ else payoffs.shape[1], []
    for wrap in (lambda f: f, lambda f: f.py_func):
        q, paid = np.zeros((runs, *payoffs.shape)), np.zeros((runs, n))
        counts = np.full((runs, n, width), cfg.prior)
        amounts = cfg.schedule(0, cfg.steps)
        arguments = payoffs, sizes, cfg.boltzmann, amounts, uniforms, cfg.alpha, product_
        wrap(play)(*arguments, q, counts, paid)
        model, values = np.zeros(counts.shape[1:]), np.zeros((n, sizes.max()))
        wrap(value_actions)(q[0], sizes, counts[0], product_, model, values)
        if not product_:
            wrap(joint_values)(q[0], sizes, model, values)
        wrap(shares)(counts[0, 0], int(sizes[0]), model[0])
        place = wrap(others_index)(sizes, sizes - 1, n - 1)
        found.append(np.concatenate([a.ravel() for a in (q, paid, counts, model, values)]))
        found[-1] = np.append(found[-1], place)
    assert_array_equal(*found)


@pytest.mark.parametrize(
    ("options", "needs"),
    [
        ({"alpha": 0}, "alpha: need a number"),
        ({"model": "none"}, "model: need 'product' or 'joint', got 'none'"),
        ({"prior": -1}, "prior: need a number ≥ 0, got -1"),
        ({"steps": 1.5}, "steps: need a whole number"),
        ({"exploration": None}, "exploration: need"),
    ],
)
def test_bad_settings_are_refused_in_one_line(options, needs):
    with pytest.raises(InputError, match=needs) as caught:
        JointConfig(**options)
    assert "\n" not in str(caught.value)


def test_bad_calls_are_refused():
    game, cfg = library.game("climbing"), JointConfig(steps=2)
    with pytest.raises(InputError, match="rng: need a numpy Generator, got NoneType"):
        learn(game, cfg, None)
    with pytest.raises(InputError, match="runs: "):
        learn(game, cfg, seeded(0), 10_000_000)
    with pytest.raises(InputError, match="counts: need numbers ≥ 0, got -1"):
        frequencies([2, -1])
    with pytest.raises(InputError, match="player: need an index in 0"):
        product_model([[1], [1]], 2)
    with pytest.raises(InputError, match="counts of player 1: need 1 axes"):
        product_model([[1], [[1]]], 0)
    with pytest.raises(InputError, match=r"model: need shape \(3,\), got \(2,\)"):
        expected_values(np.zeros((2, 3)), [0.5, 0.5], 0)
    with pytest.raises(InputError, match="model: need probabilities"):
        expected_values(np.zeros((2, 2)), [0.5, 0.6], 0)


@pytest.mark.slow
@pytest.mark.equation("1.16")
@pytest.mark.parametrize("name", ["climbing", "penalty"])
def test_teams_miss_their_best_joint_action_as_often_as_published(name):
    game = library.game(name)
    found = learn(game, JointConfig(), seeded(0), 1000)
    assert not (game.payoffs[(0, *found.greedy.T)] == game.payoffs.max()).any()
