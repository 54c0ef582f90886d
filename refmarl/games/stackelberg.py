"""Stackelberg commitment in two-player games (course §1.1).

    max_{x_L} u_L(x_L, BR_F(x_L))                                             (1.8)

The leader commits to a mixed strategy, the follower sees it (not its outcome) and best-responds.
Where the follower has several best responses, *strong* breaks the tie for the leader, *weak*
against it; the strong maximum always exists, the weak one is a supremum that need not be reached.

Best-reply regions. X(j) = {x : x F_j ≥ x F_k for all k} holds the commitments to which the
follower's action j is a best reply; F_j and L_j are column j of the follower's and the leader's
payoffs. The X(j) are closed polytopes and cover the simplex, so

    strong = max_j max_{x ∈ X(j)} x L_j,

one linear program for each j (Conitzer & Sandholm 2006, Proc. EC, 82-90). For the weak value let
C(j) be the actions with the same column F_k = F_j, between which the follower never has a
preference. Then (von Stengel & Zamir 2010, Games Econ. Behav. 69, 446-457)

    weak = max_{j : X(j) full-dimensional} max_{x ∈ X(j)} min_{k ∈ C(j)} x L_k.

Proof. The regions that are not full-dimensional are closed and nowhere dense, so the others alone
cover the simplex. ≤: any x lies in some full-dimensional X(j); there the follower may play any
k ∈ C(j), so its worst reply pays at most the right-hand side. ≥: inside such an X(j) only C(j) is
best, for x F_j = x F_k on an open set means F_j = F_k. From a maximiser step by δ towards an inner
point of X(j): that commitment pays min_{C(j)} x L_k, which tends to the maximum as δ → 0. ∎

Axes: A_L actions of the leader, A_F of the follower.
"""

from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError
from ._simplex_lp import best_distribution
from .normal_form import NormalForm

Ties = Literal["strong", "weak"]

MAX_COEFFICIENTS = 30_000_000  # A_L A_F²: the linear programs together
EQUAL = 1e-9  # of the range of a player's payoffs: what is nearer than this is a tie
STRICT = 1e-7  # of the range of the follower's payoffs: a preference above it breaks a tie


class Commitment(NamedTuple):
    """What a leader should commit to, and what follows from it."""

    leader: int
    strategy: Array  # x_L, (A_L,)
    response: int  # the follower's action, counted from 0
    payoff: float  # the leader's; under weak ties the supremum
    follower_payoff: float
    attained: bool  # whether ``strategy`` itself earns ``payoff``, or is only its limit


class _Sides(NamedTuple):
    """The game as a leader sees it, (A_L, A_F); payoffs moved and scaled to fill [0, 1]."""

    leads: Array
    follows: Array

    @property
    def size(self) -> int:
        """A_L."""
        return len(self.leads)

    def equivalent(self, j: int) -> NDArray[np.bool_]:
        """C(j): the actions that pay the follower the same as j always, (A_F,)."""
        same: NDArray[np.bool_] = np.all(abs(self.preferred(j)) <= EQUAL, axis=1)
        return same

    def preferred(self, j: int) -> Array:
        """F_k - F_j as rows k of what X(j) keeps ≤ 0, (A_F, A_L)."""
        rows: Array = self.follows.T - self.follows[:, j]
        return rows

    def reply(self, x: Array, ties: Ties) -> int:
        """The follower's best reply to x, ties broken for the leader (strong) or against it."""
        value, pay = x @ self.follows, x @ self.leads
        best = np.flatnonzero(value >= value.max() - EQUAL)
        return int(best[np.argmax(pay[best] if ties == "strong" else -pay[best])])


class _Optimum(NamedTuple):
    """The best commitment to one region X(j)."""

    value: float
    j: int
    x: Array


def stackelberg(game: NormalForm, leader: int = 0, ties: Ties = "strong") -> Commitment:
    """The leader's best commitment, Eq. (1.8), by one linear program per follower action.

    Parameters
    ----------
    game : NormalForm
        Two players.
    leader : 0 or 1
    ties : "strong" (the follower's ties go to the leader) or "weak" (they go against it)

    Returns
    -------
    Commitment
        Weak and not ``attained``: no commitment earns ``payoff``, but those near ``strategy`` to
        which ``response`` is strictly best come as near to it as one likes.

    Raises
    ------
    InputError
        If there are not two players, the tie rule is unknown or the game is larger than the cap.

    Examples
    --------
    Simultaneously the leader's first action dominates, and it gets 2. An even mixture makes the
    follower indifferent: the leader gets 3.5 or, if ties go against it, as nearly that as it likes.

    >>> game = NormalForm.bimatrix([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    >>> best = stackelberg(game)
    >>> print(best.strategy.round(9), best.response, round(best.payoff, 9), best.attained)
    [0.5 0.5] 1 3.5 True
    >>> limit = stackelberg(game, ties="weak")
    >>> print(limit.strategy.round(9), limit.response, round(limit.payoff, 9), limit.attained)
    [0.5 0.5] 1 3.5 False
    """
    sides = _sides(game, leader, ties)
    cost = sides.size * sides.leads.shape[1] ** 2
    if cost > MAX_COEFFICIENTS:
        raise InputError(f"stackelberg: A_L A_F² = {cost}; the cap is {MAX_COEFFICIENTS}")
    regions = [_best_in(sides, j, ties) for j in range(sides.leads.shape[1])]
    optima = [optimum for optimum in regions if optimum is not None]
    best = max(optima, key=lambda optimum: optimum.value)  # (1.8)
    if ties == "strong":
        return _outcome(game, leader, best.x, best.j, True)
    optima = [optimum for optimum in optima if optimum.value >= best.value - EQUAL]
    for optimum in optima:
        x = _secured(sides, optimum)
        if x is not None:
            return _outcome(game, leader, x, sides.reply(x, ties), True)
    pay = np.where(sides.equivalent(best.j), best.x @ sides.leads, np.inf)
    return _outcome(game, leader, best.x, int(np.argmin(pay)), False)


def leader_payoff(game: NormalForm, x: Any, leader: int = 0, ties: Ties = "strong") -> float:
    """u_L(x, BR_F(x)): what the commitment x (A_L,) earns the leader.

    Replies whose expected payoffs to the follower differ by less than 1e-9 of the range of its
    payoffs are ties. Raises InputError as :func:`stackelberg` does.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    >>> leader_payoff(game, [0.5, 0.5]), leader_payoff(game, [0.5, 0.5], ties="weak")
    (3.5, 1.5)
    """
    sides = _sides(game, leader, ties)
    strategy = check.mixture(x, sides.size, "commitment")
    if strategy.ndim != 1:
        raise InputError(f"commitment: need one strategy, got shape {strategy.shape}")
    response = sides.reply(strategy, ties)
    return _outcome(game, leader, strategy, response, True).payoff


def pure_commitment(game: NormalForm, leader: int = 0, ties: Ties = "strong") -> Commitment:
    """The best commitment to a single action: the leader moves first, openly.

    Examples
    --------
    >>> game = NormalForm.bimatrix([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    >>> best = pure_commitment(game)
    >>> print(best.strategy, best.payoff)
    [0. 1.] 3.0
    """
    sides = _sides(game, leader, ties)
    replies = ((x, sides.reply(x, ties)) for x in np.eye(sides.size))
    outcomes = [_outcome(game, leader, x, k, True) for x, k in replies]
    return max(outcomes, key=lambda outcome: outcome.payoff)


def _sides(game: NormalForm, leader: int, ties: str) -> _Sides:
    if game.num_players != 2:
        raise InputError(f"game: need 2 players, got {game.num_players}")
    check.player(leader, 2, "leader")
    if ties not in get_args(Ties):
        raise InputError(f"ties: need 'strong' or 'weak', got {ties!r}")
    own = [u if leader == 0 else u.T for u in game.payoffs]
    leads, follows = (
        (u - u.min()) / max(float(np.ptp(u)), np.finfo(float).tiny)
        for u in (own[leader], own[1 - leader])
    )
    return _Sides(leads, follows)


def _outcome(game: NormalForm, leader: int, x: Array, response: int, attained: bool) -> Commitment:
    """The commitment x with what it pays when the follower plays ``response``."""
    own, other = (game.payoffs[i].take(response, axis=1 - leader) for i in (leader, 1 - leader))
    return Commitment(leader, x, response, float(x @ own), float(x @ other), attained)


def _best_in(sides: _Sides, j: int, ties: Ties) -> _Optimum | None:
    """The best of X(j) for the leader; None where X(j) is empty or, for weak ties, too thin."""
    rows = sides.preferred(j)
    if ties == "strong":
        x = best_distribution(sides.leads[:, j], rows, np.zeros(len(rows)), sides.size)
        return None if x is None else _Optimum(float(x @ sides.leads[:, j]), j, x)
    if not _full_dimensional(sides, j):
        return None
    worst = sides.leads[:, sides.equivalent(j)].T
    level = np.concatenate([np.zeros(len(rows)), np.ones(len(worst))])  # t ≤ x L_k
    every = np.column_stack([np.concatenate([rows, -worst]), level])
    z = best_distribution(np.eye(sides.size + 1)[-1], every, np.zeros(len(every)), sides.size)
    return None if z is None else _Optimum(float((worst @ z[:-1]).min()), j, z[:-1])


def _full_dimensional(sides: _Sides, j: int) -> bool:
    """Whether some x > 0 makes j strictly better than all that is not equivalent to it."""
    rivals = sides.preferred(j)[~sides.equivalent(j)]
    rows = np.concatenate([rivals, -np.eye(sides.size)])  # each at most -ε
    every = np.column_stack([rows, np.ones(len(rows))])
    z = best_distribution(np.eye(sides.size + 1)[-1], every, np.zeros(len(every)), sides.size)
    return z is not None and bool(z[-1] > EQUAL)


def _secured(sides: _Sides, optimum: _Optimum) -> Array | None:
    """A commitment to X(j) that earns the value whichever best reply is played, None if none does.

    Its search starts from the optimal commitments at which the fewest actions tie with j. If an
    action that ties at all of them pays the leader less than the value, only those count from then
    on where it does not. Each round adds an action, so the last comes after A_F at most.
    """
    enough = sides.equivalent(optimum.j)
    while True:
        x, tied = _least_tied(sides, optimum, enough)
        if x is None or not (tied & ~enough).any():
            return x
        enough = enough | tied


def _least_tied(
    sides: _Sides, optimum: _Optimum, enough: NDArray[np.bool_]
) -> tuple[Array | None, NDArray[np.bool_]]:
    """(x, which actions tie with j at x) of X(j) where each action in ``enough`` pays the value.

    x is the mean of points as far as possible from each tie: what ties there, ties everywhere.
    """
    rivals = sides.preferred(optimum.j)
    rows = np.concatenate([rivals, -sides.leads[:, enough].T])
    bound = np.concatenate([np.zeros(len(rivals)), np.full(enough.sum(), -optimum.value)])
    points = [best_distribution(-rival, rows, bound, sides.size) for rival in rivals]
    far = np.array([x for x in points if x is not None])
    if len(far) < len(points):
        return None, enough
    return far.mean(axis=0), -(rivals * far).sum(axis=1) <= STRICT
