"""Social welfare and what selfishness costs (course §7.6).

    W(a) = Σ_i u_i(a)                                                         (1.21)
    price of anarchy   = max_a W(a) / min over equilibria x of W(x)
    price of stability = max_a W(a) / max over equilibria x of W(x)           [+]

Both prices are at least 1. They are ratios, so they mean something only where welfare is
positive and the zero of utility is not arbitrary: adding a constant to all payoffs moves them,
multiplying by a positive constant does not.

Axes: n players, A_i actions of player i.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..check import Array, InputError, Profile
from .normal_form import NormalForm, expected_utility


def social_welfare(game: NormalForm) -> Array:
    """W(a), shape (A_1, …, A_n): the sum of the players' payoffs, Eq. (1.21).

    Examples
    --------
    >>> game = NormalForm.bimatrix([[3, 0], [5, 1]], [[3, 5], [0, 1]])
    >>> print(social_welfare(game))
    [[6. 5.]
     [5. 2.]]
    """
    welfare: Array = game.payoffs.sum(axis=0)  # (1.21)
    return welfare


def price_of_anarchy(game: NormalForm, equilibria: Sequence[Any]) -> float:
    """max_a W(a) / min_x W(x) ≥ 1: the best joint action beside the worst equilibrium; Eq. (1.21).

    Parameters
    ----------
    game : NormalForm
    equilibria : profiles, each pure (n action indices from 0) or mixed (n strategies (A_i,))
        All equilibria that count; that they are equilibria is not checked here
        (:func:`refmarl.games.is_nash` does).

    Raises
    ------
    InputError
        If none is given, one does not fit the game, or welfare is not positive at one.

    Examples
    --------
    The worst equilibrium of the coordination game is the mixed one.

    >>> game = NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]])
    >>> print(price_of_anarchy(game, [(0, 0), (1, 1)]))
    2.0
    >>> mixed = ([1/3, 2/3], [1/3, 2/3])
    >>> print(round(price_of_anarchy(game, [(0, 0), (1, 1), mixed]), 12))
    3.0
    """
    worst = min(_welfares(game, equilibria))
    return float(social_welfare(game).max() / worst)  # (1.21)


def price_of_stability(game: NormalForm, equilibria: Sequence[Any]) -> float:
    """max_a W(a) / max_x W(x) ≥ 1: the best joint action beside the best equilibrium  [+].

    Arguments and errors are those of :func:`price_of_anarchy` (Anshelevich et al. 2004).
    """
    best = max(_welfares(game, equilibria))
    return float(social_welfare(game).max() / best)


def _welfares(game: NormalForm, equilibria: Sequence[Any]) -> list[float]:
    """Expected welfare at each profile, all of them positive."""
    if not len(equilibria):
        raise InputError("equilibria: need at least one profile, got none")
    found = [float(expected_utility(game, _profile(game, x)).sum()) for x in equilibria]
    if min(found) <= 0.0:
        k = int(np.argmin(found))
        raise InputError(f"equilibria: need welfare > 0 at each, got {found[k]:g} at number {k}")
    return found


def _profile(game: NormalForm, x: Any) -> Profile:
    """One profile of ``game``, given as action indices or as strategies."""
    if isinstance(x, str) or not isinstance(x, Sequence | np.ndarray):
        raise InputError(f"equilibria: need profiles, got {x!r}")
    strategies = list(x)
    if all(isinstance(k, int | np.integer) for k in strategies):
        return game.pure(strategies)
    profile = game.profile(strategies)
    if any(s.ndim != 1 for s in profile):
        raise InputError("equilibria: need one profile each, got a batch")
    return profile
