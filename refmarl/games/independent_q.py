"""Independent Q-learning, plain, hysteretic and lenient (course §1).

    δ_i = r_i + γ (1-d) max_a' Q_i(o_i', a') - Q_i(o_i, a_i)
    Q_i(o_i, a_i) ← Q_i(o_i, a_i) + α δ_i                                     (1.15)

Every agent learns as if it were alone: the others are part of its environment, which therefore
changes as they learn. In a team two variants give bad luck less weight, because a low reward may
be the fault of a teammate who explores: a *hysteretic* learner moves by β < α where δ_i < 0, a
*lenient* one ignores δ_i < 0 with probability l. d = 1 at a terminal state.

C. Claus, C. Boutilier 1998 (independent learners); L. Matignon, G. Laurent, N. Le Fort-Piat 2007
(hysteretic); L. Panait, K. Sullivan, S. Luke 2006 (lenient, there with a falling l); M. Lauer,
M. Riedmiller 2000 (β = 0, the optimistic limit).

Axes: n players, A_i actions, R runs, M = max_i A_i, S = Π_i A_i joint actions, O observations.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError
from ..kernels._jit import kernel
from ..kernels.joint import Ints, flat_index
from ._repeated import Exploration, draws, explore, fraction
from .normal_form import NormalForm


@dataclass(frozen=True, kw_only=True)
class IndependentConfig(Exploration):
    """How independent learners learn; how they explore is in :class:`Exploration`."""

    alpha: float = 0.1  # α in (0, 1]
    beta: float | None = None  # β in [0, 1], where δ < 0; None: α
    leniency: float = 0.0  # l in [0, 1], with which δ < 0 is ignored

    def __post_init__(self) -> None:
        super().__post_init__()
        _rates(self.alpha, self.beta, self.leniency)


class Learned(NamedTuple):
    """What R runs of a repeated game ended with."""

    q: tuple[Array, ...]  # Q_i, (R, A_i) for each player
    greedy: Ints  # the last greedy joint actions, (R, n); of equals the lowest index
    payoffs: Array  # means of what was received in all rounds, (R, n)


def td_update(
    q: Any,
    obs: int,
    action: int,
    reward: float,
    next_obs: int,
    terminated: bool,
    *,
    gamma: float,
    alpha: float = 0.1,
    beta: float | None = None,
    leniency: float = 0.0,
    uniform: float = 1.0,
) -> Array:
    """One agent's table after one transition, Eq. (1.15); float (O, A). ``q`` is not changed.

    Parameters
    ----------
    q : float (O, A)
        Q_i(o, a)
    obs, action, reward, next_obs : the transition
    terminated : whether it ended in a terminal state, which is worth 0; a time limit is no such end
    gamma : γ in [0, 1]
    alpha : α in (0, 1]
    beta : the rate where δ < 0, in [0, 1]; None for α (plain), less for a hysteretic learner
    leniency : l in [0, 1]
    uniform : a random number in [0, 1); δ < 0 is ignored if it is below l

    Raises
    ------
    InputError
        If an index, a rate or the table is not usable.

    Examples
    --------
    >>> q = [[0.0, 4.0], [1.0, 10.0]]
    >>> print(td_update(q, 0, 1, 1.0, 1, False, gamma=0.5, alpha=0.5))
    [[ 0.  5.]
     [ 1. 10.]]
    >>> print(td_update(q, 0, 1, 1.0, 1, True, gamma=0.5, alpha=0.5, beta=0.1)[0])
    [0.  3.7]
    """
    table = check.real_array(q, "q", 2)
    obs = check.player(obs, len(table), "obs")
    next_obs = check.player(next_obs, len(table), "next_obs")
    action = check.player(action, table.shape[1], "action")
    alpha, beta, leniency = _rates(alpha, beta, leniency)
    reward = float(check.real_array(reward, "reward", 0))
    future = 0.0 if terminated else fraction(gamma, "gamma") * table[next_obs].max()
    table[obs, action] = moved(
        table[obs, action], reward + future, alpha, beta, leniency, fraction(uniform, "uniform")
    )
    return table


def _rates(alpha: float, beta: float | None, leniency: float) -> tuple[float, float, float]:
    """(α, β, l), checked."""
    rate = fraction(alpha, "alpha", positive=True)
    return rate, rate if beta is None else fraction(beta, "beta"), fraction(leniency, "leniency")


def learn(
    game: NormalForm, cfg: IndependentConfig, rng: np.random.Generator, runs: int = 1
) -> Learned:
    """All players learn independently while they play ``game`` again and again.

    There is no state and each round is an end, so that δ_i = u_i(a) - Q_i(a_i). All Q_i begin at 0,
    and ties are broken at random while playing. Run b depends on ``rng`` and on b, not on how many
    runs there are; and the first rounds of a longer run are those of a shorter one.

    Parameters
    ----------
    game : NormalForm
    cfg : IndependentConfig
    rng : spawns a generator for each run
    runs : R ≥ 1

    Raises
    ------
    InputError
        If ``rng`` is no Generator or ``runs`` no whole number ≥ 1.

    Examples
    --------
    >>> dilemma = NormalForm.bimatrix([[3, 0], [5, 1]], [[3, 5], [0, 1]])
    >>> found = learn(dilemma, IndependentConfig(), np.random.default_rng(0), runs=3)
    >>> print(found.greedy.tolist())
    [[1, 1], [1, 1], [1, 1]]
    """
    n, sizes = game.num_players, np.array(game.num_actions)
    payoffs = np.array(game.payoffs.reshape(n, -1))
    alpha, beta, leniency = _rates(cfg.alpha, cfg.beta, cfg.leniency)
    pieces = draws(rng, runs, cfg.steps, n)
    q, paid = np.zeros((runs, n, sizes.max())), np.zeros((runs, n))
    for part, first, last, uniforms in pieces:
        amounts = cfg.schedule(first, last)
        play(
            payoffs, sizes, cfg.boltzmann, amounts, uniforms, alpha, beta, leniency,
            q[part], paid[part],
        )  # fmt: skip
    tables = tuple(q[:, i, :k].copy() for i, k in enumerate(sizes))
    best = np.stack([table.argmax(axis=1) for table in tables], axis=1)
    return Learned(tables, best, paid / cfg.steps)


def one_player(game: NormalForm) -> NormalForm:
    """A team as a single player who chooses the joint action, in row-major order.

    Independent learning of this game is *central* learning of the team's.

    Raises
    ------
    InputError
        If the players' payoffs differ.

    Examples
    --------
    >>> print(one_player(NormalForm.bimatrix([[2, 0], [0, 1]], [[2, 0], [0, 1]])).payoffs)
    [[2. 0. 0. 1.]]
    """
    if (game.payoffs != game.payoffs[0]).any():
        raise InputError("game: need a team, in which all players' payoffs are equal")
    return NormalForm(game.payoffs[0].reshape(1, -1), title=game.title)


@kernel
def moved(
    value: float, target: float, alpha: float, beta: float, leniency: float, uniform: float
) -> float:
    """``value`` moved towards ``target``; less far, or not at all, where that is downwards."""
    delta, rate = target - value, alpha
    if delta < 0.0:
        rate = 0.0 if uniform < leniency else beta
    return value + rate * delta  # (1.15)


@kernel
def play(
    payoffs: Array,
    sizes: Ints,
    boltzmann: bool,
    amounts: Array,
    uniforms: Array,
    alpha: float,
    beta: float,
    leniency: float,
    q: Array,
    paid: Array,
) -> None:
    """Play rounds with exploration ``amounts`` (T,) and ``uniforms`` (R, T, n, 3).

    ``q`` (R, n, M) and ``paid`` (R, n), the sums of payoffs, are changed.
    """
    n, actions = len(sizes), np.zeros(len(sizes), dtype=np.int64)
    for run in range(len(q)):
        for t in range(len(amounts)):
            for i in range(n):
                actions[i] = explore(
                    q[run, i], sizes[i], boltzmann, amounts[t], uniforms[run, t, i]
                )
            joint = flat_index(sizes, actions)
            for i in range(n):
                reward, own = payoffs[i, joint], actions[i]
                q[run, i, own] = moved(
                    q[run, i, own], reward, alpha, beta, leniency, uniforms[run, t, i, 2]
                )
                paid[run, i] += reward
