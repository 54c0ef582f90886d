"""Games in normal form, and the utility of mixed strategies (course §1.1).

    u_i(x) = Σ_a (Π_j x_j(a_j)) u_i(a)                                        (1.1)

Axes: n players, A_i actions of player i. A joint action is a = (a_1, …, a_n), a profile
x = (x_1, …, x_n) holds one mixed strategy x_i ∈ Δ(A_i) for each player. Leading axes on the
strategies are a batch of profiles, the same for all players.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import check
from ..check import Array, InputError, Profile


@dataclass(frozen=True, eq=False)
class NormalForm:
    """A finite game: ``payoffs[i, a_1, …, a_n]`` is u_i(a).

    Parameters
    ----------
    payoffs : float (n, A_1, …, A_n)
        Finite numbers; copied and made read-only.
    title : str
        The game's name, for reports.
    players : names of the n players, by default "1", "2", …
    actions : for each player the names of its actions, by default "1", "2", …

    Raises
    ------
    InputError
        If the tensor is ragged, not finite, empty, larger than the cap, or its axes do not
        fit the number of players, or names do not fit the shape.
    """

    payoffs: Array
    title: str = ""
    players: tuple[str, ...] = ()
    actions: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        payoffs = _payoffs(self.payoffs)
        payoffs.setflags(write=False)
        n, sizes = len(payoffs), payoffs.shape[1:]
        players = tuple(str(p) for p in self.players) or tuple(str(i + 1) for i in range(n))
        actions = tuple(tuple(str(a) for a in names) for names in self.actions) or tuple(
            tuple(str(a + 1) for a in range(k)) for k in sizes
        )
        if len(players) != n:
            raise InputError(f"players: need {n} names, got {len(players)}")
        if tuple(len(names) for names in actions) != sizes:
            got = tuple(len(names) for names in actions)
            raise InputError(f"actions: need {sizes} names for the players' actions, got {got}")
        for field, value in (("payoffs", payoffs), ("players", players), ("actions", actions)):
            object.__setattr__(self, field, value)

    @classmethod
    def bimatrix(cls, row: Any, column: Any, **names: Any) -> "NormalForm":
        """Two players: ``row[a, b]`` is u_1(a, b) and ``column[a, b]`` is u_2(a, b)."""
        a, b = (
            check.real_array(row, "row payoffs", 2),
            check.real_array(column, "column payoffs", 2),
        )
        if a.shape != b.shape:
            raise InputError(f"payoffs: row is {a.shape}, column is {b.shape}; need equal shapes")
        return cls(np.stack([a, b]), **names)

    @classmethod
    def zero_sum(cls, row: Any, **names: Any) -> "NormalForm":
        """Two players, u_2 = -u_1."""
        a = check.real_array(row, "row payoffs", 2)
        return cls(np.stack([a, -a]), **names)

    @property
    def num_players(self) -> int:
        """n."""
        return len(self.payoffs)

    @property
    def num_actions(self) -> tuple[int, ...]:
        """(A_1, …, A_n)."""
        return self.payoffs.shape[1:]

    def pure(self, actions: Sequence[int]) -> Profile:
        """The profile in which player i plays action ``actions[i]`` (counted from 0) for sure."""
        joint = self._joint(actions)
        return tuple(np.eye(k)[a] for a, k in zip(joint, self.num_actions, strict=True))

    def _joint(self, actions: Sequence[int]) -> tuple[int, ...]:
        """A joint action, checked."""
        if len(actions) != self.num_players:
            raise InputError(f"actions: need {self.num_players}, got {len(actions)}")
        return tuple(
            check.player(a, k, f"action of player {i}")
            for i, (a, k) in enumerate(zip(actions, self.num_actions, strict=True))
        )

    def at(self, actions: Sequence[int]) -> Array:
        """u(a), shape (n,): the payoffs of the joint action ``actions`` (counted from 0)."""
        index: tuple[Any, ...] = (slice(None), *self._joint(actions))
        return np.array(self.payoffs[index])

    def uniform(self) -> Profile:
        """The profile in which every player mixes evenly."""
        return tuple(np.full(k, 1.0 / k) for k in self.num_actions)

    def profile(self, profile: Sequence[Any]) -> Profile:
        """``profile`` as float64 arrays (..., A_i), checked against this game."""
        if len(profile) != self.num_players:
            raise InputError(f"profile: need {self.num_players} strategies, got {len(profile)}")
        sizes = enumerate(zip(profile, self.num_actions, strict=True))
        strategies = tuple(check.mixture(x, k, f"strategy of player {i}") for i, (x, k) in sizes)
        if len({x.shape[:-1] for x in strategies}) > 1:
            raise InputError(f"profile: batch axes differ: {[x.shape[:-1] for x in strategies]}")
        return strategies

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, or what comes out of a pickle, is checked and read-only like the original."""
        return type(self), (self.payoffs, self.title, self.players, self.actions)

    def _repr_html_(self) -> str:
        """The payoff table, for notebooks."""
        from .show import html

        return html(self)


def _payoffs(values: Any) -> Array:
    """The payoff tensor (n, A_1, …, A_n), checked."""
    if isinstance(values, np.ndarray):
        check.size_cap(values.shape, "payoffs")
    payoffs = check.real_array(values, "payoffs")
    check.size_cap(payoffs.shape, "payoffs")
    if np.abs(payoffs).max() > check.MAX_PAYOFF:
        raise InputError(f"payoffs: {np.abs(payoffs).max():g} is too large; the cap is 1e+300")
    n = len(payoffs) if payoffs.ndim else 0
    if payoffs.ndim != n + 1:
        raise InputError(
            f"payoffs: {n} players need {n + 1} axes (player, then one per player's actions), "
            f"got shape {payoffs.shape}"
        )
    return payoffs


def contract(u: Array, x: Array, kept: int) -> Array:
    """Σ_a u(…, a) x(…, a) over the last axis; before it u has ``kept`` axes that x has not."""
    column = x.reshape(*x.shape[:-1], *(1,) * (kept - 1), x.shape[-1], 1)
    product: Array = (u @ column)[..., 0]
    return product


def expected_utility(game: NormalForm, profile: Sequence[Any]) -> Array:
    """u(x), shape (..., n): every player's expected utility, Eq. (1.1).

    The sum over joint actions is taken one player at a time, the last first: its cost is that
    of reading the tensor once, not that of forming the joint distribution.

    Parameters
    ----------
    game : NormalForm
    profile : n strategies (..., A_i)

    Raises
    ------
    InputError
        If a strategy has the wrong length or is not a distribution.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]])
    >>> print(expected_utility(game, ([1, 0], [0.25, 0.75])))
    [0.5 0.5]
    """
    u = game.payoffs
    for j, x in reversed(list(enumerate(game.profile(profile)))):
        u = contract(u, x, kept=j + 1)  # (1.1)
    return u


def action_values(game: NormalForm, profile: Sequence[Any], i: int) -> Array:
    """u_i(a_i, x_-i) for each action of player i, shape (..., A_i)."""
    strategies = game.profile(profile)
    i = check.player(i, game.num_players)
    return values_against(game, strategies, i)


def values_against(game: NormalForm, profile: Profile, i: int) -> Array:
    """:func:`action_values` for a profile that is already checked."""
    u: Array = np.moveaxis(game.payoffs[i], i, 0)
    others = [x for j, x in enumerate(profile) if j != i]
    if not others:
        return np.broadcast_to(u, profile[i].shape)
    for j, x in reversed(list(enumerate(others))):
        u = contract(u, x, kept=j + 1)
    return u
