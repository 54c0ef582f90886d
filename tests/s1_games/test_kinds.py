"""What kind of game it is: the decomposition and the tests of class as theorems."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from refmarl.games import NormalForm, library, regrets
from refmarl.games.generators import (
    common_interest_game,
    covariance_game,
    potential_game,
    zero_sum_game,
)
from refmarl.games.kinds import (
    decompose,
    exact_potential,
    is_common_interest,
    is_harmonic,
    is_potential,
    is_zero_sum,
    spectrum,
)
from refmarl.studies.s1_games.kinds import expected_share, standard_error
from refmarl.testing.strategies import REALS, bimatrix_games, games, shapes

ANY = games(1, 4) | games(1, 3, elements=REALS)
SEEDS = st.integers(0, 2**32 - 1)
PARTS = ("nonstrategic", "potential", "harmonic")


def inner(u, v):
    """Σ_i A_i ⟨u_i, v_i⟩, term by term."""
    return sum(k * float((a * b).sum()) for k, a, b in zip(u.shape[1:], u, v, strict=True))


def edges(sizes):
    """(i, a, b) for every pair of joint actions that differ in player i's action only."""
    for i, k in enumerate(sizes):
        for rest in product(*(range(m) for j, m in enumerate(sizes) if j != i)):
            for x, y in combinations(range(k), 2):
                yield i, (*rest[:i], x, *rest[i:]), (*rest[:i], y, *rest[i:])


def gains(payoffs):
    """u_i(b) - u_i(a) along every edge: the flow on the response graph."""
    return np.array([payoffs[(i, *b)] - payoffs[(i, *a)] for i, a, b in edges(payoffs.shape[1:])])


def differences(phi):
    """φ(b) - φ(a) along every edge."""
    return np.array([phi[b] - phi[a] for _, a, b in edges(phi.shape)])


@given(ANY)
def test_the_parts_add_up_and_are_orthogonal(game):
    part = decompose(game)
    assert_allclose(part.nonstrategic + part.potential + part.harmonic, game.payoffs, atol=1e-12)
    size = max(1.0, inner(game.payoffs, game.payoffs))
    for a, b in combinations(PARTS, 2):
        assert abs(inner(getattr(part, a), getattr(part, b))) <= 1e-12 * size


@given(ANY)
def test_nobody_changes_its_nonstrategic_payoff_and_the_rest_is_centred(game):
    part = decompose(game)
    for i in range(game.num_players):
        assert_allclose(np.ptp(part.nonstrategic[i], axis=i), 0.0, atol=1e-12)
        assert_allclose(part.potential[i].mean(axis=i), 0.0, atol=1e-12)
        assert_allclose(part.harmonic[i].mean(axis=i), 0.0, atol=1e-12)


@given(ANY)
def test_the_potential_part_gains_the_differences_of_its_function(game):
    part = decompose(game)
    assert_allclose(gains(part.potential), differences(part.function), atol=1e-12)
    assert is_potential(NormalForm(part.potential + part.nonstrategic))
    assert abs(part.function.mean()) <= 1e-12


@given(ANY)
def test_the_harmonic_part_has_the_uniform_equilibrium_and_weighted_sum_zero(game):
    harmonic = NormalForm(decompose(game).harmonic)
    assert_allclose(regrets(harmonic, harmonic.uniform()), 0.0, atol=1e-11)
    weights = np.reshape(game.num_actions, (-1,) + (1,) * game.num_players)
    assert_allclose((weights * harmonic.payoffs).sum(axis=0), 0.0, atol=1e-11)
    uniform = harmonic.payoffs + decompose(game).nonstrategic
    assert_allclose(regrets(NormalForm(uniform), harmonic.uniform()), 0.0, atol=1e-11)


@settings(max_examples=30)
@given(games(1, 3))
def test_the_function_solves_least_squares_on_the_response_graph(game):
    flow = gains(game.payoffs)
    index = np.arange(game.payoffs[0].size).reshape(game.num_actions)
    gradient = np.zeros((len(flow), index.size))
    for row, (_, a, b) in enumerate(edges(game.num_actions)):
        gradient[row, index[b]], gradient[row, index[a]] = 1.0, -1.0
    nearest = np.linalg.pinv(gradient) @ flow if len(flow) else np.zeros(index.size)
    assert_allclose(decompose(game).function.ravel(), nearest, atol=1e-9)


@given(ANY)
def test_the_parts_of_a_part_are_itself(game):
    part = decompose(game)
    for name in PARTS:
        again = decompose(NormalForm(getattr(part, name)))
        for other in PARTS:
            wanted = getattr(part, name) if other == name else 0.0
            assert_allclose(getattr(again, other), wanted + np.zeros_like(game.payoffs), atol=1e-11)


@given(ANY)
def test_shares_are_those_of_the_squared_norms(game):
    part = decompose(game)
    p, h = (inner(x, x) for x in (part.potential, part.harmonic))
    if p + h < 1e-9:
        assert np.isnan(part.potential_share) or np.ptp(game.payoffs) > 0
    else:
        assert part.potential_share == pytest.approx(p / (p + h), abs=1e-12)
        assert part.potential_share + part.harmonic_share == 1.0


@given(SEEDS, shapes(1, 4, 3))
def test_a_potential_game_is_recognised_with_its_potential_up_to_a_constant(seed, sizes):
    made = potential_game(np.random.default_rng(seed), sizes)
    phi = exact_potential(made.game)
    assert phi is not None
    assert_allclose(phi, made.potential - made.potential.mean(), atol=1e-9)
    assert decompose(made.game).harmonic_share in (0.0, 1.0) or np.isnan(
        decompose(made.game).harmonic_share
    )


def cycles_close(game):
    """Monderer & Shapley 1996, cor. 2.9: gains round every 2 × 2 cycle add up to 0."""
    u, v = game.payoffs
    m, n = u.shape
    return all(
        (u[b, c] - u[a, c]) + (v[b, d] - v[b, c]) + (u[a, d] - u[b, d]) + (v[a, c] - v[a, d]) == 0
        for a, b in combinations(range(m), 2)
        for c, d in combinations(range(n), 2)
    )


@given(bimatrix_games(3) | SEEDS.map(lambda s: potential_game(np.random.default_rng(s), (2, 3))[0]))
def test_it_is_a_potential_game_exactly_where_cycles_close(game):
    assert is_potential(game) == cycles_close(game)


@given(SEEDS, shapes(2, 3, 3), st.integers(1, 3))
def test_one_changed_payoff_is_noticed(seed, sizes, change):
    rng = np.random.default_rng(seed)
    payoffs = potential_game(rng, sizes).game.payoffs.copy()
    where = tuple(int(rng.integers(k)) for k in payoffs.shape)
    payoffs[where] += change
    others = [k for j, k in enumerate(sizes) if j != where[0]]
    alone = sizes[where[0]] == 1 or max(others) == 1
    assert is_potential(NormalForm(payoffs)) == alone


@given(ANY, SEEDS)
def test_nonstrategic_terms_matter_to_no_strategic_test(game, seed):
    rng = np.random.default_rng(seed)
    moved = game.payoffs.copy()
    for i, k in enumerate(game.num_actions):
        sizes = list(game.num_actions)
        sizes[i] = 1
        moved[i] += rng.integers(-5, 6, size=sizes) * np.ones(k).reshape(
            [k if j == i else 1 for j in range(game.num_players)]
        )
    other = NormalForm(moved)
    assert is_potential(other) == is_potential(game)
    assert is_harmonic(other) == is_harmonic(game)
    for test in (is_common_interest, is_zero_sum):
        assert test(other, up_to_nonstrategic=True) == test(game, up_to_nonstrategic=True)
        assert test(game, up_to_nonstrategic=True) or not test(game)


@given(SEEDS, shapes(2, 4, 3))
def test_games_made_of_a_kind_are_of_this_kind(seed, sizes):
    rng = np.random.default_rng(seed)
    team, rivals = common_interest_game(rng, sizes), zero_sum_game(rng, sizes)
    constants = np.arange(len(sizes), dtype=float).reshape(-1, *(1,) * len(sizes))
    for game in (team, NormalForm(team.payoffs + constants)):
        assert is_common_interest(game)
        assert is_potential(game)
        assert spectrum(game).share == 1.0 or not np.ptp(team.payoffs[0])
    for game in (rivals, NormalForm(rivals.payoffs + constants)):
        assert is_zero_sum(game)
        flat = all(np.ptp(u) == 0 for u in rivals.payoffs)
        assert flat or spectrum(game).share == 0.0


@given(bimatrix_games(3))
def test_classes_by_their_definitions(game):
    u, v = game.payoffs
    assert is_zero_sum(game) == (np.ptp(u + v) == 0)
    assert is_common_interest(game) == (np.ptp(u - v) == 0)


@given(SEEDS, st.integers(1, 3), st.integers(1, 3))
def test_two_player_games_that_are_zero_sum_up_to_nonstrategic_terms(seed, m, n):
    rng = np.random.default_rng(seed)
    game = zero_sum_game(rng, (m, n)).payoffs.copy()
    game[0] += rng.integers(-5, 6, size=(1, n))
    game[1] += rng.integers(-5, 6, size=(m, 1))
    assert is_zero_sum(NormalForm(game), up_to_nonstrategic=True)
    if m > 1 and n > 1:
        game[0, 0, 0] += 1
        assert not is_zero_sum(NormalForm(game), up_to_nonstrategic=True)


@given(bimatrix_games(3, elements=REALS))
def test_with_equal_numbers_of_actions_a_harmonic_part_is_zero_sum(game):
    k = min(game.num_actions)
    square = NormalForm(game.payoffs[:, :k, :k])
    assert_allclose(decompose(square).harmonic.sum(axis=0), 0.0, atol=1e-11)


def test_known_games():
    assert is_harmonic(library.game("matching-pennies"))
    assert is_harmonic(library.game("rock-paper-scissors"))
    for name in ("prisoners-dilemma", "coordination", "penalty", "climbing"):
        assert is_potential(library.game(name)), name
    assert is_common_interest(library.game("climbing"))
    assert not is_potential(library.game("matching-pennies"))
    assert not is_harmonic(library.game("prisoners-dilemma"))


def test_a_larger_game_with_more_own_actions_weighs_more():
    """By hand: 2 × 3, only the joint part differs, so φ = (2 u + 3 v) / 5."""
    joint = np.outer([1, -1], [1, 0, -1])
    game = NormalForm.bimatrix(5.0 * joint, 0.0 * joint)
    assert_allclose(decompose(game).function, 2.0 * joint, atol=1e-12)


@given(ANY)
def test_the_spectrum_is_the_split_into_team_and_rest(game):
    share, correlation = spectrum(game)
    n = game.num_players
    centred = [u - u.mean() for u in game.payoffs]
    total = sum((u**2).sum() for u in centred)
    if total < 1e-9:
        assert np.isnan(share) or total > 0
        return
    rest = sum(((u - sum(centred) / n) ** 2).sum() for u in centred)
    assert share == pytest.approx(1 - rest / total, abs=1e-9)
    if n > 1:
        pairs = sum(2 * (a * b).sum() for a, b in combinations(centred, 2))
        assert correlation == pytest.approx(pairs / (n - 1) / total, abs=1e-9)


@pytest.mark.parametrize(("n", "rho"), [(2, -1.0), (2, -0.5), (2, 0.7), (3, -0.5), (3, 0.2)])
def test_the_spectrum_finds_the_correlation_of_covariance_games(n, rho):
    rng = np.random.default_rng(5)
    game = covariance_game(rng, (60, 60, 2)[:n] if n == 3 else (80, 80), rho)
    assert spectrum(game).correlation == pytest.approx(rho, abs=0.05)  # 3 s.e. of 6400 draws


def traces(k, rho):
    """(E|P|², E|P + H|², variance of (1-s)|P|² - s|H|²) from the matrices of the projections."""
    basis = np.eye(2 * k * k).reshape(-1, 2, k, k)
    parts = [decompose(NormalForm(e)) for e in basis]
    covariance = np.kron([[1, rho], [rho, 1]], np.eye(k * k))
    p, h = (np.array([getattr(x, part).ravel() for x in parts]) for part in PARTS[1:])
    share = np.trace(p @ covariance) / np.trace((p + h) @ covariance)
    form = ((1 - share) * p - share * h) @ covariance
    return share, np.sqrt(2 * np.trace(form @ form)) / np.trace((p + h) @ covariance)


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("rho", [-1.0, -0.3, 0.0, 0.8])
def test_the_expected_share_of_random_games_is_a_trace(k, rho):
    assert_allclose((expected_share(k, rho), standard_error(k, rho)), traces(k, rho), atol=1e-9)


@given(bimatrix_games(3), st.integers(-300, 300), SEEDS)
def test_scale_and_names_do_not_matter(game, power, seed):
    scaled = NormalForm(np.ldexp(game.payoffs, power))
    part, other = decompose(game), decompose(scaled)
    assert_array_equal(np.ldexp(part.harmonic, power), other.harmonic)
    assert_array_equal(spectrum(game), spectrum(scaled))
    for test in (is_potential, is_harmonic, is_zero_sum, is_common_interest):
        assert test(game) == test(scaled)
    swapped = NormalForm(game.payoffs[::-1].transpose(0, 2, 1))
    assert_allclose(decompose(swapped).function, part.function.T, atol=1e-12)


def test_where_nothing_varies():
    game = NormalForm(np.full((2, 1, 3), 7.0))
    assert is_potential(game)
    assert is_harmonic(game)
    assert is_zero_sum(game)
    assert is_common_interest(game)
    assert np.isnan([*spectrum(game), decompose(game).potential_share]).all()
    assert np.isnan(spectrum(NormalForm([[1.0, 2.0]])).correlation)
    assert_allclose(exact_potential(NormalForm([[1.0, 2.0]])), [-0.5, 0.5])
