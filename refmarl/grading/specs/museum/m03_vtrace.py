"""What a mended piece 3 of the museum must satisfy: targets come from the same trajectory."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ...spec import Answer, Mistake, Spec, close
from ._steps import GAMMAS, SEEDS, ends, halves, laws


class Case(NamedTuple):
    """Arguments of the piece's function."""

    ratio: Any
    reward: Any
    value: Any
    next_value: Any
    terminated: Any
    truncated: Any
    gamma: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Streams of two to six steps, ends of both kinds, ratios on both sides of 1."""
    rng = np.random.default_rng(draw(SEEDS))
    steps = draw(st.integers(2, 6))
    reward, value, beyond = (halves(rng, steps) for _ in range(3))
    over, cut = ends(rng, steps)
    after = np.where(over | cut, beyond, _below(value, beyond))
    return Case(rng.integers(1, 7, steps) / 4, reward, value, after, over, cut, draw(GAMMAS))


def _below(value: Any, beyond: Any) -> Any:
    """V of the row below, and after the last row something else."""
    return np.append(value[1:], beyond[-1:])


def _right(
    ratio: Any, reward: Any, value: Any, next_value: Any, terminated: Any, truncated: Any,
    gamma: float, clip: float = 1.0,
) -> Any:  # fmt: skip
    """Trajectory by trajectory, so that nothing can leak."""
    rho, out = np.minimum(ratio, clip), np.zeros(len(reward))
    stops = [*np.flatnonzero(terminated | truncated), len(reward) - 1]
    start = 0
    for stop in sorted({int(s) for s in stops}):
        after = 0.0 if terminated[stop] else next_value[stop]
        above = after  # v of the state below
        for t in reversed(range(start, stop + 1)):
            v_below = after if t == stop else next_value[t]
            out[t] = rho[t] * (reward[t] + gamma * above - value[t])
            delta = rho[t] * (reward[t] + gamma * v_below - value[t])
            rest = 0.0 if t == stop else gamma * rho[t] * (above - value[t + 1])
            above = value[t] + delta + rest
        start = stop + 1
    return out


def _plain(case: Case) -> Case:
    after = _below(case.value, case.next_value)
    return case._replace(next_value=after, truncated=np.zeros(len(case.reward), dtype=bool))


def _cut(answer: Answer, case: Case) -> None:
    """V = 1 in the first trajectory, which the clock cuts, and 100 in the second; no rewards."""
    steps = len(case.reward)
    cut, value = np.zeros(steps, dtype=bool), np.full(steps, 100.0)
    cut[0], value[0] = True, 1.0
    given = Case(np.ones(steps), 0.0 * value, value, value, cut & ~cut, cut, 1.0)
    close(answer(*given)[:1], [0.0], "the advantage at the cut, V = 1 before it and 100 after it")
    paid = given._replace(reward=3.0 * cut)
    close(answer(*paid)[:1], [3.0], "the same, with a reward of 3 at the cut")


def _shifted(*given: Any) -> Any:
    c = Case(*given)
    return _of(c, np.append(_targets(c)[1:], c.next_value[-1:]))


def _targets(c: Case) -> Any:
    """v, from the advantages of the reference: v = V + rho (r + gamma v' - V), both clips at 1."""
    return c.value + _right(*c)


def _of(c: Case, following: Any) -> Any:
    rho = np.minimum(c.ratio, 1.0)
    return rho * (c.reward + c.gamma * np.where(c.terminated, 0.0, following) - c.value)


def _td(*given: Any) -> Any:
    c = Case(*given)
    return _of(c, c.next_value)


def _unclipped(*given: Any) -> Any:
    return _right(*Case(*given), clip=10.0)


def _cut_is_over(*given: Any) -> Any:
    c = Case(*given)
    return _right(*c._replace(terminated=c.terminated | c.truncated))


def _no_ratio(*given: Any) -> Any:
    c = Case(*given)
    return _right(*c._replace(ratio=np.ones(len(c.ratio))))


SPEC = Spec(
    exercise="museum-vtrace-next-trajectory",
    function="vtrace_advantage",
    cases=cases(),
    properties=laws(
        _right,
        _plain,
        (
            "where no clock cuts the advantages are what they were",
            "The targets were right everywhere.",
        ),
        (
            "a batch gives what its trajectories give one by one",
            "Only the last use of the targets can look across a cut.",
        ),
        (
            "at a cut the advantage is told by next_value, not by the next trajectory",
            "following[t] is the target of row t + 1. Whose row is that?",
            _cut,
        ),
    ),
    mistakes=(
        Mistake("the row below is used across a cut", _shifted),
        Mistake("V is used in place of the targets", _td),
        Mistake("ratios are not clipped", _unclipped),
        Mistake("a cut is taken for the end of the world", _cut_is_over),
        Mistake("the ratio is left out", _no_ratio),
    ),
    reference=_right,
)
