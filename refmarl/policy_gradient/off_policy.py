"""Experience of algorithms that learn from a memory: single steps, kept in a ring.

A step of an episode's end holds what was seen before restarting, so that every row is whole in
itself: (o, a, r, o', d). ``terminated`` alone ends the sum of rewards; a time limit does not.

Axes: B copies, G groups, N_g agents of a group, M rows.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..env_api import Box, Env, advance
from ..replay import Ring, ring
from ..rollout import Arrays, Masks
from ..value_grad import Real


class Transition(NamedTuple):
    """One row: what was seen, done and paid, and what was seen next; each array (M, N_g, …)."""

    obs: Arrays
    action: Arrays  # as the network has it: numbers in (−1, 1), or which one
    reward: Arrays  # (M, N_g)
    next_obs: Arrays
    terminated: Real  # (M,)
    mask: Arrays  # legal actions of each group (M, N_g, K), or () where all always are
    next_mask: Arrays
    alive: Arrays  # who acted (M, N_g), or () where all always do
    next_alive: Arrays
    more: Arrays = ()  # what an algorithm wants to know beside, (M, …)


class Stand(NamedTuple):
    """Where collecting stands."""

    state: Any  # of the environment
    total: Real  # (B,) the team's reward so far in the episode
    memory: Ring  # of Transition, whose arrays are shared with what goes on from here


class Ends(NamedTuple):
    """Episodes that ended while collecting."""

    returns: list[float]  # the team's, undiscounted
    lengths: list[int]


Choose = Callable[[Arrays, Arrays], tuple[Arrays, Arrays]]
# (obs, masks) ↦ (actions as the network has them, actions of the environment)
More = Callable[[Env, Any, Any], Arrays]
# (env, state, the state after, before restarting) ↦ what else stands in the rows, each (B, …)


def nothing(env: Env, state: Any, after: Any) -> Arrays:
    """No more than a transition has."""
    return ()


def begin(
    env: Env,
    rng: np.random.Generator,
    num_envs: int,
    capacity: int,
    dtype: str,
    more: More = nothing,
) -> Stand:
    """Fresh copies, and an empty memory of ``capacity`` rows."""
    state = env.reset(rng, num_envs)
    obs = _seen(env, state, dtype)
    kinds = [dtype if isinstance(group.space, Box) else np.int64 for group in env.groups]
    action = tuple(np.zeros(s, k) for s, k in zip(env.action_shapes, kinds, strict=True))
    reward = tuple(np.zeros(len(group.agents), dtype) for group in env.groups)
    mask, alive = _masks(env, state), _alive(env, state)
    first = tuple(tuple(a[0] for a in part) for part in (obs, mask, alive))
    row = Transition(
        obs=first[0], action=action, reward=reward, next_obs=first[0],
        terminated=np.array(False), mask=first[1], next_mask=first[1],
        alive=first[2], next_alive=first[2],
        more=tuple(a[0] for a in more(env, state, state)),
    )  # fmt: skip
    return Stand(state, np.zeros(num_envs), ring.empty(capacity, row))


def collect(
    env: Env,
    choose: Choose,
    stand: Stand,
    steps: int,
    dtype: str,
    ends: Ends,
    more: More = nothing,
) -> tuple[Stand, int]:
    """(where it stands after ``steps`` steps of every copy, how many steps that were)."""
    state, total, memory = stand
    obs, mask, alive = _seen(env, state, dtype), _masks(env, state), _alive(env, state)
    for _ in range(steps):
        inner, outer = choose(obs, mask)
        before = state
        state, step, final = advance(env, state, outer)
        next_obs, next_mask, next_alive = (
            _seen(env, final, dtype),
            _masks(env, final),
            _alive(env, final),
        )
        reward = tuple(r.astype(dtype) for r in step.reward)
        row = Transition(obs, inner, reward, next_obs, step.terminated, mask, next_mask,
                         alive, next_alive, more(env, before, final))  # fmt: skip
        memory = ring.push(memory, row, len(total))
        total = total + np.concatenate(step.reward, axis=1).mean(axis=1)
        obs, mask, alive = next_obs, next_mask, next_alive
        if final is not state:  # somebody's episode has ended
            (which,) = final.ended.nonzero()
            ends.returns.extend(total[which].tolist())
            ends.lengths.extend(final.t[which].tolist())
            total[which] = 0.0
            obs, mask, alive = _seen(env, state, dtype), _masks(env, state), _alive(env, state)
    return Stand(state, total, memory), steps * len(total)


def _seen(env: Env, state: Any, dtype: str) -> Arrays:
    return tuple(o.astype(dtype) for o in env.observe(state))


def _masks(env: Env, state: Any) -> Arrays:
    return legal(env, env.mask(state), len(state.t))


def legal(env: Env, mask: Masks, copies: int) -> Arrays:
    """Legal actions of every group (B, N_g, K), or () if all always are."""
    if all(m is None for m in mask):
        return ()
    shapes = [(copies, len(p.agents), getattr(p.space, "n", 0)) for p in env.groups]
    pairs = zip(mask, shapes, strict=True)
    return tuple(np.ones(shape, bool) if m is None else m for m, shape in pairs)


def _alive(env: Env, state: Any) -> Arrays:
    """Who acts in each group, or () if all always do."""
    found = env.alive(state)
    if all(a is None for a in found):
        return ()
    shapes = [(len(state.t), len(g.agents)) for g in env.groups]
    return tuple(np.ones(s, bool) if a is None else a for a, s in zip(found, shapes, strict=True))
