"""Regret matching (course §1).

    R_t(a)     = Σ_{s≤t} u_s(a) - ⟨x_s, u_s⟩                                   (1.11)
    x_{t+1}(a) ∝ [R_t(a)]_+,  uniform if none is positive

u_s(a) is what action a would have paid in round s. Every player plays each action in proportion
to how much it regrets not having played it all along. The average regret max_a R_T(a)/T is at
most Δ √(A/T), where Δ is the range of the player's payoffs, whatever the others do; when all
play so, the average joint play is a coarse correlated equilibrium up to the largest of them.

S. Hart, A. Mas-Colell 2000 (regret matching, here with unconditional regrets); O. Tammelin 2014,
arXiv:1407.5042 (RM+, which forgets negative regrets).

Axes: n players, A_i actions, K recorded times, S = Π_i A_i joint actions, M = max_i A_i.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError, Profile
from ..kernels._jit import kernel
from ..kernels.joint import Ints, add_product, add_pure_values, flat_index, mixed_values
from ._times import record_times
from .normal_form import NormalForm

BLOCK = 1 << 16  # rounds whose random numbers are drawn at once
ROUNDING = 1e-14  # regret per round and size of payoff that is taken for rounding error


class RegretPlay(NamedTuple):
    """A run of regret matching. ``nash_conv(game, play.averages)`` is its exploitability, (K,)."""

    times: Ints  # t, (K,)
    averages: Profile  # mean of what was played up to t, (K, A_i): a batch of profiles
    strategies: Profile  # x_T, the last ones, (A_i,)
    joint: Array  # mean over all rounds of ⊗_i x_t, (A_1, …, A_n)
    regrets: Array  # max_a R_t(a) / t, (K, n); negative where no fixed action did as well


class _State(NamedTuple):
    """All that the rounds change; sums, not means."""

    matched: Array  # the regrets that are matched, (n, M): R, or the clipped ones of RM+
    regrets: Array  # R, (n, M)
    sums: Array  # of what was played, (n, M)
    joint: Array  # of products, (S,)
    strategies: Array  # x_t, (n, M)


def regret_matching(
    game: NormalForm,
    steps: int,
    *,
    plus: bool = False,
    linear: bool = False,
    rng: np.random.Generator | None = None,
    times: Sequence[int] | None = None,
) -> RegretPlay:
    """All players match regrets, Eq. (1.11), for ``steps`` rounds from uniform strategies.

    Without ``rng`` the regrets are expected ones: u_s(a) = u_i(a, x_-i,s), the bound holds surely
    and the run is deterministic. With it everybody draws an action in each round, u_s(a) =
    u_i(a, a_-i,s), ⟨x_s, u_s⟩ is the payoff received, and the bound holds in expectation;
    ``averages`` and ``joint`` are then frequencies of the actions drawn.

    Parameters
    ----------
    game : NormalForm
    steps : number of rounds, ≥ 1
    plus : match the clipped sums Q_t = [Q_{t-1} + u_t - ⟨x_t, u_t⟩]_+ instead of R_t (RM+)  [+]
        The same bound holds, since Q_t ≥ R_t. ``regrets`` are those of R in any case.
    linear : weigh round t by t in ``averages``, as Tammelin does with RM+  [+]
        ``joint`` and ``regrets`` remain plain means.
    rng : draws the actions; None for expected regrets
    times : when to record, increasing in 1..steps; by default about 100 times, evenly spaced in
        log t, from 1 to ``steps``

    Raises
    ------
    InputError
        If ``steps`` or ``times`` are not usable, or ``rng`` is not a Generator.

    Examples
    --------
    Against a column player who learns at the same speed, from uniform play:

    >>> play = regret_matching(NormalForm.zero_sum([[2, 0], [0, 1]]), 2, times=[1, 2])
    >>> print(play.averages[0])
    [[0.5  0.5 ]
     [0.75 0.25]]
    >>> print(play.regrets[0])
    [0.25 0.25]
    """
    steps = check.positive(steps, "steps")
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise InputError(f"rng: need a numpy Generator or None, got {type(rng).__name__}")
    n, sizes = game.num_players, np.array(game.num_actions)
    when = record_times(times, steps, int(sizes.sum()) + n)
    payoffs = np.array(game.payoffs.reshape(n, -1))
    floor = ROUNDING * np.abs(payoffs).max(axis=1)
    state = _fresh(sizes)
    sums, regrets, recorded = [], [], set(when.tolist())
    for first, last in _blocks(when, steps):
        draws = np.empty((0, n)) if rng is None else rng.random((last - first + 1, n))
        rounds(payoffs, sizes, floor, plus, linear, draws, first, last, *state)
        if last in recorded:
            sums.append(state.sums.copy())
            best = [r[:k].max() for r, k in zip(state.regrets, sizes, strict=True)]
            regrets.append(np.array(best) / last)
    totals = when * (when + 1) / 2 if linear else when.astype(float)
    averages = tuple(np.stack(sums)[:, i, :k] / totals[:, None] for i, k in enumerate(sizes))
    strategies = tuple(x[:k].copy() for x, k in zip(state.strategies, sizes, strict=True))
    joint = state.joint.reshape(game.num_actions) / steps
    return RegretPlay(when, averages, strategies, joint, np.stack(regrets))


def _fresh(sizes: Ints) -> _State:
    """The state before the first round: all zero."""
    tables = (np.zeros((len(sizes), sizes.max())) for _ in range(4))
    matched, regrets, sums, strategies = tables
    return _State(matched, regrets, sums, np.zeros(sizes.prod()), strategies)


def _blocks(times: Ints, steps: int) -> Iterator[tuple[int, int]]:
    """(first, last) round of each stretch: up to a recorded time, no longer than ``BLOCK``."""
    done = 0
    for stop in [*times.tolist(), steps]:
        while done < stop:
            last = min(stop, done + BLOCK)
            yield done + 1, last
            done = last


def match_regrets(utilities: Any, *, plus: bool = False) -> Array:
    """x_1, …, x_T of one player to whom the actions pay ``utilities`` in turn; (T, A), Eq. (1.11).

    Row t depends on the rows of ``utilities`` before t only; whatever they are, and even if they
    are chosen in knowledge of the strategies, max_a R_T(a) ≤ Δ √(A T).

    Parameters
    ----------
    utilities : float (T, A)
        u_t(a)
    plus : clip the sums, as in :func:`regret_matching`  [+]

    Raises
    ------
    InputError
        If ``utilities`` is not a matrix of finite numbers.

    Examples
    --------
    >>> print(match_regrets([[1, 0, 2], [0, 4, 0], [0, 0, 0]]).round(3))
    [[0.333 0.333 0.333]
     [0.    0.    1.   ]
     [0.    0.75  0.25 ]]
    """
    u = check.real_array(utilities, "utilities", 2)
    strategies = np.empty(u.shape)
    against(u, ROUNDING * float(np.abs(u).max()), plus, strategies)
    return strategies


@kernel
def match(regrets: Array, size: int, floor: float, x: Array) -> None:
    """Write into ``x`` the strategy that matches ``regrets``; uniform if they sum to ≤ floor."""
    total = 0.0
    for a in range(size):
        total += max(regrets[a], 0.0)
    for a in range(size):
        x[a] = max(regrets[a], 0.0) / total if total > floor else 1.0 / size  # (1.11)


@kernel
def accumulate(
    values: Array, x: Array, size: int, plus: bool, regrets: Array, matched: Array
) -> None:
    """Add the regrets u(a) - ⟨x, u⟩ of one round; ``matched`` is clipped at 0 for RM+."""
    mean = 0.0
    for a in range(size):
        mean += x[a] * values[a]
    for a in range(size):
        gain = values[a] - mean
        regrets[a] += gain  # (1.11)
        matched[a] += gain
        if plus:
            matched[a] = max(matched[a], 0.0)


@kernel
def against(utilities: Array, floor: float, plus: bool, strategies: Array) -> None:
    """Write into ``strategies`` (T, A) what :func:`match_regrets` returns."""
    steps, size = utilities.shape
    regrets, matched = np.zeros(size), np.zeros(size)
    for t in range(steps):
        match(matched, size, floor * (t + 1), strategies[t])
        accumulate(utilities[t], strategies[t], size, plus, regrets, matched)


@kernel
def drawn(x: Array, size: int, uniform: float) -> int:
    """The action at which the cumulated probabilities of ``x`` pass ``uniform``."""
    chosen, below = 0, 0.0
    for a in range(size):
        if x[a] > 0.0 and (below <= uniform):
            chosen = a
        below += x[a]
    return chosen


@kernel
def rounds(
    payoffs: Array,
    sizes: Ints,
    floor: Array,
    plus: bool,
    linear: bool,
    draws: Array,
    first: int,
    last: int,
    matched: Array,
    regrets: Array,
    sums: Array,
    joint: Array,
    strategies: Array,
) -> None:
    """Play rounds ``first`` to ``last``; without draws, expected regrets.

    ``draws`` are uniforms (rounds, n) or (0, n). The last five arrays, a ``_State``, are changed.
    """
    n = len(sizes)
    played, actions = np.zeros(strategies.shape), np.zeros(n, dtype=np.int64)
    values = np.zeros(strategies.shape)
    for t in range(first, last + 1):
        for i in range(n):
            match(matched[i], sizes[i], floor[i] * t, strategies[i])
        if len(draws) > 0:
            for i in range(n):
                actions[i] = drawn(strategies[i], sizes[i], draws[t - first, i])
                for a in range(sizes[i]):
                    values[i, a], played[i, a] = 0.0, 1.0 if a == actions[i] else 0.0
            add_pure_values(payoffs, sizes, actions, values)
            joint[flat_index(sizes, actions)] += 1.0
        else:
            mixed_values(payoffs, sizes, strategies, values)
            add_product(sizes, strategies, joint)
            for i in range(n):
                for a in range(sizes[i]):
                    played[i, a] = strategies[i, a]
        for i in range(n):
            accumulate(values[i], played[i], sizes[i], plus, regrets[i], matched[i])
            for a in range(sizes[i]):
                sums[i, a] += t * played[i, a] if linear else played[i, a]
