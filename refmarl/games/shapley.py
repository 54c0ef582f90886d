"""Zero-sum Markov games: the value of every state (course §1).

    V(s) ← val[R(s, ·) + γ Σ_s' P(s'|s, ·) V(s')]                              (1.13)

val[A] is the value (1.4) of the zero-sum game A, so a state is worth what the game is worth that is
played in it, its payoffs being the reward and what comes next. val moves by no more than the
largest change of an entry. Hence the right side T is a γ-contraction in the sup norm: it has one
fixed point V*, the value of the Markov game, and the iteration comes γ times nearer at each step.

Let V' be T V up to η in every state, δ = max |V' - V|, and ε = (γδ + η) / (1 - γ). Then, with the
optimal strategies x(s), y(s) of the stage games that gave V': from every state x gets V' - ε at
least whatever the column player does, y concedes V' + ε at most, and |V' - V*| ≤ ε.

Axes: S states, A actions of the row player, who gets R, and B of the column player, who pays it.
Shapley 1953, *Stochastic games*, PNAS 39, who stops with positive probability instead of
discounting: the same equations.
"""

from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError
from .markov import MarkovGame
from .stage import quick_value
from .zero_sum import ZeroSum, zero_sum_value

ZERO_SUM = 1e-12  # rewards that add up to no more than this, of the largest reward, add up to 0


class ShapleyValue(NamedTuple):
    """The value of a zero-sum Markov game, optimal policies, and the certificate of both."""

    value: Array  # V, (S,): what the row player gets, discounted, from each state on
    policies: tuple[Array, Array]  # ((S, A), (S, B)): in each state optimal, up to ``error``
    error: float  # ε: |V - V*| ≤ ε, and either policy guarantees V up to ε, in every state
    iterations: int  # how often the operator was applied to all states


def shapley_operator(transition: Any, reward: Any, gamma: float, values: Any) -> Array:
    """One application of Eq. (1.13) to all states at once.

    Parameters
    ----------
    transition : float (S, A, B, S)
        P(s'|s, a, b): rows over s' are distributions.
    reward : float (S, A, B)
        What the column player pays to the row player.
    gamma : float
        γ in [0, 1).
    values : float (S,)
        V, what the states are taken to be worth to the row player.

    Returns
    -------
    V' : float (S,)

    Raises
    ------
    InputError
        If the tables are no Markov game of two players, or ``values`` does not fit.

    Examples
    --------
    With V = 4: val [[3 + 4/2, 0], [1, 2]] = val [[5, 0], [1, 2]] = 10/6.

    >>> transition = np.zeros((2, 2, 2, 2))
    >>> transition[:, :, :, 1] = 1  # state 2 is the end
    >>> transition[0, 0, 0] = [1, 0]
    >>> reward = np.array([[[3, 0], [1, 2]], [[0, 0], [0, 0]]])
    >>> print(shapley_operator(transition, reward, 0.5, [4, 0]).round(6))
    [1.666667 0.      ]
    """
    row = check.real_array(reward, "reward", 3)
    game = MarkovGame(transition, np.stack([row, -row]), gamma)
    stages = _stage_payoffs(game, _values(values, game.num_states))
    return np.array([zero_sum_value(A).value for A in stages])  # (1.13)


def shapley_iteration(
    game: MarkovGame, tol: float = 1e-9, max_iterations: int = 100_000
) -> ShapleyValue:
    """Apply Eq. (1.13), from V = 0, until the value is known up to ``tol``.

    Parameters
    ----------
    game : MarkovGame
        Two players, R_2 = -R_1.
    tol : float > 0
        Stop at ε ≤ tol · max|R| / (1 - γ); the latter is the largest value a state could have.
    max_iterations : int ≥ 1
        Stop there at the latest; ``error`` tells how far one came.

    Returns
    -------
    ShapleyValue
        ``error`` is computed from the last step and the gaps of its stage games, see the module;
        it holds for any number of iterations.

    Raises
    ------
    InputError
        If the game is not of two players with opposite rewards, or ``tol`` is not positive.

    Examples
    --------
    Both rows and columns go on to the same game: V = 1.5 + 0.9 V.

    >>> from refmarl.games.markov import repeated
    >>> from refmarl.games.normal_form import NormalForm
    >>> solved = shapley_iteration(repeated(NormalForm.zero_sum([[3, 0], [1, 2]]), 0.9))
    >>> print(solved.value.round(6), solved.policies[0].round(6), solved.error < 1e-7)
    [15.] [[0.25 0.75]] True
    """
    zero_sum_reward(game)
    if isinstance(tol, bool) or not isinstance(tol, int | float) or not tol > 0:
        raise InputError(f"tol: need a number > 0, got {tol!r}")
    goal = tol * float(np.abs(game.reward).max()) / (1.0 - game.gamma)
    check.positive(max_iterations, "max_iterations")
    values, error, iterations = np.zeros(game.num_states), np.inf, 0
    solved: list[ZeroSum] = []
    while error > goal and iterations < max_iterations:
        solved = _solve(game, values, solved)
        before, values = values, np.array([stage.value for stage in solved])
        error = _error(game.gamma, float(np.abs(values - before).max()), solved)
        iterations += 1
    x, y = (np.array([getattr(stage, side) for stage in solved]) for side in "xy")
    return ShapleyValue(values, (x, y), error, iterations)


def zero_sum_reward(game: MarkovGame) -> Array:
    """The row player's reward (S, A, B), checked to be the column player's loss."""
    if game.num_players != 2:
        raise InputError(f"zero-sum Markov game: need 2 players, got {game.num_players}")
    sums, largest = np.abs(game.reward.sum(axis=0)), float(np.abs(game.reward).max())
    if (sums > ZERO_SUM * largest).any():
        where = tuple(int(k) for k in np.unravel_index(int(sums.argmax()), sums.shape))
        raise InputError(
            f"reward: need R_2 = -R_1, got the sum {game.reward.sum(axis=0)[where]:g} at {where}"
        )
    row: Array = game.reward[0]
    return row


def _values(values: Any, num_states: int) -> Array:
    """V (S,), checked."""
    v = check.real_array(values, "values", 1)
    if len(v) != num_states:
        raise InputError(f"values: need {num_states} numbers, one for each state, got {len(v)}")
    return v


def _stage_payoffs(game: MarkovGame, values: Array) -> Array:
    """R(s, a, b) + γ Σ_s' P(s'|s, a, b) V(s'), (S, A, B)."""
    payoffs: Array = game.reward[0] + game.gamma * (game.transition @ values)
    return payoffs


def _solve(game: MarkovGame, values: Array, before: list[ZeroSum]) -> list[ZeroSum]:
    """The stage games of all states; supports that were right ``before`` are tried first."""
    stages = _stage_payoffs(game, values)
    return [quick_value(A, before[s] if before else None) for s, A in enumerate(stages)]


def _error(gamma: float, moved: float, solved: list[ZeroSum]) -> float:
    """ε = (γδ + η) / (1 - γ), where a stage game's gap is 2η at most."""
    return (gamma * moved + max(stage.gap for stage in solved) / 2.0) / (1.0 - gamma)
