"""Counterfactual regret minimisation  [+].

    v_i(s) = Σ of what leaves after s are worth to i, reached by chance and the other player as
             they are, by i itself surely up to s and by x_i from then on
    R_T(s) = Σ_{t≤T} v_i,t(s) - Σ_{s' in the set of s} x_t(s') v_i,t(s')
    x_{t+1} matches R_t at each information set, Eq. (1.11)

A game is played by one regret matcher at each information set. Player i's regret is at most the
sum of the positive parts of its sets' regrets, and so, after T rounds, at most Δ |I_i| √(A T). The
average strategy is that of sequences: round t counts at a set as often as its owner's own moves
lead there. In a zero-sum game its NashConv is the sum of both players' regrets, divided by T.

With ``alternating`` updates player 1 reacts in the same round to what player 0 has just learned.
The theorem does not cover that; as a rule the play is better. CFR+ clips the regrets at 0 (RM+),
alternates, and weighs round t by t.

M. Zinkevich, M. Johanson, M. Bowling, C. Piccione 2007, "Regret minimization in games with
incomplete information"; O. Tammelin 2014, arXiv:1407.5042 (CFR+); N. Burch, M. Moravčík,
M. Schmid 2019, "Revisiting CFR+ and alternating updates".

Axes: K recorded times, S sequences of both players.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import check
from ...check import Array
from ...kernels._jit import kernel
from .._times import record_times
from ..regret import ROUNDING, accumulate, match
from .tree import ExtensiveGame, Ints
from .value import gains, reach


class CfrPlay(NamedTuple):
    """Average strategies of CFR at the recorded times."""

    times: Ints  # (K,)
    averages: Array  # (K, S) behaviour strategies
    payoffs: Array  # (K,) mean over the rounds of u(x_t)
    regrets: Array  # (K, S) R_T(s) / T, never clipped
    strategy: Array  # (S,) the strategy of the round after the last


class _State(NamedTuple):
    matched: Array  # (S,)
    regrets: Array  # (S,)
    sums: Array  # (S,) weighted realisations
    strategy: Array  # (S,)
    paid: Array  # (1,)


def cfr(
    game: ExtensiveGame,
    steps: int,
    *,
    plus: bool = False,
    alternating: bool = True,
    linear: bool | None = None,
    times: Sequence[int] | Any | None = None,
) -> CfrPlay:
    """Both players minimise regret for ``steps`` rounds from the uniform strategy.

    Parameters
    ----------
    game : ExtensiveGame
    steps : number of rounds, ≥ 1
    plus : clip the regrets that are matched at 0 (with alternating updates and linear averages:
        CFR+)
    alternating : player 1 updates after player 0, in the same round; else both at once
    linear : weigh round t by t in the averages; by default where ``plus``
    times : when to record, increasing in 1..steps; by default about 100 times, evenly spaced in
        log t, from 1 to ``steps``

    Raises
    ------
    InputError
        If ``steps`` or ``times`` are not usable.

    Examples
    --------
    >>> from refmarl.games.extensive import expected_value, kuhn, nash_conv
    >>> game = kuhn()
    >>> x = cfr(game, 1000, plus=True).averages[-1]
    >>> nash_conv(game, x) < 2e-4, abs(expected_value(game, x) + 1/18) < 1e-4
    (True, True)
    """
    steps, size = check.positive(steps, "steps"), game.num_sequences
    weighted = plus if linear is None else linear
    when = record_times(times, steps, 2 * size)
    tree = (game.owner, game.offset, game.parent, game.last, game.weight)
    floor = ROUNDING * float(np.abs(game.payoff).max())
    state = _State(np.zeros(size), np.zeros(size), np.zeros(size), game.uniform(), np.zeros(1))
    averages: list[Array] = []
    payoffs, regrets, done = [], [], 0
    for t in [*when.tolist(), steps]:
        if t > done:
            play(*tree, floor, plus, alternating, weighted, done + 1, t, *state)
            done = t
        if len(averages) < len(when):
            averages.append(_average(game, state.sums))
            payoffs.append(state.paid[0] / t)
            regrets.append(state.regrets / t)
    return CfrPlay(
        when, np.stack(averages), np.array(payoffs), np.stack(regrets), state.strategy.copy()
    )


def _average(game: ExtensiveGame, sums: Array) -> Array:
    """Behaviour strategy of weighted realisations; uniform at a set that was never reached."""
    total = np.repeat(np.add.reduceat(sums, game.offset[:-1]), np.diff(game.offset))
    average = game.uniform()
    np.divide(sums, total, out=average, where=total > 0)
    return average


@kernel
def play(
    owner: Ints,
    offset: Ints,
    parent: Ints,
    last: Ints,
    weight: Array,
    floor: float,
    plus: bool,
    alternating: bool,
    linear: bool,
    first: int,
    final: int,
    matched: Array,
    regrets: Array,
    sums: Array,
    x: Array,
    paid: Array,
) -> None:
    """Rounds ``first`` to ``final``; the last five arrays, a ``_State``, are changed."""
    sets, size = len(owner), len(x)
    plan, gain = np.empty(size + 1), np.empty(size + 1)
    for t in range(first, final + 1):
        for player in range(2):
            if player == 0 or alternating:
                reach(offset, parent, x, plan)
            gains(last, weight, plan, player, gain)
            for k in range(sets - 1, -1, -1):
                if owner[k] == player:
                    a, b = offset[k], offset[k + 1]
                    for s in range(a, b):
                        gain[parent[k]] += x[s] * gain[s]
                        sums[s] += t * plan[s] if linear else plan[s]
                    accumulate(gain[a:b], x[a:b], b - a, plus, regrets[a:b], matched[a:b])
            if player == 0:
                paid[0] += gain[size]
            for k in range(sets):
                if owner[k] == player:
                    a, b = offset[k], offset[k + 1]
                    match(matched[a:b], b - a, floor * t, x[a:b])
