"""Policy hill climbing, and "win or learn fast" (course §1)  [+].

    Q_i(s, a_i) ← Q_i(s, a_i) + α (r_i + γ max_a' Q_i(s', a') - Q_i(s, a_i))
    π̄_i(s) ← π̄_i(s) + (π_i(s) - π̄_i(s)) / C(s)
    δ = δ_w  if Σ_a π_i(a|s) Q_i(s, a) > Σ_a π̄_i(a|s) Q_i(s, a),  else  δ_l
    π_i(a|s) ← π_i(a|s) - min(π_i(a|s), δ / (A_i - 1))   for all a but the greedy one: it gains that

Every agent learns values as if it were alone, as in (1.15), and a policy that may mix: it climbs
towards the greedy action by δ a step. With δ_w = δ_l that is *policy hill climbing* (PHC), which in
matching pennies goes round the equilibrium. WoLF-PHC takes δ_w < δ_l: who does better than its
average policy would, is winning and changes slowly; who does not, learns fast. That is enough to
converge there. C(s) counts the visits of s.

M. Bowling, M. Veloso 2002, "Multiagent learning using a variable learning rate".

Axes: n players, S states, A_i actions, M = max_i A_i, R runs, K recorded times, J joint actions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError
from ..kernels._jit import kernel
from ..kernels.joint import Ints, flat_index
from ._repeated import draws, fraction
from ._times import record_times
from .independent_q import moved
from .markov import MarkovGame, repeated
from .normal_form import NormalForm


@dataclass(frozen=True, kw_only=True)
class WolfConfig:
    """How PHC learners learn. A rate r with half-life h is r / (1 + t/h) in round t = 0, 1, …"""

    steps: int = 100_000  # T ≥ 1
    alpha: float = 0.1  # α in (0, 1], of the values
    delta_win: float = 0.001  # δ_w in [0, 1], of the policies
    delta_lose: float | None = 0.004  # δ_l in [0, 1]; None: δ_w, which is PHC
    alpha_half: float = np.inf  # > 0, in rounds; infinite: α is constant
    delta_half: float = np.inf  # > 0, in rounds, of both δ
    explore: float = 0.05  # ε in [0, 1]: any action, all alike
    restart: float = 0.0  # in [0, 1]: go on from an even draw of all states

    def __post_init__(self) -> None:
        check.positive(self.steps, "steps")
        fraction(self.alpha, "alpha", positive=True)
        for name in ("delta_win", "lose", "explore", "restart"):
            fraction(getattr(self, name), name)
        for name in ("alpha_half", "delta_half"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise InputError(f"{name}: need a number > 0, got {value!r}")

    @property
    def lose(self) -> float:
        """δ_l, also where it is δ_w."""
        return self.delta_win if self.delta_lose is None else self.delta_lose

    def rates(self, first: int, last: int) -> Array:
        """(α, δ_w, δ_l) of rounds first, …, last - 1, shape (last - first, 3).

        >>> print(WolfConfig(alpha=0.5, alpha_half=1, delta_win=0.1).rates(0, 2))
        [[0.5   0.1   0.004]
         [0.25  0.1   0.004]]
        """
        t = np.arange(first, last, dtype=float)
        slow = 1.0 + t / self.delta_half
        columns = (
            self.alpha / (1.0 + t / self.alpha_half),
            self.delta_win / slow,
            self.lose / slow,
        )
        return np.stack(columns, axis=1)


class PolicyPlay(NamedTuple):
    """What R runs came to: the policies at K times, the values in the end."""

    times: Ints  # (K,)
    policies: tuple[Array, ...]  # π_i, (R, K, S, A_i) for each player
    averages: tuple[Array, ...]  # π̄_i, the same
    q: tuple[Array, ...]  # Q_i, (R, S, A_i) for each player


def learn(
    game: NormalForm | MarkovGame,
    cfg: WolfConfig,
    rng: np.random.Generator,
    runs: int = 1,
    times: Sequence[int] | Any | None = None,
) -> PolicyPlay:
    """All players are WoLF-PHC learners while they play ``game``.

    Policies begin even and values at 0; of several greedy actions the first is taken. Run b depends
    on ``rng`` and on b alone, and the first rounds of a longer run are those of a shorter one.

    Parameters
    ----------
    game : MarkovGame, or NormalForm
        The latter is played again and again without a future: one state, γ = 0.
    cfg : WolfConfig
    rng : spawns a generator for each run
    runs : R ≥ 1
    times : after how many rounds to record, increasing in 1..steps; by default after the last

    Raises
    ------
    InputError
        If ``rng`` is no Generator, ``runs`` or ``times`` are not usable, or the records are larger
        than the cap.

    Examples
    --------
    >>> dilemma = NormalForm.bimatrix([[3, 0], [5, 1]], [[3, 5], [0, 1]])
    >>> found = learn(dilemma, WolfConfig(steps=5000), np.random.default_rng(0), runs=2)
    >>> print(found.policies[0][:, -1, 0].round(6))
    [[0. 1.]
     [0. 1.]]
    """
    markov = repeated(game, 0.0) if isinstance(game, NormalForm) else game
    n, sizes, S = markov.num_players, np.array(markov.num_actions), markov.num_states
    when = record_times([cfg.steps] if times is None else times, cfg.steps, 1)
    pieces = draws(rng, runs, cfg.steps, n + 1)
    check.size_cap((runs, len(when), 2, n, S, int(sizes.max())), "records")
    tables = (np.array(markov.reward.reshape(n, S, -1)), markov.transition.reshape(S, -1, S).copy())
    learners = _begin(sizes, runs, S)
    visits, state = np.zeros((runs, S)), np.full(runs, -1, dtype=np.int64)
    kept = np.zeros((runs, len(when), 2, *learners.shape[2:]))
    for part, first, last, uniforms in pieces:
        play(
            *tables, markov.initial.copy(), markov.gamma, sizes, cfg.rates(first, last),
            cfg.explore, cfg.restart, uniforms, when - first, learners[part], visits[part],
            state[part], kept[part],
        )  # fmt: skip
    paths = [tuple(kept[:, :, j, i, :, :k].copy() for i, k in enumerate(sizes)) for j in range(2)]
    q = tuple(learners[:, 2, i, :, :k].copy() for i, k in enumerate(sizes))
    return PolicyPlay(when, paths[0], paths[1], q)


def _begin(sizes: Ints, runs: int, num_states: int) -> Array:
    """(R, 3, n, S, M): even policies, their averages, values 0."""
    learners = np.zeros((runs, 3, len(sizes), num_states, int(sizes.max())))
    for i, k in enumerate(sizes):
        learners[:, 0, i, :, :k] = 1.0 / k
    return learners


@kernel
def draw(weights: Array, size: int, uniform: float) -> int:
    """The index at which the sums of the first ``size`` weights, which add up to 1, pass it."""
    chosen, below = 0, 0.0
    for a in range(size):
        if weights[a] > 0.0 and below <= uniform:
            chosen = a
        below += weights[a]
    return chosen


@kernel
def climb(pi: Array, mean: Array, q: Array, size: int, visits: float, rates: Array) -> None:
    """Average the policy of one player in one state, then move it; ``pi`` and ``mean`` change."""
    now, before, best = 0.0, 0.0, 0
    for a in range(size):
        mean[a] += (pi[a] - mean[a]) / visits
        now += pi[a] * q[a]
        before += mean[a] * q[a]
        if q[a] > q[best]:
            best = a
    delta = rates[1] if now > before else rates[2]
    for a in range(size):
        if a != best:
            step = min(pi[a], delta / (size - 1))
            pi[a] -= step
            pi[best] += step


@kernel
def play(
    reward: Array,
    transition: Array,
    initial: Array,
    gamma: float,
    sizes: Ints,
    rates: Array,
    epsilon: float,
    restart: float,
    uniforms: Array,
    times: Ints,
    learners: Array,
    visits: Array,
    state: Ints,
    kept: Array,
) -> None:
    """Play rounds with ``rates`` (T, 3) and ``uniforms`` (R, T, n + 1, 3), the last the game's.

    ``reward`` (n, S, J), ``transition`` (S, J, S), ``times`` (K,) from the first of these rounds
    on. ``learners`` (R, 3, n, S, M), ``visits`` (R, S), ``state`` (R,), -1 before the first round,
    and ``kept`` (R, K, 2, n, S, M) are changed.
    """
    n, num_states, actions = len(sizes), len(initial), np.zeros(len(sizes), dtype=np.int64)
    for run in range(len(state)):
        pi, mean, q = learners[run, 0], learners[run, 1], learners[run, 2]
        k = np.searchsorted(times, 1)
        for t in range(len(rates)):
            luck, s = uniforms[run, t, n], state[run]
            if s < 0:
                s = draw(initial, num_states, luck[1])
            elif luck[0] < restart:
                s = int(luck[1] * num_states)
            for i in range(n):
                if uniforms[run, t, i, 0] < epsilon:
                    actions[i] = int(uniforms[run, t, i, 1] * sizes[i])
                else:
                    actions[i] = draw(pi[i, s], sizes[i], uniforms[run, t, i, 1])
            joint = flat_index(sizes, actions)
            state[run] = draw(transition[s, joint], num_states, luck[2])
            visits[run, s] += 1.0
            for i in range(n):
                future, own = q[i, state[run], 0], actions[i]
                for a in range(1, sizes[i]):
                    future = max(future, q[i, state[run], a])
                target = reward[i, s, joint] + gamma * future
                q[i, s, own] = moved(q[i, s, own], target, rates[t, 0], rates[t, 0], 0.0, 1.0)
                climb(pi[i, s], mean[i, s], q[i, s], sizes[i], visits[run, s], rates[t])
            if k < len(times) and times[k] == t + 1:
                kept[run, k] = learners[run, :2]
                k += 1
