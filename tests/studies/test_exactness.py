"""Floats and fractions on random games; and that the study would see a difference."""

import numpy as np
import pytest

from refmarl.games import NormalForm, library
from refmarl.studies.s1_games import exactness
from refmarl.studies.s1_games.exactness import KINDS, TOPS, compare, random_game

PENNIES, DEGENERATE = library.game("matching-pennies"), library.game("deg1")


@pytest.mark.slow
@pytest.mark.equation("1.3")
@pytest.mark.parametrize("top", TOPS)
def test_floats_and_fractions_agree_on_every_one_of_1000_games(top):
    rng = np.random.default_rng(top)
    verdicts = [compare(random_game(rng, top)) for _ in range(1000)]
    assert sum(not v.agree for v in verdicts) == 0
    assert all(said == so for v in verdicts for said, so in (v.complete, v.degenerate))
    kinds = {v.kind for v in verdicts}
    assert kinds >= {KINDS[0], KINDS[2]}


@pytest.mark.parametrize("name", ["matching-pennies", "deg1", "von-stengel-degenerate", "shapley"])
def test_verdicts_on_known_games(name):
    entry, verdict = library.entry(name), compare(library.game(name))
    assert verdict.agree
    assert verdict.extreme == len(entry.equilibria)
    assert verdict.kind == (KINDS[2] if "deg" in name else KINDS[0])


def test_random_games_are_of_two_or_three_actions_and_reach_their_range():
    rng = np.random.default_rng(0)
    games = [random_game(rng, 3) for _ in range(100)]
    assert {k for game in games for k in game.num_actions} == {2, 3}
    assert {u for game in games for u in np.unique(game.payoffs)} == set(range(-3, 4))


def broken(monkeypatch, game, change):
    """The verdict if ``change`` is made to what floats say."""
    right = exactness.solve

    def wrong(game, exact=None):
        return right(game, exact=exact) if exact else change(right(game))

    monkeypatch.setattr(exactness, "solve", wrong)
    return compare(game)


def test_a_missing_a_wrong_and_an_additional_equilibrium_are_seen(monkeypatch):
    def moved(found):
        answer = found.equilibria[0]
        x, y = (p + np.array([1e-6, -1e-6]) for p in answer.profile)
        return found._replace(equilibria=(answer._replace(profile=(x, y)),))

    chicken = library.game("chicken")
    with monkeypatch.context() as patch:
        verdict = broken(patch, chicken, lambda f: f._replace(equilibria=f.equilibria[1:]))
        assert not verdict.agree
    with monkeypatch.context() as patch:
        assert not broken(patch, PENNIES, moved).agree
    with monkeypatch.context() as patch:
        twice = broken(patch, PENNIES, lambda f: f._replace(equilibria=f.equilibria * 2))
        assert not twice.agree


def test_a_false_claim_is_a_disagreement_and_false_modesty_is_none(monkeypatch):
    with monkeypatch.context() as patch:
        assert not broken(patch, DEGENERATE, lambda f: f._replace(complete=True)).agree
    with monkeypatch.context() as patch:
        verdict = broken(patch, PENNIES, lambda f: f._replace(complete=False))
        assert verdict.agree
        assert verdict.complete == (False, True)


def test_without_any_tie_a_game_is_regular():
    game = NormalForm([[[2, 0], [0, 1]], [[1, 0], [0, 2]]])
    assert compare(game).kind == KINDS[0]
    assert compare(NormalForm(np.zeros((2, 2, 2)))).kind == KINDS[2]
