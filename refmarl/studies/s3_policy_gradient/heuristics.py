"""What the plain policies of the environments earn beside uniform actions.

Every environment has a ``heuristic`` that looks at the whole state. It is no optimum; it says what
a learner should beat. Where an environment has an exact twin, both returns are known without
playing: Σ_t d_t · R^π with d_{t+1} = d_t P^π. Elsewhere the mean of the heuristic must reach what
the pages of the environments promise, and be above that of uniform actions, at 99.9 %.

A return is the mean over agents, undiscounted. Chasers are measured against prey that acts
uniformly, and prey against such chasers.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ...analysis import plots
from ...analysis.statistics import Interval, t_interval
from ...check import Array
from ...env_api import Actions, random_actions
from ...envs import (
    Acrobot,
    CartPole,
    Chain,
    ContinuousMountainCar,
    Foraging,
    Grid,
    Matrix,
    MountainCar,
    Navigation,
    Pendulum,
    Pursuit,
    Reference,
    SpeakerListener,
    TabularEnv,
)
from ...games.markov import joint_dynamics
from ..study import Outcome, Row, at_least, close
from .episodes import returns

LEVEL = 0.999


class Case(NamedTuple):
    """An environment, what its heuristic must earn at least, and what nobody can earn more than."""

    env: Any
    least: float
    most: float
    group: int | None = None  # who plans and is measured, the others act uniformly; None for all


class Earned(NamedTuple):
    """Returns of uniform actions and of the heuristic."""

    case: Case
    chance: Interval
    plan: Interval
    gain: Interval  # of one over the other

    @property
    def share(self) -> Interval:
        """The part of what can be gained over uniform actions."""
        room = self.case.most - float(self.chance.estimate)
        return Interval(*(np.asarray(x) / room for x in self.gain))


CASES = {
    "cartpole": Case(CartPole(), 100.0, 500.0),
    "pendulum": Case(Pendulum(), -400.0, 0.0),
    "acrobot": Case(Acrobot(), -200.0, 0.0),
    "mountain-car": Case(MountainCar(), -150.0, 0.0),
    "mountain-car-continuous": Case(ContinuousMountainCar(), 70.0, 100.0),
    "navigation": Case(Navigation(), -13.0, 0.0),
    "pursuit, chasers": Case(Pursuit(), 20.0, 750.0, 0),
    "pursuit, prey": Case(Pursuit(), -20.0, 0.0, 1),
    "speaker-listener": Case(SpeakerListener(), -20.0, 0.0),
    "reference": Case(Reference(), -13.5, 0.0),
    "foraging": Case(Foraging(), 0.45, 0.5),
}
TWINS: dict[str, tuple[Any, int | None]] = {  # with the heuristic's action, where it has but one
    "chain": (Chain(), 1),
    "grid, slip 0.3": (Grid(slip=0.3), None),
    "matrix, dilemma": (Matrix("prisoners-dilemma"), 0),
    "tabular, soccer": (TabularEnv("soccer"), 0),
}


def run(rng: np.random.Generator, full: bool = False) -> Outcome:
    """Every environment: uniform actions, and its heuristic."""
    episodes = 2000 if full else 100
    earned = {name: earn(case, rng, episodes) for name, case in CASES.items()}
    rows = [row for name, one in earned.items() for row in _compared(name, one)]
    for name, (env, action) in TWINS.items():
        rows += _exact(name, env, action, rng, 10 * episodes)
    caption = (
        "What heuristics gain over uniform actions, as a part of what could be gained at most "
        "(bars: 99.9 %). The bound is often out of reach: a car needs about 100 steps."
    )
    sample = (
        f"n = {episodes:,} episodes of each policy; where there is a twin, {10 * episodes:,}. "
        f"Intervals are Student's, at {LEVEL:.1%}."
    )
    return Outcome(tuple(rows), (plots.Figure(caption, (_panel(earned),)),), sample)


def earn(case: Case, rng: np.random.Generator, episodes: int) -> Earned:
    """Returns by chance and by plan."""
    groups, streams = case.env.groups, rng.spawn(2)
    mine = [g for g, group in enumerate(groups) for _ in group.agents]
    measured = np.array([case.group in (None, g) for g in mine])
    act = partial(planned, case.env, case.group, streams[1])
    chance, plan = (
        t_interval(returns(case.env, stream, episodes, how)[:, measured].mean(axis=1), LEVEL)
        for stream, how in zip(streams, (None, act), strict=True)
    )
    gain = plan.estimate - chance.estimate
    half = np.hypot(plan.high - plan.estimate, chance.high - chance.estimate)
    return Earned(case, chance, plan, Interval(gain, gain - half, gain + half))


def planned(env: Any, group: int | None, rng: np.random.Generator, state: Any) -> Actions:
    """What the heuristic does, but for other groups than ``group``: they act uniformly."""
    plan: Actions = env.heuristic(state)
    if group is None:
        return plan
    chance = random_actions(env, rng, state)
    return tuple(plan[g] if g == group else chance[g] for g in range(len(plan)))


def exact_return(env: Any, policies: Any) -> Array:
    """Expected undiscounted returns (N,) of stationary policies, from the twin."""
    twin = env.twin()
    chain, reward = joint_dynamics(twin, policies)
    where, total = twin.initial, np.zeros(twin.num_players)
    for _ in range(env.horizon):
        total, where = total + reward @ where, where @ chain
    return total


def policy_of(env: Any, action: int | None) -> Any:
    """The heuristic as policies of the twin: an action in all states, or the walkers' of a grid."""
    twin = env.twin()
    if action is not None:
        return twin.pure([[action] * twin.num_states] * twin.num_players)
    pairs = np.array([[int(cell) for cell in name.split(",")] for name in twin.states])
    state = env.reset(np.random.default_rng(0), len(pairs))._replace(cell=pairs)
    return twin.pure(env.heuristic(state)[0].T.tolist())


def _exact(
    name: str, env: Any, action: int | None, rng: np.random.Generator, episodes: int
) -> Iterator[Row]:
    """Both returns of player 1 beside those of the twin."""
    for says, policies, act in (
        ("uniform actions", env.twin().uniform(), None),
        ("heuristic", policy_of(env, action), partial(planned, env, None, rng)),
    ):
        got = t_interval(returns(env, rng, episodes, act)[:, 0], LEVEL)
        half = float(got.high - got.estimate)
        wanted = float(exact_return(env, policies)[0])
        yield close(f"{name}: {says}, player 1", float(got.estimate), wanted, half + 1e-9)


def _compared(name: str, one: Earned) -> Iterator[Row]:
    chance, plan = float(one.chance.estimate), float(one.plan.estimate)
    says = f"{name}: heuristic {plan:.4g}, uniform {chance:.4g}"
    yield at_least(f"{says}; lower end of the gain", float(one.gain.low), 0.0)
    yield at_least(
        f"{name}: lower end of the heuristic's mean", float(one.plan.low), one.case.least
    )


def _panel(earned: dict[str, Earned]) -> plots.Panel:
    shares = [one.share for one in earned.values()][::-1]

    def draw(ax: Any) -> None:
        middle = np.array([float(s.estimate) for s in shares])
        half = np.array([float(s.high - s.estimate) for s in shares])
        ax.barh(range(len(shares)), middle, xerr=half, color=plots.SKY, ecolor=plots.INK)
        ax.set_yticks(range(len(shares)), list(earned)[::-1])
        ax.set(xlabel="share of the possible gain", xlim=(0.0, 1.0))

    alt = "Every heuristic gains; most of what is possible in navigation and foraging."
    return plots.Panel("Heuristics", alt, draw, size=(5.0, 3.6))
