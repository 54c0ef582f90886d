"""What kind of game it is: potential, harmonic, common interest, zero-sum  [+].

Every game is, in exactly one way, the sum of three (Candogan, Menache, Ozdaglar, Parrilo 2011):

    u_i = N_i + Π_i φ + H_i,      Σ_i A_i H_i = 0,      Σ_{a_i} H_i(a_i, a_-i) = 0    for all i

Π_i f = f - (mean of f over a_i) keeps what player i's own action changes, so that
N_i = u_i - Π_i u_i is *nonstrategic*: no player can change its own. The *potential* part is Π_i φ,
a game in which deviations gain what they add to φ. The *harmonic* part has only cycles: the uniform
profile is an equilibrium of it. φ is the function whose differences are nearest to what players
gain by deviating,

    φ = argmin Σ_i Σ_{a, b} ((φ(a) - φ(b)) - (u_i(a) - u_i(b)))²,   a, b differing in a_i only

The squared differences of player i are those of Π_i times its number of actions, hence the normal
equations are (Σ_i A_i Π_i) φ = Σ_i A_i Π_i u_i. All Π_i are diagonal in one basis, the products of
cosines, in which the sums are solved one coefficient at a time: no pseudo-inverse is formed.

The three parts are orthogonal in the inner product ⟨u, v⟩ = Σ_i A_i Σ_a u_i(a) v_i(a).

O. Candogan, I. Menache, A. Ozdaglar, P. Parrilo 2011, "Flows and decompositions of games";
D. Monderer, L. Shapley 1996, "Potential games"; A. Kalai, E. Kalai 2013, "Cooperation in strategic
games revisited" (team and zero-sum parts).

Axes: n players, A_i actions.
"""

from typing import NamedTuple

import numpy as np

from ..check import Array
from .nash import TOLERANCE
from .normal_form import NormalForm


class Components(NamedTuple):
    """Three games that add up to one, and the shares of what is strategic in it."""

    nonstrategic: Array  # N (n, A_1, …, A_n)
    potential: Array  # Π_i φ (n, A_1, …, A_n)
    harmonic: Array  # H (n, A_1, …, A_n)
    function: Array  # φ (A_1, …, A_n), of mean 0
    potential_share: float  # |P|² / (|P|² + |H|²); NaN where both are 0
    harmonic_share: float  # 1 - potential_share


class Spectrum(NamedTuple):
    """Where a game lies between pure competition and pure cooperation."""

    share: float  # of the payoffs' variation that all players have in common, in [0, 1]
    correlation: float  # (n · share - 1) / (n - 1), in [-1/(n-1), 1]


def decompose(game: NormalForm) -> Components:
    """The nonstrategic, the potential and the harmonic part of a game, exactly.

    The parts add up to ``game.payoffs`` to rounding.

    Examples
    --------
    Matching pennies is harmonic; a coordination game with the same numbers is a potential game.

    >>> part = decompose(NormalForm.zero_sum([[1, -1], [-1, 1]]))
    >>> part.potential_share, part.harmonic_share
    (0.0, 1.0)
    >>> decompose(NormalForm.bimatrix([[1, -1], [-1, 1]], [[1, -1], [-1, 1]])).potential_share
    1.0
    """
    payoffs, size = _unit(game)
    strategic = _strategic(payoffs)
    phi = _nearest_potential(strategic)
    potential = _strategic(np.broadcast_to(phi, payoffs.shape))
    harmonic = strategic - potential
    p, h = _squared_norm(potential), _squared_norm(harmonic)
    share = _clean(p, h)
    return Components(
        size * (payoffs - strategic),
        size * potential,
        size * harmonic,
        size * phi,
        share,
        1.0 - share,
    )


def exact_potential(game: NormalForm, tol: float = TOLERANCE) -> Array | None:
    """φ (A_1, …, A_n) of mean 0 with u_i(a) - u_i(b) = φ(a) - φ(b) for i's deviations, or None.

    A potential is unique up to a constant; every maximiser of it is a pure equilibrium.

    Parameters
    ----------
    tol : the largest harmonic payoff that is taken for rounding, times the size of the payoffs

    Examples
    --------
    The prisoner's dilemma has a potential: 1 is what each defection adds to it.

    >>> print(exact_potential(NormalForm.bimatrix([[-1, -3], [0, -2]], [[-1, 0], [-3, -2]])))
    [[-1.  0.]
     [ 0.  1.]]
    """
    part = decompose(game)
    small = float(np.abs(part.harmonic).max()) <= tol * _size(game)
    return part.function if small else None


def is_potential(game: NormalForm, tol: float = TOLERANCE) -> bool:
    """Has the game an exact potential? Equivalently: is its harmonic part 0?"""
    return exact_potential(game, tol) is not None


def is_harmonic(game: NormalForm, tol: float = TOLERANCE) -> bool:
    """Is the game's potential part 0? Nonstrategic terms are allowed.

    Examples
    --------
    >>> is_harmonic(NormalForm.zero_sum([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]))
    True
    """
    return bool(np.abs(decompose(game).potential).max() <= tol * _size(game))


def is_common_interest(
    game: NormalForm, tol: float = TOLERANCE, up_to_nonstrategic: bool = False
) -> bool:
    """Do all players' payoffs differ by constants only?

    Up to nonstrategic terms, which change no player's best responses, the games of common interest
    are exactly the potential games.
    """
    if up_to_nonstrategic:
        return is_potential(game, tol)
    payoffs, _ = _unit(game)
    off = payoffs - payoffs[0]
    return bool(np.ptp(off.reshape(len(off), -1), axis=1).max() <= tol)


def is_zero_sum(game: NormalForm, tol: float = TOLERANCE, up_to_nonstrategic: bool = False) -> bool:
    """Do the payoffs of all players add up to one constant?

    Up to nonstrategic terms this holds where Σ_i u_i has no part that depends on all actions
    jointly: sums of functions that leave one action out each are then taken off. With two players
    the best responses are those of a zero-sum game. With more it says little: every game whose
    payoffs are sums over pairs of players passes.

    Examples
    --------
    >>> shifted = NormalForm.bimatrix([[3, 1], [1, 3]], [[0, 7], [2, 5]])
    >>> is_zero_sum(shifted), is_zero_sum(shifted, up_to_nonstrategic=True)
    (False, True)
    """
    payoffs, _ = _unit(game)
    total: Array = payoffs.sum(axis=0)
    if up_to_nonstrategic:
        for axis in range(total.ndim):
            total = total - total.mean(axis=axis, keepdims=True)
    return bool(np.ptp(total) <= tol)


def spectrum(game: NormalForm) -> Spectrum:
    """From 0, where the sum of payoffs is constant, to 1, where all payoffs move together.

    Each player's mean payoff is taken off first. What is left is u_i = m + (u_i - m), where
    m = Σ_j u_j / n is the team's part and the rests add up to 0: the competitive part. The two are
    orthogonal, and ``share`` is n|m|² / Σ_i |u_i|². Payoffs that are independent of each other
    have share 1/n on average. ``correlation`` is the same number on the scale of a correlation ρ:
    the share of payoffs with equal variances and pairwise correlations ρ is (1 + (n-1) ρ) / n.

    It depends on the units of each player's payoffs, unlike everything else here. Both numbers are
    NaN where no payoff varies; the correlation is NaN for a single player.

    Examples
    --------
    >>> spectrum(NormalForm.zero_sum([[2, 0], [0, 1]]))
    Spectrum(share=0.0, correlation=-1.0)
    >>> spectrum(NormalForm.bimatrix([[-1, -3], [0, -2]], [[-1, 0], [-3, -2]]))
    Spectrum(share=0.1, correlation=-0.8)
    """
    payoffs, _ = _unit(game)
    n = len(payoffs)
    varying = payoffs.reshape(n, -1)
    varying = varying - varying.mean(axis=1, keepdims=True)
    team = varying.mean(axis=0)
    share = _clean(n * float((team**2).sum()), float(((varying - team) ** 2).sum()))
    return Spectrum(share, (n * share - 1) / (n - 1) if n > 1 else float("nan"))


def _size(game: NormalForm) -> float:
    """A power of two near the largest payoff, so that dividing by it rounds nothing."""
    return float(np.exp2(np.frexp(np.abs(game.payoffs).max())[1] - 1))


def _unit(game: NormalForm) -> tuple[Array, float]:
    """(payoffs below 2 in size, what they were divided by)."""
    size = _size(game)
    return game.payoffs / size, size


def _strategic(payoffs: Array) -> Array:
    """Π_i u_i for every player i, (n, A_1, …, A_n)."""
    return np.stack([u - u.mean(axis=i, keepdims=True) for i, u in enumerate(payoffs)])


def _nearest_potential(strategic: Array) -> Array:
    """φ of mean 0 with (Σ_i A_i Π_i) φ = Σ_i A_i u_i, solved in the basis of cosines."""
    from scipy.fft import dctn, idctn

    sizes = strategic.shape[1:]
    weighted = np.zeros(sizes)
    eigenvalue = np.zeros(sizes)
    for i, (u, k) in enumerate(zip(strategic, sizes, strict=True)):
        weighted += k * u
        varies = np.arange(k) > 0  # in i's action: coefficient 0 is the mean
        eigenvalue += k * varies.reshape(-1, *(1,) * (len(sizes) - 1 - i))
    eigenvalue[(0,) * len(sizes)] = 1.0  # the constant, which is left at 0
    coefficients: Array = dctn(weighted, norm="ortho") / eigenvalue
    coefficients[(0,) * len(sizes)] = 0.0
    phi: Array = idctn(coefficients, norm="ortho")
    return phi


def _squared_norm(payoffs: Array) -> float:
    """Σ_i A_i Σ_a u_i(a)²."""
    sizes = payoffs.shape[1:]
    return float(sum(k * (u**2).sum() for k, u in zip(sizes, payoffs, strict=True)))


def _clean(part: float, rest: float) -> float:
    """part / (part + rest), exactly 0 or 1 where the other is rounding; NaN where both are."""
    rounding = TOLERANCE**2
    if part + rest <= rounding:
        return float("nan")
    share = part / (part + rest)
    return float(round(share)) if min(share, 1.0 - share) <= rounding else share
