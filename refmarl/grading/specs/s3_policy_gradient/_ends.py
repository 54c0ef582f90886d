"""Steps of several copies with both kinds of ends, for the exercises about returns."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....testing.trajectories import streams


class Steps(NamedTuple):
    """T steps of B copies, all (T, B)."""

    reward: Array
    value: Array
    next_value: Array
    terminated: Any
    truncated: Any
    gamma: float
    lam: float


@st.composite
def steps(draw: st.DrawFn) -> Steps:
    """Up to six steps of up to three copies; what follows a terminal step is meaningless.

    At some terminal steps the clock runs out as well.
    """
    *arrays, ended, gamma, lam = draw(streams(6))
    reward, value, after, terminated = arrays
    reward, value, after = (np.rint(2.0 * x) / 2.0 for x in (reward, value, after))
    after = np.where(terminated, 50.0 + after, after)
    both = terminated & (value > 0.5)
    return Steps(reward, value, after, terminated, ended & ~terminated | both, gamma, lam)


def last(case: Any, t: int, b: int) -> int:
    """The last row of the episode to which row t of copy b belongs, within what is there."""
    k = t
    while k < len(case.reward) - 1 and not (case.terminated[k, b] or case.truncated[k, b]):
        k += 1
    return k


def copy_of(case: Any, b: int) -> Any:
    """One copy alone."""
    fields = {name: x[:, [b]] for name, x in case._asdict().items() if isinstance(x, np.ndarray)}
    return case._replace(**fields)


def rows_of(case: Any, start: int, stop: int) -> Any:
    """Rows start ≤ t < stop alone."""
    fields = {n: x[start:stop] for n, x in case._asdict().items() if isinstance(x, np.ndarray)}
    return case._replace(**fields)
