"""What an environment is: pure functions on batched states, agents in groups.

    state = env.reset(rng, B)                     B copies, each with its own random key
    obs = env.observe(state)                      one (B, N_g, O_g) for each group g
    state', step = env.step(state, actions)       actions: one array for each group
    state', step, final = advance(env, state, actions)      the same, ended copies restarted

A state is a NamedTuple of arrays with leading axis B and at least ``key`` (uint64), ``t`` (steps
taken) and ``ended``. All randomness is a function of (key, t): copy b of a batch behaves as it
would alone. ``terminated`` means that there is nothing to come, ``truncated`` that a time limit
cut the episode; both stay apart to the end.

Axes: B copies, G groups, N_g agents of a group, O_g observations, S numbers of the global state.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, NoReturn, TypeVar

import numpy as np

from .check import Array, InputError, generator, positive
from .config import check_fields
from .kernels.actions import clip
from .kernels.counter import next_keys
from .value_grad import Real

INT = np.dtype(np.int64)
Actions = tuple[Real, ...]
S = TypeVar("S", bound=Any)


@dataclass(frozen=True)
class Discrete:
    """Actions 0 … n-1; an array of them is (B, N_g) of integers."""

    n: int


@dataclass(frozen=True)
class MultiDiscrete:
    """One action of each of several sets; an array of them is (B, N_g, len(sizes))."""

    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Box:
    """Vectors of ``size`` real numbers in [low, high]; an array of them is (B, N_g, size)."""

    low: float
    high: float
    size: int


Space = Discrete | MultiDiscrete | Box


class Group(NamedTuple):
    """Agents that see and do alike: N_g names, O_g observed numbers, a space of actions."""

    name: str
    agents: tuple[str, ...]
    obs_dim: int
    space: Space


class Step(NamedTuple):
    """What one step brought."""

    reward: tuple[Real, ...]  # one (B, N_g) for each group
    terminated: Real  # (B,) of bool
    truncated: Real  # (B,) of bool


class Advance(NamedTuple):
    """A step after which ended copies have begun anew."""

    state: Any
    step: Step
    final: Any  # the states before restarting: what bootstrapping looks at


GREY = -1  # a colour of things that are no agent's


class Disc(NamedTuple):
    """A disc: an agent, a landmark, an obstacle."""

    centre: tuple[float, float]
    radius: float
    colour: int = GREY  # an index of a palette of distinct colours, or GREY
    filled: bool = True  # or its outline only


class Segment(NamedTuple):
    """A straight line: a wall, a pole, a lane, an arrow of velocity."""

    start: tuple[float, float]
    end: tuple[float, float]
    width: float = 0.0  # in the scene's units; 0 for a hairline
    colour: int = GREY


class Label(NamedTuple):
    """Text centred at a point."""

    at: tuple[float, float]
    text: str
    colour: int = GREY


Shape = Disc | Segment | Label


class Scene(NamedTuple):
    """What one copy looks like, in its own units, y upwards; later shapes lie on earlier ones."""

    limits: tuple[float, float, float, float]  # left, right, bottom, top
    shapes: tuple[Shape, ...]
    caption: str = ""


class Choice(NamedTuple):
    """A policy of one choice as kernels take it, and the uniform numbers that it draws with."""

    theta: Real  # (P,) of a perceptron of the layers ``sizes``, (O, …, K)
    sizes: Real
    smooth: bool  # tanh, else ReLU
    u: Real  # (T, B) in [0, 1)


class Rolled(NamedTuple):
    """T steps of B copies of one agent that a policy played, restarted where they ended."""

    state: Any  # after them
    obs: Real  # (T + 1, B, O)
    action: Real  # (T, B)
    log_prob: Real  # (T, B)
    reward: Real  # (T, B)
    flags: Real  # (2, T, B): terminated, truncated
    at: Real  # (F, 2): (t, b) of each end
    final: Real  # (F, O): what was seen there
    lengths: Real  # (F,)


class Env(ABC):
    """Base of all environments: frozen dataclasses of their parameters.

    Only ``groups``, ``restart``, ``observe`` and ``step`` must be written. Parameters that are an
    :func:`refmarl.config.option` are held against their type and range when one is made.
    """

    name: ClassVar[str]
    horizon: int  # steps until truncation; 0 for none

    def __post_init__(self) -> None:
        given: list[Any] = list(fields(self)) if is_dataclass(self) else []
        check_fields(self, [field for field in given if "within" in field.metadata])

    @cached_property
    @abstractmethod
    def groups(self) -> tuple[Group, ...]:
        """The groups of agents."""

    @abstractmethod
    def restart(self, key: Real) -> Any:
        """Initial states of copies with these keys (B,) of uint64."""

    @abstractmethod
    def observe(self, state: Any) -> tuple[Real, ...]:
        """What the agents see: one (B, N_g, O_g) for each group."""

    @abstractmethod
    def step(self, state: Any, actions: Actions) -> tuple[Any, Step]:
        """(state', what it brought); ``state`` is left as it was."""

    def reset(self, rng: np.random.Generator, num_envs: int) -> Any:
        """Initial states of ``num_envs`` copies."""
        size = positive(num_envs, "num_envs")
        return self.restart(generator(rng).integers(2**64, size=size, dtype=np.uint64))

    def mask(self, state: Any) -> tuple[Real | None, ...]:
        """Legal actions, one (B, N_g, K_g) of bool for each group, or None where all are.

        K_g counts the actions of all sets where there are several; every set keeps at least one,
        also of agents that are no longer alive.
        """
        return (None,) * len(self.groups)

    def alive(self, state: Any) -> tuple[Real | None, ...]:
        """Which agents still act, one (B, N_g) of bool for each group, or None for all."""
        return (None,) * len(self.groups)

    def global_state(self, state: Any) -> Real:
        """What a central critic may see, (B, S): by default all observations side by side."""
        return np.concatenate([o.reshape(len(o), -1) for o in self.observe(state)], axis=-1)

    def permuted(self, state: S, order: tuple[Real, ...]) -> S | None:
        """The same with each group's agents in another order, or None if they are not alike.

        Agent i of group g becomes what agent ``order[g][i]`` was. Where this is given, to permute
        and to step can be swapped; rewards are permuted with the agents.
        """
        return None

    def scene(self, state: Any, copy: int = 0) -> Scene:
        """What a copy looks like: a few discs, segments and labels, for a drawing.

        Raises
        ------
        InputError
            If this environment has no picture.
        """
        raise InputError(f"{self.name}: this environment has no picture")

    def roll(self, state: Any, choice: Choice) -> Rolled | None:
        """T steps that a policy plays, in one kernel: the bits of as many calls of ``advance``.

        None where there is no such kernel. Only for one agent, always alive, all actions legal.
        """
        return None

    @property
    def agents(self) -> tuple[str, ...]:
        """The names of all agents, group by group."""
        return tuple(agent for group in self.groups for agent in group.agents)

    @cached_property
    def action_shapes(self) -> tuple[tuple[int, ...], ...]:
        """What follows the axis B in the shape of each group's actions."""
        return tuple(_action_shape(group) for group in self.groups)


def advance(env: Env, state: S, actions: Actions) -> Advance:
    """Step, and restart the copies that ended: the only place where episodes begin anew.

    A restarted copy gets a new key, made from its old one.
    """
    after, step = env.step(state, actions)
    (ended,) = after.ended.nonzero()
    if len(ended) == 0:
        return Advance(after, step, after)
    keys = np.empty(len(ended), dtype=np.uint64)
    next_keys(after.key[ended], keys)
    fresh = env.restart(keys)
    if len(ended) == len(after.ended):
        return Advance(fresh, step, after)
    fields = []
    for old, new in zip(after, fresh, strict=True):
        field = old.copy()
        field[ended] = new
        fields.append(field)
    return Advance(type(after)(*fields), step, after)


def take(state: S, copies: Sequence[int] | slice | Real) -> S:
    """The states of some copies."""
    fields = [field[copies] for field in state]
    return type(state)(*fields)  # type: ignore[no-any-return]


def random_actions(env: Env, rng: np.random.Generator, state: Any) -> Actions:
    """Legal actions, each with the same probability (uniform in the box)."""
    chosen: list[Real] = []
    for group, mask in zip(env.groups, env.mask(state), strict=True):
        shape, space = (len(state.t), len(group.agents)), group.space
        if isinstance(space, Box):
            chosen.append(rng.uniform(space.low, space.high, (*shape, space.size)))
            continue
        sizes = (space.n,) if isinstance(space, Discrete) else space.sizes
        legal = np.ones((*shape, sum(sizes)), dtype=bool) if mask is None else mask
        parts = np.split(legal, np.cumsum(sizes)[:-1], axis=-1)
        drawn = [np.where(part, rng.random(part.shape), -1.0).argmax(axis=-1) for part in parts]
        chosen.append(drawn[0] if isinstance(space, Discrete) else np.stack(drawn, axis=-1))
    return tuple(chosen)


def discrete_actions(env: Env, num_envs: int, actions: Actions, group: int = 0) -> Real:
    """One group's actions as contiguous int64, (B, N_g) or (B, N_g, len(sizes)).

    Their range is left to the kernel.

    Raises
    ------
    InputError
        If ``actions`` is not a tuple of one array for each group, or this group's array is not
        one of integers of that shape.
    """
    array, need = _of_group(env, actions, group, num_envs)
    if array.shape != need or array.dtype.kind not in "iu":
        got = f"{array.dtype} {array.shape}"
        raise InputError(f"actions of {env.groups[group].name}: need integers {need}, got {got}")
    return np.ascontiguousarray(array, INT)  # the same one where it fits


def continuous_actions(env: Env, num_envs: int, actions: Actions, group: int = 0) -> Array:
    """One group's actions as contiguous float64 (B, N_g, size), clipped to the group's box.

    Raises
    ------
    InputError
        If ``actions`` is not a tuple of one array for each group, or this group's array is not
        one of finite numbers (B, N_g, size).
    """
    array, need = _of_group(env, actions, group, num_envs)
    here = env.groups[group]
    if not isinstance(here.space, Box):
        raise InputError(f"{here.name}: not a group of continuous actions")
    if array.shape != need or array.dtype.kind not in "fiu":
        got = f"{array.dtype} {array.shape}"
        raise InputError(f"actions of {here.name}: need finite {need}, got {got}")
    clipped = np.empty(need)
    if not clip(np.ascontiguousarray(array, np.float64), here.space.low, here.space.high, clipped):
        wrong = array[~np.isfinite(array)][0]
        raise InputError(f"actions of {here.name}: need finite {need}, got {wrong}")
    return clipped


def _of_group(
    env: Env, actions: Actions, group: int, num_envs: int
) -> tuple[Real, tuple[int, ...]]:
    """(the array of one group, the shape it needs), from a tuple of as many as there are groups."""
    shapes = env.action_shapes
    if not isinstance(actions, tuple) or len(actions) != len(shapes):
        got = len(actions) if isinstance(actions, tuple) else type(actions).__name__
        raise InputError(f"actions: need a tuple of {len(env.groups)} arrays, got {got}")
    return np.asarray(actions[group]), (num_envs, *shapes[group])


def _action_shape(group: Group) -> tuple[int, ...]:
    """(N_g,), (N_g, len(sizes)) or (N_g, size)."""
    count, space = len(group.agents), group.space
    if isinstance(space, Discrete):
        return (count,)
    return (count, len(space.sizes) if isinstance(space, MultiDiscrete) else space.size)


def refuse(env: Env, state: Any, actions: Actions) -> NoReturn:
    """Say why a step's kernel refused: a copy has ended, or an action is out of range.

    Raises
    ------
    InputError
        Always.
    """
    if state.ended.any():
        which = int(np.argmax(state.ended))
        raise InputError(f"{env.name}: copy {which} has ended; restart it, or use advance")
    for group, given in zip(env.groups, actions, strict=True):
        space = group.space
        if isinstance(space, Box):
            continue
        sizes = np.asarray(space.n if isinstance(space, Discrete) else space.sizes)
        outside = (np.asarray(given) < 0) | (given >= sizes)
        if outside.any():
            wrong = np.asarray(given)[outside][0]
            raise InputError(f"actions of {group.name}: need 0 ≤ action < {sizes}, got {wrong}")
    raise InputError(f"{env.name}: this joint action is not legal here")
