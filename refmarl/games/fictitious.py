"""Fictitious play (course §1).

    x̄_i^{t+1} = x̄_i^t + 1/(t+1) (BR_i(x̄_-i^t) - x̄_i^t)                      (1.9)

Everybody plays a best response to the frequencies with which the others have played so far, all
at the same time; of several best actions the one of lowest index. x̄^t is the average of the
first t plays, so that t x̄^t are counts: the code keeps these, because whole numbers make ties
exact. With integer payoffs a run is then the same on every machine.

G. W. Brown 1951; J. Robinson 1951 (two-player zero-sum games converge); D. Monderer, L. Shapley
1996 (so do potential games); L. Shapley 1964 (a game where it cycles for ever).

Axes: n players, A_i actions, K recorded times, R runs.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import check
from ..check import Array, InputError, Profile
from ..kernels._jit import kernel
from ..kernels.joint import Ints, add_pure_values, mixed_values
from ._times import record_times
from .normal_form import NormalForm

MAX_STEPS = 100_000_000  # some seconds: a kernel cannot be interrupted


class Play(NamedTuple):
    """A run of fictitious play. Its exploitability is ``nash_conv(game, play.averages)``, (K,)."""

    times: Ints  # t, (K,)
    averages: Profile  # x̄^t, (K, A_i): a batch of profiles
    counts: tuple[Ints, ...]  # (A_i,), after the last step; initial counts included
    run_profiles: Ints  # (R, n): the joint actions played, without repetitions in a row
    run_lengths: Ints  # (R,): how often in a row; they sum to ``steps``


def fictitious_play(
    game: NormalForm,
    steps: int,
    start: Sequence[int] | None = None,
    times: Sequence[int] | None = None,
    initial_counts: Sequence[Any] | None = None,
) -> Play:
    """Play ``steps`` times by Eq. (1.9), any number of players.

    Two players cost O(A_1 + A_2) a step; more cost a pass over the payoff tensor, since products
    of frequencies cannot be summed up as one goes.

    Parameters
    ----------
    game : NormalForm
    steps : number of plays, 1 to 10⁸
    start : the first joint action, counted from 0: x̄^1. By default the best reply to the initial
        counts; without any all actions are equally good, and everybody begins with action 0.
    times : when to record the averages, increasing in 1..steps; by default about 100 times,
        evenly spaced in log t, from 1 to ``steps``
    initial_counts : n arrays (A_i,) of whole numbers ≥ 0, by default zeros  [+]
        Plays imagined before the first one. They enter all averages and the final counts, but
        not ``steps``: x̄_i^t = (initial + plays up to t) / (Σ initial + t). A single imagined
        play of each player is the same as ``start`` with one step more.

    Raises
    ------
    InputError
        If one of them does not fit the game.

    Examples
    --------
    >>> play = fictitious_play(NormalForm.zero_sum([[1, -1], [-1, 1]]), 4, times=[1, 4])
    >>> print(play.run_profiles.tolist(), play.run_lengths)
    [[0, 0], [0, 1], [1, 1]] [1 2 1]
    >>> print(play.averages[0])
    [[1.   0.  ]
     [0.75 0.25]]
    """
    steps = check.positive(steps, "steps", MAX_STEPS)
    sizes, n = game.num_actions, game.num_players
    when = record_times(times, steps, sum(sizes))
    counts = _initial_counts(game, initial_counts)
    first = np.full(n, -1) if start is None else _start(game, start)
    payoffs, history = np.array(game.payoffs.reshape(n, -1)), np.empty((len(when), *counts.shape))
    totals = counts.sum(axis=1) + when[:, None]  # (K, n)
    runs, number = play_kernel(
        payoffs, np.array(sizes), counts, first, when, steps, n == 2, history
    )
    averages = tuple(history[:, i, :k] / totals[:, i, None] for i, k in enumerate(sizes))
    ends = tuple(counts[i, :k].astype(np.int64) for i, k in enumerate(sizes))
    return Play(when, averages, ends, runs[:number, :n].copy(), runs[:number, n].copy())


def _start(game: NormalForm, start: Sequence[int]) -> Ints:
    """The first joint action, checked."""
    if len(start) != game.num_players:
        raise InputError(f"start: need {game.num_players} actions, got {len(start)}")
    pairs = enumerate(zip(start, game.num_actions, strict=True))
    return np.array([check.player(a, k, f"start of player {i}") for i, (a, k) in pairs])


def _initial_counts(game: NormalForm, given: Sequence[Any] | None) -> Array:
    """Imagined plays, checked; (n, max A_i), zero beyond A_i."""
    sizes = game.num_actions
    counts = np.zeros((len(sizes), max(sizes)))
    if given is None:
        return counts
    if len(given) != len(sizes):
        raise InputError(f"initial counts: need {len(sizes)} arrays, got {len(given)}")
    for i, k in enumerate(sizes):
        row = check.real_array(given[i], f"initial counts of player {i}", 1)
        if len(row) != k or (row < 0).any() or (row != np.floor(row)).any():
            raise InputError(
                f"initial counts of player {i}: need {k} whole numbers ≥ 0, got {given[i]}"
            )
        counts[i, :k] = row
    return counts


@kernel
def first_best(values: Array, size: int) -> int:
    """The lowest index among the first ``size`` whose value is largest."""
    best = 0
    for a in range(1, size):
        if values[a] > values[best]:
            best = a
    return best


@kernel
def note_run(runs: Ints, run: int, played: Ints) -> Ints:
    """``runs`` with the joint action ``played`` in row ``run``; twice as long where it was full."""
    rows, width = runs.shape
    if run == rows:
        longer = np.zeros((2 * rows, width), dtype=np.int64)
        for r in range(rows):
            for i in range(width):
                longer[r, i] = runs[r, i]
        runs = longer
    for i in range(width - 1):
        runs[run, i] = played[i]
    return runs


@kernel
def play_kernel(
    payoffs: Array,
    sizes: Ints,
    counts: Array,
    played: Ints,
    times: Ints,
    steps: int,
    incremental: bool,
    history: Array,
) -> tuple[Ints, int]:
    """(runs, R): a joint action and its length in each of the first R rows.

    ``counts`` (n, M) holds the initial counts, and the final ones in the end; ``history``
    (K, n, M) takes those at ``times``. ``played`` is the first joint action; a negative entry
    asks for a reply to the initial counts. Replies maximise values against counts, not against
    averages. ``incremental``, for two players only, adds the last play to these values;
    otherwise they are summed anew.
    """
    n, values = len(sizes), np.zeros(counts.shape)
    runs, run, k = np.zeros((16, n + 1), dtype=np.int64), -1, 0
    mixed_values(payoffs, sizes, counts, values)
    for t in range(1, steps + 1):
        changed = t == 1
        for i in range(n):
            action = played[i]
            if t > 1 or action < 0:
                action = first_best(values[i], sizes[i])
            changed = changed or action != played[i]
            played[i] = action
            counts[i, action] += 1.0  # (1.9) times its denominator: (t+1) x̄' = t x̄ + BR
        if incremental:
            add_pure_values(payoffs, sizes, played, values)
        else:
            mixed_values(payoffs, sizes, counts, values)
        if changed:
            run += 1
            runs = note_run(runs, run, played)
        runs[run, n] += 1
        if k < len(times) and times[k] == t:
            for i in range(n):
                for a in range(sizes[i]):
                    history[k, i, a] = counts[i, a]
            k += 1
    return runs, run + 1
