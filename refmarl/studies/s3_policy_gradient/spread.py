"""The median over seeds and where it may lie."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from ...analysis.statistics import Interval, bootstrap
from ...check import Array


def interval(scores: Sequence[float] | Array) -> Interval:
    """The median of two or more seeds with its 95 % percentile bootstrap, of 2000 resamples."""
    median = partial(np.median, axis=0)
    return bootstrap(np.random.default_rng(0), [np.asarray(scores, dtype=float)], median)


def between(scores: Sequence[float] | Array) -> str:
    """The interval for a row's name, nothing for one seed.

    Examples
    --------
    >>> between([500.0, 500.0, 500.0]), between([3.0])
    (', 95 % [500.0, 500.0]', '')
    """
    if len(scores) < 2:
        return ""
    found = interval(scores)
    return f", 95 % [{found.low:.1f}, {found.high:.1f}]"
