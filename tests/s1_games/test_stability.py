"""Jacobians against differences, eigenvalues against theorems and against trajectories."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from refmarl.check import InputError
from refmarl.games import NormalForm, library
from refmarl.games.evolutionary import all_ess, evolutionary_stability
from refmarl.games.normal_form import values_against
from refmarl.games.replicator import (
    population_field,
    replicate,
    replicator,
    replicator_field,
    rest_point_eigenvalues,
)
from refmarl.games.stability import (
    DYNAMICS,
    classify,
    jacobian,
    linearise,
    rest_points,
    velocity,
)
from refmarl.nn import check_jvp
from refmarl.testing.strategies import INTEGERS, games

STEP = 1e-5  # central differences: error h²·f'''/6 ≈ 1e-8 beside rounding 1e-16/h = 1e-11
CLOSE = 1e-7  # of eigenvalues: double ones are off by the root of rounding errors


@st.composite
def full(draw, size):
    """Shares with none below 1/40."""
    weights = draw(arrays(float, size, elements=st.integers(1, 8).map(float)))
    return weights / weights.sum()


@st.composite
def full_points(draw, **options):
    """(game, a full profile of it)."""
    game = draw(games(**options))
    return game, tuple(draw(full(k)) for k in game.num_actions)


def at_rest(game, profile):
    """The payoffs moved so that against ``profile`` every action of everybody earns 0."""
    payoffs = game.payoffs.copy()
    for i in range(game.num_players):
        shape = [1] * game.num_players
        shape[i] = -1
        payoffs[i] -= values_against(game, profile, i).reshape(shape)
    return NormalForm(payoffs)


@st.composite
def full_rest_points(draw, zero_sum=False, **options):
    """(game, a full equilibrium of it)."""
    game, profile = draw(full_points(**options))
    if zero_sum:
        A = game.payoffs[0] - values_against(game, profile, 0)[:, None]
        A = A - profile[0] @ A  # now A y = 0 and x A = 0
        return NormalForm.zero_sum(A), profile
    return at_rest(game, profile), profile


def directions(sizes):
    """Unit vectors e_a - e_b within each population, (D, ·)."""
    total = sum(sizes)
    starts = np.cumsum([0, *sizes])
    for first, size in zip(starts, sizes, strict=False):
        for a in range(1, size):
            step = np.zeros(total)
            step[first], step[first + a] = 1, -1
            yield step


def split(x, sizes):
    return np.split(x, np.cumsum(sizes)[:-1])


def check_jacobian(of, x, blocks, *chosen):
    """Along the simplices, where the field is defined: x + Σ_k c_k (e_a − e_b)_k at c = 0."""
    along = np.array(list(directions(blocks))).T
    if along.size == 0:
        return

    def point(c):
        y = x + along @ c
        return y if isinstance(of, np.ndarray) else split(y, blocks)

    check_jvp(
        lambda c: velocity(of, point(c), *chosen),
        lambda c, v: jacobian(of, point(c), *chosen) @ (along @ v),
        np.zeros(along.shape[1]),
        np.random.default_rng(0),
    ).require()


@pytest.mark.certifies("refmarl.games.stability:jacobian")
@given(full_points(max_players=3), st.sampled_from(DYNAMICS), st.integers(0, 3))
def test_the_jacobian_is_that_of_differences(case, dynamics, rationality):
    game, profile = case
    check_jacobian(game, np.concatenate(profile), game.num_actions, dynamics, rationality)


@pytest.mark.certifies("refmarl.games.stability:jacobian")
@given(st.integers(1, 4), st.sampled_from(DYNAMICS), st.data())
def test_the_jacobian_of_one_population_is_that_of_differences(size, dynamics, data):
    A = data.draw(arrays(float, (size, size), elements=INTEGERS))
    check_jacobian(A, data.draw(full(size)), [size], dynamics, 2.0)


@given(full_points(max_players=3))
def test_nobody_meets_its_own_kind(case):
    game, profile = case
    for dynamics, own in (("gradient", 0.0), ("logit", -1.0)):
        J = jacobian(game, profile, dynamics)
        for a, b in pairwise(np.cumsum([0, *game.num_actions])):
            assert_allclose(J[a:b, a:b], own * np.eye(b - a), atol=1e-12)


@given(full_points(max_players=3))
def test_the_replicator_field_is_that_of_its_module(case):
    game, profile = case
    assert_allclose(
        velocity(game, profile), np.concatenate(population_field(game, profile)), atol=1e-12
    )
    A, x = game.payoffs[0].reshape(game.num_actions[0], -1)[:, :1], profile[0]
    A = np.tile(A, (1, len(x)))
    assert_allclose(velocity(A, x), replicator_field(A, x), atol=1e-12)


@given(full_points(max_players=3), st.sampled_from(DYNAMICS))
def test_no_dynamics_changes_a_sum_of_shares(case, dynamics):
    game, profile = case
    for part in split(velocity(game, profile, dynamics, 1.5), game.num_actions):
        assert abs(part.sum()) < 1e-12
    J = jacobian(game, profile, dynamics, 1.5)
    starts = np.cumsum([0, *game.num_actions])
    for step in directions(game.num_actions):
        for a, b in pairwise(starts):
            assert abs((J @ step)[a:b].sum()) < 1e-10


@given(full_points(max_players=3))
@settings(max_examples=30)
def test_after_a_change_of_velocity_populations_keep_their_volume(case):
    """ẋ / Π x_ia has divergence 0 along the simplices (Hofbauer & Sigmund 1998, §11.3)."""
    game, profile = case
    sizes, x = game.num_actions, np.concatenate(profile)

    def slowed(y):
        return velocity(game, split(y, sizes)) / np.prod(y)

    total = 0.0
    for first, size in zip(np.cumsum([0, *sizes]), sizes, strict=False):
        for a in range(size - 1):  # coordinates: all shares but the last
            step = np.zeros(len(x))
            step[first + a], step[first + size - 1] = STEP * x.min(), -STEP * x.min()
            change = slowed(x + step) - slowed(x - step)
            total += change[first + a] / (2 * STEP * x.min())
    assert abs(total) < 1e-5 * max(1.0, np.abs(game.payoffs).max()) / np.prod(x)


@given(full_rest_points(max_players=3))
def test_a_full_equilibrium_of_several_populations_is_no_sink_and_no_source(case):
    game, profile = case
    for dynamics in ("replicator", "gradient"):
        found = linearise(game, profile, dynamics)
        assert (np.diff(found.eigenvalues.real) <= 0).all()
        assert abs(found.eigenvalues.sum()) < CLOSE * max(1, np.abs(found.jacobian).max())
        if found.eigenvalues.size:
            assert found.kind in ("saddle", "centre", "degenerate")


@given(full_rest_points(max_players=2))
def test_of_two_populations_eigenvalues_come_in_pairs(case):
    game, profile = case
    for dynamics in ("replicator", "gradient"):
        values = linearise(game, profile, dynamics).eigenvalues
        size = max(1.0, np.abs(values).max(initial=0.0))
        odd = [np.sum(values**k) for k in (1, 3, 5)]
        assert_allclose(odd, 0, atol=1e-9 * size**5 * 10)


@given(full_rest_points(max_players=2, zero_sum=True), st.integers(0, 5))
def test_of_a_zero_sum_game_they_are_imaginary_and_under_logit_have_real_part_minus_one(case, lam):
    game, profile = case
    for dynamics in ("replicator", "gradient"):
        found = linearise(game, profile, dynamics)
        size = max(1.0, np.abs(found.eigenvalues).max(initial=0.0))
        assert_allclose(found.eigenvalues.real, 0, atol=1e-6 * size)
        assert found.kind in (("centre", "degenerate") if found.eigenvalues.size else ("sink",))
    even = at_rest(game, game.uniform())  # there logit is at rest for every λ
    even = NormalForm.zero_sum(even.payoffs[0] - even.payoffs[0].mean(axis=0))
    values = linearise(even, even.uniform(), "logit", lam).eigenvalues
    assert_allclose(values.real, -1, atol=1e-6 * max(1.0, np.abs(values).max(initial=0.0)))


@given(games(max_players=3), st.integers(0, 3))
def test_of_a_team_eigenvalues_are_real(game, lam):
    """At a full equilibrium of common interest nothing turns."""
    even = game.uniform()
    team = NormalForm(np.stack([game.payoffs[0]] * game.num_players))
    for _ in range(3):  # all means over single actions: 0; then everybody is indifferent
        for i in range(team.num_players):
            mean = values_against(team, even, i)
            shape = [1] * team.num_players
            shape[i] = -1
            team = NormalForm(team.payoffs - (mean - mean.mean()).reshape(shape))
    for dynamics in DYNAMICS:
        values = linearise(team, even, dynamics, lam).eigenvalues
        assert_allclose(values.imag, 0, atol=1e-6 * max(1.0, np.abs(values).max(initial=0.0)))


@given(st.integers(1, 4), st.data())
def test_one_population_agrees_with_the_eigenvalues_of_its_module(size, data):
    A = data.draw(arrays(float, (size, size), elements=INTEGERS))
    for x in rest_points(A):
        point = np.array([float(p) for p in x])
        here, there = linearise(A, point).eigenvalues, rest_point_eigenvalues(A, point)
        size_ = max(1.0, np.abs(A).max())
        for k in (1, 2, 3):
            assert_allclose((here**k).sum(), (there**k).sum(), atol=1e-8 * size_**k)


@given(games(max_players=3), st.data())
def test_at_a_pure_profile_eigenvalues_are_what_deviations_gain(game, data):
    actions = [data.draw(st.integers(0, k - 1)) for k in game.num_actions]
    pure = game.pure(actions)
    gains = []
    for i, a in enumerate(actions):
        values = values_against(game, pure, i)
        gains += list(np.delete(values - values[a], a))
    assert_allclose(linearise(game, pure).eigenvalues, sorted(gains, reverse=True), atol=1e-6)


@given(st.integers(2, 4), st.data())
def test_a_stable_strategy_without_idle_best_replies_is_a_sink(size, data):
    A = data.draw(arrays(float, (size, size), elements=INTEGERS))
    for x in all_ess(A):
        judged = evolutionary_stability(A, x)
        if judged.best == judged.support:
            point = [float(p) for p in x]
            assert linearise(A, point).kind == "sink"
            if min(point) > 0:
                assert linearise(A, point, "gradient").kind == "sink"


@pytest.mark.parametrize(("win", "loss"), [(1, 1), (2, 1), (1, 2), (3, 2), (1, 4)])
def test_rock_paper_scissors_in_closed_form(win, loss):
    """Of the circulant matrix: Re = (loss - win)/2, Im = ±√3 (win + loss)/2; a third of that."""
    A = np.array([[0.0, -loss, win], [win, 0, -loss], [-loss, win, 0]])
    mu = (loss - win) / 2 + np.sqrt(3) * (win + loss) / 2 * np.array([1j, -1j])
    even = np.full(3, 1 / 3)
    assert_allclose(linearise(A, even).eigenvalues, mu / 3, atol=1e-9)
    assert_allclose(linearise(A, even, "gradient").eigenvalues, mu, atol=1e-9)
    for lam in (0.5, 2.0):
        values = linearise(A, even, "logit", lam).eigenvalues
        assert_allclose(values, lam * mu / 3 - 1, atol=1e-9)
    expected = {1: "source", 0: "centre", -1: "sink"}[int(np.sign(loss - win))]
    assert linearise(A, even).kind == expected


def test_logit_leaves_the_centre_where_a_loss_costs_more():
    """Hopf: from λ = 6 / (loss - win) on the real part is positive."""
    A = np.array([[0.0, -4, 1], [1, 0, -4], [-4, 1, 0]])
    even = np.full(3, 1 / 3)
    kinds = [linearise(A, even, "logit", lam).kind for lam in (1.99, 2.0, 2.01)]
    assert kinds == ["sink", "centre", "source"]


def test_what_is_called_a_sink_or_a_saddle_behaves_so():
    game = library.game("coordination")
    mixed = ([1 / 3, 2 / 3], [1 / 3, 2 / 3])
    assert linearise(game, mixed).kind == "saddle"
    assert linearise(game, game.pure((0, 0))).kind == "sink"
    assert linearise(game, game.pure((0, 1))).kind == "source"
    near = ([1 / 3 + 0.001, 2 / 3 - 0.001],) * 2
    assert replicate(game, near, [0, 60])[0][-1, 0] > 0.999
    pennies = library.game("matching-pennies")
    found = linearise(pennies, pennies.uniform())
    assert found.kind == "centre"
    assert_allclose(found.eigenvalues, [1j, -1j], atol=1e-9)


@pytest.mark.parametrize(("win", "loss"), [(2, 1), (1, 2)])
def test_a_small_deviation_grows_at_the_rate_of_the_real_part(win, loss):
    A = np.array([[0.0, -loss, win], [win, 0, -loss], [-loss, win, 0]])
    values = linearise(A, [1 / 3] * 3).eigenvalues
    turn = 2 * np.pi / abs(values[0].imag)
    path = replicator(A, np.array([1, 1, 1]) / 3 + 1e-5 * np.array([1, -1, 0]), [0, turn])
    start, end = np.linalg.norm(path - 1 / 3, axis=1)
    assert np.log(end / start) / turn == pytest.approx(values[0].real, rel=1e-3)


def test_rest_points_of_coordination_are_those_of_all_faces():
    found = rest_points(np.eye(4))
    assert len(found) == 15
    for x in found:
        kind = linearise(np.eye(4), [float(p) for p in x]).kind
        played = sum(p > 0 for p in x)
        assert kind == {1: "sink", 4: "source"}.get(played, "saddle")
    assert rest_points([[1, 1], [1, 1]]) == ((1, 0), (0, 1))
    assert rest_points([[1, 0], [1, 2]]) == ((1, 0), (0, 1))  # equal pay at the border only


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], "sink"),
        ([-1, -1], "sink"),
        ([1, 2], "source"),
        ([-1, 1], "saddle"),
        ([1j, -1j], "centre"),
        ([0, 0], "degenerate"),
        ([-1, 0], "degenerate"),
        ([1, 1j, -1j], "degenerate"),
    ],
)
def test_classes(values, kind):
    assert classify(values) == kind
    assert classify(1e-9 + np.array(values, dtype=complex), tol=1e-6) == kind


PENNIES = NormalForm.zero_sum([[1, -1], [-1, 1]])
EVEN = ([0.5, 0.5], [0.5, 0.5])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: velocity(PENNIES, EVEN, "newton"), "need one of replicator"),
        (lambda: velocity(PENNIES, EVEN, "logit", -1), "rationality"),
        (lambda: velocity(PENNIES, EVEN, "logit", np.nan), "rationality"),
        (lambda: velocity(PENNIES, ([1, 0], [0.5, 0.5]), "gradient"), "x > 0"),
        (lambda: jacobian(PENNIES, ([1, 0], [0.5, 0.5]), "gradient"), "x > 0"),
        (lambda: velocity([[1, 2]], [1.0]), "square"),
        (lambda: velocity([[1, 2], [3, 4]], [1.0]), "need 2 probabilities"),
        (lambda: velocity(PENNIES, (np.full((2, 2), 0.5),) * 2), "not a batch"),
        (lambda: linearise(PENNIES, ([0.75, 0.25], [0.5, 0.5])), "its speed is 0.25"),
        (lambda: linearise([[0, 2], [1, 0]], [0.5, 0.5], "gradient"), "its speed"),
        (lambda: rest_points([[1, 2]]), "square"),
        (lambda: rest_points(np.eye(13)), "at most 12"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
