"""What a mended piece 7 of the museum must satisfy: nobody collides with itself."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ...spec import Answer, Mistake, Spec, close
from ._steps import SEEDS, halves, laws


class Case(NamedTuple):
    """Arguments of the piece's function."""

    position: Any
    radius: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to five agents, some at the same place."""
    rng = np.random.default_rng(draw(SEEDS))
    return Case(halves(rng, draw(st.integers(1, 5)), 2), draw(st.sampled_from([0.1, 0.6, 1.1])))


def _right(position: Any, radius: float) -> Any:
    found = np.zeros(len(position))
    for i, p in enumerate(position):
        for j, q in enumerate(position):
            found[i] -= i != j and np.hypot(*(p - q)) < 2 * radius
    return found


def _alone(answer: Answer, case: Case) -> None:
    apart = 10.0 * np.arange(1.0, 4.0)[:, None] * np.ones(2)
    close(answer(apart, case.radius), np.zeros(3), "the penalties of three agents far apart")
    heap = np.zeros((3, 2))
    close(answer(heap, case.radius), np.full(3, -2.0), "those of three agents at one place")


def _with_itself(position: Any, radius: float) -> Any:
    return _right(position, radius) - 1.0


def _once(position: Any, radius: float) -> Any:
    return np.maximum(_right(position, radius), -1.0)


def _not_at_one_place(position: Any, radius: float) -> Any:
    """Whoever is exactly where the agent is, is taken for itself."""
    far = np.sqrt(((position[:, None] - position[None]) ** 2).sum(axis=2))
    return -1.0 * ((far < 2 * radius) & (far > 0)).sum(axis=1)


def _shared(position: Any, radius: float) -> Any:
    found = _right(position, radius)
    return np.full(len(found), found.sum())


def _half(position: Any, radius: float) -> Any:
    return _right(position, radius / 2)


SPEC = Spec(
    exercise="museum-self-collision",
    function="collision_penalties",
    cases=cases(),
    properties=laws(
        _right,
        None,
        None,
        (
            "each agent is fined for the other agents that it touches",
            "Count by hand for the printed positions. Two agents may be at the same place.",
        ),
        (
            "agents far from each other are not fined, three at one place are fined twice",
            "How far is an agent from itself?",
            _alone,
        ),
    ),
    mistakes=(
        Mistake("everybody collides with itself", _with_itself),
        Mistake("several collisions count once", _once),
        Mistake("agents at exactly the same place do not count", _not_at_one_place),
        Mistake("everybody pays for all collisions", _shared),
        Mistake("they touch below one radius", _half),
    ),
    reference=_right,
)
