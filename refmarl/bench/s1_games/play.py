"""Fictitious play and regret matching: ours and others'.

Two runs need not be the same: Nashpy breaks ties at random. What they must show is what theory says
of every run: convergence in rock-paper-scissors (Robinson 1951), and on Shapley's game (1964) a
cycle whose runs of equal play grow by the factor x with x³ = x² + 1.
"""

from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ...check import Array
from ...games import NormalForm, library, nash_conv
from ..task import Peer, Task

FACTOR = float(np.roots([1, -1, 0, -1])[0].real)  # 1.4656
WITHIN = 0.01  # of the factor, in the longest runs of 10 000 steps
CLOSE = 0.15  # NashConv of rock-paper-scissors after 1000 steps of fictitious play; 0.07 is usual
MATCHED = 0.026  # 2 Δ √(A / T): what regret matching guarantees after 10 000 steps


class Given(NamedTuple):
    """A game and how often it is played."""

    game: NormalForm
    steps: int


class Average(NamedTuple):
    """What a run of play comes to."""

    plays: float  # of each player, by the number of steps: 1
    nash_conv: float


class Growth(NamedTuple):
    """How runs of equal play grow."""

    plays: float  # by the number of steps: 1
    factor: float  # the last whole run by the one before


def rock_paper_scissors(seed: int, steps: int) -> tuple[Given, ...]:
    """The game, to be played ``steps`` times."""
    return (Given(library.game("rock-paper-scissors"), steps),)


def biased(seed: int, steps: int) -> tuple[Given, ...]:
    """Rock-paper-scissors with unequal stakes, to be played ``steps`` times."""
    return (Given(library.game("biased-rps"), steps),)


def shapley(seed: int, steps: int) -> tuple[Given, ...]:
    """Shapley's game, to be played ``steps`` times."""
    return (Given(library.game("shapley"), steps),)


# ------------------------------------------------------------------------------------------ answers


def average(given: Given, counts: Any) -> Average:
    """Of how often each action was played: two arrays."""
    totals = [float(np.sum(c)) for c in counts]
    profile = tuple(np.asarray(c, dtype=float) / t for c, t in zip(counts, totals, strict=True))
    plays = float(np.mean(totals)) / given.steps
    return Average(plays, float(nash_conv(given.game, profile)))


def same_average(close: float, truth: Average, got: Average) -> bool:
    """As many plays, and near an equilibrium."""
    return abs(got.plays - 1.0) < 1e-9 and got.nash_conv < close


def growth(given: Given, lengths: Any) -> Growth:
    """Of the lengths of all runs; the last one is cut off."""
    plays = float(np.sum(lengths)) / given.steps
    return Growth(plays, float(lengths[-2] / lengths[-3]))


def same_growth(truth: Growth, got: Growth) -> bool:
    """As many plays, and the factor of theory."""
    return abs(got.plays - 1.0) < 1e-9 and abs(got.factor - FACTOR) < WITHIN


def run_lengths(counts: Array) -> Array:
    """Of the counts of all actions after each step, (T, A_1 + A_2): how long nothing changed."""
    played = np.diff(counts, axis=0, prepend=np.zeros((1, counts.shape[1])))
    changes = np.flatnonzero((np.diff(np.round(played), axis=0) != 0).any(axis=1)) + 1
    return np.diff(np.concatenate([[0], changes, [len(counts)]]))


# --------------------------------------------------------------------------------------------- ways


def _same(given: Given) -> Given:
    return given


def _ours(given: Given) -> Any:
    from ...games import fictitious_play

    return fictitious_play(given.game, given.steps, times=[given.steps])


def _our_counts(given: Given, play: Any) -> Average:
    return average(given, play.counts)


def _our_runs(given: Given, play: Any) -> Growth:
    return growth(given, play.run_lengths)


def _ours_matching(given: Given) -> Any:
    from ...games import regret_matching

    return regret_matching(given.game, given.steps, times=[given.steps])


def _our_average(given: Given, play: Any) -> Average:
    return _strategies(given, [x[-1] for x in play.averages])


def _strategies(given: Given, found: Any) -> Average:
    """The answer of a method that tells mixtures, not counts."""
    return average(given, [given.steps * np.asarray(x) for x in found])


def _nashpy(given: Given) -> Any:
    return import_module("nashpy").Game(*given.game.payoffs), given.steps


def _nashpy_last(prepared: Any) -> Any:
    game, steps = prepared
    for counts in game.fictitious_play(iterations=steps):
        last = counts
    return last


def _nashpy_regrets(prepared: Any) -> Any:
    game, steps = prepared
    return next(iter(game.regret_minimization(iterations=steps)))


def _nashpy_list(prepared: Any) -> Any:
    game, steps = prepared
    return list(game.fictitious_play(iterations=steps))


def _nashpy_runs(given: Given, found: Any) -> Growth:
    counts = np.array([np.concatenate(pair) for pair in found])
    return growth(given, run_lengths(counts[counts.sum(axis=1) > 0]))


def _quantecon(given: Given) -> Any:
    theory = import_module("quantecon.game_theory")
    a, b = given.game.payoffs
    game = theory.NormalFormGame((theory.Player(a), theory.Player(np.ascontiguousarray(b.T))))
    return theory.FictitiousPlay(game), given.steps


def _quantecon_last(prepared: Any) -> Any:
    """Its first actions are a play, too."""
    learner, steps = prepared
    return learner.play(actions=(0, 0), num_reps=steps - 1)


def _quantecon_list(prepared: Any) -> Any:
    learner, steps = prepared
    return learner.time_series(ts_length=steps, init_actions=(0, 0))


def _quantecon_runs(given: Given, found: Any) -> Growth:
    averages = np.hstack(found)
    return growth(given, run_lengths(averages * np.arange(1, given.steps + 1)[:, None]))


def _peer(name: str, prepare: Any, run: Any, answer: Any) -> Peer:
    package = name.partition(" ")[0]
    return Peer(name=name, package=package, prepare=prepare, run=run, answer=answer)


TASKS = (
    Task(
        name="fictitious-play",
        title="fictitious play of rock-paper-scissors",
        size="steps",
        sizes=(1_000, 10_000, 100_000),
        quick=(10_000,),
        inputs=rock_paper_scissors,
        ours=_peer("refmarl", _same, _ours, _our_counts),
        peers=(
            _peer("nashpy", _nashpy, _nashpy_last, average),
            _peer("quantecon", _quantecon, _quantecon_last, _strategies),
        ),
        same=partial(same_average, CLOSE),
    ),
    Task(
        name="shapley-runs",
        title="fictitious play of Shapley's game, all run lengths",
        size="steps",
        sizes=(10_000, 100_000),
        quick=(10_000,),
        inputs=shapley,
        ours=_peer("refmarl", _same, _ours, _our_runs),
        peers=(
            _peer("nashpy", _nashpy, _nashpy_list, _nashpy_runs),
            _peer("quantecon", _quantecon, _quantecon_list, _quantecon_runs),
        ),
        same=same_growth,
    ),
    Task(
        name="regret-matching",
        title="regret matching of a biased rock-paper-scissors, expected regrets",
        size="steps",
        sizes=(10_000, 100_000),
        quick=(10_000,),
        inputs=biased,
        ours=_peer("refmarl", _same, _ours_matching, _our_average),
        peers=(_peer("nashpy", _nashpy, _nashpy_regrets, _strategies),),
        same=partial(same_average, MATCHED),
    ),
)
