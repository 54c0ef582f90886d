"""Team navigation and pursuit (MPE's simple_spread and simple_tag): 200 steps by given actions.

Everybody starts in the same states, episodes are restarted after 25 steps, and everything is
observed after each step; the answer is what all agents see after five steps. In ``navigation`` and
``pursuit`` each step is a call, as whoever acts in between must do; in the ``-script`` tasks
everybody may do as many steps in one call as it can.

MPE2 and JaxMARL have the rules that ours have. VMAS has other laws of contact (and tag in ten
substeps), and starts and observes otherwise: of it only the amount of work is looked at.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ...value_grad import Real
from ..task import Peer, Task

STEPS, LOOK, HORIZON = 200, 5, 25


class Given(NamedTuple):
    """B copies of N agents: a world's name, a seed of the states, actions (STEPS, B, N)."""

    world: str
    seed: int
    action: Real

    @property
    def parts(self) -> list[Real]:
        """The actions of each group, (STEPS, B, N_g)."""
        return np.split(self.action, [GROUPS[self.world][0]], axis=2)[: len(GROUPS[self.world])]


class Seen(NamedTuple):
    """What was observed after ``LOOK`` steps."""

    obs: Real  # (B, numbers of all agents)
    foreign: int  # 1 where the rules are others


GROUPS = {"navigation": (3,), "pursuit": (3, 1)}
VMAS = {"navigation": 3 * 14, "pursuit": 3 * 16 + 14}  # numbers that it shows of a copy
MPE2 = {"navigation": "simple_spread", "pursuit": "simple_tag"}


def begin(world: str, seed: int, copies: int) -> tuple[Given, ...]:
    """Random actions."""
    rng = np.random.default_rng([seed, copies])
    return (Given(world, seed, rng.integers(0, 5, (STEPS, copies, sum(GROUPS[world])))),)


def same(world: str, truth: Seen, got: Seen) -> bool:
    """Every number, some count in float32; of other rules, that all is there, and other."""
    shape = (len(truth.obs), VMAS[world]) if got.foreign else truth.obs.shape
    if got.foreign not in (0, 1) or got.obs.shape != shape or not np.isfinite(got.obs).all():
        return False
    ours = got.obs.shape == truth.obs.shape and bool((abs(got.obs - truth.obs) < 1e-4).all())
    return ours != bool(got.foreign)


class _Ours:
    def __init__(self, given: Given) -> None:
        from ...env_api import advance
        from ...training.registry import environment

        self.env, self.advance = environment(given.world, {"horizon": HORIZON}), advance
        self.state = self.env.reset(np.random.default_rng(given.seed), given.action.shape[1])
        self.actions = list(zip(*given.parts, strict=True))

    def run(self) -> Any:
        env, advance, state = self.env, self.advance, self.state
        for t, actions in enumerate(self.actions, start=1):
            state = advance(env, state, actions).state
            obs = env.observe(state)
            if t == LOOK:
                seen = obs
        self.state = state
        return seen


class _OursScript:
    """An episode in a call."""

    def __init__(self, given: Given) -> None:
        from ...training.registry import environment

        self.env: Any = environment(given.world, {"horizon": HORIZON})
        self.rng, self.copies = np.random.default_rng(given.seed), given.action.shape[1]
        self.state = self.env.reset(self.rng, self.copies)
        cuts = range(0, STEPS, HORIZON)
        self.scripts = [tuple(p[t : t + HORIZON] for p in given.parts) for t in cuts]

    def run(self) -> Any:
        state, seen = self.state, None
        for script in self.scripts:
            played = self.env.play(state, script)
            if seen is None:
                seen = [obs[LOOK - 1] for obs in played.obs]
            state = self.env.reset(self.rng, self.copies)
        self.state = state
        return seen


class _Mpe2:
    def __init__(self, given: Given) -> None:
        module = import_module(f"mpe2.{MPE2[given.world]}_v3")
        self.env = module.parallel_env(max_cycles=HORIZON)
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
                seen = [row[None] for row in obs.values()]
            if not env.agents:
                env.reset()
        return seen


class _Vmas:
    """PyTorch on one thread; a call for each step, all copies reset after 25."""

    def __init__(self, given: Given) -> None:
        torch, vmas = import_module("torch"), import_module("vmas")
        torch.set_num_threads(1)
        sizes = {"navigation": {"n_agents": 3}, "pursuit": {}}[given.world]
        discrete = {"continuous_actions": False, "device": "cpu", "seed": 0}
        self.env = vmas.make_env(MPE2[given.world], given.action.shape[1], **discrete, **sizes)
        rows = torch.as_tensor(given.action)
        self.actions = [[row[:, [i]] for i in range(row.shape[1])] for row in rows]

    def run(self) -> Any:
        env = self.env
        for t, action in enumerate(self.actions, start=1):
            obs = env.step(action)[0]
            if t == LOOK:
                seen = obs
            if t % HORIZON == 0:
                env.reset()
        return seen


class _JaxMarl:
    """One jitted call for each step; its copies restart one by one, as its ``step`` does it."""

    def __init__(self, given: Given) -> None:
        jax, jaxmarl = import_module("jax"), import_module("jaxmarl")
        copies, put = given.action.shape[1], jax.numpy.asarray
        # its episodes end one step after max_steps
        self.env = env = jaxmarl.make(f"MPE_{MPE2[given.world]}_v3", max_steps=HORIZON - 1)
        self.jax, self.key = jax, jax.random.PRNGKey(0)
        _, state = jax.vmap(env.reset)(jax.random.split(self.key, copies))
        ours = _Ours(given).state
        place = np.concatenate([ours.x[..., :2], ours.landmark], axis=1)
        self.state = state.replace(p_pos=put(place, "float32"), p_vel=0 * state.p_vel)
        self.actions = put(given.action)
        self.rows, self.step = list(self.actions), jax.jit(self._step)

    def _step(self, key: Any, state: Any, row: Any) -> Any:
        """(key', state', what is seen)."""
        jax, names = self.jax, self.env.agents
        key, now = jax.random.split(key)
        action = {name: row[:, i] for i, name in enumerate(names)}
        obs, state, *_ = jax.vmap(self.env.step)(jax.random.split(now, len(row)), state, action)
        return key, state, [obs[name] for name in names]

    def run(self) -> Any:
        step, key, state = self.step, self.key, self.state
        for t, row in enumerate(self.rows, start=1):
            key, state, obs = step(key, state, row)
            if t == LOOK:
                seen = obs
        self.jax.block_until_ready(obs)
        self.key, self.state = key, state
        return seen


class _JaxMarlScript(_JaxMarl):
    """All steps in one jitted scan."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)

        def body(carried: Any, row: Any) -> Any:
            key, state, obs = self._step(carried[0], carried[1], row)
            return (key, state), obs

        self.scan = self.jax.jit(lambda *start: self.jax.lax.scan(body, start, self.actions))

    def run(self) -> Any:
        (self.key, self.state), obs = self.scan(self.key, self.state)
        self.jax.block_until_ready(obs)
        return [o[LOOK - 1] for o in obs]


def _run(env: Any) -> Any:
    return env.run()


def _seen(given: Given, result: Any, foreign: int = 0) -> Seen:
    rows = [np.asarray(part, dtype=np.float64) for part in result]
    return Seen(np.concatenate([row.reshape(len(row), -1) for row in rows], axis=1), foreign)


def _peer(
    name: str, prepare: Callable[[Given], Any], foreign: int = 0, largest: int | None = None
) -> Peer:
    answer = partial(_seen, foreign=foreign)
    return Peer(name=name, package=name, prepare=prepare, run=_run, answer=answer, largest=largest)


def _task(world: str, script: bool) -> Task:
    agents = " against ".join(map(str, GROUPS[world]))
    return Task(
        name=world + "-script" * script,
        title=f"{STEPS} steps of every copy of {world}, {agents} agents"
        + ", many in one call" * script,
        size="copies",
        sizes=(1, 100, 1000),
        quick=(1,),
        inputs=partial(begin, world),
        ours=_peer("refmarl", _OursScript if script else _Ours),
        peers=(
            _peer("mpe2", _Mpe2, largest=1),
            _peer("vmas", _Vmas, foreign=1),
            _peer("jaxmarl", _JaxMarlScript if script else _JaxMarl),
        ),
        same=partial(same, world),
        patience=30.0,
    )


TASKS = tuple(_task(world, script) for world in GROUPS for script in (False, True))
