"""Best responses, regret and Nash equilibrium (course §1.1).

    BR_i(x_-i) = argmax_{x_i} u_i(x_i, x_-i)                                  (1.2)
    u_i(x*) ≥ u_i(x_i, x*_-i)   for all i, x_i                                (1.3)

The *regret* of player i is what its best response would gain; a profile is a Nash equilibrium
where nobody has any. Regret is a certificate: it is computed from the profile alone, whatever
method found it. The sum over players is called NashConv.

Axes: n players, A_i actions; leading axes of a profile are a batch of profiles.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, Profile
from .normal_form import NormalForm, expected_utility, values_against

TOLERANCE = 1e-9  # of the payoffs' size: sums of rounding errors stay below it


class Certificate(NamedTuple):
    """A profile with what it pays and what its players could gain."""

    profile: Profile
    payoffs: Array  # u(x), (n,)
    regrets: Array  # (n,), ≥ 0

    @property
    def nash_conv(self) -> float:
        """Sum of the regrets, 0 at a Nash equilibrium and only there."""
        return float(self.regrets.sum())


def scale(game: NormalForm) -> Array:
    """The size of each player's payoffs, (n,): what a tolerance for them is relative to."""
    size: Array = np.abs(game.payoffs).reshape(game.num_players, -1).max(axis=1)
    return size


def best_responses(
    game: NormalForm, profile: Sequence[Any], i: int, tol: float = TOLERANCE
) -> NDArray[np.bool_]:
    """Which actions of player i are best against x_-i, shape (..., A_i); Eq. (1.2).

    Because u_i is linear in x_i, the best mixed responses are exactly the mixtures of these. The
    entry ``profile[i]`` itself does not matter. Values within ``tol`` times the size of player i's
    payoffs count as equal.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]])
    >>> print(best_responses(game, ([1, 0], [1/3, 2/3]), 0))
    [ True  True]
    """
    strategies = game.profile(profile)
    values = values_against(game, strategies, check.player(i, game.num_players))
    best = values.max(axis=-1, keepdims=True)
    found: NDArray[np.bool_] = values >= best - tol * scale(game)[i]  # (1.2)
    return found


def regrets(game: NormalForm, profile: Sequence[Any]) -> Array:
    """max_{x_i} u_i(x_i, x_-i) - u_i(x) of every player, shape (..., n), ≥ 0; Eq. (1.3).

    Summed as Σ_a x_i(a) (max - u_i(a, x_-i)): no term is negative, and a player who plays best
    responses only has regret 0 exactly, whatever the size of the payoffs.

    Examples
    --------
    >>> game = NormalForm.zero_sum([[1, -1], [-1, 1]])
    >>> print(regrets(game, ([1, 0], [1, 0])))
    [0. 2.]
    """
    strategies = game.profile(profile)
    gains = [
        ((values.max(axis=-1, keepdims=True) - values) * x).sum(axis=-1)  # (1.3)
        for values, x in (
            (values_against(game, strategies, i), x) for i, x in enumerate(strategies)
        )
    ]
    gained: Array = np.maximum(np.stack(gains, axis=-1), 0.0)
    return gained


def nash_conv(game: NormalForm, profile: Sequence[Any]) -> Any:
    """Sum of the players' regrets, shape (...): 0 at Nash equilibria, positive elsewhere."""
    return regrets(game, profile).sum(axis=-1)


def is_nash(game: NormalForm, profile: Sequence[Any], tol: float = TOLERANCE) -> bool:
    """Whether nobody gains more than ``tol`` times the size of its payoffs by deviating.

    Of a batch of profiles: whether all of them are equilibria.
    """
    return bool((regrets(game, profile) <= tol * scale(game)).all())


def certify(game: NormalForm, profile: Sequence[Any]) -> Certificate:
    """The profile's payoffs and regrets; one profile, not a batch."""
    strategies = game.profile(profile)
    return Certificate(strategies, expected_utility(game, strategies), regrets(game, strategies))


def pure_equilibria(game: NormalForm, tol: float = TOLERANCE) -> list[tuple[int, ...]]:
    """All pure Nash equilibria, as joint actions in lexicographic order; any number of players.

    Examples
    --------
    >>> pure_equilibria(NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]]))
    [(0, 0), (1, 1)]
    """
    stable = np.ones(game.num_actions, dtype=bool)
    for i, u in enumerate(game.payoffs):
        stable &= u >= u.max(axis=i, keepdims=True) - tol * scale(game)[i]  # (1.3)
    return [tuple(int(k) for k in a) for a in np.argwhere(stable)]
