"""Minimax-Q and its family: Markov games learnt from samples (course §1).

    Q_i(s, a) ← Q_i(s, a) + α (R_i(s, a) + γ V_i(s') - Q_i(s, a)),   s' ~ P(·|s, a),

where V_i(s') is what the stage game Q(s', ·) is worth to player i: its value in minimax-Q, the
sampled form of Shapley's iteration (1.13); an equilibrium's payoff in Nash-Q; and so on. One
learner serves all of them, the solver of the stage games (:mod:`refmarl.games.stage`) makes the
method.

It is off-policy: what is learnt does not depend on what is played, so long as every joint action
goes on being tried in every state. With rates α whose sum diverges and whose squares' sum does
not, minimax-Q then converges to V* (Littman & Szepesvári 1996), friend-Q and foe-Q to their fixed
points (Littman 2001). Nash-Q and correlated-Q may not: their stage values need not depend
continuously on Q.

Axes: n players, S states, A_i actions of player i.
Littman 1994, *Markov games as a framework for multi-agent reinforcement learning*, ICML.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import check
from ..check import Array, InputError
from ..kernels.joint import Ints
from .markov import MarkovGame
from .shapley import zero_sum_reward
from .stage import Solver, Stage, correlated, friend_or_foe, minimax, nash


class JointQ(NamedTuple):
    """What the learner knows, and where it stands. A step returns a new one."""

    q: Array  # Q_i(s, a), (n, S, A_1, …, A_n)
    visits: Ints  # how often (s, a) was tried, (S, A_1, …, A_n)
    values: Array  # V_i(s), (n, S)
    play: Array  # how the stage games are played, (S, A_1, …, A_n), each state's a distribution
    state: int  # s


class Schedule(NamedTuple):
    """How the learner explores, and how fast it learns.  [+]

    Restarts are what keeps absorbing states from ending the lesson.
    """

    explore: float = 1.0  # in [0, 1]: probability of an even draw from all joint actions
    restart: float = 0.1  # in [0, 1]: probability of going on from an even draw of all states
    power: float = 0.8  # in (1/2, 1]: α = 1 / (visits of (s, a), this one included) ** power


DEFAULT = Schedule()


def minimax_q(
    game: MarkovGame,
    rng: np.random.Generator,
    steps: int,
    start: JointQ | None = None,
    schedule: Schedule = DEFAULT,
) -> JointQ:
    """Learn a two-player zero-sum game, V_i(s) being the value of the stage game (Littman 1994).

    Raises
    ------
    InputError
        As :func:`stage_q`, or if the game is not of two players with opposite rewards.

    Examples
    --------
    One state, the game is over after one round: V = val [[3, 0], [1, 2]].

    >>> reward = np.array([[[3, 0], [1, 2]]])
    >>> game = MarkovGame(np.ones((1, 2, 2, 1)), np.stack([reward, -reward]), 0)
    >>> print(minimax_q(game, np.random.default_rng(0), 100).values.round(6).ravel())
    [ 1.5 -1.5]
    """
    zero_sum_reward(game)
    return stage_q(game, rng, steps, minimax, start, schedule)


def nash_q(
    game: MarkovGame,
    rng: np.random.Generator,
    steps: int,
    start: JointQ | None = None,
    schedule: Schedule = DEFAULT,
) -> JointQ:
    """Learn a two-player game, V_i(s) being i's payoff in the equilibrium of largest welfare.

    Hu & Wellman 2003. On zero-sum games it is minimax-Q, all equilibria paying the same there.
    """
    if game.num_players != 2:
        raise InputError(f"Nash-Q: need 2 players, got {game.num_players}")
    return stage_q(game, rng, steps, nash, start, schedule)


def correlated_q(
    game: MarkovGame,
    rng: np.random.Generator,
    steps: int,
    start: JointQ | None = None,
    schedule: Schedule = DEFAULT,
) -> JointQ:
    """Learn with the correlated equilibrium of largest welfare (Greenwald & Hall 2003, uCE-Q)."""
    return stage_q(game, rng, steps, correlated, start, schedule)


def friend_or_foe_q(
    game: MarkovGame,
    rng: np.random.Generator,
    steps: int,
    friends: Any,
    start: JointQ | None = None,
    schedule: Schedule = DEFAULT,
) -> JointQ:
    """Learn with friends, bool (n, n), taken to help and all others to harm (Littman 2001)."""
    return stage_q(game, rng, steps, friend_or_foe(friends), start, schedule)


def stage_q(
    game: MarkovGame,
    rng: np.random.Generator,
    steps: int,
    solver: Solver,
    start: JointQ | None = None,
    schedule: Schedule = DEFAULT,
) -> JointQ:
    """Learn for ``steps`` transitions with any solver of the stage games.

    Every step takes four numbers from ``rng``, whatever happens in it: steps can be taken in
    several calls, and two methods that only explore see the same transitions.

    Parameters
    ----------
    game : MarkovGame
    rng : Generator
    steps : int ≥ 1
    solver : payoffs (n, A_1, …, A_n) ↦ Stage
    start : where to go on from, by default Q = 0 everywhere, in a state drawn from game.initial
        It is not changed.
    schedule : Schedule

    Raises
    ------
    InputError
        If ``steps`` or the schedule is out of range, or ``start`` is of another game.
    """
    _check_schedule(schedule)
    check.positive(steps, "steps")
    known = _fresh(game, rng, solver) if start is None else _copy(game, start)
    for draws in rng.random((steps, 4)):
        s, a, s_next = _transition(game, known, schedule, draws)
        _update(game, known, (s, a), s_next, schedule.power)
        known.values[:, s], known.play[s] = solver(known.q[:, s])
        known = known._replace(state=s_next)
    return known


def _transition(
    game: MarkovGame, known: JointQ, schedule: Schedule, draws: Array
) -> tuple[int, int, int]:
    """(s, joint action a, s'), by four draws from [0, 1)."""
    restart, explore, action, after = draws
    s = known.state
    if restart < schedule.restart:
        s = min(int(restart / schedule.restart * game.num_states), game.num_states - 1)
    play = known.play[s].ravel()
    if explore < schedule.explore:
        play = np.ones(play.size)
    a = _draw(play, action)
    return s, a, _draw(game.transition[s].reshape(play.size, -1)[a], after)


def _draw(weights: NDArray[Any], u: float) -> int:
    """An index, with probabilities in proportion to ``weights``, by u from [0, 1)."""
    total = np.cumsum(weights)
    return min(int(np.searchsorted(total, u * total[-1], side="right")), len(weights) - 1)


def _update(
    game: MarkovGame, known: JointQ, at: tuple[int, int], s_next: int, power: float
) -> None:
    """One sample of every player's Q at ``at`` = (s, a), in place."""
    n, num_states = known.values.shape
    visits, q = known.visits.reshape(num_states, -1), known.q.reshape(n, num_states, -1)  # views
    visits[at] += 1
    rate = float(visits[at]) ** -power  # α
    s, a = at
    target = game.reward.reshape(q.shape)[:, s, a] + game.gamma * known.values[:, s_next]
    q[:, s, a] += rate * (target - q[:, s, a])  # (1.13)


def _fresh(game: MarkovGame, rng: np.random.Generator, solver: Solver) -> JointQ:
    """Q = 0, its stage games solved."""
    q = np.zeros(game.reward.shape)
    nothing: Stage = solver(q[:, 0])
    values = np.repeat(nothing.values[:, None], game.num_states, axis=1)
    play = np.repeat(nothing.play[None], game.num_states, axis=0)
    visits = np.zeros(game.reward.shape[1:], dtype=np.int64)
    return JointQ(q, visits, values, play, _draw(game.initial, rng.random()))


def _copy(game: MarkovGame, start: JointQ) -> JointQ:
    """``start``, of its own, checked to fit the game."""
    if start.q.shape != game.reward.shape:
        raise InputError(f"start: need Q of shape {game.reward.shape}, got {start.q.shape}")
    q, visits, values, play, state = start
    return JointQ(q.copy(), visits.copy(), values.copy(), play.copy(), state)


def _check_schedule(schedule: Schedule) -> None:
    """Probabilities in [0, 1]; rates with a divergent sum and a convergent sum of squares."""
    explore, restart, power = schedule
    if not (0.0 <= explore <= 1.0 and 0.0 <= restart <= 1.0 and 0.5 < power <= 1.0):
        raise InputError(
            f"schedule: need explore and restart in [0, 1], power in (1/2, 1]; got {schedule}"
        )
