"""Soft actor–critic's updates, compiled: what ``sac.py`` defines, only faster.

They apply where all actions are of boxes and the perceptron's kernels apply to the networks
(:mod:`refmarl.nn.fused`); everything else takes the definition. The same random numbers are drawn
in the same order, so that results agree with it to rounding. A :class:`Part` is changed in place;
it starts as a copy, so that nobody else's agent is.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..env_api import Box, Env
from ..kernels import perceptron
from ..kernels import soft as kernels
from ..nn import fused
from ..nn.optim import TINY, Adam
from ..nn.optim import State as OptState
from ..replay import Ring, ring
from ..rollout import Arrays
from ..value_grad import Real
from .actor_critic import rows
from .soft_networks import LOG_STD, actor, back, critic, normal, outer, width

Others = Callable[[Env, Arrays, Arrays, int], Real | None]
BOUNDS, NOBODY = np.array(LOG_STD), np.empty(0, bool)
TOLD = ("target", "critic_loss", "q", "actor_loss", "entropy", "alpha")


class Nets(NamedTuple):
    """Networks of a group with Adam's numbers, changed in place; all flat."""

    theta: Real
    phi: Real
    phi_target: Real
    log_alpha: Real
    moments: Real  # (2, L·P)
    others: Real  # (2, 2·L·Q)
    tempers: Real  # (2, L)
    steps: Real  # (3,)


class Rows(NamedTuple):
    """What an update works on, see ``kernels.soft.prepare``."""

    drawn: Real
    seen: Real
    x: Real
    x_next: Real
    told: Real
    weight: Real
    over: Real


class Room(NamedTuple):
    """Where a kernel puts what lies between."""

    hidden: Real
    judged: Real
    q: Real
    params: Real
    room: Real
    drawn: Real
    slopes: Real


class Part(NamedTuple):
    """A group: its networks, and room for an update."""

    like: Real  # θ as the agent has it, for its axes
    nets: Nets
    rows: Rows
    room: Room
    sizes: Real
    widths: Real
    smooth: bool
    tune: bool
    scales: Real
    shapes: tuple[tuple[int, ...], ...]  # of θ, φ, log α
    agents: int


def begin(
    env: Env, cfg: Any, agent: Any, adam: Adam, extra: tuple[int, ...]
) -> tuple[Part, ...] | None:
    """The groups' parts, whose critics see ``extra`` numbers of others; None if that cannot be."""
    if not all(isinstance(group.space, Box) for group in env.groups) or not fused.ENABLED:
        return None
    parts = []
    for g, seen in enumerate(extra):
        part = _part(env, cfg, agent, adam, g, seen)
        if part is None:
            return None
        parts.append(part)
    return tuple(parts)


def _part(env: Env, cfg: Any, agent: Any, adam: Adam, g: int, extra: int) -> Part | None:
    group, kind = env.groups[g], agent.theta[g].dtype
    own = actor(group, cfg.hidden, cfg.activation).net
    judge = critic(group, cfg.hidden, cfg.activation, extra)
    sizes, widths = (fused.plan(n.sizes, n.activation, n.layer_norm) for n in (own, judge))
    if sizes is None or widths is None or not fused.applies(agent.theta[g], agent.phi[g]):
        return None
    opts = agent.opt_theta[g], agent.opt_phi[g], agent.opt_alpha[g]
    flat = [a[g].reshape(-1).copy() for a in agent[:4]]
    both = [np.array([o.m.reshape(-1), o.v.reshape(-1)]) for o in opts]
    nets = Nets(*[*flat, *both, np.array([o.step for o in opts])])
    goal = cfg.entropy * width(group)
    constants = adam.beta1, adam.beta2, adam.epsilon, TINY[kind.itemsize]
    scales = cfg.gamma, cfg.tau, goal, cfg.lr, cfg.alpha_lr, *LOG_STD, *constants
    shapes = agent.theta[g].shape, agent.phi[g].shape, agent.log_alpha[g].shape
    count = len(group.agents)
    total = cfg.batch * count
    return Part(
        agent.theta[g], nets, _rows(total, sizes, widths, kind),
        _room(total // len(flat[3]), sizes, widths, kind), sizes.sizes, widths.sizes, sizes.smooth,
        cfg.tune, np.array(scales), shapes, count,
    )  # fmt: skip


def _rows(total: int, sizes: fused.Plan, widths: fused.Plan, kind: Any) -> Rows:
    inputs, wide, out = (int(k) for k in (sizes.sizes[0], widths.sizes[0], sizes.sizes[-1]))
    shapes = (
        (total * out // 2,), (total * inputs,), (total * wide,), (total * wide,), (2, total),
        (total,),
    )  # fmt: skip
    return Rows(*[*(np.empty(shape, kind) for shape in shapes), np.empty(total, bool)])


def _room(count: int, sizes: fused.Plan, widths: fused.Plan, kind: Any) -> Room:
    most, out = int(max(*sizes.sizes, *widths.sizes)), int(sizes.sizes[-1])
    size = max(perceptron.parameters(sizes.sizes), perceptron.parameters(widths.sizes))
    shapes = (
        (count * sum(sizes.widths),), (2, count * sum(widths.widths)), (2, count), (count * out,),
        (2, count * most), (2, count * out // 2), (size,),
    )  # fmt: skip
    return Room(*(np.empty(shape, kind) for shape in shapes))


def acting(
    env: Env, parts: tuple[Part, ...], rng: np.random.Generator
) -> Callable[[Arrays, Arrays], tuple[Arrays, Arrays]]:
    """(obs, masks) ↦ (actions as in the memory, those of the environment), by samples."""

    def choose(obs: Arrays, mask: Arrays) -> tuple[Arrays, Arrays]:
        inner = tuple(_act(env, part, g, obs[g], rng) for g, part in enumerate(parts))
        return inner, outer(env, inner)

    return choose


def _act(env: Env, part: Part, g: int, obs: Real, rng: np.random.Generator) -> Real:
    theta, count, half = part.nets.theta, obs.shape[0] * obs.shape[1], int(part.sizes[-1]) // 2
    seen, kind = np.ascontiguousarray(rows(part.like, obs), theta.dtype), theta.dtype
    noise = normal(rng, (*seen.shape[:-1], half), kind)
    action, log_prob = np.empty_like(noise), np.empty(count, kind)
    hidden, params = (np.empty(count * int(n), kind) for n in (part.sizes[1:-1].sum(), 2 * half))
    kernels.draw_all(
        theta, seen.reshape(-1), part.sizes, part.smooth, noise.reshape(-1), BOUNDS, hidden, params,
        action.reshape(-1), log_prob,
    )  # fmt: skip
    return back(part.like, action, env.groups[g])


def update(
    env: Env, parts: tuple[Part, ...], memory: Ring, count: int, rng: np.random.Generator,
    others: Others | None,
) -> list[dict[str, float]]:  # fmt: skip
    """What is told of each group, after an update from ``count`` steps of the memory."""
    chosen = ring.draw(rng, memory.size, count)
    for g, part in enumerate(parts):
        _prepare(part, memory.data, chosen, g, rng)
    if others is not None:
        _see(env, parts, others)
    found = []
    for part in parts:
        means, noise = np.empty(len(TOLD)), normal(rng, part.rows.drawn.shape, part.like.dtype)
        work = (*part.nets, *part.rows[1:], noise, part.sizes, part.widths, part.smooth, part.tune)
        everything: list[Any] = [*work, part.scales, *part.room, means]
        kernels.learn(*everything)
        found.append(dict(zip(TOLD, means.tolist(), strict=True)))
    return found


def _prepare(part: Part, data: Any, chosen: Real, g: int, rng: np.random.Generator) -> None:
    noise = normal(rng, part.rows.drawn.shape, part.like.dtype)
    one = (data.obs, data.action, data.reward, data.next_obs)
    alive = [a[g].reshape(-1) if a else NOBODY for a in (data.alive, data.next_alive)]
    given = (chosen, *(a[g].reshape(-1) for a in one), data.terminated, *alive)
    nets = (part.agents, part.like.ndim > 1, part.nets.theta, part.sizes, part.smooth)
    room = (noise, BOUNDS, part.room.hidden, part.room.params)
    everything: list[Any] = [*given, *nets, *room, *part.rows]
    kernels.prepare(*everything)


def _see(env: Env, parts: tuple[Part, ...], others: Others) -> None:
    """Fill in what critics see of others: now, and next."""
    for next_ in (False, True):
        whole = [_steps(part, part.rows.x_next if next_ else part.rows.x) for part in parts]
        cuts = [(int(part.sizes[0]), int(part.sizes[-1]) // 2) for part in parts]
        obs = tuple(x[..., :o] for x, (o, _) in zip(whole, cuts, strict=True))
        action = tuple(x[..., o : o + a] for x, (o, a) in zip(whole, cuts, strict=True))
        for g, (x, (o, a)) in enumerate(zip(whole, cuts, strict=True)):
            seen = others(env, obs, action, g)
            if seen is not None:
                x[..., o + a :] = seen


def _steps(part: Part, x: Real) -> Real:
    """Rows of all networks, seen as (M, N, …)."""
    wide, agents = int(part.widths[0]), part.agents
    if part.like.ndim == 1:
        return x.reshape(-1, agents, wide)
    return np.moveaxis(x.reshape(agents, -1, wide), 0, 1)


def fields(parts: tuple[Part, ...]) -> tuple[tuple[Any, ...], ...]:
    """What an agent of ``sac.py`` holds, field by field."""
    found = []
    for part in parts:
        nets, (theta, phi, log_alpha) = part.nets, part.shapes
        flat = zip(nets[:4], (theta, phi, phi, log_alpha), strict=True)
        arrays = [a.reshape(shape) for a, shape in flat]
        both = zip(nets.steps.tolist(), nets[4:7], part.shapes, strict=True)
        opts = [OptState(step, *(m.reshape(shape) for m in pair)) for step, pair, shape in both]
        found.append((*arrays, *opts))
    return tuple(zip(*found, strict=True))
