"""Newton's method for zero-sum Markov games: the value in a few steps, however near to 1 γ is.

Let T be Shapley's operator (1.13), and x, y optimal in the stage games of V. Near V the operator
is what the two policies do, R^{xy} + γ P^{xy} V; its fixed point is a guess of that of T:

    V ← (I - γ P^{xy})⁻¹ R^{xy},   if |TV - V| falls by γ at least;   else   V ← TV.

This is Newton's method for V - TV = 0. Alone it may run in circles (van der Wal 1978); where it
does, a step of Shapley's iteration makes |TV - V| fall by γ, too. So it needs at most as many steps
as Shapley's iteration, with at most two operators each, and as a rule few.

M. A. Pollatschek, B. Avi-Itzhak, *Algorithms for stochastic games with geometrical
interpretation*, Management Science 15, 1969; J. A. Filar, B. Tolwinski, *On the algorithm of
Pollatschek and Avi-Itzhak*, 1991, who damp the step instead.
"""

from typing import NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError
from .shapley import ZERO_SUM, ShapleyValue
from .sparse import SparseMarkovGame, evaluate
from .stage import quick_value
from .zero_sum import ZeroSum


class _Step(NamedTuple):
    """T applied to V."""

    values: Array  # V, (S,)
    after: Array  # TV, (S,)
    solved: list[ZeroSum]  # the stage games

    @property
    def residual(self) -> float:
        """|TV - V|."""
        return float(np.abs(self.after - self.values).max())

    @property
    def policies(self) -> tuple[Array, Array]:
        """Optimal in the stage games, (S, A) and (S, B)."""
        x, y = (np.array([getattr(stage, side) for stage in self.solved]) for side in "xy")
        return x, y


def newton_iteration(
    game: SparseMarkovGame, tol: float = 1e-9, max_iterations: int = 100_000
) -> ShapleyValue:
    """The value of a two-player zero-sum Markov game, with optimal policies.

    Parameters
    ----------
    tol : float
        The accuracy, in units of the largest value possible, max |R| / (1 - γ).
    max_iterations : int
        When to stop all the same; then ``error`` is larger.

    Returns
    -------
    ShapleyValue
        As that of :func:`~refmarl.games.shapley.shapley_iteration`, with ``error`` certified in
        the same way; ``iterations`` counts the operators applied.

    Raises
    ------
    InputError
        If the game is not zero-sum for two players, or its Markov chain exceeds the cap.

    Examples
    --------
    >>> A = np.array([[[3.0, 0.0], [1.0, 2.0]]])
    >>> stay = np.zeros((1, 2, 2, 1), dtype=int)
    >>> game = SparseMarkovGame(stay, np.ones((1, 2, 2, 1)), [A, -A], 0.9)
    >>> solved = newton_iteration(game)
    >>> print(solved.value.round(6), solved.policies[0].round(6), solved.iterations)
    [15.] [[0.25 0.75]] 2
    """
    reward = _row_reward(game)
    if isinstance(tol, bool) or not isinstance(tol, int | float) or not tol > 0:
        raise InputError(f"tol: need a number > 0, got {tol!r}")
    check.positive(max_iterations, "max_iterations")
    goal = tol * float(np.abs(reward).max()) / (1.0 - game.gamma)
    step = _step(game, np.zeros(game.num_states), None)
    iterations = 1
    while _error(game.gamma, step) > goal and iterations < max_iterations:
        guess = _step(game, evaluate(game, step.policies)[0], step.solved)
        iterations += 1
        if guess.residual > game.gamma * step.residual and iterations < max_iterations:
            guess = _step(game, step.after, step.solved)
            iterations += 1
        step = guess
    return ShapleyValue(step.after, step.policies, _error(game.gamma, step), iterations)


def _step(game: SparseMarkovGame, values: Array, before: list[ZeroSum] | None) -> _Step:
    """T applied to ``values``; supports that were right ``before`` are tried first."""
    payoffs = game.reward[0] + game.gamma * game.expected(values)
    solved = [quick_value(A, before[s] if before else None) for s, A in enumerate(payoffs)]
    return _Step(values, np.array([stage.value for stage in solved]), solved)  # (1.13)


def _error(gamma: float, step: _Step) -> float:
    """ε = (γδ + η) / (1 - γ), where a stage game's gap is 2η at most."""
    gap = max(stage.gap for stage in step.solved)
    return (gamma * step.residual + gap / 2.0) / (1.0 - gamma)


def _row_reward(game: SparseMarkovGame) -> Array:
    """The row player's reward (S, A, B), checked to be the column player's loss."""
    if game.num_players != 2:
        raise InputError(f"zero-sum Markov game: need 2 players, got {game.num_players}")
    off = float(np.abs(game.reward.sum(axis=0)).max())
    if off > ZERO_SUM * float(np.abs(game.reward).max()):
        raise InputError(f"reward: need R_2 = -R_1, got a sum of {off:g}")
    row: Array = game.reward[0]
    return row
