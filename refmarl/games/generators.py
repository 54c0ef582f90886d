"""Random games with a known property, for tests, studies and teaching.

Each takes its random generator first; the same seed gives the same game. ``shape`` is
(A_1, …, A_n), the players' numbers of actions. ``distribution`` of the independent payoffs:

    "integer"   whole numbers low, …, high, both included: ties and degenerate games come often
    "uniform"   real numbers in [low, high)
    "normal"    mean (low + high)/2, standard deviation (high - low)/2

With "integer" all sums and differences are exact, so that what is claimed of a game holds with
``==``.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError
from .normal_form import NormalForm

DISTRIBUTIONS = ("integer", "normal", "uniform")


class PotentialGame(NamedTuple):
    """A game with an exact potential: a unilateral deviation changes both by the same amount."""

    game: NormalForm
    potential: Array  # (A_1, …, A_n)


def random_game(
    rng: np.random.Generator,
    shape: Sequence[int],
    distribution: str = "integer",
    low: float = -9,
    high: float = 9,
) -> NormalForm:
    """Every payoff drawn independently.

    Raises
    ------
    InputError
        If the shape is empty or too large, the distribution unknown, or low > high.

    Examples
    --------
    >>> random_game(np.random.default_rng(0), (2, 3)).payoffs.shape
    (2, 2, 3)
    """
    sizes = _sizes(shape)
    return NormalForm(_draw(rng, (len(sizes), *sizes), distribution, low, high))


def zero_sum_game(
    rng: np.random.Generator,
    shape: Sequence[int],
    distribution: str = "integer",
    low: float = -9,
    high: float = 9,
) -> NormalForm:
    """The payoffs of the n ≥ 2 players add up to 0: the last one gets what the others lose."""
    sizes = _sizes(shape, least=2)
    others = _draw(rng, (len(sizes) - 1, *sizes), distribution, low, high)
    return NormalForm(np.concatenate([others, -others.sum(axis=0, keepdims=True)]))


def common_interest_game(
    rng: np.random.Generator,
    shape: Sequence[int],
    distribution: str = "integer",
    low: float = -9,
    high: float = 9,
) -> NormalForm:
    """All players have the same payoffs: a team."""
    sizes = _sizes(shape)
    team = _draw(rng, sizes, distribution, low, high)
    return NormalForm(np.stack([team] * len(sizes)))


def potential_game(
    rng: np.random.Generator,
    shape: Sequence[int],
    distribution: str = "integer",
    low: float = -9,
    high: float = 9,
) -> PotentialGame:
    """u_i(a) = Φ(a) + f_i(a_-i), Φ and f_i random: exactly the games with potential Φ.

    The term f_i does not depend on player i's own action, hence not on what i does about it
    (Monderer & Shapley 1996). Every maximiser of Φ is a pure equilibrium.
    """
    sizes = _sizes(shape)
    potential = _draw(rng, sizes, distribution, low, high)
    payoffs = np.empty((len(sizes), *sizes))
    for i in range(len(sizes)):
        of_others = _draw(rng, (*sizes[:i], 1, *sizes[i + 1 :]), distribution, low, high)
        payoffs[i] = potential + of_others
    return PotentialGame(NormalForm(payoffs), potential)


def degenerate_game(
    rng: np.random.Generator,
    shape: Sequence[int],
    distribution: str = "integer",
    low: float = -9,
    high: float = 9,
) -> NormalForm:
    """One player has two best replies against one pure joint action of the others.

    A game of two players is degenerate if some mixed strategy has more pure best replies than
    actions in its support (von Stengel 2002); a pure one with two best replies is the plainest
    case. Half the time the two actions are duplicates throughout, for all players.

    Raises
    ------
    InputError
        As :func:`random_game`, and if no player has two actions.
    """
    sizes = _sizes(shape)
    free = [i for i, k in enumerate(sizes) if k > 1]
    if not free:
        raise InputError(f"shape: need a player with two actions to tie, got {sizes}")
    payoffs = _draw(rng, (len(sizes), *sizes), distribution, low, high)
    i = int(rng.choice(free))
    rows = np.moveaxis(payoffs, i + 1, 1)  # a view: (player, a_i, a_-i)
    against = tuple(int(rng.integers(k)) for j, k in enumerate(sizes) if j != i)
    column: tuple[Any, ...] = (slice(None), slice(None), *against)
    best = int(np.argmax(rows[column][i]))
    tied = (best + int(rng.integers(1, sizes[i]))) % sizes[i]
    if rng.random() < 0.5:
        rows[:, tied] = rows[:, best]
    else:
        rows[column][i, tied] = rows[column][i, best]
    return NormalForm(payoffs)


def symmetric_game(
    rng: np.random.Generator,
    num_players: int,
    num_actions: int,
    distribution: str = "integer",
    low: float = -9,
    high: float = 9,
) -> NormalForm:
    """All players are alike: a payoff depends on the own action and on how many play each.

    Exchanging two players' actions exchanges their payoffs, and nobody else's changes.
    """
    n, k = check.positive(num_players, "num_players"), check.positive(num_actions, "num_actions")
    check.size_cap((n, *[k] * n), "payoffs")
    joint = np.indices((k,) * n).reshape(n, -1)  # (n, K)
    payoffs = np.empty((n, joint.shape[1]))
    table: dict[tuple[int, ...], float] = {}
    values = _draw(rng, (n * joint.shape[1],), distribution, low, high)
    for column, a in enumerate(joint.T.tolist()):
        for i in range(n):
            key = (a[i], *sorted(a[:i] + a[i + 1 :]))
            payoffs[i, column] = table.setdefault(key, float(values[len(table)]))
    return NormalForm(payoffs.reshape(n, *[k] * n))


def covariance_game(rng: np.random.Generator, shape: Sequence[int], rho: float) -> NormalForm:
    """Standard normal payoffs; those of two players at one joint action have correlation ρ.

    ρ = 1 is common interest, for two players ρ = -1 is zero-sum. For n players ρ can be no less
    than -1/(n-1), where the payoffs add up to 0 (the covariance games of GAMUT, Nudelman et al.
    2004, after Rinott & Scarsini 2000).

    Raises
    ------
    InputError
        If ρ is not in [-1/(n-1), 1].
    """
    sizes = _sizes(shape)
    n = len(sizes)
    least = -1.0 / (n - 1) if n > 1 else -1.0
    if not least <= rho <= 1.0:
        raise InputError(f"rho: need a correlation in [{least:g}, 1] for {n} players, got {rho!r}")
    draws = rng.normal(size=(n, *sizes))
    mean = draws.mean(axis=0)
    # covariance (1-ρ) I + ρ 11ᵀ: eigenvalue 1+(n-1)ρ along 1, 1-ρ across it
    along = np.sqrt(max(0.0, 1.0 + (n - 1) * rho))
    payoffs = along * mean + np.sqrt(1.0 - rho) * (draws - mean)
    return NormalForm(payoffs)


def _sizes(shape: Sequence[int], least: int = 1) -> tuple[int, ...]:
    """(A_1, …, A_n), checked before anything is allocated."""
    sizes = tuple(check.positive(k, "shape") for k in shape)
    if len(sizes) < least:
        raise InputError(f"shape: need {least} players or more, got {len(sizes)}")
    check.size_cap((len(sizes), *sizes), "payoffs")
    return sizes


def _draw(
    rng: np.random.Generator, shape: tuple[int, ...], distribution: str, low: float, high: float
) -> Array:
    """Independent draws of one distribution."""
    check.generator(rng)
    if distribution not in DISTRIBUTIONS:
        raise InputError(
            f"distribution: need one of {', '.join(DISTRIBUTIONS)}, got {distribution!r}"
        )
    if not (np.isfinite(low) and np.isfinite(high) and low <= high):
        raise InputError(f"payoffs: need low ≤ high, got low {low!r}, high {high!r}")
    if distribution == "uniform":
        return rng.uniform(low, high, size=shape)
    if distribution == "normal":
        return rng.normal((low + high) / 2, (high - low) / 2, size=shape)
    if low != int(low) or high != int(high):
        raise InputError(f"payoffs: need whole low and high, got low {low!r}, high {high!r}")
    return rng.integers(int(low), int(high), size=shape, endpoint=True).astype(float)
