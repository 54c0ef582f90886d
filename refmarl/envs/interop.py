"""Our environments for the tools of others, and theirs for ours.

    to_parallel(env)        one copy as a PettingZoo ``ParallelEnv`` (needs nothing installed)
    to_gymnasium(env)       one copy of one agent as a ``gymnasium.Env``
    Foreign(make)           a Gymnasium environment or a PettingZoo ``ParallelEnv`` as an Env

``make`` is a function without arguments that builds the other's environment. Its copies live as
objects in the state and are stepped one after the other in Python, each from a deep copy, so that
a state can be kept and stepped again: right, but thousands of times slower than a kernel. Agents of
one group have the same numbers of observations and actions; an agent that is out of the game is
not alive and sees zeros.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..check import Array, InputError
from ..config import option
from ..env_api import (
    Actions,
    Box,
    Discrete,
    Env,
    Group,
    MultiDiscrete,
    Step,
    continuous_actions,
    discrete_actions,
    refuse,
)
from ..value_grad import Real
from ._spaces import ParallelSpace, flat, flat_size, native, their_action


class ParallelEnv:
    """One copy of an Env as PettingZoo's ``ParallelEnv``: agents by name, dicts of their own.

    Observations are float64 vectors; legal actions stand in ``infos[agent]["action_mask"]`` where
    there are illegal ones. All agents leave together.
    """

    render_mode = None

    def __init__(self, env: Env) -> None:
        self.env = env
        self.metadata = {"name": env.name, "render_modes": [], "is_parallelizable": True}
        self.possible_agents = list(env.agents)
        self.agents: list[str] = []
        self._rng = np.random.default_rng()
        self._state: Any = None
        self._seen, self._do = {}, {}
        for g in env.groups:
            for agent in g.agents:
                self._seen[agent] = ParallelSpace(Box(-np.inf, np.inf, g.obs_dim))
                self._do[agent] = ParallelSpace(g.space)

    @property
    def unwrapped(self) -> "ParallelEnv":
        """Itself."""
        return self

    @property
    def num_agents(self) -> int:
        """How many are in the game."""
        return len(self.agents)

    @property
    def max_num_agents(self) -> int:
        """How many there can be."""
        return len(self.possible_agents)

    @property
    def observation_spaces(self) -> dict[str, ParallelSpace]:
        """What each agent can see."""
        return self._seen

    @property
    def action_spaces(self) -> dict[str, ParallelSpace]:
        """What each agent can do."""
        return self._do

    def observation_space(self, agent: str) -> ParallelSpace:
        """What an agent can see: always the same object."""
        return self._seen[agent]

    def action_space(self, agent: str) -> ParallelSpace:
        """What an agent can do: always the same object."""
        return self._do[agent]

    def reset(
        self, seed: int | None = None, options: Any = None
    ) -> tuple[dict[str, Array], dict[str, dict[str, Any]]]:
        """A new episode; a seed also decides those after it."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._state = self.env.reset(self._rng, 1)
        self.agents = list(self.possible_agents)
        return self._observed(), self._infos()

    def step(self, actions: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
        """(observations, rewards, terminations, truncations, infos), each by agent."""
        if not self.agents:
            raise InputError(f"{self.env.name}: the episode has ended; reset it")
        given = []
        for g in self.env.groups:
            missing = [agent for agent in g.agents if agent not in actions]
            if missing:
                raise InputError(f"{self.env.name}: no action of {missing[0]}")
            rows = np.array([np.asarray(actions[agent]) for agent in g.agents])
            given.append(rows[None])
        self._state, step = self.env.step(self._state, tuple(given))
        rewards = np.concatenate(step.reward, axis=1)[0]
        paid = {agent: float(r) for agent, r in zip(self.agents, rewards, strict=True)}
        over = dict.fromkeys(self.agents, bool(step.terminated[0]))
        cut = dict.fromkeys(self.agents, bool(step.truncated[0]))
        seen, infos = self._observed(), self._infos()
        if self._state.ended[0]:
            self.agents = []
        return seen, paid, over, cut, infos

    def state(self) -> Array:
        """The global state, (S,)."""
        return np.asarray(self.env.global_state(self._state)[0])

    def render(self) -> None:
        """Nothing; see :meth:`refmarl.env_api.Env.scene`."""

    def close(self) -> None:
        """Nothing to close."""

    def _observed(self) -> dict[str, Array]:
        rows = [row for group in self.env.observe(self._state) for row in group[0]]
        return dict(zip(self.possible_agents, rows, strict=True))

    def _infos(self) -> dict[str, dict[str, Any]]:
        infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.possible_agents}
        for g, mask in zip(self.env.groups, self.env.mask(self._state), strict=True):
            if mask is not None:
                for agent, row in zip(g.agents, mask[0], strict=True):
                    infos[agent]["action_mask"] = row.astype(np.int8)
        return infos


def to_parallel(env: Env) -> ParallelEnv:
    """One copy of ``env`` as PettingZoo's ``ParallelEnv``.

    Examples
    --------
    >>> from refmarl.envs import Grid
    >>> theirs = to_parallel(Grid())
    >>> seen, infos = theirs.reset(seed=0)
    >>> seen, rewards, over, cut, infos = theirs.step({"walker 1": 0, "walker 2": 0})
    >>> rewards
    {'walker 1': 0.0, 'walker 2': 0.0}
    """
    return ParallelEnv(env)


def to_gymnasium(env: Env) -> Any:
    """One copy of an environment of one agent as a ``gymnasium.Env`` (which must be installed).

    Raises
    ------
    InputError
        If there is more than one agent.
    """
    import gymnasium
    from gymnasium import spaces

    if len(env.agents) != 1:
        raise InputError(f"{env.name}: Gymnasium knows one agent, here are {len(env.agents)}")
    space = env.groups[0].space
    kinds: dict[type, Callable[[Any], Any]] = {
        Discrete: lambda s: spaces.Discrete(s.n),
        MultiDiscrete: lambda s: spaces.MultiDiscrete(s.sizes),
        Box: lambda s: spaces.Box(s.low, s.high, (s.size,), np.float64),
    }

    class Single(gymnasium.Env):  # type: ignore[misc,unused-ignore]
        """One copy of one agent."""

        metadata: ClassVar[dict[str, Any]] = {"render_modes": []}
        action_space = kinds[type(space)](space)
        observation_space = spaces.Box(-np.inf, np.inf, (env.groups[0].obs_dim,), np.float64)

        def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Array, Any]:
            """A new episode; a seed also decides those after it."""
            super().reset(seed=seed)
            self._state = env.reset(self.np_random, 1)
            return self._observed(), self._info()

        def step(self, action: Any) -> tuple[Array, float, bool, bool, Any]:
            """(observation, reward, terminated, truncated, info)."""
            self._state, step = env.step(self._state, (np.asarray(action)[None, None],))
            ends = bool(step.terminated[0]), bool(step.truncated[0])
            return self._observed(), float(step.reward[0][0, 0]), *ends, self._info()

        def _observed(self) -> Array:
            return np.asarray(env.observe(self._state)[0][0, 0])

        def _info(self) -> dict[str, Any]:
            mask = env.mask(self._state)[0]
            return {} if mask is None else {"action_mask": mask[0, 0].astype(np.int8)}

    return Single()


class State(NamedTuple):
    """B copies of somebody else's environment, and what they showed last."""

    key: Real  # (B,) uint64
    t: Real  # (B,) int64
    ended: Real  # (B,) bool
    world: Real  # (B,) of objects
    seen: Array  # (B, sum of all agents' observations)
    legal: Real  # (B, sum of all agents' actions) of bool
    alive: Real  # (B, n) of bool


@dataclass(frozen=True, eq=False)
class Foreign(Env):
    """A Gymnasium environment or a PettingZoo ``ParallelEnv`` as an Env.

    Parameters
    ----------
    make : builds one, without arguments; a function of a module, if it is to be pickled
    horizon : steps until truncation beside their own; 0 if theirs is enough
    """

    name: ClassVar[str] = "foreign"
    make: Callable[[], Any]
    horizon: int = option(0, "steps until truncation beside their own", "[0, 1e9]")

    def __reduce__(self) -> tuple[Any, ...]:
        """What it was made of: not the one that was built to look at."""
        return Foreign, (self.make, self.horizon)

    @cached_property
    def _first(self) -> Any:
        return self.make()

    @cached_property
    def _parallel(self) -> bool:
        return hasattr(self._first, "possible_agents")

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(self._first.possible_agents) if self._parallel else ("agent",)

    def _spaces(self, agent: str) -> tuple[Any, Any]:
        """(what it sees, what it does), as they say it."""
        if self._parallel:
            return self._first.observation_space(agent), self._first.action_space(agent)
        return self._first.observation_space, self._first.action_space

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Neighbouring agents with equal numbers of observations and equal actions."""
        found: list[Group] = []
        for agent in self._names:
            sees, does = self._spaces(agent)
            size, space = flat_size(sees), native(does)
            if found and (found[-1].obs_dim, found[-1].space) == (size, space):
                found[-1] = found[-1]._replace(agents=(*found[-1].agents, str(agent)))
            else:
                found.append(Group(f"group {len(found) + 1}", (str(agent),), size, space))
        return tuple(found)

    def restart(self, key: Real) -> State:
        """Built anew, and reset with a seed made of each key."""
        size = len(key)
        room = self._room(size)
        for b in range(size):
            world = self.make()
            shown, infos = world.reset(seed=int(key[b] >> np.uint64(33)))
            room.world[b] = world
            self._show(room, b, shown, infos)
        return room._replace(key=key, t=np.zeros(size, dtype=np.int64))

    def observe(self, state: State) -> tuple[Array, ...]:
        """What they see, flat; categories are one-hot."""
        widths = [len(g.agents) * g.obs_dim for g in self.groups]
        parts = np.split(state.seen, np.cumsum(widths)[:-1], axis=1)
        return tuple(
            part.reshape(len(state.t), len(g.agents), g.obs_dim).copy()
            for part, g in zip(parts, self.groups, strict=True)
        )

    def mask(self, state: State) -> tuple[Real | None, ...]:
        """What ``action_mask`` says, in the observation or the info; everything elsewhere."""
        masks, k = [], 0
        for g in self.groups:
            wide = choices(g.space)
            part = state.legal[:, k : k + len(g.agents) * wide]
            k += len(g.agents) * wide
            masks.append(part.reshape(len(state.t), len(g.agents), wide).copy() if wide else None)
        return tuple(masks)

    def alive(self, state: State) -> tuple[Real | None, ...]:
        """Who is still in the game."""
        ends = np.cumsum([len(g.agents) for g in self.groups])[:-1]
        return tuple(part.copy() for part in np.split(state.alive, ends, axis=1))

    def step(self, state: State, actions: Actions) -> tuple[State, Step]:
        """One copy after the other, each on a deep copy of its world."""
        size = len(state.t)
        given = self._given(state, actions)
        room, reward = self._room(size), np.zeros((size, len(self._names)))
        terminated, truncated = np.zeros((2, size), dtype=bool)
        t = state.t + 1
        for b in range(size):
            room.world[b] = cloned(state.world[b])
            paid, over, cut = self._turn(room, b, {a: v[b] for a, v in given.items()})
            reward[b] = [float(paid.get(a, 0.0)) for a in self._names]
            late = bool(0 < self.horizon <= t[b]) or cut
            terminated[b], truncated[b] = over, late and not over
        ended = terminated | truncated
        ends = np.cumsum([len(g.agents) for g in self.groups])[:-1]
        rewards = tuple(np.split(reward, ends, axis=1))
        after = room._replace(key=state.key, t=t, ended=ended)
        return after, Step(rewards, terminated, truncated)

    def _given(self, state: State, actions: Actions) -> dict[str, Real]:
        """Each agent's actions (B, …), as they are to be told."""
        if state.ended.any():
            refuse(self, state, actions)
        told, names = {}, iter(self._names)
        for k, g in enumerate(self.groups):
            if isinstance(g.space, Box):
                rows: Real = continuous_actions(self, len(state.t), actions, k)
            elif isinstance(g.space, Discrete):
                rows = discrete_actions(self, len(state.t), actions, k)
            else:
                rows = np.asarray(actions[k]) if len(actions) == len(self.groups) else np.empty(0)
                if rows.shape != (len(state.t), len(g.agents), len(g.space.sizes)):
                    raise InputError(f"actions of {g.name}: got shape {rows.shape}")
            sizes = getattr(g.space, "n", getattr(g.space, "sizes", np.inf))
            if not isinstance(g.space, Box) and ((rows < 0) | (rows >= sizes)).any():
                refuse(self, state, actions)
            for i in range(len(g.agents)):
                told[next(names)] = rows[:, i]
        return told

    def _turn(
        self, room: State, b: int, actions: dict[str, Any]
    ) -> tuple[dict[str, float], bool, bool]:
        """(rewards, terminated, truncated) of one copy's step."""
        world = room.world[b]
        told = {a: their_action(self._spaces(a)[1], v) for a, v in actions.items()}
        if not self._parallel:
            shown, paid, over, cut, infos = world.step(told["agent"])
            self._show(room, b, shown, infos)
            return {"agent": paid}, bool(over), bool(cut) and not over
        there = list(world.agents)
        shown, paid, overs, cuts, infos = world.step({a: told[a] for a in there})
        self._show(room, b, shown, infos)
        done = not world.agents
        cut = done and any(cuts.get(a, False) and not overs.get(a, False) for a in there)
        return paid, done and not cut, cut

    def _room(self, size: int) -> State:
        """A state to fill."""
        wide = sum(len(g.agents) * g.obs_dim for g in self.groups)
        many = sum(len(g.agents) * choices(g.space) for g in self.groups)
        return State(
            key=np.zeros(size, dtype=np.uint64),
            t=np.zeros(size, dtype=np.int64),
            ended=np.zeros(size, dtype=bool),
            world=np.empty(size, dtype=object),
            seen=np.zeros((size, wide)),
            legal=np.ones((size, many), dtype=bool),
            alive=np.ones((size, len(self._names)), dtype=bool),
        )

    def _show(self, room: State, b: int, shown: Any, infos: Any) -> None:
        """Write what a copy shows into its row."""
        if not self._parallel:
            shown, infos = {"agent": shown}, {"agent": infos}
        there = room.world[b].agents if self._parallel else self._names
        at, k, sizes = 0, 0, {a: g for g in self.groups for a in g.agents}
        for i, agent in enumerate(self._names):
            g = sizes[str(agent)]
            room.alive[b, i] = agent in there or not there
            if agent in shown:
                room.seen[b, at : at + g.obs_dim] = flat(self._spaces(agent)[0], shown[agent])
            mask = _mask(shown.get(agent), infos.get(agent, {}))
            if mask is not None and choices(g.space):
                room.legal[b, k : k + choices(g.space)] = np.concatenate(
                    [np.ravel(m) for m in mask] if isinstance(mask, tuple) else [np.ravel(mask)]
                )
            at, k = at + g.obs_dim, k + choices(g.space)


def cloned(world: Any) -> Any:
    """A deep copy, wrappers and all.

    Environments that pickle as the arguments they were built with (``EzPickle``) would come out of
    ``deepcopy`` at their beginning: of these the attributes are copied.

    Raises
    ------
    InputError
        If something in it cannot be copied; what belongs to pygame, for drawing, is shared.
    """
    layers, memo = [world], {}
    while inner := vars(layers[-1]).get("env", vars(layers[-1]).get("aec_env")):
        layers.append(inner)
    try:
        for layer in reversed(layers):
            if hasattr(layer, "_ezpickle_args"):
                memo[id(layer)] = fresh = object.__new__(type(layer))
                for name, value in vars(layer).items():
                    drawn = type(value).__module__.partition(".")[0] == "pygame"
                    vars(fresh)[name] = value if drawn else copy.deepcopy(value, memo)
        return copy.deepcopy(world, memo)
    except TypeError as error:
        raise InputError(f"{type(layers[-1]).__name__}: cannot be copied: {error}") from None


def choices(space: Any) -> int:
    """How many entries a mask of this space has."""
    if isinstance(space, Discrete):
        return space.n
    return sum(space.sizes) if isinstance(space, MultiDiscrete) else 0


def _mask(shown: Any, info: Any) -> Any:
    """Legal actions, from where PettingZoo's environments have them."""
    if isinstance(shown, Mapping) and "action_mask" in shown:
        return shown["action_mask"]
    return info.get("action_mask") if isinstance(info, Mapping) else None
