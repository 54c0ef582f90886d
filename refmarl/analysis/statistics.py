"""What a few runs say: means, interquartile means, intervals, probability of improvement.

A score is one number of one run. Several tasks are strata: a bootstrap draws runs anew within
each task, never across (Agarwal, Schwarzer, Castro, Courville & Bellemare 2021,
arXiv:2108.13264).

Axes: K tasks, n runs of a task, R resamples.

Examples
--------
>>> import numpy as np
>>> t_interval(np.array([1.0, 2.0, 3.0])).low.round(3)
np.float64(-0.484)
>>> iqm(np.array([0.0, 1.0, 2.0, 100.0]))
np.float64(1.5)
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..check import Array, InputError, generator, positive, real_array

Statistic = Callable[[Array], Array]  # (n, …) ↦ (…), over the first axis


class Interval(NamedTuple):
    """An estimate and where it may lie; arrays where the scores had further axes."""

    estimate: Array
    low: Array
    high: Array


def mean(scores: Array) -> Array:
    """The mean over the first axis."""
    found: Array = np.asarray(scores.mean(axis=0))[()]
    return found


def iqm(scores: Array) -> Array:
    """The interquartile mean over the first axis: of the middle half of the runs.

    A quarter of the total weight is cut off at either end; where n/4 is not whole, the runs at
    the border count in part, so that every n has one (no run is lost at n = 5).
    """
    n = len(scores)
    rank = np.arange(n)
    weight = np.clip(rank + 1, n / 4, 3 * n / 4) - np.clip(rank, n / 4, 3 * n / 4)
    found: Array = np.tensordot(weight, np.sort(scores, axis=0), axes=1) / weight.sum()
    return found[()]


STATISTICS: dict[str, Statistic] = {"mean": mean, "iqm": iqm}


def t_interval(scores: Array, level: float = 0.95) -> Interval:
    """Student's interval of the mean over the first axis, for n ≥ 2 independent runs.

    Exact for normal scores; for others only as n grows.

    Raises
    ------
    InputError
        If there are fewer than two runs.
    """
    from scipy.special import stdtrit

    scores = _scores(scores, 2)
    n = len(scores)
    half = stdtrit(n - 1, 0.5 + _level(level) / 2) * scores.std(axis=0, ddof=1) / np.sqrt(n)
    middle = mean(scores)
    return Interval(middle, middle - half, middle + half)


def share_interval(hits: int, runs: int, level: float = 0.95) -> Interval:
    """Clopper and Pearson's interval of a probability, from ``hits`` of ``runs`` independent runs.

    It covers the probability at least as often as ``level`` says, whatever the probability is
    (C. Clopper, E. Pearson 1934).

    Raises
    ------
    InputError
        If there is no run, or ``hits`` is not one of 0, …, ``runs``.
    """
    from scipy.special import betaincinv

    runs = positive(runs, "runs")
    if not 0 <= hits <= runs:
        raise InputError(f"hits: need a whole number of 0 to {runs}, got {hits!r}")
    tail = (1.0 - _level(level)) / 2
    low = betaincinv(hits, runs - hits + 1, tail) if hits else 0.0
    high = betaincinv(hits + 1, runs - hits, 1.0 - tail) if hits < runs else 1.0
    return Interval(np.array(hits / runs)[()], np.array(low)[()], np.array(high)[()])


def bootstrap(
    rng: np.random.Generator,
    tasks: Sequence[Array],
    statistic: Statistic = mean,
    level: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """The percentile interval of ``statistic`` of all runs of all tasks, stratified by task.

    Parameters
    ----------
    tasks : for each task the scores of its runs, (n_k, …) with equal further axes
    statistic : of all scores together, over the first axis

    Raises
    ------
    InputError
        If a task has fewer than two runs.
    """
    scores = [_scores(task, 2) for task in tasks]
    drawn = [_resampled(rng, task, resamples) for task in scores]  # each (n_k, R, …)
    values = statistic(np.concatenate(drawn))
    return _percentiles(statistic(np.concatenate(scores)), values, level)


def improvement(one: Array, two: Array) -> float:
    """P(X > Y) + ½ P(X = Y) for a run of each: Mann & Whitney's U over its largest value."""
    x, y = _scores(one, 1), _scores(two, 1)
    return float(_better(x[:, None], y[:, None])[0])


def improvement_interval(
    rng: np.random.Generator,
    one: Sequence[Array],
    two: Sequence[Array],
    level: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """The probability of improvement, averaged over the tasks, with its bootstrap interval.

    Raises
    ------
    InputError
        If the tasks are not as many, or one has fewer than two runs.
    """
    if len(one) != len(two) or not one:
        raise InputError(f"tasks: need as many of both, got {len(one)} and {len(two)}")
    values = np.zeros(resamples)
    for x, y in zip(one, two, strict=True):
        pair = (_resampled(rng, _scores(scores, 2), resamples) for scores in (x, y))
        values += _better(*pair) / len(one)
    estimate = np.mean([improvement(x, y) for x, y in zip(one, two, strict=True)])
    return _percentiles(np.asarray(estimate)[()], values, level)


def _better(x: Array, y: Array) -> Array:
    """(R,) share of the pairs in which x (n, R) is above y (m, R); ties count half.

    By ranks: sorting costs less than the n·m comparisons and their memory.
    """
    found = np.empty(x.shape[1])
    for r in range(x.shape[1]):
        below = np.sort(y[:, r])
        less = np.searchsorted(below, x[:, r], "left")
        not_more = np.searchsorted(below, x[:, r], "right")
        found[r] = (less + not_more).mean() / (2 * len(y))
    return found


def _resampled(rng: np.random.Generator, scores: Array, resamples: int) -> Array:
    """(n, R, …): R draws of n runs with repetition."""
    n = len(scores)
    index = generator(rng).integers(n, size=(n, positive(resamples, "resamples")))
    drawn: Array = scores[index]
    return drawn


def _percentiles(estimate: Array, values: Array, level: float) -> Interval:
    tail = (1.0 - _level(level)) / 2
    low, high = np.quantile(values, [tail, 1.0 - tail], axis=0)
    return Interval(estimate, low, high)


def _scores(values: Array, least: int) -> Array:
    scores = real_array(values, "scores")
    if scores.ndim == 0 or len(scores) < least:
        raise InputError(f"scores: need {least} runs or more, got {scores.shape[:1] or 'a number'}")
    return scores


def _level(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise InputError(f"level: need a number in (0, 1), got {level!r}")
    return level
