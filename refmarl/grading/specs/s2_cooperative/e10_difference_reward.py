"""What an answer to exercise 2.10 must satisfy."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from ....check import Array
from ....cooperative import difference
from ....testing.strategies import shapes
from ...spec import PURE, Answer, Mistake, Property, Spec, close, shaped
from .._layouts import layouts

Joint = tuple[int, ...]


class Case(NamedTuple):
    """Arguments of the exercise's function."""

    team: Array
    actions: Joint
    defaults: Joint


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to three agents, actions that are the default and others, ties."""
    sizes = draw(shapes(1, 3, max_actions=3))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    team = rng.integers(-9, 10, sizes) / 2.0
    actions, defaults = (tuple(int(rng.integers(k)) for k in sizes) for _ in range(2))
    return Case(team, actions, defaults)


def _shape(answer: Answer, case: Case) -> None:
    shaped(answer(*case), (case.team.ndim,), "D")


def _rewards(answer: Answer, case: Case) -> Array:
    _shape(answer, case)
    return np.asarray(answer(*case), dtype=float)


def _other(case: Case) -> tuple[int, Joint]:
    """(an agent with a choice, the joint action in which it alone takes its next action)."""
    i = int(np.argmax(case.team.shape))
    moved = (case.actions[i] + 1) % case.team.shape[i]
    return i, (*case.actions[:i], moved, *case.actions[i + 1 :])


def _aligned(answer: Answer, case: Case) -> None:
    i, other = _other(case)
    gained = float(case.team[other] - case.team[case.actions])
    moved = _rewards(answer, case._replace(actions=other))[i] - _rewards(answer, case)[i]
    close(moved, gained, f"the change of D of agent {i}, which alone goes to {other[i]}")


def _at_default(answer: Answer, case: Case) -> None:
    for i, c in enumerate(case.defaults):
        there = (*case.actions[:i], c, *case.actions[i + 1 :])
        got = _rewards(answer, case._replace(actions=there))[i]
        close(got, 0.0, f"D of agent {i} at its default action {c}")


def _level(answer: Answer, case: Case) -> None:
    got = _rewards(answer, case._replace(team=case.team + 4.0))
    close(got, _rewards(answer, case), "D with 4 added to the team's reward everywhere")


def _sum_of_parts(answer: Answer, case: Case) -> None:
    """G(a) = Σ_i g_i(a_i): everybody gets its own part, less that of the default."""
    sizes = case.team.shape
    parts = [case.team.reshape(-1)[:k] for k in sizes]
    additive = np.zeros(sizes)
    for a in product(*map(range, sizes)):
        additive[a] = sum(p[k] for p, k in zip(parts, a, strict=True))
    pairs = zip(parts, case.actions, case.defaults, strict=True)
    want = [p[a] - p[c] for p, a, c in pairs]
    close(answer(*case._replace(team=additive)), want, "D where G is a sum of own parts")


def _definition(answer: Answer, case: Case) -> None:
    want = []
    for i, c in enumerate(case.defaults):
        without = (*case.actions[:i], c, *case.actions[i + 1 :])
        want.append(case.team[case.actions] - case.team[without])
    close(answer(*case), want, "D")


def _library(team: Any, actions: Any, defaults: Any) -> Any:
    return difference.difference_rewards(team, defaults)[(slice(None), *actions)]


def _joint(team: Any, joint: Any) -> Any:
    return float(np.asarray(team)[tuple(joint)])


def _all_absent(team: Any, actions: Any, defaults: Any) -> Any:
    return np.full(len(actions), _joint(team, actions) - _joint(team, defaults))


def _in_turn(team: Any, actions: Any, defaults: Any) -> Any:
    """Agents leave one after the other."""
    n = len(actions)
    left = [_joint(team, (*defaults[:k], *actions[k:])) for k in range(n + 1)]
    return -np.diff(left)


def _alone(team: Any, actions: Any, defaults: Any) -> Any:
    """What an agent adds to the defaults of all others."""
    n, base = len(actions), _joint(team, defaults)
    rows = [(*defaults[:i], actions[i], *defaults[i + 1 :]) for i in range(n)]
    return np.array([_joint(team, row) - base for row in rows])


def _own(team: Any, actions: Any, i: int) -> Any:
    return np.asarray(team, dtype=float)[(*actions[:i], slice(None), *actions[i + 1 :])]


def _over_own(team: Any, actions: Any, middle: Any) -> Any:
    here = _joint(team, actions)
    return np.array([here - middle(_own(team, actions, i)) for i in range(len(actions))])


def _mean(team: Any, actions: Any, defaults: Any) -> Any:
    return _over_own(team, actions, np.mean)


def _regret(team: Any, actions: Any, defaults: Any) -> Any:
    return _over_own(team, actions, np.max)


def _zero(team: Any, actions: Any, defaults: Any) -> Any:
    return _library(team, actions, (0,) * len(actions))


def _whole(team: Any, actions: Any, defaults: Any) -> Any:
    return np.full(len(actions), _joint(team, actions))


def _shared(team: Any, actions: Any, defaults: Any) -> Any:
    return _library(team, actions, defaults) / len(actions)


def _negative(team: Any, actions: Any, defaults: Any) -> Any:
    return -_library(team, actions, defaults)


SPEC = Spec(
    exercise="difference-reward",
    function="difference_rewards",
    cases=cases(),
    properties=(
        Property("one number for each agent", _shape, "An array of n numbers.", gate=True),
        Property(
            "at its default action an agent's reward is 0",
            _at_default,
            "There a_i = c_i: nothing is replaced.",
            weight=0,
        ),
        Property(
            "when one agent alone changes its action, its reward changes as the team's does",
            _aligned,
            "What is subtracted must not depend on the own action.",
        ),
        Property(
            "where the team's reward is a sum of own parts, everybody gets its own",
            _sum_of_parts,
            "The others' parts cancel, because their actions are the same in both terms.",
            weight=0,
        ),
        Property(
            "the level of the team's reward does not count",
            _level,
            "It is a difference of two team rewards.",
            weight=0,
        ),
        Property(
            "it is G(a) less G with the own action replaced by the default",
            _definition,
            "Replace one action at a time; the others' stay those that were played.",
            weight=2,
        ),
        layouts(_definition, "team"),
        *PURE,
    ),
    mistakes=(
        Mistake("all agents are replaced at once", _all_absent),
        Mistake("agents are replaced one after the other and stay so", _in_turn),
        Mistake("the others are at their defaults, too", _alone),
        Mistake("the mean over the own actions takes the default's place", _mean),
        Mistake("the best own action takes the default's place", _regret),
        Mistake("action 0 is taken for everybody's default", _zero),
        Mistake("everybody gets the team's reward", _whole),
        Mistake("the difference is divided by the number of agents", _shared),
        Mistake("the sign is turned", _negative),
    ),
    reference=_library,
)
