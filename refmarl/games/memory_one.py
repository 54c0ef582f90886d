"""The iterated prisoner's dilemma between strategies that remember one round.

A strategy is an opening p_0 and four answers p = (p_CC, p_CD, p_DC, p_DD): the probability to
cooperate after each outcome, *the own action first*. Two of them make a Markov chain on the four
outcomes, written as player 1 sees them; what player 1 calls CD player 2 calls DC:

    M[s, CC] = p_s q_s',  M[s, CD] = p_s (1 - q_s'),  M[s, DC] = (1 - p_s) q_s',  …,

with s' the outcome s seen by player 2 (CC, DC, CD, DD). All values are exact: discounted ones by a
linear solve, averages of the limit by the recurrent classes of M, finite sums by powers.

Zero-determinant strategies (Press & Dyson 2012): with p̃ = p - (1, 1, 0, 0), the average of p̃ over
the outcomes of the long run is 0, whatever the other does, because it is how much more often one
cooperates in the next round than in this (Akin 2016). So p̃ = φ[(S_1 - κ) - χ(S_2 - κ)] makes
s_1 - κ = χ(s_2 - κ).

Payoffs are (R, S, T, P): for CC, CD, DC, DD, to the player whose action stands first.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError
from ._tables import discount, discounted_sum

AXELROD = (3.0, 0.0, 5.0, 1.0)  # R, S, T, P
OUTCOMES = ("CC", "CD", "DC", "DD")
OTHERS_VIEW = (0, 2, 1, 3)  # the outcomes as player 2 sees them
COOPERATED = np.array([1.0, 1.0, 0.0, 0.0])


class MemoryOne(NamedTuple):
    """A strategy that answers the last outcome."""

    opening: float  # probability to cooperate in the first round
    answers: tuple[float, float, float, float]  # after CC, CD, DC, DD, the own action first


STRATEGIES: Mapping[str, MemoryOne] = {
    "always cooperate": MemoryOne(1, (1, 1, 1, 1)),
    "always defect": MemoryOne(0, (0, 0, 0, 0)),
    "tit for tat": MemoryOne(1, (1, 0, 1, 0)),
    "suspicious tit for tat": MemoryOne(0, (1, 0, 1, 0)),
    "generous tit for tat": MemoryOne(1, (1, 1 / 3, 1, 1 / 3)),  # Nowak & Sigmund 1992
    "grim trigger": MemoryOne(1, (1, 0, 0, 0)),
    "win stay, lose shift": MemoryOne(1, (1, 0, 0, 1)),  # Nowak & Sigmund 1993
    "alternator": MemoryOne(1, (0, 0, 1, 1)),
    "anti tit for tat": MemoryOne(1, (0, 1, 0, 1)),
    "random": MemoryOne(0.5, (0.5, 0.5, 0.5, 0.5)),
}


def outcome_chain(p: Any, q: Any) -> tuple[Array, Array]:
    """(the first outcome's distribution (4,), M (4, 4)) of two strategies.

    Raises
    ------
    InputError
        If a strategy is not an opening and four answers, all in [0, 1].

    Examples
    --------
    >>> first, chain = outcome_chain(STRATEGIES["tit for tat"], STRATEGIES["always defect"])
    >>> print(first, chain[1])  # cd, then dd
    [0. 1. 0. 0.] [0. 0. 0. 1.]
    """
    (p_0, mine), (q_0, theirs) = _strategy(p, "first strategy"), _strategy(q, "second strategy")
    seen = theirs[list(OTHERS_VIEW)]
    joint = np.stack(
        [mine * seen, mine * (1 - seen), (1 - mine) * seen, (1 - mine) * (1 - seen)], axis=1
    )
    first = np.array([p_0 * q_0, p_0 * (1 - q_0), (1 - p_0) * q_0, (1 - p_0) * (1 - q_0)])
    return first, joint


def discounted_payoffs(p: Any, q: Any, gamma: float, payoffs: Sequence[float] = AXELROD) -> Array:
    """(1 - γ) Σ_t γᵗ of both players' payoffs, (2,): per round.

    Examples
    --------
    >>> print(discounted_payoffs(STRATEGIES["grim trigger"], STRATEGIES["always defect"], 0.5))
    [0.5 3. ]
    """
    first, chain = outcome_chain(p, q)
    gamma = discount(gamma)
    found: Array = (1.0 - gamma) * first @ discounted_sum(chain, gamma, _both(payoffs))
    return found


def average_payoffs(p: Any, q: Any, payoffs: Sequence[float] = AXELROD) -> Array:
    """The mean payoffs of both in the long run, (2,): lim 1/T Σ_t, which depends on the openings.

    Examples
    --------
    Tit for tat, its opening apart, never leaves alternating revenge against its suspicious twin:

    >>> print(average_payoffs(STRATEGIES["tit for tat"], STRATEGIES["suspicious tit for tat"]))
    [2.5 2.5]
    """
    first, chain = outcome_chain(p, q)
    found: Array = first @ long_run(chain) @ _both(payoffs)
    return found


def total_payoffs(p: Any, q: Any, rounds: int, payoffs: Sequence[float] = AXELROD) -> Array:
    """The expected sums of both over a number of rounds, (2,).

    Examples
    --------
    >>> print(total_payoffs(STRATEGIES["tit for tat"], STRATEGIES["always defect"], 200))
    [199. 204.]
    """
    here, chain = outcome_chain(p, q)
    total: Array = np.zeros(2)
    for _ in range(check.positive(rounds, "rounds", 1_000_000)):
        total = total + here @ _both(payoffs)
        here = here @ chain
    return total


def long_run(chain: Any) -> Array:
    """lim 1/T Σ_{t<T} Mᵗ of a Markov chain M (S, S): how often it is where, from each start on.

    By its recurrent classes, which are told from the pattern of zeros: their stationary
    distributions, and the probabilities to end in each.

    Examples
    --------
    >>> print(long_run([[0, 1], [1, 0]]))
    [[0.5 0.5]
     [0.5 0.5]]
    """
    moves = check.mixture(chain, len(chain), "chain")
    size = len(moves)
    reach = (np.eye(size) + (moves > 0.0)) > 0.0
    for _ in range(size):
        reach = reach @ reach
    recurrent = (reach <= reach.T).all(axis=1)  # whatever it reaches leads back
    found, done = np.zeros((size, size)), np.zeros(size, dtype=bool)
    transient = np.flatnonzero(~recurrent)
    for s in np.flatnonzero(recurrent):
        if done[s]:
            continue
        inside = np.flatnonzero(reach[s])
        done[inside] = True
        often = _stationary(moves[np.ix_(inside, inside)])
        ends = np.zeros(size)
        ends[inside] = 1.0
        if len(transient):
            leave = np.eye(len(transient)) - moves[np.ix_(transient, transient)]
            ends[transient] = np.linalg.solve(leave, moves[np.ix_(transient, inside)].sum(axis=1))
        found[:, inside] += np.outer(ends, often)
    return found


def _stationary(chain: Array) -> Array:
    """The distribution that an irreducible chain keeps."""
    size = len(chain)
    system = np.vstack([chain.T - np.eye(size), np.ones(size)])
    found: Array = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)[0]
    return found


def zero_determinant(
    kappa: float, chi: float, phi: float | None = None, payoffs: Sequence[float] = AXELROD
) -> MemoryOne:
    """The strategy that makes s_1 - κ = χ (s_2 - κ) in the long run, whatever player 2 does.

    Parameters
    ----------
    kappa : κ
        P for extortion: player 1's surplus over P is χ times player 2's. R for generosity: its
        loss is.
    chi : χ, ≥ 1
    phi : φ > 0
        How strongly it answers; by default half of the largest value possible.

    Raises
    ------
    InputError
        If no φ, or not this one, leaves all answers between 0 and 1.

    Examples
    --------
    Press and Dyson's extortion with χ = 3, φ = 1/26: (11/13, 1/2, 7/26, 0).

    >>> extort = zero_determinant(1, 3, 1 / 26)
    >>> print(26 * np.array(extort.answers).round(12))
    [22. 13.  7.  0.]
    """
    own, other = _both(payoffs).T
    kappa = float(check.real_array(kappa, "kappa", 0))
    chi = float(check.real_array(chi, "chi", 0))
    slope = (own - kappa) - chi * (other - kappa)
    room = np.where(slope < 0.0, COOPERATED, 1.0 - COOPERATED)  # how far an answer can move
    bound = [space / abs(change) for space, change in zip(room, slope, strict=True) if change]
    most = float(min(bound, default=np.inf))
    if not 0.0 < most < np.inf:
        raise InputError(f"zero-determinant: no strategy enforces κ = {kappa:g}, χ = {chi:g}")
    strength = most / 2.0 if phi is None else float(check.real_array(phi, "phi", 0))
    if not 0.0 < strength <= most * (1.0 + 1e-12):
        raise InputError(f"phi: need a number in (0, {most:g}], got {strength:g}")
    a, b, c, d = np.clip(COOPERATED + strength * slope, 0.0, 1.0).tolist()
    return MemoryOne(1.0, (a, b, c, d))


def tournament(strategies: Sequence[Any], rounds: int, payoffs: Sequence[float] = AXELROD) -> Array:
    """The expected score of each against each, itself included; (K, K), of the row's strategy.

    Examples
    --------
    >>> pair = [STRATEGIES["tit for tat"], STRATEGIES["always defect"]]
    >>> print(tournament(pair, 10))
    [[30.  9.]
     [14. 10.]]
    """
    table = np.zeros((len(strategies), len(strategies)))
    for i, p in enumerate(strategies):
        for j, q in enumerate(strategies[: i + 1]):
            table[i, j], table[j, i] = total_payoffs(p, q, rounds, payoffs)
    return table


def _strategy(strategy: Any, name: str) -> tuple[float, Array]:
    """(opening, answers (4,)), checked."""
    try:
        opening, answers = strategy
    except (TypeError, ValueError):
        raise InputError(f"{name}: need (opening, four answers), got {strategy!r}") from None
    table = np.append(check.real_array(answers, name, 1), check.real_array(opening, name, 0))
    if len(table) != 5 or table.min() < 0.0 or table.max() > 1.0:
        raise InputError(f"{name}: need an opening and four answers in [0, 1], got {strategy!r}")
    return float(table[4]), table[:4]


def _both(payoffs: Sequence[float]) -> Array:
    """What the four outcomes pay to player 1 and to player 2, (4, 2)."""
    own = check.real_array(payoffs, "payoffs", 1)
    if len(own) != 4:
        raise InputError(f"payoffs: need (R, S, T, P), got {len(own)} numbers")
    return np.column_stack([own, own[list(OTHERS_VIEW)]])
