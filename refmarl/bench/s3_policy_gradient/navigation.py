"""Team navigation (MPE's simple_spread): 200 steps of all copies by given actions.

Everybody starts in the same states, episodes are restarted after 25 steps; the answer is what all
agents see after five steps.
"""

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ...value_grad import Real
from ..task import Peer, Task

STEPS, LOOK, AGENTS, HORIZON = 200, 5, 3, 25


class Given(NamedTuple):
    """B copies of N agents: a seed of the states, actions (STEPS, B, N)."""

    seed: int
    action: Real


class Seen(NamedTuple):
    """(B, N, O), what was observed after ``LOOK`` steps."""

    obs: Real


def begin(seed: int, copies: int) -> tuple[Given, ...]:
    """Random actions."""
    rng = np.random.default_rng([seed, copies])
    return (Given(seed, rng.integers(0, 5, (STEPS, copies, AGENTS))),)


def same(truth: Seen, got: Seen) -> bool:
    """Every number."""
    return bool((abs(got.obs - truth.obs) < 1e-5).all())


class _Ours:
    def __init__(self, given: Given) -> None:
        from ...env_api import advance
        from ...envs import Navigation

        self.env, self.advance = Navigation(horizon=HORIZON), advance
        rng, copies = np.random.default_rng(given.seed), given.action.shape[1]
        self.state = self.env.reset(rng, copies)
        self.actions = [(row,) for row in given.action]

    def run(self) -> Any:
        env, advance, state = self.env, self.advance, self.state
        for t, action in enumerate(self.actions, start=1):
            state = advance(env, state, action).state
            (obs,) = env.observe(state)
            if t == LOOK:
                seen = obs
        self.state = state
        return seen


class _Mpe2:
    def __init__(self, given: Given) -> None:
        simple_spread = import_module("mpe2.simple_spread_v3")
        self.env = simple_spread.parallel_env(N=AGENTS, max_cycles=HORIZON)
        self.env.reset(seed=0)
        state, world = _Ours(given).state, self.env.unwrapped.world
        for agent, (x, y, u, v) in zip(world.agents, state.x[0], strict=True):
            agent.state.p_pos, agent.state.p_vel = np.array([x, y]), np.array([u, v])
        for mark, place in zip(world.landmarks, state.landmark[0], strict=True):
            mark.state.p_pos = place.copy()
        names = self.env.possible_agents
        rows = given.action[:, 0].tolist()
        self.actions = [dict(zip(names, row, strict=True)) for row in rows]

    def run(self) -> Any:
        env = self.env
        for t, action in enumerate(self.actions, start=1):
            obs = env.step(action)[0]
            if t == LOOK:
                seen = np.stack(list(obs.values()))[None]
            if not env.agents:
                env.reset()
        return seen


def _run(env: Any) -> Any:
    return env.run()


def _seen(given: Given, result: Any) -> Seen:
    return Seen(np.asarray(result, dtype=np.float64))


TASKS = (
    Task(
        name="navigation",
        title=f"{STEPS} steps of every copy of team navigation, 3 agents",
        size="copies",
        sizes=(1, 64, 1024),
        quick=(1,),
        inputs=begin,
        ours=Peer(name="refmarl", package="refmarl", prepare=_Ours, run=_run, answer=_seen),
        peers=(
            Peer(name="mpe2", package="mpe2", prepare=_Mpe2, run=_run, answer=_seen, largest=1),
        ),
        same=same,
        patience=10.0,
    ),
)
